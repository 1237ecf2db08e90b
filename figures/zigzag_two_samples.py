"""Two samples, two weights (Schneider, Fig. 3): per-sample updates in turn go straight, then zig-zag."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, GREY, LOOKS, heading, numbers, panels, styled
from sim.arrays import FloatArray
from sim.descent import Trajectory, descend
from sim.problem import SampleProblem
from sim.samples import SampleSet, linear_targets
from sim.zigzag import sign_changes_per_coordinate

W_STAR = (0.8, 0.6)
SAMPLES = ((0.82, 0.74), (0.1, 1.1))
START = (0.75, 2.4)
LEARNING_RATE = 0.2
STEPS = 16
SEED = None
PARAMETERS = {"X, X'": SAMPLES, "w*": W_STAR, "start": START, "lam": LEARNING_RATE, "updates": STEPS}

ORDERS = {"cyclic": "samples in turn", "full": "full batch"}
_LOOK = dict(zip(ORDERS, LOOKS[:2], strict=True))


@dataclass(frozen=True, eq=False)
class Frame:
    """Descent of both orders in one frame: samples (2, p), w* (2,), order -> trajectory."""

    samples: SampleSet
    w_star: FloatArray
    runs: dict[str, Trajectory]

    def weights(self, order: str) -> FloatArray:
        """(T + 1, 2)."""
        return self.runs[order].weights[:, 0]

    def flips(self, order: str) -> FloatArray:
        """Sign changes of each gradient coordinate between updates, (T - 1, 2)."""
        return sign_changes_per_coordinate(self.runs[order].gradients[:, 0])

    def flips_in_eigenframe(self, order: str) -> FloatArray:
        """The same for the gradient in the frame of the eigenvectors of E[X X^T], (T - 1, 2)."""
        _, axes = np.linalg.eigh(self.samples.second_moment)
        return sign_changes_per_coordinate(self.runs[order].gradients[:, 0] @ axes)

    @property
    def crossing(self) -> int:
        """The first update at which the two samples' residuals differ in sign: w is between the normals."""
        residuals = self.samples.y - self.weights("cyclic") @ self.samples.X.T
        return int(np.argmax(np.prod(np.sign(residuals), axis=1) < 0))


@dataclass(frozen=True, eq=False)
class Data:
    """The same descent in the frame of the pixels and in the frame rotated so that w* = e0.

    rotation: (2, 2), rotated = pixels @ rotation. steepness: 2 lam h_max of the full batch.
    """

    pixels: Frame
    rotated: Frame
    rotation: FloatArray
    steepness: float


def data() -> Data:
    """Simulate both orders in both frames, each in its own coordinates."""
    star = np.array(W_STAR)
    along = star / np.linalg.norm(star)
    rotation = np.array([along, [-along[1], along[0]]]).T
    pixels = _descend(np.array(SAMPLES), star, np.array(START))
    rotated = _descend(np.array(SAMPLES) @ rotation, star @ rotation, np.array(START) @ rotation)
    largest = float(np.linalg.eigvalsh(pixels.samples.second_moment)[-1])
    return Data(pixels, rotated, rotation, 2 * LEARNING_RATE * largest)


def _descend(X: FloatArray, w_star: FloatArray, start: FloatArray) -> Frame:
    samples = linear_targets(X, w_star)
    problem = SampleProblem(samples)
    runs = {order: descend(problem, start, learning_rate=LEARNING_RATE, steps=STEPS, order=order) for order in ORDERS}
    return Frame(samples, w_star, runs)


@styled
def draw(shown: Data | None = None) -> Figure:
    """Both frames, the coordinates over updates, and the distance to w*."""
    shown = shown or data()
    figure, axes = panels(
        TITLES["zigzag-two-samples"], [["a", "b", "c"], ["a", "b", "d"]], 4.0, width_ratios=(1.0, 1.0, 1.125)
    )
    heading(axes["a"], "a", rf"pixels: $w^{{\ast}}={numbers(W_STAR)}$")
    heading(axes["b"], "b", rf"rotated: $w^{{\ast}}={numbers(shown.rotated.w_star.round(12))}$")
    _plane(axes["a"], shown.pixels, (-0.1, 0.45))
    _plane(axes["b"], shown.rotated, (0.65, -0.25))
    _coordinates(axes["c"], shown.rotated)
    _distance(axes["d"], shown.rotated)
    handles = [*axes["a"].get_legend_handles_labels()[0], *axes["d"].get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside lower left", ncols=3)
    return figure


def _plane(axes: Axes, frame: Frame, corner: tuple[float, float]) -> None:
    reach = np.array([-3.0, 3.0])
    for X, primes, style in zip(frame.samples.X, ("", "\u2032"), ("dotted", (0, (4, 2))), strict=True):
        normal = np.array([-X[1], X[0]]) / np.linalg.norm(X)
        ends = frame.w_star + reach[:, None] * normal
        axes.plot(*ends.T, color=GREY, lw=1.0, ls=style, label=f"$(w-w^{{\\ast}})\\cdot X${primes} = 0")
    for order, name in ORDERS.items():
        look = _LOOK[order]
        axes.plot(*frame.weights(order).T, **look.with_markers, ms=2.8, lw=1.0, label=name)
    axes.plot(*frame.w_star, color=BLACK, marker="*", ms=10, ls="none", zorder=5)
    axes.annotate("$w^{\\ast}$", tuple(frame.w_star), (7, 1), textcoords="offset points")
    start = frame.weights("full")[0]
    axes.annotate("$w^{(0)}$", tuple(start), (3, 3), textcoords="offset points")
    axes.set(xlim=(corner[0], corner[0] + 1.55), ylim=(corner[1], corner[1] + 2.05))
    axes.set(xlabel="$w_0$", ylabel="$w_1$", aspect="equal", anchor="N")


def _coordinates(axes: Axes, frame: Frame) -> None:
    heading(axes, "c", rf"rotated coordinates, $\lambda={LEARNING_RATE:g}$")
    updates = np.arange(STEPS + 1)
    axes.axvline(frame.crossing, color=BLACK, lw=0.7, ls="dashdot")
    axes.axhline(0.0, color=GREY, lw=0.6)
    for i, height in ((1, 0.75), (0, 0.12)):
        for order in ORDERS:
            look = _LOOK[order]
            error = frame.weights(order)[:, i] - frame.w_star[i]
            axes.plot(updates, error, **look.with_markers, ms=2.8, lw=1.0)
        axes.annotate(f"$w_{i}-w_{i}^{{\\ast}}$", (9 if i else 4.6, height))
    axes.set(xlabel="update $k$", xlim=(0, STEPS))


def _distance(axes: Axes, frame: Frame) -> None:
    heading(axes, "d", "distance $|w-w^{\\ast}|$")
    axes.axvline(frame.crossing, color=BLACK, lw=0.7, ls="dashdot", label="from here on between the normals")
    for order in ORDERS:
        look = _LOOK[order]
        away = np.linalg.norm(frame.weights(order) - frame.w_star, axis=1)
        axes.plot(away, **look.with_markers, ms=2.8, lw=1.0)
    axes.set(xlabel="update $k$", xlim=(0, STEPS), ylim=(0.2, 2.2), yscale="log", yticks=(0.2, 0.5, 1, 2))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
