"""Whether two expressions are the same, by exact algebra: nothing is proven numerically."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any, Self

import numpy as np
import sympy as sp

from theory.evaluate import value
from theory.traces import collected

MOST_OPERATIONS = 2000
"""What algebra tries to simplify; beyond, it may take for ever. The largest expression that a proof needs has 885."""


@lru_cache(maxsize=4096)
def vanishes(expression: sp.Expr) -> bool:
    """Whether an expression is identically zero.

    A nonzero value at one rational point disproves it, exactly, or where the point has no exact value (pi, arccos) in
    floats, far beyond rounding; otherwise it must expand or simplify to zero: nothing is proven numerically. Traces of
    matrices are decided by their normal form.
    """
    if expression.is_zero:
        return True
    if expression.has(sp.Trace):
        expression = collected(expression)
        return False if expression.has(sp.Trace) else vanishes(expression)
    if _nonzero_at_a_point(expression):
        return False
    expanded = sp.expand(expression.doit())
    # sums are equal whatever their index is called
    alike = expanded.has(sp.Sum, sp.Product) and sp.expand(expanded.as_dummy()) == 0
    return bool(expanded == 0 or alike or _shown_to_vanish(expression, expanded))


def _shown_to_vanish(expression: sp.Expr, expanded: sp.Expr) -> bool:
    try:
        return any(
            sp.count_ops(form) <= MOST_OPERATIONS and simplified(form) == 0
            for form, simplified in ((expression, _numerator), (expanded, sp.simplify))
        )
    except Exception:
        # SymPy stumbles over some sums and piecewise expressions, in many ways: not shown to vanish
        return False


def _numerator(expression: sp.Expr) -> sp.Expr:
    """The numerator over one denominator, multiplied out: zero if a rational function of roots and powers is."""
    numerator, _ = sp.fraction(sp.together(expression.replace(sp.Pow, _written_alike)))
    return sp.expand(sp.expand(numerator).replace(sp.Pow, _written_alike))


def _written_alike(base: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """A power whose base is multiplied out: an odd root times whole powers, signs taken out of whole powers."""
    inner = sp.expand(base)
    if exponent.is_Rational and not exponent.is_Integer:
        whole = sp.floor(exponent)
        return inner**whole * inner ** (exponent - whole)
    if exponent.is_integer and not exponent.is_Integer and inner.could_extract_minus_sign():
        return (-1) ** exponent * (-inner) ** exponent
    return inner**exponent


class _Entries(Fraction):
    """A rational that, indexed, gives other rationals."""

    def __new__(cls, seed: int) -> Self:
        return super().__new__(cls, 7 + seed % 53, 11 + seed % 97)

    def __getitem__(self, index: int) -> _Entries:
        return _Entries(self.numerator * 31 + self.denominator * 17 + index * 29)


def _nonzero_at_a_point(expression: sp.Expr) -> bool:
    """Whether the expression is nonzero at one point: p = 3, i = 1, j = 2, distinct positive rationals elsewhere."""
    point = _point_for(expression)
    try:
        return bool(value(expression, point, exact=True) != 0)
    except TypeError:
        return _far_from_zero(expression, point)
    except (ZeroDivisionError, IndexError):
        return False


def _point_for(expression: sp.Expr, shift: int = 0) -> dict[str, Any]:
    """The values of its symbols at that point; they depend on the symbols' names alone. shift: another such point."""
    point: dict[str, Any] = {"p": 3, "i": 1, "j": 2}
    for symbol in expression.free_symbols:
        if isinstance(symbol, sp.Symbol) and symbol.name not in point:
            seed = shift + sum(ord(letter) * (k + 1) for k, letter in enumerate(symbol.name))
            point[symbol.name] = 2 + seed % 3 if symbol.is_integer else _Entries(seed)
    return point


def multiple(first: sp.Expr, second: sp.Expr) -> sp.Rational:
    """A simple number c for which first = c second at some points, as a guess at what is to be proven; else 1.

    At one point alone there always is one, and algebra would have to find out that it is the wrong one elsewhere.
    Where points give no value (the logarithm of a negative number), a term that both have gives the guess.
    """
    # a trace has no value at a point; equal ones are given the same
    first, second = (side.xreplace({t: sp.Symbol(str(t)) for t in side.atoms(sp.Trace)}) for side in (first, second))
    ratios = [ratio for shift in range(_POINTS) if np.isfinite(ratio := _ratio(first, second, shift))]
    if len(ratios) < 2:
        return _of_a_common_term(first, second)
    if not np.allclose(ratios, ratios[0], rtol=1e-9):
        return sp.Integer(1)
    simple = Fraction(ratios[0]).limit_denominator(1000)
    return sp.Rational(simple.numerator, simple.denominator)


_POINTS = 5
"""How many points are tried; an integer's difference from another is zero at some."""


def _of_a_common_term(first: sp.Expr, second: sp.Expr) -> sp.Rational:
    """What a term has as coefficient in the first, over that in the second; 1 if they have no term in common."""
    here, there = (sp.expand(side).as_coefficients_dict() for side in (first, second))
    return next((here[term] / there[term] for term in there if term in here), sp.Integer(1))


def _ratio(first: sp.Expr, second: sp.Expr, shift: int) -> float:
    """first/second at a point; NaN where it has no value there."""
    point = {**_point_for(first, shift), **_point_for(second, shift)}
    try:
        with np.errstate(all="ignore"):
            over, under = (float(value(side, point, exact=False)) for side in (first, second))
            return over / under
    except (TypeError, ValueError, ArithmeticError, LookupError):
        return float("nan")


def _far_from_zero(expression: sp.Expr, point: dict[str, Any]) -> bool:
    """Whether the terms of a sum, in floats, leave more than a millionth of what they are together."""
    with np.errstate(all="ignore"):
        try:
            terms = [float(value(term, point, exact=False)) for term in sp.Add.make_args(expression)]
        except (TypeError, ZeroDivisionError):
            return False
    # a NaN (arccos of 2) compares false
    return abs(sum(terms)) > 1e-6 * sum(abs(term) for term in terms)
