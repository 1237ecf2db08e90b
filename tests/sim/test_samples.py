from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.samples import (
    SampleSet,
    asymmetric_grid,
    hadamard_design,
    linear_targets,
    symmetric_grid,
    with_label_noise,
    with_nonlinear_target,
)
from tests.reference.single_filter import naive_grid
from tests.sim.rounding import rounding
from tests.strategies.single_filter import floats_in, sample_sets


def half_widths(max_p: int) -> st.SearchStrategy[list[float]]:
    return st.lists(floats_in(0.0, 1.0), min_size=1, max_size=max_p)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(sample_sets())
def test_moments_are_means_over_samples(samples: SampleSet) -> None:
    second = sum(np.outer(x, x) for x in samples.X) / len(samples)
    cross = sum(y * x for x, y in zip(samples.X, samples.y, strict=True)) / len(samples)
    assert np.abs(samples.second_moment - second).max() <= rounding(len(samples), 4.0)
    assert np.abs(samples.cross_moment - cross).max() <= rounding(len(samples), 4.0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(half_widths(6))
def test_symmetric_grid_has_a_diagonal_second_moment(d: list[float]) -> None:
    grid = symmetric_grid(d)
    assert np.array_equal(grid.X, naive_grid(d))
    assert np.array_equal(grid.y, grid.X[:, 0])
    expected = np.diag(np.square(d))
    expected[0, 0] += 1
    assert np.abs(grid.second_moment - expected).max() <= rounding(2 ** len(d), 4.0)


def test_asymmetric_grid_takes_low_and_high() -> None:
    samples = asymmetric_grid([0.25, 0.5], [1.0, -2.0], w_star=[1.0, 1.0])
    assert samples.X.tolist() == [[0.75, -0.5], [2.0, -0.5], [0.75, -2.0], [2.0, -2.0]]
    assert samples.y.tolist() == [0.25, 1.5, -1.25, 0.0]
    d = [0.5, 0.25, 1.0]
    assert np.array_equal(asymmetric_grid(d, d).X, symmetric_grid(d).X)


def test_targets() -> None:
    grid = symmetric_grid([0.5, 0.5], w_star=[2.0, -1.0])
    assert np.array_equal(grid.y, 2 * grid.X[:, 0] - grid.X[:, 1])
    bent = with_nonlinear_target(grid, lambda X: X[:, 0] * X[:, 1])
    assert np.array_equal(bent.y - grid.y, grid.X[:, 0] * grid.X[:, 1])
    assert np.array_equal(bent.X, grid.X)


def test_label_noise_has_the_deviation_asked_for_and_follows_the_seed() -> None:
    clean = linear_targets(np.ones((20_000, 1)))
    noisy = with_label_noise(clean, 0.5, np.random.default_rng(4))
    error = noisy.y - clean.y
    # four standard errors of the mean and of the standard deviation
    assert abs(error.mean()) < 4 * 0.5 / np.sqrt(20_000)
    assert abs(error.std() - 0.5) < 4 * 0.5 / np.sqrt(2 * 20_000)
    assert np.array_equal(noisy.y, with_label_noise(clean, 0.5, np.random.default_rng(4)).y)
    assert np.array_equal(with_label_noise(clean, 0, np.random.default_rng(4)).y, clean.y)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(half_widths(9))
@example([0.0])
@example([0.0, 1.0])
@example([1.0])
@example([0.0, 0.5, 0.5, 0.5])
@example([0.5, 0.5, 0.5])
def test_hadamard_design_has_the_moments_of_the_grid(d: list[float]) -> None:
    design, grid = hadamard_design(d), symmetric_grid(d)
    room = rounding(2 ** len(d), 4.0)
    assert np.abs(design.second_moment - grid.second_moment).max() <= room
    assert np.abs(design.cross_moment - grid.cross_moment).max() <= room
    assert np.abs(design.X.mean(axis=0) - grid.X.mean(axis=0)).max() <= room
    assert np.abs(np.abs(design.X - np.eye(len(d))[0]) - d).max() <= room


@pytest.mark.parametrize(
    ("d", "n"), [([0.0], 1), ([0.5], 2), ([0, 1, 1, 1], 4), ([1, 1, 1, 1], 8), ([0, 1, 1, 1, 1], 8)]
)
def test_hadamard_design_takes_the_least_power_of_two(d: list[float], n: int) -> None:
    assert len(hadamard_design(d)) == n
    assert len(hadamard_design(d, order=4 * n)) == 4 * n


def test_hadamard_design_is_small_for_a_7_by_7_filter() -> None:
    d = np.linspace(0.1, 1.0, 49)
    design = hadamard_design(d, w_star=np.arange(49.0))
    assert design.X.shape == (64, 49)
    expected: FloatArray = np.diag(d**2)
    expected[0, 0] += 1
    assert np.abs(design.second_moment - expected).max() <= rounding(64, 4.0)
    assert design.y[5] == pytest.approx(float(design.X[5] @ np.arange(49.0)), rel=rounding(49, 1.0))


def test_bad_arguments() -> None:
    grid = symmetric_grid([0.5, 0.5])
    with pytest.raises(ValueError, match=r"^X must have shape \(n, n\), got \(3,\)$"):
        linear_targets([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^y must have shape \(2,\), got \(3,\)$"):
        SampleSet(np.ones((2, 2)), np.ones(3))
    with pytest.raises(ValueError, match=r"^y must be finite, got y\[0\] = nan$"):
        SampleSet(np.ones((1, 2)), np.array([np.nan]))
    with pytest.raises(ValueError, match=r"^w_star must have shape \(2,\), got \(3,\)$"):
        symmetric_grid([0.5, 0.5], [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match=r"^high must have shape \(2,\), got \(1,\)$"):
        asymmetric_grid([0.0, 0.0], [0.0])
    with pytest.raises(ValueError, match=r"got p = 21"):
        asymmetric_grid(np.zeros(21), np.zeros(21))
    with pytest.raises(ValueError, match=r"^sigma must be non-negative, got -1.0$"):
        with_label_noise(grid, -1.0, np.random.default_rng(0))
    with pytest.raises(
        TypeError, match=r"^rng must be a numpy.random.Generator \(label noise is random\), got 0 \(int\)$"
    ):
        with_label_noise(grid, 1.0, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^f\(X\) must have shape \(4,\), got \(4, 2\)$"):
        with_nonlinear_target(grid, lambda X: X)
    with pytest.raises(ValueError, match=r"^order must be a power of two, at least 4 for 3 sign columns, got 6$"):
        hadamard_design([0, 1, 1, 1], order=6)
    with pytest.raises(ValueError, match=r"^order must be a power of two, at least 8 for 4 sign columns, got 4$"):
        hadamard_design([1, 1, 1, 1], order=4)
