"""Table 1 (Schneider, Section 4): variance by depth in its four cells, exact, as printed, and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.catalogue import TITLES
from figures.style import BLACK, GREY, LOOKS, heading, panels, styled
from sim.arrays import FloatArray
from sim.layer_variance import Stack, measure
from theory.derive.layer_variance.cell_c import GAUSSIAN
from theory.derive.layer_variance.depth import DEPTH_A, DEPTH_B, PRINTED_T1A, PRINTED_T1B
from theory.evaluate import value

K = 2
DEPTH = 5
V = 2 / K**2
DRAWS = {"A": 200_000, "B": 200_000, "C": 20_000, "D": 200_000}
"""Networks; windows that share no input are costly, and need fewer."""
SEED = 4
PARAMETERS = {"k": K, "Var[w]": V, "E[x_0^2]": 1, "networks": tuple(DRAWS.values())}

CORRELATED: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"A": (1.0, 1.0), "B": (0.0, 1.0), "C": (1.0, 0.0), "D": (0.0, 0.0)}
)
"""Correlation of weights and of inputs."""
_EXACT = {"A": DEPTH_A, "B": DEPTH_B, "C": GAUSSIAN, "D": DEPTH_B}
_PRINTED = {"A": PRINTED_T1A, "B": PRINTED_T1B, "C": PRINTED_T1B, "D": PRINTED_T1B}
_CAPTIONS = {
    "A": "inputs and weights correlated",
    "B": "inputs correlated, weights not",
    "C": "weights correlated, inputs not",
    "D": "neither correlated",
}


@dataclass(frozen=True, eq=False)
class Data:
    """Var[y_l] for l = 1, ..., DEPTH in each cell: closed form, Table 1, and measured with standard errors."""

    exact: dict[str, FloatArray]
    printed: dict[str, FloatArray]
    measured: dict[str, FloatArray]
    errors: dict[str, FloatArray]


def data() -> Data:
    """Draw networks with weights and inputs of each cell; evaluate what is derived and what is printed."""
    shown = Data({}, {}, {}, {})
    depths = np.arange(1, DEPTH + 1)
    for name, rng in zip(CORRELATED, np.random.default_rng(SEED).spawn(len(CORRELATED)), strict=True):
        found = measure(_stack(name), DRAWS[name], rng)
        shown.measured[name], shown.errors[name] = found.second, found.second_error
        first = V * K**2 * (K**2 if name == "A" else 1)
        at = {"k": K, "v": V, "l": depths, "var_1": first}
        shown.exact[name] = value(_EXACT[name].rhs, at, exact=False)
        shown.printed[name] = value(_PRINTED[name].rhs, at, exact=False)
    return shown


def _stack(name: str) -> Stack:
    """Weights +-sqrt(v), which leave the smallest standard errors; Gaussian inputs; in (C), windows share no input."""
    weights, inputs = CORRELATED[name]
    border: dict[str, Any] = {"border": "disjoint"} if name == "C" else {"border": "circular", "size": K}
    return Stack(K, DEPTH, v=V, weight_law="signs", weight_correlation=weights, input_correlation=inputs, **border)


@styled
def draw(shown: Data | None = None) -> Figure:
    """One panel for each cell, on one logarithmic scale."""
    shown = shown or data()
    figure, axes = panels(TITLES["table-1"], [["A", "B"], ["C", "D"]], 5.4, sharex=True, sharey=True)
    for look, name in zip(LOOKS, CORRELATED, strict=True):
        _cell(axes[name], shown, name, look.color)
    for name in "AC":
        axes[name].set_ylabel("Var$[y_l]$")
    handles = [
        Line2D([], [], color=BLACK, marker="o", ls="none", mfc="white", label="measured, 4 standard errors"),
        Line2D([], [], color=BLACK, label="derived"),
        Line2D([], [], color=BLACK, ls=_DASHES, label="Table 1"),
    ]
    figure.legend(
        handles=handles,
        loc="outside lower left",
        ncols=3,
        alignment="left",
        title=f"correlated: perfectly; $k={K}$, $v=$ Var$[w]=2/k^2$, $E[x_0^2]=1$",
    )
    return figure


_DASHES: Any = (0, (5, 1.5))


def _cell(axes: Axes, shown: Data, name: str, color: str) -> None:
    depths = np.arange(1, DEPTH + 1)
    heading(axes, name.lower(), f"cell ({name}): {_CAPTIONS[name]}")
    if name == "C":
        axes.fill_between(depths, shown.exact["A"] / K**2, shown.exact["D"], color=GREY, alpha=0.14, lw=0)
        axes.annotate("Var$[y_1]\\,(k^4v/2)^{l-1}$", (depths[-1], shown.exact["A"][-1] / K**2), (-4, -4), **_LABEL)
        axes.annotate("Var$[y_1]\\,(k^2v/2)^{l-1}$", (depths[-1], shown.exact["D"][-1]), (-4, 6), **_LABEL)
    axes.plot(depths, shown.exact[name], color=color)
    axes.plot(depths, shown.printed[name], color=color, ls=_DASHES)
    axes.errorbar(
        depths,
        shown.measured[name],
        4 * shown.errors[name],
        color=color,
        marker="o",
        mfc="white",
        ls="none",
        elinewidth=0.9,
    )
    axes.set(yscale="log", xlim=(0.8, DEPTH + 0.25), xticks=depths, xlabel="layer $l$")


_LABEL: Any = {"textcoords": "offset points", "ha": "right", "color": "#404040", "fontsize": 8.0}
