"""Which samples of the grid are active: exact O(p) conditions, and the full pattern for small p.

Over the grid, w.X ranges from w_0 - sum_i |w_i| d_i to w_0 + sum_i |w_i| d_i, and both ends are attained (i = 0
included: its deviation is +-w_0 d_0). So every sample is active exactly when the lower end is positive, and none is
exactly when the upper end is not.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.errors import require_finite, require_unit_interval
from sim.grid import broadcast_grid, check_enumerable


def smallest_preactivation(d: object, w: object) -> FloatArray:
    """min over the grid of w.X = w_0 - sum_i |w_i| d_i, for d, w (..., p) that broadcast; shape (...)."""
    centre, spread = _centre_and_spread(d, w)
    return np.asarray(centre - spread)


def largest_preactivation(d: object, w: object) -> FloatArray:
    """max over the grid of w.X = w_0 + sum_i |w_i| d_i, for d, w (..., p) that broadcast; shape (...)."""
    centre, spread = _centre_and_spread(d, w)
    return np.asarray(centre + spread)


def all_active(d: object, w: object) -> BoolArray:
    """Whether w.X > 0 for every sample of the grid (assumption 4); O(p); d, w (..., p), shape (...)."""
    return np.asarray(smallest_preactivation(d, w) > 0)


def dead(d: object, w: object) -> BoolArray:
    """Whether w.X <= 0 for every sample of the grid, so that the gradient is zero; O(p); d, w (..., p), shape (...)."""
    return np.asarray(largest_preactivation(d, w) <= 0)


def active_pattern(d: object, w: object) -> BoolArray:
    """Which samples are active, (B, 2^p) in index order, for d and w (p,) or (B, p); p at most 20.

    Agrees with `sim.half_space.grid_active_sums` on every sample, ties included.
    """
    from sim.meeting_sums import thresholds

    rows, weights, _ = broadcast_grid(d, w, None)
    count, p = weights.shape
    check_enumerable(p)
    sums, terms = np.empty((count, 2), dtype=np.int64), np.empty((count, p - 1), dtype=np.int64)
    thresholds(np.array(rows, order="C"), np.array(weights, order="C"), sums, terms)
    for i in range(p - 1):
        term = terms[:, i : i + 1]
        sums = np.concatenate([sums - term, sums + term], axis=1)
    return np.asarray(sums > 0)


def _centre_and_spread(d: object, w: object) -> tuple[FloatArray, FloatArray]:
    half_widths, weights = require_unit_interval(d, "d"), require_finite(w, "w")
    if half_widths.ndim == 0 or weights.ndim == 0 or half_widths.shape[-1] != weights.shape[-1] or 0 in weights.shape:
        raise ValueError(
            f"d and w must have shapes (..., p) with the same p, got {half_widths.shape} and {weights.shape}"
        )
    try:
        half_widths, weights = np.broadcast_arrays(half_widths, weights)
    except ValueError:
        raise ValueError(f"d and w must broadcast, got shapes {half_widths.shape} and {weights.shape}") from None
    return np.asarray(weights[..., 0]), np.asarray((np.abs(weights) * half_widths).sum(axis=-1))
