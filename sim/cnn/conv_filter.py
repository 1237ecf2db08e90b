"""One filter as a real convolution layer: `torch.nn.Conv2d` and ReLU, autograd gradients, `torch.optim.SGD` steps.

The N samples are the non-overlapping k x k patches of one image (1, 1, k R, k C), R C = N with R the largest divisor
of N up to its square root; patch n is the n-th in row-major order, its pixel (a, b) is coordinate k a + b. A layer
with stride k sees each sample once. `grid_*` first rotate the grid by Q = pixel_frame(filter), so that its optimum w*
is a given k x k filter, and rotate what they report back. Q and the patches are computed in float64, then rounded to
the dtype of the layer.

A tie w.X = 0 is inactive, as in `sim.half_space` (ReLU has derivative 0 at 0), but rotation and the order of addition
inside the layer round: a sample whose exact w.X is zero may count either way. Schneider, Section 3.2, Eqs. (1), (2).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from sim.arrays import FloatArray, IntArray
from sim.cnn.filters import FILTERS, named_filter, require_filter
from sim.errors import (
    require_choice,
    require_finite,
    require_int,
    require_non_negative,
    require_positive,
    require_shape,
)
from sim.grid import grid_samples, pixel_frame, to_pixels
from sim.instance import FilterInstance
from sim.samples import SampleSet

__all__ = [
    "FILTERS",
    "LayerStep",
    "LayerTrajectory",
    "grid_descend",
    "grid_images",
    "grid_step",
    "named_filter",
    "patch_images",
    "sample_descend",
    "sample_step",
]

Order = str | Sequence[int] | IntArray


@dataclass(frozen=True, eq=False)
class LayerStep:
    """One full-batch update of the layer, in float64 and in the frame of the samples that were given.

    weights: (p,) after the update.
    gradient: (p,), loss, active_fraction: before it; gradient and loss are means over all patches.
    """

    weights: FloatArray
    gradient: FloatArray
    loss: float
    active_fraction: float


@dataclass(frozen=True, eq=False)
class LayerTrajectory:
    """T updates of the layer, in float64 and in the frame of the samples that were given.

    weights: (T + 1, p), the initial ones first, as rounded to the dtype of the layer.
    gradients: (T, p), the gradient that each update used, before momentum and weight decay.
    loss, active_fraction: (T + 1,) over all patches, whatever the order of updates.
    """

    weights: FloatArray
    gradients: FloatArray
    loss: FloatArray
    active_fraction: FloatArray

    @property
    def diverged(self) -> bool:
        """Whether an update left the finite range of the dtype; NaN or infinite entries begin there."""
        return not bool(np.isfinite(self.weights).all())


def patch_images(X: object, *, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """The image (1, 1, k R, k C) whose patches are the samples X (N, k^2), given in the pixel frame.

    Raises ValueError for a p that is no square number, for NaN or infinite entries, for an unknown or absent device.
    """
    samples = require_shape(require_finite(X, "X"), "X", (None, None))
    k = _filter_side(samples.shape[1])
    rows, columns = _layout(len(samples))
    tiles = samples.reshape(rows, columns, k, k).transpose(0, 2, 1, 3)
    return _tensor(tiles.reshape(1, 1, rows * k, columns * k), "X", _require_device(device), _require_dtype(dtype))


def grid_images(
    d: object,
    filter: str | npt.ArrayLike = "blur",
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> torch.Tensor:
    """The image (1, 1, k R, k C) of the 2^p grid samples of half-widths d (p,), p = k^2, with e0 rotated onto `filter`.

    filter: a name in `FILTERS`, or (k, k), of any norm. Patch n is Q X_n, Q = pixel_frame(filter), X_n the sample of
    index n of `sim.grid.grid_samples`. Raises ValueError for a d outside [0, 1], a p that is no square number or too
    large to enumerate, a filter that is unknown, zero or of another shape.
    """
    half_widths = require_shape(require_finite(d, "d"), "d", (None,))
    pixels = require_filter(filter, _filter_side(len(half_widths)))
    return patch_images(to_pixels(grid_samples(half_widths), pixels.ravel()), device=device, dtype=dtype)


def grid_step(
    instance: FilterInstance,
    *,
    filter: str | npt.ArrayLike = "blur",
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> LayerStep:
    """Loss, gradient and active fraction at instance.w, and the weights after one SGD step; arguments and errors as in
    `grid_descend`. Schneider, Theorem 1."""
    return _first_step(grid_descend(instance, steps=1, filter=filter, device=device, dtype=dtype))


def grid_descend(
    instance: FilterInstance,
    *,
    steps: int,
    momentum: float = 0.0,
    l2: float = 0.0,
    order: Order = "full",
    filter: str | npt.ArrayLike = "blur",
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> LayerTrajectory:
    """`steps` updates of the layer on the rotated grid of an instance, reported in the frame of the grid.

    The optimum of the layer is the filter w_0* filter/|filter|, and the targets are what that filter, without ReLU,
    makes of the patches, so they agree with w*.X only as far as Q is right. Arguments as in `sample_descend`.

    Raises ValueError unless instance.w_star is (w_0*, 0, ..., 0) with w_0* > 0 and p is a square number small enough
    to enumerate, and as `grid_images` and `sample_descend` do.
    """
    given = instance.as_float()
    w, w_star = np.array(given.w, dtype=np.float64), np.array(given.w_star, dtype=np.float64)
    pixels = require_filter(filter, _filter_side(given.p)).ravel()
    if w_star[0] <= 0 or w_star[1:].any():
        listed = ", ".join(f"{value:g}" for value in w_star)
        raise ValueError(f"w_star must be (w_0*, 0, ..., 0) with w_0* > 0, since w* becomes the filter, got ({listed})")
    direction = pixels / np.abs(pixels).max()
    optimum = w_star[0] * direction / np.linalg.norm(direction)
    patches = to_pixels(grid_samples(given.d), pixels)
    trajectory = sample_descend(
        SampleSet(patches, patches @ optimum),
        to_pixels(w, pixels),
        learning_rate=float(given.learning_rate),
        steps=steps,
        momentum=momentum,
        l2=l2,
        order=order,
        device=device,
        dtype=dtype,
    )
    frame = pixel_frame(pixels)
    # a diverged layer holds infinities, whose rotation is invalid and meant to be seen in the result
    with np.errstate(over="ignore", invalid="ignore"):
        weights, gradients = trajectory.weights @ frame, trajectory.gradients @ frame
    return LayerTrajectory(weights, gradients, trajectory.loss, trajectory.active_fraction)


def sample_step(
    samples: SampleSet,
    w: object,
    learning_rate: float,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> LayerStep:
    """Loss, gradient and active fraction at w (p,), and the weights after one SGD step; see `sample_descend`."""
    return _first_step(sample_descend(samples, w, learning_rate=learning_rate, steps=1, device=device, dtype=dtype))


def sample_descend(
    samples: SampleSet,
    w: object,
    *,
    learning_rate: float,
    steps: int,
    momentum: float = 0.0,
    l2: float = 0.0,
    order: Order = "full",
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float64,
) -> LayerTrajectory:
    """`steps` updates v <- momentum v + g + l2 w, w <- w - learning_rate v from v = 0, by `torch.optim.SGD`.

    samples: N samples (N, k^2) in the pixel frame, with any targets; w: (k^2,) initial weights.
    g: autograd gradient of the mean over patches of (y - max(w.X, 0))^2. order: full: over all patches; cyclic: over
    the image of one patch, in turn by index; or the index of the one patch of each step (`steps` integers).
    l2 is `weight_decay`, as in `sim.descent`. Nothing is drawn at random, and settings of torch are left as found.
    On a GPU, float32 is not rounded to TF32. No learning rate is too large (`sim.descent.stability_limit` gives the
    limit); see `LayerTrajectory.diverged`.

    Raises ValueError or TypeError for arguments out of range or of the wrong shape or type, naming the argument.
    """
    k = _filter_side(samples.p)
    initial = require_shape(require_finite(w, "w"), "w", (samples.p,))
    rate = _scalar(require_positive(learning_rate, "learning_rate"), "learning_rate")
    inertia = _scalar(require_non_negative(momentum, "momentum"), "momentum")
    if inertia >= 1:
        raise ValueError(f"momentum must lie in [0, 1), got {inertia}")
    decay = _scalar(require_non_negative(l2, "l2"), "l2")
    steps = require_int(steps, "steps", 0)
    patches = _patch_order(order, len(samples), steps)
    place, number = _require_device(device), _require_dtype(dtype)

    image = patch_images(samples.X, device=place, dtype=number)
    rows, columns = _layout(len(samples))
    targets = _tensor(samples.y.reshape(1, 1, rows, columns), "y", place, number)
    # without the default initialisation, which would draw from the global generator
    layer = torch.nn.Conv2d(1, 1, k, stride=k, bias=False, device="meta", dtype=number).to_empty(device=place)
    with torch.no_grad():
        layer.weight.copy_(_tensor(initial.reshape(1, 1, k, k), "w", place, number))
    optimiser = torch.optim.SGD(layer.parameters(), lr=rate, momentum=inertia, weight_decay=decay)

    weights, gradients = np.empty((steps + 1, samples.p)), np.empty((steps, samples.p))
    loss, active_fraction = np.empty(steps + 1), np.empty(steps + 1)

    def record(t: int) -> None:
        weights[t] = _to_numpy(layer.weight)
        with torch.no_grad():
            preactivation = layer(image)
            loss[t] = float(_mean_loss(preactivation, targets))
            active_fraction[t] = int((preactivation > 0).sum()) / len(samples)

    with _reproducible_convolution(place), torch.enable_grad():
        for t in range(steps):
            record(t)
            n = patches[t]
            seen, wanted = (image, targets) if n is None else _single_patch(image, targets, n, k)
            optimiser.zero_grad()
            torch.autograd.backward(_mean_loss(layer(seen), wanted))
            gradients[t] = _to_numpy(layer.weight.grad)
            optimiser.step()
        record(steps)
    return LayerTrajectory(weights, gradients, loss, active_fraction)


def _mean_loss(preactivation: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.square(targets - torch.relu(preactivation)).mean()


def _single_patch(image: torch.Tensor, targets: torch.Tensor, n: int, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    row, column = divmod(n, targets.shape[-1])
    seen = image[:, :, row * k : (row + 1) * k, column * k : (column + 1) * k]
    return seen, targets[:, :, row : row + 1, column : column + 1]


@contextmanager
def _reproducible_convolution(device: torch.device) -> Iterator[None]:
    """Deterministic cuDNN convolutions without TF32, for as long as the context lasts."""
    if device.type != "cuda":
        yield
        return
    cudnn: Any = torch.backends.cudnn  # torch declares no types for cudnn.conv
    deterministic, precision = cudnn.deterministic, cudnn.conv.fp32_precision
    try:
        cudnn.deterministic, cudnn.conv.fp32_precision = True, "ieee"
        yield
    finally:
        cudnn.deterministic, cudnn.conv.fp32_precision = deterministic, precision


def _first_step(trajectory: LayerTrajectory) -> LayerStep:
    return LayerStep(
        trajectory.weights[1],
        trajectory.gradients[0],
        float(trajectory.loss[0]),
        float(trajectory.active_fraction[0]),
    )


def _filter_side(p: int) -> int:
    k = math.isqrt(p)
    if k * k != p:
        raise ValueError(f"p must be a square number so that it fills a k x k filter, got p = {p}")
    return k


def _layout(n: int) -> tuple[int, int]:
    rows = next(r for r in range(math.isqrt(n), 0, -1) if n % r == 0)
    return rows, n // rows


def _patch_order(order: Order, n: int, steps: int) -> list[int | None]:
    """For each step the index of its patch, or None for all of them."""
    if isinstance(order, str):
        require_choice(order, "order", ("full", "cyclic"))
        return [None] * steps if order == "full" else [t % n for t in range(steps)]
    try:
        listed = tuple(order)
    except TypeError:
        raise TypeError(f"order must be full, cyclic or a sequence of patch indices, got {order!r}") from None
    indices = [require_int(index, "order", 0) for index in listed]
    if len(indices) != steps:
        raise ValueError(f"order must hold one patch index per step ({steps}), got {len(indices)}")
    if indices and max(indices) >= n:
        raise ValueError(f"order must hold patch indices below {n}, got {max(indices)}")
    return list(indices)


def _require_device(device: str | torch.device) -> torch.device:
    try:
        place = torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}") from None
    if place.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be 'cpu' or 'cuda', got {str(place)!r}")
    if place.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (place.index or 0) >= count:
            raise ValueError(f"device must be available, got {str(place)!r} where CUDA finds {count} devices")
    return place


def _require_dtype(dtype: torch.dtype) -> torch.dtype:
    if dtype not in (torch.float64, torch.float32):
        raise ValueError(f"dtype must be torch.float64 or torch.float32, got {dtype}")
    return dtype


def _tensor(array: FloatArray, name: str, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    tensor = torch.tensor(array, dtype=dtype, device=device)
    if not bool(torch.isfinite(tensor).all()):
        raise ValueError(f"{name} must fit {dtype}, got {array.flat[np.abs(array).argmax()]:g}")
    return tensor


def _to_numpy(tensor: torch.Tensor | None) -> FloatArray:
    assert tensor is not None
    return tensor.detach().to("cpu", torch.float64).numpy().ravel().copy()


def _scalar(value: FloatArray, name: str) -> float:
    return float(require_shape(value, name, ()))
