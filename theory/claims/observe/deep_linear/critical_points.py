"""Strengths beside each other: scaled against one another, and moved off a critical point."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import prod
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import LinearTask
from sim.linear_modes import mode_energy, mode_gradient
from theory.claims.observe.deep_linear.chains import EPS
from theory.claims.observe.deep_linear.directions import energy_slopes
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, QUARTER, simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Points:
    """Strengths (L, B), sigma (B,), how far zero strengths are moved (B,), a factor for scaling (B,)."""

    s: Any
    sigma: Any
    step: Any
    factor: Any


def moved(point: Sequence[Any], step: Any) -> list[Any]:
    """The zero strengths moved by `step`, the first of them with the sign that makes the product positive."""
    sign = 1 if prod(1 if v >= 0 else -1 for v in point) > 0 else -1
    result, first = [], True
    for v in point:
        result.append(v if v != 0 else (sign * step if first else step))
        first = first and v != 0
    return result


def scaled(point: Sequence[Any], factor: Any) -> list[Any]:
    """The first strength times the factor, the last divided by it."""
    return [point[0] * factor, *point[1:-1], point[-1] / factor]


def exact_energy(point: Sequence[Fraction], sigma: Fraction) -> Fraction:
    """E in fractions."""
    return (sigma - prod(point)) ** 2 / 2


def _exact_point(case: tuple[tuple[Fraction, ...], Fraction, Fraction]) -> Values:
    s, sigma, step = case
    return {
        "p": len(s),
        "strength": s,
        "sigma": sigma,
        "step": step,
        "steepest": max(abs(g) for g in energy_slopes(s, sigma)),
        "energy_here": exact_energy(s, sigma),
        "energy_near": exact_energy(moved(s, step), sigma),
        "energy_scaled": exact_energy(scaled(s, Fraction(3)), sigma),
        "energy_lopsided": exact_energy([3 * s[0], *s[1:]], sigma),
    }


Energies = Callable[[FloatArray, FloatArray], FloatArray]
Slopes = Callable[[FloatArray, FloatArray], FloatArray]


@on_layers
def _layer_energies(s: FloatArray, sigma: FloatArray) -> FloatArray:
    """The losses of chains of 1 x 1 layers on one sample x = 1, y = sigma."""
    return np.array([_one_by_one(s[:, k], sigma[k])[0] for k in range(len(sigma))])


@on_layers
def _layer_slopes(s: FloatArray, sigma: FloatArray) -> FloatArray:
    return np.array([_one_by_one(s[:, k], sigma[k])[1] for k in range(len(sigma))]).T


def _one_by_one(s: FloatArray, sigma: float) -> tuple[float, list[float]]:
    from sim.cnn.linear_chain import chain_step

    task = LinearTask.create([[1.0]], [[sigma]])
    found = chain_step([np.array([[v]]) for v in s], task)
    return found.loss, [float(G[0, 0]) for G in found.gradients]


@cache
def points() -> Experiment:
    """Critical points, minima and others, with points next to them."""

    def draw(rng: np.random.Generator) -> Iterator[Points]:
        for depth in (2, 3, 5):
            s = rng.uniform(0.5, 1.5, (depth, 24)) * rng.choice([-1.0, 1.0], (depth, 24))
            for k in range(16):
                s[rng.permutation(depth)[: 2 + k % (depth - 1)], k] = 0.0
            yield Points(s, rng.uniform(0.5, 2.0, 24), rng.uniform(0.3, 0.6, 24), rng.uniform(1.5, 3.0, 24))

    def observed(energies: Energies, gradients: Slopes) -> Callable[[Points], Observation]:
        def run(case: Points) -> Observation:
            columns = range(len(case.sigma))
            near = np.array([moved(list(case.s[:, k]), case.step[k]) for k in columns]).T
            turned = np.array([scaled(list(case.s[:, k]), case.factor[k]) for k in columns]).T
            lopsided = np.vstack([case.s[:1] * case.factor, case.s[1:]])
            values = {
                "p": len(case.s),
                "strength": case.s,
                "sigma": case.sigma,
                "step": case.step,
                "steepest": np.abs(gradients(case.s, case.sigma)).max(axis=0),
                "energy_here": energies(case.s, case.sigma),
                "energy_near": energies(near, case.sigma),
                "energy_scaled": energies(turned, case.sigma),
                "energy_lopsided": energies(lopsided, case.sigma),
            }
            return Observation(values, 64 * EPS * (1 + case.sigma + np.abs(lopsided).max(axis=0) ** len(case.s)) ** 2)

        return run

    def candidates() -> Iterator[tuple[tuple[Fraction, ...], Fraction, Fraction]]:
        few = (Fraction(0), Fraction(1), Fraction(-1), Fraction(2))
        for depth in (2, 3):
            for *s, sigma, step in simplest_first(*[few] * depth, (Fraction(1), Fraction(2)), (HALF, QUARTER)):
                yield tuple(s), sigma, step

    return Experiment(
        "critical points",
        draw,
        observed(mode_energy, mode_gradient),
        layer=observed(_layer_energies, _layer_slopes),
        exact=ExactRoute(
            candidates,
            _exact_point,
            lambda c: (("s", text(c[0])), ("sigma", str(c[1])), ("step", str(c[2]))),
            lambda c: Points(
                np.array(c[0], dtype=float)[:, None], *(np.array([v], dtype=float) for v in (c[1], c[2], 3))
            ),
            limit=500,
        ),
    )
