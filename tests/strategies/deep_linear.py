"""Hypothesis strategies: strengths of directions, and deep linear networks with their samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.deep_linear import LinearTask, Weights
from tests.strategies.single_filter import floats_in


@dataclass(frozen=True, eq=False)
class Network:
    """Weights of any widths and samples that fit them."""

    weights: Weights
    task: LinearTask


@st.composite
def strength_arrays(draw: st.DrawFn, max_layers: int = 6, max_modes: int = 5) -> FloatArray:
    """Strengths (L, B) of either sign; zeros, also several in one direction, are common."""
    layers, modes = draw(st.integers(1, max_layers)), draw(st.integers(1, max_modes))
    entries = draw(st.lists(floats_in(-2.0, 2.0), min_size=layers * modes, max_size=layers * modes))
    return np.array(entries).reshape(layers, modes)


@st.composite
def networks(draw: st.DrawFn, max_layers: int = 4, max_width: int = 4) -> Network:
    """Networks of widths that shrink and grow, width 1 among them, on few or many samples."""
    widths = draw(st.lists(st.integers(1, max_width), min_size=2, max_size=max_layers + 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = tuple(rng.normal(size=shape) for shape in zip(widths[1:], widths, strict=False))
    count = draw(st.integers(1, 6))
    task = LinearTask.create(rng.normal(size=(widths[0], count)), rng.normal(size=(widths[-1], count)))
    return Network(weights, task)
