"""Closed-form trajectories, rates and limits against exact descent."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.descent import descend
from sim.exact import exact_descend, exact_grid, exact_targets
from sim.instance import FilterInstance
from sim.problem import GridProblem
from sim.samples import hadamard_design, symmetric_grid
from tests.strategies.single_filter import all_active_instances
from theory.derivation import Derivation
from theory.derive.single_filter import activity, convergence
from theory.derive.single_filter import trajectory as derive
from theory.evaluate import truth, value
from theory.symbols import w

DERIVATIONS = (
    derive.trajectory,
    derive.step_count,
    derive.stable_rates,
    derive.best_rate,
    derive.any_update,
    derive.any_trajectory,
    derive.rotation,
    derive.same_moments,
    convergence.span,
    convergence.direction,
    convergence.one_sample,
    convergence.one_sample_limit,
    convergence.contraction,
    convergence.midpoint_convexity,
    convergence.projected_limit,
    convergence.minimum_norm,
    convergence.zero_start,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@given(all_active_instances(max_p=5), st.integers(0, 5))
def test_closed_form_trajectory_is_exact_in_the_invariant_region(instance: FilterInstance, updates: int) -> None:
    values = {
        "p": instance.p,
        "d": instance.d,
        "w": instance.w,
        "lam": instance.learning_rate,
        "w0_star": instance.w_star[0],
        "steps": Fraction(updates),
    }
    if not truth(activity.stable_region(w), values):
        return
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    end = exact_descend(samples, targets, instance.w, instance.learning_rate, updates)[-1]
    for index in range(1, instance.p):
        assert truth(derive.TRAJECTORY, {**values, "w_end": end, "i": index})


@settings(max_examples=40)
@given(
    st.integers(2, 6).flatmap(lambda p: st.lists(st.floats(0.35, 1.0), min_size=p - 1, max_size=p - 1)),
    st.floats(0.0, 0.6),
    st.floats(0.05, 0.9),
    st.floats(1e-6, 1e-2),
)
def test_step_count_is_met_and_not_before(rest: list[float], first: float, share: float, tol: float) -> None:
    d, p = np.array([first, *rest]), len(rest) + 1
    start = np.full(p, 0.5 * (1 - first) / p)
    start[0] = 1.0
    rate = share / (1 + first**2)
    run = descend(GridProblem(d), start[None], learning_rate=rate, steps=1500, record_loss=False)
    path = np.abs(run.weights[:, 0, 1])
    values = {"p": p, "d": d, "w": start, "lam": rate, "tol": tol, "i": 1}
    predicted = float(value(derive.STEP_COUNT, values, exact=False))
    if np.isfinite(predicted) and 0 < predicted < 1499:
        met = int(np.argmax(path <= tol))
        assert met - 1 < predicted + 1e-9
        assert met >= predicted - 1e-9


@given(st.integers(1, 8).flatmap(lambda p: st.lists(st.floats(0.0, 1.0), min_size=p, max_size=p)))
def test_hadamard_designs_have_the_moments_of_the_grid_with_few_samples(d: list[float]) -> None:
    design, grid = hadamard_design(np.array(d)), symmetric_grid(np.array(d))
    tolerance = 16 * np.finfo(float).eps * len(grid)
    assert np.abs(design.second_moment - grid.second_moment).max() <= tolerance
    assert len(design) <= 2 * (len(d) + 1)


def test_best_rate_beats_its_neighbours() -> None:
    d, h_min = (0.3, 0.5, 0.8), 0.25
    values = {"p": 3, "d": d, "h_min": h_min}
    best = float(value(derive.BEST_RATE, values, exact=False))
    moments = np.array([1.09, 0.25, 0.64])

    def worst(rate: float) -> float:
        return float(np.abs(1 - 2 * rate * moments).max())

    assert worst(best) == pytest.approx(float(value(derive.BEST_FACTOR, values, exact=False)), rel=1e-14)
    kappa = float(value(derive.CONDITION_NUMBER, values, exact=False))
    assert worst(best) == pytest.approx((kappa - 1) / (kappa + 1), rel=1e-14)
    assert worst(0.99 * best) > worst(best) < worst(1.01 * best)


@given(all_active_instances(max_p=4))
def test_largest_stable_rate_is_that_of_the_simulator(instance: FilterInstance) -> None:
    derived = Fraction(value(derive.LARGEST_STABLE, {"d": instance.d}, exact=True))
    simulated = GridProblem(np.array(instance.as_float().d)).largest_stable_learning_rate()[0]
    assert simulated == pytest.approx(float(derived), rel=4 * np.finfo(float).eps)
