"""X-VAR: the variance of layers for any correlation, any depth, and many channels (after Schneider, Section 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.layer_variance.equations import CELL_A, MEAN, SYMMETRIC
from theory.claims.layer_variance.table import APART, INDEPENDENT_WEIGHTS, PERFECT_WEIGHTS, WHITE
from theory.claims.observe.layer_variance.one_layer import one_layer
from theory.claims.observe.layer_variance.overlapping import gaussian_inputs
from theory.claims.observe.layer_variance.stacks import channels
from theory.claims.observe.layer_variance.wide import many_channels, two_layers
from theory.derive.layer_variance import cell_c, depth, wide
from theory.derive.layer_variance import one_layer as derive
from theory.derive.layer_variance.cell_c import growth
from theory.derive.layer_variance.depth import GAIN_A, GAIN_B
from theory.derive.layer_variance.symbols import (
    M,
    R,
    k,
    l,
    n,
    over_window,
    q,
    rho_w,
    rho_x,
    second_x,
    t,
    u,
    v,
    var_1,
    var_l,
    var_next,
)
from theory.derive.layer_variance.wide import relations_one
from theory.ledger import Claim, Clause, Control, Hypothesis

EQUICORRELATED = Hypothesis(
    "any two weights of a filter have the same correlation, and any two inputs of a window",
    sp.Symbol("equicorrelated"),
)
GAUSSIAN = Hypothesis("inputs of the network are independent Gaussian of mean zero")
LIMIT = Hypothesis("the limit of many channels, each summed with weights of variance v over their number")
MIXED = Hypothesis("correlation rho_w between any two weights of a filter, rho_x between any two inputs of a channel")
CELL_C = Hypothesis("uncorrelated inputs, perfectly correlated weights, two weights or more", wide.in_cell_c)

VAR = Claim(
    id="X-VAR",
    source="this project; between and beyond the cells of Schneider's Table 1",
    statement="Var[y] = v sum_tu R_tu E[x_t x_u] for any correlations; cell (C) at any depth; one channel and many",
    note="The four cells are corners of v E[x^2] n (1 + (n - 1) rho_w rho_x). With Gaussian inputs cell (C) is "
    "Var[y_1] (v/2)^(l-1) ((1 - 1/pi) n^(l-1) + n^(2(l-1))/pi) where windows share no input, and a sum of arc-cosine "
    "kernels over pairs of paths where they overlap. (A), (B), (D) do not depend on the number of channels. (C) does, "
    "from the third layer on: with one channel all responses of a network then have one sign, and E[x x'] is half of "
    "E[y y']; with many it is the arc-cosine kernel, which is more. For n = 4, v = 1 and E[x_0^2] = 1, Var[y_l] is 4, "
    "8 + 24/pi = 15.64 and, at l = 3, 92.4 in one channel against 98.3 in many.",
    clauses=(
        Clause(
            name="one layer",
            text="v sum_tu R_tu E[x_t x_u], any weights of mean zero, any inputs",
            printed=derive.ANY,
            experiment=one_layer,
            derivation=derive.any_correlation,
            hypotheses=(MEAN,),
            controls=(
                Control("the diagonal alone", sp.Eq(var_next, v * n * second_x)),
                Control("the weights alone", sp.Eq(var_next, v * second_x * over_window(R[t, u]))),
                Control("the inputs alone", sp.Eq(var_next, v * over_window(M[t, u]))),
                Control("half", sp.Eq(var_next, derive.ANY.rhs / 2)),
            ),
        ),
        Clause(
            name="equal correlations",
            text="v E[x^2] n (1 + (n - 1) rho_w rho_x)",
            printed=derive.EQUICORRELATED,
            experiment=one_layer,
            derivation=derive.equal_correlations,
            hypotheses=(MEAN, EQUICORRELATED),
            controls=(
                Control("n for n - 1", sp.Eq(var_next, v * second_x * n * (1 + n * rho_w * rho_x))),
                Control("rho_w alone", sp.Eq(var_next, v * second_x * n * (1 + (n - 1) * rho_w))),
                Control("squared", sp.Eq(var_next, v * second_x * n * (1 + (n - 1) * (rho_w * rho_x) ** 2))),
                Control("minus", sp.Eq(var_next, v * second_x * n * (1 - (n - 1) * rho_w * rho_x))),
            ),
        ),
        Clause(
            name="cell (C) as a convolution",
            text="Gaussian inputs: Var[y_1] (v/2)^(l-1) sum_d pairs(d) J(overlap(d)/n), on rings and tori",
            printed=cell_c.OVERLAPPING_GAUSSIAN,
            experiment=gaussian_inputs,
            derivation=cell_c.overlapping_gaussian,
            hypotheses=(PERFECT_WEIGHTS, GAUSSIAN),
            controls=(
                Control("as (A)", sp.Eq(var_l, var_1 * (n**2 * v / 2) ** (l - 1))),
                Control("as (B)", sp.Eq(var_l, var_1 * (n * v / 2) ** (l - 1))),
                Control(
                    "as if windows shared nothing", sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(n, 1 / sp.pi))
                ),
                Control("v for v/2", sp.Eq(var_l, 2 ** (l - 1) * cell_c.OVERLAPPING_GAUSSIAN.rhs)),
            ),
        ),
        Clause(
            name="cell (C) grows as (A)",
            text="between 1/pi of Var[y_1] (n^2 v/2)^(l-1) and that",
            printed=cell_c.LIKE_A,
            experiment=gaussian_inputs,
            derivation=cell_c.grows_like_a,
            hypotheses=(PERFECT_WEIGHTS, GAUSSIAN),
            controls=(
                Control("at most half", sp.Le(var_l, var_1 * (n**2 * v / 2) ** (l - 1) / 2)),
                Control("at least 9/10", sp.Ge(var_l, 9 * var_1 * (n**2 * v / 2) ** (l - 1) / 10)),
                Control("at most as (B)", sp.Le(var_l, var_1 * (n * v / 2) ** (l - 1))),
            ),
        ),
        Clause(
            name="channels of (A)",
            text="any number of channels: Var[y_1] (k^4 v/2)^(l-1)",
            printed=depth.DEPTH_A,
            experiment=lambda: channels("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A),
            controls=(
                Control("l", sp.Eq(var_l, var_1 * GAIN_A**l)),
                Control("as (B)", depth.DEPTH_B),
            ),
        ),
        Clause(
            name="channels of (D)",
            text="any number of channels: Var[y_1] (k^2 v/2)^(l-1)",
            printed=depth.DEPTH_B,
            experiment=lambda: channels("D"),
            derivation=depth.depth_b,
            hypotheses=(INDEPENDENT_WEIGHTS, WHITE),
            controls=(
                Control("l", sp.Eq(var_l, var_1 * GAIN_B**l)),
                Control("as (A)", depth.DEPTH_A),
            ),
        ),
        Clause(
            name="two layers of (C)",
            text="any number of channels, Gaussian inputs: up to l = 2 as with one",
            printed=wide.TWO_LAYERS,
            experiment=two_layers,
            derivation=wide.two_layers,
            hypotheses=(PERFECT_WEIGHTS, GAUSSIAN, APART),
            controls=(
                Control("as (A)", sp.Implies(sp.Not(wide.third), depth.DEPTH_A)),
                Control("as (B)", sp.Implies(sp.Not(wide.third), depth.DEPTH_B)),
                Control(
                    "1/2 for 1/pi",
                    sp.Implies(
                        sp.Not(wide.third),
                        sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k**2, sp.Rational(1, 2))),
                    ),
                ),
            ),
        ),
        Clause(
            name="many channels",
            text="2 E[x_0^2] prod_m v n (1 + (n - 1) rho_w f_m)/2, f_1 = rho_x, f_m = J(c_{m-1})",
            printed=wide.ANY_DEPTH,
            experiment=many_channels,
            derivation=wide.wide,
            hypotheses=(MEAN, SYMMETRIC, LIMIT, MIXED, APART),
            controls=(
                Control("as one channel", wide.through_layers(relations_one)),
                Control("uncorrelated weights", sp.Eq(var_l, 2 * q * (v * n / 2) ** l)),
                Control("f_m = rho_x", sp.Eq(var_l, 2 * q * (v * n * (1 + (n - 1) * rho_w * rho_x) / 2) ** l)),
            ),
        ),
        Clause(
            name="up to the second layer",
            text="cell (C): one channel and many agree",
            printed=wide.AGREE,
            experiment=many_channels,
            derivation=wide.parting,
            hypotheses=(MEAN, SYMMETRIC, LIMIT, CELL_C, GAUSSIAN, APART),
            controls=(
                Control("twice", sp.Implies(sp.Not(wide.third), sp.Eq(var_l, 2 * wide.ONE_CHANNEL))),
                Control("as (B)", sp.Implies(sp.Not(wide.third), sp.Eq(var_l, 2 * q * (v * n / 2) ** l))),
                Control("in every layer", sp.Eq(var_l, wide.ONE_CHANNEL)),
            ),
        ),
        Clause(
            name="from the third layer on",
            text="cell (C): many channels have the larger variance",
            printed=wide.PART,
            experiment=many_channels,
            derivation=wide.parting,
            hypotheses=(MEAN, SYMMETRIC, LIMIT, CELL_C, GAUSSIAN, APART),
            controls=(
                Control("less", sp.Implies(wide.third, sp.Lt(var_l, wide.ONE_CHANNEL))),
                Control("the same", sp.Implies(wide.third, sp.Eq(var_l, wide.ONE_CHANNEL))),
                Control("half as much again", sp.Implies(wide.third, sp.Gt(var_l, 3 * wide.ONE_CHANNEL / 2))),
            ),
        ),
    ),
)

CLAIMS = (VAR,)
