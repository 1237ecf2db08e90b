"""Sums over the active samples of the grid in plain NumPy: sample by sample, by halves, and in exact integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def enumerated_gradient(d: FloatArray, w: FloatArray, w_star: FloatArray, chunk: int = 1 << 14) -> FloatArray:
    """Mean gradient (p,) of Eq. (2) from all 2^p samples, written out a chunk at a time."""
    p, places = len(d), np.arange(len(d))
    gradient = np.zeros(p)
    for start in range(0, 2**p, chunk):
        index = np.arange(start, min(start + chunk, 2**p))
        samples = (2.0 * ((index[:, None] >> places) & 1) - 1.0) * d
        samples[:, 0] += 1.0
        preactivation = samples @ w
        residual = np.where(preactivation > 0, samples @ w_star - preactivation, 0.0)
        gradient -= 2.0 * residual @ samples
    return gradient / 2.0**p


def halved_gradient(d: FloatArray, w: FloatArray, w_star: FloatArray, low_bits: int = 15) -> FloatArray:
    """The same from a table of the samples' low coordinates, built once, and one shift for each of the high ones."""
    p, q = len(d), min(low_bits, len(d))
    gap = w_star - w
    low_key, low_residual = _signed_sums(0.0, (w * d)[:q]), _signed_sums(0.0, (gap * d)[:q])
    sums, gathered = np.zeros(p), np.zeros(len(low_key))
    for high_signs in _sign_rows(p - q):
        key, residual = w[0] + high_signs @ (w * d)[q:], gap[0] + high_signs @ (gap * d)[q:]
        pulling = np.where(low_key > -key, low_residual + residual, 0.0)
        gathered += pulling
        sums[q:] += pulling.sum() * high_signs
    sums[:q] = [_against_sign(gathered, i) for i in range(q)]
    gradient = d * sums
    gradient[0] += gathered.sum()
    return -2.0 * gradient / 2.0**p


def meeting_gradient(d: FloatArray, w: FloatArray, w_star: FloatArray) -> FloatArray:
    """The same from two sorted halves: for each half-sum, its partners are a suffix of the other half."""
    p, q = len(d), len(d) // 2
    gap = w_star - w
    keys, orders, residuals = [], [], []
    for offset, base, part in ((w[0], gap[0], slice(q)), (0.0, 0.0, slice(q, p))):
        key = _signed_sums(offset, (w * d)[part])
        order = np.argsort(key)
        keys.append(key[order])
        orders.append(order)
        residuals.append(_signed_sums(base, (gap * d)[part])[order])
    sums = []
    for own, other in ((0, 1), (1, 0)):
        suffix = np.append(np.cumsum(residuals[other][::-1])[::-1], 0.0)
        # queries in order find their places close to each other
        first = np.searchsorted(keys[other], -keys[own], side="right")
        gathered = np.empty(len(first))
        gathered[orders[own]] = (len(suffix) - 1 - first) * residuals[own] + suffix[first]
        sums += [_against_sign(gathered, i) for i in range(len(first).bit_length() - 1)]
    gradient = d * np.array(sums)
    gradient[0] += gathered.sum()
    return -2.0 * gradient / 2.0**p


def exact_sums(
    d: list[int], w: list[int], w_star: list[int], unit: int, chunk: int = 1 << 16
) -> tuple[int, list[int], int]:
    """Exact count, gradient times 2^p unit^3 and loss times 2^p unit^4, for d, w, w* in whole multiples of 1/unit.

    Every product is an integer; int64 within a chunk as long as unit^2 p max|w| 2 stays below 2^31, and Python's own
    integers beyond it. Ties are inactive.
    """
    p = len(d)
    count, gradient, loss = 0, [0] * p, 0
    for start in range(0, 2**p, chunk):
        index = np.arange(start, min(start + chunk, 2**p))
        samples = (2 * ((index[:, None] >> np.arange(p)) & 1) - 1) * np.array(d, dtype=np.int64)
        samples[:, 0] += unit
        output = np.maximum(samples @ np.array(w, dtype=np.int64), 0)
        residual = samples @ np.array(w_star, dtype=np.int64) - output
        pulling = np.where(output > 0, residual, 0)
        count += int((output > 0).sum())
        # high and low halves apart, so that sums of products stay within 64 bits
        for part, weight in ((pulling >> 16, 1 << 16), (pulling & 0xFFFF, 1)):
            gradient = [g - 2 * weight * int(v) for g, v in zip(gradient, part @ samples, strict=True)]
        loss += sum(int(v) ** 2 for v in residual)
    return count, gradient, loss


def _sign_rows(bits: int) -> Iterator[FloatArray]:
    places = np.arange(bits)
    for n in range(2**bits):
        yield 2.0 * ((n >> places) & 1) - 1.0


def _signed_sums(offset: float, terms: FloatArray) -> FloatArray:
    sums = np.array([offset])
    for term in terms:
        sums = np.concatenate([sums - term, sums + term])
    return sums


def _against_sign(values: FloatArray, i: int) -> float:
    pairs = values.reshape(-1, 2, 2**i).sum(axis=(0, 2))
    return float(pairs[1] - pairs[0])
