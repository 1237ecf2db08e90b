"""What the README says is what the code computes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from theory.claims import all_claims
from theory.display import claim_page, plain
from theory.verify import verify

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def block(marker: str) -> list[str]:
    found = re.search(rf"<!-- {re.escape(marker)} -->\n```\n(.*?)```", README, re.DOTALL)
    assert found is not None, f"README has no block marked {marker!r}"
    return found.group(1).splitlines()


@pytest.mark.parametrize("line", block("ledger")[1:])
def test_ledger_lines_are_computed(line: str) -> None:
    id_, verdict, statement = re.split(r"\s{2,}", line, maxsplit=2)
    claim = all_claims()[id_]
    assert claim.statement == statement
    assert verify(claim, level="cnn" if claim.empirical else "simulation").verdict == verdict


def test_counterexample_is_what_show_prints() -> None:
    report = verify(all_claims()["C-E4"], level="simulation")
    shown = "\n".join(line.rstrip() for line in plain(claim_page(report)).splitlines())
    assert "\n".join(block("counterexample C-E4")) in shown


@pytest.mark.parametrize("number", range(2))
def test_python_examples_run(number: int) -> None:
    code = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[number]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_every_command_shown_is_known() -> None:
    from typer.main import get_command

    from filterlaw import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    used = set(re.findall(r"^filterlaw (\w+)", README, re.MULTILINE))
    assert used
    assert used <= known
