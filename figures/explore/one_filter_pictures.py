"""Pictures of one filter that learns (page 1): its path, its weights over time, its active share and sign changes."""

from __future__ import annotations

import numpy as np

from figures.explore.judge import shown
from figures.explore.one_filter_run import W_STAR, Found, sign_changes, sign_law
from figures.explore.page import Picture
from figures.explore.plot import plot
from figures.explore.series import Series, rule
from sim.arrays import FloatArray
from sim.grid import grid_samples

FAR = 20.0
"""Weights beyond this are left out of the pictures."""


def plane(found: Found, printed: FloatArray | None) -> Picture:
    """The path of the weights among the normals of the samples; printed: the path to show beside it, if any."""
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


def over_time(found: Found, printed: FloatArray | None) -> Picture:
    """Both weights, update by update: closed form, simulation and, if given, the printed path."""
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


def shares(found: Found) -> Picture:
    """The share of active samples, and that of coordinates whose gradient changes sign, update by update."""
    k = np.arange(found.run.steps + 1.0)
    active = Series(k, found.run.active_fraction[:, 0], "active samples", "steps", 2, 0)
    # a change is seen at the update that makes it
    changes = Series(k[2:], sign_changes(found).mean(axis=1), "sign changes of the gradient", "points", 3)
    series = [active, changes]
    law = sign_law(found)
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


def _pair(point: FloatArray) -> str:
    return f"({shown(float(point[0]))}, {shown(float(point[1]))})"
