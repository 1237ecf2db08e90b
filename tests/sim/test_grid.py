from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.grid import _power_text, binary_size, check_enumerable, grid_samples, grid_signs, pixel_frame, to_pixels
from sim.instance import FilterInstance
from tests.reference.single_filter import naive_grid
from tests.sim.rounding import EPS, rounding
from tests.strategies.single_filter import float_instances, floats_in


def test_signs_follow_the_bits_of_the_index() -> None:
    assert grid_signs(2).tolist() == [[-1, -1], [1, -1], [-1, 1], [1, 1]]
    assert grid_signs(5, 11, 12).tolist() == [[1, 1, -1, 1, -1]]
    assert np.array_equal(grid_signs(6, 17, 43), grid_signs(6)[17:43])
    assert grid_signs(60, 2**59, 2**59 + 1)[0, -1] == 1


@settings(max_examples=30, deadline=None, derandomize=True)
@given(float_instances(max_p=6))
def test_samples_equal_their_naive_twin(instance: FilterInstance) -> None:
    d = [float(entry) for entry in instance.d]
    assert np.array_equal(grid_samples(d), naive_grid(d))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(floats_in(-3.0, 3.0), min_size=1, max_size=9).filter(any))
@example([1.0])
@example([-1.0])
@example([1.0, 0.0, 0.0])
@example([-2.0, 0.0, 0.0])
@example([1.0, 1e-9])
@example([-1.0, 1e-9])
@example([0.0, 1e-200])
@example([1e200, -1e200])
def test_pixel_frame_is_orthogonal_and_takes_e0_to_the_direction_of_w_star(w_star: list[float]) -> None:
    Q = pixel_frame(w_star)
    p = len(w_star)
    direction = np.array(w_star) / max(map(abs, w_star))
    direction /= np.linalg.norm(direction)
    assert np.abs(Q @ Q.T - np.eye(p)).max() <= rounding(p, 1.0)
    assert np.abs(Q[:, 0] - direction).max() <= rounding(p, 1.0)


def test_pixel_frame_keeps_full_precision_next_to_e0() -> None:
    assert pixel_frame([1.0, 1e-9])[1, 0] == pytest.approx(1e-9, rel=4 * EPS)
    assert np.array_equal(pixel_frame([3.0, 0.0]), np.eye(2))


def test_to_pixels_keeps_preactivations() -> None:
    rng = np.random.default_rng(1)
    w_star, X, w = rng.normal(size=9), grid_samples(rng.random(9)), rng.normal(size=9)
    X_pixels, w_pixels = to_pixels(X, w_star), to_pixels(w, w_star)
    assert np.abs(X_pixels @ w_pixels - X @ w).max() <= rounding(81, float(np.abs(X @ w).max()))
    assert np.abs(X_pixels @ w_star - np.linalg.norm(w_star) * X[:, 0]).max() <= rounding(81, 10.0)
    assert np.abs(X_pixels - X).max() > 0.1


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match=r"^p must be at most 20 to enumerate the sample grid, got p = 30: ") as error:
        check_enumerable(30)
    assert str(error.value).endswith(": 2^30 = 1,073,741,824 samples would take 240 GiB as float64")
    assert check_enumerable(25, limit=25) == 2**25
    with pytest.raises(ValueError, match=r"2\^300 = about 1e90 samples would take over 10\^\d+ EiB"):
        check_enumerable(300)
    with pytest.raises(ValueError, match=r"got p = 49: .* 196 PiB"):
        grid_samples(np.zeros(49))
    with pytest.raises(ValueError, match=r"^p must be at least 1, got 0$"):
        grid_signs(0)
    with pytest.raises(ValueError, match=r"^p must be at most 62 .* got 63$"):
        grid_signs(63, 0, 1)
    with pytest.raises(ValueError, match=r"0 <= start <= stop <= 2\^3, got 4 and 9$"):
        grid_signs(3, 4, 9)
    with pytest.raises(ValueError, match=r"^d must lie in \[0, 1\], got d\[1\] = -0.1$"):
        grid_samples([0.5, -0.1])
    with pytest.raises(ValueError, match=r"^d must have shape \(n,\), got \(0,\)$"):
        grid_samples([])
    with pytest.raises(ValueError, match=r"^w_star must not be zero"):
        pixel_frame([0.0, 0.0])
    with pytest.raises(ValueError, match=r"^vectors must have shape \(..., 2\), got \(3,\)$"):
        to_pixels([1.0, 2.0, 3.0], [1.0, 1.0])


@pytest.mark.parametrize(("p", "said"), [(10, "1,024"), (62, f"{2**62:,}"), (63, "about 1e18"), (300, "about 1e90")])
def test_counts_are_written_out_as_long_as_they_can_be_read(p: int, said: str) -> None:
    assert _power_text(p) == said


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (2**60, "1 EiB"),
        ((10**9 - 1) * 2**60, "999,999,999 EiB"),
        (10**9 * 2**60, "over 10^9 EiB"),
        (7 * 10**12 * 2**60, "over 10^12 EiB"),
    ],
)
def test_sizes_are_said_in_the_largest_unit(size: int, said: str) -> None:
    assert binary_size(size) == said
