"""Filters trained with L2 from random targets: the covariance of their weights, found one target at a time.

Where every sample is active, training is affine in the target: w = A w* + a constant. Targets next to a w0 that keeps
every sample active give the columns of A, and Cov(w) = A A^T for isotropic targets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.correlation import equicorrelation, sample_filters
from sim.descent import descend
from sim.problem import SampleProblem
from sim.samples import SampleSet, linear_targets
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import simplest_first, text
from theory.experiment import ExactRoute, Experiment, Observation, Values

REST = 1e-10
"""The part of an error that is left when training ends."""
NEAR = 0.1
"""How far targets lie from w0."""
TOLERANCE = 1e-8
"""What `REST` leaves, and rounding, divided by `NEAR` and by the smallest standard deviation of a weight."""

Train = Callable[[SampleSet, np.ndarray, float, float, int], np.ndarray]
"""Samples, start, learning rate, weight decay, updates -> weights (updates + 1, p)."""


def by_descent(samples: SampleSet, w: np.ndarray, rate: float, l2: float, steps: int) -> np.ndarray:
    """In NumPy."""
    problem = SampleProblem(samples)
    run = descend(problem, w, learning_rate=rate, steps=steps, l2=l2, record_loss=False, check_stability=False)
    return np.asarray(run.weights[:, 0])


def by_layer(samples: SampleSet, w: np.ndarray, rate: float, l2: float, steps: int) -> np.ndarray:
    """`torch.optim.SGD` with weight decay, on a `torch.nn.Conv2d` and ReLU."""
    from sim.cnn.conv_filter import sample_descend

    return sample_descend(samples, w, learning_rate=rate, l2=l2, steps=steps).weights


def samples_with(H: np.ndarray) -> np.ndarray:
    """X (p, p) with the second moments H: the rows of sqrt(p) times its symmetric root."""
    values, vectors = np.linalg.eigh(H)
    return np.asarray(np.sqrt(len(H)) * (vectors * np.sqrt(values)) @ vectors.T)


def trained_covariance(H: np.ndarray, mu: float, train: Train) -> np.ndarray:
    """Cov(w) for isotropic targets. Raises RuntimeError if a sample is inactive at any time."""
    X, p = samples_with(H), len(H)
    # X w0 = (1, ..., 1): far from where samples switch off
    centre = np.linalg.solve(X, np.ones(p))
    values = np.linalg.eigvalsh(H)
    rate = 1.0 / (values[-1] + values[0] + 2 * mu)
    # what an update leaves of the error along the first and the last eigenvector
    factor = max((values[-1] - values[0]) * rate, 1e-3)
    steps = int(np.ceil(np.log(REST * NEAR) / np.log(factor)))
    targets = centre + NEAR * np.vstack([np.zeros(p), np.eye(p)])
    runs = [train(linear_targets(X, target), target, rate, 2 * mu, steps) for target in targets]
    if not all((run @ X.T > 0).all() for run in runs):
        raise RuntimeError(f"a sample became inactive for mu = {mu}: training is not affine")
    ends = np.array([run[-1] for run in runs])
    A = (ends[1:] - ends[0]).T / NEAR
    return np.asarray(A @ A.T)


def correlation(covariance: np.ndarray) -> float:
    """Of weights 0 and 1."""
    return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


@dataclass(frozen=True)
class Equal:
    """p inputs, any two with correlation r; L2 with mu, and with less."""

    p: int
    r: float
    mu: float
    less: float


def observe_equal(batch: list[Equal], train: Train) -> Observation:
    """Correlations of weights after training."""
    found = []
    for x in batch:
        H = equicorrelation(x.p, x.r)
        more, less = (correlation(trained_covariance(H, mu, train)) for mu in (x.mu, x.less))
        found.append([x.r, x.mu, more, less, correlation(H @ H)])
    r, mu, corr_w, corr_less, corr_limit = np.array(found).T
    values = {"r": r, "mu": mu, "corr_w": corr_w, "corr_less": corr_less, "corr_limit": corr_limit}
    return Observation({"p": batch[0].p, **values}, TOLERANCE)


def equal_batches(rng: np.random.Generator, sizes: tuple[int, ...] = (2, 3, 4)) -> Iterator[list[Equal]]:
    """Correlations of either sign, and none; mu from 0.05 to 3."""
    for p in sizes:
        lowest = -1.0 / (p - 1)
        rs = [0.0, *rng.uniform(0.2, 0.8, 3), *(lowest * rng.uniform(0.2, 0.8, 2))]
        yield [Equal(p, float(r), float(rng.uniform(0.3, 3.0)), float(rng.uniform(0.05, 0.2))) for r in rs]


Exact = tuple[int, Fraction, Fraction, Fraction]
"""p, r, mu and less."""


def equal_candidates() -> Iterator[Exact]:
    """Two weights; three."""
    half = Fraction(1, 2)
    rs = (Fraction(0), half, -half, Fraction(1, 4), Fraction(-1, 4))
    mus = (Fraction(1), half, Fraction(2))
    parts = (Fraction(0), half)
    for p in (2, 3):
        for r, mu, part in simplest_first(rs, mus, parts):
            if 1 + (p - 1) * r > 0:
                yield p, r, mu, mu * part


Rational = list[list[Fraction]]


def exact_product(a: Rational, b: Rational) -> Rational:
    """a b."""
    return [
        [sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for column in zip(*b, strict=True)]
        for row in a
    ]


def exact_inverse(matrix: Rational) -> Rational:
    """By Gauss and Jordan; the matrix is positive definite, so that no pivot vanishes."""
    p = len(matrix)
    rows = [[*row, *(Fraction(int(a == b)) for b in range(p))] for a, row in enumerate(matrix)]
    for k in range(p):
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for other in range(p):
            if other != k:
                rows[other] = [v - rows[other][k] * w for v, w in zip(rows[other], rows[k], strict=True)]
    return [row[p:] for row in rows]


def exact_covariance(H: Rational, mu: Fraction) -> Rational:
    """(H + mu)^-1 H H (H + mu)^-1."""
    shifted = [[v + (mu if a == b else 0) for b, v in enumerate(row)] for a, row in enumerate(H)]
    A = exact_product(exact_inverse(shifted), H)
    return exact_product(A, [list(column) for column in zip(*A, strict=True)])


def observe_equal_exact(instance: Exact) -> Values:
    """The same in fractions; weights have equal variances."""
    p, r, mu, less = instance
    H = [[Fraction(1) if a == b else r for b in range(p)] for a in range(p)]
    more, fewer, limit = exact_covariance(H, mu), exact_covariance(H, less), exact_product(H, H)
    return {
        "p": Fraction(p),
        "r": r,
        "mu": mu,
        **{
            name: cov[0][1] / cov[0][0] for name, cov in (("corr_w", more), ("corr_less", fewer), ("corr_limit", limit))
        },
    }


@cache
def equal_correlations() -> Experiment:
    """Inputs with equal correlations, trained with two strengths of L2."""
    return Experiment(
        name="equal correlations and L2",
        sample=equal_batches,
        observe=lambda batch: observe_equal(batch, by_descent),
        exact=ExactRoute(
            equal_candidates,
            observe_equal_exact,
            lambda x: tuple(zip(("pixels", "r", "mu", "smaller mu"), (str(x[0]), *map(text, x[1:])), strict=True)),
            lambda x: [Equal(x[0], *map(float, x[1:]))],
        ),
        layer=on_layers(lambda batch: observe_equal(batch, by_layer)),
        layer_sample=lambda rng: equal_batches(rng, (4,)),
    )


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs with second moments H (p, p), and L2 with mu."""

    H: np.ndarray
    mu: float


