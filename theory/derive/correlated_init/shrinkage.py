"""What L2 does to the correlation of the weights of a filter (X-KERN, after Schneider, Section 6 (v)).

Least squares with L2, mu |w|^2 + E[((w - w*).x)^2], ends at w = (H + mu I)^-1 H w*, H = E[x x^T]. For isotropic random
w*, Cov(w) = (H + mu)^-1 H H (H + mu)^-1. Let all inputs have second moment 1 and any two of them correlation r; then
weights have correlation (g_1 - g_0)/(g_1 + (p - 1) g_0), g = (h/(h + mu))^2, h_1 = 1 + (p - 1) r, h_0 = 1 - r.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.symbols import i, j, p

r = sp.Symbol("r", real=True)
"""The correlation E[x_t x_u] of any two inputs; E[x_t^2] = 1."""
mu = sp.Symbol("mu", nonnegative=True)
"""The factor of |w|^2 in the loss; weight decay in torch is 2 mu."""
corr_w = sp.Symbol("corr_w", real=True)
"""The correlation of two weights after training with mu."""
corr_less = sp.Symbol("corr_less", real=True)
"""The same for a smaller mu, at least 0."""
corr_limit = sp.Symbol("corr_limit", real=True)
"""The correlation of two weights with covariance H^2, to which it tends for large mu."""
corr_before, corr_decay = sp.symbols("corr_before corr_decay", real=True)
"""The correlation of two weights before and after weight decay without data."""
H = sp.IndexedBase("H", real=True)
"""E[x_i x_j] of inputs of any kind."""
cov = sp.IndexedBase("cov", real=True)
"""Cov(w_i, w_j) after training with mu."""
precision = sp.Symbol("precision", real=True)
"""The largest entry of H^-1 off its diagonal; not positive: no two inputs are negatively correlated given the rest."""

h_1, h_0 = 1 + (p - 1) * r, 1 - r
g_1, g_0 = (h_1 / (h_1 + mu)) ** 2, (h_0 / (h_0 + mu)) ** 2
CLOSED = sp.Eq(corr_w, (g_1 - g_0) / (g_1 + (p - 1) * g_0))
LIMIT_VALUE = r * (2 + (p - 2) * r) / (1 + (p - 1) * r**2)
LIMIT = sp.And(
    sp.Eq(corr_limit, LIMIT_VALUE),
    sp.Implies(sp.Gt(r, 0), sp.Lt(corr_w, LIMIT_VALUE)),
    sp.Implies(sp.Lt(r, 0), sp.Gt(corr_w, LIMIT_VALUE)),
)
MORE = sp.Ge(corr_w, corr_less)
SIGNS = sp.And(
    sp.Implies(sp.Gt(r, 0), sp.Gt(corr_w, corr_less)),
    sp.Implies(sp.Eq(r, 0), sp.Eq(corr_w, 0)),
    sp.Implies(sp.Lt(r, 0), sp.Lt(corr_w, corr_less)),
)
RANGE = sp.And(
    sp.Implies(sp.Ge(r, 0), sp.And(sp.Ge(corr_less, 0), sp.Lt(corr_less, 1))),
    sp.Implies(sp.Le(r, 0), sp.Le(corr_less, 0)),
)
"""Weights are never more than correlated, and with the sign of the inputs' correlation; so are they for mu."""
DECAY = sp.Eq(corr_decay, corr_before)
NOT_NEGATIVE = sp.Ge(cov[i, j], 0)
M_MATRIX = sp.Le(precision, 0)

ISOTROPIC = "w* random, E[w*] = 0, Cov(w*) = I"
LINEAR = "least squares, or ReLU with every sample active"
EQUAL = "inputs of equal second moment, any two of them with correlation r, -1/(p - 1) < r < 1"


@cache
def closed_form() -> Derivation:
    """The correlation of two weights from the two eigenvalues of H = h_0 I + r 1 1'."""
    first, other, along, across = sp.symbols("x S a_1 a_0", real=True)
    # entries of H w and of J w/p for a vector with entry x and sum S
    ridge = h_0 * first + r * other + mu * first
    steps = (
        Step(
            "the gradient of mu |w|^2 + (w - w*).H (w - w*) vanishes at (H + mu) w = H w*; on the sum S of w",
            equal((h_0 + mu) * other + p * r * other, (h_1 + mu) * other),
        ),
        Step("on what sums to zero", equal(ridge.subs(other, 0), (h_0 + mu) * first)),
        Step(
            "Cov = A A', A = (H + mu)^-1 H: eigenvalues g, Cov = g_1 J/p + g_0 (I - J/p); an entry of the diagonal",
            equal(along / p + across * (1 - 1 / p), (along + (p - 1) * across) / p),
        ),
        Step("one off it", equal(along / p - across / p, (along - across) / p)),
        *_limit_steps(),
    )
    definitions = (sp.Eq(corr_w, ((g_1 - g_0) / p) / ((g_1 + (p - 1) * g_0) / p)),)
    return Derivation((CLOSED,), (ISOTROPIC, LINEAR, EQUAL), steps, definitions)


