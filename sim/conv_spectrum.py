"""Singular values of a convolution as a linear map of images, beside those of its kernel as a matrix.

The layer is y[o, i, j] = sum_(c, a, b) K[o, c, a, b] x[c, s i + a - p, s j + b - p], a cross-correlation with stride s:
circular (indices modulo the image) or with p zeros around the image. Nothing here forms its matrix.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from sim.arrays import FloatArray
from sim.errors import require_finite, require_int, require_positive_int, require_shape


def reshaped(kernel: object) -> FloatArray:
    """The kernel (N_out, N_in, kh, kw) as the matrix (N_out, N_in kh kw) that SVB bounds. Jia et al., footnote 2."""
    checked = _require_kernel(kernel)
    return checked.reshape(len(checked), -1)


def kernel_singular_values(kernel: object) -> FloatArray:
    """The min(N_out, N_in kh kw) singular values of the reshaped kernel, descending."""
    return np.asarray(np.linalg.svd(reshaped(kernel), compute_uv=False), dtype=np.float64)


def circular_singular_values(kernel: object, image: tuple[int, int], *, stride: int = 1) -> FloatArray:
    """All singular values of the circular convolution on images (H, W), descending.

    At stride 1 they are those of K(f) = sum_(a, b) K[:, :, a, b] exp(-2 pi i (f_1 a/H + f_2 b/W)) over all frequencies
    f; at stride s those of the blocks [K(f + (H u_1/s, W u_2/s))]_(0 <= u_1, u_2 < s) / s, (N_out, N_in s^2), one for
    each f below (H/s, W/s): frequencies that the stride cannot tell apart. K is real, so K(-f) is the complex conjugate
    of K(f) and one of the two is enough.

    Raises ValueError if the kernel does not fit the image, or the stride does not divide it.
    """
    checked = _require_kernel(kernel)
    height, width = _require_image(image)
    s = require_positive_int(stride, "stride")
    if checked.shape[2] > height or checked.shape[3] > width:
        raise ValueError(f"image must be at least as large as the kernel {checked.shape[2:]}, got {(height, width)}")
    if height % s or width % s:
        raise ValueError(f"stride must divide the image {(height, width)}, got {s}")
    rows, columns, counts = _half(height // s, width // s)
    alias_rows, alias_columns = (index.ravel() for index in np.indices((s, s)))
    blocks = _transform(
        checked,
        np.add.outer(rows, height // s * alias_rows) / height,
        np.add.outer(columns, width // s * alias_columns) / width,
    )
    # beside each other what the stride adds up: (frequencies, N_out, s^2 N_in)
    joined = blocks[:, 0] if s == 1 else np.moveaxis(blocks, 1, 2).reshape(len(rows), len(checked), -1) / s
    values = np.linalg.svd(joined, compute_uv=False)
    return np.sort(np.repeat(values, counts, axis=0), axis=None)[::-1]


def _transform(kernel: FloatArray, vertical: FloatArray, horizontal: FloatArray) -> Any:
    """K(f), (..., N_out, N_in), at frequencies in cycles per pixel, (...): for few taps cheaper than an FFT."""
    outputs, inputs, height, width = kernel.shape
    turns = np.add.outer(np.multiply.outer(vertical, np.arange(height)), np.zeros(width))
    turns += np.multiply.outer(horizontal, np.arange(width))[..., None, :]
    phases = np.exp(-2j * np.pi * turns).reshape(*vertical.shape, -1)
    taps = kernel.transpose(2, 3, 0, 1).reshape(height * width, -1).astype(np.complex128)
    return (phases @ taps).reshape(*vertical.shape, outputs, inputs)


def _half(height: int, width: int) -> tuple[Any, Any, Any]:
    """One of each pair of frequencies f and -f: their rows, their columns, and how many (1 or 2) each stands for."""
    rows, columns = (index.ravel() for index in np.indices((height, width)))
    place = rows * width + columns
    opposite = (-rows % height) * width + (-columns % width)
    kept = place <= opposite
    return rows[kept], columns[kept], np.where(place == opposite, 1, 2)[kept]


@dataclass(frozen=True, eq=False)
class ZeroPadded:
    """The convolution with `padding` zeros on each side of images (H, W), as a map and its adjoint."""

    kernel: FloatArray
    image: tuple[int, int]
    padding: int
    stride: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "kernel", _require_kernel(self.kernel))
        object.__setattr__(self, "image", _require_image(self.image))
        require_int(self.padding, "padding", 0)
        require_positive_int(self.stride, "stride")
        if min(self._span) < 0:
            raise ValueError(
                f"image must be at least as large as the kernel {self.kernel.shape[2:]} once padded by {self.padding}, "
                f"got {self.image}"
            )

    @property
    def _span(self) -> tuple[int, int]:
        taps = self.kernel.shape[2:]
        return self.image[0] + 2 * self.padding - taps[0], self.image[1] + 2 * self.padding - taps[1]

    @property
    def output(self) -> tuple[int, int]:
        """The size of the images that come out."""
        return self._span[0] // self.stride + 1, self._span[1] // self.stride + 1

    @property
    def shape(self) -> tuple[int, int]:
        """(N_out H' W', N_in H W), the shape of its matrix."""
        return len(self.kernel) * math.prod(self.output), self.kernel.shape[1] * math.prod(self.image)

    def apply(self, x: FloatArray) -> FloatArray:
        """Images (N_in, H, W) to images (N_out, H', W')."""
        padded = np.pad(x, ((0, 0), (self.padding,) * 2, (self.padding,) * 2))
        y = np.zeros((len(self.kernel), *self.output))
        for tap, window in self._windows():
            y += np.tensordot(tap, padded[window], axes=1)
        return y

    def adjoint(self, y: FloatArray) -> FloatArray:
        """The transposed map, (N_out, H', W') to (N_in, H, W): what back-propagation applies to errors."""
        height, width = self.image
        p = self.padding
        padded = np.zeros((self.kernel.shape[1], height + 2 * p, width + 2 * p))
        for tap, window in self._windows():
            padded[window] += np.tensordot(tap.T, y, axes=1)
        return padded[:, p : p + height, p : p + width]

    def _windows(self) -> Iterator[tuple[FloatArray, tuple[slice, slice, slice]]]:
        rows, columns = ((count - 1) * self.stride + 1 for count in self.output)
        for a in range(self.kernel.shape[2]):
            for b in range(self.kernel.shape[3]):
                window = (slice(None), slice(a, a + rows, self.stride), slice(b, b + columns, self.stride))
                yield self.kernel[:, :, a, b], window


DENSE = 400
"""Maps with a side of at most this many are small enough for a dense matrix, which gives every digit."""
RESIDUAL_LARGEST, RESIDUAL_SMALLEST = 1e-11, 1e-7
"""Lanczos stops once the residual of an eigenvector of the Gram matrix is at most this share of s_max^2."""


def zero_padded_extremes(
    kernel: object, image: tuple[int, int], *, padding: int, stride: int = 1
) -> tuple[float, float]:
    """The largest and the smallest of the min(N_out H' W', N_in H W) singular values, with zero padding.

    By Lanczos on the smaller of A A^T and A^T A. The squares come within the stated residuals, as shares of s_max^2: of
    the smallest singular value, whose neighbours crowd, no digits below 3e-4 s_max are to be trusted. Maps of at most
    `DENSE` rows or columns are taken dense.
    Raises ValueError for arguments out of range, RuntimeError if Lanczos does not converge.
    """
    layer = ZeroPadded(_require_kernel(kernel), image, padding, stride)
    if min(layer.shape) <= DENSE:
        values = np.linalg.svd(_thin_matrix(layer), compute_uv=False)
        return float(values[0]), float(values[-1])
    largest = _largest_eigenvalue(layer, 0.0, RESIDUAL_LARGEST)
    smallest = largest - _largest_eigenvalue(layer, largest, RESIDUAL_SMALLEST)
    return math.sqrt(largest), math.sqrt(max(smallest, 0.0))


def _gram(layer: ZeroPadded, vector: FloatArray) -> FloatArray:
    """A A^T or A^T A, whichever is smaller, times a vector."""
    if layer.shape[0] <= layer.shape[1]:
        return layer.apply(layer.adjoint(vector.reshape(len(layer.kernel), *layer.output))).ravel()
    return layer.adjoint(layer.apply(vector.reshape(layer.kernel.shape[1], *layer.image))).ravel()


def _thin_matrix(layer: ZeroPadded) -> FloatArray:
    rows = np.eye(min(layer.shape))
    if layer.shape[0] <= layer.shape[1]:
        return np.array([layer.adjoint(row.reshape(len(layer.kernel), *layer.output)).ravel() for row in rows])
    return np.array([layer.apply(row.reshape(layer.kernel.shape[1], *layer.image)).ravel() for row in rows])


def _largest_eigenvalue(layer: ZeroPadded, top: float, residual: float) -> float:
    """The largest eigenvalue of the Gram matrix G, or of top - G if top > 0: both ends are then found as largest."""
    size = min(layer.shape)

    def multiply(vector: FloatArray) -> FloatArray:
        return top * vector - _gram(layer, vector) if top > 0 else _gram(layer, vector)

    # a start that no symmetry of the image makes orthogonal to an extreme vector
    start = np.cos(np.arange(size) * (math.sqrt(5.0) + 1.0))
    operator = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    try:
        found = eigsh(operator, k=1, which="LA", v0=start, ncv=100, tol=residual, return_eigenvectors=False)
    except ArpackError as failure:
        raise RuntimeError(f"Lanczos did not converge on a map of shape {layer.shape}: {failure}") from failure
    return float(found[0])


def _require_kernel(kernel: object) -> FloatArray:
    return require_shape(require_finite(kernel, "kernel"), "kernel", (None, None, None, None))


def _require_image(image: tuple[int, int]) -> tuple[int, int]:
    try:
        height, width = image
    except (TypeError, ValueError):
        raise ValueError(f"image must be (height, width), got {image!r}") from None
    return require_positive_int(height, "image height"), require_positive_int(width, "image width")
