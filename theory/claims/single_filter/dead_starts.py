"""X-DEAD: how likely a random start is dead, and how likely it is all active (after Schneider, loosening of 4)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter import start_shares
from theory.derive.single_filter import dead_starts as derive
from theory.derive.single_filter.alignment import probability
from theory.derive.single_filter.dead_starts import (
    dead,
    dead_corr,
    dead_unc,
    largest,
    mirror_active,
    share_active,
    share_dead,
)
from theory.derive.single_filter.initialisation import C
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import d

GRID = Hypothesis("the samples form the symmetric grid around w* (assumption 2)")
GAUSSIAN = Hypothesis("the start is centred Gaussian with correlation matrix R; w* is any filter")
INDEPENDENT = Hypothesis("its coordinates in the frame of the grid are independent")
ALIGNED = Hypothesis("w* is along (1, ..., 1), and any two pixels of the start have correlation r")
EDGE = Hypothesis("w* is orthogonal to (1, ..., 1), and any two pixels of the start have correlation r")
NARROW = Hypothesis("d_0 < 1", sp.Lt(d[0], 1))

active = sp.Symbol("active")
probability_wide = sp.Symbol("probability_wide", real=True)
"""`probability` with 1 + d_0 in place of 1 - d_0."""

_A, _B = (1 - d[0]) ** 2 * C[0, 0], d[1] ** 2 * C[1, 1]

DEAD = Claim(
    id="X-DEAD",
    source="after Schneider, Section 3.2, loosening of assumption 4",
    statement="the probability that a random start is dead equals that of being all active; closed forms, and how it "
    "changes with correlation",
    note="Against the paper: if w* is along (1, ..., 1), a correlated start is all active more often, and exactly as "
    "much more often dead, up to one half each at perfect correlation. What it removes are the starts in between, from "
    "which ReLU descent often recovers. For d_0 = 1 the probability is 0.",
    clauses=(
        Clause(
            name="mirror",
            text="w is dead exactly if -w is all active, so that the two are equally likely under any symmetric law",
            printed=derive.MIRROR,
            experiment=start_shares.mirror,
            derivation=derive.mirrored,
            hypotheses=(GRID, Hypothesis("no tie, max w.X != 0 (it has probability zero)", sp.Ne(largest, 0))),
            controls=(
                Control("w itself", sp.Equivalent(dead, active)),
                Control("never", sp.Not(mirror_active)),
            ),
        ),
        Clause(
            name="equally likely",
            text="P(dead) = P(all active)",
            printed=derive.EQUALLY_LIKELY,
            experiment=start_shares.aligned,
            derivation=derive.mirrored,
            hypotheses=(GRID, GAUSSIAN),
            controls=(
                Control("together 1", sp.Eq(share_dead, 1 - share_active)),
                Control("never dead", sp.Eq(share_dead, 0)),
            ),
        ),
        Clause(
            name="p = 2",
            text="for p = 2 and any R: 1/2 - arccos(rho)/(2 pi), rho the correlation over starts of w.X and w.X', "
            "X and X' the two samples with a_0 = -d_0",
            printed=derive.ANGLE_2,
            experiment=start_shares.two_weights,
            derivation=derive.two_weights,
            hypotheses=(GRID, GAUSSIAN, NARROW),
            controls=(
                Control("without C_01", sp.Eq(share_active, sp.atan(sp.sqrt(_A / _B)) / sp.pi)),
                Control("the complement", sp.Eq(share_active, 1 - derive.ANGLE_2.rhs)),
                Control("half", sp.Eq(share_active, derive.ANGLE_2.rhs / 2)),
            ),
        ),
        Clause(
            name="p = 3",
            text="for p = 3 and any R: 1/2 - (sum of arccos(rho_e))/(4 pi), over the four pairs of samples with "
            "a_0 = -d_0 that differ in one sign",
            printed=derive.ANGLE_3,
            experiment=start_shares.three_weights,
            derivation=derive.three_weights,
            hypotheses=(GRID, GAUSSIAN, NARROW),
            controls=(
                Control("half", sp.Eq(share_active, derive.ANGLE_3.rhs / 2)),
                Control("one edge for all", sp.Eq(share_active, sp.Rational(1, 2) - sp.acos(derive.rho[0]) / sp.pi)),
            ),
        ),
        Clause(
            name="any p",
            text="for independent coordinates and any p: 1/2 + (1/pi) int_0^inf Im[exp(-(c s_0 t)^2/2) "
            "prod_i conj(W(t d_i s_i/sqrt 2))]/t dt, c = 1 - d_0",
            printed=derive.INTEGRAL,
            experiment=start_shares.independent,
            derivation=derive.any_weights,
            hypotheses=(GRID, GAUSSIAN, INDEPENDENT),
            controls=(
                Control("1 + d_0 for 1 - d_0", sp.Eq(share_active, probability_wide)),
                Control("the other sign of the integral", sp.Eq(share_active, 1 - probability)),
            ),
        ),
        Clause(
            name="aligned",
            text="P(dead) rises with r if w* is along (1, ..., 1)",
            printed=derive.RISES,
            experiment=start_shares.aligned,
            derivation=derive.aligned_dead,
            hypotheses=(GRID, GAUSSIAN, ALIGNED, NARROW),
            controls=(
                Control("falls", sp.Le(dead_corr, dead_unc)),
                Control("doubles at least", sp.Ge(dead_corr, 2 * dead_unc + sp.Rational(1, 4))),
            ),
        ),
        Clause(
            name="perfect correlation",
            text="to one half at r = 1, where every start is dead or all active",
            printed=derive.HALF,
            experiment=start_shares.perfect,
            derivation=derive.aligned_dead,
            hypotheses=(GRID, GAUSSIAN, ALIGNED, NARROW),
            controls=(
                Control("a quarter", sp.Eq(share_dead, sp.Rational(1, 4))),
                Control("as uncorrelated", sp.Eq(share_dead, dead_unc)),
            ),
        ),
        Clause(
            name="edge",
            text="P(dead) falls with r if w* is orthogonal to (1, ..., 1)",
            printed=derive.FALLS,
            experiment=start_shares.edge,
            derivation=derive.edge_dead,
            hypotheses=(GRID, GAUSSIAN, EDGE),
            controls=(
                Control("rises", sp.Ge(dead_corr, dead_unc)),
                Control("by more than a half", sp.Le(dead_corr, dead_unc - sp.Rational(1, 2))),
            ),
        ),
    ),
)

CLAIMS = (DEAD,)
