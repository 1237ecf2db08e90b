"""Cell (C) as real convolutions of stride 1, whose windows overlap: on rings and on tori, which may wrap."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.layer_variance import Stack, measure
from sim.mean_field import relu_correlation
from theory.claims.observe.layer_variance.stacks import (
    DRAWS,
    LAYER_DRAWS,
    Drawn,
    Measure,
    looked_at,
    moments_of,
    parameters,
    variances,
)
from theory.claims.observe.layers import on_layers
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True)
class ExactTorus:
    """Weights +-1, inputs +-1 on size x size positions."""

    k: int
    size: int
    depth: int


def path_pairs(k: int, m: int, layers: int, dims: int = 2) -> FloatArray:
    """Pairs of paths through `layers` box filters of width k that end at each offset of a torus, (m^dims,).

    The autocorrelation of the layers-fold convolution of the box with itself, on a ring of m positions; in two
    dimensions the outer product, row by row. Sums to n^(2 layers), n = k^dims. Whole numbers, exact below 2^53.
    """
    line = np.zeros(m)
    line[0] = 1.0
    for _ in range(layers):
        for sign in (1, -1):
            line = np.sum([np.roll(line, sign * t) for t in range(k)], axis=0)
    return np.asarray(line if dims == 1 else np.outer(line, line).ravel())


def window_overlap(k: int, m: int, dims: int = 2) -> FloatArray:
    """How many positions two windows of width k <= m share at each offset of a torus, (m^dims,)."""
    return path_pairs(k, m, 1, dims)


def sign_kernel(n: int, shared: int) -> Fraction:
    """E[relu(S) relu(S')] / E[relu(S)^2] for sums of n signs of which `shared` are common to both."""
    total = Fraction(0)
    for common, own, other in product(range(shared + 1), range(n - shared + 1), range(n - shared + 1)):
        ways = math.comb(shared, common) * math.comb(n - shared, own) * math.comb(n - shared, other)
        both = [max(2 * (common + part) - n, 0) for part in (own, other)]
        total += Fraction(ways * both[0] * both[1], 2 ** (2 * n - shared))
    return total / Fraction(n, 2)


AfterRelu = Callable[[FloatArray], FloatArray]
"""Correlations c of Gaussian responses to E[x x']/E[x^2] after ReLU."""


def _kernel(stack: Stack, shared: FloatArray, after_relu: AfterRelu) -> FloatArray:
    if stack.input_law == "signs":
        return np.array([float(sign_kernel(stack.n, int(count))) for count in shared])
    return after_relu(shared / stack.n)


def _observe(drawn: Drawn, averages: Measure, after_relu: AfterRelu) -> Observation:
    entries = list(looked_at(drawn, moments_of(drawn, averages)))
    values, tolerance = variances(entries)
    pairs, shared, kernel = [], [], []
    for stack, _, layer in entries:
        size = stack.image[1]
        pairs.append(path_pairs(stack.k, size, layer - 1, stack.dims))
        shared.append(window_overlap(stack.k, size, stack.dims))
        kernel.append(_kernel(stack, shared[-1], after_relu))
    positions = {"p": len(pairs[0]), "pairs": np.array(pairs).T, "overlap": np.array(shared).T}
    return Observation({**parameters(entries), **values, **positions, "kernel": np.array(kernel).T}, tolerance)


@lru_cache(maxsize=256)
def observe(drawn: Drawn) -> Observation:
    """The NumPy route."""
    return _observe(drawn, measure, relu_correlation)


@on_layers
def observe_layer(drawn: Drawn) -> Observation:
    """The PyTorch route."""
    from sim.cnn import measured

    return _observe(drawn, measured.stack_moments, measured.relu_correlation)


def _torus(k: int, size: int, dims: int, law: str, v: float, depth: int = 4) -> Stack:
    return Stack(
        k,
        depth,
        dims=dims,
        size=size,
        v=v,
        weight_law="signs",
        weight_correlation=1.0,
        input_law=law,
    )


def _random(
    rng: np.random.Generator, laws: Sequence[str], shapes: Sequence[tuple[int, int, int]], draws: int
) -> Iterator[Drawn]:
    for number, (k, size, dims) in enumerate(shapes):
        # every other network shrinks from layer to layer, whatever its inputs: n^2 v/2 < 1/pi
        low, high = (0.3, 1.5) if number % 2 else (0.1 / k ** (2 * dims), 0.5 / k ** (2 * dims))
        stacks = tuple(_torus(k, size, dims, law, rng.uniform(low, high)) for law in laws)
        yield Drawn(stacks, ((1, 2, 3, 4),) * len(stacks), int(rng.integers(2**32)), draws)


SQUARE = ((1, 2, 2), (2, 7, 2), (2, 3, 2), (3, 5, 2))
"""(k, size, dimensions): images of which some are wrapped around by the paths."""
ANY = (*SQUARE, (2, 6, 1), (4, 7, 1))


def observe_exact(torus: ExactTorus) -> Values:
    """The rational route: every input pattern and every sign of every layer's weight, counted."""
    k, m, n = torus.k, torus.size, torus.k**2
    places = list(product(range(m), repeat=2))
    totals = [0] * torus.depth
    for signs in product((1, -1), repeat=m * m):
        start = dict(zip(places, signs, strict=True))
        for word in product((1, -1), repeat=torus.depth):
            x = start
            for layer, w in enumerate(word):
                y = {
                    (a, b): w * sum(x[(a + c) % m, (b + d) % m] for c in range(k) for d in range(k)) for a, b in places
                }
                totals[layer] += y[0, 0] ** 2
                x = {place: max(value, 0) for place, value in y.items()}
    cases = 2 ** (m * m + torus.depth)
    line = [[1 if e == 0 else 0 for e in range(m)]]
    for _ in range(2 * (torus.depth - 1)):
        line.append([sum(line[-1][(e - c) % m] for c in range(k)) for e in range(m)])
    # the box was convolved forwards only: its autocorrelation is centred on (depth - 1) (k - 1)
    centre = (torus.depth - 1) * (k - 1)
    row = [line[-1][(e + centre) % m] for e in range(m)]
    shared_row = [sum((c - e) % m < k for c in range(k)) for e in range(m)]
    shared = [a * b for a in shared_row for b in shared_row]
    return {
        "p": m * m,
        "k": k,
        "n": n,
        "l": torus.depth,
        "v": Fraction(1),
        "q": Fraction(1),
        "var_l": Fraction(totals[-1], cases),
        "var_1": Fraction(totals[0], cases),
        "pairs": [Fraction(a * b) for a in row for b in row],
        "overlap": [Fraction(count) for count in shared],
        "kernel": [sign_kernel(n, count) for count in shared],
    }


def describe(torus: ExactTorus) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (
        ("k", str(torus.k)),
        ("l", str(torus.depth)),
        ("weights", "equal, +-1"),
        ("inputs", f"independent, +-1, on a torus of {torus.size} x {torus.size}"),
    )


@cache
def lower(torus: ExactTorus) -> Drawn:
    """An exact instance as a batch of one."""
    return Drawn((_torus(torus.k, torus.size, 2, "signs", 1.0, torus.depth),), ((torus.depth,),), seed=0)


def _exact() -> Iterator[ExactTorus]:
    for depth in (1, 2, 3):
        yield ExactTorus(1, 1, depth)
    for size, deepest in ((3, 2), (2, 3)):
        for depth in range(1, deepest + 1):
            yield ExactTorus(2, size, depth)


@cache
def square_filters() -> Experiment:
    """k x k filters, inputs Gaussian or signs."""
    return Experiment(
        "cell C, overlapping windows",
        lambda rng: _random(rng, ("signs", "normal"), SQUARE, DRAWS),
        observe,
        ExactRoute(_exact, observe_exact, describe, lower),
        observe_layer,
        lambda rng: _random(rng, ("signs", "normal"), SQUARE, LAYER_DRAWS),
    )


@cache
def gaussian_inputs() -> Experiment:
    """k x k filters and rows of k, Gaussian inputs; one row so often that a few percent show."""

    def sample(rng: np.random.Generator) -> Iterator[Drawn]:
        yield from _random(rng, ("normal",), ANY, DRAWS)
        row = _torus(6, 11, 1, "normal", rng.uniform(0.3, 1.5), depth=2)
        yield Drawn((row,), ((2,),), int(rng.integers(2**32)), 15 * DRAWS)

    return Experiment(
        "cell C, overlapping windows, Gaussian inputs",
        sample,
        observe,
        layer=observe_layer,
        layer_sample=lambda rng: _random(rng, ("normal",), ANY, LAYER_DRAWS),
    )
