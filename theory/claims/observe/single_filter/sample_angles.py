"""Two pairs of unit samples around w*, at different angles: how fast a full-batch update contracts, observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np

from sim.arrays import FloatArray
from sim.descent import descend
from sim.exact import exact_step
from sim.problem import SampleProblem
from sim.samples import linear_targets
from theory.claims.observe.rationals import text
from theory.claims.observe.single_filter.full_batch_runs import ERROR_SCALE, TOLERANCE, Vector
from theory.experiment import ExactRoute, Experiment, Observation, Values


@dataclass(frozen=True)
class Angles:
    """Unit samples (c, +-s) for two angles: narrow and wide are (c, s), the error e; exact."""

    narrow: Vector
    wide: Vector
    e: Vector


def _exact_contraction(angle: Vector, e: Vector) -> Fraction:
    c, s = angle
    # the best rate 1/(h_0 + h_1), the inverse of the mean squared length
    after = exact_step(((c, s), (c, -s)), (c, c), (1 + e[0], e[1]), 1 / (c**2 + s**2))
    return ((after[0] - 1) ** 2 + after[1] ** 2) / (e[0] ** 2 + e[1] ** 2)


def observe_angles_exact(angles: Angles) -> Values:
    """The rational route."""
    (cos_phi, sin_phi), (cos_psi, sin_psi) = angles.narrow, angles.wide
    shared = {"p": 2, "cos_phi": cos_phi, "sin_phi": sin_phi, "cos_psi": cos_psi, "sin_psi": sin_psi}
    contraction, wide = (_exact_contraction(v, angles.e) for v in (angles.narrow, angles.wide))
    return {**shared, "contraction": contraction, "contraction_wide": wide}


def observe_angles(drawn: tuple[FloatArray, FloatArray, FloatArray]) -> Observation:
    """The NumPy route: angles phi, psi (B,), errors (B, 2)."""
    phi, psi, e = drawn
    found = np.empty((2, len(phi)))
    for row, k in product(range(len(phi)), (0, 1)):
        c, s = np.cos((phi, psi)[k][row]), np.sin((phi, psi)[k][row])
        problem = SampleProblem(linear_targets([[c, s], [c, -s]]))
        rate = 1.0 / np.linalg.eigvalsh(problem.samples.second_moment).sum()
        run = descend(problem, [1.0 + e[row, 0], e[row, 1]], learning_rate=rate, steps=1, check_stability=False)
        found[k, row] = np.square(run.final[0] - [1.0, 0.0]).sum() / np.square(e[row]).sum()
    sides = {"cos_phi": np.cos(phi), "sin_phi": np.sin(phi), "cos_psi": np.cos(psi), "sin_psi": np.sin(psi)}
    # errors of size ERROR_SCALE are known to eps, so their ratios to eps / ERROR_SCALE
    return Observation({"p": 2, **sides, "contraction": found[0], "contraction_wide": found[1]}, 50.0 * TOLERANCE)


def angle_draws(rng: np.random.Generator) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Angles in (3, 80) degrees and errors in all directions."""
    phi, psi = np.deg2rad(rng.uniform(3.0, 80.0, (2, 120)))
    t = rng.uniform(0.0, 2.0 * np.pi, 120)
    # w.X > 0 needs e.X > -cos(80 degrees)
    yield phi, psi, ERROR_SCALE * np.c_[np.cos(t), np.sin(t)]


def angle_candidates() -> Iterator[Angles]:
    """Rational angles, from Pythagorean triples."""
    triples = ((4, 3, 5), (3, 4, 5), (12, 5, 13), (5, 12, 13), (15, 8, 17), (8, 15, 17), (24, 7, 25), (20, 21, 29))
    angles = [(Fraction(a, c), Fraction(b, c)) for a, b, c in triples]
    for narrow, wide in product(angles, angles):
        yield Angles(narrow, wide, (Fraction(1, 8), Fraction(1, 8)))


@cache
def two_angles() -> Experiment:
    """One full-batch update at the best learning rate, for two pairs of unit samples around w*."""

    def describe_angles(angles: Angles) -> tuple[tuple[str, str], ...]:
        pairs = (("(cos, sin) phi", angles.narrow), ("(cos, sin) psi", angles.wide), ("e", angles.e))
        return tuple((name, text(v)) for name, v in pairs)

    def lower_angles(angles: Angles) -> tuple[FloatArray, FloatArray, FloatArray]:
        phi, psi = (np.array([np.arctan2(float(v[1]), float(v[0]))]) for v in (angles.narrow, angles.wide))
        return phi, psi, np.array([angles.e], dtype=np.float64)

    exact = ExactRoute(angle_candidates, observe_angles_exact, describe_angles, lower_angles)
    return Experiment("two pairs of unit samples", angle_draws, observe_angles, exact)
