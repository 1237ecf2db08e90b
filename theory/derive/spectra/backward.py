"""Errors sent back through bounded layers (Jia et al., Eqs. 12 and 13 and Section 4.2).

The error at layer l is (W^L ... W^(l+1))^T times that at layer L, W^i of shape (N_i, N_(i-1)); depth = L - l layers.
"""

from __future__ import annotations

from functools import cache

import sympy as sp
from sympy.concrete.delta import deltasummation

from theory.derivation import Derivation, Step, at_least, at_most, equal
from theory.derive.spectra.bounding import HI, LO, eps
from theory.symbols import j

back, error = sp.IndexedBase("back", real=True), sp.IndexedBase("error", real=True)
"""The error vectors at layer l (observed) and at layer L."""
J = sp.IndexedBase("J", real=True)
"""J[n, j] = d x^L_n / d x^l_j, observed forwards: what x^L is for the j-th unit vector at layer l."""
s = sp.IndexedBase("s", real=True, nonnegative=True)
"""s[m, k]: the m-th diagonal entry of S^(l+1+k), k = 0, ..., depth - 1."""
R_in, R_out = sp.IndexedBase("R_in", real=True), sp.IndexedBase("R_out", real=True)
"""R_in[j, m], R_out[n, m]: the columns r_m of R^(l+1) and of R^(L+1)."""
depth, modes, N_L = sp.symbols("depth modes N_L", integer=True, positive=True)
"""L - l; M = min(N_L, ..., N_l); the width of layer L."""
back2, error2 = sp.symbols("back2 error2", nonnegative=True)
"""Squared norms of the error vectors at layers l and L."""
part = sp.IndexedBase("part", real=True)
"""part[j] = r_j^(l+1).(error at layer l): the j-th component, j < M."""
part_L = sp.IndexedBase("part_L", real=True)
"""r_j^(L+1).(error at layer L)."""
smallest, largest = sp.symbols("smallest largest", nonnegative=True)
"""The M-th and the first singular value of W^L ... W^(l+1)."""
growth = sp.Symbol("growth", integer=True, nonnegative=True)
"""By how much the width grows at most from one layer to the next; 0 if none is wider than the one before it."""
uneven = sp.Symbol("uneven", integer=True, nonnegative=True)
"""The difference between the largest and the smallest width."""
bulge = sp.Symbol("bulge", integer=True, nonnegative=True)
"""By how much some layer is wider than one before it and than one after it; 0 if there is no such layer."""
tau = sp.Symbol("tau", positive=True)
"""By what share the norm may change."""
square_mean = sp.Symbol("square_mean", nonnegative=True)
"""Mean over row signs of the squared norm of the error at layer l, for errors of unit variance at layer L."""

_n = sp.Symbol("n", integer=True, nonnegative=True)
MODE = sp.Symbol("m", integer=True, nonnegative=True)
"""The summation index of Eq. (13)."""
_k = sp.Symbol("k", integer=True, nonnegative=True)


def product_of(m: sp.Expr, skip: int = 0) -> sp.Product:
    """The product over the layers of their m-th entries, the first `skip` layers left out."""
    return sp.Product(s[m, _k], (_k, skip, depth - 1))


def modes_sum(gain: sp.Expr, count: sp.Expr = modes) -> sp.Sum:
    """sum_m gain_m r_m^(l+1)_j (r_m^(L+1).error)."""
    return sp.Sum(gain * R_in[j, MODE] * sp.Sum(R_out[_n, MODE] * error[_n], (_n, 0, N_L - 1)), (MODE, 0, count - 1))


CHAIN = sp.Eq(back[j], sp.Sum(J[_n, j] * error[_n], (_n, 0, N_L - 1)))
MODES = sp.Eq(back[j], modes_sum(product_of(MODE)))
PART = sp.Eq(part[j], product_of(j) * part_L[j])
PART_BAND = sp.And(
    sp.Le(sp.Abs(part[j]), HI**depth * sp.Abs(part_L[j])), sp.Ge(sp.Abs(part[j]), sp.Abs(part_L[j]) / HI**depth)
)
PRESERVED = sp.Eq(back2, error2)
BAND = sp.And(sp.Le(back2, HI ** (2 * depth) * error2), sp.Ge(back2, error2 / HI ** (2 * depth)))
WITHIN = sp.And(sp.Le(back2, (1 + tau) ** 2 * error2), sp.Ge(back2 * (1 + tau) ** 2, error2))
SHALLOW = sp.Le(depth * eps * (1 + tau), tau)
SURVIVE = sp.Ge(smallest, HI ** (-depth))
EXPLODE = sp.Le(largest, HI**depth)
HALVED = sp.Eq(square_mean, N_L / 2**depth)

