"""Which samples are active: exact O(p) conditions, and regions that a trajectory never leaves.

Over the grid w.X = w_0 (1 + a_0) + sum_{i>0} w_i a_i is linear in each a_k on its own, so its extremes are taken
coordinate by coordinate: w_k a_k lies between -|w_k| d_k and +|w_k| d_k, and both ends occur.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.logic.boolalg import Boolean

from theory.derivation import Derivation, Step, at_least, at_most, equal, greater
from theory.derive.single_filter.theorem_1 import TRUE_E3, TRUE_E4, steepest_first, theorem_1, w_next
from theory.symbols import all_active, d, i, j, lam, m, over, w, w0_star

dead = sp.Symbol("dead")
"""No sample has w.X > 0 (observed by enumeration)."""
all_active_next = sp.Symbol("all_active_next")
"""Every sample is active after the update (observed by enumeration)."""
nonnegative = sp.Symbol("nonnegative")
"""Every w_j >= 0."""
distance = sp.Symbol("distance", nonnegative=True)
"""|w - w*|^2."""
Q = sp.IndexedBase("Q", real=True)
"""An orthogonal matrix that takes the frame of the grid to the frame of the pixels."""
least = sp.IndexedBase("least", real=True)
"""least[j]: the smallest value of pixel j over all samples Q X."""
least_target = sp.Symbol("least_target", real=True)
"""The smallest target y = w*.X over all samples."""

ALL_ACTIVE = sp.Gt(w[0] * (1 - d[0]), over(sp.Abs(w[m]) * d[m]))
"""w_0 (1 - d_0) > sum_{i>0} |w_i| d_i."""
DEAD = sp.And(sp.Le(w[0], 0), sp.Ge(-w[0] * (1 - d[0]), over(sp.Abs(w[m]) * d[m])))
"""w_0 <= 0 and -w_0 (1 - d_0) >= sum_{i>0} |w_i| d_i."""
PIXEL_POSITIVE = sp.Gt(Q[j, 0] * (1 - d[0]), over(sp.Abs(Q[j, m]) * d[m]))
"""Q_j0 (1 - d_0) > sum_{i>0} |Q_ji| d_i: pixel j of every sample is positive."""


def slow_region(weights: sp.IndexedBase) -> Boolean:
    """sum_{i>0} |w_i| d_i < (1 - d_0) min(w_0, w*_0): never left if 2 lam (1 + d_0^2) <= 1."""
    return sp.Lt(over(sp.Abs(weights[m]) * d[m]), (1 - d[0]) * sp.Min(weights[0], w0_star))


def stable_region(weights: sp.IndexedBase) -> Boolean:
    """sum_{i>0} |w_i| d_i < (1 - d_0)(w*_0 - |w_0 - w*_0|): never left at any stable learning rate."""
    return sp.Lt(over(sp.Abs(weights[m]) * d[m]), (1 - d[0]) * (w0_star - sp.Abs(weights[0] - w0_star)))


def trap(weights: sp.IndexedBase) -> Boolean:
    """p = 2, d_0 = 0: one side of the grid is inactive, and the active side is answered with at least its target."""
    reach = sp.Abs(weights[1]) * d[1]
    return sp.And(sp.Le(weights[0] - reach, 0), sp.Ge(weights[0] + reach, w0_star))


_size, _a0, _rest = sp.symbols("s q r", nonnegative=True)


@cache
def all_active_condition() -> Derivation:
    """Every sample is active exactly if w_0 (1 - d_0) > sum_{i>0} |w_i| d_i."""
    u, positive = sp.Symbol("u", nonnegative=True), sp.Symbol("w_plus", positive=True)
    steps = (
        *_extremes(),
        Step("for w_0 > 0 the least w.X is", equal(positive - positive * d[0] - _rest, positive * (1 - d[0]) - _rest)),
        Step(
            "for w_0 = -s <= 0 it is -s (1 + d_0) - r, never positive",
            at_most(-_size - _size * d[0] - _rest, 0),
        ),
        Step(
            "and the condition fails there as well, with u = 1 - d_0 >= 0",
            at_most(-_size * u - _rest, 0),
        ),
    )
    return Derivation((sp.Equivalent(all_active, ALL_ACTIVE),), ("0 <= d <= 1",), steps)


@cache
def dead_condition() -> Derivation:
    """No sample is active exactly if w_0 <= 0 and -w_0 (1 - d_0) >= sum_{i>0} |w_i| d_i."""
    positive = sp.Symbol("w_plus", positive=True)
    steps = (
        *_extremes(),
        Step("for w_0 > 0 the greatest w.X is positive", greater(positive + positive * d[0] + _rest, 0)),
        Step(
            "for w_0 = -s <= 0 it is r - s (1 - d_0)", equal(-_size + _size * d[0] + _rest, _rest - _size * (1 - d[0]))
        ),
    )
    return Derivation((sp.Equivalent(dead, DEAD),), ("0 <= d <= 1",), steps)


def _extremes() -> tuple[Step, ...]:
    return (
        Step("w_k a_k, a_k = +-d_k, is -|w_k| d_k where the signs differ", equal(_size * -d[i], -sp.Abs(_size * d[i]))),
        Step("and |w_k| d_k where they agree", equal(-_size * -d[i], sp.Abs(-_size * d[i]))),
        Step("which is no less", at_least(_size * d[i], -_size * d[i]), 2 * _size * d[i]),
    )


@cache
def dead_stays() -> Derivation:
    """A dead filter does not move, and it is not w* (Eq. 2; the "dead ReLU")."""
    target, shift = sp.Symbol("w_star_plus", positive=True), sp.Integer(0)
    steps = (
        *dead_condition().steps,
        Step("Eq. (2) is 0 for every sample, so Eq. (1) adds nothing", equal(w[j] - lam * shift, w[j])),
        Step("w_0 = -s <= 0 < w*_0, so |w - w*|^2 > 0", greater(sp.expand((target + _size) ** 2), 0)),
    )
    result = sp.Implies(dead, sp.And(sp.Eq(w_next[j], w[j]), sp.Gt(distance, 0)))
    return Derivation((result,), ("w*_0 > 0, since y = w*.X is positive on some sample",), steps)


_lam_h, _rest_of_1, _t, _u = sp.symbols("x x_rest t u", nonnegative=True)
CONTRACTION = (
    Step(
        "the error of w_0 is multiplied by 1 - 2 lam h_0, h_0 = 1 + d_0^2",
        equal(w0_star - TRUE_E3.rhs, (1 - 2 * lam * (1 + d[0] ** 2)) * (w0_star - w[0])),
    ),
    Step("that of w_i by 1 - 2 lam h_i, h_i = d_i^2", equal(TRUE_E4.rhs, (1 - 2 * lam * d[i] ** 2) * w[i])),
    Step("with x = lam h the factor satisfies", equal(1 - (1 - 2 * _lam_h) ** 2, 4 * _lam_h * (1 - _lam_h))),
    Step(
        "so it is at most 1 in size if lam h <= 1 (x_rest = 1 - x), for which lam h_0 <= 1 is enough:",
        at_least(4 * _lam_h * _rest_of_1, 0),
    ),
    *steepest_first(),
    Step("each |w_i| d_i shrinks by a factor t (u = 1 - t)", at_least(_size * d[i] * (_u + _t) - _size * d[i] * _t, 0)),
)


@cache
def stable_invariance() -> Derivation:
    """For lam (1 + d_0^2) <= 1 the region `stable_region` is mapped into itself, all its filters being all active."""
    steps = (
        *theorem_1().steps,
        *CONTRACTION,
        Step("|w_0 - w*_0| shrinks likewise", at_least(_size * (_u + _t) - _size * _t, 0)),
        Step("below w*_0: w*_0 - |w_0 - w*_0| = w_0", equal(w0_star - (w0_star - w[0]), w[0])),
        Step("above, by s: it is w*_0 - s, less than w_0 = w*_0 + s", at_least(w0_star + _size - (w0_star - _size), 0)),
    )
    kept = sp.And(stable_region(w_next), all_active_next)
    return Derivation(
        (sp.Implies(stable_region(w), kept),),
        ("0 <= d <= 1", "lam (1 + d_0^2) <= 1"),
        steps,
        needs=(sp.Le(lam * (1 + d[0] ** 2), 1),),
    )


@cache
def slow_invariance() -> Derivation:
    """For 2 lam (1 + d_0^2) <= 1 the region `slow_region` is mapped into itself, all its filters being all active."""
    steps = (
        *theorem_1().steps,
        *CONTRACTION,
        Step("2 lam h_0 <= 1: the factor of w_0 is not negative (x_rest = 1 - 2 lam h_0)", at_least(_rest_of_1, 0)),
        Step(
            "so w_0 does not cross w*_0: from below, w_0' = w*_0 - t s >= w*_0 - s (u = 1 - t)",
            at_least((w0_star - _t * _size) - (w0_star - (_t + _u) * _size), 0),
        ),
        Step("and from above w_0' = w*_0 + t s >= w*_0", at_least(w0_star + _t * _size - w0_star, 0)),
    )
    kept = sp.And(slow_region(w_next), all_active_next)
    return Derivation((sp.Implies(slow_region(w), kept),), ("0 <= d <= 1", "2 lam (1 + d_0^2) <= 1"), steps)


@cache
def stays_active() -> Derivation:
    """A trajectory that starts in `stable_region` stays all active; one that starts only all active need not."""
    return Derivation(
        (sp.Implies(stable_region(w), all_active_next),),
        stable_invariance().used,
        stable_invariance().steps,
        needs=stable_invariance().needs,
    )


@cache
def trap_invariance() -> Derivation:
    """p = 2, d_0 = 0, lam (1 + d_1^2) <= 1: a filter in the trap stays there, so it never reaches w*.

    Let X be the active sample and X' = (1, -+d_1) the inactive one, each half of the grid. An update moves w by
    -c X, c = lam (w.X - w*_0) >= 0, and X.X' = 1 - d_1^2 >= 0.
    """
    excess, c = sp.symbols("e c", nonnegative=True)
    norm = 1 + d[1] ** 2
    steps = (
        Step("the half that is active moves w by -lam e X, e = w.X - w*_0", equal(lam / 2 * 2 * excess, lam * excess)),
        Step(
            "|X|^2 = 1 + d_1^2, so e' = e (1 - lam (1 + d_1^2))",
            equal(excess - lam * excess * norm, excess * (1 - lam * norm)),
        ),
        Step("not negative for lam (1 + d_1^2) <= 1", at_least(excess * _rest_of_1, 0)),
        Step("X.X' = 1 - d_1^2 = (1 - d_1)(1 + d_1)", equal(1 - d[1] ** 2, (1 - d[1]) * (1 + d[1]))),
        Step("so w.X' does not grow (u = 1 - d_1)", at_least(c * _u * (1 + d[1]), 0)),
        Step("w* is outside: its w.X' is w*_0 > 0", equal(w0_star * 1 + 0 * d[1], w0_star)),
    )
    return Derivation(
        (sp.Implies(trap(w), trap(w_next)),),
        ("0 <= d_1 <= 1", "lam (1 + d_1^2) <= 1"),
        steps,
        needs=(sp.Le(lam * (1 + d[1] ** 2), 1),),
    )


@cache
def falls_into_trap() -> Derivation:
    """p = 2, d_0 = 0, lam = 1/2: an all-active start with |w_1| d_1 (1 - d_1^2) >= w*_0 is trapped after one update."""
    half = sp.Rational(1, 2)
    reach, surplus = sp.symbols("g", nonnegative=True), sp.Symbol("f", nonnegative=True)
    at = {lam: half, d[0]: 0}
    steps = (
        *theorem_1().steps,
        Step("w_0' = w*_0", equal(TRUE_E3.rhs.subs(at), w0_star)),
        Step("w_1' = w_1 (1 - d_1^2)", equal(TRUE_E4.rhs.subs({lam: half, i: 1}), w[1] * (1 - d[1] ** 2))),
        Step("with |w_1'| d_1 = w*_0 + f, f >= 0, one side is inactive", at_most(w0_star - (w0_star + surplus), 0)),
        Step("and the other is answered above its target", at_least(w0_star + reach, w0_star)),
    )
    deep = sp.Ge(sp.Abs(w[1]) * d[1] * (1 - d[1] ** 2), w0_star)
    return Derivation(
        (sp.Implies(deep, trap(w_next)),),
        ("d_0 = 0", "lam = 1/2", "every sample active"),
        steps,
        needs=(sp.Eq(lam, sp.Rational(1, 2)), all_active),
    )


@cache
def pixel_range() -> Derivation:
    """The least value of pixel j over the samples Q X is Q_j0 - |Q_j0| d_0 - sum_{i>0} |Q_ji| d_i."""
    positive = sp.Symbol("Q_plus", positive=True)
    steps = (
        *all_active_condition().steps,
        Step(
            "read row j of Q for w: for Q_j0 > 0",
            equal(positive - positive * d[0] - _rest, positive * (1 - d[0]) - _rest),
        ),
        Step(
            "the least target is w*_0 (1 - d_0), positive for d_0 < 1",
            greater(positive * _one_less_d0(), 0),
        ),
    )
    together = sp.And(sp.Gt(least[j], 0), sp.Gt(least_target, 0))
    return Derivation(
        (sp.Implies(PIXEL_POSITIVE, together),), ("Q orthogonal, first column along w*", "w*_0 > 0"), steps
    )


def _one_less_d0() -> sp.Symbol:
    return sp.Symbol("one_less_d0", positive=True)


@cache
def positive_samples_active() -> Derivation:
    """If every pixel of every sample is positive, a filter with no negative weight and w != 0 has w.X > 0."""
    weight, sample = sp.Symbol("w_plus", positive=True), sp.Symbol("X_plus", positive=True)
    steps = (
        Step("a positive weight contributes", greater(weight * sample, 0)),
        Step("a zero weight takes nothing away", at_least(_size * sample, 0)),
    )
    return Derivation((sp.Implies(nonnegative, all_active),), ("X > 0", "w != 0"), steps)
