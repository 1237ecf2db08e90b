"""Kill long runs at random moments and inside their writings, starve them of disk, interrupt them: `make kills`."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import save

from sim.descent import descend
from sim.problem import GridProblem
from tests.attack.findings import Figure, Findings, Listing, Plan
from tests.attack.kills.controls import without
from tests.attack.kills.faults import FAULTS, Fault, Undisturbed, commands, fault, two_at_once, undisturbed
from tests.attack.kills.moments import Chain, Reference, chain, uninterrupted
from tests.attack.kills.settings import cifar_folder
from tests.attack.kills.targets import Target, targets
from tests.attack.kills.traced import NotTraced, Traced, traced

T = TypeVar("T")
PROCESSES = 2
LENGTH = 10
"""Kills in a chain."""
MOMENTS = {
    "training run": (60, 5),
    "filterlaw train": (8, 0),
    "trajectory of 49 weights": (54, 8),
    "filterlaw verify": (16, 2),
    "filterlaw verify on two processes": (6, 0),
}
"""Kills at random moments: of the whole attack, of a sample."""
WRITINGS = {
    "training run": ({"checkpoint": 28, "result": 6, "removal": 2}, {"checkpoint": 2}),
    "trajectory of 49 weights": ({"checkpoint": 28}, {"checkpoint": 3}),
    "filterlaw verify": ({"result": 3}, {}),
}
"""Kills inside a writing, of each kind: of the whole attack, of a sample."""
SHARED = {"train": True, "simulate filter": True, "verify --output --json": False}
"""Commands run by two processes at once, and whether the second must be refused."""
SAMPLED = 5
"""Faults in a sample."""


@dataclass
class _Work:
    """Where the attack works, and how."""

    plan: Plan
    folder: Path
    pool: ThreadPoolExecutor

    def rng(self, *of: int) -> np.random.Generator:
        return np.random.default_rng([self.plan.seed, *of])

    def each(self, calls: Sequence[Callable[[], T]]) -> list[T]:
        """The results of the calls, made side by side."""
        return [future.result() for future in [self.pool.submit(call) for call in calls]]


def attack(plan: Plan) -> Findings:
    """Kills, faults and controls, in figures."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(PROCESSES) as pool:
        work = _Work(plan, Path(name), pool)
        images = cifar_folder(work.folder / "images")
        parts = (_kills(work, images), _faults(work, images), _controls(work))
    return Findings(
        tuple(figure for part in parts for figure in part.figures),
        tuple(listing for part in parts for listing in part.listings),
    )


def _kills(work: _Work, images: Path) -> Findings:
    sample = work.plan.sample
    known = targets(images, sample=sample)
    runs = {name: target for name, target in known.items() if MOMENTS[name][sample]}
    work.plan.say(f"{len(runs)} uninterrupted runs")
    # compiled once, and not in one of the runs whose time is taken
    descend(GridProblem(np.full(49, 0.1)), np.ones(49), learning_rate=0.1, steps=1, check_stability=False)
    calls = [partial(uninterrupted, target, work.folder / f"whole-{i}") for i, target in enumerate(runs.values())]
    references = dict(zip(runs, work.each(calls), strict=True))
    inside, untraced = _inside(work, runs, references)
    random = {
        name: _at_random(work, i, target, references[name], MOMENTS[name][sample])
        for i, (name, target) in enumerate(runs.items())
    }
    total = sum((*random.values(), inside.chain), Chain())
    writings = Counter(dict(inside.inside))
    return Findings(
        (
            Figure("processes killed with SIGKILL at their work", total.kills, ">=", 20 if sample else 200),
            Figure("of these, at random moments", sum(each.kills for each in random.values())),
            Figure(
                "of these, inside the writing of a checkpoint, found by tracing",
                writings["checkpoint"],
                ">=",
                5 if sample else 50,
            ),
            Figure(
                "stores that could not be read, or not without a warning, after a kill", len(total.unreadable), "=", 0
            ),
            Figure("epochs or steps lost to one kill, at most (the one under way)", total.lost, "<=", 1),
            Figure("epochs or steps run twice, beyond one for each kill", total.excess, "=", 0),
            Figure("epochs or steps run in a run that was finished", total.again, "=", 0),
            Figure("runs that were taken up until they finished", total.finished),
            Figure("of these, with other numbers, records or weights than uninterrupted", len(total.differing), "=", 0),
            Figure("of these, that did not end with status 0", len(total.failed), "=", 0),
            Figure("temporary files left at once by kills, at most in one folder", total.litter, "<=", 3),
            Figure("temporary files left when a run had finished", total.stayed, "=", 0),
            Figure("kills that a process started by the killed one outlived by 20 s", total.orphans, "=", 0),
        ),
        (
            Listing("Kills at random moments", tuple(f"{name}: {each.kills}" for name, each in random.items())),
            Listing("Kills inside a writing", tuple(f"{place}: {count}" for place, count in inside.at) + untraced),
            Listing("What a kill broke", total.wrong),
        ),
    )


