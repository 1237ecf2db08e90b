"""Sums over the active samples of the grid in plain NumPy: sample by sample, by halves, and in exact integers."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from math import comb, prod

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


def batch_gradients(d: FloatArray, w: FloatArray, block: int) -> FloatArray:
    """Mean gradients (B, p) for d, w (B, p) and w* = e0: products of `block` rows with all signs (2^p, p + 1)."""
    p = w.shape[1]
    signs = np.concatenate([np.ones((2**p, 1)), np.array(list(_sign_rows(p)))], axis=1)
    gap = np.eye(p)[0] - w
    keys, gaps = (np.concatenate([v[:, :1], v * d], axis=1) for v in (w, gap))
    sums = np.empty_like(keys)
    for start in range(0, len(w), block):
        rows = slice(start, start + block)
        residual = gaps[rows] @ signs.T
        residual *= keys[rows] @ signs.T > 0
        sums[rows] = residual @ signs
    gradient = d * sums[:, 1:]
    gradient[:, 0] += sums[:, 0]
    return np.asarray(-2.0 * gradient / 2.0**p)


def exact_sums(d: list[int], w: list[int], w_star: list[int], unit: int) -> tuple[int, list[int], int]:
    """Count, 2^p unit^3 times the gradient and 2^p unit^4 times the loss, for d, w, w* in multiples of 1/unit.

    Ties are inactive. Everything is an integer: each sample in int64 (2 p unit max|w| must stay below 2^31 and unit
    below 2^15), sums of more than a few samples in two parts, so that nothing overflows.
    """
    p, chunk = len(d), 1 << 15
    count, gradient, loss = 0, [0] * p, 0
    for start in range(0, 2**p, chunk):
        index = np.arange(start, min(start + chunk, 2**p))
        samples = (2 * ((index[:, None] >> np.arange(p)) & 1) - 1) * np.array(d, dtype=np.int64)
        samples[:, 0] += unit
        output = np.maximum(samples @ np.array(w, dtype=np.int64), 0)
        residual = samples @ np.array(w_star, dtype=np.int64) - output
        count += int((output > 0).sum())
        pulling = np.where(output > 0, residual, 0)
        upper, lower = residual >> 16, residual & 0xFFFF
        for part, weight in ((pulling >> 16, 1 << 16), (pulling & 0xFFFF, 1)):
            gradient = [g - 2 * weight * int(v) for g, v in zip(gradient, part @ samples, strict=True)]
        for square, weight in ((upper * upper, 1 << 32), (upper * lower, 1 << 17), (lower * lower, 1)):
            loss += weight * int(square.sum())
    return count, gradient, loss


def grouped_sums(
    groups: list[tuple[int, Fraction, Fraction]], d0: Fraction, w0: Fraction
) -> tuple[int, Fraction, list[Fraction], Fraction]:
    """Exact count, gradient by w_0, gradients by one w_i of each group, and loss, for w* = e0 and any p.

    groups: (size, d, w) of coordinates that are alike; samples then differ only in how many of each have a plus.
    """
    count, first, others, loss = 0, Fraction(0), [Fraction(0)] * len(groups), Fraction(0)
    p = 1 + sum(size for size, _, _ in groups)
    for x0 in (1 - d0, 1 + d0):
        for plus in product(*(range(size + 1) for size, _, _ in groups)):
            times = prod(comb(size, k) for (size, _, _), k in zip(groups, plus, strict=True))
            # mean coordinate of a group, over the samples with that many plus signs
            means = [d * Fraction(2 * k - size, size) for (size, d, _), k in zip(groups, plus, strict=True)]
            output = w0 * x0 + sum((size * w * x for (size, _, w), x in zip(groups, means, strict=True)), Fraction(0))
            if output > 0:
                count += times
                first -= 2 * times * (x0 - output) * x0
                others = [g - 2 * times * (x0 - output) * x for g, x in zip(others, means, strict=True)]
            loss += times * (x0 - max(output, Fraction(0))) ** 2
    return count, first / 2**p, [g / 2**p for g in others], loss / 2**p


def _sign_rows(bits: int) -> Iterator[FloatArray]:
    places = np.arange(bits)
    for n in range(2**bits):
        yield np.where((n >> places) & 1, 1.0, -1.0)


def _signed_sums(offset: float, terms: FloatArray) -> FloatArray:
    sums = np.array([offset])
    for term in terms:
        sums = np.concatenate([sums - term, sums + term])
    return sums


def _against_sign(values: FloatArray, i: int) -> float:
    pairs = values.reshape(-1, 2, 2**i).sum(axis=(0, 2))
    return float(pairs[1] - pairs[0])
