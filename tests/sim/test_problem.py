from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings

from sim.instance import FilterBatch
from sim.problem import GridProblem, Problem, SampleProblem
from sim.samples import SampleSet, linear_targets, symmetric_grid
from tests.reference.single_filter import naive_active_sums
from tests.sim.rounding import rounding
from tests.strategies.single_filter import sample_sets


def twin_problems(p: int = 4) -> tuple[GridProblem, list[SampleProblem]]:
    """Five grids, as one problem of five rows and as five of listed samples."""
    rng = np.random.default_rng(20)
    d, w_star = rng.random((5, p)), rng.normal(size=(5, p))
    return GridProblem(d, w_star), [SampleProblem(symmetric_grid(*row)) for row in zip(d, w_star, strict=True)]


def test_both_problems_describe_themselves() -> None:
    grid, listed = twin_problems()
    assert (grid.p, grid.n_samples, grid.rows) == (4, 16, 5)
    problem: Problem
    for row, problem in enumerate(listed):
        assert (problem.p, problem.n_samples, problem.rows) == (4, 16, 1)
        room = rounding(16, 8.0)
        assert np.abs(grid.second_moment()[row] - problem.second_moment()[0]).max() <= room
        assert abs(grid.largest_squared_norm()[row] - problem.largest_squared_norm()[0]) <= room
        assert abs(grid.largest_stable_learning_rate()[row] - problem.largest_stable_learning_rate()[0]) <= room


def test_active_sums_and_sample_gradients_agree_between_problems() -> None:
    grid, listed = twin_problems()
    w = np.random.default_rng(21).normal(size=(5, 4))
    index = np.random.default_rng(22).permuted(np.tile(np.arange(16), (5, 1)), axis=1)
    sums, gradients = grid.active_sums(w), grid.sample_gradients(w, index)
    assert gradients.shape == (5, 16, 4)
    assert (sums.count > 0).sum() >= 3
    for row, problem in enumerate(listed):
        X, y = problem.samples.X, problem.samples.y
        assert np.abs(problem.active_sums(w[row]).gradient - sums.gradient[row]).max() <= rounding(64, 100.0)
        alone = [naive_active_sums(X[[i]], y[[i]], w[row])[2] for i in index[row]]
        assert np.abs(gradients[row] - alone).max() <= rounding(4, 100.0)
        assert np.abs(problem.sample_gradients(w[row], index[[row]]) - alone).max() <= rounding(4, 100.0)
        assert np.any(alone, axis=1).sum() == sums.count[row]


def test_one_row_of_indices_serves_all_filters() -> None:
    grid, _ = twin_problems()
    w = np.random.default_rng(23).normal(size=(5, 4))
    shared = grid.sample_gradients(w, np.array([[3, 9]]))
    assert np.array_equal(shared, grid.sample_gradients(w, np.repeat([[3, 9]], 5, axis=0)))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(sample_sets())
def test_stable_learning_rate_is_where_the_steepest_direction_turns_over(samples: SampleSet) -> None:
    problem = SampleProblem(samples)
    limit = problem.largest_stable_learning_rate()[0]
    if not samples.X.any():
        assert limit == np.inf
        return
    assume(np.abs(samples.X).max() > 1e-150)  # squares must not underflow
    # 1 - 2 lr h spans [-1, 1] exactly at the limit
    factors = 1 - 2 * limit * np.linalg.eigvalsh(samples.second_moment)
    assert abs(factors.min() + 1) <= rounding(samples.p, 4.0)
    assert factors.max() <= 1 + rounding(samples.p, 4.0)


def test_grid_of_many_weights_needs_no_samples() -> None:
    d = np.linspace(0.0, 1.0, 49)
    problem = GridProblem.of(FilterBatch.create(d, np.zeros(49), 0.1))
    assert problem.n_samples == 2**49
    assert problem.largest_stable_learning_rate().tolist() == [1.0]
    assert GridProblem([1.0, 0.5]).largest_stable_learning_rate().tolist() == [0.5]
    # sample 2^48 has a plus in the last coordinate only; w.X = 1 + 1 - sum of the other deviations
    w = np.r_[2.0, np.zeros(47), 1.0]
    assert problem.sample_gradients(w, np.array([[2**48]]))[0, 0, -1] == 2 * (3.0 - 1.0)


def test_bad_arguments() -> None:
    grid, _ = twin_problems()
    w = np.zeros((5, 4))
    with pytest.raises(ValueError, match=r"^index must lie in \[0, 15\], got 16$"):
        grid.sample_gradients(w, np.array([[16]]))
    with pytest.raises(ValueError, match=r"^index must lie in \[0, 0\], got -1$"):
        SampleProblem(linear_targets(np.ones((1, 4)))).sample_gradients(w, np.array([[-1]]))
    with pytest.raises(ValueError, match=r"^index must be integers of shape \(B, m\), got float64 of shape \(1, 1\)$"):
        grid.sample_gradients(w, np.array([[1.0]]))
    with pytest.raises(ValueError, match=r"^the numbers of rows must agree \(or be 1\), got: w has 3, index has 5$"):
        grid.sample_gradients(np.zeros((3, 4)), np.array([[1]]))
    with pytest.raises(ValueError, match=r"^d must lie in \[0, 1\], got d\[1\] = 2.0$"):
        GridProblem([0.0, 2.0])
    with pytest.raises(ValueError, match=r"^d must have shape \(p,\) or \(B, p\), got \(\)$"):
        GridProblem(0.5)
    with pytest.raises(ValueError, match=r"^p must be at most 62 .* got 63$"):
        GridProblem(np.zeros(63))
    assert GridProblem(np.zeros(62)).p == 62
