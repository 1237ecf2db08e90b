"""Near misses of singular value bounding, of mixing and of back-propagation: S-ALG1, S-E11, S-E13, S-NORM."""

from __future__ import annotations

from sympy import Abs, And, Eq, Max, Min, Product, Sum

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.spectra import backward, mixing
from theory.derive.spectra.backward import (
    MODE,
    N_L,
    J,
    R_in,
    R_out,
    back,
    back2,
    bulge,
    depth,
    error,
    error2,
    growth,
    modes,
    part,
    part_L,
    square_mean,
    tau,
)
from theory.derive.spectra.bounding import (
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
from theory.symbols import i, j, n

_B = 1 + eps
_LAYER = MODE.func("k", integer=True, nonnegative=True)
_CLIPPED = Min(_B, Max(1 / _B, s[j]))
_OVERLAP = Sum(mixing.V[n, i] * mixing.U[n, j], (n, 0, mixing.mid - 1))


def _passed(first: int, power: int = 1) -> Product:
    return Product(backward.s[j, _LAYER] ** power, (_LAYER, first, depth - 1))


FALSEHOODS = (
    # S-ALG1
    Falsehood(
        "S-ALG1", "clip", "quantity", Eq(once[j], Min(1 / _B, Max(_B, s[j]))), "bounds exchanged: always 1/(1+eps)"
    ),
    Falsehood("S-ALG1", "clip", "strictness", And(once[j] > 1 / _B, once[j] < _B), "clipped ones are on the edge"),
    Falsehood("S-ALG1", "clip", "bound", Eq(once[j], Max(1 / _B, s[j])), "below only"),
    Falsehood("S-ALG1", "how many", "quantity", Eq(count, (N_in + N_out) / 2), "right for square W", as_="correction"),
    Falsehood("S-ALG1", "how many", "quantity", Eq(count, N_in * N_out), "vectors only", as_="correction"),
    Falsehood("S-ALG1", "how many", "hypothesis", N_out <= N_in + 1, "N_out = N_in + 1", as_="condition"),
    Falsehood("S-ALG1", "nearest", "strictness", other2 > distance2, "the bounded matrix itself"),
    Falsehood(
        "S-ALG1", "nearest", "factor", other2 >= distance2 + apart2 / 2, "not convex: little is left if s_min is 0"
    ),
    Falsehood("S-ALG1", "nearest in spectral norm", "strictness", other_norm > distance_norm, "the same distance"),
    Falsehood("S-ALG1", "nearest in spectral norm", "factor", 2 * other_norm >= 3 * distance_norm, "half as far again"),
    Falsehood(
        "S-ALG1",
        "as onto a convex set",
        "exponent",
        other2 >= distance2 + Min(1, smallest * _B**2) * apart2,
        "(1+eps)^2 for 1+eps",
        as_="correction",
    ),
    Falsehood(
        "S-ALG1", "as onto a convex set", "hypothesis", smallest > 0, "s_min small: nearly all is lost", as_="condition"
    ),
    Falsehood(
        "S-ALG1", "as onto a convex set", "bound", 2 * smallest * _B >= 1, "half of the lower edge", as_="condition"
    ),
    Falsehood("S-ALG1", "unique", "exponent", Eq(spread2, 4 * nullity / _B), "1+eps not squared", as_="correction"),
    Falsehood(
        "S-ALG1", "unique", "strictness", Eq(spread2, 4 * Min(1, nullity) / _B**2), "nullity 1", as_="correction"
    ),
    Falsehood("S-ALG1", "unique", "hypothesis", nullity <= 1, "one zero: either sign", as_="condition"),
    Falsehood("S-ALG1", "idempotent", "strictness", again < distance_norm, "in the band already: 0 < 0"),
    Falsehood("S-ALG1", "idempotent", "bound", again > 0, "nothing moves"),
    Falsehood(
        "S-ALG1", "alignment", "hypothesis", nullity <= 1, "the sign at a zero is not determined", as_="condition"
    ),
    Falsehood("S-ALG1", "alignment", "index", Eq(framed[j, j], Min(_B, Max(1 / _B, s[0]))), "s_0 for s_j"),
    Falsehood("S-ALG1", "no mixing", "hypothesis", nullity <= 2, "two zeros mix", as_="condition"),
    Falsehood("S-ALG1", "no mixing", "index", Eq(framed[i, j], 0), "the diagonal too"),
    Falsehood("S-ALG1", "inverse", "strictness", inverse_gap > 0, "it is 0"),
    Falsehood("S-ALG1", "inverse", "quantity", inverse_gap >= eps / 2, "it is 0"),
    Falsehood(
        "S-ALG1", "after training", "strictness", since <= 1, "one update after the last projection", as_="condition"
    ),
    Falsehood("S-ALG1", "after training", "exponent", And(final_high <= 1 + eps**2, final_low >= 1 / _B), "eps^2"),
    # S-E11
    Falsehood(
        "S-E11",
        "entries",
        "exponent",
        Eq(mixing.M[i, j], mixing.s_out[i] * mixing.s_in[j] * _OVERLAP**2),
        "overlap squared",
    ),
    Falsehood("S-E11", "entries", "term", Eq(mixing.M[i, j], mixing.s_in[j] * _OVERLAP), "without s_m"),
    Falsehood("S-E11", "strengths", "strictness", Abs(mixing.M[i, j]) < _B**2 * Abs(_OVERLAP), "overlap 0"),
    Falsehood("S-E11", "strengths", "bound", Abs(mixing.M[i, j]) >= (1 - 2 * eps) * Abs(_OVERLAP) * _B, "first order"),
    Falsehood("S-E11", "not over-amplified", "exponent", backward.largest <= 1 + 2 * eps, "first order in eps"),
    Falsehood("S-E11", "not over-amplified", "strictness", backward.largest < _B**2, "aligned, both at 1+eps"),
    Falsehood(
        "S-E11",
        "not attenuated",
        "bound",
        mixing.mid <= Max(mixing.N_in, mixing.N_out) + 1,
        "one wider",
        as_="condition",
    ),
    Falsehood(
        "S-E11",
        "not attenuated",
        "quantity",
        mixing.mid < mixing.N_in + mixing.N_out,
        "sum for max",
        as_="condition",
    ),
    Falsehood("S-E11", "not attenuated", "bound", backward.smallest > 1 / _B**2, "both at 1/(1+eps)"),
    Falsehood("S-E11", "any widths", "factor", backward.smallest >= 2 * mixing.cosine / _B**2, "twice"),
    Falsehood("S-E11", "any widths", "bound", backward.smallest >= mixing.cosine, "without the band"),
    # S-E13
    Falsehood("S-E13", "Eq. 12", "factor", Eq(back[j], 2 * Sum(J[n, j] * error[n], (n, 0, N_L - 1))), "twice"),
    Falsehood(
        "S-E13", "Eq. 12", "exponent", Eq(back[j], Sum(J[n, j] ** 2 * error[n], (n, 0, N_L - 1))), "entries 0, 1"
    ),
    Falsehood(
        "S-E13",
        "Eq. 13",
        "index",
        Eq(
            back[j],
            Sum(
                R_in[j, MODE]
                * Product(backward.s[MODE, _LAYER], (_LAYER, 0, depth - 2))
                * Sum(R_out[n, MODE] * error[n], (n, 0, N_L - 1)),
                (MODE, 0, modes - 1),
            ),
        ),
        "the product up to L - 1",
    ),
    Falsehood(
        "S-E13",
        "Eq. 13",
        "quantity",
        Eq(
            back[j],
            Sum(
                R_in[j, MODE] * backward.s[MODE, 0] ** depth * Sum(R_out[n, MODE] * error[n], (n, 0, N_L - 1)),
                (MODE, 0, modes - 1),
            ),
        ),
        "equal strengths in all layers",
    ),
    Falsehood(
        "S-E13", "components", "index", Eq(part[j], _passed(0, 2) * part_L[j]), "squared: right for strengths 0, 1"
    ),
    Falsehood("S-E13", "components", "sign", Eq(part[j], -_passed(0) * part_L[j]), "minus"),
    # S-NORM
    Falsehood("S-NORM", "ideal case", "strictness", back2 < error2, "they are equal"),
    Falsehood("S-NORM", "ideal case", "quantity", Eq(back2, error2 * 2**depth), "He's 2 for each layer"),
    Falsehood("S-NORM", "any widths", "bound", growth <= 1, "one width larger by one", as_="condition"),
    Falsehood("S-NORM", "any widths", "quantity", Eq(bulge, 0), "N_L > N_l", as_="condition"),
    Falsehood("S-NORM", "eps > 0", "exponent", back2 <= _B ** (2 * depth - 1) * error2, "2L - 1"),
    Falsehood("S-NORM", "eps > 0", "limit", back2 <= (1 + 2 * depth * eps) * error2, "first order in eps"),
    Falsehood("S-NORM", "as the network goes deep", "factor", depth * eps <= 2 * tau, "twice", as_="condition"),
    Falsehood("S-NORM", "as the network goes deep", "term", depth * eps <= tau, "without 1 + tau", as_="condition"),
    Falsehood(
        "S-NORM", "M components, aligned", "limit", Abs(part[j]) <= (1 + depth * eps) * Abs(part_L[j]), "first order"
    ),
    Falsehood(
        "S-NORM", "M components, aligned", "strictness", Abs(part[j]) < _B**depth * Abs(part_L[j]), "0, and the edge"
    ),
    Falsehood("S-NORM", "M components, any alignment", "bound", bulge <= 1, "wider by one between", as_="condition"),
    Falsehood("S-NORM", "M components, any alignment", "quantity", depth <= 2, "a bulge between two", as_="condition"),
    Falsehood("S-NORM", "no explosion", "limit", backward.largest <= 1 + depth * eps, "first order in eps"),
    Falsehood("S-NORM", "no explosion", "strictness", backward.largest < _B**depth, "aligned, at the edge"),
    Falsehood("S-NORM", "through ReLU", "factor", Eq(square_mean, N_L / 2 ** (depth + 1)), "one layer more"),
    Falsehood("S-NORM", "through ReLU", "quantity", Eq(square_mean, N_L / (2 * depth)), "2 L for 2^L: L = 1, 2"),
)
