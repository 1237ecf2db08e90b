"""GradientSignChanges = sum_j |sign g_j - sign g'_j| / (2 d): what it counts (Schneider, Section 6)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.symbols import n, p

gsc = sp.Symbol("gsc", nonnegative=True)
"""GradientSignChanges of two gradients with p entries."""
changes = sp.Symbol("changes", integer=True, nonnegative=True)
"""How many entries have another sign in the second gradient than in the first; the signs are 1, 0 and -1."""
flips = sp.Symbol("flips", integer=True, nonnegative=True)
"""How many go from positive to negative or back."""
touches = sp.Symbol("touches", integer=True, nonnegative=True)
"""How many become zero or stop being zero."""
none_change, all_change = sp.symbols("none_change all_change")
"""No entry has another sign; every entry has."""
a = sp.IndexedBase("a", integer=True, nonnegative=True)
"""a[j] = |sign g_j - sign g'_j|, 0, 1 or 2."""

RANGE = sp.And(sp.Ge(gsc, 0), sp.Le(gsc, 1))
PERCENTAGE = sp.Eq(gsc, changes / p)
COUNT = sp.Eq(gsc, (flips + touches / 2) / p)
ZERO = sp.Equivalent(sp.Eq(gsc, 0), none_change)
ONE = sp.Equivalent(sp.Eq(gsc, 1), all_change)
NO_TOUCH = sp.Eq(touches, 0)


def _over(body: sp.Expr) -> sp.Sum:
    return sp.Sum(body, (n, 0, p - 1))


@cache
def counted() -> Derivation:
    """GSC = (flips + touches/2)/p: a gradient that becomes zero, or stops being zero, counts one half."""
    definitions = (
        sp.Eq(gsc, _over(a[n]) / (2 * p)),
        # 1 for a = 2, 0 for a = 0, 1; and 1 for a = 1, 0 for a = 0, 2
        sp.Eq(flips, _over(a[n] * (a[n] - 1) / 2)),
        sp.Eq(touches, _over(a[n] * (2 - a[n]))),
    )
    return Derivation((COUNT,), ("sign 0 = 0, as printed",), _cases(), definitions)


def _cases() -> tuple[Step, ...]:
    x = sp.Symbol("a")
    signs = (-1, 0, 1)
    flip, touch = x * (x - 1) / 2, x * (2 - x)
    return tuple(
        Step(
            f"signs {s} and {r}: flip or half",
            equal(
                (flip + touch / 2).subs(x, abs(s - r)),
                sp.Integer(int(s * r < 0)) + sp.Rational(int((s * r == 0) and s != r), 2),
            ),
        )
        for s in signs
        for r in signs
    )


@cache
def extremes() -> Derivation:
    """0 <= GSC <= 1; 0 exactly if no sign changes; 1 exactly if every gradient flips between nonzero signs."""
    f, h, rest = sp.symbols("f h r", nonnegative=True)
    size, count = f + h + rest, f + h / 2
    steps = (
        *counted().steps,
        Step("p = flips + touches + the rest: GSC is not negative", at_least(count, 0)),
        Step("and 1 - GSC, times p", at_least(size - count, 0), h / 2 + rest),
        Step("zero exactly if flips = touches = 0, since both count", equal(count.subs({f: 0, h: 0}), 0)),
        Step("one exactly if touches = rest = 0", equal((size - count).subs({h: 0, rest: 0}), 0)),
        Step(
            "a change from zero keeps it below 1: p = touches = 1",
            equal((0 + sp.Rational(1, 2)) / 1, sp.Rational(1, 2)),
        ),
    )
    return Derivation((RANGE, ZERO, sp.Implies(NO_TOUCH, ONE)), ("sign 0 = 0, as printed",), steps)
