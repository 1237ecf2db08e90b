"""One look for all figures, and files that come out the same every time.

Colours are Okabe and Ito's, in an order of clearly different lightness; curves of one axes also differ in line style
or marker, so that nothing rests on colour alone.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from typing import Any, ParamSpec

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

BLACK, BLUE, ORANGE, GREEN, SKY, VERMILION, PURPLE, GREY = (
    "#000000",
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#56B4E9",
    "#D55E00",
    "#CC79A7",
    "#767676",
)

WIDTH = 7.0
"""Inches; the text width of a page."""


@dataclass(frozen=True)
class Look:
    """How one series is drawn: colour, line style and marker."""

    color: str
    linestyle: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """Keywords for a line without markers."""
        return {"color": self.color, "linestyle": self.linestyle, "marker": "none"}

    @property
    def with_markers(self) -> dict[str, Any]:
        """Keywords for a line with filled markers."""
        return {**self.line, "marker": self.marker}

    @property
    def points(self) -> dict[str, Any]:
        """Keywords for open markers without a line."""
        return {
            "color": self.color,
            "linestyle": "none",
            "marker": self.marker,
            "markerfacecolor": "white",
            "markeredgecolor": self.color,
        }


LOOKS = (
    Look(BLUE, "solid", "o"),
    Look(VERMILION, (0, (5, 1.5)), "s"),
    Look(GREEN, (0, (5, 1.5, 1, 1.5)), "^"),
    Look(PURPLE, (0, (1, 1.2)), "D"),
)

_RC: Mapping[str, Any] = {
    "font.family": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "lines.markeredgewidth": 1.0,
    "hatch.linewidth": 0.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.05,
    "savefig.dpi": 220,
    "svg.fonttype": "path",
    "svg.hashsalt": "filterlaw",
    "pdf.fonttype": 42,
    "pdf.compression": 6,
}

_DRAWN = ("axes", "contour", "errorbar", "figure", "font", "grid", "hatch", "image", "legend", "lines", "markers")
_WRITTEN = ("mathtext", "patch", "path", "pdf", "savefig", "scatter", "svg", "text", "xaxis", "xtick", "yaxis", "ytick")
_OURS = frozenset(_DRAWN + _WRITTEN)
"""Groups of settings that change how a figure looks; backends and key bindings stay as they are."""

P = ParamSpec("P")


@contextmanager
def house_style() -> Iterator[None]:
    """matplotlib's own defaults (not the user's) with the house style on top; whatever was set before comes back."""
    settings: dict[Any, Any] = {k: v for k, v in matplotlib.rcParamsDefault.items() if k.split(".")[0] in _OURS}
    settings.update(_RC)
    with matplotlib.rc_context(settings):
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A `draw` that runs in the house style."""

    @wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with house_style():
            return draw(*args, **kwargs)

    return inner


def panels(title: str, layout: list[Any], height: float, **keywords: Any) -> tuple[Figure, dict[str, Axes]]:
    """A figure of the page's width with axes laid out as rows of their letters; its title says the finding.

    Width ratios are to be binary fractions: the layout of others can differ in its last digit from draw to draw, and
    with it the bytes of the file.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    return figure, figure.subplot_mosaic(layout, **keywords)


def heading(axes: Axes, letter: str, text: str) -> None:
    """The panel's letter and what it shows, above it."""
    axes.set_title(f"({letter}) {text}")


def numbers(values: Iterable[float]) -> str:
    """(0.8, 0.6) for mathematical text; a negative zero loses its sign."""
    return f"({', '.join(f'{value + 0.0:g}' for value in values)})"


def note(figure: Figure, text: str) -> None:
    """Small print at the foot: parameters, and how something was measured."""
    figure.supxlabel(text, x=0.01, ha="left", fontsize=8.0, color="#404040", linespacing=1.15)


def legend_below(axes: Axes, columns: int = 1, points: float = 32.0, **keywords: Any) -> None:
    """The legend under the axes, this many points below them, clear of the data and of the axis label."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    below = axes.transAxes + ScaledTranslation(0, -points / 72, figure.dpi_scale_trans)
    axes.legend(
        loc="upper left", bbox_to_anchor=(-0.03, 0.0), bbox_transform=below, ncols=columns, borderaxespad=0, **keywords
    )


def encode(figure: Figure, kind: str, title: str, parameters: Mapping[str, object], seed: int | None) -> bytes:
    """The figure as the bytes of a png, svg or pdf that hold no date, and say what it was made from."""
    given = "; ".join(f"{name} = {value}" for name, value in parameters.items())
    about = f"{given}; seed = {'none (nothing is drawn at random)' if seed is None else seed}; made by {_versions()}"
    metadata: Mapping[str, dict[str, Any]] = {
        "png": {"Title": title, "Description": about, "Software": None},
        "svg": {"Title": title, "Description": about, "Creator": None, "Date": None},
        "pdf": {"Title": title, "Subject": about, "Creator": None, "Producer": None, "CreationDate": None},
    }
    buffer = io.BytesIO()
    with house_style():
        figure.savefig(buffer, format=kind, metadata=metadata[kind])
    return buffer.getvalue()


def _versions() -> str:
    return ", ".join(f"{name} {_version(name)}" for name in ("filterlaw", "numpy", "matplotlib"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
