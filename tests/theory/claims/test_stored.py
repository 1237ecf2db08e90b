"""Ledger files read back: sound ones are taken as they are, and nothing else is."""

from __future__ import annotations

import copy
import json
import os
import re

import pytest

import theory.claims
import theory.claims.stored
from tests.theory.toy import ABOVE_OUTSIDE, DOUBLE_CORRECTED, NON_NEGATIVE
from theory.claims.stored import checked, parts_of, read_ledger
from theory.ledger import Claim, Verdict
from theory.serialise import environment, report_record, to_json
from theory.verify import verify


@pytest.fixture
def toys(monkeypatch):
    both = (*DOUBLE_CORRECTED.clauses, *ABOVE_OUTSIDE.clauses)
    made = {
        "T-GOOD": Claim("T-GOOD", "this test", "it is good", NON_NEGATIVE.clauses),
        "T-FIX": Claim("T-FIX", "this test", "it is mended", DOUBLE_CORRECTED.clauses),
        "T-BOTH": Claim("T-BOTH", "this test", "both", both),
    }
    for module in (theory.claims, theory.claims.stored):
        monkeypatch.setattr(module, "all_claims", lambda: made)
    return made


@pytest.fixture
def ledger(toys):
    records = [report_record(verify(claim, level="simulation")) for claim in toys.values()]
    return {"environment": environment(level="simulation", seed=0), "claims": records}


def test_what_verify_writes_is_read_back(ledger, tmp_path):
    path = tmp_path / "ledger.json"
    path.write_text(to_json({**ledger, "derivations": {}, "more": 1}), encoding="utf-8")
    assert read_ledger(path) == json.loads(to_json(ledger))
    assert [len(parts_of(record)) for record in ledger["claims"]] == [1, 1, 2]


def test_unknown_fields_are_kept(ledger):
    ledger["claims"][0]["evidence"][0]["power"] = 0.8
    assert checked(ledger)["claims"][0]["evidence"][0]["power"] == 0.8


def put(path, value):
    """A change of a ledger: the value at a path of keys replaced (deleted if it is `put` itself)."""

    def change(ledger):
        *way, last = path
        for key in way:
            ledger = ledger[key]
        if value is put:
            del ledger[last]
        else:
            ledger[last] = value

    return change


