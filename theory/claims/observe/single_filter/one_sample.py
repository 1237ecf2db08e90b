"""The gradient of one sample, with the sample itself observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.exact import exact_sample_gradient
from sim.half_space import per_sample_gradients
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import WEIGHTS, simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class Samples:
    """One sample for each of B filters: X, w (B, p), w0_star (B,)."""

    X: np.ndarray
    w: np.ndarray
    w0_star: np.ndarray


def sample_batches(
    rng: np.random.Generator, sizes: tuple[int, ...] = (1, 2, 3, 5, 9), rows: int = 200
) -> Iterator[Samples]:
    """Random samples and filters; about half of them active."""
    for p in sizes:
        yield Samples(rng.normal(size=(rows, p)), rng.normal(size=(rows, p)), rng.uniform(0.25, 2.0, rows))


def observe(batch: Samples) -> Observation:
    """The NumPy route."""
    targets = batch.w0_star * batch.X[:, 0]
    gradient = per_sample_gradients(batch.X[:, None, :], targets[:, None], batch.w)[:, 0]
    return _observation(batch, gradient)


def _observation(batch: Samples, gradient: np.ndarray) -> Observation:
    p = batch.X.shape[1]
    values = {"p": p, "X": batch.X.T, "w": batch.w.T, "w0_star": batch.w0_star, "descent": -gradient.T}
    scale = (1.0 + np.abs(batch.w).sum(axis=1) + batch.w0_star) * (1.0 + np.abs(batch.X).sum(axis=1)) ** 2
    return Observation(values, 64.0 * EPS * p * scale)


@on_layers
def observe_layer(batch: Samples) -> Observation:
    """The PyTorch route: a convolution that sees this one patch."""
    from sim.cnn.conv_filter import sample_step
    from sim.samples import SampleSet

    targets = batch.w0_star * batch.X[:, 0]
    gradient = [
        sample_step(SampleSet(batch.X[n : n + 1], targets[n : n + 1]), batch.w[n], learning_rate=1.0).gradient
        for n in range(len(batch.X))
    ]
    return _observation(batch, np.array(gradient))


def candidates() -> Iterator[tuple[Vector, Vector, Fraction]]:
    """Samples, filters and w*_0 in two dimensions, simplest first."""
    for x0, x1, w0, w1, s in simplest_first(WEIGHTS[1:4], WEIGHTS[:4], WEIGHTS[:5], WEIGHTS[:5], WEIGHTS[1:2]):
        yield (x0, x1), (w0, w1), s


def observe_exact(instance: tuple[Vector, Vector, Fraction]) -> Values:
    """The rational route."""
    x, weights, s = instance
    gradient = exact_sample_gradient(x, s * x[0], weights)
    return {"p": len(x), "X": x, "w": weights, "w0_star": s, "descent": [-g for g in gradient]}


def describe(instance: tuple[Vector, Vector, Fraction]) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    x, weights, s = instance
    return (("X", text(x)), ("w", text(weights)), ("w0_star", text(s)))


def lower(instance: tuple[Vector, Vector, Fraction]) -> Samples:
    """An exact instance as a float batch of one."""
    x, weights, s = instance
    return Samples(np.array([x], dtype=float), np.array([weights], dtype=float), np.array([float(s)]))


@cache
def one_sample_gradient() -> Experiment:
    """The gradient of single samples, active or not."""
    return Experiment(
        name="gradient of one sample",
        sample=sample_batches,
        observe=observe,
        exact=ExactRoute(candidates, observe_exact, describe, lower),
        layer=observe_layer,
        layer_sample=lambda rng: sample_batches(rng, sizes=(1, 4, 9), rows=8),
    )
