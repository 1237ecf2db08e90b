"""Page 3, layer variance: Table 1 of Schneider (Section 4), exact, as printed, and measured on random networks."""

from __future__ import annotations

import numpy as np

from figures.explore.judge import shown
from figures.explore.layer_claims import standings
from figures.explore.layer_networks import CHANNELS, SEED, Found, find, trusted
from figures.explore.page import Control, Page, Picture, Preset, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, rule

CONTROLS = (
    Control("k", "Filter width k", "integer", 2, low=2, high=5, step=1, help="Filters have k x k weights."),
    Control("depth", "Layers l", "integer", 5, low=2, high=6, step=1, help="Convolutions, with ReLU between them."),
    Control(
        "weight_correlation",
        "Correlation of the weights",
        "number",
        1.0,
        low=-0.3,
        high=1.0,
        step=0.05,
        help="Between any two weights of a filter; 1: all are equal. Negative only down to -1/(k^2 - 1).",
    ),
    Control(
        "input_correlation",
        "Correlation of the inputs",
        "number",
        0.0,
        step=0.05,
        help="Between any two pixels of the image; 1: the image is even.",
    ),
    Control(
        "border",
        "Windows",
        "choice",
        "disjoint",
        choices=("disjoint", "circular", "zero"),
        help="disjoint: they share no input; circular: stride 1, the image goes on at its other side; zero: on zeros.",
    ),
    Control(
        "strength",
        "Weight variance, times k^2/2",
        "number",
        1.0,
        low=0.05,
        high=2.0,
        step=0.05,
        help="1 is He's Var[w] = 2/k^2, 1/k^2 is the other end of the printed range, 2/k^4.",
    ),
    Control(
        "channels",
        "Channels",
        "choice",
        "one",
        choices=tuple(CHANNELS),
        help="one, as in the paper; with several, Var[w] is shared among them.",
    ),
)

PRESETS = (
    Preset(
        "Cell C: not like cell B",
        "Equal weights, uncorrelated inputs. Table 1 says that the variance grows as for uncorrelated weights; the "
        "crosses leave that line and grow as if everything were correlated.",
        {"weight_correlation": 1.0, "input_correlation": 0.0, "border": "disjoint"},
    ),
    Preset(
        "Cell C, real convolution",
        "The same with windows that overlap: another closed form, the same fate.",
        {"weight_correlation": 1.0, "input_correlation": 0.0, "border": "circular", "k": 3, "depth": 4},
    ),
    Preset(
        "Cell D: He's case",
        "Nothing is correlated. Table 1 has the wrong power of k and of Var[w] even here.",
        {"weight_correlation": 0.0, "input_correlation": 0.0, "border": "circular", "strength": 1.5},
    ),
    Preset(
        "Cell B: an error that hides",
        "Even inputs, uncorrelated weights, He's variance: k^2 Var[w]/2 = 1, and any power of 1 is 1. So Eq. (16) "
        "holds here with its wrong exponent. Move the weight variance and it fails.",
        {"weight_correlation": 0.0, "input_correlation": 1.0, "border": "circular"},
    ),
    Preset(
        "Cell A: everything equal",
        "The variance grows by k^4 Var[w]/2 in each layer: He's variance is k^2 times too large.",
        {"weight_correlation": 1.0, "input_correlation": 1.0, "border": "circular", "depth": 4},
    ),
    Preset(
        "Cell A, a border of zeros",
        "Zeros around the image end the perfect correlation of the inputs: growth falls short of k^4 Var[w]/2.",
        {"weight_correlation": 1.0, "input_correlation": 1.0, "border": "zero", "k": 3, "depth": 4},
    ),
    Preset(
        "Halfway, many channels",
        "Between the cells Table 1 says nothing; the closed form does.",
        {"weight_correlation": 0.5, "input_correlation": 0.5, "border": "disjoint", "channels": "sixteen", "depth": 4},
    ),
    Preset(
        "Out of the printed range",
        "Weights that lean against each other need more variance than 2/k^2.",
        {"weight_correlation": -0.3, "input_correlation": 1.0, "border": "circular", "channels": "sixteen", "depth": 3},
    ),
)


def view(values: Values) -> View:
    """The page for the values of its controls."""
    found = find(values)
    return View(
        (_by_depth(found), _growth(found)),
        standings(found),
        _rows(found),
        _command(found),
        _python(found),
        found.message,
    )


