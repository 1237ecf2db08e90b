"""Which numbers are products of L numbers in the band, found by search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import prod

import numpy as np

from sim.arrays import FloatArray
from theory.claims.observe.matrices import EPS
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

WIDTHS = (0.05, 0.2, 0.5, 1.0, 2.0)
DEPTHS = (1, 2, 3, 6)
ROWS = 60


@dataclass(frozen=True, eq=False)
class Goals:
    """Singular values sigma (M, B) of B tasks with M directions, and any numbers in the band, factors (L, B)."""

    sigma: FloatArray
    factors: FloatArray
    eps: float


def closest_product(sigma: FloatArray, eps: float | FloatArray, depth: int) -> FloatArray:
    """The product of L numbers in the band that is closest to sigma, each taking as much of what is left as it can."""
    left, total = np.asarray(sigma, dtype=float), np.ones(np.shape(sigma))
    for _ in range(depth):
        factor = np.clip(left, 1 / (1 + eps), 1 + eps)
        left, total = left / factor, total * factor
    return total


def least_band(sigma: FloatArray, depth: int) -> FloatArray:
    """The least eps with which sigma > 0 is a product of L numbers in the band, by bisection."""
    low, high = np.zeros(np.shape(sigma)), np.maximum(sigma, 1 / sigma)
    for _ in range(60):
        middle = (low + high) / 2
        fits = np.abs(closest_product(sigma, middle, depth) - sigma) <= 1e-14 * sigma
        low, high = np.where(fits, low, middle), np.where(fits, middle, high)
    return np.asarray(high)


def _goals(rng: np.random.Generator, modes: int = 1) -> Iterator[Goals]:
    for eps, depth in product(WIDTHS, DEPTHS):
        share = rng.uniform(-2.0, 2.0, (modes, ROWS))
        # a tie at the end of the interval is exact only in exact numbers
        share = np.where(np.abs(np.abs(share) - 1) < 0.02, 0.5, share)
        if modes > 1:
            share[:, ::2] *= 0.45
        sigma = (1 + eps) ** (depth * share)
        sigma[-1, :5] = 0.0
        factors = np.clip((1 + eps) ** rng.uniform(-2.0, 2.0, (depth, ROWS)), 1 / (1 + eps), 1 + eps)
        factors[:, 0], factors[:, 1] = 1 + eps, 1 / (1 + eps)
        yield Goals(sigma, factors, eps)


def observe(draw: Goals) -> Observation:
    """The NumPy route."""
    depth, sigma = len(draw.factors), draw.sigma
    found = closest_product(sigma, draw.eps, depth)
    energies = (sigma - found) ** 2 / 2
    values = {
        "p": 1,
        "depth": depth,
        "eps": draw.eps,
        "sigma": sigma[-1],
        "sigma_max": sigma.max(axis=0),
        "sigma_min": sigma.min(axis=0),
        "product": np.prod(draw.factors, axis=0),
        "reached": np.abs(sigma[-1] - found[-1]) <= 1e-12 * sigma[-1],
        "energy": energies[-1],
        "total_energy": energies.sum(axis=0),
    }
    return Observation(values, 32 * EPS * depth * len(sigma) * (1 + sigma.max(axis=0) ** 2 + (1 + draw.eps) ** depth))


def observe_least_band(draw: Goals) -> Observation:
    """The least eps of each sigma."""
    depth, sigma = len(draw.factors), draw.sigma[-1, 5:]
    values = {"p": 1, "depth": depth, "sigma": sigma, "eps_least": least_band(sigma, depth)}
    return Observation(values, 1e-12 * depth * (1 + np.maximum(sigma, 1 / sigma)))


Exact = tuple[tuple[Fraction, ...], tuple[Fraction, ...], Fraction]
"""sigma of each direction, numbers in the band, and eps."""


def _candidates(modes: int) -> Iterator[Exact]:
    numbers = tuple(Fraction(v) for v in (1, 2, 0, "1/2", 3, "1/4", 4, 8, "1/8"))
    for depth, eps in product((1, 2), (Fraction(1), Fraction(1, 2))):
        band = (Fraction(1), 1 + eps, 1 / (1 + eps))
        for sigma in product(numbers, repeat=modes):
            for factors in product(band, repeat=depth):
                yield sigma, factors, eps


def _closest(sigma: Fraction, eps: Fraction, depth: int) -> Fraction:
    left, total = sigma, Fraction(1)
    for _ in range(depth):
        factor = min(max(left, 1 / (1 + eps)), 1 + eps)
        left, total = left / factor, total * factor
    return total


def _observe_exact(instance: Exact) -> Values:
    sigma, factors, eps = instance
    found = [_closest(value, eps, len(factors)) for value in sigma]
    energies = [(a - b) ** 2 / 2 for a, b in zip(sigma, found, strict=True)]
    return {
        "p": 1,
        "depth": Fraction(len(factors)),
        "eps": eps,
        "sigma": sigma[-1],
        "sigma_max": max(sigma),
        "sigma_min": min(sigma),
        "product": prod(factors, start=Fraction(1)),
        "reached": sigma[-1] == found[-1],
        "energy": energies[-1],
        "total_energy": sum(energies, Fraction(0)),
    }


def _describe(instance: Exact) -> tuple[tuple[str, str], ...]:
    sigma, factors, eps = instance
    return ("sigma", text(sigma)), ("L", str(len(factors))), ("eps", str(eps)), ("factors", text(factors))


def _lower(instance: Exact) -> Goals:
    sigma, factors, eps = (np.array(part, dtype=float) for part in instance)
    return Goals(sigma[:, None], factors[:, None], float(eps))


@cache
def one_direction() -> Experiment:
    """One sigma, the closest product of numbers in the band, and the product of any such numbers."""
    return Experiment(
        name="products of numbers in the band",
        sample=_goals,
        observe=observe,
        exact=ExactRoute(lambda: _candidates(1), _observe_exact, _describe, _lower),
    )


@cache
def three_directions() -> Experiment:
    """Several directions with the same eps; two of them in the exact route."""
    return Experiment(
        name="directions with one band",
        sample=lambda rng: _goals(rng, 3),
        observe=observe,
        exact=ExactRoute(lambda: _candidates(2), _observe_exact, _describe, _lower),
    )


@cache
def least_bands() -> Experiment:
    """The least eps; a root, so that there is no exact route."""
    return Experiment(name="least bands", sample=_goals, observe=observe_least_band)
