"""Page 2, loosened assumptions: what of Theorem 1 survives samples that are lopsided, noisy or inactive, and L2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from figures.explore.check import linear_law, rate_remark, updates_of
from figures.explore.judge import listed, shown
from figures.explore.loosened_claims import Loosened, standings
from figures.explore.page import Control, LongRun, Page, Picture, Preset, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series
from sim.arrays import FloatArray
from sim.descent import Snapshot, Trajectory, descend, stability_limit
from sim.problem import GridProblem, SampleProblem
from sim.samples import SampleSet, asymmetric_grid, with_label_noise, with_nonlinear_target

MOST_LIVE = 9
LARGE_P, LARGE_STEPS = 49, 12
FLOOR = 1e-17
"""Deviations of zero are shown here on the logarithmic axis."""

CONTROLS = (
    Control("p", "Weights p", "integer", 4, low=2, high=MOST_LIVE, step=1, help="There are 2^p samples."),
    Control("w0", "Start w0, along w*", "number", 1.5, low=-3.0, high=5.0, step=0.05, help="w* = (1, 0, ..., 0)."),
    Control("wi", "Start of every other weight", "number", 0.3, low=-4.0, high=4.0, step=0.05, help="Should become 0."),
    Control("d0", "Half-width d0", "number", 0.25, step=0.05, help="How far samples vary along w*."),
    Control("di", "Half-width of the others", "number", 0.5, step=0.05, help="d1 = d2 = ..."),
    Control("learning_rate", "Learning rate λ", "number", 0.2, low=0.01, high=1.0, step=0.01, help="Step size."),
    Control("steps", "Updates", "integer", 60, low=2, high=150, step=1, help="How long the filter learns."),
    Control(
        "shift", "Asymmetry", "number", 0.0, low=-1.0, high=1.0, step=0.05,
        help="Assumption 2: moves all samples along coordinate 1, so that w* is no longer in their middle.",
    ),
    Control("tau", "Label noise τ", "number", 0.0, step=0.05, help="Assumption 3: its standard deviation."),
    Control("draw", "Draw of the noise", "integer", 0, low=0, high=20, step=1, help="Another number, another draw."),
    Control(
        "bend", "Bend of the target", "number", 0.0, low=-1.0, high=1.0, step=0.05,
        help="Assumption 3: c X0 X1 is added to the target, which is then not linear.",
    ),
    Control("l2", "Weight decay (L2)", "number", 0.0, step=0.01, help="Pulls every weight to zero at each update."),
)  # fmt: skip

PRESETS = (
    Preset(
        "All assumptions hold",
        "The simulation lies on Theorem 1, with Eq. (4) as it should read; what is left is rounding, some 1e-16.",
        {},
    ),
    Preset(
        "Lopsided samples",
        "The samples sit to one side of w*. Now w0 and w1 pull at each other: the terms that cancelled remain, and "
        "C-L2 has them exactly. Whether that is faster is not a matter of distance.",
        {"shift": -0.4},
    ),
    Preset(
        "Noise on the targets",
        "The filter goes elsewhere, but exactly as fast: noise moves the limit and no rate.",
        {"tau": 0.3},
    ),
    Preset(
        "Noise where samples are narrow",
        "Noise cancels over samples, and is amplified by 1/d² along a narrow direction: its effect is not small.",
        {"tau": 0.3, "di": 0.15, "p": 3, "w0": 3.0, "learning_rate": 0.4, "steps": 120},
    ),
    Preset(
        "A bent target", "y = X0 + c X0 X1. Theorem 1 is off by a limit that moved; the rates stay.", {"bend": 0.35}
    ),
    Preset(
        "Weight decay",
        "L2 shrinks all weights, w0 too: neither equation holds, and a dead filter would be moved as well.",
        {"l2": 0.2},
    ),
    Preset(
        "Samples lost on the way",
        "All samples are active at first. w0 falls faster than the others, and samples go: from then on nothing holds.",
        {"p": 2, "w0": 2.5, "wi": 3.3, "d0": 0.0, "di": 0.7, "learning_rate": 0.4},
    ),
    Preset(
        "Far away, and standing still",
        "Half of the samples are active, and answered rightly: the gradient is zero at a distance of 4.5 from w*. "
        "Updates are not proportional to the share of active samples.",
        {"p": 2, "w0": -1.0, "wi": 4.0, "d0": 0.0, "di": 0.5},
    ),
    Preset("Dead", "No sample is active. Nothing moves; add weight decay and something does.", {"w0": -2.0}),
)


@dataclass(frozen=True, eq=False)
class Found:
    """A run (`facts`), and its law if every sample stays active.

    theorem, law: weights (T + 1, p) by Theorem 1 with Eq. (4) put right, and with what was loosened put in as well.
    """

    facts: Loosened
    theorem: FloatArray
    law: FloatArray
    limit: float


def samples_of(values: Values) -> SampleSet:
    """The 2^p samples of the page's values, with their targets."""
    d = half_widths(values["p"], values)
    moved = np.zeros_like(d)
    moved[1] = values["shift"]
    samples = asymmetric_grid(d - moved, d + moved)
    if values["bend"]:
        samples = with_nonlinear_target(samples, lambda X: values["bend"] * X[:, 0] * X[:, 1])
    if values["tau"]:
        samples = with_label_noise(samples, values["tau"], np.random.default_rng(values["draw"]))
    return samples


