"""Eqs. (13) to (16): one layer and any depth of cells (A) and (B) (Schneider, Section 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.layer_variance.one_layer import one_layer
from theory.claims.observe.layer_variance.pairs import twins
from theory.claims.observe.layer_variance.stacks import cell
from theory.derive.layer_variance import depth
from theory.derive.layer_variance import one_layer as derive
from theory.derive.layer_variance.depth import GAIN_A, GAIN_B
from theory.derive.layer_variance.one_layer import var_equal, var_uncorrelated, var_xw
from theory.derive.layer_variance.symbols import deep, k, l, q, second_x, v, var_1, var_before, var_l, var_next
from theory.ledger import Claim, Clause, Control, Hypothesis

equal_weights, equal_inputs, uncorrelated = sp.symbols("equal_weights equal_inputs uncorrelated")
"""Observed on the laws: all weights of a filter equal, all inputs of a window equal, E[w_t w_u] = 0 for t != u."""

MEAN = Hypothesis("weights have mean zero and are independent of the inputs")
SYMMETRIC = Hypothesis("weights are symmetric around zero, jointly (C-HALF)")
SAME_WEIGHTS = Hypothesis("weights are perfectly correlated, w_t = w_0", equal_weights)
SAME_INPUTS = Hypothesis("inputs are perfectly correlated, x_t = x_0", equal_inputs)
UNCORRELATED = Hypothesis("weights are uncorrelated", uncorrelated)
CELL_A = Hypothesis("weights and inputs are perfectly correlated; circular padding or none (C-PERF)")
CELL_B = Hypothesis("inputs are perfectly correlated, weights independent; circular padding or none (C-PERF)")
DEEP = Hypothesis("the inputs of layer l come out of a ReLU, l >= 2", deep)

E13 = Claim(
    id="C-E13",
    source="Schneider, Eq. (13)",
    statement="Var[y_{i+1}] = Var[k^2 x_i w_i] = k^4 Var[x_i w_i] = k^4 E[x_i^2] E[w_i^2], all w equal and all x equal",
    clauses=(
        Clause(
            name="Eq. (11)",
            text="k^4 Var[x w]",
            printed=derive.E13_SCALED,
            experiment=one_layer,
            derivation=derive.both_equal,
            hypotheses=(MEAN, SAME_WEIGHTS, SAME_INPUTS),
            controls=(
                Control("k^2 for k^4", sp.Eq(var_next, k**2 * var_xw)),
                Control("k^3", sp.Eq(var_next, k**3 * var_xw)),
                Control("half", sp.Eq(var_next, k**4 * var_xw / 2)),
            ),
        ),
        Clause(
            name="Eq. (12)",
            text="k^4 E[x^2] E[w^2]",
            printed=derive.E13,
            experiment=one_layer,
            derivation=derive.both_equal,
            hypotheses=(MEAN, SAME_WEIGHTS, SAME_INPUTS),
            controls=(
                Control("k^2 for k^4", derive.E14_FIRST),
                Control("k for k^4", sp.Eq(var_next, k * second_x * v)),
                Control("a quarter", sp.Eq(var_next, k**4 * second_x * v / 4)),
            ),
        ),
    ),
)

E14 = Claim(
    id="C-E14",
    source="Schneider, Eq. (14)",
    statement="Var[y_{i+1}] = k^2 E[x^2] E[w^2] = k^4/2 Var[w] Var[y_i];  Var[y_l] = Var[y_1] (k^4/2 Var[w])^l",
    note="The first line repeats Eq. (13) with k^2 for k^4, then goes on with k^4. Its recursion leads from Var[y_1] "
    "to Var[y_l] in l - 1 steps. The printed exponent l goes with a Var[y_0] := 2 E[x_0^2], as if the inputs were "
    "positive parts of responses.",
    clauses=(
        Clause(
            name="first line, repeated",
            text="Var[y_{i+1}] = k^2 E[x^2] E[w^2]",
            printed=derive.E14_FIRST,
            corrected=derive.E13,
            experiment=one_layer,
            derivation=derive.both_equal,
            hypotheses=(MEAN, SAME_WEIGHTS, SAME_INPUTS),
            controls=(
                Control("k^3", sp.Eq(var_next, k**3 * second_x * v)),
                Control("half", sp.Eq(var_next, k**4 * second_x * v / 2)),
            ),
        ),
        Clause(
            name="recursion",
            text="Var[y_{i+1}] = k^4/2 Var[w] Var[y_i]",
            printed=depth.STEP_A,
            experiment=lambda: cell("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A, DEEP),
            controls=(
                Control("k^2 for k^4", sp.Eq(var_l, k**2 * v / 2 * var_before)),
                Control("without the half", sp.Eq(var_l, k**4 * v * var_before)),
                Control("v^2", sp.Eq(var_l, k**4 * v**2 / 2 * var_before)),
            ),
        ),
        Clause(
            name="any depth",
            text="Var[y_l] = Var[y_1] (k^4/2 Var[w])^l",
            printed=depth.PRINTED_E14,
            corrected=depth.DEPTH_A,
            experiment=lambda: cell("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A),
            controls=(
                Control("l + 1", sp.Eq(var_l, var_1 * GAIN_A ** (l + 1))),
                Control("l - 2", sp.Eq(var_l, var_1 * GAIN_A ** (l - 2))),
                Control("k^2 for k^4", sp.Eq(var_l, var_1 * GAIN_B ** (l - 1))),
            ),
        ),
        Clause(
            name="the printed exponent",
            text="is right from Var[y_0] := 2 E[x_0^2]",
            printed=depth.FROM_0_A,
            experiment=lambda: cell("A"),
            derivation=depth.depth_a,
            hypotheses=(MEAN, SYMMETRIC, CELL_A),
            controls=(
                Control("l - 1", sp.Eq(var_l, 2 * q * GAIN_A ** (l - 1))),
                Control("E[x_0^2]", sp.Eq(var_l, q * GAIN_A**l)),
            ),
        ),
    ),
)

E15 = Claim(
    id="C-E15",
    source="Schneider, Eq. (15)",
    statement="Var[y_{i+1}] = k^2 E[x_i^2] E[w_i^2], all x equal and w uncorrelated; Eq. (13) differs by the factor k",
    note="The equation holds, the remark after it does not: between Eqs. (13) and (15) is the number of weights, k^2.",
    clauses=(
        Clause(
            name="equation",
            text="k^2 E[x^2] E[w^2]",
            printed=derive.E15,
            experiment=one_layer,
            derivation=derive.inputs_equal,
            hypotheses=(MEAN, SAME_INPUTS, UNCORRELATED),
            controls=(
                Control("k^4", sp.Eq(var_next, k**4 * second_x * v)),
                Control("k", sp.Eq(var_next, k * second_x * v)),
                Control("twice", sp.Eq(var_next, 2 * k**2 * second_x * v)),
            ),
        ),
        Clause(
            name="the only difference",
            text="Eq. (13) is k times Eq. (15)",
            printed=derive.ONLY_DIFFERENCE,
            corrected=derive.TRUE_DIFFERENCE,
            experiment=twins,
            derivation=derive.inputs_equal,
            hypotheses=(MEAN, Hypothesis("inputs are perfectly correlated, x_t = x_0")),
            controls=(
                Control("k^4", sp.Eq(var_equal, k**4 * var_uncorrelated)),
                Control("the inverse", sp.Eq(var_uncorrelated, k**2 * var_equal)),
                Control("none", sp.Eq(var_equal, var_uncorrelated)),
            ),
        ),
    ),
)

E16 = Claim(
    id="C-E16",
    source="Schneider, Eq. (16)",
    statement="Var[y_{i+1}] = k^2 E[x^2] E[w^2] = k^2/2 Var[w] Var[y_i];  Var[y_l] = Var[y_1] (k^2/2 Var[w])^l",
    note="As in Eq. (14), the exponent is l - 1 from Var[y_1], and l from Var[y_0] := 2 E[x_0^2].",
    clauses=(
        Clause(
            name="recursion",
            text="Var[y_{i+1}] = k^2/2 Var[w] Var[y_i]",
            printed=depth.STEP_B,
            experiment=lambda: cell("B"),
            derivation=depth.depth_b,
            hypotheses=(MEAN, SYMMETRIC, CELL_B, DEEP),
            controls=(
                Control("k^4", sp.Eq(var_l, k**4 * v / 2 * var_before)),
                Control("without the half", sp.Eq(var_l, k**2 * v * var_before)),
                Control("k", sp.Eq(var_l, k * v / 2 * var_before)),
            ),
        ),
        Clause(
            name="any depth",
            text="Var[y_l] = Var[y_1] (k^2/2 Var[w])^l",
            printed=depth.PRINTED_E16,
            corrected=depth.DEPTH_B,
            experiment=lambda: cell("B"),
            derivation=depth.depth_b,
            hypotheses=(MEAN, SYMMETRIC, CELL_B),
            controls=(
                Control("l + 1", sp.Eq(var_l, var_1 * GAIN_B ** (l + 1))),
                Control("l - 2", sp.Eq(var_l, var_1 * GAIN_B ** (l - 2))),
                Control("k^4", sp.Eq(var_l, var_1 * GAIN_A ** (l - 1))),
            ),
        ),
        Clause(
            name="the printed exponent",
            text="is right from Var[y_0] := 2 E[x_0^2]",
            printed=depth.FROM_0_B,
            experiment=lambda: cell("B"),
            derivation=depth.depth_b,
            hypotheses=(MEAN, SYMMETRIC, CELL_B),
            controls=(
                Control("l - 1", sp.Eq(var_l, 2 * q * GAIN_B ** (l - 1))),
                Control("E[x_0^2]", sp.Eq(var_l, q * GAIN_B**l)),
            ),
        ),
    ),
)

CLAIMS = (E13, E14, E15, E16)
