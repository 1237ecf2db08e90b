"""What the claims on loosened assumptions say of one run (page 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from figures.explore.check import Updates, on_updates
from figures.explore.judge import decided, not_applicable, shown
from figures.explore.page import Standing
from sim.arrays import FloatArray
from sim.descent import Trajectory
from sim.samples import SampleSet
from theory.claims.single_filter.activity import L4A, L4B
from theory.claims.single_filter.loosened import E10, L2, L3
from theory.claims.single_filter.theorem_1 import E3, E4
from theory.derive.single_filter.activity import nonnegative
from theory.derive.single_filter.loosened import RESIDUAL_TERMS
from theory.derive.single_filter.loosened_active import PROPORTIONAL
from theory.derive.single_filter.loosened_targets import SAME_RATES
from theory.ledger import Claim
from theory.symbols import all_active

DRAWS = 400
"""Draws of the label noise over which its effect is averaged."""
NEAR, FAR = 0.5, 4.0
"""C-E10: samples are concentrated within the one, a filter is far from the other on."""


@dataclass(frozen=True, eq=False)
class Loosened:
    """A run with what was loosened; samples is None where they are too many to list."""

    samples: SampleSet | None
    d: FloatArray
    shift: float
    tau: float
    bend: float
    l2: float
    run: Trajectory
    updates: Updates

    @property
    def linear(self) -> bool:
        """Whether targets are w*.X (assumption 3)."""
        return not (self.tau or self.bend)

    @property
    def active(self) -> FloatArray:
        """The share of active samples before each update that is judged, (T,)."""
        return np.asarray(self.run.active_fraction[: len(self.updates), 0])


def standings(found: Loosened) -> tuple[Standing, ...]:
    """Theorem 1, then the claims on each loosening, then those on inactive samples."""
    return (*_theorem(found), *_asymmetry(found), *_targets(found), *_inactive(found))


def _text(claim: Claim, name: str) -> str:
    return next(clause.text for clause in claim.clauses if clause.name == name)


def _theorem(found: Loosened) -> tuple[Standing, ...]:
    corrected = E4.clauses[0].corrected
    assert corrected is not None
    return (
        on_updates(E3.id, E3.statement, E3.clauses[0].printed, found.updates),
        on_updates(f"{E4.id}, corrected", "the right one: wi' = wi (1 - 2 lam di^2)", corrected, found.updates),
    )


def _asymmetry(found: Loosened) -> tuple[Standing, ...]:
    terms, speed = _text(L2, "residual terms"), _text(L2, "distance, long run")
    if found.samples is None:
        return ()
    if not found.linear or found.l2:
        first = not_applicable(L2.id, terms, "it is on linear targets without weight decay")
    else:
        mean = found.samples.X.mean(axis=0)
        target = np.eye(len(mean))[0]
        first = on_updates(L2.id, terms, RESIDUAL_TERMS, found.updates, mean=mean, w_star=target)
    if not found.shift:
        return first, not_applicable(L2.id, speed, "the samples are symmetric")
    return first, _distance_and_speed(found, found.samples, speed)


def _distance_and_speed(found: Loosened, samples: SampleSet, statement: str) -> Standing:
    moved = np.zeros(samples.p)
    moved[1] = found.shift
    start = found.run.weights[0, 0]
    distances = [float(np.linalg.norm(X - start, axis=1).mean()) for X in (samples.X, samples.X - moved)]
    symmetric = SampleSet(samples.X - moved, samples.y)
    slowest, slowest_symmetric = (float(np.linalg.eigvalsh(s.second_moment)[0]) for s in (samples, symmetric))
    farther, faster = distances[0] > distances[1], slowest > slowest_symmetric * (1.0 + 1e-12)
    why = (
        f"samples are {'farther' if farther else 'nearer'} ({shown(distances[0])} for {shown(distances[1])}), the "
        f"slowest rate {'rises' if faster else 'does not rise'} ({shown(slowest)} for {shown(slowest_symmetric)})"
    )
    return decided(L2.id, statement, farther == faster, why)


def _targets(found: Loosened) -> tuple[Standing, ...]:
    speed, small = _text(L3, "speed"), _text(L3, "small")
    if found.samples is None:
        return ()
    if found.linear:
        return tuple(not_applicable(L3.id, text, "the targets are linear") for text in (speed, small))
    if found.shift or found.l2 or not found.d[1:].all():
        why = "it is on symmetric samples with d_i > 0, without weight decay"
        return tuple(not_applicable(L3.id, text, why) for text in (speed, small))
    return _same_rates(found, found.samples, speed), _noise_is_small(found, small)


def _same_rates(found: Loosened, samples: SampleSet, statement: str) -> Standing:
    updates, target = found.updates, np.eye(samples.p)[0]
    count = np.arange(len(updates)) + 1.0
    pull = samples.X.T @ (samples.y - samples.X @ target) / len(samples)
    start = np.repeat(found.run.weights[0, 0][:, None], len(updates), axis=1)
    ends = {"w_end": updates.values["w_next"], "w": start, "steps": count, "pull": pull, "w_star": target}
    # limits are pull/d^2: rounding of the pull counts as much more
    late = Updates({**updates.values, **ends}, updates.tolerance * count / np.square(found.d[1:]).min(), samples.p)
    return on_updates(L3.id, statement, SAME_RATES, late, "deviations from the limit shrink as without it")


def _noise_is_small(found: Loosened, statement: str) -> Standing:
    if not found.tau or found.samples is None or found.bend:
        return not_applicable(L3.id, statement, "it is on random noise alone")
    X, rng = found.samples.X, np.random.default_rng(0)
    limits = rng.normal(0.0, found.tau, (DRAWS, len(X))) @ X[:, 1:] / len(X) / np.square(found.d[1:])
    square = np.square(limits)
    size, error = float(square.mean()), float(square.mean(axis=1).std() / np.sqrt(DRAWS))
    why = f"root mean square over {DRAWS} draws: {shown(float(np.sqrt(size)))}, noise: {shown(found.tau)}"
    if abs(size - found.tau**2) < 4.0 * error:
        return not_applicable(L3.id, statement, f"too close to tell by {DRAWS} draws; {why}")
    return decided(L3.id, statement, size <= found.tau**2, why)


def _inactive(found: Loosened) -> tuple[Standing, ...]:
    return _dead(found), _signs(found), *_contributions(found), _proportional(found)


def _dead(found: Loosened) -> Standing:
    if found.run.active_fraction[0, 0]:
        return not_applicable(L4A.id, L4A.statement, "some samples are active")
    moved = float(np.abs(found.run.weights[-1, 0] - found.run.weights[0, 0]).max())
    why = f"no sample is active; weights move by {shown(moved)}" + (", by weight decay alone" if moved else "")
    return decided(L4A.id, L4A.statement, moved == 0, why)


def _signs(found: Loosened) -> Standing:
    statement = _text(L4B, "on the grid")
    updates = found.updates
    if found.shift or not len(updates) or updates.values["w"][0].min() <= 0:
        return not_applicable(L4B.id, statement, "it is on symmetric samples and w0 > 0")
    formula = L4B.clauses[0].printed
    weights, every = updates.values["w"], found.active == 1.0
    events = {str(all_active): every, str(nonnegative): (weights >= 0).all(axis=0)}
    return on_updates(L4B.id, statement, formula, updates, **events)


def _contributions(found: Loosened) -> tuple[Standing, ...]:
    """C-E10, first clause, summed over the listed samples."""
    statement = _text(E10, "only active samples")
    if found.samples is None:
        return ()
    if not found.linear or found.l2:
        return (not_applicable(E10.id, statement, "it is on linear targets without weight decay"),)
    X, values = found.samples.X, found.updates.values
    rates = np.eye(found.samples.p)[0][:, None] - values["w"]
    kept = np.where(X @ values["w"] > 0, X @ rates, 0.0)
    off = np.abs(values["w_next"] - values["w"] - 2 * values["lam"] * X.T @ kept / len(X)).max(axis=0, initial=0.0)
    wrong = off > found.updates.tolerance
    least = shown(100 * float(found.active.min(initial=1.0)))
    why = f"at {len(off) - wrong.sum()} of {len(off)} updates, with at least {least} % of the samples active"
    return (decided(E10.id, statement, not wrong.any(), why),)


def _proportional(found: Loosened) -> Standing:
    statement = _text(E10, "roughly proportional")
    radius = float(np.sqrt(np.square(found.d).sum() + abs(found.shift) * (2 * found.d[1] + abs(found.shift))))
    target = np.eye(len(found.d))[0]
    distance = float(np.linalg.norm(found.run.weights[0, 0] - target))
    if not found.linear or found.l2:
        return not_applicable(E10.id, statement, "it is on linear targets without weight decay")
    if radius > NEAR * (1 + 1e-9) or distance < FAR or not len(found.updates):
        why = f"needs samples within {NEAR:g} of w* (here {shown(radius)}) and |w - w*| >= {FAR:g} ({shown(distance)})"
        return not_applicable(E10.id, statement, why)
    values = found.updates.values
    first = {**values, "w": values["w"][:, :1], "w_next": values["w_next"][:, :1]}
    fraction = found.active[:1]
    update = Updates(first, found.updates.tolerance[:1], found.updates.p)
    moved = float(np.linalg.norm(first["w_next"] - first["w"]))
    why = f"{shown(100 * float(fraction[0]))} % are active, the first update has length {shown(moved)}"
    standing = on_updates(E10.id, statement, PROPORTIONAL, update, fraction=fraction)
    return Standing(E10.id, statement, standing.says, why)
