"""Diagnose the weights of a network: its filters' correlation, the spectra of its layers, the scales of its BN.

A state dict is enough. It does not say groups, strides and the eps of BN: given a model, groups and eps are read off
it; from a state dict alone, a convolution with one channel in per group that is not the first layer counts as
depthwise, any other as having one group unless `groups` says otherwise, and eps is PyTorch's 1e-5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from sim.arrays import FloatArray
from sim.bbn import bounded_scales, in_own_band, layer_scales
from sim.cnn.weights_file import is_plain
from sim.conv_spectrum import circular_singular_values, kernel_singular_values
from sim.diagnosis import Diagnosis, FilterCorrelation, LayerDiagnosis, NormDiagnosis, Spectrum
from sim.errors import printable, require_int, require_positive, require_positive_int, require_shape
from sim.filter_bootstrap import RESAMPLES
from sim.filter_diagnosis import FilterMoments, correlate, filter_moments
from sim.svb import band

NORM_EPS = 1e-5
"""PyTorch's, of batch norm."""
LARGEST_WORK = 6e9
"""Products to decompose one layer, (min side)^2 (max side) for each of its matrices: some seconds on one core."""
LARGEST_SPECTRUM = 2**24
"""Complex numbers to be held at once for the spectrum of a layer on images."""


def diagnose(
    weights: Mapping[str, Tensor] | nn.Module,
    *,
    groups: Mapping[str, int] | None = None,
    image: tuple[int, int] = (8, 8),
    eps: float = 0.05,
    bn_eps: float = 0.2,
    resamples: int = RESAMPLES,
    rng: np.random.Generator | None = None,
    on_layer: Callable[[str, int, int], object] | None = None,
) -> Diagnosis:
    """Diagnose a state dict, or a model; what follows from it, in words, is `sim.diagnosis.findings`.

    groups: of convolutions by name, where they are known. image: height and width for the spectra of layers on images.
    eps, bn_eps: the bands of SVB and of bounded batch norm. resamples, rng: of the bootstrap (none: seed 0).
    on_layer(name, done, total) is called before each layer.

    Raises TypeError for what is no state dict, ValueError for NaN or infinities, groups that do not divide, a negative
    variance, a band that is not positive, and where there is no convolution.
    """
    band(eps)
    require_shape(require_positive(bn_eps, "bn_eps"), "bn_eps", ())
    height, width = (require_positive_int(side, "image") for side in image)
    resamples = require_int(resamples, "resamples", 2)
    rng = np.random.default_rng(0) if rng is None else rng
    known, norm_eps = _settings(weights) if isinstance(weights, nn.Module) else ({}, {})
    tensors, unread = _readable(weights.state_dict() if isinstance(weights, nn.Module) else weights)
    kernels, norms, others = _sorted(tensors)
    first = _first(kernels)
    split = {name: _groups(name, kernel, first, {**known, **(groups or {})}) for name, kernel in kernels.items()}
    for name in groups or {}:
        if name not in kernels:
            raise ValueError(f"groups must name layers with a kernel, got {printable(name)!r}")
    found_norms = tuple(_norm(name, tensors, norm_eps.get(name, NORM_EPS), bn_eps) for name in norms)
    layers: list[LayerDiagnosis] = []
    moments: list[FilterMoments] = []
    for done, (name, tensor) in enumerate(kernels.items()):
        if on_layer is not None:
            on_layer(name, done, len(kernels))
        layer, own = _diagnose_layer(name, tensor, split[name], (height, width), eps, resamples, rng)
        layers.append(layer)
        moments += own
    pooled, unread = _pooled(moments, first), {**unread, **others}
    return Diagnosis(eps, bn_eps, (height, width), first, tuple(layers), found_norms, pooled, unread)


