"""How well the correlation of the pixels of filters is known: filters drawn again with replacement, by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.arrays import FloatArray
from sim.errors import require_finite, require_generator, require_int, require_shape

RESAMPLES = 200
"""Enough for a standard error with a relative error of 5 %."""
_ENTRIES = 2**20
"""Products of pixels held at once."""


def resampled_moments(filters: object, *, resamples: int = RESAMPLES, rng: np.random.Generator) -> FloatArray:
    """(B, p, p): the mean of w w^T over n of the n filters (n, p), drawn with replacement, for each of B resamples.

    How often each filter is drawn is multinomial; in blocks, so that memory does not grow with the number of filters.
    Raises ValueError for fewer than two filters, which say nothing about how filters vary, or two resamples.
    """
    rows = require_shape(require_finite(filters, "filters"), "filters", (None, None))
    n, p = rows.shape
    if n < 2:
        raise ValueError(f"filters must be at least 2 to be resampled, got {n}")
    B = require_int(resamples, "resamples", 2)
    require_generator(rng, "rng", "filters are drawn again at random")
    upper = np.triu_indices(p)
    block = max(1, _ENTRIES // (len(upper[0]) + B))
    starts = np.arange(0, n, block)
    sizes = np.minimum(starts + block, n) - starts
    shares = rng.multinomial(n, sizes / n, size=B)
    sums = np.zeros((B, len(upper[0])))
    for start, size, drawn in zip(starts, sizes, shares.T, strict=True):
        part = rows[start : start + size]
        counts = np.array([np.bincount(rng.integers(0, size, times), minlength=size) for times in drawn], np.float64)
        sums += counts @ (part[:, upper[0]] * part[:, upper[1]])
    moments = np.empty((B, p, p))
    moments[:, upper[0], upper[1]] = moments[:, upper[1], upper[0]] = sums / n
    return moments


def pooled_correlations(moments: Sequence[FloatArray], counts: Sequence[int]) -> FloatArray:
    """(B, p, p): the correlation of each resample over all layers, from those of each layer (B, p, p).

    counts: how many filters each layer has. Every filter counts once, and each layer is divided by its root mean square
    first, as in `sim.filter_statistics.pooled_correlation`. NaN where a resample has a pixel that is zero in every
    filter drawn.
    """
    if not moments or len(moments) != len(counts):
        raise ValueError(f"moments must be of as many layers as counts, >= 1, got {len(moments)} and {len(counts)}")
    total = np.zeros_like(moments[0])
    for layer, count in zip(moments, counts, strict=True):
        size = np.trace(layer, axis1=1, axis2=2)[:, None, None]
        total += count * np.divide(layer, size, out=np.zeros_like(layer), where=size > 0)
    scale = np.sqrt(np.diagonal(total, axis1=1, axis2=2))
    product = scale[:, :, None] * scale[:, None, :]
    return np.asarray(np.divide(total, product, out=np.full_like(total, np.nan), where=product > 0))


def standard_error(values: FloatArray) -> FloatArray:
    """The standard deviation over resamples of what was computed on each, (B, ...) to (...); undefined ones left out.

    Raises ValueError where fewer than two are defined.
    """
    defined = np.isfinite(values)
    if (defined.sum(axis=0) < 2).any():
        raise ValueError("too few filters are not zero: no two resamples have a correlation")
    return np.asarray(np.nanstd(values, axis=0, ddof=1))
