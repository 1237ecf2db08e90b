"""What instances say of a statement: exact ones, searched for one that violates it, and observed ones, by tolerance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from theory.evaluate import indices, obligations, residual, surely, truth, value
from theory.experiment import ExactRoute, Observation, Values
from theory.ledger import Counterexample, Measurement


@dataclass(frozen=True)
class Outcome:
    """What a check says of one statement."""

    passed: bool | None
    trials: int
    max_error: float | None
    tolerance: float | None
    detail: str
    counterexample: Counterexample | None = None
    measured: tuple[Measurement, ...] = ()


@lru_cache(maxsize=64)
def exact_values(route: ExactRoute) -> tuple[tuple[Any, Values], ...]:
    """The exact instances of a route, smallest first, with the values observed on those that can be decided."""
    observed = ((instance, route.observe(instance)) for instance in islice(route.candidates(), route.limit))
    return tuple((instance, values) for instance, values in observed if values)


def exact_search(
    route: ExactRoute,
    observe: Callable[[Any], Observation],
    statement: Boolean,
    premises: Sequence[Boolean],
    condition: Boolean | None = None,
) -> Outcome:
    """Search exact instances, smallest first, for one that satisfies the premises and violates the statement."""
    tried, first = 0, None
    joint = sp.Tuple(statement, *premises)
    for instance, values in exact_values(route):
        for bound in _bindings(values, joint):
            if not all(truth(premise, bound) for premise in premises):
                continue
            tried += 1
            if truth(statement, bound):
                continue
            reproduced = _reproduced(observe(route.lower(instance)), statement, bound)
            if first is None or reproduced:
                first = _counterexample(route, instance, statement, bound, condition, reproduced)
            # a tie is exact here but undecided in floats: go on to the smallest that floats can see
            if reproduced:
                return Outcome(True, tried, None, None, "counterexample found", first)
    if first is not None:
        return Outcome(True, tried, None, None, "counterexample found, but none that the simulator reproduces", first)
    return Outcome(False, tried, None, None, f"no counterexample among {tried} exact instances")


def _bindings(values: Values, joint: sp.Tuple) -> Iterator[dict[str, Any]]:
    """The values with each setting of the indices that the statements leave free."""
    for index in indices(joint, int(values["p"])):
        yield {**values, **index}


def _index(bound: dict[str, Any]) -> dict[str, Any]:
    return {name: bound[name] for name in ("i", "j") if name in bound}


def _reproduced(observation: Observation, statement: Boolean, bound: dict[str, Any]) -> bool:
    """Whether the simulator, too, sees the statement fail, beyond its tolerance."""
    seen = residual(statement, {**observation.values, **_index(bound)}, observation.tolerance)
    return bool(np.all(seen > observation.tolerance))


def _counterexample(
    route: ExactRoute,
    instance: Any,
    statement: Boolean,
    bound: dict[str, Any],
    condition: Boolean | None,
    reproduced: bool,
) -> Counterexample:
    printed, actual = _sides(statement, bound)
    return Counterexample(
        instance=(*route.describe(instance), *((name, str(k)) for name, k in _index(bound).items())),
        printed=printed,
        actual=actual,
        reproduced=reproduced,
        excluded=None if condition is None else not truth(condition, bound),
    )


def _sides(statement: Boolean, values: dict[str, Any]) -> tuple[str, str]:
    """What the statement says at an instance and what is observed there; equations are written observed = formula."""
    if isinstance(statement, sp.Implies) and truth(statement.args[0], values):
        return _sides(statement.args[1], values)
    if isinstance(statement, sp.Equality):
        left, right = (value(side, values, exact=True) for side in statement.args)
        return f"{statement.lhs} = {right}", f"{statement.lhs} = {left}"
    if isinstance(statement, sp.And):
        return _sides(next(part for part in statement.args if not truth(part, values)), values)
    if isinstance(statement, sp.Equivalent):
        says = "; ".join(f"{part} is {truth(part, values)}" for part in statement.args)
        return f"{statement}", says
    if isinstance(statement, Relational):
        left, right = (value(side, values, exact=True) for side in statement.args)
        return str(statement), f"{statement.lhs} = {left}, {statement.rhs} = {right}"
    return str(statement), "false"


def agreement(observations: Sequence[Observation], statement: Boolean, premises: Sequence[Boolean]) -> Outcome:
    """Whether the statement holds within tolerance on every observed instance that satisfies the premises.

    Undecided if there is none, or none on which it says anything: `theory.evaluate.obligations`.
    """
    joint = sp.Tuple(statement, *premises)
    unseen = list(obligations(statement))
    trials, violations, worst, error, allowed = 0, 0, -1.0, None, None
    for observation in observations:
        for bound in _bindings(observation.values, joint):
            mask = np.asarray(True)
            for premise in premises:
                mask = mask & surely(premise, bound, observation.tolerance)
            distance = residual(statement, bound, observation.tolerance)
            distance, tolerance, mask = np.broadcast_arrays(distance, observation.tolerance, mask)
            if not np.any(mask):
                continue
            unseen = [part for part in unseen if not np.any(surely(part, bound, observation.tolerance) & mask)]
            distance, tolerance = distance[mask], tolerance[mask]
            trials += distance.size
            violations += int(np.sum(distance > tolerance))
            ratio = distance / tolerance
            if ratio.max() > worst:
                worst = float(ratio.max())
                error, allowed = float(distance[ratio.argmax()]), float(tolerance[ratio.argmax()])
    if trials == 0:
        return Outcome(None, 0, None, None, "no instance satisfied the hypotheses")
    if unseen and not violations:
        return Outcome(None, trials, error, allowed, f"no instance shows that {unseen[0]}, so nothing is tested")
    detail = f"{trials - violations} of {trials} instances agree"
    return Outcome(violations == 0, trials, error, allowed, detail)
