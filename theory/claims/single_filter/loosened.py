"""Theorem 1 with its assumptions loosened (Schneider, Section 3.2): asymmetric, noisy and inactive samples."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter.active_samples import far_filters, one_update, two_filters
from theory.claims.observe.single_filter.asymmetric_grids import asymmetric_grids, shifts
from theory.claims.observe.single_filter.label_noise import noisy_limit
from theory.claims.observe.single_filter.rates import rates
from theory.claims.observe.single_filter.targets import noisy_descent, noisy_sample
from theory.derive.single_filter import loosened as samples
from theory.derive.single_filter import loosened_active as activity
from theory.derive.single_filter import loosened_targets as targets
from theory.derive.single_filter.loosened import (
    H,
    closer,
    farther,
    fastest,
    gain,
    gain_mirrored,
    mean,
    n,
    narrowest,
    rate_down,
    rate_up,
    slowest,
    total,
    trace,
    w_star,
)
from theory.derive.single_filter.loosened_active import active, fraction, fraction_b, largest, radius, v, v_next
from theory.derive.single_filter.loosened_targets import added, always_active, f, pull, tau, w_end
from theory.derive.single_filter.loosened_targets import mean_square_shift as shift
from theory.derive.single_filter.theorem_1 import w_next
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import X, all_active, d, gap, i, j, lam, m, over, p, size, steps, w

ACTIVE = Hypothesis("every sample is active, w.X > 0 (assumption 4)", all_active)
ALL_GRIDS = Hypothesis("every sample is active, on the shifted and on the symmetric grid", all_active)
LINEAR = Hypothesis("y(X) = w*.X (assumption 3)")
TWO_VALUED = Hypothesis("independent coordinates with the two values mean_j +- d_j, all combinations once")
SHIFTED = Hypothesis("the grid of assumption 2, shifted along the coordinates i > 0: E[X_0] = 1, w* = (w0*, 0, ..., 0)")
STABLE = Hypothesis("lam E|X|^2 <= 1, so the learning rate is stable", lam * total(mean[m] ** 2 + d[m] ** 2) <= 1)
NARROWEST = Hypothesis("the grid is narrowest along e1 (d1 < di for i > 1), and is shifted along it", sp.Ne(mean[1], 0))
SYMMETRIC = Hypothesis("the samples form the symmetric grid (assumption 2), with the same f at every update")
ALWAYS = Hypothesis("every sample is active at every update", always_active)
PAIR = Hypothesis("p = 2, and X_1 is the narrower coordinate", sp.And(sp.Eq(p, 2), sp.Ge(H[0, 0], H[1, 1])))

_error = w_star[j] - w[j]
_everything = total(mean[m] * (w_star[m] - w[m]))
_step, _step_v = activity.step_squared(w_next, w), activity.step_squared(v_next, v)


def _decayed(limit: sp.Expr, twice_rate: sp.Expr = 2 * lam) -> sp.Expr:
    """w_0 after `steps` updates towards the limit."""
    return limit + (1 - twice_rate * (1 + d[0] ** 2)) ** steps * (w[0] - limit)


def _pulled(weight: sp.Expr, count: sp.Expr) -> sp.Expr:
    """w_j after an update by the samples n with the given weights."""
    residual = total((w_star[m] - w[m]) * activity.sample[n, m])
    return w[j] + 2 * lam / count * sp.Sum(weight * residual * activity.sample[n, j], (n, 0, size - 1))


def _off(share: sp.Expr) -> sp.Expr:
    """|w' - w - 2 lam share (w*_0 - w_0) e0|^2 for w* = e0."""
    return (w_next[0] - w[0] - 2 * lam * share * (1 - w[0])) ** 2 + over((w_next[m] - w[m]) ** 2)


