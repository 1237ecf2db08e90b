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
from fractions import Fraction
from functools import lru_cache
from typing import Any, Self

import numpy as np
import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from theory.evaluate import value
from theory.traces import collected


@dataclass(frozen=True)
class Step:
    """One line of a derivation: `claim` must follow by algebra alone.

    An equation is proven if its sides' difference simplifies to zero. An inequality is proven through `certificate`,
    an expression equal to (greater side - smaller side) whose sign is evident from the assumptions on its symbols.
    `printed` is what the paper prints at this place, where that differs.
    """

    text: str
    claim: Relational
    certificate: sp.Expr | None = None
    printed: sp.Basic | None = None

    def proven(self) -> bool:
        """Whether the claim follows by algebra alone."""
        if isinstance(self.claim, BOOLEAN_ATOMS):
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


MOST_OPERATIONS = 2000
"""What algebra tries to simplify; beyond, it may take for ever. The largest expression that a proof needs has 885."""
BOOLEAN_ATOMS = (sp.logic.boolalg.BooleanTrue, sp.logic.boolalg.BooleanFalse)


@dataclass(frozen=True)
class Derivation:
    """A proven result: statements that hold wherever the `used` hypotheses do.

    result: one statement or several. used: the hypotheses that the derivation needed, in words, to be read beside
    those that the paper states. steps: the way, each step checkable. definitions: what observed quantities stand for,
    as equations with the quantity on the left; if there are any, every result must follow from them by substitution.
    needs: those of the used hypotheses that an instance can be tested against; where the premises of a statement do
    not give them, the result says nothing about it.
    """

    result: tuple[Boolean, ...]
    used: tuple[str, ...]
    steps: tuple[Step, ...]
    definitions: tuple[sp.Equality, ...] = ()
    needs: tuple[Boolean, ...] = ()

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


@lru_cache(maxsize=4096)
def vanishes(expression: sp.Expr) -> bool:
    """Whether an expression is identically zero.

    A nonzero value at one rational point disproves it, exactly, or where the point has no exact value (pi, arccos) in
    floats, far beyond rounding; otherwise it must expand or simplify to zero: nothing is proven numerically. Traces of
    matrices are decided by their normal form.
    """
    if expression.is_zero:
        return True
    if expression.has(sp.Trace):
        expression = collected(expression)
        return False if expression.has(sp.Trace) else vanishes(expression)
    if _nonzero_at_a_point(expression):
        return False
    expanded = sp.expand(expression.doit())
    # sums are equal whatever their index is called
    alike = expanded.has(sp.Sum, sp.Product) and sp.expand(expanded.as_dummy()) == 0
    return bool(expanded == 0 or alike or _simplifies_to_zero(expanded))


def _simplifies_to_zero(expression: sp.Expr) -> bool:
    if sp.count_ops(expression) > MOST_OPERATIONS:
        return False
    try:
        return bool(sp.simplify(expression) == 0)
    except Exception:
        # SymPy stumbles over some sums and piecewise expressions, in many ways: not shown to vanish
        return False


class _Entries(Fraction):
    """A rational that, indexed, gives other rationals."""

    def __new__(cls, seed: int) -> Self:
        return super().__new__(cls, 7 + seed % 53, 11 + seed % 97)

    def __getitem__(self, index: int) -> _Entries:
        return _Entries(self.numerator * 31 + self.denominator * 17 + index * 29)


def _nonzero_at_a_point(expression: sp.Expr) -> bool:
    """Whether the expression is nonzero at one point: p = 3, i = 1, j = 2, distinct positive rationals elsewhere."""
    point = _point_for(expression)
    try:
        return bool(value(expression, point, exact=True) != 0)
    except TypeError:
        return _far_from_zero(expression, point)
    except (ZeroDivisionError, IndexError):
        return False


def _point_for(expression: sp.Expr, shift: int = 0) -> dict[str, Any]:
    """The values of its symbols at that point; they depend on the symbols' names alone. shift: another such point."""
    point: dict[str, Any] = {"p": 3, "i": 1, "j": 2}
    for symbol in expression.free_symbols:
        if isinstance(symbol, sp.Symbol) and symbol.name not in point:
            seed = shift + sum(ord(letter) * (k + 1) for k, letter in enumerate(symbol.name))
            point[symbol.name] = 2 + seed % 3 if symbol.is_integer else _Entries(seed)
    return point