def _diagnose_layer(
    name: str,
    tensor: Tensor,
    groups: int,
    image: tuple[int, int],
    eps: float,
    resamples: int,
    rng: np.random.Generator,
) -> tuple[LayerDiagnosis, list[FilterMoments]]:
    """One layer, and the second moments of its filters, if they have any."""
    kernel = _array(tensor).reshape(*tensor.shape, *(1,) * (4 - tensor.ndim))
    left_out: dict[str, str] = {}
    moments = []
    try:
        moments.append(filter_moments(name, kernel, resamples=resamples, rng=rng))
    except ValueError as error:
        left_out["correlation"] = str(error)
    parts = np.split(kernel, groups)
    layer = LayerDiagnosis(
        name,
        tuple(tensor.shape),
        groups,
        correlate(moments) if moments else None,
        _kernel_spectrum(parts, eps, _rounding(tensor), left_out),
        _operator_spectrum(parts, image, eps, _rounding(tensor), left_out),
        left_out,
    )
    return layer, moments


def _settings(model: nn.Module) -> tuple[dict[str, int], dict[str, float]]:
    """Groups of the convolutions and eps of the BN layers of a model, by name."""
    layers = {name or "(model)": layer for name, layer in model.named_modules()}
    groups = {name: layer.groups for name, layer in layers.items() if isinstance(layer, nn.Conv2d)}
    norms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    return groups, {name: layer.eps for name, layer in layers.items() if isinstance(layer, norms)}


