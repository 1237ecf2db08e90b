"""Functions, derivatives, transposes, tuples."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from figures.report.markup import join, tag
from figures.report.names import scripts
from figures.report.pieces.piece import PRODUCT, Piece, applied, fenced, listed, piece
from figures.report.pieces.powers import raised

_FUNCTIONS = {"acos": "arccos", "asin": "arcsin", "atan": "arctan", "sign": "sgn", "Max": "max", "Min": "min"}


@piece.register(sp.Function)
@piece.register(sp.Max)
@piece.register(sp.Min)
@piece.register(AppliedUndef)
def _(expression: Any) -> Piece:
    name = expression.func.__name__
    return applied(_FUNCTIONS.get(name, name), *(piece(argument) for argument in expression.args))


@piece.register(sp.Trace)
def _(expression: Any) -> Piece:
    return applied("tr", piece(expression.arg))


@piece.register(sp.exp)
def _(expression: Any) -> Piece:
    return raised(Piece(tag("mi", "e", mathvariant="normal"), 0.5), piece(expression.args[0]))


@piece.register(sp.Abs)
def _(expression: Any) -> Piece:
    return fenced("|", piece(expression.args[0]), "|")


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
    return raised(piece(expression.arg), Piece(tag("mo", "⊤"), 0.8))


@piece.register(sp.Identity)
def _(_: Any) -> Piece:
    return Piece(tag("mi", "I"), 0.6)


@piece.register(sp.Tuple)
def _(expression: Any) -> Piece:
    return fenced("(", listed([piece(part) for part in expression.args]), ")")
