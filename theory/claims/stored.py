"""A ledger read back from the JSON that `filterlaw verify --json` wrote, and held against the claims as they are now.

A verdict is not believed: it is computed again from the evidence in the file, by the same rule (`theory.ledger.judge`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from sim.errors import printable
from sim.json_files import read_json
from theory.claims import all_claims
from theory.ledger import Claim, Counterexample, Evidence, Kind, Reading, combine, formula, judge

_CLAIM: Mapping[str, type | tuple[type, ...]] = {
    "statement": str,
    "source": str,
    "verdict": str,
    "hypotheses": list,
    "evidence": list,
    "controls": list,
}
_EVIDENCE: Mapping[str, type | tuple[type, ...]] = {
    "kind": str,
    "check": str,
    "detail": str,
    "trials": int,
    "passed": (bool, type(None)),
    "max_error": (int, float, str, type(None)),
    "tolerance": (int, float, str, type(None)),
}


def read_ledger(path: str | os.PathLike[str]) -> dict[str, Any]:
    """A ledger file as {"environment": {...}, "claims": [...]}, other keys dropped.

    Raises ValueError, which says what is wrong, for a file that cannot be read, is not such a ledger, holds statements
    other than those of this version, or states a verdict that does not follow from its evidence.
    """
    name = os.fspath(path)
    ledger = read_json(path, "ledger")
    try:
        return checked(ledger)
    except ValueError as error:
        raise ValueError(f"ledger {name!r} must be a file that `filterlaw verify --json` wrote: {error}") from error


def checked(ledger: Any) -> dict[str, Any]:
    """The ledger's environment and claims, once they are known to be sound; ValueError says what is not."""
    if not isinstance(ledger, dict) or not isinstance(ledger.get("claims"), list) or not ledger["claims"]:
        raise ValueError("it has no list of claims")
    environment = ledger.get("environment")
    packages = environment.get("packages") if isinstance(environment, dict) else None
    if not isinstance(packages, dict) or not all(isinstance(of, str | None) for of in packages.values()):
        raise ValueError("it does not say in which environment it was made")
    seen: set[str] = set()
    for record in ledger["claims"]:
        id_ = record.get("id") if isinstance(record, dict) else None
        if not isinstance(id_, str) or id_ not in all_claims():
            raise ValueError(f"it has a claim {printable(repr(id_))}, which is not known here")
        if id_ in seen:
            raise ValueError(f"it has claim {id_} twice")
        seen.add(id_)
        _check_claim(record, all_claims()[id_])
    return {"environment": environment, "claims": ledger["claims"]}


