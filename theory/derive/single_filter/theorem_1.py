"""Theorem 1, followed through Eqs. (5) to (9) for general p (Schneider, Section 3.2).

The printed lines stand beside the derived ones in the steps. They part three times: in Eq. (8) the two halves of the
grid are exchanged and a bracket closes too early; between the two lines of Eq. (9) the terms in w*_0 - w_0, which
cancel between the halves, are added instead; and Eq. (4) has a factor w_i that Eq. (9) has not.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.symbols import X, all_active, coordinate, d, gap, grid_expectation, i, lam, m, over, size, w, w0_star

descent = sp.IndexedBase("descent", real=True)
"""-(d f / d w_j) of one sample."""
total_descent = sp.IndexedBase("total_descent", real=True)
"""The sum of -(d f / d w_j) over all samples."""
half_plus = sp.IndexedBase("half_plus", real=True)
"""The part of total_descent[i] from the samples with a_i = +d_i, the set S_{+,i}."""
half_minus = sp.IndexedBase("half_minus", real=True)
"""The part of total_descent[i] from the samples with a_i = -d_i, the complement of S_{+,i}."""
w_next = sp.IndexedBase("w_next", real=True)
"""The weights after one update of Eq. (1)."""

USED = (
    "every sample is active at this update (w.X > 0)",
    "w* = (w*_0, 0, ..., 0) and y = w*.X",
    "of the samples only E[X_0^2] = 1 + d_0^2, E[X_0 X_i] = 0, E[X_i X_j] = 0, E[X_i^2] = d_i^2",
)

_activation = w[0] * coordinate(0) + over(w[m] * coordinate(m))
_residual = w0_star * coordinate(0) - _activation

TRUE_E5 = sp.And(
    sp.Eq(descent[0], 2 * (gap * X[0] - over(w[m] * X[m])) * X[0]),
    sp.Eq(descent[i], 2 * (gap * X[0] - over(w[m] * X[m])) * X[i]),
)
TRUE_E7 = sp.Eq(total_descent[0], 2 * size * gap * (1 + d[0] ** 2))
TRUE_E8_PLUS = sp.Eq(half_plus[i], size * d[i] * (gap - w[i] * d[i]))
TRUE_E8_MINUS = sp.Eq(half_minus[i], -size * d[i] * (gap + w[i] * d[i]))
TRUE_E9 = sp.Eq(total_descent[i], -2 * size * w[i] * d[i] ** 2)
TRUE_E3 = sp.Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2) * gap)
TRUE_E4 = sp.Eq(w_next[i], w[i] * (1 - 2 * lam * d[i] ** 2))

PRINTED_E4 = sp.Eq(w_next[i], w[i] - 2 * lam * (2 * gap * d[i] + w[i] * d[i] ** 2) * w[i])
PRINTED_E8_PLUS = sp.Eq(half_plus[i], -size * d[i] * (gap + w[i] * d[i]))
PRINTED_E8_MINUS = sp.Eq(half_minus[i], size * (gap - w[i] * d[i] ** 2))
PRINTED_E9 = sp.Eq(total_descent[i], -2 * size * (2 * gap + w[i] * d[i]) * d[i])


TOTALS = (
    sp.Eq(total_descent[0], size * grid_expectation(2 * _residual * coordinate(0))),
    sp.Eq(total_descent[i], size * grid_expectation(2 * _residual * coordinate(i))),
)
"""Sums over S are |S| times the mean over the grid."""
HALVES = (
    sp.Eq(half_plus[i], size / 2 * grid_expectation(2 * _residual * coordinate(i), {i: 1})),
    sp.Eq(half_minus[i], size / 2 * grid_expectation(2 * _residual * coordinate(i), {i: -1})),
)
"""Sums over half of S are |S|/2 times the mean over that half."""
UPDATE = (
    sp.Eq(w_next[0], w[0] + lam / size * total_descent[0]),
    sp.Eq(w_next[i], w[i] + lam / size * total_descent[i]),
)
"""Eq. (1)."""


@cache
def per_sample_gradient() -> Derivation:
    """-(d f/d w_j) = 2 ((w*_0 - w_0) X_0 - sum_{i>0} w_i X_i) X_j for an active sample (Eq. 5)."""
    activation = w[0] * X[0] + over(w[m] * X[m])
    loss = (w0_star * X[0] - activation) ** 2
    common = gap * X[0] - over(w[m] * X[m])
    steps = (
        Step("differentiate (y - w.X)^2 by w_0", equal(_descend(loss, w[0]), 2 * common * X[0])),
        Step("and by w_i", equal(_descend(loss, w[i]), 2 * common * X[i])),
    )
    definitions = (sp.Eq(descent[0], _descend(loss, w[0])), sp.Eq(descent[i], _descend(loss, w[i])))
    used = ("the sample is active (w.X > 0), so that max(w.X, 0) = w.X", USED[1])
    return Derivation((TRUE_E5,), used, steps, definitions)


def _descend(loss: sp.Expr, weight: sp.Indexed) -> sp.Expr:
    """-(d loss / d weight) of a squared residual, the delta of d w_m / d w_i summed out."""
    residual, two = loss.as_base_exp()
    index = weight.indices[0]
    slope = sp.Integer(0)
    for term in sp.Add.make_args(residual):
        coefficient, body = term.as_coeff_Mul()
        if isinstance(body, sp.Sum):
            # d w_m / d w_i is 1 at the one summand m = i, and 0 for i = 0
            slope += 0 if index == 0 else coefficient * sp.diff(body.function.subs(m, index), weight)
        else:
            slope += sp.diff(term, weight)
    return -two * residual * slope


@cache
def sum_over_grid_0() -> Derivation:
    """The sum over S of the w_0 gradients, through the split of Eq. (6) (Eq. 7)."""
    summand = 2 * _residual * coordinate(0)
    plus = size / 2 * grid_expectation(summand, {sp.Integer(0): 1})
    minus = size / 2 * grid_expectation(summand, {sp.Integer(0): -1})
    steps = (
        Step("Eq. (6), a_0 = +d_0: the a_i cancel in pairs", equal(plus, size * gap * (1 + d[0]) ** 2)),
        Step("Eq. (6), a_0 = -d_0: likewise", equal(minus, size * gap * (1 - d[0]) ** 2)),
        Step("add the halves", equal(plus + minus, TRUE_E7.rhs)),
        Step("the same in one go, without the split", equal(size * grid_expectation(summand), TRUE_E7.rhs)),
    )
    return Derivation((TRUE_E7,), USED, steps, TOTALS, needs=(all_active,))


@cache
def split_over_half_grids() -> Derivation:
    """The w_i gradients summed over S_{+,i} and over its complement (Eq. 8)."""
    summand = 2 * _residual * coordinate(i)
    plus = size / 2 * grid_expectation(summand, {i: 1})
    minus = size / 2 * grid_expectation(summand, {i: -1})
    steps = (
        Step("on S_{+,i}, a_i = +d_i", equal(plus, TRUE_E8_PLUS.rhs), printed=PRINTED_E8_PLUS.rhs),
        Step("on the complement, a_i = -d_i", equal(minus, TRUE_E8_MINUS.rhs), printed=PRINTED_E8_MINUS.rhs),
        Step("the printed first half is the true second half", equal(PRINTED_E8_PLUS.rhs, minus)),
    )
    return Derivation((TRUE_E8_PLUS, TRUE_E8_MINUS), USED, steps, HALVES, needs=(all_active,))


@cache
def sum_over_grid_i() -> Derivation:
    """The sum over S of the w_i gradients, i > 0 (Eq. 9): the terms in w*_0 - w_0 cancel between the halves."""
    first_line = size * (2 * gap + w[i] * d[i]) * (-d[i]) + size * (2 * gap - w[i] * d[i]) * d[i]
    steps = (
        *split_over_half_grids().steps[:2],
        Step("add the halves of Eq. (8)", equal(TRUE_E8_PLUS.rhs + TRUE_E8_MINUS.rhs, TRUE_E9.rhs)),
        Step(
            "the printed first line of Eq. (9) doubles w*_0 - w_0, but it cancels, so the total is right",
            equal(first_line, TRUE_E9.rhs),
        ),
        Step(
            "the second line of Eq. (9) adds what cancels: it exceeds the first by",
            equal(PRINTED_E9.rhs - first_line, -4 * size * gap * d[i]),
            printed=PRINTED_E9.rhs,
        ),
    )
    return Derivation((TRUE_E9, sp.Eq(first_line, total_descent[i])), USED, steps, TOTALS, needs=(all_active,))


@cache
def seven_in_one() -> Derivation:
    """Eq. (7) put into Eq. (1) gives Eq. (3)."""
    result = sp.Eq(w[0] + lam / size * total_descent[0], TRUE_E3.rhs)
    step = Step("Eq. (7) into Eq. (1)", equal(w[0] + lam / size * TRUE_E7.rhs, TRUE_E3.rhs))
    return Derivation((result,), USED, (*sum_over_grid_0().steps, step), TOTALS, needs=(all_active,))


@cache
def theorem_1() -> Derivation:
    """One update of Eq. (1): w_0 <- w_0 + 2 lam (1 + d_0^2)(w*_0 - w_0), w_i <- w_i (1 - 2 lam d_i^2) (Eqs. 3, 4)."""
    update_0 = w[0] + lam / size * TRUE_E7.rhs
    update_i = w[i] + lam / size * TRUE_E9.rhs
    plugged = w[i] + lam / size * PRINTED_E9.rhs
    steps = (
        *sum_over_grid_0().steps,
        *sum_over_grid_i().steps,
        Step("Eq. (7) into Eq. (1)", equal(update_0, TRUE_E3.rhs)),
        Step("the derived Eq. (9) into Eq. (1)", equal(update_i, TRUE_E4.rhs), printed=PRINTED_E4.rhs),
        Step(
            "the printed Eq. (9) into Eq. (1) gives neither the truth nor the printed Eq. (4)",
            equal(plugged, w[i] - 2 * lam * (2 * gap * d[i] + w[i] * d[i] ** 2)),
            printed=PRINTED_E4.rhs,
        ),
    )
    into_1 = sp.Eq(w[i] + lam / size * total_descent[i], w[i] * (1 - 2 * lam * d[i] ** 2))
    return Derivation((TRUE_E3, TRUE_E4, into_1), USED, steps, (*UPDATE, *TOTALS), needs=(all_active,))


@cache
def proportional_to_gap() -> Derivation:
    """|w_0' - w_0| >= 2 lam |w*_0 - w_0| for every d_0 (the remark after Theorem 1)."""
    change, distance = TRUE_E3.rhs - w[0], sp.Symbol("g", nonnegative=True)
    steps = (
        *theorem_1().steps,
        Step("the change is a multiple of the gap", equal(change, 2 * lam * (1 + d[0] ** 2) * gap)),
        Step(
            "and at least 2 lam of it",
            at_least(2 * lam * (1 + d[0] ** 2) * distance, 2 * lam * distance),
            certificate=2 * lam * d[0] ** 2 * distance,
        ),
    )
    result = sp.Abs(w_next[0] - w[0]) >= 2 * lam * sp.Abs(gap)
    return Derivation((result,), USED, steps, (*UPDATE, *TOTALS), needs=(all_active,))


