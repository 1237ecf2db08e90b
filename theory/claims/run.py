"""Verifying many claims on several processes: the claims of a module share their experiments, so they stay together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import nullcontext
from importlib.util import find_spec
from typing import Any

from sim.processes import one_numeric_thread, starting, workers
from theory.claims import find, together
from theory.claims.observe.layers import one_thread
from theory.ledger import Level
from theory.sentinels import require_sound
from theory.serialise import report_record
from theory.verify import verify

Record = dict[str, Any]
Done = tuple[str, Record, float]
"""A claim's id, its record (see `theory.serialise`), and the seconds it took."""


def verify_records(
    ids: Sequence[str], *, level: Level, seed: int, jobs: int, records: str | None = None
) -> Iterator[Done]:
    """Verify claims on up to `jobs` processes and yield their records as they are done.

    records: a folder of training runs, by which empirical claims are judged instead of the package's tables.
    What is yielded depends neither on `jobs` nor on how many numeric threads there are: one is used. With one job, or
    one module's claims, no process is started.
    Raises ValueError for an unknown id or jobs < 1, `sim.processes.WorkerLost` if a process is killed at its work,
    `theory.sentinels.GateFailed` if the machinery misjudges what is known.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    groups = together([claim.id for claim in find(ids)])
    if jobs == 1 or len(groups) < 2:
        for group in groups:
            yield from _verify_group(group, level, seed, records)
        return
    lost = (
        "a process that verified claims was killed, perhaps for want of memory; nothing was written; "
        "with one process (jobs = 1) less memory is needed"
    )
    with workers(min(jobs, len(groups)), lost) as pool:
        with starting():
            futures = [pool.submit(_verify_group, group, level, seed, records) for group in groups]
        for future in as_completed(futures):
            yield from future.result()


def _verify_group(ids: Sequence[str], level: Level, seed: int, records: str | None) -> list[Done]:
    # in every process that judges, before it does
    require_sound()
    with one_numeric_thread(), one_thread() if level == "cnn" and find_spec("torch") else nullcontext():
        reports = [verify(claim, level=level, seed=seed, records=records) for claim in find(ids)]
    return [(report.claim.id, report_record(report), report.seconds) for report in reports]
