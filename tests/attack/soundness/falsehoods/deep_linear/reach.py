"""Near misses of which singular values a network in the band can reach: S-REACH, X-REACH."""

from __future__ import annotations

from sympy import Abs, And, Eq, Equivalent, Implies, Max, Min, Sum, log

from tests.attack.soundness.falsehood import Falsehood
from theory.derive.deep_linear.reach import (
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
    sigmas,
    target,
)
from theory.derive.deep_linear.reach_training import after, before, count, residual, root, s_end
from theory.symbols import j, lam, n, p, steps

_B = 1 + eps
_HIGH, _LOW = _B**depth, 1 / _B**depth
_S = Max(sigma, 1 / sigma)

FALSEHOODS = (
    # S-REACH
    Falsehood("S-REACH", "one direction", "hypothesis", sigma <= 1, "sigma = 0 is never reached", as_="condition"),
    Falsehood("S-REACH", "one direction", "hypothesis", eps >= 1, "sigma = 0", as_="condition"),
    Falsehood(
        "S-REACH",
        "all directions",
        "bound",
        Implies(And(sigma_max <= _HIGH, sigma_min <= _HIGH), Eq(total_energy, 0)),
        "sigma_min for 1/sigma_min",
    ),
    Falsehood(
        "S-REACH",
        "all directions",
        "factor",
        Implies(And(sigma_max <= _HIGH, _HIGH * sigma_min >= _LOW), Eq(total_energy, 0)),
        "(1+eps)^{2L}",
    ),
    Falsehood(
        "S-REACH",
        "by training",
        "exponent",
        Abs(s_end[j] - root) <= (1 - lam * depth * Max(1, root) ** (2 * depth - 2)) ** steps * Abs(1 - root),
        "max for min: too fast where root > 1",
    ),
    Falsehood("S-REACH", "by training", "strictness", Abs(s_end[j] - root) < Abs(1 - root), "sigma = 1; no update"),
    # X-REACH: numbers
    Falsehood("X-REACH", "interval", "strictness", And(product > _LOW, product < _HIGH), "all at one end"),
    Falsehood("X-REACH", "interval", "limit", product >= 1 - depth * eps + eps**2 * depth, "first order in eps"),
    Falsehood("X-REACH", "interval", "bound", product <= 1 + depth * eps, "Bernoulli, the wrong way round"),
    Falsehood(
        "X-REACH",
        "all of it",
        "strictness",
        Equivalent(reached, And(sigma < _HIGH, sigma * _HIGH > 1)),
        "the ends are reached",
    ),
    Falsehood(
        "X-REACH",
        "all of it",
        "exponent",
        Equivalent(reached, And(sigma <= _HIGH * _B, sigma * _HIGH * _B >= 1)),
        "L + 1",
    ),
    Falsehood("X-REACH", "least eps", "exponent", Eq((1 + eps_least) ** (2 * depth), _S), "2L: a root too many"),
    Falsehood("X-REACH", "least eps", "quantity", Eq((1 + eps_least) ** depth, 1 / sigma), "right for sigma <= 1"),
    Falsehood("X-REACH", "how narrow", "strictness", eps_least * depth > log(_S), "sigma = 1: 0 > 0"),
    Falsehood("X-REACH", "how narrow", "factor", eps_least * depth <= (_S - 1) / 2, "half"),
    Falsehood("X-REACH", "least energy", "exponent", Eq(energy, Max(0, sigma - _HIGH, _LOW - sigma) / 2), "0 and 1"),
    Falsehood("X-REACH", "least energy", "quantity", Eq(energy, Min(sigma - _HIGH, _LOW - sigma) ** 2 / 2), "min"),
    Falsehood("X-REACH", "least energy", "edge", Eq(energy, Max(0, sigma - _HIGH, 1 - eps - sigma) ** 2 / 2), "L = 1"),
    # X-REACH: training
    Falsehood("X-REACH", "above", "strictness", And(Eq(s_end[j], _B), residual >= sigma - 1), "s = 1 throughout"),
    Falsehood("X-REACH", "above", "factor", lam * (count + 2) * (sigma - _HIGH) < _B - 1 / _B, "two updates fewer"),
    Falsehood("X-REACH", "below", "sign", Eq(residual, _LOW - sigma), "the sign"),
    Falsehood(
        "X-REACH", "below", "hypothesis", Eq(s_end[j], 1 / _B), "a large rate turns strengths round", without=(2,)
    ),
    Falsehood("X-REACH", "projected now and then", "bound", before[j] <= _B**2, "by a factor of the band"),
    Falsehood("X-REACH", "projected now and then", "quantity", Eq(before[j], root), "arrived between two projections"),
    Falsehood("X-REACH", "projected now and then", "strictness", after[j] < _B, "on the edge"),
    # X-REACH: matrices
    Falsehood("X-REACH", "matrices", "strictness", And(power[j] > _LOW**2, power[j] < _HIGH**2), "all at one end"),
    Falsehood("X-REACH", "matrices", "bound", power[j] <= 1 + 2 * depth * eps, "first order in eps"),
    Falsehood("X-REACH", "unaligned", "factor", Implies(aligned, Eq(loss, 2 * LEAST_LOSS)), "without the 1/2"),
    Falsehood("X-REACH", "unaligned", "strictness", loss > LEAST_LOSS, "aligned weights"),
    Falsehood(
        "X-REACH",
        "unaligned",
        "edge",
        loss >= Sum(Max(0, sigmas[n] - _HIGH) ** 2 / 2 + Max(0, _LOW + sigmas[n]) ** 2 / 2, (n, 0, p - 1)),
        "the sign of sigma below the band",
    ),
    Falsehood(
        "X-REACH", "any widths", "index", Implies(j >= kept, Eq(power[j], 0)), "between N kept and the least width"
    ),
    Falsehood("X-REACH", "any widths", "strictness", Implies(j <= kept, power[j] >= _LOW**2), "one more"),
    Falsehood(
        "X-REACH", "any widths", "bound", Implies(j < narrowest, power[j] > 0), "narrowed directions may be lost"
    ),
    Falsehood("X-REACH", "a wider layer", "strictness", And(factor_greatest < _B, factor_least * _B > 1), "ends of it"),
    Falsehood("X-REACH", "a wider layer", "quantity", Eq(built[j], target[j] ** 2), "squared: right for 0 and 1"),
)
