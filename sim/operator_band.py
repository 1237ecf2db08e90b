"""Bringing a convolution, as a linear map of images, near the band [1/(1+eps), 1+eps] without enlarging its kernel.

Clipping the singular values at every frequency gives the nearest map in the band, but its kernel covers the whole
image; cutting that back to the taps leaves the band again. Doing both in turn is a method of alternating projections.
The band is no convex set, and where N_out = N_in there is an obstacle on the way: det K(f) is a complex function of
the frequencies, in two dimensions its zeros are points, and small changes of a kernel move but do not remove them, so
that a generic square kernel has singular values near 0 and keeps them. What is observed (not proven): the lower end is
reached for kernels with N_out != N_in, and for square ones that begin in the band (`torch.nn.init.dirac_`, or any
orthogonal matrix in one tap) and do not drift far between two calls. The upper end always is, in the last resort by
scaling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from sim.arrays import FloatArray, IntArray
from sim.errors import require_finite, require_positive_int, require_shape
from sim.svb import band

SWEEPS = 50
INSET = 0.2
"""By what share of the band, in logarithms, clipping aims inside each end: aiming at the end takes forever."""
ROUNDING = 1e-12


@dataclass(frozen=True)
class Geometry:
    """A circular convolution: size of the image, stride and dilation, each a tuple with one entry per dimension.

    Raises ValueError if their lengths differ or the stride does not divide the image.
    """

    image: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("image", "stride", "dilation"):
            values = getattr(self, name)
            if len(values) != len(self.image) or not values:
                raise ValueError(f"{name} must have one entry per dimension of the image {self.image}, got {values}")
            for value in values:
                require_positive_int(value, name)
        if any(side % s for side, s in zip(self.image, self.stride, strict=True)):
            raise ValueError(f"stride must divide the image {self.image}, got {self.stride}")


@dataclass(frozen=True, eq=False)
class OperatorBounding:
    """A kernel and the map that it stands for.

    kernel: (N_out, N_in, k...). before, after: the smallest and the largest singular value of the map. raised, lowered:
    how many were below and above the band, counted over one of each pair of opposite frequencies. sweeps: how often was
    clipped and cut. inside: whether `after` lies in the band; if not, its upper end still does.
    """

    kernel: FloatArray
    before: tuple[float, float]
    after: tuple[float, float]
    raised: int
    lowered: int
    sweeps: int
    inside: bool


def operator_extremes(kernel: object, geometry: Geometry) -> tuple[float, float]:
    """The smallest and the largest singular value of the circular convolution.

    kernel: (N_out, N_in, k...), 1 to 3 dimensions. Singular values that the geometry makes 0 for every kernel (inputs
    that no window reads, where the stride exceeds the kernel) do not count.
    """
    K = _require_kernel(kernel, geometry)
    values = np.linalg.svd(_transform(K, _places(K, geometry)), compute_uv=False)
    return float(values.min()), float(values.max())


def project_operator(
    kernel: object,
    eps: float,
    geometry: Geometry,
    *,
    sweeps: int = SWEEPS,
    store: Callable[[FloatArray], FloatArray] | None = None,
) -> OperatorBounding:
    """A kernel of the same size whose circular convolution is in the band, or as near as `sweeps` sweeps bring it.

    kernel: (N_out, N_in, k...) in float64. store: how the kernel will be rounded, float64 to float64; what is returned
    is rounded, and everything said of it holds for that. A kernel in the band is returned as it is. If the band is not
    reached, the kernel is scaled so that its largest singular value is 1 + eps or less.
    Raises ValueError for a kernel that does not fit the image, NaN or infinities, or eps <= 0.
    """
    low, high = band(eps)
    K = _require_kernel(kernel, geometry)
    count = require_positive_int(sweeps, "sweeps")
    near = (low ** (1 - INSET), high ** (1 - INSET))
    places = _places(K, geometry)
    left, values, right = np.linalg.svd(_transform(K, places), full_matrices=False)
    before = float(values.min()), float(values.max())
    raised, lowered = int((values < low).sum()), int((values > high).sum())
    done = 0
    while True:
        if _within(values, low, high) or done == count:
            kept = K if store is None else store(K)
            after = operator_extremes(kept, geometry)
            if done == count or _within(np.array(after), low, high):
                break
        K = _cut((left * np.clip(values, *near)[:, None, :]) @ right, places)
        left, values, right = np.linalg.svd(_transform(K, places), full_matrices=False)
        done += 1
    shrink = 1.0
    while after[1] > high * (1 + ROUNDING):
        # a longer step each time, since rounding may take a short one back
        shrink *= high / after[1]
        kept = kept * shrink if store is None else store(kept * shrink)
        after = operator_extremes(kept, geometry)
    return OperatorBounding(kept, before, after, raised, lowered, done, _within(np.array(after), low, high))


def _within(values: FloatArray, low: float, high: float) -> bool:
    return bool(values.min() >= low * (1 - ROUNDING) and values.max() <= high * (1 + ROUNDING))


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the taps lie once the image is sorted by its position modulo the stride.

    A convolution with stride s is one with stride 1 on the s^d images that consist of every s-th pixel; phases says
    how many of these the taps read in each dimension. index picks the taps out of (phases..., frequencies' grid...).
    """

    phases: tuple[int, ...]
    grid: tuple[int, ...]
    index: tuple[IntArray, ...]

    @property
    def taps(self) -> tuple[Any, ...]:
        """The taps of every output and input."""
        return slice(None), slice(None), *self.index


