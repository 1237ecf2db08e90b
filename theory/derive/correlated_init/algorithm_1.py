"""Algorithm 1 line by line: what its steps compute, and what was meant (Schneider, Section 5).

As printed, line 3 multiplies a k^2 x k^2 root of R by a k x k matrix; line 4 sums the weights that were drawn, a random
number that is negative half of the time, and calls it their variance; line 5 takes its root; line 6 returns that
number. Meant is w = sqrt(c/(n_in 1'R1)) C z, z a vector of k^2 standard normals, c = 2 for ReLU (He).
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, equal
from theory.derive.correlated_init.filter_sums import sum_of_weights
from theory.derive.correlated_init.symbols import EVERY_R, M, R, over_pixels, t, total_R, u
from theory.symbols import i, j, p

k = sp.Symbol("k", integer=True, positive=True)
"""Side of a filter."""
rows = sp.Symbol("rows", integer=True, positive=True)
"""How many rows a matrix must have for C to be multiplied with it (observed by trying)."""
C = sp.IndexedBase("C", real=True)
"""The root of R, C C^T = R."""
cov = sp.IndexedBase("cov", real=True)
"""Cov(S_corr) of S_corr = C z."""
total = sp.Symbol("total", real=True)
"""The sum of the entries of one S_corr: line 4."""
mean_square = sp.Symbol("mean_square", real=True)
"""The mean of its square over many."""
share_real, share_zero, share_negative = sp.symbols("share_real share_zero share_negative", real=True)
"""How often the sum of line 4 is positive, so that line 5 has a real value; how often zero, and negative."""
entries = sp.Symbol("entries", integer=True, positive=True)
"""How many numbers line 6 returns."""
kept_sum, kept_he, kept_mean_field, kept_printed = sp.symbols(
    "kept_sum kept_he kept_mean_field kept_printed", real=True
)
"""E[x'^2]/E[x^2] of a layer with ReLU, x its inputs, x' = max(y, 0), for weights of each of the four sizes."""

gain = over_pixels(R[t, u] * M[t, u])
"""sum_tu R_tu M_tu, M scaled to E[x^2] = 1."""
SHAPES_PRINTED = sp.Eq(rows, k)
SHAPES = sp.Eq(rows, k**2)
COVARIANCE = sp.Eq(cov[i, j], R[i, j])
LINE_4_PRINTED = sp.Eq(total, total_R)
LINE_4 = sp.Eq(mean_square, total_R)
REAL_PRINTED = sp.Eq(share_real, 1)
REAL = sp.Eq(share_real, sp.Rational(1, 2))
RETURNED_PRINTED = sp.Eq(entries, k**2)
RETURNED = sp.Eq(entries, 1)
CONSTANT_PRINTED = sp.Eq(kept_printed, 1)
CONSTANT = sp.Eq(kept_printed, gain / (2 * total_R))
SCALES = sp.And(sp.Eq(kept_sum, gain / total_R), sp.Eq(kept_he, gain / p), sp.Eq(kept_mean_field, 1))

NO_MEAN = "entries of z independent, mean 0, variance 1"
SYMMETRIC = "w and -w have the same law"


@cache
def shapes() -> Derivation:
    """R has k^2 rows and columns, and so has C: it multiplies what has k^2 rows, a k x k matrix only for k = 1."""
    columns = sp.Symbol("columns", integer=True, positive=True)
    above = sp.Symbol("h", positive=True)
    steps = (
        Step("k rows are too few: k^2 - k = k (k - 1)", equal(k**2 - k, k * (k - 1))),
        Step("positive for k = 1 + h > 1", equal(((1 + above) ** 2 - (1 + above)), above * (1 + above))),
    )
    definitions = (sp.Eq(rows, columns), sp.Eq(columns, k**2))
    return Derivation((SHAPES,), ("R is the correlation matrix of the k^2 weights of a filter",), steps, definitions)


@cache
def covariance() -> Derivation:
    """Cov(C z) = C C^T = R for z of k^2 independent entries, whichever root C is, for singular R too."""
    white = C[i, t] * C[j, u] * sp.KroneckerDelta(t, u)
    summed = sp.Sum(deltasummation(white, (u, 0, p - 1), no_piecewise=True), (t, 0, p - 1))
    product = sp.Sum(C[i, t] * C[j, t], (t, 0, p - 1))
    steps = (
        Step("E[z_t z_u] = delta_tu leaves one sum", equal(summed, product)),
        Step("a root need not be triangular: (C Q)(C Q)^T = C C^T, here for a turn of two", *_turned()),
    )
    return Derivation((COVARIANCE,), (NO_MEAN, "C C^T = R"), steps, (sp.Eq(cov[i, j], summed), sp.Eq(R[i, j], product)))


def _turned() -> tuple[sp.Rel]:
    angle, a, b, c, d = sp.symbols("angle a b c d", real=True)
    root = sp.Matrix([[a, b], [c, d]]) * sp.Matrix([[sp.cos(angle), -sp.sin(angle)], [sp.sin(angle), sp.cos(angle)]])
    return (equal((root * root.T)[0, 1], a * c + b * d),)


@cache
def line_4() -> Derivation:
    """E[(sum S_corr)^2] = 1'R1, which line 4 wants; the sum itself has mean zero."""
    (definition, *rest) = sum_of_weights().definitions
    definitions = (sp.Eq(mean_square, definition.rhs), *rest)
    return Derivation((LINE_4,), (NO_MEAN, "C C^T = R"), sum_of_weights().steps, definitions)


@cache
def real_root() -> Derivation:
    """The sum of line 4 is as often negative as positive: line 5 has a real value half of the time, for every R."""
    definitions = (sp.Eq(share_real, (1 - share_zero) / 2),)
    steps = (
        Step(
            "positive, zero or negative, the first as often as the last",
            equal(2 * (1 - share_zero) / 2 + share_zero, 1),
        ),
    )
    result = sp.Implies(sp.Eq(share_zero, 0), REAL)
    general = sp.Eq(share_real, (1 - share_zero) / 2)
    return Derivation(
        (result, general), (SYMMETRIC, "1'R1 > 0: the sum is not zero for certain"), (*steps, *_no_tie(definitions))
    )


def _no_tie(definitions: tuple[sp.Equality, ...]) -> tuple[Step, ...]:
    (definition,) = definitions
    return (Step("without ties", equal(definition.rhs.subs(share_zero, 0), sp.Rational(1, 2))),)


@cache
def returned() -> Derivation:
    """Line 6 returns S_sca = 1/sqrt(Var n_in), one number, not a filter."""
    axis = sp.Symbol("axis", integer=True, positive=True)
    steps = (
        Step("a filter has as many entries as the product of its two sides", equal(sp.Product(k, (axis, 1, 2)), k**2)),
        Step("a number, which has no side, the empty product", equal(sp.Product(k, (axis, 1, 0)), 1)),
    )
    return Derivation((RETURNED,), ("line 6 as printed",), steps)


@cache
def scales() -> Derivation:
    """E[x'^2]/E[x^2] = n_in sigma^2 G/2, G = sum_tu R_tu M_tu: for four sizes sigma of a weight.

    sum: sigma^2 = 2/(n_in 1'R1), right for equal inputs; he: 2/(n_in k^2), right for white ones; mean_field:
    2/(n_in G), right for all; printed: 1/(n_in 1'R1), half of the first.
    """
    n_in = sp.Symbol("n_in", positive=True)

    def kept(variance: sp.Expr) -> sp.Expr:
        return n_in * variance * gain / 2

    definitions = (
        sp.Eq(kept_sum, kept(2 / (n_in * total_R))),
        sp.Eq(kept_he, kept(2 / (n_in * p))),
        sp.Eq(kept_mean_field, kept(2 / (n_in * gain))),
        sp.Eq(kept_printed, kept(1 / (n_in * total_R))),
    )
    white, even = over_pixels(R[t, u] * sp.KroneckerDelta(t, u)), over_pixels(R[t, u])
    steps = (
        *sum_of_weights().steps,
        Step("equal inputs, M_tu = 1: the gain is 1'R1", equal(even, total_R)),
        Step(
            "at p = 3, white inputs: the gain is sum_t R_tt",
            equal(white.subs(p, 3).doit(), sum(R[a, a] for a in range(3))),
        ),
    )
    used = (EVERY_R, SYMMETRIC + ", so that max(y, 0) has half of E[y^2]", "1'R1 > 0 and G > 0")
    return Derivation((SCALES, CONSTANT), used, steps, definitions)
