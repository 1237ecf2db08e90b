"""Shared symbols, and exact expectations: over the grid, for symbolic p and symbolic indices, and over Gaussians.

The grid of Schneider's assumption 2: samples X = (1 + a_0, a_1, ..., a_{p-1}), each a_k equal to +d_k or -d_k, all 2^p
choices once. A sum over the grid is 2^p times an expectation over independent signs, and that is how it is taken here:
no dimension is ever filled in.
"""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp
from sympy.concrete.delta import deltasummation

p = sp.Symbol("p", integer=True, positive=True)
i = sp.Symbol("i", integer=True, positive=True)
"""An index in 1..p-1."""
j = sp.Symbol("j", integer=True, nonnegative=True)
"""An index in 0..p-1."""
m = sp.Symbol("m", integer=True, positive=True)
"""A summation index in 1..p-1."""

n = sp.Symbol("n", integer=True, nonnegative=True)
"""A summation index in 0..p-1."""

lam = sp.Symbol("lam", positive=True)
"""The learning rate lambda."""
w0_star = sp.Symbol("w0_star", real=True)
"""w*_0: the optimum is w* = (w*_0, 0, ..., 0)."""
size = sp.Symbol("size", integer=True, positive=True)
"""|S|, the number of samples."""
steps = sp.Symbol("steps", integer=True, nonnegative=True)
"""A number of updates."""

w = sp.IndexedBase("w", real=True)
d = sp.IndexedBase("d", real=True, nonnegative=True)
a = sp.IndexedBase("a", real=True)
X = sp.IndexedBase("X", real=True)

w_star = sp.IndexedBase("w_star", real=True)
"""The optimum of any sample set, in any frame."""
H = sp.IndexedBase("H", real=True)
"""The second moments E[X_j X_n] of the samples."""

all_active = sp.Symbol("all_active")
"""Every sample has w.X > 0 (a Boolean observed by enumeration)."""

gap = w0_star - w[0]
"""w*_0 - w_0."""


def over(body: sp.Expr, index: sp.Symbol = m) -> sp.Sum:
    """The sum of an expression over the index from 1 to p - 1."""
    return sp.Sum(body, (index, 1, p - 1))


def over_all(body: sp.Expr) -> sp.Sum:
    """The sum of an expression over the index n from 0 to p - 1."""
    return sp.Sum(body, (n, 0, p - 1))


def coordinate(index: sp.Expr) -> sp.Expr:
    """X_k of a grid sample: 1 + a_0 for k = 0, a_k otherwise; the index must be 0 or known to be positive."""
    if index == 0:
        return 1 + a[0]
    if index.is_positive:
        return a[index]
    raise ValueError(f"index must be 0 or known to be positive, got {index}")


def grid_expectation(expression: sp.Expr, given: Mapping[sp.Expr, int] | None = None) -> sp.Expr:
    """The mean of an expression over the grid: E[a_k] = 0, E[a_k a_l] = d_k^2 if k = l, else 0.

    expression: at most quadratic in the a_k, possibly within sums over 1..p-1. given: one index with the sign (+1 or
    -1) at which it is held, for the mean over the half of the grid with a_k = sign * d_k. Indices are taken to lie in
    their range, so that a Kronecker delta picks a summand without a case distinction.
    Raises ValueError if the expression is of higher degree, or if more than one index is held.
    """
    held = dict(given or {})
    if len(held) > 1:
        raise ValueError(f"given must hold at most one index, got {len(held)}")
    total = sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(expression)):
        total += _mean_of_term(term, held)
    return sp.expand(total)


def _mean_of_term(term: sp.Expr, held: Mapping[sp.Expr, int]) -> sp.Expr:
    body, limits = sp.Integer(1), []
    for factor in sp.Mul.make_args(term):
        base, exponent = factor.as_base_exp()
        if isinstance(base, sp.Sum) and exponent.is_Integer and exponent > 0:
            for _ in range(int(exponent)):
                dummy = sp.Dummy("n", integer=True, positive=True)
                symbol, low, high = base.limits[0]
                body *= base.function.subs(symbol, dummy)
                limits.append((dummy, low, high))
        else:
            body *= factor
    total = sp.Integer(0)
    for part in sp.Add.make_args(sp.expand(body)):
        mean = _mean_of_monomial(part, held)
        for dummy, low, high in limits:
            mean = _sum_over(mean, dummy, low, high)
        total += mean
    return total


def _mean_of_monomial(monomial: sp.Expr, held: Mapping[sp.Expr, int]) -> sp.Expr:
    picked: list[sp.Expr] = []
    rest = sp.Integer(1)
    for factor in sp.Mul.make_args(monomial):
        base, exponent = factor.as_base_exp()
        if isinstance(base, sp.Indexed) and base.base == a:
            picked += [base.indices[0]] * int(exponent)
        else:
            rest *= factor
    if len(picked) == 0:
        return rest
    if len(picked) == 1:
        k = picked[0]
        return rest * sum((sign * d[k] * sp.KroneckerDelta(k, index) for index, sign in held.items()), sp.Integer(0))
    if len(picked) == 2:
        k, other = picked
        return rest * d[k] ** 2 * sp.KroneckerDelta(k, other)
    raise ValueError(f"expression must be at most quadratic in the deviations a, got {monomial}")


def _sum_over(expression: sp.Expr, index: sp.Symbol, low: sp.Expr, high: sp.Expr) -> sp.Expr:
    if not expression.has(index):
        return expression * (high - low + 1)
    if expression.has(sp.KroneckerDelta) and any(delta.has(index) for delta in expression.atoms(sp.KroneckerDelta)):
        return deltasummation(expression, (index, low, high), no_piecewise=True)
    return sp.Sum(expression.subs(index, m), (m, low, high))


def relu_correlation(correlation: sp.Expr) -> sp.Expr:
    """f(c) = (sqrt(1 - c^2) + c (pi - arccos c))/pi = E[relu(y) relu(y')] / (sqrt(E[y^2] E[y'^2])/2), y, y' Gaussian.

    The arc-cosine kernel of degree 1 (Cho and Saul, 2009), derived in `theory.derive.correlated_init.arc_cosine`.
    """
    return (sp.sqrt(1 - correlation**2) + correlation * (sp.pi - sp.acos(correlation))) / sp.pi
