"""Toy claims through the whole machinery: each verdict is reached, and no stub helps a false claim to pass."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from tests.theory.toy import (
    ABOVE,
    ABOVE_OUTSIDE,
    DOUBLE,
    DOUBLE_CORRECTED,
    FALSE_CLAIM,
    NON_NEGATIVE,
    OUTSIDE,
    TOLERANCE,
    WRONG,
    claim,
    derivation,
    experiment,
    sample,
    told,
    x,
    y,
)
from theory.derivation import Step
from theory.experiment import Experiment, Observation
from theory.ledger import Claim, Control, Hypothesis, Verdict
from theory.serialise import report_record, to_json
from theory.verify import layered, simulated, verify


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


def test_checks_go_by_the_names_of_the_roads():
    names = [line.check for line in verify(NON_NEGATIVE, level="cnn").clauses[0].evidence if line.kind != "control"]
    assert names == ["derivation", "exact search", "simulator", "layer"]


def test_evidence_has_the_numbers_that_were_found():
    derived, searched, seen = (
        next(line for line in verify(DOUBLE_CORRECTED, seed=3).clauses[0].evidence if line.check == name)
        for name in ("derivation", "exact search", "simulator")
    )
    for line in (derived, searched):
        assert (line.seed, line.max_error, line.tolerance) == (None, None, None)
    assert (seen.seed, seen.tolerance) == (3, TOLERANCE)
    assert seen.max_error is not None
    assert seen.max_error > 1
    assert verify(DOUBLE_CORRECTED).seconds > 0.0


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
    for road in (simulated, layered):
        drawn = [
            road(replace(experiment(), name=name), seed)[0].values["x"] for name, seed in (("a", 0), ("a", 1), ("b", 0))
        ]
        assert not any(np.array_equal(drawn[0], others) for others in drawn[1:])
        again = road(replace(experiment(), name="a"), 0)[0].values["x"]
        assert np.array_equal(drawn[0], again)
    # the two roads draw instances of their own
    first, second = (road(experiment(), 0)[0].values["x"] for road in (simulated, layered))
    assert not np.array_equal(first, second)


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


def test_controls_are_reported_with_the_numbers_that_rejected_them():
    lines = [e for e in verify(NON_NEGATIVE, seed=3).clauses[0].evidence if e.kind == "control"]
    (half,) = (e for e in lines if e.check == "simulator" and e.detail.startswith("half"))
    assert (half.trials, half.tolerance, half.seed) == (250, TOLERANCE, 3)
    assert half.max_error is not None
    assert 1 < half.max_error <= 4.5
    assert half.detail.endswith(": rejected")


def test_an_experiment_needs_no_more_than_a_simulator():
    bare = Experiment("bare", sample, experiment().observe)
    assert (bare.exact, bare.layer, bare.layer_sample) == (None, None, None)
