"""Singular Value Bounding of layers: the same as `sim.svb` on each matrix, in every dtype, and what its report says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch
from torch import nn
from torch.nn.utils import parametrizations, prune

from sim.arrays import FloatArray
from sim.cnn.hooks import BoundWarning
from sim.cnn.svb import SingularValueBounding, _bound_rows
from sim.svb import band, project_to_band
from tests.reference.spectra import naive_bound
from tests.sim.cnn.models import mobile, train
from tests.strategies.layers import layers
from tests.strategies.spectra import seeds

EPS = float(np.finfo(np.float64).eps)
EPS_32 = float(np.finfo(np.float32).eps)


def matrices_of(layer: Any) -> list[FloatArray]:
    """The matrices of a layer, group by group: rows are the channels of the weight's first index."""
    weight = layer.weight.detach().double().numpy()
    groups = getattr(layer, "groups", 1)
    rows = len(weight) // groups
    return [np.stack([weight[g * rows + r].ravel() for r in range(rows)]) for g in range(groups)]


def values_of(layer: Any) -> FloatArray:
    return np.concatenate([np.linalg.svd(matrix, compute_uv=False) for matrix in matrices_of(layer)])


@given(layers(), st.sampled_from([0.05, 0.5, 2.0]))
def test_every_matrix_is_bounded_as_the_simulator_bounds_it(layer: Any, eps: float) -> None:
    before = matrices_of(layer)
    (done,) = SingularValueBounding(layer, eps).apply()
    expected = [project_to_band(matrix, eps) for matrix in before]
    assert len(expected) == done.matrices
    assert before[0].shape == done.size
    for ours, theirs in zip(matrices_of(layer), expected, strict=True):
        assert np.abs(ours - theirs.matrix).max() <= 1e-10
    assert done.raised == sum(one.raised for one in expected)
    assert done.lowered == sum(one.lowered for one in expected)


@given(layers(), st.sampled_from([0.05, 0.5]))
def test_the_report_is_of_what_was(layer: Any, eps: float) -> None:
    low, high = band(eps)
    values = values_of(layer)
    (done,) = SingularValueBounding(layer, eps).apply()
    if done.smallest is None or done.largest is None:
        assert done.route == "unchanged"
        assert low * (1 - 1e-9) <= values.min() <= values.max() <= high * (1 + 1e-9)
    elif done.route == "rows" or done.matrices == 1:
        assert (done.smallest, done.largest) == pytest.approx((values.min(), values.max()), abs=1e-7)
    # of several matrices, those in the band are decided on without their spectrum
    elif values.min() < low:
        assert done.smallest == pytest.approx(values.min(), abs=1e-7)
    assert done.reached


@given(seeds(), st.integers(1, 6), st.integers(1, 9), st.sampled_from([np.float32, np.float64]))
@example(np.random.default_rng(0), 6, 4, np.float64)
def test_rows_at_once_are_rows_one_by_one(rng, count, length, dtype):
    scale = rng.choice([0.0, 1e-30, 0.3, 0.95, 1.0, 1.05, 4.0, 1e30], size=(count, 1, 1))
    stack = (rng.normal(size=(count, 1, length)) / np.sqrt(length) * scale).astype(dtype)
    bounded, done = _bound_rows(stack, 0.1)
    expected = [project_to_band(row, 0.1) for row in stack]
    assert bounded.dtype == dtype
    assert np.abs(bounded - np.stack([one.matrix for one in expected])).max() <= 4 * np.finfo(dtype).eps
    assert (done.raised, done.lowered) == (sum(e.raised for e in expected), sum(e.lowered for e in expected))


def test_rows_whose_squares_overflow_or_vanish():
    stack = np.array([[[3e200, 4e200]], [[3e-200, 4e-200]], [[0.0, 0.0]], [[0.6, 0.8]]])
    bounded, done = _bound_rows(stack, 0.25)
    assert np.abs(bounded[:, 0] - [[0.75, 1.0], [0.48, 0.64], [0.8, 0.0], [0.6, 0.8]]).max() <= 1e-14
    assert (done.raised, done.lowered) == (2, 1)


@settings(max_examples=50)
@given(layers(), st.sampled_from([0.05, 0.5]))
def test_float32_lies_in_the_band_up_to_rounding(layer: Any, eps: float) -> None:
    layer.float()
    SingularValueBounding(layer, eps).apply()
    low, high = band(eps)
    values = values_of(layer)
    assert layer.weight.dtype == torch.float32
    # rounding an entry of a matrix (m, n) of spectral norm near 1 moves singular values by at most sqrt(mn) units
    slack = 1 + 4 * EPS_32 * np.sqrt(max(matrix.size for matrix in matrices_of(layer)))
    assert low / slack <= values.min() <= values.max() <= high * slack


