"""Updates of aligned directions, beside the flow, at minima, at saddles, and to the end of training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import LinearTask
from sim.linear_modes import descend_modes, flow_modes, mode_energy, mode_gradient
from theory.claims.observe.deep_linear.chains import EPS
from theory.claims.observe.deep_linear.directions import energy_slopes
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, QUARTER, RATES, WEIGHTS, simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

Descend = Callable[[FloatArray, FloatArray, float, int], FloatArray]
"""Strengths (L, B), sigma (B,), learning rate, number of updates -> strengths (L, B)."""


def by_modes(s: FloatArray, sigma: FloatArray, rate: float, steps: int) -> FloatArray:
    """The compiled update of the simulator."""
    return descend_modes(s, sigma, learning_rate=rate, steps=steps).final


@on_layers
def by_layers(s: FloatArray, sigma: FloatArray, rate: float, steps: int) -> FloatArray:
    """torch.optim.SGD on one chain of layers diag(s[l]) that holds all directions, on whitened samples."""
    from sim.cnn.linear_chain import chain_descend

    X = np.sqrt(len(sigma)) * np.eye(len(sigma))
    task = LinearTask.create(X, sigma[:, None] * X)
    end = chain_descend([np.diag(row) for row in s], task, learning_rate=rate, steps=steps)
    return np.stack([np.diagonal(W) for W in end])


@dataclass(frozen=True, eq=False)
class Modes:
    """Strengths (L, B), singular values (B,), a learning rate for all."""

    s: FloatArray
    sigma: FloatArray
    rate: float


ExactModes = tuple[tuple[Fraction, ...], Fraction, Fraction]
"""Strengths, sigma, learning rate."""


def exact_update(s: Sequence[Fraction], sigma: Fraction, rate: Fraction) -> list[Fraction]:
    """One update, its slopes taken from values of the energy."""
    return [v - rate * g for v, g in zip(s, energy_slopes(s, sigma), strict=True)]


def _others(s: Any) -> list[Any]:
    """For each layer i the product of all strengths but those of layers 0 and i; for i = 0 of all but layer 0."""
    return [prod((s[k] for k in range(1, len(s)) if k != i), start=s[0] * 0 + 1) for i in range(len(s))]


def _update_values(s: Any, after: Any, sigma: Any, rate: Any) -> dict[str, Any]:
    pair = {"s": s[0], "t": s[-1], "s_next": after[0], "t_next": after[-1]}
    return {
        "p": len(s),
        **pair,
        "strength": s,
        "strength_next": after,
        "sigma": sigma,
        "eta": rate,
        "others": _others(s),
    }


def _exact_route(candidates: Callable[[], Iterator[ExactModes]]) -> ExactRoute:
    def exactly(case: ExactModes) -> Values:
        s, sigma, rate = case
        return _update_values(s, exact_update(s, sigma, rate), sigma, rate)

    return ExactRoute(
        candidates,
        exactly,
        lambda c: (("s", text(c[0])), ("sigma", str(c[1])), ("eta", str(c[2]))),
        lambda c: Modes(np.array(c[0], dtype=float)[:, None], np.array([c[1]], dtype=float), float(c[2])),
        limit=600,
    )


def _updates(name: str, depths: Sequence[int]) -> Experiment:
    def draw(rng: np.random.Generator) -> Iterator[Modes]:
        for depth, rate in product(depths, (0.1, 0.7)):
            yield Modes(rng.uniform(-1.5, 1.5, (depth, 30)), rng.uniform(0.2, 2.0, 30), rate)

    def observed(descend: Descend) -> Callable[[Modes], Observation]:
        def run(case: Modes) -> Observation:
            after = descend(case.s, case.sigma, case.rate, 1)
            scale = (1 + np.abs(case.s).max(axis=0) + np.abs(after).max(axis=0)) ** (4 * len(case.s))
            return Observation(_update_values(case.s, after, case.sigma, case.rate), 64 * EPS * scale)

        return run

    def candidates() -> Iterator[ExactModes]:
        sigmas = (Fraction(1), Fraction(2))
        for depth in depths[:2]:
            for *s, sigma, rate in simplest_first(*[WEIGHTS[1:5]] * depth, sigmas, RATES[:3]):
                yield tuple(s), sigma, rate

    return Experiment(name, draw, observed(by_modes), layer=observed(by_layers), exact=_exact_route(candidates))


@cache
def pairs() -> Experiment:
    """One update of two layers."""
    return _updates("updates of two layers", (2,))


@cache
def any_depth() -> Experiment:
    """One update of two to five layers."""
    return _updates("updates of L layers", (2, 3, 5))


NEAR = 1e-5


@cache
def near_minima() -> Experiment:
    """One update from close to a minimum, on both sides of it; learning rates on both sides of the stable ones."""

    def draw(rng: np.random.Generator) -> Iterator[Modes]:
        for depth in (2, 3, 5):
            for rate in (0.15, 0.5, 1.1):
                sigma = rng.uniform(0.5, 1.6, 24)
                s = np.exp(0.4 * rng.normal(size=(depth, 24)))
                s *= (sigma / np.prod(s, axis=0)) ** (1 / depth)
                s[:, ::4] = sigma[::4] ** (1 / depth)
                load = rate * np.square(sigma / s).sum(axis=0)
                clear = np.abs(load - 2) > 0.05
                yield Modes(s[:, clear], sigma[clear], rate)

    def observed(descend: Descend) -> Callable[[Modes], Observation]:
        def run(case: Modes) -> Observation:
            ratios = []
            for side in (NEAR, -NEAR):
                start = case.s.copy()
                start[0] *= 1 + side
                errors = [case.sigma - np.prod(s, axis=0) for s in (start, descend(start, case.sigma, case.rate, 1))]
                ratios.append(errors[1] / errors[0])
            values = {"p": len(case.s), "strength": case.s, "sigma": case.sigma, "eta": case.rate}
            # the average over both sides is right to second order
            return Observation({**values, "ratio": (ratios[0] + ratios[1]) / 2}, 1e-6 * (1 + case.rate) ** 4)

        return run

    return Experiment("updates near a minimum", draw, observed(by_modes), layer=observed(by_layers))


SHORT = 2e-3


@cache
def short_steps() -> Experiment:
    """An update against the flow for the same time, extrapolated to a learning rate of zero."""

    def draw(rng: np.random.Generator) -> Iterator[Modes]:
        yield Modes(rng.uniform(-1.3, 1.3, (2, 40)), rng.uniform(0.3, 2.0, 40), SHORT)

    def observed(descend: Descend) -> Callable[[Modes], Observation]:
        def run(case: Modes) -> Observation:
            found = []
            for rate in (case.rate, case.rate / 2):
                flow = flow_modes(case.s, case.sigma, rate).final
                found.append((descend(case.s, case.sigma, rate, 1) - flow) / rate**2)
            s, t = 2 * found[1] - found[0]
            values = {"p": 2, "s": case.s[0], "t": case.s[1], "sigma": case.sigma}
            return Observation({**values, "departure_s": s, "departure_t": t}, 1e-3)

        return run

    return Experiment("updates against the flow", draw, observed(by_modes), layer=observed(by_layers))


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
    """Half of the networks start positive; the others have a direction with two zeros, or (two layers) s = -t."""
    for depth in (2, 3, 4):
        s = rng.uniform(0.4, 1.3, (depth, networks, 4))
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
    """Directions whose only update ends exactly at the minimum, alone and in pairs; then some from a saddle."""
    rate = QUARTER
    starts = (Fraction(4, 3), Fraction(5, 4), Fraction(9, 7))
    for start in starts:
        yield ((start, start),), (_landing(start, rate),), rate
    for first, second in product(starts, starts):
        yield ((first, first), (second, second)), (_landing(first, rate), _landing(second, rate)), rate
    for start in starts:
        still = (Fraction(0), Fraction(0))
        yield ((start, start), still), (_landing(start, rate), Fraction(1)), rate


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
