"""What is measured: how many times faster one routine is than another in the same run, and what a routine needs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

SLACK = 0.2
"""A goal counts as missed when it is missed by more than this share."""
SHORTEST = 0.02
"""Seconds that one timing lasts at least; shorter routines are repeated."""


@dataclass(frozen=True)
class Ratio:
    """`fast` is to be at least `at_least` times as fast as `slow`; both do the same work on the same input."""

    name: str
    fast: Callable[[], object]
    slow: Callable[[], object]
    at_least: float
    rounds: int = 7


@dataclass(frozen=True)
class Bound:
    """`measure()` is to be at most `at_most`, in `unit`."""

    name: str
    measure: Callable[[], float]
    at_most: float
    unit: str


@dataclass(frozen=True)
class Result:
    """What was measured. value: the median ratio, or the measure; low, high: its range over the rounds.

    fast, slow: median seconds of one call, None for a bound. share: the value over the goal, so that 1 or more is met.
    """

    name: str
    value: float
    low: float
    high: float
    goal: str
    share: float
    fast: float | None = None
    slow: float | None = None

    @property
    def met(self) -> bool:
        """Whether the goal is met, or missed by no more than the slack."""
        return self.share >= 1 - SLACK


def run(measure: Ratio | Bound, clock: Callable[[], float] = time.perf_counter) -> Result:
    """Measure. The two routines of a ratio take turns, so that a slow spell of the machine meets both."""
    if isinstance(measure, Bound):
        value = measure.measure()
        goal = f"<= {measure.at_most:g} {measure.unit}"
        return Result(measure.name, value, value, value, goal, measure.at_most / value if value > 0 else float("inf"))
    repeats = _repeats(measure.fast, clock)
    measure.slow()
    times = [(_seconds(measure.slow, 1, clock), _seconds(measure.fast, repeats, clock)) for _ in range(measure.rounds)]
    ratios = [slow / fast for slow, fast in times]
    value = median(ratios)
    return Result(
        measure.name,
        value,
        min(ratios),
        max(ratios),
        f">= {measure.at_least:g}x",
        value / measure.at_least,
        fast=median(fast for _, fast in times),
        slow=median(slow for slow, _ in times),
    )


def _repeats(routine: Callable[[], object], clock: Callable[[], float]) -> int:
    """How often to call a routine in one timing; the first call, which may compile, is not timed."""
    routine()
    once = _seconds(routine, 1, clock)
    return max(1, round(SHORTEST / once)) if once > 0 else 1


def _seconds(routine: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(repeats):
        routine()
    return (clock() - start) / repeats
