"""What Eq. (17) is the variance of, and what scales a response instead (Schneider, Section 5).

sum_ij R(i, j) is the variance of the sum of a filter's weights. A response is that sum times the input only if all
inputs of the window are equal; in general its second moment is v sum_tu R_tu M_tu.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal
from theory.derive.correlated_init.symbols import EVERY_R, M, R, over_pixels, t, total_R, u, v
from theory.symbols import p

var_sum = sp.Symbol("var_sum", real=True)
"""The variance of the sum of a filter's weights, each of variance 1."""
off_diagonal = sp.Symbol("off_diagonal", real=True)
"""The sum of R over pairs of different weights."""
second_y = sp.Symbol("second_y", real=True)
"""E[y^2] of a response to n_in channels."""
second_x = sp.Symbol("second_x", positive=True)
"""E[x^2] of an input."""
products = sp.IndexedBase("products", real=True)
"""E[w_t w_u]."""

SUM = sp.Eq(var_sum, total_R)
SPLIT = sp.Eq(var_sum, p + off_diagonal)
RESPONSE = sp.Eq(second_y, v * over_pixels(R[t, u] * M[t, u]))
PRINTED_RESPONSE = sp.Eq(second_y, v * second_x * total_R)
"""The layer variance if Eq. (17) were its gain."""


def _square_steps() -> tuple[Step, ...]:
    w = sp.symbols("w0:3")
    pairs = sum(a * b for a in w for b in w)
    return (
        Step("the square of a sum is the sum over all pairs, here of three weights", equal(sum(w) ** 2, pairs)),
        Step("k^2 of them pair a weight with itself, and R_tt = 1", equal(sp.Sum(1, (t, 0, p - 1)), p)),
    )


@cache
def sum_of_weights() -> Derivation:
    """Var(sum_t w_t) = sum_tu R_tu = k^2 + sum_{t != u} R_tu for weights of variance 1 (Eq. 17)."""
    definitions = (
        sp.Eq(var_sum, over_pixels(products[t, u])),
        sp.Eq(products[t, u], R[t, u]),
        # R[t, t] = 1
        sp.Eq(off_diagonal, total_R - sp.Sum(1, (t, 0, p - 1))),
    )
    return Derivation((SUM, SPLIT), ("weights of mean zero and variance 1",), _square_steps(), definitions)


@cache
def response() -> Derivation:
    """E[y^2] = v sum_tu R_tu M_tu, any inputs; v E[x^2] sum_tu R_tu only if all inputs of a window are equal."""
    w, x = sp.symbols("w0:2"), sp.symbols("x0:2")
    pairs = sum(w[a] * w[b] * x[a] * x[b] for a in range(2) for b in range(2))
    steps = (
        *_square_steps(),
        Step("y^2 of two pixels", equal((w[0] * x[0] + w[1] * x[1]) ** 2, pairs)),
        Step(
            "means of independent numbers multiply, E[w_t w_u] = v R_tu",
            equal(over_pixels(v * R[t, u] * M[t, u]), v * over_pixels(R[t, u] * M[t, u])),
        ),
        Step("equal inputs, M_tu = E[x^2]", equal(over_pixels(v * R[t, u] * second_x), PRINTED_RESPONSE.rhs)),
    )
    definitions = (sp.Eq(second_y, over_pixels(products[t, u] * M[t, u])), sp.Eq(products[t, u], v * R[t, u]))
    return Derivation((RESPONSE,), (EVERY_R,), steps, definitions)
