"""Everything that the attack does on the clauses of one module, in one process: their experiments are run once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from tests.attack.soundness.entailment import tried
from tests.attack.soundness.falsehood import Falsehood
from tests.attack.soundness.falsehoods.hypotheses import NOT_NEEDED
from tests.attack.soundness.faults import SHARES, found, near_misses, planted
from tests.attack.soundness.judging import CERTIFIED, Judged, clause_of, judge_falsehood, registered
from tests.attack.soundness.mutation_attack import Tally, attack_clause
from tests.attack.soundness.mutations import mutants
from tests.attack.soundness.rewriting import variants
from tests.attack.soundness.roads import Function, in_common, of_symbols, roads_of
from tests.attack.soundness.stand import REFUSALS, Stand
from theory.entailment import follows
from theory.evaluate import indices, surely
from theory.ledger import Verdict
from theory.verify import checks_of, clause_report, simulated


@dataclass(frozen=True, order=True)
class Sharing:
    """A function that two roads of a clause run; for a formula of the derivation, the derivation is one of them."""

    function: Function
    roads: str
    clause: str


@dataclass
class Found:
    """What was found on some clauses: counts, and lines for what must not be.

    judged: (falsehood, what came out). faults: (how large, on which share, whether it was found).
    shared: what roads of its clauses have in common, by claim.
    """

    judged: list[tuple[str, str, bool, bool, bool, str]] = field(default_factory=list)
    mutants: list[Tally] = field(default_factory=list)
    conditions: int = 0
    conditions_stronger: int = 0
    conditions_true: list[str] = field(default_factory=list)
    conditions_certified: list[str] = field(default_factory=list)
    dropped: int = 0
    dropped_certified: int = 0
    dropped_unseen: list[str] = field(default_factory=list)
    dropped_needed: list[str] = field(default_factory=list)
    variants: int = 0
    clauses: int = 0
    lost: list[str] = field(default_factory=list)
    faults: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    shown_faults: int = 0
    missed_faults: list[str] = field(default_factory=list)
    unshown_faults: list[str] = field(default_factory=list)
    near: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    near_lines: list[str] = field(default_factory=list)
    shared: dict[str, list[Sharing]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Work:
    """The clauses of a module to be attacked: names of clauses, the falsehoods told of them, and how much to do."""

    clauses: tuple[tuple[str, str], ...]
    falsehoods: tuple[Falsehood, ...]
    most: int
    seed: int


def attack_clauses(work: Work) -> Found:
    """Attack the clauses, one after the other."""
    result = Found()
    for claim_id, name in work.clauses:
        try:
            _attack_clause(claim_id, name, work, result)
        except Exception as error:
            # a statement that ends in an error is a finding, and no reason to lose all others
            result.broken.append(f"{claim_id} ({name}): {type(error).__name__}: {error}")
    return result


def _attack_clause(claim_id: str, name: str, work: Work, result: Found) -> None:
    claim, clause = clause_of(claim_id, name)
    told = [f for f in work.falsehoods if (f.claim, f.clause) == (claim_id, name)]
    result.judged += [_line(falsehood, judge_falsehood(falsehood)) for falsehood in told]
    if clause.empirical:
        return
    stand = Stand(claim, clause)
    rng = np.random.default_rng([work.seed, *stand.name.encode()])
    result.clauses += 1
    result.mutants.append(attack_clause(stand, work.most, rng))
    _rewritten(stand, result)
    _without_premises(stand, work.most, rng, result)
    _planted(stand, result)
    _near(stand, result)
    _roads(stand, result)


def _line(falsehood: Falsehood, judged: Judged) -> tuple[str, str, bool, bool, bool, str]:
    """Claim, kind, whether it was certified, disproved, found false by some check; and all of it as a line."""
    found = "certified" if judged.certified else "refuted" if judged.disproved else "undecided"
    says = f"{falsehood.place}, as {falsehood.as_}: {falsehood.statement} [{falsehood.why}]: {judged.verdict}"
    by = f"; found false by {', '.join(judged.rejected_by) or 'nothing'}"
    return falsehood.claim, falsehood.kind, judged.certified, found == "refuted", bool(judged.rejected_by), says + by


def _rewritten(stand: Stand, result: Found) -> None:
    """The truth written otherwise, in the place of the truth: still accepted?"""
    for name, variant in variants(stand.truth):
        result.variants += 1
        try:
            accepted = stand.verdict(variant) is Verdict.HOLDS
        except REFUSALS:
            accepted = False
        if not accepted:
            result.lost.append(f"{stand.name}: {name}: {variant}")


def _without_premises(stand: Stand, most: int, rng: np.random.Generator, result: Found) -> None:
    """What is true under hypotheses, claimed without one of them; and conditions with a mistake."""
    formal = [n for n, h in enumerate(stand.bare.hypotheses) if h.statement is not None]
    for n in formal:
        bare = registered(stand.bare, stand.truth, "printed", (n,))
        result.dropped += 1
        statement = stand.bare.hypotheses[n].statement
        if clause_report(bare, checks_of(bare, level="cnn", seed=0)).verdict in CERTIFIED:
            result.dropped_certified += 1
            why = NOT_NEEDED.get((stand.claim.id, stand.clause.name, n))
            if why is None:
                result.dropped_needed.append(f"{stand.name}: without {statement}")
            if not violated(stand, statement, bare.needed):
                result.dropped_unseen.append(f"{stand.name}: without {statement}: {why}")
    condition = stand.clause.condition
    if condition is None:
        return
    for mutant in mutants(condition, max(2, most // 3), rng):
        wrong = registered(stand.clause, mutant.statement, "condition")
        result.conditions += 1
        try:
            verdict = clause_report(wrong, checks_of(wrong, level="cnn", seed=0)).verdict
        except REFUSALS:
            continue
        if verdict in CERTIFIED:
            given = [*stand.clause.needed, mutant.statement]
            known = [*stand.bare.derivation().result, *given]
            if follows(given, condition):
                result.conditions_stronger += 1
            elif tried(known, stand.truth, rng).witness is None:
                result.conditions_true.append(f"{stand.name}: {mutant.statement} for {condition}")
            else:
                result.conditions_certified.append(f"{stand.name}: {mutant.statement} for {condition}")


def violated(stand: Stand, premise: Boolean, others: tuple[Boolean, ...]) -> bool:
    """Whether some instance of the simulator violates a premise and satisfies the others, each beyond the tolerance."""
    assert stand.bare.experiment is not None
    joint = sp.Tuple(premise, *others)
    for observation in simulated(stand.bare.experiment(), 0):
        for index in indices(joint, int(observation.values["p"])):
            bound = {**observation.values, **index}
            met = [surely(part, bound, observation.tolerance) for part in (*others, sp.Not(premise, evaluate=False))]
            if np.any(reduce(np.logical_and, met)):
                return True
    return False


def _planted(stand: Stand, result: Found) -> None:
    assert stand.bare.experiment is not None
    if stand.bare.experiment().exact is None:
        return
    for fault in planted(stand):
        seen = found(stand, fault)
        if seen is None:
            continue
        how = f"{fault.size} {'relative' if fault.relative else 'absolute'}"
        where = "everywhere" if fault.share == SHARES[0] else f"on {float(fault.share):.0%} of the instances"
        hit, shown = seen
        result.faults[(how, where, hit)] += 1
        result.shown_faults += shown
        if not hit:
            result.missed_faults.append(f"{stand.name}: {how}, {where}")
        elif not shown:
            result.unshown_faults.append(f"{stand.name}: {how}, {where}")


def _near(stand: Stand, result: Found) -> None:
    for road, rejected, accepted in near_misses(stand):
        result.near[(road, "rejected", rejected)] += 1
        result.near[(road, "accepted", accepted)] += 1
        if not rejected or not accepted:
            what = "10 tolerances are not rejected" if not rejected else "0.1 tolerance is not accepted"
            result.near_lines.append(f"{stand.name}: {road}: {what}")


def _roads(stand: Stand, result: Found) -> None:
    assert stand.bare.experiment is not None
    roads, name = roads_of(stand.bare.experiment()), stand.clause.name
    found = result.shared.setdefault(stand.claim.id, [])
    for first, second in (("simulator", "layer"), ("simulator", "exact"), ("layer", "exact")):
        if first in roads and second in roads:
            both = f"{first} and {second}"
            found += [Sharing(function, both, name) for function in in_common(roads[first], roads[second])]
    for road, functions in roads.items():
        both = f"derivation and {road}"
        found += [Sharing(function, both, name) for function in of_symbols(functions, stand.bare.derivation)]
