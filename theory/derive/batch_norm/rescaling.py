"""Rescaling layers by alpha (Jia et al., Section 5): which directions are lost, and what happens to their strengths."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal, greater
from theory.symbols import j

alpha = sp.Symbol("alpha", real=True)
s = sp.IndexedBase("s", nonnegative=True)
"""s[j]: the singular values of W, ascending."""
scaled = sp.IndexedBase("scaled", nonnegative=True)
"""scaled[j]: those of alpha W."""
rank, rank_scaled = sp.symbols("rank rank_scaled", integer=True, nonnegative=True)
end = sp.IndexedBase("end", nonnegative=True)
"""end[j]: the singular values of the whole network W^L ... W^1, descending."""
end_scaled = sp.IndexedBase("end_scaled", nonnegative=True)
"""end_scaled[j]: those of alpha_L W^L ... alpha_1 W^1."""
alpha_product = sp.Symbol("alpha_product", real=True)
"""alpha_1 ... alpha_L."""

SCALED = sp.Eq(scaled[j], sp.Abs(alpha) * s[j])
SAME_RANK = sp.Eq(rank_scaled, rank)
NONZERO = sp.Ne(alpha, 0)
UNCHANGED = sp.Eq(end_scaled[j], end[j])
BALANCED = sp.Eq(sp.Abs(alpha_product), 1)
TOTAL = sp.Eq(end_scaled[j], sp.Abs(alpha_product) * end[j])
PROPORTIONS = sp.Eq(end_scaled[j] * end[0], end_scaled[0] * end[j])
ANY = "W is any matrix, alpha any real number"

_v = sp.Symbol("v", nonnegative=True)
_TIMES_ALPHA = Step("(alpha W)^T (alpha W) = alpha^2 W^T W", equal((alpha * _v) ** 2, alpha**2 * _v**2))


@cache
def singular_values() -> Derivation:
    """The singular values of alpha W are |alpha| times those of W."""
    definition = sp.Eq(scaled[j], sp.sqrt(alpha**2 * s[j] ** 2))
    steps = (_TIMES_ALPHA, Step("their roots", equal(sp.sqrt(alpha**2 * s[j] ** 2), sp.Abs(alpha) * s[j])))
    return Derivation((SCALED,), (ANY,), steps, (definition,))


@cache
def directions() -> Derivation:
    """alpha W has the rank of W if alpha != 0, and rank 0 if alpha = 0."""
    nonzero, positive = sp.Symbol("alpha", nonzero=True, real=True), sp.Symbol("s", positive=True)
    steps = (
        *singular_values().steps,
        Step("|alpha| s_j > 0 where s_j > 0 and alpha != 0", greater(sp.Abs(nonzero) * positive, 0)),
        Step("|alpha| 0 = 0", equal(sp.Abs(nonzero) * 0, sp.Integer(0))),
    )
    return Derivation((sp.Implies(NONZERO, SAME_RANK),), (ANY,), steps)


@cache
def whole_network() -> Derivation:
    """The scalars commute with the matrices: all directions of the network are multiplied by |alpha_1 ... alpha_L|."""
    definitions = tuple(sp.Eq(end_scaled[k], sp.Abs(alpha_product) * end[k]) for k in (j, 0))
    steps = (
        *singular_values().steps,
        Step("alpha_2 W^2 alpha_1 W^1 = (alpha_1 alpha_2) W^2 W^1", equal(alpha * _v * alpha * _v, alpha**2 * _v**2)),
    )
    return Derivation((TOTAL, PROPORTIONS), (ANY,), steps, definitions)


@cache
def balanced() -> Derivation:
    """The network is unchanged if the alphas multiply to 1 or -1."""
    steps = (
        *whole_network().steps,
        Step("|alpha_1 ... alpha_L| = 1", equal(sp.Integer(1) * end[j], end[j])),
    )
    return Derivation((sp.Implies(BALANCED, UNCHANGED),), (ANY,), steps)
