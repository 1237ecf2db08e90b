"""The one place that sums over active samples: those in the open half-space w.X > 0 (Schneider, Eq. 2).

A tie w.X = 0 is inactive. On the grid, w.X = c +- t_1 +- ... +- t_(p-1) with t_i = w_i d_i and c = w_0 -+ w_0 d_0, and
what counts is the sign of that sum for these floats, added up exactly; only a t_i that is smaller than 2^-6 of the sum
of the others' magnitudes may first lose bits below 2^-59 of that sum (its own rounding in float64 is 2^-53 of it). So a
tie is decided as in exact arithmetic whenever products are representable, as for dyadic rationals (1/4, 3/8), whatever
the order of coordinates; decimals such as 0.1 are not, and may fall either way, as 0.1 * 3 > 0.3 does. `sim.exact`
decides ties among rationals. Listed samples are decided by their rounded dot product.

Sums over the grid are sums of integers (`sim.meeting_sums`), so they depend on no order, method or batch: it is only
to save time that small grids are listed and large ones met in the middle, and that a grid of which all or no samples
are active is neither.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from sim.arrays import FloatArray, IntArray, MaskArray, blocks
from sim.errors import require_finite, require_rows, require_shape
from sim.grid import binary_size, broadcast_grid

_BLOCK_ENTRIES = 2**19
_LARGEST_P = 62
_SHARED_ROWS = 4096
"""From so many small grids on, two threads share them."""


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


class Workspace:
    """Memory that sums over large grids work in: 0.3 GB for p = 49, kept for the next sums. Not for two threads."""

    def __init__(self) -> None:
        self._keys: IntArray = np.empty((3, 0), dtype=np.int64)
        self._masks: MaskArray = np.empty((3, 0), dtype=np.uint32)

    @staticmethod
    def size(signs: int) -> int:
        """Bytes needed for that many signs that matter beyond the first."""
        return 36 * (1 << max((signs + 1) // 2 - 1, 0))

    def arrays(self, signs: int) -> tuple[IntArray, MaskArray]:
        """Room for that many signs that matter beyond the first."""
        half = 1 << max((signs + 1) // 2 - 1, 0)
        if self._masks.shape[1] < half:
            self._keys, self._masks = np.empty((3, half + 1), np.int64), np.empty((3, half), np.uint32)
        return self._keys, self._masks


def grid_active_sums(
    d: object,
    w: object,
    w_star: object | None = None,
    *,
    moments: bool = False,
    shortcut: bool = True,
    workspace: Workspace | None = None,
) -> ActiveSums:
    """Sums over the active samples of the 2^p grid of half-widths d, for filters w and targets y = w*.X.

    d, w, w_star: (p,), (1, p) or (B, p); w_star None means e0. Time and memory are about 2^(p/2): at p = 49 some 0.4 s
    and 0.3 GB for a filter, twice the time for targets that are not along e0, p + 1 times as much again for moments.
    Without `shortcut` this is so even of grids that an O(p) test finds all active or dead, to the same bits. p may be
    up to 62 as long as all others have w_i d_i != 0 for at most 48 of the i > 0. `workspace` saves large grids from
    asking for memory anew.

    The loss is accurate to some p eps (|w| + |w*|)^2 absolutely, gradient and moments to some eps of the residuals that
    they add up. Raises ValueError for arguments out of range, ArithmeticError if sums fail their own checks.

    Schneider, Eqs. (1) and (2).
    """
    half_widths, weights, target = broadcast_grid(d, w, w_star)
    return checked_grid_active_sums(half_widths, weights, target, moments, shortcut, workspace or Workspace())


def checked_grid_active_sums(
    d: FloatArray, w: FloatArray, w_star: FloatArray, moments: bool, shortcut: bool, workspace: Workspace
) -> ActiveSums:
    """As `grid_active_sums`, of float64 arrays (B, p) that have been checked."""
    from sim.listed_sums import LISTED_P

    rows, p = w.shape
    sums = _listed_active_sums(d, w, w_star) if p <= LISTED_P else _met_active_sums(d, w, w_star, shortcut, workspace)
    if not moments:
        return sums
    units = np.tile(np.eye(p + 1), (rows, 1, 1))
    return replace(sums, second_moment=_moment_in_samples(_active_products(d, w, units, shortcut, workspace), d))


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


def _listed_active_sums(d: FloatArray, w: FloatArray, w_star: FloatArray) -> ActiveSums:
    from sim.listed_sums import listed_gradients

    rows, p = w.shape
    d, w, w_star = _own(d), _own(w), _own(w_star)
    count, loss, gradient = np.empty(rows, dtype=np.int64), np.empty(rows), np.empty((rows, p))

    def fill(part: slice) -> None:
        listed_gradients(d[part], w[part], w_star[part], count[part], loss[part], gradient[part])

    if rows < _SHARED_ROWS:
        fill(slice(rows))
    else:
        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(fill, slice(rows // 2, rows))
            fill(slice(rows // 2))
            other.result()
    return ActiveSums(count, loss, gradient)


def _own(array: FloatArray) -> FloatArray:
    """Contiguous and writeable, since code is compiled anew for arrays that are not; a copy only where needed."""
    return array if array.flags.c_contiguous and array.flags.writeable else np.array(array, order="C")


def _met_active_sums(
    d: FloatArray, w: FloatArray, w_star: FloatArray, shortcut: bool, workspace: Workspace
) -> ActiveSums:
    from sim.meeting_sums import active_gradients

    rows, p = w.shape
    d, w, w_star = _own(d), _own(w), _own(w_star)
    count, loss, gradient = np.empty(rows, dtype=np.int64), np.empty(rows), np.empty((rows, p))
    room = _room(d, w, workspace)
    _require_agreement(active_gradients(d, w, w_star, shortcut, *room, count, loss, gradient), p)
    return ActiveSums(count, loss, gradient)


def _active_products(
    d: FloatArray, w: FloatArray, directions: FloatArray, shortcut: bool, workspace: Workspace
) -> FloatArray:
    """Means of 1[w.X > 0] r s for r = direction.s."""
    from sim.listed_sums import LISTED_P, listed_products
    from sim.meeting_sums import active_products

    rows, p = w.shape
    d, w = _own(d), _own(w)
    counts, products = np.empty((rows, 2), dtype=np.int64), np.empty_like(directions)
    if p <= LISTED_P:
        listed_products(d, w, directions, counts, products)
    else:
        room = _room(d, w, workspace)
        _require_agreement(active_products(d, w, directions, shortcut, *room, counts, products), p)
    return products


def _room(d: FloatArray, w: FloatArray, workspace: Workspace) -> tuple[IntArray, MaskArray]:
    from sim.meeting_sums import MOST_SIGNS, thresholds

    rows, p = w.shape
    if p > _LARGEST_P:
        raise ValueError(f"p must be at most {_LARGEST_P} so that counts of samples fit 64 bits, got {p}")
    signs = p - 1
    if signs > MOST_SIGNS:
        signs = thresholds(d, w, np.empty((rows, 2), np.int64), np.empty((rows, p - 1), np.int64))
        if signs > MOST_SIGNS:
            size = binary_size(Workspace.size(signs))
            raise ValueError(
                f"p must be at most {MOST_SIGNS + 1} unless all samples are active, or none, or enough w_i d_i are 0; "
                f"got p = {p} with {signs} of the w_i d_i, i > 0, not 0: their sorted half-sums would take {size}, "
                f"and 2^{(signs - MOST_SIGNS + 1) // 2} times the time of p = {MOST_SIGNS + 1}"
            )
    return workspace.arrays(signs)


def _require_agreement(agreed: bool, p: int) -> None:
    if not agreed:
        raise ArithmeticError(f"the two halves of a grid with p = {p} do not agree on what is active")


def _moment_in_samples(sign_products: FloatArray, d: FloatArray) -> FloatArray:
    """E[1 X X^T] (B, p, p) from E[1 s s^T], since X = e0 + d s."""
    moment = sign_products[:, 1:, 1:] * (d[:, :, None] * d[:, None, :])
    moment[:, 0, :] += sign_products[:, 0, 1:] * d
    moment[:, :, 0] += sign_products[:, 1:, 0] * d
    moment[:, 0, 0] += sign_products[:, 0, 0]
    return np.asarray(moment)
