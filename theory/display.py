"""The ledger and a claim's page, for people: Rich tables and text.

A ledger row is made from the record that `theory.serialise` writes, so that the command line, pytest (whose workers
send records) and a reader of the JSON all show the same thing.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from theory.ledger import ClauseReport, Counterexample, Evidence, Measurement, Report, Verdict

STYLES = {
    Verdict.HOLDS: "green",
    Verdict.SUPPORTED: "green",
    Verdict.CORRECTED: "yellow",
    Verdict.CONDITIONAL: "yellow",
    Verdict.REFUTED: "magenta",
    Verdict.UNSUPPORTED: "magenta",
    Verdict.INCONCLUSIVE: "bold red",
}
PLAIN_WIDTH = 120


@dataclass(frozen=True)
class Row:
    """One line of the ledger; `rejected` of the `controls` tried were rejected, as they must be.

    undecided: the verdict is inconclusive only because recorded runs, checked as specified, leave a clause open.
    """

    id: str
    verdict: Verdict
    source: str
    statement: str
    rejected: int
    controls: int
    seconds: float
    undecided: bool = False

    @property
    def good(self) -> bool:
        """Whether the verdict is conclusive and every control was rejected."""
        return self.verdict != Verdict.INCONCLUSIVE and self.rejected == self.controls


def undecided(record: dict[str, Any]) -> bool:
    """Whether a claim's record is inconclusive only where data leave a clause open.

    That is a result, though never counted as a success: the effects of such a clause were measured, every control was
    rejected, and the intervals allow it to be true and to be false.
    """
    parts = [part for part in record.get("clauses", [record]) if part["verdict"] == Verdict.INCONCLUSIVE]
    return bool(parts) and all(_left_open(part) for part in parts)


def _left_open(part: dict[str, Any]) -> bool:
    measured = [line["kind"] == "data" and bool(line.get("measured")) for line in part["evidence"]]
    controls = [control["passed"] is True for control in part["controls"]]
    return bool(measured) and all(measured) and bool(controls) and all(controls)


def row(record: dict[str, Any], seconds: float) -> Row:
    """The ledger row of a claim's record (`theory.serialise.report_record`)."""
    controls = record["controls"]
    return Row(
        id=record["id"],
        verdict=Verdict(record["verdict"]),
        source=record["source"],
        statement=" ".join(record["statement"].split()),
        rejected=sum(control["passed"] is True for control in controls),
        controls=len(controls),
        seconds=seconds,
        undecided=undecided(record),
    )


def emit(renderable: RenderableType) -> None:
    """Print to standard output: on a terminal styled and as wide as it is; elsewhere plain, 120 columns or more.

    COLUMNS widens plain output further.
    """
    out = Console(highlight=False)
    if out.is_terminal:
        out.print(renderable)
    else:
        print(plain(renderable, max(PLAIN_WIDTH, out.width)))


