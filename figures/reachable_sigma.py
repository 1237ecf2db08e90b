"""What L layers with singular values in [1/(1+eps), 1+eps] reach (Jia et al., Section 4.1), and what training does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import GREY, LOOKS, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from sim.linear_modes import descend_modes
from theory.derive.deep_linear.reach import HIGH, LOW
from theory.evaluate import value

BANDS = (1.0, 0.5, 0.2, 0.05)
DEPTHS = (1, 2, 3, 5)
FURTHEST = 64
"""The largest depth shown."""
SIGMAS = (100.0, 10.0, 2.0)
USED = (0.5, 0.05)
"""Values of eps that the paper trains with."""
GOAL, LAYERS, BAND, RATE, UPDATES = 4.0, 3, 0.2, 0.01, 150
"""Panel (c)."""
EVERY = (1, 25)
SEED = None
PARAMETERS = {
    "eps": BANDS,
    "sigma": SIGMAS,
    "panel c": {"sigma": GOAL, "L": LAYERS, "eps": BAND, "lam": RATE, "projected every": EVERY},
}

_NOTE = (
    "Markers in (a): where gradient descent on Eq. (10) with a projection after every update stops, for a $\\sigma$ "
    "out of reach. (b): $\\max(\\sigma, 1/\\sigma)^{1/L}-1$; dots:\n$\\log(\\sigma)/L$; grey: values of $\\epsilon$ in "
    f"the paper. (c): $\\sigma={GOAL:g}$, $L={LAYERS}$, $\\epsilon={BAND:g}$, $\\lambda={RATE:g}$, from $s=1$; "
    f"the interval ends at $(1+\\epsilon)^3={(1 + BAND) ** LAYERS:.3f}$."
)


@dataclass(frozen=True, eq=False)
class Data:
    """depths (n,); ends: eps -> interval (2, n), by the derived formula; stops: eps -> where descent stops (2, 4).

    least: sigma -> the least eps (n,). runs: updates from one projection to the next (0: none) -> product (T + 1,).
    """

    depths: FloatArray
    ends: dict[float, FloatArray]
    stops: dict[float, FloatArray]
    least: dict[float, FloatArray]
    runs: dict[int, FloatArray]


def data() -> Data:
    """Evaluate the derived interval and train outside it."""
    depths = np.geomspace(1, FURTHEST, 200)
    ends = {
        eps: np.array([value(end, {"eps": eps, "depth": depths}, exact=False) for end in (LOW, HIGH)]) for eps in BANDS
    }
    return Data(
        depths,
        ends,
        {eps: np.array([_stops(eps, depth) for depth in DEPTHS]).T for eps in BANDS},
        {sigma: sigma ** (1 / depths) - 1 for sigma in SIGMAS},
        {every: _run(every) for every in (0, *EVERY)},
    )


def _stops(eps: float, depth: int) -> FloatArray:
    """The products at which descent from s = 1 stops when sigma is far below, and far above the interval."""
    top = 1 + eps
    sigma = np.array([0.0, 2.0 * top**depth])
    rate = 0.9 * top ** (2 - 2 * depth)
    steps = 2 + int((top - 1 / top) * top ** (2 * depth - 1) / rate)
    run = descend_modes(np.ones((depth, 2)), sigma, learning_rate=rate, steps=steps, band=eps)
    return np.asarray(run.products[-1])


def _run(every: int) -> FloatArray:
    """The product after each update, and after the projection where one is due."""
    band, start = (BAND if every else None), np.ones(LAYERS)
    return descend_modes(
        start, GOAL, learning_rate=RATE, steps=UPDATES, record_every=1, band=band, band_every=max(every, 1)
    ).products


@styled
def draw(shown: Data | None = None) -> Figure:
    """The interval over depth, the least eps over depth, and training towards a sigma outside."""
    shown = shown or data()
    figure, axes = panels(TITLES["reachable-sigma"], [["a", "b", "c"]], 3.9)
    _interval(axes["a"], shown)
    _least(axes["b"], shown)
    _training(axes["c"], shown)
    note(figure, _NOTE)
    return figure


def _interval(axes: Axes, shown: Data) -> None:
    heading(axes, "a", "reachable $\\sigma$")
    for look, (eps, ends) in zip(LOOKS, shown.ends.items(), strict=True):
        axes.fill_between(shown.depths, *ends, color=look.color, alpha=0.10, lw=0)
        axes.plot(shown.depths, ends[1], **look.line, label=f"$\\epsilon={eps:g}$")
        axes.plot(shown.depths, ends[0], **look.line)
        for stops in shown.stops[eps]:
            axes.plot(DEPTHS, stops, **look.points)
    axes.axhline(1.0, color=GREY, lw=0.6)
    axes.set(xscale="log", yscale="log", xlim=(0.93, FURTHEST), ylim=(1e-4, 1e4))
    _depth_axis(axes)
    axes.set_ylabel("$\\sigma$")
    legend_below(axes, columns=2)


def _least(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "least $\\epsilon$")
    for look, (sigma, least) in zip(LOOKS, shown.least.items(), strict=False):
        axes.plot(shown.depths, least, **look.line, label=f"$\\sigma={sigma:g}$ or $1/{sigma:g}$")
        axes.plot(shown.depths, np.log(sigma) / shown.depths, color=look.color, ls=(0, (1, 2)), lw=0.9)
    for eps, at, side in zip(USED, (FURTHEST, 1), ("right", "left"), strict=True):
        axes.axhline(eps, color=GREY, lw=0.8)
        axes.annotate(f"{eps:g}", (at, eps), xytext=(0, 2), textcoords="offset points", ha=side, color=GREY)
    axes.set(xscale="log", yscale="log", xlim=(0.93, FURTHEST), ylim=(8e-3, 150))
    _depth_axis(axes)
    axes.set_ylabel("$\\epsilon$")
    legend_below(axes)


def _training(axes: Axes, shown: Data) -> None:
    heading(axes, "c", "training, $\\sigma$ out of reach")
    names = {0: "no projection", 1: "after every update", 25: "every 25 updates"}
    axes.axhspan((1 + BAND) ** -LAYERS, (1 + BAND) ** LAYERS, color=LOOKS[2].color, alpha=0.10, lw=0)
    axes.axhline(GOAL, color=GREY, lw=0.8, ls="dotted")
    axes.annotate("$\\sigma$", (UPDATES, GOAL), xytext=(-2, 2), textcoords="offset points", ha="right", color=GREY)
    for look, (every, product) in zip(LOOKS, shown.runs.items(), strict=False):
        axes.plot(np.arange(UPDATES + 1), product, **look.line, label=names[every])
    axes.set(xlim=(0, UPDATES), ylim=(0, 4.6), xlabel="update", ylabel="$s^1 s^2 s^3$")
    legend_below(axes)


def _depth_axis(axes: Axes) -> None:
    ticks = (1, 2, 4, 8, 16, 32, 64)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("layers $L$")
