"""Near misses of random and correlated starts: C-ALIGN, X-DEAD, X-LOSS."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Sum, acos, log, pi

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.single_filter.alignment import (
    active_loss,
    active_moment,
    distance,
    distance_direction,
    distance_length,
    loss_direction,
    loss_length,
    probability,
    relu_corr,
    relu_loss,
    relu_unc,
    w_first,
)
from theory.derive.single_filter.dead_starts import (
    dead,
    dead_corr,
    dead_unc,
    mirror_active,
    rho,
    share_active,
    share_dead,
)
from theory.derive.single_filter.initialisation import (
    CROSSED,
    C,
    contraction,
    curvature,
    expected_loss,
    initial_distance,
    log_gain,
    loss_corr,
    loss_corr_next,
    loss_unc,
    loss_unc_next,
    mu,
    r,
    rate,
    steps_corr,
    steps_unc,
    variance,
)
from theory.symbols import d, i, lam, m, over, p, steps, w0_star

_START = curvature(0) * (mu - w0_star) ** 2 * contraction(0) ** (2 * steps)
_FIRST = curvature(0) * contraction(0) ** (2 * steps)
_OTHERS = over(curvature(m) * contraction(m) ** (2 * steps))
_BEST = lam * (curvature(0) + curvature(i))

FALSEHOODS = (
    # C-ALIGN
    Falsehood("C-ALIGN", "linear rule", "strictness", loss_corr <= loss_unc, "at k = 0 it is higher"),
    Falsehood(
        "C-ALIGN",
        "linear rule",
        "strictness",
        (p - 1) * _FIRST <= _OTHERS,
        "equal losses: k = 0, d = 1",
        as_="condition",
    ),
    Falsehood("C-ALIGN", "linear rule", "factor", _FIRST < _OTHERS, "p - 1 left out", as_="condition"),
    Falsehood(
        "C-ALIGN",
        "linear rule",
        "exponent",
        (p - 1) * curvature(0) * contraction(0) ** (4 * steps) < over(curvature(m) * contraction(m) ** (4 * steps)),
        "4k for 2k: true too early",
        as_="condition",
    ),
    Falsehood("C-ALIGN", "linear rule", "hypothesis", steps > 0, "one update is not enough", as_="condition"),
    Falsehood("C-ALIGN", "ReLU rule", "hypothesis", steps > 0, "starts that lose samples, or die", as_="condition"),
    Falsehood("C-ALIGN", "ReLU rule", "strictness", relu_corr < relu_unc - 1, "by 1 at least"),
    Falsehood("C-ALIGN", "reaches w*", "hypothesis", w_first > 0, "2 lam h_0 near 2 kills it", as_="condition"),
    Falsehood(
        "C-ALIGN",
        "reaches w*",
        "strictness",
        And(w_first >= 0, w0_star + (w_first - w0_star) * contraction(0) > 0),
        "w = 0 is dead",
        as_="condition",
    ),
    Falsehood(
        "C-ALIGN",
        "reaches w*",
        "exponent",
        Eq(distance, Abs(contraction(0)) ** (2 * steps) * Abs(w_first - w0_star)),
        "2k, as for squares",
    ),
    Falsehood(
        "C-ALIGN", "length and direction: distance", "bound", _BEST <= 2, "lam (1 + d0^2) near 1", as_="condition"
    ),
    Falsehood(
        "C-ALIGN",
        "length and direction: distance",
        "strictness",
        distance_length < distance_direction[i],
        "no update yet, or d_i at the same rate: equal",
    ),
    Falsehood(
        "C-ALIGN",
        "length and direction: loss",
        "hypothesis",
        _BEST <= 1,
        "h_0 > h_i: at k = 0 it costs more",
        as_="condition",
    ),
    Falsehood(
        "C-ALIGN",
        "length and direction: loss",
        "exponent",
        contraction(0) ** (2 * steps) <= contraction(i) ** (2 * steps),
        "without the curvatures: the distances' condition",
        as_="condition",
    ),
    Falsehood("C-ALIGN", "length and direction: loss", "strictness", loss_length < loss_direction[i], "equal at best"),
    # X-DEAD
    Falsehood("X-DEAD", "mirror", "strictness", Implies(mirror_active, ~dead), "it is dead then"),
    Falsehood("X-DEAD", "mirror", "quantity", Equivalent(dead, ~mirror_active), "most starts are neither"),
    Falsehood("X-DEAD", "equally likely", "factor", Eq(share_dead, share_active / 2), "half"),
    Falsehood("X-DEAD", "equally likely", "quantity", share_dead + share_active > 1, "most starts are neither"),
    Falsehood("X-DEAD", "p = 2", "factor", Eq(share_active, 1 - acos(rho[0]) / pi), "both signs of w counted"),
    Falsehood("X-DEAD", "p = 2", "limit", Eq(share_active, (1 + rho[0]) / 4), "linear in rho: right for -1, 0, 1"),
    Falsehood("X-DEAD", "p = 2", "sign", Eq(share_active, (1 - acos(-rho[0]) / pi) / 2), "-rho: right for rho = 0"),
    Falsehood(
        "X-DEAD",
        "p = 3",
        "term",
        Eq(share_active, (1 - (acos(rho[0]) + acos(rho[1])) / pi) / 2),
        "two edges, doubled: right by symmetry for uncorrelated starts only",
    ),
    Falsehood(
        "X-DEAD",
        "p = 3",
        "limit",
        Eq(share_active, (1 - acos(rho[0]) / pi) ** 2 / 2),
        "as if the coordinates took samples off independently",
    ),
    Falsehood("X-DEAD", "any p", "factor", Eq(share_active, probability / 2), "one of the two halves"),
    Falsehood("X-DEAD", "any p", "quantity", Eq(share_dead, 1 - probability), "the complement: most are neither"),
    Falsehood("X-DEAD", "aligned", "strictness", dead_corr >= dead_unc + r / 2, "linear in r: above 1/2 otherwise"),
    Falsehood("X-DEAD", "aligned", "factor", dead_corr <= dead_unc * (1 + r), "grows by far more for many weights"),
    Falsehood("X-DEAD", "perfect correlation", "quantity", Eq(share_dead + share_active, 0), "never dead nor active"),
    Falsehood("X-DEAD", "perfect correlation", "factor", Eq(share_active, 2 ** (-p)), "1/2 for p = 1 only"),
    Falsehood("X-DEAD", "edge", "strictness", dead_corr <= dead_unc * (1 - r), "proportionally to 1 - r"),
    Falsehood("X-DEAD", "edge", "quantity", dead_corr + dead_unc <= 0, "it does not vanish"),
    # X-LOSS
    Falsehood(
        "X-LOSS",
        "any R",
        "index",
        Eq(
            expected_loss,
            _START + variance * (C[0, 0] * _FIRST + over(curvature(m) * contraction(m) ** (2 * steps) * C[0, 0])),
        ),
        "C_00 for C_mm: right for R = I",
    ),
    Falsehood(
        "X-LOSS",
        "any R",
        "factor",
        Eq(
            expected_loss,
            2 * _START
            + 2 * variance * (C[0, 0] * _FIRST + over(curvature(m) * contraction(m) ** (2 * steps) * C[m, m])),
        ),
        "twice",
    ),
    Falsehood(
        "X-LOSS",
        "any R",
        "exponent",
        Eq(
            expected_loss,
            _START + variance**2 * (C[0, 0] * _FIRST + over(curvature(m) * contraction(m) ** (2 * steps) * C[m, m])),
        ),
        "sigma^4: right for sigma = 1",
    ),
    Falsehood("X-LOSS", "zero sum", "factor", Eq(initial_distance, (p - 1) * variance + (mu - w0_star) ** 2), "p - 1"),
    Falsehood("X-LOSS", "zero sum", "term", Eq(initial_distance, p * variance + mu**2 + w0_star**2), "mu w0* = 0 only"),
    Falsehood(
        "X-LOSS",
        "aligned",
        "edge",
        Eq(loss_unc - loss_corr, r * variance * (over(curvature(m) * contraction(m) ** (2 * steps)) - _FIRST)),
        "1 for p - 1: right for p = 2 only",
    ),
    Falsehood(
        "X-LOSS",
        "aligned",
        "exponent",
        Eq(loss_unc - loss_corr, r**2 * variance * (_OTHERS - (p - 1) * _FIRST)),
        "r^2: right for r in {0, 1}",
    ),
    Falsehood(
        "X-LOSS", "crossing", "strictness", Equivalent(loss_corr <= loss_unc, CROSSED), "equal losses: p = 1, or r = 0"
    ),
    Falsehood(
        "X-LOSS", "one crossing", "strictness", Implies(loss_corr <= loss_unc, loss_corr_next < loss_unc_next), "r = 0"
    ),
    Falsehood(
        "X-LOSS",
        "one crossing",
        "sign",
        Implies(loss_corr_next <= loss_unc_next, loss_corr <= loss_unc),
        "no lead at k = 0",
    ),
    Falsehood(
        "X-LOSS",
        "edge",
        "index",
        Eq(
            loss_unc - loss_corr,
            r
            * variance
            * (
                Sum(curvature(m) * contraction(m) ** (2 * steps), (m, 2, p - 1))
                - (p - 1) * curvature(1) * contraction(1) ** (2 * steps)
            ),
        ),
        "coordinate 0 left out: right once it has converged",
    ),
    Falsehood(
        "X-LOSS",
        "updates saved",
        "factor",
        Abs(steps_unc[i] - steps_corr[i] - 2 * log_gain[i] / rate[i]) < 1,
        "2 for 1/2",
    ),
    Falsehood("X-LOSS", "updates saved", "quantity", Eq(log_gain[i], log(1 + r)), "to first order in r"),
    Falsehood("X-LOSS", "updates lost", "quantity", Eq(log_gain[1], -log(1 + p * r)), "p for p - 1"),
    Falsehood("X-LOSS", "updates lost", "quantity", Eq(log_gain[1], log(1 / (1 - r))), "the gain of the others"),
    Falsehood(
        "X-LOSS",
        "ReLU, active starts",
        "index",
        Eq(
            active_loss,
            _FIRST * active_moment[0] + over(curvature(m) * contraction(m) ** (2 * steps) * active_moment[0]),
        ),
        "moment 0 for all",
    ),
    Falsehood("X-LOSS", "ReLU, active starts", "term", Eq(active_loss, _FIRST * active_moment[0]), "p = 1 only"),
    Falsehood(
        "X-LOSS",
        "ReLU, floor",
        "exponent",
        relu_loss >= 2 * probability * (1 + d[0]) ** 2 * w0_star**2,
        "twice, (1 + d0)^2",
    ),
    Falsehood("X-LOSS", "ReLU, floor", "bound", relu_loss >= (1 + d[0] ** 2) * w0_star**2, "P(dead) = 1 only"),
)
