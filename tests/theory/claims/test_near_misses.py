"""The machinery on every claim with its own controls in the place of the truth, and on data that show nothing.

Curated falsehoods, mutants and slips of every kind, and rewritten truths are `tests.attack.soundness`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sympy as sp

from tests.attack.soundness.judging import REJECTED_BY_ALL
from theory.claims import all_claims
from theory.experiment import Measured, Sample, Study
from theory.ledger import Claim, Clause, Verdict
from theory.verify import verify

EVERY = [(claim, n) for claim in all_claims().values() for n in range(len(claim.clauses))]
CLAUSES = [(claim, n) for claim, n in EVERY if not claim.clauses[n].empirical]
EMPIRICAL = [(claim, n) for claim, n in EVERY if claim.clauses[n].empirical]
IDS = [f"{claim.id}-{n}" for claim, n in CLAUSES]


def verdict(claim: Claim, clause: Clause) -> Verdict:
    tested = replace(clause, controls=REJECTED_BY_ALL)
    return verify(replace(claim, clauses=(tested,)), level="cnn" if clause.empirical else "simulation").verdict


def negated(statement: sp.Basic) -> sp.Basic:
    """An equation off by one, an inequality turned round, a part of a conjunction or an equivalence negated."""
    if isinstance(statement, sp.Implies):
        return sp.Implies(statement.args[0], negated(statement.args[1]))
    if isinstance(statement, sp.And):
        return sp.And(negated(statement.args[0]), *statement.args[1:])
    if isinstance(statement, sp.Equality):
        return sp.Eq(statement.lhs, statement.rhs + 1)
    if isinstance(statement, sp.Equivalent):
        return sp.Equivalent(statement.args[0], sp.Not(statement.args[1]))
    return sp.Not(statement)


def slipped(clause: Clause) -> Clause:
    """The clause with a slip in the result of its derivation."""
    proof = clause.derivation()
    wrong = replace(proof, result=tuple(negated(part) for part in proof.result), definitions=())
    return replace(clause, derivation=lambda: wrong)


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
    assert verdict(claim, slipped(clause)) is Verdict.INCONCLUSIVE, "a slip in the derivation"
    false = negated(clause.true_statement)
    twisted = replace(clause, **{"printed" if clause.corrected is None else "corrected": false})
    undecided = (Verdict.INCONCLUSIVE, Verdict.REFUTED)
    assert verdict(claim, slipped(twisted)) in undecided, "a slip in the derivation and in what is said to be true"


def with_samples(clause: Clause, change: Callable[[int, float], float], most: int | None = None) -> Clause:
    """The clause with every value of its samples changed, given the place of its seed; `most`: only so many."""
    assert clause.study is not None
    study = clause.study()

    def measure(records: str | None) -> Measured:
        found = study.measure(records)
        samples = {
            name: Sample(tuple(change(n, value) for n, value in enumerate(sample.values))[:most], sample.what)
            for name, sample in found.samples.items()
        }
        return replace(found, samples=samples)

    changed = Study(study.name, measure)
    return replace(clause, study=lambda: changed)


@pytest.mark.parametrize(("claim", "n"), EMPIRICAL, ids=[f"{claim.id}-{n}" for claim, n in EMPIRICAL])
def test_data_certify_nothing_else(claim: Claim, n: int) -> None:
    clause = claim.clauses[n]
    found = verdict(claim, clause)
    for control in clause.controls:
        if not control.placebo:
            wrong = replace(clause, printed=control.statement)
            assert verdict(claim, wrong) is Verdict.UNSUPPORTED, control.name
    opposite = {Verdict.SUPPORTED: Verdict.UNSUPPORTED, Verdict.UNSUPPORTED: Verdict.SUPPORTED}
    negated_ = replace(clause, printed=sp.Not(clause.printed))
    assert verdict(claim, negated_) is opposite.get(found, Verdict.INCONCLUSIVE), "the opposite"
    assert verdict(claim, with_samples(clause, lambda _, v: v, most=2)) is Verdict.INCONCLUSIVE, "two seeds"
    noisy = with_samples(clause, lambda n, v: v + 1e6 * (-1) ** n * (1 + n))
    assert verify(replace(claim, clauses=(noisy,))).verdict is Verdict.INCONCLUSIVE, "noise, with the clause's controls"
    assert verdict(claim, noisy) is Verdict.INCONCLUSIVE, "noise"
