"""Page 1, one filter: two weights learn from four samples (Schneider, Section 3; Theorem 1)."""

from __future__ import annotations

from figures.explore.check import rate_remark
from figures.explore.judge import shown
from figures.explore.one_filter_claims import standings
from figures.explore.one_filter_pictures import over_time, plane, shares
from figures.explore.one_filter_run import SEED, Found, observe, sign_changes, sign_law
from figures.explore.page import Control, Page, Preset, Values, View
from sim.activity import all_active, dead

ORDERS = ("full", "cyclic", "random", "shuffled")

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


def view(values: Values) -> View:
    """The run in the plane, over time, its active share and sign changes; how the claims fare on it."""
    found = observe(values)
    shows = found.printed if values["printed"] else None
    return View(
        pictures=(plane(found, shows), over_time(found, shows), shares(found)),
        standings=standings(found),
        table=_table(found),
        command=_command(values),
        python=_python(values),
        message=_message(found),
    )


def _table(found: Found) -> tuple[tuple[str, ...], ...]:
    law, end = found.law[-1], found.weights[-1]
    printed = (float("nan"),) * 2 if found.printed is None else found.printed[-1]
    says = [shown(float(v)) for v in printed]
    if found.printed is not None:
        says = [text if text != "–" else "beyond all bounds" for text in says]
    changes = shown(float(sign_changes(found).mean()))
    active = shown(float(found.run.active_fraction[-1, 0]))
    kept = bool(all_active(found.d, found.weights[0]))
    return (
        (f"after {found.run.steps} updates", "closed form", "simulation", "printed"),
        ("w0", shown(float(law[0])), shown(float(end[0])), says[0]),
        ("w1", shown(float(law[1])), shown(float(end[1])), says[1]),
        ("active share of samples", "1" if kept else "–", active, "1"),
        ("sign changes", shown(sign_law(found)), changes, "–"),
    )


def _message(found: Found) -> str:
    if bool(dead(found.d, found.weights[0])):
        return "No sample is active: the gradient is zero, and the filter stays where it is."
    return rate_remark(found.run, found.learning_rate, found.limit)


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
