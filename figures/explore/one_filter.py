"""Page 1, one filter: two weights learn from four samples (Schneider, Section 3; Theorem 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from figures.explore.check import LARGE, Updates, linear_law, on_updates, printed_path, rate_remark, updates_of
from figures.explore.judge import decided, judged, not_applicable, shown
from figures.explore.page import Control, Page, Picture, Preset, Standing, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, rule
from figures.zigzag_laws import full_batch, heavy_ball
from sim.activity import all_active, dead
from sim.arrays import FloatArray
from sim.descent import Trajectory, descend, stability_limit
from sim.grid import grid_samples
from sim.problem import GridProblem
from sim.zigzag import sign_changes_per_coordinate
from theory.claims.single_filter.activity import ACT
from theory.claims.single_filter.theorem_1 import E3, E4
from theory.claims.single_filter.trajectory import TRAJ
from theory.claims.single_filter.zigzag import FLIP, ZIG
from theory.derive.single_filter import zigzag as flips
from theory.derive.single_filter.trajectory import TRAJECTORY

SEED = 0
W_STAR = np.array([1.0, 0.0])
ORDERS = ("full", "cyclic", "random", "shuffled")
FAR = 20.0
"""Weights beyond this are left out of the pictures."""
NEARLY_ZERO = 1e-9
"""A gradient that small, in units of the first, is rounding: its sign says nothing."""

CONTROLS = (
    Control("w0", "Start w0, along w*", "number", 1.1, low=-2.0, high=3.0, step=0.05, help="w* = (1, 0)."),
    Control("w1", "Start w1, across", "number", -0.4, low=-3.0, high=3.0, step=0.05, help="It should become 0."),
    Control("d0", "Half-width d0", "number", 0.25, step=0.05, help="How far samples vary along w*."),
    Control("d1", "Half-width d1", "number", 0.75, step=0.05, help="How far samples vary across it."),
    Control(
        "learning_rate",
        "Learning rate λ",
        "number",
        0.25,
        low=0.01,
        high=1.2,
        step=0.01,
        help="Step size of an update.",
    ),
    Control("momentum", "Momentum", "number", 0.0, high=0.95, step=0.05, help="Share of the last update that goes on."),
    Control(
        "order",
        "Samples in an update",
        "choice",
        "full",
        choices=ORDERS,
        help="full: all, as in the theorem; else one at a time: in turn, drawn at random, or shuffled.",
    ),
    Control("steps", "Updates", "integer", 40, low=2, high=120, step=1, help="How long the filter learns."),
    Control("printed", "Show printed Eq. (4)", "switch", True, help="The dashed line: what the paper's formula says."),
)

PRESETS = (
    Preset(
        "Where Eq. (4) fails",
        "The markers, which are the simulation, go to w* = (1, 0). The dashed line, printed Eq. (4), leaves: once w0 "
        "is right it drives any negative weight to minus infinity. Solid lines are the formula as it should read.",
        {"w0": 1.1, "w1": -0.4, "d0": 0.25, "d1": 0.75, "learning_rate": 0.25},
    ),
    Preset(
        "Where it hides",
        "A start on the axis, w1 = 0: printed and true Eq. (4) both leave it there. Move w1 and the badge flips.",
        {"w0": 2.0, "w1": 0.0},
    ),
    Preset(
        "Positive, and still wrong",
        "With w1 > 0 printed Eq. (4) does shrink it, but ever more slowly: like 1/k, not geometrically.",
        {"w0": 0.6, "w1": 0.5, "steps": 80},
    ),
    Preset(
        "Samples lost for good",
        "Every sample is active at the start. After one update half of them are not, they never come back, and the "
        "filter ends away from w*: what held is lost, Eq. (3) included.",
        {"w0": 2.0, "w1": 3.0, "d0": 0.0, "d1": 0.5, "learning_rate": 0.5, "steps": 60},
    ),
    Preset(
        "Dead from the start",
        "No sample is active, so the gradient is zero and nothing happens.",
        {"w0": -1.0, "w1": 0.5, "d1": 0.5},
    ),
    Preset(
        "Zig-zag, all samples",
        "2 λ (1 + d0²) > 1, so w0 jumps over w0* at every update; w1 does not.",
        {"w0": 1.5, "w1": 0.3, "d0": 0.5, "learning_rate": 0.7, "d1": 0.3},
    ),
    Preset(
        "Zig-zag, one sample at a time",
        "A small learning rate, and signs of the gradient change all the time: it is one sample per update that does "
        "this, not the start and not Theorem 1.",
        {"w0": 2.5, "w1": 0.8, "d0": 0.0, "d1": 0.5, "learning_rate": 0.05, "order": "cyclic", "steps": 80},
    ),
    Preset(
        "Zig-zag by momentum",
        "At momentum 0.8 oscillation begins at a learning rate some 90 times smaller than without.",
        {"w0": 2.5, "w1": 0.8, "d0": 0.25, "d1": 0.5, "learning_rate": 0.1, "momentum": 0.8, "steps": 80},
    ),
)


@dataclass(frozen=True, eq=False)
class Found:
    """A run, and what the rules say of it.

    law: weights (T + 1, 2) if every sample is active at every update, NaN for one sample at a time. printed: by
    Eq. (3) and printed Eq. (4), None where they say nothing. theorem: updates are those of Eq. (1). limit: the
    learning rate from which descent is not expected to converge.
    """

    d: FloatArray
    learning_rate: float
    momentum: float
    run: Trajectory
    law: FloatArray
    printed: FloatArray | None
    theorem: bool
    limit: float

    @property
    def weights(self) -> FloatArray:
        """(T + 1, 2)."""
        return np.asarray(self.run.weights[:, 0])

    @property
    def h(self) -> FloatArray:
        """Second moments of the samples along the two axes."""
        return np.array([1.0 + self.d[0] ** 2, self.d[1] ** 2])


def observe(values: Values) -> Found:
    """Simulate; iterate the law for active samples, and the printed one."""
    d, start = np.array([values["d0"], values["d1"]]), np.array([values["w0"], values["w1"]])
    rate, momentum, order, steps = values["learning_rate"], values["momentum"], values["order"], values["steps"]
    problem = GridProblem(d)
    run = descend(
        problem,
        start,
        learning_rate=rate,
        steps=steps,
        order=order,
        momentum=momentum,
        rng=np.random.default_rng(SEED),
        check_stability=False,
    )
    moment = problem.second_moment()[0]
    law = linear_law(moment, moment @ W_STAR, start, rate, steps, momentum=momentum)
    if order != "full":
        law = np.full_like(law, np.nan)
    theorem = order == "full" and momentum == 0
    printed = printed_path(start, d, rate, steps) if theorem else None
    limit = float(stability_limit(problem, order=order, momentum=momentum)[0])
    return Found(d, rate, momentum, run, law, printed, theorem, limit)


def view(values: Values) -> View:
    """The run in the plane, over time, its active share and sign changes; how the claims fare on it."""
    found = observe(values)
    shows = found.printed if values["printed"] else None
    return View(
        pictures=(_plane(found, shows), _over_time(found, shows), _shares(found)),
        standings=_standings(found),
        table=_table(found),
        command=_command(values),
        python=_python(values),
        message=_message(found),
    )


def _seen(simulated: FloatArray, printed: FloatArray | None, low: float, high: float) -> tuple[float, float]:
    """What an axis shows: low to high, all of a run that does not leave, and where the print goes off if it does."""
    inside = simulated[np.abs(simulated) <= FAR]
    low, high = min(float(inside.min(initial=low)), low), max(float(inside.max(initial=high)), high)
    if printed is not None:
        span = high - low
        low = max(min(float(np.nanmin(printed)), low), low - 0.4 * span)
        high = min(max(float(np.nanmax(printed)), high), high + 0.4 * span)
    room = 0.08 * (high - low)
    return low - room, high + room


def _plane(found: Found, printed: FloatArray | None) -> Picture:
    weights = found.weights
    across = _seen(weights[:, 0], None if printed is None else printed[:, 0], -0.3, 1.2)
    up = _seen(weights[:, 1], None if printed is None else printed[:, 1], -0.5, 0.5)
    far = 4.0 * float(np.abs([*across, *up]).max())
    series = []
    slope = (1.0 - found.d[0]) / found.d[1] if found.d[1] > 0 else np.inf
    edge = min(slope * far, far)
    reach = far if slope * far <= far else far / slope
    if slope > 0:
        cone_x = np.array([0.0, reach, far, far, reach])
        cone_y = np.array([0.0, edge, edge, -edge, -edge])
        series.append(Series(cone_x, cone_y, "every sample active", "area", 2))
    for sample in np.unique(grid_samples(found.d), axis=0):
        normal = np.array([sample[1], -sample[0]]) * far
        series.append(Series(np.array([-normal[0], normal[0]]), np.array([-normal[1], normal[1]]), "", "line", 7, 7))
    if printed is not None:
        series.append(Series(printed[:, 0], printed[:, 1], "printed Eq. (4)", "line", 1, 1))
    if np.isfinite(found.law).all():
        series.append(Series(found.law[:, 0], found.law[:, 1], "if all stay active", "line", 0, 0))
    series.append(Series(weights[:, 0], weights[:, 1], "simulation", "points", 0))
    series.append(Series(W_STAR[:1], W_STAR[1:], "w*", "points", 4))
    picture = plot(
        series,
        title="The path of w",
        x_label="w0",
        y_label="w1",
        width=440,
        height=330,
        x_range=across,
        y_range=up,
        equal=True,
        description=f"From {_pair(weights[0])} to {_pair(weights[-1])} in {found.run.steps} updates.",
    )
    return Picture(
        picture,
        "Faint dotted lines are the normals of the samples: on crossing one, w stops or starts to see that sample. In "
        "the shaded cone it sees all of them.",
    )


def _over_time(found: Found, printed: FloatArray | None) -> Picture:
    k = np.arange(found.run.steps + 1.0)
    marked = slice(None, None, 1 + found.run.steps // 45)
    series = []
    for axis, look in ((0, 0), (1, 1)):
        if np.isfinite(found.law).any():
            series.append(Series(k, found.law[:, axis], f"w{axis}, closed form", "line", look, 0))
    if printed is not None:
        series.append(Series(k, printed[:, 1], "w1, printed Eq. (4)", "line", 1, 1))
    for axis, look in ((0, 0), (1, 1)):
        series.append(Series(k[marked], found.weights[marked, axis], f"w{axis}, simulation", "points", look))
    picture = plot(
        series,
        title="The weights over time",
        x_label="update k",
        y_label="weight",
        width=440,
        height=300,
        y_range=_seen(found.weights.ravel(), None if printed is None else printed[:, 1], -0.4, 1.2),
        description=f"w0 ends at {shown(found.weights[-1, 0])}, w1 at {shown(found.weights[-1, 1])}.",
    )
    return Picture(picture, "Markers that lie on their line: the closed form is right. The dashed line is the print.")


def _shares(found: Found) -> Picture:
    k = np.arange(found.run.steps + 1.0)
    active = Series(k, found.run.active_fraction[:, 0], "active samples", "steps", 2, 0)
    # a change is seen at the update that makes it
    changes = Series(k[2:], _changes(found).mean(axis=1), "sign changes of the gradient", "points", 3)
    series = [active, changes]
    law = _sign_law(found)
    if np.isfinite(law):
        series.append(rule(law, "their law", look=3, dash=3))
    picture = plot(
        series,
        title="Active samples and sign changes",
        x_label="update k",
        y_label="share",
        width=440,
        height=230,
        y_range=(-0.05, 1.05),
        description=f"{shown(100 * float(found.run.active_fraction[-1, 0]))} % of the samples are active at the end.",
    )
    return Picture(picture, "Share of samples with w·X > 0; share of coordinates whose gradient changes sign.")


def _changes(found: Found, updates: int | None = None) -> FloatArray:
    """Sign changes (T - 1, 2) between the first `updates` gradients; where they are only rounding, there are none."""
    gradients = found.run.gradients[:updates, 0]
    before, after = gradients[:-1], gradients[1:]
    exactly_zero = np.abs(after) <= NEARLY_ZERO * np.abs(before)
    pairs = np.stack([before, np.where(exactly_zero, 0.0, after)])
    return np.where(np.abs(before) > _rounding(found), sign_changes_per_coordinate(pairs)[0], 0.0)


def _rounding(found: Found) -> float:
    return NEARLY_ZERO * float(np.abs(found.run.gradients[0]).max())


def _sign_law(found: Found) -> float:
    """The long-run share of sign changes with every sample active; NaN for one sample at a time, or none active."""
    if not np.isfinite(found.law).any():
        return float("nan")
    moving = found.h[found.run.gradients[0, 0] != 0]
    if not moving.size:
        return 0.0
    rates = np.array([found.learning_rate])
    law = heavy_ball(moving, rates, found.momentum) if found.momentum else full_batch(moving, rates)
    return float(law[0] * moving.size / 2)


def _standings(found: Found) -> tuple[Standing, ...]:
    return (*_theorem(found), _trajectory(found), _stays_active(found), _sign_changes(found), _straight(found))


def _theorem(found: Found) -> tuple[Standing, ...]:
    if not found.theorem:
        why = "Theorem 1 is on updates by all samples without momentum"
        return tuple(not_applicable(claim.id, claim.statement, why) for claim in (E3, E4))
    updates = updates_of(found.run, found.d, found.learning_rate)
    standings = [on_updates(E3.id, E3.statement, E3.clauses[0].printed, updates)]
    nothing = "w1 = 0 or d1 = 0, so that nothing moves by either rule" if not found.weights[0, 1] * found.d[1] else ""
    formula = E4.clauses[0]
    standings.append(on_updates(E4.id, E4.statement, formula.printed, updates, nothing))
    true = "the right one: wi' = wi (1 - 2 lam di^2)"
    standings.append(on_updates(f"{E4.id}, corrected", true, formula.corrected, updates))
    return tuple(standings)


def _trajectory(found: Found) -> Standing:
    statement = TRAJ.clauses[0].text
    if not found.theorem:
        return not_applicable(TRAJ.id, statement, "Theorem 1, iterated, needs all samples in each update, no momentum")
    updates = updates_of(found.run, found.d, found.learning_rate)
    count = np.arange(len(updates)) + 1.0
    start = np.repeat(found.weights[:1].T, len(updates), axis=1)
    ends = {"w_end": updates.values["w_next"], "w": start, "steps": count}
    late = Updates({**updates.values, **ends}, updates.tolerance * count, 2)
    return on_updates(TRAJ.id, statement, TRAJECTORY, late)


def _stays_active(found: Found) -> Standing:
    clause = next(clause for clause in ACT.clauses if clause.name == "stays all active")
    active = found.run.active_fraction[:, 0] == 1.0
    if not active[0]:
        share = shown(100 * float(found.run.active_fraction[0, 0]))
        return not_applicable(ACT.id, clause.text, f"{share} % of the samples are active at the start")
    lost = np.flatnonzero(~active)
    why = f"samples are lost at update {int(lost[0])}" if lost.size else "every sample is active at every update"
    return decided(ACT.id, clause.text, not lost.size, why)


def _sign_changes(found: Found) -> Standing:
    """X-FLIP as far as gradients are more than rounding."""
    statement = "all samples: g_j changes sign at every update if 2 lam h_j > 1, never if not; the law under momentum"
    if not np.isfinite(found.law).any():
        return not_applicable(FLIP.id, statement, "one sample per update: signs change at any learning rate")
    gradients, good = found.run.gradients[:, 0], np.abs(found.weights[:-1]).max(axis=1) <= LARGE
    good &= ((np.abs(gradients) > _rounding(found)) | (gradients[0] == 0)).all(axis=1)
    usable = len(good) if good.all() else int(np.argmin(good))
    if usable < 2 or not gradients[0].any():
        return not_applicable(FLIP.id, statement, "the gradient is zero at once")
    x = 2.0 * found.learning_rate * found.h
    counts = _changes(found, usable).sum(axis=0)
    mu = found.momentum
    at = {
        "flips": counts[:, None], "h": found.h[:, None], "g": gradients[0][:, None], "lam": found.learning_rate,
        "steps": usable, "sqrt_mu": np.sqrt(mu),
        "theta": np.arccos(np.clip((1.0 + mu - x) / (2.0 * np.sqrt(mu)), -1, 1))[:, None] if mu else np.zeros((2, 1)),
    }  # fmt: skip
    formulas = (flips.TRUE_NEVER, flips.TRUE_ALWAYS, flips.TRUE_COUNT) if mu else (flips.TRUE_FLIPS,)
    why = f"2 λ h = {shown(x[0])} and {shown(x[1])}; {counts[0]:g} and {counts[1]:g} changes in {usable} updates"
    for formula in formulas:
        for axis in range(2):
            standing = judged(FLIP.id, statement, formula, {**at, "j": axis}, 1e-9, why)
            if standing.says == "fails here":
                return standing
    return standing


def _straight(found: Found) -> Standing:
    """C-ZIG, first clause: no sign changes as long as the error w - w* is on one side of all normals."""
    clause = ZIG.clauses[0]
    if not (found.run.active_fraction[:, 0] == 1.0).all():
        return not_applicable(ZIG.id, clause.text, "some samples are inactive")
    along = (found.weights[:-1] - W_STAR) @ grid_samples(found.d).T
    together = (along > 0).all(axis=1) | (along < 0).all(axis=1)
    straight = int(np.argmin(together)) if not together.all() else len(together)
    if straight < 2:
        return not_applicable(
            ZIG.id, clause.text, "the error w - w* lies between the normals of samples from the start"
        )
    changed = _changes(found, straight).sum()
    why = f"{changed:g} changes of sign in the first {straight} updates, on one side of all normals"
    return decided(ZIG.id, clause.text, changed == 0, why)


def _table(found: Found) -> tuple[tuple[str, ...], ...]:
    law, end = found.law[-1], found.weights[-1]
    printed = (float("nan"),) * 2 if found.printed is None else found.printed[-1]
    says = [shown(float(v)) for v in printed]
    if found.printed is not None:
        says = [text if text != "–" else "beyond all bounds" for text in says]
    changes = shown(float(_changes(found).mean()))
    active = shown(float(found.run.active_fraction[-1, 0]))
    kept = bool(all_active(found.d, found.weights[0]))
    return (
        (f"after {found.run.steps} updates", "closed form", "simulation", "printed"),
        ("w0", shown(float(law[0])), shown(float(end[0])), says[0]),
        ("w1", shown(float(law[1])), shown(float(end[1])), says[1]),
        ("active share of samples", "1" if kept else "–", active, "1"),
        ("sign changes", shown(_sign_law(found)), changes, "–"),
    )


def _message(found: Found) -> str:
    if bool(dead(found.d, found.weights[0])):
        return "No sample is active: the gradient is zero, and the filter stays where it is."
    return rate_remark(found.run, found.learning_rate, found.limit)


def _pair(point: FloatArray) -> str:
    return f"({shown(float(point[0]))}, {shown(float(point[1]))})"


def _numbers(values: Values, *names: str) -> str:
    return ",".join(f"{values[name]:g}" for name in names)


def _command(values: Values) -> str:
    parts = [
        "filterlaw simulate filter",
        f"--d {_numbers(values, 'd0', 'd1')}",
        f"--w={_numbers(values, 'w0', 'w1')}",
        f"--learning-rate {values['learning_rate']:g}",
        f"--steps {values['steps']}",
    ]
    if values["momentum"]:
        parts.append(f"--momentum {values['momentum']:g}")
    if values["order"] != "full":
        parts.append(f"--order {values['order']}")
    return " ".join(parts)


def _python(values: Values) -> str:
    extra = f", momentum={values['momentum']:g}" if values["momentum"] else ""
    lines = ["from sim.descent import descend", "from sim.problem import GridProblem", ""]
    if values["order"] != "full":
        lines.insert(0, "import numpy as np")
        extra += f', order="{values["order"]}", rng=np.random.default_rng({SEED})'
    start, widths = _numbers(values, "w0", "w1").replace(",", ", "), _numbers(values, "d0", "d1").replace(",", ", ")
    lines += [
        f"run = descend(GridProblem([{widths}]), [{start}], learning_rate={values['learning_rate']:g}, "
        f"steps={values['steps']}{extra})",
        "print(run.final)",
    ]
    return "\n".join(lines)


PAGE = Page(
    key="one-filter",
    title="One filter",
    text="A convolutional filter is a list of weights w that answers an image patch X by max(w·X, 0). Here it has two "
    "weights and learns, by gradient descent, from four patches spread around the filter w* = (1, 0) that it should "
    "become. Theorem 1 of the paper gives each update in a formula: Eq. (3) for w0, Eq. (4) for w1. Move the sliders "
    "and see which of them the simulation follows.",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
)
