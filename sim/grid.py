"""The 2^p samples of Schneider's assumption 2, by index, and the frame in which they become image patches.

Sample n has coordinates X_i = [i = 0] + s_i d_i, where s_i = +1 if bit i of n (value 2^i) is set and -1 if not, so
sample 0 takes every minus sign. Where some d_i = 0, samples coincide; they are kept, as a multiset.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import FloatArray, IntArray
from sim.errors import (
    require_finite,
    require_int,
    require_positive_int,
    require_rows,
    require_same_rows,
    require_shape,
    require_unit_interval,
)

ENUMERABLE_P = 20
"""The largest p that is enumerated unless the caller asks for more: a million samples."""


def check_enumerable(p: int, limit: int = ENUMERABLE_P) -> int:
    """The number of samples 2^p; ValueError, with that number and the memory they would take, if p > limit."""
    p = require_positive_int(p, "p")
    if p > limit:
        # exact integers: 2^p overflows a float for large p
        size = binary_size(8 * p * 2**p)
        raise ValueError(
            f"p must be at most {limit} to enumerate the sample grid, got p = {p}: "
            f"2^{p} = {_power_text(p)} samples would take {size} as float64"
        )
    return int(2**p)


def signs_of(index: IntArray, p: int) -> FloatArray:
    """Signs (..., p) of the samples with these indices (...): +1 where bit i of the index is set, else -1."""
    bits = (index[..., None] >> np.arange(p, dtype=np.int64)) & 1
    return (2 * bits - 1).astype(np.float64)


def grid_signs(p: int, start: int = 0, stop: int | None = None) -> FloatArray:
    """Signs (stop - start, p), float64 +-1, of samples start..stop-1; stop defaults to 2^p.

    Row n - start, column i is +1 where bit i of n is set, else -1. Raises ValueError unless 0 <= start <= stop <= 2^p.
    """
    p = require_positive_int(p, "p")
    if stop is None:
        stop = check_enumerable(p)
    start, stop = require_int(start, "start", 0), require_int(stop, "stop", 0)
    if p > 62:
        raise ValueError(f"p must be at most 62 so that sample indices fit 64 bits, got {p}")
    if not start <= stop <= 2**p:
        raise ValueError(f"start and stop must satisfy 0 <= start <= stop <= 2^{p}, got {start} and {stop}")
    return signs_of(np.arange(start, stop, dtype=np.int64), p)


def grid_samples(d: object) -> FloatArray:
    """All samples (2^p, p), explicitly, in index order, for half-widths d (p,) in [0, 1].

    Raises ValueError for a d outside [0, 1] or a p too large to enumerate.
    """
    half_widths = require_shape(require_unit_interval(d, "d"), "d", (None,))
    p = half_widths.shape[0]
    check_enumerable(p)
    samples = grid_signs(p)
    samples *= half_widths
    samples[:, 0] += 1.0
    return samples


def pixel_frame(w_star: object) -> FloatArray:
    """Orthogonal Q (p, p) with Q e0 = w*/|w*|: the Householder reflection that swaps e0 and w*/|w*|, Q = Q^T.

    It carries the grid around e0 into the frame of the pixels of a filter w* (p,). Q is the identity for w* = c e0,
    c > 0. Raises ValueError if w* is zero or not finite.
    """
    target = require_shape(require_finite(w_star, "w_star"), "w_star", (None,))
    largest = np.abs(target).max()
    if largest == 0:
        raise ValueError("w_star must not be zero, since its direction sets the frame, got all zeros")
    unit = target / largest  # scaled first, since squares of tiny or huge entries leave the float range
    unit /= np.linalg.norm(unit)
    rest = float(unit[1:] @ unit[1:])
    mirror = -unit
    # 1 - u_0 without cancellation when w* is nearly along e0
    mirror[0] = rest / (1.0 + unit[0]) if unit[0] > 0 else 1.0 - unit[0]
    squared = float(mirror @ mirror)
    identity = np.eye(target.shape[0])
    return identity if squared == 0 else identity - (2.0 / squared) * np.outer(mirror, mirror)


def to_pixels(vectors: object, w_star: object) -> FloatArray:
    """Samples or weights (..., p) of the e0 frame in the frame of w*: each row v becomes Q v, Q = pixel_frame(w_star).

    Pre-activations are kept: (Q w).(Q X) = w.X, and w*.(Q X) = |w*| X_0.
    """
    frame = pixel_frame(w_star)
    array = require_finite(vectors, "vectors")
    if array.ndim == 0 or array.shape[-1] != frame.shape[0]:
        raise ValueError(f"vectors must have shape (..., {frame.shape[0]}), got {array.shape}")
    return array @ frame.T


def broadcast_grid(d: object, w: object, w_star: object | None) -> tuple[FloatArray, FloatArray, FloatArray]:
    """d, w and w* (each (p,), (1, p) or (B, p); w* None means e0) checked and repeated to (B, p) each."""
    rows = require_rows(require_unit_interval(d, "d"), "d")
    p = rows.shape[1]
    weights = require_rows(require_finite(w, "w"), "w", p)
    target = basis_row(p) if w_star is None else require_rows(require_finite(w_star, "w_star"), "w_star", p)
    count = require_same_rows(d=rows, w=weights, w_star=target)
    shape = (count, p)
    return np.broadcast_to(rows, shape), np.broadcast_to(weights, shape), np.broadcast_to(target, shape)


def basis_row(p: int) -> FloatArray:
    """e0 as a row (1, p)."""
    row = np.zeros((1, p))
    row[0, 0] = 1.0
    return row


def _power_text(p: int) -> str:
    return f"{2**p:,}" if p <= 62 else f"about 1e{int(p * 0.30103)}"


def binary_size(size: int) -> str:
    """A number of bytes in the largest unit of which it has one."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB", "PiB"):
        if size < 1024:
            return f"{size} {unit}"
        size //= 1024
    return f"{size:,} EiB" if size < 10**9 else f"over 10^{len(str(size)) - 1} EiB"
