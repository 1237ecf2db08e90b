"""The laws of sign changes from `theory`, in floats, and one that needs a numerical eigenvector; nothing is simulated.

e = w - w*; every sample is active, so the full gradient is 2 H e with H = E[X X^T], on the grid diag(h).
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from sim.arrays import FloatArray
from theory.derive.single_filter.zigzag import full_batch_flip, heavy_ball_frequency
from theory.derive.single_filter.zigzag_samples import flip_probability
from theory.evaluate import value


def full_batch(h: FloatArray, rates: FloatArray) -> FloatArray:
    """Share of coordinates with 2 lam h_j > 1, h (p,), at learning rates (n,); no coordinate of the gradient is 0."""
    at = {"h": h, "lam": rates, "g": np.ones_like(h)}
    return _mean_over_coordinates([value(full_batch_flip(sp.Integer(j)), at, exact=False) for j in range(len(h))])


def heavy_ball(h: FloatArray, rates: FloatArray, momentum: float) -> FloatArray:
    """Mean over coordinates of the long-run share of sign changes under momentum, h (p,), at learning rates (n,)."""
    x, mu = sp.symbols("x mu", positive=True)
    frequency = heavy_ball_frequency(x, mu)
    return _mean_over_coordinates([value(frequency, {"x": 2 * rates * h_j, "mu": momentum}, exact=False) for h_j in h])


def random_order(X: FloatArray, error: FloatArray) -> FloatArray:
    """2 q_j (1 - q_j), q_j = P((e.X) X_j > 0): two samples drawn at the same e, as lam -> 0. X (N, p), result (p,)."""
    share = sp.Symbol("q", nonnegative=True)
    positive = ((X @ error)[:, None] * X > 0).mean(axis=0)
    return np.asarray(value(flip_probability(share), {"q": positive}, exact=False))


def _mean_over_coordinates(columns: list[FloatArray]) -> FloatArray:
    return np.asarray(np.mean(columns, axis=0))


def in_turn(X: FloatArray, rates: FloatArray) -> FloatArray:
    """Mean sign changes over one epoch, samples X (N, p) in turn, once e is the epoch's leading eigenvector; (n,).

    An epoch maps e to M e, M the product of I - 2 lam X X^T over the samples. NaN where the leading eigenvalue is not
    real, since e then keeps turning.
    """
    result = np.full(len(rates), np.nan)
    identity = np.eye(X.shape[1])
    for n, rate in enumerate(rates):
        epoch = identity
        for sample in X:
            epoch = epoch - 2.0 * rate * np.outer(sample, sample @ epoch)
        values, vectors = np.linalg.eig(epoch)
        leading = int(np.abs(values).argmax())
        if abs(values[leading].imag) > 0:
            continue
        result[n] = _epoch_changes(X, vectors[:, leading].real, float(rate))
    return result


def _epoch_changes(X: FloatArray, error: FloatArray, rate: float) -> float:
    signs = []
    for sample in (*X, X[0]):
        residual = float(sample @ error)
        signs.append(np.sign(residual * sample))
        error = error - 2.0 * rate * residual * sample
    return float((np.abs(np.diff(np.array(signs), axis=0)) / 2.0).mean())
