"""Pictures as SVG text, drawn from NumPy arrays: fast enough to follow a slider, the same text for the same arrays.

Colours are CSS variables (`COLOURS`) that fall back to the light ones, so a picture also stands alone. Series differ in
dash or marker too, so that nothing rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np

from figures.explore.axes import Axis, axis_over
from sim.arrays import BoolArray, FloatArray
from sim.errors import require_array, require_choice, require_finite, require_shape

LIGHT = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9", "#767676")
"""Okabe and Ito's colours in the order of `figures.style`, which is not imported since it brings in matplotlib."""
DARK = ("#5CB6F2", "#FF8F4D", "#37D3A4", "#EBA3C6", "#F2F2F2", "#F5C04A", "#9AD4FA", "#A8A8A8")
DASHES = ("", "6 3", "6 2.5 1.5 2.5", "1.6 2.6", "10 3", "3 3", "8 2 2 2 2 2", "2 5")
STYLES = ("line", "points", "both", "steps", "bars", "area")

_LEAST_LEFT, _MARGIN_RIGHT, _MARGIN_BOTTOM = 48.0, 14.0, 42.0
_TITLE, _LEGEND_ROW, _LETTER = 24.0, 17.0, 6.0
"""Heights of the title and of a row of the legend, and the width of a letter of it, in pixels."""
_FAR = 1e6
"""Points farther out than this many pixels are moved there: nobody sees it, and the numbers stay short."""
_FONT = 'font-family="system-ui,-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif"'


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


def colour(look: int) -> str:
    """The CSS colour of a look: a variable, with the light colour where it is not set."""
    return f"var(--fl-{look},{LIGHT[look]})"


_INK, _FAINT, _PAPER = "var(--fl-ink,#1f2328)", "var(--fl-faint,#d9dce0)", "var(--fl-paper,#ffffff)"
COLOURS = (
    "--fl-ink:#1f2328;--fl-faint:#d9dce0;--fl-paper:#ffffff;" + "".join(f"--fl-{n}:{c};" for n, c in enumerate(LIGHT)),
    "--fl-ink:#e8eaed;--fl-faint:#3c4148;--fl-paper:#16181c;" + "".join(f"--fl-{n}:{c};" for n, c in enumerate(DARK)),
)
"""Declarations of the variables, light and dark, for the style sheet of a page that shows pictures."""


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
    top = _TITLE + legend_height + 6.0
    up = height - _TITLE - _MARGIN_BOTTOM
    baseline = np.zeros(1) if any(one.style == "bars" for one in series) else np.empty(0)
    half = _bar_room(series)
    x_axis = axis_over([_widened(one, half) for one in series], x_range, log=log_x, pad=not x_names)
    y_axis = axis_over([*(_limited(one) for one in series), baseline], y_range, log=log_y)
    left = _LEAST_LEFT if equal else _left(y_axis, up)
    across = width - left - _MARGIN_RIGHT
    if equal:
        x_axis, y_axis = _equal(x_axis, y_axis, across / up)
    body = [_frame(x_axis, y_axis, _Box(left, top, across, up), x_label, y_label, x_names)]
    drawn = [_draw(look, one, x_axis, y_axis, across, up, entries, half) for look, one in entries]
    body.append(
        f'<svg x="{left:g}" y="{top:g}" width="{across:g}" height="{up:g}" overflow="hidden">{"".join(drawn)}</svg>'
    )
    return document(width, height + legend_height, title, description, legend + "".join(body))


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
    left, top, foot = 34.0 if y_names or y_label else 12.0, _TITLE + 6.0, 36.0 if x_names or x_label else 12.0
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
            f'fill-opacity="{0.85 * strength:.3f}" stroke="{_FAINT}" stroke-width="0.5"/>'
        )
        if written:
            parts.append(
                f'<text x="{x + cell / 2:.1f}" y="{y + cell / 2 + 3.5:.1f}" text-anchor="middle" font-size="10" '
                f'fill="{_INK}">{_decimals(float(value), digits or 0)}</text>'
            )
    for n, name in enumerate(x_names):
        parts.append(_text(left + (n + 0.5) * cell, top + rows * cell + 14, name, "middle", 10))
    for n, name in enumerate(y_names):
        parts.append(_text(left - 5, top + (n + 0.5) * cell + 3.5, name, "end", 10))
    if x_label:
        parts.append(_text(left + columns * cell / 2, height - 5, x_label, "middle", 11))
    if y_label and not y_names:
        parts.append(_turned(14, top + rows * cell / 2, y_label))
    return document(width, height, title, description, "".join(parts))


