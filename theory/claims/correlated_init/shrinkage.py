"""X-KERN: what L2 does to the correlation of a filter's weights (the mechanism of Schneider, Section 6 (v))."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.correlated_init import shrunk_filters
from theory.derive.correlated_init import shrinkage as derive
from theory.derive.correlated_init.shrinkage import (
    LIMIT_VALUE,
    H,
    corr_before,
    corr_decay,
    corr_less,
    corr_limit,
    corr_w,
    cov,
    g_0,
    g_1,
    h_0,
    h_1,
    mu,
    r,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import i, j, p

shrunk = sp.Symbol("shrunk", positive=True)
"""The factor by which weight decay has multiplied every weight."""

TARGETS = Hypothesis("targets w*.x, w* random with E[w*] = 0 and Cov(w*) = I; every sample active, trained to the end")
EQUAL = Hypothesis("inputs with E[x_t^2] = 1, any two of them with correlation r")
MORE = Hypothesis("mu larger than before", sp.Gt(mu, 0))
_ridge_1, _ridge_0 = h_1 / (h_1 + mu), h_0 / (h_0 + mu)

KERN = Claim(
    id="X-KERN",
    source="this project; after Schneider, Section 6 (v)",
    statement="how L2 changes the correlation of the weights of a filter: (H + mu)^-1 H H (H + mu)^-1",
    note="L2 shrinks most where inputs vary least. That correlates weights only in so far as inputs are correlated: "
    "not at all for white inputs, negatively for negatively correlated ones; without data it only scales. The right "
    "sign condition for inputs in general is that of H^-1 (each pair given all others), not of H.",
    clauses=(
        Clause(
            name="closed form",
            text="correlation (g_1 - g_0)/(g_1 + (p-1) g_0), g = (h/(h+mu))^2, h_1 = 1 + (p-1) r, h_0 = 1 - r",
            printed=derive.CLOSED,
            experiment=shrunk_filters.equal_correlations,
            derivation=derive.closed_form,
            hypotheses=(TARGETS, EQUAL),
            controls=(
                Control(
                    "h/(h + mu) not squared", sp.Eq(corr_w, (_ridge_1 - _ridge_0) / (_ridge_1 + (p - 1) * _ridge_0))
                ),
                Control("that of the inputs", sp.Eq(corr_w, r)),
                Control("2 mu", derive.CLOSED.subs(mu, 2 * mu)),
                Control("p for p - 1", sp.Eq(corr_w, (g_1 - g_0) / (g_1 + p * g_0))),
            ),
        ),
        Clause(
            name="more uniform",
            text="more L2 makes weights more correlated (Section 6 (v))",
            printed=derive.MORE,
            condition=sp.Ge(r, 0),
            experiment=shrunk_filters.equal_correlations,
            derivation=derive.signs,
            hypotheses=(TARGETS, EQUAL, MORE),
            controls=(
                Control("less correlated", sp.Lt(corr_w, corr_less)),
                Control("negatively correlated", sp.Lt(corr_w, 0)),
            ),
        ),
        Clause(
            name="signs",
            text="the correlation rises with mu for r > 0, falls for r < 0, is 0 for r = 0",
            printed=derive.SIGNS,
            experiment=shrunk_filters.equal_correlations,
            derivation=derive.signs,
            hypotheses=(TARGETS, EQUAL, MORE),
            controls=(
                Control("rises for r < 0", sp.Implies(sp.Lt(r, 0), sp.Gt(corr_w, corr_less))),
                Control("falls for r > 0", sp.Implies(sp.Gt(r, 0), sp.Lt(corr_w, corr_less))),
                Control("that of the inputs at least", sp.Implies(sp.Gt(r, 0), sp.Gt(corr_w, 2 * r))),
            ),
        ),
        Clause(
            name="limit",
            text="it stays short of its limit for large mu, r (2 + (p-2) r)/(1 + (p-1) r^2)",
            printed=derive.LIMIT,
            experiment=shrunk_filters.equal_correlations,
            derivation=derive.signs,
            hypotheses=(TARGETS, EQUAL, MORE),
            controls=(
                Control("r", sp.Eq(corr_limit, r)),
                Control("p - 1 for p - 2", sp.Eq(corr_limit, r * (2 + (p - 1) * r) / (1 + (p - 1) * r**2))),
                Control("reached", sp.Eq(corr_w, LIMIT_VALUE)),
            ),
        ),
        Clause(
            name="decay alone",
            text="weight decay without data leaves correlations as they are",
            printed=derive.DECAY,
            experiment=shrunk_filters.decay,
            derivation=derive.decay_alone,
            controls=(
                Control("they shrink with the weights", sp.Eq(corr_decay, shrunk * corr_before)),
                Control("they rise", sp.Gt(corr_decay, corr_before + sp.Rational(1, 100))),
            ),
        ),
        Clause(
            name="correlated inputs",
            text="two inputs that are not negatively correlated get weights that are not",
            printed=derive.NOT_NEGATIVE,
            condition=derive.M_MATRIX,
            experiment=shrunk_filters.any_inputs,
            derivation=derive.any_inputs,
            hypotheses=(TARGETS, Hypothesis("E[x_i x_j] >= 0", sp.Ge(H[i, j], 0))),
            controls=(
                Control("as much as the inputs", sp.Ge(cov[i, j], H[i, j])),
                Control("none at all", sp.Le(cov[i, j], 0)),
            ),
        ),
    ),
)

CLAIMS = (KERN,)
