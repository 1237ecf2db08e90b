"""A matrix as a picture: coloured cells with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.explore.svg import FAINT, INK, TITLE, colour, document, turned, words
from sim.arrays import FloatArray
from sim.errors import require_finite, require_shape


def heat_map(
    values: FloatArray,
    *,
    title: str,
    x_label: str = "",
    y_label: str = "",
    low: float | None = None,
    high: float | None = None,
    x_names: Sequence[str] = (),
    y_names: Sequence[str] = (),
    width: int = 280,
    digits: int | None = 2,
    description: str = "",
) -> str:
    """An SVG of a matrix (n, m), row 0 on top: blue below zero, orange above, the paper at zero; numbers in the cells.

    low, high: the values of the full colours (default: -+ the largest magnitude); others are shown as the nearest.
    digits: decimals of the numbers, None for no numbers (there are none either where cells are too small).
    Raises ValueError for anything but a finite matrix.
    """
    matrix = require_shape(require_finite(values, "values"), "values", (None, None))
    rows, columns = matrix.shape
    largest = float(np.abs(matrix).max()) or 1.0
    bottom, top_value = (-largest if low is None else low), (largest if high is None else high)
    left, top, foot = 34.0 if y_names or y_label else 12.0, TITLE + 6.0, 36.0 if x_names or x_label else 12.0
    cell = (width - left - 12.0) / columns
    height = top + cell * rows + foot
    parts = []
    written = digits is not None and cell >= 8.0 + 5.6 * (digits + 2)
    for (row, column), value in np.ndenumerate(matrix):
        x, y = left + column * cell, top + row * cell
        share = (
            value / top_value if value > 0 and top_value > 0 else value / bottom if value < 0 and bottom < 0 else 0.0
        )
        look = 1 if value > 0 else 0
        strength = min(float(share), 1.0)
        parts.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{cell:.2f}" height="{cell:.2f}" fill="{colour(look)}" '
            f'fill-opacity="{0.85 * strength:.3f}" stroke="{FAINT}" stroke-width="0.5"/>'
        )
        if written:
            parts.append(
                f'<text x="{x + cell / 2:.1f}" y="{y + cell / 2 + 3.5:.1f}" text-anchor="middle" font-size="10" '
                f'fill="{INK}">{_decimals(float(value), digits or 0)}</text>'
            )
    for n, name in enumerate(x_names):
        parts.append(words(left + (n + 0.5) * cell, top + rows * cell + 14, name, "middle", 10))
    for n, name in enumerate(y_names):
        parts.append(words(left - 5, top + (n + 0.5) * cell + 3.5, name, "end", 10))
    if x_label:
        parts.append(words(left + columns * cell / 2, height - 5, x_label, "middle", 11))
    if y_label and not y_names:
        parts.append(turned(14, top + rows * cell / 2, y_label))
    return document(width, height, title, description, "".join(parts))


def _decimals(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")
