"""Commands that do not come to their end: interrupted, killed, or no longer read. No file and no process is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT


@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "kill"])
def test_interrupted_workers_are_gone_at_once(tmp_path, whole_group):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    _wait_for_workers(child.pid)
    (os.killpg if whole_group else os.kill)(child.pid, signal.SIGINT)
    # the pipes close only when every worker has ended, so this would time out if one went on
    out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, "", "filterlaw: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_worker_is_one_line_and_leaves_no_file(tmp_path):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    os.kill(_wait_for_workers(child.pid)[0], signal.SIGKILL)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (1, "")
    assert err.startswith("filterlaw: error: a process that verified claims was killed")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_workers_of_a_killed_process_end_with_it(tmp_path):
    command = [sys.executable, str(ROOT / "filterlaw.py"), "verify", "--jobs", "2", "--output", str(tmp_path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    _wait_for_workers(child.pid)
    # workers that are still importing do not watch yet
    time.sleep(2.0)
    child.kill()
    # the pipes close only when every worker has ended
    child.communicate(timeout=10)
    assert child.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def _wait_for_workers(parent: int) -> list[int]:
    deadline = time.monotonic() + 90
    while len(workers := _workers(parent)) < 2:
        assert time.monotonic() < deadline, "no workers were started"
        time.sleep(0.1)
    return workers


def _workers(parent: int) -> list[int]:
    """The processes that a pool has spawned."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"PPid:\t{parent}\n" in (folder / "status").read_text()
            if ours and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def test_interruption_is_one_line_and_leaves_no_file(run, toys, monkeypatch, tmp_path):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("theory.claims.run.verify", interrupted)
    assert run("verify", "--output", tmp_path) == (130, "", "filterlaw: interrupted\n")
    assert os.listdir(tmp_path) == []


def test_ctrl_c_on_the_real_command(tmp_path):
    target = tmp_path / "t.json"
    arguments = ["simulate", "filter", "--d", ",".join(["0.1"] * 18), "--steps", "100000", "--json", str(target)]
    with subprocess.Popen(
        [sys.executable, "-m", "filterlaw", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "filterlaw: interrupted\n")
    assert os.listdir(tmp_path) == []


def test_a_closed_pipe_is_no_error():
    script = f"{sys.executable} -m filterlaw simulate filter --steps 5 | true"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
