from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from sim.descent import DIVERGENCE_BOUND, descend, stability_limit
from sim.errors import StabilityWarning
from sim.exact import exact_active, exact_descend, exact_grid, exact_targets, exact_trajectory
from sim.instance import FilterBatch, FilterInstance
from sim.problem import GridProblem, SampleProblem
from sim.samples import SampleSet, symmetric_grid, with_label_noise
from tests.reference.single_filter import naive_active_sums, naive_descend
from tests.sim.rounding import rounding
from tests.strategies.single_filter import all_active_instances

STEPS = 24


def noisy_samples() -> SampleSet:
    """Seven samples for four weights, of which some are inactive at the start."""
    rng = np.random.default_rng(30)
    X = rng.normal(size=(7, 4))
    return SampleSet(X, X @ rng.normal(size=4) + rng.normal(size=7))


def batches_of(order: str, n: int, size: int, rng: np.random.Generator) -> list[list[int]]:
    """The samples of each update, drawn as the documentation says."""
    if order == "full":
        return [list(range(n))] * STEPS
    if order == "cyclic":
        return [[t % n] for t in range(STEPS)]
    if order == "random":
        return [[int(rng.integers(n, size=1)[0])] for _ in range(STEPS)]
    batches: list[list[int]] = []
    while len(batches) < STEPS:
        permutation = rng.permutation(n).tolist()
        batches += [permutation[i : i + size] for i in range(0, n, size)]
    return batches[:STEPS]


@pytest.mark.parametrize("order", ["full", "cyclic", "random", "shuffled", "minibatch"])
@pytest.mark.parametrize(("momentum", "l2"), [(0.0, 0.0), (0.8, 0.0), (0.0, 0.1), (0.5, 0.05)])
def test_every_order_equals_a_loop_by_hand(order: str, momentum: float, l2: float) -> None:
    samples = noisy_samples()
    w = np.random.default_rng(31).normal(size=(3, 4))
    rates = np.array([0.01, 0.02, 0.03])
    size = 3 if order == "minibatch" else 1
    run = descend(
        SampleProblem(samples), w, learning_rate=rates, steps=STEPS, order=order, momentum=momentum, l2=l2,
        batch_size=size if order == "minibatch" else None, rng=np.random.default_rng(32),
    )  # fmt: skip
    batches = batches_of(order, 7, size, np.random.default_rng(32))
    assert run.steps == STEPS
    for row in range(3):
        weights, gradients = naive_descend(samples.X, samples.y, w[row], rates[row], batches, momentum, l2)
        assert np.abs(run.weights[:, row] - weights).max() <= rounding(28 * STEPS, 10.0)
        assert np.abs(run.gradients[:, row] - gradients).max() <= rounding(28 * STEPS, 100.0)
        for t in (0, 5, STEPS):
            count, loss, _, _ = naive_active_sums(samples.X, samples.y, weights[t])
            assert run.active_fraction[t, row] == count / 7
            assert abs(run.loss[t, row] - loss) <= rounding(28 * STEPS, 100.0)
    assert np.array_equal(run.final, run.weights[-1])
    assert np.unique(run.active_fraction).size > 1
    assert not run.diverged.any()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(all_active_instances(max_p=4))
def test_a_step_of_the_grid_equals_exact_arithmetic(instance: FilterInstance) -> None:
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    exact = exact_descend(samples, targets, instance.w, instance.learning_rate, 1)
    batch = FilterBatch.of([instance])
    run = descend(GridProblem.of(batch), batch.w, learning_rate=batch.learning_rate, steps=1)
    scale = 1.0 + float(np.abs(batch.w).sum())
    assert np.abs(run.weights[:, 0] - np.array(exact, dtype=float)).max() <= rounding(16 * instance.p, 4 * scale)
    assert run.active_fraction[0, 0] == 1.0


