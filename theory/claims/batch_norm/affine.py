"""S-E15: BN after W x as an affine layer (Jia et al., Eqs. 14 and 15)."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.batch_norm import responses
from theory.derive.batch_norm import affine as derive
from theory.derive.batch_norm.affine import W, b, beta, fan_in, gamma, mu, response, response_a, response_b, std
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import X, j, n

FIXED = Hypothesis("mu and std are fixed: inference, of which Section 5 speaks here")
FIXED_SEEN = Hypothesis(FIXED.text, derive.fixed)


def _affine(scale: sp.Expr, offset: sp.Expr) -> sp.Eq:
    return sp.Eq(response[j], sp.Sum(scale * W[j, n] * X[n], (n, 0, fan_in - 1)) + offset)


_SCALE = gamma[j] / std[j]

E15 = Claim(
    id="S-E15",
    source="Jia et al., Eqs. (14), (15)",
    statement="BN after W x is the affine layer (Gamma Sigma W, beta - Gamma Sigma mu)",
    note="True to the letter in inference. In training mu and std are functions of the batch: the layer is then no "
    "affine map, and no change of variables turns it into one (W = gamma = 1, batches (0, 1) and (2, 0): the response "
    "halfway is 1, halfway between the responses is 0).",
    clauses=(
        Clause(
            name="inference",
            text="the response is Gamma Sigma W x + beta - Gamma Sigma mu",
            printed=derive.AFFINE,
            experiment=responses.inference,
            derivation=derive.inference,
            hypotheses=(FIXED,),
            controls=(
                Control("mean not scaled", _affine(_SCALE, beta[j] - mu[j])),
                Control("std for 1/std", _affine(gamma[j] * std[j], beta[j] - gamma[j] * std[j] * mu[j])),
                Control("variance for std", _affine(gamma[j] / std[j] ** 2, beta[j] - gamma[j] / std[j] ** 2 * mu[j])),
                Control("mean added", _affine(_SCALE, beta[j] + _SCALE * mu[j])),
            ),
        ),
        Clause(
            name="with a bias",
            text="with a bias b before BN, b~ = beta + Gamma Sigma (b - mu)",
            printed=derive.AFFINE_BIAS,
            experiment=lambda: responses.inference(biased=True),
            derivation=derive.inference_with_bias,
            hypotheses=(FIXED,),
            controls=(
                Control("bias left out", derive.AFFINE),
                Control("bias not scaled", _affine(_SCALE, beta[j] + b[j] - _SCALE * mu[j])),
            ),
        ),
        Clause(
            name="affine",
            text="the response halfway between two batches is halfway between their responses, as for any affine layer",
            printed=derive.HALFWAY,
            experiment=responses.batches,
            derivation=derive.affine_response,
            hypotheses=(FIXED_SEEN,),
            controls=(
                Control("the first response", sp.Eq(derive.response_mid[j], response_a[j])),
                Control("the sum of both", sp.Eq(derive.response_mid[j], response_a[j] + response_b[j])),
                Control("half of the difference", sp.Eq(derive.response_mid[j], (response_a[j] - response_b[j]) / 2)),
            ),
        ),
    ),
)

CLAIMS = (E15,)
