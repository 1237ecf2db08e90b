"""Near misses of the zig-zag and of when a gradient coordinate changes sign: C-ZIG, X-FLIP."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Ne, Rational, cos, pi, sign

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter import zigzag_pair as pair
from theory.derive.single_filter import zigzag_samples as single
from theory.derive.single_filter.zigzag import (
    flip,
    flips,
    g,
    gsc,
    gsc_other,
    h,
    mean_gsc,
    most_gsc,
    sqrt_mu,
    theta,
)
from theory.symbols import X, d, i, j, lam, n, over_all, p, steps

_CONTRACTION = 1 - 2 * lam * h[j]
_ABSENT = Abs(sign(g[j]))
_BETWEEN = And(2 * lam * h[j] > (1 - sqrt_mu) ** 2, 2 * lam * h[j] < (1 + sqrt_mu) ** 2)
_CHANCE = single.flip_probability(single.q[j])
_HALF = Rational(1, 2)

FALSEHOODS = (
    # C-ZIG
    Falsehood("C-ZIG", "straight at first", "hypothesis", ~pair.per_sample, "full batch, mixed signs", as_="condition"),
    Falsehood("C-ZIG", "straight at first", "bound", Implies(single.same_side, flips[j] <= -1), "fewer than none"),
    Falsehood(
        "C-ZIG",
        "zig-zag after crossing",
        "hypothesis",
        ~pair.per_sample,
        "the mean gradient of both does not zig-zag",
        as_="condition",
    ),
    Falsehood(
        "C-ZIG",
        "zig-zag after crossing",
        "hypothesis",
        pair.ZIGZAG,
        "samples with coordinates of either sign",
        as_="correction",
        without=(3,),
    ),
    Falsehood("C-ZIG", "zig-zag after crossing", "index", Implies(pair.CROSSED, Eq(flips[j], steps)), "one too many"),
    Falsehood(
        "C-ZIG",
        "zig-zag is slow, full batch",
        "bound",
        2 * lam * (1 + d[0] ** 2 + d[i] ** 2) >= 1,
        "half the best rate: w_i is slower",
        as_="condition",
    ),
    Falsehood(
        "C-ZIG",
        "zig-zag is slow, full batch",
        "quantity",
        lam * (1 + d[0] ** 2) >= _HALF,
        "w0 zig-zags there, but may be faster still",
        as_="condition",
    ),
    Falsehood(
        "C-ZIG",
        "zig-zag is slow, one sample per update",
        "hypothesis",
        single.dot(X, single.X_next) > 0,
        "unequal lengths",
        as_="condition",
    ),
    Falsehood(
        "C-ZIG", "least along w*", "hypothesis", ~pair.per_sample, "w* need not be an eigenvector", as_="condition"
    ),
    Falsehood("C-ZIG", "least along w*", "hypothesis", pair.EIGENVECTOR, "one sample per update", as_="condition"),
    Falsehood("C-ZIG", "least along w*", "strictness", pair.changes < pair.changes_other, "none against none"),
    Falsehood(
        "C-ZIG",
        "a large angle",
        "strictness",
        Implies(pair.sin_psi >= pair.sin_phi, pair.contraction_wide < pair.contraction),
        "equal angles",
    ),
    Falsehood(
        "C-ZIG", "a large angle", "sign", pair.cos_psi <= pair.sin_psi, "only beyond 45 degrees", as_="condition"
    ),
    Falsehood(
        "C-ZIG", "a large angle", "index", pair.cos_phi >= pair.sin_phi, "the narrow angle below 45", as_="condition"
    ),
    # X-FLIP, full batch
    Falsehood("X-FLIP", "full batch", "quantity", Eq(flip[j], (1 - sign(_CONTRACTION)) / 2), "g_j = 0 does not flip"),
    Falsehood(
        "X-FLIP",
        "full batch",
        "edge",
        Implies(Ne(2 * lam * h[j], 1), Eq(flip[j], (1 - sign(1 - 2 * lam * h[j] ** 2)) / 2 * _ABSENT)),
        "h^2 for h: right unless 1 lies between them",
    ),
    Falsehood(
        "X-FLIP",
        "the second moments",
        "quantity",
        And(Eq(h[0], 1 + d[0] ** 2), Eq(h[i], d[i] ** 2 + d[0] ** 2)),
        "d_0^2 in every coordinate",
    ),
    Falsehood(
        "X-FLIP",
        "at every update",
        "index",
        Eq(flips[j], (1 - sign(_CONTRACTION)) / 2 * _ABSENT * (steps - 1)),
        "2 lam h = 1: zero from the first update on",
    ),
    Falsehood(
        "X-FLIP",
        "GradientSignChanges, full batch",
        "term",
        Eq(gsc, over_all((1 - sign(1 - 2 * lam * h[n])) / (2 * p))),
        "g_n = 0 counted as a change",
    ),
    Falsehood(
        "X-FLIP",
        "GradientSignChanges, full batch",
        "factor",
        Eq(gsc, over_all((1 - sign(1 - 2 * lam * h[n])) * Abs(sign(g[n])) / (2 * (p + 1)))),
        "p + 1 for p",
    ),
    Falsehood("X-FLIP", "independent of the start", "strictness", gsc < gsc_other, "they are equal"),
    Falsehood("X-FLIP", "coordinate 0 first", "strictness", flip[i] < flip[0], "both, or neither"),
    Falsehood("X-FLIP", "other frames", "strictness", flips[j] < p - 1, "p = 1: 0 < 0; reached for p = 2"),
    Falsehood("X-FLIP", "other frames", "quantity", flips[j] <= 0, "right in the frame of the grid only"),
    Falsehood(
        "X-FLIP", "GradientSignChanges, other frames", "exponent", mean_gsc <= (p - 1) / (steps - 1) ** 2, "squared"
    ),
    Falsehood("X-FLIP", "never all at once", "strictness", most_gsc < (p - 1) / p, "some runs reach it"),
    Falsehood("X-FLIP", "never all at once", "index", most_gsc <= (p - 1) / (p + 1), "p + 1 for p"),
    Falsehood("X-FLIP", "never all at once", "bound", most_gsc <= 1 / p, "one coordinate at a time: p = 2 only"),
    # X-FLIP, heavy ball
    Falsehood(
        "X-FLIP",
        "heavy ball, low curvature",
        "exponent",
        Implies(2 * lam * h[j] <= 1 - sqrt_mu**2, Eq(flips[j], 0)),
        "1 - mu > (1 - sqrt mu)^2: complex roots between",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, low curvature",
        "exponent",
        Implies(2 * lam * h[j] <= 1 - sqrt_mu, Eq(flips[j], 0)),
        "not squared",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, high curvature",
        "exponent",
        Implies(2 * lam * h[j] >= 1 + sqrt_mu**2, Eq(flips[j], steps - 1)),
        "1 + mu < (1 + sqrt mu)^2",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, angle",
        "factor",
        Implies(_BETWEEN, Eq(sqrt_mu * cos(theta[j]), 1 + sqrt_mu**2 - 2 * lam * h[j])),
        "without the 2 of 2 sqrt mu: right for cos theta = 0",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, angle",
        "sign",
        Implies(_BETWEEN, Eq(2 * sqrt_mu * cos(theta[j]), 2 * lam * h[j] - 1 - sqrt_mu**2)),
        "pi - theta",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, between",
        "bound",
        Implies(_BETWEEN, Abs(flips[j] - (steps - 1) * theta[j] / pi) <= _HALF),
        "up to a half: one is needed",
    ),
    Falsehood(
        "X-FLIP",
        "heavy ball, between",
        "index",
        Implies(_BETWEEN, Abs(flips[j] - (steps + 2) * theta[j] / pi) <= 1),
        "k + 2 for k - 1",
    ),
    # X-FLIP, one sample per update
    Falsehood(
        "X-FLIP",
        "one sample, then another",
        "strictness",
        Equivalent(Eq(flip[j], 1), single.residual * X[j] * single.residual_next * single.X_next[j] <= 0),
        "X_j = 0: the sign of 0 does not change to another",
    ),
    Falsehood(
        "X-FLIP",
        "the second residual",
        "factor",
        Eq(
            single.residual_next,
            single.dot(single.e, single.X_next) - 2 * lam * single.dot(single.e, X) * single.dot(X, X),
        ),
        "|X|^2 for X.X': right if the same sample comes twice",
    ),
    Falsehood(
        "X-FLIP",
        "the second residual",
        "term",
        Eq(single.residual_next, single.dot(single.e, single.X_next) * (1 - 2 * lam * single.dot(X, single.X_next))),
        "e.X' for e.X",
    ),
    Falsehood(
        "X-FLIP",
        "positive samples",
        "strictness",
        Implies(single.POSITIVE, Equivalent(Eq(flip[j], 1), single.residual * single.residual_next <= 0)),
        "a residual of zero",
    ),
    Falsehood(
        "X-FLIP", "drawn with replacement", "quantity", Eq(single.flip_rate[j], 1 - single.q[j] ** 2), "not both up"
    ),
    Falsehood(
        "X-FLIP", "drawn with replacement", "exponent", Eq(single.flip_rate[j], _CHANCE**2 * 2), "right for q = 1/2"
    ),
    Falsehood(
        "X-FLIP",
        "drawn without replacement",
        "limit",
        Eq(single.flip_rate_distinct[j], _CHANCE * (1 + 1 / single.n_samples)),
        "first order in 1/N",
    ),
    Falsehood(
        "X-FLIP", "random order", "factor", Eq(single.random_rate[j], _CHANCE * (1 + 1 / single.n_samples)), "shuffled"
    ),
    Falsehood(
        "X-FLIP",
        "a new permutation each epoch",
        "quantity",
        Eq(single.shuffled_rate[j], _CHANCE * single.n_samples / (single.n_samples - 1)),
        "the pair across two epochs forgotten",
    ),
    Falsehood(
        "X-FLIP",
        "far from w*",
        "term",
        Implies(
            Abs(single.e[0]) * (1 - d[0]) > 0,
            And(Eq(single.flip_rate[0], 0), Eq(single.flip_rate[i], _HALF)),
        ),
        "any e_0: the other errors turn residuals round",
    ),
    Falsehood(
        "X-FLIP",
        "GradientSignChanges, far from w*",
        "factor",
        Implies(single.FAR, Eq(single.gsc_rate, (p - 1) / (2 * (p + 1)))),
        "p + 1 for p",
    ),
    Falsehood(
        "X-FLIP",
        "an error along one coordinate",
        "hypothesis",
        Implies(single.LONE, And(Eq(single.flip_rate[0], _HALF), Eq(single.flip_rate[i], _HALF))),
        "g_i = e_i d_i^2 never changes",
    ),
    Falsehood("X-FLIP", "in turn, along w*", "factor", Eq(single.cyclic_rate[0], 1 / p), "once a round"),
    Falsehood("X-FLIP", "in turn, across w*", "exponent", Eq(single.cyclic_rate[i], _HALF ** (2 * i)), "4^-i"),
    Falsehood(
        "X-FLIP", "in turn, across w*", "index", Eq(single.cyclic_rate[i], _HALF ** (p - i)), "the other way round"
    ),
)
