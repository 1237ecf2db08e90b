"""Reports as records: every key with its value, for one clause and for several."""

from __future__ import annotations

import math
import platform
import sys
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest
import sympy as sp

from theory import serialise
from theory.derivation import Derivation
from theory.experiment import Experiment, Observation
from theory.ledger import (
    Claim,
    Clause,
    ClauseReport,
    Control,
    Counterexample,
    Evidence,
    Hypothesis,
    Measurement,
    Report,
)
from theory.serialise import clause_record, counterexample_record, environment, evidence_record, report_record, to_json

x, y = sp.symbols("x y", real=True)
FOUND = Counterexample((("x", "1/2"), ("i", "1")), "y = 1", "y = 1/4", reproduced=True, excluded=False)
DERIVED = Evidence("symbolic", False, 3, None, None, None, "3 steps proven", "derivation")
SEARCHED = Evidence("counterexample", True, 7, None, None, None, "found", "exact search", counterexample=FOUND)
SIMULATED = Evidence("simulation", True, 250, 1e-16, 1e-12, 5, "250 of 250", "simulator", "corrected")
CONTROL = Evidence("control", True, 9, math.inf, 1e-12, 5, "half: rejected", "simulator")
HYPOTHESES = (Hypothesis("x is real"), Hypothesis("x is not 0", sp.Ne(x, 0)))
PROOF = Derivation((), (), ())
NOTHING = Experiment("nothing", lambda rng: iter(()), lambda batch: Observation({}, 1.0))
FALSE = (Control("false", sp.false),)
CLAUSE = Clause(
    "the square", sp.Eq(y, 2 * x), lambda: NOTHING, lambda: PROOF, FALSE, HYPOTHESES, sp.Eq(y, x**2), name="square"
)
PART = ClauseReport(CLAUSE, (DERIVED, SEARCHED, SIMULATED, CONTROL), ("algebra",))
SIGN = Clause("the sign", y >= 0, lambda: NOTHING, lambda: PROOF, FALSE, HYPOTHESES[:1], condition=x > 1)
OTHER = ClauseReport(SIGN, (DERIVED,), ())
INSTANCE = {
    "instance": {"x": "1/2", "i": "1"},
    "printed": "y = 1",
    "actual": "y = 1/4",
    "reproduced": True,
    "excluded": False,
}
LINES = [
    {
        "kind": "symbolic", "check": "derivation", "passed": False, "trials": 3, "max_error": None, "tolerance": None,
        "seed": None, "detail": "3 steps proven", "about": "printed",
    },
    {
        "kind": "counterexample", "check": "exact search", "passed": True, "trials": 7, "max_error": None,
        "tolerance": None, "seed": None, "detail": "found", "about": "printed",
    },
    {
        "kind": "simulation", "check": "simulator", "passed": True, "trials": 250, "max_error": 1e-16,
        "tolerance": 1e-12, "seed": 5, "detail": "250 of 250", "about": "corrected",
    },
]  # fmt: skip
CONTROL_LINE = {
    "kind": "control", "check": "simulator", "passed": True, "trials": 9, "max_error": "inf", "tolerance": 1e-12,
    "seed": 5, "detail": "half: rejected",
}  # fmt: skip


def test_one_clause():
    assert report_record(Report(Claim("T-1", "this test", "on squares", (CLAUSE,)), (PART,), "simulation")) == {
        "id": "T-1",
        "source": "this test",
        "statement": "on squares",
        "verdict": str(PART.verdict),
        "printed": "Eq(y, 2*x)",
        "corrected": "Eq(y, x**2)",
        "hypotheses": ["x is real", "x is not 0"],
        "conditions": [],
        "counterexample": INSTANCE,
        "evidence": LINES,
        "controls": [CONTROL_LINE],
    }


def test_several_clauses_are_joined_and_listed():
    claim = Claim("T-2", "this test", "on squares", (OTHER.clause, CLAUSE))
    record = report_record(Report(claim, (OTHER, PART), "simulation"))
    assert record["printed"] == "(y >= 0) & (Eq(y, 2*x))"
    assert record["corrected"] == "(y >= 0) & (Eq(y, x**2))"
    assert record["counterexample"] == INSTANCE
    assert record["conditions"] == ["x > 1"]
    assert record["clauses"] == [clause_record(OTHER, 0), clause_record(PART, 1)]
    assert record["evidence"] == [{"clause": "0", **LINES[0]}, *({"clause": "square", **line} for line in LINES)]
    assert record["controls"] == [{"clause": "square", **CONTROL_LINE}]


def test_a_clause():
    assert clause_record(PART) == {
        "name": "square",
        "statement": "the square",
        "verdict": str(PART.verdict),
        "printed": "Eq(y, 2*x)",
        "corrected": "Eq(y, x**2)",
        "hypotheses": ["x is real", "x is not 0"],
        "used": ["algebra"],
        "conditions": [],
        "counterexample": INSTANCE,
        "evidence": LINES,
        "controls": [CONTROL_LINE],
    }
    other = clause_record(OTHER)
    assert (other["corrected"], other["conditions"], other["counterexample"]) == (None, ["x > 1"], None)


def test_a_claim_without_clauses_prints_nothing():
    record = report_record(Report(Claim("T-0", "", "", ()), (), "symbolic"))
    assert (record["printed"], record["corrected"], record["counterexample"]) == (None, None, None)
    assert (record["evidence"], record["conditions"]) == ([], [])


def test_effects_belong_to_data_alone():
    effect = Measurement("gain", "gain in points", 1.5, 1.0, 2.0, 0.95, 8, "seeds", "toy runs")
    line = evidence_record(Evidence("data", True, 8, None, None, None, "", "recorded runs", measured=(effect,)))
    assert line["measured"] == [
        {
            "symbol": "gain", "what": "gain in points", "estimate": 1.5, "interval": [1.0, 2.0], "confidence": 0.95,
            "n": 8, "units": "seeds", "data": "toy runs",
        }
    ]  # fmt: skip
    assert line["about"] == "printed"
    assert "measured" not in evidence_record(replace(SIMULATED, measured=(effect,)))


@pytest.mark.parametrize(("value", "shown"), [(None, None), (math.inf, "inf"), (np.float64(0.5), 0.5), (0.0, 0.0)])
def test_numbers_are_those_of_json(value, shown):
    record = evidence_record(replace(SIMULATED, max_error=value, tolerance=value))
    assert record["max_error"] == record["tolerance"] == shown
    assert type(record["max_error"]) is type(shown)


def test_no_counterexample_is_none():
    assert counterexample_record(None) is None


def test_environment_names_what_results_depend_on(monkeypatch):
    monkeypatch.setattr(serialise, "PACKAGES", (*serialise.PACKAGES, "no-such-package"))
    found = environment(seed=3, level="symbolic")
    assert {"filterlaw", "numpy", "scipy", "sympy", "numba", "matplotlib", "torch"} < found["packages"].keys()
    assert found["packages"]["sympy"] == metadata.version("sympy")
    assert found["packages"].pop("no-such-package") is None
    assert found == {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": found["packages"],
        "seed": 3,
        "level": "symbolic",
    }


def test_json_text_is_strict_indented_and_ends_with_a_line():
    assert to_json({"λ": 1}) == '{\n  "λ": 1\n}\n'
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="not JSON compliant"):
            to_json({"x": bad})
