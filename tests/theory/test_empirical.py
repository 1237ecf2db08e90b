"""Empirical toy claims through the machinery: a planted effect is found, nothing else is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from tests.theory.toy import NON_NEGATIVE
from theory.derivation import Derivation
from theory.display import claim_page, ledger_lines, plain, row, summary
from theory.experiment import Measured, NotMeasured, Sample, Study
from theory.ledger import Claim, Clause, Control, Hypothesis, Report, Verdict
from theory.serialise import report_record, to_json
from theory.verify import on_intervals, verify

gain, other = sp.symbols("gain other", real=True)
LARGER, SMALLER = Control("ten times as much", gain > 10), Control("as much the other way", gain < -10)
EXCHANGED = Control("exchanged in every other seed", gain > 0, placebo=True)
CONTROLS = (LARGER, SMALLER, EXCHANGED)
SPREAD = (0.1, -0.2, 0.15, -0.05)


def study(values, what="gain in points", **more):
    samples = {"gain": Sample(tuple(values), what), **{k: Sample(tuple(v), k) for k, v in more.items()}}
    return Study("toy study", lambda records: Measured(samples, "toy runs"))


def failing(records):
    raise NotMeasured("no runs with gain = 2")


def clause(values=(), *, made=None, printed=gain > 0, controls=CONTROLS, **more):
    done = made or study(values, **more)
    return Clause(text="there is a gain", printed=printed, study=lambda: done, controls=controls)


def report(*clauses, level="cnn", records=None) -> Report:
    return verify(Claim("T-DATA", "this test", "there is a gain", clauses), level=level, records=records)


def around(mean, spread=1.0):
    return [mean + spread * e for e in SPREAD]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (around(1.0), Verdict.SUPPORTED),
        (around(-1.0), Verdict.UNSUPPORTED),
        (around(0.0), Verdict.INCONCLUSIVE),
        (around(0.1), Verdict.INCONCLUSIVE),
    ],
)
def test_planted_effects_are_found_and_no_effect_is_not(values, verdict):
    done = report(clause(values))
    assert done.verdict == verdict
    assert done.controls_rejected == (3, 3)
    (found,) = (e for e in done.clauses[0].evidence if e.kind == "data")
    assert found.trials == 4
    (effect,) = found.measured
    assert effect.estimate == pytest.approx(np.mean(values))
    assert effect.low <= effect.estimate <= effect.high
    assert row(report_record(done), 0.0).undecided is (verdict is Verdict.INCONCLUSIVE)


NOT_AS_SPECIFIED = {
    "two seeds": (clause((1.0, 1.1)), "needs 3 seeds or more, got 2"),
    "one seed": (clause((1.0,)), "needs 3 seeds or more, got 1"),
    "no seed": (clause(()), "needs 3 seeds or more, got 0"),
    "missing runs": (clause(made=Study("toy", failing)), "not measured: no runs with gain = 2"),
    "too noisy to refute ten times the effect": (clause(around(1.0, 500.0)), "gain = 1 in"),
    "an effect in which a control is true": (clause(around(20.0)), "gain = 20 in"),
    "a placebo that shows an effect": (clause((1.0, -1.1, 1.0, -1.1)), "gain = -0.05 in"),
    "a shorter sample beside a long one": (
        clause(around(1.0), printed=sp.And(gain > 0, other > 0), other=(1.0, 1.1)),
        "needs 3 seeds or more, got 2",
    ),
}


@pytest.mark.parametrize("case", NOT_AS_SPECIFIED)
def test_a_study_that_cannot_tell_is_inconclusive_and_no_result(case):
    tried, why = NOT_AS_SPECIFIED[case]
    done = report(tried)
    assert done.verdict == Verdict.INCONCLUSIVE
    assert not row(report_record(done), 0.0).undecided
    assert why in done.clauses[0].evidence[0].detail


def test_controls_are_not_tried_where_nothing_was_measured():
    done = report(clause(made=Study("toy", failing)))
    controls = [e for e in done.clauses[0].evidence if e.kind == "control"]
    assert [e.passed for e in controls] == [None] * 3
    assert {e.detail.split(": ")[1] for e in controls} == {"not tried"}
    assert "not tried" in plain(claim_page(done))


def test_false_alarms_are_as_rare_as_they_should_be():
    # a null effect may be "found" in either direction by one study in twenty, and never by more
    rng, trials = np.random.default_rng(1), 400
    verdicts = [report(clause(values)).verdict for values in rng.normal(0.0, 0.3, (trials, 4))]
    wrong = sum(verdict != Verdict.INCONCLUSIVE for verdict in verdicts)
    assert 0 < wrong < trials * 0.05 + 4 * np.sqrt(trials * 0.05 * 0.95)


def test_a_placebo_alone_does_not_make_a_control():
    with pytest.raises(ValueError, match="must have a control that is no placebo"):
        clause(around(1.0), controls=(EXCHANGED,))


DERIVED = NON_NEGATIVE.clauses[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"experiment": None}, "must have an `experiment` and a `derivation`, or a `study`"),
        ({"experiment": None, "study": lambda: study((1.0,))}, "must have a `study` or a `derivation`, not both"),
        ({"study": lambda: study((1.0,))}, "must have a `study` or a `derivation`, not both"),
        ({"controls": CONTROLS}, "must have a `study` to have a placebo"),
    ],
)
def test_a_derived_clause_cannot_borrow_from_data(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(DERIVED, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"corrected": gain > 1}, {"condition": gain > 1}, {"hypotheses": (Hypothesis("formal", other > 0),)}],
)
def test_data_judge_the_print_alone(changes):
    with pytest.raises(ValueError, match="must go without correction, condition and formal hypotheses"):
        replace(clause(around(1.0)), **changes)


def test_an_empirical_clause_has_no_derivation():
    tried = clause(around(1.0))
    assert tried.empirical
    assert tried.derivation() == Derivation((), (), ())
    assert not DERIVED.empirical


@pytest.mark.parametrize("level", ["symbolic", "simulation"])
def test_levels_below_cnn_leave_data_alone(level):
    looked = []

    def measure(records):
        looked.append(records)
        return Measured({}, "")

    done = report(clause(made=Study("toy", measure)), level=level)
    assert done.verdict == Verdict.INCONCLUSIVE
    assert done.controls_rejected == (0, 0)
    assert "--level cnn" in done.clauses[0].evidence[0].detail
    assert not row(report_record(done), 0.0).undecided
    assert looked == []


def test_the_folder_of_records_reaches_the_study():
    seen = []

    def measure(records):
        seen.append(records)
        return Measured({"gain": Sample(tuple(around(1.0)), "gain")}, f"runs in {records}")

    done = report(clause(made=Study("toy", measure)), records="mine")
    assert seen == ["mine"]
    assert done.clauses[0].evidence[0].detail.endswith("; runs in mine")


def test_derived_and_empirical_clauses_stand_side_by_side():
    both = report(DERIVED, clause(around(1.0)))
    assert [part.verdict for part in both.clauses] == [Verdict.HOLDS, Verdict.SUPPORTED]
    assert both.verdict == Verdict.SUPPORTED
    assert both.claim.empirical
    left = report(DERIVED, clause(around(0.0)))
    assert left.verdict == Verdict.INCONCLUSIVE
    assert row(report_record(left), 0.0).undecided
    broken = report(replace(DERIVED, controls=(Control("true", sp.Ge(sp.Symbol("y", real=True), 0)),)), clause(SPREAD))
    assert not row(report_record(broken), 0.0).undecided


def test_records_carry_effects_and_nothing_else_changes():
    record = report_record(report(clause(around(1.0))))
    assert json.loads(to_json(record)) == record
    (line,) = record["evidence"]
    (effect,) = line["measured"]
    assert effect == {
        "symbol": "gain",
        "what": "gain in points",
        "estimate": pytest.approx(1.0),
        "interval": [pytest.approx(0.7484, abs=1e-4), pytest.approx(1.2516, abs=1e-4)],
        "confidence": 0.95,
        "n": 4,
        "units": "seeds",
        "data": "toy runs",
    }
    assert "measured" not in report_record(verify(NON_NEGATIVE))["evidence"][0]


def test_what_is_undecided_is_listed_apart_from_successes():
    rows = [row(report_record(report(clause(around(mean)))), 0.0) for mean in (1.0, 0.0)]
    assert [r.good for r in rows] == [True, False]
    line = summary(rows)
    assert line.startswith("2 claims: 1 supported, 1 inconclusive; controls 6/6 rejected")
    assert line.endswith("; inconclusive because the data decide neither way: T-DATA")
    assert ledger_lines(rows)[-1] == line


def test_the_page_shows_effects_with_their_intervals():
    page = plain(claim_page(report(clause(around(1.0)))))
    for part in ("T-DATA  supported", "Effects", "gain in points", "[0.748, 1.25]", "measured on toy runs", "passes"):
        assert part in page, part
    assert "Derivation" not in page


def test_samples_must_be_finite():
    with pytest.raises(ValueError, match=r"values of 'gain' must be finite, got values\[1\] = nan"):
        Sample((1.0, float("nan")), "gain")


def test_a_statement_is_judged_on_the_effects_it_speaks_of():
    """What else was measured neither widens its interval nor, with too few seeds, leaves it open."""
    measured = study(around(1.0), other=[1.0]).measure(None)
    outcome = on_intervals(measured, gain > 0, 0.95)
    assert (outcome.passed, outcome.trials) == (True, 4)
    assert [effect.symbol for effect in outcome.measured] == ["gain"]


def test_a_statement_without_symbols_is_judged_on_all_that_was_measured():
    measured = study(around(1.0), other=around(2.0)).measure(None)
    outcome = on_intervals(measured, sp.false, 0.95)
    assert (outcome.passed, outcome.trials) == (False, 4)
    assert [effect.symbol for effect in outcome.measured] == ["gain", "other"]
    nothing = on_intervals(Measured({}, "no runs"), sp.true, 0.95)
    assert (nothing.passed, nothing.trials) == (None, 0)


def test_a_placebo_exchanges_every_other_pair():
    sample = Sample((1.0, 2.0, 3.0), "gain in points").exchanged()
    assert sample == Sample((1.0, -2.0, 3.0), "gain in points, exchanged")


@pytest.mark.parametrize("level", ["symbolic", "simulation"])
def test_data_are_not_asked_below_the_level_of_layers(level):
    done = report(clause(around(1.0)), level=level)
    assert done.verdict == Verdict.INCONCLUSIVE
    (asked,) = done.clauses[0].evidence
    assert (asked.kind, asked.passed, asked.trials) == ("data", None, 0)
