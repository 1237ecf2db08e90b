"""Conv2d stacks against the NumPy ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

pytest.importorskip("torch")

from sim.cnn.relu_stack import conv_layer, layer_responses, window_responses
from sim.layer_variance import responses
from tests.strategies.layer_variance import convolutions


@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_layers_agree_with_numpy(case) -> None:
    x, filters, border = case
    for found, expected in zip(layer_responses(x, filters, border), responses(x, filters, border), strict=True):
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 1e-12 * (1.0 + np.abs(expected).max())


def test_windows_meet_every_filter() -> None:
    rng = np.random.default_rng(0)
    filters, windows = rng.normal(size=(5, 4)), rng.normal(size=(3, 4))
    assert window_responses(filters, windows) == pytest.approx(windows @ filters.T, abs=1e-14)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="border must be one of"):
        conv_layer(np.ones((1, 1, 1, 1, 1)), "mirror")
    with pytest.raises(ValueError, match="weights must have shape"):
        conv_layer(np.ones((1, 1, 1, 1)), "zero")
