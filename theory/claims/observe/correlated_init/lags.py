"""Circular layers whose second moments depend on the lag: even, white and wave-like inputs; growth; critical v."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.correlation import equicorrelation, exponential_correlation, sample_weights
from sim.mean_field import kernels, layer_moments, stationary_layer, stationary_moments
from theory.claims.observe.correlated_init.conv_moments import ROUNDING
from theory.claims.observe.correlated_init.filter_draws import STANDARD_ERRORS
from theory.claims.observe.correlated_init.sign_laws import second_moments, sign_law
from theory.claims.observe.layers import on_layers
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

WIDTH = 8
"""Positions of an image of one row."""


@dataclass(frozen=True, eq=False)
class Row:
    """Filters of one row with correlation R (p, p), v, second moments q by lag (WIDTH,) of the inputs of one channel.

    wave: cos(omega s) at lags 0..p-1, where the inputs are one.
    """

    R: np.ndarray
    v: float
    q: np.ndarray
    seed: int = 0

    @property
    def moments(self) -> np.ndarray:
        """Q (1, 1, 1, WIDTH, 1, WIDTH)."""
        width = len(self.q)
        lag = (np.arange(width) - np.arange(width)[:, None]) % width
        return self.q[lag].reshape(1, 1, 1, width, 1, width)


def observe_row(batch: list[Row]) -> Observation:
    """One layer by FFT: second moments at lags 0..p-1."""
    p = len(batch[0].R)
    K = [layer_moments(x.moments, x.R, x.v, padding="circular", kernel=(1, p))[0, 0, 0, 0, 0, :p] for x in batch]
    return _row(batch, np.array(K).T, ROUNDING)


def _row(batch: list[Row], K_lag: np.ndarray, tolerance: np.ndarray | float) -> Observation:
    p = len(batch[0].R)
    values = {
        "p": p,
        "R": np.stack([x.R for x in batch], axis=-1),
        "v": np.array([x.v for x in batch]),
        "q": np.array([x.q[0] for x in batch]),
        "cosine": np.array([x.q[:p] / x.q[0] for x in batch]).T,
        "K_lag": K_lag,
    }
    return Observation(values, tolerance)


@on_layers
def observe_row_on_layers(batch: list[Row]) -> Observation:
    """The same as the mean over random inputs and random filters, each pair on a `torch.nn.Conv2d`."""
    from sim.cnn import relu_stack

    p, draws, seen, errors = len(batch[0].R), 20_000, [], []
    for row in batch:
        rng = np.random.default_rng([row.seed, p])
        lag = (np.arange(len(row.q)) - np.arange(len(row.q))[:, None]) % len(row.q)
        values, vectors = np.linalg.eigh(row.q[lag])
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        x = (rng.normal(size=(draws, len(row.q))) @ root.T)[:, None, None, :]
        W = sample_weights(row.R, (draws, 1, 1, p), sigma=np.sqrt(row.v), rng=rng)[:, None]
        y = relu_stack.layer_responses(x, [W], "circular")[0][:, 0, 0]
        products = np.stack([(y * np.roll(y, -s, axis=1)).mean(axis=1) for s in range(p)])
        seen.append(products.mean(axis=1))
        errors.append(products.std(axis=1).max() / np.sqrt(draws))
    return _row(batch, np.array(seen).T, STANDARD_ERRORS * np.array(errors))


def matrices(rng: np.random.Generator, p: int) -> list[np.ndarray]:
    """Correlations of one row of p pixels: falling with distance, equal, alternating, any."""
    distance = np.abs(np.arange(p) - np.arange(p)[:, None])
    vectors = rng.normal(size=(p, p)) + 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    any_ = np.clip(vectors @ vectors.T, -1.0, 1.0)
    np.fill_diagonal(any_, 1.0)
    return [
        rng.uniform(0.5, 0.9) ** distance,
        equicorrelation(p, rng.uniform(0.3, 1.0)),
        (-rng.uniform(0.5, 0.9)) ** distance,
        any_,
    ]


def rows(rng: np.random.Generator, *, wave: bool, sizes: tuple[int, ...] = (2, 3, 4)) -> Iterator[list[Row]]:
    """White inputs, or waves of any frequency that fits."""
    for p in sizes:
        batch = []
        for number, R in enumerate(matrices(rng, p) * 2):
            size = rng.uniform(0.5, 1.0)
            turns = number % 3 + 1
            q = np.cos(2 * np.pi * turns * np.arange(WIDTH) / WIDTH) if wave else np.eye(WIDTH)[0]
            batch.append(Row(R, float(rng.uniform(0.5, 1.0)), size * q, int(rng.integers(2**31))))
        yield batch


@dataclass(frozen=True)
class SignRow:
    """Filters of two signs with correlation r on one row of four pixels: white signs, or the wave 1, -1, 1, -1."""

    r: Fraction
    wave: bool

    @property
    def inputs(self) -> list[tuple[Fraction, ...]]:
        """Every input, all equally likely."""
        one = Fraction(1)
        return [(one, -one, one, -one)] if self.wave else list(product((one, -one), repeat=4))


def candidates(wave: bool) -> Iterator[SignRow]:
    """Correlations of two weights."""
    for r in (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(-1), Fraction(-1, 2), Fraction(1, 4), Fraction(2, 3)):
        yield SignRow(r, wave)


def observe_row_exact(row: SignRow) -> Values:
    """Every filter and every input in fractions; v = 1."""
    inputs, law = row.inputs, sign_law(2, row.r)

    def product_at(f: tuple[Fraction, ...], x: tuple[Fraction, ...], s: int) -> Fraction:
        return (f[0] * x[0] + f[1] * x[1]) * (f[0] * x[s] + f[1] * x[s + 1])

    K = [sum((w * product_at(f, x, s) / len(inputs) for w, f in law for x in inputs), Fraction(0)) for s in (0, 1)]
    wave = (Fraction(1), Fraction(-1)) if row.wave else (Fraction(1), Fraction(0))
    return {
        "p": Fraction(2),
        "R": second_moments(law),
        "v": Fraction(1),
        "q": Fraction(1),
        "cosine": wave,
        "K_lag": K,
    }


def lower_row(row: SignRow) -> list[Row]:
    """As floats."""
    q = np.array([1.0, -1.0, 1.0, -1.0]) if row.wave else np.eye(4)[0]
    return [Row(equicorrelation(2, float(row.r)), 1.0, q)]


@cache
def row_layers(*, wave: bool) -> Experiment:
    """One layer on white inputs, or on a wave."""
    return Experiment(
        name="waves" if wave else "white inputs",
        sample=lambda rng: rows(rng, wave=wave),
        observe=observe_row,
        exact=ExactRoute(
            lambda: candidates(wave), observe_row_exact, lambda x: (("r", text(x.r)), ("wave", str(x.wave))), lower_row
        ),
        layer=observe_row_on_layers,
        layer_sample=lambda rng: rows(rng, wave=wave, sizes=(3,)),
    )


@dataclass(frozen=True, eq=False)
class Even:
    """An even image with one level per channel (C,), R of square filters or of one row, v, and a seed for filters."""

    R: np.ndarray
    levels: np.ndarray
    v: float
    seed: int = 0


def _even(batch: list[Even], K_1: np.ndarray, K_2: np.ndarray, tolerance: np.ndarray | float) -> Observation:
    values = {
        "p": len(batch[0].R),
        "R": np.stack([x.R for x in batch], axis=-1),
        "v": np.array([x.v for x in batch]),
        "q": np.array([np.square(x.levels).mean() for x in batch]),
        "K_1": K_1,
        "K_2": K_2,
    }
    return Observation(values, tolerance)


def observe_even(batch: list[Even]) -> Observation:
    """Two layers of the recursion, at one position."""
    found = []
    for x in batch:
        side = round(len(x.R) ** 0.5)
        kernel = (side, side) if side**2 == len(x.R) else (1, len(x.R))
        images = np.ones((1, len(x.levels), 3, 3)) * x.levels[None, :, None, None]
        layers = kernels(images, x.R, x.v, depth=2, padding="circular", kernel=kernel)
        found.append([K[0, 0, 1, 1, 1, 1] for K in layers])
    K_1, K_2 = np.array(found).T
    return _even(batch, K_1, K_2, ROUNDING)


@on_layers
def observe_even_on_layers(batch: list[Even]) -> Observation:
    """Two layers of 8 channels: second moments are those of the limit at any width."""
    from sim.cnn import relu_stack

    networks, width, found = 4000, 8, []
    for x in batch:
        rng, side, n_in = np.random.default_rng([x.seed, 1]), round(len(x.R) ** 0.5), len(x.levels)
        filters = []
        for channels in (n_in, width):
            shape = (networks * width, channels, side, side)
            W = sample_weights(x.R, shape, sigma=np.sqrt(x.v / channels), rng=rng)
            filters.append(W.reshape(networks, width, *shape[1:]))
        images = np.ones((networks, n_in, 3, 3)) * x.levels[None, :, None, None]
        squares = [
            np.square(y[:, :, 1, 1]).mean(axis=1) for y in relu_stack.layer_responses(images, filters, "circular")
        ]
        found.append([*(y.mean() for y in squares), max(y.std() / np.sqrt(networks) for y in squares)])
    K_1, K_2, error = np.array(found).T
    return _even(batch, K_1, K_2, STANDARD_ERRORS * error)


def even_batches(rng: np.random.Generator) -> Iterator[list[Even]]:
    """Filters of 2 x 2 and 3 x 3 pixels."""
    for side in (2, 3):
        p, batch = side**2, []
        for R in (exponential_correlation(side, 0.7), equicorrelation(p, rng.uniform(0.2, 0.8)), np.eye(p)):
            total = R.sum()
            v = float(rng.uniform(1.0, 2.0) / total)
            batch.append(Even(R, rng.uniform(0.5, 1.5, 2), v, int(rng.integers(2**31))))
        yield batch


def even_candidates() -> Iterator[tuple[Fraction, Fraction]]:
    """Filters of two signs with correlation r, and the level of the image."""
    yield from product(
        (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(-1, 2)), (Fraction(1), Fraction(1, 2), Fraction(2))
    )


def observe_even_exact(instance: tuple[Fraction, Fraction]) -> Values:
    """One channel, two layers, every pair of filters."""
    r, level = instance
    law = sign_law(2, r)
    first = [(w, sum(f) * level) for w, f in law]
    second = [(w * u, sum(f) * max(y, Fraction(0))) for w, y in first for u, f in law]
    values = {"R": second_moments(law), "v": Fraction(1), "q": level**2}
    moments = {
        "K_1": sum((w * y**2 for w, y in first), Fraction(0)),
        "K_2": sum((w * y**2 for w, y in second), Fraction(0)),
    }
    return {"p": Fraction(2), **values, **moments}


@cache
def even_inputs() -> Experiment:
    """Even images, two layers."""
    return Experiment(
        name="even inputs",
        sample=even_batches,
        observe=observe_even,
        exact=ExactRoute(
            even_candidates,
            observe_even_exact,
            lambda x: (("r", text(x[0])), ("level", text(x[1]))),
            lambda x: [Even(equicorrelation(2, float(x[0])), np.array([float(x[1])]), 1.0)],
        ),
        layer=observe_even_on_layers,
    )


def observe_growth(batch: list[tuple[np.ndarray, float, np.ndarray]]) -> Observation:
    """Three layers of the recursion by lag, from any second moments: growth, and the smallest correlations."""
    found, moments = [], []
    for R, v, q in batch:
        K = stationary_layer(q, R, v)
        for _ in range(3):
            Q = stationary_moments(K)
            moments.append(_window(Q / Q[0, 0], len(R)))
            after = stationary_layer(Q, R, v)
            found.append([after[0, 0] / K[0, 0], K.min() / K[0, 0], after.min() / after[0, 0], v])
            K = after
    growth, lowest, lowest_next, v_ = np.array(found).T
    R_ = np.stack([R for R, *_ in batch for _ in range(3)], axis=-1)
    scalars = {"v": v_, "growth": growth, "critical": v_ / growth}
    values = {"p": len(batch[0][0]), "R": R_, "M": np.stack(moments, axis=-1), **scalars}
    # arccos has an infinite slope at -1, where rounding may leave a correlation
    return Observation({**values, "lowest": np.clip(lowest, -1, 1), "lowest_next": lowest_next}, ROUNDING)


def _window(q: np.ndarray, p: int) -> np.ndarray:
    """M (p, p) of a square window from second moments by lag."""
    side = round(p**0.5)
    row, column = np.divmod(np.arange(p), side)
    return np.asarray(q[(row - row[:, None]) % len(q), (column - column[:, None]) % len(q)])


def growth_batches(rng: np.random.Generator) -> Iterator[list[tuple[np.ndarray, float, np.ndarray]]]:
    """Filters without negative correlations, on 6 x 6 images."""
    for side in (2, 3):
        batch = []
        for number in range(8):
            vectors = np.abs(rng.normal(size=(side**2, side**2)))
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            any_ = np.clip(vectors @ vectors.T, 0.0, 1.0)
            np.fill_diagonal(any_, 1.0)
            R = (exponential_correlation(side, rng.uniform(0.3, 0.95)), any_, np.eye(side**2))[number % 3]
            spectrum = np.abs(np.fft.fft2(rng.normal(size=(6, 6)))) ** 2
            q = np.fft.ifft2(spectrum).real
            batch.append((R, float(2 / R.sum()), (q + q[(-np.arange(6)) % 6][:, (-np.arange(6)) % 6]) / (2 * q[0, 0])))
        yield batch


@cache
def growth() -> Experiment:
    """How second moments grow, and how positions become alike."""
    return Experiment("growth by layer", growth_batches, observe_growth)


def observe_critical(batch: list[tuple[int, float, float]]) -> Observation:
    """E[y^2] over E[y'^2] of the layer after, at v = 1; responses with correlation c at every lag."""
    found = []
    for side, rho_w, c in batch:
        K = np.full((2 * side, 2 * side), c)
        K[0, 0] = 1.0
        after = stationary_layer(stationary_moments(K), equicorrelation(side**2, rho_w), 1.0)
        found.append(K[0, 0] / after[0, 0])
    sides, rho_w, between = np.array(batch).T
    return Observation(
        {"p": int(sides[0]) ** 2, "rho_w": rho_w, "between": between, "critical": np.array(found)}, ROUNDING
    )


def critical_batches(rng: np.random.Generator) -> Iterator[list[tuple[int, float, float]]]:
    """Correlations of weights and of responses, their ends among them."""
    for side in (1, 2, 3, 4):
        yield [
            (side, float(rho_w), float(c))
            for rho_w in (0.0, 1.0, *rng.uniform(0, 1, 4))
            for c in (0.0, 1.0, *rng.uniform(0, 1, 4))
        ]


@cache
def critical_variance() -> Experiment:
    """The v that keeps second moments."""
    return Experiment("critical weight variance", critical_batches, observe_critical)
