"""The command line of filterlaw: the front door, nothing else.

Exit status: 0 success; 1 a verdict is inconclusive (but for empirical claims that recorded runs leave undecided), a
control was not rejected, a claim with a known verdict was misjudged, or the work was cut off; 2 bad usage, or a
file that cannot be read or written; 130 interrupted; 143 terminated.
NumPy, SymPy, torch and matplotlib are imported inside the commands that need them, so that `--help` is instant.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from typing import Annotated, Any

import typer

from commands.diagnose import diagnose
from commands.explore import explore
from commands.figures import figures
from commands.options import (
    BadInput,
    JobsOption,
    JsonOption,
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
from commands.report import report
from commands.simulate import simulate_app
from commands.train import train

USAGE, INTERRUPTED, TERMINATED = 2, 130, 143

app = typer.Typer(
    help="The laws of how convolutional filters learn: derived, simulated, confirmed.",
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(simulate_app, name="simulate")
app.command()(explore)
app.command()(figures)
app.command()(diagnose)
app.command()(report)
app.command()(train)


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from importlib import metadata

        print(f"filterlaw {metadata.version('filterlaw')}")
        raise typer.Exit(0)
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def verify(
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Claims to verify (default: all).")] = None,
    level: LevelOption = "cnn",
    seed: SeedOption = 0,
    json: JsonOption = None,
    output: Annotated[str | None, typer.Option("--output", metavar="DIR", help="Write ledger.json there.")] = None,
    jobs: JobsOption = None,
    records: RecordsOption = None,
) -> int:
    """Verify claims and print the ledger.

    Ends with 0 if every verdict is conclusive and every control rejected, and with 1 at once if the machinery
    misjudges one of the small claims whose verdicts are known. An empirical claim is inconclusive where the
    recorded runs decide neither way; such claims are listed, are no success, and alone do not make the status 1.
    """
    from sim.files import NotWritten, atomic_write, require_writable

    claims = claims_asked(ids or [], level)
    targets = [json] if json is not None else []
    with bad_input():
        require_records(records, level)
        if output is not None:
            targets.append(os.path.join(folder(output, "output"), "ledger.json"))
        for target in targets:
            require_writable(target)

    from sim.processes import WorkerLost, cores
    from theory.claims import find
    from theory.claims.run import verify_records
    from theory.display import emit, ledger_table, row, summary
    from theory.sentinels import GateFailed
    from theory.serialise import environment, to_json

    done = {}
    with progress_bar() as progress:
        task = progress.add_task("", total=len(claims))
        asked = [claim.id for claim in claims]
        try:
            for id_, record, seconds in verify_records(
                asked, level=level, seed=seed, jobs=jobs or cores(), records=records
            ):
                done[id_] = (record, seconds)
                progress.update(task, description=id_, advance=1)
        except (WorkerLost, GateFailed) as error:
            raise Unfinished(str(error)) from error
    rows = [row(*done[id_]) for id_ in asked]
    about = environment(level=level, seed=seed, **({} if records is None else {"records": records}))
    text = to_json({"environment": about, "claims": [done[id_][0] for id_ in asked]})
    unwritten: list[NotWritten] = []
    for target in targets:
        try:
            atomic_write(target, text)
        except NotWritten as error:
            # minutes of work are shown all the same
            unwritten.append(error)
    if rows:
        emit(ledger_table(rows))
        print()
    print(summary(rows))
    if left := [] if ids else [claim.id for claim in find([]) if claim not in claims]:
        print(f"{len(left)} empirical claims were left out: they are judged at level cnn")
    if unwritten:
        raise BadInput(str(unwritten[0])) from unwritten[0]
    return 0 if rows and all(r.good or r.undecided for r in rows) else 1


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The claim.")],
    level: LevelOption = "cnn",
    seed: SeedOption = 0,
    records: RecordsOption = None,
) -> int:
    """Show one claim: hypotheses, derivation, counterexample, evidence, verdict."""
    with bad_input():
        require_records(records, level)
    (claim,) = claims_asked([id], level)

    from theory.display import claim_page, emit
    from theory.sentinels import GateFailed, require_sound
    from theory.verify import verify as verify_claim

    with progress_bar() as progress:
        progress.add_task(claim.id, total=None)
        try:
            require_sound()
        except GateFailed as error:
            raise Unfinished(str(error)) from error
        report = verify_claim(claim, level=level, seed=seed, records=records)
        page = claim_page(report)
    emit(page)
    return 0


@app.command()
def claims() -> int:
    """List every claim: id, source, statement."""
    from theory.claims import all_claims
    from theory.display import claims_table, emit

    emit(claims_table((c.id, c.source, c.statement) for c in all_claims().values()))
    return 0


class Terminated(BaseException):
    """SIGTERM, by which a scheduler ends a run: what has to be kept is kept on the way out, as on Ctrl-C."""


def main() -> None:
    """Entry point of the `filterlaw` command."""
    warnings.showwarning = _show_warning
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit status. Bad input is one line on standard error."""
    try:
        code = app(arguments, prog_name="filterlaw", standalone_mode=False) or 0
        sys.stdout.flush()
    except BadInput as error:
        return _fail(str(error))
    except Unfinished as error:
        _fail(str(error))
        return 1
    except MemoryError as error:
        # Python's own memory errors say nothing, NumPy's name the array
        _fail(f"not enough memory for what was asked: {str(error) or 'ask for fewer steps or draws'}")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Terminated:
        print("filterlaw: terminated", file=sys.stderr)
        return TERMINATED
    except BrokenPipeError:
        # the reader went away (`filterlaw claims | head`); Python must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        # Typer's usage errors share no public base class across its releases
        if not hasattr(error, "format_message"):
            raise
        return _fail(error.format_message())
    if code == INTERRUPTED:
        print("filterlaw: interrupted", file=sys.stderr)
    return int(code)


def _terminate(*_: Any) -> None:
    raise Terminated


def _fail(message: str) -> int:
    print(f"filterlaw: error: {' '.join(message.split())}", file=sys.stderr)
    return USAGE


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"filterlaw: warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    main()
