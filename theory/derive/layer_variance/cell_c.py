"""Cell (C) of Table 1: uncorrelated inputs, perfectly correlated weights; it is not analogous to (B).

A filter is one number w_i times a sum over its window. With S the sum of a window of inputs, y_1 = w_0 S, and
y_2 = w_1 |w_0| T with T a sum of positive parts of +-S. From there on all responses of a network have one sign, so that
ReLU passes everything or nothing, and y_l is, up to the signs, a sum of sums of positive parts. These have a mean, and
means add up like perfectly correlated inputs. With n = k^2 weights, share = E[relu(S)]^2 / E[relu(S)^2], and windows
that share no input,

    Var[y_l] = Var[y_1] (v/2)^(l-1) ((1 - share) n^(l-1) + share n^(2(l-1))),

share = 1/pi for Gaussian inputs: a mixture of (D) and (A). Where windows overlap, as in convolutions of stride 1, pairs
of paths from y_l back to windows at distance d count with kernel(d) = E[relu(S_0) relu(S_d)] / E[relu(S)^2].
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.layer_variance.depth import ETA_0, FROM_0_A, GAIN_A, SYMMETRIC_W, var_A, var_C
from theory.derive.layer_variance.symbols import k, l, n, q, v, var_1, var_l
from theory.symbols import p, relu_correlation

share = sp.Symbol("share", positive=True)
"""E[relu(S)]^2 / E[relu(S)^2] of the sum S of a window of inputs."""
pairs = sp.IndexedBase("pairs", nonnegative=True)
"""pairs[d]: pairs of paths from y_l back to two windows of inputs at offset d of the p on the torus."""
kernel = sp.IndexedBase("kernel", real=True)
"""kernel[d] = E[relu(S_0) relu(S_d)] / E[relu(S)^2] of windows at offset d."""
overlap = sp.IndexedBase("overlap", nonnegative=True)
"""overlap[d]: how many inputs two windows at offset d share."""
v_keeps = sp.Symbol("v_keeps", positive=True)
"""The Var[w] at which Var[y_{l+1}] = Var[y_l] (observed as v Var[y_l] / Var[y_{l+1}])."""

_second, _mean, _spread = sp.symbols("second_plus mean_plus spread_plus", positive=True)
"""E[relu(S)^2], E[relu(S)] and Var[relu(S)]."""
_layer = sp.Symbol("layer", integer=True, positive=True)
_d = sp.Symbol("d", integer=True, nonnegative=True)

SAME_SIGN = "from the second layer on all responses of a network have one sign (one channel)"
INPUTS = "inputs independent of each other, symmetric around 0"


def growth(weights: sp.Expr, part: sp.Expr) -> sp.Expr:
    """(1 - part) n^(l-1) + part n^(2(l-1)) for n weights."""
    return (1 - part) * weights ** (l - 1) + part * weights ** (2 * (l - 1))


INDEPENDENT = sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k**2, share))
GAUSSIAN = sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * growth(k**2, 1 / sp.pi))


def _over_torus(body: sp.Expr) -> sp.Sum:
    return sp.Sum(body, (_d, 0, p - 1))


OVERLAPPING = sp.Eq(var_l, var_1 * (v / 2) ** (l - 1) * _over_torus(pairs[_d] * kernel[_d]))
OVERLAPPING_GAUSSIAN = sp.Eq(
    var_l, var_1 * (v / 2) ** (l - 1) * _over_torus(pairs[_d] * relu_correlation(overlap[_d] / n))
)
LIKE_A = sp.And(
    sp.Le(var_l, var_1 * (n**2 * v / 2) ** (l - 1)), sp.Ge(var_l, var_1 * (n**2 * v / 2) ** (l - 1) / sp.pi)
)
"""Between 1/pi of what cell (A) makes of the same Var[y_1], and that: the growth rate is (A)'s."""
SQUARE_OF_C = sp.Eq(var_A, var_C**2 / ETA_0)
RATIO = k ** (2 * l) / (1 - share + share * k ** (2 * (l - 1)))
RATIO_TO_C = sp.Eq(var_A, var_C * RATIO)
"""Below k^2/share at every depth: (A) is a constant factor above (C)."""
KEEPS = sp.Eq(v_keeps, 2 * growth(k**2, share) / growth(k**2, share).subs(l, l + 1))


