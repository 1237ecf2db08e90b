"""What an attack found: figures with their goals, and lists to be read beside them."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sim.files import atomic_write, require_writable

RECORDS = Path(__file__).parents[2] / "docs" / "attacks"
"""Where the findings of the full attacks are kept; the page on them is written from these files."""

Relation = Literal["=", ">=", "<=", ""]
_MEETS: Mapping[str, Callable[[float, float], bool]] = {"=": operator.eq, ">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Figure:
    """A number that an attack measured, with the goal that it must meet; without a relation it is for information.

    unit: what is counted, such as "%" or "s"; empty for plain counts.
    """

    name: str
    value: float
    relation: Relation = ""
    goal: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if bool(self.relation) != (self.goal is not None):
            raise ValueError(f"figure {self.name!r} must have a relation and a goal, or neither")

    @property
    def met(self) -> bool:
        """Whether the goal is met; a NaN meets none."""
        return self.goal is None or _MEETS[self.relation](self.value, self.goal)

    @property
    def line(self) -> str:
        """The figure as a row of a table."""
        goal = "" if self.goal is None else f"{self.relation} {_number(self.goal)}"
        return f"{self.name:<76} {_number(self.value):>9} {self.unit:<4} {goal:>9}{'' if self.met else '  MISSED'}"


@dataclass(frozen=True)
class Listing:
    """Lines to be read beside the figures: survivors with the reason why, damaged files, differing bytes."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """Everything that one attack reports."""

    figures: tuple[Figure, ...]
    listings: tuple[Listing, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every goal is met; an attack without a goal meets none."""
        return any(figure.relation for figure in self.figures) and all(figure.met for figure in self.figures)

    @property
    def table(self) -> str:
        """The figures, a line each."""
        return "\n".join(figure.line.rstrip() for figure in self.figures)


@dataclass(frozen=True)
class Plan:
    """How an attack is to be run.

    seed: what every random choice is drawn from. sample: a fast part of it (about a minute on two cores), drawn by
    the seed, instead of everything. say: takes a line of progress.
    """

    seed: int
    sample: bool
    say: Callable[[str], None] = print


def record_of(name: str) -> Path:
    """Where the findings of an attack are kept."""
    return RECORDS / f"{name}.json"


def keep(name: str, plan: Plan, findings: Findings, environment: Mapping[str, Any]) -> Path:
    """Write the findings of an attack where the page on them is made from; of a sample it says that it is one."""
    record = {
        "attack": name,
        "seed": plan.seed,
        "sample": plan.sample,
        "environment": dict(environment),
        **asdict(findings),
    }
    path = require_writable(record_of(name))
    atomic_write(path, json.dumps(record, indent=1, allow_nan=False) + "\n")
    return path


def kept(name: str) -> tuple[Findings, dict[str, Any]]:
    """The findings that were kept, and the whole record. Raises ValueError if there are none that can be read."""
    path = record_of(name)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        figures = tuple(Figure(**figure) for figure in record["figures"])
        listings = tuple(Listing(entry["title"], tuple(entry["lines"])) for entry in record["listings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"no findings can be read from {path.name!r}: run `make {name}`") from error
    return Findings(figures, listings), record


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"
