"""Where descent goes and where it ends, against exact descent and the simulator."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sim.descent import descend
from sim.exact import exact_descend
from sim.problem import SampleProblem
from sim.samples import linear_targets
from tests.strategies.single_filter import fractions_in
from theory.claims.observe.rationals import dot, remainder
from theory.derive.single_filter import convergence as derive
from theory.evaluate import truth

vectors = st.integers(1, 4).flatmap(lambda p: st.tuples(*[st.lists(fractions_in(-2, 2), min_size=p, max_size=p)] * 3))


@given(vectors, st.integers(1, 7), st.integers(0, 5))
@example(([Fraction(1)], [Fraction(1)], [Fraction(4)]), 7, 2)
def test_one_sample_is_answered_geometrically_exactly_where_the_condition_holds(
    drawn: tuple[list[Fraction], list[Fraction], list[Fraction]], eighths: int, updates: int
) -> None:
    x, w_star, w = drawn
    assume(any(x))
    norm, y = dot(x, x), dot(x, w_star)
    lam = Fraction(eighths, 8) / norm
    end = exact_descend([x], [y], w, lam, updates)[-1]
    values = {
        "lam": lam,
        "sample_norm": norm,
        "y": y,
        "start": dot(w, x),
        "end": dot(end, x),
        "steps": Fraction(updates),
    }
    if truth(derive.ONE_CONDITION, values):
        assert truth(derive.ONE_ERROR, values)
    elif dot(w, x) <= 0:
        assert tuple(end) == tuple(w)


@given(vectors)
def test_one_sample_ends_at_the_projection(drawn: tuple[list[Fraction], list[Fraction], list[Fraction]]) -> None:
    x, w_star, w = drawn
    assume(any(x) and dot(x, w) > 0 and dot(x, w_star) > 0)
    end = exact_descend([x], [dot(x, w_star)], w, 1 / (2 * dot(x, x)), 1)[-1]
    before, after = ([a - b for a, b in zip(v, w_star, strict=True)] for v in (w, end))
    values = {
        "sample_norm": dot(x, x),
        "y": dot(x, w_star),
        "start": dot(x, w),
        "distance": dot(before, before),
        "distance_end": dot(after, after),
    }
    assert truth(derive.ONE_LIMIT, values)
    assert not any(remainder([a - b for a, b in zip(end, w, strict=True)], [x]))


@settings(max_examples=40)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1), st.floats(0.05, 0.98), st.floats(0.05, 0.98))
def test_the_ball_is_never_left_and_contracts(p: int, seed: int, share: float, depth: float) -> None:
    rng = np.random.default_rng(seed)
    samples = linear_targets(rng.uniform(0.05, 1.0, (2 * p, p)), w_star := rng.uniform(0.1, 1.0, p))
    reach = (samples.y / np.linalg.norm(samples.X, axis=1)).min()
    direction = rng.normal(size=p)
    start = w_star + depth * reach * direction / np.linalg.norm(direction)
    moments = np.linalg.eigvalsh(samples.second_moment)
    lam = share / moments[-1]
    run = descend(SampleProblem(samples), start[None], learning_rate=lam, steps=20)
    distances = np.square(run.weights[:, 0] - w_star).sum(axis=1)
    rate = np.square(1.0 - 2.0 * lam * moments).max()
    slack = 1e3 * np.finfo(float).eps * (1.0 + w_star @ w_star)
    assert np.all(run.active_fraction == 1.0)
    assert np.all(distances[1:] <= rate * distances[:-1] + slack)


@given(st.lists(st.lists(fractions_in(-2, 2), min_size=4, max_size=4), min_size=1, max_size=5))
def test_remainder_is_orthogonal_to_the_span_and_differs_by_a_member(rows: list[list[Fraction]]) -> None:
    *basis, v = rows
    rest = remainder(v, basis)
    assert all(dot(rest, vector) == 0 for vector in basis)
    assert not any(remainder([a - b for a, b in zip(v, rest, strict=True)], basis))
    assert dot(rest, rest) == dot(rest, v)
