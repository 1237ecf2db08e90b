"""Pictures: well-formed, deterministic, points where they belong, and nothing that a value could break."""

from __future__ import annotations

import math
import re
import time
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from figures import style
from figures.explore import marks, svg
from figures.explore.axes import Axis, axis_over, compact
from figures.explore.heat_map import heat_map
from figures.explore.plot import plot
from figures.explore.series import STYLES, Series, band, rule

SPACE = "{http://www.w3.org/2000/svg}"
LABELS: Any = {"title": "T", "x_label": "x", "y_label": "y"}
_DOTS: Any = "dots"
any_float = st.floats(allow_nan=True, allow_infinity=True)


def tree(text):
    return ElementTree.fromstring(text)


def drawn(text):
    """The paths within the axes, by position."""
    inner = tree(text).find(f"{SPACE}svg")
    assert inner is not None
    return inner.findall(f"{SPACE}path")


def numbers(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.get("d"))]


@given(
    st.data(),
    st.sampled_from(STYLES),
    st.booleans(),
    st.booleans(),
    st.integers(0, 6),
)
def test_any_values_give_a_well_formed_picture_without_nan(data, style, log_x, log_y, n):
    x, y = (data.draw(arrays(np.float64, n, elements=any_float)) for _ in range(2))
    picture = plot([Series(x, y, "<&>", style)], title="a < b & c", x_label="x", y_label="y", log_x=log_x, log_y=log_y)
    root = tree(picture)
    assert root.find(f"{SPACE}title").text == "a < b & c"
    assert not re.search(r"\b(nan|inf)\b", picture)
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")


def test_points_lie_where_they_belong():
    x, y = np.array([0.0, 1.0, 2.0]), np.array([-1.0, 0.0, 1.0])
    (path,) = drawn(plot([Series(x, y, "a")], **LABELS, x_range=(0, 2), y_range=(-1, 1), width=420, height=280))
    (x0, y0), (x1, y1), (x2, y2) = numbers(path)
    inner = tree(plot([Series(x, y, "a")], **LABELS)).find(f"{SPACE}svg")
    assert (x0, y2) == (0.0, 0.0)
    assert x1 == pytest.approx(x2 / 2, abs=0.06)
    assert y1 == pytest.approx(y0 / 2, abs=0.06)
    assert (x2, y0) == pytest.approx((float(inner.get("width")), float(inner.get("height"))), abs=0.06)


def test_logarithms_are_evenly_spaced_and_zero_breaks_the_line():
    x, y = np.arange(5.0), np.array([1.0, 10.0, 0.0, 1e3, 1e4])
    (path,) = drawn(plot([Series(x, y, "a")], **LABELS, log_y=True, y_range=(1, 1e4)))
    points = numbers(path)
    assert path.get("d").count("M") == 2
    heights = [down for _, down in points]
    assert heights[0] - heights[1] == pytest.approx(heights[2] - heights[3], abs=0.11)
    assert heights[0] - heights[2] == pytest.approx(3 * (heights[0] - heights[1]), abs=0.2)


def test_a_missing_value_breaks_the_line():
    y = np.array([1.0, 2.0, np.nan, 2.0, 1.0])
    (path,) = drawn(plot([Series(np.arange(5.0), y, "a")], **LABELS))
    assert [part.count("L") for part in path.get("d").split("M")[1:]] == [1, 1]


def test_steps_stay_and_then_jump():
    (path,) = drawn(plot([Series(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.5]), "a", "steps")], **LABELS))
    points = numbers(path)
    assert [a[0] == b[0] or a[1] == b[1] for a, b in pairwise(points)] == [True] * 4
    # at first it stays
    assert points[0][1] == points[1][1]


def test_a_rule_spans_the_picture_and_does_not_widen_the_axes():
    curve = Series(np.arange(3.0), np.arange(3.0), "a")
    alone, crossed = (
        drawn(plot([curve, *more], **LABELS)) for more in ([], [rule(1.5, "bound"), rule(1.0, "", vertical=True)])
    )
    assert alone[0].get("d") == crossed[0].get("d")
    (left, height), (right, same) = numbers(crossed[1])
    assert height == same
    assert left < 0
    assert right > 420


def test_bars_stand_on_zero_beside_each_other():
    series = [Series(np.arange(3.0), np.array([1.0, 2.0, -1.0]), name, "bars") for name in "ab"]
    first, second = drawn(plot(series, **LABELS, x_names=("u", "v", "w")))
    tops = re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h([\d.]+)", first.get("d"))
    assert len({foot for _, foot, _, _ in tops}) == 1
    assert float(tops[0][2]) < float(tops[0][1]) < float(tops[2][2])
    assert float(re.findall(r"M([\d.]+)", second.get("d"))[0]) == pytest.approx(
        float(tops[0][0]) + float(tops[0][3]), abs=0.2
    )


