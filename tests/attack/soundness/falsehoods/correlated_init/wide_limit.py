"""Near misses of wide networks with correlated filters, and of what L2 does to correlation: X-NNGP, X-KERN."""

from __future__ import annotations

from sympy import Abs, And, Eq, Implies, Sum, acos, pi, sqrt

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.correlated_init.arc_cosine import after, c, variance, variance_2
from theory.derive.correlated_init.shrinkage import (
    LIMIT_VALUE,
    H,
    corr_before,
    corr_decay,
    corr_less,
    corr_limit,
    corr_w,
    cov,
    g_0,
    g_1,
    h_0,
    h_1,
    precision,
    r,
)
from theory.derive.correlated_init.symbols import M, R, over_pixels, t, total_R, u, v
from theory.derive.correlated_init.wide_limit import (
    K_1,
    K_2,
    K,
    K_lag,
    K_limit,
    K_seen,
    between,
    corr,
    corr_next,
    cosine,
    critical,
    growth,
    lowest,
    lowest_next,
    q,
    rho_w,
)
from theory.symbols import i, j, p, relu_correlation

_ROOTS = sqrt(variance) * sqrt(variance_2)
_GAIN = over_pixels(R[t, u] * M[t, u])

FALSEHOODS = (
    # X-NNGP
    Falsehood("X-NNGP", "layer", "exponent", Eq(K, v * over_pixels(R[t, u] ** 2 * M[t, u])), "R^2: right for 0 and 1"),
    Falsehood("X-NNGP", "layer", "index", Eq(K, v * over_pixels(R[t, u] * M[t, t])), "M_tt"),
    Falsehood(
        "X-NNGP", "R = I", "transpose", Eq(K, v * Sum(M[t, p - 1 - t], (t, 0, p - 1))), "one window turned round"
    ),
    Falsehood("X-NNGP", "R = I", "factor", Eq(K, 2 * v * Sum(M[t, t], (t, 0, p - 1))), "He's 2 counted twice"),
    Falsehood("X-NNGP", "after ReLU", "quantity", Eq(after, sqrt(variance * variance_2) / 2), "c = 1 only"),
    Falsehood(
        "X-NNGP",
        "after ReLU",
        "quantity",
        Eq(after, (variance + variance_2) / 4 * relu_correlation(c)),
        "arithmetic for geometric mean: right for equal variances",
    ),
    Falsehood(
        "X-NNGP",
        "after ReLU",
        "quantity",
        Eq(after, _ROOTS / 2 * (1 - acos(c) / pi)),
        "the kernel of degree 0: right for c = 1 and -1",
    ),
    Falsehood(
        "X-NNGP", "after ReLU", "limit", Eq(after, _ROOTS / 2 * (1 / pi + c / 2)), "linear in c: right near c = 0"
    ),
    Falsehood("X-NNGP", "wide limit", "factor", Eq(K_seen, K_limit / 2), "one ReLU too many"),
    Falsehood("X-NNGP", "wide limit", "exponent", Eq(K_seen, K_limit**2), "right for 1"),
    Falsehood(
        "X-NNGP", "even inputs", "exponent", And(Eq(K_1, v * q * total_R), Eq(K_2, v * total_R**2 * K_1 / 2)), "^2"
    ),
    Falsehood("X-NNGP", "even inputs", "index", Eq(K_2, (v * total_R) ** 2 * q), "without the half"),
    Falsehood(
        "X-NNGP",
        "white inputs",
        "index",
        Eq(K_lag[j], v * q * Sum(R[t + j, t], (t, 0, p - 1 - j)) / (p - j)),
        "the mean for the sum",
    ),
    Falsehood(
        "X-NNGP",
        "white inputs",
        "index",
        Eq(K_lag[j], v * q * (p - j) * R[j, 0]),
        "right for an R that depends on t - u only",
    ),
    Falsehood(
        "X-NNGP",
        "waves",
        "exponent",
        Eq(K_lag[j], v * q * cosine[j] ** 2 * over_pixels(R[t, u] * cosine[Abs(t - u)])),
        "right at the tops",
    ),
    Falsehood(
        "X-NNGP",
        "waves",
        "term",
        Eq(K_lag[j], v * q * over_pixels(R[t, u] * cosine[Abs(t - u)])),
        "without the wave's own cosine: right for j = 0",
    ),
    Falsehood("X-NNGP", "two even inputs", "limit", Eq(corr_next, (1 + corr) / 2), "right for c = 1 and -1"),
    Falsehood("X-NNGP", "two even inputs", "exponent", Eq(corr_next, relu_correlation(corr**2)), "c^2"),
    Falsehood("X-NNGP", "growth", "strictness", growth < v * total_R / 2, "even inputs: reached"),
    Falsehood("X-NNGP", "growth", "exponent", growth >= v * relu_correlation(lowest) * total_R, "without the half"),
    Falsehood("X-NNGP", "growth", "bound", lowest_next >= relu_correlation(lowest) + lowest / 10, "c > 0"),
    Falsehood(
        "X-NNGP", "critical variance, any R", "exponent", Eq(critical * over_pixels(R[t, u] * M[t, u] ** 2), 2), "M^2"
    ),
    Falsehood("X-NNGP", "critical variance, any R", "factor", Eq(critical * _GAIN, 4), "4 for 2"),
    Falsehood(
        "X-NNGP",
        "critical variance",
        "factor",
        Eq(critical, 2 / (p * (1 + p * rho_w * relu_correlation(between)))),
        "p for p - 1: right for rho_w = 0",
    ),
    Falsehood(
        "X-NNGP",
        "critical variance",
        "limit",
        Eq(critical, 2 * (1 - (p - 1) * rho_w * relu_correlation(between)) / p),
        "to first order in rho_w",
    ),
    # X-KERN
    Falsehood("X-KERN", "closed form", "exponent", Eq(corr_w, (g_1**2 - g_0**2) / (g_1**2 + (p - 1) * g_0**2)), "^4"),
    Falsehood("X-KERN", "closed form", "index", Eq(corr_w, (g_1 - g_0) / (p * g_1 + (p - 1) * g_0)), "p g_1"),
    Falsehood(
        "X-KERN",
        "closed form",
        "limit",
        Eq(corr_w, (h_1**2 - h_0**2) / (h_1**2 + (p - 1) * h_0**2)),
        "its limit for large mu",
    ),
    Falsehood("X-KERN", "closed form", "edge", Eq(corr_w, (g_1 - g_0) / (g_1 + g_0)), "right for p = 2"),
    Falsehood("X-KERN", "more uniform", "hypothesis", r >= -1 / p, "r < 0: less correlated", as_="condition"),
    Falsehood("X-KERN", "more uniform", "hypothesis", corr_w <= 0, "r < 0", as_="condition"),
    Falsehood("X-KERN", "more uniform", "strictness", corr_w > corr_less, "r = 0: both 0"),
    Falsehood("X-KERN", "signs", "strictness", Implies(r >= 0, corr_w > corr_less), "r = 0"),
    Falsehood("X-KERN", "signs", "quantity", Implies(r > 0, corr_w >= r), "little L2: far below r"),
    Falsehood("X-KERN", "limit", "strictness", Implies(r >= 0, corr_w < LIMIT_VALUE), "r = 0: 0 < 0"),
    Falsehood("X-KERN", "limit", "edge", Eq(corr_limit, 2 * r / (1 + r**2)), "right for p = 2"),
    Falsehood("X-KERN", "limit", "factor", Eq(corr_limit, r * (2 + p * r) / (1 + (p - 1) * r**2)), "p for p - 2"),
    Falsehood("X-KERN", "decay alone", "strictness", corr_decay < corr_before, "they are equal"),
    Falsehood("X-KERN", "decay alone", "exponent", Eq(corr_decay, corr_before**2), "right for 0 and 1"),
    Falsehood("X-KERN", "correlated inputs", "hypothesis", H[i, j] > 0, "suppression: three inputs", as_="condition"),
    Falsehood("X-KERN", "correlated inputs", "sign", precision >= 0, "the wrong sign", as_="condition"),
    Falsehood("X-KERN", "correlated inputs", "strictness", cov[i, j] > 0, "independent inputs"),
)
