"""The arrows between the rooms, and what no file may do, read off the syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("commands", "theory", "sim", "figures")
SOURCES = sorted([ROOT / "filterlaw.py", *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))])
EVERYTHING = sorted([*SOURCES, *(ROOT / "tests").rglob("*.py")])


def module_of(path: Path) -> str:
    """filterlaw, theory.claims, sim.cnn.data, ..."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str, *, is_package: bool) -> Iterator[str]:
    """Every module that a source file imports, anywhere in it, with names imported from packages spelled out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            base = ".".join([*parent, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and _name(node.func) in (
            "import_module",
            "importlib.import_module",
            "__import__",
        ):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def inside(module: str, *rooms: str) -> bool:
    return any(module == room or module.startswith(room + ".") for room in rooms)


def forbidden(importer: str, imported: str) -> str | None:
    """Why `importer` may not import `imported`, or None if it may."""
    if inside(imported, "filterlaw"):
        return "nobody imports the front door"
    if inside(imported, "tests") and not inside(importer, "tests"):
        return "only tests import tests"
    if inside(importer, "tests", "filterlaw"):
        return None
    if inside(imported, "commands") and not inside(importer, "commands"):
        return "only the front door imports the commands"
    if inside(importer, "commands"):
        return None
    if inside(imported, "figures") and not inside(importer, "figures"):
        return "figures stand on top"
    if inside(importer, "sim"):
        if inside(imported, "theory"):
            return "sim never imports theory"
        if inside(imported, "torch", "torchvision") and not inside(importer, "sim.cnn"):
            return "in sim, only sim.cnn imports torch"
        if inside(imported, "sim.cnn") and not inside(importer, "sim.cnn"):
            return "in sim, only sim.cnn imports torch, so nothing else imports sim.cnn"
    if inside(importer, "theory") and not inside(importer, "theory.claims"):
        if inside(imported, "sim"):
            return "in theory, only theory.claims imports sim"
        if inside(imported, "torch"):
            return "in theory, nothing imports torch"
        if inside(imported, "theory.claims"):
            return "the claims stand on the rest of theory"
    return None


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_arrows_between_the_rooms(path):
    module = module_of(path)
    source = path.read_text(encoding="utf-8")
    wrong = {
        imported: why
        for imported in imports_of(source, module, is_package=path.name == "__init__.py")
        if (why := forbidden(module, imported))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("theory.derive.single_filter", "import sim.grid"),
        ("theory.derive.single_filter", "from sim import grid"),
        ("theory.verify", "def f():\n    from sim.grid import x"),
        ("theory.verify", "from theory.claims import find"),
        ("theory.symbols", "from . import claims"),
        ("theory.derive.spectra", "from .. import claims"),
        ("theory.display", "import torch"),
        ("theory.display", "import figures"),
        ("sim.grid", "from theory import ledger"),
        ("sim.grid", "if 1:\n    import torch.nn as nn"),
        ("sim.grid", "from .cnn import init"),
        ("sim.grid", "import importlib\nimportlib.import_module('theory.ledger')"),
        ("sim.cnn.init", "import theory"),
        ("figures.style", "import filterlaw"),
        ("figures.style", "from commands import options"),
        ("commands.simulate", "import filterlaw"),
        ("figures.style", "from tests import reference"),
    ],
)
def test_the_test_itself_sees_wrong_arrows(importer, statement):
    assert any(forbidden(importer, imported) for imported in imports_of(statement, importer, is_package=False))


@pytest.mark.parametrize(
    ("importer", "statement"),
    [
        ("theory.claims.single_filter", "from sim.grid import x\nfrom theory.derive import single_filter"),
        ("theory.claims.single_filter", "from sim.cnn import conv_filter"),
        ("sim.cnn.init", "import torch\nfrom sim.grid import x\nfrom . import data"),
        ("sim.grid", "import numpy\nfrom .errors import require_int\nfrom . import similar"),
        ("figures.map", "from sim.grid import x\nfrom theory.derive import single_filter\nimport theory.claims"),
        ("filterlaw", "import theory.claims, sim.grid, figures, commands.simulate"),
        ("commands.simulate", "from sim.descent import x\nimport figures\nfrom commands.options import y"),
    ],
)
def test_the_test_itself_lets_right_arrows_pass(importer, statement):
    assert not any(forbidden(importer, imported) for imported in imports_of(statement, importer, is_package=False))


RUNS_WHAT_IT_READS = (
    "builtins.eval",
    "builtins.exec",
    "eval",
    "exec",
    "joblib.load",
    "marshal.load",
    "marshal.loads",
    "os.popen",
    "os.system",
    "pandas.read_pickle",
    "runpy.run_path",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "sympy.parse_expr",
    "sympy.parsing.sympy_parser.parse_expr",
    "torch.jit.load",
    "yaml.load",
    "yaml.unsafe_load",
)


def unsafe_calls(source: str) -> Iterator[str]:
    """Ways to run code that hides in a data file, whatever names they were imported under."""
    tree = ast.parse(source)
    full = {
        alias.asname or alias.name: f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        yield from (
            name for name in names if name.split(".")[0] in ("pickle", "cPickle", "dill", "cloudpickle", "shelve")
        )
        if not isinstance(node, ast.Call):
            continue
        first, dot, rest = _name(node.func).partition(".")
        called = f"{full.get(first, first)}{dot}{rest}"
        options = {k.arg: k.value for k in node.keywords}
        if called in ("torch.load", "torch.serialization.load") and not _is_true(options.get("weights_only")):
            yield "torch.load without weights_only=True"
        if called in ("np.load", "numpy.load") and "allow_pickle" in options and not _is_false(options["allow_pickle"]):
            yield "np.load with allow_pickle"
        if called in RUNS_WHAT_IT_READS:
            yield called
        if _is_true(options.get("shell")):
            yield "a shell"


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


RUNS_THE_DOCUMENTS = {
    ROOT / "tests" / "docs.py": {"exec"},
    ROOT / "tests" / "reference" / "mathml.py": {"sympy.parse_expr"},
}
"""The examples in this repository's own documents are code of this repository; they are run to be tested. The naive
reader of MathML is given what this repository wrote."""


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_runs_code_from_data(path):
    assert set(unsafe_calls(path.read_text(encoding="utf-8"))) <= RUNS_THE_DOCUMENTS.get(path, set())


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load('w.pt')",
        "import torch as t\nt.load('w.pt')",
        "from torch import load\nload('w.pt')",
        "from torch import load as read\nread('w.pt')",
        "import numpy as n\nn.load('w.npy', allow_pickle=True)",
        "from sympy import parse_expr\nparse_expr('x')",
        "import yaml\nyaml.load('x')",
        "from os import system as s\ns('ls')",
        "torch.load('w.pt', weights_only=False)",
        "torch.load('w.pt', weights_only=flag)",
        "np.load('w.npy', allow_pickle=True)",
        "numpy.load('w.npy', allow_pickle=flag)",
        "joblib.load('x')",
        "eval('1')",
        "subprocess.run('ls', shell=True)",
    ],
)
def test_the_test_itself_sees_unsafe_calls(source):
    assert list(unsafe_calls(source))


def test_safe_loading_passes():
    assert not list(
        unsafe_calls("torch.load('w', weights_only=True)\nnp.load('w.npy')\nnp.load('w', allow_pickle=False)")
    )


def writes(source: str) -> Iterator[str]:
    """Calls that write a file by themselves."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            called = _name(node.func)
            modes = [*node.args[1:2], *(k.value for k in node.keywords if k.arg == "mode")]
            opens = called == "open" and any(isinstance(m, ast.Constant) and {*str(m.value)} & {*"wax+"} for m in modes)
            last = node.func.attr if isinstance(node.func, ast.Attribute) else called
            if opens or last in ("write_text", "write_bytes", "tofile", "savetxt", "savez", "save_file"):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", [p for p in SOURCES if module_of(p) != "sim.files"], ids=module_of)
def test_only_the_atomic_writer_writes_files(path):
    assert not list(writes(path.read_text(encoding="utf-8")))


def test_the_test_itself_sees_writes():
    for source in ("open('x', 'w')", "open('x', mode='ab')", "Path('x').write_text('y')", "np.savez('x', y)"):
        assert list(writes(source))
    assert not list(writes("open('x')\nopen('x', 'rb')\nsys.stdout.write('x')"))
