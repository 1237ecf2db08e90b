"""Compiled sums over the active samples of the 2^p grid: by listing for small p, else by meeting in the middle.

With s_i = +-1 the sign of coordinate i of a sample X and t_i = w_i d_i, w.X = w_0 + sum_i t_i s_i. Coordinate 0 gives
two *offsets* c = w_0 -+ t_0; the others with t_i != 0 are dealt to two halves. A sample is active exactly if
c + a + b > 0 for its half-sums a and b. If both are sorted, then each a is active with a suffix of the b, so that its
rank among them and prefix sums of their residuals say what it gathers: about 2^(p/2) work instead of 2^p.

All is exact in integers, so that nothing depends on an order of summation: neither on how the coordinates are dealt to
the halves nor on which method adds them. The t_i (i > 0) are rounded to multiples of at most 2^-59 of the sum of their
magnitudes, offsets are not rounded any further, and the coefficients of the residual become multiples of at most
2^(1-F) of the sum of theirs, F = min(51, 97 - p). Sums of residuals outgrow 64 bits: they are kept modulo 2^64, beside
floats that err by less than 2^61 (no more than 2^16 terms are added in a row) and so tell which multiple is meant.

Half-sums come in pairs a, -a. Only the lower half of each sorted list is stored, and each pair is treated as one.
All in one file: numba does not notice when a function that a cached one calls has changed in another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numba import njit  # type: ignore[import-untyped]

from sim.arrays import BoolArray, FloatArray, IntArray

_Function = TypeVar("_Function", bound=Callable[..., object])

LISTED_BITS = 9
"""Up to so many signs beyond the first are listed; so 2^5 residuals of 51 bits and their number fit 64 bits."""

_KEY_BITS, _RESIDUAL_BITS = 60, 51
_SENTINEL = 1 << 62
_BLOCK = 1 << 13
_SPAN_BITS = 9
_CHAINED = 128
_WRAP = 2.0**64


def _compiled(function: _Function) -> _Function:
    compiled: _Function = njit(cache=True)(function)
    return compiled


def _inlined(function: _Function) -> _Function:
    inlined: _Function = njit(inline="always")(function)
    return inlined


@_compiled
def active_products(
    d: FloatArray,
    w: FloatArray,
    coefficients: FloatArray,
    direct: bool,
    listed_bits: int,
    keys: IntArray,
    masks: IntArray,
    counts: IntArray,
    products: FloatArray,
) -> bool:
    """Fill counts (B, 2) and products (B, D, p + 1) for d, w (B, p) and coefficients (B, D, p + 1).

    counts: active samples with s_0 = -1 and with s_0 = +1. products: the mean over all samples of 1[w.X > 0] r s, where
    s = (1, s_0, ..., s_(p-1)) and r = coefficients.s. With `direct`, what is all or not at all active is not summed.
    Grids of at most `listed_bits` signs that matter, beyond the first, are listed. For others keys (3, 2^(h-1) + 1) and
    masks (3, 2^(h-1)), uint32, are room to work in, h signs to a half. Returns whether the sums passed their checks.
    """
    rows, p = w.shape
    terms, kept, signs = np.empty(p, np.int64), np.empty(p, np.int64), np.empty(p, np.int64)
    whole, rho, t = np.empty(p + 1, np.int64), np.empty(p, np.int64), np.empty(p)
    offsets, edges = np.empty(2, np.int64), np.empty(2, np.int64)
    total, about = np.empty(p + 1, np.int64), np.empty(p + 1)
    lists = np.empty((6, 1 << ((listed_bits + 1) // 2)), np.int64)
    fine = True
    for row in range(rows):
        m = _thresholds(d[row], w[row], t, terms, kept, signs, offsets)
        load = terms[:m].sum()
        decided = direct
        for c in offsets:
            decided = decided and (c > load or c <= -load)
        for n in range(coefficients.shape[1]):
            shift = _fixed_point(coefficients[row, n], p + 1, min(_RESIDUAL_BITS, 96 - m), whole)
            edges[0], edges[1] = whole[0] - whole[1], whole[0] + whole[1]
            for i in range(m):
                rho[i] = signs[i] * whole[kept[i]]
            if decided:
                _all_or_none(offsets, edges, rho, m, load, counts[row], total, about)
            elif m <= listed_bits:
                _listed(offsets, edges, terms, rho, m, lists, counts[row], total, about)
            else:
                fine = _met(offsets, edges, terms, rho, m, keys, masks, counts[row], total, about) and fine
            # the mean is over 2^(m+1) samples: signs that do not matter average out
            first, second = _power(-shift - m - 1)
            active = float(counts[row, 0] + counts[row, 1])
            result = products[row, n]
            for j in range(2, p + 1):
                result[j] = float(whole[j]) * active * first * second
            for i in range(2 + m):
                turns = (about[i] - float(total[i])) / _WRAP
                nearest = np.rint(turns)
                fine = fine and abs(turns - nearest) < 0.25
                place, sign = (i, 1) if i < 2 else (kept[i - 2], signs[i - 2])
                result[place] = sign * (nearest * _WRAP + float(total[i])) * first * second
        counts[row] *= 1 << (p - 1 - m)
    return fine


@_compiled
def _thresholds(
    d: FloatArray, w: FloatArray, t: FloatArray, terms: IntArray, kept: IntArray, signs: IntArray, offsets: IntArray
) -> int:
    """|t_i| (i > 0, not 0) in fixed point, the places of s_i and the signs of t_i, and both offsets; how many t_i."""
    p = len(w)
    for i in range(1, p):
        t[i - 1] = w[i] * d[i]
    shift = _fixed_point(t, p - 1, _KEY_BITS, terms)
    m, load = 0, 0
    for i in range(p - 1):
        size = abs(terms[i])
        if size != 0:
            kept[m], signs[m], terms[m] = i + 2, 1 if terms[i] > 0 else -1, size
            load += size
            m += 1
    first, second = _power(shift)
    bound = float(load) + 1024.0
    for o in range(2):
        c = (w[0] + (2 * o - 1) * (w[0] * d[0])) * first * second
        # half-sums are integers: a number exceeds one of them exactly if its ceiling does
        offsets[o] = int(math.ceil(min(max(c, -bound), bound)))
    return m


@_compiled
def _fixed_point(values: FloatArray, size: int, bits: int, out: IntArray) -> int:
    """`size` values times 2^k, rounded, where their magnitudes then add up to about 2^(bits-1) to 2^bits; returns k."""
    total, reserve = 0.0, 0
    for i in range(size):
        total += abs(values[i])
    if math.isinf(total):
        total, reserve = 0.0, 8
        for i in range(size):
            total += abs(values[i]) / 256.0
    k = bits - int(math.frexp(total)[1]) - reserve if total > 0.0 else 0
    first, second = _power(k)
    for i in range(size):
        out[i] = int(np.rint(values[i] * first * second))
    return k


@_compiled
def _power(k: int) -> tuple[float, float]:
    """2^k as two factors, since one may lie outside the range of floats."""
    return math.ldexp(1.0, k // 2), math.ldexp(1.0, k - k // 2)


@_compiled
def _all_or_none(
    offsets: IntArray,
    edges: IntArray,
    rho: IntArray,
    m: int,
    load: int,
    counts: IntArray,
    total: IntArray,
    about: FloatArray,
) -> None:
    full = 1 << m
    total[:] = 0
    about[:] = 0.0
    for o in range(2):
        counts[o] = full if offsets[o] > load else 0
        _add(total, about, 0, edges[o], counts[o])
        _add(total, about, 1, (2 * o - 1) * edges[o], counts[o])
        for i in range(m):
            _add(total, about, 2 + i, rho[i], counts[o])


@_compiled
def _add(total: IntArray, about: FloatArray, place: int, value: int, times: int) -> None:
    total[place] += value * times
    about[place] += float(value) * float(times)


@_compiled
def _listed(
    offsets: IntArray,
    edges: IntArray,
    terms: IntArray,
    rho: IntArray,
    m: int,
    lists: IntArray,
    counts: IntArray,
    total: IntArray,
    about: FloatArray,
) -> None:
    """Sums over all 2^(m+1) samples, each tried; the tables of the two halves are in no order."""
    split = (m + 1) // 2
    few, many = 1 << split, 1 << (m - split)
    low, low_r, gathered = lists[0, :few], lists[1, :few], lists[2, :few]
    high, high_r = lists[3, :many], lists[4, :many]
    _signed_sums(terms[:split], low)
    _signed_sums(rho[:split], low_r)
    _signed_sums(terms[split:m], high)
    _signed_sums(rho[split:m], high_r)
    # one number counts in its upper six bits and adds residuals in the others
    one, middle = 1 << 58, 1 << 57
    for i in range(few):
        low_r[i] += one
        gathered[i] = 0
    total[: 2 + m] = 0
    for o in range(2):
        everyone, every_r = 0, 0
        for j in range(many):
            needed, r = -offsets[o] - high[j], edges[o] + high_r[j]
            met, marked = 0, r + one
            for i in range(few):
                active = -np.int64(low[i] > needed)
                met += active & low_r[i]
                gathered[i] += active & marked
            count = (met + middle) >> 58 & 63
            value = count * r + (met - (count << 58))
            everyone += count
            every_r += value
            for i in range(m - split):
                total[2 + split + i] += value if j >> i & 1 else -value
        counts[o] = everyone
        total[0] += every_r
        total[1] += (2 * o - 1) * every_r
    for i in range(few):
        count = (gathered[i] + middle) >> 58 & 63
        value = count * (low_r[i] - one) + (gathered[i] - (count << 58))
        for j in range(split):
            total[2 + j] += value if i >> j & 1 else -value
    for i in range(2 + m):
        about[i] = float(total[i])


@_compiled
def _signed_sums(terms: IntArray, out: IntArray) -> None:
    """out[n] = sum of +-terms[i], plus where bit i of n is set."""
    out[0] = -terms.sum()
    for i in range(len(terms)):
        for n in range(1 << i):
            out[n + (1 << i)] = out[n] + 2 * terms[i]


@_compiled
def _met(
    offsets: IntArray,
    edges: IntArray,
    terms: IntArray,
    rho: IntArray,
    m: int,
    keys: IntArray,
    masks: IntArray,
    counts: IntArray,
    total: IntArray,
    about: FloatArray,
) -> bool:
    """Meet in the middle; m >= 2. Whether both halves find as many active samples."""
    first = m // 2
    _sort_half(terms[:first], keys[0], masks[0], keys[2], masks[2])
    _sort_half(terms[first:m], keys[1], masks[1], keys[2], masks[2])
    small, large = 1 << (first - 1), 1 << (m - first - 1)
    # the keys' spare row has done its work and holds the prefix sums
    ends, near = np.empty((2, 4), np.int64), np.empty((2, 2))
    _gather(
        offsets, edges, keys[0], masks[0], small, rho[:first], keys[1], masks[1], large, rho[first:m], keys[2], True,
        total[2 : 2 + first], about[2 : 2 + first], ends[0], near[0],
    )  # fmt: skip
    _gather(
        offsets, edges, keys[1], masks[1], large, rho[first:m], keys[0], masks[0], small, rho[:first], keys[2], False,
        total[2 + first : 2 + m], about[2 + first : 2 + m], ends[1], near[1],
    )  # fmt: skip
    counts[:] = ends[0, :2]
    total[0], total[1] = ends[0, 2] + ends[0, 3], ends[0, 3] - ends[0, 2]
    about[0], about[1] = near[0, 0] + near[0, 1], near[0, 1] - near[0, 0]
    return bool((ends[0, :2] == ends[1, :2]).all())


@_compiled
def _sort_half(terms: IntArray, keys: IntArray, masks: IntArray, spare_keys: IntArray, spare_masks: IntArray) -> None:
    """The 2^(a-1) lower half-sums of a terms, ascending, and which signs are plus, as bits; a sentinel behind them."""
    a = len(terms)
    if a % 2 == 0:
        keys, masks, spare_keys, spare_masks = spare_keys, spare_masks, keys, masks
    # rows change roles with every merge; the last one writes into the row that was asked for
    source, source_masks, target, target_masks = spare_keys, spare_masks, keys, masks
    source[0], source_masks[0] = 0, 0
    size = 1
    for i in range(a):
        source[size] = _SENTINEL
        _merge_lower(source, source_masks, size, terms[i], np.uint32(1 << i), target, target_masks)
        if i < a - 1:
            every = np.uint32((1 << (i + 1)) - 1)
            _mirror(target, target_masks, size, every)
        size *= 2
        source, source_masks, target, target_masks = target, target_masks, source, source_masks
    source[size // 2] = _SENTINEL


@_compiled
def _mirror(keys: IntArray, masks: IntArray, size: int, every: int) -> None:
    upper, upper_masks = keys[size : 2 * size], masks[size : 2 * size]
    for n in range(size):
        upper[np.uint64(size - 1 - n)] = -keys[np.uint64(n)]
    for n in range(size):
        upper_masks[np.uint64(size - 1 - n)] = masks[np.uint64(n)] ^ every


@_compiled
def _merge_lower(
    keys: IntArray, masks: IntArray, size: int, term: int, bit: int, out: IntArray, out_masks: IntArray
) -> None:
    """The lower half of the merge of keys - term and keys + term (those with `bit` set), ties to the former.

    Four chains at a time, since each waits for its own last comparison.
    """
    if size < _CHAINED:
        i = 0
        for n in range(size):
            i = _merge_step(keys, masks, term, bit, n, i, out, out_masks)
        return
    quarter = size // 4
    i0 = 0
    i1 = _merge_split(keys, size, term, quarter)
    i2 = _merge_split(keys, size, term, 2 * quarter)
    i3 = _merge_split(keys, size, term, 3 * quarter)
    for n in range(quarter):
        i0 = _merge_step(keys, masks, term, bit, n, i0, out, out_masks)
        i1 = _merge_step(keys, masks, term, bit, n + quarter, i1, out, out_masks)
        i2 = _merge_step(keys, masks, term, bit, n + 2 * quarter, i2, out, out_masks)
        i3 = _merge_step(keys, masks, term, bit, n + 3 * quarter, i3, out, out_masks)


@_compiled
def _merge_step(
    keys: IntArray, masks: IntArray, term: int, bit: int, n: int, i: int, out: IntArray, out_masks: IntArray
) -> int:
    # unsigned indices spare the test for negative ones; both sides are read, so that no branch is left
    j = n - i
    lower, upper = keys[np.uint64(i)] - term, keys[np.uint64(j)] + term
    plain, marked = masks[np.uint64(i)], masks[np.uint64(j)] | bit
    take = lower <= upper
    out[np.uint64(n)] = lower if take else upper
    out_masks[np.uint64(n)] = plain if take else marked
    return i + take


@_compiled
def _merge_split(keys: IntArray, size: int, term: int, n: int) -> int:
    """How many of keys - term are among the first n of the merge."""
    low, high = max(0, n - size), min(n, size)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] - term <= keys[n - middle - 1] + term:
            low = middle + 1
        else:
            high = middle
    return low


@_compiled
def _gather(
    offsets: IntArray,
    edges: IntArray,
    keys: IntArray,
    masks: IntArray,
    half: int,
    rho: IntArray,
    others: IntArray,
    other_masks: IntArray,
    other_half: int,
    other_rho: IntArray,
    prefix: IntArray,
    with_rest: bool,
    total: IntArray,
    about: FloatArray,
    ends: IntArray,
    near_ends: FloatArray,
) -> None:
    """What the half-sums a of one half gather from those of the other.

    A half-sum gathers V = sum over offsets and over its active partners of the residual. total: sum of V s_i for each
    sign i of this half. ends: for both offsets the numbers of active pairs, then (`with_rest`) the sums of their
    residuals. By symmetry the partners b that are active with a are as many as the b < c + a, with residuals of the opposite sign.
    """
    size = 2 * other_half
    tables = _byte_tables(rho)
    starts = _prefix_sums(other_masks, other_half, _byte_tables(other_rho), prefix)
    count0, count1, rest0, rest1, near0, near1 = 0, 0, 0, 0, 0.0, 0.0
    edge0, edge1, near_edge0, near_edge1 = edges[0], edges[1], float(edges[0]), float(edges[1])
    sums, near_sums = np.zeros((3, 256), np.int64), np.zeros((3, 256))
    width = min(half, _BLOCK)
    ranks, turned, other_way = np.empty((4, width), np.int32), np.empty(width, np.int64), np.empty(width, np.int32)
    for start in range(0, half, width):
        block = keys[start : start + width]
        _rank(block, offsets[0], others, other_half, turned, other_way, ranks[0])
        _rank(block, offsets[1], others, other_half, turned, other_way, ranks[1])
        _rank(block, 1 - offsets[0], others, other_half, turned, other_way, ranks[2])
        _rank(block, 1 - offsets[1], others, other_half, turned, other_way, ranks[3])
        for n in range(len(block)):
            i = np.uint64(n)
            mask = np.uint64(masks[np.uint64(start + n)])
            byte0, byte1, byte2 = mask & np.uint64(255), mask >> np.uint64(8) & np.uint64(255), mask >> np.uint64(16)
            r = tables[0, byte0] + tables[1, byte1] + tables[2, byte2]
            # a with c, then -a with c: the b >= c - a mirrored are the b <= a - c
            k0, k1, l0, l1 = ranks[0, i], ranks[1, i], ranks[2, i], ranks[3, i]
            p0, x0, f0 = _prefix_at(prefix, starts, size, k0)
            p1, x1, f1 = _prefix_at(prefix, starts, size, k1)
            q0, y0, g0 = _prefix_at(prefix, starts, size, l0)
            q1, y1, g1 = _prefix_at(prefix, starts, size, l1)
            both0, both1 = k0 + size - l0, k1 + size - l1
            gap0, gap1 = k0 + l0 - size, k1 + l1 - size
            value = gap0 * edge0 + gap1 * edge1 + (both0 + both1) * r - (p0 - q0) - (p1 - q1)
            close = float(gap0) * near_edge0 + float(gap1) * near_edge1 + float(both0 + both1) * float(r)
            close -= (f0 - g0) + (f1 - g1) + float(x0 - y0 + x1 - y1)
            sums[0, byte0] += value
            sums[1, byte1] += value
            sums[2, byte2] += value
            near_sums[0, byte0] += close
            near_sums[1, byte1] += close
            near_sums[2, byte2] += close
            count0 += both0
            count1 += both1
            if with_rest:
                rest0 += gap0 * r - p0 - q0
                rest1 += gap1 * r - p1 - q1
                near0 += float(gap0) * float(r) - f0 - g0 - float(x0 + y0)
                near1 += float(gap1) * float(r) - f1 - g1 - float(x1 + y1)
    for i in range(len(rho)):
        whole, close = 0, 0.0
        for n in range(256):
            # of the pair a, -a only a was entered, with the difference of what they gather
            plus = n >> (i & 7) & 1
            whole += sums[i >> 3, n] if plus else -sums[i >> 3, n]
            close += near_sums[i >> 3, n] if plus else -near_sums[i >> 3, n]
        total[i], about[i] = whole, close
    ends[0], ends[1] = count0, count1
    ends[2], ends[3] = count0 * edge0 + rest0, count1 * edge1 + rest1
    near_ends[0] = float(count0) * float(edge0) + near0
    near_ends[1] = float(count1) * float(edge1) + near1


@_compiled
def _byte_tables(rho: IntArray) -> IntArray:
    """Sums (3, 256) of +-rho[8 n : 8 n + 8] by the byte n of a mask."""
    tables = np.zeros((3, 256), np.int64)
    for n in range(3):
        part = rho[8 * n : 8 * n + 8]
        if len(part) > 0:
            _signed_sums(part, tables[n, : 1 << len(part)])
    return tables


@_compiled
def _prefix_sums(masks: IntArray, half: int, tables: IntArray, prefix: IntArray) -> FloatArray:
    """Residuals of the lowest half-sums added up: prefix[k] of k modulo 2^64; the floats are those of k = 0, 2^9, ..."""
    span = 1 << _SPAN_BITS
    starts = np.empty((half >> _SPAN_BITS) + 1)
    whole, within, near = 0, 0, 0.0
    for k in range(half + 1):
        if k & (span - 1) == 0:
            # the sum within a span fits 64 bits
            near += float(within)
            whole += within
            within = 0
            starts[k >> _SPAN_BITS] = near
        prefix[k] = whole + within
        if k < half:
            mask = np.uint64(masks[np.uint64(k)])
            within += (
                tables[0, mask & np.uint64(255)]
                + tables[1, mask >> np.uint64(8) & np.uint64(255)]
                + tables[2, mask >> np.uint64(16)]
            )
    return starts


@_inlined
def _prefix_at(prefix: IntArray, starts: FloatArray, size: int, k: int) -> tuple[int, int, float]:
    """Sum of the residuals of the k lowest half-sums (k and size - k give the same), and it in two parts."""
    place = min(k, size - k)
    span = place >> _SPAN_BITS
    value = prefix[np.uint64(place)]
    return value, value - prefix[np.uint64(span << _SPAN_BITS)], starts[np.uint64(span)]


@_compiled
def _rank(
    block: IntArray, offset: int, others: IntArray, half: int, turned: IntArray, other_way: IntArray, out: IntArray
) -> None:
    """out[i]: how many of all 2 half others, of which the lower half is given, are below block[i] + offset."""
    n = len(block)
    cut = _first_at_least(block, 0, n, 1 - offset)
    if cut > 0:
        _rank_below(block[:cut], offset, others, half, out)
    if cut < n:
        # above the middle: count from the other end, which is the same list with its signs turned
        for i in range(n - cut):
            turned[np.uint64(i)] = -block[np.uint64(n - 1 - i)]
        _rank_below(turned[: n - cut], 1 - offset, others, half, other_way)
        for i in range(n - cut):
            out[np.uint64(n - 1 - i)] = 2 * half - other_way[np.uint64(i)]


@_compiled
def _rank_below(block: IntArray, offset: int, others: IntArray, half: int, out: IntArray) -> None:
    """out[i]: how many others are below block[i] + offset <= 0, by merging both in four chains."""
    n = len(block)
    start = _first_at_least(others, 0, half, block[0] + offset)
    stop = _first_at_least(others, start, half, block[n - 1] + offset)
    facing = others[start : stop + 1]
    steps = n + stop - start
    if steps < _CHAINED:
        i, j = 0, 0
        for _ in range(steps):
            i, j = _rank_step(block, offset, facing, i, j, start, out)
        return
    quarter = steps // 4
    i0, j0 = 0, 0
    i1 = _rank_split(block, offset, facing, quarter)
    i2 = _rank_split(block, offset, facing, 2 * quarter)
    i3 = _rank_split(block, offset, facing, 3 * quarter)
    b1, b2, b3 = i1, i2, i3
    j1, j2, j3 = quarter - i1, 2 * quarter - i2, 3 * quarter - i3
    for _ in range(quarter):
        i0, j0 = _rank_step(block, offset, facing, i0, j0, start, out)
        i1, j1 = _rank_step(block, offset, facing, i1, j1, start, out)
        i2, j2 = _rank_step(block, offset, facing, i2, j2, start, out)
        i3, j3 = _rank_step(block, offset, facing, i3, j3, start, out)
    for _ in range(4 * quarter, steps):
        i3, j3 = _rank_step(block, offset, facing, i3, j3, start, out)
    # where a chain began, the one before it has left its unfinished count
    for begun in (b1, b2, b3):
        if begun < n:
            out[begun] = _first_at_least(others, start, stop, block[begun] + offset)


@_compiled
def _rank_step(
    block: IntArray, offset: int, facing: IntArray, i: int, j: int, start: int, out: IntArray
) -> tuple[int, int]:
    # written whether it is final or not, so that no branch is left
    out[np.uint64(i)] = start + j
    below = np.int64(facing[np.uint64(j)] < block[np.uint64(i)] + offset)
    return i + 1 - below, j + below


@_compiled
def _rank_split(block: IntArray, offset: int, facing: IntArray, n: int) -> int:
    """How many of the block are among the first n of the merge, in which facing ones below it come first."""
    low, high = max(0, n - len(facing) + 1), min(n, len(block))
    while low < high:
        middle = (low + high) // 2
        if facing[n - middle - 1] < block[middle] + offset:
            high = middle
        else:
            low = middle + 1
    return low


@_compiled
def _first_at_least(values: IntArray, start: int, stop: int, bound: int) -> int:
    """The first place in start, ..., stop - 1 whose value is at least `bound`, else stop."""
    while start < stop:
        middle = (start + stop) // 2
        if values[middle] < bound:
            start = middle + 1
        else:
            stop = middle
    return start
