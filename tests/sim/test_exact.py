from __future__ import annotations

from fractions import Fraction as F
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from sim.exact import (
    exact_active,
    exact_descend,
    exact_gradient,
    exact_grid,
    exact_loss,
    exact_sample_gradient,
    exact_step,
    exact_targets,
    exact_trajectory,
)
from sim.grid import grid_samples
from sim.instance import FilterInstance
from tests.strategies.single_filter import exact_instances

X, Y = [(F(1), F(1)), (F(1), F(-1))], [F(3), F(1)]


def vector(*entries: int | F) -> tuple[F, ...]:
    return tuple(F(entry) for entry in entries)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(exact_instances(dyadic=True))
def test_grid_lists_samples_in_the_order_of_the_float_grid(instance: FilterInstance) -> None:
    assert [[float(v) for v in row] for row in exact_grid(instance.d)] == grid_samples(instance.d).tolist()


def test_a_case_worked_by_hand() -> None:
    w = (F(1), F(1, 2))  # pre-activations 3/2 and 1/2, residuals 3/2 and 1/2
    assert exact_targets(X, (2, 1)) == Y
    assert exact_sample_gradient(X[0], Y[0], w) == vector(-3, -3)
    assert exact_sample_gradient(X[1], Y[1], w) == vector(-1, 1)
    assert exact_gradient(X, Y, w) == vector(-2, -1)
    assert exact_loss(X, Y, w) == F(5, 4)
    assert exact_step(X, Y, w, F(1, 4)) == (F(3, 2), F(3, 4))


def test_a_tie_is_inactive_and_decided_exactly() -> None:
    third = F(1, 3)
    assert not exact_active((1, third), (third, -1))
    assert exact_active((1, third), (third + F(1, 10**30), -1))
    assert exact_gradient([(1, third)], [F(1)], (third, -1)) == vector(0, 0)
    assert exact_loss([(1, third)], [F(2)], (third, -1)) == 4


def test_orders_and_momentum_worked_by_hand() -> None:
    half = F(1, 2)
    # one weight, samples 1 and 2 with target 0: single gradients 2 w and 8 w, mean 5 w
    assert exact_descend([(1,), (2,)], [0, 0], [1], F(1, 20), 2) == [(1,), (F(3, 4),), (F(9, 16),)]
    weights, gradients = exact_trajectory([(1,), (2,)], [0, 0], [1], F(1, 16), 3, order="cyclic")
    assert gradients == [(2,), (7,), (F(7, 8),)]
    assert weights == [(1,), (F(7, 8),), (F(7, 16),), (F(49, 128),)]
    # v = 2, then 1 + 3/2
    heavy = exact_descend([(1,)], [0], [1], F(1, 8), 2, momentum=half)
    assert heavy == [(1,), (F(3, 4),), (F(3, 4) - F(5, 2) / 8,)]


def test_steps_chain() -> None:
    run = exact_descend(X, Y, (1, F(1, 2)), F(1, 7), 3)
    assert len(run) == 4
    for before, after in pairwise(run):
        assert exact_step(X, Y, before, F(1, 7)) == after


BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda: exact_grid([0.5]), TypeError, r"^d must hold int or Fraction for exact arithmetic, got d\[0\] = 0.5$"),
    (lambda: exact_grid([F(3, 2)]), ValueError, r"^d must lie in \[0, 1\], got d\[0\] = 3/2$"),
    (lambda: exact_grid([]), ValueError, r"^d must have at least one entry, got none$"),
    (lambda: exact_active((1, 2), (1,)), ValueError, r"same length, got 1 and 2$"),
    (lambda: exact_active((1,), (True,)), TypeError, r"^w must hold int or Fraction .* got w\[0\] = True$"),
    (lambda: exact_gradient([], [], (1,)), ValueError, r"^samples and targets must be equally many, .* got 0 and 0$"),
    (lambda: exact_loss(X, [1], (1, 1)), ValueError, r"got 2 and 1$"),
    (lambda: exact_step(X, Y, (1, 1), 0), ValueError, r"^learning_rate must be positive, got 0$"),
    (lambda: exact_step(X, Y, (1, 1), 0.1), TypeError, r"got learning_rate\[0\] = 0.1$"),
    (lambda: exact_descend(X, Y, (1, 1), 1, 1, "random"), ValueError, r"one of full, cyclic, got 'random'$"),
    (lambda: exact_descend(X, Y, (1, 1), 1, -1), ValueError, r"^steps must be at least 0, got -1$"),
    (lambda: exact_descend(X, Y, (1, 1), 1, 1, momentum=1), ValueError, r"^momentum must lie in \[0, 1\), got 1$"),
]


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_arguments(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
