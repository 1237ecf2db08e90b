"""Where descent can go and where it ends: spans, one sample, convexity, minimum norm (Schneider, 3.1 and 3.2)."""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.single_filter.theorem_1 import w_next
from theory.symbols import j, lam, n, over_all, p, steps, w, w_star

off_span = sp.Symbol("off_span", nonnegative=True)
"""|P_perp (w_end - w)|^2: how far the path has left w + span(samples)."""
moved = sp.Symbol("moved", nonnegative=True)
"""|w_end - w|^2."""
rank = sp.Symbol("rank", integer=True, positive=True)
"""The dimension of the span of the samples."""
unparallel = sp.Symbol("unparallel", nonnegative=True)
"""|u|^2 |v|^2 - (u.v)^2 for the updates u, v from two starts; zero exactly if they are parallel."""

sample_norm = sp.Symbol("sample_norm", positive=True)
"""|X|^2 of the one sample."""
y = sp.Symbol("y", real=True)
"""Its target w*.X."""
start = sp.Symbol("start", real=True)
"""w.X at the start."""
end = sp.Symbol("end", real=True)
"""w.X after `steps` updates."""
distance = sp.Symbol("distance", nonnegative=True)
"""|w - w*|^2 at the start."""
distance_end = sp.Symbol("distance_end", nonnegative=True)
"""|w_end - w*|^2 after `steps` updates."""

rate = sp.Symbol("rate", nonnegative=True)
"""max_j (1 - 2 lam h_j)^2 over the eigenvalues h_j of H = E[X X^T]."""
h_max = sp.Symbol("h_max", positive=True)
"""The largest eigenvalue of H."""
h_min = sp.Symbol("h_min", nonnegative=True)
"""The smallest eigenvalue of H: positive exactly if the samples span the space."""
reach = sp.Symbol("reach", real=True)
"""min over the samples of (w*.X)^2 / |X|^2, or 0 if some target is not positive."""
loss_mid, loss_w, loss_v = sp.symbols("loss_mid loss_w loss_v", nonnegative=True)
"""The loss half-way between w and v, and at both."""
both_active = sp.Symbol("both_active")
"""Every sample is active at w and at v."""

P = sp.IndexedBase("P", real=True)
"""The orthogonal projection onto the span of the samples."""
limit = sp.IndexedBase("limit", real=True)
"""Where descent ends (observed)."""
excess = sp.Symbol("excess", nonnegative=True)
"""|limit - P w*|^2: how far the limit is from the solution of minimum norm."""
outside = sp.Symbol("outside", nonnegative=True)
"""|(I - P) w|^2 at the start."""
start_active = sp.Symbol("start_active")
"""Every sample is active at the start."""

RHO = 1 - 2 * lam * sample_norm
ONE_CONDITION = sp.And(sp.Gt(start, 0), sp.Gt(y, 0), sp.Gt(y + RHO * (start - y), 0))
"""One sample: active at the start and after the first update, with a positive target."""
ONE_ERROR = sp.Eq(end - y, RHO**steps * (start - y))
ONE_LIMIT = sp.Eq(distance_end, distance - (start - y) ** 2 / sample_norm)
CONTRACTION = sp.Le(distance_end, rate**steps * distance)
MIDPOINT = sp.Le(loss_mid, (loss_w + loss_v) / 2)
LIMIT = sp.Eq(limit[j], w[j] + over_all(P[j, n] * (w_star[n] - w[n])))
STAYS_AT_ZERO = sp.Eq(w_next[j], 0)


@cache
def span() -> Derivation:
    """d l(w.x)/d w_j = l'(w.x) x_j for any l, so every update is a combination of samples."""
    x = sp.IndexedBase("x", real=True)
    loss, u = sp.Function("l"), sp.Symbol("u", real=True)
    activation = over_all(w[n] * x[n])
    inner = deltasummation(sp.diff(activation.function, w[j]), (n, 0, p - 1), no_piecewise=True)
    outer = sp.diff(loss(u), u)
    c, q = sp.symbols("c q", real=True)
    lines = (
        Step("d (w.x)/d w_j = x_j", equal(inner, x[j])),
        Step("chain rule", equal(outer * inner, outer * x[j])),
        Step("a vector q orthogonal to every sample meets no update: q.(c x) = c (q.x) = 0", equal(c * (q * 0), 0)),
    )
    return Derivation((sp.Eq(off_span, 0),), ("the loss depends on w through w.x only (no weight decay)",), lines)


@cache
def direction() -> Derivation:
    """If the samples span a line, every update is a multiple of one vector; on two directions it is not."""
    u, v, size = sp.symbols("u v s", real=True)
    lines = (
        *span().steps,
        Step(
            "updates u x and v x are parallel: |u x|^2 |v x|^2 - (u x.v x)^2",
            equal(u**2 * size * v**2 * size - (u * v * size) ** 2, 0),
        ),
    )
    return Derivation((sp.Implies(sp.Eq(rank, 1), sp.Eq(unparallel, 0)),), ("the samples span a line",), lines)


@cache
def one_sample() -> Derivation:
    """w.X - y is multiplied by 1 - 2 lam |X|^2 at each update while the sample is active.

    It stays so if it is active at the start and after one update: later values lie between these two and y.
    """
    r, t, rest = sp.symbols("r t u", positive=True)
    lines = (
        Step("w' = w + 2 lam (y - w.X) X", equal(start + 2 * lam * (y - start) * sample_norm - y, RHO * (start - y))),
        Step("after k and one more", equal(RHO * RHO**steps, RHO ** (steps + 1))),
        Step("0 <= rho < 1: w.X stays between the start and y (u = 1 - t)", greater((t + rest) * r - t * r, 0)),
        Step("-1 < rho < 0: even powers come closer to y from the first side", greater(r * (t + rest) - r * t, 0)),
    )
    return Derivation(
        (sp.Implies(ONE_CONDITION, ONE_ERROR),),
        ("lam |X|^2 < 1", "active at updates 0 and 1"),
        lines,
        needs=(sp.Lt(lam * sample_norm, 1),),
    )


