from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from sim.diagnosis import (
    Diagnosis,
    FilterCorrelation,
    LayerDiagnosis,
    NormDiagnosis,
    Spectrum,
    _names,
    findings,
    with_error,
)

GOOD = Spectrum(count=8, smallest=0.96, largest=1.04, in_band=1.0, change=0.0)
BAD = Spectrum(count=8, smallest=0.02, largest=5.0, in_band=0.25, change=0.6)
EVEN = NormDiagnosis("bn", 8, 0.9, 1.1, True, 0.0)


def correlation(neighbours: float, error: float | None, *, layer: str = "b", mean: float = 0.0) -> FilterCorrelation:
    errors = None if error is None else np.full((4, 4), error)
    by_distance = np.array([neighbours, 0.0])
    return FilterCorrelation(
        2, (layer,), 32, np.eye(4), np.array([1.0, 2**0.5]), by_distance, mean,
        errors, None if error is None else np.full(2, error), error,
    )  # fmt: skip


def layer(name: str, kernel: Spectrum | None = GOOD, own: FilterCorrelation | None = None) -> LayerDiagnosis:
    return LayerDiagnosis(name, (8, 4, 2, 2), 1, own, kernel, None, {})


def diagnosis(
    own: FilterCorrelation | None, *layers: LayerDiagnosis, norms: tuple[NormDiagnosis, ...] = (EVEN,)
) -> Diagnosis:
    pooled = {} if own is None else {own.k: own}
    return Diagnosis(0.05, 0.2, (8, 8), "a", layers or (layer("a"), layer("b", own=own)), norms, pooled, {})


def test_correlation_counts_from_four_standard_errors() -> None:
    for neighbours, mean, words in (
        (0.39, 0.39, "not correlated beyond chance"),
        (0.4, 0.4, "not correlated beyond chance"),
        (0.41, 0.0, "positively correlated"),
        (-0.41, 0.0, "negatively correlated"),
        (0.1, -0.41, "negatively correlated"),
    ):
        sentence = findings(diagnosis(correlation(neighbours, 0.1, mean=mean)))[0]
        assert sentence.startswith(f"Filters: {words}")
        assert f"neighbouring pixels {neighbours:.3f} +- 0.100, all pairs {mean:.3f} +- 0.100" in sentence
        assert "32 filters of 2 x 2 in 1 layer, without 'a'; filters taken as independent" in sentence


def test_the_strongest_layers_are_named_first() -> None:
    layers = [
        layer(name, own=correlation(r, 0.1, layer=name))
        for name, r in zip("abcdefg", (0.5, -0.9, 0.3, 0.6, 0.7, 0.8, 0.55), strict=True)
    ]
    found = findings(diagnosis(correlation(0.5, 0.01, layer="a"), *layers))
    assert found[1] == "Neighbouring pixels are most correlated in 'b', 'f', 'e', 'd' and 2 more."
    assert "without" not in found[0]


def test_what_cannot_be_told_is_said() -> None:
    assert "too few to tell whether they are correlated" in findings(diagnosis(correlation(0.9, None)))[0]
    assert findings(diagnosis(None))[0] == "Filters: none of more than one pixel, so nothing to correlate."
    unknown = findings(diagnosis(None, layer("a", None), norms=()))
    assert unknown[1:] == (
        "SVB: no kernel is small enough to decompose here.",
        "BBN: there are no BN layers with running variances.",
    )


def test_bounding_is_weighed_by_what_it_would_change() -> None:
    nothing, little, much = (
        findings(diagnosis(None, layer("a"), layer("b", kernel)))[1]
        for kernel in (GOOD, replace(GOOD, change=0.1), BAD)
    )
    assert nothing.startswith("SVB with eps = 0.05 would change nothing: 2 layers in the band; singular values go from")
    assert "would change little: 1 of 2 layers, none by more than 10%" in little
    assert "would change 1 of 2 layers by more than 10%: 'b'; singular values go from 0.02 to 5 in 'b'" in much


def test_batch_norm_is_weighed_alike() -> None:
    uneven = NormDiagnosis("uneven", 4, 0.1, 2.0, False, 0.5)
    dead = NormDiagnosis("dead\x1b", 4, 0.0, 2.0, False, 0.4)
    assert "BBN with eps = 0.2 would change nothing: 1 BN layer in the band" in findings(diagnosis(None))[-1]
    assert "of up to 20 in 'uneven', where the band allows 1.44." in findings(diagnosis(None, norms=(EVEN, uneven)))[-1]
    found = findings(diagnosis(None, norms=(EVEN, uneven, dead)))[-1]
    assert "2 of 3 BN layers" in found
    assert "'uneven', 'dead" in found
    assert "some scales are 0 in 'dead" in found
    assert "\x1b" not in found


def test_conditions_of_layers_with_zeros() -> None:
    assert BAD.condition == pytest.approx(250)
    assert Spectrum(1, 0.0, 1.0, 0.0, 0.5).condition == math.inf
    assert NormDiagnosis("bn", 2, 0.0, 0.0, True, 0.0).condition == 1.0
    assert NormDiagnosis("bn", 2, 0.0, 1.0, False, 0.5).condition == math.inf


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.1234, None, "0.123"),
        (0.1234, 0.0, "0.123 +- 0.000"),
        (0.1234, 0.5, "0.123 +- 0.500"),
        (-0.0004, 0.012, "0.000 +- 0.012"),
        (-0.0004, 0.0012, "-0.0004 +- 0.0012"),
        (0.1234567, 0.00012, "0.12346 +- 0.00012"),
        (0.1234567, 1e-12, "0.123457 +- 0.000000"),
    ],
)
def test_numbers_are_shown_to_two_digits_of_their_error(value: float, error: float | None, text: str) -> None:
    assert with_error(value, error) == text


def test_most_filters_stand_for_the_network() -> None:
    small, large = correlation(0.1, 0.1), replace(correlation(0.2, 0.1), k=3, filters=33)
    assert replace(diagnosis(None), pooled={2: small, 3: large}).main is large
    assert diagnosis(None).main is None


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (1, "'a'"), (4, "'a', 'b', 'c', 'd'"), (5, "'a', 'b', 'c', 'd' and 1 more")]
)
def test_four_layers_are_named_and_the_others_counted(count: int, said: str) -> None:
    assert _names(list("abcdefg"[:count])) == said
