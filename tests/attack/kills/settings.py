"""Runs small enough to be killed two hundred times, that yet have every kind of state."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim.cnn.presets import Preset
from sim.cnn.settings import Settings

PIXELS = 3 * 32 * 32


def tiny(epochs: int) -> Settings:
    """Momentum, batch norm, shuffling, augmentation, a falling learning rate, both bounds."""
    return Settings(
        network="vgg8",
        width=0.0625,
        train=100,
        test=20,
        epochs=epochs,
        batch_size=20,
        learning_rate=0.05,
        final_learning_rate=0.005,
        momentum=0.9,
        l2=1e-3,
        augment=True,
        svb=0.5,
        bbn=1.0,
    )


def preset() -> Preset:
    """Two such runs, for the command line."""
    return Preset("tiny", "two tiny runs", (tiny(5), replace(tiny(5), seed=1)))


def cifar_folder(folder: Path) -> Path:
    """A folder in CIFAR-10's format: six files of twenty images of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"):
        rows = rng.integers(0, 256, (20, 1 + PIXELS), dtype=np.uint8)
        rows[:, 0] %= 10
        # the label shows, so that there is something to learn
        rows[:, 1:200] = rows[:, :1] * 20
        with open(os.fspath(folder / name), "wb") as file:
            file.write(rows.tobytes())
    return folder
