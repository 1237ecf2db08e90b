"""S-E15, S-LEM1A, S-LEM1B, S-BBN and S-ALPHA through the ledger, and what their experiments plant."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from theory.claims import find
from theory.claims.observe.batch_norm import bounded_layers, bounded_scales, rescaled_layers, scaled_rows
from theory.claims.observe.exact_spectra import squared_singular_values
from theory.ledger import Claim, Clause, Verdict
from theory.verify import simulated, verify

CLAIMS = find(["S-E15", "S-LEM1A", "S-LEM1B", "S-BBN", "S-ALPHA"])
OTHER = {
    "alpha after": Verdict.CORRECTED,
    "idempotent": Verdict.CONDITIONAL,
    "signs": Verdict.CONDITIONAL,
    "pre-activation": Verdict.CONDITIONAL,
    "directions": Verdict.CONDITIONAL,
    "redistribution": Verdict.CONDITIONAL,
}
"""Clauses that are not true as printed."""
CLAUSES = [(claim, clause) for claim in CLAIMS for clause in claim.clauses]
IDS = [f"{claim.id}-{clause.name}" for claim, clause in CLAUSES]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts(claim: Claim, seed: int) -> None:
    report = verify(claim, level="simulation", seed=seed)
    verdicts = {clause.clause.name: clause.verdict for clause in report.clauses}
    assert verdicts == {clause.name: OTHER.get(clause.name, Verdict.HOLDS) for clause in claim.clauses}
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0


def test_in_training_the_layer_is_not_affine() -> None:
    claim, clause = next((claim, clause) for claim, clause in CLAUSES if clause.name == "affine")
    (report,) = verify(replace(claim, clauses=(replace(clause, hypotheses=()),)), level="simulation").clauses
    assert report.verdict is Verdict.REFUTED
    assert report.counterexample is not None
    shown = {"A": "(0, 1)", "B": "(2, 0)", "statistics": "of the batch", "j": "0"}
    assert shown.items() <= dict(report.counterexample.instance).items()


@pytest.mark.parametrize(
    ("name", "instance"),
    [
        ("alpha after", {"gamma/std": "(1, 3)", "band": "1/2", "j": "0"}),
        ("idempotent", {"gamma/std": "(1, 3)", "band": "1/2", "j": "0"}),
        ("signs", {"gamma/std": "(1, -3)", "band": "1", "j": "0"}),
        ("pre-activation", {"W": "[1, 0]", "g": "(1, 1)", "on": "(0, 1)", "j": "0"}),
        ("directions", {"W": "diag(1)", "alpha": "(0)"}),
        ("redistribution", {"W": "diag(1, 1)", "alpha": "(2)", "j": "0"}),
    ],
)
def test_smallest_counterexamples(name: str, instance: dict[str, str]) -> None:
    claim, clause = next((claim, clause) for claim, clause in CLAUSES if clause.name == name)
    (report,) = verify(replace(claim, clauses=(clause,)), level="simulation").clauses
    found = report.counterexample
    assert found is not None
    assert found.reproduced
    assert found.excluded is not False
    assert dict(found.instance) == instance


@pytest.mark.parametrize(("claim", "clause"), CLAUSES, ids=IDS)
def test_a_wrong_derivation_is_noticed(claim: Claim, clause: Clause) -> None:
    """The derivation's result negated, as if a sign had slipped: the clause may not be conclusive."""
    derived = clause.derivation()
    slipped = replace(derived, result=tuple(_negated(part) for part in derived.result))
    broken = replace(clause, derivation=lambda: slipped)
    assert verify(replace(claim, clauses=(broken,)), level="simulation").verdict is Verdict.INCONCLUSIVE


def _negated(statement: sp.Basic) -> sp.Basic:
    if isinstance(statement, sp.Implies):
        return sp.Implies(statement.args[0], _negated(statement.args[1]))
    return sp.Not(statement)


def test_passes_see_both_signs_of_the_mean_and_layers_that_stay() -> None:
    seen = [observation.values for observation in simulated(bounded_scales.passes(), 0)]
    means = np.concatenate([values["mean"] for values in seen])
    assert (means > 0).sum() > 200 < (means < 0).sum()
    stays = [np.all(values["twice"] == values["once"], axis=0) for values in seen if values["p"] > 2]
    assert 0.01 < np.mean(np.concatenate(stays)) < 0.9


def test_settled_layers_are_clipped_above_and_below_and_not_at_all() -> None:
    high, low = (
        np.concatenate([observation.values[name] for observation in simulated(bounded_scales.settled(), 0)])
        for name in ("high", "low")
    )
    assert (high > 0).sum() > 100 < (low > 0).sum()
    assert not np.any((high > 0) & (low > 0))
    assert ((high == 0) & (low == 0)).sum() > 100


def test_condition_numbers_come_close_to_the_bound() -> None:
    share = [
        float(v["greatest"] / v["least"]) / ((1 + v["band"]) ** 2 * (1 + v["eps"]) ** 2)
        for v in (observation.values for observation in simulated(bounded_layers.condition(), 0))
    ]
    assert 0.99 < max(share) < 1 + 1e-9


def test_pre_activations_lose_all_and_nothing() -> None:
    seen = [observation.values for observation in simulated(bounded_layers.pre_activation(), 0)]
    below = [float(v["power"][0] / v["g_min"] ** 2) for v in seen if not (v["all_on"] or v["tall"])]
    assert len(below) > 10
    assert min(below) < 0.1
    assert min(float(v["power"][0] / v["g_min"] ** 2) for v in seen if v["all_on"] or v["tall"]) > 1 - 1e-9


def test_rescaled_rows_hold_zeros_and_ties_of_shape() -> None:
    seen = [observation.values for observation in simulated(scaled_rows.rescaled("tall"), 0)]
    assert any(v["g_min"] == 0 for v in seen)
    assert {v["excess"] == 0 for v in seen} == {True, False}
    with pytest.raises(ValueError, match=r"^A must have 1 or 2 rows or columns, got shape \(3, 3\)$"):
        squared_singular_values(((Fraction(1),) * 3,) * 3)


def test_rescaled_networks_hold_balanced_ones() -> None:
    products = [float(o.values["alpha_product"]) for o in simulated(rescaled_layers.network(), 0)]
    assert {np.sign(p) for p in products if abs(abs(p) - 1) < 1e-12} == {-1.0, 1.0}
    assert sum(abs(abs(p) - 1) > 0.05 for p in products) > 5