IN_BAND = "all singular values of the layers lie in [1/(1+eps), 1+eps]"
TALL_FAT = "s_min(T F) >= s_min(T) s_min(F) for T of full column rank and F of full row rank"
ALIGNED = "W^i = R^(i+1) S^i R^iT for i = l+1, ..., L"

_a, _b, _c = sp.symbols("a b c", nonnegative=True)
_lo = sp.Symbol("lo", positive=True)


@cache
def chain() -> Derivation:
    """The chain rule: dL/dx^l = (W^L ... W^(l+1))^T dL/dx^L (Eq. 12)."""
    x = sp.IndexedBase("x", real=True)
    linear = J[_n, j] * x[j]
    steps = (Step("x^L_n is linear in x^l_j with the slope", equal(sp.diff(linear, x[j]), J[_n, j])),)
    definitions = (sp.Eq(back[j], sp.Sum(error[_n] * sp.diff(linear, x[j]), (_n, 0, N_L - 1))),)
    return Derivation((CHAIN,), ("x^i = W^i x^(i-1)",), steps, definitions)


@cache
def modes_sum_derived() -> Derivation:
    """The orthogonal factors between layers cancel, and the diagonal ones multiply (Eq. 13): induction over layers."""
    q = sp.Symbol("q", integer=True, positive=True)
    row = sp.Symbol("a", integer=True, nonnegative=True)
    e, column = sp.IndexedBase("e", real=True), sp.Symbol("m0", integer=True, nonnegative=True)
    cancel = deltasummation(sp.KroneckerDelta(row, column) * e[row], (row, 0, q), no_piecewise=True)
    start = sp.Symbol("l0", integer=True, nonnegative=True)
    steps = (
        Step("R^iT R^i = I: the component along r_m is passed on alone", equal(cancel, e[column])),
        Step(
            "one layer more: its entry joins the product",
            equal(sp.Product(s[MODE, _k], (_k, start, start)) * e[MODE], s[MODE, start] * e[MODE]),
        ),
    )
    definitions = (
        sp.Eq(back[j], sp.Sum(R_in[j, MODE] * part[MODE], (MODE, 0, modes - 1))),
        sp.Eq(part[MODE], product_of(MODE) * sp.Sum(R_out[_n, MODE] * error[_n], (_n, 0, N_L - 1))),
        sp.Eq(part[j], product_of(j) * part_L[j]),
    )
    return Derivation((MODES, PART), (ALIGNED,), steps, definitions)


def _powers() -> tuple[Step, ...]:
    """From depth to depth + 1 layers: a product of numbers in the band, times one more."""
    power, top = sp.Symbol("power", positive=True), _b + _c
    return (
        Step("no layer: the empty product", equal(HI**0, 1)),
        Step(
            "one more, from below",
            at_least((_lo**depth + _a) * (_lo + _b), _lo ** (depth + 1)),
            certificate=_b * _lo**depth + _a * (_lo + _b),
        ),
        Step(
            "and from above: power + a = hi^depth, hi - b = s",
            at_most(power * (top - _b), (power + _a) * top),
            certificate=_a * top + power * _b,
        ),
        Step("lo^depth = hi^-depth", equal(LO**depth, HI ** (-depth))),
    )


@cache
def part_band() -> Derivation:
    """Aligned, each of the M components is multiplied by a number in [(1+eps)^-depth, (1+eps)^depth]."""
    steps = (*modes_sum_derived().steps, *_powers())
    return Derivation((PART_BAND,), (ALIGNED, IN_BAND), steps)


def _one_layer() -> tuple[Step, ...]:
    """|W^T e|^2 = sum_n s_n^2 c_n^2 against |e|^2 = sum_n c_n^2, c = U^T e with square U: N_i <= N_(i-1)."""
    excess, c = sp.IndexedBase("excess", real=True, nonnegative=True), sp.IndexedBase("c", real=True)
    rows = sp.Symbol("rows", integer=True, positive=True)
    terms = (2 * _lo * excess[_n] + excess[_n] ** 2) * c[_n] ** 2
    below = ((_lo + excess[_n]) ** 2 - _lo**2) * c[_n] ** 2
    top = _a + _c
    return (
        Step("from below, each term: s = lo + excess", equal(below, terms)),
        Step("summed over the components", at_least(sp.Sum(terms, (_n, 0, rows - 1)), 0)),
        Step("from above: s = hi - a", at_most((top - _a) ** 2, top**2), certificate=_a**2 + 2 * _a * _c),
    )


@cache
def band() -> Derivation:
    """(1+eps)^-depth <= |error at l| / |error at L| <= (1+eps)^depth, if no layer is wider than the one before it.

    W^iT has a trivial kernel exactly if N_i <= N_(i-1), and then |W^iT e| >= s_min |e|. The upper bound needs no
    condition on the widths.
    """
    steps = (*_one_layer(), *_powers())
    none = sp.Eq(growth, 0)
    return Derivation((sp.Implies(none, BAND), EXPLODE), (IN_BAND, "N_L <= ... <= N_l"), steps)


