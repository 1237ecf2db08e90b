"""The figures of the attack: what must not be is counted against its goal."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.attack.findings import Plan
from tests.attack.soundness import attack
from tests.attack.soundness.clauses import Found, Sharing
from tests.attack.soundness.falsehood import KINDS
from tests.attack.soundness.judging import clause_of, registered
from tests.attack.soundness.mutation_attack import Tally
from tests.attack.soundness.roads import Function
from theory.claims import all_claims

WHOLE = Plan(0, False)
CLEAN: dict[str, Any] = {
    "judged": [("C-E4", "sign", False, True, True, "C-E4: refuted")],
    "mutants": [Tally(made=9, slips=5, true_slips=1, rejections=Counter({"derivation": 8}))],
    "variants": 40,
    "clauses": 20,
    "faults": Counter({("1 absolute", "everywhere", True): 20}),
    "near": Counter({("simulator", "rejected", True): 3, ("simulator", "accepted", True): 3}),
    "shared": {"C-E4": []},
}
BROKEN: dict[str, dict[str, Any]] = {
    "falsehoods certified": {"judged": [("C-E4", "sign", True, False, False, "C-E4: holds")]},
    "mutants certified though false at an exact point": {"mutants": [Tally(made=1, fooled=["C-E4: sign"])]},
    "of these certified though false": {"conditions_certified": ["C-E4: x"]},
    "of these certified, and not known to be unneeded": {"dropped_needed": ["C-E4: without x"]},
    "clauses that stay decided in every writing": {"lost": ["C-E4: expanded: x", "C-E3: expanded: x"]},
    "of these found by exact search (recall)": {"faults": Counter({("1 absolute", "everywhere", False): 20})},
    "of these not rejected at 10 tolerances": {"near": Counter({("layer", "rejected", False): 1})},
    "of these not accepted at 0.1 tolerance": {"near": Counter({("layer", "accepted", False): 1})},
}


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(attack, "_of_stubs", lambda: ([], []))
    return attack.collected()


def missed(told, found):
    return {figure.name for figure in attack._findings(WHOLE, told, [found]).figures if not figure.met}


def test_a_clean_attack_misses_nothing_of_its_own(told):
    assert missed(told, Found(**CLEAN)) <= {"claims without one"}


@pytest.mark.parametrize("name", BROKEN)
def test_what_must_not_be_misses_its_goal(told, name):
    assert name in missed(told, Found(**{**CLEAN, **BROKEN[name]}))


def test_falsehoods_are_registered_where_they_can_be(told):
    assert len(told) >= 300
    for falsehood in told:
        _, clause = clause_of(falsehood.claim, falsehood.clause)
        assert falsehood.kind in KINDS
        registered(clause, falsehood.statement, falsehood.as_, falsehood.without)
        assert falsehood.statement not in [control.statement for control in clause.controls] or falsehood.without


def test_the_whole_attack_has_every_clause_and_a_sample_is_drawn_by_its_seed(told):
    every = [place for work in attack._works(WHOLE, told) for place in work.clauses]
    assert sorted(every) == sorted((c.id, x.name) for c in all_claims().values() for x in c.clauses)
    assert sum(len(work.falsehoods) for work in attack._works(WHOLE, told)) == len(told)
    samples = [attack._works(Plan(seed, True), told) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert sum(len(work.clauses) for work in samples[0]) == attack.SAMPLE


def test_shared_code_is_told_apart():
    grid, formula = Function("sim.grid", "f"), Function("theory.derive.wide", "g")
    shared = [Sharing(grid, "simulator and layer", ""), Sharing(formula, "derivation and layer", "")]
    figures, (listing,) = attack._of_roads([Found(shared={"C-E4": shared, "C-E3": []})])
    assert [figure.value for figure in figures] == [2, 0, 1, 1, 0]
    assert listing.lines == (
        "a formula of the derivation as the value of a symbol of the statement: "
        "theory.derive.wide.g: derivation and layer (C-E4)",
        "a function that makes or describes instances, on two roads: sim.grid.f: simulator and layer (C-E4)",
    )
