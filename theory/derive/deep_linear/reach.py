"""What L numbers in the band [1/(1+eps), 1+eps] have as their product (Jia et al., Section 4.1); b = 1 + eps."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater

eps = sp.Symbol("eps", positive=True)
depth = sp.Symbol("depth", integer=True, positive=True)
"""L."""
sigma = sp.Symbol("sigma", nonnegative=True)
product = sp.Symbol("product", positive=True)
"""The product of L numbers in the band."""
reached = sp.Symbol("reached")
"""Whether some L numbers in the band have the product sigma (found by a search)."""
eps_least = sp.Symbol("eps_least", nonnegative=True)
"""The least eps with which sigma is reached (found by bisection)."""
energy = sp.Symbol("energy", nonnegative=True)
"""The least (sigma - s^1 ... s^L)^2/2 in the band."""
total_energy = sp.Symbol("total_energy", nonnegative=True)
"""The same, added up over all directions."""
sigma_max, sigma_min = sp.symbols("sigma_max sigma_min", nonnegative=True)
"""The extreme singular values of C^yx."""
B = 1 + eps
HIGH, LOW = B**depth, B ** (-depth)
BAND = "all singular values of every layer are in [1/(1+eps), 1+eps]"

INTERVAL = sp.And(product >= LOW, product <= HIGH)
REACHED = sp.And(sigma <= HIGH, sigma * HIGH >= 1)
"""(1+eps)^-L <= sigma <= (1+eps)^L."""
LEAST_BAND = sp.Eq((1 + eps_least) ** depth, sp.Max(sigma, 1 / sigma))
_LOG = sp.log(sp.Max(sigma, 1 / sigma))
NARROWNESS = sp.And(eps_least * depth >= _LOG, eps_least * depth <= sp.Max(sigma, 1 / sigma) - 1)
LEAST_ENERGY = sp.Eq(energy, sp.Max(0, sigma - HIGH, LOW - sigma) ** 2 / 2)
WIDE_ENOUGH = sp.Ge(HIGH, sigma)
LOW_ENOUGH = sp.Or(sp.Eq(sigma, 0), sp.Ge(sigma * HIGH, 1))
MINIMUM = sp.Eq(energy, 0)
ALL_MINIMUM = sp.Eq(total_energy, 0)
_t, _u = sp.symbols("t u", nonnegative=True)
_S = sp.Symbol("S", positive=True)
"""max(sigma, 1/sigma)."""


def induction() -> tuple[Step, ...]:
    return (
        Step("one factor b - t is at most b", at_least(B, B - _t)),
        Step(
            "a product b^L - u of L factors, times one more factor s <= b, is at most b^(L+1)",
            equal(B**depth * B, B ** (depth + 1)),
        ),
        Step("likewise at least b^-(L+1) at the other end", equal(B ** (-depth) / B, B ** (-depth - 1))),
    )


@cache
def interval() -> Derivation:
    """L numbers in the band multiply to a number in [(1+eps)^-L, (1+eps)^L]; every one of these is reached.

    By sigma^(1/L) in each layer, and only if max(sigma, 1/sigma) <= (1+eps)^L: the least eps is its L-th root minus 1.
    """
    equal_share = _S ** (1 / depth)
    lines = (
        *induction(),
        Step("L equal factors S^(1/L) have the product S", equal(equal_share**depth, _S)),
        Step("and are the ends of the band for b^L = S", equal((1 + (equal_share - 1)) ** depth, _S)),
        Step("1/sigma is reached by the inverse factors", equal(LOW * HIGH, sp.Integer(1))),
    )
    return Derivation(
        (
            INTERVAL,
            sp.Implies(sp.Gt(sigma, 0), sp.Equivalent(reached, REACHED)),
            sp.Implies(sp.Gt(sigma, 0), LEAST_BAND),
        ),
        (BAND, "sigma > 0, since all factors are"),
        lines,
    )


@cache
def narrowness() -> Derivation:
    """log S <= L eps <= S - 1 for the least eps, S = max(sigma, 1/sigma): as narrow as log S/L, no narrower."""
    x = sp.Symbol("x", nonnegative=True)
    slope = sp.diff(sp.exp(x) - 1 - x, x)
    lines = (
        *interval().steps,
        Step(
            "with x = log(S)/L, eps = e^x - 1; e^x - 1 - x vanishes at 0",
            equal((sp.exp(x) - 1 - x).subs(x, 0), sp.S(0)),
        ),
        Step("and has the slope e^x - 1, with e^x = 1 + t >= 1", equal(slope, sp.exp(x) - 1)),
        Step("so L eps >= L x = log S", at_least(_t, 0)),
        Step(
            "(1 + eps)^(L+1) >= (1 + L eps)(1 + eps) if (1 + eps)^L = 1 + L eps + t",
            at_least((1 + depth * eps + _t) * B, 1 + (depth + 1) * eps),
            depth * eps**2 + _t * B,
        ),
        Step("so S - 1 = (1 + eps)^L - 1 >= L eps (Bernoulli), with equality for L = 1", equal(B**1 - 1, eps)),
    )
    return Derivation((NARROWNESS,), (BAND, "sigma > 0"), lines, needs=(sp.Gt(sigma, 0),))


@cache
def least_energy() -> Derivation:
    """The least energy is half the squared distance of sigma from [(1+eps)^-L, (1+eps)^L]; 0 exactly inside."""
    lines = (
        *interval().steps,
        Step(
            "above: sigma = b^L + t, product b^L - u",
            at_least((HIGH + _t - (HIGH - _u)) ** 2, _t**2),
            _u**2 + 2 * _t * _u,
        ),
        Step(
            "below: sigma = b^-L - t, product b^-L + u",
            at_least((LOW - _t - (LOW + _u)) ** 2, _t**2),
            _u**2 + 2 * _t * _u,
        ),
        Step("at sigma = 0 it is b^(-2 L)/2 > 0 for every eps", greater(LOW**2 / 2, 0)),
    )
    inside = sp.Implies(sp.And(sp.Gt(sigma, 0), WIDE_ENOUGH, LOW_ENOUGH), MINIMUM)
    return Derivation((LEAST_ENERGY, inside), (BAND,), lines)


@cache
def all_directions() -> Derivation:
    """One eps does for all directions exactly if it does for the largest and for the smallest singular value."""
    lines = (
        *least_energy().steps,
        Step("sigma_m = sigma_max - t <= sigma_max", at_least(sigma_max, sigma_max - _t)),
        Step("sigma_m = sigma_min + t >= sigma_min", at_least(sigma_min + _t, sigma_min)),
    )
    fits = sp.And(sp.Ge(HIGH, sigma_max), sp.Ge(sigma_min * HIGH, 1))
    return Derivation((sp.Implies(fits, ALL_MINIMUM),), (BAND, "equal widths"), lines)
