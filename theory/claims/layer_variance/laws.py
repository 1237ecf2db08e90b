"""Eqs. (11) and (12), perfect correlation and the half that ReLU leaves (Schneider, Section 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.layer_variance import one_layer, perfect, products
from theory.claims.observe.layer_variance.stacks import cell
from theory.derive.layer_variance import laws as derive
from theory.derive.layer_variance import perfect as perfect_derive
from theory.derive.layer_variance.laws import (
    a,
    half_second,
    independent,
    mean_X,
    mean_Y,
    square_X,
    square_Y,
    symmetric,
    var_aX,
    var_X,
    var_XY,
)
from theory.derive.layer_variance.perfect import reach, spread, spread_from, zero_padded
from theory.derive.layer_variance.symbols import deep, l, var_before, var_l, var_next
from theory.ledger import Claim, Clause, Control, Hypothesis

MARGINS = Hypothesis("every weight has mean zero and is symmetric around it; weights and inputs are independent")

E11 = Claim(
    id="C-E11",
    source="Schneider, Eq. (11)",
    statement="Var(aX) = a^2 Var(X)",
    clauses=(
        Clause(
            text="the variance of a multiple",
            printed=derive.SCALED,
            experiment=products.multiples,
            derivation=derive.scaled_variance,
            controls=(
                Control("a for a^2", sp.Eq(var_aX, a * var_X)),
                Control("|a| for a^2", sp.Eq(var_aX, sp.Abs(a) * var_X)),
                Control("E[X^2] for Var(X)", sp.Eq(var_aX, a**2 * square_X)),
            ),
        ),
    ),
)

E12 = Claim(
    id="C-E12",
    source="Schneider, Eq. (12)",
    statement="Var(XY) = E[X^2]E[Y^2] - E[X]^2 E[Y]^2 for independent X and Y",
    note="Independence is used twice, for E[XY] and for E[X^2 Y^2]: uncorrelated X and Y would not do. Eq. (13) needs "
    "it of a weight and the input of its layer, which depends on weights of other layers only.",
    clauses=(
        Clause(
            name="independent",
            text="the variance of a product of independent numbers",
            printed=derive.PRODUCT,
            experiment=products.products,
            derivation=derive.product_variance,
            hypotheses=(Hypothesis("X and Y are independent", independent),),
            controls=(
                Control("product of the variances", sp.Eq(var_XY, (square_X - mean_X**2) * (square_Y - mean_Y**2))),
                Control("without the means", sp.Eq(var_XY, square_X * square_Y)),
                Control("plus", sp.Eq(var_XY, square_X * square_Y + mean_X**2 * mean_Y**2)),
                Control("means not squared", sp.Eq(var_XY, square_X * square_Y - mean_X * mean_Y)),
            ),
        ),
        Clause(
            name="any two numbers",
            text="what dependence adds: Cov(X^2, Y^2) - (E[XY]^2 - E[X]^2 E[Y]^2)",
            printed=derive.ANY_PRODUCT,
            experiment=products.products,
            derivation=derive.any_product_variance,
            controls=(
                Control("Eq. (12)", derive.PRODUCT),
                Control(
                    "without Cov(X^2, Y^2)",
                    sp.Eq(var_XY, square_X * square_Y - derive.mean_XY**2),
                ),
                Control(
                    "plus the squared mean",
                    sp.Eq(var_XY, derive.square_XY + derive.mean_XY**2),
                ),
            ),
        ),
    ),
)

PERF = Claim(
    id="C-PERF",
    source="Schneider, Section 4, before Eq. (11)",
    statement="x_0,j = x_0,j' for all j, j' implies x_l,j = x_l,j' in every layer, irrespective of the weights",
    note="True for circular padding and for none, for any number of channels (per channel). The zero padding of common "
    "networks breaks it at the border at once: 2 x 2 pixels of 1 and a filter of four 1s give 4, 2, 2, 1.",
    clauses=(
        Clause(
            name="every layer",
            text="responses of a channel are the same at all positions",
            printed=perfect_derive.STAYS,
            condition=sp.Not(zero_padded),
            experiment=perfect.perfect_inputs,
            derivation=perfect_derive.stays_equal,
            hypotheses=(Hypothesis("inputs of a channel are the same at all positions"),),
            controls=(Control("never the same", sp.Ne(spread, 0)), Control("differ by one", sp.Eq(spread, 1))),
        ),
        Clause(
            name="inside",
            text="with zero padding, those of layer l are the same at positions that are l (k//2) from the border",
            printed=perfect_derive.INSIDE,
            experiment=perfect.zero_padded_insides,
            derivation=perfect_derive.stays_equal,
            hypotheses=(Hypothesis("inputs of a channel are the same at all positions"),),
            controls=(
                Control("one layer fewer", sp.Eq(spread_from[(l - 1) * reach], 0)),
                Control("up to the border", sp.Eq(spread_from[0], 0)),
            ),
        ),
    ),
)

HALF = Claim(
    id="C-HALF",
    source="Schneider, Section 4, before Eq. (14)",
    statement="E[x_i^2] = Var[y_{i-1}]/2, weights of mean zero, each symmetric around it, x = max(y, 0)",
    note="Two conventions meet here: the text has x_l = f(y_{l-1}), y_l = W_l x_l, Eqs. (13) to (16) x_i = f(y_i), "
    "y_{i+1} = w_i x_i. The printed index is that of the first; Eq. (14) needs the second. Weights that are each "
    "symmetric do not make y symmetric, not even uncorrelated ones; all together they must be: w and -w with the same "
    "law, as independent symmetric weights are, and equal ones, and Gaussian ones of any correlation.",
    clauses=(
        Clause(
            name="as in the text",
            text="E[f(y)^2] = Var[y]/2 for the response y before x",
            printed=derive.HALF,
            condition=symmetric,
            experiment=one_layer.one_layer,
            derivation=derive.half_left,
            hypotheses=(MARGINS,),
            controls=(
                Control("all of it", sp.Eq(half_second, var_next)),
                Control("a quarter", sp.Eq(half_second, var_next / 4)),
                Control("1/pi", sp.Eq(half_second, 7 * var_next / 22)),
            ),
        ),
        Clause(
            name="as in Eqs. (13) to (16)",
            text="with x_i = f(y_i), E[x_i^2] is half of Var[y_i], not of Var[y_{i-1}]",
            printed=derive.HALF_LAYER_BEFORE,
            corrected=derive.HALF_SAME_LAYER,
            experiment=lambda: cell("D"),
            derivation=derive.half_left,
            hypotheses=(
                MARGINS,
                Hypothesis("weights independent, so that they are symmetric together"),
                Hypothesis("there is a layer before, l >= 2", deep),
            ),
            controls=(
                Control("a layer before, all of it", sp.Eq(half_second, var_before)),
                Control("all of it", sp.Eq(half_second, var_l)),
                Control("a quarter", sp.Eq(half_second, var_l / 4)),
            ),
        ),
    ),
)

CLAIMS = (E11, E12, PERF, HALF)
