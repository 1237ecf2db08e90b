# mypy: allow-untyped-defs, allow-untyped-calls
# numba infers types; the functions that are called from outside have them written down
"""Compiled sums over the active samples of the 2^p grid, p <= 49, by meeting in the middle.

With s_i = +-1 the sign of coordinate i of a sample X and t_i = w_i d_i, w.X = w_0 + sum_i t_i s_i. Coordinate 0 gives
two *offsets* c = w_0 -+ t_0; the others with t_i != 0 are dealt to two halves. A sample is active exactly if
c + a + b > 0 for its half-sums a and b. If both are sorted, then each a is active with a suffix of the b, so that its
rank among them and prefix sums of their residuals say what it gathers: about 2^(p/2) work instead of 2^p. Nothing is
sorted by comparing all with all: adding a coordinate merges a sorted list, shifted down, with itself, shifted up.

All is exact in integers, so that nothing depends on an order of summation: neither on how the coordinates are dealt to
the halves nor on which method adds them up (`sim.listed_sums` finds the same bits). The t_i, i > 0, are rounded to
multiples of at most 2^-59 of the sum of their magnitudes, offsets are not rounded any further, and the coefficients of
the residual become multiples of at most 2^(1-F) of the sum of theirs, F = min(51, 97 - p). Sums of residuals outgrow
64 bits: they are kept modulo 2^64, beside floats that err by less than 2^61 (never more than 2^16 terms are added in a
row) and so tell which multiple is meant; should the two not fit, the sums are reported as failed.

Half-sums come in pairs a, -a. Only the lower half of each sorted list is stored, and each pair is treated as one.
All in one file: numba does not notice when a function that a cached one calls has changed in another.
"""

from __future__ import annotations

import math

import numpy as np

from sim.arrays import FloatArray, IntArray, MaskArray
from sim.compiled import njit

MOST_SIGNS = 48
"""So many signs that matter beyond the first: a byte table covers 8, and three of them a half."""

_KEY_BITS, _RESIDUAL_BITS = 60, 51
_SENTINEL = 1 << 62
_BLOCK = 1 << 13
_SPAN_BITS = 9
_CHAINED = 128
_WRAP = 2.0**64


@njit(cache=True)
def active_products(
    d: FloatArray,
    w: FloatArray,
    coefficients: FloatArray,
    direct: bool,
    keys: IntArray,
    masks: MaskArray,
    counts: IntArray,
    products: FloatArray,
) -> bool:
    """Fill counts (B, 2) and products (B, D, p + 1) for d, w (B, p), p >= 3, and coefficients (B, D, p + 1).

    counts: active samples with s_0 = -1 and with s_0 = +1. products: the mean over all samples of 1[w.X > 0] r s, where
    s = (1, s_0, ..., s_(p-1)) and r = coefficients.s. With `direct`, what is all or not at all active is not summed.
    keys (3, 2^(h-1) + 1) and masks (3, 2^(h-1)) are room to work in for h signs to a half. Returns whether all sums
    passed their checks.
    """
    rows, p = w.shape
    terms, kept, signs = np.empty(p, np.int64), np.empty(p, np.int64), np.empty(p, np.int64)
    whole, rho, t = np.empty(p + 1, np.int64), np.empty(p, np.int64), np.empty(p)
    offsets, edges = np.empty(2, np.int64), np.empty(2, np.int64)
    total, about = np.empty(p + 1, np.int64), np.empty(p + 1)
    fine = True
    for row in range(rows):
        m = _thresholds(d[row], w[row], t, terms, kept, signs, offsets)
        load = terms[:m].sum()
        decided = direct and _decided(offsets, load)
        for n in range(coefficients.shape[1]):
            shift = _fixed_point(coefficients[row, n], p + 1, min(_RESIDUAL_BITS, 96 - m), whole)
            edges[0], edges[1] = whole[0] - whole[1], whole[0] + whole[1]
            for i in range(m):
                rho[i] = signs[i] * whole[kept[i]]
            if decided:
                _all_or_none(offsets, edges, rho, m, load, counts[row], total, about)
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


