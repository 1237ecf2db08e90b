"""The laws of asymmetric, noisy and inactive samples against exact enumeration and against the simulators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sim.exact import (
    exact_grid,
    exact_step,
    exact_targets,
)
from sim.half_space import sample_active_sums
from sim.samples import SampleSet, asymmetric_grid
from tests.sim.rounding import rounding
from tests.strategies.single_filter import fractions_in, sample_sets
from theory.derivation import Derivation
from theory.derive.single_filter import loosened, loosened_active, loosened_targets
from theory.evaluate import residual, surely, truth, value

Vector = tuple[Fraction, ...]
DERIVATIONS = (
    loosened.residual_terms,
    loosened.faster_or_slower,
    loosened.first_update,
    loosened.slowest_mode,
    loosened.spread_of_rates,
    loosened.small_if_weakly_correlated,
    loosened.small_for_two_weights,
    loosened_targets.added_gradient,
    loosened_targets.same_rates,
    loosened_targets.variance_of_limit,
    loosened_targets.small_for_wide_grids,
    loosened_active.active_only,
    loosened_active.at_most_proportional,
    loosened_active.proportional,
    loosened_active.fewer_is_slower,
)
GROUNDED = (
    loosened.residual_terms,
    loosened.faster_or_slower,
    loosened_targets.added_gradient,
    loosened_targets.variance_of_limit,
    loosened_active.active_only,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []
    assert derivation().used


@pytest.mark.parametrize("derivation", GROUNDED, ids=lambda f: f.__name__)
def test_formulas_follow_from_definitions(derivation: Callable[[], Derivation]) -> None:
    """And would not, were the right-hand side any other."""
    proof = derivation()
    (part, *_) = sp.And.make_args(proof.result[0])
    wrong = Derivation((sp.Eq(part.lhs, 2 * part.rhs + 1),), proof.used, proof.steps, proof.definitions)
    assert proof.definitions
    assert wrong.ungrounded()


def dot(x: Sequence[Any], y: Sequence[Any]) -> Fraction:
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def minus(x: Sequence[Fraction], y: Sequence[Fraction]) -> Vector:
    return tuple(a - b for a, b in zip(x, y, strict=True))


def moved(samples: Sequence[Vector], mean: Sequence[Fraction]) -> list[Vector]:
    """Samples around e0, moved to lie around `mean`."""
    return [(x[0] - 1 + mean[0], *(a + b for a, b in zip(x[1:], mean[1:], strict=True))) for x in samples]


@st.composite
def asymmetric(draw: st.DrawFn, min_p: int = 1, max_p: int = 4, *, centred_first: bool = False) -> dict[str, Any]:
    """Exact grids about any centre, w* along e0, with a filter that is active on them and on the centred grid."""
    p = draw(st.integers(min_p, max_p))
    d = draw(st.lists(fractions_in(0, 1), min_size=p, max_size=p))
    mean = draw(st.lists(fractions_in(-1, 1), min_size=p, max_size=p))
    margin, spare = (draw(fractions_in(0, 1).filter(bool)) for _ in range(2))
    if centred_first:
        d[0], mean[0] = d[0] * Fraction(3, 4), Fraction(1)
    else:
        mean[0] = d[0] + margin
    w = draw(st.lists(fractions_in(-1, 1), min_size=p, max_size=p))
    reach = sum((abs(a) * (abs(b) + c) for a, b, c in zip(w[1:], mean[1:], d[1:], strict=True)), Fraction(0))
    w[0] = (reach + spare) / (mean[0] - d[0])
    w0_star = draw(fractions_in(0, 2).filter(bool))
    w_star = (w0_star, *(Fraction(0),) * (p - 1))
    lam = draw(st.sampled_from((Fraction(1, 2), Fraction(1, 8), Fraction(1, 3))))
    return {"p": p, "d": tuple(d), "mean": tuple(mean), "w": tuple(w), "w_star": w_star, "w0_star": w0_star, "lam": lam}


@settings(max_examples=40)
@given(asymmetric(), st.data())
def test_residual_terms_are_exact(grid: dict[str, Any], data: st.DataObject) -> None:
    w_star = data.draw(st.lists(fractions_in(-1, 1), min_size=grid["p"], max_size=grid["p"]))
    samples = moved(exact_grid(grid["d"]), grid["mean"])
    after = exact_step(samples, exact_targets(samples, w_star), grid["w"], grid["lam"])
    for k in range(grid["p"]):
        assert after[k] == value(loosened.RESIDUAL_TERMS.rhs, {**grid, "w_star": w_star, "j": k}, exact=True)


@settings(max_examples=40)
@given(asymmetric(max_p=8))
def test_simulated_residual_terms(grid: dict[str, Any]) -> None:
    d, mean, w = (np.array(grid[name], dtype=float) for name in ("d", "mean", "w"))
    shift = mean - np.eye(grid["p"])[0]
    samples = asymmetric_grid(d - shift, d + shift, np.array(grid["w_star"], dtype=float))
    sums = sample_active_sums(samples.X, samples.y, w)
    after = w - float(grid["lam"]) * sums.gradient[0]
    scale = (1 + np.abs(w).sum() + float(grid["w0_star"])) * (2 + np.abs(mean).sum()) ** 2
    for k in range(grid["p"]):
        expected = float(value(loosened.RESIDUAL_TERMS.rhs, {**grid, "j": k}, exact=True))
        assert after[k] == pytest.approx(expected, abs=rounding(2 ** grid["p"] * grid["p"], scale), rel=0)
    assert sums.count[0] == len(samples)


@settings(max_examples=40)
@given(asymmetric(min_p=2, centred_first=True))
def test_a_shift_and_its_mirror_image_change_the_update_of_w0_by_opposite_amounts(grid: dict[str, Any]) -> None:
    centred = exact_grid(grid["d"])
    steps = []
    for sign in (1, -1, 0):
        samples = moved(centred, (Fraction(1), *(sign * m for m in grid["mean"][1:])))
        steps.append(exact_step(samples, exact_targets(samples, grid["w_star"]), grid["w"], grid["lam"])[0])
    gap = grid["w0_star"] - grid["w"][0]
    gain = value(loosened.GAIN, grid, exact=True)
    assert ((steps[0] - steps[2]) * gap, (steps[1] - steps[2]) * gap) == (gain, -gain)


@settings(max_examples=40)
@given(asymmetric(min_p=1, centred_first=True), st.booleans())
def test_decrease_of_the_distance(grid: dict[str, Any], shifted: bool) -> None:
    centred = exact_grid(grid["d"])
    samples = moved(centred, grid["mean"]) if shifted else centred
    after = exact_step(samples, exact_targets(samples, grid["w_star"]), grid["w"], grid["lam"])
    before, then = (minus(grid["w_star"], w) for w in (grid["w"], after))
    decrease = value(loosened.decrease(shifted=shifted), grid, exact=True)
    assert dot(before, before) - dot(then, then) == 4 * grid["lam"] * decrease


@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_slowest_rate_rises_exactly_if_d0_exceeds_d1(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, shift = rng.uniform(0.1, 1.0, p), rng.normal(size=p)
    d[1] = 0.8 * d[1:].min()
    assume(abs(d[0] - d[1]) > 0.02)
    assume(abs(shift[1]) > 0.05)
    shift[0] = rng.uniform(-0.5, 0.5)
    rates = [np.linalg.eigvalsh(asymmetric_grid(d - s * shift, d + s * shift).second_moment)[0] for s in (1.0, 0.0)]
    event = {"p": p, "d": d[:, None], "rate_up": rates[0] > rates[1], "rate_down": rates[0] < rates[1]}
    assert np.all(surely(loosened.TRICHOTOMY, event, 1e-9))


@given(fractions_in(0, 1), fractions_in(-1, 1).filter(bool))
def test_slowest_rate_stays_if_d0_equals_d1(width: Fraction, shift: Fraction) -> None:
    """H - d_1^2 is singular, and not indefinite."""
    a, b, c = 1 + width**2, shift, width**2 + shift**2
    assert (a - width**2) * (c - width**2) == b**2
    assert c - width**2 > 0


@settings(max_examples=40)
@given(sample_sets(min_n=2))
def test_rates_spread_around_the_second_moments(samples: SampleSet) -> None:
    H = samples.second_moment
    rates = np.linalg.eigvalsh(H)
    values = {"p": samples.p, "H": H, "slowest": rates[0], "fastest": rates[-1], "trace": rates.sum()}
    for k in range(samples.p):
        slack = rounding(8 * samples.p**2, float(np.trace(H)))
        assert np.all(residual(loosened.SPREAD, {**values, "j": k}, slack) <= slack)


@given(st.integers(2, 8), st.floats(0.0, 1.0), st.integers(0, 2**32 - 1))
@example(8, 1.0, 0)
@example(2, 1.0, 0)
def test_weak_correlations_take_at_most_half(p: int, evenly: float, seed: int) -> None:
    """Correlations of the size that the condition allows, from random to even ones, which cost most."""
    rng = np.random.default_rng(seed)
    off = evenly * np.ones((p, p)) + (1.0 - evenly) * rng.normal(size=(p, p))
    off = -(off + off.T)
    np.fill_diagonal(off, 0.0)
    norm = np.linalg.norm(off)
    assume(norm > 0.01)
    squares = 1.0 + (1.0 - evenly) * rng.uniform(0.0, 1.0, p)
    for size, weak in ((0.49, True), (0.51, False), (2.0, False)):
        H = np.diag(squares) + size * squares.min() / norm * off
        values = {"p": p, "H": H, "narrowest": squares.min()}
        assert bool(surely(loosened.WEAK, values, 1e-9)) is weak
        if weak:
            assert np.linalg.eigvalsh(H)[0] >= squares.min() / 2


entries = fractions_in(0, 2)


@given(entries, entries, fractions_in(-2, 2))
@example(Fraction(1), Fraction(1), Fraction(1))
@example(Fraction(1), Fraction(1), Fraction(1, 2))
@example(Fraction(9, 8), Fraction(1), Fraction(1, 2))
def test_the_condition_for_two_weights_is_exact(h_0: Fraction, h_1: Fraction, m: Fraction) -> None:
    """slowest >= h_1/2 is H - h_1/2 positive semidefinite, which minors decide."""
    assume(h_0 >= h_1)
    assume(m**2 <= h_0 * h_1)
    semidefinite = h_0 - h_1 / 2 >= 0 and h_1 / 2 >= 0 and (h_0 - h_1 / 2) * h_1 / 2 >= m**2
    assert truth(loosened.WEAK_PAIR, {"p": 2, "H": ((h_0, m), (m, h_1))}) is semidefinite
