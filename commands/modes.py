"""`filterlaw simulate modes`: the modes of an aligned deep linear network, with and without Singular Value Bounding."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Annotated, Any

from commands.options import JsonOption, bad_input, count, number, numbers, option

if TYPE_CHECKING:
    from sim.linear_modes import ModeTrajectory


def simulate_modes(
    sigma: Annotated[Any, option("sigma", numbers, "Strengths to be learned, one per mode.", "S1,S2,...")] = "4,2,1",
    layers: Annotated[int, option("layers", count, "Number of layers.", "L")] = 3,
    start: Annotated[Any, option("start", numbers, "Strength at the start, the same or one per layer.", "S,...")] = "1",
    learning_rate: Annotated[float, option("learning_rate", number, "Step size.", "X")] = 0.01,
    steps: Annotated[int, option("steps", count, "Number of updates.", "N")] = 1000,
    eps: Annotated[float | None, option("eps", number, "Bound strengths to [1/(1+eps), 1+eps].", "X")] = None,
    every: Annotated[int, option("every", count, "Bound after every so many updates.", "N")] = 1,
    json: JsonOption = None,
) -> int:
    """Gradient descent of the modes of an aligned deep linear network (Jia et al., Section 4.1)."""
    from sim.errors import require_finite
    from sim.files import atomic_write, require_writable

    with bad_input():
        if json is not None:
            require_writable(json)
        start = require_finite(start, "start").tolist()
        if len(start) not in (1, layers):
            raise ValueError(f"start must be one number or {layers}, one per layer, got {len(start)}")
        if eps is not None and not 0 < eps < float("inf"):
            raise ValueError(f"eps must be positive and finite, got {eps:g}")
        if eps is not None and layers * math.log1p(eps) > math.log(sys.float_info.max):
            raise ValueError(f"eps must be small enough for (1 + eps)^layers to stay finite, got {eps:g}")

    import numpy as np

    from sim.linear_modes import descend_modes

    strengths = np.repeat(np.broadcast_to(np.array(start), (layers,))[:, None], len(sigma), axis=1)
    settings: dict[str, Any] = {"learning_rate": learning_rate, "steps": steps, "band": eps, "band_every": every}
    with bad_input():
        path = descend_modes(strengths, sigma, record_every=1, **settings)
    if json is not None:
        from theory.serialise import environment, to_json

        record = {
            "environment": environment(),
            "instance": {"sigma": sigma, "layers": layers, "start": start},
            "settings": settings,
            "products": _finite(path.products),
            "strengths": _finite(path.strengths),
            "diverged": path.diverged.tolist(),
        }
        with bad_input():
            atomic_write(json, to_json(record))
    _print(path, sigma, eps)
    return 0


def _finite(values: Any) -> Any:
    """Nested lists with None where a mode has diverged: JSON has no NaN."""
    import numpy as np

    return np.asarray(np.where(np.isfinite(values), values, None)).tolist()


def _print(path: ModeTrajectory, sigma: list[float], eps: float | None) -> None:
    from rich.table import Table

    from theory.display import emit

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("step", justify="right", no_wrap=True)
    for n, target in enumerate(sigma, start=1):
        table.add_column(f"mode {n}: {target:g}", justify="right", no_wrap=True)
    last = len(path.times) - 1
    for t in sorted({0, *(2**k for k in range(last.bit_length())), last}):
        table.add_row(str(t), *(f"{v:.6g}" if math.isfinite(v) else "diverged" for v in path.products[t]))
    emit(table)
    print()
    print("products of the strengths of all layers; a mode is learned when its product is its sigma")
    if eps is not None:
        power = (1 + eps) ** path.strengths.shape[1]
        print(f"in the band [1/(1+eps), 1+eps] the products reach {1 / power:.6g} to {power:.6g}")
    if path.diverged.any():
        print("filterlaw: warning: a mode diverged; try a smaller learning rate", file=sys.stderr)
