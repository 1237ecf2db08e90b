"""Bounded batch normalisation (Jia et al., Section 5, Algorithm 2): the step that bounds gamma, in named modes.

A BN layer in inference multiplies neuron i by its scale x_i = gamma_i/std_i, std_i = sqrt(running_var_i + eps). With
r = 1 + band and m = mean(x) a pass clips every x_i/m to [1/r, r]; beta, the statistics and the weights are untouched.

- "published": one such pass, signed, the mean taken once before clipping: what Section 5 says and what the authors'
  code does. A scale against the sign of the mean jumps to the band's end m/r; a mean of 0 is an error.
- "magnitude": one pass on |x_i|, signs kept; a scale of 0 counts as positive. A layer of zeros stays as it is.
- "settled": the limit of "magnitude" passes, computed in finitely many steps: the scales lie in [c/r, c r] of their own
  mean magnitude c, which one pass does not achieve. A layer that is there already is returned as it is.
"""

from __future__ import annotations

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.errors import require_choice, require_finite, require_non_negative, require_positive, require_shape

MODES = ("published", "magnitude", "settled")


def layer_scales(gamma: object, running_var: object, *, eps: float = 1e-5) -> FloatArray:
    """gamma/sqrt(running_var + eps), the factors (n,) of the diagonal Gamma Sigma (Jia et al., Eq. 14).

    gamma, running_var: (n,), n >= 1. Raises ValueError for a shape that does not fit, for NaN or infinities, for a
    negative variance or eps, and where running_var + eps is 0; TypeError for what is not real.
    """
    factors, deviation = _layer(gamma, running_var, eps)
    return factors / deviation


def bounded_gamma(
    gamma: object, running_var: object, band: float, *, eps: float = 1e-5, mode: str = "published"
) -> FloatArray:
    """gamma (n,) after one application of bounded batch norm to a layer.

    band: the e of Algorithm 2, > 0. Raises what `layer_scales` and `bounded_scales` raise, before any work.
    """
    factors, deviation = _layer(gamma, running_var, eps)
    bounded = bounded_scales(factors / deviation, band, mode=mode)
    # dividing and multiplying again would round: a scale that was not clipped keeps its gamma to the last bit
    return np.where(bounded == factors / deviation, factors, bounded * deviation)


def bounded_scales(scales: object, band: float, *, mode: str = "published") -> FloatArray:
    """The scales of one layer (n,), or of several of the same width (B, n), bounded.

    Raises ValueError for another shape, NaN or infinities, band <= 0 or an unknown mode, and in mode "published" for a
    layer whose mean is 0, where x_i/m has no value.
    """
    mode = require_choice(mode, "mode", MODES)
    ratio = 1.0 + float(require_shape(require_positive(band, "band"), "band", ()))
    x = require_finite(scales, "scales")
    if x.ndim not in (1, 2) or x.shape[-1] == 0:
        raise ValueError(f"scales must have shape (n,) or (B, n) with n >= 1, got {x.shape}")
    if mode == "published":
        return _published(x, ratio)
    size = _one_pass(np.abs(x), ratio)
    if mode == "settled":
        size = _settled(size, ratio)
    return np.copysign(size, np.where(x == 0, 1.0, x))


def in_own_band(scales: object, band: float) -> BoolArray:
    """Whether every |x_i| lies in [c/(1 + band), c (1 + band)], c their mean, (...,): nothing is left to bound.

    scales: (..., n), n >= 1. A layer of zeros counts as inside. Errors as in `bounded_scales`.
    """
    size = np.abs(require_finite(scales, "scales"))
    if size.ndim == 0 or size.shape[-1] == 0:
        raise ValueError(f"scales must have shape (..., n) with n >= 1, got {size.shape}")
    ratio = 1.0 + float(require_shape(require_positive(band, "band"), "band", ()))
    return _inside(size, ratio)


def _layer(gamma: object, running_var: object, eps: float) -> tuple[FloatArray, FloatArray]:
    factors = require_shape(require_finite(gamma, "gamma"), "gamma", (None,))
    variance = require_shape(require_non_negative(running_var, "running_var"), "running_var", factors.shape)
    extra = float(require_shape(require_non_negative(eps, "eps"), "eps", ()))
    flat = variance + extra == 0
    if flat.any():
        place = int(flat.argmax())
        raise ValueError(f"running_var + eps must be positive, got running_var[{place}] = 0.0 and eps = {extra}")
    return factors, np.sqrt(variance + extra)


def _published(x: FloatArray, ratio: float) -> FloatArray:
    mean = x.mean(axis=-1, keepdims=True)
    if np.any(mean == 0):
        raise ValueError(
            "mean(gamma/std) must not be 0 in mode 'published', which divides by it; "
            "modes 'magnitude' and 'settled' keep signs and are defined for every layer"
        )
    low, high = np.sort(np.stack([mean / ratio, mean * ratio]), axis=0)
    return np.clip(x, low, high)


def _one_pass(size: FloatArray, ratio: float) -> FloatArray:
    mean = size.mean(axis=-1, keepdims=True)
    return np.clip(size, mean / ratio, mean * ratio)


def _inside(size: FloatArray, ratio: float) -> BoolArray:
    mean = size.mean(axis=-1)
    return np.asarray((size.min(axis=-1) >= mean / ratio) & (size.max(axis=-1) <= mean * ratio))


def _settled(size: FloatArray, ratio: float) -> FloatArray:
    """The limit of further passes after a first one: max/min <= ratio^2 now, so at most one end is ever clipped again.

    If it is the upper one, the limit is min(x, c r) with c = mean(min(x, c r)): the c of `_mean_with_clipped` for the
    right number of clipped entries, which is the smallest over all numbers, since clipping others leaves more. The
    lower end likewise, with the largest.
    """
    mean = size.mean(axis=-1, keepdims=True)
    ordered = np.sort(size, axis=-1)
    upper = _mean_with_clipped(ordered, ratio).min(axis=-1, keepdims=True)
    lower = _mean_with_clipped(ordered[..., ::-1], 1.0 / ratio).max(axis=-1, keepdims=True)
    down = np.minimum(size, upper * ratio)
    up = np.maximum(size, lower / ratio)
    too_high = size.max(axis=-1, keepdims=True) > mean * ratio
    too_low = size.min(axis=-1, keepdims=True) < mean / ratio
    return np.where(too_high, down, np.where(too_low, up, size))


def _mean_with_clipped(ordered: FloatArray, factor: float) -> FloatArray:
    """c with n c = k c factor + (the n - k first entries), for k = 0, 1, ... while n > k factor: shape (..., K)."""
    n = ordered.shape[-1]
    count = np.arange(n)
    count = count[n - count * factor > 0]
    rest = np.cumsum(ordered, axis=-1)[..., ::-1][..., : len(count)]
    return np.asarray(rest / (n - count * factor))
