"""The laws that Section 4 starts from: Eqs. (11) and (12), and the half that ReLU leaves (Schneider, Section 4)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal
from theory.derive.layer_variance.symbols import var_before, var_l, var_next
from theory.symbols import p

a = sp.Symbol("a", real=True)
"""The number that X is multiplied with."""
X = sp.IndexedBase("X", real=True)
"""X[r]: the values of a random number, r = 0..p-1."""
P = sp.IndexedBase("P", real=True)
"""P[r]: their probabilities."""
var_X, var_aX, var_XY = sp.symbols("var_X var_aX var_XY", real=True)
"""Var(X), Var(aX), Var(XY)."""
mean_X, mean_Y, mean_XY = sp.symbols("mean_X mean_Y mean_XY", real=True)
"""E[X], E[Y], E[XY]."""
square_X, square_Y, square_XY = sp.symbols("square_X square_Y square_XY", real=True)
"""E[X^2], E[Y^2], E[(XY)^2]."""
independent = sp.Symbol("independent")
"""X and Y are independent (observed: their joint law is the product of their own)."""
symmetric = sp.Symbol("symmetric")
"""The weights of a filter are symmetric as a whole: w and -w have the same law (observed, atom by atom)."""
half_second = sp.Symbol("half_second", real=True)
"""E[max(y, 0)^2] of the response y whose variance is `var_next`, or `var_l` in a stack."""

SCALED = sp.Eq(var_aX, a**2 * var_X)
PRODUCT = sp.Eq(var_XY, square_X * square_Y - mean_X**2 * mean_Y**2)
ANY_PRODUCT = sp.Eq(
    var_XY,
    square_X * square_Y
    - mean_X**2 * mean_Y**2
    + (square_XY - square_X * square_Y)
    - (mean_XY**2 - mean_X**2 * mean_Y**2),
)
"""Eq. (12) with what dependence adds: Cov(X^2, Y^2) - (E[XY]^2 - E[X]^2 E[Y]^2)."""
HALF = sp.Eq(half_second, var_next / 2)
HALF_SAME_LAYER = sp.Eq(half_second, var_l / 2)
"""The half with the index that Eqs. (13) to (16) use, x_i = max(y_i, 0)."""
HALF_LAYER_BEFORE = sp.Eq(half_second, var_before / 2)

_r = sp.Symbol("r", integer=True, nonnegative=True)


def _mean(body: sp.Expr) -> sp.Sum:
    return sp.Sum(P[_r] * body, (_r, 0, p - 1))


@cache
def scaled_variance() -> Derivation:
    """Var(aX) = a^2 Var(X), for any finite law (Eq. 11)."""
    definitions = (
        sp.Eq(var_X, _mean(X[_r] ** 2) - _mean(X[_r]) ** 2),
        sp.Eq(var_aX, _mean((a * X[_r]) ** 2) - _mean(a * X[_r]) ** 2),
    )
    steps = (
        Step("E[(aX)^2] = a^2 E[X^2]", equal(_mean((a * X[_r]) ** 2), a**2 * _mean(X[_r] ** 2))),
        Step("E[aX]^2 = a^2 E[X]^2", equal(_mean(a * X[_r]) ** 2, a**2 * _mean(X[_r]) ** 2)),
    )
    return Derivation((SCALED,), ("E[X^2] is finite",), steps, definitions)


@cache
def product_variance() -> Derivation:
    """Var(XY) = E[X^2] E[Y^2] - E[X]^2 E[Y]^2 for independent X and Y (Eq. 12)."""
    definitions = (
        sp.Eq(var_XY, square_XY - mean_XY**2),
        sp.Eq(square_XY, square_X * square_Y),
        sp.Eq(mean_XY, mean_X * mean_Y),
    )
    line = Step(
        "independence: E[XY] = E[X] E[Y] and E[X^2 Y^2] = E[X^2] E[Y^2]",
        equal((square_XY - mean_XY**2).subs({square_XY: square_X * square_Y, mean_XY: mean_X * mean_Y}), PRODUCT.rhs),
    )
    return Derivation((PRODUCT,), ("X and Y are independent", "second moments are finite"), (line,), definitions)


@cache
def any_product_variance() -> Derivation:
    """Var(XY) for any X and Y: Eq. (12) and what dependence adds."""
    line = Step("E[(XY)^2] - E[XY]^2, rearranged", equal(square_XY - mean_XY**2, ANY_PRODUCT.rhs))
    return Derivation((ANY_PRODUCT,), ("fourth moments are finite",), (line,), (sp.Eq(var_XY, square_XY - mean_XY**2),))


def _half_steps() -> tuple[Step, ...]:
    size = sp.Symbol("s", positive=True)
    both = sp.Symbol("E2", positive=True)
    return (
        Step(
            "max(y, 0)^2 + max(-y, 0)^2 = y^2, here y = s > 0",
            equal(sp.Max(size, 0, evaluate=False) ** 2 + sp.Max(-size, 0, evaluate=False) ** 2, size**2),
        ),
        Step(
            "and y = -s",
            equal(sp.Max(-size, 0, evaluate=False) ** 2 + sp.Max(size, 0, evaluate=False) ** 2, (-size) ** 2),
        ),
        Step(
            "w -> -w turns y = w.x into -y, so both parts have the same mean: half of E[y^2]",
            equal(both - both / 2, both / 2),
        ),
        Step("and E[y] = 0, so that E[y^2] = Var[y]", equal((both - 0**2) / 2, both / 2)),
    )


@cache
def half_left() -> Derivation:
    """E[max(y, 0)^2] = Var[y]/2 if w and -w have the same law, whatever the inputs are.

    Each weight symmetric is not enough: with independent signs a, b, c the weights (a, b, ab, c) are uncorrelated, each
    of them is symmetric, and with x = (1, 1, 1, 1), E[max(y, 0)^2] = 5/2 while Var[y] = 4.
    """
    signs = [(first, second, third) for first in (1, -1) for second in (1, -1) for third in (1, -1)]
    sums = [sp.Integer(a_ + b_ + a_ * b_ + c_) for a_, b_, c_ in signs]
    steps = (
        *_half_steps(),
        Step("y of the weights (a, b, ab, c) has E[y^2]", equal(sum(y**2 for y in sums) / 8, sp.Integer(4))),
        Step("but E[max(y, 0)^2]", equal(sum(sp.Max(y, 0, evaluate=False) ** 2 for y in sums) / 8, sp.Rational(5, 2))),
    )
    used = ("w and -w have the same law (all weights of the filter together)", "weights and inputs are independent")
    return Derivation((sp.Implies(symmetric, HALF), HALF_SAME_LAYER), used, steps)
