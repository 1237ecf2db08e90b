"""Names for the array types that the simulators exchange."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
MaskArray = npt.NDArray[np.uint32]


def frozen_copy(array: FloatArray) -> FloatArray:
    """A read-only copy, so that a frozen record cannot be changed through its arrays."""
    copy = np.array(array, dtype=np.float64, order="C")
    copy.setflags(write=False)
    return copy


def blocks(length: int, width: int) -> Iterable[slice]:
    """Consecutive slices of at most `width` (at least 1) that cover range(length)."""
    width = max(1, width)
    for start in range(0, length, width):
        yield slice(start, min(start + width, length))
