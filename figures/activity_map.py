"""Which samples are active over the plane of two weights, and where descent from there ends (Schneider, 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Polygon

from figures.catalogue import TITLES
from figures.style import BLACK, BLUE, GREEN, VERMILION, heading, legend_below, note, numbers, panels, styled
from sim.arrays import FloatArray, IntArray
from sim.descent import descend
from sim.problem import GridProblem

D = (0.0, 0.5)
W_STAR = (1.0, 0.0)
LEARNING_RATE = 0.2
STEPS = 160
LIMITS = ((-2.0, 4.0), (-4.0, 4.0))
CELLS = (120, 160)
STARTS: dict[str, tuple[tuple[float, float], ...]] = {
    "stays all active": ((3.4, 1.5), (2.2, -2.8), (0.5, -0.7)),
    "loses a sample for good": ((2.5, 3.8), (2.1, -3.8)),
    "gains its sample": ((-0.1, 0.4),),
    "never gains it": ((-0.4, 1.6),),
    "dead, does not move": ((-1.4, 1.2), (-1.0, -1.1), (-1.7, 2.6)),
}
SEED = None
PARAMETERS = {"d": D, "w*": W_STAR, "lam": LEARNING_RATE, "updates": STEPS, "cells": CELLS}

REACHES, ELSEWHERE, STAYS = 0, 1, 2
_SHADES = ("#ffffff", "#F3C766", "#8c8c8c")
_KINDS = {
    "stays all active": (BLUE, "solid", "o"),
    "loses a sample for good": (VERMILION, "dashed", "s"),
    "gains its sample": (GREEN, "dashdot", "^"),
    "never gains it": (BLACK, "dotted", "D"),
    "dead, does not move": (BLACK, "none", "x"),
}


@dataclass(frozen=True, eq=False)
class Data:
    """trajectories: kind -> weights (T + 1, n, 2) and active fractions (T + 1, n).

    starts: the centres of the cells, (rows, columns, 2); outcome: where descent from each ends, (rows, columns).
    """

    trajectories: dict[str, tuple[FloatArray, FloatArray]]
    starts: FloatArray
    outcome: IntArray


def data() -> Data:
    """Simulate the chosen starts and one start in every cell of the plane."""
    problem = GridProblem(D)
    runs = {kind: descend(problem, starts, learning_rate=LEARNING_RATE, steps=STEPS) for kind, starts in STARTS.items()}
    starts = _centres()
    return Data(
        {kind: (run.weights, run.active_fraction) for kind, run in runs.items()},
        starts,
        outcomes(starts.reshape(-1, 2)).reshape(starts.shape[:2]),
    )


def outcomes(starts: FloatArray) -> IntArray:
    """Where full-batch descent from each of (B, 2) starts ends: at w*, elsewhere, or where it began.

    Raises ArithmeticError if one has neither reached w* nor come to rest after STEPS updates.
    """
    problem, w = GridProblem(D), starts.copy()
    stride = 20
    moving = np.arange(len(w))
    for _ in range(0, STEPS, stride):
        run = descend(problem, w[moving], learning_rate=LEARNING_RATE, steps=stride, record_loss=False)
        w[moving] = run.final
        moving = moving[np.abs(run.gradients[-1]).max(axis=1) > 1e-9]
        if not len(moving):
            break
    arrived = np.linalg.norm(w - np.array(W_STAR), axis=1) < 1e-5
    unsettled = int((~arrived[moving]).sum())
    if unsettled:
        raise ArithmeticError(f"{unsettled} starts neither reached w* nor came to rest in {STEPS} updates")
    unmoved = (w == starts).all(axis=1)
    return np.where(arrived, REACHES, np.where(unmoved, STAYS, ELSEWHERE))


def _centres() -> FloatArray:
    across, up = (
        low + (np.arange(count) + 0.5) * (high - low) / count for (low, high), count in zip(LIMITS, CELLS, strict=True)
    )
    return np.stack(np.meshgrid(across, up), axis=-1)


def regions(reach: float = 20.0) -> dict[str, list[FloatArray]]:
    """Corners (n, 2) of the regions of the plane, cut off at |w_1| = reach; w = (w_0, w_1), d = (d_0, d_1), w* = e0.

    all active: w_0 (1 - d_0) > |w_1| d_1; dead: -w_0 (1 - d_0) >= |w_1| d_1; kept: |w_1| d_1 < (1 - d_0) min(w_0, 1),
    never left for 2 lam (1 + d_0^2) <= 1; trap (d_0 = 0): w_0 <= |w_1| d_1 and w_0 + |w_1| d_1 >= 1, never left for
    lam (1 + d_1^2) <= 1.
    """
    slope, (half, apex) = D[1] / (1.0 - D[0]), (0.5, 0.5 / D[1])
    knee = 1.0 / slope
    far = slope * reach
    corners = {
        "all active": [[(0, 0), (far, reach), (2 * far, 0), (far, -reach)]],
        "dead": [[(0, 0), (-far, reach), (-2 * far, 0), (-far, -reach)]],
        "kept": [[(0, 0), (1, knee), (reach, knee), (reach, -knee), (1, -knee)]],
        "trap": [
            [(half, side * apex), (D[1] * reach, side * reach), (1 - D[1] * reach, side * reach)] for side in (1, -1)
        ],
    }
    return {name: [np.array(part, dtype=np.float64) for part in parts] for name, parts in corners.items()}


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left the regions with trajectories, right the fate of every start."""
    shown = shown or data()
    figure, axes = panels(TITLES["activity-map"], [["a", "b"]], 5.2)
    _trajectories(axes["a"], shown)
    _fates(axes["b"], shown)
    for panel in axes.values():
        panel.plot(*W_STAR, color=BLACK, marker="*", ms=10, ls="none", zorder=6)
        panel.annotate("$w^{\\ast}$", W_STAR, (7, 3), textcoords="offset points")
        panel.set(xlim=LIMITS[0], ylim=LIMITS[1], xlabel="$w_0$", ylabel="$w_1$", aspect="equal", anchor="N")
    note(
        figure,
        rf"$d={numbers(D)}$, so that the grid is two samples, $(1,\pm d_1)$; $\lambda={LEARNING_RATE:g}$, "
        "full batch. "
        "Open markers: where a trajectory ends.",
    )
    return figure


