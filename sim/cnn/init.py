"""Correlated initialisation of convolutions, in place, for any model (Schneider, Section 5 and Algorithm 1).

Each k x k filter is drawn by itself as N(0, sigma^2 R), R the correlation of its pixels, with sigma of
`sim.correlation.weight_std`. Draws are made in float64 on the generator's device (none given: torch's own generator of
the CPU), then cast, so that a seed gives the same filters in every dtype and on every device.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.correlation import SCALES, correlation_root, require_filter_correlation, weight_std
from sim.errors import require_choice, require_correlation_matrix
from sim.known import find_correlation
from sim.nearest import scale_correlation

Generator = torch.Generator | np.random.Generator | None
Size = tuple[int, int]

OTHERS = ("error", "kaiming")
"""What `initialize_` does with a kernel size for which no R is given."""


@dataclass(frozen=True)
class LayerInit:
    """What became of one layer: how is "correlated", "kaiming" or "untouched", and why.

    shape is that of its weight; sigma, the standard deviation of one weight, is None where it was left untouched.
    """

    name: str
    shape: tuple[int, ...]
    how: str
    why: str
    sigma: float | None = None


@dataclass(frozen=True)
class InitReport:
    """What `initialize_` did, layer by layer, in the order of the model; `str` gives a table."""

    scale: str
    layers: tuple[LayerInit, ...]

    def __str__(self) -> str:
        sizes = [" x ".join(map(str, layer.shape)) for layer in self.layers]
        widths = [max(map(len, column)) for column in ([layer.name for layer in self.layers], sizes)]
        lines = []
        for layer, size in zip(self.layers, sizes, strict=True):
            sigma = "" if layer.sigma is None else f"sigma {layer.sigma:.4g}"
            lines.append(f"{layer.name:<{widths[0]}}  {size:<{widths[1]}}  {layer.how:<10}  {sigma:<15}  {layer.why}")
        return "\n".join(line.rstrip() for line in lines)


def correlated_normal_(
    weight: Tensor,
    *,
    R: object,
    alpha: float = 1.0,
    scale: str = "sum",
    moments: object = None,
    generator: Generator = None,
) -> Tensor:
    """Fill the weight of a convolution (N_out, N_in / groups, kh, kw) with correlated filters, and return it.

    R: correlation (kh kw, kh kw) of the pixels, row by row: an array or tensor, the name of a known one
    (`sim.known.known_correlations`), the path of a JSON file, or a mapping from kernel sizes, k or (kh, kw), to these.
    alpha: the off-diagonals of R times this (`sim.nearest.scale_correlation`). scale: see `sim.correlation.weight_std`;
    "mean_field" needs `moments`, (kh kw, kh kw) or a mapping like R. A 1 x 1 kernel has no pixels to correlate: it is
    drawn as Kaiming normal, with variance 2/N_in, whatever R is.

    Raises TypeError for what is no tensor of floating point numbers, ValueError for another shape, for an R that does
    not fit and for a scale that does not exist, each before anything is changed.
    """
    _require_weight(weight, "weight")
    height, width = size = _size(weight)
    if size == (1, 1):
        require_choice(scale, "scale", SCALES)
        return _fill(weight, np.ones((1, 1)), _kaiming(weight), generator)
    matrices = _matrices(R if isinstance(R, Mapping | str | os.PathLike) else {size: R})
    if size not in matrices:
        raise ValueError(f"R must hold a correlation for {height} x {width} filters, got one for {_names(matrices)}")
    matrix = scale_correlation(matrices[size], alpha)
    inputs = moments if isinstance(moments, Mapping) or moments is None else {size: moments}
    sigma = weight_std(scale, matrix, weight.shape[1], moments=_moments(inputs).get(size))
    return _fill(weight, matrix, sigma, generator)


def initialize_(
    model: nn.Module,
    *,
    R: object,
    alpha: float = 1.0,
    scale: str = "sum",
    moments: object = None,
    other: str = "error",
    generator: Generator = None,
) -> InitReport:
    """Fill the weights of every Conv2d of a model with correlated filters; returns what was done with each layer.

    The arguments are those of `correlated_normal_`; one R is for square filters of its own size. Kernels of 1 x 1 are
    drawn as Kaiming normal. Other layers with weights (linear, transposed, 1d and 3d convolutions), biases and
    normalisation stay as they are. other: "error", or "kaiming" for kernel sizes for which no R is given.

    Everything is checked before any weight is changed. Raises ValueError, naming the layer, for a kernel size without
    R, a weight that is not there yet (lazy layers) or is computed from others (weight or spectral norm, pruning), and
    for a model without Conv2d; otherwise as `correlated_normal_`.
    """
    require_choice(scale, "scale", SCALES)
    require_choice(other, "other", OTHERS)
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    layers = [(name or "(model)", layer) for name, layer in model.named_modules() if _has_matrix(layer)]
    convolutions = [(name, layer) for name, layer in layers if isinstance(layer, nn.Conv2d)]
    if not convolutions:
        raise ValueError(f"model must have at least one Conv2d layer, got {type(model).__name__} with none")
    matrices = {size: scale_correlation(matrix, alpha) for size, matrix in _matrices(R).items()}
    inputs = _moments(moments)
    plans = {}
    for name, layer in convolutions:
        if "weight" not in dict(layer.named_parameters(recurse=False)):
            raise ValueError(
                f"layer {name!r} must have its weight as a parameter, got one that is computed from others; "
                "initialise before weight norm, spectral norm or pruning is applied"
            )
        weight = _require_weight(layer.weight, f"the weight of layer {name!r}")
        plans[name] = _plan(name, weight, matrices, scale, inputs, other)
    report = []
    for name, layer in layers:
        if name not in plans:
            report.append(LayerInit(name, _shape(layer.weight), "untouched", f"{type(layer).__name__} is no Conv2d"))
            continue
        matrix, planned = plans[name]
        assert planned.sigma is not None
        _fill(layer.weight, matrix, planned.sigma, generator)
        report.append(planned)
    return InitReport(scale, tuple(report))


def _plan(
    name: str,
    weight: Tensor,
    matrices: Mapping[Size, FloatArray],
    scale: str,
    moments: Mapping[Size, object],
    other: str,
) -> tuple[FloatArray, LayerInit]:
    """The correlation that a layer's filters get, and the entry of the report."""
    height, width = size = _size(weight)
    shape = tuple(weight.shape)
    if size == (1, 1):
        return np.ones((1, 1)), LayerInit(name, shape, "kaiming", "1 x 1", _kaiming(weight))
    if size in matrices:
        try:
            sigma = weight_std(scale, matrices[size], weight.shape[1], moments=moments.get(size))
        except ValueError as error:
            raise ValueError(f"layer {name!r} with {height} x {width} filters: {error}") from error
        return matrices[size], LayerInit(name, shape, "correlated", f"scale {scale!r}", sigma)
    if other == "kaiming":
        why = f"no R for {height} x {width}"
        return np.eye(height * width), LayerInit(name, shape, "kaiming", why, _kaiming(weight))
    key = str(height) if height == width else f"({height}, {width})"
    raise ValueError(
        f"R must hold a correlation for the {height} x {width} filters of layer {name!r}, got one for "
        f"{_names(matrices)}; give a mapping such as R={{{key}: ...}}, or other='kaiming'"
    )


