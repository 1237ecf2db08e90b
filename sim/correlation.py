"""Correlation matrices of the pixels of a filter, filters drawn with a given one, and how large to draw them."""

from __future__ import annotations

import numpy as np

from sim.arrays import FloatArray
from sim.errors import (
    require_choice,
    require_correlation_matrix,
    require_finite,
    require_generator,
    require_non_negative,
    require_positive_int,
    require_shape,
    require_symmetric,
    require_unit_interval,
)

METRICS = ("euclidean", "city-block")
"""Distances between pixels that `exponential_correlation` knows."""

SCALES = ("sum", "he", "mean_field", "printed")
"""Sizes of initial weights that `weight_std` knows."""


def equicorrelation(p: int, rho: object) -> FloatArray:
    """(p, p) matrix with 1 on the diagonal and rho elsewhere; rho in [-1/(p - 1), 1], as p such variables can have."""
    p = require_positive_int(p, "p")
    value = float(require_shape(require_finite(rho, "rho"), "rho", ()))
    least = -1.0 / (p - 1) if p > 1 else -1.0
    if not least <= value <= 1.0:
        raise ValueError(f"rho must lie in [{least:.6g}, 1] for p = {p}, got {value}")
    return np.where(np.eye(p) > 0, 1.0, value)


def exponential_correlation(k: int, rho_per_pixel: object, *, metric: str = "euclidean") -> FloatArray:
    """(k^2, k^2) matrix R = rho^distance between the pixels of a k x k filter, row by row; rho_per_pixel in [0, 1].

    distance is "euclidean" or "city-block" (then R is the Kronecker square of that of one line). Either is a
    correlation matrix for every such rho. rho = 0 gives the identity, rho = 1 all ones.
    """
    k = require_positive_int(k, "k")
    rho = float(require_shape(require_unit_interval(rho_per_pixel, "rho_per_pixel"), "rho_per_pixel", ()))
    require_choice(metric, "metric", METRICS)
    row, column = np.divmod(np.arange(k * k), k)
    rows, columns = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
    distance = np.hypot(rows, columns) if metric == "euclidean" else rows + columns
    return np.asarray(np.power(rho, distance.astype(np.float64)))


def correlation_root(R: object) -> FloatArray:
    """C (p, p) with C C^T = R: V sqrt(Lambda) of R = V Lambda V^T; singular R included, unlike with Cholesky.

    Eigenvalues that are zero but for rounding count as zero. Raises as `require_correlation_matrix`.
    """
    values, vectors = np.linalg.eigh(require_correlation_matrix(R, "R"))
    negligible = 8 * len(values) * np.finfo(np.float64).eps * values[-1]
    return np.asarray(vectors * np.sqrt(np.where(values > negligible, values, 0.0)))


def sample_filters(R: object, n: int, *, sigma: object = 1.0, rng: np.random.Generator) -> FloatArray:
    """n filters (n, p), independent, each N(0, sigma^2 R), for a correlation matrix R (p, p), singular ones included.

    Drawn as sigma C z with C of `correlation_root`, so that perfectly correlated weights come out equal to rounding.
    Raises as `require_correlation_matrix`.
    """
    root = correlation_root(R)
    n = require_positive_int(n, "n")
    scale = float(require_shape(require_non_negative(sigma, "sigma"), "sigma", ()))
    require_generator(rng, "rng", "filters are drawn at random")
    return np.asarray(scale * rng.standard_normal((n, len(root))) @ root.T)


def sample_weights(
    R: object, shape: tuple[int, int, int, int], *, sigma: object = 1.0, rng: np.random.Generator
) -> FloatArray:
    """The weights of a convolution, `shape` = (channels out, channels in / groups, height, width), filter by filter.

    Every filter is independent and N(0, sigma^2 R), R (height * width, height * width) over its pixels, row by row.
    With groups, and depthwise (one channel in per group), the shape is that of torch's weight. Raises ValueError if R
    does not fit the filters.
    """
    if len(shape) != 4:
        raise ValueError(f"shape must be (channels out, channels in / groups, height, width), got {shape}")
    rows, columns, height, width = (require_positive_int(side, "shape") for side in shape)
    require_filter_correlation(R, height, width)
    return sample_filters(R, rows * columns, sigma=sigma, rng=rng).reshape(rows, columns, height, width)


