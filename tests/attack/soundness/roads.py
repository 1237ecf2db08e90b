"""What the roads to one truth have in common: which of the project's functions each of them runs.

The roads of an experiment are run on an instance and every function of the project that is entered is noted, and
beside it those that are compiled or whose results are kept, which the interpreter does not enter again. The symbolic
road is a module and all that it imports, read off the syntax trees.

What two roads share is of one of four kinds, told by where it is written: it makes or describes an instance
(`INSTANCE`); it reads values off what a road ran, and packs them (elsewhere among the observations); it is a formula
of the derivation that a statement takes as the value of a symbol; or it reckons (elsewhere in `sim`), which no two
roads may share. Checks of arguments, and what Python calls to make or compare a record, are no kind at all.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any, Literal

import numpy as np

from theory.experiment import Experiment

ROOT = Path(__file__).parents[3]
CHECKS = ("sim.errors", "sim.arrays")
"""Where arguments are checked and copied."""
OBSERVE = "theory.claims.observe."
INSTANCE: Mapping[str, tuple[str, ...]] = {
    # every sample of a grid, one by one; sets of samples and their targets; how many weights there are
    "sim.grid": (),
    "sim.samples": ("linear_targets", "symmetric_grid", "asymmetric_grid", "SampleSet.p"),
    "sim.instance": (),
    "sim.deep_linear": ("LinearTask.create",),
    # random filters and inputs, and their sizes
    "sim.layer_variance": ("draw_law", "draw_inputs", "draw_filters", "_mixture", "Stack"),
    "sim.correlation": ("equicorrelation",),
    # weights planted from strengths; how large matrices are padded to fit side by side
    "theory.claims.observe.deep_linear.aligned": ("diagonal", "inner_matrices"),
    "theory.claims.observe.deep_linear.chains": ("width_of", "unit_like"),
    # the direction along which a slope is asked for; the width of given filters
    "theory.claims.observe.deep_linear.flows": ("_corner",),
    "theory.claims.observe.layer_variance.perfect": ("Network.k",),
    # laws that are given, not found
    "sim.finite_law": ("uniform_law", "equal_law", "independent_law", "FiniteLaw.n", "FiniteLaw.relu"),
}
"""Where instances are made and described: modules, with the functions and records among them (none: all of it).

Whatever these return is an instance of the hypotheses, or leaves them, which the statement then shows.
"""


Kind = Literal["instance", "reads", "formula", "reckons"]


@dataclass(frozen=True, order=True)
class Function:
    """A function of the project, by its module and qualified name."""

    module: str
    name: str

    @property
    def allowed(self) -> bool:
        """Whether roads may share it: it checks arguments, or is what Python calls to make or compare a record."""
        return self.module in CHECKS or self.name.rsplit(".")[-1].startswith("__")

    @property
    def kind(self) -> Kind:
        """What a function is for, by where it is written."""
        made = INSTANCE.get(self.module)
        if made is not None and (not made or any(f"{self.name}.".startswith(f"{name}.") for name in made)):
            return "instance"
        if self.module.startswith("sim."):
            return "reckons"
        return "reads" if self.module.startswith(OBSERVE) else "formula"

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
