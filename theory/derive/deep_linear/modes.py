"""One direction of variation of an aligned network: its gradient and its energy, Eqs. (5), (6), (9), (10).

s[l, m] is the m-th diagonal entry of S^{l+1}, l in 0..p-1 with p = L layers; M is the smallest width. For two layers
s, t are those of one direction and sigma its singular value; for L layers s[l, m] and sigma[m] are indexed.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.deep_linear.gradients import ALIGNED, WHITE, aligned_gradient, aligned_two_layer_gradients
from theory.symbols import j, n, p

s, t = sp.symbols("s t", real=True)
sigma = sp.Symbol("sigma", real=True)
"""The singular value of C^yx that belongs to one direction."""
slope_s, slope_t = sp.symbols("slope_s slope_t", real=True)
"""dL/ds and dL/dt of one direction, the loss being that of the whole network on samples."""
slope_E_s, slope_E_t = sp.symbols("slope_E_s slope_E_t", real=True)
"""The same of the energy E alone."""
energy = sp.Symbol("energy", nonnegative=True)
"""E of one direction."""
strength = sp.IndexedBase("strength", real=True)
"""[l]: the strength s^{l+1} of one direction in every layer."""
mode_slope = sp.IndexedBase("mode_slope", real=True)
"""[l]: dL/ds^{l+1} of one direction, the loss being that of the whole network on samples."""
energy_slope = sp.IndexedBase("energy_slope", real=True)
"""[l]: the same of the energy of one direction alone."""
S = sp.IndexedBase("S", real=True)
"""[l, m]: the strengths of all directions."""
sigmas = sp.IndexedBase("sigmas", real=True)
"""[m]: the singular values of C^yx."""
loss, trace_yy = sp.symbols("loss trace_yy", real=True)
"""The loss on samples, and tr(C^yy)."""
M = sp.Symbol("M", integer=True, positive=True)
"""The smallest width of the network."""

below = sp.Product(strength[n], (n, 0, j - 1))
above = sp.Product(strength[n], (n, j + 1, p - 1))
everything = sp.Product(strength[n], (n, 0, p - 1))

PRINTED_E5 = (sp.Eq(slope_s, (sigma - s * t) * t), sp.Eq(slope_t, (sigma - s * t) * s))
TRUE_E5 = tuple(sp.Eq(line.lhs, -line.rhs) for line in PRINTED_E5)
E_2 = (sigma - s * t) ** 2 / 2
"""Eq. (6)."""
PRINTED_E9 = sp.Eq(mode_slope[j], above * (sigma - everything) * below)
TRUE_E9 = sp.Eq(mode_slope[j], -PRINTED_E9.rhs)

_m = sp.Symbol("m", integer=True, nonnegative=True)
ENERGIES = sp.Sum((sigmas[_m] - sp.Product(S[n, _m], (n, 0, p - 1))) ** 2 / 2, (_m, 0, M - 1))
CONSTANT = (trace_yy - sp.Sum(sigmas[_m] ** 2, (_m, 0, M - 1))) / 2
TOTAL_LOSS = sp.Eq(loss, ENERGIES + CONSTANT)
"""The loss of an aligned network: the energies of Eq. (10), and what no network of these widths explains."""
FROM_ENERGY = sp.And(sp.Eq(slope_s, slope_E_s), sp.Eq(slope_t, slope_E_t))
FROM_ENERGIES = sp.Eq(mode_slope[j], energy_slope[j])
AT_MINIMUM = sp.Equivalent(sp.Eq(energy, 0), sp.Eq(s * t, sigma))


def _entry_step() -> Step:
    """The m-th diagonal entry of S^2^T (S^yx - S^2 S^1) for diagonal matrices."""
    row, k, q = sp.symbols("a k q", integer=True, nonnegative=True)
    x, y, z = (sp.IndexedBase(name, real=True) for name in ("x", "y", "z"))
    inner = deltasummation(
        sp.KroneckerDelta(k, q) * y[q] * sp.KroneckerDelta(q, row) * x[row], (q, 0, p - 1), no_piecewise=True
    )
    entry = deltasummation(
        sp.expand(sp.KroneckerDelta(row, k) * y[k] * (sp.KroneckerDelta(k, row) * z[k] - inner)),
        (k, 0, p - 1),
        no_piecewise=True,
    )
    return Step(
        "the diagonal entry of S^2^T (S^yx - S^2 S^1), summed over inner indices",
        equal(entry.subs(row, 0), (z[0] - y[0] * x[0]) * y[0]),
    )


@cache
def scalar_gradients() -> Derivation:
    """dL/ds = -(sigma - s t) t, dL/dt = -(sigma - s t) s (Eq. 5 with its sign)."""
    definitions = (sp.Eq(slope_s, sp.diff(E_2, s)), sp.Eq(slope_t, sp.diff(E_2, t)))
    steps = (*aligned_two_layer_gradients().steps, _entry_step(), *loss_of_modes().steps)
    return Derivation((*TRUE_E5, FROM_ENERGY), (WHITE, ALIGNED), steps, (*definitions, *_energy_definitions()))


def _energy_definitions() -> tuple[sp.Equality, ...]:
    return (sp.Eq(slope_E_s, sp.diff(E_2, s)), sp.Eq(slope_E_t, sp.diff(E_2, t)))


@cache
def energy_minimum() -> Derivation:
    """E(s, t) >= 0, and E = 0 exactly if s t = sigma."""
    gap, apart = sp.Symbol("gap", real=True), sp.Symbol("apart", positive=True)
    steps = (
        Step("E is a square", at_least(E_2.subs(sigma, s * t + gap), 0)),
        Step("at s t = sigma it is 0", equal(E_2.subs(sigma, s * t), 0)),
        Step("at a distance |sigma - s t| > 0 it is positive", greater(E_2.subs(sigma, s * t + apart), 0)),
    )
    return Derivation((AT_MINIMUM,), (), steps)


@cache
def loss_of_modes() -> Derivation:
    """L = sum_m E_m + (tr C^yy - sum_{m <= M} sigma_m^2)/2 for an aligned network.

    The part beyond M is what a rank-M map leaves of C^yx; the rest of tr C^yy is what no linear map explains.
    """
    u = sp.IndexedBase("u", real=True)
    ends = sp.Product(S[n, _m], (n, 0, p - 1))
    steps = (
        Step(
            "per direction, u_m = prod_l s_m^l: u^2/2 - sigma u = (sigma - u)^2/2 - sigma^2/2",
            equal(u[_m] ** 2 / 2 - sigmas[_m] * u[_m], (sigmas[_m] - u[_m]) ** 2 / 2 - sigmas[_m] ** 2 / 2),
        ),
    )
    # |P|^2/2 - tr(P^T C^yx) + tr(C^yy)/2 at P = U diag(u) V^T
    frame = sp.Sum(sp.expand(((sigmas[_m] - ends) ** 2 - sigmas[_m] ** 2) / 2), (_m, 0, M - 1))
    definitions = (sp.Eq(loss, trace_yy / 2 + frame),)
    return Derivation((TOTAL_LOSS,), (WHITE, ALIGNED), (*aligned_gradient().steps, *steps), definitions)


@cache
def layer_scalar_gradient() -> Derivation:
    """dL/ds^l = -prod_{k != l} s^k (sigma - prod_k s^k) (Eq. 9 with its sign), from E of Eq. (10)."""
    one = sp.Symbol("s_l", real=True)
    left, right = sp.symbols("below above", real=True)
    energy = (sigma - left * one * right) ** 2 / 2
    slope = sp.diff(energy, one).subs({left: below, right: above, one: strength[j]})
    steps = (
        *aligned_gradient().steps,
        Step(
            "s^l occurs once in the product",
            equal(sp.diff(energy, one), -right * (sigma - left * one * right) * left),
        ),
    )
    definitions = (
        sp.Eq(mode_slope[j], slope),
        sp.Eq(energy_slope[j], slope),
        sp.Eq(everything, below * strength[j] * above),
    )
    return Derivation((TRUE_E9, FROM_ENERGIES), (WHITE, ALIGNED), steps, definitions)
