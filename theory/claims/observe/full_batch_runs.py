"""Sign changes of full-batch gradients, observed on the grid: plain descent, heavy ball, other orthonormal frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise, product

import numpy as np

from sim.arrays import FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_grid, exact_targets, exact_trajectory
from sim.grid import grid_samples
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem, SampleProblem
from sim.samples import SampleSet
from sim.zigzag import gradient_sign_changes, sign_changes_per_coordinate
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]
ROWS = 40
TOLERANCE = 1024.0 * float(np.finfo(np.float64).eps)
"""For entries of order one; sign changes are integers or halves."""
ERROR_SCALE = 0.02
"""Errors e are this small against w*, so that every sample stays active; the dynamics are linear in e."""
RESOLUTION = 1e-9
"""The least size of e_k / e_0 whose sign floats still tell, since w = w* + e is rounded."""


@dataclass(frozen=True, eq=False)
class GridRuns:
    """Runs of `steps` updates from w and from another start, with momentum sqrt_mu^2; other: (B, p)."""

    batch: FilterBatch
    other: FloatArray
    sqrt_mu: float
    steps: int


@dataclass(frozen=True)
class GridRun:
    """The same for one exact instance."""

    instance: FilterInstance
    other: Vector
    sqrt_mu: Fraction
    steps: int


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


def grid_with_curvatures(
    rng: np.random.Generator, x: Callable[[tuple[int, ...]], FloatArray], p: int, rows: int = ROWS
) -> FilterBatch:
    """Grids with 2 lam h_j drawn by `x`, as far as h_i <= h_0/(1 + d_0^2) allows, and small errors of any signs.

    All samples are active: |e_0| and sum |e_i| d_i stay below ERROR_SCALE (1 - d_0), far below w*_0 (1 - d_0).
    """
    d = np.empty((rows, p))
    d[:, 0] = rng.uniform(0.0, 0.8, rows)
    first, rest = x((rows,)), x((rows, p - 1))
    learning_rate = first / (2.0 * (1.0 + d[:, 0] ** 2))
    d[:, 1:] = np.sqrt(np.minimum(rest / (2.0 * learning_rate[:, None]), 1.0))
    w_star = np.zeros((rows, p))
    w_star[:, 0] = 1.0
    return FilterBatch.create(d, w_star + small_errors(rng, d), learning_rate, w_star)


def small_errors(rng: np.random.Generator, d: FloatArray) -> FloatArray:
    """Errors (B, p) of both signs, bounded away from zero."""
    size = rng.uniform(0.5, 1.0, d.shape) * rng.choice((-1.0, 1.0), d.shape)
    return np.asarray(ERROR_SCALE * (1.0 - d[:, :1]) / d.shape[1] * size)


def away_from(value: float, low: float, high: float, rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Uniform draws from [low, high] that are not within 2 percent of `value`, which must lie well inside."""
    draws = rng.uniform(low, high, shape)
    near = np.abs(draws - value) < 0.02 * value
    return np.asarray(np.where(near, draws - 0.05 * value, draws))


def plain_runs(rng: np.random.Generator) -> Iterator[GridRuns]:
    """Full batch without momentum, p = 1..8, 2 lam h_j on both sides of 1 and stable."""
    for p, high in product(range(1, 9), (0.98, 1.95)):

        def curvature(shape: tuple[int, ...], high: float = high) -> FloatArray:
            return away_from(1.0, 0.05, high, rng, shape)

        batch = grid_with_curvatures(rng, curvature, p)
        yield GridRuns(batch, batch.w_star + small_errors(rng, batch.d), 0.0, 4)


