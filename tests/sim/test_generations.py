"""Two generations of a state: what is damaged is told, and what is whole is never lost to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sim.files import atomic_write
from sim.generations import DamagedWarning, Generations


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_newest_and_the_one_before_it(tmp_path: Path) -> None:
    kept = Generations(tmp_path / "run")
    assert kept.load() is None
    for content in (b"one", b"", b"three"):
        kept.store(content)
        assert kept.load() == content
    assert sorted(os.listdir(tmp_path)) == ["run", "run.previous"]
    (tmp_path / "run").unlink()
    assert kept.load() == b""
    kept.remove()
    kept.remove()
    assert os.listdir(tmp_path) == []


def test_a_damaged_newest_is_told_and_the_one_before_it_used(tmp_path: Path) -> None:
    kept = Generations(tmp_path / "run")
    kept.store(b"one")
    kept.store(b"two")
    damage(tmp_path / "run")
    with pytest.warns(DamagedWarning, match=r"^'run' is damaged; going on from the state before it, 'run.previous'$"):
        assert kept.load() == b"one"


@pytest.mark.parametrize("cut", [0, 5, -1])
@pytest.mark.parametrize("both", [False, True])
def test_no_whole_one_is_an_error(tmp_path: Path, cut: int, both: bool) -> None:
    kept = Generations(tmp_path / "run")
    for _ in range(1 + both):
        kept.store(b"a state")
    for name in os.listdir(tmp_path):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:cut])
    named = "'run' or 'run.previous'" if both else "'run'"
    with pytest.raises(ValueError, match=rf"^cannot go on from {named}: cut off, damaged, .*; delete what is there to"):
        kept.load()


def test_a_damaged_newest_never_takes_the_place_of_a_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill between the two renamings would leave it alone."""
    kept = Generations(tmp_path / "run")
    kept.store(b"one")
    kept.store(b"two")
    damage(tmp_path / "run")
    kept.store(b"two again")
    assert kept.load() == b"two again"
    (tmp_path / "run").unlink()
    assert kept.load() == b"one"


def test_a_writing_that_fails_leaves_both_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Generations(tmp_path / "run")
    kept.store(b"one")
    kept.store(b"two")
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ValueError, match="no space left on device"):
        kept.store(b"three")
    assert {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)} == before


def test_through_a_link_both_are_beside_the_file_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere" / "state")
    kept = Generations(tmp_path / "run")
    kept.store(b"one")
    kept.store(b"two")
    assert kept.load() == b"two"
    assert sorted(os.listdir(tmp_path / "elsewhere")) == ["state", "state.previous"]
    assert os.listdir(tmp_path).count("run.previous") == 0


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(ValueError, match=r"^cannot read '.*run': Is a directory$"):
        Generations(tmp_path / "run").load()
    atomic_write(tmp_path / "other", "no digest")
    with pytest.raises(ValueError, match=r"cannot go on from 'other'"):
        Generations(tmp_path / "other").load()