def half_widths(p: int, values: Values) -> FloatArray:
    """d (p,)."""
    return np.concatenate([[values["d0"]], np.full(p - 1, values["di"])])


def start_of(p: int, values: Values) -> FloatArray:
    """w(0) (p,)."""
    return np.concatenate([[values["w0"]], np.full(p - 1, values["wi"])])


def observe(values: Values) -> Found:
    """Simulate; iterate Theorem 1, and the law of the samples as they are."""
    samples, d, start = samples_of(values), half_widths(values["p"], values), start_of(values["p"], values)
    problem = SampleProblem(samples)
    rate, steps, l2 = values["learning_rate"], values["steps"], values["l2"]
    run = descend(problem, start, learning_rate=rate, steps=steps, l2=l2, check_stability=False)
    limit = float(stability_limit(problem, l2=l2)[0])
    law = linear_law(samples.second_moment, samples.cross_moment, start, rate, steps, l2=l2)
    facts = Loosened(samples, d, values["shift"], values["tau"], values["bend"], l2, run, updates_of(run, d, rate))
    return Found(facts, _theorem(d, start, rate, steps), law, limit)


def _theorem(d: FloatArray, start: FloatArray, rate: float, steps: int) -> FloatArray:
    moment = np.square(d)
    moment[0] += 1.0
    return linear_law(np.diag(moment), moment * np.eye(len(d))[0], start, rate, steps)


def view(values: Values) -> View:
    """The weights over time, how far each law is off, the active share; how the claims fare."""
    found = observe(values)
    run = found.facts.run
    return View(
        pictures=(
            _over_time(run, found.theorem, found.law),
            _deviations(run, found.theorem, found.law),
            _progress(run),
        ),
        standings=standings(found.facts),
        table=_table(run, found.theorem, found.law),
        command=_command(values),
        python=_python(values),
        message=rate_remark(found.facts.run, values["learning_rate"], found.limit),
    )


