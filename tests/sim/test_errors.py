from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sim import errors


@pytest.mark.parametrize(
    ("check", "value", "error", "message"),
    [
        (errors.require_finite, [1.0, np.nan], ValueError, r"^d must be finite, got d\[1\] = nan$"),
        (errors.require_finite, np.inf, ValueError, r"^d must be finite, got inf$"),
        (errors.require_finite, [[0, 1], [-np.inf, 0]], ValueError, r"got d\[1, 0\] = -inf$"),
        (errors.require_finite, [[0, 1], [2]], ValueError, r"^d must be a rectangular array, got rows of different"),
        (errors.require_finite, "abc", TypeError, r"^d must hold real numbers, got 'abc' \(str\)$"),
        (errors.require_finite, None, TypeError, r"^d must hold real numbers, got None"),
        (errors.require_finite, [1j], TypeError, r"^d must hold real numbers, got \[1j\]"),
        (errors.require_finite, [True], TypeError, r"^d must hold real numbers, got \[True\]"),
        (errors.require_finite, [Fraction(1, 2), "x"], TypeError, r"^d must hold real numbers, got 'x'"),
        (errors.require_unit_interval, [0, 1, 1.5], ValueError, r"^d must lie in \[0, 1\], got d\[2\] = 1.5$"),
        (errors.require_unit_interval, [np.nan], ValueError, r"^d must lie in \[0, 1\], got d\[0\] = nan$"),
        (errors.require_positive, 0.0, ValueError, r"^d must be positive, got 0.0$"),
        (errors.require_non_negative, -0.5, ValueError, r"^d must be non-negative, got -0.5$"),
        (errors.require_positive_int, 0, ValueError, r"^d must be at least 1, got 0$"),
        (errors.require_positive_int, 2.0, TypeError, r"^d must be an integer, got 2.0 \(float\)$"),
        (errors.require_positive_int, True, TypeError, r"^d must be an integer, got True$"),
    ],
)
def test_each_check_says_what_is_wrong(check: Any, value: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        check(value, "d")


def test_checks_return_float64() -> None:
    for value in ([1, 0], [Fraction(1), Fraction(0)], np.array([1, 0], dtype=np.float32)):
        array = errors.require_unit_interval(value, "d")
        assert array.dtype == np.float64
        assert array.tolist() == [1.0, 0.0]
    assert errors.require_positive_int(np.int64(3), "p") == 3


def test_shapes() -> None:
    array = np.zeros((2, 3))
    assert errors.require_shape(array, "w", (None, 3)) is array
    with pytest.raises(ValueError, match=r"^w must have shape \(n, 4\), got \(2, 3\)$"):
        errors.require_shape(array, "w", (None, 4))
    with pytest.raises(ValueError, match=r"^w must have shape \(4,\), got \(2, 3\)$"):
        errors.require_shape(array, "w", (4,))
    with pytest.raises(ValueError, match=r"^w must have shape \(4,\) or \(B, 4\), got \(2, 3\)$"):
        errors.require_rows(array, "w", 4)
    with pytest.raises(ValueError, match=r"numbers of rows must agree \(or be 1\), got: d has 2, w has 3$"):
        errors.require_same_rows(d=array, w=array.T)
    assert errors.require_same_rows(d=array, w=np.zeros((1, 9))) == 2


@pytest.mark.parametrize(("length", "said"), [(40, "'" + "x" * 38 + "'"), (41, "'" + "x" * 36 + "...")])
def test_what_is_no_number_is_shown_up_to_forty_characters(length: int, said: str) -> None:
    with pytest.raises(TypeError, match=rf"^n must be an integer, got {re.escape(said)} \(str\)$"):
        errors.require_positive_int("x" * (length - 2), "n")


def test_choices_and_generators() -> None:
    assert errors.require_choice("a", "order", ("a", "b")) == "a"
    with pytest.raises(ValueError, match=r"^order must be one of a, b, got 'c'$"):
        errors.require_choice("c", "order", ("a", "b"))
    with pytest.raises(TypeError, match=r"^rng must be a numpy.random.Generator \(why\), got 3 \(int\)$"):
        errors.require_generator(3, "rng", "why")


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), r"^R must be a square matrix, got shape \(2, 3\)$"),
        (np.ones(2), r"^R must be a square matrix, got shape \(2,\)$"),
        (np.ones((0, 0)), r"^R must be a square matrix, got shape \(0, 0\)$"),
        ([[1, 0.5], [0.4, 1]], r"^R must be symmetric, got R\[0, 1\] = 0.5 and R\[1, 0\] = 0.4; \(R \+ R.T\)/2 is$"),
        ([[1, 0], [0, 2]], r"^R must have ones on its diagonal, got R\[1, 1\] = 2.0; .* divided by"),
        ([[1, 1.5], [1.5, 1]], r"^R must have no negative eigenvalue, got smallest eigenvalue -0.5; sim.nearest"),
        ([[1, np.nan], [0, 1]], r"^R must be finite, got R\[0, 1\] = nan$"),
    ],
)
def test_correlation_matrices_say_what_is_wrong(matrix: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        errors.require_correlation_matrix(matrix, "R")


def test_correlation_matrices_forgive_the_rounding_of_their_own_dtype() -> None:
    R = np.array([[1.0, 0.3], [0.3 + 1e-6, 1.0]])
    symmetric = errors.require_correlation_matrix(R.astype(np.float32), "R")
    assert np.array_equal(symmetric, symmetric.T)
    with pytest.raises(ValueError, match="must be symmetric"):
        errors.require_correlation_matrix(R, "R")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_p_rows_64_p_roundings_are_forgiven(dtype: type[np.floating]) -> None:
    def skewed(roundings: float) -> np.ndarray:
        matrix = np.ones((4, 4), dtype)
        matrix[0, 1] += roundings * np.finfo(dtype).eps
        return matrix

    errors.require_symmetric(skewed(63 * 4), "R")
    with pytest.raises(ValueError, match="must be symmetric"):
        errors.require_symmetric(skewed(66 * 4), "R")


@pytest.mark.parametrize(
    ("text", "length", "said"),
    [
        ("plain", 60, "plain"),
        ("a\x1b[31mred\n", 60, "a\\x1b[31mred\\n"),
        ("x" * 60, 60, "x" * 60),
        ("x" * 61, 60, "x" * 57 + "..."),
        ("abcdefgh", 6, "abc..."),
    ],
)
def test_what_a_stranger_says_fits_a_line(text: str, length: int, said: str) -> None:
    assert errors.printable(text, length) == said
