"""`filterlaw report`: the ledger with all that it rests on, to read."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import (
    BadInput,
    JobsOption,
    LevelOption,
    RecordsOption,
    SeedOption,
    Unfinished,
    bad_input,
    claims_asked,
    folder,
    progress_bar,
    require_records,
)

if TYPE_CHECKING:
    from theory.ledger import Level

FILES = ("report.html", "report.md", "report.json")


def report(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Claims to report on (default: all).")] = None,
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="Folder to write to.")] = "build/report",
    ledger: Annotated[
        str | None,
        typer.Option("--ledger", metavar="FILE", help="Use this ledger of `verify --json` instead of verifying again."),
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Draw the figures beside their claims.")
    ] = True,
    level: LevelOption = "cnn",
    seed: SeedOption = 0,
    jobs: JobsOption = None,
    records: RecordsOption = None,
) -> int:
    """Write a report on the claims: one HTML file that needs no network, Markdown and JSON.

    Ends with 0 once the report is written, whatever it says: `verify` is the command whose exit status judges.
    """
    if ledger is not None:
        for name in ("level", "seed", "jobs", "records"):
            source = context.get_parameter_source(name)
            if source is not None and source.name == "COMMANDLINE":
                raise BadInput(f"--{name} must be left out with --ledger, which was made with settings of its own")

    from sim.files import atomic_write, require_writable

    stored = None if ledger is None else _from_file(ledger, ids or [])
    if stored is None:
        claims_asked(ids or [], level)
    with bad_input():
        paths = [os.path.join(folder(output, "output"), name) for name in FILES]
        require_records(records, level)
        for path in paths:
            require_writable(path)
    with progress_bar() as progress:
        task = progress.add_task("", total=None)

        def tell(name: str) -> None:
            progress.update(task, description=name, advance=1)

        found = stored or _verified(ids or [], level, seed, jobs, records, tell)

        from figures.report.contents import gather
        from figures.report.markdown import markdown
        from figures.report.page import page
        from figures.report.record import report_of
        from theory.serialise import to_json

        contents = gather(found, draw=figures, on_progress=tell)
        texts = (page(contents), markdown(contents), to_json(report_of(contents)))
    with bad_input():
        for path, text in zip(paths, texts, strict=True):
            atomic_write(path, text)
    for path in paths:
        print(path)
    return 0


def _verified(
    ids: list[str], level: Level, seed: int, jobs: int | None, records: str | None, tell: Callable[[str], object]
) -> dict[str, Any]:
    asked = [claim.id for claim in claims_asked(ids, level)]

    from sim.processes import WorkerLost, cores
    from theory.claims.run import verify_records
    from theory.sentinels import GateFailed
    from theory.serialise import environment

    done = {}
    try:
        for id_, record, _ in verify_records(asked, level=level, seed=seed, jobs=jobs or cores(), records=records):
            done[id_] = record
            tell(id_)
    except (WorkerLost, GateFailed) as error:
        raise Unfinished(str(error)) from error
    about = environment(level=level, seed=seed, **({} if records is None else {"records": records}))
    return {"environment": about, "claims": [done[id_] for id_ in asked]}


def _from_file(ledger: str, ids: list[str]) -> dict[str, Any]:
    from theory.claims import find
    from theory.claims.stored import read_ledger

    with bad_input():
        found = read_ledger(ledger)
        wanted = [claim.id for claim in find(ids)] if ids else [record["id"] for record in found["claims"]]
        by_id = {record["id"]: record for record in found["claims"]}
        missing = [id_ for id_ in wanted if id_ not in by_id]
        if missing:
            raise ValueError(f"ledger {ledger!r} must have the claims asked for, has no {', '.join(missing)}")
    return {**found, "claims": [by_id[id_] for id_ in wanted]}
