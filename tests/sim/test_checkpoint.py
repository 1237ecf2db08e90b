from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.checkpoint import Checkpoint
from sim.descent import Snapshot, descend
from sim.generations import DamagedWarning, Generations
from sim.problem import GridProblem

D, W = [0.5, 0.25, 0.75], [[0.2, 1.0, -0.5], [-2.0, 0.1, 0.1]]
ARGUMENTS: dict[str, Any] = {"learning_rate": 0.2, "momentum": 0.5, "l2": 0.01}


class Stop(Exception):
    pass


def stopped_run(path: Path, steps: int, at: int, **arguments: Any) -> None:
    """A run that is interrupted after update number `at`, from within."""
    keeper = Checkpoint(path, {"lr": 0.2}, share=0)

    def on_step(snapshot: Snapshot) -> None:
        keeper(snapshot)
        if snapshot.step == at:
            raise Stop

    def run() -> None:
        with keeper:
            descend(GridProblem(D), W, steps=steps, on_step=on_step, **arguments)

    with pytest.raises(Stop):
        run()


@pytest.mark.parametrize("order", ["full", "cyclic", "random", "shuffled", "minibatch"])
@pytest.mark.parametrize("record_loss", [False, True])
@pytest.mark.parametrize("at", [1, 7, 20])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path: Path, order: str, record_loss: bool, at: int) -> None:
    def arguments() -> dict[str, Any]:
        size = 3 if order == "minibatch" else None
        given = {"order": order, "batch_size": size, "rng": np.random.default_rng(1), "record_loss": record_loss}
        return {**ARGUMENTS, **given}

    whole = descend(GridProblem(D), W, steps=20, **arguments())
    stopped_run(tmp_path / "run", 20, at, **arguments())
    begun = Checkpoint(tmp_path / "run", {"lr": 0.2}).load()
    assert begun is not None
    assert begun.step == at
    path = descend(GridProblem(D), W, steps=20, resume=begun, **arguments())
    for field in ("weights", "gradients", "loss", "active_fraction", "diverged"):
        assert np.array_equal(getattr(path, field), getattr(whole, field)), field


def test_a_run_of_49_weights_goes_on_from_its_last_update(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    # half of the coordinates are still, so that this takes no time; 2^49 samples all the same
    d, w = rng.random(49) * (rng.random(49) < 0.4), rng.normal(size=49)
    whole = descend(GridProblem(d), w, learning_rate=0.3, steps=5)
    assert 0 < whole.active_fraction[0, 0] < 1
    with Checkpoint(tmp_path / "run", {}) as keeper:
        descend(GridProblem(d), w, learning_rate=0.3, steps=2, on_step=keeper)
    begun = Checkpoint(tmp_path / "run", {}).load()
    path = descend(GridProblem(d), w, learning_rate=0.3, steps=5, resume=begun)
    assert np.array_equal(path.weights, whole.weights)
    assert np.array_equal(path.active_fraction, whole.active_fraction)


def test_the_file_is_written_when_it_is_due_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "run"
    steps: list[int] = []

    def on_step(snapshot: Snapshot) -> None:
        keeper(snapshot)
        found = Checkpoint(path, {}).load()
        steps.append(0 if found is None else found.step)

    with Checkpoint(path, {}, share=1) as keeper:
        descend(GridProblem(D), W, steps=3, on_step=on_step, **ARGUMENTS)
    assert steps == [1, 2, 3]
    steps.clear()
    Generations(path).remove()
    with Checkpoint(path, {}, share=0) as keeper:
        descend(GridProblem(D), W, steps=3, on_step=on_step, **ARGUMENTS)
    assert steps == [0, 0, 0]
    found = Checkpoint(path, {}).load()
    assert found is not None
    assert found.step == 3
    assert [entry.name for entry in path.parent.iterdir()] == ["run"]


def test_no_file_is_no_snapshot(tmp_path: Path) -> None:
    keeper = Checkpoint(tmp_path / "run", {})
    assert keeper.load() is None
    with keeper:
        pass
    assert not (tmp_path / "run").exists()


def test_files_that_are_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    stopped_run(path, 9, 4, **ARGUMENTS)
    with pytest.raises(ValueError, match=r"^cannot resume from .*: it is of a run with lr = 0.2, not 0.3$"):
        Checkpoint(path, {"lr": 0.3}).load()
    with pytest.raises(ValueError, match=r"it is of a run with l2 = null, not 1$"):
        Checkpoint(path, {"lr": 0.2, "l2": 1}).load()
    pickled, other = io.BytesIO(), io.BytesIO()
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    np.save(other, np.zeros(3))
    archive, whole = io.BytesIO(), Generations(path).load()
    assert whole is not None
    np.savez(archive, settings=np.zeros(3))
    # a header that declares a terabyte, and a record with something after it
    huge = other.getvalue().replace(b"(3,), }           ", b"(999999999999,), }")
    assert len(huge) == len(other.getvalue())
    made = (pickled.getvalue(), other.getvalue(), archive.getvalue())
    for content in (b"", b"text", *made, huge, whole + b"0", whole[:-1]):
        Generations(path).store(content)
        with pytest.raises(ValueError, match=r"^cannot resume from .*: it is no checkpoint of a descent$"):
            Checkpoint(path, {"lr": 0.2}).load()
    with pytest.raises(ValueError, match=r"it is a folder$"):
        Checkpoint(tmp_path, {})


def test_a_file_of_the_earlier_format_is_refused(tmp_path: Path) -> None:
    """It was the array alone, without a digest after it."""
    path = tmp_path / "run"
    stopped_run(path, 9, 4, **ARGUMENTS)
    path.write_bytes(path.read_bytes()[:-32])
    assert len(np.load(path, allow_pickle=False)["gradients"]) == 4
    with pytest.raises(ValueError, match=r"^cannot go on from 'run': cut off, damaged, or of another version of"):
        Checkpoint(path, {"lr": 0.2}).load()


def test_a_damaged_file_is_said_so_and_the_one_before_it_used(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "run", {}, share=1) as keeper:
        descend(GridProblem(D), W, steps=3, on_step=keeper, **ARGUMENTS)
    content = bytearray((tmp_path / "run").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "run").write_bytes(content)
    with pytest.warns(DamagedWarning, match=r"^'run' is damaged; going on from the state before it, 'run.previous'$"):
        begun = Checkpoint(tmp_path / "run", {}).load()
    assert begun is not None
    assert begun.step == 2
    (tmp_path / "run.previous").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"^cannot go on from 'run' or 'run.previous': cut off, damaged"):
        Checkpoint(tmp_path / "run", {}).load()


