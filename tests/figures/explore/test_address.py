"""The address of a page: what it says is read back, and what cannot be had is replaced with a remark."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figures.explore import PAGES, open_page
from figures.explore.address import matching, nearest, opening, read_values, write_values
from figures.explore.page import Control, Page, Preset, View

CONTROLS = (
    Control("rate", "Rate", "number", 0.5, low=0.0, high=1.0, step=0.05),
    Control("p", "Weights", "integer", 4, low=2, high=9, step=1),
    Control("order", "Order", "choice", "full", choices=("full", "random")),
    Control("printed", "Printed", "switch", True),
)


def _nothing(values):
    return View((), ())


PAGE = Page("k", "T", "x", CONTROLS, (Preset("first", "", {"p": 3}), Preset("second", "", {"rate": 0.1})), _nothing)


def read(**query):
    return read_values(PAGE, query)


def test_a_page_opens_with_its_first_preset():
    assert opening(PAGE) == {"rate": 0.5, "p": 3, "order": "full", "printed": True}
    assert read(page="k", unknown="1") == (opening(PAGE), ())


@pytest.mark.parametrize(
    ("name", "text", "value", "remark"),
    [
        ("rate", "0.25", 0.25, None),
        ("rate", "7", 1.0, r"rate = '7' must be a number by steps of 0.05 in [0, 1]; 1 is shown"),
        ("rate", "-1e300", 0.0, "0 is shown"),
        ("rate", "0.27", 0.25, "0.25 is shown"),
        ("rate", "nan", 0.5, "0.5 is shown"),
        ("rate", "inf", 0.5, "0.5 is shown"),
        ("rate", "", 0.5, "rate = ''"),
        ("rate", "<script>" * 9, 0.5, "rate = '<script><script><scri...' must be"),
        ("p", "9", 9, None),
        ("p", "1", 2, "p = '1' must be an integer in [2, 9]; 2 is shown"),
        ("p", "3.4", 3, "3 is shown"),
        ("p", "many", 3, "3 is shown"),
        ("order", "random", "random", None),
        ("order", "RANDOM", "full", "must be one of full, random; full is shown"),
        ("printed", "false", False, None),
        ("printed", "perhaps", True, "must be true or false; true is shown"),
    ],
)
def test_values_of_an_address(name, text, value, remark):
    values, remarks = read(**{name: text})
    assert values == {**opening(PAGE), name: value}
    assert type(values[name]) is type(value)
    assert len(remarks) == (remark is not None)
    assert remark is None or remark in remarks[0]


def test_a_name_given_twice_counts_the_last_time():
    assert read(p=["4", "5"])[0]["p"] == 5
    assert read(p=[])[0]["p"] == 3


def drawn_values(page):
    return st.fixed_dictionaries({control.name: drawn(control) for control in page.controls})


def drawn(control):
    if control.kind == "choice":
        return st.sampled_from(control.choices)
    if control.kind == "switch":
        return st.booleans()
    return st.floats(control.low, control.high).map(lambda value: nearest(control, value))


@pytest.mark.parametrize("key", PAGES)
def test_what_is_written_is_read_back(key):
    page = open_page(key)

    @given(drawn_values(page))
    def round_trip(values):
        assert read_values(page, write_values(page, values)) == (values, ())

    round_trip()


@pytest.mark.parametrize("key", PAGES)
def test_pages_are_what_the_tabs_say(key):
    page = open_page(key)
    assert (page.key, page.title) == (key, PAGES[key][0])
    assert matching(page, opening(page)) == 0
    assert len({control.name for control in page.controls}) == len(page.controls)
    for number, preset in enumerate(page.presets):
        values = {**page.defaults(), **preset.values}
        assert set(values) == set(page.defaults())
        # a preset that no address could hold would be changed when it is shared
        assert read_values(page, write_values(page, values)) == (values, ())
        assert matching(page, values) == number


def test_own_settings_match_no_preset():
    assert matching(PAGE, {**opening(PAGE), "rate": 0.9}) is None


def test_there_is_no_other_page():
    with pytest.raises(ValueError, match=r"page must be one of one-filter, .*, got 'two'"):
        open_page("two")
