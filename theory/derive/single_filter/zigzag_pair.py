"""The zig-zag of Schneider's Fig. 3: two samples X, X', and which of the words on it are true (Section 3.2).

e = w - w* is the error at the first update; w has crossed the normal of one sample but not of the other where the
residuals e.X and e.X' differ in sign. `per_sample` says that updates use one sample each, X and X' in turn; otherwise
they use the mean gradient of Eq. (1).
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater, less
from theory.derive.single_filter import theorem_1
from theory.derive.single_filter.zigzag import flip, flips
from theory.derive.single_filter.zigzag_samples import POSITIVE, X_next, dot, e, same_side
from theory.symbols import X, all_active, d, i, j, lam, steps

e_next = sp.IndexedBase("e_next", real=True)
"""The error after the first update."""
e_other = sp.IndexedBase("e_other", real=True)
"""The error at another start."""
w_star = sp.IndexedBase("w_star", real=True)
per_sample = sp.Symbol("per_sample")
progress, progress_other = sp.symbols("progress progress_other", real=True)
"""Mean over X and X' of |e|^2 - |e'|^2 for one update with that sample, from either start."""
changes, changes_other = sp.symbols("changes changes_other", nonnegative=True)
"""Sign changes of a run's gradients, over all coordinates, from w0 = alpha w* and from another start."""
cos_phi, sin_phi, cos_psi, sin_psi = sp.symbols("cos_phi sin_phi cos_psi sin_psi", positive=True)
"""Two pairs of unit samples, at angles +-phi and +-psi to w* = e0."""
contraction, contraction_wide = sp.symbols("contraction contraction_wide", nonnegative=True)
"""|e'|^2 / |e|^2 for a full-batch update at the best learning rate, of the pair at +-phi and of the one at +-psi."""

CROSSED = dot(e, X) * dot(e, X_next) < 0
"""w lies beyond the normal of one sample and not of the other."""
NOT_CROSSED_OTHER = dot(e_other, X) * dot(e_other, X_next) > 0
EQUAL_LENGTH = sp.Eq(dot(X, X), dot(X_next, X_next))
ADEQUATE = sp.And(2 * lam * dot(X, X) < 1, 2 * lam * dot(X_next, X_next) < 1)
SAME_DISTANCE = sp.Eq(dot(e, e), dot(e_other, e_other))
ALONG = sp.Eq(e[0] * w_star[1] - e[1] * w_star[0], 0)
"""The start is w0 = alpha w*."""


def _product(sample: sp.IndexedBase) -> sp.Expr:
    return w_star[0] * sample[0] + w_star[1] * sample[1]


def _turn(sample: sp.IndexedBase) -> sp.Expr:
    """(w*.X) (X_0 w*_1 - X_1 w*_0), whose sum over the samples vanishes where w* is an eigenvector of E[X X^T]."""
    return _product(sample) * (sample[0] * w_star[1] - sample[1] * w_star[0])


EIGENVECTOR = sp.Eq(_turn(X) + _turn(X_next), 0)
"""w* is an eigenvector of the samples' second moment: their weight is balanced around it (p = 2)."""

STRAIGHT = sp.Implies(same_side, sp.Eq(flips[j], 0))
ZIGZAG = sp.Implies(CROSSED, sp.Eq(flips[j], steps - 1))
_FLIPS_0_ONLY = sp.And(sp.Eq(flip[0], 1), sp.Eq(flip[i], 0))
RATE_ABOVE_BEST = lam * (1 + d[0] ** 2 + d[i] ** 2) >= 1
"""The learning rate is at least the best one for coordinates 0 and i, 1/(h_0 + h_i)."""
ZIGZAG_SLOWER = sp.Implies(_FLIPS_0_ONLY, sp.Abs(e_next[i]) * sp.Abs(e[0]) <= sp.Abs(e_next[0]) * sp.Abs(e[i]))
PROGRESS_LESS = sp.Implies(sp.And(CROSSED, NOT_CROSSED_OTHER), progress <= progress_other)
FEWEST = changes <= changes_other
WIDER_IS_FASTER = sp.Implies(sin_psi > sin_phi, contraction_wide <= contraction)

_residual, _gap = sp.symbols("r s", positive=True)


@cache
def straight_before_crossing() -> Derivation:
    """While all residuals have one sign, so have all coordinates of any gradient, if the samples' coordinates are > 0.

    The gradient is the mean of 2 r_n X_n over the samples of the update, r_n = e.X_n, whatever their number and order.
    """
    entry = sp.Symbol("x", positive=True)
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step("every summand r_n X_nj has the sign of the residuals", greater(2 * _residual * entry, 0)),
        Step("or the opposite one, with them", less(2 * (-_residual) * entry, 0)),
    )
    result = sp.Implies(sp.And(POSITIVE, same_side), sp.Eq(flips[j], 0))
    return Derivation(
        (result,), ("every sample is active", "y = w*.X", "positive coordinates"), steps_, needs=(all_active, POSITIVE)
    )


