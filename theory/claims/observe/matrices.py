"""Random and exact matrices with prescribed singular values, and the tolerance of what is computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from sim.arrays import FloatArray

EPS = float(np.finfo(np.float64).eps)
ONE, ZERO = Fraction(1), Fraction(0)
TURN = ((Fraction(3, 5), Fraction(-4, 5)), (Fraction(4, 5), Fraction(3, 5)))
"""The simplest rotation in rationals that is no permutation."""

Exact = tuple[tuple[Fraction, ...], ...]
"""A rational matrix, by rows."""


def orthonormal(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
    """(rows, columns), columns <= rows, orthonormal columns, uniform (Haar)."""
    q, r = np.linalg.qr(rng.normal(size=(rows, columns)))
    return np.asarray(q * np.sign(np.diagonal(r)))


def in_band(rng: np.random.Generator, size: int, eps: float) -> FloatArray:
    """`size` numbers in [1/(1+eps), 1+eps], about a third of them at either end."""
    lo, hi = 1.0 / (1.0 + eps), 1.0 + eps
    return np.clip(rng.uniform(lo - (hi - lo), hi + (hi - lo), size), lo, hi)


def banded(rng: np.random.Generator, rows: int, columns: int, eps: float) -> FloatArray:
    """A random matrix (rows, columns) with all its singular values in the band."""
    r = min(rows, columns)
    return (orthonormal(rng, rows, r) * in_band(rng, r, eps)) @ orthonormal(rng, columns, r).T


def times(left: Exact, right: Exact) -> Exact:
    """The product of two rational matrices."""
    columns = tuple(zip(*right, strict=True))
    return tuple(
        tuple(sum((a * b for a, b in zip(row, column, strict=True)), ZERO) for column in columns) for row in left
    )


def transposed(matrix: Exact) -> Exact:
    """The transpose of a rational matrix."""
    return tuple(zip(*matrix, strict=True))


def diagonal(values: Sequence[Fraction], rows: int, columns: int) -> Exact:
    """(rows, columns) with these values on the diagonal, zeros elsewhere."""
    return tuple(tuple(values[a] if a == b and a < len(values) else ZERO for b in range(columns)) for a in range(rows))


def square_distance(left: Exact, right: Exact) -> Fraction:
    """The squared Frobenius distance."""
    return sum(
        ((a - b) ** 2 for one, other in zip(left, right, strict=True) for a, b in zip(one, other, strict=True)), ZERO
    )


def floats(matrix: Exact) -> FloatArray:
    """A rational matrix in float64."""
    return np.array(matrix, dtype=np.float64)


def shown(matrix: Exact) -> str:
    """A rational matrix as printed in a counterexample: [1, 0; 0, 1/2]."""
    return f"[{'; '.join(', '.join(str(v) for v in row) for row in matrix)}]"
