"""Bounds of convolution operators: against the matrix written out, and never claiming what is not so."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.conv_spectrum import circular_singular_values
from sim.operator_band import Geometry, _within, operator_extremes, project_operator
from sim.svb import band
from tests.reference.operators import naive_circular_matrix
from tests.strategies.spectra import Convolution, convolutions, seeds

TOLERANCE = 1e-10


def square(side: int, *, stride: int = 1) -> Geometry:
    return Geometry((side, side), (stride, stride), (1, 1))


def values_of(kernel: FloatArray, geometry: Geometry) -> FloatArray:
    """The singular values of the matrix without the inputs that no window reads, which make zeros for any kernel."""
    matrix = naive_circular_matrix(kernel, geometry.image, geometry.stride, geometry.dilation)
    ones = naive_circular_matrix(np.ones_like(kernel), geometry.image, geometry.stride, geometry.dilation)
    return np.asarray(np.linalg.svd(matrix[:, ones.any(axis=0)], compute_uv=False))


@st.composite
def geometries(draw: st.DrawFn) -> tuple[FloatArray, Geometry]:
    """Kernels in one to three dimensions on images that hold them, with strides and dilations."""
    dimensions = draw(st.integers(1, 3))
    most = (9, 6, 3)[dimensions - 1]
    sides, strides, dilations, taps = [], [], [], []
    for _ in range(dimensions):
        stride = draw(st.integers(1, 3))
        side = stride * draw(st.integers(1, max(1, most // stride)))
        dilation = draw(st.integers(1, 2))
        taps.append(draw(st.integers(1, min(3, (side - 1) // dilation + 1))))
        sides.append(side)
        strides.append(stride)
        dilations.append(dilation)
    channels = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    kernel = draw(seeds()).normal(size=(*channels, *taps))
    return kernel, Geometry(tuple(sides), tuple(strides), tuple(dilations))


@settings(max_examples=60)
@given(geometries())
def test_extremes_are_those_of_the_matrix(case: tuple[FloatArray, Geometry]) -> None:
    kernel, geometry = case
    values = values_of(kernel, geometry)
    assert operator_extremes(kernel, geometry) == pytest.approx((values[-1], values[0]), abs=TOLERANCE)


@settings(max_examples=30)
@given(convolutions())
def test_extremes_agree_with_the_spectrum_in_the_plane(case: Convolution) -> None:
    geometry = Geometry(case.image, (case.stride,) * 2, (1, 1))
    theirs = circular_singular_values(case.kernel, case.image, stride=case.stride)
    least, most = operator_extremes(case.kernel, geometry)
    assert most == pytest.approx(theirs[0], abs=TOLERANCE)
    if min(case.kernel.shape[2:]) >= case.stride:
        assert least == pytest.approx(theirs[-1], abs=TOLERANCE)


@settings(max_examples=40)
@given(geometries(), st.sampled_from([0.05, 0.5]))
def test_what_is_said_of_the_result_is_so(case: tuple[FloatArray, Geometry], eps: float) -> None:
    kernel, geometry = case
    low, high = band(eps)
    done = project_operator(kernel, eps, geometry, sweeps=20)
    values = values_of(done.kernel, geometry)
    assert done.kernel.shape == kernel.shape
    assert done.after == pytest.approx((values[-1], values[0]), abs=TOLERANCE)
    assert values[0] <= high + TOLERANCE
    assert done.inside == (values[-1] >= low - TOLERANCE)


@pytest.mark.parametrize("channels", [(8, 4), (3, 6)])
@pytest.mark.parametrize("eps", [0.05, 0.5])
@pytest.mark.parametrize("stride", [1, 2])
def test_kernels_that_are_not_square_reach_the_band(channels, eps, stride):
    outputs, inputs = channels
    # with stride s there are s^2 inputs for each: (8, 4) is fat then
    kernel = np.random.default_rng(0).normal(size=(outputs, inputs, 3, 3)) / np.sqrt(9 * inputs)
    done = project_operator(kernel, eps, square(8, stride=stride), sweeps=400)
    values = values_of(done.kernel, square(8, stride=stride))
    low, high = band(eps)
    assert done.inside
    assert values[-1] >= low - TOLERANCE
    assert values[0] <= high + TOLERANCE
    assert done.raised > 0
    assert done.sweeps > 1


def test_clipping_and_cutting_once_does_not_do():
    # what a single sweep leaves is outside: the test above could fail
    kernel = np.random.default_rng(0).normal(size=(8, 4, 3, 3)) / 6
    once = project_operator(kernel, 0.05, square(8), sweeps=1)
    assert not once.inside
    assert once.after[0] < band(0.05)[0]


@pytest.mark.parametrize("channels", [3, 4])
def test_a_square_kernel_stays_in_the_band_if_it_began_there(channels):
    rng = np.random.default_rng(channels)
    kernel = np.zeros((channels, channels, 3, 3))
    kernel[:, :, 1, 1] = np.linalg.qr(rng.normal(size=(channels, channels)))[0]
    for _ in range(10):
        drifted = kernel + 0.03 * rng.normal(size=kernel.shape)
        done = project_operator(drifted, 0.1, square(8))
        assert done.inside
        # near what it was, not merely somewhere in the band
        assert np.linalg.norm(done.kernel - drifted) < 2 * np.linalg.norm(drifted - kernel)
        kernel = done.kernel


def test_a_generic_square_kernel_is_said_to_be_outside_and_its_upper_end_holds():
    kernel = np.random.default_rng(1).normal(size=(6, 6, 3, 3)) / 7
    done = project_operator(kernel, 0.05, square(12), sweeps=100)
    assert not done.inside
    assert done.after[0] < band(0.05)[0]
    assert done.after[1] <= band(0.05)[1] * (1 + 1e-12)


def test_a_kernel_in_the_band_comes_back_as_it_is():
    kernel = np.zeros((2, 2, 3, 3))
    kernel[:, :, 1, 1] = np.eye(2)
    done = project_operator(kernel, 0.1, square(4))
    assert (done.kernel == kernel).all()
    assert (done.sweeps, done.raised, done.lowered, done.inside) == (0, 0, 0, True)


def test_counts_are_those_of_one_of_each_pair_of_opposite_frequencies():
    # one channel, one dimension, |K(f)| = |1 - exp(-i f)| at f = 0, pi/2, pi
    done = project_operator([[[1.0, -1.0]]], 0.1, Geometry((4,), (1,), (1,)), sweeps=1)
    assert done.before == pytest.approx((0.0, 2.0), abs=1e-15)
    assert (done.raised, done.lowered) == (1, 2)


def test_everything_holds_for_the_rounded_kernel():
    def to_sixteenths(kernel: FloatArray) -> FloatArray:
        return np.asarray(np.round(kernel * 256) / 256)

    for seed in range(5):
        kernel = np.random.default_rng(seed).normal(size=(6, 3, 3, 3)) / 4
        done = project_operator(kernel, 0.3, square(6), store=to_sixteenths)
        assert (done.kernel == to_sixteenths(done.kernel)).all()
        assert done.inside
        values = values_of(done.kernel, square(6))
        assert done.after == pytest.approx((values[-1], values[0]), abs=TOLERANCE)
        assert values[0] <= 1.3 + TOLERANCE


def test_rounding_that_takes_back_small_steps_does_not_stop_the_scaling():
    def to_quarters(kernel: FloatArray) -> FloatArray:
        return np.asarray(np.round(kernel * 4) / 4)

    kernel = np.random.default_rng(3).normal(size=(4, 4, 3, 3))
    done = project_operator(kernel, 0.05, square(6), sweeps=3, store=to_quarters)
    assert done.after[1] <= 1.05 * (1 + 1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"image": (4, 4), "stride": (1,), "dilation": (1, 1)},
            r"stride must have one entry per dimension .*got \(1,\)",
        ),
        (
            {"image": (5, 4), "stride": (2, 2), "dilation": (1, 1)},
            r"stride must divide the image \(5, 4\), got \(2, 2\)",
        ),
        ({"image": (0,), "stride": (1,), "dilation": (1,)}, "image must be at least 1, got 0"),
        ({"image": (), "stride": (), "dilation": ()}, "image must have one entry"),
    ],
)
def test_geometries_that_make_no_sense(arguments, message):
    with pytest.raises(ValueError, match=message):
        Geometry(**arguments)


def test_kernels_that_do_not_fit():
    with pytest.raises(ValueError, match=r"image must be at least as large as the kernel \(5, 5\), got \(4, 4\)"):
        operator_extremes(np.ones((1, 1, 3, 3)), Geometry((4, 4), (1, 1), (2, 2)))
    with pytest.raises(ValueError, match=r"kernel must have shape \(n, n, n, n\), got \(3, 3\)"):
        operator_extremes(np.ones((3, 3)), square(4))
    with pytest.raises(ValueError, match="kernel must be finite"):
        project_operator(np.full((1, 1, 1, 1), np.nan), 0.1, square(4))
    with pytest.raises(ValueError, match="eps must be positive"):
        project_operator(np.ones((1, 1, 1, 1)), 0.0, square(4))
    with pytest.raises(ValueError, match="sweeps must be at least 1"):
        project_operator(np.ones((1, 1, 1, 1)), 0.1, square(4), sweeps=0)


@pytest.mark.parametrize(
    ("lowest", "highest", "inside"),
    [
        (0.8, 1.25, True),
        (0.8, 1.0, True),
        (0.8 - 1e-13, 1.25 + 1e-13, True),
        (0.8 - 1e-11, 1, False),
        (1, 1.25 + 1e-11, False),
    ],
)
def test_the_band_is_met_to_rounding(lowest: float, highest: float, inside: bool) -> None:
    assert _within(np.array([highest, 1.0, lowest]), 0.8, 1.25) is inside
