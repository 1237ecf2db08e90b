"""Near misses of what a bounded kernel says of the layer on images: S-CONV, X-OPER."""

from __future__ import annotations

from sympy import And, Eq, Max, atan, pi

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.spectra.bounding import N_in, N_out, eps
from theory.derive.spectra.operators import (
    H,
    W,
    circular_max2,
    closed,
    coverage,
    kernel_max2,
    kernel_min2,
    kernel_sum2,
    kh,
    kw,
    op_max2,
    op_min2,
    op_sum2,
    overlap,
    positions,
    spectrum,
    taps,
    wider_max2,
)
from theory.derive.spectra.random_kernels import level, mean_fourth, mean_square, share
from theory.symbols import j

_B = 1 + eps

FALSEHOODS = (
    # S-CONV
    Falsehood("S-CONV", "not over-amplified", "strictness", op_max2 < overlap * _B**2, "reached", as_="correction"),
    Falsehood(
        "S-CONV",
        "not over-amplified",
        "quantity",
        op_max2 <= Max(coverage, 1) * _B**2,
        "the least number of patches over a pixel for the most",
        as_="correction",
    ),
    Falsehood(
        "S-CONV",
        "not over-amplified",
        "factor",
        op_max2 <= (1 + overlap) * _B**2 / 2,
        "right for an overlap of 1",
        as_="correction",
    ),
    Falsehood("S-CONV", "not over-amplified", "hypothesis", overlap <= 2, "an overlap of 2", as_="condition"),
    Falsehood("S-CONV", "not attenuated", "quantity", Eq(coverage, overlap), "circular, stride 1", as_="condition"),
    Falsehood("S-CONV", "not attenuated", "bound", N_out >= N_in, "N_in kh kw are needed", as_="condition"),
    Falsehood("S-CONV", "not attenuated", "bound", N_out > N_in * taps - 2, "one filter short", as_="condition"),
    # X-OPER
    Falsehood("X-OPER", "above", "strictness", op_max2 < overlap * kernel_max2, "patches that tile; kernels of zero"),
    Falsehood(
        "X-OPER", "above", "quantity", op_max2 <= Max(coverage, 1) * kernel_max2, "the least overlap for the most"
    ),
    Falsehood(
        "X-OPER",
        "the kernel's spectrum lies inside",
        "strictness",
        And(op_min2 < kernel_min2, kernel_max2 < op_max2),
        "tiles",
    ),
    Falsehood("X-OPER", "the kernel's spectrum lies inside", "factor", 2 * op_min2 <= kernel_min2, "half"),
    Falsehood("X-OPER", "below", "quantity", op_min2 >= overlap * kernel_min2, "the most for the least overlap"),
    Falsehood("X-OPER", "below", "strictness", op_min2 > coverage * kernel_min2, "tiles; kernels of zero"),
    Falsehood("X-OPER", "below", "factor", op_min2 >= 2 * coverage * kernel_min2, "twice"),
    Falsehood(
        "X-OPER", "patches that tile", "factor", Eq(op_max2, overlap * kernel_max2 * taps), "taps: right for 1 x 1"
    ),
    Falsehood(
        "X-OPER", "patches that tile", "quantity", And(Eq(op_min2, kernel_max2), Eq(op_max2, kernel_max2)), "flat"
    ),
    Falsehood("X-OPER", "mean square", "quantity", Eq(op_sum2, kernel_sum2 * H * W), "H W for H' W': stride 1"),
    Falsehood("X-OPER", "mean square", "factor", Eq(op_sum2, kernel_sum2 * positions * 2), "twice"),
    Falsehood("X-OPER", "frequencies", "factor", Eq(spectrum[j], 2 * closed[j]), "twice"),
    Falsehood("X-OPER", "frequencies", "index", Eq(spectrum[j], closed[0]), "the largest for all"),
    Falsehood(
        "X-OPER",
        "zero padding",
        "bound",
        op_max2 >= circular_max2 * (1 - (kh - 2) / H) * (1 - (kw - 2) / W),
        "k - 2 for k - 1",
    ),
    Falsehood("X-OPER", "zero padding", "factor", 2 * op_max2 <= wider_max2, "half"),
    Falsehood("X-OPER", "random kernels, mean square", "quantity", Eq(mean_square, N_out / N_in), "square layers"),
    Falsehood("X-OPER", "random kernels, mean square", "exponent", Eq(mean_square, taps**2), "right for 1 x 1"),
    Falsehood("X-OPER", "random kernels, spread", "limit", Eq(mean_fourth, 2), "many channels and taps"),
    Falsehood("X-OPER", "random kernels, spread", "quantity", Eq(mean_fourth, taps), "right for 1 x 1"),
    Falsehood("X-OPER", "random kernels, spread", "factor", Eq(mean_fourth, 1 + N_out / (N_in * taps)), "Wishart's"),
    Falsehood(
        "X-OPER", "random kernels, condition number", "factor", Eq(share, 8 * atan(1 / level) / pi), "both taps counted"
    ),
    Falsehood("X-OPER", "random kernels, condition number", "limit", Eq(share, 4 / (pi * level)), "large levels"),
)
