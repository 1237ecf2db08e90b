"""Variances of a multiple and of a product, over finite laws: Eqs. (11) and (12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.finite_law import pair_responses
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Joint:
    """X (r,) and Y (s,) with joint probabilities P (r, s). For a multiple aX, Y is a alone."""

    X: FloatArray
    Y: FloatArray
    P: FloatArray
    independent: bool


@dataclass(frozen=True)
class ExactJoint:
    """The same in rationals."""

    X: tuple[Fraction, ...]
    Y: tuple[Fraction, ...]
    P: tuple[tuple[Fraction, ...], ...]
    independent: bool


Product = Callable[[FloatArray, FloatArray], FloatArray]
"""Filters (s, 1) and windows (r, 1) to their products (r, s)."""


def _observe(joints: Sequence[Joint], product: Product) -> Observation:
    rows = [_moments(joint, product(joint.Y[:, None], joint.X[:, None])) for joint in joints]
    scale = np.array([np.abs(joint.X).max() * np.abs(joint.Y).max() for joint in joints])
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return Observation({"p": 1, **values}, 256 * EPS * (1.0 + scale) ** 2)


def _moments(joint: Joint, products: FloatArray) -> dict[str, Any]:
    P = joint.P
    of_x, of_y = P.sum(axis=1), P.sum(axis=0)
    variance = float((P * products**2).sum() - (P * products).sum() ** 2)
    return {
        "a": joint.Y[0],
        "var_X": of_x @ joint.X**2 - (of_x @ joint.X) ** 2,
        "var_aX": variance,
        "var_XY": variance,
        "mean_X": of_x @ joint.X,
        "mean_Y": of_y @ joint.Y,
        "mean_XY": (P * products).sum(),
        "square_X": of_x @ joint.X**2,
        "square_Y": of_y @ joint.Y**2,
        "square_XY": (P * products**2).sum(),
        "independent": joint.independent,
    }


def observe(joints: Sequence[Joint]) -> Observation:
    """The NumPy route."""
    return _observe(joints, pair_responses)


@on_layers
def observe_layer(joints: Sequence[Joint]) -> Observation:
    """The PyTorch route: X is an input of one pixel, Y the one weight of a convolution."""
    from sim.cnn.relu_stack import window_responses

    return _observe(joints, window_responses)


def observe_exact(joint: ExactJoint) -> Values:
    """The rational route."""

    def mean(of: Callable[[Fraction, Fraction], Fraction]) -> Fraction:
        return sum(
            (p * of(x, y) for row, x in zip(joint.P, joint.X, strict=True) for p, y in zip(row, joint.Y, strict=True)),
            Fraction(0),
        )

    variance = mean(lambda x, y: (x * y) ** 2) - mean(lambda x, y: x * y) ** 2
    return {
        "p": 1,
        "a": joint.Y[0],
        "var_X": mean(lambda x, y: x**2) - mean(lambda x, y: x) ** 2,
        "var_aX": variance,
        "var_XY": variance,
        "mean_X": mean(lambda x, y: x),
        "mean_Y": mean(lambda x, y: y),
        "mean_XY": mean(lambda x, y: x * y),
        "square_X": mean(lambda x, y: x**2),
        "square_Y": mean(lambda x, y: y**2),
        "square_XY": mean(lambda x, y: (x * y) ** 2),
        "independent": joint.independent,
    }


def describe(joint: ExactJoint) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (("X", text(joint.X)), ("Y", text(joint.Y)), ("P", "; ".join(text(row) for row in joint.P)))


def lower(joint: ExactJoint) -> list[Joint]:
    """An exact instance as a float batch of one."""
    X, Y, P = (np.array(part, dtype=np.float64) for part in (joint.X, joint.Y, joint.P))
    return [Joint(X, Y, P, joint.independent)]


def _multiples(rng: np.random.Generator) -> Iterator[list[Joint]]:
    joints = []
    for size in (1, 2, 3, 5, 8) * 8:
        P = rng.dirichlet(np.ones(size))[:, None]
        joints.append(Joint(rng.normal(1.0, 2.0, size), rng.normal(0.0, 2.0, 1), P, True))
    yield joints


def _pairs(rng: np.random.Generator) -> Iterator[list[Joint]]:
    joints = []
    for row in range(40):
        r, s = rng.integers(1, 6, 2)
        X, Y = rng.normal(1.0, 2.0, r), rng.normal(-1.0, 2.0, s)
        if row % 2:
            joints.append(Joint(X, Y, np.outer(rng.dirichlet(np.ones(r)), rng.dirichlet(np.ones(s))), True))
        else:
            joints.append(Joint(X, Y, rng.dirichlet(np.ones(r * s)).reshape(r, s), False))
    yield joints


_VALUES = tuple(Fraction(value) for value in (0, 1, -1, 2, 3))


def _exact_multiples() -> Iterator[ExactJoint]:
    for a in _VALUES:
        for x in _VALUES:
            yield ExactJoint((x,), (a,), ((Fraction(1),),), True)
            for other in _VALUES:
                yield ExactJoint((x, other), (a,), ((HALF,), (HALF,)), True)


def _exact_pairs() -> Iterator[ExactJoint]:
    even, tied = ((HALF / 2, HALF / 2),) * 2, ((HALF, Fraction(0)), (Fraction(0), HALF))
    for x in _VALUES:
        for other in _VALUES:
            for y in _VALUES[:3]:
                for last in _VALUES[1:4]:
                    yield ExactJoint((x, other), (y, last), even, True)
                    yield ExactJoint((x, other), (y, last), tied, False)


@cache
def multiples() -> Experiment:
    """aX for finite laws of X."""
    route = ExactRoute(_exact_multiples, observe_exact, describe, lower)
    return Experiment("multiples of a random number", _multiples, observe, route, observe_layer)


@cache
def products() -> Experiment:
    """XY for finite joint laws, independent ones and others."""
    route = ExactRoute(_exact_pairs, observe_exact, describe, lower)
    return Experiment("products of random numbers", _pairs, observe, route, observe_layer)
