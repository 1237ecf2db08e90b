"""Hostile files against the loaders, in children of a clean process: hand-made ones, and thousands drawn at random."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np

from tests.attack.hostile.fuzz import damaged
from tests.attack.hostile.loaders import LOADERS
from tests.attack.hostile.made import Made
from tests.attack.hostile.made_images import made_images
from tests.attack.hostile.made_json import made_json
from tests.attack.hostile.made_pickles import made_pickles
from tests.attack.hostile.made_safetensors import made_safetensors
from tests.attack.hostile.trial import CONSTANT, PATIENCE, Trial, attempt, limited, watch

WORKERS = 2
ROOM = 256 * 2**20
"""Address space beyond the allowance, for what is reserved and never used."""
MUCH = 32 * 2**20


@dataclass
class Tally:
    """What came of many files: how many, of which outcome, the most memory and time, and what broke."""

    outcomes: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    beyond: int = 0
    slowest: float = 0.0

    def add(self, trial: Trial, size: int, label: str, expected: str | None) -> None:
        """Count one file of this size."""
        wrong = trial.outcome == "broken" or (expected is not None and trial.outcome != expected)
        self.outcomes["broken" if wrong else trial.outcome] += 1
        if wrong:
            self.broken.append(f"{label}: {trial.outcome}: {trial.text[:200]}")
        self.beyond = max(self.beyond, trial.grown - 2 * size)
        self.slowest = max(self.slowest, trial.seconds)

    @property
    def count(self) -> int:
        return sum(self.outcomes.values())


def made() -> list[Made]:
    """Every hand-made file."""
    return [*made_pickles(), *made_safetensors(), *made_images(), *made_json()]


def judge_made(source: Callable[[], Sequence[Made]], say: Callable[[str], object]) -> Tally:
    """Give each hand-made file to its loader. source: a function of a module."""
    files = source()
    tally = Tally()
    for index, trial, size in _judged(_lay_made, source, list(range(len(files)))):
        file = files[index]
        tally.add(trial, size, f"{file.loader}, {file.label}", file.expected)
        if tally.count % 100 == 0:
            say(f"{tally.count} of {len(files)} hand-made files, {len(tally.broken)} broke a loader")
    return tally


def judge_damaged(count: int, seed: int, say: Callable[[str], object]) -> Tally:
    """Damage whole files at random, so many of them, and give each to its loader."""
    tally = Tally()
    for index, trial, size in _judged(_lay_damaged, seed, list(range(count))):
        tally.add(trial, size, f"{_loader_of(index)}, drawn {index} from seed {seed}", None)
        if tally.count % 10_000 == 0:
            say(f"{tally.count:,} of {count:,} damaged files, {len(tally.broken)} broke a loader")
    return tally


Lay = Callable[[Any, int, Path], tuple[str, Path]]
"""From what the files are made of, a file's number and a folder: the loader's name and the path that it is given."""


def _lay_made(source: Callable[[], Sequence[Made]], index: int, folder: Path) -> tuple[str, Path]:
    place = folder / str(index)
    place.mkdir()
    file = source()[index]
    return file.loader, file.lay(place)


def _lay_damaged(seed: int, index: int, folder: Path) -> tuple[str, Path]:
    loader = LOADERS[_loader_of(index)]
    place = folder / loader.name.replace(", ", "-")
    place.mkdir(exist_ok=True)
    return loader.name, loader.put(place, damaged(loader.whole(), np.random.default_rng([seed, index])))


def _judged(lay: Lay, source: Any, indices: list[int], patience: float = PATIENCE) -> Iterator[tuple[int, Trial, int]]:
    """Each file's number, what came of it and its size, by two children, each followed by another if it dies.

    A child that has grown much is followed by another, too: memory that it holds already would not be seen again.
    """
    with _folder() as folder:
        running: dict[Any, tuple[Path, list[int], Any]] = {}

        def start(place: Path, share: list[int]) -> None:
            process, connection = _started(_judge_share, lay, source, share, place, patience)
            running[connection] = place, share, process

        for worker in range(WORKERS):
            (folder / str(worker)).mkdir()
            start(folder / str(worker), indices[worker::WORKERS])
        while running:
            for connection in wait(list(running)):
                assert isinstance(connection, Connection)
                place, share, process = running[connection]
                try:
                    index, trial, size = connection.recv()
                    assert share.pop(0) == index
                    yield index, trial, size
                except EOFError:
                    del running[connection]
                    process.join()
                    if process.exitcode and share:
                        yield share.pop(0), Trial("broken", f"the process ended with status {process.exitcode}"), 0
                    if share:
                        start(place, share)


def _judge_share(
    connection: Connection, lay: Lay, source: Any, share: list[int], folder: Path, patience: float
) -> None:
    """In a child: make and try one file after another."""
    os.chdir(folder)
    watch()
    for index in share:
        loader, path = lay(source, index, folder)
        size = _size(path)
        with limited(2 * size + CONSTANT + ROOM):
            trial = attempt(LOADERS[loader].load, path, patience=patience)
        if any(folder.rglob("harm")) if lay is _lay_made else os.path.exists("harm"):
            trial = Trial("broken", "code ran: it left a file")
        connection.send((index, trial, size))
        if trial.grown > MUCH:
            return


def _loader_of(index: int) -> str:
    names = list(LOADERS)
    return names[index % len(names)]


def _size(path: Path) -> int:
    """Bytes that a file takes on the disk, or all files of a folder: holes are no content."""
    paths = [path] if path.is_file() else list(path.iterdir()) if path.is_dir() else []
    return sum(min(of.stat().st_size, 512 * of.stat().st_blocks) for of in paths if of.is_file())


def _started(work: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    """A process of the fork server that does the work, and where it reports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.attack.hostile.preloaded"])
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(sender, *arguments), daemon=True)
    process.start()
    sender.close()
    return process, receiver


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that is gone afterwards, in memory where the machine has such a place."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hostile-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
