"""The claims on bounded spectra through the ledger, at every clause, and what their experiments plant."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from sim.svb import band
from theory.claims.observe.spectra import bounded, chains, exact_layers, mixed, operators, shapes
from theory.claims.spectra import backward, bounding, mixing
from theory.claims.spectra import operators as convolutions
from theory.derive.spectra.mixing import NO_BULGE
from theory.evaluate import truth
from theory.ledger import Claim, Verdict
from theory.verify import verify

H, C, D = Verdict.HOLDS, Verdict.CORRECTED, Verdict.CONDITIONAL
EXPECTED = {
    "S-ALG1": (H, C, H, H, C, C, H, D, D, H, D),
    "S-E11": (H, H, H, D, H),
    "S-E13": (H, H, H),
    "S-NORM": (H, D, H, D, H, D, H, H),
    "S-CONV": (C, D),
    "X-OPER": (H,) * 10,
}
CLAIMS = (*bounding.CLAIMS, *mixing.CLAIMS, *backward.CLAIMS, *convolutions.CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
@pytest.mark.parametrize("seed", [0, 3])
def test_verdicts_of_all_clauses(claim: Claim, seed: int) -> None:
    report = verify(claim, level="simulation", seed=seed)
    rejected, tried = report.controls_rejected
    assert rejected == tried > 0
    assert tuple(clause.verdict for clause in report.clauses) == EXPECTED[claim.id]


def counterexample(claim: Claim, name: str) -> dict[str, str]:
    report = verify(claim, level="symbolic")
    found = next(clause.counterexample for clause in report.clauses if clause.clause.name == name)
    assert found is not None
    return dict(found.instance)


def test_smallest_counterexamples() -> None:
    conv, e11, norm = convolutions.CLAIMS[0], mixing.CLAIMS[0], backward.CLAIMS[1]
    assert counterexample(conv, "not attenuated")["R"] == "[3/5, 4/5]"
    assert counterexample(conv, "not over-amplified")["image"] == "1 x 2"
    lost = counterexample(e11, "not attenuated")
    assert (lost["W^l"], lost["W^(l+1)"]) == ("[1; 0]", "[0, 1]")
    deep = counterexample(norm, "as the network goes deep")
    assert deep["W^(l+6)"] == "[9/8]"
    assert "W^(l+7)" not in deep
    assert counterexample(bounding.CLAIMS[0], "unique")["A"] == "[0]"


@pytest.mark.parametrize(
    ("widths", "growth", "bulge"),
    [
        ((3, 3), 0, 0),
        ((4, 2, 3), 1, 0),
        ((1, 2, 1), 1, 1),
        ((4, 2, 3, 2), 1, 1),
        ((5, 6, 5, 1), 1, 1),
        ((1, 2, 3), 1, 0),
    ],
)
def test_widths_that_grow_and_bulge(widths: tuple[int, ...], growth: int, bulge: int) -> None:
    assert chains.growth(widths) == growth
    assert chains.bulge(widths) == bulge


@pytest.mark.parametrize("widths", mixed.WIDTHS)
def test_a_bulge_of_three_widths_is_the_condition_on_two_layers(widths: tuple[int, int, int]) -> None:
    values = dict(zip(("N_in", "mid", "N_out"), map(Fraction, widths), strict=True))
    assert truth(NO_BULGE, values) == (chains.bulge(widths) == 0)


def test_experiments_stay_in_the_band_and_reach_its_ends() -> None:
    reached = 0
    for batch in chains.chains(np.random.default_rng(0)):
        for chain in batch:
            lo, hi = band(chain.eps)
            for W in chain.layers:
                values = np.linalg.svd(W, compute_uv=False)
                assert lo * (1 - 1e-12) <= values[-1] <= values[0] <= hi * (1 + 1e-12)
                reached += values[0] > hi * (1 - 1e-12) or values[-1] < lo * (1 + 1e-12)
    assert reached > 50


def test_other_matrices_lie_in_the_band() -> None:
    for batch in bounded.cases(np.random.default_rng(0)):
        for case in batch:
            lo, hi = band(case.eps)
            for B in (case.other, *case.twins):
                values = np.linalg.svd(B, compute_uv=False)
                assert lo * (1 - 1e-12) <= values[-1] <= values[0] <= hi * (1 + 1e-12)


@pytest.mark.parametrize("shape", operators.CIRCULAR_SHAPES + operators.PADDED_SHAPES, ids=str)
def test_dense_matrix_is_that_of_a_torch_layer(shape: shapes.Shape) -> None:
    kernel = np.random.default_rng(0).normal(size=(shape.N_out, shape.N_in, *shape.kernel))
    ours = shapes.dense(kernel, shape)
    assert ours.shape == (shape.N_out * np.prod(shape.positions), shape.N_in * np.prod(shape.image))
    assert np.abs(ours - shapes.dense_torch(kernel, shape)).max() <= 1e-13


def test_exact_operators_are_those_of_the_floats() -> None:
    for layer in (*exact_layers.circular_candidates(), *exact_layers.padded_candidates()):
        (lowered,) = exact_layers.lower(layer)
        exact = np.array(layer.matrix(), dtype=float)
        assert np.abs(exact - shapes.dense(lowered.kernel, lowered.shape)).max() <= 1e-14
        values = exact_layers.observe_exact(layer)
        squares = np.linalg.svd(exact, compute_uv=False) ** 2
        if values:
            assert float(values["op_max2"]) == pytest.approx(squares[0], abs=1e-12)
            assert float(values["op_min2"]) == pytest.approx(squares[-1], abs=1e-12)
