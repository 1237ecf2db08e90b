"""What a training run is determined by: with the images, its settings and one seed give every number of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from sim.errors import (
    require_choice,
    require_finite,
    require_int,
    require_non_negative,
    require_positive,
    require_positive_int,
    require_shape,
)

INITS = ("kaiming", "correlated", "orthogonal", "xavier")
DATA = ("cifar10", "cifar100", "photo-patches")


@dataclass(frozen=True)
class Settings:
    """One training run.

    network, width, batch_norm: see `sim.cnn.networks.build`. data: one of `DATA`; train, test: how many images of each
    set (None: all). learning_rate falls to final_learning_rate (None: stays) by one factor every `decay_every` epochs.
    l2: PyTorch's weight decay, the gradient of l2/2 |w|^2 on every parameter. augment: shifts by up to 4 pixels and
    flips. init: "kaiming" (He's normal), "correlated" (filters N(0, v R), R a known name, off-diagonals times alpha,
    v by `scale`, see `sim.correlation.weight_std`), "orthogonal" (every weight matrix, linear ones too), "xavier"; the
    others leave linear layers as PyTorch draws them. gain: factor on the variance of every filter drawn. svb, bbn:
    the eps of singular value bounding and bounded batch norm, once after each epoch (None: without).
    Raises ValueError or TypeError, naming the setting, for one that is out of range.
    """

    network: str = "vgg8"
    width: float = 0.5
    batch_norm: bool = True
    data: str = "cifar10"
    train: int | None = None
    test: int | None = None
    epochs: int = 40
    batch_size: int = 256
    learning_rate: float = 0.1
    final_learning_rate: float | None = None
    decay_every: int = 1
    momentum: float = 0.8
    l2: float = 0.0
    augment: bool = False
    init: str = "kaiming"
    R: str = "resnet10-cifar10"
    alpha: float = 1.0
    scale: str = "sum"
    gain: float = 1.0
    svb: float | None = None
    bbn: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        require_choice(self.init, "init", INITS)
        require_choice(self.data, "data", DATA)
        for name in ("epochs", "batch_size", "decay_every"):
            require_positive_int(getattr(self, name), name)
        for name in ("train", "test"):
            if getattr(self, name) is not None:
                require_positive_int(getattr(self, name), name)
        require_int(self.seed, "seed", 0)
        for name in ("width", "learning_rate", "gain"):
            require_shape(require_positive(getattr(self, name), name), name, ())
        for name in ("final_learning_rate", "svb", "bbn"):
            if getattr(self, name) is not None:
                require_shape(require_positive(getattr(self, name), name), name, ())
        for name in ("momentum", "l2"):
            require_shape(require_non_negative(getattr(self, name), name), name, ())
        require_shape(require_finite(self.alpha, "alpha"), "alpha", ())
        if not self.momentum < 1:
            raise ValueError(f"momentum must be below 1, got {self.momentum}")

    @property
    def key(self) -> str:
        """What files of this run are named by: a digest of every setting."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch, 0-based."""
        if self.final_learning_rate is None:
            return self.learning_rate
        steps = (self.epochs - 1) // self.decay_every
        done = epoch // self.decay_every
        return float(self.learning_rate * (self.final_learning_rate / self.learning_rate) ** (done / max(steps, 1)))


def settings_from(record: Mapping[str, Any]) -> Settings:
    """The settings that a record lists. ValueError for a name that is none, TypeError for a value of another type."""
    known = {field.name for field in fields(Settings)}
    unknown = sorted(set(record) - known)
    if unknown:
        raise ValueError(f"settings must be among {', '.join(sorted(known))}, got {unknown[0]!r}")
    return Settings(**record)
