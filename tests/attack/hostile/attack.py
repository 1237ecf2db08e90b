"""Everything that is hostile or broken: files, command lines, calls, addresses, and requests from elsewhere."""

from __future__ import annotations

import ast
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from commands.serve import HOST
from tests.attack.findings import Figure, Findings, Listing, Plan
from tests.attack.hostile import doors
from tests.attack.hostile.addresses import bad_addresses, judge_address
from tests.attack.hostile.commands import (
    PREFIX,
    bad_calls,
    command_line,
    extreme_calls,
    judge_bad,
    judge_extreme,
    playground,
)
from tests.attack.hostile.files import Tally, judge_damaged, judge_made, made
from tests.attack.hostile.functions import bad_function_calls, judge_function_call, refused_rights
from tests.attack.hostile.trial import CONSTANT, PATIENCE
from tests.test_architecture import SOURCES, unsafe_calls

Item = TypeVar("Item")

DAMAGED, FEW_DAMAGED = 100_000, 2_000
CALLS, PROCESSES = 60, 20
"""Of each kind of call in a sample; command lines that are given to a process of their own."""
ROUTES = 12
"""Routes that a sample knocks at."""


def attack(plan: Plan) -> Findings:
    """Give hostile files to the loaders, bad calls to commands, functions and pages, and knock at every route."""
    rng = np.random.default_rng(plan.seed)
    figures, broken = _files(plan)
    for found in (_commands(plan, rng), _functions(plan, rng), _addresses(plan, rng), _doors(plan, rng)):
        figures += found[0]
        broken += found[1]
    figures.append(Figure("ways to run code from data on the syntax tree of the package", _unsafe(SOURCES), "=", 0))
    listing = Listing("What broke", tuple(broken))
    return Findings(tuple(figures), (listing,))


def _files(plan: Plan) -> tuple[list[Figure], list[str]]:
    by_hand = judge_made(made, plan.say)
    at_random = judge_damaged(FEW_DAMAGED if plan.sample else DAMAGED, plan.seed, plan.say)
    both = (by_hand, at_random)
    figures = [
        Figure("hand-made hostile files", by_hand.count, ">=", 50),
        *_outcomes(by_hand, "hand-made files"),
        Figure("files damaged at random", at_random.count, ">=", FEW_DAMAGED if plan.sample else DAMAGED),
        *_outcomes(at_random, "files damaged at random"),
        Figure(
            "memory beyond twice a file's size, at most",
            max(0, *(tally.beyond for tally in both)) / 2**20,
            "<=",
            CONSTANT / 2**20,
            "MiB",
        ),
        Figure("time for a file, at most", round(max(tally.slowest for tally in both), 1), "<=", PATIENCE, "s"),
    ]
    return figures, [line for tally in both for line in tally.broken]


def _outcomes(tally: Tally, what: str) -> list[Figure]:
    return [
        Figure(f"{what}: refused by one clear error", tally.outcomes["refused"]),
        Figure(f"{what}: accepted, finite and consistent", tally.outcomes["accepted"]),
        Figure(f"{what}: code run, crash, hang, NaN or unclear error", tally.outcomes["broken"], "=", 0),
    ]


def _commands(plan: Plan, rng: np.random.Generator) -> tuple[list[Figure], list[str]]:
    bad, extreme = bad_calls(), extreme_calls()
    plan.say(f"{len(bad)} bad command lines, {len(extreme)} with extreme numbers")
    with tempfile.TemporaryDirectory() as folder, playground(Path(folder)):
        bad_lines = _judged(_some(plan, rng, bad), judge_bad)
        extreme_lines = _judged(_some(plan, rng, extreme), judge_extreme)
        # a zero byte cannot be handed to a process, nor can half a character
        real = [call for call in bad if call.arguments and "\0" not in "".join(call.arguments)]
        drawn = [real[n] for n in rng.permutation(len(real))[: 4 if plan.sample else PROCESSES]]
        process_lines = _judged(drawn, _judge_process)
    figures = [
        *_counted("bad command lines, generated from the commands", bad_lines, 0 if plan.sample else 300),
        *_counted("bad command lines in processes of their own", process_lines),
        *_counted("command lines with extreme numbers", extreme_lines),
    ]
    return figures, _wrong(bad_lines, extreme_lines, process_lines)


