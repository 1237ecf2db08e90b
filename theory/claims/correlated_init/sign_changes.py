"""C-GSC: the measure of zig-zag of Schneider, Section 6."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.correlated_init import gradient_signs
from theory.derive.correlated_init import sign_changes as derive
from theory.derive.correlated_init.sign_changes import all_change, changes, flips, gsc, none_change, touches
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import p

AS_PRINTED = Hypothesis("two gradients of d = p entries; sign is 1, -1, and 0 for 0")

GSC = Claim(
    id="C-GSC",
    source="Schneider, Section 6",
    statement="GradientSignChanges, the percentage of sign changes, lies in [0, 1]; 0: no sign changes; 1: all change",
    note="A gradient that becomes zero, or stops being zero, has another sign but counts one half: with zeros the "
    "measure is no percentage of sign changes, and stays below 1 where all change. Dead filters have such gradients.",
    clauses=(
        Clause(
            name="range",
            text="it lies in [0, 1]",
            printed=derive.RANGE,
            experiment=gradient_signs.gradient_pairs,
            derivation=derive.extremes,
            hypotheses=(AS_PRINTED,),
            controls=(
                Control("at most 1/2", sp.Le(gsc, sp.Rational(1, 2))),
                Control("at least 1/(2d)", sp.Ge(gsc, 1 / (2 * p))),
            ),
        ),
        Clause(
            name="zero",
            text="0 exactly if no sign changes",
            printed=derive.ZERO,
            experiment=gradient_signs.gradient_pairs,
            derivation=derive.extremes,
            hypotheses=(AS_PRINTED,),
            controls=(
                Control("no flip", sp.Equivalent(sp.Eq(gsc, 0), sp.Eq(flips, 0))),
                Control("1 exactly if no sign changes", sp.Equivalent(sp.Eq(gsc, 1), none_change)),
            ),
        ),
        Clause(
            name="one",
            text="1 exactly if all signs change",
            printed=derive.ONE,
            condition=derive.NO_TOUCH,
            experiment=gradient_signs.gradient_pairs,
            derivation=derive.extremes,
            hypotheses=(AS_PRINTED,),
            controls=(
                Control("1 exactly if any changes", sp.Equivalent(sp.Eq(gsc, 1), sp.Not(none_change))),
                Control("0 exactly if all change", sp.Equivalent(sp.Eq(gsc, 0), all_change)),
            ),
        ),
        Clause(
            name="percentage",
            text="it is the percentage of sign changes",
            printed=derive.PERCENTAGE,
            corrected=derive.COUNT,
            experiment=gradient_signs.gradient_pairs,
            derivation=derive.counted,
            hypotheses=(AS_PRINTED,),
            controls=(
                Control("flips only", sp.Eq(gsc, flips / p)),
                Control("all over 2d", sp.Eq(gsc, changes / (2 * p))),
                Control("zeros as flips, flips as zeros", sp.Eq(gsc, (flips / 2 + touches) / p)),
            ),
        ),
    ),
)

CLAIMS = (GSC,)
