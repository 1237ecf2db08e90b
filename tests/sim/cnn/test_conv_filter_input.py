"""What a convolution layer cannot be made of is refused by name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from sim.cnn.conv_filter import grid_images, grid_step, patch_images, sample_descend, sample_step
from sim.instance import FilterInstance
from sim.samples import SampleSet
from tests.sim.cnn.one_filter import make_instance, make_samples

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
