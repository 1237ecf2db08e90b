"""When perfectly correlated inputs stay so (Schneider, Section 4, before Eq. 11)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal
from theory.derive.layer_variance.symbols import l, t

spread = sp.Symbol("spread", nonnegative=True)
"""The largest difference between two responses of one channel, over all layers up to l."""
zero_padded = sp.Symbol("zero_padded")
"""Images are padded with zeros before each convolution, by one pixel at least."""
spread_from = sp.IndexedBase("spread_from", nonnegative=True)
"""spread_from[b]: `spread` over the positions that are at least b from the border, in layer l."""
reach = sp.Symbol("reach", integer=True, nonnegative=True)
"""How far a filter looks past a position, at most: k//2."""

STAYS = sp.Eq(spread, 0)
INSIDE = sp.Eq(spread_from[l * reach], 0)

_w = sp.IndexedBase("w", real=True)
_n = sp.Symbol("n", integer=True, positive=True)
_x = sp.Symbol("x", real=True)
_pixel, _position = sp.IndexedBase("x_at", real=True), sp.Symbol("a", integer=True)


@cache
def stays_equal() -> Derivation:
    """y(a) = x sum_t w_t at every position a, if every window sees the same x; so in every channel, by induction.

    A window that reaches over a border of zeros sees fewer terms of the sum. It does so, in layer l, at positions
    within l (k//2) of the border; all others see what they would see without a border.
    """
    w = sp.symbols("w0:4", real=True)
    response = sp.Sum(_w[t] * _pixel[_position + t], (t, 0, _n - 1))
    steps = (
        Step(
            "every window sees x",
            equal(response.xreplace({_pixel[_position + t]: _x}), _x * sp.Sum(_w[t], (t, 0, _n - 1))),
        ),
        Step(
            "channels: x_c sum_t w_ct, summed over c, is the same at every position",
            equal(_x * w[0] + _x * w[1], _x * (w[0] + w[1])),
        ),
        Step(
            "zero padding, k = 2, 2 x 2 pixels: first position minus last, of x (w0 + w1 + w2 + w3) and x w0",
            equal(_x * sum(w) - _x * w[0], _x * (w[1] + w[2] + w[3])),
        ),
    )
    used = ("every window sees only pixels of its channel: circular padding, none, or too far from the border",)
    result = (sp.Implies(sp.Not(zero_padded), STAYS), INSIDE)
    return Derivation(result, used, steps)
