"""One filter that all, some or none of its samples activate, and how far a layer is from what the simulator says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from sim.arrays import FloatArray
from sim.cnn.conv_filter import FILTERS, LayerStep, LayerTrajectory
from sim.descent import descend, stability_limit
from sim.half_space import grid_active_sums, sample_active_sums
from sim.instance import FilterInstance
from sim.problem import Problem
from sim.samples import SampleSet

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


@dataclass(frozen=True)
class Step:
    """What one step should report: weights and gradient (p,), loss, active fraction."""

    weights: FloatArray
    gradient: FloatArray
    loss: float
    active_fraction: float


def make_instance(k: int, activity: str) -> FilterInstance:
    """A filter k x k on the sample grid of which "all", "partly" or none ("dead") is active."""
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
    """Listed samples, and a filter k x k that all, some or none of them activate."""
    rng = np.random.default_rng([11, k])
    N, p = 24, k * k
    X, w = rng.standard_normal((N, p)), rng.standard_normal(p)
    preactivation = X @ w
    if activity != "partly":
        X[preactivation < 0] *= -1
    return SampleSet(X, rng.standard_normal(N)), -w if activity == "dead" else w


def reference_step(samples: SampleSet, w: FloatArray, learning_rate: float) -> Step:
    """A step on listed samples, by the simulator."""
    sums = sample_active_sums(samples.X, samples.y, w)
    gradient = sums.gradient[0]
    return Step(w - learning_rate * gradient, gradient, float(sums.loss[0]), int(sums.count[0]) / len(samples))


def reference_grid_step(instance: FilterInstance) -> Step:
    """A step on the sample grid, by the simulator."""
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
    """How far a layer's step is from what it should report: the worst of its parts."""
    return max(apart(getattr(have, name), getattr(want, name)) for name in Step.__dataclass_fields__)


def trajectory_gap(have: LayerTrajectory, problem: Problem, w: object, **options: Any) -> float:
    """How far a layer's steps are from those of the simulator from the same start: the worst of their parts."""
    want = descend(problem, w, **options)
    return max(
        apart(have.weights, want.weights[:, 0]),
        apart(have.gradients, want.gradients[:, 0]),
        apart(have.loss, want.loss[:, 0]),
        apart(have.active_fraction, want.active_fraction[:, 0]),
    )


def half_of_limit(problem: Problem, options: dict[str, Any]) -> float:
    """Half of the learning rate from which descent is not expected to converge."""
    return 0.5 * float(stability_limit(problem, order=options.get("order", "full"))[0])


def layer_rounding(X: FloatArray, w: FloatArray, target: float, dtype: torch.dtype) -> float:
    """Room for a gradient or preactivation computed in `dtype`: sums over p pixels, then over N patches, with inputs
    rounded to it after rotation."""
    N, p = X.shape
    largest = float(np.linalg.norm(X, axis=1).max())
    scale = 2 * max(largest, 1.0) * (float(np.linalg.norm(w)) * largest + target * largest)
    return 2 * (p + N + 8) * torch.finfo(dtype).eps * scale
