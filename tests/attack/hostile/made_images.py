"""Hand-made hostile folders of images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from sim.cnn.data import PIXELS
from tests.attack.hostile.loaders import LOADERS, NAMES, whole_batch, whole_weights
from tests.attack.hostile.made import Expected, Made, no_plain_files, of_bytes

RECORD = 1 + PIXELS


def made_images() -> Iterator[Made]:
    """Every hand-made folder of images."""
    whole = whole_batch()
    contents = {
        "one byte too few": whole[:-1],
        "one byte too many": whole + b"\0",
        "one record and a byte": whole[: RECORD + 1],
        "records of CIFAR-100": (b"\0" + whole[:RECORD]) * 3,
        "a label of ten": b"\x0a" + whole[1:],
        "a label of 255 in the last record": whole[:-RECORD] + b"\xff" + whole[1 - RECORD :],
        "a pickle of CIFAR's Python version": b"\x80\x02}q\x00(U\x05labels.",
        "weights": whole_weights("zip"),
    }
    for label, content in contents.items():
        yield of_bytes("images", label, lambda content=content: content)  # type: ignore[misc]
    yield from no_plain_files("images")
    beside: dict[str, tuple[Callable[[Path], object], Expected]] = {
        "a test set of another length": (lambda path: path.with_name("test_batch.bin").write_bytes(b"\0"), "refused"),
        "no test set": (lambda path: path.with_name("test_batch.bin").unlink(), "refused"),
        "a batch missing": (lambda path: path.with_name(NAMES[3]).unlink(), "refused"),
        "a batch that is a pipe": (lambda path: _pipe(path.with_name(NAMES[3])), "refused"),
        "names that never end": (lambda path: _named(path).symlink_to("/dev/zero"), "accepted"),
        "names from a pipe": (lambda path: os.mkfifo(_named(path)), "accepted"),
        "names in a folder": (lambda path: _named(path).mkdir(), "accepted"),
        "names that clear the screen": (lambda path: _named(path).write_bytes(b"\x1b[2J\n" * 10), "accepted"),
        "names that are no text": (lambda path: _named(path).write_bytes(b"\xff\xfe\n" * 10), "accepted"),
        "too few names": (lambda path: _named(path).write_text("cat\n"), "accepted"),
        "names for a gigabyte": (lambda path: os.truncate(_touched(_named(path)), 2**30), "accepted"),
        "a terabyte of whole records": (lambda path: os.truncate(path, 2**28 * RECORD), "refused"),
        "a link to another batch": (lambda path: _linked(path), "accepted"),
        "an empty folder": (lambda path: _emptied(path.parent), "refused"),
    }  # fmt: skip
    for label, (change, expected) in beside.items():
        yield Made("images", label, lambda folder, change=change: _laid(folder, change), expected)  # type: ignore[misc]


def _laid(folder: Path, change: Callable[[Path], object]) -> Path:
    change(LOADERS["images"].put(folder, whole_batch()))
    return folder


def _named(path: Path) -> Path:
    return path.with_name("batches.meta.txt")


def _touched(path: Path) -> Path:
    path.write_bytes(b"")
    return path


def _emptied(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _linked(path: Path) -> None:
    path.unlink()
    path.symlink_to(NAMES[1])
