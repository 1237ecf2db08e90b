"""Gradient descent on the ReLU loss of Schneider, Eqs. (1) and (2), for a batch of filters at once."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from sim.arrays import BoolArray, FloatArray, IntArray
from sim.errors import (
    StabilityWarning,
    require_choice,
    require_finite,
    require_generator,
    require_int,
    require_non_negative,
    require_positive,
    require_positive_int,
    require_rows,
    require_same_rows,
    require_shape,
)
from sim.half_space import ActiveSums
from sim.problem import Problem

ORDERS = ("full", "cyclic", "random", "shuffled", "minibatch")
"""Which samples an update uses; see `descend`."""

DIVERGENCE_BOUND = 1e100
"""A weight beyond this in magnitude counts as diverged; losses and gradients below it do not overflow."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """T updates of B filters.

    weights: (T + 1, B, p), the initial ones first.
    gradients: (T, B, p), the gradient that each update used, before momentum and weight decay.
    loss: (T + 1, B) mean loss over all samples, whatever the order of updates; (0, B) if it was not recorded.
    active_fraction: (T + 1, B) share of all samples that are active; (0, B) if it was not recorded.
    diverged: (B,) whether an update left the finite range (beyond `DIVERGENCE_BOUND`). Such a row keeps its last
        weights within it from then on, and its gradients are those at these weights.
    """

    weights: FloatArray
    gradients: FloatArray
    loss: FloatArray
    active_fraction: FloatArray
    diverged: BoolArray

    @property
    def final(self) -> FloatArray:
        """The weights after the last update, (B, p)."""
        return np.asarray(self.weights[-1])

    @property
    def steps(self) -> int:
        """Number of updates T."""
        return len(self.gradients)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a run of `step` updates has come to, from which it can go on.

    weights (step + 1, B, p) and gradients (step, B, p) as in `Trajectory`; loss, active_fraction: (step, B), or (0, B)
    if not recorded; velocity: (B, p); diverged: (B,).
    """

    weights: FloatArray
    gradients: FloatArray
    loss: FloatArray
    active_fraction: FloatArray
    velocity: FloatArray
    diverged: BoolArray

    @property
    def step(self) -> int:
        """Updates made."""
        return len(self.gradients)


