"""The page on the spectra of convolutions: all singular values, verdicts that flip, snippets that run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from figures.explore import layer_spectra
from figures.explore.conv_spectrum import PAGE
from figures.explore.layer_spectra import (
    RANDOM,
    Geometry,
    find,
    kernel_of,
    layer_matrix,
    layer_singular_values,
    random_orthogonal,
    wave_gains,
)
from sim.conv_spectrum import ZeroPadded, circular_singular_values
from tests.figures.explore import pages

ABOVE, BELOW = "over-amplified", "attenuated, at least"


def test_defaults_and_presets_are_settings() -> None:
    pages.require_in_range(PAGE)


@settings(max_examples=60)
@given(pages.settings_of(PAGE))
def test_any_setting_has_a_view_and_bounds_that_hold(values: dict[str, Any]) -> None:
    view = PAGE.view(values)
    pages.require_sound(view)
    assert pages.says(view, "X-OPER") == "holds here"
    if values["patches"] == "tile" or (values["k"] == 1 and values["kernel"] != "(3/5, 4/5)"):
        assert pages.says(view, "S-CONV", ABOVE) == pages.says(view, "S-CONV", BELOW) == "holds here"


@pytest.mark.parametrize(
    ("values", "statement", "expected"),
    [
        ({}, ABOVE, "fails here"),
        ({}, BELOW, "fails here"),
        # wide enough for 7/5, not for 1/5
        ({"eps": 0.4}, ABOVE, "holds here"),
        ({"eps": 0.39}, ABOVE, "fails here"),
        ({"eps": 0.4}, BELOW, "fails here"),
        ({"patches": "tile"}, ABOVE, "holds here"),
        ({"patches": "tile"}, BELOW, "holds here"),
        ({"kernel": RANDOM}, ABOVE, "fails here"),
        ({"kernel": RANDOM, "k": 1}, ABOVE, "holds here"),
        ({"kernel": RANDOM, "k": 1}, BELOW, "holds here"),
        ({"kernel": "blur", "padding": "zero"}, ABOVE, "fails here"),
    ],
)
def test_verdicts_flip_where_theory_says(values: dict[str, Any], statement: str, expected: str) -> None:
    assert pages.says(PAGE.view(pages.at(PAGE, **values)), "S-CONV", statement) == expected


def test_the_first_page_shows_seven_and_one_fifths() -> None:
    found = find(pages.at(PAGE, **PAGE.presets[0].values))
    assert found.before.matrix == pytest.approx([1.0])
    assert found.before.layer[[0, -1]] == pytest.approx([7 / 5, 1 / 5])
    table = {row[0]: row[1:] for row in PAGE.view(PAGE.defaults()).table}
    assert table["layer, largest"] == ("1.4", "1.4")
    assert table["layer, smallest"] == ("0.2", "0.2")


def test_a_layer_that_gains_more_than_it_can_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_spectra, "layer_singular_values", lambda K, g: 1.1 * layer_singular_values(K, g))
    assert pages.says(PAGE.view(PAGE.defaults()), "X-OPER") == "fails here"


@pytest.mark.parametrize(
    ("taps", "side", "stride", "padding"), [((3, 3), 6, 1, 1), ((1, 2), 5, 1, 0), ((2, 2), 6, 2, 0), ((4, 4), 7, 1, 1)]
)
def test_the_matrix_is_the_layer(taps: tuple[int, int], side: int, stride: int, padding: int) -> None:
    rng = np.random.default_rng(0)
    kernel, x = rng.normal(size=(2, 3, *taps)), rng.normal(size=(3, side, side))
    layer = ZeroPadded(kernel, (side, side), padding, stride)
    geometry = Geometry(taps, side, stride, padding, circular=False)
    assert geometry.output == layer.output
    assert layer_matrix(kernel, geometry) @ x.ravel() == pytest.approx(layer.apply(x).ravel())
    ones = ZeroPadded(np.ones((1, 1, *taps)), (side, side), padding, stride)
    assert np.array_equal(geometry.counts(), ones.adjoint(np.ones((1, *layer.output)))[0])


@pytest.mark.parametrize(("stride", "side"), [(1, 5), (3, 6)])
def test_the_matrix_of_a_torus_has_the_spectrum_by_frequencies(stride: int, side: int) -> None:
    kernel = np.random.default_rng(1).normal(size=(2, 2, 3, 3))
    geometry = Geometry((3, 3), side, stride, 0, circular=True)
    written = np.linalg.svd(layer_matrix(kernel, geometry), compute_uv=False)
    assert layer_singular_values(kernel, geometry) == pytest.approx(written)
    assert geometry.counts().max() == (9 if stride == 1 else 1)


def test_patches_that_lie_in_the_image_are_counted() -> None:
    assert Geometry((3, 3), 6, 1, 1, circular=False).whole() == 16
    assert Geometry((2, 2), 6, 2, 0, circular=False).whole() == 9
    assert Geometry((3, 3), 6, 1, 0, circular=True).whole() == 16


def test_gains_of_waves_are_the_singular_values() -> None:
    kernel = random_orthogonal(1, 3, 4)
    gains = wave_gains(kernel, 8)
    assert np.sort(gains, axis=None)[::-1] == pytest.approx(circular_singular_values(kernel, (8, 8)))
    # the even image is in the middle
    assert gains[4, 4] == pytest.approx(abs(kernel.sum()))


@pytest.mark.parametrize("channels", [1, 4])
def test_random_kernels_have_orthonormal_rows(channels: int) -> None:
    rows = kernel_of(RANDOM, 3, channels, 5).reshape(channels, -1)
    assert rows @ rows.T == pytest.approx(np.eye(channels), abs=1e-12)


def test_images_that_do_not_fit_are_said() -> None:
    tiled = PAGE.view(pages.at(PAGE, kernel="blur", k=5, patches="tile"))
    assert "15 × 15" in tiled.message
    small = PAGE.view(pages.at(PAGE, kernel="blur", k=7, image=4))
    assert "7 × 7" in small.message
    assert "18 × 18" in PAGE.view(pages.at(PAGE, padding="zero", image=32)).message
    assert PAGE.view(PAGE.defaults()).message == ""


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kernel": "gabor", "k": 4, "padding": "zero", "image": 9},
        {"kernel": RANDOM, "patches": "tile", "image": 9},
        {"kernel": "blur", "patches": "tile", "padding": "zero", "image": 10},
    ],
)
def test_the_snippet_gives_the_numbers(values: dict[str, Any]) -> None:
    chosen = pages.at(PAGE, **values)
    found = find(chosen)
    expected = [ends for one in (found.before, found.after) for row in (one.matrix, one.layer) for ends in row[[0, -1]]]
    assert pages.run_python(PAGE.view(chosen).python) == pytest.approx(expected, abs=1e-7)


def test_it_follows_a_slider(capsys: pytest.CaptureFixture[str]) -> None:
    milliseconds = pages.milliseconds(PAGE, PAGE.defaults())
    with capsys.disabled():
        print(f" conv spectrum: {milliseconds:.1f} ms", end="")
    # what is aimed at is 40, on a machine with nothing else to do
    assert milliseconds < 200
