"""Variance of the responses of ReLU convolution stacks with random weights, layer by layer, by Monte Carlo.

A stack of `depth` convolutions without biases, ReLU between them: y_1 = W_0 * x_0, y_{l+1} = W_l * max(y_l, 0). Every
draw has weights and inputs of its own; weights and inputs may be correlated between the n = k^dims positions of a
window, from not at all to perfectly. The four corners are Table 1 of Schneider (Section 4). Nothing here knows a
closed form: responses are computed convolution by convolution and averaged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import FloatArray, blocks
from sim.correlation import sample_filters
from sim.errors import (
    require_choice,
    require_correlation_matrix,
    require_generator,
    require_int,
    require_non_negative,
    require_positive_int,
    require_shape,
    require_unit_interval,
)

BORDERS = ("circular", "zero", "none", "disjoint")
"""What windows see at the border: the other side, zeros, or nothing (the image shrinks); disjoint windows tile it."""
LAWS = ("normal", "uniform", "signs")
"""Laws of mean 0 and variance 1: Gaussian, uniform on [-sqrt 3, sqrt 3], and +-1 with probability 1/2."""
LARGEST_IMAGE = 2**28
"""Most positions that an image may have: 2 GiB."""
CHUNK = 2**21
"""Largest number of floats that an array of a layer may hold at once."""

Filters = Sequence[FloatArray]
"""One array (draws, c_out, c_in, height, width) for each layer; kernels in one dimension have height 1."""
Responses = Callable[[FloatArray, Filters, str], list[FloatArray]]


@dataclass(frozen=True, eq=False)
class Stack:
    """Random convolution stacks and their random inputs.

    k: width of the filters, in one dimension (n = k weights) or two (n = k^2, the paper's).
    depth: number of convolutions l.
    border: one of `BORDERS`; strides are 1, or k if windows are disjoint.
    size: positions of the input along each dimension; None for disjoint windows, which need k^depth.
    v: variance of a weight times the number of channels that it is summed with (so: of a weight, for one channel).
    weight_correlation: a number rho in [0, 1], the same between any two weights of a filter, or, for Gaussian weights,
        their n x n correlation matrix R. Filters are independent of each other.
    q: second moment E[x_0^2] of the inputs, which have mean 0.
    input_correlation: rho in [0, 1] between any two positions of a channel.
    channels, input_channels: how many responses a layer has at a position, and the input has.
    Raises ValueError for anything else, naming what would mend it.
    """

    k: int
    depth: int
    dims: int = 2
    border: str = "circular"
    size: int | None = None
    v: float = 1.0
    weight_law: str = "normal"
    weight_correlation: float | FloatArray = 0.0
    q: float = 1.0
    input_law: str = "normal"
    input_correlation: float = 0.0
    channels: int = 1
    input_channels: int = 1

    def __post_init__(self) -> None:
        for name in ("k", "depth", "channels", "input_channels"):
            require_positive_int(getattr(self, name), name)
        if self.dims not in (1, 2):
            raise ValueError(f"dims must be 1 (filters of k weights) or 2 (of k x k), got {self.dims}")
        require_choice(self.border, "border", BORDERS)
        for name in ("weight_law", "input_law"):
            require_choice(getattr(self, name), name, LAWS)
        for name in ("v", "q"):
            require_shape(require_non_negative(getattr(self, name), name), name, ())
        self._require_size()
        self._require_correlations()

    def _require_size(self) -> None:
        if self.border == "disjoint":
            if self.size is not None:
                raise ValueError(f"size must be left out for disjoint windows (it is k^depth), got {self.size}")
            if self.k > 1 and self.depth * self.dims * math.log2(self.k) > math.log2(LARGEST_IMAGE):
                raise ValueError(
                    f"depth must leave disjoint windows at most 2^28 inputs, k^(depth dims), got depth = {self.depth} "
                    f"for k = {self.k}, dims = {self.dims}"
                )
            return
        smallest = {"circular": self.k, "zero": 1, "none": self.depth * (self.k - 1) + 1}[self.border]
        if self.size is None:
            raise ValueError(f"size must be given for border {self.border!r} (at least {smallest})")
        require_int(self.size, "size", smallest)
        if self.size**self.dims > LARGEST_IMAGE:
            raise ValueError(
                f"size must leave at most 2^28 positions, size^dims, got {self.size} for dims = {self.dims}"
            )

    def _require_correlations(self) -> None:
        rho = require_shape(require_unit_interval(self.input_correlation, "input_correlation"), "input_correlation", ())
        if not np.ndim(self.weight_correlation):
            require_unit_interval(self.weight_correlation, "weight_correlation")
        else:
            R = require_correlation_matrix(self.weight_correlation, "weight_correlation")
            if len(R) != self.n:
                raise ValueError(
                    f"weight_correlation must be {self.n} x {self.n} for k = {self.k} in {self.dims} dimension(s), "
                    f"got {len(R)} x {len(R)}"
                )
        for name, law, value in (
            ("weight", self.weight_law, self.weight_correlation),
            ("input", self.input_law, rho),
        ):
            if law != "normal" and (np.ndim(value) or float(value) not in (0.0, 1.0)):
                raise ValueError(
                    f"{name}_correlation must be 0 or 1 for the law {law!r} (only normal ones mix), got {value}"
                )

    @property
    def n(self) -> int:
        """Weights of a filter: k, or k^2 in two dimensions."""
        return int(self.k**self.dims)

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width of the filters."""
        return (self.k if self.dims == 2 else 1, self.k)

    @property
    def image(self) -> tuple[int, int]:
        """Height and width of the input."""
        side = self.k**self.depth if self.size is None else self.size
        return (side if self.dims == 2 else 1, side)


@dataclass(frozen=True, eq=False)
class Moments:
    """Averages over draws, each (depth,): of y_l^2 and of max(y_l, 0)^2, with the standard errors of both.

    A draw contributes the mean over its channels and positions. Since weights have mean zero, E[y_l^2] = Var[y_l].
    """

    second: FloatArray
    second_error: FloatArray
    positive: FloatArray
    positive_error: FloatArray
    draws: int


def draw_law(law: str, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
    """Independent numbers of mean 0 and variance 1; law is one of `LAWS`."""
    if require_choice(law, "law", LAWS) == "normal":
        return rng.standard_normal(shape)
    if law == "uniform":
        return rng.uniform(-np.sqrt(3.0), np.sqrt(3.0), shape)
    return np.asarray(rng.integers(0, 2, shape) * 2.0 - 1.0)


def draw_inputs(stack: Stack, draws: int, rng: np.random.Generator) -> FloatArray:
    """Inputs x_0 (draws, input_channels, height, width)."""
    shape, rho = (draws, stack.input_channels), stack.input_correlation
    x = _mixture(rho, (*shape, 1, 1), (*shape, *stack.image), stack.input_law, rng)
    return np.asarray(np.sqrt(stack.q) * np.broadcast_to(x, (*shape, *stack.image)))


def draw_filters(stack: Stack, draws: int, rng: np.random.Generator) -> list[FloatArray]:
    """Filters of every layer, (draws, c_out, c_in, height, width)."""
    filters = []
    for layer in range(stack.depth):
        fan_in = stack.channels if layer else stack.input_channels
        shape = (draws, stack.channels, fan_in)
        if np.ndim(stack.weight_correlation):
            flat = sample_filters(stack.weight_correlation, int(np.prod(shape)), rng=rng)
        else:
            rho = float(stack.weight_correlation)
            flat = _mixture(rho, (*shape, 1), (*shape, stack.n), stack.weight_law, rng)
        weights = np.broadcast_to(flat.reshape(*shape, -1), (*shape, stack.n)).reshape(*shape, *stack.kernel)
        filters.append(np.sqrt(stack.v / fan_in) * weights)
    return filters


def _mixture(
    rho: float, common: tuple[int, ...], own: tuple[int, ...], law: str, rng: np.random.Generator
) -> FloatArray:
    """sqrt(rho) z + sqrt(1 - rho) z', z of shape `common` and z' of shape `own`; only what is needed is drawn."""
    if rho == 1.0:
        return draw_law(law, common, rng)
    mixed = np.sqrt(1.0 - rho) * draw_law(law, own, rng)
    return np.asarray(mixed if rho == 0.0 else mixed + np.sqrt(rho) * draw_law(law, common, rng))


def responses(x: FloatArray, filters: Filters, border: str) -> list[FloatArray]:
    """Responses y_1, ..., y_depth, each (draws, c_out, height, width), draw by draw with its own filters.

    x: inputs (draws, c_in, height, width). As in torch, y(a) = sum_t w_t x(a + t - (k - 1)//2), and padding keeps the
    size. Raises ValueError if draws, channels or sizes do not fit.
    """
    require_choice(border, "border", BORDERS)
    found = []
    for layer, w in enumerate(filters):
        require_shape(w, f"filters[{layer}]", (len(x), None, x.shape[1], None, None))
        y = _convolve(x, w, border)
        found.append(y)
        x = np.maximum(y, 0.0)
    return found


def _convolve(x: FloatArray, w: FloatArray, border: str) -> FloatArray:
    height, width = w.shape[-2:]
    steps = (height, width) if border == "disjoint" else (1, 1)
    if border in ("circular", "zero"):
        around = [(0, 0), (0, 0), *(((side - 1) // 2, side - 1 - (side - 1) // 2) for side in (height, width))]
        x = np.pad(x, around, mode="wrap" if border == "circular" else "constant")
    rows, columns = ((x.shape[2 + d] - side) // steps[d] + 1 for d, side in enumerate((height, width)))
    if min(rows, columns) < 1:
        raise ValueError(f"images must be at least as large as the filters, got {x.shape[2:]} and {(height, width)}")
    total = np.zeros((len(x), w.shape[1], rows, columns))
    for down in range(height):
        for right in range(width):
            seen = x[:, :, down : down + steps[0] * rows : steps[0], right : right + steps[1] * columns : steps[1]]
            total += _channel_sum(w[:, :, :, down, right], seen[:, :, :rows, :columns])
    return total


def _channel_sum(w: FloatArray, x: FloatArray) -> FloatArray:
    """sum_c w(., o, c) x(., c, position): matrix products, or plain ones where there is one channel to sum."""
    if x.shape[1] == 1:
        return w[:, :, :1, None] * x
    flat = w @ x.reshape(len(x), x.shape[1], -1)
    return np.asarray(flat.reshape(len(x), -1, *x.shape[2:]))


def measure(
    stack: Stack, draws: int, rng: np.random.Generator, *, through: Responses = responses, chunk: int = CHUNK
) -> Moments:
    """Averages of y_l^2 and max(y_l, 0)^2 over random stacks and inputs, for every layer l = 1, ..., depth.

    draws: at least 2, for a standard error. through: how responses are computed (`responses`, or torch layers).
    chunk: about how many floats an array of a layer may hold at once.
    """
    draws = require_int(draws, "draws", 2)
    require_generator(rng, "rng", "weights and inputs are drawn at random")
    pixels = max(stack.channels, stack.input_channels) * int(np.prod(stack.image))
    largest = max(pixels, stack.n * stack.channels * max(stack.channels, stack.input_channels))
    squares = np.empty((2, stack.depth, draws))
    for part in blocks(draws, chunk // largest):
        count = part.stop - part.start
        found = through(draw_inputs(stack, count, rng), draw_filters(stack, count, rng), stack.border)
        for layer, y in enumerate(found):
            squares[0, layer, part] = np.square(y).mean(axis=(1, 2, 3))
            squares[1, layer, part] = np.square(np.maximum(y, 0.0)).mean(axis=(1, 2, 3))
    means, errors = squares.mean(axis=-1), squares.std(axis=-1, ddof=1) / np.sqrt(draws)
    return Moments(means[0], errors[0], means[1], errors[1], draws)
