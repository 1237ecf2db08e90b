"""S-REACH and X-REACH: what layers in the band reach, and where training in the band ends (Jia et al., Section 4.1)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.deep_linear import reach_chains, reach_factors, reach_training
from theory.derive.deep_linear import reach as derive
from theory.derive.deep_linear import reach_matrices as whole
from theory.derive.deep_linear import reach_training as training
from theory.derive.deep_linear.reach import (
    HIGH,
    LOW,
    depth,
    energy,
    eps,
    eps_least,
    product,
    reached,
    sigma,
    sigma_max,
    sigma_min,
    total_energy,
)
from theory.derive.deep_linear.reach_matrices import (
    LEAST_LOSS,
    aligned,
    built,
    factor_greatest,
    factor_least,
    kept,
    loss,
    narrowest,
    power,
    target,
)
from theory.derive.deep_linear.reach_training import after, before, count, residual, root, s_end
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j, lam, steps

_B = 1 + eps
BAND = Hypothesis("all singular values of every layer are in [1/(1+eps), 1+eps]")
EQUAL = Hypothesis("all widths are equal")
EVERY = Hypothesis("a projection after every update, from a start in the band")
POSITIVE = Hypothesis("sigma > 0", sp.Gt(sigma, 0))
SMALL = Hypothesis("lam L max(1, sigma^(1/L))^(2L-2) <= 1", training.SMALL_RATE)
ABOVE = Hypothesis("sigma > (1+eps)^L", training.ABOVE)
BELOW = Hypothesis("sigma < (1+eps)^-L", training.BELOW)

_SHRINK = 1 - lam * depth * sp.Min(1, root) ** (2 * depth - 2)

REACH = Claim(
    id="S-REACH",
    source="Jia et al., Section 4.1",
    statement="for any fixed and finite sigma, a suitable eps lets SVB reach the minimum of Eq. (10); so for all M",
    note="With equal widths no eps does for sigma = 0, which C^yx has whenever its rank falls short. For the others "
    "eps must be at least max(sigma, 1/sigma)^(1/L) - 1 for the worst direction: the band is narrow only if L is large "
    "against |log sigma| (X-REACH). Wider hidden layers change the answer.",
    clauses=(
        Clause(
            name="one direction",
            text="with (1+eps)^L >= max(sigma, 1/sigma) (any eps if sigma = 0), the least energy in the band is 0",
            printed=derive.MINIMUM,
            condition=sp.Gt(sigma, 0),
            experiment=reach_factors.one_direction,
            derivation=derive.least_energy,
            hypotheses=(
                BAND,
                Hypothesis("eps is wide enough for sigma", derive.WIDE_ENOUGH),
                Hypothesis("and for 1/sigma, where there is one", derive.LOW_ENOUGH),
            ),
            controls=(
                Control("(sigma - 1)^2/2 remains", sp.Eq(energy, (sigma - 1) ** 2 / 2)),
                Control("(sigma - 1/(1+eps))^2/2 remains", sp.Eq(energy, (sigma - 1 / _B) ** 2 / 2)),
            ),
        ),
        Clause(
            name="all directions",
            text="an eps wide enough for the largest and the smallest sigma is wide enough for all directions at once",
            printed=sp.Implies(sp.And(sp.Ge(HIGH, sigma_max), sp.Ge(sigma_min * HIGH, 1)), derive.ALL_MINIMUM),
            experiment=reach_factors.three_directions,
            derivation=derive.all_directions,
            hypotheses=(BAND, EQUAL),
            controls=(
                Control("for the largest alone", sp.Implies(sp.Ge(HIGH, sigma_max), sp.Eq(total_energy, 0))),
                Control("for the smallest alone", sp.Implies(sp.Ge(sigma_min * HIGH, 1), sp.Eq(total_energy, 0))),
            ),
        ),
        Clause(
            name="by training",
            text="from orthogonal weights (s = 1), descent with a projection after every update converges to it, by a "
            "factor of 1 - lam L min(1, sigma^(1/L))^(2L-2) or less each time",
            printed=training.CONTRACTS,
            experiment=lambda: reach_training.runs("inside"),
            derivation=training.contracts,
            hypotheses=(
                BAND,
                Hypothesis("(1+eps)^-L <= sigma <= (1+eps)^L, s = 1 in every layer at the start"),
                SMALL,
            ),
            controls=(
                Control(
                    "twice as fast",
                    sp.Le(sp.Abs(s_end[j] - root), _SHRINK ** (2 * steps) * sp.Abs(root - 1)),
                ),
                Control("arrived", sp.Eq(s_end[j], root)),
                Control("does not move", sp.Eq(s_end[j], 1)),
            ),
        ),
    ),
)

X_REACH = Claim(
    id="X-REACH",
    source="this project; after Jia et al., Section 4.1",
    statement="the set of sigma that L layers in the band reach, the least eps, and what happens outside",
    note="Equal widths: the singular values of the whole network fill the interval [(1+eps)^-L, (1+eps)^L], with "
    "mixing as without. A wider hidden layer frees as many directions from the lower end as it is wider, sigma = 0 "
    "included; a narrower one costs rank. Above the interval training stops short by sigma - (1+eps)^L for good; "
    "projected less often it goes back and forth, outside the band whenever it is measured before a projection. At any "
    "learning rate is said of aligned strengths: at rates that descent without a band would not survive, rounding is "
    "enough to turn whole matrices out of alignment.",
    clauses=(
        Clause(
            name="interval",
            text="L numbers in the band have a product in [(1+eps)^-L, (1+eps)^L]",
            printed=derive.INTERVAL,
            experiment=reach_factors.one_direction,
            derivation=derive.interval,
            hypotheses=(BAND,),
            controls=(
                Control("L - 1", sp.And(product >= _B ** (1 - depth), product <= _B ** (depth - 1))),
                Control("1 + L eps", sp.Le(product, 1 + depth * eps / 2)),
                Control("no product below 1", sp.Ge(product, 1)),
            ),
        ),
        Clause(
            name="all of it",
            text="sigma is such a product exactly if (1+eps)^-L <= sigma <= (1+eps)^L",
            printed=sp.Equivalent(reached, derive.REACHED),
            experiment=reach_factors.one_direction,
            derivation=derive.interval,
            hypotheses=(POSITIVE,),
            controls=(
                Control("L - 1", sp.Equivalent(reached, sp.And(sigma <= HIGH / _B, sigma * HIGH / _B >= 1))),
                Control("the upper end alone", sp.Equivalent(reached, sigma <= HIGH)),
                Control(
                    "a band [1 - eps, 1 + eps]",
                    sp.Equivalent(reached, sp.And(sigma <= HIGH, sigma >= sp.Max(0, 1 - eps) ** depth)),
                ),
                Control("1 + L eps", sp.Equivalent(reached, sp.And(sigma <= 1 + depth * eps / 2, sigma * HIGH >= 1))),
            ),
        ),
        Clause(
            name="least eps",
            text="the least eps is max(sigma, 1/sigma)^(1/L) - 1",
            printed=derive.LEAST_BAND,
            experiment=reach_factors.least_bands,
            derivation=derive.interval,
            hypotheses=(POSITIVE,),
            controls=(
                Control("L + 1", sp.Eq((1 + eps_least) ** (depth + 1), sp.Max(sigma, 1 / sigma))),
                Control("without 1/sigma", sp.Eq((1 + eps_least) ** depth, sigma)),
                Control("(sigma - 1)/L", sp.Eq(1 + depth * eps_least, sp.Max(sigma, 1 / sigma))),
            ),
        ),
        Clause(
            name="how narrow",
            text="the least eps is between log(S)/L and (S - 1)/L, S = max(sigma, 1/sigma)",
            printed=derive.NARROWNESS,
            experiment=reach_factors.least_bands,
            derivation=derive.narrowness,
            hypotheses=(POSITIVE,),
            controls=(
                Control("at most log(S)/L", sp.Le(eps_least * depth, sp.log(sp.Max(sigma, 1 / sigma)))),
                Control("at least (S - 1)/L", sp.Ge(eps_least * depth, sp.Max(sigma, 1 / sigma) - 1)),
                Control("log(sigma)/L", sp.Eq(eps_least * depth, sp.log(sigma))),
            ),
        ),
        Clause(
            name="least energy",
            text="the least energy is max(0, sigma - (1+eps)^L, (1+eps)^-L - sigma)^2/2, at sigma = 0 as well",
            printed=derive.LEAST_ENERGY,
            experiment=reach_factors.one_direction,
            derivation=derive.least_energy,
            hypotheses=(BAND,),
            controls=(
                Control("without the half", sp.Eq(energy, sp.Max(0, sigma - HIGH, LOW - sigma) ** 2)),
                Control("upper end alone", sp.Eq(energy, sp.Max(0, sigma - HIGH) ** 2 / 2)),
                Control("L - 1", sp.Eq(energy, sp.Max(0, sigma - HIGH / _B, LOW * _B - sigma) ** 2 / 2)),
            ),
        ),
        Clause(
            name="above",
            text="sigma > (1+eps)^L: at any learning rate every layer is at 1+eps after fewer than "
            "1 + (b - 1/b)/(lam (sigma - b^L) b^(1-L)) updates (b = 1+eps), and sigma - b^L remains",
            printed=training.AT_TOP,
            experiment=lambda: reach_training.runs("above"),
            derivation=training.above,
            hypotheses=(EVERY, ABOVE),
            controls=(
                Control("at the root of sigma", sp.Eq(s_end[j], root)),
                Control("L - 1", sp.Eq(residual, sigma - HIGH / _B)),
                Control("nothing remains", sp.Eq(residual, 0)),
                Control("at once", sp.Eq(count, 0)),
            ),
        ),
        Clause(
            name="below",
            text="sigma < (1+eps)^-L: every layer ends at 1/(1+eps), and sigma - (1+eps)^-L remains",
            printed=training.AT_BOTTOM,
            experiment=lambda: reach_training.runs("below"),
            derivation=training.below,
            hypotheses=(EVERY, BELOW, Hypothesis("lam (1+eps)^(2L-2) < 1", training.SMALL_STEP)),
            controls=(
                Control("at 1 - eps", sp.Eq(s_end[j], 1 - eps)),
                Control("at the other end", sp.Eq(s_end[j], _B)),
                Control("L + 1", sp.Eq(residual, sigma - LOW / _B)),
            ),
        ),
        Clause(
            name="projected now and then",
            text="with a projection every T updates, sigma > (1+eps)^L: at 1+eps after each, above it before the next",
            printed=training.SAWTOOTH,
            experiment=lambda: reach_training.runs("between projections"),
            derivation=training.sawtooth,
            hypotheses=(ABOVE, SMALL, Hypothesis("s = 1 in every layer at the start")),
            controls=(
                Control("in the band all the time", sp.Le(before[j], _B)),
                Control("back to 1", sp.Eq(after[j], 1)),
                Control("beyond the root", sp.Ge(before[j], root)),
            ),
        ),
        Clause(
            name="matrices",
            text="any L square matrices in the band: squared singular values in [(1+eps)^-2L, (1+eps)^2L]",
            printed=whole.MATRICES,
            experiment=lambda: reach_chains.chains(square=True),
            derivation=whole.matrices,
            hypotheses=(BAND, EQUAL),
            controls=(
                Control("L - 1", sp.And(power[j] >= _B ** (2 - 2 * depth), power[j] <= _B ** (2 * depth - 2))),
                Control("not squared", sp.And(power[j] >= LOW, power[j] <= HIGH)),
                Control("all 1", sp.Eq(power[j], 1)),
            ),
        ),
        Clause(
            name="unaligned",
            text="weights in the band, aligned or not, have at least the sum of the least energies as their loss; "
            "aligned ones reach it",
            printed=whole.UNALIGNED,
            experiment=reach_chains.tasks,
            derivation=whole.unaligned,
            hypotheses=(BAND, EQUAL),
            controls=(
                Control("twice as much", sp.Ge(loss, 2 * LEAST_LOSS)),
                Control("reached by all", sp.Eq(loss, LEAST_LOSS)),
                Control("aligned ones have none", sp.Implies(aligned, sp.Eq(loss, 0))),
            ),
        ),
        Clause(
            name="any widths",
            text="all sigma_j <= (1+eps)^L; the first N_0 minus all narrowings >= (1+eps)^-L; 0 beyond the least width",
            printed=whole.WIDTHS,
            experiment=lambda: reach_chains.chains(square=False),
            derivation=whole.widths,
            hypotheses=(BAND,),
            controls=(
                Control("one more", sp.Implies(sp.Lt(j, kept + 1), power[j] >= _B ** (-2 * depth))),
                Control("up to the smallest width", sp.Implies(sp.Lt(j, narrowest), power[j] >= _B ** (-2 * depth))),
                Control("as with equal widths", sp.Ge(power[j], _B ** (-2 * depth))),
            ),
        ),
        Clause(
            name="a wider layer",
            text="n -> m -> n, n < m: any sigma_1 >= ... >= 0 with sigma_1 <= (1+eps)^2, sigma_(2n-m) >= (1+eps)^-2 "
            "are those of a product of two matrices in the band",
            printed=whole.WIDENED,
            experiment=reach_chains.widenings,
            derivation=whole.widened,
            hypotheses=(Hypothesis("sigma_1 <= (1+eps)^2, and sigma_(2n-m) >= (1+eps)^-2 if m < 2n"),),
            controls=(
                Control("all in the interval", sp.Ge(built[j] * _B**2, 1)),
                Control("all equal", sp.Eq(built[j], target[0])),
                Control(
                    "in half the band",
                    sp.And(
                        sp.Eq(built[j], target[j]), factor_least * (1 + eps / 2) >= 1, factor_greatest <= 1 + eps / 2
                    ),
                ),
            ),
        ),
    ),
)

CLAIMS = (REACH, X_REACH)
