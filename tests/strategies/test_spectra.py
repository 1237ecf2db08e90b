"""The strategies give what they promise."""

from __future__ import annotations

import numpy as np
from hypothesis import find, given

from tests.strategies.spectra import Convolution, Prescribed, convolutions, matrices

EPS = float(np.finfo(float).eps)


@given(matrices(zeros=True))
def test_matrices_have_their_prescribed_singular_values(case: Prescribed) -> None:
    found = np.linalg.svd(case.matrix, compute_uv=False)
    assert np.abs(found - case.values).max() <= 64 * EPS * max(1.0, case.values[0])


@given(matrices(smallest=0.5))
def test_matrices_keep_the_smallest_value(case: Prescribed) -> None:
    assert case.values[-1] >= 0.5
    assert (np.diff(case.values) <= 0).all()


def test_rank_deficient_and_repeated_ones_are_drawn() -> None:
    assert find(matrices(zeros=True), lambda case: case.values[-1] == 0 < case.values[0]).values[-1] == 0
    assert find(matrices(), lambda case: len(case.values) > 1 and case.values[0] == case.values[1])


@given(convolutions())
def test_kernels_fit_their_images(case: Convolution) -> None:
    assert all(k <= n for k, n in zip(case.kernel.shape[2:], case.image, strict=True))
    assert all(n % case.stride == 0 for n in case.image)
