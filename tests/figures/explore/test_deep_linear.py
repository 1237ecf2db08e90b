"""The page on deep linear networks: numbers of the simulator, the reachable interval, verdicts that flip."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import filterlaw
from figures.explore import clipped_training, deep_linear
from figures.explore.clipped_training import find, flow_product, in_least_band, learned_strengths, least_eps
from figures.explore.deep_linear import PAGE
from sim.linear_modes import descend_modes, flow_modes
from tests.figures.explore import pages
from theory.derive.deep_linear.reach import HIGH


def test_defaults_and_presets_are_settings() -> None:
    pages.require_in_range(PAGE)


@settings(max_examples=60)
@given(pages.settings_of(PAGE))
def test_any_setting_has_a_view_and_laws_that_hold(values: dict[str, Any]) -> None:
    view = PAGE.view(values)
    pages.require_sound(view)
    assert pages.says(view, "X-REACH") != "fails here"
    assert pages.says(view, "X-SAXE") == "holds here"
    assert pages.says(view, "S-UNEVEN") == "fails here"
    assert (pages.says(view, "S-REACH") == "fails here") == (0 in (values["sigma"], values["other"]))
    assert not find(values).free.diverged.any()


@pytest.mark.parametrize(
    ("values", "claim", "expected"),
    [
        # all strengths end at 4^(1/3) > 1, and the goal is reached
        ({"sigma": 4.0}, "S-NEC", "fails here"),
        ({"sigma": 4.0}, "S-SUF", "fails here"),
        # from uneven starts some end above 1, some below
        ({"sigma": 1.0, "layers": 2, "unbalance": 8.0, "updates": 1000}, "S-NEC", "holds here"),
        ({"sigma": 1.0, "layers": 2, "unbalance": 8.0, "updates": 1000}, "S-SUF", "not applicable here"),
        # a goal of 0 is not reached in finite time
        ({"sigma": 0.0}, "S-NEC", "not applicable here"),
        ({"sigma": 0.0}, "S-SUF", "holds here"),
        ({"sigma": 0.0}, "S-REACH", "fails here"),
        ({"sigma": 0.05}, "S-REACH", "holds here"),
        ({}, "X-REACH", "holds here"),
        ({"layers": 8, "start": 0.1, "updates": 50}, "X-REACH", "not applicable here"),
    ],
)
def test_verdicts_flip_where_theory_says(values: dict[str, Any], claim: str, expected: str) -> None:
    assert pages.says(PAGE.view(pages.at(PAGE, **values)), claim) == expected


def test_the_band_ends_where_it_should() -> None:
    narrow, wide = (find(pages.preset(PAGE, name)) for name in ("A band too narrow", "Just wide enough"))
    assert narrow.ends(narrow.bounded) == pytest.approx([1.2**3, 1.2**-3])
    assert wide.ends(wide.bounded)[0] == pytest.approx(4.0)
    assert narrow.least_eps[0] == pytest.approx(4 ** (1 / 3) - 1)
    view = PAGE.view(pages.preset(PAGE, "A band too narrow"))
    assert "too narrow" in next(one.why for one in view.standings if one.claim == "S-REACH")
    assert "wide enough" in next(
        one.why for one in PAGE.view(pages.preset(PAGE, "Just wide enough")).standings if one.claim == "S-REACH"
    )


def test_a_wrong_interval_and_a_wrong_flow_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = pages.at(PAGE, layers=2, sigma=4.0)
    with monkeypatch.context() as patch:
        patch.setattr(clipped_training, "HIGH", HIGH * sp.Rational(21, 20))
        assert pages.says(PAGE.view(values), "X-REACH") == "fails here"
    with monkeypatch.context() as patch:
        patch.setattr(deep_linear, "flow_product", lambda a, b, goal, times: flow_product(a, b, goal, 1.2 * times))
        assert pages.says(PAGE.view(values), "X-SAXE") == "fails here"
    assert pages.says(PAGE.view(values), "X-REACH") == pages.says(PAGE.view(values), "X-SAXE") == "holds here"


@pytest.mark.parametrize(("first", "second"), [(0.3, 0.3), (0.9, 0.1)])
def test_the_closed_form_is_the_flow(first: float, second: float) -> None:
    times = np.linspace(0, 2, 9)
    assert flow_product(first, second, 1.7, times) == pytest.approx(
        flow_modes([first, second], 1.7, times).products, abs=1e-9
    )


@given(st.lists(st.floats(0.05, 1.5), min_size=2, max_size=6), st.floats(0.01, 8.0))
def test_strengths_end_with_their_differences_of_squares_and_the_goal(start: list[float], goal: float) -> None:
    begin = np.array(start)
    end = learned_strengths(begin, goal)
    assert np.prod(end) == pytest.approx(goal, rel=1e-6)
    assert np.diff(end**2) == pytest.approx(np.diff(begin**2), abs=1e-9)


@pytest.mark.parametrize(("goal", "layers"), [(8.0, 2), (0.05, 3), (0.3, 8), (1.0, 4)])
def test_the_least_band_reaches_its_goal_and_a_narrower_one_does_not(goal: float, layers: int) -> None:
    assert in_least_band(goal, layers) == pytest.approx(goal, rel=1e-3)
    eps = least_eps(goal, layers)
    assert (1 + eps) ** layers == pytest.approx(max(goal, 1 / goal))
    if eps:
        narrow = descend_modes(np.ones((layers, 1)), [goal], learning_rate=1e-3, steps=3000, band=0.9 * eps)
        assert abs(narrow.products[-1, 0] - goal) > 0.02 * goal


@pytest.mark.parametrize("name", ["A band too narrow", "Uneven layers stay uneven", "Clipped now and then"])
def test_the_command_and_the_snippet_give_the_numbers(
    name: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = pages.preset(PAGE, name)
    found, view, target = find(chosen), PAGE.view(chosen), tmp_path / "modes.json"
    assert filterlaw.run([*pages.command_arguments(view), "--json", str(target)]) == 0
    capsys.readouterr()
    record = json.loads(target.read_text(encoding="utf-8"))
    assert np.array_equal(record["products"][-1], found.ends(found.bounded))
    expected = [*found.ends(found.free), *found.ends(found.bounded)]
    assert pages.run_python(view.python) == pytest.approx(expected, rel=1e-6)
    assert [row[4] for row in view.table[1:]] == [f"{end:.4g}" for end in found.ends(found.bounded)]


def test_it_follows_a_slider(capsys: pytest.CaptureFixture[str]) -> None:
    milliseconds = pages.milliseconds(PAGE, PAGE.defaults())
    with capsys.disabled():
        print(f" deep linear: {milliseconds:.1f} ms", end="")
    # what is aimed at is 40, on a machine with nothing else to do
    assert milliseconds < 200
