"""Sign changes of the gradient with one sample per update (Schneider, Sections 3.2 and 6).

The sign of coordinate j is that of (e.X) X_j, e = w - w*: it depends on the side of the sample's normal on which w
lies, and on the frame. FAR_GSC, FAR_CYCLIC_GSC and `flip_probability` are plain expressions that figures can evaluate.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.logic.boolalg import Boolean

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.single_filter import theorem_1
from theory.derive.single_filter.zigzag import flip
from theory.symbols import X, all_active, d, i, j, lam, m, over, p

e = sp.IndexedBase("e", real=True)
"""The error w_j - w*_j at the first update."""
X_next = sp.IndexedBase("X_next", real=True)
"""The sample of the second update."""
flip_rate = sp.IndexedBase("flip_rate", real=True, nonnegative=True)
"""The mean of flip_j over all ordered pairs of samples."""
flip_rate_distinct = sp.IndexedBase("flip_rate_distinct", real=True, nonnegative=True)
"""The mean of flip_j over the ordered pairs of different samples."""
random_rate = sp.IndexedBase("random_rate", real=True, nonnegative=True)
"""The share of flips in a run with samples drawn with replacement."""
shuffled_rate = sp.IndexedBase("shuffled_rate", real=True, nonnegative=True)
"""The share of flips in a run with a new permutation of the samples each epoch."""
cyclic_rate = sp.IndexedBase("cyclic_rate", real=True, nonnegative=True)
"""The share of flips in whole epochs of a run through the samples in the order of their index."""
q = sp.IndexedBase("q", real=True, nonnegative=True)
"""q_j: the share of samples with (e.X) X_j > 0."""
gsc_rate = sp.Symbol("gsc_rate", nonnegative=True)
"""GradientSignChanges, mean over all ordered pairs of samples."""
n_samples = sp.Symbol("n_samples", integer=True, positive=True)
least_residual, largest_residual, largest_product = sp.symbols(
    "least_residual largest_residual largest_product", nonnegative=True
)
"""min |e.X|, max |e.X| and max |X.X'| over all samples."""

same_side = sp.Symbol("same_side")
"""During the whole run, w lies on the same side of every sample's normal (observed)."""
POSITIVE = sp.Symbol("positive")
"""Every coordinate of every sample is positive (observed), assumption 1."""
no_ties = sp.Symbol("no_ties")
"""No coordinate of any sample's gradient is zero (observed)."""


def dot(left: sp.IndexedBase, right: sp.IndexedBase) -> sp.Expr:
    """The scalar product over all p coordinates."""
    return left[0] * right[0] + over(left[m] * right[m])


def flip_probability(share: sp.Expr) -> sp.Expr:
    """2 q (1 - q): two independent samples put opposite signs on a coordinate, each positive with probability q."""
    return 2 * share * (1 - share)


residual, residual_next = sp.symbols("residual residual_next", real=True)
"""e.X at the first update, with X, and e'.X' at the second, with X'."""
TRUE_RESIDUAL_NEXT = sp.Eq(residual_next, dot(e, X_next) - 2 * lam * dot(e, X) * dot(X, X_next))

TRUE_PAIR_FLIP = sp.Equivalent(sp.Eq(flip[j], 1), residual * X[j] * residual_next * X_next[j] < 0)
TRUE_TOGETHER = sp.Implies(POSITIVE, sp.Equivalent(sp.Eq(flip[j], 1), residual * residual_next < 0))

_spread = over(sp.Abs(e[m]) * d[m])
FAR = sp.Abs(e[0]) * (1 - d[0]) - _spread > 2 * lam * (sp.Abs(e[0]) * (1 + d[0]) + _spread) * (
    (1 + d[0]) ** 2 + over(d[m] ** 2)
)
"""Every residual e.X has the sign of e_0, and keeps it after any one update with any sample."""
LONE = sp.And(sp.Eq(e[0], 0), sp.Ne(e[i], 0), sp.Eq(over(sp.Abs(e[m])), sp.Abs(e[i])))
"""The error lies along one coordinate i > 0."""
FAR_GSC = (p - 1) / (2 * p)
"""Mean GradientSignChanges of one-sample updates in random order while FAR holds, all d_i > 0."""
FAR_CYCLIC_GSC = (1 - sp.Rational(1, 2) ** (p - 1)) / p
"""The same with the samples in the order of their index."""
FROZEN = 2 * lam * largest_residual * largest_product < least_residual
"""No update with one sample can change the sign of any residual."""


