"""Laws of random starts with the moments asked for, and their losses under the linear rule (every sample counts).

A law of starts is a list of weighted filters, in the frame of the grid, with the mean and covariance asked for: drawn
from a Gaussian in the frame of the pixels, or finite with exactly these moments (which is all that enters, and gives
rational numbers). The grid is listed sample by sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sim.correlation import sample_filters
from sim.exact import exact_grid
from sim.grid import grid_samples
from theory.claims.observe.rationals import text

STANDARD_ERRORS = 5.0
DRAWS = 4000
EPS = float(np.finfo(np.float64).eps)
Number = float | Fraction


@dataclass(frozen=True)
class Setting:
    """A grid, a learning rate, k updates, and the moments of the starts; numbers are float or Fraction.

    reach: the finite laws lie at +-reach from their mean, and have sigma^2 = reach^2/p. r: the correlation of pixels.
    """

    d: tuple[Number, ...]
    lam: Number
    w0_star: Number
    steps: int
    reach: Number
    mu: Number
    r: Number

    @property
    def p(self) -> int:
        return len(self.d)

    @property
    def variance(self) -> Number:
        """sigma^2."""
        return self.reach**2 / self.p


@dataclass(frozen=True, eq=False)
class Law:
    """Starts (N, p) in the frame of the grid with probabilities (N,); `sampled` if drawn, with a standard error."""

    starts: np.ndarray
    probability: np.ndarray
    sampled: bool = False

    def mean(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The mean of values (..., N) over starts, and its standard error (0 if exact but for rounding)."""
        mean = values @ self.probability
        if not self.sampled:
            return mean, np.zeros_like(mean)
        return mean, values.std(axis=-1) / np.sqrt(values.shape[-1])


@dataclass(frozen=True, eq=False)
class Case:
    """A setting with its laws for correlation r and for r = 0, and C (p, p) for the first of them."""

    setting: Setting
    corr: Law
    unc: Law
    C: np.ndarray


def linear_losses(setting: Setting, starts: np.ndarray, steps: int) -> np.ndarray:
    """Mean losses (steps + 1, N) under the linear rule, from explicit samples."""
    samples = grid_samples([float(v) for v in setting.d])
    targets = float(setting.w0_star) * samples[:, 0]
    w, losses = np.array(starts), np.empty((steps + 1, len(starts)))
    for k in range(steps + 1):
        residual = targets - w @ samples.T
        losses[k] = np.square(residual).mean(axis=1)
        w += 2.0 * float(setting.lam) / len(samples) * residual @ samples
    return losses


def exact_linear_losses(setting: Setting, start: Sequence[Number], steps: int) -> list[Any]:
    """The same for one start in fractions."""
    samples = exact_grid(setting.d)
    w, losses = list(start), []
    for _ in range(steps + 1):
        residual = [setting.w0_star * x[0] - sum(a * b for a, b in zip(w, x, strict=True)) for x in samples]
        losses.append(sum(e * e for e in residual) / len(samples))
        pull = [sum(e * x[k] for e, x in zip(residual, samples, strict=True)) for k in range(setting.p)]
        w = [v + 2 * setting.lam * g / len(samples) for v, g in zip(w, pull, strict=True)]
    return losses


def aligned_variances(p: int, r: Number) -> list[Number]:
    """The diagonal of C for w* along (1, ..., 1): 1 + (p - 1) r, then 1 - r."""
    return [1 + (p - 1) * r, *[1 - r] * (p - 1)]


def edge_variances(p: int, r: Number) -> list[Number]:
    """The diagonal of C for w* orthogonal to (1, ..., 1), which is the grid's e_1."""
    return [1 - r, 1 + (p - 1) * r, *[1 - r] * (p - 2)]


def coordinate_starts(setting: Setting, variances: Sequence[Number]) -> list[tuple[Any, list[Number]]]:
    """Starts mu e_0 +- reach e_j, each of probability C_jj/(2 p): mean mu e_0, covariance sigma^2 diag(C)."""
    result = []
    for j, share in enumerate(variances):
        for sign in (1, -1):
            start: list[Number] = [setting.mu, *[0 * setting.mu] * (setting.p - 1)]
            start[j] += sign * setting.reach
            result.append((share / (2 * setting.p), start))
    return result


