"""Updates of which only the active samples are part, observed on any samples, and on samples and grids close to e0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.exact import exact_active, exact_step, exact_targets
from sim.half_space import sample_active_sums
from sim.problem import GridProblem
from sim.samples import SampleSet, linear_targets
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.claims.observe.single_filter.rates import rational_root
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]
ZERO, ONE, HALF = Fraction(0), Fraction(1), Fraction(1, 2)
E0 = (ONE, ZERO)


@dataclass(frozen=True)
class Updates:
    """B sample sets X (B, N, p) with a filter on each: w, w_star (B, p), learning_rate (B,)."""

    X: np.ndarray
    w: np.ndarray
    w_star: np.ndarray
    learning_rate: np.ndarray

    def samples(self, row: int) -> SampleSet:
        """The samples of a row, y = w*.X."""
        return linear_targets(self.X[row], self.w_star[row])


def any_updates(rng: np.random.Generator, sizes: Iterable[int] = (1, 2, 3, 5), rows: int = 40) -> Iterator[Updates]:
    """Random samples, filters and targets; some filters have one active sample or none."""
    for p in sizes:
        X, w, w_star = rng.normal(size=(rows, 2 * p + 1, p)), rng.normal(size=(rows, p)), rng.normal(size=(rows, p))
        X[: rows // 4, :, 0] -= 3.0 * np.sign(w[: rows // 4, 0])[:, None]
        yield Updates(X, w, w_star, rng.uniform(0.05, 0.5, rows))


def observe(updates: Updates) -> Observation:
    """One update on all samples, and which of them are active."""
    steps = []
    for k, w in enumerate(updates.w):
        samples = updates.samples(k)
        sums = sample_active_sums(samples.X, samples.y, w)
        steps.append((w - updates.learning_rate[k] * sums.gradient[0], sums.count[0] / len(samples)))
    return _observation(updates, steps)


def observe_layer(updates: Updates) -> Observation:
    """The same through a convolution, ReLU, autograd and torch.optim.SGD."""
    from sim.cnn.conv_filter import sample_step

    taken = [sample_step(updates.samples(k), w, float(updates.learning_rate[k])) for k, w in enumerate(updates.w)]
    return _observation(updates, [(step.weights, step.active_fraction) for step in taken])


def _observation(updates: Updates, steps: Sequence[tuple[np.ndarray, float]]) -> Observation:
    X, w, w_star = updates.X, updates.w, updates.w_star
    active = np.einsum("bnp,bp->bn", X, w) > 0.0
    pulls = np.einsum("bnp,bp->bn", X, w_star - w) ** 2 * np.square(X).sum(axis=2)
    values = {
        "p": w.shape[1],
        "size": X.shape[1],
        "sample": X.transpose(1, 2, 0),
        "active": active.T.astype(float),
        "fraction": np.array([fraction for _, fraction in steps]),
        "largest": np.where(active, pulls, 0.0).max(axis=1),
        "w": w.T,
        "w_star": w_star.T,
        "lam": updates.learning_rate,
        "w_next": np.array([after for after, _ in steps]).T,
    }
    scale = (1.0 + np.abs(w).sum(axis=1) + np.abs(w_star).sum(axis=1)) ** 2
    return Observation(values, 64.0 * EPS * X.shape[1] * scale * (1.0 + np.abs(X).sum(axis=2).max(axis=1)) ** 4)


ExactUpdate = tuple[tuple[Vector, ...], Vector, Vector, Fraction]


def candidates() -> Iterator[ExactUpdate]:
    """Two samples in two dimensions with any filter and target, simplest first."""
    few = (ONE, ZERO, -ONE, HALF)
    for u, x, v, w0, w1, s in simplest_first(few[:2], (ONE, -HALF), few[1:], few[:3], (ZERO, ONE, -HALF), (ZERO, ONE)):
        yield ((ONE, u), (x, v)), (w0, w1), (ONE, s), HALF


def observe_exact(instance: ExactUpdate) -> Values:
    """The same in fractions."""
    samples, w, w_star, lam = instance
    active = [exact_active(x, w) for x in samples]
    after = exact_step(samples, exact_targets(samples, w_star), w, lam)
    error = [a - b for a, b in zip(w_star, w, strict=True)]
    pulls = [_dot(error, x) ** 2 * _dot(x, x) for x, on in zip(samples, active, strict=True) if on]
    return {
        "p": 2,
        "size": Fraction(len(samples)),
        "sample": samples,
        "active": [Fraction(on) for on in active],
        "fraction": Fraction(sum(active), len(samples)),
        "largest": max(pulls, default=ZERO),
        "w": w,
        "w_star": w_star,
        "lam": lam,
        "w_next": after,
    }


def _dot(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), ZERO)


def _row(vector: Sequence[Fraction]) -> np.ndarray:
    return np.array([vector], dtype=float)


@cache
def one_update() -> Experiment:
    """One update on any samples."""
    return Experiment(
        name="one update with inactive samples",
        sample=any_updates,
        observe=observe,
        exact=ExactRoute(
            candidates,
            observe_exact,
            lambda s: (
                *((f"X{k + 1}", text(x)) for k, x in enumerate(s[0])),
                ("w", text(s[1])),
                ("w_star", text(s[2])),
                ("lam", text(s[3])),
            ),
            lambda s: Updates(np.array([s[0]], dtype=float), _row(s[1]), _row(s[2]), np.array([float(s[3])])),
        ),
        layer=observe_layer,
        layer_sample=lambda rng: any_updates(rng, sizes=(1, 4, 9), rows=6),
    )


@dataclass(frozen=True)
class Pairs:
    """B sample sets X (B, N, p) around w* = e0 with two filters w, v (B, p) at one distance `away` (B,) from it."""

    X: np.ndarray
    w: np.ndarray
    v: np.ndarray
    away: np.ndarray
    learning_rate: np.ndarray


@dataclass(frozen=True)
class GridPairs:
    """The same on grids of half-widths d (B, p), far too many samples to be listed."""

    d: np.ndarray
    w: np.ndarray
    v: np.ndarray
    away: np.ndarray
    learning_rate: np.ndarray


def large_grids(rng: np.random.Generator) -> Iterator[GridPairs]:
    """Filters of 5 x 5 weights around e0, on grids within a radius of 0.02 to 0.5; and one of 7 x 7."""
    for p, rows, distances in ((25, 40, (1.0, 4.0, 8.0)), (49, 1, (4.0,))):
        for away in distances:
            d = rng.uniform(0.1, 1.0, (rows, p))
            d *= rng.choice([0.02, 0.05, 0.2, 0.5], (rows, 1)) / np.linalg.norm(d, axis=1, keepdims=True)
            w, v = (np.eye(p)[0] - away * _directions(rng, rows, p, 1.0 / away) for _ in range(2))
            yield GridPairs(d, w, v, np.full(rows, away), rng.uniform(0.05, 0.5, rows))


def close_samples(rng: np.random.Generator, rows: int = 60) -> Iterator[Pairs | GridPairs]:
    """Samples within a radius of 0.02 to 0.5 of e0; filters near and far, with all, some or none of them active."""
    for p in (2, 3, 6):
        for away in (1.0, 4.0, 8.0):
            radius = rng.choice([0.02, 0.05, 0.2, 0.5], (rows, 1, 1))
            offsets = rng.normal(size=(rows, 10, p))
            offsets *= rng.uniform(0.0, 1.0, (rows, 10, 1)) / np.linalg.norm(offsets, axis=2, keepdims=True)
            w, v = (np.eye(p)[0] - away * _directions(rng, rows, p, 1.0 / away) for _ in range(2))
            yield Pairs(np.eye(p)[0] + radius * offsets, w, v, np.full(rows, away), rng.uniform(0.05, 0.5, rows))
    yield from large_grids(rng)


def close_and_at_the_edge(rng: np.random.Generator) -> Iterator[Pairs | GridPairs]:
    """`close_samples`, and those that are as far from a proportional update as they may be."""
    yield from close_samples(rng)
    yield from at_the_edge(rng)


def at_the_edge(rng: np.random.Generator, rows: int = 60) -> Iterator[Pairs]:
    """Samples all displaced from e0 by one vector, along e0 or across it; filters far away, along e0 or nearly.

    Along e0 the update is as far from a proportional one as the radius lets it be. The radius is just below or above
    that at which this is half of the update, 2 (2 delta + delta^2)|e| = |e_0|. Errors are long and rates on either
    side of 1, so that no power of a length and none of a rate does for another.
    """
    for p in (2, 3):
        away = rng.choice([4.0, 16.0, 64.0], rows)
        w, v = (np.eye(p)[0] - away[:, None] * _nearly_along(rng, rows, p) for _ in range(2))
        share = (w[:, 0] - 1.0) / away
        off = rng.choice([-1.0, 1.0], rows) * 2.0 ** rng.uniform(-7.0, -2.0, rows)
        radius = (np.sqrt(1.0 + share / 2.0) - 1.0) * (1.0 + off)
        offsets = np.eye(p)[rng.integers(0, 2, rows)] * rng.choice([1.0, 1.0, -1.0], (rows, 1))
        X = np.eye(p)[0] + radius[:, None] * offsets
        yield Pairs(np.repeat(X[:, None], 2, axis=1), w, v, away, rng.uniform(0.05, 3.0, rows))
        yield _across(rng, rows, p)


def _across(rng: np.random.Generator, rows: int, p: int) -> Pairs:
    """The same for filters far away across e0, of either sign along it: one to ten of ten samples lie on their side.

    The others lie opposite, where most of them are inactive.
    """
    gap, off = 2.0 ** rng.uniform(-3.0, 0.3, rows), rng.choice([-1.0, 1.0], rows) * 2.0 ** rng.uniform(-7.0, -2.0, rows)
    far = rng.uniform(4.0, 8.0, rows)
    away = np.hypot(gap, far)
    radius = (np.sqrt(1.0 + gap / away / 2.0) - 1.0) * (1.0 + off)
    along, across = np.eye(p)[0], np.eye(p)[1]
    w = (1.0 - gap)[:, None] * along + far[:, None] * across
    side = np.where(np.arange(10) < rng.integers(1, 11, (rows, 1)), 1.0, -1.0)
    X = along + (radius[:, None] * side)[:, :, None] * across
    return Pairs(X, w, w, away, rng.uniform(0.05, 3.0, rows))


def _nearly_along(rng: np.random.Generator, rows: int, p: int) -> np.ndarray:
    """Unit vectors along -e0, from where every sample is active, or tilted by up to a third."""
    across = rng.normal(size=(rows, p - 1))
    across *= rng.choice([0.0, 0.0, 0.2, 0.35], (rows, 1)) / np.linalg.norm(across, axis=1, keepdims=True)
    return np.column_stack([-np.sqrt(1.0 - np.square(across).sum(axis=1)), across])


def _directions(rng: np.random.Generator, rows: int, p: int, edge: float) -> np.ndarray:
    """Unit vectors, half of them with a first coordinate near `edge`, where w* - `away` times them loses samples."""
    across = rng.normal(size=(rows, p - 1))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    first = np.where(rng.uniform(size=rows) < 0.5, edge + 0.05 * rng.normal(size=rows), rng.uniform(-1.0, 1.0, rows))
    first = np.clip(first, -1.0, 1.0)
    return np.column_stack([first, np.sqrt(1.0 - first**2)[:, None] * across])


def observe_pairs(pairs: Pairs | GridPairs) -> Observation:
    """One update of either filter."""
    if isinstance(pairs, GridPairs):
        return _observe_grid_pairs(pairs)
    target = np.broadcast_to(np.eye(pairs.w.shape[1])[0], pairs.w.shape)
    one, other = (observe(Updates(pairs.X, w, target, pairs.learning_rate)) for w in (pairs.w, pairs.v))
    radius = np.linalg.norm(pairs.X - np.eye(pairs.w.shape[1])[0], axis=2).max(axis=1)
    updated = [(run.values["w_next"], run.values["fraction"]) for run in (one, other)]
    return _pair_observation(pairs, radius, updated, np.maximum(one.tolerance, other.tolerance))


def _observe_grid_pairs(pairs: GridPairs) -> Observation:
    """The same by exact sums over the active samples; each is as far from e0 as the half-widths reach."""
    problem, updated = GridProblem(pairs.d, shortcut=False), []
    for w in (pairs.w, pairs.v):
        sums = problem.active_sums(w)
        updated.append(((w - pairs.learning_rate[:, None] * sums.gradient).T, sums.count / problem.n_samples))
    scale = 1.0 + np.abs(pairs.w).sum(axis=1) + np.abs(pairs.v).sum(axis=1)
    room = 64.0 * EPS * pairs.w.shape[1] * scale**2
    return _pair_observation(pairs, np.linalg.norm(pairs.d, axis=1), updated, room)


def _pair_observation(
    pairs: Pairs | GridPairs, radius: np.ndarray, updated: Sequence[tuple[np.ndarray, np.ndarray]], room: np.ndarray
) -> Observation:
    (w_next, fraction), (v_next, fraction_b) = updated
    values = {
        "p": pairs.w.shape[1],
        "w": pairs.w.T,
        "v": pairs.v.T,
        "lam": pairs.learning_rate,
        "w_next": w_next,
        "v_next": v_next,
        "fraction": fraction,
        "fraction_b": fraction_b,
        "away": pairs.away,
        "radius": radius,
    }
    return Observation(values, room)


ExactPair = tuple[Fraction, Vector, Vector, Fraction]


def far_candidates() -> Iterator[ExactPair]:
    """The samples (1, d1), (1, -d1) with a filter at least 4 away from e0, simplest first."""
    sides = tuple(Fraction(k) for k in (0, 1, -1, 2, -2, 3, 4, -4, 6, 8))
    for d1, w0, w1 in simplest_first((HALF, Fraction(1, 4), Fraction(1, 8)), sides, sides):
        squared = (1 - w0) ** 2 + w1**2
        if squared >= 16:
            # the distance itself, perhaps irrational, is not asked of one filter alone
            yield d1, (w0, w1), (w0, w1), HALF


def pair_candidates() -> Iterator[ExactPair]:
    """The samples (1, d1), (1, -d1) with two filters at one rational distance from e0, simplest first."""
    turns = tuple((Fraction(a, c), Fraction(b, c)) for a, b, c in ((4, 3, 5), (3, 4, 5), (12, 5, 13), (5, 12, 13)))
    units = ((ONE, ZERO), (ZERO, ONE), (-ONE, ZERO), *turns)
    for d1, away, k, n in simplest_first(
        (Fraction(1, 4), HALF, Fraction(1, 8)), (ONE, Fraction(2), HALF), *[tuple(map(Fraction, range(len(units))))] * 2
    ):
        w, v = (tuple(e - away * u for e, u in zip(E0, units[int(index)], strict=True)) for index in (k, n))
        if w != v:
            yield d1, w, v, HALF


def observe_pair_exact(instance: ExactPair) -> Values:
    """The same in fractions."""
    d1, w, v, lam = instance
    samples = ((ONE, d1), (ONE, -d1))
    one, other = (observe_exact((samples, filter_, E0, lam)) for filter_ in (w, v))
    kept = {name: one[name] for name in ("p", "w", "lam", "fraction", "w_next")}
    values = {**kept, "v": v, "v_next": other["w_next"], "fraction_b": other["fraction"], "radius": d1}
    squared = (1 - w[0]) ** 2 + w[1] ** 2
    root = rational_root(squared)
    return values if root is None else {**values, "away": root}


def _describe_pair(instance: ExactPair) -> tuple[tuple[str, str], ...]:
    d1, w, v, lam = instance
    second = () if v == w else (("v", text(v)),)
    return (("X1", text((ONE, d1))), ("X2", text((ONE, -d1))), ("w", text(w)), *second, ("lam", text(lam)))


def _lower_pair(instance: ExactPair) -> Pairs:
    d1, w, v, lam = instance
    X = np.array([[(1.0, float(d1)), (1.0, -float(d1))]])
    away = np.linalg.norm(_row(w) - _row(E0), axis=1)
    return Pairs(X, _row(w), _row(v), away, np.array([float(lam)]))


@cache
def far_filters() -> Experiment:
    """One update of a filter on samples close to e0."""
    return Experiment(
        name="filters on samples close to e0",
        sample=close_and_at_the_edge,
        observe=observe_pairs,
        exact=ExactRoute(far_candidates, observe_pair_exact, _describe_pair, _lower_pair),
    )


@cache
def two_filters() -> Experiment:
    """One update of two filters at one distance from w* = e0, on samples close to it."""
    return Experiment(
        name="two filters at one distance",
        sample=close_samples,
        observe=observe_pairs,
        exact=ExactRoute(pair_candidates, observe_pair_exact, _describe_pair, _lower_pair),
    )
