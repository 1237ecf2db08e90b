"""Two samples and two starts, observed: Schneider's Fig. 3, by one sample per update or by the mean gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_sample_gradient, exact_step, exact_trajectory
from sim.half_space import per_sample_gradients
from sim.problem import SampleProblem
from sim.samples import linear_targets
from sim.zigzag import sign_changes_per_coordinate
from theory.claims.rationals import text
from theory.claims.zigzag_runs import ERROR_SCALE, TOLERANCE, Vector, exact_changes
from theory.experiment import ExactRoute, Experiment, Observation, Values

STEPS = 6


@dataclass(frozen=True, eq=False)
class Pairs:
    """B runs on samples X, X_next from w and from another start, all (B, p); learning_rate, per_sample (B,)."""

    X: FloatArray
    X_next: FloatArray
    w_star: FloatArray
    w: FloatArray
    other: FloatArray
    learning_rate: FloatArray
    per_sample: BoolArray
    steps: int = STEPS


@dataclass(frozen=True)
class Pair:
    """The same for one exact instance."""

    X: Vector
    X_next: Vector
    w_star: Vector
    w: Vector
    other: Vector
    learning_rate: Fraction
    per_sample: bool
    steps: int = STEPS


def observe(pairs: Pairs) -> Observation:
    """The NumPy route, one run at a time."""
    b, p = pairs.w.shape
    flip, flips = np.empty((p, b)), np.empty((p, b))
    changes, same_side, active = np.empty((2, b)), np.empty(b, dtype=np.bool_), np.ones(b, dtype=np.bool_)
    for row in range(b):
        problem = SampleProblem(linear_targets([pairs.X[row], pairs.X_next[row]], pairs.w_star[row]))
        order = "cyclic" if pairs.per_sample[row] else "full"
        for k, start in enumerate((pairs.w[row], pairs.other[row])):
            rate = pairs.learning_rate[row]
            run = descend(problem, start, learning_rate=rate, steps=pairs.steps, order=order, check_stability=False)
            changed = sign_changes_per_coordinate(run.gradients)[:, 0]
            changes[k, row] = changed.sum()
            active[row] &= bool((run.active_fraction[:-1] == 1.0).all())
            if k == 0:
                flip[:, row], flips[:, row] = changed[0], changed.sum(axis=0)
                sides = (run.weights[:-1, 0] - pairs.w_star[row]) @ problem.samples.X.T
                same_side[row] = bool((sides > 0).all() or (sides < 0).all())
    e, e_other = pairs.w - pairs.w_star, pairs.other - pairs.w_star
    values = {
        "p": p,
        "lam": pairs.learning_rate,
        "steps": pairs.steps,
        "X": pairs.X.T,
        "X_next": pairs.X_next.T,
        "w_star": pairs.w_star.T,
        "e": e.T,
        "e_other": e_other.T,
        "flip": flip,
        "flips": flips,
        "changes": changes[0],
        "changes_other": changes[1],
        "progress": _progress(pairs, pairs.w),
        "progress_other": _progress(pairs, pairs.other),
        "per_sample": pairs.per_sample,
        "same_side": same_side,
        "positive": ((pairs.X > 0) & (pairs.X_next > 0)).all(axis=1),
        "all_active": active,
    }
    return Observation(values, TOLERANCE * ERROR_SCALE)


def _progress(pairs: Pairs, start: FloatArray) -> FloatArray:
    X = np.stack([pairs.X, pairs.X_next], axis=1)
    gradients = per_sample_gradients(X, np.einsum("bnp,bp->bn", X, pairs.w_star), start)
    e = start - pairs.w_star
    moved = e[:, None, :] - pairs.learning_rate[:, None, None] * gradients
    return np.asarray(np.square(e).sum(axis=1) - np.square(moved).sum(axis=2).mean(axis=1))


def observe_exact(pair: Pair) -> Values:
    """The rational route."""
    samples = (pair.X, pair.X_next)
    targets, rate = [_dot(x, pair.w_star) for x in samples], pair.learning_rate
    order = "cyclic" if pair.per_sample else "full"
    runs = [exact_trajectory(samples, targets, start, rate, pair.steps, order) for start in (pair.w, pair.other)]
    changes = [exact_changes(gradients) for _, gradients in runs]
    sides = [_dot(x, v) - y for x, y in zip(samples, targets, strict=True) for v in runs[0][0][:-1]]

    def progress(start: Vector) -> Fraction:
        e, ends = _minus(start, pair.w_star), Fraction(0)
        for x, y in zip(samples, targets, strict=True):
            moved = [a - rate * g for a, g in zip(e, exact_sample_gradient(x, y, start), strict=True)]
            ends += _dot(tuple(moved), tuple(moved))
        return _dot(e, e) - ends / 2

    return {
        "p": len(pair.w),
        "lam": rate,
        "steps": Fraction(pair.steps),
        "X": pair.X,
        "X_next": pair.X_next,
        "w_star": pair.w_star,
        "e": _minus(pair.w, pair.w_star),
        "e_other": _minus(pair.other, pair.w_star),
        "flip": changes[0][0],
        "flips": [sum(column, Fraction(0)) for column in zip(*changes[0], strict=True)],
        "changes": sum((v for row in changes[0] for v in row), Fraction(0)),
        "changes_other": sum((v for row in changes[1] for v in row), Fraction(0)),
        "progress": progress(pair.w),
        "progress_other": progress(pair.other),
        "per_sample": pair.per_sample,
        "same_side": all(r > 0 for r in sides) or all(r < 0 for r in sides),
        "positive": all(v > 0 for x in samples for v in x),
        "all_active": all(exact_active(x, v) for x in samples for weights, _ in runs for v in weights[:-1]),
    }


def _dot(left: Vector, right: Vector) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _minus(left: Vector, right: Vector) -> Vector:
    return tuple(a - b for a, b in zip(left, right, strict=True))


def describe(pair: Pair) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    vectors = (("X", pair.X), ("X'", pair.X_next), ("w_star", pair.w_star), ("w", pair.w), ("other", pair.other))
    rule = "one sample per update, X first" if pair.per_sample else "full batch"
    return (*((name, text(v)) for name, v in vectors), ("lam", str(pair.learning_rate)), ("updates", rule))


def lower(pair: Pair) -> Pairs:
    """An exact instance as a float batch of one."""
    given = [np.array([getattr(pair, f.name)], dtype=np.float64) for f in fields(pair)[:5]]
    return Pairs(*given, np.array([float(pair.learning_rate)]), np.array([pair.per_sample]), pair.steps)


def small_rates(rng: np.random.Generator, X: FloatArray, X_next: FloatArray) -> FloatArray:
    """Learning rates (B,) with 2 lam |X|^2 in (0.1, 0.95) for the longer of the two samples."""
    longest = np.maximum(np.square(X).sum(axis=1), np.square(X_next).sum(axis=1))
    return np.asarray(rng.uniform(0.1, 0.95, len(X)) / (2.0 * longest))


def any_pairs(rng: np.random.Generator, rows: int = 48) -> Iterator[Pairs]:
    """p = 1..6, half of the rows with positive samples, half with w between the normals, half by one sample each."""
    for p in range(1, 7):
        X, X_next = rng.normal(size=(2, rows, p))
        kind = np.arange(rows)
        positive = (kind % 2 == 0)[:, None]
        X, X_next = (np.where(positive, 0.1 + np.abs(v), v) for v in (X, X_next))
        w_star = np.where(positive, 1.0, X / _length(X) + X_next / _length(X_next))
        between = np.where(kind % 4 < 2, 1.0, -1.0)[:, None]
        e = X / _length(X) - between * X_next / _length(X_next)
        e *= rng.choice((-1.0, 1.0), (rows, 1)) * ERROR_SCALE * 0.25
        w = w_star + e * rng.uniform(0.95, 1.05, (rows, p))
        rates = small_rates(rng, X, X_next)
        yield Pairs(X, X_next, w_star, w, w_star + e[:, ::-1], rates, kind % 8 < 4)


def _length(v: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.square(v).sum(axis=1, keepdims=True)))


def any_candidates() -> Iterator[Pair]:
    """Pairs in two dimensions, simplest first, from both sides of the normals."""
    samples = [tuple(map(Fraction, v)) for v in ((1, 1), (1, -1), (2, 1), (1, 2), (1, 0))]
    errors = [tuple(Fraction(n, 8) for n in v) for v in ((1, 0), (1, -1), (1, 1), (0, -1), (-1, 1))]
    stars = [tuple(map(Fraction, v)) for v in ((1, 0), (1, 1))]
    for star, X, X_next, e in product(stars, samples, samples, errors):
        for rate, per_sample in product((Fraction(1, 16), Fraction(1, 12)), (True, False)):
            w = tuple(a + b for a, b in zip(star, e, strict=True))
            yield Pair(X, X_next, star, w, w, rate, per_sample, 4)


@cache
def two_samples() -> Experiment:
    """Runs on two samples with any number of weights."""
    exact = ExactRoute(any_candidates, observe_exact, describe, lower)
    return Experiment("runs on two samples", any_pairs, observe, exact)


def positive_pairs(rng: np.random.Generator, *, along: bool, rows: int = 60) -> Iterator[Pairs]:
    """p = 2, positive samples, half of them mirrored in w* = (1, 1); starts of one distance, or (`along`) on w*'s line."""
    X = rng.uniform(0.2, 2.0, (rows, 2))
    mirrored = (np.arange(rows) % 2 == 0)[:, None]
    X_next = np.where(mirrored, X[:, ::-1], rng.uniform(0.2, 2.0, (rows, 2)))
    angle, second = rng.uniform(0.0, 2.0 * np.pi, (2, rows))
    e, e_other = (ERROR_SCALE * np.c_[np.cos(t), np.sin(t)] for t in (angle, second))
    if along:
        e = np.asarray(ERROR_SCALE * rng.choice((-0.7, 0.7), (rows, 1)) * np.ones(2))
    w_star = np.ones((rows, 2))
    per_sample = np.arange(rows) % 4 < 2
    steps = 12 if along else 2
    yield Pairs(X, X_next, w_star, w_star + e, w_star + e_other, small_rates(rng, X, X_next), per_sample, steps)


