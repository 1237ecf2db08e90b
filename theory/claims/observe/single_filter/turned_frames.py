"""Sign changes of full-batch gradients, observed in other orthonormal frames than that of the grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_grid, exact_targets, exact_trajectory
from sim.grid import grid_samples
from sim.instance import FilterBatch, FilterInstance
from sim.problem import SampleProblem
from sim.samples import SampleSet
from sim.zigzag import gradient_sign_changes, sign_changes_per_coordinate
from theory.claims.observe.rationals import text
from theory.claims.observe.single_filter.full_batch_runs import (
    ERROR_SCALE,
    TOLERANCE,
    GridRun,
    Vector,
    describe,
    exact_changes,
    small_errors,
)
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class FrameRuns:
    """Runs of `steps` updates on grids turned by the orthogonal Q (B, p, p), a sample X becoming Q X."""

    batch: FilterBatch
    Q: FloatArray
    steps: int


@dataclass(frozen=True)
class FrameRun:
    """The same for one exact instance; Q as its rows."""

    instance: FilterInstance
    Q: tuple[Vector, ...]
    steps: int


def busiest_frame(p: int) -> FloatArray:
    """An orthogonal (p, p) with (p - 1)^2 sign changes along its rows, as many as there can be, and no small entries.

    It is the one nearest to a matrix of signs, in which all rows but one change from each column to the next.
    """
    column = np.arange(p)
    signs = np.where((column < column[:, None]) | (column[:, None] == 0), 1.0, -1.0) * (-1.0) ** column
    left, _, right = np.linalg.svd(signs)
    return np.asarray(left @ right)


def one_after_another(p: int, apart: float = 0.02) -> tuple[FloatArray, FloatArray]:
    """Curvatures x = 1 - rho (p,) and gradients (p,) of modes of which mode k is by far the largest after k updates."""
    k = np.arange(p)
    return np.asarray(1.0 - 0.9 * apart ** (p - 1.0 - k)), np.asarray(apart ** (k**2 / 2.0))


def frame_runs(rng: np.random.Generator, rows: int = 12, steps: int = 13) -> Iterator[FrameRuns]:
    """p = 2..4 with 2 lam h_0 < 1; half of the rows built so that coordinate 0 of the frame changes p - 1 times.

    A quarter of them so that all coordinates together change (p - 1)^2 times.
    """
    for p in range(2, 5):
        w_star = np.eye(1, p).repeat(rows, axis=0)
        # bases well apart, so that the planted errors stay moderate
        x = np.linspace(0.9, 0.1, p) * np.ones((rows, 1))
        Q = np.linalg.qr(rng.normal(size=(rows, p, p)))[0]
        x[1::4], busiest = one_after_another(p)
        Q[1::4] = busiest_frame(p)
        d = np.sqrt(np.c_[np.zeros(rows), x[:, 1:] / x[:, :1]])
        rate, e = x[:, 0] / 2.0, small_errors(rng, d)
        times = np.arange(p) * ((steps - 1) // p)
        for row in range(0, rows, 2):
            pattern = np.where(np.arange(p) % 2 == 0, 1.0, -1.0) * 0.1 ** np.arange(p)
            mixture = np.linalg.solve((1.0 - x[row]) ** times[:, None], pattern)
            planted = mixture / (Q[row, 0] * x[row])
            e[row] = ERROR_SCALE * planted / np.abs(planted).sum()
        e[1::4] = ERROR_SCALE * busiest / x[1::4] / p
        yield FrameRuns(FilterBatch.create(d, w_star + e, rate, w_star), Q, steps)


def observe_frames(runs: FrameRuns) -> Observation:
    """The NumPy route: the turned samples listed, one grid at a time."""
    batch, Q = runs.batch, runs.Q
    flips, mean_gsc, most_gsc = np.empty((batch.p, len(batch))), np.empty(len(batch)), np.empty(len(batch))
    active = np.empty(len(batch), dtype=np.bool_)
    for row in range(len(batch)):
        samples = grid_samples(batch.d[row])
        problem = SampleProblem(SampleSet(samples @ Q[row].T, samples @ batch.w_star[row]))
        rate = batch.learning_rate[row]
        run = descend(problem, Q[row] @ batch.w[row], learning_rate=rate, steps=runs.steps, check_stability=False)
        flips[:, row] = sign_changes_per_coordinate(run.gradients)[:, 0].sum(axis=0)
        gsc = gradient_sign_changes(run.gradients)
        mean_gsc[row], most_gsc[row] = gsc.mean(), gsc.max()
        active[row] = (run.active_fraction[:-1] == 1.0).all()
    shared = {"p": batch.p, "d": batch.d.T, "lam": batch.learning_rate, "steps": runs.steps}
    changes = {"flips": flips, "mean_gsc": mean_gsc, "most_gsc": most_gsc}
    return Observation({**shared, **changes, "all_active": active}, TOLERANCE)


def observe_frames_exact(run: FrameRun) -> Values:
    """The rational route."""
    instance, p = run.instance, run.instance.p

    def turn(v: tuple[float | Fraction, ...]) -> Vector:
        return tuple(
            sum((Fraction(a) * Fraction(b) for a, b in zip(row, v, strict=True)), Fraction(0)) for row in run.Q
        )

    grid = exact_grid(instance.d)
    samples, targets = [turn(x) for x in grid], exact_targets(grid, instance.w_star)
    weights, gradients = exact_trajectory(samples, targets, turn(instance.w), instance.learning_rate, run.steps)
    each = exact_changes(gradients)
    flips = [sum(column, Fraction(0)) for column in zip(*each, strict=True)]
    counted = {"mean_gsc": sum(flips, Fraction(0)) / p / (run.steps - 1), "most_gsc": max(sum(row) for row in each) / p}
    shared = {"p": p, "d": instance.d, "lam": instance.learning_rate, "steps": Fraction(run.steps)}
    active = all(exact_active(x, v) for x in samples for v in weights[:-1])
    return {**shared, "flips": flips, **counted, "all_active": active}


def frame_candidates() -> Iterator[FrameRun]:
    """p = 2 turned by the angle of (3, 4, 5), simplest first; p = 3, mirrored, with changes one after another."""
    Q = ((Fraction(3, 5), Fraction(-4, 5)), (Fraction(4, 5), Fraction(3, 5)))
    entries = [Fraction(n, 4) for n in (1, -1, 2, -2)]
    for e0, e1, lam, d1 in product(entries, entries, (Fraction(1, 4), Fraction(1, 8)), (Fraction(1, 2), Fraction(1))):
        yield FrameRun(FilterInstance((Fraction(0), d1), (1 + e0, e1), lam), Q, 5)
    third = Fraction(1, 3)
    mirror = tuple(tuple(third if a == b else -2 * third for b in range(3)) for a in range(3))
    widths = (Fraction(0), Fraction(7, 8), Fraction(1, 4))
    for e2, steps in product((Fraction(1, 50), Fraction(-1, 50)), (5, 6)):
        yield FrameRun(FilterInstance(widths, (Fraction(9, 8), Fraction(1, 16), e2), Fraction(12, 25)), mirror, steps)


def describe_frame(run: FrameRun) -> tuple[tuple[str, str], ...]:
    """An exact run as (name, value) strings."""
    plain = GridRun(run.instance, (), Fraction(0), run.steps)
    return (*describe(plain)[:4], ("Q", ", ".join(text(row) for row in run.Q)))


@cache
def turned_frames() -> Experiment:
    """Full-batch descent with every eigenvalue below the threshold, in another orthonormal frame."""

    def lower_frame(run: FrameRun) -> FrameRuns:
        return FrameRuns(FilterBatch.of([run.instance]), np.array([run.Q], dtype=np.float64), run.steps)

    exact = ExactRoute(frame_candidates, observe_frames_exact, describe_frame, lower_frame)
    return Experiment("full-batch runs in other frames", frame_runs, observe_frames, exact)
