"""Which samples are active, and what that does to the assumptions of Theorem 1 (Schneider, Section 3.2)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter import activity as observe
from theory.derive.single_filter import activity as derive
from theory.derive.single_filter.activity import all_active_next, dead, distance, least, least_target, nonnegative
from theory.derive.single_filter.theorem_1 import w_next
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import all_active, d, j, lam, m, over, w, w0_star

_LOAD = over(sp.Abs(w[m]) * d[m])
_STABLE = Hypothesis("the learning rate is stable, lam (1 + d0^2) < 1", lam * (1 + d[0] ** 2) < 1)
_SLOW = Hypothesis("2 lam (1 + d0^2) <= 1", 2 * lam * (1 + d[0] ** 2) <= 1)
_TWO = Hypothesis("p = 2, d0 = 0 (one sample on either side of w*)")
_TRAP_RATE = Hypothesis("lam (1 + d1^2) <= 1", lam * (1 + d[1] ** 2) <= 1)

ASM = Claim(
    id="C-ASM",
    source="Schneider, Section 3.2, assumptions 1 to 4",
    statement="samples with positive coordinates, the symmetric grid with w* = e0, y = w*.X and w.X > 0 hold together",
    note="In the frame in which the grid is symmetric around e0 they never do: a_i = -d_i <= 0 is a coordinate of half "
    "of the samples. They do in the frame of the pixels, for narrow grids, and need d0 < 1.",
    clauses=(
        Clause(
            text="every pixel of every sample is positive, and so is every target (assumption 4 at w = w*)",
            printed=sp.And(sp.Gt(least[j], 0), sp.Gt(least_target, 0)),
            condition=derive.PIXEL_POSITIVE,
            experiment=observe.framed_grid,
            derivation=derive.pixel_range,
            hypotheses=(Hypothesis("the grid is symmetric around w* in an orthonormal frame Q (assumption 2)"),),
            controls=(
                Control("as far as (1 - d0) Q_j0", sp.Gt(least[j], derive.Q[j, 0] * (1 - d[0]))),
                Control("as far as w* itself", sp.And(sp.Gt(least[j], derive.Q[j, 0]), sp.Gt(least_target, 0))),
                Control("negative targets", sp.Lt(least_target, 0)),
            ),
        ),
    ),
)

L4A = Claim(
    id="C-L4A",
    source="Schneider, loosening assumption 4",
    statement="if w.X <= 0 for all X there are no updates (dead ReLU) and w does not converge to w*",
    clauses=(
        Clause(
            text="the update leaves w where it is, away from w*",
            printed=sp.And(sp.Eq(w_next[j], w[j]), sp.Gt(distance, 0)),
            experiment=observe.dead_filters,
            derivation=derive.dead_stays,
            hypotheses=(Hypothesis("w.X <= 0 for every sample", dead),),
            controls=(
                Control("Theorem 1 goes on", sp.Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2) * (w0_star - w[0]))),
                Control("it is at w*", sp.Eq(distance, 0)),
                Control("half of the update", sp.Eq(w_next[0], w[0] + lam * (w0_star - w[0]))),
            ),
        ),
    ),
)

L4B = Claim(
    id="C-L4B",
    source="Schneider, loosening assumption 4",
    statement="assumption 4 boils down to all coordinates of w being non-negative",
    note="Neither direction holds on the grid, where samples have negative coordinates; one does for positive ones.",
    clauses=(
        Clause(
            name="on the grid",
            text="all samples are active if and only if every w_j >= 0",
            printed=sp.Equivalent(all_active, nonnegative),
            corrected=sp.Equivalent(all_active, derive.ALL_ACTIVE),
            experiment=observe.activity,
            derivation=derive.all_active_condition,
            hypotheses=(
                Hypothesis("the samples form the symmetric grid around w* (assumption 2)"),
                Hypothesis("w0 > 0", sp.Gt(w[0], 0)),
            ),
            controls=(
                Control("1 + d0", sp.Equivalent(all_active, sp.Gt(w[0] * (1 + d[0]), _LOAD))),
                Control("no factor d", sp.Equivalent(all_active, sp.Gt(w[0] * (1 - d[0]), over(sp.Abs(w[m]))))),
                Control("sufficient only: w >= 0", sp.Implies(nonnegative, all_active)),
                Control("necessary only: w >= 0", sp.Implies(all_active, nonnegative)),
            ),
        ),
        Clause(
            name="positive samples",
            text="with positive samples, all are active if and only if every w_j >= 0 (true is: if)",
            printed=sp.Equivalent(all_active, nonnegative),
            corrected=sp.Implies(nonnegative, all_active),
            experiment=observe.positive_samples,
            derivation=derive.positive_samples_active,
            hypotheses=(Hypothesis("all samples have positive coordinates (assumption 1)"), Hypothesis("w != 0")),
            controls=(Control("the converse", sp.Implies(all_active, nonnegative)),),
        ),
    ),
)

ACT = Claim(
    id="X-ACT",
    source="this project; assumption 4 of Schneider, Section 3.2",
    statement="exact O(p) conditions for all active and dead; regions that a trajectory never leaves; lost samples",
    note="That a trajectory starts all active does not keep it so: w0 may fall to w0* faster than the other weights "
    "decay. What it loses then, it loses for good.",
    clauses=(
        Clause(
            name="all active",
            text="all samples are active exactly if w0 (1 - d0) > sum |wi| di",
            printed=sp.Equivalent(all_active, derive.ALL_ACTIVE),
            experiment=observe.activity,
            derivation=derive.all_active_condition,
            controls=(
                Control("1 + d0", sp.Equivalent(all_active, sp.Gt(w[0] * (1 + d[0]), _LOAD))),
                Control("signed sum", sp.Equivalent(all_active, sp.Gt(w[0] * (1 - d[0]), over(w[m] * d[m])))),
            ),
        ),
        Clause(
            name="dead",
            text="no sample is active exactly if w0 <= 0 and -w0 (1 - d0) >= sum |wi| di",
            printed=sp.Equivalent(dead, derive.DEAD),
            experiment=observe.activity,
            derivation=derive.dead_condition,
            controls=(
                Control("w0 <= 0 alone", sp.Equivalent(dead, sp.Le(w[0], 0))),
                Control("1 + d0", sp.Equivalent(dead, sp.And(sp.Le(w[0], 0), sp.Ge(-w[0] * (1 + d[0]), _LOAD)))),
                Control(
                    "half the margin, ties active",
                    sp.Equivalent(dead, sp.And(sp.Lt(w[0], 0), sp.Ge(-w[0] * (1 - d[0]) / 2, _LOAD))),
                ),
            ),
        ),
        Clause(
            name="stays all active",
            text="a filter with every sample active has them all active after the update",
            printed=all_active_next,
            condition=derive.stable_region(w),
            experiment=observe.activity,
            derivation=derive.stays_active,
            hypotheses=(Hypothesis("every sample is active", all_active), _STABLE),
            controls=(
                Control("dead after it", dead),
                Control("an impossible margin", sp.Gt(w_next[0], 2 * w[0] + w0_star)),
            ),
        ),
        Clause(
            name="invariant at any stable rate",
            text="sum |wi| di < (1 - d0)(w0* - |w0 - w0*|) is kept, with every sample active",
            printed=sp.Implies(derive.stable_region(w), sp.And(derive.stable_region(w_next), all_active_next)),
            experiment=observe.activity,
            derivation=derive.stable_invariance,
            hypotheses=(_STABLE,),
            controls=(
                Control("the region for slow rates", sp.Implies(derive.slow_region(w), derive.slow_region(w_next))),
                Control("the all-active region", sp.Implies(derive.ALL_ACTIVE, all_active_next)),
            ),
        ),
        Clause(
            name="invariant at slow rates",
            text="sum |wi| di < (1 - d0) min(w0, w0*) is kept, with every sample active",
            printed=sp.Implies(derive.slow_region(w), sp.And(derive.slow_region(w_next), all_active_next)),
            experiment=observe.activity,
            derivation=derive.slow_invariance,
            hypotheses=(_SLOW,),
            controls=(
                Control("the all-active region", sp.Implies(derive.ALL_ACTIVE, all_active_next)),
                Control("w0 in place of the minimum", sp.Implies(derive.ALL_ACTIVE, derive.slow_region(w_next))),
            ),
        ),
        Clause(
            name="leaves",
            text="an all-active start with |w1| d1 (1 - d1^2) >= w0* is in the trap after one update with lam = 1/2",
            printed=sp.Implies(sp.Ge(sp.Abs(w[1]) * d[1] * (1 - d[1] ** 2), w0_star), derive.trap(w_next)),
            experiment=observe.beyond,
            derivation=derive.falls_into_trap,
            hypotheses=(
                _TWO,
                Hypothesis("every sample is active", all_active),
                Hypothesis("lam = 1/2", sp.Eq(lam, sp.Rational(1, 2))),
            ),
            controls=(
                Control("|w1| d1 >= w0* / 2", sp.Implies(sp.Ge(2 * sp.Abs(w[1]) * d[1], w0_star), derive.trap(w_next))),
                Control(
                    "still all active",
                    sp.Implies(sp.Ge(sp.Abs(w[1]) * d[1] * (1 - d[1] ** 2), w0_star), all_active_next),
                ),
            ),
        ),
        Clause(
            name="never comes back",
            text="the trap (one side inactive, the other answered above its target; w* is outside) is never left",
            printed=sp.Implies(derive.trap(w), derive.trap(w_next)),
            experiment=observe.beyond,
            derivation=derive.trap_invariance,
            hypotheses=(_TWO, _TRAP_RATE),
            controls=(
                Control("comes back", sp.Implies(derive.trap(w), all_active_next)),
                Control(
                    "ends on the target at once",
                    sp.Implies(derive.trap(w), sp.Eq(w_next[0] + sp.Abs(w_next[1]) * d[1], w0_star)),
                ),
            ),
        ),
    ),
)

CLAIMS = (ASM, L4A, L4B, ACT)
