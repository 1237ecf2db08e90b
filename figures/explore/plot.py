"""Series over common axes, with a legend: fast enough to follow a slider, the same text for the same arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from figures.explore.axes import Axis, axis_over
from figures.explore.marks import bar_room, draw, key
from figures.explore.series import Series
from figures.explore.svg import FAINT, INK, LIGHT, TITLE, document, turned, words
from sim.arrays import FloatArray

_LEAST_LEFT, _MARGIN_RIGHT, _MARGIN_BOTTOM = 48.0, 14.0, 42.0
_LEGEND_ROW, _LETTER = 17.0, 6.0
"""The height of a row of the legend, and the width of a letter of it, in pixels."""


def plot(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str,
    y_label: str,
    width: int = 420,
    height: int = 280,
    log_x: bool = False,
    log_y: bool = False,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    x_names: Sequence[str] = (),
    equal: bool = False,
    description: str = "",
) -> str:
    """An SVG of series over common axes, with a legend above; title is also what a screen reader says.

    width, height: in pixels, without the legend; the picture shrinks with its column. x_range, y_range: what the axes
    show; by default all finite points. x_names: names for x = 0, 1, ... in place of numbers. equal: one unit is as
    long on both axes (the ranges are widened). description: for a screen reader, what is to be seen.
    """
    entries = [(n % len(LIGHT) if one.look is None else one.look, one) for n, one in enumerate(series)]
    legend, legend_height = _legend([(look, one) for look, one in entries if one.label], width)
    top = TITLE + legend_height + 6.0
    up = height - TITLE - _MARGIN_BOTTOM
    baseline = np.zeros(1) if any(one.style == "bars" for one in series) else np.empty(0)
    half = bar_room(series)
    x_axis = axis_over([_widened(one, half) for one in series], x_range, log=log_x, pad=not x_names)
    y_axis = axis_over([*(_limited(one) for one in series), baseline], y_range, log=log_y)
    left = _LEAST_LEFT if equal else _left(y_axis, up)
    across = width - left - _MARGIN_RIGHT
    if equal:
        x_axis, y_axis = _equal(x_axis, y_axis, across / up)
    body = [_frame(x_axis, y_axis, _Box(left, top, across, up), x_label, y_label, x_names)]
    drawn = [draw(look, one, x_axis, y_axis, across, up, series) for look, one in entries]
    body.append(
        f'<svg x="{left:g}" y="{top:g}" width="{across:g}" height="{up:g}" overflow="hidden">{"".join(drawn)}</svg>'
    )
    return document(width, height + legend_height, title, description, legend + "".join(body))


def _widened(one: Series, half: float) -> FloatArray:
    if one.style != "bars":
        return one.x[np.isfinite(one.y)] if not _is_rule(one) else _limited(one, "x")
    return np.concatenate([one.x - half, one.x + half])


def _is_rule(one: Series) -> bool:
    return one.x.size == 2 and bool(np.isinf(one.x).all() or np.isinf(one.y).all())


def _limited(one: Series, name: Literal["x", "y"] = "y") -> FloatArray:
    """The values that an axis has to show; those of a rule have none."""
    if _is_rule(one):
        return np.empty(0)
    other = one.x if name == "y" else one.y
    values = one.y if name == "y" else one.x
    return values[np.isfinite(other)]


def _equal(x: Axis, y: Axis, aspect: float) -> tuple[Axis, Axis]:
    """The axes with one of them widened about its middle so that a unit is as long on both; aspect: width/height."""
    if x.high - x.low < aspect * (y.high - y.low):
        return x.widened(aspect * (y.high - y.low)), y
    return x, y.widened((x.high - x.low) / aspect)


def _legend(entries: list[tuple[int, Series]], width: int) -> tuple[str, float]:
    """The entries, as many in a row as have room, and the height they take."""
    parts, x, y = [], _LEAST_LEFT, TITLE + 4.0
    for look, one in entries:
        needed = 30.0 + _LETTER * len(one.label) + 12.0
        if x > _LEAST_LEFT and x + needed > width:
            x, y = _LEAST_LEFT, y + _LEGEND_ROW
        parts.append(key(look, one, x, y + 4.0) + words(x + 30, y + 8, one.label, "start", 11))
        x += needed
    return "".join(parts), (y - TITLE - 4.0 + _LEGEND_ROW if entries else 0.0)


@dataclass(frozen=True)
class _Box:
    """Where the axes lie in the picture, in pixels."""

    left: float
    top: float
    across: float
    up: float


def _y_ticks(axis: Axis, up: float) -> list[tuple[float, str]]:
    return axis.ticks(max(int(up / 42), 2))


def _left(axis: Axis, up: float) -> float:
    """Room for the numbers of the y axis and for what it is."""
    return max(_LEAST_LEFT, 28.0 + _LETTER * max((len(text) for _, text in _y_ticks(axis, up)), default=0))


def _frame(x_axis: Axis, y_axis: Axis, box: _Box, x_label: str, y_label: str, names: Sequence[str]) -> str:
    """Grid lines, ticks with their numbers, and what the axes are."""
    left, top, across, up = box.left, box.top, box.across, box.up
    bottom = top + up
    grid, texts = [], []
    named = [(float(n), name) for n, name in enumerate(names)]
    for value, text in named or x_axis.ticks(max(int(across / 70), 2)):
        x = left + float(x_axis.share(np.array([value]))[0]) * across
        if not names:
            grid.append(f"M{x:.1f} {top:.1f}v{up:.1f}")
        texts.append(words(x, bottom + 15, text, "middle", 10.5))
    for value, text in _y_ticks(y_axis, up):
        y = bottom - float(y_axis.share(np.array([value]))[0]) * up
        grid.append(f"M{left:.1f} {y:.1f}h{across:.1f}")
        texts.append(words(left - 6, y + 3.6, text, "end", 10.5))
    return (
        f'<path d="{"".join(grid)}" stroke="{FAINT}" stroke-width="0.7" fill="none"/>'
        f'<path d="M{left:g} {top:g}V{bottom:g}H{left + across:g}" stroke="{INK}" stroke-width="0.9" fill="none"/>'
        f"{''.join(texts)}{words(left + across / 2, bottom + 33, x_label, 'middle', 11.5)}"
        f"{turned(12, top + up / 2, y_label)}"
    )
