"""Sample sets beyond the symmetric grid: each loosening of Schneider's assumptions 2 and 3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import hadamard

from sim.arrays import FloatArray, frozen_copy
from sim.errors import (
    require_finite,
    require_generator,
    require_non_negative,
    require_positive_int,
    require_shape,
    require_unit_interval,
)
from sim.grid import check_enumerable, grid_samples, grid_signs


@dataclass(frozen=True, eq=False)
class SampleSet:
    """N samples X (N, p) with targets y (N,), read-only. ValueError unless shapes agree and all is finite."""

    X: FloatArray
    y: FloatArray

    def __post_init__(self) -> None:
        samples = require_shape(require_finite(self.X, "X"), "X", (None, None))
        targets = require_shape(require_finite(self.y, "y"), "y", (samples.shape[0],))
        object.__setattr__(self, "X", frozen_copy(samples))
        object.__setattr__(self, "y", frozen_copy(targets))

    def __len__(self) -> int:
        return int(self.X.shape[0])

    @property
    def p(self) -> int:
        """Number of coordinates of a sample."""
        return int(self.X.shape[1])

    @property
    def second_moment(self) -> FloatArray:
        """E[X X^T], (p, p)."""
        return self.X.T @ self.X / len(self)

    @property
    def cross_moment(self) -> FloatArray:
        """E[y X], (p,)."""
        return self.y @ self.X / len(self)


def linear_targets(X: object, w_star: object | None = None) -> SampleSet:
    """Samples X (N, p) with targets y = w*.X (assumption 3); w_star (p,) defaults to e0."""
    samples = require_shape(require_finite(X, "X"), "X", (None, None))
    p = samples.shape[1]
    if w_star is None:
        return SampleSet(samples, samples[:, 0])
    return SampleSet(samples, samples @ require_shape(require_finite(w_star, "w_star"), "w_star", (p,)))


def symmetric_grid(d: object, w_star: object | None = None) -> SampleSet:
    """The 2^p samples of assumption 2, explicitly: coordinate i is [i = 0] +- d_i, d (p,) in [0, 1]; p at most 20."""
    return linear_targets(grid_samples(d), w_star)


def asymmetric_grid(low: object, high: object, w_star: object | None = None) -> SampleSet:
    """All 2^p samples whose coordinate i is [i = 0] - low_i (bit i of the index clear) or [i = 0] + high_i (set).

    low, high: (p,), finite, any sign; low = high = d is the symmetric grid. Schneider, loosening of assumption 2.
    """
    below = require_shape(require_finite(low, "low"), "low", (None,))
    above = require_shape(require_finite(high, "high"), "high", below.shape)
    check_enumerable(below.shape[0])
    samples = np.where(grid_signs(below.shape[0]) > 0, above, -below)
    samples[:, 0] += 1.0
    return linear_targets(samples, w_star)


def with_label_noise(samples: SampleSet, sigma: object, rng: np.random.Generator) -> SampleSet:
    """The same samples with independent N(0, sigma^2) added to each target. Schneider, loosening of assumption 3."""
    scale = require_shape(require_non_negative(sigma, "sigma"), "sigma", ())
    require_generator(rng, "rng", "label noise is random")
    return SampleSet(samples.X, samples.y + rng.normal(0.0, float(scale), size=len(samples)))


def with_nonlinear_target(samples: SampleSet, f: Callable[[FloatArray], FloatArray]) -> SampleSet:
    """The same samples with f(X) added to each target; f maps (N, p) to (N,). Schneider, loosening of assumption 3."""
    added = require_shape(require_finite(f(samples.X), "f(X)"), "f(X)", (len(samples),))
    return SampleSet(samples.X, samples.y + added)


def hadamard_design(d: object, *, order: int | None = None, w_star: object | None = None) -> SampleSet:
    """O(p) samples (1 + a_0, a_1, ...) with the first and second moments of the 2^p grid of half-widths d (p,).

    The signs of the a_i with d_i > 0, i > 0 (and of a_0 if d_0 > 0) are distinct non-constant columns of a Hadamard
    matrix, so they have mean zero and are orthogonal. `order` is the number of samples, a power of two; by default
    the least that has enough columns: above p - 1, or above p if d_0 > 0. Raises ValueError for any other order.
    """
    half_widths = require_shape(require_unit_interval(d, "d"), "d", (None,))
    p = half_widths.shape[0]
    spread_first = bool(half_widths[0] > 0)
    columns = p if spread_first else p - 1
    least = 1 << columns.bit_length()
    size = least if order is None else require_positive_int(order, "order")
    if size & (size - 1) or size < least:
        raise ValueError(f"order must be a power of two, at least {least} for {columns} sign columns, got {size}")
    signs = hadamard(size, dtype=np.float64)[:, 1 : columns + 1]
    samples = np.zeros((size, p))
    samples[:, 0] = 1.0
    samples[:, p - columns :] += signs * half_widths[p - columns :]
    return linear_targets(samples, w_star)