def parts_of(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The records of a claim's clauses: the claim's own record where it has one clause only."""
    return list(record.get("clauses", [record]))


def _check_claim(record: Mapping[str, Any], claim: Claim) -> None:
    _check_fields(record, _CLAIM, claim.id)
    if not isinstance(record.get("clauses", []), list):
        raise ValueError(f"{claim.id} has no proper 'clauses'")
    parts = parts_of(record)
    if len(parts) != len(claim.clauses):
        raise ValueError(f"{claim.id} has {len(parts)} clauses, not {len(claim.clauses)} as in this version")
    if record["statement"] != claim.statement:
        raise ValueError(f"{claim.id} states something else than in this version")
    verdicts = []
    for number, (part, clause) in enumerate(zip(parts, claim.clauses, strict=True), 1):
        where = claim.id if len(parts) == 1 else f"clause {number} of {claim.id}"
        if not isinstance(part, Mapping):
            raise ValueError(f"{where} must be an object, got {type(part).__name__}")
        _check_fields(part, {key: kind for key, kind in _CLAIM.items() if key != "source"}, where)
        for key, expression in (("printed", clause.printed), ("corrected", clause.corrected)):
            if part.get(key) != formula(expression):
                raise ValueError(f"{where} has another {key} formula than this version; verify it again")
        verdict = judge(_evidence(part, where))
        if part["verdict"] != verdict:
            raise ValueError(
                f"{where} states {printable(repr(part['verdict']))}, but its evidence says {str(verdict)!r}"
            )
        verdicts.append(verdict)
    if record["verdict"] != combine(verdicts):
        raise ValueError(
            f"{claim.id} states {printable(repr(record['verdict']))}, but its clauses say {str(combine(verdicts))!r}"
        )


def _check_fields(record: Mapping[str, Any], fields: Mapping[str, Any], where: str) -> None:
    for key, kind in fields.items():
        value = record.get(key, _MISSING)
        # a bool is an int to Python, not here
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise ValueError(f"{where} has no proper {key!r}")


_MISSING = object()


def _check_line(line: Mapping[str, Any], where: str) -> None:
    """What the types of a line's fields leave open."""
    kinds, readings, measured = get_args(Kind), get_args(Reading), line.get("measured", [])
    if line["kind"] not in kinds:
        raise ValueError(f"{where} must be of a kind among {', '.join(kinds)}, got {printable(repr(line['kind']))}")
    if line["kind"] != "control" and line.get("about") not in readings:
        raise ValueError(
            f"{where} must be about one of {', '.join(readings)}, got {printable(repr(line.get('about')))}"
        )
    for key in ("max_error", "tolerance"):
        size = line[key]
        if isinstance(size, bool) or (size != "inf" if isinstance(size, str) else size is not None and size < 0):
            raise ValueError(f"{where} has no proper {key!r}")
    if line["trials"] < 0 or (line["passed"] and line["trials"] == 0):
        raise ValueError(f"{where} must have at least one trial where it passed, got {line['trials']}")
    if line["kind"] in ("simulation", "cnn") and line["passed"] and not _within(line["max_error"], line["tolerance"]):
        raise ValueError(f"{where} passed with an error of {line['max_error']} beyond {line['tolerance']}")
    if not isinstance(measured, list) or not all(isinstance(effect, Mapping) for effect in measured):
        raise ValueError(f"{where} has no proper 'measured'")


def _within(error: Any, tolerance: Any) -> bool:
    numbers = isinstance(error, int | float) and isinstance(tolerance, int | float)
    return bool(error <= tolerance) if numbers else error is None


def _evidence(part: Mapping[str, Any], where: str) -> Sequence[Evidence]:
    """The evidence of a clause as `judge` reads it."""
    found = _counterexample(part, where)
    evidence = []
    for line in (*part["evidence"], *part["controls"]):
        if not isinstance(line, Mapping):
            raise ValueError(f"{where} must have objects as evidence, got {type(line).__name__}")
        _check_fields(line, _EVIDENCE, f"evidence on {where}")
        _check_line(line, f"evidence on {where}")
        of_print = line["kind"] == "counterexample" and line["passed"] and line.get("about") == "printed"
        evidence.append(
            Evidence(
                kind=line["kind"],
                passed=line["passed"],
                trials=line["trials"],
                max_error=None,
                tolerance=None,
                seed=None,
                detail=line["detail"],
                check=line["check"],
                about=line.get("about", "printed"),
                counterexample=found if of_print else None,
            )
        )
    wrong_place = [e for n, e in enumerate(evidence) if (n >= len(part["evidence"])) != (e.kind == "control")]
    if wrong_place:
        raise ValueError(f"{where} mixes evidence and controls")
    return evidence


def _counterexample(part: Mapping[str, Any], where: str) -> Counterexample | None:
    if "counterexample" not in part:
        raise ValueError(f"{where} has no proper 'counterexample'")
    record = part["counterexample"]
    if record is None:
        return None
    instance = record.get("instance") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(instance, Mapping):
        raise ValueError(f"{where} has no proper 'counterexample'")
    if not all(isinstance(text, str) for text in (*instance.values(), record.get("printed"), record.get("actual"))):
        raise ValueError(f"{where} has no proper 'counterexample'")
    reproduced, excluded = record.get("reproduced"), record.get("excluded")
    if not isinstance(reproduced, bool) or not isinstance(excluded, bool | None):
        raise ValueError(f"{where} has no proper 'counterexample'")
    return Counterexample(tuple(instance.items()), record["printed"], record["actual"], reproduced, excluded)
