"""A convolution as a linear map of images against its kernel as a matrix (Jia et al., footnote 2).

R is the kernel as an N_out x (N_in kh kw) matrix. At every position the layer applies R to the patch that it sees, so
|A x|^2 is the sum over positions of |R x_patch|^2: the operator A sees every pixel as often as patches overlap there.
"""

from __future__ import annotations

from functools import cache

import sympy as sp

from theory.derivation import Derivation, Step, at_least, equal
from theory.derive.spectra.bounding import HI, LO
from theory.symbols import j

op_max2, op_min2 = sp.symbols("op_max2 op_min2", nonnegative=True)
"""The squares of the largest and smallest of the min(rows, columns) singular values of the operator A."""
kernel_max2, kernel_min2 = sp.symbols("kernel_max2 kernel_min2", nonnegative=True)
"""The same of the reshaped kernel R."""
overlap, coverage = sp.symbols("overlap coverage", integer=True, nonnegative=True)
"""The largest and the least number of patches that see a pixel; at stride 1 on the torus both are kh kw."""
N_in, N_out, taps = sp.symbols("N_in N_out taps", integer=True, positive=True)
"""Channels in and out, and kh kw."""
rows, columns = sp.symbols("rows columns", integer=True, positive=True)
"""The shape of the operator: N_out H' W' by N_in H W."""
whole = sp.Symbol("whole", integer=True, nonnegative=True)
"""The number of patches that lie in the image, without padding."""
positions = sp.Symbol("positions", integer=True, positive=True)
"""H' W'."""
op_sum2, kernel_sum2 = sp.symbols("op_sum2 kernel_sum2", nonnegative=True)
"""The sums of the squared singular values of A and of R."""
spectrum, closed = sp.IndexedBase("spectrum", real=True), sp.IndexedBase("closed", real=True)
"""The singular values of A, descending: of its matrix, and of its blocks over frequencies."""
circular_max2, wider_max2 = sp.symbols("circular_max2 wider_max2", nonnegative=True)
"""op_max2 of the circular convolution on images (H, W), and on images (H + kh - 1, W + kw - 1)."""
H, W, kh, kw = sp.symbols("H W kh kw", integer=True, positive=True)
"""The sizes of the image and of the kernel."""

KERNEL_ABOVE, KERNEL_BELOW = sp.Le(op_max2, HI**2), sp.Ge(op_min2, LO**2)
UPPER_BAND = sp.Le(op_max2, overlap * HI**2)
UPPER = sp.Le(op_max2, overlap * kernel_max2)
INSIDE = sp.And(sp.Ge(op_max2, kernel_max2), sp.Le(op_min2, kernel_min2))
# relations between integers are written strictly, so that floats decide them at equality too
TALL = sp.Gt(N_out, N_in * taps - 1)
SEPARATE = sp.And(sp.Eq(overlap, 1), sp.Eq(coverage, 1))
LOWER = sp.Ge(op_min2, coverage * kernel_min2)
SAME = sp.And(sp.Eq(op_max2, kernel_max2), sp.Eq(op_min2, kernel_min2))
MEAN = sp.Eq(op_sum2, positions * kernel_sum2)
CLOSED = sp.Eq(spectrum[j], closed[j])
WINDOW = (H - kh + 1) * (W - kw + 1) / (H * W)
SANDWICH = sp.And(sp.Le(op_max2, wider_max2), sp.Ge(op_max2, WINDOW * circular_max2))

IN_BAND = "the singular values of R lie in [1/(1+eps), 1+eps]"
PATCHES = "|A x|^2 is the sum over positions of |R x_patch|^2, patches padded as the layer pads"
FULL_ROWS = "some patch lies wholly in the image, and A has no more rows than columns"

_n = sp.Symbol("n", integer=True, nonnegative=True)
_x, _seen = sp.IndexedBase("x", real=True), sp.IndexedBase("seen", real=True, nonnegative=True)
_pixels = sp.Symbol("pixels", integer=True, positive=True)
_size, _extra = sp.symbols("r excess", nonnegative=True)
_a, _b = sp.symbols("a b", real=True)


