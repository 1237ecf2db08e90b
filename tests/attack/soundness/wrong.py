"""Functions of the project made to return something wrong, wherever they are held."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import _lru_cache_wrapper
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from tests.attack.soundness.roads import Function
from theory.experiment import Observation

REMEMBERED = ("sim", "theory.claims.observe", "theory.search", "theory.verify")
"""Where results of what was broken are kept."""
SIZES = (Fraction(1, 7), Fraction(1), Fraction(-1, 2), Fraction(-2))
"""Numbers grow by about a seventh; if nobody notices (draws at random spread as far, a bound is not reached) they are
doubled, halved, or change their sign."""
WRONG = "_wrong"
"""The name under which a broken module finds what makes its results wrong."""
NEGLIGIBLE = 1e-9
"""A float below this is zero but for rounding: no factor would make it wrong."""


def wrong(result: Any, size: Fraction = SIZES[0]) -> Any:
    """Another result of the same shape, its numbers wrong by about `size` of them.

    They are multiplied by 1 + size, 1 + size 7/8, 1 + size 7/9, 1 + size, ... in the order in which they stand; a zero
    (but for rounding) becomes as large as `size`. Without fractional numbers, integers are raised by 1; without these
    too, booleans are negated. Whatever holds none of the three comes back as it is; an observation keeps its tolerance.
    """
    for kind in (_real, _whole, _truth):
        turn = _Turn(kind, size)
        found = turn(result)
        if turn.count:
            return found
    return result


def _real(value: Any, count: int, size: Fraction) -> Any:
    factors = [1 + size * Fraction(7, 7 + k) for k in range(3)]
    if isinstance(value, Fraction):
        return value * factors[count % 3] if value else abs(size)
    if isinstance(value, float | np.floating):
        changed = float(value) * float(factors[count % 3]) if abs(float(value)) > NEGLIGIBLE else float(abs(size))
        return type(value)(changed)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fcO" and value.size:
        if value.dtype == object:
            entries = [_real(each, count + k, size) for k, each in enumerate(value.ravel())]
            return np.array(entries, dtype=object).reshape(value.shape)
        scale = np.resize(np.roll([float(factor) for factor in factors], -count), value.shape)
        return np.where(np.abs(value) > NEGLIGIBLE, value * scale, float(abs(size)))
    return None


def _whole(value: Any, count: int, size: Fraction) -> Any:
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, int | np.integer) or (isinstance(value, np.ndarray) and value.dtype.kind in "iu"):
        return value + 1
    return None


def _truth(value: Any, count: int, size: Fraction) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, np.bool_) or (isinstance(value, np.ndarray) and value.dtype.kind == "b"):
        return ~value
    return None


class _Turn:
    """Goes through a result, containers and records included, and counts what it changed."""

    def __init__(self, change: Callable[[Any, int, Fraction], Any], size: Fraction) -> None:
        self.change = change
        self.size = size
        self.count = 0

    def __call__(self, value: Any) -> Any:
        changed = self.change(value, self.count, self.size)
        if changed is not None:
            self.count += 1
            return changed
        if isinstance(value, Mapping):
            return {key: self(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self(each) for each in value]
        if type(value) is tuple:
            return tuple(self(each) for each in value)
        if isinstance(value, Observation):
            # a tolerance as wide as the mistake would hide it
            return replace(value, values=self(value.values))
        if is_dataclass(value) and not isinstance(value, type):
            record = copy(value)
            for field in fields(value):
                object.__setattr__(record, field.name, self(getattr(value, field.name)))
            return record
        return value


class _Wrapped(ast.NodeTransformer):
    """Puts `wrong` around all that one function returns or yields, and leaves every other line where it was."""

    def __init__(self, name: str) -> None:
        self.inside: list[str] = []
        self.name = name

    def _enter(self, node: Any, *inner: str) -> Any:
        self.inside += [node.name, *inner]
        self.generic_visit(node)
        del self.inside[-1 - len(inner) :]
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> Any:
        return self._enter(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> Any:
        return self._enter(node, "<locals>")

    def visit_Lambda(self, node: ast.Lambda) -> Any:
        return node

    def _wrap(self, node: Any) -> Any:
        self.generic_visit(node)
        if node.value is not None and ".".join(self.inside) == f"{self.name}.<locals>":
            call = ast.Call(ast.Name(WRONG, ast.Load()), [node.value], [])
            node.value = ast.fix_missing_locations(ast.copy_location(call, node.value))
        return node

    def visit_Return(self, node: ast.Return) -> Any:
        return self._wrap(node)

    def visit_Yield(self, node: ast.Yield) -> Any:
        return self._wrap(node)


@contextmanager
def broken(function: Function, size: Fraction = SIZES[0]) -> Iterator[None]:
    """While inside, the function returns something `wrong`, whoever holds it, and nothing is remembered.

    Raises ValueError if the module has no such function.
    """
    module = sys.modules[function.module]
    path = module.__file__ or ""
    with open(path, encoding="utf-8") as source:
        tree = _Wrapped(function.name).visit(ast.parse(source.read()))
    codes = {(code.co_qualname, code.co_firstlineno): code for code in _codes(compile(tree, path, "exec"))}
    # a nested function is made anew by those around it: they must make the broken one
    ancestors = function.name.split(".<locals>.")
    chain = {".<locals>.".join(ancestors[: n + 1]) for n in range(len(ancestors))}
    held = [f for f in _functions(module) if f.__code__.co_qualname in chain]
    if not held:
        raise ValueError(f"function must be one of {function.module}, got {function.name!r}")
    before = [f.__code__ for f in held]
    vars(module)[WRONG] = lambda result: wrong(result, size)
    _forget()
    try:
        for each, code in zip(held, before, strict=True):
            each.__code__ = codes[(code.co_qualname, code.co_firstlineno)]
        yield
    finally:
        for each, code in zip(held, before, strict=True):
            each.__code__ = code
        del vars(module)[WRONG]
        _forget()


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """The functions that a module defines, behind decorators, and those of its classes."""
    todo, seen = list(vars(module).values()), set()
    while todo:
        item = todo.pop()
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, FunctionType) and item.__code__.co_filename == module.__file__:
            yield item
        if isinstance(item, type) and item.__module__ == module.__name__:
            todo += vars(item).values()
        for behind in ("__wrapped__", "__func__", "fget", "func"):
            inner = getattr(item, behind, None)
            if isinstance(inner, FunctionType | _lru_cache_wrapper):
                todo.append(inner)


def _forget() -> None:
    for item in gc.get_objects():
        # by its type alone: some modules answer to questions with warnings
        if type(item) is _lru_cache_wrapper and str(item.__module__).startswith(REMEMBERED):
            item.cache_clear()
