"""The attack notices what it is there to notice: stores that lose, repeat, differ or are left damaged."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sim.cnn.data import images
from sim.cnn.run_store import RunStore, save_checkpoint, train
from sim.cnn.training import Run
from sim.files import atomic_write
from tests.attack.findings import Plan
from tests.attack.kills import attack, process
from tests.attack.kills.child import BEGIN, END
from tests.attack.kills.controls import _descent
from tests.attack.kills.disk import disk
from tests.attack.kills.faults import EARLIER, FULL, INTERRUPTED, Undisturbed, _answer, _damage, commands
from tests.attack.kills.moments import Chain, after_kill
from tests.attack.kills.process import Stuck, child, completed
from tests.attack.kills.settings import cifar_folder, tiny
from tests.attack.kills.targets import Descent, Target, Training, Verification, targets, temporary
from tests.attack.kills.traced import CALLS, NotTraced, _Next, _strace, inside

RUN = replace(tiny(2), train=40)
TRAINING = Training("a run", ("run", "{out}", "2"), 2, None, (RUN,))


@pytest.fixture(scope="module")
def noise(tmp_path_factory):
    return images("cifar10", cifar_folder(tmp_path_factory.mktemp("cifar")))


def log(folder, *lines):
    path = folder / "log"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_an_epoch_that_was_completed_and_not_kept_counts_as_lost(tmp_path, noise):
    out = tmp_path / "out"
    out.mkdir()
    told = log(tmp_path, "ready", f"done {RUN.key} 1", f"done {RUN.key} 2")
    assert completed(told) == {RUN.key: [1, 2]}
    assert after_kill(TRAINING, out, told).lost == 2
    run = Run(RUN, noise.subset(RUN.train, RUN.test), torch.device("cpu"))
    run.epoch()
    save_checkpoint(RunStore(out).checkpoint_path(RUN), run.state())
    assert after_kill(TRAINING, out, told) == Chain(lost=1)


def test_a_store_that_cannot_be_read_is_told(tmp_path):
    out, told = tmp_path / "out", log(tmp_path)
    out.mkdir()
    RunStore(out).checkpoint_path(RUN).write_bytes(b"half of")
    (found,) = after_kill(TRAINING, out, told).unreadable
    assert found.startswith("a run: ValueError: cannot go on from")
    save_checkpoint(RunStore(out).checkpoint_path(RUN), {"settings": "{}", "done": 1})
    save_checkpoint(RunStore(out).checkpoint_path(RUN), {"settings": "{}", "done": 2})
    RunStore(out).checkpoint_path(RUN).write_bytes(b"half of")
    (found,) = after_kill(TRAINING, out, told).unreadable
    assert "is damaged; going on from the state before it" in found
    descent = Descent("a path", (), 3)
    (out / "path.json").write_text('{"half": ')
    assert "JSONDecodeError" in after_kill(descent, out, told).unreadable[0]
    (out / ".x.0123456789abcdef.tmp").touch()
    assert after_kill(descent, out, told).litter == len(temporary(out)) == 1


def test_the_digest_of_a_run_is_of_its_numbers_and_weights_and_not_of_its_times(tmp_path, noise):
    records = []
    for name in ("one", "two"):
        store = RunStore(tmp_path / name)
        records.append(train(RUN, noise, store, environment={}, device=torch.device("cpu")))
    one = TRAINING.digest(tmp_path / "one")
    assert records[0]["timing"] != records[1]["timing"]
    assert one == TRAINING.digest(tmp_path / "two")
    weights = RunStore(tmp_path / "two").weights_path(RUN)
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert TRAINING.digest(tmp_path / "two") != one
    (tmp_path / "one" / "stray").touch()
    assert TRAINING.digest(tmp_path / "one").startswith("files left: ")


def test_chains_add_up():
    total = Chain(kills=2, lost=1, repeated=1, litter=2) + Chain(kills=1, lost=0, unreadable=("x",), failed=("y",))
    assert (total.kills, total.lost, total.repeated, total.litter, total.wrong) == (3, 1, 1, 2, ("x", "y"))


TRACE = f'newfstatat(AT_FDCWD</>, "{BEGIN}", 0x7, 0) = -1 ENOENT\nopenat(AT_FDCWD</>, "/a/.run.0123.tmp", O_RDWR) = ?\n'


@pytest.mark.parametrize(
    ("trace", "call", "place"),
    [
        (f"{TRACE}+++ killed by SIGKILL +++\n", "openat", "openat of a temporary file"),
        (f"{TRACE}fsync(3</a>) = ?\n+++ killed by SIGKILL +++\n", "fsync", "fsync of the folder"),
        (f'{TRACE}rename("/a/run", "/a/run.previous" <unfinished>\n+++ killed by SIGKILL +++\n', "rename",
         "rename of the newest state"),
        (f'{TRACE}newfstatat(AT_FDCWD</>, "{END}", 0x7, 0) = -1\nopenat(3) = ?\n+++ killed by SIGKILL +++\n', "openat",
         None),
        (f"{TRACE}+++ exited with 0 +++\n", "openat", None),
        ("openat(3</a>) = ?\n+++ killed by SIGKILL +++\n", "openat", None),
    ],
)  # fmt: skip
def test_only_a_kill_between_the_marks_counts_as_inside_a_writing(trace, call, place):
    assert inside(trace, call) == place


def test_calls_are_tried_one_after_another():
    assert _Next(0, 2).after(True) == _Next(0, 3)
    assert _Next(0, 3).after(False) == _Next(1, 1)
    assert {"openat", "write", "fsync", "rename"} <= set(CALLS)


def test_without_strace_it_says_so(monkeypatch):
    monkeypatch.setattr("tests.attack.kills.traced.shutil.which", lambda _: None)
    with pytest.raises(NotTraced, match="there is no strace here"):
        _strace(1)


@pytest.mark.parametrize(
    ("fault", "status", "said", "wrong"),
    [
        (FULL, 2, "filterlaw: error: cannot write 'x': no space left on device\n", 0),
        (FULL, 1, "filterlaw: error: cannot write 'x': no space left on device\n", 1),
        (FULL, 2, "filterlaw: error: something else\n", 1),
        (FULL, 2, "Traceback (most recent call last):\n  x\nValueError: no space left on device\n", 1),
        (FULL, 2, "\nfilterlaw: error: cannot write 'x': no space left on device\n", 1),
        (INTERRUPTED, 130, "0123456789abcdef  a run\nfilterlaw: interrupted\n", 0),
        (INTERRUPTED, -signal.SIGINT, "", 2),
    ],
)
def test_an_answer_is_one_clear_line_and_its_status(fault, status, said, wrong):
    assert len(list(_answer(fault, status, said))) == wrong


def test_damage_is_told(tmp_path):
    target, free = Target("x", ("verify",)), Undisturbed({"ledger.json": b"whole"}, 1.0)
    for content, wrong in ((EARLIER, 0), (b"whole", 0), (b"who", 1), (b"", 1)):
        (tmp_path / "ledger.json").write_bytes(content)
        assert len(list(_damage(target, tmp_path, free))) == wrong
    (tmp_path / "ledger.json").write_bytes(EARLIER)
    assert len(list(_damage(target, tmp_path, free, finished=True))) == 1
    for name in (".ledger.json.0123456789abcdef.tmp", "ledger.json.lock", "run"):
        (tmp_path / name).write_bytes(b"")
    assert len(list(_damage(target, tmp_path, free))) == 3


def test_a_disk_is_full_when_it_is_filled(tmp_path):
    """Where no disk can be mounted, a limit on the process stands in for it."""
    with disk(tmp_path / "disk") as place:
        target = place.folder / "file"
        target.write_bytes(b"before")
        if place.mounted:
            place.fill(0)
            with pytest.raises(ValueError, match="no space left on device"):
                atomic_write(target, bytes(8192))
            place.protect()
            with pytest.raises(ValueError, match="read-only file system"):
                atomic_write(target, b"x")
            place.free()
        assert target.read_bytes() == b"before"
        atomic_write(target, bytes(8192))


class Sleeper(Target):
    """A child that does nothing, for ever."""

    def arguments(self, out: Path) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(600)"]


def test_no_child_hangs_the_attack_or_outlives_it(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "LIMIT", 0.2)
    target = Sleeper("sleeper", ("verify",))

    def watch() -> subprocess.Popen[bytes]:
        with child(target, tmp_path, tmp_path / "log") as started:
            seen.append(started.process)
            started.finish()
        return started.process

    seen: list[subprocess.Popen[bytes]] = []
    with pytest.raises(Stuck, match="sleeper did not get on within"):
        watch()
    assert seen[0].returncode == -signal.SIGKILL


def test_a_state_of_a_trajectory_that_lacks_a_part_is_noticed():
    found = dict(_descent())
    assert len(found) == 9
    assert all(found.values())


def test_the_runs_to_be_killed_and_their_numbers(tmp_path):
    for sample in (False, True):
        known = targets(tmp_path, sample=sample)
        assert set(known) == set(attack.MOMENTS) >= set(attack.WRITINGS)
        random = sum(counts[sample] for counts in attack.MOMENTS.values())
        traced = sum(counts[sample].get("checkpoint", 0) for counts in attack.WRITINGS.values())
        assert random + traced >= (20 if sample else 200)
        assert traced >= (5 if sample else 50)
    assert isinstance(known["filterlaw verify"], Verification)


def test_a_sample_draws_its_faults_from_the_seed(tmp_path):
    def chosen(seed):
        work = attack._Work(Plan(seed, True), tmp_path, None)  # type: ignore[arg-type]
        known = commands(tmp_path, tmp_path / "w")
        return [(target.name, attack._name(what)) for target, what in attack._chosen(work, known)]

    assert chosen(1) == chosen(1) != chosen(2)
    assert len(chosen(3)) == attack.SAMPLED
    assert np.all([name.startswith("simulate") for name, _ in chosen(3)])