def test_float32_is_as_accurate_as_a_full_svd_in_float64():
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 32, 3, groups=2)
    before = matrices_of(layer)
    SingularValueBounding(layer, 0.05).apply()
    for ours, matrix in zip(matrices_of(layer), before, strict=True):
        assert np.abs(ours - naive_bound(matrix, 0.05)).max() <= EPS_32


@settings(max_examples=50)
@given(layers(), st.sampled_from([torch.bfloat16, torch.float16]), st.sampled_from([0.05, 0.5]))
def test_sixteen_bits_lie_in_the_band_as_stored_and_stay(layer: Any, dtype: torch.dtype, eps: float) -> None:
    layer.to(dtype)
    low, high = band(eps)
    bound = SingularValueBounding(layer, eps)
    (done,) = bound.apply()
    values = values_of(layer)
    assert layer.weight.dtype == dtype
    assert done.reached
    assert low * (1 - 1e-12) <= values.min() <= values.max() <= high * (1 + 1e-12)
    if done.left is not None:
        assert done.left == pytest.approx((values.min(), values.max()), abs=1e-12)
    stored = layer.weight.detach().clone()
    (again,) = bound.apply()
    assert again.route == "unchanged"
    assert torch.equal(layer.weight, stored)


def test_rounding_alone_would_leave_the_band():
    # so that the test above could fail
    torch.manual_seed(0)
    layer = nn.Linear(64, 32).to(torch.bfloat16)
    rounded = torch.from_numpy(naive_bound(matrices_of(layer)[0], 0.05)).bfloat16()
    assert float(torch.linalg.svdvals(rounded.double()).min()) < 1 / 1.05


def test_a_band_narrower_than_sixteen_bits_is_reported_once():
    torch.manual_seed(0)
    layer = nn.Linear(64, 32).to(torch.bfloat16)
    bound = SingularValueBounding(layer, 1e-4)
    with pytest.warns(BoundWarning, match=r"layer '' is left with singular values from 0\.9.* narrower than the round"):
        (done,) = bound.apply()
    values = values_of(layer)
    assert not done.reached
    assert done.left == pytest.approx((values.min(), values.max()), abs=1e-12)
    assert 0.99 < values.min() < values.max() < 1.01
    assert "(outside)" in bound.report()
    bound.apply()


def test_a_model_with_groups_and_depthwise_layers():
    model = mobile().double()
    bound = SingularValueBounding(model, 0.05)
    done = {record.name: record for record in bound.apply()}
    assert list(done) == [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert (done["1.conv.1.0"].matrices, done["1.conv.1.0"].size) == (16, (1, 9))
    assert done["1.conv.1.0"].route == "rows"
    assert (done["2.conv2"].matrices, done["2.conv2"].size) == (4, (2, 18))
    low, high = band(0.05)
    for name in done:
        values = values_of(model.get_submodule(name))
        assert low * (1 - 1e-12) <= values.min() <= values.max() <= high * (1 + 1e-12)


def test_both_ends_are_where_they_belong():
    layer = nn.Linear(3, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([0.1, 1.1, 7.0], dtype=torch.float64)))
    (done,) = SingularValueBounding(layer, 0.25).apply()
    assert torch.diagonal(layer.weight.detach()).tolist() == pytest.approx([0.8, 1.1, 1.25], abs=1e-15)
    assert (done.raised, done.lowered) == (1, 1)
    assert (done.smallest, done.largest) == pytest.approx((0.1, 7.0))


def test_other_memory_formats_are_read_and_written_rightly():
    torch.manual_seed(0)
    layer: Any = nn.Conv2d(6, 4, 3, dtype=torch.float64)
    layer.to(memory_format=torch.channels_last)
    before = matrices_of(layer)
    assert not layer.weight.is_contiguous()
    SingularValueBounding(layer, 0.05).apply()
    assert not layer.weight.is_contiguous()
    assert np.abs(matrices_of(layer)[0] - naive_bound(before[0], 0.05)).max() <= 1e-13


def test_what_is_not_trained_or_not_named_is_left_alone():
    model: Any = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[0].weight.requires_grad_(False)
    before = [layer.weight.detach().clone() for layer in model]
    first, second = SingularValueBounding(model, 0.05, layers=["0", "1"]).apply()
    assert torch.equal(model[0].weight, before[0])
    assert not torch.equal(model[1].weight, before[1])
    assert torch.equal(model[2].weight, before[2])
    assert (first.name, first.route, second.name) == ("0", "frozen", "1")
    assert "not trained" in first.row()["before"]


def test_a_shared_weight_is_bounded_once():
    model: Any = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    assert [record.name for record in SingularValueBounding(model, 0.05).apply()] == ["0"]


