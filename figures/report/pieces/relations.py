"""Relations and connectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from figures.report.markup import Markup, join, tag
from figures.report.pieces.piece import AND, EQUIVALENT, OR, POWER, RELATION, SUM, Piece, piece, said, wrapped

SIGNS = {"==": "=", "!=": "≠", "<": "<", ">": ">", "<=": "≤", ">=": "≥"}


@piece.register(Relational)
def _(expression: Any) -> Piece:
    left, right = piece(expression.lhs), piece(expression.rhs)
    sign = tag("mo", SIGNS[expression.rel_op])
    left, right = wrapped(left, SUM), wrapped(right, SUM)
    return Piece(join(left.markup, sign, right.markup), left.width + right.width + 1.6, RELATION)


def _connected(parts: Sequence[Any], sign: Markup, rank: int) -> Piece:
    inner = [wrapped(piece(part), rank + 1) for part in parts]
    markup = join(*(join(sign if n else Markup(""), part.markup) for n, part in enumerate(inner)))
    return Piece(markup, sum(part.width + 2.0 for part in inner) - 2.0, rank)


@piece.register(sp.And)
def _(expression: Any) -> Piece:
    return _connected(expression.args, said(" and "), AND)


@piece.register(sp.Or)
def _(expression: Any) -> Piece:
    return _connected(expression.args, said(" or "), OR)


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
