"""Length against direction and perfectly correlated starts, against exact descent of the ReLU rule."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim.exact import exact_active, exact_descend, exact_grid, exact_loss, exact_targets
from tests.strategies.single_filter import fractions_in, stable_rates
from theory.derivation import Derivation
from theory.derive.single_filter import alignment as derive
from theory.derive.single_filter.initialisation import weight
from theory.evaluate import truth, value

DERIVATIONS = (
    derive.length_against_direction,
    derive.length_against_direction_in_loss,
    derive.relu_leads,
    derive.perfectly_correlated_start,
    derive.relu_floor,
    derive.active_starts,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@st.composite
def widths(draw: st.DrawFn, min_p: int = 1, max_p: int = 4) -> list[Fraction]:
    p = draw(st.integers(min_p, max_p))
    return [
        draw(fractions_in(0, 1).filter(lambda v: v < 1)),
        *draw(st.lists(fractions_in(0, 1), min_size=p - 1, max_size=p - 1)),
    ]


@settings(max_examples=60)
@given(widths(min_p=2), fractions_in(1, 2), fractions_in(-1, 1).filter(bool), st.integers(0, 3), st.data())
def test_length_against_direction(
    d: list[Fraction], w0_star: Fraction, part: Fraction, k: int, data: st.DataObject
) -> None:
    lam = data.draw(stable_rates(d[0]))
    # |delta| d_i < 1 - d_0 keeps every sample active
    delta, p = part * Fraction(9, 10) * (1 - d[0]), len(d)
    samples = exact_grid(d)
    targets = exact_targets(samples, [w0_star, *[Fraction(0)] * (p - 1)])
    distance, loss = [], []
    for j in range(p):
        start = [w0_star * (1 + (delta if j == 0 else 0)), *(w0_star * delta * (n == j) for n in range(1, p))]
        run = exact_descend(samples, targets, start, lam, k)
        assert all(exact_active(x, w) for w in run for x in samples)
        distance.append(abs(run[-1][0] - w0_star) + sum(map(abs, run[-1][1:]), Fraction(0)))
        loss.append(exact_loss(samples, targets, run[-1]))
    for i in range(1, p):
        at = {"p": p, "d": d, "lam": lam, "steps": k, "i": i}
        seen = {"distance_length": distance[0], "distance_direction": distance}
        closer = truth(derive.LENGTH_NEARER, {**at, **seen})
        # exactly if, but for equal curvatures and no update at all
        assert closer is (truth(derive.SLOW_ENOUGH, at) or k == 0 or d[0] ** 2 + 1 == d[i] ** 2)
        seen = {"loss_length": loss[0], "loss_direction": loss}
        heavier = [value(weight(n), {**at, "p": p}, exact=True) for n in (0, i)]
        assert truth(derive.LENGTH_LOWER, {**at, **seen}) is (heavier[0] <= heavier[1])


@settings(max_examples=80)
@given(widths(), fractions_in(-4, 6), st.data())
@example([Fraction(0), Fraction(1, 2)], Fraction(-1), None)
@example([Fraction(0)], Fraction(0), None)
@example([Fraction(1, 2), Fraction(1)], Fraction(6), None)
def test_a_perfectly_correlated_start_contracts_or_dies(d: list[Fraction], first: Fraction, data: Any) -> None:
    lam = Fraction(7, 8) / (1 + d[0] ** 2) if data is None else data.draw(stable_rates(d[0]))
    samples, p, k = exact_grid(d), len(d), 5
    targets = exact_targets(samples, [Fraction(1), *[Fraction(0)] * (p - 1)])
    run = exact_descend(samples, targets, [first, *[Fraction(0)] * (p - 1)], lam, k)
    at = {"p": p, "d": d, "lam": lam, "steps": k, "w0_star": Fraction(1), "w_first": first}
    distance = abs(run[-1][0] - 1)
    assert not any(run[-1][1:])
    if truth(derive.POSITIVE, at):
        assert truth(derive.REACHES, {**at, "distance": distance})
    else:
        assert run[-1] == run[1]
        assert run[1][0] <= 0
