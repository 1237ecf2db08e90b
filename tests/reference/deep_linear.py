"""Naive twins of the deep linear routines: Python loops over layers and samples, plain NumPy over directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_leave_one_out(s: Sequence[float]) -> list[float]:
    """The product of all entries but one, for each entry, each time multiplied anew."""
    found = []
    for left_out in range(len(s)):
        product = 1.0
        for layer, value in enumerate(s):
            if layer != left_out:
                product *= value
        found.append(product)
    return found


def naive_descend_modes(s: FloatArray, sigma: FloatArray, rate: float, steps: int) -> FloatArray:
    """Strengths (L, ...) after `steps` updates, by prefix and suffix products of whole arrays."""
    current = np.array(s, dtype=np.float64)
    for _ in range(steps):
        before, after = np.ones_like(current), np.ones_like(current)
        for layer in range(1, len(current)):
            before[layer] = before[layer - 1] * current[layer - 1]
        for layer in range(len(current) - 2, -1, -1):
            after[layer] = after[layer + 1] * current[layer + 1]
        error = sigma - before[-1] * current[-1]
        current = current + rate * error * before * after
    return current


def naive_chain_loss(weights: Sequence[FloatArray], X: FloatArray, Y: FloatArray) -> float:
    """1/(2K) sum_i |y_i - W^L ... W^1 x_i|^2, one sample at a time."""
    total = 0.0
    for x, y in zip(X.T, Y.T, strict=True):
        signal = x
        for W in weights:
            signal = W @ signal
        total += float(sum((a - b) ** 2 for a, b in zip(y, signal, strict=True)))
    return total / (2 * X.shape[1])


def naive_chain_gradient(weights: Sequence[FloatArray], X: FloatArray, Y: FloatArray, layer: int) -> FloatArray:
    """dL/dW^l entry by entry, (L(w + 1) - L(w - 1))/2: exact but for rounding, as L is quadratic in every entry."""
    gradient = np.zeros_like(weights[layer])
    for entry in np.ndindex(gradient.shape):
        sides = []
        for shift in (1.0, -1.0):
            moved = [W.copy() for W in weights]
            moved[layer][entry] += shift
            sides.append(naive_chain_loss(moved, X, Y))
        gradient[entry] = (sides[0] - sides[1]) / 2
    return gradient
