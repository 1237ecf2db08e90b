"""A descent that can be stopped and taken up again: its snapshots in a file that is always whole."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import fields
from types import TracebackType

import numpy as np

from sim.descent import Snapshot
from sim.files import held_alone, require_writable
from sim.generations import Generations
from sim.json_files import parse_json

SLOW = 0.1
"""Seconds; an update that takes as long is kept at once, whatever writing takes."""


class Checkpoint:
    """Keeps the latest snapshot of a run in a file: pass it to `descend` as `on_step`, within a `with` block.

    The file is written after every update that took `SLOW` seconds, after others so often that writing takes at most
    the share `share` of the time (0: never), and when the block is left, for whatever reason. So an interrupted run
    loses nothing, a killed one the update under way, or the fast ones since the last writing. What was written before
    stays beside it (see `sim.generations`).
    settings: what the run was started with, of JSON types; a file that says otherwise is not taken up.
    Raises ValueError where the file cannot be written, BlockingIOError on entering the block if another process is in
    such a block for the same file.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, object], *, share: float = 0.1) -> None:
        self._path = require_writable(path)
        self._kept = Generations(self._path)
        self._settings = json.dumps(settings, sort_keys=True)
        self._pause = (1 - share) / share if share else float("inf")
        self._due = 0.0 if share else float("inf")
        self._slow = SLOW if share else float("inf")
        self._before = time.monotonic()
        self._unsaved: Snapshot | None = None
        self._held = ExitStack()

    def load(self) -> Snapshot | None:
        """The snapshot in the file, None if there is no file. ValueError if it is damaged or of another run.

        Warns with `sim.generations.DamagedWarning` where the one before it has to serve.
        """
        content = self._kept.load()
        if content is None:
            return None
        try:
            record = _record(content)
            settings = parse_json(bytes(record["settings"]), "settings")
            snapshot = Snapshot(**{field.name: record[field.name] for field in fields(Snapshot)})
            if not isinstance(settings, dict):
                raise ValueError("settings must be an object")
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"cannot resume from {os.fspath(self._path)!r}: it is no checkpoint of a descent"
            ) from error
        asked = json.loads(self._settings)
        for name in sorted({*asked, *settings}):
            if asked.get(name) != settings.get(name):
                raise ValueError(
                    f"cannot resume from {os.fspath(self._path)!r}: it is of a run with {name} = "
                    f"{json.dumps(settings.get(name))}, not {json.dumps(asked.get(name))}"
                )
        return snapshot

    def __call__(self, snapshot: Snapshot) -> None:
        self._unsaved = snapshot
        now = time.monotonic()
        if now >= self._due or now - self._before >= self._slow:
            self._save()
        self._before = time.monotonic()

    def __enter__(self) -> Checkpoint:
        lock = f"{os.path.realpath(self._path)}.lock"
        self._held.enter_context(held_alone(lock))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._held:
            self._save()

    def _save(self) -> None:
        if self._unsaved is None:
            return
        start = time.monotonic()
        values = {field.name: getattr(self._unsaved, field.name) for field in fields(Snapshot)}
        text = np.frombuffer(self._settings.encode(), dtype=np.uint8)
        record = np.empty((), [("settings", "u1", text.shape), *((k, v.dtype, v.shape) for k, v in values.items())])
        record["settings"] = text
        for name, value in values.items():
            record[name] = value
        buffer = io.BytesIO()
        np.save(buffer, record, allow_pickle=False)
        self._kept.store(buffer.getvalue())
        self._unsaved, end = None, time.monotonic()
        self._due = max(self._due, end + self._pause * (end - start))


def _record(content: bytes) -> np.void:
    """The one record in a .npy file that is just as long as its header says. ValueError for anything else.

    `numpy.load` would take an archive as well, and make room for whatever a header declares.
    """
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("it must be in version 1.0 of NumPy's format")
    shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    offset = file.tell()
    if shape != () or dtype.names is None or dtype.itemsize != len(content) - offset:
        raise ValueError("it must hold one record, to its end")
    record: np.void = np.frombuffer(content, dtype, count=1, offset=offset).copy()[0]
    return record
