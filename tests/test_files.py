"""One writer: all of the new file or all of the old one, and no litter."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sim.files import atomic_write, require_writable, require_writable_folder


@pytest.mark.parametrize("data", [b"", b"\x00\xff", "text", "Schneider, λ\n"])
def test_writes_all_of_it_and_nothing_else(tmp_path, data):
    target = tmp_path / "result"
    atomic_write(target, data)
    atomic_write(str(target), data)
    assert target.read_bytes() == (data if isinstance(data, bytes) else data.encode())
    assert os.listdir(tmp_path) == ["result"]


def test_replaces_a_file_and_keeps_its_mode(tmp_path):
    target = tmp_path / "result"
    target.write_text("old")
    target.chmod(0o640)
    atomic_write(target, "new")
    assert target.read_text() == "new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_text("")
    atomic_write(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_follows_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    atomic_write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@pytest.mark.parametrize("failing", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_failure_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, failing, error):
    target = tmp_path / "result"
    target.write_text("old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises((ValueError, KeyboardInterrupt)) as caught:
        atomic_write(target, "new")
    if isinstance(error, OSError):
        assert str(caught.value) == f"cannot write {str(target)!r}: no space left on device"
    monkeypatch.undo()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["result"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    target = tmp_path / "result"
    target.write_text("old")
    script = (
        "import os, sys\nfrom sim import files\n"
        "files.os.replace = lambda *_: os._exit(9)\n"
        f"files.atomic_write({str(target)!r}, 'new')\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[1]).returncode == 9
    assert target.read_text() == "old"


def test_data_must_be_bytes_or_text(tmp_path):
    with pytest.raises(TypeError, match="data must be bytes or str, got dict"):
        atomic_write(tmp_path / "x", {})  # type: ignore[arg-type]


@pytest.mark.parametrize("function", [require_writable, lambda path: atomic_write(path, "")])
def test_what_cannot_be_a_file_is_refused(tmp_path, function):
    (tmp_path / "file").write_text("")
    for path, reason in {
        "": "path must name a file, got ''",
        "a\0b": "path must name a file",
        str(tmp_path): "it is a folder",
        str(tmp_path / "new") + "/": "it is a folder",
        str(tmp_path / "file" / "x"): "part of the path is a file, not a folder",
        "/dev/null": "it is not a regular file",
        str(tmp_path / ("x" * 300)): "name too long",
    }.items():
        with pytest.raises(ValueError, match=reason):
            function(path)
    assert sorted(os.listdir(tmp_path)) == ["file"]
    assert not Path("/dev/null").is_file()


def test_a_missing_folder_is_an_error_for_the_writer_and_made_by_the_check(tmp_path):
    target = tmp_path / "a" / "b" / "result"
    with pytest.raises(ValueError, match=r"cannot write '.*result': no such file or directory"):
        atomic_write(target, "")
    assert require_writable(target) == target
    assert os.listdir(target.parent) == []
    atomic_write(target, "x")


def test_the_check_leaves_an_existing_file_alone(tmp_path):
    target = tmp_path / "result"
    target.write_text("old")
    require_writable(target)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["result"]


def test_folders(tmp_path):
    assert require_writable_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="part of the path is a file"):
        require_writable_folder(tmp_path / "file")
    with pytest.raises(ValueError, match="folder must have a name"):
        require_writable_folder("")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ValueError, match="permission denied"):
        require_writable(tmp_path / "x")
