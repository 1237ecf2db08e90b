"""How far descent leaves w + span(samples), and which way it goes: any differentiable loss of w.x, and one sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.descent import descend
from sim.exact import exact_descend
from sim.problem import SampleProblem
from sim.samples import SampleSet
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import WEIGHTS, dot, remainder, simplest_first, text
from theory.claims.observe.single_filter.one_step import EPS
from theory.experiment import ExactRoute, Experiment, Observation, Values

Vector = tuple[Fraction, ...]
STEPS = 6
DECAY = Fraction(1, 10)

SLOPES: Mapping[str, Callable[..., object]] = {
    "square": lambda u, y: 2 * (u - y),
    "square of ReLU": lambda u, y: 2 * (u - y) * (u > 0),
    "fourth power": lambda u, y: 4 * (u - y) ** 3,
    "odd": lambda u, y: u**3 - y,
}
"""Derivatives l'(u) of losses l(w.x, y), rational so that both arithmetics take them."""


@dataclass(frozen=True)
class Paths:
    """Samples X (N, p) with targets y (N,), starts w and v (B, p), a loss by name and a learning rate."""

    X: np.ndarray
    y: np.ndarray
    w: np.ndarray
    v: np.ndarray
    loss: str
    learning_rate: float


def path_batches(rng: np.random.Generator) -> Iterator[Paths]:
    """Fewer samples than weights, all losses in turn; every fourth set is a line."""
    for k, (p, n) in enumerate((dim, count) for dim in (2, 3, 5, 8) for count in range(1, dim) for _ in range(2)):
        X = rng.normal(size=(n, p))
        if k % 4 == 0:
            X = rng.uniform(0.3, 1.0, (n, 1)) * X[:1]
        # |X| <= 1, |w| <= 1, |y| <= 1: the slopes rise by at most 12 * 2^2, so that 0.02 is a stable rate
        X /= np.linalg.norm(X, axis=1).max()
        w, v = rng.uniform(-1.0, 1.0, (2, 10, p)) / np.sqrt(p)
        yield Paths(X, rng.uniform(-1.0, 1.0, n), w, v, tuple(SLOPES)[k % 4], 0.02)


def observe_paths(case: Paths) -> Observation:
    """A few updates with the loss named, without and with weight decay."""
    slope = SLOPES[case.loss]

    def run(w: np.ndarray, steps: int, decay: float = 0.0) -> np.ndarray:
        for _ in range(steps):
            pull = np.asarray(slope(w @ case.X.T, case.y))
            w = w - case.learning_rate * (pull @ case.X / len(case.X) + decay * w)
        return w

    across = np.eye(case.X.shape[1]) - np.linalg.pinv(case.X) @ case.X
    end, decayed = run(case.w, STEPS) - case.w, run(case.w, STEPS, float(DECAY)) - case.w
    first, other = run(case.w, 1) - case.w, run(case.v, 1) - case.v
    norms = np.square(first).sum(axis=1) * np.square(other).sum(axis=1)
    values = {
        "p": case.X.shape[1],
        "rank": float(np.linalg.matrix_rank(case.X)),
        "off_span": np.square(end @ across).sum(axis=1),
        "off_span_decayed": np.square(decayed @ across).sum(axis=1),
        "moved": np.square(end).sum(axis=1),
        "unparallel": norms - (first * other).sum(axis=1) ** 2,
    }
    size = 1.0 + np.square(case.w).sum(axis=1) + np.square(case.v).sum(axis=1)
    return Observation(values, 1e3 * EPS * size)


Listed = tuple[tuple[Vector, ...], Vector, Vector]


def path_candidates() -> Iterator[Listed]:
    """One or two samples in the plane and two starts, simplest first."""
    entries = WEIGHTS[:3]
    for a, b, c, e in simplest_first(entries, entries, entries, entries):
        for start in simplest_first(WEIGHTS[1:4], WEIGHTS[1:4]):
            if (a or b) and (c or e):
                yield ((a, b),), start, (Fraction(1), Fraction(2))
                yield ((a, b), (c, e)), start, (Fraction(1), Fraction(2))


def observe_paths_exact(case: Listed) -> Values:
    """Two updates of the squared loss with targets 3 w_0, in fractions."""
    samples, w, v = case
    targets = [3 * x[0] for x in samples]

    def run(start: Vector, steps: int, decay: Fraction = Fraction(0)) -> Vector:
        for _ in range(steps):
            pulls: list[Fraction] = [2 * (dot(start, x) - t) for x, t in zip(samples, targets, strict=True)]
            step = [dot(pulls, [x[k] for x in samples]) / len(samples) for k in range(2)]
            start = tuple(s - Fraction(1, 8) * (g + decay * s) for s, g in zip(start, step, strict=True))
        return start

    def moved(start: Vector, steps: int, decay: Fraction = Fraction(0)) -> Vector:
        return tuple(a - b for a, b in zip(run(start, steps, decay), start, strict=True))

    end, decayed, first, other = moved(w, 2), moved(w, 2, DECAY), moved(w, 1), moved(v, 1)
    off, off_decayed = remainder(end, samples), remainder(decayed, samples)
    line = len(samples) == 1 or samples[0][0] * samples[1][1] == samples[0][1] * samples[1][0]
    return {
        "p": 2,
        "rank": Fraction(1 if line else 2),
        "off_span": dot(off, off),
        "off_span_decayed": dot(off_decayed, off_decayed),
        "moved": dot(end, end),
        "unparallel": dot(first, first) * dot(other, other) - dot(first, other) ** 2,
    }


