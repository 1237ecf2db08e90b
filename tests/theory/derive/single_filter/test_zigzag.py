"""Laws of sign changes against exact and simulated runs that share nothing with the claims' experiments."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise, permutations, product
from typing import Any

import numpy as np
import pytest
import sympy as sp
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sim.descent import descend
from sim.exact import exact_active, exact_grid, exact_targets, exact_trajectory
from sim.grid import grid_samples
from sim.instance import FilterInstance
from sim.problem import GridProblem, SampleProblem
from sim.samples import SampleSet, linear_targets
from sim.zigzag import gradient_sign_changes, sign_changes_per_coordinate
from tests.strategies.single_filter import all_active_instances, fractions_in
from theory.claims.observe.single_filter.turned_frames import busiest_frame, one_after_another
from theory.derivation import Derivation
from theory.derive.single_filter import zigzag as runs
from theory.derive.single_filter import zigzag_pair as pair
from theory.derive.single_filter import zigzag_samples as single
from theory.evaluate import truth, value
from theory.symbols import p as P

DERIVATIONS = (
    runs.full_batch,
    runs.other_frames,
    runs.never_all_at_once,
    runs.heavy_ball,
    single.consecutive_samples,
    single.random_order,
    single.grid_regimes,
    pair.straight_before_crossing,
    pair.zigzag_between_normals,
    pair.sign_and_speed,
    pair.progress_between_normals,
    pair.along_the_optimum,
    pair.wide_angles,
)
Vector = tuple[Fraction, ...]


def sign(v: Any) -> int:
    return int(v > 0) - int(v < 0)


def dot(a: Any, b: Any) -> Any:
    return sum(x * y for x, y in zip(a, b, strict=True))


def number(expression: sp.Expr, **values: float) -> float:
    return float(np.asarray(value(expression, values, exact=False)))


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []


@settings(max_examples=60)
@given(all_active_instances(max_p=5), st.integers(1, 12))
@example(FilterInstance((Fraction(0), Fraction(1)), (Fraction(3), Fraction(1)), Fraction(1, 2)), 4)
@example(FilterInstance((Fraction(0), Fraction(1)), (Fraction(1), Fraction(1, 2)), Fraction(3, 4)), 6)
def test_full_batch_flips_exactly(instance: FilterInstance, eighths: int) -> None:
    rate = Fraction(eighths, 8) / (1 + Fraction(instance.d[0]) ** 2)
    samples = exact_grid(instance.d)
    weights, gradients = exact_trajectory(samples, exact_targets(samples, instance.w_star), instance.w, rate, 2)
    assume(all(exact_active(x, weights[1]) for x in samples))
    moments = [Fraction(int(k == 0)) + Fraction(v) ** 2 for k, v in enumerate(instance.d)]
    changes = [Fraction(abs(sign(a) - sign(b)), 2) for a, b in zip(*gradients, strict=True)]
    values = {"p": instance.p, "lam": rate, "h": moments, "g": gradients[0], "flip": changes}
    assert all(truth(runs.TRUE_FLIP, {**values, "j": k}) for k in range(instance.p))
    assert truth(runs.TRUE_GSC, {**values, "gsc": sum(changes, Fraction(0)) / instance.p})


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_gradient_sign_changes_do_not_depend_on_the_start(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, rate = rng.uniform(0.0, 0.7, p), rng.uniform(0.1, 0.98)
    rate /= 1.0 + d[0] ** 2
    w = np.eye(1, p).repeat(5, axis=0) + 0.02 * rng.normal(size=(5, p)) / p
    run = descend(GridProblem(d), w, learning_rate=rate, steps=3)
    assert (run.active_fraction == 1.0).all()
    flipping = 2.0 * rate * (d**2 + np.eye(1, p)[0]) > 1.0
    assert gradient_sign_changes(run.gradients) == pytest.approx(flipping.mean(), abs=1e-15)
    assert (sign_changes_per_coordinate(run.gradients) == flipping).all()


@settings(max_examples=60)
@given(st.floats(0.05, 0.95), st.floats(0.001, 0.98))
@example(0.8, 0.0111 / 3.6)
@example(0.8, 0.0112 / 3.6)
@example(0.25, 2.25 / 2.5)
def test_heavy_ball_changes_sign_at_its_frequency(mu: float, share: float) -> None:
    """The mode's own recursion, rescaled each step, and its frequency in every regime."""
    x = share * 2.0 * (1.0 + mu)
    frequency = number(runs.heavy_ball_frequency(sp.Symbol("x"), sp.Symbol("mu")), x=x, mu=mu)
    before, error, changes, steps = 1.0, 1.0 - x, int(x > 1.0), 3000
    for _ in range(steps - 1):
        before, error = error, (1.0 + mu - x) * error - mu * before
        changes += int(np.sign(before) != np.sign(error))
        scale = max(abs(before), abs(error))
        before, error = before / scale, error / scale
    assert abs(changes - steps * frequency) <= 1.0
    if frequency in (0.0, 1.0):
        assert changes == steps * frequency


