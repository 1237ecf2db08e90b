"""The spectrum of a circular convolution against the straightforward way: FFT, and an SVD at every frequency."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sim.conv_spectrum import circular_singular_values
from tests.bench.ratio import Bound, Ratio
from tests.reference.spectra import naive_circular_singular_values

THREADS = 1


def measures() -> Iterator[Ratio | Bound]:
    """64 x 64 channels, 3 x 3 taps, 32 x 32 pixels."""
    kernel, image = np.random.default_rng(0).normal(size=(64, 64, 3, 3)) / 24.0, (32, 32)

    def error() -> float:
        slow = naive_circular_singular_values(kernel, image)
        return float(np.abs(circular_singular_values(kernel, image) - slow).max() / slow[0])

    yield Ratio(
        "64 x 64 x 3 x 3 on 32 x 32",
        lambda: circular_singular_values(kernel, image),
        lambda: naive_circular_singular_values(kernel, image),
        2.0,
    )
    yield Bound("difference over the largest", error, 1e-14, "")
