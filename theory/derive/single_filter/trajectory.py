"""Closed-form trajectories: Theorem 1 iterated, and the same for any sample set (X-TRAJ, X-ANY).

While every sample is active the update is affine, w' - w* = (I - 2 lam H)(w - w*) with H = E[X X^T]. Theorem 1 is the
case in which H is diagonal, diag(1 + d_0^2, d_1^2, ...); any samples with these second moments will do, and a rotation
of the samples carries it to any frame.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_most, equal, greater
from theory.derive.single_filter.theorem_1 import TRUE_E3, TRUE_E4, steepest_first, theorem_1, w_next
from theory.symbols import H, all_active, d, gap, i, j, lam, n, over_all, p, steps, w, w0_star, w_star

w_end = sp.IndexedBase("w_end", real=True)
"""The weights after `steps` updates."""
h = sp.IndexedBase("h", real=True, nonnegative=True)
"""h[j]: the eigenvalues of H, ascending."""
mode = sp.IndexedBase("mode", real=True)
"""mode[j]: the component of w - w* along the j-th eigenvector of H."""
mode_end = sp.IndexedBase("mode_end", real=True)
"""The same after `steps` updates."""
rotated_next = sp.IndexedBase("rotated_next", real=True)
"""The weights after one update on the samples Q X from the start Q w."""
Q = sp.IndexedBase("Q", real=True)
count = sp.IndexedBase("count", integer=True, nonnegative=True)
"""count[i]: the number of updates after which |w_i| <= tol for the first time (observed)."""
tol = sp.Symbol("tol", positive=True)
worst = sp.Symbol("worst", nonnegative=True)
"""The largest factor |e_j'| / |e_j| by which an update multiplies an error coordinate (observed)."""
h_min = sp.Symbol("h_min", positive=True)
"""min_i d_i^2 over i > 0."""

ACTIVE = "every sample is active at every update (X-ACT gives regions where that is so)"

TRAJECTORY = sp.And(
    sp.Eq(w_end[0] - w0_star, (1 - 2 * lam * (1 + d[0] ** 2)) ** steps * (w[0] - w0_star)),
    sp.Eq(w_end[i], (1 - 2 * lam * d[i] ** 2) ** steps * w[i]),
)
"""w_0 - w*_0 and w_i after k updates of the true rule."""
STEP_COUNT = sp.log(tol / sp.Abs(w[i])) / sp.log(sp.Abs(1 - 2 * lam * d[i] ** 2))
"""|w_i| <= tol from the update number ceil(STEP_COUNT) on."""
LARGEST_STABLE = 1 / (1 + d[0] ** 2)
"""Learning rates below it, and only those, converge while all samples are active."""
BEST_RATE = 1 / (1 + d[0] ** 2 + h_min)
"""The learning rate with the smallest worst factor, (kappa - 1)/(kappa + 1)."""
CONDITION_NUMBER = (1 + d[0] ** 2) / h_min
BEST_FACTOR = (1 + d[0] ** 2 - h_min) / (1 + d[0] ** 2 + h_min)
ANY_UPDATE = sp.Eq(w_next[j], w[j] + 2 * lam * over_all(H[j, n] * (w_star[n] - w[n])))
ANY_TRAJECTORY = sp.Eq(mode_end[j], (1 - 2 * lam * h[j]) ** steps * mode[j])


@cache
def trajectory() -> Derivation:
    """w_0 - w*_0 and w_i are multiplied at each update by 1 - 2 lam (1 + d_0^2) and 1 - 2 lam d_i^2."""
    rho_0, rho_i = 1 - 2 * lam * (1 + d[0] ** 2), 1 - 2 * lam * d[i] ** 2
    lines = (
        *theorem_1().steps,
        Step("no update: the identity", equal(rho_0**0 * gap, gap)),
        Step("one update of w_0 (Eq. 3)", equal(TRUE_E3.rhs - w0_star, rho_0 * (w[0] - w0_star))),
        Step("one update of w_i (the true Eq. 4)", equal(TRUE_E4.rhs, rho_i * w[i])),
        Step("after k and one more", equal(rho_i * rho_i**steps, rho_i ** (steps + 1))),
    )
    return Derivation((TRAJECTORY,), (ACTIVE,), lines)


@cache
def step_count() -> Derivation:
    """|rho|^k |w_i| <= tol exactly if k >= log(tol/|w_i|) / log|rho|, since log|rho| < 0."""
    size, rho = sp.symbols("s rho", positive=True)
    k = sp.log(tol / size) / sp.log(rho)
    lines = (
        *trajectory().steps,
        Step(
            "at k = log(tol/|w_i|)/log|rho| the tolerance is met with equality",
            equal(sp.expand_log(sp.log(size) + k * sp.log(rho), force=True), sp.log(tol)),
        ),
    )
    result = sp.And(sp.Ge(count[i], STEP_COUNT), sp.Lt(count[i] - 1, STEP_COUNT))
    return Derivation(
        (result,), (ACTIVE, "0 < |rho_i| < 1", "|w_i| > tol at the start"), lines, needs=(sp.Gt(sp.Abs(w[i]), tol),)
    )


