"""What the papers print, as the claims have it: `python -m tests.printed` writes `tests/printed.txt` anew.

A print is copied from a paper, and nothing can derive it; so a change of one is to be seen in a review. The file lists
every printed statement with its formal hypotheses, and what stands printed beside a step of a derivation.
"""

from __future__ import annotations

from pathlib import Path

from sim.files import atomic_write
from theory.claims import all_claims
from theory.ledger import Claim, formula

WRITTEN = Path(__file__).with_suffix(".txt")


def lines_of(claim: Claim) -> list[str]:
    """The prints of a claim, a line each, below its id and source."""
    lines = [f"{claim.id}: {claim.source}"]
    for clause in claim.clauses:
        lines.append(f"  {clause.name or 'it'}: {formula(clause.printed)}")
        lines += [f"    where {formula(given)}" for given in clause.needed]
        steps = () if clause.empirical else clause.derivation().steps
        lines += [f"  beside {step.text!r}: {formula(step.printed)}" for step in steps if step.printed is not None]
    # clauses of one derivation share its steps
    beside = dict.fromkeys(line for line in lines if line.startswith("  beside"))
    return [*(line for line in lines if line not in beside), *beside]


def written() -> str:
    """The whole file."""
    return "".join(f"{line}\n" for claim in all_claims().values() for line in lines_of(claim))


if __name__ == "__main__":
    atomic_write(WRITTEN, written())
