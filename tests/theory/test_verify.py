"""Toy claims through the whole machinery: each verdict is reached, and no stub helps a false claim to pass.

The toy: y = x^2, observed by squaring. Statements speak of x and y.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from theory.derivation import Derivation, Step
from theory.experiment import ExactRoute, Experiment, Observation
from theory.ledger import Claim, Clause, Control, Hypothesis, Verdict
from theory.search import agreement, exact_search
from theory.serialise import report_record, to_json
from theory.verify import verify

x, y = sp.symbols("x y", real=True)
t = sp.Symbol("t", nonnegative=True)
TOLERANCE = 1e-12
EXACT = [Fraction(n, d) for d in (1, 2) for n in (0, 1, -1, 3, -3)]
OUTSIDE = sp.Or(x <= 0, x >= 1)


def sample(rng):
    yield rng.uniform(-2.0, 2.0, size=200)
    yield rng.uniform(1.0, 3.0, size=50)


def square(x_values):
    return x_values**2


def experiment(observed=square, exact=square, *, tolerance=TOLERANCE, draw=sample, candidates=EXACT, layer=square):
    """The toy's experiment, with any of its routes replaced by a stub."""

    def route(f):
        return lambda batch: Observation({"p": 1, "x": batch, "y": f(batch)}, tolerance)

    rational = ExactRoute(
        candidates=lambda: candidates,
        observe=lambda v: {} if exact(v) is None else {"p": 1, "x": v, "y": exact(v)},
        describe=lambda v: (("x", str(v)),),
        lower=lambda v: np.array([float(v)]),
    )
    return Experiment("toy", draw, route(observed), rational, route(layer))


def derivation(*steps, result=None):
    """What is true of the toy."""
    given = (
        Step("a square", x**2 >= 0),
        Step("beyond 1, with x = 1 + t", (1 + t) ** 2 - (1 + t) >= 0, certificate=t + t**2),
        Step("below 0, with x = -t", (-t) ** 2 - (-t) >= 0, certificate=t + t**2),
    )
    true = (sp.Eq(y, x**2), y >= 0, sp.Implies(OUTSIDE, y >= x))
    return Derivation(true if result is None else result, ("x is real",), steps or given)


WRONG = (Control("half", sp.Eq(y, x**2 / 2)), Control("sign", y <= -1))


def claim(printed, *, run=None, derive=None, controls=WRONG, **changes):
    made, proof = run or experiment(), derive or derivation()
    clause = Clause("the toy", printed, lambda: made, lambda: proof, controls, **changes)
    return Claim("T-TOY", "this test", "a statement on squares", (clause,))


NON_NEGATIVE = claim(y >= 0)
ABOVE = claim(y >= x)
ABOVE_OUTSIDE = claim(y >= x, condition=OUTSIDE)
DOUBLE = claim(sp.Eq(y, 2 * x))
DOUBLE_CORRECTED = claim(sp.Eq(y, 2 * x), corrected=sp.Eq(y, x**2))


@pytest.mark.parametrize("level", ["symbolic", "simulation", "cnn"])
@pytest.mark.parametrize(
    ("toy", "verdict"),
    [
        (NON_NEGATIVE, Verdict.HOLDS),
        (ABOVE, Verdict.REFUTED),
        (ABOVE_OUTSIDE, Verdict.CONDITIONAL),
        (DOUBLE, Verdict.REFUTED),
        (DOUBLE_CORRECTED, Verdict.CORRECTED),
    ],
    ids=["holds", "refuted", "conditional", "refuted equation", "corrected"],
)
def test_each_verdict_through_the_whole_machinery(toy, verdict, level):
    report = verify(toy, level=level)
    assert report.verdict == verdict
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0


def test_levels_add_kinds_of_evidence():
    kinds = [
        {e.kind for e in verify(NON_NEGATIVE, level=level).clauses[0].evidence}
        for level in ("symbolic", "simulation", "cnn")
    ]
    assert kinds[0] == {"symbolic", "counterexample", "control"}
    assert kinds[1] == kinds[0] | {"simulation"}
    assert kinds[2] == kinds[1] | {"cnn"}


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


def test_a_claim_is_as_good_as_its_worst_clause():
    both = Claim("T-2", "this test", "both", (*NON_NEGATIVE.clauses, *DOUBLE.clauses))
    report = verify(both)
    assert [part.verdict for part in report.clauses] == [Verdict.HOLDS, Verdict.REFUTED]
    assert report.verdict == Verdict.REFUTED
    record = report_record(report)
    assert [part["verdict"] for part in record["clauses"]] == ["holds", "refuted"]
    assert record["printed"] == "(y >= 0) & (Eq(y, 2*x))"
    assert {line["clause"] for line in record["evidence"]} == {"0", "1"}


