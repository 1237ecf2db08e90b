from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.correlation import exponential_correlation, sample_weights
from sim.errors import require_correlation_matrix
from sim.filter_statistics import correlation_by_distance, filter_correlation, pooled_correlation, symmetrised
from tests.reference.correlated_init import naive_filter_correlation, naive_symmetrised
from tests.sim.rounding import EPS
from tests.strategies.correlated_init import filter_correlations

SQUARES = st.sampled_from([1, 4, 9]).flatmap(filter_correlations)


@given(st.integers(1, 3), st.integers(2, 6), st.booleans(), st.integers(0, 1000))
def test_the_estimate_equals_its_naive_twin(k: int, n: int, centred: bool, seed: int) -> None:
    filters = 1e-3 * np.random.default_rng(seed).normal(1.0, 1.0, (n, k, k))
    R = require_correlation_matrix(filter_correlation(filters, centred=centred), "R")
    # taking off the mean loses digits where the pixels hardly vary, and an inner product of n terms n roundings
    lost = np.abs(filters).max() ** 2 / (
        filters.var(axis=0).min() if centred else np.square(filters).mean(axis=0).min()
    )
    assert np.abs(R - naive_filter_correlation(list(filters), centred)).max() <= 64 * n * lost * EPS


def test_the_estimate_is_symmetric_to_the_last_bit() -> None:
    R = filter_correlation(np.random.default_rng(0).normal(size=(50, 5, 5)))
    assert np.array_equal(R, R.T)


@given(SQUARES)
def test_symmetrised_equals_its_naive_twin_and_has_the_symmetries(R: FloatArray) -> None:
    k = round(len(R) ** 0.5)
    S = require_correlation_matrix(symmetrised(R), "S")
    assert np.abs(S - naive_symmetrised(R, k)).max() <= 16 * EPS
    assert np.abs(symmetrised(S) - S).max() <= 16 * EPS
    assert S.sum() == pytest.approx(R.sum(), abs=64 * len(R) ** 2 * EPS)


@settings(max_examples=8)
@given(SQUARES, st.integers(0, 100))
def test_estimates_find_the_correlation_that_was_drawn(R: FloatArray, seed: int) -> None:
    k, n = round(len(R) ** 0.5), 3000
    filters = sample_weights(R, (n // 3, 3, k, k), sigma=0.1, rng=np.random.default_rng(seed))
    for centred in (False, True):
        found = filter_correlation(filters, centred=centred)
        # five standard errors (1 - r^2)/sqrt(n) of a correlation, and rounding where r = 1
        assert (np.abs(found - R) <= 5.5 * (1 - R**2) / np.sqrt(n) + 20 / n).all()
    assert np.abs(filter_correlation(filters, symmetric=True) - symmetrised(filter_correlation(filters))).max() == 0


def test_centring_matters_where_filters_have_a_mean() -> None:
    filters = np.random.default_rng(3).normal(size=(4000, 2, 2)) + 2.0
    assert filter_correlation(filters)[0, 1] == pytest.approx(0.8, abs=0.02)
    assert filter_correlation(filters, centred=True)[0, 1] == pytest.approx(0.0, abs=0.08)


def test_layers_are_pooled_filter_by_filter() -> None:
    rng = np.random.default_rng(4)
    few, many = np.ones((1, 1, 2, 2)), np.array([1.0, -1.0, 1.0, -1.0]).reshape(1, 1, 2, 2) * np.ones((3, 1, 1, 1))
    assert pooled_correlation([few, many])[0] == pytest.approx([1.0, -0.5, 1.0, -0.5], rel=8 * EPS)
    # as they are, the large weights stand for all
    assert pooled_correlation([100 * few, many], equal_sizes=False)[0, 1] > 0.99
    assert pooled_correlation([100 * few, many])[0, 1] == pytest.approx(-0.5, rel=8 * EPS)
    layer = rng.normal(size=(5, 4, 3, 3))
    whole = filter_correlation(layer, centred=True, symmetric=True)
    parts = pooled_correlation([layer[:2], layer[2:]], centred=True, symmetric=True, equal_sizes=False)
    assert np.abs(whole - parts).max() <= 64 * EPS


def test_correlation_falls_with_distance_as_it_was_made() -> None:
    distances, means = correlation_by_distance(exponential_correlation(3, 0.7))
    assert distances**2 == pytest.approx([1, 2, 4, 5, 8])
    assert means == pytest.approx(0.7**distances, rel=16 * EPS)
    assert correlation_by_distance(np.eye(1))[0].size == 0


def test_a_pixel_counts_as_zero_below_the_rounding_of_a_mean() -> None:
    """Up to n roundings of the largest weight, for n filters."""
    filters = np.ones((6, 2, 2))
    filters[:, 0, 1] = 0.0
    for weight, refused in ((5.9 * EPS, True), (6.1 * EPS, False)):
        filters[2, 0, 1] = weight
        if refused:
            with pytest.raises(ValueError, match=r"not be zero in every filter .* pixel \(0, 1\)"):
                filter_correlation(filters)
        else:
            assert filter_correlation(filters)[0, 1] == pytest.approx(1 / np.sqrt(6))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: filter_correlation(np.ones((3, 2))), r"filters must have shape \(..., k, k\), .* got \(3, 2\)"),
        (lambda: filter_correlation(np.ones((0, 3, 3))), r"got \(0, 3, 3\)"),
        (lambda: filter_correlation(np.ones((1, 3, 3)), centred=True), "at least 2 .* centred=False takes one"),
        (lambda: filter_correlation(np.ones((5, 3, 3)), centred=True), r"differ between filters .* pixel \(0, 0\)"),
        (lambda: filter_correlation(np.eye(3)[None]), r"not be zero in every filter .* pixel \(0, 1\)"),
        (lambda: filter_correlation(np.full((2, 2, 2), np.nan)), "filters must be finite"),
        (lambda: pooled_correlation([]), "at least one layer"),
        (lambda: pooled_correlation([np.ones((2, 3, 3)), np.ones((2, 1, 1))]), "got 1 x 1, 3 x 3; pool each size"),
        (lambda: pooled_correlation([np.ones((2, 3, 3)), np.ones(2)]), r"layers\[1\] must have shape"),
        (lambda: symmetrised(np.eye(3)), r"R must be k\^2 x k\^2 .* got 3 x 3"),
        (lambda: correlation_by_distance(np.eye(2)), r"R must be k\^2 x k\^2 .* got 2 x 2"),
    ],
)
def test_bad_input_is_refused_with_what_would_mend_it(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
