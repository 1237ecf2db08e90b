"""Two samples and two starts, observed: Schneider's Fig. 3, by one sample per update or by the mean gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_sample_gradient, exact_trajectory
from sim.half_space import per_sample_gradients
from sim.problem import SampleProblem
from sim.samples import linear_targets
from sim.zigzag import sign_changes_per_coordinate
from theory.claims.observe.rationals import text
from theory.claims.observe.single_filter.full_batch_runs import ERROR_SCALE, TOLERANCE, Vector, exact_changes
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
    residuals, changes = np.empty((2, 2, b))
    same_side, active = np.empty((2, b), dtype=np.bool_)
    for row in range(b):
        problem = SampleProblem(linear_targets([pairs.X[row], pairs.X_next[row]], pairs.w_star[row]))
        order = "cyclic" if pairs.per_sample[row] else "full"
        starts, rate = np.stack([pairs.w[row], pairs.other[row]]), pairs.learning_rate[row]
        run = descend(problem, starts, learning_rate=rate, steps=pairs.steps, order=order, check_stability=False)
        changed = sign_changes_per_coordinate(run.gradients)
        changes[:, row] = changed.sum(axis=(0, 2))
        active[row] = bool((run.active_fraction[:-1] == 1.0).all())
        flip[:, row], flips[:, row] = changed[0, 0], changed[:, 0].sum(axis=0)
        sides = (run.weights[:-1, 0] - pairs.w_star[row]) @ problem.samples.X.T
        residuals[:, row] = sides[0, 0], sides[1, 1]
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
        "residual": residuals[0],
        "residual_next": residuals[1],
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
    starts = (pair.w, pair.other) if pair.other != pair.w else (pair.w,)
    runs = [exact_trajectory(samples, targets, start, rate, pair.steps, order) for start in starts]
    changes = [exact_changes(gradients) for _, gradients in runs]
    sides = [[_dot(x, v) - y for x, y in zip(samples, targets, strict=True)] for v in runs[0][0][:-1]]

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
        "residual": sides[0][0],
        "residual_next": sides[1][1],
        "flip": changes[0][0],
        "flips": [sum(column, Fraction(0)) for column in zip(*changes[0], strict=True)],
        "changes": sum((v for row in changes[0] for v in row), Fraction(0)),
        "changes_other": sum((v for row in changes[-1] for v in row), Fraction(0)),
        "progress": progress(pair.w),
        "progress_other": progress(pair.other),
        "per_sample": pair.per_sample,
        "same_side": all(r > 0 for rs in sides for r in rs) or all(r < 0 for rs in sides for r in rs),
        "positive": all(v > 0 for x in samples for v in x),
        "all_active": all(exact_active(x, v) for x in samples for weights, _ in runs for v in weights[:-1]),
    }


def _dot(left: Vector, right: Vector) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _vector(*entries: int | Fraction) -> Vector:
    return tuple(Fraction(v) for v in entries)


def _minus(left: Vector, right: Vector) -> Vector:
    return tuple(a - b for a, b in zip(left, right, strict=True))


def describe(pair: Pair) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    vectors = (("X", pair.X), ("X'", pair.X_next), ("w_star", pair.w_star), ("w", pair.w), ("other", pair.other))
    rule = "one sample per update, X first" if pair.per_sample else "full batch"
    return (*((name, text(v)) for name, v in vectors), ("lam", str(pair.learning_rate)), ("updates", rule))


def lower(pair: Pair) -> Pairs:
    """An exact instance as a float batch of one."""
    X, X_next, w_star, w, other = (
        np.array([v], dtype=np.float64) for v in (pair.X, pair.X_next, pair.w_star, pair.w, pair.other)
    )
    rate, per_sample = np.array([float(pair.learning_rate)]), np.array([pair.per_sample])
    return Pairs(X, X_next, w_star, w, other, rate, per_sample, pair.steps)


def small_rates(rng: np.random.Generator, X: FloatArray, X_next: FloatArray) -> FloatArray:
    """Learning rates (B,) with 2 lam |X|^2 in (0.1, 0.95) for the longer of the two samples."""
    longest = np.maximum(np.square(X).sum(axis=1), np.square(X_next).sum(axis=1))
    return np.asarray(rng.uniform(0.1, 0.95, len(X)) / (2.0 * longest))


def any_pairs(rng: np.random.Generator, rows: int = 96) -> Iterator[Pairs]:
    """p = 1..6, half with positive samples, half by one sample each; w between the normals, beside one, or anywhere."""
    for p in range(1, 7):
        X, X_next = rng.normal(size=(2, rows, p))
        kind = np.arange(rows)
        positive = (kind % 2 == 0)[:, None]
        X, X_next = (np.where(positive, 0.1 + np.abs(v), v) for v in (X, X_next))
        w_star = np.where(positive, 1.0, X / _length(X) + X_next / _length(X_next))
        unit, unit_next = X / _length(X), X_next / _length(X_next)
        anywhere = rng.normal(size=(rows, p))
        normal = np.where(rng.uniform(size=(rows, 1)) < 0.5, unit, unit_next)
        across = anywhere - (anywhere * normal).sum(axis=1, keepdims=True) * normal
        beside = across + rng.choice((-0.1, 0.1), (rows, 1)) * normal
        place = np.stack([unit - unit_next, unit + unit_next, anywhere, beside])
        e = place[kind // 2 % 4, kind] * rng.choice((-1.0, 1.0), (rows, 1)) * ERROR_SCALE * 0.25
        w = w_star + e * rng.uniform(0.95, 1.05, (rows, p))
        rates = small_rates(rng, X, X_next)
        yield Pairs(X, X_next, w_star, w, w, rates, kind // 8 % 2 == 0)


def _beside_normal(v: FloatArray, other: FloatArray, tilt: FloatArray | float) -> FloatArray:
    """Errors across v (B, 2), on the side of `other`, tilted towards v (or away)."""
    across = np.c_[-v[:, 1], v[:, 0]] / _length(v)
    across *= np.sign((across * other).sum(axis=1, keepdims=True))
    error = across + tilt * v / _length(v)
    return np.asarray(ERROR_SCALE * error / _length(error))


def _length(v: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(np.square(v).sum(axis=1, keepdims=True)))


def any_candidates() -> Iterator[Pair]:
    """Pairs in two dimensions, simplest first, from both sides of the normals."""
    samples = [_vector(*v) for v in ((1, 1), (1, -1), (2, 1), (1, 2))]
    errors = [_vector(*(Fraction(n, 8) for n in v)) for v in ((1, 0), (1, -1), (1, 1), (-1, 1), (3, -1))]
    stars = (_vector(1, 0), _vector(1, 1))
    for star, X, X_next, e in product(stars, samples, samples, errors):
        for per_sample in (True, False):
            w = tuple(a + b for a, b in zip(star, e, strict=True))
            yield Pair(X, X_next, star, w, w, Fraction(1, 12), per_sample, 4)


@cache
def two_samples() -> Experiment:
    """Runs on two samples with any number of weights."""
    exact = ExactRoute(any_candidates, observe_exact, describe, lower)
    return Experiment("runs on two samples", any_pairs, observe, exact)


def _anywhere(rng: np.random.Generator, rows: int) -> FloatArray:
    """Errors (B, 2) of length ERROR_SCALE in any direction."""
    angle = rng.uniform(0.0, 2.0 * np.pi, rows)
    return np.asarray(ERROR_SCALE * np.c_[np.cos(angle), np.sin(angle)])


def _positive_samples(rng: np.random.Generator, rows: int) -> tuple[FloatArray, FloatArray]:
    """Two positive samples each, (B, 2): mirrored in (1, 1), which is w*, in every other row, else of any lengths."""
    X = rng.uniform(0.2, 2.0, (rows, 2))
    mirrored = (np.arange(rows) % 2 == 0)[:, None]
    return X, np.where(mirrored, X[:, ::-1], rng.uniform(0.1, 1.0, (rows, 1)) * rng.uniform(0.2, 2.0, (rows, 2)))


def equally_far(rng: np.random.Generator, rows: int = 320) -> Iterator[Pairs]:
    """p = 2, positive samples, most of equal length; two starts at one distance, each beside a normal or anywhere.

    Where both lie between the normals, or neither, the first is mostly the one that makes more progress.
    """
    X, X_next = _positive_samples(rng, rows)
    kind = np.arange(rows)
    turned = kind % 8 > 3
    angle = rng.uniform(0.1, 1.4, turned.sum())
    X_next[turned] = _length(X[turned]) * np.c_[np.cos(angle), np.sin(angle)]
    e, e_other = _near_a_normal(rng, np.where(rng.uniform(size=(rows, 1)) < 0.5, X, X_next))
    # every eighth: a long X against a short X', e just between the normals beside that of X', e_other beside X's
    hard = kind % 8 == 1
    X_next[hard] = rng.uniform(0.1, 0.4, (hard.sum(), 1)) * X[hard, ::-1]
    e[hard] = _beside_normal(X_next[hard], X[hard], -0.05)
    e_other[hard] = _beside_normal(X[hard], X_next[hard], 0.05)
    products = [[(error * sample).sum(axis=1) for sample in (X, X_next)] for error in (e, e_other)]
    same = np.sign(products[0][0] * products[0][1]) == np.sign(products[1][0] * products[1][1])
    squares = [one**2 + other**2 for one, other in products]
    exchanged = (same & (squares[0] < squares[1]) & (rng.uniform(size=rows) < 0.8))[:, None]
    w, other = (1.0 + np.where(exchanged, *errors) for errors in ((e_other, e), (e, e_other)))
    yield Pairs(X, X_next, np.ones((rows, 2)), w, other, small_rates(rng, X, X_next), kind % 4 < 2, 2)


def _near_a_normal(rng: np.random.Generator, X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two errors (B, 2) of length ERROR_SCALE, most beside the normal of X (B, 2), most of these on one side of it."""
    rows = len(X)
    side, direction = rng.choice([-1.0, 1.0], (rows, 1)), rng.normal(size=(rows, 2))
    errors = []
    for both in (1.0, 0.75):
        own = np.where(rng.uniform(size=(rows, 1)) < both, side, -side)
        beside = _beside_normal(X, direction, own * 2.0 ** rng.uniform(-5.0, 0.0, (rows, 1)))
        errors.append(np.where(rng.uniform(size=(rows, 1)) < 0.2, _anywhere(rng, rows), beside))
    return errors[0], errors[1]


