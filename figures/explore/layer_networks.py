"""Random networks for the page on layer variance: drawn, measured, and what the formulas say of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from figures.explore.judge import setting, shown
from figures.explore.layer_laws import at_layers, cell, derived, first_layer, printed
from figures.explore.page import Values
from sim.arrays import BoolArray, FloatArray
from sim.correlation import equicorrelation
from sim.layer_variance import Moments, Stack, measure
from theory.derive.layer_variance import depth as table

SIDE = 6
"""Height and width of the images where windows overlap; even images that go on at the other side may be smaller."""
MOST_INPUTS = 10_000
"""Inputs of a network whose windows share none are k^(2 depth) in each channel: no more than these."""
CHANNELS = {"one": 1, "sixteen": 16}
WORK = 2_000_000
"""About how many products of a weight and an input, over a layer and all networks, are worth waiting for."""
MOST_DRAWS = 10_000
SEED = 0
TRUSTED = 0.15
"""A layer is judged if its standard error is at most this share of what was measured, and so sound itself."""


@dataclass(frozen=True, eq=False)
class Found:
    """Var[y_l], l = 1, ..., depth, of the networks of `stack`, E[x_0^2] = 1.

    exact: by the derived closed form, NaN where there is none. printed: Table 1, None between its cells. repaired: the
    table's (B) with its indices put right. measured: on drawn networks.
    """

    stack: Stack
    rho_w: float
    cell: str
    exact: FloatArray
    printed: FloatArray | None
    repaired: FloatArray
    measured: Moments
    message: str


def stack_of(values: Values) -> tuple[Stack, float, str]:
    """The random networks for the values of the controls, the correlation of their weights, and what was adjusted."""
    k, depth, border = int(values["k"]), int(values["depth"]), str(values["border"])
    rho_w, channels = setting(values, "weight_correlation"), CHANNELS[values["channels"]]
    remarks = []
    least = -1.0 / (k**2 - 1)
    if rho_w < 0.9 * least - 1e-12:
        # at the least itself filters sum to zero, and even images leave nothing to measure
        remarks.append(
            f"Between any two of {k**2} weights the correlation must be above −1/(k² − 1) = {shown(least)}, not "
            f"{shown(rho_w)}; shown is nine tenths of it."
        )
        rho_w = 0.9 * least
    if border == "disjoint" and channels * k ** (2 * depth) > MOST_INPUTS:
        fits = max(n for n in range(1, depth) if channels * k ** (2 * n) <= MOST_INPUTS)
        remarks.append(
            f"{depth} layers of windows that share no input need k^(2l) = {k ** (2 * depth):,} inputs for one output; "
            f"shown are the first {fits}."
        )
        depth = fits
    rho_x = setting(values, "input_correlation")
    stack = Stack(
        k,
        depth,
        border=border,
        size=None if border == "disjoint" else k if border == "circular" and rho_x == 1 else SIDE,
        v=2.0 / k**2 * setting(values, "strength"),
        # signs have no tails, so that few networks do; only normal weights can be in between
        weight_law="signs" if rho_w in (0.0, 1.0) else "normal",
        weight_correlation=rho_w if rho_w >= 0 else equicorrelation(k**2, rho_w),
        input_correlation=rho_x,
        channels=channels,
        input_channels=channels,
    )
    return stack, rho_w, " ".join(remarks)


def draws_for(stack: Stack) -> int:
    """How many networks are drawn: few if each is costly, whatever else is chosen."""
    inputs = int(np.prod(stack.image)) * stack.channels
    products = inputs * stack.channels * (1 if stack.border == "disjoint" else stack.n)
    # a normal number costs about as much as four products
    drawn = 4 * (stack.n * stack.channels**2 * stack.depth + (inputs if stack.input_correlation < 1 else 0))
    return int(np.clip(WORK // (products + drawn), 50, MOST_DRAWS))


def find(values: Values) -> Found:
    """Everything that the page shows, for the values of its controls."""
    stack, rho_w, message = stack_of(values)
    measured = measure(stack, draws_for(stack), np.random.default_rng(SEED))
    var_1 = first_layer(stack.k, stack.v, rho_w, stack.input_correlation)
    repaired = at_layers(table.DEPTH_B, {"k": stack.k, "v": stack.v, "var_1": var_1}, stack.depth)
    return Found(
        stack,
        rho_w,
        cell(rho_w, stack.input_correlation),
        derived(stack, rho_w),
        printed(stack, rho_w),
        repaired,
        measured,
        message,
    )


def trusted(found: Found) -> BoolArray:
    """Which layers were measured well enough to judge by, (depth,): the first one always."""
    sound = found.measured.second_error <= TRUSTED * found.measured.second
    sound[0] = True
    return np.logical_and.accumulate(sound)
