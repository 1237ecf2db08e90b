"""Records of training runs: read as they were written, and refused in one clear line."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from sim.records import MEASURES, NotRecorded, parse_run, read_folder, read_table
from tests.reference import training

GOOD = training.record(seed=3, svb=0.05)


def changed(path, value):
    """The good record with one entry replaced; `del` removes it."""
    record = copy.deepcopy(GOOD)
    *way, last = path
    place = record
    for step in way:
        place = place[step]
    if value is del_:
        del place[last]
    else:
        place[last] = value
    return record


del_ = object()


def test_a_run_is_read_as_it_was_written():
    run = parse_run(GOOD)
    assert (run.seed, run.epochs) == (3, training.EPOCHS)
    assert run.settings["network"] == "vgg8"
    for name in MEASURES:
        assert run.measures[name].tolist() == [epoch[name] for epoch in GOOD["epochs"]]
        assert not run.measures[name].flags.writeable
    start, end = run.layers_at(0), run.layers_at(run.epochs)
    assert [layer.depth for layer in start] == [layer.depth for layer in end] == [0, 1, 2, 3]
    assert end[1].shape == (8, 4, 3, 3)
    assert end[1].operator == (2.0, 0.5)
    assert end[1].by_distance.tolist() == GOOD["layers"][5]["by_distance"]
    assert end[1].singular_values.tolist() == sorted(GOOD["layers"][5]["singular_values"], reverse=True)
    assert run.seconds["svb_seconds"].tolist() == [0.1] * training.EPOCHS
    assert run.seconds["bbn_seconds"].size == 0
    with pytest.raises(TypeError):
        run.settings["seed"] = 4  # type: ignore[index]


def test_layers_come_by_depth_whatever_their_order():
    record = changed(["layers"], GOOD["layers"][::-1])
    assert [layer.depth for layer in parse_run(record).layers_at(0)] == [0, 1, 2, 3]


def test_unknown_keys_and_a_missing_operator_are_no_matter():
    record = changed(["layers", 0, "operator"], None)
    record["news"] = 1
    record["settings"]["news"] = 1
    assert parse_run(record).layers[0].operator is None


def test_layers_of_another_epoch_are_not_recorded():
    with pytest.raises(NotRecorded, match=r"epoch must be one at which layers were recorded \(0, 5\), got 3"):
        parse_run(GOOD).layers_at(3)


BAD = {
    "no settings": (["settings"], del_, "settings must be an object, got NoneType"),
    "no seed": (["settings", "seed"], del_, "settings must have 'seed', got network, "),
    "a seed that is none": (["settings", "seed"], -1, "settings.seed must be at least 0, got -1"),
    "a lost epoch": (["epochs"], GOOD["epochs"][1:], r"epochs must be as many as settings.epochs \(5\), got 4"),
    "a lost measure": (["epochs", 2, "sign_changes"], del_, r"epochs\[2\] must have 'sign_changes', got train_loss, "),
    "a measure in words": (["epochs", 2, "train_loss"], "low", "epochs.train_loss must hold real numbers"),
    "infinite loss": (["epochs", 2, "train_loss"], np.inf, r"epochs.train_loss must be finite, got .*\[2\] = inf"),
    "accuracy in percent": (["epochs", 4, "test_accuracy"], 61.0, r"epochs.test_accuracy must lie in \[0, 1\], got "),
    "nan": (["epochs", 0, "test_accuracy"], np.nan, r"epochs.test_accuracy must lie in \[0, 1\], got .* = nan"),
    "marked sign changes": (["epochs", 0, "sign_changes"], -1.0, r"epochs.sign_changes must lie in \[0, 1\], got "),
    "epochs that are no list": (["epochs"], {}, "epochs must be a list, got dict"),
    "an epoch that is no object": (["epochs", 1], 3, r"epochs\[1\] must be an object, got int"),
    "a layer without depth": (["layers", 1, "depth"], del_, r"layers\[1\] must have 'depth', got epoch, "),
    "negative singular value": (["layers", 1, "singular_values", 0], -1.0, r"layers\[1\].singular_values must be non-"),
    "no singular values": (["layers", 1, "singular_values"], [], r"layers\[1\].singular_values must have shape \(n,\)"),
    "one end of an operator": (["layers", 1, "operator"], [1.0], r"layers\[1\].operator must have shape \(2,\), got"),
    "a shape that is none": (["layers", 0, "shape", 0], 0, r"layers\[0\].shape must be at least 1, got 0"),
    "negative time": (["timing", "svb_seconds", 0], -1.0, "timing.svb_seconds must be non-negative, got"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_record_is_refused(case):
    path, value, message = BAD[case]
    with pytest.raises((ValueError, TypeError), match=message):
        parse_run(changed(path, value))


def test_a_folder_holds_records_and_tables(tmp_path):
    first, *others = (training.record(seed=n) for n in range(3))
    (tmp_path / "a.json").write_text(json.dumps(first))
    (tmp_path / "b.json").write_text(json.dumps({"format": 1, "preset": "toy", "runs": others}))
    (tmp_path / "notes.txt").write_text("not a record")
    assert [run.seed for run in read_folder(tmp_path)] == [0, 1, 2]


FILES = {
    "nothing": ("", r"x.json': it is no strict JSON \(Expecting value"),
    "cut off": (json.dumps(GOOD)[:200], "it is no strict JSON"),
    "a list": ("[]", "it is no record of a training run, nor a table of them"),
    "other JSON": ('{"R": []}', "it is no record of a training run, nor a table of them"),
    "another format": (json.dumps({**GOOD, "format": 2}), "its format must be 1, got 2"),
    "runs that are none": ('{"format": 1, "runs": 3}', "runs must be a list, got int"),
    "NaN": (json.dumps(changed(["epochs", 0, "test_loss"], np.nan)), "NaN is no number"),
    "a setting that is a list": (
        json.dumps(changed(["settings", "learning_rate"], [0.1])),
        "settings.learning_rate must be a text, a number or null, got list",
    ),
    "infinity in disguise": (
        json.dumps(GOOD).replace('"seed"', '"a": 1e999, "seed"'),
        "1e999 is beyond the range of floating point numbers",
    ),
    "a bad run in a table": (
        json.dumps({"format": 1, "runs": [GOOD, changed(["settings", "seed"], del_)]}),
        r"x.json', runs\[1\]: settings must have 'seed'",
    ),
    "a bad record": (json.dumps(changed(["layers"], del_)), r"x.json': record must have 'layers', got format, "),
}


@pytest.mark.parametrize("case", FILES)
def test_a_bad_file_is_refused_by_name(case, tmp_path):
    content, message = FILES[case]
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        read_folder(tmp_path)


def test_bad_folders_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"records must be a folder of records .*, got '.*missing'"):
        read_folder(tmp_path / "missing")
    with pytest.raises(ValueError, match=r"records must be a folder with records \(\*\.json\) .* without any"):
        read_folder(tmp_path)
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps(GOOD))
    with pytest.raises(ValueError, match=r"'one\.json' and 'two\.json' in .* are of the same; remove one"):
        read_folder(tmp_path)


def test_a_preset_without_a_table_has_no_runs():
    assert read_table("no-such-preset") == ()