def test_momentum_lowers_the_threshold_ninety_times_and_raises_the_other() -> None:
    bounds = [bound.subs(runs.sqrt_mu, sp.sqrt(sp.Rational(4, 5))) for bound in (runs.LOWER, runs.UPPER)]
    assert sp.simplify(1 / bounds[0] - (45 + 20 * sp.sqrt(5))) == 0
    assert [round(float(v), 3) for v in bounds] == [0.011, 3.589]


@settings(max_examples=40)
@given(st.integers(2, 4), st.data())
def test_exponential_sums_change_sign_less_often_than_they_have_terms(p: int, data: st.DataObject) -> None:
    bases = data.draw(st.lists(fractions_in(0, 1, (5, 7)).filter(lambda v: 0 < v < 1), min_size=p, max_size=p))
    factors = data.draw(st.lists(fractions_in(-3, 3), min_size=p, max_size=p))
    sequence = [sum((c * rho**k for c, rho in zip(factors, bases, strict=True)), Fraction(0)) for k in range(25)]
    assert sum(Fraction(abs(sign(a) - sign(b)), 2) for a, b in pairwise(sequence)) <= p - 1


def test_as_many_sign_changes_as_allowed_can_be_planted() -> None:
    p, steps = 3, 9
    bases = sp.Matrix([sp.Rational(k, 10) for k in (9, 5, 1)])
    wanted = sp.Matrix([1, sp.Rational(-1, 10), sp.Rational(1, 100)])
    factors = sp.Matrix(p, p, lambda k, n: bases[n] ** (3 * k)).LUsolve(wanted)
    sequence = [float(sum(factors[n] * bases[n] ** k for n in range(p))) for k in range(steps)]
    assert sum(sign(a) != sign(b) for a, b in pairwise(sequence)) == p - 1


def changes_in_all(frame: Any, factors: Any, bases: Any, updates: int) -> Fraction:
    """Sign changes of sum_n frame[a][n] factors[n] bases[n]^k, k = 0..updates - 1, for all a; a zero counts half."""
    total = Fraction(0)
    for row in frame:
        sequence = [sum(q * c * b**k for q, c, b in zip(row, factors, bases, strict=True)) for k in range(updates)]
        total += sum(Fraction(abs(sign(x) - sign(y)), 2) for x, y in pairwise(sequence))
    return total


def allowed_in_all(p: int, updates: int) -> Fraction:
    """What the bound on the mean of GradientSignChanges allows all coordinates together."""
    return Fraction(value(runs.FEW_IN_ALL.rhs, {"p": p, "steps": updates}, exact=True) * p * (updates - 1))


@settings(max_examples=100)
@given(st.integers(2, 4), st.data())
def test_all_coordinates_of_a_frame_change_sign_less_often_than_each_could(p: int, data: st.DataObject) -> None:
    frame = [[Fraction(int(a == b)) for b in range(p)] for a in range(p)]
    for _ in range(data.draw(st.integers(1, 3))):
        normal = data.draw(st.lists(st.integers(-3, 3), min_size=p, max_size=p).filter(any))
        # mirrored: rows minus twice their part along the normal
        frame = [
            [v - Fraction(2 * n) * dot(row, normal) / dot(normal, normal) for v, n in zip(row, normal, strict=True)]
            for row in frame
        ]
    bases = data.draw(st.lists(st.integers(1, 19), min_size=p, max_size=p))
    factors = data.draw(st.lists(st.integers(-40, 40), min_size=p, max_size=p))
    assert changes_in_all(frame, factors, [Fraction(b, 20) for b in bases], 12) <= allowed_in_all(p, 12)


def turned(samples: Any, gradient: Any, rate: Fraction) -> Fraction:
    """Coordinates of g that g - 2 rate E[X X^T] g turns; a zero counts half."""
    pulls = [2 * rate * dot(x, gradient) / len(samples) for x in samples]
    following = [g - sum(c * x[k] for c, x in zip(pulls, samples, strict=True)) for k, g in enumerate(gradient)]
    return sum((Fraction(abs(sign(a) - sign(b)), 2) for a, b in zip(gradient, following, strict=True)), Fraction(0))


def samples_and_gradient(p: int) -> st.SearchStrategy[tuple[list[list[int]], list[int]]]:
    vectors = st.lists(st.integers(-3, 3), min_size=p, max_size=p)
    return st.tuples(st.lists(vectors, min_size=1, max_size=6), vectors)


