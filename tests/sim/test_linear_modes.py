"""Aligned directions: leave-one-out products, the compiled descent against its naive twin, the flow, bad input."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.deep_linear import LinearTask, aligned_weights, chain_gradients, descend_chain
from sim.linear_modes import descend_modes, flow_modes, leave_one_out, mode_energy, mode_gradient
from sim.mode_kernel import FEW, LANES, UNROLLED
from tests.reference.deep_linear import naive_descend_modes, naive_leave_one_out
from tests.strategies.deep_linear import strength_arrays

EPS = float(np.finfo(np.float64).eps)


@given(strength_arrays())
@example(np.zeros((2, 1)))
@example(np.array([[0.0], [2.0], [3.0]]))
def test_leave_one_out_products_are_those_multiplied_anew(s: np.ndarray) -> None:
    found = leave_one_out(s)
    for mode in range(s.shape[1]):
        assert found[:, mode] == pytest.approx(naive_leave_one_out(s[:, mode].tolist()), rel=8 * EPS, abs=0)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=12))
def test_no_partial_product_under_or_overflows(exponents: list[int]) -> None:
    s = [2.0**e for e in exponents]
    for layer, found in enumerate(leave_one_out(s)):
        exact = sum(exponents) - exponents[layer]
        if -1022 <= exact <= 1023:
            assert found == 2.0**exact
        else:
            # subnormal results are rounded
            assert found == np.inf if exact > 0 else 0.0 <= found < 2.0**-1021


@given(strength_arrays(), st.floats(-2.0, 2.0))
def test_the_gradient_is_the_central_difference_of_the_energy(s: np.ndarray, sigma: float) -> None:
    gradient = mode_gradient(s, sigma)
    for layer in range(len(s)):
        shift = np.zeros_like(s)
        shift[layer] = 1.0
        difference = (mode_energy(s + shift, sigma) - mode_energy(s - shift, sigma)) / 2
        assert np.abs(gradient[layer] - difference).max() <= 64 * EPS * 3.0 ** (2 * len(s)) * 10


@settings(max_examples=40)
@given(strength_arrays(), st.floats(0.01, 0.1), st.integers(0, 12))
def test_the_compiled_descent_is_the_naive_one(s: np.ndarray, rate: float, steps: int) -> None:
    sigma = np.linspace(0.5, 1.5, s.shape[1])
    # within 1.2 no start of up to six layers grows fast
    slow = naive_descend_modes(0.6 * s, sigma, rate, steps)
    run = descend_modes(0.6 * s, sigma, learning_rate=rate, steps=steps)
    assert np.abs(run.final - slow).max() <= 4096 * EPS * (steps + 1)


@pytest.mark.parametrize("modes", [1, FEW, FEW + 1, LANES - 1, LANES, LANES + 1, 3 * LANES + 5])
def test_blocks_of_any_filling_give_the_same(modes: int) -> None:
    rng = np.random.default_rng(modes)
    s, sigma = rng.uniform(0.3, 1.2, (4, modes)), rng.uniform(0.5, 2.0, modes)
    run = descend_modes(s, sigma, learning_rate=0.05, steps=30)
    assert np.abs(run.final - naive_descend_modes(s, sigma, 0.05, 30)).max() < 64 * EPS


@pytest.mark.parametrize("every", [1, 3, 7])
def test_recording_does_not_change_the_run(every: int) -> None:
    rng = np.random.default_rng(0)
    s, sigma = rng.uniform(0.3, 1.2, (3, 2, 5)), rng.uniform(0.5, 2.0, 5)
    whole = descend_modes(s, sigma, learning_rate=0.05, steps=10, band=0.2, band_every=4)
    parts = descend_modes(s, sigma, learning_rate=0.05, steps=10, band=0.2, band_every=4, record_every=every)
    assert np.array_equal(parts.final, whole.final)
    assert np.array_equal(parts.strengths[0], s)
    assert parts.times[-1] == 10
    assert parts.products.shape == (len(parts.times), 2, 5)


def test_bounding_strengths_is_singular_value_bounding_of_the_aligned_network() -> None:
    rng = np.random.default_rng(3)
    frames = [np.linalg.qr(rng.normal(size=(3, 3)))[0] for _ in range(4)]
    s, sigma = rng.uniform(0.4, 1.5, (3, 3)), np.array([1.8, 1.0, 0.4])
    task = LinearTask.whitened(frames[-1] * sigma @ frames[0].T, rng)
    whole = descend_chain(aligned_weights(frames, list(s)), task, learning_rate=0.1, steps=12, band=0.1, band_every=3)
    modes = descend_modes(s, sigma, learning_rate=0.1, steps=12, band=0.1, band_every=3).final
    for layer in range(3):
        inside = frames[layer + 1].T @ whole.final[layer] @ frames[layer]
        assert np.abs(inside - np.diag(modes[layer])).max() < 1e-13


def test_bounding_keeps_signs_and_lifts_zeros() -> None:
    run = descend_modes([[-2.0, 0.0, 1.05]], [-2.0, 0.0, 1.05], learning_rate=0.1, steps=1, band=0.25)
    assert run.final == pytest.approx(np.array([[-1.25, 0.8, 1.05]]))


def test_divergence_is_reported_per_direction() -> None:
    run = descend_modes(np.array([[5.0, 0.9]] * 3), 1.0, learning_rate=0.5, steps=200, record_every=1)
    assert run.diverged.tolist() == [True, False]
    assert np.isnan(run.final[:, 0]).all()
    assert np.isfinite(run.strengths[:, :, 1]).all()
    first = int(np.isnan(run.strengths[:, 0, 0]).argmax())
    assert np.isfinite(run.strengths[:first, :, 0]).all()


def test_the_flow_of_one_layer_is_exponential() -> None:
    times = np.array([0.0, 0.5, 2.0])
    run = flow_modes([[0.25]], 2.0, times)
    assert run.strengths[:, 0, 0] == pytest.approx(2.0 - 1.75 * np.exp(-times), rel=1e-10)


@settings(max_examples=25)
@given(strength_arrays(max_layers=4))
def test_the_flow_conserves_differences_of_squares(s: np.ndarray) -> None:
    run = flow_modes(s, np.linspace(0.5, 1.5, s.shape[1]), [0.7])
    squares = np.square(run.final) - np.square(s)
    assert np.abs(squares - squares[0]).max() < 1e-9 * (1 + np.square(s).max())


def test_the_flow_at_time_0_is_the_start() -> None:
    s = np.array([[0.5], [2.0]])
    assert np.array_equal(flow_modes(s, 1.0, 0.0).final, s)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: leave_one_out(2.0), ValueError, r"s must have shape \(L, ...\) with at least one layer, got \(\)"),
        (lambda: leave_one_out([np.nan]), ValueError, r"s must be finite, got s\[0\] = nan"),
        (lambda: mode_energy([[1.0, 1.0]], [1.0] * 3), ValueError, r"sigma must broadcast to the modes \(2,\) of s"),
        (lambda: mode_energy([1.0, 1.0], [[1.0]]), ValueError, r"sigma must broadcast to the modes \(\) of s"),
        (lambda: descend_modes([[1.0]], 1.0, learning_rate=0.0, steps=1), ValueError, "learning_rate must be positive"),
        (lambda: descend_modes([[1.0]], 1.0, learning_rate=0.1, steps=-1), ValueError, "steps must be at least 0"),
        (lambda: descend_modes([[1.0]], 1.0, learning_rate=0.1, steps=1, band=0.0), ValueError, "band must be pos"),
        (lambda: descend_modes([[1.0]], 1.0, learning_rate=0.1, steps=1, band_every=0), ValueError, "band_every must"),
        (lambda: descend_modes([[1.0]], 1.0, learning_rate=0.1, steps=1, record_every=0), ValueError, "record_every"),
        (lambda: flow_modes([[1.0]], 1.0, [1.0, 0.5]), ValueError, "times must be one ascending sequence"),
        (lambda: flow_modes([[1.0]], 1.0, [-1.0]), ValueError, "times must be non-negative"),
    ],
)
def test_bad_input_is_refused(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_fractions_are_welcome() -> None:
    assert mode_energy([[Fraction(1, 2)], [Fraction(1, 2)]], 1).tolist() == [9 / 32]


def test_whole_networks_have_the_gradients_of_their_directions() -> None:
    rng = np.random.default_rng(1)
    frames = [np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (3, 4, 2)]
    s, sigma = rng.uniform(0.3, 1.4, (2, 2)), np.array([1.5, 0.7])
    weights = aligned_weights(frames, [np.append(s[0], 0.9), s[1]])
    task = LinearTask.whitened(frames[-1] * sigma @ frames[0].T[:2], rng, noise=0.4)
    modes = mode_gradient(s, sigma)
    for layer, G in enumerate(chain_gradients(weights, task)):
        inside = frames[layer + 1].T @ G @ frames[layer]
        assert np.diagonal(inside)[:2] == pytest.approx(modes[layer], abs=1e-13)


@pytest.mark.parametrize("layers", [UNROLLED, UNROLLED + 1, 70])
def test_any_depth_is_the_plain_loop(layers: int) -> None:
    rng = np.random.default_rng(layers)
    s, sigma = rng.uniform(0.9, 1.1, (layers, 5)), rng.uniform(0.5, 2.0, 5)
    run = descend_modes(s, sigma, learning_rate=0.01, steps=40)
    assert np.abs(run.final - naive_descend_modes(s, sigma, 0.01, 40)).max() < 64 * layers * EPS
    once = naive_descend_modes(s, sigma, 0.01, 1)
    bounded = descend_modes(s, sigma, learning_rate=0.01, steps=1, band=0.05)
    assert np.abs(bounded.final - np.clip(once, 1 / 1.05, 1.05)).max() < 64 * layers * EPS


@pytest.mark.parametrize("every", [2, 3])
@pytest.mark.parametrize("modes", [FEW, FEW + 1])
@pytest.mark.parametrize("record", [None, 5])
def test_the_band_is_imposed_after_every_few_updates(modes: int, every: int, record: int | None) -> None:
    rng = np.random.default_rng(every)
    s, sigma = rng.uniform(0.5, 2.0, (3, modes)) * rng.choice([-1, 1], (3, modes)), rng.uniform(0.5, 4.0, modes)
    expected = s
    for update in range(1, 12):
        expected = naive_descend_modes(expected, sigma, 0.05, 1)
        if update % every == 0:
            expected = np.copysign(np.clip(np.abs(expected), 1 / 1.1, 1.1), expected)
    run = descend_modes(s, sigma, learning_rate=0.05, steps=11, band=0.1, band_every=every, record_every=record)
    assert np.abs(run.final - expected).max() < 256 * EPS
    assert np.abs(np.abs(run.final) - 1).max() > 0.1
