"""How series are drawn, in the picture and in its legend: lines, markers, bars and areas.

Series differ in dash or marker too, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from figures.explore.axes import Axis
from figures.explore.series import Series
from figures.explore.svg import PAPER, colour
from sim.arrays import BoolArray, FloatArray

DASHES = ("", "6 3", "6 2.5 1.5 2.5", "1.6 2.6", "10 3", "3 3", "8 2 2 2 2 2", "2 5")
MARKS = (
    "m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0z",
    "m-2.9-2.9h5.8v5.8h-5.8z",
    "m0-3.8l3.6 6.4h-7.2z",
    "m0-4l3.6 4l-3.6 4l-3.6-4z",
    "m-3-3l6 6m-6 0l6-6",
    "m0 3.8l3.6-6.4h-7.2z",
    "m-3.6 0h7.2m-3.6-3.6v7.2",
    "m-2.2 0a2.2 2.2 0 1 0 4.4 0a2.2 2.2 0 1 0-4.4 0z",
)
"""Marker outlines around the current point."""
_FAR = 1e6
"""Points farther out than this many pixels are moved there: nobody sees it, and the numbers stay short."""


def bar_room(series: Sequence[Series]) -> float:
    """Half of the least distance between the bars of a series, which all series share."""
    places = [np.unique(one.x[np.isfinite(one.x)]) for one in series if one.style == "bars"]
    gaps = [float(np.diff(x).min()) for x in places if x.size > 1]
    return min(gaps, default=1.0) / 2


def draw(look: int, one: Series, x_axis: Axis, y_axis: Axis, across: float, up: float, series: Sequence[Series]) -> str:
    """One of the series within the axes, which are `across` by `up` pixels; bars stand beside those of the others."""
    if one.style == "bars":
        return _bars(look, one, x_axis, y_axis, across, up, series)
    x = np.clip(x_axis.share(one.x) * across, -_FAR, _FAR)
    y = np.clip((1.0 - y_axis.share(one.y)) * up, -_FAR, _FAR)
    seen = np.isfinite(x) & np.isfinite(y)
    if one.style == "area":
        path = _path(x[seen], y[seen])
        return f'<path d="{path}Z" {_fill(look, "area")}/>' if path else ""
    line = ""
    if one.style != "points":
        line = f'<path d="{"".join(_runs(x, y, seen, one.style == "steps"))}" {_stroke(look, one)}/>'
    if one.style in ("points", "both"):
        inside = seen & (x >= -5) & (x <= across + 5) & (y >= -5) & (y <= up + 5)
        line += _markers(look, list(zip(x[inside].tolist(), y[inside].tolist(), strict=True)))
    return line


def key(look: int, one: Series, x: float, y: float) -> str:
    """What stands for a series in the legend, 24 pixels wide; (x, y): the middle of its left end."""
    if one.style in ("bars", "area"):
        return f'<rect x="{x + 4:g}" y="{y - 5:g}" width="16" height="10" {_fill(look, one.style)}/>'
    line = f'<path d="M{x:g} {y:g}h24" {_stroke(look, one)}/>' if one.style != "points" else ""
    return line + (_markers(look, [(x + 12, y)]) if one.style in ("points", "both") else "")


def _fill(look: int, style: str) -> str:
    opacity = 0.75 if style == "bars" else 0.16
    return f'fill="{colour(look)}" fill-opacity="{opacity}" stroke="{colour(look)}" stroke-opacity="0.5"'


def _stroke(look: int, one: Series) -> str:
    dash = DASHES[look if one.dash is None else one.dash]
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'fill="none" stroke="{colour(look)}" stroke-width="1.8" stroke-linejoin="round"{dashed}'


def _markers(look: int, points: Sequence[tuple[float, float]]) -> str:
    mark = MARKS[look]
    path = "".join(f"M{x:.1f} {y:.1f}{mark}" for x, y in points)
    return f'<path d="{path}" fill="{PAPER}" stroke="{colour(look)}" stroke-width="1.4"/>' if path else ""


def _runs(x: FloatArray, y: FloatArray, seen: BoolArray, steps: bool) -> list[str]:
    """A path for each run of points that are seen."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], seen, [False]]).astype(np.int8)))
    runs = []
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        across, down = x[start:stop], y[start:stop]
        if steps:
            across, down = np.repeat(across, 2)[1:], np.repeat(down, 2)[:-1]
        runs.append(_path(across, down))
    return runs


def _path(x: FloatArray, y: FloatArray) -> str:
    points = [f"{a:.1f} {b:.1f}" for a, b in zip(x.tolist(), y.tolist(), strict=True)]
    return "M" + "L".join(points) if points else ""


def _bars(
    look: int, one: Series, x_axis: Axis, y_axis: Axis, across: float, up: float, series: Sequence[Series]
) -> str:
    seen = np.isfinite(one.x) & np.isfinite(one.y)
    places, values = one.x[seen], one.y[seen]
    beside = [other for other in series if other.style == "bars"]
    room = 2 * bar_room(beside) * (0.96 if len(beside) == 1 else 0.84) / len(beside)
    offset = (next(n for n, other in enumerate(beside) if other is one) - len(beside) / 2) * room
    left = np.clip(x_axis.share(places + offset) * across, -_FAR, _FAR)
    wide = np.clip(x_axis.share(places + offset + room) * across, -_FAR, _FAR) - left
    zero = np.zeros(1) if not y_axis.log else np.array([10.0**y_axis.low])
    foot = float((1.0 - y_axis.share(zero)[0]) * up)
    head = np.clip((1.0 - y_axis.share(values)) * up, -_FAR, _FAR)
    parts = [
        f"M{a:.1f} {foot:.1f}V{b:.1f}h{c:.1f}V{foot:.1f}z"
        for a, b, c in zip(left.tolist(), head.tolist(), wide.tolist(), strict=True)
        if np.isfinite([a, b, c]).all()
    ]
    return f'<path d="{"".join(parts)}" {_fill(look, "bars")}/>' if parts else ""
