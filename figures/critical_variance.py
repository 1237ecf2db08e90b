"""The weight variance that keeps second moments, in units of He's: against R and against the inputs (X-NNGP)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, LOOKS, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from sim.correlation import critical_variance, equicorrelation, exponential_correlation
from sim.mean_field import relu_correlation

KERNEL = 3
RESPONSES = (0.0, 0.5, 0.9, 1.0)
"""Correlations of responses at any two positions of a window, before ReLU."""
GRID = 41
SEED = None
PARAMETERS = {"k": KERNEL, "correlations of responses": RESPONSES}


@dataclass(frozen=True, eq=False)
class Data:
    """weights (n,): correlation of any two weights. equal: correlation of responses -> v k^2/2 (n,).

    near (m,): correlation of neighbours. map (m, m): v k^2/2, weights' neighbours down, those of responses across.
    """

    weights: FloatArray
    equal: dict[float, FloatArray]
    near: FloatArray
    map: FloatArray


def data() -> Data:
    """Evaluate 2/sum_tu R_tu M_tu, M_tu = f(c_tu)."""
    p = KERNEL**2
    weights, near = np.linspace(0.0, 1.0, 101), np.linspace(0.0, 1.0, GRID)
    equal = {
        c: np.array([_ratio(equicorrelation(p, rho), equicorrelation(p, c)) for rho in weights]) for c in RESPONSES
    }
    by_distance = [exponential_correlation(KERNEL, rho) for rho in near]
    return Data(weights, equal, near, np.array([[_ratio(R, c) for c in by_distance] for R in by_distance]))


def _ratio(R: FloatArray, responses: FloatArray) -> float:
    """v* over He's 2/k^2."""
    return critical_variance(R, relu_correlation(responses)) * len(R) / 2


@styled
def draw(shown: Data | None = None) -> Figure:
    """Equal correlations, and correlations that fall with distance."""
    shown = shown or data()
    figure, axes = panels(TITLES["critical-variance"], [["a", "b"]], 3.9)
    heading(axes["a"], "a", "equal correlations of all pixels")
    heading(axes["b"], "b", "correlations $\\rho^{\\mathrm{distance}}$: $v/v_{\\mathrm{He}}$")
    _equal(axes["a"], shown)
    _map(axes["b"], shown)
    note(
        figure,
        f"$k={KERNEL}$; $v=2/\\Sigma_{{tu}}R_{{tu}}M_{{tu}}$, $M_{{tu}}=f(c_{{tu}})$ of responses with correlation "
        "$c_{tu}$ after ReLU; $v_{\\mathrm{He}}=2/k^2$. ReLU leaves a mean, so that even $c=0$ asks for less\n"
        "than He's variance. Grey: the range $[2/k^4,2/k^2]$ that the paper gives.",
    )
    return figure


def _equal(axes: Axes, shown: Data) -> None:
    axes.axhspan(1 / KERNEL**2, 1.0, color="#ececec", lw=0)
    for look, (c, ratio) in zip(LOOKS, shown.equal.items(), strict=True):
        axes.plot(shown.weights, ratio, **look.line, label=f"responses $c={c:g}$")
    axes.set(
        xlabel="correlation of weights $\\rho_w$",
        ylabel="$v/v_{\\mathrm{He}}$",
        yscale="log",
        xlim=(0, 1),
        ylim=(0.09, 1.1),
        yticks=[1 / 9, 0.2, 0.5, 1.0],
        yticklabels=["1/9", "0.2", "0.5", "1"],
    )
    axes.minorticks_off()
    legend_below(axes, columns=2)


def _map(axes: Axes, shown: Data) -> None:
    levels = [0.12, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]
    axes.contourf(shown.near, shown.near, shown.map, levels=[0.0, *levels, 1.0], cmap="Blues_r", vmin=-0.3, vmax=1.1)
    lines = axes.contour(shown.near, shown.near, shown.map, levels=levels, colors=BLACK, linewidths=0.7)
    axes.clabel(lines, fmt="%g", fontsize=8)
    axes.set(
        xlabel="neighbouring responses $c$",
        ylabel="neighbouring weights $\\rho$",
        xlim=(0, 1),
        ylim=(0, 1),
        aspect="equal",
    )
