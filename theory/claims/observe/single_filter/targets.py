"""Targets y = w*.X + f(X) observed: the gradient of a sample, and descent on a grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.descent import descend
from sim.exact import exact_active, exact_descend, exact_grid, exact_sample_gradient, exact_targets
from sim.grid import grid_samples
from sim.half_space import per_sample_gradients
from sim.problem import SampleProblem
from sim.samples import SampleSet, linear_targets, symmetric_grid
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]
ZERO, ONE, HALF, QUARTER = Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 4)


@dataclass(frozen=True)
class Samples:
    """One sample for each of B filters: X, w, w_star (B, p), f (B,) added to its target."""

    X: np.ndarray
    w: np.ndarray
    w_star: np.ndarray
    f: np.ndarray


def sample_batches(
    rng: np.random.Generator, sizes: Iterable[int] = (1, 2, 3, 5, 9), rows: int = 100
) -> Iterator[Samples]:
    """Random samples and filters, about half of them active, with a nonlinear f and with noise."""
    for p in sizes:
        X, w, w_star = (rng.normal(size=(rows, p)) for _ in range(3))
        for f in (np.sin(3.0 * X[:, 0]) + np.abs(X).sum(axis=1), rng.normal(size=rows)):
            yield Samples(X, w, w_star, f)


def observe_sample(batch: Samples) -> Observation:
    """The gradient with f less the gradient without it."""
    clean = np.einsum("bp,bp->b", batch.w_star, batch.X)
    noisy, plain = (per_sample_gradients(batch.X[:, None], y[:, None], batch.w)[:, 0] for y in (clean + batch.f, clean))
    return _added(batch, noisy - plain)


def observe_sample_layer(batch: Samples) -> Observation:
    """The same through a convolution that sees this one patch."""
    from sim.cnn.conv_filter import sample_step

    difference = []
    for X, w, w_star, f in zip(batch.X, batch.w, batch.w_star, batch.f, strict=True):
        clean = linear_targets(X[None], w_star)
        noisy, plain = (sample_step(s, w, 1.0).gradient for s in (SampleSet(clean.X, clean.y + f), clean))
        difference.append(noisy - plain)
    return _added(batch, np.array(difference))


def _added(batch: Samples, difference: np.ndarray) -> Observation:
    p = batch.X.shape[1]
    values = {
        "p": p,
        "X": batch.X.T,
        "w": batch.w.T,
        "w_star": batch.w_star.T,
        "f": batch.f,
        "added": difference.T,
    }
    scale = 1.0 + np.abs(batch.w).sum(axis=1) + np.abs(batch.w_star).sum(axis=1) + np.abs(batch.f)
    return Observation(values, 64.0 * EPS * p * scale * (1.0 + np.abs(batch.X).sum(axis=1)) ** 2)


ExactSample = tuple[Vector, Vector, Vector, Fraction]


def sample_candidates() -> Iterator[ExactSample]:
    """One sample and filter of two coordinates, simplest first."""
    few = (ONE, -ONE, HALF)
    for x0, x1, w0, w1, f in simplest_first(few, (ZERO, *few), few, (ZERO, *few), (ONE, -HALF)):
        yield (x0, x1), (w0, w1), (ONE, ZERO), f


def observe_sample_exact(instance: ExactSample) -> Values:
    """The same in fractions."""
    X, w, w_star, f = instance
    (clean,) = exact_targets([X], w_star)
    noisy, plain = (exact_sample_gradient(X, y, w) for y in (clean + f, clean))
    difference = [a - b for a, b in zip(noisy, plain, strict=True)]
    return {"p": len(X), "X": X, "w": w, "w_star": w_star, "f": f, "added": difference}


@cache
def noisy_sample() -> Experiment:
    """What f(X) adds to the gradient of one sample."""
    return Experiment(
        name="f added to the target of a sample",
        sample=sample_batches,
        observe=observe_sample,
        exact=ExactRoute(
            sample_candidates,
            observe_sample_exact,
            lambda s: (("X", text(s[0])), ("w", text(s[1])), ("w_star", text(s[2])), ("f", text(s[3]))),
            lambda s: Samples(*(np.array([v], dtype=float) for v in s)),
        ),
        layer=observe_sample_layer,
        layer_sample=lambda rng: sample_batches(rng, sizes=(1, 4, 9), rows=8),
    )


@dataclass(frozen=True)
class NoisyGrids:
    """B grids with f (B, 2^p) added to the targets: d, w, w_star (B, p), learning_rate (B,), `steps` updates."""

    d: np.ndarray
    w: np.ndarray
    w_star: np.ndarray
    learning_rate: np.ndarray
    f: np.ndarray
    steps: int

    def samples(self, row: int) -> SampleSet:
        """The samples of a row with their targets."""
        grid = symmetric_grid(self.d[row], self.w_star[row])
        return SampleSet(grid.X, grid.y + self.f[row])


def noisy_grids(rng: np.random.Generator, sizes: Iterable[int] = (2, 3, 5), rows: int = 20) -> Iterator[NoisyGrids]:
    """Noise or a nonlinear f, fixed; w and w* far enough inside for every sample to stay active."""
    for p in sizes:
        for steps in (1, 4, 15):
            d = rng.uniform(0.3, 1.0, (rows, p))
            d[:, 0] = rng.uniform(0.0, 0.7, rows)
            w, w_star = (0.3 / p * rng.normal(size=(rows, p)) for _ in range(2))
            w[:, 0], w_star[:, 0] = rng.uniform(1.0, 2.5, (2, rows))
            rate = rng.uniform(0.05, 0.95, rows) / (1.0 + d[:, 0] ** 2)
            X = np.array([grid_samples(row) for row in d])
            f = np.where(
                np.arange(rows)[:, None] % 2, 0.1 * rng.normal(size=X.shape[:2]), 0.2 * np.sin(9 * X.sum(axis=2))
            )
            yield NoisyGrids(d, w, w_star, rate, f, steps)


def observe_descent(grids: NoisyGrids) -> Observation:
    """The weights after the updates, by descent on the listed samples."""
    runs = [
        descend(SampleProblem(grids.samples(k)), grids.w[k], learning_rate=grids.learning_rate[k], steps=grids.steps)
        for k in range(len(grids.w))
    ]
    return _descended(grids, [run.final[0] for run in runs], [bool(np.all(run.active_fraction == 1.0)) for run in runs])


def observe_descent_layer(grids: NoisyGrids) -> Observation:
    """The same through a convolution, ReLU, autograd and torch.optim.SGD."""
    from sim.cnn.conv_filter import sample_descend

    runs = [
        sample_descend(grids.samples(k), grids.w[k], learning_rate=float(grids.learning_rate[k]), steps=grids.steps)
        for k in range(len(grids.w))
    ]
    return _descended(
        grids, [run.weights[-1] for run in runs], [bool(np.all(run.active_fraction == 1.0)) for run in runs]
    )


def _descended(grids: NoisyGrids, final: Sequence[np.ndarray], active: Sequence[bool]) -> Observation:
    p, size = grids.d.shape[1], grids.f.shape[1]
    pull = [grids.f[k] @ grids.samples(k).X / size for k in range(len(grids.w))]
    values = {
        "p": p,
        "d": grids.d.T,
        "w": grids.w.T,
        "w_star": grids.w_star.T,
        "lam": grids.learning_rate,
        "steps": grids.steps,
        "pull": np.array(pull).T,
        "w_end": np.array(final).T,
        "always_active": np.array(active),
    }
    scale = 1.0 + np.abs(grids.w).sum(axis=1) + np.abs(grids.w_star).sum(axis=1) + np.abs(grids.f).max(axis=1)
    return Observation(values, 64.0 * EPS * size * p * (1 + grids.steps) * scale**2)


@dataclass(frozen=True)
class ExactNoisyGrid:
    """One grid of two coordinates with f on its four samples, in rationals; w* = e0."""

    d: Vector
    w: Vector
    lam: Fraction
    f: Vector
    steps: int


def noisy_candidates() -> Iterator[ExactNoisyGrid]:
    """Grids of two coordinates, simplest first."""
    noises = ((QUARTER, -QUARTER, -QUARTER, QUARTER), (ZERO, QUARTER, ZERO, ZERO), (-QUARTER, ZERO, HALF, QUARTER))
    for d0, d1, w0, w1 in simplest_first((ZERO, HALF), (ONE, HALF, QUARTER), (ONE, Fraction(2)), (ZERO, HALF)):
        for f, steps in product(noises, (1, 2)):
            yield ExactNoisyGrid((d0, d1), (w0, w1), QUARTER, f, steps)


def observe_descent_exact(grid: ExactNoisyGrid) -> Values:
    """The same in fractions."""
    samples, w_star = exact_grid(grid.d), (ONE, ZERO)
    targets = [y + f for y, f in zip(exact_targets(samples, w_star), grid.f, strict=True)]
    weights = exact_descend(samples, targets, grid.w, grid.lam, grid.steps)
    return {
        "p": 2,
        "d": grid.d,
        "w": grid.w,
        "w_star": w_star,
        "lam": grid.lam,
        "steps": Fraction(grid.steps),
        "pull": mean_product(grid.f, samples),
        "w_end": weights[-1],
        "always_active": all(exact_active(x, w) for x in samples for w in weights),
    }


def mean_product(values: Sequence[Fraction], samples: Sequence[Vector]) -> Vector:
    """The mean of value times sample."""
    columns = zip(*samples, strict=True)
    return tuple(sum((f * x for f, x in zip(values, c, strict=True)), ZERO) / len(samples) for c in columns)


@cache
def noisy_descent() -> Experiment:
    """Descent on a grid with f added to its targets."""
    return Experiment(
        name="descent on targets with f added",
        sample=noisy_grids,
        observe=observe_descent,
        exact=ExactRoute(
            noisy_candidates,
            observe_descent_exact,
            lambda g: (
                ("d", text(g.d)),
                ("w", text(g.w)),
                ("w_star", "(1, 0)"),
                ("lam", text(g.lam)),
                ("f", text(g.f)),
                ("steps", str(g.steps)),
            ),
            lambda g: NoisyGrids(
                np.array([g.d], dtype=float),
                np.array([g.w], dtype=float),
                np.array([[1.0, 0.0]]),
                np.array([float(g.lam)]),
                np.array([g.f], dtype=float),
                g.steps,
            ),
        ),
        layer=observe_descent_layer,
        layer_sample=lambda rng: noisy_grids(rng, sizes=(4, 9), rows=2),
    )
