"""The derived laws: every step proven, closed forms against loops, recursions and the wide-limit simulator."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import sympy as sp

from sim.mean_field import layer_moments, relu_moments
from tests.reference.layer_variance import naive_path_pairs
from theory.claims.observe.layer_variance.overlapping import path_pairs, window_overlap
from theory.claims.observe.layer_variance.wide import handed_on
from theory.derivation import Derivation
from theory.derive.layer_variance import cell_c, depth, laws, one_layer, perfect, wide
from theory.derive.layer_variance.symbols import (
    double_sum,
    equicorrelated,
    k,
    l,
    n,
    q,
    rho_w,
    rho_x,
    v,
    var_1,
    var_l,
)
from theory.evaluate import value
from theory.symbols import relu_correlation

DERIVATIONS = (
    laws.scaled_variance,
    laws.product_variance,
    laws.any_product_variance,
    laws.half_left,
    perfect.stays_equal,
    one_layer.any_correlation,
    one_layer.equal_correlations,
    one_layer.both_equal,
    one_layer.inputs_equal,
    one_layer.critical_variance,
    one_layer.critical_range,
    depth.depth_a,
    depth.depth_b,
    depth.squares,
    depth.largest,
    cell_c.independent_windows,
    cell_c.gaussian_windows,
    cell_c.overlapping_windows,
    cell_c.overlapping_gaussian,
    cell_c.grows_like_a,
    cell_c.against_a,
    cell_c.keeps,
    wide.wide,
    wide.two_layers,
    wide.parting,
)


@pytest.mark.parametrize("derivation", DERIVATIONS, ids=lambda f: f.__name__)
def test_every_step_is_proven(derivation: Callable[[], Derivation]) -> None:
    assert derivation().failing_steps() == []
    assert derivation().ungrounded() == []


@pytest.mark.parametrize(
    ("derivation", "wrong"),
    [
        (laws.scaled_variance, sp.Eq(laws.var_aX, laws.a * laws.var_X)),
        (laws.product_variance, sp.Eq(laws.var_XY, laws.square_X * laws.square_Y)),
        (depth.depth_a, depth.PRINTED_E14),
        (depth.depth_a, sp.Eq(var_l, var_1 * depth.GAIN_A ** (l - 2))),
        (depth.depth_b, depth.PRINTED_E16),
        (depth.depth_b, depth.PRINTED_T1B),
        (cell_c.independent_windows, depth.DEPTH_B),
        (cell_c.gaussian_windows, sp.Eq(var_l, cell_c.GAUSSIAN.rhs * 2)),
        (wide.wide, wide.through_layers(wide.relations_one)),
    ],
)
def test_wrong_statements_do_not_follow(derivation: Callable[[], Derivation], wrong: sp.Eq) -> None:
    assert not derivation().entails(wrong)


@pytest.mark.parametrize("size", range(1, 6))
def test_double_sums_count_both_kinds_of_pairs(size: int) -> None:
    one, other = sp.symbols("c d")
    assert sp.expand(double_sum(equicorrelated(one, other)).subs(n, size)) == size * one + size * (size - 1) * other


@pytest.mark.parametrize(("width", "size", "layers", "dims"), [(2, 3, 2, 1), (3, 7, 2, 1), (2, 4, 3, 2), (3, 3, 1, 2)])
def test_path_pairs_agree_with_listed_paths(width: int, size: int, layers: int, dims: int) -> None:
    found = path_pairs(width, size, layers, dims)
    assert np.array_equal(found, naive_path_pairs(width, size, layers, dims))
    assert found.sum() == width ** (2 * dims * layers)


def test_no_layer_has_one_pair_and_one_layer_has_the_overlap() -> None:
    assert path_pairs(3, 5, 0, 1).tolist() == [1, 0, 0, 0, 0]
    assert window_overlap(3, 7, 1).tolist() == [3, 2, 1, 0, 0, 1, 2]


def test_arc_cosine_kernel_at_known_correlations() -> None:
    assert relu_correlation(sp.S.One) == 1
    assert relu_correlation(sp.S.Zero) == 1 / sp.pi
    assert relu_correlation(sp.S.NegativeOne) == 0
    rng = np.random.default_rng(0)
    y = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=400_000)
    seen = 2 * np.prod(np.maximum(y, 0), axis=1)
    expected = float(relu_correlation(sp.Rational(3, 5)))
    assert abs(seen.mean() - expected) < 5 * seen.std() / np.sqrt(len(seen))


@pytest.mark.parametrize("size", [2, 4, 9])
@pytest.mark.parametrize("correlations", [(1.0, 0.0), (0.5, 0.3), (0.0, 0.7), (1.0, 0.9)])
def test_handed_on_relations_agree_with_the_nested_formula(size: int, correlations: tuple[float, float]) -> None:
    at = {"n": size, "v": 0.8, "q": 1.3, "rho_w": correlations[0], "rho_x": correlations[1], "l": 4}
    relations = handed_on(size, *correlations, 4)
    product = value(wide.ANY_DEPTH.rhs, {**at, "relations": relations}, exact=False)
    assert product == pytest.approx(float(value(wide.variance(4), at, exact=False)), rel=1e-12)


@pytest.mark.parametrize("size", [2, 4, 9])
def test_one_channel_relations_agree_with_the_closed_form_of_cell_c(size: int) -> None:
    for layers in range(1, 7):
        relations = handed_on(size, 1.0, 0.0, layers, one_channel=True)
        at = {"n": size, "v": 0.8, "q": 1.3, "rho_w": 1.0, "l": layers}
        product = value(wide.ANY_DEPTH.rhs, {**at, "relations": relations}, exact=False)
        assert product == pytest.approx(float(value(wide.ONE_CHANNEL, at, exact=False)), rel=1e-12)


def test_numbers_that_the_note_of_x_var_gives() -> None:
    at = {n: 4, v: 1, q: 1, rho_w: 1, rho_x: 0}
    one, many = ([float(wide.variance(d, one_channel=c).subs(at)) for d in (1, 2, 3)] for c in (True, False))
    assert one == pytest.approx([4, 8 + 24 / math.pi, 16 + 240 / math.pi])
    assert many == pytest.approx([4, 8 + 24 / math.pi, 98.30], abs=5e-3)


@pytest.mark.parametrize(("width", "size"), [(2, 5), (3, 5), (3, 4)])
def test_two_layers_of_cell_c_are_those_of_the_wide_limit(width: int, size: int) -> None:
    # white inputs, perfectly correlated filters: the kernel recursion, which knows nothing of cells
    white = np.eye(size * size).reshape(1, 1, size, size, size, size)
    first = layer_moments(white, np.ones((width**2, width**2)), 0.7, padding="circular")
    second = layer_moments(relu_moments(first), np.ones((width**2, width**2)), 0.7, padding="circular")
    found = [K[0, 0, 0, 0, 0, 0] for K in (first, second)]
    overlap = window_overlap(width, size)
    for layers, seen in zip((1, 2), found, strict=True):
        at = {"p": size**2, "n": width**2, "v": 0.7, "l": layers, "var_1": 0.7 * width**2}
        positions = {"pairs": path_pairs(width, size, layers - 1), "overlap": overlap}
        assert seen == pytest.approx(value(cell_c.OVERLAPPING_GAUSSIAN.rhs, {**at, **positions}, exact=False), rel=1e-9)


def test_cell_c_grows_like_a_in_the_end() -> None:
    growth = cell_c.GAUSSIAN.rhs.subs(l, l + 1) / cell_c.GAUSSIAN.rhs
    assert float(growth.subs({k: 3, v: 0.2, l: 8})) == pytest.approx(3**4 * 0.1, rel=1e-6)
    assert float(growth.subs({k: 3, v: 0.2, l: 1})) == pytest.approx(0.9 * (1 + 8 / math.pi))
