"""Deep linear networks on samples: slopes of the loss, in fractions, in float64 and on `torch.nn.Linear` chains.

In fractions a slope is (L(W + D) - L(W - D))/2, which is exact since the loss is quadratic in each layer: no gradient
formula enters. The simulator back-propagates; the layers use autograd.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, reduce
from typing import Any

import numpy as np

from sim.deep_linear import LinearTask, chain_gradients
from theory.claims.observe.layers import on_layers
from theory.experiment import ExactRoute, Experiment, Observation, Values

WIDEST = 4
EPS = float(np.finfo(np.float64).eps)

Array = np.ndarray[Any, Any]
"""A matrix of floats, or of fractions."""
Gradients = Callable[[Sequence[Array], LinearTask], Sequence[Array]]


@dataclass(frozen=True, eq=False)
class Chain:
    """A network on samples, and a direction for every layer; all floats or all fractions.

    weights: W^l (N_l, N_{l-1}); X (N_0, K), Y (N_L, K); directions as weights; layer: index of the layer observed.
    """

    weights: tuple[Array, ...]
    X: Array
    Y: Array
    directions: tuple[Array, ...]
    layer: int = 0

    @property
    def task(self) -> LinearTask:
        """The samples as floats."""
        return LinearTask.create(self.X.astype(np.float64), self.Y.astype(np.float64))

    @property
    def floats(self) -> Chain:
        """The same in floats."""
        weights, directions = (tuple(a.astype(np.float64) for a in part) for part in (self.weights, self.directions))
        return replace(
            self, weights=weights, directions=directions, X=self.X.astype(np.float64), Y=self.Y.astype(np.float64)
        )

    @property
    def cross(self) -> Array:
        """C^yx."""
        return np.asarray(self.Y @ self.X.T / _count(self.X))

    @property
    def moment(self) -> Array:
        """C^xx."""
        return np.asarray(self.X @ self.X.T / _count(self.X))


def _count(X: Array) -> Any:
    return Fraction(X.shape[1]) if X.dtype == object else X.shape[1]


def exact_matrix(rows: Sequence[Sequence[int | Fraction]]) -> Array:
    """A matrix of fractions."""
    return np.array([[Fraction(v) for v in row] for row in rows], dtype=object)


def multiplied(factors: Sequence[Array], unit: Array) -> Array:
    """The product of the factors in the order given; `unit` if there are none."""
    return reduce(operator.matmul, factors) if factors else unit


def unit_like(matrix: Array, size: int) -> Array:
    """The identity of this size, in the numbers of the matrix."""
    return exact_matrix(np.eye(size, dtype=int).tolist()) if matrix.dtype == object else np.eye(size)


def exact_loss(weights: Sequence[Array], X: Array, Y: Array) -> Fraction:
    """1/(2K) sum_i |y_i - W^L ... W^1 x_i|^2 in fractions."""
    error = Y - multiplied(weights[::-1], unit_like(X, len(X))) @ X
    return Fraction(np.sum(error * error)) / (2 * X.shape[1])


def exact_slope(chain: Chain, layer: int) -> Fraction:
    """d/dt of the loss along the direction of one layer, from two values of the loss."""

    def moved(sign: int) -> Fraction:
        weights = list(chain.weights)
        weights[layer] = weights[layer] + sign * chain.directions[layer]
        return exact_loss(weights, chain.X, chain.Y)

    return (moved(1) - moved(-1)) / 2


def exact_gradient(weights: Sequence[Array], X: Array, Y: Array, layer: int) -> Array:
    """dL/dW^l entry by entry, in the same way."""
    gradient = np.empty_like(weights[layer])
    for entry in np.ndindex(gradient.shape):
        unit = exact_matrix(np.zeros(gradient.shape, dtype=int).tolist())
        unit[entry] = Fraction(1)
        directions = tuple(unit if k == layer else W for k, W in enumerate(weights))
        gradient[entry] = exact_slope(Chain(tuple(weights), X, Y, directions), layer)
    return gradient


def slopes(chain: Chain, gradients: Gradients) -> list[Any]:
    """d/dt of the loss along the direction of every layer."""
    if chain.X.dtype == object:
        return [exact_slope(chain, layer) for layer in range(len(chain.weights))]
    found = gradients(chain.weights, chain.task)
    return [float(np.sum(D * G)) for D, G in zip(chain.directions, found, strict=True)]


@on_layers
def layer_gradients(weights: Sequence[Array], task: LinearTask) -> Sequence[Array]:
    """Gradients by autograd through `torch.nn.Linear`."""
    from sim.cnn.linear_chain import chain_step

    return chain_step(weights, task).gradients


def width_of(matrix: Array) -> int:
    """The size to which matrices are padded: exact instances are small."""
    return 2 if matrix.dtype == object else WIDEST


def padded(matrix: Array, diagonal: int = 0) -> Array:
    """A matrix in the upper left corner of a larger one, with `diagonal` on the rest of the diagonal."""
    size = width_of(matrix)
    large = unit_like(matrix, size) * diagonal
    large[:, : matrix.shape[1]] *= 0
    large[: matrix.shape[0]] *= 0
    large[: matrix.shape[0], : matrix.shape[1]] = matrix
    return np.asarray(large)


def stacked(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Values of single instances as one batch: instances along the last axis."""
    return {name: np.stack([np.asarray(row[name], dtype=np.float64) for row in rows], axis=-1) for name in rows[0]}


