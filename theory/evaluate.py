"""Evaluate SymPy statements at instances: exactly in rationals, or on batches of floats with a tolerance.

One interpreter walks the expression tree for both, so that a formula means the same in either arithmetic. In floats a
statement has no plain truth value: near a tie nothing is decided. `residual` is how far a statement is from being true
(0 where it holds or is undecided), `surely` where it is true beyond the tolerance.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray
from sympy.core.relational import Relational
from sympy.logic.boolalg import BooleanAtom

from theory.experiment import Values

Array = NDArray[Any]

_FLOAT_FUNCTIONS: Mapping[type, Callable[..., Any]] = {
    sp.exp: np.exp,
    sp.log: np.log,
    sp.atan: np.arctan,
    sp.acos: np.arccos,
    sp.cos: np.cos,
    sp.sin: np.sin,
    sp.tan: np.tan,
    sp.sign: np.sign,
}


def indices(statement: sp.Basic, p: int) -> Iterator[dict[str, int]]:
    """The values of the statement's free indices: `i` runs over 1..p-1, `j` over 0..p-1."""
    names = index_names(statement)
    for i in range(1, p) if "i" in names else (None,):
        for j in range(p) if "j" in names else (None,):
            yield {name: v for name, v in (("i", i), ("j", j)) if v is not None}


@lru_cache(maxsize=4096)
def index_names(statement: sp.Basic) -> frozenset[str]:
    """Which of the indices `i` and `j` are free in a statement."""
    return frozenset(s.name for s in statement.free_symbols if isinstance(s, sp.Symbol)) & {"i", "j"}


def value(expression: sp.Basic, values: Values, *, exact: bool) -> Any:
    """The value of an expression: a Fraction, or a float array that broadcasts to (B,).

    Raises KeyError for a symbol that `values` does not give, IndexError for an entry that there is not, TypeError for
    a function it cannot evaluate exactly.
    """
    if isinstance(expression, sp.Rational):
        return Fraction(int(expression.p), int(expression.q)) if exact else float(expression)
    if isinstance(expression, sp.Indexed):
        index = tuple(int(value(k, values, exact=True)) for k in expression.indices)
        found = values[str(expression.base.label)]
        # a sequence would count from its end
        if min(index) < 0:
            raise IndexError(f"indices must be >= 0, got {expression} at {index}")
        return _number(reduce(operator.getitem, index, found), exact=exact)
    if isinstance(expression, sp.Symbol):
        return _number(values[expression.name], exact=exact)
    if isinstance(expression, sp.Sum | sp.Product):
        return _over_range(expression, values, exact=exact)
    if isinstance(expression, sp.Trace):
        square = _matrix(expression.arg, values, exact=exact)
        return reduce(operator.add, (square[k][k] for k in range(len(square))))
    if isinstance(expression, sp.Piecewise):
        return _piecewise(expression, values, exact=exact)
    arguments = [value(argument, values, exact=exact) for argument in expression.args]
    if isinstance(expression, sp.Add):
        return reduce(operator.add, arguments)
    if isinstance(expression, sp.Mul):
        return reduce(operator.mul, arguments)
    if isinstance(expression, sp.Pow):
        return _power(*arguments, exact=exact)
    if isinstance(expression, sp.Abs):
        return abs(arguments[0])
    if isinstance(expression, sp.Max):
        return max(arguments) if exact else reduce(np.maximum, arguments)
    if isinstance(expression, sp.Min):
        return min(arguments) if exact else reduce(np.minimum, arguments)
    if isinstance(expression, sp.sign) and exact:
        return Fraction((arguments[0] > 0) - (arguments[0] < 0))
    if not exact and type(expression) in _FLOAT_FUNCTIONS:
        return _FLOAT_FUNCTIONS[type(expression)](*arguments)
    if not exact and isinstance(expression, sp.NumberSymbol):
        return float(expression)
    raise TypeError(f"cannot evaluate {expression!s} {'exactly' if exact else 'in floats'}")


def _number(found: Any, *, exact: bool) -> Any:
    # NumPy's functions do not take fractions
    return float(found) if isinstance(found, Fraction) and not exact else found


def _over_range(expression: sp.Sum | sp.Product, values: Values, *, exact: bool) -> Any:
    *inner, (symbol, low, high) = expression.limits
    body = expression.func(expression.function, *inner) if inner else expression.function
    start, stop = (int(value(bound, values, exact=True)) for bound in (low, high))
    empty, join = (0, operator.add) if isinstance(expression, sp.Sum) else (1, operator.mul)
    total: Any = Fraction(empty) if exact else float(empty)
    for k in range(start, stop + 1):
        total = join(total, value(body, {**values, symbol.name: Fraction(k) if exact else k}, exact=exact))
    return total


