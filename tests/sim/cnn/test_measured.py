"""What the route through layers reads off by torch: known answers, and what the simulator finds by other means."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from sim.cnn import measured
from sim.conv_spectrum import circular_singular_values
from sim.correlation import SCALES, exponential_correlation, weight_std
from sim.finite_law import equal_law, independent_law, response_moments
from sim.layer_variance import Stack, measure
from sim.linear_modes import mode_energy, mode_gradient
from sim.mean_field import input_moments, relu_correlation, window_moments
from sim.samples import linear_targets
from sim.zigzag import sign_changes_per_coordinate


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_singular_values() -> None:
    known = np.diag([3.0, 2.0, 0.5])[:2]
    assert measured.singular_values(known) == pytest.approx([3.0, 2.0])
    matrices = rng().normal(size=(4, 3, 5))
    assert measured.singular_values(matrices) == pytest.approx(np.linalg.svd(matrices, compute_uv=False), abs=1e-13)


def test_ranks() -> None:
    assert measured.matrix_rank(np.array([[0.0, 1.0], [0.0, 1.0]]), 1e-9) == 1
    assert measured.matrix_rank(np.diag([1.0, 1e-8, 1e-10]), 1e-9) == 2
    assert measured.matrix_rank(np.zeros((2, 3)), 1e-9) == 0


@pytest.mark.parametrize(("image", "stride"), [((3, 4), 1), ((4, 6), 2), ((6, 3), 3)])
def test_circular_spectra(image: tuple[int, int], stride: int) -> None:
    kernel = rng().normal(size=(3, 2, 2, 3))
    found = measured.circular_spectrum(kernel, image, stride=stride)
    assert found == pytest.approx(circular_singular_values(kernel, image, stride=stride), abs=1e-12)


def test_a_kernel_of_one_tap_is_its_own_spectrum() -> None:
    assert measured.circular_spectrum(np.full((1, 1, 1, 1), -3.0), (2, 2)) == pytest.approx([3.0] * 4)


def test_sign_changes() -> None:
    gradients = np.array([[[1.0, -2.0, 0.0, 3.0]], [[-1.0, -1.0, 2.0, 0.0]], [[0.5, 1.0, 2.0, 0.0]]])
    assert measured.sign_changes(gradients).tolist() == [[[1.0, 0.0, 0.5, 0.5]], [[1.0, 1.0, 0.0, 0.0]]]
    drawn = rng().integers(-1, 2, (5, 3, 4)).astype(float)
    assert (measured.sign_changes(drawn) == sign_changes_per_coordinate(drawn)).all()


def test_squared_cosines() -> None:
    first, second = np.array([[1.0, 0.0], [1.0, 1.0], [-2.0, 0.0]]), np.array([[0.0, 3.0], [2.0, 0.0], [5.0, 0.0]])
    assert measured.squared_cosines(first, second) == pytest.approx([0.0, 0.5, 1.0])


def test_the_kernel_of_relu_by_quadrature() -> None:
    known = measured.relu_correlation(np.array([-1.0, 0.0, 1.0]))
    assert known == pytest.approx([0.0, 1 / np.pi, 1.0], abs=1e-14)
    c = rng().uniform(-1, 1, (4, 5))
    assert measured.relu_correlation(c) == pytest.approx(relu_correlation(c), abs=1e-14)


def test_laws_of_one_layer() -> None:
    filters, windows = equal_law(rng().normal(size=3), 4), independent_law((0.0, 1.5), 4)
    expected = response_moments(filters, windows)
    variance, positive = measured.law_moments(filters, windows)
    assert variance == pytest.approx(expected.variance, rel=1e-13)
    assert positive == pytest.approx(expected.positive_second, rel=1e-13)
    for law in (filters, windows):
        assert measured.law_second_moments(law) == pytest.approx(law.second_moments, abs=1e-14)


def test_moments_of_samples() -> None:
    X = rng().normal(size=(7, 3))
    assert measured.sample_moment(X) == pytest.approx(linear_targets(X).second_moment, abs=1e-14)


@pytest.mark.parametrize("border", ["circular", "none", "disjoint"])
def test_random_stacks(border: str) -> None:
    size = None if border == "disjoint" else 5
    stack = Stack(2, 2, border=border, size=size, v=0.7, weight_correlation=0.5, channels=3, input_channels=2)
    # in one part the draws are the simulator's own
    here, there = measured.stack_moments(stack, 50, rng()), measure(stack, 50, rng())
    for name in ("second", "second_error", "positive", "positive_error"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), rel=1e-11), name
    assert here.draws == 50


def test_random_stacks_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "CHUNK", 100)
    stack = Stack(2, 1, size=3, v=0.5, weight_law="signs", input_law="signs")
    found = measured.stack_moments(stack, 400, rng())
    assert found.second[0] == pytest.approx(2.0, abs=5 * found.second_error[0])
    assert found.second_error[0] > 0


def test_one_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        measured.stack_moments(Stack(2, 1, size=3), 1, rng())


def test_energy_and_its_slopes() -> None:
    for s in (rng().normal(size=4), np.array([0.0, 0.0, 2.0]), np.array([1.5])):
        energy, slopes = measured.product_energy(s, 1.25)
        assert energy == pytest.approx(mode_energy(s, 1.25), abs=1e-14)
        assert slopes == pytest.approx(mode_gradient(s, 1.25), abs=1e-14)


def test_sizes_of_weights() -> None:
    R, images = exponential_correlation(3, 0.6), rng().normal(size=(2, 1, 5, 5)) + 1.0
    M = window_moments(input_moments(images), 3, padding="circular")
    found = measured.filter_variances(R, M, 4)
    for scale in SCALES:
        expected = weight_std(scale, R, 4, moments=M if scale == "mean_field" else None) ** 2
        assert found[scale] == pytest.approx(expected, rel=1e-13), scale


def test_moments_of_inputs() -> None:
    images = rng().normal(size=(2, 3, 2, 4))
    assert measured.channel_moments(images) == pytest.approx(input_moments(images), abs=1e-14)


def test_a_stride_that_does_not_divide_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="stride must divide the image 4 x 6, got 4"):
        measured.circular_spectrum(np.ones((1, 1, 2, 2)), (4, 6), stride=4)
