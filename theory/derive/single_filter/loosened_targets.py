"""Assumption 3 of Theorem 1 loosened: targets y = w*.X + f(X) (Schneider, Section 3.2).

f enters the update by E[f(X) X] alone, which does not depend on w: while every sample is active it moves the limit of
descent and leaves every rate as it was, whatever f is.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.single_filter.loosened import ALL_ACTIVE, total, w_star
from theory.symbols import X, a, d, grid_expectation, i, j, lam, m, p, size, steps, w

added = sp.IndexedBase("added", real=True)
"""What f(X) adds to d loss/d w_j of one sample."""
f = sp.Symbol("f", real=True)
"""f(X), what is added to the target of the sample."""
pull = sp.IndexedBase("pull", real=True)
"""pull[j] = E[f(X) X_j] over the samples."""
w_end = sp.IndexedBase("w_end", real=True)
"""The weights after `steps` updates."""
tau = sp.Symbol("tau", positive=True)
"""Standard deviation of the label noise."""
mean_square_shift = sp.IndexedBase("mean_square_shift", real=True, nonnegative=True)
"""Mean over the draws of the noise of (limit of w_j - w*_j)^2."""
always_active = sp.Symbol("always_active")
"""Every sample is active at every update, and so after the last."""

GRID = "the samples form the symmetric grid; of it only E[X X^T] = diag(1 + d_0^2, d_1^2, ...) is used"
ADDED = sp.Eq(added[j], -2 * f * X[j])


def _after(index: sp.Expr, rate: sp.Expr) -> sp.Expr:
    limit = w_star[index] + pull[index] / rate
    return limit + (1 - 2 * lam * rate) ** steps * (w[index] - limit)


SAME_RATES = sp.And(sp.Eq(w_end[0], _after(sp.Integer(0), 1 + d[0] ** 2)), sp.Eq(w_end[i], _after(i, d[i] ** 2)))
VARIANCE = sp.And(
    sp.Eq(2**p * (1 + d[0] ** 2) * mean_square_shift[0], tau**2), sp.Eq(2**p * d[i] ** 2 * mean_square_shift[i], tau**2)
)
WIDE = sp.Ge(2**p * d[i] ** 2, 1)
"""d_i >= 2^(-p/2)."""


def slope(base: sp.Expr, index: sp.Symbol) -> sp.Expr:
    """The derivative of a sum over m, from 0 to p - 1, by w[index]: only its summand m = index depends on it."""
    return sp.diff(base.function.subs(m, index), w[index])


@cache
def added_gradient() -> Derivation:
    """Replacing y = w*.X by w*.X + f(X) adds -2 f(X) X to the gradient of an active sample."""
    residual = total((w_star[m] - w[m]) * X[m])
    by_residual = sp.Symbol("r", real=True)
    clean, noisy = by_residual**2, (by_residual + f) ** 2
    difference = sp.diff(noisy - clean, by_residual) * slope(residual, j)
    proof = (
        Step("r = w*.X - w.X, d r/d w_j", equal(slope(residual, j), -X[j])),
        Step("chain rule: (r + f)^2 against r^2", equal(difference, ADDED.rhs)),
    )
    return Derivation((ADDED,), ("the sample is active (w.X > 0)",), proof, (sp.Eq(added[j], difference),))


@cache
def same_rates() -> Derivation:
    """w_j^(k) = l_j + (1 - 2 lam h_j)^k (w_j - l_j), l_j = w*_j + E[f X_j]/h_j, h_0 = 1 + d_0^2, h_i = d_i^2."""
    rate, start, limit, shift = sp.symbols("h w_start l s", real=True)
    mean_0 = grid_expectation(((w_star[0] - w[0]) * (1 + a[0]) + _others()) * (1 + a[0]))
    mean_i = grid_expectation(((w_star[0] - w[0]) * (1 + a[0]) + _others()) * a[i])
    factor = 1 - 2 * lam * rate
    proof = (
        *added_gradient().steps,
        Step("E[r X_0]", equal(mean_0, (1 + d[0] ** 2) * (w_star[0] - w[0]))),
        Step("E[r X_i]", equal(mean_i, d[i] ** 2 * (w_star[i] - w[i]))),
        Step(
            "Eq. (1) with pull = h s: w' - l = (1 - 2 lam h)(w - l), l = w* + s",
            equal(start + 2 * lam * (rate * (limit - shift - start) + rate * shift) - limit, factor * (start - limit)),
        ),
        Step(
            "k + 1 updates from k",
            equal(factor * (factor**steps * (start - limit)), factor ** (steps + 1) * (start - limit)),
        ),
    )
    return Derivation(
        (SAME_RATES,), (f"{ALL_ACTIVE} at every update", GRID, "d_i > 0"), proof, needs=(always_active, sp.Gt(d[i], 0))
    )


def _others() -> sp.Expr:
    return sp.Sum((w_star[m] - w[m]) * a[m], (m, 1, p - 1))


def _is_half_width(expression: sp.Basic) -> bool:
    return isinstance(expression, sp.Indexed) and expression.base == d


@cache
def variance_of_limit() -> Derivation:
    """E (limit of w_j - w*_j)^2 = tau^2/(2^p h_j) for independent noise of mean 0 and variance tau^2 on each sample."""
    value = sp.IndexedBase("value", real=True)
    rate, N = sp.symbols("h N", positive=True)
    # noise plays the role of grid deviations of half-width tau: mean 0, uncorrelated, second moment tau^2
    noise = sp.Sum(a[m] * value[m], (m, 0, size - 1)) / size
    second = grid_expectation(noise**2).replace(_is_half_width, lambda _: tau)
    proof = (
        *same_rates().steps,
        Step(
            "pull_j = E_S[f X_j]: its mean square over the noise, value_n = X_j of sample n",
            equal(second, tau**2 / size**2 * sp.Sum(value[m] ** 2, (m, 0, size - 1))),
        ),
        Step(
            "the sum is N h_j, N = 2^p; and the shift is pull_j/h_j",
            equal(tau**2 / N**2 * (N * rate) / rate**2, tau**2 / (N * rate)),
        ),
    )
    used = (f"{ALL_ACTIVE} at every update", GRID, "noise independent, of mean 0 and variance tau^2", "d_i > 0")
    definitions = tuple(
        sp.Eq(mean_square_shift[k], (tau / 2**p) ** 2 * (2**p * second_moment) / second_moment**2)
        for k, second_moment in ((0, grid_expectation((1 + a[0]) ** 2)), (i, grid_expectation(a[i] ** 2)))
    )
    return Derivation((VARIANCE,), used, proof, definitions, needs=(always_active, sp.Gt(d[i], 0)))


@cache
def small_for_wide_grids() -> Derivation:
    """E (limit of w_i)^2 <= tau^2 exactly if d_i >= 2^(-p/2): noise cancels over samples, is amplified by 1/d_i^2."""
    ratio = sp.Symbol("u", nonnegative=True)
    proof = (
        *variance_of_limit().steps,
        Step(
            "tau^2 - tau^2/(1 + u), 2^p d_i^2 = 1 + u",
            equal(tau**2 - tau**2 / (1 + ratio), tau**2 * ratio / (1 + ratio)),
        ),
        Step("is not negative", at_least(tau**2 * ratio / (1 + ratio), 0)),
    )
    return Derivation(
        (sp.Implies(WIDE, sp.Le(mean_square_shift[i], tau**2)),),
        variance_of_limit().used,
        proof,
        needs=variance_of_limit().needs,
    )