def _by_depth(found: Found) -> Picture:
    layers = np.arange(found.stack.depth, dtype=np.float64)
    second, error = found.measured.second, found.measured.second_error
    lines = []
    if np.isfinite(found.exact).sum() > 1:
        lines.append(Series(layers, found.exact, "exact", look=0))
    if found.printed is not None:
        lines.append(Series(layers, found.printed, "Table 1 as printed", look=1))
    if found.cell == "C":
        lines.append(Series(layers, found.repaired, "Table 1, indices repaired", look=5, dash=2))
    sound = trusted(found)
    low, high = np.maximum(second - 4 * error, second / 20), second + 4 * error
    ends = np.column_stack([low, high, np.full_like(low, np.nan)])
    lines.append(Series(np.repeat(layers[sound], 3), ends[sound].ravel(), "", look=4, dash=0))
    lines.append(Series(layers[sound], second[sound], "measured, 4 standard errors", "points", look=4))
    if not sound.all():
        lines.append(Series(layers[~sound], second[~sound], "too few networks to tell", "points", look=7))
    svg = plot(
        lines,
        title=f"Variance by depth{f', cell ({found.cell})' if found.cell else ''}",
        x_label="layer l",
        y_label="Var[yₗ]",
        log_y=True,
        x_range=(-0.2, found.stack.depth - 0.8),
        x_names=[str(layer) for layer in range(1, found.stack.depth + 1)],
    )
    return Picture(
        svg,
        f"Variance of the responses, layer by layer, of {found.measured.draws} random networks (crosses), and what "
        "the formulas say. A logarithmic scale: straight lines grow by the same factor in every layer.",
    )


def _growth(found: Found) -> Picture:
    stack = found.stack
    steps = np.arange(stack.depth - 1, dtype=np.float64)
    half = stack.v / 2
    lines = [
        rule(stack.n * half, f"k²Var[w]/2 = {shown(stack.n * half)}", look=5, dash=1),
        rule(stack.n**2 * half, f"k⁴Var[w]/2 = {shown(stack.n**2 * half)}", look=3, dash=3),
    ]
    if np.isfinite(found.exact).sum() > 1:
        lines.append(Series(steps, found.exact[1:] / found.exact[:-1], "exact", look=0))
    second, sound = found.measured.second, trusted(found)[1:]
    measured = (second[1:] / second[:-1])[sound]
    lines.append(Series(steps[sound], measured, "measured", "points", look=4))
    levels = np.concatenate([[stack.n * half, stack.n**2 * half], measured])
    svg = plot(
        lines,
        title="Growth from the layer before",
        x_label="layer l",
        y_label="Var[yₗ] / Var[yₗ₋₁]",
        log_y=True,
        x_range=(-0.2, stack.depth - 1.8),
        x_names=[str(layer) for layer in range(2, stack.depth + 1)],
        y_range=(0.7 * float(levels.min()), 1.4 * float(levels.max())),
    )
    return Picture(
        svg,
        "By what factor each layer multiplies the variance. Uncorrelated weights: k² Var[w]/2. Weights and inputs all "
        "equal: k⁴ Var[w]/2. In cell (C) it begins near the one and goes to the other.",
    )


def _rows(found: Found) -> tuple[tuple[str, ...], ...]:
    seen = found.measured
    header = ("layer", "exact", "measured", "standard error", "Table 1 as printed")
    rows = [
        (
            str(n + 1),
            shown(found.exact[n]),
            shown(seen.second[n]),
            shown(seen.second_error[n]),
            "–" if found.printed is None else shown(found.printed[n]),
        )
        for n in range(found.stack.depth)
    ]
    return (header, *rows)


def _command(found: Found) -> str:
    """The command draws Gaussian weights, which have the same variances; it takes one correlation in [0, 1]."""
    stack = found.stack
    if stack.channels > 1 or found.rho_w < 0:
        return ""
    size = "" if stack.size is None else f" --size {stack.size}"
    return (
        f"filterlaw simulate layers --k {stack.k} --depth {stack.depth} --weight-correlation {found.rho_w!r} "
        f"--input-correlation {stack.input_correlation!r} --v {stack.v!r} --border {stack.border}{size}"
    )


def _python(found: Found) -> str:
    stack = found.stack
    matrix = found.rho_w < 0
    weights = f"equicorrelation({stack.n}, {found.rho_w!r})" if matrix else repr(found.rho_w)
    size = "" if stack.size is None else f", size={stack.size}"
    return (
        "import numpy as np\n"
        + ("from sim.correlation import equicorrelation\n" if matrix else "")
        + "from sim.layer_variance import Stack, measure\n\n"
        f"stack = Stack({stack.k}, {stack.depth}, border={stack.border!r}{size}, v={stack.v!r},\n"
        f"    weight_law={stack.weight_law!r}, weight_correlation={weights},\n"
        f"    input_correlation={stack.input_correlation!r}, channels={stack.channels}, "
        f"input_channels={stack.input_channels})\n"
        f"found = measure(stack, {found.measured.draws}, np.random.default_rng({SEED}))\n"
        "print(found.second, found.second_error)\n"
    )


PAGE = Page(
    key="layer-variance",
    title="Layer variance",
    text="A deep network passes images through layers of random filters. If the variance of what comes out grows or "
    "shrinks from layer to layer, training fails, so the size of the initial weights must fit. Schneider's Table 1 "
    "says how the variance goes with depth when the weights of a filter, or the inputs, are equal to each other or "
    "unrelated: its four cells are the corners of the two correlations. Move them, and compare the printed table "
    "(dashed) with random networks (crosses).",
    controls=CONTROLS,
    presets=PRESETS,
    view=view,
)
