"""A step of a convolution layer is that of the simulator, on every device and in either precision."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.cnn.conv_filter
import sim.grid
from sim.arrays import FloatArray
from sim.cnn.conv_filter import grid_images, grid_step, named_filter, patch_images, sample_step
from sim.grid import grid_samples
from sim.half_space import grid_active_sums, sample_active_sums
from sim.instance import FilterInstance
from sim.samples import SampleSet
from tests.sim.cnn.one_filter import (
    STEP_TOLERANCE,
    for_each_case,
    for_each_filter,
    for_each_side,
    layer_rounding,
    make_instance,
    make_samples,
    on_each_device,
    reference_grid_step,
    reference_step,
    step_gap,
)
from tests.strategies.single_filter import all_active_instances

pytestmark = pytest.mark.usefixtures("one_thread")


@on_each_device
@for_each_case
@for_each_filter
@for_each_side
def test_grid_step_agrees_with_the_simulator(k: int, filter: str, activity: str, device: str) -> None:
    instance = make_instance(k, activity)
    want = reference_grid_step(instance)
    assert {"all": want.active_fraction == 1, "dead": want.active_fraction == 0}.get(
        activity, 0 < want.active_fraction < 1
    )
    assert step_gap(grid_step(instance, filter=filter, device=device), want) <= STEP_TOLERANCE


@on_each_device
@for_each_case
@for_each_side
def test_sample_step_agrees_with_the_simulator(k: int, activity: str, device: str) -> None:
    samples, w = make_samples(k, activity)
    want = reference_step(samples, w, 0.1)
    assert {"all": 1.0, "dead": 0.0}.get(activity, want.active_fraction) == want.active_fraction
    assert step_gap(sample_step(samples, w, 0.1, device=device), want) <= STEP_TOLERANCE


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.sampled_from((1, 4)).flatmap(lambda p: all_active_instances(p, p)),
    st.lists(st.integers(-9, 9), min_size=4, max_size=4).filter(lambda f: f[0] != 0),
)
def test_grid_step_agrees_for_any_filter_and_any_all_active_instance(
    instance: FilterInstance, entries: list[int]
) -> None:
    k = 1 if instance.p == 1 else 2
    have = grid_step(instance, filter=np.array(entries[: k * k], dtype=float).reshape(k, k))
    sums = grid_active_sums(instance.d, instance.w, instance.w_star)
    tolerance = layer_rounding(grid_samples(instance.d), np.array(instance.w, dtype=float), 1.0, torch.float64)
    assert np.abs(have.gradient - sums.gradient[0]).max() <= tolerance
    assert have.active_fraction == 1


@for_each_filter
@for_each_side
def test_the_optimum_is_the_filter(k: int, filter: str) -> None:
    instance = make_instance(k, "all")
    pixels = named_filter(filter, k)
    response = torch.nn.functional.conv2d(
        grid_images(instance.d, filter), torch.tensor(pixels / np.linalg.norm(pixels))[None, None], stride=k
    )
    tolerance = layer_rounding(grid_samples(instance.d), np.array([1.25]), 1.25, torch.float64)
    assert np.abs(response.numpy().ravel() - grid_samples(instance.d)[:, 0]).max() <= tolerance
    solved = grid_step(FilterInstance(instance.d, instance.w_star, 0.1, instance.w_star), filter=filter)
    assert np.abs(solved.gradient).max() <= tolerance
    assert solved.loss <= tolerance**2


@pytest.mark.parametrize("N", [1, 7, 12, 16])
@for_each_side
def test_the_patches_of_an_image_are_the_samples_in_order(k: int, N: int) -> None:
    X = np.random.default_rng(5).standard_normal((N, k * k))
    image = patch_images(X)
    assert image.shape[:2] == (1, 1)
    assert image.dtype == torch.float64
    patches = torch.nn.functional.unfold(image, k, stride=k)[0].T
    assert np.array_equal(patches.numpy(), X)


@on_each_device
@pytest.mark.parametrize("activity", ["all", "partly"])
@for_each_filter
@for_each_side
def test_float32_agrees_to_its_own_precision(k: int, filter: str, activity: str, device: str) -> None:
    instance = make_instance(k, activity)
    X, w = grid_samples(instance.d), np.array(instance.w, dtype=float)
    want, have = reference_grid_step(instance), grid_step(instance, filter=filter, dtype=torch.float32, device=device)
    tolerance = layer_rounding(X, w, 1.25, torch.float32)
    assert have.active_fraction == want.active_fraction
    assert np.abs(have.gradient - want.gradient).max() <= tolerance < 0.01 * np.abs(want.gradient).max()
    assert np.abs(have.weights - want.weights).max() <= tolerance
    assert have.weights.dtype == np.float64
    if k > 1:
        assert np.abs(have.gradient - want.gradient).max() > layer_rounding(X, w, 1.25, torch.float64)


def wrong_sign(samples: SampleSet, w: FloatArray) -> FloatArray:
    return -sample_active_sums(samples.X, samples.y, w).gradient[0]


def mean_over_active(samples: SampleSet, w: FloatArray) -> FloatArray:
    sums = sample_active_sums(samples.X, samples.y, w)
    return sums.gradient[0] * len(samples) / int(sums.count[0])


def without_factor_two(samples: SampleSet, w: FloatArray) -> FloatArray:
    return sample_active_sums(samples.X, samples.y, w).gradient[0] / 2


def without_relu(samples: SampleSet, w: FloatArray) -> FloatArray:
    return -2 * (samples.y - samples.X @ w) @ samples.X / len(samples)


def ties_active(samples: SampleSet, w: FloatArray) -> FloatArray:
    z = samples.X @ w
    return -2 * np.where(z >= 0, samples.y - z, 0.0) @ samples.X / len(samples)


def transposed_pixels(samples: SampleSet, w: FloatArray) -> FloatArray:
    return sample_active_sums(samples.X, samples.y, w).gradient[0].reshape(2, 2).T.ravel()


def tied_samples() -> tuple[SampleSet, FloatArray]:
    """One tie w.X = 0 in small integers, which every order of addition computes exactly."""
    X = np.array([[1.0, 2.0, -1.0, 1.0], [1.0, 0.0, -1.0, -1.0], [3.0, 1.0, 0.0, 1.0], [-2.0, 0.0, 0.0, 1.0]])
    return SampleSet(X, np.array([1.0, -2.0, 0.5, 1.0])), np.array([1.0, -1.0, -1.0, 0.0])


def test_an_exact_tie_counts_as_inactive() -> None:
    samples, w = tied_samples()
    assert (samples.X @ w == 0).sum() == 1
    have = sample_step(samples, w, 0.1)
    assert step_gap(have, reference_step(samples, w, 0.1)) <= STEP_TOLERANCE
    assert have.active_fraction == 0.5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    "wrong", [wrong_sign, mean_over_active, without_factor_two, without_relu, ties_active, transposed_pixels]
)
def test_a_wrong_gradient_is_rejected(wrong: Callable[[SampleSet, FloatArray], FloatArray], dtype: torch.dtype) -> None:
    samples, w = tied_samples()
    have, right = sample_step(samples, w, 0.1, dtype=dtype), reference_step(samples, w, 0.1)
    tolerance = STEP_TOLERANCE if dtype == torch.float64 else layer_rounding(samples.X, w, 2.0, dtype)
    assert step_gap(have, right) <= tolerance
    assert step_gap(have, replace(right, gradient=wrong(samples, w))) > 100 * tolerance


def other_frame(w_star: FloatArray) -> FloatArray:
    frame = np.eye(w_star.size)
    return np.roll(frame, 1, axis=0)


@pytest.mark.parametrize("module", [sim.grid, sim.cnn.conv_filter], ids=["there", "back"])
def test_a_wrong_frame_is_rejected(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    instance = make_instance(2, "all")
    want = reference_grid_step(instance)
    monkeypatch.setattr(module, "pixel_frame", other_frame)
    assert step_gap(grid_step(instance), want) > 1e-3


def test_convolution_settings_of_the_gpu_are_restored() -> None:
    cudnn: Any = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.conv.fp32_precision
    with sim.cnn.conv_filter._reproducible_convolution(torch.device("cuda")):
        assert (cudnn.deterministic, cudnn.conv.fp32_precision) == (True, "ieee")
    assert (cudnn.deterministic, cudnn.conv.fp32_precision) == before


def test_the_package_alone_does_not_import_torch() -> None:
    code = "import sim.cnn, sim.cnn.filters, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