def test_the_same_seed_gives_the_same_record_and_another_seed_another():
    records = [to_json(report_record(verify(DOUBLE, seed=seed))) for seed in (0, 0, 1)]
    assert records[0] == records[1] != records[2]


FALSE_CLAIM = sp.Eq(y, 2 * x)


def told(result, *steps):
    return derivation(*steps, result=result)


STUBS = {
    "the simulator returns the formula": {"run": experiment(lambda v: 2 * v, layer=lambda v: 2 * v)},
    "simulator and layer do, the exact route sees nothing": {
        "run": experiment(lambda v: 2 * v, lambda v: None, layer=lambda v: 2 * v)
    },
    "all observers return the formula": {"run": experiment(lambda v: 2 * v, lambda v: 2 * v, layer=lambda v: 2 * v)},
    "the derivation just says so": {"derive": told((FALSE_CLAIM,))},
    "derivation and exact route say so": {"derive": told((FALSE_CLAIM,)), "run": experiment(exact=lambda v: 2 * v)},
    "derivation, exact route and simulator say so, the layer does not": {
        "derive": told((FALSE_CLAIM,)),
        "run": experiment(lambda v: 2 * v, lambda v: 2 * v),
    },
    "the derivation has a false step": {"derive": told((FALSE_CLAIM,), Step("wrong", sp.Eq(x**2, 2 * x)))},
    "nothing is ever sampled": {
        "derive": told((FALSE_CLAIM,)),
        "run": experiment(draw=lambda rng: iter(()), candidates=[]),
    },
    "observations are NaN": {
        "derive": told((FALSE_CLAIM,)),
        "run": experiment(lambda v: v * np.nan, lambda v: None, layer=lambda v: v * np.nan),
    },
    "the tolerance lets everything pass": {
        "derive": told((FALSE_CLAIM,)),
        "run": experiment(tolerance=1e9, candidates=[]),
    },
    "the hypothesis is never met": {
        "derive": told((FALSE_CLAIM,)),
        "hypotheses": (Hypothesis("x is large", x > 100),),
    },
    "only the two points where it is true are tried": {
        "derive": told((FALSE_CLAIM,)),
        "run": experiment(draw=lambda rng: iter([np.array([0.0, 2.0])]), candidates=[Fraction(0), Fraction(2)]),
        "controls": (Control("half", sp.Eq(y, x)), Control("negative x", sp.Implies(x < 0, y < 0))),
    },
}


@pytest.mark.parametrize("stub", STUBS)
def test_no_stub_helps_a_false_claim(stub):
    assert verify(claim(FALSE_CLAIM, **STUBS[stub])).verdict in (Verdict.INCONCLUSIVE, Verdict.REFUTED)


@pytest.mark.parametrize("stub", STUBS)
def test_no_stub_turns_a_wrong_correction_into_a_result(stub):
    # the correction y = 3x is as wrong as the printed y = 2x
    wrong = claim(FALSE_CLAIM, corrected=sp.Eq(y, 3 * x), **STUBS[stub])
    assert verify(wrong).verdict == Verdict.INCONCLUSIVE


def test_a_true_claim_with_a_false_step_is_inconclusive():
    report = verify(claim(y >= 0, derive=derivation(Step("wrong", sp.Eq(x**2, 2 * x)))))
    assert report.verdict == Verdict.INCONCLUSIVE
    assert "step not confirmed: wrong" in report.clauses[0].evidence[0].detail


def test_a_true_claim_that_the_derivation_does_not_reach_is_inconclusive():
    assert verify(claim(y >= 0, derive=told((y >= x - 1,)))).verdict == Verdict.INCONCLUSIVE


def test_a_condition_that_does_not_exclude_the_counterexample_is_inconclusive():
    late = claim(y >= x, condition=x <= Fraction(1, 2), derive=told((sp.Implies(x <= sp.Rational(1, 2), y >= x),)))
    assert verify(late).verdict == Verdict.INCONCLUSIVE


