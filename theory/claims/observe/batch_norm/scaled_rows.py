"""Singular values of G W: a matrix whose rows are rescaled, as batch normalisation does it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from typing import Literal

import numpy as np

from sim.arrays import FloatArray
from sim.batch_norm import NormedLayer
from theory.claims.observe.exact_spectra import ROTATIONS, squared_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, ONE, ZERO, Exact, orthonormal, shown, transposed
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

Shape = Literal["tall", "fat", "any"]
SHAPES: dict[Shape, tuple[tuple[int, int], ...]] = {
    "tall": ((1, 1), (2, 1), (3, 2), (5, 3), (4, 4), (9, 4)),
    "fat": ((1, 1), (1, 2), (2, 3), (3, 5), (4, 4), (4, 9)),
    "any": ((1, 1), (2, 1), (1, 3), (3, 2), (2, 4), (5, 5), (6, 3)),
}


@dataclass(frozen=True, eq=False)
class Rescaled:
    """W (M, N) with singular values s (min(M, N),), and the diagonal g (M,) of G."""

    W: FloatArray
    s: FloatArray
    g: FloatArray


def with_spectrum(rng: np.random.Generator, rows: int, columns: int, s: FloatArray) -> FloatArray:
    """A random matrix (rows, columns) with the singular values s (min(rows, columns),)."""
    k = min(rows, columns)
    return np.asarray(orthonormal(rng, rows, k) * s @ orthonormal(rng, columns, k).T)


def _draws(rng: np.random.Generator, shape: Shape, *, ones: bool) -> Iterator[Rescaled]:
    for rows, columns in SHAPES[shape] * 8:
        count = min(rows, columns)
        s = np.ones(count) if ones else np.sort(rng.uniform(0.25, 3.0, count))
        g = rng.choice([-1.0, 1.0], rows) * rng.uniform(0.2, 3.0, rows)
        # the lemma excludes zeros, its proof does not
        g[rng.random(rows) < 0.1] = 0.0
        yield Rescaled(with_spectrum(rng, rows, columns, s), s, g)


def _observed(draw: Rescaled, matrix: FloatArray) -> Observation:
    rows, columns = draw.W.shape
    g = np.sort(np.abs(draw.g))
    values = {
        "p": min(rows, columns),
        "rows": rows,
        "excess": max(rows - columns, 0),
        "power": np.linalg.svd(matrix, compute_uv=False)[::-1] ** 2,
        "g_sorted": g,
        "g_min": g[0],
        "g_max": g[-1],
        "s_min": draw.s.min(),
        "s_max": draw.s.max(),
    }
    return Observation(values, float(32 * EPS * (rows + columns) * (1 + (g[-1] * draw.s.max()) ** 2)))


def observe(draw: Rescaled) -> Observation:
    """The NumPy route: the SVD of the product."""
    return _observed(draw, draw.g[:, None] * draw.W)


@on_layers
def observe_layer(draw: Rescaled) -> Observation:
    """The Jacobian of a Linear layer with BatchNorm1d behind it, by autograd, at gamma_i = 2 g_i and std_i = 2."""
    from sim.cnn.batch_norm import jacobian

    layer = NormedLayer.create(draw.W, 2 * draw.g, np.full(len(draw.g), 3.75), eps=0.25)
    return _observed(draw, jacobian(layer))


Instance = tuple[Exact, tuple[Fraction, ...], tuple[Fraction, ...]]
"""W, its singular values ascending, and g."""

_SIZES = tuple(Fraction(v) for v in ("1", "2", "-1", "1/2", "3"))


def _orthonormal_rows(rows: int, columns: int) -> Iterator[Exact]:
    """Rational matrices with orthonormal rows, at most two of them, simplest first."""
    if rows == 1 == columns:
        yield ((ONE,),)
    elif rows == 1:
        for row in ((ONE, ZERO), (Fraction(3, 5), Fraction(4, 5))):
            yield (row + (ZERO,) * (columns - 2),)
    elif columns == 2:
        yield from ROTATIONS
    else:
        for turn in ROTATIONS:
            yield tuple((*row, *(ZERO,) * (columns - 2)) for row in turn)
        thirds = (("2/3", "2/3", "1/3"), ("-2/3", "1/3", "2/3"))
        yield tuple(tuple(Fraction(v) for v in row) for row in thirds)


def _candidates(shape: Shape, *, ones: bool) -> Iterator[Instance]:
    sizes = {"tall": ((1, 1), (2, 1), (3, 2)), "fat": ((1, 1), (1, 2), (2, 2), (2, 3))}
    wanted = sizes["tall"] + sizes["fat"] if shape == "any" else sizes[shape]
    spectra = (ONE,) if ones else (Fraction(2), Fraction(1, 2), ONE)
    for rows, columns in wanted:
        short = min(rows, columns)
        for g in product(_SIZES, repeat=rows):
            for s in product(spectra, repeat=short):
                for base in _orthonormal_rows(short, max(rows, columns)):
                    fat = tuple(tuple(scale * v for v in row) for scale, row in zip(s, base, strict=True))
                    yield (fat if rows <= columns else transposed(fat)), tuple(sorted(s)), g


def _observe_exact(instance: Instance) -> Values:
    W, s, g = instance
    power = squared_singular_values(tuple(tuple(scale * v for v in row) for scale, row in zip(g, W, strict=True)))
    if power is None:
        return {}
    sizes = sorted(abs(v) for v in g)
    return {
        "p": len(power),
        "rows": Fraction(len(W)),
        "excess": Fraction(max(len(W) - len(W[0]), 0)),
        "power": power,
        "g_sorted": sizes,
        "g_min": sizes[0],
        "g_max": sizes[-1],
        "s_min": s[0],
        "s_max": s[-1],
    }


def _describe(instance: Instance) -> tuple[tuple[str, str], ...]:
    W, _, g = instance
    return ("W", shown(W)), ("g", text(g))


def _lower(instance: Instance) -> Rescaled:
    W, s, g = instance
    return Rescaled(np.array(W, dtype=float), np.array(s, dtype=float), np.array(g, dtype=float))


@cache
def rescaled(shape: Shape, *, ones: bool = True) -> Experiment:
    """G W for a tall (M >= N), fat (M <= N) or any W, with all singular values 1 or any positive ones."""
    return Experiment(
        name=f"rescaled rows, {shape}, {'all s = 1' if ones else 'any s'}",
        sample=lambda rng: _draws(rng, shape, ones=ones),
        observe=observe,
        exact=ExactRoute(lambda: _candidates(shape, ones=ones), _observe_exact, _describe, _lower),
        layer=observe_layer,
    )
