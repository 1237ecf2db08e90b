"""Stacks of random layers in the four cells of Table 1: drawn at random, and in fractions by enumeration.

The exact route holds the law of a response as a finite list. Weights and inputs are +-s and +-r with probability 1/2;
windows share no input, so that a layer takes the law of x to that of sum_t w_t x_t for each of its filters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.layer_variance import Moments, Stack, measure
from theory.claims.observe.layers import on_layers
from theory.experiment import ExactRoute, Experiment, Observation, Values

STANDARD_ERRORS = 5.0
DRAWS, LAYER_DRAWS = 20_000, 6_000
"""Random networks: in NumPy, and as layers, which take longer."""

CELLS: Mapping[str, tuple[float, float]] = {"A": (1.0, 1.0), "B": (0.0, 1.0), "C": (1.0, 0.0), "D": (0.0, 0.0)}
"""Correlation of weights and of inputs in the cells of Table 1."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """Random stacks, each with the layers l at which it is looked at, and the seed from which they are drawn."""

    stacks: tuple[Stack, ...]
    layers: tuple[tuple[int, ...], ...]
    seed: int
    draws: int = DRAWS


@dataclass(frozen=True)
class ExactStack:
    """Cell, width, depth; weights +-s and inputs +-r."""

    name: str
    k: int
    depth: int
    s: Fraction
    r: Fraction


def share(stack: Stack) -> float:
    """E[relu(S)]^2 / E[relu(S)^2] = (E|S|)^2 / (2 E[S^2]) of the sum S of a window of independent inputs."""
    return {"normal": 1.0 / math.pi, "signs": float(sign_share(stack.n))}[stack.input_law]


def sign_share(n: int) -> Fraction:
    """The same for n independent signs."""
    mean = sum((Fraction(math.comb(n, plus) * abs(2 * plus - n), 2**n) for plus in range(n + 1)), Fraction(0))
    return mean**2 / (2 * n)


Measure = Callable[[Stack, int, np.random.Generator], Moments]
"""A stack, the number of draws and where they come from, to averages over draws."""


def moments_of(drawn: Drawn, averages: Measure) -> list[Moments]:
    """The averages of every stack, each from a stream of its own."""
    streams = np.random.default_rng(drawn.seed).spawn(len(drawn.stacks))
    return [averages(stack, drawn.draws, rng) for stack, rng in zip(drawn.stacks, streams, strict=True)]


def looked_at(drawn: Drawn, found: Sequence[Moments]) -> Iterator[tuple[Stack, Moments, int]]:
    """One entry for each stack and layer that is looked at."""
    for stack, moments, layers in zip(drawn.stacks, found, drawn.layers, strict=True):
        for layer in layers:
            yield stack, moments, layer


def parameters(entries: Sequence[tuple[Stack, Moments, int]]) -> dict[str, FloatArray | BoolArray | int]:
    """What names an instance, each (B,)."""
    return {
        "p": 1,
        "k": np.array([float(stack.k) for stack, _, _ in entries]),
        "n": np.array([float(stack.n) for stack, _, _ in entries]),
        "l": np.array([float(layer) for _, _, layer in entries]),
        "deep": np.array([layer > 1 for _, _, layer in entries]),
        "third": np.array([layer > 2 for _, _, layer in entries]),
        "v": np.array([stack.v for stack, _, _ in entries]),
        "q": np.array([stack.q for stack, _, _ in entries]),
    }


def variances(entries: Sequence[tuple[Stack, Moments, int]]) -> tuple[dict[str, FloatArray], FloatArray]:
    """Var[y_l], Var[y_1], Var[y_{l-1}] (q at l = 1), E[max(y_l, 0)^2], and a tolerance for relations among them."""
    seconds = [np.concatenate([[stack.q], moments.second]) for stack, moments, _ in entries]
    errors = [np.concatenate([[0.0], moments.second_error]) for _, moments, _ in entries]
    at = [layer for _, _, layer in entries]
    now, first, before = (
        np.array([row[place] for row, place in zip(seconds, places, strict=True)])
        for places in (at, [1] * len(at), [layer - 1 for layer in at])
    )
    spread, of_first, of_before = (
        np.array([row[place] for row, place in zip(errors, places, strict=True)])
        for places in (at, [1] * len(at), [layer - 1 for layer in at])
    )
    values = {
        "var_l": now,
        "var_1": first,
        "var_before": before,
        "half_second": np.array([moments.positive[layer - 1] for _, moments, layer in entries]),
    }
    rounding = 1e-10 * now
    half = np.array([moments.positive_error[layer - 1] for _, moments, layer in entries])
    error = spread + half + now * (of_first / first + of_before / before)
    return values, STANDARD_ERRORS * error + rounding


def _observe(drawn: Drawn, averages: Measure) -> Observation:
    entries = list(looked_at(drawn, moments_of(drawn, averages)))
    values, tolerance = variances(entries)
    shares = np.array([share(stack) for stack, _, _ in entries])
    return Observation({**parameters(entries), **values, "share": shares}, tolerance)


@lru_cache(maxsize=256)
def observe(drawn: Drawn) -> Observation:
    """The NumPy route."""
    return _observe(drawn, measure)


@on_layers
def observe_layer(drawn: Drawn) -> Observation:
    """The PyTorch route: convolutions with the filters of all draws as groups."""
    from sim.cnn.measured import stack_moments

    return _observe(drawn, stack_moments)


def random_stacks(rng: np.random.Generator, name: str, draws: int, *, channels: bool = False) -> Iterator[Drawn]:
    """Stacks of a cell: real circular convolutions, or for (C) windows that share no input; several widths and laws."""
    weights, inputs = CELLS[name]
    stacks = []
    for k in (1, 2, 3):
        for law in ("signs", "uniform"):
            disjoint = name == "C"
            stacks.append(
                Stack(
                    k,
                    3 if k == 3 else 4,
                    border="disjoint" if disjoint else "circular",
                    size=None if disjoint else int(rng.integers(k, k + 2)),
                    v=rng.uniform(0.3, 1.5),
                    weight_law=law,
                    weight_correlation=weights,
                    q=rng.uniform(0.5, 2.0),
                    input_law="signs" if law == "signs" else "normal",
                    input_correlation=inputs,
                    channels=3 if channels else 1,
                    input_channels=2 if channels else 1,
                )
            )
    layers = tuple(tuple(range(1, stack.depth + 1)) for stack in stacks)
    yield Drawn(tuple(stacks), layers, int(rng.integers(2**32)), draws)


Law = Mapping[Fraction, Fraction]
"""Value to probability."""


def _through(law: Law, filter_: Sequence[Fraction], equal_inputs: bool) -> dict[Fraction, Fraction]:
    """The law of sum_t w_t x_t."""
    if equal_inputs:
        total = sum(filter_, Fraction(0))
        return _collect((total * x, p) for x, p in law.items())
    reached: dict[Fraction, Fraction] = {Fraction(0): Fraction(1)}
    for w in filter_:
        reached = _collect((y + w * x, p * r) for y, p in reached.items() for x, r in law.items())
    return reached


def _collect(entries: Iterator[tuple[Fraction, Fraction]]) -> dict[Fraction, Fraction]:
    law: dict[Fraction, Fraction] = {}
    for value, p in entries:
        law[value] = law.get(value, Fraction(0)) + p
    return law


@lru_cache(maxsize=512)
def exact_moments(stack: ExactStack) -> tuple[tuple[Fraction, Fraction], ...]:
    """(E[y_l^2], E[max(y_l, 0)^2]) for l = 1, ..., depth."""
    equal_weights, equal_inputs = (bool(part) for part in CELLS[stack.name])
    n = stack.k**2
    # filters that differ in the order of their weights only act alike
    filters = [
        (
            Fraction(1, 2) if equal_weights else Fraction(math.comb(n, plus), 2**n),
            (stack.s,) * plus + (-stack.s,) * (n - plus),
        )
        for plus in ((0, n) if equal_weights else range(n + 1))
    ]
    totals = [[Fraction(0), Fraction(0)] for _ in range(stack.depth)]

    def descend(law: Law, layer: int, chance: Fraction) -> None:
        for p, filter_ in filters:
            y = _through(law, filter_, equal_inputs)
            for value, r in y.items():
                totals[layer][0] += chance * p * r * value**2
                totals[layer][1] += chance * p * r * max(value, Fraction(0)) ** 2
            if layer + 1 < stack.depth:
                descend(_collect((max(x, Fraction(0)), r) for x, r in y.items()), layer + 1, chance * p)

    descend({stack.r: Fraction(1, 2), -stack.r: Fraction(1, 2)}, 0, Fraction(1))
    return tuple((second, positive) for second, positive in totals)


def observe_exact(stack: ExactStack) -> Values:
    """The rational route."""
    found = exact_moments(stack)
    n = stack.k**2
    return {
        "p": 1,
        "k": stack.k,
        "n": n,
        "l": stack.depth,
        "deep": stack.depth > 1,
        "v": stack.s**2,
        "q": stack.r**2,
        "var_l": found[-1][0],
        "var_1": found[0][0],
        "var_before": found[-2][0] if stack.depth > 1 else stack.r**2,
        "half_second": found[-1][1],
        "share": sign_share(n),
    }


def describe(stack: ExactStack) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    weights, inputs = ("equal" if part else "independent" for part in CELLS[stack.name])
    return (
        ("k", str(stack.k)),
        ("l", str(stack.depth)),
        ("weights", f"{weights}, +-{stack.s}"),
        ("inputs", f"{inputs}, +-{stack.r}"),
    )


def lowered(stack: ExactStack) -> Stack:
    """The same stack, to be drawn at random."""
    weights, inputs = CELLS[stack.name]
    return Stack(
        stack.k,
        stack.depth,
        border="disjoint",
        v=float(stack.s**2),
        weight_law="signs",
        weight_correlation=weights,
        q=float(stack.r**2),
        input_law="signs",
        input_correlation=inputs,
    )


@cache
def lower(stack: ExactStack) -> Drawn:
    """An exact instance as a batch of one, looked at in its last layer."""
    return Drawn((lowered(stack),), ((stack.depth,),), seed=0)


def exact_stacks(name: str) -> Iterator[ExactStack]:
    """Exact stacks of a cell, smallest first."""
    one, two, half = Fraction(1), Fraction(2), Fraction(1, 2)
    for k, depth in ((1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2)):
        for s in (one, two, half):
            for r in (one, two):
                yield ExactStack(name, k, depth, s, r)
    yield ExactStack(name, 2, 3, one, one)


@cache
def cell(name: str) -> Experiment:
    """A cell of Table 1, one channel."""
    return Experiment(
        f"cell {name} of Table 1",
        lambda rng: random_stacks(rng, name, DRAWS),
        observe,
        ExactRoute(lambda: exact_stacks(name), observe_exact, describe, lower),
        observe_layer,
        lambda rng: random_stacks(rng, name, LAYER_DRAWS),
    )


@cache
def channels(name: str) -> Experiment:
    """A cell with several channels."""
    return Experiment(
        f"cell {name}, three channels",
        lambda rng: random_stacks(rng, name, DRAWS, channels=True),
        observe,
        layer=observe_layer,
        layer_sample=lambda rng: random_stacks(rng, name, LAYER_DRAWS, channels=True),
    )
