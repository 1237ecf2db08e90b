"""Near misses of Algorithm 1, of scaled correlations and of GradientSignChanges: C-E17, C-ALG1, C-ALPHA, C-GSC."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Rational

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.correlated_init.algorithm_1 import (
    C,
    cov,
    entries,
    gain,
    k,
    kept_he,
    kept_mean_field,
    kept_printed,
    kept_sum,
    mean_square,
    rows,
    share_real,
    total,
)
from theory.derive.correlated_init.filter_sums import off_diagonal, second_y, var_sum
from theory.derive.correlated_init.sign_changes import all_change, changes, flips, gsc, none_change, touches
from theory.derive.correlated_init.strength import alpha, least, least_scaled, most, valid
from theory.derive.correlated_init.symbols import M, R, over_pixels, t, total_R, u, v
from theory.symbols import i, j, p

FALSEHOODS = (
    # C-E17
    Falsehood("C-E17", "sum", "sign", Eq(var_sum, p - off_diagonal), "right for uncorrelated weights"),
    Falsehood("C-E17", "sum", "factor", Eq(var_sum, p + 2 * off_diagonal), "pairs counted twice more"),
    Falsehood("C-E17", "sum", "exponent", Eq(var_sum, over_pixels(R[t, u] ** 2)), "right for entries 0 and 1"),
    Falsehood("C-E17", "sum", "quantity", Eq(var_sum, over_pixels(Abs(R[t, u]))), "right where none is negative"),
    Falsehood(
        "C-E17",
        "layer variance",
        "index",
        Eq(second_y, v * over_pixels(R[t, u] * M[t, t])),
        "M_tt for M_tu: right for perfectly correlated inputs",
        as_="correction",
    ),
    Falsehood(
        "C-E17",
        "layer variance",
        "transpose",
        Eq(second_y, v * over_pixels(R[t, p - 1 - u] * M[t, u])),
        "windows turned round",
        as_="correction",
    ),
    Falsehood(
        "C-E17",
        "layer variance",
        "factor",
        Eq(second_y, v * over_pixels(R[t, u] * M[t, u]) / 2),
        "the half of the ReLU before, counted again",
        as_="correction",
    ),
    # C-ALG1
    Falsehood("C-ALG1", "shapes", "edge", Eq(rows, 3 * k - 2), "right for k = 1, 2", as_="correction"),
    Falsehood("C-ALG1", "shapes", "edge", Eq(rows, (k**2 + k) / 2), "right for k = 1", as_="correction"),
    Falsehood("C-ALG1", "shapes", "hypothesis", k <= 2, "k = 2: four rows", as_="condition"),
    Falsehood("C-ALG1", "correlation", "exponent", Eq(cov[i, j], R[i, j] ** 2), "right for entries 0 and 1"),
    Falsehood("C-ALG1", "correlation", "quantity", Eq(cov[i, j], C[i, j]), "the root itself: right for R = I"),
    Falsehood("C-ALG1", "correlation", "index", Eq(cov[i, j], R[i, i] * R[j, j]), "1 for all"),
    Falsehood("C-ALG1", "line 4", "exponent", Eq(mean_square, total_R**2), "right for 1'R1 = 1", as_="correction"),
    Falsehood(
        "C-ALG1", "line 4", "quantity", Eq(total**2, total_R), "for one draw: right in the mean", as_="correction"
    ),
    Falsehood("C-ALG1", "line 4", "factor", Eq(mean_square, total_R / p), "the mean over k^2", as_="correction"),
    Falsehood("C-ALG1", "real root", "factor", Eq(share_real, 1 / Rational(3)), "never zero", as_="correction"),
    Falsehood("C-ALG1", "real root", "bound", share_real > Rational(1, 2), "more often than not", as_="correction"),
    Falsehood("C-ALG1", "returned", "quantity", Eq(entries, 2 * k - 1), "right for k = 1", as_="correction"),
    Falsehood("C-ALG1", "returned", "hypothesis", k <= 2, "k = 2: one number, not four", as_="condition"),
    Falsehood(
        "C-ALG1",
        "constant variance",
        "quantity",
        Eq(kept_printed, gain / (2 * p**2)),
        "k^4 for 1'R1: right for perfect correlation",
        as_="correction",
    ),
    Falsehood("C-ALG1", "constant variance", "hypothesis", Eq(gain, total_R), "He's half is lost", as_="condition"),
    Falsehood("C-ALG1", "four sizes", "quantity", And(Eq(kept_mean_field, 1), Eq(kept_he, kept_sum)), "1'R1 = k^2"),
    Falsehood("C-ALG1", "four sizes", "index", Eq(kept_sum, gain / total_R / 2), "half, as printed"),
    # C-ALPHA
    Falsehood("C-ALPHA", "a correlation matrix", "factor", alpha <= Rational(5, 4), "lambda_min = 0", as_="condition"),
    Falsehood("C-ALPHA", "a correlation matrix", "hypothesis", least > 0, "alpha = 1.5", as_="condition"),
    Falsehood(
        "C-ALPHA", "a correlation matrix", "strictness", alpha * (1 - least) < 1 + least, "too weak", as_="condition"
    ),
    Falsehood(
        "C-ALPHA",
        "exactly when",
        "strictness",
        Equivalent(valid, And(alpha * (1 - least) < 1, -alpha * (most - 1) < 1)),
        "an eigenvalue of exactly 0 is allowed",
    ),
    Falsehood(
        "C-ALPHA",
        "exactly when",
        "quantity",
        Equivalent(valid, Abs(alpha) * (1 - least) <= 1),
        "|alpha|: lambda_max decides for alpha < 0",
    ),
    Falsehood("C-ALPHA", "eigenvalues", "term", Eq(least_scaled, 1 + alpha * least), "1 - alpha left out: alpha = 0"),
    Falsehood(
        "C-ALPHA", "eigenvalues", "sign", Implies(alpha <= 0, Eq(least_scaled, 1 + alpha * (1 - most))), "sign of alpha"
    ),
    Falsehood("C-ALPHA", "weaker", "bound", Implies(And(alpha >= 0, alpha <= Rational(5, 4)), valid), "5/4"),
    Falsehood("C-ALPHA", "weaker", "bound", Implies(alpha <= 1, valid), "alpha far below 0"),
    Falsehood("C-ALPHA", "at 3/2", "strictness", Equivalent(valid, least > Rational(1, 3)), "1/3 itself is allowed"),
    # C-GSC
    Falsehood("C-GSC", "range", "strictness", And(gsc >= 0, gsc < 1), "all change"),
    Falsehood("C-GSC", "range", "strictness", And(gsc > 0, gsc <= 1), "none changes"),
    Falsehood("C-GSC", "zero", "quantity", Equivalent(Eq(touches, 0), Eq(gsc, 0)), "flips"),
    Falsehood("C-GSC", "zero", "strictness", Equivalent(none_change, gsc < 1 / p), "a single touch: 1/(2d)"),
    Falsehood("C-GSC", "one", "hypothesis", flips > 0, "one flip, the rest touches", as_="condition"),
    Falsehood("C-GSC", "one", "bound", touches <= 1, "one touch", as_="condition"),
    Falsehood("C-GSC", "one", "strictness", Implies(all_change, gsc > 1 / Rational(2)), "all touch: 1/2"),
    Falsehood("C-GSC", "percentage", "factor", Eq(gsc, (flips + touches / 3) / p), "a third", as_="correction"),
    Falsehood(
        "C-GSC", "percentage", "edge", Eq(gsc, (changes - touches / 2) / (p + 1)), "d + 1 for d", as_="correction"
    ),
    Falsehood("C-GSC", "percentage", "hypothesis", flips >= touches, "touches count half", as_="condition"),
)
