"""How many random starts are dead and how many all active, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

from sim.activity import active_pattern
from sim.correlation import equicorrelation, sample_filters
from sim.exact import exact_active, exact_grid
from sim.grid import grid_samples, pixel_frame
from theory.claims.observe.rationals import WEIGHTS, WIDTHS, simplest_first, text
from theory.claims.observe.single_filter.start_laws import STANDARD_ERRORS, frame
from theory.derive.single_filter.dead_starts import EDGES, probability_all_active
from theory.experiment import ExactRoute, Experiment, Observation, Values

DRAWS = 20_000


@dataclass(frozen=True, eq=False)
class Draw:
    """Starts (N, p) in the frame of the grid of half-widths d (p,), beside others drawn without correlation.

    C: their covariance (p, p), with sigma^2 = 1. r: the correlation of pixels, where it is the same for all.
    """

    d: np.ndarray
    starts: np.ndarray
    C: np.ndarray
    others: np.ndarray | None = None
    r: float = 0.0


def shares(d: np.ndarray, starts: np.ndarray) -> tuple[float, float, float]:
    """Shares of starts that are dead and that are all active, by enumeration, and a standard error.

    The standard error is that of their difference, which neither share's own exceeds.
    """
    active = active_pattern(d, starts)
    dead, every = float((~active.any(axis=1)).mean()), float(active.all(axis=1).mean())
    # ten counts of slack keep the normal approximation honest for rare events
    return dead, every, float(np.sqrt((dead + every + 10 / len(starts)) / len(starts)))


def neighbours(draw: Draw) -> list[float]:
    """Correlations of w.X and w.X' over starts, for the pairs of `EDGES` if p = 3, the one pair if p = 2, else none."""
    p, a = len(draw.d), draw.d[1:]
    pairs = EDGES if p == 3 else (((1,), (-1,)),) if p == 2 else ()
    samples = [[np.array([1 - draw.d[0], *(np.array(signs) * a)]) for signs in pair] for pair in pairs]
    return [float(x @ draw.C @ y / np.sqrt((x @ draw.C @ x) * (y @ draw.C @ y))) for x, y in samples]


def observe_shares(draws: Sequence[Draw]) -> Observation:
    """Shares of dead and of all-active starts, with the closed form for independent coordinates beside them."""
    seen = np.array([shares(draw.d, draw.starts) for draw in draws]).T
    beside = [seen[:, n] if x.others is None else shares(x.d, x.others) for n, x in enumerate(draws)]
    other = np.array(beside).T
    d, scales = np.stack([x.d for x in draws]), np.sqrt([np.diag(x.C) for x in draws])
    # the mistake of a symmetric range: 1 + d_0 in place of 1 - d_0
    wider = scales * np.where(np.arange(d.shape[1]) == 0, ((1 + d[:, 0]) / (1 - d[:, 0]))[:, None], 1.0)
    values = {
        "p": d.shape[1],
        "d": d.T,
        "C": np.stack([x.C for x in draws], axis=-1),
        "r": np.array([x.r for x in draws]),
        "share_dead": seen[0],
        "share_active": seen[1],
        "dead_corr": seen[0],
        "dead_unc": other[0],
        "rho": np.array([neighbours(x) for x in draws]).T,
        "probability": probability_all_active(d, scales),
        "probability_wide": probability_all_active(d, wider),
    }
    return Observation(values, STANDARD_ERRORS * np.hypot(seen[2], other[2]))


def _grid(rng: np.random.Generator, p: int, widest: float = 0.8) -> np.ndarray:
    return np.asarray(rng.uniform(0.05, widest, p))


def small_draws(rng: np.random.Generator, p: int) -> Iterator[list[Draw]]:
    """Any correlation matrix and any w*, for one p; one grid in four so wide that hardly any start is all active."""
    draws = []
    for number in range(12):
        Q, vectors = pixel_frame(rng.normal(size=p)), rng.normal(size=(p, p))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        R = vectors @ vectors.T
        d = _grid(rng, p)
        if number % 4 == 0:
            d = np.r_[rng.uniform(0.9, 0.98), rng.uniform(0.6, 1.0, p - 1)]
        draws.append(Draw(d, sample_filters(R, DRAWS, rng=rng) @ Q, Q.T @ R @ Q))
    yield draws


def independent_draws(rng: np.random.Generator) -> Iterator[list[Draw]]:
    """Equal correlations with w* along (1, ..., 1) or orthogonal to it, and independent coordinates of any scales."""
    for p in range(1, 7):
        ones, draws = np.ones(p), []
        r = rng.uniform(0.2, 0.95)
        frames = [pixel_frame(ones)] if p == 1 else [pixel_frame(ones), frame(np.eye(p)[0] - np.eye(p)[1], ones)]
        for Q in frames:
            R = equicorrelation(p, r)
            draws.append(Draw(_grid(rng, p, 0.5), sample_filters(R, DRAWS, rng=rng) @ Q, Q.T @ R @ Q, r=r))
        scales = rng.uniform(0.3, 2.0, p)
        starts = scales * rng.standard_normal((DRAWS, p))
        draws.append(Draw(_grid(rng, p, 0.5), starts, np.diag(scales**2)))
        yield draws