L2 = Claim(
    id="C-L2",
    source="Schneider, loosening assumption 2",
    statement="without symmetry residual terms remain, which may speed up or slow down; if the average distance of "
    "the samples to w(0) increases, so does the speed, else it decreases; overall the impact is likely small",
    note="A shifted grid has E[X X^T] = mean mean^T + diag(d^2); no distance to w enters its rates. Asymmetry speeds "
    "up the fast modes and slows down the slow ones, which decide when descent is done; it may stop one altogether.",
    clauses=(
        Clause(
            name="residual terms",
            text="the update on an asymmetric grid; without the terms mean_j mean_k it is that of Theorem 1",
            printed=samples.RESIDUAL_TERMS,
            experiment=asymmetric_grids,
            derivation=samples.residual_terms,
            hypotheses=(TWO_VALUED, LINEAR, ACTIVE),
            controls=(
                Control("they cancel", sp.Eq(w_next[j], w[j] + 2 * lam * (d[j] ** 2 + mean[j] ** 2) * _error)),
                Control("wrong sign", sp.Eq(w_next[j], w[j] + 2 * lam * (d[j] ** 2 * _error - mean[j] * _everything))),
                Control("lam for 2 lam", sp.Eq(w_next[j], w[j] + lam * (d[j] ** 2 * _error + mean[j] * _everything))),
                Control("without mean_j", sp.Eq(w_next[j], w[j] + 2 * lam * (d[j] ** 2 * _error + _everything))),
            ),
        ),
        Clause(
            name="may speed up or slow down",
            text="a shift of the other coordinates changes what w_0 gains on w_0* in one update by exactly as much as "
            "the mirrored shift takes away, so of two mirrored shifts one speeds w_0 up and one slows it down",
            printed=sp.And(sp.Eq(gain, samples.GAIN), sp.Eq(gain_mirrored, -samples.GAIN)),
            experiment=shifts,
            derivation=samples.faster_or_slower,
            hypotheses=(SHIFTED, LINEAR, ALL_GRIDS),
            controls=(
                Control("never slower", sp.Ge(gain, 0)),
                Control("never faster", sp.Le(gain_mirrored, 0)),
                Control("no effect", sp.Eq(gain, 0)),
                Control("lam for 2 lam", sp.Eq(gain, samples.GAIN / 2)),
                Control("without the direction", sp.Eq(gain, -2 * lam * gap * over(mean[m]))),
            ),
        ),
        Clause(
            name="distance, first update",
            text="read as: one update comes closer to w* than on the symmetric grid exactly if the samples are on "
            "average farther from w. True is: exactly if E[r^2] - lam |E[r X]|^2 is larger, r = (w* - w).X",
            printed=sp.Equivalent(farther, closer),
            corrected=samples.FIRST_UPDATE,
            experiment=shifts,
            derivation=samples.first_update,
            hypotheses=(SHIFTED, LINEAR, ALL_GRIDS, STABLE),
            controls=(
                Control("farther is closer", sp.Implies(farther, closer)),
                Control("nearer is slower", sp.Implies(closer, farther)),
                Control("never farther", sp.Not(farther)),
                Control("always closer", closer),
                Control(
                    "twice that of the symmetric grid",
                    sp.Equivalent(closer, samples.decrease(shifted=True) > 2 * samples.decrease(shifted=False)),
                ),
            ),
        ),
        Clause(
            name="distance, long run",
            text="read as: the slowest rate rises exactly if the samples are on average farther from w(0). True is: "
            "wherever w(0) is, it rises exactly if d0 > d1 and falls exactly if d0 < d1",
            printed=sp.Equivalent(farther, rate_up),
            corrected=samples.TRICHOTOMY,
            experiment=shifts,
            derivation=samples.slowest_mode,
            hypotheses=(SHIFTED, LINEAR, NARROWEST),
            controls=(
                Control("farther is faster", sp.Implies(farther, rate_up)),
                Control("nearer is slower", sp.Implies(rate_up, farther)),
                Control("the other way round", sp.Equivalent(rate_down, d[0] > d[1])),
                Control("a shift always slows down", rate_down),
                Control("d0 > d1^2", sp.Equivalent(rate_up, d[0] > d[1] ** 2)),
            ),
        ),
        Clause(
            name="some faster, others slower",
            text="at the same E[X_j^2] correlations raise the fastest rate and lower the slowest, and keep their sum: "
            "they never speed up the slowest mode",
            printed=samples.SPREAD,
            experiment=rates,
            derivation=samples.spread_of_rates,
            hypotheses=(LINEAR,),
            controls=(
                Control("the slowest rises", sp.Ge(slowest, H[j, j])),
                Control("the fastest falls", sp.Le(fastest, H[j, j])),
                Control("falls by half", sp.Le(2 * slowest, H[j, j])),
                Control("the sum grows by 1%", sp.Ge(100 * trace, 101 * total(H[m, m]))),
            ),
        ),
        Clause(
            name="likely small",
            text="read as: correlations take at most half of the slowest rate",
            printed=sp.Ge(slowest, narrowest / 2),
            condition=samples.WEAK,
            experiment=rates,
            derivation=samples.small_if_weakly_correlated,
            hypotheses=(LINEAR,),
            controls=(
                Control("they take nothing", sp.Ge(slowest, narrowest)),
                Control("they add to it", sp.Gt(slowest, narrowest)),
                Control("to the fastest as well", sp.Le(fastest, 2 * narrowest)),
            ),
        ),
        Clause(
            name="likely small, two weights",
            text="the same with the condition that is exact for p = 2",
            printed=sp.Ge(slowest, H[1, 1] / 2),
            condition=samples.WEAK_PAIR,
            experiment=rates,
            derivation=samples.small_for_two_weights,
            hypotheses=(LINEAR, PAIR),
            controls=(
                Control("at most a quarter", sp.Ge(slowest, 3 * H[1, 1] / 4)),
                Control("they take nothing", sp.Ge(slowest, H[1, 1])),
            ),
        ),
    ),
)

