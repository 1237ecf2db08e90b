"""Full-batch runs on one grid from two starts, of which one points along w* as closely as the other or more closely."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sim.instance import Number
from theory.claims.observe.layers import on_layers
from theory.claims.observe.single_filter import full_batch_runs as runs
from theory.claims.observe.single_filter.full_batch_runs import GridRun, GridRuns
from theory.experiment import ExactRoute, Experiment, Observation, Values


def _cosines(batch: GridRuns) -> Values:
    """cos^2 of the angles between w* and both starts, (B,)."""
    w_star = batch.batch.w_star

    def cosine(w: Any) -> Any:
        return np.sum(w * w_star, axis=1) ** 2 / (np.sum(w**2, axis=1) * np.sum(w_star**2, axis=1))

    return {"cos2": cosine(batch.batch.w), "cos2_other": cosine(batch.other)}


@on_layers
def _cosines_by_torch(batch: GridRuns) -> Values:
    from sim.cnn.measured import squared_cosines

    w_star = batch.batch.w_star
    return {"cos2": squared_cosines(batch.batch.w, w_star), "cos2_other": squared_cosines(batch.other, w_star)}


def _exact_cosines(run: GridRun) -> Values:
    def dot(a: Sequence[Number], b: Sequence[Number]) -> Fraction:
        return sum((Fraction(x) * Fraction(y) for x, y in zip(a, b, strict=True)), Fraction(0))

    def cosine(w: Sequence[Number]) -> Fraction:
        return dot(w, run.instance.w_star) ** 2 / (dot(w, w) * dot(run.instance.w_star, run.instance.w_star))

    return {"cos2": cosine(run.instance.w), "cos2_other": cosine(run.other)}


def _candidates() -> Iterator[GridRun]:
    """Exact runs in which no 2 lam h_j is 1, where a change of sign would count one half."""
    for run in runs.plain_candidates():
        d, rate = run.instance.d, run.instance.learning_rate
        if 2 * rate * (1 + d[0] ** 2) != 1 and all(2 * rate * width**2 != 1 for width in d[1:]):
            yield run


def _with_cosines(
    observe: Callable[[GridRuns], Observation], cosines: Callable[[GridRuns], Values]
) -> Callable[[GridRuns], Observation]:
    def observed(batch: GridRuns) -> Observation:
        found = observe(batch)
        return replace(found, values={**found.values, **cosines(batch)})

    return observed


def _exact(run: GridRun) -> Values:
    return {**runs.observe_exact(run), **_exact_cosines(run)}


@cache
def aligned_starts() -> Experiment:
    """The experiment of `full_batch`, with how closely either start points along w*."""
    base = runs.full_batch()
    assert base.exact is not None
    assert base.layer is not None
    exact = ExactRoute(_candidates, _exact, runs.describe, runs.lower)
    return replace(
        base,
        name="full-batch runs from starts of different directions",
        observe=_with_cosines(base.observe, _cosines),
        exact=exact,
        layer=_with_cosines(base.layer, _cosines_by_torch),
    )