def _trajectories(axes: Axes, shown: Data) -> None:
    heading(axes, "a", "active samples, and some trajectories")
    areas = regions()
    axes.set_facecolor("#ececec")
    for name, shade in (("all active", "white"), ("dead", "#bdbdbd")):
        for corners in areas[name]:
            axes.add_patch(Polygon(corners, facecolor=shade, edgecolor=BLACK, lw=0.8))
    for name, at, angle in (
        ("all active", (2.6, -0.35), 0),
        ("half active", (-1.0, 3.5), 0),
        ("half active", (-1.0, -3.6), 0),
        ("dead", (-1.75, -0.2), 0),
    ):
        axes.annotate(name, at, rotation=angle, color="#404040", fontstyle="italic")
    for kind, (weights, _) in shown.trajectories.items():
        color, line, marker = _KINDS[kind]
        for row in range(weights.shape[1]):
            path = weights[:, row]
            axes.plot(*path.T, color=color, ls=line, lw=1.1, zorder=4)
            first = slice(0, 1) if kind.startswith("dead") else slice(0, 8)
            axes.plot(*path[first].T, color=color, ls="none", marker=marker, ms=3.4 if marker != "x" else 5.5, zorder=5)
            if kind != "dead, does not move":
                axes.plot(*path[-1], color=color, ls="none", marker=marker, ms=5, mfc="white", zorder=5)
    handles = [
        Line2D([], [], color=color, ls=line, marker=marker, ms=4, label=kind)
        for kind, (color, line, marker) in _KINDS.items()
    ]
    legend_below(axes, handles=handles)


def _fates(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "where descent from each start ends")
    extent = (*LIMITS[0], *LIMITS[1])
    axes.imshow(
        shown.outcome,
        origin="lower",
        extent=extent,
        cmap=ListedColormap(_SHADES),
        vmin=-0.5,
        vmax=2.5,
        interpolation="nearest",
    )
    axes.annotate(
        "all active at first,\nthen a sample is lost",
        (2.55, 3.75),
        (1.75, 2.25),
        arrowprops={"arrowstyle": "->", "lw": 0.8, "shrinkA": 1, "shrinkB": 0, "relpos": (0.4, 1.0)},
    )
    areas = regions()
    outlines = {"kept": (BLUE, "solid", 1.4), "trap": (VERMILION, "dashed", 1.4), "all active": (BLACK, "dotted", 1.1)}
    labels = {
        "kept": "never left: $|w_1|\\,d_1<(1-d_0)\\min(w_0,1)$",
        "trap": "never left: $w_0\\leq|w_1|\\,d_1$, $w_0+|w_1|\\,d_1\\geq1$",
        "all active": "border of all active: $w_0(1-d_0)=|w_1|\\,d_1$",
    }
    for name, (color, line, width) in outlines.items():
        for corners in areas[name]:
            axes.add_patch(Polygon(corners, facecolor="none", edgecolor=color, ls=line, lw=width))
    fates = ("ends at $w^{\\ast}$", "ends elsewhere", "does not move")
    handles: list[Artist] = [
        Patch(facecolor=shade, edgecolor=BLACK, lw=0.6, label=fate) for shade, fate in zip(_SHADES, fates, strict=True)
    ]
    handles += [
        Line2D([], [], color=color, ls=line, lw=width, label=labels[name])
        for name, (color, line, width) in outlines.items()
    ]
    legend_below(axes, handles=handles)
