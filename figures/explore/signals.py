"""A signal through layers of correlated filters: in the limit of many channels, and in random networks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from figures.explore.judge import setting, shown
from figures.explore.page import Values
from sim.arrays import FloatArray
from sim.correlation import correlation_root, equicorrelation, exponential_correlation, weight_std
from sim.known import find_correlation
from sim.mean_field import input_moments, layer_moments, relu_moments, window_moments
from sim.nearest import alpha_range, scale_correlation

SIDE = 8
"""Height and width of the image."""
NETWORKS, SEED = 8, 7
SINGLE = 4000
"""Filters that are applied to the image to see what one layer does."""


@dataclass(frozen=True, eq=False)
class Found:
    """What correlated filters do to one image, E[x^2] = 1.

    R: of the filters that are used. asked: with alpha as asked for, which may be no correlation matrix. largest: the
    largest alpha that leaves one. sizes: n_in Var[w] by layer. limit: E[y^2] by layer in the limit of many channels;
    alike: mean correlation of two positions there. white: the same two for uncorrelated filters of He's size.
    measured, error: E[y^2] in NETWORKS random networks and its standard error; gains: by what each layer multiplied
    the mean square of its inputs there, the mean over networks. kept: what one layer keeps of E[x^2]
    after ReLU, and its standard error; single: E[y^2] of that layer likewise.
    """

    R: FloatArray
    asked: FloatArray
    alpha: float
    largest: float
    scale: str
    image: FloatArray
    sizes: FloatArray
    limit: FloatArray
    alike: FloatArray
    white: tuple[FloatArray, FloatArray]
    measured: FloatArray
    error: FloatArray
    gains: FloatArray
    kept: tuple[float, float]
    single: tuple[float, float]
    width: int
    message: str

    @property
    def k(self) -> int:
        """Width of the filters."""
        return math.isqrt(len(self.R))


def smooth_image(smooth: float) -> FloatArray:
    """A random image (1, 1, SIDE, SIDE) on a torus, E[x^2] = 1; neighbours have correlation `smooth` (1: all equal)."""
    lag = np.minimum(np.arange(SIDE), SIDE - np.arange(SIDE))
    spectrum = np.maximum(np.fft.fft(smooth**lag).real, 0.0)
    white = np.fft.fft2(np.random.default_rng(SEED).standard_normal((SIDE, SIDE)))
    image = np.fft.ifft2(white * np.sqrt(np.outer(spectrum, spectrum))).real
    return np.asarray(image / np.sqrt(np.square(image).mean()))[None, None]


def correlation(kind: str, k: int, rho: float) -> FloatArray:
    """R (k^2, k^2) of the kind; known ones have a k of their own."""
    if kind == "exponential":
        return exponential_correlation(k, rho)
    return equicorrelation(k * k, rho) if kind == "equal" else find_correlation(kind).R


def wide_limit(image: FloatArray, R: FloatArray, scale: str, depth: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """n_in Var[w], E[y^2], and the mean correlation of different positions, by layer, each (depth,)."""
    Q, k = input_moments(image), math.isqrt(len(R))
    rows = []
    for _ in range(depth):
        inputs = window_moments(Q, k, padding="circular") if scale == "mean_field" else None
        v = weight_std(scale, R, 1, moments=inputs) ** 2
        K = layer_moments(Q, R, v, padding="circular")
        flat = K.reshape(SIDE**2, SIDE**2)
        size = np.sqrt(np.maximum(np.diagonal(flat), np.finfo(float).tiny))
        likeness = ((flat / np.outer(size, size)).sum() - SIDE**2) / (SIDE**4 - SIDE**2)
        rows.append((v, float(np.diagonal(flat).mean()), float(likeness)))
        Q = relu_moments(K)
    sizes, second, alike = np.array(rows).T
    return sizes, second, alike


def networks(image: FloatArray, R: FloatArray, sizes: FloatArray, width: int) -> tuple[FloatArray, FloatArray]:
    """The mean of y^2 over channels and positions in random networks of `width` channels, and over that of x^2.

    Both (NETWORKS, depth).
    """
    root, k = correlation_root(R), math.isqrt(len(R))
    x = np.repeat(image, NETWORKS, axis=0)
    second, gains = [], []
    for layer, v in enumerate(sizes):
        channels = x.shape[1]
        white = white_filters(NETWORKS * width * channels, len(R), layer)
        weights = np.sqrt(v / channels) * white @ root.T
        y = weights.reshape(NETWORKS, width, -1) @ windows(x, k)
        second.append(np.square(y).mean(axis=(1, 2)))
        gains.append(second[-1] / np.square(x).mean(axis=(1, 2, 3)))
        x = np.maximum(y, 0.0).reshape(NETWORKS, width, SIDE, SIDE)
    return np.stack(second, axis=1), np.stack(gains, axis=1)


@lru_cache(maxsize=32)
def white_filters(count: int, p: int, layer: int) -> FloatArray:
    """Uncorrelated standard normal filters (count, p), the same at every setting: curves then follow a slider."""
    white = np.random.default_rng([SEED, layer]).standard_normal((count, p))
    white.setflags(write=False)
    return white


def windows(x: FloatArray, k: int) -> FloatArray:
    """The windows of images (n, c, SIDE, SIDE) as columns, (n, c k^2, SIDE^2)."""
    before = (k - 1) // 2
    padded = np.pad(x, ((0, 0), (0, 0), (before, k - 1 - before), (before, k - 1 - before)), mode="wrap")
    seen = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
    return seen.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), -1, SIDE**2)


def find(values: Values) -> Found:
    """Everything that the page shows, for the values of its controls."""
    R = correlation(str(values["kind"]), int(values["k"]), setting(values, "rho"))
    alpha, largest = setting(values, "alpha"), alpha_range(R)[1]
    asked = alpha * R
    np.fill_diagonal(asked, 1.0)
    message = ""
    try:
        used = scale_correlation(R, alpha)
    except ValueError as refusal:
        used = scale_correlation(R, largest)
        reason = str(refusal).split(";")[0]
        message = f"Refused: {reason}. Shown is the largest, alpha = {shown(largest)}."
    image, scale, depth = smooth_image(setting(values, "smooth")), str(values["scale"]), int(values["depth"])
    sizes, limit, alike = wide_limit(image, used, scale, depth)
    white = wide_limit(image, np.eye(len(R)), "he", depth)[1:]
    k = math.isqrt(len(R))
    width = 144 // k
    measured, gains = networks(image, used, sizes, width)
    filters = np.sqrt(sizes[0]) * white_filters(SINGLE, len(R), 0) @ correlation_root(used).T
    y = filters @ windows(image, k)[0]
    return Found(
        used,
        asked,
        alpha,
        largest,
        scale,
        image,
        sizes,
        limit,
        alike,
        white,
        measured.mean(axis=0),
        measured.std(axis=0, ddof=1) / np.sqrt(NETWORKS),
        gains.mean(axis=0),
        _mean(np.square(np.maximum(y, 0.0)).mean(axis=1)),
        _mean(np.square(y).mean(axis=1)),
        width,
        message,
    )


def _mean(each: FloatArray) -> tuple[float, float]:
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(len(each)))
