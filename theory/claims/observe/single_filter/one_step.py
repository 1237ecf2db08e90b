"""One update of a filter on the grid, observed in full: gradients summed over the grid and over its halves.

The grid is listed sample by sample, so that nothing observed rests on a closed form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.exact import exact_active, exact_gradient, exact_grid, exact_targets
from sim.grid import grid_samples
from sim.half_space import sample_active_sums
from sim.instance import FilterBatch, FilterInstance
from sim.samples import SampleSet
from theory.claims.observe.layers import grid_steps, on_layers
from theory.claims.observe.rationals import RATES, WEIGHTS, WIDTHS, simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

SIZES = range(1, 8)
ROWS = 40
EPS = float(np.finfo(np.float64).eps)


def rounding(batch: FilterBatch, factor: float = 64.0) -> np.ndarray:
    """An absolute tolerance for sums over the grid, (B,): factor * 2^p * p * eps * (1 + |w|_1 + |w*|_1)^2."""
    scale = 1.0 + np.abs(batch.w).sum(axis=1) + np.abs(batch.w_star).sum(axis=1)
    return np.asarray(factor * EPS * batch.p * 2.0**batch.p * scale**2)


def random_batches(
    rng: np.random.Generator, *, active: bool = True, sizes: Iterable[int] = SIZES, rows: int = ROWS
) -> Iterator[FilterBatch]:
    """Batches of random instances with w* = (w*_0, 0, ..., 0), one batch for each p; `active` draws all-active ones.

    All-active weights are built, not filtered: w_0 is drawn above what the other coordinates need. Learning rates are
    stable, 2 lam (1 + d_0^2) < 2.
    """
    for p in sizes:
        d = rng.uniform(0.0, 1.0, (rows, p))
        w = rng.normal(size=(rows, p))
        if active:
            d[:, 0] *= 0.9
            needed = (np.abs(w[:, 1:]) * d[:, 1:]).sum(axis=1) / (1.0 - d[:, 0])
            w[:, 0] = needed + rng.uniform(0.05, 2.0, rows)
        w_star = np.zeros((rows, p))
        w_star[:, 0] = rng.uniform(0.25, 2.0, rows)
        yield FilterBatch.create(d, w, rng.uniform(0.05, 0.95, rows) / (1.0 + d[:, 0] ** 2), w_star)


def layer_batches(rng: np.random.Generator, *, active: bool = True) -> Iterator[FilterBatch]:
    """As `random_batches`, for filters of 1 x 1, 2 x 2 and 3 x 3 pixels, a few of each."""
    return random_batches(rng, active=active, sizes=(1, 4, 9), rows=15)


MeanGradient = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""Samples (N, p), targets (N,) and a filter (p,) to the mean gradient (p,)."""


