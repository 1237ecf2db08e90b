"""Activity conditions and invariant regions against exact enumeration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.exact import exact_active, exact_descend, exact_grid, exact_step, exact_targets
from sim.instance import FilterInstance
from tests.strategies.single_filter import all_active_instances, dead_instances, exact_instances, fractions_in
from theory.derivation import Derivation
from theory.derive.single_filter import activity as derive
from theory.evaluate import truth
from theory.symbols import w

DERIVATIONS = (
    derive.all_active_condition,
    derive.dead_condition,
    derive.dead_stays,
    derive.stable_invariance,
    derive.slow_invariance,
    derive.stays_active,
    derive.trap_invariance,
    derive.falls_into_trap,
    derive.pixel_range,
    derive.positive_samples_active,
)


def values(instance: FilterInstance) -> dict[str, object]:
    return {
        "p": instance.p,
        "d": instance.d,
        "w": instance.w,
        "lam": instance.learning_rate,
        "w0_star": instance.w_star[0],
    }


def active(instance: FilterInstance, weights: Sequence[Any]) -> list[bool]:
    return [exact_active(x, weights) for x in exact_grid(instance.d)]


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@given(exact_instances(max_p=6))
@example(FilterInstance((Fraction(1),), (Fraction(1),), Fraction(1, 4)))
@example(FilterInstance((Fraction(1), Fraction(0)), (Fraction(1), Fraction(3)), Fraction(1, 4)))
def test_conditions_decide_activity_exactly(instance: FilterInstance) -> None:
    pattern = active(instance, instance.w)
    assert truth(derive.ALL_ACTIVE, values(instance)) is all(pattern)
    assert truth(derive.DEAD, values(instance)) is (not any(pattern))


@given(all_active_instances(max_p=6), dead_instances(max_p=6))
def test_instances_built_to_be_all_active_or_dead_are_found_so(on: FilterInstance, off: FilterInstance) -> None:
    assert truth(derive.ALL_ACTIVE, values(on))
    assert truth(derive.DEAD, values(off))


@given(all_active_instances(max_p=5))
def test_regions_are_kept_with_every_sample_active(instance: FilterInstance) -> None:
    slow = 2 * instance.learning_rate * (1 + instance.d[0] ** 2) <= 1
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    for region, applies in ((derive.stable_region, True), (derive.slow_region, slow)):
        if applies and truth(region(w), values(instance)):
            for after in exact_descend(samples, targets, instance.w, instance.learning_rate, 4):
                assert all(active(instance, after))
                assert truth(region(w), {**values(instance), "w": after})


@given(fractions_in(0, 1), fractions_in(-1, 1), fractions_in(0, 3), st.integers(1, 8), st.booleans())
def test_the_trap_is_never_left(width: Fraction, lean: Fraction, excess: Fraction, eighths: int, up: bool) -> None:
    """Filters built inside the trap: |w_1| d_1 = 1 + excess and w_0 = lean * |w_1| d_1 + ..., one side inactive."""
    d_1 = (1 + width) / 2
    reach = 1 + excess
    start = (lean * reach if lean * reach + reach >= 1 else 1 - reach, (1 if up else -1) * reach / d_1)
    instance = FilterInstance((Fraction(0), d_1), start, Fraction(eighths, 8) / (1 + d_1**2))
    assert truth(derive.trap(w), values(instance))
    samples = exact_grid(instance.d)
    for after in exact_descend(samples, exact_targets(samples, (1, 0)), instance.w, instance.learning_rate, 5):
        assert truth(derive.trap(w), {**values(instance), "w": after})


def test_an_all_active_start_that_loses_a_sample_for_good() -> None:
    """d = (0, 1/2), w = (2, 3), lam = 1/2: all active, then (1, 9/4), and it ends away from w*."""
    instance = FilterInstance((Fraction(0), Fraction(1, 2)), (Fraction(2), Fraction(3)), Fraction(1, 2))
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    assert all(active(instance, instance.w))
    after = exact_step(samples, targets, instance.w, instance.learning_rate)
    assert after == (Fraction(1), Fraction(9, 4))
    assert truth(derive.trap(w), {**values(instance), "w": after})
    late = exact_descend(samples, targets, instance.w, instance.learning_rate, 12)[-1]
    assert sum(active(instance, late)) == 2
    assert abs(late[1]) > 1
