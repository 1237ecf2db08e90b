"""Stacks of `torch.nn.Conv2d` and ReLU with given weights, many random networks at once; float64."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from sim.arrays import FloatArray
from sim.errors import require_choice, require_shape
from sim.layer_variance import BORDERS


def conv_layer(weights: FloatArray, border: str) -> nn.Sequential:
    """A padding layer and one `torch.nn.Conv2d` that holds the filters of many networks as groups.

    weights: (networks, c_out, c_in, height, width). border: "circular" or "zero" (padded to the same size), "none"
    (the image shrinks), or "disjoint" (stride as large as the filter).
    """
    require_choice(border, "border", BORDERS)
    networks, c_out, c_in, height, width = require_shape(weights, "weights", (None,) * 5).shape
    conv = nn.Conv2d(
        networks * c_in,
        networks * c_out,
        (height, width),
        stride=(height, width) if border == "disjoint" else 1,
        groups=networks,
        bias=False,
        dtype=torch.float64,
    )
    with torch.no_grad():
        conv.weight.copy_(torch.tensor(weights.reshape(networks * c_out, c_in, height, width)))
    # padding="same" warns for even filters
    around = ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)
    padding = {"circular": nn.CircularPad2d(around), "zero": nn.ZeroPad2d(around)}
    return nn.Sequential(padding.get(border, nn.Identity()), conv)


def layer_responses(x: FloatArray, filters: Sequence[FloatArray], border: str) -> list[FloatArray]:
    """Responses y_1, ..., y_depth as `sim.layer_variance.responses` has them, each (draws, c_out, height, width)."""
    draws = len(x)
    image = torch.tensor(x).reshape(1, -1, *x.shape[2:])
    found: list[FloatArray] = []
    with torch.no_grad():
        for weights in filters:
            image = conv_layer(weights, border)(image)
            found.append(image.reshape(draws, -1, *image.shape[2:]).numpy().copy())
            image = torch.relu(image)
    return found


def window_responses(filters: FloatArray, windows: FloatArray) -> FloatArray:
    """w . x for every window (b, n) and every filter (r, n) as (b, r): one layer with r output channels, 1 x n each."""
    weights = filters[None, :, None, None, :]
    images = torch.tensor(windows)[:, None, None, :]
    with torch.no_grad():
        responses: FloatArray = conv_layer(weights, "none")(images)[:, :, 0, 0].numpy()
    return responses
