"""Singular Value Bounding of a model's layers as a hook on its optimiser (Jia et al., Algorithm 1, footnote 2)."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.cnn.hooks import BoundWarning, StepHook, find_layers, own_parameter
from sim.cnn.image_sizes import operator_geometry
from sim.errors import require_choice
from sim.operator_band import Geometry, project_operator
from sim.svb import Matrix, band, project_to_band

KINDS = (
    nn.Linear,
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
)
HALF = (torch.bfloat16, torch.float16)
ATTEMPTS = 8
"""How often a weight of 16 bits is aimed further into the band before it is left where rounding puts it."""
TINY, HUGE = 1e-100, 1e100
"""Lengths between these have squares that neither vanish nor overflow."""
ROUTES = ("unchanged", "gram", "svd")


@dataclass(frozen=True, kw_only=True)
class Clipping:
    """What was clipped in one weight.

    raised, lowered: how many singular values were below and above the band. smallest, largest: extreme singular values
    before, None where all are in the band, which is decided without them. route: as in `sim.svb.Bounding`, the
    costliest one of the matrices; "rows" for matrices of one row; "operator"; "frozen" for a weight that is not
    trained, which is left alone. reached: whether the weight that is stored is in the band, in float32 and float64 up
    to rounding. left: the extreme singular values of what is stored, where known (operators, 16 bits).
    """

    raised: int = 0
    lowered: int = 0
    smallest: float | None = None
    largest: float | None = None
    route: str
    reached: bool = True
    left: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class LayerBounding(Clipping):
    """What was done to one layer. shape: of its weight; matrices: into how many of which size (m, n) it falls."""

    name: str
    shape: tuple[int, ...]
    matrices: int
    size: tuple[int, int]

    def row(self) -> dict[str, str]:
        """The cells of a report."""
        before = "in the band" if self.smallest is None else f"{self.smallest:.4g} to {self.largest:.4g}"
        after = "in the band" if self.left is None else f"{self.left[0]:.4g} to {self.left[1]:.4g}"
        frozen = self.route == "frozen"
        return {
            "layer": self.name or "(model)",
            "weight": " x ".join(map(str, self.shape)),
            "matrices": f"{self.matrices} of {self.size[0]} x {self.size[1]}",
            "raised": str(self.raised),
            "lowered": str(self.lowered),
            "before": "not trained" if frozen else before,
            "after": "not trained" if frozen else after + ("" if self.reached else " (outside)"),
            "route": self.route,
        }


class SingularValueBounding(StepHook[LayerBounding]):
    """Keeps the singular values of every linear and convolutional layer in [1/(1+eps), 1+eps].

    ```
    bound = SingularValueBounding(model, eps=0.05, every=100).attach(optimizer)
    ```
    Jia et al., Algorithm 1; they apply it once an epoch, which is `every=None` and `bound.apply()`. `StepHook` says
    what saving does. Attaching bounds nothing yet: call `apply()` to begin in the band.

    matrices="kernel": the weight (N_out, N_in/groups, k...) of a convolution is bounded as one matrix
    (N_out/groups, N_in/groups k...) for each group (footnote 2); a depthwise layer has one row for each channel. A
    transposed convolution is the adjoint of the convolution with the same weight tensor, and is bounded as that one.
    This says little about the layer as a map of images (claim S-CONV).
    matrices="operator": bounds the circular convolution on images instead, see `sim.operator_band` for what can and
    what cannot be reached, and `sim.cnn.image_sizes` for padding and stride. It costs an SVD per frequency and sweep.
    Needs `example`, an input of the model, from which the sizes of the images are read in one pass in eval mode.

    Bounded are `torch.nn.Linear`, `Conv1d` to `Conv3d`, `ConvTranspose1d` to `3d`, or of these the `layers` named, a
    weight shared by several layers once. A weight with requires_grad False is left alone while that is so. All is
    computed on the CPU in float64 where that matters (`sim.svb`), and written back in place. Weights of float32 and
    float64 lie in the band up to their rounding; those of 16 bits are aimed inside until what is stored lies in the
    band, which a band narrower than their rounding does not allow: a BoundWarning says so, and the report how far off.

    Raises ValueError for eps that is not positive, unknown layers, layers whose weight is computed from others
    (weight_norm, spectral_norm, pruning) and dtypes that are no real floats; TypeError for what is no model.
    """

    def __init__(
        self,
        model: nn.Module,
        eps: float,
        *,
        every: int | None = 100,
        matrices: Literal["kernel", "operator"] = "kernel",
        layers: Iterable[str] | None = None,
        example: Tensor | tuple[Tensor, ...] | None = None,
    ) -> None:
        band(eps)
        require_choice(matrices, "matrices", ("kernel", "operator"))
        if (matrices == "operator") != (example is not None):
            needed = "an input of the model" if matrices == "operator" else "left out"
            got = "None" if example is None else type(example).__name__
            raise ValueError(f"example must be {needed} with matrices={matrices!r}, got {got}")
        found = find_layers(model, KINDS, layers, "linear or convolutional layers")
        first = {id(_weight(layer, name)): name for name, layer in reversed(found.items())}
        super().__init__({name: layer for name, layer in found.items() if name in first.values()}, every)
        self._eps = float(eps)
        self._matrices = matrices
        self._warned: set[str] = set()
        self._geometry: dict[str, Geometry] = {}
        if example is not None:
            self._geometry = operator_geometry(model, self._layers, example)

    def _settings(self) -> dict[str, Any]:
        return {"eps": self._eps, "every": self._every, "matrices": self._matrices, "layers": list(self._layers)}

    def _watched(self, name: str, layer: nn.Module) -> tuple[Tensor]:
        return (_weight(layer, name),)

    def _bound(self, name: str, layer: nn.Module) -> LayerBounding:
        weight = _weight(layer, name)
        stack = _stack(weight, layer)
        try:
            done = self._clip(name, layer, weight, stack)
        except ValueError as error:
            raise ValueError(f"layer {name!r} cannot be bounded: {error}") from error
        if done.left is not None and not done.reached and name not in self._warned:
            self._warned.add(name)
            low, high = band(self._eps)
            warnings.warn(
                f"layer {name!r} is left with singular values from {done.left[0]:.4g} to {done.left[1]:.4g}, outside "
                f"[{low:.4g}, {high:.4g}]; {'see sim.operator_band' if name in self._geometry else _TOO_NARROW}",
                BoundWarning,
                stacklevel=2,
            )
        count, *size = stack.shape
        return LayerBounding(
            name=name, shape=tuple(weight.shape), matrices=count, size=(size[0], size[1]), **vars(done)
        )

    def _clip(self, name: str, layer: nn.Module, weight: nn.Parameter, stack: Matrix) -> Clipping:
        """Bound the weight in place."""
        if not weight.requires_grad:
            return Clipping(route="frozen")
        if name in self._geometry:
            kernels = stack.reshape(*stack.shape[:2], *weight.shape[1:])
            bounded, done = _bound_operators(kernels, self._eps, self._geometry[name], weight.dtype)
        elif weight.dtype in HALF:
            bounded, done = _bound_half(stack, self._eps, weight.dtype)
        else:
            bounded, done = _bound_stack(stack, self._eps)
        if done.route != "unchanged":
            weight.copy_(torch.from_numpy(bounded).reshape(weight.shape))
        return done


_TOO_NARROW = "the band is narrower than the rounding of its dtype"


def _weight(layer: nn.Module, name: str) -> nn.Parameter:
    weight = own_parameter(layer, "weight", name)
    if weight.dtype not in (torch.float32, torch.float64, *HALF):
        raise ValueError(
            f"layer {name!r} must have a weight of dtype float64, float32, bfloat16 or float16, got {weight.dtype}"
        )
    return weight


def _stack(weight: Tensor, layer: nn.Module) -> Matrix:
    """The matrices (groups, m, n) of a weight; 16 bits in float64."""
    dtype = torch.float64 if weight.dtype in HALF else weight.dtype
    groups: int = getattr(layer, "groups", 1)
    shape = groups, weight.shape[0] // groups, math.prod(weight.shape[1:])
    return np.asarray(weight.detach().to("cpu", dtype).reshape(shape).numpy())


def _bound_stack(stack: Matrix, eps: float) -> tuple[Matrix, Clipping]:
    """Matrices (groups, m, n), each bounded as `project_to_band` does it."""
    if stack.size == 0:
        return stack, Clipping(route="unchanged")
    if stack.shape[1] == 1:
        return _bound_rows(stack, eps)
    done = [project_to_band(matrix, eps) for matrix in stack]
    bounded = np.stack([bounding.matrix for bounding in done])
    return bounded, Clipping(
        raised=sum(bounding.raised for bounding in done),
        lowered=sum(bounding.lowered for bounding in done),
        smallest=min((b.smallest for b in done if b.smallest is not None), default=None),
        largest=max((b.largest for b in done if b.largest is not None), default=None),
        route=max((bounding.route for bounding in done), key=ROUTES.index),
    )


def _bound_rows(stack: Matrix, eps: float) -> tuple[Matrix, Clipping]:
    """The same for matrices of one row, all at once: their only singular value is their length."""
    low, high = band(eps)
    with np.errstate(over="ignore"):
        length = np.sqrt(np.einsum("gmn,gmn->g", stack, stack, dtype=np.float64))
    slack = 1.0 + 4.0 * float(np.finfo(stack.dtype).eps)
    raised, lowered = length < low / slack, length > high * slack
    changed = raised | lowered
    bounded = stack.copy()
    for row in np.flatnonzero(~((length > TINY) & (length < HUGE))):
        # no direction, no finite square, or no number: what to do, or to say, is decided in one place
        bounded[row] = project_to_band(stack[row], eps).matrix
        changed[row] = False
    scale = np.clip(length[changed], low, high) / length[changed]
    bounded[changed] = stack[changed] * scale[:, None, None]
    return bounded, Clipping(
        raised=int(raised.sum()),
        lowered=int(lowered.sum()),
        smallest=float(length.min()) if (raised | lowered).any() else None,
        largest=float(length.max()) if (raised | lowered).any() else None,
        route="rows" if (raised | lowered).any() else "unchanged",
    )


def _bound_half(stack: FloatArray, eps: float, dtype: torch.dtype) -> tuple[FloatArray, Clipping]:
    """Matrices that lie in the band once they are rounded to 16 bits, or as near as aiming inside brings them."""
    low, high = band(eps)
    bounded, first = _bound_stack(stack, eps)
    if first.route == "unchanged":
        return bounded, first
    aside, least, kept, left = 0.0, math.inf, bounded, (math.nan, math.nan)
    for _ in range(ATTEMPTS):
        rounded = _rounding_to(dtype)(bounded)
        smallest, largest = _extremes(rounded)
        miss = max(largest / high, low / smallest if smallest > 0 else math.inf)
        if miss < least:
            least, kept, left = miss, rounded, (smallest, largest)
        # at least doubled, since rounding may send neighbouring aims to the same place
        aside = max(2.0 * aside, miss - 1.0 + torch.finfo(dtype).eps / 4)
        aim = (1.0 + eps) / (1.0 + aside) - 1.0
        if miss <= 1.0 or aim <= 0.0:
            break
        bounded = _bound_stack(stack, aim)[0]
    return kept, replace(first, reached=least <= 1.0, left=left)


def _extremes(stack: FloatArray) -> tuple[float, float]:
    values = np.linalg.svd(stack, compute_uv=False)
    return float(values.min()), float(values.max())


def _rounding_to(dtype: torch.dtype) -> Callable[[FloatArray], FloatArray]:
    def rounded(exact: FloatArray) -> FloatArray:
        return np.asarray(torch.from_numpy(exact).to(dtype).to(torch.float64).numpy())

    return rounded


def _bound_operators(
    kernels: Matrix, eps: float, geometry: Geometry, dtype: torch.dtype
) -> tuple[FloatArray, Clipping]:
    """Kernels (groups, N_out, N_in, k...), each brought near the band as a map of images."""
    done = [project_operator(kernel, eps, geometry, store=_rounding_to(dtype)) for kernel in kernels]
    changed = any(not np.array_equal(bounding.kernel, K) for bounding, K in zip(done, kernels, strict=True))
    return np.stack([bounding.kernel for bounding in done]), Clipping(
        raised=sum(bounding.raised for bounding in done),
        lowered=sum(bounding.lowered for bounding in done),
        smallest=min(bounding.before[0] for bounding in done),
        largest=max(bounding.before[1] for bounding in done),
        route="operator" if changed else "unchanged",
        reached=all(bounding.inside for bounding in done),
        left=(min(bounding.after[0] for bounding in done), max(bounding.after[1] for bounding in done)),
    )
