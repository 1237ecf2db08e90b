"""How much gradients change sign between updates: the zig-zag measure of Schneider, Section 6."""

from __future__ import annotations

import numpy as np

from sim.arrays import FloatArray
from sim.errors import require_finite


def gradient_sign_changes(gradients: object) -> FloatArray:
    """GradientSignChanges = sum_j |sign g_j^(i) - sign g_j^(i+1)| / (2 d), sign 0 = 0, as printed in Section 6.

    gradients: (T, ..., p) of consecutive updates, T >= 2; result (T - 1, ...) in [0, 1]. A gradient that becomes or
    stops being zero counts half. Raises ValueError for fewer than two updates or entries that are not finite.
    """
    return np.asarray(sign_changes_per_coordinate(gradients).mean(axis=-1))


def sign_changes_per_coordinate(gradients: object) -> FloatArray:
    """|sign g_j^(i) - sign g_j^(i+1)| / 2 in {0, 1/2, 1}, (T - 1, ..., p), whose mean over j is GradientSignChanges."""
    array = _gradients(gradients, updates=2)
    signs = np.sign(array)
    return np.asarray(np.abs(np.diff(signs, axis=0)) / 2.0)


def mean_absolute_gradient(gradients: object) -> FloatArray:
    """Mean over coordinates of |g_j|, (T, ...), for gradients (T, ..., p), T >= 1."""
    return np.asarray(np.abs(_gradients(gradients, updates=1)).mean(axis=-1))


def _gradients(gradients: object, updates: int) -> FloatArray:
    array = require_finite(gradients, "gradients")
    if array.ndim < 2 or array.shape[0] < updates or array.shape[-1] < 1:
        raise ValueError(f"gradients must have shape (T, ..., p) with T >= {updates} and p >= 1, got {array.shape}")
    return array
