"""Page 6, a convolution's true spectrum: singular values of the kernel as a matrix and of the layer (Jia et al., 6)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import sympy as sp

from figures.explore.heat_map import heat_map
from figures.explore.judge import judged, shown
from figures.explore.layer_spectra import KERNELS, RANDOM, Found, Spectra, find, wave_gains
from figures.explore.page import Control, Page, Picture, Preset, Standing, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, band, rule
from figures.explore.walls import wall
from sim.arrays import FloatArray
from theory.derive.spectra import operators as laws

POINTS = 300
OCTAVES = 3.0
"""Gains beyond 2^-+OCTAVES have the full colours."""

CONTROLS = (
    Control(
        "kernel",
        "Kernel",
        "choice",
        KERNELS[0],
        choices=KERNELS,
        help="Two taps, a named filter, or many channels drawn at random with orthonormal rows.",
    ),
    Control("k", "Kernel size k", "integer", 3, low=1, high=7, step=1, help="k x k taps; (3/5, 4/5) has two."),
    Control("channels", "Channels", "integer", 4, low=1, high=4, step=1, help="In and out, of the random kernel only."),
    Control("image", "Image size", "integer", 16, low=4, high=32, step=1, help="Height and width in pixels."),
    Control(
        "padding",
        "Padding",
        "choice",
        "circular",
        choices=("circular", "zero"),
        help="Beyond the border: the other side of the image, or zeros.",
    ),
    Control(
        "patches",
        "Patches",
        "choice",
        "overlap",
        choices=("overlap", "tile"),
        help="overlap: stride 1; tile: the stride is the kernel's size, and every pixel is seen once.",
    ),
    Control(
        "eps",
        "Width of the band eps",
        "number",
        0.1,
        low=0.01,
        high=1.0,
        step=0.01,
        help="Singular Value Bounding brings the kernel's singular values into [1/(1+eps), 1+eps].",
    ),
    Control("seed", "Draw", "integer", 0, low=0, high=20, step=1, help="Another random kernel."),
)

PRESETS = (
    Preset(
        "The smallest counterexample",
        "(3/5, 4/5) has length 1: as a matrix it is orthogonal. The layer multiplies even images by 7/5 and stripes "
        "by 1/5.",
        {},
    ),
    Preset(
        "A blur, bounded",
        "Bounded as a matrix, it amplifies even images almost k-fold and wipes out fine stripes.",
        {"kernel": "blur"},
    ),
    Preset("An edge detector", "What is even disappears, whatever the kernel's size.", {"kernel": "edge"}),
    Preset(
        "Random orthogonal, four channels",
        "How networks are initialised: the matrix is perfectly conditioned, the layer is not.",
        {"kernel": RANDOM, "image": 12},
    ),
    Preset(
        "Patches that tile",
        "With a stride as large as the kernel every pixel is seen once, and the claim holds.",
        {"kernel": "gabor", "patches": "tile"},
    ),
    Preset("One tap", "A 1 x 1 kernel sees one pixel: matrix and layer are the same.", {"kernel": RANDOM, "k": 1}),
    Preset(
        "A border of zeros",
        "Zeros around the image change the numbers, not the finding.",
        {"kernel": "gabor", "padding": "zero"},
    ),
)


def view(values: Values) -> View:
    """The page for the values of its controls."""
    found = find(values)
    # what a stride drops mixes waves
    waves = (_gains(found),) if found.geometry.stride == 1 else ()
    return View(
        (_spectrum(found), *waves, _kernels(found)),
        standings(found),
        _rows(found),
        "",
        _python(values, found),
        found.message,
    )


def _spectrum(found: Found) -> Picture:
    low, high = 1 / (1 + found.eps), 1 + found.eps
    lines = [
        band(np.array([0.0, 100.0]), np.full(2, low), np.full(2, high), "the band", look=2),
        _sorted(found.before.layer, "layer, kernel as given", 7, 1),
        _sorted(found.after.layer, "layer, kernel bounded", 0, 0),
        _sorted(found.after.matrix, "bounded kernel as a matrix", 1, 0),
    ]
    limit = math.sqrt(found.geometry.counts().max()) * float(found.after.matrix[0])
    lines.append(rule(limit, f"largest possible: {shown(limit)}", look=3, dash=3))
    top = 1.06 * max(limit, float(found.before.layer[0]), high)
    svg = plot(
        lines,
        title="Singular values, largest first",
        x_label="percent of all",
        y_label="singular value",
        x_range=(0.0, 100.0),
        y_range=(0.0, top),
    )
    return Picture(
        svg,
        "By what factor the layer multiplies images, from the most amplified to the most attenuated. Singular Value "
        "Bounding brings the kernel, as a matrix, into the shaded band; the layer follows only where patches do not "
        "overlap.",
    )


def _sorted(values: FloatArray, label: str, look: int, dash: int) -> Series:
    kept = np.unique(np.linspace(0, len(values) - 1, POINTS).round().astype(int))
    if len(values) == 1:
        return Series(np.array([0.0, 100.0]), np.repeat(values, 2), label, look=look, dash=dash)
    return Series(100.0 * kept / (len(values) - 1), values[kept], label, look=look, dash=dash)


def _gains(found: Found) -> Picture:
    gains = wave_gains(found.after.kernel, found.geometry.side)
    octaves = np.log2(np.maximum(gains, 2.0**-OCTAVES))
    svg = heat_map(
        octaves,
        title="Which waves grow, which vanish",
        x_label="stripes across the image →",
        y_label="stripes down the image →",
        low=-OCTAVES,
        high=OCTAVES,
        digits=None,
        description=f"gains from {shown(float(gains.min()))} to {shown(float(gains.max()))}",
    )
    how = "at most, over its channels, by" if found.after.kernel.shape[1] > 1 else "by"
    where = "" if found.geometry.circular else " (on a torus)"
    return Picture(
        svg,
        f"Every image is a sum of waves; in the middle is the even one, at the border are the finest. The bounded "
        f"kernel multiplies them{where} {how} {shown(float(gains.min()))} to {shown(float(gains.max()))}: orange is "
        "more than 1, blue less, white exactly 1.",
    )


def _kernels(found: Found) -> Picture:
    before, after = (one.kernel.reshape(-1, *found.geometry.taps) for one in (found.before, found.after))
    svg = wall(
        np.concatenate([before, after]),
        title="The kernel, as given and bounded",
        columns=len(before) if len(before) > 1 else 2,
        width=420 if len(before) > 1 else 280,
    )
    where = "above" if len(before) > 1 else "left"
    return Picture(svg, f"As given ({where}) and after Singular Value Bounding; orange is positive, blue negative.")


def standings(found: Found) -> tuple[Standing, ...]:
    """How the claims on bounded kernels fare at these settings: S-CONV of the bounded kernel, X-OPER of both."""
    largest = float(found.after.layer[0])
    observed = _observed(found, found.after)
    rounding = 1e-9 * max(largest, 1.0) ** 2
    seen = found.geometry.counts()
    many = f"a pixel is seen by up to {seen.max():g} patches" if seen.max() > 1 else "every pixel is seen once"
    above = judged(
        "S-CONV",
        "bounding the kernel as a matrix bounds the layer: it is not over-amplified, at most 1+eps",
        laws.KERNEL_ABOVE,
        observed,
        rounding,
        f"its largest singular value is {shown(largest)}, against 1+eps = {shown(1 + found.eps)}; {many}",
    )
    below = judged(
        "S-CONV",
        "… and not attenuated, at least 1/(1+eps)",
        laws.KERNEL_BELOW,
        observed,
        rounding,
        f"its smallest singular value is {shown(_floor(found.after.layer))}, against {shown(1 / (1 + found.eps))}",
    )
    return above, below, _bounds(found)


def _observed(found: Found, spectra: Spectra) -> dict[str, float]:
    geometry, kernel = found.geometry, spectra.kernel
    squares, own = np.square(spectra.layer), np.square(spectra.matrix)
    return {
        "eps": found.eps,
        "op_max2": float(squares[0]),
        "op_min2": float(squares[-1]),
        "op_sum2": float(squares.sum()),
        "kernel_max2": float(own[0]),
        "kernel_min2": float(own[-1]),
        "kernel_sum2": float(own.sum()),
        "overlap": float(geometry.counts().max()),
        "positions": float(math.prod(geometry.output)),
        "rows": float(kernel.shape[0] * math.prod(geometry.output)),
        "columns": float(kernel.shape[1] * geometry.side**2),
        "whole": float(geometry.whole()),
    }


def _bounds(found: Found) -> Standing:
    observed = _observed(found, found.before)
    statements = [laws.UPPER]
    if observed["whole"] > 0 and observed["rows"] <= observed["columns"]:
        statements.append(laws.INSIDE)
    if found.geometry.circular:
        statements.append(laws.MEAN)
    matrix, layer = found.before.matrix, found.before.layer
    # the squares are summed over all singular values
    rounding = 1e-9 * max(observed["op_sum2"], 1.0)
    return judged(
        "X-OPER",
        "s_min(layer) ≤ s_min(kernel) ≤ s_max(kernel) ≤ s_max(layer) ≤ √overlap s_max(kernel)",
        sp.And(*statements),
        observed,
        rounding,
        f"the kernel as given has {shown(float(matrix[-1]))} to {shown(float(matrix[0]))}, its layer "
        f"{shown(_floor(layer))} to {shown(float(layer[0]))}",
    )


def _rows(found: Found) -> tuple[tuple[str, ...], ...]:
    header = ("singular values", "kernel as given", "kernel bounded")
    both = (found.before, found.after)
    overlap = math.sqrt(float(found.geometry.counts().max()))

    def row(name: str, value: Callable[[Spectra], float]) -> tuple[str, ...]:
        return (name, *(shown(value(one)) for one in both))

    return (
        header,
        row("kernel as a matrix, smallest", lambda one: float(one.matrix[-1])),
        row("kernel as a matrix, largest", lambda one: float(one.matrix[0])),
        row("layer, smallest", lambda one: _floor(one.layer)),
        row("layer, largest", lambda one: float(one.layer[0])),
        row("largest possible", lambda one: overlap * float(one.matrix[0])),
        row("layer, condition number", lambda one: float(one.layer[0]) / (_floor(one.layer) or math.nan)),
    )


def _floor(layer: FloatArray) -> float:
    """The smallest singular value; 0 for what is rounding."""
    return float(layer[-1]) if layer[-1] > 1e-12 * layer[0] else 0.0


def _python(values: Values, found: Found) -> str:
    geometry = found.geometry
    k, channels, seed = int(values["k"]), int(values["channels"]), int(values["seed"])
    made = {
        KERNELS[0]: ("", "np.array([[[[0.6, 0.8]]]])"),
        RANDOM: (
            "from figures.explore.layer_spectra import random_orthogonal\n",
            f"random_orthogonal({channels}, {k}, {seed})",
        ),
    }.get(found.name, ("from sim.cnn.filters import named_filter\n", f"named_filter({found.name!r}, {k})[None, None]"))
    image = f"({geometry.side}, {geometry.side})"
    stride = f", stride={geometry.stride}" if geometry.stride > 1 else ""
    if geometry.circular:
        name, call = "circular_singular_values", f"circular_singular_values(kernel, {image}{stride})[[0, -1]]"
    else:
        name = "zero_padded_extremes"
        call = f"*zero_padded_extremes(kernel, {image}, padding={geometry.padding}{stride})"
    return (
        "import numpy as np\n"
        f"{made[0]}"
        f"from sim.conv_spectrum import {', '.join(sorted((name, 'kernel_singular_values', 'reshaped')))}\n"
        "from sim.svb import bound_singular_values\n\n"
        f"given = {made[1]}\n"
        f"bounded = bound_singular_values(reshaped(given), {found.eps!r}).reshape(given.shape)\n"
        "for kernel in (given, bounded):\n"
        "    print(kernel_singular_values(kernel)[[0, -1]])\n"
        f"    print({call})\n"
    )


PAGE = Page(
    key="conv-spectrum",
    title="A convolution's true spectrum",
    text="Singular Value Bounding treats the kernel of a convolution as a matrix, as if it were applied to one patch. "
    "But a layer slides it over an image, and patches overlap: what it does to the image is another, much larger "
    "matrix with its own singular values. Choose a kernel, and compare the two.",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
)
