"""Chains of torch.nn.Linear: the same loss, gradients and updates as the simulator's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sim.deep_linear import LinearTask, chain_gradients, chain_loss, chain_map, descend_chain, flow_chain
from tests.strategies.deep_linear import Network, networks

pytest.importorskip("torch")

from sim.cnn.linear_chain import chain_descend, chain_flow, chain_step, linear_chain

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


def test_flow() -> None:
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape) for shape in ((3, 2), (2, 3), (1, 2))]
    task = LinearTask.create(rng.normal(size=(2, 6)), rng.normal(size=(1, 6)))
    ours = flow_chain(weights, task, [0.0, 0.1]).weights
    for found, expected in zip(chain_flow(weights, task, time=0.1, steps=100), ours, strict=True):
        assert np.abs(found - expected[-1]).max() < 1e-10
        assert np.abs(expected[-1] - expected[0]).max() > 0.01


def test_the_flow_is_followed_to_fourth_order() -> None:
    # one weight, one sample: dw/dt = 1 - w
    task = LinearTask.create([[1.0]], [[1.0]])
    errors = [
        abs(float(chain_flow([np.zeros((1, 1))], task, time=1.0, steps=n)[0][0, 0]) - 1 + np.exp(-1)) for n in (4, 8)
    ]
    assert errors[0] < 1e-4
    assert 14 < errors[0] / errors[1] < 18
    with pytest.raises(ValueError, match="time must be positive"):
        chain_flow([np.zeros((1, 1))], task, time=0.0, steps=1)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        chain_flow([np.zeros((1, 1))], task, time=1.0, steps=0)


def test_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="weights must hold at least one layer"):
        linear_chain([])
