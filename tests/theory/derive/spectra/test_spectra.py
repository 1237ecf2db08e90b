"""Derivations on bounded spectra: every step proven, and their formulas at numbers worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from sim.conv_spectrum import circular_singular_values
from sim.svb import band
from tests.reference.spectra import naive_bound
from tests.strategies.spectra import Prescribed, matrices, prescribed
from theory.derivation import Derivation
from theory.derive.spectra import backward, bounding, mixing, operators, random_kernels
from theory.evaluate import value

DERIVATIONS = [
    member
    for module in (backward, bounding, mixing, operators, random_kernels)
    for member in vars(module).values()
    if hasattr(member, "cache_info") and member.__module__ == module.__name__
]


def test_derivations_are_found_in_every_module() -> None:
    assert {member.__module__.rsplit(".", 1)[-1] for member in DERIVATIONS} == {
        "backward",
        "bounding",
        "mixing",
        "operators",
        "random_kernels",
    }


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().steps
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@given(matrices(smallest=1e-2, max_side=5), matrices(max_side=5), st.floats(0.05, 1.0))
def test_margin_holds_for_any_other_matrix_of_the_band(case: Prescribed, other: Prescribed, eps: float) -> None:
    A = case.matrix
    lo, _ = band(eps)
    P, B = naive_bound(A, eps), np.zeros_like(A)
    rows, columns = (min(a, b) for a, b in zip(A.shape, other.matrix.shape, strict=True))
    B[:rows, :columns] = other.matrix[:rows, :columns]
    B = naive_bound(B, eps)
    factor = min(1.0, case.values[-1] / lo)
    gap = np.square(A - B).sum() - np.square(A - P).sum() - factor * np.square(P - B).sum()
    assert gap >= -1e-11


@given(st.floats(0.01, 0.99), st.floats(0.05, 1.0))
def test_margin_is_reached_by_a_number_and_its_mirror_image(share: float, eps: float) -> None:
    lo, _ = band(eps)
    s = share * lo
    assert (s + lo) ** 2 - (s - lo) ** 2 == pytest.approx(share * (2 * lo) ** 2)


@pytest.mark.parametrize(("outputs", "inputs", "taps"), [(1, 1, 2), (1, 1, 9), (2, 2, 4), (3, 1, 4), (2, 4, 3)])
def test_fourth_moment_of_real_waves_is_that_of_a_corner_of_an_orthogonal_matrix(
    outputs: int, inputs: int, taps: int
) -> None:
    # independent route: the mean of tr (B B^T)^2 for the corner B (outputs, inputs) of a Haar matrix, by sampling
    rng, size = np.random.default_rng(0), inputs * taps
    corners = np.array([np.linalg.qr(rng.normal(size=(size, outputs)))[0][:inputs].T for _ in range(4000)])
    gram = corners @ corners.transpose(0, 2, 1)
    traces = np.square(gram).sum(axis=(1, 2)) * taps**2 / outputs
    predicted = value(random_kernels.REAL_WAVES.rhs, {"N_out": outputs, "N_in": inputs, "taps": taps}, exact=False)
    assert abs(traces.mean() - predicted) <= 5 * traces.std() / np.sqrt(len(traces))


def test_fourth_moment_of_two_taps_is_exact() -> None:
    # |K(f)|^2 = 1 + sin(2x) cos f: mean square 1 + 1/4 over x and f
    found = value(random_kernels.FOURTH.rhs, {"N_out": 1, "N_in": 1, "taps": 2}, exact=True)
    assert found == Fraction(5, 4)
    angles = np.linspace(0, np.pi, 400, endpoint=False)
    spectra = [circular_singular_values(np.array([[[[np.cos(x), np.sin(x)]]]]), (1, 5)) for x in angles]
    assert np.mean(np.array(spectra) ** 4) == pytest.approx(1.25, rel=1e-12)


def test_bounds_are_sharp() -> None:
    constant = np.full((1, 1, 3, 3), 1 / 3)
    values = circular_singular_values(constant, (6, 6))
    assert values[0] == pytest.approx(3.0)
    assert values[-1] == pytest.approx(0.0, abs=1e-15)
    tall = prescribed(np.random.default_rng(0), 9, 9, [1.0] * 9).matrix.reshape(9, 1, 3, 3)
    assert circular_singular_values(tall, (4, 5)) == pytest.approx(np.full(20, 3.0))


def test_condition_tail_is_that_of_the_tangent() -> None:
    t = sp.Symbol("t", positive=True)
    law = random_kernels.TAIL.rhs.subs(random_kernels.level, t)
    assert sp.simplify(law.subs(t, 1)) == 1
    # P(max(|tan|, |cot|) > t) for a uniform angle
    angles = (np.arange(200_000) + 0.5) / 200_000 * np.pi
    ratio = np.maximum(np.abs(np.tan(angles)), 1 / np.abs(np.tan(angles)))
    for level in (1.5, 3.0, 10.0):
        assert (ratio > level).mean() == pytest.approx(float(law.subs(t, level)), abs=1e-4)
