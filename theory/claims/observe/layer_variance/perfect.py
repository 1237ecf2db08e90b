"""Perfectly correlated inputs sent through convolutions: do responses stay the same at all positions?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.arrays import FloatArray
from sim.layer_variance import BORDERS, Responses, responses
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Network:
    """One network of square filters, its inputs c (channels,) the same at all size x size positions.

    filters: one array (1, c_out, c_in, k, k) for each layer.
    """

    c: FloatArray
    size: int
    filters: tuple[FloatArray, ...]
    border: str

    @property
    def k(self) -> int:
        """The width of the filters."""
        return int(self.filters[0].shape[-1])


@dataclass(frozen=True)
class ExactNetwork:
    """One layer of one channel in rationals: inputs 1 at size x size positions, a k x k filter row by row."""

    size: int
    k: int
    filter: tuple[Fraction, ...]
    border: str


def _spreads(found: Sequence[FloatArray], k: int) -> tuple[float, FloatArray, float]:
    """The largest spread over layers, that of the last layer by distance from the border, and the largest response."""
    last = found[-1][0]
    margins = np.zeros((len(found) * (k // 2)) + 1)
    for b in range(len(margins)):
        inside = last[:, b : last.shape[1] - b, b : last.shape[2] - b]
        margins[b] = np.ptp(inside, axis=(1, 2)).max() if inside.size else 0.0
    return max(np.ptp(y[0], axis=(1, 2)).max() for y in found), margins, max(np.abs(y).max() for y in found)


def _observe(networks: Sequence[Network], through: Responses) -> Observation:
    seen = []
    for net in networks:
        x = np.broadcast_to(net.c[None, :, None, None], (1, len(net.c), net.size, net.size))
        seen.append(_spreads(through(x, net.filters, net.border), net.k))
    first = networks[0]
    values = {
        "p": 1,
        "l": len(first.filters),
        "reach": first.k // 2,
        "spread": np.array([s for s, _, _ in seen]),
        "spread_from": np.stack([margins for _, margins, _ in seen], axis=-1),
        "zero_padded": np.array([net.border == "zero" and net.k > 1 for net in networks]),
    }
    terms = first.k**2 * max(w.shape[2] for w in first.filters) * len(first.filters)
    return Observation(values, 64 * EPS * terms * (1.0 + np.array([largest for _, _, largest in seen])))


def observe(networks: Sequence[Network]) -> Observation:
    """The NumPy route."""
    return _observe(networks, responses)


@on_layers
def observe_layer(networks: Sequence[Network]) -> Observation:
    """The PyTorch route."""
    from sim.cnn.relu_stack import layer_responses

    return _observe(networks, layer_responses)


def observe_exact(net: ExactNetwork) -> Values:
    """The rational route, for one layer."""
    before, zero = (net.k - 1) // 2, net.border == "zero"

    def pixel(row: int, column: int) -> int:
        return int(not zero or (0 <= row < net.size and 0 <= column < net.size))

    y = [
        [
            sum(
                (
                    net.filter[a * net.k + b] * pixel(row + a - before, column + b - before)
                    for a in range(net.k)
                    for b in range(net.k)
                ),
                Fraction(0),
            )
            for column in range(net.size)
        ]
        for row in range(net.size)
    ]
    spread = []
    for margin in range(net.k // 2 + 1):
        inside = [v for row in y[margin : net.size - margin] for v in row[margin : net.size - margin]]
        spread.append(max(inside) - min(inside) if inside else Fraction(0))
    return {
        "p": 1,
        "l": 1,
        "reach": net.k // 2,
        "spread": spread[0],
        "spread_from": spread,
        "zero_padded": zero and net.k > 1,
    }


def describe(net: ExactNetwork) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (
        ("image", f"{net.size} x {net.size} of 1"),
        ("filter", f"{net.k} x {net.k}, {text(net.filter)}"),
        ("border", net.border),
        ("l", "1"),
    )


def lower(net: ExactNetwork) -> list[Network]:
    """An exact instance as a float batch of one."""
    w = np.array(net.filter, dtype=np.float64).reshape(1, 1, 1, net.k, net.k)
    return [Network(np.ones(1), net.size, (w,), net.border)]


def _networks(rng: np.random.Generator, borders: Sequence[str], sizes: range) -> Iterator[list[Network]]:
    for k in (1, 2, 3):
        for depth in (1, 2, 3):
            batch = []
            for border in borders:
                for channels in (1, 3):
                    fan_in = [int(rng.integers(1, 4)), *[channels] * (depth - 1)]
                    filters = tuple(rng.normal(size=(1, channels, c, k, k)) / (k * np.sqrt(c)) for c in fan_in)
                    size = k**depth if border == "disjoint" else int(rng.integers(sizes.start, sizes.stop))
                    batch.append(Network(rng.uniform(0.5, 2.0, fan_in[0]), size, filters, border))
            yield batch


def _exact_networks(borders: Sequence[str]) -> Iterator[ExactNetwork]:
    for k, fewest in ((1, 1), (2, 1), (3, 1)):
        for size in range(fewest, 5):
            for filter in ((1,) * k**2, tuple(range(1, k**2 + 1))):
                for border in borders:
                    yield ExactNetwork(size, k, tuple(Fraction(w) for w in filter), border)


@cache
def perfect_inputs() -> Experiment:
    """Every border: circular, zero, none, and windows that share no input."""
    route = ExactRoute(lambda: _exact_networks(("circular", "zero")), observe_exact, describe, lower)
    return Experiment(
        "perfectly correlated inputs",
        lambda rng: _networks(rng, BORDERS, range(7, 10)),
        observe,
        route,
        observe_layer,
    )


@cache
def zero_padded_insides() -> Experiment:
    """Zero padding, images large enough to have an inside."""
    route = ExactRoute(lambda: _exact_networks(("zero",)), observe_exact, describe, lower)
    return Experiment(
        "perfectly correlated inputs, zero padding",
        lambda rng: _networks(rng, ("zero",), range(8, 12)),
        observe,
        route,
        observe_layer,
    )
