"""Correlation matrices of the pixels of a filter, and filters drawn with a given one."""

from __future__ import annotations

import numpy as np

from sim.arrays import FloatArray
from sim.errors import (
    require_choice,
    require_correlation_matrix,
    require_finite,
    require_generator,
    require_positive,
    require_positive_int,
    require_shape,
    require_unit_interval,
)

METRICS = ("euclidean", "city-block")
"""Distances between pixels that `exponential_correlation` knows."""


def equicorrelation(p: int, rho: object) -> FloatArray:
    """(p, p) matrix with 1 on the diagonal and rho elsewhere; rho in [-1/(p - 1), 1], as p such variables can have."""
    p = require_positive_int(p, "p")
    value = float(require_shape(require_finite(rho, "rho"), "rho", ()))
    least = -1.0 / (p - 1) if p > 1 else -1.0
    if not least <= value <= 1.0:
        raise ValueError(f"rho must lie in [{least:.6g}, 1] for p = {p}, got {value}")
    return np.where(np.eye(p) > 0, 1.0, value)


def exponential_correlation(k: int, rho_per_pixel: object, *, metric: str = "euclidean") -> FloatArray:
    """(k^2, k^2) matrix R = rho^distance between the pixels of a k x k filter, row by row; rho_per_pixel in [0, 1].

    distance is "euclidean" or "city-block" (then R is the Kronecker square of that of one line). Either is a
    correlation matrix for every such rho. rho = 0 gives the identity, rho = 1 all ones.
    """
    k = require_positive_int(k, "k")
    rho = float(require_shape(require_unit_interval(rho_per_pixel, "rho_per_pixel"), "rho_per_pixel", ()))
    require_choice(metric, "metric", METRICS)
    row, column = np.divmod(np.arange(k * k), k)
    rows, columns = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    distance = np.hypot(rows, columns) if metric == "euclidean" else rows + columns
    return np.asarray(np.power(rho, distance.astype(np.float64)))


def sample_filters(R: object, n: int, *, sigma: object = 1.0, rng: np.random.Generator) -> FloatArray:
    """n filters (n, p), independent, each N(0, sigma^2 R), for a correlation matrix R (p, p), singular ones included.

    Drawn as sigma V sqrt(Lambda) z from R = V Lambda V^T, with eigenvalues that are zero but for rounding set to
    zero, so that perfectly correlated weights come out equal to rounding. Raises as `require_correlation_matrix`.
    """
    matrix = require_correlation_matrix(R, "R")
    n = require_positive_int(n, "n")
    scale = float(require_shape(require_positive(sigma, "sigma"), "sigma", ()))
    require_generator(rng, "rng", "filters are drawn at random")
    values, vectors = np.linalg.eigh(matrix)
    negligible = 8 * len(values) * np.finfo(np.float64).eps * values[-1]
    root = vectors * np.sqrt(np.where(values > negligible, values, 0.0))
    return np.asarray(scale * rng.standard_normal((n, len(values))) @ root.T)
