"""Convolution layers: their shapes, what follows from these alone, and their matrices written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from sim.arrays import FloatArray

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


Structure = Callable[[Shape], dict[str, int]]
"""A shape to what follows from it alone."""


def structure(shape: Shape) -> dict[str, int]:
    """What follows from the shapes alone, the patches listed one by one."""
    height, width = shape.positions
    return named(shape, shape.seen().ravel(), shape.whole(), height * width)


def structure_by_torch(shape: Shape) -> dict[str, int]:
    """The same from a torch layer of ones with one channel: which pixels reach which outputs."""
    touched = dense_torch(np.ones((1, 1, *shape.kernel)), replace(shape, N_out=1, N_in=1)) != 0
    whole = touched.sum(axis=1) == shape.kernel[0] * shape.kernel[1]
    return named(shape, touched.sum(axis=0), int(whole.sum()), len(touched))


def named(shape: Shape, seen: np.ndarray, whole: int, positions: int) -> dict[str, int]:
    """What claims speak of. seen: how many patches see each pixel; whole: how many of the positions see pixels only."""
    return {
        "overlap": int(seen.max()),
        "coverage": int(seen.min()),
        "whole": whole,
        "positions": positions,
        "taps": shape.kernel[0] * shape.kernel[1],
        "N_in": shape.N_in,
        "N_out": shape.N_out,
        "rows": shape.N_out * positions,
        "columns": shape.N_in * shape.image[0] * shape.image[1],
        "H": shape.image[0],
        "W": shape.image[1],
        "kh": shape.kernel[0],
        "kw": shape.kernel[1],
        "stride": shape.stride,
    }