@pytest.mark.parametrize("order", ["full", "cyclic"])
@pytest.mark.parametrize("momentum", [Fraction(0), Fraction(4, 5)])
def test_partly_active_trajectories_equal_exact_arithmetic(order: str, momentum: Fraction) -> None:
    rng = np.random.default_rng(33)
    left_all_active = 0
    for _ in range(6):
        d = [Fraction(int(v), 7) for v in rng.integers(1, 7, 3)]
        w = [Fraction(int(v), 11) for v in rng.integers(-11, 12, 3)]
        samples = exact_grid(d)
        weights, gradients = exact_trajectory(
            samples, exact_targets(samples, [1, 0, 0]), w, Fraction(1, 13), 6, order, momentum
        )
        ties = [abs(exact_targets([X], v)[0]) for v in weights for X in samples]
        assert min(ties) > Fraction(1, 10**9), "a tie would not test rounding but chance"
        run = descend(
            GridProblem([float(v) for v in d]), [float(v) for v in w], learning_rate=1 / 13, steps=6, order=order,
            momentum=float(momentum),
        )  # fmt: skip
        assert np.abs(run.weights[:, 0] - np.array(weights, dtype=float)).max() <= rounding(6 * 24, 10.0)
        assert np.abs(run.gradients[:, 0] - np.array(gradients, dtype=float)).max() <= rounding(6 * 24, 10.0)
        share = [Fraction(sum(exact_active(X, v) for X in samples), 8) for v in weights]
        assert run.active_fraction[:, 0].tolist() == [float(v) for v in share]
        left_all_active += any(0 < v < 1 for v in share)
    assert left_all_active >= 3


@pytest.mark.parametrize("order", ["full", "cyclic", "random", "shuffled", "minibatch"])
def test_a_row_does_not_depend_on_its_batch(order: str) -> None:
    rng = np.random.default_rng(34)
    batch = FilterBatch.create(rng.random((6, 4)), rng.normal(size=(6, 4)), rng.uniform(0.01, 0.1, 6))
    size = 5 if order == "minibatch" else None
    arguments: dict[str, Any] = {"steps": 20, "order": order, "momentum": 0.5, "batch_size": size}
    together = descend(
        GridProblem.of(batch), batch.w, learning_rate=batch.learning_rate, rng=np.random.default_rng(35), **arguments
    )
    for row in range(6):
        alone = descend(
            GridProblem(batch.d[row]), batch.w[row], learning_rate=batch.learning_rate[row],
            rng=np.random.default_rng(35), **arguments,
        )  # fmt: skip
        for field in ("weights", "gradients", "loss", "active_fraction"):
            gap = np.abs(getattr(together, field)[:, row] - getattr(alone, field)[:, 0]).max()
            assert gap <= rounding(400, 100.0), field


def test_grid_and_listed_samples_give_one_trajectory() -> None:
    rng = np.random.default_rng(36)
    d, w_star, w = rng.random(6), rng.normal(size=6), rng.normal(size=(4, 6))
    for order in ("full", "shuffled"):
        runs = [
            descend(problem, w, learning_rate=0.05, steps=30, order=order, rng=np.random.default_rng(37))
            for problem in (GridProblem(d, w_star), SampleProblem(symmetric_grid(d, w_star)))
        ]
        for field in ("weights", "gradients", "loss", "active_fraction"):
            assert np.abs(getattr(runs[0], field) - getattr(runs[1], field)).max() <= rounding(64 * 30, 100.0), field


def test_one_row_of_weights_serves_many_rates_and_many_grids() -> None:
    run = descend(GridProblem([0.5, 0.5]), [1.0, 0.1], learning_rate=[0.1, 0.2], steps=3)
    assert run.weights.shape == (4, 2, 2)
    assert run.gradients.shape == (3, 2, 2)
    assert run.loss.shape == run.active_fraction.shape == (4, 2)
    many = descend(GridProblem([[0.5, 0.5], [0.1, 0.9]]), [1.0, 0.1], learning_rate=0.1, steps=3)
    assert np.abs(many.weights[:, 0] - run.weights[:, 0]).max() <= rounding(4, 1.0)
    assert many.weights.shape == (4, 2, 2)


def test_same_seed_same_trajectory_and_other_seed_another() -> None:
    problem = SampleProblem(with_label_noise(symmetric_grid([0.5] * 3), 0.1, np.random.default_rng(38)))
    for order in ("random", "shuffled"):
        a, b, c = (
            descend(problem, [1.0, 0.2, -0.1], learning_rate=0.05, steps=40, order=order, rng=np.random.default_rng(s))
            for s in (1, 1, 2)
        )
        assert np.array_equal(a.weights, b.weights)
        assert not np.array_equal(a.weights, c.weights)


