"""`filterlaw simulate ...`: run a simulator and print what it observes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.layers import simulate_layers
from commands.modes import simulate_modes
from commands.options import JsonOption, SeedOption, bad_input, choice, count, number, numbers, option, progress_bar

if TYPE_CHECKING:
    from sim.descent import Trajectory

ORDERS = ("full", "cyclic", "random", "shuffled", "minibatch")

simulate_app = typer.Typer(help="Run a simulator and print what it observes.", invoke_without_command=True)
simulate_app.command("layers")(simulate_layers)
simulate_app.command("modes")(simulate_modes)


@simulate_app.callback()
def _simulate_root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@simulate_app.command("filter")
def simulate_filter(
    d: Annotated[Any, option("d", numbers, "Half-widths of the sample grid, in [0, 1].", "D0,D1,...")] = "0.2,0.5",
    w: Annotated[Any, option("w", numbers, "Initial weights (default: drawn from N(0, 1/p)).", "W0,W1,...")] = None,
    w_star: Annotated[Any, option("w_star", numbers, "Optimum (default: 1,0,...,0).", "W0,W1,...")] = None,
    learning_rate: Annotated[float, option("learning_rate", number, "Step size.", "X")] = 0.1,
    momentum: Annotated[float, option("momentum", number, "Heavy-ball momentum, in [0, 1).", "X")] = 0.0,
    order: Annotated[
        str,
        typer.Option(
            "--order",
            parser=choice("order", ORDERS),
            metavar="|".join(ORDERS),
            help="Which samples an update uses: all, or one (or a mini-batch) in this order.",
        ),
    ] = "full",
    batch_size: Annotated[int | None, option("batch_size", count, "Samples in a mini-batch.", "N")] = None,
    l2: Annotated[float, option("l2", number, "Weight decay.", "X")] = 0.0,
    steps: Annotated[int, option("steps", count, "Number of updates.", "N")] = 100,
    seed: SeedOption = 0,
    json: JsonOption = None,
    checkpoint: Annotated[
        str | None, typer.Option("--checkpoint", metavar="FILE", help="Keep the state of the run there as it goes on.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint, if there is one.")] = False,
) -> int:
    """Gradient descent of one spatial filter on its sample grid (Schneider, Section 3).

    Exact for up to 49 weights (7 x 7), at some 0.4 s per update; --checkpoint keeps such a run, --resume takes it up.
    """
    from sim.files import atomic_write, require_writable

    with bad_input():
        if json is not None:
            require_writable(json)
        if resume and checkpoint is None:
            raise ValueError("resume must come with --checkpoint FILE, got none")

    from contextlib import nullcontext

    import numpy as np

    from sim.checkpoint import Checkpoint
    from sim.descent import Snapshot, descend
    from sim.instance import FilterInstance
    from sim.problem import GridProblem

    rng = np.random.default_rng(seed)
    if w is None:
        w = (rng.standard_normal(len(d)) / np.sqrt(len(d))).tolist()
    settings: dict[str, Any] = {"order": order, "batch_size": batch_size, "momentum": momentum, "l2": l2}
    with bad_input(), progress_bar() as progress:
        instance = FilterInstance(d, w, learning_rate, w_star)
        problem = GridProblem(instance.d, instance.w_star)
        given = {"d": instance.d, "w": instance.w, "w_star": instance.w_star, "learning_rate": learning_rate}
        keeper = None if checkpoint is None else Checkpoint(checkpoint, {**given, **settings, "seed": seed})
        task = progress.add_task("descent", total=steps)

        def on_step(snapshot: Snapshot) -> None:
            progress.advance(task)
            if keeper is not None:
                keeper(snapshot)

        with keeper or nullcontext():
            begun = keeper.load() if keeper is not None and resume else None
            progress.update(task, completed=0 if begun is None else begun.step)
            path = descend(
                problem, instance.w, learning_rate=learning_rate, steps=steps, rng=rng, on_step=on_step, resume=begun,
                **settings,
            )  # fmt: skip
        if not np.isfinite(path.gradients).all():
            raise ValueError("w and w_star must be small enough for gradients to stay finite, got weights beyond that")
    changes = _sign_changes(path)
    if json is not None:
        from theory.serialise import environment, to_json

        record = {
            "environment": environment(seed=seed),
            "instance": given,
            "settings": {**settings, "steps": steps},
            "weights": path.weights[:, 0].tolist(),
            "loss": path.loss[:, 0].tolist(),
            "active_fraction": path.active_fraction[:, 0].tolist(),
            "sign_changes": changes,
            "diverged": bool(path.diverged[0]),
        }
        with bad_input():
            atomic_write(json, to_json(record))
    _print_trajectory(path, changes)
    return 0


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