@njit(cache=True)
def active_gradients(
    d: FloatArray,
    w: FloatArray,
    w_star: FloatArray,
    direct: bool,
    keys: IntArray,
    masks: MaskArray,
    count: IntArray,
    loss: FloatArray,
    gradient: FloatArray,
) -> bool:
    """Count (B,), loss (B,) and gradient (B, p) as in `sim.half_space.ActiveSums`, for d, w, w_star (B, p), p >= 3.

    direct, keys, masks and what is returned: see `active_products`.
    """
    rows, p = w.shape
    given, products = np.empty((1, 1, p + 1)), np.empty((1, 1, p + 1))
    counts = np.empty((1, 2), np.int64)
    c, r = given[0, 0], products[0, 0]
    fine = True
    for row in range(rows):
        one = slice(row, row + 1)
        along_e0, pulled, missed = True, 0.0, 0.0
        c[0] = w_star[row, 0] - w[row, 0]
        for i in range(p):
            c[1 + i] = (w_star[row, i] - w[row, i]) * d[row, i]
            along_e0 = along_e0 and (i == 0 or w_star[row, i] * d[row, i] == 0.0)
        fine = active_products(d[one], w[one], given, direct, keys, masks, counts, products) and fine
        for i in range(p):
            gradient[row, i] = -2.0 * (d[row, i] * r[1 + i] + (r[0] if i == 0 else 0.0))
        for i in range(p + 1):
            pulled += c[i] * r[i]
        count[row] = counts[0, 0] + counts[0, 1]
        # a target along e0 takes one value for each s_0, so that counts say what it adds up to
        if along_e0:
            for o in range(2):
                end = w_star[row, 0] + (2 * o - 1) * w_star[row, 0] * d[row, 0]
                missed += (0.5 - counts[0, o] / 2.0**p) * end * end
        elif count[row] != 1 << p:
            c[0] = w_star[row, 0]
            for i in range(p):
                c[1 + i] = w_star[row, i] * d[row, i]
            fine = active_products(d[one], w[one], given, direct, keys, masks, counts, products) and fine
            whole, answered = 0.0, 0.0
            for i in range(p + 1):
                whole += c[i] * c[i]
                answered += c[i] * r[i]
            missed = whole - answered
        # rounding can take what vanishes below zero
        loss[row] = max(pulled, 0.0) + max(missed, 0.0)
    return fine


@njit(cache=True)
def thresholds(d: FloatArray, w: FloatArray, offsets: IntArray, terms: IntArray) -> int:
    """Fill offsets (B, 2) and terms (B, p - 1), for d, w (B, p): a sample is active exactly if offset +- terms > 0.

    Returns the largest number of terms that are not 0 in a row where not all or none of the samples are active.
    """
    rows, p = w.shape
    t, sizes, kept, signs = np.empty(p), np.empty(p, np.int64), np.empty(p, np.int64), np.empty(p, np.int64)
    most = 0
    for row in range(rows):
        m = _thresholds(d[row], w[row], t, sizes, kept, signs, offsets[row])
        terms[row] = 0
        for i in range(m):
            terms[row, kept[i] - 2] = signs[i] * sizes[i]
        if m > most and not _decided(offsets[row], sizes[:m].sum()):
            most = m
    return most


@njit(cache=True)
def _decided(offsets, load):
    """Whether for each offset all samples are active or none is."""
    return (offsets[0] > load or offsets[0] <= -load) and (offsets[1] > load or offsets[1] <= -load)


