"""A folder of training runs: a finished run is a record, one that is not is a checkpoint, and both survive a kill."""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from sim.cnn.data import Images
from sim.cnn.settings import Settings
from sim.cnn.training import Run
from sim.files import atomic_write, held_alone, require_writable_folder

DIGEST = hashlib.sha256().digest_size
CUT_OFF = "it is cut off or damaged"


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

    def finished(self, settings: Settings) -> dict[str, Any] | None:
        """The record of a finished run, None if there is none. ValueError for a file that is no such record."""
        path = self.record_path(settings)
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ValueError(f"cannot read the record {path.name!r}: {CUT_OFF}; delete it to run again") from error
        whole = isinstance(record, dict) and record.get("settings") == asdict(settings)
        if not whole or len(record.get("epochs", ())) != settings.epochs:
            raise ValueError(
                f"cannot read the record {path.name!r}: it is no record of this run; delete it to run again"
            )
        found: dict[str, Any] = record
        return found


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
    require_writable_folder(store.folder)
    record = store.finished(settings)
    if record is not None:
        return record
    with held_alone(store.folder / f"{settings.key}.lock"):
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
        for path in _generations(store.checkpoint_path(settings)):
            path.unlink(missing_ok=True)
        return record


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Keep a state and the one before it, each with a digest that tells a damaged file."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    newest, previous = _generations(path)
    if newest.exists():
        os.replace(newest, previous)
    atomic_write(newest, hashlib.sha256(content).digest() + content)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """The newest state that is whole; None if none was stored.

    Warns where the newest is damaged and the one before it is used; ValueError if neither can be used.
    """
    damaged: list[str] = []
    for file in _generations(path):
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            continue
        if hashlib.sha256(content[DIGEST:]).digest() == content[:DIGEST]:
            if damaged:
                warnings.warn(f"{damaged[0]!r} is damaged; going on from the epoch before, {file.name!r}", stacklevel=2)
            return _state(content[DIGEST:], file.name)
        damaged.append(file.name)
    if damaged:
        raise ValueError(f"cannot go on from {' or '.join(map(repr, damaged))}: {CUT_OFF}; delete it to begin again")
    return None


def _state(content: bytes, name: str) -> dict[str, Any]:
    try:
        state = torch.load(io.BytesIO(content), weights_only=True, map_location="cpu")
    except Exception as error:
        # torch raises errors of many kinds for what it does not load, code in a pickle among it
        raise ValueError(f"cannot go on from {name!r}: it is no checkpoint of a run") from error
    if not isinstance(state, dict) or "settings" not in state:
        raise ValueError(f"cannot go on from {name!r}: it is no checkpoint of a run")
    return state


def _generations(path: Path) -> tuple[Path, Path]:
    return path, path.with_name(f"{path.name}.previous")
