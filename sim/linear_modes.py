"""Modes of an aligned deep linear network: each follows -dE/ds of E = (sigma - s^1 ... s^L)^2/2 on its own.

Strengths s have the layers first, (L, ...); the other axes (modes, initialisations, ...) are independent of each other.
Letters as in Jia et al., Section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.errors import (
    require_finite,
    require_int,
    require_non_negative,
    require_positive,
    require_positive_int,
    require_shape,
)

DIVERGENCE_BOUND = 1e100
"""A strength beyond this in magnitude counts as diverged."""


@dataclass(frozen=True, eq=False)
class ModeTrajectory:
    """Strengths of modes along time.

    times: (T,), updates for descent, units of 1/sigma for the flow. strengths: (T, L, ...). diverged: (...), whether
    a mode left the finite range (beyond `DIVERGENCE_BOUND`); its strengths are NaN from then on.
    """

    times: FloatArray
    strengths: FloatArray
    diverged: BoolArray

    @property
    def final(self) -> FloatArray:
        """The last strengths, (L, ...)."""
        return np.asarray(self.strengths[-1])

    @property
    def products(self) -> FloatArray:
        """s^1 ... s^L along time, (T, ...)."""
        return np.asarray(np.prod(self.strengths, axis=1))


def leave_one_out(s: object) -> FloatArray:
    """The products of all strengths but one, prod_{k != l} s^k, for every l; s and result (L, ...).

    Without a division, so that zeros are right, and with exponents kept apart, so that no partial product under- or
    overflows unless the result does (0 or infinite then). Raises ValueError if s is not finite or has no layer.
    """
    strengths = _layers_first(s)
    mantissa, exponent = np.frexp(strengths)
    before, after = _running(mantissa, exponent), _running(mantissa[::-1], exponent[::-1])
    shift = before[1] + after[1][::-1]
    # beyond these the result is 0 or infinite in any case
    exponents = np.clip(shift, -3000, 3000).astype(np.int32)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(before[0] * after[0][::-1], exponents))


def _running(mantissa: FloatArray, exponent: np.ndarray) -> tuple[FloatArray, np.ndarray]:
    """Products of all earlier layers as mantissas and exponents; 1 for the first layer."""
    part, power = np.empty_like(mantissa), np.zeros(mantissa.shape, dtype=np.int64)
    part[0] = 1.0
    for layer in range(1, len(mantissa)):
        part[layer], carried = np.frexp(part[layer - 1] * mantissa[layer - 1])
        power[layer] = power[layer - 1] + exponent[layer - 1] + carried
    return part, power


def mode_energy(s: object, sigma: object) -> FloatArray:
    """E = (sigma - s^1 ... s^L)^2/2 (Jia et al., Eq. 10); s (L, ...), sigma broadcasts to (...)."""
    strengths, target = _matched(s, sigma)
    return np.asarray(0.5 * np.square(target - np.prod(strengths, axis=0)))


def mode_gradient(s: object, sigma: object) -> FloatArray:
    """dE/ds^l = -(sigma - s^1 ... s^L) prod_{k != l} s^k, the sign of Eq. (9) corrected; (L, ...)."""
    strengths, target = _matched(s, sigma)
    return np.asarray(-(target - np.prod(strengths, axis=0)) * leave_one_out(strengths))


def descend_modes(
    s: object,
    sigma: object,
    *,
    learning_rate: float,
    steps: int,
    record_every: int | None = None,
    band: float | None = None,
    band_every: int = 1,
) -> ModeTrajectory:
    """Gradient descent s <- s - learning_rate dE/ds for `steps` updates.

    record_every: keep the strengths after every so many updates, the first ones included (default: only the first and
    the last). band: eps > 0 to clip every |s| to [1/(1+eps), 1+eps], its sign kept, after every `band_every` updates:
    Singular Value Bounding in the aligned frame. Divergence is reported in the result.
    Raises ValueError or TypeError for arguments out of range, naming the argument.
    """
    strengths, target = _matched(s, sigma)
    rate = float(require_shape(require_positive(learning_rate, "learning_rate"), "learning_rate", ()))
    steps = require_int(steps, "steps", 0)
    every = max(steps, 1) if record_every is None else require_positive_int(record_every, "record_every")
    clip_every = require_positive_int(band_every, "band_every")
    high = np.inf if band is None else 1.0 + float(require_positive(band, "band"))
    from sim.mode_kernel import advance

    times = [0, *range(every, steps + 1, every)]
    if times[-1] != steps:
        times.append(steps)
    shape = strengths.shape
    current = np.ascontiguousarray(strengths.reshape(shape[0], -1))
    goals = np.ascontiguousarray(np.broadcast_to(target, shape[1:]).reshape(-1))
    kept = np.empty((len(times), *current.shape))
    kept[0] = current
    for n, (start, stop) in enumerate(pairwise(times), start=1):
        kept[n] = current = advance(current, goals, rate, start, stop, high, clip_every if band is not None else 0)
    with np.errstate(invalid="ignore"):
        left = ~(np.abs(kept) <= DIVERGENCE_BOUND).all(axis=1)
    gone = np.logical_or.accumulate(left, axis=0)
    kept[np.repeat(gone[:, None], shape[0], axis=1)] = np.nan
    return ModeTrajectory(
        np.array(times, dtype=np.float64), kept.reshape(len(times), *shape), gone[-1].reshape(shape[1:])
    )


def flow_modes(s: object, sigma: object, times: object) -> ModeTrajectory:
    """The gradient flow ds/dt = -dE/ds from s, at the times (T,), ascending and not negative.

    DOP853 with relative tolerance 1e-12, all modes integrated together. Raises RuntimeError if it gives up.
    """
    from scipy.integrate import solve_ivp

    strengths, target = _matched(s, sigma)
    at = np.atleast_1d(require_non_negative(times, "times"))
    if at.ndim != 1 or np.any(np.diff(at) < 0):
        raise ValueError(f"times must be one ascending sequence, got {at}")
    shape = strengths.shape
    if at[-1] == 0:
        kept = np.repeat(strengths[None], len(at), axis=0)
        return ModeTrajectory(at, kept, np.zeros(shape[1:], dtype=np.bool_))

    def velocity(_: float, flat: FloatArray) -> FloatArray:
        return np.asarray(-mode_gradient(flat.reshape(shape), target).ravel())

    run = solve_ivp(
        velocity, (0.0, float(at[-1])), strengths.ravel(), method="DOP853", t_eval=at, rtol=1e-12, atol=1e-14
    )
    if not run.success:
        raise RuntimeError(f"the flow could not be followed to time {at[-1]:g}: {run.message}")
    return ModeTrajectory(at, run.y.T.reshape(len(at), *shape), np.zeros(shape[1:], dtype=np.bool_))


def _layers_first(s: object) -> FloatArray:
    strengths = require_finite(s, "s")
    if strengths.ndim == 0 or len(strengths) == 0:
        raise ValueError(f"s must have shape (L, ...) with at least one layer, got {strengths.shape}")
    return strengths


def _matched(s: object, sigma: object) -> tuple[FloatArray, FloatArray]:
    strengths, target = _layers_first(s), require_finite(sigma, "sigma")
    try:
        fits = np.broadcast_shapes(strengths.shape[1:], target.shape) == strengths.shape[1:]
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"sigma must broadcast to the modes {strengths.shape[1:]} of s, got {target.shape}")
    return strengths, target
