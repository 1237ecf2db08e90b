"""Command lines, run in the test's own process or in one of their own, and toys in place of the claims."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import filterlaw
import theory.claims
from tests.theory.toy import ABOVE_OUTSIDE, DOUBLE_CORRECTED, NON_NEGATIVE, claim, y
from theory.ledger import Claim, Control

ROOT = Path(__file__).parents[2]
FOOLED = claim(y >= 0, controls=(Control("true", y >= -1),))


def command(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "filterlaw", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        **options,
    )


@pytest.fixture
def run(capsys):
    """Run a command line in this process: (status, output, errors)."""

    def call(*arguments):
        status = filterlaw.run([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture
def toys(monkeypatch):
    """A registry of toy claims in place of the real ones."""
    made = {
        id_: Claim(id_, "this test", f"statement of {id_}", toy.clauses)
        for id_, toy in {
            "T-GOOD": NON_NEGATIVE,
            "T-FIX": DOUBLE_CORRECTED,
            "T-IF": ABOVE_OUTSIDE,
            "T-BAD": FOOLED,
        }.items()
    }
    monkeypatch.setattr(theory.claims, "all_claims", lambda: made)
    return made
