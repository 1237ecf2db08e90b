"""The correlation of the pixels of filters of one or several layers, with its standard errors, layer by layer.

Second moments are all that is kept of a layer, so that layers are pooled without holding their filters together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import FloatArray
from sim.diagnosis import FilterCorrelation
from sim.errors import require_finite, require_shape
from sim.filter_bootstrap import RESAMPLES, pooled_correlations, resampled_moments, standard_error
from sim.filter_statistics import correlation_by_distance

LARGEST_SIDE = 11
"""Height of the largest filters whose pixels are correlated with each other here: (k^2)^2 numbers a resample."""


@dataclass(frozen=True, eq=False)
class FilterMoments:
    """Second moments of the pixels of a layer's filters: over all of them (p, p), and over resamples (B, p, p)."""

    layer: str
    filters: int
    moments: FloatArray
    resampled: FloatArray


def filter_moments(
    layer: str, kernel: object, *, resamples: int = RESAMPLES, rng: np.random.Generator
) -> FilterMoments:
    """The second moments of the filters of a kernel (N_out, N_in / groups, k, k).

    Raises ValueError, with a short reason, where its pixels have no correlation: filters of one pixel, not square, too
    large, fewer than two, or with a pixel that is zero in all of them.
    """
    checked = require_shape(require_finite(kernel, "kernel"), "kernel", (None, None, None, None))
    height, width = checked.shape[2:]
    if height * width == 1:
        raise ValueError("one pixel")
    if height != width:
        raise ValueError("filters are not square")
    if height > LARGEST_SIDE:
        raise ValueError(f"filters larger than {LARGEST_SIDE} x {LARGEST_SIDE}")
    rows = checked.reshape(-1, height * width)
    if len(rows) < 2:
        raise ValueError("a single filter")
    empty = ~rows.any(axis=0)
    if empty.any():
        raise ValueError(f"pixel {divmod(int(empty.argmax()), width)} is zero in every filter")
    # squares of tiny weights would underflow
    unit = rows / np.abs(rows).max()
    again = resampled_moments(unit, resamples=resamples, rng=rng)
    return FilterMoments(layer, len(rows), unit.T @ unit / len(rows), again)


def correlate(layers: Sequence[FilterMoments]) -> FilterCorrelation:
    """The correlation over the filters of all these layers, of one k, as `sim.filter_statistics.pooled_correlation`.

    Its standard errors are those of filters drawn again within each layer; None where too few filters are not zero.
    """
    counts = [layer.filters for layer in layers]
    R = pooled_correlations([layer.moments[None] for layer in layers], counts)[0]
    np.fill_diagonal(R, 1.0)
    R = np.clip(R, -1.0, 1.0)
    resampled = pooled_correlations([layer.resampled for layer in layers], counts)
    # that of the diagonal is zero but for rounding
    R_error = _error(np.where(np.eye(len(R)) > 0, 1.0, resampled))
    distances, means = correlation_by_distance(R)
    again = [
        correlation_by_distance(one)[1] if np.isfinite(one).all() else np.full_like(means, np.nan) for one in resampled
    ]
    mean_error = _error(_off_diagonal_mean(resampled))
    return FilterCorrelation(
        k=math.isqrt(len(R)),
        layers=tuple(layer.layer for layer in layers),
        filters=sum(counts),
        R=R,
        distances=distances,
        by_distance=means,
        mean=float(_off_diagonal_mean(R)),
        R_error=R_error,
        by_distance_error=_error(np.array(again)),
        mean_error=None if mean_error is None else float(mean_error),
    )


def _error(values: FloatArray) -> FloatArray | None:
    try:
        return standard_error(values)
    except ValueError:
        return None


def _off_diagonal_mean(R: FloatArray) -> FloatArray:
    """The mean over pairs of different pixels of R (..., p, p): (...)."""
    p = R.shape[-1]
    return np.asarray((R.sum(axis=(-2, -1)) - np.trace(R, axis1=-2, axis2=-1)) / (p * (p - 1)))