def ledger_table(rows: Iterable[Row]) -> Table:
    """The ledger as a Rich table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=True)
    for name, width in (("id", 7), ("verdict", len(Verdict.INCONCLUSIVE))):
        table.add_column(name, no_wrap=True, min_width=width)
    table.add_column("source", no_wrap=True, overflow="ellipsis", ratio=2)
    table.add_column("what", no_wrap=True, overflow="ellipsis", ratio=3)
    for name in ("controls", "seconds"):
        table.add_column(name, no_wrap=True, justify="right", min_width=len(name))
    for r in rows:
        table.add_row(
            Text(r.id),
            Text(r.verdict, style=STYLES[r.verdict]),
            Text(r.source),
            Text(r.statement),
            Text(f"{r.rejected}/{r.controls}", style="" if r.rejected == r.controls else "bold red"),
            Text(f"{r.seconds:.1f}"),
        )
    return table


def summary(rows: Sequence[Row]) -> str:
    """One line: "N claims: a holds, b corrected, ...; controls x/y rejected", and what the data leave undecided."""
    counts = Counter(r.verdict for r in rows)
    verdicts = ", ".join(f"{counts[v]} {v}" for v in reversed(Verdict) if counts[v])
    claims = f"{len(rows)} claim{'' if len(rows) == 1 else 's'}"
    rejected, tried = sum(r.rejected for r in rows), sum(r.controls for r in rows)
    line = f"{claims}{': ' if verdicts else ''}{verdicts}; controls {rejected}/{tried} rejected"
    left = [r.id for r in rows if r.undecided]
    return f"{line}; inconclusive because the data decide neither way: {', '.join(left)}" if left else line


def ledger_lines(rows: Sequence[Row], width: int = PLAIN_WIDTH) -> list[str]:
    """The ledger and its summary as plain lines of at most `width` columns."""
    lines = plain(ledger_table(rows), width).splitlines() if rows else []
    return [*lines, *([""] if lines else []), summary(rows)]


def plain(renderable: RenderableType, width: int = PLAIN_WIDTH) -> str:
    """Anything Rich can render as plain text, without trailing spaces."""
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None, highlight=False).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def claim_page(report: Report) -> Group:
    """Everything about one claim: what is printed, what is true, why, and what was observed."""
    claim = report.claim
    parts: list[RenderableType] = [
        Text.assemble((claim.id, "bold"), "  ", (report.verdict, STYLES[report.verdict])),
        Text(claim.source),
        Padding(Text(claim.statement), (1, 0, 0, 0)),
    ]
    if claim.note:
        parts.append(Padding(Text(claim.note), (1, 0, 0, 0)))
    several = len(report.clauses) > 1
    for number, clause in enumerate(report.clauses, 1):
        if several:
            name = f" ({clause.clause.name})" if clause.clause.name else ""
            heading = Text(f"Clause {number} of {len(report.clauses)}{name}  ", style="bold")
            parts.append(Padding(heading.append(clause.verdict, STYLES[clause.verdict]), (1, 0, 0, 0)))
        parts += [Padding(part, (1, 0, 0, 0)) for part in _clause_parts(clause, worded=several)]
    return Group(*parts)


def _clause_parts(report: ClauseReport, *, worded: bool) -> Iterator[RenderableType]:
    clause = report.clause
    formulas: list[tuple[str, str]] = [("statement", clause.text)] if worded or clause.text else []
    formulas.append(("printed", str(clause.printed)))
    if clause.corrected is not None:
        formulas.append(("corrected", str(clause.corrected)))
    if clause.condition is not None:
        formulas.append(("holds if", str(clause.condition)))
    yield _pairs(formulas)
    if clause.empirical:
        yield Group(Text("Measured under", style="bold"), *(Text(f"  {h.text}") for h in clause.hypotheses))
    else:
        yield _hypotheses([h.text for h in clause.hypotheses], report.used)
        yield _derivation(report)
    if report.counterexample is not None:
        yield _counterexample(report.counterexample)
    effects = [effect for e in report.evidence if e.kind == "data" for effect in e.measured]
    if effects:
        yield _effects(effects)
    yield _evidence(report.evidence)
    yield _controls(report)


def _pairs(pairs: Iterable[tuple[str, str]], title: str | None = None) -> RenderableType:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, min_width=9)
    table.add_column(overflow="fold")
    for name, text in pairs:
        table.add_row(Text(name, style="dim"), Text(text))
    return table if title is None else Group(Text(title, style="bold"), Padding(table, (0, 0, 0, 2)))


def _hypotheses(stated: Sequence[str], used: Sequence[str]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("as stated", ratio=1)
    table.add_column("used by the derivation", ratio=1)
    for n in range(max(len(stated), len(used), 1)):
        table.add_row(*(Text(side[n] if n < len(side) else "" if n else "none") for side in (stated, used)))
    return Group(Text("Hypotheses", style="bold"), Padding(table, (0, 0, 0, 2)))


def _derivation(report: ClauseReport) -> RenderableType:
    steps = report.clause.derivation().steps
    lines: list[RenderableType] = [Text("Derivation", style="bold")]
    for number, step in enumerate(steps, 1):
        proven = ("proven", "green") if step.proven() else ("NOT PROVEN", "bold red")
        words, value = step.shown()
        formulas = [("", words) if value is None else (words, str(value))]
        if step.certificate is not None:
            formulas.append(("because", f"the difference is {step.certificate}"))
        if step.printed is not None:
            formulas.append(("printed", f"{step.printed}"))
        lines.append(Padding(Text.assemble(f"{number}. {step.text}  ", proven), (0, 0, 0, 2)))
        lines.append(Padding(_pairs(formulas), (0, 0, 0, 5)))
    if not steps:
        lines.append(Padding(Text("none"), (0, 0, 0, 2)))
    return Group(*lines)


def _counterexample(found: Counterexample) -> RenderableType:
    pairs = [
        ("at", ", ".join(f"{name} = {value}" for name, value in found.instance)),
        ("printed", found.printed),
        ("actual", found.actual),
        ("simulator", "shows the same" if found.reproduced else "DOES NOT SHOW IT"),
    ]
    if found.excluded is not None:
        pairs.append(("condition", "excludes it" if found.excluded else "DOES NOT EXCLUDE IT"))
    return _pairs(pairs, "Counterexample, in exact numbers")


def _evidence(evidence: Sequence[Evidence]) -> RenderableType:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("check", "of", "found"):
        table.add_column(name, no_wrap=True)
    for name in ("trials", "max error", "tolerance"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("detail", ratio=1, overflow="fold")
    for e in evidence:
        if e.kind == "control":
            continue
        table.add_row(
            Text(e.check or e.kind),
            Text(e.about),
            _found(e),
            Text(str(e.trials)),
            Text(_short(e.max_error)),
            Text(_short(e.tolerance)),
            Text(e.detail),
        )
    return Group(Text("Evidence", style="bold"), Padding(table, (0, 0, 0, 2)))


def _effects(effects: Sequence[Measurement]) -> RenderableType:
    """What was measured, as effects with their intervals."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("symbol", no_wrap=True)
    table.add_column("what", ratio=1, overflow="fold")
    for name in ("estimate", "interval", "confidence", "n"):
        table.add_column(name, no_wrap=True, justify="right")
    for m in effects:
        interval = f"[{m.low:.3g}, {m.high:.3g}]"
        table.add_row(
            *(Text(text) for text in (m.symbol, m.what, f"{m.estimate:.3g}", interval, f"{m.confidence:.1%}", str(m.n)))
        )
    data = Text(f"measured on {effects[0].data}; n counts {effects[0].units}", style="dim")
    return Group(Text("Effects", style="bold"), Padding(Group(table, data), (0, 0, 0, 2)))