def test_shuffled_visits_every_sample_once_an_epoch() -> None:
    # orthogonal samples, each of which moves its own coordinate
    problem = SampleProblem(SampleSet(np.eye(6), np.full(6, 2.0)))
    run = descend(problem, np.ones(6), learning_rate=0.1, steps=12, order="shuffled", rng=np.random.default_rng(39))
    moved = [int(np.flatnonzero(g[0])[0]) for g in run.gradients]
    assert sorted(moved[:6]) == sorted(moved[6:]) == list(range(6))
    assert moved[:6] != moved[6:]


def test_loss_is_not_recorded_when_not_asked_for() -> None:
    for order in ("full", "cyclic"):
        run, kept = (
            descend(GridProblem([0.5, 0.5]), [1.0, 0.3], learning_rate=0.1, steps=5, order=order, record_loss=record)
            for record in (False, True)
        )
        assert run.loss.shape == run.active_fraction.shape == (0, 1)
        assert np.array_equal(run.weights, kept.weights)


def test_no_steps() -> None:
    run = descend(GridProblem([0.5]), [2.0], learning_rate=0.1, steps=0)
    assert run.final.tolist() == [[2.0]]
    assert run.loss.tolist() == [[1.25]]
    assert run.steps == 0


def test_samples_that_are_all_zero_set_no_limit() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stability_limit(SampleProblem(SampleSet(np.zeros((3, 2)), np.ones(3))), order="cyclic") == np.inf


def test_a_mini_batch_may_hold_all_samples() -> None:
    problem, rng = SampleProblem(symmetric_grid([0.5, 0.25])), np.random.default_rng(0)
    whole = descend(problem, [2.0, 0.5], learning_rate=0.1, steps=3, order="minibatch", batch_size=4, rng=rng)
    full = descend(problem, [2.0, 0.5], learning_rate=0.1, steps=3)
    assert whole.final == pytest.approx(full.final, rel=1e-14)