def require_filter_correlation(R: object, height: int, width: int) -> FloatArray:
    """R as a correlation matrix of the pixels of height x width filters. Raises ValueError if its size is another."""
    matrix = require_correlation_matrix(R, "R")
    p = height * width
    if len(matrix) != p:
        raise ValueError(
            f"R must be {p} x {p}, one row for each pixel of a {height} x {width} filter, got {len(matrix)} x "
            f"{len(matrix)}; estimate it from filters of that size, or take exponential_correlation"
        )
    return matrix


def response_gain(R: object, moments: object) -> float:
    """sum_{t, t'} R(t, t') M(t, t'), M = moments / (their mean diagonal): second moment of w.x per v E[x^2].

    R: (p, p) correlation of the weights. moments: (p, p) second moments of the inputs of one window, of any scale.
    Between 0 and p^2: p for R = I or for uncorrelated inputs, 1'R1 for inputs that are all equal.
    Raises ValueError unless moments is a matrix of second moments, of the size of R and not zero.
    """
    matrix = require_correlation_matrix(R, "R")
    M = require_shape(require_symmetric(moments, "moments"), "moments", matrix.shape)
    size = float(np.trace(M)) / len(M)
    negligible = 64 * len(M) ** 2 * np.finfo(np.float64).eps
    if not size > 0:
        raise ValueError(f"moments must belong to inputs that are not all zero, got mean diagonal {size:.6g}")
    smallest = float(np.linalg.eigvalsh(M / size)[0])
    if smallest < -negligible:
        raise ValueError(f"moments must be E[x x^T] of some inputs x, got smallest eigenvalue {smallest * size:.6g}")
    gain = float((matrix * M).sum()) / size
    return gain if gain > negligible else 0.0


def critical_variance(R: object, moments: object) -> float:
    """n_in v at which a layer of ReLUs keeps its second moment: 2 / `response_gain`, as E[x^2] = E[y^2]/2 after ReLU.

    2/p for R = I (He's), 2/1'R1 for inputs that are all equal. inf where R and the inputs cancel: no v keeps it then.
    """
    gain = response_gain(R, moments)
    return 2.0 / gain if gain > 0 else float("inf")


def weight_std(scale: str, R: object, n_in: int, *, moments: object = None) -> float:
    """Standard deviation of one weight of filters with correlation R (p, p) and n_in channels in (per group).

    "sum": sqrt(2/(n_in 1'R1)), Algorithm 1 of Schneider with Eq. (17) for its line 4 and He's factor of two.
    "he": sqrt(2/(n_in p)), He's for uncorrelated filters, whatever R is.
    "mean_field": sqrt(2/(n_in `response_gain`)), which keeps second moments for inputs with `moments` (p, p).
    "printed": sqrt(1/(n_in 1'R1)), Algorithm 1 without the factor of two, as it is printed.
    Raises ValueError where a scale does not exist: filters that sum to zero, responses that cancel, moments missing.
    """
    require_choice(scale, "scale", SCALES)
    matrix = require_correlation_matrix(R, "R")
    n_in = require_positive_int(n_in, "n_in")
    p = len(matrix)
    if scale != "mean_field" and moments is not None:
        raise ValueError(f"moments must be left out for scale {scale!r}, which does not depend on the inputs")
    if scale == "mean_field" and moments is None:
        raise ValueError(
            "moments must be given for scale 'mean_field': the second moments of the inputs of a window, "
            "as sim.mean_field.window_moments makes them"
        )
    if scale == "he":
        return float(np.sqrt(2.0 / (n_in * p)))
    gain = response_gain(matrix, np.ones((p, p)) if moments is None else moments)
    if gain == 0:
        raise ValueError(
            f"R must not make every response zero for scale {scale!r}, got filters that cancel on these inputs; "
            "scale='he' always exists"
        )
    return float(np.sqrt((1.0 if scale == "printed" else 2.0) / (n_in * gain)))
