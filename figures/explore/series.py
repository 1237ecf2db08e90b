"""Points to draw in a picture, and which lines, areas and rules are made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from figures.explore.svg import LIGHT
from sim.arrays import FloatArray
from sim.errors import require_array, require_choice

STYLES = ("line", "points", "both", "steps", "bars", "area")


@dataclass(frozen=True, eq=False)
class Series:
    """Points (n,) to draw. Non-finite points, and those without a logarithm on a logarithmic axis, break the line.

    style: "line"; "points" (open markers); "both"; "steps" (a line that stays and then jumps); "bars" (from 0, beside
    those of other series); "area" (the inside of the polygon, faint; `band` makes one). label: for the legend, "" for
    none. look: 0 to 7, colour and marker; None for the position among the series. dash: 0 (solid) to 7; None for that
    of the look.
    Raises ValueError for arrays of different shapes, an unknown style, or a look or dash that does not exist.
    """

    x: FloatArray
    y: FloatArray
    label: str
    style: Literal["line", "points", "both", "steps", "bars", "area"] = "line"
    look: int | None = None
    dash: int | None = None

    def __post_init__(self) -> None:
        x, y = require_array(self.x, "x"), require_array(self.y, "y")
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(f"x and y must have the same shape (n,), got {x.shape} and {y.shape}")
        require_choice(self.style, "style", STYLES)
        for name, value in (("look", self.look), ("dash", self.dash)):
            if value is not None and not 0 <= value < len(LIGHT):
                raise ValueError(f"{name} must lie in [0, {len(LIGHT) - 1}], got {value}")
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "y", y)


def band(x: FloatArray, low: FloatArray, high: FloatArray, label: str, look: int | None = None) -> Series:
    """The area between two curves over x, all (n,)."""
    return Series(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]), label, "area", look)


def rule(at: float, label: str, *, vertical: bool = False, look: int | None = 7, dash: int | None = 3) -> Series:
    """A line across the whole picture at y = `at`, or at x = `at` if vertical; it does not widen the axes."""
    ends, level = np.array([-np.inf, np.inf]), np.full(2, float(at))
    return (
        Series(level, ends, label, "line", look, dash) if vertical else Series(ends, level, label, "line", look, dash)
    )
