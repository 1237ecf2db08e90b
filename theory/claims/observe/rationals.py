"""Small rational instances, smallest first, in which counterexamples are looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product

HALF, QUARTER = Fraction(1, 2), Fraction(1, 4)
WIDTHS = tuple(Fraction(n, q) for n, q in ((0, 1), (1, 1), (1, 2), (1, 4)))
"""Half-widths d, simplest first."""
WEIGHTS = tuple(Fraction(n, q) for n, q in ((0, 1), (1, 1), (-1, 1), (1, 2), (2, 1), (-1, 2), (-2, 1), (3, 1), (4, 1)))
"""Weights, simplest first."""
RATES = tuple(Fraction(n, q) for n, q in ((1, 2), (1, 4), (3, 4), (1, 8)))
"""Learning rates, simplest first."""


def simplest_first(*choices: Sequence[Fraction]) -> Iterator[tuple[Fraction, ...]]:
    """Every tuple with one entry from each list, those with small total rank in their lists first.

    The lists are to be ordered from simple to complicated; the order of the tuples is then from simple to complicated,
    and fixed.
    """
    ranks = sorted(product(*(range(len(choice)) for choice in choices)), key=lambda r: (sum(r), r))
    for rank in ranks:
        yield tuple(choice[k] for choice, k in zip(choices, rank, strict=True))


Number = float | Fraction
"""What instances hold; exact ones hold nothing but fractions."""


def text(values: Sequence[Number] | Number) -> str:
    """A rational, or a vector of them, as printed in a counterexample: 1/2, (1, -1/2)."""
    if isinstance(values, Fraction | int | float):
        return str(values)
    return f"({', '.join(str(v) for v in values)})"


def dot(a: Sequence[Number], b: Sequence[Number]) -> Fraction:
    """The inner product of two vectors of equal length, exactly."""
    return sum((_exact(x) * _exact(y) for x, y in zip(a, b, strict=True)), Fraction(0))


def _exact(value: Number) -> Fraction:
    return value if isinstance(value, Fraction) else Fraction(value)


def remainder(v: Sequence[Fraction], vectors: Sequence[Sequence[Fraction]]) -> tuple[Fraction, ...]:
    """The part of v that is orthogonal to the span of the vectors (Gram-Schmidt, in rationals)."""
    basis: list[tuple[Fraction, ...]] = []
    for vector in (*vectors, v):
        rest = tuple(vector)
        for unit in basis:
            share = dot(rest, unit) / dot(unit, unit)
            rest = tuple(x - share * u for x, u in zip(rest, unit, strict=True))
        if any(rest):
            basis.append(rest)
    return rest
