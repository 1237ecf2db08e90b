"""What the roads to one truth have in common: which of the project's functions each of them runs.

The roads of an experiment are run on an instance and every function of the project that is entered is noted, and
beside it those that are compiled or whose results are kept, which the interpreter does not enter again. The symbolic
road is a module and all that it imports, read off the syntax trees. What two roads share may only be the instance
record and the checks of arguments; neither is mathematics.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import numpy as np

from theory.experiment import Experiment

ROOT = Path(__file__).parents[3]
CHECKS = ("sim.errors", "sim.arrays")
"""Where arguments are checked and copied."""


@dataclass(frozen=True, order=True)
class Function:
    """A function of the project, by its module and qualified name."""

    module: str
    name: str

    @property
    def allowed(self) -> bool:
        """Whether roads may share it: it checks arguments, or belongs to a record of data."""
        if self.module in CHECKS:
            return True
        owner = getattr(sys.modules.get(self.module), self.name.split(".")[0], None)
        return isinstance(owner, type) and is_dataclass(owner)

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def run_by(road: Callable[..., Any], *arguments: Any) -> frozenset[Function]:
    """The project's functions that a call runs, compiled and cached ones included."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            seen.add(frame.f_code)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        road(*arguments)
    finally:
        sys.setprofile(before)
    found: set[Function] = set()
    todo = list(seen)
    while todo:
        code = todo.pop()
        module = _modules().get(code.co_filename)
        if module is None or code.co_name.startswith("<"):
            continue
        function = Function(module.__name__, code.co_qualname)
        if function not in found:
            found.add(function)
            todo += _behind(module, code)
    return frozenset(found)


def _behind(module: ModuleType, code: CodeType) -> Iterator[CodeType]:
    """What stands behind the compiled and the cached functions that a function names."""
    for name in code.co_names:
        called = getattr(module, name, None)
        inner = getattr(called, "py_func", None) or getattr(called, "__wrapped__", None)
        if inner is not None and hasattr(inner, "__code__"):
            yield inner.__code__


@cache
def _loaded(count: int) -> dict[str, ModuleType]:
    rooms = tuple(str(ROOT / room) for room in ("sim", "theory"))
    named = ((getattr(module, "__file__", None), module) for module in list(sys.modules.values()))
    return {file: module for file, module in named if file is not None and file.startswith(rooms)}


def _modules() -> dict[str, ModuleType]:
    return _loaded(len(sys.modules))


def roads_of(experiment: Experiment) -> dict[str, frozenset[Function]]:
    """What each road of an experiment runs on its first instances."""
    rng = np.random.default_rng(0)
    batch = next(iter(experiment.sample(rng)))
    roads = {"simulator": run_by(experiment.observe, batch)}
    if experiment.layer is not None:
        own = next(iter((experiment.layer_sample or experiment.sample)(rng)))
        roads["layer"] = run_by(experiment.layer, own)
    if experiment.exact is not None:
        roads["exact"] = run_by(experiment.exact.observe, next(iter(experiment.exact.candidates())))
    return roads


def in_common(first: frozenset[Function], second: frozenset[Function]) -> list[Function]:
    """What two roads share that they may not."""
    return sorted(function for function in first & second if not function.allowed)


@cache
def imported_by(module: str) -> frozenset[str]:
    """The modules of the project that a module imports, and that these import, read off the syntax trees."""
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name in found or (path := _file(name)) is None:
            continue
        found.add(name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return frozenset(found)


def _file(module: str) -> Path | None:
    base = ROOT.joinpath(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def of_symbols(functions: frozenset[Function], derivation: Callable[[], Any]) -> list[Function]:
    """What a road through observations runs of the modules that a derivation is made from."""
    symbolic = imported_by(getattr(derivation, "__module__", ""))
    return sorted(function for function in functions if function.module in symbolic and not function.allowed)