def test_writing_takes_at_most_its_share_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Updates of 20 ms, writings of 10 ms: with a share of a tenth, a pause of 90 ms follows each writing."""
    clock = [0.0]
    stored: list[float] = []

    def store(*_: object) -> None:
        clock[0] += 0.01
        stored.append(clock[0])

    monkeypatch.setattr("sim.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(Generations, "store", store)

    def on_step(snapshot: Snapshot) -> None:
        clock[0] += 0.02
        keeper(snapshot)

    with Checkpoint(tmp_path / "run", {}, share=0.1) as keeper:
        descend(GridProblem(D), W, steps=12, on_step=on_step, **ARGUMENTS)
    assert stored == pytest.approx([0.03, 0.14, 0.25, 0.27 + 0.01])


def test_slow_updates_are_each_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stored = [0.0], [0]

    def store(*_: object) -> None:
        # with its share of the time alone, a minute would go by until the next
        clock[0] += 7.0
        stored[0] += 1

    monkeypatch.setattr("sim.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(Generations, "store", store)

    def on_step(snapshot: Snapshot) -> None:
        clock[0] += 0.4
        keeper(snapshot)
        assert stored[0] == snapshot.step

    with Checkpoint(tmp_path / "run", {}) as keeper:
        descend(GridProblem(D), W, steps=5, on_step=on_step, **ARGUMENTS)


def test_two_runs_cannot_be_at_one_file(tmp_path: Path) -> None:
    with Checkpoint(tmp_path / "run", {}):
        other = Checkpoint(tmp_path / "run", {})
        with pytest.raises(BlockingIOError, match="another process is at this"), other:
            pass
    with other:
        assert (tmp_path / "run.lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_snapshots_that_do_not_fit() -> None:
    kept: list[Snapshot] = []
    descend(GridProblem(D), W, steps=4, on_step=kept.append, **ARGUMENTS)
    with pytest.raises(ValueError, match=r"^steps must be at least the 4 that the snapshot to resume has made, got 3$"):
        descend(GridProblem(D), W, steps=3, resume=kept[-1], **ARGUMENTS)
    with pytest.raises(ValueError, match=r"^resume must have weights of shape \(5, 1, 3\), got \(5, 2, 3\)$"):
        descend(GridProblem(D), W[0], steps=5, resume=kept[-1], **ARGUMENTS)
    with pytest.raises(ValueError, match=r"^resume must have loss of shape \(0, 2\), got \(4, 2\)$"):
        descend(GridProblem(D), W, steps=5, resume=kept[-1], record_loss=False, **ARGUMENTS)
    with pytest.raises(ValueError, match=r"^resume must have begun at w, got a snapshot with other initial weights$"):
        descend(GridProblem(D), np.zeros((2, 3)), steps=5, resume=kept[-1], **ARGUMENTS)
