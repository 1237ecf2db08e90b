"""Formulas as MathML: what is shown is what was meant, for any expression, and for every formula of the claims."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
import sympy as sp
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from figures.report.mathml import LINE, lines, mathml
from figures.report.names import named
from figures.report.pieces import piece
from tests.reference.mathml import read
from tests.strategies.expressions import X, Y, expressions
from theory.claims import all_claims
from theory.derive.single_filter.theorem_1 import PRINTED_E4, TRUE_E4
from theory.symbols import d, i, lam, over, w, w0_star

POINTS = ({"x": 1.7, "y": 0.6, "z": 2.3}, {"x": 0.4, "y": 3.1, "z": 1.2})


def shown(expression: sp.Basic) -> str:
    """The text of a formula, tags dropped."""
    return re.sub(r"<[^>]*>", "", mathml(expression)).replace("\u2062", "").replace("\u2061", "")


def numbers(expression: sp.Expr) -> list[complex]:
    return [complex(sp.N(expression.subs({sp.Symbol(k): v for k, v in at.items()}))) for at in POINTS]


def plain(expression: sp.Expr) -> sp.Expr:
    return expression.xreplace({s: sp.Symbol(s.name) for s in expression.free_symbols})


@settings(max_examples=80)
@given(st.booleans().flatmap(lambda evaluated: expressions(evaluated=evaluated)), st.sampled_from((LINE, 6.0)))
@example(sp.Mul(-1, X + Y, evaluate=False), LINE)
@example(sp.Pow(sp.Mul(-1, X, evaluate=False), 2, evaluate=False), LINE)
@example(sp.Mul(X, sp.Mul(-1, Y, evaluate=False), evaluate=False), LINE)
@example(sp.Pow(sp.Rational(1, 2), X), LINE)
@example(sp.Pow(sp.Pow(X, 2, evaluate=False), 3, evaluate=False), LINE)
@example(sp.Mul(sp.Rational(3, 2), X + 1, sp.Pow(Y, -2), evaluate=False), LINE)
def test_a_reader_gets_the_expression_back(expression, width):
    expected = numbers(plain(expression))
    assume(all(abs(number) < 1e9 for number in expected))
    assert numbers(read(mathml(expression, width))) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_formulas_of_theorem_1_read_as_in_print():
    assert shown(TRUE_E4) == "w′i=wi(1−2λdi2)"
    assert shown(PRINTED_E4) == "w′i=wi−2λwi(di(2w0∗−2w0)+di2wi)"
    assert shown(over(w[sp.Symbol("m")])) == "∑m=1p−1wm"


def test_scripts_are_below_and_above_their_letter():
    power = ET.fromstring(piece(d[i] ** 2).markup)
    assert [power.tag, *(child.text for child in power)] == ["msubsup", "d", "i", "2"]
    star = ET.fromstring(piece(w0_star).markup)
    assert [star.tag, *(child.text for child in star)] == ["msubsup", "w", "0", "∗"]
    # what has a star already is raised in brackets
    assert shown(w0_star**2) == "(w0∗)2"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lam", "λ"),
        ("w_next", "w′"),
        ("s_max", "smax"),
        ("op_max2", "opmax2"),
        ("var_l", "varl"),
        ("N_l1", "Nl+1"),
        ("size", "|S|"),
        ("total_descent", "total\u00a0descent"),
        ("x'", "x′"),
        ("W2", "W2"),
        ("rho_w", "ρw"),
    ],
)
def test_names_are_set_as_the_papers_have_them(name, text):
    assert re.sub(r"<[^>]*>", "", named(name).markup()) == text


def test_what_is_not_an_operator_of_ours_is_shown_as_sympy_writes_it():
    assert shown(sp.Interval(0, 1)) == "Interval(0, 1)"
    assert "<" not in shown(sp.Symbol("<b>")).replace("&lt;", "")


def test_long_formulas_are_broken_at_relations_and_sums():
    long = sp.Eq(sum(sp.Symbol(f"a{n}") * sp.Symbol(f"b{n}") for n in range(30)), lam, evaluate=False)
    broken = lines(long, 20.0)
    assert [line.indent for line in broken[:2]] == [0, 1]
    assert len(broken) > 3
    assert re.sub(r"<[^>]*>", "", broken[-1].markup) == "=λ"
    assert len(lines(long, 1000.0)) == 1
    both = sp.And(sp.Gt(X, Y, evaluate=False), sp.Lt(X, lam, evaluate=False), evaluate=False)
    assert [re.sub(r"<[^>]*>", "", line.markup).strip("\u00a0") for line in lines(both, 7.0)][1][:3] == "and"


@pytest.mark.parametrize("id_", all_claims())
def test_every_formula_of_the_claims_is_well_formed_and_known(id_):
    claim = all_claims()[id_]
    for clause in claim.clauses:
        steps = clause.derivation().steps
        formulas = [clause.printed, clause.corrected, clause.condition]
        formulas += [control.statement for control in clause.controls]
        formulas += [part for step in steps for part in (step.claim, step.certificate, step.printed)]
        for formula in formulas:
            if formula is not None:
                tree = ET.fromstring(mathml(formula))
                said = {(text.text or "").strip("\u00a0") for text in tree.iter("mtext")}
                # anything else would be SymPy's own spelling of something that the printer does not know
                assert said <= {"and", "or", "true", "false"}, (str(formula), said)
