"""Gradients of deep linear networks: Eqs. (2), (4), (7), (8) of Jia et al., Section 4.1."""

from __future__ import annotations

from typing import Any

import sympy as sp

from theory.claims.observe.deep_linear import aligned, chains
from theory.derive.deep_linear import gradients as derive
from theory.derive.deep_linear.gradients import (
    D1,
    D2,
    S1,
    S2,
    W1,
    W2,
    A,
    B,
    C_xx,
    C_yx,
    D,
    R,
    R_down,
    R_up,
    S_above,
    S_below,
    S_l,
    S_yx,
    U_y,
    V_x,
    W,
    slope,
    slope_1,
    slope_2,
    stray,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import p

WHITENED = Hypothesis("the inputs are whitened, C^xx = I")
FRAMES = Hypothesis("the weights are aligned, W^l = R^{l+1} S^l R^l^T with R^1 = V^x and R^{L+1} = U^y")
DIAGONAL = Hypothesis("every S^l is diagonal")
SIGN = (
    "The print is the negative gradient: at W = 0 it points downhill. As conditions that the gradient vanishes the "
    "equations are right. "
)
PADDING = "Widths are any; matrices are padded to the largest, and D is any direction, so that every entry is stated."

A_with, B_with = sp.MatrixSymbol("A_with", p, p), sp.MatrixSymbol("B_with", p, p)
A_reversed, B_reversed = sp.MatrixSymbol("A_reversed", p, p), sp.MatrixSymbol("B_reversed", p, p)
"""W^L ... W^l, W^l ... W^1, W^{l+1} ... W^L and W^1 ... W^{l-1}: products that a wrong index or order would take."""
stray_turned = sp.Symbol("stray_turned", nonnegative=True)
"""`stray` with R^l and R^{l+1} exchanged."""


def _wrong(name: str, observed: sp.Expr, product: Any) -> Control:
    """A control that gives minus the trace of the product."""
    return Control(name, sp.Eq(observed, -sp.Trace(product)))


E2 = Claim(
    id="S-E2",
    source="Jia et al., Eq. (2)",
    statement="dL/dW1 = W2^T (Cyx - W2 W1 Cxx), dL/dW2 = (Cyx - W2 W1 Cxx) W1^T",
    note=SIGN + PADDING,
    clauses=(
        Clause(
            name="first layer",
            text="the gradient by W1",
            printed=derive.PRINTED_E2[0],
            corrected=derive.TRUE_E2[0],
            experiment=chains.two_layers,
            derivation=derive.two_layer_gradients,
            controls=(
                Control("half of it", sp.Eq(slope_1, derive.TRUE_E2[0].rhs / 2)),
                _wrong("W2 for its transpose", slope_1, D1.T * W2 * (C_yx - W2 * W1 * C_xx)),
                _wrong("without Cxx", slope_1, D1.T * W2.T * (C_yx - W2 * W1)),
                _wrong("W1 W2 for W2 W1", slope_1, D1.T * W2.T * (C_yx - W1 * W2 * C_xx)),
                _wrong("without W2^T", slope_1, D1.T * (C_yx - W2 * W1 * C_xx)),
            ),
        ),
        Clause(
            name="second layer",
            text="the gradient by W2",
            printed=derive.PRINTED_E2[1],
            corrected=derive.TRUE_E2[1],
            experiment=chains.two_layers,
            derivation=derive.two_layer_gradients,
            controls=(
                Control("half of it", sp.Eq(slope_2, derive.TRUE_E2[1].rhs / 2)),
                _wrong("W1 for its transpose", slope_2, D2.T * (C_yx - W2 * W1 * C_xx) * W1),
                _wrong("W1^T on the left", slope_2, D2.T * W1.T * (C_yx - W2 * W1 * C_xx)),
                _wrong("without Cxx", slope_2, D2.T * (C_yx - W2 * W1) * W1.T),
            ),
        ),
    ),
)

_E4_ERROR = S_yx - S2 * S1

E4 = Claim(
    id="S-E4",
    source="Jia et al., Eqs. (3) and (4)",
    statement="in the aligned frame dL/dW1 = R S2^T (Syx - S2 S1) Vx^T, dL/dW2 = Uy (Syx - S2 S1) S1^T R^T",
    note=SIGN + "R need not be kept fixed: S-E8. " + PADDING,
    clauses=(
        Clause(
            name="first layer",
            text="the gradient by W1 = R S1 Vx^T",
            printed=derive.PRINTED_E4[0],
            corrected=derive.TRUE_E4[0],
            experiment=aligned.two_layers,
            derivation=derive.aligned_two_layer_gradients,
            hypotheses=(WHITENED, FRAMES),
            controls=(
                Control("half of it", sp.Eq(slope_1, derive.TRUE_E4[0].rhs / 2)),
                _wrong("R^T for R", slope_1, D1.T * R.T * S2.T * _E4_ERROR * V_x.T),
                _wrong("Vx for its transpose", slope_1, D1.T * R * S2.T * _E4_ERROR * V_x),
                _wrong("S1 for S2", slope_1, D1.T * R * S1.T * _E4_ERROR * V_x.T),
                _wrong("Uy for R", slope_1, D1.T * U_y * S2.T * _E4_ERROR * V_x.T),
            ),
        ),
        Clause(
            name="second layer",
            text="the gradient by W2 = Uy S2 R^T",
            printed=derive.PRINTED_E4[1],
            corrected=derive.TRUE_E4[1],
            experiment=aligned.two_layers,
            derivation=derive.aligned_two_layer_gradients,
            hypotheses=(WHITENED, FRAMES),
            controls=(
                Control("half of it", sp.Eq(slope_2, derive.TRUE_E4[1].rhs / 2)),
                _wrong("Uy^T for Uy", slope_2, D2.T * U_y.T * _E4_ERROR * S1.T * R.T),
                _wrong("R for its transpose", slope_2, D2.T * U_y * _E4_ERROR * S1.T * R),
                _wrong("S2 for S1", slope_2, D2.T * U_y * _E4_ERROR * S2.T * R.T),
            ),
        ),
    ),
)

_E7_ERROR = C_yx - A * W * B

E7 = Claim(
    id="S-E7",
    source="Jia et al., Eq. (7)",
    statement="dL/dWl = (W^L ... W^{l+1})^T (Cyx - W^L ... W^1) (W^{l-1} ... W^1)^T",
    note=SIGN + "A stands for W^L ... W^{l+1}, B for W^{l-1} ... W^1, W for W^l. " + PADDING,
    clauses=(
        Clause(
            text="the gradient by the weights of any layer",
            printed=derive.PRINTED_E7,
            corrected=derive.TRUE_E7,
            experiment=chains.deep,
            derivation=derive.layer_gradient,
            hypotheses=(WHITENED,),
            controls=(
                Control("half of it", sp.Eq(slope, derive.TRUE_E7.rhs / 2)),
                _wrong("the upper product from l on", slope, D.T * A_with.T * _E7_ERROR * B.T),
                _wrong("the lower product up to l", slope, D.T * A.T * _E7_ERROR * B_with.T),
                _wrong("the upper product in reverse", slope, D.T * A_reversed.T * _E7_ERROR * B.T),
                _wrong("the lower product in reverse", slope, D.T * A.T * _E7_ERROR * B_reversed.T),
                _wrong("the upper product not transposed", slope, D.T * A * _E7_ERROR * B.T),
                _wrong("the lower product not transposed", slope, D.T * A.T * _E7_ERROR * B),
                _wrong("the products exchanged", slope, D.T * B.T * _E7_ERROR * A.T),
            ),
        ),
    ),
)

_E8_ERROR = S_yx - S_above * S_l * S_below

E8 = Claim(
    id="S-E8",
    source="Jia et al., Eq. (8)",
    statement="dL/dWl = R^{l+1} (S^L ... S^{l+1})^T (Syx - S^L ... S^1) (S^{l-1} ... S^1)^T R^l^T; alignment is kept",
    note=SIGN
    + "That the R^l be kept fixed is no assumption: gradient descent from an aligned start does it by itself, "
    "if the inputs are whitened, and in general not if they are not. Footnote 1 (mixing under plain SGD) is therefore "
    "about starts that are not aligned, or about mini-batches, whose C^xx and C^yx differ from those of all samples.",
    clauses=(
        Clause(
            name="gradient",
            text="the gradient by the weights of any layer at an aligned point",
            printed=derive.PRINTED_E8,
            corrected=derive.TRUE_E8,
            experiment=aligned.deep,
            derivation=derive.aligned_gradient,
            hypotheses=(WHITENED, FRAMES),
            controls=(
                Control("half of it", sp.Eq(slope, derive.TRUE_E8.rhs / 2)),
                _wrong("R^l for R^{l+1}", slope, D.T * R_down * S_above.T * _E8_ERROR * S_below.T * R_down.T),
                _wrong("R^l not transposed", slope, D.T * R_up * S_above.T * _E8_ERROR * S_below.T * R_down),
                _wrong(
                    "the upper product from l on",
                    slope,
                    D.T * R_up * (S_above * S_l).T * _E8_ERROR * S_below.T * R_down.T,
                ),
                _wrong(
                    "the lower product up to l",
                    slope,
                    D.T * R_up * S_above.T * _E8_ERROR * (S_l * S_below).T * R_down.T,
                ),
                _wrong(
                    "S^l left out of the error",
                    slope,
                    D.T * R_up * S_above.T * (S_yx - S_above * S_below) * S_below.T * R_down.T,
                ),
            ),
        ),
        Clause(
            name="alignment is kept",
            text="whitened inputs: after any updates every R^{l+1}^T W^l R^l is still diagonal",
            printed=derive.KEPT,
            experiment=aligned.kept,
            derivation=derive.alignment_kept,
            hypotheses=(FRAMES, DIAGONAL),
            controls=(
                Control("without whitening too", sp.Eq(stray, 0)),
                Control("the frames of the wrong side", sp.Implies(sp.Eq(derive.skew, 0), sp.Eq(stray_turned, 0))),
            ),
        ),
    ),
)

CLAIMS = (E2, E4, E7, E8)
