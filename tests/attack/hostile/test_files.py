"""The judges of hostile files notice what they are there for: code, crashes, hangs, memory, NaN, unclear errors."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.attack.hostile import loaders
from tests.attack.hostile.files import Tally, _judged, _loader_of, _size, made
from tests.attack.hostile.fuzz import MUTATIONS, damaged
from tests.attack.hostile.loaders import LOADERS
from tests.attack.hostile.trial import CONSTANT, Trial


def _refuses(path: Path) -> None:
    raise ValueError(f"cannot use {str(path)!r}: it is damaged")


def _hangs(path: Path) -> None:
    while True:
        time.sleep(0)


def _takes(path: Path) -> None:
    assert np.ones(CONSTANT // 4 // 8).sum() > 0


def _takes_all(path: Path) -> None:
    np.ones(2**40)


def _runs_code(path: Path) -> None:
    subprocess.run(["true"], check=True)


def _writes(path: Path) -> None:
    path.with_name("harm").write_text("x")


def _dies(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _says_nothing(path: Path) -> None:
    raise ValueError


def _says_too_little(path: Path) -> None:
    raise ValueError("embedded null byte")


def _leaks(path: Path) -> None:
    raise KeyError("key")


def _finds_nan(path: Path) -> str:
    return "w holds NaN"


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "hangs": (_hangs, "took more than"),
    "takes all": (_takes_all, "MemoryError"),
    "runs code": (_runs_code, "code ran: "),
    "writes": (_writes, "code ran: "),
    "dies": (_dies, "the process ended with status -11"),
    "says nothing": (_says_nothing, "no clear message"),
    "says too little": (_says_too_little, "does not say which file"),
    "leaks": (_leaks, "KeyError"),
    "finds NaN": (_finds_nan, "accepted, but w holds NaN"),
}


def _lay(name: str, index: int, folder: Path) -> tuple[str, Path]:
    """In a child: another loader in the place of the one for correlations."""
    load = {**{key: value for key, (value, _) in WRONG.items()}, "refuses": _refuses, "takes": _takes}[name]
    loaders.LOADERS["correlation"].__dict__["load"] = load
    path = folder / str(index)
    path.write_bytes(b"{}")
    return "correlation", path


@pytest.mark.parametrize("name", WRONG)
def test_a_loader_that_breaks_is_noticed_and_the_next_file_is_tried(name):
    judged = {index: trial for index, trial, _ in _judged(_lay, name, [0, 1], patience=0.3)}
    assert judged.keys() == {0, 1}
    for trial in judged.values():
        assert trial.outcome == "broken"
        assert WRONG[name][1] in trial.text


def test_refusals_and_memory_are_measured():
    ((_, refused, size),) = _judged(_lay, "refuses", [0])
    assert (refused.outcome, size) == ("refused", 2)
    ((_, accepted, _),) = _judged(_lay, "takes", [0])
    assert accepted.outcome == "accepted"
    assert CONSTANT / 5 < accepted.grown < CONSTANT / 2


def test_a_tally_counts_what_is_not_as_expected():
    tally = Tally()
    tally.add(Trial("accepted", "", 100, 0.5), 10, "a file", "refused")
    tally.add(Trial("refused", "no"), 10, "another", "refused")
    tally.add(Trial("accepted", ""), 10, "a third", None)
    assert (tally.count, tally.outcomes["broken"], tally.beyond, tally.slowest) == (3, 1, 80, 0.5)
    assert tally.broken == ["a file: accepted: "]


def test_hand_made_files_are_many_and_told_apart():
    labels = [(file.loader, file.label) for file in made()]
    assert len(labels) == len({*labels}) >= 500
    assert {loader for loader, _ in labels} == {*LOADERS}


def test_mutations_are_drawn_from_their_seed_and_change_the_file():
    whole = bytes(range(256)) * 4
    drawn = [damaged(whole, np.random.default_rng([0, n])) for n in range(200)]
    assert drawn == [damaged(whole, np.random.default_rng([0, n])) for n in range(200)]
    assert sum(content != whole for content in drawn) > 190
    for mutation in MUTATIONS:
        assert any(mutation(whole, np.random.default_rng(n)) != whole for n in range(9))
        assert isinstance(mutation(b"", np.random.default_rng(0)), bytes)
    assert {_loader_of(index) for index in range(20)} == {*LOADERS}


def test_holes_are_no_content(tmp_path):
    (tmp_path / "holes").touch()
    os.truncate(tmp_path / "holes", 2**40)
    assert _size(tmp_path / "holes") == 0
    (tmp_path / "whole").write_bytes(bytes(range(256)) * 64)
    assert _size(tmp_path) == _size(tmp_path / "whole") == 2**14


@pytest.mark.parametrize("index", [10297, 26474])
def test_drawn_files_that_once_broke_their_loader_are_refused(index, tmp_path):
    loader = LOADERS[_loader_of(index)]
    path = loader.put(tmp_path, damaged(loader.whole(), np.random.default_rng([0, index])))
    with pytest.raises(ValueError, match="it is damaged, probably truncated"):
        loader.load(path)
