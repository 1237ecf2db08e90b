"""Pictures as SVG text, drawn from NumPy arrays: fast enough to follow a slider."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Series:
    """Points (n,) to draw: as a line, as markers, or as both. Non-finite points break the line."""

    x: FloatArray
    y: FloatArray
    label: str
    style: str = "line"


def plot(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    width: int = 420,
    height: int = 280,
    log_y: bool = False,
) -> str:
    """An SVG of lines and markers over common axes, with a legend; title is also what a screen reader says."""
    raise NotImplementedError
