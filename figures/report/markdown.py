"""The report as Markdown: the same words and tables, formulas as SymPy writes them, figures by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from figures.report.contents import Contents, Entry, Part, Picture, count
from figures.report.tables import Table, controls, counterexample, evidence, measured
from theory.ledger import formula

FORMULAS = ("at", "printed", "actual")


def markdown(contents: Contents) -> str:
    """The whole document; the same contents give the same text."""
    return "\n".join(_document(contents)) + "\n"


def _document(contents: Contents) -> Iterator[str]:
    verdicts = [entry.verdict for entry in contents.entries]
    packages = contents.environment["packages"]
    yield from ("# filterlaw: the report", "")
    yield f"{len(verdicts)} claim{'' if len(verdicts) == 1 else 's'}: " + ", ".join(
        f"{n} {verdict}" for verdict, n in count(verdicts).items()
    )
    yield from ("", "## The ledger", "")
    ledger = [(e.claim.id, str(e.verdict), e.claim.statement, e.claim.source) for e in contents.entries]
    yield from _table(Table(("id", "verdict", "what is stated", "where"), tuple(ledger)))
    pictures = {picture.name: picture for picture in contents.pictures}
    for title, entries in contents.chapters().items():
        yield from ("", f"## {title}")
        for entry in entries:
            yield from _claim(entry, pictures)
    given = {key: str(value) for key, value in contents.environment.items() if key != "packages"}
    about = [*given.items(), *((name, version or "not installed") for name, version in packages.items())]
    yield from ("", "## Environment and seeds", "")
    yield from _table(Table(("", ""), tuple(about)))


def _claim(entry: Entry, pictures: Mapping[str, Picture]) -> Iterator[str]:
    yield from ("", f"### {entry.claim.id}: {entry.verdict}", "")
    yield from (_text(entry.claim.source), "", f"> {_text(entry.claim.statement)}")
    if entry.claim.note:
        yield from ("", _text(entry.claim.note))
    for number, part in enumerate(entry.parts, 1):
        if len(entry.parts) > 1:
            name = f": {part.clause.name}" if part.clause.name else ""
            yield from ("", f"#### Clause {number} of {len(entry.parts)}{_text(name)} ({part.verdict})")
        yield from _part(part)
    for name in entry.figures:
        if name in pictures:
            yield from ("", f"Figure `{name}`: {_text(pictures[name].title)}.")


def _part(part: Part) -> Iterator[str]:
    clause, found, effects = part.clause, counterexample(part), measured(part)
    if clause.text:
        yield from ("", _text(clause.text))
    yield ""
    for label, statement in (
        ("as printed", clause.printed),
        ("correct", clause.corrected),
        ("holds if", clause.condition),
    ):
        if statement is not None:
            yield f"- {label}: {_code(formula(statement))}"
    if found is not None:
        yield from ("", "Counterexample, in exact numbers:", "")
        yield from (f"- {label}: {_code(text) if label in FORMULAS else text}" for label, text in found.rows)
    if effects is not None:
        yield from ("", *_table(effects))
    yield from _list("Hypotheses as stated", [h.text for h in clause.hypotheses])
    yield from _list("Used by the derivation", part.derivation.used)
    if part.derivation.steps:
        yield from ("", "Derivation:", "")
    for n, (step, proven) in enumerate(zip(part.derivation.steps, part.proven, strict=True), 1):
        words, value = step.shown()
        claim = " ".join(each for each in (words, "" if value is None else _code(formula(value))) if each)
        yield f"{n}. {_text(step.text)}{'' if proven else ' (NOT PROVEN)'}: {claim}"
        if step.certificate is not None:
            yield f"   - since the difference is {_code(formula(step.certificate))}"
        if step.printed is not None:
            yield f"   - in print: {_code(formula(step.printed))}"
    yield from ("", *_table(evidence(part)), "", *_table(controls(part)))


def _list(title: str, texts: Sequence[str]) -> Iterator[str]:
    if texts:
        yield from ("", f"{title}:", "", *(f"- {_text(text)}" for text in texts))


def _table(table: Table) -> Iterator[str]:
    yield _row(table.header)
    yield _row(["--:" if n in table.numbers else "---" for n in range(len(table.header))])
    yield from (_row([_text(cell) for cell in row]) for row in table.rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _text(text: str) -> str:
    """Text on one line, nothing in which Markdown or HTML can read as markup."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(text.split()))


def _code(text: str | None) -> str:
    """Text as code, in a fence longer than any run of backticks in it."""
    inner = " ".join((text or "").split())
    fence = "`" * (max((len(run) for run in re.findall("`+", inner)), default=0) + 1)
    return f"{fence} {inner} {fence}" if "`" in inner else f"{fence}{inner}{fence}"
