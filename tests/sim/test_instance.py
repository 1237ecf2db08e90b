from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sim.instance import FilterBatch, FilterInstance

HALF = Fraction(1, 2)


def test_exact_numbers_stay_exact() -> None:
    instance = FilterInstance((HALF, 1), (2, Fraction(1, 3)), HALF)
    assert instance.is_exact
    assert instance.d == (Fraction(1, 2), Fraction(1))
    assert all(isinstance(entry, Fraction) for entry in (*instance.d, *instance.w, *instance.w_star))
    assert instance.w_star == (1, 0)
    assert instance.p == 2


def test_one_float_makes_all_floats() -> None:
    instance = FilterInstance((HALF, 1), (2, 0.25), HALF, (0, 1))
    assert not instance.is_exact
    assert all(type(entry) is float for entry in (*instance.d, *instance.w, *instance.w_star, instance.learning_rate))
    assert instance.w_star == (0.0, 1.0)


def test_conversions() -> None:
    instance = FilterInstance((0.1,), (0.75,), 0.5)
    assert instance.as_exact().d[0] == Fraction(0.1) != Fraction(1, 10)
    assert instance.as_exact().as_float() == instance
    assert instance.as_exact().is_exact
    assert replace(instance, w=(1.0,)) == FilterInstance((0.1,), (1.0,), 0.5)
    assert len({instance, FilterInstance((0.1,), (0.75,), 0.5)}) == 1
    with pytest.raises(FrozenInstanceError):
        instance.d = (0.2,)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((), (), 0.1), ValueError, r"^d must have at least one entry \(p >= 1\), got none$"),
        (((0.5, 0.5, 1.5), (1, 1, 1), 0.1), ValueError, r"^d must lie in \[0, 1\], got d\[2\] = 1.5$"),
        (((Fraction(-1, 2),), (1,), 1), ValueError, r"^d must lie in \[0, 1\], got d\[0\] = -1/2$"),
        (((float("nan"),), (1,), 1), ValueError, r"^d must be finite, got d\[0\] = nan$"),
        (((0, 0), (1, float("inf")), 0.1), ValueError, r"^w must be finite, got w\[1\] = inf$"),
        (((0, 0), (1,), 0.1), ValueError, r"^w must have as many entries as d \(2\), got 1$"),
        (((0,), (1,), 0.1, (1, 2)), ValueError, r"^w_star must have as many entries as d \(1\), got 2$"),
        (((0,), (1,), 0), ValueError, r"^learning_rate must be positive, got 0$"),
        (((0,), (1,), float("nan")), ValueError, r"^learning_rate must be finite, got learning_rate = nan$"),
        (((0,), ("1",), 1), TypeError, r"^w must hold real numbers, got w\[0\] = '1'$"),
        (((0,), (True,), 1), TypeError, r"^w must hold real numbers, got w\[0\] = True$"),
        ((0.5, (1,), 1), TypeError, r"^d must be a sequence of numbers, got 0.5$"),
    ],
)
def test_bad_arguments(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        FilterInstance(*arguments)


def test_batch_of_instances_gives_them_back() -> None:
    instances = [FilterInstance((HALF, 0), (1, -1), 1), FilterInstance((0.1, 0.2), (0.3, 0.4), 0.5, (0, 2))]
    batch = FilterBatch.of(instances)
    assert len(batch) == 2
    assert batch.p == 2
    assert [batch[row] for row in range(2)] == [instance.as_float() for instance in instances]


def test_batch_broadcasts_and_is_read_only() -> None:
    batch = FilterBatch.create([0.5, 0.5], [1.0, 2.0], [0.1, 0.2, 0.3])
    assert batch.d.shape == batch.w.shape == batch.w_star.shape == (3, 2)
    assert batch.w_star[2].tolist() == [1.0, 0.0]
    many = FilterBatch.create([0.5, 0.5], np.arange(8.0).reshape(4, 2), 0.1, [1.0, 1.0])
    assert many.learning_rate.tolist() == [0.1] * 4
    assert many.w[3].tolist() == [6.0, 7.0]
    with pytest.raises(ValueError, match="read-only"):
        batch.d[0, 0] = 0.0


def test_bad_batches() -> None:
    with pytest.raises(ValueError, match=r"^instances must be at least one, all of the same p, got p in \[\]$"):
        FilterBatch.of([])
    with pytest.raises(ValueError, match=r"all of the same p, got p in \[1, 2\]$"):
        FilterBatch.of([FilterInstance((0,), (1,), 1), FilterInstance((0, 0), (1, 1), 1)])
    with pytest.raises(ValueError, match=r"^learning_rate must be positive, got learning_rate\[1\] = 0.0$"):
        FilterBatch.create([0.5], [1.0], [0.1, 0.0])
    with pytest.raises(ValueError, match=r"numbers of rows must agree \(or be 1\), got: w has 2, learning_rate has 3"):
        FilterBatch.create([0.5], [[1.0], [2.0]], [0.1, 0.1, 0.1])
    with pytest.raises(ValueError, match=r"^learning_rate must be a scalar or have shape \(B,\), got \(1, 1\)$"):
        FilterBatch.create([0.5], [1.0], [[0.1]])
    with pytest.raises(ValueError, match=r"^w must have shape \(2,\) or \(B, 2\), got \(3,\)$"):
        FilterBatch.create([0.5, 0.5], [1.0, 2.0, 3.0], 0.1)
    with pytest.raises(ValueError, match=r"^learning_rate must have shape \(1,\), one per row, got \(2,\)$"):
        FilterBatch(np.zeros((1, 1)), np.zeros((1, 1)), np.ones(2), np.ones((1, 1)))
