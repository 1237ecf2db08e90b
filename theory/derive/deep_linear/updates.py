"""Discrete updates of aligned directions against the flow, and the energy's critical points (X-SAXE, S-UNEVEN).

One update is s^l <- s^l + eta e prod_{k != l} s^k with the error e = sigma - prod_k s^k, all layers at once.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.deep_linear.modes import everything, s, sigma, strength, t
from theory.symbols import i, n, p

eta = sp.Symbol("eta", positive=True)
"""The learning rate."""
s_next, t_next = sp.symbols("s_next t_next", real=True)
"""The strengths of two layers after one update."""
strength_next = sp.IndexedBase("strength_next", real=True)
"""The strengths of L layers after one update."""
others = sp.IndexedBase("others", real=True)
"""[i]: the product of all strengths but those of layers 0 and i."""
ratio = sp.Symbol("ratio", real=True)
"""The factor by which an update near the minimum multiplies the error, in the limit of a small error."""
departure_s, departure_t = sp.symbols("departure_s departure_t", real=True)
"""(an update - the flow for a time eta)/eta^2, in the limit eta -> 0."""
energy_here, energy_near = sp.symbols("energy_here energy_near", nonnegative=True)
"""E at a critical point, and at a point next to it: each zero strength moved a little, so that the product turns
positive and stays below 2 sigma."""
steepest = sp.Symbol("steepest", nonnegative=True)
"""The largest |dE/ds^l| at the start."""
energy_scaled = sp.Symbol("energy_scaled", nonnegative=True)
"""E after one layer is scaled by `factor` and another by its inverse."""
least = sp.Symbol("least", real=True)
"""The smallest strength of any layer and direction at the start."""
sigma_min = sp.Symbol("sigma_min", positive=True)
"""The smallest singular value of all directions."""
worst_gap = sp.Symbol("worst_gap", nonnegative=True)
"""The largest |sigma_m - prod_l s_m^l| over all directions at the end of training."""

_error = sigma - s * t
_curvature = sp.Sum((sigma / strength[n]) ** 2, (n, 0, p - 1))
"""sum_l (sigma/s^l)^2: the one eigenvalue of the Hessian at a minimum that is not zero."""

ERROR_UPDATE = sp.Eq(sigma - s_next * t_next, _error * (1 - eta * (s**2 + t**2) - eta**2 * _error * s * t))
SQUARES_UPDATE = sp.Eq(
    strength_next[i] ** 2 - strength_next[0] ** 2,
    (strength[i] ** 2 - strength[0] ** 2) * (1 - (eta * (sigma - everything) * others[i]) ** 2),
)
"""The difference of squares that the flow conserves shrinks by a factor 1 - O(eta^2)."""
CURVATURE = sp.Eq(ratio, 1 - eta * _curvature)
STABLE = sp.Equivalent(sp.Abs(ratio) < 1, eta * _curvature < 2)
FLATTEST = sp.Ge(_curvature, p * sigma ** (2 - 2 / p))
"""Among the minima the balanced ones are flattest: for them L sigma^(2 - 2/L)."""
DEPARTURE = sp.And(
    sp.Eq(departure_s, _error * ((s**2 + t**2) * t - _error * s) / 2),
    sp.Eq(departure_t, _error * ((s**2 + t**2) * s - _error * t) / 2),
)

CRITICAL = sp.And(sp.Eq(steepest, 0), sp.Gt(sigma, 0), sp.Ne(everything, sigma))
"""A critical point that is not a global minimum."""
PRINTED_LOCAL_MINIMUM = sp.Implies(CRITICAL, energy_near >= energy_here)
SADDLE = sp.Implies(CRITICAL, energy_near < energy_here)
SCALED = sp.Eq(energy_scaled, energy_here)
PRINTED_UNEVEN = sp.Gt(
    sp.Abs(strength_next[i] ** 2 - strength_next[0] ** 2), sp.Abs(strength[i] ** 2 - strength[0] ** 2)
)
PRINTED_PARTIAL = sp.Implies(least > 0, worst_gap >= sigma_min)
"""Some direction ends in a critical point that is no minimum: its product is 0, its gap its singular value."""
ALL_LEARNED = sp.Implies(least > 0, sp.Eq(worst_gap, 0))

UPDATE = "one update of gradient descent on all samples"


@cache
def error_update() -> Derivation:
    """Two layers: sigma - s't' = (sigma - s t)(1 - eta (s^2 + t^2) - eta^2 (sigma - s t) s t)."""
    definitions = (sp.Eq(s_next, s + eta * _error * t), sp.Eq(t_next, t + eta * _error * s))
    return Derivation((ERROR_UPDATE,), (UPDATE,), (_twin_step(),), definitions)


def _twin_step() -> Step:
    return Step(
        "s't' = s t + eta e (s^2 + t^2) + eta^2 e^2 s t",
        equal(
            (s + eta * _error * t) * (t + eta * _error * s),
            s * t + eta * _error * (s**2 + t**2) + eta**2 * _error**2 * s * t,
        ),
    )


@cache
def squares_update() -> Derivation:
    """(s_i'^2 - s_0'^2) = (s_i^2 - s_0^2)(1 - eta^2 e^2 prod_{k != 0, i} s_k^2): an identity, at every depth."""
    pull = sp.Symbol("pull", real=True)
    first, second = sp.symbols("s_0 s_i", real=True)
    pulled = eta * (sigma - everything) * others[i]
    steps = (
        Step(
            "with q = eta e prod_{k != 0, i} s_k: s_0' = s_0 + q s_i, s_i' = s_i + q s_0, and 2 q s_0 s_i cancels",
            equal((second + pull * first) ** 2 - (first + pull * second) ** 2, (second**2 - first**2) * (1 - pull**2)),
        ),
    )
    definitions = (
        sp.Eq(strength_next[0], strength[0] + pulled * strength[i]),
        sp.Eq(strength_next[i], strength[i] + pulled * strength[0]),
    )
    return Derivation((SQUARES_UPDATE,), (UPDATE,), steps, definitions)


@cache
def stability() -> Derivation:
    """At a minimum the Hessian is v v^T, v_l = sigma/s_l; it is stable for eta |v|^2 < 2; |v|^2 >= L sigma^(2-2/L)."""
    x, y = sp.symbols("x y", positive=True)
    below, one, above = sp.symbols("below s_l above", positive=True)
    energy = (sigma - below * one * above) ** 2 / 2
    curvature, rest = sp.Symbol("lam", positive=True), sp.Symbol("q", positive=True)
    steps = (
        Step(
            "d^2 E/ds_l^2 at below s_l above = sigma is (sigma/s_l)^2",
            equal(sp.diff(energy, one, 2).subs(sigma, below * one * above), (below * one * above / one) ** 2),
        ),
        Step(
            "d^2 E/ds_k ds_l there is (sigma/s_k)(sigma/s_l)",
            equal(
                sp.diff(energy, one, above).subs(sigma, below * one * above),
                (below * one * above / one) * (below * one * above / above),
            ),
        ),
        Step(
            "so e' = (1 - eta |v|^2) e to first order, and 1 - (1 - x)^2 = x (2 - x)",
            equal(1 - (1 - eta * curvature) ** 2, eta * curvature * (2 - eta * curvature)),
        ),
        Step("positive for x < 2 (q = 2 - x)", greater(x * rest, 0)),
        Step(
            "arithmetic against geometric mean, two layers: x^2 + y^2 >= 2 x y",
            at_least(x**2 + y**2, 2 * x * y),
            certificate=(x - y) ** 2,
        ),
        Step(
            "equality for s_l = sigma^(1/L): L (sigma/sigma^(1/L))^2 = L sigma^(2 - 2/L)",
            equal(p * (x / x ** (1 / p)) ** 2, p * x ** (2 - 2 / p)),
        ),
    )
    used = ("sigma > 0 and all s^l > 0", "the error is small", "geometric means do not exceed arithmetic means")
    return Derivation((CURVATURE, STABLE, FLATTEST), used, steps)


@cache
def departure() -> Derivation:
    """An update and the flow for a time eta differ by -(eta^2/2) d^2 s/dt^2 + O(eta^3)."""
    ds, dt = _error * t, _error * s

    def along(quantity: sp.Expr) -> sp.Expr:
        return sp.diff(quantity, s) * ds + sp.diff(quantity, t) * dt

    definitions = (sp.Eq(departure_s, -along(ds) / 2), sp.Eq(departure_t, -along(dt) / 2))
    steps = (
        Step("de/dt = -e (s^2 + t^2)", equal(along(_error), -_error * (s**2 + t**2))),
        Step("d^2 s/dt^2 = t de/dt + e^2 s", equal(along(ds), -_error * (s**2 + t**2) * t + _error**2 * s)),
    )
    return Derivation((DEPARTURE,), ("eta -> 0",), steps, definitions)


@cache
def saddles() -> Derivation:
    """Critical points with prod s != sigma have at least two zero strengths, and lower energies next to them."""
    q, room = sp.symbols("q room", positive=True)
    below, one, above = sp.symbols("below s_l above", real=True)
    energy = (sigma - below * one * above) ** 2 / 2
    steps = (
        Step(
            "where e != 0 every prod_{k != l} s^k is 0: two strengths are 0, and the product",
            equal(sp.diff(energy, one), -(sigma - below * one * above) * below * above),
        ),
        Step(
            "moving the zeros to make the product q: E falls by q (sigma - q/2)",
            equal(sigma**2 / 2 - (sigma - q) ** 2 / 2, q * (sigma - q / 2)),
        ),
        Step("which is positive for q < 2 sigma (sigma = q/2 + room)", greater(q * room, 0)),
    )
    return Derivation((SADDLE,), ("sigma > 0",), steps)


@cache
def scaling() -> Derivation:
    """E depends on the product alone: scaling one layer up and another down changes nothing."""
    factor = sp.Symbol("factor", positive=True)
    rest = sp.Symbol("rest", real=True)
    definitions = (
        sp.Eq(energy_here, (sigma - s * t * rest) ** 2 / 2),
        sp.Eq(energy_scaled, (sigma - (factor * s) * (t / factor) * rest) ** 2 / 2),
    )
    steps = (Step("the factors cancel", equal((factor * s) * (t / factor), s * t)),)
    return Derivation((SCALED,), (), steps, definitions)


@cache
def all_learned() -> Derivation:
    """From positive strengths every direction reaches sigma, exponentially fast: no plateau is an end.

    The error e obeys de/dt = -e sum_l (prod_{k != l} s^k)^2. While e > 0 no strength falls, so that the sum never falls
    below its start. While e < 0 strengths fall but their product stays above sigma, so that prod_{k != l} s^k =
    prod_k s^k/s^l >= sigma/s^l(0). Either way e decays at least exponentially.
    """
    error, rest, one = sp.Symbol("e", positive=True), sp.Symbol("rest", positive=True), sp.Symbol("s_l", positive=True)
    fall, more, target = sp.symbols("fall more sigma", nonnegative=True)
    x, y, z = sp.symbols("x y z", positive=True)
    product = x * y * z
    gap = sigma - product
    steps = (
        Step("ds_l/dt = e prod_{k != l} s_k > 0 while e > 0", greater(error * rest, 0)),
        Step(
            "de/dt = -e sum of squared products, written out for three layers",
            equal(
                -(
                    sp.diff(product, x) * gap * y * z
                    + sp.diff(product, y) * gap * x * z
                    + sp.diff(product, z) * gap * x * y
                ),
                -gap * ((y * z) ** 2 + (x * z) ** 2 + (x * y) ** 2),
            ),
        ),
        Step(
            "while e < 0: product/s_l = (sigma + more)/(s_l(0) - fall) >= sigma/s_l(0)",
            at_least((target + more) * one, target * (one - fall)),
            certificate=more * one + target * fall,
        ),
    )
    return Derivation((ALL_LEARNED,), ("sigma > 0", "the flow, or a small learning rate", "enough time"), steps)
