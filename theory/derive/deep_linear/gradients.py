"""Gradients of a deep linear network, Eqs. (2), (4), (7), (8), and what they keep aligned (Jia et al., Section 4.1).

The gradient by W^l is stated through its slope along any direction D, d/dt L(W^l + t D) = tr(D^T dL/dW^l). Matrices are
p x p, p the largest width: narrower ones stand in a corner, zero elsewhere (orthogonal ones: identity elsewhere), which
changes neither products nor traces. The steps repeat the calculus with rectangular matrices. For L layers, A = W^L ...
W^{l+1} is the product above layer l, B = W^{l-1} ... W^1 the product below, W = W^l itself, so that the map is A W B.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, equal
from theory.symbols import p
from theory.traces import OrthogonalSymbol, collected

K = sp.Symbol("K", integer=True, positive=True)
"""The number of samples."""
slope_1, slope_2, slope = sp.symbols("slope_1 slope_2 slope", real=True)
"""d/dt of the loss along D1 from W^1, along D2 from W^2, and along D from W^l."""
skew = sp.Symbol("skew", nonnegative=True)
"""The largest |entry| of C^xx - I."""
stray = sp.Symbol("stray", nonnegative=True)
"""The largest |entry| off the diagonal of any R^{l+1}^T W^l R^l, after some updates from an aligned start."""


def _square(name: str) -> sp.MatrixSymbol:
    return sp.MatrixSymbol(name, p, p)


W1, W2, D1, D2, C_yx, C_xx = (_square(name) for name in ("W1", "W2", "D1", "D2", "C_yx", "C_xx"))
A, W, B, D = (_square(name) for name in ("A", "W", "B", "D"))
S1, S2, S_yx = (_square(name) for name in ("S1", "S2", "S_yx"))
S_above, S_l, S_below = (_square(name) for name in ("S_above", "S_l", "S_below"))
U_y, V_x, R = (OrthogonalSymbol(name, p, p) for name in ("U_y", "V_x", "R"))
R_up, R_down = (OrthogonalSymbol(name, p, p) for name in ("R_up", "R_down"))
"""R^{l+1} and R^l."""

ERROR = C_yx - W2 * W1 * C_xx
PRINTED_E2 = (
    sp.Eq(slope_1, sp.Trace(D1.T * W2.T * ERROR)),
    sp.Eq(slope_2, sp.Trace(D2.T * ERROR * W1.T)),
)
TRUE_E2 = tuple(sp.Eq(line.lhs, -line.rhs) for line in PRINTED_E2)
PRINTED_E4 = (
    sp.Eq(slope_1, sp.Trace(D1.T * R * S2.T * (S_yx - S2 * S1) * V_x.T)),
    sp.Eq(slope_2, sp.Trace(D2.T * U_y * (S_yx - S2 * S1) * S1.T * R.T)),
)
TRUE_E4 = tuple(sp.Eq(line.lhs, -line.rhs) for line in PRINTED_E4)
PRINTED_E7 = sp.Eq(slope, sp.Trace(D.T * A.T * (C_yx - A * W * B) * B.T))
TRUE_E7 = sp.Eq(slope, -PRINTED_E7.rhs)
PRINTED_E8 = sp.Eq(slope, sp.Trace(D.T * R_up * S_above.T * (S_yx - S_above * S_l * S_below) * S_below.T * R_down.T))
TRUE_E8 = sp.Eq(slope, -PRINTED_E8.rhs)
KEPT = sp.Implies(sp.Eq(skew, 0), sp.Eq(stray, 0))
"""Alignment is kept by gradient descent on whitened inputs."""

WHITE = "C^xx = I (whitened inputs)"
ALIGNED = "W^l = R^{l+1} S^l R^l^T with R^1 = V^x, R^{L+1} = U^y of the SVD of C^yx"

WHITENED = sp.Eq(C_xx, sp.Identity(p), evaluate=False)

_t = sp.Symbol("t", real=True)


def loss_on_samples(linear_map: sp.MatrixExpr, X: sp.MatrixSymbol, Y: sp.MatrixSymbol) -> sp.Expr:
    """1/(2K) sum_i |y_i - P x_i|^2 as a trace; samples are the columns of X and Y."""
    error = Y - linear_map * X
    return sp.Trace(error.T * error) / (2 * K)


def moment_loss(linear_map: sp.MatrixExpr) -> sp.Expr:
    """The same in C^yx and C^xx, but for tr(C^yy)/2, which no weight changes."""
    return sp.Trace(linear_map * C_xx * linear_map.T) / 2 - sp.Trace(linear_map.T * C_yx)


def slope_at_0(loss: sp.Expr) -> sp.Expr:
    """d/dt at t = 0 of an expression linear in traces, with matrices polynomial in t."""
    expanded = collected(loss)
    names = {trace: sp.Dummy() for trace in expanded.atoms(sp.Trace)}
    back = {name: trace for trace, name in names.items()}
    return sp.diff(expanded.xreplace(names), _t).subs(_t, 0).xreplace(back)


def _rectangular_steps() -> tuple[Step, ...]:
    """Eq. (7) with C^xx, for matrices of any shapes that chain; Eq. (2) is the case A = W^2 or I, B = I or W^1."""
    n_y, n_up, n_down, n_x = sp.symbols("N_y N_l N_l1 N_x", integer=True, positive=True)
    above, layer, below = (
        sp.MatrixSymbol(name, *shape)
        for name, shape in (("A", (n_y, n_up)), ("W", (n_up, n_down)), ("B", (n_down, n_x)))
    )
    toward = sp.MatrixSymbol("D", n_up, n_down)
    X, Y = sp.MatrixSymbol("X", n_x, K), sp.MatrixSymbol("Y", n_y, K)
    loss = loss_on_samples(above * (layer + _t * toward) * below, X, Y)
    cross, moment = Y * X.T / K, X * X.T / K
    gradient = -above.T * (cross - above * layer * below * moment) * below.T
    return (
        Step("differentiate 1/(2K) |Y - A (W + t D) B X|^2", equal(slope_at_0(loss), sp.Trace(toward.T * gradient))),
    )


@cache
def two_layer_gradients() -> Derivation:
    """dL/dW^1 = -W^2^T (C^yx - W^2 W^1 C^xx), dL/dW^2 = -(C^yx - W^2 W^1 C^xx) W^1^T (Eq. 2 with its sign)."""
    X, Y = sp.MatrixSymbol("X", p, K), sp.MatrixSymbol("Y", p, K)
    definitions = (
        sp.Eq(slope_1, slope_at_0(loss_on_samples(W2 * (W1 + _t * D1), X, Y))),
        sp.Eq(slope_2, slope_at_0(loss_on_samples((W2 + _t * D2) * W1, X, Y))),
        sp.Eq(C_yx, Y * X.T / K),
        sp.Eq(C_xx, X * X.T / K),
    )
    return Derivation(TRUE_E2, (), _rectangular_steps(), definitions)


@cache
def layer_gradient() -> Derivation:
    """dL/dW^l = -A^T (C^yx - A W B) B^T (Eq. 7 with its sign)."""
    steps = (*_rectangular_steps(), _moment_step())
    definitions = (sp.Eq(slope, slope_at_0(moment_loss(A * (W + _t * D) * B))), WHITENED)
    return Derivation((TRUE_E7,), (WHITE,), steps, definitions)


def _moment_step() -> Step:
    linear_map, X, Y = _square("P"), sp.MatrixSymbol("X", p, K), sp.MatrixSymbol("Y", p, K)
    constant = sp.Trace(Y * Y.T) / (2 * K)
    moments = moment_loss(linear_map).xreplace({C_yx: Y * X.T / K, C_xx: X * X.T / K})
    return Step(
        "the loss on samples is tr(P C^xx P^T)/2 - tr(P^T C^yx) + tr(C^yy)/2",
        equal(loss_on_samples(linear_map, X, Y), moments + constant),
    )


@cache
def aligned_two_layer_gradients() -> Derivation:
    """The gradients of Eq. (2) at W^1 = R S^1 V^x^T, W^2 = U^y S^2 R^T (Eq. 4 with its sign)."""
    definitions = (
        sp.Eq(slope_1, slope_at_0(moment_loss(W2 * (W1 + _t * D1)))),
        sp.Eq(slope_2, slope_at_0(moment_loss((W2 + _t * D2) * W1))),
        sp.Eq(W1, R * S1 * V_x.T),
        sp.Eq(W2, U_y * S2 * R.T),
        sp.Eq(C_yx, U_y * S_yx * V_x.T),
        WHITENED,
    )
    return Derivation(TRUE_E4, (WHITE, ALIGNED), (*_rectangular_steps(), _moment_step()), definitions)


@cache
def aligned_gradient() -> Derivation:
    """Eq. (7) at an aligned point (Eq. 8 with its sign)."""
    definitions = (
        sp.Eq(slope, slope_at_0(moment_loss(A * (W + _t * D) * B))),
        sp.Eq(A, U_y * S_above * R_up.T),
        sp.Eq(W, R_up * S_l * R_down.T),
        sp.Eq(B, R_down * S_below * V_x.T),
        sp.Eq(C_yx, U_y * S_yx * V_x.T),
        WHITENED,
    )
    return Derivation((TRUE_E8,), (WHITE, ALIGNED), (*layer_gradient().steps, _chain_step()), definitions)


def _chain_step() -> Step:
    test, middle = _square("T"), OrthogonalSymbol("R_k", p, p)
    return Step(
        "products of neighbours stay aligned: (U S' R_k^T)(R_k S R_l^T) = U S' S R_l^T, tested by any T",
        equal(
            sp.Trace(test * U_y * S_above * middle.T * middle * S_l * R_down.T),
            sp.Trace(test * U_y * S_above * S_l * R_down.T),
        ),
    )


@cache
def alignment_kept() -> Derivation:
    """From an aligned start, gradient descent (and so the flow) only changes the diagonals: R is fixed by itself."""
    test, rate = _square("T"), sp.Symbol("eta", positive=True)
    row, column, n = sp.symbols("a b n", integer=True, nonnegative=True)
    first, second = sp.IndexedBase("alpha", real=True), sp.IndexedBase("beta", real=True)
    inner = -S_above.T * (S_yx - S_above * S_l * S_below) * S_below.T
    gradient = R_up * inner * R_down.T
    product = sp.KroneckerDelta(row, n) * first[n] * sp.KroneckerDelta(n, column) * second[n]
    steps = (
        *aligned_gradient().steps,
        Step(
            "the gradient in the frame, R^{l+1}^T G R^l, is a product of the diagonal matrices of Eq. (8)",
            equal(sp.Trace(test * R_up.T * gradient * R_down), sp.Trace(test * inner)),
        ),
        Step(
            "a product of diagonal matrices is diagonal",
            equal(
                deltasummation(product, (n, 0, p - 1), no_piecewise=True),
                sp.KroneckerDelta(row, column) * first[row] * second[row],
            ),
        ),
        Step(
            "an update moves S^l only: R^{l+1}^T (W - eta G) R^l = S^l - eta R^{l+1}^T G R^l",
            equal(
                sp.Trace(test * R_up.T * (R_up * S_l * R_down.T - rate * gradient) * R_down),
                sp.Trace(test * (S_l - rate * inner)),
            ),
        ),
    )
    return Derivation((KEPT,), (WHITE, ALIGNED, "every S^l is diagonal"), steps)
