"""When a coordinate of the gradient changes sign between updates, and what GradientSignChanges is (Schneider, 3.2, 6).

Three regimes: full batch in the frame of Theorem 1, full batch in any other orthonormal frame, heavy-ball momentum.
Errors are e = w - w*; h_j = E[X_j^2] is the second moment of the samples along coordinate j,
on the grid h_0 = 1 + d_0^2 and h_i = d_i^2. A run makes `steps` updates, so there are steps - 1 pairs of consecutive
gradients. `full_batch_flip` and `heavy_ball_frequency` are plain expressions that figures can evaluate; the regime of
one sample per update is in `zigzag_samples`.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater, less
from theory.derive.single_filter import theorem_1
from theory.symbols import all_active, d, gap, i, j, lam, p, steps, w, w0_star

h = sp.IndexedBase("h", real=True, nonnegative=True)
"""h_j = E[X_j^2] over all samples."""
g = sp.IndexedBase("g", real=True)
"""The gradient at the first update."""
flip = sp.IndexedBase("flip", real=True, nonnegative=True)
"""|sign g_j - sign g_j'| / 2 between the first two updates: 0, 1/2 or 1."""
flips = sp.IndexedBase("flips", real=True, nonnegative=True)
"""The sum of these over all pairs of consecutive updates."""
gsc, gsc_other = sp.symbols("gsc gsc_other", nonnegative=True)
"""GradientSignChanges between the first two updates, from one start and from another."""
mean_gsc = sp.Symbol("mean_gsc", nonnegative=True)
"""GradientSignChanges, mean over all pairs of consecutive updates of a run."""
most_gsc = sp.Symbol("most_gsc", nonnegative=True)
"""GradientSignChanges at the pair of consecutive updates of a run where it is largest."""
sqrt_mu = sp.Symbol("sqrt_mu", positive=True)
"""The square root of the momentum mu, 0 < mu < 1."""
theta = sp.IndexedBase("theta", real=True)
"""The angle of the eigenvalues of the update of (e_j, v_j) under momentum mu; 0 or pi where they are real."""

_SLOW = "2 lam h_j < 1 for every eigenvalue h_j"
_n = sp.Symbol("n", integer=True, nonnegative=True)
_x, _mu, _k = sp.Symbol("x", positive=True), sp.Symbol("mu", positive=True), sp.Symbol("k", integer=True, positive=True)


def full_batch_flip(index: sp.Expr) -> sp.Expr:
    """The flip of coordinate j in full batch: 1 if 2 lam h_j > 1, 1/2 if equal, else 0; and 0 where g_j = 0."""
    return sp.Abs(sp.sign(g[index])) * (1 - sp.sign(1 - 2 * lam * h[index])) / 2


def heavy_ball_frequency(x: sp.Expr, mu: sp.Expr) -> sp.Expr:
    """Long-run share of updates at which a mode of curvature x = 2 lam h changes sign under momentum mu, in [0, 1]."""
    return sp.Piecewise(
        (0, x <= (1 - sp.sqrt(mu)) ** 2),
        (1, x >= (1 + sp.sqrt(mu)) ** 2),
        (sp.acos((1 + mu - x) / (2 * sp.sqrt(mu))) / sp.pi, True),
    )


TRUE_FLIP = sp.Eq(flip[j], full_batch_flip(j))
TRUE_FLIPS = sp.Eq(flips[j], full_batch_flip(j) * (1 + (steps - 2) * sp.Abs(sp.sign(1 - 2 * lam * h[j]))))
TRUE_GSC = sp.Eq(gsc, sp.Sum(full_batch_flip(_n) / p, (_n, 0, p - 1)))
GRID_MOMENTS = sp.And(sp.Eq(h[0], 1 + d[0] ** 2), sp.Eq(h[i], d[i] ** 2))

FEW_IN_ALL = sp.Le(mean_gsc, (p - 1) ** 2 / (p * (steps - 1)))
"""Reached from p updates on: in frames with entries of suitable signs, by errors that decay one after another."""

NEVER_ALL = sp.Le(most_gsc, (p - 1) / p)
"""Reached, in the same frames."""

generic = sp.Symbol("generic")
"""No coordinate of the gradient is zero at either start (observed)."""

