"""The one place that sums over active samples: those in the open half-space w.X > 0 (Schneider, Eq. 2).

A tie w.X = 0 is inactive. In floating point the test is applied to the rounded pre-activation: a sample whose exact
w.X is zero may round to +-1e-17 and count either way, and so may the two engines here differ on it, since they add in
different orders. Ties are decided exactly when all products w_i d_i and their sums are representable, for instance
for dyadic rationals of few bits (1/4, 3/8); decimals such as 0.1 are not. `sim.exact` decides every tie exactly.

On the grid every sum follows from how often the signs of two coordinates agree among the active samples. These
numbers are integers, so they are exact and depend on no order of summation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.activity import surely_all_active, surely_dead
from sim.arrays import FloatArray, IntArray, blocks
from sim.errors import require_finite, require_rows, require_shape
from sim.grid import broadcast_grid, check_enumerable, half_preactivations, half_signs

_BLOCK_ENTRIES = 2**19


@dataclass(frozen=True, eq=False)
class ActiveSums:
    """What one step of gradient descent needs to know, for B filters at once.

    count: (B,) number of active samples.
    loss: (B,) mean over all samples of (y - max(w.X, 0))^2.
    gradient: (B, p) mean over *all* samples of the gradient of Eq. (2), which only active samples contribute to.
    second_moment: (B, p, p) mean over *all* samples of 1[w.X > 0] X X^T, or None if it was not asked for.
    """

    count: IntArray
    loss: FloatArray
    gradient: FloatArray
    second_moment: FloatArray | None = None


def grid_active_sums(
    d: object, w: object, w_star: object | None = None, *, moments: bool = False, shortcut: bool = True
) -> ActiveSums:
    """Sums over the active samples of the 2^p grid of half-widths d, for filters w and targets y = w*.X.

    d, w, w_star: (p,), (1, p) or (B, p); w_star None means e0. With `shortcut`, rows that an O(p) test proves all
    active or dead are not enumerated (the result is the same to the last bit), and p may be up to 62 if that is so of
    every row. Memory is O(2^(p/2) + p^2) per row and bounded blocks beside; the loss is accurate to some
    p eps (|w| + |w*|)^2 absolutely. Raises ValueError for arguments out of range and for p > 20 to be enumerated.

    Schneider, Eqs. (1) and (2).
    """
    half_widths, weights, target = broadcast_grid(d, w, w_star)
    rows, p = weights.shape
    if p > 62:
        raise ValueError(f"p must be at most 62 so that counts of samples fit 64 bits, got {p}")
    signs = np.zeros((rows, p + 1, p + 1))
    todo = np.ones(rows, dtype=np.bool_)
    if shortcut:
        full = surely_all_active(half_widths, weights)
        signs[full] = 2.0**p * np.eye(p + 1)
        todo = ~full & ~surely_dead(half_widths, weights)
    if todo.any():
        check_enumerable(p)
        signs[todo] = _active_sign_products(half_widths[todo], weights[todo])
    return _sums_from_sign_products(signs, half_widths, weights, target, moments)


def sample_active_sums(X: object, y: object, w: object, *, moments: bool = False) -> ActiveSums:
    """Sums over the active ones of any samples X (N, p) with targets y (N,), for filters w (p,) or (B, p).

    Raises ValueError for shapes that do not fit and for NaN or infinite entries. Schneider, Eqs. (1) and (2).
    """
    samples = require_shape(require_finite(X, "X"), "X", (None, None))
    targets = require_shape(require_finite(y, "y"), "y", (samples.shape[0],))
    weights = require_rows(require_finite(w, "w"), "w", samples.shape[1])
    return _sample_active_sums(samples, targets, weights, moments)


def per_sample_gradients(X: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    """Gradient of each sample alone, (B, m, p), for samples X (B, m, p), targets y (B, m), filters w (B, p).

    -2 (y - w.X) X where w.X > 0, else 0. Schneider, Eq. (2).
    """
    preactivation = np.einsum("bmp,bp->bm", X, w)
    residual = np.where(preactivation > 0, y - preactivation, 0.0)
    return -2.0 * residual[..., None] * X


def _sample_active_sums(X: FloatArray, y: FloatArray, w: FloatArray, moments: bool) -> ActiveSums:
    (n, p), rows = X.shape, w.shape[0]
    count = np.zeros(rows, dtype=np.int64)
    loss, gradient = np.zeros(rows), np.zeros((rows, p))
    second_moment = np.zeros((rows, p * p)) if moments else None
    for part in blocks(n, _BLOCK_ENTRIES // max(rows, p * p if moments else p)):
        preactivation = w @ X[part].T
        active = preactivation > 0
        residual = y[part] - np.where(active, preactivation, 0.0)
        count += active.sum(axis=1)
        loss += np.square(residual).sum(axis=1)
        gradient -= 2.0 * np.where(active, residual, 0.0) @ X[part]
        if second_moment is not None:
            products = (X[part][:, :, None] * X[part][:, None, :]).reshape(-1, p * p)
            second_moment += active.astype(np.float64) @ products
    mean = None if second_moment is None else second_moment.reshape(rows, p, p) / n
    return ActiveSums(count, loss / n, gradient / n, mean)


def _active_sign_products(d: FloatArray, w: FloatArray) -> FloatArray:
    """Sum over active grid samples of s s^T, s = (1, s_0, ..., s_(p-1)): (B, p + 1, p + 1), exact integers."""
    rows, p = w.shape
    high_signs, low_signs = (np.pad(table, ((0, 0), (1, 0)), constant_values=1.0) for table in half_signs(p))
    q = low_signs.shape[1] - 1
    cut = max(1, _BLOCK_ENTRIES // len(low_signs))
    result = np.zeros((rows, p + 1, p + 1))
    for part in blocks(rows, cut // len(high_signs)):
        high, low = half_preactivations(d[part], w[part])
        cross = np.zeros((len(high), p - q + 1, q + 1))
        per_high, per_low = np.zeros_like(high), np.zeros_like(low)
        for span in blocks(high.shape[1], cut):
            active = (high[:, span, None] + low[:, None, :] > 0).astype(np.float64)
            sums = active @ low_signs
            cross += high_signs[span].T @ sums
            per_high[:, span] = sums[:, :, 0]
            per_low += active.sum(axis=1)
        low_low = np.einsum("bl,li,lj->bij", per_low, low_signs, low_signs, optimize=True)
        high_high = np.einsum("bh,hi,hj->bij", per_high, high_signs, high_signs, optimize=True)
        result[part, : q + 1, : q + 1] = low_low
        result[part, q + 1 :, : q + 1] = cross[:, 1:, :]
        result[part, : q + 1, q + 1 :] = cross[:, 1:, :].transpose(0, 2, 1)
        result[part, q + 1 :, q + 1 :] = high_high[:, 1:, 1:]
    return result


def _sums_from_sign_products(
    signs: FloatArray, d: FloatArray, w: FloatArray, w_star: FloatArray, moments: bool
) -> ActiveSums:
    p, n = w.shape[1], 2.0 ** w.shape[1]
    # the symmetric grid has mean sign products equal to the identity, so what is not active is the rest of it
    active, rest = signs / n, np.eye(p + 1) - signs / n
    gap = w_star - w
    along_gap, along_target = _sign_coordinates(gap, d), _sign_coordinates(w_star, d)
    pulled = np.einsum("bij,bj->bi", active, along_gap)
    loss = np.einsum("bi,bi->b", along_gap, pulled)
    loss += np.einsum("bi,bij,bj->b", along_target, rest, along_target)
    gradient = -2.0 * d * pulled[:, 1:]
    gradient[:, 0] -= 2.0 * pulled[:, 0]
    count = np.rint(signs[:, 0, 0]).astype(np.int64)
    # rounding can take a vanishing quadratic form below zero
    loss = np.maximum(loss, 0.0)
    return ActiveSums(count, loss, gradient, _moment_in_samples(active, d) if moments else None)


def _sign_coordinates(v: FloatArray, d: FloatArray) -> FloatArray:
    """Coefficients (B, p + 1) of v.X in terms of (1, s_0, ..., s_(p-1))."""
    return np.concatenate([v[:, :1], v * d], axis=1)


def _moment_in_samples(sign_products: FloatArray, d: FloatArray) -> FloatArray:
    """E[1 X X^T] (B, p, p) from E[1 s s^T], since X = e0 + d s."""
    moment = d[:, :, None] * sign_products[:, 1:, 1:] * d[:, None, :]
    moment[:, 0, :] += sign_products[:, 0, 1:] * d
    moment[:, :, 0] += sign_products[:, 1:, 0] * d
    moment[:, 0, 0] += sign_products[:, 0, 0]
    return np.asarray(moment)
