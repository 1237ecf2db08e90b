"""Hypothesis strategies: scales gamma/std of layers, with known properties, and bands."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from tests.strategies.single_filter import fractions_in

BANDS = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2)])


def signed_scales(max_size: int = 6) -> st.SearchStrategy[list[Fraction]]:
    """Scales of any sign, zeros and equal ones among them, whose mean is not 0."""
    return st.lists(fractions_in(-4, 4), min_size=1, max_size=max_size).filter(lambda x: sum(x) != 0)


@st.composite
def positive_scales(draw: st.DrawFn, max_size: int = 6) -> list[Fraction]:
    """Positive scales, some far larger than the others."""
    x = draw(st.lists(fractions_in(1, 4), min_size=1, max_size=max_size))
    return [v * draw(st.sampled_from([1, 1, 20])) for v in x]


@st.composite
def scales_in_own_band(draw: st.DrawFn, band: Fraction, max_size: int = 6) -> list[Fraction]:
    """Scales well within the band around their own mean: 1, and pairs 1 + t and 1 - t with t < band/(1 + band)."""
    widest = band / (1 + band) * Fraction(9, 10)
    shares = draw(st.lists(fractions_in(0, 1), min_size=0, max_size=max_size // 2))
    pairs = [v for share in shares for v in (1 + share * widest, 1 - share * widest)]
    return draw(st.permutations([Fraction(1), *pairs]))