@cache
def quadratic_in_d() -> Derivation:
    """|w_i' - w_i| = 2 lam d_i^2 |w_i|: second order in d_i, where the printed factor is d_i."""
    size_of_w = sp.Symbol("s", nonnegative=True)
    steps = (
        *theorem_1().steps,
        Step("the change of w_i", equal(TRUE_E4.rhs - w[i], -2 * lam * d[i] ** 2 * w[i])),
        Step(
            "for d_i <= 1 it is at most 2 lam d_i |w_i|, and vanishes with d_i",
            equal(
                2 * lam * d[i] * size_of_w - 2 * lam * d[i] ** 2 * size_of_w, 2 * lam * size_of_w * d[i] * (1 - d[i])
            ),
        ),
    )
    result = sp.Eq(sp.Abs(w_next[i] - w[i]), 2 * lam * d[i] ** 2 * sp.Abs(w[i]))
    return Derivation((result,), USED, steps, (*UPDATE, *TOTALS), needs=(all_active,))


def steepest_first(index: sp.Expr = i) -> tuple[Step, ...]:
    """h_0 = 1 + d_0^2 is at least h_i = d_i^2 for d_i <= 1: no second moment is above that along w*."""
    below_1 = sp.Symbol("u", nonnegative=True)
    excess = d[0] ** 2 + below_1 * (1 + d[index])
    return (
        Step(
            f"h_0 - h_{index}, in terms of u = 1 - d_{index}",
            equal(1 + d[0] ** 2 - d[index] ** 2, excess.subs(below_1, 1 - d[index])),
        ),
        Step("is not negative: none is steeper than the coordinate along w*", at_least(excess, 0)),
    )


