"""What roads share is broken on all of them at once: does the suite notice?

A mistake in a function that two roads run could fool both alike. So each such function is made to return something
wrong wherever it is called, everything remembered is forgotten, and clauses whose roads share it are observed and
judged again. It is noticed if a road ends in an error, if a check no longer agrees with the true statement, or if it
no longer rejects a control. What a clause does not notice need not matter to it: a function that makes instances has
made another one, on which the statement is as true; one may only widen a tolerance, which the controls keep in
bounds; or change nothing that the statement speaks of.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from tests.attack.soundness.judging import clause_of
from tests.attack.soundness.roads import Function
from tests.attack.soundness.wrong import SIZES, broken
from theory.experiment import Observation
from theory.ledger import Clause
from theory.search import agreement, exact_search, exact_values
from theory.verify import checks_of, layered, simulated

MOST = 4
"""Clauses tried for one function, until two claims have noticed; for one that makes instances half as many."""

Place = tuple[str, str]
"""A claim and the name of one of its clauses."""


@dataclass(frozen=True)
class Broken:
    """What came of breaking a function: who noticed, and what went unnoticed.

    noticed: (place, by what), a line each; doubled: whether a seventh was not enough for anybody.
    unnoticed: places that did not notice although what they speak of had changed. tolerance: whether tolerances did.
    """

    function: Function
    noticed: tuple[str, ...]
    doubled: bool
    unnoticed: tuple[str, ...]
    tolerance: bool


def break_function(function: Function, places: Sequence[Place]) -> Broken:
    """Break a function for clauses whose roads share it, one after the other, until two claims have noticed.

    Once it is seen which symbols change, clauses that speak of none of them are passed over.
    """
    noticed: list[str] = []
    unnoticed: list[str] = []
    tolerance = False
    reached: set[str] = set()
    instance = function.kind == "instance"
    for size in SIZES[:1] if instance else SIZES:
        claims: set[str] = set()
        tried = 0
        for claim_id, name in _of_different_claims(places):
            _, clause = clause_of(claim_id, name)
            if claim_id in claims or (tried and not reached & _spoken(clause)):
                continue
            if len(claims) == 2 or tried == (MOST // 2 if instance else MOST):
                break
            tried += 1
            place = f"{claim_id} ({name})" if name else claim_id
            by, seen = noticed_by(clause, function, size)
            changed = set() if by else _whole_roads(claim_id, name).changed(seen)
            if changed & {*_spoken(clause), *_of_controls(clause), TOLERANCE} and fooled_by(clause, function, size):
                by = "controls"
            if by:
                claims.add(claim_id)
                noticed.append(f"{place}: {by}")
                continue
            reached |= changed
            tolerance |= TOLERANCE in changed
            if changed & _spoken(clause):
                unnoticed.append(place)
        # where nothing changes that is spoken of, a larger change would not show either
        if noticed or not unnoticed:
            break
    left = tuple(dict.fromkeys(place for place in unnoticed if not any(n.startswith(f"{place}: ") for n in noticed)))
    return Broken(function, tuple(noticed), bool(noticed) and size != SIZES[0], left, tolerance)


def _spoken(clause: Clause) -> set[str]:
    """What a statement and its premises speak of."""
    return {"p", *map(str, sp.Tuple(clause.true_statement, *_premises(clause)).free_symbols)}


def _of_controls(clause: Clause) -> set[str]:
    return {str(symbol) for control in clause.controls for symbol in control.statement.free_symbols}


def break_functions(shared: Sequence[tuple[Function, Sequence[Place]]]) -> list[Broken]:
    """Break each function in turn."""
    return [break_function(function, places) for function, places in shared]


def _of_different_claims(places: Sequence[Place]) -> list[Place]:
    """The first clause of each claim, then the second of each, and so on."""
    rank: dict[str, int] = {}
    ranked = []
    for place in places:
        rank[place[0]] = rank.get(place[0], 0) + 1
        ranked.append((rank[place[0]], place))
    return [place for _, place in sorted(ranked, key=lambda each: each[0])]


TOLERANCE = "the tolerance"


@dataclass(frozen=True)
class _Seen:
    """A digest of what all roads show, by the name of the symbol."""

    digests: Mapping[str, str]

    def changed(self, other: _Seen) -> set[str]:
        """The symbols that are not the same."""
        return {name for name, digest in self.digests.items() if other.digests.get(name) != digest}


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield


def noticed_by(clause: Clause, function: Function, size: Fraction = SIZES[0]) -> tuple[str, _Seen]:
    """The road that notices that a function is broken on all roads of a clause, or "" and what they all showed."""
    with broken(function, size), _quiet():
        for road, finds_fault in _ROADS.items():
            try:
                found = finds_fault(clause)
            except Exception as error:
                # whatever it is, the suite would have ended in it
                return f"{road}, by {type(error).__name__}", _Seen({})
            if found:
                return road, _Seen({})
        return "", _seen(clause)


def fooled_by(clause: Clause, function: Function, size: Fraction = SIZES[0]) -> bool:
    """Whether some control of a clause passes a check while a function is broken on all its roads."""
    with broken(function, size), _quiet():
        # the symbolic road is not broken, and slow
        checks = [check for check in checks_of(clause, level="cnn", seed=0) if check.kind != "symbolic"]
        premises = _premises(clause)
        return any(
            check.rejects(control, check.judge(control, premises)) is False
            for check in checks
            for control in clause.controls
        )


@lru_cache(maxsize=512)
def _whole_roads(claim_id: str, name: str) -> _Seen:
    """What the roads of a clause show while nothing is broken."""
    return _seen(clause_of(claim_id, name)[1])


def _seen(clause: Clause) -> _Seen:
    assert clause.experiment is not None
    experiment = clause.experiment()
    shown: list[Observation] = [*simulated(experiment, 0), *(layered(experiment, 0) if experiment.layer else ())]
    every = [observation.values for observation in shown]
    if experiment.exact is not None:
        every += [values for _, values in exact_values(experiment.exact)]
    names = sorted({name for each in every for name in each})
    digests = {str(name): _digest(each[name] for each in every if name in each) for name in names}
    return _Seen({**digests, TOLERANCE: _digest(observation.tolerance for observation in shown)})


def _digest(values: Iterable[Any]) -> str:
    """Equal for equal values, to the last bit."""
    digest = hashlib.sha256()
    for value in values:
        array = np.asarray(value)
        digest.update(repr(array.tolist() if array.dtype == object else (array.shape, array.tobytes())).encode())
    return digest.hexdigest()


def _premises(clause: Clause) -> tuple[Any, ...]:
    return clause.needed if clause.condition is None else (*clause.needed, clause.condition)


def _by_simulator(clause: Clause) -> bool:
    assert clause.experiment is not None
    return agreement(simulated(clause.experiment(), 0), clause.true_statement, _premises(clause)).passed is not True


def _by_layer(clause: Clause) -> bool:
    assert clause.experiment is not None
    experiment = clause.experiment()
    if experiment.layer is None:
        return False
    return agreement(layered(experiment, 0), clause.true_statement, _premises(clause)).passed is not True


def _by_exact_search(clause: Clause) -> bool:
    assert clause.experiment is not None
    experiment = clause.experiment()
    if experiment.exact is None:
        return False
    found = exact_search(experiment.exact, experiment.observe, clause.true_statement, _premises(clause))
    return found.passed is True


_ROADS: Mapping[str, Callable[[Clause], bool]] = {
    "simulator": _by_simulator,
    "layer": _by_layer,
    "exact search": _by_exact_search,
}
