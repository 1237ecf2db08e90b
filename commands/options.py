"""What the commands share: options, their parsers, and how bad input reaches the user.

The parsers are our own, because Typer's messages leave out the value received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from theory.ledger import Claim


class BadInput(Exception):
    """Input that cannot be used; the message is all that the user sees."""


class Unfinished(Exception):
    """Work that was begun and could not be finished; the message is all that the user sees."""


LARGEST = 10**13
"""Of counts: arrays of more entries than that fit no machine, and loops of more steps end on none."""


def quoted(text: str) -> str:
    """What was received, on one line and not too long: as `sim.errors.printable`, but without NumPy to be imported."""
    written = repr(text)
    return written if len(written) <= 60 else f"{written[:57]}..."


def integer(name: str, minimum: int, maximum: int | None = LARGEST) -> Callable[[str], int]:
    """A parser of integers in [minimum, maximum]."""

    def parse(text: str) -> int:
        with suppress(ValueError):
            value = int(text)
            if maximum is not None and value > maximum:
                raise BadInput(f"{name} must be at most {maximum:,}, got {quoted(text)}")
            if value >= minimum:
                return value
        raise BadInput(f"{name} must be an integer >= {minimum}, got {quoted(text)}")

    return parse


def folder(value: str, name: str) -> str:
    """A folder's name as it is. ValueError for one that can be none: empty, or with a zero byte in it."""
    if not value or "\0" in value:
        raise ValueError(f"{name} must name a folder, got {quoted(value)}")
    return value


def number(name: str) -> Callable[[str], float]:
    """A parser of numbers."""

    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise BadInput(f"{name} must be a number, got {quoted(text)}") from None

    return parse


def numbers(name: str) -> Callable[[str], list[float]]:
    """A parser of comma-separated numbers."""

    def parse(text: str) -> list[float]:
        try:
            return [float(part) for part in text.split(",")]
        except ValueError:
            raise BadInput(f"{name} must be comma-separated numbers, got {quoted(text)}") from None

    return parse


def count(name: str) -> Callable[[str], int]:
    """A parser of positive integers."""

    return integer(name, 1)


def option(name: str, parser: Callable[[str], Callable[[str], Any]], help: str, metavar: str) -> Any:
    """An option `--name` whose parser knows its name."""

    return typer.Option(f"--{name.replace('_', '-')}", parser=parser(name), metavar=metavar, help=help)


def choice(name: str, choices: Sequence[str]) -> Callable[[str], str]:
    """A parser of one of a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise BadInput(f"{name} must be one of {', '.join(choices)}, got {quoted(text)}")
        return text

    return parse


SeedOption = Annotated[
    int, typer.Option("--seed", parser=integer("seed", 0, None), metavar="N", help="Seed of every random draw.")
]
JsonOption = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Also write the result as JSON.")]
LEVELS = ("symbolic", "simulation", "cnn")
LevelOption = Annotated[
    Literal["symbolic", "simulation", "cnn"],
    typer.Option(
        "--level",
        parser=choice("level", LEVELS),
        metavar="|".join(LEVELS),
        help="How far to check: derivations only, also the simulator, also real layers and recorded training runs.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", parser=integer("jobs", 1), metavar="N", help="Processes to use (default: one per core)."),
]
RecordsOption = Annotated[
    str | None,
    typer.Option(
        "--records", metavar="DIR", help="Judge empirical claims by the runs in this folder (see `filterlaw train`)."
    ),
]


@contextmanager
def bad_input() -> Iterator[None]:
    """Turn the error of a boundary check, or that another process holds what is asked for, into one line."""
    try:
        yield
    except BlockingIOError as error:
        raise Unfinished(str(error)) from error
    except (ValueError, TypeError) as error:
        raise BadInput(str(error)) from error


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A progress bar on standard error, shown only where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        yield progress


def claims_asked(ids: Sequence[str], level: str) -> list[Claim]:
    """The claims with these ids, or all that the level can judge, once it is known that it can be checked here.

    Empirical claims are judged at level cnn; below it they are left out unless asked for by id.
    """
    from importlib.util import find_spec

    from theory.claims import find

    if level == "cnn" and find_spec("torch") is None:
        raise BadInput("level cnn needs torch: pip install 'filterlaw[torch]', or ask for --level simulation")
    with bad_input():
        return [claim for claim in find(ids) if ids or level == "cnn" or not claim.empirical]


def require_records(folder: str | None, level: str) -> None:
    """ValueError unless a folder of records, if one is given, can be judged by."""
    if folder is None:
        return
    if level != "cnn":
        raise ValueError(f"records are judged at level cnn, got level {level}")
    from sim.records import read_folder

    read_folder(folder)
