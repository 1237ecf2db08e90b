"""Bounded batch norm (Jia et al., Section 5): one layer, its condition number, and repeated passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import GREY, LOOKS, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from sim.bbn import bounded_scales
from theory.derive.batch_norm.bounded import RATE
from theory.evaluate import value

BAND = 0.5
LAYER = (0.2, 0.45, 0.6, 0.8, 0.9, 1.1, 1.3, 2.2, 4.5, -0.7)
"""Scales gamma/std of one layer; the last is against the sign of the mean."""
WIDTH, LAYERS = 32, 60
SPREADS = (0.1, 1.6)
"""Least and greatest standard deviation of log(gamma/std)."""
SLOW = (0.1, 0.12, 0.15, 0.2, 0.3, 8.0)
PASSES = 24
SEED = 20262
PARAMETERS = {"band": BAND, "layer": LAYER, "width": WIDTH, "layers": LAYERS, "spreads": SPREADS, "repeated": SLOW}
NAMES = {"before": "before", "published": "one pass", "magnitude": "one pass on $|\\gamma|$", "settled": "settled"}

_NOTE = (
    f"Band $e={BAND:g}$. (a): divided by the mean of its own magnitudes; shaded: the band around it. "
    f"(b): {LAYERS} layers of {WIDTH} neurons, orthogonal $W$,\nlog-normal $\\gamma/\\varsigma$. (c): "
    f"a layer of {len(SLOW)} neurons, passes repeated: distance of the mean from its limit."
)


@dataclass(frozen=True, eq=False)
class Data:
    """layers: mode -> scales (10,) of one layer over their own mean. conditions: mode -> sigma_max/sigma_min (60,).

    distance: |mean - limit| after each pass (PASSES,); law: the same by the derived rate from the first pass on.
    """

    layers: dict[str, FloatArray]
    conditions: dict[str, FloatArray]
    distance: FloatArray
    law: FloatArray


def data() -> Data:
    """Bound one layer in all modes, many in two, and one over and over."""
    rng = np.random.default_rng(SEED)
    layers = {"before": np.array(LAYER)}
    layers |= {mode: bounded_scales(LAYER, BAND, mode=mode) for mode in ("published", "magnitude", "settled")}
    spreads = np.linspace(*SPREADS, LAYERS)
    scales = np.exp(spreads[:, None] * rng.normal(size=(LAYERS, WIDTH)))
    W = np.linalg.qr(rng.normal(size=(WIDTH, WIDTH)))[0]
    many = {"before": scales}
    many |= {mode: bounded_scales(scales, BAND, mode=mode) for mode in ("published", "settled")}
    conditions = {name: np.linalg.cond(x[:, :, None] * W) for name, x in many.items()}
    distance, law = _repeated()
    return Data({name: x / np.abs(x).mean() for name, x in layers.items()}, conditions, distance, law)


def _repeated() -> tuple[FloatArray, FloatArray]:
    limit, x = bounded_scales(SLOW, BAND, mode="settled"), np.array(SLOW)
    once = bounded_scales(SLOW, BAND)
    distance = []
    for _ in range(PASSES):
        x = bounded_scales(x, BAND)
        distance.append(abs(x.mean() - limit.mean()))
    clipped = {"high": np.sum(once > limit + 1e-9), "low": np.sum(once < limit - 1e-9)}
    rate = float(value(RATE, {**clipped, "band": BAND, "p": len(SLOW)}, exact=False))
    return np.array(distance), distance[0] * rate ** np.arange(PASSES)


@styled
def draw(shown: Data | None = None) -> Figure:
    """One layer in all modes, condition numbers of many, and passes towards their limit."""
    shown = shown or data()
    figure, axes = panels(TITLES["bn-conditioning"], [["a", "b", "c"]], 3.9, width_ratios=[1.25, 1, 1])
    _layer(axes["a"], shown)
    _conditions(axes["b"], shown)
    _passes(axes["c"], shown)
    note(figure, _NOTE)
    return figure


def _layer(axes: Axes, shown: Data) -> None:
    heading(axes, "a", "one layer")
    for sign in (1, -1):
        axes.axhspan(*sorted((sign / (1 + BAND), sign * (1 + BAND))), color=GREY, alpha=0.18, lw=0)
    shifts = (-0.24, -0.08, 0.08, 0.24)
    for look, shift, (name, x) in zip(LOOKS, shifts, shown.layers.items(), strict=True):
        axes.plot(np.arange(1, len(x) + 1) + shift, x, **look.points, label=NAMES[name])
    flipped = len(LAYER) + shifts[1]
    axes.annotate(
        "sign\nflipped",
        (flipped, shown.layers["published"][-1]),
        (flipped, 2.3),
        ha="center",
        color=LOOKS[1].color,
        arrowprops={"arrowstyle": "-", "color": LOOKS[1].color, "lw": 0.6, "shrinkB": 4},
    )
    axes.axhline(0.0, color=GREY, lw=0.6)
    axes.set(xlabel="neuron", xticks=range(1, len(LAYER) + 1))
    axes.set_ylabel("$\\gamma/\\varsigma$ over the mean of $|\\gamma/\\varsigma|$")
    legend_below(axes, columns=2)


def _conditions(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "condition number of $\\Gamma\\Sigma W$")
    before = shown.conditions["before"]
    for look, name in zip(LOOKS[1::2], ("published", "settled"), strict=True):
        axes.plot(before, shown.conditions[name], **look.points, label=f"{NAMES[name]}")
    axes.axhline((1 + BAND) ** 2, color=GREY, lw=0.8, label="$(1+e)^2$")
    axes.set(xscale="log", xlim=(1.0, before.max() * 1.4), ylim=(1.0, 2.4), xlabel="before", ylabel="after")
    axes.set_xticks((1, 10, 100, 1000))
    axes.minorticks_off()
    legend_below(axes)


def _passes(axes: Axes, shown: Data) -> None:
    heading(axes, "c", "passes, repeated")
    at = np.arange(1, PASSES + 1)
    axes.plot(at, shown.law, color=LOOKS[1].color, label="derived rate")
    axes.plot(at, shown.distance, **LOOKS[1].points, label="measured")
    axes.set(yscale="log", xlabel="pass $k$", ylabel="distance of the mean from its limit")
    legend_below(axes)
