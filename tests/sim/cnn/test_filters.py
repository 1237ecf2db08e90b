from __future__ import annotations

import numpy as np
import pytest

from sim.cnn.filters import FILTERS, named_filter, require_filter


def test_edge_is_a_difference_and_sobels_filter() -> None:
    assert named_filter("edge", 1).tolist() == [[1]]
    assert named_filter("edge", 2).tolist() == [[-1, 1], [-1, 1]]
    assert named_filter("edge", 3).tolist() == [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


@pytest.mark.parametrize("k", range(2, 8))
def test_filters_have_the_symmetries_of_their_kind(k: int) -> None:
    blur, edge, gabor = (named_filter(name, k) for name in ("blur", "edge", "gabor"))
    tolerance = 4 * k * k * np.finfo(np.float64).eps
    assert abs(blur.sum() - 1) <= tolerance
    assert np.array_equal(blur, blur[::-1])
    assert np.array_equal(blur, blur.T)
    assert edge.sum() == 0
    assert np.array_equal(edge, -edge[:, ::-1])
    assert np.array_equal(edge, edge[::-1])
    for mirrored in (gabor[::-1], gabor[:, ::-1], gabor.T, gabor[::-1, ::-1]):
        assert min(np.abs(gabor - mirrored).max(), np.abs(gabor + mirrored).max()) > 0.01 * np.abs(gabor).max()


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("k", range(1, 8))
def test_filters_are_finite_and_not_zero(name: str, k: int) -> None:
    pixels = named_filter(name, k)
    assert pixels.shape == (k, k)
    assert np.isfinite(pixels).all()
    assert np.abs(pixels).max() > 0.1 / (k * k)
    assert np.array_equal(require_filter(name, k), pixels)


def test_errors_name_the_argument_and_the_value() -> None:
    with pytest.raises(ValueError, match="filter must be one of blur, edge, gabor, got 'sharpen'"):
        named_filter("sharpen", 3)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        named_filter("blur", 0)
    with pytest.raises(ValueError, match=r"filter must have shape \(2, 2\), got \(4,\)"):
        require_filter([1.0, 2.0, 3.0, 4.0], 2)
    with pytest.raises(ValueError, match=r"filter must not be zero, .*, got all zeros"):
        require_filter(np.zeros((3, 3)), 3)
    with pytest.raises(ValueError, match=r"filter must be finite, got filter\[0, 1\] = nan"):
        require_filter([[1.0, np.nan], [0.0, 0.0]], 2)
