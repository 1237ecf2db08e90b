"""Scales of a layer after passes of bounded batch norm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.arrays import FloatArray
from sim.batch_norm import NormedLayer
from sim.bbn import bounded_scales
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS
from theory.claims.observe.rationals import simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

SIZES = range(1, 9)
ROWS = 60
PASSES = 12
"""Passes after the first, to see how fast they converge."""
BANDS = (0.25, 0.5, 1.0, 2.0)


@dataclass(frozen=True, eq=False)
class Layers:
    """The scales (B, p) of B layers, bounded with the same band."""

    x: FloatArray
    band: float


def signed_layers(rng: np.random.Generator, rows: int = ROWS) -> Iterator[Layers]:
    """Scales of any sign, means away from 0; some layers with one scale far above or far below the others."""
    for p in SIZES:
        for band in BANDS:
            x = rng.normal(1.0, 1.5, (rows, p))
            x[: rows // 4, 0] = 100.0 * p
            x[rows // 4 : rows // 2, 0] = -1.0
            x[rows // 4 : rows // 2, 1:] = 1.0 + p * (1 + band)
            x *= np.where(np.arange(rows) % 3 == 0, -1.0, 1.0)[:, None]
            mean = np.abs(x.mean(axis=1))
            small = np.abs(x * x.mean(axis=1, keepdims=True)).min(axis=1)
            yield Layers(x[(mean > 0.05) & (small > 1e-3)], band)


def positive_layers(rng: np.random.Generator) -> Iterator[Layers]:
    """Positive scales of very different sizes; some layers with most of them tiny."""
    for p in SIZES:
        for band in BANDS:
            x = np.exp(rng.normal(0.0, 1.5, (ROWS, p)))
            x[: ROWS // 4, 1:] *= 1e-2
            yield Layers(x, band)


def _summary(x: FloatArray, once: FloatArray, twice: FloatArray, band: float) -> Observation:
    values = {
        "p": x.shape[1],
        "band": band,
        "x": x.T,
        "mean": x.mean(axis=1),
        "once": once.T,
        "once_mean": once.mean(axis=1),
        "once_least": once.min(axis=1),
        "once_greatest": once.max(axis=1),
        "twice": twice.T,
    }
    spread = np.abs(x).max(axis=1) / np.abs(x.mean(axis=1))
    return Observation(values, 64 * EPS * x.shape[1] * (1 + spread) * (1 + np.abs(x).max(axis=1)) * (1 + band) ** 2)


def observe_passes(draw: Layers) -> Observation:
    """The NumPy route: one published pass, and another."""
    once = bounded_scales(draw.x, draw.band)
    return _summary(draw.x, once, bounded_scales(once, draw.band), draw.band)


@on_layers
def observe_passes_layer(draw: Layers) -> Observation:
    """The same on BatchNorm1d layers: gamma clamped by torch, scales read off the Jacobian by autograd."""
    from sim.cnn.batch_norm import jacobian

    p = draw.x.shape[1]
    variance = np.linspace(0.25, 4.0, p)
    seen = []
    for x in draw.x:
        layer = NormedLayer.create(np.eye(p), x * np.sqrt(variance + 1e-5), variance)
        seen.append([np.diag(jacobian(layer, band=draw.band, passes=count)) for count in (1, 2)])
    once, twice = (np.array(part) for part in zip(*seen, strict=True))
    return _summary(draw.x, once, twice, draw.band)


def _layer_draws(rng: np.random.Generator) -> Iterator[Layers]:
    yield from (draw for draw in signed_layers(rng, rows=8) if draw.x.shape[1] in (1, 2, 3, 8))


Instance = tuple[tuple[Fraction, ...], Fraction]
"""Scales and band, exact."""

_SCALES = tuple(Fraction(v) for v in ("1", "2", "3", "1/2", "4", "1/4", "8", "12"))
_SIGNED = (*_SCALES[:5], *(Fraction(v) for v in ("-1", "-3", "0")))
_BANDS = (Fraction(1), Fraction(1, 2))


def _instances(numbers: Sequence[Fraction]) -> Iterator[Instance]:
    for count in (1, 2, 3):
        for *x, band in simplest_first(*([numbers] * count), _BANDS):
            yield tuple(x), band


def exact_pass(x: Sequence[Fraction], band: Fraction) -> list[Fraction]:
    """One published pass; the mean must not be 0."""
    mean = sum(x, Fraction(0)) / len(x)
    return [mean * min(max(v / mean, 1 / (1 + band)), 1 + band) for v in x]


def _observe_exact(instance: Instance) -> Values:
    x, band = instance
    mean = sum(x, Fraction(0)) / len(x)
    if mean == 0:
        return {}
    once = exact_pass(x, band)
    return {
        "p": len(x),
        "band": band,
        "x": x,
        "mean": mean,
        "once": once,
        "once_mean": sum(once, Fraction(0)) / len(x),
        "once_least": min(once),
        "once_greatest": max(once),
        "twice": exact_pass(once, band),
    }


def _describe(instance: Instance) -> tuple[tuple[str, str], ...]:
    return ("gamma/std", text(instance[0])), ("band", text(instance[1]))


def _lower(instance: Instance) -> Layers:
    return Layers(np.array([instance[0]], dtype=float), float(instance[1]))


@cache
def passes() -> Experiment:
    """One and two published passes over scales of any sign."""
    return Experiment(
        name="passes of bounded batch norm",
        sample=signed_layers,
        observe=observe_passes,
        exact=ExactRoute(lambda: _instances(_SIGNED), _observe_exact, _describe, _lower),
        layer=observe_passes_layer,
        layer_sample=_layer_draws,
    )


def observe_settled(draw: Layers) -> Observation:
    """The NumPy route: the limit as computed, and passes towards it."""
    once = bounded_scales(draw.x, draw.band)
    settled = bounded_scales(draw.x, draw.band, mode="settled")
    repeated = once
    for _ in range(PASSES):
        repeated = bounded_scales(repeated, draw.band)
    slack = 64 * EPS * draw.x.shape[1] * settled.max(axis=1, keepdims=True)
    values = {
        "p": draw.x.shape[1],
        "band": draw.band,
        "once": once.T,
        "once_mean": once.mean(axis=1),
        "settled": settled.T,
        "settled_mean": settled.mean(axis=1),
        "settled_again": bounded_scales(settled, draw.band).T,
        "passes": PASSES,
        "repeated_mean": repeated.mean(axis=1),
        "high": (once > settled + slack).sum(axis=1),
        "low": (once < settled - slack).sum(axis=1),
    }
    return Observation(values, 128 * EPS * draw.x.shape[1] * (1 + draw.band) * (1 + np.abs(draw.x).max(axis=1)))


def exact_settled(once: Sequence[Fraction], band: Fraction) -> list[Fraction]:
    """The limit of passes after the first: the end that is clipped, and how many scales are, tried one by one.

    Of k = 0, 1, ... scales clipped at one end the right number is the one with which exactly these lie beyond it.
    """
    count, ratio = len(once), 1 + band
    for factor, ordered in ((ratio, sorted(once)), (1 / ratio, sorted(once, reverse=True))):
        for k in range(count):
            weight = count - k * factor
            if weight <= 0:
                break
            mean = sum(ordered[: count - k], Fraction(0)) / weight
            limit = [min(max(v, mean / ratio), mean * ratio) for v in once]
            if sum(limit, Fraction(0)) == count * mean:
                return limit
    raise ArithmeticError(f"passes over {text(once)} have no limit that is found")


def _observe_settled_exact(instance: Instance) -> Values:
    x, band = instance
    once, count = exact_pass(x, band), len(x)
    settled, repeated = exact_settled(once, band), once
    for _ in range(4):
        repeated = exact_pass(repeated, band)
    return {
        "p": count,
        "band": band,
        "once": once,
        "once_mean": sum(once, Fraction(0)) / count,
        "settled": settled,
        "settled_mean": sum(settled, Fraction(0)) / count,
        "settled_again": exact_pass(settled, band),
        "passes": Fraction(4),
        "repeated_mean": sum(repeated, Fraction(0)) / count,
        "high": Fraction(sum(a > b for a, b in zip(once, settled, strict=True))),
        "low": Fraction(sum(a < b for a, b in zip(once, settled, strict=True))),
    }


@cache
def settled() -> Experiment:
    """The limit of passes over positive scales."""
    return Experiment(
        name="settled scales",
        sample=positive_layers,
        observe=observe_settled,
        exact=ExactRoute(lambda: _instances(_SCALES), _observe_settled_exact, _describe, _lower),
    )
