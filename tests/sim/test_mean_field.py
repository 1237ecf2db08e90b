from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.correlation import critical_variance, equicorrelation, exponential_correlation
from sim.mean_field import (
    input_moments,
    kernels,
    lag_sums,
    layer_moments,
    relu_correlation,
    relu_moments,
    stationary_layer,
    stationary_moments,
    window_moments,
)
from tests.reference.correlated_init import naive_layer_moments, naive_relu_moment, naive_standard_kernels
from tests.sim.rounding import EPS
from tests.strategies.correlated_init import kernel_cases


@settings(max_examples=25)
@given(kernel_cases())
def test_one_layer_equals_its_naive_twin(case) -> None:
    images, R, kernel, padding = case
    Q = input_moments(images)
    fast = layer_moments(Q, R, 0.3, padding=padding, kernel=kernel)
    slow = naive_layer_moments(Q, R, 0.3, padding, kernel)
    assert np.abs(fast - slow).max() <= 64 * len(R) ** 2 * EPS * np.abs(Q).max()


@given(st.floats(-1, 1), st.floats(0, 4), st.floats(0, 4))
@example(-1.0, 1.0, 2.0)
@example(1.0, 0.0, 2.0)
def test_the_moment_after_relu_is_the_gaussian_integral(c: float, u: float, v: float) -> None:
    covariance = c * np.sqrt(u * v)
    K = np.array([[u, covariance], [covariance, v]]).reshape(1, 1, 1, 2, 1, 2)
    found = relu_moments(K)[0, 0, 0, :, 0]
    expected = [[naive_relu_moment(*pair) for pair in row] for row in (((u, u, u), (u, v, covariance)),)]
    assert found[0] == pytest.approx(expected[0], abs=1e-9)
    assert np.array_equal(found, found.T)


def test_the_correlation_after_relu_at_its_corners() -> None:
    assert relu_correlation([-1.0, 0.0, 1.0]) == pytest.approx([0.0, 1 / np.pi, 1.0], abs=4 * EPS)
    assert relu_correlation(1 + 1e-15) == 1.0
    c = np.linspace(-1, 1, 201)
    assert (np.diff(relu_correlation(c)) > 0).all()
    assert (relu_correlation(c) >= c).all()
    # f(1 - e) = 1 - e + 2 sqrt(2) e^(3/2)/(3 pi) + O(e^(5/2))
    e = 1e-4
    assert relu_correlation(1 - e) == pytest.approx(1 - e + 2 * 2**0.5 / (3 * np.pi) * e**1.5, abs=2 * e**2.5)


def test_with_uncorrelated_filters_it_is_the_known_kernel_of_conv_nets() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 5))
    known = naive_standard_kernels(list(x), 2.0, 3, 3)
    found = kernels(x[:, :, None], np.eye(3), 2.0 / 3, depth=3, padding="circular", kernel=(1, 3))
    for K, expected in zip(found, known, strict=True):
        assert np.abs(K[:, :, 0, :, 0] - expected).max() <= 1e-9


@pytest.mark.parametrize("padding", ["circular", "zero"])
def test_wide_random_networks_have_these_moments(padding: str) -> None:
    """Two inputs, 3 layers; 200 channels leave a bias of 1/200, far below the spread of 24 draws."""
    rng = np.random.default_rng(2)
    R, v, width, side, draws = exponential_correlation(3, 0.6), 2 / 9, 200, 3, 24
    images = rng.normal(size=(2, 1, side, side))
    limit = list(kernels(images, R, v, depth=3, padding=padding))
    root = np.linalg.cholesky(R)
    pad: Literal["wrap", "constant"] = "wrap" if padding == "circular" else "constant"
    seen = []
    for _ in range(draws):
        x, rows = images, []
        for _ in range(3):
            W = rng.normal(size=(width, x.shape[1], 9)) @ root.T * np.sqrt(v / x.shape[1])
            padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode=pad)
            windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
            y = np.einsum("bchwk,ock->bohw", windows.reshape(*windows.shape[:4], 9), W, optimize=True)
            rows.append(np.einsum("bohw,xoij->bxhwij", y, y, optimize=True) / width)
            x = np.maximum(y, 0.0)
        seen.append(rows)
    for layer in range(3):
        sample = np.array([rows[layer] for rows in seen])
        error = sample.std(axis=0, ddof=1) / np.sqrt(draws)
        assert (np.abs(sample.mean(axis=0) - limit[layer]) <= 5 * error + 1e-12).all()
        untied = list(kernels(images, np.eye(9), v, depth=3, padding=padding))[layer]
        assert (np.abs(sample.mean(axis=0) - untied) > 8 * error).mean() > 0.2


