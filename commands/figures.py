"""`filterlaw figures`: the gallery."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated

import typer

from commands.options import BadInput, bad_input, folder, progress_bar, quoted


def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Figures to draw (default: all).")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the figures and what they show, and exit.")] = False,
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="Folder to write to.")] = "build/figures",
) -> int:
    """Draw figures, as vector graphics and as PNG."""
    import figures as room

    known = room.available()
    if list_:
        for name, what in known.items():
            print(f"{name:<24} {what}")
            if about := room.about(name):
                print(f"{'':<24} {about}")
        return 0
    wanted = list(dict.fromkeys(names)) if names else list(known)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise BadInput(f"unknown figure {quoted(name)}{hint} (`filterlaw figures --list` lists them)")

    from sim.files import NotWritten, require_writable_folder

    with bad_input():
        target = require_writable_folder(folder(output, "output"))
    written: list[Path] = []
    with progress_bar() as progress:
        task = progress.add_task("", total=len(wanted))
        for name in wanted:
            progress.update(task, description=name)
            try:
                written += room.render([name], target)
            except NotWritten as error:
                raise BadInput(str(error)) from error
            progress.advance(task)
    for path in written:
        print(path)
    return 0
