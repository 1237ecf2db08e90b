"""Training in the band: gradient descent on Eq. (10) with the strengths clipped to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product
from math import ceil, prod
from typing import Literal

import numpy as np

from sim.arrays import FloatArray
from sim.linear_modes import descend_modes
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, orthonormal
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values

Side = Literal["above", "below", "inside", "between projections"]
DEPTHS: dict[Side, tuple[int, ...]] = {
    "above": (1, 2, 3, 5),
    "below": (1, 2, 3),
    "inside": (1, 2, 3, 5),
    "between projections": (1, 2, 3, 5),
}
ROWS = 8


@dataclass(frozen=True, eq=False)
class Runs:
    """Strengths (L, B) to start from, goals (B,), and how they are trained; roots (B,) are sigma^(1/L).

    every: how many updates there are from one projection to the next. cycles: how many projections.
    """

    start: FloatArray
    root: FloatArray
    eps: float
    rate: float
    cycles: int
    every: int = 1

    @property
    def sigma(self) -> FloatArray:
        """The goals."""
        return np.asarray(self.root ** len(self.start))


def _runs(rng: np.random.Generator, side: Side, *, rows: int = ROWS, slow: bool = False) -> Iterator[Runs]:
    """slow: only learning rates at which descent without a band would be stable as well."""
    for depth, eps, _ in product(DEPTHS[side], (0.1, 0.5), range(2)):
        top = 1 + eps
        start = np.ones((depth, rows))
        if side in ("above", "below"):
            start = np.clip(top ** rng.uniform(-1.5, 1.5, (depth, rows)), 1 / top, top)
        if side == "below":
            root = rng.uniform(0.0, 0.9, rows) / top
        elif side == "inside":
            root = top ** rng.uniform(-0.9, 0.9, rows)
        else:
            root = top * rng.uniform(1.05, 1.5, rows)
        rate = rng.uniform(0.2, 0.9) / (depth * max(top, float(root.max())) ** (2 * depth - 2))
        if side == "inside":
            yield Runs(start, root, eps, rate, int(rng.integers(2, 12)))
            continue
        gap = float(np.abs(root**depth - top ** (depth if side != "below" else -depth)).min())
        longest = (top - 1 / top) * top ** (depth - 1) / (rate * gap)
        if side == "above" and not slow:
            # any rate will do: this one takes up to so many updates
            updates = rng.uniform(0.5, 50.0)
            rate, longest = rate * longest / updates, updates
        every = int(rng.integers(1, 6)) if side == "between projections" else 1
        yield Runs(start, root, eps, float(rate), ceil(longest) + 2, every)


def _values(draw: Runs, trajectory: FloatArray, before: FloatArray) -> Observation:
    """trajectory: (T + 1, L, B) after each projection; before: (L, B) when the next one is due."""
    depth, top, end = len(draw.start), 1 + draw.eps, trajectory[-1]
    edge = np.where(draw.root > 1, top, 1 / top)
    there = np.all(np.abs(trajectory - edge) <= 1e-12, axis=1)
    values = {
        "p": depth,
        "depth": depth,
        "eps": draw.eps,
        "lam": draw.rate,
        "sigma": draw.sigma,
        "root": draw.root,
        "steps": draw.cycles * draw.every,
        "s_end": end,
        "residual": draw.sigma - end.prod(axis=0),
        "count": np.where(there.any(axis=0), there.argmax(axis=0), np.nan),
        "after": end,
        "before": before,
    }
    size = np.maximum(top, draw.root) ** (2 * depth)
    return Observation(values, 64 * EPS * depth * draw.cycles * draw.every * size)


def observe(draw: Runs) -> Observation:
    """The NumPy simulator of aligned modes."""
    run = descend_modes(
        draw.start,
        draw.sigma,
        learning_rate=draw.rate,
        steps=draw.cycles * draw.every,
        record_every=draw.every,
        band=draw.eps,
        band_every=draw.every,
    )
    free = descend_modes(run.final, draw.sigma, learning_rate=draw.rate, steps=draw.every)
    return _values(draw, run.strengths, free.final)


@on_layers
def observe_layer(draw: Runs) -> Observation:
    """A chain of torch.nn.Linear of equal widths, one direction for each run, in random orthogonal frames.

    Steps of torch.optim.SGD on whitened samples, singular values bounded in between; strengths are read off in the
    frames.
    """
    from sim.cnn.linear_chain import chain_descend
    from sim.deep_linear import LinearTask, aligned_weights
    from sim.svb import bound_singular_values

    rng = np.random.default_rng(draw.cycles)
    depth, modes = draw.start.shape
    frames = [orthonormal(rng, modes, modes) for _ in range(depth + 1)]
    task = LinearTask.whitened(frames[-1] * draw.sigma @ frames[0].T, rng)

    def read(weights: Sequence[FloatArray]) -> FloatArray:
        pairs = zip(frames[1:], weights, frames, strict=False)
        return np.array([np.diagonal(up.T @ W @ down) for up, W, down in pairs])

    weights = aligned_weights(frames, list(draw.start))
    kept = [read(weights)]
    for _ in range(draw.cycles):
        moved = chain_descend(weights, task, learning_rate=draw.rate, steps=draw.every)
        weights = tuple(np.asarray(bound_singular_values(W, draw.eps)) for W in moved)
        kept.append(read(weights))
    free = chain_descend(weights, task, learning_rate=draw.rate, steps=draw.every)
    observed = _values(draw, np.array(kept), read(free))
    # whole matrices in turned frames, and a projection by an eigendecomposition
    return Observation(observed.values, 8 * modes * np.asarray(observed.tolerance))


Exact = tuple[tuple[Fraction, ...], Fraction, Fraction, Fraction, int]
"""Start, root, eps, learning rate, and updates from one projection to the next."""


def _candidates(side: Side) -> Iterator[Exact]:
    eps = Fraction(1)
    ends = (Fraction(1), 1 + eps, 1 / (1 + eps))
    roots = {
        "above": (Fraction(3), Fraction(5, 2)),
        "below": (Fraction(0), Fraction(1, 4)),
        "inside": (Fraction(2), Fraction(1, 2), Fraction(3, 2)),
        "between projections": (Fraction(3), Fraction(5, 2)),
    }[side]
    rates = tuple(Fraction(v) for v in ("1/2", "1/4", "1/10", "1/40", "1/200"))
    for depth in (1, 2):
        starts = product(ends, repeat=depth) if side in ("above", "below") else [(Fraction(1),) * depth]
        for start, root, rate in product(starts, roots, rates):
            for every in (1, 2) if side == "between projections" else (1,):
                yield tuple(start), root, eps, rate, every


def _observe_exact(instance: Exact) -> Values:
    start, root, eps, rate, every = instance
    depth, top = len(start), 1 + eps
    sigma = root**depth
    edge = top if root > 1 else 1 / top
    trajectory = [list(start)]
    while trajectory[-1] != [edge] * depth and len(trajectory) < 5:
        free = _descend(trajectory[-1], sigma, rate, every)
        trajectory.append([min(max(abs(v), 1 / top), top) * (1 if v >= 0 else -1) for v in free])
    end = trajectory[-1]
    inside = 1 / top <= root <= top
    if not inside and end != [edge] * depth:
        return {}
    return {
        "p": depth,
        "depth": Fraction(depth),
        "eps": eps,
        "lam": rate,
        "sigma": sigma,
        "root": root,
        "steps": Fraction((len(trajectory) - 1) * every),
        "s_end": end,
        "residual": sigma - prod(end, start=Fraction(1)),
        "count": Fraction(len(trajectory) - 1),
        "after": end,
        "before": _descend(end, sigma, rate, every),
    }


def _descend(s: Sequence[Fraction], sigma: Fraction, rate: Fraction, updates: int) -> list[Fraction]:
    current = list(s)
    for _ in range(updates):
        total = prod(current, start=Fraction(1))
        current = [v + rate * (sigma - total) * total / v for v in current]
    return current


def _describe(instance: Exact) -> tuple[tuple[str, str], ...]:
    start, root, eps, rate, every = instance
    named = (("sigma", root ** len(start)), ("eps", eps), ("lam", rate), ("updates per projection", every))
    return ("start", text(start)), *((name, str(v)) for name, v in named)


def _lower(instance: Exact) -> Runs:
    start, root, eps, rate, every = instance
    seen = _observe_exact(instance)
    cycles = int(seen["steps"]) // every
    return Runs(np.array(start, dtype=float)[:, None], np.array([float(root)]), float(eps), float(rate), cycles, every)


def _layer_runs(rng: np.random.Generator, side: Side) -> Iterator[Runs]:
    # faster, rounding grows until the matrices are no longer aligned
    yield from (run for run in _runs(rng, side, rows=3, slow=True) if run.cycles * run.every <= 150)


@cache
def runs(side: Side) -> Experiment:
    """Descent with a projection after every update, or after several, towards a sigma on this side of the interval."""
    return Experiment(
        name=f"training in the band, {side}",
        sample=lambda rng: _runs(rng, side),
        observe=observe,
        exact=ExactRoute(lambda: _candidates(side), _observe_exact, _describe, _lower),
        layer=observe_layer,
        layer_sample=lambda rng: _layer_runs(rng, side),
    )
