"""What a report shows, gathered once: the ledger's records, the derivations behind them, and the figures.

The three forms of the report (`page`, `markdown`, `record`) are pure functions of these contents.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from figures.catalogue import FIGURES, figures_of, module_of
from theory.claims import all_claims, home
from theory.claims.stored import parts_of
from theory.derivation import Derivation
from theory.ledger import Claim, Clause, Verdict

CHAPTERS: Mapping[str, str] = {
    "single_filter": "One spatial filter",
    "layer_variance": "The variance of layer outputs",
    "correlated_init": "Correlated initialisation",
    "deep_linear": "Deep linear networks",
    "spectra": "Bounded singular values",
    "batch_norm": "Batch normalisation",
    "trained": "Trained networks",
    "": "Other claims",
}
PAPERS: Mapping[str, str] = {
    "C": "Schneider, Correlated Initialization",
    "S": "Jia et al., Singular Value Bounding",
    "X": "of our own, where print falls short",
}
LARGEST_SVG = 400_000
"""Bytes beyond which a figure goes into the page as PNG."""


@dataclass(frozen=True)
class Part:
    """A clause with its record in the ledger and its derivation; proven: which of its steps algebra confirms."""

    clause: Clause
    record: Mapping[str, Any]
    derivation: Derivation
    proven: tuple[bool, ...]

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.record["verdict"])


@dataclass(frozen=True)
class Entry:
    """A claim with its record in the ledger, its clauses, and the names of the figures that show it."""

    claim: Claim
    record: Mapping[str, Any]
    parts: tuple[Part, ...]
    figures: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.record["verdict"])

    @property
    def paper(self) -> str:
        """C, S or X: the first letter of the id."""
        return self.claim.id[0]

    @property
    def chapter(self) -> str:
        return home(self.claim.id).split(".")[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of evidence that were gathered, in the order of the checks."""
        return list(dict.fromkeys(line["kind"] for part in self.parts for line in part.record["evidence"]))

    @property
    def controls(self) -> tuple[int, int]:
        """How many controls were rejected, and how many were tried."""
        tried = [line["passed"] for part in self.parts for line in part.record["controls"]]
        return sum(passed is True for passed in tried), len(tried)


@dataclass(frozen=True)
class Picture:
    """A figure as the bytes of an image, with what it was made from.

    claims: those of the report that it shows; beside: the foremost of them, which it is printed with.
    """

    name: str
    title: str
    text: str
    source: str
    claims: tuple[str, ...]
    beside: str
    parameters: str
    seed: int | None
    media: str
    image: bytes


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows."""

    environment: Mapping[str, Any]
    entries: tuple[Entry, ...]
    pictures: tuple[Picture, ...]

    def chapters(self) -> dict[str, list[Entry]]:
        """The claims by chapter, in order: a chapter's title -> its claims."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(CHAPTERS.get(entry.chapter, entry.chapter.replace("_", " ").capitalize()), []).append(
                entry
            )
        return found


def gather(
    ledger: Mapping[str, Any],
    *,
    draw: bool = True,
    on_progress: Callable[[str], object] = lambda name: None,
) -> Contents:
    """The contents of a report on a ledger (`theory.claims.stored.checked`); draw: whether the figures are drawn.

    on_progress(name) is called before each claim's derivation is proven and before each figure is drawn.
    """
    entries = []
    for record in ledger["claims"]:
        on_progress(record["id"])
        entries.append(_entry(record))
    shown = {entry.claim.id for entry in entries}
    names = [name for name, figure in FIGURES.items() if draw and shown.intersection(figure.claims)]
    pictures = []
    for name in names:
        on_progress(name)
        pictures.append(_picture(name, shown))
    return Contents(ledger["environment"], tuple(entries), tuple(pictures))


def _entry(record: Mapping[str, Any]) -> Entry:
    claim = all_claims()[record["id"]]
    return Entry(
        claim=claim,
        record=record,
        parts=tuple(_part(clause, part) for clause, part in zip(claim.clauses, parts_of(record), strict=True)),
        figures=tuple(figures_of(claim.id)),
    )


def _part(clause: Clause, record: Mapping[str, Any]) -> Part:
    derivation = clause.derivation()
    return Part(clause, record, derivation, tuple(step.proven() for step in derivation.steps))


def _picture(name: str, shown: set[str]) -> Picture:
    from figures.style import encode

    entry, module = FIGURES[name], importlib.import_module(module_of(name))
    claims = tuple(id_ for id_ in entry.claims if id_ in shown)
    figure = module.draw()
    media, kind = "image/svg+xml", "svg"
    image = _compact(encode(figure, kind, entry.title, module.PARAMETERS, module.SEED))
    if len(image) > LARGEST_SVG:
        media, image = "image/png", encode(figure, "png", entry.title, module.PARAMETERS, module.SEED)
    return Picture(
        name=name,
        title=entry.title,
        text=(module.__doc__ or entry.title).strip().splitlines()[0],
        source=entry.source,
        claims=claims,
        beside=claims[0],
        parameters="; ".join(f"{key} = {value}" for key, value in module.PARAMETERS.items()),
        seed=module.SEED,
        media=media,
        image=image,
    )


def _compact(svg: bytes) -> bytes:
    """The picture without comments and indentation."""
    return re.sub(rb"\n\s*", b"\n", re.sub(rb"<!--.*?-->", b"", svg, flags=re.DOTALL))


def count(verdicts: Sequence[Verdict]) -> dict[Verdict, int]:
    """How many claims have each verdict, the best verdict first, those that do not occur left out."""
    return {verdict: verdicts.count(verdict) for verdict in reversed(Verdict) if verdict in verdicts}
