"""`filterlaw simulate filter` on 49 weights, interrupted and taken up again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import filterlaw
from sim.files import held_alone

ROOT = Path(__file__).parents[2]


def arguments(folder: Path, steps: int, *more: str, still: float = 0.6) -> list[str]:
    """A run on a 7 x 7 filter, most of whose coordinates do not vary."""
    rng = np.random.default_rng(0)
    d, w = np.where(rng.random(49) < still, 0.0, rng.random(49)), rng.normal(size=49)
    d[0] = 0.3
    numbers = [",".join(map(str, values)) for values in (d.tolist(), w.tolist())]
    checkpoint = ["--checkpoint", str(folder / "run")]
    given = ["--d", numbers[0], "--w", numbers[1], "--steps", str(steps), "--json", str(folder / f"{steps}.json")]
    return ["simulate", "filter", *given, *checkpoint, *more]


def test_a_longer_run_continues_a_shorter_one(tmp_path: Path) -> None:
    assert filterlaw.run(arguments(tmp_path, 3)) == 0
    assert filterlaw.run(arguments(tmp_path, 6, "--resume")) == 0
    other = tmp_path / "other"
    assert filterlaw.run(arguments(other, 6)) == 0
    resumed, whole = (json.loads((folder / "6.json").read_text()) for folder in (tmp_path, other))
    for name in ("weights", "loss", "active_fraction"):
        assert resumed[name] == whole[name]
    assert 0 < whole["active_fraction"][0] < 1


def test_resume_without_a_checkpoint_and_of_another_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert filterlaw.run(["simulate", "filter", "--resume"]) == 2
    assert "resume must come with --checkpoint FILE, got none" in capsys.readouterr().err
    assert filterlaw.run(arguments(tmp_path, 2)) == 0
    capsys.readouterr()
    assert filterlaw.run(arguments(tmp_path, 2, "--resume", "--learning-rate", "0.3")) == 2
    assert "it is of a run with learning_rate = 0.1, not 0.3" in capsys.readouterr().err
    assert filterlaw.run(["simulate", "filter", "--d", ",".join(["1"] * 60), "--steps", "1"]) == 2
    assert "p must be at most 49 unless" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "status", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_control_c_and_a_scheduler_s_end_keep_what_was_done(
    tmp_path: Path, number: signal.Signals, status: int, word: str
) -> None:
    command = arguments(tmp_path, 400_000, "--resume", still=0.4)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "filterlaw.py"), *command], env=environment, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "run").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (status, f"filterlaw: {word}\n")
    assert not (tmp_path / "run.lock").exists()
    record = np.load(tmp_path / "run", allow_pickle=False)
    assert 0 < len(record["gradients"]) < 400_000
    assert len(record["weights"]) == len(record["gradients"]) + 1
    assert not (tmp_path / "400000.json").exists()


def test_a_damaged_checkpoint_is_one_line_and_the_one_before_it_used(tmp_path: Path) -> None:
    assert filterlaw.run(arguments(tmp_path, 3)) == 0
    content = (tmp_path / "run").read_bytes()
    (tmp_path / "run").write_bytes(content[:-1])
    process = subprocess.run(
        [sys.executable, str(ROOT / "filterlaw.py"), *arguments(tmp_path, 3, "--resume")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0
    expected = "filterlaw: warning: 'run' is damaged; going on from the state before it, 'run.previous'\n"
    assert process.stderr == expected
    assert (tmp_path / "run").read_bytes() == content


def test_two_processes_cannot_be_at_one_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held_alone(tmp_path / "run.lock"):
        assert filterlaw.run(arguments(tmp_path, 3)) == 1
    assert "another process is at this" in (error := capsys.readouterr().err)
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
