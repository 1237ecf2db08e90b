"""Matrices before and after Singular Value Bounding, beside other matrices of the band."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.svb import bound_singular_values
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
    square_distance,
    times,
    transposed,
)
from theory.claims.observe.rationals import HALF, QUARTER, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

Bound = Callable[[FloatArray, float], FloatArray]
"""A matrix (m, n) and eps to the matrix bounded."""


@dataclass(frozen=True, eq=False)
class Case:
    """A = left diag(s) right^T, s descending, and another matrix B whose singular values lie in the band.

    twins: further matrices of the band that may be as near to A as the bounded one.
    """

    left: FloatArray
    s: FloatArray
    right: FloatArray
    eps: float
    other: FloatArray
    twins: tuple[FloatArray, ...] = ()

    @property
    def matrix(self) -> FloatArray:
        """A, (m, n)."""
        return (self.left * self.s) @ self.right.T


def cases(rng: np.random.Generator) -> Iterator[list[Case]]:
    """Matrices of up to 5 x 7 with equal, zero, small and large singular values; for each r = min(m, n) one batch."""
    for r in range(1, 6):
        batch = []
        for kind in range(24):
            m, n = (r, r + kind % 3) if kind % 2 else (r + kind % 3, r)
            eps = float(rng.uniform(0.05, 1.0))
            s = np.sort(rng.choice([0.15, 1.0, 2.5], r) * rng.uniform(0.5, 1.2, r))[::-1].copy()
            if kind % 4 == 0:
                s[:] = s[0]
            if kind % 3 == 0:
                s[-(1 + kind % r) :] = 0.0
            left, right = orthonormal(rng, m, r), orthonormal(rng, n, r)
            batch.append(
                Case(left, s, right, eps, _other(rng, kind, left, right, s, eps), _flipped(left, s, right, eps))
            )
        yield batch


def _other(
    rng: np.random.Generator, kind: int, left: FloatArray, right: FloatArray, s: FloatArray, eps: float
) -> FloatArray:
    """Another matrix of the band: any, one near the bounded one, or that one with a singular vector turned round."""
    if kind % 3 == 1:
        return banded(rng, len(left), len(right), eps)
    signs = np.ones(len(s))
    signs[-1] = -1.0 if kind % 2 else 1.0
    values = in_band(rng, len(s), eps) if kind % 4 == 3 else np.clip(s, 1 / (1 + eps), 1 + eps)
    return (left * signs * values) @ right.T


def _flipped(left: FloatArray, s: FloatArray, right: FloatArray, eps: float) -> tuple[FloatArray, ...]:
    """U diag(+-clip(s)) V^T for all choices of signs: among them are nearest matrices that are farthest apart."""
    clipped = np.clip(s, 1 / (1 + eps), 1 + eps)
    return tuple((left * np.array(signs) * clipped) @ right.T for signs in product((1.0, -1.0), repeat=len(s)))


def _observation(batch: Sequence[Case], bound: Bound, norm: Callable[[FloatArray], float]) -> Observation:
    rows = [_row(case, bound, norm) for case in batch]
    values = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
    return Observation({**values, "p": len(batch[0].s)}, 2e-12)


def _row(case: Case, bound: Bound, norm: Callable[[FloatArray], float]) -> dict[str, FloatArray]:
    A, eps = case.matrix, case.eps
    P = bound(A, eps)
    distance2 = float(np.square(A - P).sum())
    near = [B for B in (P, *case.twins) if abs(np.square(A - B).sum() - distance2) < 1e-9]
    spread2 = max((float(np.square(B - C).sum()) for B in near for C in near), default=0.0)
    found = {
        "s": case.s,
        "eps": eps,
        "once": np.linalg.svd(P, compute_uv=False),
        "framed": case.left.T @ P @ case.right,
        "smallest": case.s[-1],
        "nullity": float((case.s == 0).sum()),
        "distance2": distance2,
        "other2": np.square(A - case.other).sum(),
        "apart2": np.square(P - case.other).sum(),
        "distance_norm": norm(A - P),
        "other_norm": norm(A - case.other),
        "spread2": spread2,
        "again": np.linalg.norm(bound(P, eps) - P),
        "count": float(len(np.linalg.svd(A, compute_uv=False))),
        "N_out": float(A.shape[0]),
        "N_in": float(A.shape[1]),
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def observe(batch: Sequence[Case]) -> Observation:
    """The simulator."""
    return _observation(batch, bound_singular_values, lambda matrix: float(np.linalg.norm(matrix, 2)))


@on_layers
def observe_layer(batch: Sequence[Case]) -> Observation:
    """The weights of a torch.nn.Linear, bounded in place by torch's own decomposition."""
    import torch

    def bound(matrix: FloatArray, eps: float) -> FloatArray:
        layer = torch.nn.Linear(matrix.shape[1], matrix.shape[0], bias=False, dtype=torch.float64)
        with torch.no_grad():
            left, values, right = torch.linalg.svd(torch.tensor(matrix), full_matrices=False)
            layer.weight.copy_((left * values.clamp(1 / (1 + eps), 1 + eps)) @ right)
            return np.asarray(layer(torch.eye(matrix.shape[1], dtype=torch.float64)).T.numpy())

    def norm(matrix: FloatArray) -> float:
        return float(torch.linalg.matrix_norm(torch.tensor(matrix), 2))

    return _observation(batch, bound, norm)


