"""Claims verified on several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

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


_RECORD = """
from theory.claims.run import verify_records
from theory.serialise import to_json
print(*(to_json(record) for _, record, _ in verify_records(["C-E17"], level=LEVEL, seed=0, jobs=1)))
"""


def test_records_do_not_depend_on_the_number_of_threads() -> None:
    """Sums over many draws, which threads would share out between them."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    level = "cnn" if find_spec("torch") else "simulation"
    one, two = (
        subprocess.run(
            [sys.executable, "-c", _RECORD.replace("LEVEL", repr(level))],
            env={**os.environ, **dict.fromkeys(names, threads)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    )
    assert '"id": "C-E17"' in one
    assert one == two


def test_claims_of_a_module_stay_together() -> None:
    groups = together(list(all_claims()))
    assert sorted(id_ for group in groups for id_ in group) == sorted(all_claims())
    assert groups[0][:2] == ["C-E3", "C-E4"]


def test_bad_numbers_of_processes_are_refused() -> None:
    with pytest.raises(ValueError, match="jobs must be at least 1, got 0"):
        next(verify_records(["C-E4"], level="symbolic", seed=0, jobs=0))
