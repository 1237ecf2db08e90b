"""Single starts under the ReLU rule: an error in length against one in direction, and perfect correlation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from sim.descent import Trajectory, descend
from sim.exact import exact_active, exact_descend, exact_grid, exact_loss, exact_targets
from sim.problem import GridProblem
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.start_laws import Number, Setting, any_scale, describe, random_setting
from theory.experiment import ExactRoute, Experiment, Observation, Values

HALF, ONE, ZERO = Fraction(1, 2), Fraction(1), Fraction(0)


def relu_descent(setting: Setting, starts: np.ndarray, steps: int) -> Trajectory:
    """`sim.descent.descend` from every start (N, p) on the grid of a setting."""
    d = np.array([float(v) for v in setting.d])
    target = float(setting.w0_star) * np.eye(setting.p)[0]
    return descend(GridProblem(d, target), starts, learning_rate=float(setting.lam), steps=steps)


def exact_relu(setting: Setting, start: Sequence[Number], steps: int) -> tuple[list[tuple[Fraction, ...]], list[Any]]:
    """The weights and the losses before and after each update of the ReLU rule, in fractions."""
    samples = exact_grid(setting.d)
    targets = exact_targets(samples, [setting.w0_star, *[ZERO] * (setting.p - 1)])
    weights = exact_descend(samples, targets, start, setting.lam, steps)
    return weights, [exact_loss(samples, targets, w) for w in weights]


def exact_stays(setting: Setting, weights: Sequence[Sequence[Fraction]]) -> bool:
    """Whether every sample is active at every one of the weights."""
    return all(exact_active(x, w) for x in exact_grid(setting.d) for w in weights)


def _error_starts(setting: Setting) -> list[list[Number]]:
    """(1 + delta) w*, then w* + delta |w*| e_i for i = 1, ..., p - 1; delta = mu."""
    starts = []
    for j in range(setting.p):
        start: list[Number] = [setting.w0_star, *[0 * setting.mu] * (setting.p - 1)]
        start[j] += setting.mu * setting.w0_star
        starts.append(start)
    return starts


def error_settings(rng: np.random.Generator) -> Iterator[list[Setting]]:
    """Errors small enough for every sample to stay active: |delta| max d_i < 1 - d_0 and |delta| < 1."""
    for p in range(2, 8):
        settings = []
        for _ in range(30):
            d = rng.uniform(0.05, 1.0, p)
            d[0] = rng.uniform(0.0, 0.8)
            delta = rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 0.95) * (1.0 - d[0])
            lam, steps = rng.uniform(0.05, 0.98) / (1.0 + d[0] ** 2), int(rng.integers(0, 9))
            settings.append(Setting(tuple(d.tolist()), lam, any_scale(rng), steps, 1.0, float(delta), 0.0))
        yield settings


def observe_errors(settings: Sequence[Setting]) -> Observation:
    """Distances to w* and losses after k updates, from an error in length and from one in each direction."""
    p, b = settings[0].p, len(settings)
    distance, loss, stays = np.empty((p, b)), np.empty((p, b)), np.empty(b, dtype=bool)
    for n, setting in enumerate(settings):
        starts = np.array([[float(v) for v in start] for start in _error_starts(setting)])
        run = relu_descent(setting, starts, setting.steps)
        distance[:, n] = np.linalg.norm(run.final - float(setting.w0_star) * np.eye(p)[0], axis=1)
        loss[:, n], stays[n] = run.loss[-1], np.all(run.active_fraction == 1.0)
    d = np.array([[float(v) for v in s.d] for s in settings]).T
    values = {
        "p": p,
        "d": d,
        **{name: np.array([float(getattr(s, name)) for s in settings]) for name in ("lam", "w0_star", "steps")},
        "distance_length": distance[0],
        "distance_direction": distance,
        "loss_length": loss[0],
        "loss_direction": loss,
        "stay_active": stays,
    }
    return Observation(values, 1e-12)


def error_candidates() -> Iterator[Setting]:
    """Exact settings, simplest first."""
    choices = (
        (ZERO, HALF),
        (HALF, HALF / 2, ONE),
        (HALF, 3 * HALF / 2, HALF / 2, 7 * HALF / 4),
        (HALF, -HALF, HALF / 4),
        (ONE, 4 * ONE),
    )
    for d0, d1, lam, delta, star in simplest_first(*choices):
        for k in (0, 1, 2):
            yield Setting((d0, d1), lam, star, k, ONE, delta, ZERO)


def observe_errors_exact(setting: Setting) -> Values:
    """The rational route; from each start only one coordinate is off, so that distances are rational."""
    distance, loss, stays = [], [], True
    for start in _error_starts(setting):
        weights, losses = exact_relu(setting, start, setting.steps)
        gap: list[Any] = [abs(v) for v in (weights[-1][0] - setting.w0_star, *weights[-1][1:])]
        distance.append(sum(gap, ZERO))
        if distance[-1] != max(gap):
            return {}
        loss.append(losses[-1])
        stays = stays and exact_stays(setting, weights)
    values = {name: getattr(setting, name) for name in ("p", "d", "lam", "w0_star", "steps")}
    return {
        **values,
        "distance_length": distance[0],
        "distance_direction": distance,
        "loss_length": loss[0],
        "loss_direction": loss,
        "stay_active": stays,
    }


def describe_errors(setting: Setting) -> tuple[tuple[str, str], ...]:
    """An exact setting as (name, value) strings."""
    return (*describe(setting)[:4], ("delta", text(Fraction(setting.mu))))


@cache
def errors() -> Experiment:
    """An error in length against an error of the same size in direction, under the ReLU rule."""
    return Experiment(
        name="length against direction",
        sample=error_settings,
        observe=observe_errors,
        exact=ExactRoute(error_candidates, observe_errors_exact, describe_errors, lambda setting: [setting]),
    )


def perfect_settings(rng: np.random.Generator) -> Iterator[list[Setting]]:
    """Perfectly correlated starts of either sign, and some so long that the first update turns them over."""
    for p in range(1, 7):
        settings = [random_setting(rng, p, most_steps=8) for _ in range(30)]
        yield [replace(s, mu=rng.choice([1.0, 1.0, 8.0]) * s.mu) for s in settings]


def observe_perfect(settings: Sequence[Setting]) -> Observation:
    """The distance to w* after k updates."""
    p = settings[0].p
    distance = np.empty(len(settings))
    for n, setting in enumerate(settings):
        start = float(setting.mu) * np.eye(p)[:1]
        final = relu_descent(setting, start, setting.steps).final[0]
        distance[n] = np.linalg.norm(final - float(setting.w0_star) * np.eye(p)[0])
    first = np.array([float(s.mu) for s in settings])
    values = {name: np.array([float(getattr(s, name)) for s in settings]) for name in ("lam", "w0_star", "steps")}
    d = np.array([[float(v) for v in s.d] for s in settings]).T
    return Observation({**values, "p": p, "d": d, "w_first": first, "distance": distance}, 1e-12 * (1 + np.abs(first)))


def perfect_candidates() -> Iterator[Setting]:
    """Exact settings with p = 2, simplest first: starts of either sign, zero, and longer than w* up to eight times."""
    starts = (ONE, -ONE, 2 * ONE, HALF, ZERO, 4 * ONE, 8 * ONE)
    for d0, d1, lam, first in simplest_first((ZERO, HALF), (HALF, ONE), (HALF, HALF / 2, 3 * HALF / 2), starts):
        for k in (1, 2, 3):
            yield Setting((d0, d1), lam, ONE, k, ONE, first, ONE)


def observe_perfect_exact(setting: Setting) -> Values:
    """The rational route."""
    weights, _ = exact_relu(setting, [setting.mu, ZERO], setting.steps)
    if weights[-1][1] != 0:
        return {}
    values = {name: getattr(setting, name) for name in ("p", "d", "lam", "w0_star", "steps")}
    return {**values, "w_first": setting.mu, "distance": abs(weights[-1][0] - setting.w0_star)}


def describe_perfect(setting: Setting) -> tuple[tuple[str, str], ...]:
    """An exact setting as (name, value) strings."""
    return (*describe(setting)[:4], ("w", text([Fraction(setting.mu), ZERO])))


@cache
def perfectly_correlated() -> Experiment:
    """Starts with all pixels equal, w* along (1, ..., 1), under the ReLU rule."""
    return Experiment(
        name="perfectly correlated starts",
        sample=perfect_settings,
        observe=observe_perfect,
        exact=ExactRoute(perfect_candidates, observe_perfect_exact, describe_perfect, lambda setting: [setting]),
    )
