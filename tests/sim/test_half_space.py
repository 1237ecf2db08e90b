from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings

from sim.activity import all_active, dead
from sim.exact import exact_active, exact_gradient, exact_grid, exact_loss, exact_targets
from sim.half_space import ActiveSums, grid_active_sums, per_sample_gradients, sample_active_sums
from sim.instance import FilterInstance
from sim.samples import SampleSet, symmetric_grid
from tests.reference.single_filter import naive_active_sums, naive_grid
from tests.sim.rounding import rounding
from tests.strategies.single_filter import exact_instances, float_instances, sample_sets

FIELDS = ("count", "loss", "gradient", "second_moment")


def assert_close(sums: ActiveSums, row: int, naive: tuple[object, ...], terms: int, scale: float) -> None:
    assert sums.count[row] == naive[0]
    for field, value in zip(FIELDS[1:], naive[1:], strict=True):
        assert np.abs(getattr(sums, field)[row] - value).max() <= rounding(terms, scale), field


def assert_same_bits(first: ActiveSums, second: ActiveSums) -> None:
    for field in FIELDS:
        assert np.array_equal(getattr(first, field), getattr(second, field)), field


def magnitude(*vectors: object) -> float:
    """Bound on residual times sample: the largest |X| is at most 2 per coordinate."""
    return 4.0 * float(1.0 + sum(np.abs(np.asarray(v, dtype=float)).sum() for v in vectors)) ** 2


@settings(max_examples=80, deadline=None, derandomize=True)
@given(float_instances(max_p=7))
def test_grid_sums_equal_their_naive_twin(instance: FilterInstance) -> None:
    d, w, w_star = (np.array(v, dtype=float) for v in (instance.d, instance.w, instance.w_star))
    X = naive_grid(list(d))
    # next to a tie the two orders of addition may decide differently
    assume(not w.any() or np.abs(X @ w).min() > rounding(instance.p, float(np.abs(w).sum())))
    naive = naive_active_sums(X, X @ w_star, w)
    for shortcut in (False, True):
        sums = grid_active_sums(d, w, w_star, moments=True, shortcut=shortcut)
        assert_close(sums, 0, naive, len(X) + instance.p, magnitude(w, w_star))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(exact_instances(dyadic=True))
def test_grid_sums_equal_exact_arithmetic_ties_included(instance: FilterInstance) -> None:
    samples = exact_grid(instance.d)
    targets = exact_targets(samples, instance.w_star)
    floats = instance.as_float()
    sums = grid_active_sums(floats.d, floats.w, floats.w_star)
    room = rounding(instance.p, magnitude(floats.w, floats.w_star))
    assert sums.count[0] == sum(exact_active(X, instance.w) for X in samples)
    assert abs(sums.loss[0] - float(exact_loss(samples, targets, instance.w))) <= room
    gradient = np.array(exact_gradient(samples, targets, instance.w), dtype=float)
    assert np.abs(sums.gradient[0] - gradient).max() <= room


@settings(max_examples=80, deadline=None, derandomize=True)
@given(sample_sets())
def test_sample_sums_equal_their_naive_twin(samples: SampleSet) -> None:
    w = np.random.default_rng(len(samples)).normal(size=(3, samples.p))
    preactivation = samples.X @ w.T
    assume(((preactivation == 0) | (np.abs(preactivation) > 1e-12)).all())
    sums = sample_active_sums(samples.X, samples.y, w, moments=True)
    for row in range(3):
        naive = naive_active_sums(samples.X, samples.y, w[row])
        assert_close(sums, row, naive, len(samples) * samples.p, magnitude(w[row], samples.y))


@pytest.mark.parametrize("p", [5, 12])
def test_shortcut_changes_no_bit(p: int) -> None:
    rng = np.random.default_rng(5)
    d, w = rng.random((300, p)), rng.normal(size=(300, p)) * np.r_[2.0, np.full(p - 1, 0.5)]
    d[:100] *= 0.2
    w_star = rng.normal(size=(300, p))
    assert all_active(d, w).sum() > 10 < dead(d, w).sum()
    assert 30 < (all_active(d, w) | dead(d, w)).sum() < 270
    fast, slow = (grid_active_sums(d, w, w_star, moments=True, shortcut=s) for s in (True, False))
    assert np.array_equal(fast.count == 2**p, all_active(d, w))
    assert np.array_equal(fast.count == 0, dead(d, w))
    assert_same_bits(fast, slow)


