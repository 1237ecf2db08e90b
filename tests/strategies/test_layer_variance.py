from __future__ import annotations

import numpy as np
from hypothesis import given, settings

from sim.finite_law import FiniteLaw
from sim.layer_variance import responses
from tests.strategies.layer_variance import convolutions, finite_laws

FEW = settings(max_examples=40, deadline=None, derandomize=True)


@FEW
@given(convolutions())
def test_convolutions_fit_together(case) -> None:
    x, filters, border = case
    assert len(responses(x, filters, border)) == len(filters)


@FEW
@given(finite_laws(3, symmetric=True))
def test_symmetric_laws_are_their_own_mirror(law: FiniteLaw) -> None:
    half = len(law.atoms) // 2
    assert np.array_equal(law.atoms[:half], -law.atoms[half:])
    assert np.array_equal(law.probability[:half], law.probability[half:])
