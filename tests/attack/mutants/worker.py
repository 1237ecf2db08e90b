"""A process that imports the libraries once and forks for every mutant: `python -m tests.attack.mutants.worker`.

It runs in the root of a copy of the project, and imports nothing of the project before it forks. It reads a job a
line, as JSON, and answers with a line. A child imports the changed text in place of the file, and runs the tests.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any, Literal

from tests.attack.mutants.interpreted import interpret

LIBRARIES = (
    "numba", "numpy", "pytest", "pytest_timeout", "rich.console", "scipy.integrate", "scipy.linalg", "scipy.optimize",
    "scipy.special", "scipy.stats", "sympy", "hypothesis", "hypothesis.strategies", "hypothesis.extra.numpy",
    "_hypothesis_pytestplugin",
)  # fmt: skip
SETTINGS = """[pytest]
filterwarnings = error
timeout = 600
markers =
    slow: takes more than a few seconds
    gpu: needs a CUDA device
"""
"""Those of the project, but for what slows failing down."""
MEMORY = 6 * 2**30
"""Address space, in bytes, that a mutant may take."""


Kernels = Literal["interpreted", "compiled", "compiled anew"]


@dataclass(frozen=True)
class Job:
    """One run of tests on one changed file.

    module, text: what is imported instead of the file; an empty module: nothing is changed. tests: files. claims:
    whose verdicts are asked for, in place of tests. skip: what pytest's -k leaves out. costs: seconds that each test
    takes. kernels: whether those of numba are interpreted, compiled, or compiled anew. seconds: of CPU time at most.
    """

    module: str = ""
    path: str = ""
    text: str = ""
    tests: Sequence[str] = ()
    claims: Sequence[str] = ()
    costs: Mapping[str, float] = field(default_factory=dict)
    skip: str = ""
    kernels: Kernels = "compiled"
    seconds: int = 60


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a text in memory: no stale bytecode can stand in for it."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.job.module:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=self.job.path)
        spec.has_location = True
        return spec

    def get_source(self, fullname: str) -> str:
        return self.job.text

    def get_code(self, fullname: str) -> CodeType:
        with warnings.catch_warnings():
            # `x is 0` is frowned upon when it is compiled; the tests are to notice what it does
            warnings.simplefilter("ignore", SyntaxWarning)
            return compile(self.job.text, self.job.path, "exec")


class _Cheapest:
    """Runs first the tests that cost least, and stops at the first that fails."""

    def __init__(self, costs: Mapping[str, float]) -> None:
        self.costs, self.spent, self.failed = costs, dict[str, float](), ""

    def pytest_collection(self) -> None:
        from hypothesis import Phase, settings

        # a failure is all that is asked for, not its smallest case
        settings.register_profile(
            "mutants",
            settings.get_profile("filterlaw"),
            phases=(Phase.explicit, Phase.generate),
            report_multiple_bugs=False,
        )
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items.sort(key=lambda item: self.costs.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report: Any) -> None:
        self.spent[report.nodeid] = self.spent.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed = report.nodeid


def _run_tests(job: Job) -> dict[str, Any]:
    import pytest

    plugin = _Cheapest(job.costs)
    options = "-x -q --tb=no --assert=plain -p no:cacheprovider -p pytest_timeout -p _hypothesis_pytestplugin"
    if job.kernels == "interpreted":
        # compiled integers wrap round in silence
        options += " -W ignore:overflow:RuntimeWarning -W ignore:invalid:RuntimeWarning"
    chosen = ["-k", f"not ({job.skip})"] if job.skip else []
    code = pytest.main([*options.split(), *chosen, "-c", "mutants.ini", "--rootdir=.", *job.tests], plugins=[plugin])
    return {"code": int(code), "failed": plugin.failed, "spent": plugin.spent}


def _judge(job: Job) -> dict[str, Any]:
    """The verdict of every clause of the claims, whether their controls were rejected, and what `tests.printed` has."""
    claims = import_module("theory.claims")
    verify = import_module("theory.verify").verify
    lines_of = import_module("tests.printed").lines_of
    found: dict[str, Any] = {}
    for claim in claims.find(job.claims):
        report = verify(claim, level="simulation")
        for part in report.clauses:
            controls = all(line.passed is True for line in part.evidence if line.kind == "control")
            found[f"{claim.id} {part.clause.name}"] = [str(part.verdict), controls]
        found[claim.id] = lines_of(claim)
    return {"code": 0, "verdicts": found}


def _child(job: Job, out: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (job.seconds, job.seconds + 2))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    if job.kernels == "interpreted":
        interpret()
    elif job.kernels == "compiled anew":
        # numba knows a function by its file, which is not what changed
        import_module("numba.core.config").CACHE_DIR = tempfile.mkdtemp(dir=".")  # type: ignore[attr-defined]
    if job.module:
        sys.meta_path.insert(0, _Changed(job))
    try:
        answer = _judge(job) if job.claims else _run_tests(job)
    except BaseException as error:
        # whatever a wrong line raises, it was noticed
        answer = {"code": 1, "failed": f"{type(error).__name__}: {error}"}
    with os.fdopen(out, "wb") as pipe:
        pipe.write(json.dumps(answer).encode())


def run(job: Job) -> dict[str, Any]:
    """Run a job in a forked child. What it answers, with the CPU seconds it took; a killed child's code is -signal."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            _child(job, write)
        finally:
            os._exit(0)
    os.close(write)
    data = _read_until(read, time.monotonic() + 10 * job.seconds)
    if data is None:
        os.kill(pid, signal.SIGKILL)
    _, status, usage = os.wait4(pid, 0)
    answer: dict[str, Any] = json.loads(data) if data else {"code": -(os.WTERMSIG(status) or 1), "failed": "killed"}
    return {**answer, "seconds": usage.ru_utime + usage.ru_stime}


def _read_until(descriptor: int, deadline: float) -> bytes | None:
    """What comes through a pipe until it is closed; None if that takes too long."""
    parts: list[bytes] = []
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            part = pipe.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)


def main() -> None:
    """Answer the jobs that come in, a line each, until there are no more."""
    Path("mutants.ini").write_text(SETTINGS, encoding="utf-8")
    for library in LIBRARIES:
        import_module(library)
    for line in sys.stdin:
        job = json.loads(line)
        for library in job.pop("libraries"):
            import_module(library)
        print(json.dumps(run(Job(**job))), flush=True)


if __name__ == "__main__":
    main()
