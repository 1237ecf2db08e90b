"""Strengths of many layers, and what a network with them puts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import LinearTask, chain_map
from theory.claims.observe.deep_linear.chains import EPS
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

DEPTHS = (2, 3, 6, 20, 100)
ROWS = 12


@dataclass(frozen=True, eq=False)
class Strengths:
    """Strengths (L, B) of B directions, their sigma (B,), and a gap delta (B,)."""

    s: FloatArray
    sigma: FloatArray
    delta: FloatArray


def telescoping(sigma: Fraction, depth: int) -> tuple[Fraction, ...]:
    """(L + (sigma - 1) l)/(L + (sigma - 1)(l - 1)), l = 1, ..., L; their product is sigma."""
    return tuple((depth + (sigma - 1) * (n + 1)) / (depth + (sigma - 1) * n) for n in range(depth))


def through_chain(s: FloatArray) -> FloatArray:
    """The diagonal of the map of the network with layers diag(s[l])."""
    return np.asarray(np.diagonal(chain_map([np.diag(row) for row in s])))


@on_layers
def through_layers(s: FloatArray) -> FloatArray:
    """The same from the outputs of torch layers."""
    from sim.cnn.linear_chain import chain_step

    unit = np.eye(s.shape[1])
    return np.asarray(np.diagonal(chain_step([np.diag(row) for row in s], LinearTask.create(unit, unit)).output))


def _observed(output: Callable[[FloatArray], FloatArray]) -> Callable[[Strengths], Observation]:
    def run(case: Strengths) -> Observation:
        depth = len(case.s)
        largest, smallest = case.s.max(axis=0), case.s.min(axis=0)
        values = {
            "p": depth,
            "strength": case.s,
            "sigma": case.sigma,
            "delta": case.delta,
            "reached": output(case.s),
            "s_max": largest,
            "s_min": smallest,
        }
        return Observation(values, 16 * EPS * depth * (1 + case.sigma + largest**2))

    return run


def draw(rng: np.random.Generator) -> Iterator[Strengths]:
    """At each depth: strengths scaled to reach sigma (all above 1, all below, or on both sides), and others that miss.

    The strengths of a direction spread about sigma^(1/L) by a factor that shrinks with the depth.
    """
    for depth in DEPTHS:
        sigma = np.exp(rng.uniform(-1.5, 1.5, 4 * ROWS))
        spread = np.exp(rng.normal(size=(depth, 4 * ROWS)) * rng.uniform(0.0, 1.0, 4 * ROWS) / depth)
        s = spread * (sigma / np.prod(spread, axis=0)) ** (1 / depth)
        s[:, ROWS : 2 * ROWS] = _families(sigma[ROWS : 2 * ROWS], depth)
        s[:, 2 * ROWS : 3 * ROWS] = 1 - rng.uniform(0.02, 0.6, ROWS) * rng.uniform(0.5, 1.0, (depth, ROWS))
        s[:, 3 * ROWS :] = 1 + rng.uniform(0.02, 0.4, ROWS) * rng.uniform(0.5, 1.0, (depth, ROWS))
        within = rng.uniform(0.0, 1.0, 4 * ROWS)
        delta = within * np.maximum(np.abs(1 - s.max(axis=0)), np.abs(s.min(axis=0) - 1))
        yield Strengths(s, sigma, np.clip(delta, 0.005, 0.9))


def _families(sigma: FloatArray, depth: int) -> FloatArray:
    layer = np.arange(1, depth + 1)[:, None]
    return np.asarray((depth + (sigma - 1) * layer) / (depth + (sigma - 1) * (layer - 1)))


ExactCase = tuple[tuple[Fraction, ...], Fraction, Fraction]
"""Strengths, sigma, delta."""


def candidates() -> Iterator[ExactCase]:
    """All pairs and triples of a few strengths that reach their sigma, families at every depth, and misses."""
    deltas = (HALF, Fraction(1, 4))
    few = [Fraction(n, q) for n, q in ((2, 1), (1, 2), (1, 1), (3, 2), (3, 1))]
    for depth in (2, 3):
        for s in product(few, repeat=depth):
            yield s, Fraction(prod(s)), HALF
    for depth in (2, 3, 4, 8):
        for sigma in (Fraction(2), HALF, Fraction(1), Fraction(3)):
            yield telescoping(sigma, depth), sigma, Fraction(1, 8)
    for depth, common, sigma, delta in product((2, 3, 6), few, (Fraction(1), Fraction(2), HALF, Fraction(6)), deltas):
        yield (common,) * depth, sigma, delta


def exactly(case: ExactCase) -> Values:
    """The products in fractions."""
    s, sigma, delta = case
    values = {"p": len(s), "strength": s, "sigma": sigma, "delta": delta}
    return {**values, "reached": prod(s), "s_max": max(s), "s_min": min(s)}


def lower(case: ExactCase) -> Strengths:
    """An exact instance as a float batch of one."""
    s, sigma, delta = case
    return Strengths(np.array(s, dtype=float)[:, None], np.array([sigma], dtype=float), np.array([delta], dtype=float))


def describe(case: ExactCase) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (("L", str(len(case[0]))), ("s", text(case[0])), ("sigma", str(case[1])), ("delta", str(case[2])))


@cache
def depths() -> Experiment:
    """Strengths of 2 to 100 layers, some of which reach sigma."""
    return Experiment(
        name="strengths of many layers",
        sample=draw,
        observe=_observed(through_chain),
        layer=_observed(through_layers),
        exact=ExactRoute(candidates, exactly, describe, lower),
    )


@cache
def families() -> Experiment:
    """The telescoping strengths of depths up to 1000."""

    def sample(rng: np.random.Generator) -> Iterator[Strengths]:
        for depth in (1, 2, 3, 10, 100, 1000):
            sigma = np.exp(rng.uniform(-2.0, 2.0, ROWS))
            yield Strengths(_families(sigma, depth), sigma, np.full(ROWS, 0.5))

    def few(rng: np.random.Generator) -> Iterator[Strengths]:
        yield from (case for case in sample(rng) if len(case.s) <= 100)

    def exact() -> Iterator[ExactCase]:
        for depth, sigma in product(range(1, 40), (Fraction(2), HALF, Fraction(1), Fraction(7, 3))):
            yield telescoping(sigma, depth), sigma, HALF

    return Experiment(
        name="telescoping strengths",
        sample=sample,
        observe=_observed(through_chain),
        layer=_observed(through_layers),
        layer_sample=few,
        exact=ExactRoute(exact, exactly, describe, lower),
    )
