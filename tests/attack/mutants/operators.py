"""Mutation operators that mutmut and cosmic-ray lack: tolerances, signs, factors, transposes, seeds, strictness.

Each is a function of a syntax node that yields what the node may become.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import libcst as cst

Operator = Callable[[Any], Iterator[cst.CSTNode]]
DRAWS = ("choice", "integers", "normal", "permutation", "permuted", "shuffle", "standard_normal", "uniform")
"""Methods of a NumPy generator that draw."""
STRICTNESS: dict[type[cst.BaseCompOp], type[cst.BaseCompOp]] = {
    cst.LessThan: cst.LessThanEqual,
    cst.LessThanEqual: cst.LessThan,
    cst.GreaterThan: cst.GreaterThanEqual,
    cst.GreaterThanEqual: cst.GreaterThan,
}


def small_number_times_ten(node: cst.Float) -> Iterator[cst.CSTNode]:
    """1e-9 -> 1e-8: a written tolerance."""
    if 0 < node.evaluated_value <= 1e-3:
        yield cst.Float(repr(10 * node.evaluated_value))


def tolerance_times_ten(node: cst.Arg | cst.Assign | cst.AnnAssign) -> Iterator[cst.CSTNode]:
    """tolerance=x -> tolerance=10 * (x): whatever is named a tolerance."""
    names = [target.target for target in node.targets] if isinstance(node, cst.Assign) else []
    name = node.keyword if isinstance(node, cst.Arg) else node.target if isinstance(node, cst.AnnAssign) else None
    named = any(isinstance(n, cst.Name) and "tol" in n.value.lower() for n in (*names, name))
    if named and node.value is not None and not _is_word(node.value):
        yield node.with_changes(value=_times("10", node.value))


def sign_of_a_term(node: cst.BinaryOperation) -> Iterator[cst.CSTNode]:
    """a + b -> a - b, and back."""
    swap = {cst.Add: cst.Subtract, cst.Subtract: cst.Add}.get(type(node.operator))
    if swap is not None and not isinstance(node.left, cst.SimpleString | cst.FormattedString):
        yield node.with_changes(operator=_written_as(swap, node.operator))


def minus_dropped(node: cst.UnaryOperation) -> Iterator[cst.CSTNode]:
    """-x -> x."""
    if isinstance(node.operator, cst.Minus):
        yield node.expression


def factor_two(node: cst.BinaryOperation) -> Iterator[cst.CSTNode]:
    """x * y -> 2 * (x * y); 2 * x, x * 2, x / 2 and x ** 2 -> x."""
    if isinstance(node.operator, cst.Multiply | cst.Divide | cst.MatrixMultiply):
        yield _times("2", node)
    if isinstance(node.operator, cst.Multiply) and _is_two(node.left):
        yield node.right
    if isinstance(node.operator, cst.Multiply | cst.Divide | cst.Power) and _is_two(node.right):
        yield node.left


def transpose_dropped(node: cst.Attribute | cst.Call) -> Iterator[cst.CSTNode]:
    """x.T, x.mT, x.transpose(...), np.swapaxes(x, ...) -> x."""
    if isinstance(node, cst.Attribute):
        if node.attr.value in ("T", "mT"):
            yield node.value
    elif isinstance(node.func, cst.Attribute) and node.func.attr.value in ("transpose", "swapaxes", "moveaxis"):
        of_module = isinstance(node.func.value, cst.Name) and node.func.value.value in ("np", "sp", "torch")
        yield node.args[0].value if of_module else node.func.value


def product_turned_round(node: cst.BinaryOperation) -> Iterator[cst.CSTNode]:
    """a @ b -> b @ a."""
    if isinstance(node.operator, cst.MatrixMultiply):
        yield node.with_changes(left=_bracketed(node.right), right=_bracketed(node.left))


def strictness(node: cst.ComparisonTarget) -> Iterator[cst.CSTNode]:
    """< -> <=, > -> >=, and back."""
    swap = STRICTNESS.get(type(node.operator))
    if swap is not None:
        yield node.with_changes(operator=_written_as(swap, node.operator))


def generator_reused(node: cst.Call) -> Iterator[cst.CSTNode]:
    """rng.spawn(n) -> [rng] * n; rng.normal(...) -> np.random.default_rng(0).normal(...); default_rng(x) -> of 0."""
    if not isinstance(node.func, cst.Attribute):
        return
    method, of = node.func.attr.value, node.func.value
    if method == "spawn" and len(node.args) == 1:
        streams = cst.List([cst.Element(of)])
        yield cst.BinaryOperation(_bracketed(streams), cst.Multiply(), _bracketed(node.args[0].value))
    elif method == "default_rng" and node.args:
        yield node.with_changes(args=[cst.Arg(cst.Integer("0"))])
        stream = node.args[0].value
        if isinstance(stream, cst.List) and len(stream.elements) > 1:
            for n in range(len(stream.elements)):
                rest = [element for k, element in enumerate(stream.elements) if k != n]
                yield node.with_changes(args=[cst.Arg(stream.with_changes(elements=rest))])
    elif method in DRAWS and isinstance(of, cst.Name) and of.value not in ("np", "torch", "math"):
        fixed = cst.parse_expression("__import__('numpy').random.default_rng(0)")
        yield node.with_changes(func=node.func.with_changes(value=fixed))


OWN: Sequence[tuple[type | tuple[type, ...], Operator]] = (
    (cst.Float, small_number_times_ten),
    ((cst.Arg, cst.Assign, cst.AnnAssign), tolerance_times_ten),
    (cst.BinaryOperation, sign_of_a_term),
    (cst.UnaryOperation, minus_dropped),
    (cst.BinaryOperation, factor_two),
    ((cst.Attribute, cst.Call), transpose_dropped),
    (cst.BinaryOperation, product_turned_round),
    (cst.ComparisonTarget, strictness),
    (cst.Call, generator_reused),
)


def _written_as(swap: type[Any], operator: Any) -> Any:
    return swap(whitespace_before=operator.whitespace_before, whitespace_after=operator.whitespace_after)


def _is_two(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Integer | cst.Float) and node.evaluated_value == 2


def _is_word(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.SimpleString) or (isinstance(node, cst.Name) and node.value == "None")


def _bracketed(node: cst.BaseExpression) -> cst.BaseExpression:
    return node.with_changes(lpar=[cst.LeftParen(), *node.lpar], rpar=[*node.rpar, cst.RightParen()])


def _times(factor: str, node: cst.BaseExpression) -> cst.BaseExpression:
    # in brackets of its own, wherever it stands
    return _bracketed(cst.BinaryOperation(cst.Integer(factor), cst.Multiply(), _bracketed(node)))
