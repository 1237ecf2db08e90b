"""The numbers of the figures on reachable sigma and on bounded batch norm."""

from __future__ import annotations

import numpy as np
import pytest

from figures import bn_conditioning, reachable_sigma
from sim.bbn import in_own_band


def test_training_stops_where_the_interval_ends() -> None:
    data = reachable_sigma.data()
    for eps, stops in data.stops.items():
        depths = np.array(reachable_sigma.DEPTHS)
        assert stops == pytest.approx(np.array([(1 + eps) ** -depths.astype(float), (1 + eps) ** depths]), rel=1e-12)
        for end, at in zip(data.ends[eps], stops, strict=True):
            assert np.interp(depths, data.depths, np.log(end)) == pytest.approx(np.log(at), abs=0.02)
    assert data.runs[0][-1] == pytest.approx(reachable_sigma.GOAL, rel=1e-9)
    top = (1 + reachable_sigma.BAND) ** reachable_sigma.LAYERS
    assert data.runs[1][-1] == pytest.approx(top, rel=1e-12)
    every = reachable_sigma.EVERY[1]
    assert data.runs[every][every::every] == pytest.approx(top, rel=1e-12)
    assert (data.runs[every][every - 1 :: every] > 2 * top).all()


def test_bounded_layers_are_in_their_bands_and_one_pass_is_not() -> None:
    data, band = bn_conditioning.data(), bn_conditioning.BAND
    assert in_own_band(data.layers["settled"], band * (1 + 1e-12))
    assert not any(in_own_band(data.layers[name], band) for name in ("before", "published", "magnitude"))
    assert data.layers["published"][-1] > 0 > data.layers["before"][-1]
    assert data.layers["settled"][-1] < 0
    bound = (1 + band) ** 2
    assert data.conditions["before"].max() > 100 * bound
    for name in ("published", "settled"):
        assert data.conditions[name].max() <= bound * (1 + 1e-12)
    assert data.distance == pytest.approx(data.law, abs=1e-14)
    assert data.distance[0] > 0.01
