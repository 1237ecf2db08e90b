"""Many channels: random networks with windows that share no input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from sim.arrays import FloatArray
from sim.layer_variance import Moments, Stack, measure
from sim.mean_field import relu_correlation
from theory.claims.observe.layer_variance.overlapping import AfterRelu
from theory.claims.observe.layer_variance.stacks import (
    DRAWS,
    LAYER_DRAWS,
    STANDARD_ERRORS,
    Drawn,
    Measure,
    moments_of,
    parameters,
)
from theory.claims.observe.layer_variance.stacks import (
    observe as observe_stacks,
)
from theory.claims.observe.layer_variance.stacks import (
    observe_layer as observe_stacks_layer,
)
from theory.claims.observe.layers import on_layers
from theory.experiment import Experiment, Observation

CHANNELS = 256
"""The variance departs from the wide limit by about 0.4/CHANNELS at depth 4, far below the standard errors."""
SETTINGS = ((1.0, 0.0, 200), (0.5, 0.4, 60))
"""rho_w, rho_x, networks drawn: cell (C), and partial correlation of both."""
DEPTH = 4


@dataclass(frozen=True, eq=False)
class Networks:
    """Wide stacks of one setting and their seed."""

    drawn: Drawn


@dataclass(frozen=True, eq=False)
class Look:
    """Networks of every setting, looked at in one layer."""

    networks: tuple[Networks, ...]
    layer: int


@lru_cache(maxsize=64)
def _moments(networks: Networks, averages: Measure) -> Moments:
    (found,) = moments_of(networks.drawn, averages)
    return found


def handed_on(
    n: int,
    rho_w: float,
    rho_x: float,
    depth: int,
    after_relu: AfterRelu = relu_correlation,
    *,
    one_channel: bool = False,
) -> FloatArray:
    """relations[1..depth] (entry 0 is unused): f_1 = rho_x, f_{m+1} = J(f_m (1 + (n-1) rho_w)/(1 + (n-1) rho_w f_m)).

    after_relu: J. one_channel: with the identity for J after the second layer (exact for rho_w = 1 only).
    """
    found = np.zeros(depth + 1)
    found[1] = rho_x
    for m in range(1, depth):
        c = found[m] * (1 + (n - 1) * rho_w) / (1 + (n - 1) * rho_w * found[m])
        after = float(after_relu(np.array(c)))
        found[m + 1] = c if one_channel and m > 1 else after
    return found


def _observe(look: Look, averages: Measure, after_relu: AfterRelu) -> Observation:
    entries = [(one.drawn.stacks[0], _moments(one, averages), look.layer) for one in look.networks]
    settings = [(s.n, float(np.asarray(s.weight_correlation)), s.input_correlation) for s, _, _ in entries]
    values = {
        **parameters(entries),
        "l": look.layer,
        "third": look.layer > 2,
        "rho_w": np.array([rho for _, rho, _ in settings]),
        "rho_x": np.array([rho for _, _, rho in settings]),
        "relations": np.array([handed_on(*setting, look.layer, after_relu) for setting in settings]).T,
        "relations_one": np.array(
            [handed_on(*setting, look.layer, after_relu, one_channel=True) for setting in settings]
        ).T,
        "var_l": np.array([moments.second[look.layer - 1] for _, moments, _ in entries]),
        "cell_c": np.array([rho == 1.0 and other == 0.0 for _, rho, other in settings]),
    }
    errors = np.array([moments.second_error[look.layer - 1] for _, moments, _ in entries])
    return Observation(values, STANDARD_ERRORS * errors)


def observe(look: Look) -> Observation:
    """The NumPy route."""
    return _observe(look, measure, relu_correlation)


@on_layers
def observe_layer(look: Look) -> Observation:
    """The PyTorch route."""
    from sim.cnn import measured

    return _observe(look, measured.stack_moments, measured.relu_correlation)


def _looks(rng: np.random.Generator) -> Iterator[Look]:
    networks = []
    for rho_w, rho_x, count in SETTINGS:
        stack = Stack(
            2,
            DEPTH,
            dims=1,
            border="disjoint",
            v=rng.uniform(0.7, 1.3),
            weight_correlation=rho_w,
            input_correlation=rho_x,
            channels=CHANNELS,
            input_channels=CHANNELS,
        )
        networks.append(Networks(Drawn((stack,), ((),), int(rng.integers(2**32)), count)))
    for layer in range(1, DEPTH + 1):
        yield Look(tuple(networks), layer)


def _few(rng: np.random.Generator, draws: int) -> Iterator[Drawn]:
    """Two layers of cell (C) with a few channels, Gaussian inputs."""
    stacks = tuple(
        Stack(
            k,
            2,
            border="disjoint",
            v=rng.uniform(0.7, 1.3),
            weight_law=law,
            weight_correlation=1.0,
            channels=channels,
            input_channels=inputs,
        )
        for k, law, channels, inputs in ((2, "signs", 1, 3), (2, "uniform", 4, 1), (3, "uniform", 2, 3))
    )
    yield Drawn(stacks, ((1, 2),) * len(stacks), int(rng.integers(2**32)), draws)


@cache
def many_channels() -> Experiment:
    """256 channels, rows of two weights, layers 1 to 4."""
    return Experiment("many channels", _looks, observe, layer=observe_layer)


@cache
def two_layers() -> Experiment:
    """Cell (C) with a few channels, layers 1 and 2."""
    return Experiment(
        "cell C, two layers, a few channels",
        lambda rng: _few(rng, DRAWS),
        observe_stacks,
        layer=observe_stacks_layer,
        layer_sample=lambda rng: _few(rng, LAYER_DRAWS),
    )
