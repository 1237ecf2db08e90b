"""Singular Value Bounding: against a full SVD, at the edges, and as accurate as promised in float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sim.svb import band, bound_singular_values, project_to_band
from tests.reference.spectra import naive_bound
from tests.strategies.spectra import Prescribed, matrices, prescribed

EPS = float(np.finfo(float).eps)
EPS_32 = float(np.finfo(np.float32).eps)
eps_values = st.floats(0.01, 2.0)


def drifted(m: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """A float32 kernel as training leaves it: bounded once, then drifted by noise."""
    start = prescribed(rng, m, n, np.clip(np.linspace(0.8, 1.2, min(m, n)), 1 / 1.05, 1.05).tolist()).matrix
    return (start + 0.02 * rng.normal(size=(m, n)) / np.sqrt(max(m, n))).astype(np.float32)


@given(matrices(), eps_values)
@example(prescribed(np.random.default_rng(0), 3, 5, [4.0, 1.0, 1e-3]), 0.5)
@example(prescribed(np.random.default_rng(0), 5, 3, [2.0, 2.0, 2.0]), 0.5)
def test_float64_agrees_with_a_full_svd(case: Prescribed, eps: float) -> None:
    A = case.matrix
    tolerance = 1e3 * EPS * max(1.0, case.values[0] / case.values[-1])
    assert np.abs(bound_singular_values(A, eps) - naive_bound(A, eps)).max() <= tolerance


@given(matrices(), eps_values)
def test_float32_agrees_with_a_full_svd_and_stays_float32(case: Prescribed, eps: float) -> None:
    A = case.matrix.astype(np.float32)
    bounded = bound_singular_values(A, eps)
    assert bounded.dtype == np.float32
    # what rounding A to float32 does to singular vectors grows with the condition number, so both start from it
    assert np.abs(bounded - naive_bound(A, eps)).max() <= 8 * EPS_32 * (1 + eps)


@given(matrices(zeros=True), eps_values)
def test_result_lies_in_the_band_and_counts_are_right(case: Prescribed, eps: float) -> None:
    done = project_to_band(case.matrix, eps)
    lo, hi = band(eps)
    values = np.linalg.svd(done.matrix, compute_uv=False)
    slack = 1 + 1e3 * EPS
    assert values[0] <= hi * slack
    assert values[-1] >= lo / slack
    clear = np.abs(np.log(case.values + 1e-300) - np.log([[lo], [hi]])).min() > 1e-9
    if clear:
        assert (done.raised, done.lowered) == (int((case.values < lo).sum()), int((case.values > hi).sum()))
    assert done.unique == bool(case.values[-1] > 0)
    assert (done.route == "unchanged") <= (done.raised == done.lowered == 0)


@given(matrices(zeros=True), eps_values)
def test_bounding_again_changes_nothing_but_rounding(case: Prescribed, eps: float) -> None:
    once = project_to_band(case.matrix, eps).matrix
    again = project_to_band(once, eps)
    assert np.abs(again.matrix - once).max() <= 1e2 * EPS * (1 + eps)


@pytest.mark.parametrize("eps", [0.05, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrix_inside_the_band_is_returned_bit_for_bit(eps: float, dtype: type) -> None:
    rng = np.random.default_rng(5)
    lo, hi = band(eps)
    for m, n in ((1, 1), (3, 7), (9, 4), (6, 6)):
        A: np.ndarray = prescribed(rng, m, n, rng.uniform(lo * 1.01, hi * 0.99, min(m, n)).tolist()).matrix
        A = A.astype(dtype)
        done = project_to_band(A, eps)
        assert done.route == "unchanged"
        assert (done.matrix == A).all()
        assert done.matrix is not A


@pytest.mark.parametrize(("value", "route"), [(0.5, "gram"), (2.0, "gram"), (1e-5, "svd")])
def test_each_route_is_taken_where_it_should_be(value: float, route: str) -> None:
    A = prescribed(np.random.default_rng(1), 4, 6, [1.0, 1.0, 1.0, value]).matrix.astype(np.float32)
    done = project_to_band(A, 0.1)
    assert done.route == route
    assert (done.raised, done.lowered) == (int(value < 1), int(value > 1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (3, 2), (4, 4)])
def test_zero_matrix_becomes_the_scaled_identity(shape: tuple[int, int], dtype: type) -> None:
    done = project_to_band(np.zeros(shape, dtype=dtype), 0.25)
    assert np.abs(done.matrix - np.eye(*shape) / 1.25).max() <= 4 * np.finfo(dtype).eps
    assert not done.unique
    assert done.raised == min(shape)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_matrix_without_entries_comes_back(shape: tuple[int, int]) -> None:
    done = project_to_band(np.zeros(shape), 0.25)
    assert done.matrix.shape == shape
    assert (done.raised, done.lowered, done.unique) == (0, 0, True)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_extreme_scales_neither_overflow_nor_vanish(scale: float) -> None:
    A = prescribed(np.random.default_rng(2), 3, 5, [3.0, 2.0, 1.0]).matrix
    expected = naive_bound(A * 1e6 if scale > 1 else A * 1e-6, 0.1)
    assert np.abs(bound_singular_values(A * scale, 0.1) - expected).max() <= 1e3 * EPS


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e30])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5)])
def test_extreme_scales_of_float32_do_not_either(scale: float, shape: tuple[int, int]) -> None:
    kernel = prescribed(np.random.default_rng(2), *shape, [3.0, 2.0, 1.0][: min(shape)])
    A: np.ndarray = (scale * kernel.matrix).astype(np.float32)
    assert np.abs(bound_singular_values(A, 0.1) - naive_bound(A, 0.1)).max() <= 4 * EPS_32


@given(matrices(zeros=True), eps_values, st.sampled_from([np.float32, np.float64]))
def test_the_extremes_before_are_said(case: Prescribed, eps: float, dtype: type) -> None:
    A: np.ndarray = case.matrix.astype(dtype)
    done = project_to_band(A, eps)
    if done.smallest is None or done.largest is None:
        assert done.route == "unchanged"
    else:
        values = np.linalg.svd(A.astype(np.float64), compute_uv=False)
        room = 1e3 * np.finfo(dtype).eps * values[0]
        assert done.smallest == pytest.approx(values[-1], abs=room)
        assert done.largest == pytest.approx(values[0], abs=room)
    assert (done.smallest is None) == (done.largest is None) == (done.route == "unchanged")


def test_integers_and_lists_are_answered_in_float64() -> None:
    assert np.abs(bound_singular_values([[3.0, 0.0], [0.0, 0.25]], 1.0) - np.diag([2.0, 0.5])).max() <= 8 * EPS
    assert bound_singular_values(np.array([[1, 0]]), 1.0).dtype == np.float64


def test_input_is_not_written_to() -> None:
    A = drifted(8, 20, np.random.default_rng(3))
    kept = A.copy()
    A.setflags(write=False)
    bound_singular_values(A, 0.01)
    assert (kept == A).all()


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_order_does_not_matter(order: str) -> None:
    A = drifted(12, 30, np.random.default_rng(4))
    for matrix in (A, A.T):
        laid = np.asarray(matrix, order=order)  # type: ignore[call-overload]
        assert np.abs(bound_singular_values(laid, 0.01) - naive_bound(matrix, 0.01)).max() <= 2 * EPS_32


@pytest.mark.parametrize(("m", "n"), [(64, 576), (128, 1152), (576, 64), (256, 256), (512, 512)])
def test_float32_error_is_at_most_2e_8_when_well_conditioned(m: int, n: int) -> None:
    A = drifted(m, n, np.random.default_rng(6))
    done = project_to_band(A, 0.05)
    assert done.route == "gram"
    assert np.abs(done.matrix - naive_bound(A, 0.05)).max() <= 2e-8


@pytest.mark.parametrize("spread", [0.01, 0.1, 0.3, 0.9])
@pytest.mark.parametrize("centre", [0.3, 1.0, 3.0])
def test_float32_error_is_near_that_of_rounding_wherever_the_spectrum_lies(centre: float, spread: float) -> None:
    # narrow and wide spectra, in, near and far from the band: each takes a different road
    values = centre * np.linspace(1 - spread, 1 + spread, 64)
    for eps in (0.01, 0.5):
        A = prescribed(np.random.default_rng(8), 64, 64, values.tolist()).matrix.astype(np.float32)
        exact = naive_bound(A, eps)
        rounding = EPS_32 * np.abs(exact).max()
        assert np.abs(bound_singular_values(A, eps) - exact).max() <= 1.5 * rounding


@pytest.mark.parametrize(("m", "n"), [(64, 576), (128, 128)])
def test_float32_error_is_no_worse_than_that_of_torch_when_ill_conditioned(m: int, n: int) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(7)
    A = prescribed(rng, m, n, [*rng.uniform(0.5, 1.5, m - 1), 1e-5]).matrix.astype(np.float32)
    left, values, right = torch.linalg.svd(torch.from_numpy(A), full_matrices=False)
    theirs = ((left * values.clamp(1 / 1.05, 1.05)) @ right).numpy()
    exact = naive_bound(A, 0.05)
    ours = np.abs(bound_singular_values(A, 0.05) - exact).max()
    assert ours <= np.abs(theirs - exact).max()
    assert ours <= 2e-8


@pytest.mark.parametrize("eps", [0.0, -0.1, float("nan"), float("inf")])
def test_eps_must_be_positive_and_finite(eps: float) -> None:
    with pytest.raises(ValueError, match="eps must be"):
        bound_singular_values(np.eye(2), eps)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_entries_must_be_finite(bad: float, dtype: type) -> None:
    A: np.ndarray = np.eye(3, 4).astype(dtype)
    A[1, 2] = bad
    with pytest.raises(ValueError, match=r"matrix must be finite, got matrix\[1, 2\]"):
        bound_singular_values(A, 0.1)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_matrices_are_bounded(dtype: type) -> None:
    with pytest.raises(ValueError, match=r"matrix must have shape \(m, n\), got \(2, 1, 3, 3\)"):
        bound_singular_values(np.zeros((2, 1, 3, 3), dtype=dtype), 0.1)


def test_only_real_numbers_are_bounded() -> None:
    with pytest.raises(TypeError, match="matrix must hold real numbers"):
        bound_singular_values(np.eye(2) * 1j, 0.1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("edge", [[1.25, 1.0], [1.0, 0.8], [1.25, 0.8]])
def test_a_matrix_at_the_edges_of_the_band_is_left_alone(edge: list[float], dtype: type) -> None:
    matrix: np.ndarray = np.diag(edge).astype(dtype)
    done = project_to_band(matrix, 0.25)
    assert (done.route, done.raised, done.lowered) == ("unchanged", 0, 0)
    assert np.array_equal(done.matrix, matrix)
    outside = project_to_band(np.diag([edge[0] * 1.001, edge[1] / 1.001]).astype(dtype), 0.25)
    assert outside.route != "unchanged"
