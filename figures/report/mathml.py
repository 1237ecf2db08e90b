"""Formulas as MathML, which browsers set without scripts: SymPy expressions in the papers' letters.

SymPy's own printer sets `w_next[i]` as a function of i and never breaks a line; this one knows the names of the claims
(`figures.report.names`), puts a positive term first, and breaks what is too long at relations, connectives and sums.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from figures.report.markup import Markup, join, tag
from figures.report.pieces import Piece, piece
from figures.report.pieces.piece import SUM, said
from figures.report.pieces.relations import SIGNS
from figures.report.pieces.sums import set_term, terms_of

LINE = 38.0
"""Width of a line, in ems: a longer formula is broken where it can be."""


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
            [(Markup(""), 0, expression.args[0]), *((said(word), 0, e) for e in expression.args[1:])], width, indent
        )
    if isinstance(expression, sp.Implies | sp.Equivalent):
        arrow = "⟹" if isinstance(expression, sp.Implies) else "⟺"
        return _stacked(
            [(Markup(""), 0, expression.args[0]), *((tag("mo", arrow), 1, e) for e in expression.args[1:])],
            width,
            indent,
        )
    if isinstance(expression, Relational):
        sign = tag("mo", SIGNS[expression.rel_op])
        return _stacked([(Markup(""), 0, expression.lhs), (sign, 1, expression.rhs)], width, indent)
    if isinstance(expression, sp.Add):
        return _broken_sum(list(terms_of(expression)), room, indent)
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
        text, wide = set_term(sign, term, first=n == 0)
        if row and width + wide > room - 2:
            rows.append((indent + bool(rows), Piece(row, width, SUM)))
            row, width = Markup(""), 0.0
        row, width = join(row, text), width + wide
    return [*rows, (indent + bool(rows), Piece(row, width, SUM))]


def _after(lead: Markup, rest: Piece) -> Piece:
    return Piece(join(lead, rest.markup), rest.width + 1.5, rest.rank) if lead else rest