def _judge_process(call: Any) -> str | None:
    done = subprocess.run(command_line(call), capture_output=True, text=True, timeout=120, check=False)
    one_line = done.stderr.startswith(PREFIX) and done.stderr.count("\n") == 1
    return (
        None if (done.returncode, done.stdout) == (2, "") and one_line else f"{done.returncode}: {done.stderr[-200:]}"
    )


def _functions(plan: Plan, rng: np.random.Generator) -> tuple[list[Figure], list[str]]:
    calls = bad_function_calls()
    plan.say(f"{len(calls)} bad calls of functions")
    lines = _judged(_some(plan, rng, calls), judge_function_call)
    refused = refused_rights()
    figures = [
        *_counted("bad calls of functions, generated from right ones", lines, 0 if plan.sample else 300),
        Figure("the right calls of these functions that are refused", len(refused), "=", 0),
    ]
    return figures, [*_wrong(lines), *refused]


def _addresses(plan: Plan, rng: np.random.Generator) -> tuple[list[Figure], list[str]]:
    seen: set[tuple[Any, ...]] = set()
    addresses = bad_addresses()
    plan.say(f"{len(addresses)} bad addresses of the explorer")
    lines = _judged(_some(plan, rng, addresses), lambda address: judge_address(address, seen))
    return _counted("bad addresses of the explorer's pages", lines, 0 if plan.sample else 300), _wrong(lines)


def _doors(plan: Plan, rng: np.random.Generator) -> tuple[list[Figure], list[str]]:
    known = doors.routes()
    some = sorted(str(path) for path in rng.permutation(known)[:ROUTES]) if plan.sample else known
    plan.say(f"{len(some)} of {len(known)} routes, {len(doors.requests())} wrong requests to each")
    with doors.running() as door:
        addresses = doors.listening(door.process)
        opens = doors.socket_opens(door)
        right = [wrong for path in known if (wrong := doors.let_down(door, path))]
        passed = [
            wrong
            for path in some
            for knock, upgrade in doors.requests()
            if (wrong := doors.let_in(door, path, knock, upgrade=upgrade))
        ]
    figures = [
        Figure("addresses at which the explorer listens", len(addresses), "=", 1),
        Figure("of them beyond this machine", sum(address != HOST for address in addresses), "=", 0),
        Figure("routes of the running application", len(known), ">=", 40),
        Figure("wrong requests, HTTP and WebSocket", len(some) * len(doors.requests())),
        Figure("wrong requests that were let in", len(passed), "=", 0),
        Figure("right requests that were not answered as they should be", len(right) + (not opens), "=", 0),
    ]
    return figures, [*passed, *right]


Lines = list[tuple[str, str | None]]


def _judged(calls: Sequence[Any], judge: Callable[[Any], str | None]) -> Lines:
    """Each call's label, and what is wrong with how it ended."""
    return [(call.label, judge(call)) for call in calls]


def _counted(what: str, lines: Lines, least: int = 0) -> list[Figure]:
    count, wrong = len(lines), sum(found is not None for _, found in lines)
    first = Figure(what, count, ">=", least) if least else Figure(what, count)
    return [first, Figure(f"{what}: not as they should end", wrong, "=", 0)]


def _wrong(*several: Lines) -> list[str]:
    found = [(label, wrong) for lines in several for label, wrong in lines if wrong is not None]
    return [f"{label[:80]}: {wrong[:300]}".encode("ascii", "backslashreplace").decode() for label, wrong in found]


def _some(plan: Plan, rng: np.random.Generator, items: Sequence[Item]) -> list[Item]:
    """All of them, or the sample's share, drawn anew."""
    return [items[n] for n in sorted(rng.permutation(len(items))[:CALLS])] if plan.sample else list(items)


def _unsafe(sources: Iterable[Path]) -> int:
    """How often the package could run code from data, by the rules of the architecture's test and by bare names."""
    count = 0
    for path in sources:
        source = path.read_text(encoding="utf-8")
        names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
        count += len(list(unsafe_calls(source))) + len(names & {"sympify", "parse_expr", "eval", "exec", "__import__"})
    return count
