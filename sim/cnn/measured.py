"""What the route through layers reads off, by operators of torch: nothing here calls the NumPy simulator's arithmetic.

Two routes that reckon with one function would both believe its mistakes. So each quantity that `sim` computes for its
own route is computed here anew, by another way where there is one: centred moments, quadrature, autograd, `torch.fft`.
Arrays come in and go out as NumPy arrays in float64.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from sim.arrays import FloatArray, blocks
from sim.cnn.relu_stack import conv_layer, window_responses
from sim.errors import require_int
from sim.finite_law import FiniteLaw
from sim.layer_variance import CHUNK, Moments, Stack, draw_filters, draw_inputs


def singular_values(matrix: FloatArray) -> FloatArray:
    """All singular values of a matrix, or of the matrices in an array (..., m, n), descending; `torch.linalg`."""
    return _array(torch.linalg.svdvals(_tensor(matrix)))


def matrix_rank(matrix: FloatArray, share: float) -> int:
    """How many singular values exceed `share` of the largest."""
    return int(torch.linalg.matrix_rank(_tensor(matrix), rtol=share))


def circular_spectrum(kernel: FloatArray, image: tuple[int, int], *, stride: int = 1) -> FloatArray:
    """Singular values, descending, of a circular convolution (N_out, N_in, kh, kw) on images (H, W), by `torch.fft`.

    The kernel is set in an image of zeros and transformed: one matrix (N_out, N_in) for each of the H W frequencies.
    A stride s, which must divide the image, adds up the s^2 frequencies that agree modulo H/s and W/s: their matrices
    stand beside each other, over s. Raises ValueError for one that does not divide it.
    """
    (outputs, inputs), (height, width) = kernel.shape[:2], image
    if height % stride or width % stride:
        raise ValueError(f"stride must divide the image {height} x {width}, got {stride}")
    symbol = torch.fft.fft2(_tensor(kernel), s=image)
    parts = symbol.reshape(outputs, inputs, stride, height // stride, stride, width // stride)
    joined = parts.permute(3, 5, 0, 2, 4, 1).reshape(-1, outputs, stride**2 * inputs) / stride
    return _array(torch.sort(torch.linalg.svdvals(joined).flatten(), descending=True).values)


def sign_changes(gradients: FloatArray) -> FloatArray:
    """|sign g_j - sign g'_j|/2 between consecutive updates, (T - 1, ..., p), for gradients (T, ..., p)."""
    return _array(torch.diff(torch.sign(_tensor(gradients)), dim=0).abs() / 2)


def squared_cosines(first: FloatArray, second: FloatArray) -> FloatArray:
    """cos^2 of the angles between rows (B, p) that are not zero, (B,)."""
    return _array(torch.nn.functional.cosine_similarity(_tensor(first), _tensor(second), dim=1, eps=0.0) ** 2)


def relu_correlation(c: FloatArray) -> FloatArray:
    """2 E[relu(u) relu(v)] of Gaussian u, v of variance 1 and correlation c in [-1, 1], by quadrature; any shape.

    In polar coordinates u = r cos(t), v = r cos(t - a) with cos(a) = c, and E[r^2] = 2, E[r^4] = 8 leave
    (2/pi) times the integral of cos(t) cos(t - a) over a - pi/2 < t < pi/2, where both are positive.
    """
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(32))
    angle = torch.acos(_tensor(c).clamp(-1.0, 1.0))[..., None]
    middle, half = angle / 2, (math.pi - angle) / 2
    t = middle + half * nodes
    return _array(2 / math.pi * (half * weights * torch.cos(t) * torch.cos(t - angle)).sum(dim=-1))


def law_moments(filters: FiniteLaw, windows: FiniteLaw) -> tuple[float, float]:
    """Var[y] and E[max(y, 0)^2] of the responses y = w . x of a convolution, w and x independent with these laws."""
    y = _tensor(window_responses(filters.atoms, windows.atoms))
    joint = torch.outer(_tensor(windows.probability), _tensor(filters.probability))
    centred = y - (joint * y).sum()
    return float((joint * centred**2).sum()), float((joint * torch.relu(y) ** 2).sum())


