"""The machinery on claims made false on purpose, and on true ones: what it may certify and what it may not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from theory.claims import all_claims
from theory.ledger import Claim, Clause, Verdict
from theory.verify import verify

CLAUSES = [(claim, n) for claim in all_claims().values() for n in range(len(claim.clauses))]
IDS = [f"{claim.id}-{n}" for claim, n in CLAUSES]


def verdict(claim: Claim, clause: Clause) -> Verdict:
    return verify(replace(claim, clauses=(clause,)), level="simulation").verdict


@pytest.mark.parametrize(("claim", "n"), CLAUSES, ids=IDS)
def test_no_control_is_certified_in_place_of_the_print(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    for control in clause.controls:
        false = replace(clause, printed=control.statement, corrected=None, condition=None)
        assert verdict(claim, false) in (Verdict.REFUTED, Verdict.INCONCLUSIVE), control.name


@pytest.mark.parametrize(("claim", "n"), CLAUSES, ids=IDS)
def test_no_control_is_certified_as_a_correction(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    for control in clause.controls:
        false = replace(clause, corrected=control.statement, condition=None)
        assert verdict(claim, false) is not Verdict.CORRECTED, control.name


@pytest.mark.parametrize(("claim", "n"), CLAUSES, ids=IDS)
def test_a_corrected_statement_printed_would_hold(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    if clause.corrected is not None:
        assert verdict(claim, replace(clause, printed=clause.corrected, corrected=None)) is Verdict.HOLDS


@pytest.mark.parametrize(("claim", "n"), CLAUSES, ids=IDS)
def test_a_false_print_without_remedy_is_refuted(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    if clause.corrected is not None or clause.condition is not None:
        assert verdict(claim, replace(clause, corrected=None, condition=None)) is Verdict.REFUTED
