"""Where training in the band [1/(1+eps), 1+eps] ends: descent on Eq. (10) with projections (Jia et al., Section 4.1).

b = 1 + eps; s are the strengths of one direction of variation, whose product is to be sigma.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.deep_linear.reach import BAND, HIGH, LOW, B, depth, induction, sigma
from theory.symbols import j, lam, steps

s_end = sp.IndexedBase("s_end", positive=True)
"""s_end[j]: the strength in layer j + 1 after training with a projection after every update."""
residual = sp.Symbol("residual", real=True)
"""sigma - s^1 ... s^L after training."""
count = sp.Symbol("count", integer=True, nonnegative=True)
"""The number of updates until all layers are at the end of the band."""
after = sp.IndexedBase("after", positive=True)
before = sp.IndexedBase("before", positive=True)
"""Strengths right after a projection, and before the next one, several updates later."""
root = sp.Symbol("root", positive=True)
"""sigma^(1/L)."""

ABOVE = sp.Gt(sigma, HIGH)
BELOW = sp.Lt(sigma, LOW)
_WIDTH = B - 1 / B
AT_TOP = sp.And(
    sp.Eq(s_end[j], B),
    sp.Eq(residual, sigma - HIGH),
    sp.Lt((count - 1) * lam * (sigma - HIGH) * B ** (1 - depth), _WIDTH),
)
AT_BOTTOM = sp.And(
    sp.Eq(s_end[j], 1 / B),
    sp.Eq(residual, sigma - LOW),
    sp.Lt((count - 1) * lam * (LOW - sigma) * B ** (1 - depth), _WIDTH),
)
SMALL_STEP = sp.Lt(lam * B ** (2 * depth - 2), 1)
SAWTOOTH = sp.And(sp.Eq(after[j], B), sp.Gt(before[j], B), sp.Le(before[j], root))
SMALL_RATE = sp.Le(lam * depth * sp.Max(1, root) ** (2 * depth - 2), 1)
CONTRACTS = sp.Le(
    sp.Abs(s_end[j] - root), (1 - lam * depth * sp.Min(1, root) ** (2 * depth - 2)) ** steps * sp.Abs(root - 1)
)

_t, _u, _d = sp.symbols("t u d", nonnegative=True)


@cache
def above() -> Derivation:
    """sigma > (1+eps)^L: every layer rises at every update until it is at 1 + eps, and stays; at any learning rate."""
    others = B ** (1 - depth) + _u
    gap = _d + _t
    lines = (
        *induction(),
        Step("in the band sigma - s^1 ... s^L = (sigma - b^L) + t, with d = sigma - b^L", at_least(gap, _d)),
        Step(
            "the other layers multiply to b^-(L-1) + u, so each update adds at least lam d b^-(L-1)",
            at_least(lam * gap * others, lam * _d * B ** (1 - depth)),
            certificate=lam * (_t * others + _d * _u),
        ),
        Step(
            "a layer that is not yet clipped has risen by no more than the width of the band",
            equal(B - 1 / B, _WIDTH),
        ),
        Step("at the end s = b in every layer: the residual", equal(sigma - B**depth, sigma - HIGH)),
    )
    return Derivation(
        (sp.Implies(ABOVE, AT_TOP),), (BAND, "the start is in the band; a projection after every update"), lines
    )


@cache
def below() -> Derivation:
    """sigma < (1+eps)^-L: every layer falls until it is at 1/(1 + eps), if lam (1+eps)^(2L-2) < 1 keeps it positive."""
    others = B ** (1 - depth) + _u
    gap = _d + _t
    s, rest = sp.symbols("s r", positive=True)
    lines = (
        *induction(),
        Step(
            "each update subtracts at least lam d b^-(L-1), d = b^-L - sigma",
            at_least(lam * gap * others, lam * _d * B ** (1 - depth)),
            certificate=lam * (_t * others + _d * _u),
        ),
        Step(
            "and at most lam (s r) r, r the product of the others: s (1 - lam r^2) remains, positive as r <= b^(L-1)",
            equal(s - lam * (s * rest) * rest, s * (1 - lam * rest**2)),
        ),
        Step("at the end s = 1/b in every layer: the residual", equal(sigma - B ** (-depth), sigma - LOW)),
    )
    used = (BAND, "the start is in the band; a projection after every update", "lam (1+eps)^(2L-2) < 1", "sigma >= 0")
    return Derivation((sp.Implies(sp.And(BELOW, SMALL_STEP), AT_BOTTOM),), used, lines)


def _no_overshoot() -> tuple[Step, ...]:
    """f(s) = s + lam (root^L - s^L) s^(L-1) rises up to root if lam L max(1, root)^(2L-2) <= 1."""
    s = sp.Symbol("s", positive=True)
    f = s + lam * (root**depth - s**depth) * s ** (depth - 1)
    slope = 1 + lam * ((depth - 1) * root**depth * s ** (depth - 2) - (2 * depth - 1) * s ** (2 * depth - 2))
    return (
        Step("an update of equal strengths, and its slope", equal(sp.diff(f, s), slope)),
        Step(
            "at s = root it is 1 - lam L root^(2L-2)",
            equal(slope.subs(s, root), 1 - lam * depth * root ** (2 * depth - 2)),
        ),
        Step(
            "what is subtracted, lam s^(L-2) ((2L-1) s^L - (L-1) root^L), rises with s where it is positive",
            equal(slope, 1 - lam * s ** (depth - 2) * ((2 * depth - 1) * s**depth - (depth - 1) * root**depth)),
        ),
        Step("root is a fixed point: an update from below it ends below it", equal(f.subs(s, root), root)),
    )


@cache
def sawtooth() -> Derivation:
    """Projected every T updates, sigma > (1+eps)^L: at 1 + eps after each projection, above it before the next."""
    s = sp.Symbol("s", positive=True)
    lines = (
        *above().steps,
        *_no_overshoot(),
        Step(
            "below root = s + t an update rises: root^L - s^L is positive for L = 1, and by induction for any L",
            equal(
                (s + _t) ** (depth + 1) - s ** (depth + 1), (s + _t) * ((s + _t) ** depth - s**depth) + _t * s**depth
            ),
        ),
    )
    used = (BAND, "equal strengths at the start, 1", "lam L root^(2L-2) <= 1, root = sigma^(1/L)")
    return Derivation((sp.Implies(sp.And(ABOVE, SMALL_RATE), SAWTOOTH),), used, lines)


@cache
def contracts() -> Derivation:
    """Inside, from s = 1 in every layer, |s - sigma^(1/L)| shrinks by 1 - lam L min(1, sigma^(1/L))^(2L-2) an update.

    The strengths move from 1 to the root without passing it, so that the projection never acts.
    """
    s, low = sp.symbols("s low", positive=True)
    lines = (
        *_no_overshoot(),
        Step(
            "root^L - s^L = (root - s)(root^(L-1) + ... + s^(L-1)), by induction on L",
            equal(root ** (depth + 1) - s ** (depth + 1), root * (root**depth - s**depth) + (root - s) * s**depth),
        ),
        Step(
            "L summands of at least low^(L-1), times s^(L-1) >= low^(L-1), low = min(1, root)",
            equal(depth * low ** (depth - 1) * low ** (depth - 1), depth * low ** (2 * depth - 2)),
        ),
        Step(
            "so the distance root - s = t becomes at most t (1 - lam L low^(2L-2))",
            equal(_t - lam * _t * depth * low ** (2 * depth - 2), _t * (1 - lam * depth * low ** (2 * depth - 2))),
        ),
    )
    used = (BAND, "s = 1 in every layer at the start (orthogonal weights)", "lam L max(1, root)^(2L-2) <= 1")
    return Derivation((sp.Implies(SMALL_RATE, CONTRACTS),), used, lines)