LOWER, UPPER = (1 - sqrt_mu) ** 2, (1 + sqrt_mu) ** 2
"""The values of 2 lam h between which a mode oscillates under momentum mu."""
TRUE_NEVER = sp.Implies(2 * lam * h[j] <= LOWER, sp.Eq(flips[j], 0))
TRUE_ALWAYS = sp.Implies(2 * lam * h[j] >= UPPER, sp.Eq(flips[j], steps - 1))
OSCILLATES = sp.And(2 * lam * h[j] > LOWER, 2 * lam * h[j] < UPPER)
TRUE_ANGLE = sp.Implies(OSCILLATES, sp.Eq(2 * sqrt_mu * sp.cos(theta[j]), 1 + sqrt_mu**2 - 2 * lam * h[j]))
COUNT = sp.Abs(flips[j] - (steps - 1) * theta[j] / sp.pi) <= 1
TRUE_COUNT = sp.Implies(OSCILLATES, COUNT)


def _sign_cases() -> tuple[Step, ...]:
    up, down = sp.Symbol("r", positive=True), sp.Symbol("s", negative=True)

    def case(rho: sp.Expr) -> sp.Equality:
        law = full_batch_flip(j).subs(h[j], (1 - rho) / (2 * lam))
        return sp.Eq(sp.Abs(sp.sign(g[j]) - sp.sign(rho * g[j])) / 2, law)

    return (
        Step("rho_j > 0: the sign stays", case(up)),
        Step("rho_j = 0: half a change, and none after", case(sp.Integer(0))),
        Step("rho_j < 0: a change at every update", case(down)),
    )


@cache
def full_batch() -> Derivation:
    """g_j is multiplied by rho_j = 1 - 2 lam h_j at each update, so its sign follows that of rho_j alone (F1).

    GradientSignChanges is the share of coordinates with 2 lam h_j > 1, the same at every update and, up to the zeros
    of the gradient, from every start: nothing about correlated initial weights follows from Theorem 1.
    """
    sf, below = theorem_1, sp.Symbol("u", nonnegative=True)
    rest = sp.Symbol("rest", nonnegative=True)
    by_0, by_i = 1 - 2 * lam * (1 + d[0] ** 2), 1 - 2 * lam * d[i] ** 2
    steps_ = (
        *sf.theorem_1().steps,
        Step("e_0 is multiplied by 1 - 2 lam (1 + d_0^2)", equal(sf.TRUE_E3.rhs - w0_star, -by_0 * gap)),
        Step("and e_i by 1 - 2 lam d_i^2", equal(sf.TRUE_E4.rhs, by_i * w[i])),
        Step(
            "the gradient is 2 h_0 e_0 along coordinate 0, in the same proportion",
            equal(-sf.TRUE_E7.rhs.subs(w[0], sf.TRUE_E3.rhs), -by_0 * sf.TRUE_E7.rhs),
        ),
        Step(
            "and 2 h_i e_i along coordinate i",
            equal(-sf.TRUE_E9.rhs.subs(w[i], sf.TRUE_E4.rhs), -by_i * sf.TRUE_E9.rhs),
        ),
        *_sign_cases(),
        *sf.steepest_first(),
        Step(
            "so 1 - 2 lam h_0 <= 1 - 2 lam h_i",
            at_least((1 - 2 * lam * rest) - (1 - 2 * lam * (rest + below)), 0),
        ),
    )
    first = sp.Implies(sp.Ne(g[0], 0), flip[i] <= flip[0])
    same = sp.Implies(generic, sp.Eq(gsc, gsc_other))
    return Derivation(
        (TRUE_FLIP, TRUE_FLIPS, TRUE_GSC, GRID_MOMENTS, first, same), sf.USED, steps_, needs=(all_active,)
    )