def _over_time(run: Trajectory, theorem: FloatArray, law: FloatArray | None) -> Picture:
    k, weights = np.arange(run.steps + 1.0), run.weights[:, 0]
    marked = slice(None, None, 1 + run.steps // 45)
    axes = range(min(weights.shape[1], 3))
    series = [Series(k, theorem[:, axis], f"w{axis}, Theorem 1", "line", axis, 0) for axis in axes]
    if law is not None:
        series += [Series(k, law[:, axis], "" if axis else "loosened law", "line", axis, 1) for axis in axes]
    series += [Series(k[marked], weights[marked, axis], f"w{axis}, simulation", "points", axis) for axis in axes]
    inside = np.clip(weights[:, :3], -20.0, 20.0)
    low, high = float(inside.min(initial=-0.2)), float(inside.max(initial=1.1))
    picture = plot(
        series,
        title="The weights over time",
        x_label="update k",
        y_label="weight",
        width=460,
        height=300,
        y_range=(low - 0.1 * (high - low), high + 0.1 * (high - low)),
        description=f"w0 ends at {shown(float(weights[-1, 0]))}, w1 at {shown(float(weights[-1, 1]))}.",
    )
    return Picture(
        picture,
        "Solid: Theorem 1, its Eq. (4) put right. Dashed: the same with what you loosened put in, as long as every "
        "sample is active. Markers: what happens.",
    )


def _deviations(run: Trajectory, theorem: FloatArray, law: FloatArray | None) -> Picture:
    k, weights = np.arange(run.steps + 1.0), run.weights[:, 0]
    series = [Series(k, _distance(weights, theorem), "from Theorem 1", "both", 1)]
    if law is not None:
        series.append(Series(k, _distance(weights, law), "from the loosened law", "both", 2))
    picture = plot(
        series,
        title="How far the simulation is off",
        x_label="update k",
        y_label="largest deviation of a weight",
        width=460,
        height=260,
        log_y=True,
        y_range=(FLOOR / 2, 1e2),
        description=f"At the end {shown(float(series[0].y[-1]))} from Theorem 1.",
    )
    return Picture(
        picture, "At the bottom is rounding. A law that climbs off it says something else than what happens."
    )


def _distance(weights: FloatArray, law: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(np.abs(weights - law).max(axis=1), FLOOR))


def _progress(run: Trajectory) -> Picture:
    k, weights = np.arange(run.steps + 1.0), run.weights[:, 0]
    gap = np.linalg.norm(weights - np.eye(weights.shape[1])[0], axis=1)
    largest = max(float(gap[0]), 1e-12)
    series = [
        Series(k, run.active_fraction[:, 0], "active samples", "steps", 2, 0),
        Series(k, gap / largest, "|w - w*|, first = 1", "line", 0, 1),
    ]
    picture = plot(
        series,
        title="Active samples and distance to w*",
        x_label="update k",
        y_label="share",
        width=460,
        height=230,
        y_range=(-0.05, 1.25),
        description=f"{shown(100 * float(run.active_fraction[-1, 0]))} % of the samples are active at the end.",
    )
    return Picture(picture, "Assumption 4 is that all samples are active.")


def _table(run: Trajectory, theorem: FloatArray, law: FloatArray | None) -> tuple[tuple[str, ...], ...]:
    end = run.weights[-1, 0]
    rows = [(f"after {run.steps} updates", "Theorem 1", "loosened law", "simulation")]
    for axis in range(min(len(end), 3)):
        by_law = shown(float(law[-1, axis])) if law is not None else "–"
        rows.append((f"w{axis}", shown(float(theorem[-1, axis])), by_law, shown(float(end[axis]))))
    rows.append(("active share of samples", "1", "1", shown(float(run.active_fraction[-1, 0]))))
    return tuple(rows)


def _command(values: Values) -> str:
    if any(values[name] for name in ("shift", "tau", "bend")):
        # the command line has symmetric grids and linear targets only
        return ""
    d, start = half_widths(values["p"], values), start_of(values["p"], values)
    decay = f" --l2 {values['l2']:g}" if values["l2"] else ""
    return (
        f"filterlaw simulate filter --d {listed(d)} --w={listed(start)} --learning-rate {values['learning_rate']:g} "
        f"--steps {values['steps']}{decay}"
    )


def _python(values: Values) -> str:
    d, start = half_widths(values["p"], values), start_of(values["p"], values)
    used, made = ["asymmetric_grid"], []
    if values["bend"]:
        used.append("with_nonlinear_target")
        made.append(f"samples = with_nonlinear_target(samples, lambda X: {values['bend']:g} * X[:, 0] * X[:, 1])")
    if values["tau"]:
        used.append("with_label_noise")
        made.append(f"samples = with_label_noise(samples, {values['tau']:g}, np.random.default_rng({values['draw']}))")
    decay = f", l2={values['l2']:g}" if values["l2"] else ""
    return "\n".join(
        [
            "import numpy as np",
            "",
            "from sim.descent import descend",
            "from sim.problem import SampleProblem",
            f"from sim.samples import {', '.join(used)}",
            "",
            f"d, moved = np.array([{listed(d)}]), np.zeros({values['p']})",
            f"moved[1] = {values['shift']:g}",
            "samples = asymmetric_grid(d - moved, d + moved)",
            *made,
            f"run = descend(SampleProblem(samples), [{listed(start)}], learning_rate={values['learning_rate']:g}, "
            f"steps={values['steps']}{decay})",
            "print(run.final)",
        ]
    )


def large_run(values: Values, tell: Callable[[int, int], None]) -> Trajectory:
    """The same filter with 7 x 7 weights on its 2^49 samples, symmetric and with linear targets; with L2."""

    def on_step(snapshot: Snapshot) -> None:
        tell(snapshot.step, LARGE_STEPS)

    problem, start = GridProblem(half_widths(LARGE_P, values)), start_of(LARGE_P, values)
    tell(0, LARGE_STEPS)
    return descend(
        problem,
        start,
        learning_rate=values["learning_rate"],
        steps=LARGE_STEPS,
        l2=values["l2"],
        check_stability=False,
        on_step=on_step,
    )


def large_view(values: Values, run: Trajectory) -> View:
    """The run with 7 x 7 weights beside Theorem 1; claims that need the samples listed are left out."""
    d = half_widths(LARGE_P, values)
    theorem = _theorem(d, start_of(LARGE_P, values), values["learning_rate"], LARGE_STEPS)
    facts = Loosened(None, d, 0.0, 0.0, 0.0, values["l2"], run, updates_of(run, d, values["learning_rate"]))
    return View(
        pictures=(_over_time(run, theorem, None), _deviations(run, theorem, None), _progress(run)),
        standings=standings(facts),
        table=_table(run, theorem, None),
        message=f"{LARGE_P} weights, 2^{LARGE_P} samples, summed exactly; symmetric, linear targets.",
    )


PAGE = Page(
    key="loosened",
    title="Loosened assumptions",
    text="Theorem 1 assumes that samples lie evenly around w*, that targets are linear, and that every sample is "
    "active. Real data do none of this. Loosen one assumption at a time: the markers leave the solid line, and the "
    "badges say which statements on the loosened case are true.",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
    long_run=LongRun(
        "Run 7 x 7 (p = 49)",
        "The same start and widths with 49 weights: 2^49 samples, all of them summed exactly, some 0.4 s an update.",
        large_run,
        large_view,
    ),
)