def test_a_layer_without_outputs_has_nothing_to_bound():
    with pytest.warns(UserWarning, match="zero-element"):
        model = nn.Sequential(nn.Linear(4, 0), nn.Linear(4, 2))
    assert SingularValueBounding(model, 0.05).apply()[0].route == "unchanged"


def test_momentum_and_moments_are_left_as_they_are():
    model = mobile()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train(model, optimizer, 2)
    before = {id(p): {k: torch.as_tensor(v).clone() for k, v in s.items()} for p, s in optimizer.state.items()}
    SingularValueBounding(model, 0.05).apply()
    for p, state in optimizer.state.items():
        for key, value in state.items():
            assert torch.equal(torch.as_tensor(value), before[id(p)][key])


def test_the_report_in_words():
    layer = nn.Linear(2, 2, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.diag(torch.tensor([0.5, 4.0])))
    bound = SingularValueBounding(layer, 0.25)
    assert bound.report() == "nothing has been bounded yet"
    bound.apply()
    head, row = bound.report().splitlines()
    assert head.split() == ["layer", "weight", "matrices", "raised", "lowered", "before", "after", "route"]
    assert " ".join(row.split()) == "(model) 2 x 2 1 of 2 x 2 1 1 0.5 to 4 in the band gram"


@pytest.mark.parametrize("eps", [0.0, -1.0, float("nan"), float("inf"), [0.1, 0.2]])
def test_eps_must_make_a_band(eps):
    with pytest.raises(ValueError, match="eps must"):
        SingularValueBounding(nn.Linear(2, 2), eps)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"matrices": "rows"}, ValueError, "matrices must be one of kernel, operator, got 'rows'"),
        ({"every": 0}, ValueError, "every must be at least 1, got 0"),
        ({"every": 1.5}, TypeError, "every must be an integer, got 1.5"),
        (
            {"layers": ["1"]},
            ValueError,
            r"layers must name linear or convolutional layers of the model \(0\), got '1'",
        ),
        ({"layers": "0"}, TypeError, "layers must be several names, got the one string '0'; put it in a list"),
        ({"layers": []}, ValueError, "model must have linear or convolutional layers to bound, got none"),
        (
            {"matrices": "operator"},
            ValueError,
            "example must be an input of the model with matrices='operator', got N",
        ),
        ({"example": torch.zeros(1)}, ValueError, "example must be left out with matrices='kernel', got Tensor"),
    ],
)
def test_options_that_make_no_sense(options, error, message):
    with pytest.raises(error, match=message):
        SingularValueBounding(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), 0.1, **options)


def computed(kind: str) -> Any:
    layer = nn.Linear(3, 3)
    if kind == "pruning":
        return prune.l1_unstructured(layer, "weight", 0.5)
    return getattr(parametrizations, kind)(layer)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm", "orthogonal", "pruning"])
def test_weights_that_are_computed_from_others_are_refused(kind):
    message = "layer '0' must hold its weight as a parameter, got one that is computed from others .* take that off"
    with pytest.raises(ValueError, match=message):
        SingularValueBounding(nn.Sequential(computed(kind)), 0.1)


def test_weights_without_values_are_refused():
    for layer in (nn.LazyLinear(3), nn.Linear(3, 3, device="meta")):
        with pytest.raises(ValueError, match="must hold values in its weight, got none yet; run one forward pass"):
            SingularValueBounding(nn.Sequential(layer), 0.1)


def test_other_dtypes_and_no_models_are_refused():
    with pytest.raises(ValueError, match=r"dtype float64, float32, bfloat16 or float16, got torch\.complex64"):
        SingularValueBounding(nn.Linear(2, 2, dtype=torch.complex64), 0.1)
    with pytest.raises(TypeError, match=r"model must be a torch\.nn\.Module, got list"):
        SingularValueBounding([], 0.1)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("groups", [1, 4])
def test_weights_that_are_not_finite_are_reported_by_layer(dtype, groups):
    model: Any = nn.Sequential(nn.Conv2d(4, 4, 3, groups=groups, dtype=dtype))
    with torch.no_grad():
        model[0].weight[1] = float("nan")
    with pytest.raises(ValueError, match="layer '0' cannot be bounded: matrix must be finite, got"):
        SingularValueBounding(model, 0.1).apply()


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_on_a_gpu_as_on_the_cpu(dtype):
    there, here = mobile().to("cuda", dtype), mobile().to(dtype)
    for model in (there, here):
        SingularValueBounding(model, 0.05).apply()
    for ours, theirs in zip(there.parameters(), here.parameters(), strict=True):
        assert ours.device.type == "cuda"
        assert torch.equal(ours.cpu(), theirs)
