"""The claims on deep linear networks: verdicts, counterexamples, and what a wrong derivation does."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np
import pytest

from sim.deep_linear import chain_gradients
from theory.claims.deep_linear import depth, gradients, modes, saxe, uneven
from theory.claims.observe.deep_linear import chains, critical_points, depths, directions, updates
from theory.derive.deep_linear.depth import family
from theory.ledger import Clause, Verdict
from theory.verify import simulated, verify

CLAIMS = {c.id: c for module in (gradients, modes, depth, uneven, saxe) for c in module.CLAIMS}
VERDICTS = {
    "S-E2": Verdict.CORRECTED,
    "S-E4": Verdict.CORRECTED,
    "S-E5": Verdict.CORRECTED,
    "S-E6": Verdict.HOLDS,
    "S-E7": Verdict.CORRECTED,
    "S-E8": Verdict.CORRECTED,
    "S-E9": Verdict.CORRECTED,
    "S-NEC": Verdict.CORRECTED,
    "S-SUF": Verdict.CONDITIONAL,
    "S-UNEVEN": Verdict.CORRECTED,
    "X-SAXE": Verdict.HOLDS,
}
CLAUSES = [(claim, n) for claim in CLAIMS.values() for n in range(len(claim.clauses))]


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("id_", VERDICTS)
def test_verdicts(id_: str, seed: int) -> None:
    report = verify(CLAIMS[id_], level="simulation", seed=seed)
    assert report.verdict is VERDICTS[id_]
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0


def test_the_smallest_counterexamples() -> None:
    found = {
        (id_, clause.clause.name): clause.counterexample
        for id_ in ("S-E2", "S-NEC", "S-SUF", "S-UNEVEN")
        for clause in verify(CLAIMS[id_], level="simulation").clauses
    }
    first = found["S-E2", "first layer"]
    assert first is not None
    assert (first.printed, first.actual) == ("slope_1 = 1", "slope_1 = -1")
    for key in (("S-NEC", "as printed"), ("S-SUF", "all above 1")):
        instance = found[key]
        assert instance is not None
        assert dict(instance.instance)["s"] == "(2, 2)"
        assert dict(instance.instance)["sigma"] == "4"
    saddle = found["S-UNEVEN", "local minima"]
    assert saddle is not None
    assert dict(saddle.instance)["s"] == "(0, 0)"


def test_families_reach_their_sigma_from_one_side_at_every_depth() -> None:
    assert family().failing_steps() == []
    for layers in (1, 2, 7, 50):
        for sigma in (Fraction(5, 2), Fraction(1), Fraction(2, 7)):
            s = depths.telescoping(sigma, layers)
            assert prod(s) == sigma
            assert all((v > 1) == (sigma > 1) and (v < 1) == (sigma < 1) for v in s)


def test_exact_slopes_are_those_of_the_simulator() -> None:
    for chain in list(chains.exact_chains([1, 2, 3], whitened=False))[::7]:
        exact = [float(v) for v in chains.slopes(chain, chain_gradients)]
        seen = chains.slopes(chain.floats, chain_gradients)
        assert seen == pytest.approx(exact, abs=1e-11)


def test_slopes_of_energies_are_derivatives() -> None:
    assert directions.energy_slopes([Fraction(2), Fraction(1, 3)], Fraction(1)) == [Fraction(-1, 9), Fraction(-2, 3)]


@pytest.mark.parametrize("point", [(0.0, 0.0), (0.0, -2.0, 0.0), (-1.0, 0.0, 0.0, 0.0), (0.0, -3.0, -1.0, 0.0)])
def test_zeros_are_moved_so_that_the_product_turns_positive(point: tuple[float, ...]) -> None:
    assert prod(critical_points.moved(point, 0.5)) > 0


def test_points_hold_saddles_minima_are_not_among_them_and_learning_rates_lie_on_both_sides() -> None:
    for observation in simulated(critical_points.points(), 0):
        assert np.sum(observation.values["steepest"] == 0) >= 16
    loads = [
        observation.values["eta"] * np.square(observation.values["sigma"] / observation.values["strength"]).sum(axis=0)
        for observation in simulated(updates.near_minima(), 0)
    ]
    assert np.sum(np.concatenate(loads) < 2) > 20
    assert np.sum(np.concatenate(loads) > 2) > 20


def test_clauses_have_names_that_tell_them_apart() -> None:
    for claim in CLAIMS.values():
        names = [clause.name for clause in claim.clauses]
        assert len(set(names)) == len(names)
        assert all(isinstance(clause, Clause) for clause in claim.clauses)
