"""Page 1: its numbers are the simulator's, its verdicts follow the assumptions, and no setting breaks it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings

import filterlaw
from figures.explore.check import LARGE, rate_remark
from figures.explore.one_filter import PAGE, view
from figures.explore.one_filter_run import observe, sign_changes, sign_law
from tests.figures.explore import pages
from tests.figures.explore.pages import at, preset, says


def test_defaults_and_presets_are_in_range():
    pages.require_in_range(PAGE)


@given(pages.settings_of(PAGE))
@settings(max_examples=150)
def test_every_setting_has_a_sound_view(values):
    pages.require_sound(view(values))


@pytest.mark.parametrize("name", [one.name for one in PAGE.presets])
def test_presets_are_sound(name):
    pages.require_sound(view(preset(PAGE, name)))


def test_the_first_thing_seen_is_where_the_print_fails():
    shown = view(preset(PAGE, "Where Eq. (4) fails"))
    assert [says(shown, claim) for claim in ("C-E3", "C-E4", "C-E4, corrected", "X-TRAJ", "X-ACT")] == [
        "holds here", "fails here", "holds here", "holds here", "holds here",
    ]  # fmt: skip
    by_hand = {row[0]: row for row in shown.table}
    assert (by_hand["w0"][3], by_hand["w1"][3]) == ("1", "beyond all bounds")


def test_on_the_axis_the_print_is_right_by_accident():
    assert says(view(preset(PAGE, "Where it hides")), "C-E4") == "holds here"
    moved = {**preset(PAGE, "Where it hides"), "w1": 0.05}
    assert says(view(moved), "C-E4") == "fails here"


def test_lost_samples_take_everything_with_them():
    values = preset(PAGE, "Samples lost for good")
    shown = view(values)
    assert {says(shown, claim) for claim in ("C-E3", "C-E4, corrected", "X-TRAJ", "X-ACT")} == {"fails here"}
    # one sample on either side of w*: active exactly if w0 > |w1| d1
    weights = observe(values).weights
    active = weights[:, 0] > 0.5 * weights[:, 1]
    assert active[0]
    assert not active[1:].any()
    kept = view({**values, "w1": 1.0})
    assert {says(kept, claim) for claim in ("C-E3", "C-E4, corrected", "X-TRAJ", "X-ACT")} == {"holds here"}


def test_single_samples_and_momentum_are_beyond_theorem_1():
    for change in ({"order": "cyclic"}, {"momentum": 0.5}):
        shown = view(at(PAGE, **change))
        assert says(shown, "C-E3") == says(shown, "C-E4") == says(shown, "X-TRAJ") == "not applicable here"
        assert observe(at(PAGE, **change)).printed is None


def test_a_dead_filter_stays():
    values = preset(PAGE, "Dead from the start")
    found = observe(values)
    assert (found.weights == found.weights[0]).all()
    assert view(values).message.startswith("No sample is active")


@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_the_law_is_the_simulation_while_all_are_active(momentum):
    found = observe(at(PAGE, momentum=momentum, learning_rate=0.05))
    assert found.run.active_fraction.min() == 1.0
    np.testing.assert_allclose(found.law, found.weights, rtol=0, atol=1e-12)


def test_the_law_is_the_closed_form():
    found = observe(at(PAGE))
    k = np.arange(41)
    np.testing.assert_allclose(found.law[:, 0], 1 + 0.1 * (1 - 0.5 * 1.0625) ** k, atol=1e-12)
    np.testing.assert_allclose(found.law[:, 1], -0.4 * (1 - 0.5 * 0.5625) ** k, atol=1e-12)


def test_the_printed_path_follows_the_printed_formula():
    found = observe(at(PAGE))
    w0, w1, lam, d1 = 1.1, -0.4, 0.25, 0.75
    assert found.printed is not None
    for k in range(4):
        np.testing.assert_allclose(found.printed[k], [w0, w1], atol=1e-12)
        w0, w1 = w0 + 2 * lam * 1.0625 * (1 - w0), w1 - 2 * lam * (2 * (1 - w0) * d1 + w1 * d1**2) * w1
    assert found.printed[-1, 0] == pytest.approx(1)
    assert np.isnan(found.printed[-1, 1])
    assert np.nanmin(found.printed[:, 1]) >= -LARGE


def test_coordinates_change_sign_as_x_flip_says():
    values = preset(PAGE, "Zig-zag, all samples")
    assert says(view(values), "X-FLIP") == "holds here"
    changes = sign_changes(observe(values))
    # 2 lam h_0 = 1.75 > 1 > 2 lam h_1: the one always, the other never
    assert changes[:10].tolist() == [[1.0, 0.0]] * 10
    # 2 lam h_0 = 1 exactly: the gradient vanishes at once, which counts half
    exact = observe(at(PAGE, w0=1.5, w1=0.0, d0=0.0, learning_rate=0.5))
    assert sign_changes(exact)[:3].tolist() == [[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]


def test_the_law_of_sign_changes_under_momentum():
    values = at(PAGE, w0=2.5, w1=0.8, d0=0.25, d1=0.5, learning_rate=0.1, momentum=0.8, steps=120)
    found = observe(values)
    assert says(view(values), "X-FLIP") == "holds here"
    assert sign_law(found) == pytest.approx(sign_changes(found).mean(), abs=0.02)


def test_a_learning_rate_above_its_limit_is_said():
    # 1/lambda_max = 1/(1 + d0^2)
    assert view(at(PAGE, d0=1.0, learning_rate=0.5)).message.startswith("The learning rate is above 0.5")
    assert view(at(PAGE, d0=1.0, learning_rate=0.49)).message == ""


def test_divergence_is_said():
    found = observe(at(PAGE))
    grown = dataclasses.replace(found.run, weights=found.run.weights * 1e7)
    assert "beyond all bounds" in rate_remark(grown, 0.1, 0.9)
    assert rate_remark(found.run, 0.1, 0.9) == ""


def test_the_switch_hides_the_print():
    shown, hidden = (view(at(PAGE, printed=printed)) for printed in (True, False))
    assert "printed Eq. (4)" in shown.pictures[0].svg
    assert "printed Eq. (4)" not in hidden.pictures[0].svg
    # and changes no verdict
    assert hidden.standings == shown.standings


@pytest.mark.parametrize("order", ["full", "shuffled"])
def test_the_python_snippet_gives_the_same_numbers(order):
    values = at(PAGE, order=order, momentum=0.3, learning_rate=0.05)
    np.testing.assert_allclose(pages.run_python(view(values).python), observe(values).run.final[0], atol=1e-8)


@pytest.mark.parametrize("order", ["full", "random"])
def test_the_command_gives_the_same_run(order, tmp_path):
    values = {**preset(PAGE, "Zig-zag by momentum"), "order": order, "learning_rate": 0.05}
    target = tmp_path / "run.json"
    assert filterlaw.run([*pages.command_arguments(view(values)), "--json", str(target)]) == 0
    assert json.loads(target.read_text())["weights"] == observe(values).weights.tolist()
