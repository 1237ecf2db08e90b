"""Naive twins: bounding by a full SVD in float64, and convolutions written down entry by entry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def naive_bound(matrix: npt.ArrayLike, eps: float) -> FloatArray:
    """U clip(S) V^T in float64."""
    left, values, right = np.linalg.svd(np.asarray(matrix, dtype=np.float64), full_matrices=False)
    return np.asarray((left * np.clip(values, 1 / (1 + eps), 1 + eps)) @ right)


def naive_operator(
    kernel: FloatArray, image: tuple[int, int], *, stride: int = 1, padding: int | None = None
) -> FloatArray:
    """The matrix (N_out H' W', N_in H W) of a convolution; circular for `padding` None."""
    N_out, N_in, kh, kw = kernel.shape
    H, W = image
    p = padding or 0
    height = H // stride if padding is None else (H + 2 * p - kh) // stride + 1
    width = W // stride if padding is None else (W + 2 * p - kw) // stride + 1
    matrix = np.zeros((N_out * height * width, N_in * H * W))
    for o in range(N_out):
        for i in range(height):
            for j in range(width):
                for c in range(N_in):
                    for a in range(kh):
                        for b in range(kw):
                            x, y = i * stride + a - p, j * stride + b - p
                            if padding is None:
                                x, y = x % H, y % W
                            if 0 <= x < H and 0 <= y < W:
                                matrix[(o * height + i) * width + j, (c * H + x) * W + y] += kernel[o, c, a, b]
    return matrix


def naive_circular_singular_values(kernel: FloatArray, image: tuple[int, int]) -> FloatArray:
    """FFT of the kernel, and an SVD at every frequency; descending. The straightforward way, for stride 1."""
    transforms = np.fft.fft2(kernel, image, axes=(2, 3)).transpose(2, 3, 0, 1)
    return np.sort(np.linalg.svd(transforms, compute_uv=False), axis=None)[::-1]
