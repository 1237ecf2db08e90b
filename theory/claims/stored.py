"""A ledger read back from the JSON that `filterlaw verify --json` wrote, and held against the claims as they are now.

A verdict is not believed: it is computed again from the evidence in the file, by the same rule (`theory.ledger.judge`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from theory.claims import all_claims
from theory.ledger import Claim, Counterexample, Evidence, combine, formula, judge

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
    try:
        with open(path, encoding="utf-8") as file:
            ledger = json.load(file, parse_constant=_refuse)
    except OSError as error:
        raise ValueError(f"cannot read ledger {name!r}: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"ledger {name!r} must be strict JSON: {error}") from error
    try:
        return checked(ledger)
    except ValueError as error:
        raise ValueError(f"ledger {name!r} must be a file that `filterlaw verify --json` wrote: {error}") from error


def checked(ledger: Any) -> dict[str, Any]:
    """The ledger's environment and claims, once they are known to be sound; ValueError says what is not."""
    if not isinstance(ledger, dict) or not isinstance(ledger.get("claims"), list) or not ledger["claims"]:
        raise ValueError("it has no list of claims")
    environment = ledger.get("environment")
    if not isinstance(environment, dict) or not isinstance(environment.get("packages"), dict):
        raise ValueError("it does not say in which environment it was made")
    seen: set[str] = set()
    for record in ledger["claims"]:
        id_ = record.get("id") if isinstance(record, dict) else None
        if not isinstance(id_, str) or id_ not in all_claims():
            raise ValueError(f"it has a claim {id_!r}, which is not known here")
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
            raise ValueError(f"{where} states {part['verdict']!r}, but its evidence says {str(verdict)!r}")
        verdicts.append(verdict)
    if record["verdict"] != combine(verdicts):
        raise ValueError(f"{claim.id} states {record['verdict']!r}, but its clauses say {str(combine(verdicts))!r}")


def _check_fields(record: Mapping[str, Any], fields: Mapping[str, Any], where: str) -> None:
    for key, kind in fields.items():
        value = record.get(key, _MISSING)
        # a bool is an int to Python, not here
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is int):
            raise ValueError(f"{where} has no proper {key!r}")


_MISSING = object()


def _evidence(part: Mapping[str, Any], where: str) -> Sequence[Evidence]:
    """The evidence of a clause as `judge` reads it."""
    found = _counterexample(part, where)
    evidence = []
    for line in (*part["evidence"], *part["controls"]):
        if not isinstance(line, Mapping):
            raise ValueError(f"{where} must have objects as evidence, got {type(line).__name__}")
        _check_fields(line, _EVIDENCE, f"evidence on {where}")
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
    record = part.get("counterexample")
    if record is None:
        return None
    instance = record.get("instance") if isinstance(record, Mapping) else None
    if not isinstance(record, Mapping) or not isinstance(instance, Mapping):
        raise ValueError(f"{where} has no proper 'counterexample'")
    if not all(isinstance(text, str) for text in (*instance.values(), record.get("printed"), record.get("actual"))):
        raise ValueError(f"{where} has no proper 'counterexample'")
    return Counterexample(
        tuple(instance.items()),
        record["printed"],
        record["actual"],
        record.get("reproduced") is True,
        record.get("excluded"),
    )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number in JSON")
