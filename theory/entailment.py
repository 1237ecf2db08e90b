"""Whether a statement follows from others: a small, sound test that says "not shown" where it cannot tell."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean

from theory.algebra import multiple, vanishes


def follows(premises: Sequence[Boolean], statement: Boolean) -> bool:
    """A small, sound entailment test: True only if the statement follows; False says "not shown".

    Conjunctions are split; an equation may be rewritten, and multiplied by a number; an inequality follows from a
    stronger one, from an equation that leaves it nothing to decide, and from itself times a positive number;
    an implication follows if its conclusion does from its premise, too; the conclusion of a known one follows if its
    premise does; an equivalence follows if both sides match those of a known one.
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
        # few rules conclude what is asked: the others' premises need not be looked for
        follows([rule.args[1]], statement) and follows([q for q in known if q is not rule], rule.args[0])
        for rule in known
        if isinstance(rule, sp.Implies)
    )


def _matches(known: Boolean, statement: Boolean) -> bool:
    if isinstance(known, Relational) and isinstance(statement, Relational):
        return _relation_follows(known, statement)
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
        return any(vanishes(difference - c * other) for c in (1, -1, multiple(difference, other)))
    if isinstance(statement, sp.Unequality):
        if not isinstance(known, sp.Unequality | sp.StrictGreaterThan | sp.StrictLessThan):
            return False
        difference, other = statement.lhs - statement.rhs, known.lhs - known.rhs
        return any(c != 0 and vanishes(difference - c * other) for c in (1, -1, multiple(difference, other)))
    if isinstance(known, sp.Equality):
        # it says two things: neither side is less than the other
        sides = (known.lhs, known.rhs)
        return any(_relation_follows(sp.Ge(*order, evaluate=False), statement) for order in (sides, sides[::-1]))
    if isinstance(known, sp.Unequality):
        return False
    strict_wanted = isinstance(statement, sp.StrictGreaterThan | sp.StrictLessThan)
    strict_known = isinstance(known, sp.StrictGreaterThan | sp.StrictLessThan)
    gap, known_gap = statement.gts - statement.lts, known.gts - known.lts
    times = multiple(gap, known_gap)
    slack = sp.expand(gap - known_gap)
    if vanishes(slack) or (times > 0 and vanishes(gap - times * known_gap)):
        return strict_known or not strict_wanted
    return bool(slack.is_positive if strict_wanted and not strict_known else slack.is_nonnegative)
