"""Empirical statements judged on confidence intervals: true, false, or undecided.

Each symbol of a statement stands for the mean of a quantity that was measured once per seed. Its interval is Student's,
mean +- t s/sqrt(n); the intervals of one statement hold together with probability `CONFIDENCE` (Bonferroni: each of m
symbols is given 1 - (1 - CONFIDENCE)/m). The statement is true if it is so for all values in the intervals, false if it
is so for none, else undecided; parts are joined by Kleene's rules. Sides of a relation are evaluated by interval
arithmetic, which can only widen: a statement is never decided by more than the data say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import sympy as sp
from scipy.special import stdtrit
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

from theory.experiment import Measured, Sample
from theory.ledger import Measurement

CONFIDENCE = 0.95
"""Of all intervals of one statement together."""
PLACEBO_CONFIDENCE = 0.99
"""The same for placebos: of the dozens in the ledger one in forty would be certified by chance at 95 %."""

Interval = tuple[float, float]


def t_interval(values: Sequence[float], confidence: float) -> Interval:
    """Student's interval for the mean of independent normal values, mean +- t_{n-1} s/sqrt(n).

    Raises ValueError for fewer than two values, one that is not finite, or a confidence outside (0, 1).
    """
    if len(values) < 2:
        raise ValueError(f"values must be at least 2 for an interval, got {len(values)}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), got {confidence}")
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"values must be finite, got {array[~np.isfinite(array)][0]}")
    mean, n = float(array.mean()), len(array)
    quantile = float(stdtrit(n - 1, (1 + confidence) / 2))
    half = quantile * float(array.std(ddof=1)) / math.sqrt(n)
    return mean - half, mean + half


def measurements(statement: Boolean, measured: Measured, *, confidence: float = CONFIDENCE) -> tuple[Measurement, ...]:
    """The effects that a statement speaks of, with intervals that hold together with this confidence, by symbol.

    Raises KeyError for a symbol that was not measured, ValueError for a sample of fewer than two values.
    """
    names = sorted(str(symbol) for symbol in statement.free_symbols)
    each = 1 - (1 - confidence) / max(len(names), 1)
    return tuple(_measurement(name, measured.samples[name], measured, each) for name in names)


def _measurement(name: str, sample: Sample, measured: Measured, confidence: float) -> Measurement:
    low, high = t_interval(sample.values, confidence)
    mean = float(np.mean(sample.values))
    return Measurement(
        name, sample.what, mean, low, high, confidence, len(sample.values), measured.units, measured.data
    )


def decide(statement: Boolean, intervals: Mapping[str, Interval]) -> bool | None:
    """Whether a statement is true (False: false) for all values of its symbols in their intervals; None: it depends.

    Relations of sums, products and whole positive powers of symbols and numbers, joined by and, or, not, implies.
    Raises KeyError for a symbol without an interval, TypeError for another expression.
    """
    if isinstance(statement, BooleanAtom):
        return bool(statement)
    if isinstance(statement, Relational):
        return _relation(statement, intervals)
    parts = [decide(part, intervals) for part in statement.args]
    if isinstance(statement, sp.Not):
        return _negated(parts[0])
    if isinstance(statement, sp.And):
        return _all(parts)
    if isinstance(statement, sp.Or):
        return _negated(_all([_negated(part) for part in parts]))
    if isinstance(statement, sp.Implies):
        return _negated(_all([parts[0], _negated(parts[1])]))
    raise TypeError(f"cannot decide {statement!s} on intervals")


def _all(parts: Sequence[bool | None]) -> bool | None:
    if any(part is False for part in parts):
        return False
    return None if any(part is None for part in parts) else True


def _negated(part: bool | None) -> bool | None:
    return None if part is None else not part


def _relation(statement: Relational, intervals: Mapping[str, Interval]) -> bool | None:
    low, high = _range(statement.args[0] - statement.args[1], intervals)
    if isinstance(statement, sp.StrictGreaterThan):
        return True if low > 0 else False if high <= 0 else None
    if isinstance(statement, sp.GreaterThan):
        return True if low >= 0 else False if high < 0 else None
    if isinstance(statement, sp.StrictLessThan):
        return True if high < 0 else False if low >= 0 else None
    if isinstance(statement, sp.LessThan):
        return True if high <= 0 else False if low > 0 else None
    equal = True if low == high == 0 else False if low > 0 or high < 0 else None
    return _negated(equal) if isinstance(statement, sp.Unequality) else equal


def _range(expression: sp.Expr, intervals: Mapping[str, Interval]) -> Interval:
    """An interval that holds all values of the expression."""
    if isinstance(expression, sp.Number):
        return float(expression), float(expression)
    if isinstance(expression, sp.Symbol):
        return intervals[expression.name]
    if isinstance(expression, sp.Add):
        return reduce(_sum, (_range(term, intervals) for term in expression.args))
    if isinstance(expression, sp.Mul):
        return reduce(_product, (_range(factor, intervals) for factor in expression.args))
    if isinstance(expression, sp.Pow) and expression.exp.is_Integer and expression.exp > 0:
        return reduce(_product, [_range(expression.base, intervals)] * int(expression.exp))
    raise TypeError(f"cannot evaluate {expression!s} on intervals")


def _sum(left: Interval, right: Interval) -> Interval:
    return left[0] + right[0], left[1] + right[1]


def _product(left: Interval, right: Interval) -> Interval:
    corners = [a * b for a in left for b in right]
    return min(corners), max(corners)
