"""Singular values of products of matrices, all of whose singular values are in the band."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise, product

import numpy as np

from sim.arrays import FloatArray
from sim.deep_linear import chain_map
from theory.claims.observe.deep_linear.reach_factors import closest_product
from theory.claims.observe.exact_spectra import ROTATIONS, squared_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, Exact, banded, diagonal, orthonormal, shown, times
from theory.experiment import ExactRoute, Experiment, Observation, Values

SQUARE = ((1, 1), (2, 2), (3, 3, 3), (4, 4, 4, 4, 4))
ANY = ((1, 2, 1), (2, 3, 2), (3, 2, 4), (4, 6, 3, 5), (3, 7, 3), (2, 1, 2), (5, 6, 6, 5))

Map = Callable[[Sequence[FloatArray]], FloatArray]
"""Matrices to their product W^L ... W^1."""


@on_layers
def layer_map(weights: Sequence[FloatArray]) -> FloatArray:
    """The responses of a chain of torch.nn.Linear to the unit vectors."""
    import torch

    from sim.cnn.linear_chain import linear_chain

    with torch.no_grad():
        return linear_chain(weights)(torch.eye(weights[0].shape[1], dtype=torch.float64)).numpy().T


@dataclass(frozen=True, eq=False)
class Chain:
    """Matrices W^1, ..., W^L in the band of eps."""

    weights: tuple[FloatArray, ...]
    eps: float


def _chains(rng: np.random.Generator, shapes: Sequence[tuple[int, ...]]) -> Iterator[Chain]:
    for eps in (0.05, 0.5):
        for k, widths in enumerate((*shapes,) * 5):
            weights = [banded(rng, above, below, eps) for below, above in pairwise(widths)]
            if k % 3 == 0:
                # the extremes: everything at one end of the band
                end = (1 + eps) ** (-1.0 if k % 2 else 1.0)
                weights = [end * _orthogonal(rng, above, below) for below, above in pairwise(widths)]
            yield Chain(tuple(weights), eps)


def _orthogonal(rng: np.random.Generator, rows: int, columns: int) -> FloatArray:
    return orthonormal(rng, rows, columns) if rows >= columns else orthonormal(rng, columns, rows).T


def _widths(weights: Sequence[FloatArray | Exact]) -> tuple[int, int]:
    """`kept` and `narrowest` of a chain."""
    sizes = [len(weights[0][0]), *(len(W) for W in weights)]
    return sizes[0] - sum(max(0, below - above) for below, above in pairwise(sizes)), min(sizes)


def observe_chain(draw: Chain, by: Map = chain_map) -> Observation:
    """The NumPy route: the SVD of the product."""
    s = np.linalg.svd(by(draw.weights), compute_uv=False)
    kept, narrowest = _widths(draw.weights)
    values = {
        "p": len(s),
        "depth": len(draw.weights),
        "eps": draw.eps,
        "power": s**2,
        "kept": kept,
        "narrowest": narrowest,
    }
    return Observation(values, 64 * EPS * max(map(len, draw.weights)) * (1 + draw.eps) ** (2 * len(draw.weights)))


ExactChain = tuple[tuple[Exact, ...], Fraction]


def _exact_chains(shapes: Sequence[tuple[int, ...]]) -> Iterator[ExactChain]:
    eps = Fraction(1)
    for widths in shapes:
        options = [list(_exact_matrices(above, below, eps)) for below, above in pairwise(widths)]
        for weights in product(*options):
            yield weights, eps


def _exact_matrices(rows: int, columns: int, eps: Fraction) -> Iterator[Exact]:
    """Rational matrices in the band with at most two rows or columns, simplest first."""
    top = 1 + eps
    for s in product((Fraction(1), top, 1 / top), repeat=min(rows, columns)):
        W = diagonal(s, rows, columns)
        yield W
        if rows == 2:
            yield from (times(turn, W) for turn in ROTATIONS[1:])
        elif columns == 2:
            yield from (times(W, turn) for turn in ROTATIONS[1:])


def _observe_exact(instance: ExactChain) -> Values:
    weights, eps = instance
    power = squared_singular_values(reduce(lambda total, W: times(W, total), weights))
    if power is None:
        return {}
    kept, narrowest = _widths(weights)
    return {
        "p": len(power),
        "depth": Fraction(len(weights)),
        "eps": eps,
        "power": power[::-1],
        "kept": Fraction(kept),
        "narrowest": Fraction(narrowest),
    }


def _describe(instance: ExactChain) -> tuple[tuple[str, str], ...]:
    weights, eps = instance
    return *((f"W{layer + 1}", shown(W)) for layer, W in enumerate(weights)), ("eps", str(eps))


def _lower(instance: ExactChain) -> Chain:
    weights, eps = instance
    return Chain(tuple(np.array(W, dtype=float) for W in weights), float(eps))


@cache
def chains(*, square: bool) -> Experiment:
    """Random matrices in the band, of equal widths or of any, multiplied."""
    shapes, exact = (SQUARE, ((1, 1), (2, 2), (2, 2, 2))) if square else (ANY, ((1, 2, 1), (2, 1, 2), (1, 2, 2)))
    return Experiment(
        name=f"products in the band, {'equal' if square else 'any'} widths",
        sample=lambda rng: _chains(rng, shapes),
        observe=observe_chain,
        exact=ExactRoute(lambda: _exact_chains(exact), _observe_exact, _describe, _lower, limit=800),
        layer=lambda draw: observe_chain(draw, layer_map),
    )


@dataclass(frozen=True, eq=False)
class Task:
    """Matrices in the band before a task C^yx = U diag(sigma) V^T; whether they are aligned with it and closest."""

    weights: tuple[FloatArray, ...]
    U: FloatArray
    V: FloatArray
    sigma: FloatArray
    eps: float
    aligned: bool


def _tasks(rng: np.random.Generator) -> Iterator[Task]:
    for modes, depth, eps in product((1, 2, 4), (1, 3), (0.1, 0.5)):
        for turn in (0.0, 0.01, 0.2, 5.0):
            sigma = np.sort((1 + eps) ** (depth * rng.uniform(-3.0, 3.0, modes)))[::-1]
            frames = [orthonormal(rng, modes, modes) for _ in range(depth + 1)]
            share = closest_product(sigma, eps, depth) ** (1 / depth)
            weights = []
            for down, up in pairwise(frames):
                nearby, _ = np.linalg.qr(np.eye(modes) + turn * rng.normal(size=(modes, modes)))
                weights.append((nearby if turn else np.eye(modes)) @ (up * share) @ down.T)
            yield Task(tuple(weights), frames[-1], frames[0], sigma, eps, turn == 0.0)


def observe_task(draw: Task, by: Map = chain_map) -> Observation:
    """The NumPy route: the distance of the product from the task."""
    distance = np.sum((draw.U * draw.sigma @ draw.V.T - by(draw.weights)) ** 2)
    values = {
        "p": len(draw.sigma),
        "depth": len(draw.weights),
        "eps": draw.eps,
        "sigmas": draw.sigma,
        "loss": distance / 2,
        "aligned": np.asarray(draw.aligned),
    }
    return Observation(
        values, 128 * EPS * len(draw.sigma) ** 2 * len(draw.weights) * (1 + float(draw.sigma.max()) ** 2)
    )


ExactTask = tuple[tuple[Fraction, Fraction], tuple[Exact, ...], Fraction]
"""A diagonal task, matrices, and eps."""


def _exact_tasks() -> Iterator[ExactTask]:
    numbers = tuple(Fraction(v) for v in (1, 4, 0, 8))
    eps = Fraction(1)
    for sigma in product(numbers, repeat=2):
        for W in _exact_matrices(2, 2, eps):
            yield (sigma[0], sigma[1]), (W,), eps


def _observe_exact_task(instance: ExactTask) -> Values:
    sigma, weights, eps = instance
    best = diagonal([min(max(v, 1 / (1 + eps)), 1 + eps) for v in sigma], 2, 2)
    goal = diagonal(sigma, 2, 2)
    pairs = zip(goal, weights[0], strict=True)
    distance = sum(((a - b) ** 2 for up, down in pairs for a, b in zip(up, down, strict=True)), Fraction(0))
    return {
        "p": 2,
        "depth": Fraction(1),
        "eps": eps,
        "sigmas": sigma,
        "loss": distance / 2,
        "aligned": weights[0] == best,
    }


def _lower_task(instance: ExactTask) -> Task:
    sigma, weights, eps = instance
    floats = tuple(np.array(W, dtype=float) for W in weights)
    aligned = bool(_observe_exact_task(instance)["aligned"])
    return Task(floats, np.eye(2), np.eye(2), np.array(sigma, dtype=float), float(eps), aligned)


@cache
def tasks() -> Experiment:
    """The loss of matrices in the band, near the best ones and far from them."""
    return Experiment(
        name="tasks in the band",
        sample=_tasks,
        observe=observe_task,
        exact=ExactRoute(
            _exact_tasks,
            _observe_exact_task,
            lambda x: (("sigma", shown((x[0],))), ("W1", shown(x[1][0])), ("eps", str(x[2]))),
            _lower_task,
        ),
        layer=lambda draw: observe_task(draw, layer_map),
    )


@dataclass(frozen=True, eq=False)
class Widening:
    """Singular values, descending, that two layers n -> m -> n in the band are to have as their product's."""

    target: FloatArray
    hidden: int
    eps: float


