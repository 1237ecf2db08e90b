"""What must not matter to a result: hash seed, folder, time zone, locale, number of threads and of processes."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCALES = ("C.UTF-8", "de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "fa_IR.UTF-8")
ZONES = ("UTC0", "WEST+11", "EAST-14", "HALF-5:30", "NORTH+3NDT,M3.2.0,M11.1.0")
FOLDERS = ("plain", "with a space", "Übergrößen", "'quoted'", "a/rather/deep/one")
THREADS = (1, 2, 3, 4, 6)
JOBS = (2, 1, 2, 1, 3)

_PROBE = """
import json, locale, os, sys, time
from threadpoolctl import threadpool_info
import numpy
number = locale.localeconv()["decimal_point"]
threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
told = [hash("filterlaw"), os.getcwd(), time.strftime("%c", time.localtime(0)), number, threads]
print(json.dumps(dict(zip(("hash seed", "folder", "time zone", "locale", "threads"), told))))
"""
ASPECTS = 5
"""How many aspects the probe tells."""

_SITE = """
import locale, contextlib
with contextlib.suppress(locale.Error):
    # what a program that embeds Python may do; without it numbers are written as in C whatever the locale
    locale.setlocale(locale.LC_ALL, "")
"""


@dataclass(frozen=True)
class Surroundings:
    """One way to start the commands: everything in it is to leave no trace in what they write."""

    hash_seed: int
    folder: Path
    zone: str
    locale: str
    threads: int
    jobs: int

    def environment(self, common: Path) -> dict[str, str]:
        """The variables of a process; `common` holds the locales and what every interpreter does first."""
        numeric = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        return {
            **os.environ,
            **dict.fromkeys(numeric, str(self.threads)),
            "PYTHONHASHSEED": str(self.hash_seed),
            "PYTHONPATH": str(common / "site"),
            "LOCPATH": str(common / "locales"),
            "LC_ALL": self.locale,
            "TZ": self.zone,
            "MPLCONFIGDIR": str(self.folder / "settings of matplotlib"),
        }

    def run(self, arguments: Sequence[str], common: Path, seconds: float) -> str:
        """What a Python process with these arguments prints. RuntimeError if it fails or outlasts `seconds`."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(common),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=seconds,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def probe(self, common: Path) -> Mapping[str, Any]:
        """What such a process says of its own surroundings."""
        found: Mapping[str, Any] = json.loads(self.run(["-c", _PROBE], common, 60))
        return found


def draw(count: int, root: Path, rng: random.Random) -> list[Surroundings]:
    """`count` surroundings (at most five), different in every aspect; their folders are made under `root`."""
    if not 2 <= count <= len(ZONES):
        raise ValueError(f"count must be between 2 and {len(ZONES)}, got {count}")
    locales, zones, folders = ([first, *rng.sample(rest, count - 1)] for first, *rest in (LOCALES, ZONES, FOLDERS))
    seeds = rng.sample(range(1, 2**32), count)
    made = [Surroundings(seeds[k], root / folders[k], zones[k], locales[k], THREADS[k], JOBS[k]) for k in range(count)]
    for each in made:
        each.folder.mkdir(parents=True)
    return made


def prepare(common: Path) -> None:
    """Make the locales that the machine may lack, and what every interpreter does first.

    Raises RuntimeError where locales cannot be made (Debian, Ubuntu: the package `locales`).
    """
    for name in ("site", "locales"):
        (common / name).mkdir(parents=True)
    (common / "site" / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    if shutil.which("localedef") is None:
        raise RuntimeError("localedef is needed to make locales, found none (Debian, Ubuntu: apt-get install locales)")
    for name in LOCALES[1:]:
        language, charset = name.split(".")
        target = common / "locales" / name
        made = subprocess.run(["localedef", "-i", language, "-f", charset, str(target)], capture_output=True, text=True)
        if not target.is_dir():
            raise RuntimeError(f"locale {name} cannot be made (is the package `locales` there?): {made.stderr[:500]}")
