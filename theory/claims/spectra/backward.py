"""S-E13 and S-NORM: errors sent back through bounded layers (Jia et al., Section 4.2)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.spectra import chains as observe
from theory.claims.observe.spectra.rectified import rectified
from theory.derive.spectra import backward as derive
from theory.derive.spectra.backward import (
    N_L,
    back,
    back2,
    bulge,
    depth,
    error2,
    growth,
    largest,
    modes,
    modes_sum,
    part,
    part_L,
    product_of,
    smallest,
    square_mean,
    tau,
    uneven,
)
from theory.derive.spectra.bounding import HI
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j

LINEAR = Hypothesis("x^i = W^i x^(i-1), i = l+1, ..., L")
ALIGNED = Hypothesis("W^i = R^(i+1) S^i R^iT")
BAND = Hypothesis("all singular values lie in [1/(1+eps), 1+eps]")
ORTHOGONAL = Hypothesis("all singular values are 1 (eps = 0)")
EQUAL = Hypothesis("N_L = ... = N_l", sp.Eq(uneven, 0))
FALLING = Hypothesis("N_L <= ... <= N_l", sp.Eq(growth, 0))
SMALL = Hypothesis("eps <= tau/8, whatever the depth")
RELU = Hypothesis("x^i = ReLU(W^i x^(i-1)), W^i square, orthogonal, the signs of its rows independent and even")

E13 = Claim(
    id="S-E13",
    source="Jia et al., Eqs. (12) and (13)",
    statement="dL/dx^l = (W^L ... W^(l+1))^T dL/dx^L, and for aligned layers it is the sum over M modes of "
    "(prod_i s_m^i) r_m^(l+1) r_m^(L+1)T dL/dx^L",
    clauses=(
        Clause(
            name="Eq. 12",
            text="the error at layer l is the transposed product of the layers times that at layer L",
            printed=derive.CHAIN,
            experiment=observe.any_chains,
            derivation=derive.chain,
            hypotheses=(LINEAR,),
            controls=(
                Control("minus", sp.Eq(back[j], -derive.CHAIN.rhs)),
                Control("mean for sum", sp.Eq(back[j], derive.CHAIN.rhs / (1 + N_L))),
            ),
        ),
        Clause(
            name="Eq. 13",
            text="the sum over modes, M = min(N_L, ..., N_l)",
            printed=derive.MODES,
            experiment=observe.aligned,
            derivation=derive.modes_sum_derived,
            hypotheses=(LINEAR, ALIGNED),
            controls=(
                Control("product from l+2", sp.Eq(back[j], modes_sum(product_of(derive.MODE, 1)))),
                Control("one mode less", sp.Eq(back[j], modes_sum(product_of(derive.MODE), modes - 1))),
                Control("minus", sp.Eq(back[j], -derive.MODES.rhs)),
                Control("squared products", sp.Eq(back[j], modes_sum(product_of(derive.MODE) ** 2))),
            ),
        ),
        Clause(
            name="components",
            text="each component is passed on by itself",
            printed=derive.PART,
            experiment=observe.aligned,
            derivation=derive.modes_sum_derived,
            hypotheses=(LINEAR, ALIGNED),
            controls=(
                Control("unchanged", sp.Eq(part[j], part_L[j])),
                Control("without the first layer", sp.Eq(part[j], product_of(j, 1) * part_L[j])),
            ),
        ),
    ),
)

NORM = Claim(
    id="S-NORM",
    source="Jia et al., Section 4.2, after Eq. (13)",
    statement="as eps -> 0 all M components of the error pass without attenuation or explosion, also as the network "
    "goes deep; for N_L = ... = N_l its norm is preserved",
    note="What is true: at eps = 0 the norm is preserved exactly if no layer is wider than the one before it, equal "
    "widths are not needed. For eps > 0 it is kept within (1+eps)^(L-l), which is sharp: eps has to fall faster than "
    "1/(L-l). Without alignment, M components survive exactly if the widths first fall and then rise. ReLU halves the "
    "squared norm at each layer.",
    clauses=(
        Clause(
            name="ideal case",
            text="eps = 0 and equal widths: the norm is preserved",
            printed=derive.PRESERVED,
            experiment=observe.orthogonal_chains,
            derivation=derive.orthogonal,
            hypotheses=(LINEAR, ORTHOGONAL, EQUAL),
            controls=(
                Control("halved", sp.Eq(2 * back2, error2)),
                Control("falls with depth", sp.Eq(back2, error2 / (1 + depth))),
            ),
        ),
        Clause(
            name="any widths",
            text="eps = 0: the norm is preserved; true for all such layers exactly if N_L <= ... <= N_l",
            printed=derive.PRESERVED,
            condition=sp.Eq(growth, 0),
            experiment=observe.orthogonal_chains,
            derivation=derive.orthogonal,
            hypotheses=(LINEAR, ORTHOGONAL),
            controls=(
                Control("halved", sp.Eq(2 * back2, error2)),
                Control("grows", sp.Eq(back2, error2 * (1 + depth))),
            ),
        ),
        Clause(
            name="eps > 0",
            text="the norm is kept within a factor (1+eps)^(L-l), above and below",
            printed=derive.BAND,
            experiment=observe.any_chains,
            derivation=derive.band,
            hypotheses=(LINEAR, BAND, FALLING),
            controls=(
                Control("one layer less above", sp.Le(back2, HI ** (2 * depth - 2) * error2)),
                Control("one layer less below", sp.Ge(back2 * HI ** (2 * depth - 2), error2)),
                Control("(1+eps)^(L-l) for the square", sp.Le(back2, HI**depth * error2)),
            ),
        ),
        Clause(
            name="as the network goes deep",
            text="eps <= tau/8 keeps the norm within a factor 1 + tau whatever the depth; true if "
            "(L-l) eps <= tau/(1+tau), and no bound on eps alone is enough",
            printed=derive.WITHIN,
            condition=derive.SHALLOW,
            experiment=observe.deep,
            derivation=derive.depth_limit,
            hypotheses=(LINEAR, BAND, FALLING, SMALL),
            controls=(
                Control("within 1 + tau/4", sp.Le(back2, (1 + tau / 4) ** 2 * error2)),
                Control("never longer", sp.Le(back2, error2)),
                Control("never shorter", sp.Ge(back2, error2)),
            ),
        ),
        Clause(
            name="M components, aligned",
            text="aligned, each of the M components is kept within (1+eps)^(L-l)",
            printed=derive.PART_BAND,
            experiment=observe.aligned,
            derivation=derive.part_band,
            hypotheses=(LINEAR, ALIGNED, BAND),
            controls=(
                Control("1+eps above", sp.Le(sp.Abs(part[j]), HI * sp.Abs(part_L[j]))),
                Control("1/(1+eps) below", sp.Ge(HI * sp.Abs(part[j]), sp.Abs(part_L[j]))),
                Control("not longer", sp.Le(sp.Abs(part[j]), sp.Abs(part_L[j]))),
            ),
        ),
        Clause(
            name="M components, any alignment",
            text="M components pass, attenuated by (1+eps)^(L-l) at most; true for all layers in the band exactly if "
            "no layer is wider than one before it and than one after it",
            printed=derive.SURVIVE,
            condition=sp.Eq(bulge, 0),
            experiment=observe.any_chains,
            derivation=derive.valley,
            hypotheses=(LINEAR, BAND),
            controls=(
                Control("one layer less", sp.Ge(smallest, HI ** (1 - depth))),
                Control("without attenuation", sp.Ge(smallest, 1)),
            ),
        ),
        Clause(
            name="no explosion",
            text="no component is amplified by more than (1+eps)^(L-l), at any widths and alignment",
            printed=derive.EXPLODE,
            experiment=observe.any_chains,
            derivation=derive.band,
            hypotheses=(LINEAR, BAND),
            controls=(
                Control("one layer less", sp.Le(largest, HI ** (depth - 1))),
                Control("no amplification", sp.Le(largest, 1)),
            ),
        ),
        Clause(
            name="through ReLU",
            text="with ReLU, orthogonal layers pass 2^-(L-l) of the squared norm, in the mean over the signs of rows",
            printed=derive.HALVED,
            experiment=rectified,
            derivation=derive.halved,
            hypotheses=(RELU,),
            controls=(
                Control("preserved", sp.Eq(square_mean, N_L)),
                Control("one layer less", sp.Eq(square_mean, N_L / 2 ** (depth - 1))),
                Control("a quarter for a half", sp.Eq(square_mean, N_L / 4**depth)),
            ),
        ),
    ),
)

CLAIMS = (E13, NORM)
