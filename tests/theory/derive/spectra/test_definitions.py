"""Which results on spectra follow from definitions by substitution, and which are argued.

A derivation that lost its definitions would still prove its steps, and nothing would hold its result against them.
"""

from __future__ import annotations

import pytest

from tests.theory.derive.definitions import grounded
from theory.derive.spectra import backward, bounding, mixing, operators, random_kernels

GROUNDED = [
    (backward, {"chain", "modes_sum_derived"}),
    (mixing, {"entries"}),
]


@pytest.mark.parametrize(("module", "names"), GROUNDED, ids=[module.__name__ for module, _ in GROUNDED])
def test_these_follow_from_definitions(module, names):
    assert grounded(module) == names


@pytest.mark.parametrize("module", [bounding, operators, random_kernels], ids=lambda module: module.__name__)
def test_these_are_argued(module):
    assert grounded(module) == set()
