"""The machinery on claims made false on purpose, and on true ones: what it may certify and what it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy as sp

from theory.claims import all_claims
from theory.ledger import Claim, Clause, Control, Verdict
from theory.verify import verify

CLAUSES = [(claim, n) for claim in all_claims().values() for n in range(len(claim.clauses))]
IDS = [f"{claim.id}-{n}" for claim, n in CLAUSES]
REJECTED_BY_ALL = (Control("false", sp.false),)
"""In place of a clause's controls, among which a near miss is: no check may lean on one of them to stay undecided."""


def verdict(claim: Claim, clause: Clause) -> Verdict:
    tested = replace(clause, controls=REJECTED_BY_ALL)
    return verify(replace(claim, clauses=(tested,)), level="simulation").verdict


# one test a clause, so that its experiments are run once


@pytest.mark.parametrize(("claim", "n"), CLAUSES, ids=IDS)
def test_the_truth_alone_is_certified(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    for control in clause.controls:
        printed = replace(clause, printed=control.statement, corrected=None, condition=None)
        assert verdict(claim, printed) in (Verdict.REFUTED, Verdict.INCONCLUSIVE), f"{control.name}, printed"
        proposed = replace(clause, corrected=control.statement, condition=None)
        assert verdict(claim, proposed) is not Verdict.CORRECTED, f"{control.name}, as a correction"
    if clause.corrected is not None:
        right = replace(clause, printed=clause.corrected, corrected=None)
        assert verdict(claim, right) is Verdict.HOLDS, "the correction, printed"
    if clause.corrected is not None or clause.condition is not None:
        bare = replace(clause, corrected=None, condition=None)
        assert verdict(claim, bare) is Verdict.REFUTED, "the print without a remedy"
