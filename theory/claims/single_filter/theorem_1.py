"""Theorem 1 of Schneider (Section 3.2), line by line: Eqs. (3) to (9) and the remarks that follow the theorem."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter.one_sample import one_sample_gradient
from theory.claims.observe.single_filter.one_step import one_step
from theory.derive.single_filter import theorem_1 as derive
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import X, all_active, d, gap, i, lam, m, over, size, w, w0_star

half_plus, half_minus = derive.half_plus, derive.half_minus
descent, total_descent, w_next = derive.descent, derive.total_descent, derive.w_next

SYMMETRIC = Hypothesis("the samples form the symmetric grid around w* (assumption 2)")
LINEAR = Hypothesis("y(X) = w*.X (assumption 3)")
ACTIVE = Hypothesis("every sample is active, w.X > 0 (assumption 4)", all_active)
ONE_ACTIVE = Hypothesis("the sample is active, w.X > 0", w[0] * X[0] + over(w[m] * X[m]) > 0)
THEOREM = (SYMMETRIC, LINEAR, ACTIVE)


def _wrong(name: str, left: sp.Expr, right: sp.Expr) -> Control:
    return Control(name, sp.Eq(left, right))


E3 = Claim(
    id="C-E3",
    source="Schneider, Theorem 1, Eq. (3)",
    statement="w0' = w0 + 2 lam (1 + d0^2)(w0* - w0)",
    clauses=(
        Clause(
            text="the update of w_0",
            printed=sp.Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2) * (w0_star - w[0])),
            experiment=one_step,
            derivation=derive.theorem_1,
            hypotheses=THEOREM,
            controls=(
                _wrong("1 - d0^2", w_next[0], w[0] + 2 * lam * (1 - d[0] ** 2) * gap),
                _wrong("d0 for d0^2", w_next[0], w[0] + 2 * lam * (1 + d[0]) * gap),
                _wrong("lam for 2 lam", w_next[0], w[0] + lam * (1 + d[0] ** 2) * gap),
                _wrong("w0 - w0*", w_next[0], w[0] - 2 * lam * (1 + d[0] ** 2) * gap),
            ),
        ),
    ),
)

E4 = Claim(
    id="C-E4",
    source="Schneider, Theorem 1, Eq. (4)",
    statement="wi' = wi - 2 lam (2 (w0* - w0) di + wi di^2) wi for i > 0",
    note=(
        "The printed rule is not even homogeneous: doubling w and w* doubles the true update. It is not odd in w_i "
        "either, although the grid is symmetric; once w0 = w0* it drives every negative w_i to minus infinity."
    ),
    clauses=(
        Clause(
            text="the update of w_i, i > 0",
            printed=derive.PRINTED_E4,
            corrected=derive.TRUE_E4,
            experiment=one_step,
            derivation=derive.theorem_1,
            hypotheses=THEOREM,
            controls=(
                _wrong("Eq. (9) in place of Eq. (4)", w_next[i], w[i] - 2 * lam * (2 * gap + w[i] * d[i]) * d[i]),
                _wrong("without the cross term only", w_next[i], w[i] - 2 * lam * d[i] ** 2 * w[i] ** 2),
                _wrong("d_i for d_i^2", w_next[i], w[i] * (1 - 2 * lam * d[i])),
                _wrong("wrong sign", w_next[i], w[i] * (1 + 2 * lam * d[i] ** 2)),
                _wrong("lam for 2 lam", w_next[i], w[i] * (1 - lam * d[i] ** 2)),
            ),
        ),
    ),
)

E5 = Claim(
    id="C-E5",
    source="Schneider, Eq. (5)",
    statement="-(d f/d wj) = 2 ((w0* - w0) X0 - sum_{i>0} wi Xi) Xj for an active sample",
    clauses=(
        Clause(
            text="the gradient of one sample, j = 0 and j > 0",
            printed=derive.TRUE_E5,
            experiment=one_sample_gradient,
            derivation=derive.per_sample_gradient,
            hypotheses=(LINEAR, ONE_ACTIVE),
            controls=(
                _wrong("plus the sum", descent[i], 2 * (gap * X[0] + over(w[m] * X[m])) * X[i]),
                _wrong("without X_0", descent[i], 2 * (gap - over(w[m] * X[m])) * X[i]),
                _wrong("times w_i", descent[i], 2 * (gap * X[0] - over(w[m] * X[m])) * X[i] * w[i]),
                _wrong("1 for 2", descent[0], (gap * X[0] - over(w[m] * X[m])) * X[0]),
            ),
        ),
    ),
)

E7 = Claim(
    id="C-E7",
    source="Schneider, Eqs. (6) and (7)",
    statement="the w0 gradients sum to 2 |S| (w0* - w0)(1 + d0^2)",
    clauses=(
        Clause(
            text="sum over S of -(d f/d w0)",
            printed=sp.Eq(total_descent[0], 2 * size * gap * (1 + d[0] ** 2)),
            experiment=one_step,
            derivation=derive.sum_over_grid_0,
            hypotheses=THEOREM,
            controls=(
                _wrong("|S|/2 for |S|", total_descent[0], size * gap * (1 + d[0] ** 2)),
                _wrong("(1 + d0)^2", total_descent[0], 2 * size * gap * (1 + d[0]) ** 2),
                _wrong("1 - d0^2", total_descent[0], 2 * size * gap * (1 - d[0] ** 2)),
            ),
        ),
    ),
)

E8 = Claim(
    id="C-E8",
    source="Schneider, Eq. (8)",
    statement="the wi gradient split over S+i and its complement, signs and brackets as printed",
    note="The halves are exchanged (the set with a_i = +d_i carries the summand of a_i = -d_i), and in the second line "
    "the bracket closes before the factor d_i, so that it multiplies w_i d_i only.",
    clauses=(
        Clause(
            name="S+i",
            text="the part of the samples with a_i = +d_i, as printed with -d_i in its place",
            printed=derive.PRINTED_E8_PLUS,
            corrected=derive.TRUE_E8_PLUS,
            experiment=one_step,
            derivation=derive.split_over_half_grids,
            hypotheses=THEOREM,
            controls=(
                _wrong("twice the gap, as in Eq. (9)", half_plus[i], size * d[i] * (2 * gap - w[i] * d[i])),
                _wrong("sign of w_i d_i", half_plus[i], size * d[i] * (gap + w[i] * d[i])),
                _wrong("2 |S| for |S|", half_plus[i], 2 * size * d[i] * (gap - w[i] * d[i])),
            ),
        ),
        Clause(
            name="complement",
            text="the part of the samples with a_i = -d_i, as printed with the bracket closed early",
            printed=derive.PRINTED_E8_MINUS,
            corrected=derive.TRUE_E8_MINUS,
            experiment=one_step,
            derivation=derive.split_over_half_grids,
            hypotheses=THEOREM,
            controls=(
                _wrong("bracket mended, halves still exchanged", half_minus[i], size * d[i] * (gap - w[i] * d[i])),
                _wrong("twice the gap, as in Eq. (9)", half_minus[i], -size * d[i] * (2 * gap + w[i] * d[i])),
            ),
        ),
    ),
)

_FIRST_LINE = size * (2 * gap + w[i] * d[i]) * (-d[i]) + size * (2 * gap - w[i] * d[i]) * d[i]
_EQ9_CONTROLS = (
    _wrong("gap left over", total_descent[i], -2 * size * (gap + w[i] * d[i]) * d[i]),
    _wrong("d_i for d_i^2", total_descent[i], -2 * size * w[i] * d[i]),
    _wrong("|S| for 2 |S|", total_descent[i], -size * w[i] * d[i] ** 2),
)

E9 = Claim(
    id="C-E9",
    source="Schneider, Eq. (9) and the last line of the proof",
    statement="the wi gradients sum to -2 |S| (2 (w0* - w0) + wi di) di; (7) and (9) in (1) give (3) and (4)",
    note="The proof fails between the two lines of Eq. (9): (2 g + w_i d_i)(-d_i) + (2 g - w_i d_i) d_i is "
    "-2 w_i d_i^2, the gaps g cancel. Put into Eq. (1), its second line gives no factor w_i, so not Eq. (4) either.",
    clauses=(
        Clause(
            name="first line",
            text="the first line of Eq. (9), evaluated",
            printed=sp.Eq(total_descent[i], _FIRST_LINE),
            experiment=one_step,
            derivation=derive.sum_over_grid_i,
            hypotheses=THEOREM,
            controls=_EQ9_CONTROLS,
        ),
        Clause(
            name="second line",
            text="the second line of Eq. (9)",
            printed=derive.PRINTED_E9,
            corrected=derive.TRUE_E9,
            experiment=one_step,
            derivation=derive.sum_over_grid_i,
            hypotheses=THEOREM,
            controls=_EQ9_CONTROLS,
        ),
        Clause(
            name="(7) in (1)",
            text="Eq. (7) put into Eq. (1) gives Eq. (3)",
            printed=sp.Eq(w[0] + lam / size * total_descent[0], w[0] + 2 * lam * (1 + d[0] ** 2) * gap),
            experiment=one_step,
            derivation=derive.seven_in_one,
            hypotheses=THEOREM,
            controls=(
                _wrong("lam for 2 lam", w[0] + lam / size * total_descent[0], w[0] + lam * (1 + d[0] ** 2) * gap),
            ),
        ),
        Clause(
            name="(9) in (1)",
            text="Eq. (9) put into Eq. (1) gives Eq. (4)",
            printed=sp.Eq(w[i] + lam / size * total_descent[i], derive.PRINTED_E4.rhs),
            corrected=sp.Eq(w[i] + lam / size * total_descent[i], w[i] * (1 - 2 * lam * d[i] ** 2)),
            experiment=one_step,
            derivation=derive.theorem_1,
            hypotheses=THEOREM,
            controls=(
                _wrong(
                    "the printed second line, plugged in",
                    w[i] + lam / size * total_descent[i],
                    w[i] - 2 * lam * (2 * gap + w[i] * d[i]) * d[i],
                ),
            ),
        ),
    ),
)

GAP = Claim(
    id="C-GAP",
    source="Schneider, remark after Theorem 1",
    statement="the change of w0 is always at least proportional to the gap w0* - w0, whatever d0",
    clauses=(
        Clause(
            text="|w0' - w0| >= 2 lam |w0* - w0|",
            printed=sp.Abs(w_next[0] - w[0]) >= 2 * lam * sp.Abs(gap),
            experiment=one_step,
            derivation=derive.proportional_to_gap,
            hypotheses=THEOREM,
            controls=(
                Control("3 lam for 2 lam", sp.Abs(w_next[0] - w[0]) >= 3 * lam * sp.Abs(gap)),
                Control(
                    "strictly more than (1 + d0) times", sp.Abs(w_next[0] - w[0]) > 2 * lam * (1 + d[0]) * sp.Abs(gap)
                ),
                Control("at most", sp.Abs(w_next[0] - w[0]) <= 2 * lam * sp.Abs(gap)),
            ),
        ),
    ),
)

_CONTRACTS_FASTER = sp.Abs(w0_star - w_next[0]) * sp.Abs(w[i]) <= sp.Abs(w_next[i]) * sp.Abs(gap)

SLOW = Claim(
    id="C-SLOW",
    source="Schneider, remark after Theorem 1",
    statement="for small di, wi moves slowly; directions where w* is large converge fast, where small slowly",
    note="The speed of a direction is the samples' second moment along it, not the size of w*: w* is large along e0 "
    "and so are the samples, by assumption 2. Where the two part, X-ANY has the law.",
    clauses=(
        Clause(
            name="small d_i",
            text="w_i moves by 2 lam d_i^2 |w_i| (second order in d_i, not first)",
            printed=sp.Eq(sp.Abs(w_next[i] - w[i]), 2 * lam * d[i] ** 2 * sp.Abs(w[i])),
            experiment=one_step,
            derivation=derive.quadratic_in_d,
            hypotheses=THEOREM,
            controls=(
                _wrong("first order in d_i", sp.Abs(w_next[i] - w[i]), 2 * lam * d[i] * sp.Abs(w[i])),
                _wrong("independent of d_i", sp.Abs(w_next[i] - w[i]), 2 * lam * sp.Abs(w[i])),
            ),
        ),
        Clause(
            name="w0 converges faster than wi",
            text="the relative error of w_0 shrinks at least as much as that of w_i, at any stable learning rate",
            printed=_CONTRACTS_FASTER,
            condition=lam * (1 + d[0] ** 2 + d[i] ** 2) <= 1,
            experiment=one_step,
            derivation=derive.contraction_order,
            hypotheses=(
                *THEOREM,
                Hypothesis("the learning rate is stable, lam (1 + d0^2) < 1", lam * (1 + d[0] ** 2) < 1),
            ),
            controls=(
                Control(
                    "the other way round", sp.Abs(w0_star - w_next[0]) * sp.Abs(w[i]) >= sp.Abs(w_next[i]) * sp.Abs(gap)
                ),
                Control(
                    "twice as fast", 2 * sp.Abs(w0_star - w_next[0]) * sp.Abs(w[i]) <= sp.Abs(w_next[i]) * sp.Abs(gap)
                ),
            ),
        ),
    ),
)

CLAIMS = (E3, E4, E5, E7, E8, E9, GAP, SLOW)
