# mypy: allow-untyped-defs, allow-untyped-calls
# numba infers types; the functions that are called from outside have them written down
"""Compiled sums over the active samples of many small grids, p <= 10, by trying every sample.

`LANES` filters go side by side, so that one vector instruction serves several of them. The signs of a sample are dealt
to a low and a high half; coordinate 0 makes two offsets. The numbers are the integers of `sim.meeting_sums`, and so the
results are the same to the last bit.
"""

from __future__ import annotations

import math

import numpy as np

from sim.arrays import FloatArray, IntArray
from sim.compiled import njit

LISTED_P = 10
"""Up to so many weights are listed: at most 2^5 residuals of 51 bits, and their number, then fit 64 bits."""

LANES = 64
_KEY_BITS, _RESIDUAL_BITS, _COUNT_BITS = 60, 51, 58
_FURTHEST = 1150
_UNROLLED = 4


@njit(cache=True, nogil=True)
def listed_products(
    d: FloatArray, w: FloatArray, coefficients: FloatArray, counts: IntArray, products: FloatArray
) -> None:
    """As `sim.meeting_sums.active_products` does it, for p <= 10."""
    rows, p = w.shape
    powers, scratch = _powers(), _scratch(p)
    given = np.zeros((p + 1, LANES))
    for start in range(0, rows, LANES):
        width = min(LANES, rows - start)
        _load(d, w, start, width, powers, scratch)
        for n in range(coefficients.shape[1]):
            for v in range(width):
                for i in range(p + 1):
                    given[i, v] = coefficients[start + v, n, i]
            _multiply(given, powers, scratch)
            met, result = scratch[-2], scratch[-1]
            for v in range(width):
                counts[start + v, 0], counts[start + v, 1] = met[0, v], met[1, v]
                for i in range(p + 1):
                    products[start + v, n, i] = result[i, v]


@njit(cache=True, nogil=True)
def listed_gradients(
    d: FloatArray, w: FloatArray, w_star: FloatArray, count: IntArray, loss: FloatArray, gradient: FloatArray
) -> None:
    """Count (B,), loss (B,) and gradient (B, p) as in `sim.half_space.ActiveSums`, for d, w, w_star (B, p), p <= 10.

    As `sim.meeting_sums.active_gradients`, with the products of a block of filters while they are still in the cache.
    """
    rows, p = w.shape
    share = 1.0 / 2.0**p
    powers, scratch = _powers(), _scratch(p)
    given, pulled = np.zeros((p + 1, LANES)), np.zeros(LANES)
    met, result = scratch[-2], scratch[-1]
    for start in range(0, rows, LANES):
        width = min(LANES, rows - start)
        _load(d, w, start, width, powers, scratch)
        for v in range(width):
            row = start + v
            given[0, v] = w_star[row, 0] - w[row, 0]
            for i in range(p):
                given[1 + i, v] = (w_star[row, i] - w[row, i]) * d[row, i]
        _multiply(given, powers, scratch)
        pulled[:] = 0.0
        for i in range(p + 1):
            for v in range(LANES):
                pulled[v] += given[i, v] * result[i, v]
        oblique = False
        for v in range(width):
            row = start + v
            gradient[row, 0] = -2.0 * (d[row, 0] * result[1, v] + result[0, v])
            for i in range(1, p):
                gradient[row, i] = -2.0 * (d[row, i] * result[1 + i, v])
                oblique |= w_star[row, i] * d[row, i] != 0.0
            missed = 0.0
            for o in range(2):
                end = w_star[row, 0] + (2 * o - 1) * w_star[row, 0] * d[row, 0]
                missed += (0.5 - met[o, v] * share) * end * end
            count[row] = met[0, v] + met[1, v]
            loss[row] = max(pulled[v], 0.0) + max(missed, 0.0)
        if oblique:
            _answer_to_targets(d, w_star, start, width, powers, scratch, given, pulled, count, loss)


@njit(cache=True)
def _answer_to_targets(d, w_star, start, width, powers, scratch, given, pulled, count, loss):
    """The loss of filters whose target is not along e0: also what inactive samples should have been answered."""
    p = d.shape[1]
    for v in range(width):
        row = start + v
        given[0, v] = w_star[row, 0]
        for i in range(p):
            given[1 + i, v] = w_star[row, i] * d[row, i]
    _multiply(given, powers, scratch)
    result = scratch[-1]
    for v in range(width):
        row = start + v
        along_e0, whole, answered = True, 0.0, 0.0
        for i in range(p + 1):
            along_e0 = along_e0 and (i < 2 or given[i, v] == 0.0)
            whole += given[i, v] * given[i, v]
            answered += given[i, v] * result[i, v]
        if not along_e0:
            missed = 0.0 if count[row] == 1 << p else whole - answered
            loss[row] = max(pulled[v], 0.0) + max(missed, 0.0)