def _two_taps() -> tuple[Step, ...]:
    """The smallest case: one channel, kernel (a, b) on two pixels, a^2 + b^2 = 1."""
    A = sp.Matrix([[_a, _b], [_b, _a]])
    constant, alternating = sp.Matrix([1, 1]), sp.Matrix([1, -1])
    even = {_a: 1 / sp.sqrt(2), _b: 1 / sp.sqrt(2)}
    return (
        Step("a constant image is multiplied by a + b", equal((A * constant)[0], _a + _b)),
        Step("an alternating one by a - b", equal((A * alternating)[0], _a - _b)),
        Step("a = 3/5, b = 4/5: the kernel has length", equal(sp.Rational(3, 5) ** 2 + sp.Rational(4, 5) ** 2, 1)),
        Step("and the layer the singular values 7/5", equal(sp.Rational(3, 5) + sp.Rational(4, 5), sp.Rational(7, 5))),
        Step("and 1/5", equal(sp.Rational(4, 5) - sp.Rational(3, 5), sp.Rational(1, 5))),
        Step("a = b = 1/sqrt 2 reaches the bound, sqrt 2", equal((_a + _b).subs(even), sp.sqrt(2))),
        Step("and 0", equal((_a - _b).subs(even), 0)),
    )


def _counting() -> tuple[Step, ...]:
    """Between coverage and overlap: each pixel's square is counted as often as patches see it."""
    low = sp.Symbol("low", nonnegative=True)
    more = sp.IndexedBase("more", real=True, nonnegative=True)
    return (
        Step(
            "sum over patches of |x_patch|^2 - coverage |x|^2, seen = coverage + more",
            at_least(sp.Sum(more[_n] * _x[_n] ** 2, (_n, 0, _pixels - 1)), 0),
        ),
        Step(
            "a pixel seen `low + more` times adds so many squares",
            equal((low + more[_n]) * _x[_n] ** 2 - low * _x[_n] ** 2, more[_n] * _x[_n] ** 2),
        ),
        Step(
            "|R x_patch|^2 <= r |x_patch|^2: both factors multiply",
            at_least((overlap + _extra) * (_size + _extra), overlap * _size),
            certificate=overlap * _extra + _extra * _size + _extra**2,
        ),
    )


@cache
def upper() -> Derivation:
    """s_max(A)^2 <= overlap s_max(R)^2, at any padding, stride and image; kh kw at stride 1. Reached by constants."""
    steps = (*_counting(), *_two_taps())
    return Derivation((UPPER,), (PATCHES,), steps)


@cache
def upper_band() -> Derivation:
    """s_max(A)^2 <= overlap (1 + eps)^2 for a bounded kernel."""
    steps = (*_counting(), *_two_taps(), Step("s_max(R)^2 <= (1+eps)^2", equal(HI**2, 1 / LO**2)))
    return Derivation((UPPER_BAND,), (PATCHES, IN_BAND), steps)


@cache
def lower() -> Derivation:
    """s_min(A)^2 >= coverage s_min(R)^2 if R has at least as many rows as columns, N_out >= N_in kh kw.

    Otherwise R has a kernel, and patches of one nonzero image may all lie in it. With two taps or more, s_min(A) = 0
    can be: for a constant image if N_out >= N_in, for an error constant over the positions if N_out < N_in.
    """
    steps = (*_counting(), *_two_taps())
    return Derivation((sp.Implies(TALL, LOWER),), (PATCHES, "N_out >= N_in kh kw"), steps)


@cache
def separate() -> Derivation:
    """Patches that tile the image: A is R, once for each patch, and has its singular values."""
    c = sp.Symbol("c", positive=True)
    steps = (
        *_counting(),
        Step("every pixel is seen once: |A x|^2 = sum of |R x_patch|^2, |x|^2 = sum of |x_patch|^2", equal(c * 1, c)),
    )
    return Derivation((sp.Implies(SEPARATE, SAME),), (PATCHES, "every pixel is seen by one patch"), steps)


@cache
def lower_band() -> Derivation:
    """s_min(A) >= 1/(1+eps) for a bounded kernel if patches tile the image, or N_out >= N_in kh kw."""
    steps = (
        *lower().steps,
        *separate().steps,
        Step(
            "coverage is at least 1",
            at_least((1 + _extra) * LO**2, LO**2),
            certificate=_extra * LO**2,
        ),
    )
    result = sp.Implies(sp.Or(SEPARATE, TALL), KERNEL_BELOW)
    used = (PATCHES, IN_BAND, "every pixel is seen", "patches tile the image, or N_out >= N_in kh kw")
    return Derivation(
        (sp.Implies(SEPARATE, KERNEL_BELOW), sp.Implies(TALL, KERNEL_BELOW), result),
        used,
        steps,
        needs=(sp.Gt(coverage, 0),),
    )


