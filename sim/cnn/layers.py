"""What records say of a network's layers: the correlation of their filters, and the spectra of kernel and operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from sim.arrays import FloatArray
from sim.cnn.image_sizes import image_sizes
from sim.conv_spectrum import circular_singular_values, kernel_singular_values
from sim.filter_statistics import correlation_by_distance, filter_correlation

DIGITS = 6


def layer_records(model: nn.Module, side: int, *, epoch: int) -> list[dict[str, Any]]:
    """One record for each convolution with filters larger than one pixel, in the order in which images meet them.

    side: height and width of the images, (3 channels). name, shape, depth (0 first); by_distance: mean correlation of
    the filters' pixels at each distance between them, ascending; mean_correlation: over all pairs of pixels;
    singular_values: of the reshaped kernel, descending; operator: the largest and smallest singular value of the
    circular convolution on images of the size that the layer gets, None where they are smaller than the filters.
    """
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Conv2d)}
    example = torch.zeros(1, 3, side, side, device=next(model.parameters()).device)
    sizes = image_sizes(model, layers, example)
    records: list[dict[str, Any]] = []
    for name, module in layers.items():
        if max(module.kernel_size) == 1:
            continue
        kernel = module.weight.detach().to("cpu", torch.float64).numpy()
        R = filter_correlation(kernel)
        ((height, width),) = sizes[name]
        operator = _operator(kernel, (height, width), module.stride[0])
        records.append(
            {
                "epoch": epoch,
                "name": name,
                "shape": list(kernel.shape),
                "depth": len(records),
                "by_distance": _rounded(correlation_by_distance(R)[1]),
                "mean_correlation": _rounded([(R.sum() - len(R)) / (len(R) * (len(R) - 1))])[0],
                "singular_values": _rounded(kernel_singular_values(kernel)),
                "operator": operator,
            }
        )
    return records


def _operator(kernel: FloatArray, size: tuple[int, int], stride: int) -> list[float] | None:
    if size[0] < kernel.shape[2] or size[1] < kernel.shape[3]:
        return None
    values = circular_singular_values(kernel, size, stride=stride)
    return _rounded([values[0], values[-1]])


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in np.asarray(values, dtype=np.float64)]
