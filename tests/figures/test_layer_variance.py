"""The numbers behind the figures on layer variance."""

from __future__ import annotations

import numpy as np
import pytest

from figures import table_1, variance_plane


def test_table_1_measures_what_is_derived_and_not_what_is_printed() -> None:
    data = table_1.data()
    for name in "ABCD":
        assert np.all(np.abs(data.measured[name] - data.exact[name]) < 5 * data.errors[name] + 1e-12)
        assert np.any(np.abs(data.measured[name] - data.printed[name]) > 20 * data.errors[name])
    assert np.all(data.exact["C"] <= data.exact["A"] / table_1.K**2)
    assert np.all(data.exact["C"] >= data.exact["D"] * (1 - 1e-12))


def test_the_plane_has_the_cells_as_corners_and_is_measured() -> None:
    data = variance_plane.data()
    n = variance_plane.K**2
    assert [data.one[0, 0], data.one[-1, 0], data.one[0, -1], data.one[-1, -1]] == pytest.approx([1, 1, 1, n])
    assert [data.deep[0, 0], data.deep[-1, 0], data.deep[-1, -1]] == pytest.approx([1, 1, n**variance_plane.DEPTH])
    for row, layers in enumerate((1, variance_plane.DEPTH)):
        expected = np.array([variance_plane.limit(w, x, layers) for w, x in variance_plane.CHECKS])
        # the bias of finite width is about 0.4/channels
        assert np.all(np.abs(data.measured[row] - expected) < 5 * data.errors[row] + expected / variance_plane.CHANNELS)
