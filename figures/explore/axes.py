"""Axes of the explorer's pictures: what range they show, and where their ticks are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.arrays import FloatArray

_SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
_LARGEST = 1e300
"""Values beyond this are shown at it, so that the length of an axis stays finite."""


@dataclass(frozen=True)
class Axis:
    """The range [low, high] of an axis, low < high; of decimal logarithms if `log`."""

    low: float
    high: float
    log: bool = False

    def share(self, values: FloatArray) -> FloatArray:
        """Where values (n,) lie, 0 at low and 1 at high; NaN for what has no logarithm. Infinities stay infinite."""
        # values near the end of the float range may overflow: they are far outside
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            # minus infinity is the lower end of a rule, zero has no place on a logarithmic axis
            placed = np.where(np.isneginf(values), -np.inf, np.log10(np.where(values > 0, values, np.nan)))
            return np.asarray(((placed if self.log else values) - self.low) / (self.high - self.low))

    def widened(self, length: float) -> Axis:
        """The axis about the same middle, of this length."""
        middle = (self.low + self.high) / 2
        return replace(self, low=middle - length / 2, high=middle + length / 2)

    def ticks(self, most: int) -> list[tuple[float, str]]:
        """About `most` values with their text: multiples of 1, 2 or 5 times a power of ten, or powers of ten."""
        if self.log and self.high - self.low >= 1.5:
            stride = max(1, math.ceil((self.high - self.low) / most))
            first = math.ceil(self.low / stride) * stride
            return [(10.0**n, _power(n)) for n in range(first, math.floor(self.high) + 1, stride)]
        low, high = (10.0**self.low, 10.0**self.high) if self.log else (self.low, self.high)
        step = _tidy((high - low) / most)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        values = [n * step for n in range(first, last + 1)]
        return [(value, compact(value, step)) for value in values if value > 0 or not self.log]


def axis_over(values: Sequence[FloatArray], given: tuple[float, float] | None, *, log: bool, pad: bool = True) -> Axis:
    """An axis that shows all finite (and on a logarithmic axis positive) values with 4 % to spare, or the range given.

    Raises ValueError for a range given that is empty, not finite, or not positive on a logarithmic axis.
    """
    if given is not None:
        low, high = (float(end) for end in given)
        if not (math.isfinite(low) and math.isfinite(high) and low < high and (low > 0 or not log)):
            kind = "positive and increasing" if log else "finite and increasing"
            raise ValueError(f"the range of an axis must be {kind}, got {given}")
        return Axis(math.log10(low), math.log10(high), True) if log else Axis(low, high)
    everything = np.concatenate([*values, np.empty(0)])
    everything = everything[np.isfinite(everything)]
    if log:
        everything = np.log10(everything[everything > 0])
    if everything.size == 0:
        return Axis(0.0, 1.0, log)
    low, high = (float(end) for end in np.clip([everything.min(), everything.max()], -_LARGEST, _LARGEST))
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        room = 0.5 * abs(low) if low and not log else 0.5
        return Axis(low - room, high + room, log)
    room = 0.04 * (high - low) if pad else 0.0
    return Axis(low - room, high + room, log)


def compact(value: float, step: float = 0.0) -> str:
    """A number for a tick: as many decimals as the step needs, a power of ten where it is very large or small."""
    if value == 0 or abs(value) < 1e-9 * step:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 3
        return f"{value:.{decimals}f}".replace("-", "\u2212")
    mantissa, exponent = f"{value:.2e}".split("e")
    short = mantissa.rstrip("0").rstrip(".").replace("-", "\u2212")
    power = _power(int(exponent))
    return power if short == "1" else f"\u2212{power}" if short == "\u22121" else f"{short}\u00b7{power}"


def _tidy(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is at least `rough` > 0."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))


def _power(exponent: int) -> str:
    return "1" if exponent == 0 else "10" if exponent == 1 else f"10{str(exponent).translate(_SUPERSCRIPTS)}"
