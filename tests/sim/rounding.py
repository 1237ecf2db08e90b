"""Tolerances that follow from float64 and the size of a computation."""

from __future__ import annotations

import numpy as np

EPS = float(np.finfo(np.float64).eps)


def rounding(terms: int, scale: float) -> float:
    """Room for sums of `terms` products of magnitude at most `scale`, evaluated in two different orders."""
    return 4.0 * (terms + 4) * EPS * max(scale, EPS)
