"""Sign changes of full-batch gradients, observed on the grid: plain descent and heavy ball."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from itertools import chain, pairwise, product

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_grid, exact_targets, exact_trajectory
from sim.grid import grid_samples
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem
from sim.zigzag import gradient_sign_changes, sign_changes_per_coordinate
from theory.claims.observe.layers import FILTERS, on_layers
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
LISTED = 12
"""Weights up to which second moments are taken over listed samples."""


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


def plain_runs(rng: np.random.Generator, sizes: Iterable[int] = range(1, 9), rows: int = ROWS) -> Iterator[GridRuns]:
    """Full batch without momentum, p = 1..8, 2 lam h_j on both sides of 1 and stable."""
    for p, high in product(sizes, (0.98, 1.95)):

        def curvature(shape: tuple[int, ...], high: float = high) -> FloatArray:
            return away_from(1.0, 0.05, high, rng, shape)

        batch = grid_with_curvatures(rng, curvature, p, rows)
        yield GridRuns(batch, batch.w_star + small_errors(rng, batch.d), 0.0, 4)


def large_runs(rng: np.random.Generator) -> Iterator[GridRuns]:
    """The same for 5 x 5 filters, and a single 7 x 7 one, over the two updates between which a sign can change."""
    yield from plain_runs(rng, sizes=(25,))
    batch = grid_with_curvatures(rng, lambda shape: away_from(1.0, 0.05, 1.95, rng, shape), 49, 1)
    yield GridRuns(batch, batch.w_star + small_errors(rng, batch.d), 0.0, 2)


def momentum_runs(
    rng: np.random.Generator,
    *,
    oscillating: bool = False,
    sizes: Iterable[int] = (1, 2, 4),
    rows: int = 20,
    longest: int = 200,
) -> Iterator[GridRuns]:
    """Heavy ball, p = 1..4: 2 lam h_j between the bounds, or (not `oscillating`) anywhere below stability."""
    for p, mu in product(sizes, (0.3, 0.8)):
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

        batch = grid_with_curvatures(rng, between if oscillating else anywhere, p, rows)
        steps = min(longest, int(np.log(RESOLUTION) / np.log(root)))
        yield GridRuns(batch, batch.w_star + small_errors(rng, batch.d), root, steps)


def observe(runs: GridRuns) -> Observation:
    """The NumPy route: both runs, by sums over the active samples that make no use of all being active."""
    batch = runs.batch
    problem = GridProblem.of(batch, shortcut=False)
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
    active = (first.active_fraction[:-1] == 1.0) & (second.active_fraction[:-1] == 1.0)
    both = (first.gradients, second.gradients)
    changes = sign_changes_per_coordinate(both[0])
    gsc, gsc_other = (gradient_sign_changes(gradients)[0] for gradients in both)
    return _observation(runs, both, (changes, gsc, gsc_other), first.weights[1], active.all(axis=0))


@on_layers
def observe_layer(runs: GridRuns) -> Observation:
    """Both runs by torch.optim.SGD, with its momentum, on convolutions that see the grid in the frame of a filter."""
    from sim.cnn.conv_filter import grid_descend
    from sim.cnn.measured import sign_changes

    batch = runs.batch
    other = FilterBatch.create(batch.d, runs.other, batch.learning_rate, batch.w_star)
    first, second = (
        [
            grid_descend(starts[row], steps=runs.steps, momentum=runs.sqrt_mu**2, filter=FILTERS[row % len(FILTERS)])
            for row in range(len(starts))
        ]
        for starts in (batch, other)
    )
    gradients, others = (np.stack([run.gradients for run in both], axis=1) for both in (first, second))
    active = [all((run.active_fraction[:-1] == 1.0).all() for run in pair) for pair in zip(first, second, strict=True)]
    changes, changes_other = sign_changes(gradients), sign_changes(others)
    gsc, gsc_other = (each[0].sum(axis=-1) / batch.p for each in (changes, changes_other))
    w_next = np.array([run.weights[1] for run in first])
    return _observation(runs, (gradients, others), (changes, gsc, gsc_other), w_next, np.array(active))


def _observation(
    runs: GridRuns,
    both: tuple[FloatArray, FloatArray],
    signs: tuple[FloatArray, FloatArray, FloatArray],
    w_next: FloatArray,
    active: BoolArray,
) -> Observation:
    """From the gradients (T, B, p) of both runs and the weights (B, p) after one update of the first.

    signs: sign changes (T - 1, B, p) of the first run, and the share (B,) that changes first, of either run.
    """
    batch, (gradients, others), (changes, gsc, gsc_other) = runs.batch, both, signs
    h = _curvatures(batch, gradients[0])
    values = {
        "p": batch.p,
        "d": batch.d.T,
        "lam": batch.learning_rate,
        "sqrt_mu": runs.sqrt_mu,
        "steps": runs.steps,
        "h": h,
        "theta": _angles(h, batch.learning_rate, runs.sqrt_mu),
        "g": gradients[0].T,
        "e": (batch.w - batch.w_star).T,
        "e_next": (w_next - batch.w_star).T,
        "flip": changes[0].T,
        "flips": changes.sum(axis=0).T,
        "gsc": gsc,
        "gsc_other": gsc_other,
        "generic": ((gradients[0] != 0) & (others[0] != 0)).all(axis=1),
        "all_active": active,
    }
    return Observation(values, TOLERANCE if batch.p <= LISTED else 64.0 * TOLERANCE)


def _curvatures(batch: FilterBatch, gradients: FloatArray) -> FloatArray:
    """E[X_j^2] (p, B) over the samples one by one; for large filters what the gradient shows of it, g_j/(2 e_j)."""
    if batch.p > LISTED:
        return np.asarray(gradients / (2.0 * (batch.w - batch.w_star))).T
    return np.array([np.square(grid_samples(d)).mean(axis=0) for d in batch.d]).T


def _angles(h: FloatArray, rate: FloatArray, sqrt_mu: float) -> FloatArray:
    """|angle| (p, B) of an eigenvalue of (e_j, v_j) -> (e_j - lam v_j', v_j'), v_j' = mu v_j + 2 h_j e_j."""
    mu, curvature = sqrt_mu**2, 2.0 * h
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
    rates = [Fraction(n, 72) for n in (36, 9, 64, 16, 4, 72, 81, 18, 54, 84)]
    for root, lam, d1 in product((Fraction(1, 2), Fraction(1, 3)), rates, (None, Fraction(1, 2), Fraction(1))):
        size = 1 if d1 is None else 2
        d = (Fraction(0), d1)[:size]
        # near enough to w* that every sample stays active where a mode overshoots
        w, other = (tuple(Fraction(int(k == 0)) + Fraction(n, 16) for k in range(size)) for n in (1, 2))
        widths = [v for v in d if v is not None]
        yield GridRun(FilterInstance(widths, w, lam), other, root, 8)


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
    layer_sample = partial(plain_runs, sizes=(1, 4, 9), rows=10)
    return Experiment(
        "full-batch runs on the grid",
        lambda rng: chain(plain_runs(rng), large_runs(rng)),
        observe,
        exact,
        observe_layer,
        layer_sample,
    )


@cache
def heavy_ball() -> Experiment:
    """Heavy-ball descent on the grid, any stable curvature."""
    exact = ExactRoute(momentum_candidates, observe_exact, describe, lower)
    layer_sample = partial(momentum_runs, sizes=(1, 4), rows=12, longest=25)
    return Experiment("heavy-ball runs on the grid", momentum_runs, observe, exact, observe_layer, layer_sample)


@cache
def oscillating() -> Experiment:
    """Heavy-ball descent between the bounds and beyond; the angle is irrational, so floats alone observe it."""

    def sample(rng: np.random.Generator) -> Iterator[GridRuns]:
        yield from momentum_runs(rng, oscillating=True)
        yield from momentum_runs(rng, sizes=(2,))

    return Experiment("oscillating heavy-ball runs", sample, observe)
