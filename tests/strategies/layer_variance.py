"""Hypothesis strategies: stacks of convolutions with their inputs, finite laws with known symmetry."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.finite_law import FiniteLaw, mirrored_law
from sim.layer_variance import BORDERS


@st.composite
def convolutions(draw: st.DrawFn, max_draws: int = 3) -> tuple[FloatArray, list[FloatArray], str]:
    """Inputs (draws, c_in, height, width), filters of one to three layers that fit them, and a border."""
    border = draw(st.sampled_from(BORDERS))
    depth, draws = draw(st.integers(1, 3)), draw(st.integers(1, max_draws))
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 4)))
    channels = [draw(st.integers(1, 3)) for _ in range(depth + 1)]
    if border == "disjoint":
        image = tuple(side**depth * draw(st.integers(1, 2)) for side in kernel)
    else:
        image = tuple(depth * (side - 1) + draw(st.integers(1, 3)) for side in kernel)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    filters = [rng.normal(size=(draws, channels[i + 1], channels[i], *kernel)) for i in range(depth)]
    return rng.normal(size=(draws, channels[0], *image)), filters, border


@st.composite
def finite_laws(draw: st.DrawFn, n: int, *, symmetric: bool = False) -> FiniteLaw:
    """Laws of vectors of n numbers with at most four atoms; `symmetric`: v and -v equally likely."""
    size = draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    law = FiniteLaw(rng.normal(size=(size, n)), rng.dirichlet(np.ones(size)))
    return mirrored_law(law) if symmetric else law