def along_the_line(rng: np.random.Generator, rows: int = 80, skewed: int = 24) -> Iterator[Pairs]:
    """p = 2, positive samples; the first start on the line of w* = (1, 1).

    The last are skewed, both on one side of w*, which is then no eigenvector: long runs of the full batch, the other
    start along the slow eigenvector.
    """
    X, X_next = _positive_samples(rng, rows)
    w_star = np.ones((rows, 2))
    e = ERROR_SCALE * rng.choice((-0.7, 0.7), (rows, 1)) * np.ones(2)
    rates = small_rates(rng, X, X_next)
    yield Pairs(X, X_next, w_star, w_star + e, w_star + _anywhere(rng, rows), rates, np.arange(rows) % 4 < 2, 8)
    X, X_next = (np.sort(rng.uniform(0.2, 2.0, (skewed, 2)))[:, ::-1] for _ in range(2))
    slow = np.linalg.eigh(X[:, :, None] * X[:, None, :] + X_next[:, :, None] * X_next[:, None, :]).eigenvectors[:, :, 0]
    w_star = np.ones((skewed, 2))
    w, other = (w_star + ERROR_SCALE * v for v in (w_star, slow))
    yield Pairs(X, X_next, w_star, w, other, small_rates(rng, X, X_next), np.zeros(skewed, dtype=np.bool_), 24)