@settings(max_examples=100)
@given(st.integers(1, 4).flatmap(samples_and_gradient), st.integers(1, 19))
@example(([[1, 1]], [3, 1]), 19)
@example(([[1, 1, 1]], [9, 1, 1]), 19)
def test_no_update_below_the_threshold_turns_the_whole_gradient(drawn: Any, twentieths: int) -> None:
    """On any samples: no second moment is above their mean square. The examples turn all coordinates but one."""
    samples, gradient = drawn
    mean_square = Fraction(sum(dot(x, x) for x in samples), len(samples))
    assume(mean_square > 0)
    allowed = value(runs.NEVER_ALL.rhs, {"p": len(gradient)}, exact=True) * len(gradient)
    assert turned(samples, gradient, Fraction(twentieths, 40) / mean_square) <= allowed


def test_an_update_beyond_it_does() -> None:
    assert turned([(1, 2, 2)], (1, 2, 2), Fraction(1, 10)) == 3


@pytest.mark.parametrize("p", [2, 3, 4, 5])
def test_some_frames_change_sign_as_often_as_allowed(p: int) -> None:
    curvatures, gradients = one_after_another(p)
    frame = busiest_frame(p)
    assert frame @ frame.T == pytest.approx(np.eye(p))
    bases = [float(1 - x) for x in curvatures]
    assert changes_in_all(frame.tolist(), gradients.tolist(), bases, p) == allowed_in_all(p, p) == (p - 1) ** 2


@settings(max_examples=80)
@given(
    st.lists(st.tuples(*(fractions_in(-2, 2),) * 3), min_size=4, max_size=4),
    st.sampled_from([Fraction(1, 8), Fraction(1, 3), Fraction(1)]),
)
def test_two_samples_in_turn_exactly(vectors: list[Vector], rate: Fraction) -> None:
    X, X_next, w_star, w = vectors
    samples, targets = (X, X_next), [dot(w_star, X), dot(w_star, X_next)]
    weights, gradients = exact_trajectory(samples, targets, w, rate, 2, "cyclic")
    assume(exact_active(X, w) and exact_active(X_next, weights[1]))
    e = [a - b for a, b in zip(w, w_star, strict=True)]
    values = {"p": 3, "lam": rate, "e": e, "X": X, "X_next": X_next, "residual": dot(e, X)}
    values["residual_next"] = dot(weights[1], X_next) - targets[1]
    values["positive"] = min(*X, *X_next) > 0
    values["flip"] = [Fraction(abs(sign(a) - sign(b)), 2) for a, b in zip(*gradients, strict=True)]
    assert truth(single.TRUE_RESIDUAL_NEXT, values)
    for k in range(3):
        assert truth(single.TRUE_PAIR_FLIP, {**values, "j": k})
        assert truth(single.TRUE_TOGETHER, {**values, "j": k})


@given(st.lists(st.booleans(), min_size=2, max_size=6))
def test_chances_of_a_flip_by_enumeration(positive: list[bool]) -> None:
    """Over all ordered pairs, and over all permutations of an epoch with the first sample of the next."""
    n, q = len(positive), Fraction(sum(positive), len(positive))
    values = {"q": [q], "n_samples": Fraction(n), "j": 0}
    pairs = [a != b for a, b in product(positive, positive)]
    assert truth(single.random_order().result[0].args[1], {**values, "flip_rate": [Fraction(sum(pairs), n * n)]})
    different = [positive[a] != positive[b] for a, b in permutations(range(n), 2)]
    rate = Fraction(sum(different), n * (n - 1))
    assert truth(single.random_order().result[1].args[1], {**values, "flip_rate_distinct": [rate]})
    if n <= 5:
        epochs = list(permutations(positive))
        within = sum((sum(a != b for a, b in pairwise(epoch)) for epoch in epochs), 0)
        share = (Fraction(within, len(epochs)) + Fraction(sum(pairs), n * n)) / n
        assert truth(single.random_order().result[3], {**values, "shuffled_rate": [share]})


