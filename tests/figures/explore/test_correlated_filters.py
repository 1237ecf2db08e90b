"""The page on correlated filters: numbers of the recursion, alpha refused with its reason, verdicts that flip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from figures.explore import signals
from figures.explore.correlated_filters import PAGE
from figures.explore.signals import SIDE, find, smooth_image, wide_limit, windows
from figures.explore.walls import wall
from sim.correlation import exponential_correlation, sample_weights
from sim.mean_field import kernels
from tests.figures.explore import pages


def test_defaults_and_presets_are_settings() -> None:
    pages.require_in_range(PAGE)


@settings(max_examples=30)
@given(pages.settings_of(PAGE))
def test_any_setting_has_a_view_and_a_recursion_that_holds(values: dict[str, Any]) -> None:
    view = PAGE.view(values)
    pages.require_sound(view)
    assert pages.says(view, "X-NNGP") == "holds here"
    assert (pages.says(view, "C-ALPHA") == "fails here") == view.message.startswith("Refused")


@pytest.mark.parametrize(
    ("values", "claim", "expected"),
    [
        ({}, "C-ALPHA", "holds here"),
        ({"rho": 0.8, "alpha": 1.0}, "C-ALPHA", "holds here"),
        ({"rho": 0.8, "alpha": 1.5}, "C-ALPHA", "fails here"),
        # lambda_min = 1 - rho: alpha = 1.5 up to rho = 2/3
        ({"kind": "equal", "rho": 0.66, "alpha": 1.5}, "C-ALPHA", "holds here"),
        ({"kind": "equal", "rho": 0.68, "alpha": 1.5}, "C-ALPHA", "fails here"),
        ({}, "C-E17", "fails here"),
        ({"smooth": 1.0}, "C-E17", "holds here"),
        ({"rho": 0.0}, "C-E17", "holds here"),
        ({"smooth": 0.6}, "C-ALG1", "fails here"),
        ({"smooth": 1.0}, "C-ALG1", "holds here"),
        ({"smooth": 1.0, "scale": "printed"}, "C-ALG1", "fails here"),
        ({"smooth": 1.0, "scale": "he"}, "C-ALG1", "not applicable here"),
    ],
)
def test_verdicts_flip_where_theory_says(values: dict[str, Any], claim: str, expected: str) -> None:
    assert pages.says(PAGE.view(pages.at(PAGE, **values)), claim) == expected


def test_alpha_is_refused_with_the_reason_and_the_largest_is_shown() -> None:
    view = PAGE.view(pages.preset(PAGE, "alpha too strong"))
    least = float(np.linalg.eigvalsh(exponential_correlation(3, 0.8))[0])
    largest = 1 / (1 - least)
    assert "alpha must lie in" in view.message
    assert "got 1.5" in view.message
    assert f"{largest:.4g}" in view.message
    assert np.linalg.eigvalsh(find(pages.preset(PAGE, "alpha too strong")).R)[0] == pytest.approx(0, abs=1e-12)


def test_a_recursion_as_if_filters_were_white_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def untied(image: Any, R: Any, scale: str, depth: int) -> Any:
        sizes = wide_limit(image, R, scale, depth)[0]
        _, second, alike = wide_limit(image, np.eye(len(R)), "he", depth)
        return sizes, second * sizes[0] * len(R) / 2, alike

    values = pages.preset(PAGE, "Correlated, but sized as if not")
    assert pages.says(PAGE.view(values), "X-NNGP") == "holds here"
    monkeypatch.setattr(signals, "wide_limit", untied)
    assert pages.says(PAGE.view(values), "X-NNGP") == "fails here"


@pytest.mark.parametrize("smooth", [0.0, 0.6, 1.0])
def test_the_limit_is_that_of_the_library(smooth: float) -> None:
    image, R = smooth_image(smooth), exponential_correlation(3, 0.5)
    assert np.square(image).mean() == pytest.approx(1)
    found = [np.trace(K.reshape(64, 64)) / 64 for K in kernels(image, R, 2 / R.sum(), depth=4, padding="circular")]
    assert wide_limit(image, R, "sum", 4)[1] == pytest.approx(found)


def test_images_have_the_correlation_of_neighbours_that_was_asked_for() -> None:
    apart = np.abs(np.arange(SIDE)[:, None] - np.arange(SIDE))
    values, vectors = np.linalg.eigh(0.6 ** np.minimum(apart, SIDE - apart))
    root = (vectors * np.sqrt(values)) @ vectors.T
    # separable: the root of the covariance on rows and on columns of the same white noise
    expected = root @ np.random.default_rng(signals.SEED).standard_normal((SIDE, SIDE)) @ root
    assert smooth_image(0.6)[0, 0] == pytest.approx(expected / np.sqrt(np.square(expected).mean()))


def test_the_size_for_the_inputs_keeps_the_signal_and_even_images_stay_even() -> None:
    assert find(pages.at(PAGE, scale="mean_field")).limit == pytest.approx(2)
    even = find(pages.at(PAGE, smooth=1.0, scale="sum"))
    assert even.limit == pytest.approx(2)
    assert even.alike == pytest.approx(1)
    # with He's size by 1'R1/9 in every layer
    he = find(pages.at(PAGE, smooth=1.0, scale="he"))
    assert he.limit[1:] / he.limit[:-1] == pytest.approx(he.R.sum() / 9)


@pytest.mark.parametrize("k", [2, 3])
def test_windows_are_a_convolution(k: int) -> None:
    rng = np.random.default_rng(k)
    image, W = rng.normal(size=(1, 2, SIDE, SIDE)), sample_weights(np.eye(k * k), (3, 2, k, k), rng=rng)
    y = (W.reshape(3, -1) @ windows(image, k)[0]).reshape(3, SIDE, SIDE)
    for row, column in ((0, 0), (3, 5), (SIDE - 1, SIDE - 1)):
        rows, columns = ((place + np.arange(k) - (k - 1) // 2) % SIDE for place in (row, column))
        seen = image[0][:, rows[:, None], columns[None, :]]
        assert y[:, row, column] == pytest.approx((W * seen).sum(axis=(1, 2, 3)))


@pytest.mark.parametrize("scale", ["sum", "mean_field"])
def test_the_snippet_gives_the_numbers(scale: str) -> None:
    chosen = pages.at(PAGE, scale=scale, k=2, rho=0.3, alpha=1.2)
    found, numbers = find(chosen), pages.run_python(PAGE.view(chosen).python)
    expected = np.column_stack([np.arange(1, 7), found.sizes, found.limit])
    assert np.reshape(numbers, (-1, 3)) == pytest.approx(expected)


def test_a_wall_shows_signs_and_refuses_what_is_no_image() -> None:
    images = np.array([[[1.0, -1.0]], [[0.0, 0.0]]])
    svg = wall(images, title="two", columns=2)
    assert svg.count("--fl-1") == 1
    assert svg.count("--fl-0") == 1
    with pytest.raises(ValueError, match=r"images must have shape \(n, n, n\)"):
        wall(images[0], title="one", columns=1)
    with pytest.raises(ValueError, match="images must be finite"):
        wall(images * np.nan, title="none", columns=1)


def test_it_follows_a_slider(capsys: pytest.CaptureFixture[str]) -> None:
    milliseconds = pages.milliseconds(PAGE, PAGE.defaults())
    with capsys.disabled():
        print(f" correlated filters: {milliseconds:.1f} ms", end="")
    # what is aimed at is 40, on a machine with nothing else to do
    assert milliseconds < 200
