"""What every page is asked: settings to try, whether its view is sound, and whether its snippets give its numbers."""

from __future__ import annotations

import shlex
import statistics
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any
from xml.etree import ElementTree

from hypothesis import strategies as st

from figures.explore.page import Control, Page, Says, View

ROOT = Path(__file__).parents[3]


def settings_of(page: Page) -> st.SearchStrategy[dict[str, Any]]:
    """Any values of the controls of a page, corners often."""
    return st.fixed_dictionaries({control.name: _values(control) for control in page.controls})


def _values(control: Control) -> st.SearchStrategy[Any]:
    if control.kind == "choice":
        return st.sampled_from(control.choices)
    if control.kind == "switch":
        return st.booleans()
    count = round((control.high - control.low) / control.step)
    ends = st.sampled_from((0, count)) | st.integers(0, count)
    if control.kind == "integer":
        return ends.map(lambda n: int(control.low + n * control.step))
    return ends.map(lambda n: round(control.low + n * control.step, 10))


def at(page: Page, **values: Any) -> dict[str, Any]:
    """The defaults of a page with some values changed. KeyError for a control that it does not have."""
    assert values.keys() <= page.defaults().keys()
    return {**page.defaults(), **values}


def preset(page: Page, name: str) -> dict[str, Any]:
    """The values of a preset."""
    return at(page, **next(dict(one.values) for one in page.presets if one.name == name))


def says(view: View, claim: str, statement: str = "") -> Says:
    """What a view says of the one statement on a claim whose text holds `statement`."""
    (found,) = (one.says for one in view.standings if one.claim == claim and statement in one.statement)
    return found


def require_sound(view: View) -> None:
    """Pictures are well-formed and without NaN, every text is there, and every row is as long as its header."""
    for picture in view.pictures:
        ElementTree.fromstring(picture.svg)
        assert "nan" not in picture.svg
        assert "inf" not in picture.svg
        assert picture.caption
    assert view.standings
    assert all(one.why and one.statement for one in view.standings)
    assert len({len(row) for row in view.table}) == 1
    assert view.python


def require_in_range(page: Page) -> None:
    """Defaults and presets are values that the controls can take, and every preset says what there is to see."""
    controls = {control.name: control for control in page.controls}
    for values in (page.defaults(), *(one.values for one in page.presets)):
        for name, value in values.items():
            control = controls[name]
            if control.kind == "choice":
                assert value in control.choices
            else:
                assert control.low <= value <= control.high
                steps = (value - control.low) / control.step
                assert abs(steps - round(steps)) < 1e-9, f"{name} = {value} is between two steps"
    assert all(one.text for one in page.presets)
    assert len({one.name for one in page.presets}) == len(page.presets)


def run_python(code: str) -> list[float]:
    """The numbers that a snippet prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [float(word) for word in done.stdout.replace("[", " ").replace("]", " ").replace(",", " ").split()]


def command_arguments(view: View) -> list[str]:
    """The arguments of the command that a view gives."""
    program, *arguments = shlex.split(view.command)
    assert program == "filterlaw"
    return arguments


def milliseconds(page: Page, values: dict[str, Any], repeats: int = 9) -> float:
    """The median processor time of a view, once it is warm: that of other processes does not count."""
    page.view(values)
    times = []
    for _ in range(repeats):
        begin = process_time()
        page.view(values)
        times.append(process_time() - begin)
    return 1e3 * statistics.median(times)
