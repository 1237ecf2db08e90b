"""Writing files so that an interrupted run leaves the old file or the new one, never half of either."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)
"""What file systems without file locks answer."""


class NotWritten(ValueError):
    """A file that cannot be written."""


def atomic_write(
    path: str | os.PathLike[str], data: bytes | str, *, keep: str | os.PathLike[str] | None = None
) -> None:
    """Write a file in one step: all of `data` (text as UTF-8) or, on any failure or interruption, nothing.

    A temporary file in the same folder is written, flushed to disk and renamed over `path`; then the folder is
    flushed, so that the rename survives a power cut. The temporary file is removed on failure; one that a killed
    process has left is removed by the next writing of the same file.
    keep: a name in the same folder under which the file that is replaced stays. A kill between the two renamings
    leaves that one alone.
    Raises TypeError for data that is neither bytes nor text, NotWritten where the file cannot be written.
    """
    if not isinstance(data, bytes | str):
        raise TypeError(f"data must be bytes or str, got {type(data).__name__}")
    # a link is followed: its target is replaced, not the link
    target = Path(os.path.realpath(_checked(path)))
    try:
        with _temporary(target.parent, target.name) as (file, name):
            os.fchmod(file.fileno(), _mode(target))
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
            if keep is not None:
                with suppress(FileNotFoundError):
                    os.replace(target, keep)
            os.replace(name, target)
            _flush_folder(target.parent)
    except OSError as error:
        raise NotWritten(_refusal(path, error)) from error


def require_writable(path: str | os.PathLike[str]) -> Path:
    """The path, once it is known that a file can be written there; the folder is created if it is missing.

    Meant to be called before long work whose result goes to `path`. Raises ValueError that says why it cannot.
    """
    target = Path(os.path.realpath(_checked(path)))
    _probe(target.parent, path)
    try:
        with suppress(FileNotFoundError):
            # a name that is too long fails here
            target.stat()
    except OSError as error:
        raise NotWritten(_refusal(path, error)) from error
    return Path(path)


def require_writable_folder(folder: str | os.PathLike[str]) -> Path:
    """The folder, created if it is missing, once it is known that files can be written in it; else ValueError."""
    if not os.fspath(folder):
        raise ValueError("folder must have a name, got ''")
    _probe(Path(folder), folder)
    return Path(folder)


@contextmanager
def held_alone(path: str | os.PathLike[str]) -> Iterator[None]:
    """Hold the file `path` as a lock, which the operating system frees when this process ends, however it ends.

    The file is removed when the block is left. Raises BlockingIOError if another process holds it, ValueError where
    there can be no such file. Where there are no file locks (Windows, some network file systems) it holds nothing.
    """
    descriptor = _lock_file(path)
    try:
        yield
    finally:
        with suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _lock_file(path: str | os.PathLike[str]) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except OSError as error:
            raise NotWritten(_refusal(path, error)) from error
        try:
            _lock(descriptor, wait=False)
            if _is_named(descriptor, path):
                return descriptor
            # its holder has ended meanwhile and removed it: a lock on a file without a name keeps nobody out
            os.close(descriptor)
        except BlockingIOError:
            os.close(descriptor)
            raise BlockingIOError(f"another process is at this ({os.fspath(path)!r}); wait for it or end it") from None


@contextmanager
def _temporary(folder: Path, name: str) -> Iterator[tuple[BinaryIO, str]]:
    """A new file in the folder and its path, removed when the block is left unless it has been renamed by then.

    Its writer holds a lock on it, by which the files of writers that were killed are known, and removed first.
    """
    begin = f".{name[:40]}."
    _remove_leftovers(folder, begin)
    while True:
        path = os.path.join(folder, f"{begin}{secrets.token_hex(8)}.tmp")
        try:
            # known by its name before it exists, so that no interruption comes between
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
                _lock(file.fileno(), wait=True)
                # another writer may have taken it for a leftover before it was locked
                if _is_named(file.fileno(), path):
                    yield file, path
                    return
        finally:
            with suppress(OSError):
                os.unlink(path)


def _remove_leftovers(folder: Path, begin: str) -> None:
    pattern = re.compile(re.escape(begin) + r"[0-9a-f]{16}\.tmp")
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if pattern.fullmatch(entry.name)]
    for path in names:
        # whatever hinders it: the file is another's, or the next writer's to remove
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                if _lock(descriptor, wait=False) and _is_named(descriptor, path):
                    os.unlink(path)
            finally:
                os.close(descriptor)


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock an open file until it is closed; False where there are no locks, BlockingIOError if it is another's."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except ImportError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return False
        raise
    return True


def _is_named(descriptor: int, path: str | os.PathLike[str]) -> bool:
    """Whether an open file is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _probe(folder: Path, path: str | os.PathLike[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary(folder, "probe"):
            pass
    except OSError as error:
        raise NotWritten(_refusal(path, error)) from error


def _checked(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if not text or "\0" in text:
        raise ValueError(f"path must name a file, got {text!r}")
    if os.path.isdir(text) or text.endswith(os.sep):
        raise ValueError(f"cannot write {text!r}: it is a folder")
    if os.path.exists(text) and not os.path.isfile(text):
        # renaming over a device would replace the device
        raise ValueError(f"cannot write {text!r}: it is not a regular file")
    return Path(text)


def _mode(target: Path) -> int:
    """The mode of the file to be replaced, else what a new file gets under the umask."""
    with suppress(OSError):
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(path: str | os.PathLike[str], error: OSError) -> str:
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"cannot write {os.fspath(path)!r}: part of the path is a file, not a folder"
    reason = error.strerror or str(error)
    return f"cannot write {os.fspath(path)!r}: {reason[:1].lower()}{reason[1:]}"