def rounding(chains: Sequence[Chain]) -> Array:
    """Absolute tolerances (B,): 2^12 eps times the squared norms that a slope multiplies."""
    scale = [
        np.prod([1.0 + np.linalg.norm(W) for W in c.weights]) ** 2
        * (1.0 + np.linalg.norm(c.cross) + np.linalg.norm(c.moment))
        * (1.0 + max(float(np.linalg.norm(D)) for D in c.directions))
        for c in chains
    ]
    return np.asarray(2**12 * EPS * np.array(scale))


def two_layer_values(chain: Chain, gradients: Gradients) -> dict[str, Any]:
    """The symbols of Eq. (2)."""
    (W1, W2), (D1, D2) = chain.weights, chain.directions
    slope_1, slope_2 = slopes(chain, gradients)
    matrices = {"W1": W1, "W2": W2, "D1": D1, "D2": D2, "C_yx": chain.cross, "C_xx": chain.moment}
    return {**{name: padded(m) for name, m in matrices.items()}, "slope_1": slope_1, "slope_2": slope_2}


def layer_values(chain: Chain, gradients: Gradients) -> dict[str, Any]:
    """The symbols of Eq. (7), with products that a wrong reading of its indices would take."""
    layer, weights = chain.layer, chain.weights
    over, under = weights[layer + 1 :], weights[:layer]
    ends = (unit_like(chain.Y, len(chain.Y)), unit_like(chain.X, len(chain.X)))
    matrices = {
        "W": weights[layer],
        "D": chain.directions[layer],
        "A": multiplied(over[::-1], ends[0]),
        "B": multiplied(under[::-1], ends[1]),
        "C_yx": chain.cross,
    }
    large = {name: padded(m) for name, m in matrices.items()}
    unit = unit_like(chain.X, width_of(chain.X))
    return {
        **large,
        "A_with": large["A"] @ large["W"],
        "B_with": large["W"] @ large["B"],
        "A_reversed": multiplied([padded(V) for V in over], unit),
        "B_reversed": multiplied([padded(V) for V in under], unit),
        "slope": slopes(chain, gradients)[layer],
    }


def random_chain(rng: np.random.Generator, layers: int, *, whitened: bool, layer: int = 0) -> Chain:
    """Widths of 1 to WIDEST, Gaussian weights and directions, samples whitened or of any second moments."""
    widths = rng.integers(1, WIDEST + 1, layers + 1)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = tuple(rng.normal(size=shape) for shape in shapes)
    directions = tuple(rng.normal(size=shape) for shape in shapes)
    task = LinearTask.whitened(rng.normal(size=(widths[-1], widths[0])), rng, noise=0.5)
    turn = np.eye(widths[0]) if whitened else rng.normal(size=(widths[0], widths[0]))
    return Chain(weights, turn @ task.X, np.asarray(task.Y), directions, layer)