def _decimals(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "\u2212")


def _bar_room(series: Sequence[Series]) -> float:
    """Half of the least distance between the bars of a series, all series sharing it."""
    places = [np.unique(one.x[np.isfinite(one.x)]) for one in series if one.style == "bars"]
    gaps = [float(np.diff(x).min()) for x in places if x.size > 1]
    return min(gaps, default=1.0) / 2


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
    parts, x, y = [], _LEAST_LEFT, _TITLE + 4.0
    for look, one in entries:
        needed = 30.0 + _LETTER * len(one.label) + 12.0
        if x > _LEAST_LEFT and x + needed > width:
            x, y = _LEAST_LEFT, y + _LEGEND_ROW
        parts.append(_key(look, one, x, y + 4.0) + _text(x + 30, y + 8, one.label, "start", 11))
        x += needed
    return "".join(parts), (y - _TITLE - 4.0 + _LEGEND_ROW if entries else 0.0)


def _key(look: int, one: Series, x: float, y: float) -> str:
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


_MARKS = (
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


def _markers(look: int, points: Sequence[tuple[float, float]]) -> str:
    mark = _MARKS[look]
    path = "".join(f"M{x:.1f} {y:.1f}{mark}" for x, y in points)
    return f'<path d="{path}" fill="{_PAPER}" stroke="{colour(look)}" stroke-width="1.4"/>' if path else ""


def _draw(
    look: int,
    one: Series,
    x_axis: Axis,
    y_axis: Axis,
    across: float,
    up: float,
    entries: Sequence[tuple[int, Series]],
    half: float,
) -> str:
    if one.style == "bars":
        return _bars(look, one, x_axis, y_axis, across, up, entries, half)
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
    look: int,
    one: Series,
    x_axis: Axis,
    y_axis: Axis,
    across: float,
    up: float,
    entries: Sequence[tuple[int, Series]],
    half: float,
) -> str:
    seen = np.isfinite(one.x) & np.isfinite(one.y)
    places, values = one.x[seen], one.y[seen]
    beside = [other for _, other in entries if other.style == "bars"]
    room = 2 * half * (0.96 if len(beside) == 1 else 0.84) / len(beside)
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
        texts.append(_text(x, bottom + 15, text, "middle", 10.5))
    for value, text in _y_ticks(y_axis, up):
        y = bottom - float(y_axis.share(np.array([value]))[0]) * up
        grid.append(f"M{left:.1f} {y:.1f}h{across:.1f}")
        texts.append(_text(left - 6, y + 3.6, text, "end", 10.5))
    return (
        f'<path d="{"".join(grid)}" stroke="{_FAINT}" stroke-width="0.7" fill="none"/>'
        f'<path d="M{left:g} {top:g}V{bottom:g}H{left + across:g}" stroke="{_INK}" stroke-width="0.9" fill="none"/>'
        f"{''.join(texts)}{_text(left + across / 2, bottom + 33, x_label, 'middle', 11.5)}"
        f"{_turned(12, top + up / 2, y_label)}"
    )


def _text(x: float, y: float, text: str, anchor: str, size: float) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size:g}" fill="{_INK}">{escape(text)}</text>'
    )


def _turned(x: float, y: float, text: str) -> str:
    return (
        f'<text transform="translate({x:.1f} {y:.1f}) rotate(-90)" text-anchor="middle" font-size="11.5" '
        f'fill="{_INK}">{escape(text)}</text>'
    )


def document(width: int, height: float, title: str, description: str, body: str) -> str:
    """A whole SVG of this size around its parts, with its title written above them, 24 pixels high."""
    said = f"<desc>{escape(description)}</desc>" if description else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height:g}" {_FONT} '
        f'style="width:100%;max-width:{width}px;height:auto" aria-label="{escape(title)}">'
        f'<title>{escape(title)}</title>{said}<text x="8" y="15" font-size="12.5" font-weight="600" '
        f'fill="{_INK}">{escape(title)}</text>{body}</svg>'
    )
