"""Naive twins of the layer variance routines: Python loops, one network, one position, one pair at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_layer(x: FloatArray, w: FloatArray, border: str) -> FloatArray:
    """One network's responses (c_out, rows, columns) to x (c_in, height, width), filters w (c_out, c_in, a, b)."""
    c_out, c_in, tall, wide = w.shape
    height, width = x.shape[1:]
    if border in ("circular", "zero"):
        starts = [[p - (side - 1) // 2 for p in range(size)] for side, size in ((tall, height), (wide, width))]
    else:
        step = (tall, wide) if border == "disjoint" else (1, 1)
        starts = [
            list(range(0, size - side + 1, stride))
            for side, size, stride in zip((tall, wide), (height, width), step, strict=True)
        ]
    y = np.zeros((c_out, len(starts[0]), len(starts[1])))
    for o, row, column, c, a, b in product(
        range(c_out), range(len(starts[0])), range(len(starts[1])), range(c_in), range(tall), range(wide)
    ):
        at = (starts[0][row] + a, starts[1][column] + b)
        if border == "circular":
            at = (at[0] % height, at[1] % width)
        if 0 <= at[0] < height and 0 <= at[1] < width:
            y[o, row, column] += w[o, c, a, b] * x[c, at[0], at[1]]
    return y


def naive_response_moments(
    filters: Sequence[tuple[float, Sequence[float]]], windows: Sequence[tuple[float, Sequence[float]]]
) -> tuple[float, float, float]:
    """E[y], E[y^2], E[max(y, 0)^2] of y = w . x; laws as (probability, vector)."""
    mean = second = positive = 0.0
    for p, w in filters:
        for r, x in windows:
            y = sum(a * b for a, b in zip(w, x, strict=True))
            mean += p * r * y
            second += p * r * y * y
            positive += p * r * max(y, 0.0) ** 2
    return mean, second, positive


def naive_path_pairs(k: int, m: int, layers: int, dims: int) -> FloatArray:
    """Pairs of paths of `layers` steps in 0..k-1 along each axis of a torus, by the offset of their ends."""
    axes = []
    for _ in range(dims):
        count = np.zeros(m)
        paths = list(product(range(k), repeat=layers))
        for one, other in product(paths, repeat=2):
            count[(sum(one) - sum(other)) % m] += 1
        axes.append(count)
    return axes[0] if dims == 1 else np.outer(axes[0], axes[1]).ravel()