@cache
def stable_rates() -> Derivation:
    """The gap w*_0 - w_0 shrinks exactly if lam (1 + d_0^2) < 1; that coordinate is the steepest."""
    x, rest = sp.symbols("x x_rest", positive=True)
    lines = (
        *theorem_1().steps,
        Step(
            "the factor is 1 - 2 x, x = lam (1 + d_0^2)",
            equal(w0_star - TRUE_E3.rhs, (1 - 2 * lam * (1 + d[0] ** 2)) * gap),
        ),
        Step("1 - (1 - 2 x)^2 = 4 x (1 - x)", equal(1 - (1 - 2 * x) ** 2, 4 * x * (1 - x))),
        Step("positive for x < 1 (x_rest = 1 - x)", greater(4 * x * rest, 0)),
        Step("not positive for x = 1 + s >= 1", at_most(4 * (1 + rest) * (-rest), 0)),
        *steepest_first(),
    )
    shrinks = sp.Lt(sp.Abs(w_next[0] - w0_star), sp.Abs(gap))
    return Derivation(
        (sp.Equivalent(shrinks, sp.Lt(lam * (1 + d[0] ** 2), 1)),),
        ("every sample is active", "w_0 != w*_0"),
        lines,
        needs=(all_active, sp.Gt(sp.Abs(gap), 0)),
    )


@cache
def best_rate() -> Derivation:
    """max_j |1 - 2 lam h_j| >= (kappa - 1)/(kappa + 1), with equality at lam = 1/(h_max + h_min)."""
    top, bottom, x = sp.symbols("h_top h_bottom x", positive=True)
    # worst >= 1 - 2 lam h_min and worst >= 2 lam h_max - 1; the weighted mean of the two does not depend on lam
    mean = (top * (1 - x * bottom) + bottom * (x * top - 1)) / (top + bottom)
    lines = (
        *theorem_1().steps,
        Step(
            "the mean of 1 - 2 lam h_min and 2 lam h_max - 1 with weights h_max, h_min",
            equal(mean, (top - bottom) / (top + bottom)),
        ),
        Step(
            "at 2 lam = 2/(h_max + h_min) the first equals it",
            equal(1 - 2 / (top + bottom) * bottom, (top - bottom) / (top + bottom)),
        ),
        Step("and so does the second", equal(2 / (top + bottom) * top - 1, (top - bottom) / (top + bottom))),
        Step("in terms of kappa", equal((top / bottom - 1) / (top / bottom + 1), (top - bottom) / (top + bottom))),
    )
    at_best = sp.Implies(sp.Eq(lam * (1 + d[0] ** 2 + h_min), 1), sp.Eq(worst, BEST_FACTOR))
    return Derivation(
        (sp.Ge(worst, BEST_FACTOR), at_best),
        ("every sample is active", "d_i > 0 for all i > 0"),
        lines,
        needs=(all_active,),
    )


@cache
def any_update() -> Derivation:
    """w' = w + 2 lam H (w* - w) for any samples, all active: only their second moments matter."""
    X, e = sp.IndexedBase("X", real=True), sp.IndexedBase("e", real=True)
    one_sample = over_all(e[n] * X[n])
    diagonal = over_all(sp.KroneckerDelta(j, n) * h[j] * e[n])
    lines = (
        Step(
            "the gradient of one sample is linear in the products X_n X_j",
            equal(sp.expand(2 * one_sample * X[j]), 2 * sp.expand(one_sample * X[j])),
        ),
        Step(
            "Theorem 1 is the diagonal case: sum_n delta_jn h_j e_n = h_j e_j",
            equal(deltasummation(diagonal.function, (n, 0, p - 1), no_piecewise=True), h[j] * e[j]),
        ),
    )
    return Derivation((ANY_UPDATE,), ("every sample is active", "y = w*.X"), lines)


@cache
def any_trajectory() -> Derivation:
    """Along an eigenvector q of H with eigenvalue h_j the error is multiplied by 1 - 2 lam h_j at each update."""
    along = sp.Symbol("a", real=True)
    rho = 1 - 2 * lam * h[j]
    lines = (
        *any_update().steps,
        Step(
            "q.(I - 2 lam H) e = (1 - 2 lam h_j) q.e, since q.H = h_j q",
            equal(along - 2 * lam * h[j] * along, rho * along),
        ),
        Step("after k and one more", equal(rho * rho**steps, rho ** (steps + 1))),
    )
    return Derivation((ANY_TRAJECTORY,), (ACTIVE, "y = w*.X"), lines)


@cache
def rotation() -> Derivation:
    """Descent commutes with orthogonal maps: on samples Q X with targets (Q w*).(Q X) it runs through Q w."""
    angle, x, y, r = sp.symbols("angle x y r", real=True)
    lines = (
        Step(
            "orthogonal maps keep inner products: for a turn in a plane",
            equal(
                (sp.cos(angle) * x - sp.sin(angle) * y) ** 2 + (sp.sin(angle) * x + sp.cos(angle) * y) ** 2, x**2 + y**2
            ),
        ),
        Step(
            "so (Qw).(QX) = w.X: the same samples are active, with the same residual r; and r QX = Q (r X)",
            equal(over_all(Q[j, n] * (r * w[n])), over_all(r * Q[j, n] * w[n])),
        ),
    )
    result = sp.Eq(rotated_next[j], over_all(Q[j, n] * w_next[n]))
    return Derivation((result,), ("Q is orthogonal",), lines)


@cache
def same_moments() -> Derivation:
    """Eqs. (3) and (4) hold on any samples with the grid's second moments, such as p + 1 rows of a Hadamard matrix."""
    e = sp.IndexedBase("e", real=True)
    row_0 = 2 * lam * (1 + d[0] ** 2) * e[0]
    lines = (
        *any_update().steps,
        Step("row 0 of H is (1 + d_0^2, 0, ...)", equal(row_0.subs(e[0], gap), TRUE_E3.rhs - w[0])),
        Step("row i is d_i^2 at i, 0 elsewhere", equal(w[i] - 2 * lam * d[i] ** 2 * w[i], TRUE_E4.rhs)),
    )
    return Derivation((sp.And(TRUE_E3, TRUE_E4),), ("every sample is active", "second moments of the grid"), lines)
