"""Finite laws of filters and of windows with given correlations, in fractions: entries +-1, everything enumerated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

import numpy as np

Law = tuple[tuple[Fraction, tuple[Fraction, ...]], ...]
"""Probabilities and vectors."""
Matrix = tuple[tuple[Fraction, ...], ...]
ONE = Fraction(1)


def sign_law(p: int, r: Fraction) -> Law:
    """p signs, each +1 or -1 with probability 1/2, any two of them with correlation r, symmetric as a whole.

    With probability |r| all are equal (for p = 2 and r < 0: opposite), else independent.
    Raises ValueError for r < 0 and p > 2, where it would be another law.
    """
    if r < 0 and p > 2:
        raise ValueError(f"r must not be negative for p > 2, got {r}")
    turn = tuple(ONE if k == 0 or r >= 0 else -ONE for k in range(p))
    together = tuple((abs(r) / 2, tuple(sign * v for v in turn)) for sign in (ONE, -ONE))
    apart = tuple(((1 - abs(r)) / 2**p, signs) for signs in product((ONE, -ONE), repeat=p))
    return tuple((share, vector) for share, vector in (*together, *apart) if share)


def image_law(C: Matrix) -> Law:
    """C z for every vector z of signs, all equally likely: covariance C C^T."""
    p = len(C)
    vectors = product((ONE, -ONE), repeat=p)
    return tuple(
        (Fraction(1, 2**p), tuple(sum((a * b for a, b in zip(row, z, strict=True)), Fraction(0)) for row in C))
        for z in vectors
    )


def second_moments(law: Law) -> Matrix:
    """E[x x^T]."""
    p = len(law[0][1])
    return tuple(tuple(sum((w * x[t] * x[u] for w, x in law), Fraction(0)) for u in range(p)) for t in range(p))


def atoms(law: Law) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N,) and vectors (N, p) as floats."""
    return np.array([float(w) for w, _ in law]), np.array([[float(v) for v in x] for _, x in law])


def correlations(p: int) -> tuple[Fraction, ...]:
    """Correlations of `sign_law`, simplest first."""
    values = (Fraction(0), ONE, Fraction(1, 2), -ONE, Fraction(-1, 2), Fraction(1, 4), Fraction(3, 4))
    return tuple(r for r in values if p == 2 or r >= 0) if p > 1 else (Fraction(0),)


def pairs(*sizes: int) -> Iterator[tuple[int, Fraction, Fraction]]:
    """Sizes p, with two correlations each, simplest first."""
    for p in sizes:
        for rank in sorted(product(range(len(correlations(p))), repeat=2), key=lambda k: (sum(k), k)):
            yield p, correlations(p)[rank[0]], correlations(p)[rank[1]]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))