@dataclass(frozen=True)
class ExactCase:
    """A = left diag(s) right^T and B = left diag(b) right^T, rational; `left`, `right` have orthonormal columns."""

    left: Exact
    s: tuple[Fraction, ...]
    right: Exact
    eps: Fraction
    b: tuple[Fraction, ...]

    @property
    def size(self) -> tuple[int, int]:
        """(m, n)."""
        return len(self.left), len(self.right)

    def with_values(self, values: Sequence[Fraction]) -> Exact:
        """left diag(values) right^T."""
        return times(times(self.left, diagonal(values, len(values), len(values))), transposed(self.right))


FRAMES: tuple[tuple[Exact, Exact], ...] = (
    (((ONE,),), ((ONE,),)),
    (((ONE,), (ZERO,)), ((ONE,),)),
    (((ONE,),), ((ONE,), (ZERO,))),
    (((-ONE,),), ((ONE,),)),
    (((ONE, ZERO), (ZERO, ONE)), ((ONE, ZERO), (ZERO, ONE))),
    (TURN, ((ONE, ZERO), (ZERO, ONE))),
    (((ZERO, ONE), (ONE, ZERO)), TURN),
)
"""Pairs of rational matrices with orthonormal columns, smallest first."""


def candidates() -> Iterator[ExactCase]:
    """Exact cases, smallest first."""
    for left, right in FRAMES:
        r = len(left[0])
        spectra = [
            v
            for v in product((ZERO, ONE, QUARTER, Fraction(2), Fraction(3, 4)), repeat=r)
            if list(v) == sorted(v)[::-1]
        ]
        for eps, s in product((ONE, HALF, QUARTER), spectra):
            lo, hi = 1 / (1 + eps), 1 + eps
            for b in product((lo, -lo, hi), repeat=r):
                yield ExactCase(left, s, right, eps, b)