def distance_candidates() -> Iterator[Pair]:
    """Positive samples, two starts at distance 5/40 from w* = (1, 1), or 50 from (400, 400), simplest first.

    Mirrored samples, unequal ones, one turned from the other, and one sample twice, which some starts fit.
    """
    first, mirrored, shorter = _vector(2, 1), _vector(1, 2), _vector(Fraction(1, 2), 1)
    turned, twice = _vector(Fraction(19, 13), Fraction(22, 13)), _vector(2, Fraction(3, 2))
    samples = ((first, mirrored), (mirrored, first), (first, shorter), (turned, first), (twice, twice))
    far = [_vector(*v) for v in ((4, 3), (4, -3), (3, -4), (-3, 4), (5, 0), (0, 5))]
    far += [_vector(Fraction(24, 5), Fraction(-7, 5)), _vector(Fraction(-7, 5), Fraction(24, 5))]
    lengths = [(Fraction(1), pair) for pair in samples] + [(Fraction(400), samples[0])]
    for (length, (X, X_next)), e, f in product(lengths, far, far):
        w, other = (tuple(length * (1 + v / 40) for v in u) for u in (e, f))
        yield Pair(X, X_next, (length, length), w, other, Fraction(1, 24), True, 2)


def along_candidates() -> Iterator[Pair]:
    """Positive samples, a start on the line of w* = (1, 1) and another one, simplest first."""
    samples = [_vector(*v) for v in ((2, 1), (1, 2), (1, 1))]
    errors = [_vector(*v) for v in ((1, 1), (1, -1), (-1, 1), (-1, -1), (2, 1), (1, 2), (-2, 1))]
    w = _vector(Fraction(9, 8), Fraction(9, 8))
    for X, X_next, per_sample, f in product(samples, samples, (False, True), errors):
        yield Pair(X, X_next, _vector(1, 1), w, tuple(1 + v / 8 for v in f), Fraction(1, 12), per_sample, 8)
    # the eigenvectors of these two together are (3, 1) and (-1, 3)
    long, short = _vector(Fraction(5, 2), Fraction(1, 2)), _vector(1, 1)
    for X, X_next in ((long, short), (short, long)):
        other = _vector(Fraction(7, 8), Fraction(11, 8))
        yield Pair(X, X_next, _vector(1, 1), w, other, Fraction(1, 16), False, 8)


@cache
def equal_distances() -> Experiment:
    """Two starts at one distance from w*, positive samples, p = 2."""
    exact = ExactRoute(distance_candidates, observe_exact, describe, lower)
    return Experiment("starts of equal distance", equally_far, observe, exact)


@cache
def along_and_elsewhere() -> Experiment:
    """A start on the line of w* and another one, positive samples, p = 2."""
    exact = ExactRoute(along_candidates, observe_exact, describe, lower)
    return Experiment("starts along w* and elsewhere", along_the_line, observe, exact)
