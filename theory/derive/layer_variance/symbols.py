"""Symbols of the layer variance laws, and sums over the positions of a window."""

from __future__ import annotations

import sympy as sp
from sympy.concrete.delta import deltasummation

k = sp.Symbol("k", integer=True, positive=True)
"""Width of a filter; a square one has n = k^2 weights."""
n = sp.Symbol("n", integer=True, positive=True)
"""The number of weights of a filter."""
l = sp.Symbol("l", integer=True, positive=True)  # noqa: E741  the paper's letter
"""The number of convolutions up to the response y_l."""
deep = sp.Symbol("deep")
"""l >= 2: the inputs of layer l come out of a ReLU."""
t, u = sp.symbols("t u", integer=True, nonnegative=True)
"""Positions in a window, 0..n-1."""

v = sp.Symbol("v", positive=True)
"""Var[w] = E[w^2] of a weight."""
q = sp.Symbol("q", positive=True)
"""E[x_0^2] of the inputs of the network."""
second_x = sp.Symbol("second_x", positive=True)
"""E[x^2] of the inputs of a layer."""
R = sp.IndexedBase("R", real=True)
"""R[t, u] = E[w_t w_u] / v."""
M = sp.IndexedBase("M", real=True)
"""M[t, u] = E[x_t x_u]."""
rho_w, rho_x = sp.symbols("rho_w rho_x", real=True)
"""R[t, u] and M[t, u] / E[x^2] for t != u, where these are all the same."""

var_next = sp.Symbol("var_next", real=True)
"""Var[y] of the responses to the inputs x."""
var_prev = sp.Symbol("var_prev", positive=True)
"""Var[y] of the responses whose positive parts are the inputs x."""
var_1, var_l, var_before = sp.symbols("var_1 var_l var_before", positive=True)
"""Var[y_1], Var[y_l] and Var[y_{l-1}]; at l = 1 the last is E[x_0^2], that of the inputs, which no ReLU has halved."""


def double_sum(entry: sp.Expr) -> sp.Expr:
    """The sum over t and u of an expression that may hold KroneckerDelta(t, u), each over 0..n-1."""
    inner = sp.expand(entry)
    for index in (u, t):
        inner = sum(_single(term, index) for term in sp.Add.make_args(sp.expand(inner)))
    return sp.expand(inner)


def _single(term: sp.Expr, index: sp.Symbol) -> sp.Expr:
    if not term.has(index):
        return n * term
    return deltasummation(term, (index, 0, n - 1), no_piecewise=True)


def equicorrelated(diagonal: sp.Expr, off_diagonal: sp.Expr) -> sp.Expr:
    """The entry (t, u) of a matrix with two values: one on the diagonal, one off it."""
    return off_diagonal + (diagonal - off_diagonal) * sp.KroneckerDelta(t, u)


def over_window(body: sp.Expr) -> sp.Sum:
    """The sum of an expression over t and u in 0..n-1."""
    return sp.Sum(body, (u, 0, n - 1), (t, 0, n - 1))
