"""Formulas as MathML, which browsers set without scripts: SymPy expressions in the papers' letters.

SymPy's own printer sets `w_next[i]` as a function of i and never breaks a line; this one knows the names of the claims
(`figures.report.names`), puts a positive term first, and breaks what is too long at relations, connectives and sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanFalse, BooleanTrue
from sympy.matrices.expressions.matexpr import MatrixElement

from figures.report.markup import Markup, join, tag
from figures.report.names import Name, named, scripts

EQUIVALENT, OR, AND, RELATION, SUM, PRODUCT, POWER, ATOM = range(1, 9)
"""How tightly the outermost operation of a formula binds."""

LINE = 38.0
"""Width of a line, in ems: a longer formula is broken where it can be."""

_TIMES = tag("mo", "\u2062")
_DOT = tag("mo", "⋅")
_APPLY = tag("mo", "\u2061")


@dataclass(frozen=True)
class Piece:
    """A part of a formula: its markup, its width in ems, how tightly it binds, and whether it is or starts a word."""

    markup: Markup
    width: float
    rank: int = ATOM
    word: bool = False


@dataclass(frozen=True)
class Line:
    """A line of a formula, indented by this many steps."""

    markup: Markup
    indent: int


def mathml(expression: sp.Basic, width: float = LINE) -> Markup:
    """The formula as one `math` element a line, in a `div`; what cannot be broken may be wider than `width` ems."""
    return tag(
        "div",
        *(
            tag(
                "div",
                tag("math", line.markup, displaystyle="true"),
                class_=f"line in{line.indent}" if line.indent else "line",
            )
            for line in lines(expression, width)
        ),
        class_="formula",
    )


def lines(expression: sp.Basic, width: float = LINE) -> list[Line]:
    """The formula broken into lines."""
    return [Line(piece.markup, min(indent, 4)) for indent, piece in _broken(expression, width, 0)]


def _broken(expression: Any, width: float, indent: int) -> list[tuple[int, Piece]]:
    whole = piece(expression)
    room = width - 2 * indent
    if whole.width <= room:
        return [(indent, whole)]
    if isinstance(expression, sp.And | sp.Or):
        word = " and " if isinstance(expression, sp.And) else " or "
        return _stacked(
            [(Markup(""), 0, expression.args[0]), *((_said(word), 0, e) for e in expression.args[1:])], width, indent
        )
    if isinstance(expression, sp.Implies | sp.Equivalent):
        arrow = "⟹" if isinstance(expression, sp.Implies) else "⟺"
        return _stacked(
            [(Markup(""), 0, expression.args[0]), *((tag("mo", arrow), 1, e) for e in expression.args[1:])],
            width,
            indent,
        )
    if isinstance(expression, Relational):
        sign = tag("mo", _RELATIONS[expression.rel_op])
        return _stacked([(Markup(""), 0, expression.lhs), (sign, 1, expression.rhs)], width, indent)
    if isinstance(expression, sp.Add):
        return _broken_sum(list(_terms(expression)), room, indent)
    return [(indent, whole)]


def _stacked(parts: list[tuple[Markup, int, Any]], width: float, indent: int) -> list[tuple[int, Piece]]:
    found: list[tuple[int, Piece]] = []
    for lead, deeper, part in parts:
        first, *more = _broken(part, width - 1.5, indent + deeper)
        found.append((first[0], _after(lead, first[1])))
        found += more
    return found


def _broken_sum(terms: list[tuple[str, Piece]], room: float, indent: int) -> list[tuple[int, Piece]]:
    rows: list[tuple[int, Piece]] = []
    row, width = Markup(""), 0.0
    for n, (sign, term) in enumerate(terms):
        text, wide = _signed(sign, term, first=n == 0)
        if row and width + wide > room - 2:
            rows.append((indent + bool(rows), Piece(row, width, SUM)))
            row, width = Markup(""), 0.0
        row, width = join(row, text), width + wide
    return [*rows, (indent + bool(rows), Piece(row, width, SUM))]


def _after(lead: Markup, rest: Piece) -> Piece:
    return Piece(join(lead, rest.markup), rest.width + 1.5, rest.rank) if lead else rest


def _row(markup: Markup) -> Markup:
    """One element: the markup itself if it is one, else a row."""
    return markup if markup.count("<") == 2 else tag("mrow", markup)


def _said(word: str) -> Markup:
    return tag("mtext", word.replace(" ", "\u00a0"))


@singledispatch
def piece(expression: object) -> Piece:
    """A formula as a piece; what is not known is set as SymPy writes it."""
    text = str(expression)
    return Piece(tag("mtext", text), 0.55 * len(text))


def wrapped(inner: Piece, rank: int) -> Piece:
    """The piece, in parentheses if it binds less tightly than `rank`."""
    return inner if inner.rank >= rank else _fenced("(", inner, ")")


def _fenced(left: str, inner: Piece, right: str) -> Piece:
    # a fence as high as what it holds is wanted around fractions and sums only
    grows = None if any(f"<{tall}" in inner.markup for tall in ("mfrac", "munderover", "msqrt")) else "false"
    before, after = tag("mo", left, stretchy=grows), tag("mo", right, stretchy=grows)
    return Piece(tag("mrow", before, inner.markup, after), inner.width + 0.8)


def _listed(parts: Sequence[Piece]) -> Piece:
    comma = tag("mo", ",")
    markup = join(*(join(comma if n else Markup(""), part.markup) for n, part in enumerate(parts)))
    return Piece(markup, sum(part.width + 0.6 for part in parts))


def _applied(function: str, *arguments: Piece) -> Piece:
    inside = _fenced("(", _listed(arguments), ")")
    return Piece(
        tag("mrow", tag("mi", function), _APPLY, inside.markup), inside.width + 0.5 * len(function), PRODUCT, True
    )


# symbols and numbers


def _name(expression: Any) -> Name:
    if isinstance(expression, sp.Indexed):
        return named(str(expression.base), [piece(index).markup for index in expression.indices])
    if isinstance(expression, MatrixElement):
        return named(str(expression.parent), [piece(expression.i).markup, piece(expression.j).markup])
    return named(str(expression.name))


@piece.register(sp.Symbol)
@piece.register(sp.MatrixSymbol)
@piece.register(sp.Indexed)
@piece.register(MatrixElement)
def _(expression: Any) -> Piece:
    name = _name(expression)
    return Piece(name.markup(), name.width, POWER if name.above or name.primed else ATOM, name.word)


@piece.register(sp.Integer)
def _(expression: Any) -> Piece:
    text = str(abs(int(expression)))
    number = tag("mn", text)
    return (
        Piece(number, 0.5 * len(text))
        if expression >= 0
        else Piece(join(tag("mo", "−"), number), 0.5 * len(text) + 0.7, SUM)
    )


@piece.register(sp.Rational)
def _(expression: Any) -> Piece:
    over = tag("mfrac", tag("mn", str(abs(expression.p))), tag("mn", str(expression.q)))
    width = 0.5 * max(len(str(abs(expression.p))), len(str(expression.q)))
    return Piece(over, width, PRODUCT) if expression.p >= 0 else Piece(join(tag("mo", "−"), over), width + 0.7, SUM)


@piece.register(type(sp.pi))
def _(_: Any) -> Piece:
    return Piece(tag("mi", "π"), 0.6)


@piece.register(type(sp.I))
def _(_: Any) -> Piece:
    return Piece(tag("mi", "i", mathvariant="normal"), 0.4)


@piece.register(type(sp.oo))
def _(_: Any) -> Piece:
    return Piece(tag("mi", "∞"), 1.0)


@piece.register(BooleanTrue)
@piece.register(BooleanFalse)
def _(expression: Any) -> Piece:
    return Piece(tag("mtext", "true" if expression else "false"), 2.0)


# sums, products, powers


def _terms(expression: Any) -> Iterator[tuple[str, Piece]]:
    """The terms of a sum with their signs, a positive one first; numbers and symbols stand before the rest."""
    terms = expression.args if isinstance(expression, sp.MatAdd) else expression.as_ordered_terms()
    signed = [("−", -term) if _negative(term) else ("+", term) for term in terms]
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


def _negative(term: Any) -> bool:
    coefficient = term.as_coeff_Mul()[0] if hasattr(term, "as_coeff_Mul") else term.as_coeff_mmul()[0]
    return bool(coefficient.is_number and coefficient.is_extended_real and coefficient < 0)


def _signed(sign: str, term: Piece, *, first: bool) -> tuple[Markup, float]:
    inner = wrapped(term, PRODUCT)
    if first and sign == "+":
        return inner.markup, inner.width
    return join(tag("mo", sign, form="prefix" if first else "infix"), inner.markup), inner.width + 1.2


@piece.register(sp.Add)
@piece.register(sp.MatAdd)
def _(expression: Any) -> Piece:
    parts = [_signed(sign, term, first=n == 0) for n, (sign, term) in enumerate(_terms(expression))]
    return Piece(join(*(markup for markup, _ in parts)), sum(width for _, width in parts), SUM)


@piece.register(sp.Mul)
def _(expression: Any) -> Piece:
    above, below, negative = _over_and_under(expression.args)
    top = _product(above)
    if below:
        bottom = _product(below)
        width = max(top.width, bottom.width) + 0.4
        top = Piece(tag("mfrac", _row(top.markup), _row(bottom.markup)), width, PRODUCT)
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
        elif isinstance(factor, sp.Pow) and _negative(factor.exp):
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
        inner = _fenced("(", inner, ")") if open_ended else wrapped(inner, PRODUCT)
        between = Markup("")
        if last is not None:
            digits = inner.markup.startswith(("<mn>", "<mfrac><mn>"))
            between = _DOT if last.word or inner.word or digits else _TIMES
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
        front = tag("mfrac", tag("mn", "1"), _row(bottom.markup))
        inner = Piece(join(front, _TIMES, inner.markup), inner.width + bottom.width, PRODUCT)
    return _with_sign(inner, negative)


@piece.register(sp.Pow)
@piece.register(sp.MatPow)
def _(expression: Any) -> Piece:
    base, exponent = expression.args
    if _negative(exponent):
        below = piece(base if exponent == -1 else sp.Pow(base, -exponent, evaluate=False))
        return Piece(tag("mfrac", tag("mn", "1"), _row(below.markup)), below.width + 0.4, PRODUCT)
    if exponent.is_Rational and exponent.p == 1 and exponent.q > 1:
        inside = piece(base)
        if exponent.q == 2:
            return Piece(tag("msqrt", inside.markup), inside.width + 0.8, POWER)
        return Piece(tag("mroot", _row(inside.markup), tag("mn", str(exponent.q))), inside.width + 1.0, POWER)
    return _power_of_name(base, piece(exponent)) or _raised(piece(base), piece(exponent))


def _power_of_name(expression: Any, exponent: Piece) -> Piece | None:
    """A symbol's power with the exponent above its indices; None for what has something above it already."""
    name = _name(expression) if isinstance(expression, sp.Symbol | sp.Indexed) else None
    if name is None or name.above or name.primed:
        return None
    markup = scripts(name.core, name.below, (exponent.markup,))
    return Piece(markup, name.width + 0.7 * exponent.width, POWER, name.word)


