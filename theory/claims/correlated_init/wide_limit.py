"""X-NNGP: conv nets whose filters have any spatial correlation, exactly for a layer and in the wide limit."""

from __future__ import annotations

import sympy as sp

from theory.claims.observe.correlated_init import conv_moments, lags, relu_pairs
from theory.derive.correlated_init import arc_cosine as derive_relu
from theory.derive.correlated_init import wide_limit as derive
from theory.derive.correlated_init.arc_cosine import after, c, variance, variance_2
from theory.derive.correlated_init.symbols import M, R, over_pixels, t, total_R, u, v
from theory.derive.correlated_init.wide_limit import (
    K_1,
    K_2,
    K,
    K_lag,
    K_limit,
    K_seen,
    between,
    corr,
    corr_next,
    cosine,
    critical,
    growth,
    lowest,
    lowest_next,
    q,
    rho_w,
)
from theory.ledger import Claim, Clause, Control, Hypothesis
from theory.symbols import j, p, relu_correlation

K_untied = sp.Symbol("K_untied", real=True)
"""The recursion as if R were I."""

WEIGHTS = Hypothesis("weights of mean zero with correlation R within a filter, none between filters; v = n_in Var[w]")
GAUSSIAN = Hypothesis("Gaussian weights")
LAGS = Hypothesis("stride 1, circular borders; second moments of the inputs depend on the lag only")
POSITIVE = Hypothesis("no two weights of a filter are negatively correlated")
_ROOT = sp.sqrt(variance * variance_2)

