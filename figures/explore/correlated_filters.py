"""Page 4, correlated filters: drawn from R, alpha and a scale, and what they do to signals by depth (Schneider, 5)."""

from __future__ import annotations

import numpy as np

from figures.explore.judge import decided, not_applicable, setting, shown
from figures.explore.page import Control, Page, Picture, Preset, Standing, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, rule
from figures.explore.signals import NETWORKS, SIDE, SINGLE, Found, find, white_filters
from figures.explore.walls import wall
from sim.correlation import (
    SCALES,
    correlation_root,
    response_gain,
)
from sim.known import known_correlations
from sim.mean_field import input_moments, window_moments

WALL = (3, 8)
"""Rows and columns of filters that are shown."""
LEAST = 1e-4
"""Positions no more unlike than this are drawn as if by so much."""
SURE = 5.0
"""Standard errors beyond which a measurement contradicts a formula."""

CONTROLS = (
    Control(
        "kind",
        "Correlation R",
        "choice",
        "exponential",
        choices=("exponential", "equal", *known_correlations()),
        help="exponential: falls with the distance of two pixels; equal: the same for all; names: of trained networks.",
    ),
    Control(
        "rho",
        "Correlation of neighbours",
        "number",
        0.4,
        high=1.0,
        step=0.02,
        help="Between neighbouring weights (exponential) or any two (equal).",
    ),
    Control("k", "Filter width k", "integer", 3, low=2, high=7, step=1, help="Filters have k x k weights."),
    Control(
        "alpha",
        "Strength alpha",
        "number",
        1.0,
        high=2.0,
        step=0.05,
        help="Off-diagonals of R are multiplied by it; the paper's Table 5 tries 0.25 to 1.5.",
    ),
    Control(
        "scale",
        "Size of the weights",
        "choice",
        "sum",
        choices=SCALES,
        help="sum: Algorithm 1 with He's factor; he: as for uncorrelated filters; mean_field: fitted to the inputs of "
        "each layer; printed: Algorithm 1 as printed.",
    ),
    Control(
        "smooth",
        "Smoothness of the image",
        "number",
        0.6,
        high=1.0,
        step=0.05,
        help="Correlation of neighbouring pixels: 0 is white noise, 1 an even image.",
    ),
    Control("depth", "Layers", "integer", 6, low=3, high=8, step=1, help="Convolutions, with ReLU between them."),
)

PRESETS = (
    Preset(
        "Algorithm 1, put right",
        "Smooth filters whose sum has the variance that He asks for: signals shrink in the first layers, until all "
        "positions are alike.",
        {},
    ),
    Preset(
        "Correlated, but sized as if not",
        "With He's variance every layer of correlated filters amplifies; after a few layers by orders of magnitude.",
        {"scale": "he", "rho": 0.6},
    ),
    Preset(
        "Sized for the inputs", "The size that takes the inputs into account keeps the signal.", {"scale": "mean_field"}
    ),
    Preset(
        "As printed",
        "Without He's factor of two the signal is at least halved by every layer.",
        {"scale": "printed"},
    ),
    Preset(
        "An even image",
        "All inputs of a window are equal: here Eq. (17) is the variance of the layer.",
        {"smooth": 1.0},
    ),
    Preset(
        "alpha too strong",
        "Table 5 multiplies correlations by up to 1.5. These do not survive it: an eigenvalue becomes negative, and "
        "no filters have such correlations.",
        {"rho": 0.8, "alpha": 1.5},
    ),
    Preset("No correlation", "White filters: the common initialisation.", {"rho": 0.0, "scale": "he"}),
)


def view(values: Values) -> View:
    """The page for the values of its controls."""
    found = find(values)
    pictures = (_filters(found), _moments(found), _likeness(found), _eigenvalues(found))
    return View(pictures, standings(found), _rows(found), "", _python(values, found), found.message)


def _filters(found: Found) -> Picture:
    rows, columns = WALL
    white = white_filters(SINGLE, len(found.R), 0)[: rows * columns]
    drawn = (white @ correlation_root(found.R).T).reshape(-1, found.k, found.k)
    svg = wall(drawn, title=f"{rows * columns} filters of {found.k} × {found.k} weights", columns=columns, largest=2.5)
    return Picture(svg, "Filters drawn with these correlations: orange weights are positive, blue ones negative.")


