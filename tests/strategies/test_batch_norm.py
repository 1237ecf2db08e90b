"""The strategies for layers keep their promises."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tests.strategies.batch_norm import BANDS, positive_scales, scales_in_own_band, signed_scales


@given(signed_scales(), positive_scales())
def test_means_and_signs(signed: list[Fraction], positive: list[Fraction]) -> None:
    assert sum(signed) != 0
    assert all(v > 0 for v in positive)


@given(BANDS.flatmap(lambda band: st.tuples(st.just(band), scales_in_own_band(band))))
def test_scales_in_their_own_band(case: tuple[Fraction, list[Fraction]]) -> None:
    band, x = case
    mean = sum(x) / len(x)
    assert all(mean / (1 + band) < v < mean * (1 + band) for v in x)
