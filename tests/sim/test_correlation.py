from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sim.arrays import FloatArray
from sim.correlation import equicorrelation, exponential_correlation, sample_filters
from sim.errors import require_correlation_matrix
from tests.reference.single_filter import naive_distance_correlation
from tests.sim.rounding import EPS
from tests.strategies.single_filter import correlation_matrices


@pytest.mark.parametrize(("p", "rho"), [(1, 0.5), (4, 0.0), (4, 0.3), (4, 1.0), (4, -1 / 3), (9, -0.125)])
def test_equicorrelation(p: int, rho: float) -> None:
    R = require_correlation_matrix(equicorrelation(p, rho), "R")
    assert np.array_equal(R, [[1.0 if i == j else rho for j in range(p)] for i in range(p)])


@pytest.mark.parametrize("metric", ["euclidean", "city-block"])
@pytest.mark.parametrize("rho", [0.0, 0.4, 0.95, 1.0])
@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_exponential_correlation_equals_its_naive_twin(k: int, rho: float, metric: str) -> None:
    R = require_correlation_matrix(exponential_correlation(k, rho, metric=metric), "R")
    assert np.abs(R - naive_distance_correlation(k, rho, metric)).max() <= 8 * EPS


def test_city_block_is_the_kronecker_square_of_a_line() -> None:
    line = 0.6 ** np.abs(np.arange(4)[:, None] - np.arange(4))
    assert np.abs(exponential_correlation(4, 0.6, metric="city-block") - np.kron(line, line)).max() <= 8 * EPS
    assert exponential_correlation(2, 0.5)[0, 3] == pytest.approx(0.5**2**0.5, rel=4 * EPS)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(correlation_matrices())
def test_filters_have_the_moments_asked_for(R: FloatArray) -> None:
    n, sigma = 4000, 0.5
    filters = sample_filters(R, n, sigma=sigma, rng=np.random.default_rng(40))
    assert filters.shape == (n, len(R))
    # Var(w_i w_j) = sigma^4 (1 + R_ij^2); five standard errors, for the many entries looked at
    error = 5 * sigma**2 * np.sqrt((1 + R**2) / n)
    assert (np.abs(filters.T @ filters / n - sigma**2 * R) <= error).all()
    assert (np.abs(filters.mean(axis=0)) <= 5 * sigma / np.sqrt(n)).all()


def test_filters_of_singular_correlation_stay_in_its_range() -> None:
    equal = sample_filters(np.ones((9, 9)), 50, rng=np.random.default_rng(41))
    assert np.ptp(equal, axis=1).max() <= 64 * EPS * np.abs(equal).max()
    assert np.std(equal) > 0.5
    summing_to_zero = sample_filters(equicorrelation(4, -1 / 3), 50, rng=np.random.default_rng(42))
    assert np.abs(summing_to_zero.sum(axis=1)).max() <= 64 * EPS * np.abs(summing_to_zero).max()


def test_same_seed_same_filters() -> None:
    R = exponential_correlation(3, 0.7)
    a, b = (sample_filters(R, 5, rng=np.random.default_rng(43)) for _ in range(2))
    assert np.array_equal(a, b)
    assert (
        np.abs(sample_filters(R, 5, sigma=2.0, rng=np.random.default_rng(43)) - 2 * a).max()
        <= 8 * EPS * np.abs(a).max()
    )


def test_bad_arguments() -> None:
    rng = np.random.default_rng(44)
    with pytest.raises(ValueError, match=r"^rho must lie in \[-0.5, 1\] for p = 3, got -0.6$"):
        equicorrelation(3, -0.6)
    with pytest.raises(ValueError, match=r"^rho must have shape \(\), got \(1,\)$"):
        equicorrelation(3, [0.5])
    with pytest.raises(ValueError, match=r"^p must be at least 1, got 0$"):
        equicorrelation(0, 0.5)
    with pytest.raises(ValueError, match=r"^rho_per_pixel must lie in \[0, 1\], got -0.1$"):
        exponential_correlation(3, -0.1)
    with pytest.raises(ValueError, match=r"^metric must be one of euclidean, city-block, got 'chess'$"):
        exponential_correlation(3, 0.5, metric="chess")
    with pytest.raises(ValueError, match=r"^R must have no negative eigenvalue, got smallest eigenvalue -1$"):
        sample_filters([[1, 2], [2, 1]], 1, rng=rng)
    with pytest.raises(ValueError, match=r"^n must be at least 1, got 0$"):
        sample_filters(np.eye(2), 0, rng=rng)
    with pytest.raises(ValueError, match=r"^sigma must be positive, got 0.0$"):
        sample_filters(np.eye(2), 1, sigma=0.0, rng=rng)
    with pytest.raises(
        TypeError, match=r"^rng must be a numpy.random.Generator \(filters are drawn at random\), got 1 "
    ):
        sample_filters(np.eye(2), 1, rng=1)  # type: ignore[arg-type]
