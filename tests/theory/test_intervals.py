"""Confidence intervals that cover, and statements judged on intervals against all that lies in them."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.evaluate import truth
from theory.experiment import Measured, Sample
from theory.intervals import CONFIDENCE, decide, measurements, t_interval

x, y = sp.symbols("x y", real=True)
ENDS = st.integers(-3, 3)
INTERVALS = st.tuples(ENDS, ENDS).map(lambda pair: (float(min(pair)), float(max(pair))))
SIDES = st.sampled_from([x, y, x - y, x + 2 * y, x * y, x**2 - 1, sp.Integer(0), sp.Rational(1, 2)])
RELATIONS = st.sampled_from([sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne])


def relations():
    return st.builds(lambda how, a, b: how(a, b, evaluate=False), RELATIONS, SIDES, SIDES)


def statements():
    parts = relations()
    joined = st.builds(
        lambda how, a, b: how(a, b, evaluate=False), st.sampled_from([sp.And, sp.Or, sp.Implies]), parts, parts
    )
    return st.one_of(parts, joined, parts.map(lambda part: sp.Not(part, evaluate=False)))


@pytest.mark.parametrize("n", [2, 3, 5, 30])
def test_t_interval_is_that_of_scipy(n):
    values = np.random.default_rng(n).normal(2.0, 3.0, n)
    expected = scipy.stats.t.interval(0.9, n - 1, loc=values.mean(), scale=scipy.stats.sem(values))
    assert t_interval(values, 0.9) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [3, 5])
def test_intervals_cover_as_often_as_they_say(n):
    draws = np.random.default_rng(0).normal(1.0, 2.0, (4000, n))
    covered = sum(low <= 1.0 <= high for low, high in (t_interval(row, 0.95) for row in draws))
    # four standard errors
    assert abs(covered / len(draws) - 0.95) < 4 * np.sqrt(0.95 * 0.05 / len(draws))


@pytest.mark.parametrize(
    ("values", "confidence", "message"),
    [
        ([1.0], 0.95, "values must be at least 2 for an interval, got 1"),
        ([1.0, np.nan], 0.95, "values must be finite, got nan"),
        ([1.0, 2.0], 1.0, r"confidence must lie in \(0, 1\), got 1.0"),
        ([1.0, 2.0], 0.0, r"confidence must lie in \(0, 1\), got 0.0"),
    ],
)
def test_bad_samples_are_refused(values, confidence, message):
    with pytest.raises(ValueError, match=message):
        t_interval(values, confidence)


def test_intervals_of_one_statement_are_widened_together():
    sample = Sample((1.0, 2.0, 4.0), "a length")
    measured = Measured({"x": sample, "y": sample}, "some runs")
    (one,) = measurements(sp.Gt(x, 0), measured)
    two = measurements(sp.And(sp.Gt(x, 0), sp.Gt(y, 0)), measured)
    assert (one.low, one.high) == t_interval(sample.values, CONFIDENCE)
    assert [m.symbol for m in two] == ["x", "y"]
    for m in two:
        assert m.confidence == pytest.approx(0.975)
        assert (m.low, m.high) == pytest.approx(t_interval(sample.values, 0.975))
        assert (m.n, m.units, m.data, m.what) == (3, "seeds", "some runs", "a length")
        assert m.estimate == pytest.approx(7 / 3)


@given(statements(), INTERVALS, INTERVALS)
def test_what_is_decided_is_so_everywhere_in_the_intervals(statement, of_x, of_y):
    found = decide(statement, {"x": of_x, "y": of_y})
    if found is None:
        return
    for a, b in itertools.product(np.linspace(of_x[0], of_x[1], 5), np.linspace(of_y[0], of_y[1], 5)):
        assert truth(statement, {"x": Fraction(a), "y": Fraction(b)}) is found


@given(relations(), ENDS, ENDS)
def test_points_are_always_decided(statement, a, b):
    found = decide(statement, {"x": (float(a), float(a)), "y": (float(b), float(b))})
    assert found is truth(statement, {"x": Fraction(a), "y": Fraction(b)})


OPEN, TRUE, FALSE = sp.Gt(x, 0), sp.Gt(y, 0), sp.Lt(y, 0)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (OPEN, None),
        (sp.And(OPEN, TRUE), None),
        (sp.And(OPEN, FALSE), False),
        (sp.Or(OPEN, TRUE), True),
        (sp.Or(OPEN, FALSE), None),
        (sp.Implies(FALSE, OPEN), True),
        (sp.Implies(TRUE, OPEN), None),
        (sp.Implies(OPEN, TRUE), True),
        (sp.Not(OPEN, evaluate=False), None),
        (sp.Not(TRUE, evaluate=False), False),
        (sp.Ne(x, 0), None),
        (sp.Ne(y, 0), True),
        (sp.Eq(y, 0), False),
        (sp.true, True),
        (sp.false, False),
    ],
)
def test_parts_are_joined_by_kleenes_rules(statement, found):
    assert decide(statement, {"x": (-1.0, 1.0), "y": (1.0, 2.0)}) is found


def test_ends_belong_to_the_interval():
    touching = {"x": (0.0, 1.0)}
    assert decide(sp.Gt(x, 0), touching) is None
    assert decide(sp.Ge(x, 0), touching) is True
    assert decide(sp.Lt(x, 0), touching) is False
    assert decide(sp.Le(x, 0), touching) is None
    assert decide(sp.Eq(x, 0), touching) is None


def test_unknown_symbols_and_functions_are_refused():
    with pytest.raises(KeyError, match="x"):
        decide(sp.Gt(x, 0), {})
    with pytest.raises(TypeError, match=r"cannot evaluate exp\(x\) on intervals"):
        decide(sp.Gt(sp.exp(x), 2), {"x": (0.0, 1.0)})
    with pytest.raises(TypeError, match=r"cannot decide .* on intervals"):
        decide(sp.Equivalent(sp.Gt(x, 0), sp.Gt(y, 0), evaluate=False), {"x": (0.0, 1.0), "y": (0.0, 1.0)})


@pytest.mark.parametrize(
    ("statement", "below", "across", "above"),
    [
        (x > 0, False, None, True),
        (x >= 0, False, None, True),
        (x < 0, True, None, False),
        (x <= 0, True, None, False),
        (sp.Eq(x, 0), False, None, False),
        (sp.Ne(x, 0), True, None, True),
    ],
)
def test_an_interval_near_its_bound_is_decided_like_one_far_away(statement, below, across, above):
    near = [decide(statement, {"x": ends}) for ends in ((-0.5, -0.25), (-0.25, 0.25), (0.25, 0.5))]
    assert near == [below, across, above]
