"""S-ALPHA: rescaling a layer by alpha (Jia et al., Section 5)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.batch_norm import rescaled_layers
from theory.derive.batch_norm import rescaling as derive
from theory.derive.batch_norm.rescaling import alpha, alpha_product, end, end_scaled, rank, rank_scaled, s, scaled
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j

ANY_WIDTHS = Hypothesis("any matrices that chain, aligned or not")

ALPHA = Claim(
    id="S-ALPHA",
    source="Jia et al., Section 5",
    statement="rescaling a layer by alpha does not lose any direction; it is the same as scaling all directions up in "
    "certain layers and down in others",
    note="alpha = mean(gamma/std) is not 0 by itself: at 0 everything is lost. All directions of the network are "
    "multiplied by the product of the alphas, which layers that scale up and down leave alone only if they cancel; "
    "nothing in Algorithm 2 keeps that product from exploding or vanishing with depth.",
    clauses=(
        Clause(
            name="directions",
            text="alpha W has the rank of W",
            printed=derive.SAME_RANK,
            condition=derive.NONZERO,
            experiment=rescaled_layers.one_layer,
            derivation=derive.directions,
            controls=(
                Control("one lost", sp.Eq(rank_scaled, rank - 1)),
                Control("all lost", sp.Eq(rank_scaled, 0)),
            ),
        ),
        Clause(
            name="singular values",
            text="all singular values are multiplied by |alpha|, so that the condition number stays",
            printed=derive.SCALED,
            experiment=rescaled_layers.one_layer,
            derivation=derive.singular_values,
            controls=(
                Control("alpha for |alpha|", sp.Eq(scaled[j], alpha * s[j])),
                Control("alpha^2", sp.Eq(scaled[j], alpha**2 * s[j])),
                Control("unchanged", sp.Eq(scaled[j], s[j])),
            ),
        ),
        Clause(
            name="proportions",
            text="all directions of the network are multiplied by |alpha_1 ... alpha_L| and keep their proportions",
            printed=sp.And(derive.TOTAL, derive.PROPORTIONS),
            experiment=rescaled_layers.network,
            derivation=derive.whole_network,
            hypotheses=(ANY_WIDTHS,),
            controls=(
                Control("first direction unchanged", sp.Eq(end_scaled[j] * end[0], end[0] * end[j])),
                Control("all equal", sp.Eq(end_scaled[j], end_scaled[0])),
                Control("alpha_1 ... alpha_L, squared", sp.Eq(end_scaled[j], alpha_product**2 * end[j])),
            ),
        ),
        Clause(
            name="redistribution",
            text="the rescaled network is the same network: what some layers gain, others lose",
            printed=derive.UNCHANGED,
            condition=derive.BALANCED,
            experiment=rescaled_layers.network,
            derivation=derive.balanced,
            hypotheses=(ANY_WIDTHS,),
            controls=(
                Control("twice", sp.Eq(end_scaled[j], 2 * end[j])),
                Control("with the sign of the product", sp.Eq(end_scaled[j], alpha_product * end[j])),
                Control("all equal", sp.Eq(end_scaled[j], end[0])),
            ),
        ),
    ),
)

CLAIMS = (ALPHA,)