@cache
def other_frames() -> Derivation:
    """In any orthonormal frame a gradient coordinate is sum_j c_j rho_j^k, and changes sign at most p - 1 times (F2).

    Descartes' rule of signs for exponential sums with bases rho_j > 0: no more often than the coefficients c_j, in the
    order of their bases, do. By induction: divided by rho^k, which keeps all signs, a sequence changes sign at most
    once more often than its differences do (Rolle), and for a rho between two bases whose coefficients differ in sign,
    differencing turns all signs on one side. A zero counts half on either side, which Rolle's argument allows.

    The coefficients of two neighbouring bases, taken over all coordinates, are multiples of two columns of the frame,
    which are orthogonal: they cannot differ in sign in every coordinate. So p - 1 neighbours bring at most p - 1
    changes each, (p - 1)^2 in all coordinates together. (A zero coefficient takes the sign of the one before it; a
    column that differs everywhere from the one before has no zero, and the argument stands. Equal bases count as one.)
    """
    c, rho = sp.Symbol("c", real=True), sp.Symbol("rho", positive=True)
    other, power = sp.Symbol("rho_p", positive=True), sp.Symbol("k", integer=True, nonnegative=True)
    above, one, another = sp.symbols("gap a b", positive=True)
    products = sp.Symbol("s", nonnegative=True)
    steps_ = (
        *full_batch().steps,
        Step(
            "the difference s_(k+1) - rho s_k, term by term",
            equal(c * rho ** (power + 1) - other * c * rho**power, c * (rho - other) * rho**power),
        ),
        Step("keeps the sign of c for larger bases", greater((other + above) - other, 0)),
        Step("and turns it for smaller ones", less(rho - (rho + above), 0)),
        Step("one term keeps its sign", equal(sp.sign(c * rho ** (power + 1)), sp.sign(c * rho**power))),
        Step(
            "columns that differ in sign everywhere: one coordinate more, and sum |a_n| |b_n| is still above 0",
            greater(products + one * another, 0),
        ),
        Step(
            "(p - 1) changes for each of p - 1 neighbours, spread over p coordinates and the pairs",
            equal((p - 1) * (p - 1) / (p * _k), (p - 1) ** 2 / (p * _k)),
        ),
    )
    few = sp.Le(flips[j], p - 1)
    return Derivation(
        (few, FEW_IN_ALL),
        (*theorem_1.USED[:2], _SLOW),
        steps_,
        needs=(all_active, sp.Lt(2 * lam * (1 + d[0] ** 2), 1)),
    )


@cache
def never_all_at_once() -> Derivation:
    """Below the threshold no update turns the whole gradient: of p coordinates at most p - 1 change sign, in any frame.

    g' = (I - 2 lam H) g has g.g' > 0, whatever the samples are, and g.g' is the sum over the coordinates of any
    orthonormal frame of the products of the two gradients there. A coordinate that changes, wholly or by half, has a
    product of at most 0; so one that does not change is left.
    """
    share, rho, kept, next_ = sp.symbols("a rho g_k g_k'", positive=True)
    rest = sp.Symbol("rest", nonnegative=True)
    steps_ = (
        *full_batch().steps,
        Step(
            "a mode a is multiplied by rho = 1 - 2 lam h, and 2 lam h < 1",
            equal((1 - 2 * lam * h[j]).subs(h[j], (1 - rho) / (2 * lam)), rho),
        ),
        Step("g.g' = sum rho a^2 is above 0, unless g = 0", greater(rho * share**2 + rest, 0)),
        Step(
            "so not every product g_k g_k' is at most 0; a coordinate with one above 0, of either sign, counts",
            equal(sp.Abs(sp.sign(kept) - sp.sign(next_)) + sp.Abs(sp.sign(-kept) - sp.sign(-next_)), sp.Integer(0)),
        ),
        Step("and the others 1 at most", equal((p - 1) * 1 / p, NEVER_ALL.rhs)),
    )
    return Derivation(
        (NEVER_ALL,),
        (*theorem_1.USED[:2], _SLOW),
        steps_,
        needs=(all_active, sp.Lt(2 * lam * (1 + d[0] ** 2), 1)),
    )


