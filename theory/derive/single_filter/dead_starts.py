"""How likely a random start is dead or all active on the grid (Schneider, Section 3.2, assumption 4 and its loosening).

With c = 1 - d_0, all samples are active exactly if c w_0 > sum_{i>0} |w_i| d_i. A start is centred Gaussian with
covariance sigma^2 C in the frame of the grid, C = Q^T R Q; sigma cancels. For independent coordinates with scales s_j
the probability is one integral for any p (Gil-Pelaez); for p = 2 and 3 it is an angle and a solid angle for any C.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.single_filter.alignment import probability
from theory.derive.single_filter.initialisation import C, quadratic_form_steps
from theory.symbols import d, p

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

share_dead, share_active = sp.symbols("share_dead share_active", nonnegative=True)
"""The share of starts that are dead, and that are all active."""
dead = sp.Symbol("dead")
"""No sample has w.X > 0 (observed by enumeration)."""
mirror_active = sp.Symbol("mirror_active")
"""Every sample has (-w).X > 0 (observed by enumeration)."""
largest = sp.Symbol("largest", real=True)
"""The largest w.X over all samples."""
dead_corr, dead_unc = sp.symbols("dead_corr dead_unc", nonnegative=True)
"""`share_dead` for correlation r, and for R = I."""

MIRROR = sp.Equivalent(dead, mirror_active)
EQUALLY_LIKELY = sp.Eq(share_dead, share_active)
GAUSSIAN = "the start is centred Gaussian"
GIRARD = "Girard: a convex cone with n faces has solid angle (sum of its dihedral angles) - (n - 2) pi"

_c = 1 - d[0]


def _cosine(first: tuple[int, ...], second: tuple[int, ...]) -> sp.Expr:
    """The correlation of n.w and n'.w, n = (c, +-d_1, ...): samples, and normals of the faces."""

    def form(a: tuple[int, ...], b: tuple[int, ...]) -> sp.Expr:
        left, right = ([_c, *(sign * d[k + 1] for k, sign in enumerate(signs))] for signs in (a, b))
        # C is symmetric: only its upper half is named
        return sum(left[k] * right[n] * C[min(k, n), max(k, n)] for k in range(len(left)) for n in range(len(right)))

    return form(first, second) / sp.sqrt(form(first, first) * form(second, second))


EDGES = (((1, 1), (1, -1)), ((-1, -1), (-1, 1)), ((1, 1), (-1, 1)), ((-1, -1), (1, -1)))
"""For p = 3, the four pairs of neighbours among the samples with a_0 = -d_0, by the signs of a_1 and a_2."""
rho = sp.IndexedBase("rho", real=True)
"""[e]: the correlation over starts of w.X and w.X' for pair e of `EDGES`; for p = 2, of the two with a_0 = -d_0."""
ANGLE_2 = sp.Eq(share_active, sp.Rational(1, 2) - sp.acos(rho[0]) / (2 * sp.pi))
ANGLE_3 = sp.Eq(share_active, sp.Rational(1, 2) - sum(sp.acos(rho[e]) for e in range(4)) / (4 * sp.pi))
INTEGRAL = sp.And(sp.Eq(share_active, probability), sp.Eq(share_dead, probability))
HALF = sp.And(sp.Eq(share_dead, sp.Rational(1, 2)), sp.Eq(share_active, sp.Rational(1, 2)))
RISES, FALLS = sp.Ge(dead_corr, dead_unc), sp.Le(dead_corr, dead_unc)


@cache
def mirrored() -> Derivation:
    """w -> -w turns a dead start into an all-active one, but for ties: so they are equally likely."""
    first, spread, a0 = sp.Symbol("w0", real=True), sp.Symbol("S", real=True), sp.Symbol("d0", real=True)

    def top(value: sp.Expr) -> sp.Expr:
        return value + sp.Abs(value) * a0 + spread

    def bottom(value: sp.Expr) -> sp.Expr:
        return value - sp.Abs(value) * a0 - spread

    steps_ = (
        Step("min (-w).X = -max w.X, S = sum_{i>0} |w_i| d_i", equal(bottom(-first), -top(first))),
        Step("for w_0 >= 0 the least w.X is", equal((first - first * a0 - spread), first * (1 - a0) - spread)),
    )
    used = ("no tie max w.X = 0 (which has probability zero if the start has a density and d is not zero)",)
    return Derivation((MIRROR, EQUALLY_LIKELY), (*used, "the law of the start is symmetric, w ~ -w"), steps_)


