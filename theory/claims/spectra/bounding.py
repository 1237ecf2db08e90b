"""S-ALG1: Singular Value Bounding of one matrix, and at the end of training (Jia et al., Algorithm 1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.spectra import bounded as observe
from theory.claims.observe.spectra import schedules
from theory.derive.spectra import bounding as derive
from theory.derive.spectra.bounding import (
    HI,
    LO,
    N_in,
    N_out,
    again,
    apart2,
    count,
    distance2,
    distance_norm,
    eps,
    final_high,
    final_low,
    framed,
    inverse_gap,
    nullity,
    once,
    other2,
    other_norm,
    s,
    since,
    smallest,
    spread2,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import i, j

SVD = Hypothesis("W = U S V^T; singular values are clipped to [1/(1+eps), 1+eps], eps > 0")
INVERTIBLE = Hypothesis("A is square and invertible")

inverse_gap_linear = sp.Symbol("inverse_gap_linear", nonnegative=True)
"""`inverse_gap` with the band [1 - eps/2, 1 + eps/2]."""

_LINEAR = sp.Min(sp.Max(s[j], 1 - eps), 1 + eps)

ALG1 = Claim(
    id="S-ALG1",
    source="Jia et al., Algorithm 1 and the text before it",
    statement="SVB clips the singular values of each weight matrix to [1/(1+eps), 1+eps]: is that the nearest matrix "
    "in the band, the only one, idempotent; and is the trained network in the band?",
    note="The band is closed under inversion but not convex: two nearest matrices exist as soon as W has a singular "
    "value of zero, and which one is taken, and so the alignment of its singular vectors, is then up to the SVD.",
    clauses=(
        Clause(
            name="clip",
            text="lines 8 to 11: each singular value becomes the nearest number of the band",
            printed=sp.And(derive.CLIPPED, derive.IN_BAND),
            experiment=observe.bounded,
            derivation=derive.clipped,
            hypotheses=(SVD,),
            controls=(
                Control("[1 - eps, 1 + eps]", sp.Eq(once[j], _LINEAR)),
                Control("bounds exchanged", sp.Eq(once[j], sp.Max(sp.Min(s[j], LO), HI))),
                Control("above only", sp.Eq(once[j], sp.Min(s[j], HI))),
                Control("squared bound", sp.Eq(once[j], sp.Min(sp.Max(s[j], LO), HI**2))),
            ),
        ),
        Clause(
            name="how many",
            text="line 7: W^l has N_l singular values",
            printed=sp.Eq(count, N_out),
            corrected=derive.COUNT,
            experiment=observe.bounded,
            derivation=derive.counted,
            hypotheses=(SVD,),
            controls=(
                Control("N_(l-1)", sp.Eq(count, N_in)),
                Control("the larger", sp.Eq(count, sp.Max(N_out, N_in))),
            ),
        ),
        Clause(
            name="nearest",
            text="no matrix in the band is nearer in Frobenius norm",
            printed=derive.NEAREST,
            experiment=observe.bounded,
            derivation=derive.margin,
            hypotheses=(SVD,),
            controls=(
                Control("by more than its distance from the bounded one", sp.Ge(other2, distance2 + 2 * apart2)),
                Control("farthest", sp.Le(other2, distance2)),
                Control("squared distances double", sp.Ge(other2, 2 * distance2)),
            ),
        ),
        Clause(
            name="nearest in spectral norm",
            text="nor in spectral norm",
            printed=derive.NEAREST_NORM,
            experiment=observe.bounded,
            derivation=derive.nearest_norm,
            hypotheses=(SVD,),
            controls=(
                Control("farthest", sp.Le(other_norm, distance_norm)),
                Control("twice as near", sp.Ge(other_norm, 2 * distance_norm)),
            ),
        ),
        Clause(
            name="as onto a convex set",
            text="|A - B|^2 >= |A - P|^2 + |B - P|^2 for every B in the band, as if it were convex; true with "
            "min(1, s_min (1+eps)) before |B - P|^2",
            printed=derive.CONVEX,
            corrected=derive.MARGIN,
            experiment=observe.bounded,
            derivation=derive.margin,
            hypotheses=(SVD,),
            controls=(
                Control("s_min/(1+eps)", sp.Ge(other2, distance2 + apart2 * sp.Max(1, smallest * HI))),
                Control("2 s_min (1+eps)", sp.Ge(other2, distance2 + apart2 * sp.Min(1, 2 * smallest * HI))),
                Control("s_min (1+eps)^3", sp.Ge(other2, distance2 + apart2 * sp.Min(1, smallest * HI**3))),
            ),
        ),
        Clause(
            name="unique",
            text="there is no other nearest matrix; true unless A has k > 0 singular values of zero, when two nearest "
            "ones are up to 2 sqrt(k)/(1+eps) apart",
            printed=sp.Eq(spread2, 0),
            corrected=derive.SPREAD,
            experiment=observe.bounded,
            derivation=derive.nearest_set,
            hypotheses=(SVD,),
            controls=(
                Control("2 for 4", sp.Eq(spread2, 2 * nullity / HI**2)),
                Control("k^2", sp.Eq(spread2, 4 * nullity**2 / HI**2)),
                Control("1+eps for 1/(1+eps)", sp.Eq(spread2, 4 * nullity * HI**2)),
            ),
        ),
        Clause(
            name="idempotent",
            text="bounding twice is bounding once",
            printed=derive.IDEMPOTENT,
            experiment=observe.bounded,
            derivation=derive.idempotent,
            hypotheses=(SVD,),
            controls=(
                Control("moves as far again", sp.Eq(again, distance_norm)),
                Control("moves by eps", sp.Eq(again, eps)),
            ),
        ),
        Clause(
            name="alignment",
            text="W = R' S R^T becomes R' clip(S) R^T, for the same R' and R",
            printed=derive.ALIGNED,
            condition=sp.Gt(smallest, 0),
            experiment=observe.bounded,
            derivation=derive.aligned,
            hypotheses=(SVD,),
            controls=(
                Control("[1 - eps, 1 + eps]", sp.Eq(framed[j, j], _LINEAR)),
                Control("the diagonal is not changed", sp.Eq(framed[j, j], s[j])),
            ),
        ),
        Clause(
            name="no mixing",
            text="and nothing beside its diagonal",
            printed=derive.UNMIXED,
            condition=sp.Gt(smallest, 0),
            experiment=observe.bounded,
            derivation=derive.aligned,
            hypotheses=(SVD,),
            controls=(
                Control("mixes by eps", sp.Implies(sp.Ne(i, j), sp.Eq(framed[i, j], eps))),
                Control("beside the other diagonal", sp.Implies(sp.Eq(i, j), sp.Eq(framed[i, j], 0))),
            ),
        ),
        Clause(
            name="inverse",
            text="bounding the inverse inverts the bounded matrix",
            printed=derive.INVERSE,
            experiment=observe.inverses,
            derivation=derive.inverted,
            hypotheses=(SVD, INVERTIBLE),
            controls=(
                Control("with the band [1 - eps, 1 + eps]", sp.Eq(inverse_gap_linear, 0)),
                Control("off by eps", sp.Eq(inverse_gap, eps)),
            ),
        ),
        Clause(
            name="after training",
            text="the weights that training returns lie in the band",
            printed=derive.TRAINED,
            condition=sp.Eq(since, 0),
            experiment=schedules.trained,
            derivation=derive.trained,
            hypotheses=(SVD,),
            controls=(
                Control("above 1 - eps and below 1", sp.And(sp.Ge(final_low, 1 - eps), sp.Le(final_high, 1))),
                Control("below the band", sp.Le(final_high, LO)),
                Control("half of eps", sp.And(sp.Ge(final_low, 1 / (1 + eps / 2)), sp.Le(final_high, 1 + eps / 2))),
            ),
        ),
    ),
)

CLAIMS = (ALG1,)
