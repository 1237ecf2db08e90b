from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import sim.cnn.conv_filter
import sim.grid
from sim.arrays import FloatArray
from sim.cnn.conv_filter import (
    FILTERS,
    LayerStep,
    LayerTrajectory,
    grid_descend,
    grid_images,
    grid_step,
    named_filter,
    patch_images,
    sample_descend,
    sample_step,
)
from sim.descent import descend, stability_limit
from sim.grid import grid_samples
from sim.half_space import grid_active_sums, sample_active_sums
from sim.instance import FilterInstance
from sim.problem import GridProblem, Problem, SampleProblem
from sim.samples import SampleSet
from tests.reference.single_filter import naive_descend
from tests.strategies.single_filter import all_active_instances

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")],
    ),
]
on_each_device = pytest.mark.parametrize("device", DEVICES)
for_each_case = pytest.mark.parametrize("activity", ["all", "partly", "dead"])
for_each_side = pytest.mark.parametrize("k", [1, 2, 3])
for_each_filter = pytest.mark.parametrize("filter", FILTERS)

STEP_TOLERANCE = 1e-12
TRAJECTORY_TOLERANCE = 1e-9


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Layers this small only lose time to threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@dataclass(frozen=True)
class Step:
    """What one step should report: weights and gradient (p,), loss, active fraction."""

    weights: FloatArray
    gradient: FloatArray
    loss: float
    active_fraction: float


def make_instance(k: int, activity: str) -> FilterInstance:
    p = k * k
    if k == 1 and activity == "partly":
        # the one grid of p = 1 that can be half active: its samples are 0, a tie, and 2, both exact
        return FilterInstance([1.0], [0.6], 0.2, [1.25])
    rng = np.random.default_rng([7, k])
    d, w = rng.uniform(0.2, 0.9, p), rng.uniform(-0.8, 0.8, p)
    spread = float(np.abs(w[1:]) @ d[1:])
    w[0] = {"all": (spread + 0.3) / (1 - d[0]), "partly": 0.3 * spread, "dead": -(spread + 0.3) / (1 - d[0])}[activity]
    return FilterInstance(d.tolist(), w.tolist(), 0.15, [1.25, *[0.0] * (p - 1)])


def make_samples(k: int, activity: str) -> tuple[SampleSet, FloatArray]:
    rng = np.random.default_rng([11, k])
    N, p = 24, k * k
    X, w = rng.standard_normal((N, p)), rng.standard_normal(p)
    preactivation = X @ w
    if activity != "partly":
        X[preactivation < 0] *= -1
    return SampleSet(X, rng.standard_normal(N)), -w if activity == "dead" else w


def reference_step(samples: SampleSet, w: FloatArray, learning_rate: float) -> Step:
    sums = sample_active_sums(samples.X, samples.y, w)
    gradient = sums.gradient[0]
    return Step(w - learning_rate * gradient, gradient, float(sums.loss[0]), int(sums.count[0]) / len(samples))


def reference_grid_step(instance: FilterInstance) -> Step:
    sums = grid_active_sums(instance.d, instance.w, instance.w_star)
    w, gradient = np.array(instance.w, dtype=float), sums.gradient[0]
    rate = float(instance.learning_rate)
    return Step(w - rate * gradient, gradient, float(sums.loss[0]), int(sums.count[0]) / 2**instance.p)


def apart(have: object, want: object) -> float:
    """Largest difference relative to the largest entry wanted (to 1 if all of those are zero)."""
    wanted = np.asarray(want, dtype=float)
    scale = float(np.abs(wanted).max())
    return float(np.abs(np.asarray(have) - wanted).max()) / (scale or 1.0)


def step_gap(have: LayerStep, want: Step) -> float:
    return max(apart(getattr(have, name), getattr(want, name)) for name in Step.__dataclass_fields__)