def test_a_counterexample_that_the_simulator_does_not_show_is_inconclusive():
    # the simulator is honest on its random instances only
    faithful = experiment(lambda v: v**2 if v.size > 1 else 2 * v)
    report = verify(claim(FALSE_CLAIM, corrected=sp.Eq(y, x**2), run=faithful))
    assert report.clauses[0].counterexample is not None
    assert not report.clauses[0].counterexample.reproduced
    assert report.verdict == Verdict.INCONCLUSIVE


def test_a_control_that_one_check_cannot_tell_is_reported():
    # y > 0 fails at x = 0 alone, which no random instance hits
    report = verify(claim(y >= 0, controls=(*WRONG, Control("strict", y > 0))))
    fooled = [e for e in report.clauses[0].evidence if e.kind == "control" and not e.passed]
    assert [e.detail for e in fooled] == ["strict: FOOLED THE CHECK"] * 2
    assert {e.check for e in fooled} == {"simulator", "layer"}
    assert report.verdict == Verdict.INCONCLUSIVE


def test_a_control_that_is_true_fools_every_check():
    report = verify(claim(y >= 0, controls=(Control("true", sp.Eq(y, x**2)),)))
    assert report.controls_rejected == (0, 4)
    assert report.verdict == Verdict.INCONCLUSIVE


def test_hypotheses_are_premises():
    outside = claim(y >= x, hypotheses=(Hypothesis("x is outside (0, 1)", OUTSIDE), Hypothesis("x is a number")))
    report = verify(outside)
    assert report.verdict == Verdict.HOLDS
    assert report.clauses[0].used == ("x is real",)


def test_an_experiment_without_an_exact_route_gives_no_counterexample():
    blind = replace(experiment(), exact=None)
    assert verify(claim(y >= 0, run=blind)).verdict == Verdict.HOLDS
    assert verify(claim(y >= x, run=blind)).verdict == Verdict.INCONCLUSIVE


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0", None])
def test_seed_is_checked(seed):
    with pytest.raises(ValueError, match="seed must be an integer >= 0, got"):
        verify(NON_NEGATIVE, seed=seed)


def test_level_is_checked():
    with pytest.raises(ValueError, match="level must be one of symbolic, simulation, cnn, got 'all'"):
        verify(NON_NEGATIVE, level="all")  # type: ignore[arg-type]


@pytest.mark.parametrize("tolerance", [0.0, -1.0, np.nan, np.inf, np.array([1e-9, np.nan])])
def test_a_tolerance_must_be_positive_and_finite(tolerance):
    with pytest.raises(ValueError, match="tolerance must be positive and finite"):
        Observation({}, tolerance)


def test_exact_search_counts_what_it_tried_and_stops_at_its_limit():
    route = experiment().exact
    outcome = exact_search(replace(route, limit=3), experiment().observe, y >= 0, (x >= 0,))
    assert (outcome.passed, outcome.trials) == (False, 2)
    assert exact_search(replace(route, limit=5), experiment().observe, y >= x, ()).passed is False


def test_agreement_reports_the_worst_instance_relative_to_its_tolerance():
    tolerance = np.array([1.0, 1e-3, 1e-3])
    observation = Observation({"p": 1, "x": np.array([0.0, 1.0, 2.0]), "y": np.array([0.5, 1.002, 2.0])}, tolerance)
    outcome = agreement([observation], sp.Eq(y, x), ())
    assert (outcome.passed, outcome.trials, outcome.tolerance) == (False, 3, 1e-3)
    assert outcome.max_error == pytest.approx(2e-3)
    assert outcome.detail == "2 of 3 instances agree"
    assert agreement([observation], sp.Eq(y, x), (x > 5,)).passed is None


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


def test_controls_are_reported_with_the_numbers_that_rejected_them():
    lines = [e for e in verify(NON_NEGATIVE, seed=3).clauses[0].evidence if e.kind == "control"]
    (half,) = (e for e in lines if e.check == "simulator" and e.detail.startswith("half"))
    assert (half.trials, half.tolerance, half.seed) == (250, TOLERANCE, 3)
    assert half.max_error is not None
    assert 1 < half.max_error <= 4.5


def test_where_no_hypothesis_is_met_nothing_was_tried():
    outcome = agreement(list(map(experiment().observe, sample(np.random.default_rng(0)))), y >= 0, (x > 5,))
    assert (outcome.passed, outcome.trials, outcome.max_error, outcome.tolerance) == (None, 0, None, None)


def test_an_experiment_needs_no_more_than_a_simulator():
    bare = Experiment("bare", sample, experiment().observe)
    assert (bare.exact, bare.layer, bare.layer_sample) == (None, None, None)


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
