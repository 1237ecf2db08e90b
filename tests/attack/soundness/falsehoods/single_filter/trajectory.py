"""Near misses of closed-form trajectories and of descent on any samples: X-TRAJ, X-ANY."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, log

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter.theorem_1 import w_next
from theory.derive.single_filter.trajectory import Q, count, h, h_min, mode, mode_end, rotated_next, tol, w_end, worst
from theory.symbols import H, d, gap, i, j, lam, n, over_all, p, steps, w, w0_star, w_star

_H0 = 1 + d[0] ** 2
_GAP_NEXT = Abs(w0_star - w_next[0])
_STEPS = log(tol / Abs(w[i])) / log(Abs(1 - 2 * lam * d[i] ** 2))
_BEST = (_H0 - h_min) / (_H0 + h_min)

FALSEHOODS = (
    Falsehood(
        "X-TRAJ",
        "trajectory",
        "exponent",
        Eq(w_end[i], (1 - 2 * lam * d[i] ** 2) ** (2 * steps) * w[i]),
        "rho^2k, as in the loss: right for k = 0",
    ),
    Falsehood(
        "X-TRAJ",
        "trajectory",
        "term",
        Eq(w_end[0], (1 - 2 * lam * _H0) ** steps * w[0]),
        "w0 for w0 - w0*: w0 tends to w0*, not to 0",
    ),
    Falsehood(
        "X-TRAJ",
        "trajectory",
        "limit",
        Eq(w_end[i], (1 - 2 * steps * lam * d[i] ** 2) * w[i]),
        "linear in k: right for k = 0, 1 and d_i = 0",
    ),
    Falsehood(
        "X-TRAJ",
        "trajectory",
        "quantity",
        Eq(w_end[i], Abs(1 - 2 * lam * d[i] ** 2) ** steps * w[i]),
        "|rho|: right unless 2 lam d_i^2 > 1 and k is odd",
    ),
    Falsehood(
        "X-TRAJ",
        "trajectory",
        "index",
        Eq(w_end[i], (1 - 2 * lam * _H0) ** steps * w[i]),
        "coordinate 0's rate for all",
    ),
    Falsehood(
        "X-TRAJ",
        "step count",
        "strictness",
        And(count[i] > _STEPS + 1, count[i] - 2 < _STEPS),
        "one update too many: never right",
    ),
    Falsehood(
        "X-TRAJ",
        "step count",
        "quantity",
        And(count[i] >= _STEPS / 2, count[i] - 1 < _STEPS / 2),
        "log of the squared error over log |rho|, upside down",
    ),
    Falsehood("X-TRAJ", "step count", "bound", count[i] <= _STEPS, "floor for ceil: right where the quotient is whole"),
    Falsehood(
        "X-TRAJ",
        "largest stable rate",
        "strictness",
        Equivalent(lam * _H0 <= 1, Abs(gap) > _GAP_NEXT),
        "at lam (1 + d0^2) = 1 the gap only turns round",
    ),
    Falsehood(
        "X-TRAJ",
        "largest stable rate",
        "strictness",
        Equivalent(lam * _H0 < 1, Abs(gap) >= _GAP_NEXT),
        "at lam (1 + d0^2) = 1 it does not grow",
    ),
    Falsehood(
        "X-TRAJ",
        "largest stable rate",
        "hypothesis",
        Equivalent(lam * _H0 < 1, Abs(gap) > _GAP_NEXT),
        "w0 = w0*: no gap to shrink",
        without=(1,),
    ),
    Falsehood(
        "X-TRAJ",
        "largest stable rate",
        "exponent",
        Equivalent(lam * (1 + d[0]) < 1, Abs(gap) > _GAP_NEXT),
        "d0 for d0^2: false between",
    ),
    Falsehood("X-TRAJ", "best rate", "strictness", worst > _BEST, "it is reached, at lam = 1/(1 + d0^2 + min d_i^2)"),
    Falsehood(
        "X-TRAJ",
        "best rate",
        "factor",
        Implies(Eq(lam * (_H0 + h_min), 2), Eq(worst, _BEST)),
        "2/(h_0 + h_min): the rate of a loss with the factor 1/2",
    ),
    Falsehood(
        "X-TRAJ",
        "best rate",
        "quantity",
        Implies(Eq(lam * _H0, 1), Eq(worst, _BEST)),
        "1/h_max for 1/(h_max + h_min): right for h_min = 0",
    ),
    # X-ANY
    Falsehood(
        "X-ANY", "update", "sign", Eq(w_next[j], w[j] - 2 * lam * over_all(H[j, n] * (w_star[n] - w[n]))), "sign"
    ),
    Falsehood(
        "X-ANY", "update", "index", Eq(w_next[j], w[j] + 2 * lam * over_all(H[n, n] * (w_star[n] - w[n]))), "H_nn"
    ),
    Falsehood(
        "X-ANY",
        "update",
        "term",
        Eq(w_next[j], w[j] + 2 * lam * over_all(H[j, n] * w_star[n])),
        "right for w = 0 only (where every sample is off)",
    ),
    Falsehood(
        "X-ANY",
        "update",
        "quantity",
        Eq(w_next[j], w[j] + 2 * lam * p * over_all(H[j, n] * (w_star[n] - w[n]))),
        "times p: right for p = 1",
    ),
    Falsehood(
        "X-ANY",
        "trajectory",
        "exponent",
        Eq(mode_end[j], (1 - 2 * lam * h[j] ** 2) ** steps * mode[j]),
        "h^2, as if h were a singular value: right for h in {0, 1}",
    ),
    Falsehood("X-ANY", "trajectory", "index", Eq(mode_end[j], (1 - 2 * lam * h[0]) ** steps * mode[j]), "h_0 for all"),
    Falsehood(
        "X-ANY",
        "trajectory",
        "quantity",
        Eq(mode_end[j], Abs(1 - 2 * lam * h[j]) ** steps * mode[j]),
        "|rho|: right unless 2 lam h_j > 1 and k is odd",
    ),
    Falsehood("X-ANY", "rotation", "transpose", Eq(rotated_next[j], over_all(Q[n, j] * w_next[n])), "Q^T for Q"),
    Falsehood("X-ANY", "rotation", "sign", Eq(rotated_next[j], -over_all(Q[j, n] * w_next[n])), "-Q"),
    Falsehood(
        "X-ANY",
        "fewer samples",
        "index",
        Eq(w_next[i], w[i] * (1 - 2 * lam * d[i] ** 2 * p)),
        "|S| = p left in the sum",
    ),
)
