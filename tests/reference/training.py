"""Records of training runs made up from planted effects, in the layout that `filterlaw train` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

EPOCHS = 5
DISTANCES = 5
SETTINGS: dict[str, Any] = {
    "network": "vgg8",
    "width": 0.25,
    "batch_norm": True,
    "data": "cifar10",
    "train": 1000,
    "test": 500,
    "epochs": EPOCHS,
    "batch_size": 256,
    "learning_rate": 0.1,
    "momentum": 0.8,
    "l2": 0.0,
    "augment": False,
    "init": "kaiming",
    "alpha": 1.0,
    "scale": "sum",
    "gain": 1.0,
    "svb": None,
    "bbn": None,
    "seed": 0,
}


def layer(epoch: int, depth: int, *, correlation: float, fall: float, spread: float, operator: float) -> dict[str, Any]:
    """A 3 x 3 layer: correlations that fall by `fall` per distance, singular values from 1/spread to spread."""
    return {
        "epoch": epoch,
        "name": f"features.{depth}.conv",
        "shape": [8, 4, 3, 3],
        "depth": depth,
        "by_distance": [correlation + fall * (2 - n) for n in range(DISTANCES)],
        "mean_correlation": correlation,
        "singular_values": np.geomspace(spread, 1 / spread, 8).tolist(),
        "operator": [operator, 1 / operator],
    }


def record(
    *,
    accuracy: float = 0.6,
    speed: float = 0.5,
    flips: float = 0.3,
    gradient: float = 0.01,
    correlation: float = 0.1,
    fall: float = 0.02,
    slope: float = 0.03,
    spread: float = 2.0,
    operator: float = 2.0,
    svb_seconds: float = 0.1,
    **settings: Any,
) -> dict[str, Any]:
    """One run: the loss falls like exp(-speed t), the accuracy ends at `accuracy`; layers start uncorrelated at 1."""
    given = {**SETTINGS, **settings}
    count = given["epochs"]
    epochs = [
        {
            "train_loss": 2.3 * float(np.exp(-speed * t)),
            "train_accuracy": accuracy,
            "test_loss": 1.0,
            "test_accuracy": accuracy * (t + 1) / count,
            "sign_changes": flips,
            "mean_gradient": gradient,
        }
        for t in range(count)
    ]
    start = [layer(0, n, correlation=0.0, fall=0.0, spread=1.0, operator=1.5) for n in range(4)]
    end = [
        layer(count, n, correlation=correlation + slope * (n - 2), fall=fall, spread=spread, operator=operator)
        for n in range(4)
    ]
    return {
        "format": 1,
        "settings": given,
        "environment": {"torch": "none"},
        "parameters": 1000,
        "epochs": epochs,
        "layers": start + end,
        "timing": {
            "epoch_seconds": [10.0] * count,
            "svb_seconds": [svb_seconds] * count if given["svb"] else [],
            "bbn_seconds": [],
        },
    }


def initialization(effect: float = 1.0, noise: float = 0.004, seeds: int = 5) -> Iterator[dict[str, Any]]:
    """The preset of Schneider's Section 6 with every effect planted (0: none; -1: reversed), noise apart.

    What two arms of a seed share cancels in their difference, so each arm of each seed has noise of its own.
    """
    rng = np.random.default_rng(7)
    arms: tuple[dict[str, Any], ...] = (
        {"init": "kaiming"},
        {"init": "correlated", "scale": "sum"},
        {"init": "correlated", "scale": "he"},
        {"init": "kaiming", "gain": 2.5},
        {"init": "kaiming", "gain": 0.4},
        {"init": "orthogonal"},
        {"init": "xavier"},
    )
    for seed in range(seeds):
        shared = rng.normal(0.0, 0.05)
        for arm in arms:
            for rate, l2 in ((0.005, 0.0), (0.1, 0.0), (0.1, 0.001)):
                helped = effect * (arm["init"] == "correlated") * (0.5 if l2 else 1.0) * (2.0 if rate < 0.1 else 1.0)
                small = rate < 0.1 and (arm.get("gain", 1.0) < 1 or arm.get("scale") == "sum")
                e = noise * rng.normal(size=8)
                yield record(
                    **{**arm, "seed": seed, "learning_rate": rate, "l2": l2},
                    accuracy=0.6 + shared + 0.05 * helped + 0.03 * effect * small + e[0],
                    speed=0.5 + 0.1 * helped + e[1],
                    flips=0.3 - 0.05 * helped + e[2],
                    gradient=0.01 * float(np.exp(0.5 * helped + e[3])),
                    correlation=0.2 * effect + 0.1 * effect * (l2 > 0) + e[4],
                    fall=0.05 * effect + e[5] / 5,
                    slope=0.05 * effect + e[6],
                )


def bounding(effect: float = 1.0, noise: float = 0.01, seeds: int = 4) -> Iterator[dict[str, Any]]:
    """The preset of Jia et al. with every effect planted."""
    rng = np.random.default_rng(8)
    for seed in range(seeds):
        for network, svb, bbn in (("convnet20", 0.05, 0.2), ("preresnet20", 0.5, 1.0)):
            methods: tuple[dict[str, Any], ...] = ({}, {"svb": svb}, {"svb": svb, "bbn": bbn})
            for level, used in enumerate(methods):
                # BBN is of use in the residual network only
                helped = min(level, 1) if network == "convnet20" else level
                e = noise * rng.normal(size=3)
                bounded = bool(used) == (effect > 0)
                yield record(
                    **{**SETTINGS, "network": network, "init": "orthogonal", "seed": seed, **used},
                    accuracy=0.6 + 0.1 * effect * helped + e[0] / 5,
                    spread=1 + svb if bounded else 3.0 + e[1],
                    operator=2.0 + e[2] if effect > 0 else 1.0,
                    svb_seconds=0.1 if effect > 0 else 2.0 + e[1],
                )


def stored(folder: Path, records: Iterator[dict[str, Any]]) -> str:
    """The folder after each record was written into it as a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for n, each in enumerate(records):
        (folder / f"{n:04}.json").write_text(json.dumps(each), encoding="utf-8")
    return str(folder)
