"""A part of a formula as it is set: its markup, how wide it is, how tightly it binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

from figures.report.markup import Markup, join, tag

EQUIVALENT, OR, AND, RELATION, SUM, PRODUCT, POWER, ATOM = range(1, 9)
"""How tightly the outermost operation of a formula binds."""

TIMES = tag("mo", "\u2062")
DOT = tag("mo", "⋅")
APPLY = tag("mo", "\u2061")


@dataclass(frozen=True)
class Piece:
    """A part of a formula: its markup, its width in ems, how tightly it binds, and whether it is or starts a word."""

    markup: Markup
    width: float
    rank: int = ATOM
    word: bool = False


@singledispatch
def piece(expression: object) -> Piece:
    """A formula as a piece; what is not known is set as SymPy writes it."""
    text = str(expression)
    return Piece(tag("mtext", text), 0.55 * len(text))


def wrapped(inner: Piece, rank: int) -> Piece:
    """The piece, in parentheses if it binds less tightly than `rank`."""
    return inner if inner.rank >= rank else fenced("(", inner, ")")


def fenced(left: str, inner: Piece, right: str) -> Piece:
    """A piece between two fences."""
    # a fence as high as what it holds is wanted around fractions and sums only
    grows = None if any(f"<{tall}" in inner.markup for tall in ("mfrac", "munderover", "msqrt")) else "false"
    before, after = tag("mo", left, stretchy=grows), tag("mo", right, stretchy=grows)
    return Piece(tag("mrow", before, inner.markup, after), inner.width + 0.8)


def listed(parts: Sequence[Piece]) -> Piece:
    """Pieces with commas between them."""
    comma = tag("mo", ",")
    markup = join(*(join(comma if n else Markup(""), part.markup) for n, part in enumerate(parts)))
    return Piece(markup, sum(part.width + 0.6 for part in parts))


def applied(function: str, *arguments: Piece) -> Piece:
    """A function, by name, of its arguments."""
    inside = fenced("(", listed(arguments), ")")
    return Piece(
        tag("mrow", tag("mi", function), APPLY, inside.markup), inside.width + 0.5 * len(function), PRODUCT, True
    )


def one_element(markup: Markup) -> Markup:
    """One element: the markup itself if it is one, else a row."""
    return markup if markup.count("<") == 2 else tag("mrow", markup)


def said(word: str) -> Markup:
    """A word between formulas."""
    return tag("mtext", word.replace(" ", "\u00a0"))
