"""Expectations over the grid for symbolic p, against the sum over all 2^p samples written out."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from theory.algebra import vanishes
from theory.symbols import a, coordinate, d, gap, grid_expectation, i, m, over, p, w, w0_star

RESIDUAL = gap * coordinate(0) - over(w[m] * coordinate(m))


def written_out(expression: sp.Expr, size: int, index: int, held: dict[int, int] | None = None) -> sp.Expr:
    """The mean over the grid by listing it: p = size, i = index, every sum expanded."""
    concrete = expression.subs({p: size, i: index}).doit()
    terms = []
    for signs in product((-1, 1), repeat=size):
        if all(signs[k] == s for k, s in (held or {}).items()):
            terms.append(concrete.subs({a[k]: s * d[k] for k, s in enumerate(signs)}))
    return sp.Add(*terms) / len(terms)


EXPRESSIONS = {
    "Eq. (7) summand": RESIDUAL * coordinate(0),
    "Eq. (9) summand": RESIDUAL * coordinate(i),
    "loss": RESIDUAL**2,
    "product of sums": over(w[m] * a[m]) * over(a[m]),
    "constant": w0_star + d[0],
    "index-free sum": over(w[m] ** 2) * coordinate(0),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
@pytest.mark.parametrize("size", [2, 3, 4])
def test_grid_expectation_equals_the_listed_mean(name: str, size: int) -> None:
    expression = EXPRESSIONS[name]
    general = grid_expectation(expression).subs({p: size, i: size - 1}).doit()
    assert sp.expand(general - written_out(expression, size, size - 1)) == 0


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("name", ["Eq. (7) summand", "Eq. (9) summand"])
def test_half_grid_expectation_equals_the_listed_mean(name: str, sign: int) -> None:
    expression, size, index = EXPRESSIONS[name], 3, 2
    general = grid_expectation(expression, {i: sign}).subs({p: size, i: index}).doit()
    assert sp.expand(general - written_out(expression, size, index, {index: sign})) == 0


@given(st.integers(2, 4), st.integers(1, 3))
def test_squared_deviation_has_mean_d_squared(size: int, index: int) -> None:
    index = min(index, size - 1)
    assert grid_expectation(a[index] ** 2) == d[index] ** 2
    assert grid_expectation(a[index]) == 0


def test_a_wrong_moment_is_told_apart() -> None:
    assert not vanishes(grid_expectation(a[i] ** 2) - d[i])
    assert not vanishes(grid_expectation(RESIDUAL * coordinate(i)) - w[i] * d[i] ** 2)


def test_higher_degrees_and_two_held_indices_are_refused() -> None:
    with pytest.raises(ValueError, match="at most quadratic"):
        grid_expectation(a[i] ** 3)
    with pytest.raises(ValueError, match="at most one index, got 2"):
        grid_expectation(a[i], {i: 1, sp.Integer(0): 1})
    with pytest.raises(ValueError, match="index must be 0 or known to be positive"):
        coordinate(sp.Symbol("k"))
