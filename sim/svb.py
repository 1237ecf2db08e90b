"""Singular Value Bounding: the nearest matrix whose singular values lie in [1/(1+eps), 1+eps] (Jia et al., Alg. 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import svd
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dsyevd, ssyevd

from sim.arrays import FloatArray
from sim.errors import require_finite, require_positive, require_shape

Matrix = npt.NDArray[Any]
"""A matrix (m, n) of float32 or float64."""
Route = Literal["unchanged", "gram", "svd"]

WIDEST = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-2}
"""The Gram matrix squares the spectrum: below this ratio of its extreme eigenvalues, it has lost too many digits."""
NARROW = 0.25
"""Up to this distance of the eigenvalues from their mean, as a share of it, float32 eigenvectors do for float32."""
LARGEST_GAIN = 0.1
"""A correction of at most this size, relative to the matrix, may be added in the dtype of the matrix."""


@dataclass(frozen=True, eq=False)
class Bounding:
    """A matrix brought into the band, and what was done.

    matrix: (m, n), in the dtype of the input. raised, lowered: how many singular values were below and above the band.
    unique: whether it is the only nearest matrix: False exactly if the input has a singular value of zero (to
    rounding). route: "unchanged" (nothing to clip), "gram" (an eigendecomposition of the small Gram matrix), "svd".
    smallest, largest: its extreme singular values before; None for "unchanged", where no spectrum was computed.
    """

    matrix: Matrix
    raised: int
    lowered: int
    unique: bool
    route: Route
    smallest: float | None = None
    largest: float | None = None


def bound_singular_values(matrix: npt.ArrayLike, eps: float) -> Matrix:
    """The matrix (m, n) with its singular values clipped to [1/(1+eps), 1+eps]; see `project_to_band`."""
    return project_to_band(matrix, eps).matrix


def project_to_band(matrix: npt.ArrayLike, eps: float) -> Bounding:
    """The nearest matrix in Frobenius norm with all min(m, n) singular values in [1/(1+eps), 1+eps], (m, n).

    U clip(S) V^T of the SVD U S V^T. float32 is answered in float32, computed in float64 where that matters; anything
    else in float64. A singular value outside the band by no more than rounding of the dtype may stay as it is.

    A zero singular value has no direction of its own, so that a rank-deficient matrix has many nearest ones: the answer
    is the one with the singular vectors that LAPACK gives; for a zero matrix, the identity (m, n) over 1 + eps. A
    matrix without rows or columns comes back as it is. Jia et al., Algorithm 1, lines 6 to 11.

    Raises ValueError for NaN or infinite entries, for anything but a matrix, and for eps that is not positive and
    finite; TypeError for entries that are no real numbers.
    """
    lo, hi = band(eps)
    given = _require_matrix(matrix)
    if given.size == 0:
        return Bounding(given.copy(), 0, 0, True, "unchanged")
    fat = given if given.shape[0] <= given.shape[1] else given.T
    gram = _gram(fat)
    if not np.isfinite(np.trace(gram)):
        # either an entry is not finite, or a square overflows, which an SVD does not mind
        require_finite(given, "matrix")
        return _by_svd(given, lo, hi)
    slack = 1.0 + _rounding(given)
    if _definite(gram, -((lo / slack) ** 2)) and _definite(-gram, (hi * slack) ** 2):
        return Bounding(given.copy(), 0, 0, True, "unchanged")
    near = _near_eigen(gram, lo, hi) if given.dtype == np.float32 else None
    squares, vectors = _eigen(gram) if near is None else near
    if not squares[0] >= WIDEST[given.dtype] * squares[-1] > 0:
        return _by_svd(given, lo, hi)
    values = np.sqrt(squares)
    corrected, raised, lowered = _corrected(fat, values, vectors, lo, hi)
    bounded = corrected if fat is given else corrected.T
    return Bounding(bounded, raised, lowered, True, "gram", float(values[0]), float(values[-1]))


def band(eps: float) -> tuple[float, float]:
    """(1/(1+eps), 1+eps). Raises ValueError unless eps is one positive finite number."""
    value = float(require_shape(require_positive(eps, "eps"), "eps", ()))
    return 1.0 / (1.0 + value), 1.0 + value


def _require_matrix(matrix: npt.ArrayLike) -> Matrix:
    # finiteness of float32 input is read off the Gram matrix, which saves a pass over the entries
    array = np.asarray(matrix)
    checked = array if array.dtype == np.float32 else require_finite(matrix, "matrix")
    if checked.ndim != 2:
        raise ValueError(f"matrix must have shape (m, n), got {checked.shape}")
    return checked


def _gram(fat: Matrix) -> FloatArray:
    """The lower triangle of A A^T, accumulated in float64, (m, m); the upper one is zero."""
    product: FloatArray = dsyrk(1.0, np.ascontiguousarray(fat, dtype=np.float64).T, trans=1, lower=1)
    return product


def _rounding(matrix: Matrix) -> float:
    """By what share of its size rounding may move a singular value: the dtype's, and that of a float64 Gram matrix."""
    gram = 4.0 * np.sqrt(max(matrix.shape)) * np.finfo(np.float64).eps
    return float(max(np.finfo(matrix.dtype).eps, gram))