@cache
def zigzag_between_normals() -> Derivation:
    """With X and X' in turn, w between their normals stays there, and every coordinate changes sign at every update.

    The region e.X > 0 > e.X' is left by no update while 2 lam |X|^2 < 1: e.X shrinks and e.X' moves away from zero.
    """
    kappa, product, left = sp.symbols("kappa product t", positive=True)
    x, x_next = sp.symbols("x x_next", positive=True)
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step("e.X = r > 0 becomes (1 - 2 lam |X|^2) r = t r, t > 0", greater(left * _residual, 0)),
        Step(
            "e.X' = -s < 0 becomes -s - 2 lam (X.X') r, kappa = 2 lam",
            less(-_gap - kappa * product * _residual, 0),
        ),
        Step(
            "so coordinates go from the sign of r X_j to that of -s X'_j, and back",
            equal(sp.Abs(sp.sign(_residual * x) - sp.sign(-_gap * x_next)) / 2, 1),
        ),
    )
    result = sp.Implies(sp.And(per_sample, CROSSED), sp.Eq(flips[j], steps - 1))
    used = ("X and X' are used in turn, one per update", "positive coordinates", "2 lam |X|^2 < 1 for both", "active")
    return Derivation((result,), used, steps_, needs=(per_sample, all_active, POSITIVE, ADEQUATE))


@cache
def sign_and_speed() -> Derivation:
    """Full batch: the sign of rho_j = 1 - 2 lam h_j decides on zig-zag, its size on speed.

    If rho_0 < 0 <= rho_i then |rho_0| >= |rho_i| exactly where lam (h_0 + h_i) >= 1.
    """
    h_0, h_i = 1 + d[0] ** 2, d[i] ** 2
    excess = sp.Symbol("u", nonnegative=True)
    larger = (2 * lam * h_0 - 1) - (1 - 2 * lam * h_i)
    steps_ = (
        *theorem_1.contraction_order().steps,
        Step("-rho_0 - rho_i = 2 (lam (h_0 + h_i) - 1)", equal(larger, 2 * (lam * (h_0 + h_i) - 1))),
        Step(
            "not negative where lam (h_0 + h_i) = 1 + u, u >= 0",
            at_least(larger.subs(lam, (1 + excess) / (h_0 + h_i)), 0),
            certificate=2 * excess,
        ),
    )
    result = sp.Implies(sp.And(RATE_ABOVE_BEST, _FLIPS_0_ONLY), ZIGZAG_SLOWER.args[1])
    return Derivation((result,), (*theorem_1.USED, "lam (1 + d_0^2 + d_i^2) >= 1"), steps_, needs=(all_active,))


@cache
def progress_between_normals() -> Derivation:
    """Samples of length R at angles +-phi to their bisector, p = 2: E|e'|^2 = |e|^2 - 4 lam (1 - lam R^2) E[(e.X)^2].

    With e = (u, v) along and across the bisector, c = cos phi, s = sin phi, the mean of (e.X)^2 is
    R^2 (c^2 u^2 + s^2 v^2), and w lies between the normals where c^2 u^2 < s^2 v^2. At |e| = 1 that is u^2 < s^2, and
    the progress grows with u^2 as long as c >= s, which positive coordinates ensure (X.X' >= 0).
    """
    u, v, c, s, radius, kappa, r, a, b = sp.symbols("u v c s R kappa r a b", real=True)
    wide, ahead, room = sp.symbols("D t h", nonnegative=True)
    speed = sp.Symbol("kappa", positive=True)
    plus, minus = radius * (c * u + s * v), radius * (c * u - s * v)
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step(
            "|e - kappa r X|^2 with r = e.X, along X and across it",
            equal(
                (a - kappa * radius * r) ** 2 + b**2,
                a**2 + b**2 - 2 * kappa * radius * a * r + (kappa * radius * r) ** 2,
            ),
        ),
        Step(
            "a R = r: the decrease is kappa (2 - kappa R^2) r^2",
            equal(_decrease(kappa, radius, r), _expanded(kappa, radius, r)),
        ),
        Step("not negative for kappa R^2 < 1, 2 - kappa R^2 = 1 + h", at_least(speed * (1 + room) * r**2, 0)),
        Step("the product of the residuals", equal(plus * minus, radius**2 * (c**2 * u**2 - s**2 * v**2))),
        Step("their mean square", equal((plus**2 + minus**2) / 2, radius**2 * (c**2 * u**2 + s**2 * v**2))),
        Step(
            "at v^2 = 1 - u^2 it is s^2 + (c^2 - s^2) u^2",
            equal(c**2 * u**2 + s**2 * (1 - u**2), s**2 + (c**2 - s**2) * u**2),
        ),
        Step(
            "between the normals u^2 < s^2", equal((c**2 * u**2 - s**2 * (1 - u**2)).subs(c**2, 1 - s**2), u**2 - s**2)
        ),
        Step(
            "so a start on one side has u^2 larger by t, and D = c^2 - s^2 >= 0",
            at_least(wide * ahead, 0),
        ),
    )
    result = sp.Implies(sp.And(EQUAL_LENGTH, CROSSED, NOT_CROSSED_OTHER), progress <= progress_other)
    used = ("one sample per update, drawn at random", "p = 2, |e| = |e_other|", "X.X' >= 0", "|X| = |X'|, lam R^2 < 1")
    gains = (at_least(progress, 0), at_least(progress_other, 0))
    return Derivation((result, *gains), used, steps_, needs=(all_active, POSITIVE, ADEQUATE, SAME_DISTANCE))