L3 = Claim(
    id="C-L3",
    source="Schneider, loosening assumption 3",
    statement="y = w*.X + f(X) adds -2 f(X) X to the gradient; for random noise the impact on convergence speed might "
    "be small, since noise cancels",
    note="While every sample is active no f has any impact on the speed: rates do not depend on targets. f moves the "
    "limit. Over draws noise cancels as in a mean of 2^p samples, but along e_i it is amplified by 1/d_i^2; noise of "
    "size tau chosen against w_i moves it by tau/d_i however many samples there are. It can also switch samples off.",
    clauses=(
        Clause(
            name="gradient",
            text="what f adds to the gradient of one sample",
            printed=targets.ADDED,
            experiment=noisy_sample,
            derivation=targets.added_gradient,
            hypotheses=(Hypothesis("the sample is active, w.X > 0", sp.Gt(total(w[m] * X[m]), 0)),),
            controls=(
                Control("wrong sign", sp.Eq(added[j], 2 * f * X[j])),
                Control("1 for 2", sp.Eq(added[j], -f * X[j])),
                Control("f^2", sp.Eq(added[j], -2 * f**2 * X[j])),
                Control("without X", sp.Eq(added[j], -2 * f)),
            ),
        ),
        Clause(
            name="speed",
            text="the impact of f on the speed is none: after any number of updates the deviation from the limit "
            "w*_j + E[f X_j]/h_j is (1 - 2 lam h_j)^k times the first, with h_j as without f",
            printed=targets.SAME_RATES,
            experiment=noisy_descent,
            derivation=targets.same_rates,
            hypotheses=(SYMMETRIC, ALWAYS, Hypothesis("d_i > 0", sp.Gt(d[i], 0))),
            controls=(
                Control("the limit stays", sp.Eq(w_end[0], _decayed(w_star[0]))),
                Control("the limit moves by E[f X]", sp.Eq(w_end[0], _decayed(w_star[0] + pull[0]))),
                Control("it moves the other way", sp.Eq(w_end[0], _decayed(w_star[0] - pull[0] / (1 + d[0] ** 2)))),
                Control("lam for 2 lam", sp.Eq(w_end[0], _decayed(w_star[0] + pull[0] / (1 + d[0] ** 2), lam))),
            ),
        ),
        Clause(
            name="noise cancels",
            text="over draws of independent noise of variance tau^2 on each sample, the limit of w_j has mean square "
            "deviation tau^2/(2^p h_j) from w*_j: it falls with the number of samples",
            printed=targets.VARIANCE,
            experiment=noisy_limit,
            derivation=targets.variance_of_limit,
            hypotheses=(SYMMETRIC, ALWAYS, Hypothesis("d_i > 0", sp.Gt(d[i], 0))),
            controls=(
                Control("cancels altogether", sp.Eq(shift[i], 0)),
                Control("as the number of weights", sp.Eq(p * d[i] ** 2 * shift[i], tau**2)),
                Control("d_i for d_i^2", sp.Eq(2**p * d[i] * shift[i], tau**2)),
                Control("1 for 1 + d_0^2", sp.Eq(2**p * shift[0], tau**2)),
                Control("the same along every axis", sp.Eq(shift[i], shift[0])),
            ),
        ),
        Clause(
            name="small",
            text="read as: the root mean square deviation of the limit of w_i from w*_i is at most tau. True exactly "
            "for d_i >= 2^(-p/2)",
            printed=sp.Le(shift[i], tau**2),
            condition=targets.WIDE,
            experiment=noisy_limit,
            derivation=targets.small_for_wide_grids,
            hypotheses=(SYMMETRIC, ALWAYS, Hypothesis("d_i > 0", sp.Gt(d[i], 0))),
            controls=(
                Control("at most half of tau", sp.Le(4 * shift[i], tau**2)),
                Control("at most that of w_0", sp.Le(shift[i], shift[0])),
                Control("never small", sp.Gt(shift[i], tau**2)),
            ),
        ),
    ),
)

