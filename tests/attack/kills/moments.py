"""SIGKILL at random moments of a run, in chains: start, kill, go on, kill, ..., and let the last one finish."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tests.attack.kills.process import child, completed
from tests.attack.kills.targets import Target, read, temporary


@dataclass(frozen=True)
class Chain:
    """What chains of kills have shown.

    kills: processes killed at their work. unreadable, differing, failed: stores that could not be read without error
    or warning, results unlike the uninterrupted run's, exit statuses of finished runs other than 0; in words.
    lost: most epochs or steps of a run that were completed and not kept at a kill. repeated: epochs or steps run a
    second time; excess: of these, those beyond one for each kill.
    again: those run after a run had finished. litter: most temporary files left at once. stayed: after the end.
    orphans: kills that a process of the run outlived by 20 seconds. finished: chains that came to their end.
    """

    kills: int = 0
    finished: int = 0
    lost: int = 0
    repeated: int = 0
    excess: int = 0
    again: int = 0
    litter: int = 0
    stayed: int = 0
    orphans: int = 0
    unreadable: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def __add__(self, other: Chain) -> Chain:
        most = {name: max(getattr(self, name), getattr(other, name)) for name in ("lost", "litter", "stayed")}
        names = ("kills", "finished", "repeated", "excess", "again", "orphans", "unreadable", "differing", "failed")
        return replace(self, **most, **{name: getattr(self, name) + getattr(other, name) for name in names})

    @property
    def wrong(self) -> tuple[str, ...]:
        """What went wrong, in words."""
        return (*self.unreadable, *self.differing, *self.failed)


@dataclass(frozen=True)
class Reference:
    """An uninterrupted run: its digest, and the seconds that it worked."""

    digest: str
    seconds: float


def uninterrupted(target: Target, folder: Path) -> Reference:
    """Run a target to its end, unhindered. RuntimeError if it fails."""
    out, log = folder / "out", folder / "log"
    out.mkdir(parents=True)
    with child(target, out, log) as process:
        process.reach(lambda lines: "ready" in lines)
        start = time.monotonic()
        status = process.finish()
        seconds = time.monotonic() - start
        if status != 0:
            raise RuntimeError(f"{target.name} ended with {status}: {process.said()}")
    return Reference(target.digest(out), seconds)


def chain(target: Target, reference: Reference, folder: Path, kills: int, rng: np.random.Generator) -> Chain:
    """One chain of at most `kills` kills, at moments spread evenly over the run, and its end.

    A run that leaves something to go on from is killed when it has got so far, and a part of a step on; one that does
    not, a part of its time after it has begun to work.
    """
    out, log = folder / "out", folder / "log"
    out.mkdir(parents=True)
    found = Chain()
    step = reference.seconds / max(target.total, 1)
    for point in np.sort(rng.uniform(0, target.total or 1, kills)):
        whole = bool(rng.random() < 0.5)
        with child(target, out, log) as process:
            if target.total:
                # what another process has done counts too: a run that goes on begins where that one stopped
                process.reach(lambda lines, p=point: "ready" in lines and _far(log) >= int(p))  # type: ignore[misc]
                time.sleep(float(point % 1) * step)
            else:
                process.reach(lambda lines: "ready" in lines)
                time.sleep(float(point) * reference.seconds)
            killed = process.kill(whole)
            found += Chain(kills=int(killed), orphans=int(process.outlived()))
            if not killed:
                break
        found += after_kill(target, out, log)
    return found + end(target, reference, out, log, found.kills)


def after_kill(target: Target, out: Path, log: Path) -> Chain:
    """What a kill has left: a store that can be read, all that was done but the last step, few temporary files."""
    kept, wrong = read(target, out)
    lost = max((max(reached) - kept.get(run, 0) for run, reached in completed(log).items()), default=0)
    return Chain(lost=lost, litter=len(temporary(out)), unreadable=(f"{target.name}: {wrong}",) if wrong else ())


def end(target: Target, reference: Reference, out: Path, log: Path, kills: int) -> Chain:
    """Let the run finish, and run it once more: the same numbers, nothing run twice, no file left."""
    found = Chain(finished=1)
    with child(target, out, log) as process:
        if status := process.finish():
            found += Chain(failed=(f"{target.name} ended with {status}: {process.said().strip()}",))
    executed = completed(log)
    repeated = {run: len(reached) - max(reached) for run, reached in executed.items()}
    digest = target.digest(out)
    if digest != reference.digest:
        found += Chain(differing=(f"{target.name} after {kills} kills: {digest}",))
    found += Chain(
        repeated=sum(repeated.values()),
        excess=sum(max(0, count - kills) for count in repeated.values()),
        stayed=len(temporary(out)),
    )
    if target.total:
        with child(target, out, log) as process:
            process.finish()
        again = sum(map(len, completed(log).values())) - sum(map(len, executed.values()))
        found += Chain(again=again)
        if target.digest(out) != digest:
            found += Chain(differing=(f"{target.name} run again when it was finished: {target.digest(out)}",))
    return found


def _far(log: Path) -> int:
    return sum(max(reached) for reached in completed(log).values())
