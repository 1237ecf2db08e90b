"""A diagnosis as JSON types, and as tables and sentences on a terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from sim.diagnosis import Diagnosis, FilterCorrelation, LayerDiagnosis, Spectrum


def diagnosis_record(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON types; what is infinite is the string "inf"."""
    return {
        "image": list(found.image),
        "eps": found.eps,
        "bn_eps": found.bn_eps,
        "first": found.first,
        "layers": [
            {
                "name": layer.name,
                "shape": list(layer.shape),
                "groups": layer.groups,
                "correlation": _correlation_record(layer.correlation),
                "kernel": _spectrum_record(layer.kernel),
                "operator": _spectrum_record(layer.operator),
                "left_out": dict(layer.left_out),
            }
            for layer in found.layers
        ],
        "norms": [
            {
                "name": norm.name,
                "width": norm.width,
                "smallest": norm.smallest,
                "largest": norm.largest,
                "condition": _finite(norm.condition),
                "in_band": norm.in_band,
                "change": norm.change,
            }
            for norm in found.norms
        ],
        "pooled": {str(k): _correlation_record(pooled) for k, pooled in found.pooled.items()},
        "unread": dict(found.unread),
    }


def _correlation_record(found: FilterCorrelation | None) -> dict[str, Any] | None:
    if found is None:
        return None
    errors = found.R_error, found.by_distance_error
    return {
        "k": found.k,
        "filters": found.filters,
        "layers": list(found.layers),
        "distances": found.distances.tolist(),
        "by_distance": found.by_distance.tolist(),
        "by_distance_error": None if errors[1] is None else errors[1].tolist(),
        "mean": found.mean,
        "mean_error": found.mean_error,
        "R": found.R.tolist(),
        "R_error": None if errors[0] is None else errors[0].tolist(),
    }


def _spectrum_record(found: Spectrum | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "count": found.count,
        "smallest": found.smallest,
        "largest": found.largest,
        "condition": _finite(found.condition),
        "in_band": found.in_band,
        "change": _finite(found.change),
    }


def _finite(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)


def print_diagnosis(found: Diagnosis, sentences: tuple[str, ...]) -> None:
    """Tables of layers and BN layers, the findings, and what was left out."""
    from rich.text import Text

    from sim.errors import printable
    from theory.display import emit

    emit(_layer_table(found))
    if found.norms:
        print()
        emit(_norm_table(found))
    print()
    for sentence in sentences:
        emit(Text(sentence))
    print()
    height, width = found.image
    reasons: dict[str, list[str]] = {}
    for layer in found.layers:
        for what, why in layer.left_out.items():
            if not why.startswith("one pixel"):
                reasons.setdefault(f"{what} left out: {why}", []).append(printable(layer.name))
    for reason, names in reasons.items():
        emit(Text(f"{reason} ({', '.join(names)})"))
    emit(
        Text(
            "neighbours: mean correlation of neighbouring pixels of the filters, +- standard error by bootstrap over "
            "filters; kernel: singular values of the kernel as a matrix (N_out, N_in kh kw), each group by itself; in "
            f"band: share of them in 1/(1 + eps) .. 1 + eps, eps = {found.eps:g}; change: relative size of the step "
            "that takes them there; on images: of the circular convolution with stride 1 on images of "
            f"{height} x {width}"
        )
    )


def _layer_table(found: Diagnosis) -> Table:
    from rich.table import Table
    from rich.text import Text

    from sim.errors import printable

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("layer", overflow="fold")
    table.add_column("shape", no_wrap=True)
    for name in ("neighbours", "kernel", "condition", "in band", "change", "on images"):
        table.add_column(name, justify="right", no_wrap=True)
    for place, layer in enumerate(found.layers, 1):
        table.add_row(
            str(place),
            Text(printable(layer.name)),
            _shape(layer),
            _correlation_cell(layer),
            *_kernel_cells(layer),
        )
    return table


def _shape(layer: LayerDiagnosis) -> str:
    sides = "x".join(map(str, layer.shape))
    return sides if layer.groups == 1 else f"{sides} /{layer.groups}"


def _correlation_cell(layer: LayerDiagnosis) -> str:
    from sim.diagnosis import with_error

    own = layer.correlation
    return "" if own is None else with_error(own.neighbours, own.neighbours_error)


def _kernel_cells(layer: LayerDiagnosis) -> tuple[str, ...]:
    own = layer.kernel
    cells: tuple[str, ...] = ("",) * 4
    if own is not None:
        change = f"{own.change:.0%}" if math.isfinite(own.change) else "all"
        cells = (_span(own), f"{own.condition:.3g}", f"{own.in_band:.0%}", change)
    return *cells, "" if layer.operator is None else _span(layer.operator)


def _span(spectrum: Spectrum) -> str:
    return f"{spectrum.smallest:.3g} .. {spectrum.largest:.3g}"


def _norm_table(found: Diagnosis) -> Table:
    from rich.table import Table
    from rich.text import Text

    from sim.errors import printable

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("BN layer", overflow="fold")
    for name in ("neurons", "|gamma|/std", "condition", "in band", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    for place, norm in enumerate(found.norms, 1):
        table.add_row(
            str(place),
            Text(printable(norm.name)),
            str(norm.width),
            f"{norm.smallest:.3g} .. {norm.largest:.3g}",
            f"{norm.condition:.3g}",
            "yes" if norm.in_band else "no",
            f"{norm.change:.0%}",
        )
    return table