@njit(cache=True)
def _thresholds(d, w, t, terms, kept, signs, offsets):
    """|t_i| (i > 0, not 0) in fixed point, the places of s_i and the signs of t_i, and both offsets; how many t_i."""
    p = len(w)
    for i in range(1, p):
        t[i - 1] = w[i] * d[i]
    shift = _fixed_point(t, p - 1, _KEY_BITS, terms)
    m, load = 0, 0
    for i in range(p - 1):
        size = abs(terms[i])
        # two at least, one for each half
        if size != 0 or m + p - 1 - i <= 2:
            kept[m], signs[m], terms[m] = i + 2, 1 if terms[i] > 0 else -1, size
            load += size
            m += 1
    first, second = _power(shift)
    bound = float(load) + 1024.0
    for o in range(2):
        c = (w[0] + (2 * o - 1) * (w[0] * d[0])) * first * second
        # half-sums are integers: a number exceeds one of them exactly if its ceiling does
        offsets[o] = math.ceil(min(max(c, -bound), bound))
    return m


@njit(cache=True)
def _fixed_point(values, size, bits, out):
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


@njit(cache=True)
def _power(k):
    """2^k as two factors, since one may lie outside the range of floats."""
    return math.ldexp(1.0, k // 2), math.ldexp(1.0, k - k // 2)


@njit(cache=True)
def _all_or_none(offsets, edges, rho, m, load, counts, total, about):
    full = 1 << m
    total[:] = 0
    about[:] = 0.0
    for o in range(2):
        counts[o] = full if offsets[o] > load else 0
        _add(total, about, 0, edges[o], counts[o])
        _add(total, about, 1, (2 * o - 1) * edges[o], counts[o])
        for i in range(m):
            _add(total, about, 2 + i, rho[i], counts[o])


@njit(cache=True)
def _add(total, about, place, value, times):
    total[place] += value * times
    about[place] += float(value) * float(times)


@njit(cache=True)
def _signed_sums(terms, out):
    """out[n] = sum of +-terms[i], plus where bit i of n is set."""
    out[0] = -terms.sum()
    for i in range(len(terms)):
        for n in range(1 << i):
            out[n + (1 << i)] = out[n] + 2 * terms[i]


@njit(cache=True)
def _met(offsets, edges, terms, rho, m, keys, masks, counts, total, about):
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


@njit(cache=True)
def _sort_half(terms, keys, masks, spare_keys, spare_masks):
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


@njit(cache=True)
def _mirror(keys, masks, size, every):
    upper, upper_masks = keys[size : 2 * size], masks[size : 2 * size]
    for n in range(size):
        upper[np.uint64(size - 1 - n)] = -keys[np.uint64(n)]
    for n in range(size):
        upper_masks[np.uint64(size - 1 - n)] = masks[np.uint64(n)] ^ every


@njit(cache=True)
def _merge_lower(keys, masks, size, term, bit, out, out_masks):
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


@njit(cache=True)
def _merge_step(keys, masks, term, bit, n, i, out, out_masks):
    # unsigned indices spare the test for negative ones; both sides are read, so that no branch is left
    j = n - i
    lower, upper = keys[np.uint64(i)] - term, keys[np.uint64(j)] + term
    plain, marked = masks[np.uint64(i)], masks[np.uint64(j)] | bit
    take = lower <= upper
    out[np.uint64(n)] = lower if take else upper
    out_masks[np.uint64(n)] = plain if take else marked
    return i + take


@njit(cache=True)
def _merge_split(keys, size, term, n):
    """How many of keys - term are among the first n of the merge."""
    low, high = max(0, n - size), min(n, size)
    while low < high:
        middle = (low + high) // 2
        if keys[middle] - term <= keys[n - middle - 1] + term:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True)
