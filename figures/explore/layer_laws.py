"""Closed forms and printed formulas for Var[y_l] of a `sim.layer_variance.Stack`, layer by layer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import sympy as sp

from sim.arrays import FloatArray
from sim.layer_variance import Stack
from theory.claims.observe.layer_variance.overlapping import path_pairs, window_overlap
from theory.claims.observe.layer_variance.wide import handed_on
from theory.derive.layer_variance import cell_c, depth, wide
from theory.derive.layer_variance.one_layer import EQUICORRELATED
from theory.evaluate import value

CELLS = {(1.0, 1.0): "A", (0.0, 1.0): "B", (1.0, 0.0): "C", (0.0, 0.0): "D"}
"""The cells of Table 1 by the correlation of weights and of inputs."""


def cell(weight_correlation: float, input_correlation: float) -> str:
    """The letter of the cell of Table 1, "" between them."""
    return CELLS.get((weight_correlation, input_correlation), "")


def first_layer(k: int, v: float, weight_correlation: float, input_correlation: float) -> float:
    """Var[y_1] = v n (1 + (n - 1) rho_w rho_x) for E[x_0^2] = 1: exact, whatever the windows share."""
    at: dict[str, Any] = {"n": k**2, "v": v, "second_x": 1.0, "rho_w": weight_correlation, "rho_x": input_correlation}
    return float(value(EQUICORRELATED.rhs, at, exact=False))


def at_layers(formula: sp.Equality, given: dict[str, Any], layers: int) -> FloatArray:
    """The right side of a formula in k, v, Var[y_1] and l, for l = 1, ..., layers."""
    found = value(formula.rhs, {**given, "l": np.arange(1.0, layers + 1)}, exact=False)
    return np.broadcast_to(np.asarray(found, dtype=np.float64), (layers,)).copy()


def printed(stack: Stack, rho_w: float) -> FloatArray | None:
    """Table 1 for Var[y_l], (depth,), E[x_0^2] = 1, from the true Var[y_1]; None between its cells."""
    letter = cell(rho_w, stack.input_correlation)
    if not letter:
        return None
    first = first_layer(stack.k, stack.v, rho_w, stack.input_correlation)
    formula = depth.PRINTED_T1A if letter == "A" else depth.PRINTED_T1B
    return at_layers(formula, {"k": stack.k, "v": stack.v, "var_1": first}, stack.depth)


def derived(stack: Stack, rho_w: float) -> FloatArray:
    """Var[y_l], (depth,), for E[x_0^2] = 1; NaN where no closed form is derived. Several channels: their limit.

    rho_w: correlation of any two weights, which `stack` may hold as a matrix.
    """
    nothing = np.full(stack.depth, np.nan)
    if stack.border == "zero":
        return nothing
    rho_x, one_channel = stack.input_correlation, stack.channels == 1
    layers = range(1, stack.depth + 1)
    given: dict[str, Any] = {"k": stack.k, "n": stack.n, "v": stack.v, "q": 1.0, "rho_w": rho_w}
    given["var_1"] = first_layer(stack.k, stack.v, rho_w, rho_x)
    if rho_w == 0:
        return at_layers(depth.DEPTH_B, given, stack.depth)
    if rho_x == 1 or (stack.border == "disjoint" and (rho_w == 1 or not one_channel)):
        given["relations"] = handed_on(stack.n, rho_w, rho_x, stack.depth, one_channel=one_channel)
        return np.array([value(wide.ANY_DEPTH.rhs, {**given, "l": layer}, exact=False) for layer in layers])
    if one_channel and (rho_w, rho_x) == (1, 0):
        side = stack.image[0]
        return np.array([_overlapping(stack.k, side, stack.v, layer) for layer in layers])
    nothing[0] = given["var_1"]
    return nothing


@lru_cache(maxsize=512)
def _overlapping(k: int, side: int, v: float, layer: int) -> float:
    """Cell (C) in one channel on a torus: a sum over all offsets, slow enough to be remembered."""
    at: dict[str, Any] = {"n": k**2, "v": v, "l": layer, "p": side**2, "var_1": first_layer(k, v, 1.0, 0.0)}
    at |= {"overlap": window_overlap(k, side), "pairs": path_pairs(k, side, layer - 1)}
    return float(value(cell_c.OVERLAPPING_GAUSSIAN.rhs, at, exact=False))
