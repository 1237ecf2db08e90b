"""Traces: the normal form keeps the value, decides the identities of matrix algebra, and tells unequal words apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.algebra import vanishes
from theory.derivation import Step, equal
from theory.evaluate import value
from theory.traces import OrthogonalSymbol, collected

n, m = sp.symbols("n m", integer=True, positive=True)
x = sp.Symbol("x", real=True)
A, B, C = (sp.MatrixSymbol(name, n, n) for name in "ABC")
W = sp.MatrixSymbol("W", m, n)
Q = OrthogonalSymbol("Q", n, n)
TURN = [[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]]
POINT = {
    "n": 2,
    "x": Fraction(3, 7),
    "A": [[1, 2], [-3, 5]],
    "B": [[2, -1], [7, 4]],
    "C": [[0, 3], [1, -2]],
    "Q": TURN,
}

letters = st.sampled_from((A, B, C, Q, A.T, B.T, C.T, Q.T))
words = st.lists(letters, min_size=1, max_size=4).map(lambda parts: sp.MatMul(*parts))
traces = st.tuples(st.integers(-2, 2), words, words).map(lambda t: t[0] * sp.Trace(t[1] + x * t[2]))


@given(traces, traces)
def test_the_normal_form_keeps_the_value(first: sp.Expr, second: sp.Expr) -> None:
    whole = first + second
    assert value(collected(whole), POINT, exact=True) == value(whole, POINT, exact=True)


@given(words, words)
def test_it_decides_equality_of_traces_as_a_point_does(first: sp.MatrixExpr, second: sp.MatrixExpr) -> None:
    difference = sp.Trace(first) - sp.Trace(second)
    if vanishes(difference):
        assert value(difference, POINT, exact=True) == 0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sp.Trace(A * B * C), sp.Trace(C * A * B)),
        (sp.Trace(A * B), sp.Trace(B.T * A.T)),
        (sp.Trace(A * (B + x * C)), sp.Trace(B * A) + x * sp.Trace(C * A)),
        (sp.Trace((A * B).T * C), sp.Trace(B.T * A.T * C)),
        (sp.Trace(Q.T * A * Q), sp.Trace(A)),
        (sp.Trace(A * Q * Q.T * B), sp.Trace(A * B)),
        (sp.Trace(A * Q.T * Q * B), sp.Trace(A * B)),
        (sp.Trace(Q * A * B * Q.T), sp.Trace(A * B)),
        (sp.Trace(Q.T * Q), n),
        (sp.Trace(W * A * W.T), sp.Trace(W.T * W * A)),
    ],
    ids=str,
)
def test_identities(left: sp.Expr, right: sp.Expr) -> None:
    assert Step("", equal(left, right)).proven()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sp.Trace(A * B * C), sp.Trace(A * C * B)),
        (sp.Trace(A * B), sp.Trace(A * B.T)),
        (sp.Trace(A), -sp.Trace(A)),
        (sp.Trace(Q * A * Q), sp.Trace(A)),
        (sp.Trace(A.T * A), n),
        (sp.Trace(A * B), 2 * sp.Trace(A * B)),
        (sp.Trace(A), sp.Integer(0)),
    ],
    ids=str,
)
def test_what_is_unequal_stays_unequal(left: sp.Expr, right: sp.Expr) -> None:
    assert not Step("", equal(left, right)).proven()


@pytest.mark.parametrize("expression", [sp.Trace(A) ** 2, sp.Trace(A) * sp.Trace(B), sp.exp(sp.Trace(A))], ids=str)
def test_traces_must_be_linear(expression: sp.Expr) -> None:
    with pytest.raises(ValueError, match="traces must occur linearly"):
        collected(expression)


def test_traces_of_other_functions_are_refused() -> None:
    with pytest.raises(ValueError, match="sums and products of matrix symbols, got A\\*\\*\\(-1\\)"):
        collected(sp.Trace(A.I))


def test_traces_of_float_batches_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    values = {name: rng.normal(size=(3, 3, 5)) for name in "ABC"}
    seen = value(2 * sp.Trace(A.T * (B - x * C)), {**values, "x": 0.5}, exact=False)
    for k in range(5):
        a, b, c = (values[name][..., k] for name in "ABC")
        assert seen[k] == pytest.approx(2 * np.trace(a.T @ (b - 0.5 * c)), rel=1e-13)


def test_matrices_that_cannot_be_evaluated_are_named() -> None:
    with pytest.raises(TypeError, match="cannot evaluate the matrix"):
        value(sp.Trace(sp.Inverse(A)), POINT, exact=True)


def test_zero_and_identity_matrices_add_and_multiply_nothing() -> None:
    zero, one = sp.ZeroMatrix(n, n), sp.Identity(n)
    assert collected(sp.Trace(sp.MatAdd(A, zero, evaluate=False))) == sp.Trace(sp.MatMul(A))
    assert collected(sp.Trace(sp.MatMul(A, one, evaluate=False))) == sp.Trace(sp.MatMul(A))


def test_an_identity_among_the_terms_counts_its_rows() -> None:
    assert collected(sp.Trace(A + 3 * sp.Identity(n))) == sp.Trace(sp.MatMul(A)) + 3 * n