def trajectory_gap(have: LayerTrajectory, problem: Problem, w: object, **options: Any) -> float:
    want = descend(problem, w, **options)
    return max(
        apart(have.weights, want.weights[:, 0]),
        apart(have.gradients, want.gradients[:, 0]),
        apart(have.loss, want.loss[:, 0]),
        apart(have.active_fraction, want.active_fraction[:, 0]),
    )


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


OPTIONS = [
    {},
    {"momentum": 0.8},
    {"l2": 0.05},
    {"momentum": 0.8, "l2": 0.05},
    {"order": "cyclic"},
    {"order": "cyclic", "momentum": 0.5, "l2": 0.02},
]


def half_of_limit(problem: Problem, options: dict[str, Any]) -> float:
    return 0.5 * float(stability_limit(problem, order=options.get("order", "full"))[0])


@on_each_device
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    ("k", "filter", "activity"),
    [(1, "gabor", "all"), (2, "edge", "all"), (2, "gabor", "partly"), (3, "blur", "partly"), (3, "gabor", "all")],
)
def test_grid_trajectories_agree_with_the_simulator(
    k: int, filter: str, activity: str, options: dict[str, Any], device: str
) -> None:
    instance = make_instance(k, activity)
    problem = GridProblem(instance.d, instance.w_star)
    rate = half_of_limit(problem, options)
    moved = FilterInstance(instance.d, instance.w, rate, instance.w_star)
    have = grid_descend(moved, steps=100, filter=filter, device=device, **options)
    assert have.weights.shape == (101, k * k)
    assert np.abs(have.weights[-1] - have.weights[0]).max() > 0.05
    gap = trajectory_gap(have, problem, instance.w, learning_rate=rate, steps=100, **options)
    assert gap <= TRAJECTORY_TOLERANCE


@on_each_device
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@for_each_side
def test_sample_trajectories_agree_with_the_simulator(k: int, options: dict[str, Any], device: str) -> None:
    samples, w = make_samples(k, "partly")
    problem = SampleProblem(samples)
    rate = half_of_limit(problem, options)
    have = sample_descend(samples, w, learning_rate=rate, steps=100, device=device, **options)
    gap = trajectory_gap(have, problem, w, learning_rate=rate, steps=100, **options)
    assert gap <= TRAJECTORY_TOLERANCE


def test_an_order_of_indices_agrees_with_the_naive_twin() -> None:
    samples, w = make_samples(2, "partly")
    order = np.random.default_rng(3).integers(len(samples), size=100)
    have = sample_descend(samples, w, learning_rate=0.02, steps=100, momentum=0.8, l2=0.01, order=order)
    weights, gradients = naive_descend(samples.X, samples.y, w, 0.02, [[n] for n in order], 0.8, 0.01)
    assert apart(have.weights, weights) <= TRAJECTORY_TOLERANCE
    assert apart(have.gradients, gradients) <= TRAJECTORY_TOLERANCE


def test_a_dead_layer_stays_where_it_is() -> None:
    trajectory = grid_descend(make_instance(2, "dead"), steps=5, momentum=0.8)
    assert not trajectory.gradients.any()
    assert np.array_equal(trajectory.weights, np.repeat(trajectory.weights[:1], 6, axis=0))
    assert not trajectory.active_fraction.any()


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


def layer_rounding(X: FloatArray, w: FloatArray, target: float, dtype: torch.dtype) -> float:
    """Room for a gradient or preactivation computed in `dtype`: sums over p pixels, then over N patches, with inputs
    rounded to it after rotation."""
    N, p = X.shape
    largest = float(np.linalg.norm(X, axis=1).max())
    scale = 2 * max(largest, 1.0) * (float(np.linalg.norm(w)) * largest + target * largest)
    return 2 * (p + N + 8) * torch.finfo(dtype).eps * scale


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


