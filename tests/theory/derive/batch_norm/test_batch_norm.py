"""The derivations on batch normalisation: proven step by step, and their bounds sharp in exact numbers."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.batch_norm import naive_pass
from tests.strategies.batch_norm import BANDS, positive_scales, signed_scales
from theory.derivation import Derivation
from theory.derive.batch_norm import affine, bounded, lemma_1, rescaling
from theory.evaluate import truth, value

DERIVATIONS = (
    affine.inference,
    affine.inference_with_bias,
    affine.affine_response,
    lemma_1.tall,
    lemma_1.fat,
    lemma_1.interlaced,
    lemma_1.general,
    lemma_1.each,
    bounded.old_mean,
    bounded.own_mean,
    bounded.idempotent,
    bounded.signs,
    bounded.settles,
    bounded.condition_number,
    bounded.before_relu,
    rescaling.singular_values,
    rescaling.directions,
    rescaling.whole_network,
    rescaling.balanced,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().steps
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@pytest.mark.parametrize(
    "derivation", [affine.inference, affine.inference_with_bias, rescaling.singular_values, rescaling.whole_network]
)
def test_these_rest_on_definitions(derivation: Callable[[], Derivation]) -> None:
    assert derivation().definitions


def after(x: list[Fraction], band: Fraction) -> dict[str, Any]:
    once = naive_pass(x, band)
    return {
        "p": len(x),
        "band": band,
        "x": x,
        "mean": sum(x) / len(x),
        "once": once,
        "once_mean": sum(once) / len(x),
        "once_least": min(once),
        "once_greatest": max(once),
        "twice": naive_pass(once, band),
    }


@given(signed_scales(), BANDS)
def test_what_a_pass_guarantees_in_exact_numbers(x: list[Fraction], band: Fraction) -> None:
    values = after(x, band)
    for j in range(len(x)):
        at = {**values, "j": j}
        assert truth(bounded.OLD_MEAN, at)
        if sum(x) > 0:
            assert truth(bounded.OWN_MEAN, at)
            assert not truth(bounded.INSIDE, at) or truth(bounded.SAME, at)
        if truth(bounded.AGREES, at):
            assert truth(bounded.SIGN_KEPT, at)


@given(st.integers(2, 6), BANDS)
def test_the_band_around_the_new_mean_is_reached_at_both_ends(p: int, band: Fraction) -> None:
    ratio = 1 + band
    least, greatest = p / (1 + (p - 1) * ratio**2), p * ratio**2 / (p - 1 + ratio**2)
    far_up = after([Fraction(100 * p), *[Fraction(1)] * (p - 1)], Fraction(1, 10) * band)
    assert far_up["once"][0] / far_up["once_mean"] == p * (1 + band / 10) ** 2 / (p - 1 + (1 + band / 10) ** 2)
    far_down = after([p - (p - 1) * p * ratio, *[p * ratio] * (p - 1)], band)
    assert far_down["once"][0] / far_down["once_mean"] == least
    for values, outwards in ((far_up, Fraction(1, 99)), (far_down, Fraction(-1, 99))):
        first, *others = values["once"]
        assert truth(bounded.OWN_MEAN, {**values, "j": 0})
        assert not truth(bounded.OWN_MEAN, {**values, "j": 0, "once": [first + outwards, *others]})
    assert least < 1 / ratio
    # above, it takes more than two neurons to leave the band
    assert (greatest > ratio) == (p - 1 > ratio)


def test_two_neurons_suffice_and_one_does_not() -> None:
    values = after([Fraction(1), Fraction(3)], Fraction(1, 2))
    assert values["once"] == [Fraction(4, 3), Fraction(3)]
    assert not truth(bounded.OWN_MEAN_PRINTED, {**values, "j": 0})
    assert values["twice"] == [Fraction(13, 9), Fraction(3)]
    assert truth(bounded.OWN_MEAN_PRINTED, {**after([Fraction(7)], Fraction(1, 2)), "j": 0})


def test_with_the_mean_renewed_for_each_neuron_their_order_matters() -> None:
    results = []
    for order in ((0, 1), (1, 0)):
        x = [Fraction(1), Fraction(4)]
        for k in order:
            x[k] = naive_pass(x, Fraction(1, 2))[k]
        results.append(x)
    assert results == [[Fraction(5, 3), Fraction(4)], [Fraction(19, 12), Fraction(15, 4)]]


@given(positive_scales(), BANDS)
def test_at_most_one_end_is_clipped_after_the_first_pass(x: list[Fraction], band: Fraction) -> None:
    values = after(x, band)
    ratio, mean = 1 + band, values["once_mean"]
    assert values["once_greatest"] <= ratio**2 * values["once_least"]
    assert not (values["once_greatest"] > mean * ratio and values["once_least"] < mean / ratio)


def test_the_bound_on_the_condition_number_is_reached() -> None:
    # a large scale on a strong row, small ones on weak rows
    once = naive_pass([Fraction(100), *[Fraction(1)] * 15], Fraction(1))
    assert once[0] == 4 * once[1]
    values = {"band": Fraction(1), "eps": Fraction(1, 2), "greatest": once[0] * 3 / 2, "least": once[1] * 2 / 3}
    assert truth(bounded.CONDITION, values)
    assert not truth(bounded.CONDITION, {**values, "greatest": values["greatest"] * Fraction(1001, 1000)})


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 4))
def test_interlacing_is_reached_by_picking_rows(seed: int, columns: int, excess: int) -> None:
    rng = np.random.default_rng(seed)
    g = rng.normal(size=columns + excess)
    picked = np.sort(rng.permutation(columns + excess)[:columns])
    s = np.sort(np.linalg.svd((g[:, None] * np.eye(columns + excess))[:, picked], compute_uv=False))
    values = {"power": s**2, "g_sorted": np.sort(np.abs(g)), "excess": excess}
    for j in range(columns):
        low, high = lemma_1.INTERLACED.args
        gaps = [value(part.lhs - part.rhs, {**values, "j": j}, exact=False) for part in (low, high)]
        assert sorted(np.sign(np.round(gaps, 12)).tolist()) in ([-1, 0], [0, 0], [0, 1], [-1, 1])
    assert s == pytest.approx(np.sort(np.abs(g[picked])), rel=1e-12)
