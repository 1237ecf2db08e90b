from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.correlation import (
    correlation_root,
    critical_variance,
    equicorrelation,
    exponential_correlation,
    response_gain,
    sample_filters,
    sample_weights,
    weight_std,
)
from sim.errors import require_correlation_matrix
from tests.reference.single_filter import naive_distance_correlation
from tests.sim.rounding import EPS
from tests.strategies.correlated_init import filter_correlations
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


def test_variance_zero_gives_zeros():
    assert not sample_filters(np.ones((3, 3)), 4, sigma=0.0, rng=np.random.default_rng(0)).any()


@given(correlation_matrices())
def test_the_root_of_any_correlation_matrix(R: FloatArray) -> None:
    C = correlation_root(R)
    assert np.abs(C @ C.T - R).max() <= 64 * len(R) * EPS


def test_the_root_of_perfect_correlation_has_rank_one() -> None:
    assert np.linalg.matrix_rank(correlation_root(np.ones((9, 9)))) == 1
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(np.ones((9, 9)))


@pytest.mark.parametrize(("apart", "rank"), [(12 * EPS, 1), (48 * EPS, 2)])
def test_an_eigenvalue_counts_from_eight_roundings_for_each_weight(apart: float, rank: int) -> None:
    """1 - r against 8 * 2 * eps of the largest, 1 + r."""
    root = correlation_root(np.array([[1.0, 1.0 - apart], [1.0 - apart, 1.0]]))
    assert int((np.square(root).sum(axis=0) > 0).sum()) == rank


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (6, 1, 3, 3), (2, 2, 1, 9), (5, 4, 2, 2), (3, 2, 1, 1)])
def test_weights_of_layers_are_filters_in_a_row(shape: tuple[int, int, int, int]) -> None:
    p = shape[2] * shape[3]
    R = equicorrelation(p, 0.5)
    W = sample_weights(R, shape, sigma=0.5, rng=np.random.default_rng(45))
    rows = sample_filters(R, shape[0] * shape[1], sigma=0.5, rng=np.random.default_rng(45))
    assert W.shape == shape
    assert np.array_equal(W.reshape(-1, p), rows)


@given(st.integers(1, 6).flatmap(lambda p: st.tuples(filter_correlations(p), filter_correlations(p))), st.floats(1, 9))
def test_the_gain_is_the_second_moment_of_a_response(pair: tuple[FloatArray, FloatArray], size: float) -> None:
    R, M = pair
    gain = response_gain(R, size * M)
    p = len(R)
    assert gain == pytest.approx(np.trace(R @ M), abs=64 * p**2 * EPS)
    assert -1e-12 <= gain <= p * p * (1 + 8 * EPS)
    assert response_gain(R, np.eye(p)) == pytest.approx(p)
    assert response_gain(R, np.ones((p, p))) == pytest.approx(R.sum(), abs=64 * p**2 * EPS)
    if gain > 0:
        assert critical_variance(R, M) * gain == pytest.approx(2.0)


def test_filters_that_sum_to_zero_answer_even_inputs_with_zero() -> None:
    R = equicorrelation(4, -1 / 3)
    assert response_gain(R, np.ones((4, 4))) == 0.0
    assert critical_variance(R, np.ones((4, 4))) == np.inf
    assert weight_std("he", R, 1) == pytest.approx(0.5**0.5)
    for scale in ("sum", "printed"):
        with pytest.raises(ValueError, match="filters that cancel on these inputs; scale='he' always exists"):
            weight_std(scale, R, 1)


