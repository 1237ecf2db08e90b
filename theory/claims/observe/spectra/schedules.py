"""The weights that training returns when singular values are bounded every few updates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.svb import bound_singular_values
from theory.claims.observe.layers import on_layers
from theory.claims.observe.matrices import EPS, ONE, ZERO, Exact, banded, orthonormal, shown
from theory.claims.observe.rationals import HALF
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True)
class Schedule:
    """Training of W (m, n) towards a target by `updates` SGD steps of |W - target|^2/2, bounded every `period`."""

    start: Exact | FloatArray
    target: Exact | FloatArray
    rate: Fraction | float
    eps: Fraction | float
    updates: int
    period: int


def schedules(rng: np.random.Generator) -> Iterator[list[Schedule]]:
    """Targets off the band on both sides, T up to 12, T_svb up to 4."""
    for m, n in ((1, 1), (2, 3), (3, 2), (4, 4)):
        batch = []
        for k in range(16):
            target = orthonormal(rng, max(m, n), min(m, n)) * rng.choice([0.1, 3.0], min(m, n))
            period = 1 + k % 4
            updates = period * int(rng.integers(1, 4)) + (k // 4) % period
            eps = float(rng.uniform(0.05, 0.5))
            batch.append(Schedule(banded(rng, m, n, eps), target if m >= n else target.T, 0.3, eps, updates, period))
        yield batch


def _trained(batch: Sequence[Schedule], train: Callable[[Schedule], FloatArray]) -> Observation:
    spectra = [np.linalg.svd(train(case), compute_uv=False) for case in batch]
    values = {
        "p": 1,
        "eps": np.array([float(case.eps) for case in batch]),
        "since": np.array([float(case.updates % case.period) for case in batch]),
        "final_low": np.array([spectrum[-1] for spectrum in spectra]),
        "final_high": np.array([spectrum[0] for spectrum in spectra]),
    }
    return Observation(values, 1e3 * EPS)


def train(case: Schedule) -> FloatArray:
    """SGD by hand."""
    W, target = np.array(case.start, dtype=np.float64), np.array(case.target, dtype=np.float64)
    for t in range(1, case.updates + 1):
        W = W - float(case.rate) * (W - target)
        if t % case.period == 0:
            W = bound_singular_values(W, float(case.eps))
    return W


def train_layer(case: Schedule) -> FloatArray:
    """torch.optim.SGD on a torch.nn.Linear, on whitened inputs."""
    import torch

    target = torch.tensor(np.array(case.target, dtype=np.float64))
    m, n = target.shape
    layer = torch.nn.Linear(n, m, bias=False, dtype=torch.float64)
    inputs = torch.eye(n, dtype=torch.float64)
    optimiser = torch.optim.SGD(layer.parameters(), lr=float(case.rate))
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(np.array(case.start, dtype=np.float64)))
    for t in range(1, case.updates + 1):
        optimiser.zero_grad()
        torch.autograd.backward(0.5 * torch.square(layer(inputs) - inputs @ target.T).sum())
        optimiser.step()
        if t % case.period == 0:
            with torch.no_grad():
                left, values, right = torch.linalg.svd(layer.weight, full_matrices=False)
                layer.weight.copy_((left * values.clamp(1 / (1 + case.eps), 1 + case.eps)) @ right)
    return np.asarray(layer.weight.detach().numpy())


def schedule_candidates() -> Iterator[Schedule]:
    """One weight, few updates."""
    for updates, period, eps, target in product((1, 2, 3), (1, 2), (ONE, HALF), (Fraction(4), ZERO)):
        yield Schedule(((ONE,),), ((target,),), HALF, eps, updates, period)


def observe_schedule_exact(case: Schedule) -> Values:
    """One weight in fractions."""
    weight, target = Fraction(case.start[0][0]), Fraction(case.target[0][0])
    eps, rate = Fraction(case.eps), Fraction(case.rate)
    for t in range(1, case.updates + 1):
        weight -= rate * (weight - target)
        if t % case.period == 0:
            weight = min(max(weight, 1 / (1 + eps)), 1 + eps)
    return {
        "p": 1,
        "eps": eps,
        "since": Fraction(case.updates % case.period),
        "final_low": weight,
        "final_high": weight,
    }


@cache
def trained() -> Experiment:
    """Training with bounding every few updates."""
    return Experiment(
        name="training with bounding",
        sample=schedules,
        observe=lambda batch: _trained(batch, train),
        exact=ExactRoute(
            schedule_candidates,
            observe_schedule_exact,
            lambda case: (
                ("W", shown(case.start)),
                ("target", shown(case.target)),
                ("lr", str(case.rate)),
                ("eps", str(case.eps)),
                ("T", str(case.updates)),
                ("T_svb", str(case.period)),
            ),
            lambda case: [case],
        ),
        layer=on_layers(lambda batch: _trained(batch, train_layer)),
    )