def _limit_steps() -> tuple[Step, ...]:
    return (
        Step("h_1^2 - h_0^2", equal(h_1**2 - h_0**2, p * r * (2 + (p - 2) * r))),
        Step("h_1^2 + (p - 1) h_0^2", equal(h_1**2 + (p - 1) * h_0**2, p * (1 + (p - 1) * r**2))),
        Step("Cov -> H^2/mu^2 for large mu", equal((h_1**2 - h_0**2) / (h_1**2 + (p - 1) * h_0**2), LIMIT_VALUE)),
    )


def _ratio_steps() -> tuple[Step, ...]:
    """The correlation falls with z = g_0/g_1, which falls with mu for h_1 > h_0, rises for h_1 < h_0."""
    z, others = sp.Symbol("z", positive=True), sp.Symbol("s", positive=True)
    low, gap_, level = sp.symbols("h_low g m", positive=True)
    root = low * (low + gap_ + level) / ((low + gap_) * (low + level))
    return (
        Step(
            "(g_1 - g_0)/(g_1 + s g_0) = (1 - z)/(1 + s z), s = p - 1, has slope",
            equal(sp.diff((1 - z) / (1 + others * z), z), -(1 + others) / (1 + others * z) ** 2),
        ),
        Step(
            "sqrt(z) for h_1 = h_0 + g, at mu = m, has slope",
            equal(sp.diff(root, level), -low * gap_ / ((low + gap_) * (low + level) ** 2)),
        ),
        Step("of sign", greater(low * gap_ / ((low + gap_) * (low + level) ** 2), 0)),
        Step(
            "and 1/sqrt(z) is that of h_0 = h_1 + g",
            equal(1 / root, (low + gap_) * (low + level) / (low * (low + gap_ + level))),
        ),
        Step(
            "sqrt(z) is at most 1 for h_1 >= h_0, also at mu = 0",
            equal(1 - root, level * gap_ / ((low + gap_) * (low + level))),
        ),
        Step(
            "where the correlation is (1 - z)/(1 + s z) >= 0, and it is below 1",
            equal(1 - (1 - z) / (1 + others * z), (1 + others) * z / (1 + others * z)),
        ),
        Step("h_1 - h_0 = p r", equal(h_1 - h_0, p * r)),
    )


@cache
def signs() -> Derivation:
    """With mu the correlation rises from 0 for r > 0, falls for r < 0, stays 0 for r = 0, short of its limit."""
    steps = (
        *closed_form().steps,
        *_ratio_steps(),
        Step("r = 0: h_1 = h_0", equal(CLOSED.rhs.subs(r, 0), 0)),
    )
    result = (SIGNS, LIMIT, sp.Implies(sp.Ge(r, 0), MORE), RANGE)
    return Derivation(result, (ISOTROPIC, LINEAR, EQUAL, "p >= 2"), steps, needs=(sp.Gt(mu, 0),))


@cache
def decay_alone() -> Derivation:
    """Weight decay without data multiplies every weight by the same number, whatever their correlation."""
    factor, covariance, first, second = sp.symbols("c s_tu s_t s_u", positive=True)
    before = covariance / sp.sqrt(first * second)
    decayed = factor**2 * covariance / sp.sqrt(factor**2 * first * factor**2 * second)
    steps = (Step("c^2 cancels", equal(decayed, before)),)
    definitions = (sp.Eq(corr_decay, decayed), sp.Eq(corr_before, before))
    return Derivation((DECAY,), ("no data: w <- (1 - 2 lam mu) w",), steps, definitions)


@cache
def any_inputs() -> Derivation:
    """Cov(w) = (I + mu H^-1)^-2: not negative if H^-1 has no positive entry off its diagonal; H >= 0 is not enough.

    I + mu H^-1 is then an M-matrix, c (I - B) with B >= 0 of spectral radius below 1, and its inverse sum B^n / c.
    To first order Cov(w) = I - 2 mu H^-1: what counts is how two inputs are correlated given all others.
    """
    a, b, level = sp.symbols("a b m", real=True)
    three = sp.Matrix([[1, a, b], [a, 1, a], [b, a, 1]])
    adjugate = three.adjugate()[0, 2]
    first_order = sp.series((1 + level * a) ** -2, level, 0, 2).removeO()
    steps = (
        Step("(H + mu)^-1 H = (I + mu H^-1)^-1, eigenvalue by eigenvalue", equal(a / (a + level), 1 / (1 + level / a))),
        Step("to first order in mu, with 1/h = a", equal(first_order, 1 - 2 * level * a)),
        Step("three inputs, neighbours a, ends b: det(H) times (H^-1)_02", equal(adjugate, a**2 - b)),
        Step("a geometric series: (1 - B)(1 + B + B^2) = 1 - B^3", equal((1 - b) * (1 + b + b**2), 1 - b**3)),
        Step("a product of entries that are not negative is not", at_least(sp.Abs(a) * sp.Abs(b), 0)),
    )
    return Derivation((sp.Implies(M_MATRIX, NOT_NEGATIVE),), (ISOTROPIC, LINEAR, "H is invertible"), steps)
