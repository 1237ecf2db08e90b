"""Near misses of where descent can go and where it ends: C-SPAN, C-ONE, C-CONV, X-MINN."""

from __future__ import annotations

from sympy import And, Eq, Gt, Le, Lt

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter import convergence as derive
from theory.derive.single_filter.convergence import (
    P,
    distance,
    distance_end,
    end,
    excess,
    h_max,
    h_min,
    limit,
    loss_mid,
    loss_v,
    loss_w,
    moved,
    off_span,
    outside,
    rank,
    rate,
    reach,
    sample_norm,
    start,
    y,
)
from theory.derive.single_filter.theorem_1 import w_next
from theory.symbols import d, j, lam, n, over_all, p, steps, w, w0_star, w_star

_RHO = 1 - 2 * lam * sample_norm

FALSEHOODS = (
    Falsehood("C-SPAN", "span", "bound", Eq(moved, off_span), "all of the path leaves the span"),
    Falsehood("C-SPAN", "span", "strictness", off_span < moved, "a path that does not move: 0 < 0"),
    Falsehood("C-SPAN", "direction", "hypothesis", rank <= 2, "two samples weigh differently", as_="condition"),
    Falsehood("C-SPAN", "direction", "quantity", rank < p, "fewer samples than weights", as_="condition"),
    Falsehood("C-SPAN", "direction", "quantity", Eq(off_span, 0), "that is always so", as_="condition"),
    Falsehood("C-ONE", "straight line", "strictness", Lt(off_span, moved), "a dead start does not move"),
    Falsehood("C-ONE", "straight line", "quantity", moved > 0, "a dead start does not move"),
    Falsehood(
        "C-ONE",
        "zero training error",
        "hypothesis",
        And(start > 0, y > 0),
        "2 lam |X|^2 near 2: the first step switches the sample off",
        as_="condition",
    ),
    Falsehood(
        "C-ONE",
        "zero training error",
        "strictness",
        And(start > 0, y > 0, y + (start - y) * _RHO >= 0),
        "w.X = 0 after the first update: dead, error -y",
        as_="condition",
    ),
    Falsehood(
        "C-ONE",
        "zero training error",
        "strictness",
        And(start >= 0, y > 0, y + (start - y) * _RHO > 0),
        "w.X = 0: dead",
        as_="condition",
    ),
    Falsehood(
        "C-ONE",
        "zero training error",
        "term",
        And(start > 0, y + (start - y) * _RHO > 0),
        "y <= 0 is approached from above, then w.X <= 0",
        as_="condition",
    ),
    Falsehood(
        "C-ONE",
        "zero training error",
        "hypothesis",
        derive.ONE_ERROR,
        "without lam |X|^2 < 1 the second step may overshoot below 0",
        as_="correction",
        without=(0,),
    ),
    Falsehood("C-ONE", "zero training error", "exponent", Eq(end - y, _RHO ** (2 * steps) * (start - y)), "2k for k"),
    Falsehood("C-ONE", "far from w*", "strictness", And(start >= 0, y > 0), "w.X = 0 does not move", as_="condition"),
    Falsehood(
        "C-ONE",
        "far from w*",
        "sign",
        Eq(distance_end, distance + (start - y) ** 2 / sample_norm),
        "the distance falls, it does not grow",
    ),
    Falsehood(
        "C-ONE",
        "far from w*",
        "exponent",
        Eq(distance_end, distance - (start - y) ** 2 / sample_norm**2),
        "|X|^4 for |X|^2: right for unit samples",
    ),
    Falsehood("C-ONE", "far from w*", "strictness", distance_end < distance, "w with w.X = y is there already"),
    # C-CONV
    Falsehood("C-CONV", "convergence", "strictness", distance <= reach, "w.X = 0 on the ball's edge", as_="condition"),
    Falsehood("C-CONV", "convergence", "factor", distance < 4 * reach, "twice the radius", as_="condition"),
    Falsehood("C-CONV", "convergence", "hypothesis", Gt(h_min, 0), "a dead start", as_="condition"),
    Falsehood(
        "C-CONV", "convergence", "exponent", distance_end <= rate ** (2 * steps) * distance, "rate is a square already"
    ),
    Falsehood(
        "C-CONV", "convergence", "strictness", distance_end < rate**steps * distance, "k = 0, and where all h are equal"
    ),
    Falsehood(
        "C-CONV",
        "convergence",
        "bound",
        Le(distance_end, (1 - 2 * lam * h_max) ** (2 * steps) * distance),
        "h_max for the worst of the spectrum",
    ),
    Falsehood(
        "C-CONV",
        "convergence",
        "bound",
        Le(distance_end, (1 - 2 * lam * h_min) ** (2 * steps) * distance),
        "h_min alone: false where 2 lam h_max > 1 overshoots by more",
    ),
    Falsehood("C-CONV", "convexity", "strictness", loss_mid < (loss_w + loss_v) / 2, "w = v"),
    Falsehood("C-CONV", "convexity", "bound", 2 * loss_mid <= (loss_w + loss_v) / 2, "w = v = 0"),
    # X-MINN
    Falsehood(
        "X-MINN",
        "limit",
        "sign",
        Eq(limit[j], w[j] - over_all(P[j, n] * (w_star[n] - w[n]))),
        "away from w*",
    ),
    Falsehood(
        "X-MINN",
        "limit",
        "term",
        Eq(limit[j], w[j] + over_all(P[j, n] * w_star[n])),
        "right for starts across the span only",
    ),
    Falsehood(
        "X-MINN",
        "limit",
        "term",
        Eq(limit[j], w_star[j] + over_all(P[j, n] * (w_star[n] - w[n]))),
        "w* for w: right for w = w*",
    ),
    Falsehood(
        "X-MINN",
        "limit",
        "quantity",
        Eq(limit[j], w[j] + P[j, j] * (w_star[j] - w[j])),
        "the diagonal of P: right for samples along the axes",
    ),
    Falsehood("X-MINN", "minimum norm", "strictness", excess < outside, "equal"),
    Falsehood("X-MINN", "minimum norm", "exponent", Eq(excess, outside**2), "right for 0 and 1"),
    Falsehood(
        "X-MINN", "minimum norm", "hypothesis", Eq(outside, 0), "w = 0 is in the span, and dead", as_="condition"
    ),
    Falsehood(
        "X-MINN", "zero start", "factor", Eq(w_next[0], w[0] + lam * (1 + d[0] ** 2) * w0_star), "slope 1/2 at 0"
    ),
    Falsehood("X-MINN", "zero start", "hypothesis", Eq(w_next[0], 2 * lam * w0_star), "slope 1 at 0, d0 = 0"),
    Falsehood("C-CONV", "convexity", "hypothesis", loss_w <= loss_v, "w dead, v halfway from it", as_="condition"),
)
