"""A disk of one megabyte that can be filled and made read-only, where this machine allows one."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SIZE = 1 << 20


@dataclass(frozen=True)
class Disk:
    """A folder with a file system of its own; without one (`mounted` false), limits stand in for it."""

    folder: Path
    mounted: bool

    def fill(self, pid: int) -> None:
        """Leave no space; where there is no disk, no file of the process may grow beyond a block."""
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (512, 512))
            return
        with open(self.folder / "ballast", "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass

    def protect(self) -> None:
        """Make it read-only."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,ro", os.fspath(self.folder)], check=True, capture_output=True)
        else:
            self._allow(0o555)

    def free(self) -> None:
        """Make it writable again, and give the space back."""
        if self.mounted:
            subprocess.run(["mount", "-o", "remount,rw", os.fspath(self.folder)], check=True, capture_output=True)
        else:
            self._allow(0o755)
        (self.folder / "ballast").unlink(missing_ok=True)

    def _allow(self, mode: int) -> None:
        for folder in (path for path in self.folder.iterdir() if path.is_dir()):
            folder.chmod(mode)


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A small disk in this folder while the block lasts."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", os.fspath(folder)]
    mounted = shutil.which("mount") is not None and not subprocess.run(command, capture_output=True).returncode
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "-l", os.fspath(folder)], check=True, capture_output=True)
