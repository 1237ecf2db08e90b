"""Correlation of the pixels of trained filters by distance and depth (Schneider, Fig. 1), and what L2 does to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.recorded import about, runs_of, stacked, trained_on
from figures.style import GREY, LOOKS, Look, heading, note, panels, styled
from sim import run_statistics as stat
from sim.arrays import FloatArray
from theory.claims.observe.trained import FAST, INITIALIZATION, L2, UNCORRELATED, at

DISTANCES = np.sqrt([1.0, 2.0, 4.0, 5.0, 8.0])
ARMS = {"trained": at(UNCORRELATED, FAST), f"trained with L2 of {L2:g}": at(UNCORRELATED, FAST, L2)}
SEED = 0
PARAMETERS = {**about(INITIALIZATION, *ARMS.values()), "learning rate": FAST}


@dataclass(frozen=True, eq=False)
class Data:
    """distance: (n, layers, 5) by layer, trained without L2; depth: (n, layers) mean correlation by name of the arm.

    layers: their depths; before: (n, layers) mean correlation before training.
    """

    distance: FloatArray
    depth: Mapping[str, FloatArray]
    before: FloatArray
    layers: FloatArray


def data() -> Data:
    """Read the correlations from the records."""
    runs = {name: runs_of(INITIALIZATION, arm) for name, arm in ARMS.items()}
    plain = runs["trained"]
    return Data(
        stacked(plain, lambda run: [layer.by_distance for layer in stat.spatial(run)]),
        {
            name: stacked(each, lambda run: [s.mean_correlation for s in stat.spatial(run)])
            for name, each in runs.items()
        },
        stacked(plain, lambda run: [s.mean_correlation for s in stat.spatial(run, trained=False)]),
        np.array([layer.depth for layer in stat.spatial(plain[0])], dtype=np.float64),
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left over the distance of pixels, right over depth."""
    numbers = shown or data()
    figure, axes = panels(TITLES["trained-correlation"], [["a", "b"]], 3.3)
    _by_distance(axes["a"], numbers)
    _by_depth(axes["b"], numbers)
    note(
        figure,
        f"3 x 3 filters behind the first layer of VGG-8 at width {PARAMETERS['width']:g}, uncorrelated at the start; "
        f"{trained_on(PARAMETERS)}, rate {FAST:g}.\nMean over seeds, one standard deviation as bars. The paper's "
        "figure shows a ResNet-50 trained on ImageNet.",
    )
    return figure


def _by_distance(axes: Axes, numbers: Data) -> None:
    heading(axes, "a", "by distance, one curve for each layer")
    for n, (depth, look) in enumerate(zip(numbers.layers, LOOKS, strict=False)):
        values = numbers.distance[:, n]
        _curve(axes, DISTANCES, values, look, f"layer {depth + 1:g}")
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.legend()
    axes.set(xlabel="distance of two pixels", ylabel="correlation", xticks=DISTANCES)
    axes.set_xticklabels(["1", r"$\sqrt{2}$", "2", r"$\sqrt{5}$", r"$\sqrt{8}$"])


def _by_depth(axes: Axes, numbers: Data) -> None:
    heading(axes, "b", "by depth, mean over pairs of pixels")
    drawn = {**numbers.depth, "before training": numbers.before}
    for (name, values), look in zip(drawn.items(), LOOKS, strict=False):
        _curve(axes, numbers.layers + 1, values, look, name)
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.legend()
    axes.set(xlabel="layer", ylabel="mean correlation", xticks=numbers.layers + 1)


def _curve(axes: Axes, x: FloatArray, values: FloatArray, look: Look, label: str) -> None:
    """The mean of (n, len(x)) values over runs, with one standard deviation as bars."""
    mean = values.mean(axis=0)
    axes.errorbar(x, mean, values.std(axis=0, ddof=1), fmt="none", ecolor=look.color)
    axes.plot(x, mean, **look.with_markers, label=label)
