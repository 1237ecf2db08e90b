"""Registering a statement as if it were claimed, and what the suite says of it.

What judges is `theory.verify.verify`, and nothing here: a clause is given another statement, as print, correction or
condition, and controls that every check rejects, so that none of its own near misses keeps it undecided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.logic.boolalg import Boolean

from tests.attack.soundness.falsehood import Falsehood, Role
from theory.claims import all_claims
from theory.ledger import Claim, Clause, Control, Counterexample, Reading, Verdict
from theory.verify import verify

REJECTED_BY_ALL = (Control("false", sp.false),)
"""In place of a clause's controls, among which a near miss is: no check may lean on one of them to stay undecided."""
CERTIFIED = (Verdict.HOLDS, Verdict.CORRECTED, Verdict.CONDITIONAL, Verdict.SUPPORTED)
_READINGS: dict[Role, Reading] = {"printed": "printed", "correction": "corrected", "condition": "conditional"}


@dataclass(frozen=True)
class Judged:
    """What came out for one statement: the verdict, the checks that found it false, and where.

    counterexample: the exact instance at which the statement itself is false (for a condition: at which it is met
    and the print is false); None if exact search found none. undecided: checks that could not say.
    """

    verdict: Verdict
    rejected_by: tuple[str, ...]
    undecided: tuple[str, ...]
    counterexample: Counterexample | None

    @property
    def certified(self) -> bool:
        """Whether the suite vouches for the statement."""
        return self.verdict in CERTIFIED

    @property
    def disproved(self) -> bool:
        """Whether the statement is false at an exact instance, and the simulator shows it."""
        return self.counterexample is not None and self.counterexample.reproduced


def clause_of(claim_id: str, name: str = "") -> tuple[Claim, Clause]:
    """The clause with this name of the claim with this id. Raises ValueError if there is none."""
    claim = all_claims().get(claim_id)
    if claim is None:
        raise ValueError(f"claim must be the id of a claim, got {claim_id!r}")
    found = [clause for clause in claim.clauses if clause.name == name]
    if not found:
        names = ", ".join(repr(clause.name) for clause in claim.clauses)
        raise ValueError(f"clause must be one of {names} for claim {claim_id}, got {name!r}")
    return claim, found[0]


def registered(clause: Clause, statement: Boolean, as_: Role, without: Sequence[int] = ()) -> Clause:
    """The clause with the statement in the place of its print, correction or condition.

    A correction needs a print that is false: the clause's own, or its first control. without: hypotheses to drop.
    Raises ValueError for a hypothesis that the clause has not.
    """
    if missing := [n for n in without if not 0 <= n < len(clause.hypotheses)]:
        raise ValueError(f"without must be below {len(clause.hypotheses)}, got {missing[0]}")
    kept = tuple(h for n, h in enumerate(clause.hypotheses) if n not in without)
    bare = replace(clause, corrected=None, condition=None, controls=REJECTED_BY_ALL, hypotheses=kept)
    if as_ == "printed":
        return replace(bare, printed=statement)
    if as_ == "condition":
        return replace(bare, condition=statement)
    fails = clause.corrected is not None or clause.condition is not None
    return replace(bare, printed=clause.printed if fails else clause.controls[0].statement, corrected=statement)


def judged(claim: Claim, clause: Clause, statement: Boolean, as_: Role, without: Sequence[int] = ()) -> Judged:
    """What the suite says of the statement, at the level at which the clause is judged with all it has."""
    report = verify(replace(claim, clauses=(registered(clause, statement, as_, without),)), level="cnn")
    evidence = [e for e in report.clauses[0].evidence if e.kind != "control" and e.about == _READINGS[as_]]
    rejected = tuple(e.check for e in evidence if e.passed is (e.kind == "counterexample"))
    undecided = tuple(e.check for e in evidence if e.passed is None)
    found = next((e.counterexample for e in evidence if e.kind == "counterexample" and e.passed), None)
    return Judged(report.verdict, rejected, undecided, found)


def judge_falsehood(falsehood: Falsehood) -> Judged:
    """What the suite says of a falsehood, registered where it says."""
    claim, clause = clause_of(falsehood.claim, falsehood.clause)
    return judged(claim, clause, falsehood.statement, falsehood.as_, falsehood.without)
