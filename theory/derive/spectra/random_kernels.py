"""The operator of a kernel whose reshaped matrix is a random (Haar) orthogonal one.

R has N_out orthonormal rows in D = N_in kh kw dimensions, uniform. At a frequency f the block is K(f) = R E, where E
has N_in columns and E^* E = kh kw I: up to the factor sqrt(kh kw), R meets a plane of N_in dimensions at random angles.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal, greater
from theory.derive.spectra.operators import N_in, N_out, taps

mean_square, mean_fourth = sp.symbols("mean_square mean_fourth", nonnegative=True)
"""Means of s^2 and s^4 over kernels, over frequencies, and over the N_out rows (missing singular values count as 0)."""
share = sp.Symbol("share", nonnegative=True)
"""The share of kernels whose operator has a condition number s_max/s_min above `level`."""
level = sp.Symbol("level", positive=True)

FIRST = 1 / taps
"""E[q], q = r.(P r) for a uniform unit vector r."""


def fourth(outputs: sp.Expr, inputs: sp.Expr, conjugate: sp.Expr) -> sp.Expr:
    """The mean of s^4 for so many channels, `conjugate` the mean of tr(P P^T) over frequencies."""
    size = inputs * taps
    second = (inputs**2 + inputs + conjugate) / (size * (size + 2))
    return taps**2 * (second + (outputs - 1) * (FIRST - second) / (size - 1))


D = N_in * taps
SQUARE = sp.Eq(mean_square, 1)
FOURTH = sp.Eq(mean_fourth, fourth(N_out, N_in, N_in / taps))
REAL_WAVES = sp.Eq(mean_fourth, fourth(N_out, N_in, N_in))
"""What it would be if the waves of all frequencies were real, as those of 0 and 1/2 are."""
TAIL = sp.Eq(share, 4 * sp.atan(1 / level) / sp.pi)

HAAR = "R has orthonormal rows, uniform (Haar)"
LARGE = "the image is larger than twice the kernel less one pixel, H > 2 (kh - 1) and W > 2 (kw - 1)"


@cache
def moments() -> Derivation:
    """mean s^2 = 1, as for an orthogonal operator; mean s^4 is not 1 but tends to 2 - 1/(kh kw) for N_in = N_out -> oo.

    K K^* has the entries kh kw r_a.(P r_b), P = E E^*/(kh kw) a Hermitian projection of rank N_in. For a uniform unit
    r, E[r_i r_j r_k r_l] = (delta_ij delta_kl + two more)/(D(D+2)), E[q^2] = (tr(P)^2 + tr(P P^T) + tr(P^2))/(D(D+2)).
    tr(P P^T) = N_in |e.e|^2/(kh kw)^2, e the phases, has the mean N_in/(kh kw) over frequencies. Given r_a, r_b is
    uniform on the D - 1 dimensions across it: E|r_a.(P r_b)|^2 = E[q - q^2]/(D - 1).
    """
    d, n = sp.symbols("d n", positive=True)
    same, other = 3 / (d * (d + 2)), 1 / (d * (d + 2))
    limit = FOURTH.rhs.subs(N_out, N_in)
    steps = (
        Step("|r|^4 = 1: d terms E[r_i^4], d (d-1) terms E[r_i^2 r_j^2]", equal(d * same + d * (d - 1) * other, 1)),
        Step("tr P = N_in: E[q] = N_in/D", equal(N_in / D, FIRST)),
        Step(
            "phases of kh kw taps: pairs of taps with 2 t = 2 t', so t = t', over (kh kw)^2",
            equal(N_in * taps / taps**2, N_in / taps),
        ),
        Step("mean square: kh kw E[q]", equal(taps * FIRST, 1)),
        Step("many channels", equal(sp.limit(limit.subs(N_in, n), n, sp.oo), 2 - 1 / taps)),
        Step("one tap: an orthogonal map, s^4 = 1", equal(FOURTH.rhs.subs(taps, 1), 1)),
    )
    return Derivation((SQUARE, FOURTH), (HAAR, "circular, stride 1", LARGE, "N_out <= N_in kh kw"), steps)


@cache
def condition_tail() -> Derivation:
    """One channel, two taps (cos x, sin x), even width: P(condition > level) = 4 arctan(1/level)/pi, level >= 1.

    The extremes are |cos x + sin x| and |cos x - sin x|; their ratio is |tan(x + pi/4)| or its inverse, x is uniform.
    The tail falls like 4/(pi level): the mean condition number is infinite.
    """
    x, t = sp.symbols("x t", positive=True)
    steps = (
        Step(
            "ratio of the extremes",
            equal((sp.cos(x) + sp.sin(x)) * sp.cos(x + sp.pi / 4), (sp.cos(x) - sp.sin(x)) * sp.sin(x + sp.pi / 4)),
        ),
        Step(
            "between frequencies 0 and pi |K(f)|^2 = 1 + sin(2x) cos f is monotone",
            equal(
                sp.expand((sp.cos(x) + sp.sin(x)) ** 2).subs(sp.cos(x) ** 2, 1 - sp.sin(x) ** 2),
                1 + 2 * sp.sin(x) * sp.cos(x),
            ),
        ),
        Step("level = 1: certain", equal(4 * sp.atan(1) / sp.pi, 1)),
        Step(
            "level times the tail tends to 4/pi", equal(sp.limit(t * 4 * sp.atan(1 / t) / sp.pi, t, sp.oo), 4 / sp.pi)
        ),
        Step("which is positive, so that the mean diverges", greater(4 / sp.pi, 0)),
    )
    return Derivation((TAIL,), (HAAR, "N_in = N_out = 1, kernel 1 x 2, circular on an even width"), steps)
