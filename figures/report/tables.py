"""The words and the tables of the report, the same in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from figures.report.contents import Part
from theory.ledger import Verdict

MARKS: Mapping[Verdict, str] = {
    Verdict.HOLDS: "●",
    Verdict.SUPPORTED: "◉",
    Verdict.CONDITIONAL: "◐",
    Verdict.CORRECTED: "▲",
    Verdict.REFUTED: "■",
    Verdict.UNSUPPORTED: "□",
    Verdict.INCONCLUSIVE: "○",
}
MEANINGS: Mapping[Verdict, str] = {
    Verdict.HOLDS: "true as printed, under the hypotheses as stated",
    Verdict.SUPPORTED: "found on named data, with effect size and interval",
    Verdict.CONDITIONAL: "true under a further hypothesis, named exactly; a counterexample shows that it is needed",
    Verdict.CORRECTED: "false as printed; a corrected statement is derived and confirmed",
    Verdict.REFUTED: "false; there is a smallest counterexample in exact numbers",
    Verdict.UNSUPPORTED: "named data show the contrary",
    Verdict.INCONCLUSIVE: "not decided; never counted as success",
}
ROADS: Mapping[str, str] = {
    "symbolic": "derivation",
    "counterexample": "exact search",
    "simulation": "simulator",
    "cnn": "layers",
    "data": "data",
}
"""Kinds of evidence in words."""

_KNOWN = {
    "clause",
    "kind",
    "check",
    "passed",
    "trials",
    "max_error",
    "tolerance",
    "seed",
    "detail",
    "about",
    "measured",
}


@dataclass(frozen=True)
class Table:
    """A table of text; `numbers` are the columns that are set as numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


def counterexample(part: Part) -> Table | None:
    """The clause's counterexample as rows of a label and what it says; None if there is none."""
    found = part.record["counterexample"]
    if found is None:
        return None
    rows = [
        ("at", ", ".join(f"{name} = {value}" for name, value in found["instance"].items())),
        ("printed", found["printed"]),
        ("actual", found["actual"]),
        ("simulator", "shows the same" if found["reproduced"] else "does not show it"),
    ]
    if found.get("excluded") is not None:
        rows.append(("condition", "excludes it" if found["excluded"] else "does not exclude it"))
    return Table(("", ""), tuple(rows))


def evidence(part: Part) -> Table:
    """What each check found of each reading of the statement."""
    rows = tuple(
        (
            line["check"] or line["kind"],
            line["about"],
            found(line),
            str(line["trials"]),
            short(line["max_error"]),
            short(line["tolerance"]),
            "; ".join([line["detail"], *_more(line)]),
        )
        for line in part.record["evidence"]
    )
    return Table(("check", "of", "found", "trials", "max error", "tolerance", "detail"), rows, frozenset({3, 4, 5}))


def measured(part: Part) -> Table | None:
    """The effects that recorded runs show, with their intervals; None where the clause is not judged from runs."""
    effects = {
        (
            str(effect.get("what") or effect.get("symbol")),
            short(effect.get("estimate")),
            f"{short(effect.get('low'))} to {short(effect.get('high'))}",
            f"{effect.get('n')} {effect.get('units', '')}".strip(),
            str(effect.get("data", "")),
        ): None
        for line in part.record["evidence"]
        for effect in line.get("measured", ())
        if isinstance(effect, Mapping)
    }
    if not effects:
        return None
    return Table(("effect", "estimate", "interval", "from", "data"), tuple(effects), frozenset({1}))


def controls(part: Part) -> Table:
    """What each check made of each statement that is wrong on purpose."""
    tried = part.record["controls"]
    checks = list(dict.fromkeys(line["check"] for line in tried))
    found_by = {check: [_rejected(line) for line in tried if line["check"] == check] for check in checks}
    rows = tuple(
        (control.name, *(of[n] if n < len(of) else "" for of in found_by.values()))
        for n, control in enumerate(part.clause.controls)
    )
    return Table(("wrong on purpose", *checks), rows)


def found(line: Mapping[str, Any]) -> str:
    """What a check found, in a word or two."""
    if line["passed"] is None:
        return "undecided"
    if line["kind"] == "counterexample":
        return "false" if line["passed"] else "none found"
    return "passes" if line["passed"] else "fails"


def short(number: object) -> str:
    """A number to two digits; what is no number as it is, nothing for None."""
    if number is None:
        return ""
    return f"{number:.1e}" if isinstance(number, int | float) else str(number)


def _rejected(line: Mapping[str, Any]) -> str:
    return "not tried" if line["passed"] is None else "rejected" if line["passed"] else "FOOLED THE CHECK"


def _more(line: Mapping[str, Any]) -> Sequence[str]:
    """Whatever else the record says."""
    return [f"{key}: {value}" for key, value in line.items() if key not in _KNOWN and value not in (None, "", [])]
