from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from figures.diagnosis import FLOOR, draw
from figures.style import encode
from sim.diagnosis import Diagnosis, FilterCorrelation, LayerDiagnosis, NormDiagnosis, Spectrum


def correlation(r: float) -> FilterCorrelation:
    means = np.array([r, r / 2])
    return FilterCorrelation(
        2, ("b",), 9, np.eye(4), np.array([1.0, 2**0.5]), means, r, np.zeros((4, 4)), np.full(2, 0.01), 0.01
    )


def diagnosis() -> Diagnosis:
    wide, narrow = Spectrum(4, 0.0, 8.0, 0.0, 0.5), Spectrum(4, 0.5, 2.0, 0.5, 0.1)
    layers = [
        LayerDiagnosis("a", (4, 3, 2, 2), 1, correlation(0.8), narrow, wide, {}),
        LayerDiagnosis("b", (4, 4, 2, 2), 1, correlation(0.4), narrow, None, {}),
        LayerDiagnosis("c", (4, 4), 1, None, narrow, None, {}),
    ]
    norms = (NormDiagnosis("n", 4, 0.5, 2.0, False, 0.5), NormDiagnosis("o", 4, 0.0, 2.0, False, 0.5))
    return Diagnosis(0.05, 0.2, (8, 8), "a", tuple(layers), norms, {2: correlation(0.4)}, {})


def test_what_is_drawn_is_what_was_found() -> None:
    filters, spectra, norms = draw(diagnosis()).axes
    drawn = [line.get_ydata() for line in filters.lines]
    assert any(np.array_equal(y, [0.8, 0.4]) for y in drawn)
    assert sum(np.array_equal(y, [0.4, 0.2]) for y in drawn) == 2
    bars = {(round(float(x), 2), tuple(y)) for c in spectra.collections for (x, *_), y in _segments(c)}
    assert bars == {(0.85, (0.5, 2.0)), (1.85, (0.5, 2.0)), (2.85, (0.5, 2.0)), (1.15, (8 * FLOOR, 8.0))}
    finite, infinite, bound = norms.lines
    assert np.array_equal(finite.get_xydata(), [[1, 4.0]])
    assert np.array_equal(infinite.get_xydata(), [[2, 40.0]])
    assert bound.get_ydata()[0] == pytest.approx(1.44)  # type: ignore[index]


def _segments(collection: object) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(s[:, 0], s[:, 1]) for s in collection.get_segments()]  # type: ignore[attr-defined]


def test_networks_that_lack_something_are_drawn_too() -> None:
    bare = replace(diagnosis(), layers=diagnosis().layers[2:], norms=(), pooled={})
    filters, _, norms = draw(bare).axes
    assert [text.get_text() for text in filters.texts] == ["no filters of more than one pixel"]
    assert [text.get_text() for text in norms.texts] == ["no BN layers with running variances"]


def test_the_same_diagnosis_gives_the_same_bytes() -> None:
    first, again = (encode(draw(diagnosis()), "svg", "t", {}, 0) for _ in range(2))
    assert first == again
