"""Gradients of ten thousand 3 x 3 filters on grids of their own, against NumPy matrix products, both on two cores."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.problem import GridProblem
from tests.bench.ratio import Bound, Ratio
from tests.reference.half_space import batch_gradients

THREADS = 2
ROWS, P, BLOCK = 10_000, 9, 64


def measures() -> Iterator[Ratio | Bound]:
    """Both may use two cores: a batch this large is shared by two threads."""
    rng = np.random.default_rng(0)
    d, w = rng.random((ROWS, P)), rng.normal(size=(ROWS, P))
    problem = GridProblem(d)
    yield Ratio(
        "p = 9, 10^4 filters, against blocked matrix products",
        lambda: problem.active_sums(w),
        lambda: batch_gradients(d, w, BLOCK),
        10.0,
        rounds=15,
    )