def _raised(base: Piece, exponent: Piece) -> Piece:
    inner = wrapped(base, ATOM)
    markup = tag("msup", _row(inner.markup), _row(exponent.markup))
    return Piece(markup, inner.width + 0.7 * exponent.width, POWER, inner.word)


@piece.register(sp.Sum)
@piece.register(sp.Product)
def _(expression: Any) -> Piece:
    body = wrapped(piece(expression.function), PRODUCT)
    operator = tag("mo", "∑" if isinstance(expression, sp.Sum) else "∏")
    markup, width = body.markup, body.width
    for index, low, high in reversed(expression.limits):
        under = tag("mrow", piece(index).markup, tag("mo", "="), piece(low).markup)
        markup = join(tag("munderover", operator, under, _row(piece(high).markup)), markup)
        width += 2.0
    return Piece(markup, width, PRODUCT)


# functions


_FUNCTIONS = {"acos": "arccos", "asin": "arcsin", "atan": "arctan", "sign": "sgn", "Max": "max", "Min": "min"}


@piece.register(sp.Function)
@piece.register(sp.Max)
@piece.register(sp.Min)
@piece.register(AppliedUndef)
def _(expression: Any) -> Piece:
    name = expression.func.__name__
    return _applied(_FUNCTIONS.get(name, name), *(piece(argument) for argument in expression.args))


