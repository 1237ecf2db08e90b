"""The two compiled methods against each other, against exact arithmetic, and against themselves beyond its reach."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray, IntArray
from sim.exact import exact_active, exact_gradient, exact_grid, exact_loss, exact_targets
from sim.half_space import Workspace, grid_active_sums
from sim.listed_sums import LANES, LISTED_P, _fixed_points, _powers, listed_products
from sim.meeting_sums import _fixed_point, active_products, thresholds
from sim.problem import GridProblem
from tests.reference.half_space import (
    batch_gradients,
    enumerated_gradient,
    exact_sums,
    grouped_sums,
    halved_gradient,
    meeting_gradient,
)
from tests.sim.rounding import EPS, rounding

SHARED = Workspace()
"""Memory for the tests with p = 49."""


def met(d: FloatArray, w: FloatArray, directions: FloatArray, *, direct: bool = False) -> tuple[IntArray, FloatArray]:
    """What meeting in the middle finds, whatever the size."""
    rows, p = w.shape
    counts, products = np.empty((rows, 2), np.int64), np.empty_like(directions)
    assert active_products(d, w, directions, direct, *Workspace().arrays(p - 1), counts, products)
    return counts, products


def listed(d: FloatArray, w: FloatArray, directions: FloatArray) -> tuple[IntArray, FloatArray]:
    """What trying all samples finds."""
    counts, products = np.empty((len(w), 2), np.int64), np.empty_like(directions)
    listed_products(d, w, directions, counts, products)
    return counts, products


def hard_rows(rng: np.random.Generator, rows: int, p: int) -> tuple[FloatArray, FloatArray]:
    """Filters with zero and equal entries, ties, tiny and huge scales, d_0 of 0 and 1, some all active, some dead."""
    d, w = rng.random((rows, p)), rng.normal(size=(rows, p))
    coarse = rng.random(rows) < 0.4
    d[coarse], w[coarse] = rng.integers(0, 5, (rows, p))[coarse] / 4, rng.integers(-4, 5, (rows, p))[coarse] / 4
    d[rng.random((rows, p)) < 0.15] = 0.0
    w[rng.random((rows, p)) < 0.15] = 0.0
    d[rng.random(rows) < 0.2, 0] = 1.0
    w[rng.random(rows) < 0.2, 0] = 0.0
    w[rng.random(rows) < 0.1, 0] = 50.0
    w *= 10.0 ** rng.choice([-320, -300, -30, 0, 0, 0, 0, 30, 300], rows)[:, None]
    return d, w


@pytest.mark.parametrize("p", range(3, LISTED_P + 1))
def test_both_methods_find_the_same_bits(p: int) -> None:
    rng = np.random.default_rng(p)
    d, w = hard_rows(rng, 200, p)
    directions = rng.normal(size=(200, 2, p + 1)) * 10.0 ** rng.choice([-300, 0, 0, 300], 200)[:, None, None]
    tried = listed(d, w, directions)
    counts = tried[0].sum(axis=1)
    assert ((counts > 0) & (counts < 2**p)).sum() > 50 < ((counts == 0) | (counts == 2**p)).sum() + 45
    for direct in (False, True):
        for found, expected in zip(met(d, w, directions, direct=direct), tried, strict=True):
            assert np.array_equal(found, expected)


LARGEST = float(np.finfo(np.float64).max)


@pytest.mark.parametrize("bits", [60, 51])
@pytest.mark.parametrize(
    "column",
    [[LARGEST] * 5, [2.0**1023] * 4, [2.0**1022] * 8, [-LARGEST, 1.0, 0.0, 2.0**1023], [2.0**1021] * 3, [0.0] * 3],
    ids=str,
)
def test_both_methods_take_the_same_unit_whatever_the_numbers_add_up_to(column: list[float], bits: int) -> None:
    """Beyond the range of floats, too: there they are added up in a smaller unit."""
    given = np.tile(np.array(column)[:, None], LANES)
    shifts, terms = np.empty(LANES, np.int64), np.empty(given.shape, np.int64)
    _fixed_points(given, bits, _powers(), terms, shifts)
    alone = np.empty(len(column), np.int64)
    assert np.all(shifts == _fixed_point(np.array(column), len(column), bits, alone))
    assert np.array_equal(terms, np.tile(alone[:, None], LANES))
    assert sum(map(abs, alone.tolist())) <= 2**bits + len(column)
    assert alone.tolist() == [round(Fraction(v) * Fraction(2) ** int(shifts[0])) for v in column]
    exact = sum(Fraction(abs(v)) for v in column)
    assert not exact or Fraction(1, 2) <= exact * Fraction(2) ** (int(shifts[0]) - bits) < 1


UNIT = 64
widths = st.sampled_from([0, UNIT // 4, UNIT // 2, UNIT]) | st.integers(0, UNIT)


@st.composite
def exact_filters(draw: st.DrawFn) -> tuple[list[int], list[int], list[int]]:
    """d, w and w* of p <= 12 in multiples of 1/64: zeros, ties and equal values are common."""
    p = draw(st.integers(1, 12))
    several = st.lists(widths, min_size=p, max_size=p)
    d, w = draw(several), [v * draw(st.sampled_from([-1, 1, 1])) for v in draw(several)]
    if draw(st.booleans()):
        w[0] = draw(st.sampled_from([-2, 2])) * (sum(map(abs, w)) + UNIT)
    return d, w, draw(several) if draw(st.booleans()) else [UNIT] + [0] * (p - 1)


@settings(max_examples=300)
@given(exact_filters())
@example(([UNIT] * 11, [0, *[UNIT] * 10], [UNIT, *[0] * 10]))
@example(([0] * 12, [-UNIT, *[UNIT] * 11], [UNIT, *[0] * 11]))
@example(([UNIT // 2] * 12, [UNIT // 2] * 12, [UNIT // 4] * 12))
def test_grid_sums_equal_exact_rational_enumeration(instance: tuple[list[int], list[int], list[int]]) -> None:
    d, w, w_star = instance
    p = len(d)
    count, gradient, loss = exact_sums(d, w, w_star, UNIT)
    exact = np.array([float(Fraction(g, 2**p * UNIT**3)) for g in gradient])
    scale = 4.0 * float(sum(map(abs, [*w, *w_star]), UNIT) / UNIT) ** 2
    for shortcut in (False, True):
        sums = grid_active_sums(*(np.array(v) / UNIT for v in instance), shortcut=shortcut)
        assert sums.count[0] == count
        assert np.abs(sums.gradient[0] - exact).max() <= rounding(p, scale)
        assert abs(sums.loss[0] - float(Fraction(loss, 2**p * UNIT**4))) <= rounding(p, scale)


def test_the_integer_oracle_equals_fractions() -> None:
    d, w, w_star = [16, 64, 0, 24], [40, -32, 64, 16], [64, 8, 0, -16]
    halves = [[Fraction(v, UNIT) for v in values] for values in (d, w, w_star)]
    samples = exact_grid(halves[0])
    targets = exact_targets(samples, halves[2])
    count, gradient, loss = exact_sums(d, w, w_star, UNIT)
    assert count == sum(exact_active(X, halves[1]) for X in samples)
    assert [Fraction(g, 16 * UNIT**3) for g in gradient] == list(exact_gradient(samples, targets, halves[1]))
    assert Fraction(loss, 16 * UNIT**4) == exact_loss(samples, targets, halves[1])


@pytest.mark.parametrize(("p", "seed"), [(11, 0), (15, 1), (18, 2), (20, 3), (22, 4)])
def test_grid_sums_equal_exact_integers(p: int, seed: int) -> None:
    # sixteen bits to a number; products and sums of these are exact in integers of their own
    rng, unit = np.random.default_rng(seed), 1 << 9
    d, w = rng.integers(0, unit + 1, p).tolist(), rng.integers(-2 * unit, 2 * unit + 1, p).tolist()
    w_star = rng.integers(-unit, unit + 1, p).tolist()
    count, gradient, loss = exact_sums(d, w, w_star, unit)
    assert 0 < count < 2**p
    sums = grid_active_sums(*(np.array(v) / unit for v in (d, w, w_star)))
    exact = np.array([float(Fraction(g, 2**p * unit**3)) for g in gradient])
    assert sums.count[0] == count
    assert np.abs(sums.gradient[0] - exact).max() <= 1e-14 * np.abs(exact).max()
    assert abs(sums.loss[0] - Fraction(loss, 2**p * unit**4)) <= 1e-14 * sums.loss[0]


@pytest.mark.parametrize(
    ("sizes", "d0", "w0"),
    [((12, 12), "0.25", "1"), ((24, 12, 12), "0.5", "0.75"), ((47, 1), "1", "-0.5"), ((20, 20, 8), "0", "2")],
)
def test_grids_of_few_different_coordinates_equal_exact_binomial_sums(sizes: tuple[int, ...], d0: str, w0: str) -> None:
    # up to p = 49; with so many equal half-sums, every merge meets ties
    widths, filters = (
        (Fraction(1, 4), Fraction(3, 8), Fraction(1, 2)),
        (Fraction(1, 2), Fraction(-3, 4), Fraction(5, 8)),
    )
    groups = list(zip(sizes, widths, filters, strict=False))
    count, first, others, loss = grouped_sums(groups, Fraction(d0), Fraction(w0))
    order = np.random.default_rng(sum(sizes)).permutation(sum(sizes))
    d, w, expected = (
        np.repeat(np.array(values, dtype=float), sizes)[order]
        for values in ([g[1] for g in groups], [g[2] for g in groups], others)
    )
    sums = grid_active_sums(np.r_[float(Fraction(d0)), d], np.r_[float(Fraction(w0)), w], workspace=SHARED)
    gradient = np.r_[float(first), expected]
    assert 0 < count < 2 ** (1 + sum(sizes))
    assert sums.count[0] == count
    assert np.abs(sums.gradient[0] - gradient).max() <= 1e-13 * np.abs(gradient).max()
    assert abs(sums.loss[0] - float(loss)) <= 1e-13 * float(loss)


@pytest.mark.parametrize("p", [13, 26, 49])
def test_no_bit_depends_on_the_order_of_coordinates_or_on_their_signs(p: int) -> None:
    rng = np.random.default_rng(p)
    d, w = rng.random(p), np.r_[0.4, rng.normal(size=p - 1)]
    order, flip = np.r_[0, 1 + rng.permutation(p - 1)], np.r_[1.0, rng.choice([-1.0, 1.0], p - 1)]
    first = grid_active_sums(d, w, workspace=SHARED)
    second = grid_active_sums(d[order], (flip * w)[order], workspace=SHARED)
    assert 0 < first.count[0] < 2**p
    assert first.count[0] == second.count[0]
    assert np.array_equal((flip * first.gradient[0])[order], second.gradient[0])
    # adding up the loss is floating-point work
    assert abs(first.loss[0] - second.loss[0]) <= rounding(p, float(first.loss[0]))


def test_p_49_contains_p_22() -> None:
    rng = np.random.default_rng(0)
    spread = np.sort(np.r_[0, 1 + rng.choice(48, 21, replace=False)])
    d, w, small_d = np.zeros(49), rng.normal(size=49), rng.random(22)
    d[spread], w[0] = small_d, 0.3
    sums, small = grid_active_sums(d, w), grid_active_sums(small_d, w[spread])
    assert sums.count[0] == 2**27 * small.count[0]
    assert np.array_equal(sums.gradient[0, spread], small.gradient[0])
    assert not np.delete(sums.gradient[0], spread).any()


def test_p_49_halves_add_up_to_p_49() -> None:
    # a grid is the union of those with its last sign fixed: w.X = (w_0 -+ t_48) + ..., p = 48 with d_0 = 0
    rng = np.random.default_rng(1)
    d, w = rng.random(49), rng.normal(size=49)
    d[0], w[0] = 0.0, 0.2
    whole = grid_active_sums(d, w, workspace=SHARED)
    parts = []
    for sign in (-1.0, 1.0):
        # w_0 X_0 takes in the fixed coordinate; the residual is off by its share of the target
        shifted = np.r_[w[0] + sign * w[48] * d[48], w[1:48]]
        parts.append(grid_active_sums(d[:48], shifted, np.r_[1.0, np.zeros(47)], workspace=SHARED))
    assert whole.count[0] == parts[0].count[0] + parts[1].count[0]
    expected = (parts[0].gradient[0] + parts[1].gradient[0]) / 2
    assert np.abs(whole.gradient[0, :48] - expected).max() <= 1e-13 * np.abs(expected).max()
    last = (parts[1].gradient[0, 0] - parts[0].gradient[0, 0]) * d[48] / 2
    assert abs(whole.gradient[0, 48] - last) <= 1e-13 * np.abs(expected).max()


@pytest.mark.parametrize("p", [1, 4, 11, 14])
def test_the_naive_twins_agree_with_each_other_and_with_the_grid(p: int) -> None:
    rng = np.random.default_rng(p)
    d, w, w_star = rng.random(p), rng.normal(size=p), rng.normal(size=p)
    w[0] = abs(w[0])
    found = grid_active_sums(d, w, w_star).gradient[0]
    assert found.any()
    for twin in (enumerated_gradient, halved_gradient, meeting_gradient):
        assert np.abs(twin(d, w, w_star) - found).max() <= rounding(2 ** (p // 2) + p, 4.0), twin.__name__


def test_the_naive_twin_of_batches_agrees() -> None:
    rng = np.random.default_rng(5)
    d, w = rng.random((130, 6)), rng.normal(size=(130, 6))
    assert np.abs(batch_gradients(d, w, 50) - grid_active_sums(d, w).gradient).max() <= rounding(2**6, 10.0)


def test_thresholds_are_the_rounded_numbers() -> None:
    d, w = np.array([[0.5, 0.25, 0.0, 1.0]]), np.array([[1.0, 2.0, 3.0, -0.125]])
    offsets, terms = np.empty((1, 2), np.int64), np.empty((1, 3), np.int64)
    assert thresholds(d, w, offsets, terms) == 2  # of 1/2 +- 1/2 +- 1/8 one is not positive
    unit = terms[0, 0] / 0.5
    assert terms[0].tolist() == [0.5 * unit, 0.0, -0.125 * unit]
    # 3/2 is beyond all half-sums, and cut off there
    assert offsets[0, 0] == 0.5 * unit
    assert 0.625 * unit < offsets[0, 1] < 0.7 * unit


def test_tiny_terms_are_cut_at_the_stated_place_only() -> None:
    # 1 - 1 +- e: the tie is e's to decide as long as e is not below the unit of some 2^-59
    for exponent, expected in ((-58, 6), (-65, 4)):
        assert grid_active_sums([0.0, 1.0, 1.0], [1.0, 1.0, 2.0**exponent]).count[0] == expected
    # offsets are compared as they are, however small or large they are beside the terms
    for w0, alone, beside in ((5e-324, 4, 2), (0.0, 0, 2), (-5e-324, 0, 2), (1e150, 4, 4), (-1e150, 0, 0)):
        assert grid_active_sums([0.0, 0.0], [w0, 1.0]).count[0] == alone
        assert grid_active_sums([0.0, 1.0], [w0, 1e-20]).count[0] == beside


def test_moments_at_p_25_give_the_gradient() -> None:
    rng = np.random.default_rng(2)
    d, w, w_star = rng.random(25), rng.normal(size=25), rng.normal(size=25)
    sums = grid_active_sums(d, w, w_star, moments=True)
    assert sums.second_moment is not None
    moment = sums.second_moment[0]
    assert 0 < sums.count[0] < 2**25
    assert np.array_equal(moment, moment.T)
    assert np.abs(sums.gradient[0] + 2 * moment @ (w_star - w)).max() <= rounding(25, 25.0)
    # the mean of X_0 over active samples lies between its two values
    assert sums.count[0] / 2**25 * (1 - d[0]) ** 2 <= moment[0, 0] <= sums.count[0] / 2**25 * (1 + d[0]) ** 2


def test_a_problem_keeps_its_memory_and_its_answers() -> None:
    rng = np.random.default_rng(3)
    problem = GridProblem(rng.random(21))
    w = rng.normal(size=(4, 21))
    together = problem.active_sums(w)
    for row, again in itertools.product(range(4), range(2)):
        assert np.array_equal(problem.active_sums(w[[row]]).gradient[0], together.gradient[row]), again


def test_powers_of_two_scale_through() -> None:
    rng = np.random.default_rng(4)
    d, w = rng.random(30), np.r_[0.5, rng.normal(size=29)]
    sums = grid_active_sums(d, w)
    for scale in (2.0**-40, 2.0**40):
        again = grid_active_sums(d, scale * w, np.r_[scale, np.zeros(29)])
        assert np.array_equal(again.gradient, scale * sums.gradient)
        assert again.count[0] == sums.count[0]
    assert np.abs(sums.gradient).max() > 100 * EPS
