"""The limit of descent on noisy targets, observed over draws of the noise, and over all its signs in fractions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.exact import exact_active, exact_gradient, exact_grid, exact_targets
from sim.samples import SampleSet, symmetric_grid, with_label_noise
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.rates import exact_moments
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]


DRAWS = 5000
"""Draws of the noise: five standard errors of a mean square of Gaussians are 5 sqrt(2/DRAWS), 10% of it."""


@dataclass(frozen=True)
class NoiseStudies:
    """B grids whose targets w*.X get noise of deviation tau: d, w_star (B, p), tau (B,), the seed of the draws."""

    d: np.ndarray
    w_star: np.ndarray
    tau: np.ndarray
    seed: int


def noise_studies(rng: np.random.Generator) -> Iterator[NoiseStudies]:
    """Narrow and wide grids with little noise, measured by w*, whose length is of each order from 1/10 to 10."""
    for p in (2, 3, 4):
        d = rng.uniform(0.15, 0.9, (5, p))
        d[:, 0] = rng.uniform(0.3, 0.7, 5)
        size = np.geomspace(0.1, 10.0, 5)
        direction = np.eye(p)[0] + rng.uniform(-0.02, 0.02, (5, p))
        tau = rng.uniform(0.005, 0.02, 5)
        yield NoiseStudies(d, size[:, None] * direction, size * tau, int(rng.integers(2**31)))


def observe_limits(studies: NoiseStudies) -> Observation:
    """Mean square deviation from w* of the point where the gradient vanishes, every sample active, over the draws.

    Tolerance: five standard errors of the mean square of DRAWS Gaussians of variance tau^2.
    """
    rng = np.random.default_rng(studies.seed)
    squares, active = [], []
    for d, w_star, tau in zip(studies.d, studies.w_star, studies.tau, strict=True):
        grid = symmetric_grid(d, w_star)
        repeated = SampleSet(np.tile(grid.X, (DRAWS, 1)), np.tile(grid.y, DRAWS))
        noisy = with_label_noise(repeated, tau, rng).y.reshape(DRAWS, -1)
        limits = np.linalg.lstsq(grid.X, noisy.T, rcond=None)[0].T
        squares.append(np.square(limits - w_star).mean(axis=0))
        active.append(bool(np.all(limits @ grid.X.T > 0.0)))
    values = {
        "p": studies.d.shape[1],
        "d": studies.d.T,
        "tau": studies.tau,
        "mean_square_shift": np.array(squares).T,
        "always_active": np.array(active),
    }
    return Observation(values, 5.0 * np.sqrt(2.0 / DRAWS) * studies.tau**2)


ExactStudy = tuple[Vector, Vector, Fraction]


def study_candidates() -> Iterator[ExactStudy]:
    """Grids of two coordinates, weights w* and deviations of the noise, simplest first."""
    widths = tuple(Fraction(1, k) for k in (1, 2, 4, 3, 8))
    sizes = (Fraction(1), Fraction(16), Fraction(1, 2))
    choices = simplest_first((Fraction(0), Fraction(1, 2)), widths, (Fraction(1, 4), Fraction(1, 8)), sizes)
    for d0, d1, tau, size in choices:
        yield (d0, d1), (size, Fraction(0)), size * tau


def observe_limits_exact(study: ExactStudy) -> Values:
    """The mean over all 16 choices of noise +-tau on the four samples; empty unless all samples are active in each."""
    d, w_star, tau = study
    samples = exact_grid(d)
    clean = exact_targets(samples, w_star)
    squares = []
    for signs in product((1, -1), repeat=len(samples)):
        targets = [y + sign * tau for y, sign in zip(clean, signs, strict=True)]
        limit = stationary_point(samples, targets)
        if not all(exact_active(x, limit) for x in samples) or any(exact_gradient(samples, targets, limit)):
            return {}
        squares.append([(a - b) ** 2 for a, b in zip(limit, w_star, strict=True)])
    means = [sum(column, Fraction(0)) / len(squares) for column in zip(*squares, strict=True)]
    return {"p": 2, "d": d, "tau": tau, "mean_square_shift": means, "always_active": True}


def stationary_point(samples: Sequence[Vector], targets: Sequence[Fraction]) -> Vector:
    """The two weights that solve E[X X^T] w = E[y X], by Cramer's rule."""
    (a, b), (_, c) = exact_moments(samples)
    y0, y1 = (sum((y * x[k] for x, y in zip(samples, targets, strict=True)), Fraction(0)) for k in range(2))
    n = len(samples)
    return (y0 * c - y1 * b) / n / (a * c - b * b), (y1 * a - y0 * b) / n / (a * c - b * b)


@cache
def noisy_limit() -> Experiment:
    """Where descent on noisy targets ends."""
    return Experiment(
        name="limit of descent on noisy targets",
        sample=noise_studies,
        observe=observe_limits,
        exact=ExactRoute(
            study_candidates,
            observe_limits_exact,
            lambda s: (
                ("d", text(s[0])),
                ("w_star", text(s[1])),
                ("tau", text(s[2])),
                ("noise", "+-tau, all 16 choices"),
            ),
            # floats need little noise to keep every draw active; the mean square is measured in units of tau^2
            lambda s: NoiseStudies(
                np.array([s[0]], dtype=float), np.array([s[1]], dtype=float), np.array([float(s[2]) / 16]), seed=0
            ),
        ),
    )
