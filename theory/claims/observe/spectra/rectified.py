"""Errors sent back through orthogonal layers with ReLU, in the mean over the signs of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, ONE, TURN, ZERO, Exact, floats, orthonormal, shown, times
from theory.claims.observe.rationals import text
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True)
class Rectified:
    """Orthogonal layers (N, N), each followed by ReLU, and an input (N,)."""

    layers: tuple[FloatArray | Exact, ...]
    x: FloatArray | tuple[Fraction, ...]


def networks(rng: np.random.Generator) -> Iterator[list[Rectified]]:
    """Up to three layers of up to four units."""
    for n, depth in ((1, 1), (2, 1), (4, 1), (2, 2), (3, 2), (2, 3)):
        yield [Rectified(tuple(orthonormal(rng, n, n) for _ in range(depth)), rng.normal(size=n)) for _ in range(4)]


def _signs(n: int, depth: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """All choices of signs of the rows of all layers."""
    return product(product((1, -1), repeat=n), repeat=depth)


def _observation(batch: Sequence[Rectified], means: Sequence[float]) -> Observation:
    values = {"p": 1, "depth": len(batch[0].layers), "N_L": len(batch[0].x), "square_mean": np.array(means)}
    return Observation(values, 1e3 * EPS)


def observe(batch: Sequence[Rectified]) -> Observation:
    """|J|^2 of the Jacobian, from derivatives of ReLU multiplied out, averaged over all signs."""
    means = []
    for network in batch:
        x = np.array(network.x, dtype=np.float64)
        sizes = []
        for signs in _signs(len(x), len(network.layers)):
            y, J = x, np.eye(len(x))
            for sign, layer in zip(signs, network.layers, strict=True):
                W = np.array(sign)[:, None] * np.array(layer, dtype=np.float64)
                z = W @ y
                y, J = np.maximum(z, 0.0), (z > 0)[:, None] * (W @ J)
            sizes.append(np.square(J).sum())
        means.append(float(np.mean(sizes)))
    return _observation(batch, means)


@on_layers
def observe_layer(batch: Sequence[Rectified]) -> Observation:
    """Autograd through torch.nn.Linear and torch.nn.ReLU, one unit error after the other."""
    import torch

    means = []
    for network in batch:
        n, sizes = len(network.x), []
        for signs in _signs(n, len(network.layers)):
            modules: list[torch.nn.Module] = []
            for sign, layer in zip(signs, network.layers, strict=True):
                linear = torch.nn.Linear(n, n, bias=False, dtype=torch.float64)
                with torch.no_grad():
                    linear.weight.copy_(torch.tensor(np.array(sign)[:, None] * np.array(layer, dtype=np.float64)))
                modules += [linear, torch.nn.ReLU()]
            x = torch.tensor(np.array(network.x, dtype=np.float64), requires_grad=True)
            output = torch.nn.Sequential(*modules)(x)
            errors = torch.eye(n, dtype=torch.float64)
            (back,) = torch.autograd.grad(output, x, errors, is_grads_batched=True)
            sizes.append(float(torch.square(back).sum()))
        means.append(float(np.mean(sizes)))
    return _observation(batch, means)


def candidates() -> Iterator[Rectified]:
    """One or two layers of one or two units, inputs without ties."""
    for depth, x in product((1, 2, 3), ((ONE,), (-ONE,))):
        yield Rectified((((ONE,),),) * depth, x)
    turned = times(TURN, TURN)
    for layers in ((TURN,), (turned,), (TURN, turned), (turned, TURN)):
        for inputs in ((ONE, ZERO), (ONE, Fraction(2)), (Fraction(-1), Fraction(3))):
            yield Rectified(layers, inputs)


def observe_exact(network: Rectified) -> Values:
    """All signs in fractions; empty where a pre-activation is zero while its input is not."""
    x = tuple(Fraction(v) for v in network.x)
    n, total, patterns = len(x), ZERO, 0
    for signs in _signs(n, len(network.layers)):
        y: Exact = tuple((v,) for v in x)
        J: Exact = tuple(tuple(Fraction(int(a == b)) for b in range(n)) for a in range(n))
        for sign, layer in zip(signs, network.layers, strict=True):
            W: Exact = tuple(tuple(g * Fraction(v) for v in row) for g, row in zip(sign, layer, strict=True))
            z, V = times(W, y), times(W, J)
            if any(v == 0 for (v,) in z) and any(v for (v,) in y):
                return {}
            y = tuple((max(v, ZERO),) for (v,) in z)
            J = tuple(row if v > 0 else (ZERO,) * n for (v,), row in zip(z, V, strict=True))
        total += sum((v * v for row in J for v in row), ZERO)
        patterns += 1
    depth = len(network.layers)
    return {"p": 1, "depth": Fraction(depth), "N_L": Fraction(n), "square_mean": total / patterns}


@cache
def rectified() -> Experiment:
    """Orthogonal layers with ReLU."""
    return Experiment(
        name="orthogonal layers with ReLU",
        sample=networks,
        observe=observe,
        exact=ExactRoute(
            candidates,
            observe_exact,
            lambda network: (
                *((f"W^{k + 1}", shown(W)) for k, W in enumerate(network.layers)),
                ("x", text(network.x)),
            ),
            lambda network: [Rectified(tuple(floats(W) for W in network.layers), np.array(network.x, dtype=float))],
        ),
        layer=observe_layer,
    )
