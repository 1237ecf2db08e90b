"""Deep linear networks with batch norm in inference, bounded and not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from sim.bbn import in_own_band
from sim.deep_linear import LinearTask, descend_chain
from sim.scaled_chain import descend_scaled_chain, scaled_gradients, scaled_layers
from tests.reference.deep_linear import naive_chain_loss


def task_of(rng: np.random.Generator, outputs: int, inputs: int) -> LinearTask:
    return LinearTask.create(rng.normal(size=(inputs, 9)), rng.normal(size=(outputs, 9)))


def chain_of(rng: np.random.Generator, *widths: int):
    weights = [rng.normal(size=(b, a)) / np.sqrt(a) for a, b in pairwise(widths)]
    return weights, [rng.uniform(0.5, 2.0, len(W)) for W in weights]


@pytest.mark.parametrize("widths", [(2, 3), (3, 2, 4), (2, 5, 1, 3)])
def test_gradients_are_those_of_the_loss(widths):
    rng = np.random.default_rng(3)
    weights, scales = chain_of(rng, *widths)
    task = task_of(rng, widths[-1], widths[0])
    by_weights, by_scales = scaled_gradients(weights, scales, task)
    for group, gradients in ((weights, by_weights), (scales, by_scales)):
        for layer, gradient in enumerate(gradients):
            for entry in np.ndindex(gradient.shape):
                sides = []
                for shift in (1.0, -1.0):
                    moved = [part.copy() for part in group]
                    moved[layer][entry] += shift
                    pair = (moved, scales) if group is weights else (weights, moved)
                    sides.append(naive_chain_loss(scaled_layers(*pair), task.X, task.Y))
                # quadratic in every entry: the central difference is exact but for rounding
                assert gradient[entry] == pytest.approx((sides[0] - sides[1]) / 2, rel=1e-10, abs=1e-10)


def test_updates_are_those_of_batch_norm_layers_in_eval_mode():
    rng = np.random.default_rng(4)
    weights, scales = chain_of(rng, 3, 4, 2)
    task = task_of(rng, 2, 3)
    layers: list[torch.nn.Linear | torch.nn.BatchNorm1d] = []
    for W, g in zip(weights, scales, strict=True):
        linear = torch.nn.Linear(W.shape[1], W.shape[0], bias=False, dtype=torch.float64)
        norm = torch.nn.BatchNorm1d(len(g), eps=0.0, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(W))
            norm.weight.copy_(torch.tensor(g))
        layers += [linear, norm]
    net = torch.nn.Sequential(*layers).eval()
    trained = [layer.weight for layer in layers]
    optimiser = torch.optim.SGD(trained, lr=0.05)
    for _ in range(20):
        optimiser.zero_grad()
        loss = torch.square(torch.tensor(task.Y.T) - net(torch.tensor(task.X.T))).sum() / (2 * task.count)
        loss.backward()
        optimiser.step()
    run = descend_scaled_chain(weights, task, scales=scales, learning_rate=0.05, steps=20)
    for layer in range(2):
        np.testing.assert_allclose(run.weights[layer][-1], trained[2 * layer].detach().numpy(), rtol=0, atol=1e-12)
        np.testing.assert_allclose(run.scales[layer][-1], trained[2 * layer + 1].detach().numpy(), rtol=0, atol=1e-12)


def test_frozen_scales_of_one_are_a_plain_chain_at_the_first_update():
    rng = np.random.default_rng(5)
    weights, _ = chain_of(rng, 3, 3, 3)
    task = task_of(rng, 3, 3)
    run = descend_scaled_chain(weights, task, learning_rate=0.1, steps=1)
    plain = descend_chain(weights, task, learning_rate=0.1, steps=1)
    for mine, other in zip(run.weights, plain.weights, strict=True):
        np.testing.assert_allclose(mine[1], other[1], rtol=0, atol=1e-14)


@pytest.mark.parametrize("mode", ["published", "magnitude", "settled"])
def test_bounded_layers_are_well_conditioned(mode):
    rng = np.random.default_rng(6)
    weights, scales = chain_of(rng, 6, 6, 6)
    task = task_of(rng, 6, 6)
    eps, e = 0.1, 0.2
    settings = {"learning_rate": 0.05, "steps": 200, "scales": scales}
    run = descend_scaled_chain(weights, task, band=eps, scale_band=e, mode=mode, **settings)
    free = descend_scaled_chain(weights, task, **settings)
    limit = (1 + eps) ** 2 * (1 + e) ** 2 * (1 + 1e-12)
    for bounded, loose in zip(run.spectra, free.spectra, strict=True):
        assert np.all(bounded[1:, 0] <= limit * bounded[1:, -1])
        assert loose[-1, 0] > 2 * limit * loose[-1, -1]
    assert all(in_own_band(g[1:], e * (1 + 1e-12)).all() for g in run.scales) or mode != "settled"


def test_only_every_so_many_updates():
    rng = np.random.default_rng(7)
    weights, scales = chain_of(rng, 4, 4)
    task = task_of(rng, 4, 4)
    run = descend_scaled_chain(weights, task, scales=scales, learning_rate=0.3, steps=6, every=3, band=0.01)
    spread = np.array([np.ptp(np.linalg.svd(W, compute_uv=False)) for W in run.weights[0]])
    assert np.all(spread[[3, 6]] <= 0.01 + 1 / 1.01 * 0.01)
    assert np.all(spread[[1, 2, 4, 5]] > 0.025)
    assert run.times.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_divergence_is_reported():
    rng = np.random.default_rng(8)
    weights, scales = chain_of(rng, 3, 3, 3)
    run = descend_scaled_chain(weights, task_of(rng, 3, 3), scales=scales, learning_rate=100.0, steps=50)
    assert run.diverged
    assert np.isfinite(run.loss).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"steps": -1}, "steps must be at least 0, got -1"),
        ({"band": 0.0}, "band must be positive, got 0.0"),
        ({"scale_band": -1.0}, "scale_band must be positive, got -1.0"),
        ({"mode": "other"}, "mode must be one of published, magnitude, settled, got 'other'"),
        ({"every": 0}, "every must be at least 1, got 0"),
        ({"scales": [np.ones(2)]}, r"scales\[0\] must have shape \(3,\), one per row of weights\[0\], got \(2,\)"),
        ({"scales": []}, "scales must be as many as weights, got 0 and 1"),
        ({"scales": [[1.0, np.nan, 1.0]]}, r"scales\[0\] must be finite, got scales\[0\]\[1\] = nan"),
    ],
)
def test_bad_input_is_refused(change, message):
    rng = np.random.default_rng(9)
    settings = {"learning_rate": 0.1, "steps": 1, **change}
    with pytest.raises(ValueError, match=message):
        descend_scaled_chain([np.eye(3)], task_of(rng, 3, 3), **settings)
