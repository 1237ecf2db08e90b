"""Probabilities of dead and of all-active starts: the integral against closed forms, both against draws."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from sim.activity import all_active, dead
from sim.exact import exact_active, exact_grid
from sim.instance import FilterInstance
from tests.strategies.single_filter import dead_instances, exact_instances
from theory.derivation import Derivation
from theory.derive.single_filter import dead_starts as derive
from theory.derive.single_filter.dead_starts import probability_all_active
from theory.evaluate import value

DERIVATIONS = (
    derive.mirrored,
    derive.two_weights,
    derive.three_weights,
    derive.any_weights,
    derive.aligned_dead,
    derive.edge_dead,
)
POSITIVE = st.floats(1e-3, 1e3)
WIDTH = st.floats(0.01, 1.0)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@given(st.floats(0.0, 0.99), POSITIVE)
def test_one_weight(d_0: float, s: float) -> None:
    assert probability_all_active(np.array([d_0]), np.array([s])) == pytest.approx(0.5, abs=1e-14)


@given(st.floats(0.0, 0.99), WIDTH, POSITIVE, POSITIVE)
def test_two_weights_are_an_angle(d_0: float, d_1: float, s_0: float, s_1: float) -> None:
    closed = np.arctan((1 - d_0) * s_0 / (d_1 * s_1)) / np.pi
    assert probability_all_active(np.array([d_0, d_1]), np.array([s_0, s_1])) == pytest.approx(closed, abs=1e-12)


@given(st.floats(0.0, 0.99), WIDTH, WIDTH, POSITIVE, POSITIVE, POSITIVE)
def test_three_weights_are_a_solid_angle(
    d_0: float, d_1: float, d_2: float, s_0: float, s_1: float, s_2: float
) -> None:
    A, B, D = (1 - d_0) * s_0, d_1 * s_1, d_2 * s_2
    found = probability_all_active(np.array([d_0, d_1, d_2]), np.array([s_0, s_1, s_2]))
    edges = 0.5 - (np.arctan(D / np.hypot(A, B)) + np.arctan(B / np.hypot(A, D))) / np.pi
    # the excess of a right spherical triangle, four of which make the cone
    triangle = 2 / np.pi * np.arctan(np.tan(np.arctan(A / B) / 2) * np.tan(np.arctan(A / D) / 2))
    assert found == pytest.approx(edges, abs=1e-12)
    assert found == pytest.approx(triangle, abs=1e-12)


@given(st.floats(0.0, 0.99), st.lists(st.tuples(WIDTH, POSITIVE), min_size=2, max_size=8), POSITIVE)
def test_symmetries_and_order(d_0: float, rest: list[tuple[float, float]], s_0: float) -> None:
    d, s = np.array([d_0, *(a for a, _ in rest)]), np.array([s_0, *(b for _, b in rest)])
    found = probability_all_active(d, s)
    turned = np.r_[0, len(d) - 1 : 0 : -1]
    assert probability_all_active(d[turned], s[turned]) == pytest.approx(found, abs=1e-12)
    assert probability_all_active(d, 7 * s) == pytest.approx(found, abs=1e-12)
    wider = np.where(np.arange(len(s)) == 0, 1.5 * s, s)
    assert found - 1e-12 <= probability_all_active(d, wider) <= 0.5 + 1e-12
    without = probability_all_active(d[:-1], s[:-1])
    assert without >= found - 1e-12
    assert probability_all_active(np.r_[d, 0.0], np.r_[s, 1.0]) == pytest.approx(found, abs=1e-12)


def test_limits() -> None:
    assert probability_all_active(np.array([1.0, 0.3]), np.ones(2)) == 0.0
    assert probability_all_active(np.array([0.4, 0.0, 0.0]), np.ones(3)) == pytest.approx(0.5, abs=1e-14)
    assert probability_all_active(np.array([0.4, 0.5]), np.array([0.0, 1.0])) == 0.0
    assert probability_all_active(np.zeros(2), np.zeros(2)) == 0.0
    batch = probability_all_active(np.full((3, 2), 0.5), np.ones(2))
    assert batch.shape == (3,)
    assert np.ptp(batch) == 0.0


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="same last axis, got shapes"):
        probability_all_active(np.zeros(2), np.ones(3))
    with pytest.raises(ValueError, match=r"d must lie in \[0, 1\], got"):
        probability_all_active(np.array([0.5, 1.5]), np.ones(2))
    with pytest.raises(ValueError, match="s must be finite and not negative, got"):
        probability_all_active(np.zeros(2), np.array([1.0, np.nan]))


@pytest.mark.parametrize("p", range(1, 9))
def test_independent_coordinates_drawn(p: int) -> None:
    rng, n = np.random.default_rng(p), 100_000
    d, s = rng.uniform(0.05, 0.5, p), rng.uniform(0.5, 1.5, p)
    s[0] *= 2
    starts = s * rng.standard_normal((n, p))
    expected = float(probability_all_active(d, s))
    room = 5 * np.sqrt(expected * (1 - expected) / n)
    assert abs(all_active(d, starts).mean() - expected) < room
    assert abs(dead(d, starts).mean() - expected) < room


@pytest.mark.parametrize("p", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_any_covariance_for_two_and_three_weights(p: int, seed: int) -> None:
    rng, n = np.random.default_rng([p, seed]), 100_000
    d, root = rng.uniform(0.1, 0.9, p), rng.normal(size=(p, p))
    C = root @ root.T
    pairs = (((1,), (-1,)),) if p == 2 else derive.EDGES
    # the symbolic correlation of the samples of a pair
    rho = [value(derive._cosine(*pair), {"d": d, "C": C}, exact=False) for pair in pairs]
    statement = derive.ANGLE_2 if p == 2 else derive.ANGLE_3
    expected = float(value(statement.rhs, {"rho": rho}, exact=False))
    found = all_active(d, rng.standard_normal((n, p)) @ root.T).mean()
    assert abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / n)


def test_angles_of_independent_coordinates_agree_with_the_integral() -> None:
    d, s = np.array([0.3, 0.6, 0.8]), np.array([1.4, 0.7, 0.9])
    for p, statement in ((2, derive.ANGLE_2), (3, derive.ANGLE_3)):
        pairs = (((1,), (-1,)),) if p == 2 else derive.EDGES
        rho = [value(derive._cosine(*pair), {"d": d, "C": np.diag(s**2)}, exact=False) for pair in pairs]
        assert value(statement.rhs, {"rho": rho}, exact=False) == pytest.approx(
            float(probability_all_active(d[:p], s[:p])), abs=1e-13
        )


def test_characteristic_function_of_the_half_normal() -> None:
    t, x = sp.Rational(3, 2), sp.Symbol("x", real=True)
    density = sp.sqrt(2 / sp.pi) * sp.exp(-(x**2) / 2)
    numeric = sp.Integral(density * sp.sin(t * x), (x, 0, sp.oo)).evalf(15)
    assert float(numeric) == pytest.approx(float((sp.exp(-(t**2) / 2) * sp.erfi(t / sp.sqrt(2))).evalf()), abs=1e-12)


@given(st.one_of(exact_instances(max_p=5), dead_instances(max_p=5)))
def test_mirror(instance: FilterInstance) -> None:
    samples, turned = exact_grid(instance.d), [-v for v in instance.w]
    tops = [sum((Fraction(a) * b for a, b in zip(instance.w, x, strict=True)), Fraction(0)) for x in samples]
    is_dead = not any(exact_active(x, instance.w) for x in samples)
    if max(tops) != 0:
        assert is_dead is all(exact_active(x, turned) for x in samples)


@pytest.mark.parametrize("p", range(2, 10))
def test_correlation_makes_dead_starts_more_likely(p: int) -> None:
    d = np.random.default_rng(p).uniform(0.05, 0.9, p)
    r = np.linspace(0.0, 1.0, 41)[:, None]
    along = np.concatenate([np.sqrt(1 + (p - 1) * r), np.repeat(np.sqrt(1 - r), p - 1, axis=1)], axis=1)
    rises = probability_all_active(d, along)
    assert np.all(np.diff(rises) > 0)
    assert rises[-1] == pytest.approx(0.5, abs=1e-12)
    across = along[:, np.r_[1, 0, 2:p]]
    assert np.all(np.diff(probability_all_active(d, across)) < 1e-12)
