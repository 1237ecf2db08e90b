"""One filter and its sample grid, as a small frozen record; and many of them side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational, Real

from sim.arrays import FloatArray, frozen_copy
from sim.errors import require_positive, require_rows, require_same_rows
from sim.grid import broadcast_grid

Number = float | Fraction


@dataclass(frozen=True, init=False)
class FilterInstance:
    """A filter w of p weights, the half-widths d of its sample grid, a learning rate and the optimum w*.

    d, w, w_star: tuples of p numbers; w_star defaults to e0. If every number given is an int or a Fraction, all are
    kept as Fraction and the instance is exact; otherwise all become float.

    Raises ValueError unless p >= 1, lengths agree, d lies in [0, 1], w and w_star are finite and learning_rate > 0;
    TypeError for entries that are no real numbers. Schneider, Section 3.2.
    """

    d: tuple[Number, ...]
    w: tuple[Number, ...]
    learning_rate: Number
    w_star: tuple[Number, ...]

    def __init__(
        self,
        d: Sequence[Number],
        w: Sequence[Number],
        learning_rate: Number,
        w_star: Sequence[Number] | None = None,
    ) -> None:
        half_widths, weights = _entries(d, "d"), _entries(w, "w")
        p = len(half_widths)
        if p < 1:
            raise ValueError("d must have at least one entry (p >= 1), got none")
        target = (1, *(0,) * (p - 1)) if w_star is None else _entries(w_star, "w_star")
        for name, entries in (("w", weights), ("w_star", target)):
            if len(entries) != p:
                raise ValueError(f"{name} must have as many entries as d ({p}), got {len(entries)}")
        (rate,) = _entries((learning_rate,), "learning_rate")
        given = (*half_widths, *weights, *target, rate)
        exact = all(isinstance(entry, Rational) for entry in given)
        for name, entries in (("d", half_widths), ("w", weights), ("w_star", target), ("learning_rate", (rate,))):
            for i, entry in enumerate(entries):
                place = name if name == "learning_rate" else f"{name}[{i}]"
                if not _is_finite(entry):
                    raise ValueError(f"{name} must be finite, got {place} = {entry}")
        for i, entry in enumerate(half_widths):
            if not 0 <= entry <= 1:
                raise ValueError(f"d must lie in [0, 1], got d[{i}] = {entry}")
        if rate <= 0:
            raise ValueError(f"learning_rate must be positive, got {rate}")
        object.__setattr__(self, "d", tuple(_convert(v, exact) for v in half_widths))
        object.__setattr__(self, "w", tuple(_convert(v, exact) for v in weights))
        object.__setattr__(self, "learning_rate", _convert(rate, exact))
        object.__setattr__(self, "w_star", tuple(_convert(v, exact) for v in target))

    @property
    def p(self) -> int:
        """Number of weights."""
        return len(self.d)

    @property
    def is_exact(self) -> bool:
        """Whether all numbers are rational (Fraction)."""
        return isinstance(self.learning_rate, Fraction)

    def as_float(self) -> FilterInstance:
        """The same instance rounded to float."""
        return FilterInstance(
            [float(v) for v in self.d],
            [float(v) for v in self.w],
            float(self.learning_rate),
            list(map(float, self.w_star)),
        )

    def as_exact(self) -> FilterInstance:
        """The same instance in Fractions; a float becomes the dyadic rational that it is (0.1 does not become 1/10)."""
        return FilterInstance(
            [Fraction(v) for v in self.d],
            [Fraction(v) for v in self.w],
            Fraction(self.learning_rate),
            [Fraction(v) for v in self.w_star],
        )


@dataclass(frozen=True, eq=False)
class FilterBatch:
    """B instances of the same p, as read-only float64 arrays: d, w, w_star (B, p) and learning_rate (B,).

    Build it with `FilterBatch.of` or `FilterBatch.create`, which broadcast. Raises as `FilterInstance` does.
    """

    d: FloatArray
    w: FloatArray
    learning_rate: FloatArray
    w_star: FloatArray

    def __post_init__(self) -> None:
        d, w, w_star = broadcast_grid(self.d, self.w, self.w_star)
        rate = require_positive(self.learning_rate, "learning_rate")
        if d.shape != w.shape or rate.shape != d.shape[:1]:
            raise ValueError(f"learning_rate must have shape ({d.shape[0]},), one per row, got {rate.shape}")
        for name, array in (("d", d), ("w", w), ("learning_rate", rate), ("w_star", w_star)):
            object.__setattr__(self, name, frozen_copy(array))

    @classmethod
    def create(cls, d: object, w: object, learning_rate: object, w_star: object | None = None) -> FilterBatch:
        """From arrays (p,), (1, p) or (B, p) and a learning rate () or (B,), repeated to B rows; w_star None: e0."""
        half_widths, weights, target = broadcast_grid(d, w, w_star)
        rate = require_positive(learning_rate, "learning_rate")
        if rate.ndim > 1:
            raise ValueError(f"learning_rate must be a scalar or have shape (B,), got {rate.shape}")
        column = require_rows(rate.reshape(-1, 1), "learning_rate", 1)
        rows = require_same_rows(w=weights, learning_rate=column)
        repeated = [array.repeat(rows // len(array), axis=0) for array in (half_widths, weights, column, target)]
        return cls(repeated[0], repeated[1], repeated[2][:, 0], repeated[3])

    @classmethod
    def of(cls, instances: Iterable[FilterInstance]) -> FilterBatch:
        """From instances of equal p (exact ones are rounded). ValueError if there are none or their p differ."""
        listed = [instance.as_float() for instance in instances]
        sizes = sorted({instance.p for instance in listed})
        if len(sizes) != 1:
            raise ValueError(f"instances must be at least one, all of the same p, got p in {sizes}")
        return cls.create(
            [i.d for i in listed], [i.w for i in listed], [i.learning_rate for i in listed], [i.w_star for i in listed]
        )

    def __len__(self) -> int:
        return int(self.d.shape[0])

    def __getitem__(self, row: int) -> FilterInstance:
        """Row `row` as an instance of floats."""
        return FilterInstance(
            self.d[row].tolist(), self.w[row].tolist(), float(self.learning_rate[row]), self.w_star[row].tolist()
        )

    @property
    def p(self) -> int:
        """Number of weights."""
        return int(self.d.shape[1])


def _is_finite(entry: Number) -> bool:
    try:
        return math.isfinite(entry)
    except OverflowError:
        # an integer or a fraction beyond the range of float64
        return False


def _convert(value: Number, exact: bool) -> Number:
    return Fraction(value) if exact else float(value)


def _entries(values: Sequence[Number], name: str) -> tuple[Number, ...]:
    try:
        entries = tuple(values)
    except TypeError:
        raise TypeError(f"{name} must be a sequence of numbers, got {values!r}") from None
    for i, entry in enumerate(entries):
        if not isinstance(entry, Real) or isinstance(entry, bool):
            place = name if name == "learning_rate" else f"{name}[{i}]"
            raise TypeError(f"{name} must hold real numbers, got {place} = {entry!r}")
    return entries
