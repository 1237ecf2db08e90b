"""How many wrong lines the tests notice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from scipy.stats import binom, binomtest

from tests.attack.findings import Figure, Findings, Listing, Plan
from tests.attack.mutants.equivalent import Equivalent, by_rule, equivalents, known
from tests.attack.mutants.scope import GROUPS
from tests.attack.mutants.sources import Mutant
from tests.attack.mutants.trial import Bench, Tried, drawn
from tests.attack.mutants.workshop import workshop

GOAL = 95.0
"""Per cent of the mutants not shown to be equivalent that must be killed."""
SAMPLED_GOAL, CHANCE = 90.0, 0.1
"""Per cent: a sample, which has no second round, fails if so few are killed by chance more rarely than CHANCE, where
the tests of a file alone kill SAMPLED_GOAL of all."""
AT_ONCE = 2


def attack(plan: Plan) -> Findings:
    """Draw mutants from every group and try them.

    Raises ValueError if a listed equivalent names a line that is not there any more, RuntimeError if a test fails with
    nothing changed.
    """
    listed = equivalents()
    exist: dict[str, int] = {}
    mutants: dict[str, list[Mutant]] = {}
    for group in GROUPS:
        mutants[group.name], exist[group.name] = drawn(group, plan)
        plan.say(f"{group.name}: {len(mutants[group.name])} drawn of {exist[group.name]}")
    with (
        workshop(min(AT_ONCE, len(os.sched_getaffinity(0)))) as shop,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        bench = Bench(shop)

        def attempt(mutant: Mutant) -> Tried:
            # a second round takes minutes, and what is listed as equivalent has been through it
            tried = bench.attempt(mutant, again=not plan.sample and (by_rule(mutant) or known(mutant, listed) is None))
            if not tried.killed and known(mutant, listed) is None:
                plan.say(f"{tried.outcome}: {mutant.line}")
            return tried

        broken = list(pool.map(attempt, breakers(mutants)))
        tried = {}
        for name, some in mutants.items():
            tried[name] = list(pool.map(attempt, some))
            plan.say(f"{name}: {sum(one.killed for one in tried[name])} of {len(some)} killed")
    return findings(plan, exist, tried, broken, listed)


def breakers(mutants: Mapping[str, Sequence[Mutant]]) -> list[Mutant]:
    """A change in every group that nothing survives: a module that raises when it is imported."""
    return [
        replace(some[0], operator="breaker", function="", before="", after="raise", text="raise RuntimeError\n")
        for some in mutants.values()
    ]


def findings(
    plan: Plan,
    exist: dict[str, int],
    tried: dict[str, list[Tried]],
    broken: Sequence[Tried],
    listed: Sequence[Equivalent],
) -> Findings:
    """The figures and lists of what became of mutants."""
    everything = [one for some in tried.values() for one in some]
    killed = [one for one in everything if one.killed]
    living = [one for one in everything if not one.killed]
    reasons = {one.mutant: known(one.mutant, listed) for one in living}
    judged = len(everything) - sum(reason is not None for reason in reasons.values())
    figures = [
        Figure("mutants that there are", sum(exist.values())),
        Figure("mutants drawn and tried", len(everything)),
        *(figure for name in tried for figure in _of_group(name, exist[name], tried[name])),
        Figure("killed, of all that were tried", _share(len(killed), len(everything)), unit="%"),
        Figure("survivors that are shown to be equivalent", len(everything) - judged),
        Figure("survivors that ran out of time", sum(one.outcome == "ran out of time" for one in living)),
    ]
    share = _share(len(killed), judged)
    name = "killed, of those not shown to be equivalent"
    if plan.sample:
        chance = 100 * float(binom.cdf(len(killed), judged, SAMPLED_GOAL / 100))
        figures += [
            Figure(name, share, unit="%"),
            Figure(
                f"chance of so few if {SAMPLED_GOAL:.0f} % of all are killed in the first round",
                chance,
                ">=",
                CHANCE,
                "%",
            ),
        ]
    else:
        figures.append(Figure(name, share, ">=", GOAL, "%"))
        # the files count alike, whatever their size: the interval is of a mutant of a file drawn at random
        low = binomtest(len(killed), judged).proportion_ci(0.95, "exact").low if judged else 0.0
        figures.append(Figure("lower end of its 95 % interval, as of a random draw", 100 * low, unit="%"))
    figures.append(Figure("modules that break when imported, unnoticed", sum(not one.killed for one in broken), "=", 0))
    open_ = sorted(f"{one.mutant.line} ({one.outcome})" for one in living if reasons[one.mutant] is None)
    shown = sorted(f"{one.mutant.line}: {reasons[one.mutant]}" for one in living if reasons[one.mutant] is not None)
    stale = sorted(one.mutant.line for one in killed if not by_rule(one.mutant) and known(one.mutant, listed))
    figures.append(Figure("mutants that are listed as equivalent and yet killed", len(stale), "=", 0))
    return Findings(
        tuple(figures),
        (
            Listing("Survivors", tuple(open_)),
            Listing("Survivors that change nothing, and why", tuple(shown)),
            Listing("Listed as equivalent, and yet killed", tuple(stale)),
        ),
    )


def _of_group(name: str, exist: int, tried: Sequence[Tried]) -> tuple[Figure, ...]:
    tools = Counter(one.mutant.tool for one in tried)
    by = " and ".join(sorted(tools))
    killed = sum(one.killed for one in tried)
    return (
        Figure(f"{name}, by {by}: tried of {exist:,}", len(tried)),
        Figure(f"{name}, by {by}: killed", _share(killed, len(tried)), unit="%"),
    )


def _share(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 100.0
