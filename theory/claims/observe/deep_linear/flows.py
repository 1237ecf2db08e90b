"""Gradient flows of aligned directions and of whole networks, followed by SciPy's DOP853."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import chain_gradients, flow_chain
from sim.linear_modes import flow_modes, mode_gradient
from theory.claims.observe.deep_linear.chains import (
    EPS,
    WIDEST,
    Array,
    Chain,
    Gradients,
    describe,
    exact_chains,
    layer_gradients,
    random_chain,
    rounding,
    slopes,
    stacked,
)
from theory.claims.observe.deep_linear.directions import energy_slopes
from theory.claims.observe.rationals import HALF
from theory.experiment import ExactRoute, Experiment, Observation, Values

FLOW_ERROR = 1e-8
"""Allowed of the flow, which is followed with a relative tolerance of 1e-12 a step."""
LONG = 60.0


@dataclass(frozen=True, eq=False)
class Directions:
    """Strengths (L, B), singular values (B,), and how long the flow runs."""

    s: FloatArray
    sigma: FloatArray
    time: float


def observe_two_layers(case: Directions) -> Observation:
    """The ends of the flow of two layers."""
    end = flow_modes(case.s, case.sigma, case.time).final
    (s, t), (s_end, t_end) = case.s, end
    values = {"s": s, "t": t, "s_end": s_end, "t_end": t_end, "sigma": case.sigma, "time": case.time}
    scale = 1 + case.sigma + np.square(case.s).sum(axis=0)
    return Observation({"p": 2, **values, "u_start": s * t, "u_end": s_end * t_end}, FLOW_ERROR * scale)


def _two_layer_starts(rng: np.random.Generator, rows: int) -> FloatArray:
    """Both signs, with |s + t| and |s - t| of at least 1/10."""
    drawn = rng.uniform(-1.5, 1.5, (2, 8 * rows))
    apart = (np.abs(drawn.sum(axis=0)) > 0.1) & (np.abs(drawn[0] - drawn[1]) > 0.1)
    return np.asarray(drawn[:, apart][:, :rows])


@cache
def two_layers() -> Experiment:
    """Two layers from any start, over short and long times."""

    def draw(rng: np.random.Generator) -> Iterator[Directions]:
        for time in (0.1, 0.5, 2.0):
            yield Directions(_two_layer_starts(rng, 40), rng.uniform(0.3, 2.0, 40), time)

    return Experiment("flow of two layers", draw, observe_two_layers)


@cache
def balanced_pairs() -> Experiment:
    """Two layers with s = t."""

    def draw(rng: np.random.Generator) -> Iterator[Directions]:
        for time in (0.3, 1.0, 3.0):
            yield Directions(np.repeat(rng.uniform(0.1, 1.6, (1, 40)), 2, axis=0), rng.uniform(0.3, 2.0, 40), time)

    return Experiment("flow of two equal layers", draw, observe_two_layers)


@cache
def long_runs() -> Experiment:
    """Two layers for a long time; a third of the starts have s = -t."""

    def draw(rng: np.random.Generator) -> Iterator[Directions]:
        s = _two_layer_starts(rng, 45)
        s[1, ::3] = -s[0, ::3]
        yield Directions(s, rng.uniform(0.3, 2.0, 45), LONG)

    return Experiment("two layers for a long time", draw, observe_two_layers)


def observe_times(case: Directions) -> Observation:
    """For each direction the first time on a grid at which a given share of sigma is passed."""
    grid = np.linspace(0.0, case.time, 400)
    products = flow_modes(case.s, case.sigma, grid).products
    share = np.linspace(0.5, 0.9, len(case.sigma))
    at = (products > share * case.sigma).argmax(axis=0)
    if not np.all(at > 0):
        raise RuntimeError(f"the flow did not reach {share.max():g} of sigma within time {case.time:g}")
    values = {
        "p": len(case.s),
        "sigma": case.sigma,
        "time": grid[at],
        "u_start": products[0],
        "u_end": np.take_along_axis(products, at[None], axis=0)[0],
    }
    return Observation(values, 100 * FLOW_ERROR)


@cache
def learning_times() -> Experiment:
    """Equal strengths of 2 to 30 layers, from a tenth to two fifths of sigma on."""

    def draw(rng: np.random.Generator) -> Iterator[Directions]:
        for depth in (2, 3, 4, 8, 30):
            sigma = rng.uniform(0.6, 2.0, 20)
            start = (sigma * rng.uniform(0.1, 0.4, 20)) ** (1 / depth)
            yield Directions(np.repeat(start[None], depth, axis=0), sigma, 12.0)

    return Experiment("learning times of equal layers", draw, observe_times)


def _exact_rate(case: tuple[int, Fraction, Fraction]) -> Values:
    depth, common, sigma = case
    velocity = [-g for g in energy_slopes([common] * depth, sigma)]
    rate = sum((common ** (depth - 1) * v for v in velocity), Fraction(0))
    return {"p": depth, "common": common, "sigma": sigma, "rate": rate}


def observe_rate(case: Directions) -> Observation:
    """du/dt of the product, by the chain rule from the velocities of the layers."""
    depth = len(case.s)
    velocity = -mode_gradient(case.s, case.sigma)
    rate = (case.s[0] ** (depth - 1) * velocity).sum(axis=0)
    values = {"p": depth, "common": case.s[0], "sigma": case.sigma, "rate": rate}
    return Observation(values, 64 * EPS * depth * (1 + case.s[0]) ** (3 * depth))


@cache
def rates() -> Experiment:
    """How fast the product of equal strengths grows."""

    def draw(rng: np.random.Generator) -> Iterator[Directions]:
        for depth in (1, 2, 3, 6):
            yield Directions(np.repeat(rng.uniform(0.3, 1.5, (1, 25)), depth, axis=0), rng.uniform(0.3, 2.0, 25), 0.0)

    def candidates() -> Iterator[tuple[int, Fraction, Fraction]]:
        choices = (Fraction(1), HALF, Fraction(2), Fraction(3, 2))
        yield from product((1, 2, 3, 4), choices, choices)

    return Experiment(
        "rates of equal layers",
        draw,
        observe_rate,
        exact=ExactRoute(
            candidates,
            _exact_rate,
            lambda c: (("L", str(c[0])), ("s", str(c[1])), ("sigma", str(c[2]))),
            lambda c: Directions(np.full((c[0], 1), float(c[1])), np.array([float(c[2])]), 0.0),
        ),
    )


def neighbour_values(chain: Chain, gradients: Gradients) -> dict[str, Any]:
    """Slopes along V T and along T W for neighbours V, W, with T the corner of the direction of layer l + 1."""
    layer = chain.layer
    W, V = chain.weights[layer], chain.weights[layer + 1]
    T = _corner(chain.directions[layer], len(W))
    directions = list(chain.directions)
    directions[layer], directions[layer + 1] = T @ W, V @ T
    found = slopes(replace(chain, directions=tuple(directions)), gradients)
    directions[layer], directions[layer + 1] = T.T @ W, V @ T
    turned = slopes(replace(chain, directions=tuple(directions)), gradients)
    return {"slope_down": found[layer], "slope_up": found[layer + 1], "slope_turned": turned[layer]}


def _corner(direction: Array, size: int) -> Array:
    """A square matrix made of the entries of a direction, repeated."""
    flat = direction.ravel()
    return np.asarray([[flat[(row * size + column) % len(flat)] for column in range(size)] for row in range(size)])


@cache
def neighbours() -> Experiment:
    """The slopes of neighbouring layers along directions that change the map alike."""

    def draw(rng: np.random.Generator) -> Iterator[list[Chain]]:
        for depth in (2, 3, 4):
            yield [random_chain(rng, depth, whitened=False, layer=int(rng.integers(depth - 1))) for _ in range(20)]

    def observe(gradients: Gradients, chains: list[Chain]) -> Observation:
        scale = rounding(chains) * np.array([1 + sum(float(np.square(W).sum()) for W in c.weights) for c in chains])
        return Observation({"p": WIDEST, **stacked([neighbour_values(c, gradients) for c in chains])}, scale)

    def candidates() -> Iterator[Chain]:
        for chain in exact_chains([2, 3], whitened=False):
            yield replace(chain, layer=min(chain.layer, len(chain.weights) - 2))

    return Experiment(
        "slopes of neighbouring layers",
        draw,
        lambda chains: observe(chain_gradients, chains),
        layer=lambda chains: observe(layer_gradients, chains),
        exact=ExactRoute(
            candidates,
            lambda chain: {"p": 2, **neighbour_values(chain, chain_gradients)},
            describe,
            lambda chain: [chain.floats],
        ),
    )


def observe_drift(chains: list[Chain]) -> Observation:
    """Changes of V^T V - W W^T along the flow, and of what a wrong sign or order would keep."""
    rows = []
    for chain in chains:
        run = flow_chain(chain.weights, chain.task, [0.0, 1.0])
        change = {"drift": 0.0, "drift_plus": 0.0, "drift_turned": 0.0}
        for W, V in pairwise(run.weights):
            forms = {
                "drift": [v.T @ v - w @ w.T for v, w in zip(V, W, strict=True)],
                "drift_plus": [v.T @ v + w @ w.T for v, w in zip(V, W, strict=True)],
                "drift_turned": [v @ v.T - w.T @ w for v, w in zip(V, W, strict=True)],
            }
            for name, (before, after) in forms.items():
                change[name] = max(change[name], float(np.abs(after - before).max()))
        rows.append(change)
    return Observation({"p": 3, **stacked(rows)}, FLOW_ERROR)


@cache
def drifts() -> Experiment:
    """Whole networks of equal widths, not aligned, on samples of any second moments."""

    def draw(rng: np.random.Generator) -> Iterator[list[Chain]]:
        for depth in (2, 3):
            chains = [_square_chain(rng, depth) for _ in range(4)]
            yield chains

    return Experiment("conserved matrices along the flow", draw, observe_drift)


def _square_chain(rng: np.random.Generator, depth: int) -> Chain:
    weights = tuple(0.7 * rng.normal(size=(3, 3)) for _ in range(depth))
    X = rng.normal(size=(3, 7))
    return Chain(weights, X, rng.normal(size=(3, 3)) @ X + rng.normal(size=(3, 7)), weights)
