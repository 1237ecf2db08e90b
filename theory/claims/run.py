"""Verifying many claims on several processes: the claims of a module share their experiments, so they stay together."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from theory.claims import find, together
from theory.ledger import Level
from theory.serialise import report_record
from theory.verify import verify

Record = dict[str, Any]
Done = tuple[str, Record, float]
"""A claim's id, its record (see `theory.serialise`), and the seconds it took."""


class WorkerLost(RuntimeError):
    """A process that verified claims was ended from outside."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def verify_records(ids: Sequence[str], *, level: Level, seed: int, jobs: int) -> Iterator[Done]:
    """Verify claims on up to `jobs` processes and yield their records as they are done.

    The records do not depend on `jobs`. With one job, or one module's claims, no process is started.
    Raises ValueError for an unknown id or jobs < 1, WorkerLost if a process is killed at its work.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    groups = together([claim.id for claim in find(ids)])
    if jobs == 1 or len(groups) < 2:
        for group in groups:
            yield from _verify_group(group, level, seed)
        return
    # spawned, not forked: a forked child would share the parent's threads and their locks
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(min(jobs, len(groups)), mp_context=context) as pool:
        try:
            with _one_thread_each(), _interrupts_held():
                futures = [pool.submit(_verify_group, group, level, seed) for group in groups]
            for future in as_completed(futures):
                yield from future.result()
        except BaseException as failure:
            # the pool would wait for what its workers are at
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child not in others:
                    child.terminate()
            if isinstance(failure, BrokenProcessPool):
                raise WorkerLost(
                    "a process that verified claims was killed, perhaps for want of memory; nothing was written; "
                    "with one process (jobs = 1) less memory is needed"
                ) from None
            raise


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Processes started meanwhile never see Ctrl-C, which a terminal sends to all: it is this process that answers it.

    One that comes meanwhile is answered at the end, not lost.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # it would unblock the signal again if the first process that is started had to start it
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Numerical libraries in the processes started meanwhile use one thread: the processes are what fills the cores."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _verify_group(ids: Sequence[str], level: Level, seed: int) -> list[Done]:
    reports = [verify(claim, level=level, seed=seed) for claim in find(ids)]
    return [(report.claim.id, report_record(report), report.seconds) for report in reports]
