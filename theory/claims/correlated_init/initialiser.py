"""C-E17, C-ALG1, C-ALPHA: the initialiser of Schneider, Section 5, and its strength (Table 5)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.correlated_init import algorithm_lines, filter_draws, strengths
from theory.derive.correlated_init import algorithm_1, filter_sums
from theory.derive.correlated_init import strength as derive_strength
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
    share_zero,
)
from theory.derive.correlated_init.filter_sums import off_diagonal, second_x, second_y, var_sum
from theory.derive.correlated_init.strength import alpha, least, least_scaled, most, valid
from theory.derive.correlated_init.symbols import M, R, over_pixels, t, total_R, u, v
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import i, j, p

UNIT = Hypothesis("weights of mean zero and variance 1 with correlation matrix R")
INPUTS = Hypothesis("inputs of any kind, independent of the weights; v = n_in Var[w], k^2 = p pixels")
VECTOR = Hypothesis("z a vector of k^2 independent numbers of mean 0 and variance 1, in place of a k x k matrix")

_HALF = sp.Rational(1, 2)

E17 = Claim(
    id="C-E17",
    source="Schneider, Eq. (17)",
    statement="Var(w) = sum_ij R(i,j) = k^2 + sum_{i!=j} R(i,j), used as the variance of layer outputs",
    note="The sum is the variance of the sum of a filter's weights. It scales a layer's variance only if all inputs of "
    "a window are equal; for white inputs the factor is k^2, whatever R is. He's factor for ReLU is in C-ALG1.",
    clauses=(
        Clause(
            name="sum",
            text="Var(sum_i w_i) = sum_ij R(i,j) = k^2 + sum_{i!=j} R(i,j)",
            printed=sp.And(filter_sums.SUM, filter_sums.SPLIT),
            experiment=filter_draws.filters_and_inputs,
            derivation=filter_sums.sum_of_weights,
            hypotheses=(UNIT,),
            controls=(
                Control("k^2 without the second term", sp.Eq(var_sum, p)),
                Control("each pair once", sp.Eq(var_sum, p + off_diagonal / 2)),
                Control("k^4 for k^2", sp.Eq(var_sum, p**2 + off_diagonal)),
            ),
        ),
        Clause(
            name="layer variance",
            text="Var[y] = v E[x^2] sum_ij R(i,j): the scale that keeps layer outputs at variance 1",
            printed=filter_sums.PRINTED_RESPONSE,
            corrected=filter_sums.RESPONSE,
            experiment=filter_draws.filters_and_inputs,
            derivation=filter_sums.response,
            hypotheses=(UNIT, INPUTS),
            controls=(
                Control("as without correlation", sp.Eq(second_y, v * second_x * p)),
                Control("R of different weights left out", sp.Eq(second_y, v * sp.Sum(M[t, t], (t, 0, p - 1)))),
                Control("R squared", sp.Eq(second_y, v * over_pixels(R[t, u] ** 2 * M[t, u]))),
            ),
        ),
    ),
)

ALG1 = Claim(
    id="C-ALG1",
    source="Schneider, Algorithm 1",
    statement="C C^T = R; S_corr = C S_unc with S_unc k x k; Var = sum of S_corr's entries; returns 1/sqrt(Var n_in)",
    note="Meant is w = sqrt(2/(n_in 1'R1)) C z with z a vector of k^2 standard normals, the sum in line 4 that of R "
    "(Eq. 17), and He's factor 2. It keeps the second moment of inputs that are equal within a window. What keeps "
    "it for any inputs is sqrt(2/(n_in sum_tu R_tu M_tu)), M their second moments. C by eigenvectors: Cholesky "
    "fails for perfect correlation.",
    clauses=(
        Clause(
            name="shapes",
            text="line 3: C times a k x k matrix",
            printed=algorithm_1.SHAPES_PRINTED,
            corrected=algorithm_1.SHAPES,
            experiment=algorithm_lines.shapes,
            derivation=algorithm_1.shapes,
            controls=(
                Control("2k", sp.Eq(rows, 2 * k)),
                Control("k^4, as R has entries", sp.Eq(rows, k**4)),
                Control("k^2 - k", sp.Eq(rows, k**2 - k)),
            ),
        ),
        Clause(
            name="correlation",
            text="S_corr has the covariance R",
            printed=algorithm_1.COVARIANCE,
            experiment=algorithm_lines.samples,
            derivation=algorithm_1.covariance,
            hypotheses=(VECTOR,),
            controls=(
                Control("C^T C for C C^T", sp.Eq(cov[i, j], sp.Sum(C[t, i] * C[t, j], (t, 0, p - 1)))),
                Control("R^2 for R", sp.Eq(cov[i, j], sp.Sum(R[i, t] * R[t, j], (t, 0, p - 1)))),
            ),
        ),
        Clause(
            name="line 4",
            text="line 4: the sum of the weights that were drawn is their variance, sum_ij R(i,j)",
            printed=algorithm_1.LINE_4_PRINTED,
            corrected=algorithm_1.LINE_4,
            experiment=algorithm_lines.samples,
            derivation=algorithm_1.line_4,
            hypotheses=(VECTOR,),
            controls=(
                Control("k^2, as said of [11], [7]", sp.Eq(mean_square, p)),
                Control("half", sp.Eq(mean_square, total_R / 2)),
                Control("the trace", sp.Eq(mean_square, sp.Sum(R[t, t], (t, 0, p - 1)))),
            ),
        ),
        Clause(
            name="real root",
            text="line 5: the root of the sum in line 4 is real",
            printed=algorithm_1.REAL_PRINTED,
            corrected=algorithm_1.REAL,
            experiment=algorithm_lines.samples,
            derivation=algorithm_1.real_root,
            hypotheses=(VECTOR, Hypothesis("ties, which have probability zero, left out", sp.Eq(share_zero, 0))),
            controls=(
                Control("never", sp.Eq(share_real, 0)),
                Control("in 1 of k^2 + 2 cases", sp.Eq(share_real, 1 / (p + 2))),
            ),
        ),
        Clause(
            name="returned",
            text="line 6 returns a k x k filter",
            printed=algorithm_1.RETURNED_PRINTED,
            corrected=algorithm_1.RETURNED,
            experiment=algorithm_lines.shapes,
            derivation=algorithm_1.returned,
            controls=(
                Control("a row of it", sp.Eq(entries, k)),
                Control("nothing", sp.Eq(entries, 0)),
            ),
        ),
        Clause(
            name="constant variance",
            text="weights of variance 1/(n_in sum_ij R(i,j)) keep the second moment over a layer of ReLUs",
            printed=algorithm_1.CONSTANT_PRINTED,
            corrected=algorithm_1.CONSTANT,
            experiment=filter_draws.four_sizes,
            derivation=algorithm_1.scales,
            hypotheses=(UNIT, INPUTS),
            controls=(
                Control("He's factor not lost", sp.Eq(kept_printed, gain / total_R)),
                Control("inputs left out", sp.Eq(kept_printed, _HALF)),
                Control("k^2 for 1'R1", sp.Eq(kept_printed, gain / (2 * p))),
            ),
        ),
        Clause(
            name="four sizes",
            text="sum: G/1'R1; he: G/k^2; mean_field: 1, with G = sum_tu R_tu M_tu: what a layer keeps of E[x^2]",
            printed=algorithm_1.SCALES,
            experiment=filter_draws.four_sizes,
            derivation=algorithm_1.scales,
            hypotheses=(UNIT, INPUTS),
            controls=(
                Control("sum keeps all", sp.Eq(kept_sum, 1)),
                Control("he keeps all", sp.Eq(kept_he, 1)),
                Control("mean_field keeps half", sp.Eq(kept_mean_field, _HALF)),
                Control("he and sum exchanged", sp.And(sp.Eq(kept_sum, gain / p), sp.Eq(kept_he, gain / total_R))),
            ),
        ),
    ),
)

CORRELATION = Hypothesis("R is a correlation matrix")
UP_TO_LARGEST = Hypothesis(
    "alpha in [0, 3/2], as in Table 5", sp.And(sp.Ge(alpha, 0), sp.Le(alpha, derive_strength.LARGEST_PRINTED))
)

ALPHA = Claim(
    id="C-ALPHA",
    source="Schneider, Table 5",
    statement="R with its off-diagonals multiplied by alpha = 0.25 ... 1.5 is a correlation matrix",
    note="For alpha <= 1 always. For larger alpha only while alpha (1 - lambda_min) <= 1; Table 5's 1.5 asks for "
    "lambda_min >= 1/3, so that no two weights may have a correlation above 2/3. The nearest correlation matrix is one "
    "way on (`sim.nearest`).",
    clauses=(
        Clause(
            name="a correlation matrix",
            text="alpha R (ones on the diagonal) has no negative eigenvalue",
            printed=valid,
            condition=derive_strength.NOT_TOO_STRONG,
            experiment=strengths.strengths,
            derivation=derive_strength.scaled_off_diagonals,
            hypotheses=(CORRELATION, UP_TO_LARGEST),
            controls=(
                Control("never", sp.Not(valid)),
                Control("for lambda_min > 1/2 only", sp.Equivalent(valid, sp.Gt(least, sp.Rational(1, 2)))),
            ),
        ),
        Clause(
            name="exactly when",
            text="exactly if alpha (1 - lambda_min) <= 1 and -alpha (lambda_max - 1) <= 1",
            printed=derive_strength.EXACTLY,
            experiment=strengths.strengths,
            derivation=derive_strength.scaled_off_diagonals,
            hypotheses=(CORRELATION,),
            controls=(
                Control("the upper end only", sp.Equivalent(valid, derive_strength.NOT_TOO_STRONG)),
                Control("the lower end only", sp.Equivalent(valid, derive_strength.NOT_TOO_NEGATIVE)),
                Control("lambda_min for 1 - lambda_min", sp.Equivalent(valid, sp.Le(alpha * least, 1))),
            ),
        ),
        Clause(
            name="eigenvalues",
            text="the smallest eigenvalue becomes 1 - alpha + alpha lambda_min, or with lambda_max for alpha < 0",
            printed=derive_strength.SCALED,
            experiment=strengths.strengths,
            derivation=derive_strength.scaled_off_diagonals,
            hypotheses=(CORRELATION,),
            controls=(
                Control("alpha lambda_min", sp.Eq(least_scaled, alpha * least)),
                Control("lambda_min for every alpha", sp.Eq(least_scaled, 1 - alpha * (1 - least))),
                Control("lambda_max for every alpha", sp.Eq(least_scaled, 1 + alpha * (most - 1))),
            ),
        ),
        Clause(
            name="weaker",
            text="alpha <= 1 always leaves a correlation matrix",
            printed=derive_strength.WEAKER,
            experiment=strengths.strengths,
            derivation=derive_strength.scaled_off_diagonals,
            hypotheses=(CORRELATION,),
            controls=(
                Control("alpha <= 3/2", sp.Implies(sp.And(sp.Ge(alpha, 0), sp.Le(alpha, sp.Rational(3, 2))), valid)),
                Control("|alpha| <= 1", sp.Implies(sp.Le(sp.Abs(alpha), 1), valid)),
            ),
        ),
        Clause(
            name="at 3/2",
            text="alpha = 1.5, the largest of Table 5: exactly if lambda_min >= 1/3",
            printed=derive_strength.AT_LARGEST,
            experiment=strengths.strengths,
            derivation=derive_strength.scaled_off_diagonals,
            hypotheses=(CORRELATION, Hypothesis("alpha = 3/2", sp.Eq(alpha, sp.Rational(3, 2)))),
            controls=(
                Control("lambda_min >= 1/2", sp.Equivalent(valid, sp.Ge(least, _HALF))),
                Control("lambda_min > 0", sp.Equivalent(valid, sp.Gt(least, sp.Rational(1, 100)))),
            ),
        ),
    ),
)

CLAIMS = (E17, ALG1, ALPHA)
