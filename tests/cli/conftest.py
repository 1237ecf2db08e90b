"""Command lines, run in the test's own process or in one of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import filterlaw

ROOT = Path(__file__).parents[2]


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