@on_each_device
@pytest.mark.parametrize("order", ["full", "cyclic"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_float32_trajectories_agree_to_its_own_precision(k: int, order: str, device: str) -> None:
    given_ = make_instance(k, "all")
    problem = GridProblem(given_.d, given_.w_star)
    rate = half_of_limit(problem, {"order": order})
    instance = FilterInstance(given_.d, given_.w, rate, given_.w_star)
    have = grid_descend(instance, steps=100, order=order, filter="gabor", dtype=torch.float32, device=device)
    want = descend(problem, instance.w, learning_rate=rate, steps=100, order=order)
    assert want.active_fraction.all()
    # below the stability limit updates do not expand, so that their roundings add up at most
    largest = np.abs(want.weights).max() * np.ones(instance.p)
    tolerance = 100 * rate * layer_rounding(grid_samples(instance.d), largest, 1.25, torch.float32)
    gap = np.abs(have.weights - want.weights[:, 0]).max()
    assert np.finfo(np.float32).eps / 8 < gap <= tolerance


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


@pytest.mark.parametrize(
    "wrong", [{"momentum": 0.81}, {"momentum": 0.8, "l2": 0.001}, {"momentum": 0.8, "order": "cyclic"}], ids=str
)
def test_a_wrong_update_rule_is_rejected(wrong: dict[str, Any]) -> None:
    instance = make_instance(2, "partly")
    problem = GridProblem(instance.d, instance.w_star)
    have = grid_descend(instance, steps=100, momentum=0.8)
    right = {"learning_rate": instance.learning_rate, "steps": 100, "check_stability": False}
    assert trajectory_gap(have, problem, instance.w, **right, momentum=0.8) <= TRAJECTORY_TOLERANCE
    assert trajectory_gap(have, problem, instance.w, **right, **wrong) > 1e-4


def test_global_state_is_left_alone_and_results_repeat() -> None:
    instance = make_instance(2, "partly")
    before = torch.get_rng_state(), torch.get_default_dtype(), torch.is_grad_enabled()
    first = grid_descend(instance, steps=20, momentum=0.8)
    after = torch.get_rng_state(), torch.get_default_dtype(), torch.is_grad_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    with torch.no_grad():
        again = grid_descend(instance, steps=20, momentum=0.8)
    for name in LayerTrajectory.__dataclass_fields__:
        assert np.array_equal(getattr(first, name), getattr(again, name))


def test_convolution_settings_of_the_gpu_are_restored() -> None:
    cudnn: Any = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.conv.fp32_precision
    with sim.cnn.conv_filter._reproducible_convolution(torch.device("cuda")):
        assert (cudnn.deterministic, cudnn.conv.fp32_precision) == (True, "ieee")
    assert (cudnn.deterministic, cudnn.conv.fp32_precision) == before


def test_divergence_is_reported() -> None:
    samples, w = make_samples(2, "all")
    assert not sample_descend(samples, w, learning_rate=0.01, steps=50).diverged
    assert sample_descend(samples, w, learning_rate=1e6, steps=50, dtype=torch.float32, l2=1.0).diverged
    assert grid_descend(FilterInstance([0.5], [2.0], 1e6), steps=50, dtype=torch.float32, l2=1.0).diverged


def test_zero_steps_report_the_start() -> None:
    samples, w = make_samples(2, "partly")
    trajectory = sample_descend(samples, w, learning_rate=0.1, steps=0)
    assert np.array_equal(trajectory.weights, [w])
    assert trajectory.gradients.shape == (0, 4)
    assert trajectory.loss.shape == (1,)


def test_the_package_alone_does_not_import_torch() -> None:
    code = "import sim.cnn, sim.cnn.filters, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


SAMPLES, W = make_samples(2, "partly")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: grid_step(FilterInstance([0.5] * 3, [1.0] * 3, 0.1)),
            ValueError,
            "p must be a square number so that it fills a k x k filter, got p = 3",
        ),
        (
            lambda: sample_descend(SampleSet(np.ones((2, 5)), np.ones(2)), np.ones(5), learning_rate=0.1, steps=1),
            ValueError,
            "p must be a square number .*, got p = 5",
        ),
        (lambda: patch_images(np.ones((2, 2))), ValueError, "p must be a square number .*, got p = 2"),
        (lambda: grid_images([0.5] * 8), ValueError, "p must be a square number .*, got p = 8"),
        (
            lambda: grid_step(FilterInstance([0.5] * 25, [1.0] * 25, 0.1)),
            ValueError,
            "p must be at most 20 to enumerate the sample grid, got p = 25",
        ),
        (
            lambda: grid_step(FilterInstance([0.5] * 4, [1.0] * 4, 0.1, [1, 0.5, 0, 0])),
            ValueError,
            r"w_star must be \(w_0\*, 0, ..., 0\) with w_0\* > 0, .*, got \(1, 0.5, 0, 0\)",
        ),
        (
            lambda: grid_step(FilterInstance([0.5], [1.0], 0.1, [-1])),
            ValueError,
            r"w_star must be .* with w_0\* > 0, .*, got \(-1\)",
        ),
        (
            lambda: grid_step(make_instance(2, "all"), filter="sharpen"),
            ValueError,
            "filter must be one of blur, edge, gabor, got 'sharpen'",
        ),
        (
            lambda: grid_images([0.5] * 4, np.ones((3, 3))),
            ValueError,
            r"filter must have shape \(2, 2\), got \(3, 3\)",
        ),
        (lambda: grid_images([0.5, 0.5, 0.5, 1.5]), ValueError, r"d must lie in \[0, 1\], got d\[3\] = 1.5"),
        (lambda: patch_images([[1.0, np.nan, 0, 0]]), ValueError, r"X must be finite, got X\[0, 1\] = nan"),
        (lambda: patch_images([[1e39]], dtype=torch.float32), ValueError, r"X must fit torch.float32, got 1e\+39"),
        (lambda: patch_images([[-1e39]], dtype=torch.float32), ValueError, r"X must fit torch.float32, got -1e\+39"),
        (
            lambda: patch_images([[1.0]], dtype=torch.float16),
            ValueError,
            "dtype must be torch.float64 or torch.float32, got torch.float16",
        ),
        (lambda: patch_images([[1.0]], device="mps"), ValueError, "device must be 'cpu' or 'cuda', got 'mps'"),
        (lambda: patch_images([[1.0]], device="gpu"), ValueError, "device must be 'cpu' or 'cuda', got 'gpu'"),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=1, device="cuda:99"),
            ValueError,
            "device must be available, got 'cuda:99' where CUDA finds [0-9]+ devices",
        ),
        (lambda: sample_step(SAMPLES, W[:3], 0.1), ValueError, r"w must have shape \(4,\), got \(3,\)"),
        (lambda: sample_step(SAMPLES, W, 0.0), ValueError, "learning_rate must be positive, got 0.0"),
        (lambda: sample_step(SAMPLES, W, float("nan")), ValueError, "learning_rate must be finite, got nan"),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=1, momentum=1.0),
            ValueError,
            r"momentum must lie in \[0, 1\), got 1.0",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=1, l2=-0.1),
            ValueError,
            "l2 must be non-negative, got -0.1",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=-1),
            ValueError,
            "steps must be at least 0, got -1",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=1, order="random"),
            ValueError,
            "order must be one of full, cyclic, got 'random'",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=3, order=[0, 1]),
            ValueError,
            r"order must hold one patch index per step \(3\), got 2",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=2, order=[0, 24]),
            ValueError,
            "order must hold patch indices below 24, got 24",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=2, order=[0, -1]),
            ValueError,
            "order must be at least 0, got -1",
        ),
        (
            lambda: sample_descend(SAMPLES, W, learning_rate=0.1, steps=1, order=3),  # type: ignore[arg-type]
            TypeError,
            "order must be full, cyclic or a sequence of patch indices, got 3",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_an_absent_gpu_is_refused() -> None:
    with pytest.raises(ValueError, match="device must be available, got 'cuda' where CUDA finds 0 devices"):
        grid_step(make_instance(2, "all"), device="cuda")
