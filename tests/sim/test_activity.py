from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from sim.activity import active_pattern, all_active, dead, largest_preactivation, smallest_preactivation
from sim.exact import exact_active, exact_grid
from sim.half_space import grid_active_sums
from sim.instance import FilterInstance
from tests.reference.single_filter import naive_grid
from tests.sim.rounding import rounding
from tests.strategies.single_filter import all_active_instances, dead_instances, exact_instances, float_instances


@settings(max_examples=60, deadline=None, derandomize=True)
@given(float_instances(max_p=6))
def test_extreme_preactivations_are_those_of_the_samples(instance: FilterInstance) -> None:
    d, w = np.array(instance.d, dtype=float), np.array(instance.w, dtype=float)
    preactivation = naive_grid(list(d)) @ w
    room = rounding(instance.p, float(np.abs(w).sum()))
    assert abs(smallest_preactivation(d, w) - preactivation.min()) <= room
    assert abs(largest_preactivation(d, w) - preactivation.max()) <= room


@settings(max_examples=120, deadline=None, derandomize=True)
@given(exact_instances(dyadic=True))
def test_conditions_and_pattern_decide_as_exact_arithmetic_does(instance: FilterInstance) -> None:
    exact = [exact_active(X, instance.w) for X in exact_grid(instance.d)]
    d, w = np.array(instance.d, dtype=float), np.array(instance.w, dtype=float)
    assert bool(all_active(d, w)) == all(exact)
    assert bool(dead(d, w)) == (not any(exact))
    assert active_pattern(d, w).tolist() == [exact]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(all_active_instances(), dead_instances())
def test_instances_built_to_be_all_active_are_found_so(alive: FilterInstance, killed: FilterInstance) -> None:
    assert all_active(alive.as_float().d, alive.as_float().w)
    assert smallest_preactivation(alive.d, alive.w) > 0
    # a dead instance may touch zero, where rounding decides
    assert largest_preactivation(killed.d, killed.w) <= rounding(
        killed.p, float(np.abs(np.array(killed.w, dtype=float)).sum())
    )


def test_batches_broadcast_and_agree_with_single_rows() -> None:
    rng = np.random.default_rng(2)
    d, w = rng.random((7, 4)), rng.normal(size=(7, 4))
    for function in (all_active, dead, smallest_preactivation, largest_preactivation):
        assert function(d, w).shape == (7,)
        assert function(d[0], w).tolist() == [function(d[0], row).tolist() for row in w]
    assert np.array_equal(
        active_pattern(d, w), np.concatenate([active_pattern(*row) for row in zip(d, w, strict=True)])
    )


def test_pattern_counts_what_the_sums_count() -> None:
    # decimals tie inexactly: the two must still agree, sample by sample
    rng = np.random.default_rng(3)
    d, w = rng.integers(0, 11, (400, 4)) / 10, rng.integers(-10, 11, (400, 4)) / 10
    count = grid_active_sums(d, w, shortcut=False).count
    assert np.array_equal(active_pattern(d, w).sum(axis=1), count)
    assert np.array_equal(grid_active_sums(d, w, shortcut=True).count, count)


def test_bad_arguments() -> None:
    with pytest.raises(ValueError, match=r"^d must lie in \[0, 1\], got d\[0\] = 2.0$"):
        all_active([2.0], [1.0])
    with pytest.raises(ValueError, match=r"^w must be finite, got w\[0\] = nan$"):
        dead([1.0], [np.nan])
    with pytest.raises(
        ValueError, match=r"^d and w must have shapes \(..., p\) with the same p, got \(2,\) and \(3,\)$"
    ):
        smallest_preactivation([0.0, 1.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^d and w must broadcast, got shapes \(2, 1\) and \(3, 1\)$"):
        smallest_preactivation(np.zeros((2, 1)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"got p = 21"):
        active_pattern(np.zeros(21), np.zeros(21))
