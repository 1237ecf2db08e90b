"""Any depth, for the cells of Table 1 that one recursion settles: (A), (B), (D) (Schneider, Eqs. 14, 16, Table 1).

From Eqs. (13) to (16), Var[y_{l+1}] = g Var[y_l] with g = k^4 v/2 in (A) and k^2 v/2 in (B) and (D); l - 1 such steps
lead from Var[y_1] to Var[y_l]. The exponent is l only from a Var[y_0] := 2 E[x_0^2], as if the inputs came out of a
ReLU. Table 1 has k where its equations have k^2; it is right for k := the number of weights and Var[y_0].
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.layer_variance.one_layer import E13, E15
from theory.derive.layer_variance.symbols import deep, k, l, q, second_x, v, var_1, var_before, var_l

var_A, var_B, var_C, var_D = sp.symbols("var_A var_B var_C var_D", positive=True)
"""Var[y_l] in the four cells of Table 1, with the same Var[w] and the same inputs' second moment."""

GAIN_A = k**4 * v / 2
GAIN_B = k**2 * v / 2
"""Also that of cell (D)."""

ETA = var_1 * (v / 2) ** l
"""eta as printed under Table 1."""
ETA_0 = 2 * q * (v / 2) ** l
"""eta with Var[y_0] = 2 E[x_0^2] for Var[y_1]: the same number in all four cells."""

STEP_A = sp.Eq(var_l, GAIN_A * var_before)
STEP_B = sp.Eq(var_l, GAIN_B * var_before)
"""The second halves of the first lines of Eqs. (14) and (16)."""
PRINTED_E14 = sp.Eq(var_l, var_1 * GAIN_A**l)
PRINTED_E16 = sp.Eq(var_l, var_1 * GAIN_B**l)
DEPTH_A = sp.Eq(var_l, var_1 * GAIN_A ** (l - 1))
DEPTH_B = sp.Eq(var_l, var_1 * GAIN_B ** (l - 1))
FROM_0_A = sp.Eq(var_l, 2 * q * GAIN_A**l)
FROM_0_B = sp.Eq(var_l, 2 * q * GAIN_B**l)
"""The printed exponent goes with Var[y_0] = 2 E[x_0^2]."""
PRINTED_T1A = sp.Eq(var_l, ETA * k ** (2 * l))
PRINTED_T1B = sp.Eq(var_l, ETA * k**l)
"""Also printed for (C) and (D)."""
TABLE_A = sp.Eq(var_l, ETA_0 * (k**2) ** (2 * l))
TABLE_B = sp.Eq(var_l, ETA_0 * (k**2) ** l)
"""Table 1 with k^2, the number of weights, for k, and Var[y_0] for Var[y_1]."""

SQUARED_GROWTH = sp.And(sp.Eq(var_A, var_B**2 / ETA_0), sp.Eq(var_A, var_D**2 / ETA_0))
"""Var/eta in (A) is the square of Var/eta in (B) and (D); written in the units of a variance."""
PRINTED_SQUARE = sp.Eq(var_A, var_B**2)
TRUE_SQUARE = sp.Eq(var_A, var_B**2 / ETA_0)
LARGEST = sp.And(sp.Ge(var_A, var_B), sp.Ge(var_A, var_D), sp.Ge(var_A, var_C))

_m, _c = sp.symbols("m c", integer=True, positive=True)
SYMMETRIC_W = "weights jointly symmetric around 0, independent of the inputs and of other layers'"


def _unrolled(gain: sp.Expr) -> sp.Expr:
    return var_1 * sp.Product(gain, (_m, 1, l - 1))


def _recursion(
    one_layer: sp.Expr, gain: sp.Expr, first: sp.Expr, closed: sp.Expr, printed: sp.Expr
) -> tuple[Step, ...]:
    return (
        Step(
            "E[x^2] = Var[y]/2 put into the one-layer law",
            equal(one_layer.subs(second_x, var_before / 2), gain * var_before),
        ),
        Step("c channels, each summed with weights of variance v/c, independent: as one", equal(_c * (v / _c), v)),
        Step("l - 1 steps lead from Var[y_1] to Var[y_l]", equal(_unrolled(gain), closed), printed=printed),
        Step("at l = 1 nothing is left of the product", equal(closed.subs(l, 1), var_1), printed=printed.subs(l, 1)),
        Step("Var[y_1] itself, from E[x_0^2] = q", equal(first, gain * 2 * q)),
    )


