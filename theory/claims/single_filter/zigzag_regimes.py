"""X-FLIP, full batch and heavy ball: which coordinates of the gradient change sign, and how often."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter.full_batch_runs import full_batch, heavy_ball, oscillating
from theory.claims.observe.single_filter.turned_frames import turned_frames
from theory.derive.single_filter import zigzag as runs
from theory.ledger import Clause, Control, Hypothesis
from theory.symbols import all_active, d, i, j, lam, p, steps

GRID = Hypothesis("the samples form the symmetric grid around w* (assumption 2)")
LINEAR = Hypothesis("y(X) = w*.X (assumption 3)")
ACTIVE = Hypothesis("every sample is active at every update (assumption 4)", all_active)
GENERIC = Hypothesis("no coordinate of the first gradient is zero", runs.generic)
THEOREM = (GRID, LINEAR, ACTIVE)
flip, flips, h, g = runs.flip, runs.flips, runs.h, runs.g
half = sp.Rational(1, 2)


def wrong(name: str, left: sp.Expr, right: sp.Expr) -> Control:
    """A control that is an equation."""
    return Control(name, sp.Eq(left, right))


FULL_BATCH = (
    Clause(
        name="full batch",
        text="g_j changes sign iff 2 lam h_j > 1 (and becomes zero iff equal), h_0 = 1 + d0^2, h_i = di^2",
        printed=runs.TRUE_FLIP,
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=THEOREM,
        controls=(
            wrong("threshold 2 lam h_j > 2", flip[j], sp.Abs(sp.sign(g[j])) * (1 - sp.sign(1 - lam * h[j])) / 2),
            wrong("no factor 1/2", flip[j], sp.Abs(sp.sign(g[j])) * (1 - sp.sign(1 - 2 * lam * h[j]))),
            wrong("never", flip[j], sp.Integer(0)),
        ),
    ),
    Clause(
        name="the second moments",
        text="h_0 = 1 + d0^2 and h_i = di^2 on the grid",
        printed=runs.GRID_MOMENTS,
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=THEOREM,
        controls=(
            Control("1 - d0^2", sp.And(sp.Eq(h[0], 1 - d[0] ** 2), sp.Eq(h[i], d[i] ** 2))),
            Control("di", sp.And(sp.Eq(h[0], 1 + d[0] ** 2), sp.Eq(h[i], d[i]))),
        ),
    ),
    Clause(
        name="at every update",
        text="a coordinate that changes sign once does so at every update; one that does not, never",
        printed=runs.TRUE_FLIPS,
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=THEOREM,
        controls=(
            wrong("once only", flips[j], runs.full_batch_flip(j)),
            wrong("one pair more", flips[j], runs.full_batch_flip(j) * steps),
        ),
    ),
    Clause(
        name="GradientSignChanges, full batch",
        text="GradientSignChanges = #{j : 2 lam h_j > 1, g_j != 0}/p, 2 lam h_j = 1 counting half",
        printed=runs.TRUE_GSC,
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=THEOREM,
        controls=(
            wrong("d for 2 d", runs.gsc, 2 * runs.TRUE_GSC.rhs),
            Control("the other share", sp.Eq(1 - runs.gsc, runs.TRUE_GSC.rhs)),
        ),
    ),
    Clause(
        name="independent of the start",
        text="two starts on one grid have the same GradientSignChanges: C-CIII does not follow from Theorem 1",
        printed=sp.Eq(runs.gsc, runs.gsc_other),
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=(*THEOREM, GENERIC),
        controls=(
            wrong("one coordinate more", runs.gsc, runs.gsc_other + 1 / p),
            wrong("complementary", runs.gsc, 1 - runs.gsc_other),
        ),
    ),
    Clause(
        name="coordinate 0 first",
        text="as lam grows, the coordinate along w* is the first to change sign",
        printed=flip[i] <= flip[0],
        experiment=full_batch,
        derivation=runs.full_batch,
        hypotheses=(*THEOREM, Hypothesis("g_0 is not zero", sp.Ne(g[0], 0))),
        controls=(Control("last", flip[i] >= flip[0]), Control("before any other", flip[i] + half <= flip[0])),
    ),
)

_BELOW = Hypothesis("2 lam (1 + d0^2) < 1", 2 * lam * (1 + d[0] ** 2) < 1)

OTHER_FRAMES = (
    Clause(
        name="other frames",
        text="in any orthonormal frame (pixels), a coordinate changes sign at most p - 1 times in all of training",
        printed=flips[j] <= p - 1,
        experiment=turned_frames,
        derivation=runs.other_frames,
        hypotheses=(*THEOREM, _BELOW),
        controls=(Control("p - 2 times", flips[j] <= p - 2), wrong("p - 1 times exactly", flips[j], p - 1)),
    ),
    Clause(
        name="GradientSignChanges, other frames",
        text="all coordinates together at most (p - 1)^2 times: the mean of GradientSignChanges over a run is at most "
        "(p - 1)^2/(p (steps - 1)), which some runs reach, and vanishes",
        printed=runs.FEW_IN_ALL,
        experiment=turned_frames,
        derivation=runs.other_frames,
        hypotheses=(*THEOREM, _BELOW),
        controls=(
            Control("(p - 1)(p - 2) times", runs.mean_gsc <= (p - 1) * (p - 2) / (p * (steps - 1))),
            Control("at least", runs.mean_gsc >= runs.FEW_IN_ALL.rhs),
        ),
    ),
    Clause(
        name="never all at once",
        text="no single update changes the sign of every coordinate: GradientSignChanges is at most (p - 1)/p at every "
        "pair of updates, which some runs reach",
        printed=runs.NEVER_ALL,
        experiment=turned_frames,
        derivation=runs.never_all_at_once,
        hypotheses=(*THEOREM, _BELOW),
        controls=(
            Control("two coordinates stay", runs.most_gsc <= (p - 2) / p),
            Control("at most half of them", runs.most_gsc <= half),
            Control("always that many", sp.Eq(runs.most_gsc, runs.NEVER_ALL.rhs)),
        ),
    ),
)

_MOMENTUM = (*THEOREM, GENERIC, Hypothesis("momentum mu in (0, 1), from rest"))


def _count(frequency: sp.Expr) -> Control:
    return Control(
        f"frequency {frequency}", sp.Implies(runs.OSCILLATES, sp.Abs(flips[j] - (steps - 1) * frequency) <= 1)
    )


def _angle(cosine: sp.Expr) -> sp.Basic:
    return sp.Implies(runs.OSCILLATES, sp.Eq(2 * runs.sqrt_mu * sp.cos(runs.theta[j]), cosine))


HEAVY_BALL = (
    Clause(
        name="heavy ball, low curvature",
        text="2 lam h_j <= (1 - sqrt mu)^2: g_j never changes sign",
        printed=runs.TRUE_NEVER,
        experiment=heavy_ball,
        derivation=runs.heavy_ball,
        hypotheses=_MOMENTUM,
        controls=(
            Control("up to 1, as without momentum", sp.Implies(2 * lam * h[j] <= 1, sp.Eq(flips[j], 0))),
            Control("once", sp.Implies(2 * lam * h[j] <= runs.LOWER, sp.Eq(flips[j], 1))),
        ),
    ),
    Clause(
        name="heavy ball, high curvature",
        text="2 lam h_j >= (1 + sqrt mu)^2: g_j changes sign at every update",
        printed=runs.TRUE_ALWAYS,
        experiment=heavy_ball,
        derivation=runs.heavy_ball,
        hypotheses=_MOMENTUM,
        controls=(
            Control("from 1 on, as without momentum", sp.Implies(2 * lam * h[j] >= 1, sp.Eq(flips[j], steps - 1))),
            Control("never", sp.Implies(2 * lam * h[j] >= runs.UPPER, sp.Eq(flips[j], 0))),
        ),
    ),
    Clause(
        name="heavy ball, angle",
        text="between, the eigenvalues are sqrt(mu) exp(+-i theta_j), 2 sqrt(mu) cos theta_j = 1 + mu - 2 lam h_j",
        printed=runs.TRUE_ANGLE,
        experiment=oscillating,
        derivation=runs.heavy_ball,
        hypotheses=_MOMENTUM,
        controls=(
            Control("1 - mu", _angle(1 - runs.sqrt_mu**2 - 2 * lam * h[j])),
            Control("lam h for 2 lam h", _angle(1 + runs.sqrt_mu**2 - lam * h[j])),
            Control("sqrt(mu) for mu", _angle(1 + runs.sqrt_mu - 2 * lam * h[j])),
        ),
    ),
    Clause(
        name="heavy ball, between",
        text="and g_j changes sign (steps - 1) theta_j/pi times, up to one",
        printed=runs.TRUE_COUNT,
        experiment=oscillating,
        derivation=runs.heavy_ball,
        hypotheses=_MOMENTUM,
        controls=(
            _count(2 * runs.theta[j] / sp.pi),
            _count(runs.theta[j] / (2 * sp.pi)),
            _count(1 - runs.theta[j] / sp.pi),
        ),
    ),
)
