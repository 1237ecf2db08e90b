"""The attack on what the suite certifies: falsehoods, mutants, rewritten truths, stubs, planted faults, shared code."""

from __future__ import annotations

import pkgutil
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import as_completed
from importlib import import_module

import numpy as np

from sim.processes import cores, starting, workers
from tests.attack.findings import Figure, Findings, Listing, Plan
from tests.attack.soundness import falsehoods
from tests.attack.soundness.breaking import Broken, Place, break_functions
from tests.attack.soundness.clauses import Found, Sharing, Work, attack_clauses
from tests.attack.soundness.falsehood import Falsehood
from tests.attack.soundness.mutation_attack import Tally
from tests.attack.soundness.roads import Function, Kind
from tests.attack.soundness.stubs import stubs, verified
from theory.claims import all_claims, home, together

MOST, MOST_IN_A_SAMPLE = 9, 6
"""Mutants of one true statement; a third as many of every other result of its derivation."""
SAMPLE = 30
"""Clauses in a sample."""
BROKEN_IN_A_SAMPLE = 16
"""Shared functions that are broken in a sample."""
LOST = "a process of the attack was killed"


def collected() -> tuple[Falsehood, ...]:
    """Every curated falsehood."""
    modules = pkgutil.walk_packages(falsehoods.__path__, f"{falsehoods.__name__}.")
    return tuple(told for m in modules for told in getattr(import_module(m.name), "FALSEHOODS", ()))


def attack(plan: Plan) -> Findings:
    """Attack every clause, or a sample of them, on two processes."""
    told = collected()
    works = _works(plan, told)
    found: list[Found] = []
    broken: list[Broken] = []
    with workers(min(2, cores(), len(works)), LOST) as pool:
        with starting():
            futures = [pool.submit(attack_clauses, work) for work in works]
        for n, future in enumerate(as_completed(futures), 1):
            found.append(future.result())
            plan.say(f"{n} of {len(works)} groups of clauses")
        # only once all is judged: while a function is broken nothing else may run in its process
        groups = _to_break(plan, found)
        breaks = [pool.submit(break_functions, group) for group in groups]
        for n, done in enumerate(as_completed(breaks), 1):
            broken += done.result()
            plan.say(f"{n} of {len(groups)} modules with shared functions")
    # as they finish is not as they were given
    order = sorted(range(len(found)), key=lambda n: str(found[n].judged) + str(sorted(found[n].shared)))
    return _findings(plan, told, [found[n] for n in order], sorted(broken, key=lambda each: each.function))


def _works(plan: Plan, told: Sequence[Falsehood]) -> list[Work]:
    """The clauses of each module together: they share experiments."""
    every = [(claim.id, clause.name) for claim in all_claims().values() for clause in claim.clauses]
    if plan.sample:
        rng = np.random.default_rng(plan.seed)
        every = [every[n] for n in sorted(rng.choice(len(every), SAMPLE, replace=False))]
    most = MOST_IN_A_SAMPLE if plan.sample else MOST
    works = []
    for ids in together(list(dict.fromkeys(claim for claim, _ in every))):
        names = tuple(place for place in every if place[0] in ids)
        here = tuple(f for f in told if (f.claim, f.clause) in names)
        works.append(Work(names, here, most, plan.seed))
    # the largest first, so that no process is left with one at the end
    return sorted(works, key=lambda work: (-len(work.clauses), home(work.clauses[0][0])))


def _findings(plan: Plan, told: Sequence[Falsehood], found: Sequence[Found], broken: Sequence[Broken] = ()) -> Findings:
    parts = (
        _of_falsehoods(told, found),
        _of_mutants(found),
        _of_truths(found, plan),
        _of_stubs(),
        _of_faults(found, plan),
        _of_roads(found),
        _of_broken(broken, plan),
    )
    figures = [figure for part in parts for figure in part[0]]
    listings = [listing for part in parts for listing in part[1]]
    return Findings(tuple(figures), tuple(listings))


Part = tuple[list[Figure], list[Listing]]


