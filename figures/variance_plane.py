"""Variance over the correlation of weights and of inputs: the cells of Table 1 are the corners (after Schneider, 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from figures.catalogue import TITLES
from figures.style import BLACK, GREY, heading, panels, styled
from sim.arrays import FloatArray
from sim.layer_variance import Stack, measure
from theory.claims.observe.layer_variance.wide import handed_on
from theory.derive.layer_variance.one_layer import EQUICORRELATED
from theory.evaluate import value

K = 2
DEPTH = 4
GRID = 61
CHECKS = ((0.0, 0.0), (0.0, 1.0), (0.5, 0.5), (1.0, 0.0), (1.0, 1.0), (0.25, 0.75))
"""(rho_w, rho_x) at which networks are drawn too."""
CHANNELS = 32
DRAWS = 600
SEED = 11
PARAMETERS = {"k": K, "Var[w]": 2 / K**2, "depth": DEPTH, "channels": CHANNELS, "networks": DRAWS}


@dataclass(frozen=True, eq=False)
class Data:
    """Var over that of uncorrelated weights and inputs; rho (GRID,), rows rho_x, columns rho_w.

    one, deep: after 1 layer and after DEPTH layers in the wide limit (GRID, GRID). measured, errors: of drawn networks
    at CHECKS, one row for each of the two depths.
    """

    rho: FloatArray
    one: FloatArray
    deep: FloatArray
    measured: FloatArray
    errors: FloatArray


def limit(rho_w: float, rho_x: float, depth: int) -> float:
    """Var[y_depth] in the wide limit over its value at rho_w = rho_x = 0."""
    between = handed_on(K**2, rho_w, rho_x, depth)[1:]
    return float(np.prod(1 + (K**2 - 1) * rho_w * between))


def data() -> Data:
    """Evaluate the closed forms on a grid; draw networks at a few points of it."""
    rho = np.linspace(0.0, 1.0, GRID)
    at = {"n": K**2, "v": 1.0, "second_x": 1.0 / K**2, "rho_w": rho[None, :], "rho_x": rho[:, None]}
    one = value(EQUICORRELATED.rhs, at, exact=False)
    deep = np.array([[limit(w, x, DEPTH) for w in rho] for x in rho])
    measured, errors = np.zeros((2, len(CHECKS))), np.zeros((2, len(CHECKS)))
    for column, rng in enumerate(np.random.default_rng(SEED).spawn(len(CHECKS))):
        found = measure(_stack(*CHECKS[column]), DRAWS, rng)
        for row, layer in enumerate((1, DEPTH)):
            measured[row, column] = found.second[layer - 1] / 2
            errors[row, column] = found.second_error[layer - 1] / 2
    return Data(rho, np.asarray(one), deep, measured, errors)


def _stack(rho_w: float, rho_x: float) -> Stack:
    # at v = 2/k^2 uncorrelated networks keep Var[y_l] = 2 E[x_0^2]
    return Stack(
        K,
        DEPTH,
        border="disjoint",
        v=2 / K**2,
        weight_correlation=rho_w,
        input_correlation=rho_x,
        channels=CHANNELS,
        input_channels=CHANNELS,
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left one layer, right DEPTH layers; the corners are the cells of Table 1."""
    shown = shown or data()
    figure, axes = panels(TITLES["variance-plane"], [["a", "b"]], 4.4)
    _plane(axes["a"], shown, 0, "one layer", (1.25, 1.5, 2, 2.5, 3))
    _plane(axes["b"], shown, 1, f"{DEPTH} layers", (2, 5, 10, 20, 50, 100))
    handles = [
        Line2D([], [], color=GREY, lw=0.9, label="Var$[y_l]$, that of cell (D) being 1; colour: its logarithm"),
        Line2D([], [], color=GREY, marker="o", ls="none", ms=8, label=f"measured, {DRAWS} networks"),
    ]
    caption = f"$k={K}$, {CHANNELS} channels, windows share no input; (b) drawn in the limit of many channels"
    figure.legend(handles=handles, loc="outside lower left", ncols=2, alignment="left", title=caption)
    return figure


def _plane(axes: Axes, shown: Data, row: int, text: str, levels: tuple[float, ...]) -> None:
    heading(axes, "ab"[row], text)
    plane = (shown.one, shown.deep)[row]
    look: dict[str, Any] = {"cmap": "viridis", "norm": LogNorm(1.0, float(plane.max()))}
    image = axes.imshow(plane, origin="lower", extent=(0, 1, 0, 1), interpolation="bilinear", **look)
    lines = axes.contour(shown.rho, shown.rho, plane, levels=levels, colors="white", linewidths=0.7)
    middle = GRID * (4, 3)[row] // 5
    places = [(float(np.interp(level, plane[middle], shown.rho)), float(shown.rho[middle])) for level in levels]
    axes.clabel(lines, fmt="%g", fontsize=7.5, manual=[place for place in places if 0 < place[0] < 1])
    points = np.array(CHECKS)
    axes.scatter(
        points[:, 0],
        points[:, 1],
        c=shown.measured[row],
        s=75,
        edgecolors="white",
        linewidths=1.2,
        clip_on=False,
        zorder=5,
        **look,
    )
    for name, (x, y) in _CORNERS.items():
        value_there = plane[-1 if y else 0, -1 if x else 0]
        right, top = x == 1, y == 1
        # a rim in the colour of the corner, so that no contour runs through the text
        rim = withStroke(linewidth=3.0, foreground=image.cmap(image.norm(value_there)))
        axes.annotate(
            f"({name}) {value_there:.3g}",
            (x, y),
            (-9 if right else 9, -10 if top else 9),
            textcoords="offset points",
            ha="right" if right else "left",
            va="center",
            color=BLACK if value_there > 0.6 * plane.max() else "white",
            fontweight="bold",
            fontsize=8.5,
            path_effects=[rim],
        )
    axes.set(xlabel=r"correlation of the weights, $\rho_w$", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    if row == 0:
        axes.set_ylabel(r"correlation of the inputs, $\rho_x$")


_CORNERS = {"D": (0, 0), "B": (0, 1), "C": (1, 0), "A": (1, 1)}
"""rho_w and rho_x of the cells of Table 1."""
