"""Which samples are active, before and after an update, by listing the grid; by counting them for large filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain, islice

import numpy as np

from sim.exact import exact_active, exact_grid, exact_step, exact_targets
from sim.grid import grid_samples, pixel_frame
from sim.half_space import sample_active_sums
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem
from theory.claims.observe.layers import grid_steps, on_layers
from theory.claims.observe.rationals import HALF, WEIGHTS, WIDTHS, simplest_first, text
from theory.claims.observe.single_filter.one_step import (
    EPS,
    describe,
    exact_parameters,
    layer_batches,
    lower,
    parameters,
    random_batches,
    rounding,
)
from theory.experiment import ExactRoute, Experiment, Observation, Values

Draw = Callable[..., Iterator[FilterBatch]]

LISTED = 12
"""Weights up to which samples are listed one by one."""


def mixed_batches(rng: np.random.Generator, draw: Draw = random_batches) -> Iterator[FilterBatch]:
    """Random filters of every kind: all active (near w* and far beyond it), dead, close misses of both, any, w >= 0."""
    for batch in draw(rng):
        missed = batch.w.copy()
        missed[:, 0] = 0.9 * (np.abs(batch.w[:, 1:]) * batch.d[:, 1:]).sum(axis=1) / (1.0 - batch.d[:, 0])
        close = FilterBatch.create(batch.d, missed, batch.learning_rate, batch.w_star)
        yield from (close, _scaled(close, -1.0))
        yield batch
        yield _scaled(batch, 4.0)
        yield _scaled(batch, -1.0)
    for batch in draw(rng, active=False):
        yield batch
        yield FilterBatch.create(batch.d, np.abs(batch.w), batch.learning_rate, batch.w_star)


def large_batches(rng: np.random.Generator) -> Iterator[FilterBatch]:
    """The same kinds for 5 x 5 filters; and for 7 x 7 ones a close miss and a filter with every sample active."""

    def draw(rng: np.random.Generator, p: int, rows: int, **keywords: bool) -> Iterator[FilterBatch]:
        return random_batches(rng, sizes=(p,), rows=rows, **keywords)

    yield from mixed_batches(rng, lambda rng, **keywords: draw(rng, 25, 20, **keywords))
    miss, _, whole = islice(mixed_batches(rng, lambda rng, **keywords: draw(rng, 49, 1, **keywords)), 3)
    yield from (miss, whole)


def dead_batches(rng: np.random.Generator, draw: Draw = random_batches) -> Iterator[FilterBatch]:
    """All-active filters turned round: no sample is active."""
    return (_scaled(batch, -1.0) for batch in draw(rng))


def _scaled(batch: FilterBatch, factor: float) -> FilterBatch:
    return FilterBatch.create(batch.d, factor * batch.w, batch.learning_rate, batch.w_star)


def observe(batch: FilterBatch) -> Observation:
    """Enumerate the grid before and after one update of Eq. (1)."""
    if batch.p > LISTED:
        return _observe_counts(batch)
    active, dead, active_next = (np.zeros(len(batch), dtype=bool) for _ in range(3))
    w_next = np.zeros_like(batch.w)
    for row in range(len(batch)):
        samples = grid_samples(batch.d[row])
        sums = sample_active_sums(samples, samples @ batch.w_star[row], batch.w[row : row + 1])
        active[row], dead[row] = sums.count[0] == len(samples), sums.count[0] == 0
        w_next[row] = batch.w[row] - batch.learning_rate[row] * sums.gradient[0]
        active_next[row] = np.all(samples @ w_next[row] > 0.0)
    return _observation(batch, active, dead, w_next, active_next)


def _observe_counts(batch: FilterBatch) -> Observation:
    """The same from the exact numbers of active samples, without the O(p) test that the claims are about."""
    problem = GridProblem.of(batch, shortcut=False)
    before = problem.active_sums(batch.w)
    w_next = batch.w - batch.learning_rate[:, None] * before.gradient
    after = problem.active_sums(w_next)
    every, every_next = before.count == problem.n_samples, after.count == problem.n_samples
    return _observation(batch, every, before.count == 0, w_next, every_next)


@on_layers
def observe_layer(batch: FilterBatch) -> Observation:
    """The same through a convolution, ReLU, autograd and torch.optim.SGD."""
    first = grid_steps(batch)
    w_next = np.array([step.weights for step in first])
    after = FilterBatch.create(batch.d, w_next, batch.learning_rate, batch.w_star)
    second = grid_steps(after)
    fraction = np.array([step.active_fraction for step in first])
    fraction_next = np.array([step.active_fraction for step in second])
    return _observation(batch, fraction == 1.0, fraction == 0.0, w_next, fraction_next == 1.0)


def _observation(
    batch: FilterBatch, active: np.ndarray, dead: np.ndarray, w_next: np.ndarray, active_next: np.ndarray
) -> Observation:
    values = {
        **parameters(batch),
        "w_next": w_next.T,
        "all_active": active,
        "dead": dead,
        "all_active_next": active_next,
        "nonnegative": np.all(batch.w >= 0.0, axis=1),
        "distance": np.square(batch.w - batch.w_star).sum(axis=1),
    }
    # counted sums are exact: only the update is rounded
    room = rounding(batch) if batch.p <= LISTED else rounding(batch) / 2.0**batch.p
    return Observation(values, room)


def observe_exact(instance: FilterInstance) -> Values:
    """The same in fractions."""
    samples = exact_grid(instance.d)
    after = exact_step(samples, exact_targets(samples, instance.w_star), instance.w, instance.learning_rate)
    active = [exact_active(x, instance.w) for x in samples]
    return {
        **exact_parameters(instance),
        "w_next": after,
        "all_active": all(active),
        "dead": not any(active),
        "all_active_next": all(exact_active(x, after) for x in samples),
        "nonnegative": all(v >= 0 for v in instance.w),
        "distance": sum((a - b) ** 2 for a, b in zip(instance.w, instance.w_star, strict=True)),
    }


def candidates(
    widths: Sequence[Fraction] = WIDTHS, rates: Sequence[Fraction] = (HALF, Fraction(3, 4))
) -> Iterator[FilterInstance]:
    """Exact instances with p = 1 and p = 2, simplest first."""
    weights = (*WEIGHTS[:3], *WEIGHTS[4:5], *WEIGHTS[6:8])
    for d0, w0 in simplest_first(widths, weights):
        yield FilterInstance((d0,), (w0,), HALF)
    for d0, d1, w0, w1, lam in simplest_first(widths[:3], widths[:3], weights, weights, rates):
        yield FilterInstance((d0, d1), (w0, w1), lam)


@cache
def activity() -> Experiment:
    """Filters of every kind, and what one update makes of them."""
    return Experiment(
        name="activity by enumeration",
        sample=lambda rng: chain(mixed_batches(rng), large_batches(rng)),
        observe=observe,
        exact=ExactRoute(candidates, observe_exact, describe, lower, limit=1000),
        layer=observe_layer,
        layer_sample=lambda rng: mixed_batches(rng, layer_batches),
    )


@cache
def dead_filters() -> Experiment:
    """Filters without an active sample."""
    return Experiment(
        name="dead filters",
        sample=dead_batches,
        observe=observe,
        exact=ExactRoute(candidates, observe_exact, describe, lower, limit=1000),
        layer=observe_layer,
        layer_sample=lambda rng: dead_batches(rng, layer_batches),
    )


def long_starts(rng: np.random.Generator) -> Iterator[FilterBatch]:
    """Two weights, d_0 = 0, w_0 > w*_0 and |w_1| large: starts all active, with lam = 1/2 or at random."""
    rows = 400
    d = np.column_stack([np.zeros(rows), rng.uniform(0.2, 0.8, rows)])
    w1 = rng.uniform(1.0, 12.0, rows) / d[:, 1] * rng.choice([-1.0, 1.0], rows)
    w0 = np.abs(w1) * d[:, 1] + rng.uniform(0.1, 4.0, rows)
    w_star = np.column_stack([np.ones(rows), np.zeros(rows)])
    for rate in (np.full(rows, 0.5), rng.uniform(0.02, 0.95, rows)):
        yield FilterBatch.create(d, np.column_stack([w0, w1]), rate, w_star)
    # already within the trap: one side inactive, the other answered above its target
    inside = np.column_stack([np.abs(w1) * d[:, 1] * rng.uniform(-0.9, 0.9, rows), w1])
    yield FilterBatch.create(d, inside, rng.uniform(0.02, 0.6, rows), w_star)


def long_candidates() -> Iterator[FilterInstance]:
    """Exact instances with p = 2, d_0 = 0 and a start beyond w*, simplest first."""
    starts = [Fraction(n) for n in range(1, 7)]
    for d1, w0, w1, lam in simplest_first(
        (HALF, Fraction(1, 4)), starts, [*starts, -starts[3]], (HALF, Fraction(1, 4))
    ):
        yield FilterInstance((Fraction(0), d1), (w0, w1), lam)


@cache
def beyond() -> Experiment:
    """Filters of two weights that start beyond w*, all active or already with a side lost."""
    return Experiment(
        name="starts beyond w*",
        sample=long_starts,
        observe=observe,
        exact=ExactRoute(long_candidates, observe_exact, describe, lower),
    )


@dataclass(frozen=True)
class FramedGrid:
    """Grids of half-widths d (B, p) seen in pixel frames Q (B, p, p), with targets w*.X, w* = w0_star Q e0."""

    d: np.ndarray
    Q: np.ndarray
    w0_star: np.ndarray


def framed_batches(rng: np.random.Generator) -> Iterator[FramedGrid]:
    """Frames whose first column is a positive filter, with wide and with narrow grids."""
    for p in (1, 2, 3, 4, 6):
        rows = 60
        filters = rng.uniform(0.2, 1.0, (rows, p))
        # a frame from a reflection is symmetric, and would hide a transpose
        others = np.linalg.qr(rng.normal(size=(rows, p - 1, p - 1)))[0]
        frames = np.array([pixel_frame(f) for f in filters])
        frames[:, :, 1:] @= others
        for width in (1.0, 0.3 / p):
            yield FramedGrid(rng.uniform(0.0, width, (rows, p)), frames, rng.uniform(0.25, 2.0, rows))


def observe_framed(batch: FramedGrid) -> Observation:
    """The least value of each pixel and the least target, over all samples."""
    rows, p = batch.d.shape
    least, target = np.zeros((p, rows)), np.zeros(rows)
    for row in range(rows):
        pixels = grid_samples(batch.d[row]) @ batch.Q[row].T
        optimum = batch.w0_star[row] * batch.Q[row][:, 0]
        least[:, row], target[row] = pixels.min(axis=0), (pixels @ optimum).min()
    values = {"p": p, "d": batch.d.T, "Q": batch.Q.transpose(1, 2, 0), "least": least, "least_target": target}
    return Observation(values, 256.0 * EPS * p)


_TURNS = tuple(((a, -b), (b, a)) for a, b in ((Fraction(3, 5), Fraction(4, 5)), (Fraction(5, 13), Fraction(12, 13))))
_FRAMES = (
    ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1))),
    *_TURNS,
    *(tuple(zip(*turn, strict=True)) for turn in _TURNS),
)
Framed = tuple[tuple[Fraction, ...], tuple[tuple[Fraction, ...], ...]]


def framed_candidates() -> Iterator[Framed]:
    """Two-pixel frames: the grid's own, and rational rotations either way."""
    for frame in _FRAMES:
        for widths in simplest_first(
            (Fraction(0), Fraction(1, 4), HALF, Fraction(1)), (Fraction(0), Fraction(1, 4), HALF, Fraction(1))
        ):
            yield widths, frame