@piece.register(sp.Trace)
def _(expression: Any) -> Piece:
    return _applied("tr", piece(expression.arg))


@piece.register(sp.exp)
def _(expression: Any) -> Piece:
    return _raised(Piece(tag("mi", "e", mathvariant="normal"), 0.5), piece(expression.args[0]))


@piece.register(sp.Abs)
def _(expression: Any) -> Piece:
    return _fenced("|", piece(expression.args[0]), "|")


@piece.register(sp.KroneckerDelta)
def _(expression: Any) -> Piece:
    indices = [piece(argument).markup for argument in expression.args]
    return Piece(scripts(tag("mi", "δ"), indices, ()), 1.6)


@piece.register(sp.Derivative)
def _(expression: Any) -> Piece:
    inside = piece(expression.expr)
    by = [join(tag("mi", "d", mathvariant="normal"), piece(variable).markup) for variable in expression.variables]
    above = tag("mrow", tag("mi", "d", mathvariant="normal"), inside.markup)
    return Piece(tag("mfrac", above, tag("mrow", *by)), inside.width + 1.0, PRODUCT)


@piece.register(sp.Transpose)
def _(expression: Any) -> Piece:
    return _raised(piece(expression.arg), Piece(tag("mo", "⊤"), 0.8))


@piece.register(sp.Identity)
def _(_: Any) -> Piece:
    return Piece(tag("mi", "I"), 0.6)


