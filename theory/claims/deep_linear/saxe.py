"""X-SAXE: exact deep linear trajectories, what they conserve, and what discrete updates change."""

from __future__ import annotations

import sympy as sp

from theory.claims.deep_linear.gradients import DIAGONAL, FRAMES, WHITENED
from theory.claims.observe.deep_linear import flows as observe
from theory.claims.observe.deep_linear import updates as observe_updates
from theory.derive.deep_linear import flows as derive
from theory.derive.deep_linear import updates
from theory.derive.deep_linear.flows import (
    DEEP_TIME,
    common,
    elapsed,
    kappa,
    rate,
    riccati,
    s_end,
    slope_down,
    slope_up,
    t_end,
    time,
    u_end,
    u_start,
)
from theory.derive.deep_linear.modes import s, sigma, strength, t
from theory.derive.deep_linear.updates import departure_s, eta, ratio, s_next, t_next
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import n, p

ALIGNED = (WHITENED, FRAMES, DIAGONAL)
POSITIVE = Hypothesis("sigma > 0")
FLOW = Hypothesis("the gradient flow dW^l/dt = -dL/dW^l")
EQUAL = Hypothesis("all L strengths of a direction are equal and positive")

slope_turned = sp.Symbol("slope_turned", real=True)
"""`slope_down` with T^T for T."""
drift_plus, drift_turned = sp.symbols("drift_plus drift_turned", nonnegative=True)
"""`drift` of V^T V + W W^T and of V V^T - W^T W."""

_grown = sp.exp(2 * sigma * time)
_slower = sp.exp(sigma * time)
_error = sigma - s * t
_curvature = sp.Sum((sigma / strength[n]) ** 2, (n, 0, p - 1))
_shrinks = sp.Abs(ratio) < 1


def _wrong(name: str, left: sp.Expr, right: sp.Expr) -> Control:
    return Control(name, sp.Eq(left, right))


