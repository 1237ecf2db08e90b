"""Filters with correlation R and the inputs that they meet: sums of weights, responses, and what Algorithm 1 does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.correlation import (
    SCALES,
    equicorrelation,
    exponential_correlation,
    response_gain,
    sample_filters,
    weight_std,
)
from theory.claims.observe.correlated_init.sign_laws import Law, atoms, dot, pairs, second_moments, sign_law
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

DRAWS = 20_000
STANDARD_ERRORS = 5.0


@dataclass(frozen=True, eq=False)
class Draw:
    """Filters (N, n_in, p) of correlation R and inputs (N, n_in, p) with second moments M, one pair per row.

    weight: (N,) probabilities of the rows, 1/N for random ones. size: standard deviation of a weight.
    """

    R: np.ndarray
    M: np.ndarray
    filters: np.ndarray
    inputs: np.ndarray
    weight: np.ndarray
    size: float = 1.0

    @property
    def p(self) -> int:
        """Pixels of a filter."""
        return len(self.R)

    @property
    def n_in(self) -> int:
        """Channels in."""
        return int(self.filters.shape[1])

    @property
    def random(self) -> bool:
        """Whether rows were drawn, not enumerated."""
        return bool(np.ptp(self.weight) == 0 and len(self.weight) == DRAWS)


Respond = Callable[[Draw], np.ndarray]


def responses(draw: Draw) -> np.ndarray:
    """y = sum of w x over channels and pixels, (N,), for weights of standard deviation 1."""
    return np.asarray(np.einsum("nct,nct->n", draw.filters, draw.inputs))


@on_layers
def layer_responses(draw: Draw) -> np.ndarray:
    """The same from a `torch.nn.Conv2d` with one group of filters for each row."""
    from sim.cnn import relu_stack

    side = round(draw.p**0.5)
    rows, channels = draw.filters.shape[:2]
    filters = draw.filters.reshape(rows, 1, channels, side, side)
    found = relu_stack.layer_responses(draw.inputs.reshape(rows, channels, side, side), [filters], "none")
    return np.asarray(found[0].reshape(rows))


def mean(draw: Draw, values: np.ndarray) -> tuple[float, float]:
    """The mean of values (N,) over the rows, and its standard error: zero for enumerated rows."""
    centre = float(draw.weight @ values)
    spread = float(draw.weight @ np.square(values - centre))
    return centre, np.sqrt(spread / len(values)) if draw.random else 0.0


def observe(draws: list[Draw], respond: Respond) -> Observation:
    """Sums of weights and second moments of responses."""
    seen = []
    for draw in draws:
        sums = mean(draw, np.square(draw.filters[:, 0].sum(axis=1)))
        y = mean(draw, np.square(draw.size * respond(draw)))
        off = draw.R.sum() - np.trace(draw.R)
        seen.append((sums[0], y[0], draw.n_in * draw.size**2, draw.M[0, 0], off, max(sums[1], y[1])))
    var_sum, second_y, v, second_x, off_diagonal, error = np.array(seen).T
    values = {
        **_matrices(draws),
        "var_sum": var_sum,
        "second_y": second_y,
        "v": v,
        "second_x": second_x,
        "off_diagonal": off_diagonal,
    }
    return Observation(values, STANDARD_ERRORS * error + 1e-12)


def _matrices(draws: list[Draw]) -> dict[str, object]:
    return {
        "p": draws[0].p,
        "R": np.stack([draw.R for draw in draws], axis=-1),
        "M": np.stack([draw.M for draw in draws], axis=-1),
    }


def matrices(rng: np.random.Generator, p: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Correlation matrices of weights, and second moments of inputs, at random: perfect, none, by distance, any."""
    side = round(p**0.5)
    ones, white = np.ones((p, p)), np.eye(p)
    near = exponential_correlation(side, rng.uniform(0.4, 0.9))
    vectors = rng.normal(size=(p, p))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    any_ = vectors @ vectors.T
    np.fill_diagonal(any_, 1.0)
    even = equicorrelation(p, rng.uniform(0.2, 0.8))
    yield from ((ones, even), (near, white), (any_, even), (white, near), (near, ones), (even, near))


def batches(rng: np.random.Generator, sides: tuple[int, ...] = (1, 2, 3), n_in: int = 1) -> Iterator[list[Draw]]:
    """Gaussian filters and Gaussian inputs, k = 1, 2, 3."""
    for side in sides:
        draws, p = [], side**2
        for R, M in matrices(rng, p):
            shape = (DRAWS, n_in, p)
            filters = sample_filters(R, DRAWS * n_in, rng=rng).reshape(shape)
            inputs = sample_filters(M, DRAWS * n_in, rng=rng).reshape(shape)
            draws.append(Draw(R, M, filters, inputs, np.full(DRAWS, 1 / DRAWS), rng.uniform(0.5, 1.0)))
        yield draws


@dataclass(frozen=True)
class Enumerated:
    """A filter and an input with signs as entries: p pixels, correlation r of weights and c of inputs."""

    p: int
    r: Fraction
    c: Fraction

    @property
    def laws(self) -> tuple[Law, Law]:
        """Of the filter and of the input."""
        return sign_law(self.p, self.r), sign_law(self.p, self.c)


