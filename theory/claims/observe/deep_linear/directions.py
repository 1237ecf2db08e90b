"""One direction of variation at a time, read off whole aligned networks on samples.

The slope by s_m^l is the slope of the loss of the network along r_m^{l+1} r_m^l^T; no scalar formula enters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from sim.deep_linear import LinearTask, chain_gradients, chain_loss
from sim.linear_modes import mode_energy
from theory.claims.observe.deep_linear.aligned import (
    Aligned,
    describe,
    exact_aligned,
    planted,
    random_aligned,
)
from theory.claims.observe.deep_linear.chains import (
    WIDEST,
    Array,
    Gradients,
    exact_loss,
    exact_slope,
    layer_gradients,
    rounding,
    stacked,
)
from theory.claims.observe.layers import on_layers
from theory.experiment import ExactRoute, Experiment, Observation, Values

Loss = Callable[[Sequence[Array], LinearTask], float]
Energy = Callable[[Sequence[Any], Any], tuple[Any, list[Any]]]
"""Strengths and sigma to E = (sigma - s^1 ... s^L)^2/2 and dE/ds."""


@on_layers
def layer_loss(weights: Sequence[Array], task: LinearTask) -> float:
    """The loss of the torch chain."""
    from sim.cnn.linear_chain import chain_step

    return chain_step(weights, task).loss


def mode_slopes(network: Aligned, m: int, gradients: Gradients) -> list[Any]:
    """dL/ds_m^l for every layer l."""
    units = [np.outer(above[:, m], below[:, m]) for below, above in pairwise(network.frames)]
    chain = replace(network.chain, directions=tuple(units))
    if chain.X.dtype == object:
        return [exact_slope(chain, layer) for layer in range(len(units))]
    found = gradients(chain.weights, chain.task)
    return [float(np.sum(unit * G)) for unit, G in zip(units, found, strict=True)]


def energy_slopes(strengths: Sequence[Any], sigma: Any) -> list[Any]:
    """dE/ds^l from two values of the energy, which is quadratic in each strength: (E(s^l + 1) - E(s^l - 1))/2."""
    found = []
    for layer in range(len(strengths)):
        sides = []
        for shift in (1, -1):
            moved = [s + shift * (k == layer) for k, s in enumerate(strengths)]
            sides.append(_energy(moved, sigma))
        found.append((sides[0] - sides[1]) / 2)
    return found


def _energy(strengths: Sequence[Any], sigma: Any) -> Any:
    if isinstance(sigma, Fraction):
        product = Fraction(1)
        for s in strengths:
            product *= s
        return (sigma - product) ** 2 / 2
    return float(mode_energy(np.array(strengths), sigma))


def energy_and_slopes(strengths: Sequence[Any], sigma: Any) -> tuple[Any, list[Any]]:
    """E and dE/ds, in floats by the simulator or in fractions."""
    return _energy(strengths, sigma), energy_slopes(strengths, sigma)


@on_layers
def energy_by_autograd(strengths: Sequence[Any], sigma: Any) -> tuple[Any, list[Any]]:
    """E and dE/ds by torch."""
    from sim.cnn.measured import product_energy

    energy, slopes = product_energy(np.array(strengths), sigma)
    return energy, list(slopes)


def direction_values(network: Aligned, m: int, gradients: Gradients, loss: Loss, energies: Energy) -> dict[str, Any]:
    """The symbols of Eqs. (5), (6), (9), (10) for direction m, and the loss of the whole network."""
    chain, sigma = network.chain, network.sigmas[m]
    strengths = [values[m] for values in network.strengths]
    exact = chain.X.dtype == object
    slopes, (energy, from_energy) = mode_slopes(network, m, gradients), energies(strengths, sigma)
    total = exact_loss(chain.weights, chain.X, chain.Y) if exact else loss(chain.weights, chain.task)
    size = len(network.sigmas)
    return {
        "sigma": sigma,
        "strength": strengths,
        "mode_slope": slopes,
        "energy_slope": from_energy,
        "energy": energy,
        "s": strengths[0],
        "t": strengths[-1],
        "slope_s": slopes[0],
        "slope_t": slopes[-1],
        "slope_E_s": from_energy[0],
        "slope_E_t": from_energy[-1],
        "loss": total,
        "trace_yy": np.sum(chain.Y * chain.Y) / (Fraction(chain.Y.shape[1]) if exact else chain.Y.shape[1]),
        "sigmas": [*network.sigmas, *[0] * (WIDEST - size)],
        "S": [[*values, *[0] * (WIDEST - len(values))] for values in network.strengths],
    }


def _learned(network: Aligned) -> Aligned:
    """The same frames with strengths whose products are the singular values."""
    first = network.strengths[0].copy()
    for m in range(network.smallest):
        first[m] = network.sigmas[m] / np.prod([values[m] for values in network.strengths[1:]])
    strengths = [first, *network.strengths[1:]]
    chain = network.chain
    return planted(network.frames, strengths, network.sigmas, chain.X, _rest(network), chain.directions, chain.layer)


def _rest(network: Aligned) -> Array:
    """The part of the targets that no linear map explains."""
    chain = network.chain
    return np.asarray(chain.Y - chain.cross @ chain.X)


Case = tuple[Aligned, int]
"""A network and one of its directions."""


def _experiment(name: str, depths: Sequence[int]) -> Experiment:
    def draw(rng: np.random.Generator) -> Iterator[list[Case]]:
        for depth in depths:
            for smallest in (1, 2, 3):
                networks = []
                for n in range(6):
                    widths = [int(v) for v in rng.integers(smallest, WIDEST + 1, depth + 1)]
                    widths[int(rng.integers(depth + 1))] = smallest
                    drawn = random_aligned(rng, widths)
                    networks.append(_learned(drawn) if n == 0 else drawn)
                yield [(network, m) for network in networks for m in range(smallest)]

    def observed(gradients: Gradients, loss: Loss, energies: Energy) -> Callable[[list[Case]], Observation]:
        def run(cases: list[Case]) -> Observation:
            network = cases[0][0]
            values = stacked([direction_values(network, m, gradients, loss, energies) for network, m in cases])
            sizes = {"p": len(network.strengths), "M": network.smallest}
            return Observation({**sizes, **values}, rounding([network.chain for network, _ in cases]))

        return run

    def exactly(case: Case) -> Values:
        network, m = case
        sizes = {"p": len(network.strengths), "M": network.smallest}
        return {**sizes, **direction_values(network, m, chain_gradients, chain_loss, energy_and_slopes)}

    def candidates() -> Iterator[Case]:
        for network in exact_aligned([d for d in depths if d < 4]):
            yield from ((network, m) for m in range(network.smallest))

    return Experiment(
        name=name,
        sample=draw,
        observe=observed(chain_gradients, chain_loss, energy_and_slopes),
        layer=observed(layer_gradients, layer_loss, energy_by_autograd),
        exact=ExactRoute(
            candidates,
            exactly,
            lambda case: (*describe(case[0]), ("direction", str(case[1] + 1))),
            lambda case: [(case[0].floats, case[1])],
        ),
    )


@cache
def two_layers() -> Experiment:
    """Directions of two aligned layers."""
    return _experiment("directions of two layers", (2,))


@cache
def deep() -> Experiment:
    """Directions of one to five aligned layers."""
    return _experiment("directions of L layers", (1, 2, 3, 5))
