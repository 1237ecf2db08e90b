"""What `filterlaw diagnose --picture` draws: filters, spectra and BN scales of one network, layer by layer."""

from __future__ import annotations

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from figures.style import BLACK, BLUE, GREY, LOOKS, ORANGE, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from sim.diagnosis import Diagnosis, Spectrum

TITLE = "Filters, spectra and batch norm, layer by layer"
DEPTHS = matplotlib.colormaps["viridis"]
"""Dark to light from the first layer to the last; markers change with it."""
FLOOR = 1e-3
"""Share of the largest singular value of all at which bars end."""


@styled
def draw(found: Diagnosis) -> Figure:
    """Correlation by distance, kernel and operator spectra with SVB's band, and the spread of BN's scales."""
    figure, axes = panels(TITLE, [["a", "b", "c"]], 3.7, width_ratios=[1, 1.25, 1])
    _correlations(axes["a"], found)
    _spectra(axes["b"], found)
    _norms(axes["c"], found)
    height, width = found.image
    note(
        figure,
        "Layers are numbered as in the tables. (b): as matrices, and as circular convolutions on images of "
        f"{height} x {width} pixels;\nbars: smallest to largest singular value, cut at {FLOOR:g} of the largest; "
        f"shaded: the band of eps = {found.eps:g}. (c): band of eps = {found.bn_eps:g}.",
    )
    return figure


def _correlations(axes: Axes, found: Diagnosis) -> None:
    heading(axes, "a", "correlation of pixels")
    shown = [(place, layer.correlation) for place, layer in enumerate(found.layers, 1) if layer.correlation is not None]
    last = max((place for place, _ in shown), default=1)
    for n, (place, own) in enumerate(shown):
        color = DEPTHS(0.9 * (place - 1) / max(last - 1, 1))
        label = f"layer {place}" if n in (0, len(shown) - 1) else None
        axes.plot(own.distances, own.by_distance, color=color, lw=0.8, marker=LOOKS[n % 4].marker, ms=2.5, label=label)
    if found.main is not None:
        errors = None if found.main.by_distance_error is None else 2 * found.main.by_distance_error
        axes.errorbar(
            found.main.distances,
            found.main.by_distance,
            errors,
            color=BLACK,
            lw=1.8,
            capsize=2,
            label="pooled, $\\pm$2 s.e.",
        )
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.set(xlabel="distance of the pixels", ylabel="mean correlation")
    if shown:
        legend_below(axes)
    else:
        _nothing(axes, "no filters of more than one pixel")


def _spectra(axes: Axes, found: Diagnosis) -> None:
    heading(axes, "b", "singular values")
    axes.axhspan(1 / (1 + found.eps), 1 + found.eps, color=GREY, alpha=0.35, lw=0)
    kinds = (("as a matrix", BLUE, -0.15, [layer.kernel for layer in found.layers]),
             ("on images", ORANGE, 0.15, [layer.operator for layer in found.layers]))  # fmt: skip
    floor = FLOOR * max((s.largest for *_, spectra in kinds for s in spectra if s is not None), default=1.0)
    for label, color, shift, spectra in kinds:
        places, low, high = _bars(spectra, floor)
        if len(places):
            axes.vlines(places + shift, low, high, color=color, lw=2.2, label=label)
            axes.plot(places + shift, high, ls="none", marker="_", ms=5, color=color)
    axes.set(yscale="log", xlabel="layer", xlim=(0.4, len(found.layers) + 0.6))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(axes, columns=2)


def _bars(spectra: list[Spectrum | None], floor: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places, smallest and largest; zeros, which a logarithm has not, end at the floor."""
    rows = [(n, max(s.smallest, floor), max(s.largest, floor)) for n, s in enumerate(spectra, 1) if s is not None]
    places, low, high = np.array(rows).reshape(-1, 3).T
    return places, low, high


def _norms(axes: Axes, found: Diagnosis) -> None:
    heading(axes, "c", "condition of BN's scales")
    if not found.norms:
        _nothing(axes, "no BN layers with running variances")
        return
    conditions = np.array([norm.condition for norm in found.norms])
    top = 10 * conditions[np.isfinite(conditions)].max(initial=2.0)
    for finite, marker, label in ((True, "o", None), (False, "^", "infinite")):
        places = np.flatnonzero(np.isfinite(conditions) == finite)
        if len(places):
            heights = np.minimum(conditions[places], top)
            axes.plot(places + 1, heights, ls="none", marker=marker, color=BLUE, label=label)
    axes.axhline((1 + found.bn_eps) ** 2, color=GREY, lw=0.8, label="$(1+e)^2$, the most in the band")
    axes.set(
        yscale="log",
        xlabel="BN layer",
        xlim=(0.4, len(conditions) + 0.6),
        ylabel="largest/smallest $|\\gamma|/\\varsigma$",
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(axes)


def _nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color=GREY, fontsize=8)
    axes.set(xticks=(), yticks=())
