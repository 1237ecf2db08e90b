from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from sim.arrays import FloatArray
from sim.zigzag import gradient_sign_changes, mean_absolute_gradient, sign_changes_per_coordinate
from tests.reference.single_filter import naive_sign_changes
from tests.sim.rounding import rounding

GRADIENTS = arrays(
    np.float64,
    array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=5),
    elements=st.sampled_from([-2.0, -1e-300, -0.0, 0.0, 1e-300, 0.5]),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(GRADIENTS)
def test_sign_changes_equal_their_naive_twin(gradients: FloatArray) -> None:
    changes = gradient_sign_changes(gradients)
    for row in range(gradients.shape[1]):
        naive = naive_sign_changes(gradients[:, row].tolist())
        assert np.abs(changes[:, row] - naive).max() <= rounding(gradients.shape[2], 1.0)
        assert np.array_equal(changes[:, row], gradient_sign_changes(gradients[:, row]))
    assert ((changes >= 0) & (changes <= 1)).all()
    each = sign_changes_per_coordinate(gradients)
    assert each.shape == (gradients.shape[0] - 1, *gradients.shape[1:])
    assert set(np.unique(each)) <= {0.0, 0.5, 1.0}


def test_the_three_kinds_of_change() -> None:
    gradients = [[1.0, 1.0, 0.0, -1.0], [2.0, -1.0, 3.0, 0.0], [2.0, 1.0, 0.0, 0.0]]
    assert sign_changes_per_coordinate(gradients).tolist() == [[0, 1, 0.5, 0.5], [0, 1, 0.5, 0]]
    assert gradient_sign_changes(gradients).tolist() == [0.5, 0.375]


def test_mean_absolute_gradient() -> None:
    assert mean_absolute_gradient([[1.0, -3.0], [0.0, -1.0]]).tolist() == [2.0, 0.5]
    assert mean_absolute_gradient(np.full((2, 3, 4), -2.0)).tolist() == [[2.0] * 3] * 2


def test_bad_arguments() -> None:
    with pytest.raises(
        ValueError, match=r"^gradients must have shape \(T, ..., p\) with T >= 2 and p >= 1, got \(1, 3\)$"
    ):
        gradient_sign_changes(np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"T >= 1 and p >= 1, got \(3,\)$"):
        mean_absolute_gradient(np.ones(3))
    with pytest.raises(ValueError, match=r"p >= 1, got \(3, 2, 0\)$"):
        mean_absolute_gradient(np.ones((3, 2, 0)))
    with pytest.raises(ValueError, match=r"^gradients must be finite, got gradients\[1, 0\] = nan$"):
        sign_changes_per_coordinate([[1.0], [np.nan]])