@cache
def inside() -> Derivation:
    """s_min(A) <= s_min(R) and s_max(R) <= s_max(A): a bounded layer has a bounded kernel, not the other way round.

    A^T of an error that is u at one position, where a whole patch lies in the image, and 0 elsewhere is R^T u there.
    """
    u = sp.Matrix(sp.symbols("u_0 u_1", real=True))
    R = sp.Matrix(2, 3, sp.symbols("R_0:6", real=True))
    steps = (
        Step("|R^T u|^2 = u.(R R^T u)", equal(((R.T * u).T * (R.T * u))[0], (u.T * R * R.T * u)[0])),
        *_two_taps(),
    )
    return Derivation((INSIDE,), (PATCHES, FULL_ROWS), steps, needs=(sp.Gt(whole, 0), sp.Lt(rows, columns + 1)))


@cache
def mean() -> Derivation:
    """The squared singular values of a circular layer sum to those of R, once for each position: |A|^2 = H' W' |R|^2.

    Each row of its matrix holds one row of R. White noise is passed with the mean square gain |R|^2/N_out.
    """
    row = sp.Sum(_x[_n] ** 2, (_n, 0, _pixels - 1))
    steps = (
        Step("every position adds the squares of R once more", equal(positions * row + row, (positions + 1) * row)),
        *_two_taps(),
        Step("two pixels: (a+b)^2 + (a-b)^2", equal((_a + _b) ** 2 + (_a - _b) ** 2, 2 * (_a**2 + _b**2))),
    )
    return Derivation((MEAN,), (PATCHES, "circular: every patch is whole"), steps)


@cache
def frequencies() -> Derivation:
    """A circular layer has the singular values of its blocks, one for each class of frequencies that the stride mixes.

    It maps the wave exp(2 pi i f t) to K(f) times a wave; at stride s those of f + n u/s, u = 0, ..., s - 1, come out
    alike, and each spreads its square over n/s of n positions: the block is [K(f + n u/s)]_u / sqrt s per axis, over
    waves of unit length; the row of s blocks is what the singular values are taken of.
    """
    t, f, n, tap, s, u = sp.symbols("t f n a s u", integer=True, positive=True)

    def wave(frequency: sp.Expr, at: sp.Expr) -> sp.Expr:
        return sp.exp(2 * sp.pi * sp.I * frequency * at / n)

    steps = (
        Step("a shift by a multiplies a wave by a phase", equal(wave(f, t + tap) / wave(f, t), wave(f, tap))),
        Step("every s-th position: f and f + n u/s agree", equal(wave(f + n * u / s, s * t), wave(f, s * t))),
        Step(
            "unit waves of n pixels against those of n/s: a factor",
            equal((1 / sp.sqrt(n)) / (1 / sp.sqrt(n / s)), 1 / sp.sqrt(s)),
        ),
    )
    return Derivation((CLOSED,), ("circular", "the stride divides the image"), steps)


@cache
def zero_padding() -> Derivation:
    """(H-kh+1)(W-kw+1)/(HW) s_max(circular on H x W)^2 <= s_max(A)^2 <= s_max(circular on (H+kh-1) x (W+kw-1))^2.

    Above: on the larger torus, images that are 0 outside H x W are zero padded, so A is a part of the circular map.
    Below: on the best wave, the (H-kh+1)(W-kw+1) whole patches give what the circular map gives. The factor tends to 1:
    the norm tends to the largest |K(f)| over all frequencies, with an error of order 1/H + 1/W.
    """
    m, r = sp.symbols("m r", positive=True)
    steps = (
        Step("the share of whole patches, per axis", equal((m - r + 1) / m, 1 - (r - 1) / m)),
        Step("tends to 1", equal(sp.limit((m - r + 1) / m, m, sp.oo), 1)),
        Step(
            "padding p <= kh - 1 gives H + 2p - kh + 1 positions, at most", equal(H + 2 * (kh - 1) - kh + 1, H + kh - 1)
        ),
    )
    return Derivation((SANDWICH,), ("stride 1", "padding at most kh - 1 and kw - 1", PATCHES), steps)
