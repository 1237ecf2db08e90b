"""Hypothesis strategies: small images with a filter's correlation and what lies beyond their border."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from sim.arrays import FloatArray

KERNELS = ((1, 1), (1, 3), (3, 1), (2, 2), (1, 2), (3, 3))
"""Heights and widths of filters."""


@st.composite
def filter_correlations(draw: st.DrawFn, p: int) -> FloatArray:
    """Correlation matrices (p, p) of any rank, perfect correlation of either sign and none among them."""
    rank = draw(st.integers(1, p))
    vectors = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=(p, rank))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    R = np.clip(vectors @ vectors.T, -1.0, 1.0)
    np.fill_diagonal(R, 1.0)
    return draw(st.sampled_from((R, R, R, np.eye(p), np.ones((p, p)))))


@st.composite
def kernel_cases(draw: st.DrawFn) -> tuple[FloatArray, FloatArray, tuple[int, int], str]:
    """Images (B, C, H, W), a correlation matrix of any rank, the sides of its filter, and a padding that they allow.

    Images are at times smaller than the filter.
    """
    kernel = draw(st.sampled_from(KERNELS))
    size = kernel[0] * kernel[1]
    R = draw(filter_correlations(size))
    shape = tuple(draw(st.integers(1, most)) for most in (2, 2, 3, 3))
    images = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(size=shape)
    odd = kernel[0] % 2 and kernel[1] % 2
    return images, R, kernel, draw(st.sampled_from(("circular", "zero") if odd else ("circular",)))
