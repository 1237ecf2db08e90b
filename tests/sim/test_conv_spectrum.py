"""Singular values of convolutions against their matrices, written down entry by entry."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import ArpackNoConvergence

from sim import conv_spectrum
from sim.conv_spectrum import (
    ZeroPadded,
    circular_singular_values,
    kernel_singular_values,
    reshaped,
    zero_padded_extremes,
)
from tests.reference.spectra import naive_circular_singular_values, naive_operator
from tests.strategies.spectra import Convolution, convolutions

EPS = float(np.finfo(float).eps)


def singular_values(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.svd(matrix, compute_uv=False))


@given(convolutions())
def test_circular_spectrum_is_that_of_the_matrix(case: Convolution) -> None:
    closed = circular_singular_values(case.kernel, case.image, stride=case.stride)
    expected = singular_values(naive_operator(case.kernel, case.image, stride=case.stride))
    assert closed.shape == expected.shape
    assert np.abs(closed - expected).max() <= 256 * EPS * max(1.0, expected[0])


@given(convolutions())
def test_half_of_the_frequencies_are_enough(case: Convolution) -> None:
    full = naive_circular_singular_values(case.kernel, case.image)
    assert np.abs(circular_singular_values(case.kernel, case.image) - full).max() <= 256 * EPS * max(1.0, full[0])


@given(convolutions(), st.integers(0, 2))
def test_zero_padded_map_and_its_adjoint_are_those_of_the_matrix(case: Convolution, padding: int) -> None:
    layer = ZeroPadded(case.kernel, case.image, padding, case.stride)
    matrix = naive_operator(case.kernel, case.image, stride=case.stride, padding=padding)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(case.kernel.shape[1], *case.image))
    y = rng.normal(size=(len(case.kernel), *layer.output))
    assert layer.shape == matrix.shape
    assert np.abs(layer.apply(x).ravel() - matrix @ x.ravel()).max() <= 1e3 * EPS
    assert np.abs(layer.adjoint(y).ravel() - matrix.T @ y.ravel()).max() <= 1e3 * EPS


@given(convolutions(), st.integers(0, 2))
def test_zero_padded_extremes_are_those_of_the_matrix(case: Convolution, padding: int) -> None:
    found = zero_padded_extremes(case.kernel, case.image, padding=padding, stride=case.stride)
    expected = singular_values(naive_operator(case.kernel, case.image, stride=case.stride, padding=padding))
    assert np.abs(np.array(found) - expected[[0, -1]]).max() <= 256 * EPS * max(1.0, expected[0])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 100), st.sampled_from([(1, 1), (2, 1), (1, 3), (4, 2)]), st.integers(1, 2))
def test_lanczos_agrees_with_the_dense_route(seed: int, channels: tuple[int, int], stride: int) -> None:
    kernel = np.random.default_rng(seed).normal(size=(*channels, 3, 3))
    dense = zero_padded_extremes(kernel, (16, 15), padding=1, stride=stride)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conv_spectrum, "DENSE", 30)
        largest, smallest = zero_padded_extremes(kernel, (16, 15), padding=1, stride=stride)
    assert largest == pytest.approx(dense[0], rel=1e-9)
    assert abs(smallest**2 - dense[1] ** 2) <= conv_spectrum.RESIDUAL_SMALLEST * dense[0] ** 2


def test_known_spectra() -> None:
    orthogonal = np.array([[[[0.6, 0.8]]]])
    assert kernel_singular_values(orthogonal) == pytest.approx([1.0], rel=4 * EPS)
    assert circular_singular_values(orthogonal, (1, 2)) == pytest.approx([1.4, 0.2], rel=16 * EPS)
    # patches that tile the image: one copy of the kernel's spectrum for each
    assert circular_singular_values(orthogonal.reshape(1, 1, 2, 1), (2, 1)) == pytest.approx([1.4, 0.2], rel=16 * EPS)
    tiled = np.full((1, 1, 2, 2), 0.5)
    assert circular_singular_values(tiled, (4, 6), stride=2) == pytest.approx(np.ones(6), rel=16 * EPS)
    assert circular_singular_values(tiled, (4, 6)).max() == pytest.approx(2.0, rel=16 * EPS)


def test_reshaping_is_that_of_the_footnote() -> None:
    kernel = np.arange(24.0).reshape(2, 3, 2, 2)
    assert reshaped(kernel).tolist() == [[*range(12)], [*range(12, 24)]]


def test_bad_arguments_are_named() -> None:
    kernel = np.ones((1, 1, 3, 3))
    with pytest.raises(ValueError, match=r"kernel must have shape \(n, n, n, n\), got \(3, 3\)"):
        circular_singular_values(np.ones((3, 3)), (4, 4))
    with pytest.raises(ValueError, match="kernel must be finite"):
        circular_singular_values(kernel * np.nan, (4, 4))
    with pytest.raises(ValueError, match=r"image must be at least as large as the kernel \(3, 3\), got \(2, 4\)"):
        circular_singular_values(kernel, (2, 4))
    with pytest.raises(ValueError, match=r"stride must divide the image \(4, 5\), got 2"):
        circular_singular_values(kernel, (4, 5), stride=2)
    with pytest.raises(ValueError, match=r"image must be \(height, width\), got 4"):
        circular_singular_values(kernel, 4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="image width must be at least 1"):
        circular_singular_values(kernel, (4, 0))
    with pytest.raises(ValueError, match="padding must be at least 0"):
        zero_padded_extremes(kernel, (4, 4), padding=-1)
    with pytest.raises(ValueError, match=r"once padded by 0, got \(2, 2\)"):
        zero_padded_extremes(kernel, (2, 2), padding=0)
    with pytest.raises(TypeError, match="stride must be an integer"):
        zero_padded_extremes(kernel, (4, 4), padding=1, stride=1.5)  # type: ignore[arg-type]


def test_lanczos_that_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: object, **__: object) -> None:
        raise ArpackNoConvergence("No convergence (%s)", np.array([]), np.array([]))

    monkeypatch.setattr(conv_spectrum, "DENSE", 1)
    monkeypatch.setattr(conv_spectrum, "eigsh", give_up)
    kernel = np.random.default_rng(0).normal(size=(1, 1, 3, 3))

    with pytest.raises(RuntimeError, match=r"Lanczos did not converge on a map of shape \(144, 144\)"):
        zero_padded_extremes(kernel, (12, 12), padding=1)