def _matrices(R: object) -> dict[Size, FloatArray]:
    """Correlation matrices by kernel size, of everything that R may be."""
    if isinstance(R, Mapping):
        found: dict[Size, FloatArray] = {}
        for key, value in R.items():
            size = _key(key, "R")
            found[size] = require_filter_correlation(_matrix(value), *size)
        if not found:
            raise ValueError("R must hold a correlation for at least one kernel size, got an empty mapping")
        return found
    matrix = require_correlation_matrix(_matrix(R), "R")
    k = math.isqrt(len(matrix))
    if k * k != len(matrix):
        raise ValueError(
            f"R must be k^2 x k^2 for the pixels of k x k filters, got {matrix.shape}; for filters that are not "
            f"square give a mapping such as {{(1, {len(matrix)}): ...}}"
        )
    return {(k, k): matrix}


def _moments(moments: object) -> dict[Size, object]:
    """Second moments of inputs by kernel size; one matrix is for square filters."""
    if moments is None:
        return {}
    if isinstance(moments, Mapping):
        return {_key(key, "moments"): _array(value) for key, value in moments.items()}
    matrix = np.asarray(_array(moments))
    k = math.isqrt(len(matrix)) if matrix.ndim else 0
    if matrix.shape != (k * k, k * k):
        raise ValueError(f"moments must be k^2 x k^2 for windows of k x k inputs, got shape {matrix.shape}")
    return {(k, k): matrix}


