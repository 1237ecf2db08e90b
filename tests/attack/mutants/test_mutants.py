"""Mutants: what the operators make, what is left out, and that a planted one is judged rightly."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from tests.attack.findings import Figure, Plan
from tests.attack.mutants import operators
from tests.attack.mutants.attack import breakers, findings
from tests.attack.mutants.equivalent import (
    Equivalent,
    equivalents,
    known,
    renamed,
    require_current,
    uncertified,
    weaker,
)
from tests.attack.mutants.scope import GROUPS, claims_of, judged_by
from tests.attack.mutants.sources import Mutant, mutant, same_program, sites
from tests.attack.mutants.trial import OUT_OF_TIME, Bench, Tried, drawn
from tests.attack.mutants.worker import Job
from tests.attack.mutants.workshop import ROOT, Workshop, workshop

ONE_LINE = {
    "x = 1e-9\n": {"x = 1e-08"},
    "f(tol=a + b)\n": {"f(tol=(10*(a + b)))", "f(tol=a - b)"},
    "y = -x\n": {"y = x"},
    "y = 2 * x\n": {"y = (2*(2 * x))", "y = x"},
    "y = x ** 2\n": {"y = x"},
    "y = A.T\n": {"y = A"},
    "y = np.swapaxes(A, 0, 1)\n": {"y = A"},
    "y = A @ b\n": {"y = (2*(A @ b))", "y = (b) @ (A)"},
    "y = a < b\n": {"y = a <= b"},
    "y = rng.spawn(3)\n": {"y = ([rng])*(3)"},
    "y = rng.normal()\n": {"y = __import__('numpy').random.default_rng(0).normal()"},
    "y = np.random.default_rng([seed, 1])\n": {
        "y = np.random.default_rng(0)",
        "y = np.random.default_rng([1])",
        "y = np.random.default_rng([seed, ])",
    },
}


def all_of(source: str, tool="own") -> list[Mutant]:
    return [made for site in sites("theory/ledger.py", source, tool) if (made := site()) is not None]


@pytest.mark.parametrize("source", ONE_LINE)
def test_own_operators(source):
    assert {"".join(made.after.split()) for made in all_of(source)} == {"".join(s.split()) for s in ONE_LINE[source]}
    assert all(made.before == source.strip() for made in all_of(source))


def test_every_own_operator_is_tried_above():
    made = {one.operator for source in ONE_LINE for one in all_of(source)}
    assert made == {operator.__name__ for _, operator in operators.OWN}


def test_the_tools_change_what_they_are_known_for():
    assert {made.after for made in all_of("y = x + 1\n", "mutmut")} == {"y = x - 1", "y = x + 2", "y = None"}
    products = {made.after for made in all_of("y = x * z\n", "cosmic-ray")}
    assert {"y = x + z", "y = x / z"} <= products


def test_decorated_functions_are_changed_too():
    assert "return x - 1" in {made.after for made in all_of("@njit\ndef f(x):\n    return x + 1\n", "mutmut")}


def test_a_mutant_says_where_it_is():
    source = "class A:\n    def f(self):\n        return (1 +\n            2)\n"
    made = next(made for made in all_of(source) if made.operator == "sign_of_a_term")
    assert (made.function, made.before, made.after) == ("A.f", "return (1 +", "return (1 -")


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ('raise ValueError("a b")', 'raise ValueError("a c")', True),
        ('f("a b")', "f(None)", True),
        ('"""A b."""\nx = 1', "'''C d.'''\nx = 1", True),
        ("x: int | None = 1", "x: int & None = 1", True),
        ("def f(x: int) -> int: ...", "def f(x: str) -> None: ...", True),
        ('Kind = Literal["a", "b"]', "Kind = None", True),
        ("@njit(cache=True)\ndef f(): ...", "@njit(cache=False)\ndef f(): ...", True),
        ("@cache\ndef f(): ...", "def f(): ...", False),
        ('f("ab")', 'f("ac")', False),
        ("x = (a, b)[0]", "x = (a, b)[1]", False),
        ("f(1)", "f(2)", False),
    ],
)
def test_prose_types_and_compilation_are_no_part_of_a_program(first, second, same):
    assert same_program(ast.parse(first), ast.parse(second)) is same


def test_what_does_not_parse_is_no_mutant():
    assert mutant("theory/ledger.py", "own", "any", "x = 1\n", "x = = 1\n") is None


def test_every_file_has_somebody_to_judge_it():
    lonely = [file for group in GROUPS for file in group.files if not judged_by(file) and not claims_of(file)]
    assert not lonely


def test_the_same_seed_draws_the_same_and_another_others():
    first, again, other = (drawn(GROUPS[3], Plan(seed, True))[0] for seed in (5, 5, 6))
    assert first == again != other
    assert len(first) == GROUPS[3].sample


MADE = Mutant("theory/ledger.py", "own", "any", "f", "x = 1", "x = 2", "")
LISTED = Equivalent("theory/ledger.py", "f", "x = 1", "x = 2", "x is not used")


def test_the_list_of_equivalents_is_current():
    assert len(set(equivalents())) == len(equivalents())
    with pytest.raises(ValueError, match=r"lists a line that theory/ledger.py does not have: x = 1"):
        require_current(LISTED, "x = 3\n")
    with pytest.raises(ValueError, match="must give a reason"):
        require_current(replace(LISTED, reason=" "), "  x = 1\n")
    require_current(replace(LISTED, before="x = 1 / 2\ny = 3"), "  x = 1 / 2\n  y = 3\n")
    assert known(MADE, [LISTED]) == "x is not used"
    assert known(replace(MADE, after="x = 3"), [LISTED]) is None


def value_of(figures: tuple[Figure, ...], name: str) -> Figure:
    return next(figure for figure in figures if figure.name.startswith(name))


@pytest.mark.parametrize(("lost", "met"), [(0, True), (1, True), (15, False)])
@pytest.mark.parametrize("sample", [True, False])
def test_a_goal_can_be_missed(lost, met, sample):
    some = [Tried(replace(MADE, after=str(n)), "survived" if n < lost else "killed by a test", 0.0) for n in range(40)]
    found = findings(Plan(0, sample), {"all": 99}, {"all": some}, [], [])
    assert found.met is met
    assert value_of(found.figures, "killed, of all").value == pytest.approx(100 * (40 - lost) / 40)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ('n, m = sp.symbols("n m", positive=True)', True),
        ('n, m = sp.symbols("n m", integer=None, positive=True)', True),
        ('n, m = sp.symbols("n m", integer=True, )', True),
        ('n, m = sp.symbols("n m", integer=True, positive=None)', True),
        ('n, m = sp.symbols("n m", integer=True, positive=False)', True),
        ('n, m = sp.symbols("n m", integer=False, positive=False)', False),
        ('n, m = sp.symbols("n m", integer=True, positive=2)', False),
        ('n, m = sp.symbols("N M", integer=True, positive=True)', False),
        ('n, m = sp.symbols("N M", positive=True)', False),
        ("n, m = None", False),
    ],
)
def test_taking_one_assumption_away_is_told_from_other_changes(after, expected):
    before = 'n, m = sp.symbols("n m", integer=True, positive=True)'
    made = replace(MADE, file="theory/derive/x.py", before=before, after=after)
    assert weaker(made) is expected
    assert not weaker(replace(made, file="theory/ledger.py"))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ('gap, w = sp.Symbol("XXgapXX", real=True), sp.IndexedBase("w")', True),
        ('gap, w = sp.Symbol("gap", real=True), sp.IndexedBase("W")', True),
        ('gap, w = sp.Symbol("gap", real=None), sp.IndexedBase("w")', False),
        ('gap, w = sp.Symbol("XXgapXX", ), sp.IndexedBase("w")', False),
        ('gap, w = sp.Symbol(None, real=True), sp.IndexedBase("w")', False),
    ],
)
def test_a_symbol_of_another_name_is_told_from_other_changes(after, expected):
    made = replace(
        MADE, file="theory/derive/x.py", before='gap, w = sp.Symbol("gap", real=True), sp.IndexedBase("w")', after=after
    )
    assert renamed(made) is expected
    assert not renamed(replace(made, file="theory/ledger.py"))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("certificate=gap + 2 * x,", "certificate=None,", True),
        ("certificate=gap + 2 * x,", "", True),
        ("certificate=gap + 2 * x,", "certificate=gap - 2 * x,", False),
        ('Step("certificate", x > 0, certificate=x),', 'Step("certificate", x > 0, certificate=None),', False),
        ("equal(x, y),", "", False),
    ],
)
def test_taking_a_certificate_away_is_told_from_other_changes(before, after, expected):
    made = replace(MADE, file="theory/derive/x.py", before=before, after=after)
    assert uncertified(made) is expected
    assert not uncertified(replace(made, file="theory/ledger.py"))


def test_an_equivalent_is_counted_apart_and_must_survive():
    some = [Tried(MADE, "survived", 0.0), Tried(replace(MADE, after="x = 3"), "killed by a test", 0.0)]
    found = findings(Plan(0, False), {"all": 2}, {"all": some}, [], [LISTED])
    assert value_of(found.figures, "killed, of all").value == 50
    assert value_of(found.figures, "killed, of those").value == 100
    killed = findings(Plan(0, False), {"all": 1}, {"all": [Tried(MADE, "killed by a test", 0.0)]}, [], [LISTED])
    assert not killed.met


def test_time_that_runs_out_is_survival():
    found = findings(Plan(0, False), {"all": 1}, {"all": [Tried(MADE, "ran out of time", 0.0)]}, [], [])
    assert not found.met
    assert value_of(found.figures, "survivors that ran").value == 1


def test_a_module_that_breaks_unnoticed_fails_the_attack():
    fine = [Tried(replace(MADE, after=str(n)), "killed by a test", 0.0) for n in range(40)]
    assert not findings(
        Plan(0, False), {"all": 1}, {"all": fine}, [Tried(breakers({"all": [MADE]})[0], "survived", 0.0)], []
    ).met


@pytest.fixture(scope="module")
def shop():
    with workshop(1) as made:
        yield made


@pytest.fixture(scope="module")
def bench(shop: Workshop) -> Bench:
    return Bench(shop)


def changed(file: str, before: str, after: str) -> Mutant:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert source.count(before) == 1
    made = mutant(file, "own", "planted", source, source.replace(before, after))
    assert made is not None
    return made


@pytest.mark.timeout(600)
def test_planted_mutants_are_judged_rightly(bench):
    file = "sim/paired.py"
    listed = "for n in {*first, *run.settings} if"
    assert bench.attempt(breakers({"all": [replace(MADE, file=file)]})[0]).outcome == "killed by a test"
    assert bench.attempt(changed(file, "known and (", "known or (")).outcome == "killed by a test"
    assert (
        bench.attempt(changed(file, listed, "for n in {*run.settings, *first} if"), again=False).outcome == "survived"
    )
    endless = changed(file, "    column: dict[int, TrainingRun] = {}", "    while True: pass")
    job = Job(module="sim.paired", path=file, text=endless.text, tests=judged_by(file), seconds=2)
    assert bench.shop.ask(job)["code"] in OUT_OF_TIME


def test_a_control_that_fails_stops_the_attack(bench):
    with pytest.raises(RuntimeError, match="with nothing changed"):
        bench.control(Job(module="sim.paired", path="", text="raise", tests=judged_by("sim/paired.py")))
