"""The gate: honest machinery passes it, and machinery that is told what to say does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import sympy as sp

import filterlaw
import theory.ledger
import theory.search
import theory.verify
from theory.derivation import Derivation
from theory.ledger import Verdict
from theory.search import Outcome
from theory.sentinels import GateFailed, Sentinel, astray, require_sound, sentinels

AGREES = Outcome(True, 1, 0.0, 1.0, "told to agree")
DISAGREES = Outcome(False, 1, 2.0, 1.0, "told to disagree")
UNDECIDED = Outcome(None, 0, None, None, "told to keep quiet")


@pytest.fixture(autouse=True)
def _judged_anew():
    require_sound.cache_clear()
    yield
    require_sound.cache_clear()


@pytest.mark.parametrize("sentinel", sentinels(), ids=lambda sentinel: sentinel.name)
def test_honest_machinery_misjudges_none(sentinel: Sentinel) -> None:
    assert astray(sentinel) is None


def test_every_verdict_has_a_sentinel_and_names_are_told_apart() -> None:
    assert {sentinel.verdict for sentinel in sentinels()} == set(Verdict)
    assert max(Counter(sentinel.name for sentinel in sentinels()).values()) == 1


def stubs():
    """Every part of the machinery in turn with one answer for everything: (module, name, stub)."""
    for verdict in Verdict:
        yield f"a judge that always says {verdict}", theory.ledger, "judge", lambda evidence, v=verdict: v
    for name, outcome in (("agrees", AGREES), ("disagrees", DISAGREES), ("is undecided", UNDECIDED)):
        yield f"floats: always {name}", theory.verify, "agreement", lambda *_, o=outcome: o
        yield f"derivation: always {name}", theory.verify, "_symbolic", lambda *_, o=outcome: o
        yield f"recorded runs: always {name}", theory.verify, "on_intervals", lambda *_, o=outcome: o
        yield f"exact search: always {name}", theory.verify, "exact_search", lambda *_, o=outcome: o
    yield "no step is checked", Derivation, "failing_steps", lambda self: []
    yield "no result is grounded", Derivation, "ungrounded", lambda self: []
    yield "everything is entailed", Derivation, "entails", lambda *_: True
    yield "nothing is entailed", Derivation, "entails", lambda *_: False
    yield (
        "no control is tried",
        theory.verify,
        "_control",
        lambda check, *_: theory.verify._evidence(check, AGREES, "printed"),
    )
    yield "no counterexample is reproduced", theory.search, "residual", lambda *_: 0.0


@pytest.mark.parametrize(("part", "name", "stub"), [s[1:] for s in stubs()], ids=[s[0] for s in stubs()])
def test_machinery_that_is_told_what_to_say_fails(part, name, stub, monkeypatch) -> None:
    # what honest machinery found of a derivation is not to be taken for what this one finds
    theory.verify._unconfirmed.cache_clear()
    monkeypatch.setattr(part, name, stub)
    with pytest.raises(GateFailed, match="misjudges a claim whose verdict is known, so nothing was verified; "):
        require_sound()
    theory.verify._unconfirmed.cache_clear()


def test_a_sentinel_that_comes_out_otherwise_is_named_with_what_was_found() -> None:
    truth, falsehood = sentinels()[:2]
    assert astray(replace(truth, verdict=Verdict.REFUTED)) == "a truth: the verdict is holds, not refuted"
    assert astray(replace(truth, fooled=True)) == "a truth: 8 of 8 controls were rejected"
    assert astray(replace(falsehood, found=truth.found)) == (
        "a falsehood: the checks found (False, True, False, False) of what is printed, not (True, False, True, True)"
    )
    proposed = replace(truth, clause=replace(truth.clause, corrected=sp.true))
    assert "of what is corrected, not ()" in str(astray(proposed))


@pytest.mark.parametrize("command", [["verify", "C-E3", "--level", "symbolic"], ["show", "C-E3"], ["report", "C-E3"]])
def test_the_command_fails_its_own_gate(command, monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.setattr(theory.ledger, "judge", lambda evidence: Verdict.HOLDS)
    monkeypatch.chdir(tmp_path)
    assert filterlaw.run(command) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "filterlaw: error: the machinery misjudges a claim whose verdict is known, so nothing was verified; "
        "a falsehood: the verdict is holds, not refuted\n"
    )
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