def positive_candidates(*, along: bool) -> Iterator[Pair]:
    """Pairs of positive samples in two dimensions around w* = (1, 1), simplest first."""
    samples = [tuple(map(Fraction, v)) for v in ((2, 1), (1, 2), (1, 1), (3, 1))]
    units = [tuple(Fraction(n, 8) for n in v) for v in ((1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (1, 2), (-2, 1))]
    starts = units[:1] if along else units
    rates = (Fraction(1, 16), Fraction(1, 24))
    rules = (False, True) if along else (True,)
    star = (Fraction(1), Fraction(1))
    for X, X_next, rate, per_sample, e, f in product(samples, samples, rates, rules, starts, units):
        w, other = (tuple(a + b for a, b in zip(star, v, strict=True)) for v in (e, f))
        yield Pair(X, X_next, star, w, other, rate, per_sample, 8 if along else 2)


@cache
def equal_distances() -> Experiment:
    """Two starts at one distance from w*, positive samples, p = 2."""
    exact = ExactRoute(lambda: positive_candidates(along=False), observe_exact, describe, lower)
    return Experiment("starts of equal distance", lambda rng: positive_pairs(rng, along=False), observe, exact)


@cache
def along_and_elsewhere() -> Experiment:
    """A start on the line of w* and another one, positive samples, p = 2."""
    exact = ExactRoute(lambda: positive_candidates(along=True), observe_exact, describe, lower)
    return Experiment("starts along w* and elsewhere", lambda rng: positive_pairs(rng, along=True), observe, exact)


@dataclass(frozen=True)
class Angles:
    """Unit samples (c, +-s) for two angles: narrow and wide are (c, s), the error e; exact."""

    narrow: Vector
    wide: Vector
    e: Vector


def _exact_contraction(angle: Vector, e: Vector) -> Fraction:
    c, s = angle
    samples, w = ((c, s), (c, -s)), (1 + e[0], e[1])
    # the best rate 1/(h_0 + h_1), 1 for unit samples
    after = exact_step(samples, (c, c), w, 2 / (_dot(*(samples[0],) * 2) + _dot(*(samples[1],) * 2)))
    moved = _minus(after, (Fraction(1), Fraction(0)))
    return _dot(moved, moved) / _dot(e, e)


def observe_angles_exact(angles: Angles) -> Values:
    """The rational route."""
    (cos_phi, sin_phi), (cos_psi, sin_psi) = angles.narrow, angles.wide
    shared = {"p": 2, "cos_phi": cos_phi, "sin_phi": sin_phi, "cos_psi": cos_psi, "sin_psi": sin_psi}
    contraction, wide = (_exact_contraction(v, angles.e) for v in (angles.narrow, angles.wide))
    return {**shared, "contraction": contraction, "contraction_wide": wide}


def observe_angles(drawn: tuple[FloatArray, FloatArray, FloatArray]) -> Observation:
    """The NumPy route: angles phi, psi (B,), errors (B, 2)."""
    phi, psi, e = drawn
    found = np.empty((2, len(phi)))
    for row, k in product(range(len(phi)), (0, 1)):
        c, s = np.cos((phi, psi)[k][row]), np.sin((phi, psi)[k][row])
        problem = SampleProblem(linear_targets([[c, s], [c, -s]]))
        rate = 1.0 / np.linalg.eigvalsh(problem.samples.second_moment).sum()
        run = descend(problem, [1.0 + e[row, 0], e[row, 1]], learning_rate=rate, steps=1, check_stability=False)
        found[k, row] = np.square(run.final[0] - [1.0, 0.0]).sum() / np.square(e[row]).sum()
    sides = {"cos_phi": np.cos(phi), "sin_phi": np.sin(phi), "cos_psi": np.cos(psi), "sin_psi": np.sin(psi)}
    # errors of size ERROR_SCALE are known to eps, so their ratios to eps / ERROR_SCALE
    return Observation({"p": 2, **sides, "contraction": found[0], "contraction_wide": found[1]}, 50.0 * TOLERANCE)


def angle_draws(rng: np.random.Generator) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Angles in (3, 80) degrees and errors in all directions."""
    phi, psi = np.deg2rad(rng.uniform(3.0, 80.0, (2, 120)))
    t = rng.uniform(0.0, 2.0 * np.pi, 120)
    # w.X > 0 needs e.X > -cos(80 degrees)
    yield phi, psi, ERROR_SCALE * np.c_[np.cos(t), np.sin(t)]


def angle_candidates() -> Iterator[Angles]:
    """Rational angles, from Pythagorean triples."""
    triples = ((4, 3, 5), (3, 4, 5), (12, 5, 13), (5, 12, 13), (15, 8, 17), (8, 15, 17), (24, 7, 25), (20, 21, 29))
    angles = [(Fraction(a, c), Fraction(b, c)) for a, b, c in triples]
    for narrow, wide in product(angles, angles):
        yield Angles(narrow, wide, (Fraction(1, 8), Fraction(1, 8)))


@cache
def two_angles() -> Experiment:
    """One full-batch update at the best learning rate, for two pairs of unit samples around w*."""

    def describe_angles(angles: Angles) -> tuple[tuple[str, str], ...]:
        pairs = (("(cos, sin) phi", angles.narrow), ("(cos, sin) psi", angles.wide), ("e", angles.e))
        return tuple((name, text(v)) for name, v in pairs)

    def lower_angles(angles: Angles) -> tuple[FloatArray, FloatArray, FloatArray]:
        phi, psi = (np.array([np.arctan2(float(v[1]), float(v[0]))]) for v in (angles.narrow, angles.wide))
        return phi, psi, np.array([angles.e], dtype=np.float64)

    exact = ExactRoute(angle_candidates, observe_angles_exact, describe_angles, lower_angles)
    return Experiment("two pairs of unit samples", angle_draws, observe_angles, exact)
