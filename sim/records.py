"""Records of training runs: what `filterlaw train` writes, read and checked without PyTorch.

A run's record is a JSON object with "settings" (every setting, seed among them), "epochs" (what was measured in each),
"layers" (filters and spectra of each convolution at the start, epoch 0, and at the end) and "timing" (seconds). A table
is {"format": 1, "preset": ..., "runs": [...]}, many records in one file. Keys that are not listed here are ignored.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from sim.arrays import FloatArray, frozen_copy
from sim.errors import (
    printable,
    require_finite,
    require_int,
    require_non_negative,
    require_shape,
    require_unit_interval,
)
from sim.json_files import parse_json, read_json

FORMAT = 1
MEASURES = ("train_loss", "train_accuracy", "test_loss", "test_accuracy", "sign_changes", "mean_gradient")
SHARES = ("train_accuracy", "test_accuracy", "sign_changes")
TIMES = ("epoch_seconds", "svb_seconds", "bbn_seconds")
COMPARED = ("network", "data", "epochs", "learning_rate", "l2", "init", "gain", "scale", "svb", "bbn", "seed")
"""Settings that every record must have: runs are told apart and paired by them."""


class NotRecorded(ValueError):
    """Records do not hold what is asked of them; the message says what is missing."""


@dataclass(frozen=True, eq=False)
class LayerState:
    """A convolution at one epoch (0: before training).

    depth: 0 for the layer that sees the image. by_distance: mean correlation of filter pixels at each distance between
    them, ascending. singular_values: of the reshaped kernel, descending. operator: largest and smallest singular value
    of the convolution on images, None where that was not computed.
    """

    epoch: int
    name: str
    shape: tuple[int, ...]
    depth: int
    by_distance: FloatArray
    mean_correlation: float
    singular_values: FloatArray
    operator: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """One network's training: its settings, what each epoch measured, its layers, and seconds per epoch.

    measures: each of `MEASURES` as an array (epochs,); sign_changes and mean_gradient are means over the epoch's
    updates. seconds: each of `TIMES`, (epochs,) or, where the method was not used, (0,).
    """

    settings: Mapping[str, Any]
    measures: Mapping[str, FloatArray]
    layers: tuple[LayerState, ...]
    seconds: Mapping[str, FloatArray]

    @property
    def seed(self) -> int:
        """What tells repetitions of one setting apart."""
        return int(self.settings["seed"])

    @property
    def epochs(self) -> int:
        """How many epochs the network was trained."""
        return len(self.measures["train_loss"])

    def layers_at(self, epoch: int) -> tuple[LayerState, ...]:
        """The layers at epoch 0 or at the end, by depth. Raises NotRecorded if there are none."""
        found = sorted((layer for layer in self.layers if layer.epoch == epoch), key=lambda layer: layer.depth)
        if not found:
            known = ", ".join(map(str, sorted({layer.epoch for layer in self.layers}))) or "none"
            raise NotRecorded(f"epoch must be one at which layers were recorded ({known}), got {epoch}")
        return tuple(found)


@lru_cache(maxsize=8)
def read_table(preset: str) -> tuple[TrainingRun, ...]:
    """The runs of a preset whose table comes with the package; none if it has no such table."""
    file = resources.files("sim") / "data" / "runs" / f"{preset}.json"
    return _runs(parse_json(file.read_bytes(), repr(file.name)), file.name) if file.is_file() else ()


def read_folder(folder: str | os.PathLike[str]) -> tuple[TrainingRun, ...]:
    """The runs recorded in the JSON files of a folder, in the order of the files' names; other files are ignored.

    Raises ValueError for a folder that is not there or holds no record, for a file that is no record or holds values
    that cannot be, NaN among them, and for two records of the same settings.
    """
    name = os.fspath(folder)
    if not os.path.isdir(name):
        raise ValueError(f"records must be a folder of records that `filterlaw train` wrote, got {name!r}")
    files = sorted(Path(name).glob("*.json"))
    if not files:
        raise ValueError(f"records must be a folder with records (*.json) of training runs, got {name!r} without any")
    runs: list[TrainingRun] = []
    homes: dict[str, Path] = {}
    for file in files:
        for run in _runs(read_json(file), str(file)):
            key = json.dumps(dict(run.settings), sort_keys=True)
            if key in homes:
                raise ValueError(
                    f"records must be of different settings, but {homes[key].name!r} and {file.name!r} in {name!r} are "
                    "of the same; remove one"
                )
            homes[key] = file
            runs.append(run)
    return tuple(runs)


def _runs(record: Any, name: str) -> tuple[TrainingRun, ...]:
    if not isinstance(record, dict) or "format" not in record or not {"runs", "settings"} & record.keys():
        raise ValueError(f"cannot use {name!r}: it is no record of a training run, nor a table of them")
    if record["format"] is True or record["format"] != FORMAT:
        raise ValueError(f"cannot use {name!r}: its format must be {FORMAT}, got {printable(repr(record['format']))}")
    listed = record.get("runs", [record])
    if not isinstance(listed, list):
        raise ValueError(f"cannot use {name!r}: runs must be a list, got {type(listed).__name__}")
    runs = []
    for n, each in enumerate(listed):
        try:
            runs.append(parse_run(each))
        except (ValueError, TypeError) as error:
            where = f", runs[{n}]" if "runs" in record else ""
            raise ValueError(f"cannot use {name!r}{where}: {error}") from error
    return tuple(runs)


def parse_run(record: Any) -> TrainingRun:
    """A run from its record, a JSON object. Raises ValueError or TypeError that names what is wrong in it."""
    settings = _mapping(record, "record").get("settings")
    settings = _mapping(settings, "settings")
    for name in COMPARED:
        _require_setting(_entry(settings, name, "settings"), f"settings.{name}")
    require_int(settings["seed"], "settings.seed", 0)
    epochs = _list(record, "epochs", "record")
    if len(epochs) != require_int(settings["epochs"], "settings.epochs", 1):
        raise ValueError(f"epochs must be as many as settings.epochs ({settings['epochs']}), got {len(epochs)}")
    measures = {name: [_entry(epoch, name, f"epochs[{n}]") for n, epoch in enumerate(epochs)] for name in MEASURES}
    timing = _mapping(record.get("timing", {}), "timing")
    return TrainingRun(
        settings=MappingProxyType(dict(settings)),
        measures=MappingProxyType({name: _checked(values, name) for name, values in measures.items()}),
        layers=tuple(_layer(layer, f"layers[{n}]") for n, layer in enumerate(_list(record, "layers", "record"))),
        seconds=MappingProxyType(
            {name: frozen_copy(require_non_negative(timing.get(name, []), f"timing.{name}")) for name in TIMES}
        ),
    )


def _checked(values: Sequence[Any], name: str) -> FloatArray:
    check = require_unit_interval if name in SHARES else require_non_negative
    return frozen_copy(check(values, f"epochs.{name}"))


def _layer(record: Any, where: str) -> LayerState:
    for name in ("epoch", "name", "shape", "depth", "by_distance", "mean_correlation", "singular_values"):
        _entry(record, name, where)

    def numbers(name: str, check: Callable[[object, str], FloatArray], shape: tuple[int | None, ...]) -> FloatArray:
        return frozen_copy(require_shape(check(record[name], f"{where}.{name}"), f"{where}.{name}", shape))

    spectrum = numbers("singular_values", require_non_negative, (None,))
    operator = None
    if record.get("operator") is not None:
        largest, smallest = numbers("operator", require_non_negative, (2,))
        operator = float(largest), float(smallest)
    return LayerState(
        epoch=require_int(record["epoch"], f"{where}.epoch", 0),
        name=str(record["name"]),
        shape=tuple(require_int(side, f"{where}.shape", 1) for side in _list(record, "shape", where)),
        depth=require_int(record["depth"], f"{where}.depth", 0),
        by_distance=numbers("by_distance", require_finite, (None,)),
        mean_correlation=float(numbers("mean_correlation", require_finite, ())),
        singular_values=frozen_copy(np.sort(spectrum)[::-1]),
        operator=operator,
    )


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be an object, got {type(value).__name__}")
    return value


def _entry(record: Any, name: str, where: str) -> Any:
    if name not in _mapping(record, where):
        raise ValueError(f"{where} must have {name!r}, got {_listed(record)}")
    return record[name]


def _list(record: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = _entry(record, name, where)
    if not isinstance(value, list):
        raise TypeError(f"{name} must be a list, got {type(value).__name__}")
    return value


def _require_setting(value: Any, name: str) -> None:
    """Runs are told apart by their settings, so that each must be a plain value."""
    if value is not None and not isinstance(value, str | int | float):
        raise TypeError(f"{name} must be a text, a number or null, got {type(value).__name__}")


def _listed(record: Mapping[str, Any]) -> str:
    return printable(", ".join(record)) or "nothing"
