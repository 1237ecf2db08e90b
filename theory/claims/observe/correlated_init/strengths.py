"""Off-diagonals of correlation matrices times alpha: which of them stay correlation matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations

import numpy as np

from sim.nearest import scale_correlation
from theory.claims.observe.rationals import simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

PRINTED = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Values of alpha in Table 5, and between them."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """Correlation matrices R, B of them with p rows each, and alpha (B,)."""

    R: list[np.ndarray]
    alpha: np.ndarray


def accepted(R: np.ndarray, alpha: float) -> bool:
    """Whether the library takes alpha R as a correlation matrix."""
    try:
        scale_correlation(R, alpha)
    except ValueError:
        return False
    return True


def observe(batch: Scaled) -> Observation:
    """Eigenvalues before and after, and whether the library accepts."""
    p = len(batch.R[0])
    scaled = [alpha * R + (1 - alpha) * np.eye(p) for R, alpha in zip(batch.R, batch.alpha, strict=True)]
    before, after = (np.array([np.linalg.eigvalsh(matrix) for matrix in rows]) for rows in (batch.R, scaled))
    values = {
        "p": p,
        "alpha": batch.alpha,
        "least": before[:, 0],
        "most": before[:, -1],
        "least_scaled": after[:, 0],
        "valid": np.array([accepted(R, alpha) for R, alpha in zip(batch.R, batch.alpha, strict=True)]),
    }
    return Observation(values, 1e-11)


def batches(rng: np.random.Generator) -> Iterator[Scaled]:
    """Random correlation matrices of 2 to 9 pixels, of any rank; alpha as in Table 5, or anything from -1 to 2."""
    for p in range(2, 10):
        matrices = []
        for rank in [*range(1, p + 1), *[2 * p] * 8, *[8 * p] * 12]:
            vectors = rng.normal(size=(p, rank)) + rng.choice([0.0, 1.0])
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            R = vectors @ vectors.T
            np.fill_diagonal(R, 1.0)
            matrices.append(np.clip(R, -1.0, 1.0))
        for alpha in (
            rng.choice(PRINTED, len(matrices)),
            rng.uniform(-1, 2, len(matrices)),
            np.full(len(matrices), 1.5),
        ):
            yield Scaled(matrices, alpha)


Instance = tuple[int, Fraction, Fraction]
"""p pixels, any two with correlation r, and alpha."""


def candidates() -> Iterator[Instance]:
    """Equal correlations, two and three pixels."""
    correlations = tuple(
        Fraction(*v) for v in ((1, 1), (1, 2), (0, 1), (-1, 2), (3, 4), (2, 3), (5, 7), (-1, 4), (-1, 1))
    )
    alphas = tuple(Fraction(*v) for v in ((1, 1), (3, 2), (1, 2), (5, 4), (1, 4), (0, 1), (-1, 2), (-1, 1), (2, 1)))
    for p in (2, 3):
        for r, alpha in simplest_first(correlations, alphas):
            if (p - 1) * r >= -1:
                yield p, r, alpha


def _matrix(p: int, r: Fraction) -> list[list[Fraction]]:
    return [[Fraction(1) if a == b else r for b in range(p)] for a in range(p)]


def determinant(matrix: list[list[Fraction]]) -> Fraction:
    """By its first row."""
    if not matrix:
        return Fraction(1)
    minors = ([row[:n] + row[n + 1 :] for row in matrix[1:]] for n in range(len(matrix)))
    return sum(((-1) ** n * matrix[0][n] * determinant(minor) for n, minor in enumerate(minors)), Fraction(0))


def has_no_negative_eigenvalue(matrix: list[list[Fraction]]) -> bool:
    """Whether no principal minor is negative."""
    every = (rows for size in range(1, len(matrix) + 1) for rows in combinations(range(len(matrix)), size))
    return all(determinant([[matrix[a][b] for b in rows] for a in rows]) >= 0 for rows in every)


def _eigenvalues(matrix: list[list[Fraction]]) -> list[Fraction]:
    """Of a matrix of equal correlations: along (1, -1, 0, ...) and along (1, ..., 1), both its eigenvectors."""
    return [matrix[0][0] - matrix[0][1], sum(matrix[0], Fraction(0))]


def observe_exact(instance: Instance) -> Values:
    """The same in fractions; `valid` by principal minors."""
    p, r, alpha = instance
    before, after = _matrix(p, r), _matrix(p, alpha * r)
    return {
        "p": Fraction(p),
        "alpha": alpha,
        "least": min(_eigenvalues(before)),
        "most": max(_eigenvalues(before)),
        "least_scaled": min(_eigenvalues(after)),
        "valid": has_no_negative_eigenvalue(after),
    }


def lower(instance: Instance) -> Scaled:
    """As floats."""
    p, r, alpha = instance
    return Scaled([np.array(_matrix(p, r), dtype=float)], np.array([float(alpha)]))


@cache
def strengths() -> Experiment:
    """R and alpha."""
    return Experiment(
        name="scaled off-diagonals",
        sample=batches,
        observe=observe,
        exact=ExactRoute(
            candidates,
            observe_exact,
            lambda x: (("pixels", str(x[0])), ("r", text(x[1])), ("alpha", text(x[2]))),
            lower,
        ),
    )
