"""Deep linear networks: gradients against their naive twin and torch, planted moments, flow, bounding, bad input."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from sim.deep_linear import (
    LinearTask,
    aligned_weights,
    chain_gradients,
    chain_loss,
    chain_map,
    descend_chain,
    flow_chain,
)
from tests.reference.deep_linear import naive_chain_gradient, naive_chain_loss
from tests.strategies.deep_linear import Network, networks

ONE_MATRIX: Any = np.eye(2)
EPS = float(np.finfo(np.float64).eps)
TASK = LinearTask.create([[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0]])


def test_a_flow_that_cannot_be_followed_says_how_far_it_was_to_go(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = SimpleNamespace(success=False, message="step too small")
    monkeypatch.setattr("scipy.integrate.solve_ivp", lambda *_, **__: given_up)
    with pytest.raises(RuntimeError, match=r"^the flow could not be followed to time 7: step too small$"):
        flow_chain([np.ones((1, 2))], TASK, [0.0, 2.0, 7.0])


@settings(max_examples=50)
@given(networks())
def test_loss_and_gradients_are_the_naive_ones(network: Network) -> None:
    weights, task = network.weights, network.task
    scale = float(np.prod([1 + np.linalg.norm(W) for W in weights]) ** 2 * (1 + np.square(task.Y).sum()))
    tolerance = 256 * EPS * scale * (1 + np.square(task.X).sum())
    assert chain_loss(weights, task) == pytest.approx(naive_chain_loss(weights, task.X, task.Y), abs=tolerance)
    for layer, G in enumerate(chain_gradients(weights, task)):
        assert np.abs(G - naive_chain_gradient(weights, task.X, task.Y, layer)).max() <= 16 * tolerance


def test_whitened_samples_have_the_moments_they_are_asked_for() -> None:
    rng = np.random.default_rng(0)
    cross = rng.normal(size=(3, 4))
    task = LinearTask.whitened(cross, rng, noise=0.5)
    assert np.abs(task.C_xx - np.eye(4)).max() < 32 * EPS
    assert not np.array_equal(LinearTask.whitened(cross, rng, noise=0.5).X, task.X)
    assert np.abs(task.C_yx - cross).max() < 32 * EPS
    assert np.abs(task.C_yy - cross @ cross.T - 0.25 * np.eye(3)).max() < 64 * EPS
    assert task.count == 8


def test_descent_lowers_the_loss_and_records_what_is_asked() -> None:
    rng = np.random.default_rng(1)
    weights = (rng.normal(size=(4, 3)), rng.normal(size=(2, 4)))
    task = LinearTask.whitened(rng.normal(size=(2, 3)), rng)
    run = descend_chain(weights, task, learning_rate=0.02, steps=50, record_every=20)
    assert run.times.tolist() == [0, 20, 40]
    assert [layer.shape for layer in run.weights] == [(3, 4, 3), (3, 2, 4)]
    assert np.all(np.diff(run.loss) < 0)
    assert not run.diverged
    assert run.loss[-1] == pytest.approx(chain_loss(run.final, task))
    assert [s.shape for s in run.spectra] == [(3, 3), (3, 2)]


def test_small_steps_follow_the_flow() -> None:
    rng = np.random.default_rng(2)
    weights = tuple(0.6 * rng.normal(size=(3, 3)) for _ in range(3))
    task = LinearTask.whitened(rng.normal(size=(3, 3)), rng)
    flow = flow_chain(weights, task, [0.0, 0.5])
    gaps = []
    for steps in (100, 200):
        run = descend_chain(weights, task, learning_rate=0.5 / steps, steps=steps)
        gaps.append(max(np.abs(a - b).max() for a, b in zip(run.final, flow.final, strict=True)))
    assert 1.8 < gaps[0] / gaps[1] < 2.2
    assert np.array_equal(flow.weights[0][0], weights[0])


@pytest.mark.parametrize("unit", [1.0, 1e-8])
def test_the_flow_is_as_exact_as_it_promises(unit: float) -> None:
    """One layer relaxes exponentially; a relative error of 1e-12, an absolute one of 1e-14."""
    rng, times = np.random.default_rng(5), np.array([0.5, 2.0, 5.0, 12.0])
    target, start = unit * rng.normal(size=(3, 3)), unit * rng.normal(size=(3, 3))
    run = flow_chain([start], LinearTask.whitened(target, rng), times)
    exact = target + (start - target) * np.exp(-times)[:, None, None]
    assert np.abs(run.weights[0] - exact).max() <= 1e-14 + 1e-12 * np.abs(exact).max()


def test_bounded_weights_are_in_the_band() -> None:
    rng = np.random.default_rng(3)
    weights = tuple(rng.normal(size=shape) for shape in ((5, 3), (2, 5)))
    task = LinearTask.whitened(rng.normal(size=(2, 3)), rng)
    run = descend_chain(weights, task, learning_rate=0.05, steps=6, band=0.2, band_every=2)
    for spectrum in run.spectra:
        assert np.all(spectrum[2::2] <= 1.2 + 1e-12)
        assert np.all(spectrum[2::2] >= 1 / 1.2 - 1e-12)
        assert spectrum[1].max() > 1.2 + 1e-6 or spectrum[1].min() < 1 / 1.2 - 1e-6


def test_divergence_is_reported_and_the_run_ends_before_it() -> None:
    run = descend_chain([np.array([[9.0]])] * 3, LinearTask.create([[1.0]], [[1.0]]), learning_rate=1.0, steps=50)
    assert run.diverged
    assert len(run.times) < 51
    assert np.isfinite(run.final[0]).all()


def test_aligned_weights_have_their_strengths_as_singular_values() -> None:
    rng = np.random.default_rng(4)
    frames = [np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (2, 4, 3)]
    strengths = [np.array([2.0, 0.5]), np.array([3.0, 1.0, 0.25])]
    weights = aligned_weights(frames, strengths)
    for W, s in zip(weights, strengths, strict=True):
        assert np.linalg.svd(W, compute_uv=False) == pytest.approx(s)
    assert np.linalg.svd(chain_map(weights), compute_uv=False) == pytest.approx([6.0, 0.5])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: LinearTask.create([1.0], [1.0]), ValueError, r"X must be a matrix with one sample a column"),
        (
            lambda: LinearTask.create([[1.0, 2.0]], [[1.0]]),
            ValueError,
            "X and Y must have as many columns, got 2 and 1",
        ),
        (lambda: LinearTask.create([[np.inf]], [[1.0]]), ValueError, r"X must be finite, got X\[0, 0\] = inf"),
        (lambda: LinearTask.whitened([1.0], np.random.default_rng(0)), ValueError, "C_yx must be a matrix"),
        (lambda: chain_map([]), ValueError, "weights must hold at least one layer, got none"),
        (
            lambda: chain_map(ONE_MATRIX),
            TypeError,
            "weights must be a sequence of matrices, got one matrix",
        ),
        (
            lambda: chain_map([np.ones((2, 3)), np.ones((2, 3))]),
            ValueError,
            r"weights\[1\] must have 2 columns, as many as weights\[0\] has",
        ),
        (lambda: chain_map([np.ones(3)]), ValueError, r"weights\[0\] must be a matrix, got shape \(3,\)"),
        (
            lambda: chain_loss([np.ones((1, 3))], TASK),
            ValueError,
            "weights must map the 2 rows of X to the 1 rows of Y",
        ),
        (lambda: chain_loss([[[np.nan, 1.0]]], TASK), ValueError, r"weights\[0\] must be finite"),
        (lambda: aligned_weights([np.eye(2)], [[1.0, 1.0]]), ValueError, "frames must be one more than strengths"),
        (lambda: aligned_weights([np.eye(2)] * 2, [[1.0]]), ValueError, r"strengths\[0\] must have shape \(2,\)"),
        (lambda: descend_chain([np.ones((1, 2))], TASK, learning_rate=-1, steps=1), ValueError, "learning_rate must"),
        (
            lambda: descend_chain([np.ones((1, 2))], TASK, learning_rate=1, steps=1, band=np.nan),
            ValueError,
            "band must be finite",
        ),
        (lambda: flow_chain([np.ones((1, 2))], TASK, [0.0]), ValueError, "ends after 0"),
    ],
)
def test_bad_input_is_refused(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()