def _readable(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of finite numbers, and why others are left out. ValueError for NaN and infinities."""
    if not isinstance(state, Mapping) or not all(isinstance(tensor, Tensor) for tensor in state.values()):
        raise TypeError(f"weights must be a model or a state dict, name -> tensor, got {type(state).__name__}")
    tensors, unread = {}, {}
    for name, tensor in state.items():
        if not is_plain(tensor):
            unread[name] = "sparse, quantised, complex, nested or without numbers"
        elif not tensor.is_floating_point():
            unread[name] = "no floating point numbers"
        elif not np.isfinite(_array(tensor)).all():
            raise ValueError(f"weights must be finite, got NaN or infinity in {printable(name)!r}")
        else:
            tensors[name] = tensor
    return tensors, unread


def _sorted(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str], dict[str, str]]:
    """Kernels and matrices by layer, the names of BN layers, and why other tensors are left out."""
    norms = [_layer(name) for name in tensors if _last(name) == "running_var"]
    kernels, others = {}, {}
    for name, tensor in tensors.items():
        if _last(name) == "weight" and tensor.ndim in (2, 4) and tensor.numel() > 0:
            kernels[_layer(name)] = tensor
        elif _layer(name) not in norms and _last(name) != "bias":
            others[name] = f"no kernel or matrix by its name and shape {tuple(tensor.shape)}"
    if not any(tensor.ndim == 4 for tensor in kernels.values()):
        held = ", ".join(f"{printable(name)} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:4])
        raise ValueError(
            "weights must hold a convolution, named '...weight' and of shape (N_out, N_in, height, width), got "
            f"{held or 'no tensor of floating point numbers'}"
        )
    return kernels, norms, others


def _first(kernels: Mapping[str, Tensor]) -> str:
    """The layer that sees the images: the first convolution of three channels, else the first of all."""
    convolutions = [name for name, tensor in kernels.items() if tensor.ndim == 4]
    return next((name for name in convolutions if kernels[name].shape[1] == 3), convolutions[0])


def _groups(name: str, kernel: Tensor, first: str, known: Mapping[str, int]) -> int:
    outputs, inputs = kernel.shape[:2]
    depthwise = kernel.ndim == 4 and inputs == 1 and name != first
    count = require_positive_int(known.get(name, outputs if depthwise else 1), "groups")
    if outputs % count:
        raise ValueError(f"groups must divide the {outputs} channels out of layer {printable(name)!r}, got {count}")
    return count


def _norm(name: str, tensors: Mapping[str, Tensor], eps: float, bn_eps: float) -> NormDiagnosis:
    prefix = "" if name == "(model)" else f"{name}."
    variance = _array(tensors[f"{prefix}running_var"])
    gamma = _array(tensors[f"{prefix}weight"]) if f"{prefix}weight" in tensors else np.ones(variance.shape)
    try:
        scales = np.abs(layer_scales(gamma, variance, eps=eps))
    except ValueError as error:
        raise ValueError(f"BN layer {printable(name)!r}: {error}") from error
    inside = bool(in_own_band(scales, (1 + bn_eps) * (1 + _rounding(tensors[f"{prefix}running_var"])) - 1))
    step = 0.0 if inside else np.linalg.norm(bounded_scales(scales, bn_eps, mode="settled") - scales)
    change = float(step / (np.linalg.norm(scales) or 1.0))
    return NormDiagnosis(name, len(scales), float(scales.min()), float(scales.max()), inside, change)


def _spectrum(values: FloatArray, eps: float, rounding: float) -> Spectrum:
    low, high = band(eps)
    inside = (values >= low * (1 - rounding)) & (values <= high * (1 + rounding))
    # squares of huge values would overflow
    top = float(values.max()) or 1.0
    unit, step = values / top, np.where(inside, 0.0, (np.clip(values, low, high) - values) / top)
    size = float(np.linalg.norm(unit))
    return Spectrum(
        count=len(values),
        smallest=float(values.min()),
        largest=float(values.max()),
        in_band=float(inside.mean()),
        change=float(np.linalg.norm(step)) / size if size > 0 else math.inf,
    )


def _kernel_spectrum(parts: list[FloatArray], eps: float, rounding: float, left_out: dict[str, str]) -> Spectrum | None:
    sides = sorted((len(parts[0]), parts[0][0].size))
    if len(parts) * sides[0] ** 2 * sides[1] > LARGEST_WORK:
        left_out["kernel"] = f"too large to decompose here: {sides[0]} x {sides[1]}"
        return None
    return _spectrum(np.concatenate([kernel_singular_values(part) for part in parts]), eps, rounding)


def _operator_spectrum(
    parts: list[FloatArray], image: tuple[int, int], eps: float, rounding: float, left_out: dict[str, str]
) -> Spectrum | None:
    outputs, inputs, height, width = parts[0].shape
    # one of each two opposite frequencies
    frequencies = math.prod(image) // 2 + 2
    sides = sorted((outputs, inputs))
    if height * width == 1:
        left_out["operator"] = "one pixel: that of the kernel"
    elif height > image[0] or width > image[1]:
        left_out["operator"] = f"filters larger than images of {image[0]} x {image[1]}"
    elif len(parts) * frequencies * sides[0] ** 2 * sides[1] > LARGEST_WORK:
        left_out["operator"] = f"too large to decompose here on images of {image[0]} x {image[1]}"
    elif frequencies * outputs * inputs > LARGEST_SPECTRUM:
        left_out["operator"] = f"too large to hold here on images of {image[0]} x {image[1]}"
    else:
        return _spectrum(np.concatenate([circular_singular_values(part, image) for part in parts]), eps, rounding)
    return None


def _pooled(moments: list[FilterMoments], first: str) -> dict[int, FilterCorrelation]:
    """For each k the correlation over its layers without the first, or over that one if it is the only one."""
    by_size: dict[int, list[FilterMoments]] = {}
    for layer in moments:
        by_size.setdefault(math.isqrt(len(layer.moments)), []).append(layer)
    return {
        k: correlate([layer for layer in layers if layer.layer != first] or layers)
        for k, layers in sorted(by_size.items())
    }


def _rounding(tensor: Tensor) -> float:
    """By what share of itself rounding of the dtype may have moved a singular value or a scale."""
    return 4 * torch.finfo(tensor.dtype).eps


def _layer(name: str) -> str:
    return name.rpartition(".")[0] or "(model)"


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.detach().to("cpu", torch.float64).numpy())
