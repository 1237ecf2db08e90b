from __future__ import annotations

import numpy as np
import pytest

from figures import critical_variance, signal_propagation


@pytest.fixture(scope="module")
def propagation() -> signal_propagation.Data:
    return signal_propagation.data()


def test_variance_explodes_with_he_and_stays_with_the_mean_field_size(propagation: signal_propagation.Data) -> None:
    limit = {name: series.variance for name, series in propagation.limit.items()}
    growth = limit["he"][1:] / limit["he"][:-1]
    assert (np.diff(growth) > 0).all()
    assert growth[-1] == pytest.approx(propagation.gain, rel=0.01)
    assert growth.max() < propagation.gain
    for name in ("uncorrelated, He", "mean_field"):
        assert limit[name] == pytest.approx(limit[name][0], rel=1e-9)
    assert (np.diff(limit["sum"]) < 0).all()
    assert (limit["he"] / limit["sum"])[[0, -1]] == pytest.approx(propagation.gain ** np.array([1, len(growth) + 1]))


def test_positions_and_images_grow_alike_faster_with_correlation(propagation: signal_propagation.Data) -> None:
    for quantity in ("between_positions", "between_images"):
        free, tied = (getattr(propagation.limit[name], quantity) for name in ("uncorrelated, He", "he"))
        assert (np.diff(free) < 0).all()
        assert (np.diff(tied) < 0).all()
        assert tied[-1] < free[-1] / 4
        same = getattr(propagation.limit["sum"], quantity)
        assert same == pytest.approx(tied, rel=1e-9)


def test_networks_follow_the_limit(propagation: signal_propagation.Data) -> None:
    for name, series in propagation.measured.items():
        assert np.abs(np.log(series.variance / propagation.limit[name].variance)).max() < 0.6
        assert np.abs(np.log(series.between_positions / propagation.limit[name].between_positions)).max() < 0.6


def test_critical_variance_between_its_corners() -> None:
    data = critical_variance.data()
    for c, ratio in data.equal.items():
        assert ratio[0] == pytest.approx(1.0)
        assert (np.diff(ratio) < 0).all()
        f = (np.sqrt(1 - c**2) + c * (np.pi - np.arccos(c))) / np.pi
        assert ratio == pytest.approx(1 / (1 + 8 * data.weights * f))
    assert data.map[0] == pytest.approx(np.ones(len(data.near)))
    assert data.map[-1, -1] == pytest.approx(1 / 9)
    assert (np.diff(data.map, axis=0) < 0).all()
    assert (np.diff(data.map[1:], axis=1) < 0).all()
