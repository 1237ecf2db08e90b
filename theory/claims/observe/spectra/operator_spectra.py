"""Whole spectra of convolutions, zero padding against circular, and random orthogonal kernels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.conv_spectrum import circular_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import ONE, orthonormal
from theory.claims.observe.rationals import HALF
from theory.claims.observe.spectra.exact_layers import PAIRS, ExactLayer, counted, describe, lower
from theory.claims.observe.spectra.operators import CIRCULAR_SHAPES, Spectrum, from_simulator, from_torch, layers
from theory.claims.observe.spectra.shapes import (
    CIRCULAR,
    Layer,
    Shape,
    Structure,
    dense,
    structure,
    structure_by_torch,
)
from theory.experiment import ExactRoute, Experiment, Observation, Values

STANDARD_ERRORS = 5.0


def by_matrix(layer: Layer) -> FloatArray:
    """All singular values, of the matrix written down entry by entry."""
    return np.asarray(np.linalg.svd(dense(layer.kernel, layer.shape), compute_uv=False))


def over_frequencies(layer: Layer) -> FloatArray:
    """The closed form by torch: a fast Fourier transform of the kernel."""
    from sim.cnn.measured import circular_spectrum

    return circular_spectrum(layer.kernel, layer.shape.image, stride=layer.shape.stride)


def _spectra(batch: Sequence[Layer], matrix: Spectrum, closed_form: Spectrum) -> Observation:
    """The spectrum of the matrices beside the closed form; and beside wrong forms of it."""
    spectrum, closed = (np.array([values(layer) for layer in batch]).T for values in (matrix, closed_form))
    plain = []
    for layer in batch:
        # as if the stride left out frequencies instead of adding them up
        whole = closed_form(replace(layer, shape=replace(layer.shape, stride=1)))
        plain.append(whole[:: max(1, len(whole) // len(spectrum))][: len(spectrum)])
    shape = batch[0].shape
    values = {"p": len(spectrum), "spectrum": spectrum, "closed": closed, "closed_plain": np.array(plain).T}
    return Observation({**values, "stride": shape.stride}, 1e-11)


@cache
def spectra() -> Experiment:
    """All singular values of circular layers, any stride."""
    return Experiment(
        name="spectra of circular layers",
        sample=lambda rng: layers(rng, CIRCULAR_SHAPES, bounded=False),
        observe=lambda batch: _spectra(batch, by_matrix, from_simulator),
        layer=on_layers(lambda batch: _spectra(batch, from_torch, over_frequencies)),
    )


SAME = (
    Shape(1, 1, (1, 3), (1, 4), 1, 1),
    Shape(1, 1, (3, 3), (4, 4), 1, 1),
    Shape(2, 2, (3, 3), (6, 5), 1, 1),
    Shape(2, 1, (2, 3), (5, 5), 1, 1),
    Shape(1, 2, (5, 3), (6, 6), 1, 2),
    Shape(2, 2, (2, 2), (4, 4), 1, 0),
)


def _wider(shape: Shape) -> Shape:
    height, width = (n + k - 1 for n, k in zip(shape.image, shape.kernel, strict=True))
    return replace(shape, image=(height, width), padding=CIRCULAR)


def _padded(batch: Sequence[Layer], route: Spectrum, structure_of: Structure) -> Observation:
    shape = batch[0].shape
    torus = replace(shape, padding=CIRCULAR)
    largest = np.array(
        [[route(replace(layer, shape=s))[0] ** 2 for s in (shape, torus, _wider(shape))] for layer in batch]
    ).T
    values = {
        "p": 1,
        **structure_of(shape),
        "op_max2": largest[0],
        "circular_max2": largest[1],
        "wider_max2": largest[2],
    }
    return Observation(values, 1e-10 * np.maximum(1.0, largest[2]))


def _padded_candidates() -> Iterator[ExactLayer]:
    """Two pixels in a row without padding, so that one patch is left."""
    for pair, scale in product(PAIRS, (ONE, HALF, Fraction(2))):
        yield ExactLayer((tuple(scale * v for v in pair),), Shape(1, 1, (1, 2), (1, 2), 1, 0), ONE)


def _padded_exact(layer: ExactLayer) -> Values:
    """|(a, b)| of one patch; |a + b|, |a - b| on the torus of two pixels, |a + b|, |a + b exp(2 pi i/3)| of three."""
    a, b = layer.R[0]
    torus = max(abs(a + b), abs(a - b)) ** 2
    wider = max((a + b) ** 2, a * a + b * b - a * b)
    found = {"op_max2": a * a + b * b, "circular_max2": torus, "wider_max2": wider}
    return {"p": 1, **counted(layer), **found}


@cache
def zero_padded() -> Experiment:
    """Zero padding against the same kernel on tori of two sizes."""
    return Experiment(
        name="zero padding against circular",
        sample=lambda rng: layers(rng, SAME, bounded=False),
        observe=lambda batch: _padded(batch, from_simulator, structure),
        exact=ExactRoute(_padded_candidates, _padded_exact, describe, lower),
        layer=on_layers(lambda batch: _padded(batch, from_torch, structure_by_torch)),
    )


RANDOM = (
    Shape(1, 1, (1, 2), (1, 5)),
    Shape(1, 1, (3, 3), (5, 5)),
    Shape(2, 2, (2, 2), (4, 3)),
    Shape(3, 2, (3, 1), (6, 1)),
    Shape(2, 4, (1, 3), (1, 5)),
)


def _orthogonal(rng: np.random.Generator, shape: Shape) -> FloatArray:
    size = shape.N_in * shape.kernel[0] * shape.kernel[1]
    return orthonormal(rng, size, shape.N_out).T.reshape(shape.N_out, shape.N_in, *shape.kernel)


def random_kernels(rng: np.random.Generator) -> Iterator[tuple[Shape, list[FloatArray]]]:
    """600 random orthogonal kernels of each shape."""
    for shape in RANDOM:
        yield shape, [_orthogonal(rng, shape) for _ in range(600)]


def observe_moments(case: tuple[Shape, list[FloatArray]]) -> Observation:
    """Means of s^2 and s^4 over frequencies, rows and kernels."""
    shape, kernels = case
    spectra = np.array([circular_singular_values(kernel, shape.image) for kernel in kernels])
    rows = shape.N_out * shape.image[0] * shape.image[1]
    square, fourth = (np.sum(spectra**power, axis=1) / rows for power in (2, 4))
    values = {"p": 1, **structure(shape), "mean_square": square.mean(), "mean_fourth": fourth.mean()}
    error = float(fourth.std(ddof=1)) / np.sqrt(len(kernels))
    return Observation(values, STANDARD_ERRORS * max(error, 1e-12))


@cache
def moments() -> Experiment:
    """Random orthogonal kernels, several channels and taps."""
    return Experiment("random orthogonal kernels", random_kernels, observe_moments)


def two_taps(rng: np.random.Generator) -> Iterator[tuple[FloatArray, list[FloatArray]]]:
    """2000 random kernels of two taps and one channel, and levels."""
    for _ in range(2):
        levels = np.array([1.0, 1.5, 2.0, 4.0, 8.0])
        yield levels, [_orthogonal(rng, Shape(1, 1, (1, 2), (1, 2))) for _ in range(2000)]


def observe_condition(case: tuple[FloatArray, list[FloatArray]]) -> Observation:
    """The share of kernels whose condition number on two pixels exceeds each level."""
    levels, kernels = case
    spectra = np.array([circular_singular_values(kernel, (1, 2)) for kernel in kernels])
    shares = (spectra[:, :1] > levels * spectra[:, 1:]).mean(axis=0)
    error = np.sqrt(np.maximum(shares * (1 - shares), 1 / len(kernels)) / len(kernels))
    return Observation({"p": 1, "level": levels, "share": shares}, STANDARD_ERRORS * error)


@cache
def condition() -> Experiment:
    """Condition numbers of layers of two taps."""
    return Experiment("condition numbers of random kernels", two_taps, observe_condition)