@cache
def depth_a() -> Derivation:
    """Cell (A): Var[y_l] = Var[y_1] (k^4 v/2)^(l-1) = 2 E[x_0^2] (k^4 v/2)^l."""
    first = E13.rhs.subs(second_x, q)
    steps = (
        *_recursion(E13.rhs, GAIN_A, first, DEPTH_A.rhs, PRINTED_E14.rhs),
        Step("Table 1 has not even the k of Eq. (14)", equal(PRINTED_E14.rhs / PRINTED_T1A.rhs, k ** (2 * l))),
    )
    definitions = (sp.Eq(var_l, _unrolled(GAIN_A)), sp.Eq(var_before, var_l / GAIN_A), sp.Eq(var_1, first))
    used = (SYMMETRIC_W, "w_t = w_0 and x_t = x_0 for every t, in every layer (C-PERF: no zero padding)")
    return Derivation((sp.Implies(deep, STEP_A), DEPTH_A, FROM_0_A, TABLE_A), used, steps, definitions)


@cache
def depth_b() -> Derivation:
    """Cells (B) and (D): Var[y_l] = Var[y_1] (k^2 v/2)^(l-1) = 2 E[x_0^2] (k^2 v/2)^l.

    With uncorrelated weights only M_tt = E[x^2] enters the one-layer law: how inputs are correlated does not matter.
    """
    first = E15.rhs.subs(second_x, q)
    steps = (
        *_recursion(E15.rhs, GAIN_B, first, DEPTH_B.rhs, PRINTED_E16.rhs),
        Step("Table 1 has not even the k of Eq. (16)", equal(PRINTED_E16.rhs / PRINTED_T1B.rhs, k**l)),
    )
    definitions = (sp.Eq(var_l, _unrolled(GAIN_B)), sp.Eq(var_before, var_l / GAIN_B), sp.Eq(var_1, first))
    used = (SYMMETRIC_W, "E[w_t w_u] = 0 for t != u")
    return Derivation((sp.Implies(deep, STEP_B), DEPTH_B, FROM_0_B, TABLE_B), used, steps, definitions)


@cache
def squares() -> Derivation:
    """Var_A/eta = (Var_B/eta)^2, eta = 2 E[x_0^2] (v/2)^l in both: what grows with k is squared, Var is not."""
    steps = (
        Step("what grows with k in (A) is the square of that in (B)", equal(k ** (4 * l), (k ** (2 * l)) ** 2)),
        Step("so Var_A eta = Var_B^2", equal(FROM_0_A.rhs * ETA_0, FROM_0_B.rhs**2)),
    )
    definitions = (sp.Eq(var_A, FROM_0_A.rhs), sp.Eq(var_B, FROM_0_B.rhs), sp.Eq(var_D, FROM_0_B.rhs))
    return Derivation(
        (SQUARED_GROWTH, TRUE_SQUARE), (SYMMETRIC_W, "the same v and E[x_0^2] in both"), steps, definitions
    )


@cache
def largest() -> Derivation:
    """(A) is the largest of the four: in every layer all R_tu M_tu are E[x^2], and none can exceed it."""
    x, other, more = sp.Symbol("x", real=True), sp.Symbol("x'", real=True), sp.Symbol("h", nonnegative=True)
    steps = (
        Step(
            "E[x^2] - E[x_t x_u] is the mean of half a square",
            equal((x**2 + other**2) / 2 - x * other, (x - other) ** 2 / 2),
        ),
        Step(
            "so sum_tu M_tu <= n^2 E[x^2]; and n <= n^2, n = 1 + h",
            at_least((1 + more) ** 2 - (1 + more), 0),
            (1 + more) * more,
        ),
    )
    return Derivation((LARGEST,), (SYMMETRIC_W, "the same v and E[x_0^2] in all"), steps)
