"""Noisy targets and inactive samples: the laws against exact enumeration and against the simulators."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sim.descent import descend
from sim.exact import (
    exact_active,
    exact_descend,
    exact_gradient,
    exact_grid,
    exact_sample_gradient,
    exact_step,
    exact_targets,
)
from sim.half_space import sample_active_sums
from sim.instance import FilterInstance
from sim.problem import SampleProblem
from sim.samples import SampleSet, symmetric_grid
from tests.sim.rounding import rounding
from tests.strategies.single_filter import all_active_instances, fractions_in, sample_sets
from theory.derive.single_filter import loosened_active, loosened_targets
from theory.evaluate import surely, truth, value

Vector = tuple[Fraction, ...]


def dot(x: Sequence[Any], y: Sequence[Any]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def minus(x: Sequence[Fraction], y: Sequence[Fraction]) -> Vector:
    return tuple(a - b for a, b in zip(x, y, strict=True))


@st.composite
def noisy(draw: st.DrawFn, max_p: int = 3) -> tuple[FilterInstance, Vector]:
    """All-active instances, p > 1, d > 0, and any f on their samples."""
    instance = draw(all_active_instances(min_p=2, max_p=max_p).filter(lambda g: all(g.d[1:])))
    n = 2**instance.p
    return instance, tuple(draw(st.lists(fractions_in(-1, 1), min_size=n, max_size=n)))


@settings(max_examples=40)
@given(noisy(), st.integers(1, 3))
def test_f_moves_the_limit_and_no_rate(case: tuple[FilterInstance, Vector], count: int) -> None:
    instance, f = case
    samples = exact_grid(instance.d)
    targets = [y + e for y, e in zip(exact_targets(samples, instance.w_star), f, strict=True)]
    weights = exact_descend(samples, targets, instance.w, instance.learning_rate, count)
    assume(all(exact_active(x, w) for w in weights[:-1] for x in samples))
    values = {
        "p": instance.p,
        "d": instance.d,
        "w": instance.w,
        "w_star": instance.w_star,
        "lam": instance.learning_rate,
        "steps": count,
        "pull": [dot(f, column) / len(f) for column in zip(*samples, strict=True)],
        "w_end": weights[-1],
    }
    for k in range(1, instance.p):
        assert truth(loosened_targets.SAME_RATES, {**values, "i": k})


@settings(max_examples=30)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_simulated_descent_on_noisy_targets(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = rng.uniform(0.2, 0.6, p)
    grid = symmetric_grid(d)
    f = 0.1 * rng.normal(size=len(grid))
    w = np.concatenate([[2.0], rng.uniform(-1.0, 1.0, p - 1) / p])
    lam, count = 0.9 / (1 + d[0] ** 2) / 2, 7
    run = descend(SampleProblem(SampleSet(grid.X, grid.y + f)), w, learning_rate=lam, steps=count)
    assume(np.all(run.active_fraction == 1.0))
    values = {
        "p": p,
        "d": d,
        "w": w,
        "w_star": np.eye(p)[0],
        "lam": lam,
        "steps": count,
        "pull": f @ grid.X / len(f),
        "w_end": run.final[0],
    }
    for k in range(1, p):
        # both sides divide sums over the grid by d_k^2 >= 1/25
        assert np.all(surely(loosened_targets.SAME_RATES, {**values, "i": k}, rounding(25 * 2**p * count, 10.0)))


@given(st.lists(fractions_in(0, 1).filter(bool), min_size=2, max_size=2), fractions_in(0, 2).filter(bool))
@example([Fraction(0), Fraction(2, 5)], Fraction(1))
def test_variance_of_the_limit_over_all_signs(d: list[Fraction], tau: Fraction) -> None:
    """With the ReLU left out: the limit solves the normal equations, E[X X^T] being diagonal."""
    samples = exact_grid(d)
    squares = [Fraction(0)] * 2
    for signs in product((-1, 1), repeat=4):
        for k in range(2):
            column = [x[k] for x in samples]
            squares[k] += (tau * dot([Fraction(s) for s in signs], column) / dot(column, column)) ** 2 / 16
    values = {"p": 2, "d": d, "tau": tau, "mean_square_shift": squares, "i": 1}
    assert truth(loosened_targets.VARIANCE, values)
    assert truth(loosened_targets.WIDE, values) is (squares[1] <= tau**2)


@settings(max_examples=40)
@given(all_active_instances(max_p=3), fractions_in(-2, 2))
def test_f_adds_to_the_gradient(instance: FilterInstance, f: Fraction) -> None:
    for x in exact_grid(instance.d):
        y = dot(instance.w_star, x)
        difference = minus(exact_sample_gradient(x, y + f, instance.w), exact_sample_gradient(x, y, instance.w))
        for k in range(instance.p):
            assert difference[k] == value(loosened_targets.ADDED.rhs, {"f": f, "X": x, "j": k}, exact=True)


vectors = st.lists(fractions_in(-2, 2), min_size=2, max_size=2)


@settings(max_examples=40)
@given(st.lists(vectors, min_size=1, max_size=5), vectors, vectors, st.sampled_from((Fraction(1, 2), Fraction(2))))
def test_only_active_samples_contribute(X: list[Vector], w: Vector, w_star: Vector, lam: Fraction) -> None:
    on = [exact_active(x, w) for x in X]
    after = exact_step(X, exact_targets(X, w_star), w, lam)
    values = {
        "p": 2,
        "size": len(X),
        "sample": X,
        "active": [Fraction(a) for a in on],
        "w": w,
        "w_star": w_star,
        "lam": lam,
        "w_next": after,
        "fraction": Fraction(sum(on), len(X)),
        "largest": max((dot(minus(w_star, w), x) ** 2 * dot(x, x) for x, a in zip(X, on, strict=True) if a), default=0),
    }
    assert all(truth(loosened_active.ACTIVE_ONLY, {**values, "j": k}) for k in range(2))
    assert truth(loosened_active.AT_MOST, values)


@settings(max_examples=40)
@given(sample_sets(), st.integers(0, 2**32 - 1))
def test_simulated_updates_of_active_samples(samples: SampleSet, seed: int) -> None:
    w, w_star = np.random.default_rng(seed).normal(size=(2, samples.p))
    sums = sample_active_sums(samples.X, samples.X @ w_star, w)
    on = samples.X @ w > 0
    values = {
        "p": samples.p,
        "size": len(samples),
        "sample": samples.X,
        "active": on.astype(float),
        "w": w,
        "w_star": w_star,
        "lam": 0.5,
        "w_next": w - 0.5 * sums.gradient[0],
    }
    scale = 1 + (1 + np.abs(w).sum() + np.abs(w_star).sum()) * np.square(np.abs(samples.X).sum(axis=1)).max()
    for k in range(samples.p):
        agrees = surely(loosened_active.ACTIVE_ONLY, {**values, "j": k}, rounding(len(samples) * samples.p, scale))
        assert np.all(agrees)


@st.composite
def around_e0(draw: st.DrawFn) -> tuple[list[Vector], Fraction]:
    """Samples in two dimensions and a radius that they keep of e0."""
    offsets = draw(st.lists(st.tuples(fractions_in(-1, 1), fractions_in(-1, 1)), min_size=1, max_size=4))
    shrink = draw(st.sampled_from((Fraction(1, 40), Fraction(1, 10), Fraction(1, 3))))
    samples: list[Vector] = [(1 + shrink * a, shrink * b) for a, b in offsets]
    return samples, shrink * max(abs(a) + abs(b) for a, b in offsets)


units = st.sampled_from([(1, 0, 1), (0, 1, 1), (3, 4, 5), (4, 3, 5), (5, 12, 13), (12, 5, 13), (8, 15, 17)])


@settings(max_examples=120)
@given(
    around_e0(), st.tuples(units, units), fractions_in(0, 4).filter(bool), st.tuples(*[st.sampled_from((-1, 1))] * 4)
)
@example(
    ([(Fraction(1), Fraction(1, 2)), (Fraction(1), Fraction(-1, 2))], Fraction(1, 2)),
    ((4, 3, 5), (0, 1, 1)),
    Fraction(1),
    (1, -1, 1, -1),
)
def test_proportional_and_slower_where_they_are_said_to_be(
    case: tuple[list[Vector], Fraction],
    turns: tuple[tuple[int, int, int], tuple[int, int, int]],
    away: Fraction,
    signs: tuple[int, int, int, int],
) -> None:
    X, radius = case
    e0, lam = (Fraction(1), Fraction(0)), Fraction(1, 2)
    (a, b, c), (r, s, t) = turns
    w = (1 - away * Fraction(signs[0] * a, c), away * Fraction(signs[1] * b, c))
    v = (1 - away * Fraction(signs[2] * r, t), away * Fraction(signs[3] * s, t))
    targets = exact_targets(X, e0)
    values = {"p": 2, "lam": lam, "radius": radius, "away": away, "w": w, "v": v}
    for name, weights in (("w", w), ("v", v)):
        values[f"{name}_next"] = exact_step(X, targets, weights, lam)
    for name, weights in (("fraction", w), ("fraction_b", v)):
        values[name] = Fraction(sum(exact_active(x, weights) for x in X), len(X))
    if truth(loosened_active.ALIGNED, values):
        assert truth(loosened_active.PROPORTIONAL, values)
    if truth(loosened_active.CLEARLY_FEWER, values):
        assert truth(loosened_active.SLOWER, values)


@pytest.mark.parametrize(("e1", "aligned"), [(27, True), (28, False)])
def test_errors_are_aligned_up_to_the_angle_that_the_spread_allows(e1: int, aligned: bool) -> None:
    """Radius 1/8: |e_0| >= 2 (2/8 + 1/64) |e| = 17/32 |e|; with e_0 = 17 that is e_1^2 <= 32^2 - 17^2 = 735."""
    values = {"p": 2, "radius": Fraction(1, 8), "w": (Fraction(1 + 17), Fraction(e1))}
    assert truth(loosened_active.ALIGNED, values) is aligned


@pytest.mark.parametrize(("other", "fewer"), [(31, True), (30, False)])
def test_clearly_fewer_are_active_where_the_spread_cannot_make_up_for_it(other: int, fewer: bool) -> None:
    """Radius 1/8, |e| = 64: the spread is 17/64 of 64; (10 + 17)/2 is below 31 - 17, not below 30 - 17."""
    values = {"p": 2, "radius": Fraction(1, 8), "away": 64, "w": (11, 0), "v": (1 + other, 0)}
    shares = {"fraction": Fraction(1, 2), "fraction_b": Fraction(1)}
    assert truth(loosened_active.CLEARLY_FEWER, {**values, **shares}) is fewer


def test_the_limit_of_noisy_descent_is_stationary() -> None:
    d, f = (Fraction(0), Fraction(1, 2)), (Fraction(1, 8), Fraction(-1, 8), Fraction(1, 8), Fraction(1, 4))
    samples = exact_grid(d)
    targets = [y + e for y, e in zip(exact_targets(samples, (1, 0)), f, strict=True)]
    pull = [dot(f, column) / 4 for column in zip(*samples, strict=True)]
    limit = (1 + pull[0], 4 * pull[1])
    assert not any(exact_gradient(samples, targets, limit))
