"""What counts as a goal met, and what is kept for the page."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.attack import findings
from tests.attack.__main__ import ATTACKS, main
from tests.attack.findings import Figure, Findings, Listing, Plan, keep, kept


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (Figure("certified", 0, "=", 0), True),
        (Figure("certified", 1, "=", 0), False),
        (Figure("killed", 95.0, ">=", 95.0, "%"), True),
        (Figure("killed", 94.9, ">=", 95.0, "%"), False),
        (Figure("lost", 2, "<=", 1), False),
        (Figure("unknown", math.nan, ">=", 0), False),
        (Figure("for information", 7), True),
    ],
)
def test_a_goal_is_met_or_missed(figure: Figure, met: bool) -> None:
    assert figure.met is met
    assert ("MISSED" in figure.line) is not met


def test_an_attack_without_a_goal_meets_none() -> None:
    assert not Findings((Figure("for information", 7),)).met
    assert not Findings(()).met
    assert Findings((Figure("tried", 7), Figure("certified", 0, "=", 0))).met


def test_a_relation_comes_with_a_goal() -> None:
    with pytest.raises(ValueError, match="figure 'tried' must have a relation and a goal, or neither"):
        Figure("tried", 7, "=")


def test_what_is_kept_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "RECORDS", tmp_path / "not there yet")
    found = Findings((Figure("killed", 96.5, ">=", 95, "%"),), (Listing("survivors", ("x <= y: equal there",)),))
    keep("mutants", Plan(3, sample=False), found, {"python": "3"})
    again, record = kept("mutants")
    assert (again, record["seed"], record["sample"]) == (found, 3, False)
    with pytest.raises(ValueError, match=r"no findings can be read from 'kills.json': run `make kills`"):
        kept("kills")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], f"unknown attack 'nonsense' (attacks: {', '.join(ATTACKS)})"),
        (["repeat", "--seed", "-1"], "--seed must be at least 0, got -1"),
    ],
)
def test_bad_usage_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
