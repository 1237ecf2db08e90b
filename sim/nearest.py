"""Off-diagonal correlations made stronger or weaker, and the nearest correlation matrix where that leaves none."""

from __future__ import annotations

import numpy as np

from sim.arrays import FloatArray
from sim.errors import require_correlation_matrix, require_finite, require_positive, require_shape, require_symmetric

ITERATIONS = 20_000
"""Projections after which `nearest_correlation` gives up."""


def alpha_range(R: object) -> tuple[float, float]:
    """(least, largest) alpha for which (1 - alpha) I + alpha R is a correlation matrix.

    Its eigenvalues are 1 - alpha + alpha lambda, lambda those of R (p, p): none is negative exactly if
    -1/(lambda_max - 1) <= alpha <= 1/(1 - lambda_min). Infinite both ways for R = I; largest is at least 1.
    """
    values = np.linalg.eigvalsh(require_correlation_matrix(R, "R"))
    least, most = max(float(values[0]), 0.0), float(values[-1])
    if most - least <= 64 * len(values) * np.finfo(np.float64).eps:
        return -np.inf, np.inf
    return -1.0 / (most - 1.0), 1.0 / (1.0 - least)


def scale_correlation(R: object, alpha: object, *, nearest: bool = False) -> FloatArray:
    """(1 - alpha) I + alpha R: the off-diagonals of R (p, p) times alpha (Schneider, Table 5: alpha = 0.25 ... 1.5).

    Raises ValueError for an alpha outside of `alpha_range`, unless `nearest` asks for the nearest correlation matrix.
    """
    matrix = require_correlation_matrix(R, "R")
    factor = float(require_shape(require_finite(alpha, "alpha"), "alpha", ()))
    least, most = alpha_range(matrix)
    scaled = factor * matrix
    np.fill_diagonal(scaled, 1.0)
    slack = 64 * len(matrix) * np.finfo(np.float64).eps * max(1.0, abs(factor))
    if least - slack <= factor <= most + slack:
        return np.asarray(scaled)
    if nearest:
        return nearest_correlation(scaled)
    raise ValueError(
        f"alpha must lie in [{least:.6g}, {most:.6g}] for this R to stay a correlation matrix, got {factor:g}; "
        "nearest=True takes the nearest one instead"
    )


def nearest_correlation(A: object, *, tolerance: object = 1e-12) -> FloatArray:
    """The correlation matrix (p, p) nearest to the symmetric matrix A in the Frobenius norm.

    Projections onto matrices without negative eigenvalue and onto those with unit diagonal, in turn, the first with
    Dykstra's correction (Higham, 2002, Algorithm 3.3), until an iteration changes no entry by more than `tolerance`
    times the largest; then scaled to a unit diagonal, so that the result is a correlation matrix to rounding.
    Raises ValueError if A is not symmetric, RuntimeError if 20,000 iterations do not suffice.
    """
    Y = require_symmetric(A, "A")
    small = float(require_shape(require_positive(tolerance, "tolerance"), "tolerance", ()))
    small *= max(1.0, float(np.abs(Y).max()))
    correction = np.zeros_like(Y)
    for _ in range(ITERATIONS):
        before = Y
        shifted = Y - correction
        X = _without_negative_eigenvalues(shifted)
        correction = X - shifted
        Y = X.copy()
        np.fill_diagonal(Y, 1.0)
        if max(np.abs(Y - before).max(), np.abs(Y - X).max()) <= small:
            size = np.sqrt(np.diagonal(X))
            result = X / size[:, None] / size
            np.fill_diagonal(result, 1.0)
            return np.asarray((result + result.T) / 2)
    raise RuntimeError(
        f"the nearest correlation matrix was not found in {ITERATIONS} iterations: "
        f"entries still change by {np.abs(Y - before).max():.3g}; a larger tolerance ends earlier"
    )


def _without_negative_eigenvalues(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.maximum(values, 0.0)) @ vectors.T)
