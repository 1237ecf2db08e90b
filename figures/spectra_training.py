"""Spectra of the layers of a deep linear network over training, with and without Singular Value Bounding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, BLUE, GREY, VERMILION, heading, note, panels, styled
from sim.arrays import FloatArray
from sim.deep_linear import ChainTrajectory, LinearTask, descend_chain

SEED = 1
LAYERS, WIDTH = 6, 12
SIGMA_RANGE = (0.6, 1.8)
RATE, UPDATES, EVERY = 0.02, 1500, 5
EPS_BAND, BAND_EVERY = 0.15, 10
PARAMETERS = {
    "L": LAYERS,
    "width": WIDTH,
    "sigma": SIGMA_RANGE,
    "learning rate": RATE,
    "eps": EPS_BAND,
    "SVB every": BAND_EVERY,
}


@dataclass(frozen=True, eq=False)
class Data:
    """updates (T,); plain and bounded: singular values of all layers (T, L, n); losses (T,) of the two runs."""

    updates: FloatArray
    plain: FloatArray
    bounded: FloatArray
    plain_loss: FloatArray
    bounded_loss: FloatArray


def data() -> Data:
    """Train the same Gaussian start twice."""
    rng = np.random.default_rng(SEED)
    outputs, inputs = (np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0] for _ in range(2))
    task = LinearTask.whitened(outputs * np.geomspace(*SIGMA_RANGE[::-1], WIDTH) @ inputs.T, rng)
    start = [rng.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH) for _ in range(LAYERS)]

    def run(band: float | None) -> ChainTrajectory:
        return descend_chain(
            start, task, learning_rate=RATE, steps=UPDATES, record_every=EVERY, band=band, band_every=BAND_EVERY
        )

    plain, bounded = run(None), run(EPS_BAND)
    return Data(
        plain.times, np.stack(plain.spectra, axis=1), np.stack(bounded.spectra, axis=1), plain.loss, bounded.loss
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """Left and middle the spectra, right the losses."""
    numbers = shown or data()
    figure, axes = panels(TITLES["spectra-training"], [["a", "b", "c"]], 2.9, width_ratios=(1.0, 1.0, 0.875))
    _spectra(axes["a"], numbers.updates, numbers.plain)
    heading(axes["a"], "a", "gradient descent")
    _spectra(axes["b"], numbers.updates, numbers.bounded)
    heading(axes["b"], "b", "with SVB")
    for panel in ("a", "b"):
        axes[panel].set_ylim(0, 1.45 * max(numbers.plain.max(), numbers.bounded.max()))
    _losses(axes["c"], numbers)
    note(
        figure,
        f"{LAYERS} layers of width {WIDTH} from Gaussian matrices of variance 1/width, rate {RATE:g}; each line "
        f"one singular value of one layer.\nShaded: the band $[1/(1+\\varepsilon),1+\\varepsilon]$, "
        f"$\\varepsilon={EPS_BAND:g}$, to which SVB projects every {BAND_EVERY} updates. "
        "Without it the loss still falls, slowly.",
    )
    return figure


def _spectra(axes: Axes, updates: FloatArray, spectra: FloatArray) -> None:
    axes.axhspan(1 / (1 + EPS_BAND), 1 + EPS_BAND, color="#e8e8e8", lw=0, zorder=0)
    axes.plot(updates, spectra.reshape(len(updates), -1), color=GREY, lw=0.4, alpha=0.5)
    for rank, color, style, label in ((0, VERMILION, "solid", "largest"), (-1, BLUE, (0, (5, 1.5)), "smallest")):
        middle = spectra[:, LAYERS // 2, rank]
        axes.plot(updates, middle, color=color, ls=style, lw=1.4, label=f"{label}, layer {LAYERS // 2 + 1}")
    axes.legend(loc="upper right")
    axes.set(xlabel="update", ylabel="singular value", xlim=(0, updates[-1]))


def _losses(axes: Axes, numbers: Data) -> None:
    heading(axes, "c", "loss")
    axes.semilogy(numbers.updates, numbers.plain_loss, color=BLACK, lw=1.2, label="gradient descent")
    axes.semilogy(numbers.updates, numbers.bounded_loss, color=VERMILION, lw=1.2, ls=(0, (5, 1.5)), label="with SVB")
    axes.legend(loc="upper right", bbox_to_anchor=(1.0, 0.85))
    axes.set(xlabel="update", ylabel="loss", xlim=(0, numbers.updates[-1]), ylim=(1e-12, 50))
