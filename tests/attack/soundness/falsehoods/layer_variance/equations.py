"""Near misses of the laws of Section 4 and of Eqs. (11) to (16): C-E11 to C-E16, C-PERF, C-HALF."""

from __future__ import annotations

from sympy import Abs, Eq, Max, Ne

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.layer_variance.depth import FROM_0_A, FROM_0_B, GAIN_A, GAIN_B
from theory.derive.layer_variance.laws import (
    a,
    half_second,
    mean_X,
    mean_XY,
    mean_Y,
    square_X,
    square_XY,
    square_Y,
    var_aX,
    var_X,
    var_XY,
)
from theory.derive.layer_variance.one_layer import var_equal, var_uncorrelated, var_xw
from theory.derive.layer_variance.perfect import reach, spread, spread_from
from theory.derive.layer_variance.symbols import k, l, q, second_x, v, var_1, var_before, var_l, var_next

_VARIANCES = (square_X - mean_X**2) * (square_Y - mean_Y**2)

FALSEHOODS = (
    # Eqs. (11) and (12)
    Falsehood("C-E11", "", "exponent", Eq(var_aX, a**4 * var_X), "right for |a| = 1 and a = 0"),
    Falsehood("C-E11", "", "sign", Eq(var_aX, a * Abs(a) * var_X), "a < 0 has no negative variance"),
    Falsehood("C-E11", "", "term", Eq(var_aX, a**2 * var_X + (a - 1) ** 2 * a**2 * mean_X**2), "E[X] = 0, a in {0, 1}"),
    Falsehood("C-E11", "", "strictness", var_aX > a**2 * var_X - var_X, "a X with Var X = 0"),
    Falsehood("C-E12", "independent", "term", Eq(var_XY, _VARIANCES + mean_X**2 * mean_Y**2), "for means of zero only"),
    Falsehood(
        "C-E12",
        "independent",
        "term",
        Eq(var_XY, _VARIANCES + mean_X**2 * (square_Y - mean_Y**2)),
        "one of the two mixed terms: right for E[Y] = 0",
    ),
    Falsehood(
        "C-E12", "independent", "exponent", Eq(var_XY, (square_X * square_Y) ** 2 - (mean_X * mean_Y) ** 2), "^2"
    ),
    Falsehood(
        "C-E12", "any two numbers", "quantity", Eq(var_XY, square_XY - mean_X**2 * mean_Y**2), "uncorrelated only"
    ),
    Falsehood("C-E12", "any two numbers", "exponent", Eq(var_XY, square_XY - Abs(mean_XY)), "E[XY] in {0, 1}"),
    # C-PERF, C-HALF
    Falsehood("C-PERF", "every layer", "hypothesis", l > 1, "zero padding shows in the first layer", as_="condition"),
    Falsehood("C-PERF", "every layer", "quantity", Eq(reach, 1), "3 x 3 filters see the border", as_="condition"),
    Falsehood("C-PERF", "every layer", "strictness", spread <= 1, "more than 1 with large weights"),
    Falsehood("C-PERF", "inside", "factor", Eq(spread_from[(l - 1) * reach + Max(reach - 1, 0)], 0), "one pixel short"),
    Falsehood("C-PERF", "inside", "index", Eq(spread_from[reach], 0), "one filter's reach: right for l = 1"),
    Falsehood("C-PERF", "inside", "strictness", spread_from[(l - 1) * reach] > 0, "1 x 1 filters; weights of zero"),
    Falsehood("C-HALF", "as in the text", "bound", half_second <= var_next / 2, "skew to the right: more than half"),
    Falsehood("C-HALF", "as in the text", "bound", half_second >= var_next / 2, "skew to the left: less than half"),
    Falsehood(
        "C-HALF",
        "as in Eqs. (13) to (16)",
        "index",
        Eq(half_second, (var_l + var_before) / 4),
        "the mean of two layers: right where they agree",
        as_="correction",
    ),
    Falsehood("C-HALF", "as in Eqs. (13) to (16)", "factor", Eq(half_second, var_l / 3), "a third", as_="correction"),
    Falsehood(
        "C-HALF", "as in Eqs. (13) to (16)", "hypothesis", Ne(var_l, var_before), "just where it fails", as_="condition"
    ),
    # Eqs. (13) to (16)
    Falsehood("C-E13", "Eq. (11)", "exponent", Eq(var_next, k**8 * var_xw), "k^4 squared once more: right for k = 1"),
    Falsehood("C-E13", "Eq. (11)", "factor", Eq(var_next, 2 * k**4 * var_xw), "twice"),
    Falsehood("C-E13", "Eq. (12)", "quantity", Eq(var_next, k**4 * second_x**2 * v), "E[x^2]^2: right for 1"),
    Falsehood("C-E14", "first line, repeated", "exponent", Eq(var_next, k**6 * second_x * v), "k^6", as_="correction"),
    Falsehood(
        "C-E14",
        "first line, repeated",
        "edge",
        Eq(var_next, (2 * k**2 - 1) * k**2 * second_x * v),
        "2 k^2 - 1 for k^2: right for k = 1",
        as_="correction",
    ),
    Falsehood("C-E14", "recursion", "factor", Eq(var_l, GAIN_A * var_before / 2), "a quarter"),
    Falsehood("C-E14", "recursion", "exponent", Eq(var_l, GAIN_A * k**2 * var_before), "k^6"),
    Falsehood(
        "C-E14", "any depth", "exponent", Eq(var_l, var_1 * (k**4 * v) ** (l - 1) / 2), "l = 2", as_="correction"
    ),
    Falsehood(
        "C-E14",
        "any depth",
        "limit",
        Eq(var_l, var_1 * (1 + (l - 1) * (GAIN_A - 1))),
        "to first order: right for l = 1, 2, and at the critical variance",
        as_="correction",
    ),
    Falsehood("C-E14", "any depth", "hypothesis", Eq(l, 1), "one power of the gain too many even so", as_="condition"),
    Falsehood("C-E14", "the printed exponent", "factor", Eq(var_l, FROM_0_A.rhs * 2), "4 E[x_0^2]"),
    Falsehood("C-E14", "the printed exponent", "index", Eq(var_l, 2 * q * GAIN_A ** (l + 1)), "l + 1"),
    Falsehood("C-E15", "equation", "exponent", Eq(var_next, k**3 * second_x * v), "k^3: right for k = 1"),
    Falsehood("C-E15", "equation", "edge", Eq(var_next, (3 * k - 2) * second_x * v), "right for k = 1, 2"),
    Falsehood(
        "C-E15", "the only difference", "exponent", Eq(var_equal, k**3 * var_uncorrelated), "k^3", as_="correction"
    ),
    Falsehood(
        "C-E15",
        "the only difference",
        "edge",
        Eq(var_equal, (3 * k - 2) * var_uncorrelated),
        "right for k = 1, 2",
        as_="correction",
    ),
    Falsehood("C-E15", "the only difference", "hypothesis", k < 3, "k = 2 differs by 4", as_="condition"),
    Falsehood("C-E16", "recursion", "exponent", Eq(var_l, k**3 * v * var_before / 2), "k^3: right for k = 1"),
    Falsehood("C-E16", "recursion", "factor", Eq(var_l, k**2 * v * var_before / 3), "a third"),
    Falsehood(
        "C-E16",
        "any depth",
        "exponent",
        Eq(var_l, var_1 * GAIN_B**l / v),
        "v for the gain: right for k^2 = 2",
        as_="correction",
    ),
    Falsehood(
        "C-E16",
        "any depth",
        "edge",
        Eq(var_l, var_1 * GAIN_B ** ((l - 1) * l / 2)),
        "right for l = 1, 2",
        as_="correction",
    ),
    Falsehood("C-E16", "the printed exponent", "factor", Eq(var_l, 2 * FROM_0_B.rhs), "4 E[x_0^2]"),
    Falsehood("C-E16", "the printed exponent", "index", Eq(var_l, 2 * q * GAIN_B ** (2 * l)), "2 l"),
)