def _matrix(expression: Any, values: Values, *, exact: bool) -> Array:
    """The value of a matrix expression: fractions of shape (n, m), or floats of shape (n, m, B)."""
    if isinstance(expression, sp.MatrixSymbol):
        found = values[expression.name]
        return np.array([[Fraction(v) for v in row] for row in found]) if exact else np.asarray(found, np.float64)
    if isinstance(expression, sp.Transpose):
        return np.swapaxes(_matrix(expression.arg, values, exact=exact), 0, 1)
    if isinstance(expression, sp.MatAdd):
        return reduce(operator.add, (_matrix(term, values, exact=exact) for term in expression.args))
    if isinstance(expression, sp.MatMul):
        scalars, factors = expression.as_coeff_matrices()
        scale = value(scalars, values, exact=exact)
        times = operator.matmul if exact else _batched
        return np.asarray(scale * reduce(times, (_matrix(factor, values, exact=exact) for factor in factors)))
    if isinstance(expression, sp.MatPow) and expression.exp.is_Integer and expression.exp > 0:
        times = operator.matmul if exact else _batched
        return reduce(times, [_matrix(expression.base, values, exact=exact)] * int(expression.exp))
    raise TypeError(f"cannot evaluate the matrix {expression!s}")


def _batched(left: Array, right: Array) -> Array:
    return np.einsum("abz,bcz->acz", left, right)


def _piecewise(expression: sp.Piecewise, values: Values, *, exact: bool) -> Any:
    if exact:
        for branch, condition in expression.args:
            if truth(condition, values):
                return value(branch, values, exact=True)
        raise ValueError(f"no branch of {expression!s} applies")
    result: Any = np.nan
    for branch, condition in reversed(expression.args):
        with np.errstate(all="ignore"):
            result = np.where(surely(condition, values, 0.0), value(branch, values, exact=False), result)
    return result


def _power(base: Any, exponent: Any, *, exact: bool) -> Any:
    if not exact:
        return np.power(np.asarray(base, dtype=np.float64), exponent)
    if Fraction(exponent).denominator != 1:
        raise TypeError(f"cannot raise {base} to the power {exponent} exactly")
    return Fraction(base) ** int(exponent)


def truth(statement: sp.Basic, values: Values) -> bool:
    """Whether a statement is true at exact values (all indices already bound)."""
    if isinstance(statement, BooleanAtom):
        return bool(statement)
    if isinstance(statement, sp.Symbol):
        return bool(values[statement.name])
    if isinstance(statement, Relational):
        left, right = (value(side, values, exact=True) for side in statement.args)
        return bool(_COMPARE[statement.func](left, right))
    if isinstance(statement, sp.Not):
        return not truth(statement.args[0], values)
    if isinstance(statement, sp.And):
        return all(truth(part, values) for part in statement.args)
    if isinstance(statement, sp.Or):
        return any(truth(part, values) for part in statement.args)
    if isinstance(statement, sp.Implies):
        return not truth(statement.args[0], values) or truth(statement.args[1], values)
    if isinstance(statement, sp.Equivalent):
        return len({truth(part, values) for part in statement.args}) == 1
    raise TypeError(f"cannot decide {statement!s}")


_COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    sp.StrictGreaterThan: operator.gt,
    sp.GreaterThan: operator.ge,
    sp.StrictLessThan: operator.lt,
    sp.LessThan: operator.le,
    sp.Equality: operator.eq,
    sp.Unequality: operator.ne,
}


def _gap(statement: Relational, values: Values) -> Any:
    """How much the relation is over-fulfilled: positive where true with room to spare."""
    left, right = (np.asarray(value(side, values, exact=False), dtype=np.float64) for side in statement.args)
    if isinstance(statement, sp.StrictGreaterThan | sp.GreaterThan):
        return left - right
    if isinstance(statement, sp.StrictLessThan | sp.LessThan):
        return right - left
    distance = np.abs(left - right)
    return distance if isinstance(statement, sp.Unequality) else -distance


