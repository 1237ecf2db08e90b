"""Descent of aligned directions against a plain NumPy loop with prefix and suffix products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.linear_modes import descend_modes
from tests.bench.ratio import Bound, Ratio
from tests.reference.deep_linear import naive_descend_modes

THREADS = 1
UPDATES = 1000


def measures() -> Iterator[Ratio | Bound]:
    """8 layers, 64 directions, 1000 initialisations."""
    rng = np.random.default_rng(0)
    s, sigma = rng.uniform(0.3, 1.2, (8, 1000, 64)), rng.uniform(0.5, 2.0, 64)

    def ours() -> np.ndarray:
        return descend_modes(s, sigma, learning_rate=0.01, steps=UPDATES).final

    def theirs() -> np.ndarray:
        return naive_descend_modes(s, sigma, 0.01, UPDATES)

    yield Ratio(f"8 layers, 64000 directions, {UPDATES} updates", ours, theirs, 20.0, rounds=5)
    yield Bound("difference", lambda: float(np.abs(ours() - theirs()).max()), 1e-13, "")
