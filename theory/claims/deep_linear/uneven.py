"""S-UNEVEN: what unconstrained training does to magnitudes, and whether it falls in local minima (Jia et al., 4.1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.deep_linear.gradients import DIAGONAL, FRAMES, WHITENED
from theory.claims.observe.deep_linear import critical_points, trainings, updates
from theory.derive.deep_linear import updates as derive
from theory.derive.deep_linear.modes import everything, sigma, strength
from theory.derive.deep_linear.updates import (
    CRITICAL,
    energy_here,
    energy_near,
    energy_scaled,
    eta,
    least,
    others,
    sigma_min,
    strength_next,
    worst_gap,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import i

ALIGNED = (WHITENED, FRAMES, DIAGONAL)
energy_lopsided = sp.Symbol("energy_lopsided", nonnegative=True)
"""E after one layer only is scaled."""

_BEFORE = strength[i] ** 2 - strength[0] ** 2
_AFTER = strength_next[i] ** 2 - strength_next[0] ** 2
_PULL = eta * (sigma - everything)

UNEVEN = Claim(
    id="S-UNEVEN",
    source="Jia et al., Section 4.1, the paragraph after Eq. (10)",
    statement="strengths are free to be scaled up or down, which results in very uneven magnitudes; consequently "
    "training easily falls in local minima that minimise (10) for certain directions but not for all",
    note="There are no local minima but global ones: every other critical point is a saddle with product 0. Evenness "
    "is inherited, not produced: s_l^2 - s_k^2 is constant along the flow, and an update multiplies it by 1-O(eta^2), "
    "so balanced starts stay balanced and uneven ones uneven, whatever is learned. Directions are learned one after "
    "another (X-SAXE has the times): training that stops early has only some of them, on a plateau, not in a minimum. "
    "Starts that do end at a saddle exist (two zero strengths; s = -t for two layers), but no positive start does.",
    clauses=(
        Clause(
            name="free scaling",
            text="scaling one layer up and another down leaves (10) as it is",
            printed=derive.SCALED,
            experiment=critical_points.points,
            derivation=derive.scaling,
            hypotheses=ALIGNED,
            controls=(
                Control("one layer alone", sp.Eq(energy_lopsided, energy_here)),
                Control("E falls", energy_scaled < energy_here - sp.Rational(1, 100)),
            ),
        ),
        Clause(
            name="unevenness",
            text="training makes strengths more uneven; true: an update multiplies s_l^2 - s_k^2 by 1 - O(eta^2)",
            printed=derive.PRINTED_UNEVEN,
            corrected=derive.SQUARES_UPDATE,
            experiment=updates.any_depth,
            derivation=derive.squares_update,
            hypotheses=ALIGNED,
            controls=(
                Control("grows by O(eta^2)", sp.Eq(_AFTER, _BEFORE * (1 + (_PULL * others[i]) ** 2))),
                Control("first order in eta", sp.Eq(_AFTER, _BEFORE * (1 - _PULL * others[i]))),
                Control("exactly kept", sp.Eq(_AFTER, _BEFORE)),
                Control("the product of all but one", sp.Eq(_AFTER, _BEFORE * (1 - (_PULL * others[0]) ** 2))),
            ),
        ),
        Clause(
            name="local minima",
            text="critical points that are not global minima are local minima; true is that they are saddles",
            printed=derive.PRINTED_LOCAL_MINIMUM,
            corrected=derive.SADDLE,
            experiment=critical_points.points,
            derivation=derive.saddles,
            hypotheses=ALIGNED,
            controls=(
                Control("as low as the minimum", sp.Implies(CRITICAL, sp.Eq(energy_near, 0))),
                Control("half as high", sp.Implies(CRITICAL, 2 * energy_near < energy_here)),
                Control("a plateau", sp.Implies(CRITICAL, sp.Eq(energy_near, energy_here))),
            ),
        ),
        Clause(
            name="not all directions",
            text="some direction ends unlearned; true is that from positive strengths all are learned",
            printed=derive.PRINTED_PARTIAL,
            corrected=derive.ALL_LEARNED,
            experiment=trainings.trained,
            derivation=derive.all_learned,
            hypotheses=(*ALIGNED, Hypothesis("training goes on to the end, at a small learning rate")),
            controls=(
                Control("from any start", sp.Eq(worst_gap, 0)),
                Control("a gap of half of the least sigma", sp.Implies(least > 0, worst_gap >= sigma_min / 2)),
                Control("only starts that are not positive", sp.Implies(least <= 0, sp.Eq(worst_gap, 0))),
            ),
        ),
    ),
)

CLAIMS = (UNEVEN,)
