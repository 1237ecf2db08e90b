"""Bounded batch norm against its naive twins, and what each mode promises."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.bbn import MODES, bounded_gamma, bounded_scales, in_own_band, layer_scales
from tests.reference.batch_norm import naive_magnitudes, naive_pass, naive_settled
from tests.strategies.batch_norm import BANDS, positive_scales, scales_in_own_band, signed_scales

EPS = float(np.finfo(float).eps)


def floats(x: list[Fraction]) -> list[float]:
    return [float(v) for v in x]


@given(signed_scales(), BANDS)
def test_published_is_the_naive_pass(x: list[Fraction], band: Fraction) -> None:
    expected = naive_pass(x, band)
    mean = abs(float(sum(x) / len(x)))
    room = 16 * len(x) * EPS * (1 + max(abs(v) for v in floats(x)) / mean) * (1 + float(band)) * (4 + mean)
    assert np.abs(bounded_scales(floats(x), float(band)) - np.array(floats(expected))).max() <= room


@given(signed_scales(), BANDS)
@example([Fraction(0), Fraction(1)], Fraction(1))
@example([Fraction(-1), Fraction(2)], Fraction(1))
def test_magnitude_is_the_naive_pass_and_keeps_signs(x: list[Fraction], band: Fraction) -> None:
    bounded = bounded_scales(floats(x), float(band), mode="magnitude")
    assert np.abs(bounded - np.array(floats(naive_magnitudes(x, band)))).max() <= 64 * len(x) * EPS * 80
    assert ((bounded < 0) == (np.array(floats(x)) < 0)).all()


@given(positive_scales(), BANDS)
@example([Fraction(1), Fraction(3)], Fraction(1, 2))
@example([Fraction(v) for v in (1, 1, 1, 20)], Fraction(1))
def test_settled_is_the_limit_of_passes(x: list[Fraction], band: Fraction) -> None:
    settled = bounded_scales(floats(x), float(band), mode="settled")
    assert np.abs(settled - np.array(naive_settled(floats(x), float(band)))).max() <= 1e-11 * max(floats(x))


@given(signed_scales(), BANDS)
def test_settled_is_in_its_own_band_and_stays(x: list[Fraction], band: Fraction) -> None:
    settled = bounded_scales(floats(x), float(band), mode="settled")
    assert in_own_band(settled, float(band) * (1 + 64 * len(x) * EPS))
    again = bounded_scales(settled, float(band), mode="settled")
    assert np.abs(again - settled).max() <= 64 * len(x) * EPS * np.abs(settled).max()


@given(BANDS.flatmap(lambda band: st.tuples(st.just(band), scales_in_own_band(band))), st.sampled_from(MODES))
def test_a_layer_in_its_own_band_stays_to_the_last_bit(case: tuple[Fraction, list[Fraction]], mode: str) -> None:
    band, x = case
    assert bounded_scales(floats(x), float(band), mode=mode).tolist() == floats(x)
    for variance in (0.3, 0.7, 1.1, 2.3):
        gamma = np.array(floats(x)) * 1.7
        assert bounded_gamma(gamma, [variance] * len(x), float(band), mode=mode).tolist() == gamma.tolist()


@given(signed_scales(), BANDS, st.sampled_from(MODES), st.sampled_from([0.25, 2.0, -4.0]))
def test_scaling_a_layer_scales_the_result(x: list[Fraction], band: Fraction, mode: str, factor: float) -> None:
    # powers of two, so that nothing rounds; a negative factor mirrors zero scales, which count as positive
    if factor < 0 and mode != "published" and 0 in x:
        return
    once = bounded_scales(floats(x), float(band), mode=mode)
    assert bounded_scales(factor * np.array(floats(x)), float(band), mode=mode).tolist() == (factor * once).tolist()


@given(st.lists(signed_scales(4).filter(lambda x: len(x) == 4), min_size=1, max_size=4), st.sampled_from(MODES))
def test_rows_are_layers_of_their_own(rows: list[list[Fraction]], mode: str) -> None:
    x = np.array([floats(row) for row in rows])
    expected = [bounded_scales(row, 0.5, mode=mode).tolist() for row in x]
    assert bounded_scales(x, 0.5, mode=mode).tolist() == expected


def test_what_the_modes_do_to_the_hard_layers() -> None:
    # mean 1/2: the negative scale jumps to the lower end of the positive band
    assert bounded_scales([-1.0, 2.0], 1.0).tolist() == [0.25, 1.0]
    assert bounded_scales([-1.0, 2.0], 1.0, mode="magnitude").tolist() == [-1.0, 2.0]
    # a negative mean mirrors it
    assert bounded_scales([1.0, -2.0], 1.0).tolist() == [-0.25, -1.0]
    assert bounded_scales([0.0, 0.0], 1.0, mode="magnitude").tolist() == [0.0, 0.0]
    assert bounded_scales([0.0, 0.0], 1.0, mode="settled").tolist() == [0.0, 0.0]
    for zero in (0.0, -0.0):
        assert bounded_scales([zero, 3.0], 1.0, mode="magnitude").tolist() == [0.75, 3.0]
    # three small ones and a large one: c = 3/16
    assert bounded_scales([0.0, 0.0, 0.0, 1.0], 1.0, mode="settled").tolist() == [0.125, 0.125, 0.125, 0.375]


def test_gamma_follows_its_scale() -> None:
    gamma, variance = np.array([1.0, -3.0, 20.0]), np.array([0.75, 3.75, 8.75])
    scales = layer_scales(gamma, variance, eps=0.25)
    assert scales == pytest.approx([1.0, -1.5, 20 / 3], rel=4 * EPS)
    for mode in MODES:
        bounded = bounded_gamma(gamma, variance, 0.5, eps=0.25, mode=mode)
        expected = bounded_scales(scales, 0.5, mode=mode)
        assert layer_scales(bounded, variance, eps=0.25) == pytest.approx(expected, rel=8 * EPS)


def test_eps_is_that_of_batch_norm_unless_another_is_given() -> None:
    gamma, variance = [1.0, 2.0], [1e-4, 3e-4]
    assert layer_scales(gamma, variance).tolist() == layer_scales(gamma, variance, eps=1e-5).tolist()
    assert bounded_gamma(gamma, variance, 0.1).tolist() == bounded_gamma(gamma, variance, 0.1, eps=1e-5).tolist()


def test_in_own_band() -> None:
    assert in_own_band([1.0, -1.0], 0.1)
    assert in_own_band([0.0, 0.0], 0.1)
    assert not in_own_band([1.0, 3.0], 0.5)
    # only above, only below, inside
    layers = [[1.0] * 9 + [2.0], [1.0] * 9 + [0.1], [1.0] * 9 + [1.2]]
    assert in_own_band(layers, 0.5).tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bounded_scales([1.0], 0.0), r"^band must be positive, got 0.0$"),
        (lambda: bounded_scales([1.0], float("nan")), r"^band must be finite, got nan$"),
        (
            lambda: bounded_scales([1.0], [0.5, 0.5]),  # type: ignore[arg-type]
            r"^band must have shape \(\), got \(2,\)$",
        ),
        (lambda: bounded_scales([1.0, np.nan], 0.5), r"^scales must be finite, got scales\[1\] = nan$"),
        (lambda: bounded_scales([], 0.5), r"^scales must have shape \(n,\) or \(B, n\) with n >= 1, got \(0,\)$"),
        (lambda: bounded_scales(1.0, 0.5), r"^scales must have shape .*, got \(\)$"),
        (
            lambda: bounded_scales([1.0], 0.5, mode="twice"),
            r"^mode must be one of published, magnitude, settled, got 't",
        ),
        (
            lambda: bounded_scales([1.0, -1.0], 0.5),
            r"^mean\(gamma/std\) must not be 0 in mode 'published'.*'magnitude'",
        ),
        (lambda: bounded_scales([0.0, 0.0], 0.5), r"^mean\(gamma/std\) must not be 0 in mode 'published'"),
        (lambda: layer_scales([1.0], [-0.5]), r"^running_var must be non-negative, got running_var\[0\] = -0.5$"),
        (
            lambda: layer_scales([1.0, 1.0], [1.0, 0.0], eps=0.0),
            r"^running_var \+ eps must be positive, got running_var",
        ),
        (lambda: layer_scales([1.0, 1.0], [1.0]), r"^running_var must have shape \(2,\), got \(1,\)$"),
        (lambda: layer_scales([1.0], [1.0], eps=-1e-5), r"^eps must be non-negative, got -1e-05$"),
        (lambda: bounded_gamma([np.inf], [1.0], 0.5), r"^gamma must be finite, got gamma\[0\] = inf$"),
        (lambda: in_own_band(np.zeros((3, 0)), 0.5), r"^scales must have shape \(..., n\) with n >= 1, got \(3, 0\)$"),
        (lambda: in_own_band([1.0], -1.0), r"^band must be positive, got -1.0$"),
    ],
)
def test_bad_arguments(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_running_variance_zero_is_fine_with_eps() -> None:
    assert layer_scales([1.0], [0.0], eps=0.25).tolist() == [2.0]
    with pytest.raises(TypeError, match=r"^gamma must hold real numbers"):
        bounded_gamma(["1"], [1.0], 0.5)
