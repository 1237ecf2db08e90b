"""Random convolution stacks: responses against loops, draws against the moments they promise, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from sim.correlation import exponential_correlation
from sim.layer_variance import LAWS, Stack, draw_filters, draw_inputs, draw_law, measure, responses
from tests.reference.layer_variance import naive_layer
from tests.strategies.layer_variance import convolutions


@settings(max_examples=40, deadline=None)
@given(convolutions())
def test_responses_agree_with_loops(case) -> None:
    x, filters, border = case
    found = responses(x, filters, border)
    for draw in range(len(x)):
        image = x[draw]
        for w, y in zip(filters, found, strict=True):
            expected = naive_layer(image, w[draw], border)
            scale = np.abs(expected).max() + 1.0
            assert y[draw].shape == expected.shape
            assert np.abs(y[draw] - expected).max() < 1e-12 * scale
            image = np.maximum(expected, 0.0)


@pytest.mark.parametrize("law", LAWS)
def test_laws_have_mean_zero_and_variance_one(law: str) -> None:
    rng = np.random.default_rng(1)
    z = draw_law(law, (200_000,), rng)
    assert abs(z.mean()) < 5 / np.sqrt(len(z))
    assert abs(np.square(z).mean() - 1) < 5 * np.square(z).std() / np.sqrt(len(z)) + 1e-12
    # the next draw of a generator is independent of the one before
    assert abs((z * draw_law(law, z.shape, rng)).mean()) < 5 / np.sqrt(len(z))


R = exponential_correlation(2, 0.6)


@pytest.mark.parametrize(
    ("correlation", "matrix"),
    [(0.0, np.eye(4)), (1.0, np.ones((4, 4))), (0.3, np.where(np.eye(4) > 0, 1, 0.3)), (R, R)],
    ids=["none", "perfect", "equal", "matrix"],
)
def test_filters_have_the_correlation_asked_for(correlation, matrix) -> None:
    stack = Stack(2, 2, size=3, v=0.7, weight_correlation=correlation, channels=3, input_channels=2)
    for layer, w in enumerate(draw_filters(stack, 20_000, np.random.default_rng(2))):
        fan_in = 3 if layer else 2
        assert w.shape == (20_000, 3, fan_in, 2, 2)
        flat = w.reshape(-1, 4)
        assert flat.T @ flat / len(flat) * fan_in == pytest.approx(0.7 * matrix, abs=0.02)
        between = np.einsum("dt,du->tu", w[:, 0, 0].reshape(-1, 4), w[:, 1, 0].reshape(-1, 4)) / len(w)
        assert np.abs(between).max() < 0.02


@pytest.mark.parametrize("rho", [0.0, 0.4, 1.0])
def test_inputs_have_the_moments_asked_for(rho: float) -> None:
    stack = Stack(2, 1, size=2, q=1.7, input_correlation=rho, input_channels=2)
    x = draw_inputs(stack, 40_000, np.random.default_rng(3))
    flat = x[:, 0].reshape(-1, 4)
    assert flat.T @ flat / len(flat) == pytest.approx(1.7 * np.where(np.eye(4) > 0, 1, rho), abs=0.06)
    assert abs((x[:, 0] * x[:, 1]).mean()) < 0.04


@pytest.mark.parametrize(("rho", "cell"), [(1.0, 16.0), (0.0, 4.0)])
def test_measured_moments_are_those_of_one_layer(rho: float, cell: float) -> None:
    stack = Stack(2, 1, size=2, v=0.5, weight_law="signs", weight_correlation=rho, q=2.0, input_correlation=1.0)
    found = measure(stack, 40_000, np.random.default_rng(4))
    assert abs(found.second[0] - cell) < 5 * found.second_error[0]
    assert abs(found.positive[0] - cell / 2) < 5 * found.positive_error[0]
    assert 0.003 * cell < found.second_error[0] < 0.02 * cell


def test_chunks_only_divide_the_work() -> None:
    stack = Stack(2, 2, size=4, weight_law="signs", weight_correlation=1.0, input_law="signs", input_correlation=1.0)
    whole, parts = (measure(stack, 4000, np.random.default_rng(5), chunk=chunk) for chunk in (2**21, 100))
    assert whole.draws == parts.draws == 4000
    # here y_1^2 is 16 in every draw, so that nothing is left to chance
    assert whole.second[0] == parts.second[0] == 16.0
    assert abs(whole.second[1] - parts.second[1]) < 5 * np.hypot(whole.second_error[1], parts.second_error[1])


def test_the_same_seed_gives_the_same_numbers() -> None:
    stack = Stack(3, 2, border="disjoint", weight_correlation=0.5)
    one, other = (measure(stack, 200, np.random.default_rng(6)) for _ in range(2))
    assert np.array_equal(one.second, other.second)


def test_degenerate_stacks_work() -> None:
    single = Stack(1, 3, size=1, weight_correlation=1.0, input_correlation=1.0)
    assert np.isfinite(measure(single, 100, np.random.default_rng(7)).second).all()
    perfect = replace(single, k=2, size=2, weight_correlation=np.ones((4, 4)))
    (first, *_) = draw_filters(perfect, 5, np.random.default_rng(8))
    assert np.ptp(first.reshape(5, 4), axis=1).max() < 1e-14


@pytest.mark.parametrize("stack", [Stack(2, 3, size=4, v=0.0), Stack(2, 3, size=4, q=0.0)], ids="vq")
def test_variance_zero_leaves_zeros(stack: Stack) -> None:
    found = measure(stack, 10, np.random.default_rng(9))
    assert not found.second.any()
    assert not found.second_error.any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"dims": 3}, r"dims must be 1 \(filters of k weights\) or 2 \(of k x k\), got 3"),
        ({"border": "mirror"}, "border must be one of circular, zero, none, disjoint, got 'mirror'"),
        ({"size": None}, r"size must be given for border 'circular' \(at least 2\)"),
        ({"size": 1}, "size must be at least 2, got 1"),
        ({"border": "none", "size": 2, "depth": 3}, "size must be at least 4, got 2"),
        ({"border": "disjoint"}, r"size must be left out for disjoint windows \(it is k\^depth\), got 4"),
        ({"size": 2**15}, r"size must leave at most 2\^28 positions, size\^dims, got 32768 for dims = 2"),
        ({"border": "disjoint", "size": None, "depth": 15}, r"at most 2\^28 inputs, k\^\(depth dims\), got depth = 15"),
        ({"v": -0.5}, "v must be non-negative"),
        ({"q": -1.0}, "q must be non-negative"),
        ({"weight_law": "cauchy"}, "weight_law must be one of normal, uniform, signs, got 'cauchy'"),
        ({"weight_correlation": 1.5}, r"weight_correlation must lie in \[0, 1\]"),
        ({"weight_correlation": np.eye(9)}, r"weight_correlation must be 4 x 4 for k = 2 in 2 dim.*, got 9 x 9"),
        ({"weight_correlation": -np.eye(4)}, "ones on its diagonal"),
        ({"weight_law": "signs", "weight_correlation": 0.5}, "must be 0 or 1 for the law 'signs'"),
        ({"weight_law": "uniform", "weight_correlation": np.eye(4)}, "must be 0 or 1 for the law 'uniform'"),
        ({"input_law": "signs", "input_correlation": 0.5}, "input_correlation must be 0 or 1 for the law 'signs'"),
        ({"input_correlation": -0.1}, r"input_correlation must lie in \[0, 1\]"),
        ({"channels": 0}, "channels must be at least 1, got 0"),
    ],
)
def test_bad_stacks_are_refused(wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Stack(**{"k": 2, "depth": 2, "size": 4, **wrong})


def test_bad_calls_are_refused() -> None:
    stack = Stack(2, 2, size=4)
    with pytest.raises(ValueError, match="draws must be at least 2, got 1"):
        measure(stack, 1, np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"rng must be a numpy.random.Generator \(weights and inputs"):
        measure(stack, 10, 0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="images must be at least as large as the filters"):
        responses(np.ones((1, 1, 1, 1)), [np.ones((1, 1, 1, 2, 2))], "none")
    with pytest.raises(ValueError, match=r"filters\[1\] must have shape \(1, n, 2, n, n\)"):
        responses(np.ones((1, 1, 2, 2)), [np.ones((1, 2, 1, 1, 1)), np.ones((1, 2, 1, 1, 1))], "none")
    with pytest.raises(ValueError, match="law must be one of"):
        draw_law("cauchy", (1,), np.random.default_rng(0))


def test_the_largest_image_is_allowed() -> None:
    assert Stack(2, 14, border="disjoint").image == (2**14, 2**14)
    assert Stack(2, 1, size=2**14).image == (2**14, 2**14)
