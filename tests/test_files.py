"""One writer: all of the new file or all of the old one, and no litter."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from sim import files
from sim.files import atomic_write, held_alone, require_writable, require_writable_folder


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


def killed_while_writing(target, content="new"):
    """What SIGKILL before the renaming leaves beside the target."""
    script = (
        "import os\nfrom sim import files\n"
        "files.os.replace = lambda *_: os._exit(9)\n"
        f"files.atomic_write({str(target)!r}, {content!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[1]).returncode == 9
    (left,) = (name for name in os.listdir(target.parent) if name.endswith(".tmp"))
    return target.parent / left


def test_the_next_writing_removes_what_a_killed_one_left(tmp_path):
    target = tmp_path / "result"
    left = killed_while_writing(target)
    (tmp_path / ".result.tmp").write_text("a stranger's")
    atomic_write(tmp_path / "other", "")
    assert left.exists()
    atomic_write(target, "new")
    assert sorted(os.listdir(tmp_path)) == [".result.tmp", "other", "result"]


def test_what_another_writer_is_at_is_left_alone(tmp_path, monkeypatch):
    """Two writers of one file: the second comes while the first has its temporary file and has not renamed it."""
    target, replace = tmp_path / "result", os.replace

    def between(source, destination):
        monkeypatch.setattr(os, "replace", replace)
        atomic_write(target, "second")
        assert Path(source).read_text() == "first"
        replace(source, destination)

    monkeypatch.setattr(os, "replace", between)
    atomic_write(target, "first")
    assert target.read_text() == "first"
    assert os.listdir(tmp_path) == ["result"]


def test_a_temporary_file_that_was_taken_for_a_leftover_is_made_anew(tmp_path, monkeypatch):
    """The other writer looks between the making of the file and its lock."""
    target, lock = tmp_path / "result", files._lock
    seen: list[int] = []

    def late(descriptor, *, wait):
        if wait and not seen:
            seen.append(descriptor)
            monkeypatch.setattr(files, "_lock", lock)
            atomic_write(target, "second")
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(files, "_lock", late)
    atomic_write(target, "first")
    assert seen
    assert target.read_text() == "first"
    assert os.listdir(tmp_path) == ["result"]


def test_the_file_before_is_kept_if_asked(tmp_path):
    target, keep = tmp_path / "result", tmp_path / "before"
    atomic_write(target, "one", keep=keep)
    assert os.listdir(tmp_path) == ["result"]
    atomic_write(target, "two", keep=keep)
    assert (target.read_text(), keep.read_text()) == ("two", "one")


def test_a_held_file_is_refused_and_removed_when_it_is_let_go(tmp_path):
    lock = tmp_path / "lock"
    with suppress(KeyError), held_alone(lock):
        with pytest.raises(BlockingIOError, match=r"^another process is at this \('.*lock'\); wait for it or end it$"):
            held_alone(lock).__enter__()
        assert lock.exists()
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_a_lock_whose_file_was_removed_meanwhile_holds_nobody_out(tmp_path, monkeypatch):
    """The holder before lets go between the opening of the file and the lock on it."""
    path, lock = tmp_path / "lock", files._lock
    seen: list[int] = []

    def late(descriptor, *, wait):
        if not seen:
            seen.append(descriptor)
            path.unlink()
        return lock(descriptor, wait=wait)

    monkeypatch.setattr(files, "_lock", late)
    with held_alone(path), pytest.raises(BlockingIOError):
        held_alone(path).__enter__()
    assert seen


def test_no_lock_can_be_there(tmp_path):
    with pytest.raises(ValueError, match=r"cannot write '.*lock': no such file or directory"):
        held_alone(tmp_path / "none" / "lock").__enter__()
    (tmp_path / "target").write_text("kept")
    (tmp_path / "lock").symlink_to("target")
    with pytest.raises(ValueError, match=r"cannot write '.*lock': too many levels of symbolic links"):
        held_alone(tmp_path / "lock").__enter__()
    assert (tmp_path / "target").read_text() == "kept"


def test_without_file_locks_nothing_is_held_and_no_leftover_taken(tmp_path, monkeypatch):
    import fcntl

    def unsupported(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    left = killed_while_writing(tmp_path / "result")
    monkeypatch.setattr(fcntl, "flock", unsupported)
    with held_alone(tmp_path / "lock"), held_alone(tmp_path / "lock"):
        pass
    atomic_write(tmp_path / "result", "new")
    assert sorted(os.listdir(tmp_path)) == [left.name, "result"]
