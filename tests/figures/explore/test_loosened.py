"""Page 2: each loosened assumption moves the verdicts that rest on it, and no others."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings

import filterlaw
from figures.explore import loosened
from figures.explore.loosened import LARGE_P, PAGE, large_run, large_view, observe, samples_of, view
from sim.grid import grid_samples
from tests.figures.explore import pages
from tests.figures.explore.pages import at, preset, says

THEOREM = ("C-E3", "C-E4, corrected")


def test_defaults_and_presets_are_in_range():
    pages.require_in_range(PAGE)


@given(pages.settings_of(PAGE))
@settings(max_examples=100)
def test_every_setting_has_a_sound_view(values):
    pages.require_sound(view(values))


@pytest.mark.parametrize("name", [one.name for one in PAGE.presets])
def test_presets_are_sound(name):
    pages.require_sound(view(preset(PAGE, name)))


def verdicts(values):
    shown = view(values)
    return [says(shown, claim) for claim in THEOREM]


def test_with_all_assumptions_the_theorem_holds():
    values = at(PAGE)
    assert verdicts(values) == ["holds here"] * 2
    found = observe(values)
    np.testing.assert_allclose(found.theorem, found.facts.run.weights[:, 0], rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "change", [{"shift": 0.4}, {"tau": 0.3}, {"l2": 0.2}, {"p": 2, "wi": 4.0, "di": 1.0, "w0": 3.0}]
)
def test_each_loosening_breaks_the_theorem(change):
    assert verdicts(at(PAGE, **change)) == ["fails here"] * 2


def test_a_bend_leaves_eq_3():
    # c X_0 X_1 pulls along coordinate 1 alone
    assert verdicts(at(PAGE, bend=0.35)) == ["holds here", "fails here"]


def test_samples_are_what_the_controls_say():
    X = samples_of(at(PAGE, p=3, d0=0.25, di=0.5)).X
    np.testing.assert_array_equal(X, grid_samples([0.25, 0.5, 0.5]))
    moved = samples_of(at(PAGE, p=3, d0=0.25, di=0.5, shift=0.3, bend=0.5))
    np.testing.assert_allclose(moved.X - X, np.tile([0, 0.3, 0], (8, 1)), atol=1e-15)
    np.testing.assert_allclose(moved.y, moved.X[:, 0] * (1 + 0.5 * moved.X[:, 1]))
    noisy = [samples_of(at(PAGE, p=9, tau=0.3, draw=draw)) for draw in (0, 1)]
    assert np.std(noisy[0].y - noisy[0].X[:, 0]) == pytest.approx(0.3, rel=0.1)
    assert (noisy[0].y != noisy[1].y).all()


@pytest.mark.parametrize(
    "change", [{}, {"shift": -0.4}, {"tau": 0.3}, {"bend": 0.35}, {"l2": 0.2}, {"p": 9, "w0": 2.0}]
)
def test_the_loosened_law_is_the_simulation_while_all_are_active(change):
    found = observe(at(PAGE, **change))
    assert found.facts.run.active_fraction.min() == 1.0
    np.testing.assert_allclose(found.law, found.facts.run.weights[:, 0], rtol=0, atol=1e-13)


def test_asymmetry_leaves_the_residual_terms():
    shown = view(preset(PAGE, "Lopsided samples"))
    assert says(shown, "C-L2", "update on an asymmetric grid") == "holds here"
    # farther samples and yet a slower slowest rate: d0 < d1
    assert says(shown, "C-L2", "slowest rate rises") == "fails here"
    nearer = view({**preset(PAGE, "Lopsided samples"), "shift": 0.4})
    assert says(nearer, "C-L2", "slowest rate rises") == "holds here"
    assert says(view(at(PAGE)), "C-L2", "slowest rate rises") == "not applicable here"


def test_noise_is_small_only_for_wide_grids():
    small = "root mean square"
    # the bound is d_i >= 2^(-p/2) = 1/4 for p = 4
    assert says(view(at(PAGE, tau=0.3, di=0.3)), "C-L3", small) == "holds here"
    assert says(view(at(PAGE, tau=0.3, di=0.2)), "C-L3", small) == "fails here"
    assert says(view(at(PAGE, tau=0.3, di=0.25)), "C-L3", small) == "not applicable here"
    assert says(view(at(PAGE, tau=0.3)), "C-L3", "impact of f on the speed is none") == "holds here"
    assert says(view(at(PAGE)), "C-L3", small) == "not applicable here"


def test_noise_can_switch_samples_off_and_then_it_has_an_impact():
    values = at(PAGE, tau=1.0, di=0.8, w0=0.9, wi=0.2, p=4, learning_rate=0.4)
    assert observe(values).facts.run.active_fraction.min() < 1
    assert says(view(values), "C-L3", "impact of f on the speed is none") == "fails here"


def test_the_dead_stay_unless_they_decay():
    values = preset(PAGE, "Dead")
    assert says(view(values), "C-L4A") == "holds here"
    assert says(view({**values, "l2": 0.05}), "C-L4A") == "fails here"
    assert says(view(at(PAGE)), "C-L4A") == "not applicable here"


def test_signs_of_weights_are_not_activity():
    assert says(view(at(PAGE)), "C-L4B") == "holds here"
    assert says(view(at(PAGE, wi=-0.1)), "C-L4B") == "fails here"


def test_far_away_and_standing_still():
    shown = view(preset(PAGE, "Far away, and standing still"))
    assert says(shown, "C-E10", "to within half of its length") == "fails here"
    assert says(shown, "C-E10", "sum over S_A") == "holds here"
    moving = view({**preset(PAGE, "Far away, and standing still"), "w0": -3.0, "wi": 0.5})
    assert says(moving, "C-E10", "to within half of its length") == "holds here"


def test_far_away_needs_concentrated_samples():
    values = {**preset(PAGE, "Far away, and standing still"), "di": 0.6}
    assert says(view(values), "C-E10", "to within half of its length") == "not applicable here"


@pytest.mark.parametrize("change", [{"p": 3}, {"p": 3, "shift": 0.3, "tau": 0.2, "bend": -0.5, "l2": 0.1}])
def test_the_python_snippet_gives_the_same_numbers(change):
    values = at(PAGE, **change)
    np.testing.assert_allclose(pages.run_python(view(values).python), observe(values).facts.run.final[0], atol=1e-8)


def test_the_command_gives_the_same_numbers(tmp_path):
    values = at(PAGE, l2=0.1)
    target = tmp_path / "run.json"
    assert filterlaw.run([*pages.command_arguments(view(values)), "--json", str(target)]) == 0
    np.testing.assert_allclose(json.loads(target.read_text())["weights"], observe(values).facts.run.weights[:, 0])
    assert view(at(PAGE, shift=0.1)).command == ""


def test_a_learning_rate_above_its_limit_is_said():
    # 1/lambda_max = 1/(1 + d0^2)
    assert view(at(PAGE, d0=1.0, learning_rate=0.5)).message.startswith("The learning rate is above 0.5")
    assert view(at(PAGE, d0=1.0, learning_rate=0.49)).message == ""


def test_forty_nine_weights_are_summed_exactly():
    told = []
    values = at(PAGE, w0=4.0, wi=0.05, di=0.25)
    run = large_run(values, lambda done, total: told.append((done, total)))
    assert told[0] == (0, loosened.LARGE_STEPS)
    assert told[-1] == (loosened.LARGE_STEPS, loosened.LARGE_STEPS)
    shown = large_view(values, run)
    assert run.weights.shape == (loosened.LARGE_STEPS + 1, 1, LARGE_P)
    assert [says(shown, claim) for claim in THEOREM] == ["holds here"] * 2
    assert "49 weights" in shown.message
    for picture in shown.pictures:
        assert "nan" not in picture.svg
