"""Near misses of what depth asks of the strengths, of unevenness, and of exact trajectories: S-NEC, S-SUF, S-UNEVEN,
X-SAXE."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Ne, Or, Product, Sum, exp, log

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.deep_linear.depth import AT_MINIMUM, DEEP_ENOUGH, MISSED, delta, reached, s_max, s_min
from theory.derive.deep_linear.flows import (
    common,
    drift,
    rate,
    s_end,
    slope_down,
    slope_up,
    t_end,
    time,
    u_end,
    u_start,
)
from theory.derive.deep_linear.modes import s, sigma, strength, t
from theory.derive.deep_linear.updates import (
    CRITICAL,
    departure_s,
    departure_t,
    energy_here,
    energy_near,
    energy_scaled,
    eta,
    least,
    others,
    ratio,
    s_next,
    sigma_min,
    strength_next,
    t_next,
    worst_gap,
)
from theory.symbols import i, n, p

_EVERYTHING = Product(strength[n], (n, 0, p - 1))
_GAPS = strength_next[i] ** 2 - strength_next[0] ** 2, strength[i] ** 2 - strength[0] ** 2
_ERROR = sigma - s * t
_CURVATURE = Sum((sigma / strength[n]) ** 2, (n, 0, p - 1))
_T_2 = log(u_end / (sigma - u_end)) - log(u_start / (sigma - u_start))

FALSEHOODS = (
    # S-NEC
    Falsehood(
        "S-NEC",
        "as printed",
        "strictness",
        Implies(AT_MINIMUM, And(s_max**p > sigma, s_min**p < sigma)),
        "equal strengths reach sigma with equality",
        as_="correction",
    ),
    Falsehood(
        "S-NEC",
        "as printed",
        "exponent",
        Implies(AT_MINIMUM, And(s_max ** (p + 1) >= sigma, s_min ** (p + 1) <= sigma)),
        "L + 1 for L: equal strengths below 1",
        as_="correction",
    ),
    Falsehood(
        "S-NEC", "as printed", "bound", Implies(AT_MINIMUM, And(s_max >= 1, s_min <= 1)), "s = 2", as_="correction"
    ),
    Falsehood("S-NEC", "as printed", "hypothesis", Eq(sigma, 1), "all strengths 1: neither", as_="condition"),
    Falsehood("S-NEC", "as printed", "hypothesis", Ne(s_max, s_min), "both above 1", as_="condition"),
    Falsehood("S-NEC", "sigma > 1", "strictness", Implies(And(AT_MINIMUM, sigma >= 1), s_max > 1), "sigma = 1, s = 1"),
    Falsehood("S-NEC", "sigma > 1", "bound", Implies(And(AT_MINIMUM, sigma > 1), s_max >= sigma), "roots of sigma"),
    Falsehood("S-NEC", "sigma < 1", "strictness", Implies(And(AT_MINIMUM, sigma <= 1), s_min < 1), "sigma = 1, s = 1"),
    Falsehood("S-NEC", "sigma < 1", "bound", Implies(And(AT_MINIMUM, sigma < 1), s_min <= sigma), "roots of sigma"),
    Falsehood(
        "S-NEC",
        "in the limit",
        "factor",
        Implies(And(AT_MINIMUM, DEEP_ENOUGH), And(s_max > 1 - delta / 2, s_min < 1 + delta / 2)),
        "half of delta",
    ),
    Falsehood(
        "S-NEC",
        "in the limit",
        "bound",
        Implies(And(AT_MINIMUM, (1 + delta) ** p > sigma), And(s_max > 1 - delta, s_min < 1 + delta)),
        "the lower half of the premise left out: small sigma",
    ),
    Falsehood("S-NEC", "family", "strictness", And(Eq(reached, sigma), s_max > 1), "sigma = 1, and below"),
    # S-SUF
    Falsehood(
        "S-SUF",
        "all below 1",
        "strictness",
        And(s_max <= 1 - delta, (1 - delta) ** p <= sigma),
        "reached",
        as_="condition",
    ),
    Falsehood("S-SUF", "all below 1", "term", s_max <= 1 - delta, "shallow networks", as_="condition"),
    Falsehood(
        "S-SUF", "all below 1", "factor", And(s_max <= 1 - delta, 1 - p * delta < sigma), "Bernoulli", as_="condition"
    ),
    Falsehood("S-SUF", "all below 1", "hypothesis", p > 2, "the cube root of sigma", as_="condition"),
    Falsehood(
        "S-SUF",
        "all above 1",
        "strictness",
        And(s_min >= 1 + delta, (1 + delta) ** p >= sigma),
        "reached",
        as_="condition",
    ),
    Falsehood(
        "S-SUF",
        "all above 1",
        "exponent",
        And(s_min >= 1 + delta, (1 + delta) ** (p + 1) > sigma),
        "L + 1 for L",
        as_="condition",
    ),
    Falsehood("S-SUF", "all above 1", "hypothesis", sigma > 1, "a root of it", as_="condition"),
    Falsehood("S-SUF", "at every depth", "strictness", Implies(s_max**p <= sigma, MISSED), "equal strengths"),
    Falsehood("S-SUF", "at every depth", "exponent", Implies(s_min ** (p + 1) > sigma, MISSED), "L + 1"),
    Falsehood("S-SUF", "at every depth", "bound", Implies(s_max < sigma, MISSED), "without the power"),
    # S-UNEVEN
    Falsehood("S-UNEVEN", "free scaling", "strictness", energy_scaled > energy_here, "they are equal"),
    Falsehood("S-UNEVEN", "free scaling", "factor", Eq(energy_scaled, 2 * energy_here), "right at a minimum only"),
    Falsehood(
        "S-UNEVEN",
        "unevenness",
        "exponent",
        Eq(_GAPS[0], _GAPS[1] * (1 - (eta * (sigma - _EVERYTHING)) ** 2 * others[i])),
        "the product of the others not squared",
        as_="correction",
    ),
    Falsehood(
        "S-UNEVEN", "unevenness", "strictness", Abs(_GAPS[0]) < Abs(_GAPS[1]), "equal strengths", as_="correction"
    ),
    Falsehood(
        "S-UNEVEN",
        "unevenness",
        "edge",
        Eq(_GAPS[0], _GAPS[1] * (1 - (eta * (sigma - _EVERYTHING)) ** 2)),
        "right for two layers only",
        as_="correction",
    ),
    Falsehood(
        "S-UNEVEN", "unevenness", "hypothesis", strength[i] > strength[0], "it shrinks there too", as_="condition"
    ),
    Falsehood(
        "S-UNEVEN",
        "local minima",
        "strictness",
        Implies(CRITICAL, energy_near <= 0),
        "not all the way",
        as_="correction",
    ),
    Falsehood("S-UNEVEN", "local minima", "hypothesis", p > 1, "saddles", as_="condition"),
    Falsehood(
        "S-UNEVEN", "not all directions", "strictness", Implies(least >= 0, Eq(worst_gap, 0)), "s = 0", as_="correction"
    ),
    Falsehood(
        "S-UNEVEN",
        "not all directions",
        "bound",
        Implies(least > 0, worst_gap > sigma_min),
        "learned",
        as_="correction",
    ),
    # X-SAXE
    Falsehood("X-SAXE", "two layers", "limit", Eq((s_end + t_end) ** 2, 4 * sigma), "t -> inf, s = t"),
    Falsehood(
        "X-SAXE",
        "two layers",
        "quantity",
        Eq((s_end + t_end) ** 2, (s + t) ** 2 * exp(2 * sigma * time)),
        "linearised at 0: right while s t is far below sigma",
    ),
    Falsehood(
        "X-SAXE",
        "two equal layers",
        "factor",
        Eq(u_end, sigma * exp(4 * sigma * time) / (exp(4 * sigma * time) - 1 + sigma / u_start)),
        "rate 4 sigma",
    ),
    Falsehood(
        "X-SAXE", "two equal layers", "limit", Eq(u_end, u_start * exp(2 * sigma * time)), "right for u far below sigma"
    ),
    Falsehood("X-SAXE", "where it ends", "quantity", Equivalent(Eq(s_end * t_end, sigma), s + t > 0), "both negative"),
    Falsehood(
        "X-SAXE",
        "where it ends",
        "edge",
        Equivalent(Eq(s_end * t_end, sigma), Or(Ne(s, 0), Ne(t, 0))),
        "s = -t ends in 0",
    ),
    Falsehood(
        "X-SAXE", "rate of L layers", "exponent", Eq(rate, p * common ** (2 * p) * (sigma - common**p)), "2L for 2L - 2"
    ),
    Falsehood(
        "X-SAXE", "rate of L layers", "edge", Eq(rate, p * common**2 * (sigma - common**p)), "s^2: right for L = 2"
    ),
    Falsehood(
        "X-SAXE", "rate of L layers", "exponent", Eq(rate, p**2 * common ** (2 * p - 2) * (sigma - common**p)), "L^2"
    ),
    Falsehood("X-SAXE", "learning times", "factor", Implies(Eq(p, 2), Eq(time, _T_2 / (4 * sigma))), "4 sigma"),
    Falsehood(
        "X-SAXE", "learning times", "index", Eq(time, _T_2 / (p * sigma)), "L sigma for every L: right for L = 2"
    ),
    Falsehood(
        "X-SAXE",
        "many layers",
        "exponent",
        Implies(
            u_start < u_end,
            p * time <= u_start ** (2 / p) * (1 / (sigma * u_start) - 1 / (sigma * u_end) + _T_2 / sigma**2),
        ),
        "the lower bound as the upper one",
    ),
    Falsehood("X-SAXE", "balance of neighbours", "factor", Eq(slope_up, 2 * slope_down), "twice: right for zero"),
    Falsehood("X-SAXE", "balance of neighbours", "strictness", slope_up > slope_down, "they are equal"),
    Falsehood("X-SAXE", "conserved matrices", "strictness", drift > 0, "it is 0"),
    Falsehood(
        "X-SAXE",
        "error after an update",
        "exponent",
        Eq(sigma - s_next * t_next, _ERROR * (1 - eta * (s**2 + t**2) - eta**2 * _ERROR**2 * s * t)),
        "e^2 for e in the second order",
    ),
    Falsehood(
        "X-SAXE",
        "error after an update",
        "limit",
        Eq(sigma - s_next * t_next, _ERROR * (1 - eta * s**2) * (1 - eta * t**2)),
        "first order in eta",
    ),
    Falsehood(
        "X-SAXE",
        "departure from the flow",
        "sign",
        And(
            Eq(departure_s, _ERROR * (_ERROR * s - (s**2 + t**2) * t) / 2),
            Eq(departure_t, _ERROR * (_ERROR * t - (s**2 + t**2) * s) / 2),
        ),
        "flow minus update",
    ),
    Falsehood(
        "X-SAXE",
        "departure from the flow",
        "quantity",
        Eq(departure_s, _ERROR * (2 * s * t * t - _ERROR * s) / 2),
        "2 s t for s^2 + t^2: right for s = t",
    ),
    Falsehood("X-SAXE", "stability", "strictness", Equivalent(Abs(ratio) <= 1, eta * _CURVATURE < 2), "at exactly 2"),
    Falsehood("X-SAXE", "stability", "strictness", p * sigma ** (2 - 2 / p) < _CURVATURE, "balanced minima"),
    Falsehood(
        "X-SAXE", "stability", "quantity", Eq(ratio, 1 - eta * p * sigma ** (2 - 2 / p)), "right for balanced minima"
    ),
    Falsehood(
        "X-SAXE", "stability", "edge", Eq(ratio, 1 - eta * Sum(strength[n] ** 2, (n, 0, p - 1))), "right for L = 2"
    ),
)
