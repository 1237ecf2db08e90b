"""A folder of training runs: a finished run is a record, one that is not is a checkpoint, and both survive a kill."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from sim.cnn.data import Images
from sim.cnn.settings import Settings
from sim.cnn.training import Run
from sim.files import atomic_write, held_alone, require_writable_folder
from sim.generations import Generations
from sim.json_files import read_json


@dataclass(frozen=True)
class RunStore:
    """Files of the runs in a folder, named by `Settings.key`: KEY.json, KEY.safetensors, KEY.checkpoint."""

    folder: Path

    def record_path(self, settings: Settings) -> Path:
        return self.folder / f"{settings.key}.json"

    def weights_path(self, settings: Settings) -> Path:
        return self.folder / f"{settings.key}.safetensors"

    def checkpoint_path(self, settings: Settings) -> Path:
        return self.folder / f"{settings.key}.checkpoint"

    def lock_path(self, settings: Settings) -> Path:
        return self.folder / f"{settings.key}.lock"

    def finished(self, settings: Settings) -> dict[str, Any] | None:
        """The record of a finished run, None if there is none. ValueError for a file that is no such record."""
        path = self.record_path(settings)
        if not os.path.lexists(path):
            return None
        try:
            record = read_json(path)
        except ValueError as error:
            raise ValueError(
                f"cannot read the record {path.name!r}: it is cut off or damaged; delete it to run again"
            ) from error
        whole = isinstance(record, dict) and record.get("settings") == asdict(settings)
        epochs = record.get("epochs") if whole else None
        if not isinstance(epochs, list) or len(epochs) != settings.epochs:
            raise ValueError(
                f"cannot read the record {path.name!r}: it is no record of this run; delete it to run again"
            )
        found: dict[str, Any] = record
        return found

    def tidy(self, settings: Settings) -> None:
        """Remove what a process that ended between the record and this has left of a finished run."""
        kept = Generations(self.checkpoint_path(settings))
        if any(path.exists() for path in (*kept.files, self.lock_path(settings))):
            # whoever holds the run is about to do the same; a folder that is only read stays as it is
            with suppress(BlockingIOError, ValueError, OSError), held_alone(self.lock_path(settings)):
                kept.remove()


def train(
    settings: Settings,
    images: Images,
    store: RunStore,
    *,
    environment: dict[str, Any],
    device: torch.device,
    on_epoch: Callable[[int, dict[str, float]], object] | None = None,
) -> dict[str, Any]:
    """The record of a run: read if it is finished, taken up at its last whole epoch if not, else begun.

    A kill loses the epoch under way; the run taken up gives the same bits on the same machine. images: whole sets, cut
    here. on_epoch(done, outcome) after each epoch. Two processes cannot be at one run.
    Raises ValueError for a store that cannot be written, files in it that are of other runs, or that are damaged beyond
    the two checkpoints kept; BlockingIOError if another process is at this run; `Diverged`.
    """
    record = store.finished(settings)
    if record is not None:
        store.tidy(settings)
        return record
    require_writable_folder(store.folder)
    with held_alone(store.lock_path(settings)):
        record = store.finished(settings)
        if record is not None:
            return record
        run = Run(settings, images.subset(settings.train, settings.test), device)
        state = load_checkpoint(store.checkpoint_path(settings))
        if state is not None:
            run.load_state(state)
        while run.done < settings.epochs:
            outcome = run.epoch()
            save_checkpoint(store.checkpoint_path(settings), run.state())
            if on_epoch is not None:
                on_epoch(run.done, outcome)
        weights = {name: tensor.contiguous() for name, tensor in run.model.state_dict().items()}
        atomic_write(store.weights_path(settings), save(weights))
        record = run.record(environment)
        atomic_write(store.record_path(settings), json.dumps(record, allow_nan=False) + "\n")
        Generations(store.checkpoint_path(settings)).remove()
        return record


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Keep a state and the one before it."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    Generations(path).store(buffer.getvalue())


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The newest state that is whole; None if none was stored.

    Warns where the newest is damaged and the one before it is used; ValueError if neither can be used.
    """
    content = Generations(path).load()
    if content is None:
        return None
    try:
        state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:
        # torch raises errors of many kinds for what it does not load, code in a pickle among it
        raise ValueError(f"cannot go on from {path.name!r}: it is no checkpoint of a run") from error
    if not isinstance(state, dict) or "settings" not in state:
        raise ValueError(f"cannot go on from {path.name!r}: it is no checkpoint of a run")
    return state
