"""What is killed: a command of filterlaw that tells a log what it has done, and waits before a writing if asked to.

`python -m tests.attack.kills.child ARGUMENT...`: the command line of filterlaw, or `run FOLDER EPOCHS` for one training
run in this process. The environment says where the log is (LOG), before the first writing of which kinds to wait (WAIT:
of "checkpoint", "result", "removal") and which command it is (COMMAND). A writing stands between two system calls that
name no file there is, BEGIN and END, by which a trace shows it.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

LOG, WAIT, COMMAND = "FILTERLAW_KILLS_LOG", "FILTERLAW_KILLS_WAIT", "FILTERLAW_KILLS_COMMAND"
IMAGES = "FILTERLAW_CIFAR10"
BEGIN, END = "/filterlaw-writing-begins", "/filterlaw-writing-ends"

_waited = False


def say(line: str) -> None:
    """Append a line to the log, if the size of files is not limited on purpose."""
    descriptor = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with suppress(OSError):
        os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def _mark(path: str) -> None:
    with suppress(FileNotFoundError):
        os.stat(path)


def _watched(function: Callable[..., Any], what: str) -> Callable[..., Any]:
    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        global _waited
        if not _waited and what in os.environ[WAIT].split(","):
            _waited = True
            say(f"at {what}")
            select.select([0], [], [])
        _mark(BEGIN)
        try:
            return function(*given, **named)
        finally:
            _mark(END)

    return call


def _told(function: Callable[..., Any], *, before: str = "", after: Callable[[Any], str] | None = None) -> Any:
    @wraps(function)
    def call(self: Any, *given: Any, **named: Any) -> Any:
        if before:
            say(before)
        result = function(self, *given, **named)
        if after is not None:
            say(after(self))
        return result

    return call


def _step(keep: Callable[..., None]) -> Callable[..., None]:
    def call(self: Any, snapshot: Any) -> None:
        say(f"done run {snapshot.step}")
        keep(self, snapshot)

    return call


def _wrap(owner: Any, name: str, by: Callable[[Any], Any]) -> None:
    setattr(owner, name, by(getattr(owner, name)))


def watch(command: str) -> None:
    """Have a command of filterlaw tell what it does; its heavy imports are made here, before it begins to work."""
    import sim.files
    from sim.generations import Generations

    _wrap(Generations, "store", lambda store: _watched(store, "checkpoint"))
    _wrap(Generations, "remove", lambda remove: _watched(remove, "removal"))
    _wrap(sim.files, "atomic_write", lambda write: _watched(write, "result"))
    if command in ("run", "train"):
        # imports the writer that is watched by now
        import sim.cnn.run_store
        from sim.cnn.training import Run

        _wrap(Run, "__init__", lambda begin: _told(begin, before="ready"))
        _wrap(Run, "epoch", lambda epoch: _told(epoch, after=lambda run: f"done {run.settings.key} {run.done}"))
    elif command == "simulate":
        import sim.problem
        from sim.checkpoint import Checkpoint

        _wrap(Checkpoint, "load", lambda load: _told(load, before="ready"))
        _wrap(Checkpoint, "__call__", _step)
    elif command == "verify":
        import theory.claims
        import theory.claims.run
        import theory.display

        theory.claims.all_claims()
        say("ready")


def main(arguments: list[str]) -> int:
    """Run the command line given."""
    _let_anyone_trace()
    if arguments[0] == "run":
        return _run(arguments[1], int(arguments[2]))
    import filterlaw

    if arguments[0] == "train":
        from sim.cnn import presets
        from tests.attack.kills.settings import preset

        known = presets.presets()
        presets.presets = lambda: {**known, "tiny": preset()}  # type: ignore[assignment]
    sys.argv = ["filterlaw", *arguments]
    say("begun")
    filterlaw.main()
    return 0


def _run(folder: str, epochs: int) -> int:
    from pathlib import Path

    import torch

    from sim.cnn.data import images
    from sim.cnn.run_store import RunStore, train
    from tests.attack.kills.settings import tiny

    torch.set_num_threads(1)
    store = RunStore(Path(folder))
    train(tiny(epochs), images("cifar10"), store, environment={"threads": 1}, device=torch.device("cpu"))
    return 0


def _let_anyone_trace() -> None:
    """Where only a parent may trace its child, this lets a sibling do it."""
    with suppress(OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)


# in the worker processes of a command this module is imported again, under another name; `train` works in them
if LOG in os.environ and (__name__ == "__main__" or os.environ[COMMAND] == "train"):
    watch(os.environ[COMMAND])

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
