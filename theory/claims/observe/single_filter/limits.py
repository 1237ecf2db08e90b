"""Where descent on sample sets ends: contraction towards w*, convexity of the loss, limits of under-determined sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.descent import descend
from sim.exact import exact_active, exact_descend, exact_grid, exact_loss, exact_targets
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem, SampleProblem
from sim.samples import SampleSet, linear_targets, symmetric_grid
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import RATES, WEIGHTS, WIDTHS, dot, remainder, simplest_first, text
from theory.claims.observe.single_filter import activity
from theory.claims.observe.single_filter.one_step import EPS, describe, layer_batches, lower, random_batches
from theory.experiment import ExactRoute, Experiment, Observation, Values

STEPS = 8
Vector = tuple[Fraction, ...]


@dataclass(frozen=True)
class Descents:
    """A sample set with targets w*.X, starts w (B, p) and a learning rate."""

    samples: SampleSet
    w_star: np.ndarray
    w: np.ndarray
    learning_rate: float


def spanning_batches(
    rng: np.random.Generator, sizes: Sequence[int] = (1, 2, 3, 5, 9), rows: int = 20
) -> Iterator[Descents]:
    """Samples that span the space, with positive targets; starts within the all-active ball, beyond it, and dead."""
    for p in sizes:
        for n in (p, 4 * p):
            X = np.abs(rng.normal(size=(n, p))) + 0.1
            w_star = rng.uniform(0.2, 1.0, p)
            samples = linear_targets(X, w_star)
            reach = (samples.y / np.linalg.norm(X, axis=1)).min()
            direction = rng.normal(size=(rows, p))
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            scale = reach * np.where(np.arange(rows) % 2, rng.uniform(0.1, 0.95, rows), rng.uniform(1.0, 20.0, rows))
            w = w_star + direction * scale[:, None]
            w[:2] = -w_star
            rate = rng.uniform(0.2, 0.95) / np.linalg.eigvalsh(samples.second_moment)[-1]
            yield Descents(samples, w_star, w, float(rate))


def observe_contraction(case: Descents) -> Observation:
    """A few updates of the ReLU filter."""
    run = descend(SampleProblem(case.samples), case.w, learning_rate=case.learning_rate, steps=STEPS, record_loss=False)
    return _contraction(case, run.final, np.linalg.eigvalsh(case.samples.second_moment))


@on_layers
def observe_contraction_layer(case: Descents) -> Observation:
    """The same on a convolution."""
    from sim.cnn.conv_filter import sample_descend
    from sim.cnn.measured import sample_moment, singular_values

    runs = [sample_descend(case.samples, w, learning_rate=case.learning_rate, steps=STEPS).weights[-1] for w in case.w]
    # of a matrix without negative eigenvalues, ascending
    return _contraction(case, np.array(runs), singular_values(sample_moment(case.samples.X))[::-1])


def _contraction(case: Descents, final: np.ndarray, eigenvalues: np.ndarray) -> Observation:
    reach = np.square(case.samples.y).clip(0.0) / np.square(case.samples.X).sum(axis=1)
    distance = np.square(case.w - case.w_star).sum(axis=1)
    values = {
        "p": case.samples.p,
        "lam": case.learning_rate,
        "steps": STEPS,
        "distance": distance,
        "distance_end": np.square(final - case.w_star).sum(axis=1),
        "rate": np.square(1.0 - 2.0 * case.learning_rate * eigenvalues).max(),
        "h_max": eigenvalues[-1],
        "h_min": eigenvalues[0],
        "reach": reach.min(),
    }
    return Observation(values, 1e3 * EPS * STEPS * (1.0 + distance))


def contraction_candidates() -> Iterator[FilterInstance]:
    """Grids of two coordinates that span the plane, simplest first: their second moments are diagonal."""
    for d0, d1, w0, w1, lam in simplest_first(WIDTHS[::2], WIDTHS[1:], WEIGHTS, WEIGHTS, RATES[:2]):
        # w = 0 would rest on the convention at a tie alone
        if w0 or w1:
            yield FilterInstance((d0, d1), (w0, w1), lam)


def observe_contraction_exact(instance: FilterInstance) -> Values:
    """Three updates in fractions."""
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    end = exact_descend(samples, targets, instance.w, instance.learning_rate, 3)[-1]
    before, after = (tuple(a - b for a, b in zip(v, instance.w_star, strict=True)) for v in (instance.w, end))
    moments = (1 + instance.d[0] ** 2, *(v**2 for v in instance.d[1:]))
    return {
        "p": instance.p,
        "lam": instance.learning_rate,
        "steps": Fraction(3),
        "distance": dot(before, before),
        "distance_end": dot(after, after),
        "rate": max((1 - 2 * instance.learning_rate * h) ** 2 for h in moments),
        "h_max": max(moments),
        "h_min": min(moments),
        "reach": min((t**2 / dot(x, x) if t > 0 else Fraction(0)) for x, t in zip(samples, targets, strict=True)),
    }


def _lower_descent(instance: FilterInstance) -> Descents:
    real = instance.as_float()
    samples = symmetric_grid(np.array(real.d), np.array(real.w_star))
    return Descents(samples, np.array(real.w_star), np.array([real.w]), float(real.learning_rate))


@cache
def contractions() -> Experiment:
    """Descent on samples that span the space."""
    return Experiment(
        name="samples that span the space",
        sample=spanning_batches,
        observe=observe_contraction,
        exact=ExactRoute(contraction_candidates, observe_contraction_exact, describe, _lower_descent, limit=1200),
        layer=observe_contraction_layer,
        layer_sample=lambda rng: spanning_batches(rng, sizes=(1, 4, 9), rows=6),
    )


@dataclass(frozen=True)
class Segments:
    """A grid of half-widths d (p,) with w* = e0, and the ends w, v (B, p) of segments."""

    d: np.ndarray
    w: np.ndarray
    v: np.ndarray


def segment_batches(rng: np.random.Generator) -> Iterator[Segments]:
    """Segments within the all-active cone, and anywhere."""
    for batch in random_batches(rng, rows=12):
        for row in range(len(batch)):
            d = np.broadcast_to(batch.d[row], (4, batch.p))
            inside = np.tile(batch.w[row], (4, 1)) * rng.uniform(0.5, 2.0, (4, 1))
            yield Segments(
                d[0],
                np.vstack([inside, rng.normal(size=(4, batch.p))]),
                np.vstack([inside[::-1] * 1.5, rng.normal(size=(4, batch.p))]),
            )


def observe_segments(case: Segments) -> Observation:
    """The loss at both ends and half-way."""
    p = len(case.d)
    problem = GridProblem(case.d)
    ends = [problem.active_sums(x) for x in (case.w, case.v, (case.w + case.v) / 2.0)]
    values = {
        "p": p,
        "loss_w": ends[0].loss,
        "loss_v": ends[1].loss,
        "loss_mid": ends[2].loss,
        "both_active": (ends[0].count == 2**p) & (ends[1].count == 2**p),
    }
    scale = 1.0 + np.square(case.w).sum(axis=1) + np.square(case.v).sum(axis=1)
    return Observation(values, 256.0 * EPS * p * scale)


def segment_candidates() -> Iterator[tuple[Fraction, Fraction, Fraction]]:
    """One weight: a half-width and the ends of a segment, simplest first."""
    return ((a, b, c) for a, b, c in simplest_first(WIDTHS, WEIGHTS, WEIGHTS))


def observe_segment_exact(case: tuple[Fraction, Fraction, Fraction]) -> Values:
    """The same in fractions."""
    d0, w, v = case
    samples = exact_grid((d0,))
    targets = exact_targets(samples, (Fraction(1),))
    at = [exact_loss(samples, targets, (x,)) for x in (w, v, (w + v) / 2)]
    return {
        "p": 1,
        "loss_w": at[0],
        "loss_v": at[1],
        "loss_mid": at[2],
        "both_active": all(exact_active(x, (end,)) for x in samples for end in (w, v)),
    }


@cache
def segments() -> Experiment:
    """The loss along segments."""
    return Experiment(
        name="the loss along segments",
        sample=segment_batches,
        observe=observe_segments,
        exact=ExactRoute(
            segment_candidates,
            observe_segment_exact,
            lambda case: (("d", f"({case[0]})"), ("w", str(case[1])), ("v", str(case[2]))),
            lambda case: Segments(*(np.array([[float(x)]]) if k else np.array([float(x)]) for k, x in enumerate(case))),
        ),
    )


def orthogonal_batches(
    rng: np.random.Generator, sizes: Sequence[int] = (2, 3, 5, 9), rows: int = 12
) -> Iterator[Descents]:
    """Fewer samples than weights, positive targets: orthogonal ones from any start, others from within the ball."""
    for p in sizes:
        for n in sorted({1, p - 1}):
            frame = np.linalg.qr(rng.normal(size=(p, p)))[0]
            across = rng.normal(size=(rows, p)) @ (np.eye(p) - frame[:, :n] @ frame[:, :n].T)
            for orthogonal in (True, False):
                turn = np.eye(n) if orthogonal else np.linalg.qr(rng.normal(size=(n, n)))[0]
                X = turn @ np.diag(rng.uniform(0.9, 1.2, n)) @ frame[:, :n].T
                y = rng.uniform(0.3, 1.0, n)
                w_star = np.linalg.pinv(X) @ y + 0.5 * across[0]
                within = rng.normal(size=(rows, n))
                if not orthogonal:
                    reach = (y / np.linalg.norm(X, axis=1)).min()
                    within *= 0.9 * reach / np.linalg.norm(within, axis=1, keepdims=True)
                w = np.linalg.pinv(X) @ y + within @ frame[:, :n].T + across * (np.arange(rows) % 3 > 0)[:, None]
                rate = 0.5 / np.linalg.eigvalsh(X.T @ X / n)[-1]
                yield Descents(SampleSet(X, y), w_star, w, float(rate))


def observe_limit(case: Descents) -> Observation:
    """Descent run until it stands still."""
    run = descend(SampleProblem(case.samples), case.w, learning_rate=case.learning_rate, steps=250, record_loss=False)
    return _limit(case, run.final)


@on_layers
def observe_limit_layer(case: Descents) -> Observation:
    """The same on a convolution."""
    from sim.cnn.conv_filter import sample_descend

    runs = [sample_descend(case.samples, w, learning_rate=case.learning_rate, steps=250).weights[-1] for w in case.w]
    return _limit(case, np.array(runs))


def _limit(case: Descents, final: np.ndarray) -> Observation:
    X, p = case.samples.X, case.samples.p
    onto = np.linalg.pinv(X) @ X
    shift = final - onto @ case.w_star
    values = {
        "p": p,
        "w": case.w.T,
        "w_star": case.w_star,
        "P": onto,
        "limit": final.T,
        "excess": np.square(shift).sum(axis=1),
        "outside": np.square(case.w @ (np.eye(p) - onto)).sum(axis=1),
        "start_active": np.all(case.w @ X.T > 0.0, axis=1),
    }
    return Observation(values, 1e4 * EPS * p * (1.0 + np.square(case.w).sum(axis=1) + case.w_star @ case.w_star))


Planted = tuple[tuple[Vector, ...], Vector, Fraction]
_PLANTED = (Fraction(1), Fraction(0), Fraction(1))


def planted_candidates() -> Iterator[Planted]:
    """Orthogonal samples of one length in three dimensions, simplest first, with the rate that ends in one update."""
    one, nil = Fraction(1), Fraction(0)
    sets = (
        ((one, nil, nil),),
        ((one, one, nil),),
        ((one, one, nil), (one, -one, nil)),
        ((nil, one, one), (nil, -one, one)),
    )
    for start in simplest_first(*([WEIGHTS[:5]] * 3)):
        for samples in sets:
            if any(dot(x, start) == 0 for x in samples):
                continue
            yield samples, start, Fraction(len(samples), 2) / dot(samples[0], samples[0])


def observe_planted(case: Planted) -> Values:
    """One update in fractions: with this rate it is the last."""
    samples, w, lam = case
    targets = [dot(x, _PLANTED) for x in samples]
    limit = exact_descend(samples, targets, w, lam, 2)[-1]
    axes = [tuple(Fraction(int(a == b)) for b in range(3)) for a in range(3)]
    onto = [[axis[k] - remainder(axis, samples)[k] for k in range(3)] for axis in axes]
    target = tuple(dot(row, _PLANTED) for row in onto)
    across, shift = remainder(w, samples), tuple(a - b for a, b in zip(limit, target, strict=True))
    return {
        "p": 3,
        "w": w,
        "w_star": _PLANTED,
        "P": onto,
        "limit": limit,
        "excess": dot(shift, shift),
        "outside": dot(across, across),
        "start_active": all(exact_active(x, w) for x in samples),
    }


@cache
def limits() -> Experiment:
    """The end of descent with fewer samples than weights."""
    return Experiment(
        name="fewer samples than weights",
        sample=orthogonal_batches,
        observe=observe_limit,
        exact=ExactRoute(
            planted_candidates,
            observe_planted,
            lambda case: (
                ("samples", ", ".join(map(text, case[0]))),
                ("w", text(case[1])),
                ("w_star", text(_PLANTED)),
                ("lam", text(case[2])),
            ),
            lambda case: Descents(
                SampleSet(np.array(case[0], dtype=float), np.array([float(dot(x, _PLANTED)) for x in case[0]])),
                np.array(_PLANTED, dtype=float),
                np.array([case[1]], dtype=float),
                float(case[2]),
            ),
        ),
        layer=observe_limit_layer,
        layer_sample=lambda rng: orthogonal_batches(rng, sizes=(4, 9), rows=3),
    )


def _from_zero(batch: FilterBatch) -> FilterBatch:
    return FilterBatch.create(batch.d, np.zeros_like(batch.w), batch.learning_rate, batch.w_star)


@cache
def zero_starts() -> Experiment:
    """Filters that start at zero."""
    return Experiment(
        name="zero starts",
        sample=lambda rng: map(_from_zero, random_batches(rng)),
        observe=activity.observe,
        exact=ExactRoute(
            lambda: (c for c in activity.candidates() if not any(c.w)), activity.observe_exact, describe, lower
        ),
        layer=activity.observe_layer,
        layer_sample=lambda rng: map(_from_zero, layer_batches(rng)),
    )
