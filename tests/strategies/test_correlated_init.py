from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.errors import require_correlation_matrix
from tests.strategies.correlated_init import filter_correlations, kernel_cases


@given(st.integers(1, 6).flatmap(filter_correlations))
def test_filter_correlations_are_correlation_matrices(R: FloatArray) -> None:
    require_correlation_matrix(R, "R")


@given(kernel_cases())
def test_kernel_cases_fit_together(case: tuple[FloatArray, FloatArray, tuple[int, int], str]) -> None:
    images, R, kernel, padding = case
    assert images.ndim == 4
    assert len(R) == kernel[0] * kernel[1]
    assert padding == "circular" or (kernel[0] % 2 and kernel[1] % 2)


@pytest.mark.parametrize(
    "wanted",
    [
        lambda case: case[0].shape[2] < case[2][0],
        lambda case: case[3] == "zero" and case[2] == (3, 3),
        lambda case: len(case[1]) > 1 and np.ptp(case[1]) == 0,
        lambda case: len(case[1]) > 1 and case[1].min() < 0,
    ],
    ids=["filter wider than the image", "zero padding", "perfect correlation", "negative correlation"],
)
def test_kernel_cases_reach_the_corners(wanted) -> None:
    find(kernel_cases(), wanted, settings=settings(max_examples=1000, database=None, derandomize=True))
