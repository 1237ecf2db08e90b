from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import sim.nearest
from sim.arrays import FloatArray
from sim.correlation import equicorrelation, exponential_correlation
from sim.errors import require_correlation_matrix
from sim.nearest import alpha_range, nearest_correlation, scale_correlation
from tests.sim.rounding import EPS
from tests.strategies.correlated_init import filter_correlations

MATRICES = st.integers(1, 6).flatmap(filter_correlations)


def symmetric(seed: int, p: int) -> FloatArray:
    A = np.random.default_rng(seed).uniform(-1.5, 1.5, (p, p))
    A = (A + A.T) / 2
    np.fill_diagonal(A, 1.0)
    return A


@settings(max_examples=40)
@given(MATRICES, st.floats(-0.5, 2.0))
@example(np.eye(3), 7.0)
@example(np.ones((3, 3)), 1.0)
@example(np.ones((4, 4)), -0.4)
def test_alpha_is_admissible_exactly_within_its_range(R: FloatArray, alpha: float) -> None:
    least, most = alpha_range(R)
    assert least <= 0 <= 1 <= most
    scaled = (1 - alpha) * np.eye(len(R)) + alpha * R
    smallest = np.linalg.eigvalsh(scaled)[0]
    if min(alpha - least, most - alpha) > 1e-9:
        assert smallest > -1e-12
        assert np.abs(scale_correlation(R, alpha) - scaled).max() <= 4 * EPS
    elif max(least - alpha, alpha - most) > 1e-9:
        assert smallest < 0
        with pytest.raises(ValueError, match=r"alpha must lie in \[.*nearest=True"):
            scale_correlation(R, alpha)
        assert np.linalg.eigvalsh(scale_correlation(R, alpha, nearest=True))[0] > -64 * EPS


@pytest.mark.parametrize("r", [0.25, 0.5, -0.5])
def test_both_ends_of_the_range_of_alpha_are_in_it(r: float) -> None:
    R = equicorrelation(2, r)
    for alpha in alpha_range(R):
        assert scale_correlation(R, alpha)[0, 1] == pytest.approx(alpha * r, rel=1e-15)


def test_the_nearest_is_found_to_a_millionth_of_a_millionth_unless_told_otherwise() -> None:
    A = scale_beyond()
    assert np.array_equal(nearest_correlation(A), nearest_correlation(A, tolerance=1e-12))
    assert not np.array_equal(nearest_correlation(A), nearest_correlation(A, tolerance=1e-11))


def test_the_printed_range_of_alpha_needs_a_least_eigenvalue_of_a_third() -> None:
    for r in (0.6, 2 / 3, 0.7):
        R = equicorrelation(2, r)
        assert alpha_range(R)[1] == pytest.approx(1 / r, rel=8 * EPS)
        assert (alpha_range(R)[1] >= 1.5 - 1e-12) is (1 - r >= 1 / 3 - 1e-12)
    with pytest.raises(ValueError, match=r"alpha must lie in \[-1.42857, 1.42857\] .* got 1.5"):
        scale_correlation(equicorrelation(2, 0.7), 1.5)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 7))
@example(0, 1)
def test_nothing_near_is_nearer(seed: int, p: int) -> None:
    A = symmetric(seed, p)
    X = require_correlation_matrix(nearest_correlation(A), "X")
    distance = np.linalg.norm(X - A)
    rng = np.random.default_rng(seed + 1)
    for spread in (1e-3, 1e-2, 1e-1, 1.0):
        for _ in range(5):
            vectors = np.linalg.cholesky(X + 1e-12 * np.eye(p)) + spread * rng.normal(size=(p, p))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            other = vectors @ vectors.T
            assert np.linalg.norm(other - A) >= distance - 1e-10
            # the projection onto a convex set: the angle at X is not acute
            assert ((A - X) * (other - X)).sum() <= 1e-9
    assert np.abs(nearest_correlation(X) - X).max() <= 1e-11


@given(MATRICES)
def test_a_correlation_matrix_stays(R: FloatArray) -> None:
    assert np.abs(nearest_correlation(R) - R).max() <= 1e-11


@pytest.mark.parametrize("r", [-3.0, -1.0, -0.4, 0.0, 0.9, 1.0, 1.4])
def test_two_pixels_exactly(r: float) -> None:
    c = min(max(r, -1.0), 1.0)
    assert nearest_correlation([[1.0, r], [r, 1.0]]) == pytest.approx(np.array([[1.0, c], [c, 1.0]]), abs=1e-12)


def test_three_pixels_in_closed_form() -> None:
    """Equal off-diagonals c < -1/2: by symmetry the nearest has equal ones, the least that are possible, -1/2."""
    A = np.full((3, 3), -0.9)
    np.fill_diagonal(A, 1.0)
    assert nearest_correlation(A) == pytest.approx(equicorrelation(3, -0.5), abs=1e-11)
    # Higham (2002), Section 4
    tridiagonal = np.eye(4) * 2 - np.eye(4, k=1) - np.eye(4, k=-1)
    first_row = [1.0, -0.8084125, 0.1915875, 0.1067750]
    assert nearest_correlation(tridiagonal)[0] == pytest.approx(first_row, abs=1e-6)


def test_too_few_iterations_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sim.nearest, "ITERATIONS", 3)
    with pytest.raises(RuntimeError, match=r"not found in 3 iterations: entries still change by .* larger tolerance"):
        nearest_correlation(scale_beyond())


def scale_beyond() -> FloatArray:
    A = 1.5 * exponential_correlation(3, 0.9)
    np.fill_diagonal(A, 1.0)
    return A


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nearest_correlation([[1.0, 0.2], [0.3, 1.0]]), r"A must be symmetric, .* \(A \+ A.T\)/2 is"),
        (lambda: nearest_correlation(np.eye(2), tolerance=0), "tolerance must be positive"),
        (lambda: nearest_correlation([1.0]), r"A must be a square matrix, got shape \(1,\)"),
        (lambda: scale_correlation(np.eye(2), np.nan), "alpha must be finite"),
        (lambda: scale_correlation(np.eye(2), [1.0]), r"alpha must have shape \(\)"),
        (lambda: alpha_range([[1.0, 1.2], [1.2, 1.0]]), "nearest_correlation gives the nearest matrix"),
        (lambda: alpha_range([[2.0, 1.2], [1.2, 2.0]]), "ones on its diagonal, .* divided by the standard deviations"),
    ],
)
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
