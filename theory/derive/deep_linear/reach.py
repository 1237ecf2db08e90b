"""What L layers in the band [1/(1+eps), 1+eps] reach, and where training in the band ends (Jia et al., Section 4.1).

b = 1 + eps. Strengths s of one direction of variation have the product s^1 ... s^L; `power` are squared singular values
of the product of whole matrices, all of whose singular values are in the band.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.symbols import j, lam, n, p, steps

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

_B = 1 + eps
HIGH, LOW = _B**depth, _B ** (-depth)
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
ABOVE = sp.Gt(sigma, HIGH)
BELOW = sp.Lt(sigma, LOW)
_WIDTH = _B - 1 / _B
AT_TOP = sp.And(
    sp.Eq(s_end[j], _B),
    sp.Eq(residual, sigma - HIGH),
    sp.Lt((count - 1) * lam * (sigma - HIGH) * _B ** (1 - depth), _WIDTH),
)
AT_BOTTOM = sp.And(
    sp.Eq(s_end[j], 1 / _B),
    sp.Eq(residual, sigma - LOW),
    sp.Lt((count - 1) * lam * (LOW - sigma) * _B ** (1 - depth), _WIDTH),
)
SMALL_STEP = sp.Lt(lam * _B ** (2 * depth - 2), 1)
SAWTOOTH = sp.And(sp.Eq(after[j], _B), sp.Gt(before[j], _B), sp.Le(before[j], root))
SMALL_RATE = sp.Le(lam * depth * sp.Max(1, root) ** (2 * depth - 2), 1)
CONTRACTS = sp.Le(
    sp.Abs(s_end[j] - root), (1 - lam * depth * sp.Min(1, root) ** (2 * depth - 2)) ** steps * sp.Abs(root - 1)
)
MATRICES = sp.And(power[j] >= _B ** (-2 * depth), power[j] <= _B ** (2 * depth))
WIDTHS = sp.And(
    power[j] <= _B ** (2 * depth),
    sp.Implies(sp.Lt(j, kept), power[j] >= _B ** (-2 * depth)),
    sp.Implies(sp.Ge(j, narrowest), sp.Eq(power[j], 0)),
)
LEAST_LOSS = sp.Sum(sp.Max(0, sigmas[n] - HIGH, LOW - sigmas[n]) ** 2 / 2, (n, 0, p - 1))
UNALIGNED = sp.And(sp.Ge(loss, LEAST_LOSS), sp.Implies(aligned, sp.Eq(loss, LEAST_LOSS)))
WIDENED = sp.And(sp.Eq(built[j], target[j]), sp.Ge(factor_least * _B, 1), sp.Le(factor_greatest, _B))

_t, _u, _d = sp.symbols("t u d", nonnegative=True)
_S = sp.Symbol("S", positive=True)
"""max(sigma, 1/sigma)."""


def _induction() -> tuple[Step, ...]:
    return (
        Step("one factor b - t is at most b", at_least(_B, _B - _t)),
        Step(
            "a product b^L - u of L factors, times one more factor s <= b, is at most b^(L+1)",
            equal(_B**depth * _B, _B ** (depth + 1)),
        ),
        Step("likewise at least b^-(L+1) at the other end", equal(_B ** (-depth) / _B, _B ** (-depth - 1))),
    )


@cache
def interval() -> Derivation:
    """L numbers in the band multiply to a number in [(1+eps)^-L, (1+eps)^L]; every one of these is reached.

    By sigma^(1/L) in each layer, and only if max(sigma, 1/sigma) <= (1+eps)^L: the least eps is its L-th root minus 1.
    """
    equal_share = _S ** (1 / depth)
    lines = (
        *_induction(),
        Step("L equal factors S^(1/L) have the product S", equal(equal_share**depth, _S)),
        Step("and are the ends of the band for b^L = S", equal((1 + (equal_share - 1)) ** depth, _S)),
        Step("1/sigma is reached by the inverse factors", equal(LOW * HIGH, sp.Integer(1))),
    )
    return Derivation(
        (INTERVAL, sp.Equivalent(reached, REACHED), LEAST_BAND), (BAND, "sigma > 0, since all factors are"), lines
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
            at_least((1 + depth * eps + _t) * _B, 1 + (depth + 1) * eps),
        ),
        Step("so S - 1 = (1 + eps)^L - 1 >= L eps (Bernoulli), with equality for L = 1", equal(_B**1 - 1, eps)),
    )
    return Derivation((NARROWNESS,), (BAND, "sigma > 0"), lines)


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


@cache
def above() -> Derivation:
    """sigma > (1+eps)^L: every layer rises at every update until it is at 1 + eps, and stays; at any learning rate."""
    others = _B ** (1 - depth) + _u
    gap = _d + _t
    lines = (
        *_induction(),
        Step("in the band sigma - s^1 ... s^L = (sigma - b^L) + t, with d = sigma - b^L", at_least(gap, _d)),
        Step(
            "the other layers multiply to b^-(L-1) + u, so each update adds at least lam d b^-(L-1)",
            at_least(lam * gap * others, lam * _d * _B ** (1 - depth)),
            certificate=lam * (_t * others + _d * _u),
        ),
        Step(
            "a layer that is not yet clipped has risen by no more than the width of the band",
            equal(_B - 1 / _B, _WIDTH),
        ),
        Step("at the end s = b in every layer: the residual", equal(sigma - _B**depth, sigma - HIGH)),
    )
    return Derivation(
        (sp.Implies(ABOVE, AT_TOP),), (BAND, "the start is in the band; a projection after every update"), lines
    )


@cache
def below() -> Derivation:
    """sigma < (1+eps)^-L: every layer falls until it is at 1/(1 + eps), if lam (1+eps)^(2L-2) < 1 keeps it positive."""
    others = _B ** (1 - depth) + _u
    gap = _d + _t
    s, rest = sp.symbols("s r", positive=True)
    lines = (
        *_induction(),
        Step(
            "each update subtracts at least lam d b^-(L-1), d = b^-L - sigma",
            at_least(lam * gap * others, lam * _d * _B ** (1 - depth)),
            certificate=lam * (_t * others + _d * _u),
        ),
        Step(
            "and at most lam (s r) r, r the product of the others: s (1 - lam r^2) remains, positive as r <= b^(L-1)",
            equal(s - lam * (s * rest) * rest, s * (1 - lam * rest**2)),
        ),
        Step("at the end s = 1/b in every layer: the residual", equal(sigma - _B ** (-depth), sigma - LOW)),
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
            equal(_B ** (2 * depth) * _B**2, _B ** (2 * (depth + 1))),
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
            equal(_B ** (-2 * depth) / _B**2, _B ** (-2 * (depth + 1))),
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
    c = sigma/b^2 of what W^1 sends, both with singular values b.
    """
    cosine, strength = sp.Symbol("c", nonnegative=True), sp.Symbol("s", positive=True)
    n_, m_ = sp.symbols("n_in m_hidden", integer=True, positive=True)
    lines = (
        *widths().steps,
        Step("an aligned direction: sqrt(sigma) sqrt(sigma)", equal(sp.sqrt(strength) * sp.sqrt(strength), strength)),
        Step("a turned one: b (c e + sqrt(1 - c^2) f) . b e = b^2 c", equal(_B * cosine * _B, _B**2 * cosine)),
        Step("whose row keeps the length b", equal(_B**2 * (cosine**2 + (1 - cosine**2)), _B**2)),
        Step(
            "f is one of the m - n spare directions: n - (2n - m) of them are needed",
            equal(n_ - (2 * n_ - m_), m_ - n_),
        ),
    )
    return Derivation((WIDENED,), (BAND, "n < m"), lines)
