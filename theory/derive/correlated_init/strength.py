"""When scaled off-diagonals leave a correlation matrix: R_alpha = (1 - alpha) I + alpha R (Schneider, Table 5)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.symbols import p

alpha = sp.Symbol("alpha", real=True)
"""The factor of the off-diagonals."""
least, most = sp.symbols("least most", real=True)
"""The smallest and the largest eigenvalue of R."""
least_scaled = sp.Symbol("least_scaled", real=True)
"""The smallest eigenvalue of R_alpha."""
valid = sp.Symbol("valid")
"""R_alpha has no negative eigenvalue (observed)."""

SCALED = sp.And(
    sp.Implies(sp.Ge(alpha, 0), sp.Eq(least_scaled, 1 - alpha * (1 - least))),
    sp.Implies(sp.Le(alpha, 0), sp.Eq(least_scaled, 1 + alpha * (most - 1))),
)
NOT_TOO_STRONG = sp.Le(alpha * (1 - least), 1)
NOT_TOO_NEGATIVE = sp.Le(-alpha * (most - 1), 1)
EXACTLY = sp.Equivalent(valid, sp.And(NOT_TOO_STRONG, NOT_TOO_NEGATIVE))
WEAKER = sp.Implies(sp.And(sp.Ge(alpha, 0), sp.Le(alpha, 1)), valid)
LARGEST_PRINTED = sp.Rational(3, 2)
AT_LARGEST = sp.Equivalent(valid, sp.Ge(least, sp.Rational(1, 3)))


@cache
def scaled_off_diagonals() -> Derivation:
    """Eigenvalues of R_alpha, 1 - alpha + alpha lambda: least at lambda_min for alpha >= 0, else at lambda_max."""
    value, entry = sp.symbols("lambda q_j")
    gap_, factor = sp.symbols("g a", nonnegative=True)
    below, above = sp.symbols("b c", nonnegative=True)
    scaled = 1 - alpha + alpha * value
    steps = (
        Step(
            "for R q = lambda q, an entry of R_alpha q",
            equal((1 - alpha) * entry + alpha * value * entry, scaled * entry),
        ),
        Step(
            "alpha = a >= 0: it rises with lambda, here by g",
            at_least((1 - factor + factor * (value + gap_)) - (1 - factor + factor * value), 0),
            factor * gap_,
        ),
        Step(
            "alpha = -a <= 0: it falls",
            at_least((1 + factor - factor * value) - (1 + factor - factor * (value + gap_)), 0),
            factor * gap_,
        ),
        Step("eigenvalues add up to the trace p: their mean is 1", equal(sp.Sum(1, (sp.Symbol("t"), 0, p - 1)) / p, 1)),
        Step(
            "so lambda_min = 1 - b <= 1 <= lambda_max = 1 + c: alpha = a >= 0 never fails at lambda_max",
            at_least(scaled.subs({alpha: factor, value: 1 + above}), 0),
            1 + factor * above,
        ),
        Step(
            "nor alpha = -a <= 0 at lambda_min",
            at_least(scaled.subs({alpha: -factor, value: 1 - below}), 0),
            1 + factor * below,
        ),
        Step(
            "nor 0 < alpha <= 1, alpha = 1/(1 + g), at lambda = b >= 0",
            at_least(scaled.subs({alpha: 1 / (1 + gap_), value: below}), 0),
            (gap_ + below) / (1 + gap_),
        ),
        Step(
            "at alpha = 3/2 it is (3 lambda_min - 1)/2",
            equal((1 - alpha + alpha * least).subs(alpha, LARGEST_PRINTED), (3 * least - 1) / 2),
        ),
    )
    result = (
        SCALED,
        EXACTLY,
        WEAKER,
        sp.Implies(sp.And(sp.Ge(alpha, 0), NOT_TOO_STRONG), valid),
        sp.Implies(sp.Eq(alpha, LARGEST_PRINTED), AT_LARGEST),
    )
    return Derivation(result, ("R is a correlation matrix",), steps)