@njit(cache=True)
def _powers():
    """2^k for k = -_FURTHEST, ..., _FURTHEST."""
    powers = np.empty(2 * _FURTHEST + 1)
    for k in range(-_FURTHEST, _FURTHEST + 1):
        powers[k + _FURTHEST] = math.ldexp(1.0, k)
    return powers


@njit(cache=True)
def _scratch(p):
    """The arrays of a block: tables, what is gathered, and last the counts (2, LANES) and results (p + 1, LANES)."""
    few, many = max(1 << (p // 2), _UNROLLED), 1 << (p - 1 - p // 2)
    return (
        np.zeros((p + 1, LANES), np.int64),
        np.zeros((p + 1, LANES), np.int64),
        np.zeros(LANES, np.int64),
        np.empty((2, LANES), np.int64),
        np.empty((2, LANES), np.int64),
        np.empty((few, LANES), np.int64),
        np.empty((few, LANES), np.int64),
        np.empty((many, LANES), np.int64),
        np.empty((many, LANES), np.int64),
        np.empty((few, LANES), np.int64),
        np.empty((7, LANES), np.int64),
        np.empty((p + 1, LANES), np.int64),
        np.empty((2, LANES), np.int64),
        np.empty((p + 1, LANES)),
    )


@njit(cache=True)
def _load(d, w, start, width, powers, scratch):
    """Offsets and the half-sums of the next filters."""
    terms, _, shifts, offsets, _, low, _, high, _, _, _, _, _, _ = scratch
    p = w.shape[1]
    t, ends, bounds = np.zeros((p - 1, LANES)), np.zeros((2, LANES)), np.empty(LANES)
    for v in range(width):
        row = start + v
        for i in range(1, p):
            t[i - 1, v] = w[row, i] * d[row, i]
        deviation = w[row, 0] * d[row, 0]
        ends[0, v], ends[1, v] = w[row, 0] - deviation, w[row, 0] + deviation
    _fixed_points(t, _KEY_BITS, powers, terms, shifts)
    _offsets(ends, terms[: p - 1], shifts, powers, bounds, offsets)
    _signed_sums(terms[: p // 2], low)
    _signed_sums(terms[p // 2 : p - 1], high)


@njit(cache=True)
def _multiply(given, powers, scratch):
    """Sums of the residuals given.s of these filters, and of their products with s, as means over all samples."""
    _, rho, shifts, offsets, edges, low, low_r, high, high_r, gathered, room, total, met, result = scratch
    p = len(given) - 1
    split = p // 2
    _fixed_points(given, _RESIDUAL_BITS, powers, rho, shifts)
    for v in range(LANES):
        edges[0, v], edges[1, v] = rho[0, v] - rho[1, v], rho[0, v] + rho[1, v]
    _signed_sums(rho[2 : 2 + split], low_r)
    _signed_sums(rho[2 + split :], high_r)
    _try_all(offsets, edges, low, low_r, high, high_r, gathered, room, split, p - 1 - split, met, total)
    first, second = np.empty(LANES), np.empty(LANES)
    for v in range(LANES):
        k = -shifts[v] - p
        first[v], second[v] = powers[k // 2 + _FURTHEST], powers[k - k // 2 + _FURTHEST]
    for i in range(p + 1):
        for v in range(LANES):
            result[i, v] = float(total[i, v]) * first[v] * second[v]


@njit(cache=True)
def _fixed_points(given, bits, powers, out, shifts):
    """As `sim.meeting_sums._fixed_point`, for the columns of (n, LANES)."""
    size = len(given)
    totals, first, second = np.zeros(LANES), np.empty(LANES), np.empty(LANES)
    for i in range(size):
        for v in range(LANES):
            totals[v] += abs(given[i, v])
    for v in range(LANES):
        total, reserve = totals[v], 0
        if math.isinf(total):
            total, reserve = 0.0, 8
            for i in range(size):
                total += abs(given[i, v]) / 256.0
        k = bits - int(math.frexp(total)[1]) - reserve if total > 0.0 else 0
        shifts[v] = k
        first[v], second[v] = powers[k // 2 + _FURTHEST], powers[k - k // 2 + _FURTHEST]
    for i in range(size):
        for v in range(LANES):
            out[i, v] = int(np.rint(given[i, v] * first[v] * second[v]))


@njit(cache=True)
def _offsets(ends, terms, shifts, powers, bounds, offsets):
    """Both offsets in the unit of the terms, the next integer above; far beyond all half-sums they are cut off."""
    bounds[:] = 1024.0
    for i in range(len(terms)):
        for v in range(LANES):
            bounds[v] += float(abs(terms[i, v]))
    for o in range(2):
        for v in range(LANES):
            k = shifts[v]
            c = ends[o, v] * powers[k // 2 + _FURTHEST] * powers[k - k // 2 + _FURTHEST]
            offsets[o, v] = math.ceil(min(max(c, -bounds[v]), bounds[v]))


@njit(cache=True)
def _signed_sums(terms, out):
    """out[n] = sum of +-terms[i], plus where bit i of n is set."""
    out[0] = 0
    for i in range(len(terms)):
        for v in range(LANES):
            out[0, v] -= terms[i, v]
    for i in range(len(terms)):
        for n in range(1 << i):
            for v in range(LANES):
                out[n + (1 << i), v] = out[n, v] + 2 * terms[i, v]


@njit(cache=True)
def _try_all(offsets, edges, low, low_r, high, high_r, gathered, room, low_bits, high_bits, counts, total):
    """Numbers of active samples, (2, LANES), and sums of their residuals times 1, s_0, ..., (p + 1, LANES)."""
    # one number counts in its upper six bits and adds up residuals in the others
    one, middle = 1 << _COUNT_BITS, 1 << (_COUNT_BITS - 1)
    needed, marked, met, plus = room[:2], room[2:4], room[4:6], room[6]
    width = _UNROLLED * LANES
    flat, lows, lows_r = room.ravel(), low.reshape((-1, width)), low_r.reshape((-1, width))
    gathereds = gathered.reshape((-1, width))
    low_r += one
    low_r[1 << low_bits :] = 0
    gathered[:] = 0
    counts[:] = 0
    plus[:] = 0
    for j in range(1 << high_bits):
        for o in range(2):
            for v in range(LANES):
                needed[o, v] = -offsets[o, v] - high[j, v]
                marked[o, v] = edges[o, v] + high_r[j, v] + one
        met[:] = 0
        _try_low(flat, lows, lows_r, gathereds)
        for v in range(LANES):
            count0, count1 = (met[0, v] + middle) >> _COUNT_BITS & 63, (met[1, v] + middle) >> _COUNT_BITS & 63
            value0 = count0 * (marked[0, v] - one) + (met[0, v] - (count0 << _COUNT_BITS))
            value1 = count1 * (marked[1, v] - one) + (met[1, v] - (count1 << _COUNT_BITS))
            counts[0, v] += count0
            counts[1, v] += count1
            plus[v] += value1
            high_r[j, v] = value0 + value1
    for i in range(1 << low_bits):
        for v in range(LANES):
            count = (gathered[i, v] + middle) >> _COUNT_BITS & 63
            gathered[i, v] = count * (low_r[i, v] - one) + (gathered[i, v] - (count << _COUNT_BITS))
    _fold(gathered, low_bits, total[2:])
    _fold(high_r, high_bits, total[2 + low_bits :])
    for v in range(LANES):
        total[0, v] = high_r[0, v]
        total[1, v] = 2 * plus[v] - high_r[0, v]


@njit(cache=True)
def _try_low(room, low, low_r, gathered):
    """All low half-sums, four to a row, with one high half-sum and both offsets; adds to both met and gathered."""
    # rows are long and places in them fixed, since only so does the compiler see that lanes do not overlap
    for i in range(len(low)):
        for v in range(LANES):
            n0, n1, k0, k1 = room[v], room[LANES + v], room[2 * LANES + v], room[3 * LANES + v]
            a, b, c, d = low[i, v], low[i, LANES + v], low[i, 2 * LANES + v], low[i, 3 * LANES + v]
            ra, rb, rc, rd = low_r[i, v], low_r[i, LANES + v], low_r[i, 2 * LANES + v], low_r[i, 3 * LANES + v]
            m0 = (ra if a > n0 else 0) + (rb if b > n0 else 0) + (rc if c > n0 else 0) + (rd if d > n0 else 0)
            m1 = (ra if a > n1 else 0) + (rb if b > n1 else 0) + (rc if c > n1 else 0) + (rd if d > n1 else 0)
            room[4 * LANES + v] += m0
            room[5 * LANES + v] += m1
            gathered[i, v] += (k0 if a > n0 else 0) + (k1 if a > n1 else 0)
            gathered[i, LANES + v] += (k0 if b > n0 else 0) + (k1 if b > n1 else 0)
            gathered[i, 2 * LANES + v] += (k0 if c > n0 else 0) + (k1 if c > n1 else 0)
            gathered[i, 3 * LANES + v] += (k0 if d > n0 else 0) + (k1 if d > n1 else 0)


@njit(cache=True)
def _fold(values, bits, total):
    """total[i]: the values at places with bit i set less those at the others; values[0]: all of them added up."""
    for i in range(bits - 1, -1, -1):
        total[i] = 0
        for n in range(1 << i):
            for v in range(LANES):
                minus, plus = values[n, v], values[n + (1 << i), v]
                total[i, v] += plus - minus
                values[n, v] = plus + minus
