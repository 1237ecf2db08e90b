"""Naive twins of the mean-field recursion and of filter correlations: loops over positions, offsets and symmetries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_layer_moments(Q: FloatArray, R: FloatArray, v: float, padding: str, kernel: tuple[int, int]) -> FloatArray:
    """K'(a, a') = v sum_{d, d'} R(d, d') Q(a + d, a' + d'), one pair of positions and one pair of offsets at a time."""
    height, width = Q.shape[2:4]
    centre = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)

    def source(a: tuple[int, ...], d: tuple[int, ...]) -> tuple[int, int] | None:
        row, column = a[0] + d[0] - centre[0], a[1] + d[1] - centre[1]
        if padding == "circular":
            return row % height, column % width
        return (row, column) if 0 <= row < height and 0 <= column < width else None

    K = np.zeros_like(Q)
    for a in np.ndindex(height, width):
        for b in np.ndindex(height, width):
            for m, d in enumerate(np.ndindex(*kernel)):
                for n, e in enumerate(np.ndindex(*kernel)):
                    here, there = source(a, d), source(b, e)
                    if here is not None and there is not None:
                        K[:, :, *a, *b] += v * R[m, n] * Q[:, :, *here, *there]
    return K


def naive_relu_moment(u: float, v: float, c: float, points: int = 20_001) -> float:
    """E[relu(y) relu(y')] for variances u, v and covariance c, by Simpson's rule on the angle of a standard pair.

    y = sqrt(u) r cos(t), y' = sqrt(v) r cos(t - theta), cos(theta) = c/sqrt(u v); E[r^2] = 2 and t is uniform.
    """
    if u * v == 0:
        return 0.0
    theta = np.arccos(np.clip(c / np.sqrt(u * v), -1, 1))
    # both are positive between these angles, and nowhere else
    t, step = np.linspace(theta - np.pi / 2, np.pi / 2, points, retstep=True)
    weights = np.where(np.arange(points) % 2, 4.0, 2.0)
    weights[[0, -1]] = 1.0
    integral = (weights * np.cos(t) * np.cos(t - theta)).sum() * step / 3
    return float(np.sqrt(u * v) * 2 * integral / (2 * np.pi))


def naive_standard_kernels(x: Sequence[FloatArray], variance: float, depth: int, k: int) -> list[FloatArray]:
    """The conv kernel of the literature for uncorrelated filters, circular, 1-D: only equal offsets d = d' count.

    x: inputs (C, W). variance: sigma_w^2 = k v. Returns K (B, B, W, W) of layers 1, ..., depth.
    """
    B, (channels, width) = len(x), x[0].shape
    Q = np.array([[x[a].T @ x[b] / channels for b in range(B)] for a in range(B)])
    found, centre = [], (k - 1) // 2
    for _ in range(depth):
        shifts = [(np.arange(width) + d - centre) % width for d in range(k)]
        K = variance * np.mean([Q[:, :, shift][:, :, :, shift] for shift in shifts], axis=0)
        found.append(K)
        Q = np.zeros_like(K)
        for a, b, s, t in np.ndindex(*K.shape):
            Q[a, b, s, t] = naive_relu_moment(K[a, a, s, s], K[b, b, t, t], K[a, b, s, t])
    return found


def naive_symmetrised(R: FloatArray, k: int) -> FloatArray:
    """The mean of R over the eight symmetries, each by its formula for a pixel's row and column."""
    last = k - 1
    maps = (
        lambda r, c: (r, c),
        lambda r, c: (c, last - r),
        lambda r, c: (last - r, last - c),
        lambda r, c: (last - c, r),
        lambda r, c: (c, r),
        lambda r, c: (r, last - c),
        lambda r, c: (last - r, c),
        lambda r, c: (last - c, last - r),
    )
    total = np.zeros_like(R)
    for move in maps:
        for m in range(k * k):
            for n in range(k * k):
                (a, b), (c, d) = move(*divmod(m, k)), move(*divmod(n, k))
                total[m, n] += R[a * k + b, c * k + d] / 8
    return total


def naive_filter_correlation(filters: Sequence[FloatArray], centred: bool) -> FloatArray:
    """E[w_t w_t'] / sqrt(E[w_t^2] E[w_t'^2]) of k x k filters, entry by entry."""
    rows = [f.ravel() for f in filters]
    mean = np.mean(rows, axis=0) if centred else np.zeros(len(rows[0]))
    p = len(rows[0])
    R = np.zeros((p, p))
    for s in range(p):
        for t in range(p):
            product = sum((row[s] - mean[s]) * (row[t] - mean[t]) for row in rows)
            first = sum((row[s] - mean[s]) ** 2 for row in rows)
            second = sum((row[t] - mean[t]) ** 2 for row in rows)
            R[s, t] = product / (first * second) ** 0.5
    return R
