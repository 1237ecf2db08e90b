"""Cells of Table 1 side by side: the same width, depth, Var[w] and E[x_0^2] in each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np

from sim.finite_law import equal_law, independent_law
from sim.layer_variance import measure
from theory.claims.observe.layer_variance.one_layer import EPS, Respond, by_enumeration
from theory.claims.observe.layer_variance.stacks import (
    CELLS,
    DRAWS,
    LAYER_DRAWS,
    STANDARD_ERRORS,
    Drawn,
    ExactStack,
    Measure,
    describe,
    exact_moments,
    exact_stacks,
    looked_at,
    lowered,
    moments_of,
    parameters,
    random_stacks,
    share,
    sign_share,
    variances,
)
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Cells:
    """The same stacks in each of the four cells; `relation`, one of `RELATIONS`, sets what the tolerance is for."""

    cells: dict[str, Drawn]
    relation: str


RELATIONS = ("squared", "ratio")
"""What Var_A is compared with: Var_X^2/eta for X = B, D, or a multiple of Var_C."""


def _observe(cells: Cells, averages: Measure) -> Observation:
    entries = {name: list(looked_at(drawn, moments_of(drawn, averages))) for name, drawn in cells.cells.items()}
    seen = {name: variances(rows)[0]["var_l"] for name, rows in entries.items()}
    errors = {name: np.array([m.second_error[layer - 1] for _, m, layer in rows]) for name, rows in entries.items()}
    values = parameters(entries["C"])
    eta = 2 * np.asarray(values["q"]) * (np.asarray(values["v"]) / 2) ** np.asarray(values["l"])
    # the slope in Var_X of what Var_A is compared with
    error = (
        errors["A"]
        + {
            "squared": 2 * seen["B"] / eta * errors["B"] + 2 * seen["D"] / eta * errors["D"],
            "ratio": seen["A"] / seen["C"] * errors["C"],
        }[cells.relation]
    )
    shares = np.array([share(stack) for stack, _, _ in entries["C"]])
    named = {f"var_{name}": variance for name, variance in seen.items()}
    return Observation({**values, **named, "share": shares}, STANDARD_ERRORS * error + 1e-10 * seen["A"])


@lru_cache(maxsize=256)
def observe(cells: Cells) -> Observation:
    """The NumPy route."""
    return _observe(cells, measure)


@on_layers
def observe_layer(cells: Cells) -> Observation:
    """The PyTorch route."""
    from sim.cnn.measured import stack_moments

    return _observe(cells, stack_moments)


def _random_cells(rng: np.random.Generator, relation: str, draws: int) -> Iterator[Cells]:
    (drawn,) = random_stacks(rng, "C", draws)
    # one stack of each width
    drawn = replace(drawn, stacks=drawn.stacks[::2], layers=drawn.layers[::2])
    cells = {}
    for name, (weights, inputs) in CELLS.items():
        stacks = tuple(
            replace(s, weight_correlation=weights, input_correlation=inputs)
            if name == "C"
            # for the others, windows that overlap have the same law, and cost less
            else replace(s, weight_correlation=weights, input_correlation=inputs, border="circular", size=s.k)
            for s in drawn.stacks
        )
        cells[name] = replace(drawn, stacks=stacks, seed=int(rng.integers(2**32)))
    yield Cells(cells, relation)


def _of_cell(stack: ExactStack, name: str) -> ExactStack:
    return replace(stack, name=name)


def observe_exact(stack: ExactStack) -> Values:
    """The rational route."""
    return {
        "p": 1,
        "k": stack.k,
        "n": stack.k**2,
        "l": stack.depth,
        "v": stack.s**2,
        "q": stack.r**2,
        **{f"var_{name}": exact_moments(_of_cell(stack, name))[-1][0] for name in CELLS},
        "share": sign_share(stack.k**2),
    }


@cache
def lower(stack: ExactStack, relation: str) -> Cells:
    """An exact instance as a batch of one."""
    cells = {
        name: Drawn((lowered(_of_cell(stack, name)),), ((stack.depth,),), seed=position)
        for position, name in enumerate(CELLS)
    }
    return Cells(cells, relation)


def _describe(stack: ExactStack) -> tuple[tuple[str, str], ...]:
    return (*describe(stack)[:2], ("weights", f"+-{stack.s}"), ("inputs", f"+-{stack.r}"))


@dataclass(frozen=True)
class Twins:
    """Perfectly correlated inputs x (r,) that meet weights +-s, equal or independent, in filters of width k."""

    k: int
    s: Fraction
    x: tuple[Fraction, ...]


def _observe_twins(twins: list[Twins], respond: Respond) -> Observation:
    values = []
    for twin in twins:
        n, s = twin.k**2, float(twin.s)
        windows = equal_law([float(value) for value in twin.x], n)
        laws = (equal_law((s, -s), n), independent_law((s, -s), n))
        values.append([respond(law, windows)[0] for law in laws])
    seen = np.array(values).T
    k = np.array([float(twin.k) for twin in twins])
    return Observation({"p": 1, "k": k, "var_equal": seen[0], "var_uncorrelated": seen[1]}, 4096 * EPS * (1 + seen[0]))


def observe_twins(twins: list[Twins]) -> Observation:
    """The NumPy route."""
    return _observe_twins(twins, by_enumeration)


@on_layers
def observe_twins_layer(twins: list[Twins]) -> Observation:
    """The PyTorch route."""
    from sim.cnn.measured import law_moments

    return _observe_twins(twins, law_moments)


def _observe_exact_twins(twin: Twins) -> Values:
    n = twin.k**2
    second = sum((x**2 for x in twin.x), Fraction(0)) / len(twin.x)
    # the sum of n signs takes the values n - 2 m with binomial weights
    squares = sum((Fraction(math.comb(n, m) * (n - 2 * m) ** 2, 2**n) for m in range(n + 1)), Fraction(0))
    return {
        "p": 1,
        "k": twin.k,
        "var_equal": (n * twin.s) ** 2 * second,
        "var_uncorrelated": squares * twin.s**2 * second,
    }


def _random_twins(rng: np.random.Generator) -> Iterator[list[Twins]]:
    yield [
        Twins(k, Fraction(int(rng.integers(1, 9)), 4), tuple(Fraction(int(b), 8) for b in rng.integers(1, 20, 3)))
        for k in (1, 2, 3)
        for _ in range(4)
    ]


def _exact_twins() -> Iterator[Twins]:
    for k in (1, 2):
        for s in (Fraction(1), Fraction(2)):
            yield Twins(k, s, (Fraction(1),))


def _describe_twins(twin: Twins) -> tuple[tuple[str, str], ...]:
    return (("k", str(twin.k)), ("weights", f"+-{twin.s}"), ("inputs", text(twin.x)))


@cache
def side_by_side(relation: str) -> Experiment:
    """The four cells with the same width, depth, Var[w] and E[x_0^2]; windows share no input."""
    return Experiment(
        f"the four cells side by side: {relation}",
        lambda rng: _random_cells(rng, relation, DRAWS),
        observe,
        ExactRoute(lambda: exact_stacks("C"), observe_exact, _describe, lambda stack: lower(stack, relation)),
        observe_layer,
        lambda rng: _random_cells(rng, relation, LAYER_DRAWS),
    )


@cache
def twins() -> Experiment:
    """One layer, perfectly correlated inputs: equal weights against independent ones."""
    route = ExactRoute(_exact_twins, _observe_exact_twins, _describe_twins, lambda twin: [twin])
    return Experiment("equal against independent weights", _random_twins, observe_twins, route, observe_twins_layer)
