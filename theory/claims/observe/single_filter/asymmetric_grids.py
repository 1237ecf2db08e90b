"""Asymmetric grids observed: one update on shifted grids, distances to the filter and slowest rates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import isqrt

import numpy as np

from sim.exact import exact_active, exact_grid, exact_step, exact_targets
from sim.half_space import sample_active_sums
from sim.samples import SampleSet, asymmetric_grid
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.claims.observe.single_filter.rates import exact_moments
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]
ONE, HALF, QUARTER = Fraction(1), Fraction(1, 2), Fraction(1, 4)


@dataclass(frozen=True)
class Grids:
    """B grids with coordinates mean_j +- d_j and a filter on each: mean, d, w, w_star (B, p), learning_rate (B,)."""

    mean: np.ndarray
    d: np.ndarray
    w: np.ndarray
    w_star: np.ndarray
    learning_rate: np.ndarray

    def samples(self, row: int, sign: float = 1.0) -> SampleSet:
        """The samples of a row about (mean_0, sign * mean_1, ...)."""
        centre = np.concatenate([self.mean[row, :1], sign * self.mean[row, 1:]])
        shift = centre - np.eye(len(centre))[0]
        return asymmetric_grid(self.d[row] - shift, self.d[row] + shift, self.w_star[row])


def rounding(grids: Grids) -> np.ndarray:
    """An absolute tolerance (B,) for means over a grid of products of two coordinates and a weight, squared."""
    p = grids.w.shape[1]
    scale = 1.0 + np.abs(grids.w).sum(axis=1) + np.abs(grids.w_star).sum(axis=1)
    return np.asarray(64.0 * EPS * p * 2.0**p * scale**2 * (1.0 + np.abs(grids.mean).sum(axis=1)) ** 2)


def any_grids(rng: np.random.Generator, sizes: Iterable[int] = range(1, 8), rows: int = 30) -> Iterator[Grids]:
    """Grids about any centre with any w*; the filters are built to activate every sample."""
    for p in sizes:
        d, mean = rng.uniform(0.0, 1.0, (rows, p)), rng.normal(size=(rows, p))
        mean[:, 0] = d[:, 0] + rng.uniform(0.1, 1.5, rows)
        w = _activating(rng, mean, d)
        yield Grids(mean, d, w, rng.normal(size=(rows, p)), rng.uniform(0.05, 1.0, rows))


def _activating(rng: np.random.Generator, mean: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Filters that activate every sample, also where mean_i, i > 0, has the other sign or is 0."""
    rows, p = d.shape
    w = rng.normal(size=(rows, p)) * rng.choice([0.1, 1.0], (rows, 1))
    reach = (np.abs(w) * (np.abs(mean) + d))[:, 1:].sum(axis=1)
    w[:, 0] = reach / (mean[:, 0] - d[:, 0]) + rng.uniform(0.05, 1.0, rows)
    return w


def observe_update(grids: Grids) -> Observation:
    """The weights after one update on each grid."""
    rows = range(len(grids.w))
    return _update([_mean_gradient(grids.samples(row), grids.w[row]) for row in rows], grids)


def observe_update_layer(grids: Grids) -> Observation:
    """The same through a convolution, ReLU, autograd and torch.optim.SGD."""
    from sim.cnn.conv_filter import sample_step

    gradients = []
    for row in range(len(grids.w)):
        step = sample_step(grids.samples(row), grids.w[row], learning_rate=1.0)
        gradients.append((grids.w[row] - step.weights, step.active_fraction == 1.0))
    return _update(gradients, grids)


def _mean_gradient(samples: SampleSet, w: np.ndarray) -> tuple[np.ndarray, bool]:
    sums = sample_active_sums(samples.X, samples.y, w)
    return sums.gradient[0], bool(sums.count[0] == len(samples))


def _update(gradients: Sequence[tuple[np.ndarray, bool]], grids: Grids) -> Observation:
    gradient = np.array([g for g, _ in gradients])
    values = {
        "p": grids.w.shape[1],
        "mean": grids.mean.T,
        "d": grids.d.T,
        "w": grids.w.T,
        "w_star": grids.w_star.T,
        "lam": grids.learning_rate,
        "w_next": (grids.w - grids.learning_rate[:, None] * gradient).T,
        "all_active": np.array([active for _, active in gradients]),
    }
    return Observation(values, rounding(grids))


