"""Reports as plain records: what `filterlaw verify --json` writes.

Formulas are strings in SymPy syntax, numbers are JSON numbers; an infinite error (a false event has no distance) is
the string "inf". A record has no times in it, so that one environment and one seed give one file, byte for byte.
"""

from __future__ import annotations

import json
import math
import platform
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from sympy.logic.boolalg import Boolean

from theory.ledger import Clause, ClauseReport, Counterexample, Evidence, Measurement, Report, formula

PACKAGES = ("filterlaw", "numpy", "scipy", "sympy", "numba", "matplotlib", "torch")


def report_record(report: Report) -> dict[str, Any]:
    """A report as a JSON-ready dict; a claim of several clauses has each of them under "clauses" as well."""
    claim = report.claim
    several = len(report.clauses) > 1
    parts = [clause_record(part, n if several else None) for n, part in enumerate(report.clauses)]
    record = {
        "id": claim.id,
        "source": claim.source,
        "statement": claim.statement,
        "verdict": str(report.verdict),
        "printed": _conjunction([c.printed for c in claim.clauses]),
        "corrected": _corrected(claim.clauses),
        "hypotheses": list(claim.hypotheses),
        "conditions": [str(c.condition) for c in claim.clauses if c.condition is not None],
        "counterexample": next((p["counterexample"] for p in parts if p["counterexample"]), None),
        "evidence": [line for part in parts for line in part["evidence"]],
        "controls": [line for part in parts for line in part["controls"]],
    }
    return {**record, "clauses": parts} if several else record


def clause_record(report: ClauseReport, number: int | None = None) -> dict[str, Any]:
    """One clause's report as a JSON-ready dict; `number` marks its evidence where a claim has several clauses."""
    clause = report.clause
    mark = {} if number is None else {"clause": clause.name or str(number)}
    return {
        "name": clause.name,
        "statement": clause.text,
        "verdict": str(report.verdict),
        "printed": formula(clause.printed),
        "corrected": formula(clause.corrected),
        "hypotheses": [h.text for h in clause.hypotheses],
        "used": list(report.used),
        "conditions": [] if clause.condition is None else [str(clause.condition)],
        "counterexample": counterexample_record(report.counterexample),
        "evidence": [{**mark, **evidence_record(e)} for e in report.evidence if e.kind != "control"],
        "controls": [{**mark, **evidence_record(e)} for e in report.evidence if e.kind == "control"],
    }


def evidence_record(evidence: Evidence) -> dict[str, Any]:
    """One line of evidence as a JSON-ready dict."""
    record: dict[str, Any] = {
        "kind": evidence.kind,
        "check": evidence.check,
        "passed": evidence.passed,
        "trials": evidence.trials,
        "max_error": _number(evidence.max_error),
        "tolerance": _number(evidence.tolerance),
        "seed": evidence.seed,
        "detail": evidence.detail,
    }
    if evidence.kind == "control":
        return record
    effects = {"measured": [measurement_record(m) for m in evidence.measured]} if evidence.kind == "data" else {}
    return {**record, "about": evidence.about, **effects}


def measurement_record(measured: Measurement) -> dict[str, Any]:
    """An effect with its interval as a JSON-ready dict."""
    return {
        "symbol": measured.symbol,
        "what": measured.what,
        "estimate": measured.estimate,
        "interval": [measured.low, measured.high],
        "confidence": measured.confidence,
        "n": measured.n,
        "units": measured.units,
        "data": measured.data,
    }


def counterexample_record(found: Counterexample | None) -> dict[str, Any] | None:
    """A counterexample as a JSON-ready dict, or None."""
    if found is None:
        return None
    return {
        "instance": dict(found.instance),
        "printed": found.printed,
        "actual": found.actual,
        "reproduced": found.reproduced,
        "excluded": found.excluded,
    }


def environment(**run: Any) -> dict[str, Any]:
    """Versions of Python and of the packages that results depend on, the machine's kind, and the run's own settings."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "python": platform.python_version(),
        "platform": f"{sys.platform}-{platform.machine()}",
        "packages": versions,
        **run,
    }


def to_json(record: dict[str, Any]) -> str:
    """A record as strict JSON text (NaN and infinities are refused with a ValueError)."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _conjunction(statements: Sequence[Boolean]) -> str | None:
    if len(statements) < 2:
        return formula(statements[0]) if statements else None
    # joined as text: sp.And would simplify, and a printed contradiction would read "False"
    return " & ".join(f"({statement})" for statement in statements)


def _corrected(clauses: Sequence[Clause]) -> str | None:
    if all(clause.corrected is None for clause in clauses):
        return None
    return _conjunction([clause.true_statement for clause in clauses])


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return None if value is None else float(value)
    return str(float(value))
