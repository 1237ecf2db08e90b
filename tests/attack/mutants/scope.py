"""Which files are changed by which operators, and which tests and claims judge a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.attack.mutants.sources import Tool
from tests.attack.mutants.workshop import ROOT
from tests.test_architecture import imports_of, module_of

JUDGING = (
    "algebra", "derivation", "entailment", "evaluate", "experiment", "intervals", "ledger", "search", "serialise",
    "traces", "verify",
)  # fmt: skip
KERNEL_FILES = tuple(f"sim/{name}.py" for name in ("listed_sums", "meeting_sums", "mode_kernel"))

LONG_INTERPRETED = (
    "p_25 or p_49 or 49 or sizes1 or sizes2 or sizes3 or 22-4 or powers_of_two or 389 or keeps_its_memory or 26"
)
"""Tests that take seconds without compilation: what survives the others is tried on them compiled."""


@dataclass(frozen=True)
class Group:
    """Files and the operators that change them.

    full: how many mutants are drawn for the whole attack; None for all. sample: how many for the sample.
    """

    name: str
    tool: Tool
    files: tuple[str, ...]
    full: int | None
    sample: int


def _files(*patterns: str) -> tuple[str, ...]:
    found = (path for pattern in patterns for path in sorted(ROOT.glob(pattern)))
    return tuple(str(path.relative_to(ROOT)) for path in found if path.name != "__init__.py")


GROUPS = (
    Group("judging code", "mutmut", tuple(f"theory/{name}.py" for name in JUDGING), 130, 10),
    Group("derivations", "mutmut", _files("theory/derive/**/*.py"), 60, 8),
    Group("compiled kernels", "cosmic-ray", KERNEL_FILES, 24, 6),
    Group("simulators", "own", _files("sim/*.py"), 50, 6),
    Group("theory", "own", _files("theory/derive/**/*.py", *(f"theory/{name}.py" for name in JUDGING)), 36, 4),
)


@cache
def imported(path: Path) -> frozenset[str]:
    """The modules of the project that a file imports."""
    module = module_of(path)
    names = set(imports_of(path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py"))
    return frozenset(name for name in names if name.split(".")[0] in ("theory", "sim"))


@cache
def judges() -> Mapping[str, tuple[str, ...]]:
    """The tests, by file, of every module in `sim` and `theory`: those that import it themselves."""
    found: dict[str, list[str]] = {}
    for path in sorted([*(ROOT / "tests/theory").rglob("test_*.py"), *(ROOT / "tests/sim").rglob("test_*.py")]):
        file = str(path.relative_to(ROOT))
        # claims are asked for their verdicts, and layers cost seconds to import
        if not file.startswith(("tests/theory/claims", "tests/sim/cnn")):
            for name in imported(path):
                found.setdefault(name, []).append(file)
    return {name: tuple(files) for name, files in found.items()}


def judged_by(file: str) -> tuple[str, ...]:
    """The test files that judge a source file."""
    parts = Path(file).with_suffix("").parts
    found = set(judges().get(".".join(parts), ()))
    if parts[0] == "theory" and len(parts) == 2:
        # hundreds of derivations use the judging code: its own tests are to notice
        return tuple(sorted(test for test in found if test.count("/") == 2))
    if parts[:2] == ("theory", "derive") and not any(test.startswith("tests/theory/derive") for test in found):
        found |= {str(path.relative_to(ROOT)) for path in (ROOT / "tests" / Path(file).parent).glob("test_*.py")}
    return tuple(sorted(found))


@cache
def _reach(module: str) -> frozenset[str]:
    """A module of the project and all that it imports, directly or not."""
    seen: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        path = ROOT / Path(*name.split(".")).with_suffix(".py")
        if name not in seen and path.is_file():
            seen.add(name)
            todo.extend(imported(path))
    return frozenset(seen)


def claims_of(file: str, most: int = 4) -> tuple[str, ...]:
    """Claims that are judged to see whether a source file has changed; none for judging code, which all of them share.

    Those with a clause that is derived in the file, or else at most `most` that it has a part in, of as many modules as
    there are.
    """
    from theory.claims import MODULES, all_claims, together

    if file.count("/") == 1 and file.startswith("theory/"):
        return ()
    module = ".".join(Path(file).with_suffix("").parts)
    claims = all_claims()
    own = [id_ for id_, c in claims.items() if any(clause.derivation.__module__ == module for clause in c.clauses)]
    if own:
        return tuple(own)
    near = [name for name in MODULES if module in _reach(f"theory.claims.{name}") and not name.startswith("trained")]
    groups = dict(zip(MODULES, together(list(claims)), strict=True))
    rows = [groups[name] for name in near]
    spread = [row[n] for n in range(max(map(len, rows), default=0)) for row in rows if n < len(row)]
    return tuple(spread[:most])
