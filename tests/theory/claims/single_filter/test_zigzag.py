"""C-ZIG and X-FLIP through the ledger, and what their experiments plant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy as sp

from theory.claims.observe.single_filter import full_batch_runs as runs
from theory.claims.observe.single_filter import sample_orders as orders
from theory.claims.observe.single_filter import sample_pairs as pairs
from theory.claims.observe.single_filter import turned_frames as frames
from theory.claims.single_filter.zigzag import CLAIMS
from theory.derive.single_filter import zigzag, zigzag_pair
from theory.evaluate import surely
from theory.ledger import Clause, Verdict
from theory.verify import simulated, verify

ZIG, FLIP = CLAIMS
EXPERIMENTS = (
    runs.full_batch,
    runs.heavy_ball,
    runs.oscillating,
    frames.turned_frames,
    orders.pairs_of_any_samples,
    orders.pairs_of_grid_samples,
    orders.random_orders,
    orders.samples_in_index_order,
    pairs.two_samples,
    pairs.equal_distances,
    pairs.along_and_elsewhere,
)


@pytest.mark.parametrize("seed", [0, 1])
def test_verdicts(seed: int) -> None:
    expected = ((ZIG, Verdict.CONDITIONAL), (FLIP, Verdict.HOLDS))
    for claim, verdict in expected:
        report = verify(claim, level="simulation", seed=seed)
        assert {clause.clause.name: clause.verdict for clause in report.clauses} == {
            clause.name: verdict for clause in claim.clauses
        }
        rejected, tried = report.controls_rejected
        assert rejected == tried > 0


@pytest.mark.parametrize("clause", ZIG.clauses, ids=lambda c: c.name)
def test_counterexamples_are_exact_reproduced_and_excluded(clause: Clause) -> None:
    (report,) = verify(replace(ZIG, clauses=(clause,)), level="simulation").clauses
    found = report.counterexample
    assert found is not None
    assert found.reproduced
    assert found.excluded
    assert not any("." in text for name, text in found.instance if name != "updates")


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda f: f.__name__)
def test_samples_are_all_active_almost_everywhere(experiment) -> None:
    active = np.concatenate([np.ravel(o.values["all_active"]) for o in simulated(experiment(), 0)])
    assert active.mean() > 0.9


def test_other_frames_reach_the_bound() -> None:
    for observation in simulated(frames.turned_frames(), 0):
        p, pairs = observation.values["p"], observation.values["steps"] - 1
        assert observation.values["flips"][0].max() == p - 1
        assert observation.values["mean_gsc"].max() * p * pairs == pytest.approx((p - 1) ** 2)
        assert observation.values["most_gsc"].max() * p == pytest.approx(p - 1)


def test_heavy_ball_runs_cover_all_regimes() -> None:
    seen: dict[str, set[bool]] = {"low": set(), "high": set()}
    for observation in simulated(runs.heavy_ball(), 0):
        x = 2 * observation.values["lam"] * observation.values["h"]
        root = observation.values["sqrt_mu"]
        seen["low"] |= set((x < (1 - root) ** 2).ravel().tolist())
        seen["high"] |= set((x > (1 + root) ** 2).ravel().tolist())
    assert seen == {"low": {True, False}, "high": {True, False}}
    between = [
        surely(zigzag.OSCILLATES, {**observation.values, "j": k}, observation.tolerance)
        for observation in simulated(runs.oscillating(), 0)
        for k in range(observation.values["p"])
    ]
    assert 0.7 < np.concatenate(between).mean() < 0.95


def test_starts_of_equal_distance_hold_hard_cases() -> None:
    (observation,) = simulated(pairs.equal_distances(), 0)
    violated = surely(sp.Not(zigzag_pair.PROGRESS_LESS), observation.values, observation.tolerance)
    assert np.sum(violated) >= 10
