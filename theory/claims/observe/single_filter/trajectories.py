"""Whole trajectories on the grid, and descent on any sample set, all active by construction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.descent import descend
from sim.exact import exact_active, exact_descend, exact_grid, exact_step, exact_targets
from sim.half_space import sample_active_sums
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem
from sim.samples import hadamard_design
from theory.claims.observe.layers import FILTERS, on_layers
from theory.claims.observe.rationals import HALF, QUARTER, RATES, WEIGHTS, WIDTHS, simplest_first
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

STEPS = 41
"""Odd: an even number of updates would hide the signs of the factors."""


def kept_batches(rng: np.random.Generator, *, layers: bool = False, least_width: float = 0.0) -> Iterator[FilterBatch]:
    """Instances in the region that no stable learning rate leaves: sum |w_i| d_i < (1 - d_0)(w*_0 - |w_0 - w*_0|)."""
    for batch in layer_batches(rng) if layers else random_batches(rng):
        d, w, target = batch.d.copy(), batch.w.copy(), batch.w_star[:, 0]
        d[:, 1:] = np.maximum(d[:, 1:], least_width)
        w[:, 0] = target * rng.uniform(0.3, 1.7, len(batch))
        room = (1.0 - d[:, 0]) * (target - np.abs(w[:, 0] - target))
        load = (np.abs(w[:, 1:]) * d[:, 1:]).sum(axis=1)
        w[:, 1:] *= (0.9 * room / np.maximum(load, EPS))[:, None]
        yield FilterBatch.create(d, w, np.maximum(batch.learning_rate, least_width / 4.0), batch.w_star)


def observe_trajectory(batch: FilterBatch) -> Observation:
    """The NumPy simulator for a fixed number of updates."""
    run = descend(GridProblem.of(batch), batch.w, learning_rate=batch.learning_rate, steps=STEPS, record_loss=False)
    return _trajectory(batch, run.final, run.weights)


@on_layers
def observe_trajectory_layer(batch: FilterBatch) -> Observation:
    """The same number of torch.optim.SGD steps on a convolution."""
    from sim.cnn.conv_filter import grid_descend

    runs = [grid_descend(batch[k], steps=STEPS, filter=FILTERS[k % 3]).weights for k in range(len(batch))]
    weights = np.stack(runs, axis=1)
    return _trajectory(batch, weights[-1], weights)


def _trajectory(batch: FilterBatch, final: np.ndarray, weights: np.ndarray) -> Observation:
    values = {**parameters(batch), "steps": STEPS, "w_end": final.T}
    return Observation(values, STEPS * rounding(batch) / 2.0**batch.p)


def kept_candidates() -> Iterator[FilterInstance]:
    """Exact instances in the region that no stable learning rate leaves, simplest first."""
    starts = (HALF, Fraction(1), Fraction(3, 2), Fraction(5, 4))
    for d0, d1, w0, w1, lam in simplest_first(WIDTHS[::2], WIDTHS, starts, WEIGHTS[:6], RATES):
        if lam * (1 + d0**2) < 1 and abs(w1) * d1 < (1 - d0) * (1 - abs(w0 - 1)):
            yield FilterInstance((d0, d1), (w0, w1), lam)


def observe_trajectory_exact(instance: FilterInstance) -> Values:
    """Three updates in fractions."""
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    end = exact_descend(samples, targets, instance.w, instance.learning_rate, 3)[-1]
    return {**exact_parameters(instance), "steps": Fraction(3), "w_end": end}


@cache
def trajectories() -> Experiment:
    """Trajectories that stay all active."""
    return Experiment(
        name="all-active trajectories",
        sample=kept_batches,
        observe=observe_trajectory,
        exact=ExactRoute(kept_candidates, observe_trajectory_exact, describe, lower, limit=200),
        layer=observe_trajectory_layer,
        layer_sample=lambda rng: kept_batches(rng, layers=True),
    )


@dataclass(frozen=True)
class Tolerance:
    """Trajectories of instances that stay all active, and the tolerances (B,) that |w_i| is to reach."""

    batch: FilterBatch
    tol: np.ndarray


def tolerance_batches(rng: np.random.Generator) -> Iterator[Tolerance]:
    """Widths of at least 0.4, and tolerances between 1e-6 and 1e-2 of the smallest |w_i|."""
    for batch in kept_batches(rng, least_width=0.4):
        if batch.p > 1:
            smallest = np.abs(batch.w[:, 1:]).min(axis=1)
            yield Tolerance(batch, smallest * 10.0 ** rng.uniform(-6.0, -2.0, len(batch)))


def observe_count(case: Tolerance) -> Observation:
    """When each |w_i| first is within its tolerance, counted along the trajectory; NaN if it is not in 1000 updates."""
    batch = case.batch
    run = descend(GridProblem.of(batch), batch.w, learning_rate=batch.learning_rate, steps=1000, record_loss=False)
    within = np.abs(run.weights) <= case.tol[:, None]
    counts = np.where(within.any(axis=0), within.argmax(axis=0), np.nan)
    return Observation({**parameters(batch), "tol": case.tol, "count": counts.T}, 1e-9)


@cache
def step_counts() -> Experiment:
    """Updates to a tolerance; logarithms are irrational, so there is no exact route."""
    return Experiment(name="updates to a tolerance", sample=tolerance_batches, observe=observe_count)


def any_rate_batches(rng: np.random.Generator, layers: bool = False) -> Iterator[FilterBatch]:
    """All-active instances with learning rates up to twice the stable one; a third at the best one; all d_i > 0."""
    for batch in layer_batches(rng) if layers else random_batches(rng):
        d = batch.d.copy()
        d[:, 1:] = np.maximum(d[:, 1:], 0.1)
        w = batch.w.copy()
        w[:, 0] = 0.1 + (np.abs(w[:, 1:]) * d[:, 1:]).sum(axis=1) / (1.0 - d[:, 0]) + rng.uniform(0.0, 1.0, len(batch))
        rate = rng.uniform(0.05, 1.95, len(batch)) / (1.0 + d[:, 0] ** 2)
        best = 1.0 / (1.0 + d[:, 0] ** 2 + _h_min(d))
        yield FilterBatch.create(d, w, np.where(np.arange(len(batch)) % 3 == 0, best, rate), batch.w_star)


def _h_min(d: np.ndarray) -> np.ndarray:
    smallest = np.square(d[:, 1:]).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(smallest), smallest, 1.0 + d[:, 0] ** 2)


def observe_factors(batch: FilterBatch) -> Observation:
    """One update, and the largest factor by which it multiplies a coordinate of w - w*."""
    sums = GridProblem.of(batch).active_sums(batch.w)
    w_next = batch.w - batch.learning_rate[:, None] * sums.gradient
    factors = np.abs(w_next - batch.w_star) / np.abs(batch.w - batch.w_star)
    values = {
        **parameters(batch),
        "w_next": w_next.T,
        "all_active": sums.count == 2**batch.p,
        "worst": factors.max(axis=1),
        "h_min": _h_min(batch.d),
    }
    return Observation(values, rounding(batch) / np.abs(batch.w - batch.w_star).min(axis=1))


def factor_candidates() -> Iterator[FilterInstance]:
    """Exact all-active instances with every error coordinate nonzero, simplest first."""
    rates = (HALF, Fraction(1), QUARTER, Fraction(2, 3), Fraction(4, 5), Fraction(16, 17), Fraction(3, 2))
    for d0, d1, w0, w1, lam in simplest_first(WIDTHS[::2], WIDTHS[1:], WEIGHTS[3:5] + WEIGHTS[7:], WEIGHTS[1:6], rates):
        if w0 * (1 - d0) > abs(w1) * d1:
            yield FilterInstance((d0, d1), (w0, w1), lam)


def observe_factors_exact(instance: FilterInstance) -> Values:
    """The same in fractions."""
    samples = exact_grid(instance.d)
    after = exact_step(samples, exact_targets(samples, instance.w_star), instance.w, instance.learning_rate)
    rows = [tuple(Fraction(v) for v in row) for row in zip(after, instance.w, instance.w_star, strict=True)]
    return {
        **exact_parameters(instance),
        "w_next": after,
        "all_active": all(exact_active(x, instance.w) for x in samples),
        "worst": max(abs(a - s) / abs(b - s) for a, b, s in rows),
        "h_min": min(v**2 for v in instance.d[1:]),
    }


@cache
def factors() -> Experiment:
    """One update at any learning rate, stable or not."""
    return Experiment(
        name="contraction factors",
        sample=any_rate_batches,
        observe=observe_factors,
        exact=ExactRoute(factor_candidates, observe_factors_exact, describe, lower, limit=400),
    )


def observe_hadamard(batch: FilterBatch) -> Observation:
    """One update on the Hadamard design in place of the grid."""
    w_next = np.empty_like(batch.w)
    for row in range(len(batch)):
        design = hadamard_design(batch.d[row], w_star=batch.w_star[row])
        sums = sample_active_sums(design.X, design.y, batch.w[row : row + 1])
        w_next[row] = batch.w[row] - batch.learning_rate[row] * sums.gradient[0]
    values = {**parameters(batch), "w_next": w_next.T, "all_active": np.ones(len(batch), dtype=bool)}
    return Observation(values, rounding(batch))


def observe_exact_hadamard(instance: FilterInstance) -> Values:
    """p = 2, d_0 = 0: the two rows (1, 1), (1, -1) of the Hadamard matrix do for the four samples."""
    samples = [(Fraction(1), instance.d[1]), (Fraction(1), -instance.d[1])]
    after = exact_step(samples, exact_targets(samples, instance.w_star), instance.w, instance.learning_rate)
    active = all(exact_active(x, instance.w) for x in samples)
    return {**exact_parameters(instance), "w_next": after, "all_active": active}


@cache
def hadamard() -> Experiment:
    """The theorem on O(p) samples."""
    return Experiment(
        name="Hadamard designs",
        sample=random_batches,
        observe=observe_hadamard,
        exact=ExactRoute(
            lambda: (c for c in _plain_candidates() if c.d[0] == 0), observe_exact_hadamard, describe, lower, limit=800
        ),
    )


def _plain_candidates() -> Iterator[FilterInstance]:
    for d1, w0, w1, lam in simplest_first(WIDTHS, WEIGHTS, WEIGHTS, RATES):
        yield FilterInstance((Fraction(0), d1), (w0, w1), lam)