def _moments(found: Found) -> Picture:
    layers = np.arange(len(found.limit) + 1, dtype=np.float64)
    low = np.maximum(found.measured - 2 * found.error, found.measured / 20)
    ends = np.column_stack([low, found.measured + 2 * found.error, np.full_like(low, np.nan)])
    lines = [
        Series(layers[1:], found.white[0] / 2, "uncorrelated, He", look=7, dash=1),
        Series(layers, np.concatenate([[1.0], found.limit / 2]), "these, wide limit", look=0),
        Series(np.repeat(layers[1:], 3), ends.ravel() / 2, "", look=4, dash=0),
        Series(layers[1:], found.measured / 2, f"{NETWORKS} networks, 2 standard errors", "points", look=4),
    ]
    levels = np.concatenate([[1.0], found.limit / 2, found.white[0] / 2, found.measured / 2])
    svg = plot(
        lines,
        title="Signal by depth",
        x_label="layer",
        y_label="E[x²] after ReLU",
        log_y=True,
        y_range=(0.5 * float(levels.min()), 2.0 * float(levels.max())),
    )
    return Picture(
        svg,
        f"Mean square of what each layer hands on, from 1 at the image. Line: the limit of many channels; crosses: "
        f"random networks of {found.width} channels, which scatter more with every layer.",
    )


def _likeness(found: Found) -> Picture:
    layers = np.arange(1.0, len(found.limit) + 1)
    lines = [
        Series(layers, np.maximum(1 - found.white[1], LEAST), "uncorrelated filters", look=7, dash=1),
        Series(layers, np.maximum(1 - found.alike, LEAST), "these filters", look=0),
    ]
    svg = plot(
        lines,
        title="How unlike two positions are",
        x_label="layer",
        y_label="1 − mean correlation",
        log_y=True,
        y_range=(0.5 * float(min(one.y.min() for one in lines)), 2.0),
    )
    return Picture(svg, "Correlated filters blur: what lies side by side grows alike, and with it what lies far apart.")


def _eigenvalues(found: Found) -> Picture:
    values = np.asarray(np.linalg.eigvalsh(found.asked)[::-1], dtype=np.float64)
    negative = values < -1e-9
    places = np.arange(1.0, len(values) + 1)
    lines = [Series(places, np.where(negative, np.nan, values), "", "bars", look=0)]
    if negative.any():
        lines = [
            Series(places, np.where(negative, 0.0, values), "", "bars", look=0),
            rule(0.0, "", look=4, dash=0),
            Series(places[negative], values[negative], "negative", "points", look=1),
        ]
    svg = plot(lines, title=f"Eigenvalues at alpha = {found.alpha:g}", x_label="number", y_label="eigenvalue")
    return Picture(
        svg,
        "Only a matrix without negative eigenvalues is a correlation matrix. alpha moves every eigenvalue away from 1, "
        "or towards it.",
    )


def standings(found: Found) -> tuple[Standing, ...]:
    """How the claims of Section 5 fare at these settings."""
    return (_algorithm_1(found), _eq_17(found), _strength(found), _recursion(found))


def _algorithm_1(found: Found) -> Standing:
    statement = "Algorithm 1: weights of this size keep the mean square of a signal through a layer and its ReLU"
    if found.scale in ("he", "mean_field"):
        return not_applicable("C-ALG1", statement, f"the weights have another size, “{found.scale}”")
    kept, error = found.kept
    why = f"a layer keeps {shown(kept)} ± {shown(error)}"
    if found.scale == "printed":
        why += "; He's factor of two is missing"
    elif abs(kept - 1) > SURE * error:
        why += "; the size is right only for windows of equal inputs"
    return decided("C-ALG1", statement, abs(kept - 1) <= SURE * error, why)


def _eq_17(found: Found) -> Standing:
    said = float(found.sizes[0] * found.R.sum())
    second, error = found.single
    gain = response_gain(found.R, window_moments(input_moments(found.image), found.k, padding="circular"))
    return decided(
        "C-E17",
        "Eq. (17): ΣR(i,j) is the variance of a layer's outputs, for Var[w] = E[x²] = 1",
        abs(second - said) <= SURE * error,
        f"ΣR = {shown(float(found.R.sum()))}; measured {shown(second / found.sizes[0])} ± "
        f"{shown(error / found.sizes[0])}; true is ΣR(t,u)E[x_t x_u] = {shown(gain)}",
    )


