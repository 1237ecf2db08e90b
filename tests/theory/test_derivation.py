"""What a derivation may claim: proven steps, grounded results, and what follows from them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from theory.derivation import Derivation, Step, at_least, at_most, equal, greater, less

x, y, z = sp.symbols("x y z", real=True)
a, b = sp.symbols("a b", positive=True)
c = sp.Symbol("c", nonnegative=True)

PROVEN = [
    Step("expand", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1)),
    Step("evaluates at once", sp.Eq(x, x)),
    Step("a square", x**2 + y**2 >= 2 * x * y, certificate=(x - y) ** 2),
    Step("positive", a * b + c > 0),
    Step("strict implies weak", a + b >= 0),
    Step("not equal", sp.Ne(a + b, 0)),
    Step("not equal, as written", sp.Ne(a + b, 0, evaluate=False)),
    Step("not opposite", sp.Ne(a, -b)),
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
    Step("is equal, as written", sp.Ne(a + b, b + a, evaluate=False)),
    Step("positive both, and may be equal", sp.Ne(a, b)),
    Step("reversed", x**2 + y**2 <= 2 * x * y, certificate=(x - y) ** 2),
    Step("true nowhere near evident", x**2 >= x),
]


@pytest.mark.parametrize("step", PROVEN, ids=lambda s: s.text)
def test_true_steps_are_proven(step):
    assert step.proven()


@pytest.mark.parametrize("step", UNPROVEN, ids=lambda s: s.text)
def test_false_and_unshown_steps_are_not(step):
    assert not step.proven()


P, Q = x > 0, y > 0


@pytest.mark.parametrize(
    ("claim", "shown"),
    [
        (sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1), ("", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1))),
        (equal(x + 1, 1 + x), ("computed", x + 1)),
        (equal(x + 1, x - 1), ("", equal(x + 1, x - 1))),
        (at_least(x, x), ("", at_least(x, x))),
        (sp.Eq(x, x), ("true by construction", None)),
        (sp.Eq(x, x + 1), ("false by construction", None)),
    ],
)
def test_a_value_that_was_worked_out_is_shown_once(claim, shown):
    assert Step("words", claim).shown() == shown


def test_a_derivation_lists_its_failing_steps_and_entails_its_result_only():
    good, bad = PROVEN[0], UNPROVEN[0]
    derivation = Derivation((sp.Implies(P, Q),), ("x is real",), (good, bad, good))
    assert derivation.failing_steps() == [bad]
    assert derivation.entails(Q, [P])
    assert not derivation.entails(Q)


@pytest.mark.parametrize(
    ("part", "given", "message"),
    [
        ("result", P, "result must be a tuple of Boolean, got x > 0"),
        ("used", None, "used must be a tuple of str, got None"),
        ("used", "x is real", "used must be a tuple of str, got 'x is real'"),
        ("steps", [PROVEN[0]], "steps must be a tuple of Step, got \\[Step"),
        ("definitions", (P,), "definitions must be a tuple of Equality"),
        ("needs", ("x > 0",), "needs must be a tuple of Basic"),
    ],
)
def test_a_derivation_is_put_together_from_tuples(part, given, message) -> None:
    whole = {"result": (P,), "used": ("x is real",), "steps": (PROVEN[0],)}
    assert Derivation(**whole).result == (P,)
    with pytest.raises(TypeError, match=message):
        Derivation(**{**whole, part: given})


@pytest.mark.parametrize(
    ("text", "claim", "message"),
    [(None, x > 0, "text must be a string, got None"), ("a step", x + 1, "claim must be a relation, got x \\+ 1")],
)
def test_a_step_says_something_of_something(text, claim, message) -> None:
    with pytest.raises(TypeError, match=message):
        Step(text, claim)


def test_a_result_says_nothing_where_what_it_needs_is_not_given() -> None:
    derivation = Derivation((sp.Eq(x, y),), ("P, and a > 1",), (PROVEN[0],), needs=(P, sp.Gt(a, 1)))
    assert derivation.entails(sp.Eq(y, x), [P, sp.Gt(a, 2)])
    assert derivation.entails(sp.Implies(P, sp.Eq(x, y)), [sp.Gt(a, 1)])
    assert derivation.entails(sp.Implies(P, sp.Implies(sp.Gt(a, 1), sp.Eq(x, y))))
    for premises in ([], [P], [sp.Gt(a, 1)], [P, sp.Ge(a, 1)]):
        assert not derivation.entails(sp.Eq(x, y), premises)
        assert not derivation.entails(sp.Implies(Q, sp.Eq(x, y)), premises)


def test_a_result_must_follow_from_its_definitions() -> None:
    seen, x = sp.Symbol("seen", real=True), sp.Symbol("x", real=True)
    step = Step("expand", sp.Eq((x + 1) ** 2, x**2 + 2 * x + 1))
    definition = (sp.Eq(seen, (x + 1) ** 2),)
    true = (sp.Eq(seen, x**2 + 2 * x + 1), sp.Ge(seen, 0), sp.Implies(sp.Gt(x, 0), sp.Eq(seen, (1 + x) ** 2)))
    false = (sp.Eq(seen, x**2 + x + 1), sp.Ge(seen, 1), sp.Gt(seen, 0), sp.Equivalent(sp.Gt(x, 0), Q))
    for result in true:
        assert Derivation((result,), (), (step,), definition).ungrounded() == []
    for result in false:
        assert Derivation((result,), (), (step,), definition).ungrounded() == [result]
        assert Derivation((result,), (), (step,)).ungrounded() == []
        assert Derivation((sp.And(result, true[1]),), (), (step,), definition).ungrounded()
    assert Derivation((sp.And(*true[:2]),), (), (step,), definition).ungrounded() == []


@pytest.mark.parametrize("wrong", [sp.false, sp.Eq(sp.Symbol("seen"), 2)])
def test_a_derivation_without_steps_shows_nothing(wrong: sp.Basic) -> None:
    from theory.verify import _symbolic

    assert _symbolic(Derivation((wrong,), (), ()), wrong, ()).passed is False


def test_the_symbolic_check_says_what_it_found() -> None:
    from theory.verify import _symbolic

    step, seen = PROVEN[0], sp.Symbol("seen", real=True)
    plain, false = Derivation((P,), (), (step, step)), Derivation((P,), (), (step, UNPROVEN[0]))
    defined = (sp.Eq(seen, x + x),)
    grounded, not_so = (Derivation((sp.Eq(seen, c * x),), (), (step,), defined) for c in (2, 3))
    said = {
        "2 steps proven, the result argued from them; the statement follows": (plain, P),
        "2 steps proven, the result argued from them; the statement does not follow": (plain, Q),
        "1 steps proven, the result substituted from its definitions; the statement follows": (grounded, defined[0]),
        "the derivation has no steps": (replace(plain, steps=()), P),
        "step not confirmed: wrong sign": (false, P),
        "result not confirmed: Eq(seen, 3*x)": (not_so, sp.Eq(seen, 3 * x)),
    }
    for detail, (derivation, statement) in said.items():
        outcome = _symbolic(derivation, statement, ())
        assert outcome.detail == detail
        assert outcome.passed is ("statement follows" in detail)
        assert (outcome.trials, outcome.max_error, outcome.tolerance) == (len(derivation.steps), None, None)


@pytest.mark.parametrize("relation", [equal, at_least, greater, at_most, less], ids=lambda f: f.__name__)
def test_what_is_evident_is_kept_as_it_was_written(relation):
    assert relation(x, x).args == (x, x)
    assert relation(sp.Integer(1), sp.Integer(2)).args == (1, 2)


def test_magnitudes_are_factored_before_they_are_compared():
    y_is = (sp.Eq(z, sp.Abs(x * y + x)),)
    grounded = Derivation((sp.Eq(z, sp.Abs(x) * sp.Abs(y + 1)),), (), (), y_is)
    assert grounded.ungrounded() == []
    assert replace(grounded, result=(sp.Eq(z, sp.Abs(x) * sp.Abs(y - 1)),)).ungrounded()