@dataclass(frozen=True)
class ExactGrid:
    """One grid of two coordinates, its filter and learning rate in rationals."""

    mean: Vector
    d: Vector
    w: Vector
    lam: Fraction
    w_star: Vector = (ONE, Fraction(0))

    def samples(self, sign: int = 1) -> list[Vector]:
        """The samples about (mean_0, sign * mean_1)."""
        return [(x0 - 1 + self.mean[0], x1 + sign * self.mean[1]) for x0, x1 in exact_grid(self.d)]

    def step(self, sign: int = 1) -> Vector:
        """The weights after one update on them."""
        samples = self.samples(sign)
        return exact_step(samples, exact_targets(samples, self.w_star), self.w, self.lam)

    def activates(self, *signs: int) -> bool:
        """Whether the filter activates every sample, on each of the grids about +-mean and 0."""
        return all(exact_active(x, self.w) for sign in signs for x in self.samples(sign))


def any_candidates() -> Iterator[ExactGrid]:
    """Grids of two coordinates about any centre, simplest first."""
    shifts, weights = (ONE, -HALF, Fraction(0)), (ONE, Fraction(0), -HALF)
    for m0, m1, d0, d1, w0, w1, s1, lam in simplest_first(
        (ONE, HALF), shifts, (Fraction(0), HALF), (HALF, ONE), (ONE, Fraction(2)), weights, (Fraction(0), ONE), (HALF,)
    ):
        yield ExactGrid((m0, m1), (d0, d1), (w0, w1), lam, (ONE, s1))


def observe_update_exact(grid: ExactGrid) -> Values:
    """The same in fractions."""
    return {**_parameters(grid), "w_next": grid.step(), "all_active": grid.activates(1)}


def _parameters(grid: ExactGrid) -> Values:
    return {
        "p": 2,
        "mean": grid.mean,
        "d": grid.d,
        "w": grid.w,
        "w_star": grid.w_star,
        "w0_star": grid.w_star[0],
        "lam": grid.lam,
    }


def describe(grid: ExactGrid) -> tuple[tuple[str, str], ...]:
    """An exact grid as (name, value) strings."""
    named = (("mean", grid.mean), ("d", grid.d), ("w", grid.w), ("w_star", grid.w_star), ("lam", grid.lam))
    return tuple((name, text(value)) for name, value in named)


def lower(grid: ExactGrid) -> Grids:
    """An exact grid as a float batch of one."""

    def row(vector: Vector) -> np.ndarray:
        return np.array([vector], dtype=float)

    return Grids(row(grid.mean), row(grid.d), row(grid.w), row(grid.w_star), np.array([float(grid.lam)]))


@cache
def asymmetric_grids() -> Experiment:
    """One update on grids about any centre."""
    return Experiment(
        name="asymmetric grids",
        sample=any_grids,
        observe=observe_update,
        exact=ExactRoute(any_candidates, observe_update_exact, describe, lower),
        layer=observe_update_layer,
        layer_sample=lambda rng: any_grids(rng, sizes=(1, 4, 9), rows=5),
    )


def shifted_grids(rng: np.random.Generator, sizes: Iterable[int] = range(2, 7), rows: int = 40) -> Iterator[Grids]:
    """Grids with E[X_0] = 1, narrowest along e1 (d_0 left out), shifted; w* along e0; stable learning rates."""
    for p in sizes:
        d, mean = rng.uniform(0.15, 0.85, (rows, p)), rng.uniform(-0.5, 0.5, (rows, p))
        d[:, 1] = rng.uniform(0.5, 0.9, rows) * d[:, 1:].min(axis=1)
        # neither a tie between d_0 and d_1 nor a vanishing shift along e1: floats cannot see what they do to the rate
        d[:, 0] = np.where(np.abs(d[:, 0] - d[:, 1]) < 0.02, d[:, 1] + 0.05, d[:, 0])
        mean[:, 0], mean[:, 1] = 1.0, rng.choice([-1.0, 1.0], rows) * rng.uniform(0.1, 0.8, rows)
        w_star = np.zeros((rows, p))
        w_star[:, 0] = rng.uniform(0.5, 2.0, rows)
        rate = rng.uniform(0.05, 0.99, rows) / (np.square(mean) + np.square(d)).sum(axis=1)
        yield Grids(mean, d, _activating(rng, mean, d), w_star, rate)


