"""S-CONV and X-OPER: a kernel bounded as a matrix, and the convolution on images (Jia et al., footnote 2)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.spectra import operator_spectra
from theory.claims.observe.spectra import operators as observe
from theory.derive.spectra import operators as derive
from theory.derive.spectra import random_kernels
from theory.derive.spectra.bounding import HI, LO
from theory.derive.spectra.operators import (
    N_in,
    N_out,
    circular_max2,
    closed,
    columns,
    coverage,
    kernel_max2,
    kernel_min2,
    kernel_sum2,
    op_max2,
    op_min2,
    op_sum2,
    overlap,
    positions,
    rows,
    spectrum,
    taps,
    whole,
    wider_max2,
)
from theory.derive.spectra.random_kernels import level, mean_fourth, mean_square, share
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j

closed_plain = sp.IndexedBase("closed_plain", real=True)
"""Every s-th of the singular values at stride 1."""
stride = sp.Symbol("stride", integer=True, positive=True)

BOUNDED = Hypothesis("the N_out x (N_in kh kw) matrix R has its singular values in [1/(1+eps), 1+eps]")
CIRCULAR = Hypothesis("circular padding, the stride divides the image and is at most the kernel's size")
SEEN = Hypothesis("every pixel is seen by some patch", sp.Gt(coverage, 0))
WHOLE = Hypothesis("some patch lies wholly in the image", sp.Gt(whole, 0))
WIDE = Hypothesis("the operator has no more rows than columns", sp.Lt(rows, columns + 1))
TALL = Hypothesis("N_out >= N_in kh kw", derive.TALL)
TILED = Hypothesis("the patches tile the image", derive.SEPARATE)
PADDED = Hypothesis("stride 1, at most kh - 1 and kw - 1 zeros on each side")
HAAR = Hypothesis("R has orthonormal rows, uniformly distributed; circular, stride 1; H > 2 (kh - 1), W > 2 (kw - 1)")
TWO_TAPS = Hypothesis("one channel, kernel 1 x 2, a uniformly distributed unit vector; circular on an even width")

CONV = Claim(
    id="S-CONV",
    source="Jia et al., Section 6, footnote 2",
    statement="applying SVB to the kernel as an N_out x (N_in Nh Nw) matrix bounds the conv layer, as it does a matrix",
    note="It bounds what the layer does to one patch. On images, where patches overlap, the layer can amplify "
    "sqrt(kh kw) times more, and it can annihilate: kernel (3/5, 4/5) is orthogonal as a matrix, but on two pixels the "
    "layer has the singular values 7/5 and 1/5. Only where patches tile the image are the two the same.",
    clauses=(
        Clause(
            name="not over-amplified",
            text="the layer's singular values are at most 1 + eps; true with a factor sqrt(overlap), the number of "
            "patches that see a pixel: kh kw at stride 1",
            printed=derive.KERNEL_ABOVE,
            corrected=derive.UPPER_BAND,
            experiment=observe.bounded_kernels,
            derivation=derive.upper_band,
            hypotheses=(BOUNDED, CIRCULAR),
            controls=(
                Control("half the overlap", sp.Le(op_max2, sp.Max(1, overlap / 2) * HI**2)),
                Control("1 + eps unsquared", sp.Le(op_max2, overlap * HI)),
                Control("without eps", sp.Le(op_max2, overlap)),
            ),
        ),
        Clause(
            name="not attenuated",
            text="they are at least 1/(1 + eps); true for all kernels exactly if patches tile the image or "
            "N_out >= N_in kh kw, and else they can be 0",
            printed=derive.KERNEL_BELOW,
            condition=sp.Or(derive.SEPARATE, derive.TALL),
            experiment=observe.bounded_kernels,
            derivation=derive.lower_band,
            hypotheses=(BOUNDED, CIRCULAR, SEEN),
            controls=(
                Control("1", sp.Ge(op_min2, 1)),
                Control("1 + eps", sp.Ge(op_min2, HI**2)),
                Control("at most", sp.Le(op_min2, LO**2)),
            ),
        ),
    ),
)

OPER = Claim(
    id="X-OPER",
    source="after Jia et al., footnote 2",
    statement="sharp bounds between the singular values of the reshaped kernel R and of the convolution A on images",
    note="s_min(A) <= s_min(R) <= s_max(R) <= s_max(A) <= sqrt(kh kw) s_max(R), the first for N_out <= N_in: to bound "
    "the layer bounds the kernel, not the other way round. A random orthogonal kernel has the mean square gain 1, but "
    "its singular values spread: with many channels, N_in = N_out, their squares have the variance 1 - 1/(kh kw).",
    clauses=(
        Clause(
            name="above",
            text="s_max(A)^2 <= overlap s_max(R)^2, at any padding and stride",
            printed=derive.UPPER,
            experiment=observe.any_padding,
            derivation=derive.upper,
            controls=(
                Control("without the overlap", sp.Le(op_max2, kernel_max2)),
                Control("half of it", sp.Le(op_max2, sp.Max(1, overlap / 2) * kernel_max2)),
                Control("at least", sp.Ge(op_max2, overlap * kernel_max2)),
            ),
        ),
        Clause(
            name="the kernel's spectrum lies inside",
            text="s_min(A) <= s_min(R) and s_max(R) <= s_max(A)",
            printed=derive.INSIDE,
            experiment=observe.any_padding,
            derivation=derive.inside,
            hypotheses=(WHOLE, WIDE),
            controls=(
                Control("outside above", sp.Le(op_max2, kernel_max2)),
                Control("outside below", sp.Ge(op_min2, kernel_min2)),
                Control("twice", sp.Ge(op_max2, 2 * kernel_max2)),
            ),
        ),
        Clause(
            name="below",
            text="s_min(A)^2 >= coverage s_min(R)^2 if N_out >= N_in kh kw",
            printed=derive.LOWER,
            experiment=observe.any_padding,
            derivation=derive.lower,
            hypotheses=(TALL,),
            controls=(
                Control("one patch more", sp.Ge(op_min2, (coverage + 1) * kernel_min2)),
                Control("s_max(R)", sp.Ge(op_min2, coverage * kernel_max2)),
                Control("at most", sp.Le(op_min2, kernel_min2)),
            ),
        ),
        Clause(
            name="patches that tile",
            text="the same extreme singular values if every pixel is seen once",
            printed=derive.SAME,
            experiment=observe.circular,
            derivation=derive.separate,
            hypotheses=(CIRCULAR, TILED),
            controls=(
                Control("kh kw times", sp.Eq(op_max2, taps * kernel_max2)),
                Control("extremes exchanged", sp.Eq(op_max2, kernel_min2)),
                Control("half below", sp.Eq(2 * op_min2, kernel_min2)),
            ),
        ),
        Clause(
            name="mean square",
            text="the squared singular values of A sum to H' W' times those of R",
            printed=derive.MEAN,
            experiment=observe.circular,
            derivation=derive.mean,
            hypotheses=(CIRCULAR,),
            controls=(
                Control("times the overlap", sp.Eq(op_sum2, positions * overlap * kernel_sum2)),
                Control("without the positions", sp.Eq(op_sum2, kernel_sum2)),
                Control("one position less", sp.Eq(op_sum2, (positions - 1) * kernel_sum2)),
            ),
        ),
        Clause(
            name="frequencies",
            text="A has the singular values of its blocks [K(f + u/s)]_u / s over frequencies f",
            printed=derive.CLOSED,
            experiment=operator_spectra.spectra,
            derivation=derive.frequencies,
            hypotheses=(CIRCULAR,),
            controls=(
                Control("without 1/s", sp.Eq(spectrum[j], stride * closed[j])),
                Control("frequencies left out", sp.Eq(spectrum[j], closed_plain[j])),
                Control("squared", sp.Eq(spectrum[j], closed[j] ** 2)),
            ),
        ),
        Clause(
            name="zero padding",
            text="s_max(A)^2 is at most that of the torus (H+kh-1, W+kw-1), and at least (1 - (kh-1)/H)(1 - (kw-1)/W) "
            "times that of the torus (H, W)",
            printed=derive.SANDWICH,
            experiment=operator_spectra.zero_padded,
            derivation=derive.zero_padding,
            hypotheses=(PADDED,),
            controls=(
                Control("as large as circular", sp.Ge(op_max2, circular_max2)),
                Control("larger than circular on the larger torus", sp.Ge(op_max2, wider_max2)),
                Control("below the lower bound", sp.Le(op_max2, derive.WINDOW * circular_max2)),
            ),
        ),
        Clause(
            name="random kernels, mean square",
            text="a random orthogonal kernel passes white noise with mean square gain 1",
            printed=random_kernels.SQUARE,
            experiment=operator_spectra.moments,
            derivation=random_kernels.moments,
            hypotheses=(HAAR,),
            controls=(
                Control("kh kw", sp.Eq(mean_square, taps)),
                Control("1/(kh kw)", sp.Eq(mean_square, 1 / taps)),
            ),
        ),
        Clause(
            name="random kernels, spread",
            text="mean s^4, which is 1 for an orthogonal operator, as a function of channels and taps",
            printed=random_kernels.FOURTH,
            experiment=operator_spectra.moments,
            derivation=random_kernels.moments,
            hypotheses=(HAAR,),
            controls=(
                Control("an orthogonal operator", sp.Eq(mean_fourth, 1)),
                Control("many channels", sp.Eq(mean_fourth, 2 - 1 / taps)),
                Control("real waves at all frequencies", random_kernels.REAL_WAVES),
                Control("channels exchanged", sp.Eq(mean_fourth, random_kernels.fourth(N_in, N_out, N_out / taps))),
            ),
        ),
        Clause(
            name="random kernels, condition number",
            text="P(condition > t) = 4 arctan(1/t)/pi for two taps and one channel: the mean is infinite",
            printed=random_kernels.TAIL,
            experiment=operator_spectra.condition,
            derivation=random_kernels.condition_tail,
            hypotheses=(TWO_TAPS,),
            controls=(
                Control("half of it", sp.Eq(share, 2 * sp.atan(1 / level) / sp.pi)),
                Control("1/t", sp.Eq(share, 1 / level)),
                Control("1/t^2", sp.Eq(share, 4 * sp.atan(1 / level**2) / sp.pi)),
            ),
        ),
    ),
)

CLAIMS = (CONV, OPER)
