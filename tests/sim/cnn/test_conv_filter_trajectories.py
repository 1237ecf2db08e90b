"""Many steps of a convolution layer are those of the simulator, with momentum, weight decay and single samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from sim.cnn.conv_filter import LayerTrajectory, grid_descend, sample_descend
from sim.descent import descend
from sim.grid import grid_samples
from sim.instance import FilterInstance
from sim.problem import GridProblem, SampleProblem
from tests.reference.single_filter import naive_descend
from tests.sim.cnn.one_filter import (
    TRAJECTORY_TOLERANCE,
    apart,
    for_each_side,
    half_of_limit,
    layer_rounding,
    make_instance,
    make_samples,
    on_each_device,
    trajectory_gap,
)

pytestmark = pytest.mark.usefixtures("one_thread")

OPTIONS = [
    {},
    {"momentum": 0.8},
    {"l2": 0.05},
    {"momentum": 0.8, "l2": 0.05},
    {"order": "cyclic"},
    {"order": "cyclic", "momentum": 0.5, "l2": 0.02},
]


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
