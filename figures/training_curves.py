"""Sign changes, gradients, accuracy over training from correlated and uncorrelated starts (Schneider, Figs. 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.recorded import about, runs_of, trained_on, with_spread
from figures.style import LOOKS, Look, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from theory.claims.observe.trained import (
    CORRELATED,
    FAST,
    INITIALIZATION,
    LARGER_GAIN,
    SAME_VARIANCE,
    SLOW,
    SMALLER_VARIANCE,
    UNCORRELATED,
    at,
)

ARMS = {
    "uncorrelated": UNCORRELATED,
    "correlated, same gain": CORRELATED,
    "correlated, same variance": SAME_VARIANCE,
    "uncorrelated, larger gain": LARGER_GAIN,
    "uncorrelated, smaller variance": SMALLER_VARIANCE,
}
TRAINED_AT = {SLOW: tuple(ARMS), FAST: tuple(ARMS)[:4]}
STYLES = dict(zip(ARMS, (*LOOKS, Look("#606060", (0, (7, 1.5, 1, 1.5, 1, 1.5)), "v")), strict=True))
MEASURES = {
    "sign_changes": "GradientSignChanges",
    "mean_gradient": "mean |gradient|",
    "test_accuracy": "test accuracy",
}
RATES = (SLOW, FAST)
SEED = 0
PARAMETERS = {**about(INITIALIZATION, *(at(arm, SLOW) for arm in ARMS.values())), "learning rates": RATES}


@dataclass(frozen=True, eq=False)
class Data:
    """curves[rate][measure][arm]: (n, epochs), one row for each seed."""

    curves: Mapping[float, Mapping[str, Mapping[str, FloatArray]]]


def data() -> Data:
    """Read the curves from the records."""
    return Data(
        {
            rate: {
                measure: {
                    name: np.stack([run.measures[measure] for run in runs_of(INITIALIZATION, at(arm, rate))])
                    for name, arm in ((name, ARMS[name]) for name in TRAINED_AT[rate])
                }
                for measure in MEASURES
            }
            for rate in RATES
        }
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """One row for each learning rate; one column for each measure."""
    numbers = shown or data()
    figure, axes = panels(TITLES["training-curves"], [["a", "b", "c"], ["d", "e", "f"]], 5.0)
    letters = iter("abcdef")
    for rate in RATES:
        for measure, words in MEASURES.items():
            letter = next(letters)
            heading(axes[letter], letter, f"{words}, rate {rate:g}")
            _curves(axes[letter], numbers.curves[rate][measure])
            axes[letter].set(xlabel="epoch", ylabel=words)
    handles, _ = axes["a"].get_legend_handles_labels()
    legend_below(axes["d"], handles=handles[:2])
    legend_below(axes["e"], handles=handles[2:4])
    legend_below(axes["f"], handles=handles[4:])
    note(
        figure,
        f"VGG-8 at width {PARAMETERS['width']:g}, {trained_on(PARAMETERS)}. Mean over seeds, one standard deviation "
        "shaded.\nSame gain: responses to equal inputs vary as for uncorrelated filters (the paper's comparison), for "
        "which weights must have\na smaller variance. Larger gain: that of correlated filters with the variance of "
        "uncorrelated ones.",
    )
    return figure


def _curves(axes: Axes, arms: Mapping[str, FloatArray]) -> None:
    for name, values in arms.items():
        with_spread(axes, np.arange(1, values.shape[1] + 1), values, STYLES[name], name)
    axes.set_xlim(1, max(values.shape[1] for values in arms.values()))
    axes.set_ylim(bottom=0)