@cache
def paths() -> Experiment:
    """Descent on losses of w.x of several kinds."""
    return Experiment(
        name="losses of w.x",
        sample=path_batches,
        observe=observe_paths,
        exact=ExactRoute(
            path_candidates,
            observe_paths_exact,
            lambda case: (("samples", ", ".join(map(text, case[0]))), ("starts", ", ".join(map(text, case[1:])))),
            lambda case: Paths(
                np.array(case[0], dtype=float),
                3.0 * np.array(case[0], dtype=float)[:, 0],
                np.array([case[1]], dtype=float),
                np.array([case[2]], dtype=float),
                "square",
                0.125,
            ),
            limit=600,
        ),
    )


@dataclass(frozen=True)
class OneSample:
    """One sample X (p,), the optimum w* (p,), starts w (B, p) and a learning rate."""

    X: np.ndarray
    w_star: np.ndarray
    w: np.ndarray
    learning_rate: float


def one_batches(
    rng: np.random.Generator, sizes: Sequence[int] = (1, 2, 3, 5, 9), rows: int = 30
) -> Iterator[OneSample]:
    """Positive targets; starts active and inactive; learning rates below 1/|X|^2, a third of them 1/(2 |X|^2)."""
    for p in sizes:
        for k in range(6):
            X, w_star = rng.uniform(0.1, 1.0, p), rng.uniform(0.1, 1.0, p)
            share = 0.5 if k % 3 == 0 else rng.uniform(0.1, 0.95)
            yield OneSample(X, w_star, 2.0 * rng.normal(size=(rows, p)), float(share / (X @ X)))


def observe_one(case: OneSample) -> Observation:
    """A few updates of the ReLU filter on its one sample."""
    run = descend(
        SampleProblem(SampleSet(case.X[None], np.array([case.X @ case.w_star]))),
        case.w,
        learning_rate=case.learning_rate,
        steps=STEPS,
        record_loss=False,
    )
    return _one(case, run.final)


@on_layers
def observe_one_layer(case: OneSample) -> Observation:
    """The same on a convolution that sees one patch."""
    from sim.cnn.conv_filter import sample_descend

    samples = SampleSet(case.X[None], np.array([case.X @ case.w_star]))
    runs = [sample_descend(samples, w, learning_rate=case.learning_rate, steps=STEPS).weights[-1] for w in case.w]
    return _one(case, np.array(runs))


def _one(case: OneSample, final: np.ndarray) -> Observation:
    norm, shift = case.X @ case.X, final - case.w
    across = shift - np.outer(shift @ case.X, case.X) / norm
    values = {
        "p": len(case.X),
        "lam": case.learning_rate,
        "steps": STEPS,
        "sample_norm": norm,
        "y": case.X @ case.w_star,
        "start": case.w @ case.X,
        "end": final @ case.X,
        "distance": np.square(case.w - case.w_star).sum(axis=1),
        "distance_end": np.square(final - case.w_star).sum(axis=1),
        "off_span": np.square(across).sum(axis=1),
        "moved": np.square(shift).sum(axis=1),
    }
    scale = 1.0 + np.square(case.w).sum(axis=1) + case.w_star @ case.w_star + norm
    return Observation(values, 64.0 * EPS * len(case.X) * STEPS * scale / min(norm, 1.0))


Single = tuple[Vector, Vector, Vector, Fraction]


def one_candidates() -> Iterator[Single]:
    """A sample in the plane, w* = (1, 1), learning rates 1/(2 |X|^2) and two others, simplest first."""
    w_star = (Fraction(1), Fraction(1))
    shares = (Fraction(1, 2), Fraction(1, 4), Fraction(3, 4))
    for a, b, w0, w1, share in simplest_first(WEIGHTS[1:4:2], WEIGHTS[:2], WEIGHTS, WEIGHTS, shares):
        x = (a, b)
        if dot(x, (w0, w1)) == 0:
            continue
        yield x, w_star, (w0, w1), share / dot(x, x)
    # a sample at the kink, and targets that no ReLU reaches
    for w0, share in product((Fraction(0), Fraction(1, 2), Fraction(1)), (*shares, Fraction(1, 8))):
        yield (Fraction(1), Fraction(0)), w_star, (w0, Fraction(1)), share
        yield (Fraction(1), Fraction(0)), (Fraction(-1), Fraction(1)), (w0, Fraction(1)), share


def observe_one_exact(case: Single) -> Values:
    """Three updates in fractions."""
    x, w_star, w, lam = case
    end = exact_descend([x], [dot(x, w_star)], w, lam, 3)[-1]
    shift = tuple(a - b for a, b in zip(end, w, strict=True))
    off = remainder(shift, [x])
    before, after = (tuple(a - b for a, b in zip(v, w_star, strict=True)) for v in (w, end))
    return {
        "p": 2,
        "lam": lam,
        "steps": Fraction(3),
        "sample_norm": dot(x, x),
        "y": dot(x, w_star),
        "start": dot(w, x),
        "end": dot(end, x),
        "distance": dot(before, before),
        "distance_end": dot(after, after),
        "off_span": dot(off, off),
        "moved": dot(shift, shift),
    }


@cache
def one_sample() -> Experiment:
    """Descent of a ReLU filter on one sample."""
    return Experiment(
        name="one sample",
        sample=one_batches,
        observe=observe_one,
        exact=ExactRoute(
            one_candidates,
            observe_one_exact,
            lambda case: (
                ("X", text(case[0])),
                ("w_star", text(case[1])),
                ("w", text(case[2])),
                ("lam", text(case[3])),
            ),
            lambda case: OneSample(
                np.array(case[0], dtype=float),
                np.array(case[1], dtype=float),
                np.array([case[2]], dtype=float),
                float(case[3]),
            ),
            limit=1200,
        ),
        layer=observe_one_layer,
        layer_sample=lambda rng: one_batches(rng, sizes=(1, 4, 9), rows=5),
    )
