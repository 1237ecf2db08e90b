"""The state of a long run in a file, the one before it beside it, and a digest in each that tells a damaged one."""

from __future__ import annotations

import hashlib
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

from sim.files import atomic_write

_DIGEST = hashlib.sha256().digest_size


class DamagedWarning(UserWarning):
    """A state that was kept is damaged, and the one before it is used."""


@dataclass(frozen=True)
class Generations:
    """The newest state in `path`, the one before it in `path` with ".previous" after it.

    Each file ends with the SHA-256 of what it holds. One process at a time may store (see `sim.files.held_alone`).
    """

    path: Path

    @property
    def files(self) -> tuple[Path, Path]:
        """The newest, the one before."""
        newest = Path(os.path.realpath(self.path))
        return newest, newest.with_name(f"{newest.name}.previous")

    def store(self, content: bytes) -> None:
        """Keep a state, and the newest one before it that is whole. Raises ValueError where it cannot be written."""
        newest, previous = self.files
        # a damaged one must not take the place of the whole one before it, which a kill now would leave alone
        whole = newest.exists() and _content(newest) is not None
        atomic_write(newest, content + hashlib.sha256(content).digest(), keep=previous if whole else None)

    def load(self) -> bytes | None:
        """The newest state that is whole; None if none was stored.

        Warns with `DamagedWarning` where the newest is damaged and the one before it is used. ValueError if none that
        was stored can be used: a run must not begin again unasked.
        """
        damaged: list[str] = []
        for file in self.files:
            try:
                content = _content(file)
            except FileNotFoundError:
                # also between the two renamings of a writing that was cut off: the one before is then the newest
                continue
            if content is not None:
                if damaged:
                    warnings.warn(
                        f"{damaged[0]!r} is damaged; going on from the state before it, {file.name!r}",
                        DamagedWarning,
                        stacklevel=2,
                    )
                return content
            damaged.append(file.name)
        if damaged:
            raise ValueError(
                f"cannot go on from {' or '.join(map(repr, damaged))}: cut off, damaged, or of another version of "
                "filterlaw; delete what is there to begin again"
            )
        return None

    def remove(self) -> None:
        """Remove what is kept."""
        for file in self.files:
            file.unlink(missing_ok=True)


def _content(file: Path) -> bytes | None:
    """What a file holds, None if it is damaged. FileNotFoundError if there is none, ValueError if it cannot be read."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ValueError(f"cannot read {os.fspath(file)!r}: {error.strerror}") from error
    whole = len(content) >= _DIGEST and hashlib.sha256(content[:-_DIGEST]).digest() == content[-_DIGEST:]
    return content[:-_DIGEST] if whole else None
