"""Hand-made hostile files: what a file is, which loader is given it, and what must come of it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.attack.hostile.loaders import LOADERS

Expected = Literal["refused", "accepted"] | None


@dataclass(frozen=True)
class Made:
    """A hand-made file. lay(folder) makes it there and returns the path that the loader of this name is given.

    expected: "refused", "accepted" for a strange file that is sound all the same, None where either will do, as long
    as nothing breaks.
    """

    loader: str
    label: str
    lay: Callable[[Path], Path]
    expected: Expected = "refused"


def of_bytes(loader: str, label: str, content: Callable[[], bytes], expected: Expected = "refused") -> Made:
    """A file with this content, laid out as the loader wants it."""
    return Made(loader, label, lambda folder: LOADERS[loader].put(folder, content()), expected)


def no_plain_files(loader: str) -> Iterator[Made]:
    """What is no regular file, or cannot be read, in the place of the file of a loader."""
    kinds: dict[str, Callable[[Path], object]] = {
        "nothing": lambda path: None,
        "an empty file": lambda path: path.write_bytes(b""),
        "a folder": os.mkdir,
        "a pipe": os.mkfifo,
        "a socket": _socket,
        "a link to itself": lambda path: path.symlink_to(path.name),
        "a link to nowhere": lambda path: path.symlink_to("nowhere"),
        "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
        "a link to this process's memory": lambda path: path.symlink_to("/proc/self/mem"),
        "a terabyte of holes": _holes,
    }
    for label, change in kinds.items():
        yield Made(loader, label, lambda folder, change=change: _changed(loader, folder, change))  # type: ignore[misc]


def _changed(loader: str, folder: Path, change: Callable[[Path], object]) -> Path:
    path = LOADERS[loader].put(folder, b"")
    path.unlink()
    change(path)
    return path


def _socket(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    # a path that is too long for a socket is reached from its folder
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(path.parent)
        listener.bind(path.name)
    finally:
        os.fchdir(here)
        os.close(here)
        listener.close()


def truncated(loader: str, pieces: int) -> Iterator[Made]:
    """A whole file cut after each of so many equal pieces, and one byte before its end."""

    def cut(share: float) -> bytes:
        whole = LOADERS[loader].whole()
        return whole[: min(int(share * len(whole)), len(whole) - 1)]

    for n in range(1, pieces + 1):
        # JSON may end in a line break, which is no part of it
        share = n / pieces if n < pieces or "weights" in loader else 1 - 3 / len(LOADERS[loader].whole())
        yield of_bytes(loader, f"cut after {n} of {pieces} parts", lambda share=share: cut(share))  # type: ignore[misc]


def _holes(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**40)
