"""Sign changes with one sample per update, observed: every ordered pair of samples, and runs in each order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.descent import descend
from sim.exact import exact_active, exact_grid, exact_sample_gradient, exact_targets, exact_trajectory
from sim.grid import grid_samples
from sim.half_space import per_sample_gradients
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem
from sim.zigzag import sign_changes_per_coordinate
from theory.claims.observe.rationals import text
from theory.claims.observe.single_filter.full_batch_runs import ERROR_SCALE, TOLERANCE, Vector, exact_changes
from theory.experiment import ExactRoute, Experiment, Observation, Values

STANDARD_ERRORS = 5.0


@dataclass(frozen=True, eq=False)
class SampleSets:
    """B filters of N samples each: X (B, N, p), w and w_star (B, p), learning_rate (B,); d (B, p) for grids."""

    X: FloatArray
    w: FloatArray
    w_star: FloatArray
    learning_rate: FloatArray
    d: FloatArray | None = None


def grids(batch: FilterBatch) -> SampleSets:
    """The listed grids of a batch."""
    X = np.array([grid_samples(d) for d in batch.d])
    return SampleSets(X, batch.w, batch.w_star, batch.learning_rate, batch.d)


def with_small_rates(X: FloatArray, e: FloatArray, shares: FloatArray) -> FloatArray:
    """Learning rates (B,) at these shares of min |e.X| / (2 max |e.X| max |X.X'|), below which residuals keep sign."""
    residuals = np.abs(np.einsum("bnp,bp->bn", X, e))
    largest = np.abs(np.einsum("bnp,bkp->bnk", X, X)).max(axis=(1, 2))
    return np.asarray(shares * residuals.min(axis=1) / (2.0 * residuals.max(axis=1) * largest))


def any_sets(rng: np.random.Generator, rows: int = 30) -> Iterator[SampleSets]:
    """Samples around w* = e0 in p = 1..8, 2 to 9 of them; a quarter of the learning rates too large to freeze e."""
    for p in range(1, 9):
        n = 2 + p % 8
        X = 0.7 * rng.normal(size=(rows, n, p))
        X[:, :, 0] = rng.uniform(0.5, 1.5, (rows, n))
        w_star = np.eye(1, p).repeat(rows, axis=0)
        e = ERROR_SCALE / 2.0 * rng.normal(size=(rows, p)) / np.sqrt(p)
        yield SampleSets(X, w_star + e, w_star, with_small_rates(X, e, rng.uniform(0.1, 1.3, rows)))


def far_rates(d: FloatArray, e: FloatArray) -> FloatArray:
    """The learning rates (B,) below which `FAR` holds, for grids d and errors e (B, p)."""
    spread, first = (np.abs(e[:, 1:]) * d[:, 1:]).sum(axis=1), np.abs(e[:, 0])
    longest = (1.0 + d[:, 0]) ** 2 + np.square(d[:, 1:]).sum(axis=1)
    return np.asarray((first * (1.0 - d[:, 0]) - spread) / (2.0 * (first * (1.0 + d[:, 0]) + spread) * longest))


def grid_sets(rng: np.random.Generator, rows: int = 40) -> Iterator[SampleSets]:
    """Grids with p = 1..5: far errors (three in eight), errors on a lone coordinate i > 0, any others.

    A quarter, the last, are far from w* but for the learning rate, which is on either side of what FAR allows: that is
    nearly all there is on narrow grids, of which there are some.
    """
    far, lone, last = rows * 3 // 8, rows * 9 // 16, rows * 3 // 4
    for p in range(1, 6):
        d = rng.uniform(0.1, 0.9, (rows, p))
        d[last::2] *= 0.1
        w_star = np.eye(1, p).repeat(rows, axis=0)
        e = ERROR_SCALE / p * (1.0 - d[:, :1]) * rng.uniform(0.3, 1.0, (rows, p)) * rng.choice((-1, 1), (rows, p))
        e[:far, 1:] *= (1.0 - d[:far, :1]) / (2.0 * p)
        for row in range(far, lone) if p > 1 else ():
            e[row, np.arange(p) != 1 + row % (p - 1)] = 0.0
        # |e_i| d_i take up almost all that FAR leaves them
        left = np.abs(e[last:, :1]) * (1.0 - d[last:, :1]) * rng.uniform(0.3, 0.95, (rows - last, 1))
        e[last:, 1:] = np.sign(e[last:, 1:]) * left / (max(p - 1, 1) * d[last:, 1:])
        X = np.array([grid_samples(v) for v in d])
        # FAR bounds the products from above, so it asks for somewhat less than what freezes the error
        rates = with_small_rates(X, e, rng.uniform(0.05, 0.4, rows))
        rates[last:] = far_rates(d[last:], e[last:]) * 2.0 ** rng.uniform(-1.0, 3.0, rows - last)
        yield SampleSets(X, w_star + e, w_star, rates, d)


def observe_pairs(sets: SampleSets) -> Observation:
    """The NumPy route: from w, an update with each sample in turn, and the gradient of each sample after it."""
    b, n, p = sets.X.shape
    y = np.einsum("bnp,bp->bn", sets.X, sets.w_star)
    first = per_sample_gradients(sets.X, y, sets.w)
    moved = sets.w[:, None, :] - sets.learning_rate[:, None, None] * first
    second = per_sample_gradients(sets.X.repeat(n, axis=0), y.repeat(n, axis=0), moved.reshape(b * n, p)).reshape(
        b, n, n, p
    )
    changed = np.abs(np.sign(first)[:, :, None, :] - np.sign(second)) / 2.0
    total, same = changed.sum(axis=(1, 2)), np.einsum("bnnp->bp", changed)
    e = sets.w - sets.w_star
    residuals = np.abs(np.einsum("bnp,bp->bn", sets.X, e))
    active = (np.einsum("bnp,bp->bn", sets.X, sets.w) > 0).all(axis=1)
    active &= (np.einsum("bnp,bkp->bkn", sets.X, moved) > 0).all(axis=(1, 2))
    values = {
        "p": p,
        "lam": sets.learning_rate,
        "e": e.T,
        "n_samples": float(n),
        "q": (first > 0).mean(axis=1).T,
        "flip_rate": (total / n**2).T,
        "flip_rate_distinct": ((total - same) / (n * (n - 1))).T,
        "gsc_rate": (total / n**2).mean(axis=1),
        "least_residual": residuals.min(axis=1),
        "largest_residual": residuals.max(axis=1),
        "largest_product": np.abs(np.einsum("bnp,bkp->bnk", sets.X, sets.X)).max(axis=(1, 2)),
        "no_ties": (first != 0).all(axis=(1, 2)),
        "all_active": active,
    }
    return Observation(values if sets.d is None else {**values, "d": sets.d.T}, TOLERANCE)


def observe_pairs_exact(instance: FilterInstance) -> Values:
    """The rational route, on grids."""
    samples, p, w = exact_grid(instance.d), instance.p, _exact(instance.w)
    targets, n, rate = exact_targets(samples, instance.w_star), 2**instance.p, Fraction(instance.learning_rate)
    first = [exact_sample_gradient(x, y, w) for x, y in zip(samples, targets, strict=True)]
    moved = [tuple(a - rate * g for a, g in zip(w, gradient, strict=True)) for gradient in first]
    changed = [
        [
            exact_changes([first[k], exact_sample_gradient(x, y, moved[k])])[0]
            for x, y in zip(samples, targets, strict=True)
        ]
        for k in range(n)
    ]
    total = [sum((row[c] for rows in changed for row in rows), Fraction(0)) for c in range(p)]
    same = [sum((changed[k][k][c] for k in range(n)), Fraction(0)) for c in range(p)]
    e = [a - Fraction(b) for a, b in zip(w, instance.w_star, strict=True)]
    residuals = [abs(_dot(x, e)) for x in samples]
    return {
        "p": p,
        "lam": rate,
        "d": instance.d,
        "e": e,
        "n_samples": Fraction(n),
        "q": [Fraction(sum(g[c] > 0 for g in first), n) for c in range(p)],
        "flip_rate": [t / n**2 for t in total],
        "flip_rate_distinct": [(t - s) / (n * (n - 1)) for t, s in zip(total, same, strict=True)],
        "gsc_rate": sum(total, Fraction(0)) / n**2 / p,
        "least_residual": min(residuals),
        "largest_residual": max(residuals),
        "largest_product": max(abs(_dot(x, z)) for x in samples for z in samples),
        "no_ties": all(v != 0 for g in first for v in g),
        "all_active": all(exact_active(x, v) for x in samples for v in (w, *moved)),
    }


def _exact(values: Sequence[float | Fraction]) -> Vector:
    return tuple(Fraction(v) for v in values)


def _dot(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def pair_candidates() -> Iterator[FilterInstance]:
    """Exact grids with p = 2, then p = 3, every d_i > 0, errors far, near and on a lone coordinate."""
    widths, rates = [Fraction(n, 4) for n in (2, 1)], [Fraction(1, n) for n in (64, 256)]
    errors = [Fraction(n, 8) for n in (4, 0, 1, -1)]
    for e0, e1, d0, d1, lam in product(errors, errors, widths, widths, rates):
        yield FilterInstance((d0, d1), (1 + e0, e1), lam)
    for e0, e1, e2 in product(errors[:2], errors[2:], errors[2:]):
        yield FilterInstance((widths[0], widths[0], widths[1]), (1 + e0, e1, e2), rates[1])
    for e1, lam in product((Fraction(1, 4), Fraction(5, 16)), [Fraction(1, n) for n in (4, 8, 16)]):
        yield FilterInstance((widths[1], widths[1]), (Fraction(9, 8), e1), lam)


def describe(instance: FilterInstance) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    given = (("d", instance.d), ("w", instance.w), ("w_star", instance.w_star))
    return (*((name, text(_exact(v))) for name, v in given), ("lam", str(instance.learning_rate)))


@cache
def _exact_pairs() -> ExactRoute:
    return ExactRoute(pair_candidates, observe_pairs_exact, describe, lambda v: grids(FilterBatch.of([v])))


@cache
def pairs_of_any_samples() -> Experiment:
    """All ordered pairs of any samples; the exact route takes grids."""
    return Experiment("pairs of samples", any_sets, observe_pairs, _exact_pairs())


@cache
def pairs_of_grid_samples() -> Experiment:
    """All ordered pairs of grid samples."""
    return Experiment("pairs of grid samples", grid_sets, observe_pairs, _exact_pairs())


def frozen_runs(rng: np.random.Generator, rows: int = 6) -> Iterator[tuple[FilterBatch, np.random.Generator]]:
    """Grids with p = 2, 3 and errors frozen by a learning rate of 1e-9, with a generator for the order of updates."""
    for p in (2, 3):
        d = rng.uniform(0.2, 0.8, (rows, p))
        # |e_i| d_i / |e_0|: no sum of these with 1 +- d_0 comes near zero, and coordinate 0 sees q = 1, 3/4 or 1/2
        ratio = np.c_[np.ones(rows), rng.permutation([0.1, 1.0, 4.0] * (rows // 3)), np.full(rows, 0.05)][:, :p]
        e = ERROR_SCALE / 20.0 * rng.choice((-1, 1), (rows, p)) * ratio / np.c_[np.ones(rows), d[:, 1:]]
        w_star = np.eye(1, p).repeat(rows, axis=0)
        yield FilterBatch.create(d, w_star + e, 1e-9, w_star), np.random.default_rng(rng.integers(2**32))


def observe_orders(drawn: tuple[FilterBatch, np.random.Generator]) -> Observation:
    """Long runs with samples drawn with replacement and in a new permutation each epoch.

    The tolerance is five standard errors of the mean over blocks of one epoch, plus one block.
    """
    batch, rng = drawn
    problem, n = GridProblem.of(batch), 2**batch.p
    blocks = 8000 // n
    rates, errors = {}, []
    for order in ("random", "shuffled"):
        run = descend(
            problem,
            batch.w,
            learning_rate=batch.learning_rate,
            steps=n * blocks + 1,
            order=order,
            rng=rng,
            record_loss=False,
        )
        changed = sign_changes_per_coordinate(run.gradients).reshape(blocks, n, len(batch), batch.p).mean(axis=1)
        rates[f"{order}_rate"] = changed.mean(axis=0).T
        errors.append(changed.std(axis=0, ddof=1).max(axis=1) / np.sqrt(blocks))
    X = np.array([grid_samples(d) for d in batch.d])
    residuals = np.einsum("bnp,bp->bn", X, batch.w - batch.w_star)
    q = (residuals[:, :, None] * X > 0).mean(axis=1).T
    tolerance = STANDARD_ERRORS * np.maximum(*errors) + 1.0 / blocks
    values = {"p": batch.p, "q": q, "n_samples": float(n), **rates}
    active = (np.einsum("bnp,bp->bn", X, batch.w) > 0).all(axis=1)
    return Observation({**values, "all_active": active}, tolerance)


@cache
def random_orders() -> Experiment:
    """Runs in the two random orders; random, so that only floats observe them."""
    return Experiment("runs in random order", frozen_runs, observe_orders)


def cyclic_runs(rng: np.random.Generator) -> Iterator[FilterBatch]:
    """Grids with p = 1..6, far errors and small learning rates."""
    for p in range(1, 7):
        d = rng.uniform(0.2, 0.8, (6, p))
        w_star = np.eye(1, p).repeat(6, axis=0)
        e = ERROR_SCALE * np.c_[rng.choice((-1.0, 1.0), 6), 0.1 / p * rng.normal(size=(6, p - 1))]
        yield FilterBatch.create(d, w_star + e, 1e-4, w_star)


def observe_cyclic(batch: FilterBatch) -> Observation:
    """The NumPy route: two epochs through the grid in the order of its index, one grid at a time."""
    n = 2**batch.p
    run = descend(GridProblem.of(batch), batch.w, learning_rate=batch.learning_rate, steps=2 * n + 1, order="cyclic")
    X = np.array([grid_samples(d) for d in batch.d])
    sides = np.sign(np.einsum("bnp,tbp->btn", X, run.weights[:-1] - batch.w_star))
    values = {
        "p": batch.p,
        "cyclic_rate": sign_changes_per_coordinate(run.gradients).mean(axis=0).T,
        "same_side": (np.abs(sides.sum(axis=(1, 2))) == sides[0].size),
        "all_active": (run.active_fraction[:-1] == 1.0).all(axis=0),
    }
    return Observation(values, TOLERANCE)


def observe_cyclic_exact(instance: FilterInstance) -> Values:
    """The rational route."""
    samples, n = exact_grid(instance.d), 2**instance.p
    targets = exact_targets(samples, instance.w_star)
    rate = instance.learning_rate
    weights, gradients = exact_trajectory(samples, targets, instance.w, rate, 2 * n + 1, order="cyclic")
    residuals = [_dot(x, v) - y for x, y in zip(samples, targets, strict=True) for v in weights[:-1]]
    changes = exact_changes(gradients)
    return {
        "p": instance.p,
        "cyclic_rate": [sum(column, Fraction(0)) / len(changes) for column in zip(*changes, strict=True)],
        "same_side": all(r > 0 for r in residuals) or all(r < 0 for r in residuals),
        "all_active": all(exact_active(x, v) for x in samples for v in weights[:-1]),
    }


def cyclic_candidates() -> Iterator[FilterInstance]:
    """Exact grids with p = 1, 2, 3 and far errors, every d_i > 0."""
    half, small = Fraction(1, 2), Fraction(1, 8)
    for p, e0, lam in product((1, 2, 3), (half, -small), (Fraction(1, 256), Fraction(1, 1024))):
        yield FilterInstance((half,) * p, (1 + e0, *(Fraction(1, 64),) * (p - 1)), lam)


@cache
def samples_in_index_order() -> Experiment:
    """Whole epochs through the grid in the order of its index."""
    exact = ExactRoute(cyclic_candidates, observe_cyclic_exact, describe, lambda v: FilterBatch.of([v]))
    return Experiment("runs in index order", cyclic_runs, observe_cyclic, exact)
