"""`filterlaw simulate layers`: variance of the responses of random ReLU convolutions: measured, derived, printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from commands.options import JsonOption, SeedOption, bad_input, choice, count, number, option

if TYPE_CHECKING:
    from sim.arrays import FloatArray
    from sim.layer_variance import Moments, Stack

BORDERS = ("circular", "zero", "disjoint")


def simulate_layers(
    k: Annotated[int, option("k", count, "Width of the square filters.", "K")] = 3,
    depth: Annotated[int, option("depth", count, "Number of convolutions.", "L")] = 4,
    weight_correlation: Annotated[
        float, option("weight_correlation", number, "Between any two weights of a filter, in [0, 1].", "X")
    ] = 0.0,
    input_correlation: Annotated[
        float, option("input_correlation", number, "Between any two inputs, in [0, 1].", "X")
    ] = 0.0,
    v: Annotated[float | None, option("v", number, "Variance of a weight (default: 2/k^2).", "X")] = None,
    border: Annotated[
        str,
        typer.Option(
            "--border",
            parser=choice("border", BORDERS),
            metavar="|".join(BORDERS),
            help="What windows see at the border; disjoint windows share no input.",
        ),
    ] = "circular",
    size: Annotated[int | None, option("size", count, "Height and width of the input (default: 2k).", "N")] = None,
    channels: Annotated[int, option("channels", count, "Channels of every layer.", "C")] = 1,
    draws: Annotated[int, option("draws", count, "Networks to draw, at least 2.", "N")] = 20_000,
    seed: SeedOption = 0,
    json: JsonOption = None,
) -> int:
    """Variance of ReLU convolutions by depth (Schneider, Section 4 and Table 1)."""
    from sim.files import atomic_write, require_writable

    with bad_input():
        if json is not None:
            require_writable(json)

    import numpy as np

    from sim.layer_variance import Stack, measure

    with bad_input():
        stack = Stack(
            k,
            depth,
            border=border,
            size=size if border == "disjoint" or size is not None else 2 * k,
            v=2 / k**2 if v is None else v,
            weight_correlation=weight_correlation,
            input_correlation=input_correlation,
            channels=channels,
        )
        with np.errstate(over="ignore", invalid="ignore"):
            found = measure(stack, draws, np.random.default_rng(seed))
            derived, printed = _derived(stack), _printed(stack)
        shown = [found.second, found.second_error, *(law for law in (derived, printed) if law is not None)]
        if not all(np.isfinite(values).all() for values in shown):
            raise ValueError(f"v must be small enough for variances to stay finite, got {stack.v:g}")
    if json is not None:
        from theory.serialise import environment, to_json

        settings = ("k", "depth", "border", "size", "v", "weight_correlation", "input_correlation", "channels")
        record = {
            "environment": environment(seed=seed),
            "stack": {name: getattr(stack, name) for name in settings},
            "draws": draws,
            "variance": found.second.tolist(),
            "standard_error": found.second_error.tolist(),
            "derived": None if derived is None else derived.tolist(),
            "printed": None if printed is None else printed.tolist(),
        }
        with bad_input():
            atomic_write(json, to_json(record))
    _print(stack, found, derived, printed)
    return 0


def _rho(stack: Stack) -> float:
    return float(stack.weight_correlation)


def _derived(stack: Stack) -> FloatArray | None:
    """Var[y_l] for l = 1, ..., depth where there is a closed form for every one of them, else None."""
    import numpy as np

    from figures.explore.layer_laws import derived

    found = derived(stack, _rho(stack))
    return found if np.isfinite(found).all() else None


def _printed(stack: Stack) -> FloatArray | None:
    """Table 1 in its four cells, which know no border, else None."""
    from figures.explore.layer_laws import printed

    return None if stack.border == "zero" or stack.channels > 1 else printed(stack, _rho(stack))


def _print(stack: Stack, found: Moments, derived: FloatArray | None, printed: FloatArray | None) -> None:
    from rich.table import Table

    from theory.display import emit

    columns = {"measured": found.second, "+-": found.second_error, "derived": derived, "Table 1": printed}
    shown = {name: values for name, values in columns.items() if values is not None}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("layer", *shown):
        table.add_column(name, justify="right", no_wrap=True)
    for layer in range(stack.depth):
        table.add_row(str(layer + 1), *(f"{values[layer]:.4g}" for values in shown.values()))
    emit(table)
    print()
    print("measured: mean of y_l^2 over networks and positions; +-: its standard error")
    if derived is None:
        print("no closed form is derived for these correlations at this border")
    elif stack.channels > 1 and _rho(stack) > 0:
        print("derived: the limit of many channels")
