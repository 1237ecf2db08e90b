"""Functions that roads share are broken wherever they are held, and a suite that does not notice is found out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp

from sim.grid import grid_signs
from tests.attack.findings import Plan
from tests.attack.soundness import attack, breaking
from tests.attack.soundness import wrong as making_wrong
from tests.attack.soundness.breaking import Broken, break_function
from tests.attack.soundness.clauses import Found, Sharing
from tests.attack.soundness.judging import clause_of
from tests.attack.soundness.roads import INSTANCE, ROOT, Function
from tests.attack.soundness.wrong import broken, wrong
from theory.derivation import Derivation, Step, at_least
from theory.experiment import Experiment, Observation
from theory.ledger import Clause, Control
from theory.search import exact_values
from theory.verify import layered, simulated

x, y, z = sp.symbols("x y z", real=True)
PLACES = [("a claim", "")]


@dataclass(frozen=True)
class Record:
    """Some numbers and a name."""

    name: str
    size: float
    counts: tuple[int, ...]

    @property
    def half(self) -> float:
        """Of the size."""
        return self.size / 2


def test_numbers_go_wrong_in_turn_and_the_shape_stays():
    assert wrong(7.0) == pytest.approx(8.0)
    assert wrong(Fraction(7)) == 8
    assert wrong([7.0, (8.0, 9.0), 7.0]) == [pytest.approx(8.0), pytest.approx((9.0, 10.0)), pytest.approx(8.0)]
    assert wrong({"v": np.array([[7.0, 0.0]]), "n": 3})["n"] == 3
    assert wrong({"v": np.array([[7.0, 0.0]])})["v"] == pytest.approx(np.array([[8.0, 1 / 7]]))
    assert wrong(np.array([Fraction(7), Fraction(0)], dtype=object)).tolist() == [8, Fraction(1, 7)]
    assert wrong(np.array([1.0, 2.0]), Fraction(1)).tolist() == pytest.approx([2.0, 2 * 15 / 8])
    assert wrong(4.0, Fraction(-1, 2)) == 2.0
    assert wrong(Record("a", 7.0, (1, 2))) == Record("a", 8.0, (1, 2))


def test_without_fractions_integers_are_raised_and_booleans_negated():
    assert wrong((1, True)) == (2, True)
    assert wrong(np.array([1, 2])).tolist() == [2, 3]
    assert wrong([True, np.bool_(False)]) == [False, True]
    assert wrong(np.array([True, False])).tolist() == [False, True]
    assert wrong("name") == "name"
    assert wrong(None) is None


def _outer(value):
    def inner(number):
        return 2.0 * number

    return [inner(value)]


@cache
def _kept(value):
    return 3.0 * value


def _numbers():
    yield 7.0
    yield from ()


def _of_here(name):
    return Function(__name__, name)


def test_a_function_is_broken_wherever_it_is_held_and_mended_after():
    held, right = grid_signs, grid_signs(2)
    with broken(Function("sim.grid", "grid_signs")):
        assert not np.array_equal(held(2), right)
    assert np.array_equal(held(2), right)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("_outer", lambda: _outer(7.0)[0]),
        ("_outer.<locals>.inner", lambda: _outer(7.0)[0]),
        ("_kept", lambda: _kept.__wrapped__(7.0)),
        ("_numbers", lambda: next(_numbers())),
        ("Record.half", lambda: Record("a", 7.0, ()).half),
    ],
)
def test_nested_functions_generators_properties_and_what_is_behind_a_cache(name, call):
    right = call()
    with broken(_of_here(name)):
        assert call() == pytest.approx(right * 8 / 7)
    with broken(_of_here(name), Fraction(1)):
        assert call() == pytest.approx(right * 2)
    assert call() == right


def test_what_does_not_exist_is_not_broken():
    with (
        pytest.raises(ValueError, match=r"function must be one of sim\.grid, got 'none'"),
        broken(Function("sim.grid", "none")),
    ):
        pass


def _read(values):
    """A reader that both roads share, and that gives both sides of a statement."""
    return {"p": 1, "x": values, "y": 2.0 * values, "z": 2.0 * values}


def _width():
    return 1e-8


def _tenfold(values):
    return 10.0 * values


def _observe(values):
    return Observation({**_read(values), "unused": _tenfold(values)}, _width())


def _clause(statement):
    derivation = Derivation((statement,), (), (Step("a square", at_least(x**2, sp.Integer(0))),))
    return Clause(
        "y is twice x",
        statement,
        lambda: Experiment("a toy", lambda rng: iter([rng.uniform(1, 2, 20)]), _observe, layer=_observe),
        lambda: derivation,
        controls=(Control("zero", sp.Eq(y, 0)),),
    )


def result(name, statement, monkeypatch):
    monkeypatch.setattr(breaking, "clause_of", lambda claim, clause: (None, _clause(statement)))
    breaking._whole_roads.cache_clear()
    return break_function(_of_here(name), PLACES)


def test_a_broken_reader_is_noticed_where_the_statement_joins_it_to_something_else(monkeypatch):
    # x, y and z are wrong by different factors
    found = result("_read", sp.Eq(y, 2 * x), monkeypatch)
    assert found.noticed == ("a claim: simulator",)
    assert not found.unnoticed
    assert not found.doubled


def test_a_broken_reader_that_nothing_notices_is_reported(monkeypatch):
    found = result("_read", y**2 > 0, monkeypatch)
    assert found.noticed == ()
    assert found.unnoticed == ("a claim",)
    figures, listings = attack._of_broken([found], Plan(0, False))
    assert [figure.name for figure in figures if not figure.met] == [
        "of these not noticed though a statement speaks of what changed"
    ]
    assert any("_read: a claim" in line for listing in listings for line in listing.lines)


@pytest.mark.parametrize(("name", "tolerance"), [("_width", True), ("_tenfold", False)])
def test_what_changes_no_more_than_a_tolerance_or_nothing_spoken_of_is_told_apart(name, tolerance, monkeypatch):
    found = result(name, sp.Eq(y, 2 * x), monkeypatch)
    assert found == Broken(_of_here(name), (), False, (), tolerance)
    figures = {figure.name: figure.value for figure in attack._of_broken([found], Plan(0, False))[0]}
    assert figures["of these not noticed: only a tolerance changed, controls still rejected"] == tolerance
    assert figures["of these not noticed: nothing changed that a statement speaks of"] == (not tolerance)
    assert figures["of these not noticed though a statement speaks of what changed"] == 0


def test_a_control_that_is_no_longer_rejected_is_noticed(monkeypatch):
    # the tolerance counts as zero and becomes 1/7: 2.01 x is within it
    close = replace(_clause(sp.Eq(y, 2 * x)), controls=(Control("close", sp.Eq(y, sp.Rational(201, 100) * x)),))
    monkeypatch.setattr(breaking, "clause_of", lambda claim, clause: (None, close))
    breaking._whole_roads.cache_clear()
    monkeypatch.setattr(making_wrong, "NEGLIGIBLE", 1e-7)
    assert break_function(_of_here("_width"), PLACES).noticed == ("a claim: controls",)


def test_what_sharing_is_for_is_told_by_where_it_is_written():
    kinds = {
        ("sim.grid", "grid_signs"): "instance",
        ("sim.layer_variance", "Stack.image"): "instance",
        ("sim.layer_variance", "measure"): "reckons",
        ("sim.layer_variance", "Stacked"): "reckons",
        ("sim.zigzag", "gradient_sign_changes"): "reckons",
        ("theory.claims.observe.single_filter.limits", "_limit"): "reads",
        ("theory.derive.correlated_init.wide_limit", "limit_kernels"): "formula",
    }
    assert {place: Function(*place).kind for place in kinds} == kinds
    for module, names in INSTANCE.items():
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text()
        for name in names:
            kept = name.split(".")[-1]
            assert f"def {kept}(" in text or f"class {kept}:" in text, name


def test_a_function_that_reckons_on_two_roads_misses_its_goal():
    shared = Sharing(Function("sim.zigzag", "gradient_sign_changes"), "simulator and layer", "")
    figures, _ = attack._of_roads([Found(shared={"C-GSC": [shared]})])
    assert [(figure.name, figure.value) for figure in figures if not figure.met] == [
        ("claims with a function that reckons, on two roads", 1)
    ]


def test_shared_functions_are_broken_for_every_clause_that_shares_them_and_some_are_drawn_for_a_sample():
    every = [Sharing(Function("sim.grid", f"f{n}"), "simulator and layer", name) for n in range(40) for name in "ab"]
    found = [Found(shared={"C-E4": every}), Found(shared={"C-E3": every[:2]})]
    (group,) = attack._to_break(Plan(0, False), found)
    assert len(group) == 40
    assert group[0] == (Function("sim.grid", "f0"), [("C-E3", "a"), ("C-E3", "b"), ("C-E4", "a"), ("C-E4", "b")])
    samples = [attack._to_break(Plan(seed, True), found) for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]
    assert len(samples[0][0]) == attack.BROKEN_IN_A_SAMPLE


def test_what_roads_showed_is_forgotten_before_and_after() -> None:
    _, clause = clause_of("C-E3", "")
    assert clause.experiment is not None
    experiment = clause.experiment()
    assert experiment.exact is not None
    for road in (simulated, layered):
        road(experiment, 0)
    exact_values(experiment.exact)
    kept = (simulated, layered, exact_values)
    assert all(road.cache_info().currsize for road in kept)
    with broken(Function("sim.grid", "grid_signs")):
        assert not any(road.cache_info().currsize for road in kept)
        exact_values(experiment.exact)
    assert not any(road.cache_info().currsize for road in kept)
