"""k x k filters to train towards, by formula: a blur, an edge, and one like those that trained networks have."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from sim.arrays import FloatArray
from sim.errors import require_choice, require_finite, require_positive_int


def named_filter(name: str, k: int) -> FloatArray:
    """The filter of this name, (k, k); `FILTERS` lists the names. ValueError for any other name and for k < 1."""
    return FILTERS[require_choice(name, "filter", tuple(FILTERS))](require_positive_int(k, "k"))


def require_filter(filter: str | npt.ArrayLike, k: int) -> FloatArray:
    """A filter (k, k), given by name or as an array. ValueError unless it has this shape, is finite and not zero."""
    if isinstance(filter, str):
        return named_filter(filter, k)
    pixels = require_finite(filter, "filter")
    if pixels.shape != (k, k):
        raise ValueError(f"filter must have shape ({k}, {k}), got {pixels.shape}")
    if not pixels.any():
        raise ValueError("filter must not be zero, since its direction is that of the optimum, got all zeros")
    return pixels


def _blur(k: int) -> FloatArray:
    """Gaussian of standard deviation k/4 pixels, summing to 1."""
    profile = np.exp(-0.5 * np.square(_pixel_centres(k) / (k / 4)))
    blur = np.outer(profile, profile)
    return np.asarray(blur / blur.sum())


def _edge(k: int) -> FloatArray:
    """Left-to-right difference, smoothed binomially both ways: Sobel's for k = 3, [[-1, 1], [-1, 1]] for k = 2."""
    if k == 1:
        return np.ones((1, 1))
    difference = np.convolve(_binomial(k - 2), [-1.0, 1.0])
    return np.outer(_binomial(k - 1), difference)


def _gabor(k: int) -> FloatArray:
    """Oriented wave in an elongated Gaussian: wavelength k, angle 30 degrees, phase 45 degrees, no symmetry."""
    y, x = np.meshgrid(_pixel_centres(k), _pixel_centres(k), indexing="ij")
    angle, phase = math.pi / 6, math.pi / 4
    along, across = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
    envelope = np.exp(-0.5 * (np.square(along) + 0.25 * np.square(across)) / (k / 3) ** 2)
    return np.asarray(envelope * np.cos(2 * math.pi * along / k + phase))


def _pixel_centres(k: int) -> FloatArray:
    return np.arange(k, dtype=np.float64) - (k - 1) / 2


def _binomial(n: int) -> FloatArray:
    return np.array([math.comb(n, j) for j in range(n + 1)], dtype=np.float64)


FILTERS: Mapping[str, Callable[[int], FloatArray]] = MappingProxyType({"blur": _blur, "edge": _edge, "gabor": _gabor})
"""The named filters: each maps k >= 1 to a filter (k, k), float64, row by row, not normalised."""
