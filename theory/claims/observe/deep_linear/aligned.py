"""Aligned deep linear networks: W^l = R^{l+1} S^l R^l^T, from planted frames, strengths and singular values.

The gradients in the frames hold for any S^l and S^yx, so some networks have entries off their diagonals as well: with
diagonal ones alone a transpose too many or too few would go unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise, product
from typing import Any

import numpy as np

from sim.deep_linear import LinearTask, Weights, chain_gradients, descend_chain
from theory.claims.observe.deep_linear.chains import (
    EPS,
    EXTRA,
    SIGNS,
    WIDEST,
    Array,
    Chain,
    Gradients,
    exact_gradient,
    exact_matrix,
    layer_gradients,
    matrix_text,
    padded,
    rounding,
    slopes,
    stacked,
)
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

UPDATES = 3
RATE = Fraction(1, 16)


@dataclass(frozen=True, eq=False)
class Aligned:
    """An aligned network with the parts it is made of; all floats or all fractions.

    frames: R^1 = V^x, ..., R^{L+1} = U^y, R^{l+1} (N_l, N_l). strengths: the diagonal of each S^l. sigmas: that of
    S^yx. chain: the network on its samples. beside: what each S^l, and last S^yx, has off its diagonal; (): nothing.
    """

    frames: tuple[Array, ...]
    strengths: tuple[Array, ...]
    sigmas: Array
    chain: Chain
    beside: tuple[Array, ...] = ()

    @property
    def floats(self) -> Aligned:
        """The same in floats."""
        frames, strengths, beside = (
            tuple(a.astype(np.float64) for a in part) for part in (self.frames, self.strengths, self.beside)
        )
        return Aligned(frames, strengths, self.sigmas.astype(np.float64), self.chain.floats, beside)

    @property
    def inner(self) -> tuple[Array, ...]:
        """S^1, ..., S^L, and S^yx."""
        return inner_matrices(self.frames, self.strengths, self.sigmas, self.beside)

    @property
    def smallest(self) -> int:
        """M, the smallest width."""
        return min(len(frame) for frame in self.frames)


def diagonal(values: Array, rows: int, columns: int) -> Array:
    """A rows x columns matrix with these on its diagonal."""
    exact = values.dtype == object
    matrix = exact_matrix(np.zeros((rows, columns), dtype=int).tolist()) if exact else np.zeros((rows, columns))
    for k, value in enumerate(values[: min(rows, columns)]):
        matrix[k, k] = value
    return matrix


def inner_matrices(
    frames: Sequence[Array], strengths: Sequence[Array], sigmas: Array, beside: Sequence[Array] = ()
) -> tuple[Array, ...]:
    """S^1, ..., S^L, and S^yx, from their diagonals and what is beside them."""
    shapes = [(len(above), len(below)) for below, above in (*pairwise(frames), (frames[0], frames[-1]))]
    found = [diagonal(values, *shape) for values, shape in zip((*strengths, sigmas), shapes, strict=True)]
    return tuple(found if not beside else (D + rest for D, rest in zip(found, beside, strict=True)))


def off_diagonal(matrix: Array) -> Array:
    """The matrix with zeros on its diagonal."""
    return np.asarray(matrix - diagonal(np.diagonal(matrix), *matrix.shape))


def planted(
    frames: Sequence[Array],
    strengths: Sequence[Array],
    sigmas: Array,
    inputs: Array,
    rest: Array,
    directions: Sequence[Array],
    layer: int,
    beside: Sequence[Array] = (),
) -> Aligned:
    """The network with targets Y = C^yx (C^xx)^{-1} X + rest, where rest is orthogonal to the inputs X."""
    *inner, inner_cross = inner_matrices(frames, strengths, sigmas, beside)
    layers = [
        np.asarray(above @ middle @ below.T) for (below, above), middle in zip(pairwise(frames), inner, strict=True)
    ]
    cross = frames[-1] @ inner_cross @ frames[0].T
    moment = inputs @ inputs.T / (Fraction(inputs.shape[1]) if inputs.dtype == object else inputs.shape[1])
    chain = Chain(tuple(layers), inputs, cross @ _inverse(moment) @ inputs + rest, tuple(directions), layer)
    return Aligned(tuple(frames), tuple(strengths), sigmas, chain, tuple(beside))


def _inverse(matrix: Array) -> Array:
    if matrix.dtype != object:
        return np.asarray(np.linalg.inv(matrix))
    if len(matrix) == 1:
        return exact_matrix([[1 / matrix[0, 0]]])
    (a, b), (c, d) = matrix
    return exact_matrix([[d, -b], [-c, a]]) / (a * d - b * c)


def random_aligned(
    rng: np.random.Generator,
    widths: Sequence[int],
    *,
    whitened: bool = True,
    layer: int = 0,
    low: float = 0.3,
    diagonal_only: bool = True,
) -> Aligned:
    """Random frames, strengths of either sign between `low` and 1.4, singular values between 0.2 and 2."""
    frames = [np.linalg.qr(rng.normal(size=(n, n)))[0] for n in widths]
    sizes = [min(pair) for pair in pairwise(widths)]
    strengths = [rng.choice((-1.0, 1.0), size) * rng.uniform(low, 1.4, size) for size in sizes]
    sigmas = np.sort(rng.uniform(0.2, 2.0, min(widths[0], widths[-1])))[::-1].copy()
    directions = [rng.normal(size=(above, below)) for below, above in pairwise(widths)]
    outputs, inputs = widths[-1], widths[0]
    task = LinearTask.whitened(np.zeros((outputs, inputs)), rng, noise=0.5)
    turn = np.eye(inputs) if whitened else np.eye(inputs) + 0.4 * rng.normal(size=(inputs, inputs))
    shapes = () if diagonal_only else (*((above, below) for below, above in pairwise(widths)), (outputs, inputs))
    beside = [0.5 * off_diagonal(rng.normal(size=shape)) for shape in shapes]
    return planted(frames, strengths, sigmas, turn @ task.X, np.asarray(task.Y), directions, layer, beside)


TURN = exact_matrix([[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]])
SWAP = exact_matrix([[0, 1], [1, 0]])
UNIT = exact_matrix([[1, 0], [0, 1]])


def exact_aligned(layers: Sequence[int], *, whitened: bool = True, diagonal_only: bool = True) -> Iterator[Aligned]:
    """Width 1, then width 2 with frames that are turned by 3-4-5 triangles or exchanged, in a fixed order."""
    one = exact_matrix([[1]])
    for depth, sigma in product(layers, (1, 2)):
        for number in range(3**depth):
            entries = [Fraction((1, 0, 2)[number // 3**k % 3]) for k in range(depth)]
            strengths = [np.array([e], dtype=object) for e in entries]
            sigmas = np.array([Fraction(sigma)], dtype=object)
            for layer in range(depth):
                yield planted([one] * (depth + 1), strengths, sigmas, one, one * 0, [one] * depth, layer)
    rng = np.random.default_rng(6)
    choices = (UNIT, TURN, SWAP, TURN @ TURN)
    skewed = exact_matrix([[1, 1], [0, 1]])
    for number in range(40 if diagonal_only else 60):
        depth = layers[number % len(layers)]
        frames = [choices[k] for k in rng.integers(0, 4, depth + 1)]
        strengths = [
            np.array([Fraction(int(v), 2) for v in rng.integers(-2, 4, 2)], dtype=object) for _ in range(depth)
        ]
        sigmas = np.array([Fraction(2), Fraction(1)], dtype=object)
        directions = [exact_matrix(rng.integers(-1, 3, (2, 2)).tolist()) for _ in range(depth)]
        inputs = SIGNS if whitened or number % 2 else skewed @ SIGNS
        beside = [
            off_diagonal(exact_matrix(rng.integers(-1, 3, (2, 2)).tolist()))
            for _ in range(depth + 1 if number >= 40 else 0)
        ]
        rest, layer = np.vstack([EXTRA, 0 * EXTRA]), number // len(layers) % depth
        yield planted(frames, strengths, sigmas, inputs, rest, directions, layer, beside)


def _parts(network: Aligned, layer: int) -> dict[str, Array]:
    """R^{l+1}, R^l and the S^l above, at and below a layer."""
    frames = network.frames
    *full, cross = map(padded, network.inner)
    unit = padded(frames[0][:0, :0], 1)
    over, under = full[layer + 1 :], full[:layer]
    return {
        "U_y": padded(frames[-1], 1),
        "V_x": padded(frames[0], 1),
        "R_up": padded(frames[layer + 1], 1),
        "R_down": padded(frames[layer], 1),
        "S_above": reduce(np.matmul, over[::-1]) if over else unit,
        "S_l": full[layer],
        "S_below": reduce(np.matmul, under[::-1]) if under else unit,
        "S_yx": cross,
        "D": padded(network.chain.directions[layer]),
    }


def two_layer_values(network: Aligned, gradients: Gradients) -> dict[str, Any]:
    """The symbols of Eq. (4)."""
    first, second = _parts(network, 0), _parts(network, 1)
    slope_1, slope_2 = slopes(network.chain, gradients)
    named = {"R": first["R_up"], "S1": first["S_l"], "S2": second["S_l"], "D1": first["D"], "D2": second["D"]}
    shared = {name: first[name] for name in ("U_y", "V_x", "S_yx")}
    return {**shared, **named, "slope_1": slope_1, "slope_2": slope_2}


def layer_values(network: Aligned, gradients: Gradients) -> dict[str, Any]:
    """The symbols of Eq. (8)."""
    layer = network.chain.layer
    return {**_parts(network, layer), "slope": slopes(network.chain, gradients)[layer]}


Descend = Callable[[Weights, LinearTask], Weights]


def _simulated(weights: Weights, task: LinearTask) -> Weights:
    return descend_chain(weights, task, learning_rate=float(RATE), steps=UPDATES).final


@on_layers
def _on_layers(weights: Weights, task: LinearTask) -> Weights:
    from sim.cnn.linear_chain import chain_descend

    return chain_descend(weights, task, learning_rate=float(RATE), steps=UPDATES)


def _exactly(chain: Chain) -> tuple[Array, ...]:
    """Two updates in fractions; the numbers grow fast."""
    weights = chain.weights
    for _ in range(2):
        found = [exact_gradient(weights, chain.X, chain.Y, layer) for layer in range(len(weights))]
        weights = tuple(W - RATE * G for W, G in zip(weights, found, strict=True))
    return weights


def kept_values(network: Aligned, end: Sequence[Array]) -> dict[str, Any]:
    """How far the weights at the end are from aligned, and the inputs from whitened."""
    chain, frames = network.chain, network.frames
    moment = chain.moment
    stray, turned = [], []
    for (below, above), W in zip(pairwise(frames), end, strict=True):
        left, right, middle = padded(above, 1), padded(below, 1), padded(W)
        stray.append(np.abs(off_diagonal(left.T @ middle @ right)).max())
        turned.append(np.abs(off_diagonal(right.T @ middle @ left)).max())
    skew = max(abs(v - (r == c)) for (r, c), v in np.ndenumerate(moment))
    return {"skew": skew, "stray": max(stray), "stray_turned": max(turned)}


def describe(network: Aligned) -> tuple[tuple[str, str], ...]:
    """An exact network as (name, value) strings."""
    frames = ((f"R{k}", matrix_text(R)) for k, R in enumerate(network.frames, start=1))
    strengths = ((f"S{k}", f"diag{text(tuple(s))}") for k, s in enumerate(network.strengths, start=1))
    names = (*(f"S{k}" for k in range(1, len(network.frames))), "Syx")
    beside = ((f"{name} off its diagonal", matrix_text(M)) for name, M in zip(names, network.beside, strict=False))
    sigmas, layer = text(tuple(network.sigmas)), str(network.chain.layer + 1)
    return (*frames, *strengths, ("sigma", sigmas), *beside, ("layer", layer))


def _widths(rng: np.random.Generator, layers: int, least: int = 1) -> list[int]:
    return [int(n) for n in rng.integers(least, WIDEST + 1, layers + 1)]


def _experiment(
    name: str,
    depths: Sequence[int],
    values: Callable[[Aligned, Gradients], dict[str, Any]],
) -> Experiment:
    def draw(rng: np.random.Generator) -> Iterator[list[Aligned]]:
        for depth in depths:
            yield [
                random_aligned(rng, _widths(rng, depth), layer=int(rng.integers(depth)), diagonal_only=n % 2 == 0)
                for n in range(25)
            ]

    def observed(gradients: Gradients) -> Callable[[list[Aligned]], Observation]:
        return lambda networks: Observation(
            {"p": WIDEST, **stacked([values(n, gradients) for n in networks])}, rounding([n.chain for n in networks])
        )

    def exactly(network: Aligned) -> Values:
        return {"p": 2, **values(network, chain_gradients)}

    return Experiment(
        name=name,
        sample=draw,
        observe=observed(chain_gradients),
        layer=observed(layer_gradients),
        exact=ExactRoute(
            lambda: exact_aligned([d for d in depths if d < 4], diagonal_only=False),
            exactly,
            describe,
            lambda n: [n.floats],
        ),
    )


@cache
def two_layers() -> Experiment:
    """Two aligned layers."""
    return _experiment("slopes of two aligned layers", (2, 2), two_layer_values)


@cache
def deep() -> Experiment:
    """One to five aligned layers."""
    return _experiment("slopes of L aligned layers", (1, 2, 3, 5), layer_values)


@cache
def kept() -> Experiment:
    """A few updates from an aligned start, on whitened inputs and on others."""

    def draw(rng: np.random.Generator) -> Iterator[list[Aligned]]:
        for depth in (2, 3, 5):
            yield [random_aligned(rng, _widths(rng, depth, 2), whitened=n % 2 == 0) for n in range(16)]

    def observed(descend: Descend) -> Callable[[list[Aligned]], Observation]:
        def run(networks: list[Aligned]) -> Observation:
            values = [kept_values(n, descend(n.chain.weights, n.chain.task)) for n in networks]
            return Observation({"p": WIDEST, **stacked(values)}, UPDATES * 64 * EPS * WIDEST**2)

        return run

    def exactly(network: Aligned) -> Values:
        return {"p": 2, **kept_values(network, _exactly(network.chain))}

    return Experiment(
        name="alignment after updates",
        sample=draw,
        observe=observed(_simulated),
        layer=observed(_on_layers),
        exact=ExactRoute(lambda: exact_aligned([2], whitened=False), exactly, describe, lambda n: [n.floats], limit=40),
    )
