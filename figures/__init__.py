"""What it looks like: the figures, each made from the simulators and the derivations by one module."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def available() -> dict[str, str]:
    """The figures that can be drawn: what each one shows, by name."""
    return {}


def render(names: Sequence[str], output: Path) -> list[Path]:
    """Draw the named figures into the folder `output`; returns the files written.

    Raises ValueError for an unknown name.
    """
    for name in names:
        if name not in available():
            raise ValueError(f"unknown figure {name!r}")
    return []
