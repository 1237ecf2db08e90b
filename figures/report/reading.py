"""Formulas read back from text, such as a ledger's counterexamples, to be set as formulas; nothing is evaluated.

The text is parsed with Python's own grammar and built of SymPy's parts one by one, never by SymPy's parser, which runs
what it reads: a ledger file may come from anywhere.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import sympy as sp

from figures.report.markup import Markup, tag
from figures.report.mathml import mathml
from figures.report.prose import prose

LONGEST = 400
"""Characters; longer texts are left as they are."""

_KNOWN: Mapping[str, Callable[..., Any]] = {
    "Abs": sp.Abs,
    "Eq": sp.Eq,
    "Ne": sp.Ne,
    "Equivalent": sp.Equivalent,
    "Implies": sp.Implies,
    "Max": sp.Max,
    "Min": sp.Min,
    "Sum": sp.Sum,
    "Product": sp.Product,
    "sign": sp.sign,
    "sqrt": lambda x, evaluate: sp.Pow(x, sp.Rational(1, 2), evaluate=evaluate),
    "log": sp.log,
    "exp": sp.exp,
    "cos": sp.cos,
    "sin": sp.sin,
    "acos": sp.acos,
}
_COMPARED: Mapping[type[ast.cmpop], Callable[..., Any]] = {
    ast.Eq: sp.Eq,
    ast.NotEq: sp.Ne,
    ast.Lt: sp.Lt,
    ast.LtE: sp.Le,
    ast.Gt: sp.Gt,
    ast.GtE: sp.Ge,
}


def as_formula(text: str) -> Markup:
    """The text as formulas, one a comma (d = (0, 1), lam = 1/2); as prose if it is anything else."""
    if len(text) > LONGEST:
        return prose(text)
    try:
        parts = [mathml(_built(part)) for part in _parsed(text)]
    except (SyntaxError, ValueError, TypeError, AttributeError, RecursionError, MemoryError):
        return prose(text)
    return tag("div", *parts, class_="row")


def _parsed(text: str) -> list[ast.expr]:
    """The comma-separated parts of the text, in which one equals sign is a comparison."""
    spelled = text.replace(" = ", " == ")
    body = ast.parse(f"({spelled},)", mode="eval").body
    if not isinstance(body, ast.Tuple):
        raise ValueError("no list of formulas")
    return body.elts


def _built(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return sp.Integer(node.value)
    if isinstance(node, ast.Name):
        return sp.Symbol(node.id)
    if isinstance(node, ast.Tuple):
        return sp.Tuple(*map(_built, node.elts))
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return sp.Indexed(sp.IndexedBase(node.value.id), *map(_built, indices))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = _number(_built(node.operand))
        return -inner if inner.is_Rational else sp.Mul(-1, inner, evaluate=False)
    if isinstance(node, ast.BinOp):
        return _combined(node.op, _built(node.left), _built(node.right))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        return _COMPARED[type(node.ops[0])](_built(node.left), _built(node.comparators[0]), evaluate=False)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        known = _KNOWN.get(node.func.id)
        if known is None:
            return sp.Function(node.func.id)(*map(_built, node.args))
        return known(*map(_built, node.args), **_unevaluated(node.func.id))
    raise ValueError(f"no formula: {ast.dump(node)[:40]}")


def _number(built: Any) -> Any:
    """What can be calculated with; SymPy would warn of a sum with a tuple."""
    if not isinstance(built, sp.Expr):
        raise ValueError(f"no number: {type(built).__name__}")
    return built


def _combined(operation: ast.operator, left: Any, right: Any) -> Any:
    _number(left)
    _number(right)
    if isinstance(operation, ast.Add):
        return sp.Add(left, right, evaluate=False)
    if isinstance(operation, ast.Sub):
        return sp.Add(left, -right if right.is_Rational else sp.Mul(-1, right, evaluate=False), evaluate=False)
    if isinstance(operation, ast.Mult):
        return sp.Mul(left, right, evaluate=False)
    if isinstance(operation, ast.Div):
        if left.is_Integer and right.is_Integer and right != 0:
            return sp.Rational(left, right)
        return sp.Mul(left, sp.Pow(right, -1, evaluate=False), evaluate=False)
    if isinstance(operation, ast.Pow):
        return sp.Pow(left, right, evaluate=False)
    raise ValueError(f"no formula: {type(operation).__name__}")


def _unevaluated(name: str) -> dict[str, bool]:
    return {} if name in ("Sum", "Product") else {"evaluate": False}