def test_equal_axes_have_one_unit():
    square = Series(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 1.0, 1.0]), "a")
    (path,) = drawn(plot([square], **LABELS, equal=True, width=600, height=250))
    (x0, y0), (x1, _), (_, y2), _ = numbers(path)
    assert x1 - x0 == pytest.approx(y0 - y2, abs=0.11)


def test_series_differ_in_more_than_colour():
    assert len(set(marks.DASHES)) == len(svg.LIGHT) == len(svg.DARK) == len(set(marks.MARKS))
    names = ("BLUE", "VERMILION", "GREEN", "PURPLE", "BLACK", "ORANGE", "SKY", "GREY")
    assert tuple(getattr(style, name) for name in names) == svg.LIGHT


def test_the_same_arrays_give_the_same_text():
    x = np.linspace(0, 1, 50)
    assert plot([Series(x, np.sin(x), "a")], **LABELS) == plot([Series(x, np.sin(x), "a")], **LABELS)


def test_two_thousand_points_are_quick():
    x = np.linspace(0, 50, 2000)
    series = [Series(x, np.sin(x), "a")]
    times = []
    for _ in range(20):
        start = time.process_time()
        plot(series, **LABELS)
        times.append(time.process_time() - start)
    assert min(times) < 0.02


def test_a_heat_map_shows_signs_and_numbers():
    picture = heat_map(np.array([[1.0, -0.5], [0.0, 2.0]]), title="R", x_names=("a", "b"), high=1.0)
    cells = tree(picture).findall(f"{SPACE}rect")
    assert [cell.get("fill")[9:10] for cell in cells] == ["1", "0", "0", "1"]
    assert [float(cell.get("fill-opacity")) for cell in cells] == [0.85, 0.212, 0.0, 0.85]
    assert ">\u22120.50<" in picture


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Series(np.zeros(2), np.zeros(3), "a"),
            r"x and y must have the same shape \(n,\), got \(2,\) and \(3,\)",
        ),
        (lambda: Series(np.zeros(2), np.zeros(2), "a", _DOTS), "style must be one of line, .*, got 'dots'"),
        (lambda: Series(np.zeros(2), np.zeros(2), "a", look=8), r"look must lie in \[0, 7\], got 8"),
        (lambda: Series(np.zeros(2), np.zeros(2), "a", dash=-1), r"dash must lie in \[0, 7\], got -1"),
        (lambda: heat_map(np.array([[np.nan]]), title="R"), r"values must be finite, got values\[0, 0\] = nan"),
        (lambda: plot([], **LABELS, x_range=(1, 1)), r"range of an axis must be finite and increasing, got \(1, 1\)"),
        (lambda: plot([], **LABELS, log_y=True, y_range=(0, 1)), r"must be positive and increasing, got \(0, 1\)"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_band_goes_there_and_back():
    area = band(np.arange(2.0), np.zeros(2), np.ones(2), "b")
    assert area.x.tolist() == [0, 1, 1, 0]
    assert area.y.tolist() == [0, 0, 1, 1]
    assert area.style == "area"


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 9))
def test_ticks_are_tidy_and_few(low, length, most):
    axis = Axis(low, low + max(length, 1e-6 * abs(low)))
    ticks = axis.ticks(most)
    values = np.array([value for value, _ in ticks])
    assert 1 <= len(ticks) <= most + 1
    slack = 1e-6 * (axis.high - axis.low)
    assert (values >= axis.low - slack).all()
    assert (values <= axis.high + slack).all()
    if len(values) > 1:
        mantissa = (values[1] - values[0]) / 10 ** math.floor(math.log10(values[1] - values[0]) + 1e-6)
        assert min(abs(mantissa - m) for m in (1, 2, 5, 10)) < 0.01


def test_ticks_of_logarithms():
    powers = ("10\u207b\u00b3", "10\u207b\u00b2", "10\u207b\u00b9", "1", "10", "10\u00b2", "10\u00b3")
    assert Axis(-3, 3, True).ticks(10) == [(10.0**n, text) for n, text in zip(range(-3, 4), powers, strict=True)]
    assert [text for _, text in Axis(0, 1, True).ticks(5)] == ["2", "4", "6", "8", "10"]


def test_an_axis_shows_everything_finite():
    axis = axis_over([np.array([1.0, np.nan, 3.0]), np.array([np.inf, -1.0])], None, log=False)
    assert axis.low < -1 < 3 < axis.high
    assert axis_over([np.array([2.0, 2.0])], None, log=False).high > 2
    assert axis_over([np.array([0.0, -5.0])], None, log=True) == Axis(0.0, 1.0, True)


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(0.30000000000000004, 0.1, "0.3"), (-2.0, 1.0, "\u22122"), (1e-7, 1e-7, "10\u207b\u2077"), (0.0, 1.0, "0"),
     (2.5e6, 5e5, "2.5\u00b710\u2076"), (-1e6, 1e6, "\u221210\u2076")],
)  # fmt: skip
def test_numbers_of_ticks(value, step, text):
    assert compact(value, step) == text
