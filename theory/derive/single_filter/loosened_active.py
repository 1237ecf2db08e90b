"""Assumption 4 of Theorem 1 loosened: some samples are inactive (Schneider, Section 3.2, Eq. 10).

w' - w = 2 lam phi E_A[r X], phi = |S_A|/|S|, r = (w* - w).X, E_A the mean over the active samples. That the update is
proportional to phi takes that E_A[r X] be much the same whichever samples are active. Around w* = e0, within a radius
delta, it is e_0 e0 (e = w* - w) to within (2 delta + delta^2)|e|: what is needed is an error e that is not nearly
orthogonal to the samples, and not that w be far from them.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, at_most, equal, greater
from theory.derive.single_filter.loosened import cauchy_schwarz, n, total, w_star
from theory.derive.single_filter.loosened_targets import slope
from theory.derive.single_filter.theorem_1 import w_next
from theory.symbols import j, lam, m, over, size, w

sample = sp.IndexedBase("sample", real=True)
"""sample[n, j] = X_j of sample n."""
active = sp.IndexedBase("active", real=True)
"""1 where sample n has w.X > 0, else 0."""
fraction = sp.Symbol("fraction", nonnegative=True)
"""phi = |S_A|/|S|."""
largest = sp.Symbol("largest", nonnegative=True)
"""The largest r^2 |X|^2 of an active sample (0 if there is none)."""
radius = sp.Symbol("radius", nonnegative=True)
"""delta, at least |X - e0| of every sample."""
fraction_b = sp.Symbol("fraction_b", nonnegative=True)
"""phi of the second filter."""
v, v_next = (sp.IndexedBase(name, real=True) for name in ("v", "v_next"))
"""A second filter on the same samples, before and after its update."""
away = sp.Symbol("away", nonnegative=True)
"""The distance |w - w*| = |v - w*| of both filters."""

LINEAR = "y = w*.X"
AROUND_E0 = "w* = e0, |X - e0| <= delta for every sample"


def step_squared(after: sp.IndexedBase, before: sp.IndexedBase) -> sp.Expr:
    """|w' - w|^2."""
    return total((after[m] - before[m]) ** 2)


def error_squared(weights: sp.IndexedBase) -> sp.Expr:
    """|w* - w|^2 for w* = e0."""
    return (1 - weights[0]) ** 2 + over(weights[m] ** 2)


ACTIVE_ONLY = sp.Eq(
    w_next[j],
    w[j]
    + 2 * lam / size * sp.Sum(active[n] * total((w_star[m] - w[m]) * sample[n, m]) * sample[n, j], (n, 0, size - 1)),
)
AT_MOST = sp.Le(step_squared(w_next, w), (2 * lam * fraction) ** 2 * largest)
SPREAD = 2 * radius + radius**2
"""2 delta + delta^2."""
PROPORTIONAL = sp.Le(
    4 * ((w_next[0] - w[0] - 2 * lam * fraction * (1 - w[0])) ** 2 + over((w_next[m] - w[m]) ** 2)),
    (2 * lam * fraction * (1 - w[0])) ** 2,
)
"""|w' - w - 2 lam phi e_0 e0| <= |2 lam phi e_0|/2."""
ALIGNED = sp.Le(4 * SPREAD**2 * error_squared(w), (1 - w[0]) ** 2)
"""2 (2 delta + delta^2)|e| <= |e_0|."""
SLOWER = sp.Lt(step_squared(w_next, w), step_squared(v_next, v))
CLEARLY_FEWER = sp.Lt(fraction * (sp.Abs(1 - w[0]) + SPREAD * away), fraction_b * (sp.Abs(1 - v[0]) - SPREAD * away))
"""phi (|e_0| + (2 delta + delta^2)|e|) of the one filter is below phi (|e_0| - (2 delta + delta^2)|e|) of the other."""


@cache
def active_only() -> Derivation:
    """w_j' = w_j + 2 lam (1/|S|) sum_{X in S_A} ((w* - w).X) X_j (Eq. 10)."""
    target, output = sp.symbols("y z", real=True)
    residual = total((w_star[m] - w[m]) * sample[n, m])
    pulled = sp.Symbol("r", real=True)
    summand = active[n] * 2 * pulled * sample[n, j] + (1 - active[n]) * 0
    update = lam / size * sp.Sum(summand, (n, 0, size - 1))
    proof = (
        Step("w.X <= 0: the output is 0, the loss y^2 is constant (Eq. 2)", equal(sp.diff(target**2, output), 0)),
        Step(
            "w.X > 0: loss r^2, r = (w* - w).X",
            equal(sp.diff(pulled**2, pulled) * slope(residual, j), -2 * pulled * sample[n, j]),
        ),
        Step(
            "Eq. (1), split into S_A and its complement",
            equal(
                update,
                2 * lam / size * sp.Sum(active[n] * pulled * sample[n, j], (n, 0, size - 1)),
            ),
        ),
    )
    definition = sp.Eq(w_next[j], w[j] + update.subs(pulled, residual))
    return Derivation((ACTIVE_ONLY,), (LINEAR,), proof, (definition,))


