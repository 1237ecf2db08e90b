"""`filterlaw report` as a user meets it."""

from __future__ import annotations

import json
import os

import pytest

import theory.claims
import theory.claims.stored
from figures.report import contents
from tests.theory.toy import ABOVE_OUTSIDE, DOUBLE_CORRECTED, NON_NEGATIVE
from theory.ledger import Claim

FILES = ["report.html", "report.json", "report.md"]


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    made = {
        id_: Claim(id_, "this test", f"statement of {id_}", toy.clauses)
        for id_, toy in {"T-GOOD": NON_NEGATIVE, "T-FIX": DOUBLE_CORRECTED, "T-IF": ABOVE_OUTSIDE}.items()
    }
    for module in (theory.claims, theory.claims.stored, contents):
        monkeypatch.setattr(module, "all_claims", lambda: made)
    return made


def test_report_verifies_and_writes_three_files(run, tmp_path):
    status, out, err = run("report", "--level", "simulation", "--seed", "3", "--output", tmp_path / "new" / "r")
    folder = tmp_path / "new" / "r"
    assert (status, err) == (0, "")
    assert out.splitlines() == [str(folder / name) for name in ("report.html", "report.md", "report.json")]
    assert sorted(os.listdir(folder)) == FILES
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert [c["id"] for c in report["claims"]] == ["T-GOOD", "T-FIX", "T-IF"]
    assert (report["environment"]["level"], report["environment"]["seed"]) == ("simulation", 3)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "statement of T-IF" in page
    assert "Other claims" in page
    assert "### T-FIX: corrected" in (folder / "report.md").read_text(encoding="utf-8")


def test_report_of_a_ledger_is_that_of_a_verification(run, tmp_path, monkeypatch):
    ledger = tmp_path / "l.json"
    assert run("verify", "--level", "simulation", "--json", ledger)[0] == 0
    assert run("report", "--level", "simulation", "--output", tmp_path / "fresh")[0] == 0
    monkeypatch.setattr("theory.claims.run.verify", lambda *_, **__: pytest.fail("verified again"))
    status, _, err = run("report", "--ledger", ledger, "--output", tmp_path / "stored")
    assert (status, err) == (0, "")
    for name in FILES:
        assert (tmp_path / "fresh" / name).read_bytes() == (tmp_path / "stored" / name).read_bytes()
    # and again from its own JSON, a part of it, in the order asked for
    again = tmp_path / "stored" / "report.json"
    assert run("report", "T-IF", "t-good", "--ledger", again, "--output", tmp_path / "part")[0] == 0
    part = json.loads((tmp_path / "part" / "report.json").read_text(encoding="utf-8"))
    assert [c["id"] for c in part["claims"]] == list(part["derivations"]) == ["T-IF", "T-GOOD"]


def test_a_verdict_that_was_changed_is_refused(run, tmp_path):
    ledger = tmp_path / "l.json"
    run("verify", "T-FIX", "--level", "simulation", "--json", ledger)
    ledger.write_text(ledger.read_text().replace('"verdict": "corrected"', '"verdict": "holds"'))
    status, out, err = run("report", "--ledger", ledger, "--output", tmp_path / "r")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "T-FIX states 'holds', but its evidence says 'corrected'" in err
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("T-GOD", "unknown claim id 'T-GOD'; did you mean T-GOOD"),
        ("--output LICENSE", "cannot write 'LICENSE/report.html': part of the path is a file, not a folder"),
        ("--output=", "output must name a folder, got ''"),
        ("--ledger none.json", "cannot read ledger 'none.json': no such file or directory"),
        ("--ledger LICENSE", "cannot use ledger 'LICENSE': it is no strict JSON"),
        ("--ledger none.json --level symbolic", "--level must be left out with --ledger"),
        ("--ledger none.json --seed 1", "--seed must be left out with --ledger"),
        ("--ledger none.json --records x", "--records must be left out with --ledger"),
        ("--seed -1", "seed must be an integer >= 0, got '-1'"),
        ("--records none --level symbolic", "records are judged at level cnn, got level symbolic"),
    ],
)
def test_bad_input_is_one_clear_line(run, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "LICENSE").write_text("no ledger")
    monkeypatch.setattr("theory.claims.run.verify", lambda *_, **__: pytest.fail("work began before the check"))
    status, out, err = run("report", *arguments.split())
    assert (status, out) == (2, "")
    assert err.startswith("filterlaw: error: ")
    assert message in err
    assert err.count("\n") == 1


def test_a_claim_that_the_ledger_does_not_have_is_named(run, tmp_path):
    ledger = tmp_path / "l.json"
    run("verify", "T-FIX", "--level", "simulation", "--json", ledger)
    _, _, err = run("report", "T-GOOD", "T-FIX", "--ledger", ledger, "--output", tmp_path / "r")
    assert "must have the claims asked for, has no T-GOOD" in err


def test_a_folder_that_cannot_be_made_is_one_clear_line(run):
    # where nobody, not even root, may write
    status, out, err = run("report", "--output", "/proc/report")
    assert (status, out) == (2, "")
    assert err == "filterlaw: error: cannot write '/proc/report/report.html': no such file or directory\n"
