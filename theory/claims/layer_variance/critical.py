"""C-RNG: the weight variance that keeps the variance of responses (Schneider, Section 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.layer_variance.equations import MEAN, SYMMETRIC
from theory.claims.layer_variance.table import APART, PERFECT_WEIGHTS, WHITE
from theory.claims.observe.layer_variance.critical import cell_c_keeps
from theory.claims.observe.layer_variance.one_layer import rectified
from theory.derive.layer_variance import cell_c
from theory.derive.layer_variance import one_layer as derive
from theory.derive.layer_variance.cell_c import growth, share, v_keeps
from theory.derive.layer_variance.one_layer import GAIN, v_star
from theory.derive.layer_variance.symbols import R, k, l, over_window, t, u
from theory.ledger import Claim, Clause, Control, Hypothesis

STATIONARY = Hypothesis("responses of the layer before have the same variance at all positions of a window")

RNG = Claim(
    id="C-RNG",
    source="Schneider, Section 4",
    statement="Var[w] should lie in [2/k^4, 2/k^2]",
    note="v* = 2 / (sum_tu R_tu M_tu / E[x^2]), R the correlation of the weights, M second moments of the inputs of "
    "a window: 2/k^4 if both are perfectly correlated, 2/k^2 if the part off the diagonal is zero, as for uncorrelated "
    "weights. Inputs that come out of a ReLU have M_tu >= 0, so it takes negatively correlated weights to leave the "
    "range, and then upwards; filters that sum to zero have no v* at all for perfectly correlated inputs. In cell (C), "
    "v* moves with depth from 2/(k^2 (1 - share + share k^2)) to 2/k^4.",
    clauses=(
        Clause(
            name="range",
            text="2/k^4 <= v* <= 2/k^2",
            printed=derive.RANGE,
            condition=derive.NOT_NEGATIVE,
            experiment=rectified,
            derivation=derive.critical_range,
            hypotheses=(MEAN, SYMMETRIC, STATIONARY),
            controls=(
                Control("up to 1/k^2", sp.And(sp.Le(2 / k**4, v_star), sp.Le(v_star, 1 / k**2))),
                Control("from 4/k^4", sp.And(sp.Le(4 / k**4, v_star), sp.Le(v_star, 2 / k**2))),
                Control("above 2/k^2", sp.Ge(v_star, 2 / k**2)),
            ),
        ),
        Clause(
            name="lower end",
            text="v* >= 2/k^4, whatever is correlated",
            printed=sp.Le(2 / k**4, v_star),
            experiment=rectified,
            derivation=derive.critical_range,
            hypotheses=(MEAN, SYMMETRIC, STATIONARY),
            controls=(
                Control("4/k^4", sp.Le(4 / k**4, v_star)),
                Control("2/k^2", sp.Le(2 / k**2, v_star)),
            ),
        ),
        Clause(
            name="its value",
            text="v* = 2 / (sum_tu R_tu M_tu / E[x^2])",
            printed=derive.CRITICAL,
            experiment=rectified,
            derivation=derive.critical_variance,
            hypotheses=(MEAN, SYMMETRIC, STATIONARY),
            controls=(
                Control("1 for 2", sp.Eq(v_star, 1 / GAIN)),
                Control("of the weights alone", sp.Eq(v_star, 2 / over_window(R[t, u]))),
                Control("2/k^2", sp.Eq(v_star, 2 / k**2)),
            ),
        ),
        Clause(
            name="in cell (C)",
            text="2 (1 - share + share k^(2(l-1))) / (k^2 (1 - share + share k^(2l))), in the range at every depth",
            printed=sp.And(cell_c.KEEPS, sp.Le(2 / k**4, v_keeps), sp.Le(v_keeps, 2 / k**2)),
            experiment=cell_c_keeps,
            derivation=cell_c.keeps,
            hypotheses=(MEAN, PERFECT_WEIGHTS, WHITE, APART),
            controls=(
                Control("a layer later", sp.Eq(v_keeps, cell_c.KEEPS.rhs.subs(l, l + 1))),
                Control("as in (B)", sp.Eq(v_keeps, 2 / k**2)),
                Control("as in (A)", sp.Eq(v_keeps, 2 / k**4)),
                Control(
                    "half the share",
                    sp.Eq(v_keeps, 2 * growth(k**2, share / 2) / growth(k**2, share / 2).subs(l, l + 1)),
                ),
            ),
        ),
    ),
)

CLAIMS = (RNG,)
