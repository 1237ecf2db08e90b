"""Processes that end cleanly."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from sim.processes import WorkerLost, starting, workers


def test_an_interrupt_while_processes_are_started_is_not_lost() -> None:
    reached = []

    def start() -> None:
        with starting():
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        start()
    assert reached


def test_workers_use_one_thread_each_and_leave_the_environment_alone() -> None:
    before = os.environ.get("NUMBA_NUM_THREADS")
    with workers(1, "lost") as pool:
        with starting():
            answer = pool.submit(os.getenv, "NUMBA_NUM_THREADS")
        assert answer.result() == "1"
    assert os.environ.get("NUMBA_NUM_THREADS") == before


def test_a_killed_worker_is_said_so() -> None:
    def lose() -> None:
        with workers(1, "killed at its work") as pool, starting():
            pool.submit(os._exit, 9).result()

    with pytest.raises(WorkerLost, match="killed at its work"):
        lose()


def test_a_failure_does_not_wait_for_what_is_under_way() -> None:
    def fail() -> None:
        with workers(1, "lost") as pool, starting():
            pool.submit(time.sleep, 60)
            raise RuntimeError("no more")

    start = time.monotonic()
    with pytest.raises(RuntimeError, match="no more"):
        fail()
    assert time.monotonic() - start < 30
