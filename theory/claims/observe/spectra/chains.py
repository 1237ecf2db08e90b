"""Errors sent back through chains of bounded layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, reduce
from itertools import pairwise, product

import numpy as np

from sim.arrays import FloatArray
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import (
    ONE,
    TURN,
    ZERO,
    Exact,
    banded,
    diagonal,
    floats,
    in_band,
    orthonormal,
    shown,
    times,
    transposed,
)
from theory.claims.observe.rationals import HALF, QUARTER, text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True, eq=False)
class Chain:
    """Layers W^(l+1), ..., W^L (any widths that chain), all singular values in the band of eps, and an error at L.

    Aligned ones also give the diagonals s (M, depth) and the frames R^(l+1) and R^(L+1). tau: the change of norm that
    is to be allowed.
    """

    layers: tuple[FloatArray, ...]
    eps: float
    error: FloatArray
    tau: float = 1.0
    s: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    R_in: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    R_out: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def widths(self) -> tuple[int, ...]:
        """N_l, ..., N_L."""
        return (self.layers[0].shape[1], *(len(W) for W in self.layers))


def growth(widths: Sequence[int]) -> int:
    """The largest step from one width to the next, 0 if there is none upwards."""
    return max(0, *(after - before for before, after in pairwise(widths)))


def bulge(widths: Sequence[int]) -> int:
    """The largest excess of a width over both the least before it and the least after it, 0 if there is none."""
    inner = range(1, len(widths) - 1)
    return max(0, *(min(widths[k] - min(widths[:k]), widths[k] - min(widths[k + 1 :])) for k in inner), 0)


Back = Callable[[Chain], tuple[FloatArray, FloatArray]]
"""A chain to the error at layer l and the Jacobian of layer L by layer l."""


def by_hand(chain: Chain) -> tuple[FloatArray, FloatArray]:
    """Errors backwards, unit vectors forwards."""
    back = reduce(lambda e, W: W.T @ e, reversed(chain.layers), chain.error)
    return back, reduce(lambda x, W: W @ x, chain.layers, np.eye(chain.widths[0]))


def by_autograd(chain: Chain) -> tuple[FloatArray, FloatArray]:
    """torch.autograd through torch.nn.Linear layers."""
    import torch

    layers = []
    for W in chain.layers:
        layer = torch.nn.Linear(W.shape[1], len(W), bias=False, dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.tensor(W))
        layers.append(layer)
    network = torch.nn.Sequential(*layers)
    x = torch.zeros(chain.widths[0], dtype=torch.float64, requires_grad=True)
    # a loss whose gradient by x^L is the error
    (back,) = torch.autograd.grad(network(x) @ torch.tensor(chain.error), x)
    with torch.no_grad():
        forward = network(torch.eye(chain.widths[0], dtype=torch.float64)).T
    return np.asarray(back.numpy()), np.asarray(forward.numpy())


def _observation(batch: Sequence[Chain], route: Back) -> Observation:
    rows = [_row(chain, *route(chain)) for chain in batch]
    values = {name: np.stack([row[name] for row in rows], axis=-1) for name in rows[0]}
    first = batch[0]
    structure = {
        "p": first.s.shape[0] or first.widths[0],
        "depth": len(first.layers),
        "modes": min(first.widths),
        "N_L": first.widths[-1],
        "growth": growth(first.widths),
        "uneven": max(first.widths) - min(first.widths),
        "bulge": bulge(first.widths),
    }
    scale = np.maximum(1.0, np.maximum(values["back2"], values["error2"]))
    return Observation({**values, **structure}, 1e-11 * scale)


def _row(chain: Chain, back: FloatArray, J: FloatArray) -> dict[str, FloatArray]:
    spectrum = np.linalg.svd(J, compute_uv=False)
    M = len(chain.s)
    found = {
        "back": back,
        "error": chain.error,
        "J": J,
        "eps": chain.eps,
        "tau": chain.tau,
        "back2": back @ back,
        "error2": chain.error @ chain.error,
        "largest": spectrum[0],
        "smallest": spectrum[min(chain.widths) - 1],
        "s": chain.s,
        "R_in": chain.R_in,
        "R_out": chain.R_out,
        "part": (back @ chain.R_in)[:M] if M else (),
        "part_L": (chain.error @ chain.R_out)[:M] if M else (),
    }
    return {name: np.asarray(value, dtype=np.float64) for name, value in found.items()}


def observe(batch: Sequence[Chain]) -> Observation:
    """The NumPy route."""
    return _observation(batch, by_hand)


@on_layers
def observe_layer(batch: Sequence[Chain]) -> Observation:
    """The route through torch.nn.Linear and autograd."""
    return _observation(batch, by_autograd)


WIDTHS = ((2, 2), (3, 3, 3), (4, 4, 4, 4), (4, 3, 2), (3, 2, 3), (1, 2), (2, 3, 2), (2, 4, 4), (4, 2, 3, 2), (1, 3, 2))
"""N_l, ..., N_L."""


def chains(rng: np.random.Generator, *, eps_zero: bool = False) -> Iterator[list[Chain]]:
    """Chains in any position and, for each widths, some that reach the ends of the band or lose a direction."""
    for widths in WIDTHS:
        batch = []
        for kind in range(16):
            eps = 0.0 if eps_zero else float(rng.uniform(0.05, 1.0))
            shapes = list(zip(widths[1:], widths[:-1], strict=True))
            if kind < 4:
                # all singular values at one end: what is sent back is as long, or as short, as it can be
                end = (1.0 + eps) ** (1 if kind % 2 else -1)
                layers = [end * banded(rng, *shape, 0.0) for shape in shapes]
            elif kind < 8:
                layers = [_shifted(*shape, forward=k % 2 == 0) for k, shape in enumerate(shapes)]
            else:
                layers = [banded(rng, *shape, eps) for shape in shapes]
            batch.append(Chain(tuple(layers), eps, rng.normal(size=widths[-1])))
        yield batch


def _shifted(rows: int, columns: int, *, forward: bool) -> FloatArray:
    """Ones on the main diagonal, or on the one that ends in the last corner: all singular values 1."""
    return np.eye(rows, columns, 0 if forward else columns - rows)


def aligned_chains(rng: np.random.Generator) -> Iterator[list[Chain]]:
    """W^i = R^(i+1) S^i R^iT with S^i in the band."""
    for widths in WIDTHS:
        batch = []
        for kind in range(12):
            eps = float(rng.uniform(0.05, 1.0))
            frames = [orthonormal(rng, n, n) for n in widths]
            layers, rows = [], []
            for k, (before, after) in enumerate(pairwise(widths)):
                r = min(before, after)
                values = np.full(r, (1 + eps) ** (1.0 if kind % 2 else -1.0)) if kind < 4 else in_band(rng, r, eps)
                layers.append((frames[k + 1][:, :r] * values) @ frames[k][:, :r].T)
                rows.append(values[: min(widths)])
            error = rng.normal(size=widths[-1])
            batch.append(Chain(tuple(layers), eps, error, 1.0, np.array(rows).T, frames[0], frames[-1]))
        yield batch


def deep_chains(rng: np.random.Generator) -> Iterator[list[Chain]]:
    """Chains of equal widths, up to 40 layers, eps at most tau/8, and mostly all singular values at one end."""
    for depth in (1, 2, 5, 10, 20, 40):
        batch = []
        for kind in range(12):
            tau = float(rng.uniform(0.1, 1.0))
            eps = tau / 8 * float(rng.uniform(0.1, 1.0)) if kind % 3 else tau / (depth * (1 + tau)) * 0.99
            eps = min(eps, tau / 8)
            end = (1.0 + eps) ** (1 if kind % 2 else -1)
            layers = [end * orthonormal(rng, 3, 3) if kind < 9 else banded(rng, 3, 3, eps) for _ in range(depth)]
            batch.append(Chain(tuple(layers), eps, rng.normal(size=3), tau))
        yield batch


@dataclass(frozen=True)
class ExactChain:
    """A chain in rationals; s, R_in and R_out where it is aligned."""

    layers: tuple[Exact, ...]
    eps: Fraction
    error: tuple[Fraction, ...]
    tau: Fraction = ONE
    s: Exact = ()
    R_in: Exact = ()
    R_out: Exact = ()


def observe_exact(chain: ExactChain) -> Values:
    """The rational route."""
    error: Exact = tuple((v,) for v in chain.error)
    back = reduce(lambda e, W: times(transposed(W), e), reversed(chain.layers), error)
    J = reduce(lambda x, W: times(W, x), chain.layers[1:], chain.layers[0])
    widths = (len(chain.layers[0][0]), *(len(W) for W in chain.layers))
    spectrum = _permuted_spectrum(J)
    found: dict[str, object] = {
        "p": len(chain.s) or widths[0],
        "back": [v for (v,) in back],
        "error": chain.error,
        "J": J,
        "eps": chain.eps,
        "tau": chain.tau,
        "back2": sum(v * v for (v,) in back),
        "error2": sum(v * v for v in chain.error),
        "depth": Fraction(len(chain.layers)),
        "modes": Fraction(min(widths)),
        "N_L": Fraction(widths[-1]),
        "growth": Fraction(growth(widths)),
        "uneven": Fraction(max(widths) - min(widths)),
        "bulge": Fraction(bulge(widths)),
    }
    if spectrum is not None:
        found |= {"largest": spectrum[0], "smallest": spectrum[min(widths) - 1]}
    if chain.s:
        M, turned, turned_L = len(chain.s), times(transposed(chain.R_in), back), times(transposed(chain.R_out), error)
        found |= {"s": chain.s, "R_in": chain.R_in, "R_out": chain.R_out}
        found |= {"part": [v for (v,) in turned][:M], "part_L": [v for (v,) in turned_L][:M]}
    return found


def _permuted_spectrum(matrix: Exact) -> list[Fraction] | None:
    """The singular values, descending, of a matrix with at most one entry per row and per column; else None."""
    lines = (*matrix, *transposed(matrix))
    if any(sum(v != 0 for v in line) > 1 for line in lines):
        return None
    return sorted((max(abs(v) for v in row) for row in matrix), reverse=True)


def _permuted_exact(chain: ExactChain) -> Values:
    values = observe_exact(chain)
    return values if "smallest" in values else {}


def lower(chain: ExactChain) -> list[Chain]:
    """An exact chain as a batch of one."""
    aligned = (floats(chain.s), floats(chain.R_in), floats(chain.R_out)) if chain.s else ()
    layers = tuple(floats(W) for W in chain.layers)
    return [Chain(layers, float(chain.eps), np.array(chain.error, dtype=float), float(chain.tau), *aligned)]


def describe(chain: ExactChain) -> tuple[tuple[str, str], ...]:
    """The layers, eps and the error."""
    layers = tuple((f"W^(l+{k + 1})", shown(W)) for k, W in enumerate(chain.layers))
    return (*layers, ("eps", str(chain.eps)), ("error", text(chain.error)))


def _shifted_exact(rows: int, columns: int, forward: bool, scale: Fraction) -> Exact:
    return tuple(tuple(scale * int(v) for v in row) for row in _shifted(rows, columns, forward=forward))


ERRORS = (ONE, ZERO, Fraction(2))
"""Entries of exact errors."""


def candidates(*, eps_zero: bool) -> Iterator[ExactChain]:
    """Chains of one or two layers of width at most 2: shifted diagonals, plain rotations, the ends of the band."""
    shapes = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 1, 1), (1, 2, 1), (2, 1, 2), (2, 2, 2))
    for widths, eps in product(shapes, (ZERO,) if eps_zero else (ONE, HALF, QUARTER)):
        pairs = list(zip(widths[1:], widths[:-1], strict=True))
        choices = []
        for shape in pairs:
            scales = (ONE,) if eps_zero else (ONE, 1 + eps, 1 / (1 + eps))
            layers = [_shifted_exact(*shape, forward, scale) for scale in scales for forward in (True, False)]
            choices.append(list(dict.fromkeys([*layers, *([TURN] if shape == (2, 2) else [])])))
        for chosen in product(*choices):
            for error in ((v,) for v in ERRORS[:1]) if widths[-1] == 1 else product(ERRORS, repeat=2):
                if any(error):
                    yield ExactChain(chosen, eps, tuple(error))


def aligned_candidates() -> Iterator[ExactChain]:
    """Two layers of width 1 or 2 between plain rotations."""
    unit = diagonal((ONE, ONE), 2, 2)
    for eps, (n, frames) in product((ONE, HALF), ((1, (((ONE,),),)), (2, (unit, TURN)))):
        lo, hi = 1 / (1 + eps), 1 + eps
        for first, last in product(frames, repeat=2):
            for values in product(product((ONE, lo, hi), repeat=n), repeat=2):
                inner = times(diagonal(values[0], n, n), transposed(first))
                layers = (inner, times(last, diagonal(values[1], n, n)))
                for error in ((ONE,),) if n == 1 else ((ONE, ZERO), (ONE, Fraction(2))):
                    yield ExactChain(layers, eps, error, ONE, transposed(values), first, last)


def deep_candidates() -> Iterator[ExactChain]:
    """Layers of one unit, all at one end of the band, eps = tau/8."""
    for tau, depth, sign in product((ONE, HALF), range(1, 12), (1, -1)):
        eps = tau / 8
        yield ExactChain((((((1 + eps) ** sign),),),) * depth, eps, (ONE,), tau)


@cache
def any_chains() -> Experiment:
    """Chains of any widths in the band."""
    exact = ExactRoute(lambda: candidates(eps_zero=False), _permuted_exact, describe, lower, limit=1500)
    return Experiment("bounded chains", chains, observe, exact, observe_layer)


@cache
def orthogonal_chains() -> Experiment:
    """Chains of any widths with all singular values 1."""
    exact = ExactRoute(lambda: candidates(eps_zero=True), observe_exact, describe, lower)
    return Experiment("orthogonal chains", lambda rng: chains(rng, eps_zero=True), observe, exact, observe_layer)


@cache
def aligned() -> Experiment:
    """Aligned chains."""
    exact = ExactRoute(aligned_candidates, observe_exact, describe, lower)
    return Experiment("aligned chains", aligned_chains, observe, exact, observe_layer)


@cache
def deep() -> Experiment:
    """Chains whose eps is small, whatever their depth."""
    exact = ExactRoute(deep_candidates, observe_exact, describe, lower)
    return Experiment("deep chains", deep_chains, observe, exact, observe_layer)
