"""What Singular Value Bounding and bounded batch norm cost, as shares of the training around them (claim S-COST)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cache

import torch
from torch import nn

from sim.cnn.bbn import BoundedBatchNorm
from sim.cnn.networks import build
from sim.cnn.svb import SingularValueBounding
from tests.bench.ratio import Bound, Ratio

THREADS = 1
BATCH = 256
EPOCH = 5000 / BATCH
"""Updates in an epoch of 5,000 images: a tenth of CIFAR-10, so that on all of it the share is a tenth."""
EVERY = 100
UPDATES = 10
"""Updates that are timed, and after which is bounded: as many as move every layer out of the band."""
NETWORKS = (("vgg8", 0.5), ("convnet38", 1.0))


def measures() -> Iterator[Ratio | Bound]:
    """For each network: bounding once an epoch of 5,000 images, and every 100 updates, of 256 images each."""
    torch.set_num_threads(THREADS)
    for name, width in NETWORKS:
        label = f"{name}, width {width:g}"
        yield Bound(f"SVB once an epoch, {label}", _share(name, width, "svb", EPOCH), 0.02, "of it")
        yield Bound(f"SVB every {EVERY} updates, {label}", _share(name, width, "svb", EVERY), 0.005, "of them")
        yield Bound(f"BBN once an epoch, {label}", _share(name, width, "bbn", EPOCH), 0.002, "of it")


def _share(name: str, width: float, method: str, updates: float) -> Callable[[], float]:
    def share() -> float:
        seconds = _seconds(name, width)
        return seconds[method] / (updates * seconds["update"])

    return share


@cache
def _seconds(name: str, width: float) -> dict[str, float]:
    """Seconds of an update, and of bounding after `UPDATES` of them, on random images; of this process's own time."""
    torch.manual_seed(0)
    model = build(name, width=width)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.8)
    bound = SingularValueBounding(model, eps=0.05, every=None)
    norm = BoundedBatchNorm(model, eps=0.2, every=None)
    bound.apply()
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))

    def update() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    update()
    start = time.process_time()
    for _ in range(UPDATES):
        update()
    trained = time.process_time()
    done = bound.apply()
    bounded = time.process_time()
    norm.apply()
    ended = time.process_time()
    if any(record.route == "unchanged" for record in done):
        raise RuntimeError("every layer must have something to bound, or the time means little; train longer")
    return {"update": (trained - start) / UPDATES, "svb": bounded - trained, "bbn": ended - bounded}