def momentum_runs(rng: np.random.Generator, *, oscillating: bool = False) -> Iterator[GridRuns]:
    """Heavy ball, p = 1..4: 2 lam h_j between the bounds, or (not `oscillating`) anywhere below stability."""
    for p, mu in product((1, 2, 4), (0.3, 0.8)):
        root = float(np.sqrt(mu))
        low, high, stable = (1.0 - root) ** 2, (1.0 + root) ** 2, 2.0 * (1.0 + mu)

        def between(shape: tuple[int, ...], low: float = low, high: float = high) -> FloatArray:
            # the first of each grid from 1 - mu on: capped at h_0/(1 + d_0^2), the others stay above the lower bound
            least = np.sqrt(low * high) if len(shape) == 1 else low
            return rng.uniform(least + 0.01 * (high - least), high - 0.01 * (high - least), shape)

        def anywhere(
            shape: tuple[int, ...], low: float = low, high: float = high, stable: float = stable
        ) -> FloatArray:
            below, above = low * rng.uniform(0.1, 0.95, shape), high + (stable - high) * rng.uniform(0.05, 0.95, shape)
            side = rng.uniform(size=shape)
            return np.where(side < 0.4, below, np.where(side < 0.8, above, rng.uniform(low, high, shape)))

        batch = grid_with_curvatures(rng, between if oscillating else anywhere, p, rows=20)
        steps = min(200, int(np.log(RESOLUTION) / np.log(root)))
        yield GridRuns(batch, batch.w_star + small_errors(rng, batch.d), root, steps)


def observe(runs: GridRuns) -> Observation:
    """The NumPy route: both runs, sample by sample or by the sums over the grid that `sim` takes."""
    batch = runs.batch
    problem = GridProblem.of(batch)
    first, second = (
        descend(
            problem,
            start,
            learning_rate=batch.learning_rate,
            steps=runs.steps,
            momentum=runs.sqrt_mu**2,
            check_stability=False,
        )
        for start in (batch.w, runs.other)
    )
    changes = sign_changes_per_coordinate(first.gradients)
    active = (first.active_fraction[:-1] == 1.0) & (second.active_fraction[:-1] == 1.0)
    values = {
        "p": batch.p,
        "d": batch.d.T,
        "lam": batch.learning_rate,
        "sqrt_mu": runs.sqrt_mu,
        "steps": runs.steps,
        "h": np.array([np.square(grid_samples(d)).mean(axis=0) for d in batch.d]).T,
        "theta": _angles(batch, runs.sqrt_mu),
        "g": first.gradients[0].T,
        "e": (batch.w - batch.w_star).T,
        "e_next": (first.weights[1] - batch.w_star).T,
        "flip": changes[0].T,
        "flips": changes.sum(axis=0).T,
        "gsc": gradient_sign_changes(first.gradients)[0],
        "gsc_other": gradient_sign_changes(second.gradients)[0],
        "generic": ((first.gradients[0] != 0) & (second.gradients[0] != 0)).all(axis=1),
        "all_active": active.all(axis=0),
    }
    return Observation(values, TOLERANCE)


def _angles(batch: FilterBatch, sqrt_mu: float) -> FloatArray:
    """|angle| (p, B) of an eigenvalue of (e_j, v_j) -> (e_j - lam v_j', v_j'), v_j' = mu v_j + 2 h_j e_j."""
    mu, rate = sqrt_mu**2, batch.learning_rate
    curvature = 2.0 * np.array([np.square(grid_samples(d)).mean(axis=0) for d in batch.d]).T
    update = np.empty((*curvature.shape, 2, 2))
    update[..., 0, 0], update[..., 0, 1] = 1.0 - rate * curvature, -mu * rate
    update[..., 1, 0], update[..., 1, 1] = curvature, mu
    return np.abs(np.angle(np.linalg.eigvals(update)[..., 0]))


def exact_changes(gradients: list[Vector]) -> list[list[Fraction]]:
    """|sign g_j - sign g_j'| / 2 for every pair of consecutive gradients, as lists over j."""
    signs = [[(v > 0) - (v < 0) for v in gradient] for gradient in gradients]
    return [[Fraction(abs(a - b), 2) for a, b in zip(*pair, strict=True)] for pair in pairwise(signs)]