@cache
def one_sample_limit() -> Derivation:
    """w_inf = w + (y - w.X) X/|X|^2 and |w_inf - w*|^2 = |w - w*|^2 - ((w - w*).X)^2/|X|^2: w* is met only if w - w*
    is parallel to X. Where y <= 0 that update switches the sample off, and w stays there."""
    c = (y - start) / sample_norm
    lines = (
        *one_sample().steps,
        Step("zero training error", equal(start + c * sample_norm, y)),
        Step(
            "expand |w - w* + c X|^2, (w - w*).X = w.X - y",
            equal(distance + 2 * c * (start - y) + c**2 * sample_norm, ONE_LIMIT.rhs),
        ),
        Step("with lam = 1/(2 |X|^2) one update does it", equal(RHO.subs(lam, 1 / (2 * sample_norm)), 0)),
    )
    return Derivation((sp.Implies(sp.Gt(start, 0), ONE_LIMIT),), ("active at the start",), lines)


@cache
def contraction() -> Derivation:
    """In the ball |w - w*|^2 < min (w*.X)^2/|X|^2 every sample is active, and an update multiplies the squared distance
    by at most max_j (1 - 2 lam h_j)^2 < 1; so the ball is never left and w tends to w*."""
    a, b, c, e = sp.symbols("a b c e", real=True)
    x, rest, target = sp.symbols("x x_rest t", positive=True)
    less = sp.Symbol("f", positive=True)
    lines = (
        Step(
            "Cauchy-Schwarz in the plane of w - w* and X",
            at_least((a**2 + b**2) * (c**2 + e**2) - (a * c + b * e) ** 2, 0),
            certificate=(a * e - b * c) ** 2,
        ),
        Step(
            "w.X >= w*.X - |w - w*||X|, positive in the ball (t = |w - w*||X|, f what is left of w*.X)",
            greater((target + less) - target, 0),
        ),
        Step("with x = lam h: 1 - (1 - 2 x)^2", equal(1 - (1 - 2 * x) ** 2, 4 * x * (1 - x))),
        Step("positive for 0 < lam h < 1 (x_rest = 1 - x): every mode shrinks", greater(4 * x * rest, 0)),
        Step("rate^k once more", equal(rate * rate**steps, rate ** (steps + 1))),
    )
    result = sp.Implies(sp.Lt(distance, reach), CONTRACTION)
    return Derivation((result,), ("w*.X > 0 on every sample", "lam h_max < 1", "start in the ball"), lines)


@cache
def midpoint_convexity() -> Derivation:
    """Where every sample is active the loss is a convex quadratic; across the boundary of a half-space it is not.

    The filters that activate every sample form a convex cone, so the whole segment is all active if its ends are.
    """
    r, q = sp.symbols("r q", real=True)
    pos, pos_2 = sp.symbols("s t", positive=True)
    lines = (
        Step("half of two positive pre-activations is positive", greater((pos + pos_2) / 2, 0)),
        Step(
            "residuals r and q: (r^2 + q^2)/2 - ((r + q)/2)^2",
            at_least((r**2 + q**2) / 2 - ((r + q) / 2) ** 2, 0),
            certificate=((r - q) / 2) ** 2,
        ),
    )
    return Derivation((sp.Implies(both_active, MIDPOINT),), ("every sample is active at both ends",), lines)


@cache
def projected_limit() -> Derivation:
    """Descent ends at w + P(w* - w): it solves w.X = y on every sample and keeps what the samples do not see of w."""
    seen, target = sp.symbols("a a_star", real=True)
    lines = (
        *span().steps,
        Step(
            "along an eigenvector with h > 0 the error tends to 0, so the component becomes that of w*",
            equal(seen + (target - seen), target),
        ),
        Step("across the span h = 0, and the component stays", equal((1 - 2 * lam * 0) ** steps, 1)),
    )
    return Derivation((sp.Implies(start_active, LIMIT),), ("every sample stays active", "lam h_max < 1"), lines)


@cache
def minimum_norm() -> Derivation:
    """limit - P w* = (I - P) w: the limit is the minimum-norm solution exactly if w starts in the span."""
    inside, across, target = sp.symbols("a b a_star", real=True)
    lines = (
        *projected_limit().steps,
        Step("within the span the limit is P w*", equal(inside + (target - inside) - target, 0)),
        Step("across it, (I - P) w; Pythagoras gives the norm", equal((target**2 + across**2) - target**2, across**2)),
    )
    return Derivation((sp.Implies(start_active, sp.Eq(excess, outside)),), projected_limit().used, lines)


@cache
def zero_start() -> Derivation:
    """From w = 0 a ReLU filter never moves: w.X = 0 on every sample is a tie, and ties are inactive (Eq. 2)."""
    x = sp.IndexedBase("x", real=True)
    lines = (
        Step("w = 0 gives w.X = 0 for every sample", equal(over_all(0 * x[n]).doit(), 0)),
        Step("Eq. (2) is 0 for every sample, so Eq. (1) adds nothing", equal((w[j] - lam * 0).subs(w[j], 0), 0)),
    )
    return Derivation((STAYS_AT_ZERO,), ("the ReLU gradient at 0 is taken as 0, as Eq. (2) has it",), lines)
