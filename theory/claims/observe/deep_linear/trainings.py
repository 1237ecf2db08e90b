"""Aligned directions trained to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np

from sim.arrays import FloatArray
from theory.claims.observe.deep_linear.updates import Descend, by_layers, by_modes, exact_update
from theory.claims.observe.rationals import QUARTER, text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Training:
    """Networks of M directions each, all trained alike: strengths (L, B, M), sigma (B, M), rate, updates."""

    s: FloatArray
    sigma: FloatArray
    rate: float
    steps: int


def observed_training(descend: Descend) -> Callable[[Training], Observation]:
    """Every network of a batch trained to the end."""

    def run(case: Training) -> Observation:
        depth, networks, directions = case.s.shape
        end = descend(case.s.reshape(depth, -1), case.sigma.ravel(), case.rate, case.steps)
        gaps = np.abs(case.sigma - np.prod(end, axis=0).reshape(networks, directions))
        values = {
            "p": depth,
            "least": case.s.min(axis=(0, 2)),
            "worst_gap": gaps.max(axis=1),
            "best_gap": gaps.min(axis=1),
            "sigma_min": case.sigma.min(axis=1),
        }
        return Observation(values, 1e-8)

    return run


def trainings(rng: np.random.Generator, networks: int, rate: float, steps: int) -> Iterator[Training]:
    """A quarter of the networks start positive; a quarter with two negative strengths, which do as well.

    The others have a direction with two zeros, or (two layers) s = -t, and stay at a saddle.
    """
    for depth in (2, 3, 4):
        s = rng.uniform(0.4, 1.3, (depth, networks, 4))
        s[:2, 2::4, 0] *= -1.0
        s[:2, 1::2, 0] = 0.0
        if depth == 2:
            s[0, 1::4, 0], s[1, 1::4, 0] = 0.5, -0.5
        yield Training(s, rng.uniform(0.5, 1.6, (networks, 4)), rate, steps)


ExactTraining = tuple[tuple[tuple[Fraction, Fraction], ...], tuple[Fraction, ...], Fraction]
"""Strengths (s, t) of each direction, their singular values, the learning rate; one update."""


def _landing(start: Fraction, rate: Fraction) -> Fraction:
    """The singular value that one update from s = t = start reaches exactly."""
    return (1 / (rate * start) - start) ** 2


def exact_trainings() -> Iterator[ExactTraining]:
    """Directions whose only update ends exactly at the minimum, alone and in pairs; then from a saddle, or negative."""
    rate = QUARTER
    starts = (Fraction(4, 3), Fraction(5, 4), Fraction(9, 7))
    for start in starts:
        yield ((start, start),), (_landing(start, rate),), rate
    for first, second in product(starts, starts):
        yield ((first, first), (second, second)), (_landing(first, rate), _landing(second, rate)), rate
    for start in starts:
        still = (Fraction(0), Fraction(0))
        yield ((start, start), still), (_landing(start, rate), Fraction(1)), rate
    for start in starts:
        yield ((-start, -start),), (_landing(start, rate),), rate


def _train_exactly(case: ExactTraining) -> Values:
    pairs_, sigmas, rate = case
    ends = [exact_update(pair, sigma, rate) for pair, sigma in zip(pairs_, sigmas, strict=True)]
    gaps = [abs(sigma - prod(end)) for end, sigma in zip(ends, sigmas, strict=True)]
    return {
        "p": 2,
        "least": min(v for pair in pairs_ for v in pair),
        "worst_gap": max(gaps),
        "best_gap": min(gaps),
        "sigma_min": min(sigmas),
    }


def _lower_training(case: ExactTraining) -> Training:
    pairs_, sigmas, rate = case
    s = np.array([[[float(v) for v in layer]] for layer in zip(*pairs_, strict=True)])
    return Training(s, np.array([sigmas], dtype=float), float(rate), 1)


@cache
def trained() -> Experiment:
    """Training to the end."""
    return Experiment(
        "training to the end",
        lambda rng: trainings(rng, 20, 0.05, 20_000),
        observed_training(by_modes),
        layer=observed_training(by_layers),
        layer_sample=lambda rng: trainings(rng, 4, 0.15, 600),
        exact=ExactRoute(
            exact_trainings,
            _train_exactly,
            lambda c: (
                ("s, t", ", ".join(text(pair) for pair in c[0])),
                ("sigma", text(c[1])),
                ("eta", str(c[2])),
                ("updates", "1"),
            ),
            _lower_training,
        ),
    )