def law_second_moments(law: FiniteLaw) -> FloatArray:
    """E[v v^T] of a finite law, (n, n)."""
    return _array(torch.einsum("r,ra,rb->ab", _tensor(law.probability), _tensor(law.atoms), _tensor(law.atoms)))


def sample_moment(X: FloatArray) -> FloatArray:
    """The mean of x x^T over samples (N, p), (p, p)."""
    return _array(torch.einsum("na,nb->ab", _tensor(X), _tensor(X)) / len(X))


def stack_moments(stack: Stack, draws: int, rng: np.random.Generator) -> Moments:
    """Averages of y_l^2 and max(y_l, 0)^2 over random stacks of `torch.nn.Conv2d`, as `sim.layer_variance.measure`.

    draws: at least 2. The networks of a part are the groups of one convolution per layer.
    """
    require_int(draws, "draws", 2)
    channels = max(stack.channels, stack.input_channels)
    floats = channels * max(math.prod(stack.image), stack.n * stack.channels)
    seen = []
    for part in blocks(draws, CHUNK // floats):
        count = part.stop - part.start
        images, filters = draw_inputs(stack, count, rng), draw_filters(stack, count, rng)
        seen.append(_squares(images, filters, stack.border))
    squares = torch.cat(seen, dim=-1)
    means, errors = squares.mean(dim=-1), squares.std(dim=-1) / math.sqrt(draws)
    return Moments(_array(means[0]), _array(errors[0]), _array(means[1]), _array(errors[1]), draws)


def _squares(images: FloatArray, filters: Sequence[FloatArray], border: str) -> Tensor:
    """The mean over channels and positions of y_l^2 and of max(y_l, 0)^2, (2, depth, draws)."""
    draws, found = len(images), []
    x = _tensor(images).reshape(1, -1, *images.shape[2:])
    with torch.no_grad():
        for weights in filters:
            y = conv_layer(weights, border)(x)
            x = torch.relu(y)
            found.append(torch.stack([part.reshape(draws, -1).square().mean(dim=1) for part in (y, x)]))
    return torch.stack(found, dim=1)


def product_energy(strengths: FloatArray, sigma: float) -> tuple[float, FloatArray]:
    """E = (sigma - s^1 ... s^L)^2/2 for strengths (L,), and dE/ds by autograd, (L,)."""
    s = _tensor(strengths).requires_grad_()
    energy = (sigma - torch.prod(s)) ** 2 / 2
    (slopes,) = torch.autograd.grad(energy, s)
    return float(energy.detach()), _array(slopes)


def filter_variances(R: FloatArray, moments: FloatArray, n_in: int) -> dict[str, float]:
    """Var of one weight for the sizes "sum", "he", "mean_field" and "printed" of `sim.correlation.weight_std`.

    The first three keep the second moment of a ReLU layer whose inputs in a window are all equal, are uncorrelated,
    and have the given moments (p, p): 2/(n_in g), g = sum R M / mean diagonal of M. The last lacks the factor of two.
    """
    correlation, seen = _tensor(R), _tensor(moments)
    inputs = {"sum": torch.ones_like(seen), "he": torch.eye(len(seen), dtype=seen.dtype), "mean_field": seen}
    found = {
        name: float(2 * torch.diagonal(M).mean() / (n_in * torch.tensordot(correlation, M)))
        for name, M in inputs.items()
    }
    return {**found, "printed": found["sum"] / 2}


def channel_moments(images: FloatArray) -> FloatArray:
    """The channel mean of x(a) x'(a'), (B, B, H, W, H, W), for images (B, C, H, W)."""
    batch, channels, height, width = images.shape
    flat = _tensor(images).permute(0, 2, 3, 1).reshape(-1, channels)
    products = (flat @ flat.T / channels).reshape(batch, height, width, batch, height, width)
    return _array(products.permute(0, 3, 1, 2, 4, 5))


def _tensor(array: FloatArray) -> Tensor:
    return torch.tensor(np.asarray(array, dtype=np.float64))


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.detach().numpy(), dtype=np.float64)
