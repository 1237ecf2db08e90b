"""Where descent can go and where it ends (Schneider, Sections 3.1 and 3.2)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter import limits as ends
from theory.claims.observe.single_filter import spans as paths
from theory.derive.single_filter import convergence as derive
from theory.derive.single_filter.convergence import (
    both_active,
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
    start_active,
    unparallel,
    y,
)
from theory.derive.single_filter.theorem_1 import w_next
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import d, j, lam, n, over_all, steps, w, w0_star, w_star

_STABLE_ONE = Hypothesis("the learning rate is adequate, lam |X|^2 < 1", sp.Lt(lam * sample_norm, 1))
_STABLE = Hypothesis("the learning rate is adequate, lam h_max < 1", sp.Lt(lam * h_max, 1))
_decayed = sp.Symbol("off_span_decayed", nonnegative=True)
_P = derive.P

SPAN = Claim(
    id="C-SPAN",
    source="Schneider, Section 3.1",
    statement="descent on any loss of w.x explores only w0 + span(samples); the inputs alone give the direction",
    note="The samples confine the path, but which way it goes within their span depends on the residuals, so on w.",
    clauses=(
        Clause(
            name="span",
            text="the path stays in w + span(samples), whatever the loss of w.x",
            printed=sp.Eq(off_span, 0),
            experiment=paths.paths,
            derivation=derive.span,
            controls=(
                Control("the same with weight decay", sp.Eq(_decayed, 0)),
                Control("orthogonal to the samples", sp.Eq(off_span, moved)),
            ),
        ),
        Clause(
            name="direction",
            text="updates from two starts are parallel: the weights do not impact the direction",
            printed=sp.Eq(unparallel, 0),
            condition=sp.Eq(rank, 1),
            experiment=paths.paths,
            derivation=derive.direction,
            controls=(
                Control("orthogonal to the samples", sp.Eq(off_span, moved)),
                Control("the same with weight decay", sp.Eq(_decayed, 0)),
            ),
        ),
    ),
)

ONE = Claim(
    id="C-ONE",
    source="Schneider, Section 3.1, Fig. 2",
    statement="one sample: w moves on a straight line to a w_inf with zero training error that can be far from w*",
    note="The ReLU is overlooked: a start with w.X <= 0 never moves; too long a first step switches the sample off.",
    clauses=(
        Clause(
            name="straight line",
            text="w moves along X only",
            printed=sp.Eq(off_span, 0),
            experiment=paths.one_sample,
            derivation=derive.span,
            hypotheses=(_STABLE_ONE,),
            controls=(Control("across X only", sp.Eq(off_span, moved)),),
        ),
        Clause(
            name="zero training error",
            text="w.X - y is multiplied by 1 - 2 lam |X|^2 at each update, so it tends to 0",
            printed=derive.ONE_ERROR,
            condition=derive.ONE_CONDITION,
            experiment=paths.one_sample,
            derivation=derive.one_sample,
            hypotheses=(_STABLE_ONE,),
            controls=(
                Control("one update more", sp.Eq(end - y, derive.RHO ** (steps + 1) * (start - y))),
                Control("lam for 2 lam", sp.Eq(end - y, (1 - lam * sample_norm) ** steps * (start - y))),
            ),
        ),
        Clause(
            name="far from w*",
            text="|w_inf - w*|^2 = |w - w*|^2 - ((w - w*).X)^2 / |X|^2 (with lam = 1/(2 |X|^2), w_inf is met at once)",
            printed=derive.ONE_LIMIT,
            condition=sp.Gt(start, 0),
            experiment=paths.one_sample,
            derivation=derive.one_sample_limit,
            hypotheses=(Hypothesis("lam = 1/(2 |X|^2)", sp.Eq(2 * lam * sample_norm, 1)),),
            controls=(
                Control("w_inf = w*", sp.Eq(distance_end, 0)),
                Control("not divided by |X|^2", sp.Eq(distance_end, distance - (start - y) ** 2)),
                Control("no nearer than the start", sp.Ge(distance_end, distance + sp.Rational(1, 100))),
            ),
        ),
    ),
)

CONV = Claim(
    id="C-CONV",
    source="Schneider, Section 3.2",
    statement="if the samples span the space, convergence to w* is ensured for adequate learning rates by convexity",
    note="The loss of a ReLU filter is not convex, and a dead start never moves, at any learning rate. Starts in the "
    "ball |w - w*| < min w*.X/|X| do converge, geometrically; X-ACT has larger regions for the grid.",
    clauses=(
        Clause(
            name="convergence",
            text="|w_k - w*|^2 <= rate^k |w - w*|^2 with rate = max (1 - 2 lam h)^2 < 1 over the spectrum of E[X X^T]",
            printed=derive.CONTRACTION,
            condition=sp.Lt(distance, reach),
            experiment=ends.contractions,
            derivation=derive.contraction,
            hypotheses=(Hypothesis("the samples span the space", sp.Gt(h_min, 0)), _STABLE),
            controls=(
                Control("two powers more, an eighth", sp.Le(distance_end, rate ** (steps + 2) * distance / 8)),
                Control("at once", sp.Eq(distance_end, 0)),
            ),
        ),
        Clause(
            name="convexity",
            text="the loss half-way between two filters is at most the mean of the losses at both",
            printed=derive.MIDPOINT,
            condition=both_active,
            experiment=ends.segments,
            derivation=derive.midpoint_convexity,
            controls=(
                Control("concave", sp.Ge(loss_mid, (loss_w + loss_v) / 2)),
                Control("a fifth of the sum", sp.Le(loss_mid, (loss_w + loss_v) / 5)),
            ),
        ),
    ),
)

MINN = Claim(
    id="X-MINN",
    source="this project; Section 3.1 of Schneider made exact",
    statement="the limit with fewer samples than weights, linear and ReLU; when it is the minimum-norm solution",
    note="The linear limit is of minimum norm exactly for starts in the span of the samples, such as w = 0. A ReLU "
    "filter never moves from w = 0: it needs a start in the span that activates every sample.",
    clauses=(
        Clause(
            name="limit",
            text="descent ends at w + P(w* - w), P the projection onto the span of the samples",
            printed=derive.LIMIT,
            condition=start_active,
            experiment=ends.limits,
            derivation=derive.projected_limit,
            hypotheses=(
                Hypothesis("y > 0; orthogonal samples and 2 lam h_max <= 1, or a start in the ball of C-CONV"),
            ),
            controls=(
                Control("w*", sp.Eq(limit[j], w_star[j])),
                Control("the minimum-norm solution", sp.Eq(limit[j], over_all(_P[j, n] * w_star[n]))),
            ),
        ),
        Clause(
            name="minimum norm",
            text="the distance of the limit to the minimum-norm solution is that of the start to the span",
            printed=sp.Eq(excess, outside),
            condition=start_active,
            experiment=ends.limits,
            derivation=derive.minimum_norm,
            hypotheses=(
                Hypothesis("y > 0; orthogonal samples and 2 lam h_max <= 1, or a start in the ball of C-CONV"),
            ),
            controls=(
                Control("always of minimum norm", sp.Eq(excess, 0)),
                Control("half of it", sp.Eq(excess, outside / 2)),
            ),
        ),
        Clause(
            name="zero start",
            text="a ReLU filter that starts at w = 0 stays there",
            printed=derive.STAYS_AT_ZERO,
            experiment=ends.zero_starts,
            derivation=derive.zero_start,
            hypotheses=(Hypothesis("w = 0"),),
            controls=(Control("Theorem 1", sp.Eq(w_next[0], w[0] + 2 * lam * (1 + d[0] ** 2) * (w0_star - w[0]))),),
        ),
    ),
)

CLAIMS = (SPAN, ONE, CONV, MINN)
