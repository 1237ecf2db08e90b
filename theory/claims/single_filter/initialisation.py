"""Correlated against uncorrelated starts (Schneider, Section 3.2): C-ALIGN and X-LOSS; X-DEAD is in `dead_starts`."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.single_filter import expected_losses as linear
from theory.claims.observe.single_filter import relu_starts as relu
from theory.claims.observe.single_filter import start_errors
from theory.claims.single_filter import dead_starts
from theory.derive.single_filter import alignment, initialisation
from theory.derive.single_filter.alignment import (
    active_loss,
    active_moment,
    distance,
    distance_direction,
    distance_length,
    loss_direction,
    loss_length,
    probability,
    relu_corr,
    relu_loss,
    relu_unc,
    stay_active,
    w_first,
)
from theory.derive.single_filter.initialisation import (
    C,
    curvature,
    expected_loss,
    initial_distance,
    log_gain,
    loss_corr,
    loss_corr_next,
    loss_unc,
    loss_unc_next,
    mu,
    r,
    rate,
    steps_corr,
    steps_unc,
    variance,
    weight,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import d, i, lam, m, over, p, steps, w0_star

LINEAR_RULE = Hypothesis("the linear rule: every sample contributes to the gradient, active or not")
GRID = Hypothesis("the samples form the symmetric grid around w* and y = w*.X (assumptions 2 and 3)")
MOMENTS = Hypothesis("the start has mean mu w*/|w*| and covariance sigma^2 R, Gaussian or not")
ALIGNED = Hypothesis("w* is along (1, ..., 1), and any two pixels of the start have correlation r")
EDGE = Hypothesis("w* is orthogonal to (1, ..., 1), and any two pixels of the start have correlation r")
CORRELATED = Hypothesis("the start is correlated, r > 0", sp.Gt(r, 0))
STABLE = Hypothesis("the learning rate is stable, lam (1 + d0^2) < 1", sp.Lt(lam * (1 + d[0] ** 2), 1))
STAYS = Hypothesis("every sample is active from the start on (assumption 4)", stay_active)
SPREAD = Hypothesis("w is drawn with any correlation matrix R; w* is any filter")

_SHIFT = weight(0) * (mu - w0_star) ** 2

ALIGN = Claim(
    id="C-ALIGN",
    source="Schneider, Section 3.2, explanation of Theorem 1",
    statement="correlated initial weights converge faster than uncorrelated ones when w* is correlated; length matters "
    "less than direction",
    note="Read with w* along (1, ..., 1) and equal correlations. No start changes a rate: correlation moves the "
    "variance of the error, whose sum is fixed, from the other directions to that of w*. There it costs most at first "
    "(h_0 is the largest curvature) and vanishes soonest if the learning rate is moderate. All this is under "
    "assumption 4, which a centred random start meets with probability at most 1/2; under ReLU a correlated start is "
    "dead more often (X-DEAD), and its expected loss can stay higher for good.",
    clauses=(
        Clause(
            name="linear rule",
            text="the expected loss after k updates is lower for the correlated start",
            printed=initialisation.LEADS,
            condition=initialisation.CROSSED,
            experiment=linear.aligned_pairs,
            derivation=initialisation.aligned_starts,
            hypotheses=(GRID, LINEAR_RULE, ALIGNED, CORRELATED, STABLE),
            controls=(
                Control("higher", sp.Gt(loss_corr, loss_unc)),
                Control("by more than the whole gain", loss_corr < loss_unc - 2 * variance * r * over(weight(m))),
            ),
        ),
        Clause(
            name="ReLU rule",
            text="the same under the ReLU rule, once the correlated start leads under the linear rule",
            printed=alignment.RELU_LEADS,
            condition=stay_active,
            experiment=relu.relu_pairs,
            derivation=alignment.relu_leads,
            hypotheses=(
                GRID,
                ALIGNED,
                CORRELATED,
                STABLE,
                Hypothesis("(p - 1) h_0 rho_0^2k < sum_{i>0} h_i rho_i^2k", initialisation.CROSSED),
            ),
            controls=(
                Control("higher", sp.Gt(relu_corr, relu_unc)),
                Control("by more than the whole gain", relu_corr < relu_unc - 2 * variance * r * over(weight(m))),
            ),
        ),
        Clause(
            name="reaches w*",
            text="a perfectly correlated start, all pixels equal, contracts towards w* by |1 - 2 lam h_0| per update",
            printed=alignment.REACHES,
            condition=alignment.POSITIVE,
            experiment=start_errors.perfectly_correlated,
            derivation=alignment.perfectly_correlated_start,
            hypotheses=(GRID, ALIGNED, STABLE),
            controls=(
                Control(
                    "lam for 2 lam",
                    sp.Eq(distance, sp.Abs(1 - lam * (1 + d[0] ** 2)) ** steps * sp.Abs(w_first - w0_star)),
                ),
                Control("does not move", sp.Eq(distance, sp.Abs(w_first - w0_star))),
            ),
        ),
        Clause(
            name="length and direction: distance",
            text="of two errors of equal size, the one in length is the smaller one after k updates",
            printed=alignment.LENGTH_NEARER,
            condition=alignment.SLOW_ENOUGH,
            experiment=start_errors.errors,
            derivation=alignment.length_against_direction,
            hypotheses=(GRID, STAYS, STABLE),
            controls=(
                Control("larger", sp.Ge(distance_length, distance_direction[i])),
                Control("less than half", sp.Le(2 * distance_length, distance_direction[i])),
            ),
        ),
        Clause(
            name="length and direction: loss",
            text="and costs no more",
            printed=alignment.LENGTH_LOWER,
            condition=sp.Le(weight(0), weight(i)),
            experiment=start_errors.errors,
            derivation=alignment.length_against_direction_in_loss,
            hypotheses=(GRID, STAYS, STABLE),
            controls=(
                Control("more", sp.Ge(loss_length, loss_direction[i])),
                Control("less than half", sp.Le(2 * loss_length, loss_direction[i])),
            ),
        ),
    ),
)

LOSS = Claim(
    id="X-LOSS",
    source="after Schneider, Theorem 1",
    statement="the expected loss over random starts with correlation R, after k updates: sum_j h_j rho_j^2k E e_j^2",
    note="h_0 = 1 + d_0^2, h_i = d_i^2, rho_j = 1 - 2 lam h_j, E e_j^2 = sigma^2 (Q^T R Q)_jj + [j = 0] (mu - w*_0)^2. "
    "The closed form is for the linear rule. Under ReLU it holds only for starts that stay active, with their own "
    "second moments; all others taken in, the expected loss never falls below P(dead) h_0 w*_0^2.",
    clauses=(
        Clause(
            name="any R",
            text="the expected loss after k updates, for any correlation matrix and any w*",
            printed=initialisation.GENERAL_LOSS,
            experiment=linear.any_starts,
            derivation=initialisation.expected_loss_of_starts,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, SPREAD),
            controls=(
                Control(
                    "rho^k for rho^2k",
                    sp.Eq(
                        expected_loss,
                        weight(0, steps / 2) * (variance * C[0, 0] + (mu - w0_star) ** 2)
                        + over(variance * weight(m, steps / 2) * C[m, m]),
                    ),
                ),
                Control("without R", sp.Eq(expected_loss, _SHIFT + variance * (weight(0) + over(weight(m))))),
                Control(
                    "without the mean",
                    sp.Eq(expected_loss, variance * weight(0) * C[0, 0] + over(variance * weight(m) * C[m, m])),
                ),
            ),
        ),
        Clause(
            name="zero sum",
            text="correlation leaves E|w - w*|^2 of the start as it is: it only moves it between directions",
            printed=initialisation.GENERAL_DISTANCE,
            experiment=linear.any_starts,
            derivation=initialisation.expected_loss_of_starts,
            hypotheses=(MOMENTS, SPREAD),
            controls=(
                Control("C_00 for 1", sp.Eq(initial_distance, p * variance * C[0, 0] + (mu - w0_star) ** 2)),
                Control("without the mean", sp.Eq(initial_distance, p * variance)),
            ),
        ),
        Clause(
            name="aligned",
            text="w* along (1, ..., 1): the expected loss, and the difference to an uncorrelated start",
            printed=sp.And(initialisation.ALIGNED_LOSS, initialisation.ALIGNED_GAP),
            experiment=linear.aligned_pairs,
            derivation=initialisation.aligned_losses,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, ALIGNED),
            controls=(
                Control("p for p - 1", sp.Eq(loss_unc - loss_corr, variance * r * (over(weight(m)) - p * weight(0)))),
                Control("wrong sign", sp.Eq(loss_corr - loss_unc, variance * r * initialisation.aligned_lead())),
            ),
        ),
        Clause(
            name="crossing",
            text="the correlated start leads after k updates exactly if (p - 1) h_0 rho_0^2k < sum_{i>0} h_i rho_i^2k, "
            "whatever r and sigma",
            printed=sp.Equivalent(initialisation.LEADS, initialisation.CROSSED),
            experiment=linear.aligned_pairs,
            derivation=initialisation.aligned_starts,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, ALIGNED, CORRELATED),
            controls=(
                Control(
                    "one update early", sp.Equivalent(initialisation.LEADS, initialisation.aligned_lead(steps + 1) > 0)
                ),
                Control("the other way round", sp.Equivalent(sp.Gt(loss_corr, loss_unc), initialisation.CROSSED)),
            ),
        ),
        Clause(
            name="one crossing",
            text="a correlated start that leads keeps its lead, at any learning rate",
            printed=initialisation.STAYS_AHEAD,
            experiment=linear.aligned_pairs,
            derivation=initialisation.aligned_starts,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, ALIGNED),
            controls=(
                Control(
                    "so does the uncorrelated one",
                    sp.Implies(sp.Le(loss_unc, loss_corr), sp.Le(loss_unc_next, loss_corr_next)),
                ),
                Control("it leads at once", sp.Le(loss_corr_next, loss_unc_next)),
            ),
        ),
        Clause(
            name="edge",
            text="w* orthogonal to (1, ..., 1): the expected loss, and the difference to an uncorrelated start",
            printed=sp.And(initialisation.EDGE_LOSS, initialisation.EDGE_GAP),
            experiment=linear.edge_pairs,
            derivation=initialisation.edge_losses,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, EDGE),
            controls=(
                Control("as if aligned", sp.Eq(loss_unc - loss_corr, variance * r * initialisation.aligned_lead())),
                Control("wrong sign", sp.Eq(loss_corr - loss_unc, initialisation.EDGE_GAP.rhs)),
            ),
        ),
        Clause(
            name="updates saved",
            text="w* along (1, ..., 1): every direction across w* reaches any precision "
            "ln(1/(1 - r))/(2 ln(1/|rho_i|)) updates sooner, to within one",
            printed=initialisation.ALIGNED_STEPS,
            experiment=linear.steps_along,
            derivation=initialisation.steps_to_precision,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, ALIGNED, STABLE),
            controls=(
                Control("without the 2", sp.Abs(steps_unc[i] - steps_corr[i] - log_gain[i] / rate[i]) < 1),
                Control("later", sp.Abs(steps_corr[i] - steps_unc[i] - log_gain[i] / (2 * rate[i])) < 1),
            ),
        ),
        Clause(
            name="updates lost",
            text="w* orthogonal to (1, ..., 1): the direction (1, ..., 1) reaches any precision "
            "ln(1 + (p - 1) r)/(2 ln(1/|rho|)) updates later, to within one",
            printed=initialisation.EDGE_STEPS,
            experiment=linear.steps_across,
            derivation=initialisation.steps_to_precision,
            hypotheses=(GRID, LINEAR_RULE, MOMENTS, EDGE, STABLE),
            controls=(
                Control("without the 2", sp.Abs(steps_unc[1] - steps_corr[1] - log_gain[1] / rate[1]) < 1),
                Control("sooner", sp.Abs(steps_corr[1] - steps_unc[1] - log_gain[1] / (2 * rate[1])) < 1),
            ),
        ),
        Clause(
            name="ReLU, active starts",
            text="the closed form holds for the starts that stay active, with their own second moments",
            printed=alignment.ACTIVE_LOSS,
            experiment=relu.gaussian_active,
            derivation=alignment.active_starts,
            hypotheses=(GRID, Hypothesis("starts with an inactive sample at any update are left out")),
            controls=(
                Control(
                    "with the Gaussian's second moments",
                    sp.Eq(active_loss, initialisation.GENERAL_LOSS.rhs),
                ),
                Control(
                    "rho^k for rho^2k",
                    sp.Eq(
                        active_loss,
                        weight(0, steps / 2) * active_moment[0] + over(weight(m, steps / 2) * active_moment[m]),
                    ),
                ),
            ),
        ),
        Clause(
            name="ReLU, floor",
            text="the expected loss never falls below P(dead) h_0 w*_0^2, P(dead) as in X-DEAD",
            printed=alignment.FLOOR,
            experiment=relu.gaussian_floor,
            derivation=alignment.relu_floor,
            hypotheses=(GRID, ALIGNED, Hypothesis("the start is centred Gaussian")),
            controls=(
                Control("twice that", sp.Ge(relu_loss, 2 * probability * curvature(0) * w0_star**2)),
                Control("never above it", sp.Le(relu_loss, probability * curvature(0) * w0_star**2 / 2)),
                Control("falls as under the linear rule", sp.Eq(relu_loss, initialisation.GENERAL_LOSS.rhs)),
            ),
        ),
    ),
)

CLAIMS = (ALIGN, *dead_starts.CLAIMS, LOSS)