@pytest.mark.parametrize("moments", [False, True])
@pytest.mark.parametrize("p", [1, 2, 5, 11])
def test_a_row_does_not_depend_on_its_batch(p: int, moments: bool) -> None:
    # more rows than the listing treats side by side; every other target lies along e0
    rng = np.random.default_rng(6)
    d, w, w_star = rng.random((150, p)), rng.normal(size=(150, p)), rng.normal(size=(150, p))
    w_star[::2, 1:] = 0.0
    together = grid_active_sums(d, w, w_star, moments=moments)
    for row in (0, 1, 63, 64, 149):
        alone = grid_active_sums(d[row], w[row], w_star[row], moments=moments)
        for field in FIELDS[: 4 if moments else 3]:
            assert np.array_equal(getattr(together, field)[row], getattr(alone, field)[0]), field


def test_a_batch_that_threads_share_is_the_same() -> None:
    rng = np.random.default_rng(13)
    d, w = rng.random((4500, 4)), rng.normal(size=(4500, 4))
    shared = grid_active_sums(d, w)
    parts = [grid_active_sums(d[part], w[part]) for part in (slice(1000), slice(1000, 4500))]
    for field in FIELDS[:3]:
        assert np.array_equal(getattr(shared, field), np.concatenate([getattr(part, field) for part in parts])), field


@pytest.mark.parametrize("p", [9, 12])
def test_grid_and_explicit_samples_agree(p: int) -> None:
    rng = np.random.default_rng(7)
    d, w, w_star = rng.random(p), rng.normal(size=(20, p)), rng.normal(size=p)
    grid = symmetric_grid(d, w_star)
    fast, listed = grid_active_sums(d, w, w_star, moments=True), sample_active_sums(grid.X, grid.y, w, moments=True)
    assert np.array_equal(fast.count, listed.count)
    assert ((fast.count > 0) & (fast.count < 2**p)).any()
    for field in FIELDS[1:]:
        assert np.abs(getattr(fast, field) - getattr(listed, field)).max() <= rounding(2**p, magnitude(w[0], w_star))


@pytest.mark.parametrize("p", [4, 12])
def test_a_single_active_sample_counts_as_one(p: int) -> None:
    """w.X is above 0 where a_0 < 0 and every other a_i > 0, and nowhere else; the target is along no axis."""
    d, w_star = np.linspace(0.25, 0.75, p), np.linspace(1.0, 0.5, p)
    w = np.ones(p)
    w[0] = (d[1:].min() - d[1:].sum()) / (1 - d[0])
    samples = symmetric_grid(d, w_star)
    grid, listed = grid_active_sums(d, w, w_star), sample_active_sums(samples.X, samples.y, w)
    assert grid.count.tolist() == listed.count.tolist() == [1]
    assert grid.loss == pytest.approx(listed.loss, rel=1e-12)
    assert grid.gradient == pytest.approx(listed.gradient, rel=1e-12)


def test_sample_blocks_add_up() -> None:
    rng = np.random.default_rng(8)
    X, w = rng.normal(size=(30_000, 6)), rng.normal(size=(40, 6))
    y = rng.normal(size=30_000)
    sums = sample_active_sums(X, y, w, moments=True)
    active = X @ w.T > 0
    assert np.array_equal(sums.count, active.sum(axis=0))
    residual = y[:, None] - np.maximum(X @ w.T, 0)
    assert np.abs(sums.loss - np.square(residual).mean(axis=0)).max() <= rounding(30_000, 10.0)
    assert sums.second_moment is not None
    assert np.abs(sums.second_moment[3] - X[active[:, 3]].T @ X[active[:, 3]] / 30_000).max() <= rounding(30_000, 10.0)


def test_gradient_is_the_active_moment_times_the_gap_for_linear_targets() -> None:
    rng = np.random.default_rng(9)
    d, w, w_star = rng.random((50, 6)), rng.normal(size=(50, 6)), rng.normal(size=(50, 6))
    sums = grid_active_sums(d, w, w_star, moments=True)
    assert sums.second_moment is not None
    expected = -2 * np.einsum("bij,bj->bi", sums.second_moment, w_star - w)
    assert np.abs(sums.gradient - expected).max() <= rounding(36, 100.0)
    assert grid_active_sums(d, w, w_star).second_moment is None


def test_per_sample_gradients_average_to_the_mean_gradient() -> None:
    rng = np.random.default_rng(10)
    grid, w = symmetric_grid(rng.random(4), rng.normal(size=4)), rng.normal(size=(5, 4))
    X = np.broadcast_to(grid.X, (5, 16, 4))
    gradients = per_sample_gradients(X, np.broadcast_to(grid.y, (5, 16)), w)
    assert np.abs(gradients.mean(axis=1) - sample_active_sums(grid.X, grid.y, w).gradient).max() <= rounding(64, 100.0)


