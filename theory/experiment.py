"""How a claim is observed: the experiment, or the study, that gives a statement's symbols their values.

An experiment is the only road from a statement to a simulator. It lists exact instances (smallest first, for the
search for a counterexample), draws float instances, and observes both. Each route returns the values of every symbol
that statements may use: scalars under their name, indexed quantities as sequences (exact) or (p, B) arrays (float).

A study is the only road to recorded training runs; it gives samples, one number for each seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Observation:
    """Values observed on a batch of B float instances; indexed quantities have shape (p, B), scalars (B,).

    `tolerance` is absolute, a scalar or (B,): rounding error for a deterministic route, a multiple of the standard
    error for a stochastic one. Raises ValueError unless it is positive and finite: nothing could fail against another.
    """

    values: Values
    tolerance: NDArray[np.float64] | float

    def __post_init__(self) -> None:
        given = np.asarray(self.tolerance, dtype=np.float64)
        if not np.all((given > 0) & np.isfinite(given)):
            raise ValueError(f"tolerance must be positive and finite, got {self.tolerance}")


@dataclass(frozen=True)
class ExactRoute:
    """Exact instances and their values in rational arithmetic, for counterexamples.

    candidates: exact instances, smallest first; the search stops at `limit` of them.
    observe: values at an instance; an empty mapping where they cannot be decided exactly.
    describe: the parameters of an instance, as (name, value) strings.
    lower: an instance as a float batch of one, to reproduce a counterexample on the simulator.
    """

    candidates: Callable[[], Iterable[Any]]
    observe: Callable[[Any], Values]
    describe: Callable[[Any], tuple[tuple[str, str], ...]]
    lower: Callable[[Any], Any]
    limit: int = 2000


@dataclass(frozen=True)
class Experiment:
    """The roads from instances to observed values.

    sample: float batches drawn from a generator.
    observe: the NumPy simulator on a batch. layer: the same on PyTorch layers, where there is such a route.
    exact: the rational route; None where the quantities are irrational or random, so that only floats can observe them.
    """

    name: str
    sample: Callable[[np.random.Generator], Iterator[Any]]
    observe: Callable[[Any], Observation]
    exact: ExactRoute | None = None
    layer: Callable[[Any], Observation] | None = None
    layer_sample: Callable[[np.random.Generator], Iterator[Any]] | None = None


class NotMeasured(Exception):
    """The runs at hand do not hold what a study compares; the message says what is missing."""


@dataclass(frozen=True)
class Sample:
    """One number for each independent unit: what a symbol of an empirical statement stands for, n times.

    what: the quantity in words, with its unit. Raises ValueError for NaN or infinity.
    """

    values: tuple[float, ...]
    what: str

    def __post_init__(self) -> None:
        for n, entry in enumerate(self.values):
            if not math.isfinite(entry):
                raise ValueError(f"values of {self.what!r} must be finite, got values[{n}] = {entry}")

    def exchanged(self) -> Sample:
        """The sample of a placebo: in every other unit the two things compared are exchanged."""
        return Sample(tuple(-v if n % 2 else v for n, v in enumerate(self.values)), f"{self.what}, exchanged")


@dataclass(frozen=True)
class Measured:
    """The samples of a study by symbol, and the data that they come from; units: what one number each belongs to."""

    samples: Mapping[str, Sample]
    data: str
    units: str = "seeds"


@dataclass(frozen=True)
class Study:
    """How an empirical statement is measured on recorded runs.

    measure: from the folder of somebody's own records, or (None) from the tables that come with the package.
    It raises NotMeasured if runs are missing.
    """

    name: str
    measure: Callable[[str | None], Measured]