def _inside(
    work: _Work, runs: Mapping[str, Target], references: Mapping[str, Reference]
) -> tuple[Traced, tuple[str, ...]]:
    work.plan.say("kills inside writings")
    # a sample begins anywhere in the list of system calls
    calls = [
        partial(traced, runs[name], references[name], work.folder / f"traced-{i}", wanted[work.plan.sample],
                int(work.rng(1, i).integers(6)) if work.plan.sample else 0)
        for i, (name, wanted) in enumerate(WRITINGS.items()) if wanted[work.plan.sample]
    ]  # fmt: skip
    try:
        return sum(work.each(calls), Traced()), ()
    except NotTraced as error:
        return Traced(), (str(error),)


def _at_random(work: _Work, place: int, target: Target, reference: Reference, wanted: int) -> Chain:
    """Chains side by side until so many processes have been killed: the last of a chain may finish too early."""
    work.plan.say(f"{target.name}: {wanted} kills at random moments")
    found, begun = Chain(), 0
    while found.kills < wanted:
        left = wanted - found.kills
        lengths = [min(LENGTH, left - at) for at in range(0, left, LENGTH)]
        calls = []
        for length in lengths:
            folder = work.folder / f"random-{place}-{begun}"
            calls.append(partial(chain, target, reference, folder, length, work.rng(2, place, begun)))
            begun += 1
        found = sum(work.each(calls), found)
    return found


def _faults(work: _Work, images: Path) -> Findings:
    weights = work.folder / "weights.safetensors"
    generator = torch.Generator().manual_seed(0)
    tensors = {f"{i}.weight": torch.randn(4, 4, 3, 3, generator=generator) for i in range(2)}
    weights.write_bytes(save(tensors))
    listed = commands(images, weights)
    chosen = list(_chosen(work, listed))
    wanted = [target for target in listed if any(target is each for each, _ in chosen)]
    work.plan.say(f"{len(chosen)} faults in {len(wanted)} commands")
    frees = dict(
        zip(
            (target.name for target in wanted),
            work.each([partial(undisturbed, t, work.folder / f"free-{t.name}") for t in wanted]),
            strict=True,
        )
    )
    calls = [partial(_one, work, i, target, what, frees[target.name]) for i, (target, what) in enumerate(chosen)]
    answers = work.each(calls)
    made = [answer for answer in answers if answer is not None]
    wrong = tuple(line for answer in made for line in answer)
    broken = [answer for answer in made if answer]
    return Findings(
        (
            Figure("faults made (full disk, read-only, gone, Ctrl-C, SIGTERM, two at once)", len(made)),
            Figure("commands that write files, among which they were made", len(wanted)),
            Figure("faults without one clear line and the right status, or with damage", len(broken), "=", 0),
        ),
        (
            Listing("What a fault broke", wrong),
            Listing("Faults that cannot be made on this machine", tuple(
                f"{target.name}: {_name(what)}"
                for (target, what), answer in zip(chosen, answers, strict=True) if answer is None)),
        ),
    )  # fmt: skip


def _chosen(work: _Work, listed: Sequence[Target]) -> Iterator[tuple[Target, Fault | None]]:
    """Every command with every fault, None being a second process; for a sample a few of the quick commands."""
    every: list[tuple[Target, Fault | None]] = [(target, what) for target in listed for what in FAULTS]
    every += [(target, None) for target in listed if target.name in SHARED]
    if not work.plan.sample:
        yield from every
        return
    quick = [pair for pair in every if pair[0].name in ("simulate filter", "simulate layers", "simulate modes")]
    for index in work.rng(3).choice(len(quick), SAMPLED, replace=False):
        yield quick[int(index)]


def _one(work: _Work, place: int, target: Target, what: Fault | None, free: Undisturbed) -> tuple[str, ...] | None:
    folder = work.folder / f"fault-{place}"
    if what is None:
        return two_at_once(target, free, folder, refused=SHARED[target.name])
    return fault(target, what, free, folder, work.rng(4, place))


def _name(what: Fault | None) -> str:
    return "two processes" if what is None else what.name


def _controls(work: _Work) -> Findings:
    work.plan.say("controls: states that lack a part")
    found = list(without(work.rng(5) if work.plan.sample else None))
    parts = [(name, seen) for name, seen in found if name.startswith(("training: ", "trajectory: "))]
    whole = [(name, seen) for name, seen in found if (name, seen) not in parts]
    return Findings(
        (
            Figure("parts of a state left out, each by itself", len(parts)),
            Figure("of these, not noticed in the numbers that follow", sum(not seen for _, seen in parts), "=", 0),
            Figure("states with nothing left out that came to other numbers", sum(not s for _, s in whole), "=", 0),
        ),
        (Listing("Parts left out, and noticed", tuple(name for name, seen in parts if seen)),),
    )
