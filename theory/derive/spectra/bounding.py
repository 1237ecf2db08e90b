"""Singular Value Bounding as a projection (Jia et al., Algorithm 1): nearest, unique when, idempotent.

A = U diag(s) V^T is bounded to P = U diag(clip(s)) V^T, clip to [lo, hi], lo = 1/(1 + eps), hi = 1 + eps. The set of
matrices in the band is not convex, for its lower bound: between B and -B lies 0. What a projection onto a convex set
gives with the factor 1, |A - B|^2 >= |A - P|^2 + |B - P|^2 for all B of the set, is true here with the factor
min(1, s_min/lo), which says at once that P is nearest, and the only nearest one unless s_min = 0.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.symbols import i, j

eps = sp.Symbol("eps", positive=True)
s = sp.IndexedBase("s", real=True, nonnegative=True)
"""s[j]: the singular values, descending."""
once = sp.IndexedBase("once", real=True)
"""once[j]: the singular values of the bounded matrix P, descending."""
framed = sp.IndexedBase("framed", real=True)
"""framed[i, j]: u_i.(P v_j), P in the frame of the singular vectors of A = U S V^T."""
smallest = sp.Symbol("smallest", nonnegative=True)
"""The smallest of the min(m, n) singular values."""
nullity = sp.Symbol("nullity", integer=True, nonnegative=True)
"""How many of the min(m, n) singular values are zero."""
distance2, other2, apart2 = sp.symbols("distance2 other2 apart2", nonnegative=True)
"""|A - P|^2, |A - B|^2 and |B - P|^2 (Frobenius) for another matrix B in the band."""
distance_norm, other_norm = sp.symbols("distance_norm other_norm", nonnegative=True)
"""|A - P| and |A - B| in the spectral norm."""
spread2 = sp.Symbol("spread2", nonnegative=True)
"""The largest squared Frobenius distance between two nearest matrices of the band."""
again = sp.Symbol("again", nonnegative=True)
"""|P' - P| (Frobenius), P' the matrix P bounded again."""
inverse_gap = sp.Symbol("inverse_gap", nonnegative=True)
"""|P(A^-1) P(A) - I| (Frobenius) of a square A."""
count, N_out, N_in = sp.symbols("count N_out N_in", integer=True, positive=True)
"""How many singular values W^l (N_l, N_(l-1)) has; N_l and N_(l-1)."""
since = sp.Symbol("since", integer=True, nonnegative=True)
"""T mod T_svb: how many updates follow the last bounding."""
final_low, final_high = sp.symbols("final_low final_high", nonnegative=True)
"""The smallest and largest singular value of the weights that training returns."""

LO, HI = 1 / (1 + eps), 1 + eps


def clip(value: sp.Expr) -> sp.Expr:
    """The nearest number in [1/(1+eps), 1+eps]."""
    return sp.Min(sp.Max(value, LO), HI)


CLIPPED = sp.Eq(once[j], clip(s[j]))
IN_BAND = sp.And(sp.Ge(once[j], LO), sp.Le(once[j], HI))
ALIGNED = sp.Eq(framed[j, j], clip(s[j]))
UNMIXED = sp.Implies(sp.Ne(i, j), sp.Eq(framed[i, j], 0))
NEAREST = sp.Ge(other2, distance2)
NEAREST_NORM = sp.Ge(other_norm, distance_norm)
CONVEX = sp.Ge(other2, distance2 + apart2)
MARGIN = sp.Ge(other2, distance2 + sp.Min(1, smallest * HI) * apart2)
SPREAD = sp.Eq(spread2, 4 * nullity / HI**2)
IDEMPOTENT = sp.Eq(again, 0)
INVERSE = sp.Eq(inverse_gap, 0)
COUNT = sp.Eq(count, sp.Min(N_out, N_in))
TRAINED = sp.And(sp.Ge(final_low, LO), sp.Le(final_high, HI))

VON_NEUMANN = "von Neumann: tr(C^T B) is at most the sum of the products of their singular values, both descending"
MIRSKY = "Weyl: |s_j(A) - s_j(B)| is at most the spectral norm of A - B"
SVD = "A = U diag(s) V^T with orthonormal columns, s >= 0"

# where a singular value lies, as non-negative numbers: the band has room, t = min(1, s_min/lo) is at most 1
_room, _t, _rest, _below, _above, _c = sp.symbols("room t rest below above c", nonnegative=True)
_lo = sp.Symbol("lo", positive=True)


@cache
def clipped() -> Derivation:
    """Lines 8 to 11 set every s_i to the nearest number of the band, and the band is not empty."""
    steps = (
        Step("the band has a length", equal(HI - LO, eps * (2 + eps) / (1 + eps))),
        Step("which is not negative", at_least(HI - LO, 0), certificate=eps * (2 + eps) / (1 + eps)),
        Step("its ends are each other's inverse", equal(LO * HI, 1)),
    )
    return Derivation((CLIPPED, IN_BAND), (SVD,), steps)


def _margin_steps() -> tuple[Step, ...]:
    """(b - s)^2 - (f - s)^2 - t (b - f)^2 >= 0 for b in [lo, hi], f = clip(s), 0 <= t <= 1, in all three cases."""

    def surplus(b: sp.Expr, value: sp.Expr, nearest: sp.Expr, t: sp.Expr) -> sp.Expr:
        return (b - value) ** 2 - (nearest - value) ** 2 - t * (b - nearest) ** 2

    t = 1 / (1 + _rest)
    hi = _lo + _room + _c
    share = _rest / (1 + _rest)
    return (
        Step("t = min(1, s_min/lo) = 1/(1 + rest) is at most 1", equal(1 - t, share)),
        Step(
            "s in the band, f = s",
            at_least(surplus(_lo + _c, _lo + _room, _lo + _room, t), 0),
            certificate=share * (_c - _room) ** 2,
        ),
        Step(
            "s = lo - below, f = lo, b = lo + c",
            at_least(surplus(_lo + _c, _lo - _below, _lo, t), 0),
            certificate=_c**2 * share + 2 * _c * _below,
        ),
        Step(
            "s = hi + above, f = hi, b = hi - c",
            at_least(surplus(hi - _c, hi + _above, hi, t), 0),
            certificate=_c**2 * share + 2 * _c * _above,
        ),
    )


@cache
def margin() -> Derivation:
    """|A - B|^2 >= |A - P|^2 + min(1, s_min/lo) |B - P|^2 for every B in the band.

    With t = min(1, s_min/lo), C = A - t P has the singular values s - t clip(s) >= 0 with the singular vectors of A, in
    the same order, since s - t clip(s) rises with s. The difference of the two sides is (1 - t)|B|^2 - 2 tr(C^T B) plus
    what does not depend on B; by von Neumann it is least, for given singular values b of B, where B has the singular
    vectors of A, and there it is a sum over j of (b - s)^2 - (f - s)^2 - t (b - f)^2, f = clip(s).
    """
    a2, b2, p2, ab, ap, bp, t = sp.symbols("a2 b2 p2 ab ap bp t", real=True)
    left = (a2 - 2 * ab + b2) - (a2 - 2 * ap + p2) - t * (b2 - 2 * bp + p2)
    steps = (
        *clipped().steps,
        Step(
            "in squared norms and inner products, with C = A - t P",
            equal(left, (1 - t) * b2 - 2 * (ab - t * bp) + 2 * ap - (1 + t) * p2),
        ),
        Step("s - t clip(s) below the band: s - t lo >= s - s_min", equal((_lo * _t + _below) - _t * _lo, _below)),
        *_margin_steps(),
    )
    return Derivation((MARGIN, NEAREST), (SVD, VON_NEUMANN), steps)


@cache
def nearest_norm() -> Derivation:
    """No matrix in the band is nearer in the spectral norm: |s_j - b_j| >= |s_j - clip(s_j)| for each j."""
    steps = (
        *clipped().steps,
        Step("s below the band", at_least((_lo + _c) - (_lo - _below), _lo - (_lo - _below)), certificate=_c),
        Step("s above it", at_least((_room + _above) - (_room - _c), (_room + _above) - _room), certificate=_c),
    )
    return Derivation((NEAREST_NORM,), (SVD, MIRSKY), steps)


@cache
def nearest_set() -> Derivation:
    """The nearest matrices differ in the null space of A only: by up to 2 lo in each of min(m, n) - rank A directions.

    They are P + lo U_0 (Q - I) V_0^T, U_0 and V_0 the null directions, Q any (partial) isometry; Q = -I is farthest.
    """
    k = sp.Symbol("k", integer=True, nonnegative=True)
    steps = (
        *margin().steps,
        Step("a null direction costs the same with either sign", equal((0 - LO) ** 2, (0 - (-LO)) ** 2)),
        Step("k of them with the other sign are apart by", equal(k * (LO - (-LO)) ** 2, 4 * k / HI**2)),
        Step("|Q - Q'|^2 <= 2 |Q|^2 + 2 |Q'|^2 = 4 k", equal(2 * k + 2 * k, 4 * k)),
    )
    return Derivation((SPREAD,), (SVD, VON_NEUMANN), steps)


@cache
def idempotent() -> Derivation:
    """clip(clip(s)) = clip(s), and P has no zero singular value, so that bounding it again leaves it alone."""
    steps = (
        *clipped().steps,
        Step("lo is positive: no singular value of P is zero", greater(LO, 0)),
        Step(
            "a number of the band is clipped to itself",
            equal(sp.Min(sp.Max(_lo + _c, _lo), _lo + _c + _room), _lo + _c),
        ),
    )
    return Derivation((IDEMPOTENT,), (SVD,), steps)


@cache
def aligned() -> Derivation:
    """U^T P V = diag(clip(s)): bounding keeps the singular vectors, so it keeps W^l = R^(l+1) S^l R^lT of that form.

    The singular vectors of a nonzero singular value are determined up to rotations that P, a function of the singular
    values, does not see: P = A g(A^T A), g(x) = clip(sqrt x)/sqrt x. Those of a zero are not.
    """
    value = sp.Symbol("v", positive=True)
    steps = (
        *clipped().steps,
        Step("u_j.(A g(A^T A) v_j) = s g(s^2)", equal(value * (clip(value) / sp.sqrt(value**2)), clip(value))),
    )
    full = sp.Gt(smallest, 0)
    unmixed = sp.Implies(sp.And(full, UNMIXED.args[0]), UNMIXED.args[1])
    return Derivation((sp.Implies(full, ALIGNED), unmixed), (SVD, "s_min > 0"), steps)


@cache
def inverted() -> Derivation:
    """P(A^-1) = P(A)^-1: clip(1/s) = 1/clip(s), since the band holds with each number its inverse."""
    below, above = LO / (1 + _below), HI * (1 + _above)
    steps = (
        *clipped().steps,
        Step("s below the band, 1/s above it: 1/s - hi", equal(1 / below - HI, HI * _below)),
        Step("s above the band, 1/s below it: lo - 1/s", equal(LO - 1 / above, LO * _above / (1 + _above))),
        Step("and there the two bounds multiply to 1", equal(LO * HI, 1)),
    )
    return Derivation((INVERSE,), (SVD, "A is square and invertible"), steps)


@cache
def counted() -> Derivation:
    """W^l (N_l, N_(l-1)) has min(N_l, N_(l-1)) singular values, not N_l."""
    steps = (Step("a tall matrix (2, 1) has", equal(sp.Min(2, 1), 1), printed=sp.Integer(2)),)
    return Derivation((COUNT,), (SVD,), steps)


@cache
def trained() -> Derivation:
    """Weights leave training in the band if the last update is followed by a bounding, T_svb divides T."""
    updates, period = sp.symbols("T T_svb", integer=True, positive=True)
    steps = (
        *clipped().steps,
        Step("a bounding follows update q T_svb: the remainder is", equal(sp.Mod(updates * period, period), 0)),
    )
    return Derivation((sp.Implies(sp.Eq(since, 0), TRAINED),), (SVD, "T_svb divides T"), steps)
