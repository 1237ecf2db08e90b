"""The wide limit of ReLU conv nets whose filters have any spatial correlation R: second moments by layer.

In a layer with n_in channels whose weights have mean zero, covariance v R within each k x k filter and none between
filters, the second moments of responses at positions a, a' to inputs x, x' are

    K'(a, a') = n_in v sum_{d, d'} R(d, d') Q(a + d, a' + d'),    Q(a, a') the channel mean of x(a) x'(a'),

at any width; as widths grow, responses become Gaussian and Q(a, a') = E[relu(y(a)) relu(y'(a'))] is the arc-cosine
kernel of degree 1 of K. For R = I it is the kernel of convolutional networks (Garriga-Alonso et al., 2019; Novak et
al., 2019). The double sum is a convolution over both positions at once, done by FFT in four dimensions.

Biases are zero, strides one; y(a) = sum_d w(d) x(a + d - centre), as in torch, with the centre (k - 1) // 2.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy import fft

from sim.arrays import FloatArray
from sim.errors import (
    require_choice,
    require_correlation_matrix,
    require_finite,
    require_non_negative,
    require_positive_int,
    require_shape,
)

PADDINGS = ("circular", "zero")
"""What lies beyond the border of an image: its other side, or zeros."""


def relu_correlation(c: object) -> FloatArray:
    """f(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / pi: correlation c of responses -> E[x x'] / (q/2) after ReLU.

    f(-1) = 0, f(0) = 1/pi, f(1) = f'(1) = 1. c of any shape is clipped to [-1, 1], where rounding may leave it.
    Cho and Saul (2009), degree 1.
    """
    cosine = np.clip(require_finite(c, "c"), -1.0, 1.0)
    return np.asarray((np.sqrt((1.0 - cosine) * (1.0 + cosine)) + cosine * (np.pi - np.arccos(cosine))) / np.pi)


def relu_moments(K: object) -> FloatArray:
    """Q = E[relu(y) relu(y')] for centred Gaussian y of covariance K, both (B, B, H, W, H, W).

    K[b, b', ..] holds the second moments of responses to inputs b and b'. Positions of variance 0 have Q = 0.
    """
    moments = require_kernel(K, "K")
    scale = np.sqrt(np.maximum(_variances(moments), 0.0))
    product = scale[:, None, :, :, None, None] * scale[None, :, None, None, :, :]
    cosine = np.divide(moments, product, out=np.zeros_like(moments), where=product > 0)
    return np.asarray(product / 2 * relu_correlation(cosine))


def input_moments(images: object) -> FloatArray:
    """Q of the inputs (B, B, H, W, H, W): the channel mean of x(a) x'(a') for images (B, C, H, W)."""
    x = require_shape(require_finite(images, "images"), "images", (None, None, None, None))
    return np.asarray(np.einsum("bchw,xcij->bxhwij", x, x, optimize=True) / x.shape[1])


def layer_moments(
    Q: object, R: object, v: object, *, padding: str, kernel: tuple[int, int] | None = None
) -> FloatArray:
    """K' of one convolution, (B, B, H, W, H, W), from the second moments Q of its inputs, of the same shape.

    R: (p, p) correlation of the p pixels of a filter, row by row; kernel: its height and width, square unless given.
    v: n_in times the variance of one weight; He's is 2/p. padding: "circular" (filters wrap around images smaller than
    they are) or "zero" (odd sides only, since such a filter needs a centre).
    Raises ValueError for anything of the wrong shape or out of range, saying what would mend it.
    """
    moments = require_kernel(Q, "Q")
    return _Convolution(R, v, moments.shape[-2:], padding, kernel)(moments)


def kernels(
    images: object, R: object, v: object, *, depth: int, padding: str, kernel: tuple[int, int] | None = None
) -> Iterator[FloatArray]:
    """K of layers 1, 2, ..., depth (before ReLU) in the wide limit, each (B, B, H, W, H, W), for images (B, C, H, W).

    The other arguments are those of `layer_moments`; they are checked before the first layer is asked for.
    """
    depth = require_positive_int(depth, "depth")
    moments = input_moments(images)
    layer = _Convolution(R, v, moments.shape[-2:], padding, kernel)
    return _propagate(moments, layer, depth)


def _propagate(moments: FloatArray, layer: _Convolution, depth: int) -> Iterator[FloatArray]:
    for _ in range(depth):
        K = layer(moments)
        yield K
        moments = relu_moments(K)


class _Convolution:
    """The map Q -> K' for images of one size, with the spectrum of R computed once."""

    def __init__(
        self, R: object, v: object, size: tuple[int, ...], padding: str, kernel: tuple[int, int] | None
    ) -> None:
        matrix = require_correlation_matrix(R, "R")
        sides = require_kernel_sides(len(matrix), kernel)
        self.scale = float(require_shape(require_non_negative(v, "v"), "v", ()))
        _require_padding(padding, sides)
        self.size = size
        # zeros as wide as half a filter keep the two sides of an image apart
        self.period = [
            n if padding == "circular" else fft.next_fast_len(n + side // 2, real=True)
            for n, side in zip(size, sides, strict=True)
        ]
        spectrum = np.zeros((*self.period, *self.period))
        rows, columns = ((np.arange(side) - (side - 1) // 2) % n for side, n in zip(sides, self.period, strict=True))
        # a filter wider than the image falls on some pixels twice
        np.add.at(spectrum, np.ix_(rows, columns, rows, columns), matrix.reshape(*sides, *sides))
        self.spectrum = np.conj(fft.rfftn(spectrum))

    def __call__(self, moments: FloatArray) -> FloatArray:
        (height, width), axes, shape = self.size, (2, 3, 4, 5), (*self.period, *self.period)
        found = fft.irfftn(fft.rfftn(moments, shape, axes) * self.spectrum, shape, axes)
        return np.asarray(self.scale * found[:, :, :height, :width, :height, :width])


def window_moments(Q: object, k: int, *, padding: str) -> FloatArray:
    """M (k^2, k^2): the mean of Q(a + d, a + d') over positions a and inputs, d and d' pixels of a k x k window.

    Q: (B, B, H, W, H, W), as of `input_moments` or `relu_moments`; each input with itself counts, not with others.
    What `sim.correlation.response_gain` wants. Raises ValueError as `layer_moments`.
    """
    moments = require_kernel(Q, "Q")
    height, width = moments.shape[-2:]
    _require_padding(padding, (require_positive_int(k, "k"), k))
    row, column = np.divmod(np.arange(height * width), width)
    down, right = np.divmod(np.arange(k * k), k) - np.array((k - 1) // 2)
    rows, columns = row[:, None] + down, column[:, None] + right
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width) | (padding == "circular")
    at = (rows % height) * width + columns % width
    own = np.einsum("bbij->ij", moments.reshape(*moments.shape[:2], height * width, height * width)) / len(moments)
    pairs = own[at[:, :, None], at[:, None, :]] * (inside[:, :, None] & inside[:, None, :])
    return np.asarray(pairs.mean(axis=0))


def stationary_layer(q: object, R: object, v: object) -> FloatArray:
    """K' of one convolution for inputs whose second moments depend on the lag a' - a only, circular padding.

    q: (..., H, W), q[.., t] the second moment at lag t (row and column, modulo H and W); so is the result.
    K'(t) = v sum_s r(s) q(t + s), r(s) the sum of R(d, d') over d' - d = s: a convolution over lags alone, by FFT.
    """
    lags = require_finite(q, "q")
    if lags.ndim < 2 or lags.size == 0:
        raise ValueError(f"q must have shape (..., H, W), got {lags.shape}")
    weights = lag_sums(R)
    scale = float(require_shape(require_non_negative(v, "v"), "v", ()))
    k, (height, width) = (len(weights) + 1) // 2, lags.shape[-2:]
    folded = np.zeros((height, width))
    offsets = np.arange(1 - k, k)
    np.add.at(folded, np.ix_(offsets % height, offsets % width), weights)
    spectrum = np.conj(fft.rfftn(folded))
    return np.asarray(scale * fft.irfftn(fft.rfftn(lags, axes=(-2, -1)) * spectrum, (height, width), (-2, -1)))


def lag_sums(R: object) -> FloatArray:
    """r (2 k - 1, 2 k - 1): r[k - 1 + s] is the sum of R(d, d') over pairs of pixels d' - d = s; its sum is 1'R1."""
    matrix = require_correlation_matrix(R, "R")
    k, _ = require_kernel_sides(len(matrix), None)
    row, column = np.divmod(np.arange(k * k), k)
    sums = np.zeros((2 * k - 1, 2 * k - 1))
    np.add.at(sums, (k - 1 + row - row[:, None], k - 1 + column - column[:, None]), matrix)
    return sums


def stationary_moments(K: object) -> FloatArray:
    """Q after ReLU for one input with K (..., H, W) by lag: (K(0)/2) f(K(t)/K(0)); zero where K(0) is."""
    lags = require_finite(K, "K")
    if lags.ndim < 2 or lags.size == 0:
        raise ValueError(f"K must have shape (..., H, W), got {lags.shape}")
    variance = np.maximum(lags[..., :1, :1], 0.0)
    cosine = np.divide(lags, variance, out=np.zeros_like(lags), where=variance > 0)
    return np.asarray(variance / 2 * relu_correlation(cosine))


def require_kernel(value: object, name: str) -> FloatArray:
    """`value` as second moments of B inputs of H x W positions, (B, B, H, W, H, W), finite."""
    array = require_finite(value, name)
    if array.ndim != 6 or array.size == 0 or array.shape[0] != array.shape[1] or array.shape[2:4] != array.shape[4:6]:
        raise ValueError(
            f"{name} must have shape (B, B, H, W, H, W), got {array.shape}; `input_moments` makes it from images"
        )
    return array


def require_kernel_sides(p: int, kernel: tuple[int, int] | None) -> tuple[int, int]:
    """Height and width of a filter of p pixels: those given, which must multiply to p, or a square's."""
    if kernel is None:
        side = math.isqrt(p)
        if side * side != p:
            raise ValueError(f"R must be k^2 x k^2 for a k x k filter, got {p} x {p}; give kernel=(height, width)")
        return side, side
    height, width = (require_positive_int(side, "kernel") for side in kernel)
    if height * width != p:
        raise ValueError(f"kernel must have as many pixels as R has rows, {p}, got {height} x {width}")
    return height, width


def _require_padding(padding: str, sides: tuple[int, int]) -> None:
    require_choice(padding, "padding", PADDINGS)
    if padding == "zero" and not (sides[0] % 2 and sides[1] % 2):
        raise ValueError(
            f"kernel must have odd sides for zero padding, which needs a centre, got {sides[0]} x {sides[1]}; "
            "padding='circular' takes any"
        )


def _variances(moments: FloatArray) -> FloatArray:
    """The second moments of each input at each position, (B, H, W)."""
    batch, _, height, width = moments.shape[:4]
    flat = moments.reshape(batch, batch, height * width, height * width)
    diagonal = np.einsum("bbii->bi", flat)
    return np.asarray(diagonal.reshape(batch, height, width))
