"""The rule from evidence to verdict, case by case: what is not shown is inconclusive."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp

from theory.derivation import Derivation
from theory.experiment import Experiment, Measured, Observation, Study
from theory.ledger import (
    Claim,
    Clause,
    ClauseReport,
    Control,
    Counterexample,
    Evidence,
    Hypothesis,
    Report,
    Verdict,
    combine,
    formula,
    judge,
)

FOUND = Counterexample((("x", "1/2"),), "true", "false", reproduced=True)
EXCLUDED = Counterexample((("x", "1/2"),), "true", "false", reproduced=True, excluded=True)
INCLUDED = Counterexample((("x", "1/2"),), "true", "false", reproduced=True, excluded=False)
UNSEEN = Counterexample((("x", "1/2"),), "true", "false", reproduced=False, excluded=True)


def line(kind, passed, *, check=None, about="printed", found=None):
    return Evidence(kind, passed, 10, 0.0, 1e-12, 0, "", check or kind, about, found)


def symbolic(passed, about="printed"):
    return line("symbolic", passed, about=about)


def simulated(passed, about="printed"):
    return line("simulation", passed, about=about)


def layer(passed, about="printed"):
    return line("cnn", passed, about=about)


def data(passed, about="printed"):
    return line("data", passed, about=about)


def searched(found=None, *, passed=None, about="printed"):
    return line("counterexample", found is not None if passed is None else passed, about=about, found=found)


def controls(*checks, passed=True):
    return [line("control", passed, check=check) for check in checks]


def with_controls(*evidence):
    return [*evidence, *controls(*dict.fromkeys(e.check for e in evidence))]


HOLDING = [symbolic(True), searched(), simulated(True), layer(True)]
FAILING = [symbolic(False), simulated(False)]
CORRECTED = [symbolic(True, "corrected"), searched(about="corrected"), simulated(True, "corrected")]
CONDITIONAL = [symbolic(True, "conditional"), searched(about="conditional"), simulated(True, "conditional")]

REACHED = {
    "everything passes": (Verdict.HOLDS, HOLDING),
    "a derivation alone": (Verdict.HOLDS, [symbolic(True)]),
    "data beside a derivation": (Verdict.HOLDS, [symbolic(True), data(True)]),
    "counterexample, nothing proposed": (Verdict.REFUTED, [*FAILING, searched(FOUND)]),
    "counterexample, derivation alone fails": (Verdict.REFUTED, [symbolic(False), searched(FOUND)]),
    "counterexample and a corrected statement": (Verdict.CORRECTED, [*FAILING, searched(FOUND), *CORRECTED]),
    "counterexample that the condition excludes": (Verdict.CONDITIONAL, [*FAILING, searched(EXCLUDED), *CONDITIONAL]),
    "data agree": (Verdict.SUPPORTED, [data(True), data(True)]),
    "data disagree": (Verdict.UNSUPPORTED, [data(True), data(False)]),
}

INCONCLUSIVE = {
    "no check at all": [],
    "search alone finds nothing": [searched()],
    "simulation without a derivation": [simulated(True), searched()],
    "a derivation that fails, no counterexample": [symbolic(False), searched(), simulated(True)],
    "a derivation that could not decide": [symbolic(None), searched(), simulated(True)],
    "the simulator fails, no counterexample": [symbolic(True), searched(), simulated(False)],
    "the simulator could not decide": [symbolic(True), searched(), simulated(None)],
    "the layer fails": [symbolic(True), simulated(True), layer(False)],
    "data could not decide": [data(True), data(None)],
    "data fail beside a derivation": [symbolic(True), data(False)],
    "only the corrected statement was checked": CORRECTED,
    "correction without a counterexample": [*FAILING, searched(), *CORRECTED],
    "counterexample that the simulator does not show": [*FAILING, searched(UNSEEN)],
    "corrected, but the simulator does not show the counterexample": [*FAILING, searched(UNSEEN), *CORRECTED],
    "counterexample without an instance": [*FAILING, searched(passed=True)],
    "the printed statement passes every check beside a counterexample": [symbolic(True), searched(FOUND)],
    "printed passes, corrected too": [symbolic(True), simulated(True), searched(FOUND), *CORRECTED],
    "derived, yet a counterexample that the simulator shows": [symbolic(True), simulated(False), searched(FOUND)],
    "derived and corrected at once": [symbolic(True), simulated(False), searched(FOUND), *CORRECTED],
    "printed undecided beside a counterexample": [symbolic(None), simulated(None), searched(FOUND)],
    "counterexample without any check": [searched(FOUND)],
    "the condition does not exclude the counterexample": [*FAILING, searched(INCLUDED), *CONDITIONAL],
    "nobody knows whether the condition excludes it": [*FAILING, searched(FOUND), *CONDITIONAL],
    "corrected statement false too": [*FAILING, searched(FOUND), *CORRECTED, searched(FOUND, about="corrected")],
    "false under the condition": [*FAILING, searched(EXCLUDED), *CONDITIONAL, searched(FOUND, about="conditional")],
    "the corrected statement is not derived": [*FAILING, searched(FOUND), simulated(True, "corrected")],
    "the corrected statement's derivation fails": [*FAILING, searched(FOUND), symbolic(False, "corrected")],
    "the corrected statement fails the simulator": [*FAILING, searched(FOUND), *CORRECTED, layer(False, "corrected")],
    "the corrected statement was undecided": [*FAILING, searched(FOUND), *CORRECTED, layer(None, "corrected")],
    "the condition was never met": [*FAILING, searched(EXCLUDED), *CONDITIONAL, layer(None, "conditional")],
    "the condition is not derived": [*FAILING, searched(EXCLUDED), simulated(True, "conditional")],
}  # fmt: skip


@pytest.mark.parametrize("case", REACHED)
def test_each_verdict_is_reached(case):
    verdict, evidence = REACHED[case]
    assert judge(with_controls(*evidence)) == verdict


def test_the_table_reaches_every_conclusive_verdict():
    assert {verdict for verdict, _ in REACHED.values()} == set(Verdict) - {Verdict.INCONCLUSIVE}


@pytest.mark.parametrize("case", INCONCLUSIVE)
def test_anything_else_is_inconclusive(case):
    assert judge(with_controls(*INCONCLUSIVE[case])) == Verdict.INCONCLUSIVE


@pytest.mark.parametrize("passed", [False, None])
@pytest.mark.parametrize("case", REACHED)
def test_one_control_that_is_not_rejected_spoils_any_verdict(case, passed):
    evidence = REACHED[case][1]
    for check in {e.check for e in evidence}:
        spoiled = [*with_controls(*evidence), *controls(check, passed=passed)]
        assert judge(spoiled) == Verdict.INCONCLUSIVE


@pytest.mark.parametrize("case", REACHED)
def test_one_check_without_a_control_spoils_any_verdict(case):
    evidence = REACHED[case][1]
    checks = list(dict.fromkeys(e.check for e in evidence))
    for missing in checks:
        assert judge([*evidence, *controls(*(c for c in checks if c != missing))]) == Verdict.INCONCLUSIVE


@pytest.mark.parametrize("case", REACHED)
def test_the_order_of_evidence_does_not_matter(case):
    verdict, evidence = REACHED[case]
    assert judge(with_controls(*evidence)[::-1]) == verdict


def test_holds_needs_every_check_of_the_printed_statement_to_pass():
    # the whole table: only the all-True row may hold
    for outcomes in product((True, False, None), repeat=3):
        evidence = [symbolic(outcomes[0]), simulated(outcomes[1]), layer(outcomes[2]), searched()]
        expected = Verdict.HOLDS if outcomes == (True, True, True) else Verdict.INCONCLUSIVE
        assert judge(with_controls(*evidence)) == expected


def test_corrected_needs_every_check_of_the_corrected_statement_to_pass():
    for outcomes in product((True, False, None), repeat=2):
        checks = [symbolic(outcomes[0], "corrected"), simulated(outcomes[1], "corrected")]
        expected = Verdict.CORRECTED if outcomes == (True, True) else Verdict.INCONCLUSIVE
        assert judge(with_controls(*FAILING, searched(FOUND), *checks)) == expected


def test_conditional_needs_the_counterexample_excluded_and_every_check_to_pass():
    for excluded, first, second in product((EXCLUDED, INCLUDED, FOUND), (True, False, None), (True, False, None)):
        checks = [symbolic(first, "conditional"), simulated(second, "conditional")]
        good = (excluded, first, second) == (EXCLUDED, True, True)
        expected = Verdict.CONDITIONAL if good else Verdict.INCONCLUSIVE
        assert judge(with_controls(*FAILING, searched(excluded), *checks)) == expected


def test_a_conjunction_is_as_good_as_its_worst_part():
    for a, b in product(Verdict, repeat=2):
        worst = min(a, b, key=list(Verdict).index)
        assert combine([a, b]) == combine([b, a]) == worst
        assert combine([a, Verdict.INCONCLUSIVE]) == Verdict.INCONCLUSIVE
        assert combine([a, Verdict.HOLDS]) == a
    assert combine([]) == Verdict.INCONCLUSIVE


def clause(**changes):
    x = sp.Symbol("x", real=True)
    given = {
        "text": "a square is not negative",
        "printed": sp.Ge(x**2, 0, evaluate=False),
        "experiment": lambda: pytest.fail("never asked"),
        "derivation": lambda: pytest.fail("never asked"),
        "controls": (Control("strict", x**2 > 0),),
        "hypotheses": (Hypothesis("x is real"), Hypothesis("x is small", x < 1)),
    }
    return Clause(**{**given, **changes})


def test_clause_refuses_a_correction_beside_a_condition():
    x = sp.Symbol("x", real=True)
    with pytest.raises(ValueError, match="must declare `corrected` or `condition`, not both"):
        clause(corrected=x > 0, condition=x < 0)


def test_a_clause_that_is_refused_is_named_by_its_name_or_its_text():
    with pytest.raises(ValueError, match=f"^clause {clause().text!r} must have at least one control"):
        clause(controls=())
    with pytest.raises(ValueError, match=r"^clause 'near zero' must have at least one control"):
        clause(controls=(), name="near zero")


def test_clause_refuses_to_go_without_controls():
    with pytest.raises(ValueError, match="must have at least one control"):
        clause(controls=())


def test_clause_and_claim_read_their_parts():
    x = sp.Symbol("x", real=True)
    plain, fixed = clause(), clause(corrected=x > 1)
    assert plain.true_statement == plain.printed
    assert fixed.true_statement == (x > 1)
    assert plain.needed == (x < 1,)
    assert Claim("T-1", "here", "both", (plain, fixed)).hypotheses == ("x is real", "x is small")


def test_report_computes_its_verdict_and_counts_controls():
    good = ClauseReport(clause(), tuple(with_controls(*HOLDING)))
    fooled = ClauseReport(clause(), (*with_controls(*HOLDING), *controls("symbolic", passed=False)))
    refuted = ClauseReport(clause(), tuple(with_controls(*FAILING, searched(FOUND))))
    claim = Claim("T-1", "here", "both", (clause(), clause()))
    assert Report(claim, (good, refuted), "cnn").verdict == Verdict.REFUTED
    assert Report(claim, (good, fooled), "cnn").verdict == Verdict.INCONCLUSIVE
    assert Report(claim, (good, fooled), "cnn").controls_rejected == (8, 9)
    assert good.counterexample is None
    assert refuted.counterexample == FOUND
    # what passed is not what was searched, and what was searched in vain is not what was found
    later = ClauseReport(clause(), (symbolic(True), searched(), searched(INCLUDED, about="corrected")))
    assert later.counterexample == INCLUDED


def test_formula_is_sympy_syntax():
    x, y = sp.symbols("x y")
    statement = sp.Implies(x > 0, sp.Eq(x * y, 2))
    assert sp.sympify(formula(statement)) == statement
    assert formula(None) is None


def test_what_nothing_is_said_of_is_empty():
    """Nobody has to say what a statement does without: no correction, no condition, no counterexample, no effects."""
    clause = Clause(
        "y is 1",
        sp.true,
        controls=(Control("false", sp.false),),
        study=lambda: Study("none", lambda records: Measured({}, "")),
    )
    assert (clause.hypotheses, clause.corrected, clause.condition, clause.experiment) == ((), None, None, None)
    assert (clause.name, clause.controls[0].placebo, Hypothesis("in words").statement) == ("", False, None)
    bare = Experiment("bare", lambda rng: iter(()), lambda batch: Observation({}, 1.0))
    assert Clause("y is 1", sp.true, lambda: bare, lambda: Derivation((), (), ()), clause.controls).study is None
    assert Claim("T", "", "", (clause,)).note == ""
    evidence = Evidence("symbolic", True, 1, None, None, None, "")
    assert (evidence.check, evidence.about, evidence.counterexample, evidence.measured) == ("", "printed", None, ())
    assert FOUND.excluded is None
    part = ClauseReport(clause, (evidence,))
    assert part.used == ()
    assert Report(Claim("T", "", "", (clause,)), (part,), "symbolic").seconds == 0.0


def test_verdicts_are_the_words_that_ledgers_are_written_in():
    told = "inconclusive refuted unsupported corrected conditional supported holds"
    assert [str(verdict) for verdict in Verdict] == told.split()
