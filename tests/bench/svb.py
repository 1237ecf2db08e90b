"""Singular Value Bounding against torch's SVD and clamp: float32 kernels as training leaves them, eps = 0.05."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from sim.svb import project_to_band
from tests.bench.ratio import Bound, Ratio
from tests.reference.spectra import naive_bound
from tests.strategies.spectra import prescribed

THREADS = 1
EPS = 0.05
GOALS = ((64, 576, 2.5), (128, 1152, 3.5), (256, 2304, 6.0), (512, 4608, 6.0), (512, 512, 1.5))


def measures() -> Iterator[Ratio | Bound]:
    """Speed for each size, then accuracy."""
    torch.set_num_threads(THREADS)
    for m, n, goal in GOALS:
        kernel = drifted(m, n)
        yield Ratio(f"bound {m} x {n}", _ours(kernel), _theirs(kernel), goal, rounds=5 if m > 256 else 9)
    yield Ratio("nothing to clip, 256 x 2304", _ours(_inside(256, 2304)), _theirs(_inside(256, 2304)), 6.0)
    yield Bound("error, 256 x 2304", lambda: _error(drifted(256, 2304)), 2e-8, "")
    yield Bound("error over torch's, s_min = 1e-5, 128 x 1152", lambda: _error_ratio(_ill(128, 1152)), 1.0, "")


def drifted(m: int, n: int) -> np.ndarray:
    """A kernel that was bounded, and then drifted by noise."""
    rng = np.random.default_rng(0)
    start = _inside(m, n)
    return np.asarray((start + 0.02 * rng.normal(size=(m, n)) / np.sqrt(n)).astype(np.float32))


def _inside(m: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    spread = np.clip(np.linspace(0.8, 1.2, min(m, n)), 1.001 / (1 + EPS), 0.999 * (1 + EPS))
    return np.asarray(prescribed(rng, m, n, spread.tolist()).matrix.astype(np.float32))


def _ill(m: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(2)
    return np.asarray(prescribed(rng, m, n, [*rng.uniform(0.5, 1.5, m - 1), 1e-5]).matrix.astype(np.float32))


def _ours(kernel: np.ndarray) -> Callable[[], object]:
    return lambda: project_to_band(kernel, EPS).matrix


def _theirs(kernel: np.ndarray) -> Callable[[], object]:
    weight = torch.from_numpy(kernel)

    def bound() -> torch.Tensor:
        left, values, right = torch.linalg.svd(weight, full_matrices=False)
        return (left * values.clamp(1 / (1 + EPS), 1 + EPS)) @ right

    return bound


def _error(kernel: np.ndarray) -> float:
    return float(np.abs(project_to_band(kernel, EPS).matrix - naive_bound(kernel, EPS)).max())


def _error_ratio(kernel: np.ndarray) -> float:
    left, values, right = torch.linalg.svd(torch.from_numpy(kernel), full_matrices=False)
    theirs = ((left * values.clamp(1 / (1 + EPS), 1 + EPS)) @ right).numpy()
    return _error(kernel) / float(np.abs(theirs - naive_bound(kernel, EPS)).max())
