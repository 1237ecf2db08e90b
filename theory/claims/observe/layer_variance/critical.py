"""The weight variance that keeps the variance of cell (C) from layer to layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache, lru_cache

import numpy as np

from sim.layer_variance import measure
from theory.claims.observe.layer_variance.stacks import (
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
)
from theory.claims.observe.layers import on_layers
from theory.experiment import ExactRoute, Experiment, Observation, Values


def _observe(drawn: Drawn, averages: Measure) -> Observation:
    entries = list(looked_at(drawn, moments_of(drawn, averages)))
    now, after = (np.array([m.second[layer - 1 + k] for _, m, layer in entries]) for k in (0, 1))
    errors = [np.array([m.second_error[layer - 1 + k] for _, m, layer in entries]) for k in (0, 1)]
    values = parameters(entries)
    keeps = np.asarray(values["v"]) * now / after
    shares = np.array([share(stack) for stack, _, _ in entries])
    tolerance = STANDARD_ERRORS * keeps * (errors[0] / now + errors[1] / after) + 1e-10 * keeps
    return Observation({**values, "v_keeps": keeps, "share": shares}, tolerance)


@lru_cache(maxsize=256)
def observe(drawn: Drawn) -> Observation:
    """The NumPy route."""
    return _observe(drawn, measure)


@on_layers
def observe_layer(drawn: Drawn) -> Observation:
    """The PyTorch route."""
    from sim.cnn.measured import stack_moments

    return _observe(drawn, stack_moments)


def _random(rng: np.random.Generator, draws: int) -> Iterator[Drawn]:
    for drawn in random_stacks(rng, "C", draws):
        yield replace(drawn, layers=tuple(layers[:-1] for layers in drawn.layers))


def observe_exact(stack: ExactStack) -> Values:
    """The rational route: layer l = depth - 1."""
    found = exact_moments(stack)
    return {
        "p": 1,
        "k": stack.k,
        "n": stack.k**2,
        "l": stack.depth - 1,
        "v": stack.s**2,
        "v_keeps": stack.s**2 * found[-2][0] / found[-1][0],
        "share": sign_share(stack.k**2),
    }


def _describe(stack: ExactStack) -> tuple[tuple[str, str], ...]:
    return describe(replace(stack, depth=stack.depth - 1))


@cache
def lower(stack: ExactStack) -> Drawn:
    """An exact instance as a batch of one."""
    return Drawn((lowered(stack),), ((stack.depth - 1,),), seed=0)


def _exact() -> Iterator[ExactStack]:
    for stack in exact_stacks("C"):
        if stack.depth > 1 and stack.r == Fraction(1):
            yield stack


@cache
def cell_c_keeps() -> Experiment:
    """v Var[y_l] / Var[y_{l+1}] of cell (C), windows that share no input."""
    return Experiment(
        "weight variance that keeps cell C",
        lambda rng: _random(rng, DRAWS),
        observe,
        ExactRoute(_exact, observe_exact, _describe, lower),
        observe_layer,
        lambda rng: _random(rng, LAYER_DRAWS),
    )
