"""What it looks like: one module per figure, each with `data()` (the numbers) and `draw()` (a matplotlib Figure).

Importing this package is cheap; matplotlib is loaded by `render`.
"""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from figures.catalogue import FIGURES, TITLES, module_of

FORMATS = ("png", "svg", "pdf")

__all__ = ["FORMATS", "about", "available", "render"]


def available() -> dict[str, str]:
    """The figures, name -> one-line title, in the order of the paper."""
    return dict(TITLES)


def about(name: str) -> str:
    """Which claims a figure shows and where a paper has its like, in one line; empty for a name that is not known."""
    if name not in FIGURES:
        return ""
    return f"{', '.join(FIGURES[name].claims)} ({FIGURES[name].source})"


def render(
    names: Sequence[str],
    output: str | os.PathLike[str],
    *,
    on_progress: Callable[[str, int, int], object] | None = None,
) -> list[Path]:
    """Draw the figures with these names (none: all) into the folder `output`, each as PNG, SVG and PDF.

    Returns the files written. Each file is written whole or not at all, and with the same versions of everything the
    same bytes are written again. on_progress(name, done, total) is called before each figure and, with the last name
    and done = total, at the end. Raises ValueError for an unknown name, with the nearest ones, and for a folder that
    cannot be written to, both before anything is drawn.
    """
    if isinstance(names, str):
        raise TypeError(f"names must be a sequence of names, not one string, got {names!r}")
    wanted = list(dict.fromkeys(names)) or list(TITLES)
    for name in wanted:
        if name not in TITLES:
            near = difflib.get_close_matches(name, TITLES, n=3, cutoff=0.3)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise ValueError(f"unknown figure {name!r}{hint} (figures: {', '.join(TITLES)})")

    from figures.style import encode
    from sim.files import atomic_write, require_writable

    paths = {name: [Path(output) / f"{name}.{kind}" for kind in FORMATS] for name in wanted}
    for path in paths[wanted[0]]:
        require_writable(path)
    written: list[Path] = []
    for done, name in enumerate(wanted):
        if on_progress is not None:
            on_progress(name, done, len(wanted))
        module = importlib.import_module(module_of(name))
        figure = module.draw()
        encoded = [encode(figure, kind, TITLES[name], module.PARAMETERS, module.SEED) for kind in FORMATS]
        for path, content in zip(paths[name], encoded, strict=True):
            atomic_write(path, content)
            written.append(path)
    if on_progress is not None:
        on_progress(wanted[-1], len(wanted), len(wanted))
    return written