def _of_falsehoods(told: Sequence[Falsehood], found: Sequence[Found]) -> Part:
    judged = [line for each in found for line in each.judged]
    without = [id_ for id_ in all_claims() if id_ not in {f.claim for f in told}]
    kinds = Counter(kind for _, kind, *_ in judged)
    seen_false = [line for *_, refuted, by_any, line in judged if not refuted and by_any]
    unseen = [line for *_, refuted, by_any, line in judged if not refuted and not by_any]
    return [
        Figure("curated falsehoods", len(told), ">=", 300),
        Figure("claims without one", len(without), "=", 0),
        Figure("clauses on which the attack ended in an error", sum(len(each.broken) for each in found), "=", 0),
        Figure("falsehoods judged", len(judged)),
        Figure("falsehoods certified", sum(certified for _, _, certified, *_ in judged), "=", 0),
        Figure("falsehoods with an exact counterexample that the simulator shows", sum(line[3] for line in judged)),
        Figure("falsehoods found false without one, by derivation, floats or data", len(seen_false)),
        Figure("falsehoods left undecided by every check", len(unseen)),
    ], [
        Listing("Claims without a falsehood", tuple(without)),
        Listing("Clauses on which the attack ended in an error", _joined(each.broken for each in found)),
        Listing("Falsehoods judged, by kind", tuple(f"{kind}: {count}" for kind, count in kinds.most_common())),
        Listing("Falsehoods certified", tuple(line for _, _, certified, *_, line in judged if certified)),
        Listing("Falsehoods without an exact counterexample", tuple(sorted(seen_false))),
        Listing("Falsehoods left undecided by every check", tuple(sorted(unseen))),
    ]


def _of_mutants(found: Sequence[Found]) -> Part:
    tallies = [tally for each in found for tally in each.mutants]

    def total(name: str) -> int:
        return sum(getattr(tally, name) for tally in tallies)

    def lines(name: str) -> tuple[str, ...]:
        return tuple(sorted(line for tally in tallies for line in getattr(tally, name)))

    return [
        Figure("mutants of statements and results", total("made")),
        Figure("of these equivalent, by symbolic proof", total("equivalent")),
        Figure("of these true consequences, at exact points tried by another road", total("consequences")),
        Figure("of these true at observed instances, as SymPy evaluates them", total("seen")),
        Figure("of these certified, with nothing to try them at", len(lines("untried"))),
        Figure("of these refused: they have no value at some instance", total("refused")),
        Figure("mutants certified though false at an exact point", len(lines("fooled")), "=", 0),
        Figure("mutants rejected by the derivation alone", _counted(tallies, "alone")["derivation"]),
        Figure("slips asserted by a derivation", total("slips")),
        Figure("of these in derivations with definitions", total("grounded")),
        Figure("of those caught by the definitions", total("grounding")),
        Figure("slips caught by experiments", total("slips") - _open(tallies)),
        Figure("slips past the experiments that are true", total("true_slips")),
        Figure("slips past the experiments that only the definitions catch", len(lines("by_grounding_alone"))),
        Figure("slips past everything, not shown to be true", len(lines("open_slips")) + len(lines("unproven_slips"))),
        Figure("conditions with a mistake", sum(each.conditions for each in found)),
        Figure("of these certified and stronger than the condition", sum(each.conditions_stronger for each in found)),
        Figure("of these certified and true at exact points", sum(len(each.conditions_true) for each in found)),
        Figure("of these certified though false", sum(len(each.conditions_certified) for each in found), "=", 0),
        Figure("hypotheses dropped", sum(each.dropped for each in found)),
        Figure("of these not needed: certified, and instances violate them", _unneeded(found)),
        Figure("of these certified, and no instance violates them", sum(len(each.dropped_unseen) for each in found)),
        Figure(
            "of these certified, and not known to be unneeded", sum(len(each.dropped_needed) for each in found), "=", 0
        ),
    ], [
        Listing("Mutants rejected, by check", _counts(_counted(tallies, "rejections"))),
        Listing("Mutants certified though false", lines("fooled")),
        Listing("Mutants certified, with nothing to try them at", lines("untried")),
        Listing("Slips that only the definitions catch", lines("by_grounding_alone")),
        Listing("Slips past everything, not a consequence of what is derived", lines("open_slips")),
        Listing("Slips past everything, with no point to try them at", lines("unproven_slips")),
        Listing("Conditions certified though false", _joined(each.conditions_certified for each in found)),
        Listing("Other conditions that are true", _joined(each.conditions_true for each in found)),
        Listing("Hypotheses needed, and certified without", _joined(each.dropped_needed for each in found)),
        Listing("Hypotheses not needed, that no instance violates", _joined(each.dropped_unseen for each in found)),
    ]


