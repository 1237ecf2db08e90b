"""Theorem 1 (Schneider, Eqs. 3 and 4): each coordinate over updates, simulated, in closed form, and as printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.catalogue import TITLES
from figures.style import GREY, LOOKS, heading, panels, styled
from sim.arrays import FloatArray
from sim.descent import descend
from sim.problem import GridProblem
from theory.derive.single_filter.theorem_1 import PRINTED_E4, TRUE_E3, TRUE_E4
from theory.evaluate import value
from theory.symbols import gap, steps, w

D = (0.25, 0.75, 0.5, 0.25)
START = (0.7, -0.25, 0.3, 0.6)
W_STAR = (1.0, 0.0, 0.0, 0.0)
LEARNING_RATE = 0.25
STEPS = 40
FLOOR = -1.0
"""Panel (a) is clipped here: printed Eq. (4) takes a negative weight to minus infinity."""
SEED = None
PARAMETERS = {"d": D, "start": START, "w*": W_STAR, "lam": LEARNING_RATE, "updates": STEPS}


@dataclass(frozen=True, eq=False)
class Data:
    """Weights (T + 1, p) by three roads; `printed` is NaN once a weight has passed -1e6."""

    simulated: FloatArray
    closed_form: FloatArray
    printed: FloatArray


def data() -> Data:
    """Simulate; evaluate the closed form; iterate Eq. (3) with printed Eq. (4)."""
    run = descend(GridProblem(D), START, learning_rate=LEARNING_RATE, steps=STEPS)
    return Data(run.weights[:, 0], _closed_form(), _printed())


def _values(weights: FloatArray, **more: object) -> dict[str, object]:
    return {"w": weights, "d": np.array(D), "lam": LEARNING_RATE, "w0_star": 1.0, **more}


def _closed_form() -> FloatArray:
    """w*_0 - (w*_0 - w_0)(1 - 2 lam (1 + d_0^2))^k and w_i (1 - 2 lam d_i^2)^k, from the derived one-step rules."""
    factor_0 = sp.cancel((sp.Symbol("w0_star", real=True) - TRUE_E3.rhs) / gap)
    factor_i = sp.cancel(TRUE_E4.rhs / w[sp.Symbol("i", integer=True, positive=True)])
    at = _values(np.array(START), steps=np.arange(STEPS + 1))
    columns = [1.0 - value(gap * factor_0**steps, at, exact=False)]
    for i in range(1, len(D)):
        columns.append(START[i] * value(factor_i**steps, {**at, "i": i}, exact=False))
    return np.stack(columns, axis=1)


def _printed() -> FloatArray:
    weights = np.full((STEPS + 1, len(D)), np.nan)
    weights[0] = START
    for k in range(STEPS):
        at = _values(weights[k])
        weights[k + 1, 0] = value(TRUE_E3.rhs, at, exact=False)
        for i in range(1, len(D)):
            following = value(PRINTED_E4.rhs, {**at, "i": i}, exact=False)
            weights[k + 1, i] = following if following > -1e6 else np.nan
    return weights


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left the weights, right their errors on a logarithmic scale."""
    shown = shown or data()
    figure, axes = panels(TITLES["theorem-1"], [["a", "b"]], 3.9)
    _weights(axes["a"], shown)
    _errors(axes["b"], shown)
    figure.legend(handles=_handles(), loc="outside lower left", ncols=4)
    return figure


def _handles() -> list[Line2D]:
    handles = [
        Line2D([], [], **look.points, label=f"$w_{i}$, $d_{i}={half_width:g}$")
        for i, (look, half_width) in enumerate(zip(LOOKS, D, strict=True))
    ]
    closed = Line2D([], [], color=GREY, ls="solid", label="closed form")
    printed = [
        Line2D([], [], color=LOOKS[i].color, ls=style, label=f"$w_{i}$, printed Eq. (4)")
        for i, style in _PRINTED.items()
    ]
    return [*handles, closed, *printed]


_PRINTED: Mapping[int, Any] = {1: (0, (5, 1.5)), 2: (0, (5, 1.5, 1, 1.5)), 3: (0, (1, 1.2))}


def _weights(axes: Axes, shown: Data) -> None:
    heading(axes, "a", f"weights; markers simulated, $\\lambda={LEARNING_RATE:g}$ (clipped at {_minus(FLOOR)})")
    _curves(axes, shown, lambda weights: weights)
    axes.annotate("$w_1\\to-\\infty$", (0.5, 0.03), xycoords="axes fraction", color=LOOKS[1].color)
    axes.set(xlim=(0, STEPS), ylim=(FLOOR, 1.1), xlabel="update $k$", ylabel="$w_i$")


def _errors(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "distance from $w_i^{\\ast}$")
    _curves(axes, shown, lambda weights: np.abs(weights - np.array(W_STAR)))
    axes.set(yscale="log", xlim=(0, STEPS), ylim=(1e-6, 10), xlabel="update $k$", ylabel="$|w_i-w_i^{\\ast}|$")


def _curves(axes: Axes, shown: Data, of: Callable[[FloatArray], FloatArray]) -> None:
    updates = np.arange(STEPS + 1)
    simulated, closed_form, printed = (of(road) for road in (shown.simulated, shown.closed_form, shown.printed))
    for i, look in enumerate(LOOKS):
        axes.plot(updates, closed_form[:, i], color=look.color, lw=1.0)
        axes.plot(updates[::3], simulated[::3, i], **look.points)
        if i > 0:
            axes.plot(updates, printed[:, i], color=look.color, ls=_PRINTED[i])


def _minus(number: float) -> str:
    return f"{number:g}".replace("-", "\u2212")