def _places(kernel: FloatArray, geometry: Geometry) -> _Places:
    phases, blocks = [], []
    for taps, s, dilation in zip(kernel.shape[2:], geometry.stride, geometry.dilation, strict=True):
        position = dilation * np.arange(taps)
        phases.append(np.unique(position % s, return_inverse=True)[1])
        blocks.append(position // s)
    grid = tuple(side // s for side, s in zip(geometry.image, geometry.stride, strict=True))
    counts = tuple(int(phase.max()) + 1 for phase in phases)
    return _Places(counts, grid, (*np.ix_(*phases), *np.ix_(*blocks)))


def _transform(kernel: FloatArray, places: _Places) -> Any:
    """The blocks (frequencies, N_out, N_in phases) of the map; one of two opposite frequencies is enough."""
    outputs, inputs = kernel.shape[:2]
    dimensions = len(places.grid)
    spread = np.zeros((outputs, inputs, *places.phases, *places.grid))
    spread[places.taps] = kernel
    blocks = np.fft.rfftn(spread.reshape(outputs, -1, *places.grid), axes=range(2, 2 + dimensions))
    return np.moveaxis(blocks.reshape(outputs, blocks.shape[1], -1), 2, 0)


def _cut(blocks: Any, places: _Places) -> FloatArray:
    """The taps of the map that has these blocks: its nearest kernel of that size, (N_out, N_in, k...)."""
    outputs = blocks.shape[1]
    dimensions = len(places.grid)
    half = (*places.grid[:-1], places.grid[-1] // 2 + 1)
    transforms = np.moveaxis(blocks, 0, 2).reshape(outputs, -1, *half)
    spread = np.fft.irfftn(transforms, places.grid, axes=range(2, 2 + dimensions))
    return np.asarray(spread.reshape(outputs, -1, *places.phases, *places.grid)[places.taps])


def _require_kernel(kernel: object, geometry: Geometry) -> FloatArray:
    dimensions = len(geometry.image)
    K = require_shape(require_finite(kernel, "kernel"), "kernel", (None,) * (2 + dimensions))
    reach = tuple(d * (taps - 1) + 1 for d, taps in zip(geometry.dilation, K.shape[2:], strict=True))
    if any(side < extent for side, extent in zip(geometry.image, reach, strict=True)):
        raise ValueError(f"image must be at least as large as the kernel {reach}, got {geometry.image}")
    return K
