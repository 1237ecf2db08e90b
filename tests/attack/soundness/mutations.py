"""Every small mistake in a formula: each node of its tree changed in each of the ways in which formulas go wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanAtom

from tests.attack.soundness.falsehood import Kind

Change = tuple[Kind, sp.Basic]
_INDICES = ("i", "j")

_STRICTER = {sp.Ge: sp.Gt, sp.Gt: sp.Ge, sp.Le: sp.Lt, sp.Lt: sp.Le}
_TURNED = {sp.Ge: sp.Le, sp.Gt: sp.Lt, sp.Le: sp.Ge, sp.Lt: sp.Gt}


@dataclass(frozen=True)
class Mutant:
    """A statement with one mistake of a kind."""

    kind: Kind
    statement: Boolean


def mutants(statement: Boolean, most: int | None = None, rng: np.random.Generator | None = None) -> list[Mutant]:
    """The statement with one mistake, in every way at every node; or `most` of them, drawn with the generator.

    None twice, none that SymPy writes as the original. One that it evaluates to plain true or false is left out:
    nobody would claim it.
    """
    changes = list(_changes(statement))
    order = range(len(changes)) if rng is None else rng.permutation(len(changes))
    found: dict[sp.Basic, Kind] = {}
    for n in order:
        if most is not None and len(found) >= most:
            break
        kind, place, new = changes[n]
        changed = _rebuilt(statement, place, new)
        if changed is not None and changed != statement and not isinstance(changed, BooleanAtom):
            found.setdefault(changed, kind)
    return [Mutant(kind, changed) for changed, kind in found.items()]


def _changes(node: sp.Basic, place: tuple[int, ...] = ()) -> Iterator[tuple[Kind, tuple[int, ...], sp.Basic]]:
    """What can be put in the place of each node; places are the numbers of arguments on the way down."""
    for kind, new in _here(node):
        yield kind, place, new
    if isinstance(node, sp.Indexed | sp.MatrixSymbol):
        return
    # of a sum only the body: the range is changed as a whole
    below = node.args[:1] if isinstance(node, sp.Sum | sp.Product) else node.args
    for n, argument in enumerate(below):
        yield from _changes(argument, (*place, n))


def _rebuilt(node: sp.Basic, place: tuple[int, ...], new: sp.Basic) -> sp.Basic | None:
    """The expression with something else at a place; None if no such formula can be written (shapes, no order)."""
    if not place:
        return new
    n, *rest = place
    changed = _rebuilt(node.args[n], tuple(rest), new)
    try:
        return None if changed is None else _with(node, n, changed)
    except (TypeError, ValueError):
        return None


def _here(node: sp.Basic) -> Iterator[Change]:
    """The changes of one node."""
    if isinstance(node, Relational):
        yield from _of_relation(node)
    elif isinstance(node, Boolean) and not isinstance(node, sp.Symbol):
        yield from _of_connective(node)
    elif isinstance(node, sp.Add):
        yield from (("term", _without(node, n)) for n in range(len(node.args)))
        yield from (("sign", _with(node, n, -term)) for n, term in enumerate(node.args))
    elif isinstance(node, sp.Mul):
        yield from (("term", _without(node, n)) for n in range(len(node.args)) if not node.args[n].is_Number)
        yield from (("factor", 2 * node), ("factor", node / 2), ("sign", -node))
    elif isinstance(node, sp.Pow):
        base, exponent = node.args
        yield from (("exponent", base ** (exponent + step)) for step in (1, -1))
        yield from (("exponent", base), ("exponent", base ** (2 * exponent)))
        yield from (("factor", 2 * node), ("sign", -node))
    elif isinstance(node, sp.Sum | sp.Product):
        yield from _of_range(node)
    elif isinstance(node, sp.Indexed):
        yield from _of_entry(node)
    elif isinstance(node, sp.MatrixExpr):
        yield from _of_matrix(node)
    elif isinstance(node, sp.Number):
        yield from (("factor", 2 * node), ("sign", -node), ("term", node + 1), ("term", node - 1))
    elif isinstance(node, sp.Symbol):
        yield from _of_symbol(node)
    elif isinstance(node, sp.Max | sp.Min):
        other = sp.Min if isinstance(node, sp.Max) else sp.Max
        yield "quantity", other(*node.args)
        yield from (("term", argument) for argument in node.args)
    elif isinstance(node, sp.Abs | sp.Function):
        yield "term", node.args[0]
        yield from (("factor", 2 * node), ("sign", -node))
    elif node == sp.pi:
        yield "quantity", sp.Integer(3)


def _of_relation(node: Relational) -> Iterator[Change]:
    left, right = node.args
    if isinstance(node, sp.Equality | sp.Unequality):
        yield "quantity", (sp.Ne if isinstance(node, sp.Equality) else sp.Eq)(left, right)
        yield from (("strictness", relation(left, right)) for relation in (sp.Le, sp.Ge, sp.Lt, sp.Gt))
    else:
        yield "strictness", _STRICTER[node.func](left, right)
        yield "bound", _TURNED[node.func](left, right)
        yield "strictness", sp.Eq(left, right)


def _of_connective(node: sp.Basic) -> Iterator[Change]:
    if isinstance(node, sp.And | sp.Or):
        yield from (("term", _without(node, n)) for n in range(len(node.args)))
        yield "quantity", (sp.Or if isinstance(node, sp.And) else sp.And)(*node.args)
        yield from (("sign", _with(node, n, sp.Not(part))) for n, part in enumerate(node.args))
    elif isinstance(node, sp.Implies):
        premise, conclusion = node.args
        yield "hypothesis", conclusion
        yield "hypothesis", sp.Implies(conclusion, premise)
        yield "sign", sp.Implies(sp.Not(premise), conclusion)
        yield "sign", sp.Implies(premise, sp.Not(conclusion))
    elif isinstance(node, sp.Equivalent):
        left, right = node.args
        yield "sign", sp.Equivalent(left, sp.Not(right))
        yield from (("hypothesis", sp.Implies(left, right)), ("hypothesis", sp.Implies(right, left)))
    elif isinstance(node, sp.Not):
        yield "sign", node.args[0]


def _of_range(node: sp.Sum | sp.Product) -> Iterator[Change]:
    (index, low, high), *outer = node.limits
    for bounds in ((low + 1, high), (low - 1, high), (low, high + 1), (low, high - 1)):
        yield "bound", node.func(node.function, (index, *bounds), *outer)
    yield "quantity", (sp.Product if isinstance(node, sp.Sum) else sp.Sum)(node.function, *node.limits)


def _of_entry(node: sp.Indexed) -> Iterator[Change]:
    for n, index in enumerate(node.indices):
        for step in (1, -1):
            yield "index", node.base[(*node.indices[:n], index + step, *node.indices[n + 1 :])]
    if len(node.indices) == 2 and node.indices[0] != node.indices[1]:
        yield "transpose", node.base[node.indices[::-1]]
    yield from (("exponent", node**2), ("factor", 2 * node), ("sign", -node))


def _of_matrix(node: sp.MatrixExpr) -> Iterator[Change]:
    if isinstance(node, sp.Transpose):
        yield "transpose", node.arg
    elif isinstance(node, sp.MatAdd):
        yield from (("term", _without(node, n)) for n in range(len(node.args)))
    elif isinstance(node, sp.MatMul):
        for n in range(len(node.args) - 1):
            swapped = [*node.args[:n], node.args[n + 1], node.args[n], *node.args[n + 2 :]]
            yield from _product(swapped)
    elif isinstance(node, sp.MatrixSymbol):
        yield "transpose", node.T


def _product(factors: Sequence[sp.Basic]) -> Iterator[Change]:
    try:
        yield "transpose", sp.MatMul(*factors)
    except ValueError:
        # the shapes do not fit
        return


def _of_symbol(node: sp.Symbol) -> Iterator[Change]:
    if node.name in _INDICES:
        return
    if node.is_real is None:
        # an event: true or false of an instance
        yield "sign", sp.Not(node)
    elif node.is_integer:
        yield from (("exponent", node**2), ("index", node + 1), ("index", node - 1))
    else:
        yield from (("exponent", node**2), ("factor", 2 * node), ("sign", -node))


def _without(node: sp.Basic, n: int) -> sp.Basic:
    return node.func(*node.args[:n], *node.args[n + 1 :])


def _with(node: sp.Basic, n: int, new: sp.Basic) -> sp.Basic:
    return node.func(*node.args[:n], new, *node.args[n + 1 :])
