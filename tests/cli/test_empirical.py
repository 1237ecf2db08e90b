"""Empirical claims on the command line: what is undecided is said, and is neither a success nor a failure."""

from __future__ import annotations

import json

import pytest

import theory.claims
from tests.reference import training
from tests.theory.test_empirical import around, clause, failing
from tests.theory.toy import NON_NEGATIVE
from theory.claims.trained import correlated
from theory.experiment import Study
from theory.ledger import Claim

MADE = {
    "T-YES": clause(around(1.0)),
    "T-NO": clause(around(-1.0)),
    "T-OPEN": clause(around(0.0)),
    "T-NOISY": clause(around(0.0, 500.0)),
    "T-NONE": clause(made=Study("toy", failing)),
}


@pytest.fixture
def toys(monkeypatch):
    made = {id_: Claim(id_, "this test", f"statement of {id_}", (part,)) for id_, part in MADE.items()}
    made["T-GOOD"] = Claim("T-GOOD", "this test", "statement of T-GOOD", NON_NEGATIVE.clauses)
    monkeypatch.setattr(theory.claims, "all_claims", lambda: made)
    return made


@pytest.fixture
def real(monkeypatch):
    monkeypatch.setattr(theory.claims, "all_claims", lambda: {claim.id: claim for claim in correlated.CLAIMS})


@pytest.mark.parametrize(
    ("ids", "status", "ending"),
    [
        (["T-YES", "T-NO"], 0, "2 claims: 1 supported, 1 unsupported; controls 6/6 rejected"),
        (["T-OPEN"], 0, "rejected; inconclusive because the data decide neither way: T-OPEN"),
        (["T-GOOD", "T-OPEN", "T-YES"], 0, "inconclusive because the data decide neither way: T-OPEN"),
        (["T-NOISY"], 1, "1 claim: 1 inconclusive; controls 1/3 rejected"),
        (["T-NONE", "T-YES"], 1, "1 supported, 1 inconclusive; controls 3/6 rejected"),
    ],
)
def test_status_tells_undecided_from_not_as_specified(run, toys, ids, status, ending):
    found, out, err = run("verify", *ids)
    assert (found, err) == (status, "")
    assert out.splitlines()[-1].endswith(ending)


@pytest.mark.parametrize("level", ["symbolic", "simulation"])
def test_lower_levels_leave_empirical_claims_out_and_say_so(run, toys, level):
    status, out, _ = run("verify", "--level", level)
    assert status == 0
    assert out.splitlines()[-2].startswith("1 claim: 1 holds;")
    assert out.splitlines()[-1] == "5 empirical claims were left out: they are judged at level cnn"
    status, out, _ = run("verify", "T-YES", "--level", level)
    assert status == 1
    assert out.splitlines()[-1] == "1 claim: 1 inconclusive; controls 0/0 rejected"
    assert "not checked at this level" in " ".join(run("show", "T-YES", "--level", level)[1].split())


def test_records_of_ones_own_are_judged(run, real, tmp_path):
    folder = training.stored(tmp_path / "runs", training.initialization())
    status, out, err = run("verify", "C-CIV", "--records", folder, "--json", tmp_path / "ledger.json")
    assert (status, err) == (0, "")
    assert out.splitlines()[1].split()[:2] == ["C-CIV", "supported"]
    ledger = json.loads((tmp_path / "ledger.json").read_text())
    assert ledger["environment"]["records"] == folder
    (line,) = ledger["claims"][0]["evidence"]
    assert line["measured"][0]["data"] == "VGG-8 at width 0.25, 1,000 images of CIFAR-10, 5 epochs"
    assert "[0.0" in run("show", "C-CIV", "--records", folder)[1]


BAD = {
    "verify --records missing": "records must be a folder of records that `filterlaw train` wrote, got 'missing'",
    "verify --records EMPTY": "records must be a folder with records (*.json) of training runs, got",
    "verify --records BROKEN": "it is no strict JSON",
    "verify --records RUNS --level simulation": "records are judged at level cnn, got level simulation",
    "show T-YES --records missing": "records must be a folder of records",
}


@pytest.mark.parametrize("line", BAD)
def test_bad_records_are_one_line_before_any_work(run, toys, tmp_path, monkeypatch, line):
    monkeypatch.setattr("theory.claims.run.verify", lambda *_, **__: pytest.fail("work began before the check"))
    places = {name: tmp_path / name for name in ("EMPTY", "BROKEN", "RUNS")}
    for place in places.values():
        place.mkdir()
    (places["BROKEN"] / "run.json").write_text("{")
    training.stored(places["RUNS"], iter([training.record()]))
    status, out, err = run(*(str(places.get(word, word)) for word in line.split()))
    assert (status, out) == (2, "")
    assert BAD[line] in err
    assert err.count("\n") == 1