def correlated_draws(rng: np.random.Generator, aligned: bool, full: bool = False) -> Iterator[list[Draw]]:
    """Equal correlations (`full`: 1) against none; w* along (1, ..., 1) or orthogonal to it."""
    for p in range(2, 6):
        ones, draws = np.ones(p), []
        Q = pixel_frame(ones) if aligned else frame(np.eye(p)[0] - np.eye(p)[1], ones)
        for _ in range(4):
            r = 1.0 if full else rng.uniform(0.2, 0.95)
            R, d = equicorrelation(p, r), _grid(rng, p)
            corr, unc = (sample_filters(matrix, DRAWS, rng=rng) @ Q for matrix in (R, np.eye(p)))
            draws.append(Draw(d, corr, Q.T @ R @ Q, unc, r))
        yield draws


@cache
def two_weights() -> Experiment:
    """p = 2."""
    return Experiment("shares for p = 2", lambda rng: small_draws(rng, 2), observe_shares)


@cache
def three_weights() -> Experiment:
    """p = 3."""
    return Experiment("shares for p = 3", lambda rng: small_draws(rng, 3), observe_shares)


@cache
def independent() -> Experiment:
    """Independent coordinates in the frame of the grid, p = 1, ..., 6."""
    return Experiment("shares for independent coordinates", independent_draws, observe_shares)


@cache
def aligned() -> Experiment:
    """Correlated against uncorrelated, w* along (1, ..., 1)."""
    return Experiment("shares, w* along ones", lambda rng: correlated_draws(rng, True), observe_shares)


@cache
def perfect() -> Experiment:
    """Perfectly correlated, w* along (1, ..., 1)."""
    return Experiment("shares at r = 1", lambda rng: correlated_draws(rng, True, full=True), observe_shares)


@cache
def edge() -> Experiment:
    """Correlated against uncorrelated, w* orthogonal to (1, ..., 1)."""
    return Experiment("shares, w* across ones", lambda rng: correlated_draws(rng, False), observe_shares)


Pair = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def observe_mirror(batch: tuple[np.ndarray, np.ndarray]) -> Observation:
    """Whether w is dead and -w is all active, by enumeration, for d and w (B, p)."""
    d, w = batch
    active, mirror = active_pattern(d, w), active_pattern(d, -w)
    largest = np.array([(grid_samples(a) @ b).max() for a, b in zip(d, w, strict=True)])
    values = {"p": d.shape[1], "d": d.T, "w": w.T, "largest": largest}
    seen = {"dead": ~active.any(axis=1), "mirror_active": mirror.all(axis=1), "active": active.all(axis=1)}
    return Observation({**values, **seen}, 1e-12)


def mirror_batches(rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random filters, many of them dead."""
    for p in range(1, 7):
        d, w = rng.uniform(0.0, 1.0, (60, p)), rng.normal(size=(60, p))
        w[:30, 0] = -1.5 * np.abs(w[:30, 1:]).sum(axis=1) - 0.1
        yield d, w


def mirror_candidates() -> Iterator[Pair]:
    """Exact grids and filters with p = 2, simplest first."""
    for d0, d1, w0, w1 in simplest_first(WIDTHS, WIDTHS, WEIGHTS[:5], WEIGHTS[:5]):
        yield (d0, d1), (w0, w1)


def observe_mirror_exact(instance: Pair) -> Values:
    """The rational route."""
    d, w = instance
    samples, turned = exact_grid(d), [-v for v in w]
    return {
        "p": len(d),
        "d": d,
        "w": w,
        "largest": max(sum(a * b for a, b in zip(w, x, strict=True)) for x in samples),
        "dead": not any(exact_active(x, w) for x in samples),
        "active": all(exact_active(x, w) for x in samples),
        "mirror_active": all(exact_active(x, turned) for x in samples),
    }


@cache
def mirror() -> Experiment:
    """A filter and its negative."""
    return Experiment(
        name="a filter and its negative",
        sample=mirror_batches,
        observe=observe_mirror,
        exact=ExactRoute(
            mirror_candidates,
            observe_mirror_exact,
            lambda x: (("d", text(x[0])), ("w", text(x[1]))),
            lambda x: (np.array([x[0]], dtype=float), np.array([x[1]], dtype=float)),
            limit=400,
        ),
    )
