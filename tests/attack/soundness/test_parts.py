"""The parts of the attack: mutants are mistakes, rewritten truths are not, and another road tells them apart."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp

from sim import mode_kernel
from sim.errors import require_finite
from tests.attack.soundness.entailment import at_instance, tried
from tests.attack.soundness.falsehood import Falsehood
from tests.attack.soundness.judging import clause_of, registered
from tests.attack.soundness.mutations import mutants
from tests.attack.soundness.rewriting import variants
from tests.attack.soundness.roads import Function, _behind, imported_by, in_common, run_by
from theory.claims import find
from theory.derive.single_filter.theorem_1 import TRUE_E4, w_next
from theory.ledger import Hypothesis
from theory.symbols import d, i, j, lam, over, p, w
from theory.traces import OrthogonalSymbol

x, y = sp.symbols("x y", real=True)
t = sp.Symbol("t", nonnegative=True)
event = sp.Symbol("event")
m = sp.Symbol("m", integer=True)
A, B = sp.MatrixSymbol("A", 3, 3), sp.MatrixSymbol("B", 3, 3)


def rng():
    return np.random.default_rng(0)


EXPECTED = [
    (TRUE_E4, sp.Eq(w_next[i], w[i] * (1 + 2 * lam * d[i] ** 2))),
    (TRUE_E4, sp.Eq(w_next[i], w[i] * (1 - lam * d[i] ** 2))),
    (TRUE_E4, sp.Eq(w_next[i], w[i] * (1 - 2 * lam * d[i]))),
    (TRUE_E4, sp.Eq(w_next[i], w[i] * (1 - 2 * lam * d[i] ** 3))),
    (TRUE_E4, sp.Eq(w_next[i], w[i])),
    (TRUE_E4, sp.Eq(w_next[i + 1], TRUE_E4.rhs)),
    (TRUE_E4, TRUE_E4.lhs <= TRUE_E4.rhs),
    (sp.Eq(y, over(w[m], m)), sp.Eq(y, sp.Sum(w[m], (m, 1, p)))),
    (sp.Eq(y, over(w[m], m)), sp.Eq(y, sp.Sum(w[m], (m, 0, p - 1)))),
    (sp.Eq(y, x**p), sp.Eq(y, x ** (p - 1))),
    (y <= sp.Max(x, 1), y < sp.Max(x, 1)),
    (y <= sp.Max(x, 1), y >= sp.Max(x, 1)),
    (y <= sp.Max(x, 1), y <= sp.Min(x, 1)),
    (sp.Implies(event, y > 0), y > 0),
    (sp.Implies(event, y > 0), sp.Implies(y > 0, event)),
    (sp.Equivalent(event, y > 0), sp.Implies(event, y > 0)),
    (sp.And(x > 0, y > 0), x > 0),
    (sp.Eq(y, sp.Trace(A * B)), sp.Eq(y, sp.Trace(A.T * B))),
]


@pytest.mark.parametrize(("statement", "mistake"), EXPECTED, ids=str)
def test_the_mistakes_that_people_make_are_among_the_mutants(statement, mistake):
    made = [mutant.statement for mutant in mutants(statement)]
    assert mistake in made
    assert statement not in made
    assert len(set(made)) == len(made)


def test_mutants_can_be_drawn_and_are_the_same_for_the_same_seed():
    drawn = [mutants(TRUE_E4, 5, rng()) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5
    assert mutants(TRUE_E4, 5, np.random.default_rng(1)) != drawn[0]


REWRITTEN = [
    TRUE_E4,
    sp.And(sp.Eq(y, (x + 1) ** 2), y >= 0),
    sp.Implies(x > 0, sp.Eq(y, over(w[m] * (1 + d[m]), m))),
    sp.Eq(y, sp.Trace(A * B)),
]


@pytest.mark.parametrize("statement", REWRITTEN, ids=str)
def test_a_truth_written_otherwise_says_the_same(statement):
    made = dict(variants(statement))
    assert len(made) >= 4
    for name, variant in made.items():
        for known, asked in ((statement, variant), (variant, statement)):
            if not statement.has(sp.Trace):
                found = tried([known], asked, rng())
                assert found.witness is None, name
                assert found.points > 0, name


FOLLOWS = [
    ([sp.Eq(y, x**2)], y >= 0),
    ([sp.Eq(w_next[i], 2 * w[i]), w[i] > 0], w_next[i] > w[i]),
    ([sp.Implies(event, y > x), event], y > x),
    ([sp.Eq(2 * y - x, 3)], sp.Eq(y, (x + 3) / 2)),
    ([sp.Eq(y, over(w[m], m) ** 2)], y >= 0),
    ([sp.Eq(y, sp.sqrt(2) * t)], sp.Eq(y**2, 2 * t**2)),
]
DOES_NOT_FOLLOW = [
    ([sp.Eq(y, x**2)], y > 0),
    ([sp.Eq(w_next[j], 2 * w[j])], w_next[j] > w[j]),
    ([sp.Implies(event, y > x)], y > x),
    ([sp.Eq(y, over(w[m], m))], sp.Eq(y, sp.Sum(w[m], (m, 0, p - 1)))),
    ([sp.Eq(y, sp.sqrt(2) * t)], sp.Eq(y, sp.Rational(7, 5) * t)),
    ([y >= x], y > x),
]


@pytest.mark.parametrize(("known", "statement"), FOLLOWS, ids=str)
def test_no_point_speaks_against_what_follows(known, statement):
    found = tried(known, statement, rng())
    assert found.witness is None
    assert found.points >= 4


@pytest.mark.parametrize(("known", "statement"), DOES_NOT_FOLLOW, ids=str)
def test_a_point_shows_what_does_not_follow(known, statement):
    assert tried(known, statement, rng(), enough=80, draws=400).witness is not None


def test_traces_are_tried_on_matrices():
    square = sp.Symbol("n", integer=True, positive=True)
    first, second = sp.MatrixSymbol("A", square, square), sp.MatrixSymbol("B", square, square)
    turn = OrthogonalSymbol("Q", square, square)
    known = [sp.Eq(y, sp.Trace(turn * first * second * turn.T))]
    assert tried(known, sp.Eq(y, sp.Trace(second * first)), rng()).witness is None
    assert tried(known, sp.Eq(y, sp.Trace(second.T * first)), rng()).witness is not None


def test_what_was_observed_is_compared_by_sympy():
    seen = {"p": 3, "x": Fraction(1, 2), "w": [Fraction(1), Fraction(2), Fraction(3)], "event": True}
    assert at_instance(seen, sp.Eq(over(w[m], m), 5), {}) is True
    assert at_instance(seen, w[i] > 2, {"i": 1}) is False
    assert at_instance(seen, sp.Implies(event, x > 1), {}) is False
    assert at_instance(seen, 1 / (2 * x - 1) > 0, {}) is None
    with pytest.raises(KeyError):
        at_instance(seen, y > 0, {})


def test_a_statement_is_registered_in_its_role_and_its_mistakes_are_named():
    _, clause = clause_of("C-E4")
    wrong = sp.Eq(w_next[i], w[i])
    assert registered(clause, wrong, "printed").printed == wrong
    assert registered(clause, wrong, "correction").corrected == wrong
    assert registered(clause, wrong, "correction").printed == clause.printed
    assert registered(clause, wrong, "condition").condition == wrong
    assert len(registered(clause, wrong, "printed", (2,)).hypotheses) == len(clause.hypotheses) - 1
    assert all(isinstance(h, Hypothesis) for h in registered(clause, wrong, "printed", (2,)).hypotheses)
    with pytest.raises(ValueError, match="without must be below 3, got 3"):
        registered(clause, wrong, "printed", (3,))
    with pytest.raises(ValueError, match="claim must be the id of a claim, got 'C-E99'"):
        clause_of("C-E99")
    with pytest.raises(ValueError, match="clause must be one of '' for claim C-E4, got 'none'"):
        clause_of("C-E4", "none")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "typo"}, "kind must be one of sign, factor, .*, got 'typo'"),
        ({"as_": "claim"}, "as_ must be one of printed, correction, condition, got 'claim'"),
        ({"why": " "}, "why must say where the statement on C-E4 is false"),
    ],
)
def test_a_falsehood_that_is_put_together_wrongly_is_refused(changes, message):
    given = {"claim": "C-E4", "clause": "", "kind": "sign", "statement": y > 0, "why": "at y = 0", **changes}
    with pytest.raises(ValueError, match=message):
        Falsehood(**given)


def test_what_two_roads_share_is_found_also_behind_caches_and_compilers():
    checks, cached = run_by(require_finite, 3.0, "x"), run_by(find, [])
    assert Function("sim.errors", "require_finite") in checks
    assert in_common(checks, checks) == [], "checks of arguments may be shared"
    assert Function("theory.claims", "all_claims") in in_common(cached, cached), "behind a cache"
    assert not in_common(checks, cached)
    if hasattr(mode_kernel._advance, "py_func"):
        named = {code.co_name for code in _behind(mode_kernel, mode_kernel.advance.__code__)}
        assert {"_advance", "_advance_deep"} <= named, "behind a compiler"


def test_imports_are_followed():
    found = imported_by("theory.derive.single_filter.theorem_1")
    assert {"theory.derivation", "theory.symbols", "theory.evaluate"} <= found
    assert not any(module.startswith("sim") for module in found)
