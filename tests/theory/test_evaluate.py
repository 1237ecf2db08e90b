"""One meaning of a statement in both arithmetics; near a tie floats decide nothing; NaN never passes."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from theory.evaluate import indices, obligations, residual, surely, truth, value

x, y, z = sp.symbols("x y z", real=True)
p = sp.Symbol("p", integer=True, positive=True)
i, j, k = sp.symbols("i j k", integer=True)
w = sp.IndexedBase("w")
event = sp.Symbol("event")
SYMBOLS = (x, y, z)
TOLERANCE = 1e-9

# quarters: sums and small products of them are exact in float64, so that both arithmetics must agree to the last bit
quarters = st.integers(-8, 8).map(lambda n: Fraction(n, 4))
points = st.tuples(quarters, quarters, quarters)
constants = quarters.map(lambda q: sp.Rational(q.numerator, q.denominator))


def grow(children):
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda ab: sp.Add(*ab, evaluate=False)),
        pairs.map(lambda ab: sp.Mul(*ab, evaluate=False)),
        pairs.map(lambda ab: sp.Max(*ab)),
        pairs.map(lambda ab: sp.Min(*ab)),
        children.map(sp.Abs),
        children.map(lambda a: sp.Pow(a, 2, evaluate=False)),
        children.map(sp.sign),
    )


expressions = st.recursive(st.sampled_from(SYMBOLS) | constants, grow, max_leaves=6)
relations = st.builds(
    lambda make, a, b: make(a, b, evaluate=False),
    st.sampled_from([sp.Gt, sp.Ge, sp.Lt, sp.Le, sp.Eq, sp.Ne]),
    expressions,
    expressions,
)


def combined(children):
    pairs = st.tuples(children, children)
    return st.one_of(
        pairs.map(lambda ab: sp.And(*ab)),
        pairs.map(lambda ab: sp.Or(*ab)),
        pairs.map(lambda ab: sp.Implies(*ab)),
        pairs.map(lambda ab: sp.Equivalent(*ab)),
        children.map(sp.Not),
    )


statements = st.recursive(relations, combined, max_leaves=4)


def exact(point):
    return dict(zip("xyz", point, strict=True))


def batch(*rows):
    return {name: np.array([float(row[n]) for row in rows]) for n, name in enumerate("xyz")}


@given(expressions, points)
def test_floats_agree_with_rationals_on_expressions(expression, point):
    expected = value(expression, exact(point), exact=True)
    got = value(expression, batch(point), exact=False)
    assert math.isclose(float(np.squeeze(got)), float(expected), rel_tol=1e-12, abs_tol=1e-12)


@given(expressions, points)
def test_rationals_agree_with_substitution(expression, point):
    replaced = expression.subs(
        {s: sp.Rational(v.numerator, v.denominator) for s, v in zip(SYMBOLS, point, strict=True)}
    )
    assert sp.Rational(*value(expression, exact(point), exact=True).as_integer_ratio()) == replaced.doit()


@given(statements, points)
@example(sp.Equivalent(x > 0, y > 0), (Fraction(0), Fraction(0), Fraction(0)))
def test_what_floats_are_sure_of_is_true(statement, point):
    true = truth(statement, exact(point))
    sure = bool(np.all(surely(statement, batch(point), TOLERANCE)))
    denied = bool(np.all(surely(sp.Not(statement, evaluate=False), batch(point), TOLERANCE)))
    assert not (sure and denied)
    if sure:
        assert true
    if denied:
        assert not true
    if true:
        assert np.all(residual(statement, batch(point), TOLERANCE) <= TOLERANCE)


@given(relations, points)
def test_a_false_relation_beyond_the_tolerance_shows(relation, point):
    at = exact(point)
    left, right = (value(side, at, exact=True) for side in relation.args)
    if not truth(relation, at) and left != right:
        assert np.all(residual(relation, batch(point), TOLERANCE) > TOLERANCE)


@pytest.mark.parametrize("offset", [0.0, 0.4, -0.4])
def test_near_a_tie_nothing_is_decided(offset):
    values = {"x": np.array([1.0 + offset * TOLERANCE]), "y": np.array([1.0])}
    for relation in (x > y, x >= y, x < y, x <= y):
        assert not surely(relation, values, TOLERANCE)
        assert not surely(sp.Not(relation, evaluate=False), values, TOLERANCE)
        assert residual(relation, values, TOLERANCE) <= TOLERANCE
        for decided in (sp.true, sp.false):
            # whichever way the tie falls, an equivalence with a decided side is not violated
            assert (
                residual(
                    sp.Equivalent(relation, z > 0), {**values, "z": np.array([1.0 if decided else -1.0])}, TOLERANCE
                )
                == 0
            )
    assert surely(sp.Eq(x, y), values, TOLERANCE)
    assert not surely(sp.Ne(x, y), values, TOLERANCE)


def test_just_at_the_tolerance_nothing_but_an_equation_is_sure():
    at = {"x": np.array([1.0]), "y": np.array([0.0])}
    for relation in (x > y, x >= y, y < x, sp.Ne(x, y)):
        assert not surely(relation, at, 1.0)
        assert surely(relation, at, 0.999)
        assert not surely(sp.Not(relation, evaluate=False), at, 0.999)
    assert surely(sp.Eq(x, y), at, 1.0)
    assert not surely(sp.Not(sp.Eq(x, y), evaluate=False), at, 1.0)
    assert not surely(y > x, at, 1.0)
    assert not surely(sp.Not(y > x, evaluate=False), at, 1.0)
    assert surely(sp.Not(y > x, evaluate=False), at, 0.999)


@pytest.mark.parametrize("gap", [3.0, -3.0])
def test_beyond_the_tolerance_everything_is_decided(gap):
    values = {"x": np.array([1.0 + gap * TOLERANCE]), "y": np.array([1.0])}
    above = gap > 0
    assert surely(x > y, values, TOLERANCE) == above
    assert surely(x < y, values, TOLERANCE) != above
    assert surely(sp.Ne(x, y), values, TOLERANCE)
    assert not surely(sp.Eq(x, y), values, TOLERANCE)
    assert (residual(x >= y, values, TOLERANCE) > TOLERANCE) != above
    assert residual(sp.Eq(x, y), values, TOLERANCE) == pytest.approx(3 * TOLERANCE, rel=1e-6)


def test_kleene_connectives_row_by_row():
    # x against 0: true, undecided, false
    values = {"x": np.array([1.0, 0.0, -1.0]), "y": np.array([1.0, 1.0, 1.0])}
    unknown, true, false = x > 0, y > 0, y < 0
    rows = {
        sp.And(unknown, true): ([1, 0, 0], [0, 0, 1]),
        sp.And(unknown, false): ([0, 0, 0], [1, 1, 1]),
        sp.Or(unknown, true): ([1, 1, 1], [0, 0, 0]),
        sp.Or(unknown, false): ([1, 0, 0], [0, 0, 1]),
        sp.Implies(unknown, false): ([0, 0, 1], [1, 0, 0]),
        sp.Implies(true, unknown): ([1, 0, 0], [0, 0, 1]),
        sp.Implies(false, unknown): ([1, 1, 1], [0, 0, 0]),
        sp.Equivalent(unknown, true): ([1, 0, 0], [0, 0, 1]),
        sp.Equivalent(unknown, false): ([0, 0, 1], [1, 0, 0]),
    }
    for statement, (sure, denied) in rows.items():
        assert surely(statement, values, TOLERANCE).tolist() == [bool(v) for v in sure], statement
        assert surely(sp.Not(statement, evaluate=False), values, TOLERANCE).tolist() == [bool(v) for v in denied], (
            statement
        )


def test_an_implication_is_tested_only_where_its_premise_is_sure():
    values = {"x": np.array([1.0, 0.0, -1.0]), "y": np.array([-2.0, -2.0, -2.0])}
    assert residual(sp.Implies(x > 0, y >= 0), values, TOLERANCE).tolist() == [2.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "statement",
    [
        x > 0,
        x >= 0,
        x < 0,
        sp.Eq(x, 0),
        sp.Ne(x, 0),
        sp.Eq(x, x + 1, evaluate=False),
        sp.And(x > 0, y > 0),
        sp.Or(x > 0, y < 0),
        sp.Implies(y > 0, x > 0),
        sp.Implies(x > 0, y < 0),
        sp.Equivalent(x > 0, y > 0),
        sp.Equivalent(y > 0, x > 0),
        sp.Not(sp.Equivalent(x > 0, y > 0), evaluate=False),
    ],
    ids=str,
)
def test_nan_never_passes(statement):
    values = {"x": np.array([np.nan]), "y": np.array([1.0])}
    assert not np.any(surely(statement, values, TOLERANCE))
    assert np.all(residual(statement, values, TOLERANCE) > TOLERANCE)


def test_an_infinite_side_is_infinitely_far():
    values = {"x": np.array([np.inf]), "y": np.array([1.0])}
    assert residual(sp.Eq(x, y), values, TOLERANCE) > 1e300
    assert residual(x > y, values, TOLERANCE) == 0


def test_indexed_sums_and_piecewise():
    exact_values = {"p": 3, "w": (Fraction(1), Fraction(-2), Fraction(1, 2)), "i": 1}
    float_values = {"p": 3, "w": np.array([[1.0, 0.0], [-2.0, 1.0], [0.5, 4.0]]), "i": 1}
    total = sp.Sum(w[k] ** 2, (k, 0, p - 1))
    assert value(total, exact_values, exact=True) == Fraction(21, 4)
    assert value(total, float_values, exact=False).tolist() == [5.25, 17.0]
    assert value(w[i], exact_values, exact=True) == -2
    double = sp.Sum(w[i] * w[k], (i, 0, p - 1), (k, 0, p - 1))
    assert value(double, exact_values, exact=True) == Fraction(1, 4)
    assert value(double, float_values, exact=False).tolist() == [0.25, 25.0]
    empty = sp.Sum(w[k], (k, 1, 0))
    assert value(empty, exact_values, exact=True) == 0
    relu = sp.Piecewise((w[i], w[i] > 0), (0, True))
    assert value(relu, exact_values, exact=True) == 0
    assert value(relu, float_values, exact=False).tolist() == [0.0, 1.0]


def test_events_are_read_as_truth_values():
    assert truth(event, {"event": True})
    assert not truth(sp.Not(event), {"event": True})
    values = {"event": np.array([True, False]), "x": np.array([-1.0, -1.0])}
    assert surely(event, values, 0.0).tolist() == [True, False]
    assert residual(event, values, 1.0).tolist() == [0.0, np.inf]
    assert residual(sp.Implies(event, x >= 0), values, 0.5).tolist() == [1.0, 0.0]


def test_indices_run_over_the_coordinates():
    assert list(indices(sp.Eq(w[i], w[j]), 2)) == [{"i": 1, "j": 0}, {"i": 1, "j": 1}]
    assert list(indices(x > 0, 3)) == [{}]
    assert list(indices(w[i] > 0, 1)) == []
    assert list(indices(w[j] > 0, 1)) == [{"j": 0}]


def test_what_cannot_be_evaluated_is_refused():
    with pytest.raises(TypeError, match=r"cannot evaluate exp\(x\) exactly"):
        value(sp.exp(x), {"x": Fraction(1)}, exact=True)
    with pytest.raises(TypeError, match="to the power"):
        value(sp.sqrt(x), {"x": Fraction(2)}, exact=True)
    with pytest.raises(TypeError, match=r"cannot evaluate gamma\(x\) in floats"):
        value(sp.gamma(x), {"x": np.array([1.0])}, exact=False)
    with pytest.raises(KeyError, match="x"):
        value(x, {}, exact=True)
    with pytest.raises(TypeError, match="cannot decide"):
        truth(sp.Xor(event, x > 0), {"event": True, "x": Fraction(1)})


def test_functions_in_floats():
    at = {"x": np.array([0.3, 1.2])}
    for function in (sp.exp, sp.log, sp.atan, sp.cos, sp.sin, sp.tan, sp.sign):
        expected = [float(function(v)) for v in (0.3, 1.2)]
        assert np.allclose(value(function(x), at, exact=False), expected, rtol=1e-14)
    assert value(sp.pi * x, at, exact=False) == pytest.approx([0.3 * math.pi, 1.2 * math.pi])
    # of fractions and of whole numbers, too
    assert value(sp.exp(x), {"x": Fraction(1, 2)}, exact=False) == math.exp(0.5)
    assert value(x**k, {"x": 2, "k": -1}, exact=False) == 0.5


def test_products_run_over_their_range_and_are_1_where_it_is_empty() -> None:
    whole = sp.Product(w[k], (k, 0, p - 1))
    point = {"p": 3, "w": [Fraction(2), Fraction(-1, 3), Fraction(5)]}
    assert value(whole, point, exact=True) == Fraction(-10, 3)
    assert value(sp.Product(w[k], (k, 0, i - 1)), {**point, "i": 0}, exact=True) == 1
    batch = {"p": 2, "w": np.array([[2.0, 3.0], [0.5, 0.0]])}
    assert np.array_equal(value(whole, batch, exact=False), [1.0, 0.0])
    assert value(sp.Product(w[k], (k, 0, i - 1)), {**batch, "i": 0}, exact=False) == 1.0
    assert value(sp.exp(sp.Sum(w[k], (k, 0, i - 1))), {**batch, "i": 0}, exact=False) == 1.0


def test_extremes_are_taken_row_by_row():
    at = {"x": np.array([0.5, -2.0]), "y": np.array([-1.0, 3.0])}
    assert value(sp.Max(x, y), at, exact=False).tolist() == [0.5, 3.0]
    assert value(sp.Min(x, y), at, exact=False).tolist() == [-1.0, -2.0]


def test_branches_are_evaluated_in_floats():
    branches = sp.Piecewise((sp.exp(x), x > 0), (sp.Rational(1, 2), True))
    assert value(branches, {"x": np.array([1.0, -1.0])}, exact=False) == pytest.approx([math.e, 0.5])
    (without,) = value(sp.Piecewise((x, x > 0)), {"x": np.array([-1.0])}, exact=False)
    assert math.isnan(without)


def test_sides_that_meet_are_infinitely_far_from_unequal():
    at = {"x": np.array([1.0, 1.0]), "y": np.array([1.0, 2.0])}
    assert residual(sp.Ne(x, y), at, 1e-9).tolist() == [np.inf, 0.0]


@pytest.mark.parametrize("unequal", [sp.Ne(x, y), sp.Ne(x - y, 0)])
def test_what_is_not_unequal_is_equal_whichever_side_of_an_equivalence_says_so(unequal):
    """Within the tolerance, as an equation is."""
    at = {"x": np.array([1.0, 1.0, 1.0]), "y": np.array([1.0, 1.0 + 1e-10, 2.0])}
    assert surely(sp.Not(unequal, evaluate=False), at, 1e-9).tolist() == [True, True, False]
    assert surely(unequal, at, 1e-9).tolist() == [False, False, True]


P, Q, R = x > 0, y > 0, z >= 0
OBLIGATIONS = [
    (R, ()),
    (sp.Eq(x, y), ()),
    (sp.Or(P, Q), ()),
    (P, (P,)),
    (z < 0, (z < 0,)),
    (sp.And(P, R, Q), (P, Q)),
    (sp.Implies(P, R), (P,)),
    (sp.Implies(R, P), (sp.And(R, P),)),
    (sp.Implies(P, sp.Implies(Q, R)), (sp.And(P, Q),)),
    (sp.And(sp.Implies(P, R), P), (P,)),
]


@pytest.mark.parametrize(
    ("statement", "expected"), OBLIGATIONS, ids=lambda v: str(v) if isinstance(v, sp.Basic) else ""
)
def test_what_must_be_seen_for_a_statement_to_be_tested(statement, expected):
    assert len(obligations(statement)) == len(expected)
    assert set(obligations(statement)) == set(expected)


def test_an_equivalence_must_be_seen_from_both_sides():
    seen, opposite = obligations(sp.Equivalent(P, Q))
    assert seen in (P, Q)
    assert opposite.args == (seen,)
    assert isinstance(opposite, sp.Not)


@pytest.mark.parametrize("exact", [True, False])
def test_an_entry_before_the_first_is_none(exact):
    # Python's sequences would count from their end
    with pytest.raises(IndexError, match=r"indices must be >= 0, got w\[j - 1\] at \(-1,\)"):
        value(
            sp.IndexedBase("w")[sp.Symbol("j", integer=True) - 1], {"w": np.array([[1.0], [2.0]]), "j": 0}, exact=exact
        )


def test_matrices_of_fractions_are_floats_where_floats_are_asked_for():
    m = sp.MatrixSymbol("m", 2, 2)
    found = value(sp.Trace(m * m), {"m": np.full((2, 2, 1), Fraction(1, 3))}, exact=False)
    assert found.dtype == np.float64


@pytest.mark.parametrize("power", [0, -1, sp.Rational(1, 2)])
def test_a_matrix_has_whole_positive_powers_only(power):
    m = sp.MatrixSymbol("m", 2, 2)
    with pytest.raises(TypeError, match=r"^cannot evaluate the matrix "):
        value(sp.Trace(sp.MatPow(m, power)), {"m": np.ones((2, 2, 1))}, exact=False)


def test_powers_of_a_matrix_are_repeated_products():
    m = sp.MatrixSymbol("m", 2, 2)
    rows = [[Fraction(1), Fraction(2)], [Fraction(3), Fraction(-1)]]
    cube = np.linalg.matrix_power(np.array(rows, dtype=float), 3)
    assert value(sp.Trace(m**3), {"m": rows}, exact=True) == Fraction(int(np.trace(cube)))
    in_floats = np.array(rows, dtype=float)[..., None]
    assert value(sp.Trace(m**3), {"m": in_floats}, exact=False) == pytest.approx(np.trace(cube))
