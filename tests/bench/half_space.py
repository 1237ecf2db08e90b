"""Sums over the active samples of the grid against NumPy: sample by sample, by halves, and meeting in the middle."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from sim.arrays import FloatArray
from sim.problem import GridProblem
from tests.bench.ratio import Bound, Ratio
from tests.reference.half_space import enumerated_gradient, halved_gradient, meeting_gradient

THREADS = 1
ROOT = Path(__file__).parents[2]

MEMORY = """
import numpy as np
from sim.half_space import grid_active_sums
rng = np.random.default_rng(0)
sums = grid_active_sums(rng.random(49), np.r_[0.5, rng.normal(size=48)])
assert 0 < sums.count[0] < 2**49
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) * 1024 / 1e9)
"""
FIRST = """
import time, numpy as np
start = time.perf_counter()
from sim.half_space import grid_active_sums
grid_active_sums(np.full(20, 0.5), np.full(20, 0.1))
print(time.perf_counter() - start)
"""


def measures() -> Iterator[Ratio | Bound]:
    """Speed, memory, and the start of a second process."""
    small, middle, large = (a_filter(p) for p in (20, 25, 49))
    yield Ratio("p = 20, against all samples in chunks", ours(*small), theirs(enumerated_gradient, *small), 2000.0)
    yield Ratio("p = 49, against NumPy at p = 25 by halves", ours(*large), theirs(halved_gradient, *middle), 0.1)
    yield Ratio("p = 49, against NumPy in the middle", ours(*large), theirs(meeting_gradient, *large), 15.0, rounds=1)
    yield Bound("p = 49, memory of the whole process", lambda: in_a_process(MEMORY), 1.2, "GB")
    yield Bound("first sum of a second process, numba's import and all", second_process, 0.5, "s")


def a_filter(p: int) -> tuple[FloatArray, FloatArray]:
    """Half-widths and weights of a filter that is neither all active nor dead."""
    rng = np.random.default_rng(p)
    return rng.random(p), np.r_[0.5, rng.normal(size=p - 1)]


def ours(d: FloatArray, w: FloatArray) -> Callable[[], object]:
    """The gradient as a descent asks for it, step by step."""
    problem = GridProblem(d)
    return lambda: problem.active_sums(w[None])


def theirs(method: Callable[..., object], d: FloatArray, w: FloatArray) -> Callable[[], object]:
    """The gradient for w* = e0 by a method of the reference."""
    return lambda: method(d, w, np.eye(len(d))[0])


def second_process() -> float:
    """Seconds to the first result of a process that finds compiled code on disk; the least of five."""
    with tempfile.TemporaryDirectory() as cache:
        in_a_process(FIRST, NUMBA_CACHE_DIR=cache)
        return min(in_a_process(FIRST, NUMBA_CACHE_DIR=cache) for _ in range(5))


def in_a_process(program: str, **environment: str) -> float:
    """The number that a program prints."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
