"""Page 3, layer variance: Table 1 of Schneider (Section 4), exact, as printed, and measured on random networks."""

from __future__ import annotations

import numpy as np

from figures.explore.judge import decided, judged, not_applicable, shown
from figures.explore.layer_laws import at_layers, first_layer
from figures.explore.layer_networks import CHANNELS, SEED, Found, find, trusted
from figures.explore.page import Control, Page, Picture, Preset, Standing, Values, View
from figures.explore.plot import plot
from figures.explore.series import Series, rule
from sim.arrays import FloatArray
from sim.layer_variance import Stack
from theory.derive.layer_variance import depth as table
from theory.derive.layer_variance.one_layer import RANGE

SURE = 5.0
"""Standard errors beyond which a measurement contradicts a formula."""
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


_STATED = {
    "A": "Table 1 (A): Var[y_l] = η k^(2l), weights and inputs perfectly correlated",
    "B": "Table 1 (B): Var[y_l] = η k^l, inputs perfectly correlated, weights not",
    "C": "Table 1 (C): Var[y_l] = η k^l, weights perfectly correlated, inputs not",
    "D": "Table 1 (D): Var[y_l] = η k^l, nothing correlated",
}


def standings(found: Found) -> tuple[Standing, ...]:
    """How the claims of Section 4 fare at these settings."""
    stack, second = found.stack, found.measured.second
    sound = trusted(found)
    layers = np.arange(1.0, stack.depth + 1)
    # so that rounding does not count where the networks all agree
    slack = SURE * found.measured.second_error + 1e-9 * second
    var_1 = first_layer(stack.k, stack.v, found.rho_w, stack.input_correlation)
    observed = {"k": stack.k, "v": stack.v, "var_1": var_1, "l": layers[sound], "var_l": second[sound]}
    within = slack[sound]
    last = int(layers[sound][-1])
    how = f"measured up to layer {last} against it, within {SURE:g} standard errors"

    def in_cell(claim: str, letter: str, statement: str, formula: object, why: str = how) -> Standing:
        if found.cell != letter:
            return not_applicable(claim, statement, f"this is not cell ({letter})")
        return judged(claim, statement, formula, observed, within, why)

    squared = "with everything perfectly correlated, Var is the square of that in the other cells"
    if found.cell == "A":
        var_b = at_layers(table.FROM_0_B, {"k": stack.k, "v": stack.v, "q": 1.0}, stack.depth)
        sq = judged(
            "C-SQ",
            squared,
            table.PRINTED_SQUARE,
            {"var_A": second[sound], "var_B": var_b[sound]},
            within,
            f"layer 1: {shown(second[0])}, that of cell (B) squared: {shown(var_b[0] ** 2)}; only what grows with k "
            "is squared",
        )
    else:
        sq = not_applicable("C-SQ", squared, "this is not cell (A)")
    table_1 = tuple(
        in_cell(f"C-T1{x}", x, _STATED[x], table.PRINTED_T1A if x == "A" else table.PRINTED_T1B) for x in "ABCD"
    )
    like_b = "Table 1 (C) with its indices repaired, “analogous to (B)”: Var[y₁] (k² Var[w]/2)^(l−1)"
    e14, e16 = "Eq. (14): Var[y_l] = Var[y₁] (k⁴ Var[w]/2)^l", "Eq. (16): Var[y_l] = Var[y₁] (k² Var[w]/2)^l"
    return (
        *table_1,
        in_cell("C-T1C", "C", like_b, table.DEPTH_B, f"{how}; a layer's outputs are all of one sign and add up"),
        in_cell("C-E14", "A", e14, table.PRINTED_E14, _index(stack, stack.n**2)),
        in_cell("C-E16", "B", e16, table.PRINTED_E16, _index(stack, stack.n)),
        sq,
        _range(found),
        _closed(found, slack),
    )


def _index(stack: Stack, gain: int) -> str:
    if stack.border == "zero":
        return "zeros at the border end the perfect correlation of the inputs"
    factor = gain * stack.v / 2
    if abs(factor - 1) < 1e-12:
        return "the factor is 1 here, and the wrong exponent (l for l − 1) does not show"
    return f"true is the exponent l − 1: as printed it is {shown(factor)} times too large in every layer"


def keeping(found: Found) -> tuple[FloatArray, FloatArray]:
    """The Var[w] at which each layer would keep the variance, (depth,), as measured, and their standard errors."""
    stack, seen = found.stack, found.measured
    inputs = np.concatenate([[1.0], seen.positive[:-1]])
    relative = np.concatenate([[0.0], seen.positive_error[:-1] / seen.positive[:-1]])
    v_star = 2 * stack.v * inputs / seen.second
    return v_star, v_star * (relative + seen.second_error / seen.second)


def _range(found: Found) -> Standing:
    sound = trusted(found)
    v_star, error = keeping(found)
    kept = {"k": found.stack.k, "v_star": v_star[sound]}
    low, high = float(v_star[sound].min()), float(v_star[sound].max())
    because = "; these weights lean against each other" if found.rho_w < 0 else ""
    if found.stack.border == "zero":
        because += "; windows at the border meet zeros, which have no variance"
    return judged(
        "C-RNG",
        "the Var[w] that keeps the variance lies in [2/k⁴, 2/k²]",
        RANGE,
        kept,
        SURE * error[sound] + 1e-9,
        f"layers keep it at {shown(low)} to {shown(high)}; the range is [{shown(2 / found.stack.n**2)}, "
        f"{shown(2 / found.stack.n)}]{because}",
    )


def _closed(found: Found, slack: FloatArray) -> Standing:
    statement = "Var[y] = v Σ R(t,u) E[x_t x_u], layer by layer: the exact curve"
    known = np.isfinite(found.exact) & trusted(found)
    if not known.any():
        return not_applicable("X-VAR", statement, "no closed form is derived for a border of zeros")
    channels = found.stack.channels
    # with several channels it is the limit of many; about depth/channels short of it is no contradiction
    bias = np.arange(found.stack.depth) / channels * found.exact if channels > 1 else np.zeros(found.stack.depth)
    off = np.abs(found.exact - found.measured.second)[known]
    last = int(np.flatnonzero(known)[-1]) + 1
    where = "the first layer; deeper ones have no closed form here" if last == 1 else f"layers 1 to {last}"
    return decided(
        "X-VAR", statement, bool(np.all(off <= (slack + bias)[known])), f"compared with what is measured, {where}"
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
