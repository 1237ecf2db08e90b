"""GradientSignChanges (Schneider, Section 6) by learning rate, momentum and sampling: measured and in closed form.

All is measured next to w*, where every sample is active and the gradient is linear in the error e = w - w*, so that
e may be rescaled without changing a sign: long runs are kept far above rounding in this way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import GREY, LOOKS, heading, legend_below, note, numbers, panels, styled
from figures.zigzag_laws import full_batch, heavy_ball, in_turn, random_order
from sim.arrays import FloatArray
from sim.descent import descend
from sim.grid import grid_samples
from sim.problem import GridProblem
from sim.zigzag import gradient_sign_changes, sign_changes_per_coordinate

D = (0.25, 1.0, 0.75, 0.5)
MOMENTUM = 0.8
SCALE = 0.05
"""|e| at the start and after each rescaling: every sample is active."""
FLOOR = 1e-13
"""Sign changes are counted where both gradients exceed this; rounding is near 1e-16."""
ERRORS: dict[str, tuple[float, ...]] = {
    "along w*": (-1.0, 0.0, 0.0, 0.0),
    "generic": (-3.0, 4.0, -2.0, 1.0),
    "along the slowest": (0.0, 0.0, 0.0, 1.0),
}
SLOWEST = D.index(min(D[1:]), 1)
GENERIC = ERRORS["generic"]
SMALL_RATE = 1e-4
SEED = 20260
FULL_STEPS, HEAVY_STEPS, EPOCHS, RESTARTS = 12, (20, 200), (50, 300), 400
"""Updates without momentum; first and last with it; first and last epoch of 2^p in (b); runs of an epoch in (c)."""
PARAMETERS = {
    "d": D,
    "momentum": MOMENTUM,
    "|e|": SCALE,
    "small lam": SMALL_RATE,
    "updates": (FULL_STEPS, HEAVY_STEPS, EPOCHS, RESTARTS),
}


_NOTE = (
    f"$p={len(D)}$, $d={numbers(D)}$, $e=w-w^{{\\ast}}$ so small that "
    f"every sample stays active. Measured: (a) without momentum over {FULL_STEPS} updates,\nwhile gradients exceed "
    f"$10^{{{math.log10(FLOOR):.0f}}}$; with it over updates {HEAVY_STEPS[0]} to {HEAVY_STEPS[1]}; (b) over "
    f"{(EPOCHS[1] - EPOCHS[0]) * 2 ** len(D)} updates after the first {EPOCHS[0] * 2 ** len(D)}; (c) over {RESTARTS} "
    f"runs of {2 ** len(D)} updates from the same $e$,\n$\\lambda={SMALL_RATE:g}$. Law in turn: from the leading "
    "eigenvector of one epoch; limit at random: $e$ along the slowest coordinate, "
    f"$w_{SLOWEST}$."
)


@dataclass(frozen=True, eq=False)
class Series:
    """GradientSignChanges at learning rates: measured (n,); law (m,) at its own learning rates, or a single limit."""

    rates: FloatArray
    measured: FloatArray
    law_rates: FloatArray
    law: FloatArray


@dataclass(frozen=True, eq=False)
class Data:
    """series: regime -> Series; per_coordinate: error -> (measured (p,), law (p,)) at a small learning rate."""

    series: dict[str, Series]
    per_coordinate: dict[str, tuple[FloatArray, FloatArray]]


def data() -> Data:
    """Measure all regimes and evaluate their laws."""
    h = np.square(D) + np.array([1.0, 0.0, 0.0, 0.0])
    rng = np.random.default_rng(SEED)
    stable = 1.0 / h.max()
    single = float(1.0 / GridProblem(D).largest_squared_norm()[0])
    full, heavy, one = (
        _rates(top, count) for top, count in ((stable, 18), ((1 + MOMENTUM) * stable, 18), (single, 15))
    )
    fine, heavy_fine, one_fine = (
        np.linspace(1e-4, top * 0.9999, 500) for top in (stable, (1 + MOMENTUM) * stable, single)
    )
    X, slowest = grid_samples(D), ERRORS["along the slowest"]
    limit = float(random_order(X, np.array(slowest)).mean())
    return Data(
        {
            "full": Series(full, _full_batch(full), fine, full_batch(h, fine)),
            "heavy": Series(heavy, _heavy_ball(heavy), heavy_fine, heavy_ball(h, heavy_fine, MOMENTUM)),
            "cyclic": Series(one, _single("cyclic", one, rng), one_fine, in_turn(X, one_fine)),
            "random": Series(one, _single("random", one, rng), np.array([0.0]), np.array([limit])),
        },
        {name: (_fixed_error(error, rng), random_order(X, np.array(error))) for name, error in ERRORS.items()},
    )


def _rates(limit: float, count: int) -> FloatArray:
    return limit * (np.arange(count) + 0.5) / count


def _start(error: FloatArray) -> FloatArray:
    w = SCALE * error / np.linalg.norm(error, axis=-1, keepdims=True)
    w[..., 0] += 1.0
    return np.asarray(w)


def _full_batch(rates: FloatArray) -> FloatArray:
    """Mean over coordinates of the share of sign changes in FULL_STEPS updates, while gradients exceed FLOOR."""
    run = descend(GridProblem(D), _start(np.array(GENERIC)), learning_rate=rates, steps=FULL_STEPS, record_loss=False)
    changes = sign_changes_per_coordinate(run.gradients)
    above = np.minimum(np.abs(run.gradients[:-1]), np.abs(run.gradients[1:])) > FLOOR
    return np.asarray(((changes * above).sum(axis=0) / above.sum(axis=0)).mean(axis=-1))


def _heavy_ball(rates: FloatArray) -> FloatArray:
    """Mean GradientSignChanges over updates HEAVY_STEPS, at the end of which gradients still exceed FLOOR."""
    w = _start(np.array(GENERIC))
    run = descend(GridProblem(D), w, learning_rate=rates, steps=HEAVY_STEPS[1], momentum=MOMENTUM, record_loss=False)
    if np.abs(run.gradients[-20:]).max(axis=0).min() < FLOOR:
        raise ArithmeticError("gradients have reached rounding")
    return np.asarray(gradient_sign_changes(run.gradients[HEAVY_STEPS[0] :]).mean(axis=0))


def _single(order: str, rates: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Mean GradientSignChanges over EPOCHS, e being rescaled before each."""
    gradients, error = [], np.tile(np.array(GENERIC), (len(rates), 1))
    for _ in range(EPOCHS[1]):
        run = descend(
            GridProblem(D),
            _start(error),
            learning_rate=rates,
            steps=2 ** len(D),
            order=order,
            rng=rng,
            record_loss=False,
        )
        gradients.append(run.gradients)
        error = run.final - np.array([1.0, 0.0, 0.0, 0.0])
    return np.asarray(gradient_sign_changes(np.concatenate(gradients[EPOCHS[0] :])).mean(axis=0))


