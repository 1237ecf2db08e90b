"""Algorithm 1 as printed, line by line: shapes, covariance, the sum of line 4, what line 6 returns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.correlation import correlation_root, sample_filters
from theory.claims.observe.correlated_init.filter_draws import DRAWS, STANDARD_ERRORS, matrices
from theory.claims.observe.correlated_init.sign_laws import Law, Matrix, atoms, dot, image_law
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

SIDES = (1, 2, 3, 4)


def rows_that_conform(C: np.ndarray) -> int:
    """How many rows a matrix must have for C to be multiplied with it, by trying."""
    for rows in range(1, C.size + 1):
        try:
            C @ np.zeros((rows, 1))
        except ValueError:
            continue
        return rows
    raise ValueError(f"C conforms with no matrix of up to {C.size} rows")


def observe_shapes(sides: list[int]) -> Observation:
    """Lines 1 to 6 for filters of these sides: what C is multiplied with, and how many numbers come back."""
    rng = np.random.default_rng(0)
    rows, entries = [], []
    for k in sides:
        C = correlation_root(np.eye(k * k))
        rows.append(rows_that_conform(C))
        sums = (C @ rng.standard_normal(k * k)).sum()
        # |sum|: whether the root is real is another clause
        entries.append(np.size(1.0 / np.sqrt(np.abs(sums) * 16)))
    values = {"p": 1, "k": np.array(sides, dtype=float), "rows": np.array(rows), "entries": np.array(entries)}
    return Observation(values, 1e-9)


def observe_shapes_exact(k: int) -> Values:
    """Rows are columns of the k^2 x k^2 root; a sum is one number."""
    root = [[Fraction(int(a == b)) for a in range(k * k)] for b in range(k * k)]
    returned = [1 / sum((sum(row) for row in root), Fraction(0))]
    return {"p": Fraction(1), "k": Fraction(k), "rows": Fraction(len(root[0])), "entries": Fraction(len(returned))}


@cache
def shapes() -> Experiment:
    """Filters with k = 1, ..., 4."""
    return Experiment(
        name="Algorithm 1, shapes",
        sample=lambda rng: iter([list(SIDES)]),
        observe=observe_shapes,
        exact=ExactRoute(
            lambda: iter(SIDES), observe_shapes_exact, lambda k: (("k", str(k)),), lambda k: [k], limit=len(SIDES)
        ),
    )


@dataclass(frozen=True, eq=False)
class Samples:
    """N vectors S_corr = C z (N, p) with R = C C^T, each with its probability (N,)."""

    C: np.ndarray
    vectors: np.ndarray
    weight: np.ndarray

    @property
    def random(self) -> bool:
        """Whether they were drawn, not enumerated."""
        return len(self.weight) == DRAWS


def observe(samples: Samples) -> Observation:
    """Covariances, the sum of the last vector, and how sums fall."""
    S, weight, R = samples.vectors, samples.weight, samples.C @ samples.C.T
    sums = S.sum(axis=1)
    tie = np.abs(sums) <= 1e-12
    values = {
        "p": S.shape[1],
        "R": R[..., None],
        "C": samples.C[..., None],
        "cov": ((S * weight[:, None]).T @ S)[..., None],
        "total": sums[-1:],
        "mean_square": np.array([weight @ sums**2]),
        "share_real": np.array([weight @ (~tie & (sums > 0))]),
        "share_zero": np.array([weight @ tie]),
    }
    # a mean of products of Gaussians, and one of squares: in units of their own size, at most 1'R1 and 1
    error = np.sqrt(2 / DRAWS) * max(R.sum(), 1.0) if samples.random else 0.0
    return Observation(values, STANDARD_ERRORS * error + 1e-12)


def batches(rng: np.random.Generator) -> Iterator[Samples]:
    """Gaussian vectors; k = 1, 2, 3; R singular at times; sums that are not zero for certain."""
    for side in SIDES[:3]:
        for R, _ in matrices(rng, side**2):
            if R.sum() > 0.1:
                yield Samples(correlation_root(R), sample_filters(R, DRAWS, rng=rng), np.full(DRAWS, 1 / DRAWS))


@dataclass(frozen=True)
class Root:
    """A rational root C of R, of signs z."""

    C: Matrix

    @property
    def law(self) -> Law:
        """Of C z."""
        return image_law(self.C)


def candidates() -> Iterator[Root]:
    """Triangular roots with rational entries and rows of length 1, for 1, 2 and 3 pixels."""
    one, zero = Fraction(1), Fraction(0)
    tilted = [
        (Fraction(a, c), Fraction(b, c)) for a, b, c in ((0, 1, 1), (3, 4, 5), (-3, 4, 5), (4, 3, 5), (5, 12, 13))
    ]
    yield Root(((one,),))
    for a, b in tilted:
        yield Root(((one, zero), (a, b)))
    for a, b in tilted:
        for c, d in tilted[:3]:
            yield Root(((one, zero, zero), (a, b, zero), (a * c, b * c, d)))


def observe_exact(instance: Root) -> Values:
    """The same in fractions; the last of the vectors, z = (-1, ..., -1), is the one drawn."""
    law, p = instance.law, len(instance.C)
    R = tuple(tuple(dot(a, b) for b in instance.C) for a in instance.C)
    sums = [(w, sum(x, Fraction(0))) for w, x in law]
    return {
        "p": Fraction(p),
        "R": R,
        "C": instance.C,
        "cov": [[sum((w * x[t] * x[u] for w, x in law), Fraction(0)) for u in range(p)] for t in range(p)],
        "total": sums[-1][1],
        "mean_square": sum((w * s**2 for w, s in sums), Fraction(0)),
        "share_real": sum((w for w, s in sums if s > 0), Fraction(0)),
        "share_zero": sum((w for w, s in sums if s == 0), Fraction(0)),
    }


def lower(instance: Root) -> Samples:
    """Every vector, with its probability."""
    weight, vectors = atoms(instance.law)
    return Samples(np.array(instance.C, dtype=float), vectors, weight)


@cache
def samples() -> Experiment:
    """Lines 1 to 4 with z a vector, as they must be read."""
    return Experiment(
        name="Algorithm 1, samples",
        sample=batches,
        observe=observe,
        exact=ExactRoute(
            candidates, observe_exact, lambda x: (("C", "; ".join(text(row) for row in x.C)),), lower, limit=200
        ),
    )
