"""Whole matrices with all singular values in the band [1/(1+eps), 1+eps]: their products, for equal widths and any.

b = 1 + eps (Jia et al., Section 4.1).
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal
from theory.derive.deep_linear.reach import BAND, HIGH, LOW, B, depth, interval, least_energy
from theory.symbols import j, n, p

power = sp.IndexedBase("power", nonnegative=True)
"""power[j]: the squared singular values of W^L ... W^1, descending, min(N_0, N_L) of them."""
kept = sp.Symbol("kept", integer=True)
"""N_0 minus all by which a layer is narrower than the one before it."""
narrowest = sp.Symbol("narrowest", integer=True, positive=True)
"""The smallest width."""
sigmas = sp.IndexedBase("sigmas", nonnegative=True)
"""The singular values of C^yx."""
loss = sp.Symbol("loss", nonnegative=True)
"""|C^yx - W^L ... W^1|_F^2/2, the loss on whitened inputs up to a constant."""
aligned = sp.Symbol("aligned")
"""The layers are aligned with C^yx, with the closest strengths of the band."""
built = sp.IndexedBase("built", nonnegative=True)
target = sp.IndexedBase("target", nonnegative=True)
"""Singular values of a product that was constructed, and those that it was to have, descending."""
factor_least, factor_greatest = sp.symbols("factor_least factor_greatest", nonnegative=True)
"""The extreme singular values of its factors."""


MATRICES = sp.And(power[j] >= B ** (-2 * depth), power[j] <= B ** (2 * depth))
WIDTHS = sp.And(
    power[j] <= B ** (2 * depth),
    sp.Implies(sp.Lt(j, kept), power[j] >= B ** (-2 * depth)),
    sp.Implies(sp.Gt(j, narrowest - 1), sp.Eq(power[j], 0)),
)
LEAST_LOSS = sp.Sum(sp.Max(0, sigmas[n] - HIGH, LOW - sigmas[n]) ** 2 / 2, (n, 0, p - 1))
UNALIGNED = sp.And(sp.Ge(loss, LEAST_LOSS), sp.Implies(aligned, sp.Eq(loss, LEAST_LOSS)))
WIDENED = sp.And(sp.Eq(built[j], target[j]), sp.Ge(factor_least * B, 1), sp.Le(factor_greatest, B))


@cache
def matrices() -> Derivation:
    """The product of L square matrices in the band has its singular values in the band to the power L, and any such.

    |W x| <= b |x| and |W x| >= |x|/b for every x, whatever the singular vectors; and U S V^T is the aligned product of
    U S^(1/L), S^(1/L), ..., S^(1/L) V^T.
    """
    lines = (
        *interval().steps,
        Step(
            "|W^(L+1) y|^2 <= b^2 |y|^2 for y = W^L ... W^1 x",
            equal(B ** (2 * depth) * B**2, B ** (2 * (depth + 1))),
        ),
    )
    return Derivation((MATRICES,), (BAND, "equal widths"), lines)


@cache
def widths() -> Derivation:
    """Any widths: all singular values <= b^L, at least `kept` of them >= b^-L, no more than the smallest width nonzero.

    A layer that is narrower by d than the one before it has a kernel of dimension d; the inputs that never enter one
    form a space of dimension N_0 minus all these d, on which every layer keeps at least |x|/b.
    """
    left, width, narrower = sp.symbols("left width narrower", integer=True, positive=True)
    lines = (
        *matrices().steps,
        Step(
            "of `left` dimensions in a layer of some width, at least left - d avoid a kernel of dimension d",
            equal(left + (width - narrower) - width, left - narrower),
        ),
        Step(
            "on the rest |W^L ... W^1 x|^2 >= b^(-2 L) |x|^2",
            equal(B ** (-2 * depth) / B**2, B ** (-2 * (depth + 1))),
        ),
    )
    return Derivation((WIDTHS,), (BAND,), lines)


@cache
def unaligned() -> Derivation:
    """|C - W^L ... W^1|_F^2 >= sum_m (sigma_m - sigma_m(W^L ... W^1))^2 (Mirsky), the latter within the interval."""
    lines = (*matrices().steps, *least_energy().steps)
    return Derivation((UNALIGNED,), (BAND, "equal widths"), lines)


@cache
def widened() -> Derivation:
    """Two layers n -> m -> n, n < m: any sigma_1 >= ... >= sigma_n >= 0 with sigma_1 <= b^2, sigma_(2n-m) >= b^-2.

    The first 2n - m directions are aligned, with factors sqrt(sigma); of the others, m - n at most, W^2 sees the part
    c = sigma/g^2 of what W^1 sends, both with singular values g = max(1, sqrt(sigma)).
    """
    cosine, strength = sp.Symbol("c", nonnegative=True), sp.Symbol("s", positive=True)
    factor = sp.Symbol("g", positive=True)
    n_, m_ = sp.symbols("n_in m_hidden", integer=True, positive=True)
    lines = (
        *widths().steps,
        Step("an aligned direction: sqrt(sigma) sqrt(sigma)", equal(sp.sqrt(strength) * sp.sqrt(strength), strength)),
        Step(
            "a turned one: g (c e + sqrt(1 - c^2) f) . g e = g^2 c = sigma",
            equal((factor * cosine * factor).subs(cosine, strength / factor**2), strength),
        ),
        Step("whose row keeps the length g", equal(factor**2 * (cosine**2 + (1 - cosine**2)), factor**2)),
        Step(
            "f is one of the m - n spare directions: n - (2n - m) of them are needed",
            equal(n_ - (2 * n_ - m_), m_ - n_),
        ),
    )
    return Derivation((WIDENED,), (BAND, "n < m"), lines)