def observe(batch: FilterBatch) -> Observation:
    """The NumPy route: explicit samples, their half-grids, one update of Eq. (1)."""
    total, every = np.zeros((batch.p, len(batch))), np.zeros(len(batch), dtype=bool)
    for row in range(len(batch)):
        samples = grid_samples(batch.d[row])
        whole = sample_active_sums(samples, samples @ batch.w_star[row], batch.w[row])
        every[row] = whole.count[0] == len(samples)
        total[:, row] = -len(samples) * whole.gradient[0]
    w_next = batch.w.T + batch.learning_rate * total / 2.0**batch.p

    def mean_gradient(X: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
        return sample_active_sums(X, y, w).gradient[0]

    return Observation(_values(batch, total, every, w_next, mean_gradient), rounding(batch))


@on_layers
def observe_layer(batch: FilterBatch) -> Observation:
    """The PyTorch route: a convolution with one filter, ReLU, autograd, one step of torch.optim.SGD."""
    from sim.cnn.conv_filter import sample_step

    stepped = grid_steps(batch)
    total = -(2.0**batch.p) * np.array([s.gradient for s in stepped]).T
    every = np.array([s.active_fraction == 1.0 for s in stepped])
    w_next = np.array([s.weights for s in stepped]).T

    def mean_gradient(X: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
        return sample_step(SampleSet(X, y), w, learning_rate=1.0).gradient

    return Observation(_values(batch, total, every, w_next, mean_gradient), rounding(batch))


def _halves(batch: FilterBatch, mean_gradient: MeanGradient) -> tuple[FloatArray, FloatArray]:
    """-(d f/d w_k) summed over the samples with a_k = +d_k and with a_k = -d_k, each (p, B); row 0 stays 0."""
    plus, minus = np.zeros((batch.p, len(batch))), np.zeros((batch.p, len(batch)))
    for row in range(len(batch)):
        samples = grid_samples(batch.d[row])
        targets = samples @ batch.w_star[row]
        for k in range(1, batch.p):
            # the sign pattern, not the value, says on which side a sample lies: d_k may be 0
            upper = _upper(batch.p, k)
            for side, part in ((upper, plus), (~upper, minus)):
                part[k, row] = -side.sum() * mean_gradient(samples[side], targets[side], batch.w[row])[k]
    return plus, minus


@cache
def _upper(p: int, k: int) -> np.ndarray:
    probe = np.zeros(p)
    probe[k] = 1.0
    return np.asarray(grid_samples(probe)[:, k] > 0)


def parameters(batch: FilterBatch) -> Values:
    """The symbols that name an instance's parameters; indexed ones of shape (p, B)."""
    return {
        "p": batch.p,
        "d": batch.d.T,
        "w": batch.w.T,
        "lam": batch.learning_rate,
        "w0_star": batch.w_star[:, 0],
    }


def exact_parameters(instance: FilterInstance) -> Values:
    """The same of an exact instance."""
    return {
        "p": instance.p,
        "d": instance.d,
        "w": instance.w,
        "lam": instance.learning_rate,
        "w0_star": instance.w_star[0],
    }


def _values(
    batch: FilterBatch, total: FloatArray, every: BoolArray, w_next: FloatArray, mean_gradient: MeanGradient
) -> Values:
    plus, minus = _halves(batch, mean_gradient)
    return {
        **parameters(batch),
        "size": 2.0**batch.p,
        "total_descent": total,
        "half_plus": plus,
        "half_minus": minus,
        "w_next": w_next,
        "all_active": every,
    }


def exact_candidates() -> Iterator[FilterInstance]:
    """Exact all-active instances with p = 2 and w* = e0 (p = 1 first), simplest first."""
    for d0, w0, lam in simplest_first(WIDTHS[:3], WEIGHTS[1:5], RATES[:2]):
        if d0 < 1 and w0 > 0:
            yield FilterInstance((d0,), (w0,), lam)
    for d0, d1, w0, w1, lam in simplest_first(WIDTHS, WIDTHS, WEIGHTS, WEIGHTS, RATES):
        if w0 * (1 - d0) > abs(w1) * d1:
            yield FilterInstance((d0, d1), (w0, w1), lam)


def observe_exact(instance: FilterInstance) -> Values:
    """The rational route: the same sums in fractions."""
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    p, n = instance.p, len(samples)

    def descent(part: Sequence[int]) -> list[Fraction]:
        gradient = exact_gradient([samples[k] for k in part], [targets[k] for k in part], instance.w)
        return [-len(part) * g for g in gradient]

    signs = exact_grid([Fraction(1)] * p)
    total = descent(range(n))
    halves: list[list[Fraction]] = []
    for upper in (True, False):
        sides = [[k for k in range(n) if (signs[k][c] > 0) is upper] for c in range(p)]
        halves.append([Fraction(0), *(descent(sides[c])[c] for c in range(1, p))])
    return {
        **exact_parameters(instance),
        "size": Fraction(n),
        "total_descent": total,
        "half_plus": halves[0],
        "half_minus": halves[1],
        "w_next": [v + instance.learning_rate * t / n for v, t in zip(instance.w, total, strict=True)],
        "all_active": all(exact_active(x, instance.w) for x in samples),
    }


def describe(instance: FilterInstance) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (
        ("d", text(instance.d)),
        ("w", text(instance.w)),
        ("w_star", text(instance.w_star)),
        ("lam", text(instance.learning_rate)),
    )


def lower(instance: FilterInstance) -> FilterBatch:
    """An exact instance as a float batch of one."""
    return FilterBatch.of([instance])


@cache
def one_step() -> Experiment:
    """One update with every sample active: gradients over the grid, over its halves, and the new weights."""
    return Experiment(
        name="one update on the grid",
        sample=random_batches,
        observe=observe,
        exact=ExactRoute(exact_candidates, observe_exact, describe, lower, limit=500),
        layer=observe_layer,
        layer_sample=layer_batches,
    )
