"""`python -m tests.attack [NAME...]`: attack the suite, print the figures, fail if a goal is missed."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from sim.files import require_writable
from tests.attack.findings import Findings, Plan, keep, record_of
from theory.serialise import environment

ATTACKS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/attack.py")))
"""Every folder here with an `attack.py`, which offers `attack(plan) -> Findings`."""


def main(arguments: Sequence[str]) -> int:
    """Run the attacks asked for (none: all); 0 if every goal is met, 1 if one is missed, 2 for bad usage."""
    asked = _parser().parse_args(arguments)
    unknown = [name for name in asked.names if name not in ATTACKS]
    if unknown:
        print(f"unknown attack {unknown[0]!r} (attacks: {', '.join(ATTACKS)})", file=sys.stderr)
        return 2
    if asked.seed is not None and asked.seed < 0:
        print(f"--seed must be at least 0, got {asked.seed}", file=sys.stderr)
        return 2
    # a sample that is always the same one would become what is tuned for
    drawn = secrets.randbelow(10**6) if asked.sample else 0
    plan = Plan(drawn if asked.seed is None else asked.seed, asked.sample, lambda line: print(f"  {line}", flush=True))
    missed = 0
    if asked.record:
        for name in asked.names or ATTACKS:
            require_writable(record_of(name))
    for name in asked.names or ATTACKS:
        missed += not _run(name, plan, asked.record)
    return int(missed > 0)


def _run(name: str, plan: Plan, record: bool) -> bool:
    again = f"python -m tests.attack {name}{' --sample' if plan.sample else ''} --seed {plan.seed}"
    print(f"{name} ({again})", flush=True)
    start = time.perf_counter()
    findings: Findings = import_module(f"{__package__}.{name}.attack").attack(plan)
    print(findings.table)
    for listing in findings.listings:
        print(f"{listing.title}:", *(f"  {line}" for line in listing.lines or ("none",)), sep="\n")
    print(f"{name}: {'every goal met' if findings.met else 'MISSED'}, {time.perf_counter() - start:.0f} s", flush=True)
    if record:
        print(f"kept in docs/attacks/{keep(name, plan, findings, environment()).name}")
    return findings.met


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(ATTACKS)}; none: all")
    parser.add_argument("--sample", action="store_true", help="a fast sample, drawn from a seed that is printed")
    parser.add_argument("--seed", type=int, help="what is drawn is drawn from this (default: 0; new for a sample)")
    parser.add_argument("--record", action="store_true", help="keep the findings for docs/attacks.md")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
