"""Images to train on: the published binary CIFAR files from a folder, and patches of photographs inside packages."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.errors import printable, require_positive_int

Pixels = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

CIFAR_FOLDER = "FILTERLAW_CIFAR10"
"""The environment variable that names the folder of CIFAR-10's binary files."""
SIDE = 32
PIXELS = 3 * SIDE * SIDE
MOST_IMAGES = 2**17
"""In one file; CIFAR's largest has 50,000."""
LARGEST_NAMES = 2**16
BLOCK, STRIDE = 64, 4
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle", "china", "flower")


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images: train and test pixels (N, 3, 32, 32) of 0..255, labels (N,), and what they are.

    name: "cifar10", "cifar100" or "photo-patches"; classes: the names of the labels, in order.
    """

    name: str
    classes: tuple[str, ...]
    train: Pixels
    train_labels: Labels
    test: Pixels
    test_labels: Labels

    def subset(self, train: int | None, test: int | None) -> Images:
        """The first `train` and `test` images (None: all). ValueError if there are not so many."""
        kept: list[Any] = []
        for what, count, pixels, labels in (
            ("train", train, self.train, self.train_labels),
            ("test", test, self.test, self.test_labels),
        ):
            wanted = len(pixels) if count is None else require_positive_int(count, what)
            if wanted > len(pixels):
                raise ValueError(f"{what} must be at most {len(pixels)}, the images that {self.name} has, got {wanted}")
            kept += [pixels[:wanted], labels[:wanted]]
        return Images(self.name, self.classes, *kept)


def cifar(folder: str | os.PathLike[str] | None = None) -> Images:
    """CIFAR-10 or CIFAR-100 from a folder with the files of the published binary version.

    CIFAR-10: data_batch_1.bin ... data_batch_5.bin and test_batch.bin, where a record is one label byte and 3072 bytes
    (1024 red, 1024 green, 1024 blue, row by row). CIFAR-100: train.bin and test.bin, with two label bytes, coarse and
    fine, of which the fine one is used. Nothing is unpickled. folder: by default what FILTERLAW_CIFAR10 names.
    Raises ValueError if the folder has neither set of files, or a file is cut off or holds an impossible label.
    """
    chosen = os.environ.get(CIFAR_FOLDER) if folder is None else os.fspath(folder)
    if not chosen:
        raise ValueError(f"a folder with CIFAR's binary files must be given (or named by {CIFAR_FOLDER}), got none")
    root = Path(chosen)
    batches = [root / f"data_batch_{index}.bin" for index in range(1, 6)]
    if all(path.is_file() for path in (*batches, root / "test_batch.bin")):
        parts = [_records(path, labels=1, classes=10) for path in batches]
        train, train_labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Images(
            "cifar10",
            _names(root / "batches.meta.txt", 10),
            train,
            train_labels,
            *_records(root / "test_batch.bin", labels=1, classes=10),
        )
    if all((root / name).is_file() for name in ("train.bin", "test.bin")):
        train, train_labels = _records(root / "train.bin", labels=2, classes=100)
        names = _names(root / "fine_label_names.txt", 100)
        return Images("cifar100", names, train, train_labels, *_records(root / "test.bin", labels=2, classes=100))
    raise ValueError(
        f"folder must hold data_batch_1.bin to data_batch_5.bin and test_batch.bin (CIFAR-10) or train.bin and "
        f"test.bin (CIFAR-100) of the binary version, got {os.fspath(chosen)!r}"
    )


def photo_patches() -> Images:
    """Patches of seven photographs that ship inside scikit-image and scikit-learn; the label is the photograph.

    Each photograph is halved by averaging 2 x 2 pixels and cut into disjoint blocks of 64 x 64, every third of which is
    for testing; patches of 32 x 32 are taken from within a block at every fourth pixel, so that no pixel is in both
    sets. The order is shuffled once, with a fixed seed. Not CIFAR, nor like it: neighbouring patches overlap.
    Raises ValueError without the two packages (`pip install 'filterlaw[data]'`).
    """
    if find_spec("skimage") is None or find_spec("sklearn") is None:
        raise ValueError("photo patches need scikit-image and scikit-learn: pip install 'filterlaw[data]'")
    sets: dict[bool, tuple[list[Pixels], list[int]]] = {False: ([], []), True: ([], [])}
    for label, name in enumerate(PHOTOGRAPHS):
        half = _halved(_photograph(name))
        rows, columns = half.shape[0] // BLOCK, half.shape[1] // BLOCK
        for index in range(rows * columns):
            top, left = BLOCK * (index // columns), BLOCK * (index % columns)
            patches, labels = sets[(index // columns + index % columns) % 3 == 2]
            cut = np.lib.stride_tricks.sliding_window_view(
                half[top : top + BLOCK, left : left + BLOCK], (SIDE, SIDE), axis=(0, 1)
            )[::STRIDE, ::STRIDE]
            patches.append(cut.reshape(-1, 3, SIDE, SIDE))
            labels += [label] * len(patches[-1])
    rng = np.random.default_rng(0)
    shuffled: list[Any] = []
    for patches, labels in (sets[False], sets[True]):
        order = rng.permutation(len(labels))
        shuffled += [np.concatenate(patches)[order], np.asarray(labels, np.int64)[order]]
    return Images("photo-patches", PHOTOGRAPHS, *shuffled)


def images(name: str, folder: str | os.PathLike[str] | None = None) -> Images:
    """The images of this name: "cifar10" and "cifar100" from `folder`, "photo-patches" from inside packages.

    Raises ValueError for another name, or where the folder holds another of the two CIFAR sets.
    """
    if name == "photo-patches":
        return photo_patches()
    if name not in ("cifar10", "cifar100"):
        raise ValueError(f"data must be one of cifar10, cifar100, photo-patches, got {name!r}")
    found = cifar(folder)
    if found.name != name:
        raise ValueError(f"folder must hold the files of {name}, got those of {found.name}")
    return found


def _records(path: Path, *, labels: int, classes: int) -> tuple[Pixels, Labels]:
    """Pixels and (the last of the) labels of one file. One record over is a cut-off file, not one to be guessed at."""
    record = labels + PIXELS
    try:
        # a file of holes can be said to be larger than any memory
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size > MOST_IMAGES * record:
                raise ValueError(f"{path.name} must hold at most {MOST_IMAGES:,} records, got {size:,} bytes")
            file.seek(0)
            content = file.read(size)
    except OSError as error:
        raise ValueError(f"cannot read {path.name}: {(error.strerror or str(error)).lower()}") from error
    size = len(content)
    if size == 0 or size % record:
        raise ValueError(f"{path.name} must hold whole records of {record} bytes, got {size} bytes: it is cut off")
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    label = rows[:, labels - 1].astype(np.int64)
    if label.max() >= classes:
        place = int(label.argmax())
        raise ValueError(f"{path.name} must hold labels below {classes}, got {label.max()} in record {place}")
    return rows[:, labels:].reshape(-1, 3, SIDE, SIDE), label


def _names(path: Path, classes: int) -> tuple[str, ...]:
    """The classes' names as the data set's own text file lists them, else their numbers."""
    with suppress(OSError):
        if not path.is_file() or path.stat().st_size > LARGEST_NAMES:
            return tuple(str(index) for index in range(classes))
        listed = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        listed = [printable(name) for name in listed if name]
        if len(listed) == classes:
            return tuple(listed)
    return tuple(str(index) for index in range(classes))


def _photograph(name: str) -> Pixels:
    """(height, width, 3)."""
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return np.asarray(load_sample_image(f"{name}.jpg"), np.uint8)
    from skimage import data

    if name == "motorcycle":
        return np.asarray(data.stereo_motorcycle()[0], np.uint8)  # type: ignore[no-untyped-call]
    return np.asarray(getattr(data, name)(), np.uint8)


def _halved(photograph: Pixels) -> Pixels:
    height, width = (size // 2 for size in photograph.shape[:2])
    tiles = photograph[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3)
    return np.asarray(tiles.mean(axis=(1, 3)).round(), np.uint8)
