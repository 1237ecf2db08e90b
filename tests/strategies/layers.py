"""Hypothesis strategies: torch layers of every kind that has a matrix, with random weights in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import nn

from tests.strategies.spectra import seeds

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@st.composite
def layers(draw: st.DrawFn) -> Any:
    """Linear layers and convolutions, transposed ones too, of any number of groups; depthwise ones are common."""
    rng = draw(seeds())
    kind = draw(st.sampled_from([nn.Linear, *CONVOLUTIONS]))
    if kind is nn.Linear:
        return filled(nn.Linear(draw(st.integers(1, 8)), draw(st.integers(1, 8)), dtype=torch.float64), rng)
    groups = draw(st.integers(1, 4))
    depthwise = draw(st.booleans())
    inputs, outputs = (groups * (1 if depthwise else draw(st.integers(1, 3))) for _ in range(2))
    options: dict[str, Any] = {"stride": draw(st.integers(1, 2)), "groups": groups, "dtype": torch.float64}
    return filled(kind(inputs, outputs, draw(st.integers(1, 3)), **options), rng)


def filled(layer: Any, rng: np.random.Generator) -> Any:
    """The layer with weights of standard normal entries times one factor for each matrix row, some of them 0."""
    weight = layer.weight
    rows = rng.choice(
        [0.0, 0.1, 0.5, 1.0, 3.0], size=(len(weight), *(1,) * (weight.dim() - 1)), p=[0.1, 0.2, 0.3, 0.3, 0.1]
    )
    with torch.no_grad():
        weight.copy_(torch.from_numpy(rng.normal(size=tuple(weight.shape)) * rows))
    return layer
