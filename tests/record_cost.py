"""`python -m tests.record_cost`: measure what one gradient costs by three methods, and record it for the figure.

Times cannot be measured anew for each figure, since figures come out the same to the last byte. The least of a few,
so that a busy machine matters little. Writes figures/measured_cost.py. NumPy's matrix products are too small here to
use a second core.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np

from sim.files import atomic_write
from sim.problem import GridProblem
from tests.bench.__main__ import machine
from tests.reference.half_space import enumerated_gradient, meeting_gradient

SIZES = {
    "all samples": (5, 9, 13, 16, 20, 23),
    "NumPy halves": (9, 16, 20, 25, 30, 36, 40, 45),
    "merged halves": (9, 16, 20, 25, 30, 36, 40, 45, 49),
}
FILE = Path(__file__).parents[1] / "figures" / "measured_cost.py"


def gradient(method: str, p: int) -> Callable[[], object]:
    """One gradient of a filter with some samples active and some not."""
    rng = np.random.default_rng(p)
    d, w, w_star = rng.random(p), np.r_[0.5, rng.normal(size=p - 1)], np.eye(p)[0]
    if method == "merged halves":
        problem = GridProblem(d, shortcut=False)
        return lambda: problem.active_sums(w[None])
    twin = enumerated_gradient if method == "all samples" else meeting_gradient
    return lambda: twin(d, w, w_star)


def seconds(routine: Callable[[], object]) -> float:
    """The least time of one call, of as many as take three seconds, of one at least."""
    best, spent = float("inf"), 0.0
    while spent < 3.0:
        start = time.perf_counter()
        routine()
        taken = time.perf_counter() - start
        best, spent = min(best, taken), spent + taken
    return best


def main() -> None:
    """Measure and write."""
    processor = machine().split(",")[0]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("numpy", "numba"))
    lines = [
        '"""Seconds that one gradient takes, as measured; written by `python -m tests.record_cost`, not by hand."""',
        "",
        f'PROCESSOR = "{processor}"',
        f'VERSIONS = "{versions}"',
        f'DATE = "{time.strftime("%Y-%m-%d")}"',
        "SECONDS = {",
    ]
    for method, sizes in SIZES.items():
        lines.append(f'    "{method}": {{')
        for p in sizes:
            gradient(method, min(p, 9))()
            lines.append(f"        {p}: {seconds(gradient(method, p)):.3g},")
        lines.append("    },")
    atomic_write(FILE, "\n".join([*lines, "}", ""]))


if __name__ == "__main__":
    main()
