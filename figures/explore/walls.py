"""Small images beside each other as SVG: filters, kernels."""

from __future__ import annotations

import numpy as np

from figures.explore.svg import colour, document
from sim.arrays import FloatArray
from sim.errors import require_finite, require_shape

LEVELS = 8
"""Shades of each sign."""
_EDGE, _TOP, _GAP = 8.0, 28.0, 4.0


def wall(
    images: FloatArray,
    *,
    title: str,
    columns: int,
    largest: float | None = None,
    width: int = 420,
    description: str = "",
) -> str:
    """An SVG of images (n, height, width), row by row: blue below zero, orange above, the paper at zero.

    largest: the magnitude of the full colours (default: the largest there is); larger ones are shown as that.
    Raises ValueError for anything but finite images.
    """
    pixels = require_shape(require_finite(images, "images"), "images", (None, None, None))
    full = (float(np.abs(pixels).max()) if largest is None else largest) or 1.0
    count, high, wide = pixels.shape
    side = (width - 2 * _EDGE - (columns - 1) * _GAP) / columns / wide
    row, column = np.divmod(np.arange(count), columns)
    left, top = _EDGE + column * (side * wide + _GAP), _TOP + row * (side * high + _GAP)
    x = left[:, None, None] + side * np.arange(wide)[None, None, :] + np.zeros((1, high, 1))
    y = top[:, None, None] + side * np.arange(high)[None, :, None] + np.zeros((1, 1, wide))
    level = np.clip(np.rint(LEVELS * pixels / full), -LEVELS, LEVELS).astype(int)
    parts = []
    for shade in range(-LEVELS, LEVELS + 1):
        where = level == shade
        if shade and where.any():
            squares = "".join(
                f"M{a:.1f} {b:.1f}h{side:.2f}v{side:.2f}h-{side:.2f}z" for a, b in zip(x[where], y[where], strict=True)
            )
            parts.append(
                f'<path d="{squares}" fill="{colour(int(shade > 0))}" fill-opacity="{0.9 * abs(shade) / LEVELS:.2f}"/>'
            )
    frames = "".join(
        f"M{a:.1f} {b:.1f}h{side * wide:.1f}v{side * high:.1f}h-{side * wide:.1f}z"
        for a, b in zip(left, top, strict=True)
    )
    parts.append(f'<path d="{frames}" fill="none" stroke="{colour(7)}" stroke-width="0.6"/>')
    bottom = float(top[-1]) + side * high + _EDGE
    return document(width, bottom, title, description, "".join(parts))
