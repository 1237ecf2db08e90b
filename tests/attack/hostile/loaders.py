"""What the package reads of files that may come from anyone, each with a whole file to damage.

A loader takes a path and returns what is wrong with what it accepted (a number that is not finite, shapes that do not
fit), or None. Ledgers are read and then made a report of, since that is what they are read for.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from sim.cnn.data import PIXELS, cifar
from sim.cnn.weights_file import is_plain, read_weights
from sim.known import read_correlation
from sim.records import MEASURES, TIMES, TrainingRun, read_folder
from theory.claims import all_claims
from theory.claims.stored import read_ledger
from theory.ledger import combine
from theory.serialise import environment, report_record, to_json

CLAIM = "C-E4"
"""The claim of the ledger that is damaged: quickly verified, and false as printed."""
NAMES = "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"


def weights(path: Path) -> str | None:
    """A file of weights."""
    found = read_weights(path)
    size = path.stat().st_size
    for name, tensor in found.tensors.items():
        if not is_plain(tensor):
            continue
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return f"{name!r} holds NaN or infinity"
        if tensor.numel() * tensor.element_size() > size:
            return f"{name!r} has more numbers than the file"
    return None


def correlation(path: Path) -> str | None:
    """A JSON file with a correlation matrix."""
    found = read_correlation(path)
    if not (np.isfinite(found.R).all() and np.isfinite(found.bootstrap_error).all()):
        return "R is not finite"
    found.to_json().encode()
    return None


def images(path: Path) -> str | None:
    """A folder of CIFAR's binary files; a file is taken for the first batch, beside four good ones."""
    found = cifar(path if path.is_dir() else path.parent)
    ranges = {10: "cifar10", 100: "cifar100"}
    for pixels, labels in ((found.train, found.train_labels), (found.test, found.test_labels)):
        if len(pixels) != len(labels) or pixels.shape[1:] != (3, 32, 32):
            return f"{pixels.shape} images have {labels.shape} labels"
        if labels.min() < 0 or labels.max() >= len(found.classes) or ranges.get(len(found.classes)) != found.name:
            return "a label is out of range"
    return None


def records(path: Path) -> str | None:
    """A folder of records of training runs; a file is taken for the only one in its folder."""
    for run in read_folder(path if path.is_dir() else path.parent):
        if not all(np.isfinite(values).all() for values in _numbers(run)):
            return "a number of a run is not finite"
        json.dumps(dict(run.settings), allow_nan=False).encode()
    return None


def _numbers(run: TrainingRun) -> list[Any]:
    held = [*run.measures.values(), *run.seconds.values()]
    return [*held, *(x for layer in run.layers for x in (layer.by_distance, layer.singular_values))]


def ledger(path: Path) -> str | None:
    """A ledger, and the report that is made of it."""
    from figures.report.contents import Contents, gather
    from figures.report.markdown import markdown
    from figures.report.page import page
    from figures.report.record import report_of

    contents: Contents = gather(read_ledger(path), draw=False)
    html = page(contents)
    for text in (html, markdown(contents), to_json(report_of(contents))):
        text.encode()
    if "<script>harm" in html or "<img src=x" in html:
        return "its text became a script of the report"
    for entry in contents.entries:
        if entry.verdict != combine(part.verdict for part in entry.parts):
            return "its verdict does not follow from its clauses"
    return None


@cache
def whole_weights(kind: str) -> bytes:
    """A state dict of a small network in one of three formats: zip, legacy, safetensors."""
    rng = torch.Generator().manual_seed(0)
    state = {
        "conv.weight": torch.randn(4, 3, 3, 3, generator=rng),
        "conv.bias": torch.zeros(4),
        "bn.running_var": torch.ones(4),
        "bn.num_batches_tracked": torch.tensor(3),
        "fc.weight": torch.randn(2, 4, generator=rng).to(torch.bfloat16),
    }
    if kind == "safetensors":
        return save(state)
    buffer = io.BytesIO()
    torch.save({"model": state, "epoch": 3}, buffer, _use_new_zipfile_serialization=kind == "zip")
    return buffer.getvalue()


@cache
def whole_correlation() -> bytes:
    """A correlation of 2 x 2 filters."""
    R = 0.3 + 0.7 * np.eye(4)
    record = {"format": 1, "R": R.tolist(), "bootstrap_error": (0.01 * R).tolist(), "provenance": {"weights": "w.pt"}}
    return json.dumps(record, indent=1).encode()


@cache
def whole_batch() -> bytes:
    """Three images of CIFAR-10."""
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 256, (3, 1 + PIXELS), dtype=np.uint8)
    rows[:, 0] = 3, 9, 0
    return rows.tobytes()


@cache
def whole_record() -> bytes:
    """The record of a run of two epochs."""
    layer = {
        "name": "conv1",
        "shape": [2, 1, 2, 2],
        "depth": 0,
        "by_distance": [0.5, 0.25],
        "mean_correlation": 0.4,
        "singular_values": [1.5, 0.5],
        "operator": [1.7, 0.4],
    }
    settings = {
        "network": "vgg8",
        "data": "photo-patches",
        "epochs": 2,
        "learning_rate": 0.1,
        "l2": 0.0,
        "init": "kaiming",
        "gain": 1.0,
        "scale": "sum",
        "svb": None,
        "bbn": None,
        "seed": 0,
    }
    record = {
        "format": 1,
        "settings": settings,
        "epochs": [dict.fromkeys(MEASURES, 0.5 / (1 + n)) for n in range(2)],
        "layers": [{"epoch": 0, **layer}, {"epoch": 2, **layer}],
        "timing": {name: [0.25, 0.125] for name in TIMES},
    }
    return json.dumps(record, indent=1).encode()


@cache
def whole_ledger() -> bytes:
    """The ledger of one claim, derived and searched for counterexamples."""
    from theory.verify import verify

    record = report_record(verify(all_claims()[CLAIM], level="symbolic"))
    return to_json({"environment": environment(level="symbolic", seed=0), "claims": [record]}).encode()


@dataclass(frozen=True)
class Loader:
    """A reader of files, the bytes of a whole one, and how to lay a file out so that the loader finds it."""

    name: str
    load: Callable[[Path], str | None]
    whole: Callable[[], bytes]
    suffix: str = ""
    beside: Mapping[str, Callable[[], bytes]] | None = None

    def put(self, folder: Path, content: bytes, name: str = "given") -> Path:
        """A file with this content in the folder, with whatever must lie beside it."""
        for other, made in (self.beside or {}).items():
            if not (folder / other).exists():
                (folder / other).write_bytes(made())
        path = folder / (NAMES[0] if self.beside else f"{name}{self.suffix}")
        path.write_bytes(content)
        return path


LOADERS: Mapping[str, Loader] = {
    loader.name: loader
    for loader in (
        Loader("weights, zip", weights, lambda: whole_weights("zip"), ".pt"),
        Loader("weights, legacy", weights, lambda: whole_weights("legacy"), ".pt"),
        Loader("weights, safetensors", weights, lambda: whole_weights("safetensors"), ".safetensors"),
        Loader("correlation", correlation, whole_correlation, ".json"),
        Loader("images", images, whole_batch, ".bin", dict.fromkeys((*NAMES[1:], "test_batch.bin"), whole_batch)),
        Loader("records", records, whole_record, ".json"),
        Loader("ledger", ledger, whole_ledger, ".json"),
    )
}
"""Every loader of files, by what it reads."""
