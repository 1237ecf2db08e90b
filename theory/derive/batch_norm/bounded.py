"""Bounded batch normalisation (Jia et al., Section 5): what one pass guarantees, and where repeated passes end.

x[j] = gamma_j/std_j are the scales of a layer of p neurons, r = 1 + band. A pass clips every x_j to [m/r, m r] around
the mean m that the scales have before it. `once` and `twice` are the scales after one and two passes, `settled` their
limit.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.batch_norm.lemma_1 import BOUNDS, general
from theory.derive.batch_norm.lemma_1 import tall as tall_lemma
from theory.symbols import j, p

x = sp.IndexedBase("x", real=True)
band = sp.Symbol("band", positive=True)
"""The e of Algorithm 2."""
mean = sp.Symbol("mean", real=True)
"""alpha: the mean of the x_j."""
once = sp.IndexedBase("once", real=True)
once_mean, once_least, once_greatest = sp.symbols("once_mean once_least once_greatest", real=True)
twice = sp.IndexedBase("twice", real=True)
settled = sp.IndexedBase("settled", real=True)
settled_again = sp.IndexedBase("settled_again", real=True)
"""The limit after one more pass."""
settled_mean, repeated_mean = sp.symbols("settled_mean repeated_mean", real=True)
"""The mean of the limit, and of the scales after `passes` passes beyond the first."""
passes = sp.Symbol("passes", integer=True, nonnegative=True)
high, low = sp.symbols("high low", integer=True, nonnegative=True)
"""How many of the `once` lie above, and how many below, the band that the limit has around its own mean."""
eps = sp.Symbol("eps", positive=True)
"""The eps of singular value bounding."""
greatest, least = sp.symbols("greatest least", nonnegative=True)
"""The extreme singular values of Gamma Sigma W after a pass."""
all_on, tall = sp.symbols("all_on tall")
"""Every ReLU between BN and W is on; W of shape (M, N) has M >= N."""

_R = 1 + band
DEFINED = "alpha != 0, else the step divides by zero"
POSITIVE = "alpha > 0"

OLD_MEAN = sp.And(once[j] / mean >= 1 / _R, once[j] / mean <= _R)
"""The band around the alpha that the pass used."""
OWN_MEAN_PRINTED = sp.And(once[j] * _R >= once_mean, once[j] <= _R * once_mean)
"""The band around the alpha = mean(gamma/std) of the layer as it is after the pass."""
OWN_MEAN = sp.And(
    once[j] * (1 + (p - 1) * _R**2) >= p * once_mean,
    once[j] * (p - 1 + _R**2) <= p * _R**2 * once_mean,
)
"""p/(1 + (p - 1) r^2) <= x_j/alpha <= p r^2/(p - 1 + r^2): reached, and within (1/r^2, r^2)."""
SAME = sp.Eq(twice[j], once[j])
INSIDE = sp.And(once_least * _R >= once_mean, once_greatest <= _R * once_mean)
SIGN_KEPT = sp.Eq(sp.sign(once[j]), sp.sign(x[j]))
AGREES = sp.Gt(x[j] * mean, 0)
SETTLED = sp.And(settled[j] * _R >= settled_mean, settled[j] <= _R * settled_mean)
FIXED = sp.Eq(settled_again[j], settled[j])
RATE = sp.Max(high * _R, low / _R) / p
CONVERGES = sp.And(
    sp.Abs(repeated_mean - settled_mean) <= RATE**passes * sp.Abs(once_mean - settled_mean), sp.Lt(RATE, 1)
)
CONDITION = sp.Le(greatest, _R**2 * (1 + eps) ** 2 * least)

_m, _t, _d, _c = sp.symbols("m t d c", nonnegative=True)
_q = sp.Symbol("q", integer=True, nonnegative=True)


@cache
def old_mean() -> Derivation:
    """1/r <= x_j/alpha <= r for the alpha that the pass used, whatever its sign."""
    steps = (Step("a clipped value is an end of the band or lies between them", at_least(_R, 1 / _R), _R_WIDE),)
    return Derivation((OLD_MEAN,), (DEFINED,), steps, needs=(sp.Ne(mean, 0),))


_R_WIDE = band * (2 + band) / (1 + band)
"""r - 1/r."""


@cache
def own_mean() -> Derivation:
    """The sharp band of x_j around the mean after the pass: others at the far end move the mean away from x_j."""
    p_less_1 = _q
    lower, upper = _m / _R + _t, _m * _R - _t
    others_high, others_low = _q * _m * _R - _d, _q * _m / _R + _d
    steps = (
        *old_mean().steps,
        Step(
            "x_j = m/r + t, the others (q = p - 1 of them) at most m r each, d below it together: (1 + q r^2) x_j "
            "exceeds their sum with x_j",
            at_least(lower * (1 + p_less_1 * _R**2), lower + others_high),
            certificate=_q * _R**2 * _t + _d,
        ),
        Step(
            "x_j = m r - t, the others at least m/r each, d above it together: (q + r^2) x_j falls short of r^2 times "
            "their sum with x_j",
            at_least(_R**2 * (upper + others_low), upper * (p_less_1 + _R**2)),
            certificate=_q * _t + _R**2 * _d,
        ),
        Step(
            "with t = d = 0 both are equalities: the bounds are reached",
            equal((_m / _R) * (1 + _q * _R**2), _m / _R + _q * _m * _R),
        ),
        Step(
            "for p = 2 the lower one is 2/(1 + r^2) < 1/r",
            at_least(1 / _R - 2 / (1 + _R**2), 0),
            certificate=band**2 / (_R * (1 + _R**2)),
        ),
    )
    return Derivation((OWN_MEAN,), (POSITIVE,), steps)


@cache
def idempotent() -> Derivation:
    """A second pass changes nothing if all scales lie in the band around the mean that they have after the first."""
    steps = (
        *old_mean().steps,
        Step("a value m/r + t within the band is not below it", at_least(_m / _R + _t, _m / _R)),
        Step("a value m r - t is not above it", at_least(_m * _R, _m * _R - _t)),
    )
    return Derivation((sp.Implies(INSIDE, SAME),), (POSITIVE,), steps, needs=(sp.Gt(mean, 0),))


@cache
def signs() -> Derivation:
    """A pass keeps the sign of a scale that agrees with the mean's; any other jumps to the end m/r, past zero."""
    size, ratio = sp.Symbol("m_size", positive=True), sp.Symbol("x_size", positive=True)
    steps = (
        *old_mean().steps,
        Step("every bounded scale has the sign of m: m times it is at least m^2/r", at_least(size**2 / _R, 0)),
        Step("a scale of that sign already has x_j m > 0", at_least(ratio * size, 0)),
    )
    return Derivation((sp.Implies(AGREES, SIGN_KEPT),), (DEFINED,), steps)


