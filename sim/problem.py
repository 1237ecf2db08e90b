"""What gradient descent needs of a set of samples, whether they are the grid (never listed) or given one by one."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sim.arrays import FloatArray, IntArray, frozen_copy
from sim.errors import require_finite, require_rows, require_same_rows
from sim.grid import broadcast_grid, signs_of
from sim.half_space import (
    ActiveSums,
    Workspace,
    checked_grid_active_sums,
    per_sample_gradients,
    sample_active_sums,
)
from sim.instance import FilterBatch
from sim.samples import SampleSet


class Problem(Protocol):
    """Samples and targets for filters of p weights; `rows` problems side by side, or 1 that all filters share."""

    @property
    def p(self) -> int:
        """Number of weights."""
        ...

    @property
    def n_samples(self) -> int:
        """Number of samples, counted as a multiset."""
        ...

    @property
    def rows(self) -> int:
        """1, or the number of filters B that this problem is for, each with samples of its own."""
        ...

    def active_sums(self, w: FloatArray, *, moments: bool = False) -> ActiveSums:
        """Sums over active samples for filters w (B, p)."""
        ...

    def sample_gradients(self, w: FloatArray, index: IntArray) -> FloatArray:
        """Gradients (B, m, p) of the samples with indices (B, m) or (1, m) alone, for filters w (B, p)."""
        ...

    def second_moment(self) -> FloatArray:
        """E[X X^T] over all samples, (rows, p, p)."""
        ...

    def largest_squared_norm(self) -> FloatArray:
        """max |X|^2 over all samples, (rows,)."""
        ...

    def largest_stable_learning_rate(self) -> FloatArray:
        """1/lambda_max(E[X X^T]), (rows,): full-batch descent with every sample active converges exactly below it."""
        ...


class GridProblem:
    """The 2^p grids of half-widths d with targets y = w*.X; d and w_star are (p,) or (B, p), w_star None means e0.

    No sample is stored. `shortcut`: see `sim.half_space.grid_active_sums`; where an update may leave some samples
    inactive, the O(p) test is made anew for each. Schneider, Section 3.2, assumptions 2 and 3.
    """

    def __init__(self, d: object, w_star: object | None = None, *, shortcut: bool = True) -> None:
        half_widths = require_finite(d, "d")
        width = half_widths.shape[-1] if half_widths.ndim else 0
        d_rows, _, target = broadcast_grid(half_widths, np.zeros(width), w_star)
        if d_rows.shape[1] > 62:
            raise ValueError(f"p must be at most 62 so that sample indices fit 64 bits, got {d_rows.shape[1]}")
        self.d, self.w_star = frozen_copy(d_rows), frozen_copy(target)
        self._rows = np.array(d_rows), np.array(target)
        self._shortcut, self._workspace = shortcut, Workspace()

    @classmethod
    def of(cls, batch: FilterBatch, *, shortcut: bool = True) -> GridProblem:
        """The grids of a batch of instances, one per row."""
        return cls(batch.d, batch.w_star, shortcut=shortcut)

    @property
    def p(self) -> int:
        """Number of weights."""
        return int(self.d.shape[1])

    @property
    def n_samples(self) -> int:
        """2^p."""
        return int(2**self.p)

    @property
    def rows(self) -> int:
        """Number of grids."""
        return int(self.d.shape[0])

    def active_sums(self, w: FloatArray, *, moments: bool = False) -> ActiveSums:
        """See `sim.half_space.grid_active_sums`."""
        weights = require_rows(require_finite(w, "w"), "w", self.p)
        shape = (require_same_rows(w=weights, problem=self.d), self.p)
        d, target, weights = (
            array if array.shape == shape else np.broadcast_to(array, shape) for array in (*self._rows, weights)
        )
        return checked_grid_active_sums(d, weights, target, moments, self._shortcut, self._workspace)

    def sample_gradients(self, w: FloatArray, index: IntArray) -> FloatArray:
        """Gradients (B, m, p) of single samples; see `Problem`."""
        chosen = _require_index(index, self.n_samples)
        samples = signs_of(chosen, self.p) * self.d[:, None, :]
        samples[..., 0] += 1.0
        targets = np.einsum("bmp,bp->bm", samples, np.broadcast_to(self.w_star, (len(samples), self.p)))
        return _gradients_of_rows(samples, targets, w)

    def second_moment(self) -> FloatArray:
        """diag(1 + d_0^2, d_1^2, ..., d_(p-1)^2), (rows, p, p)."""
        return self._curvatures()[:, :, None] * np.eye(self.p)

    def largest_squared_norm(self) -> FloatArray:
        """(1 + d_0)^2 + sum_(i>0) d_i^2, (rows,)."""
        return np.asarray(np.square(self.d).sum(axis=1) + 1.0 + 2.0 * self.d[:, 0])

    def largest_stable_learning_rate(self) -> FloatArray:
        """1/(1 + d_0^2), (rows,)."""
        return np.asarray(1.0 / self._curvatures().max(axis=1))

    def _curvatures(self) -> FloatArray:
        squares: FloatArray = np.square(self.d)
        squares[:, 0] += 1.0
        return squares


class SampleProblem:
    """Any samples with any targets, shared by all filters."""

    def __init__(self, samples: SampleSet) -> None:
        self.samples = samples

    @property
    def p(self) -> int:
        """Number of weights."""
        return self.samples.p

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.samples)

    @property
    def rows(self) -> int:
        """1: the samples are shared."""
        return 1

    def active_sums(self, w: FloatArray, *, moments: bool = False) -> ActiveSums:
        """See `sim.half_space.sample_active_sums`."""
        return sample_active_sums(self.samples.X, self.samples.y, w, moments=moments)

    def sample_gradients(self, w: FloatArray, index: IntArray) -> FloatArray:
        """Gradients (B, m, p) of single samples; see `Problem`."""
        chosen = _require_index(index, self.n_samples)
        return _gradients_of_rows(self.samples.X[chosen], self.samples.y[chosen], w)

    def second_moment(self) -> FloatArray:
        """E[X X^T], (1, p, p)."""
        return self.samples.second_moment[None]

    def largest_squared_norm(self) -> FloatArray:
        """max |X|^2, (1,)."""
        return np.asarray(np.square(self.samples.X).sum(axis=1).max(keepdims=True))

    def largest_stable_learning_rate(self) -> FloatArray:
        """1/lambda_max(E[X X^T]), (1,); infinite if every sample is zero."""
        largest = np.linalg.eigvalsh(self.second_moment())[:, -1]
        # the reciprocal of a smaller number overflows
        positive = largest > np.finfo(np.float64).tiny
        return np.asarray(np.divide(1.0, largest, out=np.full_like(largest, np.inf), where=positive))


def _gradients_of_rows(samples: FloatArray, targets: FloatArray, w: FloatArray) -> FloatArray:
    weights = require_rows(require_finite(w, "w"), "w", samples.shape[-1])
    rows = require_same_rows(w=weights, index=targets)
    return per_sample_gradients(
        np.broadcast_to(samples, (rows, *samples.shape[1:])),
        np.broadcast_to(targets, (rows, targets.shape[1])),
        np.broadcast_to(weights, (rows, weights.shape[1])),
    )


def _require_index(index: IntArray, n_samples: int) -> IntArray:
    chosen = np.asarray(index)
    if chosen.ndim != 2 or chosen.dtype.kind not in "iu":
        raise ValueError(f"index must be integers of shape (B, m), got {chosen.dtype} of shape {chosen.shape}")
    bad = (chosen < 0) | (chosen >= n_samples)
    if bad.any():
        raise ValueError(f"index must lie in [0, {n_samples - 1}], got {chosen[bad][0]}")
    return chosen.astype(np.int64)