def observe_exact(run: GridRun) -> Values:
    """The rational route."""
    instance, mu = run.instance, run.sqrt_mu**2
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    weights, gradients = exact_trajectory(samples, targets, instance.w, instance.learning_rate, run.steps, momentum=mu)
    others, second = exact_trajectory(samples, targets, run.other, instance.learning_rate, run.steps, momentum=mu)
    changes, p = exact_changes(gradients), instance.p
    return {
        "p": p,
        "d": instance.d,
        "lam": instance.learning_rate,
        "sqrt_mu": run.sqrt_mu,
        "steps": Fraction(run.steps),
        "h": [sum((x[k] ** 2 for x in samples), Fraction(0)) / len(samples) for k in range(p)],
        "g": gradients[0],
        "e": [a - b for a, b in zip(weights[0], instance.w_star, strict=True)],
        "e_next": [a - b for a, b in zip(weights[1], instance.w_star, strict=True)],
        "flip": changes[0],
        "flips": [sum(column, Fraction(0)) for column in zip(*changes, strict=True)],
        "gsc": sum(changes[0], Fraction(0)) / p,
        "gsc_other": sum(exact_changes(second)[0], Fraction(0)) / p,
        "generic": all(v != 0 for v in (*gradients[0], *second[0])),
        "all_active": all(exact_active(x, v) for x in samples for v in (*weights[:-1], *others[:-1])),
    }


def plain_candidates() -> Iterator[GridRun]:
    """Exact runs with p = 1, then p = 2, simplest first; 2 lam h = 1 among them."""
    rates = [Fraction(n, 8) for n in (4, 2, 6, 5)]
    starts = [Fraction(n, 4) for n in (8, 5, 4)]
    for w0, d0, lam in product(starts, (Fraction(0), Fraction(1, 2)), rates):
        yield GridRun(FilterInstance((d0,), (w0,), lam), ((1 + w0) / 2,), Fraction(0), 4)
    slopes, widths = [Fraction(n, 8) for n in (1, 0)], [Fraction(n, 2) for n in (1, 2, 0)]
    for w0, w1, d0, d1, lam in product(starts, slopes, (Fraction(0), Fraction(1, 2)), widths, rates):
        yield GridRun(FilterInstance((d0, d1), (w0, w1), lam), ((1 + w0) / 2, Fraction(1, 8)), Fraction(0), 4)


def momentum_candidates() -> Iterator[GridRun]:
    """Exact runs with momentum 1/4 and 1/9, the double roots at 2 lam h = (1 +- sqrt(mu))^2 among them."""
    rates = [Fraction(n, 72) for n in (36, 9, 64, 16, 4, 72, 81, 18, 54)]
    for root, lam, d1 in product((Fraction(1, 2), Fraction(1, 3)), rates, (None, Fraction(1, 2), Fraction(1))):
        size = 1 if d1 is None else 2
        d, error = (Fraction(0), d1)[:size], (Fraction(1, 16), Fraction(1, 16))
        w = [Fraction(int(k == 0)) + error[k] for k in range(size)]
        widths = [v for v in d if v is not None]
        yield GridRun(FilterInstance(widths, w, lam), tuple(2 * v for v in w), root, 8)


def describe(run: GridRun) -> tuple[tuple[str, str], ...]:
    """An exact run as (name, value) strings."""
    given, momentum = run.instance, run.sqrt_mu**2
    shown = [("d", text(given.d)), ("w", text(given.w)), ("w_star", text(given.w_star))]
    shown += [("lam", text(given.learning_rate)), ("other start", text(run.other))]
    return (*shown, *((("momentum", text(momentum)),) if momentum else ()))


def lower(run: GridRun) -> GridRuns:
    """An exact run as a float batch of one."""
    other = np.array([run.other], dtype=np.float64)
    return GridRuns(FilterBatch.of([run.instance]), other, float(run.sqrt_mu), run.steps)


@cache
def full_batch() -> Experiment:
    """Full-batch descent on the grid from two starts."""
    exact = ExactRoute(plain_candidates, observe_exact, describe, lower)
    return Experiment("full-batch runs on the grid", plain_runs, observe, exact)


