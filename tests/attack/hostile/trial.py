"""One file given to one loader, in a process that cannot do harm: what came of it, how long it took, what it cost.

The loaders run in children of a clean process (a fork server that has imported them), with a limit on address space, a
watch on time, and an audit hook that notices whatever code from a file could do: start a process, open a connection,
write, rename or remove a file, import a module.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

CONSTANT = 256 * 2**20
"""Bytes that a loader may take beyond twice the size of its file."""
PATIENCE = 10.0
"""Seconds of the processor after which a loader counts as hanging."""
WAIT = 60.0
"""Seconds of the clock after which it does, since a pipe takes no time of the processor; the machine may be busy."""
LONGEST_MESSAGE = 700
"""Characters of a message, without the name of the file."""

Outcome = Literal["refused", "accepted", "broken"]

_HARM = (
    "ctypes.",
    "ftplib.",
    "http.client.",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.link",
    "os.mkdir",
    "os.putenv",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.spawn",
    "os.symlink",
    "os.system",
    "os.truncate",
    "os.posix_spawn",
    "pty.",
    "shutil.",
    "signal.",
    "smtplib.",
    "socket.",
    "subprocess.",
    "tempfile.",
    "urllib.",
    "webbrowser.",
    "pickle.find_class",
)
_watched: list[str] | None = None


@dataclass(frozen=True)
class Trial:
    """What a loader made of a file.

    text: its message, or what is wrong. grown: bytes by which the process grew at its peak; seconds: of its work.
    """

    outcome: Outcome
    text: str
    grown: int = 0
    seconds: float = 0.0


class TooSlow(BaseException):
    """A loader took too long; no handler of Exception holds it up."""


def watch() -> None:
    """From now on, keep what code from a file could do in this process; there is no way back."""
    sys.addaudithook(_notice)


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    if _watched is None:
        return
    harm = event.startswith(_HARM) and event != "signal.pthread_kill"
    if event == "open" and isinstance(arguments[1], str):
        harm = bool({*arguments[1]} & {*"wax+"})
    elif event == "open" and isinstance(arguments[2], int):
        harm = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    if harm:
        _watched.append(f"{event}{tuple(str(argument)[:60] for argument in arguments)}")


def attempt(load: Callable[[Path], object], path: Path, *, patience: float = PATIENCE) -> Trial:
    """Give the file to the loader: refused by one clear error, accepted, or broken in one of many ways.

    load returns what is wrong with what it accepted, or None. Must be called in a child's main thread, after `watch`.
    """
    global _watched
    before = _reset_peak()
    start = time.process_time()
    _watched = []
    try:
        with _alarm(patience), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                found = load(path)
                outcome, text = ("accepted", "") if found is None else ("broken", f"accepted, but {found}")
            except (ValueError, TypeError) as error:
                outcome, text = _message(error, path)
            except TooSlow:
                outcome, text = "broken", f"took more than {patience:g} s"
            except BaseException as error:
                outcome, text = "broken", f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        noticed, _watched = _watched, None
    seconds = time.process_time() - start
    if noticed:
        outcome, text = "broken", f"code ran: {noticed[0]}"
    elif warned and outcome != "broken":
        outcome, text = "broken", f"warned: {str(warned[0].message)[:200]}"
    return Trial(outcome, text, max(0, _peak() - before), seconds)  # type: ignore[arg-type]


def _message(error: Exception, path: Path) -> tuple[str, str]:
    """Whether an error is one clear line that can be printed."""
    text = str(error).replace(str(path), "FILE")
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_MESSAGE:
        return "broken", f"no clear message: {text[:200]!r}"
    names = [path.name, path.parent.name, *(sorted(os.listdir(path)) if path.is_dir() else ())]
    if isinstance(error, UnicodeError) or not any(name in text for name in ("FILE", *names)):
        return "broken", f"the message does not say which file: {text[:200]!r}"
    return "refused", text


@contextmanager
def limited(beyond: int) -> Iterator[None]:
    """Address space of this process limited to what it has and `beyond` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + beyond, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def _alarm(patience: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TooSlow

    # again and again: the first may be lost in a destructor
    clocks = ((signal.SIGPROF, signal.ITIMER_PROF, patience), (signal.SIGALRM, signal.ITIMER_REAL, WAIT))
    before = [signal.signal(number, ring) for number, _, _ in clocks]
    for _, clock, limit in clocks:
        signal.setitimer(clock, limit, 1.0)
    try:
        yield
    finally:
        for _, clock, _ in clocks:
            signal.setitimer(clock, 0)
        for (number, _, _), handler in zip(clocks, before, strict=True):
            signal.signal(number, handler)


def _reset_peak() -> int:
    """Forget the peak of this process's memory; returns what it holds, in bytes."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    raise OSError(f"the system does not tell {name}")