GOOD, FIX, BOTH = (("claims", n) for n in range(3))
DAMAGED = {
    "no claims": (put(("claims",), []), "it has no list of claims"),
    "claims no list": (put(("claims",), {}), "it has no list of claims"),
    "no environment": (put(("environment",), put), "does not say in which environment"),
    "no packages": (put(("environment", "packages"), None), "does not say in which environment"),
    "claim no object": (put(GOOD, 1), "it has a claim None, which is not known here"),
    "unknown claim": (put((*GOOD, "id"), "T-NEW"), "it has a claim 'T-NEW', which is not known here"),
    "id no text": (put((*GOOD, "id"), ["T-GOOD"]), "it has a claim ['T-GOOD'], which is not known here"),
    "claim twice": (put((*FIX, "id"), "T-GOOD"), "it has claim T-GOOD twice"),
    "other statement": (put((*GOOD, "statement"), "else"), "T-GOOD states something else than in this version"),
    "other formula": (put((*GOOD, "printed"), "y > 0"), "T-GOOD has another printed formula than this version"),
    "other correction": (put((*FIX, "corrected"), None), "T-FIX has another corrected formula than this version"),
    "clause missing": (put((*BOTH, "clauses"), []), "T-BOTH has 0 clauses, not 2"),
    "clause no object": (put((*BOTH, "clauses", 1), 7), "clause 2 of T-BOTH must be an object, got int"),
    "verdict changed": (put((*FIX, "verdict"), "holds"), "T-FIX states 'holds', but its evidence says 'corrected'"),
    "clause's verdict changed": (
        put((*BOTH, "clauses", 1, "verdict"), "holds"),
        "clause 2 of T-BOTH states 'holds', but its evidence says 'conditional'",
    ),
    "combined verdict changed": (
        put((*BOTH, "verdict"), "conditional"),
        "T-BOTH states 'conditional', but its clauses say 'corrected'",
    ),
    "fooled control": (
        put((*GOOD, "controls", 0, "passed"), False),
        "T-GOOD states 'holds', but its evidence says 'inconclusive'",
    ),
    "controls gone": (put((*GOOD, "controls"), []), "T-GOOD states 'holds', but its evidence says 'inconclusive'"),
    "counterexample gone": (
        put((*FIX, "counterexample"), None),
        "T-FIX states 'corrected', but its evidence says 'inc",
    ),
    "not reproduced": (
        put((*FIX, "counterexample", "reproduced"), False),
        "T-FIX states 'corrected', but its evidence says 'inconclusive'",
    ),
    "counterexample no object": (put((*FIX, "counterexample"), "x"), "T-FIX has no proper 'counterexample'"),
    "instance no text": (
        put((*FIX, "counterexample", "instance"), {"x": 1}),
        "T-FIX has no proper 'counterexample'",
    ),
    "evidence no list": (put((*GOOD, "evidence"), "x"), "T-GOOD has no proper 'evidence'"),
    "evidence no object": (put((*GOOD, "evidence", 0), "x"), "T-GOOD must have objects as evidence, got str"),
    "trials no number": (put((*GOOD, "evidence", 0, "trials"), True), "evidence on T-GOOD has no proper 'trials'"),
    "passed no truth value": (
        put((*GOOD, "evidence", 0, "passed"), "yes"),
        "evidence on T-GOOD has no proper 'passed'",
    ),
    "clauses no list": (put((*BOTH, "clauses"), None), "T-BOTH has no proper 'clauses'"),
    "version no text": (put(("environment", "packages", "numpy"), 2), "does not say in which environment"),
    "unknown kind": (put((*GOOD, "evidence", 0, "kind"), "oracle"), "must be of a kind among symbolic, "),
    "kind no text": (put((*GOOD, "evidence", 0, "kind"), ["symbolic"]), "evidence on T-GOOD has no proper 'kind'"),
    "about nothing": (
        put((*GOOD, "evidence", 0, "about"), put),
        "must be about one of printed, corrected",
    ),
    "error below zero": (put((*GOOD, "evidence", 0, "max_error"), -1), "evidence on T-GOOD has no proper 'max_error'"),
    "error no number": (put((*GOOD, "evidence", 0, "max_error"), "huge"), "has no proper 'max_error'"),
    "passed without a trial": (put((*GOOD, "evidence", 0, "trials"), 0), "at least one trial where it passed, got 0"),
    "passed beyond its tolerance": (put((*GOOD, "evidence", -1, "max_error"), 1), "passed with an error of 1 beyond"),
    "effects no list": (put((*GOOD, "evidence", 0, "measured"), 3), "evidence on T-GOOD has no proper 'measured'"),
    "counterexample left out": (put((*GOOD, "counterexample"), put), "T-GOOD has no proper 'counterexample'"),
    "excluded no truth value": (
        put((*BOTH, "clauses", 1, "counterexample", "excluded"), "no"),
        "clause 2 of T-BOTH has no proper 'counterexample'",
    ),
    "reproduced no truth value": (
        put((*FIX, "counterexample", "reproduced"), 1),
        "T-FIX has no proper 'counterexample'",
    ),
    "control among the evidence": (
        put((*GOOD, "evidence", 0, "kind"), "control"),
        "T-GOOD mixes evidence and controls",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_ledger_is_refused(ledger, damage):
    change, message = DAMAGED[damage]
    marred = copy.deepcopy(ledger)
    change(marred)
    with pytest.raises(ValueError, match=re.escape(message)):
        checked(marred)
    assert checked(ledger)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is no strict JSON ("),
        (b"{", "it is no strict JSON ("),
        (b"[1", "it is no strict JSON ("),
        (b'{"claims": [NaN]}', "it is no strict JSON (NaN is no number)"),
        (b"\xff\xfe", "it is no strict JSON ("),
        (b"[" * 100_000, "it is no strict JSON ("),
        (b"[]", "must be a file that `filterlaw verify --json` wrote: it has no list of claims"),
        (b'"x"', "it has no list of claims"),
    ],
)
def test_a_file_that_is_no_ledger_is_one_clear_error(tmp_path, content, message):
    path = tmp_path / "l.json"
    path.write_bytes(content)
    with pytest.raises(
        ValueError, match=f"^(cannot use )?ledger {re.escape(repr(os.fspath(path)))}:? .*{re.escape(message)}"
    ):
        read_ledger(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"^cannot read ledger '.*none\.json': no such file or directory$"):
        read_ledger(tmp_path / "none.json")
    with pytest.raises(ValueError, match=r"^cannot read ledger .*: it is a folder$"):
        read_ledger(tmp_path)


def test_inconclusive_is_a_verdict_like_any_other(ledger):
    record = ledger["claims"][0]
    record["evidence"][0]["passed"] = None
    record["verdict"] = str(Verdict.INCONCLUSIVE)
    assert checked(ledger)["claims"][0]["verdict"] == "inconclusive"
