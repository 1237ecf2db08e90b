"""A copy of the project, and processes in it that try mutants."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from queue import Queue
from typing import Any

from tests.attack.mutants.worker import Job

ROOT = Path(__file__).parents[3]
ROOMS = ("theory", "sim", "figures", "commands", "tests")


class Workshop:
    """Workers in a copy of the project; `ask` may be called from as many threads as there are workers."""

    def __init__(self, copy: Path, workers: int, libraries: tuple[str, ...] = ()) -> None:
        self.copy, self.libraries = copy, libraries
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "0",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "NUMBA_CACHE_DIR": str(copy / "numba"),
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        }
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.attack.mutants.worker"],
                cwd=copy,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(workers)
        ]
        self.idle: Queue[subprocess.Popen[str]] = Queue()
        for process in self.processes:
            self.idle.put(process)

    def ask(self, job: Job) -> dict[str, Any]:
        """What a worker answers to a job."""
        process = self.idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps({**asdict(job), "libraries": self.libraries}) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
        finally:
            self.idle.put(process)
        return answer

    def close(self) -> None:
        """End the workers."""
        for process in self.processes:
            process.communicate()


@contextmanager
def workshop(workers: int, libraries: tuple[str, ...] = ()) -> Iterator[Workshop]:
    """A workshop in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder)
        for room in ROOMS:
            shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("filterlaw.py", "pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, copy / name)
        shop = Workshop(copy, workers, libraries)
        try:
            yield shop
        finally:
            shop.close()