@piece.register(sp.Tuple)
def _(expression: Any) -> Piece:
    return _fenced("(", _listed([piece(part) for part in expression.args]), ")")


# relations and connectives

_RELATIONS = {"==": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}


@piece.register(Relational)
def _(expression: Any) -> Piece:
    left, right = piece(expression.lhs), piece(expression.rhs)
    sign = tag("mo", _RELATIONS[expression.rel_op])
    left, right = wrapped(left, SUM), wrapped(right, SUM)
    return Piece(join(left.markup, sign, right.markup), left.width + right.width + 1.6, RELATION)


def _connected(parts: Sequence[Any], sign: Markup, rank: int) -> Piece:
    inner = [wrapped(piece(part), rank + 1) for part in parts]
    markup = join(*(join(sign if n else Markup(""), part.markup) for n, part in enumerate(inner)))
    return Piece(markup, sum(part.width + 2.0 for part in inner) - 2.0, rank)


@piece.register(sp.And)
def _(expression: Any) -> Piece:
    return _connected(expression.args, _said(" and "), AND)


@piece.register(sp.Or)
def _(expression: Any) -> Piece:
    return _connected(expression.args, _said(" or "), OR)


@piece.register(sp.Implies)
def _(expression: Any) -> Piece:
    return _connected(expression.args, tag("mo", "⟹"), EQUIVALENT)


@piece.register(sp.Equivalent)
def _(expression: Any) -> Piece:
    return _connected(expression.args, tag("mo", "⟺"), EQUIVALENT)


@piece.register(sp.Not)
def _(expression: Any) -> Piece:
    inner = wrapped(piece(expression.args[0]), POWER)
    return Piece(join(tag("mo", "¬"), inner.markup), inner.width + 0.8, RELATION)
