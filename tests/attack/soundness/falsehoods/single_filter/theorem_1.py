"""Near misses of Theorem 1, Eqs. (3) to (9), and of the remarks that follow it."""

from __future__ import annotations

from sympy import Abs, And, Eq, Implies

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter import theorem_1 as derive
from theory.derive.single_filter.theorem_1 import descent, half_minus, half_plus, total_descent, w_next
from theory.symbols import X, d, gap, i, lam, m, over, p, size, w, w0_star

_H0 = 1 + d[0] ** 2
_BEST = lam * (1 + d[0] ** 2 + d[i] ** 2)
_SAMPLE = gap * X[0] - over(w[m] * X[m])
_FASTER = Abs(w0_star - w_next[0]) * Abs(w[i]) <= Abs(w_next[i]) * Abs(gap)

FALSEHOODS = (
    # Eq. (3)
    Falsehood("C-E3", "", "exponent", Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 4) * gap), "d0^4 for d0^2"),
    Falsehood("C-E3", "", "exponent", Eq(w_next[0], w[0] + 2 * lam * (1 + d[0]) ** 2 * gap), "E[a_0] is 0: no 2 d0"),
    Falsehood("C-E3", "", "factor", Eq(w_next[0], w[0] + 2 * lam * (1 + 2 * d[0] ** 2) * gap), "d0^2 counted twice"),
    Falsehood(
        "C-E3", "", "term", Eq(w_next[0], w[0] + 2 * lam * (_H0 * w0_star - w[0])), "w0 is multiplied by 1 + d0^2 too"
    ),
    Falsehood(
        "C-E3",
        "",
        "limit",
        Eq(w_next[0], (w[0] + 2 * lam * _H0 * w0_star) / (1 + 2 * lam * _H0)),
        "the implicit step: right to first order in lam only",
    ),
    Falsehood(
        "C-E3",
        "",
        "edge",
        Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2 + over(d[m] ** 2)) * gap),
        "the trace of E[X X^T] for h_0: right for p = 1 only",
    ),
    Falsehood(
        "C-E3",
        "",
        "edge",
        Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2) * gap + 2 * lam * over(d[m] ** 2 * w[m]) * d[0]),
        "right wherever d0 = 0 or w_i = 0 for all i > 0",
    ),
    # Eq. (4)
    Falsehood(
        "C-E4", "", "exponent", Eq(w_next[i], (1 - lam * d[i] ** 2) ** 2 * w[i]), "+ lam^2 d_i^4 w_i", as_="correction"
    ),
    Falsehood(
        "C-E4", "", "limit", Eq(w_next[i], w[i] / (1 + 2 * lam * d[i] ** 2)), "first order in lam", as_="correction"
    ),
    Falsehood(
        "C-E4",
        "",
        "term",
        Eq(
            w_next[i], (1 - 2 * lam * d[i] ** 2) * w[i] + 4 * lam * gap * d[i] * Abs(w[i]) - 4 * lam * gap * d[i] * w[i]
        ),
        "right for w_i >= 0 only: the printed cross term survives for w_i < 0",
        as_="correction",
    ),
    Falsehood(
        "C-E4",
        "",
        "index",
        Eq(w_next[i], (1 - 2 * lam * d[1] ** 2) * w[i]),
        "d_1 for d_i: right for p = 2 only",
        as_="correction",
    ),
    Falsehood(
        "C-E4",
        "",
        "index",
        Eq(w_next[i], (1 - 2 * lam * (d[i] ** 2 + d[0] ** 2)) * w[i]),
        "d_0^2 belongs to coordinate 0 only",
        as_="correction",
    ),
    Falsehood(
        "C-E4", "", "hypothesis", derive.TRUE_E4, "without all-active: d = (0, 1), w = (0, 1) loses half", without=(2,)
    ),
    Falsehood("C-E4", "", "hypothesis", Eq(w[0], w0_star), "w_i = -1 leaves for -infinity even so", as_="condition"),
    Falsehood("C-E4", "", "hypothesis", w[i] > 0, "d_1 = 1, w_1 = 1/2, w0 < w0*", as_="condition"),
    Falsehood(
        "C-E4",
        "",
        "hypothesis",
        And(Eq(w[0], w0_star), w[i] >= 0),
        "w_i^2 for w_i is left: right for w_i in {0, 1} only",
        as_="condition",
    ),
    # Eq. (5)
    Falsehood(
        "C-E5",
        "",
        "term",
        And(Eq(descent[0], 2 * _SAMPLE), Eq(descent[i], 2 * _SAMPLE * X[i])),
        "the factor X_0 left out for j = 0: right for X_0 = 1",
    ),
    Falsehood("C-E5", "", "index", Eq(descent[i], 2 * _SAMPLE * X[0]), "X_0 for X_i"),
    Falsehood("C-E5", "", "term", Eq(descent[0], 2 * gap * X[0] ** 2), "the other coordinates' part left out"),
    Falsehood("C-E5", "", "sign", Eq(descent[0], -2 * _SAMPLE * X[0]), "the gradient for its negative"),
    # Eqs. (6) and (7)
    Falsehood("C-E7", "", "factor", Eq(total_descent[0], 4 * size * gap * _H0), "4 |S| for 2 |S|"),
    Falsehood("C-E7", "", "quantity", Eq(total_descent[0], 2 * gap * _H0), "the mean for the sum: right for |S| = 1"),
    Falsehood(
        "C-E7",
        "",
        "edge",
        Eq(total_descent[0], 2 * size * gap * _H0 + 2 * over(d[m] ** 2 * w[m] * gap)),
        "right where p = 1, w_i = 0 or d_i = 0 for all i > 0",
    ),
    Falsehood(
        "C-E7", "", "quantity", Eq(total_descent[0], 4 * p * gap * _H0), "2p for 2^p: right for p = 1 and 2 only"
    ),
    # Eq. (8)
    Falsehood(
        "C-E8", "S+i", "factor", Eq(half_plus[i], size * d[i] * (gap - w[i] * d[i]) / 2), "|S|/2", as_="correction"
    ),
    Falsehood("C-E8", "S+i", "sign", Eq(half_plus[i], -size * d[i] * (gap - w[i] * d[i])), "sign", as_="correction"),
    Falsehood(
        "C-E8",
        "complement",
        "sign",
        Eq(half_minus[i], -size * d[i] * (gap - w[i] * d[i])),
        "sign of w_i d_i",
        as_="correction",
    ),
    Falsehood(
        "C-E8",
        "complement",
        "term",
        Eq(half_minus[i], -size * (gap + w[i] * d[i])),
        "d_i left out: right for d_i = 1",
        as_="correction",
    ),
    Falsehood(
        "C-E8",
        "complement",
        "exponent",
        Eq(half_minus[i], -size * (gap * d[i] + w[i] * d[i])),
        "the bracket closed early: right for d_i in {0, 1}",
        as_="correction",
    ),
    Falsehood("C-E8", "complement", "hypothesis", Eq(d[i], 1), "the sign is wrong even so", as_="condition"),
    # Eq. (9)
    Falsehood("C-E9", "first line", "factor", Eq(total_descent[i], -4 * size * w[i] * d[i] ** 2), "4 for 2"),
    Falsehood(
        "C-E9",
        "second line",
        "exponent",
        Eq(total_descent[i], -2 * size * w[i] ** 2 * d[i] ** 2),
        "right for w_i in {0, 1}",
        as_="correction",
    ),
    Falsehood(
        "C-E9",
        "second line",
        "sign",
        Eq(total_descent[i], -2 * size * Abs(w[i]) * d[i] ** 2),
        "right for w_i >= 0 only",
        as_="correction",
    ),
    Falsehood(
        "C-E9",
        "second line",
        "quantity",
        Eq(total_descent[i], -2 * w[i] * d[i] ** 2),
        "the mean over S for the sum",
        as_="correction",
    ),
    Falsehood("C-E9", "second line", "hypothesis", Eq(w[i], 0), "the gap remains at w_i = 0", as_="condition"),
    Falsehood(
        "C-E9",
        "(7) in (1)",
        "factor",
        Eq(w[0] + lam * total_descent[0], w[0] + 2 * lam * _H0 * gap),
        "not divided by |S|",
    ),
    Falsehood(
        "C-E9",
        "(9) in (1)",
        "factor",
        Eq(w[i] + lam / size * total_descent[i], w[i] * (1 - 4 * lam * d[i] ** 2)),
        "4 lam for 2 lam",
        as_="correction",
    ),
    Falsehood(
        "C-E9",
        "(9) in (1)",
        "sign",
        Eq(w[i] - lam / size * total_descent[i], w[i] * (1 - 2 * lam * d[i] ** 2)),
        "uphill",
        as_="correction",
    ),
    # the remarks
    Falsehood(
        "C-GAP", "", "strictness", Abs(w_next[0] - w[0]) > 2 * lam * Abs(gap), "equal at d0 = 0, and at w0 = w0*"
    ),
    Falsehood("C-GAP", "", "exponent", Abs(w_next[0] - w[0]) >= 2 * lam * (1 + d[0]) * Abs(gap), "d0 > d0^2 inside"),
    Falsehood("C-GAP", "", "bound", Abs(w_next[0] - w[0]) >= lam * (2 + d[0]) * Abs(gap), "false for 0 < d0 < 1/2"),
    Falsehood("C-GAP", "", "term", w_next[0] - w[0] >= 2 * lam * gap, "without |.|: false for w0 > w0*, d0 > 0"),
    Falsehood(
        "C-SLOW",
        "small d_i",
        "sign",
        Eq(w_next[i] - w[i], -2 * lam * d[i] ** 2 * Abs(w[i])),
        "w_i < 0 moves upwards: right for w_i >= 0 only",
    ),
    Falsehood("C-SLOW", "small d_i", "factor", Eq(Abs(w_next[i] - w[i]), lam * d[i] ** 2 * Abs(w[i])), "1 for 2"),
    Falsehood("C-SLOW", "small d_i", "strictness", Abs(w_next[i] - w[i]) < 2 * lam * d[i] * Abs(w[i]), "d_i = 0 or 1"),
    Falsehood(
        "C-SLOW", "w0 converges faster than wi", "bound", _BEST <= 2, "lam = 3/4, d = (0, 1), w_1 > 0", as_="condition"
    ),
    Falsehood(
        "C-SLOW",
        "w0 converges faster than wi",
        "bound",
        lam * _H0 <= 1 - lam * d[i] ** 2 / 2,
        "half of d_i^2: too weak between",
        as_="condition",
    ),
    Falsehood(
        "C-SLOW",
        "w0 converges faster than wi",
        "term",
        2 * lam * d[i] ** 2 <= 1,
        "w_i alone does not overshoot; w_0 may, lam (1 + d0^2) = 0.9",
        as_="condition",
    ),
    Falsehood(
        "C-SLOW",
        "w0 converges faster than wi",
        "hypothesis",
        Implies(_BEST < 1, _FASTER),
        "w = (0, 2), d = (0, 1): half the grid drives w0 away",
        without=(2,),
    ),
    Falsehood(
        "C-SLOW",
        "w0 converges faster than wi",
        "exponent",
        lam * (1 + d[0] ** 2 + d[i] ** 4) <= 1,
        "d_i^4 for d_i^2: too weak for 0 < d_i < 1",
        as_="condition",
    ),
)