def _open(tallies: Iterable[Tally]) -> int:
    return sum(
        t.true_slips + len(t.open_slips) + len(t.unproven_slips) + len(t.by_grounding_alone) for t in tallies
    )  # fmt: skip


def _unneeded(found: Sequence[Found]) -> int:
    return sum(each.dropped_certified - len(each.dropped_unseen) for each in found)


def _counted(tallies: Iterable[Tally], name: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(getattr(tally, name))
    return total


def _counts(counter: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{name}: {count:,}" for name, count in sorted(counter.items()))


def _joined(lines: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted(line for each in lines for line in each))


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0


def _goal(name: str, value: float, goal: float, plan: Plan, unit: str = "%") -> Figure:
    # of a sample of a few the share is left to chance
    return Figure(name, value, unit=unit) if plan.sample else Figure(name, value, ">=", goal, unit)


def _of_truths(found: Sequence[Found], plan: Plan) -> Part:
    lost = _joined(each.lost for each in found)
    clauses, made = sum(each.clauses for each in found), sum(each.variants for each in found)
    undecided = len({line.split(": ")[0] for line in lost})
    return [
        Figure("true statements written otherwise", made),
        Figure("of these accepted as the original is", _percent(made - len(lost), made), unit="%"),
        _goal("clauses that stay decided in every writing", _percent(clauses - undecided, clauses), 95, plan),
    ], [Listing("True statements that are not accepted as written", lost)]


def _of_stubs() -> Part:
    honest = verified()
    ended = {}
    for name, stub in stubs().items():
        with stub:
            ended[name] = verified()
    passed = tuple(name for name, end in ended.items() if not end.noticed)
    return [
        Figure("status of `filterlaw verify` without a stub", honest.status, "=", 0),
        Figure("stub judges and stub simulators installed in it", len(ended), ">=", 4),
        Figure("of these not noticed by its own gate", len(passed), "=", 0),
    ], [Listing("Stubs, and what the command said", tuple(f"{name}: {end.said}" for name, end in ended.items()))]


def _of_faults(found: Sequence[Found], plan: Plan) -> Part:
    faults: Counter[tuple[str, str, bool]] = Counter()
    near: Counter[tuple[str, str, bool]] = Counter()
    for each in found:
        faults.update(each.faults)
        near.update(each.near)
    kinds = sorted({(how, where) for how, where, _ in faults})
    by_kind = tuple(
        f"{how}, {where}: {faults[(how, where, True)]} of {faults[(how, where, True)] + faults[(how, where, False)]}"
        for how, where in kinds
    )
    seen = sum(count for (*_, hit), count in faults.items() if hit)
    shown = sum(each.shown_faults for each in found)
    missed = {what: sum(near[(road, what, False)] for road in ("simulator", "layer")) for what in _NEAR}
    return [
        Figure("planted faults of known size", sum(faults.values())),
        _goal("of these found by exact search (recall)", _percent(seen, sum(faults.values())), 95, plan),
        Figure("of these shown by the simulator, too", _percent(shown, sum(faults.values())), unit="%"),
        Figure("equations tried at 10 tolerances and at 0.1, by simulator and layer", sum(near.values()) // 2),
        Figure("of these not rejected at 10 tolerances", missed["rejected"], "=", 0),
        Figure("of these not accepted at 0.1 tolerance", missed["accepted"], "=", 0),
    ], [
        Listing("Planted faults found, by size", by_kind),
        Listing("Planted faults missed", _joined(each.missed_faults for each in found)),
        Listing(
            "Planted faults within the tolerance of a simulator that draws",
            _joined(each.unshown_faults for each in found),
        ),
        Listing("Equations that fail near their tolerance", _joined(each.near_lines for each in found)),
    ]


_NEAR = ("rejected", "accepted")


def _of_roads(found: Sequence[Found]) -> Part:
    shared = _sharing(found)
    claims: dict[Kind, set[str]] = {kind: set() for kind in _SHARED}
    by_function: dict[str, list[str]] = {}
    for claim, sharing in shared.items():
        for each in sharing:
            kind = "formula" if each.roads.startswith("derivation") else each.function.kind
            claims[kind].add(claim)
            ids = by_function.setdefault(f"{_SHARED[kind]}: {each.function}: {each.roads}", [])
            if claim not in ids:
                ids.append(claim)
    listing = tuple(f"{line} ({', '.join(ids)})" for line, ids in sorted(by_function.items()))
    return [
        Figure("claims whose roads were compared", len(shared)),
        Figure(f"claims with {_SHARED['reckons']}", len(claims["reckons"]), "=", 0),
        *(Figure(f"claims with {_SHARED[kind]}", len(ids)) for kind, ids in claims.items() if kind != "reckons"),
    ], [Listing("What roads have in common, beside instance records and checks of arguments", listing)]


_SHARED: dict[Kind, str] = {
    "reckons": "a function that reckons, on two roads",
    "formula": "a formula of the derivation as the value of a symbol of the statement",
    "instance": "a function that makes or describes instances, on two roads",
    "reads": "a function that reads values off what ran, on two roads",
}


def _sharing(found: Sequence[Found]) -> dict[str, list[Sharing]]:
    """What the roads of each claim share, in the order of the ledger."""
    every = {id_: sharing for each in found for id_, sharing in each.shared.items()}
    return {id_: every[id_] for id_ in all_claims() if id_ in every}


def _to_break(plan: Plan, found: Sequence[Found]) -> list[list[tuple[Function, list[Place]]]]:
    """The shared functions with the clauses that share them, in groups of one module; some of them for a sample."""
    places: dict[Function, list[Place]] = {}
    for claim, sharing in _sharing(found).items():
        for each in sharing:
            here = places.setdefault(each.function, [])
            if (claim, each.clause) not in here:
                here.append((claim, each.clause))
    functions = sorted(places)
    if plan.sample and len(functions) > BROKEN_IN_A_SAMPLE:
        rng = np.random.default_rng([plan.seed, 1])
        functions = [functions[n] for n in sorted(rng.choice(len(functions), BROKEN_IN_A_SAMPLE, replace=False))]
    groups: dict[str, list[tuple[Function, list[Place]]]] = {}
    for function in functions:
        groups.setdefault(function.module, []).append((function, places[function]))
    return list(groups.values())


def _of_broken(broken: Sequence[Broken], plan: Plan) -> Part:
    noticed = [each for each in broken if each.noticed]
    silent = [each for each in broken if not each.noticed]
    made = [each for each in silent if each.function.kind == "instance"]
    wide = [each for each in silent if each not in made and not each.unnoticed and each.tolerance]
    mute = [each for each in silent if each not in made and not each.unnoticed and not each.tolerance]
    missed = [each for each in silent if each not in made and each.unnoticed]
    reading = sum(each.function.kind != "instance" for each in noticed)
    fooled = len(missed)
    return [
        Figure("shared functions, broken on all roads at once", len(broken)),
        Figure("of these noticed, functions that make or describe instances", len(noticed) - reading),
        Figure("of these noticed, functions that read values off or reckon", reading),
        Figure(
            "of these noticed only once numbers were doubled, halved or negated", sum(each.doubled for each in noticed)
        ),
        Figure("of these not noticed: another instance was made", len(made)),
        Figure("of these not noticed: only a tolerance changed, controls still rejected", len(wide)),
        Figure("of these not noticed: nothing changed that a statement speaks of", len(mute)),
        # in a sample a function may be broken for one clause alone, which need not be the one that shows it
        Figure("of these not noticed though a statement speaks of what changed", fooled)
        if plan.sample
        else Figure("of these not noticed though a statement speaks of what changed", fooled, "=", 0),
    ], [
        Listing("Shared functions whose break was noticed, and by what", tuple(map(_noticed, noticed))),
        Listing("Shared functions whose break made another instance", tuple(str(each.function) for each in made)),
        Listing("Shared functions whose break changed only a tolerance", tuple(str(each.function) for each in wide)),
        Listing("Shared functions whose break changed nothing judged", tuple(str(each.function) for each in mute)),
        Listing(
            "Shared functions whose break nobody noticed",
            tuple(f"{each.function}: {'; '.join(each.unnoticed)}" for each in missed),
        ),
    ]


def _noticed(each: Broken) -> str:
    unnoticed = f"; not by {'; '.join(each.unnoticed)}" if each.unnoticed else ""
    return f"{each.function}: {'; '.join(each.noticed)}{unnoticed}{' (not by a seventh)' if each.doubled else ''}"
