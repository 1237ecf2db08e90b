"""Mutants of what one clause states and derives, judged in its place; and slips in its derivation."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from tests.attack.soundness.entailment import Tried, at_instance, tried
from tests.attack.soundness.mutations import Mutant, mutants
from tests.attack.soundness.stand import EXPERIMENTS, REFUSALS, Stand
from theory.derivation import Derivation
from theory.entailment import follows
from theory.evaluate import indices
from theory.search import exact_values

INSTANCES = 12
"""Of the exact instances, so many are looked at by SymPy."""


@dataclass
class Tally:
    """What became of the mutants of a clause.

    refused: without a value. equivalent: proven to say the same; equivalent_lost: of these not certified.
    consequences: certified, not equivalent, and true: they follow at exact points, tried by another road. seen: no such
    point could be drawn, but SymPy finds them true at observed instances; untried: nor that. fooled: certified, and
    false at an exact point. rejections, alone: by which check, and by one alone.
    slips: mutants that a mutated derivation asserts; grounded: in derivations with definitions; grounding: caught by
    these. Of those that no experiment catches once the definitions are dropped: true_slips follow at exact points,
    by_grounding_alone are caught by the definitions, open_slips by nothing, and unproven_slips neither.
    """

    made: int = 0
    refused: int = 0
    equivalent: int = 0
    equivalent_lost: int = 0
    consequences: int = 0
    seen: int = 0
    untried: list[str] = field(default_factory=list)
    fooled: list[str] = field(default_factory=list)
    rejections: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
    slips: int = 0
    grounded: int = 0
    grounding: int = 0
    true_slips: int = 0
    unproven_slips: list[str] = field(default_factory=list)
    open_slips: list[str] = field(default_factory=list)
    by_grounding_alone: list[str] = field(default_factory=list)


def bases(stand: Stand) -> list[Boolean]:
    """What is mutated: the true statement first, then each other result of the derivation that can be observed."""
    results = dict.fromkeys(part for part in stand.bare.derivation().result if part != stand.truth)
    return [stand.truth, *(part for part in results if stand.speaks_of(part))]


def attack_clause(stand: Stand, most: int, rng: np.random.Generator) -> Tally:
    """Judge up to `most` mutants of the true statement, and a third as many of each other result."""
    tally = Tally()
    for n, base in enumerate(bases(stand)):
        for mutant in mutants(base, most if n == 0 else max(1, most // 3), rng):
            _judge(stand, base, mutant, tally, rng)
    return tally


def _judge(stand: Stand, base: Boolean, mutant: Mutant, tally: Tally, rng: np.random.Generator) -> None:
    tally.made += 1
    try:
        rejected = stand.rejected_by(mutant.statement)
    except REFUSALS:
        tally.refused += 1
        return
    tally.rejections.update(rejected or ("nothing",))
    if len(rejected) == 1:
        tally.alone.update(rejected)
    experiments = set(rejected) & set(EXPERIMENTS)
    if stand.certified(mutant.statement):
        _certified(stand, base, mutant, tally, rng)
    elif not experiments and _equivalent(stand, base, mutant.statement):
        tally.equivalent += 1
        tally.equivalent_lost += 1
    else:
        _slip(stand, base, mutant, bool(experiments), tally, rng)


def _certified(stand: Stand, base: Boolean, mutant: Mutant, tally: Tally, rng: np.random.Generator) -> None:
    """A mutant that the suite vouches for: it says the same, or follows, or the suite was fooled."""
    line = f"{stand.name}: {mutant.kind}: {mutant.statement}"
    further = _follows_at_points(stand, base, mutant.statement, rng)
    true, false = _at_instances(stand, mutant.statement)
    if further.witness is not None or false:
        tally.fooled.append(f"{line}; false at {further.witness or 'an exact instance'}")
    elif _equivalent(stand, base, mutant.statement):
        tally.equivalent += 1
    elif further.points:
        tally.consequences += 1
    elif true:
        tally.seen += 1
    else:
        tally.untried.append(line)


def _follows_at_points(stand: Stand, base: Boolean, statement: Boolean, rng: np.random.Generator) -> Tried:
    """Whether the statement follows at exact points: from what was mutated, or else from everything derived."""
    nearer = tried([base, *stand.premises], statement, rng)
    if nearer.witness is None and nearer.points:
        return nearer
    return tried([*stand.bare.derivation().result, *stand.premises], statement, rng)


def _at_instances(stand: Stand, statement: Boolean) -> tuple[int, int]:
    """At how many of the smallest instances SymPy finds the statement true of what is seen exactly, and false."""
    assert stand.bare.experiment is not None
    route = stand.bare.experiment().exact
    joint = sp.Tuple(statement, *stand.premises)
    found = [0, 0]
    for _, observed in () if route is None else exact_values(route)[:INSTANCES]:
        for index in indices(joint, int(observed["p"])):
            if all(at_instance(observed, premise, index) for premise in stand.premises):
                truth = at_instance(observed, statement, index)
                found[1] += truth is False
                found[0] += truth is True
    return found[0], found[1]


def _equivalent(stand: Stand, base: Boolean, statement: Boolean) -> bool:
    """Whether two statements are proven to follow from each other under the premises."""
    return follows([base, *stand.premises], statement) and follows([statement, *stand.premises], base)


def slipped(derivation: Derivation, right: Boolean, wrong: Boolean) -> Derivation:
    """The derivation with a slip: it arrives at the wrong statement instead of the right one, and at nothing else."""
    kept = tuple(part for part in derivation.result if part != right and not follows([part], right))
    return replace(derivation, result=(wrong, *kept))


def _slip(stand: Stand, base: Boolean, mutant: Mutant, caught: bool, tally: Tally, rng: np.random.Generator) -> None:
    """The derivation asserts the mutant: what notices it?"""
    tally.slips += 1
    wrong = slipped(stand.bare.derivation(), base, mutant.statement)
    if wrong.definitions:
        tally.grounded += 1
        try:
            tally.grounding += bool(replace(wrong, result=(mutant.statement,)).ungrounded())
        except REFUSALS:
            # traces that do not occur linearly are refused
            tally.grounding += 1
    if caught:
        return
    if not stand.certified(mutant.statement, replace(wrong, definitions=())):
        return
    line = f"{stand.name}: {mutant.kind}: {mutant.statement}"
    follows_from = _follows_at_points(stand, base, mutant.statement, rng)
    if follows_from.witness is None and follows_from.points:
        tally.true_slips += 1
    elif wrong.definitions and not stand.certified(mutant.statement, wrong):
        tally.by_grounding_alone.append(line)
    elif follows_from.witness is None:
        tally.unproven_slips.append(line)
    else:
        tally.open_slips.append(f"{line}; not so at {follows_from.witness}")
