"""Pairs of Gaussian responses after ReLU, and pairs of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from sim.correlation import sample_weights
from sim.mean_field import kernels
from theory.claims.observe.correlated_init.conv_moments import ROUNDING, correlations
from theory.claims.observe.correlated_init.filter_draws import STANDARD_ERRORS
from theory.claims.observe.layers import on_layers
from theory.experiment import Experiment, Observation

DRAWS = 40_000


@dataclass(frozen=True, eq=False)
class Pair:
    """Two Gaussian responses y = w.x, y' = w.x' to inputs x (2, p), weights N(0, R)."""

    R: np.ndarray
    inputs: np.ndarray
    filters: np.ndarray

    @property
    def covariance(self) -> np.ndarray:
        """Of y and y', (2, 2)."""
        return np.asarray(self.inputs @ self.R @ self.inputs.T)


def pairs(rng: np.random.Generator) -> Iterator[list[Pair]]:
    """Inputs at any angle, equal and opposite ones among them."""
    found = []
    for number in range(12):
        R = correlations(rng, 2)[number % 3]
        x = rng.normal(size=4)
        z = {0: x, 1: -x}.get(number, rng.normal(size=4) + rng.uniform(-2, 2) * x)
        x, z = (y / np.sqrt(y @ R @ y) * rng.uniform(0.5, 2.0) for y in (x, z))
        filters = sample_weights(R, (DRAWS, 1, 2, 2), rng=rng)
        found.append(Pair(R, np.stack([x, z]), filters))
    yield found


def observe(batch: list[Pair]) -> Observation:
    """Draws in NumPy."""
    return _after([pair.filters.reshape(DRAWS, 4) @ pair.inputs.T for pair in batch], batch)


@on_layers
def observe_layer(batch: list[Pair]) -> Observation:
    """The channels of one `torch.nn.Conv2d`, one image for each input."""
    from sim.cnn import relu_stack

    found = []
    for pair in batch:
        x = pair.inputs.reshape(2, 1, 2, 2)
        y = relu_stack.layer_responses(x, [np.stack([pair.filters, pair.filters])], "none")[0]
        found.append(y.reshape(2, DRAWS).T)
    return _after(found, batch)


def _after(responses: list[np.ndarray], batch: list[Pair]) -> Observation:
    products = np.array([np.maximum(y, 0.0).prod(axis=1) for y in responses])
    covariance = np.array([pair.covariance for pair in batch])
    variance, variance_2 = covariance[:, 0, 0], covariance[:, 1, 1]
    values = {
        "p": 4,
        "variance": variance,
        "variance_2": variance_2,
        "c": np.clip(covariance[:, 0, 1] / np.sqrt(variance * variance_2), -1.0, 1.0),
        "after": products.mean(axis=1),
    }
    return Observation(values, STANDARD_ERRORS * products.std(axis=1) / np.sqrt(DRAWS) + 1e-12)


@cache
def gaussian_pairs() -> Experiment:
    """Two responses of one layer to two inputs."""
    return Experiment("two responses after ReLU", pairs, observe, layer=observe_layer)


def observe_even_pair(batch: list[tuple[np.ndarray, np.ndarray, float]]) -> Observation:
    """Correlation of the responses to two even inputs in layers 1 and 2, by the recursion."""
    found = []
    for R, levels, v in batch:
        images = np.ones((2, levels.shape[1], 3, 3)) * levels[:, :, None, None]
        layers = [K[:, :, 0, 0, 1, 2] for K in kernels(images, R, v, depth=2, padding="circular")]
        found.append([K[0, 1] / np.sqrt(K[0, 0] * K[1, 1]) for K in layers])
    corr, corr_next = np.array(found).T
    # arccos loses half of the digits at c = 1, but f does not: f' is bounded
    return Observation({"p": 9, "corr": np.clip(corr, -1.0, 1.0), "corr_next": corr_next}, ROUNDING)


def even_pairs(rng: np.random.Generator) -> Iterator[list[tuple[np.ndarray, np.ndarray, float]]]:
    """R, levels (2, C) of two even images of three channels, v."""
    yield [(R, rng.normal(size=(2, 3)), float(rng.uniform(0.05, 0.4))) for _ in range(6) for R in correlations(rng, 3)]


@cache
def two_even_inputs() -> Experiment:
    """Two even inputs, two layers."""
    return Experiment("two even inputs", even_pairs, observe_even_pair)
