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
from theory.search import _sides, agreement, exact_search
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
    assert (outcome.passed, outcome.trials, outcome.detail) == (False, 2, "no counterexample among 2 exact instances")
    assert outcome.counterexample is None
    assert exact_search(replace(route, limit=5), experiment().observe, y >= x, ()).passed is False


@pytest.mark.parametrize(("premise", "reproduced"), [(x > 0, True), (x >= 1, False)])
def test_an_implication_is_reproduced_only_where_floats_are_sure_of_its_premise(premise, reproduced):
    outcome = exact_search(experiment().exact, experiment().observe, sp.Implies(premise, y >= 2), ())
    assert outcome.counterexample is not None
    assert outcome.counterexample.instance == (("x", "1"),)
    assert outcome.counterexample.reproduced is reproduced


def endless():
    """More candidates than anything should try."""
    yield from map(Fraction, range(10**4))
    raise AssertionError("the search goes on for ever")


def test_a_search_without_end_stops_where_it_is_told_to():
    route = experiment(candidates=endless()).exact
    assert exact_search(route, experiment().observe, y >= 0, ()).trials == 2000


@pytest.mark.parametrize(("index", "trials", "at"), [("i", 4, "2"), ("j", 6, "2")])
@pytest.mark.parametrize("in_premise", [False, True])
def test_an_index_runs_over_the_coordinates_whether_a_statement_or_a_premise_has_it(index, trials, at, in_premise):
    """`i` from 1, `j` from 0; what violates says for which."""
    w, k = sp.IndexedBase("w"), sp.Symbol(index, integer=True)
    route = ExactRoute(
        candidates=lambda: [(1, 1, 1), (1, 1, -2)],
        observe=lambda v: {"p": 3, "w": v},
        describe=lambda v: (("w", str(v)),),
        lower=lambda v: v,
    )
    premises = (w[k] < 0,) if in_premise else ()
    statement = w[0] < 0 if in_premise else w[k] > 0

    def observe(v):
        return Observation({"p": 3, "w": np.array(v, dtype=float)[:, None]}, 1e-12)

    outcome = exact_search(route, observe, statement, premises)
    assert outcome.trials == (1 if in_premise else trials)
    assert outcome.counterexample is not None
    assert outcome.counterexample.instance == (("w", "(1, 1, -2)"), (index, at))
    assert outcome.counterexample.reproduced
    batches = [observe(v) for v in ((1, 1, 1), (1, 1, -2))]
    seen = agreement(batches, statement, premises)
    assert (seen.passed, seen.trials) == (False, 1 if in_premise else trials)


w, j = sp.IndexedBase("w"), sp.Symbol("j", integer=True)
event = sp.Symbol("event")
AT = {"x": Fraction(3), "y": Fraction(1, 2), "w": [Fraction(5), Fraction(7)], "j": 1, "event": False}

SAYS = [
    (sp.Eq(y, x**2), ("y = 9", "y = 1/2")),
    (sp.Eq(w[j], x), ("w[j] = 3", "w[j] = 7")),
    (y >= x, ("y >= x", "y = 1/2, x = 3")),
    (sp.Ne(x, 3), ("Ne(x, 3)", "x = 3, 3 = 3")),
    # the conclusion, where the premise is met
    (sp.Implies(x > 0, sp.Eq(y, 2)), ("y = 2", "y = 1/2")),
    # the part that is false
    (sp.And(x > 0, sp.Eq(y, 2), evaluate=False), ("y = 2", "y = 1/2")),
    (sp.And(x > 0, sp.Implies(x > 1, y > 1)), ("y > 1", "y = 1/2, 1 = 1")),
    (event, ("event", "false")),
]


@pytest.mark.parametrize(("statement", "says"), SAYS, ids=lambda v: str(v) if isinstance(v, sp.Basic) else "")
def test_both_sides_are_said(statement, says):
    assert _sides(statement, AT) == says


def test_of_what_has_no_sides_the_parts_are_told():
    same, either = sp.Equivalent(x > 0, y > 1), sp.Or(x < 0, y > 1)
    printed, seen = _sides(same, AT)
    assert printed == str(same)
    assert sorted(seen.split("; ")) == ["x > 0 is True", "y > 1 is False"]
    assert _sides(either, AT) == (str(either), "false")


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
    assert (outcome.passed, outcome.trials, outcome.tolerance) == (None, 250, 1e-12)
    assert outcome.max_error is not None
    assert 0 <= outcome.max_error <= 1e-12
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
    outcome = agreement(observed, statement, ())
    assert (outcome.passed, outcome.tolerance) == (True, 1e-12)
    assert outcome.max_error is not None
    assert 0 <= outcome.max_error <= 1e-12


def test_what_is_violated_is_false_though_nothing_else_is_tested():
    observed = [experiment().observe(batch) for batch in sample(np.random.default_rng(0))]
    assert agreement(observed, sp.And(y < 0, sp.Implies(x > 100, y < 0)), ()).passed is False