def _decrease(kappa: sp.Expr, radius: sp.Expr, r: sp.Expr) -> sp.Expr:
    return 2 * kappa * r * r - (kappa * radius * r) ** 2


def _expanded(kappa: sp.Expr, radius: sp.Expr, r: sp.Expr) -> sp.Expr:
    return kappa * (2 - kappa * radius**2) * r**2


@cache
def along_the_optimum() -> Derivation:
    """Full batch from w0 = alpha w*, w* an eigenvector of H: e_k = (1 - 2 lam h)^k e_0, no coordinate changes sign.

    With one sample per update, or w* no eigenvector, the first update already leaves the line of w*, and w may cross a
    normal later: then some other start has fewer changes.
    """
    before = sp.Symbol("g", real=True)
    keeps = sp.Symbol("t", positive=True)
    moved = [(_product(X) * X[k] + _product(X_next) * X_next[k]) / 2 for k in (0, 1)]
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step(
            "H w* is parallel to w* where the turns of the samples cancel",
            equal(moved[0] * w_star[1] - moved[1] * w_star[0], (_turn(X) + _turn(X_next)) / 2),
        ),
        Step(
            "then g' = (1 - 2 lam h) g = t g, t > 0: no coordinate changes",
            equal(sp.sign(keeps * before), sp.sign(before)),
        ),
        Step("and no run has fewer", at_least(changes_other, 0)),
    )
    balanced = sp.And(sp.Not(per_sample), EIGENVECTOR)
    result = (sp.Implies(balanced, sp.Eq(changes, 0)), sp.Implies(balanced, FEWEST))
    used = ("full batch, every sample active", "w* is an eigenvector of E[X X^T]", "2 lam h < 1")
    return Derivation(result, used, steps_, needs=(all_active, ADEQUATE, ALONG))


@cache
def wide_angles() -> Derivation:
    """Unit samples at +-phi to w*: H = diag(cos^2 phi, sin^2 phi), and the best rate, 1, contracts by |cos 2 phi|.

    Below it the flat direction is slower, above it the steep one. A wider pair is faster exactly while the two angles
    together are at most 90 degrees. The same factor holds per update for the samples in
    turn at 2 lam = 1, where every update is a projection onto a sample's normal.
    """
    c, s, t = sp.symbols("c s t", positive=True)
    kappa, product = sp.symbols("kappa g", real=True)
    in_turn = sp.Matrix([[1, -kappa * product], [0, 1 - kappa]]) * sp.Matrix([[1 - kappa, 0], [-kappa * product, 1]])
    small, large = sp.symbols("s_phi u", positive=True)
    wide = sp.Symbol("D", nonnegative=True)
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step("the second moment off the diagonal, from (c, s) and (c, -s)", equal((c * s + c * (-s)) / 2, 0)),
        Step("h_0 + h_1 = 1", equal((c**2 + s**2).subs(c**2, 1 - s**2), 1)),
        Step("at lam = 1, 1 - 2 h_0 = s^2 - c^2", equal((1 - 2 * c**2).subs(c**2, 1 - s**2), 2 * s**2 - 1)),
        Step("and 1 - 2 h_1 is its negative", equal(1 - 2 * s**2, -(2 * s**2 - 1))),
        Step("the squared contraction (1 - 2 s^2)^2", equal((1 - 2 * s**2) ** 2, 1 - 4 * s**2 * (1 - s**2))),
        Step(
            "falls as s grows to u, by 4 (u^2 - s^2)(1 - s^2 - u^2)",
            equal(4 * large**2 * (1 - large**2) - 4 * small**2 * (1 - small**2), _fall(small, large)),
        ),
        Step("not negative while D = cos^2 phi - u^2 >= 0, phi + psi <= 90 degrees", at_least(4 * t * wide, 0)),
        Step(
            "in turn at 2 lam = 1 an epoch contracts by g^2, g = cos 2 phi",
            equal(in_turn.subs(kappa, 1).trace(), product**2),
        ),
        Step("its other factor is 0", equal(in_turn.subs(kappa, 1).det(), 0)),
    )
    result = sp.Implies(sp.And(cos_phi >= sin_psi, sin_psi > sin_phi), contraction_wide <= contraction)
    exact = (
        sp.Eq(contraction, (cos_phi**2 - sin_phi**2) ** 2),
        sp.Eq(contraction_wide, (cos_psi**2 - sin_psi**2) ** 2),
    )
    return Derivation((result, *exact), ("unit samples at +-phi to w*, p = 2", "active"), steps_)


def _fall(small: sp.Expr, large: sp.Expr) -> sp.Expr:
    return 4 * (large**2 - small**2) * (1 - small**2 - large**2)
