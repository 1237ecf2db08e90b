"""The bench measures what it says, and fails when a goal is missed."""

from __future__ import annotations

import sys
import time
from importlib import import_module
from itertools import cycle

import pytest

from tests.bench import __main__ as bench
from tests.bench.ratio import Bound, Ratio, Result, run


class Clock:
    """A clock that moves only when a routine says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def takes(self, *seconds: float):
        spans = cycle(seconds)

        def routine() -> None:
            self.now += next(spans)

        return routine


def test_the_ratio_is_slow_over_fast():
    clock = Clock()
    result = run(Ratio("r", fast=clock.takes(0.1), slow=clock.takes(1.2), at_least=10), clock)
    assert result.value == pytest.approx(12)
    assert result.fast == pytest.approx(0.1)
    assert result.slow == pytest.approx(1.2)
    assert result.share == pytest.approx(1.2)


def test_one_slow_spell_does_not_move_the_median():
    clock = Clock()
    slow = clock.takes(1.0, 1.0, 50.0, 1.0, 1.0)
    assert run(Ratio("r", fast=clock.takes(0.1), slow=slow, at_least=10, rounds=5), clock).value == pytest.approx(10)


def test_short_routines_are_repeated_and_the_first_call_is_not_timed():
    clock, calls = Clock(), []

    def fast() -> None:
        calls.append(0)
        clock.now += 3.0 if len(calls) == 1 else 0.001

    result = run(Ratio("r", fast=fast, slow=clock.takes(0.1), at_least=1, rounds=3), clock)
    assert result.fast == pytest.approx(0.001)
    assert len(calls) == 2 + 3 * 20


@pytest.mark.parametrize(("speed", "met"), [(10.0, True), (8.1, True), (7.9, False), (0.1, False)])
def test_a_goal_is_missed_by_more_than_a_fifth(speed, met):
    clock = Clock()
    assert run(Ratio("r", fast=clock.takes(0.1), slow=clock.takes(0.1 * speed), at_least=10), clock).met is met


@pytest.mark.parametrize(("value", "met"), [(1.2, True), (1.24, True), (1.3, False), (0.0, True)])
def test_bounds(value, met):
    assert run(Bound("memory", lambda: value, at_most=1.0, unit="GB")).met is met


@pytest.mark.parametrize("topic", bench.TOPICS)
def test_every_topic_offers_measures(topic):
    assert callable(import_module(f"tests.bench.{topic}").measures)
    assert bench._threads(topic) in (1, 2)


def test_a_missed_goal_fails_the_run(monkeypatch, capsys):
    class Topic:
        @staticmethod
        def measures():
            yield Ratio("sleeps", fast=lambda: time.sleep(0.02), slow=lambda: None, at_least=5, rounds=1)

    monkeypatch.setitem(sys.modules, "tests.bench.made_up", Topic)
    assert bench.run_topic("made_up") == 1
    assert "MISSED" in capsys.readouterr().out


def test_an_unknown_topic_is_refused(capsys):
    assert bench.main(["nonsense"]) == 2
    assert "unknown topic 'nonsense'" in capsys.readouterr().err


def test_a_row_shows_ratio_goal_and_times():
    row = bench.line(Result("svb 64", 3.0, 2.5, 3.5, ">= 2.5x", 1.2, fast=1e-3, slow=3e-3))
    assert row.split() == ["svb", "64", "3", "2.5", "to", "3.5", ">=", "2.5x", "3", "ms", "1", "ms"]
