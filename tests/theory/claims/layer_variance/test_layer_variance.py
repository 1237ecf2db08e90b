"""How layer variance is observed: exact routes against closed forms and against floats, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
import pytest

from theory.claims import find
from theory.claims.observe.layer_variance import critical, one_layer, overlapping, pairs, perfect, products, stacks
from theory.claims.observe.layer_variance.stacks import ExactStack
from theory.derive.layer_variance import cell_c, depth
from theory.evaluate import truth, value
from theory.experiment import ExactRoute, Experiment
from theory.verify import verify

DETERMINISTIC = (
    products.multiples,
    products.products,
    one_layer.one_layer,
    one_layer.rectified,
    pairs.twins,
    perfect.perfect_inputs,
    perfect.zero_padded_insides,
)
DRAWN = (
    *(lambda name=name: stacks.cell(name) for name in "ABCD"),
    critical.cell_c_keeps,
    overlapping.square_filters,
)


def exact_route(experiment: Experiment) -> ExactRoute:
    assert experiment.exact is not None
    return experiment.exact


def seen_beside_exact(experiment: Experiment, instance: Any) -> Iterator[tuple[str, Any, Any, float]]:
    """Each value that both routes give, as the simulator has it and exactly, with the tolerance."""
    route = exact_route(experiment)
    exact, seen = route.observe(instance), experiment.observe(route.lower(instance))
    for name in exact.keys() & seen.values.keys():
        if isinstance(exact[name], bool):
            yield name, bool(np.squeeze(seen.values[name])), exact[name], 0.0
        else:
            found, wanted = (np.asarray(part[name], dtype=float).ravel() for part in (seen.values, exact))
            yield name, found, wanted, float(np.max(seen.tolerance))


@pytest.mark.parametrize("experiment", DETERMINISTIC, ids=lambda e: e.__name__)
def test_the_float_route_repeats_the_exact_one(experiment: Callable[[], Experiment]) -> None:
    for instance in islice(exact_route(experiment()).candidates(), 60):
        for name, seen, exact, _ in seen_beside_exact(experiment(), instance):
            assert seen == pytest.approx(exact, rel=1e-12, abs=1e-12), name


@pytest.mark.parametrize("experiment", DRAWN)
def test_draws_lie_within_the_tolerance_of_the_exact_route(experiment: Callable[[], Experiment]) -> None:
    instances = list(exact_route(experiment()).candidates())
    for instance in instances[:: max(1, len(instances) // 6)]:
        for name, seen, exact, tolerance in seen_beside_exact(experiment(), instance):
            assert np.abs(seen * 1.0 - exact).max() <= tolerance, name


@pytest.mark.parametrize("experiment", DRAWN[:4])
def test_tolerances_do_not_swallow_what_is_judged(experiment: Callable[[], Experiment]) -> None:
    rng = np.random.default_rng(0)
    for batch in experiment().sample(rng):
        seen = experiment().observe(batch)
        shallow = seen.values["l"] <= 2
        relative = (seen.tolerance / seen.values["var_l"])[shallow]
        assert np.median(relative) < 0.3
        assert relative.max() < 0.6


@pytest.mark.parametrize("name", "ABCD")
def test_exact_moments_obey_the_derived_laws(name: str) -> None:
    law = {"A": depth.DEPTH_A, "C": cell_c.INDEPENDENT}.get(name, depth.DEPTH_B)
    for width, deepest in ((1, 4), (2, 3)):
        for s in (Fraction(1), Fraction(2, 3)):
            values = stacks.observe_exact(ExactStack(name, width, deepest, s, Fraction(3, 2)))
            assert truth(law, values)
            assert values["half_second"] == values["var_l"] / 2


@pytest.mark.parametrize("torus", [(2, 3, 1), (2, 3, 2), (2, 2, 3), (1, 1, 3)])
def test_exact_tori_obey_the_law_of_overlapping_windows(torus: tuple[int, int, int]) -> None:
    assert truth(cell_c.OVERLAPPING, overlapping.observe_exact(overlapping.ExactTorus(*torus)))


def test_shares_of_sums_of_signs() -> None:
    assert stacks.sign_share(1) == Fraction(1, 2)
    assert stacks.sign_share(4) == Fraction(9, 32)
    assert float(stacks.sign_share(900)) == pytest.approx(1 / np.pi, rel=1e-3)
    # two windows that share nothing, and one that is the other
    assert overlapping.sign_kernel(4, 0) == stacks.sign_share(4)
    assert overlapping.sign_kernel(4, 4) == 1


@pytest.mark.parametrize("kind", one_layer.FILTERS)
def test_kinds_of_filters_are_what_they_say(kind: str) -> None:
    rng = np.random.default_rng(1)
    for width in (2, 3):
        law, symmetric = one_layer._filters(kind, width**2, rng)
        products_ = law.second_moments / law.second_moments[0, 0]
        assert np.abs(law.mean).max() < 1e-14
        assert np.diag(products_) == pytest.approx(np.ones(width**2))
        mirrored = {tuple(np.round(atom, 9) + 0.0) for atom in -law.atoms}
        assert symmetric is (mirrored == {tuple(np.round(atom, 9) + 0.0) for atom in law.atoms})
        if kind in ("independent", "words"):
            assert products_ == pytest.approx(np.eye(width**2), abs=1e-14)


VERDICTS = {
    "C-E11": ["holds"],
    "C-E12": ["holds", "holds"],
    "C-PERF": ["conditional", "holds"],
    "C-HALF": ["conditional", "corrected"],
    "C-E13": ["holds", "holds"],
    "C-E14": ["corrected", "holds", "corrected", "holds"],
    "C-E15": ["holds", "corrected"],
    "C-E16": ["holds", "corrected", "holds"],
    "C-T1A": ["corrected", "holds"],
    "C-T1B": ["corrected", "holds"],
    "C-T1C": ["corrected", "corrected", "corrected"],
    "C-T1D": ["corrected", "holds"],
    "C-SQ": ["holds", "corrected", "corrected", "holds"],
    "C-RNG": ["conditional", "holds", "holds", "holds"],
    "X-VAR": ["holds"] * 10,
}


@pytest.mark.parametrize("id_", VERDICTS)
def test_what_is_derived_and_refuted_exactly(id_: str) -> None:
    (claim,) = find([id_])
    assert [clause.verdict.value for clause in verify(claim, level="symbolic").clauses] == VERDICTS[id_]


def test_the_smallest_counterexamples() -> None:
    def clause(id_: str, position: int):
        return verify(find([id_])[0], level="symbolic").clauses[position].counterexample

    assert clause("C-T1C", 1).actual == "var_l = 59/4"
    assert dict(clause("C-T1C", 1).instance)["k"] == "2"
    assert clause("C-T1C", 2).actual == "var_l = 81/4"
    assert clause("C-HALF", 0).actual == "half_second = 5/2"
    assert dict(clause("C-PERF", 0).instance)["image"] == "2 x 2 of 1"
    assert clause("C-RNG", 0).actual == "v_star = 1, 2/k**2 = 1/2"


def test_the_range_is_left_only_upwards_and_only_by_negative_correlation() -> None:
    for batch in one_layer.random_rectified(np.random.default_rng(2)):
        values = one_layer.observe(batch).values
        n = values["n"]
        off = np.einsum("tub,tub->b", values["R"], values["M"]) / values["second_x"] - n
        outside = values["v_star"] > 2 / n * (1 + 1e-12)
        assert np.array_equal(outside, off < -1e-12 * n)
        assert np.all(values["v_star"] >= 2 / n**2 * (1 - 1e-12))


def test_the_corrected_formula_of_cell_c_at_its_counterexample() -> None:
    at = {"k": 2, "l": 2, "v": Fraction(1), "var_1": Fraction(4), "share": Fraction(9, 32)}
    assert value(cell_c.INDEPENDENT.rhs, at, exact=True) == Fraction(59, 4)
