from __future__ import annotations

import importlib
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given
from hypothesis import strategies as st

from sim.correlation import equicorrelation, exponential_correlation
from sim.mean_field import kernels, relu_correlation, stationary_layer, stationary_moments
from tests.reference.correlated_init import naive_relu_moment
from theory.derivation import Derivation
from theory.derive.correlated_init import algorithm_1, arc_cosine, shrinkage, strength, wide_limit
from theory.derive.correlated_init.symbols import delta_sum, equicorrelated, t, u
from theory.evaluate import truth, value
from theory.symbols import p

MODULES = ("filter_sums", "algorithm_1", "strength", "sign_changes", "arc_cosine", "wide_limit", "shrinkage")
DERIVATIONS = {
    f"{module}.{name}": function
    for module in MODULES
    for name, function in vars(importlib.import_module(f"theory.derive.correlated_init.{module}")).items()
    if hasattr(function, "cache_info") and function.__module__.endswith(module)
}
ARGUED = {
    "algorithm_1.real_root",
    "algorithm_1.returned",
    "strength.scaled_off_diagonals",
    "sign_changes.extremes",
    "wide_limit.recursion",
    "wide_limit.waves",
    "wide_limit.growth_bounds",
    "shrinkage.signs",
    "shrinkage.any_inputs",
}
"""Derivations whose result no algebra decides; all others follow from their definitions by substitution."""


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_step_is_proven_and_results_follow_from_definitions(name: str) -> None:
    derivation = DERIVATIONS[name]()
    assert isinstance(derivation, Derivation)
    assert derivation.steps
    assert derivation.used
    assert not derivation.failing_steps()
    assert not derivation.ungrounded()
    assert bool(derivation.definitions) is (name not in ARGUED)


@given(st.floats(-1, 1), st.floats(0.1, 4), st.floats(0.1, 4))
@example(-1.0, 1.0, 2.0)
@example(1.0, 1.0, 1.0)
def test_the_kernel_is_the_integral(c: float, first: float, second: float) -> None:
    found = value(arc_cosine.KERNEL.rhs, {"c": c, "variance": first, "variance_2": second}, exact=False)
    assert float(found) == pytest.approx(naive_relu_moment(first, second, c * np.sqrt(first * second)), abs=1e-9)
    assert float(found) == pytest.approx(np.sqrt(first * second) / 2 * float(relu_correlation(c)), abs=1e-12)


@given(st.integers(2, 6), st.floats(0, 1), st.floats(0.01, 20))
def test_the_correlation_of_shrunk_weights(n: int, place: float, mu: float) -> None:
    """The closed form against the matrices, and its sign and limit, for r over all of its range."""
    lowest = -1.0 / (n - 1)
    r = lowest * 0.95 + place * (0.95 - lowest * 0.95)
    H = equicorrelation(n, r)
    A = np.linalg.solve(H + mu * np.eye(n), H)
    cov = A @ A.T
    at = {"p": n, "r": r, "mu": mu}
    found = float(value(shrinkage.CLOSED.rhs, at, exact=False))
    limit = float(value(shrinkage.LIMIT_VALUE, at, exact=False))
    assert found == pytest.approx(cov[0, 1] / cov[0, 0], abs=1e-10)
    assert limit == pytest.approx((H @ H)[0, 1] / (H @ H)[0, 0], abs=1e-10)
    assert abs(found) <= abs(limit) + 1e-12
    assert np.sign(np.round(found, 12)) in (0, np.sign(r))
    more = float(value(shrinkage.CLOSED.rhs, {**at, "mu": 1.5 * mu}, exact=False))
    assert abs(more) >= abs(found) - 1e-12


