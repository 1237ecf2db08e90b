"""Random starts under the ReLU rule: correlated against uncorrelated ones, dead ones, and those that stay active."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from sim.correlation import equicorrelation
from sim.descent import Trajectory
from sim.grid import pixel_frame
from theory.claims.observe.single_filter.expected_losses import exact_mean, lower_pairs, pair_candidates
from theory.claims.observe.single_filter.start_errors import ONE, ZERO, exact_relu, exact_stays, relu_descent
from theory.claims.observe.single_filter.start_laws import (
    STANDARD_ERRORS,
    Case,
    Law,
    Setting,
    aligned_variances,
    any_scale,
    coordinate_starts,
    describe,
    exact_parameters,
    gaussian_law,
    parameters,
    random_setting,
    rounding,
)
from theory.derive.single_filter.dead_starts import probability_all_active
from theory.experiment import ExactRoute, Experiment, Observation, Values


def relu_cases(rng: np.random.Generator) -> Iterator[list[Case]]:
    """Finite laws: centred ones (which have dead starts), and ones near w* on which every sample stays active."""
    for p in range(2, 6):
        for centred in (True, False):
            settings = []
            for _ in range(25):
                base, star = random_setting(rng, p, most_steps=8), any_scale(rng)
                d = (0.8 * base.d[0], *base.d[1:])
                reach = 0.7 * star * (1 - d[0])
                settings.append(Setting(d, base.lam, star, base.steps, reach, 0.0 if centred else star, base.r))
            yield [lower_pairs(setting, aligned_variances)[0] for setting in settings]


def observe_relu(cases: Sequence[Case]) -> Observation:
    """Expected losses after k updates of the ReLU rule, for correlation r and for none."""
    corr, unc, scale, stays = (np.empty(len(cases)) for _ in range(4))
    for n, case in enumerate(cases):
        run = relu_descent(case.setting, case.corr.starts, case.setting.steps)
        # both laws are on the same points, with other probabilities
        corr[n], unc[n] = run.loss[-1] @ case.corr.probability, run.loss[-1] @ case.unc.probability
        stays[n], scale[n] = np.all(run.active_fraction == 1.0), run.loss[0].max()
    values = {**parameters(cases), "relu_corr": corr, "relu_unc": unc, "stay_active": stays}
    return Observation(values, rounding(cases, scale))


def relu_candidates() -> Iterator[Setting]:
    """The settings of `pair_candidates`: centred, with more updates, and around w*."""
    for setting in pair_candidates():
        yield replace(setting, steps=setting.steps + 2)
        if setting.reach < 1:
            yield replace(setting, mu=ONE)


@lru_cache(maxsize=1024)
def _relu_runs(points: Setting) -> tuple[tuple[Any, ...], bool]:
    """Exact losses at the end, from each of `coordinate_starts`, and whether every sample stays active from all."""
    runs = [exact_relu(points, start, points.steps) for _, start in coordinate_starts(points, [ONE] * points.p)]
    return tuple(losses[-1] for _, losses in runs), all(exact_stays(points, weights) for weights, _ in runs)


def observe_relu_exact(setting: Setting) -> Values:
    """The rational route."""
    losses, stays = _relu_runs(replace(setting, r=ZERO))
    corr, unc = (exact_mean(setting, aligned_variances(setting.p, r), losses) for r in (setting.r, ZERO))
    return {**exact_parameters(setting), "relu_corr": corr, "relu_unc": unc, "stay_active": stays}


@cache
def relu_pairs() -> Experiment:
    """Equal correlations against none, w* along (1, ..., 1), under the ReLU rule."""
    return Experiment(
        name="correlated against uncorrelated starts under ReLU",
        sample=relu_cases,
        observe=observe_relu,
        exact=ExactRoute(
            relu_candidates, observe_relu_exact, describe, lambda s: lower_pairs(s, aligned_variances), limit=200
        ),
    )


def gaussian_cases(rng: np.random.Generator) -> Iterator[list[Case]]:
    """Centred Gaussian starts with equal correlations, w* along (1, ..., 1), and many updates."""
    for p in (1, 2, 3, 4):
        Q, cases = pixel_frame(np.ones(p)), []
        for _ in range(3):
            base = random_setting(rng, p)
            setting = Setting((0.5 * base.d[0], *base.d[1:]), base.lam, base.w0_star, 25, base.reach, 0.0, base.r)
            law = gaussian_law(setting, equicorrelation(p, setting.r), Q, rng, n=1500)
            cases.append(Case(setting, law, law, np.diag(aligned_variances(p, setting.r))))
        yield cases


def _gaussian_runs(cases: Sequence[Case]) -> Iterator[tuple[Case, Law, Trajectory]]:
    return ((case, case.corr, relu_descent(case.setting, case.corr.starts, case.setting.steps)) for case in cases)


def observe_floor(cases: Sequence[Case]) -> Observation:
    """The expected loss after many updates, with P(dead) in closed form beside it."""
    loss, error = np.empty(len(cases)), np.empty(len(cases))
    for n, (_, law, run) in enumerate(_gaussian_runs(cases)):
        loss[n], error[n] = law.mean(run.loss[-1])
    scales = np.sqrt([np.diag(case.C) * float(case.setting.variance) for case in cases])
    probability = probability_all_active(np.array([case.setting.d for case in cases], dtype=float), scales)
    values = {**parameters(cases), "relu_loss": loss, "probability": probability}
    return Observation(values, STANDARD_ERRORS * error + rounding(cases, loss))


def observe_active(cases: Sequence[Case]) -> Observation:
    """Loss and initial errors of the starts from which every sample stays active; at least one start is one."""
    p = cases[0].setting.p
    loss, moment = np.empty(len(cases)), np.empty((p, len(cases)))
    for n, (case, law, run) in enumerate(_gaussian_runs(cases)):
        stays = np.all(run.active_fraction == 1.0, axis=0)
        gap = law.starts[stays] - float(case.setting.w0_star) * np.eye(p)[0]
        loss[n], moment[:, n] = run.loss[-1, stays].mean(), np.square(gap).mean(axis=0)
    values = {**parameters(cases), "active_loss": loss, "active_moment": moment}
    return Observation(values, rounding(cases, moment.sum(axis=0)))


def active_cases(rng: np.random.Generator) -> Iterator[list[Case]]:
    """As `gaussian_cases`, with few updates."""
    for cases in gaussian_cases(rng):
        yield [replace(case, setting=replace(case.setting, steps=k)) for k, case in enumerate(cases)]


@cache
def gaussian_floor() -> Experiment:
    """The expected loss of Gaussian starts under ReLU, after many updates."""
    return Experiment(name="floor of the expected loss under ReLU", sample=gaussian_cases, observe=observe_floor)


@cache
def gaussian_active() -> Experiment:
    """Gaussian starts from which every sample stays active."""
    return Experiment(name="Gaussian starts that stay active", sample=active_cases, observe=observe_active)
