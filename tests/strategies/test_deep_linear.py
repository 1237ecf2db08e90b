"""The strategies draw what they promise."""

from __future__ import annotations

import numpy as np
from hypothesis import find, given

from sim.deep_linear import chain_map
from tests.strategies.deep_linear import Network, networks, strength_arrays


@given(networks())
def test_networks_chain_and_fit_their_samples(network: Network) -> None:
    shape = chain_map(network.weights).shape
    assert shape == (len(network.task.Y), len(network.task.X))


def test_networks_of_shrinking_and_growing_widths_occur() -> None:
    assert find(networks(), lambda n: len(n.weights) > 1 and n.weights[0].shape[0] == 1 < n.weights[0].shape[1])
    assert find(networks(), lambda n: len(n.weights) > 1 and n.weights[1].shape[0] > n.weights[1].shape[1])


def test_two_zeros_in_one_direction_occur() -> None:
    assert find(strength_arrays(), lambda s: bool(np.any((s == 0).sum(axis=0) >= 2))).size >= 2