def observe_shift(grids: Grids) -> Observation:
    """One update on the shifted grid, on its mirror image and on the symmetric grid; distances to w; slowest rates."""
    rows = len(grids.w)
    gains = np.zeros((2, rows))
    events = {name: np.zeros(rows, dtype=bool) for name in ("all_active", "farther", "closer", "rate_up", "rate_down")}
    for row in range(rows):
        w, w_star, lam = grids.w[row], grids.w_star[row], grids.learning_rate[row]
        sets = [grids.samples(row), grids.samples(row, -1.0), grids.samples(row, 0.0)]
        gradients, active = zip(*(_mean_gradient(s, w) for s in sets), strict=True)
        shifted, mirrored, symmetric = (w - lam * gradient for gradient in gradients)
        gains[:, row] = (shifted[0] - symmetric[0], mirrored[0] - symmetric[0])
        gains[:, row] *= w_star[0] - w[0]
        slowest, _, slowest_symmetric = (np.linalg.eigvalsh(s.second_moment)[0] for s in sets)
        distance, _, distance_symmetric = (np.linalg.norm(s.X - w, axis=1).mean() for s in sets)
        events["all_active"][row] = all(active)
        events["farther"][row] = distance > distance_symmetric
        events["closer"][row] = np.sum((shifted - w_star) ** 2) < np.sum((symmetric - w_star) ** 2)
        events["rate_up"][row] = slowest > slowest_symmetric * (1.0 + 1e-12)
        events["rate_down"][row] = slowest < slowest_symmetric * (1.0 - 1e-12)
    values = {
        "p": grids.w.shape[1],
        "mean": grids.mean.T,
        "d": grids.d.T,
        "w": grids.w.T,
        "w0_star": grids.w_star[:, 0],
        "lam": grids.learning_rate,
        "gain": gains[0],
        "gain_mirrored": gains[1],
        **events,
    }
    return Observation(values, rounding(grids))


def shift_candidates() -> Iterator[ExactGrid]:
    """Grids of two coordinates with E[X_0] = 1, simplest first."""
    zero, two = Fraction(0), Fraction(2)
    for m1, d0, d1, w0, w1 in simplest_first(
        (ONE, -ONE, HALF, -HALF), (zero, HALF, QUARTER), (ONE, HALF, QUARTER), (ONE, HALF, two), (zero, ONE, -ONE)
    ):
        yield ExactGrid((ONE, m1), (d0, d1), (w0, w1), QUARTER)


def observe_shift_exact(grid: ExactGrid) -> Values:
    """The same in fractions; empty unless every sample is active and the distances can be told apart."""
    if not grid.activates(1, -1, 0):
        return {}
    farther = exceeds(
        [_squared_distance(x, grid.w) for x in grid.samples()], [_squared_distance(x, grid.w) for x in grid.samples(0)]
    )
    if farther is None:
        return {}
    shifted, mirrored, symmetric = (grid.step(sign) for sign in (1, -1, 0))
    gap = grid.w_star[0] - grid.w[0]
    moments, plain = exact_moments(grid.samples()), exact_moments(grid.samples(0))
    rate = min(plain[0][0], plain[1][1])
    above, below = moments[0][0] - rate, moments[1][1] - rate
    determinant = above * below - moments[0][1] ** 2
    return {
        **_parameters(grid),
        "all_active": True,
        "gain": (shifted[0] - symmetric[0]) * gap,
        "gain_mirrored": (mirrored[0] - symmetric[0]) * gap,
        "farther": farther,
        "closer": _squared_distance(shifted, grid.w_star) < _squared_distance(symmetric, grid.w_star),
        # H - rate has two eigenvalues of one sign where its determinant is positive, and none below 0 where it is not
        "rate_up": determinant > 0 and above > 0,
        "rate_down": determinant < 0 or above + below < 0,
    }


def _squared_distance(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum(((a - b) ** 2 for a, b in zip(x, y, strict=True)), Fraction(0))


def exceeds(first: Sequence[Fraction], second: Sequence[Fraction], digits: int = 40) -> bool | None:
    """Whether the square roots of `first` sum to more than those of `second`; None if `digits` digits do not tell."""
    unit = 10**digits
    # rounded down: each sum is short by less than one unit per root
    one, other = (sum(isqrt(v.numerator * unit**2 // v.denominator) for v in squares) for squares in (first, second))
    if one >= other + len(second):
        return True
    return False if one + len(first) <= other else None


@cache
def shifts() -> Experiment:
    """What a shift of the grid does to one update and to the slowest rate."""
    return Experiment(
        name="shifts of the grid",
        sample=shifted_grids,
        observe=observe_shift,
        exact=ExactRoute(shift_candidates, observe_shift_exact, describe, lower),
    )