@cache
def at_most_proportional() -> Derivation:
    """|w' - w| <= 2 lam phi max_A |r||X|: an update never exceeds phi times that of the strongest active sample."""
    z = sp.IndexedBase("z", real=True)
    mean, n_active, spare = sp.symbols("z_mean n_A u", nonnegative=True)
    deviations = sp.Sum((z[m] - mean) ** 2, (m, 0, size - 1))
    proof = (
        *active_only().steps,
        Step("sum_A = |S_A| E_A", equal(2 * lam / size * n_active * mean, 2 * lam * (n_active / size) * mean)),
        Step(
            "one coordinate z of r X, over the active samples",
            equal(
                deviations,
                sp.Sum(z[m] ** 2, (m, 0, size - 1)) - 2 * mean * sp.Sum(z[m], (m, 0, size - 1)) + size * mean**2,
            ),
        ),
        Step("is E_A[z^2] >= E_A[z]^2", at_least(deviations, 0)),
        Step("so |E_A[r X]|^2 <= E_A[r^2 |X|^2], a mean, is at most the largest", at_least(mean + spare, mean)),
    )
    return Derivation((AT_MOST,), (LINEAR,), proof)


def _mean_over_active() -> tuple[Step, ...]:
    """|E_A[r X] - e_0 e0| <= (2 delta + delta^2)|e|, X = e0 + a, |a| <= delta."""
    x, y = (sp.IndexedBase(name, real=True) for name in "xy")
    e_0, inner, a_k, unit = sp.symbols("e_0 e_a a_k delta_k0", real=True)
    length, reach, rest = sp.symbols("e_norm a_norm u", nonnegative=True)
    return (
        *at_most_proportional().steps,
        Step(
            "r X - e_0 e0 with r = e_0 + e.a, X = e0 + a",
            equal((e_0 + inner) * (unit + a_k) - e_0 * unit, e_0 * a_k + inner * unit + inner * a_k),
        ),
        *cauchy_schwarz(x, y),
        Step(
            "so |e.a| <= |e||a| and, by the triangle inequality, its length is at most",
            equal(length * reach + length * reach + length * reach * reach, (2 * reach + reach**2) * length),
        ),
        Step(
            "which grows with |a| up to delta = |a| + u, and bounds the mean too",
            at_least(
                (2 * (reach + rest) + (reach + rest) ** 2) * length - (2 * reach + reach**2) * length,
                0,
            ),
        ),
    )


@cache
def proportional() -> Derivation:
    """w' - w = 2 lam phi e_0 e0 to within half of its length if 2 (2 delta + delta^2)|e| <= |e_0|."""
    factor, error, rest = sp.symbols("c x u", nonnegative=True)
    proof = (
        *_mean_over_active(),
        Step(
            "c = 2 lam phi: off by c x, x = (2 delta + delta^2)|e|; with |e_0| = 2 x + u",
            at_least((factor * (2 * error + rest)) ** 2 - 4 * (factor * error) ** 2, 0),
            factor**2 * rest * (4 * error + rest),
        ),
    )
    return Derivation((sp.Implies(ALIGNED, PROPORTIONAL),), (LINEAR, AROUND_E0), proof)


@cache
def fewer_is_slower() -> Derivation:
    """|w' - w| < |v' - v| if phi (|e_0| + x) of w is below phi (|e_0| - x) of v, x = (2 delta + delta^2)|e|."""
    factor, bound, spare, gap = sp.symbols("c x u g", nonnegative=True)
    more = sp.Symbol("u_plus", positive=True)
    proof = (
        *_mean_over_active(),
        Step("|w' - w| is at most 2 lam phi (|e_0| + x)", at_least(factor * (gap + bound) - factor * gap, 0)),
        Step("|v' - v| is at least 2 lam phi (|e_0| - x)", at_most(factor * (gap - bound), factor * gap)),
        Step("and squares keep the order of lengths", greater(sp.expand((spare + more) ** 2 - spare**2), 0)),
    )
    return Derivation((sp.Implies(CLEARLY_FEWER, SLOWER),), (LINEAR, AROUND_E0, "|w - w*| = |v - w*|"), proof)
