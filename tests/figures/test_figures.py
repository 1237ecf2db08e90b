from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.path import Path as Outline

import figures
from figures import activity_map, theorem_1, underdetermined, zigzag_laws, zigzag_regimes, zigzag_two_samples
from figures.catalogue import module_of
from figures.style import encode
from sim.activity import all_active, dead
from sim.grid import grid_samples
from theory.derive.single_filter.activity import slow_region, trap
from theory.derive.single_filter.zigzag_samples import FAR_GSC
from theory.evaluate import surely, value
from theory.symbols import w

EPS = float(np.finfo(float).eps)
NAMES = list(figures.available())


class Once(dict[str, Any]):
    """What a function makes of a name, made when it is first asked for."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name)
        return self[name]


@pytest.fixture(scope="module")
def shown() -> dict[str, Any]:
    """The numbers of each figure, computed once."""
    return Once(lambda name: module(name).data())


@pytest.fixture(scope="module")
def drawn(shown: dict[str, Any]) -> dict[str, Figure]:
    return Once(lambda name: module(name).draw(shown[name]))


def module(name: str) -> ModuleType:
    return importlib.import_module(module_of(name))


def test_under_determined_descent_projects_the_start(shown: dict[str, Any]) -> None:
    data = shown["underdetermined"]
    X = data.sample
    for name in ("far", "span"):
        path = data.trajectories[name]
        shift = path - path[0]
        assert np.abs(shift[:, 0] * X[1] - shift[:, 1] * X[0]).max() < 16 * EPS
        assert np.abs(path[-1] - data.projection(path[0])).max() < 16 * EPS
        assert path[-1] @ X == pytest.approx(data.target, rel=16 * EPS)
    assert np.abs(data.trajectories["span"][-1] - data.minimum_norm).max() < 16 * EPS
    away = data.projection(data.trajectories["far"][0]) - np.array(underdetermined.W_STAR)
    assert data.distance == pytest.approx(float(np.linalg.norm(away)), rel=16 * EPS)
    assert data.distance > 1
    stuck = data.trajectories["dead"]
    assert (stuck == stuck[0]).all()
    assert stuck[0] @ X <= 0


def test_two_samples_go_straight_then_zigzag(shown: dict[str, Any]) -> None:
    data = shown["zigzag-two-samples"]
    assert 2 < data.pixels.crossing == data.rotated.crossing < zigzag_two_samples.STEPS
    for frame in (data.pixels, data.rotated):
        in_turn, full = frame.flips("cyclic"), frame.flips("full")
        assert not in_turn[: frame.crossing - 1].any()
        assert (in_turn[frame.crossing :] == 1).all()
        assert full.sum(axis=0).max() <= 1
        assert not frame.flips_in_eigenframe("full").any()
        assert all((run.active_fraction == 1).all() for run in frame.runs.values())
    assert data.steepness < 1
    for order in zigzag_two_samples.ORDERS:
        turned = data.pixels.weights(order) @ data.rotation
        assert np.abs(turned - data.rotated.weights(order)).max() < 64 * EPS
    assert np.abs(data.rotated.w_star - np.array([1.0, 0.0])).max() < 4 * EPS


def test_two_samples_full_batch_is_no_faster(shown: dict[str, Any]) -> None:
    frame = shown["zigzag-two-samples"].pixels
    in_turn, full = (np.linalg.norm(frame.weights(order)[-1] - frame.w_star) for order in ("cyclic", "full"))
    assert in_turn < full


def test_theorem_1_closed_form_is_the_simulation_and_printed_is_not(shown: dict[str, Any]) -> None:
    data = shown["theorem-1"]
    assert np.abs(data.simulated - data.closed_form).max() < 64 * EPS
    assert all_active(theorem_1.D, data.simulated).all()
    w_k, d, rate = data.printed[:5], np.array(theorem_1.D), theorem_1.LEARNING_RATE
    expected = w_k - 2 * rate * (2 * (1 - w_k[:, :1]) * d + w_k * d**2) * w_k
    assert np.abs(data.printed[1:6, 1:] - expected[:, 1:]).max() < 16 * EPS
    assert theorem_1.START[1] < 0
    assert np.isnan(data.printed[-1, 1])
    assert np.nanmin(data.printed[:, 1]) < 100 * theorem_1.FLOOR
    assert abs(data.simulated[-1, 1]) < 1e-6
    assert (np.abs(data.printed[-1, 2:]) > 1.5 * np.abs(data.simulated[-1, 2:])).all()


def test_activity_regions_are_those_of_theory_and_simulation(shown: dict[str, Any]) -> None:
    starts = shown["activity-map"].starts.reshape(-1, 2)
    at = {"w": starts.T, "d": np.array(activity_map.D), "w0_star": 1.0, "p": 2}
    expected = {
        "all active": all_active(activity_map.D, starts),
        "dead": dead(activity_map.D, starts),
        "kept": surely(slow_region(w), at, 0.0),
        "trap": surely(trap(w), at, 0.0),
    }
    for name, areas in activity_map.regions().items():
        inside = np.any([Outline(corners).contains_points(starts) for corners in areas], axis=0)
        on_border = np.zeros(len(starts), dtype=bool)
        for corners in areas:
            on_border |= Outline(corners).contains_points(starts, radius=1e-9) != Outline(corners).contains_points(
                starts, radius=-1e-9
            )
        assert (inside == expected[name])[~on_border].all(), name
        assert on_border.mean() < 0.02


def test_activity_map_fates(shown: dict[str, Any]) -> None:
    data = shown["activity-map"]
    starts, fate = data.starts.reshape(-1, 2), data.outcome.ravel()
    at = {"w": starts.T, "d": np.array(activity_map.D), "w0_star": 1.0, "p": 2}
    assert (fate[surely(slow_region(w), at, 0.0)] == activity_map.REACHES).all()
    assert (fate[surely(trap(w), at, 0.0)] != activity_map.REACHES).all()
    assert ((fate == activity_map.STAYS) == dead(activity_map.D, starts)).all()
    lost = all_active(activity_map.D, starts) & (fate == activity_map.ELSEWHERE)
    assert lost.sum() > 100
    assert (data.outcome == data.outcome[::-1]).all()


def test_activity_map_trajectories_do_what_their_label_says(shown: dict[str, Any]) -> None:
    fractions = {kind: active for kind, (_, active) in shown["activity-map"].trajectories.items()}
    assert list(fractions) == list(activity_map.STARTS)
    assert (fractions["stays all active"] == 1).all()
    assert (fractions["loses a sample for good"][0] == 1).all()
    assert (fractions["loses a sample for good"][-1] == 0.5).all()
    assert (fractions["gains its sample"][[0, -1]] == [[0.5], [1.0]]).all()
    assert (fractions["never gains it"] == 0.5).all()
    weights, active = shown["activity-map"].trajectories["dead, does not move"]
    assert not active.any()
    assert (weights == weights[0]).all()


def test_activity_outcomes_report_what_has_not_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    assert activity_map.outcomes(np.array([[10.0, 15.0], [1.5, 0.5], [-1.0, 0.0]])).tolist() == [1, 0, 2]
    monkeypatch.setattr(activity_map, "STEPS", 20)
    with pytest.raises(ArithmeticError, match=r"^1 starts neither reached w\* nor came to rest in 20 updates$"):
        activity_map.outcomes(np.array([[1.5, 0.5]]))


def test_zigzag_regimes_agree_with_their_laws(shown: dict[str, Any]) -> None:
    series = shown["zigzag-regimes"].series
    h = np.square(zigzag_regimes.D) + np.array([1.0, 0.0, 0.0, 0.0])
    X = grid_samples(zigzag_regimes.D)
    full, heavy, cyclic, random = (series[name] for name in ("full", "heavy", "cyclic", "random"))
    assert np.array_equal(full.measured, zigzag_laws.full_batch(h, full.rates))
    assert set(full.measured) == {0.0, 0.25, 0.5, 0.75}
    first, last = zigzag_regimes.HEAVY_STEPS
    law = zigzag_laws.heavy_ball(h, heavy.rates, zigzag_regimes.MOMENTUM)
    # a coordinate's count differs from (pairs) theta/pi by at most one
    assert np.abs(heavy.measured - law).max() <= 1 / (last - first - 1)
    pairs = (zigzag_regimes.EPOCHS[1] - zigzag_regimes.EPOCHS[0]) * len(X) - 1
    # only the pairs of the last, incomplete epoch can tip the mean
    assert np.abs(cyclic.measured - zigzag_laws.in_turn(X, cyclic.rates)).max() <= len(X) / pairs
    standard_error = 0.5 / np.sqrt(pairs)
    assert abs(random.measured[0] - random.law[0]) < 4 * standard_error
    assert random.measured[-1] - random.law[0] > 4 * standard_error
    for each in (full, heavy, cyclic):
        nearest = each.law[np.abs(each.law_rates[:, None] - each.rates).argmin(axis=0)]
        assert np.median(np.abs(nearest - each.measured)) < 0.005


def test_zigzag_of_single_coordinates_agrees_with_its_law(shown: dict[str, Any]) -> None:
    data, p = shown["zigzag-regimes"], len(zigzag_regimes.D)
    # neighbouring pairs share a sample, which at most doubles the variance
    standard_error = np.sqrt(2 * 0.25 / (zigzag_regimes.RESTARTS * (2**p - 1)))
    for measured, law in data.per_coordinate.values():
        assert np.abs(measured - law).max() < 4 * standard_error
        assert (measured[law == 0] == 0).all()
    _, far = data.per_coordinate["along w*"]
    assert far.mean() == value(FAR_GSC, {"p": p}, exact=False)


def test_laws_against_counting_by_hand() -> None:
    h, rates = np.array([1.0, 0.25]), np.array([0.4, 0.6, 2.4])
    assert zigzag_laws.full_batch(h, rates).tolist() == [0.0, 0.5, 1.0]
    # mu = 1/4: below (1 - 1/2)^2 = 1/4 never, above (1 + 1/2)^2 = 9/4 always, at 5/4 every other update
    assert zigzag_laws.heavy_ball(np.array([1.0]), np.array([0.12, 0.625, 1.13]), 0.25).tolist() == [0.0, 0.5, 1.0]
    X = np.array([[1.0, 0.5], [1.0, -0.5]])
    assert zigzag_laws.random_order(X, np.array([1.0, 0.0])).tolist() == [0.0, 0.5]
    # at a small rate e lies along w_1, and both gradients are then (+-, +)
    assert zigzag_laws.in_turn(X, np.array([1e-3])).tolist() == [0.5]
    # two orthogonal samples scaled so that an epoch turns e by a quarter: no real leading eigenvector
    turning = np.array([[1.0, 0.0], [np.sqrt(0.5), np.sqrt(0.5)]])
    assert np.isnan(zigzag_laws.in_turn(turning, np.array([1.0]))).all()


@pytest.mark.parametrize("name", NAMES)
def test_redrawing_gives_the_same_bytes(name: str, shown: dict[str, Any], drawn: dict[str, Figure]) -> None:
    again = module(name).draw(shown[name])
    seed, parameters, title = module(name).SEED, module(name).PARAMETERS, figures.available()[name]
    for kind in ("svg", "pdf"):
        first, second = (encode(figure, kind, title, parameters, seed) for figure in (drawn[name], again))
        assert first == second
        assert title.encode() in first.replace(b"\\", b"")
        assert b"seed = " in first
        for leak in (b"CreationDate", b"dc:date", b"Matplotlib v"):
            assert leak not in first


@pytest.mark.parametrize("name", NAMES)
def test_curves_differ_without_colour(name: str, drawn: dict[str, Figure]) -> None:
    figure = drawn[name]
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    handles = [handle for legend in legends if legend is not None for handle in legend.legend_handles]
    assert handles or name == "underdetermined"
    for legend in legends:
        if legend is not None:
            looks = [_without_colour(handle) for handle in legend.legend_handles]
            assert len(set(looks)) == len(looks), [text.get_text() for text in legend.get_texts()]


def _without_colour(handle: Any) -> tuple[object, ...]:
    if isinstance(handle, Patch):
        return ("patch", round(_lightness(handle.get_facecolor()), 1))
    assert isinstance(handle, Line2D)
    return (handle.get_linestyle(), str(vars(handle)["_dash_pattern"]), handle.get_marker())


def _lightness(color: Any) -> float:
    red, green, blue = to_rgb(color)
    return 0.299 * red + 0.587 * green + 0.114 * blue


@pytest.mark.parametrize("name", NAMES)
def test_axes_are_labelled(name: str, drawn: dict[str, Figure]) -> None:
    figure = drawn[name]
    assert figure.get_suptitle() == figures.available()[name]
    assert [axes.get_title(loc="left")[:3] for axes in figure.axes] == [f"({c})" for c in "abcdef"[: len(figure.axes)]]
    assert all(axes.get_xlabel() for axes in figure.axes)


def test_render_writes_three_formats_and_says_how_far_it_is(tmp_path: Any) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = tmp_path / "new" / "folder"
    written = figures.render(["theorem-1", "underdetermined"], folder, on_progress=lambda *at: seen.append(at))
    assert [path.name for path in written] == [
        f"{name}.{kind}" for name in ("theorem-1", "underdetermined") for kind in ("png", "svg", "pdf")
    ]
    assert sorted(folder.iterdir()) == sorted(written)
    assert seen == [("theorem-1", 0, 2), ("underdetermined", 1, 2), ("underdetermined", 2, 2)]
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    before = {path: path.read_bytes() for path in written}
    assert all(content.startswith(starts[path.suffix[1:]]) for path, content in before.items())
    figures.render(["underdetermined"], folder)  # a second time, and as PNG too
    assert all(path.read_bytes() == content for path, content in before.items())


def test_render_refuses_before_it_draws(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("figures.importlib.import_module", lambda name: pytest.fail(f"{name} was drawn"))
    with pytest.raises(ValueError, match=r"^unknown figure 'theorem1'; did you mean theorem-1\b.*\(figures: underdet"):
        figures.render(["underdetermined", "theorem1"], tmp_path)
    with pytest.raises(ValueError, match=r"^unknown figure '0' \(figures: "):
        figures.render(["0"], tmp_path)
    with pytest.raises(TypeError, match=r"^names must be a sequence of names, not one string, got 'theorem-1'$"):
        figures.render("theorem-1", tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"^cannot write .*theorem-1\.png'"):
        figures.render(["theorem-1"], tmp_path / "file")


def test_drawing_leaves_global_settings_alone(shown: dict[str, Any]) -> None:
    with matplotlib.rc_context({"font.size": 31.0, "lines.linewidth": 9.0, "svg.hashsalt": "other"}):
        before = dict(matplotlib.rcParams)
        figure = underdetermined.draw(shown["underdetermined"])
        loud = encode(figure, "svg", "t", {}, None)
        assert dict(matplotlib.rcParams) == before
    assert loud == encode(underdetermined.draw(shown["underdetermined"]), "svg", "t", {}, None)


def test_listing_needs_no_matplotlib_and_drawing_no_pyplot() -> None:
    code = (
        "import sys, figures; assert figures.available(); assert 'matplotlib' not in sys.modules; "
        "assert 'numpy' not in sys.modules; from figures import underdetermined as u; u.draw(); "
        "assert 'matplotlib.pyplot' not in sys.modules; print('ok')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
