"""Chains of torch.nn.Linear: the same loss, gradients and updates as the simulator's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sim.deep_linear import chain_gradients, chain_loss, chain_map, descend_chain
from tests.strategies.deep_linear import Network, networks

pytest.importorskip("torch")

from sim.cnn.linear_chain import chain_descend, chain_step, linear_chain

EPS = float(np.finfo(np.float64).eps)


def _tolerance(network: Network) -> float:
    norms = np.prod([1 + np.linalg.norm(W) for W in network.weights])
    return float(64 * EPS * norms**2 * (1 + np.square(network.task.X).sum()) * (1 + np.square(network.task.Y).sum()))


@settings(max_examples=25)
@given(networks())
def test_loss_gradients_and_output(network: Network) -> None:
    step = chain_step(network.weights, network.task)
    tolerance = _tolerance(network)
    assert step.loss == pytest.approx(chain_loss(network.weights, network.task), abs=tolerance)
    for theirs, ours in zip(step.gradients, chain_gradients(network.weights, network.task), strict=True):
        assert np.abs(theirs - ours).max() <= tolerance
    assert np.abs(step.output - chain_map(network.weights) @ network.task.X).max() <= tolerance


@settings(max_examples=10)
@given(networks(max_layers=3))
def test_updates(network: Network) -> None:
    rate = 0.01 / _tolerance(network) * EPS
    theirs = chain_descend(network.weights, network.task, learning_rate=rate, steps=5)
    ours = descend_chain(network.weights, network.task, learning_rate=rate, steps=5).final
    for a, b in zip(theirs, ours, strict=True):
        assert np.abs(a - b).max() <= _tolerance(network)


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="weights must hold at least one layer"):
        linear_chain([])
