"""The command line of filterlaw: the front door, nothing else.

Exit status: 0 success; 1 a verdict is inconclusive or a control was not rejected; 2 bad usage; 130 interrupted.
NumPy, SymPy, torch and matplotlib are imported inside the commands that need them, so that `--help` is instant.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

    from sim.descent import Trajectory

USAGE, INTERRUPTED = 2, 130

app = typer.Typer(
    help="The laws of how convolutional filters learn: derived, simulated, confirmed.",
    add_completion=False,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
simulate_app = typer.Typer(help="Run a simulator and print what it observes.", invoke_without_command=True)
app.add_typer(simulate_app, name="simulate")


class BadInput(Exception):
    """Input that cannot be used; the message is all that the user sees."""


# parsers of our own, because Typer's messages leave out the value received


def _integer(name: str, minimum: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        with suppress(ValueError):
            if int(text) >= minimum:
                return int(text)
        raise BadInput(f"{name} must be an integer >= {minimum}, got {text!r}")

    return parse


def _number(name: str) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise BadInput(f"{name} must be a number, got {text!r}") from None

    return parse


def _numbers(name: str) -> Callable[[str], list[float]]:
    def parse(text: str) -> list[float]:
        try:
            return [float(part) for part in text.split(",")]
        except ValueError:
            raise BadInput(f"{name} must be comma-separated numbers, got {text!r}") from None

    return parse


def _count(name: str) -> Callable[[str], int]:
    return _integer(name, 1)


def _option(name: str, parser: Callable[[str], Callable[[str], Any]], help: str, metavar: str) -> Any:
    return typer.Option(f"--{name.replace('_', '-')}", parser=parser(name), metavar=metavar, help=help)


def _choice(name: str, choices: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise BadInput(f"{name} must be one of {', '.join(choices)}, got {text!r}")
        return text

    return parse


LEVELS = ("symbolic", "simulation", "cnn")
ORDERS = ("full", "cyclic", "random", "shuffled", "minibatch")

LevelOption = Annotated[
    Literal["symbolic", "simulation", "cnn"],
    typer.Option(
        "--level",
        parser=_choice("level", LEVELS),
        metavar="|".join(LEVELS),
        help="How far to check: derivations only, also the simulator, also real layers.",
    ),
]
SeedOption = Annotated[
    int, typer.Option("--seed", parser=_integer("seed", 0), metavar="N", help="Seed of every random draw.")
]
JobsOption = Annotated[
    int | None,
    typer.Option("--jobs", parser=_integer("jobs", 1), metavar="N", help="Processes to use (default: one per core)."),
]
JsonOption = Annotated[str | None, typer.Option("--json", metavar="FILE", help="Also write the result as JSON.")]


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


@simulate_app.callback()
def _simulate_root(context: typer.Context) -> None:
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
) -> int:
    """Verify claims and print the ledger."""
    from sim.files import atomic_write, require_writable

    targets = [json] if json is not None else []
    if output is not None:
        targets.append(os.path.join(output, "ledger.json"))
    with _bad_input():
        for target in targets:
            require_writable(target)
    claims = _claims(ids or [], level)

    from theory.claims.run import cores, verify_records
    from theory.display import emit, ledger_table, row, summary
    from theory.serialise import environment, to_json

    done = {}
    with _progress() as progress:
        task = progress.add_task("", total=len(claims))
        asked = [claim.id for claim in claims]
        for id_, record, seconds in verify_records(asked, level=level, seed=seed, jobs=jobs or cores()):
            done[id_] = (record, seconds)
            progress.update(task, description=id_, advance=1)
    records = [done[id_][0] for id_ in asked]
    rows = [row(*done[id_]) for id_ in asked]
    text = to_json({"environment": environment(level=level, seed=seed), "claims": records})
    with _bad_input():
        for target in targets:
            atomic_write(target, text)
    if rows:
        emit(ledger_table(rows))
        print()
    print(summary(rows))
    return 0 if rows and all(r.good for r in rows) else 1


@app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="The claim.")],
    level: LevelOption = "cnn",
    seed: SeedOption = 0,
) -> int:
    """Show one claim: hypotheses, derivation, counterexample, evidence, verdict."""
    (claim,) = _claims([id], level)

    from theory.display import claim_page, emit
    from theory.verify import verify as verify_claim

    with _progress() as progress:
        progress.add_task(claim.id, total=None)
        report = verify_claim(claim, level=level, seed=seed)
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


@simulate_app.command("filter")
def simulate_filter(
    d: Annotated[Any, _option("d", _numbers, "Half-widths of the sample grid, in [0, 1].", "D0,D1,...")] = "0.2,0.5",
    w: Annotated[Any, _option("w", _numbers, "Initial weights (default: drawn from N(0, 1/p)).", "W0,W1,...")] = None,
    w_star: Annotated[Any, _option("w_star", _numbers, "Optimum (default: 1,0,...,0).", "W0,W1,...")] = None,
    learning_rate: Annotated[float, _option("learning_rate", _number, "Step size.", "X")] = 0.1,
    momentum: Annotated[float, _option("momentum", _number, "Heavy-ball momentum, in [0, 1).", "X")] = 0.0,
    order: Annotated[
        str,
        typer.Option(
            "--order",
            parser=_choice("order", ORDERS),
            metavar="|".join(ORDERS),
            help="Which samples an update uses: all, or one (or a mini-batch) in this order.",
        ),
    ] = "full",
    batch_size: Annotated[int | None, _option("batch_size", _count, "Samples in a mini-batch.", "N")] = None,
    l2: Annotated[float, _option("l2", _number, "Weight decay.", "X")] = 0.0,
    steps: Annotated[int, _option("steps", _count, "Number of updates.", "N")] = 100,
    seed: SeedOption = 0,
    json: JsonOption = None,
) -> int:
    """Gradient descent of one spatial filter on its sample grid (Schneider, Section 3)."""
    from sim.files import atomic_write, require_writable

    with _bad_input():
        if json is not None:
            require_writable(json)

    import numpy as np

    from sim.descent import descend
    from sim.instance import FilterInstance
    from sim.problem import GridProblem

    rng = np.random.default_rng(seed)
    if w is None:
        w = (rng.standard_normal(len(d)) / np.sqrt(len(d))).tolist()
    settings: dict[str, Any] = {"order": order, "batch_size": batch_size, "momentum": momentum, "l2": l2}
    with _bad_input(), _progress() as progress:
        instance = FilterInstance(d, w, learning_rate, w_star)
        task = progress.add_task("descent", total=steps + 1)
        problem: Any = _Counted(GridProblem(instance.d, instance.w_star), progress, task)
        path = descend(problem, instance.w, learning_rate=learning_rate, steps=steps, rng=rng, **settings)
    changes = _sign_changes(path)
    if json is not None:
        from theory.serialise import environment, to_json

        record = {
            "environment": environment(seed=seed),
            "instance": {"d": instance.d, "w": instance.w, "w_star": instance.w_star, "learning_rate": learning_rate},
            "settings": {**settings, "steps": steps},
            "weights": path.weights[:, 0].tolist(),
            "loss": path.loss[:, 0].tolist(),
            "active_fraction": path.active_fraction[:, 0].tolist(),
            "sign_changes": changes,
            "diverged": bool(path.diverged[0]),
        }
        with _bad_input():
            atomic_write(json, to_json(record))
    _print_trajectory(path, changes)
    return 0


@app.command()
def figures(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Figures to draw (default: all).")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the figures and exit.")] = False,
    output: Annotated[str, typer.Option("--output", metavar="DIR", help="Folder to write to.")] = "build/figures",
) -> int:
    """Draw figures, as vector graphics and as PNG."""
    import figures as room

    known = room.available()
    if list_:
        for name, what in known.items():
            print(f"{name:<24} {what}")
        return 0
    wanted = list(dict.fromkeys(names)) if names else list(known)
    for name in wanted:
        if name not in known:
            raise BadInput(f"unknown figure {name!r}{_near(name, known)} (`filterlaw figures --list` lists them)")

    from sim.files import require_writable_folder

    with _bad_input():
        folder = require_writable_folder(output)
    written: list[Path] = []
    with _progress() as progress:
        task = progress.add_task("", total=len(wanted))
        for name in wanted:
            progress.update(task, description=name)
            written += room.render([name], folder)
            progress.advance(task)
    for path in written:
        print(path)
    return 0


def main() -> None:
    """Entry point of the `filterlaw` command."""
    warnings.showwarning = _show_warning
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command line; returns the exit status. Bad input is one line on standard error."""
    try:
        code = app(arguments, prog_name="filterlaw", standalone_mode=False) or 0
        sys.stdout.flush()
    except BadInput as error:
        return _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
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


