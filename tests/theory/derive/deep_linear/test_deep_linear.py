"""Derivations on deep linear networks: every step proven, closed forms against differential equations and fractions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from math import prod

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st

from sim.linear_modes import flow_modes
from tests.strategies.single_filter import fractions_in
from theory.derivation import Derivation
from theory.derive.deep_linear import depth, flows, gradients, modes, updates
from theory.evaluate import truth, value

DERIVATIONS = (
    gradients.two_layer_gradients,
    gradients.layer_gradient,
    gradients.aligned_two_layer_gradients,
    gradients.aligned_gradient,
    gradients.alignment_kept,
    modes.scalar_gradients,
    modes.energy_minimum,
    modes.loss_of_modes,
    modes.layer_scalar_gradient,
    depth.needed,
    depth.needed_in_the_limit,
    depth.missed,
    depth.family,
    flows.two_layer_flow,
    flows.balanced_flow,
    flows.two_layer_limit,
    flows.product_rate,
    flows.elapsed_times,
    flows.deep_times,
    flows.conserved_matrices,
    flows.conserved_along_flow,
    updates.error_update,
    updates.squares_update,
    updates.stability,
    updates.departure,
    updates.saddles,
    updates.scaling,
    updates.all_learned,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@pytest.mark.parametrize("derivation", [d for d in DERIVATIONS if d().definitions], ids=lambda f: f.__name__)
def test_a_result_with_a_slipped_sign_is_not_grounded(derivation: Callable[[], Derivation]) -> None:
    derived = derivation()
    first = derived.result[0]
    while isinstance(first, sp.And):
        first = first.args[0]
    slipped = replace(derived, result=(first.func(first.lhs, -first.rhs, evaluate=False),))
    assert slipped.ungrounded()


@pytest.mark.parametrize(
    ("derivation", "printed"),
    [
        (gradients.two_layer_gradients, gradients.PRINTED_E2[0]),
        (gradients.two_layer_gradients, gradients.PRINTED_E2[1]),
        (gradients.aligned_two_layer_gradients, gradients.PRINTED_E4[0]),
        (gradients.aligned_two_layer_gradients, gradients.PRINTED_E4[1]),
        (gradients.layer_gradient, gradients.PRINTED_E7),
        (gradients.aligned_gradient, gradients.PRINTED_E8),
        (modes.scalar_gradients, modes.PRINTED_E5[0]),
        (modes.layer_scalar_gradient, modes.PRINTED_E9),
        (depth.needed, depth.PRINTED_NEEDED),
        (depth.missed, depth.PRINTED_ALL_BELOW),
        (updates.saddles, updates.PRINTED_LOCAL_MINIMUM),
        (updates.all_learned, updates.PRINTED_PARTIAL),
        (updates.squares_update, updates.PRINTED_UNEVEN),
    ],
    ids=lambda v: getattr(v, "__name__", ""),
)
def test_what_is_printed_does_not_follow(derivation: Callable[[], Derivation], printed: sp.Basic) -> None:
    assert not derivation().entails(printed)


positive = fractions_in(0, 3).filter(bool)


@given(st.lists(positive, min_size=1, max_size=6), positive)
def test_strengths_bound_their_product(s: list[Fraction], sigma: Fraction) -> None:
    point = {"p": len(s), "s_max": max(s), "s_min": min(s), "delta": Fraction(1, 4)}
    for target in (prod(s), sigma):
        here = {**point, "reached": prod(s), "sigma": target}
        for statement in (depth.TRUE_NEEDED, depth.NEEDED_ABOVE, depth.NEEDED_BELOW, depth.NEEDED_IN_THE_LIMIT):
            assert truth(statement, here)
        for statement in (depth.MISSED_BELOW, depth.MISSED_ABOVE):
            assert truth(statement, here)
        for premise, statement in (
            (depth.GAP_BELOW, depth.PRINTED_ALL_BELOW),
            (depth.GAP_ABOVE, depth.PRINTED_ALL_ABOVE),
        ):
            assert truth(sp.Implies(premise, statement), here)


@given(st.lists(fractions_in(-2, 2), min_size=2, max_size=5), positive, fractions_in(0, 1).filter(bool))
def test_an_update_in_fractions_has_the_derived_identities(s: list[Fraction], sigma: Fraction, eta: Fraction) -> None:
    error = sigma - prod(s)
    after = [v + eta * error * prod(s[:k] + s[k + 1 :]) for k, v in enumerate(s)]
    point = {"p": len(s), "strength": s, "strength_next": after, "sigma": sigma, "eta": eta}
    for i in range(1, len(s)):
        others = [prod(v for k, v in enumerate(s) if k not in (0, i)) for i in range(len(s))]
        assert truth(updates.SQUARES_UPDATE, {**point, "others": others, "i": i})
    if len(s) == 2:
        pair = {"s": s[0], "t": s[1], "s_next": after[0], "t_next": after[1]}
        assert truth(updates.ERROR_UPDATE, {**point, **pair})


@given(st.floats(0.1, 1.5), st.floats(-1.4, 1.4), st.floats(0.2, 2.0), st.floats(0.05, 2.0))
def test_two_layers_end_where_the_closed_form_says(s: float, t: float, sigma: float, time: float) -> None:
    if abs(s + t) < 0.05 or abs(s - t) < 0.05:
        return
    given = {"s": s, "t": t, "sigma": sigma, "time": time}
    end = flow_modes([s, t], sigma, time).final
    plus = value(flows.riccati((modes.s + modes.t) ** 2, modes.sigma), given, exact=False)
    minus = value(flows.riccati((modes.s - modes.t) ** 2, -modes.sigma), given, exact=False)
    assert plus == pytest.approx((end[0] + end[1]) ** 2, abs=1e-8)
    assert minus == pytest.approx((end[0] - end[1]) ** 2, abs=1e-8)


def test_balanced_and_general_closed_forms_agree() -> None:
    for start, sigma, time in ((0.1, 2.0, 0.7), (1.3, 0.5, 2.0)):
        given = {"s": start, "t": start, "sigma": sigma, "time": time, "u_start": start**2, "u_end": 0.0}
        general = value(flows.riccati((modes.s + modes.t) ** 2, modes.sigma), given, exact=False) / 4
        assert general == pytest.approx(float(value(flows.BALANCED.rhs, given, exact=False)), rel=1e-13)


def test_times_of_many_layers_approach_the_limit() -> None:
    given = {"sigma": 1.3, "u_start": 0.1, "u_end": 1.0}
    limit = float(value(flows.DEEP_TIME, given, exact=False))
    u = np.linspace(0.1, 1.0, 200_001)
    gaps = []
    for layers in (4, 40, 400):
        integrand = u ** (2 / layers - 2) / (1.3 - u)
        gaps.append(limit - float(np.trapezoid(integrand, u)))
        if layers == 4:
            closed = 4 * float(value(flows.elapsed(4), given, exact=False))
            assert closed == pytest.approx(limit - gaps[0], rel=1e-6)
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[1] / gaps[2] == pytest.approx(10, rel=0.1)
