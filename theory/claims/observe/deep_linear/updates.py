"""Updates of aligned directions, one by one, beside the flow, and near minima."""

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
from sim.linear_modes import descend_modes, flow_modes
from theory.claims.observe.deep_linear.chains import EPS
from theory.claims.observe.deep_linear.directions import energy_slopes
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import RATES, WEIGHTS, simplest_first, text
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

    end = chain_descend([np.diag(row) for row in s], _one_task(sigma), learning_rate=rate, steps=steps)
    return np.stack([np.diagonal(W) for W in end])


Flow = Callable[[FloatArray, FloatArray, float], FloatArray]
"""Strengths (L, B), sigma (B,), time -> strengths (L, B)."""


def flow_of_modes(s: FloatArray, sigma: FloatArray, time: float) -> FloatArray:
    """The flow of the simulator."""
    return flow_modes(s, sigma, time).final


@on_layers
def flow_of_layers(s: FloatArray, sigma: FloatArray, time: float) -> FloatArray:
    """The flow of the same chain, by autograd."""
    from sim.cnn.linear_chain import chain_flow

    end = chain_flow([np.diag(row) for row in s], _one_task(sigma), time=time, steps=2)
    return np.stack([np.diagonal(W) for W in end])


def _one_task(sigma: FloatArray) -> LinearTask:
    X = np.sqrt(len(sigma)) * np.eye(len(sigma))
    return LinearTask.create(X, sigma[:, None] * X)


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

    def observed(descend: Descend, flow: Flow) -> Callable[[Modes], Observation]:
        def run(case: Modes) -> Observation:
            found = []
            for rate in (case.rate, case.rate / 2):
                end = flow(case.s, case.sigma, rate)
                found.append((descend(case.s, case.sigma, rate, 1) - end) / rate**2)
            s, t = 2 * found[1] - found[0]
            values = {"p": 2, "s": case.s[0], "t": case.s[1], "sigma": case.sigma}
            return Observation({**values, "departure_s": s, "departure_t": t}, 1e-3)

        return run

    by_simulator, by_torch = observed(by_modes, flow_of_modes), observed(by_layers, flow_of_layers)
    return Experiment("updates against the flow", draw, by_simulator, layer=by_torch)
