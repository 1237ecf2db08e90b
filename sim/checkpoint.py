"""A descent that can be stopped and taken up again: its snapshots in a file that is always whole."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import fields
from types import TracebackType

import numpy as np

from sim.descent import Snapshot
from sim.files import atomic_write, require_writable


class Checkpoint:
    """Keeps the latest snapshot of a run in a file: pass it to `descend` as `on_step`, within a `with` block.

    The file is written at most every `every` seconds, and when the block is left, for whatever reason; so an
    interrupted run loses nothing, a killed one at most that many seconds. settings: what the run was started with, of
    JSON types; a file that says otherwise is not taken up. Raises ValueError where the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], settings: Mapping[str, object], *, every: float = 5.0) -> None:
        self._path = require_writable(path)
        self._settings = json.dumps(settings, sort_keys=True)
        self._every, self._due = every, time.monotonic() + every
        self._unsaved: Snapshot | None = None

    def load(self) -> Snapshot | None:
        """The snapshot in the file, None if there is no file. ValueError if it is damaged or of another run."""
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"cannot read {os.fspath(self._path)!r}: {error.strerror}") from error
        try:
            record = np.load(io.BytesIO(content), allow_pickle=False)
            settings = json.loads(bytes(record["settings"]).decode())
            snapshot = Snapshot(**{field.name: record[field.name] for field in fields(Snapshot)})
        except (ValueError, EOFError, OSError, KeyError, IndexError, TypeError) as error:
            raise ValueError(
                f"cannot resume from {os.fspath(self._path)!r}: it is no checkpoint, or damaged"
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
        if time.monotonic() >= self._due:
            self._save()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._save()

    def _save(self) -> None:
        if self._unsaved is None:
            return
        values = {field.name: getattr(self._unsaved, field.name) for field in fields(Snapshot)}
        text = np.frombuffer(self._settings.encode(), dtype=np.uint8)
        record = np.empty((), [("settings", "u1", text.shape), *((k, v.dtype, v.shape) for k, v in values.items())])
        record["settings"] = text
        for name, value in values.items():
            record[name] = value
        buffer = io.BytesIO()
        np.save(buffer, record, allow_pickle=False)
        atomic_write(self._path, buffer.getvalue())
        self._unsaved, self._due = None, time.monotonic() + self._every
