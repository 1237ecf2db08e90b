"""Which circular convolution stands for a layer: read off the sizes of the images in one pass through the model.

- Zero padding: the layer is the circular convolution on the padded image (enlarged until the stride divides it),
  restricted to images that are 0 in the margin and to windows that do not wrap. So the largest singular value of the
  circular one bounds that of the layer; the smallest does not, at the margin singular values get lost.
- Circular padding that keeps the size (2 padding = dilation (k - 1)), with a stride that divides it: the layer itself.
- A transposed convolution is the adjoint of a convolution of the images that it puts out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from sim.operator_band import Geometry


def operator_geometry(
    model: nn.Module, layers: Mapping[str, nn.Module], example: Tensor | tuple[Tensor, ...]
) -> dict[str, Geometry]:
    """The geometry of each convolution among the layers, by name; linear layers have none.

    example: an input of the model, or all of its inputs. Raises ValueError for a convolution that the pass does not
    reach or reaches with images of several sizes, and for padding that belongs to neither case.
    """
    convolutions = {name: layer for name, layer in layers.items() if isinstance(layer, _ConvNd)}
    sizes = image_sizes(model, convolutions, example)
    return {name: _geometry(name, layer, sizes[name]) for name, layer in convolutions.items()}


def image_sizes(
    model: nn.Module, layers: Mapping[str, _ConvNd], example: Tensor | tuple[Tensor, ...]
) -> dict[str, set[tuple[int, ...]]]:
    """The sizes of the images that each convolution is given, or puts out if it is transposed, in one pass.

    The pass is in eval mode and without gradients, and changes nothing of the model.
    """
    sizes: dict[str, set[tuple[int, ...]]] = {name: set() for name in layers}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            images = output if isinstance(layer, _ConvTransposeNd) else inputs[0]
            dimensions = layer.weight.dim() - 2  # type: ignore[operator]
            sizes[name].add(tuple(images.shape[-dimensions:]))

        return hook

    handles = [layer.register_forward_hook(note(name)) for name, layer in layers.items()]
    try:
        with torch.no_grad(), _evaluating(model):
            model(*(example if isinstance(example, tuple) else (example,)))
    finally:
        for handle in handles:
            handle.remove()
    return sizes


def _geometry(name: str, layer: _ConvNd, sizes: set[tuple[int, ...]]) -> Geometry:
    if len(sizes) != 1:
        got = " and ".join(map(str, sorted(sizes))) if sizes else "none"
        raise ValueError(
            f"layer {name!r} must be given images of one size by the example, got {got}; "
            "leave it out by layers=[...] or bound its kernel"
        )
    (image,) = sizes
    extents = [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
    margins = [_margin(layer.padding, i, extent) for i, extent in enumerate(extents)]
    divided = all(side % s == 0 for side, s in zip(image, layer.stride, strict=True))
    if layer.padding_mode == "circular" and margins == extents and divided:
        return Geometry(image, tuple(layer.stride), tuple(layer.dilation))
    if layer.padding_mode != "zeros":
        raise ValueError(
            f"layer {name!r} must have zero padding, or circular padding that keeps the size of its images, got "
            f"padding {layer.padding!r} of mode {layer.padding_mode!r} on images {image} with stride {layer.stride}"
        )
    padded = [side + margin for side, margin in zip(image, margins, strict=True)]
    grid = tuple(-(-side // s) * s for side, s in zip(padded, layer.stride, strict=True))
    return Geometry(grid, tuple(layer.stride), tuple(layer.dilation))


def _margin(padding: str | tuple[int, ...], dimension: int, extent: int) -> int:
    """How many pixels are added on both sides together."""
    if isinstance(padding, str):
        return extent if padding == "same" else 0
    return 2 * padding[dimension]


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True
