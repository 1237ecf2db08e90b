"""Two bounded layers and the matrix in which they mix directions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import (
    ONE,
    TURN,
    ZERO,
    Exact,
    banded,
    diagonal,
    floats,
    in_band,
    orthonormal,
    shown,
    times,
    transposed,
)
from theory.claims.observe.rationals import HALF, QUARTER
from theory.experiment import ExactRoute, Experiment, Observation, Values

WIDTHS = ((1, 2, 1), (2, 2, 2), (3, 3, 3), (2, 3, 2), (3, 2, 3), (4, 3, 2), (2, 3, 4), (2, 4, 3), (3, 4, 4), (4, 4, 2))
"""Widths N_(l-1), N_l, N_(l+1)."""


@dataclass(frozen=True, eq=False)
class Pair:
    """Layers W (N_l, N_(l-1)) and W_next (N_(l+1), N_l), all singular values in the band of eps."""

    W: FloatArray
    W_next: FloatArray
    eps: float


Svd = Callable[[FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""A matrix (m, n) to U (m, r), S (r,) and V (n, r)."""


def pairs(rng: np.random.Generator) -> Iterator[list[Pair]]:
    """For each triple of widths: layers in any position, aligned ones, ones at the ends of the band, crossed ones."""
    for first, middle, last in WIDTHS:
        batch = []
        for kind in range(20):
            eps = float(rng.uniform(0.05, 1.0))
            W, W_next = banded(rng, middle, first, eps), banded(rng, last, middle, eps)
            r, r_next = min(first, middle), min(middle, last)
            frame = orthonormal(rng, middle, middle)
            ends = [(1 + eps) ** (1 if kind % 2 else -1)] * middle if kind % 3 == 0 else list(in_band(rng, middle, eps))
            if kind >= 10:
                # aligned; the last six take other columns of the frame where there are enough
                columns = frame[:, middle - r_next :] if kind >= 14 else frame[:, :r_next]
                W = (frame[:, :r] * ends[:r]) @ orthonormal(rng, first, r).T
                W_next = (orthonormal(rng, last, r_next) * ends[:r_next]) @ columns.T
            batch.append(Pair(W, W_next, eps))
        yield batch


def _observation(batch: Sequence[Pair], svd: Svd, through: Callable[[Pair, FloatArray], FloatArray]) -> Observation:
    rows = [_row(pair, svd, through) for pair in batch]
    values = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
    middle, first = batch[0].W.shape
    widths = {"N_in": first, "mid": middle, "N_out": len(batch[0].W_next)}
    return Observation({**values, **widths, "p": min(first, *batch[0].W_next.shape)}, 1e-12)