@cache
def heavy_ball() -> Derivation:
    """A mode under v <- mu v + g, w <- w - lam v: e_(k+1) = (1 + mu - 2 lam h) e_k - mu e_(k-1) (F3).

    Complex roots sqrt(mu) exp(+-i theta) give e_k = A mu^(k/2) cos(k theta + phi): in steps - 1 pairs the phase passes
    (steps - 1) theta / pi half turns, and a zero in each up to one. From rest, positive roots give no sign change and
    negative ones give one at every update: with theta = 0 and theta = pi that is the same law.
    """
    before, velocity = sp.symbols("e_before v", real=True)
    angle, phase = sp.symbols("theta phi", real=True)
    error = before - lam * velocity
    following = error - lam * (_mu * velocity + _x / lam * error)
    update = sp.Matrix([[1 - _x, -lam * _mu], [_x / lam, _mu]])
    cosine = (1 + _mu - _x) / (2 * sp.sqrt(_mu))
    steps_ = (
        *theorem_1.theorem_1().steps,
        Step("the update of (e, v) has trace 1 + mu - x", equal(update.trace(), 1 + _mu - _x)),
        Step("and determinant mu", equal(update.det(), _mu)),
        Step("eliminate v, x = 2 lam h, g = 2 h e", equal(following, (1 + _mu - _x) * error - _mu * before)),
        Step(
            "the discriminant of z^2 - (1 + mu - x) z + mu is negative between the bounds only",
            equal((1 + sqrt_mu**2 - _x) ** 2 - 4 * sqrt_mu**2, (_x - LOWER) * (_x - UPPER)),
        ),
        Step(
            "there cos(k theta + phi) mu^(k/2) obeys the recursion",
            equal(sp.cos(phase + angle) + sp.cos(phase - angle), 2 * sp.cos(angle) * sp.cos(phase)),
        ),
        Step("with 2 sqrt(mu) cos theta = 1 + mu - x", equal(2 * sp.sqrt(_mu) * sp.cos(sp.acos(cosine)), 1 + _mu - _x)),
        *_real_roots(),
        Step(
            "negative roots, theta = pi: a change at each of steps - 1 pairs",
            equal((steps - 1) * sp.pi / sp.pi, steps - 1),
        ),
        Step(
            "at mu = 0.8 the lower bound is (1 - sqrt(0.8))^2 = 0.011",
            equal((1 - sp.sqrt(sp.Rational(4, 5))) ** 2, 1 / (45 + 20 * sp.sqrt(5))),
        ),
    )
    used = (*theorem_1.USED, "0 < mu < 1", "v = 0 before the first update", "g_j != 0 at it")
    results = (TRUE_NEVER, TRUE_ALWAYS, TRUE_ANGLE, TRUE_COUNT, COUNT)
    return Derivation(results, used, steps_, needs=(all_active, generic))


def _real_roots() -> tuple[Step, ...]:
    """Roots of one sign, of size r >= s > 0, r s = mu < 1; from rest e_1 = (1 - x) e_0 (a double root: the limit)."""
    r, s = sp.symbols("r s", positive=True)
    total, product = r + s, r * s

    def mode(k: int, sign: int) -> sp.Expr:
        return ((r - sign * product) * r**k - (s - sign * product) * s**k) / (r - s)

    return (
        Step("positive roots have 1 + mu - x = r + s, so e_1 = (r + s - r s) e_0", equal(mode(1, 1), total - product)),
        Step("and e_k = ((r - mu) r^k - (s - mu) s^k)/(r - s) e_0", equal(mode(2, 1), total * mode(1, 1) - product)),
        Step("r and s are below 1, since (1 - r)(1 - s) = x > 0", equal((1 - r) * (1 - s), 1 + product - total)),
        Step("so r - mu = r (1 - s) > 0, and exceeds s - mu by r - s", equal(r * (1 - s) - s * (1 - r), r - s)),
        Step("r^k >= s^k by induction, so e_k keeps its sign", equal(r ** (_k + 1) - s ** (_k + 1), _increase(r, s))),
        Step(
            "negative roots have x - 1 - mu = r + s, so -e_1 = (r + s + r s) e_0", equal(mode(1, -1), total + product)
        ),
        Step(
            "and (-1)^k e_k = ((r + mu) r^k - (s + mu) s^k)/(r - s) e_0, of the sign of e_0",
            equal(mode(2, -1), total * mode(1, -1) - product),
        ),
    )


def _increase(r: sp.Expr, s: sp.Expr) -> sp.Expr:
    return r * (r**_k - s**_k) + (r - s) * s**_k