def observe_exact(case: ExactCase) -> Values:
    """The rational route; empty where singular values of zero leave the bounded matrix to the library that finds it."""
    lo, hi = 1 / (1 + case.eps), 1 + case.eps
    clipped = tuple(min(max(v, lo), hi) for v in case.s)
    r, nullity = len(case.s), sum(v == 0 for v in case.s)
    if 0 < nullity < r:
        return {}
    A, B = case.with_values(case.s), case.with_values(case.b)
    P = case.with_values(clipped) if nullity == 0 else diagonal((lo,) * r, *case.size)
    twins = [
        P,
        *(case.with_values([x * y for x, y in zip(v, clipped, strict=True)]) for v in product((1, -1), repeat=r)),
    ]
    least = square_distance(A, P)
    near = [twin for twin in twins if square_distance(A, twin) == least]
    framed = times(times(transposed(case.left), P), case.right)
    return {
        "p": r,
        "s": case.s,
        "eps": case.eps,
        "once": clipped,
        "framed": framed,
        "smallest": min(case.s),
        "nullity": Fraction(nullity),
        "distance2": least,
        "other2": square_distance(A, B),
        "apart2": square_distance(P, B),
        "distance_norm": max(abs(x - y) for x, y in zip(case.s, clipped, strict=True)),
        "other_norm": max(abs(x - y) for x, y in zip(case.s, case.b, strict=True)),
        "spread2": max(square_distance(x, y) for x in near for y in near),
        # clip once more
        "again": max(abs(min(max(v, lo), hi) - v) for v in clipped),
        "count": Fraction(r),
        "N_out": Fraction(case.size[0]),
        "N_in": Fraction(case.size[1]),
    }


def lower(case: ExactCase) -> list[Case]:
    """An exact case as a batch of one."""
    left, right, s = floats(case.left), floats(case.right), np.array(case.s, dtype=np.float64)
    eps = float(case.eps)
    return [Case(left, s, right, eps, floats(case.with_values(case.b)), _flipped(left, s, right, eps))]


def describe(case: ExactCase) -> tuple[tuple[str, str], ...]:
    """A, eps and B."""
    return (
        ("A", shown(case.with_values(case.s))),
        ("eps", str(case.eps)),
        ("B", shown(case.with_values(case.b))),
        ("left", shown(case.left)),
        ("s", text(case.s)),
        ("right", shown(case.right)),
    )


@cache
def bounded() -> Experiment:
    """Matrices bounded, beside others of the band."""
    return Experiment(
        name="bounded matrices",
        sample=cases,
        observe=observe,
        exact=ExactRoute(candidates, observe_exact, describe, lower, limit=1500),
        layer=observe_layer,
    )


@dataclass(frozen=True, eq=False)
class Square:
    """An invertible square matrix."""

    matrix: FloatArray
    eps: float


def squares(rng: np.random.Generator) -> Iterator[list[Square]]:
    """Square matrices with singular values between 1/10 and 3."""
    for n in range(1, 6):
        yield [
            Square((orthonormal(rng, n, n) * rng.uniform(0.1, 3.0, n)) @ orthonormal(rng, n, n), float(eps))
            for eps in rng.uniform(0.05, 1.0, 20)
        ]


def _inverse_gaps(batch: Sequence[Square], bound: Bound) -> Observation:
    gaps, symmetric = [], []
    for case in batch:
        A, n = case.matrix, len(case.matrix)
        inverse = np.asarray(np.linalg.inv(A), dtype=np.float64)
        gaps.append(np.linalg.norm(bound(inverse, case.eps) @ bound(A, case.eps) - np.eye(n)))
        # the band [1 - eps, 1 + eps] in its place
        one, other = (_clipped(x, 1 - case.eps / 2, 1 + case.eps / 2) for x in (inverse, A))
        symmetric.append(np.linalg.norm(one @ other - np.eye(n)))
    values = {"p": len(batch[0].matrix), "eps": np.array([case.eps for case in batch])}
    return Observation({**values, "inverse_gap": np.array(gaps), "inverse_gap_linear": np.array(symmetric)}, 1e-11)


def _clipped(matrix: FloatArray, low: float, high: float) -> FloatArray:
    left, values, right = np.linalg.svd(matrix)
    return np.asarray((left * np.clip(values, low, high)) @ right)


@cache
def inverses() -> Experiment:
    """A matrix and its inverse, both bounded."""
    return Experiment(
        name="bounded inverses", sample=squares, observe=lambda batch: _inverse_gaps(batch, bound_singular_values)
    )
