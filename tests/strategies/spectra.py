"""Hypothesis strategies: matrices with prescribed singular values, kernels with the images that they are used on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from sim.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class Prescribed:
    """matrix = left diag(values) right^T, (m, n), values descending; left and right have orthonormal columns."""

    left: FloatArray
    values: FloatArray
    right: FloatArray

    @property
    def matrix(self) -> FloatArray:
        return np.asarray((self.left * self.values) @ self.right.T)


def prescribed(rng: np.random.Generator, m: int, n: int, values: Sequence[float]) -> Prescribed:
    """A random matrix (m, n) with these min(m, n) singular values."""
    r = min(m, n)
    left, right = (np.linalg.qr(rng.normal(size=(size, r)))[0] for size in (m, n))
    return Prescribed(left, np.sort(np.array(values, dtype=np.float64))[::-1].copy(), right)


def seeds() -> st.SearchStrategy[np.random.Generator]:
    """Generators, for what Hypothesis need not shrink."""
    return st.integers(0, 2**32 - 1).map(np.random.default_rng)


@st.composite
def matrices(draw: st.DrawFn, *, smallest: float = 1e-3, zeros: bool = False, max_side: int = 12) -> Prescribed:
    """Matrices of any shape, singular values in [smallest, 4]; repeated ones, and with `zeros` zeros, are common."""
    m, n = draw(st.integers(1, max_side)), draw(st.integers(1, max_side))
    special = st.sampled_from([1.0, smallest, 2.0, *([0.0] if zeros else [])])
    entry = st.one_of(special, st.floats(smallest, 4.0))
    values = draw(st.lists(entry, min_size=min(m, n), max_size=min(m, n)))
    return prescribed(draw(seeds()), m, n, values)


@dataclass(frozen=True, eq=False)
class Convolution:
    """A kernel (N_out, N_in, kh, kw), the images (H, W) that it is used on, and a stride that divides them."""

    kernel: FloatArray
    image: tuple[int, int]
    stride: int


@st.composite
def convolutions(draw: st.DrawFn) -> Convolution:
    """Small kernels of any shape on images that hold them."""
    stride = draw(st.integers(1, 3))
    kernel = draw(st.tuples(*(st.integers(1, 3) for _ in range(4))))
    sides = [stride * draw(st.integers(-(-k // stride), 5 // stride + 1)) for k in kernel[2:]]
    return Convolution(draw(seeds()).normal(size=kernel), (sides[0], sides[1]), stride)
