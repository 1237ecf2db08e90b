"""Near misses of Theorem 1 without its assumptions: C-L2, C-L3, C-E10."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Sum

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter import loosened as asymmetric
from theory.derive.single_filter.loosened import (
    closer,
    fastest,
    gain,
    gain_mirrored,
    mean,
    narrowest,
    rate_down,
    rate_up,
    slowest,
    trace,
)
from theory.derive.single_filter.loosened_active import (
    away,
    fraction,
    fraction_b,
    largest,
    radius,
    sample,
    v,
)
from theory.derive.single_filter.loosened_targets import added, f, mean_square_shift, pull, tau, w_end
from theory.derive.single_filter.theorem_1 import w_next
from theory.symbols import H, X, d, gap, i, j, lam, m, n, over, over_all, p, size, steps, w, w_star

_PULLED = over(mean[m] * w[m])
_H0 = 1 + d[0] ** 2
_LIMIT = w_star[i] + pull[i] / d[i] ** 2
_NEAR = radius**2 + 2 * radius
_EVERY = Sum(Sum((w_star[m] - w[m]) * sample[n, m], (m, 0, p - 1)) * sample[n, j], (n, 0, size - 1))

FALSEHOODS = (
    Falsehood(
        "C-L2",
        "residual terms",
        "index",
        Eq(w_next[j], w[j] + 2 * lam * (d[j] ** 2 * (w_star[j] - w[j]) + mean[j] ** 2 * (w_star[j] - w[j]))),
        "the off-diagonal of mean mean^T left out: right for p = 1",
    ),
    Falsehood(
        "C-L2",
        "residual terms",
        "exponent",
        Eq(
            w_next[j],
            w[j] + 2 * lam * (d[j] * (w_star[j] - w[j]) + mean[j] * over_all(mean[n] * (w_star[n] - w[n]))),
        ),
        "d for d^2",
    ),
    Falsehood(
        "C-L2",
        "residual terms",
        "hypothesis",
        Eq(
            w_next[j],
            w[j] + 2 * lam * (d[j] ** 2 * (w_star[j] - w[j]) + mean[j] * over_all(mean[n] * (w_star[n] - w[n]))),
        ),
        "samples that are off",
        without=(2,),
    ),
    Falsehood(
        "C-L2",
        "may speed up or slow down",
        "sign",
        And(Eq(gain, 2 * lam * gap * _PULLED), Eq(gain_mirrored, -2 * lam * gap * _PULLED)),
        "the two grids exchanged",
    ),
    Falsehood(
        "C-L2",
        "may speed up or slow down",
        "term",
        Eq(gain, -2 * lam * _PULLED),
        "without the gap: right for w0* - w0 = 1",
    ),
    Falsehood("C-L2", "may speed up or slow down", "strictness", gain * gain_mirrored < 0, "no shift: both 0"),
    Falsehood(
        "C-L2",
        "distance, first update",
        "strictness",
        asymmetric.FIRST_UPDATE.subs(closer, ~closer),
        "the other way round",
        as_="correction",
    ),
    Falsehood(
        "C-L2",
        "distance, first update",
        "limit",
        Equivalent(closer, _PULLED * gap < 0),
        "first order in the shift",
        as_="correction",
    ),
    Falsehood("C-L2", "distance, first update", "hypothesis", _PULLED > 0, "which way it moves w_i", as_="condition"),
    Falsehood(
        "C-L2",
        "distance, long run",
        "strictness",
        And(Equivalent(rate_up, d[0] >= d[1]), Equivalent(rate_down, d[0] < d[1])),
        "d0 = d1: neither",
        as_="correction",
    ),
    Falsehood(
        "C-L2", "distance, long run", "quantity", Equivalent(rate_up, ~rate_down), "d0 = d1: neither", as_="correction"
    ),
    Falsehood(
        "C-L2", "some faster, others slower", "strictness", And(fastest > H[j, j], slowest <= H[j, j]), "H diagonal"
    ),
    Falsehood(
        "C-L2",
        "some faster, others slower",
        "quantity",
        Eq(fastest, over(H[m, m]) + H[0, 0] - slowest),
        "the rates between left out: right for p = 2 (and p = 1 if 0)",
    ),
    Falsehood("C-L2", "some faster, others slower", "bound", fastest >= trace, "true for rank one only"),
    Falsehood(
        "C-L2",
        "likely small",
        "factor",
        narrowest >= 1,
        "wide correlations between wide directions",
        as_="condition",
    ),
    Falsehood(
        "C-L2",
        "likely small, two weights",
        "factor",
        4 * H[0, 1] ** 2 <= 2 * H[0, 0] * H[1, 1],
        "H_11^2 dropped",
        as_="condition",
    ),
    Falsehood(
        "C-L2",
        "likely small, two weights",
        "exponent",
        2 * H[0, 1] ** 2 <= H[1, 1] * (2 * H[0, 0] - H[1, 1]),
        "2 for 4",
        as_="condition",
    ),
    # C-L3
    Falsehood("C-L3", "gradient", "index", Eq(added[j], -2 * f * X[0]), "X_0 for X_j"),
    Falsehood("C-L3", "gradient", "sign", Eq(added[j], -2 * Abs(f) * X[j]), "right for f >= 0"),
    Falsehood(
        "C-L3",
        "speed",
        "exponent",
        Eq(w_end[i], _LIMIT + (1 - 2 * lam * d[i] ** 2) ** steps * (w[i] - w_star[i])),
        "the start of the deviation is measured from w*_i: right for f = 0",
    ),
    Falsehood(
        "C-L3",
        "speed",
        "factor",
        Eq(
            w_end[i],
            w_star[i]
            + 2 * pull[i] / d[i] ** 2
            + (1 - 2 * lam * d[i] ** 2) ** steps * (w[i] - w_star[i] - 2 * pull[i] / d[i] ** 2),
        ),
        "the gradient's 2 kept in the limit",
    ),
    Falsehood(
        "C-L3",
        "speed",
        "exponent",
        Eq(
            w_end[i],
            w_star[i] + pull[i] / d[i] + (1 - 2 * lam * d[i] ** 2) ** steps * (w[i] - w_star[i] - pull[i] / d[i]),
        ),
        "d_i for d_i^2",
    ),
    Falsehood(
        "C-L3",
        "noise cancels",
        "exponent",
        And(Eq(2**p * d[i] ** 4 * mean_square_shift[i], tau**2), Eq(2**p * _H0**2 * mean_square_shift[0], tau**2)),
        "E[X_i^2] = d_i^2 cancels once: right for d_i = 1",
    ),
    Falsehood(
        "C-L3",
        "noise cancels",
        "quantity",
        Eq(2**p * d[i] ** 2 * mean_square_shift[i], tau),
        "tau for tau^2",
    ),
    Falsehood(
        "C-L3",
        "noise cancels",
        "quantity",
        Eq(2 * p * d[i] ** 2 * mean_square_shift[i], tau**2),
        "2p for 2^p: right for p = 2",
    ),
    Falsehood("C-L3", "small", "bound", 2**p * d[i] >= 1, "d_i for d_i^2: too weak", as_="condition"),
    Falsehood("C-L3", "small", "factor", 2 ** (p + 1) * d[i] ** 2 >= 1, "p + 1 for p", as_="condition"),
    Falsehood("C-L3", "small", "strictness", mean_square_shift[i] < tau**2, "2^p d_i^2 = 1: p = 2, d_1 = 1/2"),
    # C-E10
    Falsehood(
        "C-E10",
        "only active samples",
        "factor",
        Eq(w_next[j], w[j] + 2 * lam * fraction / size * _EVERY),
        "the fraction times the update of all samples",
    ),
    Falsehood(
        "C-E10",
        "at most proportional",
        "strictness",
        over_all((w_next[n] - w[n]) ** 2) < (2 * lam * fraction) ** 2 * largest,
        "one active sample; none active: 0 < 0",
    ),
    Falsehood(
        "C-E10",
        "at most proportional",
        "exponent",
        over_all((w_next[n] - w[n]) ** 2) <= 4 * lam**2 * fraction**3 * largest,
        "a power of the fraction too many",
    ),
    Falsehood(
        "C-E10",
        "roughly proportional",
        "factor",
        _NEAR**2 * ((1 - w[0]) ** 2 + over(w[m] ** 2)) <= (1 - w[0]) ** 2,
        "within all of its length, not half",
        as_="condition",
    ),
    Falsehood(
        "C-E10",
        "roughly proportional",
        "term",
        4 * (2 * radius) ** 2 * ((1 - w[0]) ** 2 + over(w[m] ** 2)) <= (1 - w[0]) ** 2,
        "delta^2 left out of delta^2 + 2 delta",
        as_="condition",
    ),
    Falsehood(
        "C-E10",
        "fewer active, slower",
        "term",
        fraction * Abs(1 - w[0]) < fraction_b * Abs(1 - v[0]),
        "right for delta = 0 only",
        as_="condition",
    ),
    Falsehood(
        "C-E10",
        "fewer active, slower",
        "sign",
        fraction * (Abs(1 - w[0]) - away * _NEAR) < fraction_b * (Abs(1 - v[0]) + away * _NEAR),
        "the margins exchanged",
        as_="condition",
    ),
    Falsehood(
        "C-E10",
        "fewer active, slower",
        "hypothesis",
        2 * fraction < fraction_b,
        "half as many: the direction of the error matters too",
        as_="condition",
    ),
)
