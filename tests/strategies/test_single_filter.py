from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from sim.arrays import FloatArray
from sim.exact import exact_active, exact_grid, exact_targets
from sim.instance import FilterInstance
from sim.samples import SampleSet
from tests.strategies.single_filter import (
    all_active_instances,
    correlation_matrices,
    dead_instances,
    exact_instances,
    float_instances,
    floats_in,
    fractions_in,
    sample_sets,
)

# an example is all that is asked for, not the smallest one
SEARCH = settings(max_examples=2000, derandomize=True, database=None, phases=[Phase.generate])
FEW = settings(max_examples=40, deadline=None, derandomize=True)


def active(instance: FilterInstance) -> list[bool]:
    exact = instance.as_exact()
    return [exact_active(X, exact.w) for X in exact_grid(exact.d)]


@FEW
@given(all_active_instances(max_p=5))
def test_all_active_instances_have_every_sample_active(instance: FilterInstance) -> None:
    assert all(active(instance))


@FEW
@given(dead_instances(max_p=5))
def test_dead_instances_have_no_sample_active(instance: FilterInstance) -> None:
    assert not any(active(instance))


@FEW
@given(st.one_of(exact_instances(), float_instances(), all_active_instances(), dead_instances()))
def test_learning_rates_are_stable(instance: FilterInstance) -> None:
    assert 0 < instance.learning_rate < 1 / (1 + Fraction(instance.d[0]) ** 2)


@FEW
@given(exact_instances(dyadic=True))
def test_dyadic_instances_are_exact_in_floats(instance: FilterInstance) -> None:
    assert instance.is_exact
    for entry in (*instance.d, *instance.w, *instance.w_star):
        assert Fraction(float(entry)) == entry
        assert Fraction(entry).denominator in (1, 2, 4)


@FEW
@given(float_instances(min_p=2, max_p=3))
def test_float_instances_are_floats_of_the_sizes_asked_for(instance: FilterInstance) -> None:
    assert not instance.is_exact
    assert instance.p in (2, 3)


def test_instances_cover_the_corner_cases() -> None:
    def reach(strategy: st.SearchStrategy[FilterInstance], holds: Callable[[FilterInstance], bool]) -> None:
        find(strategy, holds, settings=SEARCH)

    for strategy in (exact_instances(), float_instances()):
        reach(strategy, lambda i: i.d[0] == 1)
        reach(strategy, lambda i: i.p > 1 and i.d[0] == 0 and i.d[1] > 0)
        reach(strategy, lambda i: i.p > 1 and i.d[1] == 0)
        reach(strategy, lambda i: i.w[0] < 0)
        reach(strategy, lambda i: i.p > 1 and i.w[1] == 0 and i.w[0] > 0)
        reach(strategy, lambda i: any(active(i)) and not all(active(i)))
    reach(
        exact_instances(dyadic=True),
        lambda i: 0 in exact_targets(exact_grid(i.d), i.w) and any(i.w),
    )
    reach(
        dead_instances(),
        lambda i: i.w[0] < 0 and max(exact_targets(exact_grid(i.d), i.w)) == 0,
    )


@FEW
@given(fractions_in(-2, 3), floats_in(-1.0, 2.0))
def test_numbers_lie_in_their_range(fraction: Fraction, number: float) -> None:
    assert -2 <= fraction <= 3
    assert fraction.denominator <= 4
    assert -1.0 <= number <= 2.0


@FEW
@given(sample_sets(min_n=2, max_n=4, max_p=3))
def test_sample_sets_have_the_sizes_asked_for(samples: SampleSet) -> None:
    assert 2 <= len(samples) <= 4
    assert 1 <= samples.p <= 3


def test_sample_sets_reach_the_under_determined_case() -> None:
    find(sample_sets(), lambda s: len(s) < s.p, settings=SEARCH)


@FEW
@given(correlation_matrices(rank=2))
def test_correlation_matrices_have_the_prescribed_rank(R: FloatArray) -> None:
    assert np.array_equal(np.diagonal(R), np.ones(len(R)))
    values = np.linalg.eigvalsh(R)
    assert (values[:-2] < 1e-12).all()
    assert values[-2] > 0