@cache
def independent_windows() -> Derivation:
    """Var[y_l] for any symmetric law of the inputs, windows that share no input."""
    w, T = sp.symbols("w T", positive=True)
    mean, spread = _mean * sp.Product(k**2, (_layer, 1, l - 1)), _spread * sp.Product(k**2, (_layer, 1, l - 1))
    steps = (
        Step(
            "relu(w S) = w relu(S) for w > 0, here S = T > 0",
            equal(sp.Max(w * T, 0, evaluate=False), w * sp.Max(T, 0, evaluate=False)),
        ),
        Step("relu(-w S) = w relu(-S)", equal(sp.Max(-w * T, 0, evaluate=False), w * sp.Max(-T, 0, evaluate=False))),
        Step(
            "so x_1 = |w_0| relu(+-S); for T >= 0, relu(w T) = relu(w) T",
            equal(sp.Max(-w * T, 0, evaluate=False), sp.Max(-w, 0, evaluate=False) * T),
        ),
        Step(
            "E[relu(w)^2] = v/2 in each of layers 2..l-1, E[w^2] = v in the first and the last",
            equal(v * (v / 2) ** (l - 2) * v, 2 * v * (v / 2) ** (l - 1)),
        ),
        Step(
            "a sum of n independent terms has n times their mean, and n times their variance",
            equal(mean, _mean * k ** (2 * (l - 1))),
        ),
        Step(
            "E[T^2] = variance + mean^2",
            equal(
                (spread + mean**2).doit().subs(_spread, _second - _mean**2), _second * growth(k**2, _mean**2 / _second)
            ),
        ),
        Step(
            "at l = 2: n E[relu(S)^2] + n (n - 1) E[relu(S)]^2",
            equal((_second * growth(n, _mean**2 / _second)).subs(l, 2), n * _second + n * (n - 1) * _mean**2),
        ),
        Step(
            "for k = 1 it is cell (A), whatever the share",
            equal(INDEPENDENT.rhs.subs(k, 1), (var_1 * GAIN_A ** (l - 1)).subs(k, 1)),
        ),
    )
    return Derivation((INDEPENDENT,), (SYMMETRIC_W, INPUTS, "windows share no input"), steps, _definitions())


def _definitions() -> tuple[sp.Equality, ...]:
    times = sp.Product(k**2, (_layer, 1, l - 1))
    return (
        sp.Eq(var_l, 2 * v * (v / 2) ** (l - 1) * (_spread * times + (_mean * times) ** 2)),
        sp.Eq(var_1, 2 * v * _second),
        sp.Eq(_spread, _second - _mean**2),
        sp.Eq(share, _mean**2 / _second),
    )


@cache
def gaussian_windows() -> Derivation:
    """share = 1/pi for Gaussian inputs: Var[y_l] = Var[y_1] (v/2)^(l-1) ((1 - 1/pi) n^(l-1) + n^(2(l-1))/pi)."""
    x, sigma = sp.Symbol("x", real=True), sp.Symbol("sigma", positive=True)
    bell = sp.exp(-(x**2) / 2) / sp.sqrt(2 * sp.pi)
    mean = sigma * sp.integrate(x * bell, (x, 0, sp.oo))
    second = sigma**2 * sp.integrate(x**2 * bell, (x, 0, sp.oo))
    steps = (
        *independent_windows().steps,
        Step("E[relu(S)]", equal(mean, sigma / sp.sqrt(2 * sp.pi))),
        Step("E[relu(S)^2]", equal(second, sigma**2 / 2)),
        Step("their share", equal(mean**2 / second, 1 / sp.pi)),
    )
    definitions = (*_definitions(), sp.Eq(_mean, sigma / sp.sqrt(2 * sp.pi)), sp.Eq(_second, sigma**2 / 2))
    used = (SYMMETRIC_W, "inputs independent Gaussian of mean 0", "windows share no input")
    return Derivation((GAUSSIAN,), used, steps, definitions)


@cache
def overlapping_windows() -> Derivation:
    """Var[y_l] of a convolution of stride 1: sum over offsets of pairs of paths times kernel."""
    definitions = (
        sp.Eq(var_l, 2 * v * (v / 2) ** (l - 1) * _over_torus(pairs[_d] * kernel[_d] * _second)),
        sp.Eq(var_1, 2 * v * _second),
    )
    return Derivation((OVERLAPPING,), (SYMMETRIC_W, INPUTS, SAME_SIGN), _path_steps(), definitions)


def _path_steps() -> tuple[Step, ...]:
    g, x = sp.symbols("g0:2"), sp.symbols("x0:2")
    return (
        *independent_windows().steps[:4],
        Step(
            "T = sum_s g_s relu(S_s), g_s paths to window s: T^2 is a sum over pairs of paths",
            equal((g[0] * x[0] + g[1] * x[1]) ** 2, sum(g[a] * g[b] * x[a] * x[b] for a in range(2) for b in range(2))),
        ),
        Step(
            "in all n^(2(l-1)) pairs; with kernel = share off d = 0, where n^(l-1) lie, windows are as if independent",
            equal(n ** (l - 1) + (n ** (2 * (l - 1)) - n ** (l - 1)) * share, growth(n, share)),
        ),
    )


