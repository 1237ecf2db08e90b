"""Test error over training without bounds, with SVB, with SVB and BBN, as Fig. 2 and Table 1 of Jia et al."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.recorded import about, runs_of, stacked, trained_on, with_spread
from figures.style import LOOKS, heading, note, panels, styled
from sim.arrays import FloatArray
from theory.claims.observe.trained import BOUNDING, NAMES, bounded

METHODS = {
    "SGD + BN": {"svb": False, "bbn": False},
    "SVB + BN": {"svb": True, "bbn": False},
    "SVB + BBN": {"svb": True, "bbn": True},
}
NETWORKS = ("convnet20", "preresnet20")
SEED = 0
PARAMETERS = about(BOUNDING, *(bounded(network, **method) for network in NETWORKS for method in METHODS.values()))


@dataclass(frozen=True, eq=False)
class Data:
    """error[network][method]: (n, epochs) test error, one row for each seed."""

    error: Mapping[str, Mapping[str, FloatArray]]


def data() -> Data:
    """Read the errors from the records."""
    return Data(
        {
            network: {
                name: stacked(
                    runs_of(BOUNDING, bounded(network, **method)), lambda run: 1.0 - run.measures["test_accuracy"]
                )
                for name, method in METHODS.items()
            }
            for network in NETWORKS
        }
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """One panel for each network."""
    numbers = shown or data()
    figure, axes = panels(TITLES["bounding-curves"], [["a", "b"]], 3.1, sharey=True)
    for letter, network in zip("ab", NETWORKS, strict=True):
        heading(axes[letter], letter, NAMES[network])
        for (name, values), look in zip(numbers.error[network].items(), LOOKS, strict=False):
            with_spread(axes[letter], np.arange(1, values.shape[1] + 1), values, look, name)
        axes[letter].set(xlabel="epoch", xlim=(1, values.shape[1]))
    axes["a"].set_ylabel("test error")
    axes["b"].legend()
    note(
        figure,
        f"At width {PARAMETERS['width']:g}, {trained_on(PARAMETERS)}; the paper trains 160 epochs on all "
        "50,000.\nMean over seeds, one standard deviation shaded.",
    )
    return figure
