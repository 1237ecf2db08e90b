"""Long work in a process of its own, which ends when nobody waits for it any more."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

from sim.processes import starting

PATIENCE = 10.0
"""Seconds after the last `poll` at which the work is given up: the tab that asked for it was closed."""
_TICK = 0.2


class _Ended(Exception):
    """The process that waits for the work is gone."""


@dataclass(frozen=True)
class Progress:
    """Where the work stands: done of `total` steps; `outcome` is the result if finished, the message if failed."""

    state: Literal["running", "finished", "failed", "stopped"]
    done: int = 0
    total: int = 0
    outcome: Any = None


class Job:
    """`work(values, tell)` in a process of its own, from now on.

    It is ended by `stop`, by `patience` seconds in which nobody calls `poll`, and with this process. work and what it
    returns are pickled; tell(done, total) reports progress. page: the key of the page that asked for it.
    """

    def __init__(
        self,
        work: Callable[[Any, Callable[[int, int], None]], Any],
        values: Any,
        *,
        page: str = "",
        patience: float = PATIENCE,
    ) -> None:
        self.page, self.values = page, values
        # spawned, not forked: a forked child would share the server's threads and their locks
        context = multiprocessing.get_context("spawn")
        self._receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_work, args=(work, values, sender), daemon=True)
        self._lock, self._patience, self._asked = threading.Lock(), patience, time.monotonic()
        self._progress = Progress("running")
        with starting():
            self._process.start()
        sender.close()
        threading.Thread(target=self._watch, daemon=True).start()

    def poll(self) -> Progress:
        """Where the work stands; asking keeps it going."""
        with self._lock:
            self._asked = time.monotonic()
            self._hear()
            return self._progress

    def stop(self) -> None:
        """End the work if it is not finished, and wait until its process is gone."""
        with self._lock:
            if self._progress.state == "running":
                self._progress = Progress("stopped", self._progress.done, self._progress.total)
        self._end()

    @property
    def alive(self) -> bool:
        """Whether the process exists."""
        return self._process.is_alive()

    def _hear(self) -> None:
        while self._progress.state == "running":
            try:
                if not self._receiver.poll():
                    break
                self._progress = self._receiver.recv()
            except (EOFError, OSError):
                self._progress = Progress("failed", outcome="the process was ended from outside")

    def _watch(self) -> None:
        """Ends a process that nobody asks for."""
        while True:
            time.sleep(_TICK)
            with self._lock:
                # a full pipe would hold the process up
                self._hear()
                waited = time.monotonic() - self._asked
                if self._progress.state == "running" and waited > self._patience:
                    self._progress = Progress("stopped", self._progress.done, self._progress.total)
                if self._progress.state != "running":
                    break
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.join(2.0)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _work(work: Callable[[Any, Callable[[int, int], None]], Any], values: Any, sender: Connection) -> None:
    def tell(done: int, total: int) -> None:
        try:
            sender.send(Progress("running", done, total))
        except OSError:
            # the other end is closed: its process was killed
            raise _Ended from None

    try:
        result = Progress("finished", outcome=work(values, tell))
    except _Ended:
        return
    except (ValueError, ArithmeticError, MemoryError) as error:
        result = Progress("failed", outcome=str(error) or type(error).__name__)
    sender.send(result)
