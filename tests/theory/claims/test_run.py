"""Claims verified on several processes."""

from __future__ import annotations

import pytest

from theory.claims import all_claims, together
from theory.claims.run import verify_records


def test_records_do_not_depend_on_the_number_of_processes() -> None:
    ids = ["C-E4", "C-L4B", "C-SPAN"]
    one, two = (
        {id_: record for id_, record, _ in verify_records(ids, level="simulation", seed=0, jobs=jobs)}
        for jobs in (1, 2)
    )
    assert set(one) == set(ids)
    assert one == two


def test_claims_of_a_module_stay_together() -> None:
    groups = together(list(all_claims()))
    assert sorted(id_ for group in groups for id_ in group) == sorted(all_claims())
    assert groups[0][:2] == ["C-E3", "C-E4"]


def test_bad_numbers_of_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        next(verify_records(["C-E4"], level="symbolic", seed=0, jobs=0))
