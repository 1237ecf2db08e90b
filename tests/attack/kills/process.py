"""A child process that can be killed with all that it has started, and never outlives its time limit."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.attack.kills.targets import ROOT, Target

LIMIT = 240.0
"""Seconds after which a child is a failure of the attack."""
POLLED = 0.01


class Stuck(RuntimeError):
    """A child did not do in time what was waited for."""


class Child:
    """A target under way in a folder, with its log; the leader of a process group of its own."""

    def __init__(self, target: Target, out: Path, log: Path, *, wait: Sequence[str] = ()) -> None:
        self.target, self.log = target, log
        self.start = len(_lines(log))
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            target.arguments(out),
            cwd=ROOT,
            env=target.environment(log, wait),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            start_new_session=True,
        )

    def lines(self) -> list[str]:
        """What this child has told so far."""
        return _lines(self.log)[self.start :]

    def reach(self, wanted: Callable[[list[str]], bool]) -> bool:
        """Wait until its log is as wanted; False if it ends before. Raises Stuck."""
        return self._poll(lambda: wanted(self.lines()))

    def finish(self) -> int:
        """Wait for its end; its exit status."""
        self._poll(lambda: False)
        return int(self.process.wait())

    def kill(self, whole: bool) -> bool:
        """Kill it, or its whole process group; whether it was still there to be killed, and all its processes ended."""
        if whole:
            self.signal_group(signal.SIGKILL)
        else:
            self.process.kill()
        return self.process.wait(LIMIT) == -signal.SIGKILL

    def signal_group(self, number: int) -> None:
        """Send a signal to the process and all that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def outlived(self, seconds: float = 20.0) -> bool:
        """Whether a process that it had started is still there after so many seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                os.killpg(self.process.pid, 0)
            except (ProcessLookupError, PermissionError):
                return False
            time.sleep(POLLED)
        return True

    def said(self) -> str:
        """What it has written to standard error."""
        self.errors.seek(0)
        return self.errors.read()

    def _poll(self, reached: Callable[[], bool]) -> bool:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            if reached():
                return True
            if ended:
                return False
            time.sleep(POLLED)
        raise Stuck(f"{self.target.name} did not get on within {LIMIT:g} s")


@contextmanager
def child(target: Target, out: Path, log: Path, *, wait: Sequence[str] = ()) -> Iterator[Child]:
    """A child that ends with the block, whatever happens in it."""
    started = Child(target, out, log, wait=wait)
    try:
        yield started
    finally:
        started.signal_group(signal.SIGKILL)
        started.process.wait()
        if started.process.stdin is not None:
            started.process.stdin.close()
        started.errors.close()


def completed(log: Path) -> dict[str, list[int]]:
    """The epochs or steps that were completed, of each run in the order of the log."""
    found: dict[str, list[int]] = {}
    for line in _lines(log):
        if match := re.fullmatch(r"done (\w+) (\d+)", line):
            found.setdefault(match[1], []).append(int(match[2]))
    return found


def _lines(log: Path) -> list[str]:
    return log.read_text().splitlines() if log.exists() else []