def test_l2_makes_inputs_that_are_not_correlated_count() -> None:
    """A chain of three inputs, ends uncorrelated: their weights become negatively correlated."""
    from sympy import Matrix, Rational, eye

    H, mu = Matrix([[2, 1, 0], [1, 2, 1], [0, 1, 2]]) / 2, sp.Symbol("mu", positive=True)
    A = (H + mu * eye(3)).inv() * H
    ends = sp.factor((A * A.T)[0, 2])
    assert ends.subs(mu, 1) == Rational(-5, 392)
    assert sp.limit(ends / mu, mu, 0) < 0
    # H^2 wins in the end
    assert sp.limit(ends * mu**2, mu, sp.oo) > 0


@pytest.mark.parametrize("padding", ["circular", "zero"])
def test_the_recursion_of_theory_is_that_of_the_simulator(padding: str) -> None:
    images = np.random.default_rng(6).normal(size=(2, 2, 3, 3))
    R = exponential_correlation(3, 0.6)
    slow = wide_limit.limit_kernels(images, R, 0.2, depth=3, padding=padding)
    for fast, expected in zip(kernels(images, R, 0.2, depth=3, padding=padding), slow, strict=True):
        assert np.abs(fast.reshape(expected.shape) - expected).max() <= 1e-11
    untied = wide_limit.limit_kernels(images, R, 0.2, depth=2, padding=padding, correlated=False)[-1]
    alone = wide_limit.limit_kernels(images, np.eye(9), 0.2, depth=2, padding=padding)[-1]
    assert np.abs(untied - alone).max() <= 1e-12
    assert np.abs(untied - slow[1]).max() > 0.01


def test_growth_bounds_need_weights_without_negative_correlations() -> None:
    R = np.kron(np.array([[1.0, -0.9], [-0.9, 1.0]]), np.array([[1.0, 0.5], [0.5, 1.0]]))
    q = np.where(np.arange(8)[:, None] % 2, -1.0, 1.0) * np.ones((8, 8)) * 0.9
    q[0, 0] = 1.0
    K = stationary_layer(q, R, 1.0)
    growth = stationary_layer(stationary_moments(K), R, 1.0)[0, 0] / K[0, 0]
    assert growth > R.sum() / 2


def test_exponents_of_two_scales_meet_where_inputs_are_even() -> None:
    """Both sizes keep second moments on their own inputs: 1'R1 for even ones, k^2 for white ones."""
    total = float(equicorrelation(9, 0.3).sum())
    at = {"p": 9, "rho_w": 0.3}
    assert float(value(wide_limit.CRITICAL.rhs, {**at, "between": 1.0}, exact=False)) == pytest.approx(2 / total)
    assert float(value(wide_limit.CRITICAL.rhs, {**at, "between": -1.0}, exact=False)) == pytest.approx(2 / 9)


@given(st.fractions(-1, 1), st.fractions(-2, 2))
@example(Fraction(1), Fraction(-2))
def test_two_pixels_decide_exactly(r: sp.Rational, alpha: sp.Rational) -> None:
    at = {"p": 2, "alpha": alpha, "least": 1 - abs(r), "most": 1 + abs(r), "valid": abs(alpha * r) <= 1}
    assert truth(strength.EXACTLY, at)
    for result in strength.scaled_off_diagonals().result:
        assert truth(result, {**at, "least_scaled": 1 - abs(alpha * r)})


def test_sums_with_deltas() -> None:
    a, b = sp.symbols("a b")
    total = delta_sum(equicorrelated(a, b))
    assert sp.expand(total - (p * a + p * (p - 1) * b)) == 0
    three = sum(equicorrelated(a, b).subs({t: m, u: n}) for m in range(3) for n in range(3))
    assert sp.expand(total.subs(p, 3) - three) == 0


@pytest.mark.parametrize("weights", [1, 2, 3, 4])
def test_the_sum_of_line_4_is_as_often_positive_as_negative(weights: int) -> None:
    """Weights of either sign, equally likely: all sums are counted."""
    sums = [sum(signs) for signs in product((-1, 1), repeat=weights)]
    share = {
        "share_real": Fraction(sum(s > 0 for s in sums), len(sums)),
        "share_zero": Fraction(sums.count(0), len(sums)),
    }
    assert all(truth(part, share) for part in algorithm_1.real_root().result)
