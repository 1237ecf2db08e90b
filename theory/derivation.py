"""What a derivation returns: its result, the hypotheses that it used, and steps that can be checked again.

A derivation is trusted for little: every step is proven anew, `Derivation.ungrounded` substitutes the definitions of
the observed quantities into the result and asks algebra whether it holds, and `Derivation.entails` accepts a statement
only if it follows from the result. Where a derivation gives no definitions, its result is argued from the steps in
words (an induction, a case distinction, a geometric fact) and rests on exact search and simulation for the rest; the
ledger says which. Proof is by exact algebra (a difference that simplifies to zero) and by
sign certificates (a rewriting whose sign SymPy reads off the symbols' assumptions); nothing is decided numerically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

from theory.algebra import vanishes
from theory.entailment import follows


@dataclass(frozen=True)
class Step:
    """One line of a derivation: `claim` must follow by algebra alone.

    An equation is proven if its sides' difference simplifies to zero. An inequality is proven through `certificate`,
    an expression equal to (greater side - smaller side) whose sign is evident from the assumptions on its symbols.
    `printed` is what the paper prints at this place, where that differs. Raises TypeError for a text or a claim that is
    none.
    """

    text: str
    claim: Relational
    certificate: sp.Expr | None = None
    printed: sp.Basic | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise TypeError(f"text must be a string, got {self.text!r}")
        if not isinstance(self.claim, Relational | BooleanAtom):
            raise TypeError(f"claim must be a relation, got {self.claim!r}")

    def shown(self) -> tuple[str, sp.Basic | None]:
        """Words and formula that tell the claim to a reader.

        Where both sides were worked out to the same expression, that value alone: SymPy has done the step while it
        wrote it down, and "a = a" would tell nothing.
        """
        if isinstance(self.claim, BooleanAtom):
            return "true by construction" if self.claim else "false by construction", None
        if isinstance(self.claim, sp.Equality) and self.claim.lhs == self.claim.rhs:
            return "computed", self.claim.lhs
        return "", self.claim

    def proven(self) -> bool:
        """Whether the claim follows by algebra alone."""
        if isinstance(self.claim, BooleanAtom):
            return bool(self.claim)
        if isinstance(self.claim, sp.Equality):
            return vanishes(self.claim.lhs - self.claim.rhs)
        if isinstance(self.claim, sp.Unequality):
            return bool((self.claim.lhs - self.claim.rhs).is_nonzero)
        gap = self.claim.gts - self.claim.lts
        certificate = gap if self.certificate is None else self.certificate
        if not vanishes(gap - certificate):
            return False
        strict = isinstance(self.claim, sp.StrictGreaterThan | sp.StrictLessThan)
        forms = (certificate, sp.expand(certificate))
        return any(bool(form.is_positive if strict else form.is_nonnegative) for form in forms)


# SymPy decides an evident relation as soon as it is written down; steps are to be shown as they were written


def equal(left: sp.Expr, right: sp.Expr) -> Relational:
    """left = right, kept as written."""
    return sp.Eq(left, right, evaluate=False)


def at_least(left: sp.Expr, right: sp.Expr) -> Relational:
    """left >= right, kept as written."""
    return sp.Ge(left, right, evaluate=False)


def greater(left: sp.Expr, right: sp.Expr) -> Relational:
    """left > right, kept as written."""
    return sp.Gt(left, right, evaluate=False)


def at_most(left: sp.Expr, right: sp.Expr) -> Relational:
    """left <= right, kept as written."""
    return sp.Le(left, right, evaluate=False)


def less(left: sp.Expr, right: sp.Expr) -> Relational:
    """left < right, kept as written."""
    return sp.Lt(left, right, evaluate=False)


@dataclass(frozen=True)
class Derivation:
    """A proven result: statements that hold wherever the `used` hypotheses do.

    result: one statement or several. used: the hypotheses that the derivation needed, in words, to be read beside
    those that the paper states. steps: the way, each step checkable. definitions: what observed quantities stand for,
    as equations with the quantity on the left; if there are any, every result must follow from them by substitution.
    needs: those of the used hypotheses that an instance can be tested against; where the premises of a statement do
    not give them, the result says nothing about it.
    Raises TypeError for a part that is not a tuple of these.
    """

    result: tuple[Boolean, ...]
    used: tuple[str, ...]
    steps: tuple[Step, ...]
    definitions: tuple[sp.Equality, ...] = ()
    needs: tuple[Boolean, ...] = ()

    def __post_init__(self) -> None:
        kinds = {"result": Boolean, "used": str, "steps": Step, "definitions": sp.Equality, "needs": sp.Basic}
        for name, kind in kinds.items():
            part = getattr(self, name)
            if not isinstance(part, tuple) or not all(isinstance(each, kind) for each in part):
                raise TypeError(f"{name} must be a tuple of {kind.__name__}, got {part!r}")

    def failing_steps(self) -> list[Step]:
        """The steps that algebra does not confirm."""
        return [step for step in self.steps if not step.proven()]

    def ungrounded(self) -> list[Boolean]:
        """The results that do not follow from the definitions; none if there are no definitions to follow from."""
        rules = {rule.lhs: rule.rhs for rule in self.definitions}
        return [part for part in self.result if rules and not _grounded(part, rules)]

    def entails(self, statement: Boolean, premises: Sequence[Boolean] = ()) -> bool:
        """Whether the statement follows from the result, at instances that satisfy the premises."""
        if all(follows(premises, need) for need in self.needs):
            return follows([*self.result, *premises], statement)
        if isinstance(statement, sp.Implies):
            return self.entails(statement.args[1], [*premises, statement.args[0]])
        return False


def _grounded(statement: Boolean, rules: Mapping[sp.Basic, sp.Expr]) -> bool:
    """Whether a statement is true by algebra once the definitions are substituted, and again in what they contain."""
    if isinstance(statement, sp.And):
        return all(_grounded(part, rules) for part in statement.args)
    if isinstance(statement, sp.Implies):
        return _grounded(statement.args[1], rules)
    if not isinstance(statement, Relational):
        return False
    left, right = statement.args
    for _ in rules:
        left, right = left.xreplace(rules), right.xreplace(rules)
    left, right = (side.replace(sp.Abs, lambda inner: sp.Abs(sp.factor(inner))) for side in (left, right))
    return Step("", statement.func(left, right, evaluate=False)).proven()
