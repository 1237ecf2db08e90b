"""Where mutants come from: the operators of mutmut, of cosmic-ray and of our own, on one source file."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast

import libcst as cst
from cosmic_ray.ast import ast_nodes, get_ast  # type: ignore[import-untyped]
from cosmic_ray.mutating import mutate_code  # type: ignore[import-untyped]
from cosmic_ray.operators.provider import OperatorProvider  # type: ignore[import-untyped]
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators

from tests.attack.mutants.operators import OWN

Tool = Literal["mutmut", "cosmic-ray", "own"]
Table = Sequence[tuple[Any, Callable[[Any], Any]]]


@dataclass(frozen=True)
class Mutant:
    """A source file with one change.

    file: relative to the root, such as "theory/ledger.py". function: the qualified name of the function or class that
    the change is in; empty at module level. before, after: the changed lines, stripped. text: the whole file, changed.
    """

    file: str
    tool: Tool
    operator: str
    function: str
    before: str
    after: str
    text: str

    @property
    def line(self) -> str:
        """The mutant in one line of a listing."""
        before, after = (" ".join(text.split("\n")) for text in (self.before, self.after))
        return f"{self.file} {self.function or '(module)'}: {before}  ->  {after or '(nothing)'}"


ALIASES = ("Callable", "Literal", "Mapping", "Sequence", "dict", "list", "tuple")
"""What an assignment that only names a type begins with."""
Site = Callable[[], Mutant | None]
"""A place to change: writes the mutant down, or None if it is the same program by the rule of `same_program`."""


def sites(file: str, source: str, tool: Tool) -> list[Site]:
    """The places where the operators of a tool apply, in the order of the file."""
    if tool == "cosmic-ray":
        return list(_cosmic_ray(file, source))
    return list(_on_nodes(file, source, tool, cast(Table, mutation_operators) if tool == "mutmut" else OWN))


def _on_nodes(file: str, source: str, tool: Tool, table: Table) -> Iterator[Site]:
    wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
    spans = wrapper.resolve(WhitespaceInclusivePositionProvider)
    starts = _line_starts(source)

    def site(operator: str, node: cst.CSTNode, other: cst.CSTNode) -> Site:
        def write() -> Mutant | None:
            span = spans[node]
            start, end = (starts[at.line - 1] + at.column for at in (span.start, span.end))
            if source[start:end] == wrapper.module.code_for_node(node):
                text = source[:start] + wrapper.module.code_for_node(other) + source[end:]
            else:
                text = cst.ensure_type(wrapper.module.deep_replace(node, other), cst.Module).code
            return mutant(file, tool, operator, source, text)

        return write

    for node in _code(wrapper.module):
        for kind, operator in table:
            if isinstance(node, kind):
                for other in operator(node):
                    yield site(operator.__name__.removeprefix("operator_"), node, other)


def _code(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The nodes of a file that are executed as code: no types, decorators or imports."""
    if isinstance(node, cst.Annotation | cst.Decorator | cst.Import | cst.ImportFrom):
        return
    yield node
    for child in node.children:
        yield from _code(child)


def _cosmic_ray(file: str, source: str) -> Iterator[Site]:
    provider = OperatorProvider()

    def site(name: str, number: int) -> Site:
        return lambda: mutant(file, "cosmic-ray", name, source, mutate_code(source, provider[name](), number) or source)

    nodes = list(ast_nodes(get_ast(source)))
    for name in provider:
        if name == "RemoveDecorator" or provider[name].arguments():
            continue
        operator = provider[name]()
        count = sum(1 for node in nodes for _ in operator.mutation_positions(node))
        yield from (site(name, number) for number in range(count))


def mutant(file: str, tool: Tool, operator: str, source: str, text: str) -> Mutant | None:
    """A mutant of a source text; None if it does not parse or is the same program but for wording."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    whole = _parsed(source)
    if same_program(whole, tree):
        return None
    old, new = source.splitlines(), text.splitlines()
    first = _in_common(old, new)
    same_end = _in_common(old[first:][::-1], new[first:][::-1])
    before = "\n".join(line.strip() for line in old[first : len(old) - same_end])
    after = "\n".join(line.strip() for line in new[first : len(new) - same_end])
    return Mutant(file, tool, operator, _function_at(whole, first + 1), before, after, text)


def _in_common(first: Sequence[str], second: Sequence[str]) -> int:
    """How many lines two texts have in common before they part."""
    ends = min(len(first), len(second))
    return next((n for n in range(ends) if first[n] != second[n]), ends)


@lru_cache(maxsize=4)
def _parsed(source: str) -> ast.Module:
    return ast.parse(source)


def same_program(first: ast.Module, second: ast.Module) -> bool:
    """Whether two programs differ at most in prose, in types, or in how they are compiled (`@njit(...)`).

    Prose is a string with a space in it, docstrings included: what is said of a step, a hypothesis or an error. It
    may as well be missing (None). Types are annotations and their aliases, which nothing evaluates.
    """
    return _bare(first) == _bare(second)


def _bare(tree: ast.Module) -> str:
    return ast.dump(_Bare().visit(copy.deepcopy(tree)))


class _Bare(ast.NodeTransformer):
    """Without prose, types and compilation."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        prose = isinstance(node.value, str) and " " in node.value
        return ast.Constant(None) if prose else node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        match node.value:
            case ast.Subscript(value=ast.Name(id=name)) if name in ALIASES:
                node.value = ast.Constant(None)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self.generic_visit(node)
        node.returns = None
        node.decorator_list = [one for one in node.decorator_list if not _of_numba(one)]
        return node


def _of_numba(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "njit"


def _function_at(tree: ast.Module, line: int) -> str:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.lineno <= line <= (node.end_lineno or 0):
            names.append((node.lineno, node.name))
    return ".".join(name for _, name in sorted(names))


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts
