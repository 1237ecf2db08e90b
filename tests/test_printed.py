"""The prints are those that were last looked at."""

from __future__ import annotations

from dataclasses import replace

import sympy as sp

from tests.printed import WRITTEN, lines_of, written
from theory.claims import all_claims


def test_no_print_is_bent_unseen() -> None:
    kept = WRITTEN.read_text(encoding="utf-8")
    assert written().splitlines() == kept.splitlines(), "python -m tests.printed writes tests/printed.txt anew"


def test_a_print_that_is_bent_is_seen() -> None:
    claim = all_claims()["S-NEC"]
    first, *others = claim.clauses
    bent = replace(claim, clauses=(replace(first, printed=sp.Or(first.printed, sp.Symbol("more"))), *others))
    assert len(set(lines_of(bent)) - set(lines_of(claim))) == 1