def _widenings(rng: np.random.Generator) -> Iterator[Widening]:
    for n, m in ((1, 2), (2, 3), (3, 4), (3, 5), (4, 9)):
        for eps in (0.05, 0.5, 1.0):
            top = (1 + eps) ** 2
            kept = max(2 * n - m, 0)
            target = np.concatenate([rng.uniform(1 / top, top, kept), rng.uniform(0.0, top, n - kept)])
            yield Widening(np.sort(target)[::-1], m, eps)


def build(target: FloatArray, hidden: int) -> tuple[FloatArray, FloatArray]:
    """W^1 (m, n) and W^2 (n, m) with the singular values of W^2 W^1, descending, as given (n,).

    Aligned in the first 2n - m directions; in each other one W^2 looks partly into a spare direction of the m. All
    factors are as near to 1 as that allows.
    """
    n = len(target)
    W1, W2 = np.zeros((hidden, n)), np.zeros((n, hidden))
    for k, sigma in enumerate(target):
        if k < 2 * n - hidden:
            W1[k, k] = W2[k, k] = np.sqrt(sigma)
        else:
            factor = max(1.0, np.sqrt(sigma))
            cosine = min(sigma / factor**2, 1.0)
            spare = n + k - max(2 * n - hidden, 0)
            W1[k, k] = factor
            W2[k, [k, spare]] = factor * cosine, factor * np.sqrt(1 - cosine**2)
    return W1, W2


def observe_widening(draw: Widening, by: Map = chain_map) -> Observation:
    """The construction, its singular values by SVD."""
    W1, W2 = build(draw.target, draw.hidden)
    factors = np.concatenate([np.linalg.svd(W, compute_uv=False) for W in (W1, W2)])
    values = {
        "p": len(draw.target),
        "eps": draw.eps,
        "target": draw.target,
        "built": np.linalg.svd(by((W1, W2)), compute_uv=False),
        "factor_least": factors.min(),
        "factor_greatest": factors.max(),
    }
    return Observation(values, 64 * EPS * draw.hidden * (1 + draw.eps) ** 2)


@cache
def widenings() -> Experiment:
    """Products with prescribed singular values through a wider layer; roots, so that there is no exact route."""
    return Experiment(
        name="products through a wider layer",
        sample=_widenings,
        observe=observe_widening,
        layer=lambda draw: observe_widening(draw, layer_map),
    )
