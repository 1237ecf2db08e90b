"""Drawing mutants and trying them: killed by a test, by a verdict that changes, or not at all."""

from __future__ import annotations

import math
import signal
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any, Literal

import numpy as np

from tests.attack.findings import Plan
from tests.attack.mutants.scope import KERNEL_FILES, LONG_INTERPRETED, Group, claims_of, judged_by
from tests.attack.mutants.sources import Mutant, Site, sites
from tests.attack.mutants.worker import Job
from tests.attack.mutants.workshop import ROOT, Workshop

Outcome = Literal["killed by a test", "killed by a verdict", "ran out of time", "survived"]
OUT_OF_TIME = (-signal.SIGXCPU, -signal.SIGKILL)
BAD_USAGE, NO_TESTS = 4, 5
"""pytest's exit codes."""


@dataclass(frozen=True)
class Tried:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome
    seconds: float

    @property
    def killed(self) -> bool:
        return self.outcome.startswith("killed")


def drawn(group: Group, plan: Plan) -> tuple[list[Mutant], int]:
    """Mutants of a group, spread evenly over its files in a random order, and how many there are to draw from.

    A sample draws them from a few files, so that few tests have to be run as a control.
    """
    rng = np.random.default_rng([plan.seed, *group.name.encode()])
    wanted = group.sample if plan.sample else group.full
    files = rng.permutation(group.files)[: max(2, group.sample // 3)] if plan.sample else group.files
    places = {}
    for file in map(str, files):
        found = sites(file, (ROOT / file).read_text(encoding="utf-8"), group.tool)
        places[file] = [found[n] for n in rng.permutation(len(found))]
    total = sum(map(len, places.values()))
    mutants: list[Mutant] = []
    while any(places.values()) and (wanted is None or len(mutants) < wanted):
        mutants += [mutant for left in places.values() if (mutant := _next(left)) is not None]
    return mutants[:wanted], total


def _next(left: list[Site]) -> Mutant | None:
    """The next mutant that is another program; none if there are no places left."""
    while left:
        mutant = left.pop()()
        if mutant is not None:
            return mutant
    return None


class Bench:
    """Tries mutants in a workshop: first on the tests of the file, what survives on the verdicts of its claims."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self._controls: dict[str, dict[str, Any]] = {}
        self._locks: dict[str, Lock] = {}

    def control(self, job: Job) -> dict[str, Any]:
        """What the job answers with nothing changed. Raises RuntimeError if a test fails then."""
        key = repr(job)
        with self._locks.setdefault(key, Lock()):
            if key not in self._controls:
                answer = self.shop.ask(job)
                if answer["code"] != 0:
                    raise RuntimeError(f"with nothing changed, {answer['failed'] or answer['code']} fails")
                self._controls[key] = answer
        return self._controls[key]

    def attempt(self, mutant: Mutant, *, again: bool = True) -> Tried:
        """What becomes of a mutant; `again`: what survives its tests is tried on verdicts, or compiled.

        Raises RuntimeError if there is nothing to judge it by, or if a control fails.
        """
        module, path = mutant.file.removesuffix(".py").replace("/", "."), str(self.shop.copy / mutant.file)
        rounds = [kind for kind in self._rounds(mutant) if kind.tests or kind.claims]
        if not rounds:
            raise RuntimeError(f"no test imports {mutant.file}")
        seconds = 0.0
        for kind in rounds if again else rounds[:1]:
            calm = self.control(kind)
            limit = 10 + 3 * math.ceil(calm["seconds"])
            costs = calm.get("spent", {})
            answer = self.shop.ask(
                replace(kind, module=module, path=path, text=mutant.text, costs=costs, seconds=limit)
            )
            seconds += answer["seconds"]
            if answer["code"] in OUT_OF_TIME:
                return Tried(mutant, "ran out of time", seconds)
            if answer["code"] in (NO_TESTS, BAD_USAGE):
                raise RuntimeError(f"no test was run on {mutant.line}")
            if kind.tests and answer["code"] != 0:
                return Tried(mutant, "killed by a test", seconds)
            if kind.claims and (answer["code"] != 0 or answer["verdicts"] != calm["verdicts"]):
                return Tried(mutant, "killed by a verdict", seconds)
        return Tried(mutant, "survived", seconds)

    @staticmethod
    def _rounds(mutant: Mutant) -> tuple[Job, Job]:
        tests = judged_by(mutant.file)
        # compiled code is kept by the file's name and age: a change in memory would go unseen
        if mutant.file in KERNEL_FILES:
            whole = Job(tests=tests, kernels="compiled anew", seconds=1200)
            return replace(whole, skip=LONG_INTERPRETED, kernels="interpreted"), whole
        return Job(tests=tests, seconds=600), Job(claims=claims_of(mutant.file), seconds=1200)
