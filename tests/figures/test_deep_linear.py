"""The numbers of the figures on deep linear networks."""

from __future__ import annotations

import numpy as np
import pytest

from figures import mode_learning, spectra_training


@pytest.fixture(scope="module")
def spectra() -> spectra_training.Data:
    return spectra_training.data()


def test_updates_follow_the_closed_form_to_first_order_in_the_learning_rate() -> None:
    shown = mode_learning.data()
    for start in range(2):
        for mode, target in enumerate(mode_learning.SIGMAS):
            line = np.interp(shown.seen_at, shown.times, shown.exact[start, :, mode])
            assert np.abs(line - shown.seen[start, :, mode]).max() < 5 * mode_learning.RATE * target**2
    for depth, (at, products) in shown.points.items():
        line = np.interp(at, shown.scaled_times[depth], shown.products)
        assert np.abs(line - products).max() < 1e-3


def test_strong_directions_are_learned_first() -> None:
    shown = mode_learning.data()
    half = np.array(mode_learning.SIGMAS) / 2
    when = [shown.times[(shown.exact[0, :, m] > half[m]).argmax()] for m in range(len(half))]
    assert np.all(np.diff(when) > 0)


def test_bounded_spectra_are_in_the_band_and_others_are_not(spectra: spectra_training.Data) -> None:
    low, high = 1 / (1 + spectra_training.EPS_BAND), 1 + spectra_training.EPS_BAND
    projected = spectra.bounded[spectra.updates % spectra_training.BAND_EVERY == 0][1:]
    assert projected.min() > low - 1e-12
    assert projected.max() < high + 1e-12
    assert spectra.plain[-1].min() < 0.1
    assert spectra.plain[-1].max() > 1.9


def test_bounding_learns_what_plain_training_has_not_learned(spectra: spectra_training.Data) -> None:
    assert spectra.bounded_loss[-1] < 1e-12
    assert spectra.plain_loss[-1] > 0.1
    assert np.all(np.diff(spectra.plain_loss) < 0)
