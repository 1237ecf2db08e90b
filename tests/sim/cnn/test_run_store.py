"""A folder of runs: kills lose an epoch at most, damage is told, and a finished run is not run again."""

from __future__ import annotations

import json
import multiprocessing
import os
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from sim.cnn.data import Images
from sim.cnn.run_store import RunStore, load_checkpoint, save_checkpoint, train
from sim.cnn.settings import Settings
from sim.cnn.table import table_of, table_text

CPU = torch.device("cpu")
SETTINGS = Settings(network="vgg8", width=0.0625, data="photo-patches", epochs=3, batch_size=32, learning_rate=0.05)
ENVIRONMENT = {"python": "3"}


def few_images():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (96, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, 4, 96)
    return Images("photo-patches", tuple("abcd"), pixels[:64], labels[:64], pixels[64:], labels[64:])


def go(folder, on_epoch=None, settings=SETTINGS):
    return train(settings, few_images(), RunStore(folder), environment=ENVIRONMENT, device=CPU, on_epoch=on_epoch)


def numbers(record):
    return {key: value for key, value in record.items() if key != "timing"}


def stored(path):
    state = load_checkpoint(path)
    assert state is not None
    return state


class Stopped(Exception):
    pass


def stop_after(epoch):
    def on_epoch(done, _):
        if done == epoch:
            raise Stopped

    return on_epoch


def test_a_finished_run_leaves_a_record_and_its_weights_and_is_not_run_again(tmp_path):
    record = go(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{SETTINGS.key}.json", f"{SETTINGS.key}.safetensors"]
    assert json.loads((tmp_path / f"{SETTINGS.key}.json").read_text()) == record
    weights = load_file(tmp_path / f"{SETTINGS.key}.safetensors")
    assert weights["0.conv.weight"].shape == (4, 3, 3, 3)

    def never(*_):
        raise AssertionError("it was run again")

    assert go(tmp_path, never) == record


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_a_run_that_was_stopped_goes_on_to_the_same_numbers(tmp_path, epoch):
    whole = go(tmp_path / "whole")
    with pytest.raises(Stopped):
        go(tmp_path / "parts", stop_after(epoch))
    epochs = []
    again = go(tmp_path / "parts", lambda done, _: epochs.append(done))
    assert epochs == list(range(epoch + 1, 4))
    assert numbers(again) == numbers(whole)


def begin(folder, started):
    torch.set_num_threads(1)
    go(folder, lambda done, _: started.set() if done == 1 else time.sleep(60))


def test_a_killed_process_loses_at_most_the_epoch_under_way(tmp_path):
    """SIGKILL, which no process can answer; a second process meanwhile is refused the run."""
    torch.set_num_threads(1)
    whole = go(tmp_path / "whole")
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    process = context.Process(target=begin, args=(tmp_path / "parts", started))
    process.start()
    assert started.wait(60)
    with pytest.raises(BlockingIOError, match="another process is at this"):
        go(tmp_path / "parts")
    process.kill()
    process.join()
    epochs = []
    assert numbers(go(tmp_path / "parts", lambda done, _: epochs.append(done))) == numbers(whole)
    assert epochs[0] in (2, 3)


def test_a_damaged_checkpoint_is_said_so_and_the_one_before_it_used(tmp_path):
    path = tmp_path / "x.checkpoint"
    assert load_checkpoint(path) is None
    for done in (1, 2):
        save_checkpoint(path, {"settings": "{}", "done": done})
    assert stored(path)["done"] == 2
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"'x.checkpoint' is damaged; going on from the state before it"):
        assert stored(path)["done"] == 1
    (tmp_path / "x.checkpoint.previous").write_bytes(b"cut")
    with pytest.raises(ValueError, match=r"cannot go on from 'x.checkpoint' or 'x.checkpoint.previous'"):
        load_checkpoint(path)


def test_between_two_checkpoints_the_one_before_serves(tmp_path):
    path = tmp_path / "x.checkpoint"
    save_checkpoint(path, {"settings": "{}", "done": 1})
    os.replace(path, tmp_path / "x.checkpoint.previous")
    assert stored(path)["done"] == 1


def test_what_a_kill_after_the_record_has_left_is_removed_and_nothing_is_run(tmp_path):
    record = go(tmp_path)
    for name in ("checkpoint", "checkpoint.previous", "lock"):
        (tmp_path / f"{SETTINGS.key}.{name}").write_bytes(b"")
    assert go(tmp_path, stop_after(1)) == record
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{SETTINGS.key}.json", f"{SETTINGS.key}.safetensors"]


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_checkpoint_that_holds_code_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_checkpoint(tmp_path / "x.checkpoint", {"settings": Evil()})
    with pytest.raises(ValueError, match=r"cannot go on from 'x\.checkpoint': it is no checkpoint of a run"):
        load_checkpoint(tmp_path / "x.checkpoint")
    assert not (tmp_path / "pwned").exists()
    save_checkpoint(tmp_path / "x.checkpoint", {"done": 1})
    with pytest.raises(ValueError, match="it is no checkpoint of a run"):
        load_checkpoint(tmp_path / "x.checkpoint")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"settings": 1}', '{"epochs": []}'])
def test_a_damaged_record_is_never_taken_for_a_finished_run(tmp_path, content):
    (tmp_path / f"{SETTINGS.key}.json").write_text(content)
    with pytest.raises(ValueError, match=f"cannot read the record '{SETTINGS.key}.json'.*delete it to run again"):
        go(tmp_path)


def test_a_record_of_another_run_is_not_taken_for_this_one(tmp_path):
    record = go(tmp_path)
    other = replace(SETTINGS, seed=1)
    cut = ({**record, "epochs": epochs} for epochs in (record["epochs"][:2], 3, None))
    for wrong, asked in ((record, other), *((each, SETTINGS) for each in cut)):
        (tmp_path / f"{asked.key}.json").write_text(json.dumps(wrong))
        with pytest.raises(ValueError, match="it is no record of this run"):
            go(tmp_path, settings=asked)


def test_the_table_is_small_and_says_the_environment_once(tmp_path):
    record = go(tmp_path)
    table = table_of("x", [record, record])
    assert table["environment"] == ENVIRONMENT
    assert len(table["runs"]) == 2
    assert "steps" not in table["runs"][0]
    assert table["runs"][0]["settings"] == record["settings"]
    assert table["runs"][0]["epochs"][0]["train_loss"] == pytest.approx(record["epochs"][0]["train_loss"], rel=1e-5)
    assert json.loads(table_text(table)) == table
    assert table_text(table).count("\n") == 4
    assert json.loads(table_text(table_of("x", []))) == table_of("x", [])
    with pytest.raises(ValueError, match="records must be of one environment"):
        table_of("x", [record, {**record, "environment": {"python": "4"}}])
