"""Mutants that are known to change nothing, each with the reason why."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.attack.mutants.sources import Mutant
from tests.attack.mutants.workshop import ROOT

LIST = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """A change of one file (its lines, stripped) that no test can notice, because of `reason`."""

    file: str
    function: str
    before: str
    after: str
    reason: str


@cache
def equivalents() -> tuple[Equivalent, ...]:
    """The list. Raises ValueError for an entry whose lines are not in its file any more, or one without a reason."""
    entries = tuple(Equivalent(**entry) for entry in tomllib.loads(LIST.read_text(encoding="utf-8"))["equivalent"])
    for entry in entries:
        require_current(entry, (ROOT / entry.file).read_text(encoding="utf-8"))
    return entries


def require_current(entry: Equivalent, source: str) -> None:
    """Raises ValueError if the lines of an entry are not in the source text, or if it gives no reason."""
    lines = [line.strip() for line in source.splitlines()]
    wanted = entry.before.split("\n")
    if not any(lines[n : n + len(wanted)] == wanted for n in range(len(lines))):
        raise ValueError(f"{LIST.name} lists a line that {entry.file} does not have: {entry.before}")
    if not entry.reason.strip():
        raise ValueError(f"{LIST.name} must give a reason why this changes nothing: {entry.before} -> {entry.after}")


_ASSUMED = re.compile(r",\s*(?:real|positive|nonnegative|nonzero|integer|finite)=True")
_UNASSUMED = re.compile(r",\s*(?:(?:real|positive|nonnegative|nonzero|integer|finite)=(?:None|False))?(?=\s*[,)])")


def weaker(mutant: Mutant) -> bool:
    """Whether a mutant takes one assumption from a symbol, or turns it to its opposite, and does nothing else.

    If it survives, every step is proven without it, or under it and under its opposite, and says the same of more.
    """
    assumed = list(_ASSUMED.finditer(mutant.before))
    without = [mutant.before[: found.start()] + mutant.before[found.end() :] for found in assumed]
    return mutant.file.startswith("theory/derive/") and _UNASSUMED.sub("", mutant.after) in without


_NAMED = re.compile(r'(\b(?:Symbol|symbols|IndexedBase|Dummy)\()"[^"]*"')


def renamed(mutant: Mutant) -> bool:
    """Whether a mutant gives a symbol another name and does nothing else.

    If it survives, no instance gives it a value by its name and no other symbol is called so: all is said as before.
    """
    before, after = (_NAMED.sub(r"\1", line) for line in (mutant.before, mutant.after))
    return mutant.file.startswith("theory/derive/") and before == after


_CERTIFICATE = re.compile(r"\s*\bcertificate=[^=]*,$")


def uncertified(mutant: Mutant) -> bool:
    """Whether a mutant takes the certificate from a step and does nothing else.

    If it survives, the sign of the difference is evident without: the certificate tells the reader, not the proof.
    """
    taken = mutant.after.strip() in ("", "certificate=None,")
    return mutant.file.startswith("theory/derive/") and taken and bool(_CERTIFICATE.fullmatch(mutant.before.rstrip()))


_RULES = (
    (weaker, "an assumption on a symbol that no proof needs"),
    (renamed, "the name of a symbol within a proof"),
    (uncertified, "a certificate for a sign that is evident without"),
)


def by_rule(mutant: Mutant) -> bool:
    """Whether a rule tells what a mutant is; such a one is known to change nothing only once it has survived."""
    return any(rule(mutant) for rule, _ in _RULES)


def known(mutant: Mutant, listed: Sequence[Equivalent]) -> str | None:
    """The reason why a mutant that survives changes nothing, or None if there is none."""
    for rule, reason in _RULES:
        if rule(mutant):
            return reason
    same = (
        entry.reason
        for entry in listed
        if (entry.file, entry.function, entry.before, entry.after)
        == (mutant.file, mutant.function, mutant.before, mutant.after)
    )
    return next(same, None)