def observe_any(batch: list[Inputs], train: Train) -> Observation:
    """Covariances after training, and the largest entry of H^-1 off its diagonal."""
    p = len(batch[0].H)
    precision = [np.where(np.eye(p) > 0, -np.inf, np.linalg.inv(x.H)).max() for x in batch]
    values = {
        "p": p,
        "H": np.stack([x.H for x in batch], axis=-1),
        "cov": np.stack([trained_covariance(x.H, x.mu, train) for x in batch], axis=-1),
        "precision": np.array(precision),
        "mu": np.array([x.mu for x in batch]),
    }
    return Observation(values, TOLERANCE)


def any_batches(rng: np.random.Generator, sizes: tuple[int, ...] = (3, 4), repeats: int = 4) -> Iterator[list[Inputs]]:
    """Inputs that are correlated with their neighbours; with all by distance; any positively correlated ones."""
    for p in sizes:
        distance = np.abs(np.arange(p) - np.arange(p)[:, None])
        batch = []
        for _ in range(repeats):
            mu, rho = rng.uniform(0.2, 1.5), rng.uniform(0.3, 0.7)
            chain = np.where(distance == 1, 0.45, np.where(distance == 0, 1.0, 0.02))
            near = 0.2 * rho**distance + 0.3 + 0.5 * np.eye(p)
            positive = np.abs(sample_filters(np.eye(p), 3 * p, rng=rng))
            second = positive.T @ positive / (3 * p) + 0.2 * np.eye(p)
            batch += [Inputs(H, float(mu)) for H in (chain, near, second)]
        yield batch


