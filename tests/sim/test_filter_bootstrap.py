from __future__ import annotations

import numpy as np
import pytest

from sim import filter_bootstrap
from sim.correlation import exponential_correlation, sample_filters
from sim.filter_bootstrap import pooled_correlations, resampled_moments, standard_error
from sim.filter_statistics import pooled_correlation
from tests.sim.rounding import EPS


def test_errors_are_those_of_gaussian_filters() -> None:
    # of n filters with known mean zero, the correlation r has the standard error (1 - r^2)/sqrt(n)
    R, n = exponential_correlation(3, 0.6), 2000
    filters = sample_filters(R, n, rng=np.random.default_rng(0))
    moments = resampled_moments(filters, resamples=800, rng=np.random.default_rng(1))
    error = standard_error(pooled_correlations([moments], [n]))
    off = ~np.eye(9, dtype=bool)
    ratio = error[off] / ((1 - R[off] ** 2) / np.sqrt(n))
    # a standard deviation from 800 resamples is off by 1/sqrt(1600), the estimate from 2000 filters by about as much
    assert abs(ratio.mean() - 1) <= 0.05
    assert np.abs(ratio - 1).max() <= 0.2
    assert error[~off].max() <= 8 * EPS


def test_resamples_scatter_around_what_all_filters_give() -> None:
    rng = np.random.default_rng(2)
    layers = [
        size * sample_filters(exponential_correlation(2, r), n, rng=rng)
        for size, r, n in ((1.0, 0.9, 400), (9.0, 0.1, 900))
    ]
    moments = [resampled_moments(layer, resamples=400, rng=rng) for layer in layers]
    found = pooled_correlations(moments, [400, 900])
    expected = pooled_correlation([layer.reshape(-1, 2, 2) for layer in layers])
    error = standard_error(found)
    off = ~np.eye(4, dtype=bool)
    # the mean over 400 resamples, five of its standard errors, and a bias of order error^2
    slack = 5 * error / 20 + 5 * error**2
    assert (np.abs(found.mean(axis=0) - expected) <= slack)[off].all()
    # without dividing each layer by its size, the large one would stand for both
    unscaled = pooled_correlation([layer.reshape(-1, 2, 2) for layer in layers], equal_sizes=False)
    assert (np.abs(found.mean(axis=0) - unscaled) > slack)[off].all()


def test_moments_are_sums_over_the_filters_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    # one filter in each pixel: the diagonal says how often each was drawn, in blocks of one or more
    for entries in (1, 40, 2**20):
        monkeypatch.setattr(filter_bootstrap, "_ENTRIES", entries)
        moments = resampled_moments(np.eye(6), resamples=300, rng=np.random.default_rng(3))
        times = 6 * np.diagonal(moments, axis1=1, axis2=2)
        assert np.array_equal(times, np.round(times))
        assert np.array_equal(times.sum(axis=1), np.full(300, 6.0))
        assert np.count_nonzero(moments) == np.count_nonzero(times)
        # multinomial: mean 1, variance 5/6; five standard errors
        assert np.abs(times.mean(axis=0) - 1).max() <= 5 * np.sqrt(5 / 6 / 300)
        assert np.abs(times.var(axis=0) - 5 / 6).max() <= 5 * np.sqrt(3 / 300)


def test_a_pixel_that_is_zero_in_a_resample_has_no_correlation_there() -> None:
    filters = np.ones((20, 4))
    filters[1:, 0] = 0.0
    found = pooled_correlations([resampled_moments(filters, rng=np.random.default_rng(4))], [20])
    assert np.isnan(found[:, 0, 1]).any()
    assert np.isfinite(found[:, 1, 2]).all()
    assert np.isfinite(standard_error(found)).all()
    # two resamples are enough, one is not
    some = np.array([[np.nan, 1.0], [3.0, 3.0], [5.0, 5.0]])
    assert standard_error(some) == pytest.approx([np.sqrt(2.0), 2.0])
    with pytest.raises(ValueError, match="no two resamples have a correlation"):
        standard_error(some[:2])


def test_bad_input_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="at least 2 to be resampled, got 1"):
        resampled_moments(np.ones((1, 4)), rng=rng)
    with pytest.raises(ValueError, match=r"filters must have shape \(n, n\), got \(4,\)"):
        resampled_moments(np.ones(4), rng=rng)
    with pytest.raises(ValueError, match="resamples must be at least 2, got 1"):
        resampled_moments(np.ones((3, 4)), resamples=1, rng=rng)
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator"):
        resampled_moments(np.ones((3, 4)), rng=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="as many layers as counts"):
        pooled_correlations([], [])
