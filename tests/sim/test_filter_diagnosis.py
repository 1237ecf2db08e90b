from __future__ import annotations

import numpy as np
import pytest

from sim.correlation import exponential_correlation, sample_weights
from sim.filter_diagnosis import FilterMoments, correlate, filter_moments
from sim.filter_statistics import correlation_by_distance, filter_correlation, pooled_correlation
from tests.sim.rounding import EPS


def moments(name: str, kernel: np.ndarray, seed: int = 0) -> FilterMoments:
    return filter_moments(name, kernel, rng=np.random.default_rng(seed))


def kernel(shape: tuple[int, int, int, int], rho: float, *, sigma: float = 1.0, seed: int = 0) -> np.ndarray:
    R = exponential_correlation(shape[2], rho)
    return sample_weights(R, shape, sigma=sigma, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("sigma", [1e-200, 1e-3, 1.0, 1e150])
def test_one_layer_has_its_filter_correlation(sigma: float) -> None:
    filters = kernel((30, 4, 3, 3), 0.6, sigma=sigma)
    found = correlate([moments("conv", filters)])
    R = filter_correlation(filters)
    assert np.abs(found.R - R).max() <= 256 * EPS
    assert (found.k, found.filters, found.layers) == (3, 120, ("conv",))
    distances, means = correlation_by_distance(R)
    assert np.abs(found.by_distance - means).max() <= 256 * EPS
    assert np.array_equal(found.distances, distances)
    assert found.neighbours == found.by_distance[0]
    assert found.mean == pytest.approx(R[~np.eye(9, dtype=bool)].mean(), abs=256 * EPS)


def test_moments_are_those_of_the_filters_in_units_of_the_largest_weight() -> None:
    filters = kernel((30, 4, 2, 2), 0.6, sigma=3.0)
    found = moments("conv", filters)
    rows = filters.reshape(120, 4) / np.abs(filters).max()
    assert found.moments == pytest.approx(np.einsum("na,nb->ab", rows, rows) / 120, rel=1e-12)
    # resamples scatter around them: five standard errors of their mean
    error = found.resampled.std(axis=0) / np.sqrt(len(found.resampled))
    assert (np.abs(found.resampled.mean(axis=0) - found.moments) <= 5 * error).all()


def test_layers_are_pooled_as_their_filters_would_be() -> None:
    layers = [kernel((20, 5, 3, 3), 0.8, sigma=7.0), kernel((300, 1, 3, 3), 0.1, sigma=0.1, seed=1)]
    found = correlate([moments(str(n), layer) for n, layer in enumerate(layers)])
    assert np.abs(found.R - pooled_correlation(layers)).max() <= 256 * EPS
    assert (found.filters, found.layers) == (400, ("0", "1"))


def test_errors_cover_what_was_drawn_from() -> None:
    # the neighbours of 60 networks, each with its own error: standardised, they scatter with variance one
    R = exponential_correlation(3, 0.5)
    truth = correlation_by_distance(R)[1][0]
    deviations = []
    for seed in range(60):
        found = correlate([moments("conv", kernel((40, 10, 3, 3), 0.5, seed=seed), seed)])
        assert found.neighbours_error is not None
        deviations.append((found.neighbours - truth) / found.neighbours_error)
        assert found.R_error is not None
        assert not np.diagonal(found.R_error).any()
    # a sum of 60 squares has a standard deviation of sqrt(120)
    assert abs(np.square(deviations).sum() - 60) <= 4 * np.sqrt(120)
    assert abs(np.mean(deviations)) <= 4 / np.sqrt(60)


def test_too_few_filters_have_no_errors() -> None:
    filters = np.zeros((2000, 1, 2, 2))
    filters[0] = [[1.0, -1.0], [0.5, 2.0]]
    found = correlate([moments("conv", filters)])
    assert found.by_distance_error is not None
    sparse = FilterMoments("conv", 3, found.R, np.zeros((200, 4, 4)))
    assert correlate([sparse]).R_error is None
    assert correlate([sparse]).neighbours_error is None
    assert correlate([sparse]).mean_error is None


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (np.ones((3, 3, 1, 1)), "one pixel"),
        (np.ones((3, 3, 1, 3)), "filters are not square"),
        (np.ones((3, 1, 12, 12)), "filters larger than 11 x 11"),
        (np.ones((1, 1, 3, 3)), "a single filter"),
        (np.eye(4).reshape(4, 1, 2, 2)[:3], r"pixel \(1, 1\) is zero in every filter"),
        (np.full((3, 3, 2, 2), np.nan), "kernel must be finite"),
        (np.ones((3, 3)), r"kernel must have shape \(n, n, n, n\)"),
    ],
)
def test_filters_without_a_correlation_are_refused_with_a_reason(filters: np.ndarray, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        moments("conv", filters)


def test_filters_of_the_largest_side_are_correlated() -> None:
    assert moments("conv", np.random.default_rng(0).normal(size=(3, 1, 11, 11))).filters == 3
