"""`filterlaw verify` with a part of it told what to say: it must notice by itself, and end with status 1."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

import filterlaw
import theory.ledger
import theory.search
import theory.verify
from theory.evaluate import value
from theory.experiment import Experiment, Observation
from theory.ledger import Clause, Verdict
from theory.search import Outcome
from theory.sentinels import require_sound
from theory.verify import checks_of

ASKED = ("verify", "C-E3", "C-GAP", "--level", "simulation", "--jobs", "1")
"""Claims that hold: a stub that agrees with everything is not betrayed by them."""


@dataclass(frozen=True)
class Ended:
    """How the command ended: its status, and what it said of it."""

    status: int
    said: str

    @property
    def noticed(self) -> bool:
        """Whether it ended with 1 because of its own gate."""
        return self.status == 1 and "misjudges a claim whose verdict is known" in self.said


def verified() -> Ended:
    """The command as it stands now, with whatever is installed in it."""
    out, err = io.StringIO(), io.StringIO()
    require_sound.cache_clear()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            status = filterlaw.run(list(ASKED))
    finally:
        require_sound.cache_clear()
    return Ended(status, err.getvalue().strip())


@contextmanager
def judge_that_says(verdict: Verdict) -> Iterator[None]:
    """A judge with one answer."""
    with patch.object(theory.ledger, "judge", lambda evidence: verdict):
        yield


@contextmanager
def simulator_that_agrees() -> Iterator[None]:
    """A simulator that returns the closed form of whatever it is asked about: nothing is ever off."""
    agrees = Outcome(True, 1, 0.0, 1.0, "the closed form, returned")
    with (
        patch.object(theory.verify, "agreement", lambda *_: agrees),
        patch.object(theory.search, "residual", lambda *_: np.zeros(1)),
    ):
        yield


@contextmanager
def simulator_that_returns(reading: str) -> Iterator[None]:
    """A simulator, and a layer, that return the closed form of each clause: as printed, or as it is said to be true."""

    def stubbed(clause: Clause, **options: Any) -> Any:
        if clause.experiment is None:
            return checks_of(clause, **options)
        stub = returning(clause.experiment(), clause.printed if reading == "printed" else clause.true_statement)
        return checks_of(replace(clause, experiment=lambda: stub), **options)

    with patch.object(theory.verify, "checks_of", stubbed):
        yield


def returning(experiment: Experiment, statement: Boolean) -> Experiment:
    """The experiment with its float roads replaced: what an equation is about takes the value that it says."""

    def closed(observation: Observation) -> Observation:
        values = dict(observation.values)
        for part in sp.And.make_args(statement):
            if isinstance(part, sp.Equality) and isinstance(part.lhs, sp.Symbol):
                values[part.lhs.name] = value(part.rhs, values, exact=False)
        return replace(observation, values=values)

    layer = experiment.layer
    return replace(
        experiment,
        observe=lambda batch: closed(experiment.observe(batch)),
        layer=None if layer is None else lambda batch: closed(layer(batch)),
    )


def stubs() -> dict[str, Any]:
    """Every stub by its name."""
    judges = {f"a judge that always says {v}": judge_that_says(v) for v in Verdict}
    return {
        **judges,
        "a simulator that agrees with whatever it is asked": simulator_that_agrees(),
        "a simulator that returns what is printed": simulator_that_returns("printed"),
        "a simulator that returns what is said to be true": simulator_that_returns("true"),
    }
