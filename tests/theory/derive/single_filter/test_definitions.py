"""Which results on one filter follow from definitions by substitution, and which are argued.

A derivation that lost its definitions would still prove its steps, and nothing would hold its result against them.
"""

from __future__ import annotations

import pytest

from tests.theory.derive.definitions import grounded
from theory.derive.single_filter import (
    activity,
    alignment,
    convergence,
    dead_starts,
    initialisation,
    loosened,
    loosened_active,
    loosened_targets,
    theorem_1,
    trajectory,
    zigzag,
    zigzag_pair,
    zigzag_samples,
)

GROUNDED = [
    (alignment, {"active_starts", "perfectly_correlated_start", "relu_floor"}),
    (initialisation, {"aligned_losses", "edge_losses", "expected_loss_of_starts"}),
    (loosened, {"faster_or_slower", "residual_terms"}),
    (loosened_active, {"active_only"}),
    (loosened_targets, {"added_gradient", "variance_of_limit"}),
    (
        theorem_1,
        {
            "per_sample_gradient",
            "proportional_to_gap",
            "quadratic_in_d",
            "seven_in_one",
            "split_over_half_grids",
            "sum_over_grid_0",
            "sum_over_grid_i",
            "theorem_1",
        },
    ),
]


@pytest.mark.parametrize(("module", "names"), GROUNDED, ids=[module.__name__ for module, _ in GROUNDED])
def test_these_follow_from_definitions(module, names):
    assert grounded(module) == names


@pytest.mark.parametrize(
    "module",
    [activity, convergence, dead_starts, trajectory, zigzag, zigzag_pair, zigzag_samples],
    ids=lambda module: module.__name__,
)
def test_these_are_argued(module):
    assert grounded(module) == set()