Chain = tuple[Fraction, ...]
"""Three inputs: the correlation of neighbours, that of the two ends, and mu."""


def any_candidates() -> Iterator[Chain]:
    """Neighbours correlated, the ends less so or not at all."""
    zero, half = Fraction(0), Fraction(1, 2)
    quarter = Fraction(1, 4)
    return simplest_first((half, quarter, zero), (zero, half, quarter), (Fraction(1), half))


def _chain(instance: Chain) -> Rational:
    a, b, _ = instance
    one = Fraction(1)
    return [[one, a, b], [a, one, a], [b, a, one]]


def observe_any_exact(instance: Chain) -> Values:
    """The same in fractions."""
    H = _chain(instance)
    inverse = exact_inverse(H)
    off = max(v for a, row in enumerate(inverse) for b, v in enumerate(row) if a != b)
    return {"p": Fraction(3), "H": H, "cov": exact_covariance(H, instance[2]), "precision": off, "mu": instance[2]}


@cache
def any_inputs() -> Experiment:
    """Inputs with any positive correlations."""
    return Experiment(
        name="positively correlated inputs and L2",
        sample=any_batches,
        observe=lambda batch: observe_any(batch, by_descent),
        exact=ExactRoute(
            any_candidates,
            observe_any_exact,
            lambda x: tuple(zip(("neighbours", "ends", "mu"), map(text, x), strict=True)),
            lambda x: [Inputs(np.array(_chain(x), dtype=float), float(x[2]))],
        ),
        layer=on_layers(lambda batch: observe_any(batch, by_layer)),
        layer_sample=lambda rng: any_batches(rng, (4,), 2),
    )


@dataclass(frozen=True, eq=False)
class Decaying:
    """Filters (n, p), mu, and the learning rate of `steps` updates without data."""

    filters: np.ndarray
    mu: float
    rate: float
    steps: int = 5


def observe_decay(batch: list[Decaying]) -> Observation:
    """Samples of zeros have no gradient: only the weight decay of `sim.descent` moves the weights."""
    found = []
    for x in batch:
        p = x.filters.shape[1]
        nothing = SampleProblem(SampleSet(np.zeros((1, p)), np.zeros(1)))
        run = descend(nothing, x.filters, learning_rate=x.rate, l2=2 * x.mu, steps=x.steps, check_stability=False)
        found.append([correlation(w.T @ w) for w in (x.filters, run.final)])
    before, after = np.array(found).T
    shrunk = np.array([(1 - 2 * x.rate * x.mu) ** x.steps for x in batch])
    return Observation({"p": 4, "corr_before": before, "corr_decay": after, "shrunk": shrunk}, 1e-11)


def decay_batches(rng: np.random.Generator) -> Iterator[list[Decaying]]:
    """Filters of 4 pixels with any correlation."""
    yield [
        Decaying(sample_filters(equicorrelation(4, r), 50, rng=rng), float(rng.uniform(0.1, 1.0)), 0.2)
        for r in rng.uniform(-0.3, 0.95, 12)
    ]


@cache
def decay() -> Experiment:
    """Weight decay without data."""
    return Experiment("weight decay without data", decay_batches, observe_decay)
