"""How correlated filters hand on variance and correlations by depth: the wide limit, and random networks beside it.

Two smooth circular images pass through layers of ReLU with 3 x 3 filters, uncorrelated or with correlation R, and with
weights of one of three sizes (as of `sim.correlation.weight_std`). Correlations do not depend on the size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.catalogue import TITLES
from figures.style import LOOKS, Look, heading, legend_below, note, panels, styled
from sim.arrays import FloatArray
from sim.correlation import critical_variance, exponential_correlation, sample_weights
from sim.mean_field import input_moments, layer_moments, relu_moments, window_moments

SIDE, KERNEL, DEPTH = 8, 3, 12
RHO = 0.4
"""Correlation of neighbouring weights; R = RHO^distance."""
SMOOTH = 0.6
"""The same of neighbouring pixels of the images."""
WIDTH, NETWORKS = 128, 6
SEED = 31
PARAMETERS = {
    "image": (SIDE, SIDE),
    "k": KERNEL,
    "rho": RHO,
    "smooth": SMOOTH,
    "channels": WIDTH,
    "networks": NETWORKS,
}

CASES = {
    "uncorrelated, He": "$R=I$, He's $2/k^2$",
    "he": "correlated, He's $2/k^2$",
    "sum": "correlated, $2/1^{\\top}\\!R1$",
    "mean_field": "correlated, $2/\\Sigma_{tu}R_{tu}M_{tu}$",
}


@dataclass(frozen=True, eq=False)
class Series:
    """By layer 1, ..., DEPTH: E[y^2], and 1 - the mean correlation of different positions, and of the two images."""

    variance: FloatArray
    between_positions: FloatArray
    between_images: FloatArray


@dataclass(frozen=True, eq=False)
class Data:
    """limit and measured: case -> Series; gain = 1'R1/k^2."""

    limit: dict[str, Series]
    measured: dict[str, Series]
    gain: float


def data() -> Data:
    """Run the recursion and the networks with the same weights' sizes."""
    rng = np.random.default_rng(SEED)
    images = _images(rng)
    correlated, identity = exponential_correlation(KERNEL, RHO), np.eye(KERNEL**2)
    limit, measured = {}, {}
    for name in CASES:
        R = identity if name == "uncorrelated, He" else correlated
        moments, sizes = _limit(images, R, name)
        limit[name] = _series(moments)
        measured[name] = _series(_networks(images, R, sizes, rng))
    return Data(limit, measured, float(correlated.sum()) / KERNEL**2)


def _images(rng: np.random.Generator) -> FloatArray:
    """Two smooth random images (2, 1, SIDE, SIDE) with mean zero and E[x^2] = 1."""
    frequency = np.fft.fftfreq(SIDE) * 2 * np.pi
    line = (1 - SMOOTH**2) / (1 - 2 * SMOOTH * np.cos(frequency) + SMOOTH**2)
    white = np.fft.fft2(rng.normal(size=(2, 1, SIDE, SIDE)))
    x = np.fft.ifft2(white * np.sqrt(np.outer(line, line))).real
    x -= x.mean(axis=(2, 3), keepdims=True)
    return np.asarray(x / np.sqrt(np.square(x).mean(axis=(2, 3), keepdims=True)))


def _limit(images: FloatArray, R: FloatArray, name: str) -> tuple[list[FloatArray], list[float]]:
    """K by layer, and n_in Var[w] by layer."""
    Q, found, sizes = input_moments(images), [], []
    for _ in range(DEPTH):
        v = {"he": 2 / len(R), "uncorrelated, He": 2 / len(R), "sum": 2 / float(R.sum())}.get(name)
        v = critical_variance(R, window_moments(Q, KERNEL, padding="circular")) if v is None else v
        K = layer_moments(Q, R, v, padding="circular")
        found.append(K)
        sizes.append(v)
        Q = relu_moments(K)
    return found, sizes


def _networks(images: FloatArray, R: FloatArray, sizes: Sequence[float], rng: np.random.Generator) -> list[FloatArray]:
    """The same, the mean over channels and over NETWORKS random networks."""
    total = [np.zeros((2, 2, SIDE, SIDE, SIDE, SIDE)) for _ in sizes]
    for _ in range(NETWORKS):
        x = images
        for layer, v in enumerate(sizes):
            shape = (WIDTH, x.shape[1], KERNEL, KERNEL)
            W = sample_weights(R, shape, sigma=np.sqrt(v / x.shape[1]), rng=rng).reshape(WIDTH, -1)
            padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="wrap")
            windows = np.lib.stride_tricks.sliding_window_view(padded, (KERNEL, KERNEL), axis=(2, 3))
            columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(W.shape[1], -1)
            y = (W @ columns).reshape(WIDTH, 2, SIDE, SIDE)
            total[layer] += np.einsum("cbhw,cxij->bxhwij", y, y, optimize=True) / (WIDTH * NETWORKS)
            x = np.maximum(y, 0.0).transpose(1, 0, 2, 3)
    return total


def _series(moments: Sequence[FloatArray]) -> Series:
    flat = [K.reshape(2, 2, SIDE**2, SIDE**2) for K in moments]
    variances = [np.einsum("bbss->bs", K) for K in flat]
    scaled = [K / np.sqrt(v[:, None, :, None] * v[None, :, None, :]) for K, v in zip(flat, variances, strict=True)]
    apart = ~np.eye(SIDE**2, dtype=bool)
    return Series(
        np.array([v.mean() for v in variances]),
        np.array([1 - np.mean([c[b, b][apart].mean() for b in range(2)]) for c in scaled]),
        np.array([1 - np.diagonal(c[0, 1]).mean() for c in scaled]),
    )


@styled
def draw(shown: Data | None = None) -> Figure:
    """Variance by depth; how unlike positions are; how unlike images are."""
    shown = shown or data()
    figure, axes = panels(TITLES["signal-propagation"], [["a", "b", "c"]], 4.1)
    heading(axes["a"], "a", "second moment of responses")
    heading(axes["b"], "b", "between positions")
    heading(axes["c"], "c", "between two images")
    for look, (name, label) in zip(LOOKS, CASES.items(), strict=True):
        _plot(axes["a"], shown.limit[name].variance, shown.measured[name].variance, look, label)
    axes["a"].set(ylabel="$E[y_l^2]$")
    for letter in "bc":
        for index, (name, label) in enumerate({"uncorrelated, He": "$R=I$", "sum": "correlated"}.items()):
            series = [
                s[name].between_positions if letter == "b" else s[name].between_images
                for s in (shown.limit, shown.measured)
            ]
            _plot(axes[letter], series[0], series[1], LOOKS[2 * index], label)
        axes[letter].set(ylabel="1 - mean correlation")
    for letter in "abc":
        axes[letter].set(xlabel="layer $l$", yscale="log", xticks=range(2, DEPTH + 1, 2))
        legend_below(axes[letter])
    note(
        figure,
        f"$R=\\rho^{{\\mathrm{{distance}}}}$, $\\rho={RHO:g}$, $k={KERNEL}$, "
        f"$1^{{\\top}}\\!R1/k^2={shown.gain:.2f}$; two smooth {SIDE} x {SIDE} images, circular borders. "
        f"Lines: wide limit. Markers: means over {NETWORKS} networks\n"
        f"of {WIDTH} channels. (b) and (c) do not depend on the size of the weights.",
    )
    return figure


def _plot(axes: Axes, limit: FloatArray, measured: FloatArray, look: Look, label: str) -> None:
    layers = np.arange(1, len(limit) + 1)
    axes.plot(layers, limit, **look.line, label=label)
    axes.plot(layers, measured, **look.points)
