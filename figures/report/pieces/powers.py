"""Powers, roots and reciprocals."""

from __future__ import annotations

from typing import Any

import sympy as sp

from figures.report.markup import tag
from figures.report.names import scripts
from figures.report.pieces.names import name_of
from figures.report.pieces.piece import ATOM, POWER, PRODUCT, Piece, one_element, piece, wrapped
from figures.report.pieces.sums import is_negative


@piece.register(sp.Pow)
@piece.register(sp.MatPow)
def _(expression: Any) -> Piece:
    base, exponent = expression.args
    if is_negative(exponent):
        below = piece(base if exponent == -1 else sp.Pow(base, -exponent, evaluate=False))
        return Piece(tag("mfrac", tag("mn", "1"), one_element(below.markup)), below.width + 0.4, PRODUCT)
    if exponent.is_Rational and exponent.p == 1 and exponent.q > 1:
        inside = piece(base)
        if exponent.q == 2:
            return Piece(tag("msqrt", inside.markup), inside.width + 0.8, POWER)
        return Piece(tag("mroot", one_element(inside.markup), tag("mn", str(exponent.q))), inside.width + 1.0, POWER)
    return _power_of_name(base, piece(exponent)) or raised(piece(base), piece(exponent))


def _power_of_name(expression: Any, exponent: Piece) -> Piece | None:
    """A symbol's power with the exponent above its indices; None for what has something above it already."""
    name = name_of(expression) if isinstance(expression, sp.Symbol | sp.Indexed) else None
    if name is None or name.above or name.primed:
        return None
    markup = scripts(name.core, name.below, (exponent.markup,))
    return Piece(markup, name.width + 0.7 * exponent.width, POWER, name.word)


def raised(base: Piece, exponent: Piece) -> Piece:
    """A piece with another above its right end."""
    inner = wrapped(base, ATOM)
    markup = tag("msup", one_element(inner.markup), one_element(exponent.markup))
    return Piece(markup, inner.width + 0.7 * exponent.width, POWER, inner.word)
