"""Training of two directions of an aligned deep linear network, with and without Singular Value Bounding."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from figures.explore.judge import setting
from figures.explore.page import Values
from sim.arrays import FloatArray
from sim.linear_modes import ModeTrajectory, descend_modes, mode_gradient
from theory.derive.deep_linear.flows import kappa, riccati
from theory.derive.deep_linear.modes import s, sigma, t
from theory.derive.deep_linear.reach import HIGH, LOW
from theory.evaluate import value

POINTS = 240
"""About how many updates of a run are drawn."""
FINE = 16
"""The flow is followed with updates so many times smaller."""
REACHED = 1e-3
"""A direction counts as learned once its product is as near to its goal, relative to it."""
MOST_TRIED = 60_000
"""Updates after which training in the least band is given up."""


@dataclass(frozen=True, eq=False)
class Found:
    """Two directions of an aligned network, trained with and without a band.

    strengths: (L,) at the start. goals: (2,). free, bounded: the two runs, strengths (T, L, 2). reachable: the ends of
    the interval of products. least_eps: (2,), infinite for a goal of 0.
    """

    layers: int
    eps: float
    every: int
    rate: float
    steps: int
    strengths: FloatArray
    goals: FloatArray
    free: ModeTrajectory
    bounded: ModeTrajectory
    reachable: tuple[float, float] = field(init=False)
    least_eps: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        ends = tuple(float(value(end, {"eps": self.eps, "depth": self.layers}, exact=False)) for end in (LOW, HIGH))
        object.__setattr__(self, "reachable", ends)
        object.__setattr__(self, "least_eps", np.array([least_eps(goal, self.layers) for goal in self.goals]))

    def ends(self, run: ModeTrajectory) -> FloatArray:
        """The products at the end of a run, (2,)."""
        return np.asarray(run.products[-1])

    def nearest(self) -> FloatArray:
        """The products in the band that are nearest to the goals, (2,)."""
        return np.clip(self.goals, *self.reachable)


def least_eps(goal: float, layers: int) -> float:
    """max(goal, 1/goal)^(1/L) - 1, the least eps with which L layers reach the goal (X-REACH)."""
    return max(goal, 1 / goal) ** (1 / layers) - 1 if goal > 0 else math.inf


def starting_strengths(start: float, unbalance: float, layers: int) -> FloatArray:
    """Strengths (L,) with this geometric mean, falling evenly so that the first is `unbalance` times the last."""
    return np.asarray(start * unbalance ** (0.5 - np.arange(layers) / (layers - 1)))


def learned_strengths(strengths: FloatArray, goal: float) -> FloatArray:
    """Where the flow from positive strengths ends, (L,): the same differences of squares, and the product `goal`."""
    squares = np.square(strengths) - np.square(strengths).min()
    low, high = 0.0, max(goal, 1e-12) ** (2 / len(strengths))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.prod(squares + middle) < goal**2 else (low, middle)
    return np.asarray(np.sqrt(squares + high))


def stable_rate(strengths: FloatArray, goals: FloatArray, eps: float) -> float:
    """A learning rate small against the curvature on the way: 1/5 of 1 over the largest sum of (product/s_l)^2.

    Strengths go up or down all the way, so that they stay below the larger of the start's and the end's; likewise in
    the band.
    """
    clipped = np.clip(strengths, 1 / (1 + eps), 1 + eps)
    curvatures = []
    for begin in (strengths, clipped):
        for goal in goals:
            reach = np.maximum(begin, learned_strengths(begin, float(goal)))
            reach = reach if begin is strengths else np.minimum(reach, 1 + eps)
            curvatures.append(float(np.sum(np.square(np.prod(reach) / reach))))
    return float(f"{0.2 / max(curvatures):.3g}")


def find(values: Values) -> Found:
    """Everything that the page shows, for the values of its controls."""
    layers, eps, every = int(values["layers"]), setting(values, "eps"), int(values["every"])
    goals = np.array([setting(values, "sigma"), setting(values, "other")])
    strengths = starting_strengths(setting(values, "start"), setting(values, "unbalance"), layers)
    rate = stable_rate(strengths, goals, eps)
    # the last update is one after which strengths are clipped
    steps = math.ceil(int(values["updates"]) / every) * every
    begin = np.repeat(strengths[:, None], 2, axis=1)
    record = max(1, steps // POINTS)
    free = descend_modes(begin, goals, learning_rate=rate, steps=steps, record_every=record)
    bounded = descend_modes(
        begin, goals, learning_rate=rate, steps=steps, record_every=record, band=eps, band_every=every
    )
    return Found(layers, eps, every, rate, steps, strengths, goals, free, bounded)


def flow_product(first: float, second: float, goal: float, times: FloatArray) -> FloatArray:
    """s t along the gradient flow of two layers, (T,), for goal > 0 (X-SAXE)."""
    given = {"s": first, "t": second, "sigma": goal, "time": times}
    plus = value(riccati((s + t) ** 2, sigma), given, exact=False)
    if first == second:
        return np.asarray(plus / 4)
    minus = value(riccati((s - t) ** 2, -sigma, kappa), given, exact=False)
    return np.asarray((plus - minus) / 4)


def in_least_band(goal: float, layers: int) -> float | None:
    """Where training from s = 1 ends with the least eps for this goal; None if it takes too long."""
    root = goal ** (1 / layers)
    rate = 0.5 / (layers * max(1.0, root) ** (2 * layers - 2))
    # each update leaves at most this share of the way to go (S-REACH)
    left = 1 - rate * layers * min(1.0, root) ** (2 * layers - 2)
    steps = 1 + math.ceil(math.log(REACHED / 10 / layers) / math.log(left))
    if steps > MOST_TRIED:
        return None
    # a hair wider, since the ends of the band are rounded
    eps = least_eps(goal, layers) * (1 + 1e-9) + 1e-12
    return float(descend_modes(np.ones((layers, 1)), [goal], learning_rate=rate, steps=steps, band=eps).products[-1, 0])


def settled(found: Found) -> bool:
    """Whether a further update, clipped, would move no strength: those not at an end of the band feel no force."""
    final, top = found.bounded.final, 1 + found.eps
    moved = np.clip(final - found.rate * mode_gradient(final, found.goals), 1 / top, top)
    return bool(np.abs(moved - final).max() <= 8 * np.finfo(float).eps * top)


def spread(strengths: FloatArray) -> float:
    """The largest difference of squares between two layers, of any direction; strengths (L, M)."""
    squares = np.square(strengths)
    return float((squares.max(axis=0) - squares.min(axis=0)).max())


def differences(strengths: FloatArray) -> FloatArray:
    squares = np.square(strengths)
    return np.asarray(squares - squares[0])


def finer(found: Found, times: int) -> ModeTrajectory:
    """The free run with updates so many times smaller, recorded at the same times."""
    steps = min(found.steps, 2000)
    begin = np.repeat(found.strengths[:, None], 2, axis=1)
    return descend_modes(
        begin,
        found.goals,
        learning_rate=found.rate / times,
        steps=steps * times,
        record_every=times * max(1, steps // 50),
    )