def _gather(
    offsets,
    edges,
    keys,
    masks,
    half,
    rho,
    others,
    other_masks,
    other_half,
    other_rho,
    prefix,
    with_rest,
    total,
    about,
    ends,
    near_ends,
):
    """What the half-sums a of one half gather from those of the other.

    A half-sum gathers V = sum over offsets and over its active partners of the residual. total: sum of V s_i for each
    sign i of this half. ends: for both offsets the numbers of active pairs, then (`with_rest`) the sums of their
    residuals. By symmetry the partners b active with a are as many as the b < c + a, whose residuals are the negatives.
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
        block, part0, part1 = keys[start : start + width], 0.0, 0.0
        _rank(block, offsets[0], others, other_half, turned, other_way, ranks[0])
        _rank(block, offsets[1], others, other_half, turned, other_way, ranks[1])
        _rank(block, 1 - offsets[0], others, other_half, turned, other_way, ranks[2])
        _rank(block, 1 - offsets[1], others, other_half, turned, other_way, ranks[3])
        for place in range(len(block)):
            i = np.uint64(place)
            mask = np.uint64(masks[np.uint64(start + place)])
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
                part0 += float(gap0) * float(r) - f0 - g0 - float(x0 + y0)
                part1 += float(gap1) * float(r) - f1 - g1 - float(x1 + y1)
        near0 += part0
        near1 += part1
    for n in range(0, len(rho), 8):
        _fold(sums[n >> 3], total[n : n + 8])
        _fold(near_sums[n >> 3], about[n : n + 8])
    ends[0], ends[1] = count0, count1
    ends[2], ends[3] = count0 * edge0 + rest0, count1 * edge1 + rest1
    near_ends[0] = float(count0) * float(edge0) + near0
    near_ends[1] = float(count1) * float(edge1) + near1


@njit(cache=True)
def _fold(sums, out):
    """out[j]: the sums where bit j of their place is set, less those where it is not; the sums are used up."""
    # of a pair a, -a only a was entered, with the difference of what they gather
    for j in range(len(out) - 1, -1, -1):
        half = 1 << j
        out[j] = 0
        for n in range(half):
            minus, plus = sums[n], sums[n + half]
            out[j] += plus - minus
            sums[n] = plus + minus


@njit(cache=True)
def _byte_tables(rho):
    """Sums (3, 256) of +-rho[8 n : 8 n + 8] by the byte n of a mask."""
    tables = np.zeros((3, 256), np.int64)
    for n in range(3):
        part = rho[8 * n : 8 * n + 8]
        if len(part) > 0:
            _signed_sums(part, tables[n, : 1 << len(part)])
    return tables


@njit(cache=True)
def _prefix_sums(masks, half, tables, prefix):
    """Residuals of the lowest half-sums added up: prefix[k] of k modulo 2^64; floats for k = 0, 2^9, ..."""
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


@njit(inline="always")
def _prefix_at(prefix, starts, size, k):
    """Sum of the residuals of the k lowest half-sums (k and size - k give the same), and it in two parts."""
    place = min(k, size - k)
    span = place >> _SPAN_BITS
    value = prefix[np.uint64(place)]
    return value, value - prefix[np.uint64(span << _SPAN_BITS)], starts[np.uint64(span)]


@njit(cache=True)
def _rank(block, offset, others, half, turned, other_way, out):
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


@njit(cache=True)
def _rank_below(block, offset, others, half, out):
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


@njit(cache=True)
def _rank_step(block, offset, facing, i, j, start, out):
    # written whether it is final or not, so that no branch is left
    out[np.uint64(i)] = start + j
    below = np.int64(facing[np.uint64(j)] < block[np.uint64(i)] + offset)
    return i + 1 - below, j + below


@njit(cache=True)
def _rank_split(block, offset, facing, n):
    """How many of the block are among the first n of the merge, in which facing ones below it come first."""
    low, high = max(0, n - len(facing) + 1), min(n, len(block))
    while low < high:
        middle = (low + high) // 2
        if facing[n - middle - 1] < block[middle] + offset:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True)
def _first_at_least(values, start, stop, bound):
    """The first place in start, ..., stop - 1 whose value is at least `bound`, else stop."""
    while start < stop:
        middle = (start + stop) // 2
        if values[middle] < bound:
            start = middle + 1
        else:
            stop = middle
    return start
