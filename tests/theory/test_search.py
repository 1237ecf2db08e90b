"""What instances of the toy say of a statement: counterexamples are found, and what nothing tests is not decided."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from tests.theory.toy import ABOVE_OUTSIDE, DOUBLE, FALSE_CLAIM, claim, derivation, experiment, sample, x, y
from theory.experiment import ExactRoute, Observation
from theory.ledger import Verdict
from theory.search import agreement, exact_search
from theory.verify import verify


def test_a_counterexample_is_the_first_of_the_smallest_exact_and_reproduced():
    found = verify(ABOVE_OUTSIDE).clauses[0].counterexample
    assert found is not None
    assert found.instance == (("x", "1/2"),)
    assert found.reproduced
    assert found.excluded
    equation = verify(DOUBLE).clauses[0].counterexample
    assert equation is not None
    assert (equation.instance, equation.printed, equation.actual) == ((("x", "1"),), "y = 2", "y = 1")
    assert equation.excluded is None


def test_a_counterexample_that_the_simulator_does_not_show_is_inconclusive():
    # the simulator is honest on its random instances only
    faithful = experiment(lambda v: v**2 if v.size > 1 else 2 * v)
    report = verify(claim(FALSE_CLAIM, corrected=sp.Eq(y, x**2), run=faithful))
    assert report.clauses[0].counterexample is not None
    assert not report.clauses[0].counterexample.reproduced
    assert report.verdict == Verdict.INCONCLUSIVE


def test_exact_search_counts_what_it_tried_and_stops_at_its_limit():
    route = experiment().exact
    outcome = exact_search(replace(route, limit=3), experiment().observe, y >= 0, (x >= 0,))
    assert (outcome.passed, outcome.trials) == (False, 2)
    assert exact_search(replace(route, limit=5), experiment().observe, y >= x, ()).passed is False


def endless():
    """More candidates than anything should try."""
    yield from map(Fraction, range(10**4))
    raise AssertionError("the search goes on for ever")


def test_a_search_without_end_stops_where_it_is_told_to():
    route = experiment(candidates=endless()).exact
    assert exact_search(route, experiment().observe, y >= 0, ()).trials == 2000


def test_an_index_that_only_the_statement_has_runs_over_the_coordinates():
    w, i = sp.IndexedBase("w"), sp.Symbol("i", integer=True)
    route = ExactRoute(
        candidates=lambda: [(1, 1, 1), (1, 1, -2)],
        observe=lambda v: {"p": 3, "w": v},
        describe=lambda v: (("w", str(v)),),
        lower=lambda v: v,
    )
    outcome = exact_search(route, lambda v: Observation({"p": 3, "w": np.array(v)[:, None]}, 1e-12), w[i] > 0, ())
    assert outcome.trials == 4
    assert outcome.counterexample is not None
    assert outcome.counterexample.instance == (("w", "(1, 1, -2)"), ("i", "2"))


def test_agreement_reports_the_worst_instance_relative_to_its_tolerance():
    tolerance = np.array([1.0, 1e-3, 1e-3])
    observation = Observation({"p": 1, "x": np.array([0.0, 1.0, 2.0]), "y": np.array([0.5, 1.002, 2.0])}, tolerance)
    outcome = agreement([observation], sp.Eq(y, x), ())
    assert (outcome.passed, outcome.trials, outcome.tolerance) == (False, 3, 1e-3)
    assert outcome.max_error == pytest.approx(2e-3)
    assert outcome.detail == "2 of 3 instances agree"
    assert agreement([observation], sp.Eq(y, x), (x > 5,)).passed is None


def test_where_no_hypothesis_is_met_nothing_was_tried():
    outcome = agreement(list(map(experiment().observe, sample(np.random.default_rng(0)))), y >= 0, (x > 5,))
    assert (outcome.passed, outcome.trials, outcome.max_error, outcome.tolerance) == (None, 0, None, None)


UNTESTED = {
    "an implication whose premise is never met": sp.Implies(x > 100, sp.Eq(y, 7)),
    "the same within a conjunction": sp.And(y >= 0, sp.Implies(x > 100, y < 0)),
    "a premise that only a tie could meet": sp.Implies(sp.Eq(x, sp.Rational(1, 3)), y < 0),
    "strictly more, where all is a tie": y > x**2,
    "the same under a premise": sp.Implies(x > 0, y > x**2),
    "an equivalence of which one side is never true": sp.Equivalent(x > 100, y < 0),
    "an equivalence of which one side is never false": sp.Equivalent(x < 100, y >= 0),
}


@pytest.mark.parametrize("name", UNTESTED)
def test_floats_decide_nothing_where_nothing_is_tested(name):
    observed = [experiment().observe(batch) for batch in sample(np.random.default_rng(0))]
    outcome = agreement(observed, UNTESTED[name], ())
    assert outcome.passed is None
    assert outcome.detail.startswith("no instance shows that ")
    asserted = claim(UNTESTED[name], run=experiment(candidates=[]), derive=derivation(result=(UNTESTED[name],)))
    assert verify(asserted).verdict == Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "statement",
    [
        sp.Implies(x > 1, y > x),
        sp.And(y >= 0, sp.Implies(x > 1, y > x)),
        sp.Implies(x > 1, sp.Implies(x > 2, y > 4)),
        y > -1,
        y >= x**2,
        sp.Equivalent(x**2 > 4, y > 4),
    ],
    ids=str,
)
def test_what_some_instance_tests_is_decided(statement):
    observed = [experiment().observe(batch) for batch in sample(np.random.default_rng(0))]
    assert agreement(observed, statement, ()).passed is True


def test_what_is_violated_is_false_though_nothing_else_is_tested():
    observed = [experiment().observe(batch) for batch in sample(np.random.default_rng(0))]
    assert agreement(observed, sp.And(y < 0, sp.Implies(x > 100, y < 0)), ()).passed is False
