"""Finite laws of filters and of the windows that they meet, and every moment of one layer by enumeration.

A law gives vectors of n numbers probabilities: the n weights of a filter (n = k^2 for a k x k filter of one channel),
or the n pixels of a window. Weights and inputs are independent, so that a response y = w . x has the product law, and
its moments are sums over all pairs of atoms: nothing is drawn, nothing is assumed Gaussian. Schneider, Section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from sim.arrays import FloatArray, frozen_copy
from sim.errors import require_finite, require_non_negative, require_positive_int, require_shape

MOST_ATOMS = 2**16
"""Product laws with more atoms than this are refused."""


@dataclass(frozen=True, eq=False)
class FiniteLaw:
    """Vectors atoms (r, n), each with its probability (r,).

    Raises ValueError unless probabilities are non-negative and sum to 1 up to rounding.
    """

    atoms: FloatArray
    probability: FloatArray

    def __post_init__(self) -> None:
        atoms = require_shape(require_finite(self.atoms, "atoms"), "atoms", (None, None))
        probability = require_non_negative(self.probability, "probability")
        require_shape(probability, "probability", (len(atoms),))
        total = float(probability.sum())
        if abs(total - 1.0) > 64 * len(atoms) * np.finfo(np.float64).eps:
            raise ValueError(f"probability must sum to 1 (divide by its sum), got sum {total}")
        object.__setattr__(self, "atoms", frozen_copy(atoms))
        object.__setattr__(self, "probability", frozen_copy(probability))

    @property
    def n(self) -> int:
        """How many entries a vector has."""
        return int(self.atoms.shape[1])

    @property
    def mean(self) -> FloatArray:
        """E[v], (n,)."""
        return np.asarray(self.probability @ self.atoms)

    @property
    def second_moments(self) -> FloatArray:
        """E[v v^T], (n, n)."""
        return np.asarray((self.atoms * self.probability[:, None]).T @ self.atoms)

    @property
    def relu(self) -> FiniteLaw:
        """The law of max(v, 0), entry by entry."""
        return FiniteLaw(np.maximum(self.atoms, 0.0), self.probability)


def uniform_law(atoms: object) -> FiniteLaw:
    """Every row of atoms (r, n) with probability 1/r."""
    rows = require_shape(require_finite(atoms, "atoms"), "atoms", (None, None))
    return FiniteLaw(rows, np.full(len(rows), 1.0 / len(rows)))


def equal_law(values: object, n: int) -> FiniteLaw:
    """Perfect correlation: n equal entries, each of the values (r,) with probability 1/r."""
    entries = require_shape(require_finite(values, "values"), "values", (None,))
    return uniform_law(np.repeat(entries[:, None], require_positive_int(n, "n"), axis=1))


def independent_law(values: object, n: int) -> FiniteLaw:
    """n independent entries, each of the values (r,) with probability 1/r: r^n atoms, at most `MOST_ATOMS`."""
    entries = require_shape(require_finite(values, "values"), "values", (None,))
    n = require_positive_int(n, "n")
    if len(entries) ** n > MOST_ATOMS:
        raise ValueError(
            f"n must be small enough that len(values)^n is at most {MOST_ATOMS}, got {len(entries)}^{n}; "
            "use fewer values or draw at random (sim.layer_variance)"
        )
    return uniform_law(np.array(list(product(entries, repeat=n))))


def mixed_law(laws: Sequence[FiniteLaw], weights: object) -> FiniteLaw:
    """Each of the laws with its weight as probability; second moments mix likewise."""
    shares = require_shape(require_non_negative(weights, "weights"), "weights", (len(laws),))
    if len({law.n for law in laws}) != 1:
        raise ValueError(f"laws must be of vectors of equal length, got {[law.n for law in laws]}")
    probability = np.concatenate([share * law.probability for share, law in zip(shares, laws, strict=True)])
    return FiniteLaw(np.concatenate([law.atoms for law in laws]), probability)


def mirrored_law(law: FiniteLaw) -> FiniteLaw:
    """v or -v with equal probability: the law made symmetric, as a whole, around zero."""
    return FiniteLaw(np.concatenate([law.atoms, -law.atoms]), np.tile(law.probability / 2, 2))


def shifted_law(law: FiniteLaw) -> FiniteLaw:
    """v rotated cyclically by 0, ..., n - 1 places with equal probability: every entry then has the same law."""
    atoms = np.concatenate([np.roll(law.atoms, t, axis=1) for t in range(law.n)])
    return FiniteLaw(atoms, np.tile(law.probability / law.n, law.n))


@dataclass(frozen=True)
class ResponseMoments:
    """Moments of the response y = w . x of one layer at one position: E[y], E[y^2] and E[max(y, 0)^2]."""

    mean: float
    second: float
    positive_second: float

    @property
    def variance(self) -> float:
        """Var[y]."""
        return self.second - self.mean**2


def pair_responses(filters: FloatArray, windows: FloatArray) -> FloatArray:
    """w . x for every window (b, n) and every filter (r, n), as (b, r)."""
    return np.asarray(windows @ filters.T)


def response_moments(filters: FiniteLaw, windows: FiniteLaw, responses: FloatArray | None = None) -> ResponseMoments:
    """Moments of y = w . x, w and x independent with these laws.

    responses: (b, r) for every window and filter, as another route found them; by default `pair_responses`.
    Raises ValueError if filters and windows differ in length.
    """
    if filters.n != windows.n:
        raise ValueError(f"filters and windows must have equally many entries, got {filters.n} and {windows.n}")
    found = pair_responses(filters.atoms, windows.atoms) if responses is None else responses
    y = require_shape(found, "responses", (len(windows.atoms), len(filters.atoms)))
    joint = np.outer(windows.probability, filters.probability)
    return ResponseMoments(
        mean=float((joint * y).sum()),
        second=float((joint * y**2).sum()),
        positive_second=float((joint * np.maximum(y, 0.0) ** 2).sum()),
    )
