"""Descent on any sample set, all of whose samples are active by construction: the moments are what matters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.descent import descend
from sim.exact import exact_step, exact_targets
from sim.grid import pixel_frame
from sim.problem import SampleProblem
from sim.samples import SampleSet, linear_targets
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import HALF, QUARTER, simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.experiment import ExactRoute, Experiment, Observation, Values

STEPS = 41
"""Odd: an even number of updates would hide the signs of the factors."""


@dataclass(frozen=True)
class AnySamples:
    """One sample set, B filters on it, all of whose samples are active, and a learning rate; Q turns the frame."""

    samples: SampleSet
    w_star: np.ndarray
    w: np.ndarray
    learning_rate: float
    Q: np.ndarray


def any_batches(
    rng: np.random.Generator, sizes: tuple[int, ...] = (1, 2, 3, 4, 6, 9), rows: int = 12
) -> Iterator[AnySamples]:
    """Correlated samples with positive targets; starts in the ball around w* in which every sample is active."""
    for p in sizes:
        for n in (p, 3 * p):
            X = np.abs(rng.normal(size=(n, p)) @ rng.normal(size=(p, p))) + 0.1
            w_star = rng.uniform(0.2, 1.0, p)
            samples = linear_targets(X, w_star)
            reach = (samples.y / np.linalg.norm(X, axis=1)).min()
            direction = rng.normal(size=(rows, p))
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            w = w_star + 0.95 * reach * direction * rng.uniform(0.2, 1.0, (rows, 1))
            rate = rng.uniform(0.1, 0.99) / np.linalg.eigvalsh(samples.second_moment)[-1]
            yield AnySamples(samples, w_star, w, float(rate), pixel_frame(rng.normal(size=p)))


def observe_any(case: AnySamples) -> Observation:
    """Descent on the samples, on the turned samples, and the error along the eigenvectors of H."""
    X, problem = case.samples.X, SampleProblem(case.samples)
    run = descend(problem, case.w, learning_rate=case.learning_rate, steps=STEPS, record_loss=False)
    turned = SampleProblem(SampleSet(X @ case.Q.T, case.samples.y))
    rotated = descend(turned, case.w @ case.Q.T, learning_rate=case.learning_rate, steps=1, record_loss=False)
    return _any(case, case.samples.second_moment, run.weights[1], run.final, rotated.final)


@on_layers
def observe_any_layer(case: AnySamples) -> Observation:
    """The same on convolutions that see the samples as patches."""
    from sim.cnn.conv_filter import sample_descend
    from sim.cnn.measured import sample_moment

    turned = SampleSet(case.samples.X @ case.Q.T, case.samples.y)
    runs = [sample_descend(case.samples, w, learning_rate=case.learning_rate, steps=STEPS).weights for w in case.w]
    rotated = [
        sample_descend(turned, case.Q @ w, learning_rate=case.learning_rate, steps=1).weights[-1] for w in case.w
    ]
    weights = np.stack(runs, axis=1)
    return _any(case, sample_moment(case.samples.X), weights[1], weights[-1], np.array(rotated))


def _any(
    case: AnySamples, moment: np.ndarray, w_next: np.ndarray, w_end: np.ndarray, rotated: np.ndarray
) -> Observation:
    eigenvalues, vectors = np.linalg.eigh(moment)
    values = {
        "p": case.samples.p,
        "w": case.w.T,
        "w_star": case.w_star,
        "lam": case.learning_rate,
        "steps": STEPS,
        "H": moment,
        "h": eigenvalues,
        "Q": case.Q,
        "w_next": w_next.T,
        "rotated_next": rotated.T,
        "mode": ((case.w - case.w_star) @ vectors).T,
        "mode_end": ((w_end - case.w_star) @ vectors).T,
    }
    p, n = case.samples.p, len(case.samples)
    return Observation(
        values, 256.0 * EPS * STEPS * p * n * (1.0 + np.abs(case.w).max() + np.abs(case.samples.X).max())
    )


Listed = tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...], Fraction]
_W_STAR = (Fraction(1), Fraction(1))
_TURN = ((Fraction(3, 5), Fraction(-4, 5)), (Fraction(4, 5), Fraction(3, 5)))


def listed_candidates() -> Iterator[Listed]:
    """Two samples in the plane, targets from w* = (1, 1), all active, simplest first."""
    entries = (Fraction(1), Fraction(0), HALF, Fraction(2))
    starts = (Fraction(1), HALF, Fraction(2), Fraction(3, 2))
    for a, b, c, e, w0, w1 in simplest_first(entries, entries, entries, entries, starts, starts):
        if a + b > 0 and c + e > 0:
            yield ((a, b), (c, e)), (w0, w1), QUARTER


def observe_listed(case: Listed) -> Values:
    """One update in fractions, on the samples and on the turned samples."""
    samples, w, lam = case
    targets = exact_targets(samples, _W_STAR)
    after = exact_step(samples, targets, w, lam)
    turned = [tuple(sum(q * x for q, x in zip(row, s, strict=True)) for row in _TURN) for s in samples]
    start = tuple(sum(q * x for q, x in zip(row, w, strict=True)) for row in _TURN)
    moment = [[sum((s[a] * s[b] for s in samples), Fraction(0)) / len(samples) for b in range(2)] for a in range(2)]
    return {
        "p": 2,
        "w": w,
        "w_star": _W_STAR,
        "lam": lam,
        "H": moment,
        "Q": _TURN,
        "w_next": after,
        "rotated_next": exact_step(turned, targets, start, lam),
    }


def _listed_text(case: Listed) -> tuple[tuple[str, str], ...]:
    return (
        ("samples", ", ".join(text(s) for s in case[0])),
        ("w", text(case[1])),
        ("w_star", text(_W_STAR)),
        ("lam", text(case[2])),
    )


def _lower_listed(case: Listed) -> AnySamples:
    samples = linear_targets(np.array(case[0], dtype=float), np.ones(2))
    return AnySamples(
        samples, np.ones(2), np.array([case[1]], dtype=float), float(case[2]), np.array(_TURN, dtype=float)
    )


@cache
def any_samples(exact: bool = True) -> Experiment:
    """Any samples, all active; `exact` where the statement needs no eigenvectors, which are irrational."""
    return Experiment(
        name="any samples, all active",
        sample=any_batches,
        observe=observe_any,
        exact=ExactRoute(listed_candidates, observe_listed, _listed_text, _lower_listed, limit=500) if exact else None,
        layer=observe_any_layer,
        layer_sample=lambda rng: any_batches(rng, sizes=(1, 4, 9), rows=4),
    )
