"""Near misses of batch normalisation and of its bounding: S-E15, S-LEM1A, S-LEM1B, S-BBN, S-ALPHA."""

from __future__ import annotations

from sympy import Abs, And, Eq, Max, Min, Or, Sum

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.batch_norm.affine import (
    W,
    b,
    beta,
    fan_in,
    gamma,
    mu,
    response,
    response_a,
    response_b,
    response_mid,
    std,
)
from theory.derive.batch_norm.bounded import (
    all_on,
    band,
    eps,
    greatest,
    high,
    least,
    low,
    mean,
    once,
    once_greatest,
    once_least,
    once_mean,
    passes,
    repeated_mean,
    settled,
    settled_again,
    settled_mean,
    tall,
    x,
)
from theory.derive.batch_norm.lemma_1 import excess, g_max, g_min, g_sorted, power, s_max, s_min
from theory.derive.batch_norm.rescaling import alpha, alpha_product, end, end_scaled, rank, rank_scaled, s, scaled
from theory.symbols import X, j, n, p

_R = 1 + band
_LINEAR = Sum(W[j, n] * X[n], (n, 0, fan_in - 1))
_SCALE = gamma[j] / std[j]

FALSEHOODS = (
    # S-E15
    Falsehood("S-E15", "inference", "term", Eq(response[j], _SCALE * _LINEAR + beta[j]), "without the mean: mu = 0"),
    Falsehood(
        "S-E15",
        "inference",
        "term",
        Eq(response[j], _SCALE * (_LINEAR - mu[j] + beta[j])),
        "beta scaled too: right for gamma = std",
    ),
    Falsehood(
        "S-E15", "inference", "sign", Eq(response[j], Abs(_SCALE) * (_LINEAR - mu[j]) + beta[j]), "right for gamma >= 0"
    ),
    Falsehood(
        "S-E15",
        "inference",
        "index",
        Eq(response[j], _SCALE * Sum(W[0, n] * X[n], (n, 0, fan_in - 1)) - _SCALE * mu[j] + beta[j]),
        "row 0",
    ),
    Falsehood(
        "S-E15",
        "with a bias",
        "sign",
        Eq(response[j], _SCALE * (_LINEAR - b[j] - mu[j]) + beta[j]),
        "the bias taken off",
    ),
    Falsehood(
        "S-E15", "with a bias", "factor", Eq(response[j], _SCALE * (_LINEAR + 2 * b[j] - mu[j]) + beta[j]), "twice"
    ),
    Falsehood("S-E15", "affine", "quantity", Eq(response_mid[j], Max(response_a[j], response_b[j])), "max for mean"),
    # S-LEM1A
    Falsehood("S-LEM1A", "tall", "strictness", And(power[j] > g_min**2, power[j] < g_max**2), "equal gains"),
    Falsehood("S-LEM1A", "tall", "bound", power[j] <= (g_min**2 + g_max**2) / 2, "the mean of the bounds"),
    Falsehood("S-LEM1A", "tall", "exponent", power[j] <= g_max, "right for g_max <= 1 or so"),
    Falsehood("S-LEM1A", "fat", "strictness", And(power[j] > g_min**2, power[j] < g_max**2), "they are the gains"),
    Falsehood("S-LEM1A", "fat", "bound", power[j] <= g_min * g_max, "the geometric mean"),
    Falsehood("S-LEM1A", "any W", "exponent", power[j] <= s_max**2 * g_max, "g for g^2: right for g_max = 1"),
    Falsehood("S-LEM1A", "any W", "bound", power[j] >= (s_max * g_min) ** 2, "s_max for s_min below"),
    # S-LEM1B
    Falsehood("S-LEM1B", "fat", "index", Eq(power[j], g_sorted[0] ** 2), "the least for all"),
    Falsehood("S-LEM1B", "fat", "factor", Eq(power[j], 2 * g_sorted[j] ** 2), "twice"),
    Falsehood("S-LEM1B", "tall", "strictness", power[j] > g_sorted[j] ** 2, "rows that W picks"),
    Falsehood(
        "S-LEM1B",
        "tall",
        "index",
        And(power[j] >= g_sorted[j] ** 2, power[j] <= g_sorted[j + Max(0, excess - 1)] ** 2),
        "M - N - 1 for M - N",
    ),
    Falsehood(
        "S-LEM1B", "tall", "quantity", Eq(2 * power[j], g_sorted[j] ** 2 + g_sorted[j + excess] ** 2), "the middle"
    ),
    Falsehood("S-LEM1B", "full row rank only", "factor", power[j] <= s_min**2 * g_sorted[j] ** 2, "s_min above"),
    Falsehood("S-LEM1B", "full row rank only", "strictness", power[j] > s_min**2 * g_sorted[j] ** 2, "s all equal"),
    # S-BBN
    Falsehood("S-BBN", "alpha before", "strictness", And(once[j] / mean > 1 / _R, once[j] / mean < _R), "clipped ones"),
    Falsehood("S-BBN", "alpha before", "sign", And(Abs(once[j]) >= mean / _R, once[j] <= mean * _R), "alpha < 0"),
    Falsehood(
        "S-BBN",
        "alpha after",
        "index",
        And(((p - 1) * _R**2 + 1) * once[j] >= p * once_mean, (p + _R**2) * once[j] <= p * _R**2 * once_mean),
        "p + r^2 for p - 1 + r^2 above",
        as_="correction",
    ),
    Falsehood(
        "S-BBN",
        "alpha after",
        "edge",
        And((_R**2 + 1) * once[j] >= 2 * once_mean, (1 + _R**2) * once[j] <= 2 * _R**2 * once_mean),
        "right for two scales only",
        as_="correction",
    ),
    Falsehood(
        "S-BBN",
        "alpha after",
        "strictness",
        And(((p - 1) * _R**2 + 1) * once[j] > p * once_mean, (p - 1 + _R**2) * once[j] < p * _R**2 * once_mean),
        "reached with one scale apart from the rest; p = 1",
        as_="correction",
    ),
    Falsehood(
        "S-BBN", "alpha after", "hypothesis", once_mean >= mean, "a rising mean leaves some below", as_="condition"
    ),
    Falsehood("S-BBN", "idempotent", "bound", once_least * _R >= once_mean, "one above the band", as_="condition"),
    Falsehood("S-BBN", "idempotent", "bound", once_greatest <= once_mean * _R, "one below the band", as_="condition"),
    Falsehood(
        "S-BBN",
        "idempotent",
        "factor",
        And(once_least * _R**2 >= once_mean, once_greatest <= once_mean * _R**2),
        "r^2 for r",
        as_="condition",
    ),
    Falsehood("S-BBN", "signs", "strictness", mean * x[j] >= 0, "gamma = 0 is moved to the band", as_="condition"),
    Falsehood("S-BBN", "signs", "quantity", mean > 0, "a negative gamma", as_="condition"),
    Falsehood("S-BBN", "signs", "sign", x[j] > 0, "a negative mean", as_="condition"),
    Falsehood("S-BBN", "settles", "strictness", settled[j] < settled_mean * _R, "on the edge"),
    Falsehood("S-BBN", "settles", "quantity", Eq(settled_again[j], settled_mean), "all equal"),
    Falsehood(
        "S-BBN",
        "rate",
        "exponent",
        Abs(repeated_mean - settled_mean)
        <= (Max(high * _R, low / _R) / p) ** (passes + 1) * Abs(once_mean - settled_mean),
        "one pass fewer",
    ),
    Falsehood(
        "S-BBN",
        "rate",
        "quantity",
        Abs(repeated_mean - settled_mean) <= (Min(high * _R, low / _R) / p) ** passes * Abs(once_mean - settled_mean),
        "min for max",
    ),
    Falsehood("S-BBN", "rate", "strictness", Max(high * _R, low / _R) > 0, "nothing is clipped"),
    Falsehood("S-BBN", "condition number", "strictness", greatest < _R**2 * (1 + eps) ** 2 * least, "the corners"),
    Falsehood("S-BBN", "condition number", "limit", greatest <= (1 + 2 * band + 2 * eps) * least, "first order"),
    Falsehood("S-BBN", "pre-activation", "hypothesis", ~all_on, "fat W, some neurons off", as_="condition"),
    Falsehood("S-BBN", "pre-activation", "quantity", Or(all_on, ~tall), "fat W", as_="condition"),
    Falsehood("S-BBN", "pre-activation", "strictness", And(power[j] > g_min**2, power[j] < g_max**2), "equal gains"),
    # S-ALPHA
    Falsehood("S-ALPHA", "directions", "bound", alpha < 1, "alpha = 0", as_="condition"),
    Falsehood("S-ALPHA", "directions", "strictness", rank_scaled < rank, "equal"),
    Falsehood("S-ALPHA", "singular values", "exponent", Eq(scaled[j] ** 2, Abs(alpha) * s[j] ** 2), "|alpha| = 1"),
    Falsehood("S-ALPHA", "singular values", "index", Eq(scaled[j], Abs(alpha) * s[0]), "the largest for all"),
    Falsehood("S-ALPHA", "proportions", "sign", Eq(end_scaled[j], alpha_product * end[j]), "a negative product"),
    Falsehood("S-ALPHA", "proportions", "quantity", Eq(end_scaled[j] * end[0], end[0] ** 2), "all equal"),
    Falsehood("S-ALPHA", "redistribution", "bound", Abs(alpha_product) <= 1, "all shrink", as_="condition"),
    Falsehood("S-ALPHA", "redistribution", "quantity", alpha_product > 0, "a product of 2", as_="condition"),
)
