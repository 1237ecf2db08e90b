"""`filterlaw train PRESET`: train the networks of a preset and keep their records."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import BadInput, Unfinished, bad_input, choice, folder, integer

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from sim.cnn.settings import Settings

DEVICES = ("auto", "cpu", "cuda")


def train(
    preset: Annotated[str | None, typer.Argument(metavar="PRESET", help="What to train; --list lists them.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the presets and exit.")] = False,
    images: Annotated[
        str | None,
        typer.Option("--images", metavar="DIR", help="Folder of CIFAR's binary files (default: $FILTERLAW_CIFAR10)."),
    ] = None,
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="Folder that keeps the runs.")] = "build/runs",
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", parser=integer("jobs", 1), metavar="N", help="Runs at a time (default: one per core)."),
    ] = None,
    threads: Annotated[
        int,
        typer.Option("--threads", parser=integer("threads", 1), metavar="N", help="Numeric threads of each run."),
    ] = 1,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            parser=choice("device", DEVICES),
            metavar="|".join(DEVICES),
            help="Where to train (auto: a GPU if there is one).",
        ),
    ] = "auto",
    table: Annotated[
        str | None, typer.Option("--table", metavar="FILE", help="Also write all records into one small JSON file.")
    ] = None,
) -> int:
    """Train the networks of a preset; finished runs are kept, and an interrupted one goes on where it stopped."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise BadInput("training needs torch: pip install 'filterlaw[torch]'")
    from sim.cnn.presets import find_preset, presets

    if list_ or preset is None:
        for each in presets().values():
            print(f"{each.name:<22} {len(each.runs):>3} runs  {each.text}")
        return 0

    from sim.files import atomic_write, require_writable, require_writable_folder

    with bad_input():
        chosen = find_preset(preset)
        if table is not None:
            require_writable(table)
        target = require_writable_folder(folder(output, "output"))
        place = _device(device)

    from sim.cnn.run_store import RunStore
    from sim.cnn.sweep import run_all
    from sim.cnn.table import table_of, table_text
    from sim.processes import WorkerLost, cores
    from theory.serialise import environment

    records: dict[str, dict[str, Any]] = {}
    failures: list[str] = []
    done: dict[str, int] = {}
    with _bar() as bar, bad_input():
        task = bar.add_task(chosen.name, total=sum(run.epochs for run in chosen.runs))
        news_of = run_all(
            chosen.runs,
            RunStore(target),
            folder=images,
            device=place,
            jobs=jobs or (cores() if place == "cpu" else 1),
            threads=threads,
            environment=environment(),
        )
        try:
            for news in news_of:
                key = news.settings.key
                done[key] = max(done.get(key, 0), news.epoch)
                bar.update(task, completed=sum(done.values()))
                if news.record is not None:
                    records[key] = news.record
                    bar.console.print(f"{key}  {_words(news.settings)}  {_outcome(news.record)}")
                elif news.failure:
                    failures.append(f"{_words(news.settings)}: {news.failure}")
                elif news.warning is not None:
                    warnings.warn(news.warning, stacklevel=1)
        except WorkerLost as error:
            raise Unfinished(str(error)) from error
    if table is not None:
        finished = [records[run.key] for run in chosen.runs if run.key in records]
        with bad_input():
            atomic_write(table, table_text(table_of(chosen.name, finished)))
    print(f"{len(records)} of {len(chosen.runs)} runs of {chosen.name} are in {target}")
    if failures:
        raise Unfinished(f"{len(failures)} runs failed; the first is {failures[0]}")
    return 0


def _words(settings: Settings) -> str:
    """What tells a run of a preset from the others."""
    parts = [settings.network, settings.init]
    parts += [settings.scale] if settings.init == "correlated" else []
    parts += [f"gain {settings.gain:g}"] if settings.gain != 1 else []
    parts += [f"rate {settings.learning_rate:g}"]
    parts += [f"l2 {settings.l2:g}"] if settings.l2 else []
    parts += [f"svb {settings.svb:g}"] if settings.svb is not None else []
    parts += [f"bbn {settings.bbn:g}"] if settings.bbn is not None else []
    return ", ".join([*parts, f"seed {settings.seed}"])


def _outcome(record: dict[str, Any]) -> str:
    last = record["epochs"][-1]
    return f"test accuracy {last['test_accuracy']:.3f}, train loss {last['train_loss']:.3f}"


def _device(name: str) -> str:
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device cuda must be one that PyTorch finds, got none on this machine")
    return name


def _bar() -> Bar:
    """A progress bar over epochs with the time left, where standard error is a terminal; a line for each run."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("epochs"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    errors = Console(stderr=True, soft_wrap=True)
    return Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
