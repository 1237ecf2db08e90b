"""Arms of an experiment with training runs, compared seed by seed.

Runs of one seed share the order of the images and the test set, so that differences between two arms are taken within
a seed and only then averaged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sim.records import NotRecorded, TrainingRun

SETUP = ("network", "width", "batch_norm", "data", "train", "test", "batch_size", "momentum", "augment", "epochs")
"""Settings that runs must share to be compared, whatever the arms differ in."""


@dataclass(frozen=True)
class Above:
    """Any number above a bound."""

    bound: float

    def __str__(self) -> str:
        return f"above {self.bound:g}"


@dataclass(frozen=True)
class Below:
    """Any number below a bound."""

    bound: float

    def __str__(self) -> str:
        return f"below {self.bound:g}"


@dataclass(frozen=True)
class Arm:
    """Runs of certain settings. having: settings with their values; lacking: settings with values not to be had.

    A tuple stands for any one of its entries, `Above` and `Below` for a range.
    """

    name: str
    having: Mapping[str, Any]
    lacking: Mapping[str, Any] = field(default_factory=dict)

    def holds(self, run: TrainingRun) -> bool:
        """Whether a run belongs to this arm."""
        has = all(_is(run.settings.get(name), value) for name, value in self.having.items())
        return has and not any(_is(run.settings.get(name), value) for name, value in self.lacking.items())

    def but(self, **changes: Any) -> Arm:
        """The same arm with other values of some settings; they are added to its name."""
        listed = ", ".join(f"{name} = {value}" for name, value in changes.items())
        return Arm(f"{self.name}, {listed}", {**self.having, **changes}, self.lacking)


def _is(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Above | Below):
        known = isinstance(found, int | float)
        return known and (found > wanted.bound if isinstance(wanted, Above) else found < wanted.bound)
    return found in wanted if isinstance(wanted, tuple) else bool(found == wanted)


def by_seed(runs: Sequence[TrainingRun], *arms: Arm, free: Sequence[str] = ()) -> tuple[tuple[TrainingRun, ...], ...]:
    """For each seed, ascending, one run of each arm.

    free: settings of `SETUP` in which arms may differ from each other.
    Raises NotRecorded if an arm has no run, or not the seeds of the others (a run that failed must not drop out
    unseen), if it has a seed twice, or if runs differ in `SETUP`.
    """
    columns = [_of_seed([run for run in runs if arm.holds(run)], arm) for arm in arms]
    seeds = sorted({seed for column in columns for seed in column})
    for arm, column in zip(arms, columns, strict=True):
        absent = [seed for seed in seeds if seed not in column]
        if absent:
            listed = ", ".join(map(str, absent))
            raise NotRecorded(f"no run of {arm.name!r} with seed {listed}, which another arm has")
    rows = tuple(tuple(column[seed] for column in columns) for seed in seeds)
    _require_one_setup([run for row in rows for run in row], free)
    return rows


def _of_seed(runs: Sequence[TrainingRun], arm: Arm) -> dict[int, TrainingRun]:
    if not runs:
        listed = ", ".join(f"{name} = {value}" for name, value in arm.having.items())
        raise NotRecorded(f"no run of {arm.name!r} ({listed})")
    _require_one_setup(runs)
    column: dict[int, TrainingRun] = {}
    for run in runs:
        if run.seed in column:
            first = column[run.seed].settings
            differing = sorted(n for n in {*first, *run.settings} if first.get(n) != run.settings.get(n))
            raise NotRecorded(f"two runs of {arm.name!r} with seed {run.seed}; they differ in {', '.join(differing)}")
        column[run.seed] = run
    return column


def _require_one_setup(runs: Sequence[TrainingRun], free: Sequence[str] = ()) -> None:
    for name in (name for name in SETUP if name not in free):
        found = {str(run.settings.get(name)) for run in runs}
        if len(found) > 1:
            raise NotRecorded(f"runs to be compared must have one {name}, got {', '.join(sorted(found))}")