def _eigen(gram: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues, ascending, and eigenvectors in columns of a symmetric matrix, given by its lower triangle.

    NaN where LAPACK fails.
    """
    squares, vectors, failed = dsyevd(gram, lower=1, overwrite_a=1)
    return np.full(len(gram), np.nan) if failed else squares, vectors


def _near_eigen(gram: FloatArray, lo: float, hi: float) -> tuple[FloatArray, FloatArray] | None:
    """The same found in float32, at half the time; None unless the spectrum is narrow and next to the band.

    Less its mean, a narrow spectrum is small, and rounding with it; and what is added to the matrix is small too.
    """
    mean = np.trace(gram) / len(gram)
    if not lo**2 / 2 <= mean <= 2 * hi**2:
        return None
    centred = gram.astype(np.float32, order="F")
    np.einsum("ii->i", centred)[:] = np.diagonal(gram) - mean
    offsets, vectors, failed = ssyevd(centred, lower=1, overwrite_a=1)
    if failed or not np.abs(offsets).max() <= NARROW * mean:
        return None
    squares = mean + offsets.astype(np.float64)
    if np.abs(_scale(np.sqrt(squares), lo, hi) - 1.0).max() > LARGEST_GAIN:
        return None
    return squares, vectors.astype(np.float64)


def _scale(values: FloatArray, lo: float, hi: float) -> FloatArray:
    """By what clipping multiplies each singular value: 1 in the band."""
    return np.clip(values, lo, hi) / values


def _definite(symmetric: FloatArray, shift: float) -> bool:
    """Whether a symmetric matrix, given by its lower triangle, plus shift I is positive definite (by Cholesky)."""
    shifted = symmetric.copy(order="F")
    np.einsum("ii->i", shifted)[:] += shift
    return int(dpotrf(shifted, lower=1, overwrite_a=1)[1]) == 0


def _corrected(fat: Matrix, values: FloatArray, vectors: FloatArray, lo: float, hi: float) -> tuple[Matrix, int, int]:
    """U diag(clip(s)/s) U^T A, and how many singular values were raised and lowered.

    Where it is near A, as A + U diag(clip(s)/s - 1) U^T A over the clipped columns of U, in the dtype of A.
    """
    scale = _scale(values, lo, hi)
    gain = scale - 1.0
    clipped = np.flatnonzero(gain)
    if np.abs(gain).max(initial=0.0) > LARGEST_GAIN:
        # adding to A would lose what cancels
        bounded = ((vectors * scale) @ vectors.T) @ fat
    else:
        basis, scaled = vectors[:, clipped], vectors[:, clipped] * gain[clipped]
        if 2 * len(clipped) < len(fat):
            bounded = fat + scaled.astype(fat.dtype) @ (basis.T.astype(fat.dtype) @ fat)
        else:
            bounded = fat + (scaled @ basis.T).astype(fat.dtype) @ fat
    return bounded.astype(fat.dtype, copy=False), int((gain > 0).sum()), int((gain < 0).sum())


def _by_svd(matrix: Matrix, lo: float, hi: float) -> Bounding:
    left, values, right = svd(matrix.astype(np.float64), full_matrices=False)
    clipped = (left * np.clip(values, lo, hi)) @ right
    negligible = max(matrix.shape) * np.finfo(matrix.dtype).eps * values[0]
    unique = bool(values[-1] > negligible)
    raised, lowered = int((values < lo).sum()), int((values > hi).sum())
    extremes = float(values[-1]), float(values[0])
    return Bounding(clipped.astype(matrix.dtype), raised, lowered, unique, "svd", *extremes)
