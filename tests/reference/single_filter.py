"""Naive twins of the fast routines: explicit samples, Python loops, one filter at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_grid(d: Sequence[float]) -> FloatArray:
    """All samples (2^p, p); sample n has +d_i where bit i of n is set."""
    rows = []
    for n in range(2 ** len(d)):
        row = [half_width if (n >> i) & 1 else -half_width for i, half_width in enumerate(d)]
        row[0] += 1.0
        rows.append(row)
    return np.array(rows)


def naive_active_sums(X: FloatArray, y: FloatArray, w: FloatArray) -> tuple[int, float, FloatArray, FloatArray]:
    """count, mean loss, mean gradient, mean of 1[w.X > 0] X X^T of one filter w (p,)."""
    count, loss = 0, 0.0
    gradient, moment = np.zeros(len(w)), np.zeros((len(w), len(w)))
    for sample, target in zip(X, y, strict=True):
        preactivation = float(sum(a * b for a, b in zip(w, sample, strict=True)))
        if preactivation > 0:
            count += 1
            gradient += -2.0 * (target - preactivation) * sample
            moment += np.outer(sample, sample)
        loss += (target - max(preactivation, 0.0)) ** 2
    n = len(X)
    return count, float(loss / n), gradient / n, moment / n


def naive_descend(
    X: FloatArray,
    y: FloatArray,
    w: FloatArray,
    learning_rate: float,
    batches: Sequence[Sequence[int]],
    momentum: float = 0.0,
    l2: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Weights (T + 1, p) and gradients (T, p) of one filter, update t using the samples batches[t]."""
    current, velocity = np.array(w, dtype=float), np.zeros(len(w))
    weights, gradients = [current], []
    for batch in batches:
        gradient = naive_active_sums(X[list(batch)], y[list(batch)], current)[2]
        velocity = momentum * velocity + (gradient + l2 * current)
        current = current - learning_rate * velocity
        weights.append(current)
        gradients.append(gradient)
    return np.array(weights), np.array(gradients)


def naive_sign_changes(gradients: Sequence[Sequence[float]]) -> list[float]:
    """GradientSignChanges between consecutive gradients (T, d), term by term as printed in Section 6."""
    result = []
    for before, after in pairwise(gradients):
        total = 0
        for a, b in zip(before, after, strict=True):
            total += abs(_sign(a) - _sign(b))
        result.append(total / (2 * len(before)))
    return result


def naive_distance_correlation(k: int, rho: float, metric: str) -> FloatArray:
    """rho^distance between the pixels of a k x k filter, pixel (r, c) being number r k + c."""
    R = np.empty((k * k, k * k))
    for i in range(k * k):
        for j in range(k * k):
            down, across = abs(i // k - j // k), abs(i % k - j % k)
            R[i, j] = rho ** ((down**2 + across**2) ** 0.5 if metric == "euclidean" else down + across)
    return R


def _sign(value: float) -> int:
    return 1 if value > 0 else -1 if value < 0 else 0