def _multiple(first: sp.Expr, second: sp.Expr) -> sp.Rational:
    """A simple number c for which first = c second at two points, as a guess at what is to be proven; else 1.

    At one point alone there always is one, and algebra would have to find out that it is the wrong one elsewhere.
    """
    # a trace has no value at a point; equal ones are given the same
    first, second = (side.xreplace({t: sp.Symbol(str(t)) for t in side.atoms(sp.Trace)}) for side in (first, second))
    try:
        with np.errstate(all="ignore"):
            here, there = (
                float(value(first, _point_for(first, shift), exact=False))
                / float(value(second, _point_for(second, shift), exact=False))
                for shift in (0, 1)
            )
        simple = Fraction(here).limit_denominator(1000)
    except (TypeError, ValueError, ArithmeticError, LookupError):
        return sp.Integer(1)
    return sp.Rational(simple.numerator, simple.denominator) if np.isclose(here, there, rtol=1e-9) else sp.Integer(1)


def _far_from_zero(expression: sp.Expr, point: dict[str, Any]) -> bool:
    """Whether the terms of a sum, in floats, leave more than a millionth of what they are together."""
    with np.errstate(all="ignore"):
        try:
            terms = [float(value(term, point, exact=False)) for term in sp.Add.make_args(expression)]
        except (TypeError, ZeroDivisionError):
            return False
    # a NaN (arccos of 2) compares false
    return abs(sum(terms)) > 1e-6 * sum(abs(term) for term in terms)


def follows(premises: Sequence[Boolean], statement: Boolean) -> bool:
    """A small, sound entailment test: True only if the statement follows; False says "not shown".

    Conjunctions are split; an equation may be rewritten, and multiplied by a number; an inequality follows from a
    stronger one, from an equation that leaves it nothing to decide, and from itself times a positive number;
    an implication follows if its premise entails that of a known one and the known conclusion entails its own; an
    equivalence follows if both sides match those of a known one.
    """
    known = [part for premise in premises for part in sp.And.make_args(premise)]
    if statement == sp.true or statement in known:
        return True
    if isinstance(statement, sp.And):
        return all(follows(premises, part) for part in statement.args)
    if isinstance(statement, sp.Or):
        return any(follows(premises, part) for part in statement.args)
    if any(_matches(part, statement) for part in known):
        return True
    if isinstance(statement, sp.Implies):
        return follows([*premises, statement.args[0]], statement.args[1])
    return any(
        follows([q for q in known if q is not rule], rule.args[0]) and follows([rule.args[1]], statement)
        for rule in known
        if isinstance(rule, sp.Implies)
    )


def _matches(known: Boolean, statement: Boolean) -> bool:
    if isinstance(known, Relational) and isinstance(statement, Relational):
        return _relation_follows(known, statement)
    if isinstance(known, sp.Implies) and isinstance(statement, sp.Implies):
        return follows([statement.args[0]], known.args[0]) and follows(
            [known.args[1], statement.args[0]], statement.args[1]
        )
    if isinstance(known, sp.Equivalent) and isinstance(statement, sp.Equivalent):
        return _same_pair(known.args, statement.args) or _same_pair(known.args, statement.args[::-1])
    return False


def _same_pair(first: Sequence[Boolean], second: Sequence[Boolean]) -> bool:
    return len(first) == len(second) and all(
        follows([a], b) and follows([b], a) for a, b in zip(first, second, strict=True)
    )


def _relation_follows(known: Relational, statement: Relational) -> bool:
    if isinstance(statement, sp.Equality):
        if not isinstance(known, sp.Equality):
            return False
        difference, other = statement.lhs - statement.rhs, known.lhs - known.rhs
        return any(vanishes(difference - c * other) for c in (1, -1, _multiple(difference, other)))
    if isinstance(statement, sp.Unequality):
        if not isinstance(known, sp.Unequality | sp.StrictGreaterThan | sp.StrictLessThan):
            return False
        difference, other = statement.lhs - statement.rhs, known.lhs - known.rhs
        return any(c != 0 and vanishes(difference - c * other) for c in (1, -1, _multiple(difference, other)))
    if isinstance(known, sp.Equality):
        # it says two things: neither side is less than the other
        sides = (known.lhs, known.rhs)
        return any(_relation_follows(at_least(*order), statement) for order in (sides, sides[::-1]))
    if isinstance(known, sp.Unequality):
        return False
    strict_wanted = isinstance(statement, sp.StrictGreaterThan | sp.StrictLessThan)
    strict_known = isinstance(known, sp.StrictGreaterThan | sp.StrictLessThan)
    gap, known_gap = statement.gts - statement.lts, known.gts - known.lts
    times = _multiple(gap, known_gap)
    slack = sp.expand(gap - known_gap)
    if vanishes(slack) or (times > 0 and vanishes(gap - times * known_gap)):
        return strict_known or not strict_wanted
    return bool(slack.is_positive if strict_wanted and not strict_known else slack.is_nonnegative)
