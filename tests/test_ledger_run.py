"""Every claim, verified: this is how people check the theorems. The ledger is printed at the end of the run."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from theory.claims import all_claims
from theory.display import row
from theory.ledger import Level, Verdict
from theory.serialise import report_record, to_json
from theory.verify import verify

CLAIMS = all_claims()
LEVEL: Level = "cnn" if find_spec("torch") else "simulation"
KEYS = {
    "id", "source", "statement", "verdict", "printed", "corrected", "hypotheses", "conditions", "counterexample",
    "evidence", "controls",
}  # fmt: skip


@pytest.mark.parametrize("id_", [id_ for id_, claim in CLAIMS.items() if LEVEL == "cnn" or not claim.empirical])
def test_claim_has_its_verdict_and_no_fooled_control(id_, record_property):
    claim, position = CLAIMS[id_], list(CLAIMS).index(id_)
    try:
        report = verify(claim, level=LEVEL, seed=0)
    except Exception:
        # a claim that crashes must not drop out of the ledger
        stub = {"id": id_, "source": claim.source, "statement": claim.statement, "verdict": "inconclusive"}
        record_property("ledger", {"position": position, "record": {**stub, "controls": []}, "seconds": 0.0})
        raise
    record = report_record(report)
    record_property("ledger", {"position": position, "record": record, "seconds": report.seconds})

    fooled = [line["detail"] for line in record["controls"] if line["passed"] is not True]
    assert not fooled, f"{id_}: controls that fooled a check: {fooled}"
    if row(record, report.seconds).undecided:
        # the recorded runs were checked as specified and decide neither way
        assert claim.empirical
    else:
        assert report.verdict != Verdict.INCONCLUSIVE, f"{id_}: {json.dumps(record['evidence'], indent=1)}"
        assert row(record, report.seconds).good

    assert record.keys() - {"clauses"} == KEYS
    assert json.loads(to_json(record)) == record
    for part in report.clauses:
        if part.verdict in (Verdict.CORRECTED, Verdict.CONDITIONAL, Verdict.REFUTED):
            assert part.counterexample is not None
            assert part.counterexample.reproduced


def test_ids_are_unique_and_upper_case():
    assert list(CLAIMS) == [claim.id for claim in CLAIMS.values()]
    assert all(id_ == id_.upper() for id_ in CLAIMS)