def test_limits_are_sharp_for_the_full_batch() -> None:
    problem = GridProblem([0.5, 0.25])
    for momentum, l2 in ((0.0, 0.0), (0.8, 0.0), (0.0, 0.5), (0.6, 0.3)):
        limit = stability_limit(problem, momentum=momentum, l2=l2)[0]
        assert limit == pytest.approx((1 + momentum) / (1.25 + l2 / 2), rel=1e-15)
        last = []
        for factor in (0.97, 1.03):
            # so small a step off the optimum that every sample stays active
            stationary = 2.5 / (2.5 + l2)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", StabilityWarning)
                run = descend(
                    problem, [stationary + 1e-6, 0.0], learning_rate=factor * limit, steps=200, momentum=momentum, l2=l2
                )
            assert (run.active_fraction[:20] == 1).all()
            last.append(np.abs(run.weights[-40:, 0, 0] - stationary).max())
        assert last[0] < 1e-6 < last[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"^learning_rate must be below the stability limit of gradient descent, 1/lambda_max = 0.8, got 0.9$"),
        ({"momentum": 0.1}, r"limit of heavy-ball descent, \(1 \+ momentum\)/lambda_max = 0.88, got 0.9$"),
        ({"order": "cyclic"}, r"limit of single-sample updates, 1/max\|X\|\^2 = 0.4, got 0.9$"),
        ({"order": "minibatch", "batch_size": 1}, r"limit of single-sample updates, 1/max\|X\|\^2 = 0.4, got 0.9$"),
        ({"order": "minibatch", "batch_size": 2}, r"limit of gradient descent, 1/lambda_max = 0.8, got 0.9$"),
        ({"l2": 0.5}, r"1/lambda_max \(with l2 added to the curvature\) = 0.666667, got 0.9$"),
    ],
)
def test_too_large_a_learning_rate_warns_with_its_limit(arguments: dict[str, Any], message: str) -> None:
    problem = GridProblem([0.5, 0.5])
    with pytest.warns(StabilityWarning, match=message):
        descend(problem, [1.0, 0.0], learning_rate=0.9, steps=1, rng=np.random.default_rng(0), **arguments)
    limit = float(stability_limit(problem, **arguments)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rng = np.random.default_rng(0)
        descend(problem, [1.0, 0.0], learning_rate=0.999 * limit, steps=1, rng=rng, **arguments)
        descend(problem, [1.0, 0.0], learning_rate=0.9, steps=1, rng=rng, check_stability=False, **arguments)


def test_the_warning_names_the_worst_row_and_counts_the_limit_itself() -> None:
    problem = GridProblem([[0.0], [1.0], [0.5]])
    with pytest.warns(StabilityWarning, match=r"= 0.5, got 0.7 in row 1$"):
        descend(problem, [1.0], learning_rate=0.7, steps=1)
    with pytest.warns(StabilityWarning, match=r"= 1, got 1$"):
        descend(GridProblem([0.0]), [1.0], learning_rate=1.0, steps=1)


def test_divergence_is_reported_and_frozen() -> None:
    # opposite samples: whichever sign w has, one of the two is active and pulls
    problem = SampleProblem(SampleSet(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0])))
    run = descend(problem, [[1.5], [1.1]], learning_rate=[9.0, 0.5], steps=400, check_stability=False)
    assert run.diverged.tolist() == [True, False]
    for field in ("weights", "gradients", "loss", "active_fraction"):
        assert np.isfinite(getattr(run, field)).all(), field
    path = np.abs(run.weights[:, 0, 0])
    assert path[-1] == path[-2]
    assert 1e90 < path[-1] <= DIVERGENCE_BOUND
    assert abs(run.final[1, 0]) == pytest.approx(1.0, rel=1e-12)
    assert run.gradients[-1, 0, 0] != 0


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"learning_rate": 0.0}, ValueError, r"^learning_rate must be positive, got 0.0$"),
    ({"learning_rate": np.nan}, ValueError, r"^learning_rate must be finite, got nan$"),
    ({"learning_rate": [[0.1]]}, ValueError, r"^learning_rate must be a scalar or have shape \(B,\), got \(1, 1\)$"),
    ({"w": [1.0, np.inf]}, ValueError, r"^w must be finite, got w\[1\] = inf$"),
    ({"w": [1.0]}, ValueError, r"^w must have shape \(2,\) or \(B, 2\), got \(1,\)$"),
    ({"w": [1e101, 0.0]}, ValueError, r"^w must not exceed 1e\+100 in magnitude, got 1e\+101$"),
    ({"w": np.ones((3, 2)), "learning_rate": [0.1] * 2}, ValueError, r"got: w has 3, learning_rate has 2, problem has"),
    ({"steps": -1}, ValueError, r"^steps must be at least 0, got -1$"),
    ({"steps": 1.5}, TypeError, r"^steps must be an integer, got 1.5 \(float\)$"),
    ({"order": "fast"}, ValueError, r"^order must be one of full, cyclic, random, shuffled, minibatch, got 'fast'$"),
    ({"order": "random"}, TypeError, r"^rng must be a numpy.random.Generator \(order='random' is random\), got None"),
    ({"order": "minibatch"}, ValueError, r"^batch_size must be given for order='minibatch', got None$"),
    ({"order": "minibatch", "batch_size": 5}, ValueError, r"^batch_size must be at most the number of .* 4, got 5$"),
    ({"order": "minibatch", "batch_size": 0}, ValueError, r"^batch_size must be at least 1, got 0$"),
    ({"batch_size": 2}, ValueError, r"^batch_size must be None unless order='minibatch', got 2 with order='full'$"),
    ({"momentum": 1.0}, ValueError, r"^momentum must lie in \[0, 1\), got 1.0$"),
    ({"momentum": -0.5}, ValueError, r"^momentum must be non-negative, got -0.5$"),
    ({"l2": -1.0}, ValueError, r"^l2 must be non-negative, got -1.0$"),
    ({"l2": [0.1]}, ValueError, r"^l2 must have shape \(\), got \(1,\)$"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "error", "message"), BAD)
def test_bad_arguments(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    given_arguments: dict[str, Any] = {"w": [1.0, 0.0], "learning_rate": 0.1, "steps": 1} | arguments
    with pytest.raises(error, match=message):
        descend(GridProblem([0.5, 0.5]), given_arguments.pop("w"), **given_arguments)
