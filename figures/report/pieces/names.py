"""Symbols, indexed quantities and numbers."""

from __future__ import annotations

from typing import Any

import sympy as sp
from sympy.logic.boolalg import BooleanFalse, BooleanTrue
from sympy.matrices.expressions.matexpr import MatrixElement

from figures.report.markup import join, tag
from figures.report.names import Name, named
from figures.report.pieces.piece import ATOM, POWER, PRODUCT, SUM, Piece, piece


def name_of(expression: Any) -> Name:
    """How a symbol, an indexed quantity or an entry of a matrix is called."""
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
    name = name_of(expression)
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
