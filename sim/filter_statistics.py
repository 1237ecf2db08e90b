"""The correlation of the pixels of given filters, as of a trained network (Schneider, Section 5 and Fig. 1)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sim.arrays import FloatArray
from sim.errors import require_correlation_matrix, require_finite


def filter_correlation(filters: object, *, centred: bool = False, symmetric: bool = False) -> FloatArray:
    """R (k^2, k^2) of filters (..., k, k): R(t, t') = E[w_t w_t'] / sqrt(E[w_t^2] E[w_t'^2]), over all filters.

    centred: with the mean of each pixel taken off first; then two filters are the least. Uncentred is what initial
    weights of mean zero need. symmetric: averaged over the square's symmetries, see `symmetrised`.
    Raises ValueError for another shape, too few filters, or a pixel that does not vary.
    """
    return _correlation(_observations(filters, "filters"), centred, symmetric)


def pooled_correlation(
    layers: Sequence[object], *, centred: bool = False, symmetric: bool = False, equal_sizes: bool = True
) -> FloatArray:
    """R (k^2, k^2) over the filters of several layers, each (..., k, k); every filter counts once.

    equal_sizes: each layer is first divided by its root mean square, so that layers with large weights, which have few
    channels in, do not stand for all. Otherwise as `filter_correlation`. For one R per layer, call that.
    Raises ValueError if layers differ in k or none is given.
    """
    if not layers:
        raise ValueError("layers must hold the filters of at least one layer, got none")
    rows = [_observations(layer, f"layers[{n}]") for n, layer in enumerate(layers)]
    sizes = sorted({row.shape[1] for row in rows})
    if len(sizes) > 1:
        sides = ", ".join(f"{round(p**0.5)} x {round(p**0.5)}" for p in sizes)
        raise ValueError(f"layers must have filters of one size to be pooled, got {sides}; pool each size by itself")
    if equal_sizes:
        rows = [row / (float(np.sqrt(np.square(row).mean())) or 1.0) for row in rows]
    return _correlation(np.concatenate(rows), centred, symmetric)


def symmetrised(R: object) -> FloatArray:
    """The mean of R (k^2, k^2) over the eight symmetries of the square, which move the pixels of both its sides."""
    matrix = require_correlation_matrix(R, "R")
    k = _side(len(matrix))
    pixels = np.arange(k * k).reshape(k, k)
    turned = [np.rot90(image, quarter).ravel() for image in (pixels, pixels.T) for quarter in range(4)]
    return np.asarray(np.mean([matrix[np.ix_(order, order)] for order in turned], axis=0))


def correlation_by_distance(R: object) -> tuple[FloatArray, FloatArray]:
    """Distances between different pixels, ascending, and the mean of R (k^2, k^2) over the pairs at each; both (n,)."""
    matrix = require_correlation_matrix(R, "R")
    k = _side(len(matrix))
    row, column = np.divmod(np.arange(k * k), k)
    squared = np.square(row[:, None] - row) + np.square(column[:, None] - column)
    distances = np.unique(squared)[1:]
    means = [matrix[squared == distance].mean() for distance in distances]
    return np.sqrt(distances), np.array(means)


def _observations(value: object, name: str) -> FloatArray:
    filters = require_finite(value, name)
    if filters.ndim < 2 or filters.size == 0 or filters.shape[-1] != filters.shape[-2]:
        raise ValueError(f"{name} must have shape (..., k, k), one filter for each leading index, got {filters.shape}")
    return filters.reshape(-1, filters.shape[-1] ** 2)


def _correlation(rows: FloatArray, centred: bool, symmetric: bool) -> FloatArray:
    if centred and len(rows) < 2:
        raise ValueError("filters must be at least 2 for their mean to be taken off, got 1; centred=False takes one")
    unit = rows / (np.abs(rows).max() or 1.0)
    unit = unit - unit.mean(axis=0) if centred else unit
    moments = unit.T @ unit
    size = np.sqrt(np.diagonal(moments))
    still = size <= len(rows) * np.finfo(np.float64).eps
    if still.any():
        pixel = divmod(int(still.argmax()), _side(len(size)))
        varies = "differ between filters" if centred else "not be zero in every filter"
        raise ValueError(f"every pixel must {varies} to have a correlation, but pixel {pixel} does not")
    R = moments / size[:, None] / size
    np.fill_diagonal(R, 1.0)
    R = np.clip((R + R.T) / 2, -1.0, 1.0)
    return symmetrised(R) if symmetric else R


def _side(p: int) -> int:
    k = math.isqrt(p)
    if k * k != p:
        raise ValueError(f"R must be k^2 x k^2 for the pixels of k x k filters, got {p} x {p}")
    return k