def _strength(found: Found) -> Standing:
    least = float(np.linalg.eigvalsh(found.asked)[0])
    most = "any alpha" if np.isinf(found.largest) else f"alpha up to {shown(found.largest)}"
    return decided(
        "C-ALPHA",
        f"R with its off-diagonals times {found.alpha:g} is a correlation matrix",
        bool(least >= -64 * len(found.R) * np.finfo(float).eps),
        f"its least eigenvalue is {shown(0.0 if abs(least) < 1e-12 else least)}; this R allows {most}",
    )


def _recursion(found: Found) -> Standing:
    """By the gain of each layer: of the first on SINGLE filters, of the others in the networks.

    Given its inputs, a layer's outputs are Gaussian, so that the mean of `width` squares varies by at most
    sqrt(2/width), relatively; that the inputs themselves are not those of the limit is of the order of 1/width.
    """
    second, error = found.single
    expected = found.limit[1:] / (found.limit[:-1] / 2)
    off = np.abs(found.gains[1:] / expected - 1)
    slack = SURE * np.sqrt(2.0 / (found.width * NETWORKS)) + 1.0 / found.width
    return decided(
        "X-NNGP",
        "K′ = v Σ R(t,u) Q(a+t, a′+u), Q the arc-cosine kernel of K",
        bool(abs(second - found.limit[0]) <= SURE * error and np.all(off <= slack)),
        f"by what each layer multiplies E[x²], in the limit and in networks: off by {shown(100 * float(off.max()))} % "
        f"at most, of {shown(100 * slack)} % that chance explains",
    )


def _rows(found: Found) -> tuple[tuple[str, ...], ...]:
    header = ("layer", "n_in Var[w]", "E[y²], wide limit", "E[y²], networks", "standard error", "likeness of positions")
    columns = (found.sizes, found.limit, found.measured, found.error, found.alike)
    rows = [(str(n + 1), *(shown(float(column[n])) for column in columns)) for n in range(len(found.limit))]
    return (header, *rows)


def _python(values: Values, found: Found) -> str:
    kind, k, rho = values["kind"], found.k, setting(values, "rho")
    made = {
        "exponential": (
            "from sim.correlation import exponential_correlation",
            f"exponential_correlation({k}, {rho!r})",
        ),
        "equal": ("from sim.correlation import equicorrelation", f"equicorrelation({k * k}, {rho!r})"),
    }.get(str(kind), ("from sim.known import find_correlation", f"find_correlation({kind!r}).R"))
    alpha = min(found.alpha, found.largest)
    inputs = f', moments=window_moments(Q, {k}, padding="circular")' if found.scale == "mean_field" else ""
    names = "input_moments, layer_moments, relu_moments" + (", window_moments" if inputs else "")
    return (
        "import numpy as np\n"
        "from figures.explore.signals import smooth_image\n"
        f"{made[0]}\n"
        "from sim.correlation import weight_std\n"
        f"from sim.mean_field import {names}\n"
        "from sim.nearest import scale_correlation\n\n"
        f"R = scale_correlation({made[1]}, {alpha!r})\n"
        f"Q = input_moments(smooth_image({setting(values, 'smooth')!r}))\n"
        f"for layer in range({len(found.limit)}):\n"
        f"    v = weight_std({found.scale!r}, R, 1{inputs}) ** 2\n"
        '    K = layer_moments(Q, R, v, padding="circular")\n'
        f"    print(layer + 1, v, K.reshape({SIDE**2}, {SIDE**2}).trace() / {SIDE**2})\n"
        "    Q = relu_moments(K)\n"
    )


PAGE = Page(
    key="correlated-filters",
    title="Correlated filters",
    text="Filters of trained networks are smooth: neighbouring weights are alike. Schneider draws the initial filters "
    "that way, with a correlation matrix R, and multiplies its correlations by a strength alpha. Smooth filters pass "
    "on more of a smooth image, so the size of their weights matters: choose one, and see what reaches the deeper "
    "layers.",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
)
