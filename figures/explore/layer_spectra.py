"""Singular values of convolution layers on images, all of them, before and after their kernel is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from figures.explore.judge import setting
from figures.explore.page import Values
from sim.arrays import FloatArray, IntArray
from sim.cnn.filters import FILTERS, named_filter
from sim.conv_spectrum import circular_singular_values, kernel_singular_values, reshaped
from sim.svb import bound_singular_values

RANDOM = "random orthogonal"
KERNELS = ("(3/5, 4/5)", *FILTERS, RANDOM)
DENSE = 324
"""Zero-padded layers are small enough to be written out as a matrix with so many columns."""
WAVES = 24
"""At most so many frequencies along each side are shown."""


@dataclass(frozen=True)
class Geometry:
    """A layer on images (side, side): taps (kh, kw), stride, zeros on each side, or circular."""

    taps: tuple[int, int]
    side: int
    stride: int
    padding: int
    circular: bool

    @property
    def output(self) -> tuple[int, int]:
        """The size of the images that come out."""
        if self.circular:
            return self.side // self.stride, self.side // self.stride
        height, width = ((self.side + 2 * self.padding - t) // self.stride + 1 for t in self.taps)
        return height, width

    def seen(self, axis: int, tap: int) -> tuple[IntArray, IntArray]:
        """Outputs along an axis to which a tap brings a pixel, and that pixel: two arrays of indices."""
        outputs = np.arange(self.output[axis], dtype=np.int64)
        pixels = self.stride * outputs + tap - self.padding
        if self.circular:
            return outputs, pixels % self.side
        inside = (pixels >= 0) & (pixels < self.side)
        return outputs[inside], pixels[inside]

    def counts(self) -> FloatArray:
        """How many patches see each pixel, (side, side)."""
        lines = []
        for axis in (0, 1):
            line = np.zeros(self.side)
            for tap in range(self.taps[axis]):
                np.add.at(line, self.seen(axis, tap)[1], 1.0)
            lines.append(line)
        return np.outer(*lines)

    def whole(self) -> int:
        """The number of patches that lie in the image without padding or wrapping."""
        return math.prod(
            sum(0 <= self.stride * n - self.padding <= self.side - t for n in range(out))
            for t, out in zip(self.taps, self.output, strict=True)
        )


@dataclass(frozen=True, eq=False)
class Spectra:
    """kernel (N_out, N_in, kh, kw), its singular values as a matrix, and those of the layer, both descending."""

    kernel: FloatArray
    matrix: FloatArray
    layer: FloatArray


@dataclass(frozen=True, eq=False)
class Found:
    """A layer before and after Singular Value Bounding of its kernel."""

    name: str
    geometry: Geometry
    eps: float
    before: Spectra
    after: Spectra
    message: str


def random_orthogonal(channels: int, k: int, seed: int) -> FloatArray:
    """A random kernel (channels, channels, k, k) whose rows are orthonormal once reshaped."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((channels * k * k, channels)))
    return np.asarray((q * np.sign(np.diagonal(r))).T.reshape(channels, channels, k, k))


def kernel_of(name: str, k: int, channels: int, seed: int) -> FloatArray:
    """The kernel of this name, (N_out, N_in, kh, kw)."""
    if name == KERNELS[0]:
        return np.array([[[[0.6, 0.8]]]])
    return random_orthogonal(channels, k, seed) if name == RANDOM else named_filter(name, k)[None, None]


def layer_matrix(kernel: FloatArray, geometry: Geometry) -> FloatArray:
    """The layer written out, (N_out H' W', N_in side^2)."""
    outputs, inputs = kernel.shape[:2]
    A = np.zeros((outputs, *geometry.output, inputs, geometry.side, geometry.side))
    for a in range(kernel.shape[2]):
        rows, down = geometry.seen(0, a)
        for b in range(kernel.shape[3]):
            columns, right = geometry.seen(1, b)
            # indices apart from each other put the pixels first
            A[:, rows[:, None], columns[None, :], :, down[:, None], right[None, :]] += kernel[:, :, a, b]
    return A.reshape(outputs * math.prod(geometry.output), -1)


def layer_singular_values(kernel: FloatArray, geometry: Geometry) -> FloatArray:
    """All singular values of the layer, descending."""
    if geometry.circular:
        return circular_singular_values(kernel, (geometry.side, geometry.side), stride=geometry.stride)
    return np.asarray(np.linalg.svd(layer_matrix(kernel, geometry), compute_uv=False))


def find(values: Values) -> Found:
    """Everything that the page shows, for the values of its controls."""
    name, eps, circular = str(values["kernel"]), setting(values, "eps"), values["padding"] == "circular"
    kernel = kernel_of(name, int(values["k"]), int(values["channels"]), int(values["seed"]))
    taps = (kernel.shape[2], kernel.shape[3])
    stride = max(taps) if values["patches"] == "tile" else 1
    asked, remarks = int(values["image"]), []
    side = max(asked, max(taps))
    if not circular and kernel.shape[1] * side**2 > DENSE:
        side = math.isqrt(DENSE // kernel.shape[1])
        remarks.append(f"With zeros around them images of {side} × {side} pixels are the largest shown.")
    if side % stride:
        side -= side % stride
        remarks.append(f"Patches of {stride} pixels tile images of {side} × {side}.")
    if side > asked:
        remarks.append(f"The image must be as large as the kernel: {side} × {side}.")
    geometry = Geometry(taps, side, stride, 0 if circular or stride > 1 else (min(taps) - 1) // 2, circular)
    bounded = np.asarray(bound_singular_values(reshaped(kernel), eps)).reshape(kernel.shape)
    both = [
        Spectra(one, kernel_singular_values(one), layer_singular_values(one, geometry)) for one in (kernel, bounded)
    ]
    return Found(name, geometry, eps, both[0], both[1], " ".join(remarks))


def wave_gains(kernel: FloatArray, side: int) -> FloatArray:
    """The largest gain of a wave with each pair of frequencies, (n, n) for n = min(side, WAVES), 0 in the middle."""
    n = min(side, WAVES)
    frequencies = np.fft.fftshift(np.fft.fftfreq(n))
    turns = [np.exp(-2j * np.pi * np.outer(frequencies, np.arange(taps))) for taps in kernel.shape[2:]]
    K = np.einsum("fa,gb,ocab->fgoc", turns[0], turns[1], kernel, optimize=True)
    return np.asarray(np.linalg.svd(K, compute_uv=False)[..., 0])
