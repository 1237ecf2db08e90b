"""`filterlaw train` as a user meets it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import torch

from sim.cnn.data import images
from sim.cnn.presets import find_preset, presets
from sim.generations import DamagedWarning
from tests.cli.conftest import ROOT


@pytest.fixture
def small(monkeypatch):
    """The preset "demo" at a size for tests."""
    from dataclasses import replace

    import sim.cnn.presets

    known = presets()
    runs = tuple(replace(run, width=0.0625, train=64, test=32, epochs=2) for run in known["demo"].runs)
    monkeypatch.setattr(sim.cnn.presets, "presets", lambda: {**known, "demo": replace(known["demo"], runs=runs)})
    return runs


def test_list_says_what_there_is(run):
    status, out, err = run("train", "--list")
    assert (status, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == list(presets())
    assert run("train") == (status, out, err)


def test_a_preset_is_trained_and_not_trained_again(run, tmp_path, small):
    status, out, err = run("train", "demo", "--output", tmp_path / "runs", "--table", tmp_path / "table.json")
    assert status == 0
    assert sorted(line[:16] for line in err.splitlines()) == sorted(run.key for run in small)
    assert out == f"2 of 2 runs of demo are in {tmp_path / 'runs'}\n"
    table = json.loads((tmp_path / "table.json").read_text())
    assert [entry["settings"]["init"] for entry in table["runs"]] == ["kaiming", "correlated"]
    assert (table["environment"]["threads"], table["environment"]["device"]) == (1, table["environment"]["device"])
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}
    assert run("train", "demo", "--output", tmp_path / "runs")[0] == 0
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").iterdir()}


def test_without_images_it_says_what_to_give(run, tmp_path, monkeypatch):
    monkeypatch.delenv("FILTERLAW_CIFAR10", raising=False)
    status, out, err = run("train", "bounding", "--output", tmp_path)
    assert (status, out) == (2, "")
    assert "a folder with CIFAR's binary files must be given (or named by FILTERLAW_CIFAR10), got none" in err
    status, _, err = run("train", "bounding", "--output", tmp_path, "--images", tmp_path)
    assert status == 2
    assert "folder must hold data_batch_1.bin" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "preset must be one of demo, .*got 'nonsense'"),
        (("demo", "--jobs", "0"), "jobs must be an integer >= 1, got '0'"),
        (("demo", "--device", "tpu"), "device must be one of auto, cpu, cuda, got 'tpu'"),
        (("demo", "--table", "/proc/none/x.json"), "cannot write"),
    ],
)
def test_bad_usage_is_one_line(run, tmp_path, arguments, message):
    import re

    status, out, err = run("train", *arguments, "--output", tmp_path)
    assert (status, out) == (2, "")
    assert re.search(message, err)
    assert err.count("\n") == 1


def test_a_damaged_checkpoint_is_told_by_the_process_that_found_it(run, tmp_path, small, monkeypatch):
    from sim.cnn.run_store import save_checkpoint
    from sim.cnn.training import Run

    path = tmp_path / f"{small[0].key}.checkpoint"
    started = Run(small[0], images("photo-patches").subset(64, 32), torch.device("cpu"))
    for _ in range(2):
        save_checkpoint(path, started.state())
    path.write_bytes(b"cut")
    with pytest.warns(DamagedWarning, match=rf"^'{path.name}' is damaged; going on from the state before it, ") as told:
        status, _, _ = run("train", "demo", "--output", tmp_path, "--device", "cpu")
    assert (status, len(told)) == (0, 1)


def test_an_interrupted_training_ends_quietly_and_goes_on(tmp_path, run):
    """Ctrl-C once the first epoch is stored; then the same command finishes what is left."""
    key = find_preset("demo").runs[0].key
    process = subprocess.Popen(
        [sys.executable, "-m", "filterlaw", "train", "demo", "--output", str(tmp_path), "--jobs", "1"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 100
    while not (tmp_path / f"{key}.checkpoint").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert (tmp_path / f"{key}.checkpoint").exists()


def test_presets_pair_their_arms():
    initialization, bounding = find_preset("initialization").runs, find_preset("bounding").runs
    assert len({run.key for run in initialization}) == len(initialization)
    seeds = {run.seed for run in initialization}
    assert len(seeds) >= 3
    for rate in (0.005, 0.1):
        arms = {
            (run.init, run.scale, run.gain): {r.seed for r in initialization if r == run or _same_arm(r, run)}
            for run in initialization
            if run.learning_rate == rate and not run.l2 and run.init in ("kaiming", "correlated")
        }
        assert len(arms) == (5 if rate == 0.005 else 4)
        assert all(found == seeds for found in arms.values())
    assert {(run.svb is None, run.bbn is None) for run in bounding} == {(True, True), (False, True), (False, False)}
    assert {run.init for run in bounding} == {"orthogonal"}


def _same_arm(a, b):
    from dataclasses import replace

    return replace(a, seed=0) == replace(b, seed=0)
