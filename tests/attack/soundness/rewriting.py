"""The same truth written otherwise: variants that say what a statement says, and must be accepted as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

Rewriting = Callable[[Relational], Boolean]
_TURNED = {sp.Ge: sp.Le, sp.Gt: sp.Lt, sp.Le: sp.Ge, sp.Lt: sp.Gt, sp.Eq: sp.Eq, sp.Ne: sp.Ne}


def variants(statement: Boolean) -> Iterator[tuple[str, Boolean]]:
    """Equivalent statements with what was done, those that SymPy writes as the original left out."""
    for name, rewriting in REWRITINGS.items():
        changed = _everywhere(statement, rewriting)
        if changed != statement and not isinstance(changed, BooleanAtom):
            yield name, changed


def _everywhere(statement: sp.Basic, rewriting: Rewriting) -> sp.Basic:
    if isinstance(statement, Relational):
        return rewriting(statement)
    if isinstance(statement, Boolean) and statement.args:
        return statement.func(*(_everywhere(part, rewriting) for part in statement.args))
    return statement


def _sides(change: Callable[[sp.Expr], sp.Expr]) -> Rewriting:
    """Each side rewritten; kept as written, so that SymPy does not bring it back to what it was."""

    def rewriting(relation: Relational) -> Boolean:
        left, right = (_unless_matrices(side, change) for side in relation.args)
        return relation.func(left, right, evaluate=False)

    return rewriting


def _unless_matrices(side: sp.Expr, change: Callable[[sp.Expr], sp.Expr]) -> sp.Expr:
    # SymPy's algebra of scalars does not look into traces
    return side if side.has(sp.Trace) else change(side)


def _exchanged(relation: Relational) -> Boolean:
    left, right = relation.args
    return _TURNED[relation.func](right, left, evaluate=False)


def _halved(relation: Relational) -> Boolean:
    left, right = relation.args
    return relation.func(left / 2, right / 2, evaluate=False)


def _on_one_side(relation: Relational) -> Boolean:
    left, right = relation.args
    return relation.func(left - right, 0, evaluate=False)


def _negated(relation: Relational) -> Boolean:
    left, right = relation.args
    return _TURNED[relation.func](-left, -right, evaluate=False)


def _shifted(relation: Relational) -> Boolean:
    left, right = relation.args
    return relation.func(left + 1, right + 1, evaluate=False)


def _renamed(side: sp.Expr) -> sp.Expr:
    """The side with another name for what each sum or product runs over."""
    names = {}
    for term in side.atoms(sp.Sum, sp.Product):
        for symbol, *_ in term.limits:
            names[symbol] = sp.Symbol(f"{symbol.name}_renamed", **symbol.assumptions0)
    return side.xreplace(names)


REWRITINGS: dict[str, Rewriting] = {
    "expanded": _sides(sp.expand),
    "factored": _sides(sp.factor),
    "over one denominator": _sides(sp.together),
    "simplified": _sides(sp.simplify),
    "sides exchanged": _exchanged,
    "halved": _halved,
    "on one side": _on_one_side,
    "negated": _negated,
    "one added": _shifted,
    "bound symbols renamed": _sides(_renamed),
}
"""What is done to every relation of a statement; `negated` turns inequalities round.

Nothing is multiplied by more than 1: tolerances are in the unit of a statement's sides, and the same statement times
three would be judged three times as strictly.
"""
