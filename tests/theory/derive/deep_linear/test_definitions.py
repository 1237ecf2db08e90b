"""Which results on deep linear networks follow from definitions by substitution, and which are argued.

A derivation that lost its definitions would still prove its steps, and nothing would hold its result against them.
"""

from __future__ import annotations

import pytest

from tests.theory.derive.definitions import grounded
from theory.derive.deep_linear import depth, flows, gradients, modes, reach, reach_matrices, reach_training, updates

GROUNDED = [
    (flows, {"conserved_matrices", "product_rate"}),
    (gradients, {"aligned_gradient", "aligned_two_layer_gradients", "layer_gradient", "two_layer_gradients"}),
    (modes, {"layer_scalar_gradient", "loss_of_modes", "scalar_gradients"}),
    (updates, {"departure", "error_update", "scaling", "squares_update"}),
]


@pytest.mark.parametrize(("module", "names"), GROUNDED, ids=[module.__name__ for module, _ in GROUNDED])
def test_these_follow_from_definitions(module, names):
    assert grounded(module) == names


@pytest.mark.parametrize("module", [depth, reach, reach_matrices, reach_training], ids=lambda module: module.__name__)
def test_these_are_argued(module):
    assert grounded(module) == set()