@cache
def heavy_ball() -> Experiment:
    """Heavy-ball descent on the grid, any stable curvature."""
    exact = ExactRoute(momentum_candidates, observe_exact, describe, lower)
    return Experiment("heavy-ball runs on the grid", momentum_runs, observe, exact)


@cache
def oscillating() -> Experiment:
    """Heavy-ball descent between the bounds; the angle is irrational, so floats alone observe it."""
    return Experiment("oscillating heavy-ball runs", lambda rng: momentum_runs(rng, oscillating=True), observe)


def frame_runs(rng: np.random.Generator, rows: int = 12, steps: int = 13) -> Iterator[FrameRuns]:
    """p = 2..4 with 2 lam h_0 < 1; half of the rows built so that coordinate 0 of the frame changes p - 1 times."""
    for p in range(2, 5):
        w_star = np.eye(1, p).repeat(rows, axis=0)
        # bases well apart, so that the planted errors stay moderate
        x = np.linspace(0.9, 0.1, p) * np.ones((rows, 1))
        d = np.sqrt(np.c_[np.zeros(rows), x[:, 1:] / x[:, :1]])
        rate, e = x[:, 0] / 2.0, small_errors(rng, d)
        Q = np.linalg.qr(rng.normal(size=(rows, p, p)))[0]
        times = np.arange(p) * ((steps - 1) // p)
        for row in range(0, rows, 2):
            pattern = np.where(np.arange(p) % 2 == 0, 1.0, -1.0) * 0.1 ** np.arange(p)
            mixture = np.linalg.solve((1.0 - x[row]) ** times[:, None], pattern)
            planted = mixture / (Q[row, 0] * x[row])
            e[row] = ERROR_SCALE * planted / np.abs(planted).sum()
        yield FrameRuns(FilterBatch.create(d, w_star + e, rate, w_star), Q, steps)


def observe_frames(runs: FrameRuns) -> Observation:
    """The NumPy route: the turned samples listed, one grid at a time."""
    batch, Q = runs.batch, runs.Q
    flips, mean_gsc = np.empty((batch.p, len(batch))), np.empty(len(batch))
    active = np.empty(len(batch), dtype=np.bool_)
    for row in range(len(batch)):
        samples = grid_samples(batch.d[row])
        problem = SampleProblem(SampleSet(samples @ Q[row].T, samples @ batch.w_star[row]))
        rate = batch.learning_rate[row]
        run = descend(problem, Q[row] @ batch.w[row], learning_rate=rate, steps=runs.steps, check_stability=False)
        flips[:, row] = sign_changes_per_coordinate(run.gradients)[:, 0].sum(axis=0)
        mean_gsc[row] = gradient_sign_changes(run.gradients).mean()
        active[row] = (run.active_fraction[:-1] == 1.0).all()
    shared = {"p": batch.p, "d": batch.d.T, "lam": batch.learning_rate, "steps": runs.steps}
    return Observation({**shared, "flips": flips, "mean_gsc": mean_gsc, "all_active": active}, TOLERANCE)


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
    flips = [sum(column, Fraction(0)) for column in zip(*exact_changes(gradients), strict=True)]
    shared = {"p": p, "d": instance.d, "lam": instance.learning_rate, "steps": Fraction(run.steps)}
    active = all(exact_active(x, v) for x in samples for v in weights[:-1])
    return {**shared, "flips": flips, "mean_gsc": sum(flips, Fraction(0)) / p / (run.steps - 1), "all_active": active}


def frame_candidates() -> Iterator[FrameRun]:
    """p = 2 turned by the angle of (3, 4, 5), simplest first."""
    Q = ((Fraction(3, 5), Fraction(-4, 5)), (Fraction(4, 5), Fraction(3, 5)))
    entries = [Fraction(n, 4) for n in (1, -1, 2, -2)]
    for e0, e1, lam, d1 in product(entries, entries, (Fraction(1, 4), Fraction(1, 8)), (Fraction(1, 2), Fraction(1))):
        yield FrameRun(FilterInstance((Fraction(0), d1), (1 + e0, e1), lam), Q, 5)


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
