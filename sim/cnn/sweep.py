"""Many training runs over a store, on several processes: what is finished is not run again."""

from __future__ import annotations

import multiprocessing
import queue
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

from sim.cnn.data import Images, images
from sim.cnn.run_store import RunStore, train
from sim.cnn.settings import Settings
from sim.cnn.training import Diverged
from sim.processes import starting, workers

POLLED = 0.2
"""Seconds between two looks at what the processes report."""


@dataclass(frozen=True)
class Progress:
    """News of a run: an epoch that is done, a record when it is finished, why it failed, or a warning of its."""

    settings: Settings
    epoch: int = 0
    outcome: dict[str, float] | None = None
    record: dict[str, Any] | None = None
    failure: str = ""
    warning: Warning | None = None


def run_all(
    runs: Sequence[Settings],
    store: RunStore,
    *,
    folder: str | None,
    device: str,
    jobs: int,
    threads: int,
    environment: dict[str, Any],
) -> Iterator[Progress]:
    """Train every run that the store has no record of, `jobs` at a time, each on `threads` numeric threads.

    folder: of the CIFAR files. A run whose loss diverges is reported and the others go on. Every record says the
    number of threads, on which the last digits depend.
    Raises ValueError for images that are not there, before anything is run; `sim.processes.WorkerLost`.
    """
    left = []
    for settings in runs:
        record = store.finished(settings)
        if record is None:
            left.append(settings)
        else:
            store.tidy(settings)
            yield Progress(settings, epoch=settings.epochs, record=record)
    if not left:
        return
    for name in {settings.data for settings in left}:
        _images(name, folder)
    about = {**environment, "device": device, "threads": threads}
    channel = multiprocessing.get_context("spawn").Queue()
    lost = (
        "a process that trained a network was killed, perhaps for want of memory; run again to go on from what is kept"
    )
    with workers(min(jobs, len(left)), lost, initializer=_report_to, arguments=(channel,)) as pool:
        with starting():
            pending = {pool.submit(_train, settings, store, folder, device, threads, about) for settings in left}
        while pending:
            done, pending = wait(pending, timeout=POLLED, return_when=FIRST_COMPLETED)
            yield from _heard(channel)
            for future in done:
                yield future.result()


_channel: Any = None
"""Where this process, if it is one of the workers, reports its epochs."""


def _report_to(channel: Any) -> None:
    global _channel
    _channel = channel


def _heard(channel: Any) -> Iterator[Progress]:
    while True:
        try:
            yield channel.get_nowait()
        except queue.Empty:
            return


def _train(
    settings: Settings, store: RunStore, folder: str | None, device: str, threads: int, environment: dict[str, Any]
) -> Progress:
    torch.set_num_threads(threads)

    def tell(done: int, outcome: dict[str, float]) -> None:
        _channel.put(Progress(settings, epoch=done, outcome=outcome))

    def warn(message: Warning, *_: Any, **__: Any) -> None:
        _channel.put(Progress(settings, warning=message))

    try:
        with warnings.catch_warnings():
            warnings.showwarning = warn  # type: ignore[assignment]
            record = train(
                settings,
                _images(settings.data, folder),
                store,
                environment=environment,
                device=torch.device(device),
                on_epoch=tell,
            )
    except (Diverged, BlockingIOError) as error:
        return Progress(settings, failure=str(error))
    return Progress(settings, epoch=settings.epochs, record=record)


@cache
def _images(name: str, folder: str | None) -> Images:
    return images(name, folder)