def test_a_tie_is_inactive() -> None:
    sums = grid_active_sums([0.5, 0.5], [1.0, 1.0])
    assert sums.count[0] == 3
    assert sample_active_sums([[0.5, -0.5]], [1.0], [1.0, 1.0]).count[0] == 0
    assert sample_active_sums([[0.5, -0.5]], [1.0], [1.0, 1.0]).gradient.tolist() == [[0.0, 0.0]]
    alone = per_sample_gradients(np.array([[[0.5, -0.5], [0.5, 0.5]]]), np.ones((1, 2)), np.ones((1, 2)))
    assert alone.tolist() == [[[0.0, 0.0], [0.0, 0.0]]]  # a tie, and a residual of zero
    alone = per_sample_gradients(np.array([[[0.5, -0.5], [0.5, 0.0]]]), np.ones((1, 2)), np.ones((1, 2)))
    assert alone.tolist() == [[[0.0, 0.0], [-0.5, 0.0]]]
    dead = grid_active_sums([0.5, 0.5], [0.0, 0.0])
    assert dead.count[0] == 0
    assert dead.loss[0] == 1.25


def test_p_20_equals_a_small_grid_repeated_and_takes_little_memory() -> None:
    # coordinates of half-width 0 repeat each sample of the grid over the others 2^14 times
    rng = np.random.default_rng(11)
    spread = [0, 4, 9, 10, 15, 19]
    d, w, w_star = np.zeros((8, 20)), rng.normal(size=(8, 20)), rng.normal(size=(8, 20))
    d[:, spread] = rng.random((8, 6))
    tracemalloc.start()
    try:
        sums = grid_active_sums(d, w, w_star, moments=True, shortcut=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1e6  # listing the samples of one row would take 160 MiB
    small = grid_active_sums(d[:, spread], w[:, spread], w_star[:, spread], moments=True)
    assert ((small.count > 0) & (small.count < 2**6)).sum() >= 4
    assert np.array_equal(sums.count, 2**14 * small.count)
    assert sums.second_moment is not None
    assert small.second_moment is not None
    room = rounding(20, magnitude(w[0], w_star[0]))
    assert np.abs(sums.loss - small.loss).max() <= room
    assert np.abs(sums.gradient[:, spread] - small.gradient).max() <= room
    assert np.abs(sums.second_moment[np.ix_(range(8), spread, spread)] - small.second_moment).max() <= room


def test_large_p_needs_no_enumeration_where_the_shortcut_decides() -> None:
    p = 49
    sums = grid_active_sums(np.full(p, 0.5), np.r_[1.0, np.zeros(p - 1)], np.full(p, 0.1))
    assert sums.count[0] == 2**p
    # E[X X^T] = diag(1 + 1/4, 1/4, ..., 1/4)
    expected = -2 * np.r_[1.25 * (0.1 - 1.0), np.full(p - 1, 0.25 * 0.1)]
    assert np.abs(sums.gradient[0] - expected).max() <= rounding(p, 2.0)
    dead = grid_active_sums(np.full(p, 0.5), np.r_[-1.0, np.zeros(p - 1)])
    assert dead.count[0] == 0
    assert dead.loss[0] == 1.25


def test_bad_arguments() -> None:
    with pytest.raises(
        ValueError, match=r"^p must be at most 49 unless .* got p = 60 with 59 of .* 18 GiB, and 2\^6 times"
    ):
        grid_active_sums(np.ones(60), np.ones(60))
    with pytest.raises(ValueError, match=r"^p must be at most 62 .* got 63$"):
        grid_active_sums(np.zeros(63), np.ones(63))
    with pytest.raises(ValueError, match=r"^d must lie in \[0, 1\], got d\[0, 1\] = 1.5$"):
        grid_active_sums([[0.0, 1.5]], [1.0, 1.0])
    with pytest.raises(ValueError, match=r"^w must be finite, got w\[0\] = nan$"):
        grid_active_sums([0.0, 0.5], [np.nan, 1.0])
    with pytest.raises(ValueError, match=r"^w_star must have shape \(2,\) or \(B, 2\), got \(1,\)$"):
        grid_active_sums([0.0, 0.5], [1.0, 1.0], [1.0])
    with pytest.raises(ValueError, match=r"got: d has 2, w has 3, w_star has 1$"):
        grid_active_sums(np.zeros((2, 1)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"^w must have shape \(2,\) or \(B, 2\), got \(3,\)$"):
        sample_active_sums([[1.0, 2.0]], [1.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"^y must have shape \(1,\), got \(2,\)$"):
        sample_active_sums([[1.0, 2.0]], [1.0, 1.0], [1.0, 2.0])
