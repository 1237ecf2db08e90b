"""The report as JSON: the ledger as `filterlaw verify --json` writes it, with the derivations and the figures."""

from __future__ import annotations

from typing import Any

from figures.report.contents import Contents, Part
from theory.ledger import formula


def report_of(contents: Contents) -> dict[str, Any]:
    """A JSON-ready dict whose "environment" and "claims" are those of the ledger.

    "derivations" has, for each claim, its clauses with the hypotheses used and the steps ("shown" is what the
    pages show of a step: its claim, or the value that both sides were worked out to); "figures" says which claims each
    figure shows and what it was made from.
    """
    return {
        "environment": dict(contents.environment),
        "claims": [dict(entry.record) for entry in contents.entries],
        "derivations": {entry.claim.id: [_derivation(part) for part in entry.parts] for entry in contents.entries},
        "figures": [
            {
                "name": picture.name,
                "title": picture.title,
                "claims": list(picture.claims),
                "source": picture.source,
                "parameters": picture.parameters,
                "seed": picture.seed,
            }
            for picture in contents.pictures
        ],
    }


def _derivation(part: Part) -> dict[str, Any]:
    return {
        "clause": part.clause.name,
        "used": list(part.derivation.used),
        "steps": [
            {
                "text": step.text,
                "claim": formula(step.claim),
                "shown": formula(step.shown()[1]),
                "certificate": formula(step.certificate),
                "printed": formula(step.printed),
                "proven": proven,
            }
            for step, proven in zip(part.derivation.steps, part.proven, strict=True)
        ],
    }
