"""The page on layer variance: numbers of the simulator, verdicts that flip, snippets that run."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import filterlaw
from figures.explore import layer_networks
from figures.explore.layer_laws import derived
from figures.explore.layer_networks import find, stack_of
from figures.explore.layer_variance import PAGE
from sim.layer_variance import Stack
from tests.figures.explore import pages

REPAIRED = "repaired"


def test_defaults_and_presets_are_settings() -> None:
    pages.require_in_range(PAGE)


@settings(max_examples=40)
@given(pages.settings_of(PAGE))
def test_any_setting_has_a_view_and_closed_forms_that_hold(values: dict[str, Any]) -> None:
    view = PAGE.view(values)
    pages.require_sound(view)
    assert pages.says(view, "X-VAR") != "fails here"
    if values["weight_correlation"] >= 0 and values["border"] != "zero":
        assert pages.says(view, "C-RNG") == "holds here"


def test_the_first_thing_that_a_visitor_sees_is_the_failure_of_cell_c() -> None:
    first = PAGE.presets[0]
    view = PAGE.view(pages.at(PAGE, **first.values))
    assert "C" in first.name
    assert pages.says(view, "C-T1C", "η k^l") == "fails here"
    assert pages.says(view, "C-T1C", REPAIRED) == "fails here"
    assert pages.says(view, "X-VAR") == "holds here"
    measured = [float(row[2]) for row in view.table[1:]]
    printed = [float(row[4]) for row in view.table[1:]]
    assert measured[-1] > 50 * measured[0]
    assert printed[-1] < printed[0]


@pytest.mark.parametrize(
    ("values", "claim", "statement", "expected"),
    [
        # an assumption loosened: the correlation is no longer perfect
        ({"weight_correlation": 1.0, "input_correlation": 0.0}, "C-T1C", "η", "fails here"),
        ({"weight_correlation": 0.95, "input_correlation": 0.0}, "C-T1C", "η", "not applicable here"),
        ({"weight_correlation": 1.0, "input_correlation": 0.05}, "C-T1C", REPAIRED, "not applicable here"),
        ({"weight_correlation": 0.0, "input_correlation": 0.0, "border": "circular"}, "C-T1D", "η", "fails here"),
        # at k^2 Var[w]/2 = 1 every exponent is right
        ({"weight_correlation": 0.0, "input_correlation": 1.0, "border": "circular"}, "C-E16", "", "holds here"),
        (
            {"weight_correlation": 0.0, "input_correlation": 1.0, "border": "circular", "strength": 0.7},
            "C-E16",
            "",
            "fails here",
        ),
        (
            {"weight_correlation": 1.0, "input_correlation": 1.0, "border": "circular", "strength": 0.25},
            "C-E14",
            "",
            "holds here",
        ),
        ({"weight_correlation": 1.0, "input_correlation": 1.0, "border": "circular"}, "C-E14", "", "fails here"),
        ({"weight_correlation": 1.0, "input_correlation": 1.0, "border": "circular"}, "C-SQ", "", "fails here"),
        # Var[w] k/2 = 1: Table 1 (B) says Var[y_1] at every depth, where it doubles
        (
            {"weight_correlation": 0.0, "input_correlation": 1.0, "border": "circular", "strength": 2.0},
            "C-T1B",
            "",
            "fails here",
        ),
        ({"weight_correlation": -0.3, "input_correlation": 1.0, "border": "circular"}, "C-RNG", "", "fails here"),
        ({"weight_correlation": 0.0, "input_correlation": 1.0, "border": "circular"}, "C-RNG", "", "holds here"),
        ({"weight_correlation": 0.0, "input_correlation": 0.0, "border": "zero"}, "C-RNG", "", "fails here"),
        ({"weight_correlation": 1.0, "input_correlation": 1.0, "border": "zero"}, "X-VAR", "", "not applicable here"),
        ({"weight_correlation": 0.5, "input_correlation": 0.5, "border": "circular"}, "X-VAR", "", "holds here"),
    ],
)
def test_verdicts_flip_where_theory_says(values: dict[str, Any], claim: str, statement: str, expected: str) -> None:
    assert pages.says(PAGE.view(pages.at(PAGE, **values)), claim, statement) == expected


def test_a_wrong_closed_form_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(stack: Stack, rho_w: float) -> Any:
        return derived(stack, rho_w) * 1.2 ** np.arange(stack.depth)

    monkeypatch.setattr(layer_networks, "derived", wrong)
    assert pages.says(PAGE.view(PAGE.defaults()), "X-VAR") == "fails here"


@pytest.mark.parametrize("k", [2, 3])
def test_cell_c_is_the_mixture_of_d_and_a(k: int) -> None:
    found = find(pages.at(PAGE, k=k, depth=3))
    power = np.arange(3.0)
    assert found.exact == pytest.approx(2 * ((1 - 1 / np.pi) + k ** (2 * power) / np.pi))


@pytest.mark.parametrize(("weights", "inputs", "power"), [(1.0, 1.0, 2), (0.0, 1.0, 1), (1.0, 0.0, 1), (0.0, 0.0, 1)])
def test_the_table_is_as_printed(weights: float, inputs: float, power: int) -> None:
    found = find(pages.at(PAGE, k=3, depth=3, border="circular", weight_correlation=weights, input_correlation=inputs))
    layers, v = np.arange(1, 4), 2 / 9
    # Var[y_1] (Var[w]/2)^l k^(2l) in cell (A), k^l in the others
    assert found.printed == pytest.approx((18 if power == 2 else 2) * (v / 2) ** layers * 3.0 ** (power * layers))
    assert find(pages.at(PAGE, depth=2, weight_correlation=0.9)).printed is None


def test_what_is_squared_is_said() -> None:
    view = PAGE.view(pages.at(PAGE, weight_correlation=1.0, input_correlation=1.0, border="circular"))
    # Var[y_1] = k^2 Var[w] = 2 in cell (B)
    assert "that of cell (B) squared: 4;" in next(one.why for one in view.standings if one.claim == "C-SQ")


def test_the_rounding_of_a_slider_does_not_leave_a_cell() -> None:
    found = find(pages.at(PAGE, weight_correlation=1.0000000000000002, input_correlation=5.6e-17))
    assert found.cell == "C"
    assert (found.stack.weight_correlation, found.stack.input_correlation) == (1.0, 0.0)


def test_what_cannot_be_drawn_is_said() -> None:
    view = PAGE.view(pages.at(PAGE, k=3, weight_correlation=-0.3))
    assert "-0.125" in view.message.replace("−", "-")
    assert stack_of(pages.at(PAGE, k=3, weight_correlation=-0.3))[1] == pytest.approx(-0.9 / 8)
    deep = PAGE.view(pages.at(PAGE, k=5, depth=6))
    assert "shown are the first 2" in deep.message
    assert len(deep.table) == 3
    assert PAGE.view(PAGE.defaults()).message == ""


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"weight_correlation": 0.35, "input_correlation": 0.6, "border": "circular", "channels": "sixteen", "k": 3},
        {"weight_correlation": -0.2, "input_correlation": 0.5, "border": "zero", "depth": 3},
    ],
)
def test_the_snippet_gives_the_numbers(values: dict[str, Any]) -> None:
    chosen = pages.at(PAGE, **values)
    found = find(chosen).measured
    numbers = pages.run_python(PAGE.view(chosen).python)
    assert numbers == pytest.approx([*found.second, *found.second_error], rel=1e-6)


@pytest.mark.parametrize("name", ["Cell C, real convolution", "Cell A: everything equal", "Cell D: He's case"])
def test_the_command_gives_the_numbers(name: str, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = pages.preset(PAGE, name)
    found, target = find(chosen), tmp_path / "layers.json"
    assert filterlaw.run([*pages.command_arguments(PAGE.view(chosen)), "--json", str(target)]) == 0
    capsys.readouterr()
    record = json.loads(target.read_text(encoding="utf-8"))
    assert record["derived"] == pytest.approx(found.exact)
    assert record["printed"] == pytest.approx(found.printed)
    # Gaussian weights there have heavy tails in the deeper layers
    error = np.array(record["standard_error"])[:2] + found.measured.second_error[:2]
    assert np.all(np.abs(np.array(record["variance"])[:2] - found.measured.second[:2]) < 5 * error)
    assert PAGE.view(pages.at(PAGE, channels="sixteen", depth=3)).command == ""


def test_it_follows_a_slider(capsys: pytest.CaptureFixture[str]) -> None:
    milliseconds = pages.milliseconds(PAGE, PAGE.defaults())
    with capsys.disabled():
        print(f" layer variance: {milliseconds:.1f} ms", end="")
    # what is aimed at is 40, on a machine with nothing else to do
    assert milliseconds < 200
