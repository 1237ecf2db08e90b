"""Which results on variances follow from definitions by substitution, and which are argued.

A derivation that lost its definitions would still prove its steps, and nothing would hold its result against them.
"""

from __future__ import annotations

import pytest

from tests.theory.derive.definitions import grounded
from theory.derive.layer_variance import cell_c, depth, laws, one_layer, perfect, wide

GROUNDED = [
    (cell_c, {"against_a", "gaussian_windows", "independent_windows", "overlapping_gaussian", "overlapping_windows"}),
    (depth, {"depth_a", "depth_b", "squares"}),
    (laws, {"any_product_variance", "product_variance", "scaled_variance"}),
    (one_layer, {"any_correlation", "both_equal", "critical_variance", "equal_correlations", "inputs_equal"}),
    (wide, {"wide"}),
]


@pytest.mark.parametrize(("module", "names"), GROUNDED, ids=[module.__name__ for module, _ in GROUNDED])
def test_these_follow_from_definitions(module, names):
    assert grounded(module) == names


@pytest.mark.parametrize("module", [perfect], ids=lambda module: module.__name__)
def test_these_are_argued(module):
    assert grounded(module) == set()
