"""Second moments and rates of any samples, observed from the samples listed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import isqrt

import numpy as np

from sim.samples import linear_targets
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]


def exact_moments(samples: Sequence[Sequence[Fraction]]) -> tuple[Vector, ...]:
    """E[X X^T]."""
    columns = list(zip(*samples, strict=True))
    return tuple(
        tuple(sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0)) / len(samples) for y in columns)
        for x in columns
    )


@dataclass(frozen=True)
class Sets:
    """B sample sets X (B, N, p)."""

    X: np.ndarray


def sample_sets(rng: np.random.Generator) -> Iterator[Sets]:
    """Samples around e0: nearly uncorrelated, with strong correlations, and collapsed onto a few."""
    for p in (2, 3, 5):
        signs = np.array(np.meshgrid(*[(-1.0, 1.0)] * p)).reshape(p, -1).T
        d = rng.uniform(0.3, 1.0, (60, 1, p))
        centre = np.eye(p)[0] + np.repeat((0.02, 0.2, 1.0), 20)[:, None, None] * rng.normal(size=(60, 1, p))
        yield Sets(centre + d * signs)
        yield Sets(np.eye(p)[0] + rng.normal(size=(40, 2 * p, p)))
        yield Sets(np.eye(p)[0] + rng.normal(size=(20, p - 1, p)))


def observe_rates(sets: Sets) -> Observation:
    """Second moments and rates, from the samples."""
    H = np.array([linear_targets(X).second_moment for X in sets.X])
    rates, squares = np.linalg.eigvalsh(H), np.einsum("bjj->bj", H)
    values = {
        "p": H.shape[1],
        "H": H.transpose(1, 2, 0),
        "slowest": rates[:, 0],
        "fastest": rates[:, -1],
        "trace": rates.sum(axis=1),
        "narrowest": squares.min(axis=1),
    }
    return Observation(values, 64.0 * EPS * H.shape[1] * (1.0 + squares.sum(axis=1)))


def pair_candidates() -> Iterator[tuple[Vector, Vector]]:
    """Two samples in two dimensions, simplest first; the symmetric pairs (1, u), (1, -u) among them, then pairs of
    orthogonal samples, of which every rate is rational."""
    values = tuple(Fraction(k, 4) for k in (4, 2, -2, -4, 1, -1, 3, -3, 0, 8))
    for u, v, x in simplest_first(values, values, (Fraction(1), Fraction(1, 2))):
        yield (Fraction(1), u), (x, v)
    turns = ((Fraction(4, 5), Fraction(3, 5)), (Fraction(12, 13), Fraction(5, 13)), (Fraction(3, 5), Fraction(4, 5)))
    for (c, s), length in product(turns, (Fraction(3, 2), Fraction(5, 4), Fraction(2), Fraction(1, 2))):
        yield (length * c, length * s), (-s, c)


def observe_rates_exact(samples: tuple[Vector, Vector]) -> Values:
    """The same in fractions; empty where the rates are irrational."""
    H = exact_moments(samples)
    spread = rational_root((H[0][0] - H[1][1]) ** 2 + 4 * H[0][1] ** 2)
    if spread is None:
        return {}
    trace = H[0][0] + H[1][1]
    return {
        "p": 2,
        "H": H,
        "slowest": (trace - spread) / 2,
        "fastest": (trace + spread) / 2,
        "trace": trace,
        "narrowest": min(H[0][0], H[1][1]),
    }


def rational_root(square: Fraction) -> Fraction | None:
    """The square root, or None if it is irrational."""
    root = Fraction(isqrt(square.numerator), isqrt(square.denominator))
    return root if root**2 == square else None


@cache
def rates() -> Experiment:
    """The rates of any samples."""
    return Experiment(
        name="rates of samples",
        sample=sample_sets,
        observe=observe_rates,
        exact=ExactRoute(
            pair_candidates,
            observe_rates_exact,
            lambda samples: tuple((f"X{k + 1}", text(x)) for k, x in enumerate(samples)),
            lambda samples: Sets(np.array([samples], dtype=float)),
        ),
    )
