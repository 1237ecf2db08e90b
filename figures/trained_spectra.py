"""Singular values of trained kernels, with and without bounding, as Fig. 1 of Jia et al.; and of their convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from figures.catalogue import TITLES
from figures.recorded import about, runs_of, stacked, trained_on
from figures.style import LOOKS, heading, note, panels, styled
from sim.arrays import FloatArray
from theory.claims.observe.trained import BOUNDING, bounded

NETWORK = "convnet20"
ARMS = {"SGD": bounded(NETWORK, svb=False, bbn=False), "SVB": bounded(NETWORK, svb=True, bbn=False)}
THIRDS = ("lower", "middle", "higher")
SEED = 0
PARAMETERS = about(BOUNDING, *ARMS.values())
BINS = 48


@dataclass(frozen=True, eq=False)
class Data:
    """spectra[third][arm]: singular values of its layers' kernels, all seeds; eps: of the band.

    ends[arm]: (n, layers, 2) the largest and smallest singular value of each layer's convolution on its images.
    """

    spectra: Mapping[str, Mapping[str, FloatArray]]
    ends: Mapping[str, FloatArray]
    eps: float


def data() -> Data:
    """Read the spectra from the records."""
    runs = {name: runs_of(BOUNDING, arm) for name, arm in ARMS.items()}
    layers = {name: [run.layers_at(run.epochs) for run in each] for name, each in runs.items()}
    thirds = [part.tolist() for part in np.array_split(np.arange(len(layers["SGD"][0])), len(THIRDS))]
    spectra = {
        third: {
            name: np.concatenate([run[depth].singular_values for run in each for depth in depths])
            for name, each in layers.items()
        }
        for third, depths in zip(THIRDS, thirds, strict=True)
    }
    ends = {
        name: stacked(each, lambda run: [layer.operator or (np.nan, np.nan) for layer in run.layers_at(run.epochs)])
        for name, each in runs.items()
    }
    return Data(spectra, ends, float(runs["SVB"][0].settings["svb"]))


@styled
def draw(shown: Data | None = None) -> Figure:
    """Above histograms for three parts of the network, below the convolutions of every layer."""
    numbers = shown or data()
    figure, axes = panels(TITLES["trained-spectra"], [["a", "b", "c"], ["d", "d", "d"]], 4.9)
    every = np.concatenate([values for part in numbers.spectra.values() for values in part.values()])
    edges = np.geomspace(max(every.min(), 1e-3), every.max(), BINS)
    for letter, third in zip("abc", THIRDS, strict=True):
        heading(axes[letter], letter, f"kernels, {third} third of the layers")
        _histograms(axes[letter], numbers.spectra[third], edges, numbers.eps)
    axes["a"].set_ylabel("share of singular values")
    axes["a"].legend(loc="upper right")
    _ends(axes["d"], numbers)
    note(
        figure,
        f"ConvNet-20 at width {PARAMETERS['width']:g}, orthogonal at the start; {trained_on(PARAMETERS)}. Shaded: the "
        f"band $[1/(1+\\varepsilon),1+\\varepsilon]$, $\\varepsilon={numbers.eps:g}$,\nto which SVB projects after "
        "each epoch. Kernels are $N_{out} \\times N_{in} k^2$ matrices; convolutions act on images of each layer's "
        "size (circular).",
    )
    return figure


def _band(axes: Axes, eps: float, *, vertical: bool) -> None:
    (axes.axvspan if vertical else axes.axhspan)(1 / (1 + eps), 1 + eps, color="#d8d8d8", lw=0, zorder=0)


def _histograms(axes: Axes, arms: Mapping[str, FloatArray], edges: FloatArray, eps: float) -> None:
    _band(axes, eps, vertical=True)
    for (name, values), look in zip(arms.items(), LOOKS, strict=False):
        share = np.histogram(values, edges)[0] / len(values)
        axes.plot(np.repeat(edges, 2)[1:-1], np.repeat(share, 2), **look.line, label=name)
    axes.set(xscale="log", xlabel="singular value", ylim=(0, None), xlim=(edges[0], edges[-1]))
    _plain_ticks(axes.xaxis, edges[0], edges[-1])


def _ends(axes: Axes, numbers: Data) -> None:
    heading(axes, "d", "convolutions on images: largest and smallest singular value of each layer")
    _band(axes, numbers.eps, vertical=False)
    for (name, values), look in zip(numbers.ends.items(), LOOKS, strict=False):
        mean = values.mean(axis=0)
        depth = np.arange(1, len(mean) + 1)
        axes.plot(depth, mean[:, 0], **look.with_markers, label=f"{name}: largest and smallest")
        axes.plot(depth, mean[:, 1], **look.with_markers)
    # between the two ends, where no layer is
    axes.legend(loc="center", bbox_to_anchor=(0.21, 0.47))
    axes.set(yscale="log", xlabel="layer", ylabel="singular value", xlim=(0.5, len(mean) + 0.5), xticks=depth)
    _plain_ticks(axes.yaxis, *axes.get_ylim())


def _plain_ticks(axis: Axis, low: float, high: float) -> None:
    """A few round numbers on a logarithmic axis, more of them where it is short."""
    per_decade = (1, 2, 5) if high < 100 * low else (1,)
    ticks = [n * 10.0**k for k in range(-4, 4) for n in per_decade if low <= n * 10.0**k <= high]
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())
