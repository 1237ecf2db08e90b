"""One layer: the variance of a response for any correlation of weights and of inputs (Schneider, Eqs. 13 to 16).

y = sum_t w_t x_t over the n positions of a window, weights of mean zero and independent of the inputs. Then
Var[y] = E[y^2] = v sum_tu R_tu M_tu: the correlations of the weights meet the second moments of the inputs, which are
not their covariances. Eqs. (13) and (15) are two of its corners.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.layer_variance import laws
from theory.derive.layer_variance.symbols import (
    M,
    R,
    double_sum,
    equicorrelated,
    k,
    n,
    over_window,
    rho_w,
    rho_x,
    second_x,
    t,
    u,
    v,
    var_next,
    var_prev,
)

products_w = sp.IndexedBase("products_w", real=True)
"""E[w_t w_u]."""
var_xw = sp.Symbol("var_xw", real=True)
"""Var[x_0 w_0] of one input and one weight."""
var_equal, var_uncorrelated = sp.symbols("var_equal var_uncorrelated", real=True)
"""Var[y] for perfectly correlated weights and for uncorrelated ones, perfectly correlated inputs in both."""
v_star = sp.Symbol("v_star", positive=True)
"""The Var[w] at which Var[y] of a layer equals that of the layer before (observed as v Var[before] / Var[after])."""

ZERO_MEAN = "E[w] = 0; weights and inputs are independent"
HALVES = "E[x^2] = Var[y]/2 of the layer before (weights jointly symmetric, C-HALF)"

ANY = sp.Eq(var_next, v * over_window(R[t, u] * M[t, u]))
EQUICORRELATED = sp.Eq(var_next, v * second_x * n * (1 + (n - 1) * rho_w * rho_x))
E13_SCALED = sp.Eq(var_next, k**4 * var_xw)
E13 = sp.Eq(var_next, k**4 * second_x * v)
E14_FIRST = sp.Eq(var_next, k**2 * second_x * v)
"""As Eq. (14) repeats Eq. (13)."""
E15 = sp.Eq(var_next, k**2 * second_x * v)
ONLY_DIFFERENCE = sp.Eq(var_equal, k * var_uncorrelated)
"""The remark after Eq. (15)."""
TRUE_DIFFERENCE = sp.Eq(var_equal, k**2 * var_uncorrelated)

GAIN = over_window(R[t, u] * M[t, u] / second_x)
"""sum_tu R_tu M_tu / E[x^2]."""
CRITICAL = sp.Eq(v_star, 2 / GAIN)
RANGE = sp.And(sp.Le(2 / k**4, v_star), sp.Le(v_star, 2 / k**2))
NOT_NEGATIVE = sp.Ge(GAIN, k**2)
"""Its part off the diagonal is not negative: sum_{t != u} R_tu M_tu >= 0."""


def _corner(weights: int, inputs: int) -> sp.Expr:
    """Var[y] with correlations 0 or 1, in n."""
    return double_sum(v * equicorrelated(sp.S.One, sp.Integer(weights)) * second_x * equicorrelated(1, inputs))


@cache
def any_correlation() -> Derivation:
    """Var[y] = v sum_tu R_tu M_tu, for any correlation of weights and any second moments of inputs."""
    w, x = sp.symbols("w0:2"), sp.symbols("x0:2")
    square = (w[0] * x[0] + w[1] * x[1]) ** 2
    pairs = sum(w[a] * w[b] * x[a] * x[b] for a in range(2) for b in range(2))
    steps = (
        Step(
            "for two positions: y^2 = sum_tu w_t w_u x_t x_u, and independence splits the means", equal(square, pairs)
        ),
        Step("E[w_t w_u] = v R_tu", equal(v * R[t, u] * M[t, u], M[t, u] * R[t, u] * v)),
    )
    definitions = (
        sp.Eq(var_next, over_window(products_w[t, u] * M[t, u])),
        sp.Eq(products_w[t, u], v * R[t, u]),
    )
    return Derivation((ANY,), (ZERO_MEAN,), steps, definitions)


@cache
def equal_correlations() -> Derivation:
    """Var[y] = v E[x^2] n (1 + (n - 1) rho_w rho_x); the four cells of Table 1 are the corners of the square."""
    total = double_sum(v * equicorrelated(sp.S.One, rho_w) * second_x * equicorrelated(sp.S.One, rho_x))
    steps = (
        Step("sum over t = u and over t != u", equal(total, EQUICORRELATED.rhs)),
        Step("corner (A), rho_w = rho_x = 1", equal(_corner(1, 1), n**2 * v * second_x)),
        Step("corner (B), rho_w = 0, rho_x = 1", equal(_corner(0, 1), n * v * second_x)),
        Step("corner (C), rho_w = 1, rho_x = 0", equal(_corner(1, 0), n * v * second_x)),
        Step("corner (D), rho_w = rho_x = 0", equal(_corner(0, 0), n * v * second_x)),
    )
    used = (ZERO_MEAN, "rho_x is E[x_t x_u]/E[x^2]: positive inputs have rho_x > 0 even if they are independent")
    return Derivation((EQUICORRELATED,), used, steps, (sp.Eq(var_next, total),))


@cache
def both_equal() -> Derivation:
    """Case A: y = k^2 x w, so Var[y] = k^4 Var[xw] = k^4 E[x^2] E[w^2] (Eq. 13)."""
    product = laws.PRODUCT.rhs.subs({laws.square_X: second_x, laws.square_Y: v, laws.mean_Y: 0})
    steps = (
        Step("a sum of n = k^2 equal terms is squared to n^2 of them", equal(_corner(1, 1).subs(n, k**2), E13.rhs)),
        Step("Eq. (12) with E[w] = 0", equal(product, second_x * v)),
        Step("Eq. (13) with its own last line, not with Eq. (14)", equal(E13.rhs / E14_FIRST.rhs, k**2)),
    )
    definitions = (
        sp.Eq(var_next, _corner(1, 1).subs(n, k**2)),
        sp.Eq(var_xw, product),
    )
    return Derivation((E13_SCALED, E13), (ZERO_MEAN, "w_t = w_0 and x_t = x_0 for every t"), steps, definitions)


@cache
def inputs_equal() -> Derivation:
    """Case B: y = x sum_t w_t, so Var[y] = k^2 E[x^2] E[w^2] (Eq. 15): a factor k^2, not k, below case A."""
    steps = (
        Step("E[(sum_t w_t)^2] = n v for uncorrelated weights", equal(_corner(0, 1), n * v * second_x)),
        Step("with n = k^2", equal(_corner(0, 1).subs(n, k**2), E15.rhs)),
        Step("Eq. (13) over Eq. (15)", equal(E13.rhs / E15.rhs, k**2), printed=k),
    )
    definitions = (
        sp.Eq(var_next, _corner(0, 1).subs(n, k**2)),
        sp.Eq(var_uncorrelated, _corner(0, 1).subs(n, k**2)),
        sp.Eq(var_equal, _corner(1, 1).subs(n, k**2)),
    )
    used = (ZERO_MEAN, "E[w_t w_u] = 0 for t != u", "x_t = x_0 for every t")
    return Derivation((E15, TRUE_DIFFERENCE), used, steps, definitions)


@cache
def critical_variance() -> Derivation:
    """v* = 2 / sum_tu R_tu M_tu / E[x^2]: the weight variance that keeps the variance of the responses."""
    steps = (
        *any_correlation().steps,
        Step("v* = v Var[before] / Var[after]", equal(v * var_prev / (v * var_prev * n / 2), 2 / n)),
    )
    definitions = (
        sp.Eq(v_star, v * var_prev / var_next),
        sp.Eq(var_next, ANY.rhs),
        sp.Eq(var_prev, 2 * second_x),
    )
    return Derivation((CRITICAL,), (ZERO_MEAN, HALVES, "sum_tu R_tu M_tu > 0"), steps, definitions)


@cache
def critical_range() -> Derivation:
    """2/k^4 <= v* always; v* <= 2/k^2 exactly if sum_{t != u} R_tu M_tu >= 0.

    sum_tu R_tu M_tu / E[x^2] is at most n^2, as no entry exceeds 1, and at least n if its part off the diagonal is not
    negative. That part can be negative: weights of which pairs are negatively correlated need more variance, not less,
    and a filter whose weights sum to zero gives perfectly correlated inputs no response at any variance.
    """
    below = sp.IndexedBase("below", nonnegative=True)
    off = sp.Symbol("off", nonnegative=True)
    short = sp.Symbol("short", nonnegative=True)
    gain = sp.Symbol("G", positive=True)
    steps = (
        *critical_variance().steps,
        Step(
            "with 1 - R_tu M_tu/E[x^2] = below >= 0: n^2 - G = sum of what is below 1",
            equal(over_window(sp.S.One), n**2),
        ),
        Step("and so not negative, for n = 2", at_least(sum(below[a, b] for a in range(2) for b in range(2)), 0)),
        Step(
            "G <= n^2 gives v* = 2/G >= 2/n^2",
            at_least(2 / gain - 2 / (gain + short), 0),
            2 * short / gain / (gain + short),
        ),
        Step("G = n + off >= n gives v* <= 2/n", at_least(2 / n - 2 / (n + off), 0), 2 * off / n / (n + off)),
        Step(
            "two weights of correlation -r meet equal inputs: G",
            equal(double_sum(equicorrelated(1, -rho_w)).subs(n, 2), 2 - 2 * rho_w),
        ),
    )
    result = (sp.Le(2 / k**4, v_star), sp.Implies(NOT_NEGATIVE, sp.Le(v_star, 2 / k**2)))
    used = (ZERO_MEAN, HALVES, "n = k^2", "every |R_tu M_tu| <= E[x^2], as Cauchy and Schwarz have it")
    return Derivation(result, used, steps)
