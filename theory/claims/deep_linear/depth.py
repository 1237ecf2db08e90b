"""S-NEC and S-SUF: what reaching the minimum asks of the strengths as the depth grows (Jia et al., Section 4.1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.deep_linear import depths as observe
from theory.derive.deep_linear import depth as derive
from theory.derive.deep_linear.depth import AT_MINIMUM, DEEP_ENOUGH, MISSED, delta, reached, s_max, s_min
from theory.derive.deep_linear.modes import sigma
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import p

STRENGTHS = Hypothesis("strengths s^l >= 0 and sigma > 0, with L layers, L as large as one likes")

NEC = Claim(
    id="S-NEC",
    source="Jia et al., Section 4.1, after Eq. (10)",
    statement="as L -> inf, reaching the minimum of (10) needs s_max > 1 and s_min < 1",
    note="False at every depth: for any sigma > 0 the L strengths (L + (sigma-1) l)/(L + (sigma-1)(l-1)) reach it, and "
    "all are above 1 if sigma > 1, all below 1 if sigma < 1; for sigma = 1 all may be 1. What is needed is s_max >= "
    "sigma^(1/L) >= s_min; the bounds tend to 1, so that only s_max >= 1 - delta, s_min <= 1 + delta is left in the "
    "limit.",
    clauses=(
        Clause(
            name="as printed",
            text="s_max > 1 and s_min < 1 at the minimum; true is s_min^L <= sigma <= s_max^L, at every depth",
            printed=derive.PRINTED_NEEDED,
            corrected=derive.TRUE_NEEDED,
            experiment=observe.depths,
            derivation=derive.needed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("L - 1 for L", sp.Implies(AT_MINIMUM, s_max ** (p - 1) >= sigma)),
                Control("without the power", sp.Implies(AT_MINIMUM, s_max >= sigma)),
                Control("exchanged", sp.Implies(AT_MINIMUM, sp.And(s_min**p >= sigma, s_max**p <= sigma))),
                Control("s_min^(2 L) at least", sp.Implies(AT_MINIMUM, s_min ** (2 * p) >= sigma)),
            ),
        ),
        Clause(
            name="sigma > 1",
            text="if sigma > 1, s_max > 1 is necessary at every depth",
            printed=derive.NEEDED_ABOVE,
            experiment=observe.depths,
            derivation=derive.needed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("s_min < 1 too", sp.Implies(sp.And(AT_MINIMUM, sigma > 1), s_min < 1)),
                Control("for any sigma", sp.Implies(AT_MINIMUM, s_max > 1)),
            ),
        ),
        Clause(
            name="sigma < 1",
            text="if sigma < 1, s_min < 1 is necessary at every depth",
            printed=derive.NEEDED_BELOW,
            experiment=observe.depths,
            derivation=derive.needed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("s_max > 1 too", sp.Implies(sp.And(AT_MINIMUM, sigma < 1), s_max > 1)),
                Control("for any sigma", sp.Implies(AT_MINIMUM, s_min < 1)),
            ),
        ),
        Clause(
            name="in the limit",
            text="for any delta, s_max > 1 - delta and s_min < 1 + delta once (1 - delta)^L < sigma < (1 + delta)^L",
            printed=derive.NEEDED_IN_THE_LIMIT,
            experiment=observe.depths,
            derivation=derive.needed_in_the_limit,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("at any depth", sp.Implies(AT_MINIMUM, sp.And(s_max > 1 - delta, s_min < 1 + delta))),
                Control(
                    "1 + delta, 1 - delta",
                    sp.Implies(sp.And(AT_MINIMUM, DEEP_ENOUGH), sp.And(s_max > 1 + delta, s_min < 1 - delta)),
                ),
            ),
        ),
        Clause(
            name="family",
            text="strengths on one side of 1 that reach sigma, at every depth and for every sigma",
            printed=derive.FAMILY,
            experiment=observe.families,
            derivation=derive.family,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("sigma^2", sp.Eq(reached, sigma**2)),
                Control("on both sides", sp.Implies(sigma > 1, s_min < 1)),
                Control("the other side", sp.Implies(sigma < 1, s_max > 1)),
            ),
        ),
    ),
)

SUF = Claim(
    id="S-SUF",
    source="Jia et al., Section 4.1, after Eq. (10)",
    statement="as L -> inf, s_max < 1 or s_min > 1 is sufficient for not reaching the minimum of (10)",
    note="The contrapositive of half of S-NEC, with the same counterexamples at every depth. It holds if the gap to 1 "
    "does not shrink with L: s_max <= 1 - delta or s_min >= 1 + delta, from a depth of about |log sigma|/delta on.",
    clauses=(
        Clause(
            name="all below 1",
            text="s_max < 1 suffices; true if s_max <= 1 - delta and (1 - delta)^L < sigma",
            printed=derive.PRINTED_ALL_BELOW,
            condition=derive.GAP_BELOW,
            experiment=observe.depths,
            derivation=derive.missed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("it overshoots", sp.Implies(s_max < 1, reached > sigma)),
                Control("less than a hundredth is left", sp.Implies(s_max < 1, 100 * reached < sigma)),
            ),
        ),
        Clause(
            name="all above 1",
            text="s_min > 1 suffices; true if s_min >= 1 + delta and (1 + delta)^L > sigma",
            printed=derive.PRINTED_ALL_ABOVE,
            condition=derive.GAP_ABOVE,
            experiment=observe.depths,
            derivation=derive.missed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("it undershoots", sp.Implies(s_min > 1, reached < sigma)),
                Control("more than a hundredfold", sp.Implies(s_min > 1, reached > 100 * sigma)),
            ),
        ),
        Clause(
            name="at every depth",
            text="s_max^L < sigma suffices, and so does s_min^L > sigma",
            printed=sp.And(derive.MISSED_BELOW, derive.MISSED_ABOVE),
            experiment=observe.depths,
            derivation=derive.missed,
            hypotheses=(STRENGTHS,),
            controls=(
                Control("s_min for s_max", sp.Implies(s_min**p < sigma, MISSED)),
                Control("s_max for s_min", sp.Implies(s_max**p > sigma, MISSED)),
                Control("L - 1 for L", sp.Implies(s_max ** (p - 1) < sigma, MISSED)),
            ),
        ),
    ),
)

CLAIMS = (NEC, SUF)