@settings(max_examples=30)
@given(st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_in_index_order_far_from_the_optimum(p: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    d, n = rng.uniform(0.2, 0.8, p), 2**p
    w = np.eye(1, p) * (1.0 + 0.05 * rng.choice((-1.0, 1.0))) + 0.005 / p * rng.normal(size=(1, p))
    run = descend(GridProblem(d), w, learning_rate=1e-4, steps=n + 1, order="cyclic")
    assert (run.active_fraction == 1.0).all()
    changes = sign_changes_per_coordinate(run.gradients)[:, 0].mean(axis=0)
    assert changes.tolist() == [0.0, *(0.5**k for k in range(1, p))]
    assert changes.mean() == pytest.approx(number(single.FAR_CYCLIC_GSC.subs(P, p)), abs=1e-15)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_far_errors_flip_half_of_the_coordinates_whatever_the_start(p: int, seed: int) -> None:
    """All pairs of grid samples by their signs alone: e.X = e_0 (1 + a_0) + ... decides, the error frozen."""
    rng = np.random.default_rng(seed)
    d, e = rng.uniform(0.05, 0.95, p), rng.normal(size=p)
    e[0] = rng.choice((-1.0, 1.0)) * (np.abs(e[1:]) @ d[1:] + 0.1) / (1.0 - d[0])
    X = grid_samples(d)
    signs = np.sign((X @ e)[:, None] * X)
    rates = np.array([np.not_equal.outer(column, column).mean() for column in signs.T])
    assert rates.tolist() == [0.0, *(0.5,) * (p - 1)]
    assert rates.mean() == pytest.approx(number(single.FAR_GSC.subs(P, p)), abs=1e-15)


@st.composite
def positive_pairs(draw: st.DrawFn, max_p: int = 5) -> tuple[SampleSet, np.ndarray, float]:
    """Two positive samples, an error between their normals, a rate below 1/(2 max |X|^2)."""
    p = draw(st.integers(2, max_p))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = rng.uniform(0.1, 1.0, (2, p))
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    e = (unit[0] - unit[1]) * draw(st.sampled_from([-0.02, 0.02]))
    assume(np.linalg.norm(e) > 1e-3)
    share = draw(st.floats(0.05, 0.9))
    return linear_targets(X, np.ones(p)), np.ones(p) + e, share / (2.0 * np.square(X).sum(axis=1).max())


@settings(max_examples=40)
@given(positive_pairs())
def test_between_the_normals_every_coordinate_changes_at_every_update(
    drawn: tuple[SampleSet, np.ndarray, float],
) -> None:
    samples, w, rate = drawn
    run = descend(SampleProblem(samples), w, learning_rate=rate, steps=12, order="cyclic")
    assert (gradient_sign_changes(run.gradients) == 1.0).all()
    full = descend(SampleProblem(samples), w, learning_rate=rate, steps=12)
    assert sign_changes_per_coordinate(full.gradients).sum(axis=0).max() <= 1


def test_crossing_a_normal_in_full_batch_is_no_zigzag() -> None:
    """w starts beyond both normals and crosses one: no sign changes there, and in each coordinate at most one ever."""
    samples, w = ((Fraction(2), Fraction(1)), (Fraction(1), Fraction(2))), (Fraction(9, 4), Fraction(3, 4))
    weights, gradients = exact_trajectory(samples, (Fraction(3), Fraction(3)), w, Fraction(1, 20), 30)
    assert all(exact_active(x, v) for x in samples for v in weights)
    residuals = [[dot(x, v) - 3 for x in samples] for v in weights]
    crossing = next(k for k, r in enumerate(residuals) if r[1] < 0)
    assert crossing == 2
    assert all(r[0] > 0 for r in residuals)
    signs = [[sign(v) for v in gradient] for gradient in gradients]
    assert signs[0] == signs[crossing - 1] == signs[crossing] == signs[crossing + 1] == [1, 1]
    assert [sum(a[k] != b[k] for a, b in pairwise(signs)) for k in (0, 1)] == [0, 1]


@settings(max_examples=60)
@given(st.floats(0.05, 1.5))
def test_no_learning_rate_beats_the_best_one_for_an_angle(phi: float) -> None:
    moments = np.array([np.cos(phi) ** 2, np.sin(phi) ** 2])
    rates = np.linspace(0.05, 1.9, 400)
    worst = np.abs(1.0 - 2.0 * rates[:, None] * moments).max(axis=1)
    law = number(pair.wide_angles().result[1].rhs, cos_phi=np.cos(phi), sin_phi=np.sin(phi))
    assert worst.min() ** 2 >= law - 1e-12
    assert np.abs(1.0 - 2.0 * moments).max() ** 2 == pytest.approx(law, abs=1e-14)


@settings(max_examples=80)
@given(st.floats(0.01, 0.78), st.floats(0.0, 0.99), st.floats(0.01, 1.0), st.floats(0.05, 0.95))
def test_progress_is_less_between_the_normals_of_equally_long_samples(
    phi: float, inside: float, outside: float, share: float
) -> None:
    """Unit errors (u, v) along and across w*: w lies between the normals where u^2 < sin(phi)^2."""
    X = np.array([[np.cos(phi), np.sin(phi)], [np.cos(phi), -np.sin(phi)]])
    bound = np.sin(phi) ** 2
    progress = []
    for u2, between in ((bound * inside, True), (bound + (1.0 - bound) * outside, False)):
        e = np.sqrt([u2, 1.0 - u2])
        r = X @ e
        assert bool(r[0] * r[1] < 0) is between
        progress.append(1.0 - np.square(e - share * r[:, None] * X).sum(axis=1).mean())
    assert progress[0] <= progress[1] + 1e-14
