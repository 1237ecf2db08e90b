"""S-BBN: what bounding gamma/(alpha sigma) guarantees (Jia et al., Section 5, Algorithm 2)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.batch_norm import bounded_layers, bounded_scales
from theory.derive.batch_norm import bounded as derive
from theory.derive.batch_norm.bounded import (
    band,
    eps,
    greatest,
    least,
    mean,
    once,
    once_mean,
    passes,
    repeated_mean,
    settled,
    settled_mean,
    twice,
    x,
)
from theory.derive.batch_norm.lemma_1 import BOUNDS, g_max, g_min, power
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j, p

_R = 1 + band
DEFINED = Hypothesis("alpha = mean(gamma/std) != 0, so that the step is defined", sp.Ne(mean, 0))
POSITIVE = Hypothesis("alpha > 0", sp.Gt(mean, 0))
ALL_POSITIVE = Hypothesis("all gamma > 0, as the paper observes")
IN_BAND = Hypothesis("W has all singular values in [1/(1 + eps), 1 + eps] (SVB)")
ONES = Hypothesis("all min(M, N) singular values of W are 1")

BBN = Claim(
    id="S-BBN",
    source="Jia et al., Section 5, Algorithm 2 (its body from the authors' published step)",
    statement="bounding gamma/(alpha sigma), alpha = mean(gamma/sigma), to [1/(1+e), 1+e] removes the risk of "
    "ill-conditioning",
    note="One pass bounds the condition number of Gamma Sigma W by (1+e)^2 (1+eps)^2, if alpha != 0. It does not put "
    "the layer into the band around its own alpha, since clipping moves alpha; it is not idempotent; it flips every "
    "gamma against the sign of alpha. Repeated passes do converge into the band; their limit is computed in finitely "
    "many steps. Between BN, ReLU and a fat W (pre-activation networks, as in the experiments) nothing is bounded from "
    "below. Taken neuron by neuron with alpha renewed each time, the result would depend on their order.",
    clauses=(
        Clause(
            name="alpha before",
            text="after a pass, gamma/(alpha std) is in [1/(1+e), 1+e], alpha taken before it",
            printed=derive.OLD_MEAN,
            experiment=bounded_scales.passes,
            derivation=derive.old_mean,
            hypotheses=(DEFINED,),
            controls=(
                Control("[1 - e, 1 + e/2]", sp.And(once[j] / mean >= 1 - band, once[j] / mean <= 1 + band / 2)),
                Control("not divided by alpha", sp.And(once[j] >= 1 / _R, once[j] <= _R)),
                Control("never below alpha", sp.Ge(once[j] / mean, 1)),
            ),
        ),
        Clause(
            name="alpha after",
            text="after a pass, gamma/(alpha std) is in [1/(1+e), 1+e] for the layer's alpha (true: in "
            "[p/(1 + (p-1) r^2), p r^2/(p - 1 + r^2)], r = 1 + e)",
            printed=derive.OWN_MEAN_PRINTED,
            corrected=derive.OWN_MEAN,
            experiment=bounded_scales.passes,
            derivation=derive.own_mean,
            hypotheses=(POSITIVE,),
            controls=(
                Control(
                    "p - 1 for p",
                    sp.And(
                        once[j] * (1 + (p - 1) * _R**2) >= (p - 1) * once_mean,
                        once[j] * (p - 1 + _R**2) <= (p - 1) * _R**2 * once_mean,
                    ),
                ),
                Control("r for r^2", sp.Ge(once[j] * (1 + (p - 1) * _R), p * once_mean)),
                Control("r for r^2 above", sp.Le(once[j] * (p - 1 + _R), p * _R * once_mean)),
            ),
        ),
        Clause(
            name="idempotent",
            text="a second pass changes nothing",
            printed=derive.SAME,
            condition=derive.INSIDE,
            experiment=bounded_scales.passes,
            derivation=derive.idempotent,
            hypotheses=(POSITIVE,),
            controls=(
                Control("all equal alpha", sp.Eq(twice[j], once_mean)),
                Control("negated", sp.Eq(twice[j], -once[j])),
                Control("the lower end", sp.Eq(twice[j], once_mean / _R)),
            ),
        ),
        Clause(
            name="signs",
            text="a pass keeps the sign of every gamma (it takes no absolute values)",
            printed=derive.SIGN_KEPT,
            condition=derive.AGREES,
            experiment=bounded_scales.passes,
            derivation=derive.signs,
            hypotheses=(DEFINED,),
            controls=(
                Control("flips it", sp.Eq(sp.sign(once[j]), -sp.sign(x[j]))),
                Control("makes it positive", sp.Eq(sp.sign(once[j]), 1)),
            ),
        ),
        Clause(
            name="settles",
            text="the limit of repeated passes is in the band around its own alpha, and a pass leaves it as it is",
            printed=sp.And(derive.SETTLED, derive.FIXED),
            experiment=bounded_scales.settled,
            derivation=derive.settles,
            hypotheses=(ALL_POSITIVE,),
            controls=(
                Control("already after one pass", derive.OWN_MEAN_PRINTED),
                Control("one pass is the limit", sp.Eq(settled[j], once[j])),
                Control("at the alpha of one pass", sp.Eq(settled_mean, once_mean)),
                Control("half the band", sp.Le(settled[j], (1 + band / 2) * settled_mean)),
            ),
        ),
        Clause(
            name="rate",
            text="alpha converges by a factor of max(h r, l/r)/p < 1 a pass, h (l) scales being clipped above (below)",
            printed=derive.CONVERGES,
            experiment=bounded_scales.settled,
            derivation=derive.settles,
            hypotheses=(ALL_POSITIVE,),
            controls=(
                Control(
                    "twice as fast",
                    sp.Le(
                        sp.Abs(repeated_mean - settled_mean),
                        derive.RATE ** (2 * passes) * sp.Abs(once_mean - settled_mean),
                    ),
                ),
                Control(
                    "h/p, l/p",
                    sp.Le(
                        sp.Abs(repeated_mean - settled_mean),
                        (sp.Min(derive.high, derive.low / _R) / p) ** passes * sp.Abs(once_mean - settled_mean),
                    ),
                ),
                Control("in one more pass", sp.Eq(repeated_mean, settled_mean)),
            ),
        ),
        Clause(
            name="condition number",
            text="after a pass the singular values of Gamma Sigma W differ by a factor of at most (1+e)^2 (1+eps)^2",
            printed=derive.CONDITION,
            experiment=bounded_layers.condition,
            derivation=derive.condition_number,
            hypotheses=(DEFINED, IN_BAND),
            controls=(
                Control("(1+e)^2 alone", sp.Le(greatest, _R**2 * least)),
                Control("(1+e)(1+eps)^2", sp.Le(greatest, _R * (1 + eps) ** 2 * least)),
                Control("(1+e)^2 (1+eps)", sp.Le(greatest, _R**2 * (1 + eps) * least)),
                Control("(1+eps)^2 alone", sp.Le(greatest, (1 + eps) ** 2 * least)),
            ),
        ),
        Clause(
            name="pre-activation",
            text="with BN and ReLU before W, the singular values on the neurons that are on lie in [g_min, g_max]",
            printed=BOUNDS,
            condition=sp.Or(derive.all_on, derive.tall),
            experiment=bounded_layers.pre_activation,
            derivation=derive.before_relu,
            hypotheses=(ONES,),
            controls=(
                Control("all g_min", sp.Eq(power[j], g_min**2)),
                Control("bounds swapped", sp.And(power[j] >= g_max**2, power[j] <= g_min**2)),
                Control("g for g^2", sp.And(power[j] >= g_min, power[j] <= g_max)),
            ),
        ),
    ),
)

CLAIMS = (BBN,)