def _fixed_error(error: tuple[float, ...], rng: np.random.Generator) -> FloatArray:
    """Share of sign changes of each coordinate over RESTARTS runs of 2^p random updates, all begun at the same e."""
    total = np.zeros(len(D))
    for _ in range(RESTARTS):
        run = descend(
            GridProblem(D),
            _start(np.array(error)),
            learning_rate=SMALL_RATE,
            steps=2 ** len(D),
            order="random",
            rng=rng,
            record_loss=False,
        )
        total += sign_changes_per_coordinate(run.gradients[:, 0]).mean(axis=0)
    return total / RESTARTS


@styled
def draw(shown: Data | None = None) -> Figure:
    """Full batch, one sample per update, and one sample per update coordinate by coordinate."""
    shown = shown or data()
    figure, axes = panels(TITLES["zigzag-regimes"], [["a", "b", "c"]], 4.3)
    heading(axes["a"], "a", "full batch")
    heading(axes["b"], "b", "one sample per update")
    heading(axes["c"], "c", "one at random, small $\\lambda$")
    series = shown.series
    _measured_and_law(axes["a"], series["full"], 0, "no momentum")
    _measured_and_law(axes["a"], series["heavy"], 1, f"heavy ball, $\\mu={MOMENTUM:g}$")
    _measured_and_law(axes["b"], series["cyclic"], 2, "samples in turn")
    _measured_and_law(axes["b"], series["random"], 3, "at random")
    limit = float(series["full"].law_rates[-1])
    axes["a"].axvline(limit, color=GREY, lw=0.8, ls="dotted", label="stability limit, no momentum")
    for letter in "ab":
        axes[letter].set(xlabel="learning rate $\\lambda$", ylim=(0, 1))
        axes[letter].set_xlim(left=0)
        legend_below(axes[letter])
    axes["a"].set_ylabel("GradientSignChanges")
    _coordinates(axes["c"], shown)
    note(figure, _NOTE)
    return figure


def _measured_and_law(axes: Axes, series: Series, look: int, name: str) -> None:
    law = "limit $\\lambda\\to0$" if len(series.law) == 1 else "law"
    axes.plot(series.rates, series.measured, **LOOKS[look].points, label=f"{name}, measured", clip_on=False)
    if len(series.law) == 1:
        axes.axhline(float(series.law[0]), **LOOKS[look].line, zorder=1, label=f"{name}, {law}")
    else:
        axes.plot(series.law_rates, series.law, **LOOKS[look].line, zorder=1, label=f"{name}, {law}")


def _coordinates(axes: Axes, shown: Data) -> None:
    names = {
        "along w*": "$e$ along $w^{\\ast}$",
        "generic": rf"$e\propto{numbers(GENERIC)}$",
        "along the slowest": f"$e$ along $w_{SLOWEST}$",
    }
    for look, shift, (name, (measured, law)) in zip(
        LOOKS, (-0.22, 0.0, 0.22), shown.per_coordinate.items(), strict=False
    ):
        at = np.arange(len(D)) + shift
        axes.plot(at, measured, **look.points, label=f"{names[name]}, measured", clip_on=False)
        axes.hlines(law, at - 0.12, at + 0.12, color=look.color, zorder=1)
    axes.plot([], [], color=GREY, label="law $2q_j(1-q_j)$")
    axes.set(xlabel="coordinate $j$", xticks=range(len(D)), ylim=(0, 1), ylabel="share of sign changes")
    legend_below(axes)
