"""Expected losses under the linear rule, in which every sample counts: any random start, and correlated against not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

import numpy as np

from sim.correlation import equicorrelation
from sim.grid import grid_samples, pixel_frame
from theory.claims.observe.rationals import simplest_first, text
from theory.claims.observe.single_filter.start_laws import (
    STANDARD_ERRORS,
    Case,
    Number,
    Setting,
    aligned_variances,
    column_law,
    coordinate_law,
    coordinate_starts,
    describe,
    edge_variances,
    exact_linear_losses,
    exact_parameters,
    frame,
    gaussian_law,
    linear_losses,
    parameters,
    random_setting,
    rounding,
)
from theory.experiment import ExactRoute, Experiment, Observation, Values


def observe_any(cases: Sequence[Case]) -> Observation:
    """The expected loss after k updates of the linear rule, and the expected initial distance."""
    loss, distance, error, scale = (np.empty(len(cases)) for _ in range(4))
    for n, case in enumerate(cases):
        law, k = case.corr, case.setting.steps
        losses = linear_losses(case.setting, law.starts, k)
        gap = law.starts - float(case.setting.w0_star) * np.eye(case.setting.p)[0]
        loss[n], loss_error = law.mean(losses[k])
        distance[n], distance_error = law.mean(np.square(gap).sum(axis=1))
        error[n], scale[n] = max(loss_error, distance_error), losses[0].max()
    values = {**parameters(cases), "expected_loss": loss, "initial_distance": distance}
    return Observation(values, STANDARD_ERRORS * error + rounding(cases, scale))


def any_cases(rng: np.random.Generator) -> Iterator[list[Case]]:
    """Any correlation matrix and any w*: Gaussian starts, and finite laws with the same moments."""
    for p in range(1, 6):
        for sampled in (True, False):
            cases = []
            for _ in range(5):
                setting, Q = random_setting(rng, p), pixel_frame(rng.normal(size=p))
                vectors = rng.normal(size=(p, p))
                vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
                root = Q.T @ vectors
                law = gaussian_law(setting, vectors @ vectors.T, Q, rng) if sampled else column_law(setting, root)
                cases.append(Case(setting, law, law, root @ root.T))
            yield cases


HALF = Fraction(1, 2)
_ROOTS = tuple((Fraction(a, c), Fraction(b, c)) for a, b, c in ((1, 0, 1), (3, 4, 5), (-3, 4, 5)))
_TURNS = tuple((Fraction(a, c), Fraction(b, c)) for a, b, c in ((1, 0, 1), (3, 4, 5)))


@dataclass(frozen=True)
class Rooted:
    """An exact setting with p = 2, R = A A^T for A = ((a, b), (b, a)), and Q the turn by (cos, sin) = turn."""

    setting: Setting
    root: tuple[Fraction, Fraction]
    turn: tuple[Fraction, Fraction]

    def columns(self) -> list[tuple[Fraction, Fraction]]:
        """The columns of Q^T A."""
        (a, b), (c, s) = self.root, self.turn
        return [(c * x + s * y, c * y - s * x) for x, y in ((a, b), (b, a))]


def any_candidates() -> Iterator[Rooted]:
    """Exact settings, simplest first."""
    zero, one = Fraction(0), Fraction(1)
    for d0, d1, mu in simplest_first((zero, HALF), (zero, HALF), (zero, one)):
        for turn in _TURNS:
            for root in _ROOTS:
                for k in (0, 1, 2):
                    yield Rooted(Setting((d0, d1), HALF, one, k, one, mu, 2 * root[0] * root[1]), root, turn)


def observe_any_exact(instance: Rooted) -> Values:
    """The rational route."""
    setting, columns = instance.setting, instance.columns()
    starts = [[s * v for v in column] for column in columns for s in (setting.reach, -setting.reach)]
    for start in starts:
        start[0] += setting.mu
    n = Fraction(len(starts))
    distance = sum((w[0] - setting.w0_star) ** 2 + w[1] ** 2 for w in starts) / n
    loss = sum(exact_linear_losses(setting, w, setting.steps)[-1] for w in starts) / n
    C = [[sum((u[a] * u[b] for u in columns), Fraction(0)) for b in range(2)] for a in range(2)]
    return {**exact_parameters(setting), "C": C, "expected_loss": loss, "initial_distance": distance}


def lower_any(instance: Rooted) -> list[Case]:
    """An exact instance as a float batch of one."""
    root = np.array([[float(v) for v in column] for column in instance.columns()]).T
    law = column_law(instance.setting, root)
    return [Case(instance.setting, law, law, root @ root.T)]


def describe_any(instance: Rooted) -> tuple[tuple[str, str], ...]:
    """An exact instance as (name, value) strings."""
    return (*describe(instance.setting)[:-1], ("root of R", text(instance.root)), ("turn", text(instance.turn)))


@cache
def any_starts() -> Experiment:
    """The expected loss for any correlation matrix and any w*."""
    return Experiment(
        name="expected loss of random starts",
        sample=any_cases,
        observe=observe_any,
        exact=ExactRoute(any_candidates, observe_any_exact, describe_any, lower_any, limit=150),
    )


MOST_STEPS = 5000
Variances = Callable[[int, Number], list[Number]]


def paired_cases(
    rng: np.random.Generator, variances: Variances, kinds: Iterable[bool] = (True, False)
) -> Iterator[list[Case]]:
    """Equal correlations against none; w* along (1, ..., 1), or orthogonal to it for `edge_variances`."""
    for p in range(2, 6):
        ones = np.ones(p)
        Q = pixel_frame(ones) if variances is aligned_variances else frame(np.eye(p)[0] - np.eye(p)[1], ones)
        for sampled in kinds:
            cases = []
            for _ in range(8):
                setting = random_setting(rng, p)
                C = np.diag([float(v) for v in variances(p, setting.r)])
                if sampled:
                    corr = gaussian_law(setting, equicorrelation(p, setting.r), Q, rng)
                    unc = gaussian_law(setting, np.eye(p), Q, rng)
                else:
                    corr, unc = (coordinate_law(setting, variances(p, r)) for r in (setting.r, 0.0))
                cases.append(Case(setting, corr, unc, C))
            yield cases


def observe_pairs(cases: Sequence[Case]) -> Observation:
    """Expected losses after k and k + 1 updates of the linear rule, for correlation r and for none."""
    losses, error, scale = np.empty((4, len(cases))), np.empty(len(cases)), np.empty(len(cases))
    for n, case in enumerate(cases):
        k = case.setting.steps
        for row, law in ((0, case.corr), (2, case.unc)):
            observed = linear_losses(case.setting, law.starts, k + 1)
            losses[row : row + 2, n], errors = law.mean(observed[k:])
            error[n] = errors.max() if row == 0 else np.hypot(error[n], errors.max())
            scale[n] = observed[0].max()
    names = ("loss_corr", "loss_corr_next", "loss_unc", "loss_unc_next")
    values = {**parameters(cases), **dict(zip(names, losses, strict=True))}
    return Observation(values, STANDARD_ERRORS * error + rounding(cases, scale))


def pair_candidates() -> Iterator[Setting]:
    """Exact settings with p = 2, simplest first."""
    zero, one = Fraction(0), Fraction(1)
    choices = ((zero, one, HALF), (HALF, zero, one), (HALF, HALF / 2, 3 * HALF / 2), (one, HALF), (one, HALF, HALF / 2))
    for d0, d1, lam, r, reach in simplest_first(*choices):
        if lam * (1 + d0**2) < 1:
            for k in (0, 1, 2):
                yield Setting((d0, d1), lam, one, k, reach, zero, r)


def exact_mean(setting: Setting, variances: Sequence[Number], losses: Sequence[Any]) -> Any:
    """The mean of the losses of `coordinate_starts`, listed in their order."""
    starts = coordinate_starts(setting, variances)
    return sum(share * loss for (share, _), loss in zip(starts, losses, strict=True))


@lru_cache(maxsize=1024)
def _linear_runs(points: Setting) -> tuple[list[Any], ...]:
    """Exact losses from each of `coordinate_starts`, which are the same points for every r."""
    starts = coordinate_starts(points, [1] * points.p)
    return tuple(exact_linear_losses(points, start, points.steps + 1) for _, start in starts)


def observe_pairs_exact(setting: Setting, variances: Variances) -> Values:
    """The rational route."""
    runs, seen = _linear_runs(replace(setting, r=Fraction(0))), {}
    for name, r in (("corr", setting.r), ("unc", Fraction(0))):
        shares = variances(setting.p, r)
        seen[f"loss_{name}"] = exact_mean(setting, shares, [run[-2] for run in runs])
        seen[f"loss_{name}_next"] = exact_mean(setting, shares, [run[-1] for run in runs])
    return {**exact_parameters(setting), **seen}


def lower_pairs(setting: Setting, variances: Variances) -> list[Case]:
    """An exact setting as a float batch of one."""
    corr, unc = (coordinate_law(setting, variances(setting.p, r)) for r in (setting.r, Fraction(0)))
    return [Case(setting, corr, unc, np.diag([float(v) for v in variances(setting.p, setting.r)]))]


def _paired(name: str, variances: Variances) -> Experiment:
    return Experiment(
        name=name,
        sample=lambda rng: paired_cases(rng, variances),
        observe=observe_pairs,
        exact=ExactRoute(
            pair_candidates,
            lambda setting: observe_pairs_exact(setting, variances),
            describe,
            lambda setting: lower_pairs(setting, variances),
            limit=120,
        ),
    )


@cache
def aligned_pairs() -> Experiment:
    """Equal correlations against none, w* along (1, ..., 1)."""
    return _paired("correlated against uncorrelated starts, w* along ones", aligned_variances)


@cache
def edge_pairs() -> Experiment:
    """Equal correlations against none, w* orthogonal to (1, ..., 1)."""
    return _paired("correlated against uncorrelated starts, w* across ones", edge_variances)


def observe_steps(batch: Sequence[tuple[Setting, float, np.ndarray, np.ndarray]]) -> Observation:
    """The first update after which E (w_j - w*_j)^2 is at most the precision, and the rate of the first update."""
    p, b = batch[0][0].p, len(batch)
    counts, first, rate = np.full((2, p, b), np.nan), np.ones((2, p, b)), np.zeros((p, b))
    for n, (setting, precision, *variances) in enumerate(batch):
        samples = grid_samples([float(v) for v in setting.d])
        for row, shares in enumerate(variances):
            law = coordinate_law(setting, shares.tolist())
            w, k, errors = law.starts.copy(), 0, []
            while np.isnan(counts[row, 1:, n]).any() and k < MOST_STEPS:
                errors.append(law.mean(np.square(w).T)[0])
                counts[row, (errors[-1] <= precision) & np.isnan(counts[row, :, n]), n] = k
                pull = (float(setting.w0_star) * samples[:, 0] - w @ samples.T) @ samples
                w += 2.0 * float(setting.lam) / len(samples) * pull
                k += 1
            first[row, :, n] = errors[0]
            rate[1:, n] = 0.5 * np.log(errors[0][1:] / errors[1][1:])
    settings = [row[0] for row in batch]
    values: dict[str, Any] = {name: np.array([float(getattr(s, name)) for s in settings]) for name in ("lam", "r")}
    d = np.array([[float(v) for v in s.d] for s in settings]).T
    gain = np.log(first[1] / first[0])
    seen = {"steps_corr": counts[0], "steps_unc": counts[1], "rate": rate, "log_gain": gain}
    return Observation({**values, **seen, "p": p, "d": d}, 1e-9)


def step_batches(rng: np.random.Generator, variances: Variances) -> Iterator[list[Any]]:
    """Centred settings with a precision below the initial errors."""
    for p in (2, 3, 4):
        batch = []
        for _ in range(12):
            base = random_setting(rng, p)
            d = (base.d[0], *rng.uniform(0.25, 0.6, p - 1).tolist())
            setting = replace(base, d=d, steps=0, mu=0.0, r=rng.uniform(0.6, 0.98))
            shares_of = [np.array(variances(p, r)) for r in (setting.r, 0.0)]
            precision = float(setting.variance * min(shares_of[0].min(), 1.0) * rng.uniform(0.01, 0.9))
            batch.append((setting, precision, *shares_of))
        yield batch


@cache
def steps_along() -> Experiment:
    """Updates to a precision, w* along (1, ..., 1)."""
    return Experiment("updates to a precision", lambda rng: step_batches(rng, aligned_variances), observe_steps)


@cache
def steps_across() -> Experiment:
    """Updates to a precision, w* orthogonal to (1, ..., 1)."""
    return Experiment("updates to a precision, edge", lambda rng: step_batches(rng, edge_variances), observe_steps)
