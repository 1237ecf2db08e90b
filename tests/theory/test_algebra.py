"""What algebra takes for zero: what is, and none of the near misses."""

from __future__ import annotations

import pytest
import sympy as sp

import theory.algebra
from theory.algebra import _far_from_zero, _numerator, multiple, vanishes

x, y, z = sp.symbols("x y z", real=True)
a, b = sp.symbols("a b", positive=True)
i, k, n = sp.symbols("i k n", integer=True)
w, d = sp.IndexedBase("w"), sp.IndexedBase("d")

VANISHES = [
    (x + y) ** 2 - x**2 - 2 * x * y - y**2,
    sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1,
    w[i] * (1 + d[i]) - w[i] - w[i] * d[i],
    sp.Sum(i, (i, 1, 4)) - 10,
    sp.sqrt(a**2) - a,
    sp.Sum(w[i], (i, 0, n)) - sp.Sum(w[k], (k, 0, n)),
    sp.Product(1 + w[i], (i, 1, n)) - sp.Product(w[k] + 1, (k, 1, n)),
    (1 - 2 * x) ** k - (-1) ** k * (2 * x - 1) ** k,
    (1 - 2 * x) ** (2 * k) - (2 * x - 1) ** (2 * k),
    1 / (sp.sqrt(1 + (x - y) ** 2) - x + y) - sp.sqrt(x**2 - 2 * x * y + y**2 + 1) - x + y,
    (1 + (x - y) ** 2) ** sp.Rational(3, 2) - sp.sqrt(x**2 - 2 * x * y + y**2 + 1) * (1 + (x - y) ** 2),
]
DOES_NOT_VANISH = [
    (x + y) ** 2 - x**2 - y**2,
    sp.sin(x) ** 2 - sp.cos(x) ** 2 - 1,
    w[i] - w[0],
    sp.sqrt(x**2) - x,
    sp.Rational(1, 10**30) * x,
    x - y,
    sp.Sum(w[i], (i, 0, n)) - sp.Sum(w[k], (k, 1, n)),
    sp.Sum(w[i], (i, 0, n)) - sp.Sum(w[i], (k, 0, n)),
    sp.Product(1 + w[i], (i, 1, n)) - sp.Product(w[k] - 1, (k, 1, n)),
    (1 - 2 * x) ** k - (2 * x - 1) ** k,
    (1 - 2 * x) ** (2 * k) + (2 * x - 1) ** (2 * k),
    (x - 1) ** y - (-1) ** y * (1 - x) ** y,
    1 / (sp.sqrt(1 + (x - y) ** 2) - x + y) - sp.sqrt(x**2 - 2 * x * y + y**2 + 1) + x - y,
    (1 + (x - y) ** 2) ** sp.Rational(3, 2) - sp.sqrt(x**2 - 2 * x * y + y**2 + 1),
]


@pytest.mark.parametrize("expression", VANISHES, ids=str)
def test_vanishing_expressions_are_recognised(expression):
    assert vanishes(sp.sympify(expression))


def test_sums_of_what_has_no_value_are_equal_only_if_they_run_alike():
    f = sp.Function("f")
    whole, shorter = (sp.Sum(f(i), (i, first, n)) for first in (0, 1))
    assert vanishes(whole - sp.Sum(f(k), (k, 0, n)))
    assert not vanishes(shorter - sp.Sum(f(k), (k, 0, n)))


@pytest.mark.parametrize("expression", DOES_NOT_VANISH, ids=str)
def test_near_misses_do_not_vanish(expression):
    assert not vanishes(sp.sympify(expression))


@pytest.mark.parametrize("expression", [*DOES_NOT_VANISH, x**2 - 2 * x, 1 / x + x, a**y - a * y, 2**k - 2 * k], ids=str)
def test_what_is_not_zero_has_no_numerator_that_is(expression):
    """Algebra alone must not take it for zero, whatever the points say."""
    assert _numerator(sp.sympify(expression)) != 0


@pytest.mark.parametrize("expression", VANISHES[-3:], ids=str)
def test_what_is_zero_over_one_denominator_has_none(expression):
    assert _numerator(expression) == 0


