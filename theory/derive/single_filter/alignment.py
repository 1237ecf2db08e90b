"""Length against direction, and what a ReLU makes of a random start (Schneider, Section 3.2, after Theorem 1).

An error in length, w = (1 + delta) w*, is an error along e_0 and contracts by |1 - 2 lam (1 + d_0^2)| per update; an
error of the same size in direction, w = w* + delta |w*| e_i, contracts by |1 - 2 lam d_i^2|.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.single_filter.initialisation import (
    ALIGNED,
    CROSSED,
    MOMENTS,
    aligned_starts,
    contraction,
    curvature,
    loss_steps,
    r,
    weight,
)
from theory.derive.single_filter.theorem_1 import contraction_order, theorem_1
from theory.symbols import coordinate, d, grid_expectation, i, lam, m, over, steps, w, w0_star

distance_length = sp.Symbol("distance_length", real=True)
"""|w_k - w*| after k updates from w = (1 + delta) w*."""
distance_direction = sp.IndexedBase("distance_direction", real=True)
"""[i]: |w_k - w*| after k updates from w = w* + delta |w*| e_i."""
loss_length = sp.Symbol("loss_length", real=True)
loss_direction = sp.IndexedBase("loss_direction", real=True)
"""The losses there."""
delta = sp.Symbol("delta", real=True)
"""The size of either error, in units of |w*|."""
relu_corr, relu_unc = sp.symbols("relu_corr relu_unc", real=True)
"""The mean over starts of the loss after k updates of the ReLU rule, for correlation r and for R = I."""
stay_active = sp.Symbol("stay_active")
"""From every start, correlated or not, every sample is active at each of the k updates and after them."""
w_first = sp.Symbol("w_first", real=True)
"""w_0 of a perfectly correlated start: all pixels equal w_first/sqrt(p)."""
distance = sp.Symbol("distance", real=True)
"""|w_k - w*| after k updates from there."""
relu_loss = sp.Symbol("relu_loss", nonnegative=True)
"""The mean over starts of the loss after k updates of the ReLU rule."""
probability = sp.Symbol("probability", nonnegative=True)
"""P(dead) = P(all active), see `theory.derive.single_filter.dead_starts`."""
active_loss = sp.Symbol("active_loss", real=True)
"""The mean of that loss over the starts from which every sample stays active."""
active_moment = sp.IndexedBase("active_moment", real=True)
"""[j]: the mean of (w_j - w*_j)^2 over the same starts, before the first update."""

SLOW_ENOUGH = sp.Le(lam * (1 + d[0] ** 2 + d[i] ** 2), 1)
LENGTH_NEARER = sp.Le(distance_length, distance_direction[i])
LENGTH_LOWER = sp.Le(loss_length, loss_direction[i])
RELU_LEADS = sp.Lt(relu_corr, relu_unc)
POSITIVE = sp.And(sp.Gt(w_first, 0), sp.Gt(w0_star + contraction(0) * (w_first - w0_star), 0))
"""The start and its first update are positive multiples of w*."""
REACHES = sp.Eq(distance, sp.Abs(contraction(0)) ** steps * sp.Abs(w_first - w0_star))
FLOOR = sp.Ge(relu_loss, probability * curvature(0) * w0_star**2)
ACTIVE_LOSS = sp.Eq(active_loss, weight(0) * active_moment[0] + over(weight(m) * active_moment[m]))

_EVERY_ACTIVE = "every sample is active from the start on"


@cache
def length_against_direction() -> Derivation:
    """|rho_0|^k <= |rho_i|^k exactly if lam (h_0 + h_i) <= 1 (or h_0 = h_i, or k = 0)."""
    size, smaller, extra = sp.symbols("q a b", nonnegative=True)
    gap_0, gap_i = -delta * w0_star, delta * w0_star
    steps_ = (
        *contraction_order().steps,
        Step("the gap w*_0 - w_0 of (1 + delta) w*", equal(w0_star - (1 + delta) * w0_star, gap_0)),
        Step("the sizes of the two errors agree", equal(gap_0**2, gap_i**2)),
        Step("by induction, rho_i^k", equal(contraction(i) ** steps * contraction(i), contraction(i) ** (steps + 1))),
        Step(
            "0 <= a <= a + b: a power more keeps the order, a^k a <= (a + b)^k (a + b) if a^k <= a^k + q = (a + b)^k",
            at_least((smaller**steps + size) * (smaller + extra) - smaller**steps * smaller, 0),
            certificate=smaller**steps * extra + size * smaller + size * extra,
        ),
    )
    used = (_EVERY_ACTIVE, "0 <= d_i <= 1")
    return Derivation((sp.Implies(SLOW_ENOUGH, LENGTH_NEARER),), used, steps_, needs=(stay_active,))


@cache
def length_against_direction_in_loss() -> Derivation:
    """The losses are h_j rho_j^(2k) delta^2 w*_0^2: at first an error in length costs more, since h_0 >= h_i."""
    slack = sp.Symbol("s", nonnegative=True)
    cost = delta**2 * w0_star**2
    steps_ = (
        *loss_steps(),
        Step(
            "the loss of an error delta w*_0 along e_i after k updates",
            equal(curvature(i) * (contraction(i) ** steps * delta * w0_star) ** 2, weight(i) * cost),
        ),
        Step("s = weight_i - weight_0 >= 0 orders the losses", at_least(slack * cost, 0)),
    )
    result = sp.Implies(sp.Le(weight(0), weight(i)), LENGTH_LOWER)
    return Derivation((result,), (_EVERY_ACTIVE,), steps_, needs=(stay_active,))


@cache
def relu_leads() -> Derivation:
    """While every sample stays active the ReLU rule is the linear rule, and CROSSED decides."""
    used = (_EVERY_ACTIVE, MOMENTS, ALIGNED, "equal correlations 0 < r <= 1")
    result = sp.Implies(sp.And(stay_active, CROSSED), RELU_LEADS)
    return Derivation((result,), used, aligned_starts().steps, needs=(sp.Gt(r, 0), stay_active))


@cache
def perfectly_correlated_start() -> Derivation:
    """w = w_first e_0 moves along e_0 by the factor 1 - 2 lam (1 + d_0^2) per update, as long as w_0 > 0.

    The error of two updates on is rho_0^2 < 1 times the error, so that w_0 > 0 at the start and after one update
    gives it for good. For w_first <= 0 no sample is active and nothing moves.
    """
    ratio, positive = sp.symbols("q v", nonnegative=True)
    error = sp.Symbol("e", real=True)
    steps_ = (
        *theorem_1().steps,
        Step("at w = w_0 e_0 no other coordinate moves", equal((1 - 2 * lam * d[i] ** 2) * 0, 0)),
        Step(
            "two updates on, with e = w_0 - w*_0",
            equal(
                w0_star + contraction(0) ** 2 * error,
                (1 - contraction(0) ** 2) * w0_star + contraction(0) ** 2 * (w0_star + error),
            ),
        ),
        Step(
            "which is not negative: v = w*_0 + e, q = 1 - rho_0^2",
            at_least(ratio * sp.Symbol("s", nonnegative=True) + contraction(0) ** 2 * positive, 0),
        ),
        Step(
            "a sample with X_0 = 0 has w.X = y = 0, so it adds nothing whether it counts as active or not",
            equal((w0_star * coordinate(0) - w[0] * coordinate(0)).subs(coordinate(0), 0), 0),
        ),
    )
    used = ("w*_0 > 0", "lam (1 + d_0^2) < 1", ALIGNED)
    definition = sp.Eq(distance, sp.Abs(contraction(0) ** steps * (w_first - w0_star)))
    return Derivation(
        (sp.Implies(POSITIVE, REACHES),), used, steps_, (definition,), needs=(sp.Lt(lam * curvature(0), 1),)
    )


@cache
def relu_floor() -> Derivation:
    """E L_k >= P(dead) (1 + d_0^2) w*_0^2 for every k: the share of dead starts keeps the loss of w = 0 for ever."""
    share, rest = sp.symbols("P q", nonnegative=True)
    floor = share * curvature(0) * w0_star**2
    steps_ = (
        Step(
            "the loss of a dead start: E[y^2]",
            equal(grid_expectation((w0_star * coordinate(0)) ** 2), sp.expand(curvature(0) * w0_star**2)),
        ),
        Step("the loss of the others is not negative", at_least(floor + rest - floor, 0)),
    )
    definition = sp.Eq(relu_loss, probability * curvature(0) * w0_star**2 + rest)
    return Derivation((FLOOR,), ("a dead start has no gradient", "losses are not negative"), steps_, (definition,))


@cache
def active_starts() -> Derivation:
    """For the starts that stay active the closed form holds with *their* second moments, not with the Gaussian's."""
    first = curvature(0) * contraction(0) ** steps * contraction(0) ** steps * active_moment[0]
    others = over(curvature(m) * (contraction(m) ** steps) ** 2 * active_moment[m])
    return Derivation((ACTIVE_LOSS,), (_EVERY_ACTIVE,), loss_steps(), (sp.Eq(active_loss, first + others),))