@cache
def overlapping_gaussian() -> Derivation:
    """The same for Gaussian inputs: kernel(d) is the arc-cosine kernel of the overlap of two windows, over n."""
    angle = sp.Symbol("theta", positive=True)
    definitions = (
        sp.Eq(var_l, 2 * v * (v / 2) ** (l - 1) * _over_torus(pairs[_d] * relu_correlation(overlap[_d] / n) * _second)),
        sp.Eq(var_1, 2 * v * _second),
    )
    steps = (
        *_path_steps(),
        Step("the correlation of two window sums", equal(overlap[0] * q / (n * q), overlap[0] / n)),
        Step("no common input: the share of Gaussian inputs", equal(relu_correlation(sp.S.Zero), 1 / sp.pi)),
        Step("the same window", equal(relu_correlation(sp.S.One), sp.S.One)),
        Step(
            "c = cos(theta): (sin(theta) + (pi - theta) cos(theta))/pi has slope",
            equal(sp.diff(sp.sin(angle) + (sp.pi - angle) * sp.cos(angle), angle), -(sp.pi - angle) * sp.sin(angle)),
        ),
    )
    used = (SYMMETRIC_W, "inputs independent Gaussian of mean 0", SAME_SIGN, "Cho and Saul: the arc-cosine kernel")
    return Derivation((OVERLAPPING_GAUSSIAN,), used, steps, definitions)


@cache
def grows_like_a() -> Derivation:
    """Gaussian inputs: Var[y_l] lies between 1/pi of Var[y_1] (n^2 v/2)^(l-1) and that, whatever overlaps."""
    above, less, paths = sp.symbols("a b N", nonnegative=True)
    steps = (
        *overlapping_gaussian().steps,
        Step(
            "kernel = 1/pi + a, a >= 0: as the slope in theta is not positive",
            at_least(paths * (1 / sp.pi + above) - paths / sp.pi, 0),
            paths * above,
        ),
        Step("kernel = 1 - b, b >= 0", at_least(paths - paths * (1 - less), 0), paths * less),
        Step(
            "all pairs of paths: N = n^(2(l-1)), and (v/2)^(l-1) N",
            equal((v / 2) ** (l - 1) * n ** (2 * (l - 1)), (n**2 * v / 2) ** (l - 1)),
        ),
    )
    return Derivation((LIKE_A,), (SYMMETRIC_W, "inputs independent Gaussian of mean 0", SAME_SIGN), steps)


@cache
def against_a() -> Derivation:
    """Var_A / Var_C = n^l / (1 - share + share n^(l-1)), below n/share at every depth."""
    in_c = ETA_0 * k**2 * growth(k**2, share)
    steps = (
        *independent_windows().steps,
        Step("Var_C from Var[y_1] = v n E[x_0^2]", equal(in_c, INDEPENDENT.rhs.subs(var_1, v * k**2 * q))),
        Step(
            "(k^2/share) (1 - share + share n^(l-1)) exceeds n^l by",
            equal(k**2 / share * (1 - share + share * k ** (2 * (l - 1))) - k ** (2 * l), k**2 * (1 - share) / share),
        ),
    )
    definitions = (sp.Eq(var_A, FROM_0_A.rhs), sp.Eq(var_C, in_c))
    return Derivation(
        (RATIO_TO_C,), (SYMMETRIC_W, INPUTS, "windows share no input", "the same v and E[x_0^2]"), steps, definitions
    )


@cache
def keeps() -> Derivation:
    """The Var[w] that keeps the variance of cell (C) from layer l to l + 1; it falls to 2/n^2, within [2/n^2, 2/n]."""
    part, more, paths = sp.Symbol("s", positive=True), sp.Symbol("h", nonnegative=True), sp.Symbol("N", positive=True)
    rest = sp.Symbol("r", nonnegative=True)
    now, after = rest + part * paths, rest + part * paths * (1 + more)
    steps = (
        *independent_windows().steps,
        Step(
            "v Var[y_l] / Var[y_{l+1}]",
            equal(v * growth(k**2, share) / (v / 2 * growth(k**2, share).subs(l, l + 1)), KEEPS.rhs),
        ),
        Step(
            "with n = 1 + h, N = n^(l-1), r = 1 - s: it is 2 (r + s N) / (n (r + s N n)); from 2/n it lacks",
            equal(1 - now / after, part * paths * more / after),
        ),
        Step("which is not negative", at_least(part * paths * more / after, 0)),
        Step("and over 2/n^2 it has", equal(now * (1 + more) / after - 1, rest * more / after)),
        Step("which is not negative either", at_least(rest * more / after, 0)),
    )
    result = (sp.And(KEEPS, sp.Le(2 / k**4, v_keeps), sp.Le(v_keeps, 2 / k**2)),)
    return Derivation(result, (*independent_windows().used, "share <= 1"), steps)
