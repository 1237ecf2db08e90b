"""One filter of two weights that learns from four samples: its run, and what the rules say of it (page 1)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from figures.explore.check import linear_law, printed_path
from figures.explore.page import Values
from figures.zigzag_laws import full_batch, heavy_ball
from sim.arrays import FloatArray
from sim.descent import Trajectory, descend, stability_limit
from sim.problem import GridProblem
from sim.zigzag import sign_changes_per_coordinate

SEED = 0
W_STAR = np.array([1.0, 0.0])
NEARLY_ZERO = 1e-9
"""A gradient that small, in units of the first, is rounding."""


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


def sign_changes(found: Found, updates: int | None = None) -> FloatArray:
    """Sign changes (T - 1, 2) between the first `updates` gradients; where they are only rounding, there are none."""
    gradients = found.run.gradients[:updates, 0]
    before, after = gradients[:-1], gradients[1:]
    exactly_zero = np.abs(after) <= NEARLY_ZERO * np.abs(before)
    pairs = np.stack([before, np.where(exactly_zero, 0.0, after)])
    return np.where(np.abs(before) > rounding(found), sign_changes_per_coordinate(pairs)[0], 0.0)


def rounding(found: Found) -> float:
    """The size of a gradient below which its sign says nothing."""
    return NEARLY_ZERO * float(np.abs(found.run.gradients[0]).max())


def sign_law(found: Found) -> float:
    """The long-run share of sign changes with every sample active; NaN for one sample at a time, or none active."""
    if not np.isfinite(found.law).any():
        return float("nan")
    moving = found.h[found.run.gradients[0, 0] != 0]
    if not moving.size:
        return 0.0
    rates = np.array([found.learning_rate])
    law = heavy_ball(moving, rates, found.momentum) if found.momentum else full_batch(moving, rates)
    return float(law[0] * moving.size / 2)