@cache
def orthogonal() -> Derivation:
    """eps = 0: |W^iT e|^2 = e^T W^i W^iT e = |e|^2 if W^i W^iT = I, which orthonormal rows mean: N_i <= N_(i-1).

    For N_i > N_(i-1) the columns are orthonormal, and an error orthogonal to them is lost.
    """
    t = sp.Symbol("t", real=True)
    W, e = sp.Matrix([sp.cos(t), sp.sin(t)]), sp.Matrix([-sp.sin(t), sp.cos(t)])
    steps = (
        *_one_layer(),
        Step("s_n = 1 for all n: the sums agree", equal(sp.Integer(1) ** (2 * depth), 1)),
        Step("a column (2, 1) of unit length", equal((W.T * W)[0], 1)),
        Step("maps the error across it to 0", equal((W.T * e)[0], 0)),
    )
    results = (sp.Implies(sp.Eq(growth, 0), PRESERVED), sp.Implies(sp.Eq(uneven, 0), PRESERVED))
    return Derivation(results, ("eps = 0", "N_L <= ... <= N_l, of which equal widths are a case"), steps)


@cache
def depth_limit() -> Derivation:
    """(1+eps)^depth <= 1 + tau if depth eps <= tau/(1 + tau), and exceeds it once depth > tau/eps: eps must be o(1/L).

    Bernoulli: (1+eps)^-n = (1 - eps/(1+eps))^n >= 1 - n eps/(1+eps) >= 1 - n eps, and (1+eps)^n >= 1 + n eps.
    """
    n, c = sp.symbols("n c", positive=True)
    share = tau / (1 + tau)
    steps = (
        *band().steps,
        Step("1/(1+eps) = 1 - eps/(1+eps)", equal(LO, 1 - eps / (1 + eps))),
        Step(
            "Bernoulli from n to n + 1",
            at_least((1 + n * eps) * (1 + eps), 1 + (n + 1) * eps),
            certificate=n * eps**2,
        ),
        Step(
            "and for the inverse, (1 - n x)(1 - x) >= 1 - (n + 1) x",
            at_least((1 - n * eps) * (1 - eps), 1 - (n + 1) * eps),
            certificate=n * eps**2,
        ),
        Step("1 - n eps >= 1 - tau/(1+tau) is", equal(1 - share, 1 / (1 + tau))),
        Step(
            "eps = c/L: the worst gain tends to e^c, not to 1", equal(sp.limit((1 + c / n) ** n, n, sp.oo), sp.exp(c))
        ),
        Step("eps = c/L^2: it tends to 1", equal(sp.limit((1 + 1 / n**2) ** n, n, sp.oo), 1)),
    )
    result = sp.Implies(sp.And(sp.Eq(growth, 0), SHALLOW), WITHIN)
    return Derivation((result,), (IN_BAND, "N_L <= ... <= N_l", "(L - l) eps <= tau/(1 + tau)"), steps)


@cache
def valley() -> Derivation:
    """The M-th singular value of the product is at least (1+eps)^-depth if widths first fall, then rise.

    With M = N_i the least width: W^i ... W^(l+1) is fat of full row rank, W^L ... W^(i+1) tall of full column rank, and
    the least singular values multiply. A layer wider than one before and one after it can lose a direction for good.
    """
    steps = (*_powers(), Step("s_min of a tall times s_min of a fat one", equal(LO**2, HI**-2)))
    result = sp.Implies(sp.Eq(bulge, 0), SURVIVE)
    return Derivation(
        (result, EXPLODE), (IN_BAND, TALL_FAT, "no layer is wider than one before and one after it"), steps
    )


@cache
def halved() -> Derivation:
    """Through ReLU each orthogonal layer passes half of the squared norm, in the mean over the signs of its rows.

    J = D W J' with D = diag(1[W x > 0]). Of the sum over rows w of 1[w.x > 0] |J'^T w|^2 the two signs of a row leave,
    in the mean, |J'^T w|^2/2, and these sum to |J'|^2/2, W being orthogonal: E|J|^2 = N/2^depth, whatever W and x.
    """
    first, second, dot = sp.symbols("x y z", positive=True)
    steps = (
        Step("one sign of two is active", equal((sp.Heaviside(dot) + sp.Heaviside(-dot)) / 2, sp.Rational(1, 2))),
        Step("the rest is even in the row", equal(((-first) ** 2 + (-second) ** 2), first**2 + second**2)),
        Step("one more layer", equal(N_L / 2**depth / 2, N_L / 2 ** (depth + 1))),
    )
    used = ("all W^i are square and orthogonal", "the signs of their rows are independent and even", "no tie w.x = 0")
    return Derivation((HALVED,), used, steps)
