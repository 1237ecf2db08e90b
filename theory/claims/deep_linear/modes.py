"""One direction of variation of an aligned network: Eqs. (5), (6), (9), (10) of Jia et al., Section 4.1."""

from __future__ import annotations

import sympy as sp

from theory.claims.deep_linear.gradients import DIAGONAL, FRAMES, SIGN, WHITENED
from theory.claims.observe.deep_linear import directions as observe
from theory.derive.deep_linear import modes as derive
from theory.derive.deep_linear.modes import (
    CONSTANT,
    ENERGIES,
    above,
    below,
    energy,
    energy_slope,
    everything,
    loss,
    mode_slope,
    s,
    sigma,
    slope_E_s,
    slope_E_t,
    slope_s,
    slope_t,
    strength,
    t,
    trace_yy,
)
from theory.ledger import Claim, Clause, Control
from theory.symbols import j, n, p

ALIGNED = (WHITENED, FRAMES, DIAGONAL)

_through = sp.Product(strength[n], (n, 0, j))
_from = sp.Product(strength[n], (n, j, p - 1))
_one_short = sp.Product(strength[n], (n, 0, p - 2))


def _wrong(name: str, left: sp.Expr, right: sp.Expr) -> Control:
    return Control(name, sp.Eq(left, right))


E5 = Claim(
    id="S-E5",
    source="Jia et al., Eq. (5)",
    statement="dL/ds = (sigma - s t) t and dL/dt = (sigma - s t) s for each direction of two aligned layers",
    note=SIGN + "Each direction is on its own: no other strength occurs.",
    clauses=(
        Clause(
            name="s",
            text="the slope of the network's loss by an entry of S1",
            printed=derive.PRINTED_E5[0],
            corrected=derive.TRUE_E5[0],
            experiment=observe.two_layers,
            derivation=derive.scalar_gradients,
            hypotheses=ALIGNED,
            controls=(
                _wrong("times s", slope_s, -(sigma - s * t) * s),
                _wrong("half of it", slope_s, -(sigma - s * t) * t / 2),
                _wrong("sigma + s t", slope_s, -(sigma + s * t) * t),
                _wrong("t^2", slope_s, -(sigma - s * t) * t**2),
            ),
        ),
        Clause(
            name="t",
            text="the slope of the network's loss by an entry of S2",
            printed=derive.PRINTED_E5[1],
            corrected=derive.TRUE_E5[1],
            experiment=observe.two_layers,
            derivation=derive.scalar_gradients,
            hypotheses=ALIGNED,
            controls=(
                _wrong("times t", slope_t, -(sigma - s * t) * t),
                _wrong("half of it", slope_t, -(sigma - s * t) * s / 2),
                _wrong("without the factor s", slope_t, -(sigma - s * t)),
            ),
        ),
    ),
)

E6 = Claim(
    id="S-E6",
    source="Jia et al., Eq. (6)",
    statement="the gradients (5) arise from E(s, t) = (sigma - s t)^2/2, so that optimal pairs have s t = sigma",
    note="True of the gradients. The loss itself is larger than the sum of the energies: it keeps the singular values "
    "beyond the smallest width, and what no linear map explains of the targets (S-E9 has the constant).",
    clauses=(
        Clause(
            name="gradients",
            text="dL/ds = dE/ds and dL/dt = dE/dt",
            printed=derive.FROM_ENERGY,
            experiment=observe.two_layers,
            derivation=derive.scalar_gradients,
            hypotheses=ALIGNED,
            controls=(
                _wrong("of (sigma - s t)^2, without 1/2", slope_s, 2 * slope_E_s),
                _wrong("uphill", slope_t, -slope_E_t),
                _wrong("s and t exchanged", slope_s, slope_E_t),
            ),
        ),
        Clause(
            name="minimum",
            text="E = 0 exactly if s t = sigma",
            printed=derive.AT_MINIMUM,
            experiment=observe.two_layers,
            derivation=derive.energy_minimum,
            hypotheses=ALIGNED,
            controls=(
                Control("s + t = sigma", sp.Equivalent(sp.Eq(energy, 0), sp.Eq(s + t, sigma))),
                Control("s t = sigma^2", sp.Equivalent(sp.Eq(energy, 0), sp.Eq(s * t, sigma**2))),
                Control("always", sp.Eq(energy, 0)),
            ),
        ),
    ),
)

E9 = Claim(
    id="S-E9",
    source="Jia et al., Eqs. (9) and (10)",
    statement="dL/ds^l = prod_{i>l} s^i (sigma - prod_i s^i) prod_{i<l} s^i, the gradient of E = (sigma - prod s)^2/2",
    note=SIGN + "With it the gradient is that of Eq. (10), and the loss is the sum of the energies and a constant.",
    clauses=(
        Clause(
            name="gradient",
            text="the slope of the network's loss by an entry of any S^l",
            printed=derive.PRINTED_E9,
            corrected=derive.TRUE_E9,
            experiment=observe.deep,
            derivation=derive.layer_scalar_gradient,
            hypotheses=ALIGNED,
            controls=(
                _wrong("half of it", mode_slope[j], derive.TRUE_E9.rhs / 2),
                _wrong("the upper product from l on", mode_slope[j], -_from * (sigma - everything) * below),
                _wrong("the lower product up to l", mode_slope[j], -above * (sigma - everything) * _through),
                _wrong("without the lower product", mode_slope[j], -above * (sigma - everything)),
                _wrong("the last layer left out", mode_slope[j], -above * (sigma - _one_short) * below),
            ),
        ),
        Clause(
            name="energy",
            text="dL/ds^l = dE/ds^l",
            printed=derive.FROM_ENERGIES,
            experiment=observe.deep,
            derivation=derive.layer_scalar_gradient,
            hypotheses=ALIGNED,
            controls=(
                _wrong("of (sigma - prod s)^2, without 1/2", mode_slope[j], 2 * energy_slope[j]),
                _wrong("uphill", mode_slope[j], -energy_slope[j]),
            ),
        ),
        Clause(
            name="loss",
            text="L = sum_m E_m + (tr Cyy - sum_{m <= M} sigma_m^2)/2, M the smallest width",
            printed=derive.TOTAL_LOSS,
            experiment=observe.deep,
            derivation=derive.loss_of_modes,
            hypotheses=ALIGNED,
            controls=(
                _wrong("without the constant", loss, ENERGIES),
                _wrong("half the constant", loss, ENERGIES + CONSTANT / 2),
                _wrong("all of tr Cyy", loss, ENERGIES + trace_yy / 2),
                _wrong("minus the constant", loss, ENERGIES - CONSTANT),
            ),
        ),
    ),
)

CLAIMS = (E5, E6, E9)
"""S-E6 is the second half of the sentence that S-E5 begins; they are kept apart because their verdicts differ."""
