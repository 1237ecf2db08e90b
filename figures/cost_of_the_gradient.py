"""What one exact gradient over the 2^p samples costs by three methods: measured seconds, and bytes.

Times are not measured when the figure is drawn, which would make it another each time, but recorded in
`figures.measured_cost` by `python -m tests.record_cost`. Bytes are counted from the arrays that each method holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.measured_cost import DATE, PROCESSOR, SECONDS, VERSIONS
from figures.style import GREY, LOOKS, Look, heading, panels, styled
from sim.arrays import FloatArray
from sim.half_space import Workspace

LARGEST = 49
FILTERS = {9: "3x3", 25: "5x5", 49: "7x7"}
METHODS = {
    "all samples": "every sample, in NumPy",
    "NumPy halves": "two halves, sorted by NumPy",
    "merged halves": "two halves, merged (here)",
}
REFERENCES = {1.0: "1 s", 86400.0: "1 day", 3.15576e7: "1 year"}
SEED = None
PARAMETERS = {"recorded": DATE, "on": PROCESSOR, "with": VERSIONS}


@dataclass(frozen=True, eq=False)
class Data:
    """Measured sizes and seconds by method; bytes (LARGEST,) by method for p = 1, ..., LARGEST.

    extrapolated: p and seconds beyond what was measured of all samples, in proportion to p 2^p.
    """

    measured: Mapping[str, tuple[FloatArray, FloatArray]]
    extrapolated: tuple[FloatArray, FloatArray]
    bytes: Mapping[str, FloatArray]


def data() -> Data:
    """Read the record; count bytes; extend the line of all samples."""
    measured = {name: (np.array(list(SECONDS[name])), np.array(list(SECONDS[name].values()))) for name in METHODS}
    sizes, seconds = measured["all samples"]
    beyond = np.arange(sizes[-1], LARGEST + 1)
    growth = beyond / sizes[-1] * 2.0 ** (beyond - sizes[-1])
    p = np.arange(1, LARGEST + 1)
    halves = 2.0 ** (p // 2), 2.0 ** (p - p // 2)
    return Data(
        measured,
        (beyond, seconds[-1] * growth),
        {
            "all samples": 8.0 * p * 2.0**p,
            # keys, their order and residuals of both; suffix sums, places and what is gathered of one
            "NumPy halves": 24.0 * (halves[0] + halves[1]) + 24.0 * halves[1],
            "merged halves": np.array([Workspace.size(int(n) - 1) for n in p], dtype=np.float64),
        },
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left seconds, right bytes, over p."""
    shown = shown or data()
    figure, axes = panels(TITLES["cost-of-the-gradient"], [["a", "b"]], 3.9)
    _seconds(axes["a"], shown)
    _bytes(axes["b"], shown)
    handles, labels = axes["a"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=3)
    return figure


def _looks() -> dict[str, Look]:
    return dict(zip(METHODS, LOOKS, strict=False))


def _seconds(axes: Axes, shown: Data) -> None:
    heading(axes, "a", f"seconds for one gradient, measured {DATE}, one core")
    for name, look in _looks().items():
        axes.plot(*shown.measured[name], **look.with_markers, label=METHODS[name])
    axes.plot(*shown.extrapolated, color=_looks()["all samples"].color, lw=0.8, ls=(0, (1, 1.5)))
    years = shown.extrapolated[1][-1] / 3.15576e7
    axes.annotate(
        f"{years:.0f} years, extrapolated", (LARGEST, shown.extrapolated[1][-1]), (-10, 4), va="center", ha="right",
        textcoords="offset points", color=_looks()["all samples"].color, fontsize=8.0,
    )  # fmt: skip
    for level, text in REFERENCES.items():
        axes.axhline(level, color=GREY, lw=0.4)
        axes.annotate(text, (1.5, level), (0, 2), textcoords="offset points", color=GREY, fontsize=7.5)
    axes.set(yscale="log", ylim=(5e-6, 5e9), ylabel="seconds")
    _sizes(axes)


def _bytes(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "memory for the samples or the halves")
    for name, look in _looks().items():
        axes.plot(np.arange(1, LARGEST + 1), shown.bytes[name], **look.line)
    for level, text in {2.0**30: "1 GiB", 2.0**50: "1 PiB"}.items():
        axes.axhline(level, color=GREY, lw=0.4)
        axes.annotate(text, (1.5, level), (0, 2), textcoords="offset points", color=GREY, fontsize=7.5)
    axes.set(yscale="log", ylim=(10, 1e19), ylabel="bytes")
    _sizes(axes)


def _sizes(axes: Axes) -> None:
    axes.set(xlim=(1, LARGEST + 1), xlabel="number of weights $p$", xticks=list(FILTERS))
    axes.set_xticklabels([f"{p}\n{name}" for p, name in FILTERS.items()])
