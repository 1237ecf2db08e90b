"""Exact gradient flows of aligned directions: two layers from any start, L layers from a balanced one (X-SAXE).

ds^l/dt = (sigma - u) prod_{k != l} s^k, u = prod_k s^k. Differences of squares are conserved, so that two layers have
one free coordinate left, for which the flow is a Riccati equation; L equal s have ds/dt = s^(L-1) (sigma - s^L).
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.deep_linear.gradients import slope_at_0
from theory.derive.deep_linear.modes import s, sigma, t
from theory.symbols import p

time = sp.Symbol("time", nonnegative=True)
"""How long the flow runs."""
s_end, t_end = sp.symbols("s_end t_end", real=True)
"""The strengths of two layers after that time."""
u_start, u_end = sp.symbols("u_start u_end", positive=True)
"""The product of the strengths at the start and at the end."""
common = sp.Symbol("common", positive=True)
"""The strength that all p = L layers share."""
rate = sp.Symbol("rate", real=True)
"""du/dt of the product of the strengths at the start."""
slope_up, slope_down = sp.symbols("slope_up slope_down", real=True)
"""The slopes of the loss along V T from V = W^{l+1}, and along T W from W = W^l."""
drift = sp.Symbol("drift", nonnegative=True)
"""The largest change of any entry of any V^T V - W W^T along the flow."""

FLOW = "the gradient flow, or descent with a learning rate so small that it cannot be told apart"
POSITIVE = "sigma > 0"

conserved = s**2 - t**2
"""c."""
kappa = sp.sqrt(4 * sigma**2 + conserved**2)


def riccati(start: sp.Expr, target: sp.Expr, speed: sp.Expr = kappa, elapsed: sp.Expr = time) -> sp.Expr:
    """x(time) of dx/dt = 2 target x - (x^2 - c^2)/2 from x = start; speed^2 = 4 target^2 + c^2."""
    high, low = 2 * target + speed, 2 * target - speed
    share = (start - high) / (start - low) * sp.exp(-speed * elapsed)
    return (high - low * share) / (1 - share)


TWO_LAYERS = sp.And(
    sp.Eq((s_end + t_end) ** 2, riccati((s + t) ** 2, sigma)),
    sp.Eq((s_end - t_end) ** 2, riccati((s - t) ** 2, -sigma)),
)
BALANCED = sp.Eq(
    u_end,
    sigma * sp.exp(2 * sigma * time) / (sp.exp(2 * sigma * time) - 1 + sigma / u_start),
)
"""The sigmoid of Saxe et al., for two layers with s = t."""
RATE = sp.Eq(rate, p * common ** (2 * p - 2) * (sigma - common**p))
"""du/dt = L u^(2 - 2/L) (sigma - u), u = common^L."""
CONSERVED = sp.Eq(slope_up, slope_down)
KEPT = sp.Eq(drift, 0)


def _odds(u: sp.Expr) -> sp.Expr:
    return sp.log(u / (sigma - u))


def _time_2(u: sp.Expr) -> sp.Expr:
    return _odds(u) / (2 * sigma)


def _time_3(u: sp.Expr) -> sp.Expr:
    x, r = u ** sp.Rational(1, 3), sigma ** sp.Rational(1, 3)
    logarithm = sp.log((x**2 + r * x + r**2) / (r - x) ** 2) / (6 * r)
    return -1 / (sigma * x) + (logarithm - sp.atan((2 * x + r) / (sp.sqrt(3) * r)) / (sp.sqrt(3) * r)) / sigma


def _time_4(u: sp.Expr) -> sp.Expr:
    x, r = sp.sqrt(u), sp.sqrt(sigma)
    return -1 / (2 * sigma * x) + sp.log((r + x) / (r - x)) / (4 * sigma * r)


def _time_deep(u: sp.Expr) -> sp.Expr:
    return _odds(u) / sigma**2 - 1 / (sigma * u)


def elapsed(depth: int) -> sp.Expr:
    """The time that L = 2, 3 or 4 equal strengths need from u_start to u_end."""
    antiderivative = {2: _time_2, 3: _time_3, 4: _time_4}[depth]
    return antiderivative(u_end) - antiderivative(u_start)


DEEP_TIME = _time_deep(u_end) - _time_deep(u_start)
"""The limit of L times the time as L -> inf."""
TIMES = sp.And(*(sp.Implies(sp.Eq(p, depth), sp.Eq(time, elapsed(depth))) for depth in (2, 3, 4)))
SQUEEZED = sp.Implies(
    u_start < u_end,
    sp.And(p * time >= u_start ** (2 / p) * DEEP_TIME, p * time <= u_end ** (2 / p) * DEEP_TIME),
)
REACHED = sp.Equivalent(sp.Ne(s + t, 0), sp.Eq(s_end * t_end, sigma))
"""Two layers reach the minimum exactly if s + t != 0 at the start."""


def _flow_steps() -> tuple[Step, ...]:
    error = sigma - s * t
    ds, dt = error * t, error * s
    total, c = sp.Symbol("x", positive=True), sp.Symbol("c", real=True)
    return (
        Step("d(s^2 - t^2)/dt = 0", equal(2 * s * ds - 2 * t * dt, 0)),
        Step(
            "x = (s + t)^2 has (s - t)^2 = c^2/x, so s t = (x - c^2/x)/4",
            equal((total - c**2 / total).subs({total: (s + t) ** 2, c: conserved}) / 4, s * t),
        ),
        Step(
            "dx/dt = 2 (s + t)(ds/dt + dt/dt) = 2 sigma x - (x^2 - c^2)/2",
            equal(
                2 * (s + t) * (ds + dt),
                2 * sigma * (s + t) ** 2 - ((s + t) ** 4 - conserved**2) / 2,
            ),
        ),
        Step(
            "(s - t)^2 has the same with -sigma",
            equal(
                2 * (s - t) * (ds - dt),
                -2 * sigma * (s - t) ** 2 - ((s - t) ** 4 - conserved**2) / 2,
            ),
        ),
    )


def _riccati_steps() -> tuple[Step, ...]:
    """The closed form, with the roots named: high + low = 4 target, high low = -c^2."""
    high, start, moment = sp.symbols("high x_0 tau", positive=True)
    low, share = sp.symbols("low share", real=True)
    target, speed, c_squared = (high + low) / 4, (high - low) / 2, -high * low
    x = (high - low * share) / (1 - share)
    decay = (start - high) / (start - low) * sp.exp(-speed * moment)
    return (
        Step("the share decays: d share/dt = -(high - low)/2 share", equal(sp.diff(decay, moment), -speed * decay)),
        Step(
            "so that x = (high - low share)/(1 - share) solves dx/dt = 2 sigma x - (x^2 - c^2)/2",
            equal(sp.diff(x, share) * (-speed * share), 2 * target * x - (x**2 - c_squared) / 2),
        ),
        Step("and starts at x_0", equal(x.subs(share, (start - high) / (start - low)), start)),
        Step(
            "its roots are 2 sigma +- sqrt(4 sigma^2 + c^2): their product is -c^2",
            equal((2 * sigma + kappa) * (2 * sigma - kappa), -(conserved**2)),
        ),
    )


@cache
def two_layer_flow() -> Derivation:
    """(s +- t)^2 along the flow of two layers from any start with s + t != 0, through one Riccati equation."""
    steps = (*_flow_steps(), *_riccati_steps())
    return Derivation((TWO_LAYERS,), (FLOW, POSITIVE, "s + t != 0"), steps)


@cache
def balanced_flow() -> Derivation:
    """u = s t along the flow of two layers with s = t is a sigmoid: du/dt = 2 u (sigma - u)."""
    u_0 = sp.Symbol("u_0", positive=True)
    solution = BALANCED.rhs.subs(u_start, u_0)
    error = sigma - s * t
    steps = (
        Step("du/dt for s = t", equal((error * t * t + error * s * s).subs(t, s), 2 * s**2 * (sigma - s**2))),
        Step("the sigmoid solves it", equal(sp.diff(solution, time), 2 * solution * (sigma - solution))),
        Step("and starts at u_0", equal(solution.subs(time, 0), u_0)),
    )
    return Derivation((BALANCED,), (FLOW, POSITIVE, "s = t"), steps)


@cache
def product_rate() -> Derivation:
    """L equal strengths: du/dt = L u^(2 - 2/L) (sigma - u)."""
    depth = sp.Symbol("L", positive=True)
    u = sp.Symbol("u", positive=True)
    velocity = common ** (p - 1) * (sigma - common**p)
    root = u ** (1 / depth)
    steps = (
        Step(
            "in terms of u = s^L: s^(2 L - 2) = u^(2 - 2/L)",
            equal(sp.powsimp(root ** (2 * depth - 2)), u ** (2 - 2 / depth)),
        ),
    )
    definitions = (sp.Eq(rate, sp.diff(common**p, common) * velocity),)
    return Derivation((RATE,), ("all strengths are equal",), steps, definitions)


@cache
def elapsed_times() -> Derivation:
    """The time from u_start to u_end for L = 2, 3, 4 equal strengths: the integral of 1/(L u^(2-2/L) (sigma - u))."""
    u, r = sp.symbols("u r", positive=True)
    steps = [
        Step(
            f"L = {depth}: d time/du = 1/(L u^(2-2/L) (sigma - u)), with u = x^{root}, sigma = r^{root}",
            equal(
                sp.diff(antiderivative(u), u).subs({u: u**root, sigma: r**root}),
                1 / (depth * u ** sp.Rational(root * (2 * depth - 2), depth) * (r**root - u**root)),
            ),
        )
        for depth, antiderivative, root in ((2, _time_2, 1), (3, _time_3, 3), (4, _time_4, 2))
    ]
    return Derivation((TIMES,), (FLOW, POSITIVE, "all strengths are equal"), (*product_rate().steps, *steps))


@cache
def deep_times() -> Derivation:
    """u_start^(2/L) T <= L time <= u_end^(2/L) T, T = int du/(u^2(sigma - u)): learning takes about T/L for large L."""
    u, depth = sp.symbols("u L", positive=True)
    low, more, weight = sp.symbols("a b w", nonnegative=True)
    steps = (
        *product_rate().steps,
        Step(
            "L d time/du = u^(2/L) times the integrand of T",
            equal(sp.powsimp(depth / (depth * u ** (2 - 2 / depth))), sp.powsimp(u ** (2 / depth) / u**2)),
        ),
        Step("T is the integral of 1/(u^2 (sigma - u))", equal(sp.diff(_time_deep(u), u), 1 / (u**2 * (sigma - u)))),
        Step("u^(2/L) lies between its values at the ends", at_least((low + more) * weight, low * weight)),
    )
    return Derivation((SQUEEZED,), (FLOW, POSITIVE, "all strengths are equal", "0 < u_start < u_end < sigma"), steps)


@cache
def conserved_matrices() -> Derivation:
    """V^T dL/dV = dL/dW W^T for neighbours V = W^{l+1}, W = W^l; so V^T V - W W^T is conserved by the flow.

    A (V + t V T) W B and A V (W + t T W) B are the same map, so that their slopes agree, for every T.
    """
    A, V, W, B, T, C_yx, C_xx = (sp.MatrixSymbol(name, p, p) for name in ("A", "V", "W", "B", "T", "C_yx", "C_xx"))
    shift = sp.Symbol("t", real=True)

    def loss(linear_map: sp.MatrixExpr) -> sp.Expr:
        return sp.Trace(linear_map * C_xx * linear_map.T) / 2 - sp.Trace(linear_map.T * C_yx)

    G_V, G_W = sp.MatrixSymbol("G_V", p, p), sp.MatrixSymbol("G_W", p, p)
    steps = (
        Step(
            "d/dt tr T(V^T V - W W^T) at dV/dt = -G_V, dW/dt = -G_W, T symmetric",
            equal(
                sp.Trace((T + T.T) * (-G_V.T * V - V.T * G_V + G_W * W.T + W * G_W.T)),
                -2 * sp.Trace((T + T.T) * V.T * G_V) + 2 * sp.Trace((T + T.T) * G_W * W.T),
            ),
        ),
    )
    definitions = (
        sp.Eq(slope_up, slope_at_0(loss(A * (V + shift * V * T) * W * B))),
        sp.Eq(slope_down, slope_at_0(loss(A * V * (W + shift * T * W) * B))),
    )
    return Derivation((CONSERVED,), (), steps, definitions)


@cache
def conserved_along_flow() -> Derivation:
    """V^T V - W W^T is constant along the flow."""
    return Derivation((KEPT,), (FLOW,), conserved_matrices().steps)


@cache
def two_layer_limit() -> Derivation:
    """(s + t)^2 -> 2 sigma + sqrt(4 sigma^2 + c^2), so s t -> sigma, unless s + t = 0, when s t never exceeds 0."""
    c = sp.Symbol("c", real=True)
    high = 2 * sigma + sp.sqrt(4 * sigma**2 + c**2)
    steps = (
        *two_layer_flow().steps,
        Step("at the limit s t = (x - c^2/x)/4", equal((high - c**2 / high) / 4, sigma)),
        Step(
            "s = -t stays so: d(s + t)/dt = (sigma - s t)(s + t)",
            equal((sigma - s * t) * t + (sigma - s * t) * s, (sigma - s * t) * (s + t)),
        ),
    )
    return Derivation((REACHED,), (FLOW, POSITIVE), steps)