@cache
def settles() -> Derivation:
    """From positive scales, passes converge to scales within the band around their own mean, at a geometric rate.

    After the first pass max/min <= r^2, so that no later one clips both ends. Clipping the upper end lowers the mean,
    so the next pass clips it again: the scales stay y = min(once, c r) with c falling from mean to mean,
    c <- h(c) = mean(min(once, c r)). h is concave with h(0) = 0 and slope r > 1 there, and h(c) <= mean(once): one
    positive fixed point, approached from above at the slope of h there, r times the share of scales above c r. The
    lower end likewise, with the convex mean(max(once, c/r)) and slope 1/r times the share below c/r.
    """
    kept = sp.Symbol("kept", nonnegative=True)
    k = sp.Symbol("k", integer=True, nonnegative=True)
    steps = (
        *old_mean().steps,
        Step("after a pass max <= m r = r^2 (m/r) <= r^2 min", equal(_m * _R, _R**2 * (_m / _R))),
        Step(
            "clipping both ends of a band around c needs max > c r = r^2 (c/r) > r^2 min",
            equal(_c * _R, _R**2 * (_c / _R)),
        ),
        Step(
            "k scales at c r and the others, of sum `kept`, have the mean c exactly if (p - k r) c = kept",
            equal(p * ((k * _c * _R + kept) / p - _c), kept - (p - k * _R) * _c),
        ),
        Step(
            "one pass from c + t with the same k above: the distance to c is multiplied by k r/p",
            equal((k * (_c + _t) * _R + kept) / p - (k * _c * _R + kept) / p, k * _R / p * _t),
        ),
        Step(
            "at the lower end, by k/(r p)",
            equal((k * (_c + _t) / _R + kept) / p - (k * _c / _R + kept) / p, k / (_R * p) * _t),
        ),
        Step("at most p scales are clipped there, so k/(r p) <= 1/r < 1", at_least(1 - 1 / _R, 0), band / _R),
    )
    return Derivation((SETTLED, FIXED, CONVERGES), ("all x_j > 0",), steps)


@cache
def condition_number() -> Derivation:
    """sigma_max <= r^2 (1 + eps)^2 sigma_min for Gamma Sigma W after a pass, W in the SVB band."""
    size, width = sp.Symbol("m_size", positive=True), 1 + eps
    top, bottom = size * _R * width, size / _R / width
    steps = (
        *old_mean().steps,
        *general().steps,
        Step(
            "|x_j| <= |m| r and s <= 1 + eps against |m|/r and 1/(1 + eps)",
            equal(top, CONDITION.rhs.subs(least, bottom)),
        ),
    )
    return Derivation(
        (CONDITION,), (DEFINED, "W has all singular values in [1/(1 + eps), 1 + eps]"), steps, needs=(sp.Ne(mean, 0),)
    )


@cache
def before_relu() -> Derivation:
    """BN and ReLU before W: the singular values of W D Gamma Sigma, D the ReLUs that are on, as bounded as in Lemma 1.

    All on: those of its transpose G W^T, Lemma 1. M >= N: the columns of W that are on stay orthonormal. In between
    they do not: a fat W with orthonormal rows loses any amount with the columns that are off.
    """
    steps = (
        *tall_lemma().steps,
        Step(
            "transposing keeps the singular values, and W^T has all of them 1 as well",
            equal(sp.Integer(1) ** 2, sp.Integer(1)),
        ),
    )
    return Derivation((sp.Implies(sp.Or(all_on, tall), BOUNDS),), ("all min(M, N) singular values of W are 1",), steps)
