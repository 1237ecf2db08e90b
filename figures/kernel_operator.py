"""Singular values of a kernel as a matrix, and of the convolution on images (Jia et al., footnote 2)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import BLACK, GREY, LOOKS, heading, note, panels, styled
from sim.arrays import FloatArray
from sim.conv_spectrum import circular_singular_values, kernel_singular_values
from theory.derive.spectra.random_kernels import TAIL
from theory.evaluate import value

CHANNELS, TAPS, IMAGE = 48, 3, (24, 24)
SIZES = (1, 2, 4, 8, 16, 32)
DRAWS = 800
PAIRS = 4000
QUANTILES = (0.1, 0.5, 0.9)
SEED = 0
PARAMETERS = {
    "channels": CHANNELS,
    "taps": f"{TAPS} x {TAPS}",
    "image": f"{IMAGE[0]} x {IMAGE[1]}",
    "kernels": DRAWS,
    "pairs": PAIRS,
}


@dataclass(frozen=True, eq=False)
class Data:
    """kernel, operator: singular values, descending. conditions: `QUANTILES` for each of `SIZES` channels, (6, 3).

    pairs: condition numbers of layers with one channel and two taps.
    """

    kernel: FloatArray
    operator: FloatArray
    conditions: FloatArray
    pairs: FloatArray


def data() -> Data:
    """Random orthogonal kernels: one of many channels in full, many of few channels by their condition numbers."""
    rng = np.random.default_rng(SEED)
    kernel = orthogonal(rng, CHANNELS, (TAPS, TAPS))
    conditions = []
    for size in SIZES:
        draws = max(120, DRAWS // size)
        found = [_condition(orthogonal(rng, size, (TAPS, TAPS)), (8, 8)) for _ in range(draws)]
        conditions.append(np.quantile(found, QUANTILES))
    pairs = np.array([_condition(orthogonal(rng, 1, (1, 2)), (1, 2)) for _ in range(PAIRS)])
    return Data(kernel_singular_values(kernel), circular_singular_values(kernel, IMAGE), np.array(conditions), pairs)


def orthogonal(rng: np.random.Generator, channels: int, taps: tuple[int, int]) -> FloatArray:
    """A random kernel (N, N, kh, kw) with orthonormal rows once reshaped."""
    q, r = np.linalg.qr(rng.normal(size=(channels * taps[0] * taps[1], channels)))
    return np.asarray((q * np.sign(np.diagonal(r))).T.reshape(channels, channels, *taps))


def _condition(kernel: FloatArray, image: tuple[int, int]) -> float:
    values = circular_singular_values(kernel, image)
    return float(values[0] / values[-1])


def free_density(s: FloatArray, taps: int) -> FloatArray:
    """The density of singular values for many channels, N_in = N_out: x = s^2/k is that of two free projections.

    f(s) = sqrt(4 (1 - 1/k) - s^2)/(pi (1 - s^2/k)) on [0, 2 sqrt(1 - 1/k)], k = kh kw (Voiculescu; Wachter's law).
    """
    inside = np.maximum(4 * (1 - 1 / taps) - s**2, 0.0)
    return np.asarray(np.sqrt(inside) / (np.pi * (1 - s**2 / taps)))


@styled
def draw(shown: Data | None = None) -> Figure:
    """The spectrum of one layer; the condition numbers of many."""
    shown = shown or data()
    # ratios that floats hold exactly: the layout then comes out the same every time
    figure, axes = panels(TITLES["kernel-operator"], [["a", "b", "c"]], 3.2, width_ratios=[1.5, 1.0, 1.0])
    _spectrum(axes["a"], shown)
    _growth(axes["b"], shown)
    _tail(axes["c"], shown)
    note(
        figure,
        f"Random kernels with orthonormal rows, circular padding. (a) {CHANNELS} channels in and out, {TAPS} x {TAPS} "
        f"taps, on {IMAGE[0]} x {IMAGE[1]} pixels.\n(b) {TAPS} x {TAPS} taps on 8 x 8 pixels: median, and 10 to 90 %. "
        f"(c) One channel, two taps on two pixels: {PAIRS} kernels.",
    )
    return figure


def _spectrum(axes: Axes, shown: Data) -> None:
    heading(axes, "a", "spectrum of one layer")
    taps = TAPS**2
    edges = np.linspace(0, 2, 41).tolist()
    axes.hist(shown.operator, edges, density=True, color=LOOKS[0].color, alpha=0.35, label="convolution on images")
    s = np.linspace(0, 2 * np.sqrt(1 - 1 / taps), 400)
    axes.plot(s, free_density(s, taps), color=LOOKS[0].color, label="its limit, many channels")
    axes.plot([1, 1], [0, 0.72], **LOOKS[1].line, label="kernel as a matrix: all 1")
    axes.set(xlim=(0, 2.05), ylim=(0, 1.05), xlabel="singular value", ylabel="density")
    axes.legend(loc="upper right", handlelength=1.8)


def _growth(axes: Axes, shown: Data) -> None:
    heading(axes, "b", "condition number")
    low, middle, high = shown.conditions.T
    axes.fill_between(SIZES, low, high, color=LOOKS[2].color, alpha=0.2, lw=0)
    axes.plot(SIZES, middle, **LOOKS[2].with_markers)
    axes.axhline(1.0, color=LOOKS[1].color, ls=LOOKS[1].linestyle)
    axes.annotate("kernel as a matrix", (1, 1.0), (0, 3), textcoords="offset points", color=LOOKS[1].color, fontsize=8)
    axes.set(
        xscale="log", yscale="log", xlabel="channels", ylabel=r"$s_{\max}/s_{\min}$", xlim=(0.85, 38), ylim=(0.7, 3e3)
    )
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.minorticks_off()


def _tail(axes: Axes, shown: Data) -> None:
    heading(axes, "c", "two taps: no mean")
    t = np.logspace(0, 3, 200)
    law = value(TAIL.rhs, {"level": t}, exact=False)
    marks = np.logspace(0, 2.5, 11)
    axes.plot(t, law, color=BLACK, lw=1.0, label=r"$\frac{4}{\pi}\arctan\frac{1}{t}$")
    axes.plot(marks, [(shown.pairs > mark).mean() for mark in marks], **LOOKS[3].points, label="drawn")
    axes.plot(t, 1 / t, color=GREY, ls=(0, (1, 1.2)), lw=0.9, label=r"$1/t$")
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(0.9, 500),
        ylim=(1.5e-3, 1.6),
        xlabel="$t$",
        ylabel=r"$P(s_{\max}/s_{\min}>t)$",
    )
    axes.legend(loc="lower left")
