"""The runs that are killed: how each is started, what its store must hold after a kill, and what it must come to."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load

from sim.cnn.run_store import RunStore, load_checkpoint
from sim.cnn.settings import Settings
from sim.generations import Generations
from tests.attack.kills.settings import preset, tiny

ROOT = Path(__file__).parents[3]
WRITINGS = ("checkpoint", "result", "removal")
"""What a child process can be told to wait before."""


@dataclass(frozen=True)
class Target:
    """A command, in which folder it keeps what, and how far it goes.

    command: what it is called with, "{out}" standing for the folder. total: epochs or steps of one uninterrupted run,
    0 where there is nothing in between. images: the folder of CIFAR files, if it needs one.
    """

    name: str
    command: tuple[str, ...]
    total: int = 0
    images: Path | None = None

    def arguments(self, out: Path) -> list[str]:
        """The command line of the child process."""
        given = [part.replace("{out}", str(out)) for part in self.command]
        return [sys.executable, "-m", "tests.attack.kills.child", *given]

    def environment(self, log: Path, wait: Sequence[str]) -> dict[str, str]:
        """What the child process is told by its environment."""
        from tests.attack.kills import child

        told = {child.LOG: str(log), child.WAIT: ",".join(wait), child.COMMAND: self.command[0]}
        if self.images is not None:
            told[child.IMAGES] = str(self.images)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        return {**os.environ, **threads, **told}

    def kept(self, out: Path) -> dict[str, int]:
        """The epochs or steps that the store can go on from, of each run, once everything in it has been read."""
        raise NotImplementedError

    def digest(self, out: Path) -> str:
        """SHA-256 of all that a finished run has left but the times that it took."""
        raise NotImplementedError


@dataclass(frozen=True)
class Training(Target):
    """One training run, or the runs of a preset, in a `RunStore`."""

    runs: tuple[Settings, ...] = field(default=())

    def kept(self, out: Path) -> dict[str, int]:
        store, done = RunStore(out), {}
        for run in self.runs:
            record = store.finished(run)
            state = load_checkpoint(store.checkpoint_path(run))
            if record is not None or store.weights_path(run).exists():
                load(store.weights_path(run).read_bytes())
            done[run.key] = run.epochs if record is not None else 0 if state is None else int(state["done"])
        return done

    def digest(self, out: Path) -> str:
        names = sorted(path.name for path in out.iterdir())
        if names != sorted(f"{run.key}.{end}" for run in self.runs for end in ("json", "safetensors")):
            return f"files left: {', '.join(names)}"
        total = hashlib.sha256()
        for run in self.runs:
            record = dict(RunStore(out).finished(run) or {})
            del record["timing"]
            total.update(json.dumps(record, sort_keys=True).encode())
            total.update(RunStore(out).weights_path(run).read_bytes())
        return total.hexdigest()


@dataclass(frozen=True)
class Descent(Target):
    """A trajectory of one filter, with a checkpoint beside its result."""

    def kept(self, out: Path) -> dict[str, int]:
        _json(out / "path.json")
        content = Generations(out / "run").load()
        if content is None:
            return {"run": 0}
        return {"run": len(np.load(io.BytesIO(content), allow_pickle=False)["gradients"])}

    def digest(self, out: Path) -> str:
        names = sorted(path.name for path in out.iterdir())
        if names != ["path.json", "run", "run.previous"]:
            return f"files left: {', '.join(names)}"
        return _sha256(*((out / name).read_bytes() for name in ("path.json", "run")))


@dataclass(frozen=True)
class Verification(Target):
    """A ledger, written at the end: there is the old one until there is the new one."""

    def kept(self, out: Path) -> dict[str, int]:
        _json(out / "ledger.json")
        return {}

    def digest(self, out: Path) -> str:
        names = sorted(path.name for path in out.iterdir())
        return _sha256((out / names[0]).read_bytes()) if names == ["ledger.json"] else f"files left: {', '.join(names)}"


def targets(images: Path, *, sample: bool) -> dict[str, Target]:
    """The runs to be killed, by name; shorter ones for a sample."""
    epochs, steps = (6, 8) if sample else (8, 20)
    rng = np.random.default_rng(7)
    d, w = rng.random(49), rng.normal(size=49) / 7
    numbers = [",".join(map(repr, values.tolist())) for values in (d, w)]
    descent = ("simulate", "filter", "--d", numbers[0], "--w", numbers[1], "--momentum", "0.9", "--steps", str(steps))
    kept = ("--checkpoint", "{out}/run", "--resume", "--json", "{out}/path.json")
    run = ("run", "{out}", str(epochs))
    train = ("train", "tiny", "--output", "{out}", "--device", "cpu", "--jobs", "2")
    ids = ("S-SUF", "S-NEC", "C-T1B", "--level", "symbolic", "--output", "{out}")
    runs = preset().runs
    listed = (
        Training("training run", run, epochs, images, (tiny(epochs),)),
        Training("filterlaw train", train, sum(r.epochs for r in runs), images, runs),
        Descent("trajectory of 49 weights", (*descent, *kept), steps),
        Verification("filterlaw verify", ("verify", *ids, "--jobs", "1")),
        Verification("filterlaw verify on two processes", ("verify", *ids, "--jobs", "2")),
    )
    return {target.name: target for target in listed}


def temporary(out: Path) -> list[str]:
    """Temporary files in a folder."""
    return sorted(path.name for path in out.iterdir() if path.suffix == ".tmp") if out.is_dir() else []


def read(target: Target, out: Path) -> tuple[dict[str, int], str]:
    """The epochs or steps kept, and what is wrong with the store: an error on reading it, a warning; else nothing."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            kept = target.kept(out)
        except Exception as error:
            # whatever it is, the store cannot be read
            return {}, f"{type(error).__name__}: {error}"
    return kept, str(told[0].message) if told else ""


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _sha256(*contents: bytes) -> str:
    return hashlib.sha256(b"".join(contents)).hexdigest()
