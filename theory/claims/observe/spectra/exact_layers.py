"""Convolutions of one or two channels on a few pixels, in rationals."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np

from theory.claims.observe.matrices import ONE, TURN, ZERO, Exact, diagonal, shown, times, transposed
from theory.claims.observe.rationals import HALF, QUARTER
from theory.claims.observe.spectra.shapes import CIRCULAR, Layer, Shape, named
from theory.experiment import Values


@dataclass(frozen=True)
class ExactLayer:
    """A kernel, as the rational matrix R (N_out, N_in kh kw), and how it is used."""

    R: Exact
    shape: Shape
    eps: Fraction

    def matrix(self) -> Exact:
        """The operator, entry by entry."""
        shape, (height, width) = self.shape, self.shape.image
        taps = [(c, a, b) for c in range(shape.N_in) for a in range(shape.kernel[0]) for b in range(shape.kernel[1])]
        rows = []
        for o, row, column in product(range(shape.N_out), *(range(n) for n in shape.positions)):
            entries = [ZERO] * (shape.N_in * height * width)
            for weight, (c, a, b) in zip(self.R[o], taps, strict=True):
                place = shape.pixel(row, column, a, b)
                if place is not None:
                    entries[(c * height + place[0]) * width + place[1]] += weight
            rows.append(tuple(entries))
        return tuple(rows)


def counted(layer: ExactLayer) -> Values:
    """What follows from the shape alone, counted in the matrix of a kernel of ones with one channel."""
    shape = layer.shape
    taps = shape.kernel[0] * shape.kernel[1]
    touched = ExactLayer(((ONE,) * taps,), replace(shape, N_in=1, N_out=1), layer.eps).matrix()
    seen = np.array([sum(pixel) for pixel in transposed(touched)])
    counts = named(shape, seen, sum(sum(patch) == taps for patch in touched), len(touched))
    return {name: Fraction(int(count)) for name, count in counts.items()}


def extreme_squares(matrix: Exact) -> tuple[Fraction, Fraction] | None:
    """The squared extreme singular values of a matrix of at most two rows or columns; None if irrational or larger."""
    thin = matrix if len(matrix) <= len(matrix[0]) else transposed(matrix)
    gram = times(thin, transposed(thin))
    if len(gram) == 1:
        return gram[0][0], gram[0][0]
    if len(gram) > 2:
        return None
    half, off = (gram[0][0] - gram[1][1]) / 2, gram[0][1]
    square = half**2 + off**2
    root = Fraction(*(round(float(n) ** 0.5) for n in square.as_integer_ratio()))
    middle = (gram[0][0] + gram[1][1]) / 2
    return (middle + root, middle - root) if root**2 == square else None


def observe_exact(layer: ExactLayer) -> Values:
    """The rational route; empty where singular values are irrational."""
    operator, kernel = extreme_squares(layer.matrix()), extreme_squares(layer.R)
    if operator is None or kernel is None:
        return {}
    return {
        "p": 1,
        **counted(layer),
        "eps": layer.eps,
        "op_max2": operator[0],
        "op_min2": operator[1],
        "op_sum2": sum(v * v for row in layer.matrix() for v in row),
        "kernel_max2": kernel[0],
        "kernel_min2": kernel[1],
        "kernel_sum2": sum(v * v for row in layer.R for v in row),
    }


PAIRS = (
    (ONE, ZERO),
    (Fraction(3, 5), Fraction(4, 5)),
    (Fraction(4, 5), Fraction(-3, 5)),
    (Fraction(5, 13), Fraction(12, 13)),
)
"""Kernels of two taps and length 1."""


def bounded_candidates() -> Iterator[ExactLayer]:
    """Two pixels in a row, kernels of one and two taps, and four pixels that one patch covers, all over the band."""
    unit: Exact = ((ONE, ZERO), (ZERO, ONE))
    tile: Exact = ((HALF, HALF, HALF, HALF), (HALF, -HALF, HALF, -HALF))
    listed: list[tuple[Exact, Shape]] = [(((ONE,),), Shape(1, 1, (1, 1), (1, 2)))]
    listed += [((pair,), Shape(1, 1, (1, 2), (1, 2))) for pair in PAIRS]
    listed += [((pair,), Shape(1, 2, (1, 1), (1, 2))) for pair in PAIRS]
    listed += [(R, Shape(2, 1, (1, 2), (1, 2))) for R in (unit, TURN)]
    listed += [(tile[:rows], Shape(rows, 1, (2, 2), (2, 2), 2)) for rows in (1, 2)]
    for eps, (R, shape) in product((QUARTER, HALF, Fraction(1, 8)), listed):
        for scale in (ONE, 1 + eps, 1 / (1 + eps)):
            yield ExactLayer(tuple(tuple(scale * v for v in row) for row in R), shape, eps)


def circular_candidates() -> Iterator[ExactLayer]:
    """Those, and two channels of different strength on one pixel."""
    yield from bounded_candidates()
    yield ExactLayer(times(TURN, diagonal((Fraction(2), ONE), 2, 2)), Shape(2, 2, (1, 1), (1, 1)), ONE)


def padded_candidates() -> Iterator[ExactLayer]:
    """Two pixels in a row with zeros around them."""
    for a, b in PAIRS:
        yield ExactLayer(((a, b),), Shape(1, 1, (1, 2), (1, 2), 1, 0), ONE)
        yield ExactLayer(((a, b, a),), Shape(1, 1, (1, 3), (1, 2), 1, 1), ONE)
        yield ExactLayer(((2 * a,), (b,)), Shape(2, 1, (1, 1), (1, 2), 1, 0), ONE)


def lower(layer: ExactLayer) -> list[Layer]:
    """An exact layer as a batch of one."""
    shape = layer.shape
    kernel = np.array(layer.R, dtype=np.float64).reshape(shape.N_out, shape.N_in, *shape.kernel)
    return [Layer(kernel, shape, float(layer.eps))]


def describe(layer: ExactLayer) -> tuple[tuple[str, str], ...]:
    """The kernel and how it is used."""
    shape = layer.shape
    return (
        ("R", shown(layer.R)),
        ("N_in", str(shape.N_in)),
        ("image", f"{shape.image[0]} x {shape.image[1]}"),
        ("stride", str(shape.stride)),
        ("padding", "circular" if shape.padding == CIRCULAR else str(shape.padding)),
        ("eps", str(layer.eps)),
    )
