"""Theorem 1's derived formulas against exact enumeration and against the simulator."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp
from hypothesis import example, given, settings

from sim.exact import exact_descend, exact_grid, exact_sample_gradient, exact_step, exact_targets
from sim.instance import FilterInstance
from sim.problem import GridProblem
from tests.strategies.single_filter import all_active_instances, exact_instances
from theory.derivation import Derivation
from theory.derive.single_filter import theorem_1 as derive
from theory.evaluate import value

DERIVATIONS = (
    derive.per_sample_gradient,
    derive.sum_over_grid_0,
    derive.split_over_half_grids,
    derive.sum_over_grid_i,
    derive.seven_in_one,
    derive.theorem_1,
    derive.proportional_to_gap,
    derive.quadratic_in_d,
    derive.contraction_order,
)


@cache
def symbols_of(instance: FilterInstance) -> dict[str, object]:
    return {
        "p": instance.p,
        "d": instance.d,
        "w": instance.w,
        "lam": instance.learning_rate,
        "w0_star": instance.w_star[0],
        "size": Fraction(2**instance.p),
    }


def predicted(statement: sp.Eq, instance: FilterInstance, index: int) -> Fraction:
    return Fraction(value(statement.rhs, {**symbols_of(instance), "i": index}, exact=True))


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@given(all_active_instances(max_p=6))
def test_theorem_1_is_exact_while_all_samples_are_active(instance: FilterInstance) -> None:
    samples = exact_grid(instance.d)
    after = exact_step(samples, exact_targets(samples, instance.w_star), instance.w, instance.learning_rate)
    assert after[0] == predicted(derive.TRUE_E3, instance, 0)
    for index in range(1, instance.p):
        assert after[index] == predicted(derive.TRUE_E4, instance, index)


@given(all_active_instances(min_p=2, max_p=5))
@example(FilterInstance((Fraction(0), Fraction(1)), (Fraction(1), Fraction(1, 2)), Fraction(1, 2)))
def test_printed_eq_4_is_exact_only_where_it_happens_to_agree(instance: FilterInstance) -> None:
    samples = exact_grid(instance.d)
    after = exact_step(samples, exact_targets(samples, instance.w_star), instance.w, instance.learning_rate)
    for index in range(1, instance.p):
        w, d, gap = instance.w[index], instance.d[index], 1 - instance.w[0]
        agrees = d == 0 or w == 0 or 2 * gap + d * w == d
        assert (after[index] == predicted(derive.PRINTED_E4, instance, index)) is agrees


@given(exact_instances(min_p=2, max_p=3))
def test_halves_of_the_grid(instance: FilterInstance) -> None:
    """Eq. (8) with the ReLU left out: the summand of every sample, active or not, as the derivation assumes."""
    plain = FilterInstance(instance.d, instance.w, instance.learning_rate)
    samples, signs = exact_grid(plain.d), exact_grid([Fraction(1)] * plain.p)
    index = plain.p - 1
    for statement, side in ((derive.TRUE_E8_PLUS, 1), (derive.TRUE_E8_MINUS, -1)):
        total = Fraction(0)
        for sample, sign in zip(samples, signs, strict=True):
            if sign[index] == side:
                residual = sample[0] - sum(u * x for u, x in zip(plain.w, sample, strict=True))
                total += Fraction(2 * residual * sample[index])
        assert total == predicted(statement, plain, index)


@given(exact_instances(max_p=4))
def test_gradient_of_one_active_sample(instance: FilterInstance) -> None:
    plain = FilterInstance(instance.d, instance.w, instance.learning_rate)
    for sample in exact_grid(plain.d):
        if sum(u * x for u, x in zip(plain.w, sample, strict=True)) > 0:
            gradient = exact_sample_gradient(sample, sample[0], plain.w)
            for part in derive.TRUE_E5.args:
                for index in range(1, plain.p):
                    values = {**symbols_of(plain), "X": sample, "i": index}
                    coordinate = int(value(part.lhs.indices[0], values, exact=True))
                    assert -gradient[coordinate] == value(part.rhs, values, exact=True)


@settings(max_examples=30)
@given(all_active_instances(min_p=2, max_p=8))
def test_simulated_update_agrees(instance: FilterInstance) -> None:
    real = instance.as_float()
    sums = GridProblem(np.array(real.d)).active_sums(np.array([real.w]))
    after = np.array(real.w) - real.learning_rate * sums.gradient[0]
    scale = 1.0 + sum(abs(float(v)) for v in real.w)
    tolerance = 64 * np.finfo(float).eps * real.p * scale
    for index in range(1, instance.p):
        assert abs(after[index] - float(predicted(derive.TRUE_E4, instance, index))) <= tolerance


def test_printed_eq_4_runs_away_where_the_truth_converges() -> None:
    d, lam = Fraction(1), Fraction(1, 4)
    w = Fraction(-1)
    for _ in range(6):
        values = {"p": 2, "d": (Fraction(0), d), "w": (Fraction(1), w), "lam": lam, "w0_star": Fraction(1), "i": 1}
        w = Fraction(value(derive.PRINTED_E4.rhs, values, exact=True))
    samples = exact_grid((0, Fraction(1, 2)))
    truth = exact_descend(samples, exact_targets(samples, (1, 0)), (1, -1), lam, 6)[-1]
    assert w < -100
    assert -1 < truth[1] < 0
