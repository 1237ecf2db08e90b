"""Near misses of the gradients of deep linear networks, in matrices and in modes: S-E2, S-E4 to S-E9."""

from __future__ import annotations

from typing import Any

from sympy import Abs, And, Eq, Equivalent, Expr, Implies, Product, Rational, Trace

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.deep_linear.gradients import (
    D1,
    D2,
    S1,
    S2,
    W1,
    W2,
    A,
    B,
    C_xx,
    C_yx,
    D,
    R,
    R_down,
    R_up,
    S_above,
    S_below,
    S_l,
    S_yx,
    U_y,
    V_x,
    W,
    skew,
    slope,
    slope_1,
    slope_2,
    stray,
)
from theory.derive.deep_linear.modes import (
    CONSTANT,
    ENERGIES,
    TRUE_E9,
    above,
    below,
    energy,
    energy_slope,
    everything,
    loss,
    mode_slope,
    s,
    sigma,
    slope_E_s,
    slope_E_t,
    slope_s,
    slope_t,
    strength,
    t,
)
from theory.symbols import j, n, p


def _minus(observed: Expr, product: Any) -> Eq:
    return Eq(observed, -Trace(product))


_E2 = C_yx - W2 * W1 * C_xx
_E4 = S_yx - S2 * S1
_E7 = C_yx - A * W * B
_E8 = S_yx - S_above * S_l * S_below
_SIGN = "the sign: the negative gradient is printed"