def descend(
    problem: Problem,
    w: object,
    *,
    learning_rate: object,
    steps: int,
    order: str = "full",
    batch_size: int | None = None,
    momentum: float = 0.0,
    l2: float = 0.0,
    rng: np.random.Generator | None = None,
    record_loss: bool = True,
    check_stability: bool = True,
    on_step: Callable[[Snapshot], object] | None = None,
    resume: Snapshot | None = None,
) -> Trajectory:
    """`steps` updates v <- momentum v + g + l2 w, w <- w - learning_rate v from v = 0, as torch.optim.SGD does them.

    w: (p,) or (B, p); learning_rate: () or (B,); rows of w, of learning_rate and of the problem are matched up, one
    row being shared by all. g is the mean gradient of Eq. (2) over the samples of `order`:
    full: all samples, inactive ones counted (Eq. 1); cyclic: one sample per update, in turn by index;
    random: one sample drawn with replacement; shuffled: one sample, in a new permutation each epoch;
    minibatch: the next `batch_size` samples of a new permutation each epoch (the last may be smaller).
    Random orders need `rng` and are the same for every row, so that a row does not depend on its batch.

    With `record_loss`, every step costs a sum over all samples, whatever the order. With `check_stability`, warns
    with `StabilityWarning` for a learning rate at or beyond `stability_limit`. Divergence is reported in the result.

    on_step is called after each update, with arrays that are valid, and not to be changed, until it returns or the run
    is interrupted. `resume` goes on from such a snapshot of a run with the same arguments and an `rng` in the state
    that it began with; the result is that of one run of all `steps`, to the last bit.

    Raises ValueError or TypeError for arguments out of range or of the wrong shape, naming the argument.
    """
    initial = require_rows(require_finite(w, "w"), "w", problem.p)
    rate = require_positive(learning_rate, "learning_rate")
    if rate.ndim > 1:
        raise ValueError(f"learning_rate must be a scalar or have shape (B,), got {rate.shape}")
    rate = np.atleast_1d(rate)
    momentum = _scalar(momentum, "momentum")
    if momentum >= 1:
        raise ValueError(f"momentum must lie in [0, 1), got {momentum}")
    l2 = _scalar(l2, "l2")
    steps = require_int(steps, "steps", 0)
    rows = require_same_rows(w=initial, learning_rate=rate, problem=np.empty((problem.rows, 0)))
    if np.abs(initial).max() > DIVERGENCE_BOUND:
        raise ValueError(f"w must not exceed {DIVERGENCE_BOUND:g} in magnitude, got {np.abs(initial).max()}")
    indices = _sample_indices(problem.n_samples, order, batch_size, rng)
    if check_stability:
        _warn_if_unstable(problem, rate, order, batch_size, momentum, l2)

    current = np.repeat(initial, rows // len(initial), axis=0)
    step_size = rate[:, None]
    velocity = np.zeros_like(current)
    diverged = np.zeros(rows, dtype=np.bool_)
    weights = np.empty((steps + 1, rows, problem.p))
    gradients = np.empty((steps, rows, problem.p))
    loss, active_fraction = (np.empty((steps + 1 if record_loss else 0, rows)) for _ in range(2))
    weights[0] = current
    done = 0
    if resume is not None:
        done = _require_resumable(resume, current, steps, record_loss)
        weights[: done + 1], gradients[:done] = resume.weights, resume.gradients
        if record_loss:
            loss[:done], active_fraction[:done] = resume.loss, resume.active_fraction
        current, velocity, diverged = weights[done].copy(), resume.velocity.copy(), resume.diverged.copy()
        for _ in range(done if order != "full" else 0):
            next(indices)

    def record(t: int, sums: ActiveSums) -> None:
        loss[t] = sums.loss
        active_fraction[t] = sums.count / problem.n_samples

    for t in range(done, steps):
        sums = problem.active_sums(current) if order == "full" or record_loss else None
        if record_loss and sums is not None:
            record(t, sums)
        if order == "full" and sums is not None:
            gradients[t] = sums.gradient
        else:
            gradients[t] = problem.sample_gradients(current, next(indices)[None]).mean(axis=1)
        # overflow is the divergence that is looked for
        with np.errstate(over="ignore", invalid="ignore"):
            velocity = momentum * velocity + gradients[t] + l2 * current
            proposed = current - step_size * velocity
            diverged = diverged | ~(np.abs(proposed) <= DIVERGENCE_BOUND).all(axis=1)
        velocity[diverged] = 0.0
        current = np.where(diverged[:, None], current, proposed)
        weights[t + 1] = current
        if on_step is not None:
            made = (weights[: t + 2], gradients[: t + 1], loss[: t + 1], active_fraction[: t + 1])
            on_step(Snapshot(*made, velocity, diverged))
    if record_loss:
        record(steps, problem.active_sums(current))
    return Trajectory(weights, gradients, loss, active_fraction, diverged)


def stability_limit(
    problem: Problem, *, order: str = "full", batch_size: int | None = None, momentum: float = 0.0, l2: float = 0.0
) -> FloatArray:
    """The learning rate (rows,) at and beyond which descent is not expected to converge.

    Updates by a mean over samples: 2 (1 + momentum)/(2 lambda_max + l2), lambda_max the largest eigenvalue of
    E[X X^T]; without l2 that is (1 + momentum)/lambda_max. Sharp for full-batch descent with every sample active,
    necessary only for mini-batches. Updates by one sample: 2/(2 max|X|^2 + l2), without l2 1/max|X|^2, below which
    every single update without momentum is a contraction; with momentum it is a rule of thumb.
    """
    if order in ("full", "minibatch") and batch_size != 1:
        return np.asarray(2.0 * (1.0 + momentum) / (2.0 / problem.largest_stable_learning_rate() + l2))
    steepest = 2.0 * problem.largest_squared_norm() + l2
    return np.asarray(np.divide(2.0, steepest, out=np.full_like(steepest, np.inf), where=steepest > 0))


def _require_resumable(snapshot: Snapshot, initial: FloatArray, steps: int, record_loss: bool) -> int:
    """The number of updates of a snapshot that fits the run."""
    done = snapshot.step
    if done > steps:
        raise ValueError(f"steps must be at least the {done} that the snapshot to resume has made, got {steps}")
    recorded = done if record_loss else 0
    shapes = {"weights": (done + 1, *initial.shape), "gradients": (done, *initial.shape), "velocity": initial.shape}
    shapes |= {"loss": (recorded, len(initial)), "active_fraction": (recorded, len(initial))}
    for name, shape in shapes.items():
        given = getattr(snapshot, name).shape
        if given != shape:
            raise ValueError(f"resume must have {name} of shape {shape}, got {given}")
    if not np.array_equal(snapshot.weights[0], initial):
        raise ValueError("resume must have begun at w, got a snapshot with other initial weights")
    return done


def _scalar(value: float, name: str) -> float:
    return float(require_shape(require_non_negative(value, name), name, ()))


def _sample_indices(n: int, order: str, batch_size: int | None, rng: np.random.Generator | None) -> Iterator[IntArray]:
    require_choice(order, "order", ORDERS)
    size = 1
    if order == "minibatch":
        if batch_size is None:
            raise ValueError("batch_size must be given for order='minibatch', got None")
        size = require_positive_int(batch_size, "batch_size")
        if size > n:
            raise ValueError(f"batch_size must be at most the number of samples {n}, got {size}")
    elif batch_size is not None:
        raise ValueError(f"batch_size must be None unless order='minibatch', got {batch_size} with order={order!r}")
    if order in ("full", "cyclic"):
        return (np.array([t % n]) for t in itertools.count())
    generator = require_generator(rng, "rng", f"order={order!r} is random")
    if order == "random":
        return (generator.integers(n, size=1) for _ in itertools.count())
    return _epochs(n, size, generator)


def _epochs(n: int, size: int, generator: np.random.Generator) -> Iterator[IntArray]:
    while True:
        permutation = generator.permutation(n)
        for start in range(0, n, size):
            yield permutation[start : start + size]


def _warn_if_unstable(
    problem: Problem, rate: FloatArray, order: str, batch_size: int | None, momentum: float, l2: float
) -> None:
    limit = stability_limit(problem, order=order, batch_size=batch_size, momentum=momentum, l2=l2)
    given, allowed = np.broadcast_arrays(rate, limit)
    worst = int((given / allowed).argmax())
    if given[worst] < allowed[worst]:
        return
    single = order not in ("full", "minibatch") or batch_size == 1
    formula = "1/max|X|^2" if single else ("(1 + momentum)/lambda_max" if momentum else "1/lambda_max")
    formula += " (with l2 added to the curvature)" if l2 else ""
    kind = "single-sample updates" if single else "heavy-ball descent" if momentum else "gradient descent"
    where = f" in row {worst}" if given.size > 1 else ""
    warnings.warn(
        f"learning_rate must be below the stability limit of {kind}, {formula} = {allowed[worst]:.6g}, "
        f"got {given[worst]:.6g}{where}",
        StabilityWarning,
        stacklevel=3,
    )
