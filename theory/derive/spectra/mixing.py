"""How two bounded layers mix directions: M = S^(l+1) V^(l+1)T U^l S^l (Jia et al., Eq. 11 and the text around it).

Layer l maps N_(l-1) to N_l = mid numbers, layer l + 1 maps these to N_(l+1). U = U^l and V = V^(l+1) have orthonormal
columns of length mid, r = min(N_l, N_(l-1)) and r' = min(N_(l+1), N_l) of them.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.spectra.bounding import HI, LO
from theory.symbols import i, j

M = sp.IndexedBase("M", real=True)
"""M[i, j]: u'_i.(W^(l+1) W^l v_j), u' the left singular vectors of layer l + 1, v the right ones of layer l."""
s_out, s_in = sp.IndexedBase("s_out", real=True, nonnegative=True), sp.IndexedBase("s_in", real=True, nonnegative=True)
"""The singular values of layers l + 1 and l."""
V, U = sp.IndexedBase("V", real=True), sp.IndexedBase("U", real=True)
"""V[n, i]: right singular vectors of layer l + 1, in columns; U[n, j]: left ones of layer l."""
N_in, mid, N_out = sp.symbols("N_in mid N_out", integer=True, positive=True)
"""N_(l-1), N_l, N_(l+1)."""
largest, smallest = sp.symbols("largest smallest", nonnegative=True)
"""The largest and the smallest of the min(r', r) singular values of M."""
cosine = sp.Symbol("cosine", nonnegative=True)
"""The smallest of the min(r', r) singular values of V^T U: of the largest principal angle between their ranges."""

_n = sp.Symbol("n", integer=True, nonnegative=True)
OVERLAP = sp.Sum(V[_n, i] * U[_n, j], (_n, 0, mid - 1))
"""v_i^(l+1).u_j^l."""

ENTRY = sp.Eq(M[i, j], s_out[i] * s_in[j] * OVERLAP)
ENTRY_BAND = sp.And(sp.Le(sp.Abs(M[i, j]), HI**2 * sp.Abs(OVERLAP)), sp.Ge(sp.Abs(M[i, j]), sp.Abs(OVERLAP) * LO**2))
UPPER = sp.Le(largest, HI**2)
LOWER = sp.Ge(smallest, LO**2)
LOWER_COSINE = sp.Ge(smallest, cosine * LO**2)
NO_BULGE = sp.Lt(mid, sp.Max(N_in, N_out) + 1)
"""mid <= max(N_in, N_out), in integers."""

BAND = "the singular values of both layers lie in [1/(1+eps), 1+eps]"
PRODUCT = "s_min(A B C) >= s_min(A) s_min(B) s_min(C) for square A and C, and |A B C| <= |A| |B| |C|"

_a, _b, _c = sp.symbols("a b c", nonnegative=True)
_lo = sp.Symbol("lo", positive=True)


@cache
def entries() -> Derivation:
    """M_ij = s_i^(l+1) s_j^l v_i^(l+1).u_j^l: the diagonal matrices scale rows and columns (Eq. 11)."""
    X = sp.IndexedBase("X", real=True)
    row, column = (sp.Symbol(name, integer=True, nonnegative=True) for name in "ab")
    r = sp.Symbol("r", integer=True, positive=True)
    scaled_rows = deltasummation(sp.KroneckerDelta(i, row) * s_out[row] * X[row, j], (row, 0, r), no_piecewise=True)
    scaled_columns = deltasummation(sp.KroneckerDelta(j, column) * X[i, column] * s_in[column], (column, 0, r), True)
    steps = (
        Step("S X scales the rows of X", equal(scaled_rows, s_out[i] * X[i, j])),
        Step("X S scales its columns", equal(scaled_columns, X[i, j] * s_in[j])),
    )
    definitions = (sp.Eq(M[i, j], s_out[i] * OVERLAP * s_in[j]),)
    return Derivation((ENTRY,), ("W^l = U^l S^l V^lT",), steps, definitions)


def _product_band() -> tuple[Step, ...]:
    """lo^2 <= s s' <= hi^2 for s = lo + a and s' = lo + b; for s = hi - a, s' = hi - b."""
    first, second = _lo + _a, _lo + _b
    top = _lo + _a + _b + _c
    return (
        Step("lo and hi are each other's inverse", equal(LO * HI, 1)),
        Step("s s' >= lo^2", at_least(first * second, _lo**2), certificate=_lo * (_a + _b) + _a * _b),
        Step(
            "s s' <= hi^2, hi = lo + a + b + c",
            at_least(top**2, (top - _a) * (top - _b)),
            certificate=_a * (top - _b) + top * _b,
        ),
    )


@cache
def entry_band() -> Derivation:
    """(1+eps)^-2 |v.u| <= |M_ij| <= (1+eps)^2 |v.u|: each strength is bounded relative to the overlap of directions."""
    overlap = sp.Symbol("x", nonnegative=True)
    steps = (
        *entries().steps,
        *_product_band(),
        Step(
            "times |v.u|",
            at_least((_lo + _a) * (_lo + _b) * overlap, _lo**2 * overlap),
            certificate=(_lo * (_a + _b) + _a * _b) * overlap,
        ),
    )
    return Derivation((ENTRY_BAND,), ("W^l = U^l S^l V^lT", BAND), steps)


@cache
def upper() -> Derivation:
    """|M| <= |S'| |V^T U| |S| <= (1+eps)^2, since |V^T U| <= 1."""
    steps = (*_product_band(), Step("the two largest singular values", equal(HI * 1 * HI, HI**2)))
    return Derivation((UPPER,), (BAND, PRODUCT, "V and U have orthonormal columns: |V^T U| <= 1"), steps)


@cache
def lower() -> Derivation:
    """s_min(M) >= cosine/(1+eps)^2, and cosine = 1 exactly if one of the two ranges contains the other.

    That is sure if the range of U or of V is the whole space, r = mid or r' = mid: mid <= N_(l-1) or mid <= N_(l+1).
    Otherwise both are proper subspaces, and may be at right angles in some direction: cosine = 0 can be.
    """
    t = sp.Symbol("t", real=True)
    # smallest case N = (1, 2, 1): one direction in, one out, at any angle t
    u, v = (sp.cos(t), sp.sin(t)), (sp.Integer(1), sp.Integer(0))
    overlap = u[0] * v[0] + u[1] * v[1]
    steps = (
        *_product_band(),
        Step("the smallest singular values multiply", equal(LO * cosine * LO, cosine * LO**2)),
        Step("widths 1, 2, 1: the overlap is the cosine of the angle", equal(overlap, sp.cos(t))),
        Step("which is 0 at a right angle", equal(overlap.subs(t, sp.pi / 2), 0), printed=sp.Ge(overlap, 1)),
        Step("U square and orthogonal: V^T U U^T V = V^T V", equal(sp.cos(t) ** 2 + sp.sin(t) ** 2, 1)),
    )
    return Derivation(
        (LOWER_COSINE, sp.Implies(NO_BULGE, LOWER)), (BAND, PRODUCT, "N_l <= max(N_(l-1), N_(l+1))"), steps
    )
