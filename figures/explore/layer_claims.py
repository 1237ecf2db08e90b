"""What the claims on layer variance say of random networks (page 3)."""

from __future__ import annotations

import numpy as np

from figures.explore.judge import decided, judged, not_applicable, shown
from figures.explore.layer_laws import at_layers, first_layer
from figures.explore.layer_networks import Found, trusted
from figures.explore.page import Standing
from sim.arrays import FloatArray
from sim.layer_variance import Stack
from theory.derive.layer_variance import depth as table
from theory.derive.layer_variance.one_layer import RANGE

SURE = 5.0
"""Standard errors beyond which a measurement contradicts a formula."""
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