def _controls(report: ClauseReport) -> RenderableType:
    """What each check made of each statement that is wrong on purpose."""
    tried = [e for e in report.evidence if e.kind == "control"]
    checks = list(dict.fromkeys(e.check for e in tried))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("wrong on purpose", overflow="fold")
    for check in checks:
        table.add_column(check, no_wrap=True)
    for n, control in enumerate(report.clause.controls):
        found = ([e for e in tried if e.check == check] for check in checks)
        table.add_row(Text(control.name), *(_found(of[n]) if n < len(of) else Text("") for of in found))
    return Group(Text("Controls", style="bold"), Padding(table, (0, 0, 0, 2)))


def _found(e: Evidence) -> Text:
    if e.kind == "control":
        if e.passed is None:
            return Text("not tried", style="red")
        return Text("rejected", style="green") if e.passed else Text("FOOLED", style="bold red")
    if e.passed is None:
        return Text("undecided", style="red")
    if e.kind == "counterexample":
        return Text("false" if e.passed else "none found")
    return Text("passes", style="green") if e.passed else Text("fails", style="yellow")


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.1e}"


def claims_table(rows: Iterable[tuple[str, str, str]]) -> Table:
    """Ids, sources and statements of claims, as a Rich table."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("source", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column("statement", ratio=1)
    for id_, source, statement in rows:
        table.add_row(Text(id_), Text(source), Text(" ".join(statement.split())))
    return table
