"""How the rules of Theorem 1 fare on the updates of a run (pages 1 and 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sympy as sp

from figures.explore.judge import decided, not_applicable, shown
from figures.explore.page import Standing
from sim.arrays import FloatArray
from sim.descent import Trajectory
from theory.derive.single_filter.theorem_1 import PRINTED_E4
from theory.evaluate import indices, residual
from theory.symbols import d, i, lam, w, w0_star

LARGE = 1e6
"""A run is judged as long as no weight is larger: beyond it, rounding hides what the formulas say."""


@dataclass(frozen=True, eq=False)
class Updates:
    """The updates of one filter that can be judged.

    values: the symbols of a statement on one update, indexed ones of shape (p, T). tolerance: (T,), rounding of sums
    over the samples at the size that the weights have.
    """

    values: Mapping[str, Any]
    tolerance: FloatArray
    p: int

    def __len__(self) -> int:
        return len(self.tolerance)


def updates_of(run: Trajectory, half_widths: FloatArray, learning_rate: float, w0_star: float = 1.0) -> Updates:
    """The updates of filter 0 of a run before its weights grow beyond `LARGE`."""
    weights = run.weights[:, 0]
    good = np.abs(weights).max(axis=1) <= LARGE
    count = int(np.argmin(good)) - 1 if not good.all() else len(weights) - 1
    before, after = weights[: max(count, 0)], weights[1 : max(count, 0) + 1]
    p = weights.shape[1]
    at = {
        "p": p,
        "d": half_widths[:, None] + np.zeros(len(before)),
        "w": before.T,
        "w_next": after.T,
        "lam": learning_rate,
        "w0_star": w0_star,
    }
    return Updates(at, 1e-10 * (1.0 + np.abs(before).max(axis=1, initial=0.0)), p)


def misses(formula: sp.Basic, updates: Updates, **more: Any) -> FloatArray:
    """How far a statement is from true at each update, (T,): the worst over its indices; 0 within the tolerance."""
    worst = np.zeros(len(updates))
    for at in indices(formula, updates.p):
        off = residual(formula, {**updates.values, **more, **at}, updates.tolerance)
        worst = np.maximum(worst, np.where(off <= updates.tolerance, 0.0, off))
    return worst


def on_updates(
    claim: str, statement: str, formula: sp.Basic, updates: Updates, holds_because: str = "", **more: Any
) -> Standing:
    """The standing of a statement on one update: it holds here if it does at every update of the run."""
    if not len(updates):
        return not_applicable(claim, statement, "the weights grow beyond bounds at once")
    off = misses(formula, updates, **more)
    wrong = np.flatnonzero(off)
    if not wrong.size:
        return decided(claim, statement, True, holds_because or f"at each of the {len(off)} updates")
    first, worst = int(wrong[0]), float(off.max())
    how_far = f", by up to {shown(worst)}" if np.isfinite(worst) else ""
    why = f"at {wrong.size} of {len(off)} updates, first at update {first + 1}{how_far}"
    return decided(claim, statement, False, why)


@cache
def _printed_rule() -> Any:
    names = sp.symbols("w_0 w_i d_i lam w0_star", real=True)
    plain = PRINTED_E4.rhs.subs({w[0]: names[0], w[i]: names[1], d[i]: names[2], lam: names[3], w0_star: names[4]})
    return sp.lambdify(names, plain)


def printed_path(start: FloatArray, half_widths: FloatArray, learning_rate: float, steps: int) -> FloatArray:
    """Weights (steps + 1, p) by Eq. (3) with printed Eq. (4), w* = e0; one is NaN once it is beyond `LARGE`."""
    rule = _printed_rule()
    path = np.full((steps + 1, len(start)), np.nan)
    path[0] = start
    factor = 1.0 - 2.0 * learning_rate * (1.0 + half_widths[0] ** 2)
    for k in range(steps):
        following = rule(path[k, 0], path[k], half_widths, learning_rate, 1.0)
        following[0] = 1.0 + factor * (path[k, 0] - 1.0)
        path[k + 1] = np.where(np.abs(following) <= LARGE, following, np.nan)
    return path


def linear_law(
    moment: FloatArray,
    cross: FloatArray,
    start: FloatArray,
    learning_rate: float,
    steps: int,
    *,
    momentum: float = 0.0,
    l2: float = 0.0,
) -> FloatArray:
    """Weights (steps + 1, p) if every sample is active at every update: then the gradient is 2 (H w - E[y X]).

    moment H (p, p), cross E[y X] (p,). With w* = e0 on the grid and no momentum it is Theorem 1 (with Eq. (4) as it
    should read) in closed form. Weights beyond `LARGE` are NaN.
    """
    path = np.full((steps + 1, len(start)), np.nan)
    path[0] = start
    velocity = np.zeros_like(start)
    for k in range(steps):
        velocity = momentum * velocity + 2.0 * (moment @ path[k] - cross) + l2 * path[k]
        following = path[k] - learning_rate * velocity
        if not np.abs(following).max() <= LARGE:
            break
        path[k + 1] = following
    return path


def rate_remark(run: Trajectory, learning_rate: float, limit: float) -> str:
    """What is to be said of a learning rate; limit: the one from which descent is not expected to converge."""
    if run.diverged[0] or np.abs(run.weights).max() > LARGE:
        return f"The weights grow beyond all bounds: the learning rate is above its limit, {shown(limit)}."
    if learning_rate >= limit:
        return f"The learning rate is above {shown(limit)}, where descent is not sure to converge."
    return ""
