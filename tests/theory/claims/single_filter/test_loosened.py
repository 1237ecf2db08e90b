"""C-L2, C-L3 and C-E10 through the ledger, the counterexamples in their notes, and what their experiments plant."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from sim.descent import descend
from sim.exact import exact_active, exact_descend, exact_gradient, exact_grid, exact_step, exact_targets
from sim.problem import SampleProblem
from sim.samples import linear_targets, symmetric_grid
from tests.strategies.single_filter import fractions_in
from theory.claims.observe.single_filter import active_samples, asymmetric_grids, label_noise, rates, targets
from theory.claims.single_filter.loosened import CLAIMS, E10, L2, L3
from theory.evaluate import surely
from theory.ledger import Claim, Clause, Verdict
from theory.search import exact_search
from theory.verify import simulated, verify

HALF, E0 = Fraction(1, 2), (Fraction(1), Fraction(0))
EXPECTED = {
    "residual terms": Verdict.HOLDS,
    "may speed up or slow down": Verdict.HOLDS,
    "distance, first update": Verdict.CORRECTED,
    "distance, long run": Verdict.CORRECTED,
    "some faster, others slower": Verdict.HOLDS,
    "likely small": Verdict.CONDITIONAL,
    "likely small, two weights": Verdict.CONDITIONAL,
    "gradient": Verdict.HOLDS,
    "speed": Verdict.HOLDS,
    "noise cancels": Verdict.HOLDS,
    "small": Verdict.CONDITIONAL,
    "only active samples": Verdict.HOLDS,
    "at most proportional": Verdict.HOLDS,
    "roughly proportional": Verdict.CONDITIONAL,
    "fewer active, slower": Verdict.CONDITIONAL,
}
EXPERIMENTS = (
    asymmetric_grids.asymmetric_grids,
    asymmetric_grids.shifts,
    rates.rates,
    targets.noisy_sample,
    targets.noisy_descent,
    label_noise.noisy_limit,
    active_samples.one_update,
    active_samples.far_filters,
    active_samples.two_filters,
)
CASES = [(claim, clause) for claim in CLAIMS for clause in claim.clauses]
FALSE = [(claim, clause) for claim, clause in CASES if EXPECTED[clause.name] is not Verdict.HOLDS]


def name(value: object) -> str:
    return value.name if isinstance(value, Clause) else value.id if isinstance(value, Claim) else str(value)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("claim", CLAIMS, ids=name)
def test_verdicts(claim: Claim, seed: int) -> None:
    report = verify(claim, level="simulation", seed=seed)
    verdicts = {clause.clause.name: clause.verdict for clause in report.clauses}
    assert verdicts == {clause.name: EXPECTED[clause.name] for clause in claim.clauses}
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0


@pytest.mark.parametrize(("claim", "clause"), FALSE, ids=name)
def test_counterexamples_are_exact_and_reproduced(claim: Claim, clause: Clause) -> None:
    (report,) = verify(replace(claim, clauses=(clause,)), level="simulation").clauses
    found = report.counterexample
    assert found is not None
    assert found.reproduced
    assert found.excluded is (None if clause.condition is None else True)
    assert not any("." in text for _, text in found.instance)


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda f: f.__name__)
def test_experiments_have_rational_and_random_instances(experiment) -> None:
    assert len(simulated(experiment(), 0)) > 1
    route = experiment().exact
    assert route is not None
    decided = [values for instance in route.candidates() if (values := route.observe(instance))]
    assert len(decided) >= 20


def share(observations, statement) -> float:
    """How often a statement is true beyond the tolerance."""
    hits = [np.broadcast_to(surely(statement, o.values, o.tolerance), np.shape(o.values["lam"])) for o in observations]
    return float(np.concatenate(hits).mean())


def test_shifts_lead_either_way() -> None:
    """Samples farther and nearer, w closer and less close, rates up and down: no clause holds for lack of cases."""
    observations = simulated(asymmetric_grids.shifts(), 0)
    for event in ("farther", "closer", "rate_up", "rate_down"):
        assert 0.03 < share(observations, sp.Symbol(event)) < 0.97
    assert share(observations, sp.Symbol("all_active")) == 1.0
    assert 0.1 < share(observations, sp.Gt(sp.Symbol("gain"), 0)) < 0.9


def test_filters_lose_samples_and_meet_the_conditions() -> None:
    observations = simulated(active_samples.two_filters(), 0)
    fewer = next(clause for clause in E10.clauses if clause.name == "fewer active, slower")
    less = sp.Lt(sp.Symbol("fraction", nonnegative=True), sp.Symbol("fraction_b", nonnegative=True))
    assert fewer.condition is not None
    assert share(observations, less) > 0.2
    assert share(observations, sp.And(less, fewer.condition)) > 0.05


def test_noise_leaves_most_samples_active() -> None:
    for experiment in (targets.noisy_descent, label_noise.noisy_limit):
        active = np.concatenate([np.atleast_1d(o.values["always_active"]) for o in simulated(experiment(), 0)])
        assert active.mean() > 0.6


def test_noise_is_searched_on_scales_where_a_power_of_it_shows() -> None:
    small = next(clause for clause in L3.clauses if clause.name == "small")
    experiment, tau = label_noise.noisy_limit(), sp.Symbol("tau", positive=True)
    assert experiment.exact is not None
    assert small.condition is not None
    premises = [sp.Symbol("always_active"), small.condition]
    for statement, found in ((small.printed, False), (small.printed.subs(tau, 1 / tau), True)):
        assert isinstance(statement, sp.Basic)
        outcome = exact_search(experiment.exact, experiment.observe, statement, premises)
        assert (outcome.counterexample is not None) is found


@given(*[st.lists(fractions_in(0, 3), min_size=1, max_size=4)] * 2)
def test_sums_of_roots_are_compared_exactly(first: list[Fraction], second: list[Fraction]) -> None:
    verdict = asymmetric_grids.exceeds(first, second)
    one, other = (sum(np.sqrt(float(v)) for v in squares) for squares in (first, second))
    if abs(one - other) > 1e-12:
        assert verdict is bool(one > other)
    if sorted(first) == sorted(second):
        assert verdict is None


def test_ahead_at_first_and_behind_in_the_long_run() -> None:
    """The samples (1, 1), (1, 0) are twice as far from w = (1, -1/2) as (1, 1/2), (1, -1/2): slower from k = 3 on."""
    w, lam = (Fraction(1), -HALF), HALF
    errors = []
    for samples in (((Fraction(1), HALF), (Fraction(1), -HALF)), ((Fraction(1), Fraction(1)), E0)):
        weights = exact_descend(samples, exact_targets(samples, E0), w, lam, 8)
        assert all(exact_active(x, v) for x in samples for v in weights)
        errors.append([(1 - v[0]) ** 2 + v[1] ** 2 for v in weights])
    ahead = [there < here for here, there in zip(*errors, strict=True)]
    assert ahead == [False, True, True, *[False] * 6]
    assert (errors[0][3], errors[1][3]) == (Fraction(27, 128) ** 2, Fraction(13, 256))


def test_collapsed_samples_stop_short_of_w_star() -> None:
    """One sample, twice: the slowest rate is 0 and the limit depends on the start."""
    X = np.array([[1.0, 1.0], [1.0, 1.0]])
    run = descend(SampleProblem(linear_targets(X)), np.array([1.0, 1.0]), learning_rate=0.25, steps=200)
    assert run.final[0] == pytest.approx([0.5, 0.5], abs=1e-12)
    assert run.loss[-1, 0] == pytest.approx(0.0, abs=1e-20)


def test_a_filter_far_away_stands_still() -> None:
    """w = (-1, 4) is 4 and more away, half of the samples are active, and they are answered rightly."""
    samples = ((Fraction(1), HALF), (Fraction(1), -HALF))
    w = (Fraction(-1), Fraction(4))
    assert [exact_active(x, w) for x in samples] == [True, False]
    assert exact_step(samples, exact_targets(samples, E0), w, HALF) == w


def test_half_of_the_samples_bring_w_closer_than_all_of_them() -> None:
    """d = (0, 1/4), both at distance sqrt(2): (0, 1) has one active sample, (4/5, 7/5) has two."""
    samples = exact_grid((Fraction(0), Fraction(1, 4)))
    few, all_of_them = (Fraction(0), Fraction(1)), (Fraction(4, 5), Fraction(7, 5))
    left = []
    for w, count in ((few, 2), (all_of_them, 4)):
        assert sum(exact_active(x, w) for x in samples) == count
        after = exact_step(samples, exact_targets(samples, E0), w, HALF)
        left.append((1 - after[0]) ** 2 + after[1] ** 2)
        assert (1 - w[0]) ** 2 + w[1] ** 2 == 2
    assert left[0] < left[1]


@pytest.mark.parametrize("p", [2, 3, 4])
def test_noise_chosen_against_a_weight_moves_it_by_tau_over_d(p: int) -> None:
    """f = tau sign(a_1): no number of samples makes up for it."""
    d, tau = (Fraction(0), *[Fraction(1, 4)] * (p - 1)), Fraction(1, 8)
    samples = exact_grid(d)
    f = [tau if x[1] > 0 else -tau for x in samples]
    targets = [y + e for y, e in zip(exact_targets(samples, (1, *[0] * (p - 1))), f, strict=True)]
    limit = (Fraction(1), tau / d[1], *[Fraction(0)] * (p - 2))
    assert all(exact_active(x, limit) for x in samples)
    assert not any(exact_gradient(samples, targets, limit))


def test_noise_can_switch_samples_off() -> None:
    """A sample with a negative target is switched off time and again: inactive it pulls no more, and comes back."""
    grid = symmetric_grid(np.array([0.5, 0.5]))
    noise = np.array([-2.0, 0.0, 0.0, 0.0])
    noisy = replace(grid, y=grid.y + noise)
    run = descend(SampleProblem(noisy), np.array([1.0, 0.0]), learning_rate=0.4, steps=30)
    assert run.active_fraction[0, 0] == 1.0
    assert run.active_fraction[-10:, 0].min() < 1.0
    assert noisy.y.min() < 0.0


def test_claims_are_the_three() -> None:
    assert (L2.id, L3.id, E10.id) == ("C-L2", "C-L3", "C-E10")
