"""A full disk, a read-only folder, a folder that vanishes, Ctrl-C, SIGTERM, a second process: one line, no damage."""

from __future__ import annotations

import re
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.generations import Generations
from tests.attack.kills.disk import Disk, disk
from tests.attack.kills.process import Child, child
from tests.attack.kills.settings import preset
from tests.attack.kills.targets import WRITINGS, Target, Training, read, temporary

EARLIER = b"what was there before\n"
ONE_LINE = r"filterlaw: (error: [^\n]+|interrupted|terminated)\n"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong. status: with which a command then ends. message: what its one line says.

    signal: what is sent, if it is one.
    """

    name: str
    status: int
    message: str
    signal: int = 0


FULL = Fault("a disk that is full", 2, "no space left on device|file too large")
PROTECTED = Fault("a folder that is read-only", 2, "read-only file system|permission denied")
GONE = Fault("a folder that vanishes while it runs", 2, "no such file or directory")
INTERRUPTED = Fault("Ctrl-C", 130, "filterlaw: interrupted", signal.SIGINT)
ENDED = Fault("SIGTERM", 143, "filterlaw: terminated", signal.SIGTERM)
FAULTS = (FULL, PROTECTED, GONE, INTERRUPTED, ENDED)


@dataclass(frozen=True)
class Undisturbed:
    """A run without a fault: the files that it leaves, and the seconds that it takes."""

    files: dict[str, bytes]
    seconds: float


def commands(images: Path, weights: Path) -> tuple[Target, ...]:
    """Every command that writes, with the least work that makes it write."""
    claims = ("S-SUF", "--level", "symbolic", "--jobs", "1")
    descent = ("simulate", "filter", "--d", "0.2,0.5", "--steps", "200", "--momentum", "0.9")
    train = ("train", "tiny", "--output", "{out}", "--device", "cpu", "--jobs", "1")
    return (
        Target("verify --output --json", ("verify", *claims, "--output", "{out}", "--json", "{out}/copy.json")),
        Target("report", ("report", *claims, "--no-figures", "--output", "{out}")),
        Target("figures", ("figures", "theorem-1", "--output", "{out}")),
        Target("diagnose", ("diagnose", str(weights), "--json", "{out}/d.json", "--picture", "{out}/d.svg")),
        Target("simulate filter", (*descent, "--checkpoint", "{out}/run", "--json", "{out}/path.json")),
        Target("simulate layers", ("simulate", "layers", "--k", "3", "--json", "{out}/layers.json")),
        Target("simulate modes", ("simulate", "modes", "--sigma", "4,2,1", "--json", "{out}/modes.json")),
        Training("train", train, sum(run.epochs for run in preset().runs), images, preset().runs),
    )


def undisturbed(target: Target, folder: Path) -> Undisturbed:
    """Run a command to its end. RuntimeError if it fails."""
    out, log = folder / "out", folder / "log"
    out.mkdir(parents=True)
    with child(target, out, log) as process:
        process.reach(lambda lines: "begun" in lines)
        start = time.monotonic()
        if status := process.finish():
            raise RuntimeError(f"{target.name} ended with {status}: {process.said()}")
        seconds = time.monotonic() - start
    return Undisturbed({path.name: path.read_bytes() for path in out.iterdir()}, seconds)


def fault(
    target: Target, fault: Fault, free: Undisturbed, folder: Path, rng: np.random.Generator
) -> tuple[str, ...] | None:
    """What a command does wrong under a fault, in words; None if the fault cannot be made here."""
    with disk(folder / "disk") as place:
        out, training = place.folder / "out", isinstance(target, Training)
        if fault is FULL and training and not place.mounted:
            # a limit would be on this process, and it is its workers that write
            return None
        # a worker process does not wait: what it has done is what tells
        wait = WRITINGS if fault in (FULL, GONE) and not training else ()
        for latest in (0.9, 0.6, 0.4, 0.2, 0.1):
            shutil.rmtree(out, ignore_errors=True)
            out.mkdir()
            if not training:
                for name in free.files:
                    (out / name).write_bytes(EARLIER)
            if fault is PROTECTED:
                place.protect()
                if _writable(out):
                    return None
            with child(target, out, folder / "log", wait=wait) as process:
                _disturb(process, fault, place, out, float(rng.uniform(0.02, latest)) * free.seconds)
                start = time.monotonic()
                status, said = process.finish(), process.said()
                # a signal that came when all was done; one that was swallowed would have left work to do
                late = status in (0, -fault.signal) and time.monotonic() - start < max(0.5, 0.1 * free.seconds)
            if not (fault.signal and late):
                break
        wrong = list(_answer(fault, status, said))
        if fault is not GONE:
            place.free()
            wrong += _damage(target, out, free)
        if training and fault is not GONE:
            wrong += _goes_on(target, out, free, folder / "log")
    return tuple(f"{target.name}, {fault.name}: {each}" for each in wrong)


def two_at_once(target: Target, free: Undisturbed, folder: Path, *, refused: bool) -> tuple[str, ...]:
    """Two processes on one store: the second is refused with one line, or both come to the same files."""
    out, log = folder / "out", folder / "log"
    out.mkdir(parents=True)
    with child(target, out, log, wait=() if isinstance(target, Training) else WRITINGS) as first:
        first.reach(lambda lines: any(line.startswith(("at ", "done ")) for line in lines))
        first.signal_group(signal.SIGSTOP)
        with child(target, out, folder / "other") as second:
            status, said = second.finish(), _last(second.said())
        assert first.process.stdin is not None
        first.process.stdin.close()
        first.signal_group(signal.SIGCONT)
        statuses = status, first.finish()
        wrong = [] if statuses == (int(refused), 0) else [f"statuses {statuses}: {said.strip()} {first.said().strip()}"]
        if refused and not (re.fullmatch(ONE_LINE, said) and "another process is at this" in said):
            wrong.append(f"the second said {said!r}")
    wrong += _damage(target, out, free, finished=True)
    return tuple(f"{target.name}, two processes: {each}" for each in wrong)


def _disturb(process: Child, fault: Fault, place: Disk, out: Path, seconds: float) -> None:
    """Make the fault; signals after so many seconds."""
    if fault is PROTECTED:
        return
    if fault in (FULL, GONE):
        begun: tuple[str, ...] = ("at ", "done ")
        process.reach(lambda lines: any(line.startswith(begun) for line in lines))
        if fault is FULL:
            place.fill(process.process.pid)
        else:
            shutil.rmtree(out)
        assert process.process.stdin is not None
        process.process.stdin.close()
        return
    process.reach(lambda lines: "begun" in lines)
    time.sleep(seconds)
    if fault is INTERRUPTED:
        # a terminal sends it to every process of the group
        process.signal_group(signal.SIGINT)
    else:
        process.process.send_signal(signal.SIGTERM)


def _answer(fault: Fault, status: int, said: str) -> Iterator[str]:
    said = _last(said)
    if status != fault.status:
        yield f"exit status {status}, not {fault.status}"
    if not re.fullmatch(ONE_LINE, said):
        yield f"not one clear line: {said!r}"
    elif not re.search(fault.message, said):
        yield f"another message: {said!r}"


def _last(said: str) -> str:
    """Without the lines of a training on each run that it has finished by then."""
    return re.sub(r"^[0-9a-f]{16}  .*\n", "", said, flags=re.MULTILINE)


def _damage(target: Target, out: Path, free: Undisturbed, *, finished: bool = False) -> Iterator[str]:
    """Files that are neither the earlier ones nor those of a whole run, and files that should not be there."""
    if isinstance(target, Training):
        _, wrong = read(target, out)
        if wrong:
            yield wrong
        return
    if left := temporary(out):
        yield f"temporary files left: {', '.join(left)}"
    for path in sorted(out.iterdir()):
        name = path.name
        if path.suffix == ".tmp":
            continue
        if name in ("run", "run.previous"):
            if path.read_bytes() != EARLIER and (wrong := _unloadable(path)):
                yield wrong
        elif name not in free.files:
            yield f"{name!r} is left"
        elif path.read_bytes() != free.files[name] and (finished or path.read_bytes() != EARLIER):
            yield f"{name!r} is neither the earlier file nor that of a whole run"


def _unloadable(path: Path) -> str:
    try:
        Generations(path).load()
    except ValueError as error:
        return str(error)
    return ""


def _goes_on(target: Target, out: Path, free: Undisturbed, log: Path) -> Iterator[str]:
    """A training goes on when the fault is gone, to the same numbers."""
    assert isinstance(target, Training)
    with child(target, out, log) as process:
        if status := process.finish():
            yield f"it does not go on, exit status {status}: {process.said().strip()}"
            return
    whole = out.parent / "whole"
    whole.mkdir()
    for name, content in free.files.items():
        (whole / name).write_bytes(content)
    if target.digest(out) != target.digest(whole):
        yield f"it comes to other numbers: {target.digest(out)}"


def _writable(folder: Path) -> bool:
    try:
        (folder / "probe").touch()
    except OSError:
        return False
    return True
