"""Checks at the boundary: each names the argument, the constraint and the value received."""

from __future__ import annotations

import operator
from collections.abc import Callable
from numbers import Real

import numpy as np

from sim.arrays import BoolArray, FloatArray


class StabilityWarning(UserWarning):
    """A learning rate at which gradient descent cannot be expected to converge."""


def require_array(value: object, name: str) -> FloatArray:
    """`value` as a float64 array of any shape, entries not yet checked.

    Raises TypeError if an entry is no real number (bool counts as none), ValueError if rows differ in length.
    """
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} must be a rectangular array, got rows of different lengths") from None
    if array.dtype == object:
        # Fraction and Decimal-like numbers arrive as objects
        for entry in array.flat:
            if not isinstance(entry, Real) or isinstance(entry, bool):
                raise TypeError(f"{name} must hold real numbers, got {_short(entry)}")
    elif array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, got {_short(value)}")
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise ValueError(f"{name} must be finite, got an integer beyond the range of float64") from None


def require_finite(value: object, name: str) -> FloatArray:
    """`value` as a finite float64 array; ValueError names the first NaN or infinity."""
    return _require_all(require_array(value, name), name, np.isfinite, "be finite")


def require_positive(value: object, name: str) -> FloatArray:
    """`value` as a finite float64 array with every entry > 0."""
    return _require_all(require_finite(value, name), name, lambda a: a > 0, "be positive")


def require_non_negative(value: object, name: str) -> FloatArray:
    """`value` as a finite float64 array with every entry >= 0."""
    return _require_all(require_finite(value, name), name, lambda a: a >= 0, "be non-negative")


def require_unit_interval(value: object, name: str) -> FloatArray:
    """`value` as a float64 array with every entry in [0, 1]; NaN is outside."""
    return _require_all(require_array(value, name), name, lambda a: (a >= 0) & (a <= 1), "lie in [0, 1]")


def require_shape(array: FloatArray, name: str, shape: tuple[int | None, ...]) -> FloatArray:
    """`array` itself if its shape is `shape`, where None stands for any length >= 1."""
    fits = array.ndim == len(shape) and all(
        have >= 1 if want is None else have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("n" if want is None else str(want) for want in shape)
        comma = "," if len(shape) == 1 else ""
        raise ValueError(f"{name} must have shape ({wanted}{comma}), got {array.shape}")
    return array


def require_rows(array: FloatArray, name: str, p: int | None = None) -> FloatArray:
    """(p,) or (B, p) as (B, p): one filter per row."""
    if array.ndim not in (1, 2) or 0 in array.shape or (p is not None and array.shape[-1] != p):
        wanted = "p" if p is None else str(p)
        raise ValueError(f"{name} must have shape ({wanted},) or (B, {wanted}), got {array.shape}")
    return np.atleast_2d(array)


def require_same_rows(**arrays: FloatArray) -> int:
    """The common number of rows B of arrays that have B rows or one row each."""
    rows = {name: array.shape[0] for name, array in arrays.items()}
    most = int(max(rows.values()))
    if any(count not in (1, most) for count in rows.values()):
        listed = ", ".join(f"{name} has {count}" for name, count in rows.items())
        raise ValueError(f"the numbers of rows must agree (or be 1), got: {listed}")
    return most


def require_int(value: object, name: str, minimum: int) -> int:
    """`value` as a Python int >= `minimum`; TypeError for anything that is not an integer (bool counts as none)."""
    try:
        number: int = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {_short(value)}") from None
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value}")
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def require_positive_int(value: object, name: str) -> int:
    """`value` as a Python int >= 1."""
    return require_int(value, name, 1)


def require_choice(value: str, name: str, choices: tuple[str, ...]) -> str:
    """`value` itself if it is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
    return value


def require_generator(rng: object, name: str, why: str) -> np.random.Generator:
    """`rng` itself if it is a numpy Generator; TypeError says what it is needed for."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"{name} must be a numpy.random.Generator ({why}), got {_short(rng)}")
    return rng


def require_symmetric(value: object, name: str) -> FloatArray:
    """`value` as a finite float64 (p, p) matrix, exactly symmetric; rounding of its own dtype is forgiven (64 p eps).

    Raises ValueError that says which of shape, finiteness, symmetry is wrong, and where.
    """
    matrix = require_finite(value, name)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.size == 0:
        raise ValueError(f"{name} must be a square matrix, got shape {matrix.shape}")
    skew = np.abs(matrix - matrix.T)
    if skew.max() > _forgiven(value, matrix) * float(np.abs(matrix).max()):
        i, j = np.unravel_index(int(skew.argmax()), skew.shape)
        raise ValueError(
            f"{name} must be symmetric, got {name}[{i}, {j}] = {matrix[i, j]} and {name}[{j}, {i}] = {matrix[j, i]}; "
            f"({name} + {name}.T)/2 is"
        )
    # halved first: the sum of the largest floats would overflow
    symmetric: FloatArray = matrix / 2 + matrix.T / 2
    return symmetric


def require_correlation_matrix(value: object, name: str) -> FloatArray:
    """`value` as a symmetric float64 (p, p) correlation matrix: diagonal 1, no negative eigenvalue.

    Rounding of the dtype that it came in is forgiven (64 p eps); the result is exactly symmetric.
    Raises ValueError that says which of shape, finiteness, symmetry, diagonal, eigenvalues is wrong, where, and what
    would mend it.
    """
    matrix = require_symmetric(value, name)
    tolerance = _forgiven(value, matrix)
    off = np.abs(np.diagonal(matrix) - 1.0)
    if off.max() > tolerance:
        i = off.argmax()
        raise ValueError(
            f"{name} must have ones on its diagonal, got {name}[{i}, {i}] = {matrix[i, i]}; a covariance becomes a "
            "correlation when divided by the standard deviations of its row and column"
        )
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -tolerance:
        raise ValueError(
            f"{name} must have no negative eigenvalue, got smallest eigenvalue {smallest:.6g}; "
            "sim.nearest.nearest_correlation gives the nearest matrix that has none"
        )
    return matrix


def _forgiven(value: object, matrix: FloatArray) -> float:
    """64 p eps, eps that of the dtype in which the value came."""
    given = np.asarray(value).dtype
    return 64 * len(matrix) * float(np.finfo(given if given.kind == "f" else np.float64).eps)


def _require_all(array: FloatArray, name: str, holds: Callable[[FloatArray], BoolArray], constraint: str) -> FloatArray:
    good = np.asarray(holds(array))
    if not good.all():
        bad = ~good
        where = np.unravel_index(int(bad.argmax()), bad.shape)
        place = f"{name}[{', '.join(str(int(i)) for i in where)}] = " if where else ""
        raise ValueError(f"{name} must {constraint}, got {place}{float(array[where])}")
    return array


def _short(value: object) -> str:
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'} ({type(value).__name__})"


def printable(text: str, length: int = 60) -> str:
    """Text of a stranger's for one line of a terminal: control characters escaped, what is too long cut."""
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return plain if len(plain) <= length else f"{plain[: length - 3]}..."