FALSEHOODS = (
    # Eq. (2)
    Falsehood(
        "S-E2", "first layer", "factor", Eq(slope_1, -2 * Trace(D1.T * W2.T * _E2)), "2: no 1/2", as_="correction"
    ),
    Falsehood(
        "S-E2",
        "first layer",
        "transpose",
        _minus(slope_1, D1.T * W2.T * (C_yx.T - W2 * W1 * C_xx)),
        "C_xy for C_yx: right for symmetric covariances",
        as_="correction",
    ),
    Falsehood(
        "S-E2",
        "first layer",
        "term",
        _minus(slope_1, D1.T * W2.T * (C_yx * C_xx - W2 * W1 * C_xx)),
        "C_xx taken out of the bracket: right for whitened inputs",
        as_="correction",
    ),
    Falsehood("S-E2", "first layer", "hypothesis", Eq(slope_2, 0), _SIGN, as_="condition"),
    Falsehood(
        "S-E2",
        "second layer",
        "transpose",
        _minus(slope_2, D2 * _E2 * W1.T),
        "the derivative by W2^T: right for symmetric directions",
        as_="correction",
    ),
    Falsehood(
        "S-E2", "second layer", "term", _minus(slope_2, D2.T * _E2 * W1.T * C_xx), "C_xx twice", as_="correction"
    ),
    Falsehood("S-E2", "second layer", "hypothesis", Eq(slope_1, 0), _SIGN, as_="condition"),
    # Eq. (4)
    Falsehood(
        "S-E4", "first layer", "term", _minus(slope_1, D1.T * S2.T * _E4 * V_x.T), "R left out: R = I", as_="correction"
    ),
    Falsehood(
        "S-E4", "first layer", "factor", Eq(slope_1, -2 * Trace(D1.T * R * S2.T * _E4 * V_x.T)), "2", as_="correction"
    ),
    Falsehood(
        "S-E4", "second layer", "term", _minus(slope_2, D2.T * U_y * _E4 * S1.T), "R left out: R = I", as_="correction"
    ),
    Falsehood("S-E4", "second layer", "hypothesis", Eq(slope_1, 0), _SIGN, as_="condition"),
    # Eq. (7)
    Falsehood(
        "S-E7", "", "index", _minus(slope, D.T * A.T * (C_yx - B * W * A) * B.T), "the chain reversed", as_="correction"
    ),
    Falsehood(
        "S-E7", "", "term", _minus(slope, D.T * A.T * (C_yx - A * B) * B.T), "W^l left out: W = I", as_="correction"
    ),
    Falsehood("S-E7", "", "factor", Eq(slope, -2 * Trace(D.T * A.T * _E7 * B.T)), "2: no 1/2", as_="correction"),
    Falsehood("S-E7", "", "term", _minus(slope, D.T * _E7 * B.T), "right for the last layer only", as_="correction"),
    Falsehood("S-E7", "", "term", _minus(slope, D.T * A.T * _E7), "right for the first layer only", as_="correction"),
    Falsehood("S-E7", "", "transpose", _minus(slope, D * A.T * _E7 * B.T), "by W^T", as_="correction"),
    # Eq. (8)
    Falsehood(
        "S-E8",
        "gradient",
        "index",
        _minus(slope, D.T * R_up * S_above.T * _E8 * S_below.T * R_up.T),
        "R^{l+1} for R^l",
        as_="correction",
    ),
    Falsehood(
        "S-E8",
        "gradient",
        "factor",
        Eq(slope, -2 * Trace(D.T * R_up * S_above.T * _E8 * S_below.T * R_down.T)),
        "2: no 1/2",
        as_="correction",
    ),
    Falsehood("S-E8", "alignment is kept", "hypothesis", Implies(skew <= 1, Eq(stray, 0)), "C_xx close to whitened"),
    Falsehood("S-E8", "alignment is kept", "sign", Implies(skew > 0, Eq(stray, 0)), "inputs that are not whitened"),
    # Eqs. (5) and (6)
    Falsehood("S-E5", "s", "sign", Eq(slope_s, -(sigma - Abs(s * t)) * t), "right for s t >= 0 only", as_="correction"),
    Falsehood("S-E5", "s", "factor", Eq(slope_s, -2 * (sigma - s * t) * t), "2: no 1/2", as_="correction"),
    Falsehood(
        "S-E5", "s", "exponent", Eq(slope_s, -(sigma - s * t**2) * t), "t^2: right for t in {0, 1}", as_="correction"
    ),
    Falsehood("S-E5", "s", "hypothesis", s > 0, _SIGN, as_="condition"),
    Falsehood("S-E5", "t", "sign", Eq(slope_t, -(sigma - s * t) * Abs(s)), "right for s >= 0 only", as_="correction"),
    Falsehood(
        "S-E5", "t", "exponent", Eq(slope_t, -(sigma - s * t) * s**2), "s^2: right for s in {0, 1}", as_="correction"
    ),
    Falsehood("S-E5", "t", "hypothesis", sigma > s * t, _SIGN, as_="condition"),
    Falsehood("S-E6", "gradients", "quantity", And(Eq(slope_s, slope_E_t), Eq(slope_t, slope_E_s)), "exchanged: s = t"),
    Falsehood("S-E6", "gradients", "exponent", Eq(slope_s**2, slope_E_s), "right for 0 and 1"),
    Falsehood("S-E6", "minimum", "strictness", Equivalent(energy <= Rational(1, 1000), Eq(s * t, sigma)), "nearly"),
    Falsehood("S-E6", "minimum", "sign", Equivalent(Eq(energy, 0), Eq(Abs(s * t), sigma)), "s t = -sigma"),
    Falsehood(
        "S-E6", "minimum", "edge", Equivalent(Eq(energy, 0), And(Eq(s, t), Eq(s * t, sigma))), "balanced ones only"
    ),
    # Eqs. (9) and (10)
    Falsehood(
        "S-E9",
        "gradient",
        "index",
        Eq(mode_slope[j], -(sigma - everything) * Product(strength[n], (n, 0, p - 1))),
        "the whole product: right where s^l is 0 or 1",
        as_="correction",
    ),
    Falsehood("S-E9", "gradient", "factor", Eq(mode_slope[j], 2 * TRUE_E9.rhs), "2: no 1/2", as_="correction"),
    Falsehood(
        "S-E9",
        "gradient",
        "sign",
        Eq(mode_slope[j], -(sigma - Abs(everything)) * above * below),
        "right for a product >= 0 only",
        as_="correction",
    ),
    Falsehood(
        "S-E9",
        "gradient",
        "quantity",
        Eq(mode_slope[j], -(sigma - everything) * strength[0] ** (p - 1)),
        "s^{L-1}: right for equal strengths",
        as_="correction",
    ),
    Falsehood("S-E9", "gradient", "hypothesis", Eq(p, 1), _SIGN, as_="condition"),
    Falsehood("S-E9", "energy", "factor", Eq(mode_slope[j], energy_slope[j] / 2), "half"),
    Falsehood("S-E9", "energy", "index", Eq(mode_slope[j], energy_slope[0]), "layer 0: right for equal strengths"),
    Falsehood("S-E9", "loss", "factor", Eq(loss, 2 * ENERGIES + CONSTANT), "without the 1/2 of the energies"),
    Falsehood("S-E9", "loss", "factor", Eq(loss, ENERGIES + 2 * CONSTANT), "without the 1/2 of the constant"),
    Falsehood("S-E9", "loss", "bound", loss > ENERGIES, "targets that a linear map explains in full"),
)