@cache
def two_weights() -> Derivation:
    """p = 2, any covariance: P = 1/2 - arccos(rho_0)/(2 pi), the angle of a wedge after whitening.

    For C = diag(s_0^2, s_1^2) that is arctan(c s_0/(d_1 s_1))/pi.
    """
    A, B = sp.symbols("A B", positive=True)
    cosine = _cosine((1,), (-1,)).subs(C[0, 1], 0)
    tangent = B / A
    steps_ = (
        Step(
            "n.Cn' of the normals (c, d_1) and (c, -d_1)",
            equal((_cosine((1,), (-1,)) ** 2).as_numer_denom()[0], (_c**2 * C[0, 0] - d[1] ** 2 * C[1, 1]) ** 2),
        ),
        Step(
            "without C_01: (A^2 - B^2)/(A^2 + B^2), A = c s_0, B = d_1 s_1, which is cos(2 arctan(B/A))",
            equal((A**2 - B**2) / (A**2 + B**2), (1 - tangent**2) / (1 + tangent**2)),
        ),
        Step(
            "its square",
            equal(cosine**2, ((_c**2 * C[0, 0] - d[1] ** 2 * C[1, 1]) / (_c**2 * C[0, 0] + d[1] ** 2 * C[1, 1])) ** 2),
        ),
    )
    return Derivation((ANGLE_2,), (GAUSSIAN, "d_0 < 1"), steps_)


@cache
def three_weights() -> Derivation:
    """p = 3, any covariance: P = 1/2 - (sum of arccos(rho_e) over four edges)/(4 pi), a solid angle after whitening.

    For independent coordinates, A = c s_0, B = d_1 s_1, D = d_2 s_2, it is
    1/2 - (arctan(D/sqrt(A^2 + B^2)) + arctan(B/sqrt(A^2 + D^2)))/pi.
    """
    A, B, D = sp.symbols("A B D", positive=True)
    angles = sp.symbols("x_0:4")
    solid = sum(sp.pi - angle for angle in angles) - 2 * sp.pi
    tangent = D / sp.sqrt(A**2 + B**2)
    steps_ = (
        Step(
            "Girard, with dihedral angles pi - arccos(rho)",
            equal(solid / (4 * sp.pi), sp.Rational(1, 2) - sum(angles) / (4 * sp.pi)),
        ),
        Step(
            "independent coordinates, faces that differ in the sign of d_2: cos(2 arctan(D/sqrt(A^2 + B^2)))",
            equal((A**2 + B**2 - D**2) / (A**2 + B**2 + D**2), (1 - tangent**2) / (1 + tangent**2)),
        ),
    )
    return Derivation((ANGLE_3,), (GAUSSIAN, "d_0 < 1", GIRARD), steps_)


@cache
def any_weights() -> Derivation:
    """Independent coordinates, any p: P = 1/2 + (1/pi) int_0^inf Im[phi(t)]/t dt, phi the characteristic function.

    Y = c w_0 - sum_{i>0} d_i |w_i| has phi(t) = exp(-(c s_0 t)^2/2) prod_i conj(W(t d_i s_i/sqrt(2))), since
    E exp(i t |z|) = W(t/sqrt(2)) = exp(-t^2/2) (1 + i erfi(t/sqrt(2))) for a standard normal z; W is the Faddeeva
    function.
    """
    t, x = sp.symbols("t x", real=True)
    bell = sp.exp(-(x**2) / 2)
    sine = sp.exp(-(t**2) / 2) * sp.erfi(t / sp.sqrt(2))
    cosine = sp.exp(-(t**2) / 2)
    steps_ = (
        Step(
            "d/dt of the integrand of E sin(t|z|), by parts in x",
            equal(sp.diff(bell * sp.sin(t * x), t), -sp.diff(bell * sp.cos(t * x), x) - t * bell * sp.sin(t * x)),
        ),
        Step(
            "so f(t) = E sin(t|z|) solves f' = sqrt(2/pi) - t f; so does",
            equal(sp.diff(sine, t), sp.sqrt(2 / sp.pi) - t * sine),
        ),
        Step("both vanish at t = 0", equal(sine.subs(t, 0), 0)),
        Step(
            "d/dt of the integrand of E cos(t z), by parts in x",
            equal(sp.diff(bell * sp.cos(t * x), t), sp.diff(bell * sp.sin(t * x), x) - t * bell * sp.cos(t * x)),
        ),
        Step("so g(t) = E cos(t z) solves g' = -t g, g(0) = 1; so does", equal(sp.diff(cosine, t), -t * cosine)),
    )
    used = (GAUSSIAN, "independent coordinates in the frame of the grid", "Gil-Pelaez: P(Y > 0) from phi")
    return Derivation((INTEGRAL,), used, steps_)


