"""Deep linear networks of any widths, on samples: loss, gradients, descent, flow, Singular Value Bounding.

Weights are listed from the first layer on, W^l of shape (N_l, N_{l-1}); samples are columns, X (N_0, K), Y (N_L, K).
The loss is 1/(2K) sum_i |y_i - W^L ... W^1 x_i|^2 (Jia et al., Section 4.1). Gradients are back-propagated sample by
sample; nothing here rests on a closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.arrays import FloatArray, frozen_copy
from sim.errors import require_finite, require_int, require_non_negative, require_positive, require_positive_int
from sim.svb import bound_singular_values

Weights = tuple[FloatArray, ...]

DIVERGENCE_BOUND = 1e100
"""A weight beyond this in magnitude counts as diverged."""


@dataclass(frozen=True, eq=False)
class LinearTask:
    """Samples X (N_0, K) and targets Y (N_L, K)."""

    X: FloatArray
    Y: FloatArray

    @classmethod
    def create(cls, X: object, Y: object) -> LinearTask:
        """Checked samples. Raises ValueError or TypeError unless both are finite matrices with K >= 1 columns each."""
        samples, targets = require_finite(X, "X"), require_finite(Y, "Y")
        for name, array in (("X", samples), ("Y", targets)):
            if array.ndim != 2 or 0 in array.shape:
                raise ValueError(f"{name} must be a matrix with one sample a column, got shape {array.shape}")
        if samples.shape[1] != targets.shape[1]:
            raise ValueError(f"X and Y must have as many columns, got {samples.shape[1]} and {targets.shape[1]}")
        return cls(frozen_copy(samples), frozen_copy(targets))

    @classmethod
    def whitened(cls, C_yx: object, rng: np.random.Generator, *, extra: int = 1, noise: float = 0.0) -> LinearTask:
        """Samples with C^xx = I and the given C^yx (N_L, N_0), to rounding; K = N_0 + N_L + extra.

        noise: size of the part of Y that no linear map of X explains.
        """
        cross = require_finite(C_yx, "C_yx")
        if cross.ndim != 2 or 0 in cross.shape:
            raise ValueError(f"C_yx must be a matrix, got shape {cross.shape}")
        outputs, inputs = cross.shape
        K = inputs + outputs + require_int(extra, "extra", 0)
        basis = np.linalg.qr(rng.normal(size=(K, inputs + outputs)))[0].T * np.sqrt(K)
        return cls.create(basis[:inputs], cross @ basis[:inputs] + noise * basis[inputs:])

    @property
    def count(self) -> int:
        """K, the number of samples."""
        return len(self.X.T)

    @property
    def C_xx(self) -> FloatArray:
        """sum_i x_i x_i^T/K."""
        return np.asarray(self.X @ self.X.T / self.count)

    @property
    def C_yx(self) -> FloatArray:
        """sum_i y_i x_i^T/K."""
        return np.asarray(self.Y @ self.X.T / self.count)

    @property
    def C_yy(self) -> FloatArray:
        """sum_i y_i y_i^T/K."""
        return np.asarray(self.Y @ self.Y.T / self.count)


@dataclass(frozen=True, eq=False)
class ChainTrajectory:
    """Weights of a network along time.

    times: (T,), updates for descent. weights: for each layer an array (T, N_l, N_{l-1}). loss: (T,).
    diverged: whether an update left the finite range (beyond `DIVERGENCE_BOUND`); the trajectory then ends before it.
    """

    times: FloatArray
    weights: Weights
    loss: FloatArray
    diverged: bool

    @property
    def final(self) -> Weights:
        """The last weights."""
        return tuple(layer[-1] for layer in self.weights)

    @property
    def spectra(self) -> tuple[FloatArray, ...]:
        """Singular values along time, for each layer (T, min(N_l, N_{l-1})), descending."""
        return tuple(np.asarray(np.linalg.svd(layer, compute_uv=False)) for layer in self.weights)


def chain_loss(weights: Sequence[object], task: LinearTask) -> float:
    """1/(2K) sum_i |y_i - W^L ... W^1 x_i|^2."""
    layers = _chained(weights, task)
    return _loss(layers, task)


def chain_gradients(weights: Sequence[object], task: LinearTask) -> Weights:
    """The gradients of the loss by every W^l, back-propagated from the output errors."""
    layers = _chained(weights, task)
    return _gradients(layers, task)


def chain_map(weights: Sequence[object]) -> FloatArray:
    """W^L ... W^1. Raises ValueError for widths that do not chain."""
    layers = _matrices(weights)
    return _products(layers, np.eye(layers[0].shape[1]))[-1]


def aligned_weights(frames: Sequence[object], strengths: Sequence[object]) -> Weights:
    """W^l = R^{l+1} S^l R^l^T (Jia et al., Section 4.1) from frames R^1, ..., R^{L+1} and diagonals of the S^l.

    frames: L + 1 square matrices, R^{l+1} (N_l, N_l). strengths: L vectors of length min(N_l, N_{l-1}).
    """
    turns = [require_finite(frame, "frames") for frame in frames]
    if len(turns) != len(strengths) + 1:
        raise ValueError(f"frames must be one more than strengths, got {len(turns)} and {len(strengths)}")
    layers = []
    for number, (below, above, given) in enumerate(zip(turns, turns[1:], strengths, strict=False)):
        diagonal = require_finite(given, "strengths")
        size = min(len(above), len(below))
        if diagonal.shape != (size,):
            raise ValueError(f"strengths[{number}] must have shape ({size},), got {diagonal.shape}")
        layers.append(np.asarray(above[:, :size] * diagonal @ below[:, :size].T))
    return tuple(layers)


def descend_chain(
    weights: Sequence[object],
    task: LinearTask,
    *,
    learning_rate: float,
    steps: int,
    record_every: int = 1,
    band: float | None = None,
    band_every: int = 1,
) -> ChainTrajectory:
    """Gradient descent W^l <- W^l - learning_rate dL/dW^l on all samples for `steps` updates.

    record_every: keep the weights after every so many updates, and the first ones. band: eps > 0 to bound the singular
    values of every layer to [1/(1+eps), 1+eps] after every `band_every` updates (Algorithm 1). Divergence is reported
    in the result. Raises ValueError or TypeError for arguments out of range, naming the argument.
    """
    layers = _chained(weights, task)
    rate = float(require_positive(learning_rate, "learning_rate"))
    steps = require_int(steps, "steps", 0)
    every, bound_every = (
        require_positive_int(record_every, "record_every"),
        require_positive_int(band_every, "band_every"),
    )
    if band is not None:
        require_positive(band, "band")
    kept, times, diverged = [layers], [0], False
    for update in range(1, steps + 1):
        moved = tuple(W - rate * G for W, G in zip(layers, _gradients(layers, task), strict=True))
        if not all(np.abs(W).max() <= DIVERGENCE_BOUND for W in moved):
            diverged = True
            break
        if band is not None and update % bound_every == 0:
            moved = tuple(np.asarray(bound_singular_values(W, band)) for W in moved)
        layers = moved
        if update % every == 0:
            kept.append(layers)
            times.append(update)
    return _trajectory(times, kept, task, diverged)


def flow_chain(weights: Sequence[object], task: LinearTask, times: object) -> ChainTrajectory:
    """The gradient flow dW^l/dt = -dL/dW^l at the times (T,), ascending and not negative.

    DOP853 with relative tolerance 1e-12. Raises RuntimeError if it gives up.
    """
    from scipy.integrate import solve_ivp

    layers = _chained(weights, task)
    at = np.atleast_1d(require_non_negative(times, "times"))
    if at.ndim != 1 or np.any(np.diff(at) < 0) or at[-1] <= 0:
        raise ValueError(f"times must be one ascending sequence that ends after 0, got {at}")
    shapes = [W.shape for W in layers]
    ends = np.cumsum([W.size for W in layers])[:-1]

    def parts(flat: FloatArray) -> Weights:
        return tuple(part.reshape(shape) for part, shape in zip(np.split(flat, ends), shapes, strict=True))

    def velocity(_: float, flat: FloatArray) -> FloatArray:
        return -np.concatenate([G.ravel() for G in _gradients(parts(flat), task)])

    start = np.concatenate([W.ravel() for W in layers])
    run = solve_ivp(velocity, (0.0, float(at[-1])), start, method="DOP853", t_eval=at, rtol=1e-12, atol=1e-14)
    if not run.success:
        raise RuntimeError(f"the flow could not be followed to time {at[-1]:g}: {run.message}")
    return _trajectory(at, [parts(flat) for flat in run.y.T], task, False)


def _trajectory(times: object, kept: Sequence[Weights], task: LinearTask, diverged: bool) -> ChainTrajectory:
    stacked = tuple(np.stack(layer) for layer in zip(*kept, strict=True))
    return ChainTrajectory(
        np.asarray(times, dtype=np.float64), stacked, np.array([_loss(w, task) for w in kept]), diverged
    )


def _matrices(weights: Sequence[object]) -> Weights:
    """The layers as finite matrices whose widths chain."""
    if isinstance(weights, np.ndarray) and weights.ndim == 2:
        raise TypeError("weights must be a sequence of matrices, got one matrix; put it in a list")
    layers = tuple(require_finite(W, f"weights[{k}]") for k, W in enumerate(weights))
    if not layers:
        raise ValueError("weights must hold at least one layer, got none")
    for k, W in enumerate(layers):
        if W.ndim != 2 or 0 in W.shape:
            raise ValueError(f"weights[{k}] must be a matrix, got shape {W.shape}")
        if k and W.shape[1] != layers[k - 1].shape[0]:
            raise ValueError(
                f"weights[{k}] must have {layers[k - 1].shape[0]} columns, as many as weights[{k - 1}] has rows, "
                f"got shape {W.shape}"
            )
    return layers


def _chained(weights: Sequence[object], task: LinearTask) -> Weights:
    layers = _matrices(weights)
    ends = (layers[-1].shape[0], layers[0].shape[1])
    if ends != (task.Y.shape[0], task.X.shape[0]):
        raise ValueError(
            f"weights must map the {task.X.shape[0]} rows of X to the {task.Y.shape[0]} rows of Y, "
            f"got a map from {ends[1]} to {ends[0]}"
        )
    return layers


def _products(layers: Weights, X: FloatArray) -> list[FloatArray]:
    """X, W^1 X, W^2 W^1 X, ..."""
    signals = [X]
    for W in layers:
        signals.append(W @ signals[-1])
    return signals


def _loss(layers: Weights, task: LinearTask) -> float:
    return float(np.square(task.Y - _products(layers, task.X)[-1]).sum() / (2 * task.count))


def _gradients(layers: Weights, task: LinearTask) -> Weights:
    signals = _products(layers, task.X)
    error = (signals[-1] - task.Y) / task.count
    gradients = []
    for W, below in zip(reversed(layers), reversed(signals[:-1]), strict=True):
        gradients.append(error @ below.T)
        error = W.T @ error
    return tuple(reversed(gradients))
