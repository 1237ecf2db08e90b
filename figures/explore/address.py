"""The state of a page as the query of its address, so that a setting can be shared."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from figures.explore.page import Control, Page


def opening(page: Page) -> dict[str, Any]:
    """The values with which a page opens: its defaults, with its first preset."""
    return {**page.defaults(), **(page.presets[0].values if page.presets else {})}


def read_values(page: Page, query: Mapping[str, str | Sequence[str]]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values that a query asks for, and a remark on each that could not be had and what was taken in its place.

    What is out of range becomes the nearest value allowed, what cannot be read the one with which the page opens.
    Controls that are not named open as usual; names that no control has are left to others.
    """
    values, remarks = opening(page), []
    for control in page.controls:
        if control.name not in query:
            continue
        given = query[control.name]
        text = given if isinstance(given, str) else given[-1] if given else ""
        value = _read(control, text)
        if value is None:
            remarks.append(
                f"{control.name} = {_short(text)} {_wanted(control)}; {_said(values[control.name])} is shown"
            )
        else:
            if isinstance(value, float | int) and not math.isclose(float(text_number(text)), value, abs_tol=1e-9):
                remarks.append(f"{control.name} = {_short(text)} {_wanted(control)}; {_said(value)} is shown")
            values[control.name] = value
    return values, tuple(remarks)


def write_values(page: Page, values: Mapping[str, Any]) -> dict[str, str]:
    """The query that `read_values` reads the values from: those that differ from the ones with which the page opens."""
    usual = opening(page)
    return {name: _said(value) for name, value in values.items() if name in usual and value != usual[name]}


def matching(page: Page, values: Mapping[str, Any]) -> int | None:
    """The number of the first preset that has these values, None if none has."""
    for number, preset in enumerate(page.presets):
        if {**page.defaults(), **preset.values} == dict(values):
            return number
    return None


def nearest(control: Control, value: float) -> float | int:
    """The value nearest to a finite one that a control of numbers allows: in its range, and on its steps."""
    inside = min(max(value, control.low), control.high)
    steps = math.floor((inside - control.low) / control.step + 0.5)
    on_step = control.low + min(steps, math.floor((control.high - control.low) / control.step + 1e-9)) * control.step
    return round(on_step) if control.kind == "integer" else round(on_step, 10)


def text_number(text: str) -> float:
    """A number as text, switches included; NaN for anything else."""
    try:
        return float({"true": "1", "false": "0"}.get(text.lower(), text))
    except ValueError:
        return math.nan


def _read(control: Control, text: str) -> Any:
    """The nearest value allowed, None if the text is no value at all."""
    if control.kind == "choice":
        return text if text in control.choices else None
    if control.kind == "switch":
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    number = text_number(text)
    return nearest(control, number) if math.isfinite(number) else None


def _wanted(control: Control) -> str:
    if control.kind == "choice":
        return f"must be one of {', '.join(control.choices)}"
    if control.kind == "switch":
        return "must be true or false"
    what = "an integer" if control.kind == "integer" else f"a number by steps of {control.step:g}"
    return f"must be {what} in [{control.low:g}, {control.high:g}]"


def _said(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return repr(text if len(text) <= 24 else text[:21] + "...")