def observe_framed_exact(instance: Framed) -> Values:
    """The same in fractions."""
    d, frame = instance
    pixels = [[sum(q * x for q, x in zip(row, sample, strict=True)) for row in frame] for sample in exact_grid(d)]
    targets = [sum(row[0] * x for row, x in zip(frame, sample, strict=True)) for sample in pixels]
    return {
        "p": len(d),
        "d": d,
        "Q": frame,
        "least": [min(column) for column in zip(*pixels, strict=True)],
        "least_target": min(targets),
    }


@cache
def framed_grid() -> Experiment:
    """The grid seen in the pixel frame."""
    return Experiment(
        name="grid in the pixel frame",
        sample=framed_batches,
        observe=observe_framed,
        exact=ExactRoute(
            framed_candidates,
            observe_framed_exact,
            lambda instance: (("d", text(instance[0])), ("Q", ", ".join(text(row) for row in instance[1]))),
            lambda instance: FramedGrid(
                np.array([instance[0]], dtype=float), np.array([instance[1]], dtype=float), np.ones(1)
            ),
        ),
    )


@dataclass(frozen=True)
class PositiveSamples:
    """Samples X (N, p) with positive coordinates and filters w (B, p)."""

    X: np.ndarray
    w: np.ndarray


def positive_batches(rng: np.random.Generator) -> Iterator[PositiveSamples]:
    """Positive samples; filters without negative weights, and with some."""
    for p in (2, 3, 5, 8):
        samples = rng.uniform(0.05, 2.0, (20, p))
        kept = rng.uniform(0.0, 1.0, (100, p)) * (rng.uniform(size=(100, p)) < 0.7)
        kept[~kept.any(axis=1), 0] = 1.0
        yield PositiveSamples(samples, np.vstack([kept, kept - 0.15, rng.normal(size=(100, p))]))