NNGP = Claim(
    id="X-NNGP",
    source="this project; after Schneider, Section 5",
    statement="K' = v sum_tu R_tu Q(a+t, a'+u), Q the arc-cosine kernel of K; the variance that keeps E[y^2]",
    note="Correlated filters blur: a wave over positions is multiplied by e*Re, even inputs by 1'R1, so that positions "
    "grow alike exponentially fast in depth, where uncorrelated filters leave every lag to itself. With He's v = 2/k^2 "
    "second moments then grow by 1'R1/k^2 per layer, up to k^2; v = 2/1'R1 ends that, and shrinks the first layers.",
    clauses=(
        Clause(
            name="layer",
            text="E[y(a) y'(a')] = v sum_tu R_tu E[x(a+t) x'(a'+u)], at any width, circular or zero padding",
            printed=derive.LAYER,
            experiment=conv_moments.one_layer,
            derivation=derive.layer,
            hypotheses=(WEIGHTS,),
            controls=(
                Control("equal offsets only", derive.UNCORRELATED),
                Control("as if perfectly correlated", sp.Eq(K, v * over_pixels(M[t, u]))),
                Control("one window turned round", sp.Eq(K, v * over_pixels(R[t, u] * M[t, p - 1 - u]))),
                Control("half", sp.Eq(K, v * over_pixels(R[t, u] * M[t, u]) / 2)),
            ),
        ),
        Clause(
            name="R = I",
            text="for R = I the kernel of the literature: v times the sum over equal offsets",
            printed=derive.UNCORRELATED,
            experiment=lambda: conv_moments.one_layer(correlated=False),
            derivation=derive.uncorrelated,
            hypotheses=(WEIGHTS,),
            controls=(
                Control("all offsets", sp.Eq(K, v * over_pixels(M[t, u]))),
                Control("the mean for the sum", sp.Eq(K, v * sp.Sum(M[t, t], (t, 0, p - 1)) / p)),
            ),
        ),
        Clause(
            name="after ReLU",
            text="E[relu(y) relu(y')] = sqrt(E[y^2] E[y'^2])/2 f(c), f(c) = (sqrt(1 - c^2) + c (pi - arccos c))/pi",
            printed=derive_relu.KERNEL,
            experiment=relu_pairs.gaussian_pairs,
            derivation=derive_relu.after_relu,
            hypotheses=(GAUSSIAN,),
            controls=(
                Control("c for f(c)", sp.Eq(after, _ROOT / 2 * c)),
                Control("without the half", sp.Eq(after, _ROOT * relu_correlation(c))),
                Control(
                    "arccos c for pi - arccos c", sp.Eq(after, _ROOT / 2 * (sp.sqrt(1 - c**2) + c * sp.acos(c)) / sp.pi)
                ),
                Control("without the root", sp.Eq(after, _ROOT / 2 * c * (sp.pi - sp.acos(c)) / sp.pi)),
            ),
        ),
        Clause(
            name="wide limit",
            text="three layers of wide networks have the second moments of the recursion",
            printed=derive.LIMIT,
            experiment=conv_moments.deep,
            derivation=derive.recursion,
            hypotheses=(WEIGHTS, GAUSSIAN),
            controls=(
                Control("as if R were I", sp.Eq(K_seen, K_untied)),
                Control("one ReLU not counted", sp.Eq(K_seen, 2 * K_limit)),
            ),
        ),
        Clause(
            name="even inputs",
            text="inputs equal at all positions: E[y^2] = v 1'R1 q, and v 1'R1/2 times as much in each further layer",
            printed=derive.EVEN,
            experiment=lags.even_inputs,
            derivation=derive.even_inputs,
            hypotheses=(WEIGHTS, Hypothesis("circular borders")),
            controls=(
                Control("k^2 for 1'R1", sp.Eq(K_1, v * q * p)),
                Control("without the half", sp.Eq(K_2, K_1 * v * total_R)),
                Control("k^2/2 in the next layer", sp.Eq(K_2, K_1 * v * p / 2)),
            ),
        ),
        Clause(
            name="white inputs",
            text="uncorrelated inputs: E[y^2] = v k^2 q for every R, responses j apart have v q sum_t R_(t+j)t",
            printed=derive.WHITE,
            experiment=lambda: lags.row_layers(wave=False),
            derivation=derive.white_inputs,
            hypotheses=(WEIGHTS, LAGS),
            controls=(
                Control("R of perfect correlation", sp.Eq(K_lag[j], v * q * (p - j))),
                Control("1'R1", sp.Eq(K_lag[j], v * q * total_R)),
                Control("R squared", sp.Eq(K_lag[j], v * q * sp.Sum(R[t + j, t] ** 2, (t, 0, p - 1 - j)))),
            ),
        ),
        Clause(
            name="waves",
            text="a wave over positions is multiplied by v e*Re, e_t = exp(i omega t)",
            printed=derive.WAVE,
            experiment=lambda: lags.row_layers(wave=True),
            derivation=derive.waves,
            hypotheses=(WEIGHTS, LAGS),
            controls=(
                Control("as an even input", sp.Eq(K_lag[j], v * q * total_R * cosine[j])),
                Control("as without correlation", sp.Eq(K_lag[j], v * q * p * cosine[j])),
                Control("t for t - u", sp.Eq(K_lag[j], v * q * over_pixels(R[t, u] * cosine[t]) * cosine[j])),
            ),
        ),
        Clause(
            name="two even inputs",
            text="two even inputs: their correlation goes from c to f(c), slope 1 at c = 1, whatever R and v are",
            printed=derive.TWO_EVEN,
            experiment=relu_pairs.two_even_inputs,
            derivation=derive.two_even_inputs,
            hypotheses=(WEIGHTS, GAUSSIAN, Hypothesis("circular borders, 1'R1 > 0")),
            controls=(
                Control("it stays", sp.Eq(corr_next, corr)),
                Control("squared", sp.Eq(corr_next, relu_correlation(corr) ** 2)),
            ),
        ),
        Clause(
            name="growth",
            text="E[y^2] grows by at most v 1'R1/2 per layer, at least f(m) times that, m the smallest correlation of "
            "two positions, which becomes at least f(m) >= m: positions grow alike, growth tends to v 1'R1/2",
            printed=derive.GROWTH,
            experiment=lags.growth,
            derivation=derive.growth_bounds,
            hypotheses=(WEIGHTS, LAGS, POSITIVE),
            controls=(
                Control("at most v k^2/2", sp.Le(growth, v * p / 2)),
                Control("v 1'R1/2 at once", sp.Ge(growth, v * total_R / 2)),
                Control("at least f(m) - c", sp.Ge(lowest_next, (1 + relu_correlation(lowest)) / 2)),
            ),
        ),
        Clause(
            name="critical variance, any R",
            text="E[y^2] stays for v = 2/sum_tu R_tu E[x_t x_u], inputs scaled to E[x^2] = 1",
            printed=derive.CRITICAL_ANY,
            experiment=lags.growth,
            derivation=derive.any_critical_variance,
            hypotheses=(WEIGHTS, LAGS),
            controls=(
                Control("He's", sp.Eq(critical * p, 2)),
                Control("for even inputs", sp.Eq(critical * total_R, 2)),
                Control("equal offsets only", sp.Eq(critical * sp.Sum(M[t, t], (t, 0, p - 1)), 2)),
                Control("1 for 2", sp.Eq(critical * over_pixels(R[t, u] * M[t, u]), 1)),
            ),
        ),
        Clause(
            name="critical variance",
            text="E[y^2] stays for v = 2/(k^2 (1 + (k^2 - 1) rho_w f(c))), equal correlations, rho_w of weights, c of "
            "responses",
            printed=derive.CRITICAL,
            experiment=lags.critical_variance,
            derivation=derive.critical_variance,
            hypotheses=(WEIGHTS, GAUSSIAN, LAGS),
            controls=(
                Control("He's", sp.Eq(critical, 2 / p)),
                Control("for even inputs", sp.Eq(critical, 2 / (p * (1 + (p - 1) * rho_w)))),
                Control("c for f(c)", sp.Eq(critical, 2 / (p * (1 + (p - 1) * rho_w * between)))),
                Control("1 for 2", sp.Eq(critical, 1 / (p * (1 + (p - 1) * rho_w * relu_correlation(between))))),
            ),
        ),
    ),
)

CLAIMS = (NNGP,)