def probability_all_active(d: NDArray[np.float64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(all active) = P(dead) for independent w_j ~ N(0, s_j^2) in the frame of the grid; d, s (..., p); shape (...).

    The integral of `any_weights` in u = ln t, by the trapezoid rule: its integrand is analytic for |Im u| < pi/4 and
    falls off exponentially, so that the step 1/10 leaves an error of about exp(-2 pi (pi/4) 10). Accurate to 1e-12.
    Raises ValueError unless 0 <= d <= 1 and s >= 0, both finite and of the same p.
    """
    import numpy as np
    from scipy.special import wofz

    half_widths, scales = np.asarray(d, dtype=np.float64), np.asarray(s, dtype=np.float64)
    if half_widths.ndim == 0 or scales.ndim == 0 or half_widths.shape[-1] != scales.shape[-1]:
        raise ValueError(f"d and s must have the same last axis, got shapes {half_widths.shape} and {scales.shape}")
    if not np.all((half_widths >= 0) & (half_widths <= 1)):
        raise ValueError(f"d must lie in [0, 1], got {half_widths}")
    if not np.all((scales >= 0) & np.isfinite(scales)):
        raise ValueError(f"s must be finite and not negative, got {scales}")
    half_widths, scales = np.broadcast_arrays(half_widths, scales)
    centre = (1.0 - half_widths[..., 0]) * scales[..., 0]
    spread = half_widths[..., 1:] * scales[..., 1:]
    size = np.hypot(centre, np.sqrt(np.square(spread).sum(axis=-1)))
    unit = np.where(size > 0, size, 1.0)
    log_t = np.arange(-45.0, 45.0, _STEP)
    t = np.exp(log_t) / unit[..., None]
    phi = np.exp(-0.5 * np.square(centre[..., None] * t)).astype(np.complex128)
    for k in range(spread.shape[-1]):
        phi *= np.conj(wofz(t * spread[..., k, None] / np.sqrt(2.0)))
    integral = 0.5 + _STEP * phi.imag.sum(axis=-1) / np.pi
    return np.asarray(np.where(centre > 0, integral, 0.0))


_STEP = 0.1


@cache
def aligned_dead() -> Derivation:
    """w* along (1, ..., 1): P(dead) rises with r, to 1/2 at r = 1, and with it P(all active)."""
    less, more, reach, margin = sp.symbols("q b S v", nonnegative=True)
    rho = sp.Symbol("r", nonnegative=True)
    below_1 = sp.Symbol("u", positive=True)
    ratio = (1 + (p - 1) * rho) / (1 - rho)
    steps_ = (
        *quadratic_form_steps(),
        Step("s_0^2/s_i^2 rises with r", equal(sp.diff(ratio, rho), p / (1 - rho) ** 2)),
        Step("with u = 1 - r", greater(sp.diff(ratio, rho).subs(rho, 1 - below_1), 0), p / below_1**2),
        *_event_steps(less, more, reach, margin),
        Step("at r = 1, S = 0: all active exactly if c z_0 > 0", equal((1 - rho).subs(rho, 1), 0)),
    )
    return Derivation(
        (RISES, HALF),
        (GAUSSIAN, "equal correlations", "w* is along (1, ..., 1)", "d_0 < 1"),
        steps_,
        needs=(sp.Lt(d[0], 1),),
    )


def _event_steps(less: sp.Expr, more: sp.Expr, reach: sp.Expr, margin: sp.Expr) -> tuple[Step, ...]:
    """The event z_0 > sum_i q_i |z_i|, q_i = d_i s_i/(c s_0), shrinks as any q_i grows."""
    return (
        Step(
            "if z_0 - (q + b) S = v >= 0 then z_0 - q S >= 0: the event shrinks as q = d_i s_i/(c s_0) grows by b",
            at_least((margin + (less + more) * reach) - less * reach, 0),
            margin + more * reach,
        ),
    )


@cache
def edge_dead() -> Derivation:
    """w* orthogonal to (1, ..., 1): P(dead) falls with r, to 0 at r = 1 if d_1 > 0."""
    less, more, reach, margin = sp.symbols("q b S v", nonnegative=True)
    rho, below_1 = sp.Symbol("r", nonnegative=True), sp.Symbol("u", positive=True)
    ratio = (1 + (p - 1) * rho) / (1 - rho)
    steps_ = (
        *quadratic_form_steps(),
        Step("s_1^2/s_0^2 rises with r, every other s_i/s_0 is 1", equal(sp.diff(ratio, rho), p / (1 - rho) ** 2)),
        Step("with u = 1 - r", greater(sp.diff(ratio, rho).subs(rho, 1 - below_1), 0), p / below_1**2),
        *_event_steps(less, more, reach, margin),
    )
    return Derivation((FALLS,), (GAUSSIAN, "equal correlations", "w* is orthogonal to (1, ..., 1)"), steps_)
