"""The correlation matrix that ships with the package, against what its provenance says of it."""

from __future__ import annotations

import numpy as np
import pytest

from sim.filter_statistics import correlation_by_distance
from sim.known import KnownCorrelation, find_correlation, known_correlations

NAME = "resnet10-cifar10"


@pytest.fixture(scope="module")
def shipped() -> KnownCorrelation:
    if NAME not in known_correlations():
        pytest.fail(f"sim/data/{NAME}.json is missing; `filterlaw diagnose WEIGHTS --correlation FILE` writes it")
    return find_correlation(NAME)


def test_it_is_of_three_by_three_filters_that_are_correlated(shipped: KnownCorrelation) -> None:
    assert shipped.R.shape == (9, 9)
    off = ~np.eye(9, dtype=bool)
    assert (shipped.bootstrap_error[off] > 0).all()
    # a bootstrap error is that of an average over filters: (1 - r^2)/sqrt(n) for Gaussian ones, more for heavier tails
    gaussian = (1 - shipped.R[off] ** 2) / np.sqrt(shipped.provenance["filters"])
    assert (shipped.bootstrap_error[off] >= gaussian / 2).all()
    assert (shipped.bootstrap_error[off] <= 0.05).all()
    distances, means = correlation_by_distance(shipped.R)
    assert distances[0] == 1
    assert means[0] > 0.05
    assert means[0] == means.max()


def test_it_says_where_it_comes_from(shipped: KnownCorrelation) -> None:
    provenance = shipped.provenance
    assert len(provenance["sha256"]) == 64
    assert provenance["filters"] > 10_000
    assert provenance["left_out"]
    assert provenance["resamples"] >= 200
    training = provenance["training"]
    assert 0.1 < training["test_accuracy"] <= 1
    assert training["epochs"] >= 1
    assert training["settings"]
    assert training["environment"]
