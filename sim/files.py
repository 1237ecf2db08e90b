"""Writing files so that an interrupted run leaves the old file or the new one, never half of either."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def atomic_write(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write a file in one step: all of `data` (text as UTF-8) or, on any failure or interruption, nothing.

    A temporary file in the same folder is written, flushed to disk and renamed over `path`; then the folder is
    flushed, so that the rename survives a power cut. The temporary file is removed on failure.
    Raises TypeError for data that is neither bytes nor text, ValueError where the file cannot be written.
    """
    if not isinstance(data, bytes | str):
        raise TypeError(f"data must be bytes or str, got {type(data).__name__}")
    # a link is followed: its target is replaced, not the link
    target = Path(os.path.realpath(_checked(path)))
    content = data.encode() if isinstance(data, str) else data
    temporary: str | None = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), _mode(target))
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        temporary = None
        _flush_folder(target.parent)
    except OSError as error:
        raise ValueError(_refusal(path, error)) from error
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)


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
        raise ValueError(_refusal(path, error)) from error
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

    The file is removed when the block is left without an exception: whoever waited for it looks first for what the
    block has made. Raises BlockingIOError if another process holds it. Without file locks (Windows) it holds nothing.
    """
    with open(path, "w", encoding="utf-8") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except BlockingIOError:
            raise BlockingIOError(f"another process is at this ({os.fspath(path)!r}); wait for it or end it") from None
        yield
    Path(path).unlink(missing_ok=True)


def _probe(folder: Path, path: str | os.PathLike[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, probe = tempfile.mkstemp(dir=folder, prefix=".probe.", suffix=".tmp")
        os.close(descriptor)
        os.unlink(probe)
    except OSError as error:
        raise ValueError(_refusal(path, error)) from error


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
