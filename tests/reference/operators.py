"""Naive twin: the matrix of a circular convolution in any number of dimensions, entry by entry."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_circular_matrix(
    kernel: FloatArray, image: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> FloatArray:
    """(N_out prod(image/stride), N_in prod(image)): row (o, j), column (c, i) with i = s j + d a modulo the image."""
    N_out, N_in, *taps = kernel.shape
    output = tuple(n // s for n, s in zip(image, stride, strict=True))
    matrix = np.zeros((N_out * math.prod(output), N_in * math.prod(image)))
    for o in range(N_out):
        for c in range(N_in):
            for j in np.ndindex(*output):
                for a in np.ndindex(*taps):
                    i = tuple((s * y + d * x) % n for s, d, y, x, n in zip(stride, dilation, j, a, image, strict=True))
                    row = np.ravel_multi_index((o, *j), (N_out, *output))
                    matrix[row, np.ravel_multi_index((c, *i), (N_in, *image))] += kernel[o, c, *a]
    return matrix
