"""Singular values of whole layers: after a pass of bounded batch norm, and with a ReLU between BN and W."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import BoolArray, FloatArray
from sim.batch_norm import NormedLayer
from sim.bbn import bounded_scales
from theory.claims.observe.batch_norm.bounded_scales import exact_pass
from theory.claims.observe.batch_norm.scaled_rows import with_spectrum
from theory.claims.observe.exact_spectra import ROTATIONS, squared_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, Exact, shown
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Normed:
    """W (M, N) in the SVB band of eps, and scales x (M,) to be bounded."""

    W: FloatArray
    x: FloatArray
    band: float
    eps: float


def _normed(rng: np.random.Generator) -> Iterator[Normed]:
    for k, (rows, columns) in enumerate(((1, 1), (2, 2), (5, 5), (3, 6), (6, 3)) * 12):
        band, eps = float(rng.choice([0.2, 0.5, 1.0])), float(rng.choice([0.05, 0.5]))
        s = (1 + eps) ** rng.choice([-1.0, 1.0], min(rows, columns))
        W = with_spectrum(rng, rows, columns, s)
        x = rng.choice([-1.0, 1.0]) * np.exp(rng.normal(0.0, 3.0, rows))
        if k % 2:
            # the worst: strong rows where scales are large, weak ones where they are small
            s = (1 + eps) ** np.where(np.arange(min(rows, columns)) == 0, 1.0, -1.0)
            W, x = np.eye(rows, columns), np.where(np.arange(rows) == 0, 1e3, 1.0)
            W[: len(s), : len(s)] *= s
        yield Normed(W, x, band, eps)


def _conditioned(draw: Normed, matrix: FloatArray) -> Observation:
    s = np.linalg.svd(matrix, compute_uv=False)
    values = {"p": 1, "band": draw.band, "eps": draw.eps, "mean": draw.x.mean(), "greatest": s[0], "least": s[-1]}
    return Observation(values, float(64 * EPS * sum(draw.W.shape) * (1 + np.abs(draw.x).max())))


def observe_condition(draw: Normed) -> Observation:
    """The NumPy route: the SVD of the bounded layer."""
    return _conditioned(draw, bounded_scales(draw.x, draw.band)[:, None] * draw.W)


@on_layers
def observe_condition_layer(draw: Normed) -> Observation:
    """BatchNorm1d behind Linear, clamped by torch, its Jacobian by autograd."""
    from sim.cnn.batch_norm import jacobian

    layer = NormedLayer.create(draw.W, draw.x * 1.5, np.full(len(draw.x), 2.0), eps=0.25)
    return _conditioned(draw, jacobian(layer, band=draw.band))


Diagonal = tuple[tuple[Fraction, ...], tuple[Fraction, ...], Fraction, Fraction]
"""The diagonal of W, x, band and eps."""


def _diagonals() -> Iterator[Diagonal]:
    sizes = tuple(Fraction(v) for v in (1, 2, 4, 16, 9))
    for band, eps in product((Fraction(1), Fraction(1, 2)), repeat=2):
        width = 1 + eps
        for s in product((Fraction(1), width, 1 / width), repeat=2):
            for x in product(sizes, repeat=2):
                yield s, x, band, eps


def _observe_diagonal(instance: Diagonal) -> Values:
    s, x, band, eps = instance
    found = [abs(a * b) for a, b in zip(s, exact_pass(x, band), strict=True)]
    return {
        "p": 1,
        "band": band,
        "eps": eps,
        "mean": sum(x, Fraction(0)) / 2,
        "greatest": max(found),
        "least": min(found),
    }


@cache
def condition() -> Experiment:
    """The extreme singular values of Gamma Sigma W after a pass, W in the band of SVB."""
    return Experiment(
        name="conditioning after bounded batch norm",
        sample=_normed,
        observe=observe_condition,
        exact=ExactRoute(
            _diagonals,
            _observe_diagonal,
            lambda x: (("W", f"diag{text(x[0])}"), ("gamma/std", text(x[1])), ("band", str(x[2])), ("eps", str(x[3]))),
            lambda x: Normed(np.diag([float(v) for v in x[0]]), np.array(x[1], dtype=float), float(x[2]), float(x[3])),
        ),
        layer=observe_condition_layer,
    )


@dataclass(frozen=True, eq=False)
class PreActivation:
    """W (M, N) with singular values 1 behind BN with scales g (N,) and a ReLU that is on where `on` (N,)."""

    W: FloatArray
    g: FloatArray
    on: BoolArray


def _pre_activations(rng: np.random.Generator) -> Iterator[PreActivation]:
    for k, (rows, columns) in enumerate(((1, 1), (1, 2), (2, 3), (3, 2), (4, 4), (3, 8), (8, 5)) * 10):
        W = with_spectrum(rng, rows, columns, np.ones(min(rows, columns)))
        on = rng.random(columns) < 0.6
        on[rng.integers(columns)] = True
        yield PreActivation(W, rng.uniform(0.5, 2.0, columns), on | (k % 3 == 0))


def _pre_activated(draw: PreActivation, matrix: FloatArray) -> Observation:
    rows, columns = draw.W.shape
    count = min(rows, int(draw.on.sum()))
    values = {
        "p": count,
        "power": np.linalg.svd(matrix, compute_uv=False)[:count][::-1] ** 2,
        "g_min": draw.g.min(),
        "g_max": draw.g.max(),
        "all_on": np.asarray(draw.on.all()),
        "tall": np.asarray(rows >= columns),
    }
    return Observation(values, float(64 * EPS * (rows + columns) * (1 + draw.g.max() ** 2)))


def observe_pre_activation(draw: PreActivation) -> Observation:
    """The NumPy route: W with the columns that are off set to zero."""
    return _pre_activated(draw, draw.W * (draw.on * draw.g))


@on_layers
def observe_pre_activation_layer(draw: PreActivation) -> Observation:
    """BatchNorm1d, ReLU and Linear; the Jacobian by autograd at an input that turns on what is on."""
    from sim.cnn.batch_norm import pre_activation_jacobian

    columns = len(draw.g)
    norm = NormedLayer.create(np.eye(columns), draw.g * 1.5, np.full(columns, 2.0), eps=0.25)
    return _pre_activated(draw, pre_activation_jacobian(draw.W, norm, np.where(draw.on, 1.0, -1.0)))


ExactPre = tuple[Exact, tuple[Fraction, ...], tuple[bool, ...]]


def _exact_pre() -> Iterator[ExactPre]:
    one, zero = Fraction(1), Fraction(0)
    fat: tuple[Exact, ...] = (((one,),), ((one, zero),), ((Fraction(3, 5), Fraction(4, 5)),))
    tall: tuple[Exact, ...] = (((one,), (zero,)), ((Fraction(3, 5),), (Fraction(4, 5),)))
    for W in (*fat, *tall, *ROTATIONS):
        columns = len(W[0])
        for g in product((one, Fraction(2)), repeat=columns):
            for on in product((True, False), repeat=columns):
                if any(on):
                    yield W, g, on


def _observe_exact_pre(instance: ExactPre) -> Values:
    W, g, on = instance
    kept = tuple(tuple(v * scale for v, scale, active in zip(row, g, on, strict=True) if active) for row in W)
    power = squared_singular_values(kept)
    if power is None:
        return {}
    return {
        "p": len(power),
        "power": power,
        "g_min": min(g),
        "g_max": max(g),
        "all_on": all(on),
        "tall": len(W) >= len(W[0]),
    }


@cache
def pre_activation() -> Experiment:
    """The singular values of W D Gamma Sigma on the neurons that are on: min(M, how many are on) of them."""
    return Experiment(
        name="pre-activation layers",
        sample=_pre_activations,
        observe=observe_pre_activation,
        exact=ExactRoute(
            _exact_pre,
            _observe_exact_pre,
            lambda x: (
                ("W", shown(x[0])),
                ("g", text(x[1])),
                ("on", text([Fraction(v) for v in x[2]])),
            ),
            lambda x: PreActivation(np.array(x[0], dtype=float), np.array(x[1], dtype=float), np.array(x[2])),
        ),
        layer=observe_pre_activation_layer,
    )
