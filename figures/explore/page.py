"""What a page of the explorer is made of: controls, presets, and a view computed from their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Values = Mapping[str, Any]
Says = Literal["holds here", "fails here", "not applicable here"]


@dataclass(frozen=True)
class Control:
    """One input of a page.

    kind: "number" (float in [low, high] by `step`), "integer", "choice" (one of `choices`) or "switch" (bool).
    help: one plain sentence, with the paper's letter where there is one.
    """

    name: str
    label: str
    kind: Literal["number", "integer", "choice", "switch"]
    default: Any
    low: float = 0.0
    high: float = 1.0
    step: float = 0.01
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class Preset:
    """A telling case: values of some controls (the others get their defaults), and what there is to see."""

    name: str
    text: str
    values: Values


@dataclass(frozen=True)
class Picture:
    """An inline SVG with a caption in words."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Standing:
    """How a claim's printed statement fares at these settings: computed from the simulation, never written down."""

    claim: str
    statement: str
    says: Says
    why: str


@dataclass(frozen=True)
class View:
    """What a page shows for the values of its controls.

    table: header and rows of text (closed form, simulation, printed). command, python: what gives the same numbers
    outside of the explorer. message: a remark on the values, such as one that was refused; empty if there is none.
    """

    pictures: tuple[Picture, ...]
    standings: tuple[Standing, ...]
    table: tuple[tuple[str, ...], ...] = ()
    command: str = ""
    python: str = ""
    message: str = ""


@dataclass(frozen=True)
class LongRun:
    """Work on a page's values that takes too long to follow a slider: done in a process of its own, on a button.

    work: from the values and a function that is told (done, of how many), to what `show` makes the view of. Both are
    functions of a module, and what `work` returns can be pickled, since it comes from another process.
    """

    label: str
    text: str
    work: Callable[[Values, Callable[[int, int], None]], Any] = field(repr=False)
    show: Callable[[Values, Any], View] = field(repr=False)


@dataclass(frozen=True)
class Page:
    """A page: two or three plain sentences, its controls, its presets (the first is what a visitor sees), its view."""

    key: str
    title: str
    text: str
    controls: tuple[Control, ...]
    presets: tuple[Preset, ...]
    view: Callable[[Values], View] = field(repr=False)
    long_run: LongRun | None = None

    def defaults(self) -> dict[str, Any]:
        """The value of every control before anything is chosen."""
        return {control.name: control.default for control in self.controls}
