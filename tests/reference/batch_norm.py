"""Naive twins of bounded batch norm and of BN behind a linear layer: one neuron at a time, in any arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

Number = TypeVar("Number", float, Fraction)


def naive_pass(scales: Sequence[Number], band: Number) -> list[Number]:
    """One published pass: ratios to the mean beyond [1/(1+band), 1+band] are set to the nearer end."""
    mean = sum(scales[1:], scales[0]) / len(scales)
    result = []
    for x in scales:
        ratio = x / mean
        if ratio > 1 + band:
            result.append(mean * (1 + band))
        elif ratio < 1 / (1 + band):
            result.append(mean / (1 + band))
        else:
            result.append(x)
    return result


def naive_magnitudes(scales: Sequence[Number], band: Number) -> list[Number]:
    """One pass on |x|, the signs put back; a zero counts as positive."""
    sizes = [abs(x) for x in scales]
    bounded = naive_pass(sizes, band) if any(sizes) else sizes
    return [-size if x < 0 else size for size, x in zip(bounded, scales, strict=True)]


def naive_settled(scales: Sequence[float], band: float, passes: int = 4000) -> list[float]:
    """Passes on |x| until nothing changes, or so many."""
    current = naive_magnitudes(scales, band)
    for _ in range(passes):
        following = naive_magnitudes(current, band)
        if following == current:
            break
        current = following
    return current


def naive_normalised(
    W: Sequence[Sequence[float]],
    x: Sequence[float],
    bias: Sequence[float],
    gamma: Sequence[float],
    beta: Sequence[float],
    mean: Sequence[float],
    variance: Sequence[float],
    eps: float,
) -> list[float]:
    """Eq. (14) at z = W x + bias, neuron by neuron."""
    responses = []
    for i, row in enumerate(W):
        z = sum(w * v for w, v in zip(row, x, strict=True)) + bias[i]
        responses.append(gamma[i] * (z - mean[i]) / (variance[i] + eps) ** 0.5 + beta[i])
    return responses