SAXE = Claim(
    id="X-SAXE",
    source="this project; after Saxe et al., for the networks of Jia et al., Section 4.1",
    statement="exact trajectories of two layers and of L equal layers, conserved quantities, times, discrete steps",
    note="For two layers x = (s+t)^2 obeys dx/dt = 2 sigma x - (x^2 - c^2)/2, c = s^2 - t^2, balanced or not; s t is "
    "(x - c^2/x)/4. A direction is learned in a time of about log(sigma/u0)/(2 sigma): strong correlations come first. "
    "L equal layers learn in about 1/L of a time that does not depend on L. A minimum is the flatter the more balanced "
    "it is, so that uneven layers stand only a smaller learning rate.",
    clauses=(
        Clause(
            name="two layers",
            text="(s+t)^2 and (s-t)^2 along the flow, from any start with s + t != 0",
            printed=derive.TWO_LAYERS,
            experiment=observe.two_layers,
            derivation=derive.two_layer_flow,
            hypotheses=(*ALIGNED, FLOW, POSITIVE),
            controls=(
                _wrong("c = 0", (s_end + t_end) ** 2, riccati((s + t) ** 2, sigma, 2 * sigma)),
                _wrong("twice as fast", (s_end + t_end) ** 2, riccati((s + t) ** 2, sigma, kappa, 2 * time)),
                _wrong("the sign of sigma", (s_end - t_end) ** 2, riccati((s - t) ** 2, sigma)),
                _wrong("the start", (s_end + t_end) ** 2, (s + t) ** 2),
            ),
        ),
        Clause(
            name="two equal layers",
            text="s t is a sigmoid in time with rate 2 sigma",
            printed=derive.BALANCED,
            experiment=observe.balanced_pairs,
            derivation=derive.balanced_flow,
            hypotheses=(*ALIGNED, FLOW, POSITIVE, Hypothesis("s = t")),
            controls=(
                _wrong("rate sigma", u_end, sigma * _slower / (_slower - 1 + sigma / u_start)),
                _wrong("u0 for sigma/u0", u_end, sigma * _grown / (_grown - 1 + u_start)),
                _wrong("+ 1", u_end, sigma * _grown / (_grown + 1 + sigma / u_start)),
            ),
        ),
        Clause(
            name="where it ends",
            text="two layers reach s t = sigma exactly if s + t != 0 at the start",
            printed=derive.REACHED,
            experiment=observe.long_runs,
            derivation=derive.two_layer_limit,
            hypotheses=(*ALIGNED, FLOW, POSITIVE),
            controls=(
                Control("always", sp.Eq(s_end * t_end, sigma)),
                Control("exactly if s t > 0", sp.Equivalent(s * t > 0, sp.Eq(s_end * t_end, sigma))),
            ),
        ),
        Clause(
            name="rate of L layers",
            text="du/dt = L u^(2 - 2/L) (sigma - u), u = s^L",
            printed=derive.RATE,
            experiment=observe.rates,
            derivation=derive.product_rate,
            hypotheses=(*ALIGNED, FLOW, EQUAL),
            controls=(
                _wrong("exponent 2 - 1/L", rate, p * common ** (2 * p - 1) * (sigma - common**p)),
                _wrong("without L", rate, common ** (2 * p - 2) * (sigma - common**p)),
                _wrong("exponent 1 - 1/L", rate, p * common ** (p - 1) * (sigma - common**p)),
            ),
        ),
        Clause(
            name="learning times",
            text="the time from u0 to u for L = 2, 3, 4 equal layers",
            printed=derive.TIMES,
            experiment=observe.learning_times,
            derivation=derive.elapsed_times,
            hypotheses=(*ALIGNED, FLOW, EQUAL, POSITIVE),
            controls=(
                Control("two layers, 1/sigma", sp.Implies(sp.Eq(p, 2), sp.Eq(time, 2 * elapsed(2)))),
                Control("three as two", sp.Implies(sp.Eq(p, 3), sp.Eq(time, elapsed(2)))),
                Control("four as three", sp.Implies(sp.Eq(p, 4), sp.Eq(time, elapsed(3)))),
            ),
        ),
        Clause(
            name="many layers",
            text="u0^(2/L) T <= L time <= u^(2/L) T, T the integral of 1/(u^2 (sigma - u))",
            printed=derive.SQUEEZED,
            experiment=observe.learning_times,
            derivation=derive.deep_times,
            hypotheses=(*ALIGNED, FLOW, EQUAL, POSITIVE),
            controls=(
                Control("time for L time", time >= u_start ** (2 / p) * DEEP_TIME),
                Control("1/L for 2/L", p * time >= u_start ** (1 / (2 * p)) * DEEP_TIME),
                Control("exchanged", p * time >= u_end ** (2 / p) * DEEP_TIME),
            ),
        ),
        Clause(
            name="balance of neighbours",
            text="V^T dL/dV = dL/dW W^T for neighbours V = W^{l+1}, W = W^l, aligned or not, whitened or not",
            printed=derive.CONSERVED,
            experiment=observe.neighbours,
            derivation=derive.conserved_matrices,
            controls=(
                _wrong("the other sign", slope_up, -slope_down),
                _wrong("T transposed", slope_up, slope_turned),
                _wrong("half", 2 * slope_up, slope_down),
            ),
        ),
        Clause(
            name="conserved matrices",
            text="V^T V - W W^T is constant along the flow (for aligned ones: every s_l^2 - s_k^2)",
            printed=derive.KEPT,
            experiment=observe.drifts,
            derivation=derive.conserved_along_flow,
            hypotheses=(FLOW,),
            controls=(
                Control("plus", sp.Eq(drift_plus, 0)),
                Control("V V^T - W^T W", sp.Eq(drift_turned, 0)),
            ),
        ),
        Clause(
            name="error after an update",
            text="two layers: e' = e (1 - eta (s^2 + t^2) - eta^2 e s t), e = sigma - s t",
            printed=updates.ERROR_UPDATE,
            experiment=observe_updates.pairs,
            derivation=updates.error_update,
            hypotheses=ALIGNED,
            controls=(
                _wrong("first order only", sigma - s_next * t_next, _error * (1 - eta * (s**2 + t**2))),
                _wrong(
                    "plus the second order",
                    sigma - s_next * t_next,
                    _error * (1 - eta * (s**2 + t**2) + eta**2 * _error * s * t),
                ),
                _wrong("2 s t for s^2 + t^2", sigma - s_next * t_next, _error * (1 - 2 * eta * s * t)),
            ),
        ),
        Clause(
            name="departure from the flow",
            text="(update - flow for a time eta)/eta^2 -> e ((s^2 + t^2) t - e s)/2",
            printed=updates.DEPARTURE,
            experiment=observe_updates.short_steps,
            derivation=updates.departure,
            hypotheses=ALIGNED,
            controls=(
                _wrong("without 1/2", departure_s, _error * ((s**2 + t**2) * t - _error * s)),
                _wrong("the other sign", departure_s, -_error * ((s**2 + t**2) * t - _error * s) / 2),
                _wrong("plus e s", departure_s, _error * ((s**2 + t**2) * t + _error * s) / 2),
            ),
        ),
        Clause(
            name="stability",
            text="at a minimum an update multiplies the error by 1 - eta sum_l (sigma/s_l)^2; stable if below 2",
            printed=sp.And(updates.CURVATURE, updates.STABLE, updates.FLATTEST),
            experiment=observe_updates.near_minima,
            derivation=updates.stability,
            hypotheses=(*ALIGNED, POSITIVE, Hypothesis("all s^l > 0 with product sigma")),
            controls=(
                Control("stable below 1", sp.Equivalent(_shrinks, eta * _curvature < 1)),
                Control("balanced limit for all", sp.Equivalent(_shrinks, eta * p * sigma ** (2 - 2 / p) < 2)),
                Control("exponent 2 - 1/L", sp.Ge(_curvature, p * sigma ** (2 - 1 / p))),
                _wrong("without the squares", ratio, 1 - eta * sp.Sum(sigma / strength[n], (n, 0, p - 1))),
            ),
        ),
    ),
)

CLAIMS = (SAXE,)