def _fail(message: str) -> int:
    print(f"filterlaw: error: {' '.join(message.split())}", file=sys.stderr)
    return USAGE


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"filterlaw: warning: {message}", file=sys.stderr)


@contextmanager
def _bad_input() -> Iterator[None]:
    """Turn the ValueError or TypeError of a boundary check into one line for the user."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise BadInput(str(error)) from error


def _claims(ids: list[str], level: str) -> list[Any]:
    from importlib.util import find_spec

    from theory.claims import find

    if level == "cnn" and find_spec("torch") is None:
        raise BadInput("level cnn needs torch: pip install 'filterlaw[torch]', or ask for --level simulation")
    with _bad_input():
        return list(find(ids))


def _near(name: str, known: dict[str, str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f"; did you mean {', '.join(near)}?" if near else ""


@contextmanager
def _progress() -> Iterator[Progress]:
    """A progress bar on standard error, shown only where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as progress:
        yield progress


class _Counted:
    """A problem that advances a progress bar with every sum over all samples, of which each update takes one."""

    def __init__(self, problem: Any, progress: Progress, task: Any) -> None:
        self._problem, self._progress, self._task = problem, progress, task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def active_sums(self, *arguments: Any, **options: Any) -> Any:
        self._progress.advance(self._task)
        return self._problem.active_sums(*arguments, **options)


def _sign_changes(path: Trajectory) -> list[float]:
    """GradientSignChanges between each two updates, T - 1 of them."""
    from sim.zigzag import gradient_sign_changes

    return [] if path.steps < 2 else [float(v) for v in gradient_sign_changes(path.gradients)[:, 0]]


def _print_trajectory(path: Trajectory, changes: list[float]) -> None:
    from rich.table import Table

    from theory.display import emit

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("step", "loss", "active", "sign changes"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("weights")
    shown = sorted({0, *(2**k for k in range(path.steps.bit_length())), path.steps})
    for t in shown:
        so_far = changes[: max(t - 1, 0)]
        table.add_row(
            str(t),
            f"{path.loss[t, 0]:.6g}",
            f"{path.active_fraction[t, 0]:.4f}",
            f"{sum(so_far) / len(so_far):.4f}" if so_far else "",
            "  ".join(f"{v:.6g}" for v in path.weights[t, 0]),
        )
    emit(table)
    print()
    print("active: share of samples with w.X > 0; sign changes: GradientSignChanges, mean over the updates so far")
    if path.diverged[0]:
        print("filterlaw: warning: the weights diverged; the last finite ones are kept", file=sys.stderr)


if __name__ == "__main__":
    main()
