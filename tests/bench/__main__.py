"""`python -m tests.bench [TOPIC...]`: measure, print a table, and fail if a goal is missed by more than the slack."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from tests.bench.ratio import Result, run

THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
FRAME = ("__init__", "__main__", "ratio")
TOPICS = tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in FRAME))


def main(arguments: Sequence[str]) -> int:
    """Run the topics asked for (none: all), each in a process of its own."""
    unknown = [name for name in arguments if name not in TOPICS]
    if unknown:
        print(f"unknown topic {unknown[0]!r} (topics: {', '.join(TOPICS)})", file=sys.stderr)
        return 2
    print(machine(), flush=True)
    print(f"{'':54}{'ratio':>9}  {'range':>17}  {'goal':>10}   {'slow':>9}   {'fast':>9}")
    worst = 0
    for topic in arguments or TOPICS:
        threads = _threads(topic)
        limits = dict.fromkeys(THREAD_LIMITS, str(threads))
        print(f"{topic}, {threads} thread{'s' if threads > 1 else ''}", flush=True)
        done = subprocess.run([sys.executable, "-m", __package__, "--topic", topic], env={**os.environ, **limits})
        worst = max(worst, abs(done.returncode))
    return worst


def machine() -> str:
    """The processor and the versions that the figures belong to."""
    from theory.serialise import environment

    described = environment()
    versions = ", ".join(f"{name} {version}" for name, version in described["packages"].items() if version)
    return f"{_processor()}, {os.cpu_count()} cores; Python {described['python']}; {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def _threads(topic: str) -> int:
    """How many threads a topic asks for, read without importing it: its imports must see the limit."""
    source = (Path(__file__).parent / f"{topic}.py").read_text(encoding="utf-8")
    stated = [line for line in source.splitlines() if line.startswith("THREADS = ")]
    return int(stated[0].removeprefix("THREADS = ")) if stated else 1


def run_topic(topic: str) -> int:
    """Measure one topic in this process, whose thread limits are set; 1 if a goal is missed."""
    missed = 0
    for measure in import_module(f"{__package__}.{topic}").measures():
        result = run(measure)
        missed += not result.met
        print(line(result), flush=True)
    return int(missed > 0)


def line(result: Result) -> str:
    """One row of the table."""
    times = (
        "" if result.fast is None or result.slow is None else f"   {_time(result.slow):>9}   {_time(result.fast):>9}"
    )
    spread = f"{result.low:.3g} to {result.high:.3g}"
    mark = "" if result.met else "   MISSED"
    return f"  {result.name:52}{result.value:9.3g}  {spread:>17}  {result.goal:>10}{times}{mark}"


def _time(seconds: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e3)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


if __name__ == "__main__":
    asked = sys.argv[1:]
    raise SystemExit(run_topic(asked[1]) if asked[:1] == ["--topic"] else main(asked))
