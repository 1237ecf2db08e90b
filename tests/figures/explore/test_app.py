"""The app itself: the tests that it carries, and a run of all its cells without a browser."""

from __future__ import annotations

import pytest

marimo = pytest.importorskip("marimo", reason="needs marimo: pip install 'filterlaw[explore]'")

from figures import explorer  # noqa: E402
from figures.explore import PAGES, open_page  # noqa: E402
from figures.explore.address import opening  # noqa: E402


@pytest.mark.parametrize("name", [name for name in vars(explorer) if name.startswith("test_")])
def test_the_app_passes_its_own_tests(name):
    getattr(explorer, name)()


def test_it_carries_tests():
    assert len([name for name in vars(explorer) if name.startswith("test_")]) >= 2


def test_its_cells_run_in_order_and_show_the_first_page():
    _, defined = explorer.app.run()
    first = open_page(next(iter(PAGES)))
    assert defined["current"].key == first.key
    assert defined["values"] == opening(first)
    assert defined["view"].standings == first.view(opening(first)).standings
