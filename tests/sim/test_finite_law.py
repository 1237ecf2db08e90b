"""Finite laws of filters and windows: against naive loops, and what their constructors promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.finite_law import (
    FiniteLaw,
    equal_law,
    independent_law,
    mirrored_law,
    mixed_law,
    response_moments,
    shifted_law,
    uniform_law,
)
from tests.reference.layer_variance import naive_response_moments
from tests.strategies.layer_variance import finite_laws

FEW = settings(max_examples=50, deadline=None)


def pairs(law: FiniteLaw) -> list[tuple[float, list[float]]]:
    return [(float(p), list(v)) for p, v in zip(law.probability, law.atoms, strict=True)]


@FEW
@given(st.integers(1, 5).flatmap(lambda n: st.tuples(finite_laws(n), finite_laws(n))))
def test_moments_agree_with_loops(laws: tuple[FiniteLaw, FiniteLaw]) -> None:
    filters, windows = laws
    found = response_moments(filters, windows)
    expected = naive_response_moments(pairs(filters), pairs(windows))
    assert (found.mean, found.second, found.positive_second) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert found.variance == pytest.approx(expected[1] - expected[0] ** 2, rel=1e-11, abs=1e-11)


@FEW
@given(st.integers(1, 5).flatmap(lambda n: st.tuples(finite_laws(n, symmetric=True), finite_laws(n))))
def test_symmetric_filters_leave_half(laws: tuple[FiniteLaw, FiniteLaw]) -> None:
    found = response_moments(*laws)
    assert found.positive_second == pytest.approx(found.variance / 2, rel=1e-12)


def test_equal_and_independent_laws_are_the_extremes() -> None:
    assert equal_law((1.0, -1.0), 3).second_moments == pytest.approx(np.ones((3, 3)))
    assert independent_law((1.0, -1.0), 3).second_moments == pytest.approx(np.eye(3))
    assert len(independent_law((1.0, 0.0, -1.0), 2).atoms) == 9
    mixed = mixed_law([equal_law((1.0, -1.0), 3), independent_law((1.0, -1.0), 3)], [0.25, 0.75])
    assert mixed.second_moments == pytest.approx(np.where(np.eye(3) > 0, 1.0, 0.25))


def test_mirrored_and_shifted_laws() -> None:
    law = uniform_law([[1.0, 2.0, 4.0]])
    assert mirrored_law(law).mean == pytest.approx(np.zeros(3))
    assert shifted_law(law).mean == pytest.approx(np.full(3, 7 / 3))
    assert np.ptp(np.diag(shifted_law(law).second_moments)) < 1e-14
    assert law.relu.atoms.tolist() == [[1.0, 2.0, 4.0]]
    assert mirrored_law(law).relu.atoms.tolist() == [[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: FiniteLaw(np.ones((2, 1)), np.array([0.5, 0.6])), r"sum to 1 \(divide by its sum\), got sum 1.1"),
        (lambda: FiniteLaw(np.ones((2, 1)), np.array([1.5, -0.5])), "probability must be non-negative"),
        (lambda: FiniteLaw(np.ones((2, 1)), np.array([1.0])), r"probability must have shape \(2,\), got \(1,\)"),
        (lambda: FiniteLaw(np.ones(2), np.ones(2)), r"atoms must have shape \(n, n\)"),
        (lambda: FiniteLaw(np.array([[np.nan]]), np.ones(1)), "atoms must be finite"),
        (lambda: equal_law((1.0,), 0), "n must be at least 1, got 0"),
        (lambda: independent_law((1.0, 0.0), 17), r"at most 65536, got 2\^17; use fewer values"),
        (lambda: mixed_law([equal_law((1.0,), 1), equal_law((1.0,), 2)], [0.5, 0.5]), "vectors of equal length"),
        (lambda: mixed_law([equal_law((1.0,), 1)], [0.5, 0.5]), r"weights must have shape \(1,\)"),
        (lambda: response_moments(equal_law((1.0,), 1), equal_law((1.0,), 2)), "equally many entries, got 1 and 2"),
    ],
)
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_a_law_cannot_be_changed_from_outside() -> None:
    atoms = np.ones((1, 2))
    law = uniform_law(atoms)
    atoms[:] = 7.0
    assert law.atoms.tolist() == [[1.0, 1.0]]
    with pytest.raises(ValueError, match="read-only"):
        law.atoms[0, 0] = 2.0
