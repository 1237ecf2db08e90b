"""Faults of known size planted in what is true: does the search find them, and what does a tolerance let pass?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from tests.attack.soundness.stand import REFUSALS, Stand
from theory.evaluate import indices, truth, value
from theory.experiment import Observation
from theory.search import agreement, exact_search, exact_values
from theory.verify import layered, simulated

SIZES = (sp.Integer(1), sp.Rational(1, 100), sp.Rational(1, 10**4), sp.Rational(1, 10**6))
SHARES = (sp.Integer(1), sp.Rational(1, 2), sp.Rational(1, 10))
"""On which share of the exact instances, at least, a planted fault shows."""
TAU = sp.Symbol("own_tolerance", positive=True)
"""The tolerance of the observation at hand."""


@dataclass(frozen=True)
class Fault:
    """A statement with a fault: one equation is off by `size`, relative or absolute, on a share of the instances.

    guard: the premises under which the statement claims the equation.
    """

    statement: Boolean
    guard: Boolean
    amount: sp.Expr
    size: sp.Rational
    relative: bool
    share: sp.Rational


def equations(statement: sp.Basic, guard: Boolean = sp.true) -> list[tuple[sp.Equality, Boolean]]:
    """The equations that a statement claims, in a conjunction or in the conclusion of an implication; each with the
    premises under which it does.
    """
    if isinstance(statement, sp.Equality) and not statement.atoms(sp.MatrixSymbol):
        return [(statement, guard)]
    if isinstance(statement, sp.And):
        return [found for part in statement.args for found in equations(part, guard)]
    if isinstance(statement, sp.Implies):
        return equations(statement.args[1], sp.And(guard, statement.args[0]))
    return []


def off_by(statement: Boolean, equation: sp.Equality, amount: sp.Expr) -> Boolean:
    """The statement with the right side of one of its equations off by an amount."""
    return statement.xreplace({equation: sp.Eq(equation.lhs, equation.rhs + amount, evaluate=False)})


def planted(stand: Stand) -> Iterator[Fault]:
    """Faults in the first equation of what is true: every size on all instances, and one size on parts of them."""
    for equation, guard in equations(stand.truth)[:1]:
        for size in SIZES:
            for relative, amount in ((False, size), (True, size * equation.rhs)):
                yield Fault(off_by(stand.truth, equation, amount), guard, amount, size, relative, SHARES[0])
        for share in SHARES[1:]:
            if (region := _region(stand, equation, share)) is not None:
                amount = sp.Piecewise((SIZES[1], region), (0, True))
                yield Fault(off_by(stand.truth, equation, amount), guard, amount, SIZES[1], False, share)


def _region(stand: Stand, equation: sp.Equality, share: sp.Rational) -> Boolean | None:
    """A half-space that holds a share of the exact instances: one parameter of the formula above its quantile."""
    assert stand.bare.experiment is not None
    route = stand.bare.experiment().exact
    assert route is not None
    seen = [values for _, values in exact_values(route)]
    scalars = sorted((s for s in equation.rhs.free_symbols if isinstance(s, sp.Symbol)), key=str)
    for symbol in scalars:
        drawn = [v[symbol.name] for v in seen if _is_number(v.get(symbol.name))]
        if len(set(drawn)) >= 1 / share:
            bound = sorted(drawn)[int(len(drawn) * (1 - share))]
            if any(v >= bound for v in drawn) and not all(v >= bound for v in drawn):
                return sp.Ge(symbol, sp.Rational(bound.numerator, bound.denominator))
    return None


def _is_number(value: Any) -> bool:
    return hasattr(value, "numerator") and not isinstance(value, bool)


def shows(stand: Stand, fault: Fault) -> bool:
    """Whether the fault is one at all: at some exact instance that satisfies all premises the amount is not 0."""
    assert stand.bare.experiment is not None
    route = stand.bare.experiment().exact
    assert route is not None
    premises = (*stand.premises, fault.guard)
    joint = sp.Tuple(fault.amount, fault.statement, *premises)
    for _, values in exact_values(route):
        for index in indices(joint, int(values["p"])):
            bound = {**values, **index}
            if all(truth(part, bound) for part in premises) and value(fault.amount, bound, exact=True) != 0:
                return True
    return False


def found(stand: Stand, fault: Fault) -> tuple[bool, bool] | None:
    """Whether exact search finds the fault, and whether the simulator shows it; None if it has no value or is none."""
    assert stand.bare.experiment is not None
    experiment = stand.bare.experiment()
    assert experiment.exact is not None
    try:
        if not shows(stand, fault):
            return None
        outcome = exact_search(experiment.exact, experiment.observe, fault.statement, stand.premises)
    except REFUSALS:
        return None
    counterexample = outcome.counterexample
    return counterexample is not None, counterexample is not None and counterexample.reproduced


def within(observation: Observation) -> Observation:
    """The observation with its own tolerance among the values."""
    values: Mapping[str, Any] = {**observation.values, TAU.name: np.asarray(observation.tolerance)}
    return replace(observation, values=values)


ROADS: dict[str, Callable[[Any, int], tuple[Observation, ...]]] = {"simulator": simulated, "layer": layered}


def near_misses(stand: Stand) -> Iterator[tuple[str, bool, bool]]:
    """On each road and for each equation: is it rejected if off by 10 tolerances, and accepted if off by 0.1?"""
    assert stand.bare.experiment is not None
    experiment = stand.bare.experiment()
    for road, observe in ROADS.items():
        if road == "layer" and experiment.layer is None:
            continue
        observations = [within(observation) for observation in observe(experiment, 0)]
        for equation, _ in equations(stand.truth):
            far, near = (
                [agreement(observations, off_by(stand.truth, equation, times * TAU), stand.premises).passed
                 for times in (size, -size)]
                for size in (10, sp.Rational(1, 10))
            )  # fmt: skip
            yield road, far == [False, False], near == [True, True]