def test_what_a_point_disproves_is_not_simplified(monkeypatch):
    tried: list[sp.Basic] = []
    monkeypatch.setattr(sp, "simplify", tried.append)
    vanishes.cache_clear()
    assert not any(map(vanishes, (sp.sin(z) ** 2 - x, x - y, w[i] - w[0])))
    assert not vanishes(x * y - (x + sp.Rational(1, 10**20)) * y), "exactly, where floats see nothing"
    assert tried == []
    assert not vanishes(sp.sin(z) ** 2 + sp.cos(z) ** 2 - 1)
    assert len(tried) == 1
    vanishes.cache_clear()


TRANSCENDENTAL = [sp.acos(a) - sp.asin(a) + 1, sp.pi * a - 3 * a, sp.sqrt(1 - a**2) + a * sp.acos(a) - 1]


@pytest.mark.parametrize("expression", TRANSCENDENTAL, ids=str)
def test_a_point_without_an_exact_value_is_decided_far_from_rounding(expression):
    assert not vanishes(expression)
    assert vanishes(sp.expand(expression * (a + b)) - expression * (a + b))


def test_a_difference_near_rounding_is_left_to_algebra():
    one = sp.sin(a) ** 2 + sp.cos(a) ** 2
    assert not _far_from_zero(one - 1 + sp.Rational(1, 10**12), {"a": 0.5})
    assert _far_from_zero(one - 1 + sp.Rational(1, 10**3), {"a": 0.5})
    assert not _far_from_zero(sp.sin(a), {"a": 0.0}), "nothing is no share of nothing"
    assert vanishes(one - 1)
    assert not vanishes(one - 1 + sp.Rational(1, 10**12))


def test_a_point_outside_the_domain_decides_nothing():
    assert not _far_from_zero(sp.acos(a) + 1, {"a": 2.0})


def test_two_expressions_are_taken_formultiples_only_if_they_are_at_two_points() -> None:
    assert multiple(6 * (x + y), -4 * x - 4 * y) == sp.Rational(-3, 2)
    # where a second integer is zero, another point tells
    assert all(multiple(i / 2 - k**power / 2, i - k**power) == sp.Rational(1, 2) for power in range(1, 9))
    # where no point has a value, a term that both have does
    beyond = sp.log(-1 - x**2) + sp.acos(2 + x**2)
    assert multiple(beyond / 3 - y / 3, 2 * beyond - 2 * y) == sp.Rational(1, 6)
    assert multiple(beyond, y) == 1
    assert multiple(sp.gamma(x + y) / 2, sp.gamma(x + y)) == sp.Rational(1, 2)
    # points tell where no term is in both, and equal traces have the same value there
    trace = sp.Trace(sp.MatrixSymbol("A", n, n))
    for inner in (x**2 + y**2, x**2 + trace**2):
        assert multiple(sp.sqrt(4 * inner + 4), sp.sqrt(inner + 1)) == 2
    # at any one point, one number is a multiple of another
    for first, second in ((x, y), (x**2, x), (w[0] / (1 + a), d[0]), (x, x - x * y)):
        assert multiple(first, second) == 1


@pytest.mark.parametrize("error", [AttributeError, StopIteration, RecursionError])
def test_what_sympy_stumbles_over_is_not_shown(monkeypatch, error):
    def stumble(expression):
        raise error

    # the simplification alone could show that it vanishes
    expression = sp.sin(z) ** 2 + sp.cos(z) ** 2 - 1
    vanishes.cache_clear()
    assert vanishes(expression)
    vanishes.cache_clear()
    monkeypatch.setattr(sp, "simplify", stumble)
    assert not vanishes(expression)
    vanishes.cache_clear()


def test_what_is_too_large_to_simplify_is_not_shown(monkeypatch):
    expression = sp.sin(z) ** 2 + sp.cos(z) ** 2 - 1
    vanishes.cache_clear()
    monkeypatch.setattr(theory.algebra, "MOST_OPERATIONS", 3)
    assert not vanishes(expression)
    vanishes.cache_clear()