@cache
def contraction_order() -> Derivation:
    """|1 - 2 lam h_0| <= |1 - 2 lam h_i|, h_0 = 1 + d_0^2, h_i = d_i^2, exactly if lam (h_0 + h_i) <= 1 or h_0 = h_i.

    The error w*_0 - w_0 is multiplied by 1 - 2 lam h_0, the error -w_i by 1 - 2 lam h_i.
    """
    h_0, h_i = 1 + d[0] ** 2, d[i] ** 2
    slack, above = sp.symbols("t g", nonnegative=True)
    difference = (1 - 2 * lam * h_i) ** 2 - (1 - 2 * lam * h_0) ** 2
    compared, spare = 4 * lam * above * slack, 1 - lam * (h_0 + h_i)
    steps = (
        *theorem_1().steps,
        Step("the error of w_0 after an update", equal(w0_star - TRUE_E3.rhs, (1 - 2 * lam * h_0) * gap)),
        Step("the error of w_i after an update", equal(TRUE_E4.rhs, (1 - 2 * lam * h_i) * w[i])),
        Step("compare the squared factors", equal(difference, compared.subs({above: h_0 - h_i, slack: spare}))),
        *steepest_first(),
        Step(
            "so with g = h_0 - h_i, t = 1 - lam (h_0 + h_i) >= 0 the difference is not negative", at_least(compared, 0)
        ),
    )
    faster = sp.Abs(w0_star - w_next[0]) * sp.Abs(w[i]) <= sp.Abs(w_next[i]) * sp.Abs(gap)
    return Derivation(
        (sp.Implies(lam * (h_0 + h_i) <= 1, faster),), (*USED, "0 <= d_i <= 1"), steps, needs=(all_active,)
    )
