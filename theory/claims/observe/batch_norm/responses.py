"""Responses of a linear layer with batch normalisation, in inference and in training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.batch_norm import NormedLayer
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS
from theory.claims.observe.rationals import Number, dot, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

SIDE = 3
"""Images of the layer route; a kernel covers one."""


@dataclass(frozen=True, eq=False)
class Inference:
    """A layer and one input (N,)."""

    layer: NormedLayer
    x: FloatArray


def _random_layer(rng: np.random.Generator, rows: int, columns: int, *, biased: bool) -> NormedLayer:
    return NormedLayer.create(
        rng.normal(size=(rows, columns)),
        rng.normal(size=rows),
        rng.uniform(0.05, 4.0, rows),
        bias=rng.normal(size=rows) if biased else None,
        beta=rng.normal(size=rows),
        running_mean=rng.normal(size=rows),
        # torch trains with eps > 0 only
        eps=float(rng.choice([1e-5, 0.25])),
    )


def _draws(rng: np.random.Generator, *, biased: bool) -> Iterator[Inference]:
    for rows, columns in ((1, 1), (3, 2), (2, 5), (6, SIDE**2), (4, 2 * SIDE**2)) * 6:
        yield Inference(_random_layer(rng, rows, columns, biased=biased), rng.normal(size=columns))


def _observed(draw: Inference, response: FloatArray) -> Observation:
    layer = draw.layer
    std = np.sqrt(layer.running_var + layer.eps)
    values = {
        "p": len(layer.W),
        "fan_in": layer.W.shape[1],
        "W": layer.W,
        "X": draw.x,
        "b": layer.bias,
        "gamma": layer.gamma,
        "beta": layer.beta,
        "mu": layer.running_mean,
        "std": std,
        "response": response,
    }
    size = np.abs(layer.W) @ np.abs(draw.x) + np.abs(layer.running_mean) + np.abs(layer.bias)
    size *= np.abs(layer.gamma) / std
    return Observation(values, float(16 * EPS * (layer.W.shape[1] + 4) * (1 + size.max() + np.abs(layer.beta).max())))


def observe(draw: Inference) -> Observation:
    """The NumPy route: Eq. (14) step by step."""
    return _observed(draw, draw.layer.respond(draw.x[None])[0])


@on_layers
def observe_layer(draw: Inference) -> Observation:
    """BatchNorm1d behind Linear, or BatchNorm2d behind Conv2d where the input is an image."""
    from sim.cnn.batch_norm import conv_respond, layer_respond

    if draw.layer.W.shape[1] % SIDE**2 == 0:
        return _observed(draw, conv_respond(draw.layer, draw.x[None], SIDE)[0])
    return _observed(draw, layer_respond(draw.layer, draw.x[None])[0])


Neuron = tuple[Number, Number, Number, Number, Number, Number, Number]
"""w, x, b, gamma, beta, mu and std of one neuron with one input; its variance is std^2 - 1/2, its eps 1/2."""


def _neurons(*, biased: bool) -> Iterator[Neuron]:
    small = [Fraction(1), Fraction(2), Fraction(-1)]
    biases = [Fraction(1), Fraction(-2)] if biased else [Fraction(0)]
    yield from product([Fraction(1)], small, biases, small[1:], [Fraction(0), Fraction(1)], small[:2], small[:2])


def _observe_exact(neuron: Neuron) -> Values:
    w, x, b, gamma, beta, mu, std = (Fraction(v) for v in neuron)
    return {
        "p": 1,
        "fan_in": Fraction(1),
        "W": [[w]],
        "X": [x],
        "b": [b],
        "gamma": [gamma],
        "beta": [beta],
        "mu": [mu],
        "std": [std],
        "response": [(dot([w], [x]) + b - mu) / std * gamma + beta],
    }


def _lower(neuron: Neuron) -> Inference:
    w, x, b, gamma, beta, mu, std = (float(v) for v in neuron)
    layer = NormedLayer.create([[w]], [gamma], [std**2 - 0.5], bias=[b], beta=[beta], running_mean=[mu], eps=0.5)
    return Inference(layer, np.array([x]))


def _describe(neuron: Neuron) -> tuple[tuple[str, str], ...]:
    return tuple(zip(("W", "x", "b", "gamma", "beta", "mu", "std"), map(str, neuron), strict=True))


@cache
def inference(*, biased: bool = False) -> Experiment:
    """One response in inference, with or without a bias before BN."""
    return Experiment(
        name=f"BN in inference{', with bias' if biased else ''}",
        sample=lambda rng: _draws(rng, biased=biased),
        observe=observe,
        exact=ExactRoute(lambda: _neurons(biased=biased), _observe_exact, _describe, _lower),
        layer=observe_layer,
    )


@dataclass(frozen=True, eq=False)
class Batches:
    """A layer of one neuron, two batches (K, N), and whether its statistics are fixed."""

    layer: NormedLayer
    a: FloatArray
    b: FloatArray
    fixed: bool


Respond = Callable[[NormedLayer, FloatArray, bool], FloatArray]
"""A layer, a batch (K, N), and whether the statistics are those of the batch, to responses (K, 1)."""


def _batches(rng: np.random.Generator) -> Iterator[Batches]:
    for k in range(30):
        columns, count = int(rng.integers(1, 5)), int(rng.integers(2, 6))
        layer = _random_layer(rng, 1, columns, biased=False)
        yield Batches(layer, rng.normal(size=(count, columns)), rng.normal(size=(count, columns)), k % 2 == 0)


def _observe_batches(draw: Batches, respond: Respond) -> Observation:
    parts = (draw.a, draw.b, (draw.a + draw.b) / 2)
    a, b, mid = (respond(draw.layer, part, not draw.fixed)[:, 0] for part in parts)
    values = {"p": len(a), "response_a": a, "response_b": b, "response_mid": mid, "fixed": np.asarray(draw.fixed)}
    z = [part @ draw.layer.W[0] for part in parts]
    size = np.abs(z).max() + np.abs(draw.layer.running_mean).max()
    # a batch of nearly equal pre-activations is divided by their small deviation
    variance = draw.layer.running_var[0] if draw.fixed else min(part.var() for part in z)
    deviation = np.sqrt(variance + draw.layer.eps)
    scale = 1 + np.abs(draw.layer.beta).max() + np.abs(draw.layer.gamma).max() * size / deviation
    return Observation(values, float(64 * EPS * (draw.a.shape[1] + 4) * scale))


def observe_batches(draw: Batches) -> Observation:
    """The NumPy route."""

    def respond(layer: NormedLayer, X: FloatArray, training: bool) -> FloatArray:
        return layer.respond_in_training(X) if training else layer.respond(X)

    return _observe_batches(draw, respond)


@on_layers
def observe_batches_layer(draw: Batches) -> Observation:
    """BatchNorm1d behind Linear, in training or in evaluation mode."""
    from sim.cnn.batch_norm import layer_respond

    return _observe_batches(draw, lambda layer, X, training: layer_respond(layer, X, training=training))


Pair = tuple[tuple[Fraction, ...], tuple[Fraction, ...], bool]
"""Two batches of two numbers each, and whether mean 0 and variance 1 are fixed; W = gamma = 1, beta = eps = 0."""


def _pairs() -> Iterator[Pair]:
    numbers = [Fraction(v) for v in (0, 1, 2, 4, 5)]
    for a, b in product(product(numbers, repeat=2), repeat=2):
        for fixed in (False, True):
            yield a, b, fixed


def _observe_pair(pair: Pair) -> Values:
    a, b, fixed = pair
    parts = [a, b, [(u + v) / 2 for u, v in zip(a, b, strict=True)]]
    if not fixed and any(part[0] == part[1] for part in parts):
        return {}
    responses = [part if fixed else _standardised(part) for part in parts]
    return {
        "p": 2,
        "response_a": responses[0],
        "response_b": responses[1],
        "response_mid": responses[2],
        "fixed": fixed,
    }


def _standardised(batch: Sequence[Fraction]) -> list[Fraction]:
    """(z - mean)/deviation of two numbers, whose deviation is half their distance."""
    mean, deviation = sum(batch, Fraction(0)) / 2, abs(batch[0] - batch[1]) / 2
    return [(z - mean) / deviation for z in batch]


def _lower_pair(pair: Pair) -> Batches:
    a, b = (np.array(part, dtype=float)[:, None] for part in pair[:2])
    return Batches(NormedLayer.create([[1.0]], [1.0], [1.0], eps=0.0), a, b, pair[2])


@cache
def batches() -> Experiment:
    """Two batches and the one halfway between them, with fixed statistics and with those of the batch."""
    return Experiment(
        name="BN on batches",
        sample=_batches,
        observe=observe_batches,
        exact=ExactRoute(
            _pairs,
            _observe_pair,
            lambda x: (("A", text(x[0])), ("B", text(x[1])), ("statistics", "fixed" if x[2] else "of the batch")),
            _lower_pair,
        ),
        layer=observe_batches_layer,
    )
