"""Work on several processes that ends cleanly: on Ctrl-C, on a killed worker, on a failure."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import Any


class WorkerLost(RuntimeError):
    """A process that was at work was ended from outside."""


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(
    count: int, lost: str, *, initializer: Callable[..., None] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes, ended at once when the block is left by an exception; submit within `starting()`.

    lost: what `WorkerLost` says if one of them is killed. Each uses one numeric thread: the processes fill the cores.
    """
    # spawned, not forked: a forked child would share the parent's threads and their locks
    context = multiprocessing.get_context("spawn")
    others = multiprocessing.active_children()
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(initializer, arguments)) as pool:
        try:
            yield pool
        except BaseException as failure:
            # the pool would wait for what its workers are at
            pool.shutdown(wait=False, cancel_futures=True)
            for child in multiprocessing.active_children():
                if child not in others:
                    child.terminate()
            if isinstance(failure, BrokenProcessPool):
                raise WorkerLost(lost) from None
            raise


def _begin(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """What a worker does first. It ends with the process that started it, also if that one is killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


@contextmanager
def one_numeric_thread() -> Iterator[None]:
    """Numerical libraries use one thread in this process meanwhile: sums come out in one order, whatever the machine.

    Torch has threads of its own. scipy.linalg is loaded first: what is loaded later would not be held to one thread.
    """
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        yield


@contextmanager
def starting() -> Iterator[None]:
    """Processes started meanwhile use one numeric thread each and leave Ctrl-C to this one."""
    with _one_thread_each(), _interrupts_held():
        yield


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
