"""Closed-form trajectories and what they need of the samples (results of this project that the claims rest on)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter import trajectories as observe
from theory.claims.observe.single_filter.any_samples import any_samples
from theory.derive.single_filter import trajectory as derive
from theory.derive.single_filter.theorem_1 import PRINTED_E4, TRUE_E3, TRUE_E4, w_next
from theory.derive.single_filter.trajectory import Q, count, h, h_min, mode, mode_end, rotated_next, tol, w_end, worst
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import H, all_active, d, gap, i, j, lam, n, over_all, steps, w, w0_star, w_star

_KEPT = Hypothesis("sum |wi| di < (1 - d0)(w0* - |w0 - w0*|) and lam (1 + d0^2) < 1, so that X-ACT applies")
_ACTIVE = Hypothesis("every sample is active", all_active)
_APART = Hypothesis("w0 != w0*", sp.Gt(sp.Abs(gap), 0))
_RHO_I = 1 - 2 * lam * d[i] ** 2

TRAJ = Claim(
    id="X-TRAJ",
    source="this project; Theorem 1 iterated",
    statement="closed-form trajectory of the true rule; step count to a tolerance; stable and best learning rate",
    clauses=(
        Clause(
            name="trajectory",
            text="w0 - w0* and wi after k updates: powers of 1 - 2 lam (1 + d0^2) and 1 - 2 lam di^2",
            printed=derive.TRAJECTORY,
            experiment=observe.trajectories,
            derivation=derive.trajectory,
            hypotheses=(_KEPT,),
            controls=(
                Control("one update more", sp.Eq(w_end[i], _RHO_I ** (steps + 1) * w[i])),
                Control("d_i for d_i^2", sp.Eq(w_end[i], (1 - 2 * lam * d[i]) ** steps * w[i])),
                Control(
                    "gap with 1 - d0^2",
                    sp.Eq(w_end[0] - w0_star, (1 - 2 * lam * (1 - d[0] ** 2)) ** steps * (w[0] - w0_star)),
                ),
            ),
        ),
        Clause(
            name="step count",
            text="|wi| <= tol after ceil(log(tol/|wi|) / log|1 - 2 lam di^2|) updates, not before",
            printed=sp.And(sp.Ge(count[i], derive.STEP_COUNT), sp.Lt(count[i] - 1, derive.STEP_COUNT)),
            experiment=observe.step_counts,
            derivation=derive.step_count,
            hypotheses=(_KEPT, Hypothesis("|wi| > tol", sp.Gt(sp.Abs(w[i]), tol))),
            controls=(
                Control(
                    "one fewer", sp.And(sp.Ge(count[i] + 1, derive.STEP_COUNT), sp.Lt(count[i], derive.STEP_COUNT))
                ),
                Control(
                    "3 lam for 2 lam",
                    sp.Lt(count[i] - 1, sp.log(tol / sp.Abs(w[i])) / sp.log(sp.Abs(1 - 3 * lam * d[i] ** 2))),
                ),
            ),
        ),
        Clause(
            name="largest stable rate",
            text="the gap shrinks exactly if lam (1 + d0^2) < 1",
            printed=sp.Equivalent(sp.Lt(sp.Abs(w_next[0] - w0_star), sp.Abs(gap)), sp.Lt(lam * (1 + d[0] ** 2), 1)),
            experiment=observe.factors,
            derivation=derive.stable_rates,
            hypotheses=(_ACTIVE, _APART),
            controls=(
                Control("lam < 1", sp.Equivalent(sp.Lt(sp.Abs(w_next[0] - w0_star), sp.Abs(gap)), sp.Lt(lam, 1))),
                Control(
                    "2 lam for lam",
                    sp.Equivalent(sp.Lt(sp.Abs(w_next[0] - w0_star), sp.Abs(gap)), sp.Lt(2 * lam * (1 + d[0] ** 2), 1)),
                ),
            ),
        ),
        Clause(
            name="best rate",
            text="the worst factor is at least (kappa - 1)/(kappa + 1), reached at lam = 1/(1 + d0^2 + min di^2)",
            printed=sp.And(
                sp.Ge(worst, derive.BEST_FACTOR),
                sp.Implies(sp.Eq(lam * (1 + d[0] ** 2 + h_min), 1), sp.Eq(worst, derive.BEST_FACTOR)),
            ),
            experiment=observe.factors,
            derivation=derive.best_rate,
            hypotheses=(_ACTIVE, Hypothesis("all di > 0, w0 != w0*, all wi != 0")),
            controls=(
                Control("reached at every rate", sp.Implies(sp.Gt(lam, 0), sp.Eq(worst, derive.BEST_FACTOR))),
                Control("kappa/(kappa + 1)", sp.Ge(worst, (1 + d[0] ** 2) / (1 + d[0] ** 2 + h_min))),
            ),
        ),
    ),
)

ANY = Claim(
    id="X-ANY",
    source="this project; the general case of Theorem 1",
    statement="w' = w + 2 lam H (w* - w), H = E[X X^T], for any samples, all active; the same in any frame",
    note="Theorem 1 uses of the samples only E[X0^2] = 1 + d0^2, E[X0 Xi] = E[Xi Xj] = 0 and E[Xi^2] = di^2: about "
    "p + 1 samples do for its 2^p, and the speed of a direction is its second moment, whatever w* is.",
    clauses=(
        Clause(
            name="update",
            text="one update on any samples",
            printed=derive.ANY_UPDATE,
            experiment=any_samples,
            derivation=derive.any_update,
            hypotheses=(Hypothesis("every sample is active (start in the ball of C-CONV)"),),
            controls=(
                Control("lam for 2 lam", sp.Eq(w_next[j], w[j] + lam * over_all(H[j, n] * (w_star[n] - w[n])))),
                Control("diagonal of H only", sp.Eq(w_next[j], w[j] + 2 * lam * H[j, j] * (w_star[j] - w[j]))),
            ),
        ),
        Clause(
            name="trajectory",
            text="along the eigenvectors of H: powers of 1 - 2 lam h_j",
            printed=derive.ANY_TRAJECTORY,
            experiment=lambda: any_samples(exact=False),
            derivation=derive.any_trajectory,
            hypotheses=(Hypothesis("every sample is active (start in the ball of C-CONV)"),),
            controls=(
                Control("one update more", sp.Eq(mode_end[j], (1 - 2 * lam * h[j]) ** (steps + 1) * mode[j])),
                Control("lam for 2 lam", sp.Eq(mode_end[j], (1 - lam * h[j]) ** steps * mode[j])),
            ),
        ),
        Clause(
            name="rotation",
            text="descent on Q X from Q w is Q times descent on X from w",
            printed=sp.Eq(rotated_next[j], over_all(Q[j, n] * w_next[n])),
            experiment=any_samples,
            derivation=derive.rotation,
            hypotheses=(Hypothesis("Q orthogonal"),),
            controls=(
                Control("not rotated", sp.Eq(rotated_next[j], w_next[j])),
                Control("start in place of end", sp.Eq(rotated_next[j], over_all(Q[j, n] * w[n]))),
            ),
        ),
        Clause(
            name="fewer samples",
            text="Eq. (3) and the true Eq. (4) on the rows of a Hadamard matrix in place of the 2^p samples",
            printed=sp.And(TRUE_E3, TRUE_E4),
            experiment=observe.hadamard,
            derivation=derive.same_moments,
            hypotheses=(_ACTIVE, Hypothesis("E[X0^2] = 1 + d0^2, E[X0 Xi] = E[Xi Xj] = 0, E[Xi^2] = di^2")),
            controls=(
                Control("printed Eq. (4)", PRINTED_E4),
                Control("d_i for d_i^2", sp.Eq(w_next[i], w[i] * (1 - 2 * lam * d[i]))),
            ),
        ),
    ),
)

CLAIMS = (TRAJ, ANY)
