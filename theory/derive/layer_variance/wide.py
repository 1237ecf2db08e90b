"""Many channels: partial correlation at any depth, and where one channel and the wide limit part (X-VAR).

Windows share no input; filters have correlation rho_w between any two of their weights, and inputs correlation rho_x
between any two positions. With many channels in every layer, responses are Gaussian; their correlation between
positions, c, makes E[x x'] = (Var/2) J(c), J the arc-cosine kernel. With one channel and perfectly correlated weights
all responses have the same sign from the second layer on, and J(c) is to be replaced by c. J(c) > c below 1.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.layer_variance.cell_c import GAUSSIAN, growth
from theory.derive.layer_variance.depth import SYMMETRIC_W
from theory.derive.layer_variance.symbols import (
    double_sum,
    equicorrelated,
    k,
    l,
    n,
    q,
    rho_w,
    rho_x,
    v,
    var_1,
    var_l,
)
from theory.symbols import relu_correlation

third = sp.Symbol("third")
"""l >= 3."""
in_cell_c = sp.Symbol("cell_c")
"""Uncorrelated inputs, perfectly correlated weights, n >= 2."""
relation = sp.Symbol("relation", real=True)
"""E[x x'] / E[x^2] of the inputs of a layer at two positions."""

GAUSSIAN_LIMIT = "responses of wide layers are jointly Gaussian (the limit of many channels)"


def layer_gain(between: sp.Expr) -> sp.Expr:
    """Var[y] / (v E[x^2]) for E[x x']/E[x^2] = between."""
    return n * (1 + (n - 1) * rho_w * between)


def next_correlation(between: sp.Expr) -> sp.Expr:
    """The correlation of responses whose windows are disjoint, for E[x x']/E[x^2] = between at any two positions."""
    return between * (1 + (n - 1) * rho_w) / (1 + (n - 1) * rho_w * between)


def variance(depth: int, *, one_channel: bool = False) -> sp.Expr:
    """Var[y_depth] in the wide limit; `one_channel`: with J(c) = c after the second layer (for rho_w = 1)."""
    between, total = rho_x, q
    for layer in range(1, depth + 1):
        if layer > 1:
            between = between if one_channel and layer > 2 else relu_correlation(between)
            total = total / 2
        total = v * total * layer_gain(between)
        between = next_correlation(between)
    return total


relations = sp.IndexedBase("relations", real=True)
"""relations[m] = E[x x'] / E[x^2] of the inputs of layer m = 1, ..., l in the wide limit; relations[1] = rho_x."""
relations_one = sp.IndexedBase("relations_one", real=True)
"""The same in one channel with perfectly correlated weights."""
_m = sp.Symbol("m", integer=True, positive=True)


def through_layers(handed_on: sp.IndexedBase) -> sp.Equality:
    """Var[y_l] = 2 E[x_0^2] prod_m v n (1 + (n - 1) rho_w relations[m]) / 2."""
    return sp.Eq(var_l, 2 * q * sp.Product(v * layer_gain(handed_on[_m]) / 2, (_m, 1, l)))


ANY_DEPTH = through_layers(relations)


@cache
def wide() -> Derivation:
    """Var[y_l] of a wide network for any rho_w, rho_x: variance and correlation handed on from layer to layer."""
    R = equicorrelated(sp.S.One, rho_w)
    own = double_sum(v * R * equicorrelated(sp.S.One, relation))
    other = double_sum(v * R * relation)
    steps = (
        Step("within a window: v sum_tu R_tu E[x_t x_u] / E[x^2]", equal(own, v * layer_gain(relation))),
        Step(
            "between disjoint windows: v sum_tu R_tu E[x x'] / E[x^2]",
            equal(other, v * n * relation * (1 + (n - 1) * rho_w)),
        ),
        Step("their correlation", equal(other / own, next_correlation(relation))),
        Step(
            "without correlation of the weights it is only handed on",
            equal(next_correlation(relation).subs(rho_w, 0), relation),
        ),
        Step(
            "with perfect correlation it rises",
            equal(next_correlation(relation).subs(rho_w, 1), n * relation / (1 + (n - 1) * relation)),
        ),
        Step(
            "cell (C), l = 2: c_2 = n J(0)/(1 + (n - 1) J(0)), J(0) = 1/pi",
            equal(next_correlation(relu_correlation(sp.S.Zero)).subs(rho_w, 1), n / (sp.pi + n - 1)),
        ),
    )
    definitions = (sp.Eq(var_l, 2 * q * sp.Product(own.subs(relation, relations[_m]) / 2, (_m, 1, l))),)
    used = (SYMMETRIC_W, GAUSSIAN_LIMIT, "windows share no input", "relations[m + 1] = J(c_m), c_m as in the steps")
    return Derivation((ANY_DEPTH,), used, steps, definitions)


ONE_CHANNEL = v * n * q * (v / 2) ** (l - 1) * growth(n, 1 / sp.pi)
"""Var[y_l] of cell (C) in one channel, Gaussian inputs: `cell_c.GAUSSIAN`, from Var[y_1] = v n E[x_0^2]."""
AGREE = sp.Implies(sp.Not(third), sp.Eq(var_l, ONE_CHANNEL))
PART = sp.Implies(third, sp.Gt(var_l, ONE_CHANNEL))


TWO_LAYERS = sp.Implies(sp.Not(third), GAUSSIAN)
"""Cell (C), Gaussian inputs, up to l = 2."""


@cache
def two_layers() -> Derivation:
    """Cell (C) with any number of channels, Gaussian inputs: up to the second layer as with one.

    Given its weights W, y_1 is Gaussian over inputs, of variance |W|^2 n q and independent between disjoint windows.
    E[relu(y) relu(y')] is linear in |W|^2, so that only E|W|^2 = v matters; from y_2 on it is not.
    """
    first, c = sp.symbols("W2 c", positive=True)
    own, other = first * n * q / 2, first * n * q / (2 * sp.pi)
    second = v * (n * own + n * (n - 1) * other)
    steps = (
        Step("E|W|^2 over c channels with weights of variance v/c", equal(c * (v / c), v)),
        Step(
            "E[relu(y) relu(y')] for independent y, y' of variance |W|^2 n q",
            equal(other, own * relu_correlation(sp.S.Zero)),
        ),
        Step("l = 1", equal(v * n * q, ONE_CHANNEL.subs(l, 1))),
        Step("l = 2, with E|W|^2 = v", equal(second.subs(first, v), ONE_CHANNEL.subs(l, 2))),
        Step("in the letters of the table", equal(GAUSSIAN.rhs.subs(var_1, v * k**2 * q), ONE_CHANNEL.subs(n, k**2))),
    )
    used = (SYMMETRIC_W, "windows share no input", "inputs independent Gaussian of mean 0")
    return Derivation((TWO_LAYERS,), used, steps)


@cache
def parting() -> Derivation:
    """Cell (C): one channel and the wide limit agree up to l = 2, and the wide limit is larger from l = 3 on."""
    theta, slack = sp.Symbol("theta", positive=True), sp.Symbol("u", nonnegative=True)
    cell = {rho_w: 1, rho_x: 0}
    gap = sp.sin(theta) + (sp.pi - theta) * sp.cos(theta) - sp.pi * sp.cos(theta)
    steps = (
        *wide().steps,
        Step("l = 1", equal(variance(1).subs(cell), ONE_CHANNEL.subs(l, 1))),
        Step("l = 2", equal(variance(2).subs(cell), ONE_CHANNEL.subs(l, 2))),
        Step("one channel, l = 3", equal(variance(3, one_channel=True).subs(cell), ONE_CHANNEL.subs(l, 3))),
        Step("and l = 4", equal(variance(4, one_channel=True).subs(cell), ONE_CHANNEL.subs(l, 4))),
        Step(
            "l = 3, one channel over Var[y_2]",
            equal(
                (variance(3, one_channel=True) / variance(2)).subs(cell),
                v * n / 2 * (1 + (n - 1) * n / (sp.pi + n - 1)),
            ),
        ),
        Step(
            "l = 3, wide, over Var[y_2]",
            equal(
                (variance(3) / variance(2)).subs(cell),
                v * n / 2 * (1 + (n - 1) * relu_correlation(n / (sp.pi + n - 1))),
            ),
        ),
        Step("pi (J(c) - c) at c = cos(theta), 0 at theta = 0", equal(gap.subs(theta, 0), sp.S.Zero)),
        Step("has slope theta sin(theta) > 0 inside (0, pi)", equal(sp.diff(gap, theta), theta * sp.sin(theta))),
        Step(
            "c -> n c/(1 + (n - 1) c) and the gain rise with c: what is ahead stays ahead",
            at_least(n / (1 + (n - 1) * slack) ** 2, 0),
        ),
        Step(
            "the slope of that map",
            equal(sp.diff(next_correlation(slack).subs(rho_w, 1), slack), n / (1 + (n - 1) * slack) ** 2),
        ),
    )
    used = (SYMMETRIC_W, GAUSSIAN_LIMIT, "windows share no input", "Gaussian inputs", "n >= 2")
    return Derivation((PART, AGREE), used, steps, needs=(in_cell_c,))