def observe_positive(batch: PositiveSamples) -> Observation:
    """Which filters activate every sample."""
    values = {
        "p": batch.w.shape[1],
        "w": batch.w.T,
        "all_active": np.all(batch.w @ batch.X.T > 0.0, axis=1),
        "nonnegative": np.all(batch.w >= 0.0, axis=1),
    }
    return Observation(values, EPS)


def positive_candidates() -> Iterator[tuple[tuple[Fraction, ...], tuple[Fraction, ...]]]:
    """One positive sample and one filter, w != 0."""
    for x0, x1, w0, w1 in simplest_first((Fraction(1), HALF), (Fraction(1), HALF), WEIGHTS[:6], WEIGHTS[:6]):
        if w0 or w1:
            yield (x0, x1), (w0, w1)


@cache
def positive_samples() -> Experiment:
    """Positive samples, as after batch normalisation and ReLU (assumption 1)."""
    return Experiment(
        name="positive samples",
        sample=positive_batches,
        observe=observe_positive,
        exact=ExactRoute(
            positive_candidates,
            lambda instance: {
                "p": 2,
                "w": instance[1],
                "all_active": exact_active(*instance),
                "nonnegative": all(v >= 0 for v in instance[1]),
            },
            lambda instance: (("X", text(instance[0])), ("w", text(instance[1]))),
            lambda instance: PositiveSamples(
                np.array([instance[0]], dtype=float), np.array([instance[1]], dtype=float)
            ),
        ),
    )