def test_the_four_scales() -> None:
    R, n_in, p = exponential_correlation(3, 0.8), 16, 9
    M = equicorrelation(9, 0.3)
    total = float(R.sum())
    assert weight_std("sum", R, n_in) ** 2 == pytest.approx(2 / (n_in * total))
    assert weight_std("printed", R, n_in) ** 2 == pytest.approx(1 / (n_in * total))
    assert weight_std("he", R, n_in) ** 2 == pytest.approx(2 / (n_in * p))
    assert weight_std("mean_field", R, n_in, moments=3 * M) ** 2 == pytest.approx(2 / (n_in * (R * M).sum()))
    # for uncorrelated filters all but the printed one are He's
    same = [weight_std(scale, np.eye(9), n_in) for scale in ("sum", "he")]
    same.append(weight_std("mean_field", np.eye(9), n_in, moments=M))
    assert same == pytest.approx([weight_std("he", R, n_in)] * 3)
    # for even inputs it is the sum that keeps second moments
    assert weight_std("mean_field", R, n_in, moments=np.ones((9, 9))) == pytest.approx(weight_std("sum", R, n_in))


@pytest.mark.parametrize("scale", ["sum", "he", "mean_field"])
def test_scales_keep_the_second_moment_where_they_should(scale: str) -> None:
    """Half the second moment of a response, which is what ReLU leaves of it, is that of the inputs, here 1."""
    rng = np.random.default_rng(46)
    R, n_in, n = exponential_correlation(3, 0.7), 64, 4000
    moments = {"sum": np.ones((9, 9)), "he": np.eye(9), "mean_field": exponential_correlation(3, 0.4)}[scale]
    sigma = weight_std(scale, R, n_in, moments=moments if scale == "mean_field" else None)
    W = sample_weights(R, (n, n_in, 3, 3), sigma=sigma, rng=rng).reshape(n, n_in, 9)
    x = sample_filters(moments, n * n_in, rng=rng).reshape(n, n_in, 9)
    kept = np.square(np.einsum("nit,nit->n", W, x)).mean() / 2
    # a response is nearly Gaussian: Var(y^2) = 2 E[y^2]^2, and a little more for the spread of its variance
    assert kept == pytest.approx(1.0, abs=5 * (2.5 / n) ** 0.5)
    if scale == "mean_field":
        assert abs(kept * 2 * response_gain(R, moments) / R.sum() - 2) > 0.3


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
    with pytest.raises(
        ValueError, match=r"^R must have no negative eigenvalue, got smallest eigenvalue -1; sim.nearest"
    ):
        sample_filters([[1, 2], [2, 1]], 1, rng=rng)
    with pytest.raises(ValueError, match=r"^n must be at least 1, got 0$"):
        sample_filters(np.eye(2), 0, rng=rng)
    with pytest.raises(ValueError, match=r"^sigma must be non-negative, got -1.0$"):
        sample_filters(np.eye(2), 1, sigma=-1.0, rng=rng)
    with pytest.raises(
        TypeError, match=r"^rng must be a numpy.random.Generator \(filters are drawn at random\), got 1 "
    ):
        sample_filters(np.eye(2), 1, rng=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^shape must be \(channels out, .*, width\), got \(1, 2, 3\)$"):
        sample_weights(np.eye(3), (1, 2, 3), rng=rng)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^R must be 9 x 9, one row .* 3 x 3 filter, got 4 x 4; estimate it"):
        sample_weights(np.eye(4), (1, 1, 3, 3), rng=rng)
    with pytest.raises(ValueError, match=r"^moments must be given for scale 'mean_field': .*window_moments"):
        weight_std("mean_field", np.eye(4), 1)
    with pytest.raises(ValueError, match=r"^moments must be left out for scale 'he'"):
        weight_std("he", np.eye(4), 1, moments=np.eye(4))
    with pytest.raises(ValueError, match=r"^scale must be one of sum, he, mean_field, printed, got 'xavier'$"):
        weight_std("xavier", np.eye(4), 1)
    with pytest.raises(ValueError, match=r"^moments must belong to inputs that are not all zero, got mean diagonal 0$"):
        response_gain(np.eye(2), np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"^moments must be E\[x x\^T\] .*, got smallest eigenvalue -1$"):
        response_gain(np.eye(2), [[1, 2], [2, 1]])
    with pytest.raises(ValueError, match=r"^moments must have shape \(2, 2\), got \(3, 3\)$"):
        response_gain(np.eye(2), np.eye(3))
