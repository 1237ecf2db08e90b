"""E[relu(y) relu(y')] of Gaussian pairs: the arc-cosine kernel of degree 1 (Cho and Saul, 2009)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.symbols import relu_correlation

variance, variance_2 = sp.symbols("variance variance_2", positive=True)
"""E[y^2] and E[y'^2]."""
c = sp.Symbol("c", real=True)
"""The correlation of y and y'."""
after = sp.Symbol("after", real=True)
"""E[relu(y) relu(y')]."""


KERNEL = sp.Eq(after, sp.sqrt(variance * variance_2) / 2 * relu_correlation(c))


@cache
def after_relu() -> Derivation:
    """y = s r cos(phi), y' = s' r cos(phi - theta), c = cos(theta): both positive for phi in (theta - pi/2, pi/2)."""
    r, phi, theta = sp.Symbol("r", positive=True), sp.Symbol("phi", real=True), sp.Symbol("theta", positive=True)
    radius = sp.integrate(r**3 * sp.exp(-(r**2) / 2), (r, 0, sp.oo))
    angles = sp.integrate(
        sp.expand(sp.cos(phi) * sp.expand_trig(sp.cos(phi - theta))), (phi, theta - sp.pi / 2, sp.pi / 2)
    )
    closed = (sp.sin(theta) + (sp.pi - theta) * sp.cos(theta)) / 2
    steps = (
        Step("E[r^2] of a standard Gaussian pair", equal(radius, 2)),
        Step("the integral over the angles at which both are positive", equal(angles, closed)),
        Step("at theta = 0, f = 1", equal(relu_correlation(sp.S.One), 1)),
        Step("at theta = pi/2, f = 1/pi", equal(relu_correlation(sp.S.Zero), 1 / sp.pi)),
        Step("at theta = pi, f = 0", equal(relu_correlation(-sp.S.One), 0)),
        *slope_steps(),
    )
    moment = sp.sqrt(variance * variance_2) / (2 * sp.pi) * 2 * closed.subs(theta, sp.acos(c))
    return Derivation((KERNEL,), ("y and y' are jointly Gaussian, mean zero",), steps, (sp.Eq(after, moment),))


def slope_steps() -> tuple[Step, ...]:
    """f'(c) = (pi - arccos c)/pi in [0, 1], 1 at c = 1; and f(c) >= c."""
    theta, rest = sp.Symbol("theta", positive=True), sp.Symbol("rest", nonnegative=True)
    x = sp.Symbol("x", real=True)
    excess = sp.sin(theta) + (sp.pi - theta) * sp.cos(theta) - sp.pi * sp.cos(theta)
    return (
        Step(
            "f' = (pi - arccos c)/pi, which is 1 at c = 1",
            equal(sp.diff(relu_correlation(x), x), (sp.pi - sp.acos(x)) / sp.pi),
        ),
        Step("not negative: arccos c = pi - rest", at_least(sp.pi - (sp.pi - rest), 0)),
        Step("pi (f(c) - c) at c = cos(theta) vanishes at theta = 0", equal(excess.subs(theta, 0), 0)),
        Step(
            "and rises with theta up to pi, as theta sin(theta)", equal(sp.diff(excess, theta), theta * sp.sin(theta))
        ),
    )
