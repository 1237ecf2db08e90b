"""Singular values of small rational matrices, squared, where they are rational."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

from theory.claims.observe.matrices import ONE, TURN, ZERO, Exact, times, transposed

ROTATIONS: tuple[Exact, ...] = (((ONE, ZERO), (ZERO, ONE)), ((ZERO, -ONE), (ONE, ZERO)), TURN)
"""Rotations of the plane with rational entries, simplest first."""


def squared_singular_values(A: Exact) -> list[Fraction] | None:
    """The min(M, N) <= 2 eigenvalues of the smaller Gram matrix, ascending; None where they are irrational.

    Raises ValueError if min(M, N) is not 1 or 2.
    """
    small = A if len(A) <= len(A[0]) else transposed(A)
    gram = times(small, transposed(small))
    if len(gram) == 1:
        return [gram[0][0]]
    if len(gram) != 2:
        raise ValueError(f"A must have 1 or 2 rows or columns, got shape ({len(A)}, {len(A[0])})")
    (a, b), (_, c) = gram
    half = (a + c) / 2
    root = rational_root(((a - c) / 2) ** 2 + b**2)
    return None if root is None else [half - root, half + root]


def rational_root(value: Fraction) -> Fraction | None:
    """The non-negative square root of a non-negative rational, or None where it is irrational."""
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root**2 == value else None
