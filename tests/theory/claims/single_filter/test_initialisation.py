"""C-ALIGN, X-DEAD and X-LOSS through the ledger, and the laws of starts that their experiments draw from."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from sim.activity import dead
from sim.correlation import equicorrelation
from sim.descent import descend
from sim.grid import grid_samples, pixel_frame
from sim.problem import SampleProblem
from sim.samples import SampleSet
from theory.claims.observe.single_filter import expected_losses as linear
from theory.claims.observe.single_filter import relu_starts as relu
from theory.claims.observe.single_filter import start_errors, start_laws, start_shares
from theory.claims.single_filter.initialisation import CLAIMS
from theory.derivation import Derivation
from theory.derive.single_filter.dead_starts import probability_all_active
from theory.ledger import Claim, Clause, Verdict
from theory.verify import verify

ALIGN, DEAD, LOSS = CLAIMS


@pytest.mark.parametrize("seed", [0, 1])
def test_verdicts(seed: int) -> None:
    for claim, verdict in ((ALIGN, Verdict.CONDITIONAL), (DEAD, Verdict.HOLDS), (LOSS, Verdict.HOLDS)):
        report = verify(claim, level="simulation", seed=seed)
        assert {c.clause.name: c.verdict for c in report.clauses} == {c.name: verdict for c in claim.clauses}
        rejected, tried = report.controls_rejected
        assert rejected == tried > 0


@pytest.mark.parametrize("clause", ALIGN.clauses, ids=lambda c: c.name)
def test_counterexamples_are_exact_reproduced_and_excluded(clause: Clause) -> None:
    (report,) = verify(replace(ALIGN, clauses=(clause,)), level="simulation").clauses
    found = report.counterexample
    assert found is not None
    assert found.reproduced
    assert found.excluded


def test_under_relu_a_correlated_start_can_stay_behind_for_good() -> None:
    instance = start_laws.Setting(
        (Fraction(0), Fraction(1, 2)), Fraction(1, 2), Fraction(1), 12, Fraction(1, 2), Fraction(0), Fraction(1)
    )
    seen = relu.observe_relu_exact(instance)
    # half of the starts are dead, and their loss is E[y^2] = 1; without correlation only a quarter are
    assert seen["relu_corr"] == Fraction(1, 2)
    assert Fraction(1, 4) < seen["relu_unc"] < Fraction(26, 100)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_a_broken_derivation_certifies_nothing(claim: Claim) -> None:
    clause = claim.clauses[0]

    def broken() -> Derivation:
        derivation = clause.derivation()
        step = derivation.steps[-1]
        wrong = replace(step, claim=sp.Eq(sp.Symbol("x"), sp.Symbol("x") + 1), certificate=None)
        return replace(derivation, steps=(*derivation.steps[:-1], wrong))

    report = verify(replace(claim, clauses=(replace(clause, derivation=broken),)), level="simulation")
    assert report.verdict in (Verdict.INCONCLUSIVE, Verdict.REFUTED)


@pytest.mark.parametrize("p", [1, 2, 3, 5])
def test_linear_rule_is_the_relu_rule_on_mirrored_samples(p: int) -> None:
    rng = np.random.default_rng(p)
    setting, starts = start_laws.random_setting(rng, p), rng.normal(size=(20, p))
    X = grid_samples(np.array(setting.d))
    y = float(setting.w0_star) * X[:, 0]
    mirrored = SampleProblem(SampleSet(np.concatenate([X, -X]), np.concatenate([y, -y])))
    # of X and -X one is active, so that the mean gradient is half of the linear rule's
    run = descend(mirrored, starts, learning_rate=2 * setting.lam, steps=5, check_stability=False)
    expected = 2 * run.loss - np.square(y).mean()
    assert start_laws.linear_losses(setting, starts, 5) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize("p", range(1, 9))
def test_finite_laws_have_the_moments_asked_for(p: int) -> None:
    rng = np.random.default_rng(p)
    setting, root = start_laws.random_setting(rng, p), rng.normal(size=(p, p))
    variances = start_laws.aligned_variances(p, setting.r)
    for law, C in (
        (start_laws.coordinate_law(setting, variances), np.diag(np.array(variances, dtype=float))),
        (start_laws.column_law(setting, root), root @ root.T),
    ):
        mean = law.probability @ law.starts
        second = (law.starts - mean).T @ ((law.starts - mean) * law.probability[:, None])
        assert law.probability.sum() == pytest.approx(1.0, abs=1e-14)
        assert mean == pytest.approx(setting.mu * np.eye(p)[0], abs=1e-12)
        assert second == pytest.approx(float(setting.variance) * C, abs=1e-10)


@pytest.mark.parametrize("p", range(2, 9))
def test_frames_carry_equal_correlations_to_the_diagonals_used(p: int) -> None:
    r, ones = 0.37, np.ones(p)
    edge = start_laws.frame(np.eye(p)[0] - np.eye(p)[1], ones)
    for Q, variances in (
        (pixel_frame(ones), start_laws.aligned_variances(p, r)),
        (edge, start_laws.edge_variances(p, r)),
    ):
        assert pytest.approx(np.eye(p), abs=1e-14) == Q.T @ Q
        assert Q.T @ equicorrelation(p, r) @ Q == pytest.approx(np.diag(np.array(variances, dtype=float)), abs=1e-13)
    assert edge[:, 0] @ ones == pytest.approx(0.0, abs=1e-14)


@pytest.mark.parametrize(
    "experiment",
    [linear.any_starts, linear.aligned_pairs, linear.edge_pairs, relu.relu_pairs, start_errors.errors],
    ids=lambda e: e.__name__,
)
def test_the_float_route_repeats_the_exact_one(experiment) -> None:
    route = experiment().exact
    for n, instance in enumerate(route.candidates()):
        exact = route.observe(instance)
        if n >= 40:
            break
        seen = experiment().observe(route.lower(instance))
        for name in exact.keys() & seen.values.keys() - {"p", "d", "C", "stay_active"}:
            lowered = np.asarray(seen.values[name], dtype=float)
            assert lowered.ravel() == pytest.approx(np.ravel(np.array(exact[name], dtype=float)), abs=1e-12), name


@pytest.mark.parametrize("r", [0.0, 0.4, 0.9])
def test_expected_relu_loss_ends_near_its_floor_which_rises_with_correlation(r: float) -> None:
    rng, p, n = np.random.default_rng(5), 5, 2000
    d = (0.3,) * p
    setting = start_laws.Setting(d, 0.4, 1.0, 80, 0.5 * np.sqrt(p), 0.0, r)
    law = start_laws.gaussian_law(setting, equicorrelation(p, r), pixel_frame(np.ones(p)), rng, n=n)
    run = start_errors.relu_descent(setting, law.starts, setting.steps)
    scales = np.sqrt(np.array(start_laws.aligned_variances(p, r), dtype=float))
    probability = float(probability_all_active(np.array(d), scales))
    dead_share = dead(np.array(d), law.starts).mean()
    # here every start that is not dead recovers, so that only the dead ones keep their loss 1 + d_0^2
    assert run.loss[-1].mean() == pytest.approx(dead_share * (1 + d[0] ** 2), abs=1e-3)
    assert abs(dead_share - probability) < 5 * np.sqrt(probability / n)


def test_shares_count_by_enumeration() -> None:
    d = np.array([0.5, 0.5])
    starts = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [1.0, -3.0], [-2.0, 0.5]])
    dead_share, every, error = start_shares.shares(d, starts)
    assert (dead_share, every) == (0.4, 0.2)
    assert error == pytest.approx(np.sqrt((0.6 + 10 / 5) / 5))