E10 = Claim(
    id="C-E10",
    source="Schneider, loosening assumption 4, Eq. (10)",
    statement="only active samples contribute; for a concentrated set and w far from the convex hull of S_A updates "
    "are roughly proportional to |S_A|/|S|; the fewer active samples, the slower",
    note="|S_A|/|S| bounds the update from above. From below nothing does: a filter far away that answers its active "
    "samples rightly stands still, as w = (-1, 4) does on the samples (1, 1/2) and (1, -1/2). It is not being far from "
    "the samples that matters, it is the angle between them and w* - w.",
    clauses=(
        Clause(
            name="only active samples",
            text="the update is 2 lam/|S| times the sum over S_A of ((w* - w).X) X",
            printed=activity.ACTIVE_ONLY,
            experiment=one_update,
            derivation=activity.active_only,
            hypotheses=(LINEAR,),
            controls=(
                Control("all samples", sp.Eq(w_next[j], _pulled(sp.Integer(1), size))),
                Control("only inactive samples", sp.Eq(w_next[j], _pulled(1 - active[n], size))),
                Control("the mean over S_A", sp.Eq(fraction * (w_next[j] - w[j]), _pulled(active[n], size) - w[j])),
                Control("lam for 2 lam", sp.Eq(w_next[j], _pulled(active[n], 2 * size))),
            ),
        ),
        Clause(
            name="at most proportional",
            text="the update is never longer than 2 lam |S_A|/|S| times the largest |r||X| of an active sample",
            printed=activity.AT_MOST,
            experiment=one_update,
            derivation=activity.at_most_proportional,
            hypotheses=(LINEAR,),
            controls=(
                Control("lam for 2 lam", sp.Le(_step, (lam * fraction) ** 2 * largest)),
                Control("(|S_A|/|S|)^2", sp.Le(_step, (2 * lam * fraction**2) ** 2 * largest)),
                Control("at least", sp.Ge(_step, (2 * lam * fraction) ** 2 * largest)),
            ),
        ),
        Clause(
            name="roughly proportional",
            text="read as: the update is 2 lam |S_A|/|S| (w*_0 - w_0) e0 to within half of its length",
            printed=activity.PROPORTIONAL,
            condition=activity.ALIGNED,
            experiment=far_filters,
            derivation=activity.proportional,
            hypotheses=(
                LINEAR,
                Hypothesis("concentrated: w* = e0, every sample within 1/2 of it", sp.Le(radius, sp.Rational(1, 2))),
                Hypothesis("far: |w - w*| >= 4, so at least 7/2 from the hull", sp.Ge(activity.error_squared(w), 16)),
            ),
            controls=(
                Control("all samples count", sp.Le(4 * _off(sp.Integer(1)), (2 * lam * (1 - w[0])) ** 2)),
                Control("lam for 2 lam", sp.Le(4 * _off(fraction / 2), (lam * fraction * (1 - w[0])) ** 2)),
                Control("exactly proportional", sp.Eq(_off(fraction), 0)),
            ),
        ),
        Clause(
            name="fewer active, slower",
            text="read as: of two filters at one distance from w*, the one with fewer active samples makes the shorter "
            "update",
            printed=sp.Implies(sp.Lt(fraction, fraction_b), activity.SLOWER),
            condition=activity.CLEARLY_FEWER,
            experiment=two_filters,
            derivation=activity.fewer_is_slower,
            hypotheses=(LINEAR, Hypothesis("w* = e0, every sample within 1/2 of it", sp.Le(radius, sp.Rational(1, 2)))),
            controls=(
                Control("fewer active, faster", sp.Implies(sp.Lt(fraction, fraction_b), sp.Not(activity.SLOWER))),
                Control(
                    "fewer active, a tenth as fast",
                    sp.Implies(sp.Lt(fraction, fraction_b), sp.Lt(100 * _step, _step_v)),
                ),
                Control("as fast", sp.Eq(_step, _step_v)),
            ),
        ),
    ),
)

CLAIMS = (L2, L3, E10)
