"""Conv nets whose filters have correlation R: one layer exactly, all layers in the wide limit (X-NNGP).

K(a, a') = E[y(a) y'(a')] = v sum_tu R_tu M_tu at any width, M_tu = E[x(a + t) x'(a' + u)], v = n_in Var[w]. Wide layers
answer with Gaussians, so that M is the arc-cosine kernel of the K before. With stride 1 and circular borders, second
moments that depend on the lag a' - a only keep doing so, and lags that differ in one direction only show how R blurs.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.correlated_init.arc_cosine import after_relu, slope_steps
from theory.derive.correlated_init.symbols import (
    EVERY_R,
    M,
    R,
    delta_sum,
    equicorrelated,
    over_pixels,
    t,
    total_R,
    u,
    v,
)
from theory.symbols import j, p, relu_correlation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K = sp.Symbol("K", real=True)
"""E[y(a) y'(a')] of a layer at one pair of positions and of inputs."""
K_seen, K_limit = sp.symbols("K_seen K_limit", real=True)
"""The same in the last layer of a deep network, and what the recursion gives."""
K_lag = sp.IndexedBase("K_lag", real=True)
"""K_lag[j] = E[y(a) y(a + j)] along one direction, one input."""
q = sp.Symbol("q", positive=True)
"""E[x^2] of the inputs of the first layer."""
K_1, K_2 = sp.symbols("K_1 K_2", real=True)
"""E[y^2] in the first and in the second layer."""
corr, corr_next = sp.symbols("corr corr_next", real=True)
"""The correlation of the responses to two inputs, in one layer and in the next."""
cosine = sp.IndexedBase("cosine", real=True)
"""cosine[s] = cos(omega s), s the lag: a wave."""
growth = sp.Symbol("growth", positive=True)
"""E[y^2] of a layer over that of the layer before."""
lowest, lowest_next = sp.symbols("lowest lowest_next", real=True)
"""The smallest correlation of two positions in a layer, and in the next."""
critical = sp.Symbol("critical", positive=True)
"""The v at which E[y^2] stays the same from one layer to the next (observed: E[y^2] / E[y'^2] at v = 1)."""
rho_w = sp.Symbol("rho_w", real=True)
"""The correlation of any two weights of a filter, where it is the same for all."""
between = sp.Symbol("between", real=True)
"""The correlation of responses at any two positions of a window, where it is the same for all."""

LAYER = sp.Eq(K, v * over_pixels(R[t, u] * M[t, u]))
UNCORRELATED = sp.Eq(K, v * sp.Sum(M[t, t], (t, 0, p - 1)))
"""The kernel of the literature: equal offsets only."""
LIMIT = sp.Eq(K_seen, K_limit)
EVEN = sp.And(sp.Eq(K_1, v * q * total_R), sp.Eq(K_2, K_1 * v * total_R / 2))
WHITE = sp.Eq(K_lag[j], v * q * sp.Sum(R[t + j, t], (t, 0, p - 1 - j)))
WAVE_FACTOR = over_pixels(R[t, u] * cosine[sp.Abs(t - u)])
"""e(omega)^* R e(omega), e_t = exp(i omega t)."""
WAVE = sp.Eq(K_lag[j], v * q * WAVE_FACTOR * cosine[j])
TWO_EVEN = sp.Eq(corr_next, relu_correlation(corr))
GROWTH = sp.And(
    sp.Le(growth, v * total_R / 2),
    sp.Ge(growth, v * total_R / 2 * relu_correlation(lowest)),
    sp.Ge(lowest_next, relu_correlation(lowest)),
)
CRITICAL_ANY = sp.Eq(critical * over_pixels(R[t, u] * M[t, u]), 2)
"""M of the inputs, which are after ReLU, scaled to E[x^2] = 1."""
CRITICAL = sp.Eq(critical, 2 / (p * (1 + (p - 1) * rho_w * relu_correlation(between))))

ANY_WIDTH = "any numbers of channels; n_in Var[w] = v"
LAGS = "stride 1, circular borders, second moments that depend on the lag only"


@cache
def layer() -> Derivation:
    """K = v sum_tu R_tu M_tu for any inputs, borders (outside of them x = 0, or the other side) and widths."""
    w, x, z = sp.symbols("w0:2"), sp.symbols("x0:2"), sp.symbols("z0:2")
    pairs = sum(w[a] * w[b] * x[a] * z[b] for a in range(2) for b in range(2))
    product = (w[0] * x[0] + w[1] * x[1]) * (w[0] * z[0] + w[1] * z[1])
    variance, n_in = sp.Symbol("variance", positive=True), sp.Symbol("n_in", integer=True, positive=True)
    channel, X = sp.Symbol("channel", integer=True, nonnegative=True), sp.IndexedBase("X", real=True)
    steps = (
        Step("y y' of two pixels, one channel", equal(product, pairs)),
        Step(
            "n_in channels, E[w_t w_u] = Var[w] R_tu within one, 0 between: the channel mean of second moments counts",
            equal(
                sp.Sum(variance * R[t, u] * X[channel], (channel, 0, n_in - 1)),
                n_in * variance * R[t, u] * sp.Sum(X[channel], (channel, 0, n_in - 1)) / n_in,
            ),
        ),
    )
    products = sp.IndexedBase("products", real=True)
    definitions = (sp.Eq(K, over_pixels(products[t, u] * M[t, u])), sp.Eq(products[t, u], v * R[t, u]))
    return Derivation((LAYER,), (EVERY_R, ANY_WIDTH), steps, definitions)


@cache
def uncorrelated() -> Derivation:
    """R = I: only equal offsets t = u are left, sigma_w^2/k^2 times their sum, v = sigma_w^2/k^2."""
    left = deltasummation(M[t, u] * sp.KroneckerDelta(t, u), (u, 0, p - 1), no_piecewise=True)
    definitions = (sp.Eq(K, v * sp.Sum(left, (t, 0, p - 1))),)
    return Derivation((UNCORRELATED,), (EVERY_R, ANY_WIDTH, "R = I"), layer().steps, definitions)


@cache
def recursion() -> Derivation:
    """In wide nets each layer is given by the one before: `layer`, then `after_relu`.

    Given the layer before, responses are Gaussian with covariance v sum R M^, M^ the channel means of the layer before;
    these are means over independent channels, so that they tend to their expectation as widths grow.
    """
    used = (EVERY_R, "Gaussian weights", "widths grow without bound (law of large numbers over channels)")
    return Derivation((LIMIT,), used, (*layer().steps, *after_relu().steps))


@cache
def even_inputs() -> Derivation:
    """Inputs that are the same at all positions: E[y^2] = v 1'R1 q, and each further layer v 1'R1/2, any width."""
    first = over_pixels(v * R[t, u] * q)
    steps = (
        *layer().steps,
        Step("M_tu = q", equal(first, v * q * total_R)),
        Step(
            "responses are again the same at all positions, and ReLU leaves half of E[y^2]",
            equal(over_pixels(v * R[t, u] * K_1 / 2), K_1 * v * total_R / 2),
        ),
    )
    definitions = (sp.Eq(K_2, over_pixels(v * R[t, u] * K_1 / 2)), sp.Eq(K_1, first))
    used = (EVERY_R, ANY_WIDTH, "circular borders or none", "w and -w have the same law")
    return Derivation((EVEN,), used, steps, definitions)


@cache
def white_inputs() -> Derivation:
    """Uncorrelated inputs: E[y^2] = v k^2 q whatever R is; responses at lag j have correlation r(j)/k^2."""
    found = deltasummation(R[u, t] * sp.KroneckerDelta(u, t + j), (u, 0, p - 1), no_piecewise=True)
    steps = (
        *layer().steps,
        Step(
            "E[x(a + t) x(a + j + u)] = q for t = j + u only, of which p - j are in the window",
            equal(found, R[t + j, t]),
        ),
        Step("at j = 0, R_tt = 1", equal(sp.Sum(v * q, (t, 0, p - 1)), v * q * p)),
    )
    definitions = (sp.Eq(K_lag[j], v * q * sp.Sum(found, (t, 0, p - 1 - j))),)
    return Derivation((WHITE,), (EVERY_R, "E[x_t x_u] = 0 for t != u", "filters of one row"), steps, definitions)


@cache
def waves() -> Derivation:
    """A wave over the lag is multiplied by v e^* R e, an even input by v 1'R1: R blurs what differs between positions.

    e^* R e / 1'R1 is 1 for R = I at every frequency: without correlation second moments at one lag never mix with
    those at another. For R = 1 1' it is the squared response of a box filter.
    """
    omega, a, b = sp.symbols("omega a b", real=True)
    both = sp.cos(omega * (a + b)) + sp.cos(omega * (a - b))
    steps = (
        *layer().steps,
        Step(
            "cos(omega (j + t - u)) and its mirror, (t, u) and (u, t)",
            equal(sp.expand_trig(both), 2 * sp.cos(omega * a) * sp.cos(omega * b)),
        ),
        Step("R = I: the factor is p, as for an even input", equal(delta_sum(sp.KroneckerDelta(t, u)), p)),
        Step(
            "R = 1 1', two pixels: 2 + 2 cos(omega) = 4 cos(omega/2)^2",
            equal(2 + 2 * sp.cos(omega), 4 * sp.expand_trig(sp.cos(omega / 2)) ** 2),
        ),
    )
    return Derivation((WAVE,), (EVERY_R, LAGS, "filters of one row"), steps)


@cache
def two_even_inputs() -> Derivation:
    """Two even inputs: correlation c -> f(c), slope 1 at c = 1, whatever R and v are."""
    v_, total_, first, second = sp.symbols("v_ S q_1 q_2", positive=True)
    cross = v_ * total_ * sp.sqrt(first * second) / 2 * relu_correlation(corr)
    own = sp.sqrt(v_ * total_ * first / 2 * (v_ * total_ * second / 2))
    steps = (
        *after_relu().steps,
        Step("v 1'R1 drops out of the correlation", equal(cross / own, relu_correlation(corr))),
    )
    definitions = (sp.Eq(corr_next, cross / own),)
    return Derivation((TWO_EVEN,), (EVERY_R, "Gaussian responses", "1'R1 > 0"), steps, definitions)


@cache
def growth_bounds() -> Derivation:
    """E[y^2] grows by at most v 1'R1/2 per layer, in depth by just that, if no two weights are negatively correlated.

    All positions of a layer have correlation at least m. Then E[x x'] lies between f(m) and 1 times E[y^2]/2. With
    weights r(s) >= 0 over lags, sum r(s) = 1'R1, growth = (v/2) sum_s r(s) f(c(s)), and the next correlations
    sum_s r(s) f(c(j + s)) / sum_s r(s) f(c(s)) are at least f(m) 1'R1 / 1'R1. As f(m) > m for m < 1, m tends to 1.
    """
    low, over, r0, r1 = sp.symbols("f_m h r_0 r_1", nonnegative=True)
    top = sp.Symbol("g", nonnegative=True)
    steps = (
        *slope_steps(),
        Step(
            "two lags: a mean with weights r >= 0 of numbers f_m + h is at least f_m",
            at_least(r0 * (low + over) + r1 * (low + top) - low * (r0 + r1), 0),
            r0 * over + r1 * top,
        ),
        Step(
            "of numbers 1 - h, at most 1",
            at_least((r0 + r1) - (r0 * (1 - over) + r1 * (1 - top)), 0),
            r0 * over + r1 * top,
        ),
        Step(
            "the ratio: numerator at least f_m S, denominator S - h: N/(S - h) - f_m has the sign of",
            equal(low * (r0 + over) - low * r0, low * over),
        ),
    )
    used = (EVERY_R, LAGS, "the wide limit", "R >= 0 entry by entry")
    return Derivation((GROWTH,), used, steps)


@cache
def any_critical_variance() -> Derivation:
    """v* = 2/G, G = sum_tu R_tu M_tu with M scaled to E[x^2] = 1: v* G E[x^2] is E[y^2] of the layer before."""
    gain = sp.Symbol("G", positive=True)
    before = sp.Symbol("before", positive=True)
    steps = (*layer().steps, Step("E[y'^2] at v = 2/G, inputs max(y, 0)", equal(2 / gain * gain * before / 2, before)))
    definitions = (sp.Eq(critical, 2 / over_pixels(R[t, u] * M[t, u])),)
    return Derivation((CRITICAL_ANY,), (EVERY_R, "G > 0", "all windows alike"), steps, definitions)


@cache
def critical_variance() -> Derivation:
    """v* = 2/(p (1 + (p - 1) rho_w f(c))) for equal correlations, rho_w of weights and c of responses."""
    f = relu_correlation(between)
    found = delta_sum(equicorrelated(sp.S.One, rho_w) * equicorrelated(sp.S.One, f))
    one = sp.Symbol("G", positive=True)
    steps = (
        *after_relu().steps,
        Step("sum_tu R_tu E[x_t x_u]/E[x^2]", equal(found, p * (1 + (p - 1) * rho_w * f))),
        Step("E[y'^2] = v G E[y^2]/2 equals E[y^2]", equal((2 / one) * one / 2, 1)),
        Step("even inputs, c = 1: 2/1'R1", equal(CRITICAL.rhs.subs(between, 1), 2 / (p * (1 + (p - 1) * rho_w)))),
        Step("R = I: He's 2/k^2 for every c", equal(CRITICAL.rhs.subs(rho_w, 0), 2 / p)),
    )
    used = (EVERY_R, "Gaussian responses", "all windows alike")
    return Derivation((CRITICAL,), used, steps, (sp.Eq(critical, 2 / found),))


def limit_kernels(
    images: NDArray[np.float64], R: NDArray[np.float64], v: float, *, depth: int, padding: str, correlated: bool = True
) -> list[NDArray[np.float64]]:
    """K of layers 1..depth by the recursion as derived: windows gathered, offsets summed one by one.

    images: (B, C, H, W); R: (k^2, k^2), k odd; padding: "circular" or "zero". Each K: (B, B, P, P), P = H W positions,
    row by row. correlated=False leaves only equal offsets, as if R were I.
    """
    import numpy as np

    B, channels, H, W = images.shape
    side = round(len(R) ** 0.5)
    offsets = [(a - (side - 1) // 2, b - (side - 1) // 2) for a in range(side) for b in range(side)]
    # one more position, of zeros, for what lies outside
    outside = H * W
    source = np.array([
        [(r + a) % H * W + (c + b) % W if padding == "circular" or (0 <= r + a < H and 0 <= c + b < W) else outside
         for a, b in offsets] for r in range(H) for c in range(W)
    ])  # fmt: skip
    flat = images.reshape(B, channels, H * W)
    Q = np.einsum("bcs,xct->bxst", flat, flat) / channels
    found = []
    for _ in range(depth):
        padded = np.pad(Q, ((0, 0), (0, 0), (0, 1), (0, 1)))
        K = np.zeros_like(Q)
        for m in range(len(R)):
            for n in range(len(R)):
                if correlated or m == n:
                    K += v * R[m, n] * padded[:, :, source[:, m]][..., source[:, n]]
        found.append(K)
        size = np.sqrt(np.einsum("bbss->bs", K))
        product = size[:, None, :, None] * size[None, :, None, :]
        angle = np.arccos(np.clip(K / product, -1.0, 1.0))
        Q = product / (2 * np.pi) * (np.sin(angle) + (np.pi - angle) * np.cos(angle))
    return found