def residual(statement: sp.Basic, values: Values, tolerance: Any) -> Array:
    """How far a statement is from true on each instance of a batch, in the units of its sides; inf for a false event.

    NaN on either side counts as infinitely far, also in a premise or in one side of an equivalence: a silent NaN never
    passes. Only where the rest decides (a false premise, a true alternative) does a NaN not matter.
    """
    if isinstance(statement, sp.Unequality):
        return np.where(_gap(statement, values) > tolerance, 0.0, np.inf)
    if isinstance(statement, Relational):
        return np.nan_to_num(np.maximum(-_gap(statement, values), 0.0), nan=np.inf)
    if isinstance(statement, sp.And):
        return reduce(np.maximum, (residual(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Or):
        return reduce(np.minimum, (residual(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Implies):
        premise, conclusion = statement.args
        met = surely(premise, values, tolerance)
        lost = _has_nan(premise, values) & ~met & ~surely(_negate(premise), values, tolerance)
        return np.where(lost, np.inf, np.where(met, residual(conclusion, values, tolerance), 0.0))
    false = surely(_negate(statement), values, tolerance)
    lost = _has_nan(statement, values) & ~surely(statement, values, tolerance)
    return np.where(false | lost, np.inf, 0.0)


@lru_cache(maxsize=4096)
def obligations(statement: sp.Basic) -> tuple[sp.Basic, ...]:
    """What must be seen to be true, beyond the tolerance, on some instance each for the statement to be tested at all.

    The premise of an implication, or it never says anything; a strict inequality, which no tie can show to fail; one
    side of an equivalence, and its opposite.
    """
    if isinstance(statement, sp.And):
        return tuple(dict.fromkeys(part for each in statement.args for part in obligations(each)))
    if isinstance(statement, sp.Implies):
        premise, conclusion = statement.args
        return tuple(sp.And(premise, part) for part in obligations(conclusion)) or (premise,)
    if isinstance(statement, sp.Equivalent):
        return (statement.args[0], _negate(statement.args[0]))
    if isinstance(statement, sp.StrictGreaterThan | sp.StrictLessThan):
        return (statement,)
    return ()


def _has_nan(statement: sp.Basic, values: Values) -> Array:
    """Where some relation of a statement has no value."""
    if isinstance(statement, BooleanAtom | sp.Symbol):
        return np.asarray(False)
    if isinstance(statement, Relational):
        return np.asarray(np.isnan(_gap(statement, values)))
    return reduce(np.logical_or, (_has_nan(part, values) for part in statement.args))


def surely(statement: sp.Basic, values: Values, tolerance: Any) -> Array:
    """Where a statement is true on a batch by more than the tolerance (an equation: true within it)."""
    if isinstance(statement, BooleanAtom):
        return np.asarray(bool(statement))
    if isinstance(statement, sp.Symbol):
        return np.asarray(values[statement.name], dtype=bool)
    if isinstance(statement, Relational):
        gap = _gap(statement, values)
        return np.asarray(gap >= -tolerance if isinstance(statement, sp.Equality) else gap > tolerance)
    if isinstance(statement, sp.And):
        return reduce(np.logical_and, (surely(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Or):
        return reduce(np.logical_or, (surely(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Implies):
        return surely(sp.Or(sp.Not(statement.args[0]), statement.args[1]), values, tolerance)
    if isinstance(statement, sp.Equivalent):
        parts = [surely(part, values, tolerance) for part in statement.args]
        negated = [surely(_negate(part), values, tolerance) for part in statement.args]
        return reduce(np.logical_and, parts) | reduce(np.logical_and, negated)
    if isinstance(statement, sp.Not):
        return _surely_not(statement.args[0], values, tolerance)
    raise TypeError(f"cannot decide {statement!s}")


def _negate(statement: sp.Basic) -> sp.Basic:
    return sp.Not(statement, evaluate=False)


def _surely_not(statement: sp.Basic, values: Values, tolerance: Any) -> Array:
    if isinstance(statement, BooleanAtom | sp.Symbol):
        return ~surely(statement, values, tolerance)
    if isinstance(statement, Relational):
        gap = _gap(statement, values)
        return np.asarray(gap <= tolerance if isinstance(statement, sp.Unequality) else gap < -tolerance)
    if isinstance(statement, sp.And):
        return reduce(np.logical_or, (_surely_not(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Or):
        return reduce(np.logical_and, (_surely_not(part, values, tolerance) for part in statement.args))
    if isinstance(statement, sp.Implies):
        return surely(statement.args[0], values, tolerance) & _surely_not(statement.args[1], values, tolerance)
    if isinstance(statement, sp.Equivalent):
        yes = [surely(part, values, tolerance) for part in statement.args]
        no = [_surely_not(part, values, tolerance) for part in statement.args]
        return reduce(np.logical_or, yes) & reduce(np.logical_or, no)
    if isinstance(statement, sp.Not):
        return surely(statement.args[0], values, tolerance)
    raise TypeError(f"cannot decide {statement!s}")