SIGNS = exact_matrix([[1, 1, -1, -1], [1, -1, 1, -1]])
"""Four whitened samples of two inputs, with mean zero."""
EXTRA = exact_matrix([[1, -1, -1, 1]])
"""A pattern of targets that no linear map explains."""


def exact_chains(layers: Sequence[int], whitened: bool) -> Iterator[Chain]:
    """Networks of width 1 with small integers, then of widths 1 and 2, in a fixed order."""
    one = exact_matrix([[1]])
    for depth in layers:
        for number in range(3**depth * 2):
            entries = [(number // 2) // 3**k % 3 for k in range(depth)]
            weights = tuple(exact_matrix([[e]]) for e in entries)
            for layer in range(depth):
                X = one if whitened else one * (1 + number % 2)
                yield Chain(weights, X, one * (1 + number % 2), (one,) * depth, layer)
    # a fixed stream of small integers: wrong orders and transposes show in matrices only
    rng = np.random.default_rng(5)
    for number in range(60):
        depth = layers[number % len(layers)]
        widths = [2] * (depth + 1) if number % 2 else [int(v) for v in rng.integers(1, 3, depth + 1)]
        shapes = list(zip(widths[1:], widths, strict=False))
        draw = [exact_matrix(rng.integers(-1, 3, shape).tolist()) for shape in shapes + shapes]
        X = SIGNS[: widths[0]] if whitened else exact_matrix(rng.integers(-1, 3, (widths[0], 3)).tolist())
        cross = exact_matrix(rng.integers(-1, 3, (widths[-1], widths[0])).tolist())
        Y = cross @ X + (EXTRA if whitened else 1)
        yield Chain(tuple(draw[:depth]), X, Y, tuple(draw[depth:]), number // len(layers) % depth)


def matrix_text(matrix: Array) -> str:
    """[[1, 1/2], [0, 1]]"""
    rows = (", ".join(str(v) for v in row) for row in matrix)
    return f"[{', '.join(f'[{row}]' for row in rows)}]"


def describe(chain: Chain) -> tuple[tuple[str, str], ...]:
    """An exact network as (name, value) strings."""
    weights = ((f"W{k}", matrix_text(W)) for k, W in enumerate(chain.weights, start=1))
    toward = (("layer", str(chain.layer + 1)), ("D", matrix_text(chain.directions[chain.layer])))
    return (*weights, ("X", matrix_text(chain.X)), ("Y", matrix_text(chain.Y)), *toward)


def _experiment(
    name: str,
    draw: Callable[[np.random.Generator], Iterator[list[Chain]]],
    values: Callable[[Chain, Gradients], dict[str, Any]],
    candidates: Callable[[], Iterator[Chain]],
) -> Experiment:
    def observed(gradients: Gradients) -> Callable[[list[Chain]], Observation]:
        return lambda chains: Observation(
            {"p": WIDEST, **stacked([values(c, gradients) for c in chains])}, rounding(chains)
        )

    def exactly(chain: Chain) -> Values:
        return {"p": width_of(chain.X), **values(chain, chain_gradients)}

    return Experiment(
        name=name,
        sample=draw,
        observe=observed(chain_gradients),
        layer=observed(layer_gradients),
        exact=ExactRoute(candidates, exactly, describe, lambda chain: [chain.floats]),
    )


@cache
def two_layers() -> Experiment:
    """Two layers, samples of any second moments."""
    return _experiment(
        "slopes of two layers",
        lambda rng: iter([[random_chain(rng, 2, whitened=False) for _ in range(60)]]),
        two_layer_values,
        lambda: exact_chains([2], whitened=False),
    )


@cache
def deep() -> Experiment:
    """One to five layers, whitened samples, any layer."""

    def draw(rng: np.random.Generator) -> Iterator[list[Chain]]:
        for depth in (1, 2, 3, 5):
            yield [random_chain(rng, depth, whitened=True, layer=int(rng.integers(depth))) for _ in range(25)]

    return _experiment("slopes of L layers", draw, layer_values, lambda: exact_chains([1, 2, 3], whitened=True))