@cache
def consecutive_samples() -> Derivation:
    """Updates with X, then with X': the gradient is 2 (e.X) X_j, then 2 (e.X' - 2 lam (e.X)(X.X')) X'_j (F4)."""
    r, x, x_next = sp.symbols("r x x_next", real=True)
    error = sp.Symbol("e_m", real=True)
    positive, other = sp.symbols("x_j x_next_j", positive=True)
    r_next, s, s_next = sp.symbols("r_next s s_next", real=True)
    steps_ = (
        *theorem_1.per_sample_gradient().steps,
        Step(
            "e' = e - 2 lam r X, r = e.X; the summands of e'.X'",
            equal((error - 2 * lam * r * x) * x_next, error * x_next - 2 * lam * r * x * x_next),
        ),
        Step("for p = 3 in full", _three_coordinates()),
        Step(
            "signs s, s' of the two gradients: (s - s')^2 / 4 = 1 iff s s' = -1",
            equal((s - s_next) ** 2 / 4 - 1, (s**2 + s_next**2 - 2) / 4 - (1 + s * s_next) / 2),
        ),
        Step("X_j > 0 leaves the sign to the residual", equal(sp.sign(r * positive), sp.sign(r))),
        Step("X'_j > 0 likewise", equal(sp.sign(r_next * other), sp.sign(r_next))),
    )
    return Derivation(
        (TRUE_PAIR_FLIP, TRUE_RESIDUAL_NEXT, TRUE_TOGETHER),
        ("both samples are active", "y = w*.X"),
        steps_,
        needs=(all_active,),
    )


def _three_coordinates() -> sp.Equality:
    moved = [e[k] - 2 * lam * dot(e, X) * X[k] for k in range(3)]
    left = sum((moved[k] * X_next[k] for k in range(3)), sp.Integer(0))
    return sp.Eq(left.subs(p, 3).doit(), TRUE_RESIDUAL_NEXT.rhs.subs(p, 3).doit())


@cache
def random_order() -> Derivation:
    """Frozen error: a flip is two samples of opposite sign; 2 q (1 - q) with replacement, N/(N - 1) as much without.

    A run in a new permutation each epoch has N - 1 pairs within and one independent pair between epochs.
    """
    share, n = sp.symbols("q N", positive=True)
    up, down = share * n, (1 - share) * n
    within = 2 * up * down / (n * (n - 1))
    steps_ = (
        *consecutive_samples().steps,
        Step(
            "N^2 pairs, one of each sign in either order",
            equal((up * down + down * up) / n**2, flip_probability(share)),
        ),
        Step("N (N - 1) pairs of different samples", equal(within, flip_probability(share) * n / (n - 1))),
        Step(
            "an epoch and the pair after it",
            equal(((n - 1) * within + flip_probability(share)) / n, flip_probability(share) * (1 + 1 / n)),
        ),
    )
    chance = flip_probability(q[j])
    results: tuple[Boolean, ...] = (
        sp.Implies(sp.And(FROZEN, no_ties), sp.Eq(flip_rate[j], chance)),
        sp.Implies(sp.And(FROZEN, no_ties), sp.Eq(flip_rate_distinct[j], chance * n_samples / (n_samples - 1))),
        sp.Eq(random_rate[j], chance),
        sp.Eq(shuffled_rate[j], chance * (1 + 1 / n_samples)),
    )
    used = ("both samples are active", "y = w*.X", "no update changes the sign of a residual", "no (e.X) X_j is zero")
    return Derivation(results, used, steps_, needs=(all_active,))


@cache
def grid_regimes() -> Derivation:
    """One sample of the grid per update: far from w* along e_0, and on a lone coordinate i (F4).

    Far: all residuals have one sign, so q_0 = 1 and q_i = 1/2 whatever the other weights. In index order, coordinate i
    changes with bit i: every 2^i updates. On a lone coordinate, (e.X) X_i = e_i d_i^2 and the others follow one sign.
    """
    u, width, entry = sp.symbols("u d_i e_0", nonnegative=True)
    half = sp.Rational(1, 2)
    steps_ = (
        *random_order().steps,
        Step("e_i a_i >= -|e_i| d_i: at a_i = d_i, e_i = u", at_least(u * width + u * width, 0)),
        Step("|e_0| (1 + a_0) >= |e_0| (1 - d_0)", at_least(entry * (1 + d[0]) - entry * (1 - d[0]), 0)),
        Step("X_0 = 1 + a_0 has one sign, q_0 = 1", equal(flip_probability(sp.Integer(1)), 0)),
        Step("X_i = +-d_i has either with q_i = 1/2", equal(flip_probability(half), half)),
        Step("the mean over coordinates", equal((0 + over(half).doit()) / p, FAR_GSC)),
        Step(
            "in index order bit i changes every 2^i updates",
            equal(sp.Sum(half**m, (m, 1, p - 1)).doit() / p, FAR_CYCLIC_GSC),
        ),
        Step("a lone e_i: (e.X) X_i = e_i a_i^2", equal((u * width) * width, (u * -width) * -width)),
    )
    results = (
        sp.Implies(sp.And(FAR, no_ties), sp.And(sp.Eq(flip_rate[0], 0), sp.Eq(flip_rate[i], half))),
        sp.Implies(sp.And(FAR, no_ties), sp.Eq(gsc_rate, FAR_GSC)),
        sp.Implies(same_side, sp.Eq(cyclic_rate[0], 0)),
        sp.Implies(same_side, sp.Eq(cyclic_rate[i], half**i)),
        sp.Implies(sp.And(LONE, FROZEN, no_ties), sp.And(sp.Eq(flip_rate[0], half), sp.Eq(flip_rate[i], 0))),
    )
    used = (*random_order().used, "the samples are the grid, 0 <= d_0 < 1 and d_i > 0 for i > 0")
    return Derivation(results, used, steps_, needs=(all_active,))
