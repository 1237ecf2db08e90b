"""Symbols of correlated initialisation; p is the number of pixels of a filter, k^2 if it is k x k."""

from __future__ import annotations

import sympy as sp

from theory.symbols import p

t, u = sp.symbols("t u", integer=True, nonnegative=True)
"""Pixels of a filter, 0..p-1, in sums."""
v = sp.Symbol("v", positive=True)
"""n_in times the variance of one weight."""
R = sp.IndexedBase("R", real=True)
"""R[t, u]: the correlation of weights t and u of a filter."""
M = sp.IndexedBase("M", real=True)
"""M[t, u] = E[x_t x'_u]: second moments of the inputs of two windows, or of one."""


def over_pixels(body: sp.Expr) -> sp.Sum:
    """The sum of an expression over t and u in 0..p-1."""
    return sp.Sum(body, (u, 0, p - 1), (t, 0, p - 1))


def equicorrelated(diagonal: sp.Expr, off_diagonal: sp.Expr) -> sp.Expr:
    """The entry (t, u) of a matrix with one value on the diagonal and one off it."""
    return off_diagonal + (diagonal - off_diagonal) * sp.KroneckerDelta(t, u)


def delta_sum(body: sp.Expr) -> sp.Expr:
    """`over_pixels`, done, of an expression without other dependence on t and u than KroneckerDelta(t, u)."""
    same = sp.KroneckerDelta(t, u)
    expanded = sp.expand(body)
    diagonal = expanded.coeff(same, 1)
    return sp.expand(p**2 * expanded.coeff(same, 0) + p * diagonal)


total_R = over_pixels(R[t, u])
"""1'R1, the sum of all entries of R."""
EVERY_R = "weights of mean zero, independent of the inputs; filters independent of each other"
