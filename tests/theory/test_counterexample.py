"""What a counterexample says: what is printed and what is seen instead, whatever the form of the statement."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp

from theory.search import _sides

x, y = sp.symbols("x y", real=True)
w, j = sp.IndexedBase("w"), sp.Symbol("j", integer=True)
event = sp.Symbol("event")
AT = {"x": Fraction(3), "y": Fraction(1, 2), "w": [Fraction(5), Fraction(7)], "j": 1, "event": False}

SAYS = [
    (sp.Eq(y, x**2), ("y = 9", "y = 1/2")),
    (sp.Eq(w[j], x), ("w[j] = 3", "w[j] = 7")),
    (y >= x, ("y >= x", "y = 1/2, x = 3")),
    (sp.Ne(x, 3), ("Ne(x, 3)", "x = 3, 3 = 3")),
    # the conclusion, where the premise is met
    (sp.Implies(x > 0, sp.Eq(y, 2)), ("y = 2", "y = 1/2")),
    # the part that is false
    (sp.And(x > 0, sp.Eq(y, 2), evaluate=False), ("y = 2", "y = 1/2")),
    (sp.And(x > 0, sp.Implies(x > 1, y > 1)), ("y > 1", "y = 1/2, 1 = 1")),
    (event, ("event", "false")),
]


@pytest.mark.parametrize(("statement", "says"), SAYS, ids=lambda v: str(v) if isinstance(v, sp.Basic) else "")
def test_both_sides_are_said(statement, says):
    assert _sides(statement, AT) == says


def test_of_what_has_no_sides_the_parts_are_told():
    same, either = sp.Equivalent(x > 0, y > 1), sp.Or(x < 0, y > 1)
    printed, seen = _sides(same, AT)
    assert printed == str(same)
    assert sorted(seen.split("; ")) == ["x > 0 is True", "y > 1 is False"]
    assert _sides(either, AT) == (str(either), "false")
