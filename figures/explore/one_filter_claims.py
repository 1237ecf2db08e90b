"""What the claims on one filter say of a run (page 1)."""

from __future__ import annotations

import numpy as np

from figures.explore.check import LARGE, Updates, on_updates, updates_of
from figures.explore.judge import decided, judged, not_applicable, shown
from figures.explore.one_filter_run import W_STAR, Found, rounding, sign_changes
from figures.explore.page import Standing
from sim.grid import grid_samples
from theory.claims.single_filter.activity import ACT
from theory.claims.single_filter.theorem_1 import E3, E4
from theory.claims.single_filter.trajectory import TRAJ
from theory.claims.single_filter.zigzag import FLIP, ZIG
from theory.derive.single_filter import zigzag as flips
from theory.derive.single_filter.trajectory import TRAJECTORY


def standings(found: Found) -> tuple[Standing, ...]:
    """Theorem 1, then what follows from it: the whole path, who stays active, and where gradients change sign."""
    return (*_theorem(found), _trajectory(found), _stays_active(found), _sign_changes(found), _straight(found))


def _theorem(found: Found) -> tuple[Standing, ...]:
    if not found.theorem:
        why = "Theorem 1 is on updates by all samples without momentum"
        return tuple(not_applicable(claim.id, claim.statement, why) for claim in (E3, E4))
    updates = updates_of(found.run, found.d, found.learning_rate)
    rules = [on_updates(E3.id, E3.statement, E3.clauses[0].printed, updates)]
    nothing = "w1 = 0 or d1 = 0, so that nothing moves by either rule" if not found.weights[0, 1] * found.d[1] else ""
    formula = E4.clauses[0]
    rules.append(on_updates(E4.id, E4.statement, formula.printed, updates, nothing))
    true = "the right one: wi' = wi (1 - 2 lam di^2)"
    rules.append(on_updates(f"{E4.id}, corrected", true, formula.corrected, updates))
    return tuple(rules)


def _trajectory(found: Found) -> Standing:
    statement = TRAJ.clauses[0].text
    if not found.theorem:
        return not_applicable(TRAJ.id, statement, "Theorem 1, iterated, needs all samples in each update, no momentum")
    updates = updates_of(found.run, found.d, found.learning_rate)
    count = np.arange(len(updates)) + 1.0
    start = np.repeat(found.weights[:1].T, len(updates), axis=1)
    ends = {"w_end": updates.values["w_next"], "w": start, "steps": count}
    late = Updates({**updates.values, **ends}, updates.tolerance * count, 2)
    return on_updates(TRAJ.id, statement, TRAJECTORY, late)


def _stays_active(found: Found) -> Standing:
    clause = next(clause for clause in ACT.clauses if clause.name == "stays all active")
    active = found.run.active_fraction[:, 0] == 1.0
    if not active[0]:
        share = shown(100 * float(found.run.active_fraction[0, 0]))
        return not_applicable(ACT.id, clause.text, f"{share} % of the samples are active at the start")
    lost = np.flatnonzero(~active)
    why = f"samples are lost at update {int(lost[0])}" if lost.size else "every sample is active at every update"
    return decided(ACT.id, clause.text, not lost.size, why)


def _sign_changes(found: Found) -> Standing:
    """X-FLIP as far as gradients are more than rounding."""
    statement = "all samples: g_j changes sign at every update if 2 lam h_j > 1, never if not; the law under momentum"
    if not np.isfinite(found.law).any():
        return not_applicable(FLIP.id, statement, "one sample per update: signs change at any learning rate")
    gradients, good = found.run.gradients[:, 0], np.abs(found.weights[:-1]).max(axis=1) <= LARGE
    good &= ((np.abs(gradients) > rounding(found)) | (gradients[0] == 0)).all(axis=1)
    usable = len(good) if good.all() else int(np.argmin(good))
    if usable < 2 or not gradients[0].any():
        return not_applicable(FLIP.id, statement, "the gradient is zero at once")
    x = 2.0 * found.learning_rate * found.h
    counts = sign_changes(found, usable).sum(axis=0)
    mu = found.momentum
    at = {
        "flips": counts[:, None], "h": found.h[:, None], "g": gradients[0][:, None], "lam": found.learning_rate,
        "steps": usable, "sqrt_mu": np.sqrt(mu),
        "theta": np.arccos(np.clip((1.0 + mu - x) / (2.0 * np.sqrt(mu)), -1, 1))[:, None] if mu else np.zeros((2, 1)),
    }  # fmt: skip
    formulas = (flips.TRUE_NEVER, flips.TRUE_ALWAYS, flips.TRUE_COUNT) if mu else (flips.TRUE_FLIPS,)
    why = f"2 λ h = {shown(x[0])} and {shown(x[1])}; {counts[0]:g} and {counts[1]:g} changes in {usable} updates"
    for formula in formulas:
        for axis in range(2):
            standing = judged(FLIP.id, statement, formula, {**at, "j": axis}, 1e-9, why)
            if standing.says == "fails here":
                return standing
    return standing


def _straight(found: Found) -> Standing:
    """C-ZIG, first clause: no sign changes as long as the error w - w* is on one side of all normals."""
    clause = ZIG.clauses[0]
    if not (found.run.active_fraction[:, 0] == 1.0).all():
        return not_applicable(ZIG.id, clause.text, "some samples are inactive")
    along = (found.weights[:-1] - W_STAR) @ grid_samples(found.d).T
    together = (along > 0).all(axis=1) | (along < 0).all(axis=1)
    straight = int(np.argmin(together)) if not together.all() else len(together)
    if straight < 2:
        return not_applicable(
            ZIG.id, clause.text, "the error w - w* lies between the normals of samples from the start"
        )
    changed = sign_changes(found, straight).sum()
    why = f"{changed:g} changes of sign in the first {straight} updates, on one side of all normals"
    return decided(ZIG.id, clause.text, changed == 0, why)