def coordinate_law(setting: Setting, variances: Sequence[Number]) -> Law:
    """`coordinate_starts` in floats."""
    listed = coordinate_starts(setting, variances)
    starts = np.array([[float(v) for v in start] for _, start in listed])
    return Law(starts, np.array([float(share) for share, _ in listed]))


def gaussian_law(setting: Setting, R: np.ndarray, Q: np.ndarray, rng: np.random.Generator, n: int = DRAWS) -> Law:
    """N starts Q^T v, v ~ N(mu Q e_0, sigma^2 R), drawn in the frame of the pixels."""
    pixels = sample_filters(R, n, sigma=float(setting.variance) ** 0.5, rng=rng)
    starts = pixels @ Q
    starts[:, 0] += float(setting.mu)
    return Law(starts, np.full(n, 1.0 / n), sampled=True)


def column_law(setting: Setting, root: np.ndarray) -> Law:
    """Starts mu e_0 +- reach times a column of root (p, p), all equally likely: covariance sigma^2 root root^T."""
    p = setting.p
    starts = float(setting.reach) * np.concatenate([root.T, -root.T])
    starts[:, 0] += float(setting.mu)
    return Law(starts, np.full(2 * p, 0.5 / p))


def frame(*first: np.ndarray) -> np.ndarray:
    """An orthogonal Q (p, p) whose first columns are along the given orthogonal vectors (p,)."""
    p = len(first[0])
    basis = np.linalg.qr(np.column_stack([*first, np.eye(p)]))[0][:, :p]
    signs = np.sign([basis[:, k] @ vector for k, vector in enumerate(first)])
    basis[:, : len(first)] *= signs
    return np.asarray(basis)


def any_scale(rng: np.random.Generator) -> float:
    """A length from 1/4 to 32, the same number for every doubling: what holds on one scale only is found out."""
    return float(2.0 ** rng.uniform(-2.0, 5.0))


def random_setting(rng: np.random.Generator, p: int, *, most_steps: int = 6) -> Setting:
    """A setting with a stable learning rate; every third one is centred."""
    d = rng.uniform(0.05, 1.0, p)
    mu = 0.0 if rng.uniform() < 1 / 3 else rng.normal()
    lam = rng.uniform(0.05, 0.95) / (1.0 + d[0] ** 2)
    steps = int(rng.integers(0, most_steps + 1))
    reach, r = rng.uniform(0.5, 2.0) * np.sqrt(p), rng.uniform(0.3, 1.0)
    return Setting(tuple(d.tolist()), lam, rng.uniform(0.25, 2.0), steps, float(reach), float(mu), r)


def parameters(cases: Sequence[Case]) -> dict[str, Any]:
    """The parameters of a batch of settings."""
    settings = [case.setting for case in cases]
    values = {
        name: np.array([float(getattr(s, name)) for s in settings])
        for name in ("lam", "w0_star", "steps", "variance", "mu", "r")
    }
    d = np.array([[float(v) for v in s.d] for s in settings]).T
    return {**values, "p": settings[0].p, "d": d, "C": np.stack([case.C for case in cases], axis=-1)}


def exact_parameters(setting: Setting) -> dict[str, Any]:
    """The parameters of an exact setting."""
    names = ("p", "d", "lam", "w0_star", "steps", "variance", "mu", "r")
    return {name: getattr(setting, name) for name in names}


def describe(setting: Setting) -> tuple[tuple[str, str], ...]:
    """An exact setting as (name, value) strings."""
    return (
        ("d", text([Fraction(v) for v in setting.d])),
        ("lam", str(setting.lam)),
        ("w0_star", str(setting.w0_star)),
        ("k", str(setting.steps)),
        ("r", str(setting.r)),
        ("starts", f"{setting.mu} e0 +- {setting.reach} ej with probability Cjj/{2 * setting.p}"),
    )


def rounding(cases: Sequence[Case], scale: np.ndarray) -> np.ndarray:
    """Room for rounding (B,) in losses of size `scale` (B,)."""
    p = cases[0].setting.p
    return np.asarray(64.0 * EPS * p * 2.0**p * (1.0 + scale))