def _key(key: object, name: str) -> Size:
    size = (key, key) if isinstance(key, int) else key
    if not (isinstance(size, tuple) and len(size) == 2 and all(isinstance(s, int) and s >= 1 for s in size)):
        raise ValueError(f"{name} must have kernel sizes k or (height, width) as keys, got {key!r}")
    return size


def _matrix(value: object) -> object:
    """A name or a file as the matrix that it stands for; tensors as arrays."""
    return find_correlation(value).R if isinstance(value, str | os.PathLike) else _array(value)


def _array(value: object) -> object:
    if not isinstance(value, Tensor):
        return value
    plain = value.detach().cpu()
    # NumPy has no bfloat16; its rounding is no worse after the cast
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def _names(matrices: Mapping[Size, object]) -> str:
    return ", ".join(f"{height} x {width}" for height, width in matrices)


def _has_matrix(layer: nn.Module) -> bool:
    """Whether a layer has a weight of its own with at least two dimensions; a lazy one has no shape yet."""
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, Tensor):
        return False
    return isinstance(layer, nn.Conv2d) or isinstance(weight, nn.UninitializedParameter) or weight.ndim > 1


def _shape(weight: object) -> tuple[int, ...]:
    return (
        () if isinstance(weight, nn.UninitializedParameter) or not isinstance(weight, Tensor) else tuple(weight.shape)
    )


def _require_weight(weight: object, name: str) -> Tensor:
    if not isinstance(weight, Tensor):
        raise TypeError(f"{name} must be a tensor, got {type(weight).__name__}")
    if isinstance(weight, nn.UninitializedParameter):
        raise ValueError(f"{name} must exist, but its layer is lazy; run a batch through the model first")
    if not weight.is_floating_point():
        raise TypeError(f"{name} must hold floating point numbers, got {weight.dtype}")
    if weight.ndim != 4 or weight.numel() == 0:
        raise ValueError(
            f"{name} must have shape (N_out, N_in / groups, height, width), each at least 1, got {tuple(weight.shape)}"
        )
    if weight.is_meta:
        raise ValueError(f"{name} must hold numbers, got a meta tensor; model.to_empty(device=...) makes room for them")
    return weight


def _size(weight: Tensor) -> Size:
    return weight.shape[2], weight.shape[3]


def _kaiming(weight: Tensor) -> float:
    """He's standard deviation, sqrt(2/fan_in)."""
    return math.sqrt(2.0 / weight[0].numel())


def _fill(weight: Tensor, R: FloatArray, sigma: float, generator: Generator) -> Tensor:
    rows = weight.shape[0] * weight.shape[1]
    filters = sigma * _standard_normal((rows, len(R)), generator) @ correlation_root(R).T
    with torch.no_grad():
        weight.copy_(torch.from_numpy(filters.reshape(weight.shape)))
    return weight


def _standard_normal(shape: Size, generator: Generator) -> FloatArray:
    if isinstance(generator, np.random.Generator):
        return generator.standard_normal(shape)
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator must be a torch.Generator or a numpy.random.Generator, got {type(generator).__name__}"
        )
    device = "cpu" if generator is None else generator.device
    drawn = torch.randn(shape, generator=generator, device=device, dtype=torch.float64)
    return np.asarray(drawn.cpu().numpy())
