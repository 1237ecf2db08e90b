"""The singular values of G W, G diagonal (Jia et al., Lemma 1), for W with singular values of 1 and in general.

`power[j]` are the squared singular values of G W, ascending, min(M, N) of them for W of shape (M, N); `g_sorted[j]` the
|g_i|, ascending. Everything rests on |G y|^2 = sum_i g_i^2 y_i^2, on Courant and Fischer's min-max characterisation of
ordered eigenvalues, and on two subspaces of dimensions that add up to more than M having a vector in common.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.symbols import j, n

power = sp.IndexedBase("power", real=True)
g_sorted = sp.IndexedBase("g_sorted", real=True)
g_min, g_max = sp.symbols("g_min g_max", nonnegative=True)
rows = sp.Symbol("rows", integer=True, positive=True)
"""M."""
excess = sp.Symbol("excess", integer=True, nonnegative=True)
"""M - N for a tall W."""
s_min, s_max = sp.symbols("s_min s_max", nonnegative=True)
"""The least and the greatest of the min(M, N) singular values of W."""

ORTHONORMAL = "all min(M, N) singular values of W are 1"
ANY_G = "the g_i are any real numbers; they may be 0"

BOUNDS = sp.And(power[j] >= g_min**2, power[j] <= g_max**2)
EXACT = sp.Eq(power[j], g_sorted[j] ** 2)
INTERLACED = sp.And(power[j] >= g_sorted[j] ** 2, power[j] <= g_sorted[j + excess] ** 2)
GENERAL = sp.And(power[j] >= s_min**2 * g_min**2, power[j] <= s_max**2 * g_max**2)
EACH = sp.And(power[j] >= s_min**2 * g_sorted[j] ** 2, power[j] <= s_max**2 * g_sorted[j] ** 2)

_y = sp.IndexedBase("y", real=True)
_rise = sp.IndexedBase("rise", nonnegative=True)
_drop = sp.IndexedBase("drop", nonnegative=True)


def _total(body: sp.Expr) -> sp.Sum:
    return sp.Sum(body, (n, 0, rows - 1))


def _quadratic_form() -> tuple[Step, ...]:
    """g_min^2 |y|^2 <= |G y|^2 <= g_max^2 |y|^2."""
    low, high = g_min**2 + _rise[n], g_max**2 - _drop[n]
    return (
        Step(
            "with g_i^2 = g_min^2 + rise_i, |G y|^2 = g_min^2 |y|^2 + sum rise_i y_i^2",
            equal(_total(low * _y[n] ** 2), g_min**2 * _total(_y[n] ** 2) + _total(_rise[n] * _y[n] ** 2)),
        ),
        Step("which is no less than g_min^2 |y|^2", at_least(_total(_rise[n] * _y[n] ** 2), 0)),
        Step(
            "with g_i^2 = g_max^2 - drop_i, |G y|^2 = g_max^2 |y|^2 - sum drop_i y_i^2",
            equal(_total(high * _y[n] ** 2), g_max**2 * _total(_y[n] ** 2) - _total(_drop[n] * _y[n] ** 2)),
        ),
        Step("which is no more than g_max^2 |y|^2", at_least(_total(_drop[n] * _y[n] ** 2), 0)),
    )


@cache
def tall() -> Derivation:
    """M >= N: W^T W = I, so that |G W x|^2 with |W x| = |x| lies between g_min^2 |x|^2 and g_max^2 |x|^2."""
    return Derivation((BOUNDS,), (ORTHONORMAL, "M >= N", ANY_G), _quadratic_form())


@cache
def fat() -> Derivation:
    """M <= N: W W^T = I, so that (G W)(G W)^T = G^2, whose eigenvalues are the g_i^2."""
    first, second = sp.symbols("g_first g_second", real=True)
    steps = (
        Step("on the diagonal (G W W^T G)_ii = g_i 1 g_i", equal(first * 1 * first, first**2)),
        Step("off it (G W W^T G)_ik = g_i 0 g_k", equal(first * 0 * second, sp.Integer(0))),
        *_quadratic_form(),
    )
    return Derivation((EXACT, BOUNDS), (ORTHONORMAL, "M <= N; full row rank follows", ANY_G), steps)


@cache
def interlaced() -> Derivation:
    """M >= N: |g|_(j) <= sigma_j <= |g|_(j + M - N), in ascending order."""
    columns = rows - excess
    steps = (
        *_quadratic_form(),
        Step(
            "j + 1 directions x with |G W x|^2 <= power_j, and M - j coordinates with |g| >= |g|_(j): one more than M",
            equal((j + 1) + (rows - j), rows + 1),
        ),
        Step(
            "N - j directions with |G W x|^2 >= power_j, and j + M - N + 1 coordinates with |g| <= |g|_(j + M - N): "
            "one more than M",
            equal((columns - j) + (j + excess + 1), rows + 1),
        ),
    )
    return Derivation((INTERLACED,), (ORTHONORMAL, "M >= N", ANY_G), steps)


@cache
def general() -> Derivation:
    """Any W: s_min g_min <= sigma_j <= s_max g_max, for each of the min(M, N) singular values."""
    size, extra = sp.symbols("u t", nonnegative=True)
    steps = (
        *_quadratic_form(),
        Step(
            "M >= N: |W x|^2 = s_min^2 |x|^2 + t, so |G W x|^2 >= g_min^2 s_min^2 |x|^2",
            at_least(g_min**2 * (s_min**2 * size + extra), g_min**2 * s_min**2 * size),
        ),
        Step(
            "M <= N: the same of W^T G y, |W^T v|^2 = s_min^2 |v|^2 + t, |G y|^2 = g_min^2 |y|^2 + u",
            at_least(s_min**2 * (g_min**2 * size + extra), s_min**2 * g_min**2 * size),
        ),
        Step(
            "and |G W x| <= g_max |W x| <= g_max s_max |x|",
            equal(g_max**2 * (s_max**2 * size), (s_max * g_max) ** 2 * size),
        ),
    )
    return Derivation((GENERAL,), (ANY_G,), steps)


@cache
def each() -> Derivation:
    """M <= N: s_min |g|_(j) <= sigma_j <= s_max |g|_(j) (Ostrowski), so that each |g_i| is met up to W's own spread."""
    size, extra = sp.symbols("u t", nonnegative=True)
    steps = (
        *general().steps,
        Step(
            "for every y, |W^T G y|^2 = s_min^2 |G y|^2 + t",
            at_least(s_min**2 * size + extra, s_min**2 * size),
            certificate=extra,
        ),
        Step(
            "a form that is larger everywhere has larger ordered eigenvalues, and those of s^2 G^2 are s^2 g_(j)^2",
            equal(s_min**2 * g_sorted[j] ** 2, (s_min * g_sorted[j]) ** 2),
        ),
    )
    return Derivation((EACH,), ("M <= N", ANY_G), steps)
