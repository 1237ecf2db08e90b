"""The attack would notice: machinery that is made to certify falsehoods is caught by each part of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

import theory.ledger
import theory.search
import theory.verify
from tests.attack.soundness import stubs
from tests.attack.soundness.clauses import Found, _rewritten, violated
from tests.attack.soundness.faults import found, near_misses, off_by, planted
from tests.attack.soundness.mutation_attack import attack_clause
from tests.attack.soundness.stand import Stand
from tests.theory.toy import DOUBLE_CORRECTED, NON_NEGATIVE, claim, experiment, told, x, y
from theory.derivation import Derivation
from theory.ledger import Verdict
from theory.search import Outcome


def stand(toy=DOUBLE_CORRECTED):
    return Stand(toy, toy.clauses[0])


def attacked(toy=DOUBLE_CORRECTED):
    return attack_clause(stand(toy), 30, np.random.default_rng(0))


@pytest.fixture
def credulous(monkeypatch):
    """Machinery that believes everything."""
    agrees = Outcome(True, 1, 0.0, 1.0, "believed")
    none = Outcome(False, 1, None, None, "none looked for")
    monkeypatch.setattr(Derivation, "entails", lambda self, statement, premises=(): statement != sp.false)
    monkeypatch.setattr(
        theory.verify, "agreement", lambda o, statement, p: replace(agrees, passed=statement != sp.false)
    )
    monkeypatch.setattr(
        theory.verify, "exact_search", lambda r, o, statement, *_: replace(none, passed=statement == sp.false)
    )


def test_honest_machinery_certifies_no_mutant_that_is_false():
    tally = attacked()
    assert tally.made >= 10
    assert not tally.fooled
    assert not tally.untried
    assert tally.consequences >= 2, "y <= x^2 and y >= x^2 are true"
    assert tally.rejections["simulator"] >= 6
    assert not tally.open_slips


def test_credulous_machinery_is_caught(credulous):
    tally = attacked()
    assert len(tally.fooled) >= 6
    assert any("false at" in line for line in tally.fooled)


def test_a_slip_that_nothing_can_see_is_reported():
    # the simulator tries nothing but 0, where y = x^2 and y = 2 x^2 are the same
    blind = replace(experiment(draw=lambda rng: iter([np.zeros(3)])), exact=None)
    tally = attacked(claim(sp.Eq(y, x**2), run=blind, derive=told((sp.Eq(y, x**2),))))
    assert any("2*x**2" in line for line in tally.open_slips)


def test_a_slip_past_the_experiments_is_caught_by_definitions():
    blind = replace(experiment(draw=lambda rng: iter([np.zeros(3)])), exact=None)
    grounded = replace(told((sp.Eq(y, x**2),)), definitions=(sp.Eq(y, x**2),))
    tally = attacked(claim(sp.Eq(y, x**2), run=blind, derive=grounded))
    assert any("2*x**2" in line for line in tally.by_grounding_alone)
    assert not any("2*x**2" in line for line in tally.open_slips)
    assert tally.grounded >= tally.grounding > 0


def test_a_truth_that_is_not_recognised_is_reported(monkeypatch):
    result = Found()
    _rewritten(stand(), result)
    assert result.variants >= 4
    assert not result.lost
    monkeypatch.setattr(Derivation, "entails", lambda self, statement, premises=(): statement in self.result)
    _rewritten(stand(), lame := Found())
    assert len(lame.lost) == lame.variants


def test_planted_faults_are_found_and_a_blind_search_is_not_believed(monkeypatch):
    here = stand()
    faults = list(planted(here))
    assert {float(fault.size) for fault in faults} == {1, 1e-2, 1e-4, 1e-6}
    assert {float(fault.share) for fault in faults} == {1, 0.5}
    assert {found(here, fault) for fault in faults} == {(True, True)}
    zero = Stand(here.claim, replace(here.clause, corrected=sp.Eq(y - x**2, 0)))
    assert [found(zero, f) for f in planted(zero) if f.relative] == [None] * 4, "a multiple of zero is no fault"
    guarded = Stand(here.claim, replace(here.clause, corrected=sp.Implies(x > 100, sp.Eq(y, x**2))))
    assert {found(guarded, fault) for fault in planted(guarded)} == {None}, "what is not claimed anywhere is no fault"
    blind = Stand(here.claim, replace(here.clause, experiment=lambda: experiment(candidates=[])))
    assert {found(blind, fault) for fault in faults} == {None}, "no instance shows them"
    monkeypatch.setattr("tests.attack.soundness.faults.shows", lambda *_: True)
    assert {found(blind, fault) for fault in faults} == {(False, False)}
    coarse = Stand(here.claim, replace(here.clause, experiment=lambda: experiment(tolerance=1e-3)))
    assert [found(coarse, f) for f in faults if f.relative] == [(True, True)] * 2 + [(True, False)] * 2


def test_near_misses_are_told_apart_and_a_tolerance_that_is_off_is_noticed(monkeypatch):
    assert set(near_misses(stand())) == {("simulator", True, True), ("layer", True, True)}
    agreement = theory.search.agreement
    for factor, expected in ((20, (False, True)), (0.05, (True, False))):

        def loose(observations, statement, premises, factor=factor):
            scaled = [replace(o, tolerance=factor * np.asarray(o.tolerance)) for o in observations]
            return agreement(scaled, statement, premises)

        monkeypatch.setattr("tests.attack.soundness.faults.agreement", loose)
        assert {row[1:] for row in near_misses(stand())} == {expected}


def test_only_the_equation_asked_about_is_off():
    equation = sp.Eq(y, x**2)
    assert off_by(sp.And(equation, y >= 0), equation, sp.Integer(1)) == sp.And(sp.Eq(y, x**2 + 1), y >= 0)


def test_an_instance_that_violates_a_premise_is_seen():
    assert violated(stand(NON_NEGATIVE), x >= 0, ())
    assert not violated(stand(NON_NEGATIVE), x >= -10, ())
    assert not violated(stand(NON_NEGATIVE), x >= 0, (x >= 1,))


def test_stubs_are_noticed_and_without_the_gate_they_are_not(monkeypatch):
    assert stubs.verified().status == 0
    with stubs.judge_that_says(Verdict.HOLDS):
        assert stubs.verified().noticed
    with stubs.simulator_that_returns("printed"):
        assert stubs.verified().noticed
    monkeypatch.setattr("theory.claims.run.require_sound", lambda: None)
    with stubs.judge_that_says(Verdict.HOLDS):
        assert stubs.verified() == stubs.Ended(0, "")


def test_a_stub_simulator_returns_what_it_is_told():
    values = stubs.returning(experiment(), sp.Eq(y, 2 * x)).observe(np.array([3.0])).values
    assert values["y"] == 6
