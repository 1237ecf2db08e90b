"""Assumption 2 of Theorem 1 loosened: samples that are not symmetric around w* (Schneider, Section 3.2).

With every sample active and y = w*.X, Eq. (1) is w' = w + 2 lam H (w* - w), H = E[X X^T], whatever the samples. A
coordinate with two values is mean_j +- d_j, so an asymmetric grid is the symmetric one about another centre, and
H = mean mean^T + diag(d^2); the symmetric grid has mean = e0. Speed is read off the eigenvalues of H, the "rates": the
error along an eigenvector of rate h is multiplied by 1 - 2 lam h in each update, and in the long run the slowest
decides. Noisy targets are in `loosened_targets`, inactive samples in `loosened_active`.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater, less
from theory.derive.single_filter.theorem_1 import TRUE_E3, TRUE_E4, steepest_first, w_next
from theory.symbols import a, all_active, coordinate, d, gap, grid_expectation, i, j, lam, m, over, p, w

mean = sp.IndexedBase("mean", real=True)
"""mean[j] = E[X_j]: the two values of coordinate j are mean[j] +- d[j]."""
w_star = sp.IndexedBase("w_star", real=True)
"""The optimum w*, in any direction."""
H = sp.IndexedBase("H", real=True)
"""The second moments E[X_j X_k] of the samples."""
fastest, slowest = sp.symbols("fastest slowest", nonnegative=True)
"""The largest and the smallest eigenvalue of H."""
trace = sp.Symbol("trace", nonnegative=True)
"""The sum of the eigenvalues of H."""
narrowest = sp.Symbol("narrowest", nonnegative=True)
"""min_j H_jj: the slowest rate of uncorrelated samples with the same E[X_j^2]."""
gain, gain_mirrored = sp.symbols("gain gain_mirrored", real=True)
"""(w*_0 - w_0) times what a shift of the grid by mean_i, i > 0, or by -mean_i, adds to the update of w_0."""
farther = sp.Symbol("farther")
"""The mean distance of the samples to w is larger than for the symmetric grid of the same half-widths."""
closer = sp.Symbol("closer")
"""One update brings w closer to w* than it does on the symmetric grid of the same half-widths."""
rate_up, rate_down = sp.symbols("rate_up rate_down")
"""The smallest eigenvalue of H is larger, or smaller, than for the symmetric grid of the same half-widths."""

n = sp.Symbol("n", integer=True, nonnegative=True)
"""A second summation index."""

ALL_ACTIVE = "every sample is active (w.X > 0)"
GRID = "independent coordinates with the two values mean_j +- d_j"
ALONG_E0 = "w* = (w*_0, 0, ..., 0)"


def total(body: sp.Expr) -> sp.Expr:
    """The sum of an expression over the index m from 0 to p - 1."""
    return sp.Sum(body, (m, 0, p - 1))


RESIDUAL_TERMS = sp.Eq(
    w_next[j],
    w[j] + 2 * lam * (d[j] ** 2 * (w_star[j] - w[j]) + mean[j] * total(mean[m] * (w_star[m] - w[m]))),
)
GAIN = -2 * lam * gap * over(mean[m] * w[m])
TRICHOTOMY = sp.And(sp.Equivalent(rate_up, d[0] > d[1]), sp.Equivalent(rate_down, d[0] < d[1]))
SPREAD = sp.And(slowest <= H[j, j], fastest >= H[j, j], sp.Eq(trace, total(H[m, m])))
WEAK = sp.Le(4 * (sp.Sum(H[m, n] ** 2, (m, 0, p - 1), (n, 0, p - 1)) - total(H[m, m] ** 2)), narrowest**2)
"""4 sum_{j != k} H_jk^2 <= (min_j H_jj)^2."""
WEAK_PAIR = sp.Le(4 * H[0, 1] ** 2, H[1, 1] * (2 * H[0, 0] - H[1, 1]))
"""Two weights, H_00 >= H_11: exactly then the slowest rate is at least H_11/2."""


def decrease(*, shifted: bool) -> sp.Expr:
    """(|w* - w|^2 - |w* - w'|^2)/(4 lam) = E[r^2] - lam |E[r X]|^2, r = (w* - w).X, w* = (w*_0, 0, ...), E[X_0] = 1."""
    level = gap - over(mean[m] * w[m]) if shifted else gap
    pulls = (mean[m] * level if shifted else 0) - d[m] ** 2 * w[m]
    energy = level**2 + d[0] ** 2 * gap**2 + over(d[m] ** 2 * w[m] ** 2)
    return energy - lam * ((d[0] ** 2 * gap + level) ** 2 + over(pulls**2))


FIRST_UPDATE = sp.Equivalent(closer, decrease(shifted=True) > decrease(shifted=False))


@cache
def residual_terms() -> Derivation:
    """w_j' = w_j + 2 lam (d_j^2 e_j + mean_j sum_k mean_k e_k), e = w* - w: one update on an asymmetric grid.

    On the symmetric grid mean_j mean_k vanishes but for j = k = 0; what is left over are the residual terms.
    """
    first, other, another = coordinate(sp.Integer(0)), mean[i] + a[i], mean[m] + a[m]
    residual = total((w_star[m] - w[m]) * another)
    moved = w[j] + lam * grid_expectation(2 * residual * (mean[j] + a[j]))
    proof = (
        Step("E[X_0 X_i] where E[X_0] = 1: not 0 as in Theorem 1", equal(grid_expectation(first * other), mean[i])),
        Step(
            "E[X_i X_m]: likewise, unless m = i",
            equal(grid_expectation(other * another), mean[i] * mean[m] + d[i] ** 2 * sp.KroneckerDelta(i, m)),
        ),
        Step("E[X_i^2]", equal(grid_expectation(other**2), mean[i] ** 2 + d[i] ** 2)),
        Step("the mean of 2 r X_j, put into Eq. (1)", equal(moved, RESIDUAL_TERMS.rhs)),
    )
    used = (ALL_ACTIVE, GRID, "y = w*.X")
    return Derivation((RESIDUAL_TERMS,), used, proof, (sp.Eq(w_next[j], moved),))


@cache
def faster_or_slower() -> Derivation:
    """A shift adds -2 lam sum_{i>0} mean_i w_i to the update of w_0, and the mirrored shift the opposite."""

    def change(sign: int) -> sp.Expr:
        samples = sign * mean[m] + a[m]
        residual = gap * coordinate(sp.Integer(0)) - over(w[m] * samples)
        update = 2 * lam * grid_expectation(residual * coordinate(sp.Integer(0)))
        return gap * (w[0] + update - TRUE_E3.rhs)

    proof = (
        Step("what the shift adds to Eq. (3), times w*_0 - w_0", equal(change(1), GAIN)),
        Step("and the mirrored shift", equal(change(-1), -GAIN)),
    )
    result = sp.And(sp.Eq(gain, GAIN), sp.Eq(gain_mirrored, -GAIN))
    used = (f"{ALL_ACTIVE}, on all three grids", ALONG_E0, GRID, "E[X_0] = 1")
    return Derivation(
        (result,), used, proof, (sp.Eq(gain, change(1)), sp.Eq(gain_mirrored, change(-1))), needs=(all_active,)
    )


@cache
def first_update() -> Derivation:
    """One update comes closer to w* than on the symmetric grid exactly if E[r^2] - lam |E[r X]|^2 is larger."""
    e, g = (sp.IndexedBase(name, real=True) for name in "eg")
    level = sp.Symbol("s", real=True)
    pulled = d[m] ** 2 * e[m] + mean[m] * level
    proof = (
        *residual_terms().steps,
        Step(
            "e' = e - 2 lam g, g = H e = E[r X]",
            equal(
                total(e[m] ** 2) - total((e[m] - 2 * lam * g[m]) ** 2),
                4 * lam * (total(e[m] * g[m]) - lam * total(g[m] ** 2)),
            ),
        ),
        Step(
            "e.g with s = mean.e",
            equal(total(e[m] * pulled), total(d[m] ** 2 * e[m] ** 2) + level * total(mean[m] * e[m])),
        ),
        _energy(e, level),
        Step("on the symmetric grid g_i is", equal((TRUE_E4.rhs - w[i]) / (2 * lam), -(d[i] ** 2) * w[i])),
    )
    return Derivation(
        (FIRST_UPDATE,), (f"{ALL_ACTIVE}, on both grids", ALONG_E0, GRID, "E[X_0] = 1"), proof, needs=(all_active,)
    )


def _energy(e: sp.IndexedBase, level: sp.Symbol) -> Step:
    return Step(
        "e.H e = E[(e.X)^2] = s^2 + sum d_k^2 e_k^2, s = mean.e",
        equal(grid_expectation((level + total(e[m] * a[m])) ** 2), level**2 + total(d[m] ** 2 * e[m] ** 2)),
    )


@cache
def slowest_mode() -> Derivation:
    """A shift with mean_1 != 0 of a grid that is narrowest along e1 raises its slowest rate d_1^2 exactly if d_0 > d_1.

    It lowers it exactly if d_0 < d_1 and keeps it if d_0 = d_1. Neither w nor any distance to w enters.
    """
    e, level = sp.IndexedBase("e", real=True), sp.Symbol("s", real=True)
    shift, part, rise, fall = sp.symbols("t x u_plus u_minus", positive=True)
    rest = sp.Symbol("c", nonnegative=True)
    proof = (
        _energy(e, level),
        Step(
            "subtract d_1^2 |e|^2",
            equal(
                total(d[m] ** 2 * e[m] ** 2) - d[1] ** 2 * total(e[m] ** 2), total((d[m] ** 2 - d[1] ** 2) * e[m] ** 2)
            ),
        ),
        # on the symmetric grid d_1^2 is the slowest rate
        *steepest_first(sp.Integer(1)),
        Step("d_k > d_1 for k != 1: any e with such an e_k != 0 is above d_1^2", greater(rise * part**2 + rest, 0)),
        Step("and e = x e1 is above it through s = mean_1 x", greater((shift * part) ** 2, 0)),
        Step("d_0 <= d_1: e = (mean_1, -mean_0, 0, ...) has s = 0", equal(mean[0] * mean[1] + mean[1] * -mean[0], 0)),
        Step("if d_0^2 = d_1^2 - u, u > 0, it is below", less(-fall * shift**2, 0)),
        Step("if d_0 = d_1 it is at d_1^2, and none is below", at_least(level**2 + rest, 0)),
    )
    return Derivation(
        (TRICHOTOMY,), ("mean_1 != 0", "d_1 <= 1, d_1 < d_i for i > 1", GRID), proof, needs=(sp.Ne(mean[1], 0),)
    )


@cache
def spread_of_rates() -> Derivation:
    """slowest <= H_jj <= fastest for every j, and the rates sum to sum_j H_jj, for any samples.

    Uncorrelated samples have the rates H_jj. Whatever correlates them, at the same second moments, cannot raise the
    slowest rate (Courant and Fischer, with unit vectors as trial vectors).
    """
    q, rate = (sp.IndexedBase(name, real=True) for name in ("q", "rate"))
    excess = sp.IndexedBase("excess", real=True, nonnegative=True)
    proof = (
        Step(
            "H_jj = sum_k rate_k q_kj^2, sum_k q_kj^2 = 1: with rate_k = slowest + excess_k",
            equal(total((slowest + excess[m]) * q[m] ** 2) - slowest * total(q[m] ** 2), total(excess[m] * q[m] ** 2)),
        ),
        Step("H_jj is at least slowest", at_least(total(excess[m] * q[m] ** 2), 0)),
        Step(
            "with rate_k = fastest - excess_k",
            equal(fastest * total(q[m] ** 2) - total((fastest - excess[m]) * q[m] ** 2), total(excess[m] * q[m] ** 2)),
        ),
        Step(
            "in sum_j H_jj each rate counts sum_j q_kj^2 = 1 times",
            equal(total(rate[n] * q[m] ** 2), rate[n] * total(q[m] ** 2)),
        ),
    )
    return Derivation((SPREAD,), ("the all-active Hessian is 2 H, H symmetric",), proof)


def cauchy_schwarz(x: sp.IndexedBase, y: sp.IndexedBase) -> tuple[Step, ...]:
    """(sum x_m y_m)^2 <= sum x_m^2 sum y_m^2, from sum (C x_m - B y_m)^2 >= 0 with B = sum x_m y_m, C = sum y_m^2."""
    A, B = sp.symbols("A B", real=True)
    C = sp.Symbol("C", positive=True)
    square = total((C * x[m] - B * y[m]) ** 2)
    return (
        Step(
            "Cauchy and Schwarz: expand the square",
            equal(square, C**2 * total(x[m] ** 2) - 2 * B * C * total(x[m] * y[m]) + B**2 * total(y[m] ** 2)),
        ),
        Step("with A = sum x_m^2 it is", equal(C**2 * A - 2 * B * C * B + B**2 * C, C * (A * C - B**2))),
        Step("and not negative", at_least(square, 0)),
    )


@cache
def small_if_weakly_correlated() -> Derivation:
    """slowest >= min_j H_jj - R, R^2 = sum_{j != k} H_jk^2: at least half of min_j H_jj if 2 R <= min_j H_jj."""
    x, y = (sp.IndexedBase(name, real=True) for name in "xy")
    R, spare = sp.symbols("R u", nonnegative=True)
    proof = (
        *spread_of_rates().steps,
        *cauchy_schwarz(x, y),
        Step("for |e| = 1, e.H e >= min_j H_jj - R; with min_j H_jj = 2 R + u", equal(2 * R + spare - R, R + spare)),
        Step("that is at least half of it", at_least(R + spare, (2 * R + spare) / 2), certificate=spare / 2),
    )
    return Derivation((sp.Implies(WEAK, sp.Ge(slowest, narrowest / 2)),), ("H is symmetric",), proof)


@cache
def small_for_two_weights() -> Derivation:
    """p = 2, H_00 >= H_11: slowest >= H_11/2 exactly if 4 H_01^2 <= H_11 (2 H_00 - H_11).

    Of the slowest rate H_01^2/(H_00 - slowest) is lost: second order in the asymmetry, but up to all of it.
    """
    rate, x, y = sp.symbols("h x y", real=True)
    A = H[0, 0] - H[1, 1] / 2
    form = A * x**2 + 2 * H[0, 1] * x * y + H[1, 1] / 2 * y**2
    spare = sp.Symbol("u", nonnegative=True)
    proof = (
        Step(
            "a rate h is a root of (H_00 - h)(H_11 - h) - H_01^2",
            equal(
                sp.Matrix([[H[0, 0] - rate, H[0, 1]], [H[0, 1], H[1, 1] - rate]]).det(),
                (H[0, 0] - rate) * (H[1, 1] - rate) - H[0, 1] ** 2,
            ),
        ),
        Step(
            "e.(H - H_11/2) e times A = H_00 - H_11/2, completed to a square",
            equal(A * form, (A * x + H[0, 1] * y) ** 2 + (A * H[1, 1] / 2 - H[0, 1] ** 2) * y**2),
        ),
        Step(
            "the last bracket",
            equal(4 * (A * H[1, 1] / 2 - H[0, 1] ** 2), H[1, 1] * (2 * H[0, 0] - H[1, 1]) - 4 * H[0, 1] ** 2),
        ),
        Step("not negative if that is u >= 0, and negative at A x = -H_01 y else", at_least(x**2 + spare * y**2, 0)),
    )
    return Derivation((sp.Implies(WEAK_PAIR, sp.Ge(slowest, H[1, 1] / 2)),), ("p = 2", "H_00 >= H_11"), proof)
