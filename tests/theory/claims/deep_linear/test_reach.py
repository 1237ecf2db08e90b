"""S-REACH and X-REACH through the ledger, and what their experiments plant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from sim.deep_linear import LinearTask, chain_map, descend_chain
from sim.svb import band
from theory.claims import find
from theory.claims.observe.deep_linear import reach_chains, reach_factors, reach_training
from theory.ledger import Claim, Clause, Verdict
from theory.verify import simulated, verify

CLAIMS = find(["S-REACH", "X-REACH"])
CLAUSES = [(claim, clause) for claim in CLAIMS for clause in claim.clauses]
IDS = [f"{claim.id}-{clause.name}" for claim, clause in CLAUSES]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_verdicts(claim: Claim, seed: int) -> None:
    report = verify(claim, level="simulation", seed=seed)
    for clause in report.clauses:
        expected = Verdict.CONDITIONAL if clause.clause.name == "one direction" else Verdict.HOLDS
        assert clause.verdict == expected, clause.clause.name
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0


def test_sigma_zero_is_out_of_reach() -> None:
    claim, clause = CLAUSES[0]
    (report,) = verify(replace(claim, clauses=(clause,)), level="simulation").clauses
    found = report.counterexample
    assert found is not None
    assert found.reproduced
    assert found.excluded
    assert {"sigma": "(0)", "L": "1", "eps": "1"}.items() <= dict(found.instance).items()
    assert found.actual == "energy = 1/8"


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


@pytest.mark.parametrize(
    ("sigma", "eps", "depth", "closest"),
    [(0.0, 1.0, 2, 0.25), (3.0, 1.0, 2, 3.0), (9.0, 1.0, 3, 8.0), (0.3, 0.5, 2, 1 / 2.25), (1.0, 0.1, 4, 1.0)],
)
def test_closest_product_by_hand(sigma: float, eps: float, depth: int, closest: float) -> None:
    assert reach_factors.closest_product(np.array(sigma), eps, depth) == pytest.approx(closest, rel=1e-15)


def test_all_runs_end_and_half_way_ones_do_not_start_there() -> None:
    for side in ("above", "below", "between projections"):
        for observation in simulated(reach_training.runs(side), 0):
            assert np.isfinite(observation.values["count"]).all()
    counts = np.concatenate([o.values["count"] for o in simulated(reach_training.runs("above"), 0)])
    assert counts.max() > 5


def test_matrices_of_any_widths_reach_every_regime() -> None:
    seen = [o.values for o in simulated(reach_chains.chains(square=False), 0)]
    free = [v for v in seen if v["kept"] < v["narrowest"]]
    assert any(v["kept"] <= 0 for v in seen)
    lost = [v["power"][v["narrowest"] - 1] * (1 + v["eps"]) ** (2 * v["depth"]) for v in free]
    assert min(lost) < 0.1


def test_constructed_products_are_those_asked_for() -> None:
    low, high = band(0.5)
    target = np.array([2.0, 0.5, 0.0])
    W1, W2 = reach_chains.build(target, 5, 0.5)
    assert W1.shape == (5, 3)
    assert np.linalg.svd(chain_map((W1, W2)), compute_uv=False) == pytest.approx(target, abs=1e-15)
    for W in (W1, W2):
        s = np.linalg.svd(W, compute_uv=False)
        assert low - 1e-15 <= s.min() <= s.max() <= high + 1e-15


def test_any_rate_is_said_of_aligned_strengths_only() -> None:
    """At a rate at which descent without a band diverges (over 2), rounding turns whole matrices out of alignment."""
    rng = np.random.default_rng(0)
    U, V = (np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(2))
    task = LinearTask.whitened(U * np.array([1.8, 1.7, 1.6]) @ V.T, rng)
    ends = {}
    for rate in (0.5, 4.0):
        run = descend_chain([U @ V.T], task, learning_rate=rate, steps=400, band=0.5)
        ends[rate] = np.abs(U.T @ chain_map(run.final) @ V - 1.5 * np.eye(3)).max()
    assert ends[0.5] < 1e-12
    assert ends[4.0] > 0.1
