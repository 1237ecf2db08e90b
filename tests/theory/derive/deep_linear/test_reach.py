"""What the band reaches, in exact numbers, and training to and past its ends."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.linear_modes import descend_modes
from tests.strategies.batch_norm import BANDS
from tests.strategies.single_filter import fractions_in
from theory.derivation import Derivation
from theory.derive.deep_linear import reach, reach_matrices, reach_training
from theory.evaluate import truth, value

DERIVATIONS = (
    reach.interval,
    reach.narrowness,
    reach.least_energy,
    reach.all_directions,
    reach_training.above,
    reach_training.below,
    reach_training.sawtooth,
    reach_training.contracts,
    reach_matrices.matrices,
    reach_matrices.widths,
    reach_matrices.unaligned,
    reach_matrices.widened,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().steps
    assert derivation().failing_steps() == []


@given(BANDS, st.lists(fractions_in(0, 1), min_size=1, max_size=4))
def test_products_stay_in_the_interval_and_reach_its_ends(eps: Fraction, shares: list[Fraction]) -> None:
    low, high = 1 / (1 + eps), 1 + eps
    factors = [low + share * (high - low) for share in shares]
    values = {"eps": eps, "depth": len(factors)}
    assert truth(reach.INTERVAL, {**values, "product": prod(factors)})
    for end, share in ((high, reach.HIGH), (low, reach.LOW)):
        assert prod([end] * len(factors)) == value(share, values, exact=True)
        assert truth(reach.INTERVAL, {**values, "product": end ** len(factors)})


@given(BANDS, st.integers(1, 4), fractions_in(0, 6))
def test_least_energy_is_that_of_the_best_grid_point(eps: Fraction, depth: int, sigma: Fraction) -> None:
    """Products of factors on a grid of the band, which holds its ends, are never closer than the derived distance."""
    values = {"eps": eps, "depth": depth, "sigma": sigma}
    least = value(reach.LEAST_ENERGY.rhs, values, exact=True)
    low, high = 1 / (1 + eps), 1 + eps
    grid = [low + Fraction(k, 4) * (high - low) for k in range(5)]
    energies = [(sigma - prod(factors)) ** 2 / 2 for factors in product(grid, repeat=depth)]
    assert least <= min(energies)
    if sigma >= high**depth or sigma <= low**depth:
        assert least == min(energies)
    assert (least == 0) == truth(reach.REACHED, values)


@given(st.floats(0.01, 100.0), st.integers(1, 50))
def test_least_band_lies_between_its_bounds_and_is_just_wide_enough(sigma: float, depth: int) -> None:
    eps = max(sigma, 1 / sigma) ** (1 / depth) - 1
    values = {"sigma": sigma, "depth": depth, "eps_least": eps}
    for part in reach.NARROWNESS.args:
        assert value(part.gts - part.lts, values, exact=False) >= -1e-12 * max(sigma, 1 / sigma)
    if eps > 1e-6:
        assert truth(reach.REACHED, {"sigma": Fraction(sigma), "eps": Fraction(eps * (1 + 1e-6)), "depth": depth})
        assert not truth(reach.REACHED, {"sigma": Fraction(sigma), "eps": Fraction(eps * (1 - 1e-6)), "depth": depth})


def test_training_stops_at_the_upper_end_at_any_rate() -> None:
    start = np.array([[0.7, 1.4], [1.5, 0.9]])
    for rate in (1e-3, 0.3, 50.0):
        run = descend_modes(start, np.array([4.0, 9.0]), learning_rate=rate, steps=3000, band=0.5)
        assert run.final.tolist() == [[1.5, 1.5], [1.5, 1.5]]


def test_below_the_interval_a_large_rate_flips_signs() -> None:
    """lam (1 + eps)^(2L-2) < 1 is needed: one update past zero, and the projection keeps the wrong sign."""
    run = descend_modes(np.array([[2.0], [2.0]]), np.array([0.1]), learning_rate=1.0, steps=1, band=1.0)
    assert run.final.tolist() == [[-2.0], [-2.0]]
    slow = descend_modes(np.array([[2.0], [2.0]]), np.array([0.1]), learning_rate=0.24, steps=400, band=1.0)
    assert slow.final.tolist() == [[0.5], [0.5]]


def test_a_large_rate_circles_inside() -> None:
    """lam L max(1, root)^(2L-2) <= 1 is not idle: L = 1, sigma = 3/2, lam = 2 goes 1, 2, 1, 2, ... for ever."""
    run = descend_modes(np.ones((1, 1)), np.array([1.5]), learning_rate=2.0, steps=6, record_every=1, band=1.0)
    assert run.products[:, 0].tolist() == [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0]
