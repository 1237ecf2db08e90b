"""BN after W x as an affine layer, and when it is none (Jia et al., Eqs. 14 and 15)."""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, equal
from theory.symbols import X, j, n

W = sp.IndexedBase("W", real=True)
b = sp.IndexedBase("b", real=True)
"""b[j]: the bias of the layer before BN."""
mu = sp.IndexedBase("mu", real=True)
std = sp.IndexedBase("std", positive=True)
"""std[j] = sqrt(running_var[j] + eps)."""
gamma = sp.IndexedBase("gamma", real=True)
beta = sp.IndexedBase("beta", real=True)
fan_in = sp.Symbol("fan_in", integer=True, positive=True)
response = sp.IndexedBase("response", real=True)
"""response[j]: what BN gives for neuron j."""

response_a = sp.IndexedBase("response_a", real=True)
response_b = sp.IndexedBase("response_b", real=True)
response_mid = sp.IndexedBase("response_mid", real=True)
"""One neuron's responses to sample j of batch A, of batch B, and of the batch (A + B)/2."""
fixed = sp.Symbol("fixed")
"""The statistics are fixed (inference), not those of the batch."""

INFERENCE = "mu and std are fixed, as in inference"

_inputs = sp.Sum(W[j, n] * X[n], (n, 0, fan_in - 1))
_scaled = sp.Sum(gamma[j] / std[j] * W[j, n] * X[n], (n, 0, fan_in - 1))

AFFINE = sp.Eq(response[j], _scaled + beta[j] - gamma[j] / std[j] * mu[j])
"""Eq. (15): W~ = Gamma Sigma W, b~ = beta - Gamma Sigma mu."""
AFFINE_BIAS = sp.Eq(response[j], _scaled + beta[j] + gamma[j] / std[j] * (b[j] - mu[j]))
"""With a bias b before BN: b~ = beta + Gamma Sigma (b - mu)."""
HALFWAY = sp.Eq(response_mid[j], (response_a[j] + response_b[j]) / 2)
"""What every affine map satisfies."""


@cache
def inference() -> Derivation:
    """BN(W x) = (Gamma Sigma W) x + beta - Gamma Sigma mu (Eq. 15)."""
    definition = sp.Eq(response[j], gamma[j] / std[j] * (_inputs - mu[j]) + beta[j])
    steps = (Step("Eq. (14) at z = W x, multiplied out", equal(definition.rhs, AFFINE.rhs)),)
    return Derivation((AFFINE,), (INFERENCE,), steps, (definition,))


@cache
def inference_with_bias() -> Derivation:
    """BN(W x + b) = (Gamma Sigma W) x + beta + Gamma Sigma (b - mu)."""
    definition = sp.Eq(response[j], gamma[j] / std[j] * (_inputs + b[j] - mu[j]) + beta[j])
    steps = (Step("Eq. (14) at z = W x + b, multiplied out", equal(definition.rhs, AFFINE_BIAS.rhs)),)
    return Derivation((AFFINE_BIAS,), (INFERENCE,), steps, (definition,))


@cache
def affine_response() -> Derivation:
    """With fixed statistics the response halfway between two inputs is halfway between their responses."""
    a, other = sp.IndexedBase("a", real=True), sp.IndexedBase("a_other", real=True)
    slope, offset = sp.symbols("slope offset", real=True)
    definitions = (
        sp.Eq(response_a[j], slope * a[j] + offset),
        sp.Eq(response_b[j], slope * other[j] + offset),
        sp.Eq(response_mid[j], slope * (a[j] + other[j]) / 2 + offset),
    )
    halfway = (definitions[0].rhs + definitions[1].rhs) / 2
    steps = (
        *inference().steps,
        Step("z is linear in x, the response affine in z by Eq. (14)", equal(definitions[2].rhs, halfway)),
    )
    return Derivation((sp.Implies(fixed, HALFWAY),), (INFERENCE,), steps, definitions)
