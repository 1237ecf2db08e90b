"""Layers multiplied by a number: one of them, and all layers of a deep linear network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import prod

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import chain_map
from theory.claims.observe.batch_norm.scaled_rows import with_spectrum
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Network:
    """Matrices W^1, ..., W^L that chain, and a factor for each."""

    weights: tuple[FloatArray, ...]
    alphas: tuple[float, ...]


def _spectrum(matrix: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


def _rank(matrix: FloatArray) -> int:
    s = _spectrum(matrix)
    return int((s > ROUNDING * s.max()).sum())


Spectrum = Callable[[FloatArray], FloatArray]
Rank = Callable[[FloatArray], int]
ROUNDING = 1e-9
"""Singular values up to this share of the largest count as zero."""


def _single(rng: np.random.Generator) -> Iterator[Network]:
    for k, (rows, columns) in enumerate(((1, 1), (3, 2), (2, 4), (5, 5)) * 8):
        s = rng.uniform(0.2, 2.0, min(rows, columns))
        s[: int(rng.integers(min(rows, columns)))] = 0.0
        alpha = 0.0 if k % 5 == 0 else float(rng.choice([-1.0, 1.0]) * np.exp(rng.normal(0.0, 1.0)))
        yield Network((with_spectrum(rng, rows, columns, s),), (alpha,))


def _single_values(
    draw: Network, matrices: tuple[FloatArray, FloatArray], spectrum: Spectrum, rank: Rank
) -> Observation:
    """matrices: of W, and of alpha W."""
    before, after = (spectrum(matrix) for matrix in matrices)
    values = {
        "p": len(before),
        "alpha": draw.alphas[0],
        "s": before[::-1],
        "scaled": after[::-1],
        "rank": float(rank(matrices[0])),
        "rank_scaled": float(rank(matrices[1])),
    }
    return Observation(
        values, float(64 * EPS * max(matrices[0].shape) * (1 + abs(draw.alphas[0])) * (1 + before.max()))
    )


def observe_single(draw: Network) -> Observation:
    """The NumPy route: the SVD of W and of alpha W."""
    return _single_values(draw, (draw.weights[0], draw.alphas[0] * draw.weights[0]), _spectrum, _rank)


@on_layers
def observe_single_layer(draw: Network) -> Observation:
    """BatchNorm1d behind Linear: gamma = std for W, gamma = alpha std for alpha W; the Jacobians by autograd."""
    from sim.batch_norm import NormedLayer
    from sim.cnn.batch_norm import jacobian
    from sim.cnn.measured import matrix_rank, singular_values

    W = draw.weights[0]
    variance = np.linspace(0.75, 3.75, len(W))
    first, second = (
        jacobian(NormedLayer.create(W, factor * np.sqrt(variance + 0.25), variance, eps=0.25))
        for factor in (1.0, draw.alphas[0])
    )
    return _single_values(draw, (first, second), singular_values, lambda J: matrix_rank(J, ROUNDING))


Diagonals = tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...]]
"""The diagonals of W^1, ..., W^L, and their factors."""


def _exact_single() -> Iterator[Diagonals]:
    for alpha in (Fraction(v) for v in (1, 0, 2, -1, "1/2", -3)):
        for s in ((1,), (0,), (1, 2), (0, 1), (2, 3)):
            yield (tuple(Fraction(v) for v in s),), (alpha,)


def _observe_exact_single(instance: Diagonals) -> Values:
    (diagonal,), (alpha,) = instance
    s, scaled = sorted(abs(v) for v in diagonal), sorted(abs(alpha * v) for v in diagonal)
    return {
        "p": len(s),
        "alpha": alpha,
        "s": s,
        "scaled": scaled,
        "rank": Fraction(sum(v > 0 for v in s)),
        "rank_scaled": Fraction(sum(v > 0 for v in scaled)),
    }


def _describe(instance: Diagonals) -> tuple[tuple[str, str], ...]:
    return ("W", ", ".join(f"diag{text(row)}" for row in instance[0])), ("alpha", text(instance[1]))


def _lower(instance: Diagonals) -> Network:
    return Network(tuple(np.diag([float(v) for v in row]) for row in instance[0]), tuple(float(v) for v in instance[1]))


@cache
def one_layer() -> Experiment:
    """The singular values and the rank of W and of alpha W."""
    return Experiment(
        name="one rescaled layer",
        sample=_single,
        observe=observe_single,
        exact=ExactRoute(_exact_single, _observe_exact_single, _describe, _lower),
        layer=observe_single_layer,
    )


def _networks(rng: np.random.Generator) -> Iterator[Network]:
    for k, widths in enumerate(((1, 1), (2, 2, 2), (3, 4, 2), (4, 4, 4, 4, 4)) * 8):
        weights = tuple(
            with_spectrum(rng, after, before, rng.uniform(0.5, 2.0, min(before, after)))
            for before, after in pairwise(widths)
        )
        alphas = rng.choice([-1.0, 1.0], len(weights)) * np.exp(rng.normal(0.0, 0.5, len(weights)))
        if k % 2:
            alphas[-1] = rng.choice([-1.0, 1.0]) / np.prod(alphas[:-1])
        yield Network(weights, tuple(float(v) for v in alphas))


def _network_values(draw: Network, end: FloatArray, scaled: FloatArray, spectrum: Spectrum) -> Observation:
    s, s_scaled = spectrum(end), spectrum(scaled)
    values = {"p": len(s), "end": s, "end_scaled": s_scaled, "alpha_product": prod(draw.alphas)}
    size = (1 + s.max()) * (1 + s_scaled.max()) * (1 + float(np.prod(np.abs(draw.alphas))))
    return Observation(values, float(64 * EPS * len(draw.weights) * max(end.shape) * size))


def observe_network(draw: Network) -> Observation:
    """The NumPy route: the SVD of the product."""
    scaled = [alpha * W for alpha, W in zip(draw.alphas, draw.weights, strict=True)]
    return _network_values(draw, chain_map(draw.weights), chain_map(scaled), _spectrum)


@on_layers
def observe_network_layer(draw: Network) -> Observation:
    """A chain of torch.nn.Linear, run on the unit vectors."""
    import torch

    from sim.cnn.linear_chain import linear_chain
    from sim.cnn.measured import singular_values

    scaled = [alpha * W for alpha, W in zip(draw.alphas, draw.weights, strict=True)]
    units = torch.eye(draw.weights[0].shape[1], dtype=torch.float64)
    with torch.no_grad():
        before, after = (linear_chain(chain)(units).numpy().T for chain in (draw.weights, scaled))
    return _network_values(draw, before, after, singular_values)


def _exact_networks() -> Iterator[Diagonals]:
    factors = tuple(Fraction(v) for v in (1, 2, "1/2", -1, 3))
    diagonals = ((1, 1), (2, 1), (3, 2))
    for depth in (1, 2):
        for alphas in product(factors, repeat=depth):
            for s in product(diagonals, repeat=depth):
                yield tuple(tuple(Fraction(v) for v in row) for row in s), alphas


def _observe_exact_network(instance: Diagonals) -> Values:
    diagonals, alphas = instance
    modes = [prod(row, start=Fraction(1)) for row in zip(*diagonals, strict=True)]
    total = prod(alphas, start=Fraction(1))
    return {
        "p": len(modes),
        "end": sorted((abs(v) for v in modes), reverse=True),
        "end_scaled": sorted((abs(total * v) for v in modes), reverse=True),
        "alpha_product": total,
    }


@cache
def network() -> Experiment:
    """The singular values of a deep linear network, as it is and with rescaled layers."""
    return Experiment(
        name="rescaled networks",
        sample=_networks,
        observe=observe_network,
        exact=ExactRoute(_exact_networks, _observe_exact_network, _describe, _lower),
        layer=observe_network_layer,
    )
