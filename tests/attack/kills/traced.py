"""SIGKILL at each system call of a writing in turn: strace is attached before the writing and kills at the call."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.attack.kills.child import BEGIN, END
from tests.attack.kills.moments import Chain, Reference, after_kill, end
from tests.attack.kills.process import LIMIT, Child, child
from tests.attack.kills.targets import Target

CALLS = ("openat", "write", "fsync", "rename", "fchmod", "flock", "close", "unlink", "getdents64", "read")
"""System calls by which a file is written; each is tried at its first, second, ... time within a writing."""


MOST = 60
"""Chains, after which it is given up: on a machine whose calls have other names, say."""


class NotTraced(RuntimeError):
    """There is no strace here, or it may not trace."""


@dataclass(frozen=True)
class Traced:
    """Kills inside writings. at: how often at which system call on which file; chain: what they have shown."""

    chain: Chain = field(default_factory=Chain)
    at: tuple[tuple[str, int], ...] = ()
    inside: tuple[tuple[str, int], ...] = ()

    def __add__(self, other: Traced) -> Traced:
        def joined(a: tuple[tuple[str, int], ...], b: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
            return tuple(sorted((Counter(dict(a)) + Counter(dict(b))).items()))

        return Traced(self.chain + other.chain, joined(self.at, other.at), joined(self.inside, other.inside))


@dataclass(frozen=True)
class _Next:
    """The call of a writing to be killed at next: `CALLS[call]` at its `time`-th time."""

    call: int = 0
    time: int = 1

    def after(self, hit: bool) -> _Next:
        return replace(self, time=self.time + 1) if hit else _Next(self.call + 1)


def traced(target: Target, reference: Reference, folder: Path, kills: Mapping[str, int], start: int = 0) -> Traced:
    """So many kills inside each kind of writing, call by call from call number `start`, in chains to the run's end."""
    left = dict(kills)
    nexts = {what: _Next(CALLS.index("unlink") if what == "removal" else start) for what in left}
    found, chains = Traced(), 0
    while any(left.values()) and chains < MOST:
        out, log = folder / f"chain-{chains}" / "out", folder / f"chain-{chains}" / "log"
        out.mkdir(parents=True)
        here = 0
        while True:
            with child(target, out, log, wait=[what for what in left if left[what]]) as process:
                if not process.reach(lambda lines: any(line.startswith("at ") for line in lines)):
                    break
                what = next(line for line in process.lines() if line.startswith("at "))[3:]
                at = nexts[what] if nexts[what].call < len(CALLS) else _Next()
                place = _kill_at(process, at, folder / "trace")
                # a call that comes fewer times within the writing kills it later, or not at all
                here += process.process.returncode == -signal.SIGKILL
            nexts[what] = at.after(place is not None)
            if place is not None:
                left[what] -= 1
                found += Traced(Chain(kills=1), ((f"{what}: {place}", 1),), ((what, 1),))
            found += Traced(after_kill(target, out, log))
        chains += 1
        found += Traced(end(target, reference, out, log, here))
    return found


def _kill_at(process: Child, at: _Next, trace: Path) -> str | None:
    """Let a waiting process go on under a trace that kills it; where that was, None if not inside its writing."""
    call, pid = CALLS[at.call], process.process.pid
    calls = ",".join(f"?{name}" for name in ("newfstatat", "stat", *CALLS))
    with _strace(pid, "-o", str(trace), "-s", "200", "-y", "-e", f"trace={calls}", "-e",
                 f"inject={call}:signal=SIGKILL:when={at.time}") as tracer:  # fmt: skip
        assert process.process.stdin is not None
        process.process.stdin.close()
        process.process.wait(LIMIT)
        tracer.wait(LIMIT)
    return inside(trace.read_text(errors="replace"), call)


def inside(trace: str, call: str) -> str | None:
    """Where a traced process was killed: the call and its file, None if it was not inside a writing."""
    begun, ended = trace.rfind(f'"{BEGIN}"'), trace.rfind(f'"{END}"')
    lines = [line for line in trace.splitlines() if re.match(rf"(\d+ +)?{call}\(", line)]
    if begun < 0 or ended > begun or "+++ killed by SIGKILL +++" not in trace or not lines:
        return None
    # a path where there is one, else the path of the open file
    names = [*re.findall(r'"(/[^"]+)"', lines[-1]), *re.findall(r"<(/[^>]+)>", lines[-1])]
    return f"{call} of {_kind(Path(names[0]).name if names else '')}"


def _kind(name: str) -> str:
    for pattern, kind in (
        (r"\..*\.tmp", "a temporary file"),
        (r".*\.previous", "the state before"),
        (r".*\.checkpoint|run", "the newest state"),
        (r".*\.(json|safetensors)", "a result"),
        (r".*\.lock", "the lock"),
    ):
        if re.fullmatch(pattern, name):
            return kind
    return "the folder"


def _strace(pid: int, *arguments: str) -> subprocess.Popen[str]:
    """strace, once it is attached. NotTraced if it cannot be."""
    program = shutil.which("strace")
    if program is None:
        raise NotTraced("there is no strace here")
    tracer = subprocess.Popen(
        [program, "-p", str(pid), *arguments], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.kill()
        tracer.wait()
        raise NotTraced(f"strace may not trace here: {said.strip()}")
    # it says so before it has stopped the process
    time.sleep(0.05)
    return tracer
