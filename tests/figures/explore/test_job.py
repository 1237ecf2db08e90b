"""Long work: it reports, it returns, and it ends when it is stopped, forgotten, or its process killed."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from figures.explore.job import Job


def count_up(values, tell):
    for k in range(values["steps"]):
        tell(k, values["steps"])
        time.sleep(values.get("pause", 0.0))
    return sum(range(values["steps"]))


def refuse(values, tell):
    raise ValueError("d must lie in [0, 1], got 2")


def until(condition, seconds=20.0):
    limit = time.monotonic() + seconds
    while not (reached := condition()):
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.02)
    return reached


def ended(job):
    return job.poll().state != "running"


def test_work_reports_and_returns():
    job = Job(count_up, {"steps": 5, "pause": 0.01})
    until(lambda: ended(job))
    assert (job.poll().state, job.poll().outcome) == ("finished", 10)
    until(lambda: not job.alive)


def test_progress_can_be_seen_and_the_work_stopped():
    job = Job(count_up, {"steps": 10_000, "pause": 0.05})
    until(lambda: job.poll().done >= 2)
    assert job.poll().total == 10_000
    job.stop()
    assert not job.alive
    assert job.poll().state == "stopped"


def test_work_that_nobody_asks_for_ends():
    job = Job(count_up, {"steps": 10_000, "pause": 0.05}, patience=1.0)
    until(lambda: not job.alive)
    assert job.poll().state == "stopped"


def test_a_failure_is_told():
    job = Job(refuse, {})
    until(lambda: ended(job))
    assert (job.poll().state, job.poll().outcome) == ("failed", "d must lie in [0, 1], got 2")


def test_a_killed_process_is_a_failure():
    before = set(multiprocessing.active_children())
    job = Job(count_up, {"steps": 10_000, "pause": 0.05})
    until(lambda: job.poll().done >= 1)
    (process,) = set(multiprocessing.active_children()) - before
    process.kill()
    until(lambda: ended(job))
    assert job.poll().state == "failed"
    assert "ended from outside" in job.poll().outcome


ORPHAN = """
import os, signal, time
from multiprocessing import active_children
from figures.explore.job import Job
from tests.figures.explore.test_job import count_up
if __name__ == "__main__":
    job = Job(count_up, {"steps": 100_000, "pause": 0.05})
    while job.poll().done < 1:
        time.sleep(0.02)
    print(active_children()[0].pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="looks processes up in /proc")
def test_work_does_not_outlive_a_server_that_is_killed(tmp_path):
    script = tmp_path / "orphan.py"
    script.write_text(ORPHAN)
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root},
    )
    child = int(done.stdout)

    def gone():
        try:
            with open(f"/proc/{child}/stat") as file:
                return file.read().rsplit(")", 1)[1].split()[0] == "Z"
        except OSError:
            return True

    until(gone)
