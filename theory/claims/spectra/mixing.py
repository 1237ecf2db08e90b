"""S-E11: how two bounded layers mix directions (Jia et al., Eq. 11 and the two paragraphs around it)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.spectra.mixed import mixed, mixed_spectrum
from theory.derive.spectra import mixing as derive
from theory.derive.spectra.bounding import HI, LO
from theory.derive.spectra.mixing import OVERLAP, M, cosine, largest, s_in, s_out, smallest
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import i, j

SVD = Hypothesis("W^l = U^l S^l V^lT and W^(l+1) = U^(l+1) S^(l+1) V^(l+1)T")
BAND = Hypothesis("all singular values of both layers lie in [1/(1+eps), 1+eps]")

E11 = Claim(
    id="S-E11",
    source="Jia et al., Eq. (11) and the text after it",
    statement="M = S^(l+1) V^(l+1)T U^l S^l has the entries s_m s_m' v_m u_m'; bounding s_m and s_m' controls the "
    "independent and the mixing strengths, so that no direction is over-amplified or strongly attenuated",
    note="Printed without the transpose of v_m, which the next line of the paper supplies: read as v_m.u_m' here. "
    "Over-amplified no direction is, at any widths. Attenuated some can be, down to nothing, wherever a layer is wider "
    "than both its neighbours: bounding each matrix says nothing of the angle between their ranges there.",
    clauses=(
        Clause(
            name="entries",
            text="M_mm' = s_m s_m' v_m.u_m'",
            printed=derive.ENTRY,
            experiment=mixed,
            derivation=derive.entries,
            hypotheses=(SVD,),
            controls=(
                Control("singular values exchanged", sp.Eq(M[i, j], s_out[j] * s_in[i] * OVERLAP)),
                Control("without s_m'", sp.Eq(M[i, j], s_out[i] * OVERLAP)),
                Control("minus", sp.Eq(M[i, j], -s_out[i] * s_in[j] * OVERLAP)),
                Control("s_m^2", sp.Eq(M[i, j], s_out[i] ** 2 * s_in[j] * OVERLAP)),
            ),
        ),
        Clause(
            name="strengths",
            text="each lies within (1+eps)^2 of the overlap |v_m.u_m'|, above and below",
            printed=derive.ENTRY_BAND,
            experiment=mixed,
            derivation=derive.entry_band,
            hypotheses=(SVD, BAND),
            controls=(
                Control("(1+eps) above", sp.Le(sp.Abs(M[i, j]), HI * sp.Abs(OVERLAP))),
                Control("1/(1+eps) below", sp.Ge(sp.Abs(M[i, j]), LO * sp.Abs(OVERLAP))),
                Control("below whatever the overlap", sp.Ge(sp.Abs(M[i, j]), LO**2)),
            ),
        ),
        Clause(
            name="not over-amplified",
            text="no direction is amplified by more than (1+eps)^2",
            printed=derive.UPPER,
            experiment=mixed_spectrum,
            derivation=derive.upper,
            hypotheses=(SVD, BAND),
            controls=(
                Control("1+eps", sp.Le(largest, HI)),
                Control("at least", sp.Ge(largest, HI**2)),
            ),
        ),
        Clause(
            name="not attenuated",
            text="none of the min(N_(l-1), N_l, N_(l+1)) directions is attenuated below (1+eps)^-2; true, for all "
            "layers in the band, exactly if N_l <= max(N_(l-1), N_(l+1))",
            printed=derive.LOWER,
            condition=derive.NO_BULGE,
            experiment=mixed_spectrum,
            derivation=derive.lower,
            hypotheses=(SVD, BAND),
            controls=(
                Control("1/(1+eps)", sp.Ge(smallest, LO)),
                Control("at most", sp.Le(smallest, LO**2)),
                Control("1", sp.Ge(smallest, 1)),
            ),
        ),
        Clause(
            name="any widths",
            text="none is attenuated below c (1+eps)^-2, c the cosine of the largest principal angle of the ranges",
            printed=derive.LOWER_COSINE,
            experiment=mixed_spectrum,
            derivation=derive.lower,
            hypotheses=(SVD, BAND),
            controls=(
                Control("c/(1+eps)", sp.Ge(smallest, cosine * LO)),
                Control("c (1+eps)^2", sp.Ge(smallest, cosine * HI**2)),
                Control("without c", sp.Ge(smallest, LO**2)),
            ),
        ),
    ),
)

CLAIMS = (E11,)
