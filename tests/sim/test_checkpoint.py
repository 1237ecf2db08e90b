from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.checkpoint import Checkpoint
from sim.descent import Snapshot, descend
from sim.problem import GridProblem

D, W = [0.5, 0.25, 0.75], [[0.2, 1.0, -0.5], [-2.0, 0.1, 0.1]]
ARGUMENTS: dict[str, Any] = {"learning_rate": 0.2, "momentum": 0.5, "l2": 0.01}


class Stop(Exception):
    pass


def stopped_run(path: Path, steps: int, at: int, **arguments: Any) -> None:
    """A run that is interrupted after update number `at`, from within."""
    keeper = Checkpoint(path, {"lr": 0.2}, every=1e9)

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

    with Checkpoint(path, {}, every=0.0) as keeper:
        descend(GridProblem(D), W, steps=3, on_step=on_step, **ARGUMENTS)
    assert steps == [1, 2, 3]
    steps.clear()
    path.unlink()
    with Checkpoint(path, {}, every=1e9) as keeper:
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
    content, pickled, other = path.read_bytes(), io.BytesIO(), io.BytesIO()
    np.save(pickled, np.array([{}], dtype=object), allow_pickle=True)
    np.save(other, np.zeros(3))
    for damaged in (b"", b"text", content[:40], content[:-9], pickled.getvalue(), other.getvalue()):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"^cannot resume from .*: it is no checkpoint, or damaged$"):
            Checkpoint(path, {"lr": 0.2}).load()
    with pytest.raises(ValueError, match=r"it is a folder$"):
        Checkpoint(tmp_path, {})


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
