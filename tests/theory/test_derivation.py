"""What algebra may accept: true things, and none of the near misses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

import theory.derivation
from theory.derivation import (
    Derivation,
    Step,
    _far_from_zero,
    _multiple,
    at_least,
    at_most,
    equal,
    follows,
    greater,
    less,
    vanishes,
)

x, y, z = sp.symbols("x y z", real=True)
a, b = sp.symbols("a b", positive=True)
c = sp.Symbol("c", nonnegative=True)
i, k = sp.symbols("i k", integer=True)
w, d = sp.IndexedBase("w"), sp.IndexedBase("d")
M, N = sp.MatrixSymbol("M", 3, 3), sp.MatrixSymbol("N", 3, 3)

VANISHES = [
    (x + y) ** 2 - x**2 - 2 * x * y - y**2,
    sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1,
    w[i] * (1 + d[i]) - w[i] - w[i] * d[i],
    sp.Sum(i, (i, 1, 4)) - 10,
    sp.sqrt(a**2) - a,
]
DOES_NOT_VANISH = [
    (x + y) ** 2 - x**2 - y**2,
    sp.sin(x) ** 2 - sp.cos(x) ** 2 - 1,
    w[i] - w[0],
    sp.sqrt(x**2) - x,
    sp.Rational(1, 10**30) * x,
    x - y,
]


@pytest.mark.parametrize("expression", VANISHES, ids=str)
def test_vanishing_expressions_are_recognised(expression):
    assert vanishes(sp.sympify(expression))


@pytest.mark.parametrize("expression", DOES_NOT_VANISH, ids=str)
def test_near_misses_do_not_vanish(expression):
    assert not vanishes(sp.sympify(expression))


PROVEN = [
    Step("expand", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1)),
    Step("evaluates at once", sp.Eq(x, x)),
    Step("a square", x**2 + y**2 >= 2 * x * y, certificate=(x - y) ** 2),
    Step("positive", a * b + c > 0),
    Step("strict implies weak", a + b >= 0),
    Step("not equal", sp.Ne(a + b, 0)),
    Step("other way round", 2 * x * y <= x**2 + y**2, certificate=(x - y) ** 2),
]
UNPROVEN = [
    Step("wrong sign", sp.Eq((x - 1) ** 2, x**2 + 2 * x + 1)),
    Step("false at once", sp.Eq(x, x + 1)),
    Step("a square may be zero", x**2 + y**2 > 2 * x * y, certificate=(x - y) ** 2),
    Step("certificate of something else", x**2 + y**2 >= 3 * x * y, certificate=(x - y) ** 2),
    Step("certificate without a sign", x**3 >= x, certificate=x * (x - 1) * (x + 1)),
    Step("may be zero", c > 0),
    Step("may be equal", sp.Ne(x, y)),
    Step("reversed", x**2 + y**2 <= 2 * x * y, certificate=(x - y) ** 2),
    Step("true nowhere near evident", x**2 >= x),
]


@pytest.mark.parametrize("step", PROVEN, ids=lambda s: s.text)
def test_true_steps_are_proven(step):
    assert step.proven()


@pytest.mark.parametrize("step", UNPROVEN, ids=lambda s: s.text)
def test_false_and_unshown_steps_are_not(step):
    assert not step.proven()


P, Q, R = x > 0, y > 0, z > 0
FOLLOWS = [
    ([], sp.true),
    ([P], P),
    ([sp.And(P, Q)], P),
    ([P, Q], sp.And(P, Q)),
    ([P], sp.Or(P, Q)),
    ([sp.Eq(x, 2 * y + z)], sp.Eq(x - z, 2 * y)),
    ([sp.Eq(x, y)], sp.Eq(y, x)),
    ([sp.Eq(x, (1 + y) ** 2)], sp.Eq(x, 1 + 2 * y + y**2)),
    ([sp.Eq(x, y)], sp.Eq(3 * x, 3 * y)),
    ([sp.Eq(x, (1 + y) ** 2)], sp.Eq(-2 * x + 2, -4 * y - 2 * y**2)),
    ([sp.Eq(x, sp.acos(y))], sp.Eq(3 * x, 3 * sp.acos(y))),
    ([sp.Eq(x, sp.Trace(M * N))], sp.Eq(x / 2, sp.Trace(M * N) / 2)),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[k], (k, 0, b)))),
    ([sp.Eq(x, y)], x >= y),
    ([sp.Eq(x, y)], x <= y),
    ([sp.Eq(x, y)], y - x + a > 0),
    ([sp.Eq(x, 2 * y)], y >= x / 2),
    ([x > y], x >= y),
    ([x > y], y < x),
    ([x > y], 3 * x > 3 * y),
    ([x >= y], -x / 2 <= -y / 2),
    ([x > y + a], x > y),
    ([x >= y + a], x > y),
    ([x >= y + c], x >= y),
    ([sp.Ne(x, y)], sp.Ne(y, x)),
    ([sp.Ne(x, y)], sp.Ne(3 * y - 3 * x, 0)),
    ([x < y], sp.Ne(y, x)),
    ([sp.Implies(P, Q), P], Q),
    ([sp.Implies(P, Q)], sp.Implies(P, sp.Or(Q, R))),
    ([sp.Implies(P, Q), sp.Implies(Q, R)], sp.Implies(P, R)),
    ([sp.Implies(P, Q)], sp.Implies(sp.And(P, R), Q)),
    ([Q], sp.Implies(P, Q)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(Q, P)),
    ([sp.Equivalent(x > y, Q)], sp.Equivalent(y < x, Q)),
]
DOES_NOT_FOLLOW = [
    ([], P),
    ([P], Q),
    ([P], sp.And(P, Q)),
    ([sp.Or(P, Q)], P),
    ([sp.Eq(x, 2 * y + z)], sp.Eq(x, 2 * y - z)),
    ([sp.Eq(x, y)], sp.Eq(x, -y)),
    ([sp.Eq(w[i], d[i])], sp.Eq(w[i], d[0])),
    ([sp.Eq(x, y)], sp.Eq(3 * x, 2 * y)),
    ([sp.Eq(x, sp.acos(y))], sp.Eq(3 * x, 2 * sp.acos(y))),
    ([sp.Eq(x, sp.Trace(M * N))], sp.Eq(x / 2, sp.Trace(M * N))),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[k], (k, 1, b)))),
    ([sp.Eq(x, sp.Sum(w[i], (i, 0, b)))], sp.Eq(x, sp.Sum(w[i], (k, 0, b)))),
    ([sp.Eq(x, y)], sp.Eq(z * x, z * x * y)),
    ([sp.Eq(x, y)], x > y),
    ([sp.Eq(x, y)], x >= y + a),
    ([x >= y], sp.Eq(x, y)),
    ([x > y], -3 * x > -3 * y),
    ([x >= y], 3 * x > 3 * y),
    ([x >= y], 3 * x >= 2 * y),
    ([x > y], x * z > y * z),
    ([x >= y], x > y),
    ([x > y], y > x),
    ([x > y], x > y + a),
    ([x > y], x >= y + c),
    ([x > y + z], x > y),
    ([sp.Ne(x, y)], sp.Ne(x, -y)),
    ([sp.Ne(x, y)], sp.Ne(0 * x, z)),
    ([x <= y], sp.Ne(y, x)),
    ([sp.Ne(x, y)], x > y),
    ([sp.Ne(x, y)], sp.Eq(x, y)),
    ([sp.Implies(P, Q), Q], P),
    ([sp.Implies(P, Q)], Q),
    ([sp.Implies(P, Q)], sp.Implies(Q, P)),
    ([sp.Implies(sp.And(P, R), Q)], sp.Implies(P, Q)),
    ([sp.Implies(P, sp.Or(Q, R))], sp.Implies(P, Q)),
    ([sp.Implies(P, Q)], sp.Equivalent(P, Q)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(P, R)),
    ([sp.Equivalent(P, Q)], sp.Equivalent(P, Q, R)),
    ([sp.Equivalent(x > y, Q)], sp.Equivalent(x >= y, Q)),
    ([sp.Implies(P, Q), sp.Implies(Q, P)], P),
]


def named(case):
    return f"{[str(s) for s in case[0]]} |- {case[1]}"


@pytest.mark.parametrize("case", FOLLOWS, ids=named)
def test_what_follows_is_accepted(case):
    assert follows(*case)


@pytest.mark.parametrize("case", DOES_NOT_FOLLOW, ids=named)
def test_what_does_not_follow_is_not(case):
    assert not follows(*case)


def test_a_derivation_lists_its_failing_steps_and_entails_its_result_only():
    good, bad = PROVEN[0], UNPROVEN[0]
    derivation = Derivation((sp.Implies(P, Q),), ("x is real",), (good, bad, good))
    assert derivation.failing_steps() == [bad]
    assert derivation.entails(Q, [P])
    assert not derivation.entails(Q)


def test_a_result_says_nothing_where_what_it_needs_is_not_given() -> None:
    derivation = Derivation((sp.Eq(x, y),), ("P, and a > 1",), (PROVEN[0],), needs=(P, sp.Gt(a, 1)))
    assert derivation.entails(sp.Eq(y, x), [P, sp.Gt(a, 2)])
    assert derivation.entails(sp.Implies(P, sp.Eq(x, y)), [sp.Gt(a, 1)])
    assert derivation.entails(sp.Implies(P, sp.Implies(sp.Gt(a, 1), sp.Eq(x, y))))
    for premises in ([], [P], [sp.Gt(a, 1)], [P, sp.Ge(a, 1)]):
        assert not derivation.entails(sp.Eq(x, y), premises)
        assert not derivation.entails(sp.Implies(Q, sp.Eq(x, y)), premises)


def test_a_result_must_follow_from_its_definitions() -> None:
    seen, x, y = sp.Symbol("seen", real=True), sp.Symbol("x", real=True), sp.Symbol("y", positive=True)
    step = Step("expand", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1))
    definition = (sp.Eq(seen, (x + 1) ** 2),)
    true = (sp.Eq(seen, x**2 + 2 * x + 1), sp.Ge(seen, 0), sp.Implies(sp.Gt(x, 0), sp.Eq(seen, (1 + x) ** 2)))
    false = (sp.Eq(seen, x**2 + x + 1), sp.Ge(seen, 1), sp.Gt(seen, 0), sp.Equivalent(sp.Gt(x, 0), sp.Gt(y, 0)))
    for result in true:
        assert Derivation((result,), (), (step,), definition).ungrounded() == []
    for result in false:
        assert Derivation((result,), (), (step,), definition).ungrounded() == [result]
        assert Derivation((result,), (), (step,)).ungrounded() == []


@pytest.mark.parametrize("wrong", [sp.false, sp.Eq(sp.Symbol("seen"), 2)])
def test_a_derivation_without_steps_shows_nothing(wrong: sp.Basic) -> None:
    from theory.verify import _symbolic

    assert _symbolic(Derivation((wrong,), (), ()), wrong, ()).passed is False


TRANSCENDENTAL = [sp.acos(a) - sp.asin(a) + 1, sp.pi * a - 3 * a, sp.sqrt(1 - a**2) + a * sp.acos(a) - 1]


@pytest.mark.parametrize("expression", TRANSCENDENTAL, ids=str)
def test_a_point_without_an_exact_value_is_decided_far_from_rounding(expression):
    assert not vanishes(expression)
    assert vanishes(sp.expand(expression * (a + b)) - expression * (a + b))


def test_a_difference_near_rounding_is_left_to_algebra():
    one = sp.sin(a) ** 2 + sp.cos(a) ** 2
    assert not _far_from_zero(one - 1 + sp.Rational(1, 10**12), {"a": 0.5})
    assert _far_from_zero(one - 1 + sp.Rational(1, 10**3), {"a": 0.5})
    assert vanishes(one - 1)
    assert not vanishes(one - 1 + sp.Rational(1, 10**12))


def test_a_point_outside_the_domain_decides_nothing():
    assert not _far_from_zero(sp.acos(a) + 1, {"a": 2.0})


def test_two_expressions_are_taken_for_multiples_only_if_they_are_at_two_points() -> None:
    assert _multiple(6 * (x + y), -4 * x - 4 * y) == sp.Rational(-3, 2)
    # at any one point, one number is a multiple of another
    for first, second in ((x, y), (x**2, x), (w[0] / (1 + a), d[0]), (x, x - x * y)):
        assert _multiple(first, second) == 1


@pytest.mark.parametrize("relation", [equal, at_least, greater, at_most, less], ids=lambda f: f.__name__)
def test_what_is_evident_is_kept_as_it_was_written(relation):
    assert relation(x, x).args == (x, x)
    assert relation(sp.Integer(1), sp.Integer(2)).args == (1, 2)


def test_magnitudes_are_factored_before_they_are_compared():
    y_is = (sp.Eq(z, sp.Abs(x * y + x)),)
    grounded = Derivation((sp.Eq(z, sp.Abs(x) * sp.Abs(y + 1)),), (), (), y_is)
    assert grounded.ungrounded() == []
    assert replace(grounded, result=(sp.Eq(z, sp.Abs(x) * sp.Abs(y - 1)),)).ungrounded()


@pytest.mark.parametrize("error", [AttributeError, StopIteration, RecursionError])
def test_what_sympy_stumbles_over_is_not_shown(monkeypatch, error):
    def stumble(expression):
        raise error

    # the simplification alone could show that it vanishes
    expression = sp.sin(z) ** 2 + sp.cos(z) ** 2 - 1
    vanishes.cache_clear()
    assert vanishes(expression)
    vanishes.cache_clear()
    monkeypatch.setattr(sp, "simplify", stumble)
    assert not vanishes(expression)
    vanishes.cache_clear()


def test_what_is_too_large_to_simplify_is_not_shown(monkeypatch):
    expression = sp.sin(z) ** 2 + sp.cos(z) ** 2 - 1
    vanishes.cache_clear()
    monkeypatch.setattr(theory.derivation, "MOST_OPERATIONS", 3)
    assert not vanishes(expression)
    vanishes.cache_clear()
