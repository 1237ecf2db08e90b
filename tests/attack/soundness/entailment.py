"""Whether a statement follows, tried at exact points by SymPy's own substitution and comparison.

The suite decides entailment by `theory.entailment.follows` and evaluates by `theory.evaluate`; neither is used here.
What is known is a set of statements; a point gives every atom in them (symbols, entries of indexed quantities,
matrices) a rational value that fits its assumptions and makes all of them true. A point at which the statement is
false shows that it does not follow, whatever the suite says.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

Point = dict[sp.Basic, sp.Basic]
_POSITIVE = tuple(map(sp.Rational, ("1/3", "1/2", "3/4", "1", "5/4", "2", "3")))
_TURNS = (sp.Matrix([[0, 1], [-1, 0]]), sp.Matrix([[3, 4], [-4, 3]]) / 5, sp.Matrix([[1, 0], [0, -1]]))
_DIGITS = 40


@dataclass(frozen=True)
class Tried:
    """At how many points everything known is true, and one at which the statement is false all the same, if any."""

    points: int
    witness: Mapping[sp.Basic, sp.Basic] | None


def tried(
    known: Sequence[Boolean], statement: Boolean, rng: np.random.Generator, *, enough: int = 8, draws: int = 48
) -> Tried:
    """Draw points until `enough` satisfy what is known, or `draws` are used up; in four rounds of other sizes."""
    points = 0
    for _ in range(4):
        sizes = _sizes(sp.Tuple(statement, *known), rng)
        try:
            *parts, asked = (_in_full(part, sizes) for part in (*known, statement))
        except (TypeError, ValueError):
            # no value at these sizes: a quotient by zero
            continue
        flat = [piece for part in parts for piece in sp.And.make_args(part)]
        rules = _rules(flat)
        for _ in range(draws // 4):
            found = _judged_at_a_point(flat, asked, rules, rng)
            if found is None:
                continue
            truth, point = found
            if not truth:
                return Tried(points, {**sizes, **point})
            points += 1
            if points % (enough // 4) == 0:
                break
    return Tried(points, None)


def _judged_at_a_point(
    known: Sequence[Boolean], asked: Boolean, rules: Point, rng: np.random.Generator
) -> tuple[bool, Point] | None:
    """Whether the statement is true at a random point, and the point; None if something known is false there."""
    try:
        point = _point(known, asked, rules, rng)
        if point is None or not all(_truth(part, point) for part in known):
            return None
        truth = _truth(asked, point)
    except (TypeError, ValueError):
        # a maximum over a quotient by zero has no value
        return None
    return None if truth is None else (truth, point)


def _sizes(joint: sp.Tuple, rng: np.random.Generator) -> Point:
    """Values for what says how many or which one: p, then i in 1..p-1 and j in 0..p-1, other integers up to 3."""
    labels = {entry.base.label for entry in joint.atoms(sp.Indexed)}
    p = int(rng.integers(2, 4))
    ranges = {"p": (p, p + 1), "i": (1, p), "j": (0, p)}
    sizes: Point = {}
    for symbol in sorted(joint.free_symbols, key=str):
        if isinstance(symbol, sp.Symbol) and symbol not in labels and symbol.is_integer:
            low, high = ranges.get(symbol.name, (1 if symbol.is_positive else 0, 4))
            sizes[symbol] = sp.Integer(int(rng.integers(low, high)))
    # matrices of any sizes: all are 2 x 2, so that products fit
    shapes = {n for matrix in joint.atoms(sp.MatrixSymbol) for n in matrix.shape if isinstance(n, sp.Symbol)}
    return {**sizes, **dict.fromkeys(shapes, sp.Integer(2))}


def _in_full(statement: sp.Basic, sizes: Point) -> Any:
    """The statement with its sizes and indices filled in, and its sums and products written out."""
    filled = statement.xreplace(sizes)
    ranges = {term: term.doit() for term in filled.atoms(sp.Sum, sp.Product)}
    return filled.xreplace(ranges)


def _rules(known: Sequence[sp.Basic]) -> Point:
    """For each equation that is linear in some atom: this atom, and what it must be; no atom twice."""
    rules: Point = {}
    for part in known:
        if not isinstance(part, sp.Equality):
            continue
        if part.lhs in _atoms(part.lhs) and part.lhs not in rules and not part.rhs.has(part.lhs):
            rules[part.lhs] = part.rhs
            continue
        if part.atoms(sp.MatrixSymbol):
            continue
        for atom in sorted(_atoms(part), key=_freedom):
            slope = sp.diff(part.lhs - part.rhs, atom)
            if atom not in rules and slope != 0 and not slope.has(atom) and not slope.has(sp.Derivative, sp.Subs):
                rules[atom] = -(part.lhs - part.rhs).xreplace({atom: sp.Integer(0)}) / slope
                break
    return rules


def _freedom(atom: sp.Basic) -> tuple[bool, bool, str]:
    """Sorts the atoms that take any value first: an equation is solved for one of these."""
    return bool(atom.is_nonnegative), isinstance(atom, sp.Symbol), str(atom)


def _atoms(expression: sp.Basic) -> set[sp.Basic]:
    """Its entries of indexed quantities, and its symbols."""
    entries = expression.atoms(sp.Indexed)
    labels = {entry.base.label for entry in entries}
    return entries | {s for s in expression.free_symbols if isinstance(s, sp.Symbol) and s not in labels}


def _point(known: Sequence[sp.Basic], asked: sp.Basic, rules: Point, rng: np.random.Generator) -> Point | None:
    """Random values; but what must equal an expression in the others is given that value."""
    joint = sp.Tuple(asked, *known)
    matrices = sorted(joint.atoms(sp.MatrixSymbol), key=str)
    atoms = sorted(_atoms(joint) - set(matrices), key=str)
    point: Point = {matrix: _matrix(matrix, rng) for matrix in matrices}
    point.update({atom: _random(atom, rng) for atom in atoms if atom not in rules})
    for _ in rules:
        for atom, expression in rules.items():
            if atom not in point and not (_atoms(expression) & set(rules)) - set(point):
                point[atom] = _number(expression, point)
    if any(atom not in point or not _fits(atom, point[atom]) for atom in rules):
        return None
    return point


def _matrix(symbol: sp.MatrixSymbol, rng: np.random.Generator) -> sp.Basic:
    if type(symbol).__name__ == "OrthogonalSymbol":
        return sp.ImmutableMatrix(_TURNS[int(rng.integers(len(_TURNS)))])
    rows, columns = (int(n) for n in symbol.shape)
    return sp.ImmutableMatrix(rows, columns, [int(v) for v in rng.integers(-2, 3, size=rows * columns)])


def _random(atom: sp.Basic, rng: np.random.Generator) -> sp.Basic:
    """A rational that fits the assumptions; 0 often, where it does; true or false for an event."""
    if atom.is_real is None and isinstance(atom, sp.Symbol):
        return sp.true if rng.integers(2) else sp.false
    size = _POSITIVE[int(rng.integers(len(_POSITIVE)))]
    if atom.is_positive:
        return size
    if rng.integers(6) == 0:
        return sp.Integer(0)
    return size if atom.is_nonnegative or rng.integers(2) else -size


def _fits(atom: sp.Basic, value: sp.Basic) -> bool:
    if value.is_real is False or value.has(sp.nan, sp.zoo, sp.oo):
        return False
    wanted = (atom.is_positive, atom.is_nonnegative)
    return not ((wanted[0] and not value.is_positive) or (wanted[1] and not value.is_nonnegative))


def _number(expression: sp.Basic, point: Point) -> sp.Basic:
    return expression.xreplace(point).doit()


def _truth(statement: sp.Basic, point: Point) -> bool | None:
    """Whether a statement is true at a point; None if it has no value there."""
    if isinstance(statement, BooleanAtom):
        return bool(statement)
    if isinstance(statement, sp.Symbol):
        return bool(point[statement])
    if isinstance(statement, Relational):
        left, right = (_number(side, point) for side in statement.args)
        if any(side.has(sp.nan, sp.zoo, sp.oo) or side.is_real is False for side in (left, right)):
            return None
        return _compared(statement, left - right)
    parts = [_truth(part, point) for part in statement.args]
    if any(part is None for part in parts):
        return None
    return bool(statement.func(*(sp.true if part else sp.false for part in parts)))


def _compared(statement: Relational, difference: sp.Basic) -> bool | None:
    number = difference if difference.is_Rational else sp.N(difference, _DIGITS)
    if not number.is_number or number.is_real is not True:
        return None
    # irrational numbers are compared to 40 digits
    sign = 0 if abs(number) < sp.Float(10) ** (8 - _DIGITS) else 1 if number > 0 else -1
    return bool(statement.func(sp.Integer(sign), 0))


def at_instance(observed: Mapping[str, Any], statement: Boolean, index: Mapping[str, int]) -> bool | None:
    """Whether SymPy finds the statement true of what was observed exactly at an instance; None if it cannot say.

    index: the values of `i` and `j`. Raises KeyError or IndexError for a quantity that was not observed.
    """
    given = {**observed, **index}
    labels = {entry.base.label for entry in statement.atoms(sp.Indexed)}
    free = {s for s in statement.free_symbols if isinstance(s, sp.Symbol) and s not in labels}
    whole = {symbol: sp.Integer(int(given[symbol.name])) for symbol in free if symbol.is_integer}
    filled = _in_full(statement, whole)
    point: Point = {atom: _observed(atom, given) for atom in _atoms(filled) if not isinstance(atom, sp.MatrixSymbol)}
    point |= {m: sp.ImmutableMatrix([[_rational(v) for v in row] for row in given[m.name]]) for m in _matrices(filled)}
    try:
        return _truth(filled, point)
    except (TypeError, ValueError):
        return None


def _matrices(expression: sp.Basic) -> set[sp.Basic]:
    return expression.atoms(sp.MatrixSymbol)


def _observed(atom: sp.Basic, given: Mapping[str, Any]) -> sp.Basic:
    if isinstance(atom, sp.Indexed):
        return _rational(reduce(operator.getitem, map(int, atom.indices), given[str(atom.base.label)]))
    found = given[str(atom)]
    return sp.true if found is True else sp.false if found is False else _rational(found)


def _rational(number: Any) -> sp.Rational:
    exact = Fraction(number)
    return sp.Rational(exact.numerator, exact.denominator)
