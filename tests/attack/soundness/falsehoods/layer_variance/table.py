"""Near misses of Table 1 and of what lies between its cells: C-T1A to C-T1D, C-SQ, C-RNG, X-VAR."""

from __future__ import annotations

from sympy import And, Eq, Implies, Le, Lt, Product, Rational, Sum, Symbol, pi

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.layer_variance.cell_c import growth, pairs, share, v_keeps
from theory.derive.layer_variance.depth import ETA_0, GAIN_A, GAIN_B, var_A, var_B, var_C, var_D
from theory.derive.layer_variance.one_layer import GAIN, v_star
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
from theory.derive.layer_variance.wide import relations, third
from theory.symbols import m, p

_d = Symbol("d", integer=True, nonnegative=True)
"""An offset of two windows."""
_SCALE = var_1 * (v / 2) ** (l - 1)
_WIDE_A = var_1 * (n**2 * v / 2) ** (l - 1)

FALSEHOODS = (
    Falsehood("C-T1A", "as printed", "index", Eq(var_l, var_1 * GAIN_A ** (l - 1) * k**2), "K once", as_="correction"),
    Falsehood(
        "C-T1A", "as printed", "exponent", Eq(var_l, var_1 * (v / 2) ** l * k ** (4 * l)), "Eq. (14)", as_="correction"
    ),
    Falsehood(
        "C-T1A",
        "as printed",
        "exponent",
        Eq(var_l, _SCALE * k ** (4 * l - 2)),
        "right for k = 1 only",
        as_="correction",
    ),
    Falsehood("C-T1A", "as printed", "hypothesis", Eq(k, 1), "eta has a power of v/2 too many", as_="condition"),
    Falsehood("C-T1A", "made consistent", "factor", Eq(var_l, 4 * q * (v / 2) ** l * k ** (4 * l)), "eta doubled"),
    Falsehood("C-T1A", "made consistent", "exponent", Eq(var_l, ETA_0 * k ** (4 * l + 2)), "k^2 too many"),
    Falsehood("C-T1B", "as printed", "exponent", Eq(var_l, _SCALE * k**l), "right for l = 2, k = 1", as_="correction"),
    Falsehood("C-T1B", "as printed", "exponent", Eq(var_l, _SCALE * k ** (2 * l)), "k^2 too many", as_="correction"),
    Falsehood("C-T1B", "as printed", "hypothesis", Eq(v, 2), "k^l for k^(2l-2)", as_="condition"),
    Falsehood("C-T1B", "made consistent", "exponent", Eq(var_l, ETA_0 * k ** (3 * l)), "between (A) and (B)"),
    Falsehood("C-T1B", "made consistent", "factor", Eq(var_l, ETA_0 * k ** (2 * l) / 2), "E[x_0^2] for 2 E[x_0^2]"),
    # cell (C)
    Falsehood(
        "C-T1C",
        "as printed",
        "exponent",
        Eq(var_l, _SCALE * ((1 - share) * k ** (2 * l - 2) + share * k ** (2 * l))),
        "share grows by k^2 only: right for l = 1, 2",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as printed",
        "limit",
        Eq(var_l, _SCALE * share * k ** (4 * l - 4)),
        "the leading part: the rest is smaller by k^(2l-2)",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as printed",
        "edge",
        Eq(var_l, _SCALE * growth(k**2, Rational(7, 22))),
        "7/22, near 1/pi, for share: nearly right for Gaussian inputs only",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as printed",
        "term",
        Eq(var_l, _SCALE * (k ** (2 * l - 2) + share * k ** (4 * l - 4))),
        "1 for 1 - share",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as printed",
        "edge",
        Eq(var_l, _SCALE * (1 - share + share * k**2) ** (l - 1) * k ** (2 * l - 2)),
        "the gain of layer 2 in every layer: right for l = 1, 2",
        as_="correction",
    ),
    Falsehood("C-T1C", "analogous to (B)", "hypothesis", l < 3, "l = 2 is larger already", as_="condition"),
    Falsehood(
        "C-T1C",
        "analogous to (B)",
        "exponent",
        Eq(var_l, _SCALE * growth(k, share)),
        "k for k^2: right for k = 1",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as a convolution",
        "term",
        Eq(var_l, _SCALE * Sum(pairs[_d], (_d, 0, p - 1))),
        "without the kernel: as if all windows were one, cell (A)",
        as_="correction",
    ),
    Falsehood(
        "C-T1C",
        "as a convolution",
        "quantity",
        Eq(var_l, _SCALE * growth(k**2, Rational(7, 22))),
        "as if windows shared nothing",
        as_="correction",
    ),
    Falsehood("C-T1D", "as printed", "exponent", Eq(var_l, var_1 * (k**2 * v) ** (l - 1)), "no 1/2", as_="correction"),
    Falsehood(
        "C-T1D", "as printed", "exponent", Eq(var_l, _SCALE * k ** (2 * l - 1)), "right for k = 1", as_="correction"
    ),
    Falsehood("C-T1D", "made consistent", "exponent", Eq(var_l, ETA_0 * k ** (2 * l - 1)), "right for k = 1"),
    Falsehood("C-T1D", "made consistent", "quantity", Eq(var_l, 2 * q**2 * GAIN_B**l), "q^2: right for q = 1"),
    # C-SQ
    Falsehood("C-SQ", "what grows with k", "exponent", Eq(var_A, var_B * var_D), "without eta"),
    Falsehood("C-SQ", "what grows with k", "quantity", Eq(var_A, var_B**2 / (2 * (v / 2) ** l)), "q = 1 only"),
    Falsehood("C-SQ", "the variance", "exponent", Eq(var_A, var_B**2 / ETA_0**2), "eta^2", as_="correction"),
    Falsehood("C-SQ", "the variance", "index", Eq(var_A, var_B**2 / (2 * q)), "eta without (v/2)^l", as_="correction"),
    Falsehood("C-SQ", "the variance", "hypothesis", Eq(v, 2), "eta = 2 E[x_0^2] is left", as_="condition"),
    Falsehood(
        "C-SQ",
        "against (C)",
        "exponent",
        Eq(var_A, var_C * k ** (2 * l) / (1 - share + share * k ** (2 * l))),
        "l for l - 1",
        as_="correction",
    ),
    Falsehood(
        "C-SQ", "against (C)", "limit", Eq(var_A * share, var_C * k), "deep networks, k for k^2", as_="correction"
    ),
    Falsehood("C-SQ", "largest", "strictness", var_A > var_B, "k = 1: equal"),
    Falsehood("C-SQ", "largest", "bound", And(var_C >= var_B * k, var_C >= var_D), "l = 1: (C) is (B)"),
    # C-RNG
    Falsehood(
        "C-RNG", "range", "strictness", And(Lt(2 / k**4, v_star), Le(v_star, 2 / k**2)), "all correlated: reached"
    ),
    Falsehood("C-RNG", "range", "bound", over_window(R[t, u]) >= k**2, "R and M must be joined", as_="condition"),
    Falsehood("C-RNG", "range", "bound", k <= GAIN, "k for k^2", as_="condition"),
    Falsehood("C-RNG", "lower end", "strictness", 2 / k**4 < v_star, "perfect correlation reaches it"),
    Falsehood("C-RNG", "lower end", "exponent", 2 / k**3 <= v_star, "k^3"),
    Falsehood("C-RNG", "its value", "transpose", Eq(v_star, 2 / over_window(R[t, u] * M[t, t] / second_x)), "M_tt"),
    Falsehood("C-RNG", "its value", "exponent", Eq(v_star, 2 / over_window(R[t, u] ** 2 * M[t, u] / second_x)), "R^2"),
    Falsehood(
        "C-RNG",
        "in cell (C)",
        "index",
        Eq(v_keeps, 2 * growth(k**2, share) / (k**2 * growth(k**2, share))),
        "2/k^2: right for k = 1",
    ),
    Falsehood("C-RNG", "in cell (C)", "strictness", v_keeps < 2 / k**2, "k = 1: equal"),
    # X-VAR
    Falsehood("X-VAR", "one layer", "sign", Eq(var_next, v * over_window(R[t, u] * abs(M[t, u]))), "|M|: M >= 0 only"),
    Falsehood("X-VAR", "one layer", "exponent", Eq(var_next, v**2 * over_window(R[t, u] * M[t, u])), "v^2: v = 1"),
    Falsehood("X-VAR", "one layer", "index", Eq(var_next, v * over_window(R[t, u] * M[t, n - 1 - u])), "turned round"),
    Falsehood(
        "X-VAR",
        "equal correlations",
        "term",
        Eq(var_next, v * second_x * n * (1 + (n - 1) * (rho_w + rho_x) / 2)),
        "mean for product: right where both are 0 or both 1",
    ),
    Falsehood(
        "X-VAR",
        "cell (C) as a convolution",
        "factor",
        Eq(var_l, _SCALE * growth(n, Rational(1, 2))),
        "1/2 for 1/pi, windows apart",
    ),
    Falsehood("X-VAR", "cell (C) as a convolution", "bound", Eq(var_l, _WIDE_A * 2 / pi), "2/pi of (A) at every depth"),
    Falsehood("X-VAR", "cell (C) grows as (A)", "strictness", var_l < _WIDE_A, "l = 1, n = 1"),
    Falsehood("X-VAR", "cell (C) grows as (A)", "bound", var_l >= 2 * _WIDE_A / pi, "2/pi"),
    Falsehood("X-VAR", "channels of (A)", "exponent", Eq(var_l, var_1 * (k**3 * v / 2) ** (l - 1)), "k^3"),
    Falsehood("X-VAR", "channels of (D)", "exponent", Eq(var_l, var_1 * (k**3 * v / 2) ** (l - 1)), "k^3"),
    Falsehood(
        "X-VAR",
        "two layers of (C)",
        "factor",
        Implies(~third, Eq(var_l, _SCALE * growth(k**2, 1 / (2 * pi)))),
        "E[relu]^2 = sigma^2/(2 pi), not divided by E[relu^2] = sigma^2/2",
    ),
    Falsehood(
        "X-VAR",
        "many channels",
        "index",
        Eq(var_l, 2 * q * Product(v * n * (1 + (n - 1) * rho_w * relations[l]) / 2, (m, 1, l))),
        "the last layer's relation in all: right for l = 1",
    ),
    Falsehood(
        "X-VAR",
        "many channels",
        "factor",
        Eq(var_l, q * Product(v * n * (1 + (n - 1) * rho_w * relations[m]), (m, 1, l))),
        "without the halves: right for l = 1 only",
    ),
    Falsehood(
        "X-VAR",
        "up to the second layer",
        "exponent",
        Implies(~third, Eq(var_l, q * v * n * (v / 2) ** (l - 1) * growth(n, 1 / pi**2))),
        "1/pi^2",
    ),
    Falsehood(
        "X-VAR",
        "from the third layer on",
        "bound",
        Implies(third, var_l > 2 * q * v * n * (v / 2) ** (l - 1) * growth(n, 1 / pi)),
        "twice as large",
    ),
    Falsehood(
        "X-VAR",
        "from the third layer on",
        "hypothesis",
        var_l > q * v * n * (v / 2) ** (l - 1) * growth(n, 1 / pi),
        "up to the second layer they agree",
    ),
)