def _row(pair: Pair, svd: Svd, through: Callable[[Pair, FloatArray], FloatArray]) -> dict[str, FloatArray]:
    U, s_in, V_in = svd(pair.W)
    U_out, s_out, V = svd(pair.W_next)
    # what comes out for each input direction, read off in the output directions
    M = U_out.T @ through(pair, V_in)
    spectrum = np.linalg.svd(M, compute_uv=False)
    found = {
        "M": M,
        "s_out": s_out,
        "s_in": s_in,
        "V": V,
        "U": U,
        "eps": pair.eps,
        "largest": spectrum[0],
        "smallest": spectrum[-1],
        "cosine": np.linalg.svd(V.T @ U, compute_uv=False)[-1],
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def _numpy_svd(matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    return left, values, right.T


def observe(batch: Sequence[Pair]) -> Observation:
    """The NumPy route."""
    return _observation(batch, _numpy_svd, lambda pair, x: pair.W_next @ (pair.W @ x))


@on_layers
def observe_layer(batch: Sequence[Pair]) -> Observation:
    """Two torch.nn.Linear layers in a row, taken apart by torch's own decomposition."""
    import torch

    def svd(matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        left, values, right = torch.linalg.svd(torch.tensor(matrix), full_matrices=False)
        return left.numpy(), values.numpy(), right.T.numpy()

    def through(pair: Pair, x: FloatArray) -> FloatArray:
        layers = []
        for matrix in (pair.W, pair.W_next):
            layer = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=False, dtype=torch.float64)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(matrix))
            layers.append(layer)
        with torch.no_grad():
            return np.asarray(torch.nn.Sequential(*layers)(torch.tensor(x.T.copy())).T.numpy())

    return _observation(batch, svd, through)


@dataclass(frozen=True)
class ExactPair:
    """W = U diag(s_in) V_in^T with V_in = I, and W_next = U_out diag(s_out) V^T with U_out = I, all rational."""

    U: Exact
    s_in: tuple[Fraction, ...]
    V: Exact
    s_out: tuple[Fraction, ...]
    eps: Fraction

    @property
    def W(self) -> Exact:
        """(N_l, N_(l-1))."""
        return times(self.U, diagonal(self.s_in, len(self.s_in), len(self.s_in)))

    @property
    def W_next(self) -> Exact:
        """(N_(l+1), N_l)."""
        return times(diagonal(self.s_out, len(self.s_out), len(self.s_out)), transposed(self.V))


_UNIT: Exact = ((ONE, ZERO), (ZERO, ONE))
COLUMNS: tuple[Exact, ...] = (((ONE,), (ZERO,)), ((ZERO,), (ONE,)), tuple((row[0],) for row in TURN), _UNIT, TURN)
"""Rational matrices (2, r) with orthonormal columns, simplest first."""


def candidates() -> Iterator[ExactPair]:
    """One direction each way, and widths (1 or 2, 2, 1 or 2)."""
    frames = [(((ONE,),), ((ONE,),)), *product(COLUMNS, COLUMNS)]
    for eps, (U, V) in product((ONE, HALF, QUARTER), frames):
        band = (ONE, 1 + eps, 1 / (1 + eps))
        spectra = ([v for v in product(band, repeat=len(x[0])) if list(v) == sorted(v)[::-1]] for x in (U, V))
        for s_in, s_out in product(*spectra):
            yield ExactPair(U, s_in, V, s_out, eps)


def observe_exact_spectrum(pair: ExactPair) -> Values:
    """The singular values of M and of V^T U; empty where they are irrational."""
    extremes, cosines = _extremes(times(pair.W_next, pair.W)), _extremes(times(transposed(pair.V), pair.U))
    if extremes is None or cosines is None:
        return {}
    return {**observe_exact(pair), "largest": extremes[0], "smallest": extremes[1], "cosine": cosines[1]}


def observe_exact(pair: ExactPair) -> Values:
    """The rational route."""
    M = times(pair.W_next, pair.W)
    return {
        "p": min(len(M), len(M[0])),
        "M": M,
        "s_out": pair.s_out,
        "s_in": pair.s_in,
        "V": pair.V,
        "U": pair.U,
        "eps": pair.eps,
        "N_in": Fraction(len(pair.s_in)),
        "mid": Fraction(len(pair.U)),
        "N_out": Fraction(len(pair.s_out)),
    }


def _extremes(matrix: Exact) -> tuple[Fraction, Fraction] | None:
    """The largest and smallest singular value where they are rational at a glance, else None."""
    entries = [abs(v) for row in matrix for v in row]
    if len(matrix) == 1 or len(matrix[0]) == 1:
        # (3/5, 4/5) t has norm t
        squared = sum((v * v for v in entries), ZERO)
        root = _root(squared)
        return None if root is None else (root, root)
    if all(v == 0 for a, row in enumerate(matrix) for b, v in enumerate(row) if a != b):
        on_diagonal = [abs(matrix[k][k]) for k in range(len(matrix))]
        return max(on_diagonal), min(on_diagonal)
    gram = times(matrix, transposed(matrix))
    if gram[0][1] == 0 and gram[0][0] == gram[1][1] and (root := _root(gram[0][0])) is not None:
        return root, root
    return None


def _root(square: Fraction) -> Fraction | None:
    """The square root, if it is rational."""
    top, bottom = (round(float(n) ** 0.5) for n in square.as_integer_ratio())
    return Fraction(top, bottom) if Fraction(top, bottom) ** 2 == square else None


def lower(pair: ExactPair) -> list[Pair]:
    """An exact pair as a batch of one."""
    return [Pair(floats(pair.W), floats(pair.W_next), float(pair.eps))]


def describe(pair: ExactPair) -> tuple[tuple[str, str], ...]:
    """The two weight matrices and eps."""
    return (("W^l", shown(pair.W)), ("W^(l+1)", shown(pair.W_next)), ("eps", str(pair.eps)))


def _experiment(name: str, exact: Callable[[ExactPair], Values]) -> Experiment:
    return Experiment(name, pairs, observe, ExactRoute(candidates, exact, describe, lower), observe_layer)


@cache
def mixed() -> Experiment:
    """Two layers in the band, entry by entry."""
    return _experiment("two bounded layers", observe_exact)


@cache
def mixed_spectrum() -> Experiment:
    """Two layers in the band, and the singular values of M."""
    return _experiment("two bounded layers and their spectrum", observe_exact_spectrum)
