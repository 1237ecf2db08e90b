"""The expected loss over random starts, correlated or not, for general p (after Schneider, Theorem 1).

A start is a random filter of p pixels with mean mu w*/|w*| (mu = 0: centred) and covariance sigma^2 R, R a correlation
matrix; nothing else of its law matters, it need not be Gaussian. An orthogonal Q with Q e0 = w*/|w*| takes the frame
of the grid to the frame of the pixels, so that the start has covariance sigma^2 C, C = Q^T R Q, in the frame of the
grid. Under the linear rule (Theorem 1 with every sample counted, active or not) the error of coordinate j contracts by
1 - 2 lam h_j per update, h_0 = 1 + d_0^2, h_i = d_i^2. The ReLU rule is the same only while every sample is active,
which no centred start is with probability above 1/2.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.single_filter.theorem_1 import TRUE_E3, TRUE_E4, steepest_first, theorem_1
from theory.symbols import coordinate, d, grid_expectation, i, lam, m, over, p, steps, w, w0_star

variance = sp.Symbol("variance", positive=True)
"""sigma^2, the variance of every pixel of a start."""
mu = sp.Symbol("mu", real=True)
"""The mean of a start is mu e0 in the frame of the grid."""
r = sp.Symbol("r", nonnegative=True)
"""The correlation of any two pixels, in [0, 1]: R has 1 on and r off the diagonal."""
C = sp.IndexedBase("C", real=True)
"""C = Q^T R Q: sigma^2 C is the covariance of a start in the frame of the grid."""
expected_loss = sp.Symbol("expected_loss", nonnegative=True)
"""The mean over starts of the loss after k updates of the linear rule."""
initial_distance = sp.Symbol("initial_distance", nonnegative=True)
"""The mean over starts of |w - w*|^2."""
loss_corr, loss_unc = sp.symbols("loss_corr loss_unc", nonnegative=True)
"""`expected_loss` for R with correlation r, and for R = I."""
loss_corr_next, loss_unc_next = sp.symbols("loss_corr_next loss_unc_next", nonnegative=True)
"""The same one update later."""
steps_corr, steps_unc = (sp.IndexedBase(name, real=True) for name in ("steps_corr", "steps_unc"))
"""[j]: the first update after which the mean of (w_j - w*_j)^2 is at most `precision`, for correlation r and 0."""
precision = sp.Symbol("precision", positive=True)
"""A bound on a mean squared error."""
rate = sp.IndexedBase("rate", positive=True)
"""[j]: ln(1/|rho_j|), by how much the logarithm of the error of coordinate j falls per update."""
log_gain = sp.IndexedBase("log_gain", real=True)
"""[j]: the logarithm of E (w_j - w*_j)^2 of the uncorrelated start over that of the correlated one."""

LINEAR_RULE = "the linear rule: every sample counts, active or not (under ReLU: while every sample is active)"
ALIGNED = "w* is along (1, ..., 1), all pixels equal"
EDGE = "w* is orthogonal to (1, ..., 1), which is the grid's direction e_1"
MOMENTS = "of the law of the start only its mean mu e0 and its covariance sigma^2 R"


def curvature(index: sp.Expr | int) -> sp.Expr:
    """h_0 = 1 + d_0^2, h_i = d_i^2: the second moment of coordinate `index` of the samples."""
    return 1 + d[0] ** 2 if index == 0 else d[index] ** 2


def contraction(index: sp.Expr | int) -> sp.Expr:
    """rho_j = 1 - 2 lam h_j: what one update multiplies the error of coordinate `index` by."""
    return 1 - 2 * lam * curvature(index)


def weight(index: sp.Expr | int, k: sp.Expr = steps) -> sp.Expr:
    """h_j rho_j^(2k): what an initial squared error of 1 in coordinate `index` adds to the loss after k updates."""
    return curvature(index) * contraction(index) ** (2 * k)


GENERAL_LOSS = sp.Eq(
    expected_loss, weight(0) * (variance * C[0, 0] + (mu - w0_star) ** 2) + over(variance * weight(m) * C[m, m])
)
GENERAL_DISTANCE = sp.Eq(initial_distance, p * variance + (mu - w0_star) ** 2)
_FROM_2 = (m, 2, p - 1)
ALIGNED_LOSS = sp.Eq(
    loss_corr,
    weight(0) * (variance * (1 + (p - 1) * r) + (mu - w0_star) ** 2) + variance * (1 - r) * over(weight(m)),
)
EDGE_LOSS = sp.Eq(
    loss_corr,
    weight(0) * (variance * (1 - r) + (mu - w0_star) ** 2)
    + variance * (1 + (p - 1) * r) * weight(1)
    + variance * (1 - r) * sp.Sum(weight(m), _FROM_2),
)


def aligned_lead(k: sp.Expr = steps) -> sp.Expr:
    """sum_{i>0} h_i rho_i^(2k) - (p - 1) h_0 rho_0^(2k): its sign says which start leads, whatever r and sigma."""
    return over(weight(m, k)) - (p - 1) * weight(0, k)


ALIGNED_GAP = sp.Eq(loss_unc - loss_corr, variance * r * aligned_lead())
EDGE_GAP = sp.Eq(loss_unc - loss_corr, variance * r * (weight(0) + sp.Sum(weight(m), _FROM_2) - (p - 1) * weight(1)))
CROSSED = sp.Lt((p - 1) * weight(0), over(weight(m)))
"""(p - 1) h_0 rho_0^(2k) < sum_{i>0} h_i rho_i^(2k): the correlated start leads after k updates."""
LEADS = sp.Lt(loss_corr, loss_unc)
STAYS_AHEAD = sp.Implies(sp.Le(loss_corr, loss_unc), sp.Le(loss_corr_next, loss_unc_next))


def start_mean(expression: sp.Expr) -> sp.Expr:
    """The mean over starts of an expression at most quadratic in w: E[w_j] = mu [j = 0], Cov(w_j, w_l) = sigma^2 C_jl.

    Raises ValueError for a higher degree.
    """
    total = sp.Integer(0)
    for term in sp.Add.make_args(sp.expand(expression)):
        factor, body = term.as_independent(sp.Sum)
        if isinstance(body, sp.Sum):
            total += factor * sp.Sum(start_mean(body.function), *body.limits)
            continue
        found: list[sp.Expr] = []
        rest = sp.Integer(1)
        for part in sp.Mul.make_args(term):
            base, power = part.as_base_exp()
            if isinstance(base, sp.Indexed) and base.base == w:
                found += [base.indices[0]] * int(power)
            else:
                rest *= part
        total += rest * _moment(found)
    return total


def _moment(found: list[sp.Expr]) -> sp.Expr:
    if len(found) > 2:
        raise ValueError(f"expression must be at most quadratic in w, got degree {len(found)}")
    mean = sp.prod(mu if index == 0 else 0 for index in found)
    return mean + variance * C[found[0], found[1]] if len(found) == 2 else mean


def loss_steps() -> tuple[Step, ...]:
    """The loss at w, and after k updates of the linear rule, as sums over the coordinates."""
    error = w0_star * coordinate(0) - w[0] * coordinate(0) - over(w[m] * coordinate(m))
    here = curvature(0) * (w0_star - w[0]) ** 2 + over(curvature(m) * w[m] ** 2)
    one_more = contraction(i) ** steps * contraction(i)
    return (
        *theorem_1().steps,
        Step("the loss: cross terms vanish over the grid", equal(grid_expectation(error**2), sp.expand(here))),
        Step("the error of w_0 after an update", equal(w0_star - TRUE_E3.rhs, contraction(0) * (w0_star - w[0]))),
        Step("the error of w_i after an update", equal(TRUE_E4.rhs, contraction(i) * w[i])),
        Step("by induction, rho_j^k after k updates", equal(one_more, contraction(i) ** (steps + 1))),
        Step(
            "so an initial squared error counts h_j rho_j^(2k) times",
            equal(curvature(i) * (contraction(i) ** steps * w[i]) ** 2, weight(i) * w[i] ** 2),
        ),
    )


@cache
def expected_loss_of_starts() -> Derivation:
    """E L_k = h_0 rho_0^(2k) (sigma^2 C_00 + (mu - w*_0)^2) + sigma^2 sum_{i>0} h_i rho_i^(2k) C_ii.

    That is tr(H (I - 2 lam H)^(2k) E[e e^T]) with H = diag(h) and e = w - w*: only the diagonal of C enters.
    """
    squared_distance = (w[0] - w0_star) ** 2 + over(w[m] ** 2)
    pixel, other = (sp.Symbol(name, integer=True, nonnegative=True) for name in ("n", "n2"))
    R = sp.IndexedBase("R", real=True)
    # sum_j Q_nj Q_n'j = [n = n'], since Q is orthogonal
    trace = deltasummation(R[pixel, other] * sp.KroneckerDelta(pixel, other), (other, 0, p - 1), no_piecewise=True)
    steps_ = (
        *loss_steps(),
        Step(
            "the mean over starts of the loss after k updates",
            equal(mean_after_k(), sp.expand(GENERAL_LOSS.rhs, power_base=False, power_exp=False)),
        ),
        Step(
            "of |w - w*|^2: sigma^2 tr C + (mu - w*_0)^2",
            equal(
                start_mean(squared_distance),
                variance * C[0, 0] + over(variance * C[m, m]) + sp.expand((mu - w0_star) ** 2),
            ),
        ),
        Step("tr C = sum_nn' R_nn' sum_j Q_nj Q_n'j = tr R", equal(trace, R[pixel, pixel])),
        Step("tr R = p", equal(sp.Sum(1, (pixel, 0, p - 1)).doit(), p)),
    )
    definitions = (
        sp.Eq(expected_loss, mean_after_k()),
        sp.Eq(initial_distance, start_mean(squared_distance).xreplace({C[0, 0]: p - over(C[m, m])})),
    )
    used = (LINEAR_RULE, MOMENTS, "E[X X^T] = diag(h)")
    return Derivation((GENERAL_LOSS, GENERAL_DISTANCE), used, steps_, definitions)


def mean_after_k() -> sp.Expr:
    """The mean over starts of sum_j h_j (rho_j^k e_j)^2."""
    first = curvature(0) * (contraction(0) ** steps * (w[0] - w0_star)) ** 2
    return start_mean(first + over(curvature(m) * (contraction(m) ** steps * w[m]) ** 2))


def quadratic_form_steps() -> tuple[Step, ...]:
    """q^T R q = r (sum q)^2 + (1 - r) |q|^2: 1 + (p - 1) r along (1, ..., 1)/sqrt(p), 1 - r across it."""
    q = sp.IndexedBase("q", real=True)
    n, other = (sp.Symbol(name, integer=True, nonnegative=True) for name in ("n", "n2"))
    total, square = sp.symbols("T U", real=True)

    def pixels(body: sp.Expr, index: sp.Symbol) -> sp.Expr:
        return sp.Sum(body, (index, 0, p - 1))

    diagonal = deltasummation((1 - r) * q[other] * sp.KroneckerDelta(n, other), (other, 0, p - 1), no_piecewise=True)
    form = r * total**2 + (1 - r) * square
    return (
        Step(
            "row n of R q", equal(pixels(r * q[other], other) + diagonal, r * pixels(q[other], other) + (1 - r) * q[n])
        ),
        Step(
            "times q_n, summed over n, with T = sum q",
            equal(
                pixels(q[n] * (r * total + (1 - r) * q[n]), n),
                r * total * pixels(q[n], n) + (1 - r) * pixels(q[n] ** 2, n),
            ),
        ),
        Step("along (1, ..., 1)/sqrt(p): T^2 = p, U = |q|^2 = 1", equal(r * p + (1 - r), 1 + (p - 1) * r)),
        Step("across it: T = 0, U = 1", equal(form.subs({total: 0, square: 1}), 1 - r)),
    )


@cache
def aligned_losses() -> Derivation:
    """Equal correlations r, w* along (1, ..., 1): C_00 = 1 + (p - 1) r, C_ii = 1 - r.

    E L_k(0) - E L_k(r) = sigma^2 r (sum_{i>0} h_i rho_i^(2k) - (p - 1) h_0 rho_0^(2k)).
    """
    definitions = (
        sp.Eq(loss_corr, mean_after_k().xreplace({C[0, 0]: 1 + (p - 1) * r, C[m, m]: 1 - r})),
        sp.Eq(loss_unc, mean_after_k().xreplace({C[0, 0]: sp.S.One, C[m, m]: sp.S.One})),
    )
    steps_ = (*expected_loss_of_starts().steps, *quadratic_form_steps())
    used = (LINEAR_RULE, MOMENTS, ALIGNED, "equal correlations 0 <= r <= 1")
    return Derivation((ALIGNED_LOSS, ALIGNED_GAP), used, steps_, definitions)


@cache
def aligned_starts() -> Derivation:
    """The correlated start leads after k updates exactly if CROSSED, whatever r > 0 and sigma; a lead is never lost.

    With D_k = sum_{i>0} h_i rho_i^(2k) - (p - 1) h_0 rho_0^(2k), x_i = (rho_i/rho_0)^2 and f(k) = D_k/rho_0^(2k), which
    is convex in k: k f(k+1) - (k+1) f(k) + f(0) = sum_i h_i (k x_i^(k+1) - (k+1) x_i^k + 1) >= 0, and f(0) = D_0 <= 0.
    So D_k >= 0 gives D_(k+1) >= 0 at any learning rate (if rho_0 = 0, D_k >= 0 for every k > 0 anyway).
    """
    lead, positive = sp.symbols("D v", positive=True)
    x, powers = sp.symbols("x s", nonnegative=True)
    start = curvature(i) - curvature(0)

    def convexity(k: sp.Expr) -> sp.Expr:
        return k * x ** (k + 1) - (k + 1) * x**k + 1

    steps_ = (
        *aligned_losses().steps,
        Step("r sigma^2 > 0 times the lead D_k", greater(variance * positive * lead, 0)),
        Step("a summand of D_0 is h_i - h_0, which is not positive", equal(start, d[i] ** 2 - 1 - d[0] ** 2)),
        *steepest_first(),
        Step(
            "convexity, by induction on k from 0: what is added to x times the last",
            equal(convexity(steps) - x * convexity(steps - 1), (x**steps - 1) * (x - 1)),
        ),
        Step("starts at", equal(convexity(sp.S.Zero), 0)),
        Step("and is (x - 1)^2 s >= 0, s = 1 + x + ... + x^(k-1)", at_least((x - 1) ** 2 * powers, 0)),
        Step("the term in h_0 adds nothing", equal(convexity(steps).subs(x, 1), 0)),
    )
    result = (
        sp.Implies(sp.Gt(r, 0), sp.Equivalent(LEADS, CROSSED)),
        sp.Implies(sp.And(sp.Gt(r, 0), CROSSED), LEADS),
        STAYS_AHEAD,
    )
    used = (LINEAR_RULE, MOMENTS, ALIGNED, "equal correlations 0 < r <= 1", "0 <= d_i <= 1")
    return Derivation(result, used, steps_)


@cache
def edge_losses() -> Derivation:
    """Equal correlations r, w* orthogonal to (1, ..., 1): the variance goes to a direction in which w* is zero.

    C_11 = 1 + (p - 1) r, every other C_jj = 1 - r.
    """
    first = curvature(0) * (contraction(0) ** steps * (w[0] - w0_star)) ** 2
    second = curvature(1) * (contraction(1) ** steps * w[1]) ** 2
    mean = start_mean(first + second + sp.Sum(curvature(m) * (contraction(m) ** steps * w[m]) ** 2, _FROM_2))
    definitions = (
        sp.Eq(loss_corr, mean.xreplace({C[0, 0]: 1 - r, C[1, 1]: 1 + (p - 1) * r, C[m, m]: 1 - r})),
        sp.Eq(loss_unc, mean.xreplace({C[0, 0]: sp.S.One, C[1, 1]: sp.S.One, C[m, m]: sp.S.One})),
    )
    steps_ = (*expected_loss_of_starts().steps, *quadratic_form_steps())
    used = (LINEAR_RULE, MOMENTS, EDGE, "equal correlations 0 <= r <= 1")
    return Derivation((EDGE_LOSS, EDGE_GAP), used, steps_, definitions)


def ahead(index: sp.Expr | int, gain: sp.Expr) -> sp.Expr:
    """|N(0) - N(r) - ln(gain)/(2 ln(1/|rho_j|))| < 1, N the number of updates to the precision, gain = 1/C_jj."""
    saved = steps_unc[index] - steps_corr[index]
    return sp.And(
        sp.Eq(log_gain[index], sp.log(gain)),
        sp.Eq(rate[index], -sp.log(sp.Abs(contraction(index)))),
        sp.Lt(sp.Abs(saved - log_gain[index] / (2 * rate[index])), 1),
    )


ALIGNED_STEPS = ahead(i, 1 / (1 - r))
EDGE_STEPS = ahead(1, 1 / (1 + (p - 1) * r))


@cache
def steps_to_precision() -> Derivation:
    """A correlated start is ahead by a fixed number of updates, not by a factor, to any precision and for any sigma.

    E (w_j - w*_j)^2 = rho_j^(2k) sigma^2 C_jj, w*_j = 0, falls to the precision at the real number
    T(C_jj) = ln(sigma^2 C_jj/precision)/(2 ln(1/|rho_j|)), and T(1) - T(C_jj) = ln(1/C_jj)/(2 ln(1/|rho_j|)).
    """
    share, size = sp.symbols("c q", positive=True)
    early, late = sp.Symbol("f", nonnegative=True), sp.Symbol("u", positive=True)
    fall = 2 * sp.log(1 / size)

    def time(value: sp.Expr) -> sp.Expr:
        return sp.log(variance * value / precision) / fall

    steps_ = (
        *loss_steps(),
        *quadratic_form_steps(),
        Step(
            "2 T ln|rho| + ln(sigma^2 C_jj) is ln(precision)",
            equal(2 * time(share) * sp.log(size) + sp.log(variance * share), sp.log(precision)),
        ),
        Step("the difference between starts", equal(time(sp.S.One) - time(share), sp.log(1 / share) / fall)),
        Step(
            "rounding up adds f and 1 - u, both in [0, 1), u > 0: less than 1 either way",
            greater(1 - ((1 - late) - early), 0),
            certificate=late + early,
        ),
    )
    used = (LINEAR_RULE, MOMENTS, "mu = 0", "the precision is below the initial error", "0 < |rho_j| < 1, r < 1")
    return Derivation((ALIGNED_STEPS, EDGE_STEPS), used, steps_, needs=(sp.Lt(lam * curvature(0), 1),))
