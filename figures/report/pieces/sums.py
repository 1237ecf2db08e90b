"""Sums and products: signs before terms, fractions, a dot where factors would run together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp

from figures.report.markup import Markup, join, tag
from figures.report.pieces.piece import DOT, PRODUCT, SUM, TIMES, Piece, fenced, one_element, piece, wrapped


def terms_of(expression: Any) -> Iterator[tuple[str, Piece]]:
    """The terms of a sum with their signs, a positive one first; numbers and symbols stand before the rest."""
    terms = expression.args if isinstance(expression, sp.MatAdd) else expression.as_ordered_terms()
    signed = [("−", -term) if is_negative(term) else ("+", term) for term in terms]
    signed.sort(key=_place)
    first = next((n for n, (sign, _) in enumerate(signed) if sign == "+"), 0)
    for sign, term in (signed[first], *signed[:first], *signed[first + 1 :]):
        yield sign, piece(term)


def _place(signed: tuple[str, Any]) -> int:
    """Positive numbers stand before positive symbols, and both before the rest."""
    sign, term = signed
    if sign == "+" and term.is_Rational:
        return 0
    return 1 if sign == "+" and isinstance(term, sp.Symbol | sp.Indexed) else 2


def is_negative(term: Any) -> bool:
    """Whether the number in front of a term is negative."""
    coefficient = term.as_coeff_Mul()[0] if hasattr(term, "as_coeff_Mul") else term.as_coeff_mmul()[0]
    return bool(coefficient.is_number and coefficient.is_extended_real and coefficient < 0)


def set_term(sign: str, term: Piece, *, first: bool) -> tuple[Markup, float]:
    """A term with its sign, which a positive first one goes without, and its width."""
    inner = wrapped(term, PRODUCT)
    if first and sign == "+":
        return inner.markup, inner.width
    return join(tag("mo", sign, form="prefix" if first else "infix"), inner.markup), inner.width + 1.2


@piece.register(sp.Add)
@piece.register(sp.MatAdd)
def _(expression: Any) -> Piece:
    parts = [set_term(sign, term, first=n == 0) for n, (sign, term) in enumerate(terms_of(expression))]
    return Piece(join(*(markup for markup, _ in parts)), sum(width for _, width in parts), SUM)


@piece.register(sp.Mul)
def _(expression: Any) -> Piece:
    above, below, negative = _over_and_under(expression.args)
    top = _product(above)
    if below:
        bottom = _product(below)
        width = max(top.width, bottom.width) + 0.4
        top = Piece(tag("mfrac", one_element(top.markup), one_element(bottom.markup)), width, PRODUCT)
    return _with_sign(top, negative)


def _with_sign(product: Piece, negative: bool) -> Piece:
    """A product, with a minus sign before it if it is negative."""
    inner = wrapped(product, PRODUCT)
    if not negative:
        return inner
    return Piece(join(tag("mo", "−", form="prefix"), inner.markup), inner.width + 0.7, SUM)


def _over_and_under(factors: Sequence[Any]) -> tuple[list[Any], list[Any], bool]:
    """The factors above and below the fraction line, and whether the product has a minus sign before it."""
    above: list[Any] = []
    below: list[Any] = []
    scalar = sp.Integer(1)
    for factor in factors:
        if factor.is_Rational:
            scalar *= factor
        elif isinstance(factor, sp.Pow) and is_negative(factor.exp):
            below.append(sp.Pow(factor.base, -factor.exp, evaluate=False) if factor.exp != -1 else factor.base)
        else:
            above.append(factor)
    ordered = sorted(above, key=lambda f: (isinstance(f, sp.Sum | sp.Product), isinstance(f, sp.Add)))
    if abs(scalar.p) != 1 or not ordered:
        ordered.insert(0, sp.Integer(abs(scalar.p)))
    if scalar.q != 1:
        below.insert(0, sp.Integer(scalar.q))
    return ordered, below, bool(scalar < 0)


def _product(factors: Sequence[Any]) -> Piece:
    """Factors side by side; a dot stands between two numbers and beside words, whose ends would not be seen."""
    if len(factors) == 1:
        return piece(factors[0])
    markup, width, last = Markup(""), 0.0, None
    for n, factor in enumerate(factors):
        inner = piece(factor)
        open_ended = isinstance(factor, sp.Sum | sp.Product) and n < len(factors) - 1
        inner = fenced("(", inner, ")") if open_ended else wrapped(inner, PRODUCT)
        between = Markup("")
        if last is not None:
            digits = inner.markup.startswith(("<mn>", "<mfrac><mn>"))
            between = DOT if last.word or inner.word or digits else TIMES
        markup, width, last = join(markup, between, inner.markup), width + inner.width + 0.2, inner
    return Piece(markup, width, PRODUCT, bool(last and last.word))


@piece.register(sp.MatMul)
def _(expression: Any) -> Piece:
    scalar, matrices = expression.as_coeff_matrices()
    above, below, negative = _over_and_under(sp.Mul.make_args(scalar))
    factors = [factor for factor in above if factor != 1]
    inner = _product([*factors, *matrices])
    if below:
        bottom = _product(below)
        front = tag("mfrac", tag("mn", "1"), one_element(bottom.markup))
        inner = Piece(join(front, TIMES, inner.markup), inner.width + bottom.width, PRODUCT)
    return _with_sign(inner, negative)


@piece.register(sp.Sum)
@piece.register(sp.Product)
def _(expression: Any) -> Piece:
    body = wrapped(piece(expression.function), PRODUCT)
    operator = tag("mo", "∑" if isinstance(expression, sp.Sum) else "∏")
    markup, width = body.markup, body.width
    for index, low, high in reversed(expression.limits):
        under = tag("mrow", piece(index).markup, tag("mo", "="), piece(low).markup)
        markup = join(tag("munderover", operator, under, one_element(piece(high).markup)), markup)
        width += 2.0
    return Piece(markup, width, PRODUCT)
