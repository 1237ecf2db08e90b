"""Convolutions as linear maps of images, beside their kernels as matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.conv_spectrum import circular_singular_values, kernel_singular_values, reshaped, zero_padded_extremes
from sim.svb import bound_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, QUARTER
from theory.claims.observe.spectra.matrices import (
    ONE,
    TURN,
    ZERO,
    Exact,
    diagonal,
    orthonormal,
    shown,
    times,
    transposed,
)
from theory.experiment import ExactRoute, Experiment, Observation, Values

CIRCULAR = -1
"""In place of a number of zeros: the image continues at its other side."""


@dataclass(frozen=True)
class Shape:
    """Channels, kernel (kh, kw), image (H, W), stride, and zeros on each side (or CIRCULAR)."""

    N_out: int
    N_in: int
    kernel: tuple[int, int]
    image: tuple[int, int]
    stride: int = 1
    padding: int = CIRCULAR

    @property
    def positions(self) -> tuple[int, int]:
        """The size of the images that come out."""
        if self.padding == CIRCULAR:
            return self.image[0] // self.stride, self.image[1] // self.stride
        spans = (n + 2 * self.padding - k for n, k in zip(self.image, self.kernel, strict=True))
        height, width = (span // self.stride + 1 for span in spans)
        return height, width

    def seen(self) -> np.ndarray:
        """How many patches see each pixel, (H, W); patches are listed one by one."""
        counts = np.zeros(self.image, dtype=int)
        for _, a, b in self._touched():
            counts[a, b] += 1
        return counts

    def whole(self) -> int:
        """How many patches lie wholly in the image."""
        sizes = [0] * (self.positions[0] * self.positions[1])
        for position, _, _ in self._touched():
            sizes[position] += 1
        return sum(size == self.kernel[0] * self.kernel[1] for size in sizes)

    def _touched(self) -> Iterator[tuple[int, int, int]]:
        """Each position with each pixel that its patch sees."""
        for row, column in product(*(range(n) for n in self.positions)):
            for a, b in product(*(range(k) for k in self.kernel)):
                place = self.pixel(row, column, a, b)
                if place is not None:
                    yield row * self.positions[1] + column, *place

    def pixel(self, row: int, column: int, a: int, b: int) -> tuple[int, int] | None:
        """The pixel that tap (a, b) sees at an output position, None in the padding."""
        shift = 0 if self.padding == CIRCULAR else self.padding
        x, y = row * self.stride + a - shift, column * self.stride + b - shift
        if self.padding == CIRCULAR:
            return x % self.image[0], y % self.image[1]
        return (x, y) if 0 <= x < self.image[0] and 0 <= y < self.image[1] else None


@dataclass(frozen=True, eq=False)
class Layer:
    """A kernel (N_out, N_in, kh, kw) with the shape that it is used in."""

    kernel: FloatArray
    shape: Shape
    eps: float = 1.0


def dense(kernel: FloatArray, shape: Shape) -> FloatArray:
    """The matrix (N_out H' W', N_in H W), written down entry by entry."""
    height, width = shape.positions
    matrix = np.zeros((shape.N_out, height, width, shape.N_in, *shape.image))
    for row, column in product(range(height), range(width)):
        for a, b in product(*(range(k) for k in shape.kernel)):
            place = shape.pixel(row, column, a, b)
            if place is not None:
                matrix[:, row, column, :, place[0], place[1]] += kernel[:, :, a, b]
    return matrix.reshape(shape.N_out * height * width, -1)


def dense_torch(kernel: FloatArray, shape: Shape) -> FloatArray:
    """The same from torch.nn.Conv2d: what it makes of each unit image."""
    import torch

    layer = torch.nn.Conv2d(shape.N_in, shape.N_out, shape.kernel, shape.stride, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(kernel))
        units = torch.eye(shape.N_in * shape.image[0] * shape.image[1], dtype=torch.float64)
        images = units.reshape(-1, shape.N_in, *shape.image)
        if shape.padding == CIRCULAR:
            far = (0, shape.kernel[1] - 1, 0, shape.kernel[0] - 1)
            images = torch.nn.functional.pad(images, far, mode="circular") if any(far) else images
        else:
            images = torch.nn.functional.pad(images, (shape.padding,) * 4)
        # a stride that divides the image leaves out the positions that begin in what was added
        produced = layer(images)[:, :, : shape.positions[0], : shape.positions[1]]
    return np.asarray(produced.reshape(len(units), -1).T.numpy())


Spectrum = Callable[[Layer], FloatArray]
"""A layer to singular values, of which the largest and smallest are right (all of them if circular), descending."""


def from_simulator(layer: Layer) -> FloatArray:
    """Closed form over frequencies, or Lanczos."""
    shape = layer.shape
    if shape.padding == CIRCULAR:
        return circular_singular_values(layer.kernel, shape.image, stride=shape.stride)
    return np.array(zero_padded_extremes(layer.kernel, shape.image, padding=shape.padding, stride=shape.stride))


def from_torch(layer: Layer) -> FloatArray:
    """Of the matrix of a torch layer."""
    return np.asarray(np.linalg.svd(dense_torch(layer.kernel, layer.shape), compute_uv=False))


def structure(shape: Shape) -> dict[str, int]:
    """What follows from the shapes alone."""
    seen, (height, width) = shape.seen(), shape.positions
    return {
        "overlap": int(seen.max()),
        "coverage": int(seen.min()),
        "whole": shape.whole(),
        "positions": height * width,
        "taps": shape.kernel[0] * shape.kernel[1],
        "N_in": shape.N_in,
        "N_out": shape.N_out,
        "rows": shape.N_out * height * width,
        "columns": shape.N_in * shape.image[0] * shape.image[1],
        "H": shape.image[0],
        "W": shape.image[1],
        "kh": shape.kernel[0],
        "kw": shape.kernel[1],
        "stride": shape.stride,
    }


def _observation(batch: Sequence[Layer], route: Spectrum) -> Observation:
    spectra = np.array([route(layer) for layer in batch]).T
    kernels = np.array([kernel_singular_values(layer.kernel) for layer in batch]).T
    values = {
        "p": 1,
        **structure(batch[0].shape),
        "eps": np.array([layer.eps for layer in batch]),
        "op_max2": spectra[0] ** 2,
        "op_min2": spectra[-1] ** 2,
        "op_sum2": np.square(spectra).sum(axis=0),
        "kernel_max2": kernels[0] ** 2,
        "kernel_min2": kernels[-1] ** 2,
        "kernel_sum2": np.square(kernels).sum(axis=0),
    }
    return Observation(
        values, 1e-11 * np.maximum(1.0, np.square(kernels).sum(axis=0) * batch[0].shape.positions[0] ** 2)
    )


CIRCULAR_SHAPES = (
    Shape(1, 1, (1, 2), (1, 4)),
    Shape(1, 1, (2, 2), (4, 4)),
    Shape(2, 2, (3, 3), (5, 4)),
    Shape(2, 3, (2, 3), (4, 6)),
    Shape(3, 2, (3, 1), (4, 3)),
    Shape(5, 1, (2, 2), (4, 3)),
    Shape(9, 1, (3, 3), (4, 4)),
    Shape(8, 2, (1, 4), (1, 6)),
    Shape(2, 3, (1, 1), (2, 2)),
    Shape(2, 2, (2, 2), (4, 4), 2),
    Shape(5, 1, (2, 2), (2, 4), 2),
    Shape(2, 1, (4, 4), (4, 8), 2),
    Shape(1, 2, (3, 3), (6, 3), 3),
)
PADDED_SHAPES = (
    Shape(1, 1, (3, 3), (4, 4), 1, 1),
    Shape(2, 2, (3, 3), (4, 5), 1, 1),
    Shape(2, 3, (3, 3), (5, 5), 2, 1),
    Shape(2, 2, (2, 2), (4, 4), 1, 0),
    Shape(9, 1, (3, 3), (4, 4), 1, 1),
    Shape(3, 1, (1, 3), (1, 6), 1, 2),
    Shape(1, 2, (2, 2), (4, 4), 2, 0),
)


def _kernels(rng: np.random.Generator, shape: Shape, kind: int, eps: float) -> FloatArray:
    """Kernels of all kinds: any, orthogonal, constant over the taps, and differences of neighbouring taps."""
    size = (shape.N_out, shape.N_in, *shape.kernel)
    m, n = shape.N_out, shape.N_in * shape.kernel[0] * shape.kernel[1]
    if kind % 4 == 0:
        return rng.normal(size=size)
    if kind % 4 == 1:
        return (orthonormal(rng, n, m).T if m <= n else orthonormal(rng, m, n)).reshape(size)
    taps = np.ones(shape.kernel) if kind % 4 == 2 else (-1.0) ** np.add.outer(*(np.arange(k) for k in shape.kernel))
    channels = rng.normal(size=size[:2])
    return channels[:, :, None, None] * taps / np.sqrt(taps.size) * rng.uniform(0.5, 1.5)


def layers(rng: np.random.Generator, shapes: Sequence[Shape], *, bounded: bool) -> Iterator[list[Layer]]:
    """Eight layers of each shape; `bounded` ones after SVB."""
    for shape in shapes:
        batch = []
        for kind in range(8):
            eps = float(rng.uniform(0.05, 0.3))
            kernel = _kernels(rng, shape, kind, eps)
            if bounded:
                kernel = bound_singular_values(reshaped(kernel), eps).reshape(kernel.shape)
            batch.append(Layer(kernel, shape, eps))
        yield batch


@dataclass(frozen=True)
class ExactLayer:
    """A kernel, as the rational matrix R (N_out, N_in kh kw), and how it is used."""

    R: Exact
    shape: Shape
    eps: Fraction

    def matrix(self) -> Exact:
        """The operator, entry by entry."""
        shape, (height, width) = self.shape, self.shape.image
        taps = [(c, a, b) for c in range(shape.N_in) for a in range(shape.kernel[0]) for b in range(shape.kernel[1])]
        rows = []
        for o, row, column in product(range(shape.N_out), *(range(n) for n in shape.positions)):
            entries = [ZERO] * (shape.N_in * height * width)
            for weight, (c, a, b) in zip(self.R[o], taps, strict=True):
                place = shape.pixel(row, column, a, b)
                if place is not None:
                    entries[(c * height + place[0]) * width + place[1]] += weight
            rows.append(tuple(entries))
        return tuple(rows)


def extreme_squares(matrix: Exact) -> tuple[Fraction, Fraction] | None:
    """The squared extreme singular values of a matrix of at most two rows or columns; None if irrational or larger."""
    thin = matrix if len(matrix) <= len(matrix[0]) else transposed(matrix)
    gram = times(thin, transposed(thin))
    if len(gram) == 1:
        return gram[0][0], gram[0][0]
    if len(gram) > 2:
        return None
    half, off = (gram[0][0] - gram[1][1]) / 2, gram[0][1]
    square = half**2 + off**2
    root = Fraction(*(round(float(n) ** 0.5) for n in square.as_integer_ratio()))
    middle = (gram[0][0] + gram[1][1]) / 2
    return (middle + root, middle - root) if root**2 == square else None


def observe_exact(layer: ExactLayer) -> Values:
    """The rational route; empty where singular values are irrational."""
    operator, kernel = extreme_squares(layer.matrix()), extreme_squares(layer.R)
    if operator is None or kernel is None:
        return {}
    return {
        "p": 1,
        **{name: Fraction(value) for name, value in structure(layer.shape).items()},
        "eps": layer.eps,
        "op_max2": operator[0],
        "op_min2": operator[1],
        "op_sum2": sum(v * v for row in layer.matrix() for v in row),
        "kernel_max2": kernel[0],
        "kernel_min2": kernel[1],
        "kernel_sum2": sum(v * v for row in layer.R for v in row),
    }


PAIRS = (
    (ONE, ZERO),
    (Fraction(3, 5), Fraction(4, 5)),
    (Fraction(4, 5), Fraction(-3, 5)),
    (Fraction(5, 13), Fraction(12, 13)),
)
"""Kernels of two taps and length 1."""


def bounded_candidates() -> Iterator[ExactLayer]:
    """Two pixels in a row, kernels of one and two taps, and four pixels that one patch covers, all over the band."""
    unit: Exact = ((ONE, ZERO), (ZERO, ONE))
    tile: Exact = ((HALF, HALF, HALF, HALF), (HALF, -HALF, HALF, -HALF))
    listed: list[tuple[Exact, Shape]] = [(((ONE,),), Shape(1, 1, (1, 1), (1, 2)))]
    listed += [((pair,), Shape(1, 1, (1, 2), (1, 2))) for pair in PAIRS]
    listed += [((pair,), Shape(1, 2, (1, 1), (1, 2))) for pair in PAIRS]
    listed += [(R, Shape(2, 1, (1, 2), (1, 2))) for R in (unit, TURN)]
    listed += [(tile[:rows], Shape(rows, 1, (2, 2), (2, 2), 2)) for rows in (1, 2)]
    for eps, (R, shape) in product((QUARTER, HALF, Fraction(1, 8)), listed):
        for scale in (ONE, 1 + eps, 1 / (1 + eps)):
            yield ExactLayer(tuple(tuple(scale * v for v in row) for row in R), shape, eps)


def circular_candidates() -> Iterator[ExactLayer]:
    """Those, and two channels of different strength on one pixel."""
    yield from bounded_candidates()
    yield ExactLayer(times(TURN, diagonal((Fraction(2), ONE), 2, 2)), Shape(2, 2, (1, 1), (1, 1)), ONE)


def padded_candidates() -> Iterator[ExactLayer]:
    """Two pixels in a row with zeros around them."""
    for a, b in PAIRS:
        yield ExactLayer(((a, b),), Shape(1, 1, (1, 2), (1, 2), 1, 0), ONE)
        yield ExactLayer(((a, b, a),), Shape(1, 1, (1, 3), (1, 2), 1, 1), ONE)
        yield ExactLayer(((2 * a,), (b,)), Shape(2, 1, (1, 1), (1, 2), 1, 0), ONE)


def lower(layer: ExactLayer) -> list[Layer]:
    """An exact layer as a batch of one."""
    shape = layer.shape
    kernel = np.array(layer.R, dtype=np.float64).reshape(shape.N_out, shape.N_in, *shape.kernel)
    return [Layer(kernel, shape, float(layer.eps))]


def describe(layer: ExactLayer) -> tuple[tuple[str, str], ...]:
    """The kernel and how it is used."""
    shape = layer.shape
    return (
        ("R", shown(layer.R)),
        ("N_in", str(shape.N_in)),
        ("image", f"{shape.image[0]} x {shape.image[1]}"),
        ("stride", str(shape.stride)),
        ("padding", "circular" if shape.padding == CIRCULAR else str(shape.padding)),
        ("eps", str(layer.eps)),
    )


def _experiment(
    name: str, shapes: Sequence[Shape], candidates: Callable[[], Iterator[ExactLayer]], *, bounded: bool
) -> Experiment:
    return Experiment(
        name=name,
        sample=lambda rng: layers(rng, shapes, bounded=bounded),
        observe=lambda batch: _observation(batch, from_simulator),
        exact=ExactRoute(candidates, observe_exact, describe, lower),
        layer=on_layers(lambda batch: _observation(batch, from_torch)),
    )


@cache
def bounded_kernels() -> Experiment:
    """Circular layers whose reshaped kernel has been bounded."""
    return _experiment("layers with bounded kernels", CIRCULAR_SHAPES, bounded_candidates, bounded=True)


@cache
def circular() -> Experiment:
    """Circular layers with any kernels."""
    return _experiment("circular layers", CIRCULAR_SHAPES, circular_candidates, bounded=False)


@cache
def any_padding() -> Experiment:
    """Circular layers and zero-padded ones, with any kernels."""

    def candidates() -> Iterator[ExactLayer]:
        yield from circular_candidates()
        yield from padded_candidates()

    return _experiment("layers of any padding", CIRCULAR_SHAPES + PADDED_SHAPES, candidates, bounded=False)
