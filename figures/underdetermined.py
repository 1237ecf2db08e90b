"""Fewer samples than weights (Schneider, Fig. 2): where descent on one sample ends, and what it never reaches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, heading, panels, styled
from sim.arrays import FloatArray
from sim.descent import descend
from sim.problem import SampleProblem
from sim.samples import linear_targets

SAMPLES = ((1.0, 0.5), (0.7, 1.0), (0.3, 1.1))
FILTER = (1.1, 0.3)
W_STAR = (0.2, 1.8)
STARTS = {"far": (1.9, 0.5), "span": (0.2, 0.1), "dead": (-0.55, 0.9)}
LEARNING_RATE = 0.2
STEPS = 120
SEED = None
PARAMETERS = {"X": SAMPLES[0], "w*": W_STAR, "starts": tuple(STARTS.values()), "lam": LEARNING_RATE, "updates": STEPS}


@dataclass(frozen=True, eq=False)
class Data:
    """Descent on the one sample X from each start.

    trajectories: start -> weights (T + 1, 2). sample (2,), target y. solution_point: the minimum-norm point of
    {w.X = y}. distance: |w_inf - w*| of the start "far".
    """

    sample: FloatArray
    target: float
    trajectories: dict[str, FloatArray]
    distance: float

    @property
    def minimum_norm(self) -> FloatArray:
        """y X/|X|^2, the point of {w.X = y} next to the origin."""
        return self.target * self.sample / float(self.sample @ self.sample)

    def projection(self, w: FloatArray) -> FloatArray:
        """The point of {w.X = y} next to w (2,): w + (y - w.X) X/|X|^2."""
        return w + (self.target - float(w @ self.sample)) * self.sample / float(self.sample @ self.sample)


def data() -> Data:
    """Simulate descent from every start."""
    samples = linear_targets([SAMPLES[0]], W_STAR)
    run = descend(SampleProblem(samples), list(STARTS.values()), learning_rate=LEARNING_RATE, steps=STEPS)
    trajectories = {name: run.weights[:, row] for row, name in enumerate(STARTS)}
    distance = float(np.linalg.norm(trajectories["far"][-1] - np.array(W_STAR)))
    return Data(samples.X[0], float(samples.y[0]), trajectories, distance)


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left the samples and the filter, right descent on the first sample."""
    figure, axes = panels(TITLES["underdetermined"], [["a", "b"]], 3.5, width_ratios=(0.8125, 1.0))
    _setup(axes["a"])
    _training(axes["b"], shown or data())
    return figure


def _setup(axes: Axes) -> None:
    heading(axes, "a", "three samples and the filter")
    for sample, primes in zip(SAMPLES, ("", "\u2032", "\u2033"), strict=True):
        _arrow(axes, sample, BLUE, "solid")
        _label(axes, f"$X${primes}", sample, (3, 2), BLUE)
    _arrow(axes, FILTER, VERMILION, "dashed")
    _label(axes, "$w$", FILTER, (4, -2), VERMILION)
    axes.set(xlim=(0, 1.4), ylim=(0, 1.4), xlabel="$w_0$,  $X_0$", ylabel="$w_1$,  $X_1$", aspect="equal")


def _arrow(axes: Axes, tip: tuple[float, float], color: str, linestyle: str) -> None:
    look = {"arrowstyle": "-|>", "color": color, "linestyle": linestyle, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", tip, (0, 0), arrowprops=look)


def _label(axes: Axes, text: str, at: object, offset: tuple[float, float], color: str) -> None:
    axes.annotate(text, tuple(np.asarray(at)), offset, textcoords="offset points", color=color)


def _training(axes: Axes, shown: Data) -> None:
    heading(axes, "b", rf"descent on $X$ alone, $\lambda={LEARNING_RATE:g}$, three starts")
    X, span = shown.sample, np.array([-1.0, 3.0])
    axes.plot(span, (shown.target - span * X[0]) / X[1], color=BLACK, lw=1.0, ls="dashed")
    axes.fill_between(span, -span * X[0] / X[1], -5.0, facecolor="#ececec", lw=0)
    axes.plot(span, span * X[1] / X[0], color=GREY, lw=0.8, ls="dotted")

    far, near, dead = (shown.trajectories[name] for name in ("far", "span", "dead"))
    axes.plot(*far.T, color=BLUE, marker="o", markevery=(0, 1), ms=3.2)
    axes.plot(*near.T, color=GREEN, ls=(0, (4, 1.5)), marker="^", ms=3.6)
    axes.plot(*dead[-1], color=VERMILION, marker="x", ms=6, mew=1.6, ls="none")
    axes.plot(*W_STAR, color=BLACK, marker="*", ms=11, ls="none")
    _right_angle(axes, far[-1], X)

    end, star = far[-1], np.array(W_STAR)
    axes.plot(*np.array([star, end]).T, color=ORANGE, lw=5, alpha=0.55, solid_capstyle="butt", zorder=1)
    _label(axes, f"$|w^{{(\\infty)}}-w^{{\\ast}}|={shown.distance:.2f}$", (end + star) / 2, (10, 2), BLACK)
    _label(axes, "$w^{\\ast}$", star, (8, 0), BLACK)
    _label(axes, "$w^{(0)}$", far[0], (5, -3), BLUE)
    _label(axes, "$w^{(\\infty)}$, the projection\nof $w^{(0)}$", (1.34, -0.04), (0, -15), BLUE)
    _label(axes, "along $X$: ends\nat least norm", (0.18, -0.02), (0, -15), GREEN)
    _label(axes, "dead: stays", dead[-1], (-12, -13), VERMILION)
    _label(axes, "$w\\cdot X\\leq 0$", (-0.74, -0.48), (0, 0), BLACK)
    _label(axes, "$w\\cdot X=y$", (-0.02, (shown.target + 0.02 * X[0]) / X[1]), (6, -4), BLACK)
    axes.set(xlim=(-0.8, 2.35), ylim=(-0.55, 2.3), xlabel="$w_0$", ylabel="$w_1$", aspect="equal")


def _right_angle(axes: Axes, corner: FloatArray, X: FloatArray) -> None:
    along = 0.08 * X / np.linalg.norm(X)
    across = np.array([-along[1], along[0]])
    path = np.array([corner + along, corner + along + across, corner + across])
    axes.plot(*path.T, color=BLACK, lw=0.7)
