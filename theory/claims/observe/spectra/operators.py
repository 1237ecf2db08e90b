"""Convolutions as linear maps of images, beside their kernels as matrices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import numpy as np

from sim.arrays import FloatArray
from sim.conv_spectrum import circular_singular_values, kernel_singular_values, reshaped, zero_padded_extremes
from sim.svb import bound_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import orthonormal
from theory.claims.observe.spectra.exact_layers import (
    ExactLayer,
    bounded_candidates,
    circular_candidates,
    describe,
    lower,
    observe_exact,
    padded_candidates,
)
from theory.claims.observe.spectra.shapes import (
    CIRCULAR,
    Layer,
    Shape,
    Structure,
    dense_torch,
    structure,
    structure_by_torch,
)
from theory.experiment import ExactRoute, Experiment, Observation

Spectrum = Callable[[Layer], FloatArray]
"""A layer to singular values, of which the largest and smallest are right (all of them if circular), descending."""
Route = tuple[Spectrum, Spectrum, Structure]
"""Singular values of the map and of the reshaped kernel, and what follows from the shapes."""


def from_simulator(layer: Layer) -> FloatArray:
    """Closed form over frequencies, or Lanczos."""
    shape = layer.shape
    if shape.padding == CIRCULAR:
        return circular_singular_values(layer.kernel, shape.image, stride=shape.stride)
    return np.array(zero_padded_extremes(layer.kernel, shape.image, padding=shape.padding, stride=shape.stride))


def from_torch(layer: Layer) -> FloatArray:
    """Of the matrix of a torch layer."""
    from sim.cnn.measured import singular_values

    return singular_values(dense_torch(layer.kernel, layer.shape))


def of_kernel(layer: Layer) -> FloatArray:
    """Of the reshaped kernel, by the simulator."""
    return kernel_singular_values(layer.kernel)


def of_kernel_by_torch(layer: Layer) -> FloatArray:
    """The same by torch: the kernel's rows are its outputs."""
    from sim.cnn.measured import singular_values

    return singular_values(layer.kernel.reshape(layer.shape.N_out, -1))


def _observation(batch: Sequence[Layer], route: Route) -> Observation:
    *spectral, structure_of = route
    spectra, kernels = (np.array([values(layer) for layer in batch]).T for values in spectral)
    values = {
        "p": 1,
        **structure_of(batch[0].shape),
        "eps": np.array([layer.eps for layer in batch]),
        "op_max2": spectra[0] ** 2,
        "op_min2": spectra[-1] ** 2,
        "op_sum2": np.square(spectra).sum(axis=0),
        "kernel_max2": kernels[0] ** 2,
        "kernel_min2": kernels[-1] ** 2,
        "kernel_sum2": np.square(kernels).sum(axis=0),
    }
    return Observation(
        values, 1e-11 * np.maximum(1.0, np.square(kernels).sum(axis=0) * batch[0].shape.positions[0] ** 2)
    )


CIRCULAR_SHAPES = (
    Shape(1, 1, (1, 2), (1, 4)),
    Shape(1, 1, (2, 2), (4, 4)),
    Shape(2, 2, (3, 3), (5, 4)),
    Shape(2, 3, (2, 3), (4, 6)),
    Shape(3, 2, (3, 1), (4, 3)),
    Shape(5, 1, (2, 2), (4, 3)),
    Shape(9, 1, (3, 3), (4, 4)),
    Shape(8, 2, (1, 4), (1, 6)),
    Shape(2, 3, (1, 1), (2, 2)),
    Shape(2, 2, (2, 2), (4, 4), 2),
    Shape(5, 1, (2, 2), (2, 4), 2),
    Shape(2, 1, (4, 4), (4, 8), 2),
    Shape(1, 2, (3, 3), (6, 3), 3),
)
PADDED_SHAPES = (
    Shape(1, 1, (3, 3), (4, 4), 1, 1),
    Shape(2, 2, (3, 3), (4, 5), 1, 1),
    Shape(2, 3, (3, 3), (5, 5), 2, 1),
    Shape(2, 2, (2, 2), (4, 4), 1, 0),
    Shape(9, 1, (3, 3), (4, 4), 1, 1),
    Shape(3, 1, (1, 3), (1, 6), 1, 2),
    Shape(1, 2, (2, 2), (4, 4), 2, 0),
)


def _kernels(rng: np.random.Generator, shape: Shape, kind: int, eps: float) -> FloatArray:
    """Kernels of all kinds: any, orthogonal, constant over the taps, and differences of neighbouring taps."""
    size = (shape.N_out, shape.N_in, *shape.kernel)
    m, n = shape.N_out, shape.N_in * shape.kernel[0] * shape.kernel[1]
    if kind % 4 == 0:
        return rng.normal(size=size)
    if kind % 4 == 1:
        return (orthonormal(rng, n, m).T if m <= n else orthonormal(rng, m, n)).reshape(size)
    taps = np.ones(shape.kernel) if kind % 4 == 2 else (-1.0) ** np.add.outer(*(np.arange(k) for k in shape.kernel))
    channels = rng.normal(size=size[:2])
    return channels[:, :, None, None] * taps / np.sqrt(taps.size) * rng.uniform(0.5, 1.5)


def layers(rng: np.random.Generator, shapes: Sequence[Shape], *, bounded: bool) -> Iterator[list[Layer]]:
    """Eight layers of each shape; `bounded` ones after SVB."""
    for shape in shapes:
        batch = []
        for kind in range(8):
            eps = float(rng.uniform(0.05, 0.3))
            kernel = _kernels(rng, shape, kind, eps)
            if bounded:
                kernel = bound_singular_values(reshaped(kernel), eps).reshape(kernel.shape)
            batch.append(Layer(kernel, shape, eps))
        yield batch


def _experiment(
    name: str, shapes: Sequence[Shape], candidates: Callable[[], Iterator[ExactLayer]], *, bounded: bool
) -> Experiment:
    return Experiment(
        name=name,
        sample=lambda rng: layers(rng, shapes, bounded=bounded),
        observe=lambda batch: _observation(batch, (from_simulator, of_kernel, structure)),
        exact=ExactRoute(candidates, observe_exact, describe, lower),
        layer=on_layers(lambda batch: _observation(batch, (from_torch, of_kernel_by_torch, structure_by_torch))),
    )


@cache
def bounded_kernels() -> Experiment:
    """Circular layers whose reshaped kernel has been bounded."""
    return _experiment("layers with bounded kernels", CIRCULAR_SHAPES, bounded_candidates, bounded=True)


@cache
def circular() -> Experiment:
    """Circular layers with any kernels."""
    return _experiment("circular layers", CIRCULAR_SHAPES, circular_candidates, bounded=False)


@cache
def any_padding() -> Experiment:
    """Circular layers and zero-padded ones, with any kernels."""

    def candidates() -> Iterator[ExactLayer]:
        yield from circular_candidates()
        yield from padded_candidates()

    return _experiment("layers of any padding", CIRCULAR_SHAPES + PADDED_SHAPES, candidates, bounded=False)
