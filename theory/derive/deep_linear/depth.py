"""What reaching the minimum asks of the strengths of L layers, at every depth (after Jia et al., Section 4.1).

The minimum of (sigma - prod_l s^l)^2/2 is reached exactly if prod_l s^l = sigma. Between the smallest and the largest
strength, s_min^L <= prod_l s^l <= s_max^L; everything here follows from that, and from one family of strengths.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal, greater
from theory.derive.deep_linear.modes import sigma
from theory.symbols import p

reached = sp.Symbol("reached", nonnegative=True)
"""prod_l s^l, observed as the output of a network of p = L layers."""
s_max, s_min = sp.symbols("s_max s_min", nonnegative=True)
delta = sp.Symbol("delta", positive=True)
"""A gap that does not depend on the depth, 0 < delta < 1."""

AT_MINIMUM = sp.Eq(reached, sigma)
PRINTED_NEEDED = sp.Implies(AT_MINIMUM, sp.And(s_max > 1, s_min < 1))
TRUE_NEEDED = sp.Implies(AT_MINIMUM, sp.And(s_max**p >= sigma, s_min**p <= sigma))
NEEDED_ABOVE = sp.Implies(sp.And(AT_MINIMUM, sigma > 1), s_max > 1)
NEEDED_BELOW = sp.Implies(sp.And(AT_MINIMUM, sigma < 1), s_min < 1)
DEEP_ENOUGH = sp.And((1 + delta) ** p > sigma, (1 - delta) ** p < sigma)
"""p > log(sigma)/log(1 + delta) and p > log(sigma)/log(1 - delta)."""
NEEDED_IN_THE_LIMIT = sp.Implies(sp.And(AT_MINIMUM, DEEP_ENOUGH), sp.And(s_max > 1 - delta, s_min < 1 + delta))

MISSED = sp.Ne(reached, sigma)
PRINTED_ALL_BELOW = sp.Implies(s_max < 1, MISSED)
PRINTED_ALL_ABOVE = sp.Implies(s_min > 1, MISSED)
GAP_BELOW = sp.And(s_max <= 1 - delta, (1 - delta) ** p < sigma)
GAP_ABOVE = sp.And(s_min >= 1 + delta, (1 + delta) ** p > sigma)
MISSED_BELOW = sp.Implies(s_max**p < sigma, MISSED)
MISSED_ABOVE = sp.Implies(s_min**p > sigma, MISSED)
UNDERSHOOTS = sp.Implies(s_max**p < sigma, reached < sigma)
OVERSHOOTS = sp.Implies(s_min**p > sigma, reached > sigma)
FAMILY = sp.And(sp.Eq(reached, sigma), sp.Implies(sigma > 1, s_min > 1), sp.Implies(sigma < 1, s_max < 1))
"""For the strengths (L + (sigma - 1) l)/(L + (sigma - 1)(l - 1)), l = 1, ..., L, at every depth L."""

NONNEGATIVE = "the strengths are not negative"


def _bound_steps() -> tuple[Step, ...]:
    """s_min^L <= prod s <= s_max^L, one layer after another."""
    top, bottom, rest, more = sp.symbols("a b r q", nonnegative=True)
    product = sp.Symbol("P", nonnegative=True)
    power = sp.Symbol("B", nonnegative=True)
    return (
        Step("one layer: s_min^1 <= s <= s_max^1", at_least(bottom + rest, bottom)),
        Step(
            "one more: P = a^L - r <= a^L and s = a - q <= a give P s <= a^L a",
            at_least((product + rest) * top, product * (top - more)),
            certificate=rest * top + product * more,
        ),
        Step(
            "one more: P = b^L + r >= b^L = B and s = b + q >= b give P s >= b^L b",
            at_least((power + rest) * (bottom + more), power * bottom),
        ),
    )


@cache
def needed() -> Derivation:
    """At the minimum s_min^L <= sigma <= s_max^L; so s_max > 1 if sigma > 1, s_min < 1 if sigma < 1, and no more."""
    top, rest = sp.Symbol("a", nonnegative=True), sp.Symbol("u", nonnegative=True)
    steps = (
        *_bound_steps(),
        Step(
            "if s_max = 1 - u <= 1, then s_max^L = s_max^(L-1) s_max <= s_max^(L-1) <= ... <= 1",
            at_least(top, top * (1 - rest)),
            certificate=top * rest,
        ),
        Step("if s_min = 1 + u >= 1, likewise s_min^L >= 1", at_least(top * (1 + rest), top)),
        Step("for sigma = 1 all s^l = 1 reach it: neither is strict then", equal(sp.Integer(1) ** p, 1)),
    )
    return Derivation((TRUE_NEEDED, NEEDED_ABOVE, NEEDED_BELOW), (NONNEGATIVE, "sigma > 0"), steps)


@cache
def needed_in_the_limit() -> Derivation:
    """s_max > 1 - delta and s_min < 1 + delta from the depth on at which (1 - delta)^L < sigma < (1 + delta)^L."""
    low, more = sp.symbols("c q", nonnegative=True)
    steps = (
        *_bound_steps(),
        Step("powers keep the order: if s_max <= c then s_max^L <= c^L, as P s <= c^L c", at_least(low + more, low)),
    )
    return Derivation((NEEDED_IN_THE_LIMIT,), (NONNEGATIVE, "0 < delta < 1"), steps)


@cache
def missed() -> Derivation:
    """The product is too small if s_max^L < sigma, too large if s_min^L > sigma; a gap delta is enough for large L."""
    result = (
        UNDERSHOOTS,
        OVERSHOOTS,
        sp.Implies(GAP_BELOW, reached < sigma),
        sp.Implies(GAP_ABOVE, reached > sigma),
    )
    steps = (
        *_bound_steps(),
        *needed_in_the_limit().steps[-1:],
        Step(
            "prod s <= s_max^L < sigma: the distance is positive",
            greater(sp.Symbol("r", nonnegative=True) + sp.Symbol("g", positive=True), 0),
        ),
    )
    return Derivation(result, (NONNEGATIVE,), steps)


@cache
def family() -> Derivation:
    """For every sigma > 0 and every L, L strengths all above 1 (sigma > 1) or all below 1 (sigma < 1) that reach it."""
    depth = sp.Symbol("L", positive=True)
    layer, above, below = sp.Symbol("l", nonnegative=True), sp.Symbol("x", positive=True), sp.Symbol("y", positive=True)
    rest = sp.Symbol("k", nonnegative=True)

    def partial(layers: sp.Expr) -> sp.Expr:
        return (depth + (sigma - 1) * layers) / depth

    factor = (depth + (sigma - 1) * (layer + 1)) / (depth + (sigma - 1) * layer)
    steps = (
        Step("no layer: the product is 1", equal(partial(sp.Integer(0)), 1)),
        Step("one more layer: the product telescopes", equal(partial(layer) * factor, partial(layer + 1))),
        Step("after L layers it is sigma", equal(partial(depth), sigma)),
        Step(
            "sigma = 1 + x: every strength is above 1",
            greater((factor - 1).subs(sigma, 1 + above), 0),
            certificate=above / (depth + above * layer),
        ),
        Step(
            "sigma = 1 - y, L = l + 1 + k, y < 1: every strength is positive and below 1",
            equal(
                (1 - factor).subs(sigma, 1 - below).subs(depth, layer + 1 + rest),
                below / (layer * (1 - below) + 1 + rest),
            ),
        ),
    )
    return Derivation((FAMILY,), ("sigma > 0",), steps)
