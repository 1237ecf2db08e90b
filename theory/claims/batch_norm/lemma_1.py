"""S-LEM1A and S-LEM1B: the singular values of G W (Jia et al., Lemma 1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.batch_norm.scaled_rows import rescaled
from theory.derive.batch_norm import lemma_1 as derive
from theory.derive.batch_norm.lemma_1 import excess, g_max, g_min, g_sorted, power, s_max, s_min
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j

ONES = Hypothesis("all min(M, N) singular values of W are 1")
TALL = Hypothesis("M >= N")
FAT = Hypothesis("M <= N")

_WRONG_BOUNDS = (
    Control("g for g^2", sp.And(power[j] >= g_min, power[j] <= g_max)),
    Control("bounds swapped", sp.And(power[j] >= g_max**2, power[j] <= g_min**2)),
    Control("all g_min", sp.Le(power[j], g_min**2)),
    Control("upper bound halved", sp.And(power[j] >= g_min**2, power[j] <= g_max**2 / 2)),
)

LEM1A = Claim(
    id="S-LEM1A",
    source="Jia et al., Lemma 1, first part",
    statement="the singular values of G W lie in [g_min, g_max] when those of W are all 1",
    note="For tall W as well as fat, and for g_i = 0 too. SVB leaves the singular values of W in a band only: the "
    "bounds are then s_min g_min and s_max g_max.",
    clauses=(
        Clause(
            name="tall",
            text="M >= N: g_min^2 <= sigma_j^2 <= g_max^2",
            printed=derive.BOUNDS,
            experiment=lambda: rescaled("tall"),
            derivation=derive.tall,
            hypotheses=(ONES, TALL),
            controls=(*_WRONG_BOUNDS, Control("exactly |g_i|", derive.EXACT)),
        ),
        Clause(
            name="fat",
            text="M <= N: g_min^2 <= sigma_j^2 <= g_max^2",
            printed=derive.BOUNDS,
            experiment=lambda: rescaled("fat"),
            derivation=derive.fat,
            hypotheses=(ONES, FAT),
            controls=_WRONG_BOUNDS,
        ),
        Clause(
            name="any W",
            text="for any W, s_min g_min <= sigma_j <= s_max g_max",
            printed=derive.GENERAL,
            experiment=lambda: rescaled("any", ones=False),
            derivation=derive.general,
            controls=(
                Control("as if s = 1", derive.BOUNDS),
                Control("bounded by s alone", sp.And(power[j] >= s_min**2, power[j] <= s_max**2)),
                Control("s for s^2", sp.And(power[j] >= s_min * g_min**2, power[j] <= s_max * g_max**2)),
                Control("s_min above, s_max below", sp.Le(power[j], s_min**2 * g_max**2)),
            ),
        ),
    ),
)

LEM1B = Claim(
    id="S-LEM1B",
    source="Jia et al., Lemma 1, second part",
    statement="W fat and of full row rank: the singular values of G W are exactly |g_i|",
    note="Under the lemma's premise that all singular values of W are 1, from which full row rank follows. Rank alone "
    "is not enough (M = N = 1, W = 2): then the j-th lies between s_min and s_max times the j-th |g|. For tall W the "
    "values need not be |g_i|, but lie between them.",
    clauses=(
        Clause(
            name="fat",
            text="sigma_j = |g|_(j), both in ascending order",
            printed=derive.EXACT,
            experiment=lambda: rescaled("fat"),
            derivation=derive.fat,
            hypotheses=(ONES, FAT),
            controls=(
                Control("g for |g|, largest first", sp.Eq(power[j], g_max**2)),
                Control("g for g^2", sp.Eq(power[j], g_sorted[j])),
                Control("g^4", sp.Eq(power[j], g_sorted[j] ** 4)),
            ),
        ),
        Clause(
            name="tall",
            text="for tall W, |g|_(j) <= sigma_j <= |g|_(j + M - N), in ascending order",
            printed=derive.INTERLACED,
            experiment=lambda: rescaled("tall"),
            derivation=derive.interlaced,
            hypotheses=(ONES, TALL),
            controls=(
                Control("exactly |g|_(j)", derive.EXACT),
                Control("exactly |g|_(j + M - N)", sp.Eq(power[j], g_sorted[j + excess] ** 2)),
                Control("bounds swapped", sp.Ge(power[j], g_sorted[j + excess] ** 2)),
            ),
        ),
        Clause(
            name="full row rank only",
            text="for fat W of full row rank, s_min |g|_(j) <= sigma_j <= s_max |g|_(j), each for its own j",
            printed=derive.EACH,
            experiment=lambda: rescaled("fat", ones=False),
            derivation=derive.each,
            hypotheses=(FAT,),
            controls=(
                Control("rank is enough: exactly |g|_(j)", derive.EXACT),
                Control("times s_min", sp.Eq(power[j], s_min**2 * g_sorted[j] ** 2)),
                Control(
                    "s for s^2", sp.And(power[j] >= s_min * g_sorted[j] ** 2, power[j] <= s_max * g_sorted[j] ** 2)
                ),
            ),
        ),
    ),
)

CLAIMS = (LEM1A, LEM1B)