def candidates() -> Iterator[Enumerated]:
    """Filters of 1, 2 and 4 pixels."""
    for p, r, c in pairs(1, 2, 4):
        yield Enumerated(p, r, c)


def describe(instance: Enumerated) -> tuple[tuple[str, str], ...]:
    """Its parameters."""
    return ("pixels", str(instance.p)), ("r", text(instance.r)), ("correlation of inputs", text(instance.c))


def lower(instance: Enumerated) -> list[Draw]:
    """Every pair of a filter and an input, with its probability."""
    (a, filters), (b, inputs) = (atoms(law) for law in instance.laws)
    every = np.repeat(filters, len(inputs), axis=0), np.tile(inputs, (len(filters), 1))
    R, M = (np.array(second_moments(law), dtype=float) for law in instance.laws)
    return [Draw(R, M, every[0][:, None], every[1][:, None], np.outer(a, b).ravel())]


def observe_exact(instance: Enumerated) -> Values:
    """The same in fractions."""
    filters, inputs = instance.laws
    R = second_moments(filters)
    total = sum((sum(row) for row in R), Fraction(0))
    return {
        "p": Fraction(instance.p),
        "R": R,
        "M": second_moments(inputs),
        "v": Fraction(1),
        "second_x": Fraction(1),
        "off_diagonal": total - sum((R[t][t] for t in range(instance.p)), Fraction(0)),
        "var_sum": sum((a * sum(w) ** 2 for a, w in filters), Fraction(0)),
        "second_y": sum((a * b * dot(w, x) ** 2 for a, w in filters for b, x in inputs), Fraction(0)),
    }


@cache
def filters_and_inputs() -> Experiment:
    """Sums of weights, and responses to inputs of any second moments."""
    return Experiment(
        name="filters and inputs",
        sample=batches,
        observe=lambda draws: observe(draws, responses),
        exact=ExactRoute(candidates, observe_exact, describe, lower),
        layer=lambda draws: observe(draws, layer_responses),
    )


Sizes = Callable[[Draw], list[float]]
"""The variance of a weight at each of `SCALES`."""


def sizes_of(draw: Draw) -> list[float]:
    """Those of the initialiser."""
    return [
        weight_std(scale, draw.R, draw.n_in, moments=draw.M if scale == "mean_field" else None) ** 2 for scale in SCALES
    ]


def sizes_by_torch(draw: Draw) -> list[float]:
    """From the inputs that each is made for."""
    from sim.cnn.measured import filter_variances

    found = filter_variances(draw.R, draw.M, draw.n_in)
    return [found[scale] for scale in SCALES]


def observe_kept(draws: list[Draw], respond: Respond, sizes_for: Sizes) -> Observation:
    """E[x'^2]/E[x^2] of one layer and ReLU, for the four sizes of a weight."""
    seen = []
    for draw in draws:
        centre, error = mean(draw, np.square(np.maximum(respond(draw), 0.0)))
        sizes = sizes_for(draw)
        seen.append([*(size * centre / draw.M[0, 0] for size in sizes), max(sizes) * error])
    columns = np.array(seen).T
    values = {**_matrices(draws), **{f"kept_{scale}": column for scale, column in zip(SCALES, columns, strict=False)}}
    return Observation(values, STANDARD_ERRORS * columns[-1] + 1e-12)


def kept_batches(rng: np.random.Generator) -> Iterator[list[Draw]]:
    """Four channels in; responses that do not cancel."""
    for draws in batches(rng, (2, 3), n_in=4):
        yield [draw for draw in draws if min(draw.R.sum(), response_gain(draw.R, draw.M)) > 0.3 * draw.p]


def kept_candidates() -> Iterator[Enumerated]:
    """Those of `candidates` whose responses do not cancel."""
    for instance in candidates():
        rest = (instance.p - 1) * instance.r
        if 1 + rest > 0 and 1 + rest * instance.c > 0:
            yield instance


def observe_kept_exact(instance: Enumerated) -> Values:
    """The same in fractions, one channel in."""
    filters, inputs = instance.laws
    R, M = second_moments(filters), second_moments(inputs)
    total = sum((sum(row) for row in R), Fraction(0))
    gain = sum((dot(a, b) for a, b in zip(R, M, strict=True)), Fraction(0))
    half = sum((a * b * max(dot(w, x), Fraction(0)) ** 2 for a, w in filters for b, x in inputs), Fraction(0))
    sizes = {"sum": 2 / total, "he": Fraction(2, instance.p), "mean_field": 2 / gain, "printed": 1 / total}
    kept = {f"kept_{scale}": size * half for scale, size in sizes.items()}
    return {"p": Fraction(instance.p), "R": R, "M": M, **kept}


@cache
def four_sizes() -> Experiment:
    """What a layer with ReLU keeps of its inputs' second moment, for four sizes of its weights."""
    return Experiment(
        name="four sizes of weights",
        sample=kept_batches,
        observe=lambda draws: observe_kept(draws, responses, sizes_of),
        exact=ExactRoute(kept_candidates, observe_kept_exact, describe, lower),
        layer=lambda draws: observe_kept(draws, layer_responses, sizes_by_torch),
    )
