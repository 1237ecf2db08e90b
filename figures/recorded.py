"""What figures of recorded training runs share: their runs, how these were trained, curves with their spread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures.style import Look
from sim.arrays import FloatArray
from sim.paired import Arm, by_seed
from sim.records import TrainingRun, read_table

STATED = ("network", "width", "train", "epochs", "batch_size", "momentum")


def runs_of(preset: str, arm: Arm) -> tuple[TrainingRun, ...]:
    """The runs of one arm in the table of a preset, by seed."""
    return tuple(run for (run,) in by_seed(read_table(preset), arm))


def about(preset: str, *arms: Arm) -> dict[str, Any]:
    """How the runs of some arms were trained, and their seeds, for the metadata of a figure."""
    runs = [run for arm in arms for run in runs_of(preset, arm)]
    stated: dict[str, Any] = {"preset": preset}
    for name in STATED:
        values = sorted({run.settings.get(name) for run in runs}, key=str)
        stated[name] = values[0] if len(values) == 1 else tuple(values)
    return {**stated, "seeds": ", ".join(map(str, sorted({run.seed for run in runs})))}


def stacked(runs: Sequence[TrainingRun], value: Callable[[TrainingRun], Any]) -> FloatArray:
    """(n, ...) what a function makes of each run."""
    return np.array([value(run) for run in runs], dtype=np.float64)


def with_spread(axes: Axes, x: FloatArray, values: FloatArray, look: Look, label: str, **more: Any) -> None:
    """The mean of (n, len(x)) values over runs, and one standard deviation around it shaded."""
    mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
    axes.fill_between(x, mean - spread, mean + spread, color=look.color, alpha=0.15, lw=0)
    axes.plot(x, mean, **{**look.line, **more}, label=label)


def trained_on(stated: Mapping[str, Any]) -> str:
    """In words, for the small print."""
    return (
        f"{stated['train']:,} images of CIFAR-10, {stated['epochs']} epochs; seeds {stated['seeds']}"
        if stated["train"] is not None
        else f"CIFAR-10, {stated['epochs']} epochs; seeds {stated['seeds']}"
    )