@given(st.integers(1, 5), st.sampled_from([2, 3, 5]), st.integers(0, 1000))
@example(2, 5, 0)
def test_stationary_inputs_need_lags_only(side: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # without the symmetries of the square
    vectors = rng.normal(size=(k * k, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    R = np.clip(vectors @ vectors.T, -1.0, 1.0)
    np.fill_diagonal(R, 1.0)
    spectrum = np.abs(np.fft.fft2(rng.normal(size=(side, side)))) ** 2
    q = np.fft.ifft2(spectrum).real
    row, column = np.divmod(np.arange(side**2), side)
    lag = ((row - row[:, None]) % side, (column - column[:, None]) % side)
    Q = q[lag].reshape(1, 1, side, side, side, side)
    K = layer_moments(Q, R, 0.7, padding="circular")
    small = stationary_layer(q, R, 0.7)
    scale = 64 * k**4 * EPS * np.abs(q).max()
    assert np.abs(K[0, 0, 0, 0] - small).max() <= scale
    # several of them, each by itself
    several = q * np.arange(1, 4)[:, None, None]
    assert np.abs(stationary_layer(several, R, 0.7) - small * np.arange(1, 4)[:, None, None]).max() <= 3 * scale
    after = relu_moments(layer_moments(Q, np.eye(k * k), 1.0, padding="circular"))
    # the square root at c = 1 makes sqrt(eps) of a rounding error in the angle, but not in f
    assert np.abs(after[0, 0, 0, 0] - stationary_moments(stationary_layer(q, np.eye(k * k), 1.0))).max() <= scale


@given(st.integers(1, 4), st.integers(1, 3), st.booleans())
def test_window_moments_are_those_of_the_windows(side: int, k: int, wrap: bool) -> None:
    images = np.random.default_rng(side).normal(size=(2, 3, side, side + 1))
    if not wrap and k == 2:
        k = 3
    M = window_moments(input_moments(images), k, padding="circular" if wrap else "zero")
    rows = []
    centre = (k - 1) // 2
    for image in images.reshape(-1, side, side + 1):
        for a, b in np.ndindex(side, side + 1):
            row = []
            for c, d in np.ndindex(k, k):
                r, s = a + c - centre, b + d - centre
                inside = 0 <= r < side and 0 <= s <= side
                row.append(image[r % side, s % (side + 1)] if wrap or inside else 0.0)
            rows.append(row)
    expected = np.mean([np.outer(row, row) for row in rows], axis=0)
    assert np.abs(M - expected).max() <= 1e-13
    with pytest.raises(ValueError, match="odd sides"):
        window_moments(input_moments(images), 2, padding="zero")


def test_the_scale_from_window_moments_keeps_the_mean_second_moment() -> None:
    R, images = exponential_correlation(3, 0.8), np.abs(np.random.default_rng(5).normal(size=(1, 2, 4, 4)))
    for padding in ("circular", "zero"):
        Q = input_moments(images)
        M = window_moments(Q, 3, padding=padding)
        v = critical_variance(R, M)
        K = layer_moments(Q, R, v, padding=padding)
        mean = np.trace(K.reshape(16, 16)) / 16
        # zero padding takes from the windows at the border what the mean over windows then has less of
        assert mean == pytest.approx(2 * np.trace(M) / 9, rel=1e-12)


@pytest.mark.parametrize("padding", ["circular", "zero"])
def test_the_largest_size_at_a_few_places(padding: str) -> None:
    side, k = 32, 7
    rng = np.random.default_rng(7)
    images, R = rng.normal(size=(1, 2, side, side)), exponential_correlation(k, 0.8)
    Q = input_moments(images)
    K = layer_moments(Q, R, 2 / k**2, padding=padding)[0, 0]
    pad = 3
    mode: Literal["wrap", "constant"] = "wrap" if padding == "circular" else "constant"
    padded = np.pad(images[0], ((0, 0), (pad, pad), (pad, pad)), mode=mode)
    for a, b in (((0, 0), (0, 0)), ((0, 31), (31, 0)), ((16, 5), (15, 9)), ((31, 31), (2, 30))):
        first, second = (padded[:, r : r + k, c : c + k].reshape(2, -1) for r, c in (a, b))
        expected = 2 / k**2 * np.einsum("ct,tu,cu->", first, R, second) / 2
        assert K[*a, *b] == pytest.approx(expected, abs=1e-10)


def test_lag_sums_add_up() -> None:
    R = exponential_correlation(3, 0.5)
    r = lag_sums(R)
    assert r.sum() == pytest.approx(R.sum(), rel=8 * EPS)
    assert r[2, 2] == 9.0
    assert r == pytest.approx(r[::-1, ::-1], rel=8 * EPS)
    assert lag_sums(np.eye(4)) == pytest.approx(np.pad([[4.0]], 1))


def test_equal_inputs_grow_by_the_sum_of_R() -> None:
    """An even image: every response has second moment v 1'R1 q, and each further layer half of that factor."""
    R = equicorrelation(9, 0.4)
    K1, K2 = kernels(2.0 * np.ones((1, 1, 4, 4)), R, 0.1, depth=2, padding="circular")
    assert pytest.approx(0.1 * R.sum() * 4.0, rel=64 * EPS) == K1
    assert pytest.approx((0.1 * R.sum()) ** 2 * 4.0 / 2, rel=64 * EPS) == K2


def test_variance_zero_and_no_input_are_allowed() -> None:
    for K in kernels(np.zeros((2, 1, 3, 3)), np.ones((9, 9)), 1.0, depth=3, padding="zero"):
        assert not K.any()
    for K in kernels(np.ones((1, 1, 3, 3)), np.ones((9, 9)), 0.0, depth=2, padding="circular"):
        assert not K.any()


def _moments(shape: tuple[int, ...] = (1, 1, 3, 3, 3, 3)) -> FloatArray:
    return np.ones(shape)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: layer_moments(_moments((1, 1, 3, 3)), np.eye(9), 1, padding="zero"), r"Q must have shape \(B, B, H"),
        (lambda: layer_moments(_moments(), np.eye(8), 1, padding="zero"), r"R must be k\^2 x k\^2 .* got 8 x 8; give"),
        (lambda: layer_moments(_moments(), np.eye(4), 1, padding="zero"), "odd sides .* needs a centre, got 2 x 2"),
        (lambda: layer_moments(_moments(), np.eye(9), 1, padding="same"), "padding must be one of circular, zero"),
        (lambda: layer_moments(_moments(), np.eye(9), -1, padding="zero"), "v must be non-negative, got -1"),
        (
            lambda: layer_moments(_moments(), np.eye(9), 1, padding="zero", kernel=(1, 3)),
            "as many pixels as R has rows, 9, got 1 x 3",
        ),
        (lambda: kernels(np.ones((1, 1, 3, 3)), np.eye(9), 1, depth=0, padding="zero"), "depth must be at least 1"),
        (lambda: kernels(np.ones((1, 3, 3)), np.eye(9), 1, depth=1, padding="zero"), r"images must have shape \(n, n,"),
        (lambda: stationary_layer(np.ones(3), np.eye(9), 1), r"q must have shape \(..., H, W\), got \(3,\)"),
        (lambda: stationary_moments(np.ones(3)), r"K must have shape \(..., H, W\), got \(3,\)"),
        (lambda: layer_moments(_moments(), np.full((9, 9), -1.0), 1, padding="zero"), "R must have ones"),
    ],
)
def test_bad_input_is_refused_with_what_would_mend_it(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
