"""Full-batch descent of 3x3, 5x5 and 7x7 filters, exact to the last of 2^49 samples, from partly to all active."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.catalogue import TITLES
from figures.style import GREY, LOOKS, heading, note, panels, styled
from sim.arrays import FloatArray
from sim.descent import Trajectory, descend
from sim.problem import GridProblem

SIZES = (3, 5, 7)
NARROWEST, WIDEST, D_0 = 0.1, 0.5, 0.2
W_0 = 0.15
LEARNING_RATE = 0.45
STEPS, SHOWN = 60, 14
SEED = 1
PARAMETERS = {
    "k": SIZES,
    "d_0": D_0,
    "d_i": f"uniform in [{NARROWEST}, {WIDEST}]",
    "w_0": W_0,
    "w_i": "N(0, 1/k^2)",
    "lam": LEARNING_RATE,
    "updates": STEPS,
}


@dataclass(frozen=True, eq=False)
class Run:
    """One filter: half-widths d (p,), its trajectory, and its errors (STEPS + 1, p) had all samples been active."""

    d: FloatArray
    path: Trajectory
    theorem: FloatArray

    @property
    def inactive(self) -> FloatArray:
        """Share of the 2^p samples that are not active, (STEPS + 1,)."""
        return np.asarray(1.0 - self.path.active_fraction[:, 0])

    @property
    def crossing(self) -> int:
        """The first update after which every sample is active, to the end."""
        return max(np.flatnonzero(self.inactive).tolist()) + 1

    @property
    def errors(self) -> FloatArray:
        """|w - w*|, (STEPS + 1, p)."""
        return np.asarray(np.abs(self.path.weights[:, 0] - np.eye(len(self.d))[0]))


def data() -> Mapping[int, Run]:
    """One run for each k; the 7x7 filter meets some samples inactive for ten updates, of some 0.4 s each."""
    return {k: _run(k * k) for k in SIZES}


def _run(p: int) -> Run:
    rng = np.random.default_rng([SEED, p])
    d = rng.uniform(NARROWEST, WIDEST, p)
    w = rng.normal(size=p) / np.sqrt(p)
    d[0], w[0] = D_0, W_0
    path = descend(GridProblem(d), w, learning_rate=LEARNING_RATE, steps=STEPS)
    curvature = np.square(d) + np.eye(p)[0]
    updates = np.arange(STEPS + 1)[:, None]
    return Run(d, path, np.abs((w - np.eye(p)[0]) * (1.0 - 2.0 * LEARNING_RATE * curvature) ** updates))


@styled
def draw(shown: Mapping[int, Run] | None = None) -> Figure:
    """Left how many samples are inactive, right the errors of the largest filter against Theorem 1."""
    shown = shown or data()
    figure, axes = panels(TITLES["seven-by-seven"], [["a", "b"]], 3.7)
    _inactive(axes["a"], shown)
    _errors(axes["b"], shown[SIZES[-1]])
    note(
        figure,
        f"Full batch, $\\lambda={LEARNING_RATE:g}$, $d_0={D_0:g}$, other $d_i$ uniform in [{NARROWEST:g}, {WIDEST:g}], "
        f"$w_0={W_0:g}$, other $w_i\\sim N(0,1/k^2)$; all sums over samples are exact.",
    )
    return figure


def _inactive(axes: Axes, shown: Mapping[int, Run]) -> None:
    heading(axes, "a", "share of inactive samples (bar: none left)")
    for look, (k, run) in zip(LOOKS, shown.items(), strict=False):
        last, one = run.crossing, 2.0 ** -(k * k)
        axes.plot(np.arange(last), run.inactive[:last], **look.with_markers, label=f"{k}x{k}, $2^{{{k * k}}}$ samples")
        axes.plot([last - 0.35, last + 0.35], [one, one], color=look.color, lw=2.2)
    axes.set(yscale="log", xlim=(-0.4, SHOWN), ylim=(3e-16, 2.0), xlabel="update", ylabel="inactive share")
    axes.legend(loc="upper right")


def _errors(axes: Axes, run: Run) -> None:
    last = run.crossing
    heading(axes, "b", f"errors of the {SIZES[-1]}x{SIZES[-1]} filter; thin: Theorem 1")
    order = np.argsort(run.d[1:]) + 1
    updates = np.arange(STEPS + 1)
    for look, i in zip(LOOKS, (0, int(order[-1]), int(order[0])), strict=False):
        label = f"$d_{{{i}}}={run.d[i]:.2f}$"
        axes.plot(updates, run.errors[:, i], **look.with_markers, markevery=6, label=label)
        axes.plot(updates, run.theorem[:, i], color=look.color, lw=0.7)
    axes.axvline(last, color=GREY, lw=0.8, ls=(0, (4, 2)))
    axes.annotate("all active from here", (last + 1.0, 3e-3), color=GREY, fontsize=8.0)
    axes.set(yscale="log", xlim=(0, STEPS), ylim=(1e-9, 3.0), xlabel="update", ylabel="$|w_i-w_i^{\\ast}|$")
    handles, _ = axes.get_legend_handles_labels()
    axes.legend(
        handles=[*handles, Line2D([], [], color=GREY, lw=0.7, label="Theorem 1")],
        loc="lower left",
        bbox_to_anchor=(0.17, 0.0),
    )
