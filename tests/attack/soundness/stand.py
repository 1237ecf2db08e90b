"""A clause on the stand: many statements judged in its place, each check run once for each statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import sympy as sp
from sympy.logic.boolalg import Boolean

from tests.attack.soundness.falsehood import Role
from tests.attack.soundness.judging import CERTIFIED, registered
from theory.derivation import Derivation
from theory.ledger import Claim, Clause, Hypothesis, Verdict
from theory.search import Outcome
from theory.verify import Check, checks_of, clause_report, simulated

REFUSALS = (ArithmeticError, LookupError, TypeError, ValueError)
"""How a statement is refused that has no value: an index out of range, a division by zero, a root in exact numbers."""
EXPERIMENTS = ("exact search", "simulator", "layer")


def rejects(check: Check, outcome: Outcome) -> bool:
    """Whether a check found a statement false."""
    return outcome.passed is (check.kind == "counterexample")


def _once(check: Check) -> Callable[[Boolean, tuple[Boolean, ...]], Outcome]:
    @cache
    def run(statement: Boolean, premises: tuple[Boolean, ...]) -> Outcome:
        # a mutant may divide by zero: what has no value is judged like any other
        with np.errstate(all="ignore"):
            return check.run(statement, premises)

    return run


@dataclass(frozen=True)
class Stand:
    """A derived clause, its condition (if it has one) taken among the hypotheses, so that its true statement holds."""

    claim: Claim
    clause: Clause

    @cached_property
    def bare(self) -> Clause:
        """The clause with its true statement as print, and nothing to save it."""
        condition = self.clause.condition
        further = () if condition is None else (Hypothesis("the condition", condition),)
        return replace(
            self.clause,
            printed=self.clause.true_statement,
            corrected=None,
            condition=None,
            hypotheses=(*self.clause.hypotheses, *further),
        )

    @property
    def name(self) -> str:
        """The claim and its clause, in words."""
        return f"{self.claim.id} ({self.clause.name})" if self.clause.name else self.claim.id

    @property
    def truth(self) -> Boolean:
        """What is true: the correction, or the print, under the premises."""
        return self.bare.printed

    @property
    def premises(self) -> tuple[Boolean, ...]:
        """The formal hypotheses, the condition among them."""
        return self.bare.needed

    @cached_property
    def checks(self) -> tuple[Check, ...]:
        """The clause's own checks, which remember what they found."""
        return tuple(replace(check, run=_once(check)) for check in checks_of(self.bare, level="cnn", seed=0))

    @cached_property
    def observed(self) -> frozenset[str]:
        """The names of what the simulator gives a value."""
        assert self.bare.experiment is not None
        return frozenset(str(name) for name in simulated(self.bare.experiment(), 0)[0].values)

    def speaks_of(self, statement: Boolean) -> bool:
        """Whether a statement speaks only of what is observed."""
        entries = {entry for kind in (sp.Indexed, sp.MatrixSymbol) for entry in statement.atoms(kind)}
        names = {str(s) for s in statement.free_symbols if isinstance(s, sp.Symbol | sp.MatrixSymbol)}
        return names - {str(entry) for entry in entries if isinstance(entry, sp.Indexed)} - {"i", "j"} <= self.observed

    def rejected_by(self, statement: Boolean) -> tuple[str, ...]:
        """The checks that find a statement false under the premises; raises one of REFUSALS if it has no value."""
        return tuple(c.name for c in self.checks if rejects(c, c.run(statement, self.premises)))

    def verdict(self, statement: Boolean, as_: Role = "printed", derivation: Derivation | None = None) -> Verdict:
        """The verdict on the clause with the statement in the place of its print or correction.

        derivation: in place of the clause's own.
        """
        clause, checks = registered(self.bare, statement, as_), self.checks
        if derivation is not None:
            clause = replace(clause, derivation=lambda: derivation)
            checks = (checks_of(clause, level="symbolic", seed=0)[0], *checks[1:])
        return clause_report(clause, checks).verdict

    def certified(self, statement: Boolean, derivation: Derivation | None = None) -> bool:
        """Whether the suite vouches for the statement, as print or as correction."""
        return any(self.verdict(statement, as_, derivation) in CERTIFIED for as_ in ("printed", "correction"))
